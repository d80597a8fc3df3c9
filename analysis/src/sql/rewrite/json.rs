//! SQL/JSON: constructors, query functions and JSON_TABLE, in PostgreSQL and MySQL.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::postgres::open_call;
use super::{Rewriter, is_word};
use crate::sql::Dialect;

/// Functions whose last argument may have options.
const WITH_OPTIONS: [&str; 10] = [
    "json_value",
    "json_query",
    "json_exists",
    "json_serialize",
    "json_scalar",
    "json",
    "json_object",
    "json_array",
    "json_objectagg",
    "json_arrayagg",
];

/// Options for arguments and results: `FORMAT JSON`, `KEY`, and, up to the closing parenthesis,
/// `PASSING 1 AS x`, `RETURNING int DEFAULT 0 ON ERROR`, `WITH UNIQUE KEYS`, `WITH WRAPPER`.
pub(super) fn option(r: &mut Rewriter) -> bool {
    if r.open.is_empty() {
        return false;
    }
    let Some(call) = open_call(r) else { return false };
    // The query in `JSON_ARRAY(SELECT ..)` has been wrapped in parentheses of ours.
    let call = if r.out[call].token == Token::LParen { call.saturating_sub(1) } else { call };
    if !WITH_OPTIONS.iter().any(|name| is_word(&r.out[call].token, name)) {
        return false;
    }
    let first = *r.written(1) == Token::LParen;
    match r.keyword(0) {
        K::KEY if first || *r.written(1) == Token::Comma => {
            r.skip(1);
            true
        }
        K::KEY => false,
        K::FORMAT if r.is(1, "json") && r.after_operand() => {
            r.skip(if r.is(2, "encoding") { 4 } else { 2 });
            true
        }
        K::FORMAT => false,
        _ if first && r.keyword(0) != K::RETURNING => false,
        _ => {
            to_end(r);
            true
        }
    }
}

/// Whether ERROR, EMPTY or OMIT starts an option, rather than being a name: `ERROR ON ERROR`,
/// `EMPTY ARRAY ON EMPTY`, `OMIT QUOTES`.
pub(super) fn is_behavior(r: &Rewriter) -> bool {
    match r.keyword(0) {
        K::OMIT if r.is(1, "quotes") => true,
        K::OMIT => r.keyword(1) == K::NULL && r.keyword(2) == K::ON && r.keyword(3) == K::NULL,
        K::EMPTY if r.is(1, "array") || r.is(1, "object") => r.keyword(2) == K::ON,
        _ => r.keyword(1) == K::ON,
    }
}

/// Skips everything up to the closing parenthesis.
fn to_end(r: &mut Rewriter) {
    let mut depth = 0_usize;
    loop {
        match r.token(0) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return,
            Token::RParen => depth -= 1,
            Token::EOF => return,
            _ => {}
        }
        r.skip(1);
    }
}

/// `JSON_ARRAY(SELECT ..)`, whose query has no parentheses of its own.
pub(super) fn array_of_query(r: &mut Rewriter) -> bool {
    let there = r.dialect == Dialect::Postgres
        && is_word(r.written(1), "json_array")
        && matches!(r.keyword(1), K::SELECT | K::WITH | K::VALUES | K::TABLE);
    let Some(end) = r.closing(0).filter(|_| there) else { return false };
    let end = r.at + end;
    r.keep(1);
    r.put(Token::LParen);
    r.run(end);
    r.put(Token::RParen);
    true
}

/// `JSON_TABLE(doc, path COLUMNS (a int PATH '$.a', ..)) AS t` is a function whose columns the query defines:
/// `json_table(doc, path) AS t (a int, ..)`.
pub(super) fn table(r: &mut Rewriter) -> bool {
    let Some(end) = r.closing(1).filter(|_| *r.token(1) == Token::LParen) else { return false };
    let Some(columns) = list_of_columns(r, end) else { return false };
    let mut names = Vec::new();
    column_names(r, columns + 2, end, &mut names);
    let start = r.at;
    // The function with its arguments; path names and PASSING parameters are dropped.
    r.put_name("json_table", '"');
    r.skip(1);
    r.keep(1);
    while r.at < start + columns {
        match r.token(0) {
            Token::LParen => {
                let inside = r.at + r.closing(0).unwrap_or(0);
                r.keep(1);
                r.run(inside.min(start + columns));
            }
            Token::Word(_) if r.keyword(0) == K::PASSING => {
                r.put(Token::Comma);
                r.skip(1);
            }
            Token::Word(_) if r.keyword(0) == K::AS && r.is_name(1) => r.skip(2),
            Token::Word(_) if r.keyword(0) == K::FORMAT && r.is(1, "json") => r.skip(2),
            _ => r.keep(1),
        }
    }
    r.skip(start + end - r.at);
    r.keep(1);
    // Its alias, followed by the columns; names given explicitly with the alias come first.
    let explicit = usize::from(r.keyword(0) == K::AS);
    let name = r.token(explicit).clone();
    let is_alias = matches!(&name, Token::Word(word) if word.quote_style.is_some() || explicit == 1 || !is_clause(word.keyword));
    r.put_word("AS", K::AS);
    if is_alias {
        r.skip(explicit);
        r.keep(1);
    } else {
        r.put_name("json_table", '"');
    }
    if is_alias && *r.token(0) == Token::LParen {
        let given = r.closing(0).unwrap_or(0);
        for (slot, at) in names.iter_mut().zip((1..given).step_by(2)) {
            slot.0 = r.token(at).clone();
        }
        r.skip(given + 1);
    }
    r.put(Token::LParen);
    for (nth, (name, ty)) in names.into_iter().enumerate() {
        if nth > 0 {
            r.put(Token::Comma);
        }
        r.put(name);
        ty.into_iter().for_each(|token| r.put(token));
    }
    r.put(Token::RParen);
    true
}

/// Whether a word continues the query after a table without alias.
fn is_clause(keyword: K) -> bool {
    matches!(
        keyword,
        K::WHERE
            | K::JOIN
            | K::LEFT
            | K::RIGHT
            | K::FULL
            | K::CROSS
            | K::INNER
            | K::NATURAL
            | K::ON
            | K::USING
            | K::GROUP
            | K::HAVING
            | K::ORDER
            | K::LIMIT
            | K::OFFSET
            | K::FETCH
            | K::FOR
            | K::UNION
            | K::EXCEPT
            | K::INTERSECT
            | K::WINDOW
            | K::SET
            | K::RETURNING
    )
}

/// The offset of the COLUMNS of a JSON_TABLE that closes at `end`.
fn list_of_columns(r: &Rewriter, end: usize) -> Option<usize> {
    let mut depth = 0_usize;
    (2..end).find(|at| {
        match r.token(*at) {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && r.keyword(*at) == K::COLUMNS && *r.token(at + 1) == Token::LParen
    })
}

/// The names in the column list that starts at `from`, with nested lists in place.
fn column_names(r: &Rewriter, from: usize, end: usize, names: &mut Vec<(Token, Vec<Token>)>) {
    let mut depth = 0_usize;
    let mut begins = true;
    // The nesting depths at which columns are listed.
    let mut lists = vec![0_usize];
    for at in from..end {
        match r.token(at) {
            Token::LParen => {
                depth += 1;
                if r.keyword(at - 1) == K::COLUMNS {
                    lists.push(depth);
                    begins = true;
                }
            }
            Token::RParen => {
                if lists.last() == Some(&depth) {
                    lists.pop();
                }
                if depth == 0 {
                    return;
                }
                depth -= 1;
            }
            Token::Comma => begins = lists.last() == Some(&depth),
            Token::Word(_) if begins => {
                begins = false;
                if r.keyword(at) != K::NESTED
                    || matches!(r.token(at + 1), Token::Word(w) if w.keyword != K::PATH)
                {
                    names.push((r.token(at).clone(), type_at(r, at + 1)));
                }
            }
            _ => {}
        }
    }
}

/// The type at an offset; a column `FOR ORDINALITY` is a counter.
fn type_at(r: &Rewriter, from: usize) -> Vec<Token> {
    let ends = |at: usize| {
        let keyword = matches!(
            r.keyword(at),
            K::PATH
                | K::EXISTS
                | K::FORMAT
                | K::WITH
                | K::WITHOUT
                | K::NULL
                | K::DEFAULT
                | K::ERROR
                | K::EMPTY
                | K::TRUE
                | K::FALSE
                | K::UNKNOWN
                | K::COLLATE
                | K::CHARSET
                | K::OMIT
        );
        // `timestamp with time zone`, `char character set utf8mb4`.
        let goes_on = matches!(r.keyword(at), K::WITH | K::WITHOUT) && r.keyword(at + 1) == K::TIME;
        let charset = r.keyword(at) == K::CHARACTER && r.keyword(at + 1) == K::SET;
        (keyword && !goes_on) || charset || r.is(at, "keep")
    };
    let mut ty = Vec::new();
    let mut depth = 0_usize;
    for at in from.. {
        match r.token(at) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => break,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => break,
            Token::EOF => break,
            _ if ends(at) || r.keyword(at) == K::FOR => break,
            _ => {}
        }
        ty.push(r.token(at).clone());
    }
    if ty.is_empty() {
        ty.push(Token::make_keyword("integer"));
    }
    ty
}
