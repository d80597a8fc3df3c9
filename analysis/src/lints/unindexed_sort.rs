//! First rows in an order that no index provides.

use super::shared::nearest::{self, Nearest};
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::index::{self, Sort, Verdict};
use crate::sql::Query;

declare_lint! {
    /// ## What it does
    ///
    /// Finds ORDER BY with LIMIT over one table if no index provides the order: neither after the columns
    /// that the filter fixes, nor from its first key on.
    ///
    /// ## Why is this bad
    ///
    /// Every row that the filter keeps is read and sorted for the few that are returned. An index in the
    /// wanted order is read up to the limit and no further.
    ///
    /// ## Known limits
    ///
    /// Queries that join, group or compare with a range, several values or a subquery are left alone: which
    /// index is best depends on the rows. If the filter itself has no index, `unindexed_filter` reports it,
    /// and the index it suggests includes the order. If the filter leaves few rows, sorting them costs
    /// little: set `[tables]` or allow it with that reason. A raw query on a table that does not grow, or in an order that
    /// no index is known to give, is listed with `--all`; so is one that runs while a program starts, or that administrators
    /// alone ask for. The rows nearest to a value (`ORDER BY abs(at - $1)`) are read by two searches, whose statement is shown if it
    /// is certain to be equal.
    ///
    /// Of 17 findings drawn from 129 public projects, 17 were true and 8 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT name FROM events WHERE user_id = $1 ORDER BY next_run_at LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 10
    /// ```
    "unindexed_sort", Index, since "0.1.0",
    "first rows in an order that no index provides",
    Check::Query(check); NeedsSchema, OfMany
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(schema)) = (context.query, context.schema) else { return };
    for sort in index::unindexed_sorts(query, schema) {
        let is_served = context.accesses.iter().any(|access| {
            access.relation == sort.relation
                && (sort.keeps_most || matches!(access.verdict, Verdict::Served | Verdict::Full))
        });
        if is_served && !context.is_small(&sort.table) {
            let finding = finding(context, query, &sort);
            // Without a LIMIT every row is read and returned: sorting them adds little.
            let is_page = query.blocks.iter().any(|block| block.limit.is_some());
            let is_idle = !is_page || context.stays(&sort.table);
            findings.push(match context.is_raw() {
                // Where no index is known to help, there is nothing to do at once.
                true if is_idle || finding.help.is_empty() => finding.listed(),
                true if context.is_of_one_parent(query, sort.relation) => {
                    finding.note("only the rows of one parent are left to sort").listed()
                }
                _ => finding,
            });
        }
    }
}

fn finding(context: &QueryContext<'_>, query: &Query, sort: &Sort) -> Finding {
    let keys = sort.keys.join(", ");
    let place = match sort.keys.as_slice() {
        [only] if only.starts_with('(') => format!("{} {only}", sort.table),
        [only] if !only.contains([' ', '(']) => format!("{}.{only}", sort.table),
        _ => format!("{} ({keys})", sort.table),
    };
    let span = sort.span.map_or(0..0, |span| span.range());
    let finding = Finding::new(LINT.name, format!("no index provides the order of `{place}`")).excerpt(
        context.sql,
        span,
        "every row that the filter keeps is sorted",
    );
    if let Some(nearest) = nearest::of(context, query, sort.relation) {
        return of_nearest(context, finding, nearest);
    }
    let index = context.schema.and_then(|schema| Some((sort.wanted.as_ref()?.index(schema)?, schema)));
    let Some((index, schema)) = index else { return finding };
    let mut finding = finding.help(format!("add an index: `{}`", index.ddl(context.dialect)));
    finding.causes.push(index.ddl(context.dialect).into());
    match index::replaced_by(schema, &index) {
        Some(old) => {
            finding.note(format!("it begins with what index `{old}` contains, which is then not needed"))
        }
        None => finding,
    }
}

/// The finding on the rows nearest to a value, which an index on the column itself leads to.
fn of_nearest(context: &QueryContext<'_>, finding: Finding, nearest: Nearest) -> Finding {
    let indexes = nearest.indexes.iter();
    let indexes: Vec<String> =
        indexes.map(|index| format!("add an index: `{}`", index.ddl(context.dialect))).collect();
    let mut finding = finding.help(match nearest.rewrite {
        Some(rewrite) => format!("look for the nearest row on each side of the value: `{rewrite}`"),
        None => {
            format!(
                "look for the nearest row on each side of the value, and take the nearer one: {}",
                nearest.sides
            )
        }
    });
    finding.help.extend(indexes);
    finding.note("an index in the order of the column leads to the rows on both sides of the value, not to their distances")
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent, tiers_in};

    #[test]
    fn the_nearest_rows_are_on_two_sides_of_a_value() {
        let side = |table: &str, filter: &str, op: &str, order: &str, alias: &str| {
            format!(
                "SELECT * FROM (SELECT * FROM {table} WHERE {filter}id {op} $1 ORDER BY id{order} LIMIT 1) AS {alias}"
            )
        };
        let sides = |table: &str, filter: &str, alias: &str| {
            let (after, before) =
                (side(table, filter, ">=", "", "after_it"), side(table, filter, "<", " DESC", "before_it"));
            format!("FROM ({after} UNION ALL {before}) AS {alias}")
        };
        let intro = "look for the nearest row on each side of the value: ";
        for (sql, expected) in [
            (
                "SELECT name FROM users ORDER BY abs(id - $1) LIMIT 1",
                format!("{intro}`SELECT name {} ORDER BY abs(id - $1) LIMIT 1`", sides("users", "", "users")),
            ),
            (
                "SELECT u.name FROM users u WHERE u.name <> $2 ORDER BY abs($1 - u.id) LIMIT 1",
                format!(
                    "{intro}`SELECT u.name {} ORDER BY abs($1 - u.id) LIMIT 1`",
                    sides("users u", "u.name <> $2 AND ", "u")
                ),
            ),
        ] {
            assert_eq!(help("unindexed_sort", sql), expected, "{sql}");
        }
        let epoch = "SELECT id FROM logs ORDER BY abs(extract(epoch FROM created_at - $1)) LIMIT 1";
        let found = crate::lints::tests::findings("unindexed_sort", epoch);
        assert_eq!(
            found.iter().flat_map(|it| it.help.last()).collect::<Vec<_>>(),
            ["add an index: `CREATE INDEX ON logs (created_at)`"]
        );
    }

    #[test]
    fn fires_where_all_that_is_kept_is_sorted() {
        fires("unindexed_sort", "SELECT id FROM logs ORDER BY created_at DESC LIMIT 5");
        fires("unindexed_sort", "SELECT id FROM events WHERE user_id = $1 ORDER BY name, id LIMIT $2");
        let help = help("unindexed_sort", "SELECT id FROM events WHERE user_id = $1 ORDER BY name LIMIT 5");
        assert_eq!(help, "add an index: `CREATE INDEX ON events (user_id, name)`");
    }

    #[test]
    fn the_rows_of_one_parent_are_listed() {
        use crate::finding::Tier::{Listed, Shown};
        for (sql, expected) in [
            ("SELECT id FROM events WHERE user_id = $1 ORDER BY name LIMIT 5", Listed),
            ("SELECT id FROM events WHERE user_id > $1 ORDER BY name LIMIT 5", Shown),
            ("SELECT id FROM logs ORDER BY created_at LIMIT $1", Shown),
        ] {
            let call = format!("sqlx::query({sql:?}).bind(a).fetch_all(db).await;");
            let tiers = tiers_in("unindexed_sort", &call);
            assert!(tiers.iter().all(|tier| *tier == expected), "{sql}: {tiers:?}");
            assert!(expected == Shown || !tiers.is_empty(), "{sql}");
        }
    }

    #[test]
    fn fires_on_expressions_collations_and_distances() {
        for (sql, expect) in [
            ("SELECT id FROM users ORDER BY upper(name) LIMIT 5", "CREATE INDEX ON users ((upper(name)))"),
            (
                "SELECT id FROM users ORDER BY email COLLATE \"C\" LIMIT 5",
                "CREATE INDEX ON users (email COLLATE \"C\")",
            ),
            ("SELECT id FROM users ORDER BY id + 1 LIMIT 5", "CREATE INDEX ON users ((id + 1))"),
        ] {
            assert_eq!(help("unindexed_sort", sql), format!("add an index: `{expect}`"), "{sql}");
        }
        fires("unindexed_sort", "SELECT id FROM logs ORDER BY coalesce(output, '') LIMIT 5");
        silent("unindexed_sort", "SELECT id FROM users ORDER BY random() LIMIT 5");
        silent("unindexed_sort", "SELECT id FROM users WHERE id = $1 ORDER BY upper(name) LIMIT 5");
    }

    #[test]
    fn fires_where_a_filter_leaves_out_single_values() {
        fires("unindexed_sort", "SELECT id FROM logs WHERE output <> 'x' ORDER BY created_at DESC LIMIT 5");
        fires(
            "unindexed_sort",
            "SELECT id FROM logs WHERE event_id NOT IN (1, $1) ORDER BY created_at LIMIT 5",
        );
        silent("unindexed_sort", "SELECT id FROM logs WHERE output <> 'x' ORDER BY id LIMIT 5");
        silent("unindexed_sort", "SELECT id FROM logs WHERE output LIKE '%x%' ORDER BY created_at LIMIT 5");
    }

    #[test]
    fn silent_where_an_index_is_in_order() {
        silent("unindexed_sort", "SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 5");
        silent(
            "unindexed_sort",
            "SELECT id FROM events WHERE user_id = $1 ORDER BY user_id DESC, id DESC LIMIT 5",
        );
        silent("unindexed_sort", "SELECT id FROM logs WHERE created_at IS NOT NULL ORDER BY id DESC LIMIT 5");
        silent("unindexed_sort", "SELECT id FROM events ORDER BY id, name LIMIT 5");
    }

    #[test]
    fn silent_where_only_what_is_equal_is_sorted() {
        silent("unindexed_sort", "SELECT id FROM events WHERE user_id = $1 ORDER BY id DESC, name LIMIT 5");
    }

    #[test]
    fn silent_without_limit_and_for_one_row() {
        silent("unindexed_sort", "SELECT id FROM events WHERE user_id = $1 ORDER BY name");
        silent("unindexed_sort", "SELECT id FROM users WHERE email = $1 ORDER BY name LIMIT 1");
    }

    #[test]
    fn silent_where_rows_decide_which_index_is_best() {
        silent("unindexed_sort", "SELECT id FROM events WHERE user_id = ANY($1) ORDER BY name LIMIT 5");
        silent("unindexed_sort", "SELECT id FROM events WHERE id > $1 ORDER BY name LIMIT 5");
        silent("unindexed_sort", "SELECT name FROM events GROUP BY name ORDER BY name LIMIT 5");
        silent("unindexed_sort", "SELECT id FROM logs WHERE event_id = $1 ORDER BY created_at LIMIT 5");
    }
}
