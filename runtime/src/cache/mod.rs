//! Cached reads whose invalidation is derived: each query of `sql!` and its kin knows which tables it reads and writes.
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
//! **What holds.** A read that is begun after a write was told to be done does not see what was before it. An entry holds
//! for the versions that its tables had when its rows began to be read, so that a read which a write overtakes is found by
//! nobody. No entry is older than its time to live; each dies up to a tenth before it, at random, so that entries made
//! together do not die together. Of those who miss an entry at once, one asks the database and the others wait for it: in
//! each process one. A cache that cannot be reached is no error: the database is asked.
//!
//! **What is derived.** The tables are those of the schema's snapshot: of a view those behind it, of a write those that
//! its foreign keys, partitions, triggers, rules and functions lead to. What is not known is all: a query that reads something unknown is
//! invalid with any write, and one that writes something unknown invalidates everything.
//!
//! **What is not seen.** Writes past a [`CachedPool`]: raw queries, other programs, sqlx's own macros, and `sql_batch!`,
//! which runs on a connection. Name their tables: `db.invalidate(["events"])`, or, of a transaction,
//! [`Transaction::connection_writing`]; the lint `uncached_write` finds those that are not named. A pool on a replica gives rows that are older than what was invalidated.

mod cached;
mod figures;
mod flight;
mod key;
mod memory;
mod pool;
#[cfg(feature = "redis")]
mod redis;
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
use self::figures::Counts;
pub use self::figures::{CacheFigures, figures};
use self::flight::{Flights, Turn};
use self::key::Key;
pub use self::memory::Memory;
pub use self::pool::CachedPool;
#[cfg(feature = "redis")]
pub use self::redis::{InvalidUrl, Redis};
use self::store::Found;
pub use self::store::{Store, Stores};
#[doc(hidden)]
pub use self::tables::Tables;
use self::tables::Tags;
pub use self::transaction::{Committed, Transaction};

/// A cache of what queries read. Clones are the same cache.
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

/// So many entries are kept where nothing else is said.
const ENTRIES: u64 = 10_000;

impl Cache<Memory> {
    /// A cache in the memory of this process, with room for 10,000 entries. It has a name for figures.
    #[must_use]
    pub fn in_memory(name: impl Into<Cow<'static, str>>) -> Self {
        Self::in_memory_of(name, ENTRIES)
    }

    /// A cache in the memory of this process, with room for so many entries.
    #[must_use]
    pub fn in_memory_of(name: impl Into<Cow<'static, str>>, entries: u64) -> Self {
        Self::on(name.into(), Memory::of(entries))
    }
}

impl<S: Store> Cache<S> {
    fn on(name: Cow<'static, str>, store: S) -> Self {
        let (flights, counts) = (Flights::new(), Counts::default());
        let shared = Arc::new(Shared { name, store, flights, counts });
        let watched: Weak<Shared<S>> = Arc::downgrade(&shared);
        figures::watch(Box::new(move || watched.upgrade().map(|shared| shared.figures())));
        Self { shared }
    }

    /// A pool whose reads can be cached here, and whose writes invalidate them.
    #[must_use]
    pub fn over<DB: Database>(&self, pool: Pool<DB>) -> CachedPool<DB, S> {
        CachedPool::new(pool, self.clone())
    }

    /// Makes what was read from these tables invalid, and what has one of these tags. Whether all who use the cache have
    /// been told; where not, they are as soon as the cache is reached, and no entry outlives its time to live.
    ///
    /// Called after a write that the cache does not see, once it is committed.
    pub async fn invalidate<T>(&self, tags: impl IntoIterator<Item = T>) -> bool
    where
        T: Into<Cow<'static, str>>,
    {
        let tags = Tags::named(tags.into_iter().map(Into::into));
        self.forget(tags).await
    }

    /// Makes everything invalid.
    pub async fn invalidate_all(&self) -> bool {
        self.forget(Tags::everything()).await
    }

    /// What the cache has done since it was made.
    #[must_use]
    pub fn figures(&self) -> CacheFigures {
        self.shared.figures()
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

    /// The value of the key; else what `read` gives, which is kept for so long.
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
                // Rows of another type, of the same name.
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
    fn figures(&self) -> CacheFigures {
        let Self { name, store, counts, .. } = self;
        CacheFigures {
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

/// No entry lives longer: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A time to live less up to a tenth of it.
fn shortened(lives: Duration) -> Duration {
    let lives = lives.min(LONGEST);
    // Its keys are random, and another's each time.
    let [first, second, third, fourth, ..] = RandomState::new().hash_one(0).to_le_bytes();
    let random = f64::from(u32::from_le_bytes([first, second, third, fourth])) / f64::from(u32::MAX);
    lives - (lives / 10).mul_f64(random)
}
