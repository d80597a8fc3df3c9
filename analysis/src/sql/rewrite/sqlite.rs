//! Constructs of SQLite.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, keyword, shared};

/// Tries the constructs that start with a word.
pub(super) fn word(r: &mut Rewriter, keyword: K) -> bool {
    match keyword {
        K::ON => on_conflict(r),
        K::EXCLUDE => shared::frame_exclusion(r),
        K::NoKeyword if r.is(0, "indexed") => index_hint(r, 0),
        K::NoKeyword if r.is(0, "isnull") => shared::null_test(r, false, 1),
        K::NOT if r.is(1, "indexed") => index_hint(r, 1),
        K::NOT if r.keyword(1) == K::NULL => shared::null_test(r, true, 2),
        K::NOT => negated_glob(r),
        K::IS => is_value(r),
        K::IN => in_table(r),
        K::COLLATE => collated_list(r),
        K::MATERIALIZED => materialized(r, 1),
        _ => false,
    }
}

/// `INDEXED BY i`, `NOT INDEXED`: instructions for the planner, which do not change what is read.
fn index_hint(r: &mut Rewriter, not: usize) -> bool {
    let there = not == 1 || (r.keyword(1) == K::BY && r.is_name(2));
    if there {
        r.skip(if not == 1 { 2 } else { 3 });
    }
    there
}

/// `ON CONFLICT (a) DO .. ON CONFLICT (b) DO ..`: only the first is kept.
fn on_conflict(r: &mut Rewriter) -> bool {
    if r.keyword(1) != K::CONFLICT {
        return false;
    }
    if r.lists.conflict {
        r.skip(2);
        while !matches!(r.token(0), Token::EOF | Token::SemiColon)
            && !matches!(r.keyword(0), K::RETURNING | K::ON)
        {
            r.skip(1);
        }
        return true;
    }
    r.lists.conflict = true;
    shared::conflict_target(r)
}

/// `NOT GLOB`: the parser only accepts the negation of LIKE.
fn negated_glob(r: &mut Rewriter) -> bool {
    let there = matches!(r.keyword(1), K::GLOB | K::MATCH) && r.after_operand();
    if there {
        r.keep(1);
        r.put_word("LIKE", K::LIKE);
        r.skip(1);
    }
    there
}

/// `a IS b` and `a IS NOT b` compare any two values.
fn is_value(r: &mut Rewriter) -> bool {
    let not = usize::from(r.keyword(1) == K::NOT);
    if matches!(r.keyword(1 + not), K::NULL | K::TRUE | K::FALSE | K::DISTINCT) {
        return false;
    }
    r.keep(1);
    if not == 0 {
        r.put_word("NOT", K::NOT);
    }
    r.put_word("DISTINCT", K::DISTINCT);
    r.put_word("FROM", K::FROM);
    r.skip(not);
    true
}

/// `IN t` and `IN f(..)` search the rows of a table or a function.
fn in_table(r: &mut Rewriter) -> bool {
    if !r.is_name(1) {
        return false;
    }
    let mut end = 2;
    while *r.token(end) == Token::Period {
        end += 2;
    }
    if *r.token(end) == Token::LParen {
        match r.closing(end) {
            Some(close) => end = close + 1,
            None => return false,
        }
    }
    let end = r.at + end;
    r.keep(1);
    r.put(Token::LParen);
    r.put_word("SELECT", K::SELECT);
    r.put(Token::Mul);
    r.put_word("FROM", K::FROM);
    r.run(end);
    r.put(Token::RParen);
    true
}

/// `a IN (..) COLLATE c`: the collation is that of the result, which is no text.
fn collated_list(r: &mut Rewriter) -> bool {
    if *r.written(1) != Token::RParen || !r.is_name(1) {
        return false;
    }
    let is_list = r.opened(1).is_some_and(|open| keyword(r.written(open + 1)) == K::IN);
    if is_list {
        r.skip(2);
    }
    is_list
}

/// `AS [NOT] MATERIALIZED (..)`.
fn materialized(r: &mut Rewriter, length: usize) -> bool {
    if *r.token(length) != Token::LParen {
        return false;
    }
    let not = keyword(r.written(1)) == K::NOT;
    let there = keyword(r.written(1 + usize::from(not))) == K::AS;
    if there {
        if not {
            r.out.pop();
        }
        r.skip(length);
    }
    there
}
