//! The functions of a workspace for a page: bounds, budgets, calls.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use query_budget_analysis::Place;
use query_budget_analysis::rust::Upper;

use crate::commands::budgets::list::{Listed, key, tell_apart};
use crate::input::Loaded;
use crate::page::model;

/// The functions that reach a query or have a budget, outside of tests.
pub(super) fn functions(loaded: &Loaded, base: &Path) -> Vec<model::Function> {
    let mut functions = Vec::new();
    let mut calls = Vec::new();
    let mut positions: HashMap<Place, usize> = HashMap::new();
    for file in loaded.batches.iter().flat_map(|batch| &batch.files) {
        let source = &file.source;
        for (at, function) in source.scan.functions.iter().enumerate() {
            let listed = Listed { function, key: key(source, function, base) };
            let counts = listed.budget_is_set() || function.bound.upper != Upper::Finite(0);
            if function.in_test || !counts {
                continue;
            }
            positions.insert(function.place.clone(), functions.len());
            calls.push(file.callees.get(at).map_or(&[][..], Vec::as_slice));
            let (upper, why) = match &function.bound.upper {
                Upper::Finite(most) => (Some(*most), String::new()),
                Upper::Unbounded { why, .. } => (None, why.clone()),
            };
            let modules = source.module.iter().filter(|name| !name.is_empty()).cloned();
            functions.push(model::Function {
                path: modules.chain([listed.path()]).collect::<Vec<_>>().join("::"),
                place: function.place.to_string(),
                local: listed.path(),
                lower: function.bound.lower,
                upper,
                why,
                interval: listed.interval(),
                budget: listed.budget(),
                exceeded: listed.is_over(),
                unknown: listed.unknown_calls(),
                queries: Vec::new(),
                calls: Vec::new(),
                key: listed.key,
            });
        }
    }
    tell_apart(functions.iter_mut().map(|function| &mut function.key));
    for (function, calls) in functions.iter_mut().zip(calls) {
        let known = calls.iter().filter_map(|call| {
            let over = call.over.clone();
            Some(model::Call { function: *positions.get(&call.function)?, over })
        });
        function.calls = known.collect();
    }
    functions
}

/// The roots of the call tree: the functions that no other one calls, then one of each remaining cycle.
pub(super) fn entry_points(functions: &[model::Function]) -> Vec<usize> {
    let mut called = HashSet::new();
    for (at, function) in functions.iter().enumerate() {
        called.extend(function.calls.iter().map(|call| call.function).filter(|to| *to != at));
    }
    let mut roots: Vec<usize> = (0..functions.len()).filter(|at| !called.contains(at)).collect();
    let mut reached = HashSet::new();
    let mut open = roots.clone();
    let mut candidates = 0..functions.len();
    loop {
        while let Some(at) = open.pop() {
            if reached.insert(at) {
                let calls = functions.get(at).into_iter().flat_map(|function| &function.calls);
                open.extend(calls.map(|call| call.function));
            }
        }
        let Some(left) = candidates.find(|at| !reached.contains(at)) else { return roots };
        let root = first_of_circle(functions, left, &reached);
        roots.push(root);
        open.push(root);
        candidates = 0..functions.len();
    }
}

/// The first function of the cycle that leads to a function or contains it; functions already reached are
/// ignored.
fn first_of_circle(functions: &[model::Function], from: usize, reached: &HashSet<usize>) -> usize {
    let calls = |from: usize, to: usize| {
        let calls = functions.get(from).into_iter().flat_map(|function| &function.calls);
        calls.into_iter().any(|call| call.function == to)
    };
    let mut above = HashSet::from([from]);
    let mut last = from;
    while let Some(caller) =
        (0..functions.len()).find(|at| !reached.contains(at) && !above.contains(at) && calls(*at, last))
    {
        above.insert(caller);
        last = caller;
    }
    // The last function reaches all others on the path; those that reach it in turn are in its cycle.
    let mut circle = HashSet::from([last]);
    let mut open = vec![last];
    while let Some(at) = open.pop() {
        let callers = above.iter().copied().filter(|caller| calls(*caller, at)).collect::<Vec<_>>();
        open.extend(callers.into_iter().filter(|caller| circle.insert(*caller)));
    }
    circle.into_iter().min().unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(calls: &[&[usize]], expected: &[usize]) {
        let functions: Vec<model::Function> = calls
            .iter()
            .map(|calls| model::Function {
                calls: calls.iter().map(|to| model::Call { function: *to, over: None }).collect(),
                ..model::Function::default()
            })
            .collect();
        assert_eq!(entry_points(&functions), expected);
    }

    #[test]
    fn every_function_is_below_an_entry_point() {
        check(&[], &[]);
        check(&[&[1], &[], &[1]], &[0, 2]);
        check(&[&[0]], &[0]);
        // Two functions that call each other, and that nothing else calls.
        check(&[&[], &[2], &[1, 0]], &[1]);
        check(&[&[1], &[0], &[]], &[2, 0]);
    }
}
