//! `check --message-format json`: what rust-analyzer and others read from cargo.

use std::collections::HashSet;

use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const MANIFEST: (&str, &str) =
    ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
     CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL, at TIMESTAMP NOT NULL);\n\
     CREATE INDEX posts_at ON posts (at);\n",
);
const SOURCE: &str = "\
// é
pub async fn page(db: &PgPool, ids: Vec<i64>) -> sqlx::Result<()> {
    for id in ids {
        sqlx::query(\"SELECT 'ü', id FROM posts \\\n            WHERE user_id = $1 ORDER BY id LIMIT 10\").bind(id).fetch_all(db).await?;
    }
    sqlx::query(r#\"SELECT id FROM posts WHERE date(at) = $1 ORDER BY id LIMIT 10\"#).bind(1).fetch_all(db).await?;
    sqlx::query(\"SELECT \\\"nmae\\\" FROM users WHERE id = $1\").bind(1).fetch_one(db).await?;
    Ok(())
}
";

fn project() -> Scratch {
    Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", SOURCE)])
}

fn messages(stdout: &str) -> Vec<Message> {
    Message::parse_stream(stdout.as_bytes())
        .map(|message| message.expect("cargo's reader reads it"))
        .collect()
}

#[test]
fn a_report_leaves_cargo_out_anyway() {
    let scratch = project();
    run(scratch.path(), &["check", "--no-cargo"]).exits_with(0);
    run(scratch.path(), &["check", "--no-cargo", "--format", "json"]).exits_with(0);
}

#[test]
fn every_finding_stands_at_the_right_characters() {
    let scratch = project();
    let ran = run(scratch.path(), &["check", "--message-format", "json", "--no-cargo"]).exits_with(0);
    let mut marked = Vec::new();
    for message in messages(&ran.stdout) {
        match message {
            Message::CompilerMessage(it) => {
                assert_eq!(it.target.name, "app");
                assert!(it.message.rendered.is_some_and(|text| text.contains("src/lib.rs:")));
                let span = it.message.spans.iter().find(|span| span.is_primary).expect("a place");
                assert_eq!(span.file_name, "src/lib.rs");
                let bytes = span.byte_start as usize..span.byte_end as usize;
                let slice = SOURCE.get(bytes).expect("it is inside");
                let line = SOURCE.lines().nth(span.line_start - 1).expect("a line");
                assert_eq!(span.text[0].text, line);
                let chars: Vec<char> = line.chars().collect();
                if span.line_start == span.line_end {
                    let by_column: String =
                        chars[span.column_start - 1..span.column_end - 1].iter().collect();
                    assert_eq!(by_column, slice);
                }
                let code = it.message.code.expect("a code").code;
                marked.push(format!("{} {slice}", code.trim_start_matches("query_budget::")));
            }
            Message::BuildFinished(end) => assert!(end.success),
            other => panic!("{other:?}"),
        }
    }
    for expected in [
        "query_in_loop sqlx::query",
        "unindexed_filter user_id",
        "function_on_column date(at",
        "unknown_column \\\"nmae\\\"",
    ] {
        assert!(marked.iter().any(|it| it.starts_with(expected)), "`{expected}` is not in {marked:#?}");
    }
}

#[test]
fn rustfix_applies_the_suggestions() {
    let scratch = project();
    let ran = run(scratch.path(), &["check", "--message-format", "json", "--no-cargo"]).exits_with(0);
    let diagnostics: Vec<String> = ran
        .stdout
        .lines()
        .filter_map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line is an object");
            line.get("message").map(Value::to_string)
        })
        .collect();
    // Editors append the inserted text to the name of a quick fix.
    let title = |diagnostic: &String| diagnostic.contains("\"message\":\"compare the column itself\"");
    assert!(diagnostics.iter().any(title), "{diagnostics:?}");
    let apply = |filter| {
        let mut fix = rustfix::CodeFix::new(SOURCE);
        for diagnostic in &diagnostics {
            let diagnostic = serde_json::from_str(diagnostic).expect("rustfix's reader reads it");
            let suggestion = rustfix::collect_suggestions(&diagnostic, &HashSet::new(), filter);
            for solution in suggestion.iter().flat_map(|it| &it.solutions) {
                fix.apply_solution(solution).expect("edits do not overlap");
            }
        }
        fix.finish().expect("the edits fit")
    };
    let day = "WHERE at >= $1::date AND at < $1::date + 1 ORDER";
    let safe = apply(rustfix::Filter::MachineApplicableOnly);
    assert!(safe.contains(day) && safe.contains("\\\"nmae\\\""), "{safe}");
    let all = apply(rustfix::Filter::Everything);
    assert!(all.contains(day) && all.contains("\"SELECT name FROM users"), "{all}");
}

#[test]
fn the_compilers_messages_come_along() {
    let scratch = Scratch::with([MANIFEST, MIGRATION]);
    scratch.write("src/lib.rs", format!("{}fn unused() {{}}\n", "// none\n"));
    let ran = run(scratch.path(), &["check", "--message-format", "json", "--", "--offline"]).exits_with(0);
    let found = messages(&ran.stdout);
    let is_unused = |message: &Message| match message {
        Message::CompilerMessage(it) => {
            it.message.level == DiagnosticLevel::Warning
                && it.message.message.contains("`unused` is never used")
        }
        _ => false,
    };
    assert!(found.iter().any(is_unused), "{}", ran.stdout);
    let ends = found.iter().filter(|message| matches!(message, Message::BuildFinished(_))).count();
    assert_eq!(ends, 1, "{}", ran.stdout);

    scratch.write("src/lib.rs", "fn broken() { 1 + }\n");
    let ran = run(scratch.path(), &["check", "--message-format", "json", "--", "--offline"]).exits_with(1);
    let last = messages(&ran.stdout).pop();
    assert!(matches!(last, Some(Message::BuildFinished(end)) if !end.success), "{}", ran.stdout);
    run(scratch.path(), &["check", "--message-format", "json", "--no-cargo"]).exits_with(0);
}

#[test]
fn files_of_sql_and_folders_without_a_manifest_have_messages_as_well() {
    let scratch = Scratch::with([
        MIGRATION,
        ("q/day.sql", "SELECT id\nFROM posts WHERE at::date = $1 ORDER BY id LIMIT 1\n"),
        (
            "src/lib.rs",
            "async fn f(db: &PgPool) { sqlx::query_file!(\"../q/day.sql\", 1).fetch_all(db).await; }\n",
        ),
    ]);
    let ran = run(scratch.path(), &["check", "--message-format", "json"]).exits_with(0);
    let found = messages(&ran.stdout);
    let spans: Vec<_> = found
        .iter()
        .filter_map(|message| match message {
            Message::CompilerMessage(it) => it.message.spans.first(),
            _ => None,
        })
        .map(|span| format!("{}:{}:{}", span.file_name, span.line_start, span.column_start))
        .collect();
    assert!(spans.contains(&"q/day.sql:2:18".to_owned()), "{spans:?}");
}

#[test]
fn what_a_terminal_obeys_is_written_out() {
    let scratch = Scratch::with([MANIFEST, ("migrations/1_first.sql", "CREATE TABLE t (id INT);\n")]);
    scratch.write(
        "src/lib.rs",
        "async fn f(db: &PgPool) { sqlx::query(\"DELETE FROM \\\"t\\u{1b}[31m\\u{202e}\\\"\").execute(db).await; }\n",
    );
    let ran = run(scratch.path(), &["check", "--message-format", "json", "--no-cargo"]);
    let mut seen = 0;
    for message in messages(&ran.stdout) {
        let Message::CompilerMessage(it) = message else { continue };
        let children = it.message.children.iter().map(|child| child.message.clone());
        for text in children.chain(it.message.rendered).chain([it.message.message]) {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
            seen += 1;
        }
    }
    assert!(seen > 1, "{}", ran.stdout);
}
