//! One read for all who miss the same entry at once.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::lock::{Mutex as AsyncMutex, MutexGuard};

use super::key::Key;

type Value = Arc<dyn Any + Send + Sync>;

/// The reads that are under way.
pub(crate) struct Flights<Stamp>(Mutex<HashMap<Key, Arc<Flight<Stamp>>>>);

/// The reads of one key: one after the other, each for all who wait for it.
struct Flight<Stamp> {
    /// How many have begun.
    begun: AtomicU64,
    last: AsyncMutex<Last<Stamp>>,
}

/// The last read that came to its end.
struct Last<Stamp> {
    number: u64,
    read: Option<Read<Stamp>>,
    has_failed: bool,
}

/// What was read.
struct Read<Stamp> {
    value: Value,
    /// What the tags were when it began to be read.
    stamp: Option<Stamp>,
    /// When its time to live is over.
    until: Option<Instant>,
}

impl<Stamp: Clone + PartialEq> Flights<Stamp> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Joins those who miss this key.
    pub(crate) fn join(&self, key: Key) -> Seat<'_, Stamp> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = flights.entry(key).or_insert_with(|| {
            let last = AsyncMutex::new(Last { number: 0, read: None, has_failed: false });
            Arc::new(Flight { begun: AtomicU64::new(0), last })
        });
        let flight = Arc::clone(flight);
        let arrived = flight.begun.load(Ordering::SeqCst);
        Seat { flights: self, key, flight: Some(flight), arrived }
    }
}

/// A place among those who miss a key; the last to leave closes the door.
pub(crate) struct Seat<'f, Stamp> {
    flights: &'f Flights<Stamp>,
    key: Key,
    flight: Option<Arc<Flight<Stamp>>>,
    /// How many reads had begun then.
    arrived: u64,
}

impl<Stamp> Drop for Seat<'_, Stamp> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.flight = None;
        // Nobody joins while the map is locked.
        if flights.get(&self.key).is_some_and(|flight| Arc::strong_count(flight) == 1) {
            flights.remove(&self.key);
        }
    }
}

/// Whose turn it is.
pub(crate) enum Turn<'s, Stamp> {
    /// Another has read it.
    Read(Value),
    /// This one reads, and the others wait.
    Mine(Lead<'s, Stamp>),
    /// This one reads, and so do the others: the read that they waited for has failed.
    Everyones,
}

/// The one who reads.
pub(crate) struct Lead<'s, Stamp> {
    number: u64,
    last: MutexGuard<'s, Last<Stamp>>,
}

impl<Stamp: Clone + PartialEq> Seat<'_, Stamp> {
    /// Waits for the turn; `stamp` is what the tags were when this one missed.
    ///
    /// A read that is under way is another's: what was written while it ran may be missing in it. So it serves only whom it
    /// began after, or whose tags are as they were for it.
    pub(crate) async fn turn(&self, stamp: Option<&Stamp>) -> Turn<'_, Stamp> {
        let Some(flight) = &self.flight else { return Turn::Everyones };
        let last = flight.last.lock().await;
        if let Some(read) = &last.read
            && (last.number > self.arrived || read.holds(stamp))
        {
            return Turn::Read(Arc::clone(&read.value));
        }
        if last.has_failed {
            return Turn::Everyones;
        }
        let number = flight.begun.fetch_add(1, Ordering::SeqCst) + 1;
        Turn::Mine(Lead { number, last })
    }
}

impl<Stamp: PartialEq> Read<Stamp> {
    /// Whether it is what this one would read, who found the tags to be so.
    fn holds(&self, stamp: Option<&Stamp>) -> bool {
        stamp.is_some()
            && self.stamp.as_ref() == stamp
            && self.until.is_some_and(|until| Instant::now() < until)
    }
}

impl<Stamp> Lead<'_, Stamp> {
    /// It was read, and holds until then for whoever finds the tags to be so.
    pub(crate) fn read(mut self, value: Value, stamp: Option<Stamp>, until: Option<Instant>) {
        let read = Some(Read { value, stamp, until });
        *self.last = Last { number: self.number, read, has_failed: false };
    }

    /// It need not be read: another process has.
    pub(crate) fn leave(self) {}

    /// It could not be read.
    pub(crate) fn failed(mut self) {
        *self.last = Last { number: self.number, read: None, has_failed: true };
    }
}
