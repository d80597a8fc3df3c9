//! Conditions implied by those that a query states: equalities propagated from column to column, constants
//! propagated into outer joins, and what each arm of a disjunction requires of one table.

use super::affinity;
use super::problem::{Demand, JoinGraph};
use super::relations::Relations;
use crate::schema::Schema;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Query, RelationId};
use crate::sql::{Dialect, predicates};

/// Adds what follows from `a = b` and `b = c`, and from `a = b` and `b = $1`.
/// SQLite does so for columns of one affinity alone.
pub(super) fn follow_equalities(problem: &mut JoinGraph, query: &Query, schema: &Schema) {
    let mut classes: Vec<Vec<Expr>> = Vec::new();
    for demand in problem.demands.iter().filter(|demand| demand.narrows.is_none()) {
        let Expr::Binary { op: Op::Eq, left, right } = &demand.condition else { continue };
        let member = |expr: &Expr| {
            matches!(expr, Expr::Column(_)) || (expr.is_constant() && !predicates::is_volatile(expr))
        };
        if !member(left) || !member(right) || (left.is_constant() && right.is_constant()) {
            continue;
        }
        if schema.dialect == Dialect::Sqlite && !affinity::are_alike(left, right, query, schema) {
            continue;
        }
        let positions: Vec<usize> = classes
            .iter()
            .enumerate()
            .filter(|(_, class)| class.iter().any(|e| !e.is_constant() && (*e == **left || *e == **right)))
            .map(|(at, _)| at)
            .collect();
        let mut merged = vec![left.as_ref().clone(), right.as_ref().clone()];
        for at in positions.into_iter().rev() {
            for expr in classes.remove(at) {
                if !merged.contains(&expr) {
                    merged.push(expr);
                }
            }
        }
        classes.push(merged);
    }
    fix_inner_sides(problem, &classes, query, schema);
    for class in classes.iter().filter(|class| class.len() > 2) {
        for (at, left) in class.iter().enumerate() {
            for right in &class[at + 1..] {
                if left.is_constant() && right.is_constant() {
                    continue;
                }
                let is_known = |demand: &Demand| matches!(&demand.condition, Expr::Binary { op: Op::Eq, left: l, right: r } if **l == *left && **r == *right);
                if !problem.demands.iter().any(is_known) {
                    let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
                    problem
                        .demands
                        .push(Demand { condition: Expr::Binary { op: Op::Eq, left, right }, narrows: None });
                }
            }
        }
    }
}

/// `a LEFT JOIN b ON b.x = a.x WHERE a.x = $1`: only rows with `b.x = $1` can match.
fn fix_inner_sides(problem: &mut JoinGraph, classes: &[Vec<Expr>], query: &Query, schema: &Schema) {
    let mut fixed = Vec::new();
    for demand in &problem.demands {
        let (Expr::Binary { op: Op::Eq, left, right }, Some(narrows)) = (&demand.condition, &demand.narrows)
        else {
            continue;
        };
        if schema.dialect == Dialect::Sqlite && !affinity::are_alike(left, right, query, schema) {
            continue;
        }
        for (outer, inner) in [(left, right), (right, left)] {
            let inside = inner
                .as_column()
                .is_some_and(|column| column.relation.is_some_and(|id| narrows.contains(&id)));
            let constant = classes
                .iter()
                .find(|class| inside && class.contains(outer))
                .and_then(|class| class.iter().find(|member| member.is_constant()));
            if let Some(constant) = constant {
                let condition =
                    Expr::Binary { op: Op::Eq, left: inner.clone(), right: Box::new(constant.clone()) };
                fixed.push(Demand { condition, narrows: Some(narrows.clone()) });
            }
        }
    }
    problem.demands.append(&mut fixed);
}

/// `(a.x = 1 AND b.y = 2) OR a.x = 3` implies a condition on `a` alone if each arm restricts it.
pub(super) fn extract_from_disjunctions(problem: &mut JoinGraph) {
    let mut found = Vec::new();
    for demand in &problem.demands {
        let Expr::Or(arms) = &demand.condition else { continue };
        let own = |part: &Expr, id: RelationId| {
            let mut here = part.columns().into_iter().filter_map(|column| column.relation).peekable();
            here.peek().is_some()
                && here.all(|other| other == id || !problem.relations.contains(&other))
                && part.mentions(id)
        };
        for id in &problem.relations {
            if demand.narrows.as_ref().is_some_and(|narrows| !narrows.contains(id))
                || demand.narrows.is_none() && problem.is_inner_side(*id)
                || own(&demand.condition, *id)
            {
                continue;
            }
            let arms: Vec<Expr> = arms
                .iter()
                .map(|arm| arm.conjuncts().iter().filter(|part| own(part, *id)).cloned().collect())
                .map(|mut parts: Vec<Expr>| if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
                .collect();
            if arms.iter().all(|arm| !matches!(arm, Expr::And(parts) if parts.is_empty())) {
                found.push(Demand { condition: Expr::Or(arms), narrows: demand.narrows.clone() });
            }
        }
    }
    problem.demands.append(&mut found);
}

impl JoinGraph {
    /// Whether a relation is on the inner side of an outer join, so that conditions on joined rows do not
    /// apply to its own rows.
    fn is_inner_side(&self, id: RelationId) -> bool {
        self.demands.iter().any(|demand| demand.narrows.as_ref().is_some_and(|narrows| narrows.contains(&id)))
    }

    /// The inner sides of outer joins and anti-joins, each with the relations that have to be read before it.
    pub(super) fn inner_sides(&self) -> Vec<(Relations, Relations)> {
        let here: Relations = self.relations.iter().collect();
        let mut sides: Vec<(Relations, Relations)> = Vec::new();
        for demand in &self.demands {
            let Some(narrows) = demand.narrows.as_deref().filter(|narrows| !narrows.is_empty()) else {
                continue;
            };
            let narrows: Relations = narrows.iter().collect();
            let at = sides.iter().position(|(inner, _)| *inner == narrows).unwrap_or_else(|| {
                sides.push((narrows, Relations::NONE));
                sides.len() - 1
            });
            let Some((_, outer)) = sides.get_mut(at) else { continue };
            for column in demand.condition.columns() {
                if let Some(id) = column.relation
                    && here.contains(id)
                    && !narrows.contains(id)
                {
                    outer.insert(id);
                }
            }
        }
        sides
    }
}
