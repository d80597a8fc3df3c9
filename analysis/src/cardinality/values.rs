//! How many values conditions leave to an expression.

use std::collections::BTreeMap;

use super::{Reader, Rows};
use crate::schema::{Schema, Table};
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::predicates;
use crate::sql::query::{RelationId, Source};

impl Reader<'_> {
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.schema.map(|schema| schema.dialect)
    }

    /// SQLite: whether values of a column are compared by a collation of the column.
    pub(super) fn has_collation(&self, column: &ColumnRef) -> bool {
        let Some(schema) = self.schema.filter(|schema| schema.dialect == Dialect::Sqlite) else {
            return false;
        };
        let source = column.relation.map(|id| &self.query.relation(id).source);
        let Some(Source::Table(name)) = source else { return false };
        let known = schema.stored(name).and_then(|table| table.column(&column.name));
        known.is_some_and(|column| column.collation.is_some())
    }

    pub(super) fn rowid_name(&self, table: &Table, schema: &Schema) -> Option<&'static str> {
        (schema.dialect == crate::sql::Dialect::Sqlite
            && !table.without_rowid
            && table.column("rowid").is_none())
        .then_some("rowid")
    }

    pub(super) fn all_determined(
        &mut self,
        names: &[&str],
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        names.iter().try_fold(Rows::One, |level, name| {
            Some(level.max(self.column_determined(name, id, conditions, here, levels)?))
        })
    }

    pub(super) fn column_determined(
        &mut self,
        name: &str,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let is_it = |e: &Expr| matches!(e, Expr::Column(c) if c.relation == Some(id) && c.name == name);
        self.value_determined(&is_it, conditions, here, levels)
    }

    /// How many values the conditions leave to the expression that `is_it` recognises.
    pub(super) fn value_determined(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        conditions.iter().filter_map(|condition| self.values_left(is_it, condition, here, levels)).min()
    }

    pub(super) fn values_left(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        condition: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                if let (Expr::Row(left), Expr::Row(right)) = (left.as_ref(), right.as_ref()) {
                    let mut pairs = left.iter().zip(right);
                    return pairs.find_map(|(l, r)| self.equal(is_it, l, r, here, levels));
                }
                // A query that is compared with gives one row, or the database refuses it.
                if let (Expr::Row(parts), Expr::Subquery(query)) | (Expr::Subquery(query), Expr::Row(parts)) =
                    (left.as_ref(), right.as_ref())
                {
                    let alone = !self.query.block(*query).correlated;
                    return (alone && parts.iter().any(is_it)).then_some(Rows::One);
                }
                self.equal(is_it, left, right, here, levels)
            }
            Expr::InList { expr, list, negated: false } => {
                let position = match expr.as_ref() {
                    Expr::Row(parts) => parts.iter().position(is_it).map(Some)?,
                    other => is_it(other).then_some(None)?,
                };
                let mut rows = if list.len() <= 1 { Rows::One } else { Rows::Bounded };
                for item in list {
                    let value = match (position, item) {
                        (Some(at), Expr::Row(parts)) => parts.get(at)?,
                        (_, item) => item,
                    };
                    rows = rows.max(self.determined(value, here, levels)?);
                }
                Some(rows)
            }
            Expr::Any { left, op: Op::Eq, right, all: false } if is_it(left) => {
                self.determined(right, here, levels).map(|_| Rows::Bounded)
            }
            Expr::InQuery { expr, query, op: Op::Eq, negated: false } => {
                let matches = match expr.as_ref() {
                    Expr::Row(parts) => parts.iter().any(is_it),
                    other => is_it(other),
                };
                (matches && !self.query.block(*query).correlated)
                    .then(|| self.block(*query).rows)
                    .filter(|rows| *rows != Rows::Many)
            }
            Expr::Or(arms) => {
                for arm in arms {
                    let conjuncts: Vec<&Expr> = arm.conjuncts().iter().collect();
                    self.value_determined(is_it, &conjuncts, here, levels)?;
                }
                Some(Rows::Bounded)
            }
            _ => None,
        }
    }

    pub(super) fn equal(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        left: &Expr,
        right: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let value = if is_it(left) {
            right
        } else if is_it(right) {
            left
        } else {
            return None;
        };
        self.determined(value, here, levels)
    }

    /// How many values an expression has, when every relation in it is already bounded.
    pub(super) fn determined(
        &self,
        value: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        if predicates::is_volatile(value) {
            return None;
        }
        let mut rows = Some(Rows::One);
        value.walk(&mut |expr| {
            let level = match expr {
                // A collation decides what is equal, and may find equal what the key tells apart.
                Expr::Collate { .. } if self.dialect() != Some(Dialect::Postgres) => None,
                Expr::Column(column) if self.has_collation(column) => None,
                Expr::Column(column) => match column.relation {
                    // A column of a query around this one is one value here.
                    Some(id) if here.contains(&id) => levels.get(&id).copied(),
                    Some(_) => Some(Rows::One),
                    None => None,
                },
                Expr::WholeRow(id) => levels.get(id).copied(),
                other => match other.own_subquery() {
                    Some(block) if self.query.block(block).correlated => None,
                    _ => Some(Rows::One),
                },
            };
            rows = rows.and_then(|rows| level.map(|level| rows.max(level)));
        });
        rows
    }
}
