//! `use` statements, edited as text: everything unrelated to the macros stays exactly the same.

use std::collections::BTreeSet;
use std::ops::Range;

use super::rewrite::Edit;

/// A `use` of names from one path.
pub(super) struct Import {
    /// From the start of the line to the semicolon.
    span: Range<usize>,
    /// The lines above it with attributes, which hold for each part of it.
    attributes: String,
    /// The text before `use`: white space and `pub`.
    lead: String,
    /// The path before the names: `sqlx`, `::sqlx`, `crate::db`.
    path: String,
    items: Vec<Item>,
    /// Whether it spans several lines.
    is_tall: bool,
    /// Whether it can be changed: its attributes are on lines of their own, and no other file imports names through it.
    is_plain: bool,
    /// Whether it is an entry of a list of all imports, `use {sqlx::query, std::fmt};`: its span is that of the entry.
    is_entry: bool,
}

/// What is imported, as written, and the comments about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Item {
    name: String,
    above: Vec<String>,
    beside: Vec<String>,
}

impl Import {
    /// Whether it is of the crate `of`.
    pub(super) fn is_from(&self, of: &str) -> bool {
        self.path.strip_prefix("::").unwrap_or(&self.path) == of
    }

    /// Whether it is of a module of the same crate, which may re-export names.
    pub(super) fn is_of_module(&self) -> bool {
        matches!(self.path.split("::").next(), Some("crate" | "self" | "super"))
    }

    /// Whether a name is imported without a rename, by a statement that can be changed.
    pub(super) fn can_move(&self, name: &str) -> bool {
        self.is_plain && self.items.iter().any(|item| item.name == name)
    }

    /// Whether something is imported as `name`.
    pub(super) fn renames(&self, name: &str) -> bool {
        let of = |item: &Item| item.name.split_once(" as ").is_some_and(|(_, new)| new.trim() == name);
        self.items.iter().any(of)
    }

    fn written(&self, path: &str, items: &[Item], newline: &str) -> String {
        if self.is_entry {
            let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
            return match names[..] {
                [name] if name != "self" => format!("{path}::{name}"),
                _ => format!("{path}::{{{}}}", names.join(", ")),
            };
        }
        let lead = &self.lead;
        let is_bare = |item: &Item| item.above.is_empty() && item.beside.is_empty();
        match items {
            [item] if is_bare(item) && !item.name.contains('{') && item.name != "self" => {
                format!("{lead}use {path}::{};", item.name)
            }
            items if self.is_tall || !items.iter().all(is_bare) => {
                let indent: String = lead.chars().take_while(|c| c.is_whitespace()).collect();
                let lines = items.iter().map(|item| {
                    let above: String =
                        item.above.iter().map(|comment| format!("{indent}    {comment}{newline}")).collect();
                    let beside: String = item.beside.iter().map(|comment| format!(" {comment}")).collect();
                    format!("{above}{indent}    {},{beside}{newline}", item.name)
                });
                format!("{lead}use {path}::{{{newline}{}{indent}}};", lines.collect::<String>())
            }
            items => {
                let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
                format!("{lead}use {path}::{{{}}};", names.join(", "))
            }
        }
    }
}

/// The imports in a text.
pub(super) fn all(text: &str) -> Vec<Import> {
    text.match_indices("use ").flat_map(|(at, _)| imports(text, at).unwrap_or_default()).collect()
}

/// The imports of the statement at `at`: several if it is a list of all.
fn imports(text: &str, at: usize) -> Option<Vec<Import>> {
    let mut begin = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    if text.get(begin..at)?.trim_end().ends_with(';') {
        // It is after another statement.
        begin = at;
    }
    let lead = text.get(begin..at)?;
    let visible = lead.trim();
    if !(visible.is_empty() || visible == "pub" || visible.starts_with("pub(") && visible.ends_with(')')) {
        return None;
    }
    let tree = text.get(at + "use ".len()..)?;
    let length = end_of(tree)?;
    let tree = tree.get(..length)?;
    let attributes = text.get(..begin).map_or("", attributes_at_end);
    let above = text.get(..begin - attributes.len())?.lines().next_back().unwrap_or_default().trim();
    // A longer attribute ends in a line of its own.
    let is_plain = visible.is_empty() && !above.ends_with(']');
    if tree.trim_start().starts_with('{') {
        let is_plain = is_plain && attributes.is_empty();
        let list = tree.trim().strip_prefix('{')?.strip_suffix('}')?;
        let start = at + "use ".len() + tree.find('{')? + 1;
        return Some(entries(list, start, is_plain));
    }
    let (path, items) = path_and_items(tree)?;
    Some(vec![Import {
        span: begin..at + "use ".len() + length + 1,
        attributes: attributes.to_owned(),
        lead: lead.to_owned(),
        path,
        items,
        is_tall: tree.contains('\n'),
        is_plain,
        is_entry: false,
    }])
}

/// The lines at the end of a text that are attributes.
fn attributes_at_end(text: &str) -> &str {
    let is_attribute = |line: &&str| line.trim().starts_with("#[") && line.trim().ends_with(']');
    let lines = text.split_inclusive('\n').rev().take_while(is_attribute);
    let length: usize = lines.map(str::len).sum();
    text.get(text.len() - length..).unwrap_or_default()
}

/// The entries of a list of all imports, which starts at `start`.
fn entries(list: &str, start: usize, is_plain: bool) -> Vec<Import> {
    let mut depth = 0_usize;
    let is_between = |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    let mut found = Vec::new();
    let mut at = start;
    for entry in list.split(is_between) {
        let begin = at + entry.len() - entry.trim_start().len();
        at += entry.len() + 1;
        let entry = entry.trim();
        // A comment may hold anything.
        let is_plain = is_plain && !list.contains("//") && !list.contains("/*");
        let Some((path, items)) = path_and_items(entry) else { continue };
        let (span, lead) = (begin..begin + entry.len(), String::new());
        let attributes = String::new();
        found.push(Import { span, attributes, lead, path, items, is_tall: false, is_plain, is_entry: true });
    }
    found
}

/// The path of a tree, and the names that it imports from there.
fn path_and_items(tree: &str) -> Option<(String, Vec<Item>)> {
    let (path, items) = match tree.split_once('{') {
        Some((path, list)) => (path, split(list.trim_end().strip_suffix('}')?)),
        None => {
            let (path, name) = tree.rsplit_once("::")?;
            (path, vec![Item { name: name.trim().to_owned(), ..Item::default() }])
        }
    };
    let path = path.trim().trim_end_matches("::");
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#');
    if path.is_empty() || !path.chars().all(is_path) {
        return None;
    }
    Some((path.to_owned(), items))
}

/// The comment at the start of a text.
fn comment(text: &str) -> Option<&str> {
    let end = match text.get(..2)? {
        "//" => text.find('\n').unwrap_or(text.len()),
        "/*" => text.find("*/")? + 2,
        _ => return None,
    };
    text.get(..end)
}

/// The semicolon that ends a statement.
fn end_of(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let next = rest.find([';', '/'])?;
        if rest.get(next..)?.starts_with(';') {
            return Some(at + next);
        }
        at += next + comment(rest.get(next..)?).map_or(1, str::len);
    }
}

/// The items of a list; nested braces stay together, and a comment stays with the item beside it or below it.
fn split(list: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut item = Item::default();
    let (mut depth, mut at, mut is_beside) = (0_usize, 0, false);
    while let Some(c) = list.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(comment) = list.get(at..).and_then(comment) {
            at += comment.len();
            let comment = comment.trim_end().to_owned();
            match items.last_mut().filter(|_| is_beside && item.name.is_empty()) {
                Some(last) => last.beside.push(comment),
                None if item.name.is_empty() => item.above.push(comment),
                None => item.beside.push(comment),
            }
            continue;
        }
        at += c.len_utf8();
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(std::mem::take(&mut item));
                is_beside = true;
                continue;
            }
            '\n' => is_beside = false,
            _ => {}
        }
        if !(item.name.is_empty() && c.is_whitespace()) {
            item.name.push(c);
        }
    }
    match items.last_mut().filter(|_| item.name.is_empty()) {
        Some(last) => last.beside.append(&mut item.above),
        None => items.push(item),
    }
    for item in &mut items {
        item.name = item.name.trim_end().to_owned();
    }
    items.retain(|item| !item.name.is_empty());
    items
}

/// The edits that import `names` from the crate `to` rather than by `imports`.
pub(super) fn moved(text: &str, imports: &[&Import], names: &BTreeSet<&str>, to: &str) -> Vec<Edit> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let all = all(text);
    let others: Vec<&Import> = all.iter().filter(|import| import.is_from(to)).collect();
    let mut joined: Vec<(usize, Vec<Item>)> = Vec::new();
    let mut edits = Vec::new();
    for import in imports.iter().filter(|import| import.is_plain) {
        let (moved, kept): (Vec<Item>, Vec<Item>) =
            import.items.iter().cloned().partition(|item| names.contains(item.name.as_str()));
        if moved.is_empty() {
            continue;
        }
        // An existing import is extended, preferably the one below, where a move leaves the rest of a list; otherwise
        // the other crate gets a line of its own.
        let is_bare = |import: &Import| import.attributes.is_empty() && !import.is_entry;
        let fits = |other: &&&Import| {
            other.is_plain && other.lead == import.lead && is_bare(import) && other.attributes.is_empty()
        };
        let next = import.span.end + newline.len();
        let below = others.iter().position(|other| fits(&other) && other.span.start == next);
        let other = below.or_else(|| others.iter().position(|other| fits(&other)));
        let new = match other {
            Some(other) => {
                joined.push((other, moved));
                None
            }
            None if import.path.starts_with("::") => {
                Some(import.written(&format!("::{to}"), &moved, newline))
            }
            None => Some(import.written(to, &moved, newline)),
        };
        let kept = (!kept.is_empty()).then(|| {
            let attributes = if new.is_some() { import.attributes.as_str() } else { "" };
            format!("{attributes}{}", import.written(&import.path, &kept, newline))
        });
        let lines: Vec<String> = [new, kept].into_iter().flatten().collect();
        // A statement without remaining items is removed with its line.
        let line =
            text.get(..import.span.start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        let is_line =
            line.is_empty() && text.get(import.span.end..).is_some_and(|rest| rest.starts_with(newline));
        let end = import.span.end + if lines.is_empty() && is_line { newline.len() } else { 0 };
        let between = match (import.is_entry, line.trim().is_empty()) {
            (true, true) => format!(",{newline}{line}"),
            (true, false) => ", ".to_owned(),
            (false, true) => newline.to_owned(),
            (false, false) => " ".to_owned(),
        };
        edits.push((import.span.start..end, lines.join(&between)));
    }
    for (at, other) in others.iter().enumerate() {
        let mut added: Vec<Item> =
            joined.iter().filter(|(of, _)| *of == at).flat_map(|(_, moved)| moved.iter().cloned()).collect();
        if added.is_empty() {
            continue;
        }
        added.retain(|item| !other.items.iter().any(|own| own.name == item.name));
        let mut items = other.items.clone();
        items.append(&mut added);
        items.sort_by_key(|item| order(&other.items, &item.name));
        edits.push((other.span.clone(), other.written(&other.path, &items, newline)));
    }
    edits
}

/// Types before functions or after them, as in the rest of the list.
fn order(list: &[Item], item: &str) -> (bool, String) {
    let is_type = |item: &str| item.starts_with(char::is_uppercase);
    let lower_first = list.first().is_some_and(|first| !is_type(&first.name))
        && list.iter().any(|item| is_type(&item.name));
    (is_type(item) == lower_first, item.to_owned())
}
