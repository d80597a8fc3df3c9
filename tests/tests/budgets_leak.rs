//! Scopes leave nothing behind: the heap is the same after a thousand of them, however they end.

#![expect(unsafe_code, reason = "a global allocator is unsafe to implement; this one only counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::task::{Context, Poll, Waker};

use query_budget::__private::{Site, query};
use query_budget::{BudgetExt, measure, scope};
use sqlx::{Execute, Sqlite};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The system's allocator, with the number of bytes in use.
struct Counting;

static IN_USE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: each call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts one query, as a connection that takes its arguments does.
async fn one_query() {
    static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());
    let taken = query::<Sqlite>(&SITE).take_arguments();
    assert!(taken.is_ok());
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    std::pin::pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Scopes that hold, nest, are cancelled, go over and are taken elsewhere.
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
    // With the layer each scope has a span too, which knows the scope that holds it.
    tracing_subscriber::registry().with(query_budget::layer()).init();
    std::panic::set_hook(Box::new(|_| {}));
    // What is made once is made before it counts, the pools of the span registry among it.
    (0..100).for_each(|_| round());
    let before = IN_USE.load(Ordering::Relaxed);
    (0..1000).for_each(|_| round());
    let after = IN_USE.load(Ordering::Relaxed);
    let _ = std::panic::take_hook();
    // A scope that stayed would be a hundred bytes a round.
    assert!(after - before < 4_096, "{before} bytes before, {after} after");
}
