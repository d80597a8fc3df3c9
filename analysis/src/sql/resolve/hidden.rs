//! Columns that tables have without declaring them.

use super::Resolver;
use crate::schema::Table;
use crate::sql::dialect::Dialect;
use crate::sql::query::{RelationId, Source};

impl Resolver<'_> {
    /// Whether this is a column that every table has implicitly.
    pub(super) fn is_system_column(&self, id: RelationId, name: &str) -> bool {
        let source = &self.relations[id.0 as usize].source;
        // The functions of SQLite are virtual tables.
        let is_stored = match source {
            Source::Table(_) => true,
            Source::Function(..) => self.dialect == Dialect::Sqlite,
            _ => false,
        };
        let table = self.table_of(id);
        is_stored
            && match self.dialect {
                Dialect::Postgres => {
                    matches!(name, "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid" | "oid")
                }
                Dialect::Sqlite => {
                    let has_rowid = table.is_none_or(|table| !table.without_rowid);
                    has_rowid && matches!(name, "rowid" | "oid" | "_rowid_") || self.is_table_column(id, name)
                }
                Dialect::MySql => {
                    matches!(name, "row_start" | "row_end") && table.is_some_and(|table| table.versioned)
                }
            }
    }

    /// SQLite: a full-text table is searched by its own name, and has a rank and an alternative name for its
    /// rowid.
    fn is_table_column(&self, id: RelationId, name: &str) -> bool {
        let Source::Table(table) = &self.relations[id.0 as usize].source else { return false };
        table.name == name
            || name == "rank"
            || (name == "docid" && self.table_of(id).is_some_and(|table| table.module.is_some()))
    }

    /// The table that a relation is.
    pub(super) fn table_of(&self, id: RelationId) -> Option<&Table> {
        match &self.relations[id.0 as usize].source {
            Source::Table(table) => self.schema?.stored(table),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[test]
    fn a_table_without_rowid_has_none() {
        let mut replay = Replay::new(Dialect::Sqlite);
        replay.apply("CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE p (k TEXT, v)", "");
        let unknown = |sql: &str| {
            let query = resolve(sql, Dialect::Sqlite, Some(&replay.schema)).expect("it parses");
            query.problems.len()
        };
        for sql in [
            "SELECT rowid FROM w WHERE k = ?",
            "SELECT x.oid FROM w x",
            "DELETE FROM w WHERE _rowid_ = ?",
            "UPDATE w SET rowid = 1",
        ] {
            assert_eq!(unknown(sql), 1, "{sql}");
        }
        for sql in [
            "SELECT rowid FROM p",
            "SELECT rowid FROM w JOIN p ON p.k = w.k",
            "SELECT rowid FROM p JOIN w ON p.k = w.k",
            "SELECT k FROM p WHERE k IN (SELECT k FROM w WHERE v = rowid)",
            "SELECT \"rowid\" FROM w",
        ] {
            assert_eq!(unknown(sql), 0, "{sql}");
        }
    }
}
