//! Constructs of SQLite.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::postgres::open_call;
use super::{Rewriter, is_word, keyword, shared};

/// Tries the constructs that start with a word.
pub(super) fn word(r: &mut Rewriter, keyword: K) -> bool {
    match keyword {
        K::ON => on_conflict(r),
        K::LIMIT => shared::all_rows(r),
        K::EXCLUDE => shared::frame_exclusion(r),
        K::NoKeyword if r.is(0, "indexed") => index_hint(r, 0),
        K::NoKeyword if r.is(0, "isnull") => shared::null_test(r, false, 1),
        K::NOT if r.is(1, "indexed") => index_hint(r, 1),
        K::NOT if r.keyword(1) == K::NULL => shared::null_test(r, true, 2),
        K::NOT => negated_glob(r),
        K::IS => is_value(r),
        K::IN => in_table(r) || shared::list_of_queries(r),
        K::COLLATE => collated_list(r),
        K::MATERIALIZED => materialized(r, 1),
        K::AS => affinity(r),
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
    shared::after_bare_select(r);
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

/// `a IN (..) COLLATE c`: the collation is that of the result, which is not a text.
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

/// `CAST(a AS unsigned big int)`: any words are the name of a type, whose affinity alone counts.
fn affinity(r: &mut Rewriter) -> bool {
    let mut end = 1;
    while r.is_name(end) {
        end += 1;
    }
    let close = if *r.token(end) == Token::LParen { r.closing(end).map(|at| at + 1) } else { Some(end) };
    let Some(close) = close.filter(|at| end > 2 && *r.token(*at) == Token::RParen) else { return false };
    if !open_call(r).is_some_and(|call| is_word(&r.out[call].token, "cast")) {
        return false;
    }
    let words: Vec<String> = (1..end).map(|at| r.token(at).to_string().to_lowercase()).collect();
    let name = words.join(" ");
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let affinity = match () {
        () if has(&["int"]) => ("INTEGER", K::INTEGER),
        () if has(&["char", "clob", "text"]) => ("TEXT", K::TEXT),
        () if has(&["blob"]) => ("BLOB", K::BLOB),
        () if has(&["real", "floa", "doub"]) => ("REAL", K::REAL),
        () => ("NUMERIC", K::NUMERIC),
    };
    r.keep(1);
    r.put_word(affinity.0, affinity.1);
    r.skip(close - 1);
    true
}

/// `AS [NOT] MATERIALIZED (..)`. The parser knows it of PostgreSQL alone; `x AS (..) FROM materialized` says the same to the
/// resolver, as no database takes a FROM there.
fn materialized(r: &mut Rewriter, length: usize) -> bool {
    if *r.token(length) != Token::LParen {
        return false;
    }
    let not = keyword(r.written(1)) == K::NOT;
    let there = keyword(r.written(1 + usize::from(not))) == K::AS;
    if there {
        let end = r.closing(length).map(|close| r.at + close + 1);
        if not {
            r.out.pop();
        }
        r.skip(length);
        if let Some(end) = end.filter(|_| !not) {
            r.run(end);
            r.put_word("FROM", K::FROM);
            r.put_word("materialized", K::MATERIALIZED);
        }
    }
    there
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn takes(ddl: &str, queries: &[&str]) {
        let mut replay = Replay::new(Dialect::Sqlite);
        replay.apply(ddl, "test.sql");
        assert_eq!(replay.problems, []);
        for sql in queries {
            let query = resolve(sql, Dialect::Sqlite, Some(&replay.schema));
            assert_eq!(query.expect(sql).problems, [], "{sql}");
        }
    }

    #[test]
    fn columns_of_modules() {
        takes(
            "CREATE VIRTUAL TABLE geo USING rtree (id, a, b, +label text, +\"Obj\" blob); CREATE TABLE t (id INTEGER);
             CREATE VIRTUAL TABLE ft USING fts5(title); CREATE VIRTUAL TABLE v5 USING fts5vocab('ft', 'row');
             CREATE VIRTUAL TABLE vi USING fts5vocab(ft, instance);",
            &[
                "SELECT id, label, obj FROM geo WHERE a >= ?",
                "INSERT INTO geo VALUES (1, 0, 1, 'x', NULL)",
                "SELECT term, doc, cnt FROM v5",
                "SELECT term, doc, col, offset FROM vi",
                "SELECT key, j.rowid, oid FROM json_each('[1]') j",
            ],
        );
    }

    #[test]
    fn types_of_any_words() {
        takes(
            "CREATE TABLE t (age TEXT)",
            &[
                "SELECT CAST(age AS UNSIGNED BIG INT), CAST(age AS my odd type (1, 2)) x FROM t",
                "SELECT CAST(age AS double precision) FROM t WHERE CAST(age AS long text) = 'a'",
            ],
        );
    }
}
