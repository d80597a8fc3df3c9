//! Indexes as separate statements.

use std::fmt::Write as _;

use super::super::model::{Index, Name, Schema};
use super::table::Writer;
use crate::sql::Dialect;
use crate::sql::quote::quote_if_needed;

impl Writer<'_> {
    /// Writes the indexes that have statements of their own, sorted by name.
    pub(super) fn indexes<'i>(&mut self, owner: &Name, indexes: impl IntoIterator<Item = &'i Index>) {
        let mut indexes: Vec<&Index> = indexes.into_iter().filter(|index| !index.constraint).collect();
        indexes.sort_by(|a, b| a.name.cmp(&b.name));
        for index in indexes {
            let statement = self.create_index(owner, index, "");
            let _ = writeln!(self.out, "{statement};");
        }
    }

    pub(super) fn create_index(&self, owner: &Name, index: &Index, how: &str) -> String {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let using = if index.method == "btree" { String::new() } else { format!(" USING {}", index.method) };
        let distinct = if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let predicate = index.predicate.as_ref().map(|it| format!(" WHERE {it}")).unwrap_or_default();
        // In SQLite an index is in the schema of its table, which is given with the index's name only.
        let is_attached = self.dialect == Dialect::Sqlite && owner.schema.is_some();
        let (name, table) = match &owner.schema {
            Some(schema) if is_attached => {
                let bare = Name { schema: None, ..owner.clone() };
                (format!("{}.{}", self.ident(schema), self.ident(&index.name)), self.name(&bare))
            }
            _ => (self.ident(&index.name), self.name(owner)),
        };
        let keys = self.keys(index);
        let include = self.include(index);
        let hidden = if index.hidden { super::HIDDEN } else { "" };
        format!(
            "CREATE {unique}INDEX {how}{name} ON {table}{using} ({keys}){include}{distinct}{hidden}{predicate}"
        )
    }
}

/// The statement that creates an index of `schema`; `how` precedes its name.
pub(crate) fn create_index(schema: &Schema, owner: &Name, index: &Index, how: &str) -> String {
    Writer::of_part(schema).create_index(owner, index, how)
}

/// The statement that drops an index; `how` precedes its name.
pub(crate) fn drop_index(dialect: Dialect, owner: &Name, name: &str, how: &str) -> String {
    let name = quote_if_needed(name, dialect);
    let namespace = owner.schema.as_ref().map(|schema| quote_if_needed(schema, dialect) + ".");
    let namespace = namespace.unwrap_or_default();
    match dialect {
        Dialect::MySql => {
            format!("DROP INDEX {how}{name} ON {namespace}{}", quote_if_needed(&owner.name, dialect))
        }
        Dialect::Postgres | Dialect::Sqlite => format!("DROP INDEX {how}{namespace}{name}"),
    }
}
