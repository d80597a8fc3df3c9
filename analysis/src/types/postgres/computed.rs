//! What a query in FROM computes, as the plan of an outer join writes it.
//!
//! The planner wraps an expression that could be anything but NULL where the join leaves its row out. It is computed
//! below the join then, and sqlx finds it in the output of the inner side, as it finds columns.

use std::collections::HashSet;

use super::folds::Folds;
use super::plan::Reading;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Body, From, RelationId, Source};

/// Whether an output is computed below a join.
#[derive(Debug)]
pub(super) enum Computed {
    /// It is a column, or is computed at the top.
    No,
    /// From rows of these relations.
    Of {
        relations: Vec<RelationId>,
        /// `false` if it may be computed at the top after all.
        is_known: bool,
        /// Whether the scan itself computes it, so that the scan writes it without parentheses.
        is_wrapped: bool,
    },
}

impl Reading<'_> {
    /// Whether and from which relations an output is computed below the joins of its query.
    pub(super) fn computed(&self, output: &Expr, outer: &HashSet<RelationId>) -> Computed {
        let mut expr = output;
        let (mut is_outer, mut last) = (false, None);
        for _ in 0..16 {
            let Expr::Column(column) = expr else { break };
            let Some(relation) = column.relation else { return Computed::No };
            let block = match &self.query.relation(relation).source {
                Source::Derived(block) | Source::View(_, block) => Some(*block),
                _ => self.inlined(relation),
            };
            let Some(block) = block else { return Computed::No };
            let columns = self.query.relation(relation).columns.as_deref().unwrap_or_default();
            let at = columns.iter().position(|known| known.name == column.name);
            let outputs = self.query.block(block).outputs.as_deref();
            let Some(inner) = at.and_then(|at| outputs?.get(at)) else { return Computed::No };
            if self.pulled_up(relation).is_none() {
                let block = self.query.block(block);
                let Body::Select(select) = &block.body else { return Computed::No };
                if matches!(inner.expr, Expr::Column(_)) {
                    return Computed::No;
                }
                // The plan has no step of its own for a query that only groups: conditions on it are moved into it.
                let is_window = |part: &Expr| matches!(part, Expr::Call(call) if call.window);
                let is_wrapped = select.aggregates
                    && block.order_by.is_empty()
                    && block.limit.is_none()
                    && block.offset.is_none()
                    && select.distinct.is_none()
                    && !select.projection.iter().any(|output| output.any(is_window));
                // What a step in between writes is not known, if it computes that for other rows.
                let is_known = is_wrapped || !self.query.relation(relation).lateral;
                return Computed::Of { relations: vec![relation], is_known, is_wrapped };
            }
            is_outer |= outer.contains(&relation);
            last = Some(relation);
            expr = &inner.expr;
        }
        let (Some(last), true) = (last, is_outer) else { return Computed::No };
        if matches!(expr, Expr::Column(_)) {
            return Computed::No;
        }
        let mut relations: Vec<RelationId> = Vec::new();
        expr.walk(&mut |part| {
            if let Some((relation, _)) = self.leaf(part, 0)
                && !relations.contains(&relation)
            {
                relations.push(relation);
            }
        });
        // A constant belongs to the whole row.
        let is_constant = relations.is_empty();
        if is_constant {
            let mut all = HashSet::new();
            self.leaves(&From::Relation(last), &mut all);
            relations.extend(all);
        }
        match if is_constant { Some(false) } else { is_strict(expr, self.folds, 0) } {
            Some(true) => Computed::No,
            strict => Computed::Of { relations, is_known: strict.is_some(), is_wrapped: true },
        }
    }
}

/// Whether an expression is NULL wherever one of its columns is, as far as the planner can tell; `None` if it is not
/// known what the planner can tell.
fn is_strict(expr: &Expr, folds: &Folds<'_>, depth: usize) -> Option<bool> {
    if depth > 64 {
        return None;
    }
    let all = |parts: &[&Expr]| {
        let found: Vec<_> = parts.iter().map(|part| is_strict(part, folds, depth + 1)).collect();
        if found.contains(&Some(false)) {
            Some(false)
        } else {
            found.iter().all(|strict| *strict == Some(true)).then_some(true)
        }
    };
    match expr {
        Expr::Column(_) | Expr::Literal(_) | Expr::Parameter(_) => Some(true),
        Expr::Case { .. } | Expr::And(_) | Expr::Or(_) | Expr::Is { .. } | Expr::Array(_) | Expr::Row(_) => {
            Some(false)
        }
        Expr::Binary { op: Op::Same | Op::NotSame, .. } => Some(false),
        Expr::Binary { op: Op::Concat, .. } => None,
        Expr::Binary { left, right, .. } => all(&[left, right]),
        Expr::Not(expr) | Expr::Cast { expr, .. } | Expr::Collate { expr, .. } | Expr::Unary { expr, .. } => {
            all(&[expr])
        }
        Expr::Like { expr, pattern, .. } => all(&[expr, pattern]),
        Expr::Call(call) => match folds.is_strict(call) {
            Some(true) => all(&call.args.iter().collect::<Vec<_>>()),
            other => other,
        },
        _ => None,
    }
}
