//! The first rows without an order.

use super::shared::{added, meant, wording};
use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::{Block, BlockId, Body, Kind, Query, Source};
use crate::sql::quote::quote_if_needed;

declare_lint! {
    /// ## What it does
    ///
    /// Finds queries that take some of many rows with `LIMIT` but without an order.
    ///
    /// ## Why is this bad
    ///
    /// The database returns whichever rows it finds first. They change with the plan, with every `VACUUM` and
    /// every UPDATE: a page shows a row twice or never, a test passes by luck, and a row in a queue may never
    /// be picked.
    ///
    /// ## Known limits
    ///
    /// Only the statement's own LIMIT is checked: in a subquery for `EXISTS` or in a batched write, any row
    /// will do. Queries that lock their rows (`FOR UPDATE SKIP LOCKED`), identical rows
    /// (`SELECT 1 .. LIMIT 1`) and small tables are left alone. Raw queries are listed with `--all`, unless they read
    /// pages (`OFFSET`, or rows after a key): code that takes any rows seldom cares which.
    ///
    /// Of 22 findings drawn from 108 public projects, 21 were true and 4 worth a change, before first rows were listed: [how
    /// that was judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id, name FROM events WHERE user_id = $1 LIMIT 50
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id, name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50
    /// ```
    "limit_without_order", Bounds, since "0.1.0",
    "LIMIT without ORDER BY returns arbitrary rows",
    Check::Query(check); NeedsSchema
}

/// Why it is listed where no other reason is known.
const SELDOM: &str = "code that takes any rows seldom cares which";

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    let Some(id) = query.root.filter(|_| query.kind == Kind::Select) else { return };
    let block = query.block(id);
    let Some(limit) = &block.limit else { return };
    let number = match limit.without_casts() {
        Expr::Literal(Literal::Number(number)) => Some(number.as_str()),
        _ => None,
    };
    if !block.order_by.is_empty() || block.locks || number == Some("0") || wording::rows_are_alike(block) {
        return;
    }
    // Without known keys, a lookup by key looks like any other filter.
    if number == Some("1") && context.keys_are_unknown(query) {
        return;
    }
    if context.site.and_then(|site| site.call.as_ref()).is_some_and(|call| call.asks_whether) {
        return;
    }
    let all = cardinality::before_limit(query, context.schema, id);
    if all.rows != Rows::Many || !context.are_many(query, &all.unbounded) || has_order_inside(query, block) {
        return;
    }
    let message = match number {
        Some("1") => "LIMIT 1 takes any one of possibly several rows".to_owned(),
        _ => format!("LIMIT {} takes any rows, in any order", wording::sql(limit, context.dialect)),
    };
    let span = block.limit_span.map_or(0..0, |span| span.range());
    let key = wording::only_table(context, query, block).map(|(_, table)| {
        let names = table.primary_key.iter().map(|name| quote_if_needed(name, context.dialect));
        names.collect::<Vec<_>>().join(", ")
    });
    let key = key.filter(|key| !key.is_empty() && is_plain(block));
    let finding = Finding::new(LINT.name, message).excerpt(context.sql, span.clone(), "no ORDER BY");
    let finding = match &key {
        Some(key) => added::order(finding, context, span.start, key),
        None => finding,
    };
    // One row of a whole table is the only one: a table of settings, or of the state.
    let is_only = number == Some("1")
        && context.is_raw()
        && matches!(&block.body, Body::Select(select) if select.filter.is_none())
        && block.from().iter().flat_map(|item| item.relations()).count() == 1;
    let finding = if is_only { finding.listed() } else { finding };
    let is_key = || if number == Some("1") { meant::one_row(context, query, id) } else { None };
    // Pages without an order show a row twice, or never; so do those that go on from a key.
    let is_value = |side: &Expr| side.any(|it| matches!(it, Expr::Parameter(_))) && side.columns().is_empty();
    let goes_on = |condition: &Expr| match condition {
        Expr::Binary { op, left, right } => {
            op.is_range()
                && (left.as_column().is_some() && is_value(right)
                    || is_value(left) && right.as_column().is_some())
        }
        _ => false,
    };
    let is_page = block.offset.is_some() || block.filters().iter().any(goes_on);
    let is_seldom = || (!is_page).then_some(SELDOM);
    let why = || is_key().or_else(|| is_work_list(query, block)).or_else(is_seldom);
    let why = if context.is_raw() { why() } else { None };
    let finding = match why {
        Some(why) => finding.note(why).listed(),
        None => finding,
    };
    findings.push(finding.help(match (key, number) {
        (Some(key), _) => format!("say which rows are meant: `ORDER BY {key} LIMIT ..`"),
        (None, Some("1")) => "say which row is meant by `ORDER BY ..`".to_owned(),
        (None, _) => {
            "add `ORDER BY ..` over columns that identify a row, to say which rows are meant".to_owned()
        }
    }));
}

/// Why it does not matter which rows are taken first: those that lack another row, until they get one. What a caller
/// lacks, given as a parameter, is a page for that caller.
fn is_work_list(query: &Query, block: &Block) -> Option<&'static str> {
    let is_given = |of: BlockId| {
        let within = query.block_ids().filter(|(id, _)| query.is_within(*id, of));
        let mut conditions = within.flat_map(|(_, block)| block.conditions());
        conditions.any(|condition| condition.any(|part| matches!(part, Expr::Parameter(_))))
    };
    let lacks = block.filters().iter().any(|filter| match filter {
        Expr::Exists { query: of, negated: true } => !is_given(*of),
        Expr::Not(inner) => {
            matches!(inner.as_ref(), Expr::Exists { query: of, negated: false } if !is_given(*of))
        }
        _ => false,
    });
    (lacks && block.offset.is_none())
        .then_some("rows that lack another are taken, and leave the list when they get it")
}

/// Whether the rows come from an ordered subquery, whose order databases keep in practice.
fn has_order_inside(query: &Query, block: &Block) -> bool {
    let relations = block.from().iter().flat_map(|item| item.relations());
    relations.into_iter().any(|id| match query.relation(id).source {
        Source::Cte(inner) | Source::Derived(inner) | Source::View(_, inner) => {
            !query.block(inner).order_by.is_empty()
        }
        _ => false,
    })
}

/// Whether the rows are table rows, so that they can be ordered by their columns.
fn is_plain(block: &Block) -> bool {
    matches!(&block.body, Body::Select(select) if select.group_by.is_empty() && select.distinct.is_none())
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{findings_in, fires, silent};

    #[test]
    fn fires_where_any_rows_are_taken() {
        fires("limit_without_order", "SELECT id FROM events LIMIT $1");
        fires("limit_without_order", "SELECT id FROM events WHERE user_id = $1 LIMIT 1");
        fires("limit_without_order", "SELECT id FROM servers UNION ALL SELECT id FROM users LIMIT 5");
        fires("limit_without_order", "SELECT server_id, count(*) FROM events GROUP BY server_id LIMIT 5");
    }

    #[test]
    fn pages_are_shown_and_first_rows_are_listed() {
        use crate::finding::Tier;
        for (sql, expected) in [
            ("SELECT name FROM servers LIMIT 1", Tier::Listed),
            ("SELECT name FROM events WHERE user_id = $1 LIMIT 1", Tier::Listed),
            ("SELECT name FROM servers LIMIT $1", Tier::Listed),
            ("SELECT name FROM servers LIMIT 10 OFFSET $1", Tier::Shown),
            ("SELECT name FROM servers WHERE id > $1 LIMIT 10", Tier::Shown),
            ("SELECT name FROM servers WHERE $1 + 1 <= id LIMIT 10", Tier::Shown),
            // What is due is taken, and is no longer due then.
            ("SELECT name FROM events WHERE next_run_at < now() LIMIT 10", Tier::Listed),
            ("SELECT e.name FROM servers s JOIN events e ON e.server_id = s.id LIMIT 1", Tier::Listed),
        ] {
            let bound = if sql.contains('$') { ".bind(1)" } else { "" };
            let source =
                format!("async fn run(db: &PgPool) {{ sqlx::query(\"{sql}\"){bound}.fetch_one(db).await; }}");
            let found = findings_in("limit_without_order", &source);
            let found = found.iter().filter(|finding| finding.lint == "limit_without_order");
            assert_eq!(found.map(|finding| finding.tier).collect::<Vec<_>>(), [expected], "{sql}");
        }
    }

    #[test]
    fn a_work_list_is_listed_and_a_question_whether_there_is_one_is_none() {
        use crate::finding::Tier::{Listed, Shown};
        let found = |sql: &str, then: &str| {
            let bind = if sql.contains("$1") { ".bind(a)" } else { "" };
            let source = format!(
                "async fn run(db: &PgPool) -> Result<bool> {{ let all = sqlx::query({sql:?}){bind}.fetch_optional(db).await?; {then} }}"
            );
            let found = findings_in("limit_without_order", &source);
            let found = found.iter().filter(|finding| finding.lint == "limit_without_order");
            found.map(|finding| finding.tier).collect::<Vec<_>>()
        };
        let lacking = "SELECT name FROM events e WHERE NOT EXISTS (SELECT 1 FROM logs l WHERE l.event_id = e.id) LIMIT 100";
        assert_eq!(found(lacking, "Ok(keep(all))"), [Listed]);
        assert_eq!(found(&lacking.replace("NOT ", ""), "Ok(keep(all))"), [Listed]);
        assert_eq!(found(&lacking.replace("LIMIT 100", "LIMIT 100 OFFSET 100"), "Ok(keep(all))"), [Shown]);
        assert_eq!(found("SELECT id FROM events WHERE is_active LIMIT 1", "Ok(all.is_some())"), []);
    }

    #[test]
    fn silent_where_it_does_not_matter_which() {
        for sql in [
            "SELECT id FROM events WHERE id = $1 LIMIT 1",
            "SELECT count(*) FROM events LIMIT 1",
            "SELECT 1 FROM events WHERE user_id = $1 LIMIT 1",
            "SELECT user_id FROM events WHERE user_id = $1 LIMIT 1",
            "SELECT id FROM events WHERE is_active LIMIT 10 FOR UPDATE SKIP LOCKED",
            "DELETE FROM logs WHERE id IN (SELECT id FROM logs WHERE event_id = $1 LIMIT 1000)",
            "SELECT EXISTS (SELECT id FROM events LIMIT 1)",
            "SELECT * FROM (SELECT id FROM events ORDER BY id) e LIMIT 5",
            "SELECT n FROM generate_series(1, 100) AS n LIMIT 5",
            "SELECT id FROM events LIMIT 0",
        ] {
            silent("limit_without_order", sql);
        }
    }
}
