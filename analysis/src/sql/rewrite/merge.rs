//! MERGE.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{Rewriter, keyword};

/// The farthest that a target, with its alias, reaches from MERGE to USING.
const LONGEST_TARGET: usize = 8;

/// `MERGE INTO t USING a JOIN b ON .. ON ..`: the parser takes a join as the source only in parentheses.
pub(super) fn joined_source(r: &mut Rewriter) -> bool {
    let is_merge = |back: usize| keyword(r.written(back)) == K::MERGE;
    if !(2..=LONGEST_TARGET).any(is_merge) {
        return false;
    }
    let (mut at, mut on, mut has_join) = (1, None, false);
    loop {
        match (r.token(at), r.keyword(at)) {
            (Token::LParen, _) => match r.closing(at) {
                Some(close) => at = close,
                None => return false,
            },
            (Token::EOF, _) | (_, K::WHEN) => break,
            (_, K::JOIN) => has_join = true,
            (_, K::ON) => on = Some(at),
            _ => {}
        }
        at += 1;
    }
    let Some(on) = on.filter(|_| has_join) else { return false };
    let end = r.at + on;
    r.keep(1);
    r.put(Token::LParen);
    r.run(end);
    r.put(Token::RParen);
    true
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[test]
    fn a_join_is_a_source() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE t (id int, n int); CREATE TABLE a (id int, n int);", "");
        for source in
            ["a JOIN t x ON x.id = a.id", "a AS s LEFT JOIN t x ON x.id = s.id JOIN a b ON true", "a"]
        {
            let sql =
                format!("MERGE INTO t AS u USING {source} ON u.id = 1 WHEN MATCHED THEN UPDATE SET n = 2");
            let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            assert_eq!(query.problems, [], "{sql}");
        }
    }
}
