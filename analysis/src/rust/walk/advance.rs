//! The variables that each iteration of a loop advances: the offset of the next page.

use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Pat};

use super::variables;

/// The variables that each iteration of a `while` or `loop` adds something to, and those computed from them
/// in the iteration.
pub(super) fn of_body(body: &Block) -> Vec<String> {
    let mut steps = Steps::default();
    steps.visit_block(body);
    with_computed(body, steps.names)
}

/// The variables that a `for` over a range of numbers sets, and those computed from them in the iteration.
pub(super) fn of_range(pattern: &Pat, iterable: &Expr, body: &Block) -> Vec<String> {
    match super::pace::range(iterable) {
        Some(_) => with_computed(body, variables::bindings(pattern)),
        None => Vec::new(),
    }
}

/// Adds the variables that statements of the body compute from these.
fn with_computed(body: &Block, mut names: Vec<String>) -> Vec<String> {
    if names.is_empty() {
        return names;
    }
    for statement in &body.stmts {
        let syn::Stmt::Local(local) = statement else { continue };
        let Some(init) = &local.init else { continue };
        if variables::mentions(&init.expr).iter().any(|name| names.contains(name)) {
            names.extend(variables::bindings(&local.pat));
        }
    }
    names
}

#[derive(Default)]
struct Steps {
    names: Vec<String>,
}

impl Steps {
    fn add(&mut self, target: &Expr) {
        if let Expr::Path(path) = target
            && let Some(name) = path.path.get_ident()
        {
            self.names.push(name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Steps {
    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if matches!(node.op, BinOp::AddAssign(_)) {
            self.add(&node.left);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        let name = |side: &Expr| match side {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let own = name(&node.left);
        if let Expr::Binary(sum) = node.right.as_ref()
            && matches!(sum.op, BinOp::Add(_))
            && own.is_some()
            && (name(&sum.left) == own || name(&sum.right) == own)
        {
            self.add(&node.left);
        }
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}
