//! Guards against a planner doing more than planning: limits which statements are sent, and runs each in a
//! read-only transaction that is rolled back.
//!
//! A planner evaluates functions that are declared immutable, whatever they do. Within the transaction they
//! cannot write rows. `reach` keeps away those that could do more, such as running a program on the server.

use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind};

use super::{Live, Texts, one};

/// The kinds of statement that are sent.
const SENT: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES"];

/// Checks that a text is of a kind that may be sent; an error says why not.
pub(super) fn admit(sql: &str, dialect: Dialect) -> Result<(), String> {
    match verb(sql, dialect) {
        Some(verb) if SENT.contains(&verb.as_str()) => Ok(()),
        Some(verb) => Err(format!("`{verb}` is not sent to a live database")),
        None => Err("it does not begin with a statement that is sent to a live database".to_owned()),
    }
}

/// The first word of a statement, in capitals; empty if something else comes first. MySQL's executable
/// comments (`/*! .. */`) do not count as comments.
fn verb(sql: &str, dialect: Dialect) -> Option<String> {
    let first = Lexer::new(sql, dialect)
        .find(|token| token.kind != TokenKind::Symbol || sql.get(token.span.range()) != Some("("))
        .filter(|token| token.kind == TokenKind::Word)?;
    let before = sql.get(..first.span.start)?;
    if before.contains("/*!") || before.contains("/*M!") {
        return None;
    }
    Some(sql.get(first.span.range())?.to_uppercase())
}

/// Begins a read-only transaction.
pub(super) async fn begin(live: &mut Live) -> Result<(), String> {
    let sql = match live.dialect() {
        Dialect::Postgres => "BEGIN TRANSACTION READ ONLY",
        Dialect::MySql => "START TRANSACTION READ ONLY",
        // The file is opened read-only.
        Dialect::Sqlite => return Ok(()),
    };
    live.texts(sql).await.map(drop).map_err(|failure| failure.to_string())
}

/// Ends the transaction, whatever its outcome.
pub(super) async fn roll_back(live: &mut Live) {
    if live.dialect() != Dialect::Sqlite {
        // If this fails, the connection is gone, and the next statement will report it.
        let _ = live.texts("ROLLBACK").await;
    }
}

/// Runs one of our own statements in a separate transaction.
pub(super) async fn alone(live: &mut Live, sql: &str) -> Result<Vec<Texts>, String> {
    begin(live).await?;
    let rows = one(live, sql).await;
    roll_back(live).await;
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_that_are_explained_are_sent() {
        for sql in [
            "SELECT 1",
            "-- a\n/* b */ ((select 1))",
            "with x as (select 1) select * from x",
            "INSERT INTO t VALUES (1)",
        ] {
            assert_eq!(admit(sql, Dialect::MySql), Ok(()), "{sql}");
        }
        for sql in [
            "ANALYZE SELECT 1",
            "analyze format=json select 1",
            "/*!50000 ANALYZE */ SELECT 1",
            "/*M!100100 ANALYZE */ SELECT 1",
            "FORMAT=JSON SELECT 1",
            "EXTENDED SELECT 1",
            "SET GLOBAL x = 1",
            "COPY t TO PROGRAM 'x'",
            "EXECUTE planned",
            "TABLE t",
            "",
            "'x'",
        ] {
            assert!(admit(sql, Dialect::MySql).is_err(), "{sql}");
        }
    }
}
