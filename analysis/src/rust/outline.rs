//! What a file's tokens tell without parsing: where its functions' bodies are, and which names stand in them.
//!
//! The compiler's own lexer reads a hundred times as fast as the parser does, which is what makes it possible to look at
//! every file of a workspace and to parse only what can matter.

use std::collections::HashSet;
use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

use super::names;

/// A file, by its names.
#[derive(Debug, Default)]
pub(super) struct Outline<'t> {
    /// Its functions; those inside of functions belong to the body they stand in.
    pub(super) functions: Vec<Outlined<'t>>,
}

/// A function, by its names.
#[derive(Debug)]
pub(super) struct Outlined<'t> {
    /// Its name.
    pub(super) name: &'t str,
    /// The bytes of all of it, from behind the token before it to its last brace: comments and attributes included.
    pub(super) whole: Range<usize>,
    /// The bytes of its body, braces not included.
    pub(super) body: Range<usize>,
    /// How it comes to wait for a query.
    pub(super) waits: Waits,
    /// Whether something in it looks like a query.
    pub(super) queries: bool,
    /// The names that it may call.
    pub(super) calls: HashSet<&'t str>,
}

/// How a function can wait for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Not at all: nothing in it is async.
    Never,
    /// Whoever calls it has to await what it gives.
    Awaited,
    /// It blocks, or starts something that goes on beside it.
    Itself,
}

/// A token that is no space and no comment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    pub(super) start: usize,
}

/// Reads the names of a file.
pub(super) fn outline(text: &str) -> Outline<'_> {
    read(text, true)
}

/// The same without the names that functions may call, where only the queries that they make themselves are asked for.
pub(super) fn outline_of_queries(text: &str) -> Outline<'_> {
    read(text, false)
}

fn read(text: &str, with_calls: bool) -> Outline<'_> {
    let tokens = tokens(text);
    let renamed = tokens.windows(3).filter_map(|words| match words {
        [name, word, new] if is_word(*word, "as") && names::makes_query(name.text) => Some(new.text),
        _ => None,
    });
    let renamed = renamed.chain(wrappers(&tokens)).collect();
    let mut reader = Reader { tokens, renamed, with_calls, length: text.len(), ..Reader::default() };
    reader.items();
    reader.outline
}

fn is_word(token: Token<'_>, word: &str) -> bool {
    token.kind == TokenKind::Ident && token.text == word
}

/// The tokens of a text, spaces and comments left out.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut start = 0;
    let mut tokens = Vec::with_capacity(text.len() / 6);
    for token in tokenize(text, FrontmatterAllowed::No) {
        let end = start + token.len as usize;
        let is_space = matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
        );
        if !is_space && let Some(text) = text.get(start..end) {
            tokens.push(Token { kind: token.kind, text, start });
        }
        start = end;
    }
    tokens
}

/// The macros of a file whose rules name something that makes a query.
fn wrappers<'a, 't>(tokens: &'a [Token<'t>]) -> impl Iterator<Item = &'t str> + use<'a, 't> {
    let defined = tokens.iter().enumerate().filter(|(_, token)| is_word(**token, "macro_rules"));
    defined.filter_map(|(at, _)| {
        let name = tokens.get(at + 2)?;
        let mut depth = 0usize;
        for token in tokens.get(at + 3..)? {
            match token.kind {
                TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::Ident if names::makes_query(token.text) => return Some(name.text),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        None
    })
}

#[derive(Default)]
struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    /// The names that the file gives to what makes queries: `use sqlx::query as q`, and macros that expand to one.
    renamed: HashSet<&'t str>,
    /// Whether the names are read that functions may call.
    with_calls: bool,
    /// The length of the text, in bytes.
    length: usize,
    outline: Outline<'t>,
}

impl<'t> Reader<'t> {
    fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn kind(&self, at: Option<usize>) -> Option<TokenKind> {
        self.tokens.get(at?).map(|token| token.kind)
    }

    /// Reads to the end of the file, from body to body.
    fn items(&mut self) {
        while let Some(token) = self.peek(0) {
            if token.kind == TokenKind::Ident && token.text == "fn" && self.is_function() {
                self.function();
            } else {
                self.at += 1;
            }
        }
    }

    /// Whether a name follows `fn`, which else is a type.
    fn is_function(&self) -> bool {
        self.peek(1).is_some_and(|token| matches!(token.kind, TokenKind::Ident | TokenKind::RawIdent))
    }

    /// Whether the token at `at` is called: `name(`, `name!`, `name::<T>(`.
    fn is_called(&self, at: usize) -> bool {
        matches!(self.kind(Some(at + 1)), Some(TokenKind::OpenParen | TokenKind::Bang | TokenKind::Colon))
    }

    /// Whether the name at hand makes or runs a query, or is a macro that may.
    fn is_query(&self, name: Token<'t>) -> bool {
        let is_macro = self.peek(1).is_some_and(|token| token.kind == TokenKind::Bang);
        is_macro
            && (name.text.contains("query") || name.text.contains("sql") || self.renamed.contains(name.text))
            || self.is_named(self.at)
                && (names::makes_query(name.text)
                    || names::is_executor(name.text)
                    || self.renamed.contains(name.text))
    }

    /// Where a function begins whose `fn` is at hand: behind the token before its attributes and qualifiers.
    fn beginning(&self) -> usize {
        let mut at = self.at;
        loop {
            let Some(before) = at.checked_sub(1) else { return 0 };
            let Some(token) = self.tokens.get(before) else { return 0 };
            at = match token.kind {
                TokenKind::Ident
                    if matches!(
                        token.text,
                        "async" | "const" | "default" | "extern" | "pub" | "safe" | "unsafe"
                    ) =>
                {
                    before
                }
                // The ABI behind `extern`.
                TokenKind::Literal { .. } if self.is_at(before.checked_sub(1), "extern") => before,
                TokenKind::CloseParen => match self.opening(before).and_then(|open| open.checked_sub(1)) {
                    Some(owner) if self.is_at(Some(owner), "pub") => owner,
                    _ => return token.start + token.text.len(),
                },
                TokenKind::CloseBracket => match self.opening(before).and_then(|open| open.checked_sub(1)) {
                    Some(hash) if self.kind(Some(hash)) == Some(TokenKind::Pound) => hash,
                    _ => return token.start + token.text.len(),
                },
                _ => return token.start + token.text.len(),
            };
        }
    }

    fn is_at(&self, at: Option<usize>, word: &str) -> bool {
        at.and_then(|at| self.tokens.get(at)).is_some_and(|token| is_word(*token, word))
    }

    /// The bracket that the one at `close` closes.
    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        (0..=close).rev().find(|at| {
            match self.kind(Some(*at)) {
                Some(TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace) => depth += 1,
                Some(TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace) => depth -= 1,
                _ => {}
            }
            depth == 0
        })
    }

    /// Reads a function from its `fn` to the end of its body.
    fn function(&mut self) {
        let beginning = self.beginning();
        let before = [1, 2, 3].map(|back| self.at.checked_sub(back).and_then(|at| self.tokens.get(at)));
        let is_async = before.iter().flatten().any(|token| token.text == "async");
        let name = self.peek(1).map(|token| token.text).unwrap_or_default();
        self.at += 2;
        let mut waits = if is_async { Waits::Awaited } else { Waits::Never };
        let mut depth = 0usize;
        let open = loop {
            let Some(token) = self.peek(0) else { return };
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
                TokenKind::OpenBrace if depth == 0 => break token,
                // A declaration without a body.
                TokenKind::Semi if depth == 0 => return,
                TokenKind::Ident if token.text.contains("Future") || token.text.contains("Stream") => {
                    waits = Waits::Awaited;
                }
                _ => {}
            }
            self.at += 1;
        };
        let mut function = Outlined {
            name,
            whole: beginning..self.length,
            body: open.start + 1..self.length,
            waits,
            queries: false,
            calls: HashSet::new(),
        };
        self.body(&mut function);
        self.outline.functions.push(function);
    }

    /// Reads a body from its brace on.
    fn body(&mut self, function: &mut Outlined<'t>) {
        let mut depth = 0usize;
        while let Some(token) = self.peek(0) {
            match token.kind {
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace => {
                    depth -= 1;
                    if depth == 0 {
                        function.body.end = token.start;
                        function.whole.end = token.start + 1;
                        self.at += 1;
                        return;
                    }
                }
                TokenKind::Ident | TokenKind::RawIdent => {
                    match token.text {
                        "block_on" | "block_in_place" | "spawn" | "spawn_blocking" | "spawn_local"
                            if function.waits == Waits::Never =>
                        {
                            function.waits = Waits::Itself;
                        }
                        "async" if function.waits == Waits::Never => function.waits = Waits::Awaited,
                        _ => {}
                    }
                    function.queries |= self.is_query(token);
                    if self.with_calls && self.is_named(self.at) {
                        function.calls.insert(token.text);
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether the name at `at` is called, or handed over or kept to be called: `load(x)`, `.map(Self::load)`, `let f = load;`.
    fn is_named(&self, at: usize) -> bool {
        let next = self.kind(Some(at + 1));
        let last = self.kind(at.checked_sub(1));
        let ends = matches!(
            next,
            Some(TokenKind::CloseParen | TokenKind::Comma | TokenKind::Semi | TokenKind::CloseBracket)
        );
        let begins =
            matches!(last, Some(TokenKind::OpenParen | TokenKind::Comma | TokenKind::Colon | TokenKind::Eq));
        self.is_called(at) || begins && ends
    }
}
