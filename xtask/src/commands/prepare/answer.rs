//! What is known about a query, depending on its dialect.

use std::path::{Path, PathBuf};

use query_budget_analysis::schema::{Schema, Table};
use query_budget_analysis::sql::explain::{self, Explain};
use query_budget_analysis::sql::expr::{ColumnRef, Expr};
use query_budget_analysis::sql::query::{Body, ProblemKind, Source};
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{Known, Origin, SqlType, TypeKind, describe_planned};

use super::form::{Column, Description, Parameters, TypeInfo};
use super::measured::Measured;
use super::sqlite::Sqlite;
use super::version::Version;
use super::wanted::{Folder, Wanted, scripts};
use super::{mysql, postgres};
use crate::failure::Failure;

/// What is known about a query.
pub(super) enum Answer {
    /// The description that sqlx would give, and the columns whose nullability is uncertain.
    Known(Description, Vec<usize>),
    /// Unknown, with the reason.
    Unknown(String),
}

/// The databases behind a folder of entries.
pub(super) struct Databases<'f> {
    folder: &'f Folder,
    base: &'f Path,
    /// Those of SQLite in memory, by the source of their schema.
    sqlite: Vec<(Option<PathBuf>, Sqlite)>,
    /// MySQL or MariaDB, if it is known which, by the source of their schema.
    servers: Vec<(Option<PathBuf>, mysql::Asked)>,
    /// The tables of PostgreSQL that are measured, by the source of their schema.
    measured: Vec<(Option<PathBuf>, Measured)>,
}

impl<'f> Databases<'f> {
    pub(super) fn of(folder: &'f Folder, base: &'f Path) -> Databases<'f> {
        Databases { folder, base, sqlite: Vec::new(), servers: Vec::new(), measured: Vec::new() }
    }

    /// What is known about a query, in the form of a version of sqlx.
    pub(super) fn answer(&mut self, wanted: &Wanted) -> Result<Answer, Failure> {
        let (version, base) = (self.folder.version, self.base);
        let Some(schema) = &wanted.project.schema else {
            return Ok(Answer::Unknown("the schema is not known".to_owned()));
        };
        if let Some(why) = open_star(&wanted.sql, schema) {
            return Ok(Answer::Unknown(why));
        }
        match wanted.project.dialect {
            Dialect::Postgres => {
                let is_measured = self.is_measured(wanted, schema);
                Ok(postgres_answer(&wanted.sql, schema, version, is_measured))
            }
            Dialect::MySql => Ok(mysql::answer(&wanted.sql, schema, &self.asked(wanted), version)),
            Dialect::Sqlite => {
                let at = self.sqlite.iter().position(|(source, _)| *source == wanted.source);
                let at = match at {
                    Some(at) => at,
                    None => {
                        let sqlite = Sqlite::load(schema, wanted.source.as_deref(), base)?;
                        self.sqlite.push((wanted.source.clone(), sqlite));
                        self.sqlite.len() - 1
                    }
                };
                match self.sqlite.get_mut(at) {
                    Some((_, sqlite)) => sqlite.describe(&wanted.sql, version),
                    None => Ok(Answer::Unknown("the schema is not loaded".to_owned())),
                }
            }
        }
    }
}

impl Databases<'_> {
    /// What is known about the database of MySQL or MariaDB that a query is for.
    fn asked(&mut self, wanted: &Wanted) -> mysql::Asked {
        if let Some((_, known)) = self.servers.iter().find(|(source, _)| *source == wanted.source) {
            return known.clone();
        }
        let asked = mysql::asked(self.folder, wanted.source.as_deref(), self.base);
        self.servers.push((wanted.source.clone(), asked.clone()));
        asked
    }

    /// Whether the plan of a query on PostgreSQL depends on the rows that migrations insert.
    fn is_measured(&mut self, wanted: &Wanted, schema: &Schema) -> bool {
        let at = self.measured.iter().position(|(source, _)| *source == wanted.source);
        let at = at.unwrap_or_else(|| {
            // A snapshot has no rows.
            let source = wanted.project.migrations.as_deref().or(wanted.source.as_deref());
            let texts = scripts(source, self.base, Dialect::Postgres).unwrap_or_default();
            self.measured.push((wanted.source.clone(), Measured::of(&texts)));
            self.measured.len() - 1
        });
        let Some((_, measured)) = self.measured.get(at) else { return false };
        resolve(&wanted.sql, Dialect::Postgres, Some(schema))
            .is_ok_and(|query| measured.matters_to(&query, schema))
    }
}

/// Why the columns that a `*` stands for are not known: migrations add columns to tables that are chosen at run time.
fn open_star(sql: &str, schema: &Schema) -> Option<String> {
    if schema.loose_columns.is_empty() {
        return None;
    }
    let query = resolve(sql, schema.dialect, Some(schema)).ok()?;
    let lists = query.written_blocks().flat_map(|(_, block)| match &block.body {
        Body::Select(select) => select.projection.as_slice(),
        Body::Write(write) => write.returning.as_deref().unwrap_or_default(),
        _ => &[],
    });
    // Only the columns of a `*` have no position.
    let of_star = |expr: &Expr| match expr {
        Expr::Column(ColumnRef { relation: Some(id), span: None, .. }) => match &query.relation(*id).source {
            Source::Table(name) => schema.tables.get(name),
            _ => None,
        },
        _ => None,
    };
    let may_have = |table: &&Table| {
        schema.loose_columns.keys().any(|loose| loose.is_empty() || table.column(loose).is_none())
    };
    let table = lists.filter_map(of_star).find(may_have)?;
    Some(format!("`*` of `{}`: a migration adds columns to tables that are not known", table.name))
}

/// What the engine knows about a PostgreSQL query. If it reads tables that are measured, what plans cost is not known.
fn postgres_answer(sql: &str, schema: &Schema, version: Version, is_measured: bool) -> Answer {
    let query = match resolve(sql, Dialect::Postgres, Some(schema)) {
        Ok(query) => query,
        Err(error) => return Answer::Unknown(error.to_string()),
    };
    if let Some(problem) = query.problems.first() {
        return Answer::Unknown(format!("the database would refuse it: {}", refused(&problem.kind)));
    }
    if let (None, Some(explain)) = (query.root, explain::explain(sql)) {
        return explained(&explain, schema, version);
    }
    let described = describe_planned(&query, schema, Dialect::Postgres, version.planned());
    if let Some(error) = described.errors.first() {
        return Answer::Unknown(format!("the database would refuse it: {}", error.message));
    }
    if let Some(why) = described.unknown {
        return Answer::Unknown(why);
    }
    let mut doubts = Vec::new();
    let mut columns = Vec::new();
    for (at, column) in described.columns.into_iter().enumerate() {
        let ty = match &column.ty {
            Known::Is(ty) => postgres::written(ty, version),
            Known::Unknown(why) => return Answer::Unknown(format!("column `{}`: {why}", column.name)),
        };
        if !column.nullable_certain || is_measured && described.weighs && column.nullable.is_some() {
            doubts.push(at);
        }
        columns.push(Column {
            ty: TypeInfo::Postgres(ty),
            nullable: column.nullable,
            origin: postgres::origin(&column.origin),
            name: column.name,
        });
    }
    let mut parameters = Vec::new();
    for (number, parameter) in (1..).zip(described.parameters) {
        match &parameter.ty {
            Known::Is(ty) => parameters.push(postgres::written(ty, version)),
            Known::Unknown(why) => return Answer::Unknown(format!("parameter ${number}: {why}")),
        }
    }
    Answer::Known(Description { columns, parameters: Parameters::Types(parameters) }, doubts)
}

/// Describes an EXPLAIN.
fn explained(explain: &Explain<'_>, schema: &Schema, version: Version) -> Answer {
    let parameters = match postgres_answer(explain.statement, schema, version, false) {
        Answer::Known(description, _) => description.parameters,
        unknown @ Answer::Unknown(_) => return unknown,
    };
    let ty = SqlType { name: explain.ty.to_owned(), kind: TypeKind::Builtin };
    let plan = Column {
        name: explain::COLUMN.to_owned(),
        ty: TypeInfo::Postgres(postgres::written(&ty, version)),
        nullable: None,
        origin: postgres::origin(&Origin::Expression),
    };
    Answer::Known(Description { columns: vec![plan], parameters }, Vec::new())
}

pub(super) fn refused(problem: &ProblemKind) -> String {
    match problem {
        ProblemKind::UnknownTable { name, .. } => format!("there is no table `{name}`"),
        ProblemKind::UnknownColumn { column, .. } => format!("there is no column `{column}`"),
        ProblemKind::UnknownField { field, .. } => format!("there is no field `{field}`"),
        ProblemKind::Clause { message, .. } | ProblemKind::Foreign { message, .. } => message.clone(),
        ProblemKind::AmbiguousColumn { column, .. } => format!("`{column}` is ambiguous"),
        ProblemKind::ValuesCount { table, .. } => {
            format!("there are more or fewer values than columns of `{table}`")
        }
    }
}
