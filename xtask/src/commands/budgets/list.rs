//! The functions that query or have a budget.

use std::collections::HashMap;
use std::path::Path;

use query_budget_analysis::rust::{Bound, Function, Limit, SourceFile, Upper};
use serde_json::{Value, json};

use crate::input::Loaded;

/// The number of unknown calls that are named.
const NAMED: usize = 3;

/// A function with its identity.
pub(crate) struct Listed<'l> {
    pub(crate) function: &'l Function,
    /// An identifier that is stable across revisions: its crate's root relative to the base, its module, its
    /// path.
    pub(crate) key: String,
}

/// The functions of the workspace that query, may query in calls that are unknown, or have a budget, outside of tests.
pub(crate) fn listed<'l>(loaded: &'l Loaded, base: &Path) -> Vec<Listed<'l>> {
    let files = loaded.batches.iter().flat_map(|batch| &batch.files);
    let functions = files.flat_map(|file| file.source.scan.functions.iter().map(|it| (&file.source, it)));
    let mut listed: Vec<Listed<'l>> = functions
        .filter(|(_, it)| !it.in_test && (it.budget.is_some() || it.bound != Bound::default()))
        .map(|(source, function)| Listed { function, key: key(source, function, base) })
        .collect();
    tell_apart(listed.iter_mut().map(|it| &mut it.key));
    listed
}

/// Numbers the functions with the same path: a generic type may have an `impl` for each of several arguments.
pub(crate) fn tell_apart<'k>(keys: impl Iterator<Item = &'k mut String>) {
    let mut turns: HashMap<String, usize> = HashMap::new();
    for key in keys {
        let turn = turns.entry(key.clone()).or_default();
        *turn += 1;
        if *turn > 1 {
            key.push_str(&format!(" {turn}"));
        }
    }
}

/// An identifier of a function that is stable across revisions.
pub(crate) fn key(source: &SourceFile, function: &Function, base: &Path) -> String {
    let root = Path::new(&source.crate_name);
    let root = root.strip_prefix(base).unwrap_or(root).display();
    format!("{root} {} {}", source.module.join("::"), function.path)
}

impl Listed<'_> {
    /// Its path inside its file.
    pub(crate) fn path(&self) -> String {
        self.function.path.to_string()
    }

    /// Whether it has a budget of any kind.
    pub(crate) fn budget_is_set(&self) -> bool {
        self.function.budget.is_some()
    }

    fn limit(&self) -> Option<&Limit> {
        self.function.budget.as_ref()?.max.as_ref()
    }

    /// Its budget: a number, or an expression over its arguments.
    pub(crate) fn max(&self) -> Option<Value> {
        self.limit().map(|max| match max {
            Limit::Literal(max) => json!(max),
            Limit::Expression(max) => json!(max),
        })
    }

    /// Whether it certainly may query, rather than in calls that are unknown alone.
    pub(crate) fn queries(&self) -> bool {
        self.function.bound.upper != Upper::Finite(0)
    }

    /// Whether it may exceed its budget.
    pub(crate) fn is_over(&self) -> bool {
        let max = self.limit().and_then(Limit::literal);
        max.is_some_and(|max| self.function.bound.upper.exceeds(max))
    }

    pub(crate) fn is_unbounded(&self) -> bool {
        matches!(self.function.bound.upper, Upper::Unbounded { .. })
    }

    pub(crate) fn has_unknown(&self) -> bool {
        self.function.bound.is_open()
    }

    /// The minimum and maximum, with a mark if calls that may query could not be resolved: `1..3 + unknown`.
    pub(crate) fn interval(&self) -> String {
        let bound = &self.function.bound;
        let upper = match &bound.upper {
            Upper::Finite(upper) => upper.to_string(),
            Upper::Unbounded { .. } => "∞".to_owned(),
        };
        let unknown = if self.has_unknown() { " + unknown" } else { "" };
        format!("{}..{upper}{unknown}", bound.lower)
    }

    /// Its budget as text: `2`, `1 + ids.len()`, `2, exceeded`, and `2, not certain` where calls are unknown.
    pub(crate) fn budget(&self) -> String {
        match self.limit() {
            None => String::new(),
            Some(Limit::Literal(max)) if self.is_over() => format!("{max}, exceeded"),
            Some(Limit::Literal(max)) if self.has_unknown() => format!("{max}, not certain"),
            Some(Limit::Literal(max)) => max.to_string(),
            Some(Limit::Expression(max)) => max.clone(),
        }
    }

    /// The calls whose functions are unknown: `client.send, notify and 2 more`.
    pub(crate) fn unknown_calls(&self) -> String {
        let mut calls: Vec<&str> = self.function.bound.open().map(|step| step.what.as_str()).collect();
        calls.dedup();
        let named = calls.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        match calls.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }
}
