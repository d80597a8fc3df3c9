//! Conditions on days, years and other spans of time, written on the timestamp itself, so that its index is searched.
//!
//! A span is known only where it begins with the value: a date, the start of a year. A timestamp compared with a date is on no
//! boundary, so that no range of whole days has the same rows.

use super::wrapped::{Comparison, Rewrite, Wrapped};
use crate::lints::QueryContext;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::predicates;
use crate::sql::query::Query;

/// `date(column)` and `column::date`, compared with a date.
pub(in crate::lints) fn days(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
) -> Option<Rewrite> {
    let ty = wrapped.column_type(context, query);
    if !is_of_time(&ty, context.dialect) {
        return None;
    }
    let column = wrapped.name(query, context.dialect);
    let first = |value: &Expr| first_of_day(context, query, wrapped, value);
    let next = |value: &Expr| {
        let first = first(value)?;
        Some(match context.dialect {
            Dialect::Postgres => format!("{first} + 1"),
            Dialect::MySql => format!("{first} + INTERVAL 1 DAY"),
            Dialect::Sqlite => format!("date({first}, '+1 day')"),
        })
    };
    let (text, value) = match wrapped.comparison {
        // Only a value that is the same everywhere is written without where it is from.
        Comparison::Between(low, high)
            if low.is_constant() && high.is_constant() && !wrapped.is_symmetric(context) =>
        {
            (format!("{column} >= {} AND {column} < {}", first(low)?, next(high)?), high)
        }
        _ => {
            let (op, day) = wrapped.comparison.binary()?;
            let text = match op {
                Op::Eq if predicates::is_volatile(day) => return None,
                Op::Eq => format!("{column} >= {} AND {column} < {}", first(day)?, next(day)?),
                Op::Lt | Op::GtEq => format!("{column} {} {}", op.as_str(), first(day)?),
                Op::LtEq => format!("{column} < {}", next(day)?),
                Op::Gt => format!("{column} >= {}", next(day)?),
                _ => return None,
            };
            (text, day)
        }
    };
    // The server types a parameter as a date only in PostgreSQL; elsewhere it may have a time of day.
    let is_date =
        context.dialect == Dialect::Postgres || !value.any(|part| matches!(part, Expr::Parameter(_)));
    Some(if is_date { rated(text, &ty, context.dialect) } else { Rewrite::alike(text) })
}

/// `extract(year FROM column)` and `year(column)`, equal to a number.
pub(in crate::lints) fn year(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
) -> Option<Rewrite> {
    let (text, literal) = number_of_part(context, query, wrapped)?;
    // The years that both functions take as they are, with the one after.
    if literal.is_some_and(|year| !(1000..9999).contains(&year)) {
        return None;
    }
    let column = wrapped.name(query, context.dialect);
    let range = match context.dialect {
        Dialect::Postgres => {
            format!("{column} >= make_date({text}, 1, 1) AND {column} < make_date({text} + 1, 1, 1)")
        }
        _ => format!("{column} >= makedate({text}, 1) AND {column} < makedate({text} + 1, 1)"),
    };
    Some(match literal {
        Some(_) => rated(range, &wrapped.column_type(context, query), context.dialect),
        None => Rewrite::alike(range),
    })
}

/// The number that a part of a time equals, as a text for a function on numbers, and its value if it is written out. `None` if
/// the column is not of a time, or the number may differ between rows.
fn number_of_part(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
) -> Option<(String, Option<u16>)> {
    let (Op::Eq, value) = wrapped.comparison.binary()? else { return None };
    let is_of_time = is_of_time(&wrapped.column_type(context, query), context.dialect);
    if !is_of_time || !value.is_constant() || predicates::is_volatile(value) {
        return None;
    }
    let text = wrapped.value_text(context, value);
    match value {
        Expr::Literal(Literal::Number(number)) => number.parse().ok().map(|literal| (text, Some(literal))),
        Expr::Literal(_) => None,
        // PostgreSQL extracts a `numeric`.
        Expr::Parameter(_) if context.dialect == Dialect::Postgres => Some((format!("{text}::int"), None)),
        _ if context.dialect == Dialect::Postgres => Some((format!("({text})::int"), None)),
        _ => Some((text, None)),
    }
}

/// The range of one month, where both the year of a column and its month equal a number.
pub(in crate::lints) fn month(
    context: &QueryContext<'_>,
    query: &Query,
    year: &Wrapped<'_>,
    month: &Wrapped<'_>,
) -> Option<Rewrite> {
    let (year_number, _) = number_of_part(context, query, year)?;
    let (month_number, _) = number_of_part(context, query, month)?;
    let column = year.name(query, context.dialect);
    let range = match context.dialect {
        Dialect::Postgres => {
            let first = format!("make_date({year_number}, {month_number}, 1)");
            format!("{column} >= {first} AND {column} < {first} + interval '1 month'")
        }
        _ => {
            let first = format!("makedate({year_number}, 1) + interval");
            format!(
                "{column} >= {first} {month_number} - 1 month AND {column} < {first} {month_number} month"
            )
        }
    };
    Some(Rewrite::alike(range))
}

/// PostgreSQL's `date_trunc('unit', column)`, equal to the start of a unit.
pub(in crate::lints) fn truncated(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
    unit: &str,
) -> Option<Rewrite> {
    let (Op::Eq, value) = wrapped.comparison.binary()? else { return None };
    let ty = wrapped.column_type(context, query);
    if !ty.starts_with("timestamp") {
        return None;
    }
    let written = wrapped.value_text(context, value);
    let unit = unit.to_ascii_lowercase();
    let start = match value.without_casts() {
        // Beside an interval, the server would take either for one.
        Expr::Parameter(_) | Expr::Literal(Literal::Text(_)) => match value {
            Expr::Cast { .. } => written,
            _ => format!("{written}::{}", cast_name(&ty)),
        },
        Expr::Call(call) if call.name == "date_trunc" => match call.args.first() {
            Some(Expr::Literal(Literal::Text(other))) if other.eq_ignore_ascii_case(&unit) => written,
            _ => return None,
        },
        _ if unit == "day" && is_date(context, query, value) => written,
        // A time within a unit never equals the start of one.
        _ => return None,
    };
    let step = match unit.as_str() {
        "quarter" => "3 months".to_owned(),
        unit => format!("1 {unit}"),
    };
    let column = wrapped.name(query, context.dialect);
    Some(Rewrite::alike(format!("{column} >= {start} AND {column} < {start} + interval '{step}'")))
}

/// PostgreSQL's `extract(epoch FROM column)`, compared with a number of seconds.
pub(in crate::lints) fn epoch(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
) -> Option<Rewrite> {
    let (op, value) = wrapped.comparison.binary()?;
    let ty = wrapped.column_type(context, query);
    let value = wrapped.value_text(context, value);
    let time = match ty.as_str() {
        ty if is_zoned(ty) => format!("to_timestamp({value})"),
        // Seconds are counted as if its zone were UTC.
        ty if ty == "date" || ty.starts_with("timestamp") => {
            format!("to_timestamp({value}) AT TIME ZONE 'UTC'")
        }
        _ => return None,
    };
    let column = wrapped.name(query, context.dialect);
    Some(Rewrite::alike(format!("{column} {} {time}", op.as_str())))
}

/// Whether a column of this type holds points in time. SQLite's columns have no such type.
fn is_of_time(ty: &str, dialect: Dialect) -> bool {
    dialect == Dialect::Sqlite || ty.starts_with("timestamp") || ty.starts_with("date")
}

/// Rates a condition on days by the type of the column. For a timestamp with time zone, the start of a day
/// depends on the session's time zone. In some zones the clock goes back over midnight, and an hour of that
/// night belongs to another day. A text only looks like a date.
fn rated(days: String, ty: &str, dialect: Dialect) -> Rewrite {
    let is_certain = match dialect {
        Dialect::Postgres => ty == "date" || ty.starts_with("timestamp") && !is_zoned(ty),
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

/// The name of a timestamp's type without its precision, for a cast.
pub(in crate::lints) fn cast_name(ty: &str) -> &'static str {
    if is_zoned(ty) { "timestamptz" } else { "timestamp" }
}

/// The start of the day that a value is, as a date; `None` unless it is one.
fn first_of_day(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
    value: &Expr,
) -> Option<String> {
    let text = || wrapped.value_text(context, value);
    match value {
        Expr::Parameter(_) if context.dialect == Dialect::Postgres => Some(format!("{}::date", text())),
        Expr::Parameter(_) => Some(text()),
        Expr::Literal(Literal::Text(day)) if is_day(day) => match context.dialect {
            Dialect::Postgres => Some(format!("{}::date", text())),
            _ => Some(text()),
        },
        value if is_date(context, query, value) => Some(text()),
        _ => None,
    }
}

/// Whether a text is a date without a time, `2026-01-31`. Others may be infinite, or beyond the last day.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}

/// Whether the value of an expression is a date, without a time of day.
fn is_date(context: &QueryContext<'_>, query: &Query, value: &Expr) -> bool {
    let dialect = context.dialect;
    match value {
        Expr::Cast { expr, ty } if ty == "date" && dialect != Dialect::Sqlite => {
            !matches!(expr.as_ref(), Expr::Literal(Literal::Text(day)) if !is_day(day))
        }
        Expr::Call(call) => match call.name.as_str() {
            "current_date" => true,
            "date" => {
                !matches!(call.args.as_slice(), [Expr::Literal(Literal::Text(day))] if dialect == Dialect::Postgres && !is_day(day))
            }
            "make_date" | "to_date" => dialect == Dialect::Postgres,
            "curdate" | "utc_date" | "last_day" | "makedate" => dialect == Dialect::MySql,
            _ => false,
        },
        Expr::Binary { op: Op::Arithmetic('+' | '-'), left, right } if dialect == Dialect::Postgres => {
            let is_number = matches!(right.as_ref(), Expr::Literal(Literal::Number(days)) if days.parse::<i32>().is_ok())
                || matches!(right.as_ref(), Expr::Cast { ty, .. } if matches!(ty.as_str(), "int" | "integer" | "int4"));
            is_number && is_date(context, query, left)
        }
        Expr::Column(column) if dialect != Dialect::Sqlite => {
            let table = column.relation.and_then(|relation| context.table(query, relation));
            let column = table.and_then(|table| table.column(&column.name));
            column.is_some_and(|column| column.ty.eq_ignore_ascii_case("date"))
        }
        _ => false,
    }
}
