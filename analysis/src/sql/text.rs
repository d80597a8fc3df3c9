//! Positions in SQL text.

use std::ops::Range;

use super::Dialect;
use super::lex::{Lexer, Token, TokenKind};

/// A range of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end: end.max(start) }
    }

    /// The span as a range of bytes.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// The parameters of a text in the notation of MySQL and SQLite, which PostgreSQL does not have: a `?` in the
/// position of a value. PostgreSQL's operators `?`, `?|` and `?&` are between two values.
pub fn bare_parameters(sql: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut before: Option<Token> = None;
    for token in Lexer::new(sql, Dialect::Sqlite) {
        let is_bare = token.kind == TokenKind::Parameter && sql.get(token.span.range()) == Some("?");
        if is_bare && before.is_none_or(|before| asks_for_value(sql, before)) {
            found.push(token.span);
        }
        before = Some(token);
    }
    found
}

/// Whether a value, rather than an operator, has to follow a token.
fn asks_for_value(sql: &str, token: Token) -> bool {
    let text = sql.get(token.span.range()).unwrap_or_default();
    match token.kind {
        TokenKind::Symbol => !matches!(text, ")" | "]"),
        TokenKind::Word => {
            const BEFORE_VALUES: &[&str] = &[
                "and",
                "or",
                "not",
                "in",
                "like",
                "ilike",
                "between",
                "limit",
                "offset",
                "where",
                "select",
                "then",
                "else",
                "when",
                "case",
                "on",
                "by",
                "returning",
                "any",
                "all",
                "values",
                "set",
                "is",
                "from",
                "distinct",
                "having",
                "glob",
                "regexp",
                "similar",
                "to",
                "for",
                "interval",
                "escape",
            ];
            BEFORE_VALUES.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        TokenKind::Name | TokenKind::Text | TokenKind::Number | TokenKind::Parameter | TokenKind::Open => {
            false
        }
    }
}

/// Maps lines and columns of a text (both counted from 1, columns in characters) to bytes.
#[derive(Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    /// The first byte of each line.
    starts: Vec<usize>,
    /// The first byte of each character; empty if all characters are one byte. A parser asks for thousands of
    /// positions, and a text may be one line of a megabyte: counting its characters each time takes minutes.
    characters: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    /// Indexes the lines of `text`.
    pub fn new(text: &'t str) -> LineIndex<'t> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let characters =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        LineIndex { text, starts, characters }
    }

    /// Whether a word ends right before a byte.
    pub(crate) fn is_behind(&self, byte: usize, word: &str) -> bool {
        let before = self.text.get(..byte).unwrap_or_default().trim_end();
        let last = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        last.is_some_and(|last| last.eq_ignore_ascii_case(word))
    }

    /// Whether the text before a byte ends in these words, one after the other.
    pub(crate) fn is_behind_all(&self, byte: usize, words: &[&str]) -> bool {
        let mut before = self.text.get(..byte).unwrap_or_default();
        words.iter().rev().all(|word| {
            before = before.trim_end();
            let start = before.len().checked_sub(word.len());
            let Some(start) = start.filter(|start| before.is_char_boundary(*start)) else { return false };
            let (rest, last) = before.split_at(start);
            before = rest;
            last.eq_ignore_ascii_case(word) && !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    }

    /// The number of the character at a byte, counted from 0.
    fn character(&self, byte: usize) -> usize {
        if self.characters.is_empty() { byte } else { self.characters.partition_point(|&start| start < byte) }
    }

    /// The byte at a line and column; a position outside the text is clamped.
    pub fn offset(&self, line: u64, column: u64) -> usize {
        let line = usize::try_from(line).unwrap_or(usize::MAX).clamp(1, self.starts.len());
        let column = usize::try_from(column).unwrap_or(usize::MAX).max(1);
        let character = self.character(self.starts[line - 1]).saturating_add(column - 1);
        if self.characters.is_empty() {
            return character.min(self.text.len());
        }
        self.characters.get(character).copied().unwrap_or(self.text.len())
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// The line and column of a byte, both counted from 1.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset =
            (0..=offset.min(self.text.len())).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0);
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts[line - 1];
        (line, self.character(offset) - self.character(start) + 1)
    }
}

/// How many candidates are compared with a name. Where a schema has more, many names may be unknown for one reason.
const MOST_COMPARED: usize = 2_000;

/// The candidate most similar to `name`, if the difference is small enough for a typo: at most a third of the
/// letters.
pub fn most_similar<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    let length = name.chars().count();
    let limit = (length / 3).max(1);
    let is_near = |candidate: &&str| candidate.chars().count().abs_diff(length) <= limit;
    candidates
        .take(MOST_COMPARED)
        .filter(is_near)
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        // Two different one-letter names have nothing in common.
        .filter(|(distance, _)| *distance <= limit && *distance < length)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Whether a name may be a misspelling of a similar one. Names with the same number of words that differ in a whole word are
/// two names (`user_sessions` and `user_messages`).
pub fn is_slip(name: &str, similar: &str) -> bool {
    let words = |of: &str| of.split(['_', '.']).map(str::to_owned).collect::<Vec<_>>();
    let (written, meant) = (words(name), words(similar));
    let is_near = |pair: (&String, &String)| {
        let limit = (pair.0.chars().count() / 3).max(1);
        strsim::osa_distance(pair.0, pair.1) <= limit
    };
    written.len() < 2 || written.len() != meant.len() || written.iter().zip(&meant).all(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_another_word_is_no_slip() {
        for (name, similar, expected) in [
            ("repository_hostnames", "repository_configs", false),
            ("user_session", "user_sessions", true),
            ("user_sessionx", "user_sessions", true),
            ("reservations", "reservation", true),
            ("repository", "repository_id", true),
        ] {
            assert_eq!(is_slip(name, similar), expected, "{name}");
        }
    }

    #[test]
    fn a_parameter_is_told_from_an_operator() {
        let count = |sql: &str| bare_parameters(sql).len();
        assert_eq!(count("DELETE FROM t WHERE id = ? AND n IN (?, ?) AND m LIKE ? LIMIT ?"), 5);
        assert_eq!(count("INSERT INTO t VALUES (?, ?)"), 2);
        assert_eq!(count("SELECT 1 WHERE tags ? 'a' AND tags ?| $1 AND tags->'b' ? 'c' AND f(x) ? 'd'"), 0);
        assert_eq!(count("SELECT '?', \"?\", ?1 -- ?"), 0);
    }

    #[test]
    fn offsets_and_lines_are_inverse() {
        for text in ["a\nbç d\n", "a\nbc d\n\ne", "ç\n"] {
            let index = LineIndex::new(text);
            for (offset, _) in text.char_indices() {
                let (line, column) = index.line_column(offset);
                assert_eq!(index.offset(line as u64, column as u64), offset, "{text:?}");
            }
        }
    }

    #[test]
    fn columns_are_characters() {
        let index = LineIndex::new("é\nüb");
        assert_eq!(index.line_column("é\nü".len()), (2, 2));
        assert_eq!(index.offset(2, 2), "é\nü".len());
        assert_eq!(LineIndex::new("é").line_column(1), (1, 1), "a byte inside a character is that character");
    }

    #[test]
    fn places_outside_the_text_are_moved_inside() {
        let index = LineIndex::new("ab");
        assert_eq!(index.offset(0, 0), 0);
        assert_eq!(index.offset(9, 9), 2);
        assert_eq!(index.line_column(99), (1, 3));
    }
}
