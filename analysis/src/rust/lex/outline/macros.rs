//! Macros outside of functions: those that are defined, and what the others may make.

use std::collections::HashSet;

use super::{Outlined, Reader};
use crate::rust::lex::tokens::{Token, TokenKind};

impl<'t> Reader<'t> {
    pub(super) fn is_macro(&self, name: Token<'t>) -> bool {
        name.kind == TokenKind::Word && self.is_at_sign(Some(self.at + 1), b'!')
    }

    /// Notes a macro that is defined or used outside of functions; its content is read once more after it.
    pub(super) fn note_macro(&mut self, name: Token<'t>) {
        let (start, is_defined) = (self.at, name.text == "macro_rules");
        if self.noted.get(usize::from(is_defined)).is_some_and(|noted| start < *noted) {
            return;
        }
        let defined = self.peek(2).map(|token| token.text);
        let (mut queries, mut words, mut depth) = (false, HashSet::new(), 0usize);
        self.at += if is_defined { 3 } else { 2 };
        while let Some(token) = self.peek(0) {
            match token.kind {
                TokenKind::Sign(b'(' | b'[' | b'{') => depth += 1,
                TokenKind::Sign(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                TokenKind::Word | TokenKind::RawWord => {
                    queries |= is_defined && (self.is_query(token) || self.is_of_driver(token));
                    words.insert(token.name());
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.at += 1;
        }
        let end = std::mem::replace(&mut self.at, start);
        self.noted.get_mut(usize::from(is_defined)).into_iter().for_each(|noted| *noted = end);
        if let (Some(defined), true) = (defined, is_defined) {
            let calls = words.into_iter().collect();
            self.outline.macros.push(Outlined { queries, calls, ..Outlined::of_name(defined) });
        } else {
            let made =
                words.into_iter().map(|word| Outlined { calls: vec![name.text], ..Outlined::of_name(word) });
            self.outline.made.extend(made);
        }
    }
}
