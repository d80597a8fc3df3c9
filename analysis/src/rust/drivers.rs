//! The names by which drivers other than sqlx take SQL: tokio-postgres and postgres with their pools, mysql and
//! mysql_async, rusqlite, Diesel's `sql_query`, SeaORM's raw statements.

use super::graph::imports::Imports;
use super::site::Fetched;
use super::type_ref::TypeRef;
use crate::sql::Dialect;

/// The crates whose calls are read, by their name in code.
const CRATES: &[&str] = &[
    "async_sqlite",
    "bb8_postgres",
    "deadpool_postgres",
    "deadpool_sqlite",
    "diesel",
    "diesel_async",
    "libsql",
    "libsql_rusqlite",
    "mobc_postgres",
    "mysql",
    "mysql_async",
    "postgres",
    "r2d2_mysql",
    "r2d2_postgres",
    "r2d2_sqlite",
    "rusqlite",
    "sea_orm",
    "tokio_postgres",
    "tokio_rusqlite",
];

/// The crates for one database, by their name in code.
const DATABASES: &[(Dialect, &[&str])] = &[
    (
        Dialect::Postgres,
        &[
            "bb8_postgres",
            "deadpool_postgres",
            "mobc_postgres",
            "postgres",
            "r2d2_postgres",
            "tokio_postgres",
        ],
    ),
    (Dialect::MySql, &["mysql", "mysql_async", "r2d2_mysql"]),
    (
        Dialect::Sqlite,
        &[
            "async_sqlite",
            "deadpool_sqlite",
            "libsql",
            "libsql_rusqlite",
            "r2d2_sqlite",
            "rusqlite",
            "tokio_rusqlite",
        ],
    ),
];

/// The crates for one database, by their name in code.
pub(super) fn databases() -> impl Iterator<Item = (&'static str, Dialect)> {
    DATABASES.iter().flat_map(|(dialect, names)| names.iter().map(|name| (*name, *dialect)))
}

/// The database of a driver; `name` is its name in a manifest or in code.
pub fn database(name: &str) -> Option<Dialect> {
    let name = name.replace('-', "_");
    databases().find(|(known, _)| *known == name).map(|(_, dialect)| dialect)
}

/// Whether a crate is such a driver; `name` is its name in a manifest or in code.
pub fn is_driver(name: &str) -> bool {
    CRATES.iter().any(|known| *known == name.replace('-', "_"))
}

/// Each of their names contains one of these: a search for every full name would slow builds down.
const PARTS: &[&str] = &["postgres", "mysql", "sqlite", "libsql", "diesel", "sea_orm"];

/// Whether a file mentions such a driver.
pub(super) fn is_named_in(source: &str) -> bool {
    if !PARTS.iter().any(|part| source.contains(part)) {
        return false;
    }
    // `sqlx::postgres` and `sqlx::mysql` are not these crates.
    let is_one_word = |name: &str| matches!(name, "postgres" | "mysql");
    let begins = [
        "use postgres::",
        " postgres::Client",
        "use mysql::",
        " mysql::Pool::",
        " mysql::PooledConn",
        " mysql::Conn",
    ];
    CRATES.iter().any(|name| !is_one_word(name) && source.contains(name))
        || begins.iter().any(|begin| source.contains(begin))
}

/// What a method does with the text or statement in its first argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Runs it, with the values in the next argument.
    Runs,
    /// Runs it without values.
    RunsScript,
    /// Runs it once for each element of the next argument.
    RunsEach,
    /// Prepares a statement from it, which runs later.
    Prepares,
}

/// What a method of a connection, client or transaction does with its first argument.
pub(super) fn method(name: &str) -> Option<Does> {
    Some(match name {
        "query" | "query_one" | "query_opt" | "query_raw" | "query_typed" | "query_typed_raw"
        | "query_all" | "query_row" | "query_row_and_then" | "query_scalar" | "execute" | "execute_raw"
        | "execute_typed" | "copy_in" | "copy_out" => Does::Runs,
        // Of SeaORM: a statement. Of tokio-postgres: a portal.
        "query_one_raw" | "query_all_raw" | "stream" | "stream_raw" | "query_portal" | "query_portal_raw" => {
            Does::Runs
        }
        "exec" | "exec_first" | "exec_iter" | "exec_map" | "exec_fold" | "exec_drop" | "exec_stream" => {
            Does::Runs
        }
        "exec_batch" => Does::RunsEach,
        "query_first" | "query_iter" | "query_map" | "query_fold" | "query_drop" | "query_stream" => {
            Does::RunsScript
        }
        "batch_execute" | "execute_batch" | "execute_unprepared" | "simple_query" | "simple_query_raw" => {
            Does::RunsScript
        }
        "prepare"
        | "prepare_cached"
        | "prepare_typed"
        | "prepare_typed_cached"
        | "prepare_with_flags"
        | "prep" => Does::Prepares,
        _ => return None,
    })
}

/// Whether a method of a statement runs it.
pub(super) fn runs_statement(name: &str) -> bool {
    matches!(
        name,
        "query"
            | "query_map"
            | "query_and_then"
            | "query_row"
            | "query_one"
            | "query_opt"
            | "exists"
            | "execute"
            | "insert"
            | "raw_query"
            | "raw_execute"
            | "load"
            | "load_iter"
            | "load_stream"
            | "get_result"
            | "get_results"
            | "one"
            | "all"
            | "stream"
    )
}

/// Whether a method makes a portal of a text and its values, `transaction.bind("..", &[..])`. The queries of sqlx and Diesel have a
/// method of this name for each value.
pub(super) fn makes_portal(name: &str, arguments: usize) -> bool {
    name == "bind" && arguments == 2
}

/// Whether a method may be given a text, so that a function with such a call matters.
pub(super) fn takes_text(name: &str) -> bool {
    method(name).is_some() || name == "bind"
}

/// Whether a function or method of SeaORM gives what runs the statement that it is given.
pub(super) fn takes_statement(name: &str) -> bool {
    matches!(name, "find_by_statement" | "from_raw_sql" | "from_statement")
}

/// Whether a method of a driver's own type runs no statement that counts: it opens, begins or ends what others run on, or hands a
/// connection to a closure.
pub(super) fn is_harmless(on: &TypeRef, name: &str) -> bool {
    is_type_of_driver(on)
        && matches!(
            name,
            "get"
                | "get_conn"
                | "get_timeout"
                | "dedicated_connection"
                | "transaction"
                | "start_transaction"
                | "build_transaction"
                | "start"
                | "savepoint"
                | "commit"
                | "rollback"
                | "call"
                | "interact"
                | "conn"
                | "ping"
                | "close"
                | "disconnect"
                | "cancel_query"
        )
}

/// Whether a type is one of such a driver.
pub(super) fn is_type_of_driver(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Named(path, _) => path.len() > 1 && path.first().is_some_and(|first| is_driver(first)),
        TypeRef::Method(of, _) => is_type_of_driver(of),
        _ => false,
    }
}

/// Whether the argument of a method may contain several statements.
pub(super) fn takes_script(name: &str) -> bool {
    method(name) == Some(Does::RunsScript)
}

/// How many rows a method returns.
pub(super) fn fetched(name: &str) -> Fetched {
    match name {
        "query" | "query_raw" | "query_typed" | "query_typed_raw" | "query_all" | "query_map"
        | "query_and_then" | "load" | "load_iter" | "load_stream" | "get_results" => Fetched::All,
        // In tokio-postgres, `query_one` and `query_opt` return an error for further rows.
        "exec" | "exec_iter" | "exec_map" | "exec_fold" | "exec_stream" | "query_iter" | "query_fold"
        | "query_stream" | "query_all_raw" | "stream" | "stream_raw" | "all" => Fetched::All,
        "one" | "query_row" | "query_row_and_then" | "get_result" | "exec_first" | "query_first" => {
            Fetched::First
        }
        _ => Fetched::Other,
    }
}

/// A function that takes SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextFunction {
    /// The position of the SQL among the arguments.
    pub(super) sql: usize,
    /// The position of the values among the arguments; `None` if they are bound later.
    pub(super) values: Option<usize>,
    /// Whether all values are visible in the call.
    pub(super) takes_values: bool,
}

/// The arguments of a function, if it is one of Diesel's or SeaORM's.
pub(super) fn function(imports: &Imports, path: &[String]) -> Option<TextFunction> {
    let full = imports.resolve(path);
    let parts: Vec<&str> = full.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["diesel", .., "sql_query"] => Some(TextFunction { sql: 0, values: None, takes_values: true }),
        ["sea_orm", .., "Statement", "from_string"] => {
            Some(TextFunction { sql: 1, values: None, takes_values: false })
        }
        ["sea_orm", .., "Statement", "from_sql_and_values"] => {
            Some(TextFunction { sql: 1, values: Some(2), takes_values: true })
        }
        ["Statement", "from_sql_and_values"] => {
            Some(TextFunction { sql: 1, values: Some(2), takes_values: true })
        }
        ["Statement", "from_string"] => Some(TextFunction { sql: 1, values: None, takes_values: false }),
        ["sql_query"] => Some(TextFunction { sql: 0, values: None, takes_values: true }),
        _ => None,
    }
}

/// Whether a bare name may be that of such a function.
pub(super) fn makes_query(name: &str) -> bool {
    matches!(
        name,
        "sql_query" | "from_sql_and_values" | "execute_unprepared" | "batch_execute" | "execute_batch"
    )
}
