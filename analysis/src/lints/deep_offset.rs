//! Pages found by counting the rows before them.

use super::shared::{pasteable, shape};
use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::rust::{Site, SiteSql};
use crate::schema::Table;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::{Block, Body, Query, RelationId, Source};
use crate::sql::resolve;

declare_lint! {
    /// ## What it does
    ///
    /// Finds `OFFSET` with a parameter or a large number, over rows that nothing else bounds.
    ///
    /// ## Why is this bad
    ///
    /// The rows before the page are read, sorted and thrown away: page 1,000 costs a thousand times as much as page 1.
    /// If a row is inserted in between, the next page repeats one.
    ///
    /// ## Known limits
    ///
    /// Small literal offsets and small tables are left alone. A raw query is listed with `--all` if it reads all rows for every
    /// page anyway: it or its function counts them (`COUNT(*) OVER ()`), it sorts groups by another column, or a parameter
    /// chooses its order. So is a query over the rows of one parent, found by the value of a foreign key: they seldom fill many
    /// pages. Paging by key cannot jump to a page number; if users need that and there are few pages, allow it with a reason.
    ///
    /// Of 29 findings drawn from 129 public projects, 29 were true and 11 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id, name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50 OFFSET $2
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id, name FROM events WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT 50
    /// ```
    "deep_offset", Bounds, since "0.1.0",
    "OFFSET reads and drops the rows before the page",
    Check::Query(check); NeedsSchema
}

/// The smallest literal offset that is reported.
const DEEP: u64 = 1_000;

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for (id, block) in query.written_blocks() {
        let Some(offset) = block.offset.as_ref().filter(|offset| is_deep(offset)) else { continue };
        let all = cardinality::before_limit(query, context.schema, id);
        // If all rows are the same, they are counted rather than paged through.
        if all.rows != Rows::Many || !context.are_many(query, &all.unbounded) || shape::rows_are_alike(block)
        {
            continue;
        }
        let offset = shape::sql(offset, context.dialect);
        let span = block.limit_span.map_or(0..0, |span| span.range());
        let finding =
            Finding::new(LINT.name, format!("OFFSET {offset} reads and drops every row before the page"))
                .excerpt(context.sql, span, "");
        let page = pasteable::page(context, query).filter(|_| query.root == Some(id));
        let finding = match page {
            Some(page) => finding.help(format!("read it page by page, each by `fetch_page`: `{page}`")),
            None => finding,
        };
        let finding = finding.help(match keyset(context, query, block) {
            Some(keyset) => format!("read on from the last row of the page before: `{keyset}`"),
            None => {
                "read on from the last row of the page before: filter by the columns it is ordered by, the last of them one that tells rows apart"
                    .to_owned()
            }
        });
        let why = aside(context, query, block).filter(|_| context.is_raw());
        findings.push(match why {
            Some(why) => finding.note(why).listed(),
            None => finding,
        });
    }
}

/// Why all rows are read whatever the page, so that a page by key would cost the same.
fn aside(context: &QueryContext<'_>, query: &Query, block: &Block) -> Option<&'static str> {
    // An order that a parameter chooses is in no index.
    let is_chosen = |expr: &Expr| {
        expr.as_column().is_none() && !is_distance(expr) && expr.any(|e| matches!(e, Expr::Parameter(_)))
    };
    let is_grouped = matches!(&block.body, Body::Select(select) if !select.group_by.is_empty());
    if counts_all(block) {
        Some("a window over all rows reads every row in any case")
    } else if is_grouped && !is_ordered_by_group(block) {
        Some("all groups are made before they are sorted, whatever the page")
    } else if block.order_by.first().is_some_and(|order| is_chosen(&order.expr)) {
        Some("a parameter chooses the order, so that all rows are read and sorted in any case")
    } else if context.sites_beside().any(|site| counts_rows_of(context, site, query, block)) {
        Some("the rows are counted beside it, which reads all of them in any case")
    } else if of_one_parent(context, query, block) {
        Some("only the rows of one parent are paged through")
    } else {
        None
    }
}

/// Whether the rows are those of one parent: the table that gives their order is filtered by a value of a foreign key.
fn of_one_parent(context: &QueryContext<'_>, query: &Query, block: &Block) -> bool {
    let key = block.order_by.first().and_then(|order| order.expr.as_column()?.relation);
    key.is_some_and(|relation| context.is_of_one_parent(query, relation))
}

/// Whether an expression is a distance, whose order an index may give: `place <-> $1`.
fn is_distance(expr: &Expr) -> bool {
    matches!(expr, Expr::Binary { op: Op::Other(op), .. } if op.starts_with('<') && op.ends_with('>'))
}

/// Whether the order is that of the groups, so that an index may give both.
fn is_ordered_by_group(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    block.order_by.iter().all(|order| select.group_by.contains(&order.expr))
}

/// Whether another query counts the rows that a block pages through: it counts a part of the same tables, and leaves out
/// no rows by a column that the page does not filter by.
fn counts_rows_of(context: &QueryContext<'_>, site: &Site, query: &Query, block: &Block) -> bool {
    let mut read = block.from().iter().flat_map(|item| item.relations());
    let Some(first) = read.find_map(|id| table_of(query, id)) else { return false };
    let text = match (&site.sql, &site.built) {
        (SiteSql::Literal(literal), _) => literal.text.as_ref(),
        // What follows the table is known when it runs.
        (_, Some(built)) => return begins_to_count(&built.begin, first),
        _ => return false,
    };
    if !text.to_ascii_lowercase().contains("count") {
        return false;
    }
    let Ok(other) = resolve(text, context.dialect, context.schema) else { return false };
    if !other.root.is_some_and(|root| counts(other.block(root))) {
        return false;
    }
    let tables = |of: &Query| {
        of.relation_ids().filter_map(|(id, _)| table_of(of, id).map(str::to_owned)).collect::<Vec<_>>()
    };
    let (counted, paged) = (tables(&other), tables(query));
    let (left, kept) = (filtered(&other), filtered(query));
    counted.iter().any(|table| table == first)
        && counted.iter().all(|table| paged.contains(table))
        && left.iter().all(|column| kept.contains(column))
}

/// The name of a table, if a relation is one.
fn table_of(query: &Query, id: RelationId) -> Option<&str> {
    match &query.relation(id).source {
        Source::Table(name) => Some(&name.name),
        _ => None,
    }
}

/// Whether a block gives the number of its rows.
fn counts(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let is_count = |expr: &Expr| matches!(expr, Expr::Call(call) if call.name == "count" && !call.window);
    select.group_by.is_empty() && matches!(select.projection.as_slice(), [only] if only.any(is_count))
}

/// The columns that the filters of a query compare, each with the name of its table.
fn filtered(query: &Query) -> Vec<(Option<&str>, &str)> {
    let filters = query.blocks.iter().flat_map(|block| block.filters());
    let columns = filters.flat_map(|filter| filter.columns());
    columns.map(|it| (it.relation.and_then(|id| table_of(query, id)), it.name.as_str())).collect()
}

/// Whether a text that is built at run time begins to count the rows of a table.
fn begins_to_count(text: &str, table: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty() && *word != "coalesce")
        .collect();
    let from = words.iter().position(|word| *word == "from");
    words.starts_with(&["select", "count"])
        && from.and_then(|at| words.get(at + 1)).is_some_and(|word| word.eq_ignore_ascii_case(table))
}

/// Whether each row is given a value of all rows, `COUNT(*) OVER ()`, so that all of them are read whatever the page.
fn counts_all(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let is_over_all = |e: &Expr| matches!(e, Expr::Call(call) if call.window && call.modifiers.is_empty());
    select.projection.iter().any(|expr| expr.any(is_over_all))
}

/// Whether an offset may be large: it is not a small number.
fn is_deep(offset: &Expr) -> bool {
    match offset.without_casts() {
        Expr::Literal(Literal::Number(number)) => number.parse::<u64>().is_ok_and(|number| number >= DEEP),
        Expr::Literal(_) => false,
        other => other.any(|e| matches!(e, Expr::Parameter(_) | Expr::Column(_))),
    }
}

/// The condition and order that continue after the last row seen.
fn keyset(context: &QueryContext<'_>, query: &Query, block: &Block) -> Option<String> {
    let Body::Select(select) = &block.body else { return None };
    if !select.group_by.is_empty() || select.distinct.is_some() {
        return None;
    }
    let only = shape::only_table(context, query, block);
    let several = block.from().iter().map(|item| item.relations().len()).sum::<usize>() > 1;
    // Without a key of the joined rows, rows with equal values would be skipped.
    if several && !joins_keep_rows_apart(context, query, block) {
        return None;
    }
    let mut keys: Vec<(String, bool)> = Vec::new();
    for key in &block.order_by {
        let column = key.expr.as_column()?;
        // A comparison with NULL is not true: pages by it would leave those rows out.
        let table = column.relation.and_then(|relation| context.table(query, relation));
        let may_be_null = table.and_then(|it| it.column(&column.name)).is_some_and(|it| !it.not_null);
        if may_be_null && !table.is_some_and(|it| it.primary_key.contains(&column.name)) {
            return None;
        }
        let name = match column.relation.filter(|_| several) {
            Some(relation) => format!("{}.{}", query.relation(relation).alias, column.name),
            None => column.name.clone(),
        };
        keys.push((name, key.desc));
    }
    if let Some((relation, table)) = only
        && !tells_rows_apart(block, relation, table)
    {
        let desc = keys.last().is_some_and(|(_, desc)| *desc);
        keys.extend(table.primary_key.iter().map(|column| (column.clone(), desc)));
        keys.dedup();
    }
    let desc = keys.first()?.1;
    if keys.iter().any(|(_, other)| *other != desc) {
        return None;
    }
    let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
    let first = match block.offset.as_ref().map(Expr::without_casts) {
        Some(Expr::Parameter(number)) => *number,
        _ => query.parameters + 1,
    };
    let values: Vec<String> = (first..)
        .take(keys.len())
        .map(|number| match context.dialect {
            Dialect::Postgres => format!("${number}"),
            Dialect::Sqlite | Dialect::MySql => "?".to_owned(),
        })
        .collect();
    let (left, right) = match (names.as_slice(), values.as_slice()) {
        ([name], [value]) => ((*name).to_owned(), value.clone()),
        (names, values) => (format!("({})", names.join(", ")), format!("({})", values.join(", "))),
    };
    let order: Vec<String> =
        names.iter().map(|name| format!("{name}{}", if desc { " DESC" } else { "" })).collect();
    Some(format!(
        "WHERE {left} {} {right} ORDER BY {} LIMIT ..",
        if desc { "<" } else { ">" },
        order.join(", ")
    ))
}

/// Whether a joined query is ordered by the key of one table, and every other table is joined by its own key:
/// then no two rows have equal keys.
fn joins_keep_rows_apart(context: &QueryContext<'_>, query: &Query, block: &Block) -> bool {
    let relations: Vec<RelationId> = block.from().iter().flat_map(|item| item.relations()).collect();
    let conditions = block.conditions();
    let is_set = |relation: RelationId, key: &String| {
        conditions.iter().any(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => [left, right].iter().any(|side| {
                side.as_column().is_some_and(|it| it.relation == Some(relation) && it.name == *key)
            }),
            _ => false,
        })
    };
    let by_key = |relation: &RelationId| {
        let table = context.table(query, *relation);
        table.is_some_and(|it| {
            !it.primary_key.is_empty() && it.primary_key.iter().all(|key| is_set(*relation, key))
        })
    };
    let ordered = |relation: &RelationId| {
        let table = context.table(query, *relation);
        table.is_some_and(|it| !it.primary_key.is_empty() && tells_rows_apart(block, *relation, it))
    };
    relations.iter().any(|one| ordered(one) && relations.iter().filter(|other| *other != one).all(by_key))
}

/// Whether the order already includes the primary key.
fn tells_rows_apart(block: &Block, relation: RelationId, table: &Table) -> bool {
    table.primary_key.iter().all(|key| {
        let is_it =
            |column: &crate::sql::expr::ColumnRef| column.relation == Some(relation) && column.name == *key;
        block.order_by.iter().any(|order| order.expr.as_column().is_some_and(is_it))
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent, tiers_in};

    #[test]
    fn fires_where_pages_are_counted() {
        fires("deep_offset", "SELECT id FROM events ORDER BY id OFFSET 5000 LIMIT 10");
        fires("deep_offset", "SELECT id FROM events ORDER BY id LIMIT $1 OFFSET ($2 - 1) * $1");
    }

    #[test]
    fn continues_behind_the_last_row_in_an_order_that_tells_rows_apart() {
        let help = |sql| help("deep_offset", sql);
        assert_eq!(
            help("SELECT id FROM logs ORDER BY created_at DESC LIMIT $1 OFFSET $2"),
            "read on from the last row of the page before: \
             `WHERE (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT ..`"
        );
        assert_eq!(
            help(
                "SELECT e.id FROM events e JOIN users u ON u.id = e.user_id ORDER BY e.id LIMIT 9 OFFSET $1"
            ),
            "read on from the last row of the page before: `WHERE e.id > $1 ORDER BY e.id LIMIT ..`"
        );
    }

    #[test]
    fn listed_where_all_rows_are_counted_in_any_case() {
        use crate::finding::Tier::{Listed, Shown};
        for (count, expected) in
            [("COUNT(*) OVER ()", Listed), ("COUNT(*) OVER (PARTITION BY user_id)", Shown), ("name", Shown)]
        {
            let sql = format!("SELECT id, {count} AS it FROM events ORDER BY id LIMIT $1 OFFSET $2");
            let call = format!("sqlx::query({sql:?}).bind(limit).bind(at).fetch_all(db).await;");
            assert_eq!(tiers_in("deep_offset", &call), [expected], "{sql}");
        }
    }

    #[test]
    fn listed_where_a_parameter_chooses_the_order_or_the_rows_are_counted_beside_it() {
        use crate::finding::Tier::{Listed, Shown};
        let page = |order: &str| {
            format!(
                "sqlx::query(\"SELECT id FROM events ORDER BY {order} LIMIT $1 OFFSET $2\").bind(a).bind(b)"
            )
        };
        let tiers = |body: &str| tiers_in("deep_offset", body);
        let chosen = "CASE WHEN $3 THEN id END";
        assert_eq!(tiers(&format!("{}.bind(by).fetch_all(db).await;", page(chosen))), [Listed]);
        let counted = |table: &str| {
            format!(
                "sqlx::query_scalar(\"SELECT COUNT(*) FROM {table}\").fetch_one(db).await;
                {}.fetch_all(db).await;",
                page("id")
            )
        };
        assert_eq!(tiers(&counted("events")), [Listed]);
        assert_eq!(tiers(&counted("servers")), [Shown]);
        // What is counted is something else.
        assert_eq!(tiers(&counted("events WHERE user_id = 1")), [Shown]);
        assert_eq!(tiers(&counted("servers WHERE name = 'events'")), [Shown]);
        assert_eq!(tiers(&counted("logs JOIN events ON events.id = logs.event_id")), [Shown]);
        let near = "point(id, id) <-> $3";
        assert_eq!(tiers(&format!("{}.bind(by).fetch_all(db).await;", page(near))), [Shown]);
    }

    #[test]
    fn listed_where_the_rows_are_those_of_one_parent() {
        use crate::finding::Tier::{Listed, Shown};
        for (sql, expected) in [
            ("SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 9 OFFSET $2", Listed),
            (
                "SELECT e.id FROM events e JOIN users u ON u.id = e.user_id WHERE e.user_id = $1 ORDER BY e.id LIMIT 9 OFFSET $2",
                Listed,
            ),
            ("SELECT id FROM events WHERE user_id > $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
            (
                "SELECT e.id FROM events e WHERE EXISTS (SELECT 1 FROM users u WHERE e.user_id = $1) OR e.id > 5 ORDER BY e.id LIMIT 9 OFFSET $2",
                Shown,
            ),
            (
                "SELECT u.id FROM users u JOIN events e ON e.name = u.name WHERE e.user_id = $1 ORDER BY u.id LIMIT 9 OFFSET $2",
                Shown,
            ),
            ("SELECT id FROM events WHERE user_id <> $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
            ("SELECT id FROM events WHERE user_id = $1 OR id > $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
            ("SELECT id FROM events WHERE name = $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
        ] {
            let call = format!("sqlx::query({sql:?}).bind(a).bind(at).fetch_all(db).await;");
            assert_eq!(tiers_in("deep_offset", &call), [expected], "{sql}");
        }
    }

    #[test]
    fn no_condition_is_told_on_a_column_that_may_be_null() {
        let told = help("deep_offset", "SELECT id FROM logs ORDER BY output LIMIT $1 OFFSET $2");
        assert!(!told.contains("WHERE"), "{told}");
    }

    #[test]
    fn silent_where_few_rows_are_dropped() {
        silent("deep_offset", "SELECT id FROM events ORDER BY id LIMIT 10 OFFSET 10");
        silent("deep_offset", "SELECT id FROM events WHERE id = ANY($1) ORDER BY id LIMIT 10 OFFSET $2");
        silent("deep_offset", "SELECT true FROM events WHERE is_active LIMIT 1 OFFSET $1");
        silent("deep_offset", "SELECT n FROM unnest($1::int[]) AS n ORDER BY n LIMIT 10 OFFSET $2");
    }
}
