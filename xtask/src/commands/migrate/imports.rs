//! `use` statements for the names of a crate, edited as text: everything unrelated to the macros stays
//! exactly the same.

use std::collections::BTreeSet;
use std::ops::Range;

use super::rewrite::Edit;

/// A `use` of names of a crate.
pub(super) struct Import {
    /// From the start of the line to the semicolon.
    span: Range<usize>,
    /// The text before `use`: white space and `pub`.
    lead: String,
    /// What is imported, as written.
    items: Vec<String>,
    /// Whether it spans several lines.
    is_tall: bool,
    /// Whether it can be changed: it has no attributes.
    pub(super) is_plain: bool,
}

impl Import {
    /// Whether a name is imported without a rename.
    pub(super) fn has(&self, name: &str) -> bool {
        self.items.iter().any(|item| item == name)
    }

    /// Whether something is imported as `name`.
    pub(super) fn renames(&self, name: &str) -> bool {
        self.items.iter().any(|item| item.split_once(" as ").is_some_and(|(_, new)| new.trim() == name))
    }

    fn written(&self, of: &str, items: &[String]) -> String {
        let lead = &self.lead;
        match items {
            [item] if !item.contains('{') && item != "self" => format!("{lead}use {of}::{item};"),
            items if self.is_tall => {
                let indent = lead.trim_end_matches(|c: char| !c.is_whitespace());
                let indent: String = indent.chars().take_while(|c| c.is_whitespace()).collect();
                let lines: String = items.iter().map(|item| format!("{indent}    {item},\n")).collect();
                format!("{lead}use {of}::{{\n{lines}{indent}}};")
            }
            items => format!("{lead}use {of}::{{{}}};", items.join(", ")),
        }
    }
}

/// The imports from the crate `of` in a text.
pub(super) fn of(text: &str, of: &str) -> Vec<Import> {
    let head = format!("use {of}::");
    text.match_indices(&head).filter_map(|(at, _)| import(text, at, head.len())).collect()
}

fn import(text: &str, at: usize, head: usize) -> Option<Import> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let lead = text.get(begin..at)?;
    let visible = lead.trim();
    if !(visible.is_empty() || visible == "pub" || visible.starts_with("pub(") && visible.ends_with(')')) {
        return None;
    }
    let length = text.get(at..)?.find(';')?;
    let tree = text.get(at + head..at + length)?.trim();
    let items = match tree.strip_prefix('{').and_then(|tree| tree.strip_suffix('}')) {
        Some(list) => split(list),
        None => vec![tree.to_owned()],
    };
    let above = text.get(..begin.saturating_sub(1))?.lines().next_back().unwrap_or_default();
    Some(Import {
        span: begin..at + length + 1,
        lead: lead.to_owned(),
        items,
        is_tall: tree.contains('\n'),
        is_plain: !above.trim_start().starts_with("#["),
    })
}

/// The items of a list; nested braces stay together.
fn split(list: &str) -> Vec<String> {
    let mut items = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(list.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(list.get(from..).unwrap_or_default());
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// The edits that change the import of `names` from crate `from` to crate `to`.
pub(super) fn moved(
    text: &str,
    imports: &[Import],
    names: &BTreeSet<&str>,
    from: &str,
    to: &str,
) -> Vec<Edit> {
    let others = of(text, to);
    let mut joined: Vec<(usize, Vec<String>)> = Vec::new();
    let mut edits = Vec::new();
    for import in imports.iter().filter(|import| import.is_plain) {
        let (moved, kept): (Vec<String>, Vec<String>) =
            import.items.iter().cloned().partition(|item| names.contains(item.as_str()));
        if moved.is_empty() {
            continue;
        }
        // An existing import is extended, preferably the one below, where a move leaves the rest of a list; otherwise
        // the other crate gets a line of its own.
        let fits = |other: &&Import| other.is_plain && other.lead == import.lead;
        let below = others.iter().position(|other| fits(&other) && other.span.start == import.span.end + 1);
        let other = below.or_else(|| others.iter().position(|other| fits(&other)));
        let new = match other {
            Some(other) => {
                joined.push((other, moved));
                None
            }
            None => Some(import.written(to, &moved)),
        };
        let kept = (!kept.is_empty()).then(|| import.written(from, &kept));
        let lines: Vec<String> = [new, kept].into_iter().flatten().collect();
        // A statement without remaining items is removed with its line.
        let end = import.span.end
            + usize::from(
                lines.is_empty() && text.get(import.span.end..).is_some_and(|rest| rest.starts_with('\n')),
            );
        edits.push((import.span.start..end, lines.join("\n")));
    }
    for (at, other) in others.iter().enumerate() {
        let mut added: Vec<String> =
            joined.iter().filter(|(of, _)| *of == at).flat_map(|(_, moved)| moved.iter().cloned()).collect();
        if added.is_empty() {
            continue;
        }
        added.retain(|item| !other.items.contains(item));
        let mut items = other.items.clone();
        items.append(&mut added);
        items.sort_by_key(|item| order(&other.items, item));
        edits.push((other.span.clone(), other.written(to, &items)));
    }
    edits
}

/// Types before functions or after them, as in the rest of the list.
fn order(list: &[String], item: &str) -> (bool, String) {
    let is_type = |item: &str| item.starts_with(char::is_uppercase);
    let lower_first =
        list.first().is_some_and(|first| !is_type(first)) && list.iter().any(|item| is_type(item));
    (is_type(item) == lower_first, item.to_owned())
}
