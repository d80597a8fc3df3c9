//! How many groups, or distinct rows, a SELECT has.

use std::collections::BTreeMap;

use super::{Join, Reader, Rows};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::predicates;
use crate::sql::query::{From, JoinKind, RelationId, Select};

impl Reader<'_> {
    /// Whether each key has the same value in all rows: fixed by a condition, or equal to a value of an outer
    /// query.
    pub(super) fn have_one_value(&mut self, keys: &[Expr], filters: &[Expr], join: &Join) -> bool {
        let conditions: Vec<&Expr> = filters.iter().collect();
        !keys.is_empty()
            && keys.iter().all(|key| {
                let equal = self.value_determined(&|it| it == key, &conditions, &join.here, &BTreeMap::new());
                predicates::is_fixed(key, filters) || equal == Some(Rows::One)
            })
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
