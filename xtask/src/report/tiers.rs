//! Splits findings into two tiers, one per cause: those worth fixing are shown, the rest is counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use query_budget_analysis::lints::{self, Check};
use query_budget_analysis::{Finding, Place, Sighting, Tier};

use super::{Report, Subject};

impl Report {
    /// Separates what is only counted, and groups the findings by cause.
    pub(super) fn sort_out(&mut self) {
        if self.subject == Subject::Everything {
            let findings = std::mem::take(&mut self.findings);
            let (shown, listed) = findings.into_iter().partition(|finding| finding.tier == Tier::Shown);
            self.findings = without_keys(in_any_order(joined(shown)));
            self.more = joined(listed);
        }
        self.place_entries();
    }

    /// Moves findings about `.sqlx` entries to the macro or derive that makes them.
    fn place_entries(&mut self) {
        let makers = &self.makers;
        for finding in self.findings.iter_mut().chain(&mut self.more) {
            let of_entry = |place: &Place| makers.get(&place.file).cloned();
            if let Some(maker) = of_entry(&finding.place) {
                finding.place = maker;
            }
            for sighting in &mut finding.places {
                if let Some(maker) = of_entry(&sighting.place) {
                    sighting.place = maker;
                }
            }
            let first = finding.place.clone();
            let mut seen = Vec::new();
            finding.places.retain(|sighting| {
                let is_new = sighting.place != first && !seen.contains(&sighting.place);
                let is_kept = is_new || !makers.values().any(|maker| *maker == sighting.place);
                seen.push(sighting.place.clone());
                is_kept
            });
        }
    }

    /// The findings with a separate one for each place, for formats with one place per finding.
    pub(crate) fn by_place(&self) -> Vec<Finding> {
        let all = self.all.then_some(&self.more).into_iter().flatten();
        let mut found = Vec::new();
        for finding in self.findings.iter().chain(all) {
            found.push(finding.clone());
            found.extend(finding.places.iter().map(|sighting| Finding {
                place: sighting.place.clone(),
                function: sighting.function.clone(),
                places: Vec::new(),
                edits: sighting.edits.clone(),
                ..finding.clone()
            }));
        }
        found
    }

    /// The number of findings per lint that are only counted, with each place counted separately.
    pub(super) fn counted(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.more {
            *counts.entry(finding.lint).or_default() += 1 + finding.places.len();
        }
        counts
    }
}

/// The SQL keywords that distinguish the shapes of statements.
const WORDS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CONFLICT",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "EXISTS",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NOTHING",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "RETURNING",
    "SELECT",
    "SET",
    "UNION",
    "UPDATE",
    "VALUES",
    "WHERE",
    "WITH",
];

/// A statement without its names and values, and with one element per list: the same for every table that a
/// derive generates it for.
fn shape(sql: &str) -> String {
    let mut shape: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut put = |word: &mut String| {
        let upper = word.to_ascii_uppercase();
        match word.is_empty() {
            true => {}
            false if WORDS.contains(&upper.as_str()) => shape.push(upper),
            false if shape.last().is_some_and(|last| last == "_") => {}
            false => shape.push("_".to_owned()),
        }
        word.clear();
    };
    for c in sql.chars() {
        if c.is_alphanumeric() || matches!(c, '_' | '"' | '`' | '$' | '?' | '.' | '\'') {
            word.push(c);
        } else {
            put(&mut word);
        }
    }
    put(&mut word);
    shape.join(" ")
}

/// Groups findings by cause, at the place of the first: the same query at several places, or one query behind
/// several calls.
fn joined(findings: Vec<Finding>) -> Vec<Finding> {
    let mut joined: Vec<Finding> = Vec::new();
    let mut known = HashMap::new();
    for finding in findings {
        let is_call = is_call(&finding);
        // One query is one cause, whether or not its text is known.
        let end = finding.related.last().filter(|_| is_call).map(|end| end.place.to_string().into());
        let Some(sql) = finding.sql.clone().or(end) else {
            joined.push(finding);
            continue;
        };
        let by_index = finding.causes.first().filter(|_| matches!(finding.lint, FILTER | SORT)).cloned();
        // The queries that a macro or a derive generates for each table count as one query.
        let is_entry = finding.place.file.contains(".sqlx/");
        // Calls are told apart by what to do with them.
        let message = match (is_call, is_entry) {
            (true, _) => finding.causes.join(" "),
            (false, true) => String::new(),
            (false, false) => finding.message.clone(),
        };
        let sql = if is_entry { shape(&sql).into() } else { sql };
        // The variants of one query, such as a list and its count, are written anew together.
        let is_variant = finding.lint == OPTIONAL && !is_entry && !finding.function.is_empty();
        let (message, sql) = match is_variant {
            true => (finding.place.file.to_string(), finding.function.clone()),
            false => (message, sql),
        };
        let (message, sql) = by_index.map_or((message, sql), |index| (String::new(), index));
        let of = finding.database.clone();
        let at = *known.entry((finding.lint, finding.level, of, message, sql)).or_insert(joined.len());
        match joined.get_mut(at) {
            Some(first) => {
                serve_all(first, &finding);
                let is_said = first.message == finding.message || first.notes.contains(&finding.message);
                if is_variant && !is_said {
                    first.notes.push(finding.message);
                }
                first.places.push(Sighting {
                    place: finding.place,
                    function: finding.function,
                    edits: finding.edits,
                });
            }
            None => joined.push(finding),
        }
    }
    joined
}

fn is_call(finding: &Finding) -> bool {
    lints::by_name(finding.lint).is_some_and(|lint| matches!(lint.check, Check::Call(_)))
}

/// The lint on filters that a parameter turns off.
const OPTIONAL: &str = "optional_filter";

/// The lint on orders that no index provides.
const SORT: &str = "unindexed_sort";

/// The lint on filters without an index, whose findings are one if one index leads to the rows of all.
const FILTER: &str = "unindexed_filter";

/// The lint on foreign keys without an index.
const KEY: &str = "unindexed_foreign_key";

/// Adds the index that serves a further query of the same cause as well, if the first finding advises a
/// different index.
fn serve_all(first: &mut Finding, further: &Finding) {
    // Findings of other lints have other causes than indexes.
    let is_about_index = matches!(first.lint, FILTER | SORT | KEY);
    let Some(index) = further.causes.first().filter(|_| is_about_index && first.help != further.help) else {
        return;
    };
    let help = format!("or one index for all of its places: `{index}`");
    let is_said = first.help.iter().any(|said| *said == help || said.ends_with(&format!("`{index}`")));
    if !is_said {
        first.help.push(help);
    }
}

/// Joins filters whose index may begin with a column that the index of another filter begins with: one index serves both.
fn in_any_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    for at in (0..findings.len()).rev() {
        let Some(finding) = findings.get(at).filter(|it| it.lint == FILTER && it.causes.len() > 1) else {
            continue;
        };
        let is_served_with = |other: &Finding| {
            let leads = other.causes.first().is_some_and(|index| finding.causes.contains(index));
            other.lint == FILTER
                && leads
                && other.database == finding.database
                && other.level == finding.level
        };
        let mut others = findings.iter().enumerate();
        let Some(to) = others.find(|(other, it)| *other != at && is_served_with(it)).map(|(to, _)| to) else {
            continue;
        };
        let mut finding = findings.remove(at);
        let Some(other) = findings.get_mut(if to > at { to - 1 } else { to }) else { continue };
        let index = finding.help.first().and_then(|help| help.split_once("index: ")).map(|(_, index)| index);
        let lead = other.causes.first();
        let index = index.zip(lead).and_then(|(index, lead)| led_by(index.trim_matches('`'), lead));
        let help = index.map(|index| format!("or one index for all of its places: `{index}`"));
        other.help.extend(help.filter(|help| !other.help.contains(help)));
        other.places.push(Sighting {
            place: finding.place,
            function: finding.function,
            edits: finding.edits,
        });
        other.places.append(&mut finding.places);
    }
    findings
}

/// The index on the columns of `index`, that of `lead` first.
fn led_by(index: &str, lead: &str) -> Option<String> {
    let (head, columns) = index.strip_suffix(')')?.split_once('(')?;
    let (_, lead) = lead.strip_suffix(')')?.split_once('(')?;
    let columns: Vec<&str> = columns.split(", ").collect();
    let others = columns.iter().filter(|column| **column != lead).copied();
    let is_plain = !columns.iter().any(|column| column.contains(['(', ')']));
    (is_plain && columns.contains(&lead))
        .then(|| format!("{head}({})", std::iter::once(lead).chain(others).collect::<Vec<_>>().join(", ")))
}

/// Leaves out foreign keys whose index a finding on a filter asks for as well: the same index is one finding.
fn without_keys(mut findings: Vec<Finding>) -> Vec<Finding> {
    let (keys, mut others): (Vec<Finding>, Vec<Finding>) =
        findings.drain(..).partition(|finding| finding.lint == KEY);
    let mut filters: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    for (at, finding) in others.iter().enumerate().filter(|(_, finding)| finding.lint == FILTER) {
        if let Some(index) = finding.causes.first() {
            filters.entry(Arc::clone(index)).or_default().push(at);
        }
    }
    for key in keys {
        let same = key.causes.iter().filter_map(|index| filters.get(index)).flatten();
        let same =
            same.copied().filter(|at| others.get(*at).is_some_and(|it| it.database == key.database)).min();
        match same.and_then(|at| others.get_mut(at)) {
            Some(filter) => {
                filter.notes.push(format!(
                    "{}: {}",
                    key.message,
                    key.notes.first().map_or("", String::as_str)
                ));
                serve_all(filter, &key);
            }
            None => others.push(key),
        }
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(lint: &'static str, sql: Option<&str>, help: &str) -> Finding {
        let mut finding = Finding::new(lint, format!("{help} of {sql:?}")).help(help);
        finding.sql = sql.map(Into::into);
        finding.causes = vec!["CREATE INDEX ON a (b)".into()];
        finding.note("a row deleted from `c` makes the database read all of `a`")
    }

    #[test]
    fn one_index_of_two_databases_is_two_findings() {
        let of = |database: &str| {
            let mut finding = on(FILTER, Some(database), "add an index");
            finding.database = Some(std::path::Path::new(database).into());
            finding
        };
        assert_eq!(joined(vec![of("a"), of("b"), of("a")]).len(), 2);
    }

    #[test]
    fn calls_with_another_advice_are_another_finding() {
        let call = |asks: &str| {
            let mut finding = on("querying_call_in_loop", Some("SELECT 1"), asks);
            finding.causes = vec![asks.into()];
            finding
        };
        assert_eq!(joined(vec![call("the same query"), call("a query"), call("a query")]).len(), 2);
    }

    #[test]
    fn calls_that_end_at_one_query_are_not_told_to_add_an_index() {
        let call = |function: &str| {
            let mut finding =
                on("querying_call_in_loop", Some("SELECT 1"), &format!("give `{function}` all keys"));
            finding.causes = vec!["a query".into()];
            finding
        };
        let joined = joined(vec![call("load"), call("load_all")]);
        let [finding] = joined.as_slice() else { panic!("{joined:?}") };
        assert_eq!(finding.help, ["give `load` all keys"]);
    }

    #[test]
    fn one_missing_index_is_one_finding() {
        let joined = without_keys(joined(vec![
            on(
                "unindexed_filter",
                Some("SELECT 1 FROM a WHERE b = $1 AND c = $2"),
                "`CREATE INDEX ON a (b, c)`",
            ),
            on("unindexed_filter", Some("SELECT 1 FROM a WHERE b = $1"), "`CREATE INDEX ON a (b)`"),
            on("unindexed_foreign_key", None, "`CREATE INDEX ON a (b)`"),
        ]));
        let [finding] = joined.as_slice() else { panic!("{joined:?}") };
        assert_eq!(finding.places.len(), 1);
        assert_eq!(
            finding.help,
            ["`CREATE INDEX ON a (b, c)`", "or one index for all of its places: `CREATE INDEX ON a (b)`"]
        );
        assert_eq!(finding.notes.len(), 2);
    }

    #[test]
    fn columns_that_are_compared_for_equality_stand_in_any_order() {
        let of = |columns: &[&str]| {
            let list = columns.join(", ");
            let mut finding = on(FILTER, Some(&list), &format!("add an index: `CREATE INDEX ON a ({list})`"));
            finding.causes =
                columns.iter().map(|column| format!("CREATE INDEX ON a ({column})").into()).collect();
            finding
        };
        let found = in_any_order(vec![of(&["name", "b"]), of(&["b"]), of(&["c", "d"])]);
        let [first, other] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            first.help.last().map(String::as_str),
            Some("or one index for all of its places: `CREATE INDEX ON a (b, name)`")
        );
        assert_eq!((first.places.len(), other.places.len()), (1, 0));
    }

    #[test]
    fn variants_of_one_query_in_a_function_are_one_finding() {
        let of = |lint: &'static str, function: &str, column: &str| {
            let mut finding = Finding::new(lint, format!("filter on `a.{column}` is turned off"));
            finding.sql = Some(column.into());
            finding.function = function.into();
            finding
        };
        let found = joined(vec![
            of(OPTIONAL, "list", "b"),
            of(OPTIONAL, "list", "c"),
            of(OPTIONAL, "list", "c"),
            of(OPTIONAL, "find", "b"),
            of("missing_limit", "list", "b"),
            of("missing_limit", "list", "c"),
        ]);
        let places: Vec<usize> = found.iter().map(|finding| finding.places.len()).collect();
        assert_eq!(places, [2, 0, 0, 0]);
        assert_eq!(
            found.first().map(|first| first.notes.as_slice()),
            Some(["filter on `a.c` is turned off".to_owned()].as_slice())
        );
    }

    #[test]
    fn a_key_that_no_filter_shares_stays() {
        let joined = without_keys(vec![on("unindexed_foreign_key", None, "`CREATE INDEX ON a (b)`")]);
        assert_eq!(joined.len(), 1);
    }

    #[test]
    fn what_a_derive_makes_for_each_table_is_one_finding() {
        let finding = |file: &str, sql: &str| {
            let mut finding = Finding::new("missing_limit", format!("nothing bounds {sql}"));
            finding.place.file = file.into();
            finding.sql = Some(sql.into());
            finding
        };
        let joined = joined(vec![
            finding(".sqlx/query-1.json", "SELECT id, name FROM users WHERE org_id = $1"),
            finding(".sqlx/query-2.json", "SELECT id, title, body FROM \"posts\" WHERE user_id = $1"),
            finding(".sqlx/query-3.json", "SELECT id FROM posts ORDER BY id"),
            finding("src/lib.rs", "SELECT id FROM users WHERE org_id = $1"),
            finding("src/lib.rs", "SELECT id FROM posts WHERE user_id = $1"),
        ]);
        let places: Vec<usize> = joined.iter().map(|finding| finding.places.len()).collect();
        assert_eq!(places, [1, 0, 0, 0]);
    }

    #[test]
    fn one_query_behind_several_calls_is_one_finding() {
        let finding = |lint, message: &str, sql: Option<&str>| {
            let mut finding = Finding::new(lint, message);
            finding.sql = sql.map(Into::into);
            finding
        };
        let joined = joined(vec![
            finding("querying_call_in_loop", "`a` runs a query", Some("SELECT 1")),
            finding("querying_call_in_loop", "`b` runs a query", Some("SELECT 1")),
            finding("missing_limit", "nothing bounds `a`", Some("SELECT 1")),
            finding("missing_limit", "nothing bounds `b`", Some("SELECT 1")),
            finding("undemanded_index", "no query needs it", None),
            finding("undemanded_index", "no query needs it", None),
        ]);
        let places: Vec<usize> = joined.iter().map(|finding| finding.places.len()).collect();
        assert_eq!(places, [1, 0, 0, 0, 0]);
    }
}
