//! The verdict on every table access of the corpus, compared with the database's own planner.
//!
//! Accesses are matched by alias. `either` accepts any verdict. For PostgreSQL the score concerns *unserved*,
//! the verdict that becomes a finding: precision (how many of those reported are unserved) and recall (how
//! many of the unserved are reported). SQLite's plan does not distinguish unserved accesses from full ones,
//! so only served and scanned are compared there. `QUERY_BUDGET_SHOW=access` prints every disagreement.

use std::collections::BTreeMap;

use query_budget_analysis::index::{Access, Verdict, accesses};
use query_budget_analysis::sql::{Dialect, resolve};

use super::folder::{Folder, show};

/// In percent over all PostgreSQL folders: the minimum precision, the minimum recall, and the maximum share
/// of unknown.
const PRECISION: f64 = 98.5;
const RECALL: f64 = 97.0;
const UNKNOWN: f64 = 1.0;
/// In percent of the accesses of the SQLite folders.
const AGREEMENT: f64 = 100.0;

/// The counts.
#[derive(Default)]
struct Score {
    /// Accesses in both the database's plan and the engine's verdicts.
    compared: usize,
    /// Unserved and reported as such.
    hits: usize,
    /// Reported as unserved, but not.
    false_alarms: usize,
    /// Unserved but not reported.
    misses: usize,
    /// Without a verdict.
    unknown: usize,
    /// Accesses in the database's plan that the engine does not name.
    absent: usize,
    /// Served or scanned in agreement with the database.
    agreed: usize,
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
fn access() {
    let mut totals: BTreeMap<&str, Score> = BTreeMap::new();
    show(&format!(
        "\n{:<20}{:>10}{:>8}{:>8}{:>8}{:>9}{:>8}{:>11}{:>9}{:>11}",
        "access",
        "compared",
        "hits",
        "false",
        "missed",
        "unknown",
        "absent",
        "precision",
        "recall",
        "agreement"
    ));
    for folder in Folder::all() {
        let score = score(&folder);
        show(&score.line(&folder.name));
        totals.entry(folder.dialect.as_str()).or_default().add(&score);
    }
    for (dialect, total) in &totals {
        show(&total.line(&format!("all {dialect}")));
    }
    if let Some(postgres) = totals.get(Dialect::Postgres.as_str()) {
        let (precision, recall, unknown) =
            (postgres.precision(), postgres.recall(), postgres.unknown_share());
        assert!(precision >= PRECISION, "{precision:.2} % precise, {PRECISION} % are needed");
        assert!(recall >= RECALL, "{recall:.2} % found, {RECALL} % are needed");
        assert!(unknown <= UNKNOWN, "{unknown:.2} % unknown, {UNKNOWN} % are allowed");
    }
    if let Some(sqlite) = totals.get(Dialect::Sqlite.as_str()) {
        let agreement = sqlite.agreement();
        assert!(agreement >= AGREEMENT, "{agreement:.2} % agree, {AGREEMENT} % are needed");
    }
}

fn score(folder: &Folder) -> Score {
    let schema = folder.replayed();
    let mut score = Score::default();
    let verbose = std::env::var("QUERY_BUDGET_SHOW").is_ok_and(|what| what == "access");
    for known in folder.queries() {
        let sql = known["query"].as_str().expect("a query");
        let Ok(query) = resolve(sql, folder.dialect, Some(&schema)) else { continue };
        let mut found = accesses(&query, &schema);
        let mut real: Vec<(&str, &str)> = known["access"].as_array().map_or_else(Vec::new, |list| {
            list.iter().filter_map(|one| Some((one["alias"].as_str()?, one["verdict"].as_str()?))).collect()
        });
        // A plan does not tell which of several references to a table it means, so equal verdicts are matched
        // first.
        real.retain(|(alias, verdict)| {
            match take(&mut found, alias, |it| agrees(folder.dialect, it, verdict)) {
                Some(access) => !score.count(folder.dialect, access.verdict, verdict),
                None => true,
            }
        });
        for (alias, verdict) in real {
            let Some(access) = take(&mut found, alias, |_| true) else {
                score.absent += 1;
                if verbose {
                    show(&format!("{}: {alias} is not named\n    {sql}", folder.name));
                }
                continue;
            };
            score.count(folder.dialect, access.verdict, verdict);
            if verbose {
                let found = access.verdict.as_str();
                let why = &access.why;
                show(&format!("{}: {alias} is {verdict}, not {found}: {why}\n    {sql}", folder.name));
            }
        }
    }
    score
}

/// Takes an access by its alias; a planner numbers repeated ones `_1`, `_2`.
fn take(found: &mut Vec<Access>, alias: &str, wanted: impl Fn(Verdict) -> bool) -> Option<Access> {
    let plain = alias.rsplit_once('_').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let at =
        |name: &str| found.iter().position(|it| it.alias.eq_ignore_ascii_case(name) && wanted(it.verdict));
    let at = at(alias).or_else(|| at(plain?.0))?;
    Some(found.remove(at))
}

/// Whether a verdict agrees with the database.
fn agrees(dialect: Dialect, found: Verdict, real: &str) -> bool {
    match (dialect, found) {
        (_, Verdict::Unknown) => false,
        (Dialect::Sqlite, found) => (found == Verdict::Served) == (real == "served"),
        (_, found) => real == "either" || found.as_str() == real,
    }
}

impl Score {
    /// Counts one access, and returns whether the verdict is right.
    fn count(&mut self, dialect: Dialect, found: Verdict, real: &str) -> bool {
        self.compared += 1;
        if found == Verdict::Unknown {
            self.unknown += 1;
            return false;
        }
        let agreed = agrees(dialect, found, real);
        self.agreed += usize::from(agreed);
        match (found == Verdict::Unserved, real) {
            (true, "unserved") => self.hits += 1,
            (false, "unserved") => self.misses += 1,
            (true, "served" | "full") => self.false_alarms += 1,
            _ => {}
        }
        agreed
    }

    fn add(&mut self, other: &Score) {
        self.compared += other.compared;
        self.hits += other.hits;
        self.false_alarms += other.false_alarms;
        self.misses += other.misses;
        self.unknown += other.unknown;
        self.absent += other.absent;
        self.agreed += other.agreed;
    }

    fn precision(&self) -> f64 {
        percent(self.hits, self.hits + self.false_alarms)
    }

    fn recall(&self) -> f64 {
        percent(self.hits, self.hits + self.misses)
    }

    fn agreement(&self) -> f64 {
        percent(self.agreed, self.compared)
    }

    /// The share of the database's accesses without a verdict.
    fn unknown_share(&self) -> f64 {
        let silent = self.unknown + self.absent;
        if silent == 0 { 0.0 } else { percent(silent, self.compared + self.absent) }
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name:<20}{:>10}{:>8}{:>8}{:>8}{:>9}{:>8}{:>11.2}{:>9.2}{:>11.2}",
            self.compared,
            self.hits,
            self.false_alarms,
            self.misses,
            self.unknown,
            self.absent,
            self.precision(),
            self.recall(),
            self.agreement()
        )
    }
}

/// A part in percent of the whole; 100 if the whole is 0.
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}
