//! Constructs of PostgreSQL.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::Token;

use super::{
    Rewriter, aliases, groups, is_word, json, keyword, literal, merge, operand, operators, shared, xml,
};

/// Tries the constructs that start with a word.
pub(super) fn word(r: &mut Rewriter, keyword: K) -> bool {
    match keyword {
        K::FOR if r.keyword(1) == K::READ && r.keyword(2) == K::ONLY => {
            shared::after_bare_select(r);
            r.skip(3);
            true
        }
        K::FOR => {
            shared::after_bare_select(r);
            operand::substring_turned(r) || shared::row_lock(r)
        }
        K::OPERATOR => operators::prefix_operator(r) || operators::named_before_any(r),
        K::IS => xml::is_document(r),
        K::PASSING if xml::passed(r) => true,
        K::BY => xml::passed_by(r),
        K::ON => {
            shared::after_bare_select(r);
            shared::conflict_target(r)
        }
        K::WINDOW => {
            shared::after_bare_select(r);
            false
        }
        K::AS => column_definitions(r),
        K::USING => merge::joined_source(r) || aliases::join_alias(r),
        K::COLLATE => operand::collated_cast(r),
        K::COLLATION => operand::collation_for(r),
        K::SET => {
            r.lists.set = Some(r.open.len());
            shared::parts_of_columns(r)
        }
        K::FROM if *r.written(1) == Token::LParen && is_word(r.written(2), "trim") => {
            r.skip(1);
            true
        }
        K::WHERE | K::FROM => {
            r.lists.set = None;
            false
        }
        K::FETCH => operand::locked_rows(r) || operand::counted_rows(r),
        K::EXCLUDE => shared::frame_exclusion(r),
        K::TABLE => shared::table_command(r),
        K::NOTNULL => shared::null_test(r, true, 1),
        K::NoKeyword if r.is(0, "isnull") => shared::null_test(r, false, 1),
        K::NoKeyword if r.is(0, "overriding") => overriding(r),
        K::ONLY => only(r),
        K::INTO => insert_columns(r),
        K::CURRENT => cursor_row(r),
        K::BETWEEN => operand::symmetric(r),
        K::GROUP => groups::group_distinct(r),
        K::GROUPING => groups::nested_sets(r),
        K::SELECT => groups::empty_list(r),
        K::IN => shared::list_of_queries(r),
        K::ROWS => rows_from(r),
        K::SEARCH | K::CYCLE => recursion_order(r),
        K::VARIADIC => operand::variadic(r),
        K::SIMILAR => operand::substring_similar(r),
        K::NAME => xml::xml_name(r),
        K::ANY | K::SOME | K::ALL => operand::any_of_values(r) || operators::any_of_operator(r),
        K::VARYING => operand::bit_varying(r),
        K::LEADING | K::TRAILING | K::BOTH => operand::trimmed_blanks(r),
        K::NATIONAL if matches!(r.keyword(1), K::CHARACTER | K::CHAR) => {
            r.skip(1);
            true
        }
        K::NoKeyword if r.is(0, "u") => literal::unicode_name(r),
        K::UESCAPE => literal::unicode_escape(r),
        K::NFC | K::NFD | K::NFKC | K::NFKD => literal::normal_form(r),
        K::AT if r.is(1, "local") => literal::at_local(r),
        K::JSON_TABLE => json::table(r),
        K::RETURNING if r.keyword(1) == K::WITH => aliases::returned_rows(r),
        K::DEFAULT if super::keyword(r.written(1)) == K::INSERT => default_row(r),
        K::RETURNING | K::WITH | K::WITHOUT | K::DEFAULT | K::PASSING | K::FORMAT | K::KEY => json::option(r),
        // `NULL ON EMPTY`, `FALSE ON ERROR`; the parser knows `NULL ON NULL` itself.
        K::NULL | K::TRUE | K::FALSE
            if r.keyword(1) == K::ON && r.keyword(2) != K::NULL && r.after_operand() =>
        {
            json::option(r)
        }
        // `ERROR ON ERROR`, `EMPTY ARRAY ON EMPTY`, `OMIT QUOTES`, rather than a column of that name.
        K::ERROR | K::EMPTY | K::OMIT if r.after_operand() && json::is_behavior(r) => json::option(r),
        _ => literal::typed_literal(r) || xml::word(r),
    }
}

/// `t.*::text` and `t.* IS NULL` are about the row, and `(row).*` its fields, whose names are unknown.
pub(super) fn star(r: &mut Rewriter) -> bool {
    let is_tested = matches!(r.keyword(1), K::IS | K::NOTNULL) || r.is(1, "isnull");
    if *r.written(1) == Token::Period && (*r.token(1) == Token::DoubleColon || is_tested) {
        r.out.pop();
        r.skip(1);
        return true;
    }
    if *r.written(1) == Token::Period && *r.written(2) == Token::RParen {
        r.put_name("*", '"');
        r.skip(1);
        return true;
    }
    descendants(r)
}

/// `FROM users *` explicitly includes children, which is the default.
fn descendants(r: &mut Rewriter) -> bool {
    let mut before = 2;
    while *r.written(before) == Token::Period && matches!(r.written(before + 1), Token::Word(_)) {
        before += 2;
    }
    let there = matches!(r.written(1), Token::Word(_))
        && match r.written(before) {
            // No operand follows, so it multiplies nothing.
            Token::Comma => {
                matches!(r.token(1), Token::EOF | Token::RParen | Token::Comma | Token::SemiColon)
                    || matches!(r.keyword(1), K::WHERE | K::AS | K::JOIN | K::LEFT | K::INNER | K::CROSS)
                    || matches!(r.keyword(1), K::ORDER | K::GROUP | K::LIMIT)
            }
            other => matches!(keyword(other), K::FROM | K::UPDATE | K::JOIN | K::ONLY | K::USING),
        };
    if there {
        r.skip(1);
    }
    there
}

/// `FROM ONLY t`, `FROM ONLY (t)`: without tables that inherit from it.
fn only(r: &mut Rewriter) -> bool {
    let lists = *r.written(1) == Token::Comma;
    if !lists && !matches!(keyword(r.written(1)), K::FROM | K::UPDATE | K::JOIN | K::INTO | K::USING) {
        return false;
    }
    if *r.token(1) == Token::LParen && r.is_name(2) {
        let Some(end) = r.closing(1) else { return false };
        r.skip(2);
        r.keep(end - 2);
        r.skip(1);
        return true;
    }
    let there = r.is_name(1) && !matches!(r.keyword(1), K::SET | K::WHERE | K::AS);
    if there {
        r.skip(1);
    }
    there
}

/// `INSERT INTO t (a[1], b[1].c)` writes the columns `a` and `b`; `d.c` keeps the field.
fn insert_columns(r: &mut Rewriter) -> bool {
    let mut open = 2;
    while *r.token(open) == Token::Period {
        open += 2;
    }
    if r.keyword(open) == K::AS {
        open += 2;
    }
    if *r.token(open) != Token::LParen || !r.is_name(open + 1) {
        return false;
    }
    if matches!(r.keyword(open + 1), K::SELECT | K::WITH | K::VALUES | K::TABLE) {
        return false;
    }
    let Some(end) = r.closing(open) else { return false };
    let end = r.at + end;
    r.keep(1);
    r.take_as_name();
    r.keep(open);
    while r.at < end {
        match r.token(0) {
            Token::LBracket => {
                r.skip(r.closing(0).map_or(1, |close| close + 1));
                while *r.token(0) == Token::Period {
                    r.skip(2);
                }
            }
            // A field of a field is part of the first.
            Token::Period if *r.written(2) == Token::Period => r.skip(2),
            Token::Period => r.keep(2),
            _ => r.keep(1),
        }
    }
    true
}

/// `OVERRIDING SYSTEM VALUE`.
fn overriding(r: &mut Rewriter) -> bool {
    let there = matches!(r.keyword(1), K::SYSTEM | K::USER) && r.keyword(2) == K::VALUE;
    if there {
        r.skip(3);
    }
    there
}

/// `WHERE CURRENT OF cursor` selects one row by its location.
fn cursor_row(r: &mut Rewriter) -> bool {
    let there = keyword(r.written(1)) == K::WHERE && r.keyword(1) == K::OF && r.is_name(2);
    if there {
        r.put_word("ctid", K::NoKeyword);
        r.put(Token::Eq);
        r.put(Token::SingleQuotedString(String::new()));
        r.skip(3);
    }
    there
}

/// `ROWS FROM (f(..), g(..))` becomes the call `rows_from(f(..), g(..))`; around a single function it says nothing.
fn rows_from(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::FROM && *r.token(2) == Token::LParen;
    let single = if there && r.is_name(3) && *r.token(4) == Token::LParen { r.closing(4) } else { None };
    if let Some(close) = single.filter(|close| *r.token(close + 1) == Token::RParen) {
        let end = r.at + close + 1;
        r.skip(3);
        r.run(end);
        r.skip(1);
    } else if there {
        r.put_word("rows_from", K::NoKeyword);
        r.skip(2);
    }
    there
}

/// `SEARCH DEPTH FIRST BY a SET b` and `CYCLE a SET b USING c` after a recursive CTE: the columns they add
/// are appended to the CTE's own.
fn recursion_order(r: &mut Rewriter) -> bool {
    let search = r.keyword(0) == K::SEARCH;
    if *r.written(1) != Token::RParen || search != (r.is(1, "depth") || r.is(1, "breadth")) {
        return false;
    }
    // The search columns and the cycle mark are a few words.
    let find = |from: usize, keyword: K| (from..from + 32).find(|at| r.keyword(*at) == keyword);
    let Some(set) = find(1, K::SET) else { return false };
    let mut names = vec![set + 1];
    let mut at = set + 2;
    if !search {
        let Some(using) = find(at, K::USING) else { return false };
        names.push(using + 1);
        at = using + 2;
    }
    if !names.iter().all(|name| r.is_name(*name)) {
        return false;
    }
    // The CTE is wrapped in another query: `(SELECT *, NULL::bool AS b FROM (..) AS rows)`.
    let mark =
        if search { None } else { Some(set + 2).filter(|at| r.keyword(*at) == K::USING).map(|_| "bool") };
    // `SET a TO 1 DEFAULT 0`: the mark is one of two values.
    let is_constant = |token: &Token| matches!(token, Token::Number(..) | Token::SingleQuotedString(_));
    let is_marked = !search && r.keyword(set + 2) == K::TO && r.keyword(set + 4) == K::DEFAULT;
    let value = Some(r.token(set + 3).clone()).filter(|token| is_marked && is_constant(token));
    let path = if search && r.is(1, "breadth") { "record" } else { "_record" };
    let types = if search { [Some(path), None] } else { [mark, Some(path)] };
    let names: Vec<Token> = names.iter().map(|name| r.token(*name).clone()).collect();
    let Some(open) = opening(r) else { return false };
    let body: Vec<_> = r.out.drain(open + 1..).collect();
    r.put_word("SELECT", K::SELECT);
    r.put(Token::Mul);
    for ((name, ty), value) in names.into_iter().zip(types).zip([value, None]) {
        r.put(Token::Comma);
        match value {
            Some(value) => r.put(value),
            None => r.put_word("NULL", K::NULL),
        }
        if let Some(ty) = ty {
            r.put(Token::DoubleColon);
            r.put_word(ty, K::NoKeyword);
        }
        r.put_word("AS", K::AS);
        r.put(name);
    }
    r.put_word("FROM", K::FROM);
    r.put(Token::LParen);
    r.out.extend(body);
    r.put_word("AS", K::AS);
    r.put_word("rows", K::NoKeyword);
    r.put(Token::RParen);
    r.skip(at);
    true
}

/// The position of the parenthesis that the last output token closes.
fn opening(r: &Rewriter) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in r.out.iter().enumerate().rev() {
        match token.token {
            Token::RParen => depth += 1,
            Token::LParen => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// `FROM f(..) AS (a int, b text)`: a function whose columns the query defines. They are reachable by the
/// function's name.
fn column_definitions(r: &mut Rewriter) -> bool {
    let definition = *r.token(1) == Token::LParen
        && r.is_name(2)
        && r.is_name(3)
        && !matches!(r.keyword(2), K::SELECT | K::WITH | K::VALUES | K::TABLE | K::INSERT | K::UPDATE)
        && !matches!(r.keyword(2), K::DELETE | K::MERGE | K::PARTITION | K::ORDER);
    if !definition || *r.written(1) != Token::RParen {
        return false;
    }
    let Some(function) = opening(r).and_then(|open| open.checked_sub(1)).and_then(|at| r.out.get(at)) else {
        return false;
    };
    let Token::Word(name) = &function.token else { return false };
    if open_call(r).is_some_and(|call| is_word(&r.out[call].token, "rows_from")) {
        // One of several functions, whose columns follow those of the others.
        r.skip(r.closing(1).map_or(1, |end| end + 1));
        return true;
    }
    let name = name.value.clone();
    r.keep(1);
    r.put_name(&name, '"');
    true
}

/// `INSERT DEFAULT VALUES` in a MERGE.
fn default_row(r: &mut Rewriter) -> bool {
    let there = r.keyword(1) == K::VALUES;
    if there {
        r.put_word("VALUES", K::VALUES);
        r.put(Token::LParen);
        r.keep(1);
        r.put(Token::RParen);
        r.skip(1);
    }
    there
}

/// The position of the name of the function whose arguments are being read; only a few tokens back are
/// examined.
pub(super) fn open_call(r: &Rewriter) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in r.out.iter().enumerate().rev().take(64) {
        match token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return at.checked_sub(1),
            Token::LParen => depth -= 1,
            _ => {}
        }
    }
    None
}
