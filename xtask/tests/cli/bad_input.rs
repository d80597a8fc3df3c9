//! Any bad input gives a message that says what is wrong and where, and never a panic.

use std::process::Stdio;

use query_budget_tests::Scratch;

use crate::{command, run, run_with};

const MIGRATION: (&str, &str) = ("migrations/1_t.sql", "CREATE TABLE t (id BIGSERIAL PRIMARY KEY, a INT);\n");

#[test]
fn a_missing_folder_is_named() {
    let scratch = Scratch::new();
    for arguments in [
        &["schema", "--migrations", "nowhere"][..],
        &["index-check", "--migrations", "nowhere", "--queries", "nowhere.jsonl"],
        &["index-check", "nowhere"],
        &["check", "nowhere"],
        &["init", "nowhere"],
    ] {
        run(scratch.path(), arguments).exits_with(2).says(&["error: failed to ", "`nowhere`"]);
    }
}

/// Without any tables, all queries would pass.
#[test]
fn a_folder_without_migrations_is_named() {
    let scratch = Scratch::with([("notes/readme.md", ""), ("q.sql", "SELECT id FROM t WHERE id = 1")]);
    run(scratch.path(), &["index-check", "--migrations", "notes", "--queries", "q.sql"])
        .exits_with(2)
        .says(&["`notes`", "it holds no migrations"]);
}

#[test]
fn migrations_that_are_not_utf8_are_named_with_their_line() {
    let scratch = Scratch::with([MIGRATION]);
    scratch.write("migrations/2_garbled.sql", b"SELECT 1;\nSELECT '\xff';\n");
    run(scratch.path(), &["schema"])
        .exits_with(2)
        .says(&["migrations/2_garbled.sql", "line 2 is not valid UTF-8"]);
}

#[test]
fn a_snapshot_that_is_cut_in_half_is_named_with_its_line() {
    let scratch = Scratch::with([MIGRATION, ("src/lib.rs", "")]);
    run(scratch.path(), &["schema"]).exits_with(0);
    let whole = scratch.read("schema.sql");
    scratch.write("schema.sql", &whole[..whole.len() / 2]);
    scratch.write("q.sql", "SELECT id FROM t WHERE id = 1");
    for arguments in [&["check", "."][..], &["index-check", "--schema", "schema.sql", "--queries", "q.sql"]] {
        run(scratch.path(), arguments).exits_with(2).says(&["schema.sql", "`cargo query-budget schema`"]);
    }
}

#[test]
fn an_empty_snapshot_is_an_empty_database() {
    let scratch = Scratch::with([("schema.sql", ""), ("q.sql", "SELECT 1")]);
    let arguments = ["index-check", "--schema", "schema.sql", "--queries", "q.sql", "--dialect", "sqlite"];
    run(scratch.path(), &arguments).exits_with(0);
    // Nothing in it reveals the dialect.
    run(scratch.path(), &arguments[..5]).exits_with(2).says(&["schema.sql", "`dialect`"]);
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let scratch = Scratch::with([MIGRATION, ("query-budget.toml", "[lints]\nmissing_limit = \"loud\"\n")]);
    run(scratch.path(), &["check"]).exits_with(2).says(&["query-budget.toml:2:17", "`loud` is not a level"]);
    run(scratch.path(), &["schema"]).exits_with(2).says(&["query-budget.toml:2:17"]);
}

#[test]
fn a_line_that_is_no_json_is_named() {
    let scratch =
        Scratch::with([MIGRATION, ("q.jsonl", "{\"query\": \"SELECT 1\"}\n{\"sql\": \"SELECT 1\"}\n")]);
    let arguments = ["index-check", "--migrations", "migrations", "--queries", "q.jsonl"];
    // A bad line is skipped, and named.
    run(scratch.path(), &arguments).exits_with(0).says(&["`q.jsonl:2`", "missing field `query`", "1 query"]);
    scratch.write("q.jsonl", "\u{feff}{\"query\": \"SELECT 1\"}\n");
    run(scratch.path(), &arguments).exits_with(0).says(&["1 query"]);
}

#[test]
fn queries_of_an_unknown_kind_are_refused_with_the_known_ones() {
    let scratch = Scratch::with([MIGRATION, ("q.txt", "SELECT 1"), ("empty/readme", "")]);
    run(scratch.path(), &["check", "--queries", "q.txt"]).exits_with(2).says(&["`q.txt`", "`.jsonl`"]);
    run(scratch.path(), &["check", "--queries", "empty"]).exits_with(2).says(&["`empty`", "query-*.json"]);
}

#[test]
fn unusual_sql_is_counted_and_nothing_breaks() {
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let long = format!("SELECT id FROM t WHERE id IN ({}0)", "1, ".repeat(350_000));
    let bare = [
        "",
        ";",
        "SELECT 1; SELECT 2",
        "SELECT 'never closed",
        "SELECT \"never closed",
        "\u{0}",
        "é",
        &deep,
        &long,
    ];
    let lines: Vec<String> = bare.iter().map(|sql| format!("{{\"query\": {}}}", json_string(sql))).collect();
    let scratch = Scratch::with([MIGRATION]);
    scratch.write("q.jsonl", lines.join("\n"));
    for name in ["check", "index-check"] {
        for format in ["text", "json"] {
            let arguments = [name, "--migrations", "migrations", "--queries", "q.jsonl", "--format", format];
            let ran = run(scratch.path(), &arguments);
            assert!(matches!(ran.code, Some(0 | 1)), "{:?}\n{}", ran.code, ran.stderr);
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            assert!(ran.stdout.len() < 4_000_000 && !ran.stdout.is_empty());
        }
    }
}

fn json_string(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| if c < ' ' || c == '"' { format!("\\u{:04x}", c as u32) } else { c.to_string() })
        .collect();
    format!("\"{escaped}\"")
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scratch = Scratch::with([MIGRATION]);
    let lines = "{\"query\": \"SELECT id FROM t WHERE a = 1\"}\n".repeat(2_000);
    scratch.write("q.jsonl", lines);
    let arguments = ["index-check", "--migrations", "migrations", "--queries", "q.jsonl", "--format", "json"];
    let mut child = command(scratch.path(), &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn wrong_usage_exits_with_2() {
    let scratch = Scratch::new();
    for arguments in
        [&["frobnicate"][..], &["check", "--format", "xml"], &["schema", "--dialect", "oracle"], &[]]
    {
        run(scratch.path(), arguments).exits_with(2);
    }
    run(scratch.path(), &["schema", "--dialect", "oracle"]).says(&["postgres, mysql, sqlite"]);
}

#[test]
#[cfg(unix)]
fn pipes_and_devices_are_named_and_not_read() {
    let scratch = Scratch::with([MIGRATION]);
    let pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(scratch.path().join(name)).status();
        assert!(made.is_ok_and(|status| status.success()), "a pipe is made");
    };
    pipe("schema.sql");
    pipe("q.sql");
    let arguments = ["check", "--migrations", "migrations", "--queries", "q.sql"];
    run(scratch.path(), &arguments).exits_with(2).says(&["`q.sql`", "not a regular file"]);
    let arguments = ["check", "--schema", "schema.sql", "--queries", "/dev/zero"];
    run(scratch.path(), &arguments).exits_with(2).says(&["not a regular file"]);
    scratch.write("app/Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
    scratch.write(
        "app/src/lib.rs",
        "pub async fn f(db: &PgPool) { sqlx::query(\"SELECT 1\").execute(db).await; }\n",
    );
    scratch.write("app/.sqlx/README", "");
    pipe("app/.sqlx/query-1.json");
    run(scratch.path(), &["check", "app"]).says(&["query-1.json`: it is not a regular file"]);
}

#[test]
#[cfg(unix)]
fn sources_that_cannot_be_read_are_named() {
    let query = "pub async fn f(db: &PgPool) { sqlx::query(\"DELETE FROM t\").execute(db).await; }\n";
    let scratch =
        Scratch::with([MIGRATION, ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n")]);
    scratch.write("src/lib.rs", "mod linked;\n");
    scratch.write("elsewhere/mod.rs", query);
    let path = |name: &str| scratch.path().join(name);
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, path(at)).expect("a link");
    let made = std::process::Command::new("mkfifo").arg(path("src/pipe.rs")).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe is made");
    link("nowhere.rs", "src/gone.rs");
    // A folder behind links is read once, and one around itself never.
    link("../elsewhere", "src/linked");
    link("../elsewhere", "src/linked_again");
    link("..", "src/around");
    run(scratch.path(), &["check"]).exits_with(0).says(&[
        "src/pipe.rs`: it is not a regular file",
        "src/gone.rs`: it does not exist",
        "2 files not read",
        "checked 1 query",
        "unbounded_write",
    ]);
    run(scratch.path(), &["check", "src/pipe.rs"])
        .exits_with(2)
        .says(&["`src/pipe.rs`", "neither a regular file nor a folder"]);
    run(scratch.path(), &["check", "/dev/zero"])
        .exits_with(2)
        .says(&["`/dev/zero`", "neither a regular file nor a folder"]);
}

#[test]
#[cfg(unix)]
fn what_a_source_names_and_cannot_be_read_is_named() {
    let query = "pub async fn f(db: &PgPool) { sqlx::query_file!(\"src/q.sql\").execute(db).await; }\n";
    let scratch =
        Scratch::with([MIGRATION, ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n")]);
    scratch.write("src/lib.rs", format!("{query}include!(\"more.in\");\n"));
    for pipe in ["src/q.sql", "src/more.in"] {
        let made = std::process::Command::new("mkfifo").arg(scratch.path().join(pipe)).status();
        assert!(made.is_ok_and(|status| status.success()), "a pipe is made");
    }
    run(scratch.path(), &["check"]).exits_with(0).says(&[
        "src/q.sql`: it is not a regular file",
        "src/more.in`: it is not a regular file",
        "2 files not read",
    ]);
}

/// What says which files are passed over is read while folders are listed.
#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_an_ignore_file_is_not_read() {
    let query = "pub async fn f(db: &PgPool) { sqlx::query(\"DELETE FROM t\").execute(db).await; }\n";
    let manifest = "[package]\nname = \"app\"\nedition = \"2024\"\n";
    for pipes in [&[".gitignore"][..], &["src/.ignore"], &["src/deep/.gitignore", "inner/src/pipe.rs"]] {
        let scratch = Scratch::with([MIGRATION, ("Cargo.toml", manifest), ("src/lib.rs", "mod deep;\n")]);
        scratch.write("src/deep/mod.rs", query);
        scratch.write("inner/Cargo.toml", format!("{manifest}[workspace]\n"));
        scratch.write("inner/src/lib.rs", "");
        for pipe in pipes {
            let made = std::process::Command::new("mkfifo").arg(scratch.path().join(pipe)).status();
            assert!(made.is_ok_and(|status| status.success()), "a pipe is made");
        }
        let named = format!("{}`: it is not a regular file", pipes[0]);
        run(scratch.path(), &["check"]).exits_with(0).says(&[&named, "checked 1 query", "unbounded_write"]);
        run(scratch.path(), &["init"]).exits_with(0);
    }
}

#[test]
fn a_bad_line_of_standard_input_costs_no_other() {
    let scratch = Scratch::with([MIGRATION]);
    let arguments = ["check", "--migrations", "migrations", "--queries", "-"];
    let text = "\u{feff}{\"query\": \"SELECT id FROM t WHERE id = 1\"}\n";
    run_with(scratch.path(), &arguments, text).exits_with(0).says(&["checked 1 query"]);
    scratch.write("q.jsonl", [text.as_bytes(), b"{\"query\": \"\xff\"}\n"].concat());
    let arguments = ["check", "--migrations", "migrations", "--queries", "q.jsonl"];
    let ran = run(scratch.path(), &arguments).exits_with(0);
    ran.says(&["`q.jsonl:2`: it is not valid UTF-8", "checked 1 query"]);
}

#[test]
fn schema_replaces_no_file_that_it_did_not_write() {
    let scratch = Scratch::with([MIGRATION, ("by_hand.sql", "CREATE TABLE mine (id int);\n")]);
    let arguments = ["schema", "--migrations", "migrations", "--output", "by_hand.sql"];
    run(scratch.path(), &arguments).exits_with(2).says(&["`by_hand.sql`", "`--force`"]);
    assert!(scratch.read("by_hand.sql").contains("mine"));
    run(scratch.path(), &[&arguments[..], &["--force"]].concat()).exits_with(0);
    // A file that it wrote itself may be replaced.
    run(scratch.path(), &arguments).exits_with(0);
    let nowhere = ["schema", "--migrations", "migrations", "--output", "nowhere/schema.sql"];
    run(scratch.path(), &nowhere).exits_with(2).says(&["nowhere/schema.sql"]);
}

#[test]
fn what_comes_from_outside_is_shown_and_not_obeyed() {
    let scratch = Scratch::with([MIGRATION]);
    scratch.write(
        "q.sql",
        "SELECT 1 FROM \"x\u{1b}]0;t\u{7}\n  ::error title=x::y\n ##[error]z\u{202e}\" WHERE a = 1;\n",
    );
    for format in ["text", "github", "json", "sarif", "gitlab", "junit", "checkstyle", "gcc"] {
        let arguments = ["check", "--migrations", "migrations", "--queries", "q.sql", "--format", format];
        let ran = run(scratch.path(), &arguments);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{format}: {said:?}");
        if format != "github" {
            assert!(!said.lines().any(|line| line.trim_start().starts_with("::")), "{format}: {said:?}");
            assert!(!said.contains('\u{202e}') && !said.contains("##["), "{format}: {said:?}");
        }
        assert!(
            !said.lines().any(|line| line.trim_start().starts_with("::error title=x")),
            "{format}: {said:?}"
        );
    }
}
