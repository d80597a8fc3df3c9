//! The types of a query's columns and parameters, and whether a column can be NULL, derived from the schema
//! alone.
//!
//! What is unknown is reported as unknown, with the reason; nothing is guessed.

mod cast;
mod generated;
mod listed;
pub mod mysql;
mod postgres;
mod rust_types;
mod slip;
mod sqlite;
mod sqlx_variant;

pub use cast::row_type;
pub use rust_types::{NoRustType, Overrides, RustTypes};
pub use sqlx_variant::sqlx_variant;

use crate::schema::Schema;
use crate::sql::answers::Answers;
use crate::sql::{Dialect, Query, Span};

/// The types of one query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Described {
    /// Its output columns, in order; empty for a statement that returns none.
    pub columns: Vec<Column>,
    /// Its parameters, in the order of their numbers.
    pub parameters: Vec<Parameter>,
    /// Errors that the database would raise; only certain ones.
    pub errors: Vec<TypeError>,
    /// Why the columns as a whole are unknown, if they are; `columns` is then empty.
    pub unknown: Option<String>,
    /// Whether the nullability of columns is taken from one of several plans, by what they cost.
    pub weighs: bool,
}

/// A known value, or the reason why it is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Known<T> {
    /// Known.
    Is(T),
    /// Unknown; the reason is a lowercase fragment: ``the function `f` is not in the schema``.
    Unknown(String),
}

impl<T> Known<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Known::Is(value) => Some(value),
            Known::Unknown(_) => None,
        }
    }
}

/// An output column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name that the database gives it, including overrides (`"id!: Uuid"`).
    pub name: String,
    /// Its type.
    pub ty: Known<SqlType>,
    /// Whether it can be NULL, according to sqlx's `describe`; `None` if that does not say.
    pub nullable: Option<bool>,
    /// Whether `nullable` is certain; it is not if it depends on the server's choice of plan.
    pub nullable_certain: bool,
    /// Whether it is proven never to be NULL.
    pub proven_not_null: bool,
    /// The origin of its value.
    pub origin: Origin,
    /// Why it can or cannot be NULL, as a lowercase fragment: ``column `a.b` is nullable``.
    pub why: String,
}

/// The origin of an output column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A column of a table or view.
    Table {
        /// The table as named in the schema, `schema.table` outside the default schema.
        table: String,
        /// The column as named in the schema.
        column: String,
    },
    /// A computed value.
    Expression,
    /// Not determined: the query could not be followed that far.
    Unknown,
}

/// The type of a parameter, as far as the query determines it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its type.
    pub ty: Known<SqlType>,
    /// What determines its type, or why it has none, as a lowercase fragment: ``compared with `users.id` ``.
    pub why: String,
}

/// A type of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlType {
    /// The name. PostgreSQL: the catalog's for a built-in type (`int4`, `timestamptz`, `_int4` for an array),
    /// and the output of `oid::regtype` for others (`mood`, `app."Mood"`, `mood[]`). SQLite and MySQL: as
    /// printed by sqlx.
    pub name: String,
    /// Its structure.
    pub kind: TypeKind,
}

/// The structure of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// A built-in type.
    Builtin,
    /// A pseudo-type: `record`, `void`.
    Pseudo,
    /// An array of another type.
    Array(Box<SqlType>),
    /// An enum with its labels in order.
    Enum(Vec<String>),
    /// A composite type, or the row of a table, with its fields in order.
    Composite(Vec<(String, SqlType)>),
    /// A domain over another type.
    Domain(Box<SqlType>),
    /// A range of another type.
    Range(Box<SqlType>),
    /// A type from an extension.
    Extension,
}

/// An error that the database would raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// The message, in this project's words.
    pub message: String,
    /// Its position in the SQL, if known.
    pub span: Option<Span>,
    /// The label at the position.
    pub label: &'static str,
    /// What to write instead.
    pub help: String,
}

/// Whether PostgreSQL, or an extension in the schema, has a function or a type with this name.
pub(crate) fn has_function(name: &str, schema: &Schema) -> bool {
    postgres::has_function(name, schema)
}

/// The maximum number of parameters of a statement: the protocols of PostgreSQL and MySQL count them in 16
/// bits, and SQLite allows fewer.
const MOST_PARAMETERS: usize = u16::MAX as usize;

/// How PostgreSQL plans a statement whose plan sqlx reads to find the columns that outer joins leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// With NULL for each parameter, as the macros of sqlx before 0.9 have it, and `describe` at run time.
    ForNulls,
    /// For any values of the parameters, as the macros of sqlx 0.9 have it.
    ForAny,
    /// Not at all: which columns can be NULL is not asked.
    Never,
}

/// The types of a query's columns and parameters, as the database describes them to the macros of sqlx 0.9.
pub fn describe(query: &Query, schema: &Schema, dialect: Dialect) -> Described {
    describe_planned(query, schema, dialect, Planned::ForAny)
}

/// The types of a query's columns and parameters, whose statement is planned in one way or the other.
pub fn describe_planned(query: &Query, schema: &Schema, dialect: Dialect, planned: Planned) -> Described {
    if query.parameters > MOST_PARAMETERS {
        // The number was written by hand (`$99999999999`), so nothing may be allocated for each parameter up
        // to it.
        return Described {
            columns: Vec::new(),
            parameters: Vec::new(),
            errors: Vec::new(),
            unknown: Some(format!("it has {} parameters, and no database takes as many", query.parameters)),
            weighs: false,
        };
    }
    let mut described = match dialect {
        Dialect::Postgres => postgres::describe(query, schema, planned),
        Dialect::MySql => mysql::describe(query, schema),
        Dialect::Sqlite => sqlite::describe(query, schema),
    };
    if dialect != Dialect::Postgres {
        described.errors.extend(listed::errors(query, schema, dialect));
    }
    if query.root.is_some() { described } else { command(query, described) }
}

/// The description of a statement that is not a query, whose columns do not depend on the schema.
fn command(query: &Query, mut described: Described) -> Described {
    match &query.answers {
        // What a procedure gives back is in the schema.
        Answers::Nothing | Answers::Procedure(_) => {}
        Answers::Unknown(why) => described.unknown = Some((*why).to_owned()),
        Answers::Columns(columns) => described.columns = columns.iter().map(of_command).collect(),
    }
    described
}

fn of_command((name, ty): &(String, &str)) -> Column {
    Column {
        name: name.clone(),
        ty: Known::Is(SqlType { name: (*ty).to_owned(), kind: TypeKind::Builtin }),
        nullable: None,
        nullable_certain: true,
        proven_not_null: false,
        origin: Origin::Expression,
        why: "it is what a command reports".to_owned(),
    }
}

/// The errors for a query that is sent with the types of its bound values, as `sqlx::query` does: PostgreSQL
/// only derives the type of a parameter if none is given.
pub fn errors_when_bound(query: &Query, schema: &Schema, dialect: Dialect) -> Vec<TypeError> {
    match dialect {
        Dialect::Postgres if query.parameters <= MOST_PARAMETERS => {
            postgres::errors_when_bound(query, schema)
        }
        _ => describe(query, schema, dialect).errors,
    }
}

#[cfg(test)]
mod tests {
    use super::describe;
    use crate::schema::Schema;
    use crate::sql::{Dialect, resolve};

    #[test]
    fn the_number_of_a_parameter_costs_no_memory() {
        for (dialect, mark) in [(Dialect::Postgres, '$'), (Dialect::MySql, '?'), (Dialect::Sqlite, '?')] {
            for number in [1_usize, 65_535, 65_536, 4_294_967_295] {
                let sql = format!("SELECT {mark}{number}");
                let query = resolve(&sql, dialect, None).expect("it parses");
                assert_eq!(query.parameters, number, "{dialect}: {sql}");
                let described = describe(&query, &Schema::new(dialect), dialect);
                let told = described.unknown.is_some_and(|why| why.contains("no database takes"));
                assert_eq!(told, number > 65_535, "{dialect}: {sql}");
                assert_eq!(described.parameters.len(), if told { 0 } else { number }, "{dialect}: {sql}");
            }
        }
    }
}
