//! Pushes conditions down into subqueries that are planned separately.

use super::derived;
use super::problem::{Collector, Demand, JoinGraph};
use super::renamed::map_columns;
use super::value_types::Values;
use crate::sql::Dialect;
use crate::sql::expr::{Call, ColumnRef, Expr, Literal, Op};
use crate::sql::query::{BlockId, Body, RelationId, Select, SetOp, Source};
use crate::sql::type_names;

impl Collector<'_> {
    /// Pushes the conditions on each subquery that is not pulled up into it, including implied ones, if they
    /// concern only its grouping keys.
    pub(super) fn push_down(&mut self, problem: &JoinGraph) {
        let query_of = |id: &RelationId| match &self.query.relation(*id).source {
            Source::Derived(inner) | Source::View(_, inner) => Some((*id, *inner)),
            Source::Cte(inner) if self.is_inlined(*inner) && self.is_for_one(*inner) => Some((*id, *inner)),
            _ => None,
        };
        let queries: Vec<(RelationId, BlockId)> = problem.relations.iter().filter_map(query_of).collect();
        if queries.is_empty() {
            return;
        }
        let mut followed = JoinGraph { demands: problem.demands.clone(), ..JoinGraph::default() };
        derived::follow_equalities(&mut followed, self.query, self.schema);
        for (id, inner) in queries {
            for demand in &followed.demands {
                if demand.narrows.as_ref().is_some_and(|narrows| !narrows.contains(&id))
                    || !self.is_followed(demand, problem)
                {
                    continue;
                }
                let columns = demand.condition.columns();
                let only_its =
                    !columns.is_empty() && columns.iter().all(|column| column.relation == Some(id));
                if only_its && self.is_settled(&demand.condition)
                    || self.is_join_into_arms(demand, id, inner, problem)
                {
                    self.push(inner, id, &demand.condition);
                }
            }
        }
    }

    /// Whether the planner knows a condition that may be implied by others: SQLite takes no constant into an outer join.
    fn is_followed(&self, demand: &Demand, problem: &JoinGraph) -> bool {
        self.schema.dialect != Dialect::Sqlite
            || demand.narrows.is_none()
            || problem.demands.iter().any(|written| written.condition == demand.condition)
    }

    /// Whether the condition compares a column of a UNION ALL with that of a table that is read first, as its values are
    /// given: each arm is searched for each of its rows, as a table would be.
    fn is_join_into_arms(
        &self,
        demand: &Demand,
        id: RelationId,
        inner: BlockId,
        problem: &JoinGraph,
    ) -> bool {
        let Expr::Binary { op: Op::Eq, left, right } = &demand.condition else { return false };
        let (Some(left), Some(right)) = (left.as_column(), right.as_column()) else { return false };
        let (own, other) = if left.relation == Some(id) { (left, right) } else { (right, left) };
        let Some(first) = other.relation.filter(|_| own.relation == Some(id)) else { return false };
        let is_given = |demand: &Demand| {
            let columns = demand.condition.columns();
            let is_equality = matches!(demand.condition, Expr::Binary { op: Op::Eq, .. });
            demand.narrows.is_none()
                && is_equality
                && !columns.is_empty()
                && columns.iter().all(|column| column.relation == Some(first))
        };
        if first == id || !problem.demands.iter().any(is_given) {
            return false;
        }
        let Some(arms) = self.arms(inner, &|op, all| op == SetOp::Union && all) else { return false };
        let is_plain = |arm: &&Select| {
            arm.group_by.is_empty() && !arm.aggregates && arm.distinct.is_none() && !arm.from.is_empty()
        };
        arms.len() > 1 && arms.iter().all(is_plain) && self.is_spread(demand, id, &arms)
    }

    /// Whether SQLite makes a UNION ALL of joins out of a join with a UNION ALL: the rows are returned as they are, and all
    /// arms have the same types. PostgreSQL always searches the arms.
    fn is_spread(&self, demand: &Demand, id: RelationId, arms: &[&Select]) -> bool {
        match self.schema.dialect {
            Dialect::Postgres => true,
            Dialect::MySql => false,
            Dialect::Sqlite => {
                let block = self.query.block(self.query.relation(id).block);
                let Body::Select(outer) = &block.body else { return false };
                let columns = arms.iter().map(|arm| arm.projection.len()).min().unwrap_or_default();
                demand.narrows.is_none()
                    && block.order_by.is_empty()
                    && outer.group_by.is_empty()
                    && !outer.aggregates
                    && outer.distinct.is_none()
                    && (0..columns).all(|at| self.has_one_type(arms, at))
            }
        }
    }

    /// The arms of a set operation, if all of its operators are allowed.
    fn arms(&self, id: BlockId, allowed: &dyn Fn(SetOp, bool) -> bool) -> Option<Vec<&Select>> {
        let block = self.query.block(id);
        match &block.body {
            Body::Select(select) => Some(vec![select.as_ref()]),
            Body::Set { op, all, left, right } if allowed(*op, *all) && block.limit.is_none() => {
                let mut arms = self.arms(*left, allowed)?;
                arms.extend(self.arms(*right, allowed)?);
                Some(arms)
            }
            _ => None,
        }
    }

    /// Whether no two arms are known to have different types in a column; lengths do not count.
    fn has_one_type(&self, arms: &[&Select], at: usize) -> bool {
        let values = Values { query: self.query };
        let written = arms.iter().filter_map(|arm| arm.projection.get(at));
        let columns = written.filter(|value| matches!(value, Expr::Column(_) | Expr::Cast { .. }));
        let mut types = columns.filter_map(|value| values.type_of_value(value)).map(|ty| {
            let base = ty.split('(').next().unwrap_or_default().trim().to_lowercase();
            type_names::canonical(&base)
        });
        let first = types.next();
        types.all(|ty| first.as_ref() == Some(&ty))
    }

    /// Whether a condition on the columns at these positions is tested in the arms of a set operation, and not on its rows:
    /// PostgreSQL leaves EXCEPT alone, and columns whose type some arm is cast to; SQLite compares all rows that are not
    /// told apart byte by byte.
    fn is_open(&self, set: BlockId, columns: &[usize]) -> bool {
        match self.schema.dialect {
            Dialect::MySql => true,
            Dialect::Postgres => match self.arms(set, &|op, _| op != SetOp::Except) {
                Some(arms) => columns.iter().all(|at| self.has_one_type(&arms, *at)),
                None => !self.has_except(set),
            },
            Dialect::Sqlite => {
                if self.arms(set, &|op, all| op == SetOp::Union && all).is_some() {
                    return true;
                }
                let all = self.arms(set, &|_, _| true).unwrap_or_default();
                let outputs = all.iter().flat_map(|arm| &arm.projection);
                !outputs.into_iter().any(|output| self.is_collated(output))
            }
        }
    }

    fn has_except(&self, id: BlockId) -> bool {
        match &self.query.block(id).body {
            Body::Set { op, left, right, .. } => {
                *op == SetOp::Except || self.has_except(*left) || self.has_except(*right)
            }
            _ => false,
        }
    }

    /// SQLite: whether values are compared by another collation than byte by byte.
    fn is_collated(&self, output: &Expr) -> bool {
        let is_other = |collation: &str| !collation.eq_ignore_ascii_case("binary");
        match output {
            Expr::Collate { collation, .. } => is_other(collation),
            Expr::Column(column) => {
                let source = column.relation.map(|id| &self.query.relation(id).source);
                let Some(Source::Table(table)) = source else { return false };
                let stored = self.schema.stored(table).and_then(|table| table.column(&column.name));
                stored.and_then(|column| column.collation.as_deref()).is_some_and(is_other)
            }
            _ => false,
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
        let at = |column: &ColumnRef| {
            let own = Some(column).filter(|column| column.relation == Some(relation))?;
            names?.iter().position(|known| known.name == own.name)
        };
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
                let columns: Vec<usize> = condition.columns().into_iter().filter_map(at).collect();
                if !self.is_open(inner, &columns) {
                    return;
                }
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
                    let at = at(column);
                    let output = at.and_then(|at| select.projection.get(at)).cloned();
                    possible = possible && (output.is_some() || at.is_none());
                    output
                });
                if possible && self.schema.dialect == Dialect::Postgres && is_contradiction(&moved) {
                    // The planner leaves the arm out.
                    self.take_all(arm);
                } else if possible {
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

/// Whether two different texts or numbers are compared for equality.
fn is_contradiction(condition: &Expr) -> bool {
    let Expr::Binary { op: Op::Eq, left, right } = condition else { return false };
    let written = |side: &Expr| match side {
        Expr::Cast { expr, ty } if type_names::is_unlimited_text(ty) => expr.as_ref().clone(),
        other => other.clone(),
    };
    match (written(left), written(right)) {
        (Expr::Literal(Literal::Text(one)), Expr::Literal(Literal::Text(other))) => one != other,
        (Expr::Literal(Literal::Number(one)), Expr::Literal(Literal::Number(other))) => {
            one.parse::<i64>().ok().zip(other.parse::<i64>().ok()).is_some_and(|(one, other)| one != other)
        }
        (Expr::Literal(Literal::Bool(one)), Expr::Literal(Literal::Bool(other))) => one != other,
        _ => false,
    }
}
