//! The expressions that the columns of pulled-up subqueries stand for.

use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{BlockId, Query, RelationId};

/// Pulled-up subqueries: their columns, and the relations that replaced them.
#[derive(Default)]
pub(super) struct Renamed {
    pub(super) outputs: Vec<(RelationId, BlockId, Vec<RelationId>)>,
    /// Relations that an outer join pads with NULLs if nothing matches.
    pub(super) padded: Vec<RelationId>,
}

impl Renamed {
    /// The relations, with pulled-up ones replaced.
    pub(super) fn members(&self, relations: &[RelationId]) -> Vec<RelationId> {
        let mut members = Vec::new();
        for id in relations {
            match self.outputs.iter().find(|(pulled, ..)| pulled == id) {
                Some((_, _, inner)) => members.extend(inner),
                None => members.push(*id),
            }
        }
        members
    }

    /// The expression with columns of pulled-up subqueries replaced by their definitions.
    pub(super) fn apply(&self, expr: &Expr, query: &Query) -> Expr {
        let mut current = expr.clone();
        // Each level of nesting takes one round.
        for _ in 0..8 {
            let mut changed = false;
            current = map_columns(&current, &mut |column| {
                let (id, block, _) = self.outputs.iter().find(|(id, ..)| Some(*id) == column.relation)?;
                let columns = query.relation(*id).columns.as_ref()?;
                let at = columns.iter().position(|known| known.name == column.name)?;
                let output = query.block(*block).outputs.as_ref()?.get(at)?;
                changed = true;
                Some(output.expr.clone())
            });
            if !changed {
                break;
            }
        }
        current
    }
}

/// A copy of `expr`, with each column replaced for which `replace` returns an expression.
pub(super) fn map_columns(expr: &Expr, replace: &mut dyn FnMut(&ColumnRef) -> Option<Expr>) -> Expr {
    let mut copy = expr.clone();
    replace_columns(&mut copy, replace);
    copy
}

fn replace_columns(expr: &mut Expr, replace: &mut dyn FnMut(&ColumnRef) -> Option<Expr>) {
    if let Expr::Column(column) = expr {
        if let Some(mut other) = replace(column) {
            // The new column keeps the position of the old one.
            if let (Expr::Column(new), Some(span)) = (&mut other, column.span) {
                new.span = Some(span);
            }
            *expr = other;
        }
        return;
    }
    for child in expr.children_mut() {
        replace_columns(child, replace);
    }
}
