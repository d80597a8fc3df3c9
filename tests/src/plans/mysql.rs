//! Plans of MySQL and MariaDB.

use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};

use super::Read;

/// The plan of a statement without parameters.
///
/// # Errors
///
/// If the database cannot plan it.
pub async fn plan(connection: &mut MySqlConnection, sql: &str) -> sqlx::Result<Vec<Read>> {
    let rows = connection.fetch_all(AssertSqlSafe(format!("EXPLAIN {sql}"))).await?;
    let read = |row: &sqlx::mysql::MySqlRow| {
        // A line about a derived table or a union names no table of the schema.
        let how: String = row.try_get("type").ok()?;
        let table: String = row.try_get("table").ok()?;
        let key: Option<String> = row.try_get("key").ok()?;
        let is_table = !table.starts_with('<');
        is_table.then(|| Read {
            is_open: false,
            is_served: !matches!(how.to_lowercase().as_str(), "all" | "index"),
            said: format!("{how} of {table} by {key:?}"),
            alias: table,
            indexes: key.into_iter().collect(),
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}
