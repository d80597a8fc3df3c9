//! Files that are alternatives, each with the whole schema of one version: no database accepts one after the other,
//! since they create the same tables.

use std::collections::{BTreeMap, BTreeSet};

use super::File;
use super::names::Named;
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind, unquote};

/// A file that a later one replaces, by their places.
pub(super) struct Replaced {
    pub(super) earlier: usize,
    pub(super) later: usize,
}

/// The files, in their order, that later ones replace: most tables that they leave are created again.
pub(super) fn replaced(files: &[(Named, File)]) -> Vec<Replaced> {
    let mut made_by: BTreeMap<String, usize> = BTreeMap::new();
    let mut left: Vec<usize> = vec![0; files.len()];
    let mut again: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (later, (_, file)) in files.iter().enumerate() {
        let mut here: BTreeSet<String> = BTreeSet::new();
        for change in changes(&file.text) {
            match change {
                Change::Makes(table) => {
                    here.insert(table);
                }
                Change::Drops(table) => {
                    here.remove(&table);
                    made_by.remove(&table);
                }
                Change::DropsAll => {
                    here.clear();
                    made_by.clear();
                }
            }
        }
        if let Some(left) = left.get_mut(later) {
            *left = here.len();
        }
        for table in here {
            if let Some(earlier) = made_by.insert(table, later)
                && files.get(earlier).is_some_and(|(_, earlier)| base(&earlier.path) == base(&file.path))
            {
                *again.entry((earlier, later)).or_default() += 1;
            }
        }
    }
    let is_most = |earlier: usize, count: usize| left.get(earlier).is_some_and(|left| 2 * count > *left);
    let replaced = again.into_iter().filter(|((earlier, _), count)| is_most(*earlier, *count));
    replaced.map(|((earlier, later), _)| Replaced { earlier, later }).collect()
}

/// A path without its version: files for several databases have other names as well.
fn base(path: &str) -> String {
    path.chars().filter(|char| !char.is_ascii_digit() && !matches!(char, '.' | '-' | '_')).collect()
}

/// What a statement does to the tables that exist.
enum Change {
    Makes(String),
    Drops(String),
    DropsAll,
}

fn changes(text: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut is_head = true;
    for token in Lexer::new(text, Dialect::Postgres) {
        let source = text.get(token.span.range()).unwrap_or("");
        match token.kind {
            TokenKind::Symbol if source == ";" => {
                statement(&words, &mut changes);
                words.clear();
                is_head = true;
            }
            TokenKind::Symbol if source == "(" => is_head = false,
            TokenKind::Symbol | TokenKind::Word | TokenKind::Name if is_head => {
                words.push(unquote(source.trim_matches('`'), Dialect::Postgres).to_lowercase());
            }
            _ => {}
        }
    }
    statement(&words, &mut changes);
    changes
}

/// Reads the words of a statement up to its first parenthesis.
fn statement(words: &[String], changes: &mut Vec<Change>) {
    let mut words = words.iter().map(String::as_str).peekable();
    let verb = words.next();
    let mut or_replace = false;
    while let Some(word) =
        words.next_if(|word| ["or", "replace", "unlogged", "foreign", "virtual"].contains(word))
    {
        or_replace |= word == "replace";
    }
    let object = words.next();
    let guarded = words.peek() == Some(&"if");
    while words.next_if(|word| ["if", "not", "exists", "only"].contains(word)).is_some() {}
    match (verb, object) {
        (Some("create"), Some("table")) if !guarded && !or_replace => {
            changes.extend(name(&mut words).map(Change::Makes));
        }
        (Some("drop"), Some("table")) => {
            while let Some(table) = name(&mut words) {
                changes.push(Change::Drops(table));
                words.next_if_eq(&",");
            }
        }
        (Some("alter"), Some("table")) => {
            let Some(table) = name(&mut words) else { return };
            if words.next() == Some("rename") && words.next_if_eq(&"to").is_some() {
                changes.push(Change::Drops(table));
                changes.extend(name(&mut words).map(Change::Makes));
            }
        }
        // `RENAME TABLE a TO b` of MySQL.
        (Some("rename"), Some("table")) | (Some("drop"), Some("schema" | "database")) => {
            changes.push(Change::DropsAll);
        }
        _ => {}
    }
}

/// A name with its schema.
fn name<'w>(words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>) -> Option<String> {
    let mut name = words.next_if(|word| word.chars().any(char::is_alphanumeric))?.to_owned();
    while words.next_if_eq(&".").is_some() {
        name.push('.');
        name.push_str(words.next()?);
    }
    Some(name.strip_prefix("public.").map(str::to_owned).unwrap_or(name))
}
