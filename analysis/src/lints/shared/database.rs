//! What the lints on a database as a whole share: its schema, all queries that run on it, and SQL to paste.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::finding::{Finding, Place};
use crate::index::{Queried, foreign_keys};
use crate::schema::{ForeignKey, Index, KeyPart, Name, Schema, Table, snapshot};

/// What a lint on a database sees.
pub struct SchemaContext<'a> {
    /// What the database holds.
    pub schema: &'a Schema,
    /// Every query of the workspace that runs on it and could be parsed.
    pub queries: &'a [Queried<'a>],
    /// What the user configured.
    pub config: &'a Config,
    /// Where a table, an index or a foreign key is made.
    pub place_of: &'a dyn Fn(&Made<'_>) -> Place,
}

/// What some statement of the migrations made.
#[derive(Debug, Clone, Copy)]
pub struct Made<'m> {
    /// The name of the table or index.
    pub name: &'m str,
    /// The foreign key of the table that is meant, rather than the table.
    pub key: Option<&'m ForeignKey>,
}

impl<'a> SchemaContext<'a> {
    /// A database with the queries that run on it.
    pub(crate) fn new(
        schema: &'a Schema,
        queries: &'a [Queried<'a>],
        config: &'a Config,
        place_of: &'a dyn Fn(&Made<'_>) -> Place,
    ) -> SchemaContext<'a> {
        SchemaContext { schema, queries, config, place_of }
    }

    /// The tables whose indexes are their own: a partition has those of its parent.
    pub(in crate::lints) fn own_tables(&self) -> impl Iterator<Item = &'a Table> {
        self.schema.tables.values().filter(|table| table.partition_bound.is_none())
    }

    /// Whether the configuration or the snapshot says that a table is small.
    pub(in crate::lints) fn is_small(&self, table: &Name) -> bool {
        crate::lints::is_small(self.config, Some(self.schema), table)
    }

    /// The tables that rows are deleted of.
    pub(in crate::lints) fn losing_rows(&self) -> BTreeSet<&'a Name> {
        foreign_keys::losing_rows(self.schema, self.queries.iter().map(|queried| queried.query))
    }

    /// The statement that drops an index.
    pub(in crate::lints) fn drop_index(&self, table: &Table, index: &Index) -> String {
        snapshot::drop_index(self.schema.dialect, &table.name, &index.name, "")
    }

    /// The finding at the statement that makes an index.
    pub(in crate::lints) fn about_index(
        &self,
        mut finding: Finding,
        table: &Table,
        index: &Index,
        label: &str,
    ) -> Finding {
        let keys: Vec<&str> = index
            .keys
            .iter()
            .map(|key| match &key.part {
                KeyPart::Column(text) | KeyPart::Expression(text) => text.as_str(),
            })
            .collect();
        let predicate = index.predicate.as_ref().map_or_else(String::new, |text| format!(" WHERE {text}"));
        let unique = if index.unique { "UNIQUE " } else { "" };
        let using = if index.method == "btree" { String::new() } else { format!(" USING {}", index.method) };
        let sql = format!(
            "CREATE {unique}INDEX {} ON {}{using} ({}){predicate}",
            index.name,
            table.name,
            keys.join(", ")
        );
        let name = sql.find(&index.name).unwrap_or(0);
        finding.place = (self.place_of)(&Made { name: &index.name, key: None });
        finding.excerpt(sql, name..name + index.name.len(), label)
    }

    /// The finding where a foreign key is made.
    pub(in crate::lints) fn about_key(
        &self,
        mut finding: Finding,
        table: &Table,
        key: &ForeignKey,
    ) -> Finding {
        finding.place = (self.place_of)(&Made { name: &table.name.name, key: Some(key) });
        finding
    }
}
