//! Whether an index can be searched by conditions, as its access method and operator classes allow.

use std::sync::Arc;

use super::condition::{Compare, Condition};
use super::prepared::{self, Predicate, PreparedIndex};
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

/// An index that leads to the wanted rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    /// Its name, or `rowid` for SQLite's own order.
    pub(super) index: String,
    /// How it is used.
    pub(super) how: How,
}

/// How an index is used, the better the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// From end to end, a key behind the first being compared.
    WalkedWhole,
    /// From end to end: it is partial, and holds only rows that are wanted.
    WalkedPartial,
    /// By so many of its keys.
    Searched(usize),
}

impl<'s> Indexes<'s> {
    /// Resolves the indexes of a table.
    pub(super) fn new(schema: &Schema, table: &'s Table) -> Indexes<'s> {
        let list = prepared::indexes(schema, table);
        Indexes { dialect: schema.dialect, table, list }
    }

    /// An index that `usable` conditions on `relation` search, given everything the query demands of it.
    pub(super) fn search(
        &self,
        relation: RelationId,
        usable: &[&Condition],
        demands: &[&Expr],
    ) -> Option<Served> {
        if self.rowid_search(relation, usable) {
            return Some(Served { index: "rowid".to_owned(), how: How::Searched(usize::MAX) });
        }
        let mut best: Option<Served> = None;
        for resolved in self.list.iter() {
            if !resolved.allowed(relation, demands) {
                continue;
            }
            let partial = !matches!(resolved.predicate, Predicate::None);
            let how = match resolved.matched(self, relation, usable) {
                0 if partial => How::WalkedPartial,
                0 => continue,
                PreparedIndex::LATER_KEY => How::WalkedWhole,
                keys => How::Searched(keys),
            };
            if best.as_ref().is_none_or(|best| how > best.how) {
                best = Some(Served { index: resolved.index.name.clone(), how });
            }
        }
        best
    }

    /// Whether an index gives the rows in the order of `key`.
    pub(super) fn walk(&self, relation: RelationId, key: &Expr) -> bool {
        self.list.iter().any(|resolved| {
            let first = resolved.keys.first().and_then(Option::as_ref);
            resolved.index.method == "btree" && first.is_some_and(|own| predicates::same(own, key, relation))
        })
    }

    /// SQLite: the rowid, by its alias or its own names.
    fn rowid_search(&self, relation: RelationId, usable: &[&Condition]) -> bool {
        if self.dialect != Dialect::Sqlite || self.table.without_rowid {
            return false;
        }
        let alias = self.table.rowid_alias().map(|column| column.name.as_str());
        usable.iter().any(|condition| {
            let column = condition.operand.as_column().filter(|column| column.relation == Some(relation));
            let rowid = column.is_some_and(|column| {
                alias == Some(column.name.as_str())
                    || matches!(column.name.as_str(), "rowid" | "oid" | "_rowid_")
            });
            rowid && matches!(condition.compare, Compare::Equal | Compare::Range | Compare::Null)
        })
    }
}

impl PreparedIndex {
    /// Stands for a match by a key behind the first alone.
    const LATER_KEY: usize = usize::MAX;

    /// Whether every row that is wanted is in the index.
    fn allowed(&self, relation: RelationId, demands: &[&Expr]) -> bool {
        match &self.predicate {
            Predicate::None => true,
            Predicate::Known(predicate) => predicates::implied(predicate, demands, relation),
            Predicate::NotUnderstood => false,
        }
    }

    /// How many of its keys narrow the search.
    fn matched(&self, of: &Indexes<'_>, relation: RelationId, usable: &[&Condition]) -> usize {
        let serves = |at: usize| -> Option<&Condition> {
            let key = self.index.keys.get(at)?;
            let own = self.keys.get(at)?.as_ref()?;
            usable.iter().copied().find(|condition| {
                predicates::same(own, &condition.operand, relation) && self.operator(of, key, condition)
            })
        };
        match self.index.method.as_str() {
            "btree" => {
                let mut matched = 0;
                while let Some(condition) = serves(matched) {
                    matched += 1;
                    if !condition.compare.is_equality() {
                        break;
                    }
                }
                // Postgres compares later keys as well, walking the index from end to end: smaller than the table, but
                // a poor search, and the last that is chosen.
                if matched == 0
                    && of.dialect == Dialect::Postgres
                    && (1..self.index.keys.len()).any(|at| serves(at).is_some())
                {
                    return Self::LATER_KEY;
                }
                matched
            }
            "hash" => usize::from(self.index.keys.len() == 1 && serves(0).is_some()),
            "gist" | "spgist" => usize::from(serves(0).is_some()),
            // Any of their keys narrows the search.
            "gin" | "brin" | "bloom" | "fulltext" | "spatial" => {
                (0..self.index.keys.len()).filter(|at| serves(*at).is_some()).count()
            }
            _ => 0,
        }
    }

    /// Whether the access method and the key's operator class know the comparison.
    fn operator(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> bool {
        let opclass = key.opclass.as_deref().unwrap_or_default();
        let trigrams = opclass.contains("trgm");
        let operator = |known: &[&str]| matches!(&condition.compare, Compare::Operator(op) if known.contains(&op.as_str()));
        match self.index.method.as_str() {
            "btree" => match &condition.compare {
                Compare::Equal | Compare::Null | Compare::NotNull => true,
                Compare::Range => !opclass.contains("pattern"),
                Compare::Prefix(kind) => self.prefix(of, key, *kind, opclass),
                Compare::Pattern(_) | Compare::Operator(_) => false,
            },
            "hash" => condition.compare == Compare::Equal,
            "gin" if trigrams => {
                matches!(condition.compare, Compare::Prefix(_) | Compare::Pattern(_))
                    || operator(&["%", "<%", "%>", "%>>", "<<%"])
            }
            "gin" => operator(&["@>", "<@", "&&", "@@", "@@@", "?", "?|", "?&", "@?"]),
            "gist" | "spgist" if trigrams => {
                matches!(condition.compare, Compare::Prefix(_) | Compare::Pattern(_))
                    || operator(&["%", "<%", "%>", "<->"])
            }
            "gist" | "spgist" => {
                condition.compare == Compare::Equal
                    || operator(&[
                        "@>", "<@", "&&", "<<", ">>", "&<", "&>", "-|-", "@@", "~=", "|>>", "<<|", "&<|",
                        "|&>", "@", "~", "<->",
                    ])
            }
            "brin" => matches!(condition.compare, Compare::Equal | Compare::Range | Compare::Null),
            "fulltext" => operator(&["match"]),
            _ => false,
        }
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
