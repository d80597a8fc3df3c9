//! Calls of code that a value is: `(self.load)(id)`, `self.handlers[kind](id)`, `find(name)?(id)`, and `hook(id)` of a variable.

use std::collections::HashMap;

use super::Reader;
use crate::rust::lex::tokens::TokenKind;

/// How many tokens of an arm's pattern are read.
const MAX_PATTERN: usize = 32;

/// How many tokens the arguments may have that give what is called, and the index of it.
const MAX_ARGUMENTS: usize = 256;

/// The variables of a function that patterns bind, other than to closures: what they hold may be code. What tokens do not tell
/// is taken for a variable too many rather than for one too few.
#[derive(Default)]
pub(super) struct Bound<'t> {
    /// How many there are of each name.
    count: HashMap<&'t str, usize>,
    /// Their names, each with the number of braces around it.
    names: Vec<(&'t str, usize)>,
    /// Those that come into scope behind what is read now.
    next: Vec<Next<'t>>,
    /// The pattern that is read now, with the number of braces around it.
    pattern: Option<(Scope, usize)>,
}

/// A variable that comes into scope.
struct Next<'t> {
    name: &'t str,
    /// The number of braces around its pattern.
    depth: usize,
    scope: Scope,
}

/// Where the variables of a pattern come into scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Behind the statement: `let`.
    Rest,
    /// In the block that follows: `if let`, `while let`, `for`.
    Block,
    /// Behind the pattern: the inputs of a closure.
    Here,
}

impl<'t> Bound<'t> {
    /// Reads the current token, with so many braces around it.
    pub(super) fn read(&mut self, reader: &Reader<'t>, depth: usize) {
        let token = reader.tokens[reader.at];
        match token.kind {
            TokenKind::Word => self.word(reader, token.text, depth),
            TokenKind::RawWord => self.note(token.name()),
            TokenKind::Sign(b'=') if matches!(self.pattern, Some((Scope::Rest | Scope::Block, _))) => {
                self.pattern = None;
                if reader.begins_closure(reader.at + 1) {
                    self.next.retain(|next| next.scope != Scope::Rest || next.depth < depth);
                }
            }
            TokenKind::Sign(b'|') if matches!(self.pattern, Some((Scope::Here, _))) => {
                self.pattern = None;
                self.enter(depth, |next| next.scope == Scope::Here);
            }
            TokenKind::Sign(b'|') if self.pattern.is_none() && reader.may_begin_closure() => {
                self.pattern = Some((Scope::Here, depth));
            }
            TokenKind::Sign(b'>') if reader.is_at_sign(reader.at.checked_sub(1), b'=') => {
                self.arm(reader, depth)
            }
            TokenKind::Sign(b';') => {
                self.pattern = None;
                self.enter(depth, |next| next.scope == Scope::Rest && next.depth == depth);
            }
            TokenKind::Sign(b'{') if self.pattern.is_none() || !reader.follows_type() => {
                self.pattern = None;
                self.enter(depth + 1, |next| next.scope == Scope::Block && next.depth == depth);
            }
            // That of a pattern ends no block.
            TokenKind::Sign(b'}') if self.pattern.is_none() => {
                self.next.retain(|next| next.depth < depth);
                while let Some((name, _)) = self.names.pop_if(|(_, of)| *of >= depth) {
                    self.count.entry(name).and_modify(|count| *count -= 1);
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, reader: &Reader<'t>, word: &'t str, depth: usize) {
        match word {
            "let" => {
                let asks = reader.at.checked_sub(1).and_then(|at| reader.tokens.get(at));
                let asks = asks.is_some_and(|before| {
                    matches!(before.text, "if" | "while") || before.kind == TokenKind::Sign(b'&')
                });
                self.pattern = Some((if asks { Scope::Block } else { Scope::Rest }, depth));
            }
            // `for<'a> fn(&'a str)` is a type.
            "for" if !reader.is_at_sign(Some(reader.at + 1), b'<') => {
                self.pattern = Some((Scope::Block, depth));
            }
            "in" => self.pattern = None,
            "mut" | "ref" | "if" | "box" | "move" | "dyn" | "fn" | "impl" | "const" | "as" => {}
            _ if word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') => self.note(word),
            _ => {}
        }
    }

    /// Notes a name, if it stands in a pattern.
    fn note(&mut self, name: &'t str) {
        self.next.extend(self.pattern.map(|(scope, depth)| Next { name, depth, scope }));
    }

    /// Brings some of the variables into scope.
    fn enter(&mut self, depth: usize, is_one: impl Fn(&Next<'t>) -> bool) {
        let Bound { next, names, count, .. } = self;
        for new in next.extract_if(.., |next| is_one(next)) {
            names.push((new.name, depth));
            *count.entry(new.name).or_default() += 1;
        }
    }

    /// Reads the pattern of the arm whose arrow is here: what it takes out of a value is in scope.
    fn arm(&mut self, reader: &Reader<'t>, depth: usize) {
        let arrow = reader.at.saturating_sub(1);
        let mut inside = 0usize;
        for at in (arrow.saturating_sub(MAX_PATTERN)..arrow).rev() {
            let token = reader.tokens[at];
            match token.kind {
                TokenKind::Sign(b')' | b']') => inside += 1,
                TokenKind::Sign(b'}') if inside > 0 || reader.ends_pattern(at) => inside += 1,
                TokenKind::Sign(b'(' | b'[' | b'{') if inside > 0 => inside -= 1,
                TokenKind::Sign(b'(' | b'[' | b'{' | b'}' | b';') => return,
                TokenKind::Sign(b',') if inside == 0 => return,
                TokenKind::Word if inside > 0 && token.text.starts_with(|c: char| c.is_ascii_lowercase()) => {
                    self.names.push((token.text, depth));
                    *self.count.entry(token.text).or_default() += 1;
                }
                _ => {}
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.count.get(name).is_some_and(|count| *count > 0)
    }
}

impl<'t> Reader<'t> {
    /// Whether the parenthesis here begins the arguments of a call of code that a value is.
    pub(super) fn is_call_of_code(&self, bound: &Bound<'t>) -> bool {
        let Some(before) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) else { return false };
        match before.kind {
            TokenKind::Sign(b')') => self.is_value_before(self.at - 1),
            TokenKind::Sign(b']') => self.is_indexed(self.at - 1),
            TokenKind::Sign(b'?') => self.is_at_sign(self.at.checked_sub(2), b')'),
            TokenKind::Word | TokenKind::RawWord => {
                let follows = |sign| self.is_at_sign(self.at.checked_sub(2), sign);
                bound.has(before.name()) && !follows(b'.') && !follows(b':')
            }
            _ => false,
        }
    }

    /// Whether the parenthesis that ends here is around a value, or around the arguments of a call: not `pub(crate) (A, B)`.
    fn is_value_before(&self, close: usize) -> bool {
        let Some(open) = self.opening_near(close) else { return false };
        let Some(before) = open.checked_sub(1).and_then(|at| self.tokens.get(at)) else { return false };
        let is_keyword = matches!(before.text, "fn" | "if" | "in" | "match" | "pub" | "return" | "while");
        let is_called = matches!(before.kind, TokenKind::Word | TokenKind::RawWord) && !is_keyword;
        is_called || before.text != "pub" && self.is_field_or_pointer(open)
    }

    /// Whether a parenthesis is around a field, or around what a pointer points to: `(self.load)`, `(*load)`.
    fn is_field_or_pointer(&self, open: usize) -> bool {
        self.is_at_sign(Some(open + 2), b'.') || self.is_at_sign(Some(open + 1), b'*')
    }

    /// Whether the bracket that ends here is that of an index: `handlers[kind]`, not `#[cfg(test)]`.
    fn is_indexed(&self, close: usize) -> bool {
        let before = self.opening_near(close).and_then(|open| open.checked_sub(1));
        let before = before.and_then(|at| self.tokens.get(at));
        before.is_some_and(|before| {
            matches!(before.kind, TokenKind::Word | TokenKind::RawWord | TokenKind::Sign(b')' | b']'))
        })
    }

    /// The bracket that the one at `close` closes, if it is not far away: brackets may nest to any depth.
    fn opening_near(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        (0..=close).rev().take(MAX_ARGUMENTS).find(|at| {
            match self.kind(Some(*at)) {
                Some(TokenKind::Sign(b')' | b']' | b'}')) => depth += 1,
                Some(TokenKind::Sign(b'(' | b'[' | b'{')) => depth -= 1,
                _ => {}
            }
            depth == 0
        })
    }

    /// Whether the value at `at` is a closure, by reference or behind a pointer: `Box::new(move |id| ..)`.
    fn begins_closure(&self, at: usize) -> bool {
        let mut at = at;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                TokenKind::Sign(b'|') => return true,
                TokenKind::Sign(b'&') => at += 1,
                TokenKind::Word if matches!(token.text, "move" | "async" | "mut" | "static") => at += 1,
                TokenKind::Word if matches!(token.text, "Arc" | "Box" | "Rc") => at += 5,
                _ => return false,
            }
        }
        false
    }

    /// Whether the bar here may begin the inputs of a closure, rather than be an operator.
    fn may_begin_closure(&self) -> bool {
        let Some(before) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) else { return false };
        match before.kind {
            TokenKind::Sign(b'(' | b',' | b'=' | b'{' | b';' | b'>' | b'&') => true,
            TokenKind::Word => matches!(before.text, "move" | "async" | "return" | "else" | "static"),
            _ => false,
        }
    }

    /// Whether the brace here follows the name of a type: that of a pattern.
    fn follows_type(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|before| {
            before.kind == TokenKind::Word && before.text.starts_with(|c: char| c.is_ascii_uppercase())
        })
    }

    /// Whether the brace at `at` ends a part of an arm's pattern.
    fn ends_pattern(&self, at: usize) -> bool {
        matches!(self.kind(Some(at + 1)), Some(TokenKind::Sign(b'=' | b'|')))
            || self.is_at(Some(at + 1), "if")
    }
}
