//! Constructs of MySQL and MariaDB.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, clauses, delete, is_word, json, keyword, shared};

/// Tries the constructs that start with a word.
pub(super) fn word(r: &mut Rewriter, keyword: K) -> bool {
    end_lists(r, keyword);
    match keyword {
        K::FOR if r.keyword(1) == K::SYSTEM_TIME => clauses::system_time(r),
        K::FOR if r.is(1, "portion") && r.keyword(2) == K::OF => clauses::portion(r),
        K::FOR => shared::row_lock(r),
        K::INTO => clauses::into_client(r),
        K::JSON_TABLE => json::table(r),
        K::RETURNING if r.open.is_empty() => delete::deleted_rows(r),
        K::RETURNING | K::DEFAULT | K::NULL | K::ERROR => clauses::json_value(r),
        _ if (keyword == K::NEXT || r.is(0, "previous"))
            && r.keyword(1) == K::VALUE
            && r.keyword(2) == K::FOR =>
        {
            clauses::sequence_value(r)
        }
        K::PARTITION => clauses::target_partitions(r),
        K::ROWS if r.is(1, "examined") => {
            r.skip(3);
            true
        }
        K::PROCEDURE if r.is(1, "analyse") && *r.token(2) == Token::LParen => {
            r.skip(r.closing(2).map_or(2, |end| end + 1));
            true
        }
        K::LIMIT if r.keyword(1) == K::ROWS && r.is(2, "examined") => {
            r.skip(4);
            true
        }
        K::LIMIT if clauses::concatenated(r) || shared::all_rows(r) => true,
        K::AT => clauses::cast_from_zone(r),
        K::IN => shared::list_of_queries(r),
        K::CYCLE => clauses::cycle(r),
        K::AS => clauses::weighed(r) || clauses::dynamic(r),
        K::FROM if r.is(1, "dual") && *r.token(2) != Token::Period => {
            r.skip(2);
            true
        }
        K::FROM if matches!(r.keyword(1), K::FIRST | K::LAST) => clauses::from_end(r),
        K::TABLE => shared::table_command(r),
        K::LOCK => share_mode(r),
        K::MOD => modulo(r),
        K::BINARY => binary(r),
        K::MATCH => match_columns(r),
        K::AGAINST => against(r),
        K::UPDATE => update(r),
        K::DELETE => delete::delete(r),
        K::CHARACTER | K::CHARSET => character_set(r),
        K::USING => converted(r),
        K::GROUP if r.keyword(1) == K::BY => {
            r.lists.group = Some(r.open.len());
            false
        }
        K::ASC | K::DESC => group_direction(r),
        K::INTERVAL => interval_function(r),
        K::NoKeyword if r.is(0, "sounds") && r.keyword(1) == K::LIKE => {
            // An operator that no index is searched by.
            r.skip(2);
            r.put_word("RLIKE", K::RLIKE);
            true
        }
        K::BOTH | K::LEADING | K::TRAILING => trimmed(r),
        K::NoKeyword if r.is(0, "mid") => middle(r),
        K::NoKeyword if r.is(0, "sql_cache") => cached(r),
        K::NoKeyword if ["nextval", "lastval", "setval"].iter().any(|name| r.is(0, name)) => {
            clauses::sequence_call(r)
        }
        K::NoKeyword if is_odbc_unit(r.token(0)) => difference_unit(r),
        K::NoKeyword => compound_unit(r),
        _ => difference_unit(r),
    }
}

/// A new clause ends the lists of the previous one.
fn end_lists(r: &mut Rewriter, keyword: K) {
    let ends = |list: Option<usize>, open: usize| list.filter(|began| open >= *began);
    let open = r.open.len();
    r.lists.group = match keyword {
        K::HAVING | K::ORDER | K::LIMIT | K::WINDOW | K::UNION | K::FOR => None,
        _ => ends(r.lists.group, open),
    };
    if keyword == K::SET {
        r.lists.update = None;
    }
}

/// `LOCK IN SHARE MODE` becomes `FOR SHARE`.
fn share_mode(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::IN && r.keyword(2) == K::SHARE && r.keyword(3) == K::MODE;
    if there {
        r.put_word("FOR", K::FOR);
        r.skip(2);
        r.keep(1);
        r.skip(1);
        if r.is(0, "wait") {
            r.skip(2);
        }
    }
    there
}

/// `a MOD b` becomes `a % b`.
fn modulo(r: &mut Rewriter) -> bool {
    let there = r.after_operand();
    if there {
        r.put(Token::Mod);
        r.skip(1);
    }
    there
}

/// `BINARY a`, which binds closer than any operator, becomes `CAST(a AS BINARY)`.
fn binary(r: &mut Rewriter) -> bool {
    let is_name = |at: usize| matches!(r.token(at), Token::Word(_));
    let mut end = match r.token(1) {
        Token::LParen => r.closing(1),
        Token::SingleQuotedString(_) | Token::Number(..) | Token::Placeholder(_) => Some(1),
        Token::Word(word) if word.quote_style.is_some() || !shared::is_reserved(word.keyword) => {
            let mut end = 1;
            while *r.token(end + 1) == Token::Period && is_name(end + 2) {
                end += 2;
            }
            Some(end)
        }
        _ => None,
    };
    if is_name(1) && end.is_some_and(|end| *r.token(end + 1) == Token::LParen) {
        end = end.and_then(|end| r.closing(end + 1));
    }
    // In a cast it is the type, and behind a type it is a collation.
    let Some(end) = end.filter(|_| !r.after_operand() && !is_word(r.written(1), "as")) else { return false };
    r.put_word("CAST", K::CAST);
    r.put(Token::LParen);
    r.skip(1);
    r.keep(end);
    r.put_word("AS", K::AS);
    r.put_word("BINARY", K::BINARY);
    r.put(Token::RParen);
    true
}

/// `MATCH a, b AGAINST ..` without parentheses.
fn match_columns(r: &mut Rewriter) -> bool {
    if !r.is_name(1) {
        return false;
    }
    let mut at = 1;
    while matches!(r.token(at), Token::Word(_) | Token::Period | Token::Comma) && r.keyword(at) != K::AGAINST
    {
        at += 1;
    }
    let there = r.keyword(at) == K::AGAINST;
    if there {
        r.keep(1);
        r.put(Token::LParen);
        r.keep(at - 1);
        r.put(Token::RParen);
    }
    there
}

/// `AGAINST (expression mode)`: the parser accepts only a literal. The search term does not affect how the
/// table is read.
fn against(r: &mut Rewriter) -> bool {
    if *r.token(1) != Token::LParen {
        return false;
    }
    let plain = matches!(r.token(2), Token::SingleQuotedString(_) | Token::Placeholder(_))
        && (*r.token(3) == Token::RParen || matches!(r.keyword(3), K::IN | K::WITH));
    let Some(end) = r.closing(1).filter(|_| !plain) else { return false };
    r.keep(2);
    r.put(Token::SingleQuotedString(String::new()));
    r.skip(end - 2);
    true
}

/// `UPDATE IGNORE t`, and `UPDATE a, b SET ..`, whose commas join.
fn update(r: &mut Rewriter) -> bool {
    let statement = matches!(r.written(1), Token::EOF | Token::SemiColon | Token::RParen);
    if !statement {
        return false;
    }
    r.keep(1);
    while matches!(r.keyword(0), K::IGNORE | K::LOW_PRIORITY) && r.is_name(1) {
        r.skip(1);
    }
    r.lists.update = Some(r.open.len());
    true
}

/// `CAST(a AS CHAR CHARACTER SET utf8mb4)`.
fn character_set(r: &mut Rewriter) -> bool {
    let set = r.keyword(0) == K::CHARACTER;
    if set && r.keyword(1) != K::SET {
        return false;
    }
    let length = if set { 3 } else { 2 };
    let typed = is_word(r.written(1), "char") || *r.written(1) == Token::RParen;
    let there = typed && !r.open.is_empty() && r.is_name(length - 1);
    if there {
        r.skip(length);
    }
    there
}

/// `CHAR(65 USING utf8mb4)`.
fn converted(r: &mut Rewriter) -> bool {
    let mut back = 2;
    while matches!(r.written(back), Token::Number(..) | Token::Comma | Token::Placeholder(_)) {
        back += 1;
    }
    let there = *r.written(back) == Token::LParen
        && is_word(r.written(back + 1), "char")
        && r.is_name(1)
        && *r.token(2) == Token::RParen;
    if there {
        r.skip(2);
    }
    there
}

/// `GROUP BY a DESC`, a sort order that only older servers apply.
fn group_direction(r: &mut Rewriter) -> bool {
    let there = r.lists.group == Some(r.open.len());
    if there {
        r.skip(1);
    }
    there
}

/// `INTERVAL(a, b, c)` is a function.
fn interval_function(r: &mut Rewriter) -> bool {
    // MariaDB: `CAST(a AS INTERVAL DAY_SECOND(6))` is a time.
    if r.is(1, "day_second") && is_word(r.written(1), "as") {
        r.put_word("TIME", K::TIME);
        r.skip(2);
        return true;
    }
    if *r.token(1) != Token::LParen {
        return false;
    }
    let unit = r.closing(1).is_some_and(|end| is_unit(r.token(end + 1)));
    if !unit {
        r.put_name("interval", '`');
        r.skip(1);
    }
    !unit
}

/// Whether a word is the unit of an interval.
fn is_unit(token: &Token) -> bool {
    const UNITS: [&str; 9] =
        ["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
    let Token::Word(word) = token else { return false };
    let last = word.value.split_once('_').map_or(word.value.as_str(), |(_, last)| last);
    UNITS.iter().any(|unit| unit.eq_ignore_ascii_case(last))
}

/// `TRIM(BOTH FROM a)` removes blanks.
fn trimmed(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::FROM && *r.written(1) == Token::LParen && is_word(r.written(2), "trim");
    if there {
        r.keep(1);
        r.put(Token::SingleQuotedString(" ".to_owned()));
    }
    there
}

/// `MID(a FROM 1 FOR 2)` is SUBSTRING.
fn middle(r: &mut Rewriter) -> bool {
    let Some(end) = r.closing(1).filter(|_| *r.token(1) == Token::LParen) else { return false };
    let mut depth = 0_usize;
    let is_from = |at: usize| {
        match r.token(at) {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 1 && r.keyword(at) == K::FROM
    };
    let there = (1..end).any(is_from);
    if there {
        r.put_word("SUBSTRING", K::SUBSTRING);
        r.skip(1);
    }
    there
}

/// `SELECT SQL_CACHE a`, a hint of MariaDB and of MySQL before 8.0.
fn cached(r: &mut Rewriter) -> bool {
    let is_first = matches!(keyword(r.written(1)), K::SELECT | K::DISTINCT | K::ALL)
        || ["sql_calc_found_rows", "high_priority", "straight_join"]
            .iter()
            .any(|it| is_word(r.written(1), it));
    let goes_on = match r.token(1) {
        Token::Word(_) => !matches!(r.keyword(1), K::AS | K::FROM),
        token => matches!(
            token,
            Token::Mul
                | Token::Number(..)
                | Token::Placeholder(_)
                | Token::SingleQuotedString(_)
                | Token::AtSign
        ),
    };
    if is_first && goes_on {
        r.skip(1);
    }
    is_first && goes_on
}

/// `TIMESTAMPDIFF(MINUTE, a, b)`: the unit is not a column.
fn difference_unit(r: &mut Rewriter) -> bool {
    let there = *r.written(1) == Token::LParen
        && *r.token(1) == Token::Comma
        && ["timestampdiff", "timestampadd", "get_format"].iter().any(|name| is_word(r.written(2), name));
    if there {
        let unit = r.token(0).to_string();
        r.put(Token::SingleQuotedString(unit));
        r.skip(1);
    }
    there
}

/// `SQL_TSI_DAY`: a unit as ODBC names it.
fn is_odbc_unit(token: &Token) -> bool {
    let Token::Word(word) = token else { return false };
    word.value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("sql_tsi_"))
}

/// `DAY_HOUR`, `YEAR_MONTH`: compound interval units.
fn compound_unit(r: &mut Rewriter) -> bool {
    let Token::Word(word) = r.token(0) else { return false };
    let Some((_, last)) = word.value.split_once('_') else { return false };
    let units = [
        ("MONTH", K::MONTH),
        ("HOUR", K::HOUR),
        ("MINUTE", K::MINUTE),
        ("SECOND", K::SECOND),
        ("MICROSECOND", K::MICROSECOND),
    ];
    let Some((name, unit)) = units.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(last)) else {
        return false;
    };
    let extracted = *r.written(1) == Token::LParen && is_word(r.written(2), "extract");
    let counted = is_word(r.written(2), "interval");
    if !extracted && !counted {
        return false;
    }
    r.put_word(name, unit);
    r.skip(1);
    true
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn takes(ddl: &str, queries: &[&str]) {
        let mut replay = Replay::new(Dialect::MySql);
        replay.apply(ddl, "test.sql");
        assert_eq!(replay.problems, []);
        for sql in queries {
            let query = resolve(sql, Dialect::MySql, Some(&replay.schema));
            assert_eq!(query.expect(sql).problems, [], "{sql}");
        }
    }

    #[test]
    fn forms_of_calls() {
        takes(
            "CREATE TABLE u (id int PRIMARY KEY, n int, name varchar(9), c blob)",
            &[
                "SELECT INTERVAL(n, 1, 10) i, INTERVAL(n, 1) FROM u WHERE now() > now() - INTERVAL (n) DAY",
                "SELECT TRIM(BOTH FROM name), TRIM(LEADING FROM name) x, TRIM(TRAILING 'x' FROM name) FROM u",
                "SELECT MID(name FROM 1 FOR 2), MID(name FROM 2) x, MID(name, 1, 2) FROM u",
                "SELECT TIMESTAMPADD(SQL_TSI_DAY, 1, name), TIMESTAMPDIFF(sql_tsi_hour, name, name) x FROM u",
                "SELECT CAST(name AS INTERVAL DAY_SECOND(6)) FROM u",
                "DELETE FROM u.* USING u JOIN u AS v ON v.id = u.n",
                "DELETE FROM test.u.*, v.* USING test.u JOIN u AS v ON v.id = u.n",
                "SELECT SQL_CACHE id FROM u",
                "SELECT id FROM u WHERE BINARY name = ? AND BINARY u.name > BINARY lower(name) OR BINARY (n) = BINARY ?",
                "SELECT CAST(name AS BINARY), BINARY 'a', CONVERT(name, BINARY) FROM u ORDER BY BINARY name DESC",
                "SELECT DISTINCT SQL_CACHE id FROM u",
                "SELECT COLUMN_GET(c, 'a' AS CHAR(10)) x, COLUMN_CREATE('a', 1 AS INT, 'b', 'x') FROM u",
            ],
        );
    }

    #[test]
    fn rows_of_mariadb() {
        takes(
            "CREATE TABLE sal (emp int, f date, t date, a int, PERIOD FOR v (f, t), PRIMARY KEY (emp, v WITHOUT OVERLAPS))",
            &[
                "UPDATE sal FOR PORTION OF v FROM '2024-01-01' TO ? SET a = 1 WHERE emp = ?",
                "DELETE FROM sal FOR PORTION OF v FROM '2024-01-01' TO '2024-06-01' WHERE emp = ?",
                "SELECT s.seq, emp FROM seq_1_to_100_step_5 s LEFT JOIN sal ON emp = seq",
            ],
        );
    }

    #[test]
    fn values_see_their_row() {
        takes(
            "CREATE TABLE kv (k varchar(9), n int NOT NULL DEFAULT 0, p int)",
            &[
                "INSERT INTO kv (n, p) VALUES (5, n * 2), (6, kv.n + 1)",
                "REPLACE INTO kv VALUES ('a', 1, DEFAULT(n))",
                "INSERT INTO kv (n, p) VALUES (5, n) ON DUPLICATE KEY UPDATE p = VALUES(p) + n",
            ],
        );
    }
}
