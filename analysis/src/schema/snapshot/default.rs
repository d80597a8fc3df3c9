//! Defaults of columns as SQL.

use std::fmt::Write as _;

use super::table::Writer;
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind};

/// Between a default and the value that a change of the row sets the column to.
const ON_UPDATE: &str = " ON UPDATE ";

impl Writer<'_> {
    /// Writes a default, and what MySQL sets the column to on each change.
    pub(super) fn write_default(&self, line: &mut String, default: &str, ty: &str) {
        let (default, update) =
            match default.rsplit_once(ON_UPDATE).filter(|_| self.dialect == Dialect::MySql) {
                Some((default, update)) => (default, Some(update)),
                None => (default, None),
            };
        // Without a default, it has the one that its type and `NOT NULL` imply.
        if update.is_none() || default != "NULL" {
            let default = self.default(default);
            // MySQL takes no literal as the default of a large value.
            let is_large = self.dialect == Dialect::MySql
                && ["json", "text", "blob", "geometry"].iter().any(|large| ty.ends_with(large));
            let is_alone = is_large && default != "NULL" && !default.starts_with('(');
            let _ = if is_alone {
                write!(line, " DEFAULT ({default})")
            } else {
                write!(line, " DEFAULT {default}")
            };
        }
        if let Some(update) = update {
            let _ = write!(line, "{ON_UPDATE}{update}");
        }
    }

    /// A default, in parentheses unless it is a plain value.
    fn default(&self, default: &str) -> String {
        let call = default.contains('(') && self.dialect != Dialect::Postgres;
        let current = is_now(default) && self.dialect == Dialect::MySql;
        let mut tokens = Lexer::new(default, self.dialect);
        let string = tokens.next().is_some_and(|token| token.kind == TokenKind::Text);
        // A string, possibly cast to a type with a name of several words.
        let value = string && tokens.next().is_none_or(|token| default.get(token.span.range()) == Some("::"));
        let compound = default.contains(' ') && !value;
        if (call || compound) && !current && !value { format!("({default})") } else { default.to_owned() }
    }
}

/// MySQL: whether a default is the time alone, in one of its spellings. Only that needs no parentheses.
fn is_now(default: &str) -> bool {
    let name = default.trim_end_matches(|c: char| matches!(c, '(' | ')' | ' ') || c.is_ascii_digit());
    ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"].iter().any(|it| it.eq_ignore_ascii_case(name))
}
