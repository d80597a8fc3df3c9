//! The result of a statement that is not a query: TRUNCATE returns nothing, SHOW the value of a setting.

use super::Dialect;
use super::explain;
use super::expr::Call;
use super::lex::{Lexer, unquote};

/// The result of a statement without a block of rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Answers {
    /// No rows.
    Nothing,
    /// Rows with these columns: the name of each, and that of its type in the catalog.
    Columns(Vec<(String, &'static str)>),
    /// One row of what a procedure of PostgreSQL gives back: its INOUT and OUT parameters.
    Procedure(Box<Call>),
    /// Rows whose columns are not known; why, as a fragment.
    Unknown(&'static str),
}

/// The result of the statement, judging by its first words.
pub(super) fn of(sql: &str, dialect: Dialect) -> Answers {
    let mut words =
        Lexer::new(sql, dialect).map(|token| sql.get(token.span.range()).unwrap_or_default()).take(4);
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    match (dialect, first.as_str()) {
        // The server returns rows of no other command.
        (Dialect::Postgres, "show") => Answers::Columns(settings(&words.collect::<Vec<_>>())),
        (Dialect::Postgres, "explain") => match explain::explain(sql) {
            Some(plan) => Answers::Columns(vec![(explain::COLUMN.to_owned(), plan.ty)]),
            None => Answers::Unknown("the statement after EXPLAIN is not supported"),
        },
        (_, "call") => Answers::Unknown("the rows that a procedure returns are not known"),
        (_, "execute") => Answers::Unknown("the statement that was prepared is not known"),
        (Dialect::Postgres, "fetch") => Answers::Unknown("the query of a cursor is not followed"),
        (Dialect::MySql, "analyze" | "check" | "checksum" | "desc" | "describe" | "explain")
        | (Dialect::MySql, "handler" | "help" | "optimize" | "repair" | "show" | "xa")
        | (Dialect::Sqlite, "explain" | "pragma") => {
            Answers::Unknown("the columns of a report are not known")
        }
        _ => Answers::Nothing,
    }
}

/// The columns of SHOW with these words after it.
fn settings(words: &[&str]) -> Vec<(String, &'static str)> {
    let is = |at: usize, name: &str| words.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name));
    if is(0, "all") {
        return ["name", "setting", "description"].map(|name| (name.to_owned(), "text")).into();
    }
    let name = if is(0, "time") && is(1, "zone") {
        "TimeZone".to_owned()
    } else if is(0, "transaction") && is(1, "isolation") {
        "transaction_isolation".to_owned()
    } else if is(0, "session") && is(1, "authorization") {
        "session_authorization".to_owned()
    } else {
        // An extension's setting has a point in its name.
        let end = if is(1, ".") { 3 } else { 1 };
        let name: String = words.iter().take(end).map(|word| unquote(word, Dialect::Postgres)).collect();
        // The server returns the name as it spells it.
        ["DateStyle", "IntervalStyle", "TimeZone"]
            .into_iter()
            .find(|spelt| spelt.eq_ignore_ascii_case(&name))
            .map_or_else(|| name.to_ascii_lowercase(), str::to_owned)
    };
    vec![(name, "text")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_answers_nothing_and_show_a_setting() {
        for (sql, expect) in [
            ("TRUNCATE users CASCADE", Ok("")),
            ("/* first */ NOTIFY jobs, 'one'", Ok("")),
            ("SET LOCAL statement_timeout = 0", Ok("")),
            ("MOVE 3 IN c", Ok("")),
            ("SHOW server_version", Ok("server_version text")),
            ("show \"TimeZone\";", Ok("TimeZone text")),
            ("SHOW TIME ZONE", Ok("TimeZone text")),
            ("SHOW datestyle", Ok("DateStyle text")),
            ("SHOW TRANSACTION ISOLATION LEVEL", Ok("transaction_isolation text")),
            ("SHOW app.user_id", Ok("app.user_id text")),
            ("SHOW ALL", Ok("name text, setting text, description text")),
            ("EXPLAIN (FORMAT JSON) SELECT 1", Ok("QUERY PLAN json")),
            ("CALL p()", Err("procedure")),
            ("FETCH 3 FROM c", Err("cursor")),
        ] {
            match (of(sql, Dialect::Postgres), expect) {
                (Answers::Procedure(_), _) => panic!("{sql} is resolved elsewhere"),
                (Answers::Nothing, expect) => assert_eq!(expect, Ok(""), "{sql}"),
                (Answers::Columns(columns), expect) => {
                    let columns: Vec<String> =
                        columns.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
                    assert_eq!(expect, Ok(columns.join(", ").as_str()), "{sql}");
                }
                (Answers::Unknown(why), expect) => {
                    assert!(expect.is_err_and(|expect| why.contains(expect)), "{sql}: {why}");
                }
            }
        }
        assert_eq!(of("TRUNCATE t", Dialect::MySql), Answers::Nothing);
        assert!(matches!(of("SHOW TABLES", Dialect::MySql), Answers::Unknown(_)));
        assert!(matches!(of("PRAGMA user_version", Dialect::Sqlite), Answers::Unknown(_)));
    }
}
