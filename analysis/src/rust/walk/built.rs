//! Texts built at run time: their beginning, and what is inserted into them.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Token};

use super::Walker;
use super::exits::{ends_in, is_exit};
use super::sql_text::{self, segments};
use super::variables;
use crate::rust::query_names::looks_like_sql;
use crate::rust::site::{Built, SiteSql};

/// The maximum number of expressions followed to the text.
const MAX_EXPRESSIONS: usize = 16;

/// What is known of a text that is not a literal.
pub(in crate::rust) fn of(expression: &Expr, around: &Walker<'_>) -> Option<Built> {
    let built = at(expression, around, 0)?;
    looks_like_sql(&built.begin).then_some(built)
}

fn at(expression: &Expr, around: &Walker<'_>, depth: usize) -> Option<Built> {
    if depth > MAX_EXPRESSIONS {
        return None;
    }
    if let SiteSql::Literal(literal) = sql_text::text(expression, around) {
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
        Expr::MethodCall(call) => {
            let keeps =
                ["to_string", "to_owned", "as_str", "into", "clone", "as_ref", "deref", "trim", "replace"];
            let mut built = next(&call.receiver).filter(|_| keeps.iter().any(|keep| call.method == keep))?;
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
        Expr::Path(path) => {
            let name = path.path.get_ident()?.to_string();
            around.here.locals.get(&name)?.built.clone()
        }
        Expr::If(node) => {
            let syn::Stmt::Expr(then, None) = node.then_branch.stmts.last()? else { return None };
            next(then)?.or(next(&node.else_branch.as_ref()?.1)?)
        }
        Expr::Match(node) => {
            let texts: Option<Vec<Built>> =
                node.arms.iter().filter(|arm| !leaves(&arm.body)).map(|arm| next(&arm.body)).collect();
            texts?.into_iter().map(Some).reduce(|a, b| a?.or(b?)).flatten()
        }
        Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_)) => {
            let mut built = next(&sum.left)?;
            built.push(&sum.right, around, false);
            Some(built)
        }
        Expr::Macro(mac) if mac.mac.path.segments.last().is_some_and(|last| last.ident == "format") => {
            of_format(&mac.mac, around)
        }
        _ => None,
    }
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
fn of_format(mac: &syn::Macro, around: &Walker<'_>) -> Option<Built> {
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone()).ok()?;
    let mut arguments = arguments.into_iter();
    let SiteSql::Literal(literal) = sql_text::text(&arguments.next()?, around) else { return None };
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
        Built { begin: begin.to_owned(), takes_many: false, names: Vec::new() }
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
    pub(in crate::rust) fn push(&mut self, value: &Expr, around: &Walker<'_>, inside: bool) {
        self.takes_many |= inside;
        match sql_text::text(value, around) {
            SiteSql::Literal(literal) => self.append(&literal.text),
            SiteSql::File(_) | SiteSql::Dynamic => match at(value, around, 0) {
                Some(built) => {
                    self.takes_many |= built.takes_many;
                    self.names.extend(built.names);
                    self.begin.push_str(&built.begin);
                }
                None => self.fill(variables::mentions(value)),
            },
        }
    }
}

impl Walker<'_> {
    /// Handles a method that changes a text in a variable: `sql.push_str(" AND ..")`.
    pub(super) fn grow_text(&mut self, node: &syn::ExprMethodCall) {
        if !matches!(node.method.to_string().as_str(), "push_str" | "push" | "extend" | "insert_str") {
            return;
        }
        let Some(name) = super::handed::variable(&node.receiver) else { return };
        let Some(local) = self.here.locals.get(&name) else { return };
        let (inside, Some(mut built)) = (self.here.loops.len() > local.loops, local.built.clone()) else {
            return;
        };
        if let Some(value) = node.args.last() {
            built.push(value, self, inside);
        }
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
            ("push" | "sql", Some(value)) => built.push(value, self, inside),
            _ => built.takes_many |= inside,
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
