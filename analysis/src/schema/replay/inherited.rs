//! What a table has of others: parents that it inherits from, partitioned tables, and those that it is made like.

use super::Applied;
use super::Replay;
use super::create::missing;
use crate::schema::ddl::{Including, Written};
use crate::schema::model::{Column, Exclusion, Name, Table};

impl Replay {
    /// `INHERIT` and `NO INHERIT` of a table that exists.
    pub(super) fn change_parents(&mut self, name: &Name, parent: &Written, inherit: bool) -> Applied {
        let parent = self.find_table(parent).ok_or_else(|| missing(parent))?;
        self.hear_parent(&parent);
        if inherit {
            let own = self.table(name)?.columns.iter().map(|column| (name.clone(), column.name.clone()));
            let own: Vec<(Name, String)> = own.collect();
            self.also_local.extend(own);
        }
        let table = self.table_mut(name)?;
        let mut parents: Vec<Name> = table.parents().filter(|known| **known != parent).cloned().collect();
        parents.extend(inherit.then_some(parent));
        let mut parents = parents.into_iter();
        table.parent = parents.next();
        table.more_parents = parents.collect();
        Ok(())
    }

    /// Copies a parent's columns and checks.
    pub(super) fn inherit(&mut self, table: &mut Table, parent: &Name) -> Applied {
        let of = self.table(parent)?;
        let mut shared = Vec::new();
        for column in &of.columns {
            match table.columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => {
                    known.not_null |= column.not_null;
                    // It is another parent's, too.
                    shared.push((table.name.clone(), column.name.clone()));
                }
                None => {
                    table.columns.push(Column { identity: false, identity_always: false, ..column.clone() })
                }
            }
        }
        table.checks.extend(of.checks.iter().filter(|check| !check.no_inherit).cloned());
        match table.parent {
            None => table.parent = Some(parent.clone()),
            Some(_) => table.more_parents.push(parent.clone()),
        }
        self.also_local.extend(shared);
        self.hear_parent(parent);
        Ok(())
    }

    /// Copies the columns of another table, with what `including` names.
    pub(super) fn copy_columns(&mut self, table: &mut Table, other: &Name, including: Including) -> Applied {
        let other = self.table(other)?.clone();
        for column in &other.columns {
            if let Some(inherited) = table.columns.iter_mut().find(|known| known.name == column.name) {
                inherited.not_null |= column.not_null;
                self.also_local.insert((table.name.clone(), column.name.clone()));
                continue;
            }
            let mut column = column.clone();
            // PostgreSQL omits these unless told otherwise.
            if !including.defaults && column.generated.is_none() {
                column.default = None;
            }
            if !including.identity {
                column.identity = false;
                column.identity_always = false;
            }
            if !including.generated {
                column.generated = None;
            }
            table.columns.push(column);
        }
        if including.constraints {
            table.checks.extend(other.checks.iter().cloned());
        }
        Ok(())
    }

    /// Copies the keys and indexes of another table, under new names.
    pub(super) fn copy_indexes(&mut self, name: &Name, other: &Name, attach: bool) -> Applied {
        for index in self.table(other)?.indexes.clone() {
            let known = self.table(name)?.indexes.len();
            self.copy_index(name, &index, attach)?;
            if !index.constraint {
                continue;
            }
            let from = self.table(other)?;
            let exclusion = from.exclusions.iter().find(|it| it.name == index.name).cloned();
            let timing = from.timings.get(&index.name).cloned();
            let table = self.table_mut(name)?;
            let Some(made) = table.indexes.get(known).map(|index| index.name.clone()) else { continue };
            table.exclusions.extend(exclusion.map(|it| Exclusion { name: made.clone(), ..it }));
            table.timings.extend(timing.map(|timing| (made, timing)));
        }
        Ok(())
    }

    /// Copies the foreign keys of a partition's parent.
    pub(super) fn copy_foreign_keys(&mut self, name: &Name, parent: &Name) -> Applied {
        let keys = self.table(parent)?.foreign_keys.clone();
        if keys.iter().any(|key| key.references.is_empty()) {
            self.to_fill_in.insert(name.clone());
        }
        self.table_mut(name)?.foreign_keys.extend(keys);
        Ok(())
    }
}
