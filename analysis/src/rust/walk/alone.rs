//! Code that runs for one element of a loop alone: the one whose identity another value gives, or that is the only one of its kind.

use std::ops::Range;

use syn::{BinOp, Expr, Pat, Stmt};

use super::exits::{block_ends_in, is_exit};
use super::latches::whole;
use super::{Walker, variables};
use crate::rust::site::{Loop, LoopKind};
use crate::rust::type_ref::TypeRef;

/// The fields that tell one element from all others. Many elements may have the same `user_id` or `name`.
const IDENTITY: &[&str] = &["guid", "id", "uuid"];

/// The types of maps.
const MAPS: &[&str] = &["BTreeMap", "HashMap", "IndexMap"];

impl Walker<'_> {
    /// The loop around, if a condition holds for the element alone that a value from outside of the loop identifies:
    /// `if price.id == wanted`.
    pub(super) fn identified(&self, condition: &Expr) -> Option<Range<usize>> {
        match condition {
            Expr::Paren(inner) => self.identified(&inner.expr),
            Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
                self.identified(&both.left).or_else(|| self.identified(&both.right))
            }
            Expr::Binary(both) if matches!(both.op, BinOp::Eq(_)) => self.compares_identity(both),
            _ => None,
        }
    }

    /// The loop in which what follows a statement is for one element, because the statement leaves it for all others:
    /// `if price.id != wanted { continue; }`.
    pub(super) fn identified_behind(&self, statement: &Stmt) -> Option<Range<usize>> {
        let Stmt::Expr(Expr::If(node), _) = statement else { return None };
        let Expr::Binary(both) = node.cond.as_ref() else { return None };
        let leaves = node.else_branch.is_none() && block_ends_in(&node.then_branch, &is_exit);
        if leaves && matches!(both.op, BinOp::Ne(_)) { self.compares_identity(both) } else { None }
    }

    fn compares_identity(&self, both: &syn::ExprBinary) -> Option<Range<usize>> {
        let around = self.elements()?;
        let is_element = |side: &Expr| match side {
            Expr::Field(field) => {
                let is_identity =
                    matches!(&field.member, syn::Member::Named(name) if IDENTITY.iter().any(|it| name == it));
                is_identity && whole(&field.base).is_some_and(|name| is_pattern(around, &name))
            }
            _ => false,
        };
        // Many elements may be of the kind that a variant or a constant names.
        let is_outside = |side: &Expr| {
            let mentioned = variables::mentions(side);
            !mentioned.is_empty()
                && mentioned.iter().all(|name| {
                    let is_here =
                        self.here.locals.get(name).is_some_and(|it| it.loops < self.here.loops.len());
                    is_here && !around.variables.contains(name)
                })
        };
        let sides = [(&both.left, &both.right), (&both.right, &both.left)];
        let is_one = sides.into_iter().any(|(one, other)| is_element(stripped(one)) && is_outside(other));
        let inside = self.here.loops.len();
        is_one.then_some(inside - 1..inside)
    }

    /// The loop around, if an arm is for one value of an element that no other has: a variant without fields of the keys of a map.
    pub(super) fn only_of_kind(&self, matched: &Expr, pattern: &Pat) -> Option<Range<usize>> {
        let around = self.elements()?;
        let is_unit = matches!(pattern, Pat::Path(path) if path.path.segments.len() > 1);
        let over = around.over.trim_start_matches('&');
        let is_unique = is_keys(over) || self.here.locals.get(over).is_some_and(|local| local.is_unique);
        let inside = self.here.loops.len();
        (is_unit && is_unique && is_pattern(around, &whole(matched)?)).then_some(inside - 1..inside)
    }

    /// Notes a variable whose elements are the keys of a map: `let stale: Vec<_> = cache.iter().map(|(key, _)| key.clone()).collect()`.
    pub(super) fn note_unique(&mut self, statement: &Stmt) {
        let Stmt::Local(local) = statement else { return };
        let pattern = if let Pat::Type(typed) = &local.pat { typed.pat.as_ref() } else { &local.pat };
        let (Pat::Ident(name), Some(init)) = (pattern, &local.init) else { return };
        // What is changed later may get an element twice.
        if name.mutability.is_none()
            && self.gives_keys(&init.expr)
            && let Some(local) = self.here.locals.get_mut(&name.ident.to_string())
        {
            local.is_unique = true;
        }
    }

    /// Whether an iterator gives the keys of a map, each once: by name, or as the first of each of its entries.
    fn gives_keys(&self, value: &Expr) -> bool {
        let Expr::MethodCall(call) = value else { return false };
        match call.method.to_string().as_str() {
            "keys" | "into_keys" => call.args.is_empty(),
            "collect" | "cloned" | "copied" | "filter" | "take" | "skip" | "rev" => {
                self.gives_keys(&call.receiver)
            }
            "map" => {
                let map =
                    call.args.first().filter(|it| takes_key(it)).and_then(|_| entries_of(&call.receiver));
                let is_map = |ty: TypeRef| matches!(ty, TypeRef::Named(path, _) if path.last().is_some_and(|it| MAPS.iter().any(|map| it == map)));
                map.is_some_and(|map| is_map(self.type_of(map)))
            }
            _ => false,
        }
    }

    /// The innermost loop, if it is over elements and what is walked now runs in it, in no closure.
    fn elements(&self) -> Option<&Loop> {
        let around = self.here.loops.last().filter(|around| around.kind == LoopKind::For)?;
        (self.here.loops.len() > self.here.closure).then_some(around)
    }
}

/// Whether a loop calls its whole element so.
fn is_pattern(around: &Loop, name: &str) -> bool {
    around.pattern.trim_start_matches('&') == name
}

/// A value without references and conversions around it.
fn stripped(value: &Expr) -> &Expr {
    match value {
        Expr::Paren(inner) => stripped(&inner.expr),
        Expr::Reference(inner) => stripped(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => stripped(&inner.expr),
        Expr::MethodCall(call)
            if call.args.is_empty() && matches!(call.method.to_string().as_str(), "as_ref" | "as_str") =>
        {
            stripped(&call.receiver)
        }
        value => value,
    }
}

/// Whether the text of what a loop goes through gives the keys of a map.
fn is_keys(over: &str) -> bool {
    let over = over.trim_end_matches(".cloned()").trim_end_matches(".copied()");
    over.ends_with(".keys()") || over.ends_with(".into_keys()")
}

/// The collection whose entries an iterator gives.
fn entries_of(value: &Expr) -> Option<&Expr> {
    let Expr::MethodCall(call) = value else { return None };
    match call.method.to_string().as_str() {
        "iter" | "into_iter" | "iter_mut" => Some(&call.receiver),
        "filter" | "take" | "skip" => entries_of(&call.receiver),
        _ => None,
    }
}

/// Whether a closure takes the first of a pair: `|(key, _)| key.clone()`.
fn takes_key(function: &Expr) -> bool {
    let Expr::Closure(closure) = function else { return false };
    let Some(Pat::Tuple(pair)) = closure.inputs.first() else { return false };
    let Some(Pat::Ident(key)) = pair.elems.first() else { return false };
    pair.elems.len() == 2 && copied(&closure.body).is_some_and(|name| key.ident == name)
}

/// The variable that a value is a copy of.
fn copied(value: &Expr) -> Option<String> {
    match value {
        Expr::MethodCall(call) if call.method == "clone" => copied(&call.receiver),
        other => whole(other),
    }
}
