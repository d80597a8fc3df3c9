//! The scope that is current on this thread, and how a future or a closure takes it elsewhere.
//!
//! A scope is current only while something in it runs: it is entered for the length of a poll or a call, never across
//! an `.await`. The scopes around it hang on it as a chain of parents.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::parameters::Asked;
use super::tally::{Seen, Tally};
use crate::site::Site;
use crate::sync::{Mutex, MutexGuard};

#[cfg(not(query_budget_loom))]
thread_local! {
    static CURRENT: Current = const { Current { id: Cell::new(0), node: RefCell::new(None) } };
}

// The threads of a model are one of the system's.
#[cfg(query_budget_loom)]
loom::thread_local! {
    static CURRENT: Current = Current { id: Cell::new(0), node: RefCell::new(None) };
}

thread_local! {
    /// The scope and the site, by number and address, that were last found to know enough: in a loop they are the next.
    static ENOUGH: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
}

/// The scope that is current on a thread.
struct Current {
    /// Its number; 0 where there is none. Every value that is bound asks for it, and for nothing else.
    id: Cell<u64>,
    node: RefCell<Option<Arc<Node>>>,
}

impl Current {
    fn replace(&self, node: Option<Arc<Node>>) -> Option<Arc<Node>> {
        self.id.set(node.as_ref().map_or(0, |node| node.id));
        self.node.replace(node)
    }
}

/// A running scope: its tally, and the scope it was started in.
pub(crate) struct Node {
    /// No other scope of the process has it.
    id: u64,
    tally: Mutex<Tally>,
    parent: Option<Arc<Node>>,
    /// Entered with the scope, so that what runs on a driver's own thread can be traced to it.
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    /// Statements of this scope that the layer found slow.
    #[cfg(feature = "tracing")]
    slow: super::slow::Slow,
}

impl Node {
    /// A scope within the current one.
    pub(crate) fn within_current() -> Arc<Self> {
        Self::within(current().0)
    }

    fn within(parent: Option<Arc<Self>>) -> Arc<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Arc::new_cyclic(|_this| Self {
            id: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            tally: Mutex::default(),
            parent,
            #[cfg(feature = "tracing")]
            span: super::layer::span_of(_this),
            #[cfg(feature = "tracing")]
            slow: super::slow::Slow::default(),
        })
    }

    /// Whether what runs on a thread of the driver cannot be traced to it.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_untraceable(&self) -> bool {
        self.span.is_disabled()
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn slow(&self) -> &super::slow::Slow {
        &self.slow
    }

    /// Whether there is no scope around it.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_outermost(&self) -> bool {
        self.parent.is_none()
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        // A tally is consistent after every change to it, so what a panicking thread left is still true.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what sqlx tells of an execution in a scope and all those around it; says whether it is new to the scope.
#[cfg(feature = "tracing")]
pub(crate) fn record_told(node: &Arc<Node>, sql: &str, seen: Seen) -> bool {
    let is_counted = super::running::is_running(sql);
    let is_new = node.tally().add_told(sql, seen, is_counted);
    let mut scope = node.parent.as_ref();
    while let Some(node) = scope {
        node.tally().add_told(sql, seen, is_counted);
        scope = node.parent.as_ref();
    }
    is_new
}

/// What the current scopes want to know of the values of the query at that site.
pub(crate) fn asked_of(site: &'static Site) -> Asked {
    match CURRENT.try_with(|current| current.id.get()) {
        Err(_) | Ok(0) => Asked::ByNobody,
        Ok(node) if ENOUGH.try_with(Cell::get) == Ok((node, address(site))) => Asked::Nothing,
        Ok(_) => Asked::Values,
    }
}

fn address(site: &'static Site) -> usize {
    std::ptr::from_ref(site).addr()
}

/// Counts what was seen in the current scope and all those around it.
pub(crate) fn record(site: &'static Site, seen: Seen) {
    // While the thread's storage is being torn down nothing is current any more.
    let _ = CURRENT.try_with(|current| {
        let current = current.node.borrow();
        let mut have_enough = true;
        let mut scope = current.as_ref();
        while let Some(node) = scope {
            have_enough &= node.tally().add(site, seen);
            scope = node.parent.as_ref();
        }
        if have_enough && let Some(node) = current.as_ref() {
            let _ = ENOUGH.try_with(|enough| enough.set((node.id, address(site))));
        }
    });
}

/// Makes `node` current on this thread until the guard is dropped. Guards are dropped in reverse order.
pub(crate) fn enter(node: Option<Arc<Node>>) -> EnteredNode {
    let previous = CURRENT.try_with(|current| {
        #[cfg(feature = "tracing")]
        if let Some(node) = &node {
            node.span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }
        current.replace(node)
    });
    EnteredNode { previous: previous.ok().flatten(), thread: PhantomData }
}

/// Makes the previous scope current again when dropped. Bound to its thread, so it cannot be held across an `.await`
/// of a future that is sent elsewhere.
pub(crate) struct EnteredNode {
    previous: Option<Arc<Node>>,
    thread: PhantomData<*const ()>,
}

impl Drop for EnteredNode {
    fn drop(&mut self) {
        let left = CURRENT.try_with(|current| current.replace(self.previous.take()));
        #[cfg(feature = "tracing")]
        if let Ok(Some(left)) = &left {
            left.slow.tell();
            left.span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
        // Dropped here, outside the borrow.
        drop(left);
    }
}

/// The scopes that are current at one moment, to be taken to another thread or task.
///
/// ```
/// let budget = query_budget::current();
/// let worker = std::thread::spawn(move || budget.run_sync(|| { /* counts where `current` was called */ }));
/// # worker.join().unwrap();
/// ```
#[derive(Clone)]
pub struct CurrentBudget(pub(crate) Option<Arc<Node>>);

/// The scopes that are current now.
#[must_use]
pub fn current() -> CurrentBudget {
    CurrentBudget(CURRENT.try_with(|current| current.node.borrow().clone()).ok().flatten())
}

/// Runs the future outside of every scope: what it asks of the database counts nowhere.
///
/// This is for what belongs to a test and not to the code under test:
///
/// ```
/// # use query_budget::{assert_constant_queries, uncounted};
/// # async fn make(_: usize) {}
/// # async fn load() {}
/// # sqlx::__rt::test_block_on(async {
/// assert_constant_queries(async |n| {
///     uncounted(make(n)).await;
///     load().await;
/// })
/// .await;
/// # });
/// ```
pub fn uncounted<F: Future>(future: F) -> InBudget<F> {
    // A scope of its own that nobody asks, so that what runs on a driver's thread is not traced to one further out.
    CurrentBudget(Some(Node::within(None))).run(future)
}

impl CurrentBudget {
    /// Runs the future in these scopes, wherever it is polled.
    pub fn run<F: Future>(&self, future: F) -> InBudget<F> {
        InBudget { future: Some(future), budget: self.clone() }
    }

    /// Runs the closure in these scopes, for `spawn_blocking` and threads.
    pub fn run_sync<R>(&self, body: impl FnOnce() -> R) -> R {
        let _entered = enter(self.0.clone());
        body()
    }
}

impl std::fmt::Debug for CurrentBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CurrentBudget").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that counts in the scopes that were current when it was made. See
    /// [`BudgetExt::in_current_budget`](crate::BudgetExt::in_current_budget).
    #[must_use = "futures do nothing unless polled"]
    pub struct InBudget<F> {
        // Taken out where it is dropped, so that it is dropped within the scopes.
        #[pin]
        future: Option<F>,
        budget: CurrentBudget,
    }

    impl<F> PinnedDrop for InBudget<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = enter(this.budget.0.clone());
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InBudget<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = enter(this.budget.0.clone());
        match this.future.as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }
}
