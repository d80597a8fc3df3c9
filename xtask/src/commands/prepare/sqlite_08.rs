//! What sqlx 0.8 reports about a SQLite query.

use sqlx_08::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx_08::{Column as _, ConnectOptions as _, Executor as _, TypeInfo as _};

use crate::failure::Failure;
use crate::live::block_on;

/// The type of a column, and whether it can be NULL if that is known.
pub(super) type Described = (String, Option<bool>);

/// An in-memory database that sqlx 0.8 has opened.
pub(super) struct Older {
    connection: SqliteConnection,
}

impl Older {
    /// Creates one by scripts that are known to run.
    pub(super) async fn load(scripts: &[String]) -> Result<Older, Failure> {
        let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
        let failed = |error| Failure::new("open SQLite").because(error);
        let mut connection = options.connect().await.map_err(failed)?;
        for script in scripts {
            (&mut connection).execute(sqlx_08::raw_sql(script)).await.map_err(failed)?;
        }
        Ok(Older { connection })
    }

    /// The columns of a query; `None` if it cannot be described.
    pub(super) fn describe(&mut self, sql: &str) -> Result<Option<Vec<Described>>, Failure> {
        let described = block_on(async { Ok((&mut self.connection).describe(sql).await) })?;
        let Ok(described) = described else { return Ok(None) };
        let columns = described.columns.iter().enumerate();
        let of = |(at, column): (usize, &sqlx_08::sqlite::SqliteColumn)| {
            (column.type_info().name().to_owned(), described.nullable(at))
        };
        Ok(Some(columns.map(of).collect()))
    }
}
