//! Keywords of the parser that are columns where they stand.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::shared::is_reserved;
use super::{Rewriter, keyword as keyword_of};
use crate::sql::Dialect;

/// Whether the current word is a column, or another name, although the parser takes it for the beginning of an
/// expression: `interval` without a literal, `trim` and `exists` without a parenthesis.
pub(super) fn is_column(r: &Rewriter, keyword: K) -> bool {
    let is_called = matches!(r.token(1), Token::LParen);
    match (keyword, r.dialect) {
        // SQLite has no such literals.
        (K::INTERVAL, Dialect::Sqlite) => !is_called,
        (K::INTERVAL, Dialect::Postgres) => {
            let is_literal = matches!(
                r.token(1),
                Token::SingleQuotedString(_)
                    | Token::EscapedStringLiteral(_)
                    | Token::UnicodeStringLiteral(_)
                    | Token::DollarQuotedString(_)
            );
            !is_called && !is_literal && !is_type(r)
        }
        (K::TRIM, _) => !is_called,
        (K::EXISTS, Dialect::Postgres) => {
            let before = |back: usize| keyword_of(r.written(back));
            let is_test = before(1) == K::IF || before(1) == K::NOT && before(2) == K::IF;
            !is_called && !is_test
        }
        (K::ANY | K::SOME, Dialect::Sqlite) => !is_called,
        _ => false,
    }
}

/// Whether a type is expected: after `::`, AS, or a name that is declared.
fn is_type(r: &Rewriter) -> bool {
    match r.written(1) {
        Token::DoubleColon => true,
        Token::Word(word) if word.quote_style.is_some() => true,
        Token::Word(word) => word.keyword == K::AS || !is_reserved(word.keyword),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn takes(dialect: Dialect, queries: &[&str]) {
        let mut replay = Replay::new(dialect);
        replay.apply(
            "CREATE TABLE s (id int PRIMARY KEY, \"interval\" text, \"trim\" text, \"exists\" int, \"any\" text, n int)",
            "",
        );
        for sql in queries {
            let query = resolve(sql, dialect, Some(&replay.schema));
            let query = query.unwrap_or_else(|error| panic!("{dialect:?} {sql}: {error}"));
            assert_eq!(query.problems, [], "{dialect:?} {sql}");
        }
    }

    const BOTH: [&str; 15] = [
        "SELECT interval FROM s",
        "SELECT id, interval, n FROM s",
        "UPDATE s SET interval = coalesce($1, interval) WHERE id = $2",
        "SELECT id FROM s WHERE interval IS NULL ORDER BY interval DESC",
        "SELECT id FROM s WHERE interval LIKE 'x' OR interval > 'a' AND NOT interval = 'b'",
        "SELECT id FROM s WHERE interval BETWEEN 'a' AND 'b'",
        "SELECT max(interval), CASE WHEN interval = 'x' THEN interval ELSE interval END FROM s GROUP BY interval",
        "SELECT CAST(interval AS text), interval || 'x', s.interval FROM s",
        "INSERT INTO s (id, interval) VALUES (1, 'x') RETURNING interval",
        "SELECT interval AS interval FROM s WHERE interval IN ('a')",
        "SELECT trim FROM s WHERE trim = 'x' ORDER BY trim",
        "SELECT max(trim), trim(trim) FROM s",
        "UPDATE s SET trim = trim(trim) RETURNING trim",
        "SELECT id FROM s WHERE EXISTS (SELECT 1 FROM s) AND NOT EXISTS (SELECT 2)",
        "SELECT count(*) AS interval FROM s",
    ];

    #[test]
    fn some_keywords_are_columns() {
        takes(Dialect::Postgres, &BOTH);
        takes(Dialect::Sqlite, &BOTH);
        takes(
            Dialect::Postgres,
            &[
                "SELECT exists FROM s WHERE exists > 1 ORDER BY exists",
                "SELECT NOT exists::bool FROM s WHERE NOT exists::bool",
                "SELECT interval '1 day', INTERVAL '1' DAY, interval(3) '1.5 s', now() - interval '2 h' FROM s",
                "SELECT '1'::interval, CAST('1' AS interval), $1::interval[], NULL::interval FROM s",
                "SELECT a FROM json_to_recordset('[]') AS t(a interval, b interval)",
            ],
        );
        takes(Dialect::Sqlite, &["SELECT any FROM s WHERE any LIKE 'x' OR any <> 'b'"]);
        takes(Dialect::MySql, &["SELECT id FROM s WHERE now() - INTERVAL 1 DAY > now() + INTERVAL ? HOUR"]);
    }
}
