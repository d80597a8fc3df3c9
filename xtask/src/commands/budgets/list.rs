//! The functions that query, and those with a budget.

use std::path::Path;

use query_budget_analysis::rust::{Function, Limit, Source, Upper};
use serde_json::{Value, json};

use crate::input::Loaded;

/// Of the calls that are not known, so many are named.
const NAMED: usize = 3;

/// A function with where it stands.
pub(super) struct Listed<'l> {
    /// The function.
    pub(super) function: &'l Function,
    /// What tells it from all others in any revision: its crate's root as seen from the base, its module, its path.
    pub(super) key: String,
}

/// The functions of the workspace that query or have a budget, tests left out.
pub(super) fn listed<'l>(loaded: &'l Loaded, base: &Path) -> Vec<Listed<'l>> {
    let files = loaded.batches.iter().flat_map(|batch| &batch.files);
    let functions = files.flat_map(|file| file.source.scan.functions.iter().map(|it| (&file.source, it)));
    functions
        .filter(|(_, it)| !it.in_test && (it.budget.is_some() || it.bound.upper != Upper::Finite(0)))
        .map(|(source, function)| Listed { function, key: key(source, function, base) })
        .collect()
}

fn key(source: &Source, function: &Function, base: &Path) -> String {
    let root = Path::new(&source.crate_name);
    let root = root.strip_prefix(base).unwrap_or(root).display();
    format!("{root} {} {}", source.module.join("::"), function.path)
}

impl Listed<'_> {
    /// Its path inside its file.
    pub(super) fn path(&self) -> String {
        self.function.path.to_string()
    }

    fn limit(&self) -> Option<&Limit> {
        self.function.budget.as_ref()?.max.as_ref()
    }

    /// Its budget: a number, or an expression over its arguments.
    pub(super) fn max(&self) -> Option<Value> {
        self.limit().map(|max| match max {
            Limit::Literal(max) => json!(max),
            Limit::Expression(max) => json!(max),
        })
    }

    /// Whether it can run more than its budget.
    pub(super) fn is_over(&self) -> bool {
        let max = self.limit().and_then(Limit::literal);
        max.is_some_and(|max| self.function.bound.upper.exceeds(max))
    }

    pub(super) fn is_unbounded(&self) -> bool {
        matches!(self.function.bound.upper, Upper::Unbounded { .. })
    }

    pub(super) fn has_unknown(&self) -> bool {
        !self.function.bound.unknown.is_empty()
    }

    /// The least and the most, with a mark where calls that may query could not be followed: `1..3 + unknown`.
    pub(super) fn interval(&self) -> String {
        let bound = &self.function.bound;
        let upper = match &bound.upper {
            Upper::Finite(upper) => upper.to_string(),
            Upper::Unbounded { .. } => "∞".to_owned(),
        };
        let unknown = if self.has_unknown() { " + unknown" } else { "" };
        format!("{}..{upper}{unknown}", bound.lower)
    }

    /// Its budget as text: `2`, `1 + ids.len()`, `2, exceeded`.
    pub(super) fn budget(&self) -> String {
        match self.limit() {
            None => String::new(),
            Some(Limit::Literal(max)) if self.is_over() => format!("{max}, exceeded"),
            Some(Limit::Literal(max)) => max.to_string(),
            Some(Limit::Expression(max)) => max.clone(),
        }
    }

    /// The calls whose functions are not known: `client.send, notify and 2 more`.
    pub(super) fn unknown_calls(&self) -> String {
        let mut calls: Vec<&str> =
            self.function.bound.unknown.iter().map(|step| step.what.as_str()).collect();
        calls.dedup();
        let named = calls.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        match calls.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }
}
