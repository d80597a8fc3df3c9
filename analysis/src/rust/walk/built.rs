//! Texts built at run time: their beginning, and what is inserted into them.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Pat, Token};

use super::Walker;
use super::elsewhere::{self, Position};
use super::exits::{ends_in, is_exit};
use super::sea_query;
use super::sql_text::{self, segments};
use super::variables;
use crate::rust::query_names::looks_like_sql;
use crate::rust::site::{Built, SiteSql};

/// The maximum number of expressions followed to the text.
const MAX_EXPRESSIONS: usize = 16;

/// A call of a function counts as so many expressions: functions may call each other, and more than once.
const CALL: usize = 6;

/// The maximum number of parts that are joined to a text.
const MAX_PARTS: usize = 64;

/// What is known of a text that is not a literal.
pub(in crate::rust) fn of(expression: &Expr, around: &Walker<'_>) -> Option<Built> {
    let built = at(expression, Position::here(around), 0)?;
    looks_like_sql(&built.begin).then_some(built)
}

/// What is known of a text in a variable, to which more may be added: it may be empty so far.
pub(in crate::rust) fn begun(expression: &Expr, around: &Walker<'_>) -> Option<Built> {
    match expression {
        Expr::Call(call) if let Expr::Path(function) = call.func.as_ref() => {
            let parts = segments(&function.path);
            let is_empty = matches!(parts.as_slice(), [.., of, new] if of == "String" && matches!(new.as_str(), "new" | "with_capacity"));
            if is_empty { Some(Built::new("")) } else { of(expression, around) }
        }
        _ => of(expression, around),
    }
}

pub(super) fn at(expression: &Expr, around: Position<'_>, depth: usize) -> Option<Built> {
    if depth > MAX_EXPRESSIONS {
        return None;
    }
    if let SiteSql::Literal(literal) = sql_text::text(expression, &around) {
        return Some(Built::new(&literal.text));
    }
    let next = |inner: &Expr| at(inner, around, depth + 1);
    match expression {
        Expr::Reference(inner) => next(&inner.expr),
        Expr::Paren(inner) => next(&inner.expr),
        Expr::Group(inner) => next(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => next(&inner.expr),
        Expr::Block(block) => match block.block.stmts.last()? {
            syn::Stmt::Expr(tail, None) => next(tail),
            _ => None,
        },
        Expr::Call(_) | Expr::MethodCall(_) if let Some(value) = elsewhere::made_once(expression) => {
            next(value)
        }
        Expr::Call(_) | Expr::MethodCall(_) if let Some(called) = around.called_at(expression) => {
            let mut built = at(called.given, called.position, depth + CALL)?;
            let names = std::mem::take(&mut built.names);
            built.names = names.iter().flat_map(|name| called.names_at_call(name, expression)).collect();
            Some(built)
        }
        Expr::MethodCall(call) if let Some(separator) = sql_text::separator(call) => {
            joined(&call.receiver, separator, around, depth)
        }
        Expr::Call(_) | Expr::MethodCall(_) if let Some(built) = sea_query::of(expression) => Some(built),
        Expr::MethodCall(call) => {
            let keeps = sql_text::keeps_text(&call.method) || call.method == "replace";
            let mut built = next(&call.receiver).filter(|_| keeps)?;
            built.names.extend(call.args.iter().flat_map(variables::mentions));
            Some(built)
        }
        Expr::Call(call) => {
            let Expr::Path(function) = call.func.as_ref() else { return None };
            let parts = segments(&function.path);
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let wraps = matches!(parts.as_slice(), [.., "AssertSqlSafe"] | [.., "String", "from"]);
            call.args.first().filter(|_| wraps).and_then(next)
        }
        Expr::Path(path)
            if around.is_here()
                && let Some(name) = path.path.get_ident()
                && let Some(local) = around.walker.here.locals.get(&name.to_string()) =>
        {
            local.built.clone()
        }
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_)
            if let Some(value) = elsewhere::named(expression, &around) =>
        {
            at(value, around.of_constants(), depth + 1)
        }
        // Any of them may be meant.
        Expr::Index(index) => {
            let texts = elsewhere::list(&index.expr, &around)?;
            any(texts.into_iter().map(|text| at(text, around.of_constants(), depth + 1)))
        }
        Expr::If(node) => {
            let syn::Stmt::Expr(then, None) = node.then_branch.stmts.last()? else { return None };
            next(then)?.or(next(&node.else_branch.as_ref()?.1)?)
        }
        Expr::Match(node) => {
            any(node.arms.iter().filter(|arm| !leaves(&arm.body)).map(|arm| next(&arm.body)))
        }
        Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_)) => {
            let mut built = next(&sum.left)?;
            built.push(&sum.right, around, false, depth + 1);
            Some(built)
        }
        Expr::Macro(mac) if mac.mac.path.segments.last().is_some_and(|last| last.ident == "format") => {
            of_format(mac.mac.tokens.clone(), around)
        }
        _ => None,
    }
}

/// What is known of the parts of a list, joined.
fn joined(list: &Expr, separator: Option<&Expr>, around: Position<'_>, depth: usize) -> Option<Built> {
    let separator = match separator {
        Some(separator) => at(separator, around, depth + 1)?.begin,
        None => String::new(),
    };
    let parts = elsewhere::list(list, &around).filter(|parts| parts.len() <= MAX_PARTS)?;
    let (first, rest) = parts.split_first()?;
    let mut built = at(first, around, depth + 1)?;
    for part in rest {
        built.append(&separator);
        built.push(part, around, false, depth + 1);
    }
    Some(built)
}

/// What is known of a text that is one of these.
fn any(texts: impl Iterator<Item = Option<Built>>) -> Option<Built> {
    let texts: Option<Vec<Built>> = texts.collect();
    texts?.into_iter().map(Some).reduce(|a, b| a?.or(b?)).flatten()
}

/// What is known of the texts at these places in the elements of a list that is written out: `[("SELECT ..", 1), ..]`; all of an
/// element if there is no place.
pub(super) fn of_elements(list: &Expr, place: Option<usize>, around: &Walker<'_>) -> Option<Built> {
    let here = Position::here(around);
    let texts = elsewhere::list(list, &here)?.into_iter().map(|element| match (place, element) {
        (None, text) => at(text, here, 0),
        (Some(place), Expr::Tuple(parts)) => at(parts.elems.iter().nth(place)?, here, 0),
        _ => None,
    });
    any(texts).filter(|built| looks_like_sql(&built.begin))
}

fn leaves(body: &Expr) -> bool {
    match body {
        Expr::Macro(mac) => mac.mac.path.segments.last().is_some_and(|last| {
            matches!(last.ident.to_string().as_str(), "bail" | "panic" | "unreachable" | "todo")
        }),
        body => ends_in(body, &is_exit),
    }
}

/// `format!("SELECT .. FROM {table} ..", ..)`.
fn of_format(tokens: TokenStream, around: Position<'_>) -> Option<Built> {
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens).ok()?;
    formatted(arguments.into_iter(), around)
}

/// What is known of what a format and its arguments give.
fn formatted(mut arguments: impl Iterator<Item = Expr>, around: Position<'_>) -> Option<Built> {
    let SiteSql::Literal(literal) = sql_text::text(&arguments.next()?, &around) else { return None };
    let (mut positional, mut named) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            Expr::Assign(assign) => {
                named.push((variables::mentions(&assign.left), variables::mentions(&assign.right)))
            }
            argument => positional.push(variables::mentions(&argument)),
        }
    }
    let text = literal.text.replace("{{", "(").replace("}}", ")");
    let mut built = Built::new("");
    let mut next = 0;
    for (index, piece) in text.split('{').enumerate() {
        let Some((hole, rest)) = piece.split_once('}').filter(|_| index > 0) else {
            built.append(piece);
            continue;
        };
        let name = hole.split(':').next().unwrap_or_default().trim();
        let mentioned = match name.parse::<usize>() {
            Ok(at) => positional.get(at).cloned().unwrap_or_default(),
            Err(_) if name.is_empty() => {
                next += 1;
                positional.get(next - 1).cloned().unwrap_or_default()
            }
            Err(_) => {
                let given = named.iter().find(|(names, _)| names.iter().any(|it| it == name));
                given.map_or_else(|| vec![name.to_owned()], |(_, mentioned)| mentioned.clone())
            }
        };
        built.fill(mentioned);
        built.append(rest);
    }
    Some(built)
}

impl Built {
    pub(in crate::rust) fn new(begin: &str) -> Built {
        Built { begin: begin.to_owned(), takes_many: false, names: Vec::new(), grown: 0, cleared: 0 }
    }

    /// Merges two alternative texts, if both read or both write.
    fn or(mut self, other: Built) -> Option<Built> {
        let writes = |text: &str| {
            let verb = text.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next()?;
            Some(["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|write| verb.eq_ignore_ascii_case(write)))
        };
        if writes(&self.begin) != writes(&other.begin) {
            return None;
        }
        self.takes_many |= other.takes_many;
        self.names.extend(other.names);
        Some(self)
    }

    fn append(&mut self, text: &str) {
        self.begin.push_str(text);
    }

    /// Notes that the next part comes from these variables.
    fn fill(&mut self, mentioned: Vec<String>) {
        let before = self.begin.trim_end().to_ascii_uppercase();
        let last = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
        let is_name = before.is_empty()
            || matches!(last, "FROM" | "INTO" | "UPDATE" | "TABLE" | "JOIN" | "ONLY" | "SCHEMA")
            || last.ends_with(['"', '`', '.', '_'])
            || last.ends_with('\'') && before.contains("SEARCH_PATH");
        if is_name {
            self.names.extend(mentioned);
        }
        // Lists of keys, values or placeholders.
        let is_list = matches!(last, "IN" | "VALUES" | "ANY" | "UNNEST")
            || before.ends_with("IN (")
            || before.ends_with("ANY(")
            || before.ends_with("ANY (")
            || before.ends_with("IN(")
            || before.ends_with("UNNEST(");
        self.takes_many |= is_list;
        self.begin.push('…');
    }

    /// Notes that something is appended to the text; `inside` says whether in a loop that started after the
    /// text.
    fn push(&mut self, value: &Expr, around: Position<'_>, inside: bool, depth: usize) {
        self.takes_many |= inside;
        match sql_text::text(value, &around) {
            SiteSql::Literal(literal) => self.append(&literal.text),
            SiteSql::File(_) | SiteSql::Dynamic => match at(value, around, depth) {
                Some(built) => self.add(built),
                None => self.fill(variables::mentions(value)),
            },
        }
    }

    /// Adds another text.
    fn add(&mut self, other: Built) {
        self.takes_many |= other.takes_many;
        self.names.extend(other.names);
        self.begin.push_str(&other.begin);
    }
}

impl Walker<'_> {
    /// Handles a method that changes a text in a variable: `sql.push_str(" AND ..")`.
    pub(super) fn grow_text(&mut self, node: &syn::ExprMethodCall) {
        let adds = match node.method.to_string().as_str() {
            "push_str" | "push" | "extend" | "insert_str" => true,
            // Rows and keys of a statement of sea-query.
            "values" | "values_panic" | "is_in" => false,
            _ => return,
        };
        let Some(value) = node.args.last() else { return };
        self.grow(&node.receiver, |built, walker, inside| match adds {
            true => built.push(value, Position::here(walker), inside, 0),
            false => built.takes_many |= inside,
        });
    }

    /// Handles a macro that writes to a text in a variable: `write!(sql, " AND a = {a}")`.
    pub(super) fn grow_by_macro(&mut self, mac: &syn::Macro) {
        let is_one = |name: &syn::Ident| name == "write" || name == "writeln";
        if !mac.path.segments.last().is_some_and(|last| is_one(&last.ident)) {
            return;
        }
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone());
        let mut arguments = arguments.into_iter().flatten();
        let Some(target) = arguments.next() else { return };
        let written = formatted(arguments, Position::here(self));
        self.grow(&target, |built, _, inside| {
            built.takes_many |= inside;
            match written {
                Some(written) => built.add(written),
                None => built.fill(Vec::new()),
            }
        });
    }

    /// Notes the texts that a loop over a list that is written out takes from it.
    pub(super) fn take_texts(&mut self, pattern: &Pat, list: &Expr) {
        let name = |pattern: &Pat| match pattern {
            Pat::Ident(name) => Some(name.ident.to_string()),
            Pat::Reference(inner) => match inner.pat.as_ref() {
                Pat::Ident(name) => Some(name.ident.to_string()),
                _ => None,
            },
            _ => None,
        };
        let pattern = if let Pat::Reference(inner) = pattern { inner.pat.as_ref() } else { pattern };
        let names: Vec<(Option<usize>, String)> = match pattern {
            Pat::Tuple(parts) => {
                let parts = parts.elems.iter().enumerate();
                parts.filter_map(|(at, part)| Some((Some(at), name(part)?))).collect()
            }
            pattern => name(pattern).map(|name| (None, name)).into_iter().collect(),
        };
        for (place, name) in names {
            let built = of_elements(list, place, self);
            if let Some(local) = self.here.locals.get_mut(&name) {
                local.built = built;
            }
        }
    }

    /// Changes what is known of a text in a variable; whether that is in a loop that started after the text is told as well.
    fn grow(&mut self, target: &Expr, change: impl FnOnce(&mut Built, &Self, bool)) {
        let Some(name) = super::handed::variable(target) else { return };
        let Some(local) = self.here.locals.get(&name) else { return };
        let (inside, Some(mut built)) = (self.here.loops.len() > local.loops, local.built.clone()) else {
            return;
        };
        change(&mut built, self, inside);
        if let Some(local) = self.here.locals.get_mut(&name) {
            local.built = Some(built);
        }
    }

    /// Handles a method that changes the text of a builder.
    pub(super) fn grow_site(&mut self, query: usize, node: &syn::ExprMethodCall) {
        let depth = self.here.loops.len();
        let Some(site) = self.sites.get(query) else { return };
        let inside = depth > site.loops.len();
        let Some(mut built) = site.built.clone() else { return };
        let method = node.method.to_string();
        match (method.as_str(), node.args.first()) {
            ("push_values" | "push_tuples" | "separated" | "push_values_and_separator", _) => {
                built.takes_many = true
            }
            // What is added in an iteration is gone in the next.
            ("reset", None) => {
                built.cleared = if inside { depth } else { 0 };
                if built.grown > 0 && built.grown <= depth {
                    (built.takes_many, built.grown) = (false, 0);
                }
            }
            (name, value) => {
                let text = value.filter(|_| matches!(name, "push" | "sql"));
                text.into_iter().for_each(|text| built.push(text, Position::here(self), false, 0));
                if inside && depth > built.cleared && !built.takes_many {
                    (built.takes_many, built.grown) = (true, depth);
                }
            }
        }
        if let Some(site) = self.sites.get_mut(query) {
            site.built = Some(built);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rust::scan;

    #[track_caller]
    fn check(code: &str, begin: &str, takes_many: bool, names: &[&str]) {
        let source = format!("async fn f(db: &sqlx::PgPool, ids: &[i64], t: &str) {{ {code} }}");
        let scan = scan("src/lib.rs", &source).unwrap();
        let built = scan.sites.iter().find_map(|site| site.built.clone()).expect("a text that is built");
        assert_eq!((built.begin.as_str(), built.takes_many), (begin, takes_many), "{code}");
        assert_eq!(built.names, names, "{code}");
    }

    #[test]
    fn a_builder_that_begins_anew_in_each_iteration_takes_one_element() {
        let new = "let mut q = sqlx::QueryBuilder::new(\"SELECT a FROM b WHERE c = \");";
        for (body, takes_many) in [
            ("for id in ids { q.reset(); q.push_bind(id); q.build().execute(db).await; }", false),
            ("for id in ids { q.push_bind(id); q.build().execute(db).await; q.reset(); }", false),
            ("for id in ids { q.push_bind(id); } q.build().execute(db).await; q.reset();", true),
            ("for x in ids { q.reset(); for id in x { q.push_bind(id); } q.build().execute(db); }", true),
        ] {
            check(&format!("{new} {body}"), "SELECT a FROM b WHERE c = ", takes_many, &[]);
        }
    }

    #[test]
    fn a_text_is_known_by_what_it_begins_with() {
        check(
            "sqlx::query(&format!(\"SELECT a FROM {t} WHERE b = {x}\"));",
            "SELECT a FROM … WHERE b = …",
            false,
            &["t"],
        );
        check(
            "sqlx::query(&format!(\"SELECT a FROM b WHERE c IN ({})\", x));",
            "SELECT a FROM b WHERE c IN (…)",
            true,
            &[],
        );
        check(
            "let s = if t.is_empty() { \"SELECT 1\" } else { \"SELECT 2\" }; sqlx::query(s);",
            "SELECT 1",
            false,
            &[],
        );
        check(
            "let s = if t.is_empty() { \"DELETE FROM a\" } else { \"UPDATE a SET b = 1\" }; sqlx::query(s);",
            "DELETE FROM a",
            false,
            &[],
        );
        check(
            "let mut s = String::from(\"SELECT 1\"); s.push_str(\" FROM a\"); sqlx::query(&s);",
            "SELECT 1 FROM a",
            false,
            &[],
        );
        check(
            "let mut q = sqlx::QueryBuilder::new(\"INSERT INTO a \"); q.push_values(ids, |b, i| { b.push_bind(i); });",
            "INSERT INTO a ",
            true,
            &[],
        );
    }
}
