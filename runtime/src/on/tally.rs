//! [`Tally`]: what has been counted in one scope.

use std::collections::{HashMap, HashSet};
#[cfg(feature = "tracing")]
use std::hash::{BuildHasher, DefaultHasher};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

#[cfg(feature = "tracing")]
use crate::blot::Blotted;
use crate::report::{ParameterSets, Statement};
use crate::site::Site;

/// So many sets of parameters are told apart for each statement of a scope; by then it is plain that they differ.
const MOST_SETS: usize = 1024;

/// One thing seen of one query; the parts that do not apply are zero.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) executions: usize,
    pub(crate) rows: usize,
    pub(crate) time: Duration,
    /// The driver's name for its database, known once the query is executed.
    pub(crate) database: &'static str,
    /// The hash of what it was executed with; `None` where that is not known.
    pub(crate) parameters: Option<u64>,
}

/// The queries of one scope, each with how often it ran, in the order in which they first ran.
#[derive(Default)]
pub(crate) struct Tally {
    counted: Vec<Counted>,
    /// Positions in `counted`, by the address of the site.
    sites: HashMap<usize, usize>,
    /// Positions of what is not written with `sql!`, by its text without literals, and by its text as it stands where it
    /// has none; with the hash of its values where it has none either.
    #[cfg(feature = "tracing")]
    texts: HashMap<String, (usize, Option<u64>)>,
    /// The site added to last and its position: each execution is added to a few times in a row.
    last: Option<(usize, usize)>,
    /// Executions already counted that sqlx has yet to tell of, by their text.
    #[cfg(feature = "tracing")]
    announced: HashMap<&'static str, usize>,
}

/// One statement, and what it was executed with.
struct Counted {
    statement: Statement,
    /// The hashes of its sets of parameters.
    parameters: HashSet<u64, BuildHasherDefault<Hashed>>,
    /// Whether some execution's parameters are not known.
    unknown: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, site: &'static Site, seen: Seen) {
        #[cfg(feature = "tracing")]
        if seen.executions > 0 {
            *self.announced.entry(site.sql).or_default() += seen.executions;
        }
        let address = std::ptr::from_ref(site).addr();
        let position = match self.last {
            Some((last, position)) if last == address => position,
            _ => *self
                .sites
                .entry(address)
                .or_insert_with(|| Counted::put_last(&mut self.counted, Statement::at(site))),
        };
        self.last = Some((address, position));
        self.add_at(position, seen);
    }

    /// Adds what sqlx tells of an execution, unless that was counted when it began; says whether it was added.
    ///
    /// `is_counted` says that it is known to have been, though maybe in another scope than this.
    #[cfg(feature = "tracing")]
    pub(crate) fn add_told(&mut self, sql: &str, seen: Seen, is_counted: bool) -> bool {
        match self.announced.get_mut(sql) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ if is_counted => false,
            _ => {
                let (position, parameters) = self.position_of(sql);
                self.add_at(position, Seen { parameters, ..seen });
                true
            }
        }
    }

    /// Where the statement of that text is, or is now put; and the hash of its values, when all are in the text.
    #[cfg(feature = "tracing")]
    fn position_of(&mut self, sql: &str) -> (usize, Option<u64>) {
        if let Some(found) = self.texts.get(sql) {
            return *found;
        }
        let Blotted { text, has_literals, has_placeholders } = Blotted::of(sql);
        let values = (!has_placeholders).then(|| BuildHasherDefault::<DefaultHasher>::new().hash_one(sql));
        let position = match self.texts.get(&text) {
            Some((position, _)) => *position,
            None => {
                let position = Counted::put_last(&mut self.counted, Statement::raw(text.clone()));
                // Met again as it stands, its `?` are placeholders.
                self.texts.insert(text, (position, None));
                position
            }
        };
        // Found at once the next time. Texts with values in them are as many as there are values, and are not kept.
        if !has_literals {
            self.texts.insert(sql.to_owned(), (position, values));
        }
        (position, values)
    }

    fn add_at(&mut self, position: usize, seen: Seen) {
        let Some(counted) = self.counted.get_mut(position) else { return };
        counted.statement.add(seen.executions, seen.rows, seen.time, seen.database);
        if seen.executions == 0 {
            return;
        }
        match seen.parameters {
            Some(parameters) if counted.parameters.len() < MOST_SETS => {
                counted.parameters.insert(parameters);
            }
            Some(_) => {}
            None => counted.unknown = true,
        }
    }

    /// Whether sqlx has told of a query that is not written with `sql!`.
    #[cfg(feature = "tracing")]
    pub(crate) fn has_raw(&self) -> bool {
        !self.texts.is_empty()
    }

    /// Number of queries so far.
    #[cfg(any(feature = "stats", feature = "metrics"))]
    pub(crate) fn queries(&self) -> usize {
        self.counted.iter().map(|counted| counted.statement.count()).sum()
    }

    /// How often the statement ran so far that ran most often.
    #[cfg(feature = "tracing")]
    pub(crate) fn most_repeated(&self) -> usize {
        self.counted.iter().map(|counted| counted.statement.count()).max().unwrap_or_default()
    }

    /// The statements so far, each with its sets of parameters.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let statements = self.counted.iter().map(|counted| {
            let count = counted.statement.count();
            let sets = match counted.parameters.len() {
                _ if counted.unknown => ParameterSets::Unknown,
                0 | 1 => ParameterSets::Same,
                sets if sets == count || sets == MOST_SETS => ParameterSets::Different,
                sets => ParameterSets::Some(sets),
            };
            counted.statement.clone().with(sets)
        });
        statements.collect()
    }
}

impl Counted {
    /// Puts a statement of which nothing has been seen yet at the end; gives its position.
    fn put_last(counted: &mut Vec<Self>, statement: Statement) -> usize {
        counted.push(Self { statement, parameters: HashSet::default(), unknown: false });
        counted.len() - 1
    }
}

/// Hashes what is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
