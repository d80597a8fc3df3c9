//! What the planner knows about the rows of a query in FROM that it plans by itself.

use super::super::plan::Reading;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{BlockId, Body, RelationId};

/// The columns by which the rows of a query in FROM come in order, and whether that is descending; and whether they may come in
/// another order as well: the planner knows which of its columns are constant or equal.
pub(super) fn order_of(reading: &Reading<'_>, of: RelationId, id: BlockId) -> (Vec<(String, bool)>, bool) {
    let block = reading.query.block(id);
    let columns = reading.query.relation(of).columns.as_deref().unwrap_or_default();
    let outputs = block.outputs.as_deref().unwrap_or_default();
    let conditions = block.conditions();
    let mut order = Vec::new();
    for key in &block.order_by {
        let leaf = reading.leaf(&key.expr, 0);
        let is_same = |expr: &Expr| *expr == key.expr || leaf.is_some() && reading.leaf(expr, 0) == leaf;
        let is_equality = |part: &Expr| matches!(part, Expr::Binary { op: Op::Eq, .. });
        let is_equal = |part: &&Expr| part.any(is_equality) && part.any(is_same);
        let is_free = |part: &Expr| matches!(part, Expr::Parameter(_));
        if key.nulls_first.is_some() || key.expr.any(is_free) || conditions.iter().any(is_equal) {
            return (order, true);
        }
        let at = outputs.iter().position(|output| is_same(&output.expr));
        let Some(column) = at.and_then(|at| columns.get(at)) else { break };
        order.push((column.name.clone(), key.desc));
    }
    (order, false)
}

/// Whether the planner may sort the rows of a query for what it does with them: it groups them, or has windows.
pub(super) fn may_sort(reading: &Reading<'_>, id: BlockId) -> bool {
    match &reading.query.block(id).body {
        Body::Select(select) => {
            let is_window = |part: &Expr| matches!(part, Expr::Call(call) if call.window);
            !select.group_by.is_empty()
                || select.distinct.is_some()
                || select.projection.iter().any(|output| output.any(is_window))
        }
        Body::Set { .. } => true,
        _ => false,
    }
}

/// The columns that no two rows have in common: those by which a query groups, as far as it returns all of them.
pub(super) fn groups_of(reading: &Reading<'_>, of: RelationId, id: BlockId) -> Option<Vec<String>> {
    let block = reading.query.block(id);
    let Body::Select(select) = &block.body else { return None };
    let columns = reading.query.relation(of).columns.as_deref()?;
    let outputs = block.outputs.as_deref()?;
    if select.set_returning {
        return None;
    }
    let keys: Vec<&Expr> = match select.distinct.as_deref() {
        Some([]) => return Some(columns.iter().map(|column| column.name.clone()).collect()),
        Some(on) => on.iter().collect(),
        None if select.group_by.is_empty() && !select.aggregates => return None,
        None => select.group_by.iter().collect(),
    };
    let name = |key: &Expr| {
        let leaf = reading.leaf(key, 0)?;
        let at = outputs.iter().position(|output| reading.leaf(&output.expr, 0).as_ref() == Some(&leaf))?;
        columns.get(at).map(|column| column.name.clone())
    };
    keys.into_iter().map(name).collect()
}
