//! Whether nothing but whether there is a row is asked of what a query gives: then any of several rows will do.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, ExprMethodCall, Pat, Stmt};

use super::Walker;
use crate::rust::place_at;

/// The methods that say whether there is a value, and nothing of it.
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

impl Walker<'_> {
    /// Notes a method called on what a query gives; the query is walked already.
    pub(super) fn note_whether(&mut self, node: &ExprMethodCall) {
        if is_whether(&node.method.to_string()) {
            self.asks_whether(fetching(&node.receiver));
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
        }
    }

    /// Notes a variable that keeps what a query gives, of which the statements behind it ask no more.
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
            site.call.as_ref().is_some_and(|call| call.place == place && call.method == "fetch_optional")
        };
        let site = self.sites.iter_mut().rev().find(of_call);
        site.and_then(|site| site.call.as_mut()).into_iter().for_each(|call| call.asks_whether = true);
    }
}

/// How a variable is used.
#[derive(Default)]
struct Uses {
    /// So often it is asked whether it holds something.
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
        check(&format!("let row = {query}?; Ok(true)"), false);
        check("sqlx::query(\"SELECT id FROM t\").fetch_one(db).await?.is_some()", false);
    }
}
