//! How a table stores its rows: what changes no column, but is part of its definition.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use crate::sql::Dialect;

/// How a table's rows are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableOptions {
    /// `UNLOGGED`.
    pub unlogged: bool,
    /// PostgreSQL: storage parameters by name.
    pub storage: BTreeMap<String, String>,
    /// MySQL: the character set and the collation, where given.
    pub charset: Charset,
}

/// MySQL: a character set and a collation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charset {
    /// `CHARACTER SET`.
    pub name: Option<String>,
    /// `COLLATE`.
    pub collation: Option<String>,
}

/// The parameters in `(fillfactor = 70, autovacuum_enabled)`, by name.
pub(crate) fn storage(parameters: &str) -> BTreeMap<String, String> {
    let inner = parameters.trim().trim_start_matches('(').trim_end_matches(')');
    let parameter = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, "true"));
        (name.trim().to_owned(), value.trim().to_owned())
    };
    inner.split(',').map(parameter).filter(|(name, _)| !name.is_empty()).collect()
}

/// MySQL: reads `[DEFAULT] CHARSET [=] x` or `[DEFAULT] COLLATE [=] y`, if it comes next.
pub(crate) fn charset(cursor: &mut Cursor<'_>, charset: &mut Charset) -> bool {
    const WORDS: &[&str] = &[
        "default charset",
        "default character set",
        "default collate",
        "charset",
        "character set",
        "collate",
    ];
    if cursor.dialect != Dialect::MySql {
        return false;
    }
    let Some(word) = cursor.take_any(WORDS) else { return false };
    let _ = cursor.take_symbol("=");
    let start = cursor.at;
    cursor.skip();
    let name = cursor.source(start, cursor.at).trim_matches(['\'', '"', '`']).to_lowercase();
    if word.ends_with("collate") {
        charset.collation = Some(name);
    } else {
        // A new character set brings its own collation.
        *charset = Charset { name: Some(name), collation: None };
    }
    true
}
