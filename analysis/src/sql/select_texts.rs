//! The text of SELECT lists: SQLite and MySQL name an unaliased column by it.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::text::{LineIndex, Span};

/// The text of each SELECT list element, trimmed: between SELECT or a comma, and a comma or FROM.
pub(super) fn of(sql: &str, tokens: &[TokenWithSpan], lines: &LineIndex<'_>) -> Vec<(Span, String)> {
    let mut texts = Vec::new();
    // For each open parenthesis, the start of the current element if inside a SELECT list.
    let mut open: Vec<Option<(usize, usize)>> = vec![None];
    let mut close = |started: Option<(usize, usize)>| {
        if let Some((start, end)) = started
            && let Some(text) = sql.get(start..end)
        {
            texts.push((Span::new(start, end), text.to_owned()));
        }
    };
    let mut comparison = None;
    for token in tokens {
        let span = super::parse::span(lines, token.span);
        comparison = after(comparison, &token.token);
        match &token.token {
            Token::LParen | Token::LBracket => {
                extend(&mut open, span);
                open.push(None);
            }
            Token::RParen | Token::RBracket => {
                close(open.pop().flatten());
                if open.is_empty() {
                    open.push(None);
                }
                extend(&mut open, span);
            }
            Token::Comma => {
                if let Some(slot) = open.last_mut()
                    && slot.is_some()
                {
                    close(slot.take());
                    *slot = Some((usize::MAX, 0));
                }
            }
            Token::Word(word) if word.quote_style.is_none() => match word.value.to_ascii_uppercase().as_str()
            {
                "SELECT" | "RETURNING" => {
                    if let Some(slot) = open.last_mut() {
                        close(slot.replace((usize::MAX, 0)));
                    }
                }
                "FROM" if comparison == Some(Comparison::Whole) => extend(&mut open, span),
                "DISTINCT" | "ALL" if open.last().is_some_and(|slot| *slot == Some((usize::MAX, 0))) => {}
                "FROM" | "WHERE" | "UNION" | "ORDER" | "GROUP" | "LIMIT" | "HAVING" | "EXCEPT"
                | "INTERSECT" => {
                    if let Some(slot) = open.last_mut() {
                        close(slot.take());
                    }
                }
                _ => extend(&mut open, span),
            },
            Token::SemiColon | Token::EOF => {
                if let Some(slot) = open.last_mut() {
                    close(slot.take());
                }
            }
            _ => extend(&mut open, span),
        }
    }
    for slot in open {
        close(slot);
    }
    texts.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    texts
}

/// How much of `IS [NOT] DISTINCT FROM` the last words are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Is,
    Distinct,
    Whole,
}

fn after(before: Option<Comparison>, token: &Token) -> Option<Comparison> {
    let Token::Word(word) = token else { return None };
    match (word.value.to_ascii_uppercase().as_str(), before) {
        ("IS", _) | ("NOT", Some(Comparison::Is)) => Some(Comparison::Is),
        ("DISTINCT", Some(Comparison::Is)) => Some(Comparison::Distinct),
        ("FROM", Some(Comparison::Distinct)) => Some(Comparison::Whole),
        _ => None,
    }
}

/// Extends the current element by a token.
fn extend(open: &mut [Option<(usize, usize)>], span: Span) {
    if let Some(Some((start, end))) = open.last_mut() {
        if *start == usize::MAX {
            *start = span.start;
        }
        *end = span.end;
    }
}
