//! Renaming: the object itself, and every mention of it.

use super::create::nextval;
use super::{Applied, Replay};
use crate::schema::ddl::{expression, print_user_type, relation};
use crate::schema::model::{Column, Index, KeyPart, Name, Table};
use crate::sql::Dialect;

impl Replay {
    pub(super) fn rename_column(
        &mut self,
        name: &Name,
        from: &str,
        to: &str,
        spelling: Option<&String>,
    ) -> Applied {
        let dialect = self.schema.dialect;
        let table = self.table(name)?;
        if table.column(from).is_none() {
            return Err(format!("table `{name}` has no column `{from}`"));
        }
        if table.column(to).is_some() && from != to {
            return Err(format!("table `{name}` has a column `{to}` already"));
        }
        let mut names = vec![name.clone()];
        names.extend(self.descendants(name));
        for name in &names {
            if self.also_local.remove(&(name.clone(), from.to_owned())) {
                self.also_local.insert((name.clone(), to.to_owned()));
            }
            self.rename_column_in_views(name, from, to, spelling);
            if let Some(table) = self.schema.tables.get_mut(name) {
                rename_in_table(table, from, to, dialect);
                if let Some(column) = table.columns.iter_mut().find(|column| column.name == to) {
                    column.spelling = spelling.cloned();
                }
            }
        }
        let referencing = self.schema.tables.values_mut().flat_map(|table| table.foreign_keys.iter_mut());
        for key in referencing.filter(|key| key.table == *name) {
            rename_names(&mut key.references, from, to);
        }
        Ok(())
    }

    /// Renames a table or moves it to another schema, along with objects named after it.
    pub(super) fn rename_table(&mut self, from: &Name, to: &Name) -> Applied {
        if from == to {
            return Ok(());
        }
        if self.relation_exists(to) {
            return Err(format!("`{to}` exists already"));
        }
        let Some(mut table) = self.schema.tables.remove(from) else {
            return Err(format!("table `{from}` does not exist"));
        };
        table.name = to.clone();
        let local = std::mem::take(&mut self.also_local).into_iter();
        self.also_local =
            local.map(|(of, column)| (if of == *from { to.clone() } else { of }, column)).collect();
        let dialect = self.schema.dialect;
        match dialect {
            Dialect::Sqlite => {
                let (old, new) =
                    (format!("sqlite_autoindex_{}_", from.name), format!("sqlite_autoindex_{}_", to.name));
                for index in &mut table.indexes {
                    if let Some(number) = index.name.strip_prefix(&old) {
                        index.name = format!("{new}{number}");
                    }
                }
            }
            Dialect::MySql => {
                for (label, names) in [
                    ("ibfk", table.foreign_keys.iter_mut().map(|key| &mut key.name).collect::<Vec<_>>()),
                    ("chk", table.checks.iter_mut().map(|check| &mut check.name).collect()),
                ] {
                    let old = format!("{}_{label}_", from.name);
                    for name in names.into_iter().flatten() {
                        if let Some(number) = name.strip_prefix(&old) {
                            *name = format!("{}_{label}_{number}", to.name);
                        }
                    }
                }
            }
            Dialect::Postgres => {}
        }
        // A condition may qualify a column by the table.
        for text in expressions(&mut table) {
            if text.contains(&format!("{}.", from.name))
                && let Some(renamed) = expression::rename(text, &from.name, &to.name, dialect)
            {
                *text = renamed;
            }
        }
        self.schema.tables.insert(to.clone(), table);
        let follow = !(self.session.legacy_alter && dialect == Dialect::Sqlite);
        for table in self.schema.tables.values_mut() {
            for key in table.foreign_keys.iter_mut().filter(|key| key.table == *from && follow) {
                key.table = to.clone();
            }
            for parent in table.parent.iter_mut().chain(&mut table.more_parents).filter(|it| **it == *from) {
                parent.clone_from(to);
            }
            for hook in &mut table.hooks {
                if let Some(renamed) = expression::rename_in_code(&hook.code, &from.name, &to.name, dialect) {
                    hook.code = renamed;
                }
            }
        }
        if self.to_fill_in.remove(from) {
            self.to_fill_in.insert(to.clone());
        }
        if self.may_have_children(from) {
            self.hear_parent(to);
        }
        self.rename_in_bookkeeping(from, to);
        self.rename_in_views(from, to);
        self.rename_row_type(from, to);
        Ok(())
    }

    fn rename_in_bookkeeping(&mut self, from: &Name, to: &Name) {
        let sequences: Vec<Name> = self
            .owned
            .iter()
            .filter(|(_, table)| *table == from)
            .map(|(sequence, _)| sequence.clone())
            .collect();
        for sequence in sequences {
            self.owned.insert(sequence.clone(), to.clone());
            if from.schema != to.schema {
                let moved = Name { schema: to.schema.clone(), name: sequence.name.clone() };
                self.rename_sequence(&sequence, &moved);
            }
        }
        match self.hypertables.remove(from) {
            Some(columns) => self.hypertables.insert(to.clone(), columns),
            None => self.hypertables.remove(to),
        };
        let attached = std::mem::take(&mut self.attached);
        let moved = attached.into_iter().map(|((table, part), of)| match table == *from {
            true => ((to.clone(), part), of),
            false => ((table, part), of),
        });
        self.attached = moved.collect();
        let implied = std::mem::take(&mut self.implied);
        let moved = implied
            .into_iter()
            .map(|(table, index)| if table == *from { (to.clone(), index) } else { (table, index) });
        self.implied = moved.collect();
    }

    /// Views follow a table when it is renamed.
    fn rename_in_views(&mut self, from: &Name, to: &Name) {
        let dialect = self.schema.dialect;
        for view in self.schema.views.values_mut() {
            if let Some(query) = relation::rename_relation(&view.query, from, to, dialect) {
                view.query = query;
            }
        }
    }

    /// The row type of a table has the same name.
    fn rename_row_type(&mut self, from: &Name, to: &Name) {
        if self.schema.dialect == Dialect::Postgres {
            self.rename_type_in_columns(from, to);
        }
    }

    /// Renames a type everywhere: in columns with it or its arrays, and in casts.
    pub(super) fn rename_type_in_columns(&mut self, from: &Name, to: &Name) {
        let dialect = self.schema.dialect;
        let (old, new) = (print_user_type(from, "", dialect), print_user_type(to, "", dialect));
        self.rename_type_in_functions(from, to);
        let rename = |column: &mut Column| {
            if let Some(rest) = column.ty.strip_prefix(&old)
                && (rest.is_empty() || rest.starts_with(['[', '(']))
            {
                column.ty = format!("{new}{rest}");
            }
        };
        for table in self.schema.tables.values_mut() {
            if table.of_type.as_ref() == Some(from) {
                table.of_type = Some(to.clone());
            }
            table.columns.iter_mut().for_each(rename);
            for text in expressions(table) {
                if let Some(renamed) = expression::rename_type(text, from, to, dialect) {
                    *text = renamed;
                }
            }
        }
        for view in self.schema.views.values_mut() {
            view.columns.iter_mut().flatten().for_each(rename);
        }
        for ty in self.schema.types.values_mut() {
            if let crate::schema::model::UserType::Composite(columns) = ty {
                columns.iter_mut().for_each(rename);
            }
        }
    }

    pub(super) fn rename_constraint(&mut self, name: &Name, from: &str, to: &str) -> Applied {
        self.hear(to);
        let table = self.table_mut(name)?;
        let keys = table.foreign_keys.iter_mut().map(|key| &mut key.name);
        let checks = table.checks.iter_mut().map(|check| &mut check.name);
        let mut found = false;
        for name in keys.chain(checks).flatten().filter(|name| *name == from) {
            to.clone_into(name);
            found = true;
        }
        let of_constraint = table.indexes.iter().any(|index| index.constraint && index.name == from);
        if of_constraint {
            self.rename_index(name, from, to);
        }
        if found || of_constraint {
            Ok(())
        } else {
            Err(format!("table `{name}` has no constraint `{from}`"))
        }
    }

    /// Renames an index, and its constraint.
    pub(super) fn rename_index(&mut self, owner: &Name, from: &str, to: &str) {
        self.hear(to);
        let rename = |indexes: &mut Vec<Index>| {
            for index in indexes.iter_mut().filter(|index| index.name == from) {
                to.clone_into(&mut index.name);
            }
        };
        if let Some(table) = self.schema.tables.get_mut(owner) {
            rename(&mut table.indexes);
            if let Some(timing) = table.timings.remove(from) {
                table.timings.insert(to.to_owned(), timing);
            }
            for unique in table.unique.iter_mut().filter(|unique| unique.name.as_deref() == Some(from)) {
                unique.name = Some(to.to_owned());
            }
            for exclusion in table.exclusions.iter_mut().filter(|exclusion| exclusion.name == from) {
                to.clone_into(&mut exclusion.name);
            }
        } else if let Some(view) = self.schema.views.get_mut(owner) {
            rename(&mut view.indexes);
        }
        if let Some(of) = self.attached.remove(&(owner.clone(), from.to_owned())) {
            self.attached.insert((owner.clone(), to.to_owned()), of);
        }
        let children = self.children(owner);
        for ((table, _), of) in self.attached.iter_mut() {
            if children.contains(table) && of == from {
                to.clone_into(of);
            }
        }
    }

    pub(super) fn rename_sequence(&mut self, from: &Name, to: &Name) {
        if let Some(options) = self.schema.sequences.remove(from) {
            self.schema.sequences.insert(to.clone(), options);
        }
        if let Some(table) = self.owned.remove(from) {
            self.owned.insert(to.clone(), table);
        }
        let (old, new) = (nextval(from), nextval(to));
        let dialect = self.schema.dialect;
        for text in self.schema.tables.values_mut().flat_map(expressions) {
            if *text == old {
                text.clone_from(&new);
            } else if let Some(renamed) = expression::rename_sequence(text, from, to, dialect) {
                *text = renamed;
            }
        }
    }
}

fn rename_in_table(table: &mut Table, from: &str, to: &str, dialect: Dialect) {
    for column in table.columns.iter_mut().filter(|column| column.name == from) {
        to.clone_into(&mut column.name);
    }
    rename_names(&mut table.primary_key, from, to);
    for unique in &mut table.unique {
        rename_names(&mut unique.columns, from, to);
    }
    for key in &mut table.foreign_keys {
        rename_names(&mut key.columns, from, to);
    }
    for index in &mut table.indexes {
        rename_names(&mut index.include, from, to);
        for key in &mut index.keys {
            if let KeyPart::Column(name) = &mut key.part
                && name == from
            {
                to.clone_into(name);
            }
        }
    }
    for text in expressions(table) {
        if let Some(renamed) = expression::rename(text, from, to, dialect) {
            *text = renamed;
        }
    }
}

fn rename_names(names: &mut [String], from: &str, to: &str) {
    for name in names.iter_mut().filter(|name| *name == from) {
        to.clone_into(name);
    }
}

/// Every expression of a table that may mention its columns.
fn expressions(table: &mut Table) -> Vec<&mut String> {
    let columns = table
        .columns
        .iter_mut()
        .flat_map(|column| column.generated.iter_mut().chain(column.default.iter_mut()));
    let checks = table.checks.iter_mut().map(|check| &mut check.condition);
    let indexes = table.indexes.iter_mut().flat_map(|index| {
        let keys = index.keys.iter_mut().filter_map(|key| match &mut key.part {
            KeyPart::Expression(text) => Some(text),
            KeyPart::Column(_) => None,
        });
        keys.chain(index.predicate.iter_mut())
    });
    columns.chain(checks).chain(indexes).chain(table.partition_by.iter_mut()).collect()
}
