//! What a driver sends besides queries: transaction control, the set-up of a connection, look-ups in the
//! catalog.

use crate::blot::Blotted;

/// Verbs of statements that query nothing.
const AROUND: [&str; 9] =
    ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "PRAGMA"];

/// The starts of sqlx's own look-ups of types and columns, as words after `SELECT`; those of sqlx 0.9 first.
const LOOK_UPS: [&[&str]; 8] = [
    &["pg_type.oid,"],
    &["attrelid", "table_oid,"],
    &["NOT", "attnotnull", "FROM", "("],
    &["oid", "FROM", "pg_catalog.pg_type", "WHERE"],
    &["typname,", "typtype,"],
    &["rngsubtype", "FROM", "pg_catalog.pg_range", "WHERE"],
    &["attname,", "atttypid", "FROM", "pg_catalog.pg_attribute", "WHERE"],
    &["enumlabel", "FROM", "pg_catalog.pg_enum", "WHERE"],
];

/// Whether a text queries something, rather than being part of the surrounding traffic.
///
/// A script is a query if one of its statements is.
pub(crate) fn is_query(sql: &str) -> bool {
    if is_plain_select(sql) {
        return true;
    }
    let starts_with_word = matches!(sql.as_bytes().first(), Some(first) if first.is_ascii_alphabetic());
    if starts_with_word && !is_around(verb(sql)) {
        return !is_look_up(sql);
    }
    // Comments are not words, and text in quotes separates no statements.
    let text = Blotted::of(sql).text;
    text.split(';').map(str::trim).filter(|statement| !statement.is_empty()).any(|statement| {
        let verb = verb(statement);
        if verb.eq_ignore_ascii_case("SET") {
            // The driver sets up a connection like this.
            set_reads(statement) && !statement.starts_with("SET sql_mode=(SELECT CONCAT(@@sql_mode")
        } else if is_around(verb) {
            // A block of MariaDB.
            statement.to_ascii_uppercase().starts_with("BEGIN NOT ATOMIC ")
        } else {
            !is_look_up(statement)
        }
    })
}

/// Whether a `SET` on one line has a subquery, or sets something for one statement alone, as MariaDB's `SET STATEMENT .. FOR`.
fn set_reads(statement: &str) -> bool {
    let statement = statement.to_ascii_uppercase();
    let subquery = |inside: &str| ["SELECT", "WITH", "TABLE", "VALUES"].contains(&verb_at_start(inside));
    let queries = |rest: &str| !is_around(verb(rest));
    statement.split('(').skip(1).any(subquery)
        || (statement.starts_with("SET STATEMENT ")
            && statement.split_once(" FOR ").is_some_and(|(_, rest)| queries(rest)))
}

fn verb_at_start(text: &str) -> &str {
    let text = text.trim_ascii_start();
    text.get(..text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len())).unwrap_or_default()
}

/// The first word, found byte by byte: this runs for each statement that sqlx reports, in unoptimised builds too.
fn verb(statement: &str) -> &str {
    let bytes = statement.as_bytes();
    let mut start = 0;
    while start < bytes.len() && !bytes[start].is_ascii_alphabetic() {
        start += 1;
    }
    let mut end = start;
    while end < bytes.len() && bytes[end].is_ascii_alphabetic() {
        end += 1;
    }
    statement.get(start..end).unwrap_or_default()
}

fn is_around(verb: &str) -> bool {
    // Most statements are this.
    verb != "SELECT" && AROUND.iter().any(|around| verb.eq_ignore_ascii_case(around))
}

fn is_look_up(statement: &str) -> bool {
    let is_near = statement.starts_with("SELECT ") || statement.starts_with("SELECT\n");
    let rest = if is_near { statement["SELECT".len()..].trim_ascii_start() } else { return false };
    LOOK_UPS.iter().any(|words| begins_with(rest, words))
}

/// Whether a text is obviously a SELECT and no look-up, as most are: the full test is slow in an unoptimised build.
fn is_plain_select(sql: &str) -> bool {
    let [b'S', b'E', b'L', b'E', b'C', b'T', b' ' | b'\n', behind @ ..] = sql.as_bytes() else {
        return false;
    };
    let mut rest = behind;
    while let [b' ' | b'\n', behind @ ..] = rest {
        rest = behind;
    }
    let [first, ..] = rest else { return false };
    // The first letters of the look-ups.
    !matches!(first, b'p' | b'a' | b'N' | b'o' | b't' | b'r' | b'e') && first.is_ascii_graphic()
}

/// Whether a text begins with these words and continues after them.
fn begins_with(text: &str, words: &[&str]) -> bool {
    let mut found = text.split_ascii_whitespace();
    words.iter().all(|word| found.next() == Some(word)) && found.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_look_up_is_taken_for_a_query_at_once() {
        for words in LOOK_UPS {
            assert!(!is_plain_select(&format!("SELECT {}", words.join(" "))), "{words:?}");
        }
        assert!(is_plain_select("SELECT\n  * FROM users"));
    }

    #[test]
    fn queries_are_told_from_the_traffic_around_them() {
        for query in [
            "SELECT 1",
            "/* start page */ SELECT 1",
            "/* End-point: users#show */ SELECT id FROM users",
            "-- Set of users\nSELECT id FROM users",
            "SELECT pg_catalog.now()",
            "SELECT 'pg_catalog.x'",
            "SELECT tablename FROM pg_catalog.pg_tables",
            "SET @a = (SELECT max(id) FROM t)",
            "set @a := (\n  select max(id) FROM t)",
            "SET @a = ( WITH x AS (SELECT 1) SELECT * FROM x)",
            "SET @a = EXISTS(SELECT id FROM t)",
            "SET STATEMENT max_statement_time=1 FOR SELECT id FROM t",
            "BEGIN NOT ATOMIC DELETE FROM a; END",
            "BEGIN; DELETE FROM a; DELETE FROM b; COMMIT",
            "(SELECT 1)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "ENDPOINT",
        ] {
            assert!(is_query(query), "{query}");
        }
        for around in [
            "BEGIN",
            "/* tx */ begin immediate",
            "COMMIT;",
            "SAVEPOINT _sqlx_savepoint_1",
            "SET statement_timeout = 100",
            "SET names 'utf8; SELECT'",
            "SET names 'utf8 (SELECT'",
            "SET search_path = a, (b)",
            "SET STATEMENT max_statement_time=1 FOR COMMIT",
            "SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')),time_zone='+00:00';",
            "PRAGMA foreign_keys = ON; ",
            "SELECT typname, typtype, typcategory FROM pg_catalog.pg_type WHERE oid = $1",
            "SELECT pg_type.oid,\n       type_lookup.original_name FROM x",
            "",
            "-- nothing",
        ] {
            assert!(!is_query(around), "{around}");
        }
    }
}
