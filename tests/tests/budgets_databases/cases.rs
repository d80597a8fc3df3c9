//! The cases, each for any database.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::future::{FutureExt, join};
use futures_util::{StreamExt, TryStreamExt};
use http::{Request, Response};
use query_budget::{
    BudgetExt, Report, RequestLayer, assert_constant_queries, assert_queries, current, measure, scope, stats,
    uncounted,
};
use tokio::sync::Notify;
use tower::{Layer, ServiceExt, service_fn};

use crate::probe::Probe;

/// The text of the panic that ends the future.
pub(crate) async fn panic_of(future: impl Future) -> String {
    let Err(panic) = AssertUnwindSafe(future).catch_unwind().await else {
        panic!("it does not panic");
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("no text").to_owned(),
    }
}

#[track_caller]
fn counted(report: &Report, queries: usize, rows: usize) {
    assert_eq!((report.queries(), report.rows()), (queries, rows), "{report}");
}

pub(crate) async fn every_method_counts_once<P: Probe>(db: P) {
    let (outcome, report) = measure(db.every_method()).await;
    outcome.unwrap();
    counted(&report, 14, 11);
    // One site: one statement, run in one place.
    assert_eq!(report.statements().len(), 1);
    assert!(report.time() > Duration::ZERO);
}

pub(crate) async fn failed_query_counts<P: Probe>(db: P) {
    let (outcome, report) = measure(db.refused()).await;
    assert!(outcome.is_err());
    counted(&report, 1, 0);
    let (outcome, report) = measure(db.one(-1)).await;
    assert!(matches!(outcome, Err(sqlx::Error::RowNotFound)));
    counted(&report, 1, 0);
}

pub(crate) async fn transaction_control_does_not_count<P: Probe>(db: P) {
    let (outcome, report) = measure(db.in_transaction()).await;
    outcome.unwrap();
    counted(&report, 2, 0);
}

pub(crate) async fn query_counts_in_every_scope_around_it<P: Probe>(db: P) {
    let (((), inner), outer) = measure(async {
        db.one(1).await.unwrap();
        let measured =
            measure(async { scope("innermost").max(1).run(db.one(2)).await.map(drop).unwrap() }).await;
        db.one(3).await.unwrap();
        measured
    })
    .await;
    counted(&inner, 1, 1);
    counted(&outer, 3, 3);
    // The outer one exceeds its budget although each of the inner ones keeps its own.
    let text = panic_of(scope("outer").max(2).run(async {
        for id in 1..=3 {
            scope("inner").max(1).run(db.one(id)).await.unwrap();
        }
    }))
    .await;
    assert!(text.starts_with("`outer` ran 3 queries; its budget is 2\n"), "{text}");
}

pub(crate) async fn recursion_counts_in_every_call<P: Probe>(db: P) {
    async fn descend<P: Probe>(db: &P, depth: i64) -> usize {
        let ((), report) = measure(async {
            db.one(depth).await.unwrap();
            if depth > 1 {
                let below = Box::pin(descend(db, depth - 1)).await;
                assert_eq!(below, depth as usize - 1);
            }
        })
        .await;
        report.queries()
    }
    assert_eq!(descend(&db, 5).await, 5);
}

pub(crate) async fn joined_futures_count_apart<P: Probe>(db: P) {
    let run = async |times: i64| {
        for id in 1..=times {
            db.one(id).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let ((((), left), ((), right)), both) = measure(join(measure(run(5)), measure(run(7)))).await;
    counted(&left, 5, 5);
    counted(&right, 7, 7);
    counted(&both, 12, 12);
    // A future polled in between, outside both, counts in neither.
    let ((((), left), ()), ()) = join(join(measure(run(2)), run(3)), run(1)).await;
    counted(&left, 2, 2);
}

pub(crate) async fn spawned_task_counts_when_told<P: Probe>(db: P) {
    let (outer, inner) = (db.clone(), db.clone());
    let ((), report) = measure(async move {
        tokio::spawn(async move { outer.one(1).await.unwrap() }).await.unwrap();
        let told = async move { join(inner.one(2), inner.many(4)).await };
        let (one, many) = tokio::spawn(told.in_current_budget()).await.unwrap();
        assert_eq!((one.unwrap(), many.unwrap().len()), (2, 4));
    })
    .await;
    counted(&report, 2, 5);
    // Awaited in place, it counts once rather than twice.
    let ((), report) = measure(async { db.one(1).in_current_budget().await.map(drop).unwrap() }).await;
    counted(&report, 1, 1);
}

pub(crate) async fn blocking_thread_counts_when_told<P: Probe>(db: P) {
    let handle = tokio::runtime::Handle::current();
    let ((), report) = measure(async move {
        let budget = current();
        let blocking = move || {
            // Not in the budget yet: the thread does not belong to the scope.
            handle.block_on(db.one(1)).unwrap();
            budget.run_sync(|| handle.block_on(db.one(2)).unwrap());
            scope("on a thread").max(1).run_sync(|| handle.block_on(db.one(3)).unwrap());
        };
        tokio::task::spawn_blocking(blocking).await.unwrap();
    })
    .await;
    counted(&report, 1, 1);
}

pub(crate) async fn rows_count_as_they_come<P: Probe>(db: P) {
    let (mut stream, report) = measure(async {
        let mut stream = db.stream(50);
        for _ in 0..20 {
            stream.try_next().await.unwrap().unwrap();
        }
        stream
    })
    .await;
    counted(&report, 1, 20);
    // Later rows count where they are read; the query itself ran before.
    let ((), report) = measure(async {
        for _ in 0..30 {
            stream.try_next().await.unwrap().unwrap();
        }
        assert!(stream.try_next().await.unwrap().is_none());
    })
    .await;
    counted(&report, 0, 30);
}

pub(crate) async fn stream_not_polled_does_not_count<P: Probe>(db: P) {
    let ((), report) = measure(async { drop(db.stream(50)) }).await;
    counted(&report, 0, 0);
    let ((), report) = measure(async { drop(db.one(1)) }).await;
    counted(&report, 0, 0);
    let (one, report) = measure(async { db.stream(50).next().await }).await;
    assert_eq!(one.unwrap().unwrap(), 1);
    counted(&report, 1, 1);
}

pub(crate) async fn each_limit_holds_by_itself<P: Probe>(db: P) {
    let work = async || {
        db.many(3).await.unwrap();
        db.many(4).await.unwrap();
    };
    scope("page").max(2).rows(7).time(Duration::from_secs(60)).run(work()).await;
    let text = panic_of(scope("page").max(1).run(work())).await;
    assert!(text.starts_with("`page` ran 2 queries; its budget is 1\n"), "{text}");
    let text = panic_of(scope("page").max(2).rows(6).run(work())).await;
    assert!(text.starts_with("`page` fetched 7 rows; its budget is 6\n"), "{text}");
    let text = panic_of(scope("page").time(Duration::from_millis(10)).run(db.slow())).await;
    assert!(text.contains("ms in queries; its budget is 10.0 ms\n"), "{text}");
    let text = panic_of(scope("page").max(0).rows(0).run(work())).await;
    let both = "`page` ran 2 queries; its budget is 0\n`page` fetched 7 rows; its budget is 0\n";
    assert!(text.starts_with(both), "{text}");
}

pub(crate) async fn panic_of_the_body_goes_through<P: Probe>(db: P) {
    let text = panic_of(scope("page").max(0).run(async {
        db.one(1).await.unwrap();
        panic!("of the body");
    }))
    .await;
    assert_eq!(text, "of the body");
    let handle = tokio::runtime::Handle::current();
    let text = tokio::task::spawn_blocking(move || {
        let page = || -> () {
            scope("page").max(0).run_sync(|| {
                handle.block_on(db.one(1)).unwrap();
                panic!("of the closure");
            })
        };
        std::panic::catch_unwind(AssertUnwindSafe(page)).unwrap_err()
    });
    assert_eq!(text.await.unwrap().downcast_ref::<&str>(), Some(&"of the closure"));
}

pub(crate) async fn cancelled_scope_does_not_panic<P: Probe>(db: P) {
    let ((), report) = measure(async {
        let ran = Notify::new();
        let cancelled = scope("cancelled").max(0).run(async {
            db.one(1).await.unwrap();
            ran.notify_one();
            std::future::pending::<()>().await;
        });
        tokio::select! {
            () = cancelled => panic!("it has no end"),
            () = ran.notified() => {}
        }
    })
    .await;
    // The enclosing scope knows of the query all the same.
    counted(&report, 1, 1);
    // A query that is cancelled while it runs has still run.
    let timeout = tokio::time::timeout(Duration::from_millis(50), db.slow());
    let (outcome, report) = measure(timeout).await;
    assert!(outcome.is_err());
    counted(&report, 1, 0);
    assert!(!report.time().is_zero(), "{report}");
}

pub(crate) async fn scope_dropped_by_a_panic_does_not_abort<P: Probe>(db: P) {
    let text = panic_of(async {
        let ran = Notify::new();
        let mut over = Box::pin(scope("over").max(0).run(async {
            db.one(1).await.unwrap();
            ran.notify_one();
            std::future::pending::<()>().await;
        }));
        tokio::select! {
            () = &mut over => unreachable!("it has no end"),
            () = ran.notified() => {}
        }
        panic!("with the scope still open");
    })
    .await;
    assert_eq!(text, "with the scope still open");
}

pub(crate) async fn time_of_the_consumer_is_not_the_querys<P: Probe>(db: P) {
    let (begun, mut busy) = (Instant::now(), Duration::ZERO);
    let ((), report) = measure(async {
        let mut stream = db.stream(10);
        while stream.try_next().await.unwrap().is_some() {
            let since = Instant::now();
            tokio::time::sleep(Duration::from_millis(30)).await;
            busy += since.elapsed();
        }
    })
    .await;
    // Both are parts of the whole, without a moment in common.
    assert!(report.time() + busy <= begun.elapsed(), "{report}");
    counted(&report, 1, 10);
}

/// The kinds of values that drivers encode in different ways.
pub(crate) async fn parameters_are_told_apart<P: Probe>(db: P) {
    use query_budget::ParameterSets::{Different, Same, Several as Sets};

    for (name, values, expected) in [
        ("one", [(1, "a"), (2, "a"), (3, "a"), (4, "a")], Different),
        ("text", [(1, "a"), (1, "b"), (1, "c"), (1, "")], Different),
        ("same", [(1, "a"), (1, "a"), (1, "a"), (1, "a")], Same),
        ("pairs", [(1, "a"), (2, "a"), (1, "a"), (2, "a")], Sets(2)),
    ] {
        let ((), report) = measure(async {
            for (number, text) in values {
                db.with_values(number, Some(text)).await.unwrap();
            }
        })
        .await;
        let statement = report.repeated().next().expect("it ran four times");
        assert_eq!((statement.count(), statement.parameters()), (4, expected), "{name}");
    }
    // NULL is a value different from the empty text.
    let ((), report) = measure(async {
        for text in [None, Some(""), None] {
            db.with_values(1, text).await.unwrap();
        }
    })
    .await;
    assert_eq!(report.repeated().next().expect("it ran three times").parameters(), Sets(2));
}

pub(crate) async fn select_counts_what_ran_of_both_arms<P: Probe>(db: P) {
    let ((), report) = measure(async {
        let ran = Notify::new();
        let loses = scope("loses").max(1).run(async {
            db.one(1).await.unwrap();
            ran.notify_one();
            std::future::pending::<()>().await;
        });
        let wins = async {
            db.many(3).await.unwrap();
            db.many(4).await.unwrap();
            ran.notified().await;
        };
        tokio::select! {
            () = loses => panic!("it has no end"),
            () = wins => {}
        }
        db.one(2).await.unwrap();
    })
    .await;
    counted(&report, 4, 9);
}

pub(crate) async fn stream_has_a_budget<P: Probe>(db: P) {
    let rows = async |limit: i64| {
        let rows = scope("rows").max(1).rows(20).run_stream(db.stream(limit));
        rows.try_collect::<Vec<_>>().await.unwrap().len()
    };
    assert_eq!(rows(20).await, 20);
    let text = panic_of(rows(21)).await;
    assert!(text.starts_with("`rows` fetched 21 rows; its budget is 20\n"), "{text}");
    // If dropped before its end it does not panic, and the enclosing scope has counted the rows so far.
    let ((), report) = measure(async {
        let mut rows = scope("rows").rows(3).run_stream(db.stream(50));
        for _ in 0..5 {
            rows.try_next().await.unwrap().unwrap();
        }
    })
    .await;
    counted(&report, 1, 5);
}

pub(crate) async fn uncounted_counts_nowhere<P: Probe>(db: P) {
    let ((), report) = measure(async {
        uncounted(async { measure(db.one(1)).await }).await.0.unwrap();
        db.one(2).await.unwrap();
    })
    .await;
    counted(&report, 1, 1);
}

pub(crate) async fn tests_ask_for_a_number<P: Probe>(db: P) {
    let page = async |elements: i64| {
        db.many(elements).await.unwrap();
        for id in 1..=elements {
            db.one(id).await.unwrap();
        }
    };
    assert_queries!(3, page(2));
    assert_queries!(<= 4, page(2));
    assert_queries!(1..=3, page(2));
    let text = panic_of(async { assert_queries!(<= 2, page(2)) }).await;
    assert!(
        text.starts_with("expected at most 2 of the queries to run\n`measured code` ran 3 queries, "),
        "{text}"
    );
    // As many queries with two as with ten, because the test's own are excluded; and a closure works too.
    assert_constant_queries(|n| {
        let db = &db;
        async move {
            for id in 1..=n {
                uncounted(db.one(id as i64)).await.unwrap();
            }
            db.many(n as i64).await.unwrap();
        }
    })
    .await;
    let text = panic_of(assert_constant_queries(async |n| page(n as i64).await)).await;
    assert!(
        text.starts_with("the number of queries grows with that of elements: 3 for 2, 11 for 10\n"),
        "{text}"
    );
    assert!(text.contains("\n  2 times, then 10 times: SELECT id FROM items WHERE id = "), "{text}");
}

pub(crate) async fn repeated_statement_is_to_be_batched<P: Probe>(db: P) {
    let text = panic_of(scope("page").repeats(2).run(async {
        for id in 1..=3 {
            db.one(id).await.unwrap();
        }
    }))
    .await;
    let remedy = format!("its parameters differ, batch it with {}", P::BATCH);
    assert!(text.starts_with("`page` ran one query 3 times; its budget is 2 for each\n"), "{text}");
    assert!(text.contains(" once, not 3 times (") && text.ends_with(&remedy), "{text}");
    let text = panic_of(scope("page").repeats(2).run(async {
        for _ in 1..=3 {
            db.one(1).await.unwrap();
        }
    }))
    .await;
    assert!(
        text.ends_with("its parameters stay the same, move it out of the loop or cache its result"),
        "{text}"
    );
}

pub(crate) async fn request_says_what_it_asked_for<P: Probe>(db: P) {
    let service = RequestLayer::new().max(3).layer(service_fn(move |request: Request<i64>| {
        let db = db.clone();
        async move {
            let rows = db.many(request.into_body()).await?;
            for id in &rows {
                db.one(*id).await?;
            }
            Ok::<_, sqlx::Error>(Response::new(rows.len()))
        }
    }));
    let response = service.clone().oneshot(Request::new(2)).await.unwrap();
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!((*response.body(), header("x-query-count").as_str()), (2, "3"));
    let (in_queries, in_all) = (header("x-query-time"), header("x-process-time"));
    assert!(in_queries.parse::<f64>().unwrap() <= in_all.parse().unwrap(), "{response:?}");
    let timing = format!("db;desc=\"queries: 3\";dur={in_queries}, total;dur={in_all}");
    assert_eq!(header("server-timing"), timing);
    let text = panic_of(service.oneshot(Request::new(3))).await;
    assert!(text.starts_with("`GET request` ran 4 queries; its budget is 3\n"), "{text}");
}

pub(crate) async fn stats_are_kept<P: Probe>(db: P) {
    let name = format!("stats of {}", std::any::type_name::<P>());
    for is_slow in [false, false, false, true] {
        let page = scope(name.clone()).run(async {
            db.one(1).await.unwrap();
            if is_slow {
                db.slow().await.unwrap();
            }
        });
        page.await;
    }
    let stats = stats();
    let scope = stats.scopes.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{stats:?}"));
    let latency = scope.latency;
    assert_eq!((scope.queries, latency.count), (5, 4));
    assert!(
        latency.p50 < latency.p95 && latency.p95 <= latency.p99 && latency.p99 <= latency.max,
        "{scope:?}"
    );
    let json: serde_json::Value = serde_json::from_str(&stats.to_json()).unwrap();
    let scope = json["scopes"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
    assert_eq!((&scope["queries"], &scope["latency"]["count"]), (&5.into(), &4.into()), "{json}");
    assert!(scope["latency"]["p99_ms"].as_f64() > scope["latency"]["p50_ms"].as_f64(), "{json}");
}
