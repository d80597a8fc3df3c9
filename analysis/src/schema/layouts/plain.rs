//! Files without an order in their names: they are sorted by dependencies.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Named;
use super::{File, NamedFiles};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind, unquote};

/// Whether any line starts a statement that creates or changes something.
pub(crate) fn makes_something(text: &str) -> bool {
    text.split(['\n', '\r', ';']).any(|line| {
        let mut words = line.trim_start_matches('\u{feff}').split_whitespace();
        words.next().is_some_and(|word| ["create", "alter"].iter().any(|it| word.eq_ignore_ascii_case(it)))
    })
}

/// The files by name, but each after those that create the tables it mentions.
pub(super) fn in_order(files: Vec<(Named, File)>) -> Vec<(Named, File)> {
    let words: Vec<Words> = files.iter().map(|(_, file)| Words::of(&file.text)).collect();
    let mut made_by: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, words) in words.iter().enumerate() {
        words.makes.iter().for_each(|name| {
            made_by.entry(name).or_insert(place);
        });
    }
    let mut order = Vec::new();
    let mut seen = vec![false; files.len()];
    for place in 0..files.len() {
        visit(place, &words, &made_by, &mut seen, &mut order);
    }
    let mut files: Vec<Option<(Named, File)>> = files.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| files.get_mut(place)?.take()).collect()
}

/// Divides files without a number into those on which the numbered ones build, and others: the first create tables that those
/// only use, and none that those create.
pub(super) fn built_upon(files: NamedFiles, numbered: &[(Named, File)]) -> (NamedFiles, NamedFiles) {
    // Reading all migrations takes time, and few folders have such files.
    if files.is_empty() {
        return (files, Vec::new());
    }
    let mut all = Words::default();
    for (_, file) in numbered {
        let Words { makes, needs } = Words::of(&file.text);
        all.makes.extend(makes);
        all.needs.extend(needs);
    }
    files.into_iter().partition(|(_, file)| {
        let makes = Words::of(&file.text).makes;
        makes.is_disjoint(&all.makes) && !makes.is_disjoint(&all.needs)
    })
}

/// Whether a file creates tables that the texts only change, and none that they create.
pub(super) fn is_base<'t>(file: &str, texts: impl Iterator<Item = &'t str>) -> bool {
    let makes = Words::of(file).makes;
    let mut all = Words::default();
    for text in texts {
        let Words { makes, needs } = Words::of(text);
        all.makes.extend(makes);
        all.needs.extend(needs);
    }
    makes.is_disjoint(&all.makes) && !makes.is_disjoint(&all.needs)
}

/// Places a file after its dependencies; cycles are cut where they are found. Uses an explicit stack, since a
/// chain of dependencies may be as long as the directory.
fn visit(
    first: usize,
    words: &[Words],
    made_by: &BTreeMap<&str, usize>,
    seen: &mut [bool],
    order: &mut Vec<usize>,
) {
    let mut open = vec![(first, false)];
    while let Some((place, is_done)) = open.pop() {
        if is_done {
            order.push(place);
            continue;
        }
        let Some(seen) = seen.get_mut(place).filter(|seen| !**seen) else { continue };
        *seen = true;
        open.push((place, true));
        let needs = words.get(place).into_iter().flat_map(|words| &words.needs);
        let needed: BTreeSet<usize> = needs.filter_map(|name| made_by.get(name.as_str()).copied()).collect();
        open.extend(needed.into_iter().rev().filter(|it| *it != place).map(|it| (it, false)));
    }
}

/// The tables that a file creates, and those that it depends on.
#[derive(Default)]
struct Words {
    makes: BTreeSet<String>,
    needs: BTreeSet<String>,
}

impl Words {
    fn of(text: &str) -> Words {
        let mut found = Words::default();
        let mut before = [String::new(), String::new()];
        let mut place_of_name = before.clone();
        for token in Lexer::new(text, Dialect::Postgres) {
            let source = text.get(token.span.range()).unwrap_or("");
            if source == "." {
                // The word was that of a schema: the next one is in its place.
                let schema = std::mem::take(&mut before[1]);
                found.makes.remove(&schema);
                found.needs.remove(&schema);
                before = place_of_name.clone();
                continue;
            }
            if !matches!(token.kind, TokenKind::Word | TokenKind::Name) {
                continue;
            }
            place_of_name = before.clone();
            let word = unquote(source, Dialect::Postgres).to_lowercase();
            if [
                "if",
                "not",
                "exists",
                "only",
                "unlogged",
                "temporary",
                "temp",
                "foreign",
                "or",
                "replace",
                "materialized",
            ]
            .contains(&word.as_str())
            {
                continue;
            }
            match (before[0].as_str(), before[1].as_str()) {
                ("create", "table" | "view" | "type") => found.makes.insert(word.clone()),
                ("alter", "table") | (_, "references" | "from" | "join" | "on") => {
                    found.needs.insert(word.clone())
                }
                _ => false,
            };
            before.swap(0, 1);
            before[1] = word;
        }
        found
    }
}
