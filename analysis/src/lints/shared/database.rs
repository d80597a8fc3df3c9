//! What the lints on a database as a whole share: its schema, all queries that run on it, and SQL to paste.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::finding::{Finding, Place};
use crate::index::{NewIndex, Queried, deleted_tables};
use crate::schema::{Index, KeyPart, Name, Schema, Table, snapshot};

/// What a lint on a database sees.
pub struct SchemaContext<'a> {
    /// What the database holds.
    pub schema: &'a Schema,
    /// Every query of the workspace that runs on it and could be parsed.
    pub queries: &'a [Queried<'a>],
    /// What the user configured.
    pub config: &'a Config,
    /// Where a table or an index is made, by its name.
    pub place_of: &'a dyn Fn(&str) -> Place,
    /// The tables that some query deletes rows of.
    deleted: BTreeSet<&'a Name>,
}

impl<'a> SchemaContext<'a> {
    /// A database with the queries that run on it.
    pub(crate) fn new(
        schema: &'a Schema,
        queries: &'a [Queried<'a>],
        config: &'a Config,
        place_of: &'a dyn Fn(&str) -> Place,
    ) -> SchemaContext<'a> {
        let deleted = queries.iter().flat_map(|queried| deleted_tables(queried.query)).collect();
        SchemaContext { schema, queries, config, place_of, deleted }
    }

    /// The tables whose indexes are their own: a partition has those of its parent.
    pub(in crate::lints) fn own_tables(&self) -> impl Iterator<Item = &'a Table> {
        self.schema.tables.values().filter(|table| table.partition_bound.is_none())
    }

    /// Whether the configuration or the snapshot says that a table is small.
    pub(in crate::lints) fn is_small(&self, table: &Name) -> bool {
        crate::lints::is_small(self.config, Some(self.schema), table)
    }

    /// Whether some query deletes rows of a table.
    pub(in crate::lints) fn deletes_from(&self, table: &Name) -> bool {
        self.deleted.contains(table)
    }

    /// The statement that makes a plain index.
    pub(in crate::lints) fn create_index(&self, table: &Table, columns: &[String]) -> String {
        let index =
            NewIndex { table: table.name.clone(), columns: columns.to_vec(), predicate: None, method: None };
        index.ddl(self.schema.dialect)
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
        finding.place = (self.place_of)(&index.name);
        finding.excerpt(sql, name..name + index.name.len(), label)
    }

    /// The finding at the statement that makes a table.
    pub(in crate::lints) fn about_table(&self, mut finding: Finding, table: &Table) -> Finding {
        finding.place = (self.place_of)(&table.name.name);
        finding
    }
}
