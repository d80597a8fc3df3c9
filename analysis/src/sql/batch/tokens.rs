//! The text of a statement as tokens, with the numbers of its parameters, and edits of it.

use std::ops::Range;

use crate::sql::Dialect;
use crate::sql::lex::{Lexer, Token, TokenKind, text_at};

/// A statement's text, prepared for edits.
pub(super) struct Text<'t> {
    pub(super) sql: &'t str,
    pub(super) tokens: Vec<Token>,
    /// For each token that is a parameter, its number.
    numbers: Vec<Option<usize>>,
}

impl<'t> Text<'t> {
    /// Tokenizes a text; `None` if its parameters are named, or it contains several statements.
    pub(super) fn new(sql: &'t str, dialect: Dialect) -> Option<Text<'t>> {
        let tokens: Vec<Token> = Lexer::new(sql, dialect).collect();
        let mut most = 0;
        let mut numbers = Vec::with_capacity(tokens.len());
        for token in &tokens {
            let text = sql.get(token.span.range())?;
            if token.kind == TokenKind::Open || text == ";" {
                return None;
            }
            let number = match (token.kind, text) {
                (TokenKind::Parameter, "?") => Some(most + 1),
                (TokenKind::Parameter, _) => Some(text.strip_prefix(['$', '?'])?.parse::<usize>().ok()?),
                _ => None,
            };
            most = most.max(number.unwrap_or(0));
            numbers.push(number);
        }
        Some(Text { sql, tokens, numbers })
    }

    /// The text of a token; empty past the end.
    pub(super) fn text(&self, at: usize) -> &'t str {
        text_at(self.sql, &self.tokens, at)
    }

    /// Whether a token is an unquoted word.
    pub(super) fn is_word(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word)
            && self.text(at).eq_ignore_ascii_case(word)
    }

    /// Whether the word occurs in the text as a name or keyword.
    pub(super) fn mentions(&self, word: &str) -> bool {
        (0..self.tokens.len()).any(|at| self.text(at).trim_matches(['"', '`']).eq_ignore_ascii_case(word))
    }

    /// The bytes from one token to another, inclusive.
    pub(super) fn span(&self, first: usize, last: usize) -> Option<Range<usize>> {
        Some(self.tokens.get(first)?.span.range().start..self.tokens.get(last)?.span.range().end)
    }

    /// The tokens that are parameters, each with its number.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.numbers.iter().enumerate().filter_map(|(at, number)| Some((at, (*number)?)))
    }

    /// The position of this parameter, if it occurs exactly once.
    pub(super) fn only(&self, number: usize) -> Option<usize> {
        let mut found = self.parameters().filter(|(_, known)| *known == number);
        let (at, _) = found.next()?;
        found.next().is_none().then_some(at)
    }

    /// The first occurrence of a word outside of parentheses, from a token on.
    pub(super) fn outside(&self, word: &str, from: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (0..self.tokens.len()).find(|at| {
            match self.text(*at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && *at >= from && self.is_word(*at, word)
        })
    }

    /// The parenthesis that closes the one at `open`.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (open..self.tokens.len()).find(|at| {
            match self.text(*at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
    }

    /// The tokens between two parentheses, split at commas.
    pub(super) fn pieces(&self, open: usize, close: usize) -> Vec<Range<usize>> {
        let mut depth = 0_usize;
        let mut first = open + 1;
        let mut pieces = Vec::new();
        for at in open + 1..close {
            match self.text(at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    pieces.push(first..at);
                    first = at + 1;
                }
                _ => {}
            }
        }
        pieces.push(first..close);
        pieces
    }

    /// The type that a parameter is cast to in place, `$1::uuid`, with the last token of the cast.
    pub(super) fn cast(&self, parameter: usize) -> Option<(&'t str, usize)> {
        let colons = if self.text(parameter + 1) == "::" { 1 } else { 2 };
        if self.text(parameter + 1) != "::"
            && (self.text(parameter + 1), self.text(parameter + 2)) != (":", ":")
        {
            return None;
        }
        let ty = parameter + colons + 1;
        let plain = matches!(self.tokens.get(ty)?.kind, TokenKind::Word | TokenKind::Name);
        let goes_on =
            matches!(self.text(ty + 1), "[" | "(" | ".") || self.text(ty + 1).eq_ignore_ascii_case("with");
        (plain && !goes_on).then(|| (self.text(ty), ty))
    }
}

/// Replacements of ranges of bytes.
pub(super) type Edits = Vec<(Range<usize>, String)>;

/// Applies edits to the text, sorted by position; `None` if two of them overlap.
pub(super) fn apply(sql: &str, edits: &mut Edits) -> Option<String> {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut text = String::with_capacity(sql.len() + 64);
    let mut at = 0;
    for (span, replacement) in edits.iter() {
        text += sql.get(at..span.start)?;
        text += replacement;
        at = span.end;
    }
    text += sql.get(at..)?;
    Some(text)
}

/// A statement on one line, without comments. PostgreSQL joins strings on separate lines, and refuses them side by side:
/// they become one.
pub fn on_one_line(sql: &str, dialect: Dialect) -> String {
    let mut line = String::with_capacity(sql.len());
    let mut last: Option<Token> = None;
    for token in Lexer::new(sql, dialect) {
        let span = token.span.range();
        let text = sql.get(span.clone()).unwrap_or_default();
        let between = last.and_then(|last| sql.get(last.span.range().end..span.start)).unwrap_or_default();
        let are_texts =
            last.is_some_and(|last| last.kind == TokenKind::Text) && token.kind == TokenKind::Text;
        let goes_on = dialect == Dialect::Postgres && are_texts && between.contains(['\n', '\r']);
        match text.strip_prefix('\'').filter(|_| goes_on && line.ends_with('\'')) {
            Some(rest) => {
                line.pop();
                line += rest;
            }
            None => {
                if !between.is_empty() && !line.ends_with('(') {
                    line.push(' ');
                }
                line += text;
            }
        }
        last = Some(token);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the servers answer: PostgreSQL refuses `'a' 'b'`, MySQL joins them.
    #[test]
    fn strings_on_separate_lines_are_one_in_postgres() {
        for (sql, line) in [
            ("SELECT 'a'\n  'b'", "SELECT 'ab'"),
            ("SELECT 'it''s'\r\n'b'\n'c' || 'd'\n, 'e'", "SELECT 'it''sbc' || 'd' , 'e'"),
            ("SELECT e'\\n' -- one\n '\\t'", "SELECT e'\\n\\t'"),
            ("SELECT '' \n ''''", "SELECT ''''"),
            ("SELECT date '2020-01-01'\nFROM t", "SELECT date '2020-01-01' FROM t"),
            ("SELECT $$a$$\n'b'", "SELECT $$a$$ 'b'"),
        ] {
            assert_eq!(on_one_line(sql, Dialect::Postgres), line, "{sql}");
        }
        assert_eq!(on_one_line("SELECT 'a'\n  'b'", Dialect::MySql), "SELECT 'a' 'b'");
    }
}
