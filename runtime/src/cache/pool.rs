//! [`CachedPool`]: a pool whose reads can be cached and whose writes invalidate.

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use sqlx::{Database, Executor, Pool, Result};

use super::key::Parts;
use super::memory::Memory;
use super::store::Store;
use super::tables::Written;
use super::{Cache, Transaction};
use crate::target::{BatchTarget, Target, Watch};
use crate::touched::Tables;

/// A pool with a [`Cache`]: queries run on `&db` as on a pool of sqlx, cached ones look in the cache first,
/// and those that write invalidate what they write.
///
/// Use it in a service instead of the pool. Queries that are not written with `sql!` and related macros do
/// not run on it, because what they write is unknown: run them on [`pool`](Self::pool), and name their tables
/// with [`invalidate`](Self::invalidate).
///
/// ```
/// use query_budget::cache::CachedPool;
/// use sqlx::{Result, Sqlite};
///
/// async fn restore(db: &CachedPool<Sqlite>, dump: &'static str) -> Result<()> {
///     sqlx::raw_sql(dump).execute(db.pool()).await?;
///     db.invalidate(["events", "logs"]).await;
///     Ok(())
/// }
/// # let _ = restore;
/// ```
pub struct CachedPool<DB: Database, S: Store = Memory> {
    pool: Pool<DB>,
    cache: Cache<S>,
    /// Distinguishes this database from others whose rows are in the same cache.
    identity: [u8; 32],
}

impl<DB: Database, S: Store> Clone for CachedPool<DB, S> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), cache: self.cache.clone(), identity: self.identity }
    }
}

impl<DB: Database, S: Store + Debug> Debug for CachedPool<DB, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedPool").field("pool", &self.pool).field("cache", &self.cache).finish()
    }
}

impl<DB: Database, S: Store> CachedPool<DB, S> {
    pub(crate) fn new(pool: Pool<DB>, cache: Cache<S>) -> Self {
        let identity = cache.shared.store.identity(&pool);
        Self { pool, cache, identity }
    }

    /// The pool itself, bypassing the cache.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// The cache that reads on this pool use and its writes invalidate.
    #[must_use]
    pub fn cache(&self) -> &Cache<S> {
        &self.cache
    }

    /// See [`Cache::invalidate`].
    pub async fn invalidate<T>(&self, tags: impl IntoIterator<Item = T>) -> bool
    where
        T: Into<Cow<'static, str>>,
    {
        self.cache.invalidate(tags).await
    }

    /// Begins a transaction that invalidates what it has written when it commits.
    ///
    /// # Errors
    ///
    /// If the pool or the database fails.
    pub async fn begin(&self) -> Result<Transaction<DB, S>> {
        Ok(Transaction::new(self.pool.begin().await?, self.cache.clone()))
    }

    pub(crate) fn parts(&self) -> Parts {
        Parts::new().bytes(&self.identity).text(DB::NAME)
    }
}

impl<'p, DB, S> Target<'_> for &'p CachedPool<DB, S>
where
    DB: Database,
    S: Store,
    for<'a> &'a mut DB::Connection: Executor<'a, Database = DB>,
{
    type Database = DB;
    type Executor = &'p Pool<DB>;
    type Watch = Autocommit<'p, S>;

    fn split(self) -> (Self::Executor, Self::Watch) {
        (&self.pool, Autocommit(&self.cache))
    }
}

impl<'p, DB: Database, S: Store> BatchTarget<'p> for &'p CachedPool<DB, S> {
    type Database = DB;
    type Source = &'p Pool<DB>;
    type Watch = Autocommit<'p, S>;

    fn split_batch(self) -> (Self::Source, Self::Watch) {
        (&self.pool, Autocommit(&self.cache))
    }
}

/// Invalidates what a statement has written when it ends.
#[doc(hidden)]
pub struct Autocommit<'c, S: Store>(&'c Cache<S>);

impl<S: Store> Watch for Autocommit<'_, S> {
    fn watching<'e, T: Send + 'e>(
        self,
        tables: &'static Tables,
        execution: BoxFuture<'e, Result<T>>,
    ) -> BoxFuture<'e, Result<T>>
    where
        Self: 'e,
    {
        let watched = async move {
            let mut written = Unsettled::new(self.0, Written::by(tables));
            let result = execution.await;
            // After an error too: the connection may break after the database has executed the statement.
            written.settle().await;
            result
        };
        watched.boxed()
    }

    fn watching_rows<'e, T: Send + 'e>(
        self,
        tables: &'static Tables,
        rows: BoxStream<'e, Result<T>>,
    ) -> BoxStream<'e, Result<T>>
    where
        Self: 'e,
    {
        if tables.only_reads() {
            return rows;
        }
        let mut written = Unsettled::new(self.0, Written::by(tables));
        let end = stream::once(async move {
            written.settle().await;
        });
        rows.map(Some).chain(end.map(|()| None)).filter_map(std::future::ready).boxed()
    }
}

/// Writes that still have to be invalidated, at the latest when this is dropped.
pub(crate) struct Unsettled<'c, S: Store> {
    cache: &'c Cache<S>,
    written: Option<Written>,
}

impl<'c, S: Store> Unsettled<'c, S> {
    pub(crate) fn new(cache: &'c Cache<S>, written: Written) -> Self {
        Self { cache, written: Some(written) }
    }

    /// Invalidates them; returns whether all users of the cache have been notified.
    pub(crate) async fn settle(&mut self) -> bool {
        let Some(tags) = self.written.as_ref().and_then(Written::tags) else {
            self.written = None;
            return true;
        };
        let is_told = self.cache.forget(tags).await;
        self.written = None;
        is_told
    }
}

impl<S: Store> Drop for Unsettled<'_, S> {
    fn drop(&mut self) {
        if let Some(tags) = self.written.take().and_then(|written| written.tags()) {
            self.cache.forget_soon(tags);
        }
    }
}
