//! What each column and parameter of a query is, and whether a column can be NULL, from the schema alone.
//!
//! What is not known is said to be unknown, with the reason; nothing is guessed.

mod absent;
mod cast;
pub mod mysql;
mod postgres;
mod rust_types;
mod sqlite;
mod sqlx_variant;

pub use cast::row_type;
pub use rust_types::{NoRustType, Overrides, RustTypes};
pub use sqlx_variant::sqlx_variant;

use crate::schema::Schema;
use crate::sql::{Dialect, Query, Span};

/// The types of one query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Described {
    /// Its output columns in order; empty for a statement that returns none.
    pub columns: Vec<Column>,
    /// Its parameters in the order of their numbers.
    pub parameters: Vec<Parameter>,
    /// What the database would refuse; only what is certain.
    pub errors: Vec<TypeError>,
    /// Why the columns as a whole are not known, when that is so; `columns` is empty then.
    pub unknown: Option<String>,
}

/// Something that is known, or not, and then why not.
#[derive(Debug, Clone, PartialEq)]
pub enum Known<T> {
    /// It is known.
    Is(T),
    /// It is not; the reason is a lowercase fragment: ``the function `f` is not in the schema``.
    Unknown(String),
}

impl<T> Known<T> {
    /// What is known, if it is.
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
    /// The name that the database gives it; overrides (`"id!: Uuid"`) are part of it.
    pub name: String,
    /// Its type.
    pub ty: Known<SqlType>,
    /// Whether it can be NULL, as sqlx's own `describe` answers: `None` where it says nothing.
    pub nullable: Option<bool>,
    /// Whether `nullable` is certain; it is not where it hangs on which plan the server prefers.
    pub nullable_certain: bool,
    /// Whether it is proven that it is never NULL.
    pub proven_not_null: bool,
    /// Where its value comes from.
    pub origin: Origin,
    /// Why it can be NULL, or why it cannot, as a lowercase fragment: ``column `a.b` is nullable``.
    pub why: String,
}

/// Where the value of an output column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A column of a table or view.
    Table {
        /// The table as the schema names it, `schema.table` outside the default schema.
        table: String,
        /// The column.
        column: String,
    },
    /// Anything else that the query computes.
    Expression,
    /// It is not known.
    Unknown,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its type.
    pub ty: Known<SqlType>,
    /// What gives it its type, or why it has none, as a lowercase fragment: ``compared with `users.id` ``.
    pub why: String,
}

/// A type of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlType {
    /// The name. PostgreSQL: the catalog's for a type of its own (`int4`, `timestamptz`, `_int4` for an array of them),
    /// and what `oid::regtype` prints for others (`mood`, `app."Mood"`, `mood[]`). SQLite and MySQL: as sqlx prints it.
    pub name: String,
    /// What it is made of.
    pub kind: Kind,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A type that the database brings with it.
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
    /// A type that an extension makes.
    Extension,
}

/// Something that the database would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeError {
    /// What it says, in this project's words.
    pub message: String,
    /// Where it is in the SQL, where that is known.
    pub span: Option<Span>,
    /// What stands beside the place.
    pub label: &'static str,
    /// What to write instead.
    pub help: String,
}

/// Whether PostgreSQL, or an extension that the schema has, has a function or a type of this name.
pub(crate) fn has_function(name: &str, schema: &Schema) -> bool {
    postgres::has_function(name, schema)
}

/// The most parameters that a statement can have: the protocols of PostgreSQL and MySQL count them in 16 bits, and
/// SQLite allows fewer.
const MOST_PARAMETERS: usize = u16::MAX as usize;

/// The types of a query's columns and parameters.
pub fn describe(query: &Query, schema: &Schema, dialect: Dialect) -> Described {
    if query.parameters > MOST_PARAMETERS {
        // The number is one that somebody wrote (`$99999999999`), so that nothing may be made for each up to it.
        return Described {
            columns: Vec::new(),
            parameters: Vec::new(),
            errors: Vec::new(),
            unknown: Some(format!("it has {} parameters, and no database takes as many", query.parameters)),
        };
    }
    match dialect {
        Dialect::Postgres => postgres::describe(query, schema),
        Dialect::MySql => mysql::describe(query, schema),
        Dialect::Sqlite => sqlite::describe(query, schema),
    }
}

/// What the database refuses of a query that is sent with the types of what is bound to it, as `sqlx::query` does: only
/// PostgreSQL derives a parameter's type where it is given none.
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
