//! [`Store`]: where entries are stored, and how their validity is tracked.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{Database, Pool};

use super::key::{Key, Parts};
use super::tables::Tags;

/// A store for entries. There are two: [`Memory`](super::Memory) and `Redis`. Code that works with either is generic
/// over it:
///
/// ```
/// use query_budget::cache::{CachedPool, Store};
/// use sqlx::Sqlite;
///
/// async fn imported<S: Store>(db: &CachedPool<Sqlite, S>) {
///     db.invalidate(["events"]).await;
/// }
/// # let _ = imported::<query_budget::cache::Memory>;
/// ```
pub trait Store: Send + Sync + 'static + sealed::Sealed {
    /// The state of an entry's tags when its rows were about to be read. The entry is valid as long as it is
    /// unchanged.
    #[doc(hidden)]
    type Stamp: Clone + PartialEq + Send + Sync + 'static;

    /// Invalidates entries with these tags; returns whether that has taken effect for all users of the store.
    #[doc(hidden)]
    fn invalidate(&self, tags: Tags) -> impl Future<Output = bool> + Send;

    /// Like [`invalidate`](Self::invalidate), without waiting, for contexts that cannot wait.
    #[doc(hidden)]
    fn invalidate_soon(&self, tags: Tags);

    /// Distinguishes the database of a pool from others whose rows are in the same cache.
    #[doc(hidden)]
    fn identity<DB: Database>(&self, _pool: &Pool<DB>) -> [u8; 32] {
        own_identity()
    }

    /// The number of pending invalidations.
    #[doc(hidden)]
    fn pending(&self) -> usize {
        0
    }

    /// The number of failures.
    #[doc(hidden)]
    fn errors(&self) -> u64 {
        0
    }
}

/// The result of looking up a key.
#[doc(hidden)]
pub enum Found<V, Stamp> {
    Value(Arc<V>),
    /// No valid entry; holds the current state of its tags.
    Nothing(Stamp),
    /// The store is unreachable.
    Unreachable,
}

/// A store that can hold values of this type.
pub trait Stores<V>: Store {
    /// Looks up an entry.
    #[doc(hidden)]
    fn find(&self, key: &Key, tags: &Tags) -> impl Future<Output = Found<V, Self::Stamp>> + Send;

    /// Looks it up again right before the rows are read: what is read from now on is valid for the returned
    /// stamp.
    #[doc(hidden)]
    fn begin(&self, key: &Key, tags: &Tags) -> impl Future<Output = Found<V, Self::Stamp>> + Send {
        self.find(key, tags)
    }

    /// Stores what was read, for this long from the moment the read started.
    #[doc(hidden)]
    fn keep(
        &self,
        key: &Key,
        tags: &Tags,
        value: &Arc<V>,
        stamp: &Self::Stamp,
        lives: Duration,
    ) -> impl Future<Output = ()> + Send;
}

/// An identity that no other pool has, in this process or others: two pools may have different in-memory
/// databases.
pub(crate) fn own_identity() -> [u8; 32] {
    static POOLS: AtomicU64 = AtomicU64::new(0);
    let random = RandomState::new();
    let pool = POOLS.fetch_add(1, Ordering::Relaxed);
    Parts::new().number(pool).number(random.hash_one(0)).number(random.hash_one(1)).key().0
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
