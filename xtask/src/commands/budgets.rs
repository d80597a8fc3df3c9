//! `budgets`: how many queries each function runs at least and at most, as far as its own source tells.

use query_budget_analysis::render::json::put_place;
use query_budget_analysis::rust::{Function, Limit, Upper};
use serde_json::{Value, json};

use crate::Outcome;
use crate::args::{Budgets, ListFormat};
use crate::failure::Failure;
use crate::input::{current_dir, rust_files};
use crate::output::Output;
use crate::report::counted;
use crate::report::text::unread;

pub(crate) fn run(arguments: &Budgets, output: &mut Output) -> Result<Outcome, Failure> {
    let loaded = rust_files::find(&arguments.path, &current_dir()?)?;
    let files = loaded.batches.iter().flat_map(|batch| &batch.files);
    let functions: Vec<&Function> = files
        .flat_map(|file| &file.source.scan.functions)
        .filter(|function| !function.in_test && (function.budget.is_some() || queries(function)))
        .collect();
    match arguments.format {
        ListFormat::Json => {
            let functions: Vec<Value> = functions.iter().map(|function| object(function)).collect();
            output.line(format!("{:#}", json!({ "functions": functions, "unread": loaded.unread })))?;
        }
        ListFormat::Text => {
            unread(&loaded.unread, output)?;
            table(&functions, output)?;
        }
    }
    let over = functions.iter().any(|function| is_over(function));
    Ok(if over { Outcome::Findings } else { Outcome::Clean })
}

fn queries(function: &Function) -> bool {
    function.bound.upper != Upper::Finite(0)
}

fn max(function: &Function) -> Option<&Limit> {
    function.budget.as_ref()?.max.as_ref()
}

fn is_over(function: &Function) -> bool {
    let max = max(function).and_then(Limit::literal);
    max.is_some_and(|max| function.bound.upper.exceeds(max))
}

/// The bound as `1..3`, with a mark where calls that may query could not be followed.
fn bound(function: &Function) -> String {
    let upper = match &function.bound.upper {
        Upper::Finite(upper) => upper.to_string(),
        Upper::Unbounded { .. } => "∞".to_owned(),
    };
    let unknown = if function.bound.unknown.is_empty() { "" } else { " + unknown" };
    format!("{}..{upper}{unknown}", function.bound.lower)
}

fn budget(function: &Function) -> String {
    match max(function) {
        None => String::new(),
        Some(Limit::Literal(max)) if is_over(function) => format!("{max}, exceeded"),
        Some(Limit::Literal(max)) => max.to_string(),
        Some(Limit::Expression(max)) => max.clone(),
    }
}

fn table(functions: &[&Function], output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![["function", "queries", "budget", "place"].map(str::to_owned)];
    rows.extend(functions.iter().map(|function| {
        [function.path.to_string(), bound(function), budget(function), function.place.to_string()]
    }));
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let [function, queries, budget] = [0, 1, 2].map(width);
    for [name, bound, max, place] in &rows {
        output.line(format!("{name:function$}  {bound:queries$}  {max:budget$}  {place}"))?;
    }
    let unbounded = functions.iter().filter(|it| matches!(it.bound.upper, Upper::Unbounded { .. })).count();
    let unknown = functions.iter().filter(|it| !it.bound.unknown.is_empty()).count();
    output.line("")?;
    let functions = counted(functions.len(), "function", "functions");
    output.line(format!(
        "listed {functions} that query: {unbounded} with no bound, {unknown} with unknown calls"
    ))
}

fn object(function: &Function) -> Value {
    let upper = match &function.bound.upper {
        Upper::Finite(upper) => json!(upper),
        Upper::Unbounded { .. } => Value::Null,
    };
    let mut value = json!({
        "function": &*function.path,
        "lower": function.bound.lower,
        "upper": upper,
        "unknown_calls": function.bound.unknown.len(),
        "max": max(function).map(|max| match max {
            Limit::Literal(max) => json!(max),
            Limit::Expression(max) => json!(max),
        }),
        "exceeded": is_over(function),
    });
    put_place(&mut value, &function.place);
    value
}
