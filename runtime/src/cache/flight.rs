//! Request coalescing: one read serves all that miss the same entry at once.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::lock::{Mutex as AsyncMutex, MutexGuard};

use super::key::Key;

type Value = Arc<dyn Any + Send + Sync>;

/// The reads in progress.
pub(crate) struct Flights<Stamp>(Mutex<HashMap<Key, Arc<Flight<Stamp>>>>);

/// The reads of one key: one at a time, each for all that wait for it.
struct Flight<Stamp> {
    /// How many have started.
    begun: AtomicU64,
    last: AsyncMutex<Last<Stamp>>,
}

/// The last read that finished.
struct Last<Stamp> {
    number: u64,
    read: Option<Read<Stamp>>,
    has_failed: bool,
}

/// The result of a read.
struct Read<Stamp> {
    value: Value,
    /// The state of the tags when the read started.
    stamp: Option<Stamp>,
    /// The end of its time to live.
    until: Option<Instant>,
}

impl<Stamp: Clone + PartialEq> Flights<Stamp> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Joins the readers that miss this key.
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

/// A place among the readers that miss a key; the last one to leave removes the entry.
pub(crate) struct Seat<'f, Stamp> {
    flights: &'f Flights<Stamp>,
    key: Key,
    flight: Option<Arc<Flight<Stamp>>>,
    /// How many reads had started when this one joined.
    arrived: u64,
}

impl<Stamp> Drop for Seat<'_, Stamp> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.flight = None;
        // Nobody can join while the map is locked.
        if flights.get(&self.key).is_some_and(|flight| Arc::strong_count(flight) == 1) {
            flights.remove(&self.key);
        }
    }
}

/// The result of waiting for a turn.
pub(crate) enum Turn<'s, Stamp> {
    /// Another reader has read it.
    Read(Value),
    /// This reader reads, and the others wait.
    Mine(Lead<'s, Stamp>),
    /// All readers read for themselves, because the read that they waited for has failed.
    Everyones,
}

/// The reader whose turn it is.
pub(crate) struct Lead<'s, Stamp> {
    number: u64,
    last: MutexGuard<'s, Last<Stamp>>,
}

impl<Stamp: Clone + PartialEq> Seat<'_, Stamp> {
    /// Waits for a turn; `stamp` is the state of the tags at the time of the miss.
    ///
    /// A read in progress belongs to another reader, and may miss what was written meanwhile. So its result
    /// is only used by readers that joined before it started, or that found the tags in the same state.
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
    /// Whether the result is valid for a reader that found the tags in this state.
    fn holds(&self, stamp: Option<&Stamp>) -> bool {
        stamp.is_some()
            && self.stamp.as_ref() == stamp
            && self.until.is_some_and(|until| Instant::now() < until)
    }
}

impl<Stamp> Lead<'_, Stamp> {
    /// Publishes a result, valid until then for readers that find the tags in this state.
    pub(crate) fn read(mut self, value: Value, stamp: Option<Stamp>, until: Option<Instant>) {
        let read = Some(Read { value, stamp, until });
        *self.last = Last { number: self.number, read, has_failed: false };
    }

    /// Gives up the turn without reading: another process has read it.
    pub(crate) fn leave(self) {}

    /// Gives up the turn after a failure.
    pub(crate) fn failed(mut self) {
        *self.last = Last { number: self.number, read: None, has_failed: true };
    }
}
