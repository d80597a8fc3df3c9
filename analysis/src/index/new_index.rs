//! An index that does not exist yet, and the statement that creates it.

use std::collections::BTreeSet;

use crate::schema::{Name, Schema};
use crate::sql::Dialect;
use crate::sql::quote::quote_if_needed;

/// The maximum length of a name that every database accepts unabridged, in bytes.
const LONGEST_NAME: usize = 60;

/// An index that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewIndex {
    /// The table or materialised view to create it on.
    pub table: Name,
    /// Its keys as SQL, in order, with a direction if it is not the default.
    pub columns: Vec<String>,
    /// The condition of a partial index as SQL.
    pub predicate: Option<String>,
    /// The access method and operator class; `None` for a btree with default operators.
    pub method: Option<(&'static str, &'static str)>,
}

impl NewIndex {
    /// The statement that creates it, to be pasted. PostgreSQL picks a name; the other databases require one.
    pub fn ddl(&self, dialect: Dialect) -> String {
        let name = match dialect {
            Dialect::Postgres => None,
            Dialect::MySql | Dialect::Sqlite => Some(self.name()),
        };
        self.statement("CREATE INDEX", name.as_deref(), dialect)
    }

    /// The index on its first key alone.
    pub fn leading(&self) -> NewIndex {
        NewIndex { columns: self.columns.iter().take(1).cloned().collect(), predicate: None, ..self.clone() }
    }

    /// The statement that creates it under a name; `create` is the start of the statement.
    pub fn statement(&self, create: &str, name: Option<&str>, dialect: Dialect) -> String {
        let (method, class) = self.method.unwrap_or_default();
        let using = if matches!(method, "" | "btree") { String::new() } else { format!("USING {method} ") };
        let class = if class.is_empty() { String::new() } else { format!(" {class}") };
        let columns: Vec<String> = self.columns.iter().map(|column| format!("{column}{class}")).collect();
        let predicate = self.predicate.as_ref().map_or_else(String::new, |p| format!(" WHERE {p}"));
        let name = name.map_or_else(String::new, |name| quote_if_needed(name, dialect) + " ");
        let schema = self.table.schema.as_ref().map(|schema| quote_if_needed(schema, dialect) + ".");
        let table = schema.unwrap_or_default() + &quote_if_needed(&self.table.name, dialect);
        format!("{create} {name}ON {table} {using}({}){predicate}", columns.join(", "))
    }

    /// The extension that it requires.
    pub fn extension(&self) -> Option<&'static str> {
        self.method.filter(|(_, class)| class.contains("trgm")).map(|_| "pg_trgm")
    }

    /// A name for it, made of table and columns.
    pub fn name(&self) -> String {
        let mut name = self.table.name.clone();
        for column in &self.columns {
            name.push('_');
            let column = column.trim_end_matches(" DESC").trim_end_matches(" NULLS LAST");
            let column = column.split(" COLLATE ").next().unwrap_or(column);
            name.extend(column.chars().filter(|c| c.is_alphanumeric() || *c == '_'));
        }
        if name.len() > LONGEST_NAME - "_idx".len() {
            let mut end = LONGEST_NAME - "_idx".len();
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            name.truncate(end);
        }
        name.push_str("_idx");
        name
    }

    /// A name that is not in `taken`, whose names are lower case.
    pub fn free_name(&self, taken: &BTreeSet<String>) -> String {
        let name = self.name();
        let is_free = |name: &String| !taken.contains(&name.to_lowercase());
        let numbered = (2..=taken.len() + 2).map(|number| format!("{name}{number}"));
        std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
    }
}

/// The names of all tables, views and indexes in lower case, none of which is free for an index.
pub(super) fn names(schema: &Schema) -> BTreeSet<String> {
    let tables = schema.tables.values().map(|table| (&table.name, &table.indexes));
    let views = schema.views.values().map(|view| (&view.name, &view.indexes));
    let owners = tables.chain(views);
    owners
        .flat_map(|(name, indexes)| {
            indexes.iter().map(|index| &index.name).chain([&name.name]).map(|name| name.to_lowercase())
        })
        .collect()
}
