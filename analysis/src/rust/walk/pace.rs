//! Loops whose elements come one after the other, so that there is nothing to batch at first sight: steps of a range,
//! and what arrives over time.

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat, Stmt};

use super::ends::is_failure;
use super::shape::Shape;
use super::variables;

/// Steps of a range: blocks, hours, days.
pub(super) const STEPS: &str = "the loop goes through a range step by step";
/// A stream of what arrives.
const ARRIVES: &str = "the elements of the loop arrive one by one";
/// A `match` on the elements that does something else for each kind.
pub(in crate::rust) const SORTED: &str =
    "each iteration does one of several things, in the order of the elements";
/// Each iteration waits on purpose.
const WAITS: &str = "each iteration waits for a while, on purpose";
/// The first that is found ends the loop.
const FOUND: &str = "the loop ends at the first that is found";
/// Each element is found in the iteration before: the parent of a block, and its parent.
const FOLLOWS: &str = "each iteration finds the element of the next";
/// The elements that are in one set and not in the other: the changes.
pub(in crate::rust) const DIFFERS: &str =
    "the elements of the loop are the difference of two sets, which are few where little changes";
/// The elements are what an operator has configured.
const CONFIGURED: &str = "the elements of the loop are configured";

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
    let waits = || body.stmts.iter().any(sleeps).then_some(WAITS);
    let configured = || is_configured(iterable).then_some(CONFIGURED);
    let differs = || (is_difference(iterable) || lacks(body, &names)).then_some(DIFFERS);
    steps.then_some(STEPS).or_else(differs).or_else(waits).or_else(configured).or_else(|| found(body))
}

/// Why a list that a loop empties cannot be read at once: each iteration adds the one element that comes next. Where it adds
/// several, they can be read together.
pub(super) fn follows(condition: &Expr, body: &Block) -> Option<&'static str> {
    let pushes = pushes(condition, body)?;
    (pushes.number == 1 && !pushes.again).then_some(FOLLOWS)
}

/// Whether the iterations of a loop add to the list that it empties, other than the element that they took.
pub(super) fn refills(condition: &Expr, body: &Block) -> bool {
    pushes(condition, body).is_some_and(|pushes| pushes.number > 0 && !pushes.again)
}

/// What the body of a loop adds to the list that its condition takes elements from.
fn pushes(condition: &Expr, body: &Block) -> Option<Pushes> {
    let Expr::Let(condition) = condition else { return None };
    let Expr::MethodCall(drawn) = condition.expr.as_ref() else { return None };
    let pops = matches!(drawn.method.to_string().as_str(), "pop" | "pop_front" | "pop_back");
    let Expr::Path(list) = drawn.receiver.as_ref() else { return None };
    let list = list.path.get_ident().filter(|_| pops)?.to_string();
    let mut pushes = Pushes { list, drawn: variables::bindings(&condition.pat), number: 0, again: false };
    pushes.visit_block(body);
    Some(pushes)
}

/// Counts what is added to a list outside of loops within.
struct Pushes {
    list: String,
    /// The variables of the element that the iteration takes.
    drawn: Vec<String>,
    number: usize,
    /// Whether that element itself is put back: its iteration is tried again.
    again: bool,
}

impl<'ast> Visit<'ast> for Pushes {
    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let is_list = matches!(node.receiver.as_ref(), Expr::Path(path) if path.path.is_ident(&self.list));
        let method = node.method.to_string();
        self.number += match method.as_str() {
            "push" | "push_back" | "push_front" if is_list => 1,
            "extend" | "append" | "insert" if is_list => 2,
            _ => 0,
        };
        let pushed = node.args.first().filter(|_| is_list && method.starts_with("push"));
        let same = pushed.and_then(variables::mentions_of_constant);
        self.again |= same.is_some_and(|names| names.iter().any(|name| self.drawn.contains(name)));
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.within(|pushes| visit::visit_expr_for_loop(pushes, node));
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.within(|pushes| visit::visit_expr_while(pushes, node));
    }

    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.within(|pushes| visit::visit_expr_loop(pushes, node));
    }

    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        self.within(|pushes| visit::visit_expr_closure(pushes, node));
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

impl Pushes {
    /// Visits an inner loop, whose additions count twice: it may add more than one element.
    fn within(&mut self, visit: impl FnOnce(&mut Pushes)) {
        let before = self.number;
        visit(self);
        self.number += self.number - before;
    }
}

/// Why the iterations of a loop are few: it ends at the first element for which a query finds something.
pub(super) fn found(body: &Block) -> Option<&'static str> {
    body.stmts.iter().any(ends_if_found).then_some(FOUND)
}

/// `if let Some(found) = query.await? { return found; }`. Where what is found is not what is looked for (`return
/// Err(Exists)`, `return Ok(false)`), it is not a search: in the good case nothing is found, and every iteration runs.
fn ends_if_found(statement: &Stmt) -> bool {
    let Stmt::Expr(Expr::If(node), _) = statement else { return false };
    let Expr::Let(condition) = node.cond.as_ref() else { return false };
    let is_found =
        matches!(condition.pat.as_ref(), Pat::TupleStruct(pattern) if pattern.path.is_ident("Some"));
    let found = variables::bindings(&condition.pat);
    let is_of_found = |value: &Expr| variables::mentions(value).iter().any(|name| found.contains(name));
    let gives = match node.then_branch.stmts.as_slice() {
        [.., Stmt::Expr(Expr::Return(end), _)] => {
            end.expr.as_deref().is_some_and(|value| !is_failure(value) && is_of_found(value))
        }
        [.., Stmt::Expr(Expr::Break(end), _)] if end.expr.is_some() => {
            end.expr.as_deref().is_some_and(|value| !is_failure(value) && is_of_found(value))
        }
        [before @ .., Stmt::Expr(Expr::Break(_), _)] => before.iter().any(|statement| {
            matches!(statement, Stmt::Expr(Expr::Assign(set), _) if !is_failure(&set.right) && is_of_found(&set.right))
        }),
        _ => false,
    };
    is_found && gives && node.else_branch.is_none() && is_awaited(&condition.expr)
}

fn is_awaited(value: &Expr) -> bool {
    match value {
        Expr::Await(_) => true,
        Expr::Try(inner) => is_awaited(&inner.expr),
        Expr::Paren(inner) => is_awaited(&inner.expr),
        Expr::MethodCall(call) => is_awaited(&call.receiver),
        _ => false,
    }
}

/// Whether a statement of an iteration sleeps, or waits for the next tick.
fn sleeps(statement: &Stmt) -> bool {
    let Stmt::Expr(Expr::Await(awaited), _) = statement else { return false };
    let name = match awaited.base.as_ref() {
        Expr::Call(call) => match call.func.as_ref() {
            Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        },
        Expr::MethodCall(call) => Some(call.method.to_string()),
        _ => None,
    };
    name.is_some_and(|name| matches!(name.as_str(), "sleep" | "sleep_until" | "tick" | "delay_for"))
}

/// Whether elements are those of one set that another lacks: `wanted.difference(&known)`.
fn is_difference(iterable: &Expr) -> bool {
    match iterable {
        Expr::Reference(inner) => is_difference(&inner.expr),
        Expr::Paren(inner) => is_difference(&inner.expr),
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "difference" | "symmetric_difference" => call.args.len() == 1,
            "cloned" | "copied" | "collect" | "into_iter" | "iter" => is_difference(&call.receiver),
            _ => false,
        },
        _ => false,
    }
}

/// Whether an iteration does something only for elements which a part of something else lacks: `if !user.groups.contains(group)`,
/// `if user.groups.contains(group) { continue; }`. A list of its own may be of all rows, of which an import adds many.
fn lacks(body: &Block, names: &[String]) -> bool {
    let is_declared = |statement: &&Stmt| matches!(statement, Stmt::Local(local) if local.init.as_ref().is_none_or(|it| !is_awaited(&it.expr)));
    let rest: Vec<&Stmt> = body.stmts.iter().skip_while(|it| is_declared(it)).collect();
    let [Stmt::Expr(Expr::If(node), _), after @ ..] = rest.as_slice() else { return false };
    let leaves = matches!(node.then_branch.stmts.as_slice(), [.., Stmt::Expr(Expr::Continue(_), _)]);
    match first_condition(&node.cond) {
        Expr::Unary(not) if matches!(not.op, syn::UnOp::Not(_)) => {
            after.is_empty() && node.else_branch.is_none() && is_in_part(&not.expr, names)
        }
        condition => {
            leaves && matches!(node.cond.as_ref(), Expr::MethodCall(_)) && is_in_part(condition, names)
        }
    }
}

/// The first of conditions that all have to hold.
fn first_condition(condition: &Expr) -> &Expr {
    match condition {
        Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => first_condition(&both.left),
        Expr::Paren(inner) => first_condition(&inner.expr),
        condition => condition,
    }
}

/// Whether a condition asks if a field of a value, or what a method of it gives, contains the element of a loop.
fn is_in_part(condition: &Expr, names: &[String]) -> bool {
    let Expr::MethodCall(call) = condition else { return false };
    let is_asked = matches!(call.method.to_string().as_str(), "contains" | "contains_key" | "any");
    let of_element = |value: &Expr| variables::mentions(value).iter().any(|name| names.contains(name));
    let mut part = call.receiver.as_ref();
    while let Expr::MethodCall(of) = part
        && matches!(of.method.to_string().as_str(), "iter" | "as_ref")
    {
        part = &of.receiver;
    }
    let is_part = match part {
        Expr::Field(field) => matches!(field.base.as_ref(), Expr::Path(_) | Expr::Field(_)),
        Expr::MethodCall(of) => {
            of.args.is_empty() && matches!(of.receiver.as_ref(), Expr::Path(_) | Expr::Field(_))
        }
        _ => false,
    };
    is_asked && is_part && call.args.iter().any(of_element) && !of_element(part)
}

/// Whether a collection is a part of the program's configuration: a field of this name of `self`, or of a constant. Another
/// value's settings may be those of a request.
fn is_configured(iterable: &Expr) -> bool {
    match iterable {
        Expr::Reference(inner) => is_configured(&inner.expr),
        Expr::Paren(inner) => is_configured(&inner.expr),
        Expr::MethodCall(call) => call.args.is_empty() && is_configured(&call.receiver),
        Expr::Field(field) => is_configuration(&field.base) || is_configured(&field.base),
        _ => false,
    }
}

/// `self.config`, `CONFIG`, `APP.settings`.
fn is_configuration(value: &Expr) -> bool {
    let is_word = |name: &str| matches!(name, "config" | "configuration" | "settings" | "cfg");
    let named = |value: &Expr| match value {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    };
    let is_constant = |name: &str| name.contains(char::is_uppercase) && !name.contains(char::is_lowercase);
    match value {
        Expr::Path(_) => {
            named(value).is_some_and(|name| is_constant(&name) && is_word(&name.to_ascii_lowercase()))
        }
        Expr::Field(field) => {
            let is_of_program = named(&field.base).is_some_and(|name| name == "self" || is_constant(&name));
            is_of_program && matches!(&field.member, syn::Member::Named(name) if is_word(&name.to_string()))
        }
        _ => false,
    }
}

/// The pace of a `while let` loop; `drawn` is the shape of what its condition draws from.
pub(super) fn of_while(condition: &Expr, drawn: Option<Shape>) -> Option<&'static str> {
    let arrives = drawn == Some(Shape::Unknown) && self::drawn(condition).is_some_and(awaits_next);
    arrives.then_some(ARRIVES)
}

/// The variable by which a `while` loop goes through a range step by step: `while next <= last { .. next += 1; }`.
pub(super) fn counter(condition: &Expr, body: &Block) -> Option<String> {
    let Expr::Binary(compared) = condition else { return None };
    if !matches!(compared.op, syn::BinOp::Le(_) | syn::BinOp::Lt(_)) || has_length(&compared.right) {
        return None;
    }
    let Expr::Path(path) = compared.left.as_ref() else { return None };
    let name = path.path.get_ident()?.to_string();
    let is_it = |value: &Expr| matches!(value, Expr::Path(path) if path.path.is_ident(&name));
    let steps = |statement: &Stmt| match statement {
        Stmt::Expr(Expr::Binary(step), _) => matches!(step.op, syn::BinOp::AddAssign(_)) && is_it(&step.left),
        Stmt::Expr(Expr::Assign(step), _) => {
            is_it(&step.left)
                && matches!(step.right.as_ref(), Expr::Binary(sum) if matches!(sum.op, syn::BinOp::Add(_)) && is_it(&sum.left))
        }
        _ => false,
    };
    (body.stmts.iter().any(steps) && !indexes(body, std::slice::from_ref(&name))).then_some(name)
}

/// Whether a bound is the length of a collection, so that the steps go through that.
fn has_length(bound: &Expr) -> bool {
    match bound {
        Expr::MethodCall(call) => matches!(call.method.to_string().as_str(), "len" | "count"),
        Expr::Binary(both) => has_length(&both.left) || has_length(&both.right),
        Expr::Paren(inner) => has_length(&inner.expr),
        Expr::Cast(cast) => has_length(&cast.expr),
        _ => false,
    }
}

/// What the condition of a `while` loop draws: `stream.next().await` in `let Some(x) = stream.next().await`, and in
/// `stream.next().await.is_some()`.
pub(super) fn drawn(condition: &Expr) -> Option<&Expr> {
    match condition {
        Expr::Let(condition) => Some(&condition.expr),
        Expr::Paren(inner) => drawn(&inner.expr),
        Expr::MethodCall(call) if call.method == "is_some" || call.method == "is_ok" => {
            awaits_next(&call.receiver).then_some(call.receiver.as_ref())
        }
        _ => None,
    }
}

/// The range that is iterated, by itself or by steps: `(from..=to).map(BlockNumber)`.
pub(super) fn range(iterable: &Expr) -> Option<&syn::ExprRange> {
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

/// Whether a call returns stretches of time or numbers between two ends, judging by its name: `hours(from, to)`.
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
