//! Conditions that apply to a query from outside: how they restrict its rows, and how a query restricts
//! values of the query around it.

use std::collections::BTreeMap;

use super::{ONE_EACH, Reader, Rows, gather};
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::{Block, BlockId, Body, RelationId, Role, SetOp};

/// How often conditions are pushed down into a query, over all relations of a statement: views that read the
/// same views repeatedly would otherwise multiply.
pub(super) const MOST_FOLLOWED: usize = 1_000;

/// The maximum number of conditions that are pushed down: each query on the way adds its own.
const MOST_CONDITIONS: usize = 200;

impl Reader<'_> {
    /// How many rows of the query behind a relation satisfy the conditions on the relation.
    pub(super) fn within(
        &mut self,
        block: BlockId,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        let of_all = here.iter().all(|other| *other == id || levels.contains_key(other));
        if self.query.block(block).correlated && !of_all {
            return None;
        }
        let inside = self.conditions_inside(id, conditions, here, levels)?;
        let (rows, reason) = self.rows_with(block, id, &inside)?;
        // A correlated query returns its rows once for each row of the outer query.
        let level = levels.values().copied().max().unwrap_or(Rows::One);
        let rows = if self.query.block(block).correlated { rows.max(level) } else { rows };
        Some((rows, reason))
    }

    /// The conditions that concern this relation alone. For each column restricted to few values, also a
    /// condition that it equals one value, or one of several.
    fn conditions_inside(
        &mut self,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Vec<Expr>> {
        let columns = self.query.relation(id).columns.clone()?;
        let speaks_of_it_alone = |condition: &Expr| {
            !condition.any(|part| match part {
                Expr::Column(column) => column.relation != Some(id),
                Expr::WholeRow(_) => true,
                other => other.own_subquery().is_some_and(|block| self.query.block(block).correlated),
            })
        };
        // A range only helps to decide whether a partial index covers the rows.
        let says_something = self.has_partial_keys();
        let mut inside: Vec<Expr> = conditions
            .iter()
            .filter(|condition| (says_something || leaves_values(condition)) && speaks_of_it_alone(condition))
            .map(|it| (*it).clone())
            .collect();
        for column in columns.iter() {
            let Some(rows) = self.column_determined(&column.name, id, conditions, here, levels) else {
                continue;
            };
            let left = Box::new(Expr::Column(ColumnRef {
                relation: Some(id),
                name: column.name.clone(),
                span: None,
            }));
            let right = Box::new(Expr::Parameter(0));
            if !says_something {
                // The condition added below replaces it.
                inside.retain(|condition| compared_with_values(condition) != Some(&column.name));
            }
            inside.push(match rows {
                Rows::One => Expr::Binary { op: Op::Eq, left, right },
                Rows::Bounded | Rows::Many => Expr::Any { left, op: Op::Eq, right, all: false },
            });
        }
        (!inside.is_empty()).then_some(inside)
    }

    /// How many rows a block has if the conditions on relation `id`, which stands for the block, apply as
    /// well.
    fn rows_with(&mut self, block: BlockId, id: RelationId, conditions: &[Expr]) -> Option<(Rows, String)> {
        if conditions.len() > MOST_CONDITIONS {
            return None;
        }
        self.follow()?;
        let block = self.query.block(block);
        if matches!(block.role, Role::Cte { recursive: true, .. }) {
            return None;
        }
        match &block.body {
            Body::Select(select) => {
                if select.set_returning || select.grouping_sets {
                    return None;
                }
                let may_push = |expr: &Expr| select.group_by.is_empty() || select.group_by.contains(expr);
                let pushed = self.renamed(block, id, conditions, &may_push)?;
                let filters: Vec<&Expr> = block.filters().iter().chain(&pushed).collect();
                self.bounded(&select.from, &filters)
            }
            Body::Write(write) if !write.from.is_empty() => {
                let pushed = self.renamed(block, id, conditions, &|_| true)?;
                let filters: Vec<&Expr> = block.filters().iter().chain(&pushed).collect();
                self.bounded(&write.from, &filters)
            }
            Body::Set { op, left, right, .. } => {
                let (op, left, right) = (*op, *left, *right);
                let arm = |reader: &mut Self, arm: BlockId| {
                    let alone = reader.block(arm);
                    if alone.rows == Rows::Many {
                        reader.rows_with(arm, id, conditions)
                    } else {
                        Some((alone.rows, alone.reason))
                    }
                };
                match op {
                    SetOp::Union => {
                        let ((left, reason), (right, _)) = (arm(self, left)?, arm(self, right)?);
                        // The key of one arm says nothing about the other.
                        let is_one_each = left == Rows::One && right == Rows::One;
                        Some((Rows::Bounded, if is_one_each { ONE_EACH.to_owned() } else { reason }))
                    }
                    SetOp::Except => arm(self, left),
                    SetOp::Intersect => arm(self, left).or_else(|| arm(self, right)),
                }
            }
            Body::Write(_) | Body::Values(_) | Body::Unknown => None,
        }
    }

    fn bounded(&mut self, from: &[crate::sql::query::From], filters: &[&Expr]) -> Option<(Rows, String)> {
        let found = self.joined(from, filters);
        (found.rows != Rows::Many).then_some((found.rows, found.reason))
    }

    /// The conditions in a block's own terms: columns of relation `id`, which stands for the block, become
    /// the block's outputs, by position. `None` if no condition remains.
    fn renamed(
        &self,
        block: &Block,
        id: RelationId,
        conditions: &[Expr],
        may_push: &dyn Fn(&Expr) -> bool,
    ) -> Option<Vec<Expr>> {
        let outputs = block.outputs.as_ref()?;
        let columns = self.query.relation(id).columns.as_ref()?;
        let output = |name: &str| {
            let at = columns.iter().position(|column| column.name == name)?;
            outputs.get(at).map(|output| &output.expr).filter(|expr| may_push(expr))
        };
        let renamed = conditions.iter().filter_map(|condition| {
            let mut renamed = condition.clone();
            replace(&mut renamed, &mut |column| output(&column.name).cloned()).then_some(renamed)
        });
        let renamed: Vec<Expr> = renamed.collect();
        (!renamed.is_empty()).then_some(renamed)
    }

    /// How many values an expression can take if a query must contain a row for it:
    /// `EXISTS (SELECT .. WHERE u.a = x)`, and `x IN (SELECT ..)`, where `equal` is the left-hand side.
    pub(super) fn values_matched(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        block: BlockId,
        equal: Option<&Expr>,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let query = self.query;
        let block = query.block(block);
        let Body::Select(select) = &block.body else { return None };
        if select.aggregates || select.set_returning || !select.group_by.is_empty() {
            return None;
        }
        self.follow()?;
        let equality = match (equal, select.projection.as_slice()) {
            (Some(looked_for), [found]) => Some(Expr::Binary {
                op: Op::Eq,
                left: Box::new(looked_for.clone()),
                right: Box::new(found.clone()),
            }),
            (Some(_), _) => return None,
            (None, _) => None,
        };
        let conditions: Vec<&Expr> = block.filters().iter().chain(&equality).collect();
        let mut sides = Vec::new();
        for item in &select.from {
            gather(item, &conditions, &mut sides, &mut false);
        }
        // The outer rows are not constants here: the question is which of them can match.
        let here: Vec<RelationId> = here.iter().copied().chain(sides.iter().map(|(id, _)| *id)).collect();
        let mut levels = levels.clone();
        loop {
            let before = levels.len();
            for (id, conditions) in &sides {
                if !levels.contains_key(id)
                    && let Some((rows, _)) = self.relation(*id, conditions, &here, &levels)
                {
                    levels.insert(*id, rows);
                }
            }
            if levels.len() == before {
                break;
            }
        }
        self.value_determined(is_it, &conditions, &here, &levels)
    }

    /// Counts one more query that is descended into; `None` above the limit.
    fn follow(&mut self) -> Option<()> {
        self.followed += 1;
        (self.followed <= MOST_FOLLOWED).then_some(())
    }
}

/// Whether a condition can restrict something to few values; covers the kinds that `values_left` handles.
fn leaves_values(condition: &Expr) -> bool {
    match condition {
        Expr::Binary { op, .. } => *op == Op::Eq,
        Expr::InList { negated, .. } | Expr::Exists { negated, .. } => !negated,
        Expr::InQuery { op, negated, .. } => *op == Op::Eq && !negated,
        Expr::Any { op, all, .. } => *op == Op::Eq && !all,
        Expr::Or(_) => true,
        _ => false,
    }
}

/// The column that a condition compares for equality with plain values, if it does nothing else.
fn compared_with_values(condition: &Expr) -> Option<&String> {
    let is_value = |expr: &Expr| matches!(expr, Expr::Literal(_) | Expr::Parameter(_));
    let column = match condition {
        Expr::Binary { op: Op::Eq, left, right } if is_value(right) => left,
        Expr::Binary { op: Op::Eq, left, right } if is_value(left) => right,
        Expr::Any { left, op: Op::Eq, right, all: false } if is_value(right) => left,
        Expr::InList { expr, list, negated: false } if list.iter().all(is_value) => expr,
        _ => return None,
    };
    column.as_column().map(|column| &column.name)
}

/// Replaces each column by what `by` returns; `false` if `by` returns nothing for one of them.
fn replace(expr: &mut Expr, by: &mut dyn FnMut(&ColumnRef) -> Option<Expr>) -> bool {
    if let Expr::Column(column) = expr {
        return match by(column) {
            Some(value) => {
                *expr = value;
                true
            }
            None => false,
        };
    }
    expr.children_mut().into_iter().all(|child| replace(child, by))
}
