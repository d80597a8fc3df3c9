//! DELETE of MySQL and MariaDB.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, clauses, keyword};

/// `DELETE QUICK FROM t`, and `DELETE t.* FROM t JOIN ..`.
pub(super) fn delete(r: &mut Rewriter) -> bool {
    r.keep(1);
    if r.keyword(0) == K::HISTORY && r.keyword(1) == K::FROM {
        clauses::history(r);
        return true;
    }
    while (matches!(r.keyword(0), K::IGNORE | K::LOW_PRIORITY) || r.is(0, "quick")) && r.is_name(1) {
        r.skip(1);
    }
    // `DELETE FROM t.* USING ..` lists the tables after FROM.
    let is_starred = *r.token(2) == Token::Period
        && (*r.token(3) == Token::Mul || *r.token(4) == Token::Period && *r.token(5) == Token::Mul);
    if r.keyword(0) == K::FROM && is_starred {
        r.keep(1);
    }
    while r.is_name(0) && r.keyword(0) != K::FROM {
        r.keep(1);
        while *r.token(0) == Token::Period && r.is_name(1) {
            r.keep(2);
        }
        if *r.token(0) == Token::Period && *r.token(1) == Token::Mul {
            r.skip(2);
        }
        if *r.token(0) != Token::Comma {
            break;
        }
        r.keep(1);
    }
    true
}

/// `DELETE .. ORDER BY a LIMIT 1 RETURNING b`: the parser expects RETURNING before ORDER BY.
pub(super) fn deleted_rows(r: &mut Rewriter) -> bool {
    if !r.may_search() {
        return false;
    }
    let Some(order) = order_of_a_delete(r) else { return false };
    let order_length = r.out.len() - order;
    let rest = r.input.iter().skip(r.at);
    let length = rest.take_while(|token| token.token != Token::SemiColon).count();
    let end = r.at + length;
    r.keep(1);
    r.run(end);
    if let Some(moved) = r.out.get_mut(order..) {
        moved.rotate_left(order_length);
    }
    true
}

/// Where ORDER BY or LIMIT of the current DELETE starts in the output.
fn order_of_a_delete(r: &Rewriter) -> Option<usize> {
    let is_column = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| r.out.get(before));
        before.is_some_and(|before| before.token == Token::Period)
    };
    let mut depth = 0_usize;
    let mut order = None;
    for (at, token) in r.out.iter().enumerate().rev() {
        match &token.token {
            Token::RParen | Token::RBracket => depth += 1,
            Token::LParen | Token::LBracket => depth = depth.checked_sub(1)?,
            Token::SemiColon => return None,
            token if depth == 0 => match keyword(token) {
                // After a period it is a column.
                K::ORDER | K::LIMIT if !is_column(at) => order = Some(at),
                K::DELETE => return order,
                _ => {}
            },
            _ => {}
        }
    }
    None
}
