//! String literals: their text, and the source position of each part.

use std::sync::Arc;

use proc_macro2::Literal;
use syn::Lit;

use crate::finding::Place;
use crate::rust::site::SqlLiteral;

/// The text of a literal; `None` if it is not a string. Literals without escapes are read directly, because
/// the parser goes character by character.
pub fn text_of(literal: &Literal) -> Option<String> {
    let source = literal.to_string();
    match plain(&source) {
        Some(content) => Some(content.to_owned()),
        None => match Lit::new(literal.clone()) {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
    }
}

/// The content of a string without escapes.
fn plain(source: &str) -> Option<&str> {
    let content = source.strip_prefix('"')?.strip_suffix('"')?;
    (!content.contains('\\') && !content.contains('\r')).then_some(content)
}

/// The text of a literal with the places of its parts: one at its start, and one wherever the next character
/// of the text is not the next character of the source line (at a line break, an escape, or a continuation
/// with `\`). `None` if it is not a string.
pub(in crate::rust) fn read(literal: &Literal, file: &Arc<str>) -> Option<SqlLiteral> {
    let start = literal.span().start();
    let source = literal.to_string();
    let mut reader = Reader {
        file,
        line: u32::try_from(start.line).unwrap_or(0),
        column: u32::try_from(start.column).unwrap_or(0) + 1,
        text: String::with_capacity(source.len()),
        parts: Vec::new(),
        broken: true,
    };
    reader.read(&source);
    // The parser resolves escapes reliably.
    if plain(&source).is_none() {
        let value = text_of(literal)?.replace("\r\n", "\n");
        if reader.text != value {
            return Some(SqlLiteral { text: value.into(), parts: Vec::new() });
        }
    }
    // No file begins with a literal: one of no file, as the rules of a macro hold it, has no place.
    let has_place = start.line > 0 && (start.line, start.column) != (1, 0);
    let parts = if has_place { reader.parts } else { Vec::new() };
    Some(SqlLiteral { text: reader.text.into(), parts })
}

/// Reads the source of a literal at `at`, without a parser, if it is a string without escapes.
pub(in crate::rust) fn read_at(source: &str, at: Place) -> Option<SqlLiteral> {
    let is_raw = source.starts_with("r\"") || source.starts_with("r#");
    if source.contains('\r') || !is_raw && plain(source).is_none() {
        return None;
    }
    let mut reader = Reader {
        file: &at.file,
        line: at.line,
        column: at.column,
        text: String::with_capacity(source.len()),
        parts: Vec::new(),
        broken: true,
    };
    reader.read(source);
    Some(SqlLiteral { text: reader.text.into(), parts: reader.parts })
}

/// Concatenates texts, for `concat!` and `+`.
pub(in crate::rust) fn join(literals: impl IntoIterator<Item = SqlLiteral>) -> SqlLiteral {
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
    /// Whether the next character of the text starts a new part.
    broken: bool,
}

impl Reader<'_> {
    fn read(&mut self, source: &str) {
        let Some((prefix, rest)) = source.split_once('"') else { return };
        let hashes = prefix.strip_prefix('r').map(str::len);
        self.column += u32::try_from(prefix.len()).unwrap_or(0) + 1;
        let end = rest.len().saturating_sub(1 + hashes.unwrap_or(0));
        let Some(content) = rest.get(..end) else { return };
        let content = content.replace("\r\n", "\n");
        match hashes {
            Some(_) => self.verbatim(&content),
            None => self.cooked(&content),
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

    /// Text that represents itself.
    fn verbatim(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            if self.broken {
                self.mark();
            }
            self.text.push_str(line);
            self.skip(line);
        }
    }

    /// Skips source that represents nothing, and ends at the latest where the line does.
    fn skip(&mut self, part: &str) {
        if part.ends_with('\n') {
            self.line += 1;
            self.column = 1;
            self.broken = true;
        } else {
            self.column += u32::try_from(part.chars().count()).unwrap_or(0);
        }
    }

    fn cooked(&mut self, content: &str) {
        let mut rest = content;
        while let Some((before, escape)) = rest.split_once('\\') {
            self.verbatim(before);
            rest = self.escape(escape);
        }
        self.verbatim(rest);
    }

    /// Reads what follows a backslash, and returns the rest.
    fn escape<'t>(&mut self, source: &'t str) -> &'t str {
        self.mark();
        self.broken = true;
        self.column += 1;
        let mut chars = source.chars();
        let Some(escape) = chars.next() else { return "" };
        self.skip(source.get(..escape.len_utf8()).unwrap_or_default());
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
                // A line continuation and the blanks after it represent nothing.
                self.parts.pop();
                let rest = chars.as_str();
                let after = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
                let blanks = rest.get(..rest.len() - after.len()).unwrap_or_default();
                blanks.split_inclusive('\n').for_each(|blank| self.skip(blank));
                self.broken = true;
                return after;
            }
            other => self.text.push(other),
        }
        chars.as_str()
    }

    fn code(&mut self, digits: &str) {
        let digits = digits.replace('_', "");
        let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        self.text.extend(c);
    }
}
