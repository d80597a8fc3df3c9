//! Updates that move the column by which they choose their rows: `SET place = place - 1 WHERE place > $1`.

use crate::index::Access;
use crate::sql::Query;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Body, Kind};

/// Whether all that an UPDATE compares of its table is a range of the column that it moves.
pub(in crate::lints) fn is_all(query: &Query, access: &Access) -> bool {
    let written = query.root.map(|root| &query.block(root).body);
    let Some(Body::Write(write)) = written.filter(|_| query.kind == Kind::Update) else { return false };
    let moves = |name: &str| {
        write.assignments.iter().any(|(column, value)| {
            let is_moved =
                |value: &Expr| value.any(|part| part.as_column().is_some_and(|it| it.name == name));
            column == name && value.as_ref().is_some_and(is_moved)
        })
    };
    let column = |side: &Expr| {
        side.as_column().filter(|it| it.relation == Some(access.relation)).map(|it| it.name.clone())
    };
    let conditions = write.filter.as_ref().map_or(&[][..], Expr::conjuncts);
    write.target == access.relation
        && !conditions.is_empty()
        && conditions.iter().all(|condition| match condition {
            Expr::Binary { op: Op::Lt | Op::LtEq | Op::Gt | Op::GtEq, left, right } => {
                column(left).or_else(|| column(right)).is_some_and(|name| moves(&name))
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use crate::finding::Tier::{Listed, Shown};
    use crate::lints::tests::tiers_in;

    #[test]
    fn a_range_of_the_column_that_moves_is_listed() {
        for (sql, expected) in [
            ("UPDATE logs SET event_id = event_id - 1 WHERE event_id > $1", Listed),
            ("UPDATE logs SET event_id = event_id - 1 WHERE event_id = $1", Shown),
            ("UPDATE logs SET output = 'a' WHERE event_id > $1", Shown),
        ] {
            let body = format!("sqlx::query({sql:?}).bind(id).execute(db).await?;");
            assert_eq!(tiers_in("unindexed_filter", &body), [expected], "{sql}");
        }
    }
}
