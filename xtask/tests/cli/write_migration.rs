//! `index-check --write-migration` writes files in the project's own numbering, which sqlx's migrator applies
//! and reverts.

use query_budget_tests::{Scratch, with_mysql, with_postgres};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, MySqlPool, PgPool, Row};

use crate::run;

const TABLES: &str = "CREATE TABLE events (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, at TIMESTAMP NOT NULL, name VARCHAR(80));
    CREATE INDEX events_user ON events (user_id);
    CREATE TABLE logs (id BIGINT PRIMARY KEY, event_id BIGINT NOT NULL, level INT);\n";

const QUERIES: &str = "SELECT name FROM events WHERE user_id = 1 ORDER BY at LIMIT 10;
    SELECT level FROM logs WHERE event_id = 2;
    DELETE FROM logs WHERE event_id = 3;\n";

/// The names of the files written for them, without numbers.
const POSTGRES: &[&str] = &["add_logs_event_id_idx", "add_events_user_id_at_idx", "drop_events_user"];

fn files(scratch: &Scratch) -> Vec<String> {
    let folder = std::fs::read_dir(scratch.path().join("migrations")).expect("a folder");
    let mut names: Vec<String> =
        folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn write(scratch: &Scratch, more: &[&str]) -> crate::Ran {
    let known = ["index-check", "--queries", "q.sql", "--write-migration"];
    run(scratch.path(), &[&known[..], more].concat())
}

#[test]
fn check_says_how_many_findings_it_resolves() {
    let source = "async fn f(db: &PgPool) {\n    sqlx::query(\"SELECT level FROM logs WHERE event_id = $1 LIMIT 9\").bind(1).fetch_all(db).await;\n}\n";
    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n"),
        ("migrations/1_first.sql", TABLES),
        ("src/lib.rs", source),
    ]);
    let hint = "`index-check --write-migration` adds the indexes for ";
    run(scratch.path(), &["check"]).exits_with(0).says(&[&format!("{hint}1 of them\n")]);
    run(scratch.path(), &["index-check", "--write-migration"]).exits_with(0);
    let ran = run(scratch.path(), &["check"]).exits_with(0);
    assert!(!ran.stdout.contains(hint), "{}", ran.stdout);
}

#[test]
fn pairs_follow_pairs_and_sequences_sequences() {
    let scratch = Scratch::with([
        ("migrations/0007_first.up.sql", TABLES),
        ("migrations/0007_first.down.sql", "DROP TABLE logs; DROP TABLE events;"),
        ("q.sql", QUERIES),
    ]);
    let ran = write(&scratch, &["--migrations", "migrations", "--dialect", "postgres"]).exits_with(0);
    ran.says(&[
        "wrote `migrations/0008_add_logs_event_id_idx.up.sql`\nwrote `migrations/0008_add_logs_event_id_idx.down.sql`\n",
        "2 indexes would serve the queries: apply them with `sqlx migrate run`",
    ]);
    let expected = (8..).zip(POSTGRES).flat_map(|(number, name)| {
        [format!("{number:04}_{name}.down.sql"), format!("{number:04}_{name}.up.sql")]
    });
    assert_eq!(files(&scratch)[2..], expected.collect::<Vec<_>>());
    assert_eq!(
        scratch.read("migrations/0008_add_logs_event_id_idx.up.sql"),
        "-- no-transaction\n-- Serves 2 queries; 1 write of the workspace touches it.\n\
         CREATE INDEX CONCURRENTLY IF NOT EXISTS logs_event_id_idx ON logs (event_id);\n"
    );
    assert_eq!(
        scratch.read("migrations/0010_drop_events_user.down.sql"),
        "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS events_user ON events (user_id);\n"
    );
    // The written indexes serve the queries.
    write(&scratch, &["--migrations", "migrations", "--dialect", "postgres"])
        .exits_with(0)
        .says(&["no index is missing: there is nothing to write"]);
    run(scratch.path(), &["index-check", "--queries", "q.sql", "--migrations", "migrations"]).exits_with(0);
}

#[test]
fn the_configured_folder_gets_times_where_it_has_times() {
    let scratch = Scratch::with([
        (
            "query-budget.toml",
            "dialect = \"postgres\"\nmigrations = \"db/steps\"\nschema = \"db/schema.sql\"\n",
        ),
        ("db/steps/20240101120000_first.sql", TABLES),
        ("q.sql", QUERIES),
    ]);
    run(scratch.path(), &["schema"]).exits_with(0);
    let ran = write(&scratch, &[]).exits_with(0).says(&["wrote `db/steps/20"]);
    let written: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("wrote ")).collect();
    assert_eq!(written.len(), 3, "{written:?}");
    let numbers: Vec<&str> = written.iter().map(|line| &line["wrote `db/steps/".len()..][..14]).collect();
    assert!(numbers.is_sorted() && numbers[0] > "20240101120000", "{numbers:?}");
    assert!(written.iter().all(|line| !line.contains(".up.sql")), "{written:?}");
    // The snapshot does not contain them yet, but they are not written twice.
    write(&scratch, &[]).exits_with(0).says(&[
        "`logs_event_id_idx` is made by a migration of `db/steps` already",
        "the snapshot is older than the migrations: write it again with `cargo query-budget schema`",
    ]);
    assert_eq!(std::fs::read_dir(scratch.path().join("db/steps")).expect("the folder").count(), 4);
}

#[test]
fn without_a_folder_nothing_is_written() {
    let scratch = Scratch::with([("schema.sql", TABLES), ("q.sql", QUERIES)]);
    write(&scratch, &["--schema", "schema.sql", "--dialect", "postgres"])
        .exits_with(2)
        .says(&["failed to find the folder of the migrations", "`--migrations <folder>`"]);
    write(&scratch, &["--format", "json"]).exits_with(2).says(&["cannot be used with"]);
}

#[test]
fn other_tools_get_the_files_that_they_read() {
    let arguments = ["--migrations", "migrations", "--dialect", "postgres"];
    for (name, text, written, command) in [
        (
            "2024-01-01-000000_x/up.sql",
            TABLES.to_owned(),
            "_add_logs_event_id_idx/metadata.toml`",
            "diesel migration run",
        ),
        (
            "V1__x.sql",
            TABLES.to_owned(),
            "wrote `migrations/V2__add_logs_event_id_idx.sql`",
            "refinery migrate",
        ),
        (
            "1_x.sql",
            format!("-- migrate:up\n{TABLES}\n-- migrate:down\n"),
            "wrote `migrations/2_add_logs",
            "dbmate up",
        ),
    ] {
        let scratch = Scratch::with([("q.sql", QUERIES)]);
        scratch.write(&format!("migrations/{name}"), text);
        write(&scratch, &arguments).exits_with(0).says(&[written, command]);
        // They are read, and complete.
        write(&scratch, &arguments).exits_with(0).says(&["no index is missing: there is nothing to write"]);
    }
}

#[test]
fn without_a_next_number_nothing_is_written() {
    for name in ["9223372036854775807_x.sql", "schema.sql"] {
        let scratch = Scratch::with([("q.sql", QUERIES)]);
        scratch.write(&format!("migrations/{name}"), TABLES);
        write(&scratch, &["--migrations", "migrations", "--dialect", "postgres"])
            .exits_with(2)
            .says(&["failed to name the next migration in `migrations`"]);
        assert_eq!(files(&scratch), [name]);
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_takes_them_and_gives_them_back() {
    with_postgres(|pool: PgPool| async move {
        let scratch = Scratch::with([
            ("migrations/1_first.up.sql", TABLES),
            ("migrations/1_first.down.sql", "DROP TABLE logs; DROP TABLE events;"),
            ("migrations/2_parts.up.sql", "CREATE TABLE parts (id bigint, day date) PARTITION BY RANGE (day);
                CREATE TABLE parts_all PARTITION OF parts FOR VALUES FROM ('2000-01-01') TO ('2100-01-01');"),
            ("migrations/2_parts.down.sql", "DROP TABLE parts;"),
            ("q.sql", QUERIES),
        ]);
        scratch.write("q.sql", format!("{QUERIES};\nSELECT day FROM parts WHERE id = 7;\nSELECT id FROM events WHERE name ILIKE '%x%'"));
        write(&scratch, &["--migrations", "migrations", "--dialect", "postgres"]).exits_with(0);
        let migrator = Migrator::new(scratch.path().join("migrations")).await.expect("sqlx reads the folder");
        migrator.run(&pool).await.expect("sqlx applies them");
        let names = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND NOT indisprimary
             AND indrelid::regclass::text IN ('logs', 'events', 'parts') ORDER BY 1";
        let indexes = async || -> Vec<String> { sqlx::query_scalar(names).fetch_all(&pool).await.expect("names") };
        assert_eq!(
            indexes().await,
            ["events_name_idx", "events_user_id_at_idx", "logs_event_id_idx", "parts_id_idx"]
        );
        migrator.undo(&pool, 2).await.expect("sqlx takes them back");
        assert_eq!(indexes().await, ["events_user"]);
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_takes_them_and_gives_them_back() {
    with_mysql(|pool: MySqlPool| async move {
        let scratch = Scratch::with([
            ("migrations/20240101000000_first.up.sql", TABLES),
            ("migrations/20240101000000_first.down.sql", "DROP TABLE logs; DROP TABLE events;"),
            ("q.sql", QUERIES),
        ]);
        write(&scratch, &["--migrations", "migrations", "--dialect", "mysql"]).exits_with(0);
        let migrator = Migrator::new(scratch.path().join("migrations")).await.expect("sqlx reads the folder");
        migrator.run(&pool).await.expect("sqlx applies them");
        let indexes = async || -> Vec<String> {
            let names = "SELECT DISTINCT CAST(index_name AS CHAR) AS name FROM information_schema.statistics
                WHERE table_schema = DATABASE() AND index_name <> 'PRIMARY' ORDER BY name";
            let rows = pool.fetch_all(names).await.expect("names");
            rows.iter().map(|row| row.get::<String, _>(0)).collect()
        };
        assert_eq!(indexes().await, ["events_user_id_at_idx", "logs_event_id_idx"]);
        migrator.undo(&pool, 20_240_101_000_000).await.expect("sqlx takes them back");
        assert_eq!(indexes().await, ["events_user"]);
    })
    .await;
}

#[tokio::test]
async fn sqlite_takes_them_and_gives_them_back() {
    let scratch = Scratch::with([
        ("migrations/1_first.up.sql", TABLES),
        ("migrations/1_first.down.sql", "DROP TABLE logs; DROP TABLE events;"),
        ("q.sql", QUERIES),
    ]);
    write(&scratch, &["--migrations", "migrations", "--dialect", "sqlite"]).exits_with(0);
    assert_eq!(files(&scratch)[2..], ["2_add_indexes.down.sql", "2_add_indexes.up.sql"]);
    let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None);
    let pool = options.connect("sqlite::memory:").await.expect("a database");
    let migrator = Migrator::new(scratch.path().join("migrations")).await.expect("sqlx reads the folder");
    migrator.run(&pool).await.expect("sqlx applies them");
    let indexes = async || -> Vec<String> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
        sqlx::query_scalar(names).fetch_all(&pool).await.expect("names")
    };
    assert_eq!(indexes().await, ["events_user_id_at_idx", "logs_event_id_idx"]);
    migrator.undo(&pool, 1).await.expect("sqlx takes them back");
    assert_eq!(indexes().await, ["events_user"]);
}
