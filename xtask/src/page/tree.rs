//! The functions as a call tree. Each is expanded at its first occurrence and a link everywhere else, so that
//! the tree has at most one entry per function.

use std::collections::HashSet;

use maud::{Markup, html};

use super::model::{Function, Workspace};
use super::parts::{breakable, cost, one_line, words};

/// The maximum depth of the tree: deeper functions start a tree of their own.
const MAX_TREE_DEPTH: usize = 24;

/// The call tree from its entry points.
pub(super) fn tree(workspace: &Workspace) -> Markup {
    let mut tree = Tree { workspace, written: HashSet::new() };
    let mut roots = workspace.entry_points.clone();
    // The most expensive ones come first.
    roots.sort_by_key(|at| std::cmp::Reverse(rank(workspace, *at)));
    let mut items: Vec<Markup> = roots.iter().map(|at| tree.function(*at, None, 0)).collect();
    while let Some(left) = (0..workspace.functions.len()).find(|at| !tree.written.contains(at)) {
        items.push(tree.function(left, None, 0));
    }
    html! { ul.tree { @for item in &items { (item) } } }
}

/// Over budget first, then unbounded, then by maximum.
fn rank(workspace: &Workspace, at: usize) -> (bool, u64) {
    let function = workspace.functions.get(at);
    function.map_or((false, 0), |it| (it.exceeded, it.upper.unwrap_or(u64::MAX)))
}

struct Tree<'w> {
    workspace: &'w Workspace,
    written: HashSet<usize>,
}

impl Tree<'_> {
    fn function(&mut self, at: usize, over: Option<&str>, depth: usize) -> Markup {
        let Some(function) = self.workspace.functions.get(at) else { return html! {} };
        if depth > MAX_TREE_DEPTH || !self.written.insert(at) {
            return html! {
                li {
                    a href=(format!("#f{at}")) { code { (breakable(&function.path)) } } " " (interval(function)) " " (looped(over))
                    @if depth <= MAX_TREE_DEPTH { span.note { " shown above" } }
                }
            };
        }
        let calls: Vec<Markup> = function
            .calls
            .iter()
            .map(|call| self.function(call.function, call.over.as_deref(), depth + 1))
            .collect();
        html! {
            li.row[depth == 0] id=(format!("f{at}")) {
                details open[depth < 1] {
                    summary {
                        code.fn { (breakable(&function.path)) } " " (interval(function)) " " (looped(over)) " "
                        @if !function.budget.is_empty() {
                            span class=(if function.exceeded { "badge l-deny" } else { "badge" }) { "budget " (function.budget) } " "
                        }
                        span.place { (breakable(&function.place)) }
                    }
                    @if !function.why.is_empty() { p.note { "no bound: " (words(&function.why)) } }
                    @if !function.unknown.is_empty() { p.note { "calls that could not be followed: " code { (function.unknown) } } }
                    ul {
                        @for query in &function.queries {
                            @if let Some(found) = self.workspace.queries.get(*query) {
                                li.leaf { (cost(found.cost)) " " a href=(format!("#q{query}")) { code { (one_line(&found.sql)) } } }
                            }
                        }
                        @for call in &calls { (call) }
                    }
                }
            }
        }
    }
}

/// How many queries a function runs.
fn interval(function: &Function) -> Markup {
    let class = if function.upper.is_none() { "badge c-scan" } else { "badge" };
    html! { span class=(class) { (function.interval) } }
}

/// The mark of a repeated call.
fn looped(over: Option<&str>) -> Markup {
    html! {
        @match over {
            None => {},
            Some("") => span.badge.c-growing { "in a loop" },
            Some(over) => span.badge.c-growing { "for each of " (over) },
        }
    }
}
