//! `ALTER TABLE` and similar statements, action by action.

use super::create::{SERIAL, missing};
use super::lookup::Relation;
use super::names::clipped;
use super::{Applied, Replay};
use crate::schema::ddl::{Action, Charset, ColumnDef, Position, Rule, TypeRef, Written, changed};
use crate::schema::model::{Column, Index, Name, Table};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind, unquote};

impl Replay {
    pub(super) fn alter(
        &mut self,
        written: &Written,
        if_exists: bool,
        only: bool,
        actions: Vec<Action>,
    ) -> Applied {
        let _ = self.find_or_make_table(written);
        match self.relation(written) {
            Some(Relation::Table(name)) => self.alter_table(name, only, actions),
            Some(Relation::View(name)) => self.alter_view(&name, actions),
            Some(Relation::Index(owner, index)) => self.alter_index(&owner, &index, actions),
            Some(Relation::Sequence(name)) => self.alter_sequence(name, actions),
            Some(Relation::Ignored) => self.alter_ignored(written, actions),
            None if if_exists => Ok(()),
            None => Err(missing(written)),
        }
    }

    /// If a table's definition is unknown, only its name is tracked.
    fn alter_ignored(&mut self, written: &Written, actions: Vec<Action>) -> Applied {
        for action in actions {
            if let Action::Rename { to, .. } = action
                && let Some(name) = self.find(written, |name| self.schema.opaque.contains_key(name))
                && let Some(reason) = self.schema.opaque.remove(&name)
            {
                self.schema.opaque.insert(Name { name: to.name, ..name }, reason);
            }
        }
        Ok(())
    }

    fn alter_table(&mut self, mut name: Name, only: bool, actions: Vec<Action>) -> Applied {
        // An action that cannot be replayed does not stop the others.
        let mut result = Ok(());
        for action in self.as_one_change(&name, actions) {
            let step = match action {
                Action::Rename { to, spelling } => {
                    let schema = to.schema.or_else(|| name.schema.clone());
                    let to = Name::qualified(schema.as_deref(), clipped(to.name, self.schema.dialect));
                    let step = self.rename_table(&name, &to);
                    if step.is_ok() {
                        self.schema.spell(&to, spelling);
                        name = to;
                    }
                    step
                }
                Action::SetSchema(schema) => {
                    let to = Name::qualified(Some(&schema), name.name.clone());
                    let step = self.rename_table(&name, &to);
                    if step.is_ok() {
                        name = to;
                    }
                    step
                }
                action => self.alter_one(&name, only, action),
            };
            result = result.and(step);
        }
        result
    }

    pub(super) fn alter_one(&mut self, name: &Name, only: bool, action: Action) -> Applied {
        let dialect = self.schema.dialect;
        match action {
            Action::AddColumn { column, if_not_exists, position } => {
                self.add_column(name, *column, if_not_exists, &position)
            }
            Action::DropColumn { column, if_exists, cascade } => {
                if only {
                    let kept = self.children(name).into_iter().map(|child| (child, column.clone()));
                    self.also_local.extend(kept);
                }
                self.drop_column(name, &column, if_exists, cascade)
            }
            Action::RenameColumn { from, if_exists: true, .. } if !self.has_column(name, &from) => Ok(()),
            Action::ChangeColumn { from, if_exists: true, .. } if !self.has_column(name, &from) => Ok(()),
            Action::SetDefault { column, if_exists: true, .. } if !self.has_column(name, &column) => Ok(()),
            Action::RenameColumn { from, to, spelling, .. } => {
                self.rename_column(name, &from, &clipped(to, dialect), spelling.as_ref())
            }
            Action::ChangeColumn { from, column, position, .. } => {
                self.change_column(name, &from, *column, &position)
            }
            Action::SetType { column, ty, collation } => self.set_type(name, &column, &ty, collation),
            Action::SetNotNull { column, not_null } => {
                self.each_column(name, &column, only, |column| column.not_null = not_null)
            }
            Action::SetDefault { column, default, .. } => self.each_column(name, &column, only, |column| {
                column.default = default.clone().map(|default| print_default(default, &column.ty, dialect));
            }),
            Action::SetIdentity { column, identity, always, numbering } => {
                self.each_column(name, &column, true, |column| {
                    column.identity = identity;
                    column.identity_always = always;
                    if let Some(numbering) = &numbering {
                        column.numbering.clone_from(numbering);
                    }
                })
            }
            Action::ChangeIdentity { column, always, options } => {
                self.each_column(name, &column, true, |column| {
                    column.identity_always = always.unwrap_or(column.identity_always);
                    let known = column.numbering.as_deref().unwrap_or_default();
                    column.numbering = changed(known, &options);
                })
            }
            Action::DropExpression { column } => {
                self.each_column(name, &column, only, |column| column.generated = None)
            }
            Action::SetExpression { column, expression } => {
                self.each_column(name, &column, only, |column| column.generated = Some(expression.clone()))
            }
            Action::AddConstraint(constraint) => {
                let keyed = !matches!(constraint.rule, Rule::ForeignKey { .. } | Rule::Check(_));
                self.add_constraint(name, constraint)?;
                let made = self.table(name)?.indexes.last().map(|index| index.name.clone());
                match made.filter(|_| keyed && !only) {
                    Some(index) => self.index_partitions(name, &index),
                    None => Ok(()),
                }
            }
            Action::SetLogged(logged) => {
                self.table_mut(name)?.unlogged = !logged;
                Ok(())
            }
            Action::SetStorage(parameters) => {
                self.table_mut(name)?.storage.extend(parameters);
                Ok(())
            }
            Action::ResetStorage(names) => {
                self.table_mut(name)?.storage.retain(|parameter, _| !names.contains(parameter));
                Ok(())
            }
            Action::Validate(constraint) => self.validate(name, &constraint),
            Action::SetTiming { name: constraint, timing } => {
                self.defer(name, &constraint, timing.as_deref())
            }
            Action::SetCharset { charset, convert } => {
                set_charset(self.table_mut(name)?, charset, convert);
                Ok(())
            }
            Action::Version(versioned) => {
                self.table_mut(name)?.versioned = versioned;
                Ok(())
            }
            Action::DropConstraint { name: constraint, if_exists, cascade } => {
                self.drop_constraint(name, &constraint, if_exists, cascade)
            }
            Action::DropPrimaryKey => self.drop_primary_key(name),
            Action::DropIndex { name: index, if_exists } => {
                let exists = self.table(name)?.indexes.iter().any(|it| it.name == index);
                if !exists && !if_exists {
                    return Err(format!("table `{name}` has no index `{index}`"));
                }
                self.remove_index(name, &index);
                Ok(())
            }
            Action::RenameConstraint { from, to } => {
                self.rename_constraint(name, &from, &clipped(to, dialect))
            }
            Action::SetHidden { name: index, hidden } => {
                let table = self.table_mut(name)?;
                table.indexes.iter_mut().filter(|it| it.name == index).for_each(|it| it.hidden = hidden);
                Ok(())
            }
            Action::RenameIndex { from, to } => {
                self.rename_index(name, &from, &to);
                Ok(())
            }
            Action::Attach { partition, bound } => self.attach(name, &partition, bound),
            Action::Detach(partition) => self.detach(&partition),
            Action::Inherit { parent, inherit } => self.change_parents(name, &parent, inherit),
            Action::OwnedBy(_) | Action::Rename { .. } | Action::SetSchema(_) | Action::SetSequence(_) => {
                Ok(())
            }
        }
    }

    fn has_column(&self, table: &Name, column: &str) -> bool {
        self.schema.tables.get(table).is_some_and(|table| table.column(column).is_some())
    }

    /// Changes a column here and, unless `only`, in the tables that inherit it.
    fn each_column(
        &mut self,
        name: &Name,
        column: &str,
        only: bool,
        mut change: impl FnMut(&mut Column),
    ) -> Applied {
        let mut names = vec![name.clone()];
        if !only {
            names.extend(self.descendants(name));
        }
        let mut found = false;
        for name in &names {
            for column in self.table_mut(name)?.columns.iter_mut().filter(|it| it.name == column) {
                change(column);
                found = true;
            }
        }
        if found { Ok(()) } else { Err(format!("table `{name}` has no column `{column}`")) }
    }

    fn add_column(
        &mut self,
        name: &Name,
        definition: ColumnDef,
        if_not_exists: bool,
        at: &Position,
    ) -> Applied {
        let dialect = self.schema.dialect;
        let mut definition = definition;
        let constraints = std::mem::take(&mut definition.constraints);
        let mut column = self.column(definition);
        super::create::inherit_charset(&mut column, self.table(name)?);
        if self.table(name)?.column(&column.name).is_some() {
            let taken = Err(format!("table `{name}` has a column `{}` already", column.name));
            return if if_not_exists { Ok(()) } else { taken };
        }
        super::width::check_width(name, self.table(name)?.columns.len() + 1, dialect)?;
        self.settle_stars(name);
        for child in self.descendants(name) {
            self.settle_stars(&child);
            let table = self.table_mut(&child)?;
            if table.column(&column.name).is_none() {
                table.columns.push(column.clone());
            } else {
                self.also_local.insert((child, column.name.clone()));
            }
        }
        insert_column(self.table_mut(name)?, column, at);
        self.make_sequences(name);
        for constraint in constraints {
            self.add_constraint(name, constraint)?;
        }
        Ok(())
    }

    /// MySQL: redefines a column; its keys and position stay unless given.
    fn change_column(&mut self, name: &Name, from: &str, definition: ColumnDef, at: &Position) -> Applied {
        let mut definition = definition;
        let constraints = std::mem::take(&mut definition.constraints);
        let mut column = self.column(definition);
        if column.name != from {
            self.rename_column(name, from, &column.name, column.spelling.as_ref())?;
        }
        let table = self.table_mut(name)?;
        super::create::inherit_charset(&mut column, table);
        column.not_null |= table.primary_key.contains(&column.name);
        let Some(index) = table.columns.iter().position(|it| it.name == column.name) else {
            return Err(format!("table `{name}` has no column `{from}`"));
        };
        if *at == Position::Unchanged {
            table.columns.splice(index..=index, [column]);
        } else {
            table.columns.remove(index);
            insert_column(table, column, at);
        }
        for constraint in constraints {
            self.add_constraint(name, constraint)?;
        }
        Ok(())
    }

    fn set_type(&mut self, name: &Name, column: &str, ty: &TypeRef, collation: Option<String>) -> Applied {
        let printed = self.print_type(ty);
        // The default stays as written for the old type.
        self.each_column(name, column, false, |column| {
            column.ty.clone_from(&printed);
            column.collation.clone_from(&collation);
        })
    }

    fn attach(&mut self, name: &Name, partition: &Written, bound: Option<String>) -> Applied {
        let child = self.find_table(partition).ok_or_else(|| missing(partition))?;
        let indexes: Vec<Index> = self.table(name)?.indexes.clone();
        let key = self.table(name)?.primary_key.clone();
        self.hear_parent(name);
        let table = self.table_mut(&child)?;
        table.parent = Some(name.clone());
        table.partition_bound = bound;
        for column in table.columns.iter_mut().filter(|column| key.contains(&column.name)) {
            column.not_null = true;
        }
        // A matching index becomes the partition's part; if there is none, one is created.
        for index in indexes {
            let same = |it: &&Index| {
                it.keys == index.keys
                    && it.unique == index.unique
                    && it.predicate == index.predicate
                    && it.constraint == index.constraint
            };
            match self.table(&child)?.indexes.iter().find(same).map(|it| it.name.clone()) {
                Some(part) => {
                    self.attached.insert((child.clone(), part), index.name.clone());
                }
                None => self.copy_index(&child, &index, true)?,
            }
        }
        Ok(())
    }

    fn detach(&mut self, partition: &Written) -> Applied {
        let child = self.find_table(partition).ok_or_else(|| missing(partition))?;
        self.attached.retain(|(table, _), _| *table != child);
        let table = self.table_mut(&child)?;
        table.parent = None;
        table.partition_bound = None;
        Ok(())
    }
}

fn insert_column(table: &mut Table, column: Column, at: &Position) {
    let index = match at {
        Position::Unchanged => None,
        Position::First => Some(0),
        Position::After(name) => table.columns.iter().position(|it| it.name == *name).map(|index| index + 1),
    };
    table.columns.insert(index.unwrap_or(table.columns.len()), column);
}

/// A default as the database prints it: PostgreSQL casts a lone string to the column's type.
pub(super) fn print_default(default: String, ty: &str, dialect: Dialect) -> String {
    if dialect != Dialect::Postgres || default == SERIAL {
        return default;
    }
    let mut tokens = Lexer::new(&default, dialect);
    let first = tokens.next().map(|token| token.kind);
    let (second, third) = (tokens.next().map(|token| token.kind), tokens.next());
    match (first, second, third) {
        (Some(TokenKind::Text), None, _) => print_string(&default, ty),
        (Some(TokenKind::Symbol), Some(TokenKind::Number), None) if default.starts_with('-') => {
            let ty = match (default.parse::<i32>(), default.parse::<i64>()) {
                (Ok(_), _) => "integer",
                (_, Ok(_)) => "bigint",
                _ => "numeric",
            };
            format!("'{default}'::{ty}")
        }
        _ => match default.split_once("'::") {
            // A string cast to the column's own type is printed like a lone string.
            Some((string, cast)) if first == Some(TokenKind::Text) && cast == without_modifiers(ty) => {
                print_string(&format!("{string}'"), ty)
            }
            _ => default,
        },
    }
}

/// A lone string as the default of a column; values of some types are printed without quotes.
fn print_string(default: &str, ty: &str) -> String {
    let value = unquote(default, Dialect::Postgres);
    match ty {
        "boolean" if matches!(value.as_str(), "t" | "true" | "yes" | "on" | "1") => "true".to_owned(),
        "boolean" if matches!(value.as_str(), "f" | "false" | "no" | "off" | "0") => "false".to_owned(),
        "integer" if value.parse::<i32>().is_ok_and(|value| value >= 0) => value,
        "bytea" if value.is_empty() => r"'\x'::bytea".to_owned(),
        "bytea" if value.starts_with(r"\x") => format!("'{}'::bytea", value.to_lowercase()),
        ty if ty.starts_with("character(") => format!("{default}::bpchar"),
        // Without quotes, `bit` is a single one.
        ty if ty.starts_with("bit(") => format!("{}::\"bit\"", default.trim_start_matches(['b', 'B'])),
        ty if ty.starts_with("bit varying") => {
            format!("{}::bit varying", default.trim_start_matches(['b', 'B']))
        }
        // A snapshot writes a column that was declared without a type as text.
        "" => format!("{default}::text"),
        ty => format!("{default}::{}", without_modifiers(ty)),
    }
}

/// A type without length or precision, as in a cast.
fn without_modifiers(ty: &str) -> String {
    match (ty.find('('), ty.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", ty.get(..open).unwrap_or(""), ty.get(close + 1..).unwrap_or(""))
        }
        _ => ty.to_owned(),
    }
}

/// MySQL: how many bytes a character of a character set takes at most.
/// Sets the default character set of a table, and that of its text columns if it converts them.
fn set_charset(table: &mut Table, charset: Charset, convert: bool) {
    let charset = charset.instead_of(table.charset.as_deref());
    let before = table.charset.take();
    table.charset = charset.name;
    table.collation = charset.collation;
    if !convert {
        return;
    }
    for column in table.columns.iter_mut().filter(|column| is_text(&column.ty)) {
        let before = column.charset.as_deref().or(before.as_deref());
        if let (Some(before), Some(after)) = (before, table.charset.as_deref())
            && bytes_of_character(after) > bytes_of_character(before)
        {
            longer_text(&mut column.ty);
        }
        column.charset.clone_from(&table.charset);
        column.collation.clone_from(&table.collation);
    }
}

fn bytes_of_character(charset: &str) -> u32 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8" | "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "gbk" | "gb2312" | "sjis" | "euckr" | "cp932" => 2,
        _ => 1,
    }
}

/// MySQL: the type that holds as many characters as before, if each may take more bytes.
fn longer_text(ty: &mut String) {
    let longer = match ty.as_str() {
        "tinytext" => "text",
        "text" => "mediumtext",
        "mediumtext" => "longtext",
        _ => return,
    };
    longer.clone_into(ty);
}

/// MySQL: whether values of a type have a character set.
pub(super) fn is_text(ty: &str) -> bool {
    let ty = ty.to_ascii_lowercase();
    ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"]
        .iter()
        .any(|base| ty.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ' '])))
}
