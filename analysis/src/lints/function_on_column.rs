//! A function of a column is compared instead of the column.

use super::shared::shape;
use super::shared::wrapped::{self, Comparison, Rewrite, Wrapped};
use super::{Check, QueryContext, declare_lint};
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
    /// Reported if the column has an index that goes unused, or if the condition has a plain form without the
    /// function; otherwise `unindexed_filter` reports the missing index. Silent if there is an index on the
    /// expression or another condition narrows the search, on small tables, and without a schema. For a
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
    let Ok(query) = context.query else { return };
    findings.extend(found(context, query).into_iter().map(|(_, finding)| finding));
}

/// The findings, each with the table that is read in full because of it.
pub(super) fn found(context: &QueryContext<'_>, query: &Query) -> Vec<(RelationId, Finding)> {
    let all = wrapped::all(context, query);
    let functions = all.iter().filter(|wrapped| is_function(wrapped.operand));
    let found =
        functions.map(|wrapped| (wrapped, rewrite(context, query, wrapped), is_immutable(wrapped.operand)));
    wrapped::findings(LINT.name, context, query, found)
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
    let column = wrapped.name(query);
    let dialect = context.dialect;
    let text = |expr: &Expr| shape::operand(expr, dialect);
    let table = context.table(query, wrapped.relation);
    let ty = table.and_then(|table| table.column(&wrapped.column.name)).map(|it| it.ty.as_str());
    match wrapped.operand {
        Expr::Call(call) if call.name == "date" && matches!(call.args.as_slice(), [Expr::Column(_)]) => {
            let days = days(&column, &wrapped.comparison, dialect)?;
            Some(on_days(days, ty, dialect))
        }
        Expr::Call(call) if call.name == "date_trunc" && dialect == Dialect::Postgres => {
            let [Expr::Literal(Literal::Text(unit)), Expr::Column(_)] = call.args.as_slice() else {
                return None;
            };
            let (op, value) = wrapped.comparison.binary()?;
            let value = text(value);
            // A value that is not the start of its unit never equals a truncated one.
            match op {
                Op::Eq => Some(Rewrite::alike(format!(
                    "{column} >= {value} AND {column} < {value} + interval '1 {unit}'"
                ))),
                _ => None,
            }
        }
        Expr::Call(call) if call.name == "year" && dialect == Dialect::MySql => {
            let (Op::Eq, value) = wrapped.comparison.binary()? else { return None };
            let value = text(value);
            let range = format!("{column} >= makedate({value}, 1) AND {column} < makedate({value} + 1, 1)");
            Some(on_days(range, ty, dialect))
        }
        Expr::Other { what, parts } if dialect == Dialect::Postgres => {
            let ([Expr::Column(_)], Some(field)) = (parts.as_slice(), what.strip_prefix("extract ")) else {
                return None;
            };
            let (op, value) = wrapped.comparison.binary()?;
            let value = text(value);
            match (field, op) {
                ("year", Op::Eq) => {
                    let range = format!(
                        "{column} >= make_date({value}, 1, 1) AND {column} < make_date({value} + 1, 1, 1)"
                    );
                    Some(on_days(range, ty, dialect))
                }
                ("epoch", op) => {
                    Some(Rewrite::alike(format!("{column} {} to_timestamp({value})", op.as_str())))
                }
                _ => None,
            }
        }
        Expr::Binary { op: Op::Arithmetic(sign @ ('+' | '-')), left, right } => {
            let (op, value) = wrapped.comparison.binary()?;
            let other = match (left.as_ref(), right.as_ref(), sign) {
                (Expr::Column(_), other, _) | (other, Expr::Column(_), '+') => other,
                _ => return None,
            };
            let back = if *sign == '+' { '-' } else { '+' };
            // The database would infer another type for a bare parameter in date arithmetic.
            let is_bare = dialect == Dialect::Postgres && matches!(other, Expr::Parameter(_));
            let cast = match ty {
                Some(ty) if is_bare && ty.starts_with("timestamp") => "::interval",
                Some("date") if is_bare => return None,
                _ => "",
            };
            other.is_constant().then(|| {
                Rewrite::alike(format!(
                    "{column} {} {} {back} {}{cast}",
                    op.as_str(),
                    text(value),
                    text(other)
                ))
            })
        }
        _ => None,
    }
}

/// Rates a condition on days by the type of the column. For a timestamp with time zone, the start of a day
/// depends on the session's time zone. In some zones the clock goes back over midnight, and an hour of that
/// night belongs to another day. A text only looks like a date.
pub(super) fn on_days(days: String, ty: Option<&str>, dialect: Dialect) -> Rewrite {
    let ty = ty.unwrap_or_default().to_ascii_lowercase();
    let is_certain = match dialect {
        Dialect::Postgres => ty == "date" || ty.starts_with("timestamp") && !is_zoned(&ty),
        // The server compares both in the session's time zone.
        Dialect::MySql => ty.starts_with("datetime") || ty.starts_with("date"),
        Dialect::Sqlite => false,
    };
    if is_certain { Rewrite::equal(days) } else { Rewrite::alike(days) }
}

/// Whether the date of a PostgreSQL type depends on the session's time zone.
fn is_zoned(ty: &str) -> bool {
    ty.starts_with("timestamptz") || ty.ends_with("with time zone")
}

/// The condition that a timestamp is on certain days.
pub(super) fn days(column: &str, comparison: &Comparison<'_>, dialect: Dialect) -> Option<String> {
    let first = |day: &Expr| match (dialect, day.without_casts()) {
        (Dialect::Postgres, plain @ (Expr::Parameter(_) | Expr::Literal(_))) => format!("{plain}::date"),
        (_, day) => shape::operand(day, dialect),
    };
    let next = |day: &Expr| match dialect {
        Dialect::Postgres => format!("{} + 1", first(day)),
        Dialect::MySql => format!("{} + INTERVAL 1 DAY", first(day)),
        Dialect::Sqlite => format!("date({}, '+1 day')", first(day)),
    };
    if let Comparison::Between(low, high) = comparison {
        return Some(format!("{column} >= {} AND {column} < {}", first(low), next(high)));
    }
    let (op, day) = comparison.binary()?;
    match op {
        Op::Eq => Some(format!("{column} >= {} AND {column} < {}", first(day), next(day))),
        Op::Lt | Op::GtEq => Some(format!("{column} {} {}", op.as_str(), first(day))),
        Op::LtEq => Some(format!("{column} < {}", next(day))),
        Op::Gt => Some(format!("{column} >= {}", next(day))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn says_what_to_write_instead() {
        let help = |sql| help("function_on_column", sql);
        assert_eq!(
            help("SELECT id FROM users WHERE lower(email) = lower($1)"),
            "index what is compared: `CREATE INDEX ON users (lower(email))`"
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
        ] {
            silent("function_on_column", sql);
        }
    }
}
