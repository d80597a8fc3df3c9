//! Writes a snapshot.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::model::{Column, Index, Name, Schema, Table, UserType};
use super::order;
use super::table::Writer;
use super::{
    CONVERSIONS, DIALECT, DIGEST, DOUBT, END, FOREIGN, GAP, HEAD, HOOK, LOOSE, LOOSE_INDEX, ROUTINE, ROWS,
    SEARCH_PATH, UNKNOWN, UNTYPED, in_comment,
};
use crate::sql::Dialect;

/// The schema as a snapshot; `digest` is that of the migrations behind it, if there are any.
pub fn write(schema: &Schema, digest: Option<&str>) -> String {
    let mut writer = Writer::new(schema);
    writer.head(digest);
    match schema.dialect {
        Dialect::Postgres => writer.prerequisites(),
        Dialect::MySql => {
            writer.databases();
            writer.sequences(&BTreeSet::new());
        }
        Dialect::Sqlite => writer.attached(),
    }
    for table in order::tables(schema) {
        writer.out.push('\n');
        writer.table(table);
    }
    writer.partitions();
    writer.references();
    writer.views();
    if schema.dialect == Dialect::Postgres {
        writer.other_functions();
    }
    if !writer.path.is_empty() {
        writer.out.push_str("\nRESET search_path;\n");
    }
    let _ = writeln!(writer.out, "\n{END}");
    writer.out
}

/// A snapshot's text without row estimates, which change while the schema does not.
pub fn without_rows(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with(ROWS)).collect()
}

impl Writer<'_> {
    fn head(&mut self, digest: Option<&str>) {
        let out = &mut self.out;
        let _ = writeln!(out, "{HEAD}");
        let _ = writeln!(out, "{DIALECT}{}", self.dialect);
        if let Some(digest) = digest {
            let _ = writeln!(out, "{DIGEST}{digest}");
        }
        out.push_str("-- Written by `cargo query-budget schema`; change the migrations and run it again.\n");
        if !self.schema.search_path.is_empty() {
            let names: Vec<String> = self.schema.search_path.iter().map(|name| in_comment(name)).collect();
            let _ = writeln!(out, "{SEARCH_PATH}{}", names.join(", "));
        }
        for (name, reason) in &self.schema.opaque {
            let _ = writeln!(out, "{UNKNOWN}{}: {}", qualified(name), one_line(reason));
        }
        for table in self.schema.tables.values().filter(|_| self.dialect != Dialect::Sqlite) {
            for column in table.columns.iter().filter(|column| column.ty.is_empty()) {
                let _ = writeln!(out, "{UNTYPED}{} {}", in_comment(&column.name), qualified(&table.name));
            }
        }
        let of_tables = self.schema.tables.values().map(|table| (&table.name, &table.hooks));
        let of_views = self.schema.views.values().map(|view| (&view.name, &view.hooks));
        for (name, hooks) in of_tables.chain(of_views) {
            for hook in hooks {
                let _ = writeln!(out, "{HOOK}{}: {}", qualified(name), hook.code);
            }
        }
        let routines = self.schema.functions.values().filter(|_| self.dialect != Dialect::Postgres);
        for sql in routines.flatten() {
            let _ = writeln!(out, "{ROUTINE}{}", crate::schema::ddl::one_line(sql, self.dialect));
        }
        if self.schema.own_conversions {
            let _ = writeln!(out, "{CONVERSIONS}");
        }
        for gap in &self.schema.gaps {
            let _ = writeln!(out, "{GAP}{}", one_line(gap));
        }
        for column in &self.schema.loose_indexes {
            let _ = writeln!(out, "{LOOSE_INDEX}{}", in_comment(column));
        }
        for table in self.schema.tables.values() {
            let indexes = table.indexes.iter().filter(|index| index.doubtful).map(|index| &index.name);
            let keys = table.foreign_keys.iter().filter(|key| key.doubtful);
            for name in indexes.chain(keys.filter_map(|key| key.name.as_ref())) {
                let _ = writeln!(out, "{DOUBT}{} {}", in_comment(name), qualified(&table.name));
            }
        }
        for table in self.schema.tables.values().filter(|_| self.dialect == Dialect::Postgres) {
            if let Some(server) = &table.module {
                let _ = writeln!(out, "{FOREIGN}{} {}", in_comment(server), qualified(&table.name));
            }
        }
        for (column, ty) in &self.schema.loose_columns {
            let _ = writeln!(out, "{LOOSE}{} {}", in_comment(column), one_line(ty));
        }
    }

    /// The databases that tables are in besides the schema's own.
    fn others(&self) -> BTreeSet<&String> {
        let names = self.schema.tables.keys().chain(self.schema.views.keys());
        names.filter_map(|name| name.schema.as_ref()).collect()
    }

    /// SQLite: those databases, each an empty one.
    fn attached(&mut self) {
        let attach = |name: &String| format!("\nATTACH DATABASE ':memory:' AS {};\n", self.ident(name));
        let all: String = self.others().into_iter().map(attach).collect();
        self.out.push_str(&all);
    }

    /// MySQL: those databases, where they are missing.
    fn databases(&mut self) {
        let make = |name: &String| format!("\nCREATE DATABASE IF NOT EXISTS {};\n", self.ident(name));
        let all: String = self.others().into_iter().map(make).collect();
        self.out.push_str(&all);
    }

    /// The prerequisites of tables: schemas, extensions, collations, types, sequences and functions.
    fn prerequisites(&mut self) {
        let schema = self.schema;
        let start = self.out.len();
        self.places();
        for (name, made_from) in &schema.collations {
            let _ = writeln!(self.out, "CREATE COLLATION {} {made_from};", self.name(name));
        }
        let serial: BTreeSet<Name> = schema
            .tables
            .values()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
            .filter(|(table, column)| self.is_serial(table, column))
            .map(|(table, column)| super::super::replay::serial_sequence(&table.name, &column.name))
            .collect();
        // The default of a domain may take from a sequence.
        let numbers = |ty: &UserType| matches!(ty, UserType::Domain { default: Some(default), .. } if default.contains("nextval("));
        let is_numbered = schema.types.values().any(numbers);
        if is_numbered {
            self.sequences(&serial);
        }
        for (name, ty) in order::types(schema) {
            self.user_type(name, ty);
        }
        if !is_numbered {
            self.sequences(&serial);
        }
        let functions = order::functions_of_tables(schema);
        if !functions.is_empty() || !order::other_functions(schema).is_empty() {
            self.out.push_str("SET check_function_bodies = false;\n");
        }
        self.functions(functions);
        for sql in &schema.conversions {
            let _ = writeln!(self.out, "{};", sql.trim());
        }
        if self.out.len() > start {
            self.out.insert(start, '\n');
        }
    }

    /// Sequences, without those that columns bring.
    fn sequences(&mut self, serial: &BTreeSet<Name>) {
        let schema = self.schema;
        for (sequence, options) in schema.sequences.iter().filter(|(name, _)| !serial.contains(name)) {
            let options = if options.is_empty() { String::new() } else { format!(" {options}") };
            let _ = writeln!(self.out, "CREATE SEQUENCE {}{options};", self.name(sequence));
        }
    }

    /// Schemas, and the extensions in them.
    fn places(&mut self) {
        let schema = self.schema;
        let names = schema
            .tables
            .keys()
            .chain(schema.views.keys())
            .chain(schema.types.keys())
            .chain(schema.sequences.keys())
            .chain(schema.functions.keys())
            .chain(schema.collations.keys());
        let is_own = |name: &&String| !matches!(name.as_str(), "public" | "pg_catalog");
        let of_extensions = schema.extension_schemas.values().filter(is_own);
        let of_functions = schema.functions.keys().filter_map(|name| name.schema.as_ref()).filter(is_own);
        let searched: BTreeSet<&String> = match schema.dialect {
            Dialect::Postgres => of_extensions.chain(of_functions).collect(),
            Dialect::MySql | Dialect::Sqlite => BTreeSet::new(),
        };
        let named = names.filter_map(|name| name.schema.as_ref());
        let schemas: BTreeSet<&String> = named.chain(searched.iter().copied()).collect();
        for name in schemas {
            let _ = writeln!(self.out, "CREATE SCHEMA IF NOT EXISTS {};", self.ident(name));
        }
        for extension in schema.extensions.iter().filter(|name| *name != "plpgsql") {
            let place = schema.extension_schemas.get(extension);
            let place = place.map_or_else(String::new, |place| format!(" WITH SCHEMA {}", self.ident(place)));
            let _ = writeln!(self.out, "CREATE EXTENSION IF NOT EXISTS {}{place};", self.ident(extension));
        }
        // Operator classes, and the functions of expressions, are written by their bare names.
        if !searched.is_empty() {
            let searched: Vec<String> = searched.into_iter().map(|name| self.ident(name)).collect();
            self.path = format!("SET search_path = public, {};", searched.join(", "));
            let _ = writeln!(self.out, "{}", self.path);
        }
    }

    fn functions(&mut self, functions: Vec<(&Name, &Vec<String>)>) {
        for (name, overloads) in functions {
            let own = name.schema.as_deref().filter(|schema| *schema != "public");
            for sql in overloads {
                let bare = own.filter(|_| order::makes_bare_name(sql));
                if let Some(schema) = bare {
                    let _ = writeln!(self.out, "SET search_path = {}, public;", self.ident(schema));
                }
                let _ = writeln!(self.out, "{};", sql.trim());
                if bare.is_some() {
                    let _ = writeln!(self.out, "{}", self.path);
                }
            }
        }
    }

    /// The functions that queries may call and tables do not: their arguments may be rows of tables and
    /// views.
    fn other_functions(&mut self) {
        let others = order::other_functions(self.schema);
        if !others.is_empty() {
            self.out.push('\n');
            self.functions(others);
        }
    }

    fn user_type(&mut self, of: &Name, ty: &UserType) {
        let name = self.name(of);
        match ty {
            UserType::Enum(labels) => {
                let labels: Vec<String> =
                    labels.iter().map(|label| format!("'{}'", label.replace('\'', "''"))).collect();
                let _ = writeln!(self.out, "CREATE TYPE {name} AS ENUM ({});", labels.join(", "));
            }
            UserType::Domain { base, not_null, default, checks, collation } => {
                let collation = collation.as_ref().map(|it| format!(" COLLATE {}", self.collation(it)));
                let collation = collation.unwrap_or_default();
                let not_null = if *not_null { " NOT NULL" } else { "" };
                let default = default.as_ref().map_or_else(String::new, |value| format!(" DEFAULT {value}"));
                let mut written = String::new();
                for (at, (check, condition)) in checks.iter().enumerate() {
                    // The server gives the same name to one without.
                    if *check != UserType::free_check(of, checks.get(..at).unwrap_or_default()) {
                        let _ = write!(written, " CONSTRAINT {}", self.ident(check));
                    }
                    let _ = write!(written, " CHECK ({condition})");
                }
                let _ = writeln!(
                    self.out,
                    "CREATE DOMAIN {name} AS {base}{collation}{default}{not_null}{written};"
                );
            }
            UserType::Composite(fields) => {
                let field = |field: &Column| {
                    let collation =
                        field.collation.as_ref().map(|name| format!(" COLLATE {}", self.collation(name)));
                    format!("{} {}{}", self.ident(&field.name), field.ty, collation.unwrap_or_default())
                };
                let fields: Vec<String> = fields.iter().map(field).collect();
                let _ = writeln!(self.out, "CREATE TYPE {name} AS ({});", fields.join(", "));
            }
            UserType::Range(options) => {
                let _ = writeln!(self.out, "CREATE TYPE {name} AS RANGE {options};");
            }
            // A shell type can be referred to; nothing else is known about it.
            UserType::Other => {
                let _ = writeln!(self.out, "CREATE TYPE {name};");
            }
        }
    }

    /// Attaches partitions once all of them and their indexes exist, so that each keeps its names.
    fn partitions(&mut self) {
        let start = self.out.len();
        for table in order::tables(self.schema) {
            if let (Some(parent), Some(bound)) = (&table.parent, &table.partition_bound) {
                let (parent, name) = (self.name(parent), self.name(&table.name));
                let _ = writeln!(self.out, "ALTER TABLE {parent} ATTACH PARTITION {name} {bound};");
            }
        }
        // An index of a partitioned table alone, which would else be made on its partitions.
        let schema = self.schema;
        for table in schema.tables.values().filter(|table| table.partition_by.is_some()) {
            for index in table.indexes.iter().filter(|index| is_alone(schema, table, index)) {
                let statement = self.create_index(&table.name, index, "").replacen(" ON ", " ON ONLY ", 1);
                let _ = writeln!(self.out, "{statement};");
            }
        }
        if self.out.len() > start {
            self.out.insert(start, '\n');
        }
    }

    /// References come last, since two tables may refer to each other.
    fn references(&mut self) {
        if self.dialect == Dialect::Sqlite {
            return;
        }
        let start = self.out.len();
        for table in self.schema.tables.values() {
            let parent = table.parent.as_ref().filter(|_| table.partition_bound.is_some());
            let parent = parent.and_then(|parent| self.schema.tables.get(parent));
            let mut keys: Vec<_> = table.foreign_keys.iter().collect();
            keys.sort_by(|a, b| a.name.cmp(&b.name));
            for key in keys {
                // A partition inherits its parent's references.
                let inherited = |other: &&super::super::model::ForeignKey| {
                    other.columns == key.columns && other.table == key.table
                };
                if parent.is_some_and(|parent| parent.foreign_keys.iter().any(|other| inherited(&other))) {
                    continue;
                }
                let (name, key) = (self.name(&table.name), self.foreign_key(key));
                let _ = writeln!(self.out, "ALTER TABLE {name} ADD {key};");
            }
        }
        if self.out.len() > start {
            self.out.insert(start, '\n');
        }
    }

    fn views(&mut self) {
        for view in order::views(self.schema) {
            let kind = if view.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
            // A list without a name would be refused.
            let columns = view.columns.as_ref().filter(|columns| !columns.is_empty()).map(|columns| {
                let names: Vec<String> = columns.iter().map(|column| self.ident(column.shown())).collect();
                format!(" ({})", names.join(", "))
            });
            let name = self.name(&view.name);
            let query = view.query.trim().trim_end_matches(';');
            self.out.push('\n');
            if !view.path.is_empty() {
                let path: Vec<String> = view.path.iter().map(|name| self.ident(name)).collect();
                let _ = writeln!(self.out, "SET search_path = {};", path.join(", "));
            }
            let _ = writeln!(self.out, "CREATE {kind} {name}{} AS\n{query};", columns.unwrap_or_default());
            if !view.path.is_empty() {
                let reset = if self.path.is_empty() { "RESET search_path;" } else { &self.path };
                let _ = writeln!(self.out, "{reset}");
            }
            self.indexes(&view.name, &view.indexes);
            for (column, default) in &view.defaults {
                let column = self.ident(column);
                let _ = writeln!(self.out, "ALTER VIEW {name} ALTER COLUMN {column} SET DEFAULT {default};");
            }
        }
    }
}

/// Whether a partition lacks an index that its partitioned table has.
pub(super) fn is_alone(schema: &Schema, table: &Table, index: &Index) -> bool {
    let is_equal = |other: &Index| other.keys == index.keys && other.predicate == index.predicate;
    schema.dialect == Dialect::Postgres
        && table.partition_by.is_some()
        && !index.constraint
        && schema.children_of(&table.name).any(|part| !part.indexes.iter().any(is_equal))
}

/// A name with its schema, for use in a comment.
fn qualified(name: &Name) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", in_comment(schema), in_comment(&name.name)),
        None => in_comment(&name.name),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
