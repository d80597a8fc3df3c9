//! Adds, copies and removes indexes, on tables, their partitions and materialised views.

use super::constraints::built;
use super::create::missing;
use super::names::clipped;
use super::{Applied, Replay};
use crate::schema::ddl::{CreateIndex, ENGINE, IndexDef, Written};
use crate::schema::model::{Index, Name, Unique};
use crate::sql::Dialect;

impl Replay {
    pub(super) fn create_index(&mut self, create: CreateIndex) -> Applied {
        let dialect = self.schema.dialect;
        let mut written = create.table;
        if dialect == Dialect::Sqlite {
            written.schema = written.schema.or(create.schema);
        }
        let exists = |name: &Name| {
            self.schema.tables.contains_key(name)
                || self.schema.views.get(name).is_some_and(|view| view.materialized)
        };
        let Some(owner) = self.find(&written, exists) else {
            let ignored =
                |name: &Name| self.temporary.contains(name) || self.schema.opaque.contains_key(name);
            return match self.find(&written, ignored) {
                Some(_) => Ok(()),
                None => Err(missing(&written)),
            };
        };
        // SQLite: a table of the session hides another of its name.
        let is_hidden = dialect == Dialect::Sqlite && self.temporary.contains(&owner);
        if is_hidden && !self.is_lasting(&written) {
            return Ok(());
        }
        if let Some(name) = &create.index.name {
            self.settle_doubt(&owner, &clipped(name.clone(), dialect), &create.index.keys);
        }
        if let Some(name) = create.index.name.as_ref().filter(|_| create.or_replace) {
            self.remove_index(&owner, &clipped(name.clone(), dialect));
        }
        if let Some(name) = &create.index.name
            && self.index_name_taken(&owner, &clipped(name.clone(), dialect))
        {
            let taken = Err(format!("`{name}` exists already"));
            return if create.if_not_exists { Ok(()) } else { taken };
        }
        let made = self.add_index(&owner, create.index)?;
        if !create.only {
            self.index_partitions(&owner, &made)?;
        }
        Ok(())
    }

    /// Whether an index name is in use: by the same table in MySQL, in the schema elsewhere.
    fn index_name_taken(&self, owner: &Name, index: &str) -> bool {
        match self.schema.dialect {
            Dialect::MySql => self
                .schema
                .tables
                .get(owner)
                .is_some_and(|table| table.indexes.iter().any(|it| it.name == index)),
            _ => self.relation_exists(&Name { schema: owner.schema.clone(), name: index.to_owned() }),
        }
    }

    /// Adds an index to a table or materialised view; returns its name.
    pub(super) fn add_index(&mut self, owner: &Name, index: IndexDef) -> Applied<String> {
        let dialect = self.schema.dialect;
        let name = match (&index.name, dialect) {
            (Some(name), _) => clipped(name.clone(), dialect),
            (None, Dialect::MySql) => self.mysql_index_name(owner, &index.keys),
            (None, _) => self.choose_index_name(owner, &index.keys, &index.include, "idx"),
        };
        let named = index.keys.iter().filter_map(|key| key.as_column());
        self.take_loose(owner, named.map(str::to_owned).collect());
        if let Some(table) = self.schema.tables.get(owner) {
            let columns = index
                .keys
                .iter()
                .filter_map(|key| key.as_column())
                .chain(index.include.iter().map(String::as_str));
            for column in columns {
                let rowid = dialect == Dialect::Sqlite && matches!(column, "rowid" | "oid" | "_rowid_");
                if table.column(column).is_none() && !rowid {
                    return Err(format!("table `{owner}` has no column `{column}`"));
                }
            }
        }
        if index.unique {
            self.contains_partitions(owner, &index.keys)?;
        }
        self.push_index(owner, built(index, name.clone()))?;
        Ok(name)
    }

    /// Adds a complete index; in MySQL it replaces one that a foreign key created implicitly.
    pub(super) fn push_index(&mut self, owner: &Name, mut index: Index) -> Applied {
        if self.schema.dialect == Dialect::MySql {
            // InnoDB has no hash indexes.
            if index.method == "hash" && !self.table(owner)?.storage.contains_key(ENGINE) {
                index.method = "btree".to_owned();
            }
            let implied: Vec<String> = self
                .implied
                .iter()
                .filter(|(table, _)| table == owner)
                .map(|(_, name)| name.clone())
                .collect();
            for name in implied {
                let table = self.table_mut(owner)?;
                let replaced = |it: &Index| it.name == name && index.keys.starts_with(&it.keys);
                if table.indexes.iter().any(replaced) {
                    table.indexes.retain(|it| it.name != name);
                    self.implied.remove(&(owner.clone(), name));
                }
            }
        }
        self.hear(&index.name);
        if let Some(table) = self.schema.tables.get_mut(owner) {
            table.indexes.push(index);
        } else if let Some(view) = self.schema.views.get_mut(owner) {
            view.indexes.push(index);
        }
        Ok(())
    }

    /// Adds the corresponding index to every partition.
    pub(super) fn index_partitions(&mut self, parent: &Name, index: &str) -> Applied {
        let Some(table) = self.schema.tables.get(parent).filter(|table| table.partition_by.is_some()) else {
            return Ok(());
        };
        let Some(index) = table.indexes.iter().find(|it| it.name == index).cloned() else { return Ok(()) };
        for child in self.children(parent) {
            self.copy_index(&child, &index, true)?;
        }
        Ok(())
    }

    /// Copies another table's index to a table, under a generated name.
    pub(super) fn copy_index(&mut self, name: &Name, index: &Index, attach: bool) -> Applied {
        let columns =
            || index.keys.iter().filter_map(|key| key.as_column().map(str::to_owned)).collect::<Vec<_>>();
        let label = match (index.primary, index.constraint, index.unique) {
            (true, ..) => "pkey",
            (_, true, true) => "key",
            (_, true, false) => "excl",
            _ => "idx",
        };
        let made = match (self.schema.dialect, index.primary) {
            (Dialect::MySql, _) => index.name.clone(),
            (_, true) => self.choose_name(name, "", label),
            _ => self.choose_index_name(name, &index.keys, &index.include, label),
        };
        let table = self.table_mut(name)?;
        if index.primary {
            if !table.primary_key.is_empty() {
                return Ok(());
            }
            let key = columns();
            for column in table.columns.iter_mut().filter(|column| key.contains(&column.name)) {
                column.not_null = true;
            }
            table.primary_key = key;
        } else if index.constraint && index.unique {
            table.unique.push(Unique { name: Some(made.clone()), columns: columns() });
        }
        let copy = Index { name: made.clone(), ..index.clone() };
        table.indexes.push(copy);
        if attach {
            self.attached.insert((name.clone(), made.clone()), index.name.clone());
            self.index_partitions(name, &made)?;
        }
        Ok(())
    }

    /// Removes an index, and the corresponding indexes of partitions.
    pub(super) fn remove_index(&mut self, owner: &Name, index: &str) {
        if let Some(table) = self.schema.tables.get_mut(owner) {
            table.indexes.retain(|it| it.name != index);
            table.unique.retain(|unique| unique.name.as_deref() != Some(index));
        } else if let Some(view) = self.schema.views.get_mut(owner) {
            view.indexes.retain(|it| it.name != index);
        }
        self.attached.remove(&(owner.clone(), index.to_owned()));
        for child in self.children(owner) {
            let parts = self.attached.iter().filter(|((table, _), of)| *table == child && *of == index);
            let parts: Vec<String> = parts.map(|((_, part), _)| part.clone()).collect();
            for part in parts {
                if let Some(table) = self.schema.tables.get_mut(&child)
                    && table.indexes.iter().any(|it| it.name == part && it.primary)
                {
                    table.primary_key.clear();
                }
                self.remove_index(&child, &part);
            }
        }
    }

    /// `ALTER INDEX … ATTACH PARTITION`.
    pub(super) fn attach_index(&mut self, parent: &str, partition: &Written) -> Applied {
        let name = self.find(partition, |name| self.owner_of_index(name).is_some());
        let owner = name.as_ref().and_then(|name| self.owner_of_index(name));
        match (name, owner) {
            (Some(index), Some(owner)) => {
                self.attached.insert((owner, index.name), parent.to_owned());
                Ok(())
            }
            _ => Err(missing(partition)),
        }
    }
}
