//! `explain` asks a live database for its plans, without writing to it or making it execute anything.

use query_budget_tests::{Scratch, with_mysql, with_postgres};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, MySqlPool, PgPool};

use crate::run;

const POSTGRES: &str = "
    CREATE TABLE events (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL, name TEXT NOT NULL);
    CREATE INDEX events_user ON events (user_id);
    CREATE TABLE logs (id BIGSERIAL PRIMARY KEY, event_id BIGINT NOT NULL, output TEXT);
";

/// Objects through which executing a query would change the database.
const EFFECTS: &str = "
    CREATE FUNCTION touch() RETURNS bigint LANGUAGE sql AS 'INSERT INTO logs (event_id) VALUES (1) RETURNING id';
    CREATE FUNCTION sly() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT nextval(''logs_id_seq'')';
    INSERT INTO logs (event_id) VALUES (1), (2);
";

const QUERIES: &str = "\
SELECT name FROM events WHERE user_id = $1;
SELECT output FROM logs WHERE event_id = $1 ORDER BY output;
SELECT l.output FROM events e JOIN logs l ON l.event_id = e.id WHERE e.user_id = $1;
UPDATE logs SET output = $1 WHERE id = $2;
DELETE FROM logs;
SELECT touch() FROM events WHERE id = sly();
SELECT nope FROM events;
";

fn arguments<'a>(url: &'a str, queries: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let known = ["explain", "--database-url", url, "--queries", queries, "--migrations", "migrations"];
    [&known[..], more].concat()
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_is_asked_and_left_alone() {
    with_postgres(|pool: PgPool| async move {
        pool.execute(POSTGRES).await.expect("make the tables");
        pool.execute(EFFECTS).await.expect("make what could have an effect");
        let counts = "SELECT (SELECT count(*) FROM logs), (SELECT last_value FROM logs_id_seq)";
        let before: (i64, i64) = sqlx::query_as(counts).fetch_one(&pool).await.expect("count");

        let scratch = Scratch::with([("migrations/1_first.sql", POSTGRES), ("q.sql", QUERIES)]);
        let script = r#"{"query": "SELECT id FROM logs; DELETE FROM logs"}"#;
        scratch.write("script.jsonl", script);
        let url = pool.connect_options().to_url_lossy().to_string();
        run(scratch.path(), &arguments(&url, "q.sql", &[])).exits_with(0).says(&[
            "asked PostgreSQL ",
            "with EXPLAIN: each query in a read-only transaction that was rolled back; no query was executed",
            "\nnot planned:\n  q.sql:6:1: it could call a function by `sly`, and a superuser's functions can write files: \
             connect as a role that may only read\n  q.sql:7:1: column \"nope\" does not exist\n",
            "agreed on 6 of 6 table accesses in 5 queries (100.0 %), 0 differ: 2 not planned, ",
        ]);
        run(scratch.path(), &arguments(&url, "script.jsonl", &[])).exits_with(0).says(&["script.jsonl:1: not parsed: "]);
        let after: (i64, i64) = sqlx::query_as(counts).fetch_one(&pool).await.expect("count");
        assert_eq!(before, after);
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_disagrees_where_its_indexes_are_others() {
    with_postgres(|pool: PgPool| async move {
        pool.execute(POSTGRES).await.expect("make the tables");
        pool.execute("DROP INDEX events_user; CREATE INDEX logs_event ON logs (event_id)").await.expect("change them");
        let scratch = Scratch::with([("migrations/1_first.sql", POSTGRES), ("q.sql", QUERIES)]);
        let url = pool.connect_options().to_url_lossy().to_string();
        run(scratch.path(), &arguments(&url, "q.sql", &[])).exits_with(1).says(&[
            "q.sql:1:1: `events` is served here, unserved there\n  | SELECT name FROM events WHERE user_id = $1\n",
            "q.sql:2:1: `logs` is unserved here, served there\n",
            " using logs_event on (event_id = $1)\n",
        ]);
        let ran = run(scratch.path(), &arguments(&url, "q.sql", &["--format", "json"])).exits_with(1);
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let first = &report["disagreements"][0];
        assert_eq!((first["here"].as_str(), first["there"][0].as_str()), (Some("served"), Some("unserved")));
        assert_eq!((first["file"].as_str(), first["line"].as_u64()), (Some("q.sql"), Some(1)));
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_tries_the_advice_where_it_can() {
    with_postgres(|pool: PgPool| async move {
        pool.execute(POSTGRES).await.expect("make the tables");
        let scratch = Scratch::with([("migrations/1_first.sql", POSTGRES)]);
        scratch.write("q.sql", "SELECT output FROM logs WHERE event_id = $1;\n");
        let url = pool.connect_options().to_url_lossy().to_string();
        run(scratch.path(), &arguments(&url, "q.sql", &[])).exits_with(0).says(&[
            "the advised indexes were not tried: the extension `hypopg` is not installed in this database",
        ]);
        let available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'hypopg'";
        let available: i64 =
            sqlx::query_scalar(available).fetch_one(&pool).await.expect("ask for the extension");
        if available == 0 {
            eprintln!("this server has no `hypopg`: what it would do is not tested");
            return;
        }
        pool.execute("CREATE EXTENSION hypopg").await.expect("install the extension");
        run(scratch.path(), &arguments(&url, "q.sql", &[]))
            .exits_with(0)
            .says(&["CREATE INDEX", "(event_id); -- would be used by 1 of 1 query\n"]);
        let indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'logs'";
        let indexes: i64 = sqlx::query_scalar(indexes).fetch_one(&pool).await.expect("count the indexes");
        assert_eq!(indexes, 1, "no index was made");
    })
    .await;
}

const MYSQL: [&str; 3] = [
    "CREATE TABLE events (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, name VARCHAR(99) NOT NULL)",
    "CREATE INDEX events_user ON events (user_id)",
    "CREATE TABLE logs (id BIGINT AUTO_INCREMENT PRIMARY KEY, event_id BIGINT NOT NULL, output TEXT)",
];

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_is_asked_and_left_alone() {
    with_mysql(|pool: MySqlPool| async move {
        for statement in MYSQL {
            pool.execute(statement).await.expect("make the tables");
        }
        pool.execute("INSERT INTO logs (event_id) VALUES (1), (2)").await.expect("fill a table");
        let scratch = Scratch::new();
        scratch.write("migrations/1_first.sql", MYSQL.join(";\n"));
        scratch.write(
            "q.sql",
            "SELECT name FROM events WHERE user_id = ? LIMIT ?;\nSELECT output FROM logs WHERE event_id = ?;\n\
             DELETE FROM logs WHERE id = ?;\n",
        );
        let url = pool.connect_options().to_url_lossy().to_string();
        run(scratch.path(), &arguments(&url, "q.sql", &["--dialect", "mysql"])).exits_with(0).says(&[
            "no query was executed",
            "q.sql:3:1: in a read-only session this server explains no writes",
            "agreed on 2 of 2 table accesses in 2 queries",
        ]);
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&pool).await.expect("count");
        assert_eq!(rows, 2);
        pool.execute("DROP INDEX events_user ON events").await.expect("change them");
        run(scratch.path(), &arguments(&url, "q.sql", &["--dialect", "mysql"]))
            .exits_with(1)
            .says(&["q.sql:1:1: `events` is served here, unserved there\n"]);
    })
    .await;
}

#[tokio::test]
async fn sqlite_is_asked_and_left_alone() {
    let scratch = Scratch::new();
    let tables = "CREATE TABLE logs (id INTEGER PRIMARY KEY, event_id BIGINT NOT NULL, output TEXT);\n\
                  CREATE INDEX logs_event ON logs (event_id);\n";
    let path = scratch.path().join("app.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = options.connect().await.expect("make a database");
    connection.execute(tables).await.expect("make the tables");
    connection.close().await.expect("close it");
    let before = std::fs::read(&path).expect("read the file");
    scratch.write("migrations/1_first.sql", tables);
    scratch.write(
        "q.sql",
        "SELECT output FROM logs WHERE event_id = ?;\nDELETE FROM logs WHERE output = ?;\nSELECT nope FROM logs;\n",
    );
    run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &["--dialect", "sqlite"])).exits_with(0).says(
        &[
            "asked SQLite 3.",
            "q.sql:3:1: no such column: nope",
            "agreed on 2 of 2 table accesses in 2 queries",
        ],
    );
    assert_eq!(std::fs::read(&path).expect("read the file"), before);
    scratch.write("migrations/1_first.sql", tables.split("CREATE INDEX").next().unwrap_or_default());
    run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &["--dialect", "sqlite"]))
        .exits_with(1)
        .says(&["q.sql:1:1: `logs` is unserved here, served there\n", "SEARCH logs USING INDEX logs_event"]);
    // An accepted disagreement no longer fails; any other does.
    let known = ["--dialect", "sqlite", "--baseline", "known.toml"];
    let write = [&known[..], &["--write-baseline"]].concat();
    run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &known)).exits_with(2).says(&["`known.toml`"]);
    run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &write))
        .exits_with(0)
        .says(&["wrote `known.toml`: 1 finding accepted, 1 of them new, 0 gone"]);
    let ran = run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &known)).exits_with(0);
    ran.says(&["left out 1 known finding of `known.toml`", ", 0 differ: "]);
    let json = [&known[..], &["--format", "json"]].concat();
    let ran = run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &json)).exits_with(0);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["summary"]["accepted"], 1);
    // `check` with the same file keeps the entries of `explain`.
    let check = [
        "check",
        "--queries",
        "q.sql",
        "--migrations",
        "migrations",
        "--dialect",
        "sqlite",
        "--baseline",
        "known.toml",
    ];
    let ran = run(scratch.path(), &check);
    assert!(!ran.stdout.contains("no longer found"), "{}", ran.stdout);
    scratch.write("q.sql", "SELECT output FROM logs WHERE event_id = ? AND output = ?;\n");
    run(scratch.path(), &arguments("sqlite:app.db", "q.sql", &known))
        .exits_with(1)
        .says(&["`logs` is unserved here, served there", "1 entry of `known.toml` is no longer found"]);
    let said = run(scratch.path(), &["explain", "--help"]).exits_with(0);
    said.says(&["never writes and never executes a query of yours"]);
}

/// Functions that do everything they can: declared immutable, with their owner's rights, inside a view, behind an
/// operator, and under the names that our own statements call.
const HOSTILE: &str = "
    CREATE FUNCTION all_it_can() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
        RESET ROLE;
        PERFORM set_config('default_transaction_read_only', 'off', false);
        BEGIN INSERT INTO logs (event_id) VALUES (7); EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'touch ' || current_setting('hostile.file'));
            EXCEPTION WHEN OTHERS THEN NULL; END;
        RETURN 1;
    END $$;
    CREATE FUNCTION hostile() RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.all_it_can(); END';
    CREATE FUNCTION owned() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql AS 'BEGIN RETURN all_it_can(); END';
    CREATE FUNCTION inlined() RETURNS bigint LANGUAGE sql AS 'SELECT hostile()';
    CREATE VIEW seen AS SELECT id FROM logs WHERE event_id = hostile();
    CREATE VIEW over AS SELECT id FROM seen;
    CREATE SCHEMA shadow;
    CREATE TABLE shadow.pg_index (indrelid oid);
";

/// What calls them without naming them.
const SHADOW: &str = "
    CREATE FUNCTION shadow.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT public.all_it_can()::text';
    CREATE FUNCTION shadow.both(text, text) RETURNS text LANGUAGE sql AS 'SELECT public.all_it_can()::text';
    CREATE OPERATOR shadow.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = shadow.both);
    CREATE FUNCTION shadow.same(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT public.all_it_can() = 1';
    CREATE OPERATOR shadow.= (LEFTARG = name, RIGHTARG = name, FUNCTION = shadow.same);
";

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn a_hostile_function_writes_no_row_and_no_file() {
    with_postgres(|pool: PgPool| async move {
        pool.execute(POSTGRES).await.expect("make the tables");
        pool.execute(HOSTILE).await.expect("make the functions");
        let scratch = Scratch::with([("migrations/1_first.sql", POSTGRES)]);
        let file = std::env::temp_dir().join(format!("query-budget-hostile-{}", std::process::id()));
        let database: String =
            sqlx::query_scalar("SELECT current_database()").fetch_one(&pool).await.expect("its name");
        let set = format!("ALTER DATABASE \"{database}\" SET hostile.file = '{}'", file.display());
        pool.execute(sqlx::AssertSqlSafe(set)).await.expect("say where the file would be");
        // The server that plans it has a transaction of its own, and may be this one.
        let options = pool.connect_options();
        let (host, port, user) = (options.get_host(), options.get_port(), options.get_username());
        let far = format!(
            "CREATE EXTENSION postgres_fdw;
             CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
                 OPTIONS (host '{host}', port '{port}', dbname '{database}', use_remote_estimate 'true');
             CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user '{user}');
             CREATE FOREIGN TABLE far (id bigint) SERVER itself OPTIONS (table_name 'seen');
             CREATE VIEW nearer AS SELECT id FROM far"
        );
        pool.execute(sqlx::AssertSqlSafe(far)).await.expect("make the foreign table");
        scratch.write(
            "q.sql",
            "SELECT id FROM logs WHERE event_id = hostile();\n\
             DELETE FROM logs WHERE event_id = hostile();\n\
             WITH gone AS (DELETE FROM logs WHERE event_id = hostile() RETURNING id) SELECT id FROM gone;\n\
             SELECT id FROM logs WHERE event_id = owned();\n\
             SELECT id FROM logs WHERE event_id = inlined();\n\
             SELECT id FROM over;\n\
             SELECT id FROM far;\n\
             SELECT id FROM nearer;\n\
             SELECT id FROM logs WHERE output = table_to_xml('over', true, false, '')::text;\n\
             SELECT id FROM logs WHERE output = table_to_xml_and_xmlschema('over', true, false, '')::text;\n\
             SELECT id FROM logs WHERE output = schema_to_xml_and_xmlschema('public', true, false, '')::text;\n\
             SELECT id FROM logs WHERE event_id = 1;\n",
        );
        let url = pool.connect_options().to_url_lossy().to_string();
        let and = if url.contains('?') { '&' } else { '?' };
        let shadowed = format!("{url}{and}options=-c%20search_path%3Dshadow,pg_catalog,public");
        for url in [&url, &shadowed] {
            run(scratch.path(), &arguments(url, "q.sql", &[])).exits_with(0).says(&["11 not planned"]);
        }
        pool.execute(SHADOW).await.expect("make the operators");
        run(scratch.path(), &arguments(&shadowed, "q.sql", &[])).exits_with(0).says(&["12 not planned"]);
        run(scratch.path(), &["schema", "--database-url", &shadowed, "--output", "live.sql"]).exits_with(0);
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM logs").fetch_one(&pool).await.expect("count");
        assert_eq!((rows, file.exists()), (0, false));
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn a_hostile_function_of_mysql_is_not_run() {
    with_mysql(|pool: MySqlPool| async move {
        let tables = "CREATE TABLE logs (id BIGINT PRIMARY KEY, event_id BIGINT NOT NULL)";
        pool.execute(tables).await.expect("make the tables");
        // That it ran would show in the server's message.
        let function = "CREATE FUNCTION hostile() RETURNS BIGINT DETERMINISTIC BEGIN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it ran'; RETURN 1; END";
        pool.execute(function).await.expect("make the function");
        for view in
            ["CREATE VIEW seen AS SELECT hostile() AS id", "CREATE VIEW `over` AS SELECT id FROM seen"]
        {
            pool.execute(view).await.expect("make a view");
        }
        let scratch = Scratch::with([("migrations/1_first.sql", tables)]);
        scratch.write(
            "q.sql",
            "SELECT id FROM logs WHERE id = hostile();\n\
             SELECT d.x FROM (SELECT hostile() AS x) d JOIN logs ON logs.id = d.x;\n\
             SELECT id FROM `over`;\n\
             SELECT id FROM logs WHERE id = 1;\n",
        );
        let url = pool.connect_options().to_url_lossy().to_string();
        let ran = run(scratch.path(), &arguments(&url, "q.sql", &["--dialect", "mysql"])).exits_with(0);
        let ran = ran.says(&["3 not planned", "it could call a function by `hostile`", "by `over`"]);
        assert!(!ran.stdout.contains("it ran"), "{}", ran.stdout);
    })
    .await;
}
