//! The parameters of a statement, numbered as the database does.

use std::collections::BTreeMap;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::Dialect;

/// Numbers every placeholder, in text order, and returns how many values the database expects.
///
/// `?`, and in SQLite `:name`, `@name` and `$name`, become `?1`, `?2` and so on. They are numbered as tokens,
/// so that placeholders in unparsed parts of the statement count too.
pub(super) fn number(tokens: &mut Vec<TokenWithSpan>, dialect: Dialect) -> usize {
    if dialect == Dialect::Sqlite {
        join_names(tokens);
    }
    let mut largest: usize = 0;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for token in tokens {
        let Token::Placeholder(name) = &mut token.token else { continue };
        let number = match numbered(name) {
            Some(number) => number,
            None if dialect == Dialect::Postgres => continue,
            None if name == "?" => largest.saturating_add(1),
            None => *names.entry(name.clone()).or_insert(largest.saturating_add(1)),
        };
        largest = largest.max(number);
        // MySQL takes neither `?1` nor `:name`, and both are reported.
        if dialect == Dialect::MySql && name != "?" {
            name.replace_range(..1, ":");
            continue;
        }
        if dialect != Dialect::Postgres {
            *name = format!("?{number}");
        }
    }
    largest
}

/// Joins `:name` and `@name`, which the tokenizer splits into two tokens.
fn join_names(tokens: &mut Vec<TokenWithSpan>) {
    let mark = |token: &Token| match token {
        Token::Colon => Some(':'),
        Token::AtSign => Some('@'),
        _ => None,
    };
    if !tokens.iter().any(|token| mark(&token.token).is_some()) {
        return;
    }
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        if let Some(last) = joined.last_mut()
            && let (Some(mark), Token::Word(word)) = (mark(&last.token), &token.token)
            && word.quote_style.is_none()
            && last.span.end == token.span.start
        {
            last.token = Token::Placeholder(format!("{mark}{}", word.value));
            last.span.end = token.span.end;
        } else {
            joined.push(token);
        }
    }
    *tokens = joined;
}

pub(super) fn numbered(name: &str) -> Option<usize> {
    let number: u32 = name.strip_prefix(['$', '?'])?.parse().ok()?;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, count: usize) {
        assert_eq!(resolve(sql, dialect, None).expect("it parses").parameters, count, "{sql}");
    }

    #[test]
    fn each_database_counts_its_own_way() {
        check(Dialect::Postgres, "SELECT $1, $3, $1", 3);
        check(Dialect::MySql, "SELECT ?, ? FROM t WHERE a = ?", 3);
        check(Dialect::Sqlite, "SELECT ?, ?3, ?, ?1", 4);
        check(Dialect::Sqlite, "SELECT :a, @b, $c, :a, ?", 4);
    }

    #[test]
    fn a_question_mark_is_numbered_by_its_place_in_the_text() {
        let query = resolve("SELECT ? FROM t JOIN u ON a = ? WHERE b = ?", Dialect::MySql, None);
        let query = query.expect("it parses");
        let crate::sql::query::Body::Select(select) = &query.block(query.root.expect("a root")).body else {
            panic!("a SELECT")
        };
        assert_eq!(select.projection[0].to_string(), "$1");
        assert_eq!(select.filter.as_ref().expect("a filter").to_string(), "b = $3");
    }
}
