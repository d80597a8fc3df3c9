//! The number of queries a function runs according to its source, compared with what it runs: every count is
//! in the interval, unless part of it is reported as unknown.

mod kept;
mod patterns;
mod shapes;
mod store;
mod unwritten;

use std::collections::BTreeMap;
use std::sync::Arc;

use query_budget::measure;
use query_budget_analysis::rust::{Bound, SourceFile, Upper, follow, scan};
use query_budget_tests::with_postgres;
use sqlx::Executor;
use sqlx::sqlite::SqlitePoolOptions;

use store::Store;

/// The bounds of the functions of one crate, by module and path; its files are given by module.
fn bounds(files: &[(&str, &str)]) -> BTreeMap<String, Bound> {
    let sources: Vec<SourceFile> = files
        .iter()
        .map(|(module, text)| SourceFile {
            crate_name: "shapes".to_owned(),
            externs: Arc::default(),
            module: vec![(*module).to_owned()],
            scan: scan(&format!("src/{module}.rs"), text).expect("it is Rust"),
        })
        .collect();
    let followed = follow(&sources.iter().collect::<Vec<_>>());
    let mut bounds = BTreeMap::new();
    for (source, of_source) in sources.iter().zip(followed.bounds) {
        for (function, bound) in source.scan.functions.iter().zip(of_source) {
            bounds.insert(format!("{}::{}", source.module.join("::"), function.path), bound);
        }
    }
    bounds
}

/// Checks that a count is in the interval.
#[track_caller]
fn lies_in(bounds: &BTreeMap<String, Bound>, function: &str, count: u64, of: &str) {
    let bound = &bounds[function];
    assert!(bound.unknown.is_empty(), "{function}: not all of it is known: {:?}", bound.unknown);
    lies_in_or_is_open(bounds, function, count, of);
}

/// Checks that a count is in the interval, unless part of that is unknown; then it is not below it.
#[track_caller]
fn lies_in_or_is_open(bounds: &BTreeMap<String, Bound>, function: &str, count: u64, of: &str) {
    let bound = &bounds[function];
    let Bound { lower, upper, .. } = bound;
    let is_inside = count >= *lower
        && match upper {
            Upper::Finite(most) => count <= *most || bound.is_open(),
            Upper::Unbounded { .. } => true,
        };
    assert!(is_inside, "{function} ran {count} queries for {of}, not {lower} to {upper:?}");
}

/// Runs each function for each number, and compares.
macro_rules! check_all {
    ($bounds:expr, $store:expr, $module:ident, [$($function:ident),* $(,)?]) => {
        check_all!($bounds, $store, $module, lies_in, [$($function),*]);
    };
    ($bounds:expr, $store:expr, $module:ident, $check:ident, [$($function:ident),* $(,)?]) => {
        $(for n in 0..6 {
            let (_, report) = measure($module::$function($store, n)).await;
            let count = u64::try_from(report.queries()).expect("a count");
            let name = concat!(stringify!($module), "::", stringify!($function));
            $check($bounds, name, count, &format!("n = {n}"));
        })*
    };
}

/// A database in memory with the table that all patterns read, and no rows.
async fn empty_store() -> Store {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").await.unwrap();
    Store { db }
}

#[tokio::test]
async fn every_count_lies_in_its_interval() {
    let bounds = bounds(&[("shapes", include_str!("shapes.rs")), ("store", include_str!("store.rs"))]);
    let store = &empty_store().await;
    check_all!(
        &bounds,
        store,
        shapes,
        [
            in_a_row,
            branches,
            early_return,
            fixed_loop,
            a_loop_over_elements,
            joined,
            futures_that_are_dropped,
            recursion,
            through_a_trait,
            closures,
            of_budgeted_functions,
            an_error_on_the_way,
            a_transaction,
            spawned,
        ]
    );
    // Meaningless intervals would pass as well.
    let upper = |function: &str| bounds[&format!("shapes::{function}")].upper.clone();
    assert_eq!(bounds["shapes::in_a_row"].lower, 1);
    for (function, most) in
        [("in_a_row", 3), ("branches", 4), ("early_return", 3), ("fixed_loop", 5), ("closures", 3)]
    {
        assert_eq!(upper(function), Upper::Finite(most), "{function}");
    }
    for function in ["a_loop_over_elements", "joined", "recursion"] {
        assert!(matches!(upper(function), Upper::Unbounded { .. }), "{function}");
    }
}

#[tokio::test]
async fn every_pattern_of_real_code_lies_in_its_interval() {
    let bounds = bounds(&[("patterns", include_str!("patterns.rs")), ("store", include_str!("store.rs"))]);
    let store = &empty_store().await;
    check_all!(
        &bounds,
        store,
        patterns,
        [
            a_helper_that_loops,
            a_helper_behind_a_helper,
            a_closure_that_is_handed_over_by_name,
            a_helper_that_calls_twice,
            a_helper_that_calls_once_at_most,
            a_closure_with_two_queries,
            futures_that_are_collected,
            the_arms_of_an_enum,
            a_newtype,
            elements_of_a_parameter,
            an_option_in_a_field,
            a_prefix,
            what_is_kept_once_it_is_read,
        ]
    );
    for (function, most) in [
        ("a_helper_that_loops", None),
        ("a_helper_that_calls_twice", Some(2)),
        ("a_helper_that_calls_once_at_most", Some(1)),
        ("an_option_in_a_field", Some(1)),
        ("a_prefix", Some(5)),
    ] {
        let upper = &bounds[&format!("patterns::{function}")].upper;
        let known = match upper {
            Upper::Finite(most) => Some(*most),
            Upper::Unbounded { .. } => None,
        };
        assert_eq!(known, most, "{function}");
    }
}

#[tokio::test]
async fn what_runs_without_a_call_being_written_lies_in_its_interval() {
    let bounds = bounds(&[("unwritten", include_str!("unwritten.rs")), ("store", include_str!("store.rs"))]);
    let store = &empty_store().await;
    check_all!(
        &bounds,
        store,
        unwritten,
        [
            an_operator,
            an_operator_in_a_loop,
            a_negation,
            what_an_index_gives,
            a_loop_over_an_iterator,
            an_iterator_that_is_collected,
            an_iterator_that_is_joined,
            an_iterator_that_extends,
            an_iterator_that_is_limited,
            what_becomes_an_iterator,
            the_first_of_a_stream,
            the_first_two_of_a_stream,
            a_stream_that_reads_ahead,
            the_first_futures,
            a_part_that_is_drained,
        ]
    );
    for (function, most) in [
        ("an_operator", 2),
        ("a_negation", 1),
        ("an_iterator_that_is_limited", 2),
        ("the_first_of_a_stream", 1),
        ("the_first_two_of_a_stream", 2),
        ("the_first_futures", 3),
        ("a_part_that_is_drained", 2),
    ] {
        assert_eq!(bounds[&format!("unwritten::{function}")].upper, Upper::Finite(most), "{function}");
    }
}

#[tokio::test]
async fn what_is_kept_and_run_later_is_in_its_interval_or_unknown() {
    let bounds = bounds(&[("kept", include_str!("kept.rs")), ("store", include_str!("store.rs"))]);
    let store = &empty_store().await;
    check_all!(
        &bounds,
        store,
        kept,
        lies_in_or_is_open,
        [
            a_closure_that_is_returned,
            a_closure_that_is_returned_and_mapped,
            hooks_in_a_list,
            hooks_in_a_map,
            hooks_in_fields,
            jobs_in_a_queue,
            functions_in_a_static,
            a_function_by_its_position,
            futures_that_are_given,
            futures_that_are_returned,
            an_unordered_collection,
            a_set_of_tasks,
            the_fastest_and_the_rest,
            an_unfolded_stream,
            each_of_a_stream,
        ]
    );
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn the_examples_run_what_their_source_tells() {
    let of_jobs = bounds(&[
        ("looped", include_str!("../../../examples/job-runner/src/looped.rs")),
        ("together", include_str!("../../../examples/job-runner/src/together.rs")),
    ]);
    let of_chat = bounds(&[
        ("looped", include_str!("../../../examples/agent-chat/src/looped.rs")),
        ("together", include_str!("../../../examples/agent-chat/src/together.rs")),
    ]);
    let count = |report: &query_budget::Report| u64::try_from(report.queries()).expect("a count");
    with_postgres(|db| async move {
        job_runner::migrate(&db).await.unwrap();
        let names: Vec<String> = (1..=5).map(|step| format!("step {step}")).collect();
        let (run, report) = measure(job_runner::looped::create_run(&db, "plan", &names)).await;
        lies_in(&of_jobs, "looped::create_run", count(&report), "five steps");
        let (_, report) = measure(job_runner::looped::steps_of(&db, run.unwrap())).await;
        lies_in(&of_jobs, "looped::steps_of", count(&report), "five steps");
        let (run, report) = measure(job_runner::together::create_run(&db, "plan", &names)).await;
        lies_in(&of_jobs, "together::create_run", count(&report), "five steps");
        let (_, report) = measure(job_runner::together::steps_of(&db, run.unwrap())).await;
        lies_in(&of_jobs, "together::steps_of", count(&report), "five steps");
    })
    .await;
    with_postgres(|db| async move {
        agent_chat::migrate(&db).await.unwrap();
        agent_chat::seed(&db).await.unwrap();
        let (_, report) = measure(agent_chat::looped::page(&db, 7)).await;
        lies_in(&of_chat, "looped::page", count(&report), "a page");
        let (_, report) = measure(agent_chat::together::page(&db, 7)).await;
        lies_in(&of_chat, "together::page", count(&report), "a page");
    })
    .await;
}
