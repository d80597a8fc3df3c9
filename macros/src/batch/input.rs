//! The arguments of `sql_batch!` and related macros: `"SQL", rows => |row| (values), shared`.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprClosure, Stmt, Token};

use crate::emit::{Marked, Misuse};
use crate::input::{Argument, MacroCall, MacroKind, Rows};

/// A call.
pub(super) struct Many {
    /// The SQL with all bound values: those of a row, then the shared ones.
    pub(super) query: MacroCall,
    pub(super) rows: Option<Given>,
    pub(super) misuses: Vec<Misuse>,
}

/// The rows, and the conversion of each to values.
pub(super) struct Given {
    pub(super) rows: Expr,
    pub(super) closure: ExprClosure,
    /// The statements of the closure before its result.
    pub(super) before: Vec<Stmt>,
    /// The number of values per row.
    pub(super) values: usize,
}

/// The syntax of the macro; `None` for a macro without rows.
pub(crate) fn form(kind: MacroKind) -> Option<String> {
    if !kind.name.starts_with("sql_batch") {
        return None;
    }
    let row = if kind.rows == Rows::Struct { "Step, " } else { "" };
    let returning = if kind.rows == Rows::Record { "" } else { " RETURNING id" };
    Some(format!(
        "write `{}!({row}\"INSERT INTO steps (run_id, name) VALUES ($1, $2){returning}\", steps => |step| (run, &step.name))`",
        kind.name
    ))
}

impl Many {
    pub(super) fn parse(kind: MacroKind, tokens: &TokenStream) -> Many {
        let (before, after) = split(tokens.clone());
        let mut query = MacroCall::parse(kind, before);
        let mut misuses = std::mem::take(&mut query.misuses);
        let rows = query.arguments.pop();
        if let Some(argument) = query.arguments.first() {
            let help = "write the values of a row in the closure's tuple, and those of all rows after it";
            misuses.push(Misuse::new(Marked::tokens(&argument.value), "a value precedes the rows", help));
        }
        query.arguments.clear();
        let Some((rows, after)) = rows.zip(after) else {
            if misuses.is_empty() {
                let message = format!("`{}!` without rows", kind.name);
                misuses.push(Misuse::new(
                    proc_macro2::Span::call_site(),
                    message,
                    form(kind).unwrap_or_default(),
                ));
            }
            return Many { query, rows: None, misuses };
        };
        let parser = |input: ParseStream<'_>| read(input);
        let given = match parser.parse2(after) {
            Ok((closure, shared)) => match given(rows.value, closure) {
                Ok((given, values)) => {
                    query.arguments = values.into_iter().chain(shared).map(Argument::of).collect();
                    Some(given)
                }
                Err(misuse) => {
                    misuses.push(misuse);
                    None
                }
            },
            Err(error) => {
                misuses.push(Misuse::from_syn(&error, form(kind).unwrap_or_default()));
                None
            }
        };
        Many { query, rows: given, misuses }
    }
}

/// Splits tokens at the first `=>`.
fn split(tokens: TokenStream) -> (TokenStream, Option<TokenStream>) {
    let mut before: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let is_arrow = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '>')
            && matches!(before.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '=');
        if is_arrow {
            before.pop();
            return (before.into_iter().collect(), Some(tokens.collect()));
        }
        before.push(token);
    }
    (before.into_iter().collect(), None)
}

fn read(input: ParseStream<'_>) -> syn::Result<(Expr, Vec<Expr>)> {
    let closure = input.parse()?;
    let mut shared = Vec::new();
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            break;
        }
        shared.push(input.parse()?);
    }
    Ok((closure, shared))
}

/// The conversion of each row, and its values.
fn given(rows: Expr, closure: Expr) -> Result<(Given, Vec<Expr>), Misuse> {
    let not_a_closure = |marked: Marked| {
        let help = "write a closure that returns the values of a row: `|row| (row.id, &row.name)`";
        Misuse::new(marked, "what follows `=>` is not a closure with one argument", help)
    };
    let Expr::Closure(closure) = closure else { return Err(not_a_closure(Marked::tokens(&closure))) };
    if closure.inputs.len() != 1 || closure.asyncness.is_some() {
        return Err(not_a_closure(Marked::tokens(&closure)));
    }
    let mut before = Vec::new();
    let mut value = (*closure.body).clone();
    let values = loop {
        value = match value {
            Expr::Tuple(tuple) => break tuple.elems.into_iter().collect(),
            Expr::Paren(paren) => *paren.expr,
            Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => {
                let mut statements = block.block.stmts;
                match statements.pop() {
                    Some(Stmt::Expr(value, None)) => {
                        before.extend(statements);
                        value
                    }
                    _ => return Err(not_a_closure(Marked::tokens(&closure.body))),
                }
            }
            value => break vec![value],
        };
    };
    if values.is_empty() {
        let help = "write the values of the row: `|row| (row.id, &row.name)`";
        return Err(Misuse::new(Marked::tokens(&closure.body), "a row without values", help));
    }
    Ok((Given { rows, closure, before, values: values.len() }, values))
}
