//! How the text of an expression falls into parts, and how templates are filled.

use super::Text;
use crate::schema::ddl::cursor::Cursor;
use crate::sql::Dialect;
use crate::sql::quote::quote_if_needed;

/// Skips `::type` and `COLLATE x` after a value.
pub(super) fn casts(cursor: &mut Cursor<'_>) {
    loop {
        if cursor.take_symbol("::") {
            let _ = cursor.written();
            while cursor.is_symbol("(") || cursor.is_symbol("[") || cursor.is("varying") {
                cursor.skip();
            }
        } else if cursor.take("collate") {
            let _ = cursor.written();
        } else {
            return;
        }
    }
}

/// Whether an expression is conditional.
pub(super) fn is_choice(list: &str) -> bool {
    let word = list.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    ["if", "case"].iter().any(|choice| word.eq_ignore_ascii_case(choice))
}

/// An expression over rows of the catalog, with their count inserted if it is known.
pub(super) fn counted(list: &str, count: Option<&str>, dialect: Dialect) -> String {
    let Some(count) = count else { return list.to_owned() };
    let mut cursor = Cursor::new(list, dialect);
    let mut text = String::new();
    while !cursor.done() {
        let start = cursor.at;
        if cursor.is("count") && cursor.text_ahead(1) == "(" {
            cursor.at += 1;
            cursor.skip();
            text.push_str(count);
        } else {
            cursor.at += 1;
            text.push_str(cursor.source(start, cursor.at));
        }
        text.push(' ');
    }
    text
}

/// Whether a text starts like a statement that changes the schema.
pub(super) fn may_change(text: &Text) -> bool {
    let filled = text.filled();
    let first = filled.split_whitespace().next().unwrap_or("");
    ["create", "alter", "drop", "rename"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// The elements of a comma-separated list.
pub(super) fn arguments(inside: &str, dialect: Dialect) -> Vec<&str> {
    let mut cursor = Cursor::new(inside, dialect);
    let mut found = Vec::new();
    while !cursor.done() {
        let start = cursor.at;
        while !cursor.done() && !cursor.is_symbol(",") {
            cursor.skip();
        }
        found.push(cursor.source(start, cursor.at));
        cursor.take_symbol(",");
    }
    found
}

/// Splits a condition at the first occurrence of a word outside of parentheses.
pub(super) fn parted<'t>(condition: &'t str, word: &str, dialect: Dialect) -> Option<(&'t str, &'t str)> {
    let mut cursor = Cursor::new(condition, dialect);
    while !cursor.done() && !cursor.is(word) {
        cursor.skip();
    }
    let at = cursor.at;
    if cursor.done() || at == 0 {
        return None;
    }
    let left = cursor.source(0, at);
    cursor.skip_all();
    Some((left, cursor.source(at + 1, cursor.at)))
}

/// Postgres's `format`: `%I`, `%s`, `%L`, `%1$I`, `%%`.
pub(super) fn format(template: &str, values: &[Text]) -> Text {
    let mut text = Text::default();
    let mut next = 0;
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        text.push(Text::of(before));
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        let behind = after.get(digits.len()..).unwrap_or("");
        let (place, behind) = match (behind.strip_prefix('$'), digits.parse::<usize>()) {
            (Some(behind), Ok(place)) => (place.saturating_sub(1), behind),
            _ => (next, behind.trim_start_matches('-')),
        };
        let kind = behind.chars().next();
        rest = behind.get(kind.map_or(0, char::len_utf8)..).unwrap_or("");
        let value = values.get(place).cloned().unwrap_or_else(Text::hole);
        if kind != Some('%') {
            next = place + 1;
        }
        text.push(match kind {
            Some('%') => Text::of("%"),
            Some('I') => value.map(|name| quote_if_needed(name, Dialect::Postgres)),
            Some('L') => {
                let quote = || Some("'".to_owned());
                match value.known() {
                    Some(literal) => Text::of(format!("'{}'", literal.replace('\'', "''"))),
                    None => Text(vec![quote(), None, quote()]),
                }
            }
            Some('s') => value,
            _ => return Text::hole(),
        });
    }
    text.push(Text::of(rest));
    text
}
