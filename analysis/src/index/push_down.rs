//! Pushes conditions down into subqueries that are planned separately.

use super::derived;
use super::problem::{Collector, JoinGraph};
use super::renamed::map_columns;
use crate::sql::expr::{Call, ColumnRef, Expr};
use crate::sql::query::{BlockId, Body, RelationId, Source};

impl Collector<'_> {
    /// Pushes the conditions on each subquery that is not pulled up into it, including implied ones, if they
    /// concern only its grouping keys.
    pub(super) fn push_down(&mut self, problem: &JoinGraph) {
        let query_of = |id: &RelationId| match &self.query.relation(*id).source {
            Source::Derived(inner) | Source::View(_, inner) => Some((*id, *inner)),
            Source::Cte(inner) if self.is_inlined(*inner) => Some((*id, *inner)),
            _ => None,
        };
        let queries: Vec<(RelationId, BlockId)> = problem.relations.iter().filter_map(query_of).collect();
        if queries.is_empty() {
            return;
        }
        let mut followed = JoinGraph { demands: problem.demands.clone(), ..JoinGraph::default() };
        derived::follow_equalities(&mut followed);
        for (id, inner) in queries {
            for demand in &followed.demands {
                if demand.narrows.as_ref().is_some_and(|narrows| !narrows.contains(&id)) {
                    continue;
                }
                let columns = demand.condition.columns();
                let only_its =
                    !columns.is_empty() && columns.iter().all(|column| column.relation == Some(id));
                if only_its && self.is_settled(&demand.condition) {
                    self.push(inner, id, &demand.condition);
                }
            }
        }
    }

    /// Whether every subquery in a condition is an uncorrelated scalar, evaluated once.
    fn is_settled(&self, condition: &Expr) -> bool {
        !condition.any(|e| match e {
            Expr::Subquery(block) => self.query.block(*block).correlated,
            other => other.own_subquery().is_some(),
        })
    }

    /// Pushes a condition on `relation` into the block that produces its rows.
    fn push(&mut self, inner: BlockId, relation: RelationId, condition: &Expr) {
        let block = self.query.block(inner);
        if block.limit.is_some() || block.offset.is_some() {
            return;
        }
        let names = self.query.relation(relation).columns.as_ref();
        let at = |column: &ColumnRef| names?.iter().position(|known| known.name == column.name);
        match &block.body {
            Body::Select(select) => {
                let keys = match &select.distinct {
                    Some(on) if !on.is_empty() => Some(on.as_slice()),
                    _ if !select.group_by.is_empty() => Some(select.group_by.as_slice()),
                    _ if select.aggregates => return,
                    _ => None,
                };
                let Some(outputs) = &block.outputs else { return };
                let mut possible = true;
                let moved = map_columns(condition, &mut |column| {
                    let output = at(column).and_then(|at| outputs.get(at)).map(|output| output.expr.clone());
                    let allowed = output.as_ref().is_some_and(|expr| {
                        keys.is_none_or(|keys| keys.contains(expr))
                            && !expr.any(|e| matches!(e, Expr::Call(call) if call.window))
                    });
                    possible = possible && allowed;
                    output
                });
                // A window function ignores rows of other partitions.
                let is_partitioned = |call: &Call| {
                    moved
                        .columns()
                        .iter()
                        .all(|column| call.partitions().iter().any(|key| key.as_column() == Some(*column)))
                };
                let torn = select.projection.iter().any(|expr| {
                    expr.any(|part| matches!(part, Expr::Call(call) if call.window && !is_partitioned(call)))
                });
                if possible && !torn {
                    self.pushed.push((inner, moved));
                }
            }
            Body::Set { left, right, .. } => {
                for arm in [*left, *right] {
                    self.push_by_position(arm, condition, &at);
                }
            }
            _ => {}
        }
    }

    fn push_by_position(&mut self, arm: BlockId, condition: &Expr, at: &dyn Fn(&ColumnRef) -> Option<usize>) {
        let block = self.query.block(arm);
        if block.limit.is_some() {
            return;
        }
        match &block.body {
            Body::Select(select) if select.group_by.is_empty() && !select.aggregates => {
                let mut possible = true;
                let moved = map_columns(condition, &mut |column| {
                    let output = at(column).and_then(|at| select.projection.get(at)).cloned();
                    possible = possible && output.is_some();
                    output
                });
                if possible {
                    self.pushed.push((arm, moved));
                }
            }
            Body::Set { left, right, .. } => {
                for arm in [*left, *right] {
                    self.push_by_position(arm, condition, at);
                }
            }
            _ => {}
        }
    }

    pub(super) fn push_into_arms(&mut self, id: BlockId, left: BlockId, right: BlockId) {
        let pushed: Vec<Expr> =
            self.pushed.iter().filter(|(to, _)| *to == id).map(|(_, condition)| condition.clone()).collect();
        for condition in pushed {
            for arm in [left, right] {
                self.pushed.push((arm, condition.clone()));
            }
        }
    }
}
