//! Code that runs at most once in a loop: behind a flag that it sets, an option that it takes, or the number of one iteration.

use std::ops::Range;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lit, Pat, Stmt};

use super::counted::{is_name, is_plain, may_go_on, mentions};
use super::exits::{block_ends_in, is_exit};
use super::purpose;
use super::sql_text::segments;
use super::{Walker, variables};
use crate::rust::methods::{Yields, yields};
use crate::rust::site::LoopKind;

/// A variable that changes once at most, judging by all that is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum Latch {
    /// A flag that has this value until it is set.
    Flag(bool),
    /// An option that has a value until that is taken.
    Full,
    /// The number of an iteration: each has another.
    Number,
}

/// When the code behind a condition runs.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Only as long as this flag is not set.
    Unset(String),
    /// Not before this flag is set.
    Set(String),
    /// Once, as long as this variable lives: what asks sets it.
    Once(String),
    /// In one iteration of the loop that numbers its iterations by this variable.
    Iteration(String),
}

impl Walker<'_> {
    /// Notes a flag or an option that a statement declares and the statements behind it change once at most.
    pub(super) fn note_latch(&mut self, statement: &Stmt, rest: &[Stmt]) {
        let Stmt::Local(local) = statement else { return };
        let pattern = if let Pat::Type(typed) = &local.pat { typed.pat.as_ref() } else { &local.pat };
        let (Pat::Ident(name), Some(init)) = (pattern, &local.init) else { return };
        if name.mutability.is_none() {
            return;
        }
        let Some(latch) = started(&init.expr) else { return };
        let name = name.ident.to_string();
        let mut changes = Changes { name: &name, latch, is_other: false };
        rest.iter().for_each(|statement| changes.visit_stmt(statement));
        let is_latch = !changes.is_other;
        if let Some(local) = self.here.locals.get_mut(&name).filter(|_| is_latch) {
            local.latch = Some(latch);
        }
    }

    /// Notes the variable by which a `for` loop numbers its iterations, which is in scope already.
    pub(super) fn note_number(&mut self, pattern: &Pat, iterable: &Expr) {
        let numbered = match (pattern, iterable) {
            (Pat::Ident(name), Expr::Range(_)) => Some(name),
            (Pat::Tuple(parts), iterable) if is_enumerated(iterable) => match parts.elems.first() {
                Some(Pat::Ident(name)) => Some(name),
                _ => None,
            },
            _ => None,
        };
        let Some(name) = numbered.filter(|name| name.mutability.is_none()) else { return };
        if let Some(local) = self.here.locals.get_mut(&name.ident.to_string()) {
            local.latch = Some(Latch::Number);
        }
    }

    /// Walks the first branch of an `if`, with the loops marked in which it runs once.
    pub(super) fn in_then<T>(&mut self, node: &syn::ExprIf, walk: impl FnOnce(&mut Self) -> T) -> T {
        let once = self.asked(&node.cond).into_iter().find_map(|asked| match asked {
            Asked::Unset(name) => self.loops_of(&name).filter(|_| sets(&node.then_branch.stmts, &name)),
            Asked::Once(name) => self.loops_of(&name),
            Asked::Iteration(name) => self.loop_of(&name),
            Asked::Set(_) => None,
        });
        let once = once.or_else(|| self.identified(&node.cond));
        self.once(once, walk)
    }

    /// Walks the second branch of an `if`, with the loops marked in which it runs once.
    pub(super) fn in_else<T>(&mut self, node: &syn::ExprIf, walk: impl FnOnce(&mut Self) -> T) -> T {
        let otherwise = node.else_branch.as_ref().map(|(_, otherwise)| otherwise.as_ref());
        let once = match (self.asked(&node.cond).as_slice(), otherwise) {
            ([Asked::Set(name)], Some(Expr::Block(block))) if sets(&block.block.stmts, name) => {
                self.loops_of(name)
            }
            _ => None,
        };
        self.once(once, walk)
    }

    /// Walks an arm of a `match` on a value, with the loops marked in which it runs once.
    pub(super) fn in_arm<T>(
        &mut self,
        matched: &Expr,
        pattern: &Pat,
        walk: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let taken = if is_some(pattern) { self.taken(matched) } else { None };
        let once =
            taken.and_then(|name| self.loops_of(&name)).or_else(|| self.named_element(matched, pattern));
        let once = once.or_else(|| self.only_of_kind(matched, pattern));
        self.once(once, walk)
    }

    /// The loops in which what follows a statement runs once, because the statement leaves the iteration in others:
    /// `if done { continue; }`, `let Some(first) = first.take() else { continue };`.
    pub(super) fn once_behind(&self, statement: &Stmt, rest: &[Stmt]) -> Option<Range<usize>> {
        match statement {
            Stmt::Expr(Expr::If(node), _)
                if node.else_branch.is_none() && block_ends_in(&node.then_branch, &is_exit) =>
            {
                match self.asked(&node.cond).as_slice() {
                    [Asked::Set(name)] if sets(rest, name) => self.loops_of(name),
                    _ => None,
                }
            }
            Stmt::Local(local) => {
                let init =
                    local.init.as_ref().filter(|init| init.diverge.is_some() && is_some(&local.pat))?;
                self.loops_of(&self.taken(&init.expr)?)
            }
            _ => None,
        }
    }

    /// The loop around, if an arm is for one value of all that its element is: `for part in parts { match part { "a" => .. } }`.
    /// Elements that are equal are an exception.
    fn named_element(&self, matched: &Expr, pattern: &Pat) -> Option<Range<usize>> {
        let around = self.here.loops.last().filter(|around| around.kind == LoopKind::For)?;
        let is_named = match pattern {
            Pat::Or(either) => either.cases.iter().all(|case| matches!(case, Pat::Lit(_))),
            pattern => matches!(pattern, Pat::Lit(_)),
        };
        let inside = self.here.loops.len();
        let is_whole = whole(matched)? == around.pattern.trim_start_matches('&');
        (is_named && is_whole && inside > self.here.closure).then_some(inside - 1..inside)
    }

    /// Marks loops in which the code that is walked next runs once; returns how they were marked before.
    pub(super) fn mark_once(&mut self, loops: Range<usize>) -> Vec<Option<&'static str>> {
        let before = self.here.loops.iter().map(|around| around.exempt).collect();
        for around in self.here.loops.get_mut(loops).unwrap_or_default() {
            around.exempt = around.exempt.or(Some(purpose::SELDOM));
        }
        before
    }

    /// Marks the loops around as they were before.
    pub(super) fn unmark_once(&mut self, before: Vec<Option<&'static str>>) {
        for (around, exempt) in self.here.loops.iter_mut().zip(before) {
            around.exempt = exempt;
        }
    }

    fn once<T>(&mut self, loops: Option<Range<usize>>, walk: impl FnOnce(&mut Self) -> T) -> T {
        let Some(loops) = loops else { return walk(self) };
        let before = self.mark_once(loops);
        let result = walk(self);
        self.unmark_once(before);
        result
    }

    /// The loops around that a variable outlives.
    fn loops_of(&self, name: &str) -> Option<Range<usize>> {
        let from = self.here.locals.get(name)?.loops;
        // What a closure runs later may run again.
        (from < self.here.loops.len() && from >= self.here.closure).then_some(from..self.here.loops.len())
    }

    /// The loop that numbers its iterations by a variable.
    fn loop_of(&self, name: &str) -> Option<Range<usize>> {
        let inside = self.here.locals.get(name)?.loops;
        Some(inside.checked_sub(1)?..inside)
    }

    fn latch(&self, name: &str) -> Option<Latch> {
        self.here.locals.get(name)?.latch
    }

    /// When the code behind a condition runs, as far as one of its parts tells.
    fn asked(&self, condition: &Expr) -> Vec<Asked> {
        match condition {
            Expr::Paren(inner) => self.asked(&inner.expr),
            Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
                // What is not asked does not run: a flag that is set there may be asked again.
                let mut asked = self.asked(&both.left);
                asked.extend(self.asked(&both.right).into_iter().filter(|it| !matches!(it, Asked::Set(_))));
                asked.retain(|it| !matches!(it, Asked::Set(_)));
                asked
            }
            condition => self.asked_alone(condition).into_iter().collect(),
        }
    }

    fn asked_alone(&self, condition: &Expr) -> Option<Asked> {
        let flag = |value: &Expr, is: bool| {
            let name = variable(value)?;
            match self.latch(&name)? {
                Latch::Flag(start) if start == is => Some(Asked::Unset(name)),
                Latch::Flag(_) => Some(Asked::Set(name)),
                Latch::Full | Latch::Number => None,
            }
        };
        match condition {
            Expr::Path(_) => flag(condition, true),
            Expr::Unary(not) if matches!(not.op, syn::UnOp::Not(_)) => match self.replaced(&not.expr) {
                Some((name, false)) => Some(Asked::Once(name)),
                _ => flag(&not.expr, false),
            },
            Expr::Let(condition) if is_some(&condition.pat) => self.taken(&condition.expr).map(Asked::Once),
            Expr::MethodCall(call) if call.method == "is_some" => self.taken(&call.receiver).map(Asked::Once),
            Expr::Call(_) => match self.replaced(condition)? {
                (name, true) => Some(Asked::Once(name)),
                _ => None,
            },
            Expr::Binary(compared) if matches!(compared.op, BinOp::Eq(_)) => {
                let both = [(&compared.left, &compared.right), (&compared.right, &compared.left)];
                both.into_iter().find_map(|(side, other)| {
                    if let Expr::Lit(syn::ExprLit { lit: Lit::Bool(is), .. }) = other.as_ref() {
                        return flag(side, is.value);
                    }
                    let name = variable(side).filter(|name| self.latch(name) == Some(Latch::Number))?;
                    let around = self.here.loops.get(self.loop_of(&name)?.start)?;
                    let varies = variables::mentions(other).iter().any(|it| around.variables.contains(it));
                    (!varies && variables::mentions_of_constant(other).is_some())
                        .then_some(Asked::Iteration(name))
                })
            }
            _ => None,
        }
    }

    /// The option that an expression takes the value out of: `first.take()`, `mem::take(&mut first)`.
    fn taken(&self, value: &Expr) -> Option<String> {
        let name = match value {
            Expr::Paren(inner) => return self.taken(&inner.expr),
            Expr::MethodCall(call) if call.method == "take" && call.args.is_empty() => {
                variable(&call.receiver)?
            }
            Expr::Call(call) => given_to_memory(call)?.0,
            _ => return None,
        };
        (self.latch(&name) == Some(Latch::Full)).then_some(name)
    }

    /// The flag that an expression sets and gives the value of, and that value before: `mem::replace(&mut open, false)`.
    fn replaced(&self, value: &Expr) -> Option<(String, bool)> {
        let Expr::Call(call) = value else { return None };
        let (name, new) = given_to_memory(call)?;
        match self.latch(&name)? {
            Latch::Flag(start) if new != Some(start) => Some((name, start)),
            _ => None,
        }
    }
}

/// The variable that a value is, in this or another form: `*part`, `part.as_str()`, `part.trim()`.
pub(super) fn whole(value: &Expr) -> Option<String> {
    match value {
        Expr::Paren(inner) => whole(&inner.expr),
        Expr::Reference(inner) => whole(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => whole(&inner.expr),
        Expr::MethodCall(call) if call.args.is_empty() => {
            let name = call.method.to_string();
            let is_form = matches!(
                name.as_str(),
                "as_ref" | "as_str" | "deref" | "to_ascii_lowercase" | "to_lowercase" | "to_owned" | "trim"
            );
            if is_form { whole(&call.receiver) } else { None }
        }
        other => variable(other),
    }
}

/// The value with which a flag or an option starts.
fn started(value: &Expr) -> Option<Latch> {
    match value {
        Expr::Lit(syn::ExprLit { lit: Lit::Bool(start), .. }) => Some(Latch::Flag(start.value)),
        Expr::Call(call) => match call.func.as_ref() {
            Expr::Path(function) if function.path.is_ident("Some") => Some(Latch::Full),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an iterator numbers its elements, and at most leaves some of them out behind that.
fn is_enumerated(iterable: &Expr) -> bool {
    match iterable {
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "enumerate" => true,
            name => yields(name) == Some(Yields::Subset) && is_enumerated(&call.receiver),
        },
        Expr::Paren(inner) => is_enumerated(&inner.expr),
        _ => false,
    }
}

/// Whether statements certainly set a flag, unless they leave the loop.
fn sets(statements: &[Stmt], name: &str) -> bool {
    let is_set = |statement: &Stmt| matches!(statement, Stmt::Expr(Expr::Assign(node), _) if is_name(&node.left, name));
    let Some(at) = statements.iter().position(is_set) else { return false };
    !may_go_on(statements.get(..at).unwrap_or_default())
}

fn variable(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Paren(inner) => variable(&inner.expr),
        _ => None,
    }
}

/// Whether a pattern matches a value that is there.
fn is_some(pattern: &Pat) -> bool {
    matches!(pattern, Pat::TupleStruct(pattern) if pattern.path.segments.last().is_some_and(|last| last.ident == "Some"))
}

/// The variable that `mem::take` or `mem::replace` changes, and the flag that it is set to.
fn given_to_memory(call: &syn::ExprCall) -> Option<(String, Option<bool>)> {
    let Expr::Path(function) = call.func.as_ref() else { return None };
    let names = segments(&function.path);
    let Expr::Reference(lent) = call.args.first()? else { return None };
    let name = variable(&lent.expr)?;
    match (names.last()?.as_str(), call.args.len()) {
        ("take", 1) => Some((name, Some(false))),
        ("replace", 2) => match call.args.last()? {
            Expr::Lit(syn::ExprLit { lit: Lit::Bool(new), .. }) => Some((name, Some(new.value))),
            Expr::Path(new) if new.path.is_ident("None") => Some((name, None)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a variable is changed other than once, the way that its kind allows.
struct Changes<'n> {
    name: &'n str,
    latch: Latch,
    is_other: bool,
}

impl Changes<'_> {
    /// Whether this is what it changes to.
    fn is_end(&self, value: &Expr) -> bool {
        match (self.latch, value) {
            (Latch::Flag(start), Expr::Lit(syn::ExprLit { lit: Lit::Bool(new), .. })) => new.value != start,
            (Latch::Full, Expr::Path(new)) => new.path.is_ident("None"),
            _ => false,
        }
    }

    fn in_tokens(&mut self, tokens: TokenStream) {
        self.is_other |= mentions(tokens, self.name);
    }
}

impl<'ast> Visit<'ast> for Changes<'_> {
    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        match is_name(&node.left, self.name) {
            true => self.is_other |= !self.is_end(&node.right),
            // It may be one of several: `(a, b) = (true, false)`.
            false if !matches!(node.left.as_ref(), Expr::Path(_) | Expr::Field(_) | Expr::Unary(_)) => {
                self.is_other |= variables::mentions(&node.left).iter().any(|name| name == self.name);
            }
            false => {}
        }
        self.visit_expr(&node.right);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        let keeps_way = match node.op {
            BinOp::BitOrAssign(_) => self.latch == Latch::Flag(false),
            BinOp::BitAndAssign(_) => self.latch == Latch::Flag(true),
            BinOp::BitXorAssign(_) => false,
            _ => true,
        };
        self.is_other |= !keeps_way && is_name(&node.left, self.name);
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        match given_to_memory(node).filter(|(name, _)| name == self.name) {
            Some((_, Some(new))) => self.is_other |= self.latch == Latch::Flag(new),
            Some((_, None)) => self.is_other |= self.latch != Latch::Full,
            None => visit::visit_expr_call(self, node),
        }
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        if self.latch == Latch::Full && is_name(&node.receiver, self.name) {
            let keeps = [
                "take",
                "is_some",
                "is_none",
                "is_some_and",
                "as_ref",
                "as_deref",
                "clone",
                "cloned",
                "copied",
                "map",
                "iter",
                "unwrap_or",
                "unwrap_or_default",
            ];
            self.is_other |= !keeps.iter().any(|name| node.method == name);
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_reference(&mut self, node: &'ast syn::ExprReference) {
        self.is_other |= node.mutability.is_some() && is_name(&node.expr, self.name);
        visit::visit_expr_reference(self, node);
    }

    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        // Behind another of its name it is not known which is meant.
        self.is_other |= node.ident == self.name;
        visit::visit_pat_ident(self, node);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if !is_plain(mac) {
            self.in_tokens(mac.tokens.clone());
        }
    }

    // A macro that is declared here may change it; any other item does not see it.
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if let syn::Item::Macro(item) = item {
            self.in_tokens(item.mac.tokens.clone());
        }
    }
}
