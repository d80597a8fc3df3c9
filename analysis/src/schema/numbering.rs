//! How a project numbers its migrations: the name of the next one, and whether it has a down migration.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The number of digits from which a number is a time rather than a sequence number: a date has eight.
const DIGITS_OF_A_DATE: usize = 8;
/// Seconds between migrations that are created together. If two numbers differ by one, sqlx takes them for a
/// sequence.
const APART: i64 = 2;

/// The next names in a migrations directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbering {
    /// The highest number in use.
    last: i64,
    /// How to compute the next number.
    next: Next,
    /// Whether each has a `.up.sql` and a `.down.sql`.
    is_paired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// The last number plus one, padded to at least this many digits.
    Place { digits: usize },
    /// The time in UTC, given in seconds since 1970, written as year, month, day, hour, minute and second.
    Time { seconds: u64 },
}

impl Numbering {
    /// The numbering of migrations with these file names; other names are ignored. An empty directory gets
    /// pairs with times, starting at `now`.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>, now: SystemTime) -> Numbering {
        let mut last: Option<(i64, &str)> = None;
        for name in names {
            let Some((number, rest)) = name.split_once('_') else { continue };
            let Ok(version) = number.parse::<i64>() else { continue };
            // Either file of a pair is as good.
            if rest.ends_with(".sql") && last.is_none_or(|last| (version, name) > last) {
                last = Some((version, name));
            }
        }
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let Some((version, name)) = last else {
            return Numbering { last: 0, next: Next::Time { seconds }, is_paired: true };
        };
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        let is_time = version.to_string().len() >= DIGITS_OF_A_DATE;
        Numbering {
            last: version,
            next: if is_time { Next::Time { seconds } } else { Next::Place { digits } },
            is_paired: name.ends_with(".up.sql") || name.ends_with(".down.sql"),
        }
    }

    /// The file names of the next migration: up, and down if the project has down migrations.
    pub fn next(&mut self, description: &str) -> (String, Option<String>) {
        let number = match &mut self.next {
            Next::Place { digits } => format!("{:0digits$}", self.last + 1, digits = *digits),
            Next::Time { seconds } => {
                let number = calendar(*seconds).max(self.last + APART);
                *seconds += APART.unsigned_abs();
                number.to_string()
            }
        };
        self.last = number.parse().unwrap_or(self.last + 1);
        if self.is_paired {
            (format!("{number}_{description}.up.sql"), Some(format!("{number}_{description}.down.sql")))
        } else {
            (format!("{number}_{description}.sql"), None)
        }
    }
}

/// Formats seconds since 1970 as `20240131235959`.
fn calendar(seconds: u64) -> i64 {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
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

    fn next(names: &[&str]) -> Vec<String> {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let mut numbering = Numbering::of(names.iter().copied(), now);
        let mut found = Vec::new();
        for description in ["a", "b"] {
            let (up, down) = numbering.next(description);
            found.push(up);
            found.extend(down);
        }
        found
    }

    #[test]
    fn a_sequence_goes_on_with_as_many_digits() {
        assert_eq!(next(&["0001_x.sql", "0009_y.sql"]), ["0010_a.sql", "0011_b.sql"]);
        assert_eq!(next(&["1_x.sql", "10_y.sql", "9_z.sql"]), ["11_a.sql", "12_b.sql"]);
        assert_eq!(
            next(&["01_x.up.sql", "01_x.down.sql"]),
            ["02_a.up.sql", "02_a.down.sql", "03_b.up.sql", "03_b.down.sql"]
        );
    }

    #[test]
    fn a_time_is_the_present_and_later_than_any_before() {
        assert_eq!(next(&["20230101000000_x.sql"]), ["20240229235959_a.sql", "20240301000001_b.sql"]);
        assert_eq!(next(&["20250101000000_x.sql"]), ["20250101000002_a.sql", "20250101000004_b.sql"]);
        assert_eq!(next(&["20230101_x.sql"]), ["20240229235959_a.sql", "20240301000001_b.sql"]);
    }

    #[test]
    fn what_is_no_migration_says_nothing() {
        assert_eq!(
            next(&["README.md", "notes_1.sql"])[..2],
            ["20240229235959_a.up.sql", "20240229235959_a.down.sql"]
        );
        assert_eq!(next(&["README.md", "2_x.sql", "seed.sql", "x_3.sql"]), ["3_a.sql", "4_b.sql"]);
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
