//! Executes the book: writes its files, runs its commands, checks its examples, and follows its links.
//!
//! The info string of a fence says what it is. `file=PATH` is written into a workspace of the page. In `sh`,
//! each `cargo query-budget` is run there and must exit with 0, or with `N` after `# exit N`. `text,output`
//! is the output of the commands before it: each of its paragraphs, where `[..]` matches anything.
//! `fires=LINT` must give one finding, of that lint; `clean` must give none; `schema` adds tables for the
//! examples below it.

use std::path::{Path, PathBuf};
use std::process::Command;

use query_budget_analysis::check::Checker;
use query_budget_analysis::lints;
use query_budget_analysis::rust::scan;
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Config, Finding};
use query_budget_tests::Scratch;

use crate::{root, run};

/// The workspace of a page before its first fence.
const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the book that are written by hand.
fn pages() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("docs")).expect("the book").flatten();
    let mut pages: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect();
    pages.sort();
    assert!(pages.len() > 5, "{pages:?}");
    pages
}

/// A fence: its info string, and its text.
struct Fence {
    info: String,
    text: String,
    line: usize,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<Fence> = None;
    for (at, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Fence { info: info.to_owned(), text: String::new(), line: at + 1 })
            }
            (Some(_), Some(_)) => fences.extend(open.take()),
            (None, Some(fence)) => fence.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is left open");
    fences
}

/// The state of a page so far.
struct Page {
    scratch: Scratch,
    printed: String,
    schema: Schema,
}

impl Page {
    fn new() -> Page {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
        let scratch = Scratch::with([("Cargo.toml", MANIFEST)]);
        Page { scratch, printed: String::new(), schema: replay.schema }
    }

    fn execute(&mut self, fence: &Fence, at: &str) {
        let (language, mark) = fence.info.split_once(',').unwrap_or((&fence.info, ""));
        match (language, mark.split_once('=').unwrap_or((mark, ""))) {
            (_, ("file", path)) => self.scratch.write(path, &fence.text),
            ("sh", _) => self.commands(&fence.text, at),
            ("text", ("output", _)) => self.output(&fence.text, at),
            ("sql", ("schema", _)) => {
                let mut replay = Replay::new(Dialect::Postgres);
                replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
                replay.apply(&fence.text, "more.sql");
                assert_eq!(replay.problems, [], "{at}");
                self.schema = replay.schema;
            }
            (_, ("fires", lint)) => {
                let found = self.findings(language, &fence.text);
                let names: Vec<&str> = found.iter().map(|finding| finding.lint).collect();
                assert_eq!(names, [lint], "{at}:\n{}", fence.text);
            }
            (_, ("clean", _)) => {
                let found = self.findings(language, &fence.text);
                let said: Vec<String> =
                    found.iter().map(|finding| format!("{}: {}", finding.lint, finding.message)).collect();
                assert!(said.is_empty(), "{at}: {said:?}\n{}", fence.text);
            }
            ("json" | "lua" | "text" | "toml" | "vim" | "yaml", ("", _)) | ("rust", ("ignore", _)) => {}
            (_, (other, _)) => panic!("{at}: `{}` has no meaning: {other}", fence.info),
        }
    }

    fn commands(&mut self, text: &str, at: &str) {
        self.printed.clear();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (line, code) = line.split_once(" # exit ").unwrap_or((line, "0"));
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["cargo", "query-budget", arguments @ ..] => {
                    let ran = run(self.scratch.path(), arguments).exits_with(code.parse().expect("a code"));
                    self.printed += &ran.stdout;
                }
                ["git", arguments @ ..] => {
                    let mut git = Command::new("git");
                    git.current_dir(self.scratch.path()).args([
                        "-c",
                        "user.name=a",
                        "-c",
                        "user.email=a@b.c",
                    ]);
                    let ran = git.args(arguments).output().expect("git runs");
                    assert!(ran.status.success(), "{at}: {line}: {}", String::from_utf8_lossy(&ran.stderr));
                }
                // It would build this workspace from scratch; `scripts/publish` and the release workflow test
                // it.
                ["cargo", "install", ..] => {}
                _ => panic!("{at}: `{line}` is not run"),
            }
        }
    }

    fn output(&self, text: &str, at: &str) {
        for part in text.split("\n\n").map(str::trim_end).filter(|part| *part != "[..]") {
            assert!(
                self.printed.contains(part),
                "{at}: the book shows\n{part}\n\nwhich is not in\n{}",
                self.printed
            );
        }
    }

    fn findings(&self, language: &str, text: &str) -> Vec<Finding> {
        let config = Config::default();
        let checker = Checker::new(&config, Some(&self.schema), Dialect::Postgres);
        match language {
            "sql" => checker.query(text.trim(), None).findings,
            "rust" => {
                let scan = scan("src/lib.rs", text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
                let (scan, calls) = scan.follow_alone();
                checker.file(&scan, &calls, &|_| None).findings
            }
            other => panic!("no example is written in `{other}`"),
        }
    }
}

#[test]
fn what_the_book_shows_is_what_happens() {
    let mut executed = 0;
    for path in pages() {
        let mut page = Page::new();
        for fence in fences(&read(&path)) {
            page.execute(&fence, &format!("{}:{}", path.display(), fence.line));
            executed += 1;
        }
    }
    assert!(executed > 30, "{executed}");
}

#[test]
fn the_first_screen_of_the_readme_is_what_happens() {
    let readme = read(&root().join("README.md"));
    let fences_of_readme = fences(&readme);
    let screen =
        fences_of_readme.first().filter(|fence| fence.info == "console").expect("what a terminal shows");
    let mut page = Page::new();
    let tutorial = fences(&read(&root().join("docs/tutorial.md")));
    for fence in tutorial.iter().take_while(|fence| fence.info != "text,output") {
        page.execute(fence, "docs/tutorial.md");
    }
    for part in screen.text.split("\n\n") {
        let output = match part.strip_prefix("$ ") {
            Some(command) => {
                let (command, output) = command.split_once('\n').unwrap_or((command, ""));
                page.commands(command, "README.md");
                output
            }
            None => part,
        };
        page.output(output, "README.md");
    }
}

#[test]
fn every_page_is_in_the_contents() {
    let contents = read(&root().join("docs/SUMMARY.md"));
    let listed = |path: &str| contents.contains(&format!("]({path})"));
    for page in pages() {
        let name = page.file_name().expect("a page").to_string_lossy().into_owned();
        assert!(name == "SUMMARY.md" || listed(&name), "{name} is not in docs/SUMMARY.md");
    }
    for lint in lints::ALL {
        assert!(listed(&format!("lints/{}.md", lint.name)), "{} is not in docs/SUMMARY.md", lint.name);
    }
}

/// The anchors of a page's headings.
fn anchors(page: &str) -> Vec<String> {
    let headings =
        page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let name = |heading: &str| {
        let words = heading.to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(name).collect()
}

/// The targets of the links of a page, except those in code.
fn links(page: &str) -> Vec<String> {
    let mut text = String::new();
    let mut in_fence = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_fence = !in_fence;
        } else if !in_fence {
            let outside: Vec<&str> = line.split('`').step_by(2).collect();
            text += &format!("{}\n", outside.join("`"));
        }
    }
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn no_link_is_dead() {
    let mut files = pages();
    files.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)),
    );
    files.extend(lints::ALL.iter().map(|lint| root().join(format!("docs/lints/{}.md", lint.name))));
    let mut dead = Vec::new();
    let mut followed = 0;
    for file in files {
        let page = read(&file);
        for link in links(&page) {
            if link.contains("://") {
                continue;
            }
            followed += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { file.clone() } else { file.with_file_name(path) };
            let leads = target.exists()
                && (anchor.is_empty() || anchors(&read(&target)).iter().any(|it| it == anchor));
            if !leads {
                dead.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
    assert!(followed > 50, "{followed}");
}
