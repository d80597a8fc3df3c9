//! [`CurrentBudget`]: the current scopes, carried to another thread or task.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::current::{enter_as, node};
use super::node::Node;
use crate::report::Counts;

/// The scopes that are current at one moment, to be carried to another thread or task.
///
/// ```
/// let budget = query_budget::current();
/// let worker = std::thread::spawn(move || budget.run_sync(|| { /* counts where `current` was called */ }));
/// # worker.join().unwrap();
/// ```
#[derive(Clone)]
pub struct CurrentBudget(Option<Arc<Node>>);

/// The scopes that are current now.
#[must_use]
pub fn current() -> CurrentBudget {
    CurrentBudget(node())
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
        self.0.as_ref().map(|node| node.read())
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
