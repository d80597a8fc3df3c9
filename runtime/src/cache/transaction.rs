//! [`Transaction`]: collects what is written, and invalidates it on commit.

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::{Database, Executor, Result};

use super::Cache;
use super::memory::Memory;
use super::pool::Unsettled;
use super::store::Store;
use super::tables::Written;
use crate::target::{BatchTarget, Target, Watch};
use crate::touched::Tables;

/// A transaction of a [`CachedPool`](super::CachedPool). Queries run on `&mut transaction`.
///
/// What it has written is invalidated on commit, before [`commit`](Self::commit) returns. If dropped, it is
/// rolled back and invalidates nothing. Reads in it are not cached.
///
/// ```
/// use query_budget::cache::CachedPool;
/// use query_budget::sql;
/// use sqlx::{Result, Sqlite};
///
/// async fn clear(db: &CachedPool<Sqlite>, event: i64) -> Result<()> {
///     let mut transaction = db.begin().await?;
///     sql!("DELETE FROM logs WHERE event_id = ?1", event).execute(&mut transaction).await?;
///     sql!("DELETE FROM events WHERE id = ?1", event).execute(&mut transaction).await?;
///     transaction.commit().await?; // Invalidates reads of `logs` and `events`.
///     Ok(())
/// }
/// # let _ = clear;
/// ```
pub struct Transaction<DB: Database, S: Store = Memory> {
    inner: sqlx::Transaction<'static, DB>,
    cache: Cache<S>,
    written: Written,
}

impl<DB: Database, S: Store> Debug for Transaction<DB, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("written", &self.written).finish_non_exhaustive()
    }
}

/// The result of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// Whether all users of the cache have been notified of the invalidation. If not, they will be once the cache
    /// is reachable, and no entry outlives its time to live.
    pub acknowledged: bool,
}

impl<DB: Database, S: Store> Transaction<DB, S> {
    pub(crate) fn new(inner: sqlx::Transaction<'static, DB>, cache: Cache<S>) -> Self {
        Self { inner, cache, written: Written::default() }
    }

    /// Commits, and invalidates what was written.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails. What was written is invalidated then too: a connection can
    /// break after the database has committed.
    pub async fn commit(self) -> Result<Committed> {
        let Self { inner, cache, written } = self;
        let mut written = Unsettled::new(&cache, written);
        let result = inner.commit().await;
        let acknowledged = written.settle().await;
        result.map(|()| Committed { acknowledged })
    }

    /// Rolls back.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails.
    pub async fn rollback(self) -> Result<()> {
        let Self { inner, cache, written } = self;
        // Unknown statements may have committed implicitly, as DDL does in MySQL.
        let written = if written.is_unknown() { written } else { Written::default() };
        let mut written = Unsettled::new(&cache, written);
        let result = inner.rollback().await;
        written.settle().await;
        result
    }

    /// Also invalidates these tags on commit: for writes by triggers and functions of the database that the
    /// snapshot does not contain.
    pub fn invalidates<T: Into<Cow<'static, str>>>(&mut self, tags: impl IntoIterator<Item = T>) {
        self.written.add_tags(tags.into_iter().map(Into::into));
    }

    /// The connection, for queries that are not written with `sql!`, and functions that take one. What is
    /// written through it is unknown: on commit, everything is invalidated.
    pub fn connection(&mut self) -> &mut DB::Connection {
        self.written.add_unknown();
        &mut self.inner
    }

    /// The connection, for code that writes these tables and no others.
    pub fn connection_writing<T: Into<Cow<'static, str>>>(
        &mut self,
        tables: impl IntoIterator<Item = T>,
    ) -> &mut DB::Connection {
        self.invalidates(tables);
        &mut self.inner
    }
}

impl<'c, DB, S> Target<'c> for &'c mut Transaction<DB, S>
where
    DB: Database,
    S: Store,
    &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    type Database = DB;
    type Executor = &'c mut DB::Connection;
    type Watch = Gather<'c>;

    fn split(self) -> (Self::Executor, Self::Watch) {
        (&mut self.inner, Gather(&mut self.written))
    }
}

impl<'c, DB: Database, S: Store> BatchTarget<'c> for &'c mut Transaction<DB, S> {
    type Database = DB;
    type Source = &'c mut sqlx::Transaction<'static, DB>;
    type Watch = Gather<'c>;

    fn split_batch(self) -> (Self::Source, Self::Watch) {
        (&mut self.inner, Gather(&mut self.written))
    }
}

/// Records what a statement writes.
#[doc(hidden)]
pub struct Gather<'c>(&'c mut Written);

impl Watch for Gather<'_> {
    fn watching<'e, T: Send + 'e>(
        self,
        tables: &'static Tables,
        execution: BoxFuture<'e, Result<T>>,
    ) -> BoxFuture<'e, Result<T>>
    where
        Self: 'e,
    {
        self.0.add(tables);
        execution
    }

    fn watching_rows<'e, T: Send + 'e>(
        self,
        tables: &'static Tables,
        rows: BoxStream<'e, Result<T>>,
    ) -> BoxStream<'e, Result<T>>
    where
        Self: 'e,
    {
        self.0.add(tables);
        rows
    }
}
