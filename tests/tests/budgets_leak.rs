//! Scopes leak nothing: the heap is the same after a thousand of them, however they end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use query_budget::__private::{Site, query};
use query_budget::{BudgetExt, measure, scope};
use query_budget_tests::Heap;
use sqlx::{Execute, Sqlite};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[global_allocator]
static HEAP: Heap = Heap::new();

/// Counts one query, as a connection does when it takes the arguments.
async fn one_query() {
    static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());
    let taken = query::<Sqlite>(&SITE).take_arguments();
    assert!(taken.is_ok());
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    std::pin::pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Scopes that keep their budgets, nest, are cancelled, exceed their budgets and are carried elsewhere.
fn round() {
    let nested = measure(async {
        scope("inner").max(1).run(one_query()).await;
        scope("sync").run_sync(|| assert!(poll_once(one_query()).is_ready()));
        one_query().in_current_budget().await;
    });
    let Poll::Ready(((), report)) = poll_once(nested) else { panic!("nothing in it waits") };
    assert_eq!(report.queries(), 3);
    let cancelled = scope("cancelled").max(9).run(async {
        one_query().await;
        std::future::pending::<()>().await;
    });
    assert!(poll_once(cancelled).is_pending());
    let over = catch_unwind(AssertUnwindSafe(|| poll_once(scope("over").max(0).run(one_query()))));
    assert!(over.is_err());
    let budget = scope("left").run_sync(query_budget::current);
    budget.run_sync(|| assert!(poll_once(one_query()).is_ready()));
}

#[test]
fn heap_is_the_same_after_a_thousand_rounds() {
    // With the layer each scope also has a span, which refers to the scope that contains it.
    tracing_subscriber::registry().with(query_budget::layer()).init();
    std::panic::set_hook(Box::new(|_| {}));
    // One-time allocations happen before counting, including the pools of the span registry.
    (0..100).for_each(|_| round());
    let before = HEAP.in_use();
    (0..1000).for_each(|_| round());
    let after = HEAP.in_use();
    let _ = std::panic::take_hook();
    // A leaked scope would cost a hundred bytes per round.
    assert!(after - before < 4_096, "{before} bytes before, {after} after");
}
