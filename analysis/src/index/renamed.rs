//! Subqueries that were pulled up into the query around them: what their columns stand for.

use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{BlockId, Query, RelationId};

/// Subqueries that were pulled up: their columns, and the relations that took their place.
#[derive(Default)]
pub(super) struct Renamed {
    pub(super) outputs: Vec<(RelationId, BlockId, Vec<RelationId>)>,
    /// Relations whose rows an outer join makes up where it finds none.
    pub(super) padded: Vec<RelationId>,
}

impl Renamed {
    /// The relations, those pulled up replaced by what took their place.
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

    /// The expression with the columns of pulled-up subqueries replaced by what they stand for.
    pub(super) fn apply(&self, expr: &Expr, query: &Query) -> Expr {
        let mut current = expr.clone();
        // A subquery in a subquery takes one round each.
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

/// A copy of `expr` with columns replaced where `replace` gives something else.
pub(super) fn map_columns(expr: &Expr, replace: &mut dyn FnMut(&ColumnRef) -> Option<Expr>) -> Expr {
    let mut copy = expr.clone();
    replace_columns(&mut copy, replace);
    copy
}

fn replace_columns(expr: &mut Expr, replace: &mut dyn FnMut(&ColumnRef) -> Option<Expr>) {
    if let Expr::Column(column) = expr {
        if let Some(mut other) = replace(column) {
            // The place in the text stays that of the mention.
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
