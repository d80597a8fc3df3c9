//! Strings that continue on the next line: PostgreSQL and MySQL read them as one, and the parser joins two at most.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::sql::dialect::Dialect;
use crate::sql::parse::{self, SyntaxError};
use crate::sql::text::LineIndex;

/// The tokens with such strings joined. PostgreSQL refuses two on one line.
pub(super) fn joined(
    tokens: Vec<TokenWithSpan>,
    dialect: Dialect,
    lines: &LineIndex<'_>,
) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    let continues = |pair: &[TokenWithSpan]| match pair {
        [first, next] => matches!(next.token, Token::SingleQuotedString(_)) && text(&first.token).is_some(),
        _ => false,
    };
    // Two strings in SQLite are a value and its alias.
    if dialect == Dialect::Sqlite || !tokens.windows(2).any(continues) {
        return Ok(tokens);
    }
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Token::SingleQuotedString(next) = &token.token else {
            out.push(token);
            continue;
        };
        let Some(before) = out.last_mut().filter(|before| text(&before.token).is_some()) else {
            out.push(token);
            continue;
        };
        if dialect == Dialect::Postgres && before.span.end.line == token.span.start.line {
            let message = format!("expected an operator or the end of the query, found `'{next}'`");
            return Err(SyntaxError { message, span: parse::span(lines, token.span), limit: false });
        }
        if let Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::UnicodeStringLiteral(text) = &mut before.token
        {
            text.push_str(next);
        }
        before.span.end = token.span.end;
    }
    Ok(out)
}

/// The text of a string that the next one may continue.
fn text(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::UnicodeStringLiteral(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::Dialect::{MySql, Postgres};
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn check(sql: &str, dialect: Dialect, expect: Option<&str>) {
        let query = resolve(sql, dialect, None);
        let text = query.ok().and_then(|query| {
            let root = query.root?;
            query.block(root).outputs.as_ref()?.first().map(|output| output.expr.to_string())
        });
        assert_eq!(text.as_deref(), expect, "{sql}");
    }

    #[test]
    fn strings_continue_on_the_next_line() {
        check("SELECT 'a'\n'b'\n  'c'", Postgres, Some("'abc'"));
        check("SELECT 'a' -- of two\n'b'", Postgres, Some("'ab'"));
        check("SELECT E'a'\n'b'\n'c'", Postgres, Some("'abc'"));
        check("SELECT 'a' 'b'", Postgres, None);
        check("SELECT 'a' 'b' 'c'", MySql, Some("'abc'"));
    }
}
