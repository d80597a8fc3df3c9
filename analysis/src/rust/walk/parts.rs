//! How many parts a list or a text has that the source determines: windows, chunks and steps of a list, characters and words of
//! a literal.

use syn::visit::{self, Visit};
use syn::{Expr, Lit};

use super::everyday::is_everyday;

use super::numbers::{Number, number};
use super::shape::{Shape, Shapes};
use super::sql_text::segments;

/// The shape of what a method makes of a list of so many elements: `windows(2)`, `chunks(100)`, `step_by(3)`.
pub(super) fn of_list(
    turns: Option<u64>,
    exact: bool,
    call: &syn::ExprMethodCall,
    around: &dyn Shapes,
    depth: usize,
) -> Shape {
    let method = call.method.to_string();
    let size = call.args.first().and_then(|size| number(size, around, depth));
    let (Some(turns), Some(Number { least: size, most })) = (turns, size.filter(|size| size.least > 0))
    else {
        // Each has an element at least.
        return Shape::Fixed(turns, false);
    };
    let parts = match method.as_str() {
        "windows" => turns.saturating_sub(size - 1),
        "chunks_exact" => turns / size,
        "chunks" | "chunks_mut" | "rchunks" | "par_chunks" | "step_by" => turns.div_ceil(size),
        // Others may be smaller, where they do not wait.
        _ => return Shape::Fixed(Some(turns), false),
    };
    Shape::Fixed(Some(parts), exact && size == most)
}

/// The number of parts of a text that is a literal or a constant: `"abc".chars()`, `"a,b".split(',')`.
pub(super) fn of_text(call: &syn::ExprMethodCall, around: &dyn Shapes) -> Option<u64> {
    let text = text(&call.receiver, around)?;
    let parts = match (call.method.to_string().as_str(), call.args.first()) {
        ("chars" | "char_indices", None) => text.chars().count(),
        ("bytes", None) => text.len(),
        ("lines", None) => text.lines().count(),
        ("split_whitespace", None) => text.split_whitespace().count(),
        ("split", Some(Expr::Lit(by))) => match &by.lit {
            Lit::Char(by) => text.split(by.value()).count(),
            Lit::Str(by) => text.split(by.value().as_str()).count(),
            _ => return None,
        },
        _ => return None,
    };
    u64::try_from(parts).ok()
}

/// The part of a pattern that gets a list of a number of elements that the source determines, by its position in a tuple, and the
/// shape of that list: `Some(three) = ids.first_chunk::<3>()`, `(head, rest) = ids.split_at(2)`.
pub(super) fn cut(value: &Expr, around: &dyn Shapes) -> Option<(Option<usize>, Shape)> {
    let call = match value {
        Expr::MethodCall(call) => call,
        Expr::Try(inner) => return cut(&inner.expr, around),
        Expr::Paren(inner) => return cut(&inner.expr, around),
        _ => return None,
    };
    let generic = || match call.turbofish.as_ref()?.args.first()? {
        syn::GenericArgument::Const(count) => number(count, around, 0),
        _ => None,
    };
    let (part, size) = match call.method.to_string().as_str() {
        "first_chunk" | "last_chunk" | "first_chunk_mut" | "last_chunk_mut" => (None, generic()?),
        "split_first_chunk" | "split_first_chunk_mut" => (Some(0), generic()?),
        "split_last_chunk" | "split_last_chunk_mut" => (Some(1), generic()?),
        "split_at" | "split_at_mut" | "split_at_checked" | "split_at_mut_checked" => {
            (Some(0), call.args.first().and_then(|at| number(at, around, 0))?)
        }
        "unwrap" | "expect" | "ok_or" | "ok_or_else" | "context" => return cut(&call.receiver, around),
        _ => return None,
    };
    Some((part, Shape::Fixed(Some(size.most), size.least == size.most)))
}

/// The pattern of the list: `three` in `Some(three)`, `head` in `(head, rest)`.
pub(super) fn cut_off(pattern: &syn::Pat, part: Option<usize>) -> Option<&syn::Pat> {
    match (pattern, part) {
        (syn::Pat::TupleStruct(inner), _) if inner.elems.len() == 1 => cut_off(inner.elems.first()?, part),
        (syn::Pat::Paren(inner), _) => cut_off(&inner.pat, part),
        (syn::Pat::Tuple(tuple), Some(at)) => tuple.elems.iter().nth(at),
        (syn::Pat::Ident(_), None) => Some(pattern),
        _ => None,
    }
}

/// Fewer elements than this are no batch.
pub(super) const BATCH: u64 = 10;

/// Whether a step leaves some elements out, rather than cut a range into batches, which are larger.
pub(super) fn is_stride(step: &Expr) -> bool {
    matches!(step, Expr::Lit(syn::ExprLit { lit: Lit::Int(step), .. }) if step.base10_parse().is_ok_and(|step: u64| step < BATCH))
}

/// Whether a closure gives the next of what is at hand, by methods of collections alone: `|| heap.pop()`.
pub(super) fn takes_at_hand(function: &Expr) -> bool {
    let Expr::Closure(closure) = function else { return false };
    let mut calls = Calls { other: false };
    calls.visit_expr(&closure.body);
    !calls.other
}

/// Finds calls other than those of collections and of what wraps a value.
struct Calls {
    other: bool,
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let method = node.method.to_string();
        let looks_up = matches!(method.as_str(), "and_then" | "filter" | "find" | "map" | "position");
        self.other |= !is_everyday(&method) && !method.starts_with("pop") && !looks_up;
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        let wraps = |path: &syn::Path| {
            path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase))
        };
        self.other |= !matches!(node.func.as_ref(), Expr::Path(function) if wraps(&function.path));
        visit::visit_expr_call(self, node);
    }

    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.other = true;
    }

    fn visit_macro(&mut self, _: &'ast syn::Macro) {
        self.other = true;
    }
}

fn text(value: &Expr, around: &dyn Shapes) -> Option<String> {
    match value {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Paren(inner) => text(&inner.expr, around),
        Expr::Path(path) => match around.constant_values(&segments(&path.path)) {
            [Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. })] => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
