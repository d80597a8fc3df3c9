//! The text of a query, split where paging inserts into it.

use crate::sql::Dialect;
use crate::sql::lex::{Lexer, Token, TokenKind};

/// A query, split into parts.
pub(super) struct Cut<'t> {
    /// The text before WHERE.
    from: &'t str,
    /// The condition of the WHERE; `None` without one.
    filter: Option<&'t str>,
}

impl<'t> Cut<'t> {
    /// Splits a SELECT with an ORDER BY; `None` if parameters are named or occur in the ORDER BY.
    pub(super) fn of(sql: &'t str, dialect: Dialect) -> Option<Cut<'t>> {
        let tokens: Vec<Token> = Lexer::new(sql, dialect).collect();
        let text = |token: &Token| sql.get(token.span.range()).unwrap_or_default();
        let mut depth = 0_usize;
        let (mut filter, mut order) = (None, None);
        for token in &tokens {
            let text = text(token);
            match text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                ";" => return None,
                _ => {}
            }
            let is_named =
                || text.len() > 1 && text.get(1..).is_some_and(|rest| rest.parse::<usize>().is_err());
            let is_parameter = token.kind == TokenKind::Parameter;
            if token.kind == TokenKind::Open || is_parameter && (order.is_some() || is_named()) {
                return None;
            }
            if depth == 0 && token.kind == TokenKind::Word {
                let start = token.span.range();
                if order.is_none() && text.eq_ignore_ascii_case("ORDER") {
                    order = Some(start.start);
                } else if order.is_none() && text.eq_ignore_ascii_case("WHERE") {
                    filter = Some(start);
                }
            }
        }
        let order = order?;
        Some(match filter {
            Some(word) => Cut {
                from: sql.get(..word.start)?.trim_end(),
                filter: Some(sql.get(word.end..order)?.trim()),
            },
            None => Cut { from: sql.get(..order)?.trim_end(), filter: None },
        })
    }

    /// The common start of all statements.
    pub(super) fn head(&self) -> &'t str {
        self.from
    }

    /// The query with an additional condition and a new end. Line breaks protect it from trailing comments.
    pub(super) fn with(&self, condition: Option<&str>, end: &str) -> String {
        let filter = match (self.filter, condition) {
            (None, None) => String::new(),
            (Some(filter), None) => format!("\nWHERE {filter}"),
            (None, Some(condition)) => format!("\nWHERE {condition}"),
            (Some(filter), Some(condition)) => format!("\nWHERE ({filter}\n) AND {condition}"),
        };
        format!("{}{filter}\n{end}", self.from)
    }
}
