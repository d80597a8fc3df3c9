//! Queries whose result is only tested for existence (`.is_some()`), so that any matching row will do.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, ExprMethodCall, Pat, Stmt};

use super::Walker;
use crate::rust::place_at;

/// The methods that test whether there is a value.
fn is_whether(method: &str) -> bool {
    matches!(method, "is_some" | "is_none")
}

/// The call that fetches at most one row, of which a value is the result: `query.fetch_optional(db).await?`.
fn fetching(value: &Expr) -> Option<&ExprMethodCall> {
    match value {
        Expr::Await(node) => fetching(&node.base),
        Expr::Try(node) => fetching(&node.expr),
        Expr::Paren(node) => fetching(&node.expr),
        Expr::MethodCall(node) if node.method == "fetch_optional" => Some(node),
        Expr::MethodCall(node)
            if matches!(node.method.to_string().as_str(), "unwrap" | "expect" | "map_err" | "context") =>
        {
            fetching(&node.receiver)
        }
        _ => None,
    }
}

/// The call that fetches one row, of which a value is the result as it is: `query.fetch_one(db).await`. Whether that is an
/// error says whether there is a row.
fn fetching_one(value: &Expr) -> Option<&ExprMethodCall> {
    match value {
        Expr::Await(node) => fetching_one(&node.base),
        Expr::Paren(node) => fetching_one(&node.expr),
        Expr::MethodCall(node) if node.method == "fetch_one" => Some(node),
        _ => None,
    }
}

/// The only pattern inside of a variant of this name: `row` in `Ok(row)`.
fn inside<'p>(pattern: &'p Pat, variant: &str) -> Option<&'p Pat> {
    match pattern {
        Pat::TupleStruct(of) if of.path.is_ident(variant) && of.elems.len() == 1 => of.elems.first(),
        _ => None,
    }
}

/// Whether a function only tests its argument for existence: `|row| row.is_some()`, `Option::is_some`.
fn only_asks_whether(function: &Expr) -> bool {
    match function {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| is_whether(&last.ident.to_string())),
        Expr::Closure(closure) => {
            let Some(Pat::Ident(row)) = closure.inputs.first() else { return false };
            let mut uses = Uses::default();
            uses.read(closure.body.to_token_stream(), &row.ident.to_string());
            uses.whether > 0 && uses.other == 0
        }
        _ => false,
    }
}

/// Whether a pattern tests whether there is a value, and binds nothing of it: `Some(_)`, `None`, `_`.
fn is_bare(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => name.ident == "None",
        Pat::Path(path) => path.path.is_ident("None"),
        other => inside(other, "Some").is_some_and(|inner| matches!(inner, Pat::Wild(_))),
    }
}

impl Walker<'_> {
    /// Notes a method called on the result of a query; the query is walked already.
    pub(super) fn note_whether(&mut self, node: &ExprMethodCall) {
        let method = node.method.to_string();
        if is_whether(&method) {
            self.asks_whether(fetching(&node.receiver));
        } else if matches!(method.as_str(), "is_ok" | "is_err") {
            self.asks_whether(fetching_one(&node.receiver));
        } else if matches!(method.as_str(), "map" | "map_ok")
            && node.args.first().is_some_and(only_asks_whether)
        {
            self.asks_whether(fetching(&node.receiver));
        }
    }

    /// Notes a `match` on the result of a query whose arms only test for existence: `Ok(row) => Ok(row.is_some())`.
    pub(super) fn note_whether_in_arms(&mut self, node: &syn::ExprMatch) {
        let Some(fetched) = fetching(&node.expr) else { return };
        let says_nothing = |arm: &syn::Arm| {
            let Some(inner) = inside(&arm.pat, "Ok") else {
                return inside(&arm.pat, "Err").is_some() || is_bare(&arm.pat);
            };
            let Pat::Ident(name) = inner else { return is_bare(inner) };
            if name.ident == "None" {
                return true;
            }
            let mut uses = Uses::default();
            uses.read(arm.body.to_token_stream(), &name.ident.to_string());
            uses.other == 0
        };
        if node.arms.iter().all(says_nothing) {
            self.asks_whether(Some(fetched));
        }
    }

    /// Notes a pattern that a query's result is held against: `if let Some(_) = ..`.
    pub(super) fn note_whether_matched(&mut self, pattern: &Pat, value: &Expr) {
        let says_nothing = match pattern {
            Pat::TupleStruct(some) => {
                some.path.is_ident("Some") && matches!(some.elems.first(), Some(Pat::Wild(_)))
            }
            Pat::Ident(name) => name.ident == "None",
            Pat::Path(path) => path.path.is_ident("None"),
            _ => false,
        };
        if says_nothing {
            self.asks_whether(fetching(value));
        } else if inside(pattern, "Ok").is_some_and(|inner| matches!(inner, Pat::Wild(_))) {
            self.asks_whether(fetching_one(value));
        }
    }

    /// Notes a variable with the result of a query that the statements after it only test for existence.
    pub(super) fn note_whether_kept(&mut self, statement: &Stmt, rest: &[Stmt]) {
        let Stmt::Local(local) = statement else { return };
        let name = match &local.pat {
            Pat::Ident(name) => &name.ident,
            Pat::Type(typed) => match typed.pat.as_ref() {
                Pat::Ident(name) => &name.ident,
                _ => return,
            },
            _ => return,
        };
        let Some(fetched) = local.init.as_ref().and_then(|init| fetching(&init.expr)) else { return };
        let name = name.to_string();
        let mut uses = Uses::default();
        rest.iter().for_each(|statement| uses.read(statement.to_token_stream(), &name));
        if uses.whether > 0 && uses.other == 0 {
            self.asks_whether(Some(fetched));
        }
    }

    fn asks_whether(&mut self, fetched: Option<&ExprMethodCall>) {
        let Some(place) = fetched.map(|node| place_at(&self.file, node.method.span().start())) else {
            return;
        };
        let of_call = |site: &&mut crate::rust::site::Site| {
            site.call.as_ref().is_some_and(|call| {
                call.place == place && matches!(call.method.as_str(), "fetch_optional" | "fetch_one")
            })
        };
        let site = self.sites.iter_mut().rev().find(of_call);
        site.and_then(|site| site.call.as_mut()).into_iter().for_each(|call| call.asks_whether = true);
    }
}

/// How a variable is used.
#[derive(Default)]
struct Uses {
    /// The number of times that it is tested for a value.
    whether: usize,
    /// So often something else is done with it, or may be.
    other: usize,
}

impl Uses {
    fn read(&mut self, tokens: TokenStream, name: &str) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.read(group.stream(), name),
                // A text may show it: `format!("{row:?}")`.
                TokenTree::Literal(text) => {
                    self.other += usize::from(text.to_string().contains(&format!("{{{name}")));
                }
                TokenTree::Ident(ident) if *ident == name => {
                    let method = match (tokens.get(at + 1), tokens.get(at + 2)) {
                        (Some(TokenTree::Punct(dot)), Some(TokenTree::Ident(method)))
                            if dot.as_char() == '.' =>
                        {
                            method.to_string()
                        }
                        _ => String::new(),
                    };
                    match is_whether(&method) {
                        true => self.whether += 1,
                        false => self.other += 1,
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rust::scan;

    #[track_caller]
    fn check(body: &str, expected: bool) {
        let source = format!("async fn f(db: &PgPool) -> sqlx::Result<bool> {{ {body} }}");
        let scan = scan("src/lib.rs", &source).expect("it can be read");
        let asked = scan.sites[0].call.as_ref().map(|call| call.asks_whether);
        assert_eq!(asked, Some(expected), "{body}");
    }

    #[test]
    fn any_row_will_do_where_it_is_asked_whether_there_is_one() {
        let query = "sqlx::query(\"SELECT id FROM t\").fetch_optional(db).await";
        check(&format!("Ok({query}?.is_some())"), true);
        check(&format!("if {query}.unwrap().is_none() {{ }} Ok(true)"), true);
        check(
            &format!("let row = {query}?; if row.is_none() {{ return Ok(false); }} Ok(row.is_some())"),
            true,
        );
        check(&format!("let row: Option<Row> = {query}?; Ok(row.is_some())"), true);
        check(&format!("if let Some(_) = {query}? {{ return Ok(true); }} Ok(false)"), true);
        check(&format!("match {query} {{ Ok(row) => Ok(row.is_some()), Err(e) => Err(e) }}"), true);
        check(&format!("match {query}? {{ Some(_) => Ok(true), None => Ok(false) }}"), true);
        check(&format!("{query}.map(|row| row.is_some())"), true);
        check(&format!("{query}.map(|row| !row.is_none())"), true);
        check(&format!("{query}.map(Option::is_some)"), true);
        check("sqlx::query(\"SELECT id FROM t\").fetch_optional(db).map_ok(|row| row.is_some()).await", true);
        let one = "sqlx::query(\"SELECT id FROM t\").fetch_one(db).await";
        check(&format!("Ok({one}.is_ok())"), true);
        check(&format!("if {one}.is_err() {{ return Ok(false); }} Ok(true)"), true);
        check(&format!("if let Ok(_) = {one} {{ return Ok(true); }} Ok(false)"), true);
    }

    #[test]
    fn what_is_read_of_a_row_is_that_of_one() {
        let query = "sqlx::query(\"SELECT id FROM t\").fetch_optional(db).await";
        check(
            &format!("let row = {query}?; if row.is_none() {{ return Ok(false); }} Ok(row.unwrap().get(0))"),
            false,
        );
        check(&format!("let row = {query}?; print(\"{{row:?}}\"); Ok(row.is_some())"), false);
        check(&format!("Ok({query}?.is_some_and(|row| row.get(0)))"), false);
        check(&format!("if let Some(row) = {query}? {{ return row.get(0); }} Ok(false)"), false);
        check(&format!("{query}.map(|row| row.map(|it| it.get(0)))"), false);
        check(&format!("let row = {query}?; Ok(true)"), false);
        check("sqlx::query(\"SELECT id FROM t\").fetch_one(db).await?.is_some()", false);
        check(
            "if let Ok(row) = sqlx::query(\"SELECT id FROM t\").fetch_one(db).await { return row.get(0); }",
            false,
        );
        check(&format!("match {query} {{ Ok(row) => row.get(0), Err(e) => Err(e) }}"), false);
        check(&format!("match {query}? {{ Some(row) => row.get(0), None => Ok(false) }}"), false);
        check(&format!("Ok({query}.is_ok())"), false);
    }
}
