//! What decides that a `while` or `loop` ends: an answer that each iteration waits for, or data that is at hand.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat};

use super::variables;

/// Whether a loop whose iterations wait for something goes through data that is there without waiting: a condition takes
/// its elements, or a number that the loop steps through ends it. No answer of an iteration decides how many follow.
pub(super) fn is_by_data(condition: Option<&Expr>, body: &Block, steps: &[String]) -> bool {
    let mut ends = Ends { steps, ..Ends::default() };
    // A later part of an iteration may decide an earlier one of the next.
    for _ in 0..2 {
        ends.answered.exits = 0;
        ends.at_hand = 0;
        ends.visit_block(body);
    }
    let Ends { waits, is_hidden, ref answered, at_hand, .. } = ends;
    if is_hidden || !waits {
        return false;
    }
    match condition {
        Some(condition) => !ends.is_answer(condition) && takes_data(condition),
        None => answered.exits == 0 && at_hand > 0,
    }
}

/// What depends on answers.
#[derive(Default)]
struct Answered {
    names: HashSet<String>,
    /// The number of exits from the loop.
    exits: usize,
}

#[derive(Default)]
struct Ends<'s> {
    /// The variables that the loop steps by one.
    steps: &'s [String],
    answered: Answered,
    /// The number of exits that data at hand decides.
    at_hand: usize,
    /// Whether anything is awaited.
    waits: bool,
    /// Whether a macro may hide exits.
    is_hidden: bool,
    /// The number of branches around that an answer chooses.
    chosen: usize,
    /// Whether data at hand chooses the innermost branch around.
    by_data: bool,
    /// The number of loops within.
    inside: usize,
}

impl Ends<'_> {
    /// Whether a value is that of something awaited, or made of one.
    fn is_answer(&self, value: &Expr) -> bool {
        let mut finder = Awaits(false);
        finder.visit_expr(value);
        finder.0 || variables::mentions(value).iter().any(|name| self.answered.names.contains(name))
    }

    fn assign(&mut self, target: &Expr, value: &Expr) {
        if self.chosen > 0 || self.is_answer(value) {
            self.answered.names.extend(base(target));
        }
    }

    fn branch(&mut self, is_answer: bool, by_data: bool, visit: impl FnOnce(&mut Self)) {
        let before = self.by_data;
        self.by_data = by_data && !is_answer;
        self.chosen += usize::from(is_answer);
        visit(self);
        self.chosen -= usize::from(is_answer);
        self.by_data = before;
    }

    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        self.inside += 1;
        visit(self);
        self.inside -= 1;
    }

    fn exit(&mut self, is_break: bool) {
        match () {
            () if is_break && self.inside > 0 => {}
            () if self.chosen > 0 => self.answered.exits += 1,
            () => self.at_hand += usize::from(self.by_data),
        }
    }

    /// Whether a condition compares a number that the loop steps through with the length of a list. A number alone may be that of
    /// a block or a page.
    fn compares_step(&self, condition: &Expr) -> bool {
        let Expr::Binary(compared) = condition else { return false };
        let is_length = |side: &Expr| matches!(inner(side), Expr::MethodCall(call) if call.method == "len");
        (is_length(&compared.left) || is_length(&compared.right))
            && variables::mentions(condition).iter().any(|name| self.steps.contains(name))
    }
}

impl<'ast> Visit<'ast> for Ends<'_> {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        let Some(init) = &local.init else { return };
        let is_answer = self.is_answer(&init.expr);
        if is_answer || self.chosen > 0 {
            self.answered.names.extend(variables::bindings(&local.pat));
        }
        self.visit_expr(&init.expr);
        if let Some((_, other)) = &init.diverge {
            let by_data = takes(&local.pat, &init.expr);
            self.branch(is_answer, by_data, |ends| ends.visit_expr(other));
        }
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        self.assign(&node.left, &node.right);
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if matches!(node.op, syn::BinOp::AddAssign(_) | syn::BinOp::SubAssign(_)) {
            self.assign(&node.left, &node.right);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_await(&mut self, node: &'ast syn::ExprAwait) {
        self.waits = true;
        // It may change what it is called on, and what it borrows to change.
        if let Expr::MethodCall(call) = node.base.as_ref() {
            self.answered.names.extend(base(&call.receiver));
        }
        let mut borrowed = Borrowed(Vec::new());
        borrowed.visit_expr(&node.base);
        self.answered.names.extend(borrowed.0);
        visit::visit_expr_await(self, node);
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        let is_answer = self.is_answer(&node.cond);
        let by_data = self.compares_step(&node.cond)
            || matches!(node.cond.as_ref(), Expr::Let(it) if takes(&it.pat, &it.expr));
        self.visit_expr(&node.cond);
        self.branch(is_answer, by_data, |ends| {
            ends.visit_block(&node.then_branch);
            node.else_branch.iter().for_each(|(_, other)| ends.visit_expr(other));
        });
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let is_answer = self.is_answer(&node.expr);
        let by_data = node.arms.iter().any(|arm| takes(&arm.pat, &node.expr)) || lends(&node.expr);
        self.visit_expr(&node.expr);
        self.branch(is_answer, by_data, |ends| node.arms.iter().for_each(|arm| ends.visit_arm(arm)));
    }

    fn visit_expr_break(&mut self, node: &'ast syn::ExprBreak) {
        self.exit(node.label.is_none());
        visit::visit_expr_break(self, node);
    }

    fn visit_expr_return(&mut self, node: &'ast syn::ExprReturn) {
        if !node.expr.as_deref().is_some_and(is_failure) {
            self.exit(false);
        }
        visit::visit_expr_return(self, node);
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        let is_answer = self.is_answer(&node.expr);
        self.visit_expr(&node.expr);
        self.within(|ends| ends.branch(is_answer, false, |ends| ends.visit_block(&node.body)));
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        let is_answer = self.is_answer(&node.cond);
        self.visit_expr(&node.cond);
        self.within(|ends| ends.branch(is_answer, false, |ends| ends.visit_block(&node.body)));
    }

    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.within(|ends| visit::visit_expr_loop(ends, node));
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        // `select!` waits for the first of several to arrive.
        let selects =
            node.path.segments.last().is_some_and(|last| last.ident.to_string().starts_with("select"));
        self.is_hidden |= selects || hides(node.tokens.clone());
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether the condition of a `while` takes an element of what is at hand, or fills a variable with it.
fn takes_data(condition: &Expr) -> bool {
    match condition {
        Expr::Let(it) => takes(&it.pat, &it.expr),
        Expr::Binary(compared) => lends(&compared.left),
        condition => lends(condition),
    }
}

/// Whether a pattern takes an element out of a value, which is not what arrives over time.
fn takes(pattern: &Pat, value: &Expr) -> bool {
    let is_error = matches!(pattern, Pat::TupleStruct(it) if it.path.is_ident("Err"));
    let binds = variables::bindings(pattern).iter().any(|name| !name.starts_with('_'));
    binds && !is_error && !arrives(value) && matches!(inner(value), Expr::MethodCall(_) | Expr::Path(_))
}

/// Whether a value is what a call gives that fills one of its arguments: `file.read_line(&mut line)?`.
fn lends(value: &Expr) -> bool {
    let Expr::MethodCall(call) = inner(value) else { return false };
    let is_lent = |value: &Expr| matches!(value, Expr::Reference(it) if it.mutability.is_some());
    !arrives(value) && call.args.iter().any(is_lent)
}

/// Whether a call waits for what arrives, or takes several elements at once, judging by its name.
fn arrives(value: &Expr) -> bool {
    let Expr::MethodCall(call) = inner(value) else { return false };
    let name = call.method.to_string();
    let words = ["poll", "receive", "recv", "wait", "listen", "accept", "message", "notification"];
    let several = ["batch", "chunk", "page", "many", "fetch", "query"];
    words.iter().chain(&several).any(|word| name.contains(word)) || arrives(&call.receiver)
}

/// A value without what unwraps it.
fn inner(value: &Expr) -> &Expr {
    match value {
        Expr::Try(it) => inner(&it.expr),
        Expr::Paren(it) => inner(&it.expr),
        Expr::Reference(it) => inner(&it.expr),
        value => value,
    }
}

/// Whether a value is an error, or an answer that says that a request failed.
pub(super) fn is_failure(value: &Expr) -> bool {
    const STATES: [&str; 9] = [
        "badrequest",
        "conflict",
        "forbidden",
        "gone",
        "internalservererror",
        "notfound",
        "unauthorized",
        "unprocessableentity",
        "toomanyrequests",
    ];
    let is_error = |path: &syn::Path| {
        path.segments.iter().any(|segment| {
            let name = segment.ident.to_string();
            let state = name.replace('_', "").to_ascii_lowercase();
            name == "Err" || name.ends_with("Error") || STATES.contains(&state.as_str())
        })
    };
    match value {
        Expr::Call(call) => is_failure(&call.func) || call.args.first().is_some_and(is_failure),
        Expr::MethodCall(call) => is_failure(&call.receiver),
        Expr::Path(path) => is_error(&path.path),
        Expr::Struct(made) => is_error(&made.path),
        Expr::Try(it) => is_failure(&it.expr),
        Expr::Paren(it) => is_failure(&it.expr),
        Expr::Tuple(both) => both.elems.first().is_some_and(is_failure),
        Expr::Macro(made) => {
            let name = made.mac.path.segments.last().map(|last| last.ident.to_string());
            name.is_some_and(|name| matches!(name.as_str(), "anyhow" | "eyre" | "bail"))
        }
        _ => false,
    }
}

/// The variable that an expression is, or is a field of.
fn base(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => base(&field.base),
        Expr::Unary(it) => base(&it.expr),
        Expr::Paren(it) => base(&it.expr),
        _ => None,
    }
}

/// Whether tokens may hold an exit, or wait.
fn hides(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => hides(group.stream()),
        TokenTree::Ident(name) => ["break", "return", "await"].iter().any(|word| name == word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Finds what is awaited.
struct Awaits(bool);

impl<'ast> Visit<'ast> for Awaits {
    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.0 = true;
    }
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
}

/// The variables that are borrowed to be changed.
struct Borrowed(Vec<String>);

impl<'ast> Visit<'ast> for Borrowed {
    fn visit_expr_reference(&mut self, node: &'ast syn::ExprReference) {
        if node.mutability.is_some() {
            self.0.extend(base(&node.expr));
        }
        visit::visit_expr_reference(self, node);
    }
}
