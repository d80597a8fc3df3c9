//! `--baseline` and `--write-baseline`: known findings are not reported, new ones are.

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE logs (id BIGSERIAL PRIMARY KEY, event_id BIGINT NOT NULL, at BIGINT NOT NULL);\n",
);
const SOURCE: &str = r#"
async fn of_event(db: &PgPool, event: i64) -> sqlx::Result<()> {
    sqlx::query("SELECT id FROM logs WHERE event_id = $1").bind(event).fetch_optional(db).await?;
    Ok(())
}
"#;
const MORE: &str = r#"
async fn since(db: &PgPool, at: i64) -> sqlx::Result<()> {
    sqlx::query("SELECT id FROM logs WHERE at > $1").bind(at).fetch_all(db).await?;
    Ok(())
}
"#;

fn project() -> Scratch {
    Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", SOURCE), ("src/more.rs", MORE)])
}

const WRITE: [&str; 4] = ["index-check", "--baseline", "known.toml", "--write-baseline"];
const READ: [&str; 3] = ["index-check", "--baseline", "known.toml"];

#[test]
fn what_is_known_is_left_out_wherever_it_moves() {
    let scratch = project();
    run(scratch.path(), &["index-check"]).exits_with(1);
    run(scratch.path(), &WRITE)
        .exits_with(0)
        .says(&["wrote `known.toml`: 2 findings accepted, 2 of them new, 0 gone"]);
    let ran = run(scratch.path(), &READ).exits_with(0).says(&["left out 2 known findings of `known.toml`"]);
    assert!(!ran.stdout.contains("CREATE INDEX") && !ran.stdout.contains("error["), "{}", ran.stdout);

    scratch
        .write("src/lib.rs", format!("// Lines above.\n\n{}", SOURCE.replace("SELECT id", "SELECT\n  id")));
    run(scratch.path(), &READ).exits_with(0).says(&["left out 2 known findings"]);
}

#[test]
fn a_query_that_is_twice_in_a_function_is_one_entry_and_two_findings() {
    let twice =
        SOURCE.replace("    Ok(())", &format!("{}\n    Ok(())", SOURCE.lines().nth(2).expect("the query")));
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", &twice), ("src/more.rs", MORE)]);
    run(scratch.path(), &WRITE)
        .exits_with(0)
        .says(&["wrote `known.toml`: 3 findings accepted in 2 entries, 2 of them new, 0 gone"]);
    run(scratch.path(), &READ).exits_with(0).says(&["left out 3 known findings of `known.toml`"]);
}

#[test]
fn what_is_new_is_reported_alone() {
    let scratch = project();
    run(scratch.path(), &WRITE).exits_with(0);
    scratch.write("src/new.rs", SOURCE.replace("of_event", "again"));
    let ran =
        run(scratch.path(), &READ).exits_with(1).says(&[" --> src/new.rs:3:", "found 1 error, 0 warnings"]);
    assert_eq!(ran.stdout.matches("error[").count(), 1, "{}", ran.stdout);
    // Another query in a function with a known one is new as well.
    scratch.write("src/new.rs", "");
    scratch.write("src/lib.rs", SOURCE.replace("SELECT id", "SELECT at"));
    run(scratch.path(), &READ)
        .exits_with(1)
        .says(&[" --> src/lib.rs:3:", "1 entry of `known.toml` is no longer found"]);
}

#[test]
fn what_is_gone_is_said_and_fails_nothing() {
    let scratch = project();
    run(scratch.path(), &WRITE).exits_with(0);
    scratch.write("src/more.rs", "");
    run(scratch.path(), &READ).exits_with(0).says(&[
        "left out 1 known finding of",
        "1 entry of `known.toml` is no longer found; `--baseline known.toml --write-baseline` takes out:\n",
        "  src/more.rs in `since`: unindexed_filter: filter on `logs.at` has no index\n",
    ]);
    let ran = run(scratch.path(), &[&READ[..], &["--format", "json"]].concat()).exits_with(0);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["summary"]["suppressed"], 1);
    assert_eq!(report["baseline"]["gone"][0]["file"], "src/more.rs");
    run(scratch.path(), &WRITE).exits_with(0).says(&["1 finding accepted, 0 of them new, 1 gone"]);
}

#[test]
fn a_run_over_a_part_leaves_the_rest_alone() {
    let scratch = project();
    run(scratch.path(), &WRITE).exits_with(0);
    let before = scratch.read("known.toml");
    let part = ["index-check", "src/lib.rs", "--baseline", "known.toml"];
    let ran = run(scratch.path(), &part).exits_with(0).says(&["left out 1 known finding"]);
    assert!(!ran.stdout.contains("no longer found"), "{}", ran.stdout);
    // Another command, from another folder, with other lints.
    run(&scratch.path().join("src"), &["check", "--baseline", "../known.toml", "--write-baseline"])
        .exits_with(0);
    let after = scratch.read("known.toml");
    assert!(after.contains("nonunique_fetch_one"), "{after}");
    assert_eq!(after.matches("unindexed_filter").count(), before.matches("unindexed_filter").count());
    run(scratch.path(), &READ).exits_with(0);
    let all = run(scratch.path(), &["check", "--baseline", "known.toml"]).exits_with(0);
    assert!(!all.stdout.contains("warning[") && !all.stdout.contains("no longer found"), "{}", all.stdout);
}

#[test]
fn writing_twice_writes_the_same() {
    let scratch = project();
    run(scratch.path(), &WRITE).exits_with(0);
    let first = scratch.read("known.toml");
    run(scratch.path(), &WRITE).exits_with(0).says(&["0 of them new, 0 gone"]);
    assert_eq!(scratch.read("known.toml"), first);
    assert!(!first.contains("\nline"), "no line is in it:\n{first}");
}

#[test]
fn a_missing_or_broken_baseline_is_an_input_error() {
    let scratch = project();
    run(scratch.path(), &READ).exits_with(2).says(&["`known.toml`", "it does not exist", "--write-baseline"]);
    scratch.write("known.toml", "version = 1\n[[finding]]\nlint = 3\n");
    run(scratch.path(), &READ).exits_with(2).says(&["`known.toml:3:"]);
    run(scratch.path(), &["check", "--write-baseline"]).exits_with(2).says(&["--baseline"]);
}
