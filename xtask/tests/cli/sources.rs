//! Where the schema comes from that queries are checked against: code, files that it runs, folders of migrations.

use query_budget_tests::Scratch;

use crate::run;

/// The manifest of a package that enables databases in sqlx.
fn manifest(name: &str, databases: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nsqlx = {{ version = \"0.8\", features = [{databases}] }}\n{more}"
    )
}

/// A crate on SQLite with this code.
fn lite(code: &str) -> Scratch {
    let read = "pub async fn get(db: &SqlitePool, id: &str) { query(\"SELECT guid FROM peer WHERE id = ?\").bind(id).fetch_all(db).await; }\n";
    Scratch::with([
        ("Cargo.toml", manifest("app", "\"sqlite\"", "").as_str()),
        ("src/lib.rs", format!("use sqlx::{{query, SqlitePool}};\n{code}\n{read}").as_str()),
    ])
}

/// Whether a check says that the filter of the only query has no index.
#[track_caller]
fn check(scratch: &Scratch, says: &[&str], finds: bool) {
    let ran = run(scratch.path(), &["check", "."]).exits_with(0).says(says);
    assert_eq!(ran.stdout.contains("has no index"), finds, "{}{}", ran.stdout, ran.stderr);
}

const PEER: &str = "CREATE TABLE IF NOT EXISTS peer (guid BLOB PRIMARY KEY NOT NULL, id TEXT NOT NULL)";

#[test]
fn code_that_creates_its_tables_is_a_schema() {
    let create = format!("async fn create(db: &SqlitePool) {{ query(\"{PEER}\").execute(db).await; }}");
    let of_one = "the schema is that of 1 statement in `src/lib.rs`, read as sqlite";
    check(&lite(&create), &[of_one], true);
    let index =
        "async fn index(db: &SqlitePool) { query(\"CREATE INDEX i ON peer (id)\").execute(db).await; }";
    check(&lite(&format!("{create}\n{index}")), &["2 statements in `src/lib.rs`"], false);
    let array = format!("const SCHEMA: &[&str] = &[\"{PEER}\", \"CREATE INDEX i ON peer (id)\"];");
    check(&lite(&array), &["2 statements in `src/lib.rs`"], false);
    let test = "#[cfg(test)]\nmod tests { async fn f(db: &SqlitePool) { query(\"CREATE INDEX i ON peer (id)\").execute(db).await; } }";
    check(&lite(&format!("{create}\n{test}")), &[of_one], true);
}

#[test]
fn a_table_that_code_makes_in_a_way_that_is_not_known_is_unknown() {
    let create = format!("async fn create(db: &SqlitePool) {{ query(\"{PEER}\").execute(db).await; }}");
    for doubt in [
        "async fn f(db: &SqlitePool) { if fast { query(\"CREATE INDEX i ON peer (id)\").execute(db).await; } }",
        "async fn f(db: &SqlitePool) { query(&format!(\"CREATE INDEX {i} ON peer (id)\")).execute(db).await; }",
        "async fn f(db: &SqlitePool) { query(\"CREATE TABLE peer (guid BLOB, id TEXT UNIQUE)\").execute(db).await; }",
        "async fn f(db: &SqlitePool) { query(\"ALTER TABLE peer RENAME TO peers\").execute(db).await; }",
    ] {
        check(&lite(&format!("{create}\n{doubt}")), &["neither a snapshot nor a migrations folder"], false);
    }
}

#[test]
fn what_code_creates_beside_migrations_is_known() {
    let scratch =
        lite(&format!("async fn create(db: &SqlitePool) {{ query(\"{PEER}\").execute(db).await; }}"));
    scratch.write("migrations/1_other.sql", "CREATE TABLE other (id INTEGER PRIMARY KEY);\n");
    check(&scratch, &["1 migration of sqlx in `migrations`, with `peer` of the code, read as sqlite"], true);
    // The migrations decide what they make themselves.
    scratch.write("migrations/2_peer.sql", "CREATE TABLE peer (guid BLOB, id TEXT PRIMARY KEY);\n");
    check(&scratch, &["2 migrations of sqlx in `migrations`, read as sqlite"], false);
}

#[test]
fn what_code_adds_to_tables_of_files_is_known() {
    let adds = |code: &str| lite(&format!("async fn create(db: &SqlitePool) {{ {code} }}"));
    let index = "query(\"CREATE INDEX IF NOT EXISTS i ON peer (id)\").execute(db).await;";
    let told = [
        "`migrations`, with what the code adds to `peer`, read",
        "`schema.sql`, with what the code adds to `peer`, read",
    ];
    for (file, told) in ["migrations/1_peer.sql", "schema.sql"].into_iter().zip(told) {
        let scratch = adds(index);
        scratch.write(file, format!("{PEER};\n"));
        check(&scratch, &[told], false);
        // What it may add is in doubt.
        for code in [
            format!("if fresh {{ {index} }}"),
            "query(&format!(\"CREATE INDEX {i} ON peer ({column})\")).execute(db).await;".to_owned(),
        ] {
            let scratch = adds(&code);
            scratch.write(file, format!("{PEER};\n"));
            check(&scratch, &["read as sqlite"], false);
        }
        let scratch = adds("query(\"CREATE INDEX i ON others (id)\").execute(db).await;");
        scratch.write(file, format!("{PEER};\n"));
        check(&scratch, &["read as sqlite"], true);
    }
    let scratch =
        lite(&format!("async fn create(db: &SqlitePool) {{ query(\"{PEER}\").execute(db).await; }}"));
    scratch.write("schema.sql", "CREATE TABLE other (id INTEGER PRIMARY KEY);\n");
    check(&scratch, &["`schema.sql`, with `peer` of the code, read as sqlite"], true);
}

#[test]
fn entries_name_their_database() {
    let entry = |name: &str, sql: &str| format!("{{\"db_name\": \"{name}\", \"query\": \"{sql}\"}}");
    let scratch = Scratch::with([
        ("migrations/1_a.sql", "CREATE TABLE peer (guid BLOB PRIMARY KEY NOT NULL, id TEXT NOT NULL);\n"),
        (".sqlx/query-1.json", &entry("SQLite", "SELECT guid FROM peer WHERE id = ?")),
        (".sqlx/query-2.json", &entry("SQLite", "INSERT OR IGNORE INTO peer (guid, id) VALUES (?, ?)")),
    ]);
    let arguments = ["check", "--queries", ".sqlx"];
    let says = ["read as sqlite", "`peer.id` has no index", "checked 2 queries", "0 not parsed"];
    run(scratch.path(), &arguments).exits_with(0).says(&says);
    // Those of another database are checked without the schema.
    scratch.write(".sqlx/query-3.json", entry("PostgreSQL", "SELECT a FROM other WHERE b = $1::int4"));
    let ran = run(scratch.path(), &arguments).exits_with(0).says(&["checked 3 queries", "0 not parsed"]);
    assert!(!ran.stdout.contains("unknown_table"), "{}", ran.stdout);
}

#[test]
fn a_base_that_code_runs_comes_before_the_migrations() {
    let run_base = "async fn open(db: &SqlitePool) { sqlx::raw_sql(include_str!(\"base.sql\")).execute(db).await; sqlx::migrate!().run(db).await; }";
    let scratch = lite(run_base);
    scratch.write("src/base.sql", format!("{PEER};\n"));
    scratch.write("migrations/1_more.sql", "ALTER TABLE peer ADD COLUMN at INTEGER;\n");
    check(&scratch, &["1 migration of sqlx in `migrations` behind `src/base.sql`, read as sqlite"], true);
    let conditional = lite(
        &run_base
            .replace("sqlx::raw_sql", "if fresh(db) { sqlx::raw_sql")
            .replace(".await; sqlx", ".await; } sqlx"),
    );
    conditional.write("src/base.sql", format!("{PEER};\n"));
    conditional.write("migrations/1_more.sql", "ALTER TABLE peer ADD COLUMN at INTEGER;\n");
    check(&conditional, &["`peer` does not exist"], false);
}

#[test]
fn each_database_of_a_crate_has_its_own_migrations() {
    let keys = "CREATE TABLE torrents (id INTEGER NOT NULL PRIMARY KEY);\nCREATE TABLE files (id INTEGER NOT NULL PRIMARY KEY, torrent_id INTEGER NOT NULL, FOREIGN KEY (torrent_id) REFERENCES torrents (id));\n";
    let code = |pool: &str, folder: &str| {
        format!(
            "use sqlx::{{query, {pool}}};\n\
             pub async fn get(db: &{pool}, id: i64) {{ query(\"SELECT id FROM files WHERE torrent_id = ?\").bind(id).fetch_all(db).await; }}\n\
             pub async fn open(db: &{pool}) {{ sqlx::migrate!(\"{folder}\").run(db).await; }}\n"
        )
    };
    let scratch = Scratch::with([
        ("Cargo.toml", manifest("app", "\"mysql\", \"sqlite\"", "").as_str()),
        ("src/lib.rs", "mod my; mod lite;\n"),
        ("src/my.rs", code("MySqlPool", "migrations/mysql").as_str()),
        ("src/lite.rs", code("SqlitePool", "migrations/sqlite3").as_str()),
        ("migrations/mysql/1_files.sql", keys),
        ("migrations/sqlite3/1_files.sql", keys),
    ]);
    let says =
        ["in `migrations/mysql`, read as mysql", "in `migrations/sqlite3`, read as sqlite", "src/lite.rs:2:"];
    // MySQL indexes a foreign key by itself.
    let ran = run(scratch.path(), &["check", "."]).exits_with(0).says(&says);
    assert!(!ran.stdout.contains("src/my.rs:2:"), "{}", ran.stdout);
    let only = ["check", ".", "--migrations", "migrations/mysql", "--dialect", "mysql"];
    run(scratch.path(), &only).exits_with(0).says(&["checked 2 queries: 0 not parsed"]);
    // One file of both is checked against the first, which the report says.
    let both =
        format!("{}{}", code("MySqlPool", "migrations/mysql"), code("SqlitePool", "migrations/sqlite3"));
    scratch.write("src/lib.rs", "mod both;\n");
    scratch.write("src/both.rs", both);
    let says = "1 query of sqlite in `src/both.rs` is not checked: the schema is of mysql";
    let help = "check them with `--dialect sqlite --migrations migrations/sqlite3`";
    run(scratch.path(), &["check", "."]).exits_with(0).says(&[says, help]);
    let other = ["check", ".", "--migrations", "migrations/sqlite3", "--dialect", "sqlite"];
    let ran = run(scratch.path(), &other).exits_with(0).says(&["src/both.rs:"]);
    assert!(!ran.stdout.contains("not checked"), "{}", ran.stdout);
}

#[test]
fn types_of_the_project_and_the_option_tell_the_database() {
    let code = "use base::db::{postgres::PostgresPool, sqlite::SqlitePool};\n\
         impl Repo<PostgresPool> {\n    async fn f(&self) { self.pool.fetch_all_as(sqlx::query_as(\"SELECT name FROM plans WHERE note = $1\").bind(1)).await; }\n}\n";
    let scratch = Scratch::with([
        ("Cargo.toml", manifest("app", "\"postgres\", \"sqlite\"", "").as_str()),
        ("src/lib.rs", code),
        ("db/migration/postgres/1_plans.sql", "CREATE TABLE plans (name TEXT PRIMARY KEY, note TEXT);\n"),
        ("db/migration/sqlite/1_plans.sql", "CREATE TABLE plans (name TEXT PRIMARY KEY, note TEXT);\n"),
    ]);
    check(&scratch, &["in `db/migration/postgres`, read as postgres"], true);
    scratch.write("src/lib.rs", code.replace("postgres::PostgresPool, ", ""));
    let sqlite = ["check", ".", "--dialect", "sqlite"];
    run(scratch.path(), &sqlite).exits_with(0).says(&["read as sqlite", "has no index"]);
    let postgres = ["check", ".", "--dialect", "postgres", "--migrations", "db/migration/postgres"];
    run(scratch.path(), &postgres).exits_with(0).says(&["`CREATE INDEX ON plans (note)`"]);
}

#[test]
fn it_is_said_why_nothing_is_checked() {
    let code = "use sqlx::{query, PgPool};\n\
         pub async fn f(db: &PgPool) { query(\"SELECT a FROM first WHERE b = $1\").bind(1).fetch_all(db).await; }\n\
         pub async fn g(db: &PgPool) { query(\"SELECT a FROM second WHERE b = $1\").bind(1).fetch_all(db).await; }\n";
    let scratch = Scratch::with([
        ("Cargo.toml", manifest("app", "\"postgres\", \"sqlite\"", "").as_str()),
        ("src/lib.rs", code),
        (
            "migrations/1_first.sql",
            "PRAGMA foreign_keys = ON;\nCREATE TABLE first (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, b INT);\n",
        ),
    ]);
    let says = "no table is known that the queries read: the schema is of sqlite, and the code names types of postgres alone";
    check(&scratch, &[says, "not checked: 2 accesses in `src/lib.rs`"], false);
}

#[test]
fn what_a_package_depends_on_below_it_is_checked_with_it() {
    let code = "pub async fn due(db: &sqlx::MySqlPool) { sqlx::query(\"SELECT content FROM reminders WHERE at = ?\").bind(1).fetch_all(db).await; }\n";
    let scratch = Scratch::with([
        ("Cargo.toml", manifest("bot", "\"mysql\"", "postman = { path = \"postman\" }\n").as_str()),
        ("src/lib.rs", "pub async fn run(db: &sqlx::MySqlPool) { postman::due(db).await; }\n"),
        (
            "postman/Cargo.toml",
            manifest("postman", "\"mysql\"", "inner = { path = \"../inner\" }\n").as_str(),
        ),
        ("postman/src/lib.rs", code),
        ("inner/Cargo.toml", manifest("inner", "\"mysql\"", "").as_str()),
        ("inner/src/lib.rs", code),
        ("apart/Cargo.toml", manifest("apart", "\"mysql\"", "").as_str()),
        ("apart/src/lib.rs", code),
        (
            "migrations/1_reminders.sql",
            "CREATE TABLE reminders (id INT PRIMARY KEY AUTO_INCREMENT, at DATETIME NOT NULL, content TEXT);\n",
        ),
    ]);
    check(&scratch, &["read 3 files, checked 2 queries", "postman/src/lib.rs:1:", "read `apart`"], true);
}

#[test]
fn migrations_come_before_a_schema_file_of_another_tool() {
    let old = "CREATE TABLE peer (guid BLOB PRIMARY KEY NOT NULL);\n";
    let scratch = lite("");
    scratch.write("schema.sql", old);
    check(&scratch, &["the schema is that of `schema.sql`, read as sqlite", "has no column `id`"], false);
    // What changes its tables continues it, or is in it.
    scratch.write("migrations/1_id.sql", "ALTER TABLE peer ADD COLUMN id TEXT;\n");
    check(&scratch, &["that of 1 migration of sqlx in `migrations` behind `schema.sql`"], true);
    scratch.write("schema.sql", format!("{PEER};\n"));
    check(&scratch, &["the schema is that of `schema.sql`, read as sqlite"], true);
    // What makes the tables itself does not need it.
    scratch.write("schema.sql", old);
    scratch.write("migrations/1_id.sql", format!("{PEER};\n"));
    let passed = "`schema.sql` is not read: it was not written from `migrations`, and may be older";
    check(&scratch, &[passed, "that of 1 migration of sqlx in `migrations`", "`--schema schema.sql`"], true);
    run(scratch.path(), &["check", "--schema", "schema.sql"]).exits_with(0).says(&["has no column `id`"]);
    scratch.write("query-budget.toml", "schema = \"schema.sql\"\n");
    check(&scratch, &["has no column `id`"], false);
}

#[test]
fn crates_that_read_one_schema_agree_on_its_database_whichever_comes_first() {
    let code = "pub async fn get(db: &SqlitePool, id: &str) { sqlx::query(\"SELECT guid FROM peer WHERE id = ?\").bind(id).fetch_all(db).await; }\n";
    let scratch = Scratch::with([
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("a/src/lib.rs", "pub struct Peer;\n"),
        ("b/Cargo.toml", manifest("b", "\"sqlite\"", "").as_str()),
        ("b/src/lib.rs", code),
        ("migrations/1_peer.sql", "CREATE TABLE peer (guid TEXT PRIMARY KEY, id TEXT NOT NULL);\n"),
    ]);
    check(&scratch, &["read as sqlite"], true);
}

/// A repository with this crate on SQLite in a folder, and these files beside it.
fn beside(files: &[(&str, &str)]) -> Scratch {
    let code = "use sqlx::{query, SqlitePool};\n\
         pub async fn get(db: &SqlitePool, id: &str) { query(\"SELECT guid FROM peer WHERE id = ?\").bind(id).fetch_all(db).await; }\n\
         pub async fn all(db: &SqlitePool) { query(\"SELECT host FROM hosts LIMIT 5\").fetch_all(db).await; }\n";
    let scratch = Scratch::with([
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("app/rust/Cargo.toml", manifest("app", "\"sqlite\"", "").as_str()),
        ("app/rust/src/lib.rs", code),
    ]);
    files.iter().for_each(|(path, text)| scratch.write(path, text));
    scratch
}

#[test]
fn a_schema_in_the_repository_is_found_if_it_alone_has_the_tables_of_the_queries() {
    let (peer, hosts) = (format!("{PEER};\n"), "CREATE TABLE hosts (host TEXT PRIMARY KEY);\n");
    let both = format!("{peer}{hosts}");
    let none = "neither a snapshot nor a migrations folder";
    check(&beside(&[("deploy/lite/1.sql", &both)]), &["in `deploy/lite`, read as sqlite"], true);
    // That of another program is named.
    let part = [("deploy/lite/1.sql", peer.as_str())];
    check(&beside(&part), &[none, "it may be `--schema deploy/lite/1.sql`"], false);
    let other = [("deploy/lite/1.sql", both.as_str()), ("other/1.sql", &peer)];
    check(&beside(&other), &["in `deploy/lite`, read as sqlite"], true);
    let two = [("deploy/lite/1.sql", both.as_str()), ("other/1.sql", &both)];
    check(&beside(&two), &[none, "`--schema deploy/lite/1.sql` or `--schema other/1.sql`"], false);
    // A folder below scripts that start the database anew, by the names of sqlx's migrations.
    let below = [("app/sql/3_again.sql", hosts), ("app/sql/setup/1_schema.sql", &both)];
    check(&beside(&below), &["in `app/sql/setup`, read as sqlite"], true);
}
