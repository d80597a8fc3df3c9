//! What a driver sends besides queries: transaction control, the set-up of a connection, look-ups in the
//! catalog.

use crate::blot::Blotted;

/// Verbs of statements that query nothing.
const AROUND: [&str; 9] =
    ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "PRAGMA"];

/// The starts of sqlx's own look-ups of types and columns, on one line; those of sqlx 0.9 first.
const LOOK_UPS: [&str; 8] = [
    "SELECT pg_type.oid, ",
    "SELECT attrelid table_oid, ",
    "SELECT NOT attnotnull FROM ( ",
    "SELECT oid FROM pg_catalog.pg_type WHERE ",
    "SELECT typname, typtype, ",
    "SELECT rngsubtype FROM pg_catalog.pg_range WHERE ",
    "SELECT attname, atttypid FROM pg_catalog.pg_attribute WHERE ",
    "SELECT enumlabel FROM pg_catalog.pg_enum WHERE ",
];

/// Whether a text queries something, rather than being part of the surrounding traffic.
///
/// A script is a query if one of its statements is.
pub(crate) fn is_query(sql: &str) -> bool {
    let starts_with_word = sql.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts_with_word && !is_around(verb(sql)) {
        return !is_look_up(sql);
    }
    // Comments are not words, and text in quotes separates no statements.
    let text = Blotted::of(sql).text;
    text.split(';').map(str::trim).filter(|statement| !statement.is_empty()).any(|statement| {
        let verb = verb(statement);
        let reads = || statement.to_ascii_uppercase().contains("(SELECT ");
        let sets_up = || statement.starts_with("SET sql_mode=(SELECT CONCAT(@@sql_mode");
        if is_around(verb) {
            verb.eq_ignore_ascii_case("SET") && reads() && !sets_up()
        } else {
            !is_look_up(statement)
        }
    })
}

/// The first word.
fn verb(statement: &str) -> &str {
    let word = statement.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    word.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

fn is_around(verb: &str) -> bool {
    AROUND.iter().any(|around| verb.eq_ignore_ascii_case(around))
}

fn is_look_up(statement: &str) -> bool {
    // A cheap test, since it runs for each query of the layer.
    let is_near = statement.starts_with("SELECT ") || statement.starts_with("SELECT\n");
    is_near && {
        let start: String = statement.chars().take(120).collect();
        let start = start.split_whitespace().collect::<Vec<_>>().join(" ");
        LOOK_UPS.iter().any(|look_up| start.starts_with(look_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
