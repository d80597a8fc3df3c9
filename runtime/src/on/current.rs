//! The current scope of this thread, and how a future or a closure carries it elsewhere.
//!
//! A scope is only current while something in it runs: it is entered for the duration of a poll or a call,
//! never across an `.await`. The enclosing scopes are linked to it as a chain of parents.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::node::Node;
use super::parameters::Asked;
#[cfg(feature = "tracing")]
use super::tally::Heard;
use super::tally::Seen;
use crate::report::Counts;
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
    /// Whether it was carried here by a [`CurrentBudget`].
    is_carried: Cell<bool>,
    /// Whether the enclosing scope was carried here, for one that is [`UNMADE`].
    began_carried: Cell<bool>,
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

    /// The scope, created if it was not yet.
    fn get(&self) -> Option<Arc<Node>> {
        if self.id.get() == 0 {
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
        if current.id.get() == 0 {
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
        let previous = current.get();
        let was_carried = current.is_carried.replace(false);
        current.began_carried.set(was_carried);
        current.id.set(UNMADE);
        EnteredNode::new((was_carried, previous))
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

fn enter_as(node: Option<Arc<Node>>, is_carried: bool) -> EnteredNode {
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
            #[cfg(feature = "tracing")]
            has_span: false,
            #[cfg(feature = "otel")]
            has_otel: false,
            thread: PhantomData,
        }
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
    CurrentBudget(CURRENT.try_with(Current::get).ok().flatten())
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
