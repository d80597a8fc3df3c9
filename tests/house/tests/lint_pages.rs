//! The examples on the lints' pages are executed: `fires` yields exactly one finding, of that lint; `clean`
//! yields none. A lint that is off by default is switched on for its own page.

use std::collections::BTreeSet;

use query_budget_analysis::check::Checker;
use query_budget_analysis::lints::{self, Lint};
use query_budget_analysis::rust::scan;
use query_budget_analysis::schema::{Migration, Schema, replay};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Config, Finding, Level, Place};

/// The headings of a page, in order.
const HEADINGS: [&str; 5] = ["What it does", "Why is this bad", "Known limits", "Example", "Use instead"];

fn example_schema() -> Schema {
    schema(lints::EXAMPLE_SCHEMA)
}

/// The schema that results from DDL.
fn schema(ddl: &str) -> Schema {
    let migration = Migration {
        version: 1,
        description: String::new(),
        file: "example.sql".to_owned(),
        sql: ddl.to_owned(),
        no_transaction: false,
    };
    let replayed = replay(&[migration], Dialect::Postgres);
    assert_eq!(replayed.problems, [], "the schema of the examples is replayed in full");
    replayed.schema
}

/// The code fences of a page: the language with its mark, and the text.
fn fences(lint: &Lint) -> Vec<(String, String)> {
    let mut fences = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in lint.docs.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (line.strip_prefix("```"), &mut open) {
            (Some(mark), None) => open = Some((mark.to_owned(), String::new())),
            (Some(_), Some(_)) => fences.extend(open.take()),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a fence is left open", lint.name);
    fences
}

fn findings(lint: &Lint, language: &str, text: &str, schema: &Schema) -> Vec<Finding> {
    let mut config = Config::default();
    config.lints.insert(lint.name.to_owned(), lint.group.level().max(Level::Warn));
    let checker = Checker::new(&config, Some(schema), Dialect::Postgres);
    match language {
        "sql" => checker.query(text.trim(), None).findings,
        "rust" => {
            let scan = scan("src/example.rs", text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
            let (scan, calls) = scan.follow_alone();
            checker.file(&scan, &calls, &|_| None).findings
        }
        // A database without a query.
        "ddl" => {
            let schema = self::schema(text);
            Checker::new(&config, Some(&schema), Dialect::Postgres).schema(&[], &|_| Place::default())
        }
        other => panic!("no example is written in `{other}`"),
    }
}

#[test]
fn every_example_is_true() {
    let schema = example_schema();
    for lint in lints::ALL {
        let mut marks = Vec::new();
        for (language, text) in fences(lint) {
            let Some((language, mark)) = language.split_once(',') else { continue };
            let found: Vec<&str> =
                findings(lint, language, &text, &schema).iter().map(|finding| finding.lint).collect();
            let expected: &[&str] = match mark {
                "fires" => &[lint.name],
                "clean" => &[],
                other => panic!("{}: no mark is named `{other}`", lint.name),
            };
            assert_eq!(
                found, expected,
                "the findings (left) of an example of `{}` marked `{mark}` are not those it is to have (right): one that \
                 fires has this finding alone, a clean one has none of any lint:\n{text}",
                lint.name
            );
            marks.push(mark.to_owned());
        }
        for mark in ["fires", "clean"] {
            assert!(marks.iter().any(|there| there == mark), "{}: no example is marked `{mark}`", lint.name);
        }
    }
}

#[test]
fn every_page_has_the_same_headings() {
    for lint in lints::ALL {
        let headings: Vec<&str> =
            lint.docs.lines().filter_map(|line| line.trim().strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", lint.name);
    }
}

#[test]
fn every_lint_is_a_file_of_its_name_and_listed_in_order() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let names: Vec<&str> = lints::ALL.iter().map(|lint| lint.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for lint in lints::ALL {
        let path = root.join(format!("analysis/src/lints/{}.rs", lint.name));
        let source =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            source.contains(&format!("\"{}\"", lint.name)),
            "{}: the file declares another name",
            lint.name
        );
        assert!(!lint.summary.ends_with('.'), "{}: `{}`", lint.name, lint.summary);
    }
    let entries = std::fs::read_dir(root.join("docs/lints")).expect("the pages").flatten();
    let pages: BTreeSet<String> = entries
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".md")?.to_owned()))
        .collect();
    let names: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
    let missing: Vec<&String> = names.difference(&pages).collect();
    let left_over: Vec<&String> = pages.difference(&names).collect();
    assert!(
        missing.is_empty() && left_over.is_empty(),
        "lints without a page: {missing:?}; pages without a lint: {left_over:?}. `cargo xtask docs` mends both"
    );
}
