//! How many groups, or distinct rows, a SELECT has.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Join, Reader, Rows, functions};
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::functions::{is_aggregate, is_set_returning};
use crate::sql::predicates;
use crate::sql::query::{BlockId, Body, From, JoinKind, RelationId, Select};

/// Appends the conditions of the joins that hold for every row of the item: those of inner joins, outside the side of an
/// outer join that may be missing.
fn conditions_of_all_rows<'f>(item: &'f From, conditions: &mut Vec<&'f Expr>) {
    let From::Join { kind, left, right, on } = item else { return };
    let is_inner = matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Straight);
    if is_inner || matches!(kind, JoinKind::Left) {
        conditions_of_all_rows(left, conditions);
    }
    if is_inner || matches!(kind, JoinKind::Right) {
        conditions_of_all_rows(right, conditions);
    }
    if is_inner {
        conditions.extend(on.iter().flat_map(Expr::conjuncts));
    }
}

/// The conditions that hold for every row of `from`: `filters`, and those of its inner joins.
fn conditions<'f>(from: &'f [From], filters: &'f [Expr]) -> Vec<&'f Expr> {
    let mut conditions: Vec<&Expr> = filters.iter().collect();
    from.iter().for_each(|item| conditions_of_all_rows(item, &mut conditions));
    conditions
}

impl Reader<'_> {
    /// The conditions that hold for every group of a SELECT: those of its rows, `filters`, and those of HAVING that are about
    /// the group itself and not about an aggregate.
    pub(super) fn filters_of_groups<'f>(&self, select: &Select, filters: &'f [Expr]) -> Cow<'f, [Expr]> {
        let counts = |condition: &&Expr| {
            condition.any(|part| {
                let Expr::Call(call) = part else { return false };
                call.window || is_aggregate(&call.name, call.args.len()) || self.is_own(&call.name)
            })
        };
        let having = select.having.as_ref().map_or(&[][..], Expr::conjuncts);
        let of_keys: Vec<&Expr> = having.iter().filter(|condition| !counts(condition)).collect();
        if of_keys.is_empty() || select.grouping_sets {
            return Cow::Borrowed(filters);
        }
        Cow::Owned(filters.iter().chain(of_keys).cloned().collect())
    }

    /// Whether each key has the same value in all rows of `from`: fixed by a condition, or equal to a value of an outer
    /// query.
    pub(super) fn have_one_value(
        &mut self,
        keys: &[Expr],
        from: &[From],
        filters: &[Expr],
        join: &Join,
    ) -> bool {
        let conditions = conditions(from, filters);
        !keys.is_empty()
            && keys.iter().all(|key| {
                let equal = self.value_determined(&|it| it == key, &conditions, &join.here, &BTreeMap::new());
                predicates::is_fixed(key, filters) || equal == Some(Rows::One)
            })
    }

    /// Whether the conditions bound the values of each key.
    pub(super) fn have_some_values(
        &mut self,
        keys: &[Expr],
        from: &[From],
        filters: &[Expr],
        join: &Join,
    ) -> bool {
        let conditions = conditions(from, filters);
        !keys.is_empty()
            && keys.iter().all(|key| {
                let values = self.value_determined(&|it| it == key, &conditions, &join.here, &join.levels);
                predicates::is_fixed(key, filters) || values.is_some()
            })
    }

    /// How many rows the set-returning functions of a SELECT list make of each row; `None` if nothing bounds
    /// them.
    pub(super) fn rows_per_row(&self, select: &Select) -> Option<Rows> {
        let mut rows = Some(Rows::One);
        for output in &select.projection {
            output.walk(&mut |part| {
                if let Expr::Call(call) = part
                    && !call.window
                    && (self.dialect().is_none_or(|dialect| is_set_returning(&call.name, dialect))
                        || self.is_own(&call.name))
                {
                    let own = functions::rows(&call.name, &call.args, self.schema);
                    rows = rows.zip(own).map(|(a, b)| a.max(b));
                }
            });
        }
        rows
    }

    /// Whether migrations of PostgreSQL make a function of this name.
    fn is_own(&self, name: &str) -> bool {
        let schema = self.schema.filter(|schema| schema.dialect == Dialect::Postgres);
        schema.is_some_and(|schema| schema.functions_named(name).next().is_some())
    }

    /// How many rows have the first numbers of `row_number()` in a derived table, if the rows of its partitions
    /// are numbered that the conditions choose.
    pub(super) fn numbered(
        &mut self,
        block: BlockId,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        let query = self.query;
        let block = query.block(block);
        let Body::Select(select) = &block.body else { return None };
        if block.correlated || select.set_returning {
            return None;
        }
        let columns = query.relation(id).columns.as_ref()?;
        for (output, column) in block.outputs.as_ref()?.iter().zip(columns.iter()) {
            let Expr::Call(call) = &output.expr else { continue };
            if !call.window || call.name != "row_number" {
                continue;
            }
            let is_it = |it: &Expr| {
                it.as_column().is_some_and(|it| it.relation == Some(id) && it.name == column.name)
            };
            let is_below = |condition: &&Expr| match condition {
                Expr::Binary { op: Op::Lt | Op::LtEq, left, right } => is_it(left) && right.is_constant(),
                Expr::Binary { op: Op::Gt | Op::GtEq, left, right } => is_it(right) && left.is_constant(),
                _ => false,
            };
            let equal = self.value_determined(&is_it, conditions, here, levels);
            let Some(mut rows) = equal.or(conditions.iter().any(is_below).then_some(Rows::Bounded)) else {
                continue;
            };
            for key in call.partitions() {
                let at = block.outputs.as_ref()?.iter().position(|output| output.expr == *key);
                let name = at.and_then(|at| columns.get(at)).map(|column| column.name.as_str());
                let outside =
                    name.and_then(|name| self.column_determined(name, id, conditions, here, levels));
                rows = rows.max(match outside {
                    Some(rows) => rows,
                    None if predicates::is_fixed(key, block.filters()) => Rows::One,
                    None => return None,
                });
            }
            return Some((rows, "the conditions choose rows by their numbers".to_owned()));
        }
        None
    }

    /// Whether a SELECT has one group, or one distinct row, because all grouping keys come from a single row.
    pub(super) fn groups_come_from_one_row(&self, select: &Select, join: &Join) -> bool {
        let steady: Vec<RelationId> = select.from.iter().flat_map(|item| steady(item, join)).collect();
        !steady.is_empty() && self.groups_are_of(select, join, &|id| steady.contains(&id))
    }

    /// Whether every key that a SELECT groups by, or that DISTINCT compares, belongs to relations for which
    /// `is_meant` holds.
    pub(super) fn groups_are_of(
        &self,
        select: &Select,
        join: &Join,
        is_meant: &dyn Fn(RelationId) -> bool,
    ) -> bool {
        let keys = match &select.distinct {
            Some(on) if !on.is_empty() => on,
            Some(_) if select.star.is_none() && select.group_by.is_empty() => &select.projection,
            _ => &select.group_by,
        };
        let bounded = |key: &Expr| {
            let mut all = !predicates::is_volatile(key);
            key.walk(&mut |expr| {
                all &= match expr {
                    Expr::Column(ColumnRef { relation: Some(id), .. }) | Expr::WholeRow(id) => {
                        !join.here.contains(id) || is_meant(*id)
                    }
                    Expr::Column(_) => false,
                    // The value of a window function differs from row to row.
                    Expr::Call(call) if call.window => false,
                    other => other.own_subquery().is_none(),
                };
            });
            all
        };
        !keys.is_empty() && keys.iter().all(bounded)
    }
}

/// The relations that contribute the same row, or none, to every row of a join. A relation that an outer join
/// adds is one of them if only such rows decide whether it matches.
fn steady(from: &From, join: &Join) -> Vec<RelationId> {
    match from {
        From::Relation(id) if join.levels.get(id) == Some(&Rows::One) => vec![*id],
        From::Relation(_) | From::Join { kind: JoinKind::Full, .. } => Vec::new(),
        From::Join { kind, left, right, on } => {
            let (mut first, mut second) = (steady(left, join), steady(right, join));
            // Whether the known relations alone decide which rows of the other side match.
            let is_decided = |known: &[RelationId], other: &From| {
                let others = other.relations();
                let is_open =
                    |id: &RelationId| join.here.contains(id) && !known.contains(id) && !others.contains(id);
                !on.iter().any(|on| {
                    on.any(|part| match part {
                        Expr::Column(column) => column.relation.as_ref().is_none_or(is_open),
                        Expr::WholeRow(id) => is_open(id),
                        other => other.own_subquery().is_some(),
                    })
                })
            };
            match kind {
                JoinKind::Left if !is_decided(&first, right) => second.clear(),
                JoinKind::Right if !is_decided(&second, left) => first.clear(),
                _ => {}
            }
            first.append(&mut second);
            first
        }
    }
}
