//! The current scope of this thread.
//!
//! A scope is only current while something in it runs: it is entered for the duration of a poll or a call,
//! never across an `.await`. The enclosing scopes are linked to it as a chain of parents.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;

use super::node::Node;
use super::parameters::Asked;
#[cfg(feature = "tracing")]
use super::tally::Heard;
use super::tally::Seen;
use crate::site::Site;

#[cfg(not(query_budget_loom))]
thread_local! {
    static CURRENT: Current = const { Current::none() };
}

// All threads of a model share one thread of the system.
#[cfg(query_budget_loom)]
loom::thread_local! {
    static CURRENT: Current = Current::none();
}

/// The scope that is current on a thread.
///
/// The code that runs for each query, value or scope avoids closures and iterators where it can: in an unoptimised build
/// each of them is a call.
struct Current {
    /// Its id; 0 if there is none. Every bound value reads it, and nothing else.
    id: Cell<u64>,
    /// The scope; the enclosing one as long as the scope is [`UNMADE`].
    node: RefCell<Option<Arc<Node>>>,
    /// Whether it was carried here by a `CurrentBudget`.
    is_carried: Cell<bool>,
    /// Whether the enclosing scope was carried here, for one that is [`UNMADE`].
    began_carried: Cell<bool>,
    /// The task that entered it.
    #[cfg(feature = "tokio")]
    task: Cell<Option<tokio::task::Id>>,
    /// The scope and the site, by id and address, that were last found to know enough: in a loop they are the
    /// same the next time.
    enough: Cell<(u64, usize)>,
}

/// The id of a scope that has begun on this thread and has no node yet. Most scopes end like this. The node is created when
/// something is counted in the scope or requests it, when another scope is entered within it, and when its future is
/// suspended.
const UNMADE: u64 = u64::MAX;

impl Current {
    const fn none() -> Self {
        Self {
            id: Cell::new(0),
            node: RefCell::new(None),
            is_carried: Cell::new(false),
            began_carried: Cell::new(false),
            #[cfg(feature = "tokio")]
            task: Cell::new(None),
            enough: Cell::new((0, 0)),
        }
    }

    fn replace(&self, node: Option<Arc<Node>>) -> Option<Arc<Node>> {
        self.id.set(id_of(&node));
        self.node.replace(node)
    }

    #[inline(always)]
    fn make(&self) {
        if self.id.get() == UNMADE {
            self.make_now();
        }
    }

    fn make_now(&self) {
        let around = self.node.borrow().clone();
        // The guard of the scope holds the enclosing one.
        self.replace(Some(Node::within(around, self.began_carried.get(), false)));
    }

    /// Whether a task is polled that is another one than the task which entered the scope: a `LocalSet` polls its tasks
    /// within the poll of the future that runs it.
    #[cfg_attr(not(feature = "tokio"), expect(clippy::unused_self, reason = "used with the feature `tokio`"))]
    #[inline(always)]
    fn is_of_another_task(&self) -> bool {
        #[cfg(feature = "tokio")]
        return self.task.get() != tokio::task::try_id();
        #[cfg(not(feature = "tokio"))]
        false
    }

    /// The scope, created if it was not yet.
    fn get(&self) -> Option<Arc<Node>> {
        if self.id.get() == 0 || self.is_of_another_task() {
            return None;
        }
        self.make();
        self.node.borrow().clone()
    }
}

#[inline(always)]
fn id_of(node: &Option<Arc<Node>>) -> u64 {
    match node {
        Some(node) => node.id(),
        None => 0,
    }
}

/// Counts an execution reported by sqlx in a scope and all enclosing ones; returns what was new to the scope.
#[cfg(feature = "tracing")]
pub(crate) fn record_told(node: &Arc<Node>, sql: &str, seen: Seen) -> Heard {
    let is_counted = super::running::is_running(sql);
    let heard = node.tally().add_told(sql, &seen, is_counted);
    let mut scope = node.around();
    while let Some(node) = scope {
        node.tally().add_told(sql, &seen, is_counted);
        scope = node.around();
    }
    heard
}

/// How the current scopes observe the values of the query at a site.
pub(crate) fn asked_of(site: &'static Site) -> Asked {
    let asked = CURRENT.try_with(|current| match current.id.get() {
        0 => Asked::ByNobody,
        id => {
            let (enough, of) = current.enough.get();
            if enough == id && of == address(site) { Asked::Nothing } else { Asked::Values }
        }
    });
    // While the thread's storage is destroyed, nothing is current any more.
    match asked {
        Ok(asked) => asked,
        Err(_) => Asked::ByNobody,
    }
}

#[inline(always)]
fn address(site: &'static Site) -> usize {
    std::ptr::from_ref(site).addr()
}

/// Counts an observation in the current scope and all enclosing ones.
pub(crate) fn record(site: &'static Site, seen: &Seen) {
    let _ = CURRENT.try_with(|current| {
        if current.id.get() == 0 || current.is_of_another_task() {
            return;
        }
        current.make();
        let node = current.node.borrow();
        let Some(node) = &*node else { return };
        let mut have_enough = node.tally().add(site, seen);
        if node.is_nested() {
            let mut scope = node.around();
            while let Some(node) = scope {
                have_enough &= node.tally().add(site, seen);
                scope = node.around();
            }
        }
        if have_enough {
            current.enough.set((node.id(), address(site)));
        }
    });
}

/// In a task that is not the scope's own: leaves the scope, to which a driver's thread would trace what the task sends there.
#[cfg(all(feature = "sqlx", feature = "tokio", feature = "tracing"))]
pub(crate) fn leave_another_task() -> Option<EnteredNode> {
    let is_within = |current: &Current| current.id.get() != 0 && current.is_of_another_task();
    let is_within = CURRENT.try_with(is_within).unwrap_or_default();
    (is_within && super::span::is_needed()).then(|| enter(Some(Node::outside())))
}

/// The current scope; `None` outside of every scope.
pub(crate) fn node() -> Option<Arc<Node>> {
    CURRENT.try_with(Current::get).ok().flatten()
}

/// A scope within the current one, with its node.
#[cfg(feature = "tracing")]
pub(crate) fn within_current() -> Arc<Node> {
    let around = CURRENT.try_with(|current| (current.get(), current.is_carried.get()));
    let (parent, is_carried) = around.unwrap_or_default();
    Node::within(parent, is_carried, false)
}

/// Begins a scope within the current one and makes it current until the guard is dropped. Its node is created on demand.
pub(crate) fn begin() -> EnteredNode {
    let entered = CURRENT.try_with(|current| {
        #[cfg(feature = "tokio")]
        if current.id.get() != 0 && current.is_of_another_task() {
            return enter_as(Some(Node::within(None, false, false)), false);
        }
        let previous = current.get();
        let was_carried = current.is_carried.replace(false);
        current.began_carried.set(was_carried);
        current.id.set(UNMADE);
        let entered = EnteredNode::new((was_carried, previous));
        #[cfg(feature = "tokio")]
        let entered = entered.with_task(current.task.replace(tokio::task::try_id()));
        entered
    });
    match entered {
        Ok(entered) => entered,
        Err(_) => EnteredNode::new((false, None)),
    }
}

/// Makes `node` current on this thread until the guard is dropped. Guards are dropped in reverse order.
pub(crate) fn enter(node: Option<Arc<Node>>) -> EnteredNode {
    enter_as(node, false)
}

/// The same, with a node that was perhaps carried here.
pub(super) fn enter_as(node: Option<Arc<Node>>, is_carried: bool) -> EnteredNode {
    #[cfg(feature = "otel")]
    let has_otel = match &node {
        Some(node) => node.if_traced().is_some_and(|traced| traced.otel.enter()),
        None => false,
    };
    #[cfg(feature = "tracing")]
    let has_span = match &node {
        Some(node) if super::span::is_needed() => node.traced().spans.enter(node, is_carried),
        _ => false,
    };
    let previous = CURRENT.try_with(|current| {
        current.make();
        (current.is_carried.replace(is_carried), current.replace(node))
    });
    let entered = EnteredNode::new(previous.unwrap_or_default());
    #[cfg(feature = "tokio")]
    let entered = entered
        .with_task(CURRENT.try_with(|current| current.task.replace(tokio::task::try_id())).ok().flatten());
    #[cfg(feature = "tracing")]
    let entered = entered.with_span(has_span);
    #[cfg(feature = "otel")]
    let entered = entered.with_otel(has_otel);
    entered
}

/// Makes the previous scope current again when dropped. It is not `Send`, so it cannot be held across an
/// `.await` of a future that moves between threads.
pub(crate) struct EnteredNode {
    previous: Option<Arc<Node>>,
    was_carried: bool,
    is_left: bool,
    /// The task that entered the previous one.
    #[cfg(feature = "tokio")]
    previous_task: Option<tokio::task::Id>,
    /// Whether a span of the scope was entered with it.
    #[cfg(feature = "tracing")]
    has_span: bool,
    #[cfg(feature = "otel")]
    has_otel: bool,
    thread: PhantomData<*const ()>,
}

impl EnteredNode {
    fn new((was_carried, previous): (bool, Option<Arc<Node>>)) -> Self {
        Self {
            previous,
            was_carried,
            is_left: false,
            #[cfg(feature = "tokio")]
            previous_task: None,
            #[cfg(feature = "tracing")]
            has_span: false,
            #[cfg(feature = "otel")]
            has_otel: false,
            thread: PhantomData,
        }
    }

    #[cfg(feature = "tokio")]
    fn with_task(mut self, task: Option<tokio::task::Id>) -> Self {
        self.previous_task = task;
        self
    }

    #[cfg(feature = "tracing")]
    fn with_span(mut self, has_span: bool) -> Self {
        self.has_span = has_span;
        self
    }

    #[cfg(feature = "otel")]
    fn with_otel(mut self, has_otel: bool) -> Self {
        self.has_otel = has_otel;
        self
    }

    /// Leaves the scope while its future is suspended, and returns its node.
    pub(crate) fn pause(&mut self) -> Option<Arc<Node>> {
        let _ = CURRENT.try_with(Current::make);
        self.leave()
    }

    /// Leaves the scope for good; returns its node if it was created.
    pub(crate) fn leave(&mut self) -> Option<Arc<Node>> {
        if self.is_left {
            return None;
        }
        self.is_left = true;
        let left = CURRENT.try_with(|current| {
            current.is_carried.set(self.was_carried);
            #[cfg(feature = "tokio")]
            current.task.set(self.previous_task);
            if current.id.get() == UNMADE {
                current.id.set(id_of(&self.previous));
                return None;
            }
            current.replace(self.previous.take())
        });
        let Ok(left) = left else { return None };
        #[cfg(feature = "tracing")]
        if let Some(left) = &left
            && let Some(traced) = left.if_traced()
        {
            traced.slow.tell();
            if self.has_span {
                traced.spans.exit();
            }
            #[cfg(feature = "otel")]
            if self.has_otel {
                traced.otel.exit();
            }
        }
        left
    }
}

impl Drop for EnteredNode {
    fn drop(&mut self) {
        self.leave();
    }
}
