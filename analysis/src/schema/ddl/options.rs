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

/// MySQL: the storage parameter that names an engine whose indexes may be hash tables.
pub(crate) const ENGINE: &str = "engine";

/// MySQL: reads `ENGINE [=] name`, if it comes next; the name is kept of engines whose indexes may be hash tables.
pub(crate) fn engine(cursor: &mut Cursor<'_>, storage: &mut BTreeMap<String, String>) -> bool {
    if cursor.dialect != Dialect::MySql || !cursor.take(ENGINE) {
        return false;
    }
    let _ = cursor.take_symbol("=");
    let name = cursor.now().trim_matches(['\'', '"', '`']).to_ascii_uppercase();
    cursor.skip();
    if matches!(name.as_str(), "MEMORY" | "HEAP" | "NDB" | "NDBCLUSTER") {
        storage.insert(ENGINE.to_owned(), name);
    }
    true
}

/// MySQL: a character set and a collation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charset {
    /// `CHARACTER SET`.
    pub name: Option<String>,
    /// `COLLATE`.
    pub collation: Option<String>,
}

impl Charset {
    /// What a table has after this change, if it had the character set `known`: a collation brings its own
    /// character set, except for those that fit any Unicode one.
    pub fn instead_of(self, known: Option<&str>) -> Charset {
        let of_collation = || {
            let collation = self.collation.as_deref().filter(|name| !name.starts_with("uca1400"))?;
            collation.split('_').next().map(str::to_owned)
        };
        let name = match known {
            Some(known) => self.name.clone().or_else(of_collation).or_else(|| Some(known.to_owned())),
            None => self.name.clone(),
        };
        Charset { name, collation: self.collation }
    }
}

/// Reads `(fillfactor = 70, autovacuum_enabled)`: the parameters by name, without those of TimescaleDB.
pub(crate) fn storage(cursor: &mut Cursor<'_>) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    if !cursor.take_symbol("(") {
        return parameters;
    }
    while !cursor.done() && !cursor.take_symbol(")") {
        let start = cursor.at;
        cursor.skip_until(|cursor| cursor.is_symbol("="));
        let name = cursor.joined(start, cursor.at).to_lowercase();
        let mut value = "true".to_owned();
        if cursor.take_symbol("=") {
            let start = cursor.at;
            cursor.skip_until(|_| false);
            value = cursor.joined(start, cursor.at);
            if !value.contains(['\'', '"', '$']) {
                value = value.to_lowercase();
            }
        }
        let _ = cursor.take_symbol(",");
        let is_extension = ["timescaledb.", "tsdb."].iter().any(|prefix| name.starts_with(prefix));
        if !name.is_empty() && !is_extension {
            parameters.insert(name, value);
        }
    }
    parameters
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
