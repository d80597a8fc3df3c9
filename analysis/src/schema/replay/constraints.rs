//! Adds and drops constraints, with their indexes.

use super::create::missing;
use super::names::clipped;
use super::{Applied, Replay};
use crate::schema::ddl::{ConstraintDef, IndexDef, NO_INHERIT, NOT_VALID, Rule, Written, expression};
use crate::schema::model::{Check, Exclusion, ForeignKey, Index, IndexKey, KeyPart, Name, Unique};
use crate::sql::Dialect;

impl Replay {
    pub(super) fn add_constraint(&mut self, table: &Name, constraint: ConstraintDef) -> Applied {
        let dialect = self.schema.dialect;
        let name = constraint.name.map(|name| clipped(name, dialect));
        let timing = constraint.timing;
        match constraint.rule {
            Rule::PrimaryKey { keys, include } => {
                self.add_primary_key(table, name, keys, include)?;
                self.set_timing(table, timing)
            }
            Rule::Unique { keys, include, nulls_not_distinct, hidden } => {
                let index = IndexDef { keys, include, nulls_not_distinct, hidden, ..IndexDef::default() };
                self.add_unique(table, name, index)?;
                self.set_timing(table, timing)
            }
            Rule::UsingIndex { primary, index } => {
                let made = name.clone().unwrap_or_else(|| index.clone());
                self.use_index(table, name, primary, &index)?;
                if let Some(timing) = timing {
                    self.table_mut(table)?.timings.insert(made, timing);
                }
                Ok(())
            }
            Rule::ForeignKey { columns, table: referenced, references, on_delete, on_update, full } => {
                let to = self.referenced(&referenced)?;
                let full = full && dialect == Dialect::Postgres;
                let key = ForeignKey {
                    name,
                    columns,
                    table: to,
                    references,
                    on_delete,
                    on_update,
                    full,
                    timing,
                    doubtful: false,
                };
                self.add_foreign_key(table, key)
            }
            Rule::Check(condition) => {
                let said = timing.unwrap_or_default();
                let (not_valid, no_inherit) = (said.ends_with(NOT_VALID), said.starts_with(NO_INHERIT));
                self.add_check(table, Check { name, condition, not_valid, no_inherit })
            }
            Rule::Exclude { index, operators } => {
                self.add_exclusion(table, name, *index, operators)?;
                self.set_timing(table, timing)
            }
            Rule::Index(index) => {
                let index = IndexDef { name: name.or(index.name.clone()), ..*index };
                self.add_index(table, index).map(|_| ())
            }
        }
    }

    /// Records when the table's newest constraint is checked.
    fn set_timing(&mut self, table: &Name, timing: Option<String>) -> Applied {
        let table = self.table_mut(table)?;
        if let (Some(timing), Some(index)) = (timing, table.indexes.last()) {
            table.timings.insert(index.name.clone(), timing);
        }
        Ok(())
    }

    /// The table that a foreign key references; SQLite and MySQL (with checks off) allow it to be created
    /// later.
    fn referenced(&self, written: &Written) -> Applied<Name> {
        match self.find_table(written) {
            Some(name) => Ok(name),
            None if self.schema.dialect == Dialect::Postgres => {
                let opaque = self.find(written, |name| self.schema.opaque.contains_key(name));
                opaque.ok_or_else(|| missing(written))
            }
            None => Ok(self.new_name(written)),
        }
    }

    fn add_primary_key(
        &mut self,
        name: &Name,
        constraint: Option<String>,
        keys: Vec<IndexKey>,
        include: Vec<String>,
    ) -> Applied {
        let dialect = self.schema.dialect;
        if !self.table(name)?.primary_key.is_empty() {
            return Err(format!("table `{name}` has a primary key already"));
        }
        let columns = self.key_columns(name, &keys)?;
        self.contains_partitions(name, &keys)?;
        let index_name = match dialect {
            Dialect::Postgres => constraint.unwrap_or_else(|| self.choose_name(name, "", "pkey")),
            Dialect::MySql => "PRIMARY".to_owned(),
            Dialect::Sqlite => self.sqlite_index_name(name),
        };
        let table = self.table_mut(name)?;
        table.primary_key = columns;
        let descending = keys.first().is_some_and(|key| key.desc);
        if dialect != Dialect::Sqlite {
            let key = table.primary_key.clone();
            for column in table.columns.iter_mut().filter(|column| key.contains(&column.name)) {
                column.not_null = true;
            }
        } else if table.rowid_alias().is_some() && !(descending && keys.len() == 1) {
            return Ok(());
        }
        let index = IndexDef { keys, include, unique: true, ..IndexDef::default() };
        let index = Index { primary: true, constraint: true, ..built(index, index_name) };
        self.push_index(name, index)
    }

    fn add_unique(&mut self, name: &Name, constraint: Option<String>, index: IndexDef) -> Applied {
        let columns = self.key_columns(name, &index.keys)?;
        self.contains_partitions(name, &index.keys)?;
        let dialect = self.schema.dialect;
        let table = self.table(name)?;
        let same = |keys: &[IndexKey]| {
            keys.iter().map(IndexKey::as_column).eq(columns.iter().map(|it| Some(it.as_str())))
        };
        if dialect == Dialect::Sqlite {
            // An existing key gets no second index.
            let rowid = table.rowid_alias().is_some_and(|column| columns == [column.name.as_str()]);
            let exists = table.indexes.iter().any(|index| index.constraint && same(&index.keys));
            let index_name = self.sqlite_index_name(name);
            let table = self.table_mut(name)?;
            table.unique.push(Unique { name: constraint, columns });
            if exists && !rowid {
                return Ok(());
            }
            let index = IndexDef { unique: true, ..index };
            return self.push_index(name, Index { constraint: true, ..built(index, index_name) });
        }
        let index_name = match (constraint, dialect) {
            (Some(name), _) => name,
            (None, Dialect::MySql) => self.mysql_index_name(name, &index.keys),
            (None, _) => self.choose_index_name(name, &index.keys, &index.include, "key"),
        };
        self.table_mut(name)?.unique.push(Unique { name: Some(index_name.clone()), columns });
        let index = IndexDef { unique: true, ..index };
        self.push_index(name, Index { constraint: true, ..built(index, index_name) })
    }

    /// The columns of a key, all of which must exist.
    fn key_columns(&self, name: &Name, keys: &[IndexKey]) -> Applied<Vec<String>> {
        let table = self.table(name)?;
        keys.iter()
            .map(|key| match &key.part {
                KeyPart::Column(column) if table.column(column).is_some() => Ok(column.clone()),
                KeyPart::Column(column) => Err(format!("table `{name}` has no column `{column}`")),
                // MySQL allows expressions in UNIQUE, which are not columns.
                KeyPart::Expression(text) => Ok(format!("({text})")),
            })
            .collect()
    }

    fn use_index(&mut self, name: &Name, constraint: Option<String>, primary: bool, index: &str) -> Applied {
        let new_name = constraint.unwrap_or_else(|| index.to_owned());
        let table = self.table_mut(name)?;
        let Some(index) = table.indexes.iter_mut().find(|it| it.name == index) else {
            return Err(format!("table `{name}` has no index `{index}`"));
        };
        index.name.clone_from(&new_name);
        index.constraint = true;
        index.primary = primary;
        let columns: Vec<String> =
            index.keys.iter().filter_map(|key| key.as_column().map(str::to_owned)).collect();
        if primary {
            for column in table.columns.iter_mut().filter(|column| columns.contains(&column.name)) {
                column.not_null = true;
            }
            table.primary_key = columns;
        } else {
            table.unique.push(Unique { name: Some(new_name), columns });
        }
        Ok(())
    }

    fn add_foreign_key(&mut self, name: &Name, mut key: ForeignKey) -> Applied {
        let table = self.table(name)?;
        if let Some(column) = key.columns.iter().find(|column| table.column(column).is_none()) {
            return Err(format!("table `{name}` has no column `{column}`"));
        }
        if key.references.is_empty()
            && let Some(referenced) = self.schema.tables.get(&key.table)
        {
            key.references = referenced.primary_key.clone();
        }
        match self.schema.dialect {
            Dialect::Postgres if key.name.is_none() => {
                key.name = Some(self.choose_name(name, &key.columns.join("_"), "fkey"));
            }
            Dialect::MySql => self.index_foreign_key(name, &mut key)?,
            _ => {}
        }
        if let Some(name) = &key.name {
            self.hear(name);
        }
        for child in self.descendants(name) {
            let part = self.partition_key(&child, &key);
            if part.as_ref().is_some_and(|key| key.references.is_empty()) {
                self.to_fill_in.insert(child.clone());
            }
            self.table_mut(&child)?.foreign_keys.extend(part);
        }
        if key.references.is_empty() {
            self.to_fill_in.insert(name.clone());
        }
        self.table_mut(name)?.foreign_keys.push(key);
        Ok(())
    }

    /// A foreign key of a parent as inherited by its partition; other children do not inherit it.
    fn partition_key(&self, child: &Name, key: &ForeignKey) -> Option<ForeignKey> {
        let is_partition = self.schema.tables.get(child).is_some_and(|table| table.partition_bound.is_some());
        is_partition.then(|| key.clone())
    }

    /// MySQL: names a foreign key, and creates an index for it unless one starts with its columns.
    fn index_foreign_key(&mut self, name: &Name, key: &mut ForeignKey) -> Applied {
        let keys: Vec<IndexKey> = key.columns.iter().map(IndexKey::column).collect();
        let table = self.table(name)?;
        let served = table.indexes.iter().any(|index| index.keys.starts_with(&keys));
        let index_name = key.name.clone();
        if key.name.is_none() {
            let prefix = format!("{}_ibfk_", name.name);
            let numbers = table
                .foreign_keys
                .iter()
                .filter_map(|key| key.name.as_ref()?.strip_prefix(&prefix)?.parse().ok());
            let number: u32 = numbers.max().unwrap_or(0);
            key.name = Some(format!("{prefix}{}", number + 1));
        }
        if !served {
            let index =
                IndexDef { name: index_name, method: "btree".to_owned(), keys, ..IndexDef::default() };
            let made = self.add_index(name, index)?;
            self.implied.insert((name.clone(), made));
        }
        Ok(())
    }

    /// `VALIDATE CONSTRAINT`: earlier rows satisfy it, too.
    pub(super) fn validate(&mut self, name: &Name, constraint: &str) -> Applied {
        let table = self.table_mut(name)?;
        for check in table.checks.iter_mut().filter(|check| check.name.as_deref() == Some(constraint)) {
            check.not_valid = false;
        }
        for key in table.foreign_keys.iter_mut().filter(|key| key.name.as_deref() == Some(constraint)) {
            key.timing = without_open(key.timing.take());
        }
        Ok(())
    }

    /// `ALTER CONSTRAINT`, which changes when a foreign key is checked, here and in the partitions.
    pub(super) fn defer(&mut self, name: &Name, constraint: &str, timing: Option<&str>) -> Applied {
        let mut found = false;
        for name in std::iter::once(name.clone()).chain(self.descendants(name)) {
            let keys = self.table_mut(&name)?.foreign_keys.iter_mut();
            for key in keys.filter(|key| key.name.as_deref() == Some(constraint)) {
                let is_open = key.timing.as_deref().is_some_and(|said| said.ends_with(NOT_VALID));
                let said = [timing, is_open.then_some(NOT_VALID)];
                let said = said.into_iter().flatten().collect::<Vec<_>>().join(" ");
                key.timing = (!said.is_empty()).then_some(said);
                found = true;
            }
        }
        if found { Ok(()) } else { Err(format!("table `{name}` has no foreign key `{constraint}`")) }
    }

    fn add_check(&mut self, name: &Name, check: Check) -> Applied {
        let table = self.table(name)?;
        let condition = &check.condition;
        let constraint = match (check.name.clone(), self.schema.dialect) {
            (Some(given), _) => Some(given),
            (None, Dialect::Postgres) => {
                let mentioned = expression::mentions(condition, self.schema.dialect);
                let columns: Vec<&String> =
                    mentioned.iter().filter(|it| table.column(it).is_some()).collect();
                let column = if let [only] = columns.as_slice() { only.as_str() } else { "" };
                Some(self.choose_name(name, column, "check"))
            }
            (None, Dialect::MySql) => {
                let prefix = format!("{}_chk_", name.name);
                let numbers = table
                    .checks
                    .iter()
                    .filter_map(|it| it.name.as_ref()?.strip_prefix(&prefix)?.parse().ok());
                let number: u32 = numbers.max().unwrap_or(0);
                Some(format!("{prefix}{}", number + 1))
            }
            (None, Dialect::Sqlite) => None,
        };
        if let Some(name) = &constraint {
            self.hear(name);
        }
        let check = Check { name: constraint, ..check };
        let mut names = if check.no_inherit { Vec::new() } else { self.descendants(name) };
        names.push(name.clone());
        for name in names {
            let checks = &mut self.table_mut(&name)?.checks;
            // A constraint that the parent already has is merged with it.
            if check.name.is_none() || !checks.contains(&check) {
                checks.push(check.clone());
            }
        }
        Ok(())
    }

    fn add_exclusion(
        &mut self,
        name: &Name,
        constraint: Option<String>,
        index: IndexDef,
        operators: Vec<String>,
    ) -> Applied {
        let chosen =
            constraint.unwrap_or_else(|| self.choose_index_name(name, &index.keys, &index.include, "excl"));
        self.table_mut(name)?.exclusions.push(Exclusion { name: chosen.clone(), operators });
        self.push_index(name, Index { constraint: true, ..built(index, chosen) })
    }

    pub(super) fn drop_constraint(
        &mut self,
        name: &Name,
        constraint: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Applied {
        let constraint = clipped(constraint.to_owned(), self.schema.dialect);
        let table = self.table_mut(name)?;
        let is = |other: &Option<String>| other.as_deref() == Some(constraint.as_str());
        let before = (table.foreign_keys.len(), table.checks.len());
        table.foreign_keys.retain(|key| !is(&key.name));
        table.checks.retain(|check| !is(&check.name));
        let gone = before != (table.foreign_keys.len(), table.checks.len());
        if gone {
            for child in self.descendants(name) {
                let child = self.table_mut(&child)?;
                child.foreign_keys.retain(|key| !is(&key.name));
                child.checks.retain(|check| !is(&check.name));
            }
            return Ok(());
        }
        let of_constraint = |index: &&Index| index.constraint && index.name == constraint;
        match table.indexes.iter().find(of_constraint).cloned() {
            Some(index) => self.drop_key(name, &index, cascade),
            None if self.maybe_named.contains_key(&constraint) => {
                self.doubt_named(&constraint);
                Ok(())
            }
            None if if_exists => Ok(()),
            None => Err(format!("table `{name}` has no constraint `{constraint}`")),
        }
    }

    /// Drops PRIMARY KEY, UNIQUE or EXCLUDE with its index, and with CASCADE the references that depend on
    /// it.
    pub(super) fn drop_key(&mut self, name: &Name, index: &Index, cascade: bool) -> Applied {
        let columns: Vec<String> =
            index.keys.iter().filter_map(|key| key.as_column().map(str::to_owned)).collect();
        let table = self.table_mut(name)?;
        if index.primary {
            table.primary_key.clear();
        }
        table.unique.retain(|unique| unique.name.as_deref() != Some(index.name.as_str()));
        table.exclusions.retain(|exclusion| exclusion.name != index.name);
        self.remove_index(name, &index.name);
        if cascade {
            let of_key = |key: &ForeignKey| key.table == *name && key.references == columns;
            for table in self.schema.tables.values_mut() {
                table.foreign_keys.retain(|key| !of_key(key));
            }
        }
        Ok(())
    }

    /// Fills in the columns of references that name only a table, once that table exists.
    pub(super) fn fill_in_references(&mut self) {
        for name in std::mem::take(&mut self.to_fill_in) {
            let Some(mut table) = self.schema.tables.remove(&name) else { continue };
            for key in table.foreign_keys.iter_mut().filter(|key| key.references.is_empty()) {
                let referenced = if key.table == name { Some(&table.primary_key) } else { None };
                let other = || self.schema.tables.get(&key.table).map(|table| &table.primary_key);
                if let Some(columns) = referenced.or_else(other) {
                    key.references.clone_from(columns);
                }
                if key.references.is_empty() {
                    self.to_fill_in.insert(name.clone());
                }
            }
            self.schema.tables.insert(name, table);
        }
    }
}

/// When a constraint is checked, without `NOT VALID`.
pub(super) fn without_open(timing: Option<String>) -> Option<String> {
    let timing = timing?;
    let kept = timing.strip_suffix(NOT_VALID).unwrap_or(&timing).trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// The index of a definition under its final name.
pub(super) fn built(index: IndexDef, name: String) -> Index {
    Index {
        name,
        method: if index.method.is_empty() { "btree".to_owned() } else { index.method },
        unique: index.unique,
        primary: false,
        constraint: false,
        keys: index.keys,
        include: index.include,
        predicate: index.predicate,
        nulls_not_distinct: index.nulls_not_distinct,
        hidden: index.hidden,
        doubtful: false,
    }
}
