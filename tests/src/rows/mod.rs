//! Real tables with rows that collide wherever nothing forbids it, and queries run on them with matching
//! values.
//!
//! All columns take their values from the same small set, so that joins and filters find matches, and a query
//! that supposedly returns at most one row has every chance to return more.

pub mod distinct;
pub mod postgres;
pub mod sqlite;

/// How many values each type has.
pub const VALUES: u64 = 4;

/// The number of rows to try for each table; rows that a key forbids are missing.
pub const ROWS: usize = 60;

/// How many times a query is run, each time with different values.
pub const RUNS: usize = 25;

/// The result of a query over all of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The largest number of rows of a run.
    Rows(usize),
    /// It could not be run at all; holds the database's reason.
    Failed(String),
}

/// Random numbers that are the same in every test run.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// A sequence of its own for a purpose, independent of others.
    pub fn new(purpose: &str) -> Dice {
        Dice(
            purpose.bytes().fold(0x9e37_79b9_7f4a_7c15, |seed, byte| {
                (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            }),
        )
    }

    /// A number below `limit`, which must not be 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// A string as an SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The strings in a CHECK condition: the permitted values of its column.
fn strings_of(condition: &str) -> Vec<String> {
    condition.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The result including one more run.
fn merged(known: Option<Outcome>, found: Outcome) -> Outcome {
    match (known, found) {
        (Some(Outcome::Rows(most)), Outcome::Rows(rows)) => Outcome::Rows(most.max(rows)),
        (Some(Outcome::Rows(rows)), _) | (_, Outcome::Rows(rows)) => Outcome::Rows(rows),
        (_, failed) => failed,
    }
}
