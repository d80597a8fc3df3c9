//! `prepare` writes what sqlx's own macros read, and detects entries that are stale, missing or unused.

use std::fs;

use query_budget_tests::Scratch;

use crate::run;

const FIRST: (&str, &str) = (
    "migrations/1_users.sql",
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\n\
     CREATE TABLE users (id INTEGER PRIMARY KEY, mood mood NOT NULL, name TEXT);\n",
);

const SOURCE: (&str, &str) = (
    "src/lib.rs",
    "async fn user(db: &sqlx::PgPool, id: i32) {\n    \
     sqlx::query!(\"SELECT id, mood \" + \"FROM users WHERE id = $1\", id).fetch_one(db).await;\n}\n",
);

const ENTRY: &str = r#"{
  "db_name": "PostgreSQL",
  "query": "SELECT id, mood FROM users WHERE id = $1",
  "describe": {
    "columns": [
      {
        "ordinal": 0,
        "name": "id",
        "type_info": "Int4"
      },
      {
        "ordinal": 1,
        "name": "mood",
        "type_info": {
          "Custom": {
            "name": "mood",
            "kind": {
              "Enum": [
                "sad",
                "ok"
              ]
            }
          }
        }
      }
    ],
    "parameters": {
      "Left": [
        "Int4"
      ]
    },
    "nullable": [
      false,
      false
    ]
  },
  "hash": "9e34dd0a2fbafdcd7d0cb5ba7bf9e0fda5a7e43a4b43a29a3a6d0ad5ed44bb58"
}
"#;

fn lock(version: &str) -> (&'static str, String) {
    ("Cargo.lock", format!("version = 4\n\n[[package]]\nname = \"sqlx\"\nversion = \"{version}\"\n"))
}

/// The entries of a folder, in the order of their file names.
fn entries(scratch: &Scratch, dir: &str) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(scratch.path().join(dir))
        .expect("the folder is there")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("an entry")).collect()
}

fn scratch(version: &str) -> Scratch {
    let scratch = Scratch::with([FIRST, SOURCE]);
    let (file, text) = lock(version);
    scratch.write(file, text);
    scratch
}

/// An entry without its hash, which cannot be compared by eye.
fn without_hash(entry: &str) -> String {
    entry.lines().filter(|line| !line.contains("\"hash\"")).collect::<Vec<_>>().join("\n")
}

#[test]
fn entries_have_the_form_of_the_locked_sqlx() {
    let older = scratch("0.8.6");
    run(older.path(), &["prepare"]).exits_with(0).says(&["1 new"]);
    let [entry] = &entries(&older, ".sqlx")[..] else { panic!("one entry") };
    assert_eq!(without_hash(entry), without_hash(ENTRY));
    assert!(entry.ends_with("}\n"));

    let newer = scratch("0.9.0");
    run(newer.path(), &["prepare"]).exits_with(0);
    let [entry] = &entries(&newer, ".sqlx")[..] else { panic!("one entry") };
    let origin = ["\"origin\": {", "\"Table\": {", "\"table\": \"users\",", "\"name\": \"id\""];
    assert!(origin.iter().all(|line| entry.contains(line)), "{entry}");
}

#[test]
fn a_check_names_what_is_stale_missing_and_dead() {
    let scratch = scratch("0.8.6");
    run(scratch.path(), &["prepare", "--check"]).exits_with(1).says(&[
        "src/lib.rs:2",
        "missing",
        "1 missing",
    ]);
    run(scratch.path(), &["prepare"]).exits_with(0);
    run(scratch.path(), &["prepare", "--check"]).exits_with(0).says(&["1 entry up to date"]);

    scratch.write("migrations/2_wide.sql", "ALTER TABLE users ALTER COLUMN id TYPE BIGINT;\n");
    run(scratch.path(), &["prepare", "--check"]).exits_with(1).says(&[
        "stale",
        "column `id`: type Int8, not Int4",
        "1 stale",
    ]);
    run(scratch.path(), &["prepare"]).exits_with(0).says(&["1 changed"]);

    scratch.write(SOURCE.0, SOURCE.1.replace("id, mood", "id"));
    run(scratch.path(), &["prepare"]).exits_with(0).says(&["1 new", "dead"]);
    run(scratch.path(), &["prepare", "--check"]).exits_with(1).says(&["1 dead"]);
    run(scratch.path(), &["prepare", "--prune"]).exits_with(0).says(&["1 removed"]);
    run(scratch.path(), &["prepare", "--check"]).exits_with(0);
}

#[test]
fn an_entry_stays_where_a_type_is_not_known() {
    let scratch = scratch("0.8.6");
    run(scratch.path(), &["prepare"]).exits_with(0);
    let before = entries(&scratch, ".sqlx");
    // The view's columns are those of an unknown function.
    scratch.write(
        "migrations/2_view.sql",
        "DROP TABLE users;\nCREATE VIEW users AS SELECT * FROM elsewhere.users();\n",
    );
    run(scratch.path(), &["prepare"]).exits_with(0).says(&["uncertain, the entry stays"]);
    assert_eq!(before, entries(&scratch, ".sqlx"));
}

#[test]
fn entries_that_another_macro_may_need_are_kept() {
    let scratch = scratch("0.8.6");
    run(scratch.path(), &["prepare"]).exits_with(0);
    scratch.write(
        SOURCE.0,
        "macro_rules! of { ($c:literal) => { sqlx::query!(\"SELECT \" + $c + \" FROM users WHERE id = $1\") } }\n\
         async fn f(db: &sqlx::PgPool) { sqlx::query!(\"SELECT 1 AS one\").fetch_one(db).await; }\n",
    );
    run(scratch.path(), &["prepare"])
        .exits_with(0)
        .says(&["a macro in `src/lib.rs` makes queries", "0 uncertain, 1 of macros"]);
    run(scratch.path(), &["prepare", "--check"]).exits_with(0);
    assert_eq!(entries(&scratch, ".sqlx").len(), 2);
}

#[test]
fn entries_of_macros_of_a_dependency_are_kept() {
    let scratch = scratch("0.8.6");
    run(scratch.path(), &["prepare"]).exits_with(0);
    scratch.write(
        SOURCE.0,
        "#[derive(es_entity::EsRepo)]\npub struct Users;\n\
         async fn f(db: &sqlx::PgPool) { sqlx::query!(\"SELECT 1 AS one\").fetch_one(db).await; }\n",
    );
    scratch.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"es-entity\"]\n\n\
         [[package]]\nname = \"es-entity\"\nversion = \"0.5.0\"\nsource = \"registry\"\n\
         dependencies = [\"es-entity-macros\", \"sqlx\"]\n\n[[package]]\nname = \"sqlx\"\nversion = \"0.8.6\"\nsource = \"registry\"\n",
    );
    run(scratch.path(), &["prepare", "--prune"])
        .exits_with(0)
        .says(&["the package `es-entity`", "1 of macros"]);
    run(scratch.path(), &["prepare", "--check"]).exits_with(0);
    assert_eq!(entries(&scratch, ".sqlx").len(), 2);
}

#[test]
fn an_entry_of_another_database_stays() {
    let scratch = scratch("0.8.6");
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n\
                    sqlx = { version = \"0.8\", features = [\"postgres\"] }\n";
    scratch.write("Cargo.toml", manifest);
    run(scratch.path(), &["prepare"]).exits_with(0);
    let before = entries(&scratch, ".sqlx").concat().replace("PostgreSQL", "SQLite");
    let name = fs::read_dir(scratch.path().join(".sqlx")).expect("it is there").flatten().next();
    let name = name.expect("one entry").file_name().to_string_lossy().into_owned();
    scratch.write(&format!(".sqlx/{name}"), before.as_str());
    run(scratch.path(), &["prepare"]).exits_with(0).says(&["the entry stays", "of SQLite", "1 uncertain"]);
    assert_eq!(entries(&scratch, ".sqlx"), [before]);
}

/// cargo does not build such a file, so sqlx writes nothing for it.
#[test]
fn queries_of_a_file_that_no_mod_names_have_no_entries() {
    let scratch = scratch("0.8.6");
    run(scratch.path(), &["prepare"]).exits_with(0);
    let old = "pub async fn old(db: &sqlx::PgPool) { sqlx::query!(\"SELECT gone FROM users\").fetch_all(db).await; }";
    scratch.write("src/old.rs", old);
    let named = "src/old.rs: 1 query without an entry, since no `mod` names the file";
    run(scratch.path(), &["prepare", "--check"]).exits_with(0).says(&[named, "0 uncertain"]);
    run(scratch.path(), &["prepare"]).exits_with(0).says(&[named, "0 new"]);
    let lib = fs::read_to_string(scratch.path().join("src/lib.rs")).expect("a file");
    scratch.write("src/lib.rs", format!("mod old;\n{lib}"));
    run(scratch.path(), &["prepare", "--check"])
        .exits_with(1)
        .says(&["there is no column `gone`", "1 uncertain"]);
}

#[test]
fn queries_of_a_file_are_described_without_a_workspace() {
    let scratch = Scratch::with([FIRST, ("queries.sql", "SELECT name FROM users;\nDELETE FROM users;\n")]);
    run(scratch.path(), &["prepare", "--queries", "queries.sql"]).exits_with(2).says(&["--output"]);
    let arguments =
        ["--dialect", "postgres", "--migrations", "migrations", "--output", "out", "--sqlx", "0.8"];
    run(scratch.path(), &[&["prepare", "--queries", "queries.sql"], &arguments[..]].concat()).exits_with(0);
    let entries = entries(&scratch, "out");
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().any(|entry| entry.contains("\"query\": \"SELECT name FROM users\"")));
    assert!(entries.iter().any(|entry| entry.contains("\"columns\": []")));
}

#[test]
fn a_query_whose_type_is_not_known_has_no_entry_and_is_named() {
    let scratch = Scratch::with([FIRST, ("queries.sql", "SELECT unheard_of(id) FROM users;\n")]);
    let arguments = ["prepare", "--queries", "queries.sql", "--migrations", "migrations", "--output", "out"];
    run(scratch.path(), &arguments).exits_with(0).says(&["queries.sql:1:1: uncertain, no entry"]);
    assert!(!scratch.path().join("out").exists());
    run(scratch.path(), &[&arguments[..], &["--check"]].concat()).exits_with(1);
}

#[test]
fn a_query_of_a_file_is_read_to_the_byte() {
    let scratch = scratch("0.8.6");
    let manifest = "[package]\nname = \"people\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    scratch.write("Cargo.toml", manifest);
    scratch.write("src/lib.rs", "fn f() { sqlx::query_file!(\"q/ids.sql\"); }\n");
    scratch.write("q/ids.sql", "SELECT id FROM users\n");
    run(scratch.path(), &["prepare"]).exits_with(0);
    let [entry] = &entries(&scratch, ".sqlx")[..] else { panic!("one entry") };
    assert!(entry.contains(r#""query": "SELECT id FROM users\n","#), "{entry}");
}

#[test]
fn columns_of_mysql_are_told_and_what_hangs_on_the_server_is_kept() {
    let scratch = Scratch::with([
        (
            "migrations/1_users.sql",
            "CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL);",
        ),
        ("queries.sql", "SELECT id, name FROM users WHERE id = ?;\nSELECT id + 1 FROM users;\n"),
    ]);
    let arguments = ["--dialect", "mysql", "--migrations", "migrations", "--output", "out", "--sqlx", "0.9"];
    let arguments = [&["prepare", "--queries", "queries.sql"], &arguments[..]].concat();
    run(scratch.path(), &arguments).exits_with(0).says(&["1 new", "queries.sql:2:1: uncertain, no entry"]);
    let [entry] = &entries(&scratch, "out")[..] else { panic!("one entry") };
    let flat: String = entry.split_whitespace().collect();
    for part in [
        r#"{"type":"Long","flags":"NOT_NULL|PRIMARY_KEY|AUTO_INCREMENT","collation":63,"max_size":11}"#,
        r#"{"type":"VarString","flags":"NOT_NULL|NO_DEFAULT_VALUE","collation":45,"max_size":80}"#,
        r#""parameters":{"Right":1},"nullable":[false,false]"#,
    ] {
        assert!(flat.contains(part), "{part} is not in {flat}");
    }
    // An entry written with another server has that server's collation, and the name of its database.
    let name =
        fs::read_dir(scratch.path().join("out")).expect("out").next().expect("an entry").expect("a file");
    let other =
        entry.replace("\"collation\": 45", "\"collation\": 224").replace("\"users\"", "\"app.users\"");
    scratch.write(&format!("out/{}", name.file_name().to_string_lossy()), &other);
    run(scratch.path(), &arguments).exits_with(0).says(&["0 changed; 1 up to date"]);
    assert_eq!(entries(&scratch, "out"), [other]);
}

/// `RETURNING` tells MariaDB, and an entry the server that wrote it.
#[test]
fn expressions_of_mysql_are_told_where_something_tells_the_server() {
    let sql = "CREATE TABLE users (id INT PRIMARY KEY, seen TIMESTAMP NOT NULL);";
    let queries = "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?) AS found;\nSELECT COALESCE(SUM(id), 0) AS total \
                   FROM users;\n";
    let scratch = Scratch::with([("migrations/1_users.sql", sql), ("queries.sql", queries)]);
    let arguments = ["--dialect", "mysql", "--migrations", "migrations", "--sqlx", "0.8", "--output"];
    let arguments = [&["prepare", "--queries", "queries.sql"], &arguments[..]].concat();
    run(scratch.path(), &[&arguments[..], &["none"]].concat()).exits_with(0).says(&["0 new", "2 uncertain"]);
    let entry = |dir: &str, ty: &str| {
        let found: Vec<String> = entries(&scratch, dir);
        let flat = |entry: &String| entry.split_whitespace().collect::<String>();
        assert!(found.iter().map(flat).any(|entry| entry.contains(ty)), "{ty} is not in {found:?}");
    };
    scratch.write("queries.sql", format!("{queries}DELETE FROM users WHERE id = ? RETURNING id;\n"));
    let doubt = "whether `total` can be NULL depends on the version of the server";
    run(scratch.path(), &[&arguments[..], &["maria"]].concat()).exits_with(0).says(&["2 new", doubt]);
    entry("maria", r#"{"type":"Long","flags":"NOT_NULL|BINARY","max_size":1}"#);
    entry("maria", r#"{"type":"NewDecimal","flags":"NOT_NULL|BINARY","max_size":33}"#);
    entry("maria", r#""columns":[],"parameters":{"Right":1}"#);
    scratch.write("queries.sql", queries);
    let named: Vec<&str> = arguments.iter().map(|it| if *it == "mysql" { "mariadb" } else { it }).collect();
    run(scratch.path(), &[&named[..], &["named"]].concat()).exits_with(0).says(&["1 new", doubt]);
    entry("named", r#"{"type":"Long","flags":"NOT_NULL|BINARY","max_size":1}"#);
    let json = sql.replace("TIMESTAMP NOT NULL", "TIMESTAMP NOT NULL, doc JSON COLLATE utf8mb4_0900_ai_ci");
    scratch.write("migrations/1_users.sql", &json);
    scratch.write("queries.sql", format!("{queries}SELECT seen, doc FROM users;\n"));
    run(scratch.path(), &[&arguments[..], &["mysql"]].concat()).exits_with(0).says(&["2 new"]);
    entry("mysql", r#"{"type":"LongLong","flags":"NOT_NULL|BINARY","max_size":1}"#);
    entry("mysql", r#"{"type":"Timestamp","flags":"NOT_NULL|BINARY|NO_DEFAULT_VALUE","max_size":19}"#);
    entry("mysql", r#"{"type":"Json","flags":"BLOB|BINARY","max_size":4294967295}"#);
}

/// They follow the same bytecode by different rules.
#[cfg(feature = "live")]
#[test]
fn sqlite_is_described_by_the_version_of_sqlx() {
    let scratch = Scratch::with([
        (
            "schema.sql",
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX by_name ON users (name);",
        ),
        ("queries.sql", "SELECT id FROM users WHERE name = ?;\n"),
    ]);
    let arguments = ["--dialect", "sqlite", "--schema", "schema.sql", "--output"];
    let arguments = [&["prepare", "--queries", "queries.sql"], &arguments[..]].concat();
    // Without a version, as 0.8, in a form that 0.9 reads too.
    for (dir, version, nullable) in
        [("old", &["--sqlx", "0.8"][..], true), ("new", &["--sqlx", "0.9"], false), ("any", &[], true)]
    {
        run(scratch.path(), &[&arguments[..], &[dir], version].concat()).exits_with(0).says(&["1 new"]);
        let [entry] = &entries(&scratch, dir)[..] else { panic!("one entry") };
        let flat: String = entry.split_whitespace().collect();
        assert!(flat.contains(&format!(r#""nullable":[{nullable}]"#)), "{dir}: {flat}");
        assert_eq!(flat.contains("origin"), dir != "old", "{dir}: {flat}");
    }
    // The version is that of the project around the schema, wherever the command runs.
    let (tool, lock) = (scratch.path().join("tool"), lock("0.9.0"));
    scratch.write(&format!("tool/{}", lock.0), &lock.1);
    let arguments = ["--dialect", "sqlite", "--schema", "../schema.sql", "--output", "out"];
    run(&tool, &[&["prepare", "--queries", "../queries.sql"], &arguments[..]].concat()).exits_with(0);
    let [entry] = &entries(&scratch, "tool/out")[..] else { panic!("one entry") };
    assert!(entry.contains("true"), "{entry}");
}

#[cfg(feature = "live")]
#[test]
fn sqlite_is_asked_in_memory() {
    let scratch = Scratch::with([
        (
            "migrations/1_users.sql",
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, at DATETIME);",
        ),
        ("queries.jsonl", "{\"query\": \"SELECT id, name, at, id + 1 AS next FROM users WHERE id = ?\"}\n"),
    ]);
    let arguments = ["--dialect", "sqlite", "--migrations", "migrations", "--output", "out", "--sqlx", "0.8"];
    run(scratch.path(), &[&["prepare", "--queries", "queries.jsonl"], &arguments[..]].concat()).exits_with(0);
    let [entry] = &entries(&scratch, "out")[..] else { panic!("one entry") };
    let flat: String = entry.split_whitespace().collect();
    for part in [
        r#"{"name":"id","ordinal":0,"type_info":"Integer"}"#,
        r#"{"name":"at","ordinal":2,"type_info":"Datetime"}"#,
        r#"{"name":"next","ordinal":3,"type_info":"Integer"}"#,
        r#""parameters":{"Right":1},"nullable":[false,false,true,false]"#,
    ] {
        assert!(flat.contains(part), "{part} is not in {flat}");
    }
}

/// sqlx's describe crashes the whole process if a column has no declared type.
#[cfg(feature = "live")]
#[test]
fn a_column_without_a_declared_type_is_not_described() {
    let scratch = Scratch::with([
        (
            "schema.sql",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, anything);
             CREATE VIEW v AS SELECT * FROM notes; ALTER TABLE notes RENAME COLUMN anything TO something;",
        ),
        (
            "queries.sql",
            "SELECT id FROM notes;
             SELECT * FROM (SELECT something FROM notes) x;
             SELECT something FROM v;
             SELECT seq FROM sqlite_sequence WHERE name = 'notes';",
        ),
    ]);
    let arguments = ["prepare", "--queries", "queries.sql", "--dialect", "sqlite", "--schema", "schema.sql"];
    run(scratch.path(), &[&arguments[..], &["--output", "out"]].concat()).exits_with(0).says(&[
        "queries.sql:2:14: uncertain, no entry: sqlx cannot describe the column `notes.something` without a declared type",
        "queries.sql:3:14: uncertain, no entry: sqlx cannot describe the column `notes.something` without a declared type",
        "sqlx cannot describe the column `sqlite_sequence.seq` without a declared type",
        "1 new",
    ]);
    // Version 0.8 does not crash.
    let older = ["--output", "older", "--sqlx", "0.8"];
    run(scratch.path(), &[&arguments[..], &older].concat()).exits_with(0).says(&["4 new"]);
}

/// Each schema of a folder is asked on a server of its own, and a text with two meanings has no entry.
#[test]
fn entries_in_one_folder_are_divided_by_their_schemas() {
    let table = "CREATE TABLE users (id INT PRIMARY KEY, seen TIMESTAMP NOT NULL);";
    let manifest = |name: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n\
             sqlx = {{ version = \"0.8\", features = [\"mysql\"] }}\n"
        )
    };
    let source = |sql: &str| {
        format!("fn f() {{ sqlx::query!(\"{sql}\"); sqlx::query!(\"SELECT id FROM users\"); }}\n")
    };
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"3\"\n".to_owned()),
        ("a/Cargo.toml", manifest("a")),
        ("a/query-budget.toml", "dialect = \"mariadb\"\n".to_owned()),
        ("a/migrations/1.sql", table.to_owned()),
        ("a/src/lib.rs", source("SELECT EXISTS (SELECT 1 FROM users) AS found")),
        ("b/Cargo.toml", manifest("b")),
        ("b/migrations/1.sql", table.replace("id INT", "id BIGINT")),
        (
            "b/src/lib.rs",
            source("SELECT EXISTS (SELECT id FROM users WHERE JSON_STORAGE_SIZE(?) > 9) AS found"),
        ),
    ];
    let scratch = Scratch::with(files.iter().map(|(file, text)| (*file, text.as_str())));
    let other = "b/src/lib.rs:1:104 has the same text for a different schema, with different types";
    run(scratch.path(), &["prepare", "--workspace"]).exits_with(0).says(&["2 new", other]);
    let flat = |entry: &String| entry.split_whitespace().collect::<String>();
    let written = entries(&scratch, ".sqlx").iter().map(flat).collect::<String>();
    for part in [
        "{\"type\":\"Long\",\"flags\":\"NOT_NULL|BINARY\"",
        "{\"type\":\"LongLong\",\"flags\":\"NOT_NULL|BINARY\"",
    ] {
        assert!(written.contains(part), "{part} is not in {written}");
    }
}
