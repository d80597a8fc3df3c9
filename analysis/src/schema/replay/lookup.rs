//! Resolves names as written at this point of the migrations.

use std::collections::BTreeSet;

use super::Replay;
use crate::schema::ddl::Written;
use crate::schema::model::{Column, Index, IndexKey, Name, Table};
use crate::sql::Dialect;

/// The kind of relation that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    Table(Name),
    View(Name),
    /// An index, with its table or materialised view.
    Index(Name, String),
    Sequence(Name),
    /// A session-local object, or a table whose definition is unknown: statements about it change nothing.
    Ignored,
}

impl Replay {
    /// The schemas searched for an unqualified name; `None` is the default one.
    fn path(&self) -> Vec<Option<&str>> {
        let session = self.session.local_path.as_ref().or(self.session.path.as_ref());
        let path = session.unwrap_or(&self.schema.search_path);
        let mut path: Vec<Option<&str>> = path
            .iter()
            .filter(|schema| !schema.is_empty() && *schema != "$user" && *schema != "pg_catalog")
            .map(|schema| (schema != "public").then_some(schema.as_str()))
            .collect();
        if path.is_empty() {
            path.push(None);
        }
        path
    }

    /// The full name of an object created under a name as written.
    pub(super) fn new_name(&self, written: &Written) -> Name {
        match &written.schema {
            Some(_) => written.to_name(),
            None => Name::qualified(self.path().first().copied().flatten(), written.name.clone()),
        }
    }

    /// The first name along the search path for which `exists` holds.
    pub(super) fn find(&self, written: &Written, exists: impl Fn(&Name) -> bool) -> Option<Name> {
        if written.schema.is_some() {
            return Some(written.to_name()).filter(exists);
        }
        let names = self.path().into_iter().map(|schema| Name::qualified(schema, written.name.clone()));
        names.into_iter().find(|name| exists(name))
    }

    /// The table with a name as written in a migration that reads or changes its definition.
    ///
    /// sqlx's own table exists before the first migration; it is added once a migration mentions it.
    pub(super) fn find_or_make_table(&mut self, written: &Written) -> Option<Name> {
        if written.name == "_sqlx_migrations" && self.find_table(written).is_none() {
            let name = self.new_name(written);
            let ledger = ledger(&name, self.schema.dialect);
            self.schema.tables.insert(name, ledger);
        }
        self.find_table(written)
    }

    pub(super) fn find_table(&self, written: &Written) -> Option<Name> {
        self.find(written, |name| self.schema.tables.contains_key(name))
    }

    /// The table or materialised view that has an index with this name, in the index's own schema.
    pub(super) fn owner_of_index(&self, index: &Name) -> Option<Name> {
        if !self.may_have(&index.name) {
            return None;
        }
        let has = |indexes: &[Index]| indexes.iter().any(|it| it.name == index.name);
        let of_table = self
            .schema
            .tables
            .iter()
            .find(|(name, table)| name.schema == index.schema && has(&table.indexes))
            .map(|(name, _)| name.clone());
        of_table.or_else(|| {
            let mut views = self.schema.views.iter();
            views
                .find(|(name, view)| name.schema == index.schema && has(&view.indexes))
                .map(|(name, _)| name.clone())
        })
    }

    /// The relation with a name as written, along the search path.
    pub(super) fn relation(&self, written: &Written) -> Option<Relation> {
        let exists = |name: &Name| self.relation_exists(name) || self.schema.opaque.contains_key(name);
        let name = self.find(written, exists)?;
        let is_temporary = self.temporary.contains(&name) && !self.is_lasting(written);
        if is_temporary || self.schema.opaque.contains_key(&name) {
            Some(Relation::Ignored)
        } else if self.schema.tables.contains_key(&name) {
            Some(Relation::Table(name))
        } else if self.schema.views.contains_key(&name) {
            Some(Relation::View(name))
        } else if self.schema.sequences.contains_key(&name) {
            Some(Relation::Sequence(name))
        } else {
            let owner = self.owner_of_index(&name)?;
            Some(Relation::Index(owner, name.name))
        }
    }

    /// SQLite: whether a name is that of no table of the session: `main.t`.
    pub(super) fn is_lasting(&self, written: &Written) -> bool {
        self.schema.dialect == Dialect::Sqlite && written.schema.as_deref() == Some("main")
    }

    /// Whether a table, view, sequence or index has this name.
    pub(super) fn relation_exists(&self, name: &Name) -> bool {
        self.schema.tables.contains_key(name)
            || self.schema.views.contains_key(name)
            || self.schema.sequences.contains_key(name)
            || self.temporary.contains(name)
            // In MySQL, each table has names of its own for its indexes.
            || self.schema.dialect != Dialect::MySql && self.owner_of_index(name).is_some()
    }

    /// Like `relation_exists`; a table of SQLite that is of the session alone hides others of its name.
    pub(super) fn lasting_exists(&mut self, name: &Name) -> bool {
        let is_hidden = self.schema.dialect == Dialect::Sqlite && self.temporary.remove(name);
        let exists = self.relation_exists(name);
        if is_hidden {
            self.temporary.insert(name.clone());
        }
        exists
    }

    /// A table that is known to exist.
    pub(super) fn table_mut(&mut self, name: &Name) -> Result<&mut Table, String> {
        self.schema.tables.get_mut(name).ok_or_else(|| format!("table `{name}` does not exist"))
    }

    pub(super) fn table(&self, name: &Name) -> Result<&Table, String> {
        self.schema.tables.get(name).ok_or_else(|| format!("table `{name}` does not exist"))
    }

    /// The tables that inherit from this one, or are its partitions.
    pub(super) fn children(&self, parent: &Name) -> Vec<Name> {
        if !self.may_have_children(parent) {
            return Vec::new();
        }
        let of_parent = |table: &&Table| table.parents().any(|known| known == parent);
        self.schema.tables.values().filter(of_parent).map(|table| table.name.clone()).collect()
    }

    /// The tables that inherit from this one at any depth, or are partitions of its partitions; parents first.
    pub(super) fn descendants(&self, parent: &Name) -> Vec<Name> {
        let mut found = self.children(parent);
        let mut known: BTreeSet<Name> = found.iter().cloned().chain([parent.clone()]).collect();
        let mut at = 0;
        while let Some(next) = found.get(at).cloned() {
            found.extend(self.children(&next).into_iter().filter(|child| known.insert(child.clone())));
            at += 1;
        }
        found
    }
}

/// The table in which sqlx records applied migrations.
fn ledger(name: &Name, dialect: Dialect) -> Table {
    let types = match dialect {
        Dialect::Postgres => ["bigint", "text", "timestamp with time zone", "boolean", "bytea", "bigint"],
        Dialect::MySql => ["bigint", "text", "timestamp", "tinyint(1)", "blob", "bigint"],
        Dialect::Sqlite => ["BIGINT", "TEXT", "TIMESTAMP", "BOOLEAN", "BLOB", "BIGINT"],
    };
    let names = ["version", "description", "installed_on", "success", "checksum", "execution_time"];
    let mut table = Table::new(name.clone());
    table.columns = names.into_iter().zip(types).map(|(name, ty)| Column::new(name, ty)).collect();
    for column in &mut table.columns {
        column.not_null = column.name != "version" || dialect != Dialect::Sqlite;
        if column.name == "installed_on" {
            column.default =
                Some(if dialect == Dialect::Postgres { "now()" } else { "CURRENT_TIMESTAMP" }.to_owned());
        }
    }
    table.primary_key = vec!["version".to_owned()];
    let index = match dialect {
        Dialect::Postgres => format!("{}_pkey", name.name),
        Dialect::MySql => "PRIMARY".to_owned(),
        Dialect::Sqlite => format!("sqlite_autoindex_{}_1", name.name),
    };
    let index = Index {
        name: index,
        method: "btree".to_owned(),
        unique: true,
        primary: true,
        constraint: true,
        keys: vec![IndexKey::column("version")],
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        hidden: false,
        doubtful: false,
    };
    table.indexes.push(index);
    table
}
