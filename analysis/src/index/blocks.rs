//! The conditions of a block on the rows of its FROM.

use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::functions::{is_aggregate, is_declared_aggregate};
use crate::sql::predicates;
use crate::sql::query::{Block, Body, Role, Select};

/// The `min(x)` and `max(x)` expressions, if nothing else is selected.
pub(super) fn extremes(select: &Select) -> Vec<Expr> {
    let one = |expr: &Expr| match expr.without_casts() {
        Expr::Call(call)
            if matches!(call.name.as_str(), "min" | "max" | "bool_or" | "bool_and" | "every")
                && !call.window =>
        {
            call.args.first().cloned()
        }
        _ => None,
    };
    if !select.group_by.is_empty() || select.from.len() != 1 || select.having.as_ref().is_some_and(counts) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for expr in &select.projection {
        let mut inner = None;
        expr.walk(&mut |e| inner = inner.take().or_else(|| one(e)));
        match inner {
            Some(extreme) => found.push(extreme),
            None => return Vec::new(),
        }
    }
    found
}

/// Whether a condition needs every row of a group.
pub(super) fn counts(condition: &Expr) -> bool {
    condition.any(|part| {
        matches!(part, Expr::Call(call)
            if matches!(call.name.as_str(), "count" | "sum" | "avg") || call.name.ends_with("_agg"))
    })
}

/// Whether a conjunct of HAVING is a condition on the rows, before they are grouped. PostgreSQL moves any that calls no
/// aggregate, unless there are several sets of groups.
pub(super) fn is_about_rows(condition: &Expr, select: &Select, schema: &Schema) -> bool {
    let keys = condition.columns();
    let grouped = |column: &&ColumnRef| select.group_by.iter().any(|key| key.as_column() == Some(*column));
    let is_of_keys = || keys.iter().all(grouped) && !condition.any(|e| matches!(e, Expr::Call(_)));
    let is_own = |name: &str| {
        let mut texts = schema.functions_named(name).flat_map(|(_, texts)| texts);
        texts.any(|text| is_declared_aggregate(text))
    };
    let stays = |part: &Expr| match part {
        Expr::Call(call) => call.window || is_aggregate(&call.name, call.args.len()) || is_own(&call.name),
        other => other.own_subquery().is_some(),
    };
    let is_moved = || {
        schema.dialect == Dialect::Postgres
            && !select.group_by.is_empty()
            && !select.grouping_sets
            && !predicates::is_volatile(condition)
            && !condition.any(stays)
    };
    !keys.is_empty() && (is_of_keys() || is_moved())
}

/// The first sort key that a block needs. Grouping comes before all else.
pub(super) fn wanted_order(block: &Block, dialect: Dialect) -> Option<Expr> {
    if let Body::Select(select) = &block.body {
        if let Some(key) = select.group_by.iter().find(|key| !key.is_constant()) {
            return Some(key.clone());
        }
        if select.aggregates {
            return None;
        }
        match (select.distinct.as_deref(), select.projection.as_slice()) {
            (Some([]), [one]) => return Some(one.clone()),
            (Some([]), [first, ..]) if dialect == Dialect::Sqlite => return Some(first.clone()),
            (Some([first, ..]), _) => return Some(first.clone()),
            _ => {}
        }
    }
    block.order_by.first().map(|key| key.expr.clone())
}

pub(super) fn is_plain_but_for_limit(block: &Block, limit_is_moot: bool) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let windowed =
        select.projection.iter().any(|expr| expr.any(|e| matches!(e, Expr::Call(call) if call.window)));
    (limit_is_moot || block.limit.is_none())
        && block.offset.is_none()
        && !block.locks
        && select.group_by.is_empty()
        && select.having.is_none()
        && (select.distinct.is_none() || limit_is_moot || matches!(block.role, Role::In))
        && !select.aggregates
        && !select.set_returning
        && !windowed
}

/// Whether a subquery only adds tables and conditions, so that it can be pulled up.
pub(super) fn is_plain(block: &Block) -> bool {
    is_plain_but_for_limit(block, false)
        && matches!(&block.body, Body::Select(select) if !select.from.is_empty() && !select.projection.iter().any(predicates::is_volatile))
}
