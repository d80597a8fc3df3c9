//! `budgets --suggest`: the attributes to add, for functions with a known maximum.

use std::cmp::Reverse;
use std::collections::HashSet;

use query_budget_analysis::render::json::put_place;
use query_budget_analysis::rust::Upper;
use serde_json::{Value, json};

use super::list::Listed;
use super::table;
use crate::Outcome;
use crate::args::ListFormat;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::counted;

pub(super) fn run(
    functions: &[Listed<'_>],
    format: ListFormat,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let open: Vec<&Listed<'_>> = functions.iter().filter(|it| it.function.budget.is_none()).collect();
    let mut suggested: Vec<(&Listed<'_>, u64)> =
        open.iter().filter_map(|it| Some((*it, most(it)?))).collect();
    // Functions that nothing else calls are where requests arrive, and where a budget is most useful; of one that runs a
    // single query there is little to hold.
    let called = called(functions);
    suggested.sort_by_key(|(it, most)| (called.contains(it.function.name.as_str()), Reverse(*most)));
    match format {
        ListFormat::Json => {
            let suggested: Vec<Value> = suggested.iter().map(|(it, most)| object(it, *most)).collect();
            output.line(format!("{:#}", json!({ "suggestions": suggested })))?;
        }
        ListFormat::Text => {
            let rows = suggested
                .iter()
                .map(|(it, most)| [it.function.place.to_string(), attribute(*most), it.path()]);
            table::write(["place", "attribute", "function"], rows, output)?;
            let unbounded = open.iter().filter(|it| it.is_unbounded()).count();
            let unknown = open.len() - suggested.len() - unbounded;
            let suggested = counted(suggested.len(), "function", "functions");
            output.line("")?;
            output.line(format!(
                "suggested a budget for {suggested}; left out {unbounded} with no bound, {unknown} with unknown calls"
            ))?;
        }
    }
    Ok(Outcome::Clean)
}

/// The names of functions that another one calls.
fn called<'f>(functions: &'f [Listed<'_>]) -> HashSet<&'f str> {
    let names = |it: &'f Listed<'_>| {
        let names = it.function.flow.calls().map(|call| call.callee.name());
        names.filter(|name| *name != it.function.name)
    };
    functions.iter().flat_map(names).collect()
}

/// The maximum of a function, if all of it is known.
fn most(it: &Listed<'_>) -> Option<u64> {
    match it.function.bound.upper {
        Upper::Finite(most) if !it.has_unknown() => Some(most),
        _ => None,
    }
}

fn attribute(most: u64) -> String {
    format!("#[query_budget(max = {most})]")
}

fn object(it: &Listed<'_>, most: u64) -> Value {
    let mut value = json!({ "function": it.path(), "attribute": attribute(most), "max": most });
    put_place(&mut value, &it.function.place);
    value
}
