//! [`PoolProfile`]: pool options for the environment that the program runs in, and statement timeouts.

use std::io::Write;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{Database, Error};

/// Pool options for an environment.
///
/// | | connections | for one | idle | lifetime | a statement |
/// | --- | --- | --- | --- | --- | --- |
/// | server | 2 to 10 | 5 s | 10 min | 30 min | 30 s |
/// | development | 0 to 5 | 5 s | 5 min | 30 min | 10 s |
/// | serverless | 0 to 1 | 3 s | 30 s | 5 min | 10 s |
///
/// A server keeps connections open so that requests need not wait for one. A serverless function handles one
/// request per instance at a time, there are many instances, and each has its own pool: one connection.
///
/// ```no_run
/// # async fn connect() -> sqlx::Result<()> {
/// use query_budget::PoolProfile;
///
/// let db = PoolProfile::of_environment().options::<sqlx::Sqlite>().connect("sqlite:app.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolProfile {
    /// The number of connections that are kept open.
    pub min_connections: u32,
    /// The maximum number of connections.
    pub max_connections: u32,
    /// How long a query waits for a connection.
    pub acquire_timeout: Duration,
    /// The idle time after which a connection is closed.
    pub idle_timeout: Duration,
    /// The age at which a connection is replaced.
    pub max_lifetime: Duration,
    /// The time after which the database cancels a statement; `None` for never. SQLite has no such limit.
    pub statement_timeout: Option<Duration>,
}

impl PoolProfile {
    /// For a long-running program that handles many requests concurrently.
    pub const SERVER: Self = Self {
        min_connections: 2,
        max_connections: 10,
        acquire_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(10 * 60),
        max_lifetime: Duration::from_secs(30 * 60),
        statement_timeout: Some(Duration::from_secs(30)),
    };

    /// For a program on a developer's machine.
    pub const DEVELOPMENT: Self = Self {
        min_connections: 0,
        max_connections: 5,
        idle_timeout: Duration::from_secs(5 * 60),
        statement_timeout: Some(Duration::from_secs(10)),
        ..Self::SERVER
    };

    /// For a serverless function: many instances, each of which handles one request at a time.
    pub const SERVERLESS: Self = Self {
        min_connections: 0,
        max_connections: 1,
        acquire_timeout: Duration::from_secs(3),
        idle_timeout: Duration::from_secs(30),
        max_lifetime: Duration::from_secs(5 * 60),
        statement_timeout: Some(Duration::from_secs(10)),
    };

    /// The profile for the environment.
    ///
    /// `QUERY_BUDGET_POOL` is `server`, `development` or `serverless`. If unset: serverless if the provider's
    /// variables say so (`AWS_LAMBDA_FUNCTION_NAME`, `VERCEL`, `K_SERVICE` with `K_REVISION`,
    /// `FUNCTIONS_WORKER_RUNTIME`), development in a debug build, server otherwise. `QUERY_BUDGET_POOL_SIZE`
    /// sets the maximum number of connections. An invalid value is reported on stderr and ignored.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::of(
            |name| std::env::var(name).ok(),
            |note| {
                // A closed stderr is ignored.
                let _ = writeln!(std::io::stderr(), "query-budget: {note}");
            },
        )
    }

    fn of(variable: impl Fn(&str) -> Option<String>, mut note: impl FnMut(&str)) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let serverless = is_set("AWS_LAMBDA_FUNCTION_NAME")
            || is_set("VERCEL")
            || is_set("FUNCTIONS_WORKER_RUNTIME")
            || (is_set("K_SERVICE") && is_set("K_REVISION"));
        let named = variable("QUERY_BUDGET_POOL");
        let named = named.as_deref().map(str::trim).filter(|name| !name.is_empty());
        if named.is_some_and(|name| !["server", "development", "serverless"].contains(&name)) {
            note("`QUERY_BUDGET_POOL` is not one of `server`, `development` and `serverless`: it is ignored");
        }
        let mut profile = match named {
            Some("server") => Self::SERVER,
            Some("development") => Self::DEVELOPMENT,
            Some("serverless") => Self::SERVERLESS,
            _ if serverless => Self::SERVERLESS,
            _ if cfg!(debug_assertions) => Self::DEVELOPMENT,
            _ => Self::SERVER,
        };
        let written = variable("QUERY_BUDGET_POOL_SIZE").filter(|size| !size.trim().is_empty());
        let size = written.as_deref().and_then(|size| size.trim().parse().ok()).filter(|size| *size > 0);
        if written.is_some() && size.is_none() {
            note("`QUERY_BUDGET_POOL_SIZE` is not a number of connections: it is ignored");
        }
        if let Some(size) = size {
            profile.max_connections = size;
            profile.min_connections = profile.min_connections.min(size);
        }
        profile
    }

    /// These as options of a pool, to which others can be added.
    ///
    /// The statement timeout is set on each connection by `after_connect`: an `after_connect` hook of your
    /// own replaces it.
    pub fn options<DB: StatementTimeout>(&self) -> PoolOptions<DB> {
        let options = PoolOptions::new()
            .min_connections(self.min_connections)
            .max_connections(self.max_connections)
            .acquire_timeout(self.acquire_timeout)
            .idle_timeout(self.idle_timeout)
            .max_lifetime(self.max_lifetime);
        let Some(timeout) = self.statement_timeout else { return options };
        // The set-up of a connection is not a query of the code that waits for it.
        options.after_connect(move |connection, _| {
            Box::pin(crate::uncounted(DB::set_statement_timeout(connection, timeout)))
        })
    }
}

/// A database with statement timeouts per connection. Implemented for the databases of sqlx only.
pub trait StatementTimeout: Database + sealed::Sealed {
    /// Limits each statement of this connection to this time, in whole milliseconds and at least one.
    fn set_statement_timeout(
        connection: &mut Self::Connection,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

mod sealed {
    /// Prevents other implementations of a trait that may get more methods.
    pub trait Sealed {}

    #[cfg(feature = "postgres")]
    impl Sealed for sqlx::Postgres {}
    #[cfg(feature = "mysql")]
    impl Sealed for sqlx::MySql {}
    #[cfg(feature = "sqlite")]
    impl Sealed for sqlx::Sqlite {}
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn milliseconds(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).clamp(1, i32::MAX as u64)
}

#[cfg(feature = "postgres")]
impl StatementTimeout for sqlx::Postgres {
    async fn set_statement_timeout(
        connection: &mut Self::Connection,
        timeout: Duration,
    ) -> Result<(), Error> {
        let set = format!("SET statement_timeout = {}", milliseconds(timeout));
        sqlx::Executor::execute(connection, sqlx::raw_sql(crate::driver::built(&set))).await.map(drop)
    }
}

#[cfg(feature = "mysql")]
impl StatementTimeout for sqlx::MySql {
    /// MySQL only limits `SELECT`, MariaDB every statement.
    async fn set_statement_timeout(
        connection: &mut Self::Connection,
        timeout: Duration,
    ) -> Result<(), Error> {
        let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
        let milliseconds = milliseconds(timeout);
        let set = if version.to_ascii_lowercase().contains("mariadb") {
            format!("SET SESSION max_statement_time = {}.{:03}", milliseconds / 1000, milliseconds % 1000)
        } else {
            format!("SET SESSION max_execution_time = {milliseconds}")
        };
        sqlx::Executor::execute(connection, sqlx::raw_sql(crate::driver::built(&set))).await.map(drop)
    }
}

#[cfg(feature = "sqlite")]
impl StatementTimeout for sqlx::Sqlite {
    /// SQLite has no limit for a running statement; how long it waits for a lock is an option of the
    /// connection.
    async fn set_statement_timeout(_: &mut Self::Connection, _: Duration) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(environment: &[(&str, &str)], expected: &PoolProfile) {
        let variable = |name: &str| {
            environment.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(PoolProfile::of(variable, |_| ()), *expected, "{environment:?}");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let notes_of = |name: &str, value: &str| {
            let mut notes = Vec::new();
            let variable = |asked: &str| (asked == name).then(|| value.to_owned());
            let _ = PoolProfile::of(variable, |note| notes.push(note.to_owned()));
            notes
        };
        let [note] = &notes_of("QUERY_BUDGET_POOL", "sever")[..] else { panic!("one note") };
        assert!(note.starts_with("`QUERY_BUDGET_POOL` is not one of"), "{note}");
        assert_eq!(notes_of("QUERY_BUDGET_POOL_SIZE", "many").len(), 1);
        assert_eq!(notes_of("QUERY_BUDGET_POOL_SIZE", "0").len(), 1);
        assert!(notes_of("QUERY_BUDGET_POOL", " server ").is_empty());
        assert!(notes_of("QUERY_BUDGET_POOL", "").is_empty());
    }

    #[test]
    fn environments() {
        let unset = if cfg!(debug_assertions) { PoolProfile::DEVELOPMENT } else { PoolProfile::SERVER };
        check(&[], &unset);
        check(&[("VERCEL", "1")], &PoolProfile::SERVERLESS);
        check(&[("VERCEL", "")], &unset);
        check(&[("AWS_LAMBDA_FUNCTION_NAME", "f")], &PoolProfile::SERVERLESS);
        check(&[("K_SERVICE", "s")], &unset);
        check(&[("K_SERVICE", "s"), ("K_REVISION", "r")], &PoolProfile::SERVERLESS);
        check(&[("QUERY_BUDGET_POOL", "server"), ("VERCEL", "1")], &PoolProfile::SERVER);
        check(
            &[("QUERY_BUDGET_POOL", "server"), ("QUERY_BUDGET_POOL_SIZE", "1")],
            &PoolProfile { min_connections: 1, max_connections: 1, ..PoolProfile::SERVER },
        );
        check(&[("QUERY_BUDGET_POOL_SIZE", "many")], &unset);
        check(&[("QUERY_BUDGET_POOL_SIZE", "0")], &unset);
    }
}
