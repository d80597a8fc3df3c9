//! Tables, indexes and references as SQL.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::model::{Check, Column, ForeignKey, Index, IndexKey, KeyPart, Name, Schema, Table};
use super::super::replay::serial_sequence;
use super::write::is_alone;
use crate::schema::ddl::{ENGINE, print_user_type};
use crate::sql::Dialect;
use crate::sql::quote::{quote, quote_if_needed};

/// The ends of the names of tables in which the modules of SQLite hold their data: FTS5, FTS3 and FTS4, R*Tree.
const PARTS: [&str; 11] =
    ["data", "idx", "content", "docsize", "config", "segments", "segdir", "stat", "node", "rowid", "parent"];

/// Writes SQL of one dialect.
pub(super) struct Writer<'s> {
    pub(super) schema: &'s Schema,
    pub(super) dialect: Dialect,
    pub(super) out: String,
    /// The statement that sets the search path of the snapshot; empty if it needs none.
    pub(super) path: String,
    /// The defaults of several columns that take numbers from one sequence.
    shared: BTreeSet<&'s str>,
}

impl<'s> Writer<'s> {
    pub(super) fn new(schema: &'s Schema) -> Writer<'s> {
        let mut defaults = BTreeSet::new();
        let columns = schema.tables.values().flat_map(|table| &table.columns);
        let numbered = columns.filter_map(|column| column.default.as_deref());
        let shared = numbered.filter(|default| default.starts_with("nextval(") && !defaults.insert(*default));
        Writer { shared: shared.collect(), ..Writer::of_part(schema) }
    }

    /// A writer of single statements.
    pub(super) fn of_part(schema: &'s Schema) -> Writer<'s> {
        let (out, path, shared) = (String::new(), String::new(), BTreeSet::new());
        Writer { schema, dialect: schema.dialect, out, path, shared }
    }
}

impl Writer<'_> {
    pub(super) fn ident(&self, name: &str) -> String {
        match self.dialect {
            // MySQL has too many reserved words, and each version adds more.
            Dialect::MySql => quote(name, self.dialect),
            _ => quote_if_needed(name, self.dialect),
        }
    }

    pub(super) fn name(&self, name: &Name) -> String {
        let shown = self.schema.shown(name);
        match (&name.schema, self.dialect) {
            (Some(schema), Dialect::MySql) => format!("{}.{}", self.ident(schema), self.ident(shown)),
            (None, Dialect::MySql | Dialect::Sqlite) => self.ident(shown),
            _ => print_user_type(name, "", self.dialect),
        }
    }

    fn columns(&self, names: &[String]) -> String {
        let names: Vec<String> = names
            .iter()
            .map(|name| if name.starts_with('(') { name.clone() } else { self.ident(name) })
            .collect();
        names.join(", ")
    }

    /// SQLite: whether a table holds the data of a virtual table, as in a dump.
    fn is_made_by_module(&self, table: &Table) -> bool {
        let is_its = |owner: &Table| {
            let rest = table.name.name.strip_prefix(owner.name.name.as_str());
            let part = rest.and_then(|rest| rest.strip_prefix('_'));
            owner.module.is_some() && part.is_some_and(|part| PARTS.contains(&part))
        };
        self.dialect == Dialect::Sqlite && self.schema.tables.values().any(is_its)
    }

    pub(super) fn table(&mut self, table: &Table) {
        if let Some(rows) = table.rows {
            let _ = writeln!(self.out, "{}{rows}", super::ROWS);
        }
        if let Some(module) = table.module.as_ref().filter(|_| self.dialect == Dialect::Sqlite) {
            let name = self.name(&table.name);
            let _ = writeln!(self.out, "CREATE VIRTUAL TABLE {name} USING {module};");
            return;
        }
        let mut lines: Vec<String> = table.columns.iter().map(|column| self.column(table, column)).collect();
        lines.extend(self.constraints(table));
        let name = self.name(&table.name);
        let unlogged = if table.unlogged { "UNLOGGED " } else { "" };
        // The statement of the virtual table makes those that hold its data.
        let unless_made = if self.is_made_by_module(table) { "IF NOT EXISTS " } else { "" };
        let _ = write!(self.out, "CREATE {unlogged}TABLE {unless_made}{name} (");
        for (at, line) in lines.iter().enumerate() {
            let _ = write!(self.out, "{}\n    {line}", if at == 0 { "" } else { "," });
        }
        self.out.push_str("\n)");
        let parents: Vec<String> = match table.partition_bound {
            None => table.parents().map(|parent| self.name(parent)).collect(),
            Some(_) => Vec::new(),
        };
        // `INHERITS` puts the columns of parents first: those that they got later come last.
        let is_in_order = super::order::begins_with_inherited(self.schema, table);
        if !parents.is_empty() && is_in_order {
            let _ = write!(self.out, " INHERITS ({})", parents.join(", "));
        }
        if let Some(key) = &table.partition_by {
            let _ = write!(self.out, " PARTITION BY {key}");
        }
        if let Some(engine) = table.storage.get(ENGINE).filter(|_| self.dialect == Dialect::MySql) {
            let _ = write!(self.out, " ENGINE={engine}");
        } else if !table.storage.is_empty() {
            let parameters = table.storage.iter().map(|(name, value)| format!("{name} = {value}"));
            let _ = write!(self.out, " WITH ({})", parameters.collect::<Vec<_>>().join(", "));
        }
        if let Some(charset) = &table.charset {
            let _ = write!(self.out, " CHARACTER SET {charset}");
        }
        if let Some(collation) = &table.collation {
            let _ = write!(self.out, " COLLATE {collation}");
        }
        if table.versioned {
            self.out.push_str(" WITH SYSTEM VERSIONING");
        }
        match (table.strict, table.without_rowid) {
            (true, true) => self.out.push_str(" STRICT, WITHOUT ROWID"),
            (true, false) => self.out.push_str(" STRICT"),
            (false, true) => self.out.push_str(" WITHOUT ROWID"),
            (false, false) => {}
        }
        self.out.push_str(";\n");
        for parent in parents.iter().filter(|_| !is_in_order) {
            let _ = writeln!(self.out, "ALTER TABLE {name} INHERIT {parent};");
        }
        for check in table.checks.iter().filter(|check| check.not_valid) {
            let constraint = check
                .name
                .as_ref()
                .map(|name| format!("CONSTRAINT {} ", self.ident(name)))
                .unwrap_or_default();
            let (condition, alone) = (&check.condition, no_inherit(check));
            let _ = writeln!(
                self.out,
                "ALTER TABLE {name} ADD {constraint}CHECK ({condition}){alone} NOT VALID;"
            );
        }
        for index in table.indexes.iter().filter(|index| is_repeated(table, index, self.dialect)) {
            if let Some(key) = self.key(table, index) {
                let _ = writeln!(self.out, "ALTER TABLE {name} ADD {key};");
            }
        }
        if self.dialect != Dialect::MySql {
            let own = table.indexes.iter().filter(|index| !is_alone(self.schema, table, index));
            self.indexes(&table.name, own);
        }
    }

    /// Whether a column can be written as `serial`: its sequence has the name that would be generated for it.
    pub(super) fn is_serial(&self, table: &Table, column: &Column) -> bool {
        let sequence = serial_sequence(&table.name, &column.name);
        self.dialect == Dialect::Postgres
            && column.not_null
            && matches!(column.ty.as_str(), "smallint" | "integer" | "bigint")
            && !column.default.as_deref().is_some_and(|default| self.shared.contains(default))
            && self.schema.sequences.contains_key(&sequence)
            && column.default.as_deref() == Some(super::super::replay::nextval(&sequence).as_str())
    }

    fn column(&self, table: &Table, column: &Column) -> String {
        let mut line = self.ident(column.shown());
        if self.is_serial(table, column) {
            let ty = match column.ty.as_str() {
                "smallint" => "smallserial",
                "bigint" => "bigserial",
                _ => "serial",
            };
            let _ = write!(line, " {ty} NOT NULL");
            return line;
        }
        match (column.ty.as_str(), self.dialect) {
            ("", Dialect::Sqlite) => {}
            // A type is required; the head says that it is unknown.
            ("", _) => line.push_str(" text"),
            (ty, _) => {
                let (base, rest) = ty.split_once(' ').unwrap_or((ty, ""));
                let _ = match column.width {
                    Some(width) if rest.is_empty() => write!(line, " {base}({width})"),
                    Some(width) => write!(line, " {base}({width}) {rest}"),
                    None => write!(line, " {ty}"),
                };
                line.push_str(if column.zerofill { " zerofill" } else { "" });
            }
        }
        let inherits = column.charset == table.charset && column.collation == table.collation;
        if let Some(charset) = column.charset.as_ref().filter(|_| !inherits) {
            let _ = write!(line, " CHARACTER SET {charset}");
        }
        if let Some(collation) = column.collation.as_ref().filter(|_| !inherits) {
            let _ = write!(line, " COLLATE {}", self.collation(collation));
        }
        if let Some(expression) = &column.generated {
            let _ = match (expression.as_str(), column.stored) {
                // MariaDB: since when and until when a version of a row is valid.
                ("ROW START" | "ROW END", _) => write!(line, " GENERATED ALWAYS AS {expression}"),
                (_, true) => write!(line, " GENERATED ALWAYS AS ({expression}) STORED"),
                (_, false) => write!(line, " GENERATED ALWAYS AS ({expression}) VIRTUAL"),
            };
        }
        if self.dialect == Dialect::Postgres && column.identity {
            let when = if column.identity_always { "ALWAYS" } else { "BY DEFAULT" };
            let _ = write!(line, " GENERATED {when} AS IDENTITY");
            if let Some(options) = &column.numbering {
                let _ = write!(line, " ({options})");
            }
        }
        let rowid = self.dialect == Dialect::Sqlite && is_inline_key(table, column);
        if rowid {
            line.push_str(" PRIMARY KEY");
            let descending = table.indexes.iter().any(|index| index.primary);
            line.push_str(if descending { " DESC" } else { "" });
            line.push_str(if column.identity { " AUTOINCREMENT" } else { "" });
        }
        if column.not_null {
            line.push_str(" NOT NULL");
        } else if self.dialect == Dialect::MySql && column.ty == "timestamp" {
            // An old setting makes it NOT NULL unless told otherwise.
            line.push_str(" NULL");
        }
        if let Some(default) = &column.default {
            self.write_default(&mut line, default, &column.ty);
        }
        if self.dialect == Dialect::MySql && column.identity {
            line.push_str(" AUTO_INCREMENT");
        }
        if column.invisible {
            line.push_str(" INVISIBLE");
        }
        line
    }

    pub(super) fn collation(&self, collation: &str) -> String {
        match self.dialect {
            // The name under which a user-defined collation is found.
            Dialect::Postgres => match self.schema.collations.keys().find(|own| own.name == collation) {
                Some(own) => self.name(own),
                None => quote(collation, self.dialect),
            },
            Dialect::Sqlite => collation.to_ascii_uppercase(),
            Dialect::MySql => collation.to_owned(),
        }
    }

    fn constraints(&self, table: &Table) -> Vec<String> {
        let mut lines = Vec::new();
        let named = |name: &Option<String>| match name {
            Some(name) => format!("CONSTRAINT {} ", self.ident(name)),
            None => String::new(),
        };
        let bound = |word: &str| {
            table.columns.iter().find(|column| column.generated.as_deref() == Some(word)).map(|it| &it.name)
        };
        if let (Some(start), Some(end)) = (bound("ROW START"), bound("ROW END")) {
            lines.push(format!("PERIOD FOR SYSTEM_TIME ({}, {})", self.ident(start), self.ident(end)));
        }
        let mut written: Vec<&[String]> = Vec::new();
        let mut indexes: Vec<&Index> =
            table.indexes.iter().filter(|index| index.constraint || self.dialect == Dialect::MySql).collect();
        // SQLite numbers its indexes in the order of the constraints.
        if self.dialect != Dialect::Sqlite {
            indexes.sort_by_key(|index| (!index.primary, !index.unique, &index.name));
        }
        for index in indexes {
            if is_repeated(table, index, self.dialect) {
                continue;
            }
            if let Some(line) = self.key(table, index) {
                lines.push(line);
            }
            if let Some(unique) = table.unique.iter().find(|unique| self.is_index_of(&unique.columns, index))
            {
                written.push(&unique.columns);
            }
        }
        // SQLite: a UNIQUE that another key covers has no index of its own.
        for unique in table.unique.iter().filter(|_| self.dialect == Dialect::Sqlite) {
            if !written.contains(&unique.columns.as_slice()) {
                lines.push(format!("{}UNIQUE ({})", named(&unique.name), self.columns(&unique.columns)));
            }
        }
        let mut checks: Vec<_> = table.checks.iter().filter(|check| !check.not_valid).collect();
        checks.sort_by_key(|check| &check.name);
        for check in checks {
            lines.push(format!("{}CHECK ({}){}", named(&check.name), check.condition, no_inherit(check)));
        }
        if self.dialect == Dialect::Sqlite {
            lines.extend(table.foreign_keys.iter().map(|key| self.foreign_key(key)));
        }
        lines
    }

    fn is_index_of(&self, columns: &[String], index: &Index) -> bool {
        index.keys.iter().map(IndexKey::as_column).eq(columns.iter().map(|column| Some(column.as_str())))
    }

    /// A key of a table, written as one of its elements.
    fn key(&self, table: &Table, index: &Index) -> Option<String> {
        let keys = self.keys(index);
        let name = self.ident(&index.name);
        let line = match self.dialect {
            Dialect::Sqlite if index.primary => {
                let inline = table.columns.iter().any(|column| is_inline_key(table, column));
                if inline {
                    return None;
                }
                format!("PRIMARY KEY ({keys})")
            }
            Dialect::Sqlite => {
                let unique = table.unique.iter().find(|unique| self.is_index_of(&unique.columns, index));
                let name = unique.and_then(|unique| unique.name.as_ref());
                let name = name.map(|name| format!("CONSTRAINT {} ", self.ident(name)));
                format!("{}UNIQUE ({keys})", name.unwrap_or_default())
            }
            Dialect::MySql if index.primary => format!("PRIMARY KEY ({keys})"),
            Dialect::MySql => {
                let kind = match (index.method.as_str(), index.unique) {
                    ("fulltext", _) => "FULLTEXT KEY",
                    ("spatial", _) => "SPATIAL KEY",
                    (_, true) => "UNIQUE KEY",
                    _ => "KEY",
                };
                let using = if index.method == "hash" { " USING HASH" } else { "" };
                let hidden = if index.hidden { super::HIDDEN } else { "" };
                format!("{kind} {name} ({keys}){using}{hidden}")
            }
            Dialect::Postgres => self.postgres_key(table, index, &name, &keys),
        };
        Some(line)
    }

    fn postgres_key(&self, table: &Table, index: &Index, name: &str, keys: &str) -> String {
        let include = self.include(index);
        let distinct = if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let timing = timing(table.timings.get(&index.name));
        if index.primary {
            return format!("CONSTRAINT {name} PRIMARY KEY ({keys}){include}{timing}");
        }
        let Some(exclusion) = table.exclusions.iter().find(|it| it.name == index.name) else {
            return format!("CONSTRAINT {name} UNIQUE{distinct} ({keys}){include}{timing}");
        };
        let keys = index.keys.iter().zip(&exclusion.operators);
        let keys: Vec<String> =
            keys.map(|(key, operator)| format!("{} WITH {operator}", self.index_key(key))).collect();
        let predicate = index.predicate.as_ref().map(|it| format!(" WHERE ({it})")).unwrap_or_default();
        let (method, keys) = (&index.method, keys.join(", "));
        format!("CONSTRAINT {name} EXCLUDE USING {method} ({keys}){include}{predicate}{timing}")
    }

    pub(super) fn include(&self, index: &Index) -> String {
        if index.include.is_empty() {
            String::new()
        } else {
            format!(" INCLUDE ({})", self.columns(&index.include))
        }
    }

    pub(super) fn keys(&self, index: &Index) -> String {
        let keys: Vec<String> = index.keys.iter().map(|key| self.index_key(key)).collect();
        keys.join(", ")
    }

    fn index_key(&self, key: &IndexKey) -> String {
        let mut out = match &key.part {
            KeyPart::Column(name) => self.ident(name),
            KeyPart::Expression(text) => format!("({text})"),
        };
        if let Some(prefix) = key.prefix {
            let _ = write!(out, "({prefix})");
        }
        if let Some(collation) = &key.collation {
            let _ = write!(out, " COLLATE {}", self.collation(collation));
        }
        if let Some(class) = &key.opclass {
            let _ = write!(out, " {class}");
        }
        out.push_str(if key.desc { " DESC" } else { "" });
        let default = key.desc && self.dialect == Dialect::Postgres;
        match (key.nulls_first, default) {
            (true, false) => out.push_str(" NULLS FIRST"),
            (false, true) => out.push_str(" NULLS LAST"),
            _ => {}
        }
        out
    }

    pub(super) fn foreign_key(&self, key: &ForeignKey) -> String {
        let mut out = match &key.name {
            Some(name) => format!("CONSTRAINT {} ", self.ident(name)),
            None => String::new(),
        };
        let _ =
            write!(out, "FOREIGN KEY ({}) REFERENCES {}", self.columns(&key.columns), self.name(&key.table));
        if !key.references.is_empty() {
            let _ = write!(out, " ({})", self.columns(&key.references));
        }
        out.push_str(if key.full { " MATCH FULL" } else { "" });
        for (event, action) in [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)] {
            if let Some(action) = action {
                let _ = write!(out, " ON {event} {action}");
            }
        }
        out.push_str(&timing(key.timing.as_ref()));
        out
    }
}

/// PostgreSQL: whether an earlier key has the same columns, so that the two would be merged if both were
/// elements of the table.
fn is_repeated(table: &Table, index: &Index, dialect: Dialect) -> bool {
    let before = |other: &&Index| {
        other.constraint && (!other.primary, &other.name) < (!index.primary, &index.name) && other.unique
    };
    dialect == Dialect::Postgres
        && index.constraint
        && index.unique
        && table.indexes.iter().filter(before).any(|other| other.keys == index.keys)
}

/// Whether tables that inherit are spared a constraint, as written after it.
fn no_inherit(check: &Check) -> &'static str {
    if check.no_inherit { " NO INHERIT" } else { "" }
}

/// When a constraint is checked, as written after it.
fn timing(timing: Option<&String>) -> String {
    timing.map(|timing| format!(" {timing}")).unwrap_or_default()
}

/// SQLite: whether a key has to be written inline, because its meaning depends on that.
fn is_inline_key(table: &Table, column: &Column) -> bool {
    let only = table.primary_key.as_slice() == [column.name.clone()];
    let descending = table.indexes.iter().any(|index| index.primary && index.keys.iter().any(|key| key.desc));
    let integer = column.ty.eq_ignore_ascii_case("integer");
    only && !table.without_rowid && integer && (table.rowid_alias().is_some() || descending)
}
