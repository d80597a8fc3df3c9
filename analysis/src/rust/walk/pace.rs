//! Loops whose elements come one after the other, so that there is nothing to batch at first sight: steps of a range,
//! and what arrives over time.

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat};

use super::shape::Shape;
use super::variables;

/// Steps of a range: blocks, hours, days.
const STEPS: &str = "the loop goes through a range step by step";
/// A stream of what arrives.
const ARRIVES: &str = "the elements of the loop arrive one by one";

/// The pace of a `for` loop.
pub(super) fn of_for(pattern: &Pat, iterable: &Expr, body: &Block) -> Option<&'static str> {
    let names = variables::bindings(pattern);
    let steps = match range(iterable) {
        Some(range) => {
            // `0..n` counts, and `0..ids.len()` goes through a collection.
            let counts = range.start.as_deref().is_none_or(|start| matches!(start, Expr::Lit(_)));
            !counts && !names.is_empty() && !indexes(body, &names)
        }
        None => is_spans(iterable),
    };
    steps.then_some(STEPS)
}

/// The pace of a `while let` loop; `drawn` is the shape of what its condition draws from.
pub(super) fn of_while(condition: &Expr, drawn: Option<Shape>) -> Option<&'static str> {
    let Expr::Let(condition) = condition else { return None };
    let arrives = drawn == Some(Shape::Unknown) && awaits_next(&condition.expr);
    arrives.then_some(ARRIVES)
}

/// The range that is iterated, by itself or by steps: `(from..=to).map(BlockNumber)`.
fn range(iterable: &Expr) -> Option<&syn::ExprRange> {
    match iterable {
        Expr::Range(range) => Some(range),
        Expr::Paren(inner) => range(&inner.expr),
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "map" | "rev" | "step_by" | "into_iter" => range(&call.receiver),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a call gives stretches of time or numbers between two ends, judging by its name: `hours(from, to)`.
fn is_spans(iterable: &Expr) -> bool {
    let (name, arguments) = match iterable {
        Expr::Call(call) => match call.func.as_ref() {
            Expr::Path(path) => {
                (path.path.segments.last().map(|last| last.ident.to_string()), call.args.len())
            }
            _ => return false,
        },
        Expr::MethodCall(call) => (Some(call.method.to_string()), call.args.len()),
        _ => return false,
    };
    let spans = ["periods", "hours", "days", "dates", "weeks", "months", "intervals", "ranges", "windows"];
    let last = name.as_deref().and_then(|name| name.rsplit('_').next()).unwrap_or_default();
    arguments >= 2 && spans.contains(&last)
}

/// Whether a variable of these names indexes something: `ids[i]`.
fn indexes(body: &Block, names: &[String]) -> bool {
    struct Finder<'n>(&'n [String], bool);
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_expr_index(&mut self, node: &'ast syn::ExprIndex) {
            self.1 |= variables::mentions(&node.index).iter().any(|name| self.0.contains(name));
            visit::visit_expr_index(self, node);
        }
    }
    let mut finder = Finder(names, false);
    finder.visit_block(body);
    finder.1
}

/// Whether a condition waits for the next element: `stream.next().await`.
fn awaits_next(value: &Expr) -> bool {
    match value {
        Expr::Try(inner) => awaits_next(&inner.expr),
        Expr::Paren(inner) => awaits_next(&inner.expr),
        Expr::MethodCall(call) => awaits_next(&call.receiver),
        Expr::Await(inner) => {
            matches!(inner.base.as_ref(), Expr::MethodCall(call) if call.method == "next" || call.method == "try_next")
        }
        _ => false,
    }
}
