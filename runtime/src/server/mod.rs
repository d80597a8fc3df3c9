//! What a server itself knows: which indexes are used, how large tables are, which statements take long.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::time::Duration;

use sqlx::{Database, Pool, Result};

/// So many of each are read at most.
#[cfg(any(feature = "mysql", feature = "postgres"))]
const MOST: i64 = 100;

/// What a database's server says of itself. Read by [`server_figures`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerFigures {
    /// The indexes of the database, those that are used least first.
    pub indexes: Vec<IndexFigures>,
    /// Its tables, the largest first.
    pub tables: Vec<TableFigures>,
    /// The statements of all its users that took the most time, without values.
    pub statements: Vec<ServerStatement>,
    /// What the server does not tell, and what would make it.
    pub missing: Vec<String>,
}

/// One index, as the server counts its use since its statistics began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IndexFigures {
    /// The table it is on.
    pub table: String,
    /// Its name.
    pub name: String,
    /// How often it was read by; `None` where the server does not count.
    pub scans: Option<u64>,
    /// Its size in bytes, where the server tells.
    pub bytes: Option<u64>,
    /// Whether it holds a key, so that it is of use also when nothing is read by it.
    pub is_unique: bool,
}

/// One table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableFigures {
    /// Its name.
    pub name: String,
    /// About so many rows; `None` where nobody has counted.
    pub rows: Option<u64>,
    /// Its size in bytes with its indexes, where the server tells.
    pub bytes: Option<u64>,
    /// How often it was read from end to end, where the server counts.
    pub full_scans: Option<u64>,
}

/// One statement, as the server counts it for all its users.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerStatement {
    /// Its text without values.
    pub sql: String,
    /// How often it ran.
    pub calls: u64,
    /// The time of all of them.
    pub total: Duration,
    /// Number of rows it gave.
    pub rows: u64,
}

/// A database whose server is asked by [`server_figures`]. Implemented for those of sqlx, and for no others.
pub trait ServerViews: Database + sealed::Sealed {}

mod sealed {
    use sqlx::{Pool, Result};

    use super::ServerFigures;

    /// Keeps others from implementing a trait that may get more methods.
    pub trait Sealed: Sized + sqlx::Database {
        fn figures(pool: &Pool<Self>) -> impl Future<Output = Result<ServerFigures>> + Send;
    }
}

/// Asks the server of a pool for the use of its indexes, the sizes of its tables and its slowest statements: a few reads of
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
/// What the database or the connection to it reports. What it has not, or does not show to this user, is no error, but in
/// [`ServerFigures::missing`].
///
/// ```
/// # sqlx::__rt::test_block_on(async {
/// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
/// sqlx::raw_sql("CREATE TABLE items (id INTEGER PRIMARY KEY)").execute(&pool).await?;
/// let figures = query_budget::server_figures(&pool).await?;
/// assert_eq!(figures.tables[0].name, "items");
/// # Ok::<(), sqlx::Error>(())
/// # }).unwrap();
/// ```
pub async fn server_figures<DB: ServerViews>(pool: &Pool<DB>) -> Result<ServerFigures> {
    crate::uncounted(DB::figures(pool)).await
}

/// A count of a server, which may be signed there.
fn count(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
