//! `init` sets a workspace up and overwrites nothing.

use query_budget_tests::Scratch;

use crate::run;

const FILES: [(&str, &str); 3] = [
    ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n"),
    ("src/lib.rs", ""),
    ("migrations/1_events.sql", "CREATE TABLE events (id BIGSERIAL PRIMARY KEY, at TIMESTAMPTZ NOT NULL);\n"),
];

#[test]
fn a_workspace_gets_configuration_and_snapshot() {
    let scratch = Scratch::with(FILES);
    run(scratch.path(), &["init"]).exits_with(0).says(&[
        "wrote `query-budget.toml`",
        "wrote `schema.sql`",
        "\nnext:\n  cargo query-budget check ",
    ]);
    assert!(!scratch.path().join(".cargo").exists(), "an alias is added when it is asked for");
    run(scratch.path(), &["init", "--alias"]).exits_with(0);
    assert!(scratch.read("query-budget.toml").contains("dialect = \"postgres\""));
    assert!(scratch.read("schema.sql").contains("CREATE TABLE events"));
    assert_eq!(scratch.read(".cargo/config.toml"), "[alias]\nxtask = \"query-budget\"\n");
    run(scratch.path(), &["schema", "--check"]).exits_with(0);
    run(scratch.path(), &["check"]).exits_with(0);
}

#[test]
fn what_is_there_is_left_alone() {
    let scratch = Scratch::with(FILES);
    scratch.write("query-budget.toml", "[lints]\nmissing_limit = \"allow\"\n");
    scratch.write(".cargo/config.toml", "[alias]\nxtask = \"run -p tasks --\"\n");
    run(scratch.path(), &["init", "--alias"])
        .exits_with(0)
        .says(&["`query-budget.toml` is there already", "has an alias `xtask`"]);
    assert_eq!(scratch.read("query-budget.toml"), "[lints]\nmissing_limit = \"allow\"\n");
    assert_eq!(scratch.read(".cargo/config.toml"), "[alias]\nxtask = \"run -p tasks --\"\n");
}

#[test]
fn each_crate_with_migrations_is_a_database() {
    let scratch = Scratch::with([
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\nedition = \"2024\"\n"),
        ("a/src/lib.rs", ""),
        ("a/migrations/1_t.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);\n"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\nedition = \"2024\"\n"),
        ("b/src/lib.rs", ""),
        ("b/migrations/1_u.sql", "CREATE TABLE u (id BIGSERIAL PRIMARY KEY, data JSONB);\n"),
    ]);
    run(scratch.path(), &["init"]).exits_with(0);
    assert!(scratch.read("a/query-budget.toml").contains("sqlite"));
    assert!(scratch.read("b/query-budget.toml").contains("postgres"));
    assert!(scratch.read("b/schema.sql").contains("CREATE TABLE u"));
}

/// A package looks for its configuration and snapshot in the folders above it.
#[test]
fn the_only_database_of_a_workspace_is_that_of_all_its_packages() {
    let manifest = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nsqlx = {{ version = \"0.9\", features = [\"sqlite\"] }}\n"
        )
    };
    let call = "pub fn f() { let _ = sqlx::query!(\"SELECT id FROM t LIMIT 1\"); }\n";
    let scratch = Scratch::with([
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"lib/db\", \"web\"]\n"),
        ("lib/db/Cargo.toml", &manifest("db")),
        ("lib/db/src/lib.rs", call),
        ("lib/db/migrations/1_t.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL);\n"),
        ("web/Cargo.toml", &manifest("web")),
        ("web/src/lib.rs", call),
    ]);
    run(scratch.path(), &["migrate"])
        .exits_with(0)
        .says(&["lib/db, web: no snapshot of the schema is above", "`cargo query-budget init` writes it"]);
    run(scratch.path(), &["init"])
        .exits_with(0)
        .says(&["wrote `query-budget.toml`", "wrote `lib/db/schema.sql`"]);
    assert!(scratch.read("query-budget.toml").contains(
        "dialect = \"sqlite\"\nschema = \"lib/db/schema.sql\"\nmigrations = \"lib/db/migrations\"\n"
    ));
    assert!(!scratch.path().join("lib/db/query-budget.toml").exists());
    let said = run(scratch.path(), &["migrate"]).exits_with(0).stdout;
    assert!(!said.contains("snapshot"), "{said}");
    run(scratch.path(), &["schema", "--check"]).exits_with(0);
    // With a configuration beside the migrations alone, the other package lacks one.
    std::fs::remove_file(scratch.path().join("query-budget.toml")).expect("it is there");
    scratch.write("lib/db/query-budget.toml", "dialect = \"sqlite\"\n");
    run(scratch.path(), &["migrate"])
        .exits_with(0)
        .says(&["web: no snapshot of the schema is above", "put a `query-budget.toml` above"]);
}

#[test]
fn without_migrations_the_dialect_is_that_of_sqlx() {
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nsqlx = { version = \"0.9\", features = [\"sqlite\"] }\n";
    let scratch = Scratch::with([("Cargo.toml", manifest), ("src/lib.rs", "")]);
    run(scratch.path(), &["init"]).exits_with(0);
    assert!(scratch.read("query-budget.toml").contains("dialect = \"sqlite\""));
}

#[test]
fn without_migrations_it_says_what_to_do() {
    let scratch = Scratch::with([("src/lib.rs", "")]);
    run(scratch.path(), &["init"]).exits_with(0).says(&["no `migrations` folder was found"]);
}

/// The package with the macros depends on the version of sqlx.
#[test]
fn the_dependency_with_the_macros_is_said() {
    let manifest = |sqlx: &str| {
        format!(
            "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\nsqlx = {{ version = \"{sqlx}\", features = [\"sqlite\"] }}\n"
        )
    };
    for (sqlx, said) in [
        ("0.9", "Cargo.toml `query-budget = { features = [\"sqlite\"], .. }`"),
        (
            "0.8",
            "Cargo.toml `query-budget = { package = \"query-budget-sqlx-08\", features = [\"sqlite\"], .. }`",
        ),
        ("0.7", ""),
    ] {
        let scratch = Scratch::with([("Cargo.toml", manifest(sqlx).as_str()), ("src/lib.rs", "")]);
        let output = run(scratch.path(), &["init"]).exits_with(0).stdout;
        let output = output.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.contains("in its dependencies"), !said.is_empty(), "{output}");
        assert!(output.contains(said), "{output}");
    }
}

/// Cargo looks for new files only where a build script says so.
#[test]
fn what_watches_for_new_migrations_is_said() {
    let scratch = Scratch::with([
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"other\"]\n"),
        (
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nedition = \"2024\"\n[dependencies]\nquery-budget = \"0.1\"\n",
        ),
        ("app/src/lib.rs", ""),
        ("other/Cargo.toml", "[package]\nname = \"other\"\nedition = \"2024\"\n"),
        ("other/src/lib.rs", ""),
        ("migrations/1_t.sql", "CREATE TABLE t (id BIGSERIAL PRIMARY KEY);\n"),
    ]);
    let line = "println!(\"cargo::rerun-if-changed=../migrations\");";
    let said = run(scratch.path(), &["init"]).exits_with(0).says(&["app/build.rs", line]).stdout;
    assert!(!said.contains("other/build.rs"), "{said}");
    scratch.write("app/build.rs", format!("fn main() {{\n    {line}\n}}\n"));
    let said = run(scratch.path(), &["init"]).exits_with(0).stdout;
    assert!(!said.contains("build.rs"), "{said}");
}
