//! The parser's tokens of a SQL text.
//!
//! The parser's own tokenizer took a fifth of the instructions of a check, so the lexer reads what most queries
//! consist of. A text with anything else is left to the parser's tokenizer, and a test holds the two equal.

mod operators;
mod strings;

use std::cmp::Ordering;
use std::sync::OnceLock;

use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Word};

use super::dialect::Dialect;
use super::grammar;
use super::lex::{Lexer, TokenKind};
use super::parse::SyntaxError;
use super::text::{LineIndex, Span};

/// More bytes than any keyword has.
const LONGEST_KEYWORD: usize = 48;

/// The tokens of `sql`, without white space and comments: the parser ignores them, and patterns are simpler.
pub(super) fn tokenize(
    sql: &str,
    dialect: Dialect,
    lines: &LineIndex<'_>,
) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    if let Some(tokens) = plain(sql, dialect) {
        return strings::joined(tokens, dialect, lines);
    }
    let mut tokens = read(sql, dialect);
    if tokens.is_err() && dialect == Dialect::Sqlite {
        // SQLite accepts an unterminated comment at the end of the text.
        tokens = read(&format!("{sql}*/"), dialect).or(tokens);
    }
    let tokens = tokens.map_err(|error| {
        let at = lines.offset(error.location.line, error.location.column);
        let message = error.message.to_lowercase();
        let message = match message.as_str() {
            m if m.contains("unterminated") => message.split(" at line").next().unwrap_or(m).to_owned(),
            _ => message,
        };
        SyntaxError { message, span: Span::new(at, sql.len()), limit: false }
    })?;
    strings::joined(tokens, dialect, lines)
}

/// The tokens as the parser's tokenizer reads them.
fn read(sql: &str, dialect: Dialect) -> Result<Vec<TokenWithSpan>, sqlparser::tokenizer::TokenizerError> {
    // Half of the tokens are spaces. Room for all saves copying them several times.
    let mut tokens = Vec::with_capacity(sql.len() / 3 + 8);
    let parted = if dialect == Dialect::Postgres { operators::parted(sql) } else { sql.into() };
    Tokenizer::new(grammar::of(dialect), &parted).tokenize_with_location_into_buf(&mut tokens)?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    if dialect == Dialect::Postgres {
        tokens = operators::joined(tokens, sql);
    }
    Ok(tokens)
}

/// The same tokens, if the text consists of words, whole and decimal numbers, strings without escapes, placeholders
/// and the usual punctuation; `None` if there is anything else.
fn plain(sql: &str, dialect: Dialect) -> Option<Vec<TokenWithSpan>> {
    // The parser counts columns in characters.
    if !sql.is_ascii() {
        return None;
    }
    let bytes = sql.as_bytes();
    let mut tokens = Vec::with_capacity(sql.len() / 5 + 8);
    let mut place = Place { line: 1, start: 0 };
    let mut end = 0;
    for found in Lexer::new(sql, dialect) {
        if is_special(bytes, end) || is_special(bytes, found.span.start) {
            return None;
        }
        place.skip(bytes, end, found.span.start)?;
        let start = place.location(found.span.start);
        let text = sql.get(found.span.range())?;
        let next = bytes.get(found.span.end).copied();
        let token = match found.kind {
            TokenKind::Word => word(text, next, dialect)?,
            TokenKind::Name => Token::make_word(inner(text, '"')?, Some('"')),
            TokenKind::Text => string(text, dialect)?,
            TokenKind::Number => number(text)?,
            TokenKind::Parameter => placeholder(text, next, dialect)?,
            TokenKind::Symbol => symbol(text, dialect)?,
            TokenKind::Open => return None,
        };
        if matches!(found.kind, TokenKind::Text | TokenKind::Name) {
            place.pass(bytes, found.span.start, found.span.end);
        }
        end = found.span.end;
        let span = sqlparser::tokenizer::Span::new(start, place.location(end));
        tokens.push(TokenWithSpan::new(token, span));
    }
    if is_special(bytes, end) {
        return None;
    }
    place.skip(bytes, end, bytes.len())?;
    Some(tokens)
}

/// Whether a token or comment at this byte is read by what is before it: the parser's tokenizer splits operators
/// that touch in its own way, and has rules for a period that follows no name.
fn is_special(bytes: &[u8], at: usize) -> bool {
    let is_operator = |byte: u8| b"=<>!+-*/|:".contains(&byte);
    let before = at.checked_sub(1).map(|before| bytes[before]);
    match bytes.get(at) {
        Some(b'.') => !before.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'"')),
        Some(&byte) => is_operator(byte) && before.is_some_and(is_operator),
        None => false,
    }
}

/// The line that has been reached, and the byte where it starts.
struct Place {
    line: u64,
    start: usize,
}

impl Place {
    fn location(&self, at: usize) -> Location {
        Location { line: self.line, column: (at - self.start) as u64 + 1 }
    }

    fn next_line(&mut self, end: usize) {
        self.line += 1;
        self.start = end + 1;
    }

    fn pass(&mut self, bytes: &[u8], from: usize, to: usize) {
        let mut at = from;
        while at < to {
            if bytes[at] == b'\n' {
                self.next_line(at);
            }
            at += 1;
        }
    }

    /// Passes what the lexer has skipped, if that is spaces and comments that end with their line.
    fn skip(&mut self, bytes: &[u8], from: usize, to: usize) -> Option<()> {
        let mut in_comment = false;
        let mut at = from;
        while at < to {
            match bytes[at] {
                b'\n' => {
                    self.next_line(at);
                    in_comment = false;
                }
                b'\r' => return None,
                b' ' | b'\t' => {}
                _ if in_comment => {}
                // MySQL's comments begin with a space.
                b'-' if matches!(bytes.get(at + 2), Some(b' ' | b'\t')) => in_comment = true,
                _ => return None,
            }
            at += 1;
        }
        Some(())
    }
}

/// A keyword or an unquoted name, unless it may be the prefix of a string.
fn word(text: &str, next: Option<u8>, dialect: Dialect) -> Option<Token> {
    let is_prefix = matches!(next, Some(b'\'' | b'"' | b'&'));
    let is_plain = dialect == Dialect::Postgres || !text.contains('$');
    let is_plain = is_plain && !text.starts_with(|first: char| first.is_ascii_digit());
    (is_plain && !is_prefix)
        .then(|| Token::Word(Word { value: text.to_owned(), quote_style: None, keyword: keyword(text) }))
}

/// The keyword that a word is; the parser looks among all instead of among those with its first letter.
///
/// Builds do not optimise macros, where iterators over bytes cost most of a lookup.
fn keyword(word: &str) -> Keyword {
    static STARTS: OnceLock<[usize; 27]> = OnceLock::new();
    let starts = STARTS.get_or_init(|| {
        std::array::from_fn(|letter| {
            ALL_KEYWORDS.partition_point(|word| word.as_bytes()[0] < b'A' + letter as u8)
        })
    });
    let mut upper = [0; LONGEST_KEYWORD];
    let Some(upper) = upper.get_mut(..word.len()) else { return Keyword::NoKeyword };
    upper.copy_from_slice(word.as_bytes());
    upper.make_ascii_uppercase();
    let Some(letter @ b'A'..=b'Z') = upper.first() else { return Keyword::NoKeyword };
    let letter = usize::from(letter - b'A');
    let (mut low, mut high) = (starts[letter], starts[letter + 1]);
    while low < high {
        let middle = (low + high) / 2;
        match ALL_KEYWORDS[middle].as_bytes().cmp(upper) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return ALL_KEYWORDS_INDEX[middle],
        }
    }
    Keyword::NoKeyword
}

/// What is between two quotes, without a quote in it.
fn inner(text: &str, quote: char) -> Option<&str> {
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

fn string(text: &str, dialect: Dialect) -> Option<Token> {
    let inner = inner(text, '\'')?;
    let has_escape = dialect == Dialect::MySql && inner.contains('\\');
    (!has_escape).then(|| Token::SingleQuotedString(inner.to_owned()))
}

fn number(text: &str) -> Option<Token> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    };
    is_plain.then(|| Token::Number(text.to_owned(), false))
}

fn placeholder(text: &str, next: Option<u8>, dialect: Dialect) -> Option<Token> {
    let is_plain = match dialect {
        Dialect::Postgres => {
            next != Some(b'$') && text.strip_prefix('$')?.bytes().all(|byte| byte.is_ascii_digit())
        }
        Dialect::MySql | Dialect::Sqlite => text == "?",
    };
    is_plain.then(|| Token::Placeholder(text.to_owned()))
}

fn symbol(text: &str, dialect: Dialect) -> Option<Token> {
    Some(match text {
        "(" => Token::LParen,
        ")" => Token::RParen,
        "," => Token::Comma,
        "." => Token::Period,
        ";" => Token::SemiColon,
        "=" => Token::Eq,
        "<>" | "!=" => Token::Neq,
        "<" => Token::Lt,
        ">" => Token::Gt,
        "<=" => Token::LtEq,
        ">=" => Token::GtEq,
        "+" => Token::Plus,
        "-" => Token::Minus,
        "*" => Token::Mul,
        "/" => Token::Div,
        "||" => Token::StringConcat,
        "::" => Token::DoubleColon,
        "->" => Token::Arrow,
        "->>" => Token::LongArrow,
        "[" if dialect == Dialect::Postgres => Token::LBracket,
        "]" if dialect == Dialect::Postgres => Token::RBracket,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

    /// The pieces that texts are made of, so that each is next to each other one.
    const PIECES: [&str; 64] = [
        " ", "\n", "\t", "\r", "  ", "a", "Id", "select", "FROM", "e", "N", "x", "b", "u", "_utf8", "a$b",
        "$", "_", "1", "42", "1.5", ".5", "1.", "1e5", "0x1F", "'a'", "'a\nb'", "''", "'it''s'", "'a\\'",
        "'", "\"q\"", "\"\"", "\"", "`k`", "`", "[z]", "[", "]", "$1", "$12", "?", "?1", ":n", "@v", "(",
        ")", ",", ".", ";", "=", "<", ">", "!", "+", "-", "*", "/", "|", ":", "&", "#", "-- c\n", "/* d */",
    ];

    fn pieces() -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..12).prop_map(|all| all.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn plain_texts_give_the_tokens_of_the_parser(sql in pieces()) {
            for dialect in DIALECTS {
                if let Some(plain) = plain(&sql, dialect) {
                    prop_assert_eq!(Ok(plain), read(&sql, dialect), "{:?} {:?}", dialect, sql);
                }
            }
        }
    }

    #[test]
    fn keywords_are_those_of_the_parser() {
        assert!(ALL_KEYWORDS.iter().all(|word| word.len() < LONGEST_KEYWORD));
        let long = "S".repeat(LONGEST_KEYWORD + 1);
        let others = [long.as_str(), "", "_", "sele", "selects", "zzz", "a", "[", "é"];
        for word in ALL_KEYWORDS.iter().copied().chain(others) {
            for word in [word.to_owned(), word.to_lowercase()] {
                let Token::Word(expected) = Token::make_word(&word, None) else { unreachable!() };
                assert_eq!(keyword(&word), expected.keyword, "{word}");
            }
        }
    }

    #[test]
    fn what_most_queries_consist_of_is_plain() {
        let sql = "-- Of one author.\nSELECT p.\"id\", -p.n * 2, p.data->>'a' FROM posts p\n\tWHERE p.author <> 1.5;";
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let plain = plain(sql, dialect).expect("plain");
            assert_eq!(Ok(plain), read(sql, dialect));
        }
        assert!(plain("SELECT a[1]::text FROM b WHERE c = $1 || 'x'", Dialect::Postgres).is_some());
        assert!(plain("SELECT a FROM b WHERE c = ? AND d >= 3", Dialect::MySql).is_some());
        for other in
            ["SELECT 'it''s'", "SELECT /* all */ 1", "SELECT 1e5", "SELECT 'ü'", "SELECT E'a'", "SELECT 'a"]
        {
            assert_eq!(plain(other, Dialect::Postgres), None, "{other}");
        }
    }
}
