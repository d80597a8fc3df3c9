//! The Rust type that sqlx's macros choose for a database type, depending on sqlx's features and the
//! project's overrides.
//!
//! Types are written as paths from `sqlx`, or as given by the project.

use std::collections::{BTreeMap, BTreeSet};

use super::{Column, Known, Origin, SqlType, TypeKind};
use crate::sql::Dialect;

/// The settings that determine Rust types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RustTypes {
    /// The enabled features of sqlx: `uuid`, `chrono`, `json` ..
    pub features: BTreeSet<String>,
    /// The project's overrides.
    pub overrides: Overrides,
    /// Whether a column is an `Option` only where it is not proven that it is never NULL.
    pub is_proven: bool,
}

/// Type overrides of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// By the name of the SQL type, case-insensitively.
    pub types: BTreeMap<String, String>,
    /// By table and column.
    pub columns: BTreeMap<(String, String), String>,
    /// The crate for dates and times, `chrono` or `time`, if both are enabled.
    pub date_time: Option<String>,
    /// The crate for numbers, `bigdecimal` or `rust_decimal`, if both are enabled.
    pub numeric: Option<String>,
}

/// The error for a database type without a Rust type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRustType {
    /// The database type.
    pub sql: String,
    /// The features of sqlx, any of which would provide a Rust type; empty if none would.
    pub features: &'static [&'static str],
}

/// A Rust type, as returned for columns and as accepted for parameters.
struct Chosen {
    column: String,
    parameter: String,
}

impl RustTypes {
    /// The type that the values of a column are read as, ignoring NULL.
    ///
    /// # Errors
    ///
    /// If there is none. Do not call it for a column of unknown type.
    pub fn of_column(&self, dialect: Dialect, column: &Column) -> Result<String, NoRustType> {
        if let Origin::Table { table, column } = &column.origin
            && let Some(chosen) = self.overrides.columns.get(&(table.clone(), column.clone()))
        {
            return Ok(chosen.clone());
        }
        match &column.ty {
            Known::Is(ty) => self.chosen(dialect, ty).map(|chosen| chosen.column),
            Known::Unknown(_) => Err(NoRustType { sql: "unknown".to_owned(), features: &[] }),
        }
    }

    /// The type of a parameter: a reference for text, bytes and arrays.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of_parameter(&self, dialect: Dialect, ty: &SqlType) -> Result<String, NoRustType> {
        self.chosen(dialect, ty).map(|chosen| chosen.parameter)
    }

    fn chosen(&self, dialect: Dialect, ty: &SqlType) -> Result<Chosen, NoRustType> {
        if let Some((_, written)) =
            self.overrides.types.iter().find(|(name, _)| name.eq_ignore_ascii_case(&ty.name))
        {
            return Ok(Chosen { column: written.clone(), parameter: written.clone() });
        }
        if let TypeKind::Domain(base) = &ty.kind {
            return self.chosen(dialect, base);
        }
        if let TypeKind::Array(element) = &ty.kind {
            let element = self
                .chosen(dialect, element)
                .map_err(|missing| NoRustType { sql: ty.name.clone(), ..missing })?;
            return Ok(Chosen {
                column: format!("Vec<{}>", element.column),
                parameter: format!("&[{}]", element.column),
            });
        }
        let (name, of_either) = match dialect {
            Dialect::Postgres => postgres(&ty.name),
            Dialect::MySql => mysql(&ty.name),
            Dialect::Sqlite => sqlite(&ty.name),
        };
        let missing = |features| NoRustType { sql: ty.name.clone(), features };
        let column = match of_either {
            Written::Always(written) => written.to_owned(),
            Written::With(features) => {
                let on = features.iter().find(|(feature, _)| self.features.contains(*feature));
                on.map(|(_, written)| (*written).to_owned()).ok_or_else(|| missing(name))?
            }
            Written::DateTime { time, chrono } => {
                let of_time = self.prefers("time", "chrono", self.overrides.date_time.as_deref());
                let written = match of_time {
                    Some(true) => time,
                    Some(false) => chrono,
                    None => "",
                };
                (!written.is_empty()).then(|| written.to_owned()).ok_or_else(|| missing(name))?
            }
            Written::Numeric { bigdecimal, rust_decimal } => {
                match self.prefers("bigdecimal", "rust_decimal", self.overrides.numeric.as_deref()) {
                    Some(true) => bigdecimal.to_owned(),
                    Some(false) => rust_decimal.to_owned(),
                    None => return Err(missing(name)),
                }
            }
            Written::Never => return Err(missing(&[])),
        };
        let parameter = match column.as_str() {
            "String" => "&str".to_owned(),
            "Vec<u8>" => "&[u8]".to_owned(),
            _ => column.replace("chrono::DateTime<sqlx::types::chrono::Utc>", "chrono::DateTime<_>"),
        };
        Ok(Chosen { column, parameter })
    }

    /// Whether the first of two crates is used: the one that the project prefers, else the first that is
    /// enabled.
    fn prefers(&self, first: &str, second: &str, preferred: Option<&str>) -> Option<bool> {
        let is_on = |name: &str| self.features.contains(name);
        match preferred {
            Some(name) if name == first => is_on(first).then_some(true),
            Some(name) if name == second => is_on(second).then_some(false),
            _ if is_on(first) => Some(true),
            _ => is_on(second).then_some(false),
        }
    }
}

/// How a type is written.
enum Written {
    Always(&'static str),
    /// Depending on the first enabled feature among these.
    With(&'static [(&'static str, &'static str)]),
    /// Depending on `time` or `chrono`; empty if one of them has no such type.
    DateTime {
        time: &'static str,
        chrono: &'static str,
    },
    Numeric {
        bigdecimal: &'static str,
        rust_decimal: &'static str,
    },
    Never,
}

const DATE_TIME: &[&str] = &["chrono", "time"];
const NUMERIC: &[&str] = &["rust_decimal", "bigdecimal"];
const DECIMAL: Written =
    Written::Numeric { bigdecimal: "sqlx::types::BigDecimal", rust_decimal: "sqlx::types::Decimal" };
const JSON: Written = Written::With(&[("json", "sqlx::types::JsonValue")]);
const TIME: Written =
    Written::DateTime { time: "sqlx::types::time::Time", chrono: "sqlx::types::chrono::NaiveTime" };
const DATE: Written =
    Written::DateTime { time: "sqlx::types::time::Date", chrono: "sqlx::types::chrono::NaiveDate" };
const TIMESTAMP: Written = Written::DateTime {
    time: "sqlx::types::time::PrimitiveDateTime",
    chrono: "sqlx::types::chrono::NaiveDateTime",
};
const TIMESTAMPTZ: Written = Written::DateTime {
    time: "sqlx::types::time::OffsetDateTime",
    chrono: "sqlx::types::chrono::DateTime<sqlx::types::chrono::Utc>",
};

/// The required features, and how the type is written.
type Mapped = (&'static [&'static str], Written);

fn postgres(name: &str) -> Mapped {
    use Written::{Always, DateTime, Numeric, With};
    match name {
        "void" => (&[], Always("()")),
        "bool" => (&[], Always("bool")),
        "char" => (&[], Always("i8")),
        "int2" => (&[], Always("i16")),
        "int4" => (&[], Always("i32")),
        "int8" => (&[], Always("i64")),
        "float4" => (&[], Always("f32")),
        "float8" => (&[], Always("f64")),
        "text" | "varchar" | "bpchar" | "name" | "unknown" | "citext" => (&[], Always("String")),
        "bytea" => (&[], Always("Vec<u8>")),
        "oid" => (&[], Always("sqlx::postgres::types::Oid")),
        "interval" => (&[], Always("sqlx::postgres::types::PgInterval")),
        "money" => (&[], Always("sqlx::postgres::types::PgMoney")),
        "ltree" => (&[], Always("sqlx::postgres::types::PgLTree")),
        "lquery" => (&[], Always("sqlx::postgres::types::PgLQuery")),
        "cube" => (&[], Always("sqlx::postgres::types::PgCube")),
        "point" => (&[], Always("sqlx::postgres::types::PgPoint")),
        "line" => (&[], Always("sqlx::postgres::types::PgLine")),
        "lseg" => (&[], Always("sqlx::postgres::types::PgLSeg")),
        "box" => (&[], Always("sqlx::postgres::types::PgBox")),
        "path" => (&[], Always("sqlx::postgres::types::PgPath")),
        "polygon" => (&[], Always("sqlx::postgres::types::PgPolygon")),
        "circle" => (&[], Always("sqlx::postgres::types::PgCircle")),
        "hstore" => (&[], Always("sqlx::postgres::types::PgHstore")),
        "int4range" => (&[], Always("sqlx::postgres::types::PgRange<i32>")),
        "int8range" => (&[], Always("sqlx::postgres::types::PgRange<i64>")),
        "uuid" => (&["uuid"], With(&[("uuid", "sqlx::types::Uuid")])),
        "inet" | "cidr" => (
            &["ipnetwork", "ipnet"],
            With(&[
                ("ipnetwork", "sqlx::types::ipnetwork::IpNetwork"),
                ("ipnet", "sqlx::types::ipnet::IpNet"),
            ]),
        ),
        "macaddr" => (&["mac_address"], With(&[("mac_address", "sqlx::types::mac_address::MacAddress")])),
        "json" | "jsonb" => (&["json"], JSON),
        "bit" | "varbit" => (&["bit-vec"], With(&[("bit-vec", "sqlx::types::BitVec")])),
        "numeric" => (NUMERIC, DECIMAL),
        "numrange" => (
            NUMERIC,
            Numeric {
                bigdecimal: "sqlx::postgres::types::PgRange<sqlx::types::BigDecimal>",
                rust_decimal: "sqlx::postgres::types::PgRange<sqlx::types::Decimal>",
            },
        ),
        "time" => (DATE_TIME, TIME),
        "date" => (DATE_TIME, DATE),
        "timestamp" => (DATE_TIME, TIMESTAMP),
        "timestamptz" => (DATE_TIME, TIMESTAMPTZ),
        "timetz" => (
            DATE_TIME,
            DateTime {
                time: "sqlx::postgres::types::PgTimeTz<sqlx::types::time::Time, sqlx::types::time::UtcOffset>",
                chrono: "sqlx::postgres::types::PgTimeTz<sqlx::types::chrono::NaiveTime, sqlx::types::chrono::FixedOffset>",
            },
        ),
        "daterange" => (
            DATE_TIME,
            DateTime {
                time: "sqlx::postgres::types::PgRange<sqlx::types::time::Date>",
                chrono: "sqlx::postgres::types::PgRange<sqlx::types::chrono::NaiveDate>",
            },
        ),
        "tsrange" => (
            DATE_TIME,
            DateTime {
                time: "sqlx::postgres::types::PgRange<sqlx::types::time::PrimitiveDateTime>",
                chrono: "sqlx::postgres::types::PgRange<sqlx::types::chrono::NaiveDateTime>",
            },
        ),
        "tstzrange" => (
            DATE_TIME,
            DateTime {
                time: "sqlx::postgres::types::PgRange<sqlx::types::time::OffsetDateTime>",
                chrono: "sqlx::postgres::types::PgRange<sqlx::types::chrono::DateTime<sqlx::types::chrono::Utc>>",
            },
        ),
        _ => (&[], Written::Never),
    }
}

fn mysql(name: &str) -> Mapped {
    use Written::Always;
    match name {
        // sqlx maps a MEDIUMINT to the first integer type that accepts it.
        "BOOLEAN" | "TINYINT" | "MEDIUMINT" => (&[], Always("i8")),
        "SMALLINT" => (&[], Always("i16")),
        "INT" => (&[], Always("i32")),
        "BIGINT" => (&[], Always("i64")),
        "TINYINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "YEAR" | "BIT" => (&[], Always("u8")),
        "SMALLINT UNSIGNED" => (&[], Always("u16")),
        "INT UNSIGNED" => (&[], Always("u32")),
        "BIGINT UNSIGNED" => (&[], Always("u64")),
        "FLOAT" => (&[], Always("f32")),
        "DOUBLE" => (&[], Always("f64")),
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" => {
            (&[], Always("String"))
        }
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => (&[], Always("Vec<u8>")),
        "JSON" => (&["json"], JSON),
        "DECIMAL" => (NUMERIC, DECIMAL),
        "TIME" => (DATE_TIME, TIME),
        "DATE" => (DATE_TIME, DATE),
        "DATETIME" => (DATE_TIME, TIMESTAMP),
        "TIMESTAMP" => (DATE_TIME, TIMESTAMPTZ),
        _ => (&[], Written::Never),
    }
}

fn sqlite(name: &str) -> Mapped {
    use Written::{Always, DateTime};
    match name {
        "BOOLEAN" => (&[], Always("bool")),
        "INT4" => (&[], Always("i32")),
        "INTEGER" => (&[], Always("i64")),
        "REAL" => (&[], Always("f64")),
        "TEXT" => (&[], Always("String")),
        "BLOB" => (&[], Always("Vec<u8>")),
        "DATE" => (DATE_TIME, DATE),
        "DATETIME" => (
            DATE_TIME,
            DateTime {
                time: "sqlx::types::time::OffsetDateTime",
                chrono: "sqlx::types::chrono::NaiveDateTime",
            },
        ),
        _ => (&[], Written::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin(name: &str) -> SqlType {
        SqlType { name: name.to_owned(), kind: TypeKind::Builtin }
    }

    #[track_caller]
    fn check(features: &[&str], dialect: Dialect, ty: &SqlType, column: &str, parameter: &str) {
        let types = RustTypes {
            features: features.iter().map(|&feature| feature.to_owned()).collect(),
            overrides: Overrides::default(),
            is_proven: false,
        };
        let chosen = types.chosen(dialect, ty).map(|chosen| (chosen.column, chosen.parameter));
        assert_eq!(chosen, Ok((column.to_owned(), parameter.to_owned())));
    }

    #[test]
    fn the_types_of_sqlx() {
        let postgres = Dialect::Postgres;
        check(&[], postgres, &builtin("int8"), "i64", "i64");
        check(&[], postgres, &builtin("varchar"), "String", "&str");
        check(&[], postgres, &builtin("bytea"), "Vec<u8>", "&[u8]");
        let utc = "sqlx::types::chrono::DateTime<sqlx::types::chrono::Utc>";
        check(&["chrono"], postgres, &builtin("timestamptz"), utc, "sqlx::types::chrono::DateTime<_>");
        let offset = "sqlx::types::time::OffsetDateTime";
        check(&["chrono", "time"], postgres, &builtin("timestamptz"), offset, offset);
        let array = SqlType { name: "_text".to_owned(), kind: TypeKind::Array(Box::new(builtin("text"))) };
        check(&[], postgres, &array, "Vec<String>", "&[String]");
        let domain =
            SqlType { name: "email".to_owned(), kind: TypeKind::Domain(Box::new(builtin("citext"))) };
        check(&[], postgres, &domain, "String", "&str");
        check(
            &["rust_decimal"],
            Dialect::MySql,
            &builtin("DECIMAL"),
            "sqlx::types::Decimal",
            "sqlx::types::Decimal",
        );
        check(&[], Dialect::Sqlite, &builtin("INTEGER"), "i64", "i64");
    }

    #[test]
    fn a_type_without_one_names_the_feature() {
        let missing = RustTypes::default().of_parameter(Dialect::Postgres, &builtin("uuid"));
        assert_eq!(missing.map_err(|missing| missing.features), Err(&["uuid"][..]));
        let missing = RustTypes::default().of_parameter(Dialect::Postgres, &builtin("tsvector"));
        assert_eq!(missing.map_err(|missing| missing.features), Err(&[][..]));
    }

    #[test]
    fn what_the_project_chooses_goes_first() {
        let mut types = RustTypes::default();
        types.overrides.types.insert("ORDER_STATUS".to_owned(), "crate::OrderStatus".to_owned());
        types.features.extend(["chrono".to_owned(), "time".to_owned()]);
        types.overrides.date_time = Some("chrono".to_owned());
        let labels =
            SqlType { name: "order_status".to_owned(), kind: TypeKind::Enum(vec!["new".to_owned()]) };
        let chosen = |ty: &SqlType| types.of_parameter(Dialect::Postgres, ty);
        assert_eq!(chosen(&labels).as_deref(), Ok("crate::OrderStatus"));
        let many = SqlType { name: "order_status[]".to_owned(), kind: TypeKind::Array(Box::new(labels)) };
        assert_eq!(chosen(&many).as_deref(), Ok("&[crate::OrderStatus]"));
        assert_eq!(chosen(&builtin("date")).as_deref(), Ok("sqlx::types::chrono::NaiveDate"));
    }
}
