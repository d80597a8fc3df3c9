//! Whether source opens a database connection, judging by its tokens.

use super::tokens::tokens;

/// The types of sqlx and rusqlite that open connections.
const TYPES: &[&str] = &[
    "SqlitePool",
    "SqliteConnection",
    "SqlitePoolOptions",
    "SqliteConnectOptions",
    "PgPool",
    "PgConnection",
    "PgPoolOptions",
    "PgConnectOptions",
    "MySqlPool",
    "MySqlConnection",
    "MySqlPoolOptions",
    "MySqlConnectOptions",
    "AnyPool",
    "AnyConnection",
    "AnyPoolOptions",
    "PoolOptions",
    "Pool",
    "Connection",
];

/// The functions that open one.
const CALLS: &[&str] = &[
    "connect",
    "connect_with",
    "connect_lazy",
    "connect_lazy_with",
    "open",
    "open_with_flags",
    "open_in_memory",
];

/// Each of the types contains one of these.
const TYPE_PARTS: [&str; 2] = ["Connect", "Pool"];

/// Each of the functions contains one of these.
const CALL_PARTS: [&str; 2] = ["connect", "open"];

/// Whether source opens a database with sqlx or rusqlite.
pub fn opens_database(source: &str) -> bool {
    // Tokenizing takes time, and few files contain a part of these names.
    let has = |parts: [&str; 2]| parts.iter().any(|part| source.contains(part));
    if !has(TYPE_PARTS) || !has(CALL_PARTS) {
        return false;
    }
    let tokens = tokens(source);
    let names_type = tokens.iter().any(|token| TYPES.contains(&token.text));
    let is_call = |at: usize| {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        CALLS.contains(&text(at)) && text(at + 1) == "(" && matches!(text(at.wrapping_sub(1)), "." | ":")
    };
    names_type && (0..tokens.len()).any(is_call)
}

#[cfg(test)]
mod tests {
    use super::{CALL_PARTS, CALLS, TYPE_PARTS, TYPES, opens_database};

    #[test]
    fn a_connection_is_opened_by_its_type() {
        for source in [
            "async fn f(path: &str) { let pool = SqlitePool::connect(path).await?; }",
            "let db = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;",
            "let db = rusqlite::Connection::open(path)?;",
        ] {
            assert!(opens_database(source), "{source}");
        }
        for source in [
            "async fn f(pool: &SqlitePool) { query(\"SELECT 1\").execute(pool).await }",
            "fn f(pool: SqlitePool) {} // SqlitePool::connect(path)",
            "let stream = TcpStream::connect(address).await?;",
            "",
        ] {
            assert!(!opens_database(source), "{source}");
        }
    }

    #[test]
    fn every_name_contains_a_part_that_is_searched_first() {
        let has = |name: &str, parts: [&str; 2]| parts.iter().any(|part| name.contains(part));
        assert!(TYPES.iter().all(|name| has(name, TYPE_PARTS)));
        assert!(CALLS.iter().all(|name| has(name, CALL_PARTS)));
    }
}
