//! SQLite is asked itself: the schema in memory, and sqlx's own describe.

use query_budget_analysis::schema::{Schema, snapshot};
use sqlx::sqlite::{SqliteConnection, SqliteTypeInfo};
use sqlx::{AssertSqlSafe, Column, ColumnOrigin, Connection, Executor, SqlSafeStr};

use super::entry::{Describe, Parameters, SavedColumn, SavedOrigin};
use super::postgres::TypeInfo;
use super::version::Sqlx;
use crate::failure::Failure;

/// A database in memory that holds a schema and no rows.
pub(super) struct Memory(SqliteConnection);

impl Memory {
    /// Makes the database.
    pub(super) async fn of(schema: &Schema) -> Result<Memory, Failure> {
        let failed = |error: sqlx::Error| Failure::new("load the schema into SQLite").because(error);
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.map_err(failed)?;
        let ddl = snapshot::write(schema, None);
        sqlx::raw_sql(AssertSqlSafe(ddl)).execute(&mut connection).await.map_err(failed)?;
        Ok(Memory(connection))
    }

    /// What sqlx's describe says of a query; why it says nothing, as a fragment.
    pub(super) async fn describe(&mut self, sql: &str, sqlx: Sqlx) -> Result<Describe, String> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let described = self.0.describe(sql).await.map_err(|error| error.to_string())?;
        let columns = described.columns.iter().map(|column| SavedColumn {
            ordinal: column.ordinal(),
            name: column.name().to_owned(),
            type_info: saved_name(column.type_info()),
            origin: sqlx.has_origins().then(|| match column.origin() {
                ColumnOrigin::Table(origin) => {
                    SavedOrigin::Table { table: origin.table.to_string(), name: origin.name.to_string() }
                }
                ColumnOrigin::Expression => SavedOrigin::Expression,
                ColumnOrigin::Unknown => SavedOrigin::Unknown,
            }),
        });
        let columns = columns.collect();
        let count = match described.parameters() {
            Some(either) => either.either(<[_]>::len, |count| count),
            None => 0,
        };
        Ok(Describe { columns, parameters: Parameters::Right(count), nullable: described.nullable })
    }
}

/// A type by the name under which sqlx saves it.
fn saved_name(ty: &SqliteTypeInfo) -> TypeInfo {
    let saved = serde_json::to_value(ty).ok();
    TypeInfo::Known(saved.and_then(|saved| saved.as_str().map(str::to_owned)).unwrap_or_default())
}
