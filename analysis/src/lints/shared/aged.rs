//! Rows that are deleted because they are old: a clean-up, which seldom has to be fast.

use super::{loops, slices};
use crate::lints::QueryContext;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Kind, Query, RelationId};

/// Whether a DELETE removes rows older than some time, or those of a kind that are: a clean-up, which runs now and then, whether or
/// not an index leads to its rows.
pub(in crate::lints) fn takes_old(context: &QueryContext<'_>, query: &Query, relation: RelationId) -> bool {
    if query.kind != Kind::Delete || query.relation_ids().count() != 1 || loops::of(context, query).is_some()
    {
        return false;
    }
    let Some(table) = context.table(query, relation) else { return false };
    let is_time = |expr: &Expr| {
        expr.as_column().and_then(|column| table.column(&column.name)).is_some_and(|column| {
            let ty = column.ty.to_ascii_lowercase();
            let is_number = ty.starts_with("int") || ty.starts_with("bigint");
            ty.starts_with("timestamp") || ty.starts_with("date") || is_number && column.name.ends_with("_at")
        })
    };
    // On SQLite times are texts or numbers: the other operand shows which.
    let is_older = |side: &Expr, than: &Expr| {
        let is_column = side.as_column().is_some();
        than.is_constant() && (is_time(side) || is_column && slices::tells_the_time(than))
    };
    let is_by_age = |condition: &Expr| match condition {
        Expr::Binary { op: Op::Lt | Op::LtEq, left, right } => is_older(left, right),
        Expr::Binary { op: Op::Gt | Op::GtEq, left, right } => is_older(right, left),
        _ => false,
    };
    let conditions = query.blocks.iter().flat_map(|block| block.conditions()).collect::<Vec<_>>();
    conditions.iter().any(|condition| is_by_age(condition))
        && conditions.iter().all(|condition| is_by_age(condition) || is_of_kind(condition))
}

/// Whether a condition chooses the rows of a kind: a flag, or a column that is compared with literals.
fn is_of_kind(condition: &Expr) -> bool {
    let is_column = |side: &Expr| side.as_column().is_some();
    let is_literal = |side: &Expr| matches!(side.without_casts(), Expr::Literal(_));
    match condition {
        Expr::Binary { op: Op::Eq | Op::NotEq, left, right } => is_column(left) && is_literal(right),
        Expr::InList { expr, list, .. } => is_column(expr) && list.iter().all(is_literal),
        Expr::Is { expr, .. } => is_column(expr),
        Expr::Not(inner) => is_of_kind(inner),
        other => is_column(other),
    }
}
