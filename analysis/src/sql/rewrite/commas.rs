//! Commas between tables.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::Rewriter;
use crate::sql::dialect::Dialect;

/// A comma that joins tables.
pub(super) fn joining_comma(r: &mut Rewriter) -> bool {
    let joins = r.open.last().copied().unwrap_or_default() || r.lists.update == Some(r.open.len());
    if joins {
        // SQLite's CROSS JOIN says which table is read first.
        match r.dialect {
            Dialect::Sqlite => r.put_word("INNER", K::INNER),
            Dialect::MySql | Dialect::Postgres => r.put_word("CROSS", K::CROSS),
        }
        r.put_word("JOIN", K::JOIN);
        r.skip(1);
        // MySQL's JOIN binds tighter than its comma.
        if let Some(length) = joined_item(r) {
            let end = r.at + length;
            r.put(Token::LParen);
            r.run(end);
            r.put(Token::RParen);
        }
    }
    joins
}

/// MySQL: the length of the item that starts here and ends before the next comma, if it joins tables.
fn joined_item(r: &mut Rewriter) -> Option<usize> {
    if r.dialect != Dialect::MySql || !r.may_search() {
        return None;
    }
    let (mut depth, mut joins) = (0_usize, false);
    for ahead in 0.. {
        match r.token(ahead) {
            Token::LParen => depth += 1,
            Token::RParen if depth > 0 => depth -= 1,
            Token::RParen | Token::Comma if depth == 0 => return joins.then_some(ahead),
            Token::SemiColon | Token::EOF => return None,
            _ if depth > 0 => {}
            _ => match r.keyword(ahead) {
                K::SET if ahead > 0 && *r.token(ahead - 1) != Token::Period => return joins.then_some(ahead),
                K::JOIN | K::STRAIGHT_JOIN => joins = true,
                _ => {}
            },
        }
    }
    None
}
