//! Off means off: in a release build a budget changes no instruction, and a counted query adds none; neither
//! does a typed one compared with sqlx's own macros.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use query_budget_tests::{copy_fixture, outside_cargo};

/// The instructions of each function, with names and labels masked, and how many functions are equal.
type Functions = BTreeMap<Vec<String>, usize>;

#[test]
fn a_budget_changes_no_instruction() {
    let fixture = Fixture::new("budget", "release");
    let bare = fixture.functions("bare", "");
    let enforced = fixture.functions("enforced", "budget,query-budget/enforce");
    assert!(count(&bare) > 1_000, "the fixture has its functions in it");
    assert_eq!(bare, fixture.functions("budget", "budget"), "the functions are the same");
    assert_ne!(bare, enforced, "the comparison sees a scope that is there");
}

#[test]
fn a_counted_query_adds_no_instruction() {
    let fixture = Fixture::new("counted", "release");
    let bare = fixture.functions("bare", "");
    let counted = fixture.functions("counted", "counted");
    // Fewer: rows are mapped without boxing the stream a second time.
    let (bare, counted) = (count(&bare), count(&counted));
    assert!(counted <= bare, "{counted} instructions where sqlx has {bare}");
}

#[test]
fn a_typed_query_adds_no_instruction_to_that_of_sqlx() {
    let fixture = Fixture::new("typed", "release-typed");
    let (theirs, ours) = (fixture.functions("theirs", ""), fixture.functions("ours", "ours"));
    let (theirs, ours) = (count(&theirs), count(&ours));
    assert!(theirs > 1_000, "the fixture has its queries in it");
    assert!(ours <= theirs, "{ours} instructions where sqlx has {theirs}");
}

fn count(functions: &Functions) -> usize {
    functions.iter().map(|(instructions, times)| instructions.len() * times).sum()
}

/// A copy of a fixture outside of the workspace, built with the same versions of all dependencies.
struct Fixture {
    directory: PathBuf,
}

impl Fixture {
    fn new(name: &str, fixture: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("release-{name}"));
        copy_fixture(fixture, &directory);
        Self { directory }
    }

    /// The functions of the optimised build with these features.
    fn functions(&self, name: &str, features: &str) -> Functions {
        let assembly = self.directory.join(format!("{name}.s"));
        let output = outside_cargo(&self.directory, env!("CARGO_TARGET_TMPDIR"))
            .args(["rustc", "--quiet", "--lib", "--features", features, "--"])
            .args(["-Ccodegen-units=1", &format!("--emit=asm={}", assembly.display())])
            .env("SQLX_OFFLINE", "true")
            .output()
            .expect("run cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        functions(&std::fs::read_to_string(assembly).expect("the assembly"))
    }
}

fn functions(assembly: &str) -> Functions {
    let mut functions = Functions::new();
    let mut inside: Option<Vec<String>> = None;
    for line in assembly.lines() {
        if line.starts_with("\t.type\t") && line.ends_with(",@function") {
            inside = Some(Vec::new());
        } else if line.starts_with("\t.size\t") {
            if let Some(instructions) = inside.take() {
                *functions.entry(instructions).or_default() += 1;
            }
        } else if let Some(instructions) = &mut inside
            && line.starts_with('\t')
            && !line.starts_with("\t.")
        {
            instructions.push(blot(line.trim()));
        }
    }
    functions
}

/// The instruction with every symbol and label replaced, since they contain hashes of the features.
fn blot(instruction: &str) -> String {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || "_.$@".contains(c);
    let mut words = Vec::new();
    for word in instruction.split_inclusive(|c| !part_of_name(c)) {
        let name = word.trim_end_matches(|c| !part_of_name(c));
        let symbol = ["_ZN", "_R", ".L"].iter().any(|prefix| name.starts_with(prefix));
        words.push(if symbol { word.replacen(name, "SYMBOL", 1) } else { word.to_owned() });
    }
    words.concat()
}
