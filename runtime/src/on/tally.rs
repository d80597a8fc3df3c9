//! [`Tally`]: the counts of one scope.

use std::collections::{HashMap, HashSet};
#[cfg(feature = "tracing")]
use std::hash::{BuildHasher, DefaultHasher};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use super::parameters::Parameters;
#[cfg(feature = "tracing")]
use crate::blot::Blotted;
use crate::report::{Counts, ParameterSets, Statement};
use crate::site::Site;

/// After this many executions, all with different parameters, they are considered different for good.
const PLAIN: usize = 16;
/// The maximum number of parameter sets that are distinguished per statement of a scope, if some of them
/// recur.
const MOST_SETS: usize = 1024;

/// One observation of one query; parts that do not apply are zero.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) executions: usize,
    pub(crate) rows: usize,
    pub(crate) time: Duration,
    /// The driver's name for its database, known once the query is executed.
    pub(crate) database: &'static str,
    /// The parameters of the execution.
    pub(crate) parameters: Parameters,
    /// Whether its rows and time are observed where it runs; they are not if it was passed to an executor's
    /// own method.
    #[cfg(feature = "tracing")]
    pub(crate) is_watched: bool,
}

/// What was new to a scope in a report from sqlx.
#[cfg(feature = "tracing")]
#[derive(Clone, Copy)]
pub(crate) enum Heard {
    /// All of it.
    New,
    /// Only rows and time: the query at this site was counted when it began, without being observed.
    Rest(&'static Site),
    /// Nothing.
    Known,
}

/// The queries of one scope with their number of executions, in the order of their first.
#[derive(Default)]
pub(crate) struct Tally {
    counted: Vec<Counted>,
    /// Positions in `counted`, by the address of the site.
    sites: HashMap<usize, usize>,
    /// Positions of statements that are not written with `sql!`, by their text without literals, and also by
    /// their exact text if it has none; with the hash of their values if there are no placeholders either.
    #[cfg(feature = "tracing")]
    texts: HashMap<String, (usize, Option<u64>)>,
    /// The site updated last and its position: each execution causes a few updates in a row.
    last: Option<(usize, usize)>,
    /// Positions of the sites with each text.
    #[cfg(feature = "tracing")]
    sites_of_text: HashMap<&'static str, Vec<usize>>,
    /// Positions of the sites whose texts depend on the number of rows.
    #[cfg(feature = "tracing")]
    sites_of_rows: Vec<(&'static Site, usize)>,
}

/// One statement, and the parameters of its executions.
struct Counted {
    statement: Statement,
    /// The hashes of its parameter sets.
    parameters: HashSet<u64, BuildHasherDefault<Hashed>>,
    /// Whether the parameters of some execution are unknown.
    unknown: bool,
    /// Whether they are known to differ, so that no more are stored.
    differ: bool,
    #[cfg(feature = "tracing")]
    site: Option<&'static Site>,
    /// The number of observed executions that sqlx will report on a separate thread.
    #[cfg(feature = "tracing")]
    watched: usize,
    /// The number of unobserved executions, whose rows and time are only known from sqlx's report.
    #[cfg(feature = "tracing")]
    unwatched: usize,
}

impl Tally {
    /// Adds an observation; returns whether enough is known about the query's parameters.
    pub(crate) fn add(&mut self, site: &'static Site, seen: Seen) -> bool {
        let address = std::ptr::from_ref(site).addr();
        let position = match self.last {
            Some((last, position)) if last == address => position,
            _ => self.position_of_site(site, address),
        };
        self.last = Some((address, position));
        #[cfg(feature = "tracing")]
        if let Some(counted) = self.counted.get_mut(position) {
            match (seen.is_watched, seen.database) {
                (false, _) => counted.unwatched += seen.executions,
                // Other drivers report a statement where it is polled, which needs no count.
                (true, "SQLite") => counted.watched += seen.executions,
                (true, _) => {}
            }
        }
        self.add_at(position, seen)
    }

    /// The position of the statement at a site, which is added if necessary.
    fn position_of_site(&mut self, site: &'static Site, address: usize) -> usize {
        if let Some(position) = self.sites.get(&address) {
            return *position;
        }
        let position = Counted::put_last(&mut self.counted, Statement::at(site));
        #[cfg(feature = "tracing")]
        if let Some(counted) = self.counted.get_mut(position) {
            counted.site = Some(site);
        }
        self.sites.insert(address, position);
        #[cfg(feature = "tracing")]
        match site.head {
            Some(_) => self.sites_of_rows.push((site, position)),
            None => self.sites_of_text.entry(site.sql).or_default().push(position),
        }
        position
    }

    /// Adds an execution reported by sqlx, unless it was counted when it began; returns what was new.
    ///
    /// `is_counted` says that a counted query with this text is running on this thread, in whatever scope.
    #[cfg(feature = "tracing")]
    pub(crate) fn add_told(&mut self, sql: &str, seen: Seen, is_counted: bool) -> Heard {
        if is_counted {
            return Heard::Known;
        }
        if let Some((position, rest)) = self.take_announced(sql) {
            if rest.is_some() {
                self.add_at(position, Seen { executions: 0, ..seen });
            }
            return rest.map_or(Heard::Known, Heard::Rest);
        }
        let (position, values) = self.position_of_text(sql);
        let parameters = values.map_or(Parameters::Unknown, Parameters::Hash);
        self.add_at(position, Seen { parameters, ..seen });
        Heard::New
    }

    /// Takes one of the executions with this text that were counted and not reported yet: its position, and
    /// its site if rows and time are still missing.
    #[cfg(feature = "tracing")]
    fn take_announced(&mut self, sql: &str) -> Option<(usize, Option<&'static Site>)> {
        let of_rows =
            self.sites_of_rows.iter().filter(|(site, _)| site.sends(sql)).map(|(_, position)| *position);
        for position in self.sites_of_text.get(sql).into_iter().flatten().copied().chain(of_rows) {
            let counted = self.counted.get_mut(position)?;
            if counted.unwatched > 0 {
                counted.unwatched -= 1;
                return Some((position, counted.site));
            }
            if counted.watched > 0 {
                counted.watched -= 1;
                return Some((position, None));
            }
        }
        None
    }

    /// The position of the statement with a text, which is added if necessary; and the hash of its values, if
    /// the text contains them all.
    #[cfg(feature = "tracing")]
    fn position_of_text(&mut self, sql: &str) -> (usize, Option<u64>) {
        if let Some(found) = self.texts.get(sql) {
            return *found;
        }
        let Blotted { text, has_literals, has_placeholders } = Blotted::of(sql);
        let values = (!has_placeholders).then(|| BuildHasherDefault::<DefaultHasher>::new().hash_one(sql));
        let position = match self.texts.get(&text) {
            Some((position, _)) => *position,
            None => {
                let position = Counted::put_last(&mut self.counted, Statement::raw(text.clone()));
                // If the same text occurs again, its `?` are placeholders.
                self.texts.insert(text, (position, None));
                position
            }
        };
        // Found directly the next time. There are as many texts with values as there are values, so those are
        // not stored.
        if !has_literals {
            self.texts.insert(sql.to_owned(), (position, values));
        }
        (position, values)
    }

    fn add_at(&mut self, position: usize, seen: Seen) -> bool {
        let Some(counted) = self.counted.get_mut(position) else { return false };
        counted.statement.add(seen.executions, seen.rows, seen.time, seen.database);
        if seen.executions > 0 {
            counted.saw(seen.parameters);
        }
        counted.differ || counted.unknown
    }

    /// Whether sqlx has reported a query that is not written with `sql!`.
    #[cfg(feature = "tracing")]
    pub(crate) fn has_raw(&self) -> bool {
        !self.texts.is_empty()
    }

    /// The number of queries so far.
    pub(crate) fn queries(&self) -> usize {
        self.counted.iter().map(|counted| counted.statement.count()).sum()
    }

    /// The counts so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counted.iter().fold(Counts::default(), |counts, counted| counts.with(&counted.statement))
    }

    /// The number of executions so far of the most frequent statement.
    #[cfg(feature = "tracing")]
    pub(crate) fn most_repeated(&self) -> usize {
        self.counted.iter().map(|counted| counted.statement.count()).max().unwrap_or_default()
    }

    /// The statements so far, each with its parameter sets.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let statements = self.counted.iter().map(|counted| {
            let count = counted.statement.count();
            let sets = match counted.parameters.len() {
                _ if counted.unknown => ParameterSets::Unknown,
                _ if counted.differ => ParameterSets::Different,
                0 | 1 => ParameterSets::Same,
                sets if sets == count => ParameterSets::Different,
                sets => ParameterSets::Several(sets),
            };
            counted.statement.clone().with(sets)
        });
        statements.collect()
    }
}

impl Counted {
    /// Appends a new statement; returns its position.
    fn put_last(counted: &mut Vec<Self>, statement: Statement) -> usize {
        counted.push(Self {
            statement,
            parameters: HashSet::default(),
            unknown: false,
            differ: false,
            #[cfg(feature = "tracing")]
            site: None,
            #[cfg(feature = "tracing")]
            watched: 0,
            #[cfg(feature = "tracing")]
            unwatched: 0,
        });
        counted.len() - 1
    }

    /// Records an execution with these parameters.
    fn saw(&mut self, parameters: Parameters) {
        match parameters {
            _ if self.differ || self.unknown => {}
            Parameters::Hash(values) => {
                self.parameters.insert(values);
                let sets = self.parameters.len();
                self.differ = sets == MOST_SETS || (sets == PLAIN && self.statement.count() == PLAIN);
            }
            // The latter were bound in another scope, which knew enough.
            Parameters::Unknown | Parameters::Unasked => self.unknown = true,
        }
    }
}

/// A hasher for values that are hashes already.
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
