//! Constructs of PostgreSQL inside expressions.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::postgres::open_call;
use super::shared::is_reserved;
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

/// `a::text COLLATE "C"`: the parser accepts a collation after a cast only if the cast is in parentheses.
pub(super) fn collated_cast(r: &mut Rewriter) -> bool {
    if is_column_definition(r) {
        skip_collation(r);
        return true;
    }
    let mut back = 1;
    loop {
        match r.written(back) {
            Token::RParen => {
                let Some(open) = r.opened(back) else { return false };
                back = open + 1;
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
    match cast_start(r, back) {
        Some(start) => {
            let at = r.out.len() - start;
            let span = r.out.get(at).map_or_else(Span::empty, |token| token.span);
            r.out.insert(at, TokenWithSpan { token: Token::LParen, span });
            r.put(Token::RParen);
            r.keep(1);
        }
        // Nothing that an index is searched by.
        None => skip_collation(r),
    }
    true
}

fn skip_collation(r: &mut Rewriter) {
    r.skip(2);
    while *r.token(0) == Token::Period && r.is_name(1) {
        r.skip(2);
    }
}

/// How far from the end of the output the value starts that the `::` at `back` casts.
fn cast_start(r: &Rewriter, mut back: usize) -> Option<usize> {
    let is_name = |back: usize| match r.written(back) {
        Token::Word(word) => word.quote_style.is_some() || !is_reserved(word.keyword),
        _ => false,
    };
    loop {
        // The token before the cast, or before the subscript.
        back += 1;
        match r.written(back) {
            Token::RBracket => {
                back = r.opened(back)?;
                continue;
            }
            Token::RParen => {
                back = r.opened(back)?;
                if is_name(back + 1) {
                    back += 1;
                }
            }
            Token::Placeholder(_) => {}
            Token::Word(_) if is_name(back) => {}
            _ => return None,
        }
        while *r.written(back + 1) == Token::Period && is_name(back + 2) {
            back += 2;
        }
        if *r.written(back + 1) != Token::DoubleColon {
            return starts_operand(r, back).then_some(back);
        }
        back += 1;
    }
}

/// Whether an operand is known to start at `back`, rather than be the end of a longer one: `count(*) FILTER (..)`,
/// `a::double precision`, `CASE .. END`.
fn starts_operand(r: &Rewriter, back: usize) -> bool {
    let continues = matches!(
        keyword(r.written(back)),
        K::OVER | K::FILTER | K::GROUP | K::END | K::EXISTS | K::PRECISION | K::VARYING | K::ZONE
    );
    let before = r.written(back + 1);
    let begins = match before {
        Token::EOF | Token::Comma | Token::LParen | Token::StringConcat => true,
        Token::Eq | Token::Lt | Token::Gt => true,
        _ => matches!(
            keyword(before),
            K::AND
                | K::OR
                | K::NOT
                | K::WHERE
                | K::ON
                | K::BY
                | K::SELECT
                | K::THEN
                | K::ELSE
                | K::WHEN
                | K::HAVING
        ),
    };
    begins && !continues
}

/// Whether a column of `FROM f(..) AS t(a int, b text COLLATE "C")` is being read.
fn is_column_definition(r: &Rewriter) -> bool {
    let before = |at: usize| r.out.get(at).map_or(&Token::EOF, |token| &token.token);
    r.is_name(1)
        && matches!(r.written(1), Token::Word(_))
        && matches!(r.written(2), Token::Word(_))
        && open_call(r).is_some_and(|alias| {
            alias > 1 && keyword(before(alias - 1)) == K::AS && *before(alias - 2) == Token::RParen
        })
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

/// `RANGE '1 day'::interval PRECEDING`: a frame bound, which the parser accepts only without a cast.
pub(super) fn frame_bound(r: &mut Rewriter) -> bool {
    let there = r.is_name(1) && matches!(r.keyword(2), K::PRECEDING | K::FOLLOWING);
    if there {
        r.skip(2);
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

/// `trim(LEADING FROM a)` and `trim(LEADING a)` trim blanks.
pub(super) fn trimmed_blanks(r: &mut Rewriter) -> bool {
    if *r.written(1) != Token::LParen || !is_word(r.written(2), "trim") {
        return false;
    }
    let from = usize::from(r.keyword(1) == K::FROM);
    let mut depth = 0_usize;
    let mut at = from + 1;
    loop {
        match r.token(at) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => break,
            // `trim(BOTH FROM a, 'x')` names the characters last.
            Token::Comma if depth == 0 && r.open.len() < MOST_NESTED => {
                return trimmed_characters(r, from + 1);
            }
            _ if depth == 0 && from == 1 && at - from > MOST_NESTED => break,
            Token::RParen => depth -= 1,
            Token::EOF => return false,
            _ if depth == 0 && r.keyword(at) == K::FROM => return false,
            _ => {}
        }
        at += 1;
    }
    if from == 1 {
        r.keep(1);
        r.put(Token::EscapedStringLiteral(" ".to_owned()));
    } else {
        r.skip(1);
    }
    true
}

/// How deep a call may be nested, and how long the text that it trims may be, for its characters to be looked for behind
/// it; and how long the rest of a call may be to be looked through each time.
const MOST_NESTED: usize = 64;

/// `trim(BOTH FROM a, 'x')` is the call `btrim(a, 'x')`.
fn trimmed_characters(r: &mut Rewriter, skipped: usize) -> bool {
    let function = match r.keyword(0) {
        K::LEADING => "ltrim",
        K::TRAILING => "rtrim",
        _ => "btrim",
    };
    let call = r.out.len() - 2;
    if let Token::Word(word) = &mut r.out[call].token {
        *word = Word { value: function.to_owned(), quote_style: None, keyword: K::NoKeyword };
    }
    r.skip(skipped);
    true
}

/// `substring(a FOR 2 FROM 1)`: the parser accepts FROM first.
pub(super) fn substring_turned(r: &mut Rewriter) -> bool {
    if r.open.is_empty() || matches!(r.keyword(1), K::UPDATE | K::SHARE | K::NO | K::KEY | K::READ) {
        return false;
    }
    let is_call = open_call(r).is_some_and(|call| is_word(&r.out[call].token, "substring"));
    if !is_call {
        return false;
    }
    let mut depth = 0_usize;
    let mut from = None;
    let mut end = 1;
    loop {
        if end == MOST_NESTED && !r.may_search() {
            return false;
        }
        match r.token(end) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => break,
            Token::RParen => depth -= 1,
            Token::EOF => return false,
            _ if depth == 0 && r.keyword(end) == K::FROM => from = from.or(Some(end)),
            _ => {}
        }
        end += 1;
    }
    if let Some(from) = from {
        let at = r.at;
        r.input[at..at + end].rotate_left(from);
    }
    from.is_some() && {
        r.keep(1);
        true
    }
}

/// `FETCH FIRST (1 + $1) ROWS ONLY` is a LIMIT. WITH TIES may return more rows than that.
pub(super) fn counted_rows(r: &mut Rewriter) -> bool {
    if !matches!(r.keyword(1), K::FIRST | K::NEXT) || *r.token(2) != Token::LParen {
        return false;
    }
    let Some(end) = r.closing(2) else { return false };
    let ties = r.keyword(end + 2) == K::WITH;
    if !matches!(r.keyword(end + 1), K::ROW | K::ROWS) || !(ties || r.keyword(end + 2) == K::ONLY) {
        return false;
    }
    if ties {
        r.keep(2);
        r.put(Token::Number("2".to_owned(), false));
        r.skip(end - 1);
        return true;
    }
    r.put_word("LIMIT", K::LIMIT);
    r.skip(2);
    r.keep(end - 1);
    r.skip(2);
    true
}

/// `FOR UPDATE FETCH FIRST 2 ROWS ONLY` is `FOR UPDATE LIMIT 2`: after a lock the parser reads only LIMIT. WITH TIES
/// may return more rows than that.
pub(super) fn locked_rows(r: &mut Rewriter) -> bool {
    let is_lock = matches!(keyword(r.written(1)), K::UPDATE | K::SHARE | K::NOWAIT | K::LOCKED);
    if !(is_lock || keyword(r.written(2)) == K::OF) || !matches!(r.keyword(1), K::FIRST | K::NEXT) {
        return false;
    }
    let end = match r.token(2) {
        Token::LParen => r.closing(2).map_or(2, |end| end + 1),
        Token::Number(..) | Token::Placeholder(_) => 3,
        _ => 2,
    };
    if !matches!(r.keyword(end), K::ROW | K::ROWS) || r.keyword(end + 1) != K::ONLY {
        return false;
    }
    r.put_word("LIMIT", K::LIMIT);
    r.skip(2);
    if end == 2 {
        r.put(Token::Number("1".to_owned(), false));
    }
    r.keep(end - 2);
    r.skip(2);
    true
}
