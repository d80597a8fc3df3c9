//! A live database: opened read-only by its URL, to read its catalog.

mod catalog;
pub(crate) mod explain;
mod url;

use std::str::FromStr;

use query_budget_analysis::sql::Dialect;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ColumnIndex, ConnectOptions, Decode, Row};

use crate::failure::Failure;

pub(crate) use catalog::Catalog;
pub(crate) use url::url;

/// The maximum time for one of our statements on the server.
const TIMEOUT_SECONDS: u32 = 30;

/// A read-only connection.
pub(crate) enum Live {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// A row with its values as text.
pub(crate) type Texts = Vec<Option<String>>;

/// Runs asynchronous work on a database to completion.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new("start the runtime").because(error))?.block_on(work)
}

impl Live {
    /// Connects to the database at a URL, in a read-only session that cancels slow statements.
    pub(crate) async fn open(url: &str) -> Result<Live, Failure> {
        let failure = |error: sqlx::Error| {
            // The URL may contain a password, so it is not shown.
            Failure::new("connect to the database").because(error)
        };
        let mut live = match dialect_of(url)? {
            Dialect::Postgres => {
                let options = PgConnectOptions::from_str(url).map_err(failure)?;
                Live::Postgres(options.disable_statement_logging().connect().await.map_err(failure)?)
            }
            Dialect::MySql => {
                let options = MySqlConnectOptions::from_str(url).map_err(failure)?;
                Live::MySql(options.disable_statement_logging().connect().await.map_err(failure)?)
            }
            Dialect::Sqlite => {
                let options = SqliteConnectOptions::from_str(url).map_err(failure)?;
                let options = options.read_only(true).create_if_missing(false).disable_statement_logging();
                Live::Sqlite(options.connect().await.map_err(failure)?)
            }
        };
        live.restrict().await?;
        Ok(live)
    }

    /// The dialect of the database.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Live::Postgres(_) => Dialect::Postgres,
            Live::MySql(_) => Dialect::MySql,
            Live::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Prevents the session from writing and from running long statements.
    async fn restrict(&mut self) -> Result<(), Failure> {
        match self {
            Live::Postgres(_) => {
                self.texts("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").await?;
                self.texts(&format!("SET statement_timeout = '{TIMEOUT_SECONDS}s'")).await?;
            }
            Live::MySql(_) => {
                self.texts("SET SESSION TRANSACTION READ ONLY").await?;
                // MariaDB counts seconds; MySQL counts milliseconds, and has a different name for it.
                let mariadb = format!("SET SESSION max_statement_time = {TIMEOUT_SECONDS}");
                if self.texts(&mariadb).await.is_err() {
                    self.texts(&format!("SET SESSION max_execution_time = {TIMEOUT_SECONDS}000")).await?;
                }
            }
            // Opened read-only.
            Live::Sqlite(_) => {}
        }
        Ok(())
    }

    /// The rows of one of our statements, each value as text.
    pub(crate) async fn texts(&mut self, sql: &str) -> Result<Vec<Texts>, Failure> {
        let statement = || AssertSqlSafe(sql.to_owned());
        let rows: Result<Vec<Texts>, sqlx::Error> = match self {
            Live::Postgres(connection) => {
                let rows = sqlx::raw_sql(statement()).fetch_all(connection).await;
                rows.map(|rows| rows.iter().map(texts_of).collect())
            }
            Live::MySql(connection) => {
                let rows = sqlx::raw_sql(statement()).fetch_all(connection).await;
                rows.map(|rows| rows.iter().map(texts_of).collect())
            }
            Live::Sqlite(connection) => {
                let rows = sqlx::raw_sql(statement()).fetch_all(connection).await;
                rows.map(|rows| rows.iter().map(texts_of).collect())
            }
        };
        rows.map_err(|error| Failure::new("read the database").because(error))
    }
}

fn dialect_of(url: &str) -> Result<Dialect, Failure> {
    let known = url.split_once(':').and_then(|(scheme, _)| match scheme {
        "postgres" | "postgresql" => Some(Dialect::Postgres),
        "mysql" | "mariadb" => Some(Dialect::MySql),
        "sqlite" => Some(Dialect::Sqlite),
        _ => None,
    });
    known.ok_or_else(|| {
        Failure::new("determine the database from its URL")
            .help("begin it with `postgres://`, `mysql://` or `sqlite:`")
    })
}

pub(crate) fn texts_of<R: Row>(row: &R) -> Texts
where
    usize: ColumnIndex<R>,
    for<'r> Option<String>: Decode<'r, R::Database>,
{
    // A value that is not text counts as absent; none of our statements returns one.
    (0..row.len()).map(|at| row.try_get_unchecked::<Option<String>, _>(at).ok().flatten()).collect()
}
