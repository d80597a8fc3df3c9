//! Functions that are values: in constants, in lists, and as one of several.

use std::collections::HashSet;

use super::{Outlined, Reader};
use crate::rust::lex::tokens::TokenKind;

impl<'t> Reader<'t> {
    /// Notes the functions that a constant may be, as what a function of its name calls: `const HANDLERS: [fn(i64); 2] = [a, b];`.
    pub(super) fn note_constant(&mut self) {
        let Some(name) = self.peek(1).filter(|name| is_constant(name.text)) else { return };
        if self.at < self.constants || self.peek(2).is_none_or(|next| next.kind != TokenKind::Sign(b':')) {
            return;
        }
        let (mut calls, mut depth, mut at) = (HashSet::new(), 0usize, self.at + 3);
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                TokenKind::Sign(b'(' | b'[' | b'{') => depth += 1,
                TokenKind::Sign(b')' | b']' | b'}') if depth == 0 => break,
                TokenKind::Sign(b')' | b']' | b'}') => depth -= 1,
                TokenKind::Sign(b';') if depth == 0 => break,
                TokenKind::Word
                    if (self.is_given(at) || self.is_chosen(at))
                        && token.text.starts_with(char::is_lowercase) =>
                {
                    calls.insert(token.text);
                }
                _ => {}
            }
            at += 1;
        }
        self.constants = at;
        if !calls.is_empty() {
            let calls = calls.into_iter().collect();
            self.outline.made.push(Outlined { calls, ..Outlined::of_name(name.text) });
        }
    }

    /// Whether the name at `at` is passed on or stored.
    pub(super) fn is_given(&self, at: usize) -> bool {
        let ends = matches!(self.kind(Some(at + 1)), Some(TokenKind::Sign(b')' | b',' | b';' | b']')));
        let begins =
            || matches!(self.kind(at.checked_sub(1)), Some(TokenKind::Sign(b'(' | b',' | b':' | b'=')));
        // In the last field of a struct: `Hook { on: mark }`.
        let is_last = || {
            let follows = |back, sign| self.is_at_sign(at.checked_sub(back), sign);
            self.is_at_sign(Some(at + 1), b'}') && follows(1, b':') && !follows(2, b':')
        };
        ends && begins() || is_last()
    }

    /// Whether the name at `at` is one of several that a value may be: `if a { load } else { find }`,
    /// `_ => load,`, `[load, find]`.
    pub(super) fn is_chosen(&self, at: usize) -> bool {
        let follows = |sign| self.is_at_sign(at.checked_sub(1), sign);
        let is_arm = || follows(b'>') && self.is_at_sign(at.checked_sub(2), b'=');
        match self.kind(Some(at + 1)) {
            Some(TokenKind::Sign(b'}')) => follows(b'{') || is_arm(),
            Some(TokenKind::Sign(b',')) => follows(b'[') || is_arm(),
            Some(TokenKind::Sign(b']')) => follows(b'['),
            _ => false,
        }
    }
}

/// Whether a name is written as those of constants are.
pub(super) fn is_constant(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}
