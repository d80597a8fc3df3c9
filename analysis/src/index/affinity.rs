//! SQLite's affinities. A comparison converts the side that an index stores if the other side is of another kind, and then
//! no index is searched. Also what it compares with the key of a partial index.

use super::condition::Reader;
use super::value_types::MAX_VALUE_DEPTH;
use crate::schema::prepared::{Predicate, PreparedIndex};
use crate::schema::{Column, Schema};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{BlockId, Body, Query, RelationId, Source};
use crate::sql::{Dialect, predicates};

/// What SQLite converts values to, as far as comparisons tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Affinity {
    /// An expression that is neither a column nor a cast.
    None,
    Blob,
    Text,
    Number,
}

impl Affinity {
    /// Of a type as it is written.
    fn of(ty: &str) -> Affinity {
        let ty = ty.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| ty.contains(part));
        if has(&["int"]) {
            Affinity::Number
        } else if has(&["char", "clob", "text"]) {
            Affinity::Text
        } else if ty.is_empty() || has(&["blob"]) {
            Affinity::Blob
        } else {
            Affinity::Number
        }
    }

    /// Whether a comparison with the other side converts what is stored.
    fn is_changed_by(self, other: Affinity) -> bool {
        let applied = match (self, other) {
            (Affinity::None, only) | (only, Affinity::None) => only,
            (Affinity::Number, _) | (_, Affinity::Number) => Affinity::Number,
            _ => Affinity::Blob,
        };
        matches!(applied, Affinity::Text | Affinity::Number) && applied != self
    }
}

/// Whether two columns of tables have one affinity and collation; what is not known counts as alike.
pub(super) fn are_alike(left: &Expr, right: &Expr, query: &Query, schema: &Schema) -> bool {
    let stored = |side: &Expr| {
        let column = side.as_column()?;
        let Source::Table(table) = &query.relation(column.relation?).source else { return None };
        schema.stored(table)?.column(&column.name)
    };
    let collation = |column: &Column| column.collation.as_deref().unwrap_or("binary").to_ascii_lowercase();
    stored(left).zip(stored(right)).is_none_or(|(left, right)| {
        Affinity::of(&left.ty) == Affinity::of(&right.ty) && collation(left) == collation(right)
    })
}

impl Reader<'_> {
    /// Whether the comparison of an operand with a value converts the operand.
    pub(super) fn changes_affinity(&self, operand: &Expr, value: &Expr) -> bool {
        let of = |side: &Expr| self.affinity(side, MAX_VALUE_DEPTH);
        of(operand).zip(of(value)).is_some_and(|(own, other)| own.is_changed_by(other))
    }

    /// Whether the search for an operand in a column of the rows of a subquery converts the operand.
    pub(super) fn changes_affinity_in(&self, operand: &Expr, query: BlockId, at: usize) -> bool {
        let own = self.affinity(operand, MAX_VALUE_DEPTH);
        let other = self.affinity_of_output(query, at, MAX_VALUE_DEPTH);
        own.zip(other).is_some_and(|(own, other)| own.is_changed_by(other))
    }

    /// The affinity of an expression; `None` if it is not known.
    fn affinity(&self, expr: &Expr, depth: usize) -> Option<Affinity> {
        let depth = depth.checked_sub(1)?;
        match expr {
            Expr::Column(column) => self.affinity_of_column(column, depth),
            Expr::Cast { ty, .. } => Some(Affinity::of(ty)),
            Expr::Collate { expr, .. } => self.affinity(expr, depth),
            Expr::Subquery(query) => self.affinity_of_output(*query, 0, depth),
            Expr::WholeRow(_) | Expr::Row(_) => None,
            _ => Some(Affinity::None),
        }
    }

    fn affinity_of_column(&self, column: &ColumnRef, depth: usize) -> Option<Affinity> {
        if let Some(stored) = (self.stored)(column) {
            return Some(Affinity::of(&stored.ty));
        }
        let relation = self.values.query.relation(column.relation?);
        match &relation.source {
            Source::Table(_) => {
                matches!(column.name.as_str(), "rowid" | "oid" | "_rowid_").then_some(Affinity::Number)
            }
            Source::Derived(block) | Source::Cte(block) | Source::View(_, block) => {
                let at = relation.columns.as_ref()?.iter().position(|known| known.name == column.name)?;
                match &self.values.query.block(*block).body {
                    Body::Select(_) => self.affinity_of_output(*block, at, depth),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The affinity of a column of a query: that of the last one, if several are joined by UNION.
    fn affinity_of_output(&self, query: BlockId, at: usize, depth: usize) -> Option<Affinity> {
        let depth = depth.checked_sub(1)?;
        match &self.values.query.block(query).body {
            Body::Select(select) => self.affinity(select.projection.get(at)?, depth),
            Body::Set { right, .. } => self.affinity_of_output(*right, at, depth),
            Body::Values(_) => Some(Affinity::None),
            _ => None,
        }
    }
}

/// SQLite: whether the first key of a partial index is compared with something that it is not searched by, `lo <> ?` or
/// `lo > hi`, which selects some of the rows of the index.
pub(super) fn filters_key(resolved: &PreparedIndex, relation: RelationId, demands: &[&Expr]) -> bool {
    let (Predicate::Known(predicate), Some(Some(key))) = (&resolved.predicate, resolved.keys.first()) else {
        return false;
    };
    let is_key = |own: &Expr| predicates::is_stored(key, own, relation, Dialect::Sqlite);
    demands.iter().any(|demand| match demand {
        Expr::Binary { op, left, right } if op.is_comparison() => {
            (is_key(left) || is_key(right)) && !predicate.conjuncts().contains(demand)
        }
        _ => false,
    })
}
