//! String literals: their text, and where each part of it stands in the source.

use std::sync::Arc;

use syn::LitStr;

use super::site::SqlLiteral;
use crate::finding::Place;

/// The text of a literal with the places of its parts: one at its start, and one wherever a character of the text is not
/// the next character of the source line (a line's beginning, an escape, a line that goes on after `\`).
pub(super) fn read(literal: &LitStr, file: &Arc<str>) -> SqlLiteral {
    let value = literal.value().replace("\r\n", "\n");
    let start = literal.span().start();
    let mut reader = Reader {
        file,
        line: u32::try_from(start.line).unwrap_or(0),
        column: u32::try_from(start.column).unwrap_or(0) + 1,
        text: String::with_capacity(value.len()),
        parts: Vec::new(),
        broken: true,
    };
    reader.read(&literal.token().to_string());
    // The compiler made the value; where this reading disagrees, the places are not to be trusted.
    if reader.text == value && start.line > 0 {
        SqlLiteral { text: reader.text.into(), parts: reader.parts }
    } else {
        SqlLiteral { text: value.into(), parts: Vec::new() }
    }
}

/// Puts texts together, for `concat!` and `+`.
pub(super) fn join(literals: impl IntoIterator<Item = SqlLiteral>) -> SqlLiteral {
    let mut text = String::new();
    let mut parts = Vec::new();
    for literal in literals {
        parts.extend(literal.parts.into_iter().map(|(at, place)| (text.len() + at, place)));
        text.push_str(&literal.text);
    }
    SqlLiteral { text: text.into(), parts }
}

struct Reader<'a> {
    file: &'a Arc<str>,
    line: u32,
    column: u32,
    text: String,
    parts: Vec<(usize, Place)>,
    /// Whether the next character of the text begins a part.
    broken: bool,
}

impl Reader<'_> {
    fn read(&mut self, source: &str) {
        let mut chars = source.chars().peekable();
        let raw = chars.peek() == Some(&'r');
        let mut hashes = 0;
        for c in chars.by_ref() {
            self.column += 1;
            match c {
                '#' => hashes += 1,
                '"' => break,
                _ => {}
            }
        }
        let rest: String = chars.collect();
        let closing = 1 + if raw { hashes } else { 0 };
        let end = rest.len().saturating_sub(closing);
        let Some(content) = rest.get(..end) else { return };
        if raw {
            content.replace("\r\n", "\n").chars().for_each(|c| self.verbatim(c));
        } else {
            self.cooked(&content.replace("\r\n", "\n"));
        }
        if self.text.is_empty() {
            self.mark();
        }
    }

    fn mark(&mut self) {
        self.parts
            .push((self.text.len(), Place { file: self.file.clone(), line: self.line, column: self.column }));
        self.broken = false;
    }

    fn verbatim(&mut self, c: char) {
        if self.broken {
            self.mark();
        }
        self.text.push(c);
        self.skip(c);
    }

    /// Moves past a character of the source.
    fn skip(&mut self, c: char) {
        if c == '\n' {
            self.line += 1;
            self.column = 1;
            self.broken = true;
        } else {
            self.column += 1;
        }
    }

    fn cooked(&mut self, content: &str) {
        let mut chars = content.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '\\' {
                self.verbatim(c);
                continue;
            }
            self.mark();
            self.broken = true;
            self.column += 1;
            let Some(escape) = chars.next() else { return };
            self.skip(escape);
            match escape {
                'n' => self.text.push('\n'),
                't' => self.text.push('\t'),
                'r' => self.text.push('\r'),
                '0' => self.text.push('\0'),
                'x' => {
                    let digits: String = chars.by_ref().take(2).collect();
                    self.column += 2;
                    self.code(&digits);
                }
                'u' => {
                    let digits: String = chars.by_ref().take_while(|&c| c != '}').collect();
                    self.column += u32::try_from(digits.chars().count()).unwrap_or(0) + 1;
                    self.code(digits.trim_start_matches('{'));
                }
                '\n' => {
                    // Nothing stands for the line end and the blanks that follow.
                    self.parts.pop();
                    while let Some(&blank) = chars.peek()
                        && blank.is_ascii_whitespace()
                    {
                        self.skip(blank);
                        chars.next();
                    }
                    self.broken = true;
                }
                other => self.text.push(other),
            }
        }
    }

    fn code(&mut self, digits: &str) {
        let digits = digits.replace('_', "");
        let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        self.text.extend(c);
    }
}
