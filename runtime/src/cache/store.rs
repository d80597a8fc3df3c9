//! [`Store`]: where entries are kept, and how it is known that they still hold.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{Database, Pool};

use super::key::{Key, Parts};
use super::tables::Tags;

/// A place that keeps entries. There are two: [`Memory`](super::Memory) and `Redis`.
pub trait Store: Send + Sync + 'static + sealed::Sealed {
    /// What the tags of an entry were when its rows began to be read. An entry holds as long as they still are.
    #[doc(hidden)]
    type Stamp: Clone + PartialEq + Send + Sync + 'static;

    /// Makes entries of these tags invalid; whether it has happened for all who use the store.
    #[doc(hidden)]
    fn invalidate(&self, tags: Tags) -> impl Future<Output = bool> + Send;

    /// The same without waiting, for where nothing can.
    #[doc(hidden)]
    fn invalidate_soon(&self, tags: Tags);

    /// What tells the database of a pool from others whose rows are in the same cache.
    #[doc(hidden)]
    fn identity<DB: Database>(&self, _pool: &Pool<DB>) -> [u8; 32] {
        own_identity()
    }

    /// Invalidations that have not happened yet.
    #[doc(hidden)]
    fn pending(&self) -> usize {
        0
    }

    /// How often something failed.
    #[doc(hidden)]
    fn errors(&self) -> u64 {
        0
    }
}

/// What a store knows of a key.
#[doc(hidden)]
pub enum Found<V, Stamp> {
    /// The value.
    Value(Arc<V>),
    /// Nothing that holds; what its tags are now.
    Nothing(Stamp),
    /// It cannot be asked.
    Unreachable,
}

/// A store that can keep values of this type.
pub trait Stores<V>: Store {
    /// Looks for an entry.
    #[doc(hidden)]
    fn find(&self, key: &Key, tags: &Tags) -> impl Future<Output = Found<V, Self::Stamp>> + Send;

    /// Looks again, right before the rows are read: what is read from now on holds for the stamp that is given.
    #[doc(hidden)]
    fn begin(&self, key: &Key, tags: &Tags) -> impl Future<Output = Found<V, Self::Stamp>> + Send {
        self.find(key, tags)
    }

    /// Keeps what was read, for so long from the moment when it began to be read.
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

/// What tells a pool from every other, of this process and of others: two may be on two databases in memory.
pub(crate) fn own_identity() -> [u8; 32] {
    static POOLS: AtomicU64 = AtomicU64::new(0);
    let random = RandomState::new();
    let pool = POOLS.fetch_add(1, Ordering::Relaxed);
    Parts::new().number(pool).number(random.hash_one(0)).number(random.hash_one(1)).key().0
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
