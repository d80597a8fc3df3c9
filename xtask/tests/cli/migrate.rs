//! `migrate`: from sqlx's macros to ours and back, and only on request.

use query_budget_tests::Scratch;

use crate::run;

const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
const BEFORE: &str = "use sqlx::{PgPool, query, query_as};\n\n\
    pub async fn f(db: &PgPool) {\n    let _ = query!(\"SELECT 1 AS one\").fetch_one(db).await;\n    \
    let _ = query_as!(crate::T, \"SELECT 1 AS one\").fetch_one(db).await;\n    \
    let _ = sqlx::query_scalar!(\"SELECT 1\").fetch_one(db).await;\n    let _ = sqlx::query(\"SELECT 1\").execute(db).await;\n}\n";
const AFTER: &str = "use query_budget::{query, query_as};\nuse sqlx::PgPool;\n\n\
    pub async fn f(db: &PgPool) {\n    let _ = query!(\"SELECT 1 AS one\").fetch_one(db).await;\n    \
    let _ = query_as!(crate::T, \"SELECT 1 AS one\").fetch_one(db).await;\n    \
    let _ = query_budget::query_scalar!(\"SELECT 1\").fetch_one(db).await;\n    let _ = sqlx::query(\"SELECT 1\").execute(db).await;\n}\n";

#[test]
fn over_and_back_gives_what_was_there() {
    let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", BEFORE)]);
    let text = || std::fs::read_to_string(scratch.path().join("src/lib.rs")).expect("the file");
    run(scratch.path(), &["migrate"]).exits_with(0).says(&[
        "src/lib.rs:1\n- use sqlx::{PgPool, query, query_as};\n+ use query_budget::{query, query_as};",
        "would change 3 macros in 1 files, left 0",
        "./Cargo.toml: add `query-budget` to the dependencies",
        "nothing is written yet: `--write` does it",
    ]);
    assert_eq!(text(), BEFORE);
    run(scratch.path(), &["migrate", "--write"]).exits_with(0).says(&["changed 3 macros in 1 files, left 0"]);
    assert_eq!(text(), AFTER);
    run(scratch.path(), &["migrate", "--write"]).exits_with(0).says(&["changed 0 macros in 0 files, left 0"]);
    run(scratch.path(), &["migrate", "--back", "--write"])
        .exits_with(0)
        .says(&["changed 3 macros in 1 files"]);
    assert_eq!(text(), BEFORE);
}

/// The order of imported names, and the lines that they are on, cannot be seen in the moved text.
#[test]
fn imports_come_back_as_they_were() {
    let before = "use sqlx::types::Uuid;\nuse sqlx::{query, Row, query_as, PgPool};\nuse sqlx::query_scalar;\n\n\
        pub async fn f(db: &PgPool) {\n    let _ = query!(\"SELECT 1\").fetch_one(db).await;\n    \
        let _ = query_as!(crate::T, \"SELECT 1 AS one\").fetch_one(db).await;\n    \
        let _ = query_scalar!(\"SELECT 1\").fetch_one(db).await;\n}\n";
    let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", before)]);
    let file = scratch.path().join("src/lib.rs");
    let text = || std::fs::read_to_string(&file).expect("the file");
    let there = || run(scratch.path(), &["migrate", "--write"]).exits_with(0);
    let back = || run(scratch.path(), &["migrate", "--back", "--write"]).exits_with(0);
    there();
    assert!(text().contains("use query_budget::"), "{}", text());
    back();
    assert_eq!(text(), before);
    // The same if the file has been edited since.
    there();
    let more = "pub async fn g(db: &PgPool) {\n    let _ = query_budget::query!(\"SELECT 2\").fetch_one(db).await;\n}\n";
    std::fs::write(&file, format!("{}{more}", text())).expect("it is written");
    back();
    assert_eq!(text(), format!("{before}{}", more.replace("query_budget", "sqlx")));
}

#[test]
fn what_is_not_followed_is_named() {
    let rules = "macro_rules! q {\n    ($sql:literal) => { sqlx::query!($sql) };\n}\n";
    let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", rules)]);
    run(scratch.path(), &["migrate", "--write"])
        .exits_with(0)
        .says(&["src/lib.rs:2: left as it is: it stands where no query is seen", "left 1"]);
    run(scratch.path(), &["migrate", "nowhere"]).exits_with(2).says(&["failed to open `nowhere`"]);
}
