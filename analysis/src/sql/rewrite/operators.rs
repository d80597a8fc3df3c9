//! Operators of PostgreSQL: by their names, before their operand, and before ANY.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, keyword};

/// `a @> ANY (b)`: an operator that the parser does not accept before `ANY`. The column is read as without
/// ANY.
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

/// `OPERATOR(pg_catalog.-) a`: an operator before its operand.
pub(super) fn prefix_operator(r: &mut Rewriter) -> bool {
    if r.after_operand() {
        return false;
    }
    let there = named_operator(r);
    if let Some(at) = there {
        let operator = r.token(at).clone();
        r.put(operator);
        r.skip(at + 2);
    }
    there.is_some()
}

/// `a OPERATOR(pg_catalog.=) ANY (b)`: before ANY the parser accepts an operator only by itself.
pub(super) fn named_before_any(r: &mut Rewriter) -> bool {
    let Some(at) = named_operator(r) else { return false };
    let any = matches!(r.keyword(at + 2), K::ANY | K::SOME | K::ALL) && *r.token(at + 3) == Token::LParen;
    let there = any && r.after_operand() && r.may_search() && !follows_comparison(r);
    if there {
        r.skip(at);
        r.keep(1);
        r.skip(1);
    }
    there
}

/// The offset of the operator in `OPERATOR(pg_catalog.=)`.
fn named_operator(r: &Rewriter) -> Option<usize> {
    if *r.token(1) != Token::LParen {
        return None;
    }
    let mut at = 2;
    while r.is_name(at) && *r.token(at + 1) == Token::Period {
        at += 2;
    }
    (*r.token(at + 1) == Token::RParen).then_some(at)
}

/// Whether the output may end in the right side of a comparison, which binds looser than `OPERATOR(..)` but not than
/// what this is replaced with: `a = b OPERATOR(pg_catalog.=) ANY (c)`.
fn follows_comparison(r: &Rewriter) -> bool {
    let mut back = 1;
    loop {
        match r.written(back) {
            Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => return true,
            Token::RParen | Token::RBracket => match r.opened(back) {
                Some(open) => back = open,
                None => return true,
            },
            Token::EOF | Token::SemiColon | Token::Comma | Token::LParen | Token::LBracket => return false,
            before => match keyword(before) {
                // What is before CASE is not looked for.
                K::END => return true,
                K::AND | K::OR | K::NOT | K::SELECT | K::WHERE | K::ON | K::HAVING | K::BY => return false,
                K::CASE | K::WHEN | K::THEN | K::ELSE | K::RETURNING => return false,
                _ => {}
            },
        }
        back += 1;
    }
}

/// `%% a`: an operator of an extension or the project before its operand. The parser reads it after NULL, and a space
/// before its name marks it.
pub(super) fn own_prefix(r: &mut Rewriter) -> bool {
    let is_row = *r.written(1) == Token::Mul && *r.written(2) == Token::Period;
    let begins =
        matches!(r.token(1), Token::Word(_) | Token::Placeholder(_) | Token::Number(..) | Token::LParen)
            || matches!(r.token(1), Token::SingleQuotedString(_) | Token::Minus | Token::Plus);
    if is_row || !begins || r.after_operand() {
        return false;
    }
    let operator = r.token(0).to_string();
    r.put_word("NULL", K::NULL);
    r.put(Token::CustomBinaryOperator(format!(" {operator}")));
    r.skip(1);
    true
}
