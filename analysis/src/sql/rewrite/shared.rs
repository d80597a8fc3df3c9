//! Constructs of several dialects. Each function returns whether the construct was present.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, keyword};
use crate::sql::Dialect;
use crate::sql::expr::PART;

/// Whether the parser gives a word a meaning that it has in none of the three databases, where it is a plain
/// name.
pub(super) fn is_of_other_databases(keyword: K) -> bool {
    matches!(
        keyword,
        K::ANTI
            | K::ASOF
            | K::CLUSTER
            | K::CONNECT
            | K::DISTRIBUTE
            | K::FINAL
            | K::FORMAT
            | K::GLOBAL
            | K::INTERPOLATE
            | K::MATCH_RECOGNIZE
            | K::MINUS
            | K::PIVOT
            | K::PREWHERE
            | K::QUALIFY
            | K::SAMPLE
            | K::SEMI
            | K::SETTINGS
            | K::SORT
            | K::TOP
            | K::UNPIVOT
    )
}

/// Whether a keyword cannot end an operand.
pub(super) fn is_reserved(keyword: K) -> bool {
    matches!(
        keyword,
        K::ALL
            | K::AND
            | K::ANY
            | K::AS
            | K::BETWEEN
            | K::BY
            | K::CASE
            | K::COLLATE
            | K::DISTINCT
            | K::ELSE
            | K::ESCAPE
            | K::EXCEPT
            | K::EXISTS
            | K::FROM
            | K::GLOB
            | K::HAVING
            | K::ILIKE
            | K::IN
            | K::INTERSECT
            | K::INTERVAL
            | K::IS
            | K::JOIN
            | K::LIKE
            | K::LIMIT
            | K::NOT
            | K::ON
            | K::OR
            | K::REGEXP
            | K::RETURNING
            | K::RLIKE
            | K::SELECT
            | K::SET
            | K::SIMILAR
            | K::THEN
            | K::UNION
            | K::USING
            | K::VALUES
            | K::WHEN
            | K::WHERE
    )
}

/// `FOR NO KEY UPDATE`, `FOR KEY SHARE`, `FOR UPDATE OF a, b`: row locks that differ in what they conflict
/// with.
pub(super) fn row_lock(r: &mut Rewriter) -> bool {
    let strength = match (r.keyword(1), r.keyword(2), r.keyword(3)) {
        (K::UPDATE | K::SHARE, ..) => 1,
        (K::KEY, K::SHARE, _) if r.dialect == Dialect::Postgres => 2,
        (K::NO, K::KEY, K::UPDATE) if r.dialect == Dialect::Postgres => 3,
        _ => return false,
    };
    r.keep(1);
    r.skip(strength - 1);
    r.keep(1);
    if r.keyword(0) == K::OF && r.is_name(1) {
        r.keep(2);
        while matches!(r.token(0), Token::Period) && r.is_name(1) {
            r.keep(2);
        }
        while matches!(r.token(0), Token::Comma) && r.is_name(1) {
            r.skip(2);
            while matches!(r.token(0), Token::Period) {
                r.skip(2);
            }
        }
    }
    if r.dialect == Dialect::MySql && r.is(0, "wait") && matches!(r.token(1), Token::Number(..)) {
        r.skip(2);
    }
    true
}

/// A clause after a SELECT without FROM, which the parser would read as the last column's alias: an inserted
/// `WHERE TRUE` ends the list.
pub(super) fn after_bare_select(r: &mut Rewriter) {
    let clause = match r.keyword(0) {
        K::ON => r.keyword(1) == K::CONFLICT,
        K::FOR => matches!(r.keyword(1), K::UPDATE | K::SHARE | K::NO | K::KEY),
        _ => r.is_name(1) && r.keyword(2) == K::AS,
    };
    if clause && r.may_search() && ends_select_list(r) {
        r.put_word("WHERE", K::WHERE);
        r.put_word("TRUE", K::TRUE);
    }
}

/// Whether the last output token belongs to a SELECT list.
fn ends_select_list(r: &Rewriter) -> bool {
    if !r.after_operand() {
        return false;
    }
    let mut depth = 0_usize;
    for (at, token) in r.out.iter().enumerate().rev() {
        match &token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return false,
            Token::LParen => depth -= 1,
            Token::SemiColon => return false,
            token if depth == 0 => match keyword(token) {
                K::SELECT => return true,
                // `a IS DISTINCT FROM b` is a value.
                K::FROM => {
                    let before = at.checked_sub(1).and_then(|before| r.out.get(before));
                    if before.is_none_or(|before| keyword(&before.token) != K::DISTINCT) {
                        return false;
                    }
                }
                K::WHERE | K::GROUP | K::HAVING | K::ORDER | K::LIMIT | K::OFFSET | K::FETCH => return false,
                K::VALUES | K::SET | K::USING | K::INSERT | K::UPDATE | K::DELETE | K::INTO => return false,
                _ => {}
            },
            _ => {}
        }
    }
    false
}

/// What stands for the expressions of a conflict target that has no column: no column has this name.
pub(in crate::sql) const EXPRESSION: &str = "";

/// The target of `ON CONFLICT`: expressions, collations, operator classes and the predicate of a partial
/// index. Which unique index it selects does not affect what is read.
pub(super) fn conflict_target(r: &mut Rewriter) -> bool {
    if r.keyword(1) != K::CONFLICT {
        return false;
    }
    r.keep(2);
    if *r.token(0) == Token::LParen
        && let Some(end) = r.closing(0)
    {
        let columns = plain_columns(r, end);
        if columns.is_empty() && end > 1 {
            r.put(Token::LParen);
            r.put_name(EXPRESSION, '"');
            r.put(Token::RParen);
            r.skip(end + 1);
        } else {
            r.keep(1);
            let mut at = 1;
            for (nth, column) in columns.into_iter().enumerate() {
                r.skip(column - at);
                if nth > 0 {
                    r.put(Token::Comma);
                }
                r.keep(1);
                at = column + 1;
            }
            r.skip(end - at);
            r.keep(1);
        }
        if r.keyword(0) == K::WHERE {
            r.skip(predicate_length(r));
        }
    }
    true
}

/// The offsets of the columns in a conflict target that closes at `end`.
fn plain_columns(r: &Rewriter, end: usize) -> Vec<usize> {
    let mut columns = Vec::new();
    let mut depth = 0_usize;
    for at in 1..end {
        match r.token(at) {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Word(_) if depth == 0 => {
                let first = at == 1 || *r.token(at - 1) == Token::Comma;
                if first && !is_call(r, at) {
                    columns.push(at);
                }
            }
            _ => {}
        }
    }
    columns
}

/// Whether a name at an offset is that of a function that is called, possibly with its schema.
fn is_call(r: &Rewriter, at: usize) -> bool {
    let mut next = at + 1;
    while *r.token(next) == Token::Period && r.is_name(next + 1) {
        next += 2;
    }
    *r.token(next) == Token::LParen
}

/// The number of tokens up to the `DO` of an ON CONFLICT.
fn predicate_length(r: &Rewriter) -> usize {
    let rest = r.input.get(r.at..).unwrap_or_default();
    rest.iter().position(|token| keyword(&token.token) == K::DO).unwrap_or(0)
}

/// `((SELECT ..) UNION SELECT ..)` as a value: the parser reads a parenthesised query as an expression.
pub(super) fn compound_subquery(r: &mut Rewriter) -> bool {
    let value = match r.written(1) {
        Token::Word(word) => {
            word.quote_style.is_none()
                && !matches!(word.keyword, K::FROM | K::JOIN | K::AS | K::LATERAL | K::INTO | K::UNION)
                && !matches!(word.keyword, K::EXCEPT | K::INTERSECT | K::ALL | K::DISTINCT | K::MATERIALIZED)
        }
        Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq => true,
        _ => false,
    };
    if !value || *r.token(1) != Token::LParen {
        return false;
    }
    let mut inner = 1;
    while *r.token(inner) == Token::LParen {
        inner += 1;
    }
    let queries = matches!(r.keyword(inner), K::SELECT | K::WITH | K::VALUES | K::TABLE);
    let (Some(end), Some(first)) = (r.closing(0), r.closing(1)) else { return false };
    if !queries || !matches!(r.keyword(first + 1), K::UNION | K::EXCEPT | K::INTERSECT) {
        return false;
    }
    let end = r.at + end;
    r.keep(1);
    r.put_word("SELECT", K::SELECT);
    r.put(Token::Mul);
    r.put_word("FROM", K::FROM);
    r.put(Token::LParen);
    r.run(end);
    r.put(Token::RParen);
    r.put_word("AS", K::AS);
    r.put_word("rows", K::NoKeyword);
    true
}

/// `IN ((SELECT 1), (SELECT 2))` and `IN ((SELECT 1) + 1)` list values; the parser takes the first for the query of the
/// list, unless it is read as the operand of the operator without a name.
pub(super) fn list_of_queries(r: &mut Rewriter) -> bool {
    if *r.token(1) != Token::LParen || *r.token(2) != Token::LParen {
        return false;
    }
    let Some(inner) = (3..).find(|at| *r.token(*at) != Token::LParen) else { return false };
    if !matches!(r.keyword(inner), K::SELECT | K::WITH | K::VALUES | K::TABLE) {
        return false;
    }
    let Some(first) = r.closing(2) else { return false };
    let goes_on = matches!(r.token(first + 1), Token::RParen | Token::EOF)
        || matches!(r.keyword(first + 1), K::UNION | K::EXCEPT | K::INTERSECT | K::ORDER | K::LIMIT)
        || matches!(r.keyword(first + 1), K::OFFSET | K::FETCH | K::FOR);
    if goes_on {
        return false;
    }
    r.keep(2);
    r.put_word("NULL", K::NULL);
    r.put(Token::CustomBinaryOperator(" ".to_owned()));
    true
}

/// Whether the current parenthesis contains tables, as MySQL and SQLite allow: `FROM (a, b)`, `JOIN ((a), b)`.
pub(super) fn opens_tables(r: &mut Rewriter) -> bool {
    let is_inside = *r.written(1) == Token::LParen && r.open.last().copied().unwrap_or_default();
    let is_after = match keyword(r.written(1)) {
        K::FROM | K::JOIN => keyword(r.written(2)) != K::DISTINCT,
        K::UPDATE => r.lists.update == Some(r.open.len()),
        _ => false,
    };
    if r.dialect == Dialect::Postgres || !(is_inside || is_after || continues_from(r)) {
        return false;
    }
    let is_query = |word: K| matches!(word, K::SELECT | K::WITH | K::VALUES | K::TABLE);
    if *r.token(1) != Token::LParen {
        return r.is_name(1) && !is_query(r.keyword(1)) && *r.token(2) != Token::LParen;
    }
    if !r.may_search() {
        return false;
    }
    let inner = (2..).find(|ahead| *r.token(*ahead) != Token::LParen).unwrap_or(2);
    if !is_query(r.keyword(inner)) {
        return r.is_name(inner);
    }
    // `((SELECT ..))` and `((SELECT ..) UNION ..)` are one query; a derived table has a name, or others beside it.
    let Some(closed) = r.closing(1) else { return false };
    let next = r.keyword(closed + 1);
    let goes_on =
        matches!(next, K::UNION | K::EXCEPT | K::INTERSECT | K::ORDER | K::LIMIT | K::OFFSET | K::FETCH);
    !goes_on && *r.token(closed + 1) != Token::RParen
}

/// Whether the last comma continues the tables of a FROM: going back, past what is in parentheses, its FROM comes
/// before any other clause.
fn continues_from(r: &mut Rewriter) -> bool {
    if *r.written(1) != Token::Comma || !r.may_search() {
        return false;
    }
    let mut depth = 0_usize;
    let mut tokens = r.out.iter().rev().skip(1).map(|token| &token.token).peekable();
    while let Some(token) = tokens.next() {
        match token {
            Token::RParen | Token::RBracket => depth += 1,
            Token::LParen | Token::LBracket if depth == 0 => return false,
            Token::LParen | Token::LBracket => depth -= 1,
            Token::SemiColon => return false,
            _ if depth > 0 => {}
            token => match keyword(token) {
                K::FROM if tokens.peek().is_some_and(|before| keyword(before) == K::DISTINCT) => {}
                K::FROM => return true,
                K::SELECT | K::WHERE | K::BY | K::SET | K::VALUES | K::HAVING | K::LIMIT | K::RETURNING => {
                    return false;
                }
                _ => {}
            },
        }
    }
    false
}

/// The `EXCLUDE ..` at the end of a window frame.
pub(super) fn frame_exclusion(r: &mut Rewriter) -> bool {
    let length = match (r.keyword(1), r.keyword(2)) {
        (K::TIES | K::GROUP, _) => 2,
        (K::CURRENT, K::ROW) => 3,
        (K::NO, _) if r.is(2, "others") => 3,
        _ => return false,
    };
    let there = *r.token(length) == Token::RParen;
    if there {
        r.skip(length);
    }
    there
}

/// `TABLE t` as a query of its own is `SELECT * FROM t`.
pub(super) fn table_command(r: &mut Rewriter) -> bool {
    let begins = match r.written(1) {
        Token::EOF | Token::LParen | Token::RParen | Token::SemiColon => true,
        token => match keyword(token) {
            K::UNION | K::EXCEPT | K::INTERSECT | K::ALL | K::DISTINCT => true,
            K::TEMP | K::TEMPORARY | K::UNLOGGED => false,
            _ => keyword(r.written(2)) == K::INTO,
        },
    };
    if !begins || !r.is_name(1) {
        return false;
    }
    r.put_word("SELECT", K::SELECT);
    r.put(Token::Mul);
    r.put_word("FROM", K::FROM);
    r.skip(1);
    true
}

/// `SET column[1] = value` becomes `SET column = PART(column[1]) OR value`, and likewise with fields: nothing binds more
/// loosely than OR, so the value need not be read to its end.
pub(super) fn parts_of_columns(r: &mut Rewriter) -> bool {
    if !r.is_name(1) {
        return false;
    }
    let mut end = 2;
    loop {
        match r.token(end) {
            Token::LBracket => match r.closing(end) {
                Some(close) => end = close + 1,
                None => return false,
            },
            Token::Period if r.is_name(end + 1) => end += 2,
            _ => break,
        }
    }
    let assigned = end > 2 && *r.token(end) == Token::Eq;
    if assigned {
        let column = r.token(1).clone();
        r.keep(2);
        r.put(Token::Eq);
        r.put_word(PART, K::NoKeyword);
        r.put(Token::LParen);
        r.put(column);
        r.keep(end - 2);
        r.put(Token::RParen);
        r.put_word("OR", K::OR);
        r.skip(1);
    }
    assigned
}

/// `x ISNULL`, `x NOTNULL` and `x NOT NULL`.
pub(super) fn null_test(r: &mut Rewriter, negated: bool, length: usize) -> bool {
    if !r.after_operand() || *r.token(length) == Token::LParen {
        return false;
    }
    r.put_word("IS", K::IS);
    if negated {
        r.put_word("NOT", K::NOT);
    }
    r.put_word("NULL", K::NULL);
    r.skip(length);
    true
}

/// `LIMIT ALL`: MySQL and SQLite have no such word, and are told of a LIMIT without a number.
pub(super) fn all_rows(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::ALL;
    if there {
        r.keep(1);
        r.put_word("NULL", K::NULL);
        r.skip(1);
    }
    there
}
