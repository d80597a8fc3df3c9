//! What both MySQL and MariaDB report about a value, as far as its Rust type depends on it.

use super::Wire;
use crate::types::Origin;

/// The class of a value, on which operators and functions depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Int,
    Decimal,
    Double,
    Text,
    Bytes,
    /// A date, time or both, by name.
    Time(&'static str),
    /// NULL itself.
    Null,
    /// Unknown, or something else.
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) class: Class,
    /// The type by sqlx's name, or why it is unknown.
    pub(super) name: Result<&'static str, String>,
    /// Whether it can be NULL according to the servers; whether both agree on that; and whether it is proven
    /// never to be.
    pub(super) nullable: bool,
    pub(super) is_certain: bool,
    pub(super) proven_not_null: bool,
    pub(super) origin: Origin,
    pub(super) is_absent: bool,
}

/// Why an integer has no type here: no cast of it to an integer has one either.
pub const WIDTHS: &str = "MySQL and MariaDB return integers of different widths for it";

impl Value {
    pub(super) fn of(class: Class, name: &'static str, nullable: bool) -> Value {
        Value {
            class,
            name: Ok(name),
            nullable,
            is_certain: true,
            proven_not_null: !nullable,
            origin: Origin::Expression,
            is_absent: false,
        }
    }

    pub(super) fn unknown(why: impl Into<String>) -> Value {
        Value {
            name: Err(why.into()),
            is_certain: false,
            proven_not_null: false,
            ..Value::of(Class::Other, "", true)
        }
    }

    /// An integer whose width differs between the servers.
    pub(super) fn integer(nullable: bool) -> Value {
        Value { name: Err(WIDTHS.to_owned()), ..Value::of(Class::Int, "", nullable) }
    }

    /// A text that one server treats as nullable and the other may not.
    pub(super) fn text() -> Value {
        Value { is_certain: false, ..Value::of(Class::Text, "VARCHAR", true) }
    }

    pub(super) fn of_wire(wire: &Wire, origin: Origin) -> Value {
        let name = wire.name();
        let class = match name {
            // As a number it is the bits of its members.
            "CHAR" if wire.is_list() => Class::Other,
            _ if wire.is_text => Class::Text,
            "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "TINYINT UNSIGNED"
            | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" | "BIGINT UNSIGNED" | "YEAR"
            | "BIT" => Class::Int,
            "DECIMAL" => Class::Decimal,
            "FLOAT" | "DOUBLE" => Class::Double,
            "DATE" | "TIME" | "DATETIME" | "TIMESTAMP" => Class::Time(name),
            "BINARY" | "VARBINARY" | "BLOB" => Class::Bytes,
            _ => Class::Other,
        };
        Value { origin, ..Value::of(class, name, !wire.is_not_null()) }
    }

    /// The value, now possibly NULL.
    pub(super) fn or_null(self) -> Value {
        Value { nullable: true, proven_not_null: false, ..self }
    }

    /// The value, now possibly NULL, with MySQL and MariaDB differing on whether it is.
    pub(super) fn doubtful(self) -> Value {
        Value { is_certain: false, origin: Origin::Expression, ..self.or_null() }
    }

    /// The value as the result of a computation rather than a column.
    pub(super) fn computed(self) -> Value {
        Value { origin: Origin::Expression, ..self }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Ok(name)
    }

    /// Whether it is an integer that every server computes in 64 bits.
    pub(super) fn is_wide(&self) -> bool {
        ["INT", "BIGINT", "INT UNSIGNED", "BIGINT UNSIGNED"].into_iter().any(|name| self.is(name))
    }

    pub(super) fn is_unsigned(&self) -> bool {
        matches!(self.name, Ok(name) if name.ends_with("UNSIGNED"))
    }

    /// Whether it is a number of a kind of its own.
    pub(super) fn is_odd(&self) -> bool {
        ["YEAR", "BIT", "ENUM", "SET"].into_iter().any(|name| self.is(name))
    }

    /// The value of an expression that returns this value or another.
    pub(super) fn or(self, other: Value) -> Value {
        let (class, name) = self.common(&other);
        Value {
            class,
            name,
            nullable: self.nullable || other.nullable,
            is_certain: self.is_certain && other.is_certain,
            proven_not_null: self.proven_not_null && other.proven_not_null,
            origin: Origin::Expression,
            is_absent: self.is_absent || other.is_absent,
        }
    }

    fn common(&self, other: &Value) -> (Class, Result<&'static str, String>) {
        let differ = || Err(WIDTHS.to_owned());
        let is_number = |value: &Value| value.class == Class::Int;
        if is_number(self) && self.is_odd() || is_number(other) && other.is_odd() {
            return (
                Class::Other,
                Err("the servers return different types for this type with another".to_owned()),
            );
        }
        match (self.class, other.class) {
            (Class::Null, Class::Int) if other.is_unsigned() => (Class::Other, differ()),
            (Class::Int, Class::Null) if self.is_unsigned() => (Class::Other, differ()),
            (Class::Null, class) => (class, other.name.clone()),
            (class, Class::Null) => (class, self.name.clone()),
            (Class::Int, Class::Int) => {
                let name = match (&self.name, &other.name) {
                    (Ok(one), Ok(other)) if one == other && !matches!(*one, "YEAR" | "BIT" | "BOOLEAN") => {
                        Ok(*one)
                    }
                    // A literal is at most 64 bits wide, and both servers widen to the other type.
                    _ if self.is("BIGINT") && !other.is_unsigned() => Ok("BIGINT"),
                    _ if other.is("BIGINT") && !self.is_unsigned() => Ok("BIGINT"),
                    _ => differ(),
                };
                (Class::Int, name)
            }
            (Class::Decimal, Class::Decimal | Class::Int) | (Class::Int, Class::Decimal) => {
                (Class::Decimal, Ok("DECIMAL"))
            }
            (Class::Double, Class::Double | Class::Int | Class::Decimal)
            | (Class::Int | Class::Decimal, Class::Double) => {
                let of_floats = self.is("FLOAT") || other.is("FLOAT");
                let why = "the servers return different types for FLOAT with other numbers".to_owned();
                (Class::Double, if of_floats { Err(why) } else { Ok("DOUBLE") })
            }
            (Class::Text, Class::Text) => (Class::Text, Ok("VARCHAR")),
            (Class::Time(one), Class::Time(other)) if one == other => (self.class, Ok(one)),
            (Class::Other, _) => (Class::Other, self.name.clone()),
            (_, Class::Other) => (Class::Other, other.name.clone()),
            _ => (Class::Other, Err("its values are of different types".to_owned())),
        }
    }
}
