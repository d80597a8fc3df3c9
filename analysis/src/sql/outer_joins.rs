//! Outer joins whose unmatched rows a condition rejects, which makes them inner joins.

use crate::sql::expr::{Expr, Op, Test};
use crate::sql::query::From;

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
