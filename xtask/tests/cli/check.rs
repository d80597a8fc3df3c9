//! `check`: all lints over every query of a workspace.

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
     CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL);\n\
     CREATE INDEX posts_user ON posts (user_id);\n",
);

const N_PLUS_ONE: &str = r#"
async fn page(db: &PgPool, ids: Vec<i64>) -> sqlx::Result<()> {
    for id in ids {
        sqlx::query("SELECT id FROM posts WHERE user_id = $1 ORDER BY id LIMIT 10").bind(id).fetch_all(db).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    async fn in_a_test(db: &PgPool) {
        for id in 0..n() {
            sqlx::query("SELECT name FROM users").fetch_all(db).await;
        }
    }
}
"#;

#[test]
fn raw_calls_are_checked_by_all_lints() {
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", N_PLUS_ONE)]);
    run(scratch.path(), &["check"]).exits_with(0).says(&[
        "warning[query_in_loop]: ",
        " --> src/lib.rs:4:",
        "found 0 errors, 1 warning\n",
        "checked 1 query: 0 not parsed, 0 built at run time, 1 with no bound\n",
    ]);
}

#[test]
fn a_level_of_the_configuration_decides_the_exit_code() {
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", N_PLUS_ONE)]);
    scratch.write("query-budget.toml", "[lints]\nquery_in_loop = \"deny\"\n");
    run(scratch.path(), &["check"]).exits_with(1).says(&["error[query_in_loop]: "]);
    scratch.write("query-budget.toml", "[lints]\nquery_in_loop = \"allow\"\n");
    run(scratch.path(), &["check"]).exits_with(0).says(&["checked 1 query"]);
}

#[test]
fn a_lint_that_does_not_exist_is_found_in_the_configuration() {
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", N_PLUS_ONE)]);
    scratch.write("query-budget.toml", "[lints]\nquery_in_lop = \"deny\"\n");
    run(scratch.path(), &["check"]).exits_with(0).says(&[
        "warning[unknown_lint]: no lint is named `query_in_lop`",
        " --> query-budget.toml:2:1",
        "write `query_in_loop`",
    ]);
}

#[test]
fn an_allow_with_its_reason_silences() {
    let allowed = N_PLUS_ONE.replace(
        "        sqlx::query(\"SELECT id",
        "        // query-budget: allow(query_in_loop): at most three of them\n        sqlx::query(\"SELECT id",
    );
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", &allowed)]);
    let ran = run(scratch.path(), &["check"]).exits_with(0);
    assert!(!ran.stdout.contains("warning["), "{}", ran.stdout);
}

#[test]
fn the_json_form_names_lint_level_and_place() {
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", N_PLUS_ONE)]);
    let ran = run(scratch.path(), &["check", "--format", "json"]).exits_with(0);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let finding = &report["findings"][0];
    assert_eq!((finding["lint"].as_str(), finding["level"].as_str()), (Some("query_in_loop"), Some("warn")));
    assert_eq!((finding["file"].as_str(), finding["line"].as_u64()), (Some("src/lib.rs"), Some(4)));
    assert!(finding["sql"].as_str().is_some_and(|sql| sql.starts_with("SELECT id FROM posts")));
    assert!(finding["help"].is_string() && finding["message"].is_string() && finding["column"].is_u64());
    assert_eq!(
        (finding["related"][0]["line"].as_u64(), finding["related"][0]["file"].as_str()),
        (Some(3), Some("src/lib.rs"))
    );
    assert_eq!(finding["function"], "page");
    assert_eq!(report["summary"]["findings"]["query_in_loop"], 1);
    let counts =
        ["files", "sites", "checked", "unparsed", "dynamic"].map(|key| report["summary"][key].as_u64());
    assert_eq!(counts, [1, 1, 1, 0, 0].map(Some));
    assert_eq!(report["notices"][0]["kind"], "no_snapshot");
}

#[test]
fn a_file_that_is_no_rust_is_counted_as_not_read() {
    let scratch =
        Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", N_PLUS_ONE), ("src/odd.rs", "fn query( {")]);
    run(scratch.path(), &["check"])
        .exits_with(0)
        .says(&["warning: failed to parse `src/odd.rs`", "1 file not read"]);
}

#[test]
fn rust_that_cargo_does_not_build_is_left_out() {
    let scratch = Scratch::with([
        MANIFEST,
        MIGRATION,
        ("src/lib.rs", N_PLUS_ONE),
        ("ui/case.rs", N_PLUS_ONE),
        ("build.rs", ""),
    ]);
    run(scratch.path(), &["check"]).exits_with(0).says(&["checked 1 query:"]);
    run(scratch.path(), &["check", "ui"]).exits_with(0).says(&["checked 1 query:", "ui/case.rs:4"]);
}

#[test]
fn a_raw_call_may_be_meant_for_another_database() {
    let source = "async fn import(db: &SqlitePool) { sqlx::query(\"SELECT line FROM history LIMIT 5\").fetch_all(db).await; }";
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", source)]);
    run(scratch.path(), &["check"]).exits_with(0).says(&["checked 1 query"]);
    scratch.write("src/lib.rs", source.replace("sqlx::query(", "sql!("));
    run(scratch.path(), &["check"]).exits_with(1).says(&["error[unknown_table]: "]);
}

#[test]
fn a_manifest_that_cargo_refuses_hides_no_query() {
    let manifest =
        "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\ngone = { path = \"../gone\" }\n";
    let scratch = Scratch::with([("Cargo.toml", manifest), MIGRATION, ("src/lib.rs", N_PLUS_ONE)]);
    run(scratch.path(), &["check"]).exits_with(0).says(&["warning[query_in_loop]: ", "checked 1 query"]);
    scratch.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.0.0\"\n");
    run(scratch.path(), &["check"]).exits_with(0).says(&["checked 1 query"]);
}

/// Its manifest says what it is built with all the same.
/// Whether a call still makes it is not known.
#[test]
fn an_entry_without_source_that_fails_when_it_runs_is_a_warning() {
    let scratch = Scratch::with([
        ("migrations/1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);"),
        (
            "Cargo.toml",
            "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n",
        ),
        ("src/lib.rs", ""),
        (".sqlx/query-1.json", r#"{"db_name": "PostgreSQL", "query": "INSERT INTO users (id) VALUES ($1)"}"#),
    ]);
    run(scratch.path(), &["check"]).exits_with(0).says(&["warning[missing_required_column]"]);
}

#[test]
fn a_workspace_that_cargo_refuses_has_the_dialect_of_its_sqlx() {
    let scratch = Scratch::with([
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"*\"]\n[workspace.dependencies]\nsqlx = { version = \"0.8\", features = [\"sqlite\"] }\n",
        ),
        (
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\nsqlx.workspace = true\n\
             store = { path = \"../store\" }\ngone = { path = \"../gone\" }\n",
        ),
        (
            "app/src/lib.rs",
            "async fn page(pool: &Pool, ids: &[i64]) {
    sqlx::query!(\"PRAGMA user_version = 1; SELECT 1\").execute(pool).await;
    for id in ids { store::load(pool, *id).await; }
}
",
        ),
        (
            "store/Cargo.toml",
            "[package]\nname = \"store\"\nedition = \"2024\"\n[dependencies]\nsqlx.workspace = true\n",
        ),
        (
            "store/src/lib.rs",
            "pub async fn load(pool: &Pool, id: i64) { sqlx::query!(\"UPDATE items SET name = 1 WHERE id = ?\", id).execute(pool).await; }\n",
        ),
    ]);
    run(scratch.path(), &["check"]).exits_with(0).says(&[
        "warning[querying_call_in_loop]: `store::load`",
        "checked 3 queries",
        " 0 not parsed",
    ]);
}

#[test]
fn paths_in_json_are_relative_to_what_was_named() {
    let scratch = Scratch::with([]);
    for (path, text) in [MANIFEST, MIGRATION, ("src/lib.rs", N_PLUS_ONE)] {
        scratch.write(&format!("app/{path}"), text);
    }
    for (path, file) in [("app", "src/lib.rs"), ("app/src", "lib.rs"), ("app/src/lib.rs", "lib.rs")] {
        let ran = run(scratch.path(), &["check", path, "--format", "json"]).exits_with(0);
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(report["findings"][0]["file"], file, "{path}");
        run(scratch.path(), &["check", path]).says(&["--> app/src/lib.rs:4:"]);
    }
}

#[test]
fn the_dialect_that_is_named_holds_without_a_schema() {
    let scratch = Scratch::with([("q.sql", "SELECT `a` FROM t WHERE b = ?;\n")]);
    let check = ["check", "--queries", "q.sql", "--dialect"];
    for dialect in ["mysql", "sqlite"] {
        let arguments = [&check[..], &[dialect]].concat();
        run(scratch.path(), &arguments).exits_with(0).says(&["checked 1 query: 0 not parsed"]);
    }
}

#[test]
fn what_is_not_parsed_is_listed_with_its_reason() {
    let source = "fn f() {\n    sqlx::query(\n        \"SELECT id FROM users\n         WHERE (\");\n}\n";
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", source)]);
    let ran = run(scratch.path(), &["check"]).exits_with(0).says(&[
        "not parsed, and so not checked:\n  src/lib.rs:4:",
        "read 1 file, checked 1 query: 1 not parsed",
    ]);
    let json = run(scratch.path(), &["check", "--format", "json"]).exits_with(0);
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let unparsed = &report["unparsed"][0];
    assert_eq!((unparsed["file"].as_str(), unparsed["line"].as_u64()), (Some("src/lib.rs"), Some(4)));
    let reason = unparsed["reason"].as_str().expect("a reason");
    assert!(!reason.is_empty() && ran.stdout.contains(reason), "{reason}");
}

#[test]
fn an_entry_that_is_left_over_is_counted_and_checked_for_nothing() {
    let entry = |query: &str| {
        format!("{{\"db_name\": \"PostgreSQL\", \"query\": \"{query}\", \"describe\": {{}}, \"hash\": \"\"}}")
    };
    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"left\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("migrations/1_first.sql", "CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL);\n"),
        (
            "src/lib.rs",
            "pub async fn f(db: &sqlx::PgPool) { sqlx::query!(\"SELECT body FROM notes WHERE id = $1\", 1).fetch_one(db).await; }\n",
        ),
    ]);
    scratch.write(".sqlx/query-1.json", entry("SELECT body FROM notes WHERE id = $1"));
    scratch.write(".sqlx/query-2.json", entry("SELECT title FROM memos WHERE id = $1"));
    // It no longer runs anywhere, whatever is wrong with it.
    scratch.write(".sqlx/query-3.json", entry("INSERT INTO notes (id) VALUES ($1)"));
    scratch.write(".sqlx/query-4.json", entry("DELETE FROM notes"));
    run(scratch.path(), &["check"]).exits_with(0).says(&["checked 1 query", "3 left over in `.sqlx`"]);
}

/// Some crate's macro made it: sqlx compiles it, and it runs.
#[test]
fn an_entry_that_nothing_of_the_source_makes_is_no_error() {
    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"left\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("migrations/1_first.sql", "CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL);\n"),
        (
            "src/lib.rs",
            "pub async fn f(db: &sqlx::PgPool) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; }\n",
        ),
        (
            ".sqlx/query-1.json",
            "{\"db_name\": \"PostgreSQL\", \"query\": \"DELETE FROM notes\", \"describe\": {}}",
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = \"left\"\nversion = \"0.1.0\"\ndependencies = [\"made\"]\n\
             [[package]]\nname = \"made\"\nversion = \"1.0.0\"\nsource = \"registry\"\n\
             dependencies = [\"made-macros\", \"sqlx\"]\n",
        ),
    ]);
    run(scratch.path(), &["check"])
        .exits_with(0)
        .says(&["warning[unbounded_write]", "found 0 errors, 1 warning"]);
    // Without that crate, no call is left that makes it, though the call there is has no entry yet.
    std::fs::remove_file(scratch.path().join("Cargo.lock")).expect("the file is there");
    let ran = run(scratch.path(), &["check"]).exits_with(0).says(&["1 left over in `.sqlx`"]);
    assert!(!ran.stdout.contains("unbounded_write"), "{}", ran.stdout);
    // A file that cannot be read may make it.
    scratch.write("src/broken.rs", "fn f( {\n");
    let unclaimed = "no call in the files that were read makes it";
    run(scratch.path(), &["check"]).says(&["warning[unbounded_write]", unclaimed]);
}

#[test]
fn an_entry_that_a_macro_makes_is_told_where_the_macro_is_used() {
    let entry = |query: &str| {
        format!("{{\"db_name\": \"PostgreSQL\", \"query\": \"{query}\", \"describe\": {{}}, \"hash\": \"\"}}")
    };
    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"made\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        (
            "migrations/1_first.sql",
            "CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL, by bigint NOT NULL);\n",
        ),
        (
            "src/lib.rs",
            "macro_rules! notes {
    ($where:literal, $id:expr) => { sqlx::query!(\"SELECT body FROM notes \" + $where, $id) };
}
pub async fn f(db: &sqlx::PgPool) {
    notes!(\"WHERE by = $1 LIMIT 1\", 1).fetch_one(db).await;
}
",
        ),
    ]);
    scratch.write(".sqlx/query-1.json", entry("SELECT body FROM notes WHERE by = $1 LIMIT 1"));
    let json = run(scratch.path(), &["check", "--format", "json"]).exits_with(0);
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let found: Vec<_> = report["findings"].as_array().expect("findings").iter().collect();
    let places: Vec<_> = found
        .iter()
        .filter(|finding| finding["lint"] == "unindexed_filter")
        .map(|finding| (finding["file"].as_str(), finding["line"].as_u64()))
        .collect();
    assert_eq!(places, [(Some("src/lib.rs"), Some(5))]);
}

#[test]
fn a_table_that_migrations_alone_fill_is_listed_and_copy_may_fill_any() {
    let read = "pub async fn list(db: &sqlx::PgPool, by: i64) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(\"SELECT id FROM notes WHERE by = $1 ORDER BY id LIMIT 9\").bind(by).fetch_all(db).await
}
";
    let copy = "pub async fn fill(db: &sqlx::PgPool, copy: &str) -> sqlx::Result<()> {
    sqlx::query(\"DELETE FROM notes WHERE id = 1\").execute(db).await?;
    db.copy_in_raw(copy).await?;
    Ok(())
}
";
    for (code, seed, shown) in [
        (read.to_owned(), "INSERT INTO notes (id, by) VALUES (1, 1);", false),
        (read.to_owned() + copy, "INSERT INTO notes (id, by) VALUES (1, 1);", true),
        (read.to_owned(), "", true),
    ] {
        let scratch = Scratch::with([
            ("Cargo.toml", "[package]\nname = \"made\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
            ("src/lib.rs", code.as_str()),
        ]);
        let made = "CREATE TABLE notes (id bigint PRIMARY KEY, by bigint NOT NULL);";
        scratch.write("migrations/1_first.sql", format!("{made}\n{seed}\n"));
        let ran = run(scratch.path(), &["check"]).exits_with(0);
        assert_eq!(
            (ran.stdout.clone() + &ran.stderr).contains("warning[unindexed_filter]"),
            shown,
            "{code} {seed}"
        );
    }
}
