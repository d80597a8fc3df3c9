//! Literals, names and arguments inside expressions, as PostgreSQL writes them.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::{Token, Word};

use super::postgres::open_call;
use super::{Rewriter, is_word, keyword};

/// `U&"n\0061me"` is a quoted name with escapes; `UESCAPE '!'` after it sets the escape character.
pub(super) fn unicode_name(r: &mut Rewriter) -> bool {
    let Token::Word(word) = r.token(2) else { return false };
    if word.quote_style.is_none() || *r.token(1) != Token::Ampersand {
        return false;
    }
    let escape = match (r.keyword(3), r.token(4)) {
        (K::UESCAPE, Token::SingleQuotedString(text)) => text.chars().next(),
        _ => None,
    };
    let name = unescaped(&word.value, escape.unwrap_or('\\'));
    r.put_name(&name, '"');
    r.skip(if escape.is_some() { 5 } else { 3 });
    true
}

/// Resolves the escapes in a name: the escape character followed by four hexadecimal digits, by `+` and six,
/// or by itself. Anything else stays.
fn unescaped(text: &str, escape: char) -> String {
    let mut name = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(escape) {
        name.push_str(&rest[..at]);
        let after = &rest[at + escape.len_utf8()..];
        let (digits, length) = match after.strip_prefix('+') {
            Some(long) => (long.get(..6), 7),
            None => (after.get(..4), 4),
        };
        let character =
            digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        rest = match character {
            Some(character) => {
                name.push(character);
                &after[length..]
            }
            None => {
                name.push(escape);
                after.strip_prefix(escape).unwrap_or(after)
            }
        };
    }
    name.push_str(rest);
    name
}

/// `U&'..' UESCAPE '!'`: the escape character of a string.
pub(super) fn unicode_escape(r: &mut Rewriter) -> bool {
    let there = matches!(r.written(1), Token::UnicodeStringLiteral(_))
        && matches!(r.token(1), Token::SingleQuotedString(_));
    if there {
        r.skip(2);
    }
    there
}

/// `normalize(a, NFKC)`: a keyword, not a column.
pub(super) fn normal_form(r: &mut Rewriter) -> bool {
    let there = *r.written(1) == Token::Comma
        && *r.token(1) == Token::RParen
        && open_call(r).is_some_and(|call| is_word(&r.out[call].token, "normalize"));
    if there {
        let form = r.token(0).to_string();
        r.put(Token::SingleQuotedString(form));
        r.skip(1);
    }
    there
}

/// `ts AT LOCAL` is the session's time zone.
pub(super) fn at_local(r: &mut Rewriter) -> bool {
    let there = r.after_operand();
    if there {
        r.keep(1);
        r.put_word("TIME", K::TIME);
        r.put_word("ZONE", K::ZONE);
        r.put(Token::SingleQuotedString("local".to_owned()));
        r.skip(1);
    }
    there
}

/// `f(name := value)`, the same as `name => value`.
pub(super) fn named_argument(r: &mut Rewriter) -> bool {
    let there =
        matches!(r.written(1), Token::Word(_)) && matches!(r.written(2), Token::LParen | Token::Comma);
    if there {
        r.put(Token::RArrow);
        r.skip(1);
    }
    there
}

/// `inet '10.0.0.1'`, `public.mood 'ok'`, `pg_catalog.varchar(3) 'abc'`: a literal of a type unknown to the parser becomes
/// a cast.
pub(super) fn typed_literal(r: &mut Rewriter) -> bool {
    let Token::Word(word) = r.token(0) else { return false };
    let is_qualified = *r.written(1) == Token::Period;
    let is_nchar = word.quote_style.is_none() && word.value.eq_ignore_ascii_case("nchar");
    if word.keyword != K::NoKeyword && !is_qualified && !is_nchar {
        return false;
    }
    // `xmlparse(DOCUMENT '<a/>')`: no type.
    if *r.written(1) == Token::LParen && is_word(r.written(2), "xmlparse") {
        return false;
    }
    let Some(text) = literal_after_type(r) else { return false };
    // A string cannot follow an operand, nor these words.
    if r.after_operand() || matches!(keyword(r.written(1)), K::AS | K::COLLATE) {
        return false;
    }
    let mut ty = r.input[r.at..r.at + text].to_vec();
    if is_nchar
        && !is_qualified
        && let Some(Token::Word(name)) = ty.first_mut().map(|first| &mut first.token)
    {
        // Another name of `char`.
        *name = Word { value: "char".to_owned(), quote_style: None, keyword: K::CHAR };
    }
    let mut qualifier = Vec::new();
    while *r.written(1) == Token::Period && matches!(r.written(2), Token::Word(_)) {
        let name_and_period = r.out.split_off(r.out.len() - 2);
        qualifier.splice(0..0, name_and_period);
    }
    r.skip(text);
    r.keep(1);
    r.put(Token::DoubleColon);
    r.out.extend(qualifier);
    r.out.extend(ty);
    true
}

/// The offset of the string after the name of a type, which may have a length: `varchar(3) 'abc'`.
fn literal_after_type(r: &Rewriter) -> Option<usize> {
    let is_text = |at: usize| matches!(r.token(at), Token::SingleQuotedString(_)).then_some(at);
    let is_number = |at: usize| matches!(r.token(at), Token::Number(..));
    match r.token(1) {
        Token::SingleQuotedString(_) => Some(1),
        Token::LParen if is_number(2) => match r.token(3) {
            Token::RParen => is_text(4),
            Token::Comma if is_number(4) && *r.token(5) == Token::RParen => is_text(6),
            _ => None,
        },
        _ => None,
    }
}
