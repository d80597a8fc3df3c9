//! Queries of drivers other than sqlx, if their crate is named: methods that take SQL, statements that are
//! prepared and run later, and functions that turn a text into a statement.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Lit, Token};

use super::excerpt::written;
use super::loops::{Runs, combinator};
use super::sites::argument;
use super::sql_text::{self, segments};
use super::{Queries, Walker, purpose, shape};
use crate::rust::drivers::{self, Does, TextFunction};
use crate::rust::place_at;
use crate::rust::query_names;
use crate::rust::site::{Argument, Form, SiteSql};

impl Walker<'_> {
    /// Handles `client.query("..", &[..])` and similar calls; `None` if it is not one.
    pub(in crate::rust) fn driver_method(&mut self, node: &ExprMethodCall, method: &str) -> Option<Queries> {
        let does = drivers::method(method).filter(|_| self.knows_drivers)?;
        let given = node.args.first()?;
        let sql = sql_text::text(given, self);
        let is_sql = match &sql {
            SiteSql::Literal(literal) => query_names::looks_like_sql(&literal.text),
            SiteSql::File(path) => path.ends_with(".sql"),
            SiteSql::Dynamic => self.is_declared_safe(given),
        };
        if !is_sql && self.is_of_statement(given) {
            let made = self.arguments(node.args.iter(), &Runs::Once);
            self.executed(&made, node, Some(&node.receiver));
            return Some(Queries::new());
        }
        if !is_sql {
            return self.run_prepared(node, does);
        }
        self.arguments(node.args.iter(), &Runs::Once);
        let values = if does == Does::Runs { node.args.iter().nth(1) } else { None };
        let (arguments, is_complete) = values.map_or((Vec::new(), false), listed);
        if does == Does::RunsEach {
            self.run_for_each(node, method, sql);
            return Some(Queries::new());
        }
        let site = self.driver_site(node, method, sql, arguments, is_complete);
        if does == Does::Prepares {
            self.make(site, true);
            return Some(vec![site]);
        }
        self.executed(&[site], node, Some(&node.receiver));
        Some(Queries::new())
    }

    /// Records a statement that runs once for each element of the second argument: `conn.exec_batch("..", rows)`.
    fn run_for_each(&mut self, node: &ExprMethodCall, method: &str, sql: SiteSql) {
        let Some(values) = node.args.iter().nth(1) else { return };
        let turns = purpose::over(shape::of(values, self));
        let place = place_at(&self.file, node.method.span().start());
        let head = combinator(&written(values), &turns, &place, &self.origins(values));
        self.in_loop(head, turns, false, |walker| {
            let site = walker.driver_site(node, method, sql, Vec::new(), false);
            walker.executed(&[site], node, Some(&node.receiver));
        });
    }

    /// Whether an expression turns a text into a statement: `Statement::from_string(..)`.
    fn is_of_statement(&self, expression: &Expr) -> bool {
        let Expr::Call(call) = expression else { return false };
        let Expr::Path(function) = call.func.as_ref() else { return false };
        drivers::function(&self.imports, &segments(&function.path)).is_some()
    }

    /// Handles `client.query(&statement, &[..])`: a statement that was prepared before, runs here, and may
    /// have run already.
    fn run_prepared(&mut self, node: &ExprMethodCall, does: Does) -> Option<Queries> {
        let mut name = node.args.first()?;
        while let Expr::Reference(inner) = name {
            name = &inner.expr;
        }
        let Expr::Path(path) = name else { return None };
        let local = self.here.locals.get(&path.path.get_ident()?.to_string())?;
        let prepared = local.queries.clone();
        let is_prepared =
            |query: &usize| self.sites.get(*query).is_some_and(|site| site.form == Form::Driver);
        if does == Does::Prepares || prepared.is_empty() || !prepared.iter().all(is_prepared) {
            return None;
        }
        self.arguments(node.args.iter().skip(1), &Runs::Once);
        let run = self.run_again(&prepared);
        self.executed(&run, node, Some(&node.receiver));
        Some(Queries::new())
    }

    /// Handles `conn.prepare("..")` of sqlx, whose statement makes any number of queries; `None` if it is not one.
    pub(in crate::rust) fn sqlx_statement(&mut self, node: &ExprMethodCall, method: &str) -> Option<Queries> {
        let is_one = matches!(method, "prepare" | "prepare_with") && self.knows_sqlx && !self.knows_drivers;
        let given = node.args.first().filter(|_| is_one)?;
        let sql = sql_text::text(given, self);
        if !matches!(&sql, SiteSql::Literal(sql) if query_names::looks_like_sql(&sql.text)) {
            return None;
        }
        let site = self.executor_site(node, method, sql);
        self.make(site, true);
        Some(vec![site])
    }

    /// Handles `sql_query("..")` of Diesel, and `Statement::from_string(backend, "..")` of SeaORM.
    pub(in crate::rust) fn driver_function(
        &mut self,
        function: &ExprPath,
        node: &ExprCall,
    ) -> Option<Queries> {
        if !self.knows_drivers {
            return None;
        }
        let path = segments(&function.path);
        let TextFunction { sql, values, takes_values } = drivers::function(&self.imports, &path)?;
        let text = sql_text::text(node.args.iter().nth(sql)?, self);
        self.arguments(node.args.iter(), &Runs::Once);
        let (arguments, is_complete) = match values {
            Some(at) => node.args.iter().nth(at).map_or((Vec::new(), false), listed),
            None => (Vec::new(), takes_values),
        };
        Some(vec![self.text_site(function, &path, text, arguments, is_complete)])
    }
}

/// The values in a list, and whether they are complete: `&[&a, &b]`, `params![a, b]`, `(a, b)`.
fn listed(expression: &Expr) -> (Vec<Argument>, bool) {
    let mut list = expression;
    loop {
        list = match list {
            Expr::Reference(inner) => &inner.expr,
            Expr::Paren(inner) => &inner.expr,
            Expr::Group(inner) => &inner.expr,
            _ => break,
        };
    }
    let values: Vec<Expr> = match list {
        Expr::Array(array) => array.elems.iter().cloned().collect(),
        Expr::Tuple(tuple) => tuple.elems.iter().cloned().collect(),
        Expr::Macro(mac)
            if mac
                .mac
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "params" || last.ident == "vec") =>
        {
            let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
            match parse.parse2(mac.mac.tokens.clone()) {
                Ok(values) => values.into_iter().collect(),
                Err(_) => return (Vec::new(), false),
            }
        }
        _ => return (Vec::new(), false),
    };
    // `(":name", &value)`: as many as there are names, in any order.
    let is_named = |value: &Expr| matches!(value, Expr::Tuple(pair) if matches!(pair.elems.first(), Some(Expr::Lit(lit)) if matches!(lit.lit, Lit::Str(_))));
    let is_complete = !values.iter().any(is_named);
    (values.iter().map(argument).collect(), is_complete)
}
