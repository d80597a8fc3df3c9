//! PostgreSQL's aliases for rows other than tables: those that RETURNING and USING name.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::postgres::open_call;
use super::{Renamed, Rewriter, Row, keyword};

/// `RETURNING WITH (OLD AS before, NEW AS after) before.a`: aliases for the two rows.
pub(super) fn returned_rows(r: &mut Rewriter) -> bool {
    let Some(end) = r.closing(2).filter(|_| *r.token(2) == Token::LParen) else { return false };
    let mut at = 3;
    while at + 2 < end {
        let row = match r.keyword(at) {
            K::OLD => "old",
            K::NEW => "new",
            _ => return false,
        };
        let by = usize::from(r.keyword(at + 1) == K::AS) + 1;
        r.renamed.push(Renamed { alias: r.token(at + by).clone(), row: Row::Named(row) });
        at += by + 2;
    }
    r.keep(1);
    r.skip(end);
    true
}

/// `JOIN b USING (id) AS x`: an alias for the merged columns, which are reachable without it.
pub(super) fn join_alias(r: &mut Rewriter) -> bool {
    let Some(end) = r.closing(1).filter(|_| *r.token(1) == Token::LParen) else { return false };
    // The source of a MERGE follows the same word.
    let is_list = (2..end).all(|at| if at % 2 == 0 { r.is_name(at) } else { *r.token(at) == Token::Comma });
    if !is_list || r.keyword(end + 1) != K::AS || !r.is_name(end + 2) || !r.may_search() {
        return false;
    }
    let alias = r.token(end + 2).clone();
    let columns: Vec<Token> = (2..end).step_by(2).map(|at| r.token(at).clone()).collect();
    r.keep(end + 1);
    r.skip(2);
    let out = std::mem::take(&mut r.out);
    let mut rest = out.into_iter().peekable();
    while let Some(token) = rest.next() {
        if token.token != alias || rest.peek().is_none_or(|next| next.token != Token::Period) {
            r.out.push(token);
            continue;
        }
        let period = rest.next();
        match rest.peek().map(|next| &next.token) {
            Some(Token::Mul) => {
                let at = rest.next().map_or(token.span, |star| star.span);
                let tokens = merged(r, &columns);
                r.out.extend(tokens.into_iter().map(|token| TokenWithSpan { token, span: at }));
            }
            Some(next) if columns.iter().any(|column| same_name(column, next)) => {}
            _ => r.out.extend(std::iter::once(token).chain(period)),
        }
    }
    r.renamed.push(Renamed { alias, row: Row::Merged(columns) });
    true
}

/// `x.id` becomes `id` after `USING (id) AS x`, and `before.id` becomes `old.id` after
/// `RETURNING WITH (OLD AS before)`.
pub(super) fn renamed(r: &mut Rewriter) -> bool {
    if *r.token(1) != Token::Period {
        return false;
    }
    let Some(renamed) = r.renamed.iter().find(|renamed| renamed.alias == *r.token(0)) else { return false };
    match &renamed.row {
        Row::Named(row) => {
            let row = *row;
            r.put_word(row, K::NoKeyword);
            r.skip(1);
            r.keep(1);
        }
        Row::Merged(columns) if *r.token(2) == Token::Mul => {
            let list = merged(r, columns);
            r.skip(2);
            for token in list {
                r.put(token);
            }
            r.skip(1);
        }
        Row::Merged(columns) => {
            if !columns.iter().any(|column| same_name(column, r.token(2))) {
                return false;
            }
            r.skip(2);
        }
    }
    true
}

/// The columns that `x.*` has: a list, or a row where it is an argument.
fn merged(r: &Rewriter, columns: &[Token]) -> Vec<Token> {
    let first = open_call(r).and_then(|call| r.out.get(call + 2)).map(|token| keyword(&token.token));
    if first == Some(K::SELECT) || open_call(r).is_none() {
        return listed(columns).collect();
    }
    let row = Token::make_word("ROW", None);
    [row, Token::LParen].into_iter().chain(listed(columns)).chain([Token::RParen]).collect()
}

/// Names separated by commas.
fn listed(names: &[Token]) -> impl Iterator<Item = Token> {
    let commas = names
        .iter()
        .enumerate()
        .flat_map(|(at, name)| (at > 0).then_some(&Token::Comma).into_iter().chain([name]));
    commas.cloned()
}

/// Whether two tokens are the same name.
fn same_name(one: &Token, other: &Token) -> bool {
    let folded = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    };
    folded(one).is_some() && folded(one) == folded(other)
}
