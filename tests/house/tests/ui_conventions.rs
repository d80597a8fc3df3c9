//! Rules for the UI cases, whatever output was recorded: a hastily blessed snapshot must not hide a lint that
//! stopped firing, or a message that differs from the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use query_budget_analysis::lints;

/// The folders of cases, by expected outcome.
const KINDS: [&str; 4] = ["deny", "pass", "usage", "warn"];

/// A case with its recorded output.
struct Case {
    /// `deny`, `warn`, `pass` or `usage`.
    kind: String,
    /// The lint, or the misused macro.
    about: String,
    path: PathBuf,
    source: String,
    recorded: Option<String>,
}

impl Case {
    /// The command that records its output.
    fn recording(&self) -> String {
        let name = name(&self.path);
        format!("TRYBUILD=overwrite cargo test -p query-budget-ui -- cases trybuild={name}")
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

fn cases() -> Vec<Case> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
    let mut cases = Vec::new();
    for kind in KINDS.map(|kind| ui.join(kind)).iter() {
        for about in files(kind) {
            for path in
                files(&about).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"))
            {
                cases.push(Case {
                    kind: name(kind),
                    about: name(&about),
                    source: fs::read_to_string(&path).expect("a source"),
                    recorded: fs::read_to_string(path.with_extension("stderr")).ok(),
                    path,
                });
            }
        }
    }
    assert!(cases.len() > 20, "the cases are found");
    cases
}

/// One message in a recorded output.
#[derive(Debug)]
struct Message<'t> {
    /// `error` or `warning`.
    level: &'t str,
    /// The first line, after the level.
    text: &'t str,
    /// All lines.
    lines: Vec<&'t str>,
}

impl<'t> Message<'t> {
    fn all(recorded: &'t str) -> Vec<Message<'t>> {
        let mut messages: Vec<Message<'t>> = Vec::new();
        for line in recorded.lines() {
            let start = ["error", "warning"].into_iter().find_map(|level| {
                let text = line.strip_prefix(level)?.strip_prefix(": ")?;
                Some(Message { level, text, lines: vec![line] })
            });
            match (start, messages.last_mut()) {
                (Some(message), _) => messages.push(message),
                (None, Some(message)) => message.lines.push(line),
                (None, None) => {}
            }
        }
        messages
    }

    /// The lint that the last note names.
    fn lint(&self) -> Option<&'t str> {
        let note = self.lines.iter().find(|line| line.contains("` is at level "))?;
        note.trim().strip_prefix("note: `")?.split('`').next()
    }

    /// The source line that it points at.
    fn line(&self) -> Option<usize> {
        let place = self.lines.iter().find_map(|line| line.trim_start().strip_prefix("--> "))?;
        place.rsplit(':').nth(1)?.parse().ok()
    }
}

#[test]
fn marks_are_what_was_recorded() {
    for case in cases().iter().filter(|case| case.kind == "deny" || case.kind == "warn") {
        let recorded = case.recorded.as_deref().unwrap_or_default();
        let found: BTreeSet<(usize, &str)> = Message::all(recorded)
            .iter()
            .filter_map(|message| Some((message.line().expect("a place"), message.lint()?)))
            .collect();
        let marked: BTreeSet<(usize, &str)> = (1..)
            .zip(case.source.lines())
            .filter_map(|(line, text)| Some((line, text.split_once("//~ ")?.1)))
            .flat_map(|(line, lints)| lints.split_whitespace().map(move |lint| (line, lint)))
            .collect();
        assert_eq!(
            marked,
            found,
            "the `//~` marks (left) are not what was recorded (right) for {}; if the recorded output is right, edit the \
             marks, else mend the lint and record with `{}`",
            case.path.display(),
            case.recording()
        );
        let foreign = recorded.lines().find(|line| line.starts_with("error[E"));
        assert!(
            foreign.is_none(),
            "{} does not compile: {}; mend it and record with `{}`",
            case.path.display(),
            foreign.unwrap_or_default(),
            case.recording()
        );
        assert!(
            found.iter().any(|(_, lint)| *lint == case.about),
            "{} never fires `{}`",
            case.path.display(),
            case.about
        );
    }
}

#[test]
fn every_lint_fires_and_is_silent() {
    let cases = cases();
    // A build sees one query at a time, and never the whole database.
    for lint in lints::ALL
        .iter()
        .filter(|lint| !matches!(lint.check, lints::Check::Schema(_)) && !lint.is(lints::Trait::OnRaw))
    {
        for kinds in [&["deny", "warn"][..], &["pass"]] {
            assert!(
                cases.iter().any(|case| case.about == lint.name && kinds.contains(&case.kind.as_str())),
                "`{name}` has no case in tests/ui/{{{kinds}}}/{name}/: add one, and record it with \
                 `TRYBUILD=overwrite cargo test -p query-budget-ui -- cases trybuild={name}`",
                name = lint.name,
                kinds = kinds.join(",")
            );
        }
    }
    let known: BTreeSet<&str> = lints::ALL.iter().map(|lint| lint.name).collect();
    for case in cases.iter().filter(|case| case.kind == "deny" || case.kind == "warn") {
        assert!(known.contains(case.about.as_str()), "{} is about no lint", case.path.display());
    }
}

#[test]
fn cases_are_named_once_and_judged_by_the_right_level() {
    let cases = cases();
    let mut names: BTreeMap<String, &Path> = BTreeMap::new();
    for case in &cases {
        let first = names.insert(name(&case.path), &case.path);
        assert!(
            first.is_none(),
            "{} and {} share a name",
            first.unwrap_or(&case.path).display(),
            case.path.display()
        );
        let denies = |lint: &str| case.source.contains(&format!("#![deny({lint})]"));
        let shown = case.path.display();
        match case.kind.as_str() {
            "pass" => assert!(
                denies("warnings") || case.source.contains("warnings)]"),
                "{shown} lets warnings through"
            ),
            "warn" => {
                let warns =
                    case.recorded.as_deref().is_some_and(|recorded| recorded.contains("warning: use of"));
                assert!(denies("deprecated") || warns, "{shown} does not look at warnings");
            }
            _ => {}
        }
        match (case.kind.as_str(), &case.recorded) {
            ("pass", None) => {}
            ("pass", Some(_)) => panic!("{shown} has a recorded output, but is to pass: remove the .stderr"),
            (_, Some(_)) => {}
            (_, None) => panic!("{shown} has no recorded output: record it with `{}`", case.recording()),
        }
    }
    let keeps = cases.iter().filter_map(|case| case.recorded.as_deref());
    assert!(
        keeps.flat_map(Message::all).any(|message| message.level == "warning" && message.lint().is_some()),
        "no case shows a warning as a warning"
    );
    for case in &cases {
        let dir = case.path.parent().expect("a folder");
        for file in files(dir).iter().filter(|file| file.extension().is_some_and(|end| end == "stderr")) {
            assert!(file.with_extension("rs").exists(), "no case has {}", file.display());
        }
    }
}

#[test]
fn messages_are_worded_alike() {
    for case in cases() {
        for message in Message::all(case.recorded.as_deref().unwrap_or_default()) {
            let own = message.lint().is_some()
                || case.kind == "usage" && message.lines.iter().any(|line| is_help(line));
            if !own {
                continue;
            }
            let text = message.text.split_once("`: ").map_or(message.text, |(head, text)| {
                if head.starts_with("use of deprecated") { text } else { message.text }
            });
            // A baseline identifies a finding by its message, wherever its lines move to.
            assert!(!names_a_line(text), "a line: {text:?} of {}", case.path.display());
            let helps = message
                .lines
                .iter()
                .filter(|line| is_help(line))
                .filter_map(|line| line.trim().strip_prefix("help: "));
            for text in helps.chain([text]) {
                let shown = format!("{text:?} of {}", case.path.display());
                assert!(
                    !text.starts_with(char::is_uppercase) || starts_with_keyword(text),
                    "capital: {shown}"
                );
                assert!(!text.ends_with('.'), "full stop: {shown}");
                for word in ["please", "should", "did you mean", "illegal", "invalid", "we "] {
                    assert!(!text.to_lowercase().contains(word), "`{word}`: {shown}");
                }
            }
        }
    }
}

fn names_a_line(text: &str) -> bool {
    let numbered =
        |(at, word): (usize, &str)| text[at + word.len()..].starts_with(|next: char| next.is_ascii_digit());
    text.match_indices("line ").any(numbered) || text.match_indices(".rs:").any(numbered)
}

#[test]
fn a_line_in_a_message_is_seen() {
    assert!(names_a_line("runs once at line 12") && names_a_line("see src/a.rs:3:1"));
    assert!(!names_a_line("every line of `lines.rs` is read"));
}

fn is_help(line: &str) -> bool {
    // rustc indents all lines but the first of our messages; its own help is elsewhere.
    line.starts_with("       help: ")
}

/// `DELETE` without `WHERE` begins with a capital for a reason.
fn starts_with_keyword(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| word.chars().all(|c| c.is_uppercase() || c == ','))
}
