//! `budgets`: the minimum and maximum number of queries of each function, following calls through the
//! workspace.

mod diff;
pub(crate) mod list;
pub(crate) mod revision;
mod suggest;
mod table;

use query_budget_analysis::render::json::put_place;
use query_budget_analysis::rust::Upper;
use serde_json::{Value, json};

use self::list::{Listed, listed};
use crate::Outcome;
use crate::args::{Budgets, ListFormat};
use crate::failure::Failure;
use crate::input::{current_dir, rust_files};
use crate::output::Output;
use crate::report::counted;
use crate::report::text::unread;

pub(crate) fn run(arguments: &Budgets, output: &mut Output) -> Result<Outcome, Failure> {
    if let Some(revision) = &arguments.diff {
        return diff::run(arguments, revision, output);
    }
    let base = current_dir()?;
    let loaded = rust_files::find(&arguments.path, &base)?;
    let functions = listed(&loaded, &base);
    if arguments.suggest {
        return suggest::run(&functions, arguments.format, output);
    }
    match arguments.format {
        ListFormat::Json => {
            let functions: Vec<Value> = functions.iter().map(object).collect();
            output.line(format!("{:#}", json!({ "functions": functions, "unread": loaded.unread })))?;
        }
        ListFormat::Text => {
            unread(&loaded.unread, output)?;
            table(&functions, output)?;
        }
    }
    let over = functions.iter().any(Listed::is_over);
    Ok(if over { Outcome::Findings } else { Outcome::Clean })
}

fn table(functions: &[Listed<'_>], output: &mut Output) -> Result<(), Failure> {
    let rows = functions
        .iter()
        .map(|it| [it.path(), it.interval(), it.budget(), it.function.place.to_string(), it.unknown_calls()]);
    table::write(["function", "queries", "budget", "place", "unknown calls"], rows, output)?;
    let unbounded = functions.iter().filter(|it| it.is_unbounded()).count();
    let unknown = functions.iter().filter(|it| it.has_unknown()).count();
    output.line("")?;
    let querying = functions.iter().filter(|it| it.queries() || !it.has_unknown()).count();
    let others = match functions.len() - querying {
        0 => String::new(),
        others => format!(" and {} that may", counted(others, "other", "others")),
    };
    let functions = counted(querying, "function that queries", "functions that query");
    output
        .line(format!("listed {functions}{others}: {unbounded} with no bound, {unknown} with unknown calls"))
}

fn object(it: &Listed<'_>) -> Value {
    let upper = match &it.function.bound.upper {
        Upper::Finite(upper) => json!(upper),
        Upper::Unbounded { .. } => Value::Null,
    };
    let unknown = it.function.bound.open().map(|step| {
        let mut value = json!({ "call": step.what });
        put_place(&mut value, &step.place);
        value
    });
    let mut value = json!({
        "function": it.path(),
        "lower": it.function.bound.lower,
        "upper": upper,
        "why": match &it.function.bound.upper {
            Upper::Finite(_) => None,
            Upper::Unbounded { why, .. } => Some(why),
        },
        "unknown_calls": it.function.bound.open().count(),
        "unknown": unknown.collect::<Vec<_>>(),
        "max": it.max(),
        "exceeded": it.is_over(),
    });
    put_place(&mut value, &it.function.place);
    value
}
