//! Findings in Rust source over the example schema.

use super::*;
use crate::schema::Replay;

/// The lints that report something in `source`, each with its line.
pub(super) fn findings(source: &str) -> Vec<String> {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
    let config = Config::default();
    let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
    let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
    let file = checker.file(&scan, &calls, &|_| None);
    file.findings.iter().map(|finding| format!("{} {}", finding.lint, finding.place.line)).collect()
}

/// Like `findings`, for a file that opens a database, as another file of its crate does.
fn findings_beside_another(source: &str) -> Vec<String> {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
    let config = Config::default();
    let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres).with_own_database(true);
    let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
    let file = checker.file(&scan, &calls, &|_| None);
    file.findings.iter().map(|finding| format!("{} {}", finding.lint, finding.place.line)).collect()
}

#[test]
fn a_file_may_read_the_database_of_another_program() {
    let source = r#"
async fn import(path: &str) -> sqlx::Result<()> {
let pool = PgPool::connect(path).await?;
sqlx::query("SELECT servers.seen FROM servers JOIN places ON places.id = servers.visit").fetch_all(&pool).await?;
Ok(())
}"#;
    assert_eq!(findings(source), ["unknown_column 4", "unknown_table 4", "unknown_column 4"]);
    assert_eq!(findings_beside_another(source), [""; 0]);
    let slip = source.replace(" JOIN places ON places.id = servers.visit", "");
    assert_eq!(findings_beside_another(&slip), ["unknown_column 4"]);
    let near = "async fn f(db: &PgPool) { sqlx::query(\"SELECT nmae FROM servers WHERE id = 1\").fetch_one(db).await; }";
    assert_eq!(findings_beside_another(near), ["unknown_column 1"]);
    let own = "async fn f(db: &PgPool) { sql!(\"SELECT seen FROM visits WHERE place = 1 AND day = 2\").fetch_one(db).await; }";
    assert_eq!(findings_beside_another(&format!("{source} {own}")).len(), 4);
}

/// What is found in a loop over `ids` that executes a text with these values bound.
fn in_loop(sql: &str, binds: &str, method: &str) -> Vec<String> {
    findings(&format!(
        "async fn f(db: &PgPool, ids: &[i64], names: &[String]) -> sqlx::Result<()> {{\nfor id in ids {{\n\
         sqlx::query(\"{sql}\"){binds}.{method}(db).await?;\n}}\nOk(()) }}"
    ))
}

#[test]
fn an_array_that_is_the_same_for_all_elements_is_no_batch_of_them() {
    let many = "SELECT id FROM servers WHERE id = $1 AND name = ANY($2)";
    assert_eq!(in_loop(many, ".bind(id).bind(names)", "fetch_all"), ["query_in_loop 3"]);
    let write = "UPDATE servers SET name = 'x' WHERE id = $1 AND NOT (name = ANY($2))";
    assert_eq!(in_loop(write, ".bind(id).bind(names)", "execute"), ["row_by_row_write 3"]);
    let rows = "INSERT INTO servers (name) VALUES ($1::text), (upper($1))";
    assert_eq!(in_loop(rows, ".bind(id)", "execute"), ["row_by_row_write 3"]);
    // Two elements in each statement, and the array of an element, are one batch for each, which is listed.
    let pairs = "INSERT INTO servers (name) VALUES ($1::text), ($2::text)";
    assert_eq!(in_loop(pairs, ".bind(id[0]).bind(id[1])", "execute"), ["row_by_row_write 3"]);
    let parts = "DELETE FROM servers WHERE id = ANY($1)";
    assert_eq!(in_loop(parts, ".bind(id.parts())", "execute"), ["row_by_row_write 3"]);
}

#[test]
fn texts_that_a_connection_is_given_are_checked() {
    let source = |text: &str| {
        format!(
            "async fn f(db: &mut PgConnection, id: i64) -> sqlx::Result<()> {{\n{text}\nOk(()) }}\nuse sqlx::Executor;"
        )
    };
    let literal = source("db.execute(\"UPDATE servers SET nmae = 'x' WHERE id = 1\").await?;");
    assert_eq!(findings(&literal), ["unknown_column 2"]);
    let raw = source("sqlx::raw_sql(\"UPDATE serverz SET name = 'x' WHERE id = 1;\").execute(db).await?;");
    assert_eq!(findings(&raw), ["unknown_table 2"]);
    // A script may make what it names.
    let script = source(
        "db.execute(\"CREATE TEMP TABLE serverz (id int); DELETE FROM serverz WHERE id = 1\").await?;",
    );
    assert_eq!(findings(&script), [""; 0]);
    for built in ["sql.as_str()", "&*sql", "&sql"] {
        let code = "let sql = format!(\"UPDATE servers SET name = 'x' WHERE id = {id}\");";
        let looped = source(&format!("for id in 0..id {{ {code} db.execute({built}).await?; }}"));
        assert_eq!(findings(&looped), ["row_by_row_write 2"], "{built}");
    }
}

#[test]
fn values_are_counted_where_a_query_is_run() {
    let run =
        "async fn f(db: &PgPool) { sqlx::query(\"DELETE FROM servers WHERE id = $1\").execute(db).await; }";
    assert_eq!(findings(run), ["parameter_count 1"]);
    let made = "fn f<'q>() -> PgQuery<'q> { sqlx::query(\"DELETE FROM servers WHERE id = $1\") }";
    assert_eq!(findings(made), [""; 0]);
    let too_many = "fn f<'q>() -> PgQuery<'q> { sqlx::query(\"DELETE FROM servers WHERE id = 1\").bind(1) }";
    assert_eq!(findings(too_many), ["parameter_count 1"]);
}

#[test]
fn what_opens_a_pool_tells_its_database() {
    for (opened, found) in [
        ("SqlitePool::connect(path).await?", &[""; 0][..]),
        ("SqlitePoolOptions::new().max_connections(1).connect(path).await?", &[]),
        ("SqlitePoolOptions::new().connect_lazy(path).expect(\"a pool\")", &[]),
        ("MySqlConnection::connect(path).await.unwrap()", &[]),
        ("MySqlConnectOptions::from_str(path)?.connect().await?", &[]),
        ("PgPoolOptions::new().connect(path).await?", &["unknown_column 1"]),
        ("open(path).await?", &["unknown_column 1"]),
    ] {
        let source = format!(
            "async fn f(path: &str) -> sqlx::Result<()> {{ let pool = {opened}; \
             sqlx::query(\"SELECT seen FROM servers WHERE id = 1\").fetch_one(&pool).await?; Ok(()) }}"
        );
        assert_eq!(findings(&source), found, "{opened}");
    }
}

#[test]
fn a_pool_with_a_name_of_its_own_may_be_another_database() {
    let found = |on: &str, sql: &str| {
        findings(&format!("async fn f(app: &App) {{ sqlx::query(\"{sql}\").fetch_one({on}).await; }}"))
    };
    let other = "SELECT value FROM servers WHERE id = 1";
    assert_eq!(found("&app.stats", other), [""; 0]);
    assert_eq!(found("&app.pool", other), ["unknown_column 1"]);
    assert_eq!(found("&app.read_pool", other), ["unknown_column 1"]);
    assert_eq!(found("app", other), ["unknown_column 1"]);
    // What the schema knows is judged by it.
    assert_eq!(
        found("&app.stats", "SELECT id FROM servers WHERE name = 'a'"),
        found("app", "SELECT id FROM servers WHERE name = 'a'")
    );
}

#[test]
fn a_file_that_replaces_tables_meets_those_of_an_earlier_time() {
    let upgrade = |replaces: &str| {
        format!(
            "async fn f(db: &PgPool) {{ sqlx::query({replaces:?}).execute(db).await; sqlx::query(\"SELECT gone FROM servers WHERE id = 1\").fetch_one(db).await; }}"
        )
    };
    assert_eq!(findings(&upgrade("ALTER TABLE servers RENAME TO old_servers")), [""; 0]);
    assert_eq!(findings(&upgrade("drop table if exists old_servers")), [""; 0]);
    assert_eq!(findings(&upgrade("DELETE FROM logs WHERE id = 1")), ["unknown_column 1"]);
}

#[test]
fn a_migration_in_rust_meets_an_earlier_schema() {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
    let config = Config::default();
    let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
    let found = |file: &str| {
        let source = "async fn run(db: &PgPool) { sqlx::query(\"UPDATE servers SET name_new = name\").execute(db).await; }";
        let (scan, calls) = crate::rust::scan(file, source).expect("it is Rust").follow_alone();
        let file = checker.file(&scan, &calls, &|_| None);
        file.findings.iter().any(|finding| finding.lint == "unknown_column")
    };
    assert!(!found("src/migrations/m0037_name.rs"));
    assert!(found("src/names.rs"));
    assert!(!found("src/sqlite_migration.rs"));
    assert!(!found("src/v4_to_v5.rs"));
}

#[test]
fn a_read_and_a_write_per_element_are_told_apart() {
    let source = r#"
async fn copy(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
for id in ids {
    let name: String = sql_scalar!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
    sql!("INSERT INTO servers (name) VALUES ($1)", name).execute(db).await?;
}
Ok(())
}"#;
    assert_eq!(findings(source), ["query_in_loop 4", "row_by_row_write 5"]);
}

#[test]
fn a_query_for_many_elements_may_run_in_a_loop() {
    let source = r#"
async fn load(db: &PgPool, pages: &[Vec<i64>]) -> sqlx::Result<()> {
for page in pages {
    sql!("SELECT name FROM servers WHERE id = ANY($1)", page).fetch_all(db).await?;
}
Ok(())
}"#;
    assert_eq!(findings(source), [""; 0]);
}

#[test]
fn none_is_null_to_a_column_that_refuses_it() {
    let source = r#"
async fn add(db: &PgPool, name: &str, email: Option<&str>) -> sqlx::Result<()> {
sql!("INSERT INTO users (name, email) VALUES ($1, $2)", name, None::<&str>).execute(db).await?;
sql!("INSERT INTO users (email, name) VALUES ($1, $2)", Option::<&str>::None, name).execute(db).await?;
sqlx::query("INSERT INTO users (name, email) VALUES ($1, $2)").bind(name).bind(None as Option<&str>).execute(db).await?;
sql!("INSERT INTO users (name, email) VALUES ($1, $2)", name, email).execute(db).await?;
sql!("INSERT INTO events (user_id, name, server_id) VALUES ($1, $2, $3)", 1, name, None::<i64>).execute(db).await?;
sql!("INSERT INTO users (name, email) VALUES ($1, COALESCE($2, ''))", name, None::<&str>).execute(db).await?;
Ok(())
}"#;
    let found: Vec<String> =
        findings(source).into_iter().filter(|found| found.starts_with("missing")).collect();
    assert_eq!(found, [3, 4, 5].map(|line| format!("missing_required_column {line}")));
}

#[test]
fn each_statement_of_a_script_is_a_query() {
    let source = r#"
async fn seed(db: &PgPool) -> sqlx::Result<()> {
sqlx::raw_sql(
    "INSERT INTO servers (name) VALUES ('a');
     DELETE FROM logs;",
).execute(db).await?;
Ok(())
}"#;
    assert_eq!(findings(source), ["unbounded_write 5"]);
}

#[test]
fn a_text_that_is_executed_as_it_is_may_be_a_script() {
    let source = r#"
async fn seed(db: &PgPool) -> sqlx::Result<()> {
db.execute("INSERT INTO servers (name) VALUES ('a'); DELETE FROM logs;").await?;
Ok(())
}"#;
    assert_eq!(findings(source), ["unbounded_write 3"]);
}

#[test]
fn an_allow_in_test_code_is_not_called_unused() {
    let source = r#"
#[cfg(test)]
mod tests {
async fn clear(db: &PgPool) {
    // query-budget: allow(unbounded_write): the database is this test's own
    sql!("DELETE FROM logs").execute(db).await;
}
}"#;
    assert_eq!(findings(source), [""; 0]);
}

#[test]
fn a_budget_is_held_against_the_bound() {
    let source = r#"
#[query_budget(max = 1)]
async fn load(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
sql!("SELECT name FROM servers WHERE id = $1", 1).fetch_one(db).await?;
sql!("SELECT name FROM servers WHERE id = $1", 2).fetch_one(db).await?;
Ok(())
}"#;
    assert_eq!(findings(source), ["budget_exceeded 3"]);
}

#[test]
fn an_allow_silences_its_lint_and_is_checked_itself() {
    let source = r#"
async fn servers(db: &PgPool) -> sqlx::Result<()> {
// query-budget: allow(missing_limit): there are twelve of them
sql!("SELECT name FROM servers").fetch_all(db).await?;
// query-budget: allow(missing_limit)
sql!("SELECT name FROM servers").fetch_all(db).await?;
// query-budget: allow(missing_limit): one row
sql!("SELECT name FROM servers WHERE id = 1").fetch_all(db).await?;
// query-budget: allow(mising_limit): a slip
sql!("SELECT name FROM servers WHERE id = 1").fetch_all(db).await?;
Ok(())
}"#;
    assert_eq!(findings(source), ["allow_without_reason 5", "unused_allow 7", "unknown_lint 9"]);
}

#[test]
fn a_query_of_any_dialect_is_one_where_none_is_known() {
    let config = Config::default();
    let checker = Checker::new(&config, None, Dialect::Postgres);
    let guessing = checker.with_guessed_dialect();
    for sql in
        ["SELECT id FROM t WHERE a = ?", "SELECT `id` FROM `t` LIMIT ?, ?", "SELECT id FROM t WHERE a = $1"]
    {
        assert!(guessing.query(sql, None).query.is_ok(), "{sql}");
    }
    assert!(checker.query("SELECT id FROM t WHERE a = ?", None).query.is_err());
    assert!(guessing.query("SELECT id FORM t", None).query.is_err());
}

#[test]
fn placeholders_tell_the_database_of_a_raw_query() {
    let source = |sql: &str| {
        format!("async fn f(db: &Pool) {{ sqlx::query(\"{sql}\").bind(1).bind(2).execute(db).await; }}")
    };
    let of = |dialect, sql: &str| {
        let mut replay = crate::schema::Replay::new(dialect);
        replay.apply("CREATE TABLE t (id int PRIMARY KEY, a int)", "a.sql");
        let config = Config::default();
        let checker = Checker::new(&config, Some(&replay.schema), dialect);
        let (scan, _) = crate::rust::scan("lib.rs", &source(sql)).expect("it is Rust").follow_alone();
        let checked = checker.query(sql, scan.sites.first());
        let found: Vec<&str> = checked.findings.iter().map(|finding| finding.lint).collect();
        (found.join(" "), checked.query.is_ok())
    };
    assert_eq!(of(Dialect::MySql, "UPDATE t SET b = $1 WHERE id = $2"), (String::new(), true));
    assert_eq!(of(Dialect::MySql, "UPDATE t SET b = ? WHERE id = ?"), ("unknown_column".to_owned(), true));
    assert_eq!(of(Dialect::Postgres, "UPDATE t SET b = ? WHERE id = ?"), (String::new(), true));
    assert_eq!(
        of(Dialect::Postgres, "UPDATE t SET b = $1 WHERE id = $2"),
        ("unknown_column".to_owned(), true)
    );
    assert_eq!(of(Dialect::Postgres, "UPDATE t SET a = ? FOR id = ?"), ("syntax_error".to_owned(), false));
}

#[test]
fn test_code_is_asked_only_what_the_database_would_refuse() {
    let source = r#"
#[cfg(test)]
mod tests {
async fn all(db: &PgPool) -> sqlx::Result<()> {
    sql!("DELETE FROM servers").execute(db).await?;
    sql!("SELECT nmae FROM servers").fetch_all(db).await?;
    Ok(())
}
}"#;
    assert_eq!(findings(source), ["unknown_column 6"]);
}

#[test]
fn a_raw_text_that_no_database_takes_is_told() {
    let source = r#"
async fn load(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query("SELECT name FROM servers WHERE id = $1 name = 'a'").bind(id).fetch_one(db).await?;
    sqlx::query("SELECT nmae FROM servers WHERE id = $1").bind(id).fetch_one(db).await?;
    sqlx::query("SELECT name FROM elsewhere WHERE id = $1").bind(id).fetch_one(db).await?;
    Ok(())
}"#;
    assert_eq!(findings(source), ["syntax_error 3", "unknown_column 4"]);
}

#[test]
fn every_row_may_be_meant_in_raw_code() {
    let source = r#"
async fn clear_logs(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM logs").execute(db).await
}
async fn store(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM logs").execute(db).await?;
    sqlx::query("INSERT INTO logs (event_id) VALUES (1)").execute(db).await
}
async fn remove(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM logs").execute(db).await
}
async fn clear(db: &PgPool) -> sqlx::Result<()> {
    sql!("DELETE FROM logs").execute(db).await
}"#;
    assert_eq!(findings(source), ["unbounded_write 10", "unbounded_write 13"]);
}

#[test]
fn a_budget_that_a_loop_exceeds_says_what_the_loop_does() {
    let source = r#"
#[query_budget(max = 1)]
async fn names(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for id in ids {
        name(db, *id).await?;
    }
    Ok(())
}
async fn name(db: &PgPool, id: i64) -> sqlx::Result<String> {
    sql_scalar!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await
}"#;
    assert_eq!(findings(source), ["budget_exceeded 3"]);
}

#[test]
fn a_text_for_sqlite_may_be_a_script() {
    let mut replay = Replay::new(Dialect::Sqlite);
    replay.apply("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);", "schema.sql");
    let config = Config::default();
    let source = r#"
async fn put(db: &SqlitePool, id: i64) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO notes (id) VALUES (?); UPDATE notes SET body = ?").bind(id).bind("a").execute(db).await
}"#;
    let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
    let file = Checker::new(&config, Some(&replay.schema), Dialect::Sqlite).file(&scan, &calls, &|_| None);
    let found: Vec<&str> = file.findings.iter().map(|finding| finding.lint).collect();
    assert_eq!(found, ["unbounded_write"]);
    assert_eq!(file.sites.len(), 2);
}

#[test]
fn code_tells_the_dialect_before_the_schema_does() {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply("CREATE TABLE t (id int PRIMARY KEY, a int)", "a.sql");
    let config = Config::default();
    let found = |of_crate: &NamedDatabases, source: &str| {
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres).with_databases(of_crate);
        let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
        let file = checker.file(&scan, &calls, &|_| None);
        let is_read = |site: &CheckedSite<'_>| site.checked.as_ref().is_some_and(|it| it.1.query.is_ok());
        assert!(file.sites.iter().all(is_read), "{source}");
        file.findings.iter().map(|finding| finding.lint).collect::<Vec<_>>().join(" ")
    };
    let of = |of_sqlx: &[Dialect], of_drivers: &[Dialect]| NamedDatabases {
        of_sqlx: of_sqlx.to_vec(),
        of_drivers: of_drivers.to_vec(),
    };
    let lite = "db.execute(\"INSERT OR IGNORE INTO u (id) VALUES (?1)\", (1,)); }";
    // The file imports a driver.
    let all = of(&[Dialect::Postgres], &[Dialect::Sqlite, Dialect::Postgres]);
    let source = format!("use rusqlite::Connection; fn f(db: &Connection) {{ {lite}");
    assert_eq!(found(&all, &source), "");
    let source = format!("use libsql::Connection; async fn f(db: &Connection) {{ {lite}");
    assert_eq!(found(&all, &source), "");
    // The crate has one alone.
    let query = "async fn f(db: &Pool) { sqlx::query(\"REPLACE INTO t (id) VALUES (?1)\").bind(1).execute(db).await; }";
    assert_eq!(found(&of(&[Dialect::Sqlite], &[]), query), "");
    // It has several, and one of the others alone reads the text.
    assert_eq!(found(&of(&[Dialect::Postgres, Dialect::Sqlite], &[]), query), "");
    // The types of the file say which of them is meant.
    let missing = "sqlx::query(\"SELECT b FROM t WHERE id = $1\").bind(1).fetch_one(db).await; }";
    let both = of(&[Dialect::Postgres, Dialect::Sqlite], &[]);
    assert_eq!(found(&both, &format!("async fn f(db: &Pool) {{ {missing}")), "unknown_column");
    let source = format!("use sqlx::SqlitePool; async fn f(db: &Pool) {{ {missing}");
    assert_eq!(found(&both, &source), "");
    // A crate without SQLite means something else by the name.
    let source = format!("enum Kind {{ Sqlite }} async fn f(db: &Pool) {{ {missing}");
    assert_eq!(found(&of(&[Dialect::Postgres], &[]), &source), "unknown_column");
}
