//! Whether code fills what a value is looked up in.

use syn::Expr;
use syn::visit::{self, Visit};

use super::{Names, command, connection};

/// Finds assignments to a variable or field, and insertions into it.
pub(super) struct Fills<'a> {
    root: String,
    names: &'a Names,
    found: bool,
    /// Whether only values count that are not known beforehand.
    with_answers: bool,
}

impl Fills<'_> {
    /// Whether code fills `root`.
    pub(super) fn of(root: &str, names: &Names, code: impl FnOnce(&mut Fills<'_>)) -> bool {
        let fills = Fills { root: root.to_owned(), names, found: false, with_answers: false };
        fills.found_in(code)
    }

    /// Whether code fills `root` with a value that is not known beforehand.
    pub(super) fn with_answers(root: &str, names: &Names, code: impl FnOnce(&mut Fills<'_>)) -> bool {
        let fills = Fills { root: root.to_owned(), names, found: false, with_answers: true };
        fills.found_in(code)
    }

    fn found_in(mut self, code: impl FnOnce(&mut Self)) -> bool {
        code(&mut self);
        self.found
    }
}

impl<'ast> Visit<'ast> for Fills<'_> {
    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        let fills = !(self.with_answers && is_constant(&node.right));
        self.found |= fills && self.names.root(&node.left).as_ref() == Some(&self.root);
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let fills = matches!(
            node.method.to_string().as_str(),
            "insert"
                | "or_insert"
                | "replace"
                | "put"
                | "push"
                | "set"
                | "set_ex"
                | "set_options"
                | "set_nx"
                | "pset_ex"
                | "hset"
                | "store"
                | "swap"
                | "cache_set"
                | "extend"
        );
        let of_redis = connection(node).and_then(|_| command(&node.receiver));
        let fills = fills || of_redis.is_some_and(|name| name.contains("SET"));
        let fills = fills && !(self.with_answers && node.args.last().is_some_and(is_constant));
        let on = connection(node).unwrap_or(&node.receiver);
        self.found |= fills && self.names.root(on).as_ref() == Some(&self.root);
        visit::visit_expr_method_call(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether a value does not depend on the result of a query: `true`, `Some(1)`, `"failed".to_owned()`.
fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_constant),
        Expr::Reference(inner) => is_constant(&inner.expr),
        Expr::Paren(inner) => is_constant(&inner.expr),
        Expr::Unary(inner) => is_constant(&inner.expr),
        Expr::Call(call) => {
            let is_wrapper = matches!(call.func.as_ref(), Expr::Path(path) if path.path.segments.iter().any(|part| {
                part.ident.to_string().starts_with(char::is_uppercase)
            }));
            is_wrapper && !call.args.is_empty() && call.args.iter().all(is_constant)
        }
        Expr::MethodCall(call) => call.args.is_empty() && is_constant(&call.receiver),
        _ => false,
    }
}
