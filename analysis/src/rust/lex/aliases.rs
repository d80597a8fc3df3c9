//! The names that a file gives to others: renamed imports, macros that make queries, and types of code.

use std::collections::HashSet;

use super::tokens::{Token, TokenKind};
use crate::rust::query_names;

/// Whether a word in a type says that it is code: a trait of closures, or the type of a function.
pub(super) fn is_of_code(word: &str) -> bool {
    word == "fn" || is_trait_of_code(word)
}

/// Whether a name is that of a trait of closures.
pub(in crate::rust) fn is_trait_of_code(name: &str) -> bool {
    matches!(name, "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce")
}

/// The types and traits that may be code, each with the types that it names: `type Callback = Box<dyn Fn(i64)>`,
/// `trait Visit: FnMut(i64)`, the parameter of `impl<F: Fn(i64)> Job<F>`. An alias of an alias is one by the names.
pub(super) fn code_types<'t>(tokens: &[Token<'t>]) -> Vec<(&'t str, Vec<&'t str>)> {
    let mut found = code_parameters(tokens);
    let mut at = 0usize;
    while let Some(token) = tokens.get(at) {
        at += 1;
        if !(token.kind == TokenKind::Word && matches!(token.text, "type" | "trait")) {
            continue;
        }
        let Some(name) = tokens.get(at).filter(|name| name.kind == TokenKind::Word) else { continue };
        let mut types = Vec::new();
        while let Some(token) = tokens.get(at + 1) {
            match token.kind {
                TokenKind::Sign(b';' | b'{') => break,
                TokenKind::Word if is_of_code(token.text) || token.text.starts_with(char::is_uppercase) => {
                    types.push(token.text);
                }
                _ => {}
            }
            at += 1;
        }
        if !types.is_empty() {
            found.push((name.text, types));
        }
    }
    found
}

/// The type parameters of `impl` blocks that are code.
fn code_parameters<'t>(tokens: &[Token<'t>]) -> Vec<(&'t str, Vec<&'t str>)> {
    let is_sign =
        |token: Option<&Token<'_>>, sign: u8| token.is_some_and(|it| it.kind == TokenKind::Sign(sign));
    let mut found = Vec::new();
    for (start, _) in tokens.iter().enumerate().filter(|(_, token)| token.is("impl")) {
        let header = tokens.iter().skip(start + 1);
        let end = header
            .clone()
            .position(|token| matches!(token.kind, TokenKind::Sign(b'{' | b';')) || token.is("impl"));
        let header = tokens.get(start + 1..start + 1 + end.unwrap_or(0)).unwrap_or_default();
        for (at, name) in header.iter().enumerate().filter(|(_, it)| it.kind == TokenKind::Word) {
            let mut bound = header.iter().skip(at + 2).skip_while(|it| {
                // `F: for<'a> Fn(&'a A)`
                it.is("for") || matches!(it.kind, TokenKind::Sign(b'<' | b'>') | TokenKind::Lifetime)
            });
            if is_sign(header.get(at + 1), b':')
                && let Some(of) = bound.next().filter(|of| is_trait_of_code(of.text))
            {
                found.push((name.text, vec![of.text]));
            }
        }
    }
    found
}

/// Whether the name at `at` is that of an attribute with one name in it: `[call(fetch)]`.
fn is_attribute(tokens: &[Token<'_>], at: usize) -> bool {
    let sign = |at: Option<usize>| match at.and_then(|at| tokens.get(at)).map(|token| token.kind) {
        Some(TokenKind::Sign(sign)) => sign,
        _ => 0,
    };
    [at.checked_sub(1), Some(at + 1), Some(at + 3), Some(at + 4)].map(sign) == *b"[()]"
}

/// The renames in imports, and those of `delegate!`: `#[call(fetch)] fn load(&self);`.
pub(super) fn renames<'t>(tokens: &[Token<'t>]) -> Vec<(&'t str, &'t str)> {
    let mut found = Vec::new();
    let mut in_use = false;
    let mut called = None;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Word if token.text == "use" => in_use = true,
            TokenKind::Sign(b';') => (in_use, called) = (false, None),
            TokenKind::Word if token.text == "call" && is_attribute(tokens, at) => {
                called = tokens.get(at + 2)
            }
            TokenKind::Word if token.text == "fn" => {
                let pair = called.take().zip(tokens.get(at + 1));
                found.extend(pair.map(|(name, new)| (name.name(), new.name())));
            }
            TokenKind::Word if in_use && token.text == "as" => {
                let name = at.checked_sub(1).and_then(|before| tokens.get(before));
                let new = tokens.get(at + 1);
                let pair = name.zip(new).map(|(name, new)| (name.name(), new.name()));
                found.extend(pair.filter(|(name, new)| name != new && *new != "_"));
            }
            _ => {}
        }
    }
    found
}

/// The aliases that a file gives to functions and macros that make queries: `use sqlx::query as q`, and macros whose rules mention
/// it.
pub(super) fn renamed<'t>(tokens: &[Token<'t>]) -> HashSet<&'t str> {
    let mut names = HashSet::new();
    let mut at = 0usize;
    // An iterator with positions takes three times as long in a build, where this runs on all tokens.
    for token in tokens {
        at += 1;
        if !matches!((token.kind, token.text.len()), (TokenKind::Word, 2 | 11)) {
            continue;
        }
        match token.text {
            "as" => {
                let before = at.checked_sub(2).and_then(|before| tokens.get(before));
                if before.is_some_and(|name| query_names::makes_query(name.text)) {
                    names.extend(tokens.get(at).map(|new| new.text));
                }
            }
            "macro_rules" => names.extend(wrapper(tokens.get(at + 1..).unwrap_or_default())),
            _ => {}
        }
    }
    names
}

/// The name of a macro if its rules mention something that makes a query.
fn wrapper<'t>(definition: &[Token<'t>]) -> Option<&'t str> {
    let (name, rules) = definition.split_first()?;
    let mut depth = 0usize;
    for token in rules {
        match token.kind {
            TokenKind::Sign(b'{' | b'(' | b'[') => depth += 1,
            TokenKind::Sign(b'}' | b')' | b']') => depth = depth.saturating_sub(1),
            TokenKind::Word if query_names::makes_query(token.text) => return Some(name.text),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    None
}
