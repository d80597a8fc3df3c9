//! Intervals as constants: `interval '1 hour'` is what a server prints as `'01:00:00'::interval`.

use crate::sql::expr::{Expr, Literal};

/// An interval constant. Two of the same length with different units are two constants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Constant<'e> {
    /// The units of its type, `day` in `interval '1' day`; empty if it has none.
    units: &'e str,
    value: Value<'e>,
}

#[derive(Debug, PartialEq, Eq)]
enum Value<'e> {
    Known(Interval),
    /// A text in an unusual notation.
    Text(&'e str),
}

/// An interval as PostgreSQL stores it: two that differ here are not the same constant, even if they are equally long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Interval {
    months: i64,
    days: i64,
    microseconds: i64,
}

/// The interval that an expression is; `None` for any other.
pub(super) fn interval(expr: &Expr) -> Option<Constant<'_>> {
    let (text, units) = match expr {
        Expr::Cast { expr, ty } => (expr.as_ref(), ty.strip_prefix("interval")?.trim_start()),
        Expr::Other { what, parts } if what == "interval" => match parts.as_slice() {
            [text] => (text, ""),
            _ => return None,
        },
        _ => return None,
    };
    let Expr::Literal(Literal::Text(text)) = text else { return None };
    let is_plain = units.is_empty() || units.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
    let known = parse(text, units).filter(|_| is_plain);
    Some(Constant { units, value: known.map_or(Value::Text(text), Value::Known) })
}

/// Reads a text; a number without a unit has the last of `units`.
fn parse(text: &str, units: &str) -> Option<Interval> {
    let mut sum = Interval::default();
    let last = units.rsplit(' ').next().unwrap_or_default();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if word.contains(':') {
            sum.microseconds = sum.microseconds.checked_add(clock(word, units)?)?;
            continue;
        }
        let number: i64 = word.parse().ok()?;
        let is_unit = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
        let (months, days, microseconds) = match words.next_if(is_unit) {
            Some(name) => unit(&name.to_lowercase())?,
            // Before a time, it counts days.
            None if words.peek().is_some_and(|next| next.contains(':')) => unit("day")?,
            None if words.peek().is_none() => unit(last)?,
            None => return None,
        };
        let add = |sum: i64, unit: i64| sum.checked_add(number.checked_mul(unit)?);
        sum = Interval {
            months: add(sum.months, months)?,
            days: add(sum.days, days)?,
            microseconds: add(sum.microseconds, microseconds)?,
        };
    }
    // What is smaller than the last unit is cut off.
    let is_cut = match last {
        "year" => sum.months % 12 != 0 || sum.days != 0 || sum.microseconds != 0,
        "month" => sum.days != 0 || sum.microseconds != 0,
        "day" => sum.microseconds != 0,
        "hour" => sum.microseconds % (3_600 * SECOND) != 0,
        "minute" => sum.microseconds % (60 * SECOND) != 0,
        _ => false,
    };
    (!text.trim().is_empty() && !is_cut).then_some(sum)
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

/// The microseconds of `[-]HH:MM[:SS[.ffffff]]`, or of `MM:SS` where the units say so.
fn clock(word: &str, units: &str) -> Option<i64> {
    let (sign, word) = match word.strip_prefix('-') {
        Some(word) => (-1, word),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    };
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let parts = whole.split(':').map(|part| {
        let is_plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| is_plain)
    });
    let (hours, minutes, seconds) = match parts.collect::<Option<Vec<i64>>>()?.as_slice() {
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        [minutes, seconds] if units == "minute to second" => (0, *minutes, *seconds),
        [hours, minutes] if fraction.is_empty() => (*hours, *minutes, 0),
        _ => return None,
    };
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
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
            ("01:30", "01:30:00"),
            ("1 day 2 hours", "1 day 02:00:00"),
            ("1 02:00:00", "1 day 02:00:00"),
            ("-30 minutes", "-00:30:00"),
            ("1500 milliseconds", "00:00:01.5"),
            ("14 months", "1 year 2 mons"),
            ("1 WEEK", "7 days"),
        ] {
            assert!(parse(one, "").is_some() && parse(one, "") == parse(other, ""), "{one} is {other}");
        }
        for (one, other) in [("24 hours", "1 day"), ("30 days", "1 mon"), ("1 hour", "1 minute")] {
            assert_ne!(parse(one, ""), parse(other, ""), "{one} is not {other}");
        }
        for unusual in ["", "1", "P1D", "1.5 hours", "1 day ago", "99999999999999999999 years", "1:2:3:4"] {
            assert_eq!(parse(unusual, ""), None, "{unusual}");
        }
    }

    #[test]
    fn units_behind_a_text_are_those_of_its_number() {
        // As PostgreSQL 15 prints them.
        for (text, units, printed) in [
            ("1", "day", "1 day"),
            ("90", "second", "00:01:30"),
            ("2:03", "hour to minute", "02:03:00"),
            ("1 2:03", "day to minute", "1 day 02:03:00"),
            ("36", "hour to minute", "00:36:00"),
            ("1:30", "minute to second", "00:01:30"),
            ("5", "day to second", "00:00:05"),
            ("1 day", "day", "1 day"),
        ] {
            assert!(
                parse(text, units).is_some() && parse(text, units) == parse(printed, ""),
                "{text} {units}"
            );
        }
        for (text, units) in [("1-2", "year to month"), ("90 minutes", "hour"), ("1", "fortnight")] {
            assert_eq!(parse(text, units), None, "{text} {units}");
        }
    }
}
