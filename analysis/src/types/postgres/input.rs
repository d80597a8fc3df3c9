//! What the types of the catalog take as text: the server reads a constant when it prepares the query.

mod moments;
mod notations;

use serde::de::IgnoredAny;

/// Longer texts are not read.
const MAX_INPUT_LENGTH: usize = 10_000;

/// JSON with more brackets may nest deeper than its reader goes.
const MOST_BRACKETS: usize = 100;

/// Words that stand for a date or a time without a digit.
const MOMENTS: [&str; 7] = ["epoch", "infinity", "now", "today", "tomorrow", "yesterday", "allballs"];

/// What a type of the catalog expects instead of a text; `None` if it takes the text, or what it takes is not known.
pub(super) fn expected(ty: &str, text: &str) -> Option<&'static str> {
    if text.len() > MAX_INPUT_LENGTH {
        return None;
    }
    let lower = text.trim().to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    match ty {
        "int2" | "int4" | "int8" => whole(ty, &lower, unsigned),
        "numeric" | "float4" | "float8" => {
            let is_special = matches!(unsigned, "nan" | "inf" | "infinity");
            // Since version 16, and for floats by some libraries of C, in other bases.
            let is_based = ["0x", "0o", "0b"].iter().any(|base| unsigned.starts_with(base));
            (!is_special && !is_based && !is_decimal(unsigned)).then_some("a number, such as `1.5`")
        }
        "bool" => {
            let starts = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
            let is_bool = starts("true", 1)
                || starts("false", 1)
                || starts("yes", 1)
                || starts("no", 1)
                || starts("on", 2)
                || starts("off", 2)
                || matches!(lower.as_str(), "0" | "1");
            (!is_bool).then_some("`true` or `false`")
        }
        "uuid" => (!notations::is_uuid(text))
            .then_some("32 hexadecimal digits, such as `6f9619ff-8b86-d011-b42d-00c04fc964ff`"),
        "date" | "timestamp" | "timestamptz" => {
            let is_moment = lower.contains(|c: char| c.is_ascii_digit())
                || MOMENTS.iter().any(|moment| lower.contains(moment));
            (!is_moment || has_no_such_day(&lower) || moments::is_no_date(&lower))
                .then_some("a date, such as `2024-12-31`")
        }
        "time" | "timetz" => moments::is_no_time(&lower).then_some("a time of day, such as `23:59`"),
        "interval" => {
            let is_length = lower.contains(|c: char| c.is_ascii_digit()) || lower.contains("infinity");
            (!is_length || moments::has_other_unit(&lower)).then_some("a length of time, such as `1 day`")
        }
        "inet" => notations::is_no_address(text).then_some("an address, such as `10.0.0.1`"),
        "macaddr" => notations::is_no_device(text).then_some("an address, such as `08:00:2b:01:02:03`"),
        "bytea" => notations::is_no_bytes(text).then_some(r"pairs of hexadecimal digits, such as `\x1f`"),
        "bit" | "varbit" => notations::is_no_bits(text).then_some("zeros and ones"),
        "jsonb" if notations::has_zero(text) => Some("JSON without `\\u0000`, which `jsonb` does not store"),
        "json" | "jsonb" => {
            let is_deep = text.matches(['[', '{']).count() > MOST_BRACKETS;
            (!is_deep && serde_json::from_str::<IgnoredAny>(text).is_err())
                .then_some("JSON, such as `{}` or `\"text\"`")
        }
        "int4range" => range("int4", &lower),
        "int8range" => range("int8", &lower),
        "numrange" => range("numeric", &lower),
        "daterange" => range("date", &lower),
        "tsrange" => range("timestamp", &lower),
        "tstzrange" => range("timestamptz", &lower),
        array => array.strip_prefix('_').and_then(|element| elements(element, text)),
    }
}

/// What a range expects instead of a text, as far as its brackets and plain bounds show.
fn range(element: &str, text: &str) -> Option<&'static str> {
    let malformed = Some("a range, such as `[1,5)`");
    let is_between = text.starts_with(['[', '(']) && text.ends_with([']', ')']) && text.contains(',');
    if text == "empty" || !is_between {
        return if text == "empty" { None } else { malformed };
    }
    let inside = text.get(1..text.len() - 1).filter(|inside| !inside.contains(['"', '\\']))?;
    let bounds: Vec<&str> = inside.split(',').collect();
    let [low, high] = bounds.as_slice() else { return malformed };
    let is_backwards = match (low.trim().parse::<i64>(), high.trim().parse::<i64>()) {
        (Ok(low), Ok(high)) => low > high && element != "date",
        _ => false,
    };
    let is_bound = |bound: &&&str| !bound.is_empty();
    [low, high]
        .iter()
        .filter(|bound| is_bound(bound))
        .find_map(|bound| expected(element, bound))
        .or(if is_backwards { malformed } else { None })
}

/// What an integer type expects instead of a text.
fn whole(ty: &str, text: &str, unsigned: &str) -> Option<&'static str> {
    // Since version 16, with underscores and in other bases.
    let digits = ["0x", "0o", "0b"].iter().find_map(|base| unsigned.strip_prefix(base)).unwrap_or(unsigned);
    let is_digit = |c: char| c.is_ascii_hexdigit() && (digits.len() < unsigned.len() || c.is_ascii_digit());
    if digits.is_empty() || !digits.chars().all(|c| is_digit(c) || c == '_') {
        return Some("a whole number, such as `42`");
    }
    let is_plain = digits.len() == unsigned.len() && !digits.contains('_');
    let fits = match ty {
        "int2" => text.parse::<i16>().is_ok(),
        "int4" => text.parse::<i32>().is_ok(),
        _ => text.parse::<i64>().is_ok(),
    };
    (is_plain && !fits).then_some("a number within its limits")
}

/// Whether a text is a decimal number, with underscores as since version 16.
fn is_decimal(text: &str) -> bool {
    let (number, exponent) = text.split_once('e').map_or((text, None), |(number, rest)| (number, Some(rest)));
    let (before, after) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_');
    let exponent = exponent.map(|rest| rest.strip_prefix(['-', '+']).unwrap_or(rest));
    !(before.is_empty() && after.is_empty())
        && is_digits(before)
        && is_digits(after)
        && exponent.is_none_or(|digits| !digits.is_empty() && is_digits(digits))
}

/// Whether a text begins with a day that no calendar has. A year of four digits comes first in every `DateStyle`.
fn has_no_such_day(text: &str) -> bool {
    let date = text.split([' ', 't']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let is_digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if year.len() != 4 || month.len() > 2 || day.len() > 2 || !parts.iter().all(is_digits) {
        return false;
    }
    let [Ok(year), Ok(month), Ok(day)] = [year, month, day].map(|part| part.parse::<u32>()) else {
        return false;
    };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        // Years before Christ are leap years by another count.
        2 if text.contains("bc") || year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    };
    year == 0 || day == 0 || day > days
}

/// Whether a text has the braces of an array.
pub(super) fn may_be_array(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(['{', '[']) && text.ends_with('}')
}

/// What an array expects instead of a text, as far as its braces and plain elements show.
fn elements(element: &str, text: &str) -> Option<&'static str> {
    // `box` separates its elements otherwise.
    if element == "box" {
        return None;
    }
    let text = text.trim();
    let malformed = Some("an array, such as `{1,2}`");
    if !may_be_array(text) {
        return malformed;
    }
    let inside = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let inside = inside.filter(|inside| !inside.contains(['{', '}', '"', '\\']))?.trim();
    if inside.is_empty() {
        return None;
    }
    inside
        .split(',')
        .map(str::trim)
        .filter(|part| !part.eq_ignore_ascii_case("null"))
        .find_map(|part| if part.is_empty() { malformed } else { expected(element, part) })
}

#[cfg(test)]
mod tests {
    use super::expected;

    #[test]
    fn texts_that_a_type_takes() {
        // As PostgreSQL 15 and 16 do.
        for (ty, takes, refuses) in [
            (
                "int4",
                &["1", " -12 ", "+3", "0x1F", "1_000", "-2147483648"][..],
                &["", "one", "1.5", "1a", "0x", "2147483648"][..],
            ),
            ("int2", &["32767"], &["40000"]),
            ("int8", &["99999999999"], &["99999999999999999999"]),
            (
                "numeric",
                &["1", "-1.5", ".5", "1.", "1e10", "1e+5", "NaN", "-Infinity"],
                &["", "x", "-", "1,5", "1.x", ".", "1e", "1f"],
            ),
            (
                "bool",
                &["t", "FALSE", "y", "no", "on", "off", "1", " true "],
                &["", "o", "maybe", "2", "truee"],
            ),
            (
                "uuid",
                &["6f9619ff-8b86-d011-b42d-00c04fc964ff", "{6F9619FF8B86D011B42D00C04FC964FF}"],
                &[
                    "",
                    "6f9619ff",
                    " 6f9619ff-8b86-d011-b42d-00c04fc964ff",
                    "6f961-9ff8b86d011b42d00c04fc964ff",
                    "6f9619ff-8b86-d011-b42d-00c04fc964fg",
                ],
            ),
            (
                "date",
                &[
                    "now",
                    "January 8, 1999",
                    "2020-2-3",
                    "2020-02-29",
                    "0001-02-29 BC",
                    "12020-01-01",
                    "-infinity",
                ],
                &[
                    "",
                    "x",
                    "monday",
                    "2020-13-45",
                    "2021-02-29",
                    "2020-06-31",
                    "2020-01-00",
                    "1900-02-29",
                    "0000-01-01",
                ],
            ),
            (
                "timestamptz",
                &["epoch utc", "today America/New_York", "2020-1-1T10:00:00Z", "2020-12-31 23:59:60+00"],
                &["abc", "2020-02-30 10:00", "2020-02-30T10:00:00Z"],
            ),
            (
                "interval",
                &[
                    "1 day",
                    "P1D",
                    "-infinity",
                    "1:30",
                    "2 years 3 mons",
                    "1 millisecondsxx",
                    "@ 1 minute ago",
                    "30days",
                ],
                &["", "abc", "day", "1 dya", "1 day and 2 hours", "5 fortnights", "1 quarter"],
            ),
            (
                "time",
                &[
                    "10:00",
                    "24:00",
                    "1234",
                    "123456",
                    "10:5:7.5 PM",
                    "now",
                    "2024-01-01 10:00",
                    "T10:00",
                    "04:05-08",
                ],
                &["x", "1", "25:00", "12:60", "23:59:61", "noon", "2024-01-01", "1 hour"],
            ),
            (
                "timestamp",
                &["2024-01-01 24:00", "2024-01-01T10:00:60", "2024-01-01 at 10:00", "20240101", "31/12/2024"],
                &[
                    "2024",
                    "10:00",
                    "2024-01-01 25:00",
                    "2024-01-01 10:61",
                    "13/13/2024",
                    "3 days",
                    "1 week ago",
                ],
            ),
            (
                "inet",
                &["10.0.0.1", "010.0.0.1/8", "10/8", "::1", "::1/128", "::ffff:1.2.3.4"],
                &["", "10.0.0", "10.0.0.300", "10.0.0.1/33", "localhost", "10.0.0.1:80", "fe80::1%eth0"],
            ),
            ("macaddr", &["08:00:2b:01:02:03", "8:0:2b:1:2:3", "08002b010203"], &["xyz", "08:00:2b:01:02"]),
            ("bytea", &["abc", r"\x1f", r"\x 12 34"], &[r"\xZZ", r"\x123", r"\x1 2"]),
            ("bit", &["101", "X1F"], &["102", " 101"]),
            ("daterange", &["[2024-01-01,)", "empty"], &["[2024-01-01,2024-02-30]"]),
            (
                "jsonb",
                &["{}", " true ", "1e999", r#""\ud800""#, r#""\\u0000""#],
                &[r#""\u0000""#, "", "{", "TRUE", "[1,]", "01", "{a: 1}"],
            ),
            (
                "_int4",
                &["{}", " { 1 , 2 } ", "{NULL, null}", "[1:2]={1,2}", "{{1},{2}}", r#"{"1"}"#],
                &["", "{1,2", "1,2", "{a}", "{1,,2}", "{1,2} x"],
            ),
            ("_text", &["{a b,c}", "{}"], &["a", "{,}"]),
            (
                "int4range",
                &["empty", " EMPTY ", "(,)", "[1,2)"],
                &["", "[1,2", "[1]", "1,2", "[5,1]", "[a,b]"],
            ),
        ] {
            for text in takes {
                assert_eq!(expected(ty, text), None, "{ty} {text}");
            }
            for text in refuses {
                assert!(expected(ty, text).is_some(), "{ty} {text}");
            }
        }
    }
}
