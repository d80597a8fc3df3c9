//! Values that run only when something waits for them: async blocks, futures, and queries in variables.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Stmt};

use super::counted;
use super::loops::Runs;
use super::sql_text::segments;
use super::{Queries, Walker};
use crate::rust::flow::Flow;
use crate::rust::query_names::is_executor;
use crate::rust::site::Form;

impl Walker<'_> {
    /// Walks a statement of a block. What it puts into a variable without waiting for it runs for certain only if the statements
    /// behind it are certain to use that.
    pub(super) fn statement_before(&mut self, statement: &Stmt, rest: &[Stmt]) -> Queries {
        let Stmt::Local(local) = statement else { return self.statement(statement) };
        let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) else {
            return self.statement(statement);
        };
        let (flows, sites) = (self.here.flow.len(), self.sites.len());
        self.statement(statement);
        self.end_unused_closure(&local.pat, rest);
        let made = self.here.flow.get(flows..).unwrap_or_default();
        if !made.iter().any(Flow::has_query) {
            return Queries::new();
        }
        let name = variable(&local.pat);
        let held = name.as_ref().and_then(|name| self.here.locals.get(name));
        let is_held = held.is_some_and(|local| !local.queries.is_empty());
        // A driver that blocks runs what it is given at once.
        let is_of_driver = self.sites.iter().skip(sites).any(|site| site.form == Form::Driver);
        let waits = (is_held || is_future(&init.expr)) && !is_of_driver;
        if waits && !name.is_some_and(|name| is_used(&name, rest)) {
            let made = self.here.flow.split_off(flows);
            self.emit(Flow::seq(made).maybe());
        }
        Queries::new()
    }

    /// Walks a closure that nothing behind its declaration names for what stands in it alone: it never runs.
    fn end_unused_closure(&mut self, pattern: &syn::Pat, rest: &[Stmt]) {
        let is_named = |name: &String| rest.iter().any(|it| counted::mentions(it.to_token_stream(), name));
        let Some(name) = variable(pattern).filter(|name| !is_named(name)) else { return };
        if let Some(closure) = self.here.locals.get_mut(&name).and_then(|local| local.closure.take()) {
            drop(self.sequence(|walker| walker.closure(&closure, &Runs::Once)));
        }
    }
}

/// The variable that a pattern is.
fn variable(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(name) => Some(name.ident.to_string()),
        Pat::Type(typed) => variable(&typed.pat),
        _ => None,
    }
}

/// Whether a value is a future or stream that nothing waits for yet: itself, pinned, or in a struct.
fn is_future(value: &Expr) -> bool {
    match value {
        Expr::Async(_) => true,
        Expr::Paren(inner) => is_future(&inner.expr),
        Expr::Reference(inner) => is_future(&inner.expr),
        Expr::MethodCall(call) if is_executor(&call.method.to_string()) => true,
        Expr::MethodCall(call) => {
            let keeps = call.method == "boxed" || call.method == "boxed_local" || call.method == "fuse";
            keeps && is_future(&call.receiver)
        }
        Expr::Call(call) => {
            let Expr::Path(function) = call.func.as_ref() else { return false };
            let holds =
                |name: &String| name == "pin" || name == "new" || name.starts_with(char::is_uppercase);
            segments(&function.path).last().is_some_and(holds) && call.args.iter().any(is_future)
        }
        Expr::Macro(mac) => {
            mac.mac.path.segments.last().is_some_and(|last| last.ident == "pin")
                && mac.mac.parse_body::<Expr>().is_ok_and(|inner| is_future(&inner))
        }
        Expr::Struct(node) => node.fields.iter().any(|field| is_future(&field.expr)),
        _ => false,
    }
}

/// What code does with a variable before anything else that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// It certainly uses it.
    Uses,
    /// It may leave without a use of it.
    Leaves,
    /// Neither.
    Nothing,
}

/// Whether statements are certain to use a variable, under this name or another.
fn is_used(name: &str, statements: &[Stmt]) -> bool {
    let mut name = name.to_owned();
    for statement in statements {
        match first(&name, |uses| uses.visit_stmt(statement)) {
            First::Nothing => {}
            First::Leaves => return false,
            First::Uses => match statement {
                // `let query = query.bind(id);` hands it on.
                Stmt::Local(local) if let Some(next) = variable(&local.pat).filter(|_| !waits(local)) => {
                    name = next;
                }
                _ => return true,
            },
        }
    }
    false
}

/// Whether a declaration waits for something.
fn waits(local: &syn::Local) -> bool {
    struct Waits(bool);
    impl<'ast> Visit<'ast> for Waits {
        fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
            self.0 = true;
        }
        fn visit_expr_macro(&mut self, _: &'ast syn::ExprMacro) {
            self.0 = true;
        }
        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
        fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
    }
    let mut waits = Waits(false);
    waits.visit_local(local);
    waits.0
}

fn first(name: &str, walk: impl FnOnce(&mut Uses<'_>)) -> First {
    let mut uses = Uses { name, first: First::Nothing };
    walk(&mut uses);
    uses.first
}

/// Finds the first use of a variable, in evaluation order.
struct Uses<'n> {
    name: &'n str,
    first: First,
}

impl Uses<'_> {
    /// Adds what is done in one of these branches.
    fn branch(&mut self, arms: &[First]) {
        self.first = match arms {
            _ if arms.iter().all(|arm| *arm == First::Uses) => First::Uses,
            _ if arms.contains(&First::Leaves) => First::Leaves,
            _ => First::Nothing,
        };
    }

    fn after(&self, walk: impl FnOnce(&mut Uses<'_>)) -> First {
        first(self.name, walk)
    }

    fn leave(&mut self) {
        if self.first == First::Nothing {
            self.first = First::Leaves;
        }
    }

    fn visit_if(&mut self, node: &syn::ExprIf) {
        self.visit_expr(&node.cond);
        if self.first == First::Nothing {
            let then = self.after(|uses| uses.visit_block(&node.then_branch));
            let otherwise = match &node.else_branch {
                Some((_, otherwise)) => self.after(|uses| uses.visit_expr(otherwise)),
                None => First::Nothing,
            };
            self.branch(&[then, otherwise]);
        }
    }

    fn visit_match(&mut self, node: &syn::ExprMatch) {
        self.visit_expr(&node.expr);
        if self.first == First::Nothing && !node.arms.is_empty() {
            let arms: Vec<First> =
                node.arms.iter().map(|arm| self.after(|uses| uses.visit_expr(&arm.body))).collect();
            self.branch(&arms);
        }
    }

    /// What runs any number of times.
    fn visit_body(&mut self, body: &syn::Block) {
        if self.first == First::Nothing {
            let turn = self.after(|uses| uses.visit_block(body));
            self.branch(&[turn, First::Nothing]);
        }
    }

    fn visit_macro_call(&mut self, mac: &syn::Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let leaves = super::macros::leaves(&name) || super::macros::may_leave(&name);
        if names(&mac.tokens, self.name) && !name.starts_with("select") {
            self.first = First::Uses;
        } else if leaves {
            self.leave();
        }
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        match statement {
            _ if self.first != First::Nothing => {}
            Stmt::Item(_) => {}
            Stmt::Macro(mac) => self.visit_macro_call(&mac.mac),
            Stmt::Local(local) => {
                let Some(init) = &local.init else { return };
                self.visit_expr(&init.expr);
                if init.diverge.is_some() {
                    self.leave();
                }
            }
            Stmt::Expr(..) => visit::visit_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            _ if self.first != First::Nothing => {}
            Expr::Path(path) if path.path.is_ident(self.name) => self.first = First::Uses,
            Expr::If(node) => self.visit_if(node),
            Expr::Match(node) => self.visit_match(node),
            Expr::ForLoop(node) => {
                self.visit_expr(&node.expr);
                self.visit_body(&node.body);
            }
            Expr::While(node) => {
                self.visit_expr(&node.cond);
                self.visit_body(&node.body);
            }
            Expr::Binary(node) if matches!(node.op, syn::BinOp::And(_) | syn::BinOp::Or(_)) => {
                self.visit_expr(&node.left);
                if self.first == First::Nothing {
                    let right = self.after(|uses| uses.visit_expr(&node.right));
                    self.branch(&[right, First::Nothing]);
                }
            }
            // What they do is done later, if at all.
            Expr::Closure(_) | Expr::Async(_) => {}
            Expr::Macro(mac) => self.visit_macro_call(&mac.mac),
            Expr::Try(_) | Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => {
                visit::visit_expr(self, expression);
                self.leave();
            }
            _ => visit::visit_expr(self, expression),
        }
    }
}

/// Whether tokens contain a name.
fn names(tokens: &proc_macro2::TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        proc_macro2::TokenTree::Group(group) => names(&group.stream(), name),
        proc_macro2::TokenTree::Ident(ident) => ident == name,
        _ => false,
    })
}
