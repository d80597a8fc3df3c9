//! Functions written in SQL, as far as a planner inlines them.

use super::Dialect;
use super::lex::{Lexer, TokenKind, unquote};

/// A PostgreSQL function whose query replaces its call in FROM.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Routine {
    /// The names of its parameters; empty for an unnamed one.
    pub(super) parameters: Vec<String>,
    /// Its return type.
    pub(super) returns: Returns,
    /// Its query.
    pub(super) body: String,
}

/// The return type of such a function.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Returns {
    /// `TABLE (a int, b text)`, by the names of its columns.
    Table(Vec<String>),
    /// `SETOF type`.
    SetOf(String),
}

/// A reader over the tokens of a statement, with their text.
struct Reader<'t> {
    tokens: Vec<(TokenKind, &'t str)>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn is(&self, word: &str) -> bool {
        self.tokens
            .get(self.at)
            .is_some_and(|(kind, text)| *kind == TokenKind::Word && text.eq_ignore_ascii_case(word))
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|(kind, text)| *kind == TokenKind::Symbol && *text == symbol)
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.is(word);
        self.at += usize::from(there);
        there
    }

    /// The name of a type, with its schema.
    fn type_name(&mut self) -> String {
        let mut ty = String::new();
        while let Some((kind, text)) = self.tokens.get(self.at)
            && (matches!(kind, TokenKind::Name)
                || *text == "."
                || (*kind == TokenKind::Word && (ty.is_empty() || ty.ends_with('.'))))
        {
            ty.push_str(text);
            self.at += 1;
        }
        ty
    }

    /// The elements of a parenthesised list, each as its tokens; starts at the opening parenthesis.
    fn list(&mut self) -> Option<Vec<&[(TokenKind, &'t str)]>> {
        if !self.is_symbol("(") {
            return None;
        }
        self.at += 1;
        let (mut depth, mut start, mut cuts) = (0_usize, self.at, Vec::new());
        loop {
            let (_, text) = self.tokens.get(self.at)?;
            match *text {
                "(" | "[" => depth += 1,
                ")" if depth == 0 => break,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    cuts.push(start..self.at);
                    start = self.at + 1;
                }
                _ => {}
            }
            self.at += 1;
        }
        if start < self.at {
            cuts.push(start..self.at);
        }
        self.at += 1;
        Some(cuts.into_iter().filter_map(|cut| self.tokens.get(cut)).collect())
    }
}

/// What a call of a function returns.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Returned {
    /// Columns with these names.
    Named(Vec<String>),
    /// A value, or a row, of this type.
    Type(String),
}

/// What a CREATE FUNCTION says that its calls return; `None` if it leaves that to the query: `RETURNS record`.
pub(super) fn returned(statement: &str) -> Option<Returned> {
    let mut reader = parameters_of(statement)?;
    let mut outs = Vec::new();
    for parameter in reader.list()? {
        // The mode comes before the name or after it.
        let out = match parameter {
            [first @ (TokenKind::Word | TokenKind::Name, _), rest @ ..] if behind_out(rest).is_some() => {
                (!is_mode(first, "in")).then(|| Some(name(first)))
            }
            _ => None,
        };
        let out = out.or_else(|| {
            let rest = behind_out(parameter)?;
            let named =
                matches!(rest, [_, (TokenKind::Word | TokenKind::Name, next), ..] if !ends_type(next));
            Some(rest.first().filter(|_| named).map(name))
        });
        if let Some(name) = out {
            outs.push(name);
        }
    }
    let outs = match outs.as_slice() {
        // A single one without a name is called as the function is.
        [None] => return None,
        _ => outs.into_iter().enumerate(),
    };
    let outs: Vec<String> =
        outs.map(|(at, name)| name.unwrap_or_else(|| format!("column{}", at + 1))).collect();
    if !outs.is_empty() {
        return Some(Returned::Named(outs));
    }
    if !reader.take("returns") {
        return None;
    }
    if reader.take("table") {
        let columns = reader.list()?.into_iter().filter_map(|column| column.first().map(name));
        return Some(Returned::Named(columns.collect()));
    }
    let _ = reader.take("setof");
    let ty = reader.type_name();
    let folded = ty.to_ascii_lowercase();
    let folded = folded.trim_start_matches("pg_catalog.").trim_matches('"');
    let is_open = matches!(folded, "record" | "trigger" | "void" | "event_trigger");
    let is_more = reader.is_symbol("%") || reader.is_symbol("[") || folded.starts_with("any");
    (!ty.is_empty() && !is_open && !is_more).then_some(Returned::Type(ty))
}

fn is_mode((kind, text): &(TokenKind, &str), mode: &str) -> bool {
    *kind == TokenKind::Word && text.eq_ignore_ascii_case(mode)
}

/// What follows `OUT`, `INOUT` or `IN OUT` at the start of a parameter.
fn behind_out<'p, 't>(parameter: &'p [(TokenKind, &'t str)]) -> Option<&'p [(TokenKind, &'t str)]> {
    match parameter {
        [mode, rest @ ..] if is_mode(mode, "out") || is_mode(mode, "inout") => Some(rest),
        [mode, next, rest @ ..] if is_mode(mode, "in") && is_mode(next, "out") => Some(rest),
        _ => None,
    }
}

/// Whether a word can only be the second of a type's name: `double precision`.
fn ends_type(word: &str) -> bool {
    ["precision", "varying", "with", "without"].iter().any(|end| word.eq_ignore_ascii_case(end))
}

/// A reader at the parameters of a CREATE FUNCTION.
fn parameters_of(statement: &str) -> Option<Reader<'_>> {
    let lexer = Lexer::new(statement, Dialect::Postgres);
    let tokens = lexer.filter_map(|token| Some((token.kind, statement.get(token.span.range())?))).collect();
    let mut reader = Reader { tokens, at: 0 };
    while !reader.take("function") {
        reader.at += 1;
        if reader.at > 4 {
            return None;
        }
    }
    while !reader.is_symbol("(") {
        reader.tokens.get(reader.at)?;
        reader.at += 1;
    }
    Some(reader)
}

/// Parses a CREATE FUNCTION; `None` if its calls are not inlined: it is in another language, volatile,
/// strict, has security or settings of its own, or returns one row.
pub(super) fn inlined(statement: &str) -> Option<Routine> {
    let mut reader = parameters_of(statement)?;
    let parameters: Option<Vec<String>> = reader.list()?.into_iter().map(parameter).collect();
    let parameters = parameters?;
    if !reader.take("returns") {
        return None;
    }
    let returns = if reader.take("table") {
        Returns::Table(reader.list()?.into_iter().filter_map(|column| column.first().map(name)).collect())
    } else if reader.take("setof") {
        Returns::SetOf(reader.type_name())
    } else {
        return None;
    };
    let body = body(&mut reader)?;
    Some(Routine { parameters, returns, body })
}

/// Whether a CREATE FUNCTION says nothing of what the function returns at another call, so that it is called for each row. One of
/// SQL without a FROM is replaced by its expression.
pub(crate) fn is_volatile(statement: &str) -> bool {
    let Some(mut reader) = parameters_of(statement) else { return false };
    if reader.list().is_none() {
        return false;
    }
    let (mut is_sql, mut reads) = (false, false);
    while let Some((kind, text)) = reader.tokens.get(reader.at).copied() {
        reader.at += 1;
        let word = text.to_ascii_lowercase();
        match (kind, word.as_str()) {
            (TokenKind::Word, "stable" | "immutable") => return false,
            (TokenKind::Word, "language") => {
                let language = reader.tokens.get(reader.at).map_or("", |(_, language)| *language);
                is_sql = language.trim_matches('\'').eq_ignore_ascii_case("sql");
            }
            (TokenKind::Word, "from") => reads = true,
            (TokenKind::Text, _) => reads |= word.split_whitespace().any(|word| word == "from"),
            _ => {}
        }
    }
    reads || !is_sql
}

/// The query, if the other properties of the function permit inlining.
fn body(reader: &mut Reader<'_>) -> Option<String> {
    let (mut is_sql, mut is_steady, mut body) = (false, false, None);
    while let Some((kind, text)) = reader.tokens.get(reader.at).copied() {
        reader.at += 1;
        let word = text.to_ascii_lowercase();
        match (kind, word.as_str()) {
            (TokenKind::Word, "language") => {
                let (_, language) = reader.tokens.get(reader.at)?;
                is_sql = language.trim_matches('\'').eq_ignore_ascii_case("sql");
                reader.at += 1;
            }
            (TokenKind::Word, "stable" | "immutable") => is_steady = true,
            (TokenKind::Word, "strict" | "definer" | "set") => return None,
            // `RETURNS NULL ON NULL INPUT`.
            (TokenKind::Word, "returns") => return None,
            (TokenKind::Word, "as") => {
                let (kind, text) = reader.tokens.get(reader.at)?;
                body = (*kind == TokenKind::Text).then(|| unquote(text, Dialect::Postgres));
                reader.at += 1;
            }
            (TokenKind::Word, "begin") if reader.take("atomic") => {
                let rest: Vec<&str> = reader.tokens.get(reader.at..)?.iter().map(|(_, text)| *text).collect();
                let end = rest.iter().rposition(|text| text.eq_ignore_ascii_case("end"))?;
                body = Some(rest.get(..end)?.join(" "));
                break;
            }
            _ => {}
        }
    }
    body.filter(|_| is_sql && is_steady).map(|body| body.trim().trim_end_matches(';').trim_end().to_owned())
}

/// The name of a parameter, empty if unnamed; `None` if it is not a plain IN parameter.
fn parameter(tokens: &[(TokenKind, &str)]) -> Option<String> {
    let mut tokens = tokens;
    if let [mode, rest @ ..] = tokens
        && is_mode(mode, "in")
    {
        tokens = rest;
    }
    if tokens.iter().take(2).any(|token| ["out", "inout", "variadic"].iter().any(|mode| is_mode(token, mode)))
    {
        return None;
    }
    // `a IN int`.
    match tokens {
        [first, mode, rest @ ..] if is_mode(mode, "in") => {
            let is_plain = !rest.first().is_some_and(|next| is_mode(next, "out"));
            return is_plain.then(|| name(first));
        }
        _ => {}
    }
    match tokens {
        [first @ (TokenKind::Word | TokenKind::Name, _), (TokenKind::Word | TokenKind::Name, second), ..]
            if !second.eq_ignore_ascii_case("default") =>
        {
            Some(name(first))
        }
        _ => Some(String::new()),
    }
}

fn name((kind, text): &(TokenKind, &str)) -> String {
    match kind {
        TokenKind::Name => unquote(text, Dialect::Postgres),
        _ => text.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_planner_writes_in() {
        let routine = |rest: &str| {
            inlined(&format!("CREATE OR REPLACE FUNCTION app.f(a int, bigint DEFAULT 3) {rest}"))
        };
        let expect = |returns| {
            let parameters = vec!["a".to_owned(), String::new()];
            Some(Routine { parameters, returns, body: "SELECT 1".to_owned() })
        };
        let table = || Returns::Table(vec!["k".to_owned(), "v".to_owned()]);
        assert_eq!(
            routine("RETURNS TABLE (k int, v numeric(10, 2)) LANGUAGE sql STABLE AS $$ SELECT 1; $$"),
            expect(table())
        );
        assert_eq!(
            routine("RETURNS TABLE (k int, v int) AS 'SELECT 1' LANGUAGE 'sql' IMMUTABLE"),
            expect(table())
        );
        assert_eq!(
            routine("RETURNS SETOF app.t STABLE LANGUAGE sql BEGIN ATOMIC SELECT 1; END"),
            expect(Returns::SetOf("app.t".to_owned()))
        );
        for called in [
            "RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'",
            "RETURNS SETOF t LANGUAGE sql AS 'SELECT 1'",
            "RETURNS SETOF t LANGUAGE sql STABLE STRICT AS 'SELECT 1'",
            "RETURNS SETOF t LANGUAGE sql STABLE RETURNS NULL ON NULL INPUT AS 'SELECT 1'",
            "RETURNS SETOF t LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT 1'",
            "RETURNS SETOF t LANGUAGE sql STABLE SET search_path = a AS 'SELECT 1'",
            "RETURNS SETOF t LANGUAGE plpgsql STABLE AS 'SELECT 1'",
        ] {
            assert_eq!(routine(called), None, "{called}");
        }
        for parameters in ["a OUT int", "a INOUT int", "a IN OUT int", "VARIADIC a int[]", "a VARIADIC int[]"]
        {
            let sql = format!("CREATE FUNCTION f({parameters}) RETURNS SETOF int STABLE LANGUAGE sql AS '2'");
            assert_eq!(inlined(&sql), None, "{parameters}");
        }
        assert_eq!(
            inlined("CREATE FUNCTION f(OUT a int) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT 1'"),
            None
        );
    }

    #[test]
    fn what_is_called_for_each_row() {
        let of = |rest: &str| {
            is_volatile(&format!("CREATE OR REPLACE FUNCTION app.f(a int DEFAULT 3) RETURNS int {rest}"))
        };
        for called in [
            "LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$",
            "AS $$ SELECT id FROM chats $$ LANGUAGE sql VOLATILE",
            "AS 'lib', 'f' LANGUAGE c STRICT",
        ] {
            assert!(of(called), "{called}");
        }
        for once in [
            "LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 1; END $$",
            "AS $$ SELECT id FROM chats $$ LANGUAGE sql IMMUTABLE",
            "LANGUAGE sql AS $$ SELECT a + 1 $$",
        ] {
            assert!(!of(once), "{once}");
        }
    }

    #[test]
    fn what_calls_return() {
        let of = |rest: &str| returned(&format!("CREATE FUNCTION f{rest} LANGUAGE sql AS 'SELECT 1'"));
        let named =
            |names: &[&str]| Some(Returned::Named(names.iter().map(|&name| name.to_owned()).collect()));
        // As PostgreSQL names them.
        assert_eq!(of("(a int, OUT int, OUT b int, c OUT text)"), named(&["column1", "b", "c"]));
        assert_eq!(of("(a INOUT int, b IN OUT int, c IN int, IN OUT d int)"), named(&["a", "b", "d"]));
        assert_eq!(of("(OUT double precision, OUT a character varying)"), named(&["column1", "a"]));
        for open in ["(OUT int)", "() RETURNS SETOF RECORD", "(a ANYELEMENT) RETURNS ANYELEMENT"] {
            assert_eq!(of(open), None, "{open}");
        }
        assert_eq!(of("() RETURNS SETOF pg_catalog.Record"), None);
        assert_eq!(of("() RETURNS SETOF T"), Some(Returned::Type("T".to_owned())));
    }
}
