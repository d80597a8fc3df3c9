//! What `break`, `continue` and `return` leave: loops, blocks with a label, and the function.

use syn::{Block, Expr, Item, Stmt};

use super::Walker;
use crate::rust::flow::Flow;

/// What `break` can leave: a loop, a block with a label, or a `match` whose arms are tried one after the other.
#[derive(Debug)]
pub(in crate::rust) struct Target {
    pub(super) label: Option<String>,
    pub(super) is_loop: bool,
    /// The number of loops outside of it.
    pub(super) loops: usize,
}

/// Whether code ends in such an exit: itself, or as a block.
pub(super) fn ends_in(code: &Expr, is_exit: &dyn Fn(&Expr) -> bool) -> bool {
    match code {
        Expr::Block(block) => block_ends_in(&block.block, is_exit),
        code => is_exit(code),
    }
}

/// The same of a block.
pub(super) fn block_ends_in(block: &Block, is_exit: &dyn Fn(&Expr) -> bool) -> bool {
    matches!(block.stmts.last(), Some(Stmt::Expr(last, _)) if ends_in(last, is_exit))
}

/// Whether an expression leaves the code around it.
pub(super) fn is_exit(code: &Expr) -> bool {
    matches!(code, Expr::Return(_) | Expr::Continue(_) | Expr::Break(_))
}

/// Whether an expression leaves the loop around it.
pub(super) fn is_exit_of_loop(code: &Expr) -> bool {
    matches!(code, Expr::Return(_) | Expr::Break(_))
}

impl Walker<'_> {
    /// What a `break` or `continue` leaves: how many loops and blocks are inside of it, and how many loops are outside.
    fn left_by(&self, label: Option<&syn::Lifetime>) -> Option<(usize, usize)> {
        let label = label.map(|label| label.ident.to_string());
        let is_it = |target: &Target| match &label {
            Some(_) => target.label == label,
            None => target.is_loop,
        };
        let (inside, target) = self.here.targets.iter().rev().enumerate().find(|(_, it)| is_it(it))?;
        Some((inside, target.loops))
    }

    /// The flow of a `break` or `continue`. Where a macro hides what it leaves, it may leave all or nothing.
    pub(in crate::rust) fn exit(&self, label: Option<&syn::Lifetime>, exit: fn(usize) -> Flow) -> Flow {
        self.left_by(label).map_or(Flow::Try, |(inside, _)| exit(inside))
    }

    /// Walks what `break` can leave without being a loop, and emits its flow.
    pub(in crate::rust) fn breakable<T>(
        &mut self,
        label: Option<&syn::Label>,
        walk: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let label = label.map(|label| label.name.ident.to_string());
        self.here.targets.push(Target { label, is_loop: false, loops: self.here.loops.len() });
        let outer = std::mem::take(&mut self.here.flow);
        let result = walk(self);
        let flow = Flow::seq(std::mem::replace(&mut self.here.flow, outer));
        self.here.targets.pop();
        if !flow.is_empty() {
            self.here.flow.push(Flow::Block(Box::new(flow)));
        }
        result
    }

    /// Marks the loops that a block always leaves at its end.
    pub(in crate::rust) fn mark_leaving(&mut self, block: &Block) {
        let Some(Stmt::Expr(last, _)) = block.stmts.last() else { return };
        let count = match last {
            Expr::Return(_) => self.loops_left_by_return(),
            Expr::Break(node) => self.loops_left_by(node.label.as_ref()),
            _ => return,
        };
        if count > 0 {
            self.here.leaving.iter_mut().rev().take(count).for_each(|leaves| *leaves = true);
        }
    }

    /// The number of loops that a `break` leaves.
    pub(in crate::rust) fn loops_left_by(&self, label: Option<&syn::Lifetime>) -> usize {
        self.left_by(label).map_or(0, |(_, outside)| self.here.loops.len().saturating_sub(outside))
    }

    /// The number of loops that a `return` leaves.
    pub(in crate::rust) fn loops_left_by_return(&self) -> usize {
        self.here.loops.len().saturating_sub(self.here.closure)
    }

    /// Walks the value of a `return` or `break`, which exits the innermost `count` loops.
    pub(in crate::rust) fn ending(&mut self, value: Option<&Expr>, count: usize) {
        let Some(value) = value else { return };
        let before = self.here.leaving.clone();
        self.here.leaving.iter_mut().rev().take(count).for_each(|leaves| *leaves = true);
        self.expr(value);
        self.here.leaving = before;
    }

    /// The position after the last statement of a block that contains `continue`, or leaves a block around it; 0 if none does.
    pub(in crate::rust) fn last_continue(&self, block: &Block) -> usize {
        let blocks = self.here.targets.iter().filter(|target| !target.is_loop);
        let labels: Vec<&str> = blocks.filter_map(|target| target.label.as_deref()).collect();
        block.stmts.iter().rposition(|it| continues(it, &labels)).map_or(0, |position| position + 1)
    }
}

/// Whether a statement contains a `continue` of the loop, or a `break` of a block with one of these labels.
fn continues(statement: &Stmt, labels: &[&str]) -> bool {
    struct Finder<'l>(bool, &'l [&'l str]);
    impl<'ast> syn::visit::Visit<'ast> for Finder<'_> {
        fn visit_expr_continue(&mut self, _: &'ast syn::ExprContinue) {
            self.0 = true;
        }
        fn visit_expr_break(&mut self, node: &'ast syn::ExprBreak) {
            self.0 |= node.label.as_ref().is_some_and(|label| self.1.iter().any(|it| label.ident == it));
        }
        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
        fn visit_item(&mut self, _: &'ast Item) {}
    }
    let mut finder = Finder(false, labels);
    syn::visit::Visit::visit_stmt(&mut finder, statement);
    finder.0
}
