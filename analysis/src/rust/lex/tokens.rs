//! The tokens of Rust source, as far as needed to find functions and names.
//!
//! A build reads every file of a crate, and its macros are not optimised. There the compiler's own lexer took
//! a fifth of all instructions of the macros (281 of 1,417 million in the crate of
//! `tests/examples/build_cost.rs`, counted by callgrind). This one works on bytes and takes 78 million. A
//! test compares the two.

/// A token other than white space and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) struct Token<'t> {
    pub(in crate::rust) kind: TokenKind,
    pub(in crate::rust) text: &'t str,
    pub(in crate::rust) start: usize,
}

/// The kinds of tokens that a search for names has to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum TokenKind {
    /// A name or a keyword.
    Word,
    /// `r#name`.
    RawWord,
    /// `"text"`, as written.
    Text,
    /// Any other literal: numbers, characters, other string notations.
    Literal,
    /// `'a`.
    Lifetime,
    /// Any other character: operators are split into characters.
    Sign(u8),
}

impl<'t> Token<'t> {
    /// The name, without what makes a keyword one: `r#match` is the same as `match`.
    pub(in crate::rust) fn name(&self) -> &'t str {
        self.text.strip_prefix("r#").filter(|_| self.kind == TokenKind::RawWord).unwrap_or(self.text)
    }

    /// Whether it is this keyword or name.
    pub(in crate::rust) fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }
}

/// The tokens of a text without white space and comments. Unterminated tokens extend to the end.
pub(in crate::rust) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 6);
    loop {
        lexer.skip_spaces();
        let Some(first) = lexer.byte(0) else { break };
        let start = lexer.at;
        let Some(kind) = lexer.token(first) else { continue };
        if let Some(text) = text.get(start..lexer.at) {
            tokens.push(Token { kind, text, start });
        }
    }
    tokens
}

struct Lexer<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.bytes.len() { Some(self.bytes[at]) } else { None }
    }

    fn skip_spaces(&mut self) {
        self.skip(SPACE);
    }

    /// Skips characters of a kind.
    fn skip(&mut self, kind: u8) {
        let (bytes, mut at) = (self.bytes, self.at);
        while at < bytes.len() && KINDS[bytes[at] as usize] == kind {
            at += 1;
        }
        self.at = at;
    }

    /// Skips a token and returns its kind; `None` for a comment.
    fn token(&mut self, first: u8) -> Option<TokenKind> {
        match first {
            b'/' if self.byte(1) == Some(b'/') => {
                self.skip_to(b'\n');
                None
            }
            b'/' if self.byte(1) == Some(b'*') => {
                self.skip_comment();
                None
            }
            b'"' => {
                self.skip_quoted(b'"');
                Some(TokenKind::Text)
            }
            b'\'' => Some(self.quote()),
            b'0'..=b'9' => {
                self.skip_number();
                Some(TokenKind::Literal)
            }
            _ if is_word(first) => Some(self.word()),
            _ => {
                self.at += 1;
                Some(TokenKind::Sign(first))
            }
        }
    }

    /// A name, or a literal that starts like one: `r"text"`, `b'x'`.
    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_word();
        let (is_raw, is_other) = match self.bytes.get(start..self.at).unwrap_or_default() {
            b"r" => (true, false),
            b"br" | b"cr" => (true, true),
            b"b" | b"c" => (false, true),
            _ => return TokenKind::Word,
        };
        match self.byte(0) {
            Some(quote @ (b'"' | b'\'')) if is_other && !is_raw => {
                self.skip_quoted(quote);
                TokenKind::Literal
            }
            Some(b'"' | b'#') if is_raw => {
                let mut hashes = 0;
                while self.byte(hashes) == Some(b'#') {
                    hashes += 1;
                }
                match self.byte(hashes) {
                    Some(b'"') => {
                        self.at += hashes + 1;
                        self.skip_raw(hashes);
                        TokenKind::Literal
                    }
                    Some(next) if !is_other && hashes == 1 && is_word(next) => {
                        self.at += 1;
                        self.skip_word();
                        TokenKind::RawWord
                    }
                    _ => TokenKind::Word,
                }
            }
            _ => TokenKind::Word,
        }
    }

    /// A character literal, or a lifetime.
    fn quote(&mut self) -> TokenKind {
        let length = match self.byte(1) {
            Some(b'\\') | None => 0,
            Some(0..=0x7f) => 1,
            Some(0x80..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..) => 4,
        };
        if length == 0 {
            self.skip_quoted(b'\'');
            return TokenKind::Literal;
        }
        if self.byte(1 + length) == Some(b'\'') {
            self.at += length + 2;
            return TokenKind::Literal;
        }
        self.at += 1;
        if self.byte(0).is_some_and(|next| is_word(next) && !next.is_ascii_digit()) {
            self.skip_word();
            return TokenKind::Lifetime;
        }
        TokenKind::Sign(b'\'')
    }

    fn skip_to(&mut self, end: u8) {
        let (bytes, mut at) = (self.bytes, self.at);
        while at < bytes.len() && bytes[at] != end {
            at += 1;
        }
        self.at = at;
    }

    fn skip_word(&mut self) {
        self.skip(WORD);
    }

    /// Skips `/* … */`, which may nest.
    fn skip_comment(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.byte(0) {
            match (byte, self.byte(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Skips from a quote to the closing one.
    fn skip_quoted(&mut self, quote: u8) {
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == quote {
                return;
            }
        }
        self.at = self.bytes.len();
    }

    /// Skips from the opening quote of a raw string to its end.
    fn skip_raw(&mut self, hashes: usize) {
        loop {
            self.skip_to(b'"');
            if self.at == self.bytes.len() {
                return;
            }
            self.at += 1;
            let closing = self.bytes.get(self.at..self.at + hashes).unwrap_or_default();
            if closing.len() == hashes && closing.iter().all(|byte| *byte == b'#') {
                self.at += hashes;
                return;
            }
        }
    }

    fn skip_number(&mut self) {
        let start = self.at;
        self.skip_word();
        // `1.5` and `1.`, but neither `1..2` nor `1.max(2)`.
        let goes_on = |next: u8| next.is_ascii_digit() || next != b'.' && !is_word(next);
        if self.byte(0) == Some(b'.') && self.byte(1).is_none_or(goes_on) {
            self.at += 1;
            self.skip_word();
        }
        let is_hexadecimal = matches!(self.bytes.get(start + 1), Some(b'x' | b'X'));
        let is_exponent = matches!(self.bytes.get(self.at - 1), Some(b'e' | b'E')) && !is_hexadecimal;
        if is_exponent
            && matches!(self.byte(0), Some(b'+' | b'-'))
            && self.byte(1).is_some_and(|next| next.is_ascii_digit())
        {
            self.at += 1;
            self.skip_word();
        }
    }
}

/// Whether a byte can occur in a name.
fn is_word(byte: u8) -> bool {
    KINDS[byte as usize] == WORD
}

/// The kind of a byte that separates tokens.
const SPACE: u8 = 1;

/// The kind of a byte that can occur in a name, as all bytes of non-ASCII characters can.
const WORD: u8 = 2;

/// The kind of each byte. A table takes a third of what comparisons do in a build that is not optimised.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c' => SPACE,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => WORD,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind as Theirs, tokenize};

    use super::*;

    /// The tokens according to the compiler's lexer.
    fn expected(text: &str) -> Vec<(TokenKind, &str)> {
        let mut start = 0;
        let mut expected = Vec::new();
        for token in tokenize(text, FrontmatterAllowed::No) {
            let end = start + token.len as usize;
            let kind = match token.kind {
                Theirs::Whitespace | Theirs::LineComment { .. } | Theirs::BlockComment { .. } => None,
                Theirs::Ident => Some(TokenKind::Word),
                Theirs::RawIdent => Some(TokenKind::RawWord),
                Theirs::Literal { kind: LiteralKind::Str { .. }, .. } => Some(TokenKind::Text),
                Theirs::Literal { .. } => Some(TokenKind::Literal),
                Theirs::Lifetime { .. } => Some(TokenKind::Lifetime),
                _ => Some(TokenKind::Sign(text.as_bytes()[start])),
            };
            expected.extend(kind.map(|kind| (kind, &text[start..end])));
            start = end;
        }
        expected
    }

    fn found(text: &str) -> Vec<(TokenKind, &str)> {
        tokens(text).iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn what_begins_alike_is_told_apart() {
        for text in [
            "fn a<'a>(x: &'a str) -> char { 'a' } '\\'' '\\u{1f}' '\"' b'\\\\' '(' 'ü' '''",
            "r\"a\" r#\"a\"b\"# br##\"\"# \"## c\"x\" b\"\\\"\" r#type rust br b c r \"\\\\\" \"//\"",
            "1.5e-3 0x1e+2 1..2 1.max(2) 1. + 2.; 1_000u64 x.0.1 // it's {\n/* a /* \" */ ' */ '_ 'static: loop {}",
            "#![allow(x)] a!(b => c) ::<T> 'x' + 'y' b'x' ütü /**/ /***/ /*/ */ //",
        ] {
            assert_eq!(found(text), expected(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        for text in ["\"a } fn", "r#\"a\" fn", "/* a } /* */ fn", "'\\", "b'", "\"\\", "r#"] {
            assert!(tokens(text).len() <= 2, "{text}");
        }
    }

    #[test]
    fn this_crate_reads_the_same() {
        let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a file");
                    assert_eq!(found(&text), expected(&text), "{}", path.display());
                    files += 1;
                }
            }
        }
        assert!(files > 100, "{files}");
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[a-z'\"#\\\\/*{}() \\nüé🦀0-9.]{0,40}") {
            let end = tokens(&text).last().map_or(0, |token| token.start + token.text.len());
            prop_assert!(end <= text.len());
        }
    }
}
