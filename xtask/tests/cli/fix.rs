//! `check --fix` makes edits where they belong, and nowhere else.

use std::path::{Path, PathBuf};
use std::process::Command;

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::{commit, git, root, run};

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
     CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT, at TIMESTAMP NOT NULL);\n\
     CREATE INDEX posts_at ON posts (at);\n",
);
const SOURCE: &str = r##"
async fn page(db: &PgPool, day: Date) -> sqlx::Result<()> {
    sqlx::query!("SELECT id FROM posts WHERE \
        date(at) = $1 ORDER BY id LIMIT 10", day).fetch_all(db).await?;
    sqlx::query!(r#"SELECT "id" FROM posts WHERE date("at") = $1 ORDER BY id LIMIT 10"#, day).fetch_all(db).await?;
    // query-budget: allow(missing_limit): there are ten
    sqlx::query!("SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM posts) LIMIT 10").fetch_all(db).await?;
    sqlx::query_file!("queries/day.sql", day).fetch_all(db).await?;
    Ok(())
}
"##;
const FILE: (&str, &str) = (
    "queries/day.sql",
    "-- Of one day.\nSELECT id\nFROM posts\nWHERE at::date = $1 -- the day\nORDER BY id LIMIT 10\n",
);

fn project() -> Scratch {
    Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", SOURCE), FILE])
}

/// Where a file may have no more than one block, a longer one cannot be written, as on a full disk.
#[test]
#[cfg(unix)]
fn what_cannot_be_written_whole_keeps_its_text() {
    let scratch = project();
    run(scratch.path(), &["report", "--output", "page.html"]).exits_with(0);
    commit(scratch.path());
    for arguments in ["check --fix --allow-dirty", "report --output page.html"] {
        let (source, page) = (scratch.read("src/lib.rs"), scratch.read("page.html"));
        assert!(source.len() > 512 && page.len() > 512);
        let limited = format!("trap '' XFSZ; ulimit -f 1; exec \"$0\" {arguments}");
        let ran = Command::new("sh")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_cargo-query-budget")])
            .current_dir(scratch.path())
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.code() == Some(2) && said.contains("failed to write"), "{arguments}: {said}");
        assert_eq!((scratch.read("src/lib.rs"), scratch.read("page.html")), (source, page), "{arguments}");
    }
}

#[test]
fn what_means_the_same_is_written_and_the_finding_is_gone() {
    let scratch = project();
    commit(scratch.path());
    run(scratch.path(), &["check"])
        .exits_with(0)
        .says(&["`--fix` mends 4 of them, `--unsafe-fixes` 1 more, to be looked at"]);
    run(scratch.path(), &["check", "--fix"]).exits_with(0).says(&[
        "fixed 4 findings in 2 files:\n",
        "  src/lib.rs:4:9: function_on_column: ",
        "  queries/day.sql:4:7: cast_on_column: ",
        "  src/lib.rs:6:5: unused_allow: ",
        "warning[not_in_subquery]",
        "found 0 errors, 1 warning\n",
    ]);
    let source = scratch.read("src/lib.rs");
    for part in [
        "WHERE \\\n        at >= $1::date AND at < $1::date + 1 ORDER BY",
        r##"r#"SELECT "id" FROM posts WHERE at >= $1::date AND at < $1::date + 1 ORDER BY id LIMIT 10"#"##,
        "await?;\n    sqlx::query!(\"SELECT id FROM users",
    ] {
        assert!(source.contains(part), "`{part}` is not in\n{source}");
    }
    let file =
        "-- Of one day.\nSELECT id\nFROM posts\nWHERE at >= $1::date AND at < $1::date + 1 -- the day\n";
    assert!(scratch.read("queries/day.sql").starts_with(file), "{}", scratch.read("queries/day.sql"));
    commit(scratch.path());
    run(scratch.path(), &["check", "--fix", "--unsafe-fixes"])
        .exits_with(0)
        .says(&["fixed 1 finding in 1 file:"]);
    let exists = "WHERE NOT EXISTS (SELECT 1 FROM posts WHERE posts.user_id = users.id) LIMIT 10";
    assert!(scratch.read("src/lib.rs").contains(exists), "{}", scratch.read("src/lib.rs"));
    commit(scratch.path());
    run(scratch.path(), &["check", "--fix"]).exits_with(0).says(&["nothing to fix"]);
}

#[test]
fn a_diff_changes_nothing() {
    let scratch = project();
    run(scratch.path(), &["check", "--diff"]).exits_with(1).says(&[
        "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ ",
        "\n-        date(at) = $1 ORDER BY id LIMIT 10\", day).fetch_all(db).await?;\n",
        "\n+        at >= $1::date AND at < $1::date + 1 ORDER BY",
        "\n-    // query-budget: allow(missing_limit): there are ten\n",
    ]);
    assert_eq!(scratch.read("src/lib.rs"), SOURCE);
    let scratch = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", "fn f() {}\n")]);
    run(scratch.path(), &["check", "--diff"]).exits_with(0);
}

#[test]
fn a_patch_program_applies_the_diff() {
    let scratch = project();
    commit(scratch.path());
    let diff = run(scratch.path(), &["check", "--diff", "--unsafe-fixes"]).exits_with(1).stdout;
    scratch.write("../fix.patch", &diff);
    git(scratch.path(), &["apply", "--check", "../fix.patch"]);
    git(scratch.path(), &["apply", "../fix.patch"]);
    let applied = scratch.read("src/lib.rs");
    git(scratch.path(), &["checkout", "-q", "."]);
    run(scratch.path(), &["check", "--unsafe-fixes"]).exits_with(0);
    assert_eq!(scratch.read("src/lib.rs"), applied);
    std::fs::remove_file(scratch.path().join("../fix.patch")).expect("the patch");
}

#[test]
fn what_is_not_committed_is_not_mixed_with_edits() {
    let scratch = project();
    run(scratch.path(), &["check", "--fix"])
        .exits_with(2)
        .says(&["failed to read the state of git", "`--allow-dirty`"]);
    commit(scratch.path());
    scratch.write("src/other.rs", "fn f() {}\n");
    run(scratch.path(), &["check", "--fix"])
        .exits_with(2)
        .says(&["a folder with uncommitted changes: `src/other.rs`", "`--allow-dirty`"]);
    assert_eq!(scratch.read("src/lib.rs"), SOURCE);
    run(scratch.path(), &["check", "--fix", "--allow-dirty"]).exits_with(0).says(&["fixed 4 findings"]);
}

#[test]
fn a_file_outside_of_the_repository_is_left_alone() {
    let scratch = Scratch::with([("shared/day.sql", FILE.1)]);
    let app = scratch.path().join("app");
    for (path, text) in [MANIFEST, MIGRATION] {
        scratch.write(&format!("app/{path}"), text);
    }
    let source =
        "async fn f(db: &PgPool) { sqlx::query_file!(\"../shared/day.sql\", 1).fetch_all(db).await; }\n";
    scratch.write("app/src/lib.rs", source);
    commit(&app);
    run(&app, &["check", "--fix"]).exits_with(0).says(&["nothing to fix", "warning[cast_on_column]"]);
    assert_eq!(scratch.read("shared/day.sql"), FILE.1);
}

#[test]
fn two_findings_of_one_condition_are_ended_one_after_the_other() {
    let source = "async fn f(db: &PgPool) {\n    sqlx::query!(\"SELECT nmae, id FROM user WHERE id = 1 LIMIT 1\").fetch_one(db).await;\n}\n";
    let scratch = Scratch::with([
        MANIFEST,
        MIGRATION,
        ("src/lib.rs", &source.replace("sqlx::query!", "query_budget::sql!")),
    ]);
    commit(scratch.path());
    run(scratch.path(), &["check", "--fix"]).exits_with(1).says(&["nothing to fix", "error[unknown_table]"]);
    run(scratch.path(), &["check", "--fix", "--unsafe-fixes"])
        .exits_with(0)
        .says(&["fixed 2 findings in 1 file"]);
    assert!(
        scratch.read("src/lib.rs").contains("SELECT name, id FROM users WHERE"),
        "{}",
        scratch.read("src/lib.rs")
    );
}

#[test]
fn a_lint_a_level_and_a_baseline_choose_what_is_fixed() {
    let scratch = project();
    commit(scratch.path());
    run(scratch.path(), &["check", "--diff", "--lint", "unused_allow"]).exits_with(1);
    run(scratch.path(), &["check", "--fix", "--lint", "unused_allow"])
        .exits_with(0)
        .says(&["fixed 1 finding"]);
    commit(scratch.path());
    run(scratch.path(), &["check", "--baseline", "known.json", "--write-baseline"]).exits_with(0);
    run(scratch.path(), &["check", "--diff", "--baseline", "known.json"]).exits_with(0);
    run(scratch.path(), &["check", "--diff", "-A", "cast_on_column", "-A", "function_on_column"])
        .exits_with(0);
}

#[test]
fn code_scanning_is_given_the_fixes() {
    let scratch = project();
    let ran = run(scratch.path(), &["check", "--format", "sarif"]).exits_with(0);
    let log: Value = serde_json::from_str(&ran.stdout).expect("the log is JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let result = results.iter().find(|result| result["ruleId"] == "cast_on_column").expect("the cast");
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "queries/day.sql");
    let region = &change["replacements"][0]["deletedRegion"];
    let numbers = ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64());
    assert_eq!(numbers, [Some(4), Some(7), Some(4), Some(20)]);
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "at >= $1::date AND at < $1::date + 1");
}

/// A program without dependencies: it defines its own `sqlx`.
const PROGRAM: &str = r##"
pub struct Query(&'static str);
impl Query {
    pub fn bind<T>(self, _: T) -> Query { self }
    pub fn fetch_all(self, _: &str) -> usize { self.0.len() }
}
pub mod sqlx {
    pub fn query(sql: &'static str) -> super::Query { super::Query(sql) }
}
const HEAD: &str = "SELECT id FROM posts ";
pub fn all(db: &str) -> usize {
    let é = sqlx::query("SELECT 'é\u{e9}', id FROM posts WHERE date(at) = $1 ORDER BY id LIMIT 10").bind(1).fetch_all(db);
    let raw = sqlx::query(r#"
        SELECT "id" FROM posts
        WHERE date(at) = $1 AND user_id <> 7 ORDER BY id LIMIT 10"#).bind(1).fetch_all(db);
    let lines = sqlx::query("SELECT \"id\" FROM posts \
        WHERE at::date BETWEEN $1 \
            AND $2 ORDER BY id LIMIT 10").bind(1).bind(2).fetch_all(db);
    let joined = sqlx::query(concat!("SELECT id FROM posts ", "WHERE date(at) = $1 ", "ORDER BY id LIMIT 10")).bind(1).fetch_all(db);
    // query-budget: allow(missing_limit): there are ten
    let none = sqlx::query("SELECT id FROM posts WHERE id NOT IN (SELECT user_id FROM posts p WHERE p.id > 5) LIMIT 3").fetch_all(db);
    let slip = sqlx::query("SELECT \"userid\" FROM posts WHERE id = 1").fetch_all(db);
    HEAD.len() + é + raw + lines + joined + none + slip
}
"##;

#[test]
fn what_is_fixed_compiles_and_its_findings_are_gone() {
    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        MIGRATION,
        ("src/lib.rs", PROGRAM),
        (".gitignore", "/target\n"),
    ]);
    let compiles = || {
        let mut cargo = Command::new(env!("CARGO"));
        let output = cargo.args(["check", "--offline", "--quiet"]).current_dir(scratch.path()).output();
        let output = output.expect("cargo can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    compiles();
    commit(scratch.path());
    run(scratch.path(), &["check", "--fix", "--unsafe-fixes"])
        .exits_with(0)
        .says(&["fixed 7 findings in 1 file"]);
    compiles();
    let source = scratch.read("src/lib.rs");
    let edited = query_budget_analysis::rust::scan("lib.rs", &source).expect("it is Rust");
    let texts: Vec<String> = edited
        .sites
        .iter()
        .filter_map(|site| match &site.sql {
            query_budget_analysis::rust::SiteSql::Literal(literal) => Some(literal.text.to_string()),
            _ => None,
        })
        .collect();
    for text in [
        "SELECT 'éé', id FROM posts WHERE at >= $1::date AND at < $1::date + 1 ORDER BY id LIMIT 10",
        "SELECT \"id\" FROM posts WHERE at >= $1::date AND at < $2::date + 1 ORDER BY id LIMIT 10",
        "SELECT id FROM posts WHERE at >= $1::date AND at < $1::date + 1 ORDER BY id LIMIT 10",
        "SELECT user_id FROM posts WHERE id = 1",
    ] {
        assert!(texts.iter().any(|it| it == text), "`{text}` is not in {texts:#?}");
    }
    commit(scratch.path());
    run(scratch.path(), &["check", "--diff", "--unsafe-fixes"]).exits_with(0);
}

/// A copy of the files of a folder that git tracks.
fn copied(folder: &str) -> Scratch {
    let listed = Command::new("git").args(["ls-files", "-z", "--", folder]).current_dir(root()).output();
    let listed = listed.expect("git can be run");
    let scratch = Scratch::new();
    for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|name| !name.is_empty()) {
        scratch.write(name, std::fs::read(root().join(name)).unwrap_or_default());
    }
    scratch
}

#[test]
fn the_examples_are_fixed_and_still_parse() {
    let scratch = copied("examples");
    let before = sources(scratch.path());
    assert!(before.len() > 4, "{before:?}");
    commit(scratch.path());
    let args = ["check", "--fix", "--unsafe-fixes", "--all"];
    let ran = run(scratch.path(), &args);
    assert!(ran.code.is_some_and(|code| code < 2), "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("took back"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("not read"), "{}", ran.stdout);
    for path in sources(scratch.path()) {
        let text = std::fs::read_to_string(&path).expect("a source");
        query_budget_analysis::rust::scan("a.rs", &text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found
}
