//! `budgets` lists the minimum and maximum number of queries of functions.

use query_budget_tests::Scratch;

use crate::{commit, run};

const SOURCE: &str = r#"
#[query_budget(max = 2)]
async fn page(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM users WHERE id = $1", id).fetch_one(db).await?;
    if id > 7 {
        sql!("SELECT name FROM users WHERE id = $1", id).fetch_one(db).await?;
    }
    Ok(())
}

async fn each(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for id in ids {
        sqlx::query("SELECT name FROM users WHERE id = $1").bind(id).fetch_one(db).await?;
    }
    Ok(())
}

fn none() {}
"#;

#[test]
fn each_function_that_queries_is_listed_with_its_interval() {
    let scratch = Scratch::with([("src/lib.rs", SOURCE)]);
    let ran = run(scratch.path(), &["budgets"]).exits_with(0);
    let rows: Vec<Vec<&str>> =
        ran.stdout.lines().take(3).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["page", "1..2", "2", "src/lib.rs:3:10"], "{}", ran.stdout);
    assert_eq!(rows[2], ["each", "0..∞", "src/lib.rs:11:10"], "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with("listed 2 functions that query: 1 with no bound, 0 with unknown calls\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_budget_that_is_exceeded_fails() {
    let scratch = Scratch::with([("src/lib.rs", SOURCE.replace("max = 2", "max = 1").as_str())]);
    run(scratch.path(), &["budgets"]).exits_with(1).says(&["1, exceeded"]);
    let json = run(scratch.path(), &["budgets", "--format", "json"]).exits_with(1);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let page = &report["functions"][0];
    assert_eq!((&page["lower"], &page["upper"], &page["max"]), (&1.into(), &2.into(), &1.into()));
    assert!(report["functions"][1]["upper"].is_null());
}

/// A library of two crates: the loop is in one, the query in the other, and a trait in between.
const FAR: [(&str, &str); 5] = [
    ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"store\", \"app\"]\n"),
    ("store/Cargo.toml", "[package]\nname = \"the-store\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
    (
        "store/src/lib.rs",
        "pub struct Store { db: sqlx::PgPool }\n\
         impl Store {\n\
             pub async fn name(&self, id: i64) -> sqlx::Result<String> {\n\
                 sqlx::query_scalar!(\"SELECT name FROM users WHERE id = $1\", id).fetch_one(&self.db).await\n\
             }\n\
         }\n",
    ),
    (
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nstore = { package = \"the-store\", path = \"../store\" }\n",
    ),
    (
        "app/src/lib.rs",
        "use store::Store;\n\
         pub async fn two(store: &Store) { store.name(1).await; store.name(2).await; }\n\
         #[query_budget(max = 2)]\n\
         pub async fn page(store: &Store, ids: &[i64]) { two(store).await; }\n",
    ),
];

#[test]
fn calls_are_followed_across_crates() {
    let scratch = Scratch::with(FAR);
    let ran = run(scratch.path(), &["budgets"]).exits_with(0);
    ran.says(&["two          2..2", "page         2..2     2       app/src/lib.rs:4:14"]);
}

#[test]
fn a_revision_is_compared_with_what_there_is_now() {
    let scratch = Scratch::with(FAR);
    commit(scratch.path());
    run(scratch.path(), &["budgets", "--diff", "HEAD"])
        .exits_with(0)
        .says(&["0 functions changed since `HEAD`: 0 grew past the budget"]);

    let looped = FAR[4].1.replace("two(store).await;", "for id in ids { store.name(*id).await; }");
    scratch.write("app/src/lib.rs", &looped);
    run(scratch.path(), &["budgets", "--diff", "HEAD"]).exits_with(1).says(&[
        "page      grew    2..2    0..∞  2, exceeded  app/src/lib.rs:4:14",
        "1 function changed since `HEAD`: 1 grew past the budget",
    ]);
    let json = run(scratch.path(), &["budgets", "--diff", "HEAD", "--format", "json"]).exits_with(1);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(report["changed"][0]["before"], serde_json::json!({ "lower": 2, "upper": 2 }));
    assert_eq!(report["changed"][0]["exceeded"], true);

    run(scratch.path(), &["budgets", "--diff", "no-such"])
        .exits_with(2)
        .says(&["failed to read revision `no-such` of `.`"]);
}

#[test]
fn suggestions_are_attributes_to_paste() {
    let scratch = Scratch::with([("src/lib.rs", SOURCE.replace("#[query_budget(max = 2)]", "").as_str())]);
    run(scratch.path(), &["budgets", "--suggest"]).exits_with(0).says(&[
        "src/lib.rs:3:10  #[query_budget(max = 2)]  page",
        "suggested a budget for 1 function; left out 1 with no bound, 0 with unknown calls",
    ]);
}

#[test]
fn what_runs_most_is_suggested_first() {
    let source = "use sqlx::query;
        pub async fn one(db: &PgPool) { query(\"SELECT 1\").fetch_one(db).await; }
        pub async fn two(db: &PgPool) {
            query(\"SELECT 2\").fetch_one(db).await;
            query(\"SELECT 3\").fetch_one(db).await;
        }";
    let scratch = Scratch::with([("src/lib.rs", source)]);
    let listed = run(scratch.path(), &["budgets", "--suggest"]).exits_with(0);
    let at = |name: &str| listed.stdout.find(name).unwrap_or_else(|| panic!("no {name}: {}", listed.stdout));
    assert!(at("max = 2") < at("max = 1"), "{}", listed.stdout);
}
