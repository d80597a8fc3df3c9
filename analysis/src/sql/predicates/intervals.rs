//! Intervals as constants: `interval '1 hour'` is what a server prints as `'01:00:00'::interval`.

use crate::sql::expr::{Expr, Literal};

/// An interval as PostgreSQL stores it: two that differ here are not the same constant, even if they are equally long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Interval {
    months: i64,
    days: i64,
    microseconds: i64,
}

/// The interval that an expression is; `None` for any other, and for a text in an unusual notation.
pub(super) fn interval(expr: &Expr) -> Option<Interval> {
    let text = match expr {
        Expr::Cast { expr, ty } if ty == "interval" => expr.as_ref(),
        Expr::Other { what, parts } if what == "interval" => parts.first()?,
        _ => return None,
    };
    match text {
        Expr::Literal(Literal::Text(text)) => parse(text),
        _ => None,
    }
}

fn parse(text: &str) -> Option<Interval> {
    let mut sum = Interval::default();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word.contains(':') {
            sum.microseconds = sum.microseconds.checked_add(clock(word)?)?;
            continue;
        }
        let number: i64 = word.parse().ok()?;
        // Without a unit it may have one behind the text: `interval '1' day`.
        let (months, days, microseconds) = unit(&words.next()?.to_lowercase())?;
        let add = |sum: i64, unit: i64| sum.checked_add(number.checked_mul(unit)?);
        sum = Interval {
            months: add(sum.months, months)?,
            days: add(sum.days, days)?,
            microseconds: add(sum.microseconds, microseconds)?,
        };
    }
    (!text.trim().is_empty()).then_some(sum)
}

/// The months, days and microseconds of a unit.
fn unit(name: &str) -> Option<(i64, i64, i64)> {
    Some(match name.strip_suffix('s').filter(|one| one.len() > 1).unwrap_or(name) {
        "microsecond" => (0, 0, 1),
        "millisecond" => (0, 0, 1_000),
        "second" | "sec" | "s" => (0, 0, SECOND),
        "minute" | "min" => (0, 0, 60 * SECOND),
        "hour" | "hr" | "h" => (0, 0, 3_600 * SECOND),
        "day" | "d" => (0, 1, 0),
        "week" | "w" => (0, 7, 0),
        "month" | "mon" => (1, 0, 0),
        "year" | "yr" | "y" => (12, 0, 0),
        _ => return None,
    })
}

const SECOND: i64 = 1_000_000;

/// The microseconds of `[-]HH:MM:SS[.ffffff]`.
fn clock(word: &str) -> Option<i64> {
    let (sign, word) = match word.strip_prefix('-') {
        Some(word) => (-1, word),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    };
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let mut parts = whole.split(':').map(|part| {
        let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| is_plain)
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    let seconds = minutes.checked_mul(60)?.checked_add(seconds)?;
    Some(sign * seconds.checked_mul(SECOND)?.checked_add(fraction)?)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn notations_of_one_interval_are_one() {
        for (one, other) in [
            ("1 hour", "01:00:00"),
            ("90 min", "01:30:00"),
            ("1 day 2 hours", "1 day 02:00:00"),
            ("-30 minutes", "-00:30:00"),
            ("1500 milliseconds", "00:00:01.5"),
            ("14 months", "1 year 2 mons"),
            ("1 WEEK", "7 days"),
        ] {
            assert!(parse(one).is_some() && parse(one) == parse(other), "{one} is {other}");
        }
        for (one, other) in [("24 hours", "1 day"), ("30 days", "1 mon"), ("1 hour", "1 minute")] {
            assert_ne!(parse(one), parse(other), "{one} is not {other}");
        }
        for unusual in ["", "1", "P1D", "1.5 hours", "1 day ago", "99999999999999999999 years", "1:2:3:4"] {
            assert_eq!(parse(unusual), None, "{unusual}");
        }
    }
}
