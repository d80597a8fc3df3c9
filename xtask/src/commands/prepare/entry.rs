//! An entry of `.sqlx`, to the letter as sqlx writes it.

use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{self, Column, Known, Origin};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::postgres::{self, TypeInfo};
use super::version::Sqlx;

/// What sqlx saves of a query. The order of the fields is that of the file.
#[derive(Serialize)]
pub(super) struct Entry {
    db_name: &'static str,
    query: String,
    describe: Describe,
    hash: String,
}

/// What sqlx's describe says of a query.
#[derive(Serialize)]
pub(super) struct Describe {
    pub(super) columns: Vec<SavedColumn>,
    pub(super) parameters: Parameters,
    pub(super) nullable: Vec<Option<bool>>,
}

/// The parameters of a query.
#[derive(Serialize)]
pub(super) enum Parameters {
    /// Their types, where the database tells them.
    Left(Vec<TypeInfo>),
    /// Their number.
    Right(usize),
}

/// A column of a query's rows.
#[derive(Serialize)]
pub(super) struct SavedColumn {
    pub(super) ordinal: usize,
    pub(super) name: String,
    pub(super) type_info: TypeInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<SavedOrigin>,
}

/// Where a column comes from.
#[derive(Serialize)]
pub(super) enum SavedOrigin {
    Table {
        table: String,
        name: String,
    },
    Expression,
    #[cfg(feature = "live")]
    Unknown,
}

impl Entry {
    pub(super) fn new(query: &str, dialect: Dialect, describe: Describe) -> Entry {
        let db_name = match dialect {
            Dialect::Postgres => "PostgreSQL",
            Dialect::MySql => "MySQL",
            Dialect::Sqlite => "SQLite",
        };
        Entry { db_name, query: query.to_owned(), describe, hash: hash(query) }
    }

    /// The text of its file.
    pub(super) fn text(&self) -> String {
        // It holds texts and numbers alone, and so can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The name of the file that a query is saved in.
pub(super) fn file_name(query: &str) -> String {
    format!("query-{}.json", hash(query))
}

fn hash(query: &str) -> String {
    Sha256::digest(query.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What sqlx's describe would say of a query; why that is not certain, as a fragment.
pub(super) fn describe(sql: &str, schema: &Schema, dialect: Dialect, sqlx: Sqlx) -> Result<Describe, String> {
    let query =
        resolve(sql, dialect, Some(schema)).map_err(|error| format!("not parsed: {}", error.message))?;
    let described = types::describe(&query, schema, dialect);
    if let Some(error) = described.errors.first() {
        return Err(format!("the database would refuse it: {}", error.message));
    }
    if let Some(why) = described.unknown {
        return Err(why);
    }
    let mut columns = Vec::new();
    for (ordinal, column) in described.columns.iter().enumerate() {
        columns.push(saved(ordinal, column, sqlx)?);
    }
    let mut parameters = Vec::new();
    for (at, parameter) in described.parameters.iter().enumerate() {
        match &parameter.ty {
            Known::Is(ty) => parameters.push(postgres::type_info(ty, sqlx)),
            Known::Unknown(why) => return Err(format!("parameter ${}: {why}", at + 1)),
        }
    }
    let nullable = described.columns.iter().map(|column| column.nullable).collect();
    Ok(Describe { columns, parameters: Parameters::Left(parameters), nullable })
}

fn saved(ordinal: usize, column: &Column, sqlx: Sqlx) -> Result<SavedColumn, String> {
    let ty = match &column.ty {
        Known::Is(ty) => ty,
        Known::Unknown(why) => return Err(format!("column `{}`: {why}", column.name)),
    };
    if !column.nullable_certain {
        return Err(format!("column `{}`: whether it can be NULL hangs on the server's plan", column.name));
    }
    let origin = match &column.origin {
        _ if !sqlx.has_origins() => None,
        Origin::Table { table, column } => {
            Some(SavedOrigin::Table { table: table.clone(), name: column.clone() })
        }
        Origin::Expression => Some(SavedOrigin::Expression),
        Origin::Unknown => return Err(format!("column `{}`: where it comes from is not known", column.name)),
    };
    Ok(SavedColumn { ordinal, name: column.name.clone(), type_info: postgres::type_info(ty, sqlx), origin })
}
