//! Types, views, sequences, schemas and functions.

use super::create::missing;
use super::{Applied, Replay};
use crate::schema::ddl::{
    Action, CreateFunction, CreateView, Position, TypeAction, TypeDef, Written, changed, relation,
};
use crate::schema::model::{Column, Hook, Name, UserType, View};

impl Replay {
    pub(super) fn create_view(&mut self, view: CreateView) -> Applied {
        let name = self.new_name(&view.name);
        if view.temporary {
            self.temporary.insert(name);
            return Ok(());
        }
        self.read_stars_anew();
        if self.relation_exists(&name) && !(view.or_replace && self.schema.views.contains_key(&name)) {
            return if view.if_not_exists { Ok(()) } else { Err(format!("`{name}` exists already")) };
        }
        self.schema.opaque.remove(&name);
        let query = view.query.trim().to_owned();
        let mut columns = self.columns_of_query(&query, &view.columns);
        if let Some(columns) = columns.as_mut().filter(|_| view.columns.is_empty()) {
            self.name_as_written(&query, columns);
        }
        // Explicit names are known, whatever the query is.
        let columns = columns.or_else(|| (!view.columns.is_empty()).then(|| view.columns.clone()));
        if view.columns.is_empty() {
            self.named_views.remove(&name);
        } else {
            self.named_views.insert(name.clone());
        }
        let (materialized, indexes) = (view.materialized, Vec::new());
        let path = self.session.local_path.as_ref().or(self.session.path.as_ref());
        let is_own =
            |path: &&Vec<String>| path.first().is_some_and(|first| first != "public" && first != "$user");
        let path = path.filter(is_own).cloned().unwrap_or_default();
        self.schema.spell(&name, view.spelling);
        // What another query replaces keeps them.
        let known = self.schema.views.get(&name).filter(|_| view.or_replace);
        let hooks = known.map_or_else(Vec::new, |known| known.hooks.clone());
        let defaults = known.map_or_else(Vec::new, |known| known.defaults.clone());
        self.schema.views.insert(
            name.clone(),
            View { name, columns, query, path, materialized, indexes, hooks, defaults },
        );
        Ok(())
    }

    pub(super) fn alter_view(&mut self, name: &Name, actions: Vec<Action>) -> Applied {
        for action in actions {
            let mut shown = None;
            let to = match action {
                Action::Rename { to, spelling } => {
                    shown = spelling;
                    Name { schema: name.schema.clone(), name: to.name }
                }
                Action::SetSchema(schema) => Name::qualified(Some(&schema), name.name.clone()),
                Action::RenameColumn { from, to, spelling, .. } => {
                    self.rename_column_in_views(name, &from, &to, spelling.as_ref());
                    let columns = self.schema.views.get_mut(name).and_then(|view| view.columns.as_mut());
                    for column in columns.into_iter().flatten().filter(|column| column.name == from) {
                        column.name.clone_from(&to);
                        column.spelling.clone_from(&spelling);
                    }
                    let defaults = self.schema.views.get_mut(name).map(|view| &mut view.defaults);
                    for (column, _) in defaults.into_iter().flatten().filter(|(column, _)| *column == from) {
                        column.clone_from(&to);
                    }
                    continue;
                }
                Action::SetDefault { column, default, .. } => {
                    if let Some(view) = self.schema.views.get_mut(name) {
                        view.defaults.retain(|(known, _)| *known != column);
                        view.defaults.extend(default.map(|default| (column, default)));
                        view.defaults.sort();
                    }
                    continue;
                }
                _ => continue,
            };
            if let Some(mut view) = self.schema.views.remove(name) {
                view.name = to.clone();
                self.schema.views.insert(to.clone(), view);
                self.schema.spell(&to, shown);
            }
            let dialect = self.schema.dialect;
            for view in self.schema.views.values_mut() {
                if let Some(query) = relation::rename_relation(&view.query, name, &to, dialect) {
                    view.query = query;
                }
            }
        }
        Ok(())
    }

    pub(super) fn alter_index(&mut self, owner: &Name, index: &str, actions: Vec<Action>) -> Applied {
        for action in actions {
            match action {
                Action::Rename { to, .. } => self.rename_index(owner, index, &to.name),
                Action::Attach { partition, .. } => self.attach_index(index, &partition)?,
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn alter_sequence(&mut self, name: Name, actions: Vec<Action>) -> Applied {
        for action in actions {
            match action {
                Action::Rename { to, .. } => {
                    self.rename_sequence(&name, &Name { schema: name.schema.clone(), name: to.name })
                }
                Action::SetSchema(schema) => {
                    self.rename_sequence(&name, &Name::qualified(Some(&schema), name.name.clone()));
                }
                Action::OwnedBy(Some(table)) => {
                    // It is written `table.column` or `schema.table.column`; the column is removed here.
                    if let Some(table) = self.find_table(&table) {
                        self.owned.insert(name.clone(), table);
                    }
                }
                Action::OwnedBy(None) => {
                    self.owned.remove(&name);
                }
                Action::SetSequence(changes) => {
                    if let Some(options) = self.schema.sequences.get_mut(&name) {
                        *options = changed(options, &changes).unwrap_or_default();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn create_sequence(
        &mut self,
        written: &Written,
        if_not_exists: bool,
        temporary: bool,
        options: String,
    ) -> Applied {
        let name = self.new_name(written);
        if temporary {
            self.temporary.insert(name);
            return Ok(());
        }
        if self.relation_exists(&name) {
            return if if_not_exists { Ok(()) } else { Err(format!("`{name}` exists already")) };
        }
        self.schema.sequences.insert(name, options);
        Ok(())
    }

    pub(super) fn create_collation(&mut self, written: &Written, made_from: String) {
        let name = self.new_name(written);
        self.schema.collations.entry(name).or_insert(made_from);
    }

    pub(super) fn create_type(&mut self, written: &Written, ty: TypeDef) -> Applied {
        let name = self.new_name(written);
        if self.schema.types.get(&name).is_some_and(|known| *known != UserType::Other) {
            return Err(format!("type `{name}` exists already"));
        }
        let ty = match ty {
            TypeDef::Known(ty) => ty,
            TypeDef::Domain { base, not_null, default, checks, collation } => {
                let mut named = Vec::new();
                for (given, condition) in checks {
                    let of_check = given.unwrap_or_else(|| UserType::free_check(&name, &named));
                    named.push((of_check, condition));
                }
                let base = self.print_type(&base);
                UserType::Domain { base, not_null, default, checks: named, collation }
            }
            TypeDef::Composite(fields) => {
                UserType::Composite(fields.into_iter().map(|it| self.column(it)).collect())
            }
        };
        self.schema.types.insert(name, ty);
        Ok(())
    }

    pub(super) fn alter_type(&mut self, written: &Written, actions: Vec<TypeAction>) -> Applied {
        let mut name = self
            .find(written, |name| self.schema.types.contains_key(name))
            .ok_or_else(|| missing(written))?;
        for action in actions {
            let to = match action {
                TypeAction::Rename(to) => Name { schema: name.schema.clone(), name: to },
                TypeAction::SetSchema(schema) => Name::qualified(Some(&schema), name.name.clone()),
                action => {
                    self.change_tables_of_type(&name, &action)?;
                    self.change_type(&name, action)?;
                    continue;
                }
            };
            if let Some(ty) = self.schema.types.remove(&name) {
                self.schema.types.insert(to.clone(), ty);
            }
            self.rename_type_in_columns(&name, &to);
            name = to;
        }
        Ok(())
    }

    /// Tables that were created `OF` a composite type change with it.
    fn change_tables_of_type(&mut self, ty: &Name, action: &TypeAction) -> Applied {
        let of_type = self.schema.tables.values().filter(|table| table.of_type.as_ref() == Some(ty));
        let tables: Vec<Name> = of_type.map(|table| table.name.clone()).collect();
        for table in tables {
            let action = match action.clone() {
                TypeAction::AddAttribute(column) => {
                    Action::AddColumn { column, if_not_exists: false, position: Position::Unchanged }
                }
                TypeAction::DropAttribute(column) => {
                    Action::DropColumn { column, if_exists: true, cascade: true }
                }
                TypeAction::SetAttributeType(column, ty) => Action::SetType { column, ty, collation: None },
                TypeAction::RenameAttribute(from, to) => {
                    Action::RenameColumn { from, to, spelling: None, if_exists: false }
                }
                _ => continue,
            };
            self.alter_one(&table, false, action)?;
        }
        Ok(())
    }

    fn change_type(&mut self, name: &Name, action: TypeAction) -> Applied {
        let field = match &action {
            TypeAction::AddAttribute(definition) => Some(self.column((**definition).clone())),
            TypeAction::SetAttributeType(field, ty) => Some(Column::new(field.clone(), self.print_type(ty))),
            _ => None,
        };
        let Some(ty) = self.schema.types.get_mut(name) else { return Ok(()) };
        match (ty, action) {
            (UserType::Enum(labels), TypeAction::AddValue { value, if_not_exists, neighbour }) => {
                if labels.contains(&value) {
                    return if if_not_exists {
                        Ok(())
                    } else {
                        Err(format!("type `{name}` has the label `{value}` already"))
                    };
                }
                let at = neighbour.and_then(|(neighbour, after)| {
                    let at = labels.iter().position(|label| *label == neighbour)?;
                    Some(at + usize::from(after))
                });
                labels.insert(at.unwrap_or(labels.len()), value);
            }
            (UserType::Enum(labels), TypeAction::RenameValue { from, to }) => {
                let label = labels.iter_mut().find(|label| **label == from);
                *label.ok_or_else(|| format!("type `{name}` has no label `{from}`"))? = to;
            }
            (UserType::Domain { not_null, .. }, TypeAction::SetNotNull(to)) => *not_null = to,
            (UserType::Domain { default, .. }, TypeAction::SetDefault(to)) => *default = to,
            (UserType::Domain { checks, .. }, TypeAction::AddCheck { name: check, condition }) => {
                let check = check.unwrap_or_else(|| UserType::free_check(name, checks));
                checks.push((check, condition));
            }
            (UserType::Domain { checks, .. }, TypeAction::DropConstraint(constraint)) => {
                checks.retain(|(name, _)| *name != constraint);
            }
            (UserType::Domain { checks, .. }, TypeAction::RenameConstraint(from, to)) => {
                for (name, _) in checks.iter_mut().filter(|(name, _)| *name == from) {
                    name.clone_from(&to);
                }
            }
            (UserType::Composite(fields), TypeAction::AddAttribute(_)) => fields.extend(field),
            (UserType::Composite(fields), TypeAction::DropAttribute(field)) => {
                fields.retain(|it| it.name != field)
            }
            (UserType::Composite(fields), TypeAction::SetAttributeType(written, _)) => {
                for (old, new) in fields.iter_mut().filter(|it| it.name == written).zip(field) {
                    *old = new;
                }
            }
            (UserType::Composite(fields), TypeAction::RenameAttribute(from, to)) => {
                for field in fields.iter_mut().filter(|it| it.name == from) {
                    field.name.clone_from(&to);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn rename_schema(&mut self, from: &str, to: &str) {
        for schema in self.schema.extension_schemas.values_mut().filter(|schema| *schema == from) {
            to.clone_into(schema);
        }
        let of = |name: &Name| name.schema.as_deref() == Some(from);
        let tables: Vec<Name> = self.schema.tables.keys().filter(|name| of(name)).cloned().collect();
        for table in tables {
            let moved = Name::qualified(Some(to), table.name.clone());
            // A newly named schema contains nothing else with that name.
            let _ = self.rename_table(&table, &moved);
        }
        let types: Vec<Name> = self.schema.types.keys().filter(|name| of(name)).cloned().collect();
        for ty in types {
            let moved = Name::qualified(Some(to), ty.name.clone());
            if let Some(known) = self.schema.types.remove(&ty) {
                self.schema.types.insert(moved.clone(), known);
            }
            self.rename_type_in_columns(&ty, &moved);
        }
        let views: Vec<Name> = self.schema.views.keys().filter(|name| of(name)).cloned().collect();
        for view in views {
            let _ = self.alter_view(&view, vec![Action::SetSchema(to.to_owned())]);
        }
        let functions: Vec<Name> = self.schema.functions.keys().filter(|name| of(name)).cloned().collect();
        for function in functions {
            self.rename_function(&function, &Name::qualified(Some(to), function.name.clone()));
        }
        let sequences: Vec<Name> = self.schema.sequences.keys().filter(|name| of(name)).cloned().collect();
        for sequence in sequences {
            self.rename_sequence(&sequence, &Name::qualified(Some(to), sequence.name.clone()));
        }
    }

    /// Adds a trigger or rule of a table or view.
    pub(super) fn hook(&mut self, table: &Written, hook: Hook) {
        let name = self.find_table(table);
        let of_table = name.and_then(|name| Some(&mut self.schema.tables.get_mut(&name)?.hooks));
        let hooks = match of_table {
            Some(hooks) => hooks,
            None => {
                let view = self.find(table, |name| self.schema.views.contains_key(name));
                let Some(name) = view else { return };
                let Some(view) = self.schema.views.get_mut(&name) else { return };
                &mut view.hooks
            }
        };
        if !hooks.contains(&hook) {
            hooks.push(hook);
        }
    }

    pub(super) fn create_function(&mut self, function: CreateFunction) {
        let name = self.new_name(&function.name);
        self.schema.functions_by_name.forget();
        let overloads = self.schema.functions.entry(name.clone()).or_default();
        let arguments = crate::schema::ddl::arguments(&function.sql);
        overloads.retain(|other| crate::schema::ddl::arguments(other) != arguments);
        overloads.push(function.sql);
        if let Some(body) = function.body {
            self.note_function(&name, &body);
            let parameters = function.parameters;
            self.bodies.insert(name, super::block::Function { body, parameters });
        }
    }
}
