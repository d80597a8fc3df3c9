//! The code around functions: imports, types, modules, macros.

use std::sync::Arc;

use super::{Reader, query_of};
use crate::allow;
use crate::rust::lex::outline::Outlined;
use crate::rust::lex::tokens::TokenKind;

impl<'t> Reader<'_, 't> {
    /// The names that the file imports from this crate: `use query_budget::{sql, sql_as};`. `None` if it may give
    /// one of our names to something else.
    pub(super) fn imported(&self) -> Option<Vec<&'t str>> {
        let mut names = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            at += 1;
            // Most tokens are neither, as their lengths show at once.
            let text = self.tokens[at - 1].text;
            if text.len() == MACRO_RULES.len() && text == MACRO_RULES {
                return None;
            }
            if text.len() != 3 || self.tokens[at - 1].kind != TokenKind::Word || text != "use" {
                continue;
            }
            let is_ours = self.word(at) == Some("query_budget") && self.is_path(at + 1);
            at += if is_ours { 3 } else { 0 };
            while at < self.tokens.len() && !self.is_sign(at, b';') {
                let name = self.tokens[at].text;
                match is_ours {
                    true if name == "as" || self.is_path(at) => return None,
                    // Each name of a body is looked up among them.
                    true if names.contains(&name) => {}
                    true => names.push(name),
                    false if name == "query_budget" || query_of(name).is_some() => return None,
                    false => {}
                }
                at += 1;
            }
        }
        Some(names)
    }

    /// Reads what is before the body that starts at a byte.
    pub(super) fn items(&mut self, body: usize, around: &mut Around<'t>) {
        let mut owner = None;
        while self.at < self.tokens.len() && self.tokens[self.at].start + 1 < body {
            match self.tokens[self.at].kind {
                TokenKind::Sign(b'{') => {
                    if around.braces == 0 {
                        around.owner = owner.take();
                    }
                    around.braces += 1;
                }
                TokenKind::Sign(b'}') => around.braces = around.braces.saturating_sub(1),
                TokenKind::Sign(b'(' | b'[') => around.brackets += 1,
                TokenKind::Sign(b')' | b']') => around.brackets = around.brackets.saturating_sub(1),
                TokenKind::Sign(b'!') => self.has_macros |= self.at > 0 && self.word(self.at - 1).is_some(),
                TokenKind::Word if around.braces == 0 && self.tokens[self.at].text == "impl" => {
                    owner = self.owner()
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// The type of an `impl` that is not a test.
    pub(super) fn owner(&self) -> Option<&'t str> {
        let mut first = self.at;
        while first > 0 && self.is_sign(first - 1, b']') {
            let open = (0..first).rev().find(|at| self.is_sign(*at, b'#'))?;
            if self.concerns_test(open, first) {
                return None;
            }
            first = open;
        }
        let before = first.checked_sub(1).and_then(|before| self.kind(before));
        if !matches!(before, None | Some(TokenKind::Sign(b';' | b'}'))) {
            return None;
        }
        let (mut owner, mut depth) = (None, 0usize);
        for at in self.at + 1..self.tokens.len() {
            match self.tokens[at].kind {
                TokenKind::Sign(b'<') => depth += 1,
                // The arrow of a function.
                TokenKind::Sign(b'>') if self.is_sign(at - 1, b'-') => return None,
                TokenKind::Sign(b'>') => depth = depth.checked_sub(1)?,
                TokenKind::Sign(b'{') if depth == 0 => return owner,
                TokenKind::Sign(b'{' | b'(' | b'[' | b';') => return None,
                TokenKind::Word if depth == 0 => match self.tokens[at].text {
                    "where" => return owner,
                    "dyn" | "const" => return None,
                    "for" => owner = None,
                    name => owner = Some(name),
                },
                _ => {}
            }
        }
        None
    }

    /// Whether attributes may make code a test, or allow a lint.
    pub(super) fn concerns_test(&self, from: usize, to: usize) -> bool {
        let mut words = (from..to).filter_map(|at| self.word(at));
        words.any(|word| {
            matches!(
                word,
                "allow" | "bench" | "cfg" | "cfg_attr" | "query_budget" | "rstest" | "test" | "test_case"
            )
        })
    }

    /// The path of a function that is not a test.
    pub(super) fn path(&self, function: &Outlined<'_>, around: &Around<'_>) -> Option<Arc<str>> {
        let (mut before, mut has_attribute) = (self.at, false);
        while before > 0 && self.tokens[before - 1].start >= function.whole.start {
            before -= 1;
            has_attribute |= self.is_sign(before, b'#');
        }
        match (around.brackets, around.braces, around.owner) {
            _ if has_attribute && self.concerns_test(before, self.at) => None,
            _ if function.name.contains('#') => None,
            (0, 0, _) => Some(function.name.into()),
            (0, 1, Some(owner)) => Some(format!("{owner}::{}", function.name).into()),
            _ => None,
        }
    }

    /// Reads to the end of a body; returns the positions of the tokens in it.
    pub(super) fn body(&mut self, function: &Outlined<'_>) -> std::ops::Range<usize> {
        let start = self.at + 1;
        while self.at < self.tokens.len() && self.tokens[self.at].start < function.body.end {
            self.at += 1;
        }
        let end = self.at;
        self.at += 1;
        start..end
    }
}

/// The item that contains a function.
#[derive(Default)]
pub(super) struct Around<'t> {
    /// The type of the `impl` that the first brace opens.
    owner: Option<&'t str>,
    braces: usize,
    /// Other brackets: those of a macro, of an attribute.
    brackets: usize,
}

/// A macro of the file may have one of our names.
pub(super) const MACRO_RULES: &str = "macro_rules";

/// Whether a text may have directives, or begins with a byte order mark.
pub(super) fn is_commented(text: &str) -> bool {
    // The first letter is rare.
    let mut begins = text.match_indices('q').map(|(at, _)| text.get(at..).unwrap_or_default());
    text.starts_with('\u{feff}') || begins.any(|rest| rest.starts_with(allow::MARK))
}
