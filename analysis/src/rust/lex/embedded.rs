//! Texts inside string literals: locates them in the source, byte for byte, and writes replacements.

use std::cell::OnceCell;
use std::ops::Range;

use super::tokens::{Token, TokenKind, tokens};

/// A string literal of a source.
struct Literal {
    /// The byte range between its quotes.
    content: Range<usize>,
    /// For a raw literal, the number of `#` around it; `None` if backslash is the escape character.
    hashes: Option<usize>,
}

/// The bytes of `source` that represent `text`, which starts at byte `start` inside a string literal. `None`
/// if something else is there: the text is in another literal, or composed of several.
pub fn embedded(source: &str, start: usize, text: &str) -> Option<Range<usize>> {
    literal_at(&tokens(source), start)?.span_of(source, start, text)
}

/// The string literals of a source, which is read once.
#[derive(Debug)]
pub struct Literals<'s> {
    source: &'s str,
    tokens: OnceCell<Vec<Token<'s>>>,
}

impl<'s> Literals<'s> {
    /// Those of a source, which is not read before one of them is asked for.
    pub fn new(source: &'s str) -> Literals<'s> {
        Literals { source, tokens: OnceCell::new() }
    }

    /// Like [`embedded`], along with the source that makes the literal represent `replacement` there. Also
    /// `None` if the literal cannot represent it: a raw literal that the text would end.
    pub fn rewritten(&self, start: usize, text: &str, replacement: &str) -> Option<(Range<usize>, String)> {
        let literal = literal_at(self.tokens.get_or_init(|| tokens(self.source)), start)?;
        let span = literal.span_of(self.source, start, text)?;
        Some((span, literal.write(replacement)?))
    }
}

/// The string literal whose content contains a byte; the closing quote counts as its end.
fn literal_at(tokens: &[Token<'_>], at: usize) -> Option<Literal> {
    let after = tokens.partition_point(|token| token.start < at);
    let token = tokens.get(after.checked_sub(1)?)?;
    let (prefix, rest) = token.text.split_once('"')?;
    let hashes = match (token.kind, prefix.strip_prefix('r')) {
        (TokenKind::Text, _) if prefix.is_empty() => None,
        (TokenKind::Literal, Some(signs)) if signs.bytes().all(|sign| sign == b'#') => Some(signs.len()),
        _ => return None,
    };
    let first = token.start + prefix.len() + 1;
    let content = first..first + rest.len().checked_sub(1 + hashes.unwrap_or(0))?;
    (content.start..=content.end).contains(&at).then_some(Literal { content, hashes })
}

impl Literal {
    fn span_of(&self, source: &str, start: usize, text: &str) -> Option<Range<usize>> {
        let mut rest = source.get(start..self.content.end)?;
        for wanted in text.chars() {
            let (found, after) = self.character(rest)?;
            if found != wanted {
                return None;
            }
            rest = after;
        }
        Some(start..self.content.end - rest.len())
    }

    /// The first character that the source of a content represents, and the remaining source.
    fn character<'s>(&self, mut source: &'s str) -> Option<(char, &'s str)> {
        loop {
            let mut chars = source.chars();
            match chars.next()? {
                '\r' if chars.as_str().starts_with('\n') => source = chars.as_str(),
                '\\' if self.hashes.is_none() => {
                    let escaped = chars.as_str();
                    let line_end = escaped.strip_prefix("\r\n").or_else(|| escaped.strip_prefix('\n'));
                    match line_end {
                        // A line continuation and the blanks after it represent nothing.
                        Some(after) => source = after.trim_start_matches(|c: char| c.is_ascii_whitespace()),
                        None => return escape(escaped),
                    }
                }
                other => return Some((other, chars.as_str())),
            }
        }
    }

    /// The source that represents a text in this literal.
    fn write(&self, text: &str) -> Option<String> {
        match self.hashes {
            None => Some(text.replace('\\', "\\\\").replace('"', "\\\"")),
            Some(hashes) => (!text.contains(&format!("\"{}", "#".repeat(hashes)))).then(|| text.to_owned()),
        }
    }
}

/// The character that an escape, without its backslash, represents, and the remaining source.
fn escape(source: &str) -> Option<(char, &str)> {
    let mut chars = source.chars();
    let found = match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        'x' => {
            let code = source.get(1..3)?;
            return Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, source.get(3..)?));
        }
        'u' => {
            let (digits, after) = chars.as_str().strip_prefix('{')?.split_once('}')?;
            let code = u32::from_str_radix(&digits.replace('_', ""), 16).ok()?;
            return Some((char::from_u32(code)?, after));
        }
        other @ ('\\' | '"' | '\'') => other,
        _ => return None,
    };
    Some((found, chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that `text`, located at `[` in the source, is found between `[` and `]`.
    #[track_caller]
    fn check(marked: &str, text: &str) {
        let source = marked.replace(['[', ']'], "");
        let start = marked.find('[').expect("a start");
        let end = marked.find(']').expect("an end") - 1;
        assert_eq!(embedded(&source, start, text), Some(start..end), "{marked}");
    }

    /// Checks that `text` is not found at `[`.
    #[track_caller]
    fn check_not(marked: &str, text: &str) {
        let source = marked.replace('[', "");
        assert_eq!(embedded(&source, marked.find('[').expect("a start"), text), None, "{marked}");
    }

    #[test]
    fn a_text_is_found_byte_for_byte() {
        check(r#"query("SELECT [id] FROM t")"#, "id");
        check(r##"query(r#"SELECT ["id"] FROM t"#)"##, "\"id\"");
        check(r#"query("SELECT [\"id\"] FROM t")"#, "\"id\"");
        check("query(\"SELECT é, [größe] FROM t\")", "größe");
        check("query(\"a \\\n      [b \\\n   c] d\")", "b c");
        check("query(\"a\r\n[b\r\nc] d\")", "b\nc");
        check(r#"q("[\x41\u{e9}\t\\]")"#, "Aé\t\\");
        check(r#"q("abc[]")"#, "");
        check("let c = '\"'; q(\"[a]\") // \"", "a");
    }

    #[test]
    fn what_stands_in_several_literals_is_not_found() {
        check_not(r#"concat!("SELECT [a", ", b")"#, "a, b");
        check_not(r#"q("SELECT a"); [a("x")"#, "a");
        check_not(r#"q("a [b")"#, "c");
        check_not(r#"q(b"a [b")"#, "b");
        check_not("// \"a [b\"", "b");
    }

    #[test]
    fn a_replacement_is_written_as_its_literal_demands() {
        let written = |source: &str, replacement| {
            let start = source.find('a').expect("a start");
            Literals::new(source).rewritten(start, "a", replacement).map(|(_, written)| written)
        };
        assert_eq!(written("q(\"a\")", "\"x\" \\ y").as_deref(), Some("\\\"x\\\" \\\\ y"));
        assert_eq!(written("q(r\"a\")", "\"x\""), None);
        assert_eq!(written("q(r#\"a\"#)", "\"x\"").as_deref(), Some("\"x\""));
        assert_eq!(written("q(r#\"a\"#)", "\"#x"), None);
    }
}
