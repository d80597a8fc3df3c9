//! The lists of a SELECT in PostgreSQL: its columns and the keys of its groups.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, keyword};

/// `GROUP BY DISTINCT ..`, `GROUP BY ALL ..`.
pub(super) fn group_distinct(r: &mut Rewriter) -> bool {
    let is_list = || match r.token(3) {
        Token::EOF | Token::RParen | Token::SemiColon => false,
        _ => !matches!(r.keyword(3), K::HAVING | K::ORDER | K::LIMIT | K::WINDOW | K::UNION),
    };
    let there = r.keyword(1) == K::BY && (r.keyword(2) == K::DISTINCT || r.keyword(2) == K::ALL && is_list());
    if there {
        r.keep(2);
        r.skip(1);
    }
    there
}

/// `GROUPING SETS (a, GROUPING SETS (b, c))` has the sets `a`, `b` and `c`.
pub(super) fn nested_sets(r: &mut Rewriter) -> bool {
    let begins =
        |r: &Rewriter| r.keyword(0) == K::GROUPING && r.keyword(1) == K::SETS && *r.token(2) == Token::LParen;
    if !begins(r) {
        return false;
    }
    let Some(end) = r.closing(2) else { return false };
    let end = r.at + end;
    r.keep(3);
    // Where the sets inside end, the innermost last.
    let mut closing = Vec::new();
    while r.at < end {
        if closing.last() == Some(&r.at) {
            closing.pop();
            r.skip(1);
        } else if begins(r) && matches!(r.written(1), Token::LParen | Token::Comma) {
            let Some(close) = r.closing(2) else { return true };
            closing.push(r.at + close);
            r.skip(3);
        } else {
            r.run(r.at + 1);
        }
    }
    true
}

/// `EXISTS (SELECT)` and `EXISTS (SELECT WHERE ..)`: a list without columns.
pub(super) fn empty_list(r: &mut Rewriter) -> bool {
    let ends = *r.token(1) == Token::RParen
        || matches!(
            r.keyword(1),
            K::WHERE | K::LIMIT | K::OFFSET | K::UNION | K::EXCEPT | K::INTERSECT | K::HAVING
        );
    let there = ends && *r.written(1) == Token::LParen && keyword(r.written(2)) == K::EXISTS;
    if there {
        r.keep(1);
        r.put_word("NULL", K::NULL);
    }
    there
}
