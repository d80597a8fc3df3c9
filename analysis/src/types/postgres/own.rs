//! User-defined functions, parsed from the statements that create them.

use super::arena::Ty;
use super::candidates::Candidate;
use super::functions::Called;
use super::session::Session;
use crate::schema::Name;
use crate::sql::functions;

/// The header of a CREATE FUNCTION, AGGREGATE or PROCEDURE, as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head<'t> {
    pub(super) kind: u8,
    /// Each argument as written.
    pub(super) args: Vec<&'t str>,
    /// The text after RETURNS: a type, or the columns of `TABLE (..)`.
    pub(super) returns: Option<&'t str>,
    pub(super) table: Option<Vec<&'t str>>,
    pub(super) set: bool,
    pub(super) strict: bool,
}

/// Whether a function is declared STRICT, by the statement that creates it.
pub(super) fn is_strict(text: &str) -> bool {
    head(text).is_some_and(|head| head.strict && head.kind == b'f' && !head.set && head.table.is_none())
}

impl Session<'_> {
    /// The schema's functions with a name that accept this many arguments.
    pub(super) fn own_functions(&mut self, called: &Called<'_>, count: usize) -> Vec<Candidate> {
        let schema = self.schema;
        let overloads = schema.functions_named(called.name).filter(|(name, _)| self.is_seen(called, name));
        let texts: Vec<&str> = overloads.flat_map(|(_, texts)| texts).map(String::as_str).collect();
        texts.into_iter().filter_map(|text| self.made(&head(text)?, count, called)).collect()
    }

    /// Whether the arguments of all functions of the schema with a name are known, whatever schema they are in.
    pub(super) fn has_readable_functions(&self, name: &str) -> bool {
        let mut texts = self.schema.functions_named(name).flat_map(|(_, texts)| texts);
        self.schema.gaps.is_empty() && texts.all(|text| has_plain_arguments(text))
    }

    /// Whether a call may mean this function: with a schema, one of that schema; without, none of a schema that
    /// is not searched if there is a built-in function of the name.
    fn is_seen(&self, called: &Called<'_>, name: &Name) -> bool {
        match called.schema {
            Some(schema) => name.schema == Name::qualified(Some(schema), "").schema,
            None if called.bare => {
                let path = &self.schema.search_path;
                name.schema.as_ref().is_none_or(|schema| path.contains(schema))
                    || self.types.catalog.first('f', called.name).is_none()
            }
            // A function in FROM, whose schema is not kept.
            None => true,
        }
    }

    fn made(&mut self, head: &Head<'_>, count: usize, called: &Called<'_>) -> Option<Candidate> {
        // Comments are not taken apart, and may hide the mode of a parameter.
        if head.kind == b'p' && head.args.iter().any(|arg| arg.contains("--") || arg.contains("/*")) {
            return None;
        }
        let given = called.names;
        let (mut args, mut outs, mut optional, mut variadic) = (Vec::new(), Vec::new(), 0, false);
        let mut names: Vec<String> = Vec::new();
        for arg in &head.args {
            let (mode, name, ty, default) = self.argument(arg);
            optional += usize::from(default);
            if matches!(mode, "out" | "inout" | "table") {
                outs.push((name.clone(), ty));
            }
            variadic |= mode == "variadic";
            // CALL has a value for each parameter of a procedure.
            if head.kind == b'p' || !matches!(mode, "out" | "table") {
                args.push(ty);
                names.push(name);
            }
        }
        for column in head.table.iter().flatten() {
            let (_, name, ty, _) = self.argument(column);
            outs.push((name, ty));
        }
        if head.kind == b'p' || outs.len() > 1 {
            // As the server names them.
            (1..).zip(&mut outs).filter(|(_, (name, _))| name.is_empty()).for_each(|(at, (name, _))| {
                *name = format!("column{at}");
            });
        }
        let spread = variadic && count >= args.len() && !(called.whole && count == args.len());
        if spread {
            let last = args.pop()?;
            let each = if last == Ty::ANYARRAY { Ty::ANYELEMENT } else { self.types.element(last)? };
            args.resize(count, each);
        } else if count > args.len() || count + optional < args.len() {
            return None;
        }
        if given.is_empty() {
            args.truncate(count);
        } else {
            let places = super::functions::places(given, names.iter().map(String::as_str))?;
            args = places.into_iter().map(|at| args.get(at).copied()).collect::<Option<Vec<_>>>()?;
        }
        let result = match (head.returns, outs.as_slice()) {
            (Some(ty), _) => self.types.named(ty).unwrap_or(Ty::OPAQUE),
            (None, [(_, ty)]) => *ty,
            (None, [_, ..]) => Ty::RECORD,
            // The result of the aggregate's final function.
            (None, []) if head.kind == b'a' => Ty::OPAQUE,
            (None, []) => Ty::VOID,
        };
        let set = head.set || head.table.is_some();
        Some(Candidate {
            args,
            result,
            strict: head.strict,
            set,
            kind: head.kind,
            outs,
            of_schema: true,
            spread,
        })
    }

    /// Mode, name and type of an argument as written, and whether it has a default.
    fn argument(&mut self, text: &str) -> (&'static str, String, Ty, bool) {
        let lower = text.to_ascii_lowercase();
        let default = lower.find(" default ").or_else(|| text.find('='));
        let text = default.and_then(|at| text.get(..at)).unwrap_or(text).trim_end_matches([':', ' ', '\n']);
        let (mode, rest) = mode(text.trim());
        let (first, tail) = rest.split_at(end_of_name(rest));
        // `a INOUT int`.
        let (behind, ty) = self::mode(tail.trim());
        let is_behind = ty.len() < tail.trim().len();
        let (mode, tail) = if is_behind { (behind, ty) } else { (mode, tail) };
        let rest = if is_behind { "" } else { rest };
        let whole = self.types.named(rest);
        let named = (!tail.trim().is_empty()).then(|| self.types.named(tail.trim())).flatten();
        let name = first.trim_matches('"');
        let name = if first.starts_with('"') { name.to_owned() } else { name.to_lowercase() };
        match (whole, named) {
            // `double precision`, `timestamp with time zone`: all words belong to the type, and there is no
            // name.
            (Some(ty), None) => (mode, String::new(), ty, default.is_some()),
            (Some(ty), Some(_)) if is_type_word(first) => (mode, String::new(), ty, default.is_some()),
            (_, Some(ty)) => (mode, name, ty, default.is_some()),
            (None, None) => (mode, name, Ty::OPAQUE, default.is_some()),
        }
    }
}

/// Where the name ends that a text starts with; one in quotes may have spaces.
fn end_of_name(text: &str) -> usize {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        !quoted && c.is_whitespace()
    });
    end.unwrap_or(text.len())
}

/// The mode that a text starts with, and what follows it; without one it is IN.
fn mode(text: &str) -> (&'static str, &str) {
    let behind = |text: &'_ str, word: &str| {
        let (start, tail) = (text.get(..word.len())?, text.get(word.len()..)?);
        let is_word = start.eq_ignore_ascii_case(word) && tail.starts_with(char::is_whitespace);
        is_word.then(|| tail.trim_start().len())
    };
    let after = |text: &'_ str, word: &str| behind(text, word).map(|length| text.len() - length);
    for word in ["variadic", "inout", "out", "in"] {
        let Some(rest) = after(text, word).and_then(|at| text.get(at..)) else { continue };
        return match (word, after(rest, "out").and_then(|at| rest.get(at..))) {
            ("in", Some(rest)) => ("inout", rest),
            _ => (word, rest),
        };
    }
    ("in", text)
}

fn is_type_word(word: &str) -> bool {
    ["double", "timestamp", "time", "character", "bit", "interval", "national"]
        .contains(&word.to_lowercase().as_str())
}

/// Whether the number of arguments of a function is certain: defaults with texts, comments, and modes after names are not
/// taken apart.
fn has_plain_arguments(text: &str) -> bool {
    let Some(head) = head(text).filter(|head| head.kind == b'f') else { return false };
    head.args.iter().all(|arg| {
        let mut words = arg.split_whitespace();
        let is_mode =
            |word: &str| ["out", "inout", "variadic"].iter().any(|mode| word.eq_ignore_ascii_case(mode));
        !arg.contains(['\'', '"', '-', '/', '$']) && !words.any(is_mode)
    })
}

/// Whether a statement creates an aggregate.
pub(super) fn is_aggregate(text: &str) -> bool {
    head(text).is_some_and(|head| head.kind == b'a') || functions::is_declared_aggregate(text)
}

/// Parses the header of the statement; `None` if it has an unexpected form.
pub(super) fn head(text: &str) -> Option<Head<'_>> {
    let lower = text.to_ascii_lowercase();
    let before = lower.get(..lower.find('(')?)?;
    let mut made = before.split_whitespace().filter(|word| !matches!(*word, "create" | "or" | "replace"));
    let kind = match made.next() {
        Some("procedure") => b'p',
        Some("aggregate") => b'a',
        _ => b'f',
    };
    let open = lower.find('(')?;
    let close = closing(text, open)?;
    let args = split(text.get(open + 1..close)?);
    let tail_start = close + 1;
    let tail = lower.get(tail_start..)?;
    // The body is not part of the header.
    let end =
        ["$$", "$", "'", " begin "].iter().filter_map(|mark| tail.find(mark)).min().unwrap_or(tail.len());
    let head = tail.get(..end)?;
    let after_body = tail.rsplit(['$', '\'']).next().unwrap_or_default();
    let strict = [head, after_body].iter().any(|part| {
        part.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "strict")
            || part.contains("returns null on null input")
    });
    let mut found = Head { kind, args, returns: None, table: None, set: false, strict };
    if let Some(at) = word(head, "returns") {
        let mut start = tail_start + at + "returns".len();
        let rest = lower.get(start..tail_start + end)?.trim_start();
        start = tail_start + end - rest.len();
        if let Some(rest) =
            rest.strip_prefix("table").map(str::trim_start).filter(|rest| rest.starts_with('('))
        {
            let open = tail_start + end - rest.len();
            found.table = Some(split(text.get(open + 1..closing(text, open)?)?));
        } else {
            found.set = rest.starts_with("setof");
            let skip = if found.set { "setof".len() } else { 0 };
            let ty = text.get(start + skip..tail_start + end)?.trim_start();
            let lower = ty.to_ascii_lowercase();
            let words = [
                "language",
                "as",
                "immutable",
                "stable",
                "volatile",
                "strict",
                "parallel",
                "security",
                "cost",
                "rows",
                "called",
                "returns",
                "leakproof",
                "set",
                "return",
                "not",
                "window",
                "begin",
                "support",
            ];
            let stop = words.iter().filter_map(|w| word(&lower, w)).min().unwrap_or(ty.len());
            found.returns = Some(ty.get(..stop)?.trim()).filter(|ty| !ty.is_empty());
        }
    }
    if kind == b'a' {
        let body = text.get(tail_start..)?;
        let lower = body.to_ascii_lowercase();
        let at = lower.find("stype")?;
        let ty = body.get(at + "stype".len()..)?.trim_start_matches([' ', '=', '\n', '\t']);
        found.returns =
            Some(ty.split([',', ')', '\n']).next()?.trim()).filter(|_| !lower.contains("finalfunc"));
    }
    Some(found)
}

/// The position of a standalone word.
fn word(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"');
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !is_part(before) && !is_part(after)
    })
}

fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = None;
    for (at, c) in text.char_indices().filter(|(at, _)| *at >= open) {
        match (quoted, c) {
            (None, '\'' | '"') => quoted = Some(c),
            (Some(mark), c) if c == mark => quoted = None,
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    /// The first error of a query, or the type of its first column, with that of its first parameter.
    fn said(sql: &str) -> String {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TYPE addr AS (street text, zip text);
             CREATE TABLE t (id int, d date, ts timestamp, list int[], words text[], a addr, b addr[]);
             CREATE FUNCTION f(VARIADIC a int[]) RETURNS int LANGUAGE sql AS 'select 1';
             CREATE FUNCTION g(x text, VARIADIC a text[]) RETURNS text LANGUAGE sql AS 'select 1';
             CREATE SCHEMA app; CREATE FUNCTION app.date(x text) RETURNS int LANGUAGE sql AS 'select 1';",
            "",
        );
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let described = describe(&query, &replay.schema, Dialect::Postgres);
        if let Some(error) = described.errors.first() {
            return error.message.clone();
        }
        let name = |ty: &crate::types::Known<crate::types::SqlType>| {
            ty.known().map_or("?".to_owned(), |ty| ty.name.clone())
        };
        let column = described.columns.first().map(|column| name(&column.ty)).unwrap_or_default();
        let parameter = described.parameters.first().map(|parameter| name(&parameter.ty)).unwrap_or_default();
        format!("{column} <- {parameter}")
    }

    #[test]
    fn an_array_stands_for_several_arguments() {
        for (sql, expect) in [
            ("SELECT f(VARIADIC list) FROM t", "int4 <- "),
            ("SELECT f(VARIADIC ARRAY[1, 2])", "int4 <- "),
            ("SELECT f(VARIADIC $1::int[])", "int4 <- _int4"),
            ("SELECT f(VARIADIC $1)", "int4 <- ?"),
            ("SELECT f(VARIADIC '{1,2}')", "int4 <- "),
            ("SELECT g('a', VARIADIC '{}')", "text <- "),
            ("SELECT g('a', VARIADIC words) FROM t", "text <- "),
            ("SELECT jsonb_extract_path('{}'::jsonb, VARIADIC words) FROM t", "jsonb <- "),
            ("SELECT f(1, $1, 3)", "int4 <- int4"),
            ("SELECT f(list) FROM t", "no function `f(integer[])` exists"),
            ("SELECT g('a', VARIADIC list) FROM t", "no function `g(unknown, integer[])` exists"),
        ] {
            assert_eq!(said(sql), expect, "{sql}");
        }
    }

    #[test]
    fn a_function_of_another_schema_is_not_the_type_of_its_name() {
        for (sql, expect) in [
            ("SELECT id FROM t WHERE d = date($1)", "int4 <- timestamptz"),
            ("SELECT id FROM t WHERE id = app.date($1)", "int4 <- text"),
            ("SELECT date(ts) FROM t", "date <- "),
            ("SELECT app.date('x') FROM t", "int4 <- "),
            ("SELECT id FROM t WHERE d = pg_catalog.date(ts)", "int4 <- "),
            ("SELECT id FROM t WHERE d = app.date('x')", "no operator `date = integer` exists"),
        ] {
            assert_eq!(said(sql), expect, "{sql}");
        }
    }

    #[test]
    fn a_field_is_stored_with_its_own_type() {
        for (sql, expect) in [
            ("UPDATE t SET a.street = 1", " <- "),
            ("UPDATE t SET a.street = $1", " <- text"),
            ("UPDATE t SET b[$1].zip = 'x'", " <- int4"),
            ("UPDATE t SET b[1].zip = $1", " <- text"),
            ("UPDATE t SET b[1] = $1", " <- addr"),
            ("UPDATE t SET list[1] = $1 OR NOT $2", "column `list[..]` is `integer` and is given `boolean`"),
            ("UPDATE t SET (a.street, a.zip) = ('x', 'y')", " <- "),
            ("UPDATE t SET b[1].zip = 'x'", " <- "),
            ("INSERT INTO t (id, a.street) VALUES (1, 2)", " <- "),
            ("UPDATE t SET a = 1", "column `a` is `addr` and is given `integer`"),
        ] {
            assert_eq!(said(sql), expect, "{sql}");
        }
    }

    #[test]
    fn heads_are_taken_apart() {
        let text = "CREATE OR REPLACE FUNCTION f(a integer, b numeric(10, 2) DEFAULT 1) RETURNS SETOF text LANGUAGE sql STRICT AS $$ returns $$";
        let found = head(text).expect("a head");
        assert_eq!(found.args, ["a integer", "b numeric(10, 2) DEFAULT 1"]);
        assert_eq!((found.returns, found.set, found.strict), (Some("text"), true, true));
        let text = "CREATE FUNCTION g() RETURNS TABLE (x int, y timestamp with time zone) AS $$ select 1 $$ LANGUAGE sql";
        let found = head(text).expect("a head");
        assert_eq!(found.table.as_deref(), Some(["x int", "y timestamp with time zone"].as_slice()));
        assert!(found.args.is_empty() && found.returns.is_none() && !found.strict);
    }
}
