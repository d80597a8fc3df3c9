//! One row is fetched from a query that can return several.

use super::shared::{added, bound, meant, partial, wording};
use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::index::has_few_values;
use crate::rust::Fetched;
use crate::schema::{IndexKey, Schema};
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::predicates::is_fixed;
use crate::sql::query::{Block, Body, From, Kind, Query, RelationId, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `fetch_one` and `fetch_optional` on a query that may return several rows: no unique key is compared with a
    /// value, and there is no `LIMIT 1`.
    ///
    /// ## Why is this bad
    ///
    /// sqlx returns the first row and silently drops the rest. Which row comes first may change from one call to the
    /// next, and the database still finds all of them.
    ///
    /// ## Known limits
    ///
    /// Keys are taken from the snapshot; without one, only queries with an order and without any condition are
    /// reported. What only the code guarantees (one row per user, because it never inserts a second) is not known: a
    /// unique index says it and enforces it.
    ///
    /// Left alone: recursive queries, unions whose arms find one row each, small tables, results of functions, one row of a
    /// whole table without an order (a table of settings has one row), a row that is only tested for its existence
    /// (`.is_some()`, `fetch_one(db).await.is_ok()`), and one that holds only what it was looked up by
    /// (`SELECT slot .. WHERE slot = $1`). A raw query with an order says which row is meant, and is listed with `--all`.
    /// So is one by a token or its hash (`reset_token`, `token_hash`), of which no two are equal. With `.bind(false)`, `($1 OR id = $2)`
    /// is `id = $2`.
    /// If the unique index would serve a raw query that `unindexed_filter` reports as well, that finding names both indexes, and
    /// this one is listed.
    ///
    /// Of 64 findings drawn from 129 public projects, 63 were true and 50 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn event(db: &PgPool, user: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM events WHERE user_id = $1", user).fetch_one(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn event(db: &PgPool, user: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 1", user).fetch_one(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "nonunique_fetch_one", Bounds, since "0.1.0",
    "`fetch_one` on a query that can return several rows",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    let Some(call) = context.site.and_then(|site| site.call.as_ref()) else { return };
    if call.fetched() != Fetched::First
        || call.asks_whether
        || matches!(query.kind, Kind::Other | Kind::Transaction)
        || context.keys_are_unknown(query)
    {
        return;
    }
    let Some(root) = query.root.map(|id| query.block(id)) else { return };
    if is_singleton(query, root) || tells_nothing(context, query, root) {
        return;
    }
    let several = match context.cardinality.rows {
        Rows::One => false,
        Rows::Bounded => !is_found_one_way(query, root),
        Rows::Many => context.are_many(query, &context.cardinality.unbounded),
    };
    let as_bound = context.site.and_then(|site| bound::with_constants(query, site));
    if !several || as_bound.is_some_and(|it| cardinality::of(&it, context.schema).rows == Rows::One) {
        return;
    }
    let first = context.cardinality.unbounded.first().copied();
    let span = first.and_then(|id| query.relation(id).span).map_or(0..0, |span| span.range());
    let mut finding = Finding::new(
        LINT.name,
        format!("possible further rows of this query are dropped by `{}`", call.method),
    )
    .excerpt(context.sql, span, "")
    .note(context.cardinality.reason.clone());
    let is_first = !root.order_by.is_empty();
    finding = finding.help(match is_first {
        true => "say that the first row alone is meant: `LIMIT 1`",
        false => "filter by a unique key, or say which row is meant: `ORDER BY .. LIMIT 1`",
    });
    if is_first && may_end_early(query, root) {
        finding = added::only_first(finding, context);
    }
    let is_one = |schema: &Schema, _: &str| cardinality::of(query, Some(schema)).rows == Rows::One;
    let partial = first.and_then(|id| partial::find(context, query, id, is_one));
    if let Some(partial) = partial.filter(|_| !is_first) {
        finding = finding.help(partial.advice("then leaves one"));
    } else if let Some((index, few)) = unique_index(context, query, root).filter(|_| !is_first) {
        finding = finding
            .help(format!("or, if there is only ever one{few}, have the database enforce it: `{index}`"));
        finding.causes.push(index.into());
    }
    if !context.is_raw() {
        findings.push(finding);
        return;
    }
    let meant = query.root.and_then(|id| meant::one_row(context, query, id));
    let by_one_value = || {
        bound::is_by_one_value(context, query, root)
            .then_some("each alternative compares a key with the same value")
    };
    let by_token = || {
        bound::finds_by_token(context, root)
            .then_some("it is found by a random value, which no other row has")
    };
    // An order says which row is meant.
    findings.push(match meant.or_else(by_one_value).or_else(by_token) {
        Some(why) => finding.note(why).listed(),
        None if is_first => finding.listed(),
        None => finding,
    });
}

/// Whether a query that ends after its first row does nothing less: it locks no others, and calls no function that may.
fn may_end_early(query: &Query, root: &Block) -> bool {
    let Body::Select(select) = &root.body else { return false };
    let acts = |e: &Expr| match e {
        Expr::Call(call) => !matches!(call.name.as_str(), "coalesce" | "lower" | "upper" | "now"),
        other => other.own_subquery().is_some(),
    };
    let is_plain = root.limit.is_none() && root.offset.is_none() && !root.locks;
    let mut parts = select.projection.iter().chain(root.conditions()).chain(&select.having);
    query.kind == Kind::Select && is_plain && !parts.any(|part| part.any(acts))
}

/// The maximum number of derived tables that are followed, each around the next.
const MOST_AROUND: usize = 16;

/// Whether one row is read from a whole table, without saying which: the author must know that there is only
/// one, as in a table of settings.
fn is_singleton(query: &Query, root: &Block) -> bool {
    let mut block = root;
    for _ in 0..MOST_AROUND {
        let Body::Select(select) = &block.body else { return false };
        let [From::Relation(id)] = select.from.as_slice() else { return false };
        let is_whole = select.filter.is_none() && select.group_by.is_empty() && select.distinct.is_none();
        if !is_whole || !block.order_by.is_empty() {
            return false;
        }
        match &query.relation(*id).source {
            Source::Derived(inner) | Source::Cte(inner) => block = query.block(*inner),
            _ => return true,
        }
    }
    false
}

/// Whether the columns of a row only say that it exists, because they are the same in all rows that the filter leaves:
/// `SELECT 1 FROM ..`, `SELECT slot FROM .. WHERE slot = $1`.
fn tells_nothing(context: &QueryContext<'_>, query: &Query, root: &Block) -> bool {
    let Body::Select(select) = &root.body else { return false };
    let is_literal = |value: &Expr| matches!(value.without_casts(), Expr::Literal(_));
    // Texts that are equal under a collation may differ.
    let is_itself = |column: &ColumnRef| {
        let table = column.relation.and_then(|id| context.table(query, id));
        let known = table.and_then(|table| table.column(&column.name));
        known.is_some_and(|known| {
            let ty = known.ty.to_ascii_lowercase();
            let is_text = ["char", "text", "clob", "enum", "set"].iter().any(|word| ty.contains(word));
            known.collation.is_none()
                && ty != "citext"
                && (!is_text || context.dialect == Dialect::Postgres || context.dialect == Dialect::Sqlite)
        })
    };
    let is_same = |value: &Expr| {
        is_literal(value) || value.as_column().is_some_and(is_itself) && is_fixed(value, root.filters())
    };
    select.star.is_none() && !select.projection.is_empty() && select.projection.iter().all(is_same)
}

/// Whether the rows come from a function, which may well return one, or from a union of alternatives that
/// find one row each: `.. FROM updated UNION ALL .. FROM inserted`.
fn is_found_one_way(query: &Query, root: &Block) -> bool {
    let mut relations = root.from().iter().flat_map(|item| item.relations());
    matches!(root.body, Body::Set { .. })
        || relations.any(|id| matches!(query.relation(id).source, Source::Function(..)))
}

/// The unique index that would prove that there is at most one row: on the columns compared for equality with
/// parameters, over the rows with the literals that others are compared with. Other conditions may be what leaves one row:
/// then it has more conditions than the query, which the message says.
fn unique_index(context: &QueryContext<'_>, query: &Query, root: &Block) -> Option<(String, String)> {
    let (relation, table) = wording::only_table(context, query, root)?;
    let mut columns: Vec<&str> = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    let mut kept: Vec<String> = Vec::new();
    let mut is_stricter = false;
    for condition in root.filters() {
        if context.dialect != Dialect::MySql && is_of_row(condition, relation) {
            let text = wording::sql(condition, context.dialect);
            kept.push(if matches!(condition, Expr::Or(_)) { format!("({text})") } else { text });
            continue;
        }
        // Rows that others choose are not one of each value.
        if condition.any(|e| matches!(e, Expr::InQuery { .. } | Expr::Exists { .. })) {
            return None;
        }
        let Some((column, value)) =
            compared(query, condition).filter(|(column, _)| column.relation == Some(relation))
        else {
            is_stricter = true;
            continue;
        };
        if !value.any(|e| matches!(e, Expr::Parameter(_) | Expr::Subquery(_))) {
            is_stricter = true;
            continue;
        }
        if !columns.contains(&column.name.as_str()) {
            columns.push(&column.name);
            let collation = collation(condition).filter(|_| context.dialect != Dialect::MySql);
            let collation = collation.map(|it| match context.dialect {
                Dialect::Sqlite => format!(" COLLATE {}", it.to_uppercase()),
                _ => format!(" COLLATE \"{it}\""),
            });
            keys.push(format!("{}{}", column.name, collation.unwrap_or_default()));
        }
    }
    // A key that exists does not find one row for another reason.
    let is_known = table.indexes.iter().any(|index| {
        let names: Vec<&str> = index.keys.iter().filter_map(IndexKey::as_column).collect();
        index.unique && index.predicate.is_none() && names == columns
    });
    // Nor is there one row of each of a few values.
    let are_few = context
        .schema
        .is_some_and(|schema| columns.iter().all(|column| has_few_values(schema, table, column)));
    if columns.is_empty() || are_few || is_known && keys == columns {
        return None;
    }
    let name = match context.dialect {
        Dialect::Postgres => String::new(),
        Dialect::MySql | Dialect::Sqlite => format!("{}_{}_key ", table.name.name, columns.join("_")),
    };
    let list = keys.join(", ");
    let rows = if kept.is_empty() { String::new() } else { format!(" WHERE {}", kept.join(" AND ")) };
    let few = if is_stricter { format!(" of each `{}`", columns.join(", ")) } else { String::new() };
    Some((format!("CREATE UNIQUE INDEX {name}ON {} ({list}){rows}", table.name), few))
}

/// Whether a condition is the same in every run and of a row alone, so that an index may hold the rows for which it is true.
fn is_of_row(condition: &Expr, relation: RelationId) -> bool {
    let is_own = |expr: &Expr| expr.as_column().is_some_and(|column| column.relation == Some(relation));
    let is_literal = |expr: &Expr| matches!(expr.without_casts(), Expr::Literal(_));
    match condition {
        Expr::Binary { op, left, right } => op.is_comparison() && is_own(left) && is_literal(right),
        Expr::InList { expr, list, .. } => is_own(expr) && list.iter().all(is_literal),
        Expr::Is { expr, .. } => is_own(expr),
        Expr::Not(inner) => is_of_row(inner, relation),
        Expr::And(parts) => parts.iter().all(|part| is_of_row(part, relation)),
        Expr::Or(arms) => arms.iter().all(|arm| is_of_row(arm, relation)),
        other => is_own(other),
    }
}

/// The column that a condition compares for equality, and with what: the same value for all rows, which a subquery may find.
fn compared<'e>(query: &Query, condition: &'e Expr) -> Option<(&'e ColumnRef, &'e Expr)> {
    let Expr::Binary { op: Op::Eq, left, right } = condition else { return None };
    let is_fixed = |value: &Expr| {
        let of_row = |e: &Expr| match e {
            Expr::Subquery(id) => query.block(*id).correlated,
            other => matches!(other, Expr::Column(_) | Expr::WholeRow(_)) || other.own_subquery().is_some(),
        };
        !value.any(of_row)
    };
    match (as_column(left), as_column(right)) {
        (Some(column), _) if is_fixed(right) => Some((column, right)),
        (_, Some(column)) if is_fixed(left) => Some((column, left)),
        _ => None,
    }
}

fn as_column(side: &Expr) -> Option<&ColumnRef> {
    match side {
        Expr::Collate { expr, .. } => expr.as_column(),
        other => other.as_column(),
    }
}

/// The collation that a comparison names.
fn collation(condition: &Expr) -> Option<&str> {
    let Expr::Binary { left, right, .. } = condition else { return None };
    [left, right].into_iter().find_map(|side| match side.as_ref() {
        Expr::Collate { collation, .. } => Some(collation.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::finding::Tier::{Listed, Shown};
    use crate::lints::tests::{findings_in, fires_at, silent_at, tiers_in};

    #[test]
    fn an_order_says_which_row_is_meant() {
        let call = |sql: &str| format!("sqlx::query({sql:?}).bind(user).fetch_one(db).await;");
        let sql = "SELECT id FROM events WHERE user_id = $1";
        assert_eq!(tiers_in("nonunique_fetch_one", &call(sql)), [Shown]);
        let ordered = format!("{sql} ORDER BY id DESC");
        assert_eq!(tiers_in("nonunique_fetch_one", &call(&ordered)), [Listed]);
    }

    #[test]
    fn the_key_that_is_meant_is_told() {
        let help = |sql: &str| {
            let binds = ".bind(a)".repeat(sql.matches('$').count());
            let source = format!(
                "async fn run(db: &PgPool) {{ sqlx::query({sql:?}){binds}.fetch_optional(db).await; }}"
            );
            let mut found = findings_in("nonunique_fetch_one", &source);
            found.retain(|finding| finding.lint == "nonunique_fetch_one");
            found.remove(0).help.get(1).cloned().unwrap_or_default()
        };
        for (sql, expected) in [
            (
                "SELECT id FROM events WHERE name = $1",
                "one, have the database enforce it: `CREATE UNIQUE INDEX ON events (name)`",
            ),
            (
                "SELECT id FROM events WHERE server_id = $1 AND name = 'x' AND is_active",
                "(server_id) WHERE name = 'x' AND is_active`",
            ),
            (
                "SELECT id FROM events WHERE server_id = $1 AND next_run_at IS NULL",
                "(server_id) WHERE next_run_at is null`",
            ),
            (
                "SELECT id FROM events WHERE server_id = $1 AND NOT is_active",
                "(server_id) WHERE not is_active`",
            ),
            (
                "SELECT id FROM events WHERE server_id = $1 AND name IN ('y', 'z')",
                "(server_id) WHERE name in ('y', 'z')`",
            ),
            (
                "SELECT id FROM events WHERE server_id = $1 AND (name = 'x' OR is_active)",
                "(server_id) WHERE (name = 'x' or is_active)`",
            ),
            (
                "SELECT id FROM events WHERE server_id = $1 AND name <> $2",
                "one of each `server_id`, have the database enforce it: `CREATE UNIQUE INDEX ON events (server_id)`",
            ),
            (
                "SELECT id FROM events WHERE server_id = (SELECT id FROM servers WHERE name = $1) AND name = $2",
                "if there is only ever one, have the database enforce it: `CREATE UNIQUE INDEX ON events (server_id, name)`",
            ),
            (
                "SELECT id FROM events e WHERE server_id = (SELECT max(s.id) FROM servers s WHERE s.name = e.name) AND name = $1",
                "one of each `name`,",
            ),
            ("SELECT id FROM events WHERE name COLLATE \"C\" = $1", "(name COLLATE \"C\")`"),
        ] {
            assert!(help(sql).contains(expected), "{sql}: {}", help(sql));
        }
        for sql in [
            "SELECT id FROM events WHERE name <> $1",
            "SELECT id FROM events WHERE is_active = $1",
            "SELECT id FROM events WHERE name = $1 AND user_id IN (SELECT id FROM users WHERE name = $2)",
        ] {
            assert_eq!(help(sql), "", "{sql}");
        }
    }

    #[test]
    fn alternatives_of_one_value_are_listed() {
        let call = |sql: &str| format!("sqlx::query({sql:?}).bind(a).bind(b).fetch_one(db).await;");
        for (sql, expected) in [
            ("SELECT name FROM servers WHERE id = $1 OR id = $2", Shown),
            ("SELECT s.name FROM servers s JOIN users u ON u.id = s.id WHERE s.id = $1 OR u.id = $1", Listed),
            ("SELECT s.id FROM servers s WHERE s.id = $1 OR s.name = $1", Shown),
            ("SELECT id FROM events WHERE name = $1 OR user_id = $1", Shown),
        ] {
            let call = if sql.contains("$2") { call(sql) } else { call(sql).replace(".bind(b)", "") };
            let tiers = tiers_in("nonunique_fetch_one", &call);
            assert!(tiers.iter().all(|tier| *tier == expected), "{sql}: {tiers:?}");
        }
    }

    #[test]
    fn fires_where_no_key_is_set() {
        fires_at("nonunique_fetch_one", "fetch_one", "SELECT id FROM servers WHERE name = $1");
        fires_at("nonunique_fetch_one", "fetch_one", "SELECT id, name FROM servers WHERE name = $1");
        fires_at("nonunique_fetch_one", "fetch_one", "SELECT name FROM servers ORDER BY id");
        fires_at("nonunique_fetch_one", "fetch_optional", "SELECT id FROM events WHERE user_id = $1 LIMIT 5");
        fires_at(
            "nonunique_fetch_one",
            "fetch_one",
            "UPDATE logs SET output = '' WHERE event_id = $1 RETURNING id",
        );
        let around = "WITH x AS (SELECT id FROM events WHERE user_id = $1) SELECT id FROM x";
        fires_at("nonunique_fetch_one", "fetch_one", around);
        let derived = "SELECT id FROM (SELECT id FROM events WHERE user_id = $1) x";
        fires_at("nonunique_fetch_one", "fetch_one", derived);
        fires_at("nonunique_fetch_one", "fetch_one", "SELECT DISTINCT user_id FROM events");
    }

    #[test]
    fn silent_where_there_is_one_row_or_all_are_read() {
        for sql in [
            "SELECT name FROM servers WHERE id = $1",
            "SELECT name FROM servers",
            "SELECT user_id FROM events WHERE user_id = $1",
            "SELECT e.user_id, e.name FROM events e WHERE e.user_id = $1 AND e.name = $2",
            "WITH x AS (SELECT name FROM servers) SELECT name FROM x",
            "WITH x AS (SELECT name FROM servers WHERE id = $1) SELECT name FROM x",
            "SELECT count(*) FROM events WHERE user_id = $1",
            "SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 1",
            "INSERT INTO servers (name) VALUES ($1) RETURNING id",
            "SELECT EXISTS (SELECT 1 FROM events WHERE user_id = $1)",
            "SELECT ok FROM check_login($1, $2) AS t (ok)",
            "SELECT name FROM servers WHERE id = $1 UNION ALL SELECT name FROM users WHERE id = $1",
            "SELECT rolname FROM pg_roles WHERE rolsuper = $1",
            "SELECT 1 AS one FROM events WHERE user_id = $1",
        ] {
            silent_at("nonunique_fetch_one", "fetch_one", sql);
        }
        silent_at("nonunique_fetch_one", "fetch_all", "SELECT name FROM servers WHERE name = $1");
    }
}
