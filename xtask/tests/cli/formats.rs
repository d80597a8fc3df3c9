//! `--format`: output for code scanning, CI servers and editors.

use std::path::{Path, PathBuf};
use std::process::Command;

use query_budget_tests::Scratch;
use serde_json::Value;

use crate::run;

const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = (
    "migrations/1_first.sql",
    "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
     CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL);\n",
);
const SOURCE: (&str, &str) = (
    "src/page one.rs",
    r#"
async fn page(db: &PgPool, ids: Vec<i64>) -> sqlx::Result<()> {
    for id in ids {
        sqlx::query("SELECT id FROM posts WHERE user_id = $1 ORDER BY id LIMIT 10").bind(id).fetch_all(db).await?;
    }
    sqlx::query("SELECT id FORM users").fetch_all(db).await?;
    query_budget::sql!("DELETE FROM users").execute(db).await?;
    Ok(())
}
"#,
);

fn project() -> Scratch {
    Scratch::with([MANIFEST, MIGRATION, SOURCE])
}

/// The JSON schema of SARIF as OASIS publishes it, from the source of a crate generated from it.
fn sarif_schema() -> Value {
    let said = |command: &mut Command| {
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("it can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it writes UTF-8")
    };
    // Packages for other platforms may not have been fetched.
    let version = said(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", host];
    let metadata = said(Command::new(env!("CARGO")).args(arguments));
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package =
        packages.iter().find(|package| package["name"] == "serde-sarif").expect("it is a dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let path = manifest.parent().expect("a folder").join("src/schema.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// Runs the command and validates its log against the schema.
#[track_caller]
fn valid_log(dir: &Path, arguments: &[&str], code: i32) -> Value {
    let ran = run(dir, &[arguments, &["--format", "sarif"]].concat()).exits_with(code);
    let log: Value = serde_json::from_str(&ran.stdout).expect("the log is JSON");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("sarif.json", sarif_schema()).expect("the schema is one");
    let schema = compiler.compile("sarif.json", &mut schemas).expect("the schema can be compiled");
    if let Err(error) = schemas.validate(&log, schema) {
        panic!("{error:#}\n{log:#}");
    }
    // The schema allows a result to be almost anything, so a typed reader of the format must accept it as
    // well.
    serde_json::from_value::<serde_sarif::sarif::Sarif>(log.clone()).expect("a reader of SARIF reads it");
    log
}

#[test]
fn the_schema_refuses_what_is_no_log() {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("sarif.json", sarif_schema()).expect("the schema is one");
    let schema = compiler.compile("sarif.json", &mut schemas).expect("the schema can be compiled");
    let wrong = serde_json::json!({
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": "x" } }, "results": [{ "message": { "text": "m" }, "level": "deny" }] }],
    });
    assert!(schemas.validate(&wrong, schema).is_err());
}

#[test]
fn sarif_holds_rules_places_and_fingerprints() {
    let scratch = project();
    let log = valid_log(scratch.path(), &["check"], 1);
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    let of = |lint: &str| {
        let found = results.iter().find(|result| result["ruleId"] == lint);
        found.unwrap_or_else(|| panic!("{lint} is not in {results:#?}"))
    };
    let write = of("unbounded_write");
    assert_eq!(write["level"], "error");
    let location = &write["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "src/page%20one.rs");
    assert_eq!(location["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(location["region"]["startLine"], 7);
    assert_eq!(write["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "page");
    let rule = &run["tool"]["driver"]["rules"][write["ruleIndex"].as_u64().expect("an index") as usize];
    assert_eq!(rule["id"], "unbounded_write");
    assert!(rule["helpUri"].as_str().is_some_and(|uri| uri.ends_with("/docs/lints/unbounded_write.md")));
    assert_eq!(of("query_in_loop")["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 3);

    let said = run["invocations"][0]["toolExecutionNotifications"].as_array().expect("notifications");
    assert!(said.iter().any(|it| it["descriptor"]["id"] == "not_parsed"
        && it["locations"][0]["physicalLocation"]["region"]["startLine"] == 6));
    assert_eq!(run["properties"]["summary"]["unparsed"], 1);

    // Findings that only move to other lines keep their fingerprints.
    let prints = |log: &Value| -> Vec<Value> {
        let results = log["runs"][0]["results"].as_array().expect("results");
        results.iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    scratch.write(SOURCE.0, format!("// A line more.\n\n{}", SOURCE.1));
    assert_eq!(prints(&valid_log(scratch.path(), &["check"], 1)), prints(&log));
}

#[test]
fn sarif_is_valid_for_every_kind_of_input() {
    let scratch = project();
    valid_log(scratch.path(), &["index-check"], 1);
    scratch.write(
        "q.jsonl",
        "{\"query\": \"SELECT id FROM posts WHERE user_id = $1\"}\n{\"query\": \"SELECT (\"}\n",
    );
    valid_log(scratch.path(), &["index-check", "--queries", "q.jsonl"], 1);
    scratch.write("src/odd.rs", "fn query( {");
    let log = valid_log(scratch.path(), &["check"], 1);
    let said = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(said.contains("src/odd.rs"), "{said}");
    scratch.write("query-budget.toml", "[lints]\nmissing_limit = \"loud\"\n");
    let log = valid_log(scratch.path(), &["check"], 2);
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn github_annotates_the_lines() {
    let scratch = project();
    let ran = run(scratch.path(), &["check", "--format", "github"]).exits_with(1).says(&[
        "\n::error file=src/page one.rs,line=7,col=25,title=unbounded_write::DELETE changes every row of `users`%0A",
        "\n::warning file=src/page one.rs,line=4,col=9,title=query_in_loop::",
        "not parsed: src/page one.rs:6:",
        "\nread 1 file, checked 3 queries: 1 not parsed, 0 built at run time, 3 with no bound\n",
    ]);
    let commands = ran.stdout.lines().filter(|line| line.starts_with("::"));
    for command in commands {
        let (head, _) = command[2..].split_once("::").unwrap_or_else(|| panic!("{command}"));
        assert!(["error ", "warning ", "notice "].iter().any(|level| head.starts_with(level)), "{command}");
    }
    run(scratch.path(), &["index-check", "--format", "github"])
        .exits_with(1)
        .says(&["::error file=src/page one.rs,line=4,col=49,title=unindexed_filter::"]);
}

/// What GitLab's documentation requires of a code quality report.
fn gitlab_schema() -> Value {
    serde_json::json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": { "type": "string", "minLength": 1 },
                "check_name": { "type": "string", "pattern": "^[a-z_]+$" },
                "fingerprint": { "type": "string", "minLength": 1 },
                "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": { "type": "string", "pattern": "^[^./]" },
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": { "begin": { "type": "integer", "minimum": 1 } },
                        },
                    },
                },
            },
        },
    })
}

#[test]
fn gitlab_is_given_issues() {
    let scratch = project();
    // Two equal findings are two issues.
    scratch.write(
        "src/twice.rs",
        "async fn f(db: &PgPool) {\n    query_budget::sql!(\"DELETE FROM users\").execute(db).await;\n    \
         query_budget::sql!(\"DELETE FROM users\").execute(db).await;\n}\n",
    );
    let ran = run(scratch.path(), &["check", "--format", "gitlab"]).exits_with(1);
    let issues: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("gitlab.json", gitlab_schema()).expect("the schema is one");
    let schema = compiler.compile("gitlab.json", &mut schemas).expect("the schema can be compiled");
    if let Err(error) = schemas.validate(&issues, schema) {
        panic!("{error:#}\n{issues:#}");
    }
    let issues = issues.as_array().expect("issues");
    let mut prints: Vec<&str> = issues.iter().filter_map(|issue| issue["fingerprint"].as_str()).collect();
    let count = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), count, "{issues:#?}");
    let write = issues.iter().find(|issue| issue["check_name"] == "unbounded_write").expect("the write");
    assert_eq!(write["severity"], "critical");
    assert_eq!(write["location"]["path"], "src/page one.rs");

    let clean = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", "fn f() {}\n")]);
    assert_eq!(run(clean.path(), &["check", "--format", "gitlab"]).exits_with(0).stdout, "[]\n");
    scratch.write("query-budget.toml", "[lints]\nmissing_limit = \"loud\"\n");
    run(scratch.path(), &["check", "--format", "gitlab"]).exits_with(2).says(&["\"severity\": \"blocker\""]);
}

/// A project whose finding contains characters that are special in XML, and non-ASCII ones.
fn odd_project() -> Scratch {
    let scratch = project();
    scratch.write(
        "src/odd.rs",
        "async fn f(db: &PgPool) { query_budget::sql!(\"DELETE FROM \\\"<é&'>\\n\\u{1b}]]>\\\"\").execute(db).await; }\n",
    );
    scratch
}

#[test]
fn junit_counts_what_it_holds() {
    let scratch = odd_project();
    let text = run(scratch.path(), &["check", "--format", "junit"]).exits_with(1).stdout;
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let suites = document.root_element();
    assert_eq!(suites.tag_name().name(), "testsuites");
    let suite = suites.first_element_child().expect("a suite");
    let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count().to_string();
    assert_eq!(suite.attribute("tests"), Some(count("testcase").as_str()));
    assert_eq!(suite.attribute("failures"), Some(count("failure").as_str()));
    assert_eq!(suite.attribute("skipped"), Some(count("skipped").as_str()));
    let failures: Vec<_> = document.descendants().filter(|node| node.has_tag_name("failure")).collect();
    assert!(
        failures.iter().any(|it| it.attribute("message").is_some_and(|text| text.contains("<é&'>"))),
        "{text}"
    );
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        assert!(case.attribute("name").is_some() && case.attribute("classname").is_some(), "{text}");
    }
    let clean = Scratch::with([MANIFEST, MIGRATION, ("src/lib.rs", "fn f() {}\n")]);
    run(clean.path(), &["check", "--format", "junit"]).exits_with(0).says(&["tests=\"1\" failures=\"0\""]);
}

#[test]
fn checkstyle_lists_the_errors_of_each_file() {
    let scratch = odd_project();
    let text = run(scratch.path(), &["check", "--format", "checkstyle"]).exits_with(1).stdout;
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    assert_eq!(document.root_element().tag_name().name(), "checkstyle");
    let mut seen = 0;
    for error in document.descendants().filter(|node| node.has_tag_name("error")) {
        let file = error.parent().and_then(|file| file.attribute("name")).expect("a file");
        assert!(file.starts_with("src/"), "{file}");
        assert!(error.attribute("line").is_some_and(|line| line.parse::<u32>().is_ok_and(|line| line > 0)));
        assert!(matches!(error.attribute("severity"), Some("error" | "warning" | "info")));
        assert!(error.attribute("source").is_some_and(|source| source.starts_with("query-budget.")));
        seen += 1;
    }
    assert!(seen > 2, "{text}");
}

#[test]
fn lines_are_those_of_a_compiler() {
    let scratch = odd_project();
    let ran = run(scratch.path(), &["check", "--format", "gcc"]).exits_with(1).says(&[
        "src/page one.rs:7:25: error: DELETE changes every row of `users` [unbounded_write]\n",
        "src/page one.rs:7:25: note: ",
        "src/page one.rs:4:9: warning: ",
    ]);
    for line in ran.stdout.lines() {
        let (_, rest) = line.split_once(".rs:").unwrap_or_else(|| panic!("{line}"));
        let parts: Vec<&str> = rest.splitn(4, ':').collect();
        assert!(parts[0].parse::<u32>().is_ok() && parts[1].parse::<u32>().is_ok(), "{line}");
        assert!(["error", "warning", "note"].contains(&parts[2].trim()), "{line}");
    }
}

#[test]
fn every_format_says_what_was_not_checked() {
    let scratch = project();
    scratch.write("src/cut.rs", "fn f() { sqlx::query!(\"SELECT id FROM users");
    for format in ["gitlab", "junit", "checkstyle", "gcc"] {
        let ran = run(scratch.path(), &["check", "--format", format]).exits_with(1);
        for said in ["failed to parse `src/cut.rs`", "checked 3 queries: 1 not parsed"] {
            assert!(ran.stderr.contains(said), "{format}: {}", ran.stderr);
        }
        let not_parsed = if format == "gcc" { &ran.stdout } else { &ran.stderr };
        assert!(not_parsed.contains("not parsed: "), "{format}: {not_parsed}");
    }
}
