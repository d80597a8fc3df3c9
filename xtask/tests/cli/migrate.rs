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
        "would change 3 macros in 1 file, left 0",
        "./Cargo.toml: add `query-budget` to the dependencies",
        "`cargo query-budget init` writes it",
        "nothing is written yet: `--write` does it",
    ]);
    assert_eq!(text(), BEFORE);
    run(scratch.path(), &["migrate", "--write"]).exits_with(0).says(&["changed 3 macros in 1 file, left 0"]);
    assert_eq!(text(), AFTER);
    run(scratch.path(), &["migrate", "--write"]).exits_with(0).says(&["changed 0 macros in 0 files, left 0"]);
    run(scratch.path(), &["migrate", "--back", "--write"])
        .exits_with(0)
        .says(&["changed 3 macros in 1 file"]);
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

/// rustfmt writes them so with `imports_granularity = "One"`.
#[test]
fn a_list_of_all_imports_keeps_no_unused_name() {
    let call = "\n\npub async fn f(db: &PgPool) {\n    let _ = query!(\"SELECT 1 AS one\").fetch_one(db).await;\n}\n";
    for (before, after) in [
        (
            "use {\n    sqlx::{query, PgPool},\n    std::fmt::Debug,\n};",
            "use {\n    query_budget::query,\n    sqlx::PgPool,\n    std::fmt::Debug,\n};",
        ),
        ("use {sqlx::PgPool, sqlx::query};", "use {sqlx::PgPool, query_budget::query};"),
        (
            "use std::fmt::Debug; use sqlx::{query, PgPool};",
            "use std::fmt::Debug; use query_budget::query; use sqlx::PgPool;",
        ),
    ] {
        let (before, after) = (format!("{before}{call}"), format!("{after}{call}"));
        let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", &before)]);
        run(scratch.path(), &["migrate", "--write"]).exits_with(0);
        assert_eq!(scratch.read("src/lib.rs"), after);
        run(scratch.path(), &["migrate", "--back", "--write"]).exits_with(0);
        assert_eq!(scratch.read("src/lib.rs"), before);
    }
}

#[test]
fn what_is_not_followed_is_named() {
    let rules = "macro_rules! q {\n    ($sql:literal) => { sqlx::query!($sql) };\n}\n";
    let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", rules)]);
    run(scratch.path(), &["migrate", "--write"])
        .exits_with(0)
        .says(&["src/lib.rs:2: left as it is: it is inside a macro definition or a string", "left 1"]);
    run(scratch.path(), &["migrate", "nowhere"]).exits_with(2).says(&["failed to open `nowhere`"]);
}

/// A dependency may have any name in the source.
#[test]
fn renamed_dependencies_are_followed_there_and_back() {
    let manifest = format!(
        "{MANIFEST}[dependencies]\ndb = {{ package = \"sqlx\", version = \"0.9\" }}\n\
         qb = {{ package = \"query-budget\", version = \"0.1\" }}\n"
    );
    let before = "use db::{PgPool, query};\n\npub async fn f(db: &PgPool) {\n    \
        let _ = query!(\"SELECT 1 AS one\").fetch_one(db).await;\n    \
        let _ = db::query_scalar!(\"SELECT 1\").fetch_one(db).await;\n}\n\n\
        mod inner {\n    fn g() {\n        let _ = db::query!(\"SELECT 1 AS one\");\n    }\n}\n";
    let scratch = Scratch::with([("Cargo.toml", manifest.as_str()), ("src/lib.rs", before)]);
    let file = scratch.path().join("src/lib.rs");
    let text = || std::fs::read_to_string(&file).expect("the file");
    run(scratch.path(), &["migrate", "--write"]).exits_with(0).says(&["changed 3 macros in 1 file, left 0"]);
    let after = before
        .replace("use db::{PgPool, query};", "use qb::query;\nuse db::PgPool;")
        .replace("db::query_scalar!", "qb::query_scalar!")
        .replace("db::query!", "qb::query!");
    assert_eq!(text(), after);
    run(scratch.path(), &["migrate", "--back", "--write"])
        .exits_with(0)
        .says(&["changed 3 macros in 1 file, left 0"]);
    assert_eq!(text(), before);
}

/// No name stays imported that only the moved macros used.
#[test]
fn imports_of_every_shape_are_changed() {
    let moved = |before: &str| {
        let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", before)]);
        run(scratch.path(), &["migrate", "--write"]).exits_with(0);
        std::fs::read_to_string(scratch.path().join("src/lib.rs")).expect("the file")
    };
    let body = "fn f() {\n    query!(\"SELECT 1 AS one\");\n}\n";
    for (before, after) in [
        ("use ::sqlx::{PgPool, query};\n", "use ::query_budget::query;\nuse ::sqlx::PgPool;\n"),
        ("use crate::db::query;\n", "use query_budget::query;\n"),
        ("use crate::db::{Pool, query};\n", "use query_budget::query;\nuse crate::db::Pool;\n"),
        (
            "use sqlx::PgPool;\r\nuse sqlx::{query, Row};\r\n",
            "use sqlx::PgPool;\r\nuse query_budget::query;\r\nuse sqlx::Row;\r\n",
        ),
        (
            "use sqlx::{\n    // The pool; of all.\n    PgPool, // one\n    query, // two, three\n};\n",
            "use query_budget::{\n    query, // two, three\n};\nuse sqlx::{\n    // The pool; of all.\n    PgPool, // one\n};\n",
        ),
    ] {
        assert_eq!(moved(&format!("{before}{body}")), format!("{after}{body}"), "{before}");
    }
    // Other files may import it from here, as a function too.
    let handing = format!("pub use sqlx::query;\n{body}");
    assert_eq!(moved(&handing), handing.replace("query!", "query_budget::query!"));
}

#[test]
fn a_package_on_an_older_sqlx_is_left() {
    let manifest = format!("{MANIFEST}[dependencies]\nsqlx = \"0.7\"\n");
    let scratch = Scratch::with([("Cargo.toml", manifest.as_str()), ("src/lib.rs", BEFORE)]);
    run(scratch.path(), &["migrate", "--write"]).exits_with(0).says(&[
        "./Cargo.toml: `sql!` needs sqlx 0.8 or 0.9, and this package has an older one: its macros are left",
        "changed 0 macros in 0 files, left 3",
    ]);
    assert_eq!(std::fs::read_to_string(scratch.path().join("src/lib.rs")).expect("the file"), BEFORE);
}

/// Its macros are in a package of their own, which has the same name in code.
#[test]
fn a_package_on_sqlx_08_depends_on_the_package_for_it() {
    let manifest = format!("{MANIFEST}[dependencies]\nsqlx = \"0.8\"\n");
    let scratch = Scratch::with([("Cargo.toml", manifest.as_str()), ("src/lib.rs", BEFORE)]);
    let declared = "query-budget = { package = \"query-budget-sqlx-08\", .. }";
    run(scratch.path(), &["migrate"]).exits_with(0).says(&[
        &format!("./Cargo.toml: add `{declared}` to the dependencies"),
        "+ use query_budget::{query",
    ]);
    let enough = "query-budget = { package = \"query-budget-sqlx-08\", version = \"0.1\" }";
    for (declared, is_enough) in [(enough, true), ("query-budget = \"0.1\"", false)] {
        scratch.write("Cargo.toml", format!("{manifest}{declared}\n"));
        let said = run(scratch.path(), &["migrate"]).exits_with(0).stdout;
        assert_eq!(said.contains("add `"), !is_enough, "{said}");
    }
    let direct = "query-budget-sqlx-08 = \"0.1\"\n";
    scratch.write("Cargo.toml", format!("{manifest}{direct}"));
    run(scratch.path(), &["migrate"]).exits_with(0).says(&["+ use query_budget_sqlx_08::{query"]);
}

/// Each changed line is marked, also where one becomes two.
#[test]
fn a_dry_run_marks_each_line() {
    let scratch = Scratch::with([("Cargo.toml", MANIFEST), ("src/lib.rs", BEFORE)]);
    run(scratch.path(), &["migrate"]).exits_with(0).says(&[
        "- use sqlx::{PgPool, query, query_as};\n+ use query_budget::{query, query_as};\n+ use sqlx::PgPool;\n",
    ]);
}
