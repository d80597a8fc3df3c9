//! Code and schemas that only tests use are listed, not shown.

use query_budget_tests::Scratch;

use crate::run;

/// The manifest of a package with these tables behind it.
fn manifest(name: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nsqlx = {{ version = \"0.8\", features = [\"postgres\"] }}\n{more}"
    )
}

/// What is shown of a workspace with these files, and its members `a` and `b`.
fn shown(files: &[(&str, &str)], manifests: [String; 2]) -> String {
    let [a, b] = &manifests;
    let common = [
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", a.as_str()),
        ("b/Cargo.toml", b.as_str()),
    ];
    let scratch = Scratch::with(common.into_iter().chain(files.iter().copied()));
    run(scratch.path(), &["check", "."]).exits_with(0).stdout.clone()
}

const EXPIRE: &str =
    "pub async fn expire(db: &sqlx::PgPool) { sqlx::query(\"DELETE FROM block\").execute(db).await; }\n";
const BLOCK: (&str, &str) = ("b/migrations/1_init.sql", "CREATE TABLE block (id bigint PRIMARY KEY);\n");

#[test]
fn a_crate_that_only_tests_are_built_with_is_listed() {
    let main = "use axum::Router;\nfn main() { expire() }\n";
    let of = |name: &str, depended: &str, files: &[(&str, &str)]| {
        let head = if depended == "dependencies" { "" } else { "[dev-dependencies]\n" };
        let b = manifest("service", &format!("{head}{name} = {{ path = \"../a\" }}\n"));
        let files: Vec<_> = files.iter().copied().chain([BLOCK]).collect();
        shown(&files, [manifest(name, ""), b])
    };
    let (lib, program, library) = (("a/src/lib.rs", EXPIRE), ("b/src/main.rs", main), ("b/src/lib.rs", ""));
    let is_shown = |out: &str, place: &str| out.contains(&format!("{place}/src/lib.rs:1"));
    assert!(!is_shown(&of("support", "dev-dependencies", &[lib, program]), "a"));
    assert!(!is_shown(&of("db-test", "dev-dependencies", &[lib, library]), "a"));
    // What a program is built with, is one, or is a library that has its tests in another crate.
    assert!(is_shown(&of("support", "dependencies", &[lib, program]), "a"));
    assert!(is_shown(&of("support", "dev-dependencies", &[lib, library]), "a"));
    assert!(is_shown(&of("db-test", "dev-dependencies", &[lib, library, ("a/src/main.rs", main)]), "a"));
    // The service does the same.
    let both = of("db-test", "dev-dependencies", &[lib, program, ("b/src/lib.rs", EXPIRE)]);
    assert!(is_shown(&both, "b") && !is_shown(&both, "a"), "{both}");
}

#[test]
fn a_schema_that_only_tests_make_is_listed() {
    let tables = "CREATE TABLE chat (id bigint PRIMARY KEY);\nCREATE TABLE message (id bigint PRIMARY KEY, chat_id bigint REFERENCES chat (id));\n";
    let of = |file: &str, code: &str, schema: &str| {
        let program = "async fn main() { sqlx::migrate!().run(&db).await; sqlx::query(\"DELETE FROM chat WHERE id = $1\").bind(1).execute(&db).await; }\n";
        let reads = format!(
            "{code}\npub async fn f(db: &sqlx::PgPool) {{ sqlx::query(\"DELETE FROM chat WHERE id = $1\").bind(1).execute(db).await; }}\n"
        );
        let file = format!("b/migrations/{file}");
        let files = [
            ("a/src/main.rs", program),
            ("a/migrations/1_init.sql", &format!("{tables}CREATE INDEX i ON message (chat_id);\n")),
            ("b/src/lib.rs", reads.as_str()),
            (file.as_str(), schema),
        ];
        shown(&files, [manifest("db", ""), manifest("worker", "")])
            .contains("foreign key `message (chat_id)`")
    };
    let test = "#[cfg(test)]\nmod tests { #[sqlx::test]\nasync fn t(db: sqlx::PgPool) {} }";
    assert!(!of("1_init.sql", test, tables));
    assert!(!of("1_basic_schema_for_testing.sql", "", tables));
    // A tool may run what no code does, a test may run what the program runs, and other tables are others.
    assert!(of("1_init.sql", "", tables));
    assert!(of("1_for_testing.sql", "fn run() { sqlx::migrate!(\"./migrations\"); }", tables));
    assert!(of("1_init.sql", &format!("fn run() {{ sqlx::migrate!(); }}\n{test}"), tables));
    assert!(of("1_init.sql", test, &format!("{tables}CREATE TABLE other (id bigint);\n")));
}
