//! Statistics of a database server: which indexes are used, the sizes of tables, which statements are slow.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::time::Duration;

use sqlx::{Database, Pool, Result};

/// The maximum number of entries read of each kind.
#[cfg(any(feature = "mysql", feature = "postgres"))]
const MAX_ENTRIES: i64 = 100;

/// Statistics of a database server. Returned by [`server_stats`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerStats {
    /// The indexes of the database, least used first.
    pub indexes: Vec<IndexStats>,
    /// Its tables, largest first.
    pub tables: Vec<TableStats>,
    /// The statements of all its users that took the most time in total, without values.
    pub statements: Vec<ServerStatementStats>,
    /// What the server does not report, and what would enable it.
    pub missing: Vec<String>,
}

/// One index, with its use since the server's statistics began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IndexStats {
    /// The table it is on, as the server names it.
    pub table: String,
    /// The index's name, which is unique per table in MySQL and per schema elsewhere.
    pub name: String,
    /// How often it was scanned; `None` if the server does not count.
    pub scans: Option<u64>,
    /// Its size in bytes, if reported.
    pub bytes: Option<u64>,
    /// Whether it enforces a key, so that it is useful even if never scanned.
    pub is_unique: bool,
}

/// One table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableStats {
    /// The table's name, as the server names it.
    pub name: String,
    /// The approximate number of rows; `None` if unknown.
    pub rows: Option<u64>,
    /// Its size in bytes including indexes, if reported.
    pub bytes: Option<u64>,
    /// The number of full scans, if reported.
    pub full_scans: Option<u64>,
}

/// One statement, with its statistics over all users.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerStatementStats {
    /// Its text without values.
    pub sql: String,
    /// How often it ran.
    pub calls: u64,
    /// Its total time.
    pub total: Duration,
    /// The number of rows it returned.
    pub rows: u64,
}

/// A database that [`server_stats`] supports. Implemented for the databases of sqlx only.
pub trait ServerViews: Database + sealed::Sealed {}

mod sealed {
    use sqlx::{Pool, Result};

    use super::ServerStats;

    /// Prevents other implementations of a trait that may get more methods.
    pub trait Sealed: Sized + sqlx::Database {
        fn stats(pool: &Pool<Self>) -> impl Future<Output = Result<ServerStats>> + Send;
    }
}

/// Reads from the server of a pool the use of its indexes, the sizes of its tables and its slowest statements: a few reads of
/// its own views, which count in no scope. For a page that an operator opens, not for each request.
///
/// | | indexes | tables | statements |
/// | --- | --- | --- | --- |
/// | PostgreSQL | `pg_stat_user_indexes` | `pg_stat_user_tables` | `pg_stat_statements`, where it is installed |
/// | MySQL, MariaDB | `performance_schema`, where it is on | `information_schema` | `performance_schema` |
/// | SQLite | its schema | `dbstat` and `sqlite_stat1`, where they are | none |
///
/// # Errors
///
/// If the database or the connection fails. Statistics that the server lacks, or does not show to this user,
/// are not an error, but listed in [`ServerStats::missing`].
///
/// ```
/// # sqlx::__rt::test_block_on(async {
/// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
/// sqlx::raw_sql("CREATE TABLE items (id INTEGER PRIMARY KEY)").execute(&pool).await?;
/// let stats = query_budget::server_stats(&pool).await?;
/// assert_eq!(stats.tables[0].name, "items");
/// # Ok::<(), sqlx::Error>(())
/// # }).unwrap();
/// ```
pub async fn server_stats<DB: ServerViews>(pool: &Pool<DB>) -> Result<ServerStats> {
    crate::uncounted(DB::stats(pool)).await
}

/// A server's count, whose type may be signed.
fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
