//! The differences between two revisions of a workspace: queries, bounds, findings, indexes.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::model::{Cost, Finding, Function, Query, Workspace};

/// The changes since a revision.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Diff {
    /// The version of this tool; first, so that the file is recognised as one of ours.
    #[serde(rename = "query_budget")]
    pub(crate) version: &'static str,
    /// The workspace.
    pub(crate) name: String,
    /// The revision as given.
    pub(crate) revision: String,
    pub(crate) queries: Vec<QueryChange>,
    pub(crate) functions: Vec<BoundChange>,
    pub(crate) new_findings: Vec<FindingChange>,
    pub(crate) gone_findings: Vec<FindingChange>,
    /// The indexes added to the schema, or removed from it.
    pub(crate) indexes: Vec<IndexChange>,
    /// The newly suggested indexes, as statements.
    pub(crate) new_advice: Vec<String>,
    /// The indexes that are no longer suggested.
    pub(crate) gone_advice: Vec<String>,
    /// What was checked and what was not.
    pub(crate) coverage: String,
}

/// How something has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    /// It is new.
    Added,
    /// It costs more.
    Worse,
    /// It costs less.
    Better,
    /// It is gone.
    Removed,
}

impl Change {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Worse => "worse",
            Change::Better => "better",
            Change::Removed => "removed",
        }
    }
}

/// A query that is new, gone, or read differently.
#[derive(Debug, Serialize)]
pub(crate) struct QueryChange {
    pub(crate) change: Change,
    pub(crate) sql: String,
    /// Its place, or former place.
    pub(crate) place: String,
    pub(crate) function: String,
    pub(crate) before: Option<Cost>,
    pub(crate) now: Option<Cost>,
    /// The indexes it uses, or why it uses none.
    pub(crate) how: Vec<String>,
}

/// A function whose bound has changed.
#[derive(Debug, Serialize)]
pub(crate) struct BoundChange {
    pub(crate) change: Change,
    pub(crate) function: String,
    pub(crate) place: String,
    pub(crate) before: String,
    pub(crate) now: String,
    pub(crate) budget: String,
    pub(crate) exceeded: bool,
}

/// A finding that is new or gone.
#[derive(Debug, Serialize)]
pub(crate) struct FindingChange {
    pub(crate) lint: &'static str,
    pub(crate) level: &'static str,
    pub(crate) message: String,
    pub(crate) place: String,
    pub(crate) help: Vec<String>,
}

/// An index that is new or gone.
#[derive(Debug, Serialize)]
pub(crate) struct IndexChange {
    pub(crate) change: Change,
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) on: String,
    /// How many accesses search it, or used to.
    pub(crate) uses: usize,
}

impl Diff {
    /// Compares a workspace with its earlier state.
    pub(crate) fn new(revision: &str, before: &Workspace, now: &Workspace) -> Diff {
        let (new_advice, gone_advice) = advice(before, now);
        let left_over = LeftOver::of(before);
        Diff {
            version: env!("CARGO_PKG_VERSION"),
            name: now.name.clone(),
            revision: revision.to_owned(),
            queries: queries(before, now, &left_over),
            functions: functions(before, now),
            new_findings: missing_in(now, before, |query| !left_over.has(query)),
            gone_findings: missing_in(before, now, |_| true),
            indexes: indexes(before, now),
            new_advice,
            gone_advice,
            coverage: now.coverage.clone(),
        }
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        let findings = self.new_findings.len() + self.gone_findings.len();
        let advice = self.new_advice.len() + self.gone_advice.len();
        findings + advice + self.queries.len() + self.functions.len() + self.indexes.len() == 0
    }

    /// How many queries have changed in this way.
    pub(crate) fn count(&self, change: Change) -> usize {
        self.queries.iter().filter(|query| query.change == change).count()
    }
}

/// The texts of the source's queries before a change. An entry of `.sqlx` with one of them whose query has left the source is
/// not new: `prepare` has yet to delete it.
struct LeftOver {
    texts: HashSet<String>,
}

impl LeftOver {
    fn of(before: &Workspace) -> LeftOver {
        let of_source = before.queries.iter().filter(|query| !is_entry(query));
        LeftOver { texts: of_source.map(|query| words(&query.sql)).collect() }
    }

    fn has(&self, query: &Query) -> bool {
        is_entry(query) && self.texts.contains(&words(&query.sql))
    }
}

/// Whether a query is known by its entry in `.sqlx` alone.
fn is_entry(query: &Query) -> bool {
    query.place.split('/').any(|part| part == ".sqlx")
}

fn words(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The identity of a query: its function and its text. Repetitions in a function are numbered.
fn keyed(workspace: &Workspace) -> BTreeMap<(String, String, usize), &Query> {
    let mut turns: HashMap<(String, String), usize> = HashMap::new();
    let mut keyed = BTreeMap::new();
    for query in &workspace.queries {
        let words = words(&query.sql);
        let file = || query.place.split(':').next().unwrap_or_default().to_owned();
        let owner = query.function.and_then(|at| workspace.functions.get(at));
        let owner = owner.map_or_else(file, |function| function.key.clone());
        let turn = turns.entry((owner.clone(), words.clone())).or_default();
        keyed.insert((owner, words, *turn), query);
        *turn += 1;
    }
    keyed
}

/// The queries that are new, gone or in another class, sorted by kind of change and place.
fn queries(before: &Workspace, now: &Workspace, left_over: &LeftOver) -> Vec<QueryChange> {
    let mut old = keyed(before);
    let mut changes = Vec::new();
    for (key, query) in keyed(now) {
        let was = old.remove(&key);
        let change = match was.map(|was| query.cost.cmp(&was.cost)) {
            None if left_over.has(query) => continue,
            None => Change::Added,
            Some(std::cmp::Ordering::Greater) => Change::Worse,
            Some(std::cmp::Ordering::Less) => Change::Better,
            Some(std::cmp::Ordering::Equal) => continue,
        };
        changes.push(query_change(change, query, now, was.map(|was| was.cost), Some(query.cost)));
    }
    for was in old.into_values() {
        changes.push(query_change(Change::Removed, was, before, Some(was.cost), None));
    }
    changes.sort_by(|a, b| (a.change, &a.place).cmp(&(b.change, &b.place)));
    changes
}

fn query_change(
    change: Change,
    query: &Query,
    of: &Workspace,
    before: Option<Cost>,
    now: Option<Cost>,
) -> QueryChange {
    let function = query.function.and_then(|at| of.functions.get(at));
    let how = query.accesses.iter().map(|access| match &access.index {
        Some(index) => format!("{} by {index}", access.table),
        None => format!("{}: {}", access.table, access.why),
    });
    QueryChange {
        change,
        sql: query.sql.clone(),
        place: query.place.clone(),
        function: function.map(|it| it.path.clone()).unwrap_or_default(),
        before,
        now,
        how: how.collect(),
    }
}

fn functions(before: &Workspace, now: &Workspace) -> Vec<BoundChange> {
    let mut old: BTreeMap<&str, &Function> =
        before.functions.iter().map(|it| (it.key.as_str(), it)).collect();
    let mut changes = Vec::new();
    let bound = |it: &Function| (it.upper.unwrap_or(u64::MAX), it.lower);
    for function in &now.functions {
        let was = old.remove(function.key.as_str());
        let change = match was.map(|was| bound(function).cmp(&bound(was))) {
            None => Change::Added,
            Some(std::cmp::Ordering::Greater) => Change::Worse,
            Some(std::cmp::Ordering::Less) => Change::Better,
            Some(std::cmp::Ordering::Equal) => continue,
        };
        changes.push(BoundChange {
            change,
            function: function.path.clone(),
            place: function.place.clone(),
            before: was.map(|it| it.interval.clone()).unwrap_or_default(),
            now: function.interval.clone(),
            budget: function.budget.clone(),
            exceeded: function.exceeded,
        });
    }
    changes.extend(old.into_values().map(|was| BoundChange {
        change: Change::Removed,
        function: was.path.clone(),
        place: was.place.clone(),
        before: was.interval.clone(),
        now: String::new(),
        budget: was.budget.clone(),
        exceeded: false,
    }));
    changes.sort_by(|a, b| (a.change, &a.place).cmp(&(b.change, &b.place)));
    changes
}

/// The findings of one workspace that the other lacks, on queries that count.
fn missing_in(of: &Workspace, other: &Workspace, counts: impl Fn(&Query) -> bool) -> Vec<FindingChange> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for finding in &other.findings {
        *left.entry(finding.key.as_str()).or_default() += 1;
    }
    let is_new = |finding: &&Finding| match left.get_mut(finding.key.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    let query = |finding: &Finding| finding.query.and_then(|at| of.queries.get(at));
    let new = of.findings.iter().filter(is_new).filter(|finding| query(finding).is_none_or(&counts));
    let missing = new.map(|finding| FindingChange {
        lint: finding.lint,
        level: finding.level,
        message: finding.message.clone(),
        place: finding.place.clone(),
        help: finding.help.clone(),
    });
    missing.collect()
}

fn indexes(before: &Workspace, now: &Workspace) -> Vec<IndexChange> {
    let all = |workspace: &Workspace| -> BTreeMap<(String, String, String), usize> {
        let tables = workspace.databases.iter().flat_map(|database| &database.tables);
        tables
            .flat_map(|table| {
                table
                    .indexes
                    .iter()
                    .map(|index| ((table.name.clone(), index.name.clone(), index.on.clone()), index.uses))
            })
            .collect()
    };
    let (old, new) = (all(before), all(now));
    let changes = |change, of: &BTreeMap<_, usize>, other: &BTreeMap<(String, String, String), usize>| {
        let missing = of.iter().filter(|(key, _)| !other.contains_key(*key));
        missing
            .map(|((table, name, on), uses): (&(String, String, String), &usize)| IndexChange {
                change,
                table: table.clone(),
                name: name.clone(),
                on: on.clone(),
                uses: *uses,
            })
            .collect::<Vec<_>>()
    };
    let mut found = changes(Change::Added, &new, &old);
    found.extend(changes(Change::Removed, &old, &new));
    found
}

fn advice(before: &Workspace, now: &Workspace) -> (Vec<String>, Vec<String>) {
    let missing = |of: &Workspace, other: &Workspace| {
        let advised = of.advice.iter().map(|it| &it.ddl);
        advised.filter(|ddl| other.advice.iter().all(|it| it.ddl != **ddl)).cloned().collect()
    };
    (missing(now, before), missing(before, now))
}
