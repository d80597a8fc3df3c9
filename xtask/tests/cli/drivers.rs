//! Queries of drivers other than sqlx, in a whole workspace.

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
     CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL);\n",
);

/// The lints found in a project, each with its line, and the report.
#[track_caller]
fn found(scratch: &Scratch, code: i32) -> (Vec<String>, Value) {
    let ran = run(scratch.path(), &["check", "--format", "json", "--all"]).exits_with(code);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings = findings.filter(|it| it["file"].as_str().is_some_and(|file| file.ends_with(".rs")));
    let mut found: Vec<String> =
        findings.map(|it| format!("{} {}", it["line"], it["lint"].as_str().unwrap_or_default())).collect();
    found.sort();
    (found, report)
}

#[test]
fn a_manifest_names_the_driver_of_all_its_files() {
    let scratch = Scratch::with([
        (
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\ntokio-postgres = \"0.7\"\n",
        ),
        MIGRATION,
        (
            "src/lib.rs",
            r#"use crate::db::Client;
pub async fn page(client: &Client, users: &[i64]) -> Result<(), Error> {
    let all = client.query("SELECT id FROM posts WHERE user_id = $1 ORDER BY id LIMIT 5", &[&1_i64]).await?;
    for user in users {
        client.query_one("SELECT name FROM users WHERE id = $1", &[user]).await?;
    }
    client.query("SELECT name FROM users", &[]).await?;
    client.execute("UPDATE users SET name = $1 WHERE id = $2", &[&"a"]).await?;
    client.execute("UPDATE users SET nmae = $1 WHERE id = $2", &[&"a", &1_i64]).await?;
    client.batch_execute("CREATE TEMP TABLE t (a int); DROP TABLE t").await?;
    cache.query("no statement", &[]);
    Ok(())
}
"#,
        ),
    ]);
    let (lints, report) = found(&scratch, 0);
    assert_eq!(lints, ["3 unindexed_filter", "5 query_in_loop", "8 parameter_count", "9 unknown_column"]);
    assert_eq!(report["summary"]["errors"], 0, "what is raw is no error");
    assert_eq!(report["summary"]["sites"], 6);
    run(scratch.path(), &["budgets"]).exits_with(0).says(&["page"]);
    run(scratch.path(), &["index-check"]).exits_with(1).says(&["CREATE INDEX", "posts (user_id"]);

    // Without the driver, nothing says what these methods do.
    scratch.write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    assert_eq!(found(&scratch, 0).0, [""; 0]);
}

#[test]
fn a_crate_of_rusqlite_is_read_by_the_rules_of_sqlite() {
    let scratch = Scratch::with([
        (
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nlite = { package = \"rusqlite\", version = \"0.31\" }\n",
        ),
        (
            "migrations/1.sql",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, at INTEGER);\n",
        ),
        (
            "src/lib.rs",
            r#"use lite::Connection;
pub fn put(conn: &Connection, body: &str) -> lite::Result<()> {
    conn.execute("INSERT INTO notes (body) VALUES (?1)", lite::params![body])?;
    conn.execute("INSERT OR REPLACE INTO notes (id, body) VALUES (?1, ?2)", (1,))?;
    conn.query_row("SELECT body FROM notes WHERE at = ?1", [7], |row| row.get(0))?;
    conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS other (id INTEGER)")?;
    Ok(())
}
"#,
        ),
    ]);
    let (lints, report) = found(&scratch, 0);
    assert_eq!(lints, ["4 parameter_count", "5 unindexed_filter"]);
    assert_eq!(report["summary"]["unparsed"], 0, "{report:#}");
}

/// A workspace with migrations of PostgreSQL, and a crate with another database.
#[test]
fn a_crate_with_another_database_is_read_by_its_own_rules() {
    let manifest = |name: &str, dependencies: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{dependencies}\n"
        )
    };
    let query = "INSERT OR IGNORE INTO spent (id, day) VALUES (?1, ?2)";
    let (lite, local) = (
        format!("fn f(db: &rusqlite::Connection) {{ db.execute(\"{query}\", (1, 2)); }}"),
        format!("async fn f(db: &Connection) {{ db.execute(\"{query}\", (1, 2)).await; }}"),
    );
    let local_manifest =
        format!("{}\n[target.'cfg(unix)'.dependencies]\nlibsql = \"0.9\"\n", manifest("local", ""));
    let scratch = Scratch::with([
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"api\", \"lite\", \"local\"]\nresolver = \"3\"\n[workspace.dependencies]\n\
             rusqlite = { version = \"0.31\", features = [\"bundled\"] }\n",
        ),
        (
            "api/Cargo.toml",
            manifest("api", "sqlx = { version = \"0.8\", features = [\"postgres\"] }").as_str(),
        ),
        ("api/migrations/1_a.sql", "CREATE TABLE t (id bigserial PRIMARY KEY);"),
        (
            "api/src/lib.rs",
            "async fn f(db: &sqlx::PgPool) { sqlx::query(\"SELECT id FROM t WHERE id = $1\").bind(1).fetch_one(db).await; }",
        ),
        ("lite/Cargo.toml", manifest("lite", "rusqlite.workspace = true").as_str()),
        ("lite/src/lib.rs", lite.as_str()),
        ("local/Cargo.toml", local_manifest.as_str()),
        ("local/src/lib.rs", local.as_str()),
    ]);
    let ran = run(scratch.path(), &["check"]).exits_with(0);
    let output = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!output.contains("not parsed: "), "{output}");
    assert!(
        output.contains("`lite`, `local` have neither a snapshot nor migrations of their database"),
        "{output}"
    );
}
