//! The format of a `.sqlx` entry as each version of sqlx writes it: keys, their order, names of types.

use std::fmt::Write;

use query_budget_analysis::sql::Dialect;
use serde::ser::{Serialize, SerializeMap, Serializer};
use sha2::{Digest, Sha256};

use super::version::Version;
use super::{mysql, postgres};

/// The result of sqlx's `describe` for a query.
pub(super) struct Description {
    /// The output columns in order.
    pub(super) columns: Vec<Column>,
    pub(super) parameters: Parameters,
}

/// The parameters of a query.
pub(super) enum Parameters {
    /// PostgreSQL reports their types.
    Types(Vec<postgres::Type>),
    /// Other databases only report their number.
    Count(usize),
}

/// An output column.
pub(super) struct Column {
    /// Its name as the database gives it.
    pub(super) name: String,
    /// Its type.
    pub(super) ty: TypeInfo,
    /// Whether it can be NULL, if reported.
    pub(super) nullable: Option<bool>,
    /// Its origin; sqlx before 0.9 does not write it.
    pub(super) origin: Origin,
}

/// The origin of a column, in sqlx's terms.
#[derive(serde::Serialize)]
pub(super) enum Origin {
    /// A column of a table.
    Table {
        table: String,
        /// The column.
        name: String,
    },
    /// Computed.
    Expression,
    Unknown,
}

/// A type as sqlx writes it.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum TypeInfo {
    /// A PostgreSQL type.
    Postgres(postgres::Type),
    /// A type of MySQL or MariaDB.
    MySql(mysql::Type),
    /// A SQLite type, by the name of its variant.
    Sqlite(String),
}

/// The file name of a query's entry.
pub(super) fn file_name(query: &str) -> String {
    format!("query-{}.json", hash(query))
}

/// The hash that identifies a query.
fn hash(query: &str) -> String {
    Sha256::digest(query.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The text of an entry's file.
pub(super) fn text(
    dialect: Dialect,
    version: Version,
    query: &str,
    description: &Description,
) -> serde_json::Result<String> {
    let entry = Entry { dialect, version, query, description };
    let mut text = serde_json::to_string_pretty(&entry)?;
    if version.ends_with_newline() {
        text.push('\n');
    }
    Ok(text)
}

/// The name of a database in an entry.
pub(super) fn database(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "PostgreSQL",
        Dialect::MySql => "MySQL",
        Dialect::Sqlite => "SQLite",
    }
}

struct Entry<'a> {
    dialect: Dialect,
    version: Version,
    query: &'a str,
    description: &'a Description,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("db_name", database(self.dialect))?;
        map.serialize_entry("query", self.query)?;
        map.serialize_entry("describe", &DescribeForm(self))?;
        map.serialize_entry("hash", &hash(self.query))?;
        map.end()
    }
}

struct DescribeForm<'a>(&'a Entry<'a>);

impl Serialize for DescribeForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Entry { dialect, version, description, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        let columns: Vec<ColumnForm<'_>> = description
            .columns
            .iter()
            .enumerate()
            .map(|(ordinal, column)| ColumnForm { dialect: *dialect, version: *version, ordinal, column })
            .collect();
        map.serialize_entry("columns", &columns)?;
        map.serialize_entry("parameters", &description.parameters)?;
        let nullable: Vec<Option<bool>> = description.columns.iter().map(|column| column.nullable).collect();
        map.serialize_entry("nullable", &nullable)?;
        map.end()
    }
}

struct ColumnForm<'a> {
    dialect: Dialect,
    version: Version,
    ordinal: usize,
    column: &'a Column,
}

impl Serialize for ColumnForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // SQLite's columns start with the name.
        if self.dialect == Dialect::Sqlite {
            map.serialize_entry("name", &self.column.name)?;
            map.serialize_entry("ordinal", &self.ordinal)?;
        } else {
            map.serialize_entry("ordinal", &self.ordinal)?;
            map.serialize_entry("name", &self.column.name)?;
        }
        map.serialize_entry("type_info", &self.column.ty)?;
        if self.version.has_origins() {
            map.serialize_entry("origin", &self.column.origin)?;
        }
        map.end()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Parameters::Types(types) => map.serialize_entry("Left", types)?,
            Parameters::Count(count) => map.serialize_entry("Right", count)?,
        }
        map.end()
    }
}
