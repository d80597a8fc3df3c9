//! `CREATE TABLE`: columns from all their sources, then constraints in the database's order.

use std::collections::HashMap;

use super::Applied;
use super::Replay;
use super::names::{clipped, join_names};
use crate::schema::ddl::{
    ColumnDef, ConstraintDef, CreateTable, Element, Including, Rule, TypeRef, Written, print_user_type,
};
use crate::schema::model::{Column, Name, Table, UserType};
use crate::sql::Dialect;

/// Tables that a new one is made like, and what of them it takes.
type Copied = Vec<(Name, Including)>;

/// The places of a table's columns by their names, while columns are added behind them.
#[derive(Default)]
struct Places {
    by_name: HashMap<String, usize>,
    /// How many columns are in it.
    read: usize,
}

impl Places {
    fn of(&mut self, columns: &[Column], name: &str) -> Option<usize> {
        for (at, column) in columns.iter().enumerate().skip(self.read) {
            self.by_name.entry(column.name.clone()).or_insert(at);
        }
        self.read = columns.len();
        self.by_name.get(name).copied()
    }
}

impl Replay {
    pub(super) fn create_table(&mut self, create: CreateTable) -> Applied {
        let name = clip(self.new_name(&create.name), self.schema.dialect);
        if create.temporary || create.name.schema.as_deref() == Some("temp") {
            self.temporary.insert(name);
            return Ok(());
        }
        // SQLite creates these itself, and `.schema` lists them.
        if self.schema.dialect == Dialect::Sqlite && name.name.starts_with("sqlite_") {
            return Ok(());
        }
        if create.or_replace && self.schema.tables.contains_key(&name) {
            self.drop_table(&name, false);
        }
        if !create.if_not_exists {
            self.drop_if_doubted(&name);
        }
        if self.lasting_exists(&name) {
            return if create.if_not_exists { Ok(()) } else { Err(format!("`{name}` exists already")) };
        }
        self.schema.opaque.remove(&name);
        self.schema.spell(&name, create.spelling.clone());
        let mut table = Table::new(name.clone());
        let mut queried = Vec::new();
        match self.columns_from_elsewhere(&create) {
            // In MySQL they follow the columns that only the statement defines.
            Ok(columns) if self.schema.dialect == Dialect::MySql => queried = columns,
            Ok(columns) => table.columns = columns,
            Err(reason) => {
                self.schema.opaque.insert(name, reason);
                return Ok(());
            }
        }
        table.of_type = create.of_type.as_ref().and_then(|written| self.find_type(written));
        table.partition_by = create.partition_by;
        table.without_rowid = create.without_rowid;
        table.versioned = create.versioned;
        table.unlogged = create.options.unlogged;
        table.storage = create.options.storage;
        table.charset = create.options.charset.name;
        table.collation = create.options.charset.collation;
        table.strict = create.strict;
        table.module = create.module;
        let parents = create.inherits.iter().chain(create.partition_of.iter().map(|(parent, _)| parent));
        for written in parents {
            let parent = self.find_table(written).ok_or_else(|| missing(written))?;
            self.inherit(&mut table, &parent)?;
        }
        table.partition_bound = create.partition_of.map(|(_, bound)| bound);
        let (copied, ledger) = self.add_elements(&mut table, create.elements)?;
        // The columns of the query come last, in its order, also those that the statement defines.
        for column in queried {
            let defined = table.columns.iter().position(|it| it.name == column.name);
            let column = defined.map_or(column, |at| table.columns.remove(at));
            table.columns.push(column);
        }
        super::width::check_width(&name, table.columns.len(), self.schema.dialect)?;
        let parent = table.parent.clone().filter(|_| table.partition_bound.is_some());
        self.hypertables.remove(&name);
        self.schema.tables.insert(name.clone(), table);
        self.make_sequences(&name);
        self.add_constraints(&name, create.constraints)?;
        for (other, including) in copied {
            if including.indexes {
                self.copy_indexes(&name, &other, false)?;
            }
        }
        if let Some(ledger) = ledger {
            self.schema.tables.remove(&ledger);
        }
        if let Some(parent) = parent {
            self.copy_indexes(&name, &parent, true)?;
            self.copy_foreign_keys(&name, &parent)?;
        }
        self.finish_primary_key(&name)?;
        match create.hypertable {
            Some(said) => self.make_hypertable(&name, &said),
            None => Ok(()),
        }
    }

    /// Adds the columns of a definition. Returns the tables that it is made like, and that of them which is made for it.
    fn add_elements(
        &mut self,
        table: &mut Table,
        elements: Vec<Element>,
    ) -> Result<(Copied, Option<Name>), String> {
        let mut copied = Vec::new();
        let mut ledger = None;
        let mut places = Places::default();
        for element in elements {
            match element {
                Element::Column(definition) => self.add_definition(table, *definition, &mut places),
                Element::Like { table: written, including } => {
                    let known = self.find_table(&written).is_some();
                    let other = self.find_or_make_table(&written).ok_or_else(|| missing(&written))?;
                    if self.schema.dialect == Dialect::MySql {
                        let like = self.table(&other)?;
                        table.charset.clone_from(&like.charset);
                        table.collation.clone_from(&like.collation);
                    }
                    self.copy_columns(table, &other, including)?;
                    ledger = Some(other.clone()).filter(|_| !known);
                    copied.push((other, including));
                }
                Element::Named(column) => {
                    if table.column(&column.name).is_none() {
                        table.columns.push(*column);
                    }
                }
            }
        }
        Ok((copied, ledger))
    }

    fn find_type(&self, written: &Written) -> Option<Name> {
        self.find(written, |name| self.schema.types.contains_key(name))
    }

    /// The columns that come from a query or a type; or why they are unknown.
    fn columns_from_elsewhere(&mut self, create: &CreateTable) -> Applied<Vec<Column>> {
        if let Some(module) =
            create.module.as_ref().filter(|_| create.elements.is_empty() && create.partition_of.is_none())
        {
            let module = module.split('(').next().unwrap_or(module).trim();
            return Err(format!("its columns are those of the module `{module}`"));
        }
        if let Some(written) = &create.of_type {
            return match self.find_type(written).and_then(|name| self.schema.types.get(&name)) {
                Some(UserType::Composite(fields)) => Ok(fields.clone()),
                _ => Err(format!("its columns are those of the type `{written}`")),
            };
        }
        let Some(query) = &create.query else { return Ok(Vec::new()) };
        self.read_stars_anew();
        let named = |element: &Element| match element {
            Element::Named(column) => Some(column.as_ref().clone()),
            _ => None,
        };
        let names: Vec<Column> = create.elements.iter().filter_map(named).collect();
        match self.columns_of_query(query, &names) {
            Some(columns) if self.schema.dialect == Dialect::Sqlite => Ok(super::rows::by_affinity(columns)),
            Some(columns) => Ok(columns),
            // The names are given, and are added as elements.
            None if !names.is_empty() => Ok(Vec::new()),
            None => Err("its columns are those of the query it was made from".to_owned()),
        }
    }

    /// Adds a column from its definition; it is merged with a parent's column of the same name.
    fn add_definition(&mut self, table: &mut Table, definition: ColumnDef, places: &mut Places) {
        let mut column = self.column(definition);
        inherit_charset(&mut column, table);
        let known = places.of(&table.columns, &column.name);
        match known.and_then(|at| table.columns.get_mut(at)) {
            Some(known) => {
                self.also_local.insert((table.name.clone(), column.name.clone()));
                known.not_null |= column.not_null;
                if let Some(default) = column.default {
                    let dialect = self.schema.dialect;
                    known.default = Some(super::columns::print_default(default, &known.ty, dialect));
                }
                known.identity |= column.identity;
            }
            None => table.columns.push(column),
        }
    }

    /// The column of a definition, with its printed type.
    pub(super) fn column(&self, definition: ColumnDef) -> Column {
        let mut column = definition.column;
        column.name = clipped(column.name, self.schema.dialect);
        column.ty = self.print_type(&definition.ty);
        (column.width, column.zerofill) = (definition.ty.width, definition.ty.zerofill);
        column.not_null |= definition.ty.serial;
        if column.collation.is_none()
            && let Some(ty) = definition.ty.user.as_ref().filter(|_| definition.ty.text.is_empty())
            && let Some(UserType::Domain { collation, .. }) = self
                .find(ty, |name| self.schema.types.contains_key(name))
                .and_then(|name| self.schema.types.get(&name))
        {
            column.collation.clone_from(collation);
        }
        if definition.ty.serial && self.schema.dialect == Dialect::Postgres {
            // The sequence is created, and the default written, once the table exists.
            column.default = Some(SERIAL.to_owned());
        } else if let Some(default) = column.default.take() {
            column.default = Some(super::columns::print_default(default, &column.ty, self.schema.dialect));
        }
        column
    }

    /// A type as the database prints it.
    pub(super) fn print_type(&self, ty: &TypeRef) -> String {
        let Some(written) = &ty.user else { return ty.text.clone() };
        let found = self.find(written, |name| {
            self.schema.types.contains_key(name) || self.schema.tables.contains_key(name)
        });
        print_user_type(&found.unwrap_or_else(|| written.to_name()), &ty.text, self.schema.dialect)
    }

    /// Creates the sequences of the table's new `serial` columns.
    pub(super) fn make_sequences(&mut self, table: &Name) {
        let columns = self.schema.tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
        let serial = |column: &&Column| column.default.as_deref() == Some(SERIAL);
        let names: Vec<String> = columns.iter().filter(serial).map(|column| column.name.clone()).collect();
        for column in names {
            let name = self.choose_name(table, &column, "seq");
            let sequence = Name { schema: table.schema.clone(), name };
            let default = nextval(&sequence);
            self.owned.insert(sequence.clone(), table.clone());
            self.schema.sequences.insert(sequence, String::new());
            let table = self.schema.tables.get_mut(table);
            if let Some(column) =
                table.and_then(|table| table.columns.iter_mut().find(|it| it.name == column))
            {
                column.default = Some(default);
            }
        }
    }

    /// Adds the constraints of a new table: CHECK first, then keys starting with PRIMARY KEY, then
    /// references.
    fn add_constraints(&mut self, table: &Name, constraints: Vec<ConstraintDef>) -> Applied {
        let dialect = self.schema.dialect;
        let rank = |rule: &Rule| match (rule, dialect) {
            // SQLite creates indexes in text order.
            (_, Dialect::Sqlite) => 0,
            (Rule::Check(_), _) => 0,
            (Rule::PrimaryKey { .. }, _) => 1,
            (Rule::ForeignKey { .. }, _) => 3,
            _ => 2,
        };
        let mut constraints = constraints;
        constraints.sort_by_key(|constraint| rank(&constraint.rule));
        if dialect == Dialect::Postgres {
            merge_equal_keys(&mut constraints);
        }
        for constraint in constraints {
            // A new table has no rows that violate one.
            let timing = super::constraints::without_open(constraint.timing);
            let constraint = ConstraintDef { timing, ..constraint };
            self.add_constraint(table, constraint)?;
        }
        Ok(())
    }

    /// The effect of a PRIMARY KEY on NULL, which depends on the kind of table.
    fn finish_primary_key(&mut self, name: &Name) -> Applied {
        let dialect = self.schema.dialect;
        let table = self.table_mut(name)?;
        let implied = match dialect {
            Dialect::Postgres | Dialect::MySql => true,
            Dialect::Sqlite => table.without_rowid || (table.strict && table.rowid_alias().is_none()),
        };
        let key = table.primary_key.clone();
        for column in table.columns.iter_mut().filter(|column| implied && key.contains(&column.name)) {
            column.not_null = true;
        }
        Ok(())
    }
}

/// MySQL: gives a column of text the character set and the collation of its table, unless it has its own.
pub(super) fn inherit_charset(column: &mut Column, table: &Table) {
    if column.charset.is_none() && column.collation.is_none() && super::columns::is_text(&column.ty) {
        column.charset.clone_from(&table.charset);
        column.collation.clone_from(&table.collation);
    }
}

/// PostgreSQL creates one index for equal keys, and PRIMARY KEY takes precedence over UNIQUE. The name is
/// that of the first, else that of the other.
fn merge_equal_keys(constraints: &mut Vec<ConstraintDef>) {
    let mut kept: Vec<ConstraintDef> = Vec::with_capacity(constraints.len());
    for constraint in constraints.drain(..) {
        let same_time = |other: &ConstraintDef| other.timing == constraint.timing;
        let equal = kept.iter_mut().filter(|other| same_time(other)).find(|other| {
            match (&other.rule, &constraint.rule) {
                (
                    Rule::PrimaryKey { keys, include }
                    | Rule::Unique { keys, include, nulls_not_distinct: false, .. },
                    Rule::Unique { keys: again, include: included, nulls_not_distinct: false, .. },
                ) => keys == again && include == included,
                (first @ Rule::Unique { .. }, second) => first == second,
                _ => false,
            }
        });
        match equal {
            Some(other) => other.name = other.name.take().or(constraint.name),
            None => kept.push(constraint),
        }
    }
    *constraints = kept;
}

/// A placeholder for the default of a `serial` column until its sequence has a name.
pub(super) const SERIAL: &str = "nextval()";

/// The default of a column that draws from a sequence.
pub(crate) fn nextval(sequence: &Name) -> String {
    let printed = print_user_type(sequence, "", Dialect::Postgres).replace('\'', "''");
    format!("nextval('{printed}'::regclass)")
}

/// The name that PostgreSQL generates for the sequence of a `serial` column, if it is free.
pub(crate) fn serial_sequence(table: &Name, column: &str) -> Name {
    Name { schema: table.schema.clone(), name: join_names(&table.name, column, "seq") }
}

pub(super) fn missing(written: &Written) -> String {
    format!("`{written}` does not exist")
}

pub(super) fn clip(name: Name, dialect: Dialect) -> Name {
    Name { schema: name.schema, name: clipped(name.name, dialect) }
}
