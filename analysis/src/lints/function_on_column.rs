//! A function of a column is compared instead of the column.

use super::shared::wrapped::{self, Rewrite, Wrapped};
use super::shared::{time_ranges, wording};
use super::{Check, QueryContext, declare_lint, shared};
use crate::finding::Finding;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::{Query, RelationId};

declare_lint! {
    /// ## What it does
    ///
    /// Finds conditions that compare the result of a function or an expression on a column, although an index
    /// could be searched for the column itself: `lower(email) = $1`, `date(created_at) = $1`,
    /// `created_at + interval '1 day' < now()`.
    ///
    /// ## Why is this bad
    ///
    /// The index holds the column's values, not the function's results: every row is read, and the function is called
    /// for each.
    ///
    /// ## Known limits
    ///
    /// Reported if the column has an index that goes unused, or if the condition has a plain form without the function. The
    /// branches of an OR count as one condition if all of them compare the same function of a column. Otherwise
    /// `unindexed_filter` reports the missing index. Silent if there is an index on the
    /// expression or another condition narrows the search, on small tables, and without a schema. No range of
    /// days is written for a value with a time of day (`date(created_at) < now() - interval '7 days'`): it would
    /// add or lose the rows of that day. For a
    /// `timestamptz`, a range of days is not exactly equivalent to `date(..)`: in a few time zones the clock
    /// goes back over midnight (America/Havana).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id FROM logs WHERE date(created_at) = $1 ORDER BY id LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id FROM events WHERE user_id = $1
    /// AND next_run_at >= $2 AND next_run_at < $2::date + 1 ORDER BY id LIMIT 10
    /// ```
    "function_on_column", Shape, since "0.1.0",
    "a function on a column that keeps its index from being used",
    Check::Query(check); NeedsSchema, OnReading
}

/// Functions that an index can store: their result depends only on their arguments.
const IMMUTABLE: &[&str] = &[
    "lower",
    "upper",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "length",
    "char_length",
    "md5",
    "coalesce",
    "abs",
    "round",
    "floor",
    "ceil",
    "substring",
    "substr",
    "left",
    "right",
    "replace",
    "reverse",
    "nullif",
    "ifnull",
];

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    shared::add_all(context, findings, found);
}

/// The findings, each with the table that is read in full because of it.
pub(super) fn found(context: &QueryContext<'_>, query: &Query) -> Vec<(RelationId, Finding)> {
    let all = wrapped::all(context, query);
    let functions = all.iter().filter(|wrapped| is_function(wrapped.operand));
    let found = functions.filter(|wrapped| month_or_year(&all, wrapped, "year").is_none()).map(|wrapped| {
        let rewrite = match month_or_year(&all, wrapped, "month") {
            Some(month) => time_ranges::month(context, query, wrapped, month),
            None => wrapped.rewritten(|comparison| rewrite(context, query, comparison)),
        };
        let is_indexable = is_immutable(wrapped.operand) || is_part_of_local_time(context, query, wrapped);
        (wrapped, rewrite, is_indexable)
    });
    wrapped::findings(LINT.name, context, query, found)
}

/// For a condition that a year or a month of a column equals a value, the other of the two on the same column: the `wanted` one.
fn month_or_year<'w, 'q>(
    all: &'w [Wrapped<'q>],
    wrapped: &Wrapped<'_>,
    wanted: &str,
) -> Option<&'w Wrapped<'q>> {
    let of = if wanted == "month" { "year" } else { "month" };
    let is_equal = |it: &Wrapped<'_>| matches!(it.comparison.binary(), Some((Op::Eq, _)));
    if part(wrapped.operand) != Some(of) || !is_equal(wrapped) {
        return None;
    }
    all.iter().find(|other| {
        other.relation == wrapped.relation
            && other.column == wrapped.column
            && part(other.operand) == Some(wanted)
            && is_equal(other)
    })
}

/// The part of a time that an expression takes from a column: `year` of `EXTRACT(YEAR FROM a)`, `date_part('year', a)` and
/// MySQL's `year(a)`.
fn part(operand: &Expr) -> Option<&str> {
    match operand {
        Expr::Other { what, parts } if matches!(parts.as_slice(), [Expr::Column(_)]) => {
            what.strip_prefix("extract ")
        }
        Expr::Call(call) => match (call.name.as_str(), call.args.as_slice()) {
            ("date_part", [Expr::Literal(Literal::Text(unit)), Expr::Column(_)]) => Some(unit),
            (unit @ ("year" | "month"), [Expr::Column(_)]) => Some(unit),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression takes a part of a date or a time without a zone, which an index can store.
fn is_part_of_local_time(context: &QueryContext<'_>, query: &Query, wrapped: &Wrapped<'_>) -> bool {
    context.dialect == Dialect::Postgres
        && part(wrapped.operand).is_some()
        && matches!(
            wrapped.column_type(context, query).as_str(),
            "date" | "timestamp" | "timestamp without time zone"
        )
}

/// Whether the operand calls a function on the column, or adds to it.
fn is_function(operand: &Expr) -> bool {
    match operand.without_casts() {
        Expr::Call(call) => !call.window,
        Expr::Other { what, .. } => what.starts_with("extract") || what == "at time zone",
        Expr::Binary { op: Op::Arithmetic(_), .. } => true,
        _ => false,
    }
}

fn is_immutable(operand: &Expr) -> bool {
    !operand.any(|e| match e {
        Expr::Call(call) => !IMMUTABLE.contains(&call.name.as_str()),
        Expr::Column(_) | Expr::Literal(_) => false,
        _ => true,
    })
}

/// The equivalent condition on the column itself.
fn rewrite(context: &QueryContext<'_>, query: &Query, wrapped: &Wrapped<'_>) -> Option<Rewrite> {
    match wrapped.operand {
        Expr::Call(call) => match (call.name.as_str(), context.dialect, call.args.as_slice()) {
            ("date", _, [Expr::Column(_)]) => time_ranges::days(context, query, wrapped),
            ("date_trunc", Dialect::Postgres, [Expr::Literal(Literal::Text(unit)), Expr::Column(_)]) => {
                time_ranges::truncated(context, query, wrapped, unit)
            }
            ("year", Dialect::MySql, [Expr::Column(_)]) => time_ranges::year(context, query, wrapped),
            ("date_part", Dialect::Postgres, _) => of_part(context, query, wrapped),
            _ => None,
        },
        Expr::Other { .. } if context.dialect == Dialect::Postgres => of_part(context, query, wrapped),
        Expr::Binary { op: Op::Arithmetic(sign @ ('+' | '-')), left, right } => {
            moved(context, query, wrapped, (left, *sign, right))
        }
        _ => None,
    }
}

/// The condition on the column itself for one on a part of it that lies in one range.
fn of_part(context: &QueryContext<'_>, query: &Query, wrapped: &Wrapped<'_>) -> Option<Rewrite> {
    match part(wrapped.operand)? {
        "year" => time_ranges::year(context, query, wrapped),
        "epoch" => time_ranges::epoch(context, query, wrapped),
        _ => None,
    }
}

/// A sum or difference of the column and a constant, with the constant moved to the other side.
fn moved(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
    (left, sign, right): (&Expr, char, &Expr),
) -> Option<Rewrite> {
    let (op, value) = wrapped.comparison.binary()?;
    let (other, is_subtracted) = match (left, right, sign) {
        (Expr::Column(_), other, _) | (other, Expr::Column(_), '+') => (other, false),
        (other, Expr::Column(_), '-') => (other, true),
        _ => return None,
    };
    if !other.is_constant() {
        return None;
    }
    let ty = wrapped.column_type(context, query);
    let is_interval = |expr: &Expr| {
        matches!(expr, Expr::Other { what, .. } if what == "interval")
            || matches!(expr, Expr::Cast { ty, .. } if ty == "interval" || ty.starts_with("interval "))
    };
    // The server would infer another type for a bare value in date arithmetic, or none at all.
    let is_bare = |expr: &Expr| matches!(expr, Expr::Parameter(_) | Expr::Literal(Literal::Text(_)));
    let is_postgres = context.dialect == Dialect::Postgres;
    let typed = |expr: &Expr, text: String, is_difference: bool| {
        if !is_postgres || !is_bare(expr) {
            return Some(text);
        }
        match ty.as_str() {
            ty if ty.starts_with("timestamp") && is_difference => Some(format!("{text}::interval")),
            ty if ty.starts_with("timestamp") => Some(format!("{text}::{}", time_ranges::cast_name(ty))),
            // A number of days or an interval.
            ty if ty.starts_with("date") || ty.starts_with("time") || ty.is_empty() => None,
            _ if is_bare(value) && is_bare(other) => Some(format!("{text}::{ty}")),
            _ => Some(text),
        }
    };
    // Between two timestamps lies an interval; beside one, the server takes a bare value for an interval where it is added,
    // and for a timestamp where it is subtracted.
    let is_between =
        is_subtracted || sign == '-' && !is_interval(other) && (is_bare(other) || is_interval(value));
    let name = wrapped.name(query, context.dialect);
    let value = typed(value, wrapped.value_text(context, value), is_between)?;
    let other = typed(other, wording::operand(other, context.dialect), !is_between)?;
    let (op, moved) = match (is_subtracted, sign) {
        (true, _) => (op.flipped(), format!("{other} - {value}")),
        (false, '+') => (op, format!("{value} - {other}")),
        (false, _) => (op, format!("{value} + {other}")),
    };
    Some(Rewrite::alike(format!("{name} {} {moved}", op.as_str())))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{findings, fires, help, silent};

    #[test]
    fn says_what_to_write_instead() {
        let help = |sql| help("function_on_column", sql);
        assert_eq!(
            help("SELECT id FROM users WHERE lower(email) = lower($1)"),
            "index the compared expression: `CREATE INDEX ON users (lower(email))`"
        );
        assert_eq!(
            help("SELECT id FROM logs WHERE date(created_at) = $1"),
            "compare the column itself: `created_at >= $1::date AND created_at < $1::date + 1`"
        );
        assert_eq!(
            help("SELECT id FROM logs WHERE created_at + interval '1 day' < now()"),
            "compare the column itself: `created_at < now() - interval '1 day'`"
        );
        assert_eq!(
            help("SELECT id FROM logs WHERE extract(year FROM created_at) = 2024"),
            "compare the column itself: `created_at >= make_date(2024, 1, 1) AND created_at < make_date(2024 + 1, 1, 1)`"
        );
        assert_eq!(
            help("SELECT id FROM events WHERE to_char(user_id, '9') = $1"),
            "compare `user_id` itself, with a value that is computed on the other side"
        );
    }

    #[test]
    fn a_year_and_a_month_are_one_range() {
        let range = "compare the column itself: `created_at >= make_date($1::int, $2::int, 1) AND created_at < make_date($1::int, $2::int, 1) + interval '1 month'`";
        for (year, month) in [
            ("extract(year FROM created_at)", "extract(month FROM created_at)"),
            ("date_part('year', created_at)", "date_part('month', created_at)"),
        ] {
            let sql = format!("SELECT id FROM logs WHERE {year} = $1 AND {month} = $2");
            let found = findings("function_on_column", &sql);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].help[0], range, "{sql}");
        }
        let by_year =
            help("function_on_column", "SELECT id FROM logs WHERE date_part('year', created_at) = 2024");
        assert!(by_year.contains("make_date(2024, 1, 1)"), "{by_year}");
        let by_year = help(
            "function_on_column",
            "SELECT id FROM logs WHERE extract(year FROM created_at) = $1 AND extract(month FROM created_at) > $2",
        );
        assert!(by_year.contains("make_date($1::int, 1, 1)"), "{by_year}");
    }

    #[test]
    fn branches_of_an_or_that_compare_one_function_are_ranges() {
        let of_query = |sql: &str| help("function_on_column", sql);
        let help =
            |condition: &str| of_query(&format!("SELECT id FROM logs WHERE output = 'x' AND ({condition})"));
        assert_eq!(
            help("extract(year FROM created_at) = $1::int OR extract(year FROM created_at) = $1::int - 1"),
            "compare the column itself: `(created_at >= make_date(($1::int)::int, 1, 1) AND created_at < make_date(($1::int)::int + 1, 1, 1)) \
             OR (created_at >= make_date((($1::int - 1))::int, 1, 1) AND created_at < make_date((($1::int - 1))::int + 1, 1, 1))`"
        );
        assert_eq!(
            help("date(created_at) < $1 OR $2 = date(created_at) OR date(created_at) > $3"),
            "compare the column itself: `created_at < $1::date OR (created_at >= $2::date AND created_at < $2::date + 1) OR created_at >= $3::date + 1`"
        );
        assert_eq!(
            of_query("SELECT id FROM users WHERE lower(email) = lower($1) OR lower(email) = $2"),
            "index the compared expression: `CREATE INDEX ON users (lower(email))`"
        );
    }

    #[test]
    fn fires_in_writes_and_subqueries() {
        fires("function_on_column", "DELETE FROM logs WHERE date(created_at) < $1");
        fires("function_on_column", "SELECT 1 WHERE EXISTS (SELECT 1 FROM users WHERE lower(email) = $1)");
    }

    #[test]
    fn silent_where_nothing_is_gained() {
        for sql in [
            "SELECT id FROM servers WHERE lower(name) = $1",
            "SELECT id FROM events WHERE user_id = $1 AND date(next_run_at) = $2",
            "SELECT lower(email) FROM users WHERE id = $1",
            "SELECT id FROM users WHERE email = lower($1)",
            "SELECT id FROM events WHERE coalesce(next_run_at, $1) = next_run_at",
            "SELECT id FROM logs WHERE length(output) > 100 OR event_id = $1",
            "SELECT id FROM logs WHERE date(created_at) = $1 OR extract(year FROM created_at) = $2",
            "SELECT id FROM logs WHERE date(created_at) = $1 OR event_id = $2",
            "SELECT id FROM events WHERE user_id = $1 AND (date(next_run_at) = $2 OR date(next_run_at) = $3)",
        ] {
            silent("function_on_column", sql);
        }
    }
}
