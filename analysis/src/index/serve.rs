//! Whether an index can be searched by conditions, as its access method and operator classes allow.

use std::sync::Arc;

use super::condition::{Compare, Condition};
use super::estimate::{ROWS, SHARED};
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
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Served {
    /// Its name, or `rowid` for SQLite's own order.
    pub(super) index: String,
    /// How it is used.
    pub(super) how: How,
    /// The part of the table's rows that it leads to.
    pub(super) kept: f64,
}

impl Served {
    /// Whether it leads to fewer rows, or to as many by more keys.
    fn is_better_than(&self, other: &Served) -> bool {
        match (self.how, other.how) {
            (How::Searched(keys), How::Searched(others)) => {
                self.kept < other.kept || self.kept == other.kept && keys > others
            }
            (how, other) => how > other,
        }
    }
}

/// An index that is read in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Walk {
    /// From end to end.
    Whole,
    /// From where it is searched to, or because it holds only what is wanted.
    Served(Served),
}

/// What conditions match of an index.
struct Matched {
    /// How many of its keys.
    keys: usize,
    /// The part of the rows that is left.
    kept: f64,
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

    /// The table they are of.
    pub(super) fn table(&self) -> &'s Table {
        self.table
    }

    /// An index that `usable` conditions on `relation` search, given everything the query demands of it.
    pub(super) fn search(
        &self,
        relation: RelationId,
        usable: &[&Condition],
        demands: &[&Expr],
    ) -> Option<Served> {
        let mut best: Option<Served> = self.rowid_search(relation, usable).map(|condition| Served {
            index: if self.dialect == Dialect::Postgres { "ctid" } else { "rowid" }.to_owned(),
            how: How::Searched(1),
            kept: condition.kept,
        });
        for resolved in self.list.iter() {
            if !resolved.allowed(self.dialect, relation, demands) {
                continue;
            }
            let partial = !matches!(resolved.predicate, Predicate::None);
            let matched = resolved.matched(self, relation, usable);
            let how = match matched.keys {
                // SQLite calls that a scan.
                0 if partial && self.dialect != Dialect::Sqlite => How::WalkedPartial,
                0 => continue,
                PreparedIndex::LATER_KEY => How::WalkedWhole,
                keys => How::Searched(keys),
            };
            let served = Served { index: resolved.index.name.clone(), how, kept: matched.kept };
            if best.as_ref().is_none_or(|best| served.is_better_than(best)) {
                best = Some(served);
            }
        }
        best
    }

    /// Whether an index gives the rows in the order of `key`, those of its keys passed over that have one value.
    pub(super) fn ordered(
        &self,
        relation: RelationId,
        usable: &[&Condition],
        demands: &[&Expr],
        key: &Expr,
    ) -> Option<Walk> {
        let by_rowid =
            key.as_column().filter(|column| column.relation == Some(relation) && self.is_rowid(&column.name));
        let mut walk = match by_rowid {
            Some(_) if self.dialect == Dialect::Sqlite => Some(
                self.rowid_search(relation, usable)
                    .map(|condition| Served {
                        index: "rowid".to_owned(),
                        how: How::Searched(1),
                        kept: condition.kept,
                    })
                    .map_or(Walk::Whole, Walk::Served),
            ),
            _ => None,
        };
        for resolved in self.list.iter().filter(|resolved| resolved.index.method == "btree") {
            if !resolved.allowed(self.dialect, relation, demands) {
                continue;
            }
            let fixed = |own: &Expr| {
                usable.iter().any(|condition| {
                    condition.one_value && predicates::same(own, &condition.operand, relation)
                })
            };
            let first = resolved.keys.iter().map_while(Option::as_ref).find(|own| !fixed(own));
            if first.is_none_or(|own| !predicates::same(own, key, relation)) {
                continue;
            }
            let matched = resolved.matched(self, relation, usable);
            let how = match matched.keys {
                0 if matches!(resolved.predicate, Predicate::None) || self.dialect == Dialect::Sqlite => {
                    walk = walk.or(Some(Walk::Whole));
                    continue;
                }
                0 => How::WalkedPartial,
                PreparedIndex::LATER_KEY => How::WalkedWhole,
                keys => How::Searched(keys),
            };
            let better = match &walk {
                Some(Walk::Served(served)) => how > served.how,
                _ => true,
            };
            if better {
                let index = resolved.index.name.clone();
                walk = Some(Walk::Served(Served { index, how, kept: matched.kept }));
            }
        }
        walk
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

    /// A condition on where a row is stored: SQLite's rowid, by its alias or its own names, and Postgres's `ctid`.
    fn rowid_search<'c>(&self, relation: RelationId, usable: &[&'c Condition]) -> Option<&'c Condition> {
        let mut found = usable.iter().copied().filter(|condition| {
            let column = condition.operand.as_column().filter(|column| column.relation == Some(relation));
            column.is_some_and(|column| self.is_rowid(&column.name))
                && matches!(condition.compare, Compare::Equal | Compare::Range | Compare::Null)
        });
        let first = found.next()?;
        Some(found.fold(first, |best, other| if other.kept < best.kept { other } else { best }))
    }

    /// Whether a column says where the row is stored.
    fn is_rowid(&self, name: &str) -> bool {
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
    /// Stands for a match by a key behind the first alone.
    const LATER_KEY: usize = usize::MAX;

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

    /// How many of its keys narrow the search, and what they leave.
    fn matched(&self, of: &Indexes<'_>, relation: RelationId, usable: &[&Condition]) -> Matched {
        let serves = |at: usize| -> Option<&Condition> {
            let key = self.index.keys.get(at)?;
            let own = self.keys.get(at)?.as_ref()?;
            let serving = usable.iter().copied().filter(|condition| {
                predicates::same(own, &condition.operand, relation) && self.operator(of, key, condition)
            });
            serving.min_by(|a, b| {
                let (ranged, other) = (!a.compare.is_equality(), !b.compare.is_equality());
                ranged.cmp(&other).then(a.kept.total_cmp(&b.kept))
            })
        };
        let first = |keys: usize| {
            let found = || (0..keys).filter_map(serves);
            let kept: f64 = found().map(|condition| condition.kept).product();
            let one_row = self.index.unique
                && keys == self.index.keys.len()
                && found().all(|condition| condition.compare.is_equality());
            // Statistics tell Postgres how many rows share a key; the others take it for some.
            let kept =
                if one_row || of.dialect == Dialect::Postgres { kept } else { kept.max(SHARED / ROWS) };
            let partial = !matches!(self.predicate, Predicate::None);
            Matched { keys, kept: if partial { kept / 2.0 } else { kept } }
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
                // a poor search, and the last that is chosen. Several values would be as many walks.
                let once = |condition: &Condition| {
                    condition.compare != Compare::Equal || condition.one_value || !condition.needs.is_empty()
                };
                if matched == 0
                    && of.dialect == Dialect::Postgres
                    && (1..self.index.keys.len()).any(|at| serves(at).is_some_and(once))
                {
                    return Matched { keys: Self::LATER_KEY, kept: 1.0 };
                }
                first(matched)
            }
            "hash" => first(usize::from(self.index.keys.len() == 1 && serves(0).is_some())),
            "gist" | "spgist" => first(usize::from(serves(0).is_some())),
            // Any of their keys narrows the search.
            "gin" | "brin" | "bloom" | "fulltext" | "spatial" => {
                let all = (0..self.index.keys.len()).filter_map(serves);
                let (keys, kept) = all.fold((0, 1.0), |(n, kept), one| (n + 1, kept * one.kept));
                Matched { keys, kept }
            }
            _ => first(0),
        }
    }

    /// Whether the access method and the key's operator class know the comparison.
    fn operator(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> bool {
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
