//! `prepare`: entries to the letter, and what is said of those that are not certain.

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const SCHEMA: &str = "CREATE TYPE mood AS ENUM ('calm', 'tense');
CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT NOT NULL, mood mood, seen TIMESTAMPTZ);
";

/// As `cargo sqlx prepare` of sqlx 0.8 writes it.
const ENTRY: &str = r#"{
  "db_name": "PostgreSQL",
  "query": "SELECT id, mood FROM people WHERE name = $1",
  "describe": {
    "columns": [
      {
        "ordinal": 0,
        "name": "id",
        "type_info": "Int8"
      },
      {
        "ordinal": 1,
        "name": "mood",
        "type_info": {
          "Custom": {
            "name": "mood",
            "kind": {
              "Enum": [
                "calm",
                "tense"
              ]
            }
          }
        }
      }
    ],
    "parameters": {
      "Left": [
        "Text"
      ]
    },
    "nullable": [
      false,
      true
    ]
  },
  "hash": "HASH"
}
"#;

fn entries(scratch: &Scratch, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(scratch.path().join(folder))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn entries_are_those_of_sqlx_to_the_letter() {
    let scratch = Scratch::with([
        ("migrations/1_first.sql", SCHEMA),
        ("q.sql", "SELECT id, mood FROM people WHERE name = $1;\n"),
    ]);
    let arguments = ["prepare", "--queries", "q.sql", "--migrations", "migrations", "--output", "out"];
    run(scratch.path(), &arguments)
        .exits_with(0)
        .says(&["prepared 1 query: 1 written, 0 up to date, 0 unsure"]);
    let names = entries(&scratch, "out");
    let [name] = names.as_slice() else { panic!("{names:?}") };
    let hash =
        name.strip_prefix("query-").and_then(|rest| rest.strip_suffix(".json")).expect("an entry's name");
    assert_eq!(scratch.read(&format!("out/{name}")), ENTRY.replace("HASH", hash));
    run(scratch.path(), &arguments).exits_with(0).says(&["0 written, 1 up to date"]);

    // sqlx 0.9 says where a column comes from.
    let newer = [&arguments[..], &["--sqlx", "0.9"]].concat();
    run(scratch.path(), &newer).exits_with(0);
    let entry: Value = serde_json::from_str(&scratch.read(&format!("out/{name}"))).expect("JSON");
    let origin = &entry["describe"]["columns"][0]["origin"]["Table"];
    assert_eq!((origin["table"].as_str(), origin["name"].as_str()), (Some("people"), Some("id")));
}

#[test]
fn a_query_that_is_not_certain_has_no_entry_and_is_named() {
    let scratch = Scratch::with([
        ("migrations/1_first.sql", SCHEMA),
        ("q.sql", "SELECT unheard_of(id) FROM people;\n"),
    ]);
    let arguments = ["prepare", "--queries", "q.sql", "--migrations", "migrations", "--output", "out"];
    run(scratch.path(), &arguments).exits_with(0).says(&["unsure: q.sql:1:1", "it has no entry", "1 unsure"]);
    assert!(!scratch.path().join("out").exists());
}

const SOURCE: &str = r#"
pub async fn all(db: &sqlx::PgPool) -> sqlx::Result<()> {
    sqlx::query!("SELECT id, name FROM people WHERE id = $1", 1_i64).fetch_optional(db).await?;
    sqlx::query_file!("q/seen.sql").fetch_all(db).await?;
    Ok(())
}
"#;

#[test]
fn a_crate_is_prepared_and_checked() {
    let manifest = "[package]\nname = \"people\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nsqlx = \"0.8\"\n";
    let scratch = Scratch::with([
        ("migrations/1_first.sql", SCHEMA),
        ("Cargo.toml", manifest),
        ("src/lib.rs", SOURCE),
        ("q/seen.sql", "SELECT seen FROM people ORDER BY id LIMIT 10\n"),
    ]);
    run(scratch.path(), &["prepare", "--check"]).exits_with(1).says(&["2 missing"]);
    run(scratch.path(), &["prepare"]).exits_with(0).says(&["2 written"]);
    assert_eq!(entries(&scratch, ".sqlx").len(), 2);
    run(scratch.path(), &["prepare", "--check"])
        .exits_with(0)
        .says(&["0 stale, 0 missing, 0 dead, 0 unsure"]);

    // A migration changes a type; a query goes.
    scratch.write("migrations/2_second.sql", "ALTER TABLE people ALTER COLUMN name DROP NOT NULL;\n");
    scratch.write("q/seen.sql", "SELECT seen FROM people ORDER BY id LIMIT 11\n");
    run(scratch.path(), &["prepare", "--check"]).exits_with(1).says(&["1 stale, 1 missing, 1 dead"]);
}

#[test]
#[cfg(feature = "live")]
fn sqlite_is_asked_itself() {
    let scratch = Scratch::with([
        (
            "migrations/1_first.sql",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, ok BOOLEAN NOT NULL);\n",
        ),
        ("q.sql", "SELECT id, at, ok FROM t WHERE id = ? OR ok = ?;\n"),
    ]);
    let arguments = [
        "prepare",
        "--queries",
        "q.sql",
        "--migrations",
        "migrations",
        "--dialect",
        "sqlite",
        "--output",
        "out",
    ];
    run(scratch.path(), &arguments).exits_with(0);
    let names = entries(&scratch, "out");
    let entry: Value = serde_json::from_str(&scratch.read(&format!("out/{}", names[0]))).expect("JSON");
    let types: Vec<&str> = entry["describe"]["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .filter_map(|column| column["type_info"].as_str())
        .collect();
    assert_eq!(
        (types, &entry["describe"]["parameters"]["Right"]),
        (vec!["Integer", "Datetime", "Bool"], &2.into())
    );
}
