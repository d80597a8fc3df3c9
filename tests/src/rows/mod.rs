//! Real tables filled with rows that collide wherever nothing forbids it, and queries run on them with values that match.
//!
//! Every column takes its values from the same few, so that joins and filters find partners, and a query that is said to
//! return at most one row has every chance to return more.

pub mod distinct;
pub mod postgres;
pub mod sqlite;

/// How many values each type has.
pub const VALUES: u64 = 4;

/// How many rows are tried for each table; those that a key forbids are not there.
pub const ROWS: usize = 60;

/// How many times a query is run, each time with other values.
pub const RUNS: usize = 25;

/// What a query returned over all of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The largest number of rows of a run.
    Rows(usize),
    /// It could not be run at all, for the reason the database gives.
    Failed(String),
}

/// Random numbers that are the same in every run of the tests.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice for a purpose, which other purposes do not disturb.
    pub fn new(purpose: &str) -> Dice {
        Dice(
            purpose.bytes().fold(0x9e37_79b9_7f4a_7c15, |seed, byte| {
                (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            }),
        )
    }

    /// A number below `limit`, which is not 0.
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

/// The strings that stand in a CHECK condition: what the column it is of has to be one of.
fn strings_of(condition: &str) -> Vec<String> {
    condition.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What is known after one more run.
fn merged(known: Option<Outcome>, found: Outcome) -> Outcome {
    match (known, found) {
        (Some(Outcome::Rows(most)), Outcome::Rows(rows)) => Outcome::Rows(most.max(rows)),
        (Some(Outcome::Rows(rows)), _) | (_, Outcome::Rows(rows)) => Outcome::Rows(rows),
        (_, failed) => failed,
    }
}
