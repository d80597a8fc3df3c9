//! Tokenizes SQL with positions: which text is a string, a name or a comment in each dialect.
//!
//! This is deliberately less than a parser's lexer. It suffices to split scripts, to read DDL and to rename
//! names in an expression, and it never fails. An unterminated quote becomes a token of its own kind that
//! extends to the end of the text.

use super::{Dialect, Span};

/// A token with its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The kind of token.
    pub kind: TokenKind,
    /// Its position, including quotes.
    pub span: Span,
}

/// The kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an unquoted name.
    Word,
    /// A quoted name.
    Name,
    /// A string in any notation, including dollar quotes.
    Text,
    /// A number.
    Number,
    /// A placeholder or a variable: `$1`, `?`, `?1`, `:name`, `@name`.
    Parameter,
    /// An operator or punctuation.
    Symbol,
    /// An unterminated string, quoted name or comment.
    Open,
}

/// The text of a token by its position, empty behind the last one; `tokens` are those of `text`.
pub fn text_at<'t>(text: &'t str, tokens: &[Token], at: usize) -> &'t str {
    tokens.get(at).and_then(|token| text.get(token.span.range())).unwrap_or_default()
}

/// Iterates over the tokens of a text, skipping comments and white space.
#[derive(Debug, Clone)]
pub struct Lexer<'t> {
    text: &'t str,
    /// The text as bytes: builds do not optimise macros, so calls per byte matter.
    bytes: &'t [u8],
    dialect: Dialect,
    at: usize,
}

impl<'t> Lexer<'t> {
    /// Reads from the start of `text`.
    pub fn new(text: &'t str, dialect: Dialect) -> Lexer<'t> {
        Lexer { text, bytes: text.as_bytes(), dialect, at: 0 }
    }

    /// The byte after the last token.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Continues at a byte; inside a character, at the next character.
    pub fn seek(&mut self, at: usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at += 1;
        }
        self.at = at;
    }

    /// Skips white space and comments; returns the start of an unterminated comment.
    pub fn skip_blank(&mut self) -> Option<usize> {
        loop {
            let start = self.at;
            match self.byte(0) {
                Some(byte) if byte.is_ascii_whitespace() || byte == b'\x0b' => self.at += 1,
                // A byte order mark, and the no-break spaces that editors leave behind.
                Some(0xef) if self.rest().starts_with('\u{feff}') => self.at += 3,
                Some(0xc2) if self.rest().starts_with('\u{a0}') => self.at += 2,
                Some(b'-') if self.byte(1) == Some(b'-') && self.dashes_comment() => self.skip_line(),
                Some(b'#') if self.dialect == Dialect::MySql => self.skip_line(),
                // The end of MySQL's `/*! … */`, whose content is SQL and may be more than one statement.
                Some(b'*') if self.dialect == Dialect::MySql && self.byte(1) == Some(b'/') => self.at += 2,
                Some(b'/') if self.byte(1) == Some(b'*') => {
                    if let Some(sign) = self.code_in_comment() {
                        self.at += sign;
                        self.skip_while(|byte| byte.is_ascii_digit());
                    } else if !self.skip_block_comment() {
                        return Some(start);
                    }
                }
                _ => return None,
            }
        }
    }

    /// The length of the opening mark if this is a comment that servers execute: MySQL's `/*!`, MariaDB's
    /// `/*M!`. Version 999999 belongs to no server; dumps use it to address their own client.
    fn code_in_comment(&self) -> Option<usize> {
        let signs = ["/*!", "/*M!"].iter().filter(|_| self.dialect == Dialect::MySql);
        let sign = signs.copied().find(|sign| self.rest().starts_with(sign))?;
        (!self.rest()[sign.len()..].starts_with("999999")).then_some(sign.len())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.bytes.len() { Some(self.bytes[at]) } else { None }
    }

    /// Whether `--` starts a comment. MySQL requires white space after it, so that `1--1` stays a
    /// subtraction.
    fn dashes_comment(&self) -> bool {
        self.dialect != Dialect::MySql
            || self.byte(2).is_none_or(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
    }

    /// Skips to the end of a line comment; PostgreSQL also ends it at a carriage return.
    fn skip_line(&mut self) {
        let postgres = self.dialect == Dialect::Postgres;
        self.skip_while(|byte| byte != b'\n' && !(postgres && byte == b'\r'));
    }

    fn skip_while(&mut self, test: impl Fn(u8) -> bool) {
        while self.at < self.bytes.len() && test(self.bytes[self.at]) {
            self.at += 1;
        }
    }

    /// Skips `/* … */`, nested in PostgreSQL; `false` if it is unterminated.
    fn skip_block_comment(&mut self) -> bool {
        let mut depth = 0usize;
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b'/'), Some(b'*')) if depth == 0 || self.dialect == Dialect::Postgres => {
                    depth += 1;
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return true;
                    }
                }
                (Some(_), _) => self.at += 1,
                // SQLite accepts an unterminated comment at the end of the text.
                (None, _) => return self.dialect == Dialect::Sqlite,
            }
        }
    }

    /// Skips to the closing quote, where a doubled quote is an escape; `false` if it is unterminated.
    fn skip_quoted(&mut self, quote: u8, backslash: bool) -> bool {
        self.at += 1;
        loop {
            match self.byte(0) {
                Some(b'\\') if backslash => self.at += 2,
                Some(byte) if byte == quote => {
                    self.at += 1;
                    if self.byte(0) != Some(quote) {
                        return true;
                    }
                    self.at += 1;
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = self.text.len();
                    return false;
                }
            }
        }
    }

    fn quoted(&mut self, kind: TokenKind, quote: u8, backslash: bool) -> TokenKind {
        if self.skip_quoted(quote, backslash) { kind } else { TokenKind::Open }
    }

    /// `$tag$ … $tag$`, if one starts here.
    fn dollar_quoted(&mut self) -> Option<TokenKind> {
        let rest = self.rest();
        let tag_end = 1 + rest.get(1..)?.find('$')?;
        let tag = rest.get(..=tag_end)?;
        let inner = tag.get(1..tag_end)?;
        let starts_well = inner.bytes().next().is_none_or(|byte| !byte.is_ascii_digit());
        if !starts_well || !inner.bytes().all(is_word_byte) {
            return None;
        }
        match rest.get(tag.len()..)?.find(tag) {
            Some(at) => {
                self.at += at + 2 * tag.len();
                Some(TokenKind::Text)
            }
            None => {
                self.at = self.text.len();
                Some(TokenKind::Open)
            }
        }
    }

    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_while(|byte| is_word_byte(byte) || byte == b'$');
        let word = self.text.get(start..self.at).unwrap_or("");
        match (self.byte(0), self.byte(1), self.dialect) {
            (Some(b'\''), _, dialect) if is_string_prefix(word, dialect) => {
                let escapes = dialect == Dialect::MySql || word.eq_ignore_ascii_case("e");
                self.quoted(TokenKind::Text, b'\'', escapes)
            }
            (Some(b'&'), Some(quote @ (b'\'' | b'"')), Dialect::Postgres)
                if word.eq_ignore_ascii_case("u") =>
            {
                self.at += 1;
                self.quoted(if quote == b'"' { TokenKind::Name } else { TokenKind::Text }, quote, false)
            }
            _ => TokenKind::Word,
        }
    }

    /// MySQL: whether a name ends right before the point here, and another one begins behind it with a digit: `t.3d`.
    fn is_behind_name(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
        before.is_some_and(|&byte| is_word_byte(byte) || byte == b'`')
            && is_name_with_digit(self.rest().get(1..).unwrap_or_default())
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self.byte(0) == Some(b'.') && self.byte(1) != Some(b'.') {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        }
        let hexadecimal = self.text.as_bytes().get(start + 1).is_some_and(|byte| matches!(byte, b'x' | b'X'));
        let exponent = matches!(self.text.as_bytes().get(self.at - 1), Some(b'e' | b'E')) && !hexadecimal;
        if exponent && matches!(self.byte(0), Some(b'+' | b'-')) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        TokenKind::Number
    }

    fn symbol(&mut self) -> TokenKind {
        let start = self.at;
        let rest = self.rest();
        let long = ["<=>", "->>", "::", ":=", "->", "<=", ">=", "<>", "!=", "||", "&&", "==", "<<", ">>"];
        if self.dialect == Dialect::Postgres && self.byte(0).is_some_and(is_operator_byte) {
            while self.byte(0).is_some_and(is_operator_byte) && !self.comment_ahead() {
                self.at += 1;
            }
            // PostgreSQL's own rule: `a =-1` is two operators, unless the first contains one of these
            // characters.
            let special = |byte: u8| b"~!@#%^&|`?".contains(&byte);
            let bytes = self.text.as_bytes();
            while self.at - start > 1
                && matches!(bytes.get(self.at - 1), Some(b'+' | b'-'))
                && !bytes.get(start..self.at).is_some_and(|operator| operator.iter().copied().any(special))
            {
                self.at -= 1;
            }
            self.at = self.at.max(start + 1);
        } else if let Some(operator) = long.iter().find(|operator| rest.starts_with(**operator)) {
            self.at += operator.len();
        } else {
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
        TokenKind::Symbol
    }

    fn comment_ahead(&self) -> bool {
        matches!((self.byte(0), self.byte(1)), (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'*')))
    }

    /// Skips a placeholder or variable that starts with this byte, if there is one.
    fn parameter(&mut self, first: u8) -> bool {
        let named = self.byte(1).is_some_and(|byte| is_word_byte(byte) && !byte.is_ascii_digit());
        let numbered = self.byte(1).is_some_and(|byte| byte.is_ascii_digit());
        let is = match (first, self.dialect) {
            (b'$', Dialect::Postgres) => numbered,
            (b'$' | b':', Dialect::Sqlite) => named,
            (b'@', Dialect::Sqlite) => named,
            (b'@', Dialect::MySql) => true,
            (b'?', Dialect::Sqlite | Dialect::MySql) => true,
            _ => false,
        };
        if is {
            self.at += 1;
            self.skip_while(|byte| is_word_byte(byte) || (byte == b'@' && first == b'@'));
        }
        is
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if let Some(start) = self.skip_blank() {
            self.at = self.text.len();
            return Some(Token { kind: TokenKind::Open, span: Span::new(start, self.at) });
        }
        let start = self.at;
        let first = self.byte(0)?;
        let kind = match (first, self.dialect) {
            (b'\'', dialect) => self.quoted(TokenKind::Text, first, dialect == Dialect::MySql),
            (b'"', Dialect::MySql) => self.quoted(TokenKind::Text, first, true),
            (b'"', _) | (b'`', Dialect::MySql | Dialect::Sqlite) => {
                self.quoted(TokenKind::Name, first, false)
            }
            (b'[', Dialect::Sqlite) => match self.rest().find(']') {
                Some(end) => {
                    self.at += end + 1;
                    TokenKind::Name
                }
                None => {
                    self.at = self.text.len();
                    TokenKind::Open
                }
            },
            (b'0'..=b'9', Dialect::MySql) if is_name_with_digit(self.rest()) => self.word(),
            (b'0'..=b'9', _) => self.number(),
            (b'.', Dialect::MySql) if self.is_behind_name() => {
                self.at += 1;
                TokenKind::Symbol
            }
            (b'.', _) if self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            (byte, _) if is_word_byte(byte) => self.word(),
            (b'$' | b'?' | b':' | b'@', _) if self.parameter(first) => TokenKind::Parameter,
            (b'$', Dialect::Postgres) => match self.dollar_quoted() {
                Some(kind) => kind,
                None => self.symbol(),
            },
            _ => self.symbol(),
        };
        Some(Token { kind, span: Span::new(start, self.at) })
    }
}

/// MySQL: whether a text starts with a name that begins with a digit: `2fa`, but not `0xff` and `1e5`.
fn is_name_with_digit(text: &str) -> bool {
    let length = text.bytes().take_while(|&byte| is_word_byte(byte) || byte == b'$').count();
    let word = text.get(..length).unwrap_or_default();
    let starts = |text: &str, is: fn(&u8) -> bool| text.as_bytes().first().is_some_and(is);
    let behind = word.trim_start_matches(|char: char| char.is_ascii_digit());
    let exponent = behind.strip_prefix(['e', 'E']);
    let is_number = behind.is_empty()
        || exponent.is_some_and(|rest| rest.is_empty() || starts(rest, u8::is_ascii_digit))
        || word.strip_prefix("0x").is_some_and(|hex| starts(hex, u8::is_ascii_hexdigit))
        || word.strip_prefix("0b").is_some_and(|bits| starts(bits, |byte| matches!(byte, b'0' | b'1')));
    behind.len() < word.len() && !is_number
}

/// Whether a byte can occur in a name, as all bytes of non-ASCII characters can.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is_operator_byte(byte: u8) -> bool {
    b"+-*/<>=~!@#%^&|`?".contains(&byte)
}

fn is_string_prefix(word: &str, dialect: Dialect) -> bool {
    let prefixes: &[&str] = match dialect {
        Dialect::Postgres => &["e", "b", "x", "n"],
        Dialect::MySql => &["b", "x", "n", "_utf8mb4", "_utf8", "_binary", "_latin1"],
        Dialect::Sqlite => &["x"],
    };
    prefixes.iter().any(|prefix| word.eq_ignore_ascii_case(prefix))
}

/// The content of a quoted name or string, with doubled quotes and escapes resolved.
pub fn unquote(text: &str, dialect: Dialect) -> String {
    if let Some(tag) = dollar_tag(text) {
        let inner = text.get(tag..text.len().saturating_sub(tag)).unwrap_or("");
        return inner.to_owned();
    }
    let Some(open) = text.find(['\'', '"', '`', '[']) else { return text.to_owned() };
    let quote = match text.as_bytes().get(open) {
        Some(b'[') => ']',
        Some(&byte) => char::from(byte),
        None => return text.to_owned(),
    };
    let prefix = text.get(..open).unwrap_or("");
    let escapes = match dialect {
        Dialect::Postgres => prefix.eq_ignore_ascii_case("e"),
        Dialect::MySql => quote != '`',
        Dialect::Sqlite => false,
    };
    let inner = text.get(open + 1..).unwrap_or("");
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(char) = chars.next() {
        if char == quote && chars.peek() == Some(&quote) {
            chars.next();
            out.push(quote);
        } else if char == '\\' && escapes {
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            }
        } else {
            out.push(char);
        }
    }
    out
}

/// The length of the opening `$tag$` of a dollar-quoted string.
fn dollar_tag(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('$')?;
    Some(rest.find('$')? + 2)
}

#[cfg(test)]
mod tests;
