//! The inputs: several paths, one package, standard input, and configuration keys for one run.

use query_budget_tests::Scratch;

use crate::{run, run_with};

const MIGRATION: &str = "CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL);\n";

fn workspace() -> Scratch {
    let source = "pub async fn f(db: &PgPool) { sqlx::query(\"SELECT id FROM posts WHERE user_id = $1 LIMIT 1\").bind(1).fetch_all(db).await; }\n";
    let scratch = Scratch::with([
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\", \"c\"]\n"),
        ("migrations/1.sql", MIGRATION),
        ("1_posts.sql", ""),
    ]);
    for name in ["a", "b", "c"] {
        let manifest = format!("[package]\nname = \"the-{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        scratch.write(&format!("{name}/Cargo.toml"), manifest);
        scratch.write(&format!("{name}/src/lib.rs"), source);
    }
    scratch
}

const SCHEMA: [&str; 2] = ["--migrations", "migrations"];

#[test]
fn several_paths_are_checked_together() {
    let scratch = workspace();
    let check = |paths: &[&str], queries: &str| {
        run(scratch.path(), &[&["check"], paths, &SCHEMA].concat()).exits_with(0).says(&[queries]);
    };
    check(&["."], "read 3 files, checked 3 queries: ");
    check(&["a", "b"], "read 2 files, checked 2 queries: ");
    check(&["a", "a/src/lib.rs"], "checked 1 query: ");
    check(&["a/src", "c/src/lib.rs"], "checked 2 queries: ");
    run(scratch.path(), &[&["index-check", "a", "c"], &SCHEMA[..]].concat())
        .exits_with(1)
        .says(&["a/src/lib.rs:1:", "c/src/lib.rs:1:"]);
    run(scratch.path(), &["check", "a", "gone"]).exits_with(2).says(&["open `gone`"]);
}

#[test]
fn an_empty_folder_of_entries_is_no_error() {
    let scratch = workspace();
    scratch.write(".sqlx/.gitkeep", "");
    run(scratch.path(), &[&["check"], &SCHEMA[..]].concat()).exits_with(0).says(&["checked 3 queries: "]);
}

#[test]
fn one_package_is_checked() {
    let scratch = workspace();
    run(scratch.path(), &[&["check", "-p", "the-b"], &SCHEMA[..]].concat())
        .exits_with(0)
        .says(&["b/src/lib.rs:1:", "read 1 file, checked 1 query: "]);
    run(
        scratch.path(),
        &[&["index-check", "--package", "the-a", "--package", "the-c"], &SCHEMA[..]].concat(),
    )
    .exits_with(1)
    .says(&["checked 2 queries"]);
    run(scratch.path(), &["check", "-p", "the-d"])
        .exits_with(2)
        .says(&["find a package named `the-d`", "the packages are the-a, the-b, the-c"]);
}

#[test]
fn queries_come_from_standard_input() {
    let scratch = workspace();
    let arguments = [&["index-check", "--queries", "-"], &SCHEMA[..]].concat();
    run_with(scratch.path(), &arguments, "SELECT 1;\nSELECT id FROM posts\nWHERE user_id = $1;\n")
        .exits_with(1)
        .says(&["stdin.sql:3:7", "checked 2 queries"]);
    run_with(scratch.path(), &arguments, "{\"query\": \"SELECT id FROM posts WHERE user_id = $1\"}\n")
        .exits_with(1)
        .says(&["stdin.jsonl:1", "checked 1 query"]);
    run_with(scratch.path(), &arguments, "").exits_with(0).says(&["checked 0 queries"]);
}

#[test]
fn a_key_of_the_configuration_is_set_for_one_run() {
    let scratch = workspace();
    let check = |key: &str| run(scratch.path(), &[&["check", "a", "--config", key], &SCHEMA[..]].concat());
    check("lints.unindexed_filter=deny").exits_with(1).says(&["error[unindexed_filter]"]);
    check("tables.posts.rows=10").exits_with(0).says(&["checked 1 query: "]);
    let ran = check("tables.posts.rows=10").exits_with(0);
    assert!(!ran.stdout.contains("unindexed_filter"), "{}", ran.stdout);
    check("lints.unindexed_filter=loud").exits_with(2).says(&["`loud` is not a level"]);
}

#[test]
fn a_snapshot_is_written_for_a_path() {
    let scratch = Scratch::with([("db/migrations/1_posts.sql", MIGRATION)]);
    run(scratch.path(), &["schema", "db"]).exits_with(0).says(&["wrote `db/schema.sql`"]);
    run(scratch.path(), &["schema", "db", "--check"]).exits_with(0);
    run(scratch.path(), &["schema", "gone"]).exits_with(2).says(&["open `gone`"]);
}

#[test]
#[cfg(feature = "live")]
fn a_url_stands_in_the_nearest_env_file() {
    let scratch = Scratch::with([
        (".env", "OTHER=1\nDATABASE_URL=\"sqlite:base.db\"\n"),
        ("app/migrations/1_posts.sql", "CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT);\n"),
    ]);
    // The database does not exist; the error shows that it was tried.
    run(scratch.path(), &["schema", "app", "--database-url"])
        .exits_with(2)
        .says(&["failed to connect to the database"]);
    run(scratch.path(), &["explain", "app"]).exits_with(2).says(&["failed to connect to the database"]);
    scratch.write("app/.env", "OTHER=1\n");
    run(scratch.path(), &["explain", "app"]).exits_with(2).says(&[
        "find a database to ask: `DATABASE_URL` is not set, nor does `",
        "`--database-url postgres://..`",
    ]);
    scratch.write("app/.env", "DATABASE_URL='postgres://me:secret@host\n");
    let ran = run(scratch.path(), &["explain", "app"]).exits_with(2).says(&["is not `NAME=value`"]);
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
}

#[test]
fn a_schema_beside_the_workspace_is_found_in_its_repository() {
    let files = [
        ("webapp/rust/Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n"),
        (
            "webapp/rust/src/main.rs",
            "async fn f(db: &PgPool) { sqlx::query(\"SELECT gone FROM posts\").fetch_all(db).await; }\n",
        ),
        ("webapp/sql/initdb.d/10_schema.sql", MIGRATION),
        ("webapp/sql/seed.sql", "INSERT INTO posts (user_id) VALUES (1);\n"),
    ];
    let check = ["check", "webapp/rust"];
    let alone = Scratch::with(files);
    run(alone.path(), &check).exits_with(0).says(&["neither a snapshot nor a migrations folder"]);
    let scratch = Scratch::with(files);
    scratch.write(".git/HEAD", "ref: refs/heads/main\n");
    run(scratch.path(), &check).exits_with(0).says(&["table `posts` has no column `gone`"]);
}

#[test]
fn a_file_that_opens_the_database_of_another_program_is_counted() {
    let import = "async fn import(path: &str) { let db = SqlitePool::connect(path).await; \
        sqlx::query(\"SELECT v.seen, p.host FROM posts v JOIN places p ON p.id = v.place\").fetch_all(&db).await; }\n";
    let scratch = Scratch::with([
        (
            "Cargo.toml",
            "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"sqlite\"] }\n",
        ),
        ("migrations/1_posts.sql", "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INT);\n"),
        ("src/import.rs", import),
        ("src/lib.rs", "mod import;\n"),
    ]);
    // A file that opens the only database opens the project's own.
    run(scratch.path(), &["check"]).exits_with(0).says(&["table `places` is not in the schema"]);
    scratch.write(
        "src/lib.rs",
        "mod import;\npub async fn open(path: &str) { SqlitePool::connect(path).await }\n",
    );
    run(scratch.path(), &["check"])
        .exits_with(0)
        .says(&["checked 1 query: 0 not parsed", "2 of unknown tables"]);
}

#[test]
fn migrations_are_read_as_the_database_whose_marks_are_in_them() {
    let table = "CREATE TABLE a (id BIGINT NOT NULL, b BIGINT NOT NULL, PRIMARY KEY (id), KEY b (b))";
    let read = |features: &str, migrations: &str| {
        let manifest = format!(
            "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[features]\n{features}\n\
            [dependencies]\nsqlx = {{ version = \"0.8\", features = [\"macros\"], optional = true }}\n"
        );
        let scratch = Scratch::with([
            ("Cargo.toml", manifest.as_str()),
            (
                "src/lib.rs",
                "async fn f(db: &Db) { sqlx::query(\"SELECT id FROM a WHERE b = ?\").bind(1).fetch_all(db).await; }\n",
            ),
            ("migrations/1.sql", migrations),
        ]);
        let ran = run(scratch.path(), &["check"]).exits_with(0);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    // Other databases refuse less of it, as they know neither the engine nor what is wrong.
    let output = read("", &format!("{table} ENGINE=InnoDB;\nALTER TABLE a MODIFY b BIGINT WRONG WORDS;\n"));
    assert!(output.contains(", read as mysql") && !output.contains("has no index"), "{output}");
    let output = read("m = [\"sqlx?/mysql\"]", &format!("{table};\n"));
    assert!(output.contains(", read as mysql") && !output.contains("has no index"), "{output}");
}
