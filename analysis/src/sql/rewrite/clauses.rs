//! Clauses and functions of MySQL and MariaDB that do not change which rows are read.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::postgres::open_call;
use super::{Rewriter, is_word, keyword};

/// The partition that stands for all versions of a table's rows.
pub(in crate::sql) const VERSIONS: &str = "for system_time";

/// `FOR SYSTEM_TIME AS OF .. | BETWEEN .. AND .. | FROM .. TO .. | ALL`: the versions of rows to read.
pub(super) fn system_time(r: &mut Rewriter) -> bool {
    let is_moment = r.keyword(2) == K::AS && r.keyword(3) == K::OF;
    let is_several = matches!(r.keyword(2), K::ALL | K::BETWEEN | K::FROM);
    if !is_moment && is_several {
        // A row of the table may have several versions, which the parser has no words for.
        r.put_word("PARTITION", K::PARTITION);
        r.put(Token::LParen);
        r.put_name(VERSIONS, '`');
        r.put(Token::RParen);
    }
    match r.keyword(2) {
        K::ALL => r.skip(3),
        K::AS if r.keyword(3) == K::OF => {
            r.skip(4);
            skip_moment(r);
        }
        K::BETWEEN | K::FROM => {
            r.skip(3);
            skip_moment(r);
            if matches!(r.keyword(0), K::AND | K::TO) {
                r.skip(1);
                skip_moment(r);
            }
        }
        _ => return false,
    }
    true
}

/// `DELETE HISTORY FROM t BEFORE SYSTEM_TIME ..`; the current word is HISTORY. It deletes old row versions,
/// which no condition on columns selects.
pub(super) fn history(r: &mut Rewriter) {
    r.skip(1);
    r.keep(2);
    while *r.token(0) == Token::Period {
        r.keep(2);
    }
    if r.keyword(0) == K::BEFORE && r.keyword(1) == K::SYSTEM_TIME {
        r.skip(2);
        skip_moment(r);
        r.put_word("WHERE", K::WHERE);
        r.put_word("TRUE", K::TRUE);
    }
}

/// Skips a point in time: a value, and what is added to it.
fn skip_moment(r: &mut Rewriter) {
    if matches!(r.keyword(0), K::TIMESTAMP | K::TRANSACTION) && *r.token(1) != Token::LParen {
        r.skip(1);
    }
    loop {
        let interval = r.keyword(0) == K::INTERVAL;
        r.skip(if *r.token(0) == Token::LParen { 0 } else { 1 + usize::from(interval) });
        if *r.token(0) == Token::LParen {
            r.skip(r.closing(0).map_or(1, |end| end + 1));
        }
        if interval {
            r.skip(1);
        }
        if !matches!(r.token(0), Token::Plus | Token::Minus) {
            return;
        }
        r.skip(1);
    }
}

/// `INTO OUTFILE 'x' FIELDS ..`, `INTO DUMPFILE 'x'`, `INTO @a, @b`: the destination of the rows.
pub(super) fn into_client(r: &mut Rewriter) -> bool {
    if keyword(r.written(1)) == K::INSERT || keyword(r.written(1)) == K::REPLACE {
        return false;
    }
    let is_variable = |token: &Token| {
        matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.starts_with('@'))
            || matches!(token, Token::AtSign)
    };
    if is_variable(r.token(1)) {
        r.skip(1);
        while is_variable(r.token(0)) {
            r.skip(if *r.token(0) == Token::AtSign { 2 } else { 1 });
            if *r.token(0) == Token::Comma {
                r.skip(1);
            }
        }
        return true;
    }
    if !r.is(1, "outfile") && !r.is(1, "dumpfile") {
        return false;
    }
    r.skip(3);
    while !matches!(r.token(0), Token::EOF | Token::SemiColon | Token::RParen) {
        let next = matches!(
            r.keyword(0),
            K::FROM | K::WHERE | K::GROUP | K::HAVING | K::ORDER | K::LIMIT | K::FOR | K::LOCK | K::UNION
        );
        if next {
            break;
        }
        r.skip(1);
    }
    true
}

/// Options for the result of JSON_VALUE: `RETURNING UNSIGNED`, `DEFAULT 0 ON EMPTY`, `NULL ON ERROR`.
pub(super) fn json_value(r: &mut Rewriter) -> bool {
    let inside = !r.open.is_empty() && !matches!(r.written(1), Token::LParen | Token::Comma);
    if !inside || !open_call(r).is_some_and(|call| is_word(&r.out[call].token, "json_value")) {
        return false;
    }
    let mut depth = 0_usize;
    loop {
        match r.token(0) {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return true,
            Token::RParen => depth -= 1,
            Token::EOF => return true,
            _ => {}
        }
        r.skip(1);
    }
}

/// `NEXT VALUE FOR s` becomes `nextval('s')`: a sequence is not a column.
pub(super) fn sequence_value(r: &mut Rewriter) -> bool {
    if !r.is_name(3) {
        return false;
    }
    let function = if r.keyword(0) == K::NEXT { "nextval" } else { "lastval" };
    r.put_word(function, K::NoKeyword);
    r.put(Token::LParen);
    r.skip(3);
    put_sequence(r);
    r.put(Token::RParen);
    true
}

/// `NEXTVAL(s)`, `SETVAL(s, 5)`: the sequence becomes a string.
pub(super) fn sequence_call(r: &mut Rewriter) -> bool {
    let there = *r.token(1) == Token::LParen && r.is_name(2);
    if there {
        r.keep(2);
        put_sequence(r);
    }
    there
}

/// Writes the current name as a string.
fn put_sequence(r: &mut Rewriter) {
    let mut name = r.token(0).to_string();
    r.skip(1);
    while *r.token(0) == Token::Period && r.is_name(1) {
        name = format!("{name}.{}", r.token(1));
        r.skip(2);
    }
    r.put(Token::SingleQuotedString(name));
}

/// `INSERT INTO t PARTITION (p0) (a)`: the allowed partitions.
pub(super) fn target_partitions(r: &mut Rewriter) -> bool {
    let mut back = 2;
    while *r.written(back) == Token::Period {
        back += 2;
    }
    let there = *r.token(1) == Token::LParen
        && matches!(r.written(1), Token::Word(_))
        && matches!(keyword(r.written(back)), K::INTO | K::REPLACE);
    if there {
        r.skip(r.closing(1).map_or(1, |end| end + 1));
    }
    there
}

/// `GROUP_CONCAT(a SEPARATOR ',' LIMIT 1, 2)`: how many values are joined, which is still one text.
pub(super) fn concatenated(r: &mut Rewriter) -> bool {
    let is_number = |at: usize| matches!(r.token(at), Token::Number(..));
    let is_pair = *r.token(2) == Token::Comma || r.keyword(2) == K::OFFSET;
    let length = if is_pair && is_number(3) { 4 } else { 2 };
    let there = is_number(1)
        && *r.token(length) == Token::RParen
        && open_call(r).is_some_and(|call| is_word(&r.out[call].token, "group_concat"));
    if there {
        r.skip(length);
    }
    there
}

/// `WITH RECURSIVE c AS (..) CYCLE a, b RESTRICT`: when the recursion ends.
pub(super) fn cycle(r: &mut Rewriter) -> bool {
    if *r.written(1) != Token::RParen || !r.is_name(1) {
        return false;
    }
    let mut end = 2;
    while *r.token(end) == Token::Comma && r.is_name(end + 1) {
        end += 2;
    }
    let there = r.keyword(end) == K::RESTRICT;
    if there {
        r.skip(end + 1);
    }
    there
}

/// `WEIGHT_STRING(a AS CHAR(3))`.
pub(super) fn weighed(r: &mut Rewriter) -> bool {
    let inside = !r.open.is_empty() && matches!(r.keyword(1), K::CHAR | K::BINARY);
    let there = inside && open_call(r).is_some_and(|call| is_word(&r.out[call].token, "weight_string"));
    if there {
        r.skip(if *r.token(2) == Token::LParen { r.closing(2).map_or(2, |end| end + 1) } else { 2 });
    }
    there
}

/// `COLUMN_GET(a, 'b' AS CHAR(10))`: the type of a dynamic column of MariaDB.
pub(super) fn dynamic(r: &mut Rewriter) -> bool {
    const CALLS: [&str; 3] = ["column_get", "column_create", "column_add"];
    let inside = !r.open.is_empty() && r.is_name(1);
    let there =
        inside && open_call(r).is_some_and(|call| CALLS.iter().any(|name| is_word(&r.out[call].token, name)));
    if there {
        while !matches!(r.token(0), Token::Comma | Token::RParen | Token::EOF) {
            r.skip(if *r.token(0) == Token::LParen { r.closing(0).map_or(1, |end| end + 1) } else { 1 });
        }
    }
    there
}

/// `UPDATE t FOR PORTION OF p FROM a TO b`: MariaDB changes the part of each row that is in the period.
pub(super) fn portion(r: &mut Rewriter) -> bool {
    r.skip(3);
    r.skip(usize::from(r.is_name(0)));
    for word in [K::FROM, K::TO] {
        if r.keyword(0) == word {
            r.skip(1);
            skip_moment(r);
        }
    }
    true
}

/// `NTH_VALUE(a, 2) FROM FIRST OVER w`: the end of the window to count from.
pub(super) fn from_end(r: &mut Rewriter) -> bool {
    let there = *r.written(1) == Token::RParen && (matches!(r.keyword(2), K::OVER | K::RESPECT | K::IGNORE));
    if there {
        r.skip(2);
    }
    there
}

/// `{ts '2020-01-01 00:00:00'}` and `{OJ a LEFT JOIN b ON ..}`: ODBC escapes.
pub(super) fn escape_sequence(r: &mut Rewriter) -> bool {
    let is_join = r.is(1, "oj");
    if !is_join && !["d", "t", "ts"].iter().any(|word| r.is(1, word)) {
        return false;
    }
    let Some(end) = (2..4_096).find(|at| *r.token(*at) == Token::RBrace) else { return false };
    let end = r.at + end;
    r.skip(2);
    r.run(end);
    r.skip(1);
    true
}

/// `CAST(a AT TIME ZONE '+00:00' AS DATETIME)`: MySQL has the zone of a TIMESTAMP in a cast alone.
pub(super) fn cast_from_zone(r: &mut Rewriter) -> bool {
    if r.keyword(1) != K::TIME || r.keyword(2) != K::ZONE || !r.after_operand() {
        return false;
    }
    let zone = 3 + usize::from(r.keyword(3) == K::INTERVAL);
    let is_cast = matches!(r.token(zone), Token::SingleQuotedString(_))
        && r.keyword(zone + 1) == K::AS
        && r.keyword(zone + 2) == K::DATETIME;
    if is_cast {
        r.skip(zone + 1);
    }
    is_cast
}

/// `SET a := 1` assigns a column as `=` does; behind `@a` it is an operator.
pub(super) fn assigned(r: &mut Rewriter) -> bool {
    let is_column = matches!(r.written(1), Token::Word(word) if !word.value.starts_with('@'))
        && *r.written(2) != Token::AtSign;
    if is_column {
        r.put(Token::Eq);
        r.skip(1);
    }
    is_column
}
