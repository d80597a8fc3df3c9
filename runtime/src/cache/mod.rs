//! Cached reads with automatic invalidation: each query of `sql!` and related macros knows which tables it
//! reads and writes.
//!
//! ```
//! use std::time::Duration;
//!
//! use query_budget::cache::{Cache, CachedPool};
//! use query_budget::{sql, sql_scalar};
//! use sqlx::{Result, Sqlite};
//!
//! async fn users(db: &CachedPool<Sqlite>) -> Result<i64> {
//!     let count = sql_scalar!(i64, "SELECT count(*) FROM users").cached(Duration::from_secs(60));
//!     Ok(*count.fetch_one(db).await?)
//! }
//!
//! # sqlx::__rt::test_block_on(async {
//! # let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
//! # sqlx::raw_sql("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)").execute(&pool).await?;
//! let db = Cache::in_memory("app").over(pool);
//! assert_eq!(users(&db).await?, 0);
//! assert_eq!(users(&db).await?, 0); // The database is not asked.
//!
//! // A write on the pool invalidates what reads its tables, once it is done.
//! sql!("INSERT INTO users (email) VALUES ('a@example.org')").execute(&db).await?;
//! assert_eq!(users(&db).await?, 1);
//!
//! // One in a transaction invalidates when it is committed, and not at all when it is rolled back.
//! let mut transaction = db.begin().await?;
//! sql!("INSERT INTO users (email) VALUES ('b@example.org')").execute(&mut transaction).await?;
//! transaction.commit().await?;
//! assert_eq!(users(&db).await?, 2);
//! # Ok::<_, sqlx::Error>(()) }).unwrap();
//! ```
//!
//! **Guarantees.** A read that starts after a write was acknowledged does not see the state before it. An
//! entry is valid for the versions that its tables had when its rows were about to be read, so that a read
//! that is overtaken by a write is never found. No entry outlives its time to live; each expires up to a
//! tenth earlier, at random, so that entries created together do not expire together. Of concurrent readers
//! that miss an entry, one per process queries the database and the others wait for it. An unreachable cache
//! is not an error: the database is queried. Between processes all of this holds with `Cache::redis`; with
//! `Cache::in_memory_with_bus` a write is seen by another process when a message arrives.
//!
//! **What is tracked.** The tables are those of the schema's snapshot: for a view those behind it, for a
//! write also those that its foreign keys, partitions, triggers, rules and functions affect. Anything unknown
//! counts as all tables: any write invalidates a query that reads something unknown, and a query that writes
//! something unknown invalidates everything.
//!
//! **What is not tracked.** Writes that bypass a [`CachedPool`]: raw queries, other programs and sqlx's own
//! macros. Name their tables: `db.invalidate(["events"])`, or, for a transaction,
//! [`Transaction::connection_writing`]; the lint `uncached_write` finds writes whose tables are not named. A
//! pool of a replica may return rows that are older than what was invalidated.

mod cached;
mod flight;
mod key;
mod memory;
mod pool;
#[cfg(feature = "redis")]
mod redis;
mod stats;
mod store;
mod tables;
mod transaction;

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sqlx::{Database, Pool, Result};

pub use self::cached::Cached;
use self::flight::{Flights, Turn};
use self::key::Key;
pub use self::memory::Memory;
pub use self::pool::CachedPool;
#[cfg(feature = "redis")]
pub use self::redis::{InvalidUrl, Redis};
use self::stats::Counts;
pub use self::stats::{CacheStats, stats};
use self::store::Found;
pub use self::store::{Store, Stores};
use self::tables::Tags;
pub use self::transaction::{Committed, Transaction};
#[doc(hidden)]
pub use crate::touched::Tables;

/// A cache of query results. Clones share the same cache.
pub struct Cache<S: Store = Memory> {
    shared: Arc<Shared<S>>,
}

struct Shared<S: Store> {
    name: Cow<'static, str>,
    store: S,
    flights: Flights<S::Stamp>,
    counts: Counts,
}

impl<S: Store> Clone for Cache<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Store + Debug> Debug for Cache<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", &self.shared.name).field("store", &self.shared.store).finish()
    }
}

/// The default maximum number of entries.
const ENTRIES: u64 = 10_000;

impl Cache<Memory> {
    /// A cache in the memory of this process, with room for 10,000 entries. The name appears in statistics.
    ///
    /// Other processes have caches of their own, in which their entries outlive the writes of this one: instances of a
    /// service share a `Redis`, or tell each other what they write with `in_memory_with_bus`.
    #[must_use]
    pub fn in_memory(name: impl Into<Cow<'static, str>>) -> Self {
        Self::in_memory_of(name, ENTRIES)
    }

    /// A cache in the memory of this process, with room for this many entries.
    #[must_use]
    pub fn in_memory_of(name: impl Into<Cow<'static, str>>, entries: u64) -> Self {
        Self::on(name.into(), Memory::of(entries))
    }

    /// A cache in the memory of this process, with room for 10,000 entries, that exchanges invalidations with all caches of
    /// its name over a Redis or Valkey server: `redis://127.0.0.1:6379`. A hit asks no server, and values need not be
    /// serialised.
    ///
    /// A write takes effect here before it is acknowledged, as in [`in_memory`](Self::in_memory), and in another process
    /// when its message arrives: usually within a few milliseconds, and within a second if that process loses its connection
    /// unnoticed. [`Committed::acknowledged`] says that the server has the message. A process that has lost its connection,
    /// or has had no answer of the server for a second, queries the database; once it listens again, it starts without entries.
    /// Where another process must not see the state before a write from the moment the write is acknowledged, use
    /// [`redis`](Self::redis).
    ///
    /// The connections need permission for `PUBLISH`, `SUBSCRIBE` and `PING`, and the channel `{name}:invalidated`. Requires a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// If the URL is invalid. An unreachable server is not an error.
    #[cfg(feature = "redis")]
    pub async fn in_memory_with_bus(
        name: impl Into<Cow<'static, str>>,
        url: &str,
    ) -> std::result::Result<Self, InvalidUrl> {
        Self::in_memory_of_with_bus(name, ENTRIES, url).await
    }

    /// Like [`in_memory_with_bus`](Self::in_memory_with_bus), with room for this many entries.
    ///
    /// # Errors
    ///
    /// If the URL is invalid.
    #[cfg(feature = "redis")]
    pub async fn in_memory_of_with_bus(
        name: impl Into<Cow<'static, str>>,
        entries: u64,
        url: &str,
    ) -> std::result::Result<Self, InvalidUrl> {
        let name = name.into();
        let memory = Memory::of(entries).with_bus(&name, url).await?;
        Ok(Self::on(name, memory))
    }
}

impl<S: Store> Cache<S> {
    fn on(name: Cow<'static, str>, store: S) -> Self {
        let (flights, counts) = (Flights::new(), Counts::default());
        let shared = Arc::new(Shared { name, store, flights, counts });
        let watched: Weak<Shared<S>> = Arc::downgrade(&shared);
        stats::watch(Box::new(move || watched.upgrade().map(|shared| shared.stats())));
        Self { shared }
    }

    /// A pool whose reads can be cached here, and whose writes invalidate them.
    #[must_use]
    pub fn over<DB: Database>(&self, pool: Pool<DB>) -> CachedPool<DB, S> {
        CachedPool::new(pool, self.clone())
    }

    /// Invalidates what was read from these tables, and what has one of these tags. Returns whether all users
    /// of the cache have been notified; if not, they will be once the cache is reachable, and no entry outlives
    /// its time to live.
    ///
    /// Call it after a write that the cache does not see, once it is committed.
    pub async fn invalidate<T>(&self, tags: impl IntoIterator<Item = T>) -> bool
    where
        T: Into<Cow<'static, str>>,
    {
        let tags = Tags::named(tags.into_iter().map(Into::into));
        self.forget(tags).await
    }

    /// Invalidates everything.
    pub async fn invalidate_all(&self) -> bool {
        self.forget(Tags::everything()).await
    }

    /// The activity of the cache since its creation.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.shared.stats()
    }

    pub(crate) async fn forget(&self, tags: Tags) -> bool {
        let Shared { name, counts, store, .. } = &*self.shared;
        counts.invalidations.add(name, "invalidation");
        let is_told = store.invalidate(tags).await;
        if !is_told {
            counts.unacknowledged.add(name, "unacknowledged");
        }
        is_told
    }

    pub(crate) fn forget_soon(&self, tags: Tags) {
        let Shared { name, counts, store, .. } = &*self.shared;
        counts.invalidations.add(name, "invalidation");
        store.invalidate_soon(tags);
    }

    /// The cached value of the key, else the result of `read`, which is then cached for this long.
    pub(crate) async fn get<V>(
        &self,
        key: Key,
        tags: Tags,
        lives: Duration,
        read: impl Future<Output = Result<V>>,
    ) -> Result<Arc<V>>
    where
        S: Stores<V>,
        V: Send + Sync + 'static,
    {
        let Shared { name, counts, store, flights, .. } = &*self.shared;
        let stamp = match store.find(&key, &tags).await {
            Found::Value(value) => {
                counts.hits.add(name, "hit");
                return Ok(value);
            }
            Found::Nothing(stamp) => Some(stamp),
            Found::Unreachable => None,
        };
        let seat = flights.join(key);
        let lead = match seat.turn(stamp.as_ref()).await {
            Turn::Read(value) => match value.downcast::<V>() {
                Ok(value) => {
                    counts.shared.add(name, "shared");
                    return Ok(value);
                }
                // Rows of another type with the same name.
                Err(_) => None,
            },
            Turn::Mine(lead) => Some(lead),
            Turn::Everyones => None,
        };
        let began = Instant::now();
        let stamp = match store.begin(&key, &tags).await {
            Found::Value(value) => {
                counts.hits.add(name, "hit");
                if let Some(lead) = lead {
                    lead.leave();
                }
                return Ok(value);
            }
            Found::Nothing(stamp) => Some(stamp),
            Found::Unreachable => None,
        };
        let outcome = if stamp.is_some() { (&counts.misses, "miss") } else { (&counts.bypassed, "bypass") };
        outcome.0.add(name, outcome.1);
        let value = match read.await {
            Ok(value) => Arc::new(value),
            Err(error) => {
                if let Some(lead) = lead {
                    lead.failed();
                }
                return Err(error);
            }
        };
        let lives = shortened(lives);
        if let Some(stamp) = &stamp {
            store.keep(&key, &tags, &value, stamp, lives).await;
        }
        if let Some(lead) = lead {
            lead.read(Arc::clone(&value) as _, stamp, began.checked_add(lives));
        }
        Ok(value)
    }
}

impl<S: Store> Shared<S> {
    fn stats(&self) -> CacheStats {
        let Self { name, store, counts, .. } = self;
        CacheStats {
            name: name.clone().into_owned(),
            hits: counts.hits.get(),
            shared: counts.shared.get(),
            misses: counts.misses.get(),
            bypassed: counts.bypassed.get(),
            invalidations: counts.invalidations.get(),
            unacknowledged: counts.unacknowledged.get(),
            pending: store.pending(),
            errors: store.errors(),
        }
    }
}

/// The maximum time to live: ten years.
const MAX_TIME_TO_LIVE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A time to live shortened at random by up to a tenth.
fn shortened(lives: Duration) -> Duration {
    let lives = lives.min(MAX_TIME_TO_LIVE);
    // Its keys are random, and different each time.
    let [first, second, third, fourth, ..] = RandomState::new().hash_one(0).to_le_bytes();
    let random = f64::from(u32::from_le_bytes([first, second, third, fourth])) / f64::from(u32::MAX);
    lives - (lives / 10).mul_f64(random)
}
