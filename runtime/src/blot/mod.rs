//! SQL with its values removed, for text that is built at run time.

mod lists;
mod runs;

/// A statement on one line, with each string and number replaced by `?`, and lists of values by `…`: the same
/// query over more elements is the same statement.
///
/// This is for display and for telling statements apart, not for a database. Text that is not recognised as a
/// literal is only kept if it cannot contain one; if that depends on the database, the rest is cut off and
/// replaced by `…`.
pub(crate) struct Blotted {
    pub(crate) text: String,
    /// Whether something was replaced or cut off.
    pub(crate) has_literals: bool,
    /// Whether it has placeholders, in which case its text does not contain all its values.
    pub(crate) has_placeholders: bool,
}

/// The text of [`Blotted`].
pub(crate) fn without_literals(sql: &str) -> String {
    Blotted::of(sql).text
}

/// The kind of token at the start of a text, with its length.
enum Token {
    /// White space and comments.
    Space(usize),
    Literal(usize),
    Placeholder(usize),
    Kept(usize),
    /// Read differently by different databases.
    Ambiguous,
}

impl Blotted {
    pub(crate) fn of(sql: &str) -> Self {
        let text = String::with_capacity(sql.len());
        let quotes_names = quotes_names(sql);
        let mut blotted = Self { text, has_literals: false, has_placeholders: false };
        let mut rest = sql;
        while let Some(first) = rest.chars().next() {
            let length = match token(rest, first, quotes_names) {
                Token::Space(length) => {
                    if !blotted.text.ends_with(' ') && !blotted.text.is_empty() {
                        blotted.text.push(' ');
                    }
                    length
                }
                Token::Literal(length) => {
                    blotted.has_literals = true;
                    blotted.text.push('?');
                    length
                }
                Token::Placeholder(length) => {
                    blotted.has_placeholders = true;
                    blotted.text.push_str(rest.get(..length).unwrap_or("?"));
                    length
                }
                Token::Kept(length) => {
                    blotted.text.push_str(rest.get(..length).unwrap_or(rest));
                    length
                }
                Token::Ambiguous => {
                    (blotted.has_literals, blotted.has_placeholders) = (true, true);
                    blotted.text.push('…');
                    rest.len()
                }
            };
            rest = rest.get(length.max(1)..).unwrap_or_default();
        }
        blotted.text.truncate(blotted.text.trim_end().len());
        for shorter in [lists::collapsed, runs::collapsed] {
            if let Some(shorter) = shorter(&blotted.text) {
                (blotted.text, blotted.has_literals) = (shorter, true);
            }
        }
        blotted
    }
}

fn token(text: &str, first: char, quotes_names: bool) -> Token {
    match first {
        _ if first.is_whitespace() => Token::Space(text.len() - text.trim_start().len()),
        '"' if quotes_names => match name_in(text, '"') {
            Token::Ambiguous => quoted(text, first),
            name => name,
        },
        '\'' | '"' => quoted(text, first),
        '`' => name_in(text, '`'),
        '$' => dollar(text),
        '?' => Token::Placeholder(1 + digits(text)),
        '#' => number_sign(text),
        '-' if text.starts_with("--") => Token::Space(line(text).len()),
        '/' if text.starts_with("/*") => comment(text),
        _ if first.is_ascii_digit() => Token::Literal(number(text)),
        _ if part_of_word(first) => Token::Kept(word(text)),
        _ => Token::Kept(first.len_utf8()),
    }
}

fn part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> usize {
    text.find(|c: char| !part_of_word(c) && c != '$').unwrap_or(text.len())
}

fn number(text: &str) -> usize {
    text.find(|c: char| !part_of_word(c) && c != '.').unwrap_or(text.len())
}

/// The number of digits after the first character.
fn digits(text: &str) -> usize {
    text.bytes().skip(1).take_while(u8::is_ascii_digit).count()
}

fn line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A quoted text: up to a quote that is not doubled, or to the end. A quote after a backslash ends it on
/// PostgreSQL and SQLite, and is part of it on MySQL and in `E'..'`.
fn quoted(text: &str, quote: char) -> Token {
    let mut characters = text.char_indices().skip(1).peekable();
    let mut escaped = false;
    while let Some((at, c)) = characters.next() {
        match c {
            _ if c == quote && escaped => return Token::Ambiguous,
            _ if c == quote => match characters.peek() {
                Some((_, next)) if *next == quote => drop(characters.next()),
                _ => return Token::Literal(at + c.len_utf8()),
            },
            _ => escaped = c == '\\' && !escaped,
        }
    }
    Token::Literal(text.len())
}

/// A quoted name: in backticks on MySQL; ambiguous elsewhere.
fn name_in(text: &str, quote: char) -> Token {
    let plain = |c: char| part_of_word(c) || matches!(c, '$' | '-' | '.' | ' ');
    match text.char_indices().skip(1).find(|(_, c)| !plain(*c)) {
        Some((end, c)) if c == quote => Token::Kept(end + 1),
        _ => Token::Ambiguous,
    }
}

/// Whether double quotes enclose names: they always do on PostgreSQL and SQLite. On MySQL they enclose
/// strings by default, unless a table or a part of a longer name is written with them.
fn quotes_names(sql: &str) -> bool {
    if cfg!(not(feature = "mysql")) {
        return true;
    }
    if !sql.contains('"') {
        return false;
    }
    let mut rest = sql;
    let mut is_before_name = false;
    while let Some(first) = rest.chars().next() {
        if first == '"' && is_before_name {
            return true;
        }
        // What is in a string or a comment begins nothing.
        let length = match token(rest, first, false) {
            Token::Space(length) => length,
            Token::Kept(length) => {
                let word = rest.get(..length).unwrap_or_default();
                is_before_name = BEFORE_NAMES.iter().any(|before| word.eq_ignore_ascii_case(before));
                length
            }
            Token::Literal(length) | Token::Placeholder(length) => {
                is_before_name = false;
                length
            }
            Token::Ambiguous => return false,
        };
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    false
}

/// The words and signs that precede a name, and never a string.
const BEFORE_NAMES: [&str; 8] = ["FROM", "INTO", "JOIN", "UPDATE", "ONLY", "TABLE", "TRUNCATE", "."];

/// `$tag$ .. $tag$`, or a placeholder.
fn dollar(text: &str) -> Token {
    let tag_end = text.char_indices().skip(1).find(|(_, c)| !part_of_word(*c));
    let end = tag_end.map_or(text.len(), |(end, _)| end);
    let is_number = digits(text) + 1 == end;
    match tag_end {
        _ if end > 1 && is_number => Token::Placeholder(end),
        Some((_, '$')) => {
            let (tag, body) = text.split_at(end + 1);
            Token::Literal(body.find(tag).map_or(text.len(), |close| tag.len() + close + tag.len()))
        }
        _ if end > 1 => Token::Placeholder(end),
        _ => Token::Kept(1),
    }
}

/// An operator on PostgreSQL (`#>>`), a comment to the end of the line on MySQL.
fn number_sign(text: &str) -> Token {
    let line = line(text);
    match text.get(1..2) {
        _ if line.contains(['\'', '"', '`']) && line.matches('\'').count() % 2 == 1 => Token::Ambiguous,
        Some(">" | "-") => Token::Kept(1),
        _ if line.contains(['\'', '"', '`']) => Token::Ambiguous,
        _ => Token::Space(line.len()),
    }
}

/// A comment, which may be nested on PostgreSQL only.
fn comment(text: &str) -> Token {
    let body = text.get(2..).unwrap_or_default();
    match body.find("*/") {
        Some(end) if body.get(..end).is_some_and(|inside| inside.contains("/*")) => Token::Ambiguous,
        Some(end) => Token::Space(end + 4),
        None => Token::Space(text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_names_stay() {
        for (sql, expected) in [
            ("SELECT a1 FROM t\n  WHERE b = 'x''y' AND c = 12.5e3", "SELECT a1 FROM t WHERE b = ? AND c = ?"),
            ("SELECT $1, $2::int4, $$a secret$$, $t$one $x$ more$t$", "SELECT $1, $2::int4, ?, ?"),
            ("UPDATE t SET a = 'it\\\\', b = x'ff' -- mine", "UPDATE t SET a = ?, b = x?"),
            ("SELECT /* secret */ 0xff, -1, ?1, :name, $name", "SELECT ?, -?, ?1, :name, $name"),
            ("INSERT INTO t VALUES ('open", "INSERT INTO t VALUES (?"),
            ("SELECT 'é' || 'ü', tablé.ünd", "SELECT ? || ?, tablé.ünd"),
            ("SELECT `a b`.`c` FROM t # it is mine\nWHERE d = 4", "SELECT `a b`.`c` FROM t WHERE d = ?"),
            ("SELECT data #>> '{a}', b # c", "SELECT data #>> ?, b"),
            (
                "SELECT \"id\" FROM \"users\" WHERE \"a b\" = 'x'",
                "SELECT \"id\" FROM \"users\" WHERE \"a b\" = ?",
            ),
            ("$", "$"),
            ("", ""),
        ] {
            assert_eq!(without_literals(sql), expected, "{sql}");
        }
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn a_text_that_ends_like_a_statement_begins_is_a_text() {
        for (sql, expected) in [
            (
                "SELECT a FROM t WHERE b = \"mail from \" AND c = \"secret\"",
                "SELECT a FROM t WHERE b = ? AND c = ?",
            ),
            (
                "SELECT a FROM t WHERE b = \"x join \" AND c = \"secret\"",
                "SELECT a FROM t WHERE b = ? AND c = ?",
            ),
            (
                "INSERT INTO t (a) VALUES (\"please update \"), (\"secret\")",
                "INSERT INTO t (a) VALUES (?), …",
            ),
            ("SELECT a FROM s.\"t\" WHERE \"b\" = 'x'", "SELECT a FROM s.\"t\" WHERE \"b\" = ?"),
            ("TRUNCATE \"t\"", "TRUNCATE \"t\""),
        ] {
            assert_eq!(without_literals(sql), expected, "{sql}");
        }
    }

    /// Each of these is two different statements on two databases, and in one of them the value is outside
    /// quotes.
    #[test]
    fn what_databases_read_differently_is_cut_off() {
        for (sql, expected) in [
            (r"SELECT 'a\' , 'secret', 1", "SELECT …"),
            (r#"SELECT "a\" , "secret""#, "SELECT …"),
            ("SELECT 1 # it's mine\n, 'secret'", "SELECT ? …"),
            ("SELECT /* a /* b */ secret */ 1", "SELECT …"),
            ("SELECT `it's`, 'secret'", "SELECT …"),
        ] {
            assert_eq!(without_literals(sql), expected, "{sql}");
        }
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn where_the_values_are() {
        for (sql, has_literals, has_placeholders) in [
            ("SELECT a FROM t", false, false),
            ("SELECT a FROM t LIMIT 1", true, false),
            ("SELECT a FROM t WHERE b = $1", false, true),
            ("SELECT a FROM t WHERE b = ? LIMIT 1", true, true),
        ] {
            let blotted = Blotted::of(sql);
            assert_eq!((blotted.has_literals, blotted.has_placeholders), (has_literals, has_placeholders));
        }
    }
}
