//! Queries that ask for rows of a kind, by flags, states and times: there may be many, so an index on them saves little.

use super::slices;
use crate::index::Access;
use crate::lints::QueryContext;
use crate::schema::Table;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::Query;

/// Whether a query chooses the rows of a table by what they are alone. A queue takes the first of those in a state.
pub(in crate::lints) fn chosen(context: &QueryContext<'_>, query: &Query, access: &Access) -> bool {
    let Some(table) = context.schema.and_then(|schema| schema.stored(&access.table)) else { return false };
    let is_own =
        |expr: &Expr| expr.as_column().is_some_and(|column| column.relation == Some(access.relation));
    let takes_first = query.root.map(|id| query.block(id)).is_some_and(|root| root.limit.is_some());
    let kinds = Kinds { table, is_own: &is_own, takes_first };
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    let mut own = conditions.filter(|condition| condition.any(is_own)).peekable();
    own.peek().is_some() && own.all(|condition| kinds.are_in(condition))
}

struct Kinds<'a> {
    table: &'a Table,
    /// Whether an expression is a column of the table.
    is_own: &'a dyn Fn(&Expr) -> bool,
    /// Whether a LIMIT ends the query early.
    takes_first: bool,
}

impl Kinds<'_> {
    /// Whether a condition asks for rows of a kind.
    fn are_in(&self, condition: &Expr) -> bool {
        match condition {
            Expr::Binary { op, left, right } if op.is_comparison() => {
                let is_pair = self.is_pair(op, left, right) || self.is_pair(op, right, left);
                is_pair && !(self.takes_first && *op == Op::Eq)
            }
            Expr::Is { expr, .. } => (self.is_own)(expr.without_casts()),
            Expr::Not(inner) => self.are_in(inner),
            Expr::Or(arms) => arms.iter().all(|arm| arm.conjuncts().iter().all(|part| self.are_in(part))),
            other => (self.is_own)(other),
        }
    }

    /// Whether a column is compared with a state or a time.
    fn is_pair(&self, op: &Op, column: &Expr, value: &Expr) -> bool {
        let column = column.without_casts();
        let is_usual = |number: &str| {
            let known = column.as_column().and_then(|column| self.table.column(&column.name));
            known.and_then(|column| column.default.as_deref()).is_some_and(|default| default == number)
        };
        let is_kind = match value.without_casts() {
            Expr::Literal(Literal::Number(number)) => *op != Op::Eq || is_usual(number),
            // A state has a name: `pending`.
            Expr::Literal(Literal::Text(text)) => {
                *op != Op::Eq || text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
            }
            Expr::Literal(_) => true,
            value => slices::tells_the_time(value),
        };
        (self.is_own)(column) && is_kind
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::finding::Tier::{self, Listed, Shown};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn raw_queries_for_rows_of_a_kind_are_listed() {
        for (condition, tier) in [
            ("user_id = $1", Shown),
            ("user_id = 7", Shown),
            ("name = 'x' LIMIT 5", Shown),
            ("name = 'x'", Listed),
            ("name = 'Some name'", Shown),
            ("name = 'x' AND user_id = $1", Shown),
            ("starts_at < now() AND ends_at IS NULL", Listed),
            ("starts_at < $1", Shown),
        ] {
            let bind = if condition.contains('$') { ".bind(1)" } else { "" };
            let body = format!(
                "sqlx::query(\"SELECT id FROM visits WHERE {condition}\"){bind}.fetch_all(db).await;"
            );
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply("CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint NOT NULL, name text NOT NULL, starts_at timestamptz, ends_at timestamptz);", "");
            let source = format!("async fn run(db: &PgPool) {{ {body} }}");
            let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            let mut found = checker.file(&scan, &calls, &|_| None).findings;
            found.retain(|finding| finding.lint == "unindexed_filter");
            assert_eq!(
                found.iter().map(|finding| finding.tier).collect::<Vec<Tier>>(),
                [tier],
                "{condition}"
            );
        }
    }
}
