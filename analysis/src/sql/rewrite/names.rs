//! Keywords of the parser that are used as columns.

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
        (K::ANY | K::SOME, Dialect::Sqlite | Dialect::MySql) => !is_called,
        (K::CUBE | K::ROLLUP, Dialect::Postgres) => !is_called,
        (K::ENUM | K::SET, Dialect::Postgres) => !is_called && matches!(r.written(1), Token::DoubleColon),
        (K::RECURSIVE, _) => r.keyword(1) == K::AS,
        _ => is_without_meaning(keyword, r.dialect) || is_target(r, keyword) || is_alias(r, keyword),
    }
}

/// Whether a word has no meaning in a dialect, although the parser knows one.
fn is_without_meaning(keyword: K, dialect: Dialect) -> bool {
    dialect == Dialect::Sqlite
        && matches!(
            keyword,
            K::ARRAY
                | K::DIV
                | K::FETCH
                | K::ILIKE
                | K::LATERAL
                | K::OPEN
                | K::OUTPUT
                | K::OVERLAPS
                | K::RLIKE
                | K::SIMILAR
                | K::START
                | K::TABLESAMPLE
                | K::XOR
        )
}

/// Whether the current word is the table that is written to: `INSERT INTO local ..`, `UPDATE replace SET ..`.
fn is_target(r: &Rewriter, keyword: K) -> bool {
    let before = || keyword_of(r.written(1));
    match keyword {
        K::LOCAL | K::DIRECTORY => matches!(before(), K::INTO | K::INSERT | K::REPLACE),
        K::REPLACE => before() == K::UPDATE && r.keyword(1) == K::SET,
        _ => false,
    }
}

/// Whether the current word is an alias without AS. The words are those that the parser takes for an operator or for the
/// beginning of a clause, neither of which can end where an item of a list does.
fn is_alias(r: &Rewriter, keyword: K) -> bool {
    let of_column = match r.dialect {
        // What PostgreSQL calls bare labels.
        Dialect::Postgres => matches!(
            keyword,
            K::ANALYZE
                | K::AND
                | K::BETWEEN
                | K::COLLATE
                | K::EXCLUDE
                | K::EXPLAIN
                | K::ILIKE
                | K::IN
                | K::IS
                | K::LATERAL
                | K::LIKE
                | K::MATCH
                | K::OPERATOR
                | K::OR
                | K::SELECT
                | K::SIMILAR
                | K::VALUES
                | K::VIEW
        ),
        Dialect::MySql => matches!(keyword, K::EXCLUDE | K::OVERLAPS | K::VIEW),
        Dialect::Sqlite => {
            matches!(keyword, K::ANALYZE | K::EXCLUDE | K::EXPLAIN | K::OFFSET | K::VIEW | K::WITH)
        }
    };
    let of_table = match r.dialect {
        Dialect::Postgres => keyword == K::PARTITION,
        Dialect::MySql => matches!(keyword, K::FULL | K::OPEN | K::START | K::VIEW),
        Dialect::Sqlite => matches!(
            keyword,
            K::ANALYZE | K::EXPLAIN | K::FOR | K::OFFSET | K::PARTITION | K::VIEW | K::WINDOW | K::WITH
        ),
    };
    // `DEFAULT VALUES`, `MATCH FULL`.
    let is_of_clause = matches!(keyword_of(r.written(1)), K::DEFAULT | K::MATCH);
    if !of_column && !of_table || is_of_clause || !r.after_operand() {
        return false;
    }
    let ends = match r.token(1) {
        Token::EOF | Token::SemiColon | Token::RParen | Token::Comma => true,
        _ => r.keyword(1) == K::FROM,
    };
    let ends_table = match r.keyword(1) {
        // FULL JOIN is a mistake to be named.
        K::JOIN => keyword != K::FULL,
        after => matches!(
            after,
            K::WHERE
                | K::SET
                | K::ON
                | K::USING
                | K::LEFT
                | K::INNER
                | K::CROSS
                | K::NATURAL
                | K::ORDER
                | K::GROUP
        ),
    };
    ends || of_table && ends_table
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
        replay.apply("CREATE TABLE local (id int PRIMARY KEY)", "");
        let quote = dialect.identifier_quote();
        let words = ["cube", "rollup", "some", "any"].map(|word| format!("{quote}{word}{quote} int"));
        replay.apply(&format!("CREATE TABLE g ({})", words.join(", ")), "");
        replay.apply(&format!("CREATE TABLE {quote}replace{quote} (id int PRIMARY KEY)"), "");
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

    const ALIASES: [&str; 5] = [
        "SELECT n exclude, id + n view FROM s",
        "SELECT 'x' view",
        "SELECT (SELECT max(id) view FROM s), n view FROM s WHERE n > 1",
        "INSERT INTO local VALUES (1)",
        "INSERT INTO local (id) VALUES (1)",
    ];

    #[test]
    fn keywords_that_begin_no_clause_are_aliases_and_tables() {
        for dialect in Dialect::ALL {
            takes(dialect, &ALIASES);
        }
        takes(
            Dialect::Postgres,
            &[
                "SELECT n and, id in, n is, id like, n or, id select, n values, 1 between, id collate FROM s",
                "SELECT partition.id FROM s partition JOIN s offset_ ON offset_.id = partition.id",
                "UPDATE s partition SET n = 1 WHERE partition.id = 2",
                "SELECT id FROM (SELECT id FROM s) partition",
                "SELECT n AND id > 1, id IN (1), n IS NULL, id BETWEEN 1 AND 2 FROM s",
                "INSERT INTO local DEFAULT VALUES",
                "SELECT cube, max(rollup) FROM g GROUP BY cube",
                "SELECT cube, rollup FROM g GROUP BY CUBE (cube), ROLLUP (rollup)",
                "WITH recursive AS (SELECT id FROM s) SELECT id FROM recursive",
                "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r LIMIT 3",
            ],
        );
        takes(
            Dialect::MySql,
            &[
                "SELECT open.id FROM s open JOIN s full ON full.id = open.id LEFT JOIN s view ON view.id = 1",
                "SELECT any, some FROM g WHERE any = 1 AND some > any",
                "SELECT id FROM s WHERE id = ANY (SELECT id FROM s)",
                "UPDATE s start SET n = 1 WHERE start.id = 2",
            ],
        );
        takes(
            Dialect::Sqlite,
            &[
                "SELECT output.id, lateral.n FROM s output JOIN s lateral ON lateral.id = output.id",
                "SELECT for.id FROM s for WHERE for.n = 1",
                "SELECT offset.id FROM s offset JOIN s window ON window.id = offset.id LIMIT 1 OFFSET 2",
                "SELECT n div, id xor, n fetch FROM s",
                "UPDATE replace SET id = 2 WHERE id = 1",
            ],
        );
    }

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
