//! A cursor over the tokens of one statement.

use std::rc::Rc;

use super::Written;
use crate::schema::model::Column;
use crate::sql::lex::{Lexer, Token, TokenKind, unquote};
use crate::sql::{Dialect, Span};

/// The error for an unexpected token: a lowercase fragment, `expected a name, found ")"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DdlError {
    /// What is wrong.
    pub message: String,
    /// The byte offset of the error in the statement.
    pub offset: usize,
}

impl std::fmt::Display for DdlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DdlError {}

/// The result of reading a part of a statement.
pub(crate) type Parsed<T> = Result<T, DdlError>;

/// The tokens of a statement, and the current position. A clone, used for lookahead, shares the tokens.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'t> {
    pub(crate) text: &'t str,
    pub(crate) dialect: Dialect,
    tokens: Rc<Vec<Token>>,
    pub(crate) at: usize,
}

/// Kinds of statement that contain other statements.
const BODIES: [&str; 7] = ["function", "procedure", "trigger", "event", "rule", "package", "schema"];
/// The keyword for such a kind is among this many leading tokens: after OR REPLACE, and MySQL's DEFINER.
const HEAD: usize = 14;

impl<'t> Cursor<'t> {
    pub(crate) fn new(text: &'t str, dialect: Dialect) -> Cursor<'t> {
        Cursor { text, dialect, tokens: Rc::new(Lexer::new(text, dialect).collect()), at: 0 }
    }

    /// The token `places` positions after the current one.
    pub(crate) fn ahead(&self, places: usize) -> Option<Token> {
        self.tokens.get(self.at + places).copied()
    }

    /// The text of the token `places` positions after the current one; empty at the end.
    pub(crate) fn text_ahead(&self, places: usize) -> &'t str {
        self.ahead(places).and_then(|token| self.text.get(token.span.range())).unwrap_or("")
    }

    /// The text of the current token.
    pub(crate) fn now(&self) -> &'t str {
        self.text_ahead(0)
    }

    pub(crate) fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Checks that all quotes and brackets are closed. An unclosed one would extend beyond the statement once
    /// it is written to a snapshot, and no database accepts it.
    pub(crate) fn whole(&self) -> Parsed<()> {
        let mut open: Vec<u8> = Vec::new();
        // If a script has changed the delimiter, a body may be split in the middle.
        let has_body = (0..HEAD).any(|at| BODIES.iter().any(|word| self.is_word_at(at, word)));
        for (at, token) in self.tokens.iter().enumerate() {
            let error = |message: &str| DdlError { message: message.to_owned(), offset: token.span.start };
            match token.kind {
                TokenKind::Open => return Err(error("a quote or comment is not closed")),
                TokenKind::Symbol => {}
                TokenKind::Word
                | TokenKind::Name
                | TokenKind::Text
                | TokenKind::Number
                | TokenKind::Parameter => continue,
            }
            let text = self.text.get(token.span.range()).unwrap_or_default();
            if text == ";" && !has_body && at + 1 < self.tokens.len() {
                return Err(error("a statement continues after its end"));
            }
            for byte in text.bytes() {
                let closes = match byte {
                    b'(' | b'[' | b'{' => {
                        open.push(byte);
                        continue;
                    }
                    b')' => b'(',
                    b']' => b'[',
                    b'}' => b'{',
                    _ => continue,
                };
                if open.pop() != Some(closes) {
                    return Err(error("a bracket is closed that is not open"));
                }
            }
        }
        match open.last() {
            None => Ok(()),
            Some(_) => {
                Err(DdlError { message: "a bracket is not closed".to_owned(), offset: self.text.len() })
            }
        }
    }

    /// The tokens between two positions.
    pub(crate) fn tokens(&self, from: usize, to: usize) -> &[Token] {
        self.tokens.get(from..to.min(self.tokens.len())).unwrap_or(&[])
    }

    /// The source between two token positions, as written.
    pub(crate) fn source(&self, from: usize, to: usize) -> &'t str {
        match self.tokens(from, to) {
            [] => "",
            [first, .., last] => self.text.get(first.span.start..last.span.end).unwrap_or(""),
            [only] => self.text.get(only.span.range()).unwrap_or(""),
        }
    }

    /// The tokens between two positions, without comments, and with one space where there is any.
    pub(crate) fn joined(&self, from: usize, to: usize) -> String {
        let mut joined = String::new();
        let mut end = None;
        for token in self.tokens(from, to) {
            if end.is_some_and(|end| end != token.span.start) {
                joined.push(' ');
            }
            joined.push_str(self.text.get(token.span.range()).unwrap_or(""));
            end = Some(token.span.end);
        }
        joined
    }

    /// Whether the token `places` positions after the current one is this keyword.
    pub(crate) fn is_word(&self, places: usize, word: &str) -> bool {
        self.ahead(places).is_some_and(|token| token.kind == TokenKind::Word)
            && self.text_ahead(places).eq_ignore_ascii_case(word)
    }

    /// Whether the token at an absolute position is this keyword.
    fn is_word_at(&self, at: usize, word: &str) -> bool {
        let token = self.tokens.get(at).filter(|token| token.kind == TokenKind::Word);
        let text = token.and_then(|token| self.text.get(token.span.range()));
        text.is_some_and(|text| text.eq_ignore_ascii_case(word))
    }

    /// Whether these keywords come next.
    pub(crate) fn is(&self, words: &str) -> bool {
        // In most cases the first letter already differs.
        let first = |text: &str| text.as_bytes().first().map(u8::to_ascii_uppercase);
        first(words) == first(self.now())
            && words.split(' ').enumerate().all(|(places, word)| match word {
                "(" => self.text_ahead(places) == "(",
                word => self.is_word(places, word),
            })
    }

    /// Consumes these keywords if they come next.
    pub(crate) fn take(&mut self, words: &str) -> bool {
        let is = self.is(words);
        if is {
            self.at += words.split(' ').count();
        }
        is
    }

    /// Consumes one of these keywords, and returns it.
    pub(crate) fn take_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.take(word))
    }

    /// Whether a symbol comes next.
    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.now() == symbol && self.ahead(0).is_some_and(|token| token.kind == TokenKind::Symbol)
    }

    /// Consumes a symbol if it comes next.
    pub(crate) fn take_symbol(&mut self, symbol: &str) -> bool {
        let is = self.is_symbol(symbol);
        self.at += usize::from(is);
        is
    }

    /// Consumes these keywords, or fails.
    pub(crate) fn expect(&mut self, words: &str) -> Parsed<()> {
        if self.take(words) { Ok(()) } else { Err(self.error(&format!("`{}`", words.to_uppercase()))) }
    }

    /// Consumes a symbol, or fails.
    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.error(&format!("`{symbol}`"))) }
    }

    /// The error if something else is expected here.
    pub(crate) fn error(&self, needed: &str) -> DdlError {
        let found = match self.ahead(0) {
            Some(token) if token.kind == TokenKind::Open => "a quote that is not closed".to_owned(),
            Some(_) => format!("`{}`", self.now().chars().take(40).collect::<String>()),
            None => "the end of the statement".to_owned(),
        };
        let offset = self.ahead(0).map_or(self.text.len(), |token| token.span.start);
        DdlError { message: format!("expected {needed}, found {found}"), offset }
    }

    /// Consumes a name, and folds it as the database does.
    pub(crate) fn name(&mut self) -> Parsed<String> {
        let Some(token) = self.ahead(0) else { return Err(self.error("a name")) };
        let text = self.now();
        let name = match token.kind {
            TokenKind::Word => self.dialect.fold(text),
            TokenKind::Name if self.dialect == Dialect::Postgres => unquote(text, self.dialect),
            TokenKind::Name => self.dialect.fold(&unquote(text, self.dialect)),
            // SQLite and MySQL read a string as a name where only a name is allowed.
            TokenKind::Text if self.dialect != Dialect::Postgres => {
                self.dialect.fold(&unquote(text, self.dialect))
            }
            _ => return Err(self.error("a name")),
        };
        self.at += 1;
        Ok(self.dialect.cut(name))
    }

    /// The name before the current position as written, if that is not how it is compared; PostgreSQL folds it.
    pub(crate) fn spelling(&self) -> Option<String> {
        let token = self.tokens.get(self.at.checked_sub(1)?)?;
        let text = self.text.get(token.span.range())?;
        let written =
            if token.kind == TokenKind::Word { text.to_owned() } else { unquote(text, self.dialect) };
        let is_other = self.dialect != Dialect::Postgres && self.dialect.fold(&written) != written;
        is_other.then_some(written)
    }

    /// Consumes the name of a column of which nothing else is known.
    pub(crate) fn column(&mut self) -> Parsed<Column> {
        let name = self.name()?;
        Ok(Column { spelling: self.spelling(), ..Column::new(name, "") })
    }

    /// Consumes a name with an optional schema; a database name in front is dropped.
    pub(crate) fn written(&mut self) -> Parsed<Written> {
        let mut name = self.name()?;
        let mut schema = None;
        while self.take_symbol(".") {
            schema = Some(std::mem::replace(&mut name, self.name()?));
        }
        Ok(Written { schema, name })
    }

    /// Consumes names in parentheses.
    pub(crate) fn names(&mut self) -> Parsed<Vec<String>> {
        self.list(|cursor| cursor.name())
    }

    /// Consumes a list in parentheses.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Cursor<'t>) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect_symbol("(")?;
        let mut items = Vec::new();
        loop {
            items.push(item(self)?);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol(")")?;
        Ok(items)
    }

    /// Consumes a string, and returns its content.
    pub(crate) fn string(&mut self) -> Parsed<String> {
        match self.ahead(0) {
            Some(Token { kind: TokenKind::Text, .. }) => {
                let value = unquote(self.now(), self.dialect);
                self.at += 1;
                Ok(value)
            }
            _ => Err(self.error("a string")),
        }
    }

    /// Skips one token, or everything up to the matching closing bracket.
    pub(crate) fn skip(&mut self) {
        let mut depth = 0usize;
        while let Some(token) = self.ahead(0) {
            match (token.kind, self.now()) {
                (TokenKind::Symbol, "(" | "[" | "{") => depth += 1,
                (TokenKind::Symbol, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips to the comma or parenthesis that ends the current element, or to where `stop` holds.
    pub(crate) fn skip_until(&mut self, stop: impl Fn(&Cursor<'t>) -> bool) {
        while !self.done() && !self.is_symbol(",") && !self.is_symbol(")") && !stop(self) {
            self.skip();
        }
    }

    /// Skips to the end.
    pub(crate) fn skip_all(&mut self) {
        self.at = self.tokens.len();
    }
}

/// The byte span of consecutive tokens.
pub(crate) fn span_of(tokens: &[Token]) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => Span::new(first.span.start, last.span.end),
        _ => Span::default(),
    }
}
