//! Finds the crate and module of each file, from `mod` declarations and directory layout.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use crate::rust::lex::tokens::{Token, TokenKind, tokens};

/// A crate: a target in cargo's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its root file: `src/lib.rs`, `src/main.rs`, `tests/all.rs`.
    pub root: PathBuf,
    /// Whether it is a library, which other crates can depend on.
    pub is_lib: bool,
    /// Whether it is only built for tests or benchmarks.
    pub is_test: bool,
}

/// The position of a file in the module tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Its crate, as a position among the targets.
    pub target: usize,
    /// The path of its module; empty for the root.
    pub module: Vec<String>,
    /// Whether it, or a module around it, is declared under `#[cfg(test)]`.
    pub in_test: bool,
}

/// A `mod name;`.
#[derive(Debug, PartialEq, Eq)]
struct Declaration<'t> {
    name: &'t str,
    /// The value of `#[path = "…"]`.
    path: Option<&'t str>,
    /// Whether it is under `#[cfg(test)]`.
    in_test: bool,
}

/// The positions of files, passed with their texts; `None` for a file that belongs to no target.
pub fn positions(targets: &[Target], files: &[(&Path, &str)]) -> Vec<Option<Position>> {
    let declared: HashMap<&Path, Vec<Declaration<'_>>> =
        files.iter().map(|(path, text)| (*path, declarations(text))).collect();
    let of_roots: HashMap<&Path, HashSet<&str>> = targets
        .iter()
        .filter_map(|target| declared.get_key_value(target.root.as_path()))
        .map(|(root, all)| (*root, all.iter().map(|it| it.name.trim_start_matches("r#")).collect()))
        .collect();
    let mut positions: Vec<Option<Position>> =
        files.iter().map(|(path, _)| position(path, targets, &of_roots)).collect();
    let numbers: HashMap<&Path, usize> = files.iter().map(|(path, _)| *path).zip(0..).collect();
    let mut tests: HashSet<(usize, Vec<String>)> = HashSet::new();
    for at in 0..files.len() {
        let (Some((path, _)), Some(Some(here))) = (files.get(at), positions.get(at).cloned()) else {
            continue;
        };
        for Declaration { name, path: given, in_test } in declared.get(path).into_iter().flatten() {
            let module = [here.module.as_slice(), &[(*name).to_owned()]].concat();
            if *in_test {
                tests.insert((here.target, module.clone()));
            }
            // `#[path = "…"] mod name;` overrides the default location.
            let meant = given.map(|given| normal(&path.parent().unwrap_or(Path::new("")).join(given)));
            let found = meant.and_then(|meant| numbers.get(meant.as_path()).copied());
            if let Some(position) = found.and_then(|found| positions.get_mut(found)) {
                *position = Some(Position { target: here.target, module, in_test: *in_test });
            }
        }
    }
    for position in positions.iter_mut().flatten() {
        let around = |depth: usize| position.module.get(..depth).unwrap_or_default().to_vec();
        let is_test = |depth: usize| tests.contains(&(position.target, around(depth)));
        position.in_test |= !tests.is_empty() && (0..=position.module.len()).any(is_test);
    }
    positions
}

/// Which of these files are not compiled: no file declares their modules, or those around them. Where another file may bring
/// them in by its path, they count as declared.
pub fn undeclared(positions: &[Option<Position>], files: &[(&Path, &str)]) -> Vec<bool> {
    let mut named: HashMap<&[String], NamedModules<'_>> = HashMap::new();
    for (position, (_, text)) in positions.iter().zip(files) {
        let Some(position) = position else { continue };
        named.entry(position.module.as_slice()).or_default().add(text);
    }
    let by_path: Vec<&str> = files
        .iter()
        .map(|(_, text)| *text)
        .filter(|text| text.contains("#[path") || text.contains("include!"))
        .collect();
    let is_declared = |module: &[String]| {
        let Some((name, parent)) = module.split_last() else { return true };
        // A module that is written inside of another file is not looked at, nor is a root that declares none.
        named.get(parent).is_none_or(|named| named.is_empty() || named.has(name))
            || by_path.iter().any(|text| text.contains(&format!("{name}.rs")))
    };
    let is_compiled =
        |module: &[String]| (1..=module.len()).all(|depth| module.get(..depth).is_none_or(is_declared));
    let of = |position: &Option<Position>| position.as_ref().is_some_and(|it| !is_compiled(&it.module));
    positions.iter().map(of).collect()
}

/// The modules that a file names, in whatever macro that may be.
#[derive(Default)]
struct NamedModules<'t> {
    /// The names behind `mod`.
    names: HashSet<&'t str>,
    /// The texts with macros that declare modules by their names alone: `modules!(users, orders)`.
    made: Vec<&'t str>,
}

impl<'t> NamedModules<'t> {
    fn add(&mut self, text: &'t str) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        for (at, word) in text.match_indices("mod") {
            let (before, after) = (text.get(..at), text.get(at + word.len()..).unwrap_or_default());
            let name = after.trim_start();
            if before.is_some_and(|before| !before.ends_with(is_part)) && name.len() < after.len() {
                let name = name.trim_start_matches("r#");
                let end = name.find(|c| !is_part(c)).unwrap_or(name.len());
                self.names.extend(name.get(..end).filter(|name| !name.is_empty()));
            }
        }
        if text.contains("mod $") {
            self.made.push(text);
        }
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.made.is_empty()
    }

    fn has(&self, name: &str) -> bool {
        let name = name.trim_start_matches("r#");
        self.names.contains(name) || self.made.iter().any(|text| has_word(text, name))
    }
}

/// The position of a file, judging by its location.
fn position(path: &Path, targets: &[Target], declared: &HashMap<&Path, HashSet<&str>>) -> Option<Position> {
    if let Some(target) = targets.iter().position(|target| target.root == path) {
        return Some(Position { target, module: Vec::new(), in_test: false });
    }
    let inside = |target: &Target| path.strip_prefix(target.root.parent()?).ok().map(Path::to_path_buf);
    let mut around: Vec<(usize, PathBuf)> =
        (0..).zip(targets).filter_map(|(at, target)| Some((at, inside(target)?))).collect();
    // The innermost directory; within it the crate that declares the module, the library first.
    let nearest = around.iter().map(|(_, below)| below.components().count()).min()?;
    around.retain(|(_, below)| below.components().count() == nearest);
    around.sort_by_key(|(at, _)| !targets.get(*at).is_some_and(|target| target.is_lib));
    let declares = |at: usize, below: &Path| {
        let first = below.components().next().and_then(|first| Path::new(first.as_os_str()).file_stem());
        let of_root = targets.get(at).and_then(|target| declared.get(target.root.as_path()));
        let first = first.and_then(|first| first.to_str());
        of_root.zip(first).is_some_and(|(names, first)| names.contains(first))
    };
    let (target, below) = around.iter().find(|(at, below)| declares(*at, below)).or(around.first())?;
    Some(Position { target: *target, module: module(below), in_test: false })
}

/// The module of a path below a crate's directory: `db/orders.rs` and `db/orders/mod.rs` are `db::orders`.
fn module(below: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        below.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// A path with `.` and `..` resolved.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// The modules that a file declares to be in files of their own, except inside inline modules.
fn declarations(text: &str) -> Vec<Declaration<'_>> {
    if !has_word(text, "mod") {
        return Vec::new();
    }
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Sign(b'{') => depth += 1,
            TokenKind::Sign(b'}') => depth = depth.saturating_sub(1),
            TokenKind::Word if token.text == "mod" && depth == 0 => {
                if let (Some(name), Some(end)) = (tokens.get(at + 1), tokens.get(at + 2))
                    && end.kind == TokenKind::Sign(b';')
                {
                    let before = attributes(tokens.get(..at).unwrap_or_default());
                    found.push(Declaration { name: name.text, path: path(before), in_test: is_test(before) });
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether a text has a word, which is faster than reading its tokens.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    text.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !is_part(before) && !is_part(bytes.get(at + word.len()))
    })
}

/// The attributes and visibility before an item: the tokens since the end of the previous item.
fn attributes<'a, 't>(before: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let ends = |token: &Token<'_>| matches!(token.kind, TokenKind::Sign(b';' | b'{' | b'}'));
    let start = before.iter().rposition(ends).map_or(0, |at| at + 1);
    before.get(start..).unwrap_or_default()
}

/// The value of `#[path = "…"]`.
fn path<'t>(attributes: &[Token<'t>]) -> Option<&'t str> {
    attributes.windows(3).find_map(|words| match words {
        [name, equal, Token { kind: TokenKind::Text, text, .. }]
            if name.text == "path" && equal.kind == TokenKind::Sign(b'=') =>
        {
            Some(text.trim_matches('"'))
        }
        _ => None,
    })
}

fn is_test(attributes: &[Token<'_>]) -> bool {
    attributes
        .windows(3)
        .any(|words| matches!(words, [cfg, _, test] if cfg.text == "cfg" && test.text == "test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the positions of files, as `target: module`; the targets are the roots among the files,
    /// `lib.rs` a library.
    #[track_caller]
    fn check(roots: &[&str], files: &[(&str, &str, &str)]) {
        let targets: Vec<Target> = roots
            .iter()
            .map(|root| Target {
                root: PathBuf::from(root),
                is_lib: root.ends_with("lib.rs"),
                is_test: false,
            })
            .collect();
        let given: Vec<(&Path, &str)> =
            files.iter().map(|(path, text, _)| (Path::new(*path), *text)).collect();
        for ((path, _, expected), position) in files.iter().zip(positions(&targets, &given)) {
            let found = position.map_or_else(
                || "nowhere".to_owned(),
                |Position { target, module, in_test }| {
                    let mark = if in_test { " (test)" } else { "" };
                    format!("{}: {}{mark}", roots[target], module.join("::"))
                },
            );
            assert_eq!(found, *expected, "{path}");
        }
    }

    #[test]
    fn a_file_that_nothing_declares_is_not_compiled() {
        let targets = [Target { root: PathBuf::from("src/lib.rs"), is_lib: true, is_test: false }];
        let left_out = |root: &str, others: &[(&str, &str)]| {
            let files: Vec<(&Path, &str)> = [("src/lib.rs", root)]
                .iter()
                .chain(others)
                .map(|(path, text)| (Path::new(*path), *text))
                .collect();
            undeclared(&positions(&targets, &files), &files).split_off(1)
        };
        let files = [
            ("src/db.rs", "pub mod orders;"),
            ("src/db/orders.rs", ""),
            ("src/old.rs", "mod part;"),
            ("src/old/part.rs", ""),
        ];
        assert_eq!(left_out("mod db;", &files), [false, false, true, true]);
        assert_eq!(
            left_out("cfg_if! { if #[cfg(unix)] { mod db; pub(crate) mod r#old; } }", &files),
            [false; 4]
        );
        assert_eq!(
            left_out("macro_rules! all { ($($n:ident),*) => { $(mod $n;)* } } all!(db, old);", &files),
            [false; 4]
        );
        assert_eq!(left_out("mod db; #[path = \"old.rs\"] mod new;", &files), [false; 4]);
        // The name alone declares nothing, and a module may be written inside of another file.
        assert_eq!(left_out("mod db; // the old module\nmod older;", &files), [false, false, true, true]);
        assert_eq!(left_out("mod db { pub mod orders; }", &[("src/db/orders.rs", "")]), [false]);
        assert_eq!(left_out("fn main() {}", &files), [false; 4]);
    }

    #[test]
    fn files_and_folders_are_modules() {
        check(
            &["src/lib.rs"],
            &[
                ("src/lib.rs", "", "src/lib.rs: "),
                ("src/db.rs", "", "src/lib.rs: db"),
                ("src/db/orders.rs", "", "src/lib.rs: db::orders"),
                ("src/api/mod.rs", "", "src/lib.rs: api"),
                ("build.rs", "", "nowhere"),
            ],
        );
    }

    #[test]
    fn of_two_crates_in_a_folder_the_one_that_declares_it_has_the_module() {
        check(
            &["src/main.rs", "src/lib.rs", "src/bin/tool.rs", "tests/all.rs"],
            &[
                ("src/main.rs", "mod cli; mod shared;", "src/main.rs: "),
                ("src/lib.rs", "pub mod shared;", "src/lib.rs: "),
                ("src/cli.rs", "", "src/main.rs: cli"),
                ("src/cli/args.rs", "", "src/main.rs: cli::args"),
                ("src/shared.rs", "", "src/lib.rs: shared"),
                ("src/bin/tool.rs", "", "src/bin/tool.rs: "),
                ("tests/all.rs", "mod common;", "tests/all.rs: "),
                ("tests/common/mod.rs", "", "tests/all.rs: common"),
            ],
        );
    }

    #[test]
    fn modules_of_tests_are_told_apart() {
        check(
            &["src/lib.rs"],
            &[
                ("src/lib.rs", "#[cfg(test)] mod support; mod a;", "src/lib.rs: "),
                ("src/support.rs", "", "src/lib.rs: support (test)"),
                ("src/support/db.rs", "", "src/lib.rs: support::db (test)"),
                ("src/a.rs", "", "src/lib.rs: a"),
            ],
        );
    }

    #[test]
    fn a_path_attribute_says_where_a_module_stands() {
        check(
            &["src/lib.rs"],
            &[
                ("src/lib.rs", "mod a; /* none */ #[path = \"../shared/b.rs\"] pub mod b;", "src/lib.rs: "),
                ("shared/b.rs", "", "src/lib.rs: b"),
                ("src/a.rs", "#[cfg(test)] #[path = \"tests.rs\"] mod checks;", "src/lib.rs: a"),
                ("src/tests.rs", "", "src/lib.rs: a::checks (test)"),
            ],
        );
    }
}
