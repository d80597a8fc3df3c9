//! `budgets --diff REV`: how bounds have changed since a revision.

use std::collections::BTreeMap;

use query_budget_analysis::render::json::put_place;
use query_budget_analysis::rust::Upper;
use serde_json::{Value, json};

use super::list::{Listed, listed};
use super::revision::{Revision, SOURCE};
use super::table;
use crate::Outcome;
use crate::args::{Budgets, ListFormat};
use crate::failure::Failure;
use crate::input::{current_dir, rust_files};
use crate::output::Output;
use crate::report::counted;
use crate::report::text::unread;

/// How a function's bound has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    New,
    Grew,
    Shrank,
    Gone,
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Grew => "grew",
            Change::Shrank => "shrank",
            Change::Gone => "gone",
        }
    }
}

/// A function whose bound has changed.
struct Changed<'l> {
    change: Change,
    before: Option<&'l Listed<'l>>,
    now: Option<&'l Listed<'l>>,
}

pub(super) fn run(arguments: &Budgets, revision: &str, output: &mut Output) -> Result<Outcome, Failure> {
    let base = current_dir()?;
    let loaded = rust_files::find(&arguments.path, &base)?;
    let scope = arguments.path.canonicalize().unwrap_or_else(|_| arguments.path.clone());
    let queries = |it: &Listed<'_>| it.budget_is_set() || it.queries();
    let mut now = listed(&loaded, &scope);
    now.retain(queries);
    let revised = Revision::check_out(&arguments.path, revision, SOURCE)?;
    // A folder that the revision lacks contained no function.
    let old = match revised.path.exists() {
        true => Some(rust_files::find(&revised.path, &revised.path)?),
        false => None,
    };
    let mut before = old.as_ref().map_or_else(Vec::new, |old| listed(old, &revised.path));
    before.retain(queries);
    let changed = compare(&before, &now);
    let over: Vec<&Changed<'_>> = changed.iter().filter(|it| it.is_over()).collect();
    match arguments.format {
        ListFormat::Json => {
            let changed: Vec<Value> = changed.iter().map(Changed::object).collect();
            output.line(format!(
                "{:#}",
                json!({ "revision": revision, "changed": changed, "unread": loaded.unread })
            ))?;
        }
        ListFormat::Text => {
            unread(&loaded.unread, output)?;
            let rows = changed.iter().map(Changed::row);
            table::write(["function", "change", "before", "now", "budget", "place"], rows, output)?;
            output.line("")?;
            let changed = counted(changed.len(), "function", "functions");
            output
                .line(format!("{changed} changed since `{revision}`: {} grew past the budget", over.len()))?;
        }
    }
    Ok(if over.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// The functions whose bounds differ, in source order; removed ones come last.
fn compare<'l>(before: &'l [Listed<'l>], now: &'l [Listed<'l>]) -> Vec<Changed<'l>> {
    let mut old: BTreeMap<&str, &Listed<'l>> = before.iter().map(|it| (it.key.as_str(), it)).collect();
    let mut changed = Vec::new();
    for it in now {
        let before = old.remove(it.key.as_str());
        let change = match before.map(|before| change(before, it)) {
            None => Change::New,
            Some(Some(change)) => change,
            Some(None) => continue,
        };
        changed.push(Changed { change, before, now: Some(it) });
    }
    changed.extend(old.into_values().map(|it| Changed { change: Change::Gone, before: Some(it), now: None }));
    changed
}

/// How a bound has changed: compares the maximum first, then the minimum.
fn change(before: &Listed<'_>, now: &Listed<'_>) -> Option<Change> {
    let most = |it: &Listed<'_>| match it.function.bound.upper {
        Upper::Finite(most) => most,
        Upper::Unbounded { .. } => u64::MAX,
    };
    let (was, is) = ((most(before), before.function.bound.lower), (most(now), now.function.bound.lower));
    match is.cmp(&was) {
        std::cmp::Ordering::Greater => Some(Change::Grew),
        std::cmp::Ordering::Less => Some(Change::Shrank),
        std::cmp::Ordering::Equal => None,
    }
}

impl Changed<'_> {
    /// Whether it grew, or started, beyond its budget.
    fn is_over(&self) -> bool {
        matches!(self.change, Change::New | Change::Grew) && self.now.is_some_and(Listed::is_over)
    }

    fn row(&self) -> [String; 6] {
        let interval = |it: Option<&Listed<'_>>| it.map_or_else(|| "-".to_owned(), Listed::interval);
        let named = self.now.or(self.before);
        [
            named.map(Listed::path).unwrap_or_default(),
            self.change.as_str().to_owned(),
            interval(self.before),
            interval(self.now),
            self.now.map(Listed::budget).unwrap_or_default(),
            named.map(|it| it.function.place.to_string()).unwrap_or_default(),
        ]
    }

    fn object(&self) -> Value {
        let bound = |it: Option<&Listed<'_>>| {
            it.map(|it| {
                let upper = match it.function.bound.upper {
                    Upper::Finite(upper) => json!(upper),
                    Upper::Unbounded { .. } => Value::Null,
                };
                json!({ "lower": it.function.bound.lower, "upper": upper })
            })
        };
        let named = self.now.or(self.before);
        let mut value = json!({
            "function": named.map(Listed::path),
            "change": self.change.as_str(),
            "before": bound(self.before),
            "now": bound(self.now),
            "max": self.now.and_then(Listed::max),
            "exceeded": self.is_over(),
        });
        if let Some(named) = named {
            put_place(&mut value, &named.function.place);
        }
        value
    }
}
