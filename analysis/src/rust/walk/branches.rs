//! Walks `if` and `match`, and recognises two kinds that change the meaning of the loop around them: a buffer
//! that is flushed when full, and a dispatcher that calls something different for each kind of element.

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{BinOp, Expr, Lit, Pat};

use super::parts;
use super::shape::Shape;
use super::variables;
use super::{Queries, Walker};
use super::{caches, errors};
use crate::rust::flow::Flow;
use crate::rust::site::Origin;
use crate::rust::type_ref::TypeRef;

/// The number of arms with `.await` from which a `match` is a dispatcher.
const DISPATCHER: usize = 4;

/// The number of such arms from which what the arms write is in the order of the elements.
const SORTER: usize = 2;

impl Walker<'_> {
    pub(in crate::rust) fn branch_if(&mut self, node: &syn::ExprIf) -> Queries {
        self.scoped(|walker| {
            walker.expr(&node.cond);
            walker.handle_errors(errors::handled_by_if(node));
            let [then_rare, else_rare] = errors::branches(&node.cond);
            let mut queries = Queries::new();
            let outer = (walker.here.flushing, walker.here.flushes);
            let kept = walker.here.kept;
            let branched = std::mem::replace(&mut walker.here.branched, walker.sites.len());
            walker.keeps(caches::kept_in_then(node, &walker.here.kept_names.clone()));
            if asks_whether_full(&node.cond) {
                (walker.here.flushing, walker.here.flushes) = (walker.here.loops.len(), true);
            }
            let chosen = walker.here.chosen;
            if !has_pattern(&node.cond) {
                walker.here.chosen = walker.here.loops.len() + 1;
            }
            let then = walker.sequence(|walker| {
                queries = walker.in_then(node, |walker| {
                    walker.after_error(then_rare, |walker| walker.block(&node.then_branch))
                });
            });
            (walker.here.flushing, walker.here.flushes) = outer;
            walker.here.kept = kept;
            walker.keeps(caches::kept_in_else(node, &walker.here.kept_names.clone()));
            let otherwise = match &node.else_branch {
                Some((_, otherwise)) => walker.sequence(|walker| {
                    queries.extend(walker.in_else(node, |walker| {
                        walker.after_error(else_rare, |walker| walker.expr(otherwise))
                    }));
                }),
                None => Flow::EMPTY,
            };
            walker.here.kept = kept;
            walker.here.chosen = chosen;
            walker.here.branched = branched;
            walker.emit_branch(vec![then, otherwise]);
            queries
        })
    }

    /// Marks the code walked next as filling a variable or field that was checked first.
    pub(super) fn keeps(&mut self, root: Option<String>) {
        let Some(root) = root else { return };
        let loops = |name: &str| self.here.locals.get(name).map(|local| local.loops);
        // A field of an element is kept for that element alone.
        let of_owners = || self.here.kept_names.owners(&root).map(|owner| loops(owner).unwrap_or(0)).min();
        let declared = loops(&root).or_else(of_owners).unwrap_or(0);
        self.here.kept = Some(self.here.kept.map_or(declared, |kept| kept.min(declared)));
    }

    pub(in crate::rust) fn branch_match(&mut self, node: &syn::ExprMatch) -> Queries {
        self.expr(&node.expr);
        self.note_whether_in_arms(node);
        self.handle_errors(errors::handled_by_match(node));
        let ty = self.type_of(&node.expr);
        let origins = self.origins(&node.expr);
        let outer = self.here.dispatching;
        let sorting = self.here.sorting;
        if self.dispatches(node, DISPATCHER) {
            self.here.dispatching = self.here.loops.len();
        } else if self.dispatches(node, SORTER) || self.sorts_kinds(node) {
            self.here.sorting = self.here.loops.len();
        }
        let branched = std::mem::replace(&mut self.here.branched, self.sites.len());
        let walk = |walker: &mut Self| walker.arms(node, &ty, &origins);
        // Guards that run something run one after the other, until one of them lets its arm begin.
        let queries = match node.arms.iter().any(|arm| guard(arm).is_some_and(calls)) {
            true => self.breakable(None, |walker| {
                let (arms, queries) = walk(walker);
                walker.emit_guarded(arms);
                queries
            }),
            false => {
                let (arms, queries) = walk(self);
                self.emit_branch(arms.into_iter().map(|(_, body)| body).collect());
                queries
            }
        };
        self.here.dispatching = outer;
        self.here.sorting = sorting;
        self.here.branched = branched;
        queries
    }

    /// Walks the arms of a `match` on a value of this type: what the guard and the body of each do, and the queries that the
    /// value is.
    fn arms(
        &mut self,
        node: &syn::ExprMatch,
        ty: &TypeRef,
        origins: &[Origin],
    ) -> (Vec<(Flow, Flow)>, Queries) {
        let mut queries = Queries::new();
        let mut arms = Vec::new();
        for arm in &node.arms {
            let line = arm.pat.span().start().line;
            self.here.lines.push(u32::try_from(line).unwrap_or(0));
            let kept = self.here.kept;
            self.keeps(caches::kept_in_arm(&node.expr, arm, &self.here.kept_names.clone()));
            let mut asked = Flow::EMPTY;
            let body = self.sequence(|walker| {
                walker.scoped(|walker| {
                    walker.bind_from(&arm.pat, Shape::Unknown, origins);
                    walker.type_pattern(&arm.pat, ty.clone());
                    walker.note_begun(&arm.pat, &node.expr);
                    asked = walker.sequence(|walker| {
                        guard(arm).into_iter().for_each(|guard| drop(walker.expr(guard)));
                    });
                    queries.extend(walker.in_arm(&node.expr, &arm.pat, |walker| {
                        walker.after_error(errors::is_error(&arm.pat), |walker| walker.expr(&arm.body))
                    }));
                });
            });
            arms.push((asked, body));
            self.here.lines.pop();
            self.here.kept = kept;
        }
        (arms, queries)
    }

    /// Emits arms inside of what `break` leaves: the last of them begins if no other has.
    fn emit_guarded(&mut self, mut arms: Vec<(Flow, Flow)>) {
        if !arms.iter().any(|(asked, _)| asked.runs_something() || asked.leaves(0)) {
            return self.emit_branch(arms.into_iter().map(|(_, body)| body).collect());
        }
        let last = arms.pop();
        for (asked, body) in arms {
            let taken = Flow::seq(vec![body, Flow::Break(0)]);
            let arm = match asked.is_empty() {
                true => taken,
                false => Flow::seq(vec![asked, taken.maybe()]),
            };
            self.here.flow.push(arm.maybe());
        }
        let (asked, body) = last.unwrap_or((Flow::EMPTY, Flow::EMPTY));
        self.emit(asked);
        self.emit(body);
    }

    /// Whether a `match` dispatches on the elements of the loop around it, to do something different for each
    /// kind.
    fn dispatches(&self, node: &syn::ExprMatch, least: usize) -> bool {
        let is_kind = |pattern: &Pat| least == DISPATCHER || names_kind(pattern);
        let acts = |body: &Expr| awaits(body) || least != DISPATCHER && may_fail(body);
        let arms = node.arms.iter().filter(|arm| is_kind(&arm.pat) && acts(&arm.body));
        arms.count() >= least && self.is_of_element(&node.expr)
    }

    /// Whether a `match` does something for each of many kinds of elements, whatever that may be.
    fn sorts_kinds(&self, node: &syn::ExprMatch) -> bool {
        let arms = node.arms.iter().filter(|arm| names_kind(&arm.pat) && calls(&arm.body));
        arms.count() >= DISPATCHER && self.is_of_element(&node.expr)
    }

    /// Whether a value is the element of the innermost loop, or a part of it.
    fn is_of_element(&self, value: &Expr) -> bool {
        let Some(around) = self.here.loops.last() else { return false };
        variables::mentions(value).iter().any(|name| around.variables.contains(name))
    }

    pub(in crate::rust) fn emit_branch(&mut self, arms: Vec<Flow>) {
        if !arms.iter().all(Flow::is_empty) {
            // `else if` adds an arm rather than a nested branch, so a long chain is not deep.
            let flat = arms.into_iter().flat_map(|arm| match arm {
                Flow::Branch(arms) => arms,
                arm => vec![arm],
            });
            self.here.flow.push(Flow::Branch(flat.collect()));
        }
    }
}

/// Whether a condition holds something against a pattern: `let Some(url) = &self.url`.
fn has_pattern(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(both) => has_pattern(&both.left) || has_pattern(&both.right),
        Expr::Paren(inner) => has_pattern(&inner.expr),
        _ => false,
    }
}

/// The guard of an arm.
fn guard(arm: &syn::Arm) -> Option<&Expr> {
    match &arm.pat {
        Pat::Guard(guarded) => Some(&guarded.guard),
        _ => None,
    }
}

/// Whether an expression calls something.
fn calls(expression: &Expr) -> bool {
    struct Calls(bool);
    impl<'ast> Visit<'ast> for Calls {
        fn visit_expr_call(&mut self, _: &'ast syn::ExprCall) {
            self.0 = true;
        }
        fn visit_expr_method_call(&mut self, _: &'ast syn::ExprMethodCall) {
            self.0 = true;
        }
        fn visit_macro(&mut self, _: &'ast syn::Macro) {
            self.0 = true;
        }
    }
    let mut finder = Calls(false);
    finder.visit_expr(expression);
    finder.0
}

/// Whether a pattern is about one kind of an element, rather than about whether there is one.
fn names_kind(pattern: &Pat) -> bool {
    let name = |path: &syn::Path| path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let of_path = |path: &syn::Path| !matches!(name(path).as_str(), "Ok" | "Err" | "Some" | "None");
    match pattern {
        Pat::TupleStruct(pattern) => of_path(&pattern.path),
        Pat::Struct(pattern) => of_path(&pattern.path),
        Pat::Path(pattern) => of_path(&pattern.path),
        Pat::Or(either) => either.cases.iter().all(names_kind),
        Pat::Guard(guarded) => names_kind(&guarded.pat),
        Pat::Lit(_) => true,
        _ => false,
    }
}

struct Awaiting(bool);

impl<'ast> Visit<'ast> for Awaiting {
    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.0 = true;
    }
}

/// Whether code calls what may fail, as the methods of a driver that blocks do.
fn may_fail(body: &Expr) -> bool {
    match body {
        Expr::Try(inner) => matches!(inner.expr.as_ref(), Expr::Call(_) | Expr::MethodCall(_)),
        Expr::Block(block) => block.block.stmts.iter().any(|statement| match statement {
            syn::Stmt::Expr(value, _) => may_fail(value),
            syn::Stmt::Local(local) => local.init.as_ref().is_some_and(|init| may_fail(&init.expr)),
            _ => false,
        }),
        _ => false,
    }
}

fn awaits(expression: &Expr) -> bool {
    let mut finder = Awaiting(false);
    finder.visit_expr(expression);
    finder.0
}

/// Whether a condition checks if a collection has reached a certain size: `buffer.len() >= BATCH_SIZE`; or if so many iterations
/// have passed: `i % 1000 == 0`.
fn asks_whether_full(condition: &Expr) -> bool {
    match condition {
        Expr::Paren(inner) => asks_whether_full(&inner.expr),
        Expr::MethodCall(call) if call.method == "is_multiple_of" => call.args.first().is_some_and(is_batch),
        Expr::MethodCall(call) => call.method == "is_full",
        Expr::Binary(binary) => match binary.op {
            BinOp::Eq(_) if is_remainder(&binary.left) => true,
            BinOp::Ge(_) | BinOp::Gt(_) | BinOp::Eq(_) => is_length(&binary.left) && is_size(&binary.right),
            BinOp::Or(_) => asks_whether_full(&binary.left) || asks_whether_full(&binary.right),
            _ => false,
        },
        _ => false,
    }
}

/// Whether an expression counts the iterations of a batch: `i % 1000`, `(i + 1) % BATCH_SIZE`.
fn is_remainder(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(inner) => is_remainder(&inner.expr),
        Expr::Binary(rest) => matches!(rest.op, BinOp::Rem(_)) && is_batch(&rest.right),
        _ => false,
    }
}

/// Whether an expression is the number of elements of a batch, rather than of a few: one of that number is a small part.
fn is_batch(size: &Expr) -> bool {
    match size {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => {
            number.base10_parse().is_ok_and(|number: u64| number >= parts::BATCH)
        }
        size => is_size(size),
    }
}

fn is_length(expression: &Expr) -> bool {
    matches!(expression, Expr::MethodCall(call) if call.method == "len" && call.args.is_empty())
}

/// Whether an expression is a batch size: a number other than 0 and 1, a constant, a setting, a capacity.
fn is_size(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => !matches!(number.base10_digits(), "0" | "1"),
        Expr::Path(_) | Expr::Field(_) => true,
        Expr::MethodCall(call) => call.method == "capacity",
        Expr::Cast(cast) => is_size(&cast.expr),
        _ => false,
    }
}
