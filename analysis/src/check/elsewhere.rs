//! Queries of another database than the one whose schema is known: a crate may talk to several.

use crate::rust::{Form, Site};
use crate::schema::Schema;
use crate::sql::lex::{Kind, Lexer};
use crate::sql::text::bare_parameters;
use crate::sql::{self, Dialect, Query, SyntaxError};

/// What is said of the tables of such a query.
const REASON: &str = "it runs on another database";

/// A schema of which nothing is known, by the rules of the database that a raw query runs on: its connection's, or the one
/// that its placeholders show; `None` where it is that of `dialect`. `query` is what the text is by its rules.
pub(super) fn schema(
    sql: &str,
    site: Option<&Site>,
    dialect: Dialect,
    query: &Result<Query, SyntaxError>,
) -> Option<Schema> {
    if site.is_none_or(|site| site.form == Form::Checked) {
        return None;
    }
    if let Some(known) = site.and_then(Site::dialect) {
        return (known != dialect).then(|| Schema { gaps: vec![REASON.to_owned()], ..Schema::new(known) });
    }
    let others: &[Dialect] = match dialect {
        Dialect::MySql if has_numbered_parameter(sql) => &[Dialect::Sqlite, Dialect::Postgres],
        Dialect::Postgres if query.is_err() && !bare_parameters(sql).is_empty() => {
            &[Dialect::Sqlite, Dialect::MySql]
        }
        _ => return None,
    };
    let dialect = others.iter().copied().find(|other| sql::resolve(sql, *other, None).is_ok())?;
    Some(Schema { gaps: vec![REASON.to_owned()], ..Schema::new(dialect) })
}

/// Whether a text has a parameter as PostgreSQL and SQLite write it, and MySQL does not: `$1`.
pub(super) fn has_numbered_parameter(sql: &str) -> bool {
    let mut tokens = Lexer::new(sql, Dialect::Postgres);
    tokens.any(|token| {
        token.kind == Kind::Parameter && sql.get(token.span.range()).is_some_and(|text| text.starts_with('$'))
    })
}
