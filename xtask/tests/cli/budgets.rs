//! `budgets` lists what functions run at least and at most.

use query_budget_tests::Scratch;

use crate::run;

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
