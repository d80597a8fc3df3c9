//! Findings that one index serves: the one that names it is shown, with the places of the others.

use std::collections::HashMap;
use std::sync::Arc;

use query_budget_analysis::{Finding, Sighting};

/// The lint on orders that no index provides.
pub(super) const SORT: &str = "unindexed_sort";

/// The lint on filters without an index, whose findings are one if one index leads to the rows of all.
pub(super) const FILTER: &str = "unindexed_filter";

/// The lint on foreign keys without an index.
const KEY: &str = "unindexed_foreign_key";

/// Adds the index that serves a further query of the same cause as well, if the first finding advises a
/// different index.
pub(super) fn serve_all(first: &mut Finding, further: &Finding) {
    // Findings of other lints have other causes than indexes.
    let is_about_index = matches!(first.lint, FILTER | SORT | KEY);
    let Some(index) = further.causes.first().filter(|_| is_about_index && first.help != further.help) else {
        return;
    };
    if is_served_too(first, further) {
        return;
    }
    let help = format!("or one index for all of its places: `{index}`");
    let is_said = first.help.iter().any(|said| *said == help || said.ends_with(&format!("`{index}`")));
    if !is_said {
        first.help.push(help);
    }
}

/// Whether the only index that a finding advises begins with the one that another finding advises, and holds all of its rows.
pub(super) fn is_served_too(finding: &Finding, other: &Finding) -> bool {
    let (Some(index), Some(beginning)) = (advised(finding), advised(other)) else { return false };
    let is_only = finding.help.iter().filter(|help| help.contains("`CREATE INDEX ")).count() == 1;
    is_only && is_beginning(beginning, index)
}

/// Whether an index begins with the keys of another one, and holds all of its rows.
fn is_beginning(beginning: &str, index: &str) -> bool {
    let parts = |statement: &str| {
        let (_, on) = statement.split_once(" ON ").or_else(|| statement.split_once("ON "))?;
        let (keys, rows) = on.split_once(") WHERE ").or_else(|| Some((on.strip_suffix(')')?, "")))?;
        Some((keys.to_owned(), rows.to_owned()))
    };
    let (Some((first, of_rows)), Some((keys, rows))) = (parts(beginning), parts(index)) else { return false };
    let rest = keys.strip_prefix(first.as_str());
    (rows.is_empty() || rows == of_rows) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
}

/// The index that a finding advises first.
fn advised(finding: &Finding) -> Option<&str> {
    let (_, statement) = finding.help.iter().find_map(|help| help.split_once("`CREATE INDEX "))?;
    statement.split_once('`').map(|(statement, _)| statement)
}

/// Joins filters whose index may begin with a column that the index of another filter begins with: one index serves both.
pub(super) fn in_any_order(mut findings: Vec<Finding>) -> Vec<Finding> {
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
        // The index on further columns serves a filter on the first alone as well.
        if let Some(index) = &index
            && advised(other).is_some_and(|alone| is_beginning(alone, index))
            && other.help.iter().filter(|help| help.contains("`CREATE INDEX ")).count() == 1
            && let Some(help) = finding.help.first_mut()
        {
            *help = format!("add an index: `{index}`");
            finding.causes.clone_from(&other.causes);
            finding.places.append(&mut other.places);
            std::mem::swap(other, &mut finding);
        } else if let Some(index) = &index {
            let help = format!("or one index for all of its places: `{index}`");
            if !other.help.contains(&help) {
                other.help.push(help);
            }
        }
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
pub(super) fn without_keys(mut findings: Vec<Finding>) -> Vec<Finding> {
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

    #[test]
    fn columns_that_are_compared_for_equality_stand_in_any_order() {
        let of = |columns: &[&str]| {
            let list = columns.join(", ");
            let help = format!("add an index: `CREATE INDEX ON a ({list})`");
            let mut finding = Finding::new(FILTER, format!("filter on `{list}` has no index")).help(help);
            finding.causes =
                columns.iter().map(|column| format!("CREATE INDEX ON a ({column})").into()).collect();
            finding
        };
        let found = in_any_order(vec![of(&["name", "b"]), of(&["b"]), of(&["c", "d"])]);
        let [first, other] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(first.help, ["add an index: `CREATE INDEX ON a (b, name)`"]);
        assert_eq!((first.places.len(), other.places.len()), (1, 0));
    }
}
