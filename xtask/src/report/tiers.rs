//! Splits findings into two tiers, one per cause: those worth fixing are shown, the rest is counted.

use std::collections::{BTreeMap, HashMap};

use query_budget_analysis::lints::{self, Check};
use query_budget_analysis::{Finding, Place, Sighting, Tier};

use super::one_index::{FILTER, SORT, in_any_order, is_served_too, serve_all, without_keys};
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
    for mut finding in findings {
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
        let (message, sql) = by_index.clone().map_or((message, sql), |index| (String::new(), index));
        let of = finding.database.clone();
        let at = *known.entry((finding.lint, finding.level, of, message, sql)).or_insert(joined.len());
        match joined.get_mut(at) {
            Some(first) => {
                // The finding whose index serves the others as well is the one to read.
                if by_index.is_some() && is_served_too(&finding, first) && !is_served_too(first, &finding) {
                    finding.places = std::mem::take(&mut first.places);
                    std::mem::swap(first, &mut finding);
                }
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
        assert_eq!(finding.help, ["`CREATE INDEX ON a (b, c)`"]);
        assert_eq!(finding.notes.len(), 2);
    }

    #[test]
    fn the_index_that_begins_with_all_others_is_advised_alone() {
        let of = |list: &str| on(FILTER, Some(list), &format!("add an index: `CREATE INDEX ON a {list}`"));
        for (lists, expected, others) in [
            (vec!["(b)", "(b, (lower(c)))", "(b)"], "(b, (lower(c)))", 0),
            (vec!["(b, (lower(c)))", "(b)"], "(b, (lower(c)))", 0),
            (vec!["(b) WHERE c", "(b, d)"], "(b, d)", 0),
            (vec!["(b)", "(b, c) WHERE d"], "(b)", 0),
            (vec!["(b, (lower(c)))", "(b, (lower(c, d)))"], "(b, (lower(c)))", 1),
            (vec!["(b, c)", "(b, d)"], "(b, c)", 1),
        ] {
            let joined = joined(lists.iter().map(|list| of(list)).collect());
            let [finding] = joined.as_slice() else { panic!("{joined:?}") };
            assert_eq!(finding.help[0], format!("add an index: `CREATE INDEX ON a {expected}`"), "{lists:?}");
            assert_eq!(
                (finding.help.len() - 1, finding.places.len()),
                (others, lists.len() - 1),
                "{lists:?}"
            );
        }
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
