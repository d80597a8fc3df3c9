//! What sqlx reports about a SQLite query: the schema is loaded into memory, and sqlx's own `describe` is
//! run, that of 0.9 or of 0.8. They follow the same bytecode by different rules, and often disagree on whether a
//! value can be NULL.

use std::path::Path;

use query_budget_analysis::schema::{Schema, snapshot};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::Lexer;
use query_budget_analysis::sql::split::statements;
use sqlx::sqlite::{SqliteColumn, SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions, Either, Executor, SqlSafeStr, Statement as _, TypeInfo as _,
};

use super::answer::Answer;
use super::form::{Column, Description, Origin, Parameters, TypeInfo};
use super::sqlite_08::{Described, Older};
use super::version::Version;
use super::wanted::scripts;
use crate::failure::Failure;
use crate::live::block_on;

/// An in-memory database with the schema and no rows.
pub(super) struct Sqlite {
    connection: SqliteConnection,
    older: Older,
}

impl Sqlite {
    /// Creates one from the migrations or the snapshot at `source`; from the known schema if these cannot be
    /// run.
    pub(super) fn load(schema: &Schema, source: Option<&Path>, base: &Path) -> Result<Sqlite, Failure> {
        let scripts = scripts(source, base, Dialect::Sqlite)?;
        block_on(async {
            if let Some(connection) = run(&scripts).await? {
                return Ok(Sqlite { connection, older: Older::load(&scripts).await? });
            }
            let snapshot = [snapshot::write(schema, None)];
            match run(&snapshot).await? {
                Some(connection) => Ok(Sqlite { connection, older: Older::load(&snapshot).await? }),
                None => Err(Failure::new("load the schema into SQLite")
                    .help("write a snapshot with `cargo query-budget schema`")),
            }
        })
    }

    /// What sqlx reports about a query.
    pub(super) fn describe(&mut self, sql: &str, version: Version) -> Result<Answer, Failure> {
        // sqlx executes a read-only statement, and SQLite considers this one read-only.
        let mut lexer = Lexer::new(sql, Dialect::Sqlite);
        lexer.skip_blank();
        let word = sql.get(lexer.position()..).unwrap_or_default().trim_start_matches(';').trim_start();
        if word.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("attach")) {
            return Ok(Answer::Unknown("it attaches a database".to_owned()));
        }
        let older = if version.describes_as_08() { self.older.describe(sql)? } else { None };
        match self.untyped(sql)? {
            Ok(None) => {}
            // Version 0.8 returns NULL for such a column, and reads nothing that is not there.
            Ok(Some(_))
                if let Some(older) = &older
                    && !version.has_wide_integers()
                    && !version.has_origins() =>
            {
                return self.prepared(sql, older, version);
            }
            Ok(Some(column)) => {
                let why = format!("sqlx cannot describe the column `{column}` without a declared type");
                return Ok(Answer::Unknown(why));
            }
            Err(error) => return Ok(Answer::Unknown(format!("SQLite refuses it: {}", reason(&error)))),
        }
        let described =
            block_on(async { Ok((&mut self.connection).describe(AssertSqlSafe(sql).into_sql_str()).await) })?;
        let described = match described {
            Ok(described) => described,
            Err(error) => return Ok(Answer::Unknown(format!("SQLite refuses it: {}", reason(&error)))),
        };
        // 0.8 returns NULL where it cannot follow the bytecode, and 0.7 follows it further.
        let is_lost = |columns: &Vec<Described>| columns.iter().any(|(ty, _)| ty == "NULL");
        if version.has_wide_integers() && older.as_ref().is_some_and(is_lost) {
            return Ok(Answer::Unknown("sqlx 0.7 finds types that 0.8 does not".to_owned()));
        }
        let columns = described.columns.iter().enumerate().map(|(at, column)| {
            let own = || (column.type_info().name().to_owned(), described.nullable(at));
            let older = older.as_ref().and_then(|columns| columns.get(at).cloned());
            known(column, older.unwrap_or_else(own), version)
        });
        Ok(answer(columns.collect(), described.parameters()))
    }

    /// The answer for a query that only version 0.8 of sqlx can describe.
    fn prepared(&mut self, sql: &str, older: &[Described], version: Version) -> Result<Answer, Failure> {
        block_on(async {
            let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
            let prepared = match (&mut self.connection).prepare(text).await {
                Ok(prepared) => prepared,
                Err(error) => return Ok(Answer::Unknown(format!("SQLite refuses it: {}", reason(&error)))),
            };
            let both = prepared.columns().iter().zip(older);
            let columns: Vec<_> =
                both.map(|(column, described)| known(column, described.clone(), version)).collect();
            if columns.len() != older.len() {
                return Ok(Answer::Unknown("versions of sqlx disagree on its columns".to_owned()));
            }
            Ok(answer(columns, prepared.parameters()))
        })
    }

    /// A column that a query returns and that has no declared type. sqlx's `describe` must not be run then: it reads
    /// out of bounds, and ends the process. SQLite's own word counts, since a query returns such columns of tables that
    /// no statement creates (`sqlite_sequence`, `sqlite_stat1`, those of a module).
    fn untyped(&mut self, sql: &str) -> Result<Result<Option<String>, sqlx::Error>, Failure> {
        block_on(async {
            let mut texts = vec![sql];
            let pieces = statements(sql, Dialect::Sqlite);
            // What SQLite prepares has the columns of one of its statements.
            if pieces.len() > 1 {
                texts.extend(pieces.iter().map(|piece| piece.text));
            }
            for text in texts {
                let prepared =
                    (&mut self.connection).prepare(AssertSqlSafe(text.to_owned()).into_sql_str()).await;
                let columns = match prepared {
                    Ok(prepared) => prepared.columns().to_vec(),
                    Err(error) => return Ok(Err(error)),
                };
                for column in columns {
                    let Origin::Table { table, name } = origin(&column) else { continue };
                    if column.type_info().is_null() && self.is_untyped(&table, &name).await {
                        return Ok(Ok(Some(format!("{table}.{name}"))));
                    }
                }
            }
            Ok(Ok(None))
        })
    }

    /// Whether a column of a table, possibly of a database other than `main`, has no declared type; so it seems if that
    /// cannot be determined.
    async fn is_untyped(&mut self, table: &str, column: &str) -> bool {
        let mut tables = vec![(None, table)];
        tables.extend(table.split_once('.').map(|(database, table)| (Some(database), table)));
        for (database, table) in tables {
            let asked =
                "SELECT count(*) FROM pragma_table_xinfo(?, ?) WHERE name = ? COLLATE NOCASE AND type = ''";
            let asked = sqlx::query_scalar::<_, i64>(asked).bind(table).bind(database).bind(column);
            if asked.fetch_one(&mut self.connection).await.map_or(true, |count| count > 0) {
                return true;
            }
        }
        false
    }
}

fn known(column: &SqliteColumn, (ty, nullable): Described, version: Version) -> Column {
    Column {
        name: column.name().to_owned(),
        ty: TypeInfo::Sqlite(variant(&ty, column, version)),
        nullable,
        origin: origin(column),
    }
}

fn answer(
    columns: Vec<Column>,
    parameters: Option<Either<&[sqlx::sqlite::SqliteTypeInfo], usize>>,
) -> Answer {
    let count = match parameters {
        Some(Either::Left(types)) => types.len(),
        Some(Either::Right(count)) => count,
        None => 0,
    };
    Answer::Known(Description { columns, parameters: Parameters::Count(count) }, Vec::new())
}

/// An in-memory database after these scripts; `None` if one of them fails.
async fn run(scripts: &[String]) -> Result<Option<SqliteConnection>, Failure> {
    let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
    let connection = options.connect().await;
    let mut connection = connection.map_err(|error| Failure::new("open SQLite").because(error))?;
    for script in scripts {
        let script = AssertSqlSafe(script.as_str()).into_sql_str();
        if (&mut connection).execute(sqlx::raw_sql(script)).await.is_err() {
            return Ok(None);
        }
    }
    Ok((!scripts.is_empty()).then_some(connection))
}

fn reason(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// The name of sqlx's variant for the type of a column.
fn variant(ty: &str, column: &SqliteColumn, version: Version) -> String {
    let name = match ty {
        "NULL" => "Null",
        "TEXT" => "Text",
        "REAL" => "Float",
        "BLOB" => "Blob",
        "NUMERIC" => "Numeric",
        "BOOLEAN" => "Bool",
        "DATE" => "Date",
        "TIME" => "Time",
        "DATETIME" => "Datetime",
        _ if version.has_wide_integers() => match origin(column) {
            Origin::Table { .. } => "Int64",
            Origin::Expression | Origin::Unknown => "Int",
        },
        _ => "Integer",
    };
    name.to_owned()
}

fn origin(column: &SqliteColumn) -> Origin {
    use sqlx::ColumnOrigin;
    match column.origin() {
        ColumnOrigin::Table(of) => Origin::Table { table: of.table.to_string(), name: of.name.to_string() },
        ColumnOrigin::Expression => Origin::Expression,
        ColumnOrigin::Unknown => Origin::Unknown,
    }
}
