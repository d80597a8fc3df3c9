//! Queries of drivers other than sqlx, if their crate is named: methods that take SQL, statements that are
//! prepared and run later, and functions that turn a text into a statement.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, ExprStruct, Lit, Member, Token};

use super::built;
use super::excerpt::written;
use super::handed::closure_in;
use super::loops::{Runs, combinator};
use super::sites::argument;
use super::sql_text::{self, plain, segments};
use super::{Queries, Walker, purpose, shape};
use crate::rust::drivers::{self, Does, TextFunction};
use crate::rust::lex::literal;
use crate::rust::place_at;
use crate::rust::query_names;
use crate::rust::site::{Argument, Form, SiteSql, SqlLiteral};
use crate::rust::type_ref::TypeRef;

impl Walker<'_> {
    /// Handles `client.query("..", &[..])` and similar calls; `None` if it is not one.
    pub(in crate::rust) fn driver_method(&mut self, node: &ExprMethodCall, method: &str) -> Option<Queries> {
        if !self.knows_drivers {
            return None;
        }
        if drivers::method(method).is_some() && self.holds_no_connection(&node.receiver) {
            return None;
        }
        if drivers::takes_statement(method) {
            return Some(self.arguments(node.args.iter(), &Runs::Once));
        }
        let is_portal = drivers::makes_portal(method, node.args.len());
        let does = if is_portal { Does::Prepares } else { drivers::method(method)? };
        let given = node.args.first()?;
        let sql = sql_text::text(given, self);
        let is_sql = match &sql {
            SiteSql::Literal(literal) => query_names::looks_like_sql(&literal.text),
            SiteSql::File(path) => path.ends_with(".sql"),
            SiteSql::Dynamic => self.is_declared_safe(given) || built::of(given, self).is_some(),
        };
        if is_portal && !is_sql {
            return None;
        }
        if !is_sql && self.is_of_statement(given) {
            let made = self.arguments(node.args.iter(), &Runs::Once);
            self.executed(&made, node, Some(&node.receiver));
            return Some(Queries::new());
        }
        if !is_sql {
            return self.run_prepared(node, does);
        }
        self.arguments(node.args.iter(), &Runs::Once);
        let values = if does == Does::Runs || is_portal { node.args.iter().nth(1) } else { None };
        let (arguments, is_complete) = values.map_or((Vec::new(), false), listed);
        if does == Does::RunsEach {
            self.run_for_each(node, method, sql);
            return Some(Queries::new());
        }
        let built = if sql == SiteSql::Dynamic { built::of(given, self) } else { None };
        let site = self.driver_site(node, method, sql, arguments, is_complete);
        self.note_built(site, built);
        if does == Does::Prepares {
            self.make(site, true);
            self.prepared_on.insert(site, self.connection(Some(&node.receiver)));
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

    /// Whether an expression turns a text into a statement: `Statement::from_string(..)`, `Statement { sql, .. }`, `raw_sql!(..)`.
    fn is_of_statement(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Path(function) => drivers::function(&self.imports, &segments(&function.path)).is_some(),
                _ => false,
            },
            Expr::Struct(node) => self.sql_field(node).is_some(),
            Expr::Macro(node) => self.is_raw_sql(&segments(&node.mac.path)),
            _ => false,
        }
    }

    /// The text of `Statement { sql: .., values: .., db_backend: .. }`.
    fn sql_field<'e>(&self, node: &'e ExprStruct) -> Option<&'e Expr> {
        let is_statement = node.path.segments.last().is_some_and(|last| last.ident == "Statement");
        let is_sql = |field: &&syn::FieldValue| matches!(&field.member, Member::Named(name) if name == "sql");
        let sql = node.fields.iter().find(is_sql).filter(|_| is_statement && self.knows_drivers)?;
        Some(&sql.expr)
    }

    /// Handles `Statement { sql: "..".to_owned(), .. }` of SeaORM.
    pub(in crate::rust) fn driver_struct(&mut self, node: &ExprStruct) -> Option<Queries> {
        let given = self.sql_field(node)?;
        let text = sql_text::text(given, self);
        let built = built::of(given, self);
        self.arguments(node.fields.iter().map(|field| &field.expr), &Runs::Once);
        let site = self.text_site(&node.path, &segments(&node.path), text, Vec::new(), false);
        Some(vec![self.note_built(site, built)])
    }

    fn is_raw_sql(&self, path: &[String]) -> bool {
        let full = self.imports.resolve(path);
        let is_of_crate = full.len() == 1 || full.first().is_some_and(|first| first == "sea_orm");
        let is_one = full.last().is_some_and(|name| name == "raw_sql") && is_of_crate;
        is_one && self.knows_drivers && !self.imports.defines_macro("raw_sql")
    }

    /// Handles SeaORM's `raw_sql!(Postgres, "SELECT .. WHERE id = {id}")`.
    pub(in crate::rust) fn driver_macro(&mut self, mac: &syn::Macro) -> Option<Queries> {
        if !self.is_raw_sql(&segments(&mac.path)) {
            return None;
        }
        let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
        let given = parse.parse2(mac.tokens.clone()).ok()?;
        let is_numbered = matches!(given.first()?, Expr::Path(backend) if backend.path.is_ident("Postgres"));
        let text = match sql_text::text(given.iter().nth(1)?, self) {
            SiteSql::Literal(text) => {
                interpolated(&text, is_numbered).map_or(SiteSql::Dynamic, SiteSql::Literal)
            }
            other => other,
        };
        let name = ["raw_sql!".to_owned()];
        Some(vec![self.text_site(&mac.path, &name, text, Vec::new(), false)])
    }

    /// Walks the arguments of a method; `connection.call(|connection| ..)` of an asynchronous rusqlite calls its closure once.
    pub(super) fn handed_by(&mut self, node: &ExprMethodCall, to: &str) -> (Queries, usize) {
        if node.args.iter().any(|argument| closure_in(argument).is_some()) {
            self.here.callee = TypeRef::Method(Box::new(self.type_of(&node.receiver)), plain(&node.method));
        }
        let may_hand = matches!(to, "call" | "interact" | "conn") && self.knows_drivers;
        match may_hand && drivers::is_type_of_driver(&self.type_of(&node.receiver)) {
            true => self.handed_to(to, true, node.args.iter(), 1),
            false => self.handed(to, node.args.iter(), 1),
        }
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

    /// Handles `conn.prepare("..")` of sqlx, whose statement makes any number of queries, and `conn.copy_in_raw("COPY ..")`; `None`
    /// if it is neither.
    pub(in crate::rust) fn sqlx_statement(&mut self, node: &ExprMethodCall, method: &str) -> Option<Queries> {
        let copies = matches!(method, "copy_in_raw" | "copy_out_raw");
        let prepares = matches!(method, "prepare" | "prepare_with");
        let is_one = (copies || prepares) && self.knows_sqlx && !self.knows_drivers;
        let given = node.args.first().filter(|_| is_one)?;
        let sql = sql_text::text(given, self);
        if !matches!(&sql, SiteSql::Literal(sql) if query_names::looks_like_sql(&sql.text)) {
            return None;
        }
        let site = self.executor_site(node, method, sql);
        if copies {
            self.executed(&[site], node, Some(&node.receiver));
            return Some(Queries::new());
        }
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
        let given = node.args.iter().nth(sql)?;
        let text = sql_text::text(given, self);
        let built = built::of(given, self);
        self.arguments(node.args.iter(), &Runs::Once);
        let (arguments, is_complete) = match values {
            Some(at) => node.args.iter().nth(at).map_or((Vec::new(), false), listed),
            None => (Vec::new(), takes_values),
        };
        let site = self.text_site(&function.path, &path, text, arguments, is_complete);
        Some(vec![self.note_built(site, built)])
    }
}

/// What `raw_sql!` makes of a text: a placeholder for `{name}`, and for `{..list}` in `IN ({..list})`. `None` if it has other forms
/// in braces, which may stand for any number of values.
fn interpolated(literal: &SqlLiteral, is_numbered: bool) -> Option<SqlLiteral> {
    let mut pieces = Vec::new();
    let mut placeholders = 0;
    let mut from = 0;
    for (at, _) in literal.text.match_indices('{') {
        let inside = literal.text.get(at + 1..)?.split_once('}')?.0;
        let name = inside.strip_prefix("..").unwrap_or(inside);
        let before = literal.text.get(..at)?.trim_end().strip_suffix('(').unwrap_or_default().trim_end();
        let is_list =
            before.rsplit(char::is_whitespace).next().is_some_and(|it| it.eq_ignore_ascii_case("in"));
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.".contains(c));
        if !is_name || name.len() < inside.len() && !is_list {
            return None;
        }
        placeholders += 1;
        let placeholder = if is_numbered { format!("${placeholders}") } else { "?".to_owned() };
        pieces.push(literal.slice(from..at));
        pieces.push(SqlLiteral { text: placeholder.into(), parts: Vec::new() });
        from = at + inside.len() + 2;
    }
    pieces.push(literal.slice(from..literal.text.len()));
    Some(literal::join(pieces))
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
