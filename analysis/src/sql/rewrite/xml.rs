//! SQL/XML of PostgreSQL: keywords inside the calls of its functions.

use sqlparser::keywords::Keyword as K;
use sqlparser::tokenizer::{Token, Word};

use super::postgres::open_call;
use super::{Rewriter, is_word};

/// Tries the keywords that the parser knows no names of.
pub(super) fn word(r: &mut Rewriter) -> bool {
    content(r) || whitespace(r) || root_option(r) || indented(r)
}

/// Whether the token is directly inside the arguments of this function.
fn is_inside(r: &Rewriter, function: &str) -> bool {
    open_call(r).is_some_and(|call| is_word(&r.out[call].token, function))
}

/// `xmlelement(NAME a, ..)`, `xmlpi(NAME a)`.
pub(super) fn xml_name(r: &mut Rewriter) -> bool {
    let is_named = |token: &Token| is_word(token, "xmlelement") || is_word(token, "xmlpi");
    let there = *r.written(1) == Token::LParen && r.is_name(1) && is_named(r.written(2));
    if there {
        r.skip(1);
        let name = Token::SingleQuotedString(r.token(0).to_string());
        r.put(name);
        r.skip(1);
    }
    there
}

/// `xmlserialize(CONTENT a AS text)` is a cast.
fn content(r: &mut Rewriter) -> bool {
    let is_option = r.is(0, "content") || r.is(0, "document");
    if !is_option || *r.written(1) != Token::LParen || !is_word(r.written(2), "xmlserialize") {
        return false;
    }
    r.skip(1);
    let call = r.out.len() - 2;
    if let Token::Word(word) = &mut r.out[call].token {
        *word = Word { value: "CAST".to_owned(), quote_style: None, keyword: K::CAST };
    }
    true
}

/// `xmlparse(.. PRESERVE WHITESPACE)`.
fn whitespace(r: &mut Rewriter) -> bool {
    let there = (r.is(0, "preserve") || r.is(0, "strip"))
        && r.is(1, "whitespace")
        && *r.token(2) == Token::RParen
        && r.after_operand();
    if there {
        r.skip(2);
    }
    there
}

/// `xmlserialize(.. AS text NO INDENT)`.
fn indented(r: &mut Rewriter) -> bool {
    let negated = usize::from(r.keyword(0) == K::NO);
    let there = r.is(negated, "indent") && *r.token(negated + 1) == Token::RParen && is_inside(r, "cast");
    if there {
        r.skip(negated + 1);
    }
    there
}

/// `xmlroot(a, VERSION '1.0', STANDALONE YES)`.
fn root_option(r: &mut Rewriter) -> bool {
    let version = r.is(0, "version");
    if *r.written(1) != Token::Comma || !(version || r.is(0, "standalone")) || !is_inside(r, "xmlroot") {
        return false;
    }
    let is_none = r.keyword(1) == K::NO && r.is(2, "value");
    if is_none || !version {
        r.put_word("NULL", K::NULL);
        r.skip(if is_none { 3 } else { 2 });
    } else {
        r.skip(1);
    }
    true
}

/// `xmlexists('//a' PASSING BY VALUE b)` has two arguments. In `xmltable('//a' PASSING BY REF b COLUMNS ..)` how
/// the document is passed makes no difference.
pub(super) fn passed(r: &mut Rewriter) -> bool {
    if r.keyword(1) == K::BY && (r.is(2, "ref") || r.is(2, "value")) && is_inside(r, "xmltable") {
        r.keep(1);
        r.skip(2);
        return true;
    }
    let there = r.after_operand() && is_inside(r, "xmlexists");
    if there {
        r.put(Token::Comma);
        let how = r.keyword(1) == K::BY && (r.is(2, "ref") || r.is(2, "value"));
        r.skip(if how { 3 } else { 1 });
    }
    there
}

/// `xmlexists(.. PASSING b BY REF)`, `xmltable(.. PASSING b BY REF COLUMNS ..)`.
pub(super) fn passed_by(r: &mut Rewriter) -> bool {
    let function = if *r.token(2) == Token::RParen { "xmlexists" } else { "xmltable" };
    let there = (r.is(1, "ref") || r.is(1, "value"))
        && (*r.token(2) == Token::RParen || r.keyword(2) == K::COLUMNS)
        && r.after_operand()
        && is_inside(r, function);
    if there {
        r.skip(2);
    }
    there
}

/// `a IS DOCUMENT` is a test of a value, as `IS JSON` is.
pub(super) fn is_document(r: &mut Rewriter) -> bool {
    let negated = usize::from(r.keyword(1) == K::NOT);
    let there = r.is(negated + 1, "document") && r.after_operand();
    if there {
        r.keep(negated + 1);
        r.put_word("JSON", K::JSON);
        r.skip(1);
    }
    there
}
