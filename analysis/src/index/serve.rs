//! Whether an index can be searched by a condition, as its access method and operator classes allow.

use std::sync::Arc;

use super::condition::{Compare, Condition};
use crate::schema::prepared::{self, Predicate, PreparedIndex};
use crate::schema::{IndexKey, Schema, Table};
use crate::sql::expr::{Expr, LikeKind};
use crate::sql::query::RelationId;
use crate::sql::{Dialect, predicates};

/// A table's indexes with their expressions and predicates resolved.
pub(super) struct Indexes<'s> {
    dialect: Dialect,
    table: &'s Table,
    list: Arc<Vec<PreparedIndex>>,
}

/// What leads to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Where they are stored.
    Place,
    /// An index, by its number among those of the table.
    Index(usize),
}

impl<'s> Indexes<'s> {
    /// Resolves the indexes of a table.
    pub(super) fn new(schema: &Schema, table: &'s Table) -> Indexes<'s> {
        let list = prepared::indexes(schema, table);
        Indexes { dialect: schema.dialect, table, list }
    }

    /// The table they are of.
    pub(super) fn table(&self) -> &'s Table {
        self.table
    }

    /// The indexes in their order.
    pub(super) fn list(&self) -> &[PreparedIndex] {
        &self.list
    }

    /// The name of what leads to rows: `rowid` for SQLite's own order.
    pub(super) fn name(&self, by: By) -> &str {
        match by {
            By::Place if self.dialect == Dialect::Postgres => "ctid",
            By::Place => "rowid",
            By::Index(at) => self.list.get(at).map_or("", |resolved| &resolved.index.name),
        }
    }

    /// Whose indexes they are.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether any index holds every row, so that the table can be read by it.
    pub(super) fn whole(&self) -> bool {
        let btree = |resolved: &PreparedIndex| {
            resolved.index.method == "btree" && matches!(resolved.predicate, Predicate::None)
        };
        self.dialect == Dialect::Sqlite || self.list.iter().any(btree)
    }

    /// Whether a column says where the row is stored.
    pub(super) fn is_rowid(&self, name: &str) -> bool {
        match self.dialect {
            Dialect::Postgres => name == "ctid",
            Dialect::Sqlite if !self.table.without_rowid => {
                self.table.rowid_alias().is_some_and(|alias| alias.name == name)
                    || matches!(name, "rowid" | "oid" | "_rowid_")
            }
            _ => false,
        }
    }
}

impl PreparedIndex {
    /// Whether every row that is wanted is in the index.
    pub(super) fn allowed(&self, dialect: Dialect, relation: RelationId, demands: &[&Expr]) -> bool {
        match &self.predicate {
            Predicate::None => true,
            Predicate::Known(predicate) if dialect == Dialect::Sqlite => {
                predicates::implied_as_written(predicate, demands, relation)
            }
            Predicate::Known(predicate) => predicates::implied(predicate, demands, relation),
            Predicate::NotUnderstood => false,
        }
    }

    /// Whether the access method and the key's operator class know the comparison.
    pub(super) fn operator(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> bool {
        let opclass = key.opclass.as_deref().unwrap_or_default();
        let trigrams = opclass.contains("trgm");
        let operator = |known: &[&str]| matches!(&condition.compare, Compare::Operator(op) if known.contains(&op.as_str()));
        match self.index.method.as_str() {
            "btree" => match &condition.compare {
                Compare::Null | Compare::NotNull => true,
                Compare::Equal => self.collates(of, key, condition),
                Compare::Range => !opclass.contains("pattern") && self.collates(of, key, condition),
                Compare::Prefix(kind) => self.prefix(of, key, *kind, opclass),
                Compare::Pattern(_) | Compare::Operator(_) => false,
            },
            "hash" => condition.compare == Compare::Equal,
            "gin" if trigrams => {
                matches!(condition.compare, Compare::Equal | Compare::Prefix(_) | Compare::Pattern(_))
                    || operator(&["%", "<%", "%>", "%>>", "<<%"])
            }
            "gin" => self.inside(of, key, condition, opclass),
            "gist" | "spgist" if trigrams => {
                matches!(condition.compare, Compare::Equal | Compare::Prefix(_) | Compare::Pattern(_))
                    || operator(&["%", "<%", "%>", "<->"])
            }
            "gist" | "spgist" => {
                condition.compare == Compare::Equal
                    || operator(&[
                        "@>", "<@", "&&", "<<", ">>", "<<=", ">>=", "&<", "&>", "-|-", "@@", "~=", "|>>",
                        "<<|", "&<|", "|&>", "@", "~", "<->",
                    ])
            }
            "brin" => matches!(condition.compare, Compare::Equal | Compare::Range | Compare::Null),
            "fulltext" => operator(&["match"]),
            _ => false,
        }
    }

    /// Whether the key is sorted by the collation that is compared by: in SQLite the one said beside the values, or the
    /// column's own.
    fn collates(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> bool {
        if of.dialect != Dialect::Sqlite {
            return true;
        }
        let column = key.as_column().and_then(|name| of.table.column(name));
        let declared = column.and_then(|column| column.collation.as_deref());
        let named = |collation: Option<&str>| {
            collation.or(declared).unwrap_or("binary").trim_matches('"').to_lowercase()
        };
        named(key.collation.as_deref()) == named(condition.collation.as_deref())
    }

    /// Whether an inverted index of the key's type knows the comparison.
    fn inside(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition, opclass: &str) -> bool {
        let ty = key.as_column().and_then(|name| of.table.column(name)).map_or("", |column| &column.ty);
        let known: &[&str] = match ty {
            "jsonb" if opclass.contains("path_ops") => &["@>", "@?", "@@"],
            "jsonb" => &["@>", "?", "?|", "?&", "@?", "@@"],
            "tsvector" => &["@@", "@@@"],
            ty if ty.ends_with("[]") && condition.compare == Compare::Equal => return condition.one_value,
            ty if ty.ends_with("[]") => &["@>", "<@", "&&", "@@"],
            // The extension `btree_gin` keeps plain values.
            ty if !ty.is_empty() && !ty.contains("hstore") && opclass.is_empty() => {
                return matches!(condition.compare, Compare::Equal | Compare::Range);
            }
            _ => &["@>", "<@", "&&", "@@", "@@@", "?", "?|", "?&", "@?"],
        };
        matches!(&condition.compare, Compare::Operator(op) if known.contains(&op.as_str()))
    }

    /// Whether the key's order is that of its bytes, so that a prefix is a range.
    fn prefix(&self, of: &Indexes<'_>, key: &IndexKey, kind: LikeKind, opclass: &str) -> bool {
        let column = key.as_column().and_then(|name| of.table.column(name));
        let declared = column.and_then(|column| column.collation.as_deref());
        let collation =
            key.collation.as_deref().or(declared).unwrap_or_default().trim_matches('"').to_lowercase();
        match of.dialect {
            Dialect::Postgres => {
                opclass.contains("pattern")
                    || matches!(collation.as_str(), "c" | "posix" | "ucs_basic" | "pg_catalog.c")
            }
            // SQLite's LIKE does not tell cases apart, its indexes do; GLOB is the other way about.
            Dialect::Sqlite => match kind {
                LikeKind::Glob => collation.is_empty() || collation == "binary",
                _ => collation == "nocase",
            },
            Dialect::MySql => kind == LikeKind::Like,
        }
    }
}
