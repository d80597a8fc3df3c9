//! Constructs of Postgres inside expressions.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::postgres::open_call;
use super::{Rewriter, is_word, keyword};

/// `BETWEEN SYMMETRIC a AND b`.
pub(super) fn symmetric(r: &mut Rewriter) -> bool {
    let there = matches!(r.keyword(1), K::SYMMETRIC | K::ASYMMETRIC);
    if there {
        r.keep(1);
        r.skip(1);
    }
    there
}

/// `f(VARIADIC array)`.
pub(super) fn variadic(r: &mut Rewriter) -> bool {
    let there = matches!(r.written(1), Token::LParen | Token::Comma);
    if there {
        r.skip(1);
    }
    there
}

/// `substring(a SIMILAR b ESCAPE c)` has three arguments.
pub(super) fn substring_similar(r: &mut Rewriter) -> bool {
    if r.keyword(1) == K::TO || *r.written(2) != Token::LParen || !is_word(r.written(3), "substring") {
        return false;
    }
    r.skip(1);
    r.put(Token::Comma);
    let mut depth = 0_usize;
    loop {
        match r.token(0) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return true,
            Token::RParen => depth -= 1,
            Token::EOF => return true,
            _ if depth == 0 && r.keyword(0) == K::ESCAPE => {
                r.put(Token::Comma);
                r.skip(1);
                return true;
            }
            _ => {}
        }
        r.keep(1);
    }
}

/// `xmlelement(NAME a, ..)`.
pub(super) fn xml_name(r: &mut Rewriter) -> bool {
    let there = *r.written(1) == Token::LParen && r.is_name(1) && is_word(r.written(2), "xmlelement");
    if there {
        r.skip(1);
        let name = Token::SingleQuotedString(r.token(0).to_string());
        r.put(name);
        r.skip(1);
    }
    there
}

/// `= ANY (VALUES (1), (2))` compares with the rows of a query.
pub(super) fn any_of_values(r: &mut Rewriter) -> bool {
    if *r.token(1) != Token::LParen || r.keyword(2) != K::VALUES {
        return false;
    }
    let Some(end) = r.closing(1) else { return false };
    let end = r.at + end;
    r.keep(2);
    r.put_word("SELECT", K::SELECT);
    r.put(Token::Mul);
    r.put_word("FROM", K::FROM);
    r.put(Token::LParen);
    r.run(end);
    r.put(Token::RParen);
    true
}

/// `a @> ANY (b)`: an operator that the parser does not join with `ANY`. It reads the column as without it.
pub(super) fn any_of_operator(r: &mut Rewriter) -> bool {
    let operator = matches!(
        r.written(1),
        Token::AtArrow
            | Token::ArrowAt
            | Token::AtAt
            | Token::AtQuestion
            | Token::Overlap
            | Token::Question
            | Token::Caret
            | Token::CaretAt
            | Token::CustomBinaryOperator(_)
    );
    let there = operator && *r.token(1) == Token::LParen;
    if there {
        r.skip(1);
    }
    there
}

/// `a::text COLLATE "C"`: behind a cast the parser takes no collation. A cast is not searched by a plain index, with one
/// or without.
pub(super) fn collated_cast(r: &mut Rewriter) -> bool {
    let mut back = 1;
    loop {
        match r.written(back) {
            Token::RParen => {
                let mut depth = 0_usize;
                loop {
                    match r.written(back) {
                        Token::RParen => depth += 1,
                        Token::LParen => depth -= 1,
                        Token::EOF => return false,
                        _ => {}
                    }
                    back += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            Token::RBracket | Token::LBracket | Token::Word(_) | Token::Period | Token::Number(..) => {
                back += 1
            }
            Token::DoubleColon => break,
            _ => return false,
        }
    }
    if !r.is_name(1) {
        return false;
    }
    r.skip(2);
    while *r.token(0) == Token::Period && r.is_name(1) {
        r.skip(2);
    }
    true
}

/// `COLLATION FOR (a)` is a function.
pub(super) fn collation_for(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::FOR && *r.token(2) == Token::LParen;
    if there {
        r.put_word("pg_collation_for", K::NoKeyword);
        r.skip(2);
    }
    there
}

/// `RANGE '1 day'::interval PRECEDING`: the bound of a frame, which the parser takes without its type.
pub(super) fn frame_bound(r: &mut Rewriter) -> bool {
    let there = r.is_name(1) && matches!(r.keyword(2), K::PRECEDING | K::FOLLOWING);
    if there {
        r.skip(2);
    }
    there
}

/// `a <+> b`, an operator that the tokenizer takes for three.
pub(super) fn taxicab_distance(r: &mut Rewriter) -> bool {
    let there = *r.token(1) == Token::Plus && *r.token(2) == Token::Gt;
    if there {
        r.put(Token::CustomBinaryOperator("<+>".to_owned()));
        r.skip(3);
    }
    there
}

/// `bit varying(3)` is a type like `bit`.
pub(super) fn bit_varying(r: &mut Rewriter) -> bool {
    let there = is_word(r.written(1), "bit");
    if there {
        r.skip(1);
    }
    there
}

/// `trim(LEADING FROM a)` trims blanks.
pub(super) fn trimmed_blanks(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::FROM && is_word(r.written(2), "trim");
    if there {
        r.keep(1);
        r.put(Token::SingleQuotedString(" ".to_owned()));
    }
    there
}

/// `U&"name"` is a quoted name; escapes in it are left as they are.
pub(super) fn unicode_name(r: &mut Rewriter) -> bool {
    let quoted = matches!(r.token(2), Token::Word(word) if word.quote_style.is_some());
    let there = quoted && *r.token(1) == Token::Ampersand;
    if there {
        r.skip(2);
        r.keep(1);
    }
    there
}

/// What `json_value` and its like say of their result: `RETURNING int DEFAULT 0 ON ERROR`, `WITH WRAPPER`.
pub(super) fn json_options(r: &mut Rewriter) -> bool {
    let Some(open) = r.open.last().and_then(|_| open_call(r)) else { return false };
    let json = ["json_value", "json_query", "json_exists", "json_serialize", "json_scalar"];
    if !json.iter().any(|name| is_word(&r.out[open].token, name)) {
        return false;
    }
    let mut depth = 0_usize;
    loop {
        match r.token(0) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return true,
            Token::RParen => depth -= 1,
            Token::EOF => return true,
            _ => {}
        }
        r.skip(1);
    }
}

/// `inet '10.0.0.1'`, `public.mood 'ok'`: a literal of a type that the parser does not know is a cast.
pub(super) fn typed_literal(r: &mut Rewriter) -> bool {
    let Token::Word(word) = r.token(0) else { return false };
    if word.keyword != K::NoKeyword || !matches!(r.token(1), Token::SingleQuotedString(_)) {
        return false;
    }
    // A string cannot follow an operand, and none follows these.
    if r.after_operand() || matches!(keyword(r.written(1)), K::AS | K::COLLATE) {
        return false;
    }
    let ty = r.token(0).clone();
    let mut qualifier = Vec::new();
    while *r.written(1) == Token::Period && matches!(r.written(2), Token::Word(_)) {
        let name_and_period = r.out.split_off(r.out.len() - 2);
        qualifier.splice(0..0, name_and_period);
    }
    r.skip(1);
    r.keep(1);
    r.put(Token::DoubleColon);
    r.out.extend(qualifier);
    r.put(ty);
    true
}
