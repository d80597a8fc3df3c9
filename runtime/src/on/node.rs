//! [`Node`]: a running scope, shared by the threads that count in it.

#[cfg(feature = "tracing")]
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};

use super::tally::Tally;
use crate::report::Counts;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};

/// A running scope: its tally, and the enclosing scope.
pub(crate) struct Node {
    /// Unique in the process.
    id: u64,
    tally: Mutex<Tally>,
    /// The enclosing scope, or the nearest one further out that has not ended.
    parent: Mutex<Option<Arc<Node>>>,
    /// Whether there may be one, readable without the lock.
    is_nested: AtomicBool,
    /// Whether its counts have been read.
    is_read: AtomicBool,
    /// Whether it has been reported on, so that its counts are no longer needed.
    has_ended: AtomicBool,
    /// Whether what runs in it counts nowhere.
    #[cfg(feature = "tracing")]
    is_uncounted: bool,
    /// Whether it began where a scope had been carried to.
    #[cfg(feature = "tracing")]
    is_carried: bool,
    /// Created once a subscriber needs it.
    #[cfg(feature = "tracing")]
    traced: OnceLock<Box<Traced>>,
}

/// The part of a scope that only exists with a subscriber.
#[cfg(feature = "tracing")]
#[derive(Default)]
pub(crate) struct Traced {
    /// Traces what runs on a driver's own thread to the scope.
    pub(super) spans: super::span::Spans,
    #[cfg(feature = "otel")]
    pub(super) otel: super::otel::ScopeSpan,
    /// Slow statements of this scope, found by the layer.
    pub(super) slow: super::slow::Slow,
}

impl Node {
    /// A scope that is never read, outside of any other.
    pub(crate) fn outside() -> Arc<Self> {
        Self::within(None, false, true)
    }

    /// A scope within another. `is_carried` says whether it begins where that one was carried to.
    pub(super) fn within(parent: Option<Arc<Self>>, is_carried: bool, is_uncounted: bool) -> Arc<Self> {
        let parent = match parent {
            // Its parent may have lost its own parent.
            Some(parent) => {
                let further_out = parent.around();
                if parent.has_ended.load(Ordering::Relaxed) { further_out } else { Some(parent) }
            }
            None => None,
        };
        let _ = (is_carried, is_uncounted);
        static LAST: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            tally: Mutex::default(),
            is_nested: AtomicBool::new(parent.is_some()),
            parent: Mutex::new(parent),
            is_read: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            #[cfg(feature = "tracing")]
            is_uncounted,
            #[cfg(feature = "tracing")]
            is_carried,
            #[cfg(feature = "tracing")]
            traced: OnceLock::new(),
        })
    }

    /// Whether what runs on a driver's thread cannot be traced to it.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_untraceable(&self) -> bool {
        super::span::is_needed() && self.traced.get().is_none_or(|traced| traced.spans.are_disabled())
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is_uncounted(&self) -> bool {
        self.is_uncounted
    }

    /// Its part for a subscriber, created on demand.
    #[cfg(feature = "tracing")]
    pub(super) fn traced(&self) -> &Traced {
        self.traced.get_or_init(Box::default)
    }

    /// Its part for a subscriber; `None` if it has not been created.
    #[cfg(feature = "tracing")]
    pub(super) fn if_traced(&self) -> Option<&Traced> {
        match self.traced.get() {
            Some(traced) => Some(traced),
            None => None,
        }
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is_carried(&self) -> bool {
        self.is_carried
    }

    /// Whether it has no enclosing scope.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_outermost(&self) -> bool {
        !self.is_nested() || self.around().is_none()
    }

    /// Its counts, for somebody who reads them.
    pub(crate) fn read(&self) -> Counts {
        self.is_read.store(true, Ordering::Relaxed);
        self.tally().counts()
    }

    pub(crate) fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Relaxed)
    }

    /// Marks its counts as no longer needed.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it may have an enclosing scope.
    #[inline(always)]
    pub(super) fn is_nested(&self) -> bool {
        self.is_nested.load(Ordering::Relaxed)
    }

    /// The enclosing scope. Ended ones are unlinked permanently: otherwise each task in an endless chain
    /// would keep all earlier ones alive.
    pub(super) fn around(&self) -> Option<Arc<Self>> {
        if !self.is_nested() {
            return None;
        }
        let mut parent = self.parent.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = parent.as_ref().filter(|node| node.has_ended.load(Ordering::Relaxed)) {
            let further_out = ended.parent.lock().unwrap_or_else(PoisonError::into_inner).clone();
            *parent = further_out;
        }
        if parent.is_none() {
            self.is_nested.store(false, Ordering::Relaxed);
        }
        parent.clone()
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        match self.tally.lock() {
            Ok(tally) => tally,
            // A tally is consistent after every change to it, so it is valid even after a thread panicked.
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl Drop for Node {
    /// One after the other: recursively dropping a long chain would overflow the stack.
    fn drop(&mut self) {
        if !self.is_nested() {
            return;
        }
        let mut parent = take_parent(self);
        while let Some(mut node) = parent.and_then(Arc::into_inner) {
            parent = take_parent(&mut node);
        }
    }
}

fn take_parent(node: &mut Node) -> Option<Arc<Node>> {
    node.parent.get_mut().unwrap_or_else(PoisonError::into_inner).take()
}
