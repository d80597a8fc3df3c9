//! The start of statements and expressions, found at their first token rather than by printing them.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, Stmt};

/// The line on which a statement starts, ignoring its attributes.
pub(in crate::rust) fn line_of(statement: &Stmt) -> u32 {
    let span = match statement {
        Stmt::Local(local) => local.let_token.span,
        Stmt::Item(_) => return 0,
        Stmt::Expr(expression, _) => of(expression),
        Stmt::Macro(mac) => of_path(&mac.mac.path),
    };
    u32::try_from(span.start().line).unwrap_or(0)
}

/// The first token of a path.
pub(in crate::rust) fn of_path(path: &syn::Path) -> Span {
    match (&path.leading_colon, path.segments.first()) {
        (Some(colon), _) => colon.spans.first().copied().unwrap_or_else(Span::call_site),
        (None, Some(segment)) => segment.ident.span(),
        (None, None) => Span::call_site(),
    }
}

/// The first token of an expression, ignoring its attributes.
pub(in crate::rust) fn of(expression: &Expr) -> Span {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expr::Assign(node) => &node.left,
            Expr::Await(node) => &node.base,
            Expr::Binary(node) => &node.left,
            Expr::Call(node) => &node.func,
            Expr::Cast(node) => &node.expr,
            Expr::Field(node) => &node.base,
            Expr::Index(node) => &node.expr,
            Expr::MethodCall(node) => &node.receiver,
            Expr::Try(node) => &node.expr,
            Expr::Range(node) => match &node.start {
                Some(start) => start,
                None => return Span::call_site(),
            },
            Expr::Array(node) => return node.bracket_token.span.open(),
            Expr::Async(node) => return node.async_token.span,
            Expr::Block(node) => return node.block.brace_token.span.open(),
            Expr::Break(node) => return node.break_token.span,
            Expr::Closure(node) => {
                return match (&node.asyncness, &node.capture) {
                    (Some(token), _) => token.span,
                    (None, Some(token)) => token.span,
                    (None, None) => node.inputs_begin.span,
                };
            }
            Expr::ForLoop(node) => return node.for_token.span,
            Expr::If(node) => return node.if_token.span,
            Expr::Let(node) => return node.let_token.span,
            Expr::Loop(node) => return node.loop_token.span,
            Expr::Macro(node) => return of_path(&node.mac.path),
            Expr::Match(node) => return node.match_token.span,
            Expr::Paren(node) => return node.paren_token.span.open(),
            Expr::Path(node) => return of_path(&node.path),
            Expr::Reference(node) => return node.and_token.span,
            Expr::Return(node) => return node.return_token.span,
            Expr::Struct(node) => return of_path(&node.path),
            Expr::Tuple(node) => return node.paren_token.span.open(),
            Expr::While(node) => return node.while_token.span,
            other => return other.span(),
        };
    }
}
