//! A statement of a migration, as far as it tells what it makes and renames.

use std::ops::Range;

use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, Token, TokenKind, text_at, unquote};

/// The maximum length of a name of PostgreSQL in bytes, which cuts off the rest.
const MAX_NAME_LENGTH: usize = 63;

/// A name as PostgreSQL cuts it off; the schema has it so, and a migration in full.
pub(super) fn cut(name: &str) -> &str {
    let end = (0..=MAX_NAME_LENGTH.min(name.len())).rev().find(|at| name.is_char_boundary(*at));
    name.get(..end.unwrap_or(0)).unwrap_or(name)
}

/// The words before the name of an index or a constraint in the list of a table.
const KINDS: &[&str] = &["constraint", "fulltext", "index", "key", "spatial", "unique"];

/// A rename in a statement: the table, the column if it is one of a column, and the new name.
pub(super) struct Rename {
    pub(super) table: String,
    pub(super) column: Option<String>,
    pub(super) to: String,
}

/// A REFERENCES clause in a statement.
pub(super) struct Reference {
    /// The names before it, in its list element or clause.
    pub(super) columns: Vec<String>,
    /// The names directly after it.
    pub(super) tables: Vec<String>,
    /// The byte at which its element starts.
    pub(super) start: usize,
}

pub(super) struct Statement<'t> {
    sql: &'t str,
    pub(super) tokens: Vec<Token>,
    dialect: Dialect,
}

impl<'t> Statement<'t> {
    pub(super) fn new(sql: &'t str, dialect: Dialect) -> Statement<'t> {
        Statement { sql, tokens: Lexer::new(sql, dialect).collect(), dialect }
    }

    fn text(&self, at: usize) -> &'t str {
        text_at(self.sql, &self.tokens, at)
    }

    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        self.text(at).eq_ignore_ascii_case(word)
    }

    /// The name in a token, in lower case; `None` if it is not a name.
    fn name(&self, at: usize) -> Option<String> {
        let token =
            self.tokens.get(at).filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Name));
        token.map(|_| unquote(self.text(at), self.dialect).to_ascii_lowercase())
    }

    /// The rename in the statement, if it is one.
    pub(super) fn renames(&self) -> Option<Rename> {
        if !self.is(0, "alter") || !self.is(1, "table") {
            return None;
        }
        let rename = (2..self.tokens.len()).find(|at| self.is(*at, "rename"))?;
        let table = self.name(rename.checked_sub(1)?)?;
        if self.is(rename + 1, "to") {
            return Some(Rename { table, column: None, to: self.name(rename + 2)? });
        }
        let from = rename + 1 + usize::from(self.is(rename + 1, "column"));
        let to = self.name(from + 2).filter(|_| self.is(from + 1, "to"))?;
        Some(Rename { table, column: Some(self.name(from)?), to })
    }

    /// The names before the first list or query.
    pub(super) fn head(&self) -> Vec<String> {
        let head = (0..self.tokens.len()).take_while(|at| !self.is(*at, "(") && !self.is(*at, "as"));
        head.filter_map(|at| self.name(at)).map(|name| cut(&name).to_owned()).collect()
    }

    /// The name after `IF NOT EXISTS`, without its schema.
    pub(super) fn made_if_missing(&self) -> Option<String> {
        let mut at =
            (2..9).find(|at| self.is(*at, "exists") && self.is(at - 1, "not") && self.is(at - 2, "if"))? + 1;
        while self.is(at + 1, ".") {
            at += 2;
        }
        self.name(at)
    }

    /// The bytes of the body of a `DO` block.
    pub(super) fn block(&self) -> Option<Range<usize>> {
        let is_body = |token: &&Token| {
            token.kind == TokenKind::Text
                && self.sql.get(token.span.start..).is_some_and(|it| it.starts_with('$'))
        };
        let token = self.tokens.iter().find(is_body).filter(|_| self.is(0, "do"))?;
        let quote = self.sql.get(token.span.start + 1..)?.find('$')? + 2;
        (quote * 2 <= token.span.end - token.span.start)
            .then(|| token.span.start + quote..token.span.end - quote)
    }

    /// The byte at which a statement of a block changes the schema, behind the words that lead to it: `IF x THEN CREATE ..`.
    pub(super) fn begin_in_block(&self) -> Option<usize> {
        let leads = |at: usize| {
            at.checked_sub(1).is_none_or(|before| {
                ["begin", "else", "loop", "then"].iter().any(|word| self.is(before, word))
            })
        };
        let begins =
            |at: &usize| leads(*at) && ["alter", "create", "drop"].iter().any(|verb| self.is(*at, verb));
        let first = (0..self.tokens.len()).find(begins)?;
        self.tokens.get(first).map(|token| token.span.start)
    }

    /// The names of the indexes and constraints among the elements of a new table's list, with the byte at which each element
    /// starts: `INDEX by_user (user_id)`.
    pub(super) fn indexes_of_list(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        let mut depth = 0_usize;
        if !self.is(0, "create") || !(1..4).any(|at| self.is(at, "table")) {
            return found;
        }
        for at in 0..self.tokens.len() {
            match self.text(at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth != 1 || !matches!(self.text(at), "(" | ",") {
                continue;
            }
            let mut name = at + 1;
            while KINDS.iter().any(|kind| self.is(name, kind)) {
                name += 1;
            }
            if name > at + 1
                && let Some(name) = self.name(name)
                && let Some(first) = self.tokens.get(at + 1)
            {
                found.push((name, first.span.start));
            }
        }
        found
    }

    pub(super) fn references(&self) -> Vec<Reference> {
        let mut begin = 0;
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            match self.text(at) {
                "(" => {
                    depth += 1;
                    if depth == 1 {
                        begin = at + 1;
                    }
                }
                ")" => depth = depth.saturating_sub(1),
                "," if depth <= 1 => begin = at + 1,
                word if word.eq_ignore_ascii_case("references") => {
                    let tables = (at + 1..at + 5).filter_map(|at| self.name(at)).collect();
                    let columns = (begin..at).filter_map(|at| self.name(at)).collect();
                    let start = self.tokens.get(begin).map_or(0, |token| token.span.start);
                    found.push(Reference { columns, tables, start });
                    // The rest belongs to the same element, whose names have been read.
                }
                _ => {}
            }
        }
        found
    }
}
