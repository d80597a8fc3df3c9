//! `schema` writes the snapshot and detects a stale one.

use query_budget_tests::Scratch;

use crate::run;

const FIRST: (&str, &str) = (
    "migrations/1_events.up.sql",
    "CREATE TABLE events (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\nCREATE INDEX events_name ON events (name);\n",
);

#[test]
fn the_snapshot_is_written_checked_and_found_stale() {
    let scratch = Scratch::with([FIRST, ("migrations/1_events.down.sql", "DROP TABLE events;\n")]);
    run(scratch.path(), &["schema", "--check"]).exits_with(1).says(&["`schema.sql` does not exist"]);
    run(scratch.path(), &["schema"]).exits_with(0).says(&["wrote `schema.sql`"]);
    run(scratch.path(), &["schema", "--check"]).exits_with(0);

    scratch.write("migrations/2_more.sql", "ALTER TABLE events ADD COLUMN at TIMESTAMPTZ;\n");
    run(scratch.path(), &["schema", "--check"])
        .exits_with(1)
        .says(&["schema.sql", "cargo query-budget schema"]);
    let before = scratch.read("schema.sql");
    run(scratch.path(), &["schema"]).exits_with(0);
    assert_ne!(before, scratch.read("schema.sql"));
    run(scratch.path(), &["schema", "--check"]).exits_with(0);
}

#[test]
fn a_snapshot_that_was_edited_by_hand_is_stale() {
    let scratch = Scratch::with([FIRST]);
    run(scratch.path(), &["schema"]).exits_with(0);
    scratch.write("schema.sql", scratch.read("schema.sql").replace("events_name", "by_name"));
    run(scratch.path(), &["schema", "--check"]).exits_with(1);
}

#[test]
fn a_statement_that_cannot_be_replayed_is_named_and_the_rest_goes_on() {
    let scratch = Scratch::with([FIRST]);
    scratch.write(
        "migrations/2_odd.sql",
        "\nFROBNICATE THE events;\nCREATE TABLE logs (id BIGINT PRIMARY KEY);\n",
    );
    run(scratch.path(), &["schema"]).exits_with(0).says(&["migrations/2_odd.sql:2"]);
    assert!(scratch.read("schema.sql").contains("CREATE TABLE logs"));
}

#[test]
fn the_snapshot_can_go_elsewhere() {
    let scratch = Scratch::with([FIRST]);
    std::fs::create_dir(scratch.path().join("db")).expect("the folder is made");
    run(scratch.path(), &["schema", "--migrations", "migrations", "--output", "db/now.sql"]).exits_with(0);
    assert!(scratch.read("db/now.sql").contains("CREATE TABLE events"));
    let printed = run(scratch.path(), &["schema", "--output", "-"]).exits_with(0);
    assert_eq!(printed.stdout, scratch.read("db/now.sql"));
}

#[test]
fn cargo_gives_the_name_of_the_command_as_an_argument() {
    let scratch = Scratch::with([FIRST]);
    run(scratch.path(), &["query-budget", "schema"]).exits_with(0);
    assert!(scratch.path().join("schema.sql").exists());
}

#[test]
fn a_workspace_of_several_databases_gets_a_snapshot_of_each() {
    let scratch = Scratch::with([("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n")]);
    for name in ["a", "b"] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        scratch.write(&format!("{name}/Cargo.toml"), manifest);
        scratch.write(&format!("{name}/src/lib.rs"), "");
        scratch.write(&format!("{name}/{}", FIRST.0), FIRST.1);
    }
    run(scratch.path(), &["init"]).exits_with(0);
    run(scratch.path(), &["schema", "--check"])
        .exits_with(0)
        .says(&["`a/schema.sql` is up to date", "`b/schema.sql` is up to date"]);
    scratch.write("b/migrations/2_more.up.sql", "ALTER TABLE events ADD COLUMN at TIMESTAMPTZ;\n");
    run(scratch.path(), &["schema", "--check"]).exits_with(1).says(&["`b/schema.sql` is stale"]);
    run(scratch.path(), &["schema"]).exits_with(0).says(&["wrote `b/schema.sql`"]);
}

#[test]
fn migrations_that_fit_several_databases_are_of_the_one_that_sqlx_is_built_for() {
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"mysql\"] }\n";
    let table = "CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(50));\n";
    let scratch = Scratch::with([
        ("Cargo.toml", manifest),
        ("src/lib.rs", ""),
        ("sql/schema.sql", table),
        ("sql/01-index.sql", "CREATE INDEX users_email ON users (email);\n"),
    ]);
    run(scratch.path(), &["schema"])
        .exits_with(0)
        .says(&["read 2 files in the order of their names in `sql`"]);
    let snapshot = scratch.read("schema.sql");
    assert!(snapshot.contains("-- dialect: mysql") && snapshot.contains("KEY `users_email`"), "{snapshot}");
}
