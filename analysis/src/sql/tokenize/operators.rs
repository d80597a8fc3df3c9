//! PostgreSQL's operators, as its own lexer reads them: all characters that may be in one and touch, since users and
//! extensions make operators of any of them. The parser's tokenizer knows some, and splits the others.

use std::borrow::Cow;

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::sql::Dialect;
use crate::sql::lex::Lexer;
use crate::sql::text::LineIndex;

/// The characters of operators.
const CHARACTERS: &[char] =
    &['~', '!', '@', '#', '%', '^', '&', '|', '`', '?', '+', '-', '*', '/', '<', '>', '='];

/// The characters that are in no operator of standard SQL: only an operator with one of them may end in a sign.
const UNUSUAL: &[char] = &['~', '!', '@', '#', '%', '^', '&', '|', '`', '?'];

/// The text with blanks in place of comments that touch an operator: the parser's tokenizer takes such a comment for a part of
/// the operator. Every other character keeps its place.
pub(super) fn parted(sql: &str) -> Cow<'_, str> {
    if !sql.contains("--") && !sql.contains("/*") {
        return Cow::Borrowed(sql);
    }
    let (mut out, mut from, mut end) = (String::new(), 0, 0);
    for token in Lexer::new(sql, Dialect::Postgres) {
        let gap = sql.get(end..token.span.start).unwrap_or_default();
        let is_after = sql.get(..end).is_some_and(|before| before.ends_with(CHARACTERS));
        if is_after && gap.starts_with(['-', '/']) {
            out += sql.get(from..end).unwrap_or_default();
            out.extend(gap.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
            from = token.span.start;
        }
        end = token.span.end;
    }
    // A comment at the end is left out.
    let is_after = sql.get(..end).is_some_and(|before| before.ends_with(CHARACTERS));
    let rest = if is_after { sql.get(from..end) } else { sql.get(from..) }.unwrap_or_default();
    if from == 0 && rest.len() == sql.len() { Cow::Borrowed(sql) } else { Cow::Owned(out + rest) }
}

/// The tokens, with the operators among them as PostgreSQL reads them.
pub(super) fn joined(tokens: Vec<TokenWithSpan>, sql: &str) -> Vec<TokenWithSpan> {
    let touch = |pair: &[TokenWithSpan]| match pair {
        [a, b] => a.span.end == b.span.start && is_operator(&a.token) && is_operator(&b.token),
        _ => false,
    };
    let is_custom = |token: &TokenWithSpan| matches!(token.token, Token::CustomBinaryOperator(_));
    if !tokens.iter().any(is_custom) && !tokens.windows(2).any(touch) {
        return tokens;
    }
    let lines = LineIndex::new(sql);
    let text = |from: &TokenWithSpan, to: &TokenWithSpan| {
        let offset = |at: sqlparser::tokenizer::Location| lines.offset(at.line, at.column);
        sql.get(offset(from.span.start)..offset(to.span.end)).unwrap_or_default()
    };
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(first) = tokens.get(at) {
        let mut end = at + 1;
        while is_operator(&first.token) && tokens.get(end - 1..=end).is_some_and(touch) {
            end += 1;
        }
        let run = tokens.get(at..end).unwrap_or_default();
        match run {
            [.., last] if is_operator(&first.token) => push(&mut out, run, text(first, last)),
            _ => out.extend_from_slice(run),
        }
        at = end;
    }
    out
}

/// Whether a token consists of the characters of operators.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(_) | Token::Number(..) | Token::Placeholder(_) | Token::SingleQuotedString(_) => false,
        Token::LParen | Token::RParen | Token::Comma | Token::Period | Token::DoubleColon => false,
        Token::CustomBinaryOperator(_) => true,
        other => {
            let text = other.to_string();
            !text.is_empty() && text.chars().all(|character| CHARACTERS.contains(&character))
        }
    }
}

/// Pushes the operators in a run of tokens that touch.
fn push(out: &mut Vec<TokenWithSpan>, run: &[TokenWithSpan], text: &str) {
    let start = run.first().map_or_else(Span::empty, |token| token.span).start;
    // A comment in it has swallowed what follows; and `a=?` is meant as a placeholder.
    let is_placeholder = text.find('?').is_some_and(|at| {
        at > 0 && text.get(..at).is_some_and(|before| before.chars().all(|c| "=<>!+-*/%|".contains(c)))
    });
    if text.contains("--") || text.contains("/*") || is_placeholder {
        out.extend_from_slice(run);
        return;
    }
    let mut from = 0;
    while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        let piece = first(rest);
        let at = |offset: usize| {
            let mut place = start;
            place.column += offset as u64;
            place
        };
        let span = Span::new(at(from), at(from + piece.len()));
        let kept = run.iter().find(|token| token.span == span);
        let kept = kept.filter(|token| !matches!(token.token, Token::CustomBinaryOperator(_)));
        let token = kept.map_or_else(|| token(piece), |token| token.token.clone());
        out.push(TokenWithSpan::new(token, span));
        from += piece.len();
    }
}

/// The first operator of a text of nothing else.
fn first(text: &str) -> &str {
    let bare = text.trim_end_matches(['+', '-']);
    if bare.len() == text.len() || bare.contains(UNUSUAL) {
        return text;
    }
    // The unusual character may also be between signs; otherwise one character is left at least.
    text.get(..bare.len().max(1)).unwrap_or(text)
}

/// The token of one operator.
fn token(operator: &str) -> Token {
    match operator {
        "+" => Token::Plus,
        "-" => Token::Minus,
        "*" => Token::Mul,
        "/" => Token::Div,
        "%" => Token::Mod,
        "^" => Token::Caret,
        "<" => Token::Lt,
        ">" => Token::Gt,
        "=" => Token::Eq,
        "<=" => Token::LtEq,
        ">=" => Token::GtEq,
        "<>" | "!=" => Token::Neq,
        "=>" => Token::RArrow,
        "->" => Token::Arrow,
        "->>" => Token::LongArrow,
        "||" => Token::StringConcat,
        other => Token::CustomBinaryOperator(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::tokenize::read;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn check(sql: &str, expect: &[&str]) {
        let read = read(sql, Dialect::Postgres).expect("tokens");
        let tokens: Vec<String> = read.iter().map(|token| token.token.to_string()).collect();
        assert_eq!(tokens, expect, "{sql}");
    }

    #[test]
    fn a_sign_is_no_part_of_an_operator() {
        check("j->-1", &["j", "->", "-", "1"]);
        check("j->>-1", &["j", "->>", "-", "1"]);
        check("j<->-1", &["j", "<->", "-", "1"]);
        check("j===-1", &["j", "===", "-", "1"]);
        check("j=-+-1", &["j", "=", "-", "+", "-", "1"]);
        check("j*-1", &["j", "*", "-", "1"]);
    }

    #[test]
    fn an_unusual_character_makes_it_one() {
        check("j#-a", &["j", "#-", "a"]);
        check("j-|-k", &["j", "-|-", "k"]);
        check("j!!=k", &["j", "!!=", "k"]);
        check("l^@>m", &["l", "^@>", "m"]);
        check("l ?<@ m", &["l", "?<@", "m"]);
        check("l ^? m", &["l", "^?", "m"]);
        check("j @!k", &["j", "@!", "k"]);
    }

    #[test]
    fn a_comment_ends_an_operator() {
        check("j @>-- a $ comment\n k", &["j", "@>", "k"]);
        check("j #>>/* a\n 'b */'{c}'", &["j", "#>>", "'{c}'"]);
        check("j =#-- $", &["j", "=#"]);
        check("j -- a\n @> k", &["j", "@>", "k"]);
        check("j @> 'é'||/*é*/ k", &["j", "@>", "'é'", "||", "k"]);
    }

    #[test]
    fn what_is_meant_as_a_placeholder_is_none() {
        check("a=?", &["a", "=", "?"]);
    }

    #[test]
    fn operators_of_users_are_read() {
        for condition in
            ["a === 1", "a !!= 1", "a <->> $1", "a OPERATOR(s.===) 1", "a === ANY (b)", "!~! a = 1", "@! a"]
        {
            let sql = format!("SELECT a FROM t WHERE {condition}");
            let query = resolve(&sql, Dialect::Postgres, None);
            assert!(query.is_ok(), "{sql}: {query:?}");
        }
    }
}
