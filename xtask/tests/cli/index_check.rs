//! `index-check`: every query against the indexes, from Rust source and from files of queries.

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const MIGRATIONS: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE events (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL, name TEXT NOT NULL);\n\
     CREATE INDEX events_user ON events (user_id);\n\
     CREATE TABLE logs (id BIGSERIAL PRIMARY KEY, event_id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL, output TEXT);\n",
);

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");

const SOURCE: (&str, &str) = (
    "src/lib.rs",
    r#"
pub async fn logs(db: &PgPool, event: i64) -> sqlx::Result<Vec<Log>> {
    sqlx::query_as!(Log, "SELECT output FROM logs WHERE event_id = $1", event).fetch_all(db).await
}

pub async fn since(db: &PgPool, event: i64, at: Time) -> sqlx::Result<Vec<Log>> {
    sqlx::query_as(
        r"
        SELECT output
        FROM logs
        WHERE event_id = $1 AND at > $2
        ",
    )
    .bind(event)
    .bind(at)
    .fetch_all(db)
    .await
}

pub async fn events(db: &PgPool, user: i64) -> sqlx::Result<Vec<Event>> {
    sql_as!(Event, "SELECT name FROM events WHERE user_id = $1 LIMIT 50", user).fetch_all(db).await
}

pub async fn any(db: &PgPool, table: &str) -> sqlx::Result<u64> {
    Ok(sqlx::query(&format!("DELETE FROM {table}")).execute(db).await?.rows_affected())
}
"#,
);

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
fn findings_name_place_sql_and_index() {
    let scratch = Scratch::with([MIGRATIONS, MANIFEST, SOURCE]);
    let ran = run(scratch.path(), &["index-check"]).exits_with(1);
    for part in [
        "error[unindexed_filter]: filter on `logs.event_id` has no index\n --> src/lib.rs:3:57\n",
        "SELECT output FROM logs WHERE event_id = $1\n",
        "--> src/lib.rs:11:15\n",
        "11 | WHERE event_id = $1 AND at > $2\n",
        "CREATE INDEX ON logs (event_id, at); -- 2 queries, 0 writes\n",
        "found 2 errors, 0 warnings\n",
        "checked 4 queries with 3 table accesses: 0 not parsed, 1 built at run time, 0 of unknown tables\n",
    ] {
        assert!(ran.stdout.contains(part), "`{part}` is not in:\n{}", ran.stdout);
    }
}

#[test]
fn a_folder_or_a_file_of_the_workspace_can_be_named() {
    let scratch = Scratch::with([
        MIGRATIONS,
        MANIFEST,
        SOURCE,
        ("src/other/more.rs", "fn f() { sql!(\"SELECT 1\"); }"),
    ]);
    run(scratch.path(), &["index-check", "src/other"]).exits_with(0).says(&["checked 1 query with"]);
    run(scratch.path(), &["index-check", "src/lib.rs"]).exits_with(1).says(&["checked 4 queries with"]);
}

#[test]
fn an_index_that_is_there_ends_the_finding() {
    let scratch = Scratch::with([MIGRATIONS, MANIFEST, SOURCE]);
    scratch.write("migrations/2_index.sql", "CREATE INDEX logs_event ON logs (event_id, at);\n");
    run(scratch.path(), &["index-check"]).exits_with(0);
}

#[test]
fn a_level_and_a_small_table_are_obeyed() {
    let scratch = Scratch::with([MIGRATIONS, MANIFEST, SOURCE]);
    scratch.write("query-budget.toml", "[lints]\nunindexed_filter = \"warn\"\n");
    run(scratch.path(), &["index-check"]).exits_with(0).says(&["warning[unindexed_filter]"]);
    scratch.write("query-budget.toml", "[tables]\nlogs = { rows = 40 }\n");
    let ran = run(scratch.path(), &["index-check"]).exits_with(0);
    assert!(
        !ran.stdout.contains("unindexed_filter") && !ran.stdout.contains("CREATE INDEX"),
        "{}",
        ran.stdout
    );
}

#[test]
fn queries_come_from_sql_jsonl_and_sqlx_folders() {
    let scratch = Scratch::with([
        MIGRATIONS,
        (
            "q.sql",
            "-- one\nSELECT name FROM events WHERE id = 1;\n\nSELECT id FROM logs\n  WHERE event_id = 7;\n",
        ),
        (
            "q.jsonl",
            "{\"query\": \"SELECT id FROM logs WHERE event_id = $1\"}\n\n{\"query\": \"SELECT 1\", \"more\": 2}\n",
        ),
        (
            "app/.sqlx/query-1.json",
            "{\"db_name\": \"PostgreSQL\", \"query\": \"SELECT id FROM logs WHERE event_id = $1\"}",
        ),
        ("app/.sqlx/query-2.json", "{\"query\": \"SELECT name FROM events WHERE id = $1\"}"),
    ]);
    for (queries, place) in
        [("q.sql", "q.sql:5:9\n"), ("q.jsonl", "q.jsonl:1\n"), ("app/.sqlx", "app/.sqlx/query-1.json\n")]
    {
        let arguments = ["index-check", "--migrations", "migrations", "--queries", queries];
        let ran = run(scratch.path(), &arguments).exits_with(1).says(&[
            place,
            "checked 2 queries with",
            "(event_id); -- 1 query",
        ]);
        assert_eq!(ran.stdout.matches("error[").count(), 1, "{}", ran.stdout);
    }
}

#[test]
fn queries_that_sqlx_saved_are_not_counted_twice() {
    let scratch = Scratch::with([MIGRATIONS, MANIFEST, SOURCE]);
    let saved = r#"{"query": "SELECT output FROM logs WHERE event_id = $1"}"#;
    scratch.write(".sqlx/query-1.json", saved);
    scratch.write(".sqlx/query-2.json", r#"{"query": "SELECT id FROM logs WHERE output = $1"}"#);
    run(scratch.path(), &["index-check"])
        .exits_with(1)
        .says(&["checked 4 queries", "1 left over in `.sqlx`"]);
}

#[test]
fn the_json_form_is_one_object() {
    let scratch = Scratch::with([MIGRATIONS, MANIFEST, SOURCE]);
    let report = json(&run(scratch.path(), &["index-check", "--format", "json"]).exits_with(1).stdout);
    let summary = &report["summary"];
    let counts = ["queries", "checked", "unparsed", "scans", "served", "unserved", "full", "unknown"]
        .map(|key| summary[key].as_u64());
    assert_eq!(counts, [4, 3, 0, 3, 1, 2, 0, 0].map(Some), "{summary}");

    let queries = report["queries"].as_array().expect("queries");
    let query = &queries[0];
    assert_eq!(query["sql"], "SELECT output FROM logs WHERE event_id = $1");
    assert_eq!((query["file"].as_str(), query["line"].as_u64()), (Some("src/lib.rs"), Some(3)));
    assert_eq!((query["status"].as_str(), query["cardinality"].as_str()), (Some("checked"), Some("many")));
    let scan = &query["scans"][0];
    assert_eq!(
        (scan["table"].as_str(), scan["alias"].as_str(), scan["verdict"].as_str()),
        (Some("logs"), Some("logs"), Some("unserved"))
    );
    assert_eq!((scan["index"].as_str(), scan["columns"][0].as_str()), (None, Some("event_id")));
    assert!(scan["why"].as_str().is_some_and(|why| !why.is_empty()));
    assert_eq!(queries[2]["scans"][0]["index"], "events_user");

    let advice = report["advice"].as_array().expect("advice");
    assert_eq!(advice.len(), 1);
    assert_eq!(advice[0]["ddl"], "CREATE INDEX ON logs (event_id, at)");
    assert_eq!(advice[0]["columns"], serde_json::json!(["event_id", "at"]));
    assert_eq!(advice[0]["serves"], serde_json::json!([0, 1]));
    assert!(advice[0]["predicate"].is_null());
}

#[test]
fn each_crate_is_checked_against_its_own_database() {
    let scratch = Scratch::with([
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\nedition = \"2024\"\n"),
        ("a/src/lib.rs", "fn f() { sqlx::query!(\"SELECT id FROM t WHERE n = $1\", 1); }"),
        ("a/migrations/1_t.sql", "CREATE TABLE t (id BIGSERIAL PRIMARY KEY, n INT);\n"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\nedition = \"2024\"\n"),
        ("b/src/lib.rs", "fn f() { sqlx::query!(\"SELECT id FROM t WHERE n = ?\", 1); }"),
        ("b/migrations/1_t.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, n INT UNIQUE);\n"),
    ]);
    let ran =
        run(scratch.path(), &["index-check"]).exits_with(1).says(&["a/src/lib.rs:1", "checked 2 queries"]);
    assert!(!ran.stdout.contains("b/src/lib.rs"), "{}", ran.stdout);
}

#[test]
fn without_any_schema_it_says_what_to_name() {
    let scratch = Scratch::with([MANIFEST, SOURCE]);
    run(scratch.path(), &["index-check"])
        .exits_with(2)
        .says(&["find a schema to check against", "--migrations <folder>"]);
}

#[test]
fn comments_of_sql_allow_with_a_reason() {
    let scratch = Scratch::with([
        MIGRATIONS,
        (
            "q.sql",
            "SELECT id FROM events WHERE name = 'a'; -- query-budget: allow(unindexed_filter): not for the next\n\
             -- query-budget: allow(unindexed_filter): once a year\n\
             SELECT id FROM logs WHERE event_id = 7;\n\
             SELECT id FROM logs WHERE event_id = 8;\n",
        ),
        (
            "q.jsonl",
            "{\"query\": \"/* query-budget: allow(unindexed_filter): once a year */ SELECT id FROM logs WHERE event_id = $1\"}\n",
        ),
    ]);
    let sql = ["index-check", "--migrations", "migrations", "--queries", "q.sql"];
    let ran = run(scratch.path(), &sql).exits_with(1).says(&[
        "--> q.sql:1:",
        "--> q.sql:4:",
        "to allow it: `-- query-budget: allow(unindexed_filter): <reason>`",
    ]);
    assert!(!ran.stdout.contains("q.sql:3:"), "{}", ran.stdout);
    run(scratch.path(), &["index-check", "--migrations", "migrations", "--queries", "q.jsonl"]).exits_with(0);

    // Allows themselves are checked by `check`, which runs all lints.
    scratch.write(
        "q.sql",
        "-- query-budget: allow(unindexed_filter)\nSELECT id FROM logs WHERE event_id = 7;\n\n\
         -- query-budget: allow(unindexed_filter): a slip\nSELECT id FROM logs WHERE id = 7;\n",
    );
    run(scratch.path(), &["check", "--migrations", "migrations", "--queries", "q.sql"]).exits_with(0).says(
        &[
            "warning[allow_without_reason]: `allow(unindexed_filter)` has no reason\n --> q.sql:1:1\n",
            "write `-- query-budget: allow(unindexed_filter): <why>`",
            "warning[unused_allow]: `allow(unindexed_filter)` silences nothing\n --> q.sql:4:1\n",
        ],
    );
}
