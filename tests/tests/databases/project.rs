//! How the files of a project are located and read.

use query_budget_analysis::project::{Project, dependency, read, read_migrations};
use query_budget_analysis::schema::{replay, snapshot};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Notice, NoticeKind, Severity};
use query_budget_tests::Scratch;

const WORKSPACE: (&str, &str) = ("Cargo.toml", "[workspace]\nmembers = [\"app\"]\n");
const PACKAGE: (&str, &str) = ("app/Cargo.toml", "[package]\nname = \"app\"\n");

#[test]
fn the_nearest_configuration_above_a_crate_is_taken() {
    let scratch = Scratch::with([
        WORKSPACE,
        PACKAGE,
        ("query-budget.toml", "dialect = \"mysql\"\n"),
        ("app/query-budget.toml", "dialect = \"sqlite\"\n"),
        ("app/src/lib.rs", ""),
        ("other/Cargo.toml", ""),
    ]);
    let near = Project::load(&scratch.path().join("app/src"));
    assert_eq!(near.dialect.as_str(), "sqlite");
    assert_eq!(near.root, scratch.path().join("app"));
    assert_eq!(near.read, [scratch.path().join("app/query-budget.toml")]);
    let far = Project::load(&scratch.path().join("other"));
    assert_eq!(far.dialect.as_str(), "mysql");
}

#[test]
fn without_configuration_snapshot_and_migrations_are_searched_up_to_the_workspace() {
    let scratch = Scratch::with([
        ("schema.sql", ""),
        ("house/Cargo.toml", "[workspace]\n"),
        ("house/migrations/1_first.sql", "CREATE TABLE t (id int)"),
        ("house/app/Cargo.toml", "[package]\n"),
    ]);
    let project = Project::load(&scratch.path().join("house/app"));
    assert_eq!(project.schema_path, None, "a file above the workspace belongs to something else");
    assert_eq!(project.migrations, Some(scratch.path().join("house/migrations")));
}

#[test]
fn a_broken_configuration_is_an_error_with_file_and_line_and_the_defaults_hold() {
    let scratch =
        Scratch::with([WORKSPACE, PACKAGE, ("query-budget.toml", "\n[lints]\nmissing_limit = \"loud\"\n")]);
    let project = Project::load(&scratch.path().join("app"));
    let notice = &project.notices[0];
    assert_eq!((notice.kind, notice.kind.severity()), (NoticeKind::BrokenConfig, Severity::Error));
    assert_eq!(notice.place.to_string(), "query-budget.toml:3:17");
    assert_eq!(project.config, Default::default());
}

#[test]
fn a_configured_snapshot_that_is_missing_names_the_command() {
    let scratch = Scratch::with([WORKSPACE, ("query-budget.toml", "schema = \"db/schema.sql\"\n")]);
    let project = Project::load(scratch.path());
    let notice = &project.notices[0];
    assert_eq!(notice.kind, NoticeKind::MissingSnapshot);
    assert_eq!(notice.message, "the snapshot `db/schema.sql` does not exist");
    assert_eq!(notice.help, ["write it with `cargo query-budget schema`"]);
    // cargo puts this file into every package, whose builder cannot write its snapshot.
    scratch.write("Cargo.toml.orig", "");
    let notices = Project::load(scratch.path()).notices;
    assert_eq!(notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::NoSnapshot]);
}

#[test]
fn what_cannot_be_read_says_which_file_and_why() {
    let scratch = Scratch::new();
    let read_folder = || read_migrations(&scratch.path().join("migrations"), scratch.path(), None);
    let missing = read_folder().expect_err("there is no folder");
    assert!(missing.to_string().ends_with("migrations`: it does not exist"), "{missing}");
    scratch.write("migrations/1_a.sql", b"SELECT 1;\nSELECT '\xff';\n");
    let garbled = read_folder().expect_err("it is not UTF-8");
    assert!(garbled.to_string().ends_with("1_a.sql`: line 2 is not valid UTF-8"), "{garbled}");
    assert!(read(scratch.path()).expect_err("it is a folder").to_string().ends_with("it is a folder"));
}

/// A workspace with one migration and the snapshot that was written from it.
fn with_snapshot() -> Scratch {
    let scratch = Scratch::with([
        WORKSPACE,
        ("query-budget.toml", "dialect = \"postgres\"\n"),
        ("migrations/1_events.sql", "CREATE TABLE events (id BIGSERIAL PRIMARY KEY);\n"),
    ]);
    let selected = read_migrations(&scratch.path().join("migrations"), scratch.path(), None);
    let migrations = selected.expect("they are there").migrations;
    let replayed = replay(&migrations, Dialect::Postgres);
    scratch.write("schema.sql", snapshot::write(&replayed.schema, Some(&snapshot::digest(&migrations))));
    scratch
}

#[track_caller]
fn only_notice(scratch: &Scratch) -> (Notice, Project) {
    let project = Project::load(scratch.path());
    let [notice] = project.notices.as_slice() else { panic!("one notice: {:?}", project.notices) };
    (notice.clone(), project)
}

#[test]
fn a_snapshot_that_is_up_to_date_is_read_without_a_word() {
    let scratch = with_snapshot();
    let project = Project::load(scratch.path());
    assert_eq!(project.notices, []);
    assert!(project.schema.is_some_and(|schema| schema.table(None, "events").is_some()));
    let read = ["query-budget.toml", "schema.sql", "migrations/1_events.sql"];
    assert_eq!(project.read, read.map(|path| scratch.path().join(path)));
}

#[test]
fn a_configuration_above_the_workspace_is_of_something_else() {
    let config = "dialect = \"mysql\"\n";
    let scratch = Scratch::with([
        ("query-budget.toml", config),
        ("house/Cargo.toml", "[workspace]\nexclude = [\"vendor\"]\n"),
        ("house/app/Cargo.toml", "[package]\n"),
        ("house/vendor/guest/Cargo.toml", "[package]\n"),
        ("house/fetched/Cargo.toml", "[package]\n"),
        ("house/fetched/.cargo-checksum.json", "{}"),
        ("notes/a.sql", ""),
    ]);
    let found = |dir: &str| Project::load(&scratch.path().join(dir)).config_path;
    assert_eq!(found("house/app"), None);
    assert_eq!(found("notes"), Some(scratch.path().join("query-budget.toml")), "no package is around it");
    let inside = scratch.path().join("house/query-budget.toml");
    std::fs::write(&inside, config).expect("the configuration is written");
    assert_eq!(found("house/app"), Some(inside));
    assert_eq!(found("house/vendor/guest"), None, "it is excluded from the workspace");
    assert_eq!(found("house/fetched"), None, "cargo fetched it");
    // cargo builds packages outside of the workspace from their own folders.
    let built = |base: &str| {
        let dir = scratch.path().join("house/app");
        Project::load_for_build(&dir, &scratch.path().join(base), false).config_path.is_some()
    };
    assert!(built("house") && !built("house/app"));
}

#[test]
fn a_dependency_is_known_by_the_name_that_the_manifest_gives_it() {
    let scratch = Scratch::with([
        (
            "Cargo.toml",
            "[workspace]\n[workspace.dependencies]\nqb = { package = \"query-budget\", version = \"1\" }\nsqlx = { version = \"1\", default-features = false, features = [\"uuid\"] }\n",
        ),
        ("plain/Cargo.toml", "[dependencies]\nquery-budget = \"1\"\n"),
        (
            "renamed/Cargo.toml",
            "[target.'cfg(unix)'.dev-dependencies]\nmy-budget = { package = \"query-budget\", path = \"..\" }\n",
        ),
        (
            "inherited/Cargo.toml",
            "[dependencies]\nqb.workspace = true\nsqlx = { workspace = true, features = [\"json\"] }\n",
        ),
    ]);
    let found = |dir: &str, package: &str| dependency(&scratch.path().join(dir), scratch.path(), package);
    let name = |dir: &str| found(dir, "query-budget").map(|found| found.name);
    assert_eq!(name("plain").as_deref(), Some("query_budget"));
    assert_eq!(name("renamed").as_deref(), Some("my_budget"));
    assert_eq!(name("inherited").as_deref(), Some("qb"));
    assert_eq!(found("plain", "sqlx"), None);
    let sqlx = found("inherited", "sqlx").expect("it is declared");
    assert_eq!((sqlx.features, sqlx.default_features), (vec!["json".to_owned(), "uuid".to_owned()], false));
}

#[test]
fn a_snapshot_of_other_migrations_is_stale_and_still_used() {
    let scratch = with_snapshot();
    scratch.write("migrations/2_more.sql", "ALTER TABLE events ADD COLUMN name TEXT;\n");
    let (notice, project) = only_notice(&scratch);
    assert_eq!((notice.kind, notice.place.to_string().as_str()), (NoticeKind::StaleSnapshot, "schema.sql"));
    assert_eq!(notice.help, ["write it again with `cargo query-budget schema`"]);
    assert!(project.schema.is_some());
}

#[test]
fn a_snapshot_that_breaks_off_is_an_error_and_not_used() {
    let scratch = with_snapshot();
    let whole = scratch.read("schema.sql");
    scratch.write("schema.sql", &whole[..whole.len() / 2]);
    let (notice, project) = only_notice(&scratch);
    assert_eq!(notice.kind.severity(), Severity::Error);
    assert!(notice.place.to_string().starts_with("schema.sql:"), "{notice:?}");
    assert_eq!(notice.help, ["write it again with `cargo query-budget schema`"]);
    assert!(project.schema.is_none());
}

#[test]
fn a_snapshot_that_is_no_text_is_an_error_with_its_line() {
    let scratch = with_snapshot();
    scratch.write("schema.sql", b"-- query-budget schema\n\xff\n");
    let (notice, _) = only_notice(&scratch);
    assert_eq!((notice.kind, notice.place.line), (NoticeKind::BrokenSnapshot, 2));
}

#[test]
fn a_snapshot_of_another_dialect_is_an_error() {
    let scratch = with_snapshot();
    scratch.write("query-budget.toml", "dialect = \"mysql\"\n");
    let (notice, project) = only_notice(&scratch);
    assert_eq!(notice.message, "the snapshot is one of postgres, the configuration says mysql");
    assert!(project.schema.is_none());
}

#[test]
fn without_a_snapshot_one_note_says_how_to_make_one() {
    let scratch = Scratch::with([
        WORKSPACE,
        ("migrations/1_t.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)"),
    ]);
    let (notice, project) = only_notice(&scratch);
    assert_eq!((notice.kind, notice.kind.severity()), (NoticeKind::NoSnapshot, Severity::Note));
    assert_eq!(notice.help.first().map(String::as_str), Some("write one with `cargo query-budget schema`"));
    if std::env::var_os("DATABASE_URL").is_none() {
        assert_eq!(project.dialect, Dialect::Sqlite, "guessed from the migrations");
    }
}

#[test]
fn migrations_are_in_the_dialect_that_takes_most_of_them() {
    // PostgreSQL keywords in a script that only SQLite accepts.
    let sql = "CREATE TABLE t (id TEXT PRIMARY KEY, u_id TEXT REFERENCES u (id), a PNG BLOB);\n\
               CREATE TABLE u (id TEXT PRIMARY KEY, b jsonb, c timestamptz);";
    let scratch = Scratch::with([WORKSPACE, ("migrations/1_t.sql", sql)]);
    let mut project = Project::locate(scratch.path(), scratch.path());
    project.replay_migrations(&scratch.path().join("migrations"), scratch.path()).expect("replay them");
    if std::env::var_os("DATABASE_URL").is_none() {
        assert_eq!(project.dialect, Dialect::Sqlite);
        assert_eq!(project.notices, [], "nothing is skipped");
    }
}

#[test]
fn a_statement_of_the_snapshot_that_is_not_understood_is_named() {
    let scratch = Scratch::with([
        WORKSPACE,
        ("query-budget.toml", "dialect = \"postgres\""),
        ("schema.sql", "CREATE TABLE t (id INT);\n\nFROBNICATE t;\n"),
    ]);
    let (notice, project) = only_notice(&scratch);
    assert_eq!(
        (notice.kind, notice.place.to_string().as_str()),
        (NoticeKind::SkippedStatement, "schema.sql:3")
    );
    assert!(project.schema.is_some());
}
