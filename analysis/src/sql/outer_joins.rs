//! Outer joins: which relations they pad with NULLs, and which conditions reject the unmatched rows, which makes them
//! inner joins.

use std::collections::HashSet;

use crate::sql::expr::{Expr, Op, Test};
use crate::sql::query::{Block, From, JoinKind, RelationId};

/// The relations of a block that an outer join may pad with NULLs.
pub(crate) fn padded(block: &Block) -> HashSet<RelationId> {
    let mut padded = HashSet::new();
    for item in block.from() {
        outer(item, &mut padded);
    }
    padded
}

fn outer(item: &From, padded: &mut HashSet<RelationId>) {
    if let From::Join { kind, left, right, .. } = item {
        outer(left, padded);
        outer(right, padded);
        if matches!(kind, JoinKind::Left | JoinKind::Full) {
            padded.extend(right.relations());
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            padded.extend(left.relations());
        }
    }
}

/// Whether WHERE rejects the unmatched rows of an outer join, which makes it an inner join.
pub(crate) fn demanded<'e>(inner: &From, filters: impl IntoIterator<Item = &'e Expr>) -> bool {
    let relations = inner.relations();
    filters.into_iter().any(|condition| {
        let strict = match condition {
            Expr::Binary { op, .. } => !matches!(op, Op::Same | Op::NotSame),
            Expr::Is { test: Test::Null, negated, .. } => *negated,
            Expr::Is { negated, .. } => !*negated,
            Expr::InList { .. }
            | Expr::InQuery { .. }
            | Expr::Any { .. }
            | Expr::Between { .. }
            | Expr::Like { .. } => true,
            Expr::Column(_) => true,
            Expr::Not(inner) => matches!(inner.as_ref(), Expr::Column(_)),
            _ => false,
        };
        strict
            && condition
                .columns()
                .iter()
                .any(|column| column.relation.is_some_and(|id| relations.contains(&id)))
            && !hides_null(condition)
    })
}

/// Whether an expression may turn NULL into another value.
fn hides_null(expr: &Expr) -> bool {
    expr.any(|e| match e {
        Expr::Case { .. } | Expr::Or(_) => true,
        Expr::Call(call) => {
            matches!(call.name.as_str(), "coalesce" | "ifnull" | "nvl" | "concat" | "concat_ws" | "nullif")
        }
        _ => false,
    })
}
