//! The rules of CONTRIBUTING and ARCHITECTURE, checked against the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The maximum length of a source file, to keep it readable in one sitting.
const MOST_LINES: usize = 450;

/// The maximum length of a function outside of tests, to keep it on one screen or two.
const MOST_LINES_OF_A_FUNCTION: usize = 80;

/// Longer functions: lists, and matches with a line or a few for each kind of thing, which are looked up and not read.
const FLAT: &[(&str, &str)] = &[
    ("analysis/src/schema/ddl/mod.rs", "alter"),
    ("analysis/src/schema/ddl/mod.rs", "create"),
    ("analysis/src/schema/replay/columns.rs", "alter_one"),
    ("analysis/src/schema/replay/drops.rs", "drop_one"),
    ("analysis/src/schema/replay/mod.rs", "change"),
    ("analysis/src/sql/expr/display.rs", "fmt"),
    ("analysis/src/sql/predicates.rs", "equal"),
    ("analysis/src/sql/resolve/expr.rs", "expr"),
    ("analysis/src/sql/resolve/from.rs", "factor"),
    ("analysis/src/sql/resolve/statement.rs", "names_no_rows"),
    ("analysis/src/sql/rewrite/postgres.rs", "word"),
    ("analysis/src/touches/functions.rs", "is_grammar"),
    ("analysis/src/types/mysql/calls.rs", "called"),
    ("analysis/src/types/postgres/expr.rs", "shallow"),
    ("analysis/src/types/rust_types.rs", "postgres"),
    ("analysis/src/rust/lex/own.rs", "is_ubiquitous"),
    ("analysis/src/rust/walk/expressions.rs", "expr"),
    ("analysis/src/rust/walk/origin.rs", "trace"),
    ("analysis/src/rust/walk/shape.rs", "of_method"),
    ("analysis/src/rust/walk/typing.rs", "type_at"),
];

/// The crates, by folder.
const CRATES: [&str; 5] = ["analysis", "macros", "runtime", "xtask", "tests"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// A file of the workspace: its path relative to the root, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Whether the whole file is test code, declared under `#[cfg(test)]` elsewhere.
    fn is_test(&self) -> bool {
        let tests_only = self.text.contains("#[test]") && !self.text.contains("#[cfg(test)]");
        tests_only || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The text before the unit tests.
    fn without_tests(&self) -> &str {
        self.text.split("\n#[cfg(test)]\n").next().unwrap_or_default()
    }
}

fn collect(dir: &Path, end: &str, found: &mut Vec<Source>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A package that compiles the source of another has a link to it.
        if path.is_dir() && path.is_symlink() {
            continue;
        }
        if path.is_dir() && name != "target" && name != ".git" {
            collect(&path, end, found);
        } else if name.ends_with(end) && path.is_file() {
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let path = path.strip_prefix(root()).expect("it is below the root").display().to_string();
            found.push(Source { path, text });
        }
    }
}

/// The Rust files that are part of the crates; the cases of UI tests are wrong on purpose.
fn rust_sources() -> Vec<Source> {
    let mut found = Vec::new();
    for name in CRATES {
        collect(&root().join(name), ".rs", &mut found);
    }
    found.retain(|source| {
        !["deny", "pass", "usage", "warn"]
            .iter()
            .any(|kind| source.path.starts_with(&format!("tests/ui/{kind}/")))
    });
    assert!(found.len() > 20, "the sources are found: {}", found.len());
    found
}

#[track_caller]
fn assert_none(what: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}

/// The lines that contain `needle` outside of comments, except in sources whose path is excused.
fn mentions(sources: &[Source], needle: &str, excused: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !excused(&source.path)) {
        for (number, line) in source.without_tests().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains(needle) {
                found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    found
}

fn in_crate(name: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(name).join("src"), ".rs", &mut found);
    found.retain(|source| !source.is_test());
    found
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent = rust_sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    assert_none("modules without `//!`", silent.map(|source| source.path).collect());
}

#[test]
fn no_file_is_too_long_to_read() {
    let lengths = rust_sources().into_iter().map(|source| (source.text.lines().count(), source.path));
    let long = lengths.filter(|(lines, _)| *lines > MOST_LINES).map(|(lines, path)| {
        format!("{path} has {lines} lines, at most {MOST_LINES}: move what belongs together into a file of its own")
    });
    assert_none("files that are too long", long.collect());
}

/// The functions of a source outside of its unit tests, each with its number of lines. A function ends at the brace, or
/// the semicolon, below its first word, as rustfmt writes it.
fn functions(source: &Source) -> Vec<(&str, usize)> {
    let is_modifier = |word: &&str| {
        ["pub", "crate::"].iter().any(|start| word.starts_with(start))
            || ["const", "async", "unsafe", "extern"].contains(word)
    };
    let lines: Vec<&str> = source.without_tests().lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut words = line.split_whitespace().skip_while(is_modifier);
        let (Some("fn"), Some(name)) = (words.next(), words.next()) else { continue };
        let indent = line.len() - line.trim_start().len();
        let ends = |line: &str| {
            let is_outside = line.len() - line.trim_start().len() == indent;
            is_outside && line.ends_with(['}', ';'])
        };
        let length = lines.iter().skip(at).take_while(|line| !ends(line)).count() + 1;
        found.push((name.split(['(', '<']).next().unwrap_or(name), length));
    }
    found
}

#[test]
fn no_function_is_too_long_to_read() {
    let sources = rust_sources();
    let sources = || sources.iter().filter(|source| !source.is_test() && !source.path.starts_with("tests/"));
    let is_flat = |path: &str, name: &str| FLAT.contains(&(path, name));
    let mut long = Vec::new();
    for source in sources() {
        for (name, length) in functions(source) {
            if length > MOST_LINES_OF_A_FUNCTION && !is_flat(&source.path, name) {
                long.push(format!("{}: `{name}` has {length} lines", source.path));
            }
        }
    }
    for (path, name) in FLAT {
        let source = sources().find(|source| source.path == *path);
        let lengths = source.map(functions).unwrap_or_default();
        if !lengths.iter().any(|(found, length)| found == name && *length > MOST_LINES_OF_A_FUNCTION) {
            long.push(format!("{path}: `{name}` is listed, and is no such function"));
        }
    }
    assert_none("functions that are too long", long);
}

#[test]
fn only_sql_names_the_sql_parser() {
    let analysis = in_crate("analysis");
    assert_none(
        "sqlparser outside of sql/",
        mentions(&analysis, "sqlparser", |path| path.starts_with("analysis/src/sql/")),
    );
}

#[test]
fn only_rust_names_the_rust_parser() {
    let analysis = in_crate("analysis");
    let offenders = [" syn::", "(syn::", "<syn::", "&syn::", "proc_macro2::"]
        .into_iter()
        .flat_map(|needle| mentions(&analysis, needle, |path| path.starts_with("analysis/src/rust/")));
    assert_none("syn outside of rust/", offenders.collect());
}

#[test]
fn only_project_touches_the_file_system() {
    let analysis = in_crate("analysis");
    let offenders =
        ["std::fs", "std::env", "File::open", "read_dir", ".is_file()", ".is_dir()", "std::process"]
            .into_iter()
            .flat_map(|needle| mentions(&analysis, needle, |path| path.starts_with("analysis/src/project/")));
    assert_none("files read outside of project/", offenders.collect());
}

#[test]
fn analysis_does_not_panic_on_purpose() {
    let analysis = in_crate("analysis");
    let offenders = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "assert!(", "assert_eq!("]
        .into_iter()
        .flat_map(|needle| mentions(&analysis, needle, |_| false))
        // A method of the DDL cursor has this name and returns its error.
        .filter(|line| !line.contains("cursor.expect("));
    assert_none("possible panics in analysis", offenders.collect());
}

#[test]
fn one_file_of_the_macros_speaks_to_the_compiler() {
    let macros = in_crate("macros");
    for word in ["compile_error", "deprecated"] {
        let lines = mentions(&macros, word, |_| false);
        let files: BTreeSet<_> = lines.iter().filter_map(|line| line.split(':').next()).collect();
        assert!(files.len() <= 1, "`{word}` is named in {files:?}");
    }
}

#[test]
fn the_runtime_crate_brings_no_parser() {
    let manifest = manifest("runtime");
    for parser in ["syn", "sqlparser", "query-budget-analysis"] {
        let depends = manifest
            .lines()
            .any(|line| line.starts_with(&format!("{parser}.")) || line.starts_with(&format!("{parser} ")));
        assert!(!depends, "runtime depends on {parser}");
    }
}

fn manifest(folder: &str) -> String {
    std::fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("the manifest")
}

/// They are one source, compiled with different versions of sqlx.
#[test]
fn the_package_for_sqlx_08_has_the_features_and_dependencies_of_the_other() {
    let lines = |folder: &str| -> BTreeSet<String> {
        let manifest = manifest(folder);
        let (_, rest) = manifest.split_once("\n[features]\n").expect("features");
        let (features, rest) = rest.split_once("\n[dependencies]\n").expect("dependencies");
        let features = features.split("\n[").next().unwrap_or_default();
        let dependencies = rest.split("\n[").next().unwrap_or_default();
        let lines = features.lines().chain(dependencies.lines());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    };
    let (newest, older) = (lines("runtime"), lines("runtime/sqlx-08"));
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
        these.difference(those).map(|line| line.split(" =").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(only(&newest, &older), ["sqlx", "sqlx", "trace-comments"]);
    assert_eq!(only(&older, &newest), ["sqlx", "sqlx", "sqlx-08"]);
}

#[test]
fn committed_text_names_no_machine() {
    let mut files = Vec::new();
    for end in
        [".rs", ".md", ".toml", ".stderr", ".snap", ".sql", ".yml", ".json", ".js", ".css", "Dockerfile"]
    {
        collect(&root(), end, &mut files);
    }
    for scripts in ["scripts", ".ci"] {
        let before = files.len();
        collect(&root().join(scripts), "", &mut files);
        assert!(files.len() > before, "`{scripts}` has scripts");
    }
    let mut offenders = Vec::new();
    for source in files.iter().filter(|source| source.path != "tests/house/tests/tidy.rs") {
        for needle in ["/root/", "/home/", "/work/", "/tmp/"] {
            if source.text.contains(needle) {
                offenders.push(format!("{}: {needle}", source.path));
            }
        }
    }
    assert_none("paths of one machine", offenders);
}

/// The modules of a crate as ARCHITECTURE.md lists them: `name.rs` for a file, `name/` for a folder.
fn modules(name: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(name).join("src")).expect("the crate's sources");
    let names = entries.flatten().map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() { format!("{name}/") } else { name }
    });
    names.filter(|name| !matches!(name.as_str(), "lib.rs" | "main.rs")).collect()
}

#[test]
fn the_architecture_page_lists_every_crate_and_module() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for name in CRATES {
        let heading = format!("\n## `{name}/`");
        let (_, rest) =
            page.split_once(&heading).unwrap_or_else(|| panic!("ARCHITECTURE.md has no section{heading}"));
        let section = rest.split("\n## ").next().unwrap_or_default();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let listed: BTreeSet<String> = rows.map(str::to_owned).collect();
        assert_eq!(
            listed,
            modules(name),
            "left: what ARCHITECTURE.md lists for `{name}`; right: what is there"
        );
    }
}

#[test]
fn the_architecture_page_names_every_module_of_rust() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let (_, rest) = page.split_once("\n### The rooms of `rust/`\n").expect("the section on rust/");
    let section = rest.split("\n##").next().unwrap_or_default();
    let named: BTreeSet<&str> =
        section.split('`').skip(1).step_by(2).flat_map(|word| word.split(['/', '.'])).collect();
    let rust = in_crate("analysis").into_iter().filter(|it| it.path.starts_with("analysis/src/rust/"));
    let unnamed = rust.filter(|source| {
        let stem = Path::new(&source.path).file_stem().unwrap_or_default().to_string_lossy();
        stem != "mod" && !named.contains(&*stem)
    });
    assert_none("modules that ARCHITECTURE.md does not name", unnamed.map(|source| source.path).collect());
}

/// The rooms of the engine that each room names.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in in_crate("analysis") {
        let inside = source.path.trim_start_matches("analysis/src/");
        let room = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let known = arrows.entry(room.to_owned()).or_default();
        for line in source.without_tests().lines() {
            let code = line.split("//").next().unwrap_or_default();
            for rest in code.split("crate::").skip(1) {
                let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
                if end > 0 && &rest[..end] != room {
                    known.insert(rest[..end].to_owned());
                }
            }
        }
    }
    arrows
}

#[test]
fn rooms_know_only_what_the_architecture_page_says() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let (_, rest) = page.split_once("\n## Arrows ").expect("the section on arrows");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let names =
        |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let listed: BTreeMap<String, BTreeSet<String>> =
        rows.map(|(room, known)| (room.to_owned(), names(known))).collect();
    let mut wrong = Vec::new();
    for (room, known) in arrows() {
        let allowed = listed.get(&room).cloned().unwrap_or_default();
        wrong
            .extend(known.difference(&allowed).map(|other| format!("`{room}` names `{other}`, and may not")));
        wrong.extend(
            allowed.difference(&known).map(|other| format!("`{room}` may name `{other}`, and does not")),
        );
    }
    assert_none("arrows that are not in the table of ARCHITECTURE.md", wrong);
}

#[test]
fn paths_in_the_house_documents_exist() {
    let mut missing = Vec::new();
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text =
            std::fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        for word in text.split('`').skip(1).step_by(2) {
            let is_path =
                word.contains('/') && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
            let is_ours = CRATES
                .iter()
                .chain(&["benches", "docs", "examples", "fuzz", "scripts", ".ci"])
                .any(|name| word.starts_with(&format!("{name}/")));
            if is_path && is_ours && !root().join(word).exists() {
                missing.push(format!("{page}: `{word}`"));
            }
        }
    }
    assert_none("paths that do not exist", missing);
}
