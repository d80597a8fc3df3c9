//! How a project numbers its migrations: the number of the next one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The number of digits from which a number is a time rather than a sequence number: a date has eight.
const DIGITS_OF_A_DATE: usize = 8;
/// Seconds between migrations that are created together. If two numbers differ by one, sqlx takes them for a
/// sequence.
const APART: i64 = 2;
/// How far a clock may be ahead of ours: a number beyond that is not a count of seconds since 1970.
const AHEAD: i64 = 366 * 86_400;

/// The next numbers in a migrations directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbering {
    /// The highest number in use.
    last: i64,
    /// How to compute the next number.
    next: Next,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// The last number plus one, padded to at least this many digits.
    Place { digits: usize },
    /// The time in UTC, given in seconds since 1970.
    Time { seconds: i64, written: Written },
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// `20240131235959`
    Calendar,
    /// `20240131235959000`
    CalendarMillis,
    /// `2024-01-31-235959`
    Dashed,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
}

impl Numbering {
    /// The numbers of a directory without migrations, or of a tool that only knows times.
    pub(super) fn of_times(now: SystemTime) -> Numbering {
        Numbering { last: 0, next: Next::Time { seconds: seconds(now), written: Written::Calendar } }
    }

    /// The numbers after this one, which may have dashes as in a date; `None` if this one is not a number, or too high.
    pub(super) fn after(number: &str, now: SystemTime) -> Option<Numbering> {
        let digits: String = number.chars().filter(|char| *char != '-').collect();
        let last: i64 = digits.parse().ok()?;
        let seconds = seconds(now);
        let written = match digits.len() {
            14 if number.contains('-') => Written::Dashed,
            17 => Written::CalendarMillis,
            10 if last <= seconds + AHEAD => Written::Seconds,
            13 if last / 1000 <= seconds + AHEAD => Written::Millis,
            _ => Written::Calendar,
        };
        // Diesel's own first migration has fourteen zeros.
        let is_time = last.to_string().len() >= DIGITS_OF_A_DATE || (last == 0 && digits.len() == 14);
        let next =
            if is_time { Next::Time { seconds, written } } else { Next::Place { digits: digits.len() } };
        Some(Numbering { last, next })
    }

    /// The next number; `None` after the highest that tools can read.
    pub(super) fn next(&mut self) -> Option<String> {
        let (number, text) = match &mut self.next {
            Next::Place { digits } => {
                let number = self.last.checked_add(1)?;
                (number, format!("{number:0digits$}", digits = *digits))
            }
            Next::Time { seconds, written } => {
                let number = written.number(*seconds).max(self.last.checked_add(APART)?);
                *seconds = seconds.saturating_add(APART);
                (number, written.text(number))
            }
        };
        self.last = number;
        Some(text)
    }
}

impl Written {
    fn number(self, seconds: i64) -> i64 {
        match self {
            Written::Calendar | Written::Dashed => calendar(seconds),
            Written::CalendarMillis => calendar(seconds) * 1000,
            Written::Seconds => seconds,
            Written::Millis => seconds.saturating_mul(1000),
        }
    }

    fn text(self, number: i64) -> String {
        let digits = number.to_string();
        match (self, digits.split_at_checked(4)) {
            (Written::Dashed, Some((year, rest))) if digits.len() == 14 => {
                let (month, rest) = rest.split_at(2);
                let (day, time) = rest.split_at(2);
                format!("{year}-{month}-{day}-{time}")
            }
            _ => digits,
        }
    }
}

fn seconds(now: SystemTime) -> i64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Formats seconds since 1970 as `20240131235959`.
fn calendar(seconds: i64) -> i64 {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length || year == 9999 {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let date = (year * 100 + month) * 100 + days + 1;
    ((date * 100 + rest / 3_600) * 100 + rest / 60 % 60) * 100 + rest % 60
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 29 February 2024, 23:59:59.
    const NOW: u64 = 1_709_251_199;

    #[track_caller]
    fn check(number: &str, expect: [&str; 2]) {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let mut numbering = Numbering::after(number, now).expect("a number");
        let found: Vec<String> = (0..2).map_while(|_| numbering.next()).collect();
        assert_eq!(found, expect, "{number}");
    }

    #[test]
    fn a_sequence_goes_on_with_as_many_digits() {
        check("0009", ["0010", "0011"]);
        check("9", ["10", "11"]);
        check("01", ["02", "03"]);
        check("00000000000001", ["00000000000002", "00000000000003"]);
    }

    #[test]
    fn a_time_is_the_present_as_it_was_written_and_later_than_any_before() {
        check("20230101000000", ["20240229235959", "20240301000001"]);
        check("20250101000000", ["20250101000002", "20250101000004"]);
        check("20230101", ["20240229235959", "20240301000001"]);
        check("2023-01-01-000000", ["2024-02-29-235959", "2024-03-01-000001"]);
        check("00000000000000", ["20240229235959", "20240301000001"]);
        check("1700000000", ["1709251199", "1709251201"]);
        check("1700000000000", ["1709251199000", "1709251201000"]);
        check("20230101000000123", ["20240229235959000", "20240301000001000"]);
        check("2023010112", ["20240229235959", "20240301000001"]);
    }

    #[test]
    fn after_the_highest_number_there_is_none() {
        for number in ["9223372036854775807", "9223372036854775806"] {
            let mut numbering = Numbering::after(number, UNIX_EPOCH).expect("a number");
            assert_eq!(numbering.next(), None, "{number}");
        }
        assert_eq!(Numbering::after("9223372036854775808", UNIX_EPOCH), None);
        assert_eq!(Numbering::after("x", UNIX_EPOCH), None);
    }

    #[test]
    fn the_calendar_knows_every_month() {
        for (seconds, expected) in
            [(0, 19_700_101_000_000), (951_782_400, 20_000_229_000_000), (1_735_689_599, 20_241_231_235_959)]
        {
            assert_eq!(calendar(seconds), expected);
        }
    }
}
