//! The types of a table that is made from a query: those in which a server stores what it computes.

use super::{Server, Wire, fields};
use crate::schema::Schema;
use crate::sql::Query;

/// The maximum number of bytes of a VARCHAR; longer texts are stored as TEXT.
const LONGEST: u32 = 65_535;
/// The maximum number of bytes of a character.
const CHARACTER: u32 = 4;

/// For each column of a query, the type that `CREATE TABLE .. AS` gives it, and whether it is NOT NULL; `None` if that is not
/// known. Where MySQL and MariaDB differ, it is that of MySQL.
pub fn stored_types(query: &Query, schema: &Schema) -> Vec<Option<(String, bool)>> {
    let mut stored: Vec<Option<(String, bool)>> = Vec::new();
    for server in [None, Some(Server::MySql), Some(Server::MariaDb)] {
        let wires = fields(query, schema, server).into_iter().map(|field| field.wire.ok());
        let types = wires.map(|wire| wire.and_then(|wire| Some((declared(&wire)?, wire.is_not_null()))));
        match stored.is_empty() {
            true => stored = types.collect(),
            false => stored.iter_mut().zip(types).for_each(|(known, ty)| *known = known.take().or(ty)),
        }
    }
    stored
}

/// The type of a column that stores such values; `None` if the labels of a list are not known.
fn declared(wire: &Wire) -> Option<String> {
    let ty = match wire.ty {
        "Null" => "binary(0)".to_owned(),
        "NewDecimal" => {
            let besides = u32::from(wire.scale > 0) + u32::from(!wire.is_unsigned());
            let unsigned = if wire.is_unsigned() { " unsigned" } else { "" };
            format!("decimal({},{}){unsigned}", wire.size.saturating_sub(besides), wire.scale)
        }
        "Tiny" if wire.size == 1 => "tinyint(1)".to_owned(),
        "Time" => with_fraction("time", wire.size, 10),
        "Datetime" => with_fraction("datetime", wire.size, 19),
        "Timestamp" => with_fraction("timestamp", wire.size, 19),
        "Bit" => format!("bit({})", wire.size),
        "String" | "VarString" if wire.is_list() => return None,
        "String" | "VarString" if wire.is_text => {
            let kind = if wire.ty == "String" { "char" } else { "varchar" };
            match wire.size {
                ..=LONGEST => format!("{kind}({})", wire.size / CHARACTER),
                size if size / CHARACTER <= LONGEST => "text".to_owned(),
                _ => "mediumtext".to_owned(),
            }
        }
        "String" | "VarString" if wire.size > LONGEST => "mediumblob".to_owned(),
        "String" => format!("binary({})", wire.size),
        "VarString" => format!("varbinary({})", wire.size),
        _ => wire.name().to_lowercase(),
    };
    Some(ty)
}

/// A type with the digits of a second that a size leaves room for.
fn with_fraction(ty: &str, size: u32, plain: u32) -> String {
    match size.saturating_sub(plain + 1) {
        0 => ty.to_owned(),
        digits => format!("{ty}({})", digits.min(6)),
    }
}
