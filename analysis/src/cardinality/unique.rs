//! How many rows of a table remain under its unique keys.

use std::collections::BTreeMap;

use super::keys::{columns_of, is_singleton};
use super::{MOST_ALTERNATIVES, Reader, Rows};
use crate::schema::prepared::{self, Predicate, PreparedIndex};
use crate::schema::{KeyPart, Schema, Table};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op, Test};
use crate::sql::predicates;
use crate::sql::query::RelationId;

impl Reader<'_> {
    /// Handles `id = ANY($1) OR email = ANY($2)`: each alternative fixes a key, though not the same one.
    /// `by_key` gives the bound under one set of conditions.
    pub(super) fn by_alternatives(
        &mut self,
        conditions: &[&Expr],
        by_key: impl Fn(&mut Self, &[&Expr]) -> Option<(Rows, String)>,
    ) -> Option<(Rows, String)> {
        let alternatives = conditions.iter().enumerate().filter_map(|(at, condition)| match condition {
            Expr::Or(arms) if arms.len() <= MOST_ALTERNATIVES => Some((at, arms)),
            _ => None,
        });
        for (at, arms) in alternatives.take(MOST_ALTERNATIVES) {
            let mut others = conditions.to_vec();
            others.remove(at);
            let is_bounded = |arm: &Expr| {
                let with: Vec<&Expr> = others.iter().copied().chain(arm.conjuncts()).collect();
                by_key(self, &with).is_some()
            };
            if arms.iter().all(is_bounded) {
                return Some((Rows::Bounded, "each alternative sets a unique key".to_owned()));
            }
        }
        None
    }

    /// A table has at most one row if a unique key is determined.
    pub(super) fn by_key(
        &mut self,
        table: &Table,
        schema: &Schema,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        // Tables that inherit from it have keys of their own, and their rows are read with those of the
        // parent.
        if schema.is_inherited(table) && !self.query.reads_only(id) || self.query.reads_versions(id) {
            return None;
        }
        let mut best: Option<(Rows, String)> = None;
        let mut offer = |rows: Option<Rows>, reason: &dyn Fn() -> String| {
            if let Some(rows) = rows
                && best.as_ref().is_none_or(|(level, _)| rows < *level)
            {
                best = Some((rows, reason()));
            }
        };
        let is_doubtful = table.indexes.iter().any(|index| index.primary && index.doubtful);
        if !table.primary_key.is_empty() && !is_doubtful {
            let key: Vec<&str> = table.primary_key.iter().map(String::as_str).collect();
            let rows = self.all_determined(&key, id, conditions, here, levels);
            offer(rows, &|| format!("{} is the primary key", columns_of(table, &key)));
        }
        if is_singleton(table, schema) {
            offer(Some(Rows::One), &|| format!("a CHECK leaves `{}` one key", table.name));
        }
        for rowid in rowid_names(table, schema) {
            offer(self.all_determined(&[rowid], id, conditions, here, levels), &|| {
                "the rowid is unique".to_owned()
            });
        }
        for PreparedIndex { index, keys, predicate } in prepared::indexes(schema, table).iter() {
            let predicate_holds = || match predicate {
                Predicate::None => true,
                Predicate::Known(predicate) => predicates::implied(predicate, conditions, id),
                Predicate::NotUnderstood => false,
            };
            if !(index.unique || excludes(table, &index.name))
                || index.primary
                || index.doubtful
                || !predicate_holds()
            {
                continue;
            }
            let rows = index.keys.iter().zip(keys).try_fold(Rows::One, |level, (key, own)| {
                let rows = match &key.part {
                    // With NULLS NOT DISTINCT, NULL is a value like any other.
                    KeyPart::Column(name) if index.nulls_not_distinct && is_null(name, id, conditions) => {
                        Rows::One
                    }
                    KeyPart::Column(name) => {
                        let collation = key.collation.as_deref();
                        self.column_determined_by(name, collation, id, conditions, here, levels)?
                    }
                    KeyPart::Expression(_) => {
                        let own = own.as_ref()?;
                        // A unique constant allows one row.
                        if matches!(
                            own,
                            Expr::Literal(Literal::Bool(_) | Literal::Number(_) | Literal::Text(_))
                        ) {
                            return Some(level);
                        }
                        if is_told(own, id, conditions) {
                            return Some(level);
                        }
                        self.value_determined(&|e| predicates::same(own, e, id), conditions, here, levels)?
                    }
                };
                Some(level.max(rows))
            });
            offer(rows, &|| format!("index `{}` is unique", index.name));
        }
        best
    }
}

/// Whether an index is of `EXCLUDE (a WITH =)`, which is a unique key.
fn excludes(table: &Table, index: &str) -> bool {
    let mut exclusions = table.exclusions.iter();
    exclusions.any(|it| it.name == index && it.operators.iter().all(|op| op == "="))
}

/// The names of SQLite's rowid in a table, unless a column of its own has the name, and of PostgreSQL's place of a row.
fn rowid_names(table: &Table, schema: &Schema) -> impl Iterator<Item = &'static str> {
    let has_rowid = schema.dialect == Dialect::Sqlite && !table.without_rowid;
    let has_ctid = schema.dialect == Dialect::Postgres && table.partition_by.is_none();
    ["rowid", "_rowid_", "oid", "ctid"].into_iter().filter(move |name| match *name {
        "ctid" => has_ctid,
        _ => has_rowid && table.column(name).is_none(),
    })
}

/// Whether the conditions say of a condition, as an index holds its value, whether it is met: `(x IS NULL)`.
fn is_told(own: &Expr, id: RelationId, conditions: &[&Expr]) -> bool {
    let is_opposite = |condition: &&Expr| match (own, condition) {
        (Expr::Is { expr: a, test: x, negated: n }, Expr::Is { expr: b, test: y, negated: m }) => {
            x == y && n != m && predicates::same(a, b, id)
        }
        _ => false,
    };
    let is_condition = matches!(
        own,
        Expr::Is { .. } | Expr::Binary { op: Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq, .. }
    );
    is_condition
        && conditions.iter().any(|condition| predicates::same(own, condition, id) || is_opposite(condition))
}

/// Whether a condition requires a column to be NULL.
fn is_null(column: &str, id: RelationId, conditions: &[&Expr]) -> bool {
    conditions.iter().any(|condition| {
        let Expr::Is { expr, test: Test::Null, negated: false } = condition else { return false };
        expr.as_column().is_some_and(|found| found.relation == Some(id) && found.name == column)
    })
}
