//! `--since` and `--changed-files`: the findings of a change.

use query_budget_tests::Scratch;

use crate::{commit, run};

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
     CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL);\n\
     CREATE TABLE tags (id BIGSERIAL PRIMARY KEY, post_id BIGINT NOT NULL);\n",
);
const POSTS: &str = r#"
pub async fn posts(db: &PgPool, user: i64) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as("SELECT id FROM posts WHERE user_id = $1 ORDER BY id LIMIT 10").bind(user).fetch_all(db).await
}

pub async fn tags(db: &PgPool, post: i64) -> sqlx::Result<Vec<Tag>> {
    sqlx::query_as("SELECT id FROM tags
        WHERE post_id = $1 ORDER BY id LIMIT 10").bind(post).fetch_all(db).await
}
"#;
const PAGE: &str = r#"
use crate::posts::posts;

pub async fn page(db: &PgPool, users: &[i64]) -> sqlx::Result<()> {
    for user in users {
        posts(db, *user).await?;
    }
    Ok(())
}
"#;

fn project() -> Scratch {
    let scratch = Scratch::with([
        MANIFEST,
        MIGRATION,
        ("src/lib.rs", "mod page;\nmod posts;\n"),
        ("src/posts.rs", POSTS),
        ("src/page.rs", PAGE),
    ]);
    commit(scratch.path());
    scratch
}

/// The findings as `file:line lint`.
fn found(scratch: &Scratch, arguments: &[&str]) -> Vec<String> {
    let ran = run(scratch.path(), &[arguments, &["--format", "json"]].concat());
    assert!(ran.code.is_some_and(|code| code < 2), "{}{}", ran.stdout, ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut found: Vec<String> = findings
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
            format!("{}:{} {}", text("file"), it["line"], text("lint"))
        })
        .collect();
    found.sort();
    found
}

#[test]
fn what_has_not_changed_is_left_out() {
    let scratch = project();
    assert_eq!(found(&scratch, &["check"]).len(), 3);
    assert_eq!(found(&scratch, &["check", "--since", "HEAD"]), [""; 0]);
    run(scratch.path(), &["check", "--since", "HEAD"])
        .exits_with(0)
        .says(&["found 0 errors, 0 warnings on what has changed, of 3 findings in all\n"]);
    assert_eq!(found(&scratch, &["index-check", "--since", "HEAD"]), [""; 0]);
}

#[test]
fn a_line_of_the_query_its_function_and_its_callers_are_touched() {
    let scratch = project();
    // A line of the query other than the one of the finding.
    scratch.write(
        "src/posts.rs",
        POSTS.replace("ORDER BY id LIMIT 10\").bind(post)", "ORDER BY id LIMIT 11\").bind(post)"),
    );
    assert_eq!(found(&scratch, &["check", "--since", "HEAD"]), ["src/posts.rs:8 unindexed_filter"]);
    // The function that `page` calls differs, though the file of `page` does not.
    scratch.write("src/posts.rs", POSTS.replace(".bind(user)", ".bind(user + 0)"));
    assert_eq!(
        found(&scratch, &["check", "--since", "HEAD"]),
        ["src/page.rs:6 querying_call_in_loop", "src/posts.rs:3 unindexed_filter"]
    );
    commit(scratch.path());
    assert_eq!(found(&scratch, &["check", "--since", "HEAD"]), [""; 0]);
    assert_eq!(found(&scratch, &["check", "--since", "HEAD~1"]).len(), 2);
    assert_eq!(found(&scratch, &["index-check", "--since", "HEAD~1"]), ["src/posts.rs:3 unindexed_filter"]);
}

#[test]
fn a_migration_touches_the_queries_of_its_tables() {
    let scratch = project();
    scratch.write("migrations/2_more.sql", "ALTER TABLE tags ADD COLUMN name TEXT;\n");
    assert_eq!(found(&scratch, &["check", "--since", "HEAD"]), ["src/posts.rs:8 unindexed_filter"]);
}

#[test]
fn files_are_named_instead_of_a_revision() {
    let scratch = project();
    assert_eq!(
        found(&scratch, &["check", "--changed-files", "src/page.rs,gone.rs"]),
        ["src/page.rs:6 querying_call_in_loop"]
    );
    assert_eq!(found(&scratch, &["check", "--changed-files", "src/posts.rs"]).len(), 3);
}

#[test]
fn files_are_named_below_the_root_of_the_repository_too() {
    let scratch = Scratch::with([MIGRATION]);
    for (path, text) in [("Cargo.toml", MANIFEST.1), ("src/lib.rs", POSTS)] {
        scratch.write(&format!("inner/{path}"), text);
    }
    commit(scratch.path());
    let inner = scratch.path().join("inner");
    let arguments = ["check", "--migrations", "../migrations", "--changed-files", "inner/src/lib.rs"];
    run(&inner, &arguments).says(&["unindexed_filter"]);
    let arguments = ["check", "--migrations", "../migrations", "--changed-files", "src/lib.rss"];
    run(&inner, &arguments).exits_with(0).says(&["the changed file `src/lib.rss` does not exist"]);
}

#[test]
fn a_revision_that_is_none_is_refused() {
    let scratch = project();
    for revision in ["no-such", "--output=x", "HEAD^{tree}"] {
        run(scratch.path(), &["check", &format!("--since={revision}")])
            .exits_with(2)
            .says(&["see what has changed since", "no commit has this name"]);
    }
    assert!(!scratch.path().join("x").exists());
}
