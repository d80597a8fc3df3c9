//! Models the data that threads share, in every possible interleaving. `scripts/loom` runs it.

#![cfg(query_budget_loom)]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::thread;
use query_budget::__private::{Site, query};
use query_budget::{Report, current, measure, scope};
use sqlx::{Execute, Sqlite};

/// Counts one query, as a connection does that takes arguments.
fn one_query() {
    static SITE: Site = Site::new("SELECT 1", 1, "src/model.rs", 1, 1);
    assert!(query::<Sqlite>(&SITE).bind(1).take_arguments().is_ok());
}

fn measured(body: impl FnOnce()) -> Report {
    let mut measured = pin!(measure(async { body() }));
    match measured.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(((), report)) => report,
        Poll::Pending => panic!("nothing in it waits"),
    }
}

#[test]
fn two_threads_count_in_one_scope() {
    loom::model(|| {
        let report = measured(|| {
            let budget = current();
            let elsewhere = thread::spawn(move || {
                budget.run_sync(|| scope("inner").max(1).run_sync(one_query));
            });
            one_query();
            elsewhere.join().expect("it ends");
        });
        assert_eq!((report.queries(), report.statements().len()), (2, 1), "{report}");
    });
}

#[test]
fn a_scope_ends_while_a_thread_still_counts_in_it() {
    loom::model(|| {
        let outer = measured(|| {
            let mut elsewhere = None;
            let inner = measured(|| {
                let budget = current();
                elsewhere = Some(thread::spawn(move || budget.run_sync(one_query)));
                one_query();
            });
            assert!(matches!(inner.queries(), 1 | 2), "{inner}");
            elsewhere.expect("it was started").join().expect("it ends");
        });
        assert_eq!(outer.queries(), 2, "{outer}");
    });
}

#[test]
fn threads_do_not_count_in_each_others_scopes() {
    loom::model(|| {
        let threads = [1, 2].map(|times| {
            thread::spawn(move || {
                let report = measured(|| (0..times).for_each(|_| one_query()));
                assert_eq!(report.queries(), times, "{report}");
            })
        });
        threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    });
}
