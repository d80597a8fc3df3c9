//! Dates, times and lengths of time as text, as far as every setting of the server refuses them.

/// The units of a length of time; longer words are compared by their beginning.
const UNITS: &[&str] = &[
    "ago",
    "c",
    "cent",
    "centuries",
    "century",
    "d",
    "day",
    "days",
    "dec",
    "decade",
    "decades",
    "decs",
    "h",
    "hour",
    "hours",
    "hr",
    "hrs",
    "infinity",
    "m",
    "microsecon",
    "mil",
    "millennia",
    "millennium",
    "mils",
    "millisecon",
    "min",
    "mins",
    "minute",
    "minutes",
    "mon",
    "mons",
    "month",
    "months",
    "ms",
    "msec",
    "msecond",
    "mseconds",
    "msecs",
    "s",
    "sec",
    "second",
    "seconds",
    "secs",
    "us",
    "usec",
    "usecond",
    "useconds",
    "usecs",
    "w",
    "week",
    "weeks",
    "y",
    "year",
    "years",
    "yr",
    "yrs",
];

/// The server compares this many characters of a word.
const LONGEST_UNIT: usize = 10;

/// Words of lengths of time, which no date or time has.
const LENGTHS: &[&str] = &[
    "ago", "century", "day", "days", "decade", "hour", "hours", "hr", "hrs", "min", "mins", "minute",
    "minutes", "month", "months", "sec", "second", "seconds", "secs", "week", "weeks", "year", "years", "yr",
    "yrs",
];

/// Whether a text has a word of two letters or more that is not a unit of a length of time.
pub(super) fn has_other_unit(text: &str) -> bool {
    // `P1Y2M` has a notation of its own.
    if !text.is_ascii() || text.starts_with('p') {
        return false;
    }
    words(text).any(|word| {
        let compared = word.get(..LONGEST_UNIT).unwrap_or(word);
        let is_unit = UNITS.iter().any(|unit| unit.get(..LONGEST_UNIT).unwrap_or(unit) == compared);
        word.len() > 1 && !is_unit
    })
}

/// Whether a text cannot be a time of day.
pub(super) fn is_no_time(text: &str) -> bool {
    let is_digits = text.chars().all(|c| c.is_ascii_digit());
    let is_moment =
        text.contains(|c: char| c.is_ascii_digit()) || text.contains("now") || text.contains("allballs");
    !is_moment
        || is_digits && text.len() != 4 && text.len() < 6
        || is_date(text)
        || has_no_such_time(text)
        || has_length(text)
}

/// Whether a text has no day, a time that no day has, or words of a length of time.
pub(super) fn is_no_date(text: &str) -> bool {
    let is_digits = text.chars().all(|c| c.is_ascii_digit());
    let is_time = clock(text).is_some_and(|(_, rest)| rest.trim().is_empty());
    let behind = text.split_once([' ', 't']).filter(|(date, _)| is_date(date));
    is_digits && text.len() <= 4
        || is_time
        || behind.is_some_and(|(_, time)| has_no_such_time(time.trim_start()))
        || has_length(text)
        || has_no_such_month(text)
}

fn has_length(text: &str) -> bool {
    text.is_ascii() && words(text).any(|word| LENGTHS.contains(&word))
}

/// The words of a text in lower case.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty())
}

/// Whether a text is a year of four digits, a month and a day.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &&str| matches!(part.len(), 1..=4) && part.chars().all(|c| c.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number) && parts.first().is_some_and(|year| year.len() == 4)
}

/// Whether a text is a day with slashes whose first two numbers cannot be months.
fn has_no_such_month(text: &str) -> bool {
    let date = text.split(' ').next().unwrap_or_default();
    let parts: Vec<Option<u32>> = date.split('/').map(|part| part.parse().ok()).collect();
    matches!(parts.as_slice(), [Some(13..=31), Some(13..), Some(1000..)])
}

/// Whether a text begins with a time that no day has.
fn has_no_such_time(text: &str) -> bool {
    clock(text).is_some_and(|([hour, minute, second], _)| hour > 24 || minute > 59 || second > 60)
}

/// The hours, minutes and seconds that a text begins with, and what follows.
fn clock(text: &str) -> Option<([u32; 3], &str)> {
    let mut parts = [0; 3];
    let mut rest = text;
    for (at, part) in parts.iter_mut().enumerate() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        // More digits are a fraction or a year.
        *part = rest.get(..digits).filter(|digits| digits.len() <= 2)?.parse().ok()?;
        rest = rest.get(digits..)?;
        match rest.strip_prefix(':') {
            Some(after) if at < 2 => rest = after,
            Some(_) => return None,
            None if at == 0 => return None,
            None => break,
        }
    }
    Some((parts, rest))
}
