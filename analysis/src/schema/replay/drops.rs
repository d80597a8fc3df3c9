//! Dropping: the object itself, and its dependents.

use super::create::missing;
use super::{Applied, Replay};
use crate::schema::ddl::{Drop, Dropped, Written, expression};
use crate::schema::model::{Index, Name, Table};
use crate::sql::Dialect;

impl Replay {
    pub(super) fn drop(&mut self, drop: Drop) -> Applied {
        let mut result = Ok(());
        for written in &drop.names {
            result = result.and(self.drop_one(&drop, written));
        }
        result
    }

    fn drop_one(&mut self, drop: &Drop, written: &Written) -> Applied {
        let absent = || if drop.if_exists { Ok(()) } else { Err(missing(written)) };
        match drop.what {
            Dropped::Table => {
                let is_of_session = written.schema.as_deref() == Some("temp");
                let bare = Written::new(written.name.clone());
                let session = if is_of_session { &bare } else { written };
                let temporary = self.find(session, |name| self.temporary.contains(name));
                if let Some(name) = temporary.filter(|_| !self.is_lasting(written)) {
                    self.temporary.remove(&name);
                    return Ok(());
                }
                let exists = |name: &Name| {
                    self.schema.tables.contains_key(name) || self.schema.opaque.contains_key(name)
                };
                let Some(name) = self.find(written, exists) else { return absent() };
                self.drop_table(&name, drop.cascade);
                Ok(())
            }
            Dropped::Temporary => {
                let temporary = self.find(written, |name| self.temporary.contains(name));
                temporary.map_or_else(absent, |name| {
                    self.temporary.remove(&name);
                    Ok(())
                })
            }
            Dropped::View | Dropped::MaterializedView => {
                let Some(name) = self.find(written, |name| self.schema.views.contains_key(name)) else {
                    let temporary = self.find(written, |name| self.temporary.contains(name));
                    return temporary.map_or_else(absent, |name| {
                        self.temporary.remove(&name);
                        Ok(())
                    });
                };
                self.schema.views.remove(&name);
                if drop.cascade {
                    self.drop_dependent_views(&name);
                }
                Ok(())
            }
            Dropped::Index => match &drop.table {
                Some(table) => {
                    let owner = self.find_table(table).ok_or_else(|| missing(table))?;
                    if self.schema.dialect == Dialect::MySql && written.name.eq_ignore_ascii_case("primary") {
                        return self.drop_primary_key(&owner);
                    }
                    self.remove_index(&owner, &written.name);
                    Ok(())
                }
                None => self.drop_index(drop, written),
            },
            Dropped::Type => {
                let Some(name) = self.find(written, |name| self.schema.types.contains_key(name)) else {
                    return absent();
                };
                self.schema.types.remove(&name);
                if drop.cascade {
                    self.drop_columns_of_type(&name)?;
                }
                Ok(())
            }
            Dropped::Sequence => {
                let Some(name) = self.find(written, |name| self.schema.sequences.contains_key(name)) else {
                    return absent();
                };
                self.schema.sequences.remove(&name);
                self.owned.remove(&name);
                if drop.cascade {
                    self.drop_defaults_of_sequence(&name);
                }
                Ok(())
            }
            Dropped::Collation => {
                if let Some(name) = self.find(written, |name| self.schema.collations.contains_key(name)) {
                    self.schema.collations.remove(&name);
                }
                Ok(())
            }
            Dropped::Schema => self.drop_schema(&written.name),
            Dropped::Extension => {
                self.schema.extensions.remove(&written.name);
                if drop.cascade {
                    for ty in types_of_extension(&written.name) {
                        self.drop_columns_of_type(&Name::new(*ty))?;
                    }
                }
                self.schema.extension_schemas.remove(&written.name);
                Ok(())
            }
            Dropped::Function => {
                if let Some(name) = self.find(written, |name| self.schema.functions.contains_key(name)) {
                    self.schema.functions.remove(&name);
                    self.bodies.remove(&name);
                    self.close_gaps(&name);
                    if drop.cascade {
                        self.drop_users_of_function(&name)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn drop_index(&mut self, drop: &Drop, written: &Written) -> Applied {
        let Some(name) = self.find(written, |name| self.owner_of_index(name).is_some()) else {
            self.doubt_named(&written.name);
            // The indexes of tables with unknown definitions are unknown too.
            let unknown = !self.schema.opaque.is_empty() || !self.temporary.is_empty();
            return if drop.if_exists || unknown { Ok(()) } else { Err(missing(written)) };
        };
        if let Some(owner) = self.owner_of_index(&name) {
            self.remove_index(&owner, &name.name);
        }
        Ok(())
    }

    pub(super) fn drop_table(&mut self, name: &Name, cascade: bool) {
        for child in self.children(name) {
            let is_partition =
                self.schema.tables.get(&child).is_some_and(|table| table.partition_bound.is_some());
            if is_partition || cascade {
                self.drop_table(&child, cascade);
            }
        }
        if cascade {
            self.drop_dependent_views(name);
        }
        self.schema.tables.remove(name);
        self.schema.opaque.remove(name);
        self.close_gaps(name);
        self.also_local.retain(|(table, _)| table != name);
        let sequences: Vec<Name> = self
            .owned
            .iter()
            .filter(|(_, table)| *table == name)
            .map(|(sequence, _)| sequence.clone())
            .collect();
        for sequence in sequences {
            self.owned.remove(&sequence);
            self.schema.sequences.remove(&sequence);
        }
        self.attached.retain(|(table, _), _| table != name);
        self.implied.retain(|(table, _)| table != name);
        // SQLite leaves dangling references; the others refuse unless told to cascade.
        if self.schema.dialect != Dialect::Sqlite {
            for table in self.schema.tables.values_mut() {
                table.foreign_keys.retain(|key| key.table != *name);
            }
        }
    }

    /// Drops the views that mention a relation, and views on those.
    fn drop_dependent_views(&mut self, name: &Name) {
        let dialect = self.schema.dialect;
        let mut dropped: Vec<Name> = Vec::new();
        let mut next = vec![name.clone()];
        while let Some(name) = next.pop() {
            let mentions = |query: &str| expression::mentions(query, dialect).contains(&name.name);
            let views = self.schema.views.values().filter(|view| !dropped.contains(&view.name));
            let dependent: Vec<Name> = views
                .filter(|view| mentions(&view.query) && self.reads_relation(view, &name) != Some(false))
                .map(|view| view.name.clone())
                .collect();
            dropped.extend(dependent.iter().cloned());
            next.extend(dependent);
        }
        for view in dropped {
            self.schema.views.remove(&view);
        }
    }

    /// Removes the defaults that draw from a sequence.
    fn drop_defaults_of_sequence(&mut self, name: &Name) {
        let printed = super::create::nextval(name);
        let written = printed.replace("::regclass", "");
        for column in self.schema.tables.values_mut().flat_map(|table| table.columns.iter_mut()) {
            if column.default.as_ref().is_some_and(|default| *default == printed || *default == written) {
                column.default = None;
            }
        }
    }

    /// Drops what calls a function: defaults, checks, generated columns, indexes.
    fn drop_users_of_function(&mut self, function: &Name) -> Applied {
        let dialect = self.schema.dialect;
        let calls = |text: &String| expression::calls(text, dialect).contains(&function.name);
        let mut columns = Vec::new();
        for table in self.schema.tables.values_mut() {
            for column in &mut table.columns {
                column.default = column.default.take().filter(|default| !calls(default));
                if column.generated.as_ref().is_some_and(calls) {
                    columns.push((table.name.clone(), column.name.clone()));
                }
            }
            table.checks.retain(|check| !calls(&check.condition));
            table.indexes.retain(|index| {
                let of_key = |key: &crate::schema::model::IndexKey| match &key.part {
                    crate::schema::model::KeyPart::Expression(text) => calls(text),
                    crate::schema::model::KeyPart::Column(_) => false,
                };
                !index.predicate.as_ref().is_some_and(calls) && !index.keys.iter().any(of_key)
            });
        }
        for (table, column) in columns {
            self.drop_column(&table, &column, true, true)?;
        }
        self.schema.views.retain(|_, view| !calls(&view.query));
        Ok(())
    }

    /// Drops the views that read a column, and views on those.
    fn drop_views_of_column(&mut self, table: &Name, column: &str) {
        let dialect = self.schema.dialect;
        let dependent: Vec<Name> = self
            .schema
            .views
            .values()
            .filter(|view| {
                let names = expression::mentions(&view.query, dialect);
                let may_read = names.iter().any(|name| name == column) || view.query.contains('*');
                names.contains(&table.name)
                    && may_read
                    && self.reads_column(view, table, column) != Some(false)
            })
            .map(|view| view.name.clone())
            .collect();
        for view in dependent {
            if self.schema.views.remove(&view).is_some() {
                self.drop_dependent_views(&view);
            }
        }
    }

    pub(super) fn drop_schema(&mut self, schema: &str) -> Applied {
        let schema = Name::qualified(Some(schema), "").schema;
        let tables: Vec<Name> =
            self.schema.tables.keys().filter(|name| name.schema == schema).cloned().collect();
        for table in tables {
            self.drop_table(&table, true);
        }
        self.schema.views.retain(|name, _| name.schema != schema);
        let types: Vec<Name> =
            self.schema.types.keys().filter(|name| name.schema == schema).cloned().collect();
        for ty in types {
            self.drop_columns_of_type(&ty)?;
        }
        let sequences: Vec<Name> =
            self.schema.sequences.keys().filter(|name| name.schema == schema).cloned().collect();
        for sequence in sequences {
            self.drop_defaults_of_sequence(&sequence);
        }
        self.schema.types.retain(|name, _| name.schema != schema);
        self.schema.sequences.retain(|name, _| name.schema != schema);
        self.schema.functions.retain(|name, _| name.schema != schema);
        self.schema.collations.retain(|name, _| name.schema != schema);
        self.schema.opaque.retain(|name, _| name.schema != schema);
        self.temporary.retain(|name| name.schema != schema);
        Ok(())
    }

    fn drop_columns_of_type(&mut self, ty: &Name) -> Applied {
        let printed = crate::schema::ddl::print_user_type(ty, "", self.schema.dialect);
        let is_it = |ty: &str| {
            let ty = ty.split('(').next().unwrap_or(ty).trim_end_matches("[]");
            ty == printed
        };
        let mut columns = Vec::new();
        for table in self.schema.tables.values() {
            let of_type = table.columns.iter().filter(|column| is_it(&column.ty));
            columns.extend(of_type.map(|column| (table.name.clone(), column.name.clone())));
        }
        for (table, column) in columns {
            self.drop_column(&table, &column, true, true)?;
        }
        Ok(())
    }

    pub(super) fn drop_column(
        &mut self,
        name: &Name,
        column: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Applied {
        let dialect = self.schema.dialect;
        if self.table(name)?.column(column).is_none() {
            let absent = Err(format!("table `{name}` has no column `{column}`"));
            return if if_exists { Ok(()) } else { absent };
        }
        if cascade {
            self.drop_views_of_column(name, column);
        }
        for child in self.children(name) {
            let is_partition =
                self.schema.tables.get(&child).is_some_and(|table| table.partition_bound.is_some());
            // A child of INHERITS keeps what it defines itself, or has from another parent.
            if !self.also_local.remove(&(child.clone(), column.to_owned())) || is_partition {
                self.drop_column(&child, column, true, cascade)?;
            }
        }
        let table = self.table_mut(name)?;
        let default = table.column(column).and_then(|column| column.default.clone());
        let key: Vec<String> = table.primary_key.clone();
        table.columns.retain(|it| it.name != column);
        table.foreign_keys.retain(|key| !key.columns.iter().any(|it| it == column));
        let mentions = |text: &String| expression::mentions(text, dialect).iter().any(|it| it == column);
        table.checks.retain(|check| !mentions(&check.condition));
        if dialect == Dialect::MySql {
            shrink_indexes(table, column);
        } else {
            let uses = |index: &Index| {
                index.include.iter().any(|it| it == column)
                    || index.predicate.as_ref().is_some_and(mentions)
                    || index.keys.iter().any(|key| match &key.part {
                        crate::schema::model::KeyPart::Column(name) => name == column,
                        crate::schema::model::KeyPart::Expression(text) => mentions(text),
                    })
            };
            let gone: Vec<String> =
                table.indexes.iter().filter(|it| uses(it)).map(|it| it.name.clone()).collect();
            table.indexes.retain(|index| !uses(index));
            table.unique.retain(|unique| !unique.columns.iter().any(|it| it == column));
            table.exclusions.retain(|exclusion| !gone.contains(&exclusion.name));
            if key.iter().any(|it| it == column) {
                table.primary_key.clear();
            }
        }
        if cascade {
            for table in self.schema.tables.values_mut() {
                table
                    .foreign_keys
                    .retain(|key| key.table != *name || !key.references.iter().any(|it| it == column));
            }
        }
        if let Some(default) = default {
            let gone =
                |sequence: &Name, owner: &Name| owner == name && super::create::nextval(sequence) == default;
            let sequences: Vec<Name> = self
                .owned
                .iter()
                .filter(|(sequence, owner)| gone(sequence, owner))
                .map(|(it, _)| it.clone())
                .collect();
            for sequence in sequences {
                self.owned.remove(&sequence);
                self.schema.sequences.remove(&sequence);
            }
        }
        Ok(())
    }
}

/// MySQL: removes a dropped column from its indexes, and indexes without remaining columns.
fn shrink_indexes(table: &mut Table, column: &str) {
    for index in &mut table.indexes {
        index.keys.retain(|key| key.as_column() != Some(column));
    }
    table.indexes.retain(|index| !index.keys.is_empty());
    table.primary_key.retain(|it| it != column);
    for unique in &mut table.unique {
        unique.columns.retain(|it| it != column);
    }
    table.unique.retain(|unique| !unique.columns.is_empty());
}

/// The types of columns that an extension brings.
fn types_of_extension(name: &str) -> &'static [&'static str] {
    match name {
        "citext" => &["citext"],
        "hstore" => &["hstore"],
        "ltree" => &["ltree", "lquery", "ltxtquery"],
        "cube" => &["cube"],
        "postgis" => &["geometry", "geography", "box2d", "box3d"],
        "vector" => &["vector", "halfvec", "sparsevec"],
        _ => &[],
    }
}
