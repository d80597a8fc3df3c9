//! Code that runs only after an error, and calls whose errors are handled in place.

use syn::visit::Visit;
use syn::{Block, Expr, Pat, Stmt};

use super::Walker;
use crate::rust::flow::Flow;

/// Whether a pattern matches an error.
pub(super) fn is_error(pattern: &Pat) -> bool {
    match pattern {
        Pat::TupleStruct(pattern) => pattern.path.segments.last().is_some_and(|last| last.ident == "Err"),
        Pat::Or(either) => either.cases.iter().all(is_error),
        Pat::Guard(guarded) => is_error(&guarded.pat),
        Pat::Ident(bound) => bound.subpat.as_ref().is_some_and(|(_, inner)| is_error(inner)),
        _ => false,
    }
}

/// Whether a pattern matches a success.
fn is_success(pattern: &Pat) -> bool {
    matches!(pattern, Pat::TupleStruct(pattern) if pattern.path.segments.last().is_some_and(|last| last.ident == "Ok"))
}

/// Whether a pattern matches an error, and whether it matches a success.
pub(super) fn of_pattern(pattern: &Pat) -> [bool; 2] {
    [is_error(pattern), is_success(pattern)]
}

/// Whether the first branch of an `if` runs after an error alone, and whether the second does.
pub(super) fn branches(condition: &Expr) -> [bool; 2] {
    match condition {
        Expr::Let(condition) => of_pattern(&condition.pat),
        Expr::MethodCall(call) if call.args.is_empty() => [call.method == "is_err", call.method == "is_ok"],
        _ => [false, false],
    }
}

/// The expression whose errors an `if` handles, unless an error branch ends the iteration.
pub(super) fn handled_by_if(node: &syn::ExprIf) -> Option<&Expr> {
    let Expr::Let(condition) = node.cond.as_ref() else { return None };
    let stays = is_error(&condition.pat) && !passes_on(&node.then_branch)
        || is_success(&condition.pat)
            && node.else_branch.as_ref().is_none_or(|(_, other)| !expression_passes_on(other));
    stays.then_some(condition.expr.as_ref())
}

/// Like [`handled_by_if`], for a `match`.
pub(super) fn handled_by_match(node: &syn::ExprMatch) -> Option<&Expr> {
    let mut errors = node.arms.iter().filter(|arm| is_error(&arm.pat)).peekable();
    errors.peek()?;
    errors.all(|arm| !expression_passes_on(&arm.body)).then_some(node.expr.as_ref())
}

/// Finds what returns from the function, leaves the loop, or fails itself.
struct Finder(bool);

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_return(&mut self, _: &'ast syn::ExprReturn) {
        self.0 = true;
    }
    fn visit_expr_break(&mut self, _: &'ast syn::ExprBreak) {
        self.0 = true;
    }
    fn visit_expr_try(&mut self, _: &'ast syn::ExprTry) {
        self.0 = true;
    }
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        self.0 |= node.path.segments.last().is_some_and(|last| last.ident == "panic" || last.ident == "bail");
    }
}

/// Whether a block ends the iteration of the loop with an error.
fn passes_on(block: &Block) -> bool {
    let mut finder = Finder(false);
    finder.visit_block(block);
    finder.0 || matches!(block.stmts.last(), Some(Stmt::Expr(last, None)) if is_error_value(last))
}

/// Whether a branch, a block or another expression, ends the iteration of the loop with an error.
fn expression_passes_on(expression: &Expr) -> bool {
    if let Expr::Block(block) = expression {
        return passes_on(&block.block);
    }
    let mut finder = Finder(false);
    finder.visit_expr(expression);
    finder.0 || is_error_value(expression)
}

/// Whether a value is an error that is passed on: `Err(..)`.
fn is_error_value(value: &Expr) -> bool {
    matches!(value, Expr::Call(call) if matches!(call.func.as_ref(), Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Err")))
}

impl Walker<'_> {
    /// Walks code that runs after an error alone if `rare` is set.
    pub(super) fn after_error<T>(&mut self, rare: bool, walk: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.here.rare;
        self.here.rare |= rare;
        let result = walk(self);
        self.here.rare = outer;
        result
    }

    /// Marks the call that `value` awaits, which was walked last, as one whose errors are handled here.
    pub(super) fn handle_errors(&mut self, value: Option<&Expr>) {
        let Some(Expr::Await(_)) = value else { return };
        if let Some(Flow::Call(call)) = self.here.flow.last_mut() {
            call.isolated = true;
        }
    }
}
