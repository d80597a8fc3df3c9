//! A third-party crate: outside of the workspace, with only a dependency on `query-budget`.

mod rebuilds;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use query_budget_tests::{outside_cargo, workspace};

const SCHEMA: &str = "\
CREATE TABLE events (id bigint PRIMARY KEY, user_id bigint NOT NULL, name text NOT NULL);
CREATE INDEX events_user_id ON events (user_id);
CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint NOT NULL REFERENCES events (id), output text NOT NULL);
";

const DASHBOARD: &str = r#"use query_budget::{query_budget, sql, sql_as};
use sqlx::PgPool;

#[derive(sqlx::FromRow)]
pub struct Event {
    pub id: i64,
    pub name: String,
}

#[query_budget(max = 3)]
pub async fn dashboard(db: &PgPool, user: i64) -> sqlx::Result<Vec<Event>> {
    let events = sql_as!(Event, "SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50", user)
        .fetch_all(db)
        .await?;
    for event in &events {
        sql!("SELECT output FROM logs WHERE event_id = $1", event.id).fetch_all(db).await?;
    }
    Ok(events)
}
"#;

const MENDED: &str = r#"use query_budget::{query_budget, sql, sql_as};
use sqlx::PgPool;

#[derive(sqlx::FromRow)]
pub struct Event {
    pub id: i64,
    pub name: String,
}

#[query_budget(max = 3)]
pub async fn dashboard(db: &PgPool, user: i64) -> sqlx::Result<Vec<Event>> {
    let events = sql_as!(Event, "SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50", user)
        .fetch_all(db)
        .await?;
    let ids: Vec<i64> = events.iter().map(|event| event.id).collect();
    sql!("SELECT event_id, output FROM logs WHERE event_id = ANY($1) ORDER BY event_id LIMIT 1000", ids)
        .fetch_all(db)
        .await?;
    Ok(events)
}
"#;

/// A crate in a folder of its own, compiled with the packages and versions of this workspace.
struct OutsideCrate {
    root: PathBuf,
}

impl OutsideCrate {
    /// An empty library; `features` are those of `query-budget`, and `sqlx` says whether sqlx is a dependency too. One with
    /// features is built, with the features that dependencies have in this workspace.
    fn new(name: &str, features: &str, sqlx: bool) -> OutsideCrate {
        // The temporary folder of the tests is inside the target folder, and so inside this workspace, which
        // the empty `[workspace]` excludes.
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside").join(name);
        let _ = fs::remove_dir_all(&root);
        let workspace = workspace();
        let sqlx = if sqlx {
            r#"sqlx = { version = "0.9", default-features = false, features = ["derive", "macros", "postgres"] }"#
        } else {
            ""
        };
        let hack = match features {
            "" => String::new(),
            _ => format!(
                "outside-hack = {{ path = {:?}, version = \"0.1.0\" }}\n",
                workspace.join("tests/outside-hack")
            ),
        };
        let outside = OutsideCrate { root };
        outside.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{hack}\
                 query-budget = {{ path = {:?}, features = [{features}] }}\n{sqlx}\n\n[workspace]\n",
                workspace.join("runtime")
            ),
        );
        outside.write("src/lib.rs", "");
        fs::copy(workspace.join("Cargo.lock"), outside.root.join("Cargo.lock")).expect("a lock file");
        outside
    }

    fn write(&self, path: &str, text: &str) -> &OutsideCrate {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, text).expect("the file is written");
        self
    }

    /// Runs cargo in the crate.
    fn cargo(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("cargo runs")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = outside_cargo(&self.root, env!("CARGO_TARGET_TMPDIR"));
        command.args(arguments);
        command
    }

    /// Like [`build`](Self::build), with environment variables.
    fn build_with(&self, variables: &[(&str, &str)]) -> (bool, String) {
        let output = self.command(&["build"]).envs(variables.iter().copied()).output().expect("cargo runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Builds; returns whether it succeeded, and the messages about this crate.
    fn build(&self) -> (bool, String) {
        let output = self.cargo(&["build"]);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[track_caller]
fn holds(text: &str, fragments: &[&str]) {
    for fragment in fragments {
        assert!(text.contains(fragment), "`{fragment}` is not in:\n{text}");
    }
}

#[test]
fn dashboard_fails_until_it_is_mended() {
    let outside = OutsideCrate::new("dashboard", "\"postgres\"", true);
    outside.write("query-budget.toml", "dialect = \"postgres\"\n");
    outside.write("schema.sql", SCHEMA).write("src/lib.rs", DASHBOARD);
    let (built, said) = outside.build();
    assert!(!built, "{said}");
    holds(
        &said,
        &["error: ", "`dashboard`", "src/lib.rs:16:", "`budget_exceeded` is at level deny", "`&events`"],
    );

    // The same with a budget that is not exceeded: only warnings remain, each at its place.
    outside.write("src/lib.rs", &DASHBOARD.replace("max = 3", "max = 1 + 50"));
    let (built, said) = outside.build();
    assert!(built, "{said}");
    holds(
        &said,
        &["missing_limit", "unindexed_filter", "query_in_loop", "--> src/lib.rs:16:14", "logs.event_id"],
    );

    outside.write("src/lib.rs", MENDED);
    outside.write("schema.sql", &format!("{SCHEMA}CREATE INDEX logs_event_id ON logs (event_id);\n"));
    let (built, said) = outside.build();
    assert!(built && !said.contains("warning"), "{said}");

    // The snapshot is watched: without the index, the same source is rebuilt.
    outside.write("schema.sql", SCHEMA);
    let (built, said) = outside.build();
    assert!(built, "{said}");
    holds(&said, &["unindexed_filter"]);
}

#[test]
fn a_loop_over_a_function_two_files_away_is_over_budget() {
    let outside = OutsideCrate::new("far-loop", "\"postgres\"", true);
    outside.write("query-budget.toml", "dialect = \"postgres\"\n").write("schema.sql", SCHEMA);
    outside.write("src/lib.rs", "pub mod page;\nmod repository;\nmod service;\n");
    outside.write(
        "src/page.rs",
        "use crate::service::Outputs;\n\n\
         #[query_budget::query_budget(max = 3)]\n\
         pub async fn page(outputs: &Outputs, events: &[i64]) -> sqlx::Result<()> {\n    \
             for event in events {\n        \
                 outputs.of(*event).await?;\n    \
             }\n    \
             Ok(())\n\
         }\n",
    );
    outside.write(
        "src/service.rs",
        "use crate::repository;\n\n\
         pub struct Outputs {\n    db: sqlx::PgPool,\n}\n\n\
         impl Outputs {\n    \
             pub async fn of(&self, event: i64) -> sqlx::Result<()> {\n        \
                 repository::output(&self.db, event).await\n    \
             }\n\
         }\n",
    );
    outside.write(
        "src/repository.rs",
        "use query_budget::sql;\n\n\
         pub async fn output(db: &sqlx::PgPool, event: i64) -> sqlx::Result<()> {\n    \
             sql!(\"SELECT output FROM logs WHERE event_id = $1 LIMIT 1\", event).fetch_optional(db).await?;\n    \
             Ok(())\n\
         }\n",
    );
    let (built, said) = outside.build();
    assert!(!built, "{said}");
    holds(
        &said,
        &[
            "error: `page` runs a query once per element of `events`; its budget is 3",
            "src/page.rs:6:17: `outputs.of` runs 1 × each element of `events` (loop at line 5)",
            "`outputs.of` runs a query once per element of `events`",
            "src/service.rs:9:21: `Outputs::of` calls `repository::output`",
            "src/repository.rs:4:5: `output` runs the query",
        ],
    );
    // The query is now one call closer, and no loop is left.
    outside.write(
        "src/page.rs",
        "use crate::service::Outputs;\n\n\
         #[query_budget::query_budget(max = 1)]\n\
         pub async fn page(outputs: &Outputs, event: i64) -> sqlx::Result<()> {\n    \
             outputs.of(event).await\n\
         }\n",
    );
    let (built, said) = outside.build();
    assert!(built, "{said}");
}

#[test]
fn under_another_name_and_with_another_dialect_it_builds_anew() {
    let outside = OutsideCrate::new("renamed", "\"postgres\"", true);
    let manifest = fs::read_to_string(outside.root.join("Cargo.toml")).expect("the manifest");
    let renamed = manifest.replace("query-budget = {", "qb = { package = \"query-budget\",");
    outside.write("Cargo.toml", &renamed).write("query-budget.toml", "dialect = \"postgres\"\n");
    outside.write("schema.sql", SCHEMA).write(
        "src/lib.rs",
        "#[qb::query_budget(max = 1)]\npub async fn f(db: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
         qb::sql!(\"DELETE FROM logs WHERE id = $1\", 7_i64).execute(db).await?;\n    Ok(())\n}\n",
    );
    let (built, said) = outside.build();
    assert!(built, "{said}");
    // The variable that names a configuration is watched.
    outside.write("other.toml", "dialect = \"postgres\"\nschema = \"other.sql\"\n");
    outside.write("other.sql", "CREATE TABLE events (id bigint PRIMARY KEY);\n");
    let config = outside.root.join("other.toml");
    let (built, said) = outside.build_with(&[("QUERY_BUDGET_CONFIG", config.to_str().expect("a path"))]);
    assert!(!built, "{said}");
    holds(&said, &["table `logs` is not in the schema"]);
}

#[test]
fn a_dependency_outside_of_the_workspace_is_not_judged_by_its_schema() {
    let outside = OutsideCrate::new("with_guest", "\"postgres\"", true);
    let manifest = fs::read_to_string(outside.root.join("Cargo.toml")).expect("the manifest");
    let guest = manifest.replace("name = \"with_guest\"", "name = \"guest\"").replace("[workspace]", "");
    let guests = "[dependencies]\nguest = { path = \"guest\" }\n";
    outside.write(
        "Cargo.toml",
        &manifest
            .replace("[dependencies]", guests)
            .replace("[workspace]", "[workspace]\nexclude = [\"guest\"]"),
    );
    outside.write("schema.sql", SCHEMA).write("guest/Cargo.toml", &guest).write(
        "guest/src/lib.rs",
        "pub async fn f(db: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
         query_budget::sql!(\"DELETE FROM tables_of_its_own WHERE id = $1\", 7_i64).execute(db).await?;\n    Ok(())\n}\n",
    );
    let config = outside.root.join("query-budget.toml");
    outside.write("query-budget.toml", "dialect = \"postgres\"\n");
    for variables in [&[][..], &[("QUERY_BUDGET_CONFIG", config.to_str().expect("a path"))]] {
        let (built, said) = outside.build_with(variables);
        assert!(built, "{said}");
    }
}

/// The snapshot is part of the package: queries typed by it stay typed for whoever builds the package. If it
/// is excluded, rows are sqlx's own, and the package still builds.
#[test]
fn a_packed_crate_builds_with_its_snapshot_and_without() {
    let outside = OutsideCrate::new("packed", "\"postgres\"", true);
    let manifest = fs::read_to_string(outside.root.join("Cargo.toml")).expect("the manifest");
    let versioned =
        manifest.replace("features = [\"postgres\"] }", "features = [\"postgres\"], version = \"0.1.0\" }");
    outside
        .write("Cargo.toml", &versioned)
        .write("query-budget.toml", "dialect = \"postgres\"\nschema = \"schema.sql\"\n");
    let query = "query_budget::sql!(\"SELECT id FROM events WHERE id = $1\", 7_i64).fetch_one(db).await?";
    let source = |result: &str| {
        format!(
            "pub async fn f(db: &sqlx::PgPool) -> sqlx::Result<i64> {{\n    let row = {query};\n    Ok({result})\n}}\n"
        )
    };
    outside.write("schema.sql", SCHEMA).write("src/lib.rs", &source("row.id"));
    // A package's dependencies come from a registry; these crates are substituted for its own.
    let crates = [
        ("query-budget", "runtime"),
        ("query-budget-macros", "macros"),
        ("query-budget-analysis", "analysis"),
        ("outside-hack", "tests/outside-hack"),
    ];
    let patches =
        crates.map(|(name, folder)| format!("patch.crates-io.{name}.path={:?}", workspace().join(folder)));
    let mut arguments = vec!["package", "--allow-dirty"];
    arguments.extend(patches.iter().flat_map(|patch| ["--config", patch]));
    let packed = outside.cargo(&arguments);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));

    let without = versioned.replace("edition", "exclude = [\"schema.sql\"]\nedition");
    outside.write("Cargo.toml", &without);
    let packed = outside.cargo(&arguments);
    assert!(!packed.status.success(), "the field is known by the snapshot alone");
    outside.write("src/lib.rs", &source("sqlx::Row::get(&row, \"id\")"));
    fs::remove_file(outside.root.join("schema.sql")).expect("the snapshot");
    let packed = outside.cargo(&arguments);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
}

#[test]
fn default_features_bring_no_database() {
    let outside = OutsideCrate::new("no_database", "", false);
    outside.write("src/lib.rs", "pub use query_budget::sql;\n");
    let output = outside.cargo(&["tree", "--edges", "all", "--prefix", "none"]);
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && tree.contains("query-budget v"), "{output:?}");
    for driver in ["sqlx-postgres", "sqlx-mysql", "sqlx-sqlite", "libsqlite3-sys"] {
        assert!(!tree.lines().any(|line| line.starts_with(driver)), "{driver} in:\n{tree}");
    }
}

#[test]
fn without_features_a_build_gets_no_crate_more() {
    let outside = OutsideCrate::new("light", "", true);
    outside.write("src/lib.rs", "pub use query_budget::sql;\n");
    let crates = |package: &str| -> std::collections::BTreeSet<String> {
        // Everything linked into a program, excluding macros and their dependencies.
        let tree =
            ["tree", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}", "-p", package];
        let output = outside.cargo(&tree);
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let (ours, of_sqlx) = (crates("query-budget"), crates("sqlx"));
    assert!(ours.contains("sqlx-core") && ours.contains("futures-util"), "{ours:?}");
    let more: Vec<_> = ours.difference(&of_sqlx).collect();
    assert_eq!(more, ["query-budget"]);
}

#[test]
fn a_missing_or_broken_snapshot_is_said_once() {
    let outside = OutsideCrate::new("no_snapshot", "\"postgres\"", true);
    let query = "query_budget::sql!(\"SELECT id FROM nowhere WHERE id = $1\", id).fetch_optional(db).await?;";
    outside.write(
        "src/lib.rs",
        &format!(
            "#![deny(warnings)]\npub async fn f(db: &sqlx::PgPool, id: i64) -> sqlx::Result<()> {{\n    {query}\n    \
             {query}\n    Ok(())\n}}\n"
        ),
    );
    // A note, not a warning: the crate denies warnings and builds. It is shown again when nothing is built.
    for _ in 0..2 {
        let (built, said) = outside.build();
        assert!(built, "{said}");
        assert_eq!(said.matches("no snapshot of the schema").count(), 1, "{said}");
        holds(&said, &["note: no_snapshot: ", "cargo query-budget schema"]);
    }
    // An unreadable configuration stops the build, names its line, and is reported once.
    outside.write("query-budget.toml", "dialect = \"postgres\"\nschema = \n").write("src/lib.rs", &format!(
        "pub async fn f(db: &sqlx::PgPool, id: i64) -> sqlx::Result<()> {{\n    {query}\n    {query}\n    Ok(())\n}}\n"
    ));
    let (built, said) = outside.build();
    assert!(!built, "{said}");
    holds(&said, &["--> query-budget.toml:2"]);
    assert_eq!(said.matches("--> query-budget.toml").count(), 1, "{said}");
}

#[test]
fn clippy_has_nothing_to_say_of_expansions() {
    let outside = OutsideCrate::new("clippy_clean", "\"postgres\"", true);
    outside.write("schema.sql", include_str!("../../ui/schema.sql"));
    outside.write("query-budget.toml", include_str!("../../ui/query-budget.toml"));
    let source = include_str!("../../ui/pass/expansion/lints.rs")
        .replace("fn main() {", "/// Uses it.\npub fn used() {");
    outside.write("src/lib.rs", &source);
    // As `cargo clippy` does it, but with the dependencies that the other tests have built: it would check them anew.
    let driver = Path::new(env!("CARGO")).with_file_name("clippy-driver");
    let clippy = || outside.build_with(&[("RUSTC_WORKSPACE_WRAPPER", driver.to_str().expect("a path"))]);
    let (clean, said) = clippy();
    assert!(clean, "{said}");
    // The same lints do apply to what the user wrote.
    outside.write("src/lib.rs", &source.replace("if limit > 3 {\n        return 3;\n    }", "return 3;"));
    assert!(!clippy().0);
}

#[test]
fn bad_input_is_one_message() {
    let outside = OutsideCrate::new("bad_input", "\"postgres\"", true);
    let megabyte = "SELECT 1 -- ".to_owned() + &"x".repeat(1 << 20);
    let parentheses = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    for (name, sql, built) in [
        ("empty", "", false),
        ("two statements", "SELECT 1; SELECT 2", false),
        ("unbalanced quote", "SELECT 'a", false),
        ("a megabyte", megabyte.as_str(), true),
        ("ten thousand parentheses", parentheses.as_str(), false),
        ("a megabyte that does not parse", &"SELECT FROM WHERE ".repeat(60_000), false),
    ] {
        let source = format!(
            "pub async fn f(db: &sqlx::PgPool) {{\n    let _ = query_budget::sql!({sql:?}).execute(db).await;\n}}\n"
        );
        outside.write("src/lib.rs", &source);
        let (ok, said) = outside.build();
        assert_eq!(ok, built, "{name}: {}", start(&said));
        assert!(!said.contains("panicked"), "{name}: {}", start(&said));
        let errors = said
            .lines()
            .filter(|line| line.starts_with("error") && !line.contains("could not compile"))
            .count();
        assert_eq!(errors, usize::from(!built), "{name}: {}", start(&said));
    }
}

/// The start of a long text.
fn start(text: &str) -> String {
    text.chars().take(4000).collect()
}
