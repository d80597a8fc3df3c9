//! Knowledge about sqlx's pools, connections and transactions: what they give, and which traits they have.

use super::resolve::{Ty, last};
use super::standard::pointee;

/// The trait of sqlx that all of them have, by reference.
pub(super) const EXECUTOR: &str = "sqlx::Executor";

/// The types of a database: the database itself, its pool, connection and transaction.
const DATABASES: [[&str; 4]; 4] = [
    ["sqlx::Postgres", "PgPool", "PgConnection", "PgTransaction"],
    ["sqlx::MySql", "MySqlPool", "MySqlConnection", "MySqlTransaction"],
    ["sqlx::Sqlite", "SqlitePool", "SqliteConnection", "SqliteTransaction"],
    ["sqlx::Any", "AnyPool", "AnyConnection", "AnyTransaction"],
];

/// Whether this is a trait of sqlx that pools and connections have.
pub(super) fn is_executor(of_trait: &str) -> bool {
    let name = last(of_trait);
    let of_database = name.strip_suffix("Executor").is_some_and(|of| matches!(of, "Pg" | "MySql" | "Sqlite"));
    let is_of_sqlx = of_trait.starts_with("sqlx::");
    is_of_sqlx && matches!(name, "Executor" | "Acquire") || of_database && (is_of_sqlx || name == of_trait)
}

/// Whether this is a pool, connection or transaction of sqlx.
pub(super) fn is_one(key: &str) -> bool {
    let name = last(key);
    let is_named = DATABASES.iter().any(|[_, names @ ..]| names.contains(&name));
    match key.strip_prefix("sqlx::") {
        Some(_) => is_named || matches!(name, "Pool" | "PoolConnection" | "Transaction"),
        None => is_named && name == key,
    }
}

/// The database of a pool, connection or transaction.
fn database(ty: &Ty) -> Option<Ty> {
    let Ty::Named(key, arguments) = ty else { return None };
    if !is_one(key) {
        return None;
    }
    match DATABASES.iter().find(|[_, names @ ..]| names.contains(&last(key))) {
        Some([database, ..]) => Some(Ty::Named((*database).into(), Vec::new())),
        None => arguments.first().cloned().flatten(),
    }
}

/// The connection that a transaction, or a connection of a pool, dereferences to.
pub(super) fn inside(ty: &Ty) -> Option<Ty> {
    let Ty::Named(key, _) = ty else { return None };
    let points = last(key) == "PoolConnection" || last(key).ends_with("Transaction");
    let Ty::Named(of, _) = database(ty).filter(|_| points)? else { return None };
    let [_, _, connection, _] = DATABASES.iter().find(|[database, ..]| last(database) == last(&of))?;
    Some(Ty::Named(format!("sqlx::{connection}").into(), Vec::new()))
}

/// What a method of a pool, connection or transaction gives, behind a result.
pub(super) fn given(of: &Ty, method: &str) -> Option<Ty> {
    let name = match method {
        "begin" | "begin_with" => "sqlx::Transaction",
        "acquire" => "sqlx::PoolConnection",
        _ => return None,
    };
    let database = database(&pointee(of.clone()))?;
    Some(Ty::Named(name.into(), vec![Some(database)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_leads_to_the_connection_of_its_database() {
        let pool = |name: &str| Ty::Named(name.into(), Vec::new());
        for (of, connection) in [
            ("sqlx::PgPool", Some("sqlx::PgConnection")),
            ("SqlitePool", Some("sqlx::SqliteConnection")),
            ("app::PgPool", None),
            ("sqlx::Row", None),
        ] {
            let begun = given(&pool(of), "begin");
            let found = begun.as_ref().and_then(inside);
            assert_eq!(found, connection.map(pool), "{of}");
        }
        assert_eq!(given(&pool("sqlx::PgPool"), "close"), None);
        assert_eq!(inside(&pool("sqlx::PgPool")), None);
    }
}
