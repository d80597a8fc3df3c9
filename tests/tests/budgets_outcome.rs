//! What happens when a budget is exceeded: `QUERY_BUDGET` and the hook, each tested in a separate process.

use std::process::{Command, Output};

use query_budget::__private::{Site, query};
use query_budget::scope;
use sqlx::sqlite::SqlitePool;

/// Tells the process which scenario to run.
const SCENARIO: &str = "QUERY_BUDGET_TEST_SCENARIO";

/// Runs the scenario in a process with this value of `QUERY_BUDGET`.
fn run(scenario: &str, mode: Option<&str>) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
    command.args(["--exact", "scenario", "--nocapture"]).env(SCENARIO, scenario).env("RUST_BACKTRACE", "0");
    match mode {
        Some(mode) => command.env("QUERY_BUDGET", mode),
        None => command.env_remove("QUERY_BUDGET"),
    };
    let Output { status, stdout, stderr } = command.output().expect("run this test again");
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(text.contains("the scenario begins"), "{text}");
    (status.success(), text)
}

const OVER: &str = "`page` ran 1 query; its budget is 0";
const CANCELLED: &str = "`page` ran 1 query before it was cancelled; its budget is 0";

#[test]
fn panics_unless_told_otherwise() {
    for mode in [None, Some("panic"), Some("")] {
        for scenario in ["async", "sync"] {
            let (passed, text) = run(scenario, mode);
            assert!(!passed && text.contains(OVER) && text.contains("panicked at"), "{text}");
            assert!(!text.contains("the scenario goes on"), "{text}");
        }
    }
}

#[test]
fn log_prints_and_goes_on() {
    for scenario in ["async", "sync"] {
        let (passed, text) = run(scenario, Some("log"));
        assert!(passed && text.contains(OVER) && text.contains("the scenario goes on"), "{text}");
    }
}

/// A report that nobody can take is no failure of the code that it is about.
#[test]
#[cfg(target_os = "linux")]
fn stderr_that_takes_nothing_changes_nothing() {
    for (scenario, mode) in
        [("async", "log"), ("sync", "log"), ("cancelled", "panic"), ("logged by settings", "of")]
    {
        let full = std::fs::File::create("/dev/full").expect("a file that is always full");
        let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
        command
            .args(["--exact", "scenario", "--nocapture"])
            .env(SCENARIO, scenario)
            .env("QUERY_BUDGET", mode);
        let Output { status, stdout, .. } = command.stderr(full).output().expect("run this test again");
        let text = String::from_utf8_lossy(&stdout);
        assert!(status.success() && text.contains("the scenario goes on"), "{scenario}: {text}");
    }
}

#[test]
fn off_is_silent() {
    for scenario in ["async", "sync", "cancelled", "hook"] {
        let (passed, text) = run(scenario, Some("off"));
        assert!(passed && !text.contains("`page`") && text.contains("the scenario goes on"), "{text}");
    }
}

#[test]
fn unknown_value_is_said_once_and_ignored() {
    let (passed, text) = run("async", Some("of"));
    assert!(!passed && text.contains(OVER), "{text}");
    let said = "`QUERY_BUDGET` is not one of `panic`, `log` and `off`: it is ignored";
    assert_eq!(text.matches(said).count(), 1, "{text}");
}

#[test]
fn cancelled_scope_prints_and_goes_on() {
    for mode in [None, Some("log")] {
        let (passed, text) = run("cancelled", mode);
        assert!(passed && text.contains(CANCELLED) && text.contains("the scenario goes on"), "{text}");
    }
}

#[test]
fn cancelled_by_a_panic_is_silent() {
    let (passed, text) = run("dropped by a panic", None);
    assert!(!passed && text.contains("of something else") && !text.contains("`page`"), "{text}");
}

#[test]
fn hook_takes_the_place_of_the_panic() {
    for mode in [None, Some("log")] {
        let (passed, text) = run("hook", mode);
        assert!(passed && text.contains("the scenario goes on"), "{text}");
        for cancelled in [false, true] {
            let line = format!("the hook got 1 of 0, cancelled: {cancelled}");
            assert_eq!(text.matches(&line).count(), 1, "{text}");
        }
        assert!(!text.contains(OVER), "{text}");
    }
}

#[test]
fn settings_decide_where_the_variable_is_silent() {
    let (passed, text) = run("logged by settings", None);
    assert!(passed && text.contains(OVER) && text.contains("the scenario goes on"), "{text}");
    let (passed, text) = run("logged by settings", Some("panic"));
    assert!(!passed && text.contains(OVER), "{text}");
}

#[test]
fn what_a_hook_asks_counts_nowhere() {
    let (_, text) = run("hook that asks", None);
    assert!(text.contains("1 around"), "{text}");
}

/// Not a test itself: the others run it in a separate process.
#[tokio::test(flavor = "multi_thread")]
async fn scenario() {
    let Ok(scenario) = std::env::var(SCENARIO) else {
        return;
    };
    println!("the scenario begins");
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    match scenario.as_str() {
        "async" => over(&db).await,
        "logged by settings" => {
            let mut settings = query_budget::Settings::default();
            settings.over_budget = Some(query_budget::OverBudget::Log);
            query_budget::configure(settings);
            over(&db).await;
        }
        "sync" => over_in_sync(&db),
        "cancelled" => cancelled(&db).await,
        "hook" => {
            query_budget::set_hook(|report| {
                let (queries, max) = (report.queries(), report.limits().queries.unwrap_or(99));
                println!("the hook got {queries} of {max}, cancelled: {}", report.was_cancelled());
            });
            over(&db).await;
            cancelled(&db).await;
        }
        "hook that asks" => {
            let elsewhere = db.clone();
            query_budget::set_hook(move |_| {
                let ask = one_query(&elsewhere);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ask));
            });
            let ((), report) = query_budget::measure(over(&db)).await;
            println!("{} around", report.queries());
        }
        "dropped by a panic" => {
            let open = open(&db).await;
            assert!(open.is_none(), "of something else");
        }
        other => panic!("no scenario `{other}`"),
    }
    println!("the scenario goes on");
}

async fn one_query(db: &SqlitePool) {
    static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());
    query(&SITE).execute(db).await.unwrap();
}

async fn over(db: &SqlitePool) {
    scope("page").max(0).run(one_query(db)).await;
}

fn over_in_sync(db: &SqlitePool) {
    let blocking = || tokio::runtime::Handle::current().block_on(one_query(db));
    scope("page").max(0).run_sync(|| tokio::task::block_in_place(blocking));
}

async fn cancelled(db: &SqlitePool) {
    drop(open(db).await);
}

/// A scope that is over its budget and has not ended.
async fn open(db: &SqlitePool) -> Option<impl Future<Output = ()>> {
    let (at_the_end, ended) = tokio::sync::oneshot::channel();
    let mut page = Box::pin(scope("page").max(0).run(async move {
        one_query(db).await;
        at_the_end.send(()).unwrap();
        std::future::pending::<()>().await;
    }));
    tokio::select! {
        () = &mut page => None,
        Ok(()) = ended => Some(page),
    }
}
