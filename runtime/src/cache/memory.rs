//! [`Memory`]: entries in the memory of this process.

use std::any::{Any, TypeId};
use std::collections::hash_map::RandomState;
use std::fmt::{self, Debug, Formatter};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::key::Key;
#[cfg(feature = "redis")]
use super::redis::{InvalidUrl, bus::Bus};
use super::store::{Found, Store, Stores, sealed};
use super::tables::Tags;

/// Entries in the memory of this process, invalidated by its writes, and by those of others if they are told.
pub struct Memory {
    entries: moka::future::Cache<(Key, TypeId), Entry>,
    versions: Arc<Versions>,
    #[cfg(feature = "redis")]
    bus: Option<Bus>,
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
        Self {
            entries,
            versions: Arc::new(Versions::new()),
            #[cfg(feature = "redis")]
            bus: None,
        }
    }

    /// The same, which tells others of its name on this server what it invalidates, and is told.
    #[cfg(feature = "redis")]
    pub(crate) async fn with_bus(self, name: &str, url: &str) -> Result<Self, InvalidUrl> {
        let bus = Bus::to(url, name, Arc::clone(&self.versions)).await?;
        Ok(Self { bus: Some(bus), ..self })
    }

    /// Whether it would have learnt of what others have written.
    fn is_told(&self) -> bool {
        #[cfg(feature = "redis")]
        if let Some(bus) = &self.bus {
            return bus.is_heard();
        }
        true
    }

    fn stamp(&self, tags: &Tags) -> Stamp {
        // The time first, so that an entry may expire early but never late.
        let at = Instant::now();
        Stamp { at, versions: tags.iter().map(|tag| self.versions.of(tag).load(Ordering::SeqCst)).collect() }
    }

    /// From now on, entries with these tags are not found.
    pub(crate) fn forget(&self, tags: &Tags) {
        tags.iter().for_each(|tag| self.versions.raise(tag));
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
pub(crate) struct Versions {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Versions {
    const SLOTS: usize = 1 << 14;

    fn new() -> Self {
        // The hasher's key is secret, so that nobody can target a slot.
        Self { slots: (0..Self::SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    pub(crate) fn raise(&self, tag: &str) {
        self.of(tag).fetch_add(1, Ordering::SeqCst);
    }

    /// Raises that of all entries.
    #[cfg(feature = "redis")]
    pub(crate) fn raise_all(&self) {
        Tags::everything().iter().for_each(|tag| self.raise(tag));
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
        #[cfg(feature = "redis")]
        if let Some(bus) = &self.bus {
            return bus.tell(tags).await;
        }
        true
    }

    fn invalidate_soon(&self, tags: Tags) {
        self.forget(&tags);
        #[cfg(feature = "redis")]
        if let Some(bus) = &self.bus {
            bus.tell_soon(&tags);
        }
    }

    #[cfg(feature = "redis")]
    fn pending(&self) -> usize {
        self.bus.as_ref().map_or(0, Bus::pending)
    }

    #[cfg(feature = "redis")]
    fn errors(&self) -> u64 {
        self.bus.as_ref().map_or(0, Bus::errors)
    }
}

impl<V: Send + Sync + 'static> Stores<V> for Memory {
    async fn find(&self, key: &Key, tags: &Tags) -> Found<V, Stamp> {
        if !self.is_told() {
            return Found::Unreachable;
        }
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
