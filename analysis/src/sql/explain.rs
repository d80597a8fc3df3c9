//! PostgreSQL's EXPLAIN: it returns the plan in one column and has the parameters of the explained statement.

use super::Dialect;
use super::lex::{Lexer, TokenKind, text_at};

/// The name of the column.
pub const COLUMN: &str = "QUERY PLAN";

/// A parsed EXPLAIN.
#[derive(Debug, PartialEq, Eq)]
pub struct Explain<'s> {
    /// The type of the plan's column, by the catalog's name.
    pub ty: &'static str,
    /// The explained statement.
    pub statement: &'s str,
}

/// Parses an EXPLAIN; `None` for any other statement.
pub fn explain(sql: &str) -> Option<Explain<'_>> {
    let tokens: Vec<_> = Lexer::new(sql, Dialect::Postgres).collect();
    let word = |at: usize| text_at(sql, &tokens, at);
    let is = |at: usize, name: &str| word(at).eq_ignore_ascii_case(name);
    if !is(0, "explain") {
        return None;
    }
    let mut at = 1;
    let mut format = "text";
    if word(at) == "(" && !["select", "with", "values"].iter().any(|name| is(at + 1, name)) {
        let close = (at..tokens.len()).find(|&at| word(at) == ")")?;
        for option in at..close {
            if is(option, "format") {
                format = word(option + 1).trim_matches('\'');
            }
        }
        at = close + 1;
    } else {
        at += (at..).take_while(|&at| is(at, "analyze") || is(at, "analyse") || is(at, "verbose")).count();
    }
    let first = tokens.get(at).filter(|token| token.kind == TokenKind::Word || word(at) == "(")?;
    let ty = match format.to_ascii_lowercase().as_str() {
        "json" => "json",
        "xml" => "xml",
        _ => "text",
    };
    Some(Explain { ty, statement: sql.get(first.span.start..)? })
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn the_form_of_a_plan_and_what_is_explained_are_told() {
        for (sql, expect) in [
            ("EXPLAIN SELECT 1", Some(("text", "SELECT 1"))),
            ("explain analyze verbose DELETE FROM t", Some(("text", "DELETE FROM t"))),
            (
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) UPDATE t SET a = $1",
                Some(("json", "UPDATE t SET a = $1")),
            ),
            ("EXPLAIN (FORMAT 'xml') SELECT 1", Some(("xml", "SELECT 1"))),
            ("EXPLAIN (COSTS OFF, FORMAT yaml) (SELECT 1)", Some(("text", "(SELECT 1)"))),
            ("EXPLAIN (SELECT 1)", Some(("text", "(SELECT 1)"))),
            ("SELECT 1", None),
            ("EXPLAIN", None),
        ] {
            let found = explain(sql);
            let found = found.as_ref().map(|found| (found.ty, found.statement));
            assert_eq!(found, expect, "{sql}");
        }
    }
}
