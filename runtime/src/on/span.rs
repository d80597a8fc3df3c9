//! Traces what runs on a driver's own thread to its scope, by the span that was current when it was sent
//! there.
//!
//! Only SQLite's driver has such threads. It takes the current span along, so a scope marks that one if it
//! can, and otherwise enters one of its own. On other databases no span is marked or created: what a user
//! records to the current span reaches the user's own span.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use tracing::span::Id;
use tracing::{Dispatch, Level, Span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use super::node::Node;
use super::notice;

/// The target of scope spans.
pub(crate) const SCOPES: &str = "query_budget::scope";

/// Where statements have been reported so far.
static HEARD: AtomicU8 = AtomicU8::new(0);
const ON_ITS_THREAD: u8 = 1;
const ELSEWHERE: u8 = 2;

/// Records where a statement was reported: on a thread of SQLite's driver or not.
pub(crate) fn heard(on_thread_of_driver: bool) {
    let bit = if on_thread_of_driver { ON_ITS_THREAD } else { ELSEWHERE };
    if HEARD.load(Ordering::Relaxed) & bit == 0 {
        HEARD.fetch_or(bit, Ordering::Relaxed);
    }
}

/// Whether scopes have to be traced from driver threads: once SQLite was seen, or as long as it may be used.
pub(crate) fn is_needed() -> bool {
    notice::has_layer()
        && match HEARD.load(Ordering::Relaxed) {
            0 => cfg!(any(feature = "sqlite", not(feature = "sqlx"))),
            heard => heard & ON_ITS_THREAD != 0,
        }
}

/// The scope of a span.
struct Mark {
    node: Weak<Node>,
    /// Whether what runs in it counts nowhere, even after it has ended.
    is_uncounted: bool,
}

/// The spans of one scope.
#[derive(Default)]
pub(crate) struct Spans {
    /// The user's span that was current when the scope began, if no other scope had marked it.
    borrowed: OnceLock<Option<Id>>,
    /// A span of its own.
    own: OnceLock<Span>,
}

impl Spans {
    /// Whether what runs on a driver's thread cannot be traced to the scope.
    pub(crate) fn are_disabled(&self) -> bool {
        self.borrowed.get().is_none_or(Option::is_none) && self.own.get().is_none_or(Span::is_disabled)
    }

    /// Enters the scope's own span if it needs one; returns whether it did. Called where spans are needed.
    pub(crate) fn enter(&self, node: &Arc<Node>, is_carried: bool) -> bool {
        if !is_carried && self.is_within_borrowed(node) {
            return false;
        }
        let own = self.own.get_or_init(|| own(node));
        own.with_subscriber(|(id, subscriber)| subscriber.enter(id)).is_some()
    }

    pub(crate) fn exit(&self) {
        if let Some(own) = self.own.get() {
            own.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    /// Whether the current span is the user's and leads to this scope. A span that no scope has marked is
    /// marked.
    fn is_within_borrowed(&self, node: &Arc<Node>) -> bool {
        if node.is_uncounted() || self.own.get().is_some() {
            return false;
        }
        let current = Span::current();
        let borrowed = self.borrowed.get_or_init(|| {
            current
                .with_subscriber(|(id, subscriber)| mark(id, subscriber, node, false).then(|| id.clone()))?
        });
        borrowed.is_some() && *borrowed == current.id()
    }
}

/// A span for the scope alone.
///
/// Directly within a scope that was carried here, it is not a child of that scope's span: a span keeps its
/// parents open, and a chain of tasks that each start the next would never close any.
fn own(node: &Arc<Node>) -> Span {
    let is_root =
        node.is_carried() && Span::current().metadata().is_some_and(|metadata| metadata.target() == SCOPES);
    let span = if is_root {
        tracing::span!(target: SCOPES, parent: None, Level::TRACE, "scope")
    } else {
        tracing::span!(target: SCOPES, Level::TRACE, "scope")
    };
    span.with_subscriber(|(id, subscriber)| mark(id, subscriber, node, true));
    span
}

/// Marks the span with its scope; returns whether it is marked. The span of another scope stays that scope's,
/// even after it has ended: late reports of its statements do not belong to this one.
fn mark(id: &Id, subscriber: &Dispatch, node: &Arc<Node>, is_own: bool) -> bool {
    let Some(span) = subscriber.downcast_ref::<Registry>().and_then(|registry| registry.span(id)) else {
        return false;
    };
    let mut extensions = span.extensions_mut();
    if !is_own && extensions.get_mut::<Mark>().is_some() {
        return false;
    }
    extensions.replace(Mark { node: Arc::downgrade(node), is_uncounted: node.is_uncounted() });
    true
}

/// The scope to which the current span of a subscriber leads.
pub(crate) fn scope_of_current(subscriber: &Dispatch) -> Option<Arc<Node>> {
    let registry = subscriber.downcast_ref::<Registry>()?;
    let current = tracing::Subscriber::current_span(registry);
    for span in registry.span(current.id()?)?.scope() {
        if let Some(mark) = span.extensions().get::<Mark>() {
            match mark.node.upgrade() {
                Some(node) => return Some(node),
                None if mark.is_uncounted => return None,
                None => {}
            }
        }
    }
    None
}
