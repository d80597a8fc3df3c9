//! The messages of a build stay valid until their inputs change, and no longer.

use std::fs;
use std::process::Stdio;

use query_budget_analysis::project::read_migrations;
use query_budget_analysis::schema::{replay, snapshot};
use query_budget_analysis::sql::Dialect;

use super::{OutsideCrate, SCHEMA, holds};

/// A crate with one query, and the schema without the index that it needs.
fn of_one_query(name: &str) -> OutsideCrate {
    let outside = OutsideCrate::new(name, "\"postgres\"", true);
    outside.write("query-budget.toml", "dialect = \"postgres\"\n").write("schema.sql", SCHEMA).write(
        "src/lib.rs",
        "pub async fn f(db: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
         query_budget::sql!(\"SELECT output FROM logs WHERE event_id = $1 LIMIT 5\", 7_i64).fetch_all(db).await?;\n    Ok(())\n}\n",
    );
    outside
}

#[test]
fn another_dialect_in_the_url_builds_anew() {
    let outside = of_one_query("other_url");
    fs::remove_file(outside.root.join("query-budget.toml")).expect("it is there");
    fs::remove_file(outside.root.join("schema.sql")).expect("it is there");
    let build = |url: &str| outside.build_with(&[("DATABASE_URL", url)]);
    for _ in 0..2 {
        let (built, said) = build("postgres://localhost/app");
        assert!(built, "{said}");
        let (built, said) = build("mysql://localhost/app");
        assert!(!built, "{said}");
        holds(&said, &["1 argument for 0 placeholders"]);
    }
}

#[test]
fn a_new_migration_makes_the_snapshot_stale() {
    let outside = of_one_query("new_migration");
    outside.write("migrations/0001_all.sql", SCHEMA);
    let folder = outside.root.join("migrations");
    let read = read_migrations(&folder, &outside.root, Some(Dialect::Postgres)).expect("they are there");
    let schema = replay(&read.migrations, Dialect::Postgres).schema;
    outside.write("schema.sql", &snapshot::write(&schema, Some(&snapshot::digest(&read.migrations))));
    // Cargo looks for new files only where a build script says so.
    outside.write("build.rs", "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n}\n");
    let (built, said) = outside.build();
    assert!(built && !said.contains("stale_snapshot"), "{said}");
    outside.write("migrations/0002_index.sql", "CREATE INDEX logs_event_id ON logs (event_id);\n");
    let (built, said) = outside.build();
    assert!(built && said.contains("stale_snapshot"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_snapshot_that_is_rewritten_during_a_build_counts_in_the_next() {
    use std::os::unix::fs::PermissionsExt;
    let outside = of_one_query("rewritten");
    outside.write("new.sql", &format!("{SCHEMA}CREATE INDEX logs_event_id ON logs (event_id);\n"));
    // The compiler has read the snapshot, and cargo has not finished.
    outside.write(
        "rustc.sh",
        "#!/bin/sh\n\"$@\"\nstatus=$?\ncase \"$*\" in *\"--crate-name rewritten \"*)\n    \
        [ -e new.sql ] && mv new.sql schema.sql && touch schema.sql\nesac\nexit $status\n",
    );
    let wrapper = outside.root.join("rustc.sh");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let build = || outside.build_with(&[("RUSTC_WORKSPACE_WRAPPER", wrapper.to_str().expect("a path"))]);
    let (built, said) = build();
    assert!(built && said.contains("unindexed_filter"), "{said}");
    assert!(!outside.root.join("new.sql").exists(), "it was rewritten meanwhile");
    let (built, said) = build();
    assert!(built && !said.contains("unindexed_filter"), "{said}");
}

#[test]
fn two_builds_at_once_say_the_same() {
    let outside = of_one_query("at_once");
    let both = || {
        let start = |arguments: &[&str]| {
            let mut command = outside.command(arguments);
            command.stderr(Stdio::piped()).spawn().expect("cargo runs")
        };
        let running = [start(&["build"]), start(&["test", "--no-run"])];
        running.map(|child| {
            let output = child.wait_with_output().expect("cargo ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
            said
        })
    };
    for said in both() {
        holds(&said, &["unindexed_filter"]);
    }
    outside.write("schema.sql", &format!("{SCHEMA}CREATE INDEX logs_event_id ON logs (event_id);\n"));
    for said in both() {
        assert!(!said.contains("unindexed_filter"), "{said}");
    }
}

#[test]
fn nullability_is_that_of_sqlx_or_what_is_proven() {
    let outside = of_one_query("nullability");
    outside.write(
        "src/lib.rs",
        "pub async fn count(db: &sqlx::PgPool) -> sqlx::Result<(i64, Option<i64>)> {\n    \
         let counted = query_budget::sql!(\"SELECT count(*) AS every, max(id) AS last FROM logs WHERE event_id = $1\", 7);\n    \
         let counted = counted.fetch_one(db).await?;\n    Ok((counted.every, counted.last))\n}\n",
    );
    let (built, said) = outside.build();
    assert!(!built, "{said}");
    holds(&said, &["expected `i64`, found `Option<i64>`"]);
    outside.write("query-budget.toml", "dialect = \"postgres\"\nnullability = \"proven\"\n");
    let (built, said) = outside.build();
    assert!(built, "{said}");
}
