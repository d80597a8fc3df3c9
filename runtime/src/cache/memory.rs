//! [`Memory`]: entries in the memory of this process.

use std::any::{Any, TypeId};
use std::collections::hash_map::RandomState;
use std::fmt::{self, Debug, Formatter};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::key::Key;
use super::store::{Found, Store, Stores, sealed};
use super::tables::Tags;

/// Entries in the memory of this process, invalidated by writes of this process.
pub struct Memory {
    entries: moka::future::Cache<(Key, TypeId), Entry>,
    versions: Versions,
}

#[derive(Clone)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    stamp: Stamp,
    lives: Duration,
    until: Instant,
}

/// The version of each tag, in order, and the time it was read.
#[derive(Clone)]
pub struct Stamp {
    versions: Arc<[u64]>,
    at: Instant,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        self.versions == other.versions
    }
}

impl Memory {
    pub(crate) fn of(entries: u64) -> Self {
        let entries = moka::future::Cache::builder().max_capacity(entries).expire_after(Lives).build();
        Self { entries, versions: Versions::new() }
    }

    fn stamp(&self, tags: &Tags) -> Stamp {
        // The time first, so that an entry may expire early but never late.
        let at = Instant::now();
        Stamp { at, versions: tags.iter().map(|tag| self.versions.of(tag).load(Ordering::SeqCst)).collect() }
    }

    /// From now on, entries with these tags are not found.
    pub(crate) fn forget(&self, tags: &Tags) {
        for tag in tags.iter() {
            self.versions.of(tag).fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Debug for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("entries", &self.entries.entry_count()).finish_non_exhaustive()
    }
}

/// The time to live of each entry.
struct Lives;

impl moka::Expiry<(Key, TypeId), Entry> for Lives {
    fn expire_after_create(&self, _: &(Key, TypeId), entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lives)
    }

    fn expire_after_update(
        &self,
        _: &(Key, TypeId),
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lives)
    }
}

/// A version for each tag. Tags may share a slot, so that memory is limited even if clients make up tags; an
/// invalidation may then affect more entries than necessary.
struct Versions {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Versions {
    const SLOTS: usize = 1 << 14;

    fn new() -> Self {
        // The hasher's key is secret, so that nobody can target a slot.
        Self { slots: (0..Self::SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    fn of(&self, tag: &str) -> &AtomicU64 {
        let hash = self.hasher.hash_one(tag);
        let slot = usize::try_from(hash % Self::SLOTS as u64).unwrap_or_default();
        &self.slots[slot]
    }
}

impl sealed::Sealed for Memory {}

impl Store for Memory {
    type Stamp = Stamp;

    async fn invalidate(&self, tags: Tags) -> bool {
        self.forget(&tags);
        true
    }

    fn invalidate_soon(&self, tags: Tags) {
        self.forget(&tags);
    }
}

impl<V: Send + Sync + 'static> Stores<V> for Memory {
    async fn find(&self, key: &Key, tags: &Tags) -> Found<V, Stamp> {
        let now = self.stamp(tags);
        let entry = self.entries.get(&(*key, TypeId::of::<V>())).await;
        let entry = entry.filter(|entry| entry.stamp == now && Instant::now() < entry.until);
        match entry.and_then(|entry| entry.value.downcast().ok()) {
            Some(value) => Found::Value(value),
            None => Found::Nothing(now),
        }
    }

    async fn keep(&self, key: &Key, tags: &Tags, value: &Arc<V>, stamp: &Stamp, lives: Duration) {
        // An entry that was invalidated while it was read must not be found.
        if self.stamp(tags) != *stamp {
            return;
        }
        let Some(until) = stamp.at.checked_add(lives) else { return };
        let value: Arc<dyn Any + Send + Sync> = Arc::clone(value) as _;
        let entry = Entry { value, stamp: stamp.clone(), lives, until };
        self.entries.insert((*key, TypeId::of::<V>()), entry).await;
    }
}
