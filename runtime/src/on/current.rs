//! The current scope of this thread, and how a future or a closure carries it elsewhere.
//!
//! A scope is only current while something in it runs: it is entered for the duration of a poll or a call,
//! never across an `.await`. The enclosing scopes are linked to it as a chain of parents.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::parameters::Asked;
#[cfg(feature = "tracing")]
use super::tally::Heard;
use super::tally::{Seen, Tally};
use crate::report::Counts;
use crate::site::Site;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering};

#[cfg(not(query_budget_loom))]
thread_local! {
    static CURRENT: Current =
        const { Current { id: Cell::new(0), node: RefCell::new(None), is_carried: Cell::new(false) } };
}

// All threads of a model share one thread of the system.
#[cfg(query_budget_loom)]
loom::thread_local! {
    static CURRENT: Current =
        Current { id: Cell::new(0), node: RefCell::new(None), is_carried: Cell::new(false) };
}

thread_local! {
    /// The scope and the site, by id and address, that were last found to know enough: in a loop they are the
    /// same the next time.
    static ENOUGH: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
}

/// The scope that is current on a thread.
struct Current {
    /// Its id; 0 if there is none. Every bound value reads it, and nothing else.
    id: Cell<u64>,
    node: RefCell<Option<Arc<Node>>>,
    /// Whether it was carried here by a [`CurrentBudget`].
    is_carried: Cell<bool>,
}

impl Current {
    fn replace(&self, node: Option<Arc<Node>>) -> Option<Arc<Node>> {
        self.id.set(node.as_ref().map_or(0, |node| node.id));
        self.node.replace(node)
    }
}

/// A running scope: its tally, and the enclosing scope.
pub(crate) struct Node {
    /// Unique in the process.
    id: u64,
    tally: Mutex<Tally>,
    /// The enclosing scope, or the nearest one further out that has not ended.
    parent: Mutex<Option<Arc<Node>>>,
    /// Whether there may be one, readable without the lock.
    is_nested: AtomicBool,
    /// Whether it has been reported on, so that its counts are no longer needed.
    has_ended: AtomicBool,
    /// Whether what runs in it counts nowhere.
    #[cfg(feature = "tracing")]
    is_uncounted: bool,
    /// Whether it began where a scope had been carried to.
    #[cfg(feature = "tracing")]
    is_carried: bool,
    /// Traces what runs on a driver's own thread to the scope.
    #[cfg(feature = "tracing")]
    spans: super::span::Spans,
    #[cfg(feature = "otel")]
    otel: super::otel::ScopeSpan,
    /// Slow statements of this scope, found by the layer.
    #[cfg(feature = "tracing")]
    slow: super::slow::Slow,
}

impl Node {
    /// A scope within the current one.
    pub(crate) fn within_current() -> Arc<Self> {
        let is_carried = CURRENT.try_with(|current| current.is_carried.get()).unwrap_or_default();
        Self::within(current().0, is_carried, false)
    }

    /// A scope that is never read, outside of any other.
    pub(crate) fn outside() -> Arc<Self> {
        Self::within(None, false, true)
    }

    fn within(parent: Option<Arc<Self>>, is_carried: bool, is_uncounted: bool) -> Arc<Self> {
        // Its parent may have lost its own parent.
        let parent = parent.and_then(|parent| {
            let further_out = parent.around();
            if parent.has_ended.load(Ordering::Relaxed) { further_out } else { Some(parent) }
        });
        let _ = (is_carried, is_uncounted);
        static LAST: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            tally: Mutex::default(),
            is_nested: AtomicBool::new(parent.is_some()),
            parent: Mutex::new(parent),
            has_ended: AtomicBool::new(false),
            #[cfg(feature = "tracing")]
            is_uncounted,
            #[cfg(feature = "tracing")]
            is_carried,
            #[cfg(feature = "tracing")]
            spans: super::span::Spans::default(),
            #[cfg(feature = "otel")]
            otel: super::otel::ScopeSpan::default(),
            #[cfg(feature = "tracing")]
            slow: super::slow::Slow::default(),
        })
    }

    /// Whether what runs on a driver's thread cannot be traced to it.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_untraceable(&self) -> bool {
        super::span::is_needed() && self.spans.are_disabled()
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is_uncounted(&self) -> bool {
        self.is_uncounted
    }

    #[cfg(feature = "otel")]
    pub(super) fn otel(&self) -> &super::otel::ScopeSpan {
        &self.otel
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is_carried(&self) -> bool {
        self.is_carried
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn slow(&self) -> &super::slow::Slow {
        &self.slow
    }

    /// Whether it has no enclosing scope.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_outermost(&self) -> bool {
        self.around().is_none()
    }

    /// Marks its counts as no longer needed.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// The enclosing scope. Ended ones are unlinked permanently: otherwise each task in an endless chain
    /// would keep all earlier ones alive.
    fn around(&self) -> Option<Arc<Self>> {
        if !self.is_nested.load(Ordering::Relaxed) {
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
        // A tally is consistent after every change to it, so it is valid even after a thread panicked.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Node {
    /// One after the other: recursively dropping a long chain would overflow the stack.
    fn drop(&mut self) {
        let mut parent = take_parent(self);
        while let Some(mut node) = parent.and_then(Arc::into_inner) {
            parent = take_parent(&mut node);
        }
    }
}

fn take_parent(node: &mut Node) -> Option<Arc<Node>> {
    node.parent.get_mut().unwrap_or_else(PoisonError::into_inner).take()
}

/// Counts an execution reported by sqlx in a scope and all enclosing ones; returns what was new to the scope.
#[cfg(feature = "tracing")]
pub(crate) fn record_told(node: &Arc<Node>, sql: &str, seen: Seen) -> Heard {
    let is_counted = super::running::is_running(sql);
    let heard = node.tally().add_told(sql, seen, is_counted);
    let mut scope = node.around();
    while let Some(node) = scope {
        node.tally().add_told(sql, seen, is_counted);
        scope = node.around();
    }
    heard
}

/// What the current scopes want to know about the values of the query at a site.
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

/// Counts an observation in the current scope and all enclosing ones.
pub(crate) fn record(site: &'static Site, seen: Seen) {
    // While the thread's storage is destroyed, nothing is current any more.
    let _ = CURRENT.try_with(|current| {
        let current = current.node.borrow();
        let Some(node) = current.as_ref() else { return };
        let mut have_enough = node.tally().add(site, seen);
        let mut scope = node.around();
        while let Some(node) = scope {
            have_enough &= node.tally().add(site, seen);
            scope = node.around();
        }
        if have_enough {
            let _ = ENOUGH.try_with(|enough| enough.set((node.id, address(site))));
        }
    });
}

/// Makes `node` current on this thread until the guard is dropped. Guards are dropped in reverse order.
pub(crate) fn enter(node: Option<Arc<Node>>) -> EnteredNode {
    enter_as(node, false)
}

fn enter_as(node: Option<Arc<Node>>, is_carried: bool) -> EnteredNode {
    #[cfg(feature = "otel")]
    let has_otel = node.as_ref().is_some_and(|node| node.otel.enter());
    #[cfg(feature = "tracing")]
    let has_span = node.as_ref().is_some_and(|node| node.spans.enter(node, is_carried));
    let previous = CURRENT
        .try_with(|current| (current.is_carried.replace(is_carried), current.replace(node)))
        .unwrap_or_default();
    EnteredNode {
        previous: previous.1,
        was_carried: previous.0,
        #[cfg(feature = "tracing")]
        has_span,
        #[cfg(feature = "otel")]
        has_otel,
        thread: PhantomData,
    }
}

/// Makes the previous scope current again when dropped. It is not `Send`, so it cannot be held across an
/// `.await` of a future that moves between threads.
pub(crate) struct EnteredNode {
    previous: Option<Arc<Node>>,
    was_carried: bool,
    /// Whether a span of the scope was entered with it.
    #[cfg(feature = "tracing")]
    has_span: bool,
    #[cfg(feature = "otel")]
    has_otel: bool,
    thread: PhantomData<*const ()>,
}

impl Drop for EnteredNode {
    fn drop(&mut self) {
        let left = CURRENT.try_with(|current| {
            current.is_carried.set(self.was_carried);
            current.replace(self.previous.take())
        });
        #[cfg(feature = "tracing")]
        if let Ok(Some(left)) = &left {
            left.slow.tell();
            if self.has_span {
                left.spans.exit();
            }
            #[cfg(feature = "otel")]
            if self.has_otel {
                left.otel.exit();
            }
        }
        // Dropped here, outside the borrow.
        drop(left);
    }
}

/// The scopes that are current at one moment, to be carried to another thread or task.
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

/// Runs the future outside of every scope: its database access counts nowhere.
///
/// A stream that leaves it counts where it is read; one that is not written with `sql!` counts as a query of
/// the place where it ends or is dropped.
///
/// Use it for queries of a test that do not belong to the code under test:
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
    // A scope of its own that is never read, so that what runs on a driver's thread is not traced to an
    // enclosing one.
    CurrentBudget(Some(Node::outside())).run(future)
}

/// The counts of the innermost scope so far; `None` outside of every scope, and in a build that does not
/// count.
///
/// ```
/// # sqlx::__rt::test_block_on(query_budget::scope("page").run(async {
/// let before = query_budget::counts();
/// // load something
/// assert_eq!(before.map(|counts| counts.queries), Some(0));
/// # }));
/// ```
#[must_use]
pub fn counts() -> Option<Counts> {
    current().counts()
}

impl CurrentBudget {
    /// The counts of the innermost of these scopes so far; `None` if there is none.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        self.0.as_ref().map(|node| node.tally().counts())
    }

    /// Runs the future in these scopes, wherever it is polled.
    pub fn run<F: Future>(&self, future: F) -> InBudget<F> {
        InBudget { future: Some(future), budget: self.clone() }
    }

    /// Runs the closure in these scopes, for `spawn_blocking` and threads.
    pub fn run_sync<R>(&self, body: impl FnOnce() -> R) -> R {
        let _entered = enter_as(self.0.clone(), true);
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
        // Taken out for dropping, so that it is dropped within the scopes.
        #[pin]
        future: Option<F>,
        budget: CurrentBudget,
    }

    impl<F> PinnedDrop for InBudget<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = enter_as(this.budget.0.clone(), true);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for InBudget<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = enter_as(this.budget.0.clone(), true);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }
}

crate::macros::debug_without_inner!(InBudget);
