//! Guards against a planner doing more than planning: limits which statements are sent, and runs each in a
//! read-only transaction that is rolled back.
//!
//! A planner evaluates functions that are declared immutable, whatever they do. Within the transaction they
//! cannot write rows. What a superuser's function could do besides (run a program on the server) is prevented
//! by a role that may only read.

use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind};

use super::{Live, Texts, one};
use crate::failure::Failure;

/// The kinds of statement that are sent.
const SENT: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES"];

/// What the catalog says about the privileges of a PostgreSQL session.
#[derive(Default)]
pub(super) struct Powers {
    /// Whether a function that runs in it can run programs on the server.
    runs_programs: bool,
    /// Whether there is a role that may read everything and do nothing else.
    has_reader: bool,
    /// Whether the database has user-defined functions that a statement could call.
    has_functions: bool,
}

impl Powers {
    pub(super) async fn read(live: &mut Live) -> Result<Powers, Failure> {
        let sql = "SELECT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)::text,
            EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'pg_read_all_data')::text,
            EXISTS (SELECT 1 FROM pg_catalog.pg_proc p
                JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
                  AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype
                  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                        AND d.deptype = 'e'))::text";
        let row: Texts = live.texts(sql).await?.into_iter().next().unwrap_or_default();
        let is = |at: usize| row.get(at).and_then(Option::as_deref) == Some("true");
        Ok(Powers { runs_programs: is(0), has_reader: is(1), has_functions: is(2) })
    }

    /// The role to plan a statement as; `None` for the session's own. An error says why it must not be
    /// planned at all.
    pub(super) fn role(&self, sql: &str) -> Result<Option<&'static str>, String> {
        let reads = matches!(verb(sql, Dialect::Postgres).as_deref(), Some("SELECT" | "VALUES"));
        match (self.runs_programs, self.has_reader && reads) {
            (false, _) => Ok(None),
            (true, true) => Ok(Some("pg_read_all_data")),
            (true, false) if !self.has_functions => Ok(None),
            (true, false) => Err(
                "as a superuser its functions could run programs: connect as a role that may only read and \
                 write its tables"
                    .to_owned(),
            ),
        }
    }
}

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

    #[test]
    fn a_superuser_plans_as_one_who_reads() {
        let superuser = Powers { runs_programs: true, has_reader: true, has_functions: true };
        assert_eq!(superuser.role("SELECT 1"), Ok(Some("pg_read_all_data")));
        assert!(superuser.role("DELETE FROM t").is_err());
        assert!(superuser.role("WITH x AS (DELETE FROM t RETURNING 1) SELECT 1").is_err());
        let plain = Powers { has_functions: false, ..superuser };
        assert_eq!(plain.role("DELETE FROM t"), Ok(None));
        assert_eq!(Powers::default().role("DELETE FROM t"), Ok(None));
    }
}
