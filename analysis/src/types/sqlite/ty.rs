//! SQLite's types as sqlx distinguishes them, and values of them.

use crate::types::Origin;

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ty {
    Integer,
    Int4,
    Bool,
    Real,
    Text,
    Blob,
    Date,
    Time,
    Datetime,
}

impl Ty {
    /// The type that sqlx derives from a declaration; `None` if it knows none.
    pub(super) fn declared(declaration: &str) -> Option<Ty> {
        let lower = declaration.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        Some(match lower.as_str() {
            "int4" => Ty::Int4,
            "boolean" | "bool" => Ty::Bool,
            "date" => Ty::Date,
            "time" => Ty::Time,
            "datetime" | "timestamp" => Ty::Datetime,
            _ if has(&["int"]) => Ty::Integer,
            _ if has(&["char", "clob", "text"]) => Ty::Text,
            _ if has(&["blob"]) => Ty::Blob,
            _ if has(&["real", "floa", "doub"]) => Ty::Real,
            _ => return None,
        })
    }

    /// The type of the values in a column of this type, if they all have the same.
    pub(super) fn computed(self) -> Option<Ty> {
        match self {
            Ty::Integer | Ty::Int4 | Ty::Bool => Some(Ty::Integer),
            Ty::Real | Ty::Text | Ty::Blob => Some(self),
            Ty::Date | Ty::Time | Ty::Datetime => None,
        }
    }

    /// The result type of CAST; `None` if it depends on the value.
    pub(super) fn cast(ty: &str) -> Option<Ty> {
        let has = |words: &[&str]| words.iter().any(|word| ty.contains(word));
        if has(&["int"]) {
            Some(Ty::Integer)
        } else if has(&["char", "clob", "text"]) {
            Some(Ty::Text)
        } else if has(&["blob"]) {
            Some(Ty::Blob)
        } else if has(&["real", "floa", "doub"]) {
            Some(Ty::Real)
        } else {
            None
        }
    }

    /// The name under which its Rust type is looked up.
    pub(super) fn name(self) -> &'static str {
        match self {
            Ty::Integer => "INTEGER",
            Ty::Int4 => "INT4",
            Ty::Bool => "BOOLEAN",
            Ty::Real => "REAL",
            Ty::Text => "TEXT",
            Ty::Blob => "BLOB",
            Ty::Date => "DATE",
            Ty::Time => "TIME",
            Ty::Datetime => "DATETIME",
        }
    }
}

/// Whether a value can be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Null {
    /// What sqlx reports, which is often nothing.
    pub(super) said: Option<bool>,
    /// Whether it is certain that sqlx reports that.
    pub(super) is_certain: bool,
    /// Whether it is proven never to be NULL.
    pub(super) proven_not_null: bool,
}

impl Null {
    pub(super) const NEVER: Null = Null { said: Some(false), is_certain: true, proven_not_null: true };
    pub(super) const MAYBE: Null = Null { said: Some(true), is_certain: true, proven_not_null: false };
    /// Not tracked by sqlx.
    pub(super) const NOT_SAID: Null = Null { said: None, is_certain: true, proven_not_null: false };

    /// The nullability of this or another value.
    pub(super) fn or(self, other: Null) -> Null {
        let said = match (self.said, other.said) {
            (Some(one), Some(other)) => Some(one || other),
            (one, other) => one.or(other),
        };
        Null {
            said,
            is_certain: self.is_certain && other.is_certain && self.said.is_some() == other.said.is_some(),
            proven_not_null: self.proven_not_null && other.proven_not_null,
        }
    }

    /// The same, with uncertainty about what sqlx reports.
    pub(super) fn uncertain(self) -> Null {
        Null { is_certain: false, ..self }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Its type, or why it is unknown.
    pub(super) ty: Result<Ty, String>,
    pub(super) null: Null,
    pub(super) origin: Origin,
    /// Whether it is the rowid of a table.
    pub(super) is_rowid: bool,
    /// Whether it is a literal NULL.
    pub(super) is_null: bool,
    /// Whether an outer join may pad it.
    pub(super) is_absent: bool,
}

impl Value {
    pub(super) fn unknown(why: impl Into<String>) -> Value {
        Value::computed(Err(why.into()), Null { is_certain: false, ..Null::NOT_SAID })
    }

    /// A computed value.
    pub(super) fn computed(ty: Result<Ty, String>, null: Null) -> Value {
        Value { ty, null, origin: Origin::Expression, is_rowid: false, is_null: false, is_absent: false }
    }
}
