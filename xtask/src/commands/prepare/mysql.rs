//! MySQL's and MariaDB's types as sqlx writes them.

use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types;
use query_budget_analysis::types::mysql::{Wire, wires};
use serde::Serialize;

use super::answer::{Answer, refused};
use super::form::{Column, Description, Origin, Parameters, TypeInfo};
use super::version::Version;

/// The collation number of values that are not text.
const BINARY: u16 = 63;
/// The collation number of text under `utf8mb4_unicode_ci`, which sqlx 0.8 and 0.7 request.
const UNICODE: u16 = 224;
/// The collation number of text on MariaDB when sqlx 0.9 leaves the choice to the server.
const GENERAL: u16 = 45;

/// A type: the server's description of a column.
#[derive(Debug, Serialize)]
pub(super) struct Type {
    /// The name of the protocol's type.
    #[serde(rename = "type")]
    ty: &'static str,
    /// The column's flags, joined by ` | `.
    flags: String,
    /// The collation's number in sqlx 0.7.
    #[serde(skip_serializing_if = "Option::is_none")]
    char_set: Option<u16>,
    /// The collation's number in sqlx 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    collation: Option<u16>,
    /// The maximum length of a value, in bytes.
    max_size: u32,
}

/// What is known about a query.
pub(super) fn answer(sql: &str, schema: &Schema, version: Version) -> Answer {
    let query = match resolve(sql, Dialect::MySql, Some(schema)) {
        Ok(query) => query,
        Err(error) => return Answer::Unknown(error.to_string()),
    };
    if let Some(problem) = query.problems.first() {
        return Answer::Unknown(format!("the database would refuse it: {}", refused(&problem.kind)));
    }
    let Some(root) = query.root else {
        return Answer::Unknown("it is no query".to_owned());
    };
    if query.block(root).outputs.is_none() {
        return Answer::Unknown("its columns are not known".to_owned());
    }
    let mut columns = Vec::new();
    for (name, wire, origin) in wires(&query, schema) {
        let origin = written_origin(origin);
        match wire {
            Ok(wire) => columns.push(Column {
                name,
                nullable: Some(!wire.is_not_null()),
                ty: TypeInfo::MySql(written(&wire, version)),
                origin,
            }),
            Err(why) => return Answer::Unknown(format!("column `{name}`: {why}")),
        }
    }
    Answer::Known(Description { columns, parameters: Parameters::Count(query.parameters) }, Vec::new())
}

/// The origin of a column. The server also names the database, which the schema does not contain.
fn written_origin(origin: types::Origin) -> Origin {
    match origin {
        types::Origin::Table { table, column } => Origin::Table { table, name: column },
        types::Origin::Expression => Origin::Expression,
        types::Origin::Unknown => Origin::Unknown,
    }
}

fn written(wire: &Wire, version: Version) -> Type {
    let of = |text: u16| if wire.is_text { text } else { BINARY };
    Type {
        ty: wire.ty,
        flags: wire.flag_names(),
        char_set: (!version.prints_types()).then_some(of(UNICODE)),
        collation: version.has_origins().then_some(of(GENERAL)),
        max_size: wire.size,
    }
}
