//! [`Tally`]: the counts of one scope.

use std::collections::HashMap;
use std::time::Duration;

use super::parameters::Parameters;
#[cfg(feature = "tracing")]
use crate::blot::Blotted;
#[cfg(feature = "tracing")]
use crate::hash::{Texts, hashed};
#[cfg(feature = "tracing")]
use crate::report::OTHERS;
use crate::report::{Counts, ParameterSets, Statement};
use crate::site::Site;

/// After this many executions, all with different parameters, they are considered different for good.
const PLAIN: usize = 16;
/// The maximum number of parameter sets that are distinguished per statement of a scope, if some of them
/// recur.
const MOST_SETS: usize = 1024;
/// The maximum number of texts that are distinguished in a scope: one that runs as long as the process may see any number.
#[cfg(feature = "tracing")]
const MOST_TEXTS: usize = 1_000;
/// A scope with at most this many statements searches them linearly; with more, by a map.
const SEARCHED_LINEARLY: usize = 8;

/// One observation of one query; parts that do not apply are zero.
#[derive(Clone, Copy)]
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
    pub(crate) is_watched: bool,
}

impl Seen {
    pub(crate) const NOTHING: Self = Self {
        executions: 0,
        rows: 0,
        time: Duration::ZERO,
        database: "",
        parameters: Parameters::Unknown,
        is_watched: false,
    };
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
///
/// Parts that few scopes need are created on demand: most scopes end without any query.
#[derive(Default)]
pub(crate) struct Tally {
    /// `None` at the position of the current one.
    counted: Vec<Option<Box<Counted>>>,
    /// The one updated last and its position: each execution causes a few updates in a row.
    at_hand: Option<(usize, Box<Counted>)>,
    /// Number of executions, over all statements.
    queries: usize,
    /// Whether the rows and the time of some execution are observed nowhere.
    has_unwatched: bool,
    /// Positions in `counted` by the address of the site, once there are more than a few.
    sites: Option<HashMap<usize, usize>>,
    /// Executions at sites that sqlx will still report.
    #[cfg(feature = "tracing")]
    announced: usize,
    #[cfg(feature = "tracing")]
    told: Option<Box<Told>>,
}

/// The statements that sqlx reports, by text.
#[cfg(feature = "tracing")]
#[derive(Default)]
struct Told {
    /// Positions of statements that are not written with `sql!`, by their text without literals, and also by
    /// their exact text if it has none; with the hash of their values if there are no placeholders either.
    texts: HashMap<String, (usize, Option<u64>), Texts>,
    /// How many statements these are, and the position of all further ones.
    statements: usize,
    others: Option<usize>,
    /// The entry of `texts` that was found last: in a loop it is the same the next time.
    last: Option<(String, (usize, Option<u64>))>,
    /// Positions of the sites with each text, for the first `indexed` statements.
    sites_of_text: HashMap<&'static str, Vec<usize>, Texts>,
    /// Positions of the sites whose texts depend on the number of rows.
    sites_of_rows: Vec<(&'static Site, usize)>,
    indexed: usize,
}

/// One statement, and the parameters of its executions.
struct Counted {
    statement: Statement,
    /// The hashes of its parameter sets, sorted.
    parameters: Vec<u64>,
    /// Whether the parameters of some execution are unknown.
    unknown: bool,
    /// Whether they are known to differ, so that no more are stored.
    differ: bool,
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
    pub(crate) fn add(&mut self, site: &'static Site, seen: &Seen) -> bool {
        let is_at_hand = match &self.at_hand {
            Some((_, counted)) => counted.is_at(site),
            None => false,
        };
        if !is_at_hand {
            let position = self.position_of_site(site);
            self.take(position);
        }
        let Some((_, counted)) = &mut self.at_hand else { return false };
        #[cfg(feature = "tracing")]
        if seen.executions > 0 && counted.announce(seen) {
            self.announced += seen.executions;
        }
        self.queries += seen.executions;
        self.has_unwatched |= seen.executions > 0 && !seen.is_watched;
        counted.add(seen)
    }

    /// The position of the statement at a site, which is added if necessary.
    fn position_of_site(&mut self, site: &'static Site) -> usize {
        self.put_back();
        let address = std::ptr::from_ref(site).addr();
        let found = match &self.sites {
            Some(sites) => sites.get(&address).copied(),
            None => self.all().position(|counted| counted.is_at(site)),
        };
        found.unwrap_or_else(|| {
            let position = self.put_last(Statement::at(site), Some(site));
            match &mut self.sites {
                Some(sites) => drop(sites.insert(address, position)),
                None if position < SEARCHED_LINEARLY => {}
                None => self.sites = Some(self.positions_of_sites()),
            }
            position
        })
    }

    fn positions_of_sites(&self) -> HashMap<usize, usize> {
        let address = |counted: &Counted| counted.site.map(|site| std::ptr::from_ref(site).addr());
        self.all().enumerate().filter_map(|(at, counted)| Some((address(counted)?, at))).collect()
    }

    /// Appends a new statement; returns its position.
    fn put_last(&mut self, statement: Statement, site: Option<&'static Site>) -> usize {
        self.counted.push(Some(Box::new(Counted::new(statement, site))));
        self.counted.len() - 1
    }

    /// Takes the statement at a position to hand.
    fn take(&mut self, position: usize) {
        self.put_back();
        let taken = self.counted.get_mut(position).and_then(Option::take);
        self.at_hand = taken.map(|counted| (position, counted));
    }

    /// Puts the current statement back among the others.
    fn put_back(&mut self) {
        if let Some((position, counted)) = self.at_hand.take()
            && let Some(place) = self.counted.get_mut(position)
        {
            *place = Some(counted);
        }
    }

    /// All statements in order. Call it when none is current.
    fn all(&self) -> impl Iterator<Item = &Counted> {
        self.counted.iter().filter_map(Option::as_deref)
    }

    /// Adds an execution reported by sqlx, unless it was counted when it began; returns what was new.
    ///
    /// `is_counted` says that a counted query with this text is running on this thread, in whatever scope.
    #[cfg(feature = "tracing")]
    pub(crate) fn add_told(&mut self, sql: &str, seen: &Seen, is_counted: bool) -> Heard {
        if is_counted {
            return Heard::Known;
        }
        if self.announced > 0
            && let Some((position, rest)) = self.take_announced(sql)
        {
            self.announced -= 1;
            if rest.is_some() {
                self.add_at(position, &Seen { executions: 0, ..*seen });
            }
            return rest.map_or(Heard::Known, Heard::Rest);
        }
        let (position, values) = self.position_of_text(sql);
        let parameters = match values {
            Some(values) => Parameters::Hash(values),
            None => Parameters::Unknown,
        };
        self.add_at(position, &Seen { parameters, ..*seen });
        Heard::New
    }

    /// Takes one of the executions with this text that were counted and not reported yet: its position, and
    /// its site if rows and time are still missing.
    #[cfg(feature = "tracing")]
    fn take_announced(&mut self, sql: &str) -> Option<(usize, Option<&'static Site>)> {
        self.put_back();
        let told = self.told.get_or_insert_default();
        told.index(&self.counted);
        let of_rows =
            told.sites_of_rows.iter().filter(|(site, _)| site.sends(sql)).map(|(_, position)| *position);
        for position in told.sites_of_text.get(sql).into_iter().flatten().copied().chain(of_rows) {
            let counted = self.counted.get_mut(position)?.as_mut()?;
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
        let told = self.told.get_or_insert_default();
        if let Some((text, found)) = &told.last
            && text == sql
        {
            return *found;
        }
        if let Some(found) = told.texts.get(sql).copied() {
            told.last = Some((sql.to_owned(), found));
            return found;
        }
        let Blotted { text, has_literals, has_placeholders } = Blotted::of(sql);
        let values = (!has_placeholders).then(|| hashed(sql.as_bytes(), 0));
        let position = match told.texts.get(&text).copied() {
            Some((position, _)) => position,
            None if told.statements >= MOST_TEXTS => return (self.position_of_others(), None),
            None => {
                told.statements += 1;
                let position = self.put_last(Statement::raw(text.clone()), None);
                // If the same text occurs again, its `?` are placeholders.
                self.told.get_or_insert_default().texts.insert(text, (position, None));
                position
            }
        };
        // Found directly the next time. There are as many texts with values as there are values, so those are
        // not stored.
        if !has_literals {
            self.told.get_or_insert_default().texts.insert(sql.to_owned(), (position, values));
        }
        (position, values)
    }

    /// The position at which further texts are counted together.
    #[cfg(feature = "tracing")]
    fn position_of_others(&mut self) -> usize {
        if let Some(position) = self.told.get_or_insert_default().others {
            return position;
        }
        let position = self.put_last(Statement::raw(OTHERS.to_owned()), None);
        self.told.get_or_insert_default().others = Some(position);
        position
    }

    #[cfg(feature = "tracing")]
    fn add_at(&mut self, position: usize, seen: &Seen) {
        let is_at_hand = matches!(&self.at_hand, Some((at_hand, _)) if *at_hand == position);
        if !is_at_hand {
            self.take(position);
        }
        if let Some((_, counted)) = &mut self.at_hand {
            self.queries += seen.executions;
            counted.add(seen);
        }
    }

    /// Whether sqlx has reported a query that is not written with `sql!`.
    #[cfg(feature = "tracing")]
    pub(crate) fn has_raw(&self) -> bool {
        self.told.as_ref().is_some_and(|told| !told.texts.is_empty())
    }

    /// Whether only that it was executed is known of some query, unless sqlx has reported the rest.
    pub(crate) fn has_unwatched(&self) -> bool {
        self.has_unwatched
    }

    /// The number of queries so far.
    pub(crate) fn queries(&self) -> usize {
        self.queries
    }

    /// The counts so far.
    pub(crate) fn counts(&mut self) -> Counts {
        self.put_back();
        self.all().fold(Counts::default(), |counts, counted| counts.with(&counted.statement))
    }

    /// Whether some statement ran at least `times` times.
    #[cfg(feature = "tracing")]
    pub(crate) fn has_repeated(&mut self, times: usize) -> bool {
        self.put_back();
        let is_repeated =
            |counted: &Counted| counted.statement.count() >= times && !counted.statement.is_several();
        self.queries >= times && self.all().any(is_repeated)
    }

    /// The statements so far, each with its parameter sets.
    pub(crate) fn statements(&mut self) -> Vec<Statement> {
        self.put_back();
        let statements = self.all().map(|counted| {
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

#[cfg(feature = "tracing")]
impl Told {
    /// Adds the sites that are new since the last time.
    fn index(&mut self, counted: &[Option<Box<Counted>>]) {
        for (position, counted) in counted.iter().enumerate().skip(self.indexed) {
            match counted.as_ref().and_then(|counted| counted.site) {
                Some(site) if site.head.is_some() => self.sites_of_rows.push((site, position)),
                Some(site) => self.sites_of_text.entry(site.sql).or_default().push(position),
                None => {}
            }
        }
        self.indexed = counted.len();
    }
}

impl Counted {
    /// A statement of which nothing has been seen yet.
    fn new(statement: Statement, site: Option<&'static Site>) -> Self {
        Self {
            statement,
            parameters: Vec::new(),
            unknown: false,
            differ: false,
            site,
            #[cfg(feature = "tracing")]
            watched: 0,
            #[cfg(feature = "tracing")]
            unwatched: 0,
        }
    }

    /// Adds what was seen; says whether enough is known of what it is executed with.
    #[inline(always)]
    fn add(&mut self, seen: &Seen) -> bool {
        self.statement.add(seen.executions, seen.rows, seen.time, seen.database);
        if seen.executions > 0 && !self.differ && !self.unknown {
            self.saw(seen.parameters);
        }
        self.differ || self.unknown
    }

    /// Notes executions that sqlx will report; returns whether it will.
    #[cfg(feature = "tracing")]
    #[inline(always)]
    fn announce(&mut self, seen: &Seen) -> bool {
        if !seen.is_watched {
            self.unwatched += seen.executions;
        } else if seen.database == "SQLite" {
            self.watched += seen.executions;
        } else {
            // Other drivers report a statement where it is polled, which needs no count.
            return false;
        }
        true
    }

    #[inline(always)]
    fn is_at(&self, site: &'static Site) -> bool {
        match self.site {
            Some(own) => std::ptr::eq(own, site),
            None => false,
        }
    }

    /// Records an execution with these parameters.
    fn saw(&mut self, parameters: Parameters) {
        match parameters {
            Parameters::Hash(values) => {
                if let Err(place) = self.parameters.binary_search(&values) {
                    self.parameters.insert(place, values);
                }
                let sets = self.parameters.len();
                self.differ = sets == MOST_SETS || (sets == PLAIN && self.statement.count() == PLAIN);
            }
            // The latter were bound in another scope, which knew enough.
            Parameters::Unknown | Parameters::Unasked => self.unknown = true,
        }
    }
}
