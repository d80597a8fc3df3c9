//! `explain LINT`: the page of a lint on the terminal.

use query_budget_analysis::lints::{self, Lint};
use query_budget_analysis::sql::text::most_similar;

use crate::Outcome;
use crate::args::Explain;
use crate::failure::Failure;
use crate::output::Output;

/// Prints the page if the argument is the name of a lint and not a path; otherwise asks the planner.
pub(crate) fn run(arguments: &Explain, output: &mut Output) -> Result<Outcome, Failure> {
    if let [path] = arguments.input.paths.as_slice()
        && !path.exists()
        && let Some(name) = path.to_str()
    {
        let name = name.trim_start_matches("query_budget::");
        if let Some(lint) = lints::by_name(name) {
            page(lint, output)?;
            return Ok(Outcome::Clean);
        }
        if !name.contains(['/', '.', '\\']) {
            let failure = Failure::new(format!("explain `{name}`: it is neither a lint nor a path"));
            let names = lints::ALL.iter().map(|lint| lint.name);
            return Err(match most_similar(name, names) {
                Some(similar) => failure.help(format!("write `{similar}`")),
                None => failure.help("the lints are listed in `docs/lints`"),
            });
        }
    }
    planner(arguments, output)
}

#[cfg(feature = "live")]
fn planner(arguments: &Explain, output: &mut Output) -> Result<Outcome, Failure> {
    super::explain::run(arguments, output)
}

#[cfg(not(feature = "live"))]
fn planner(_: &Explain, _: &mut Output) -> Result<Outcome, Failure> {
    Err(Failure::not_live())
}

/// Writes the page as Markdown; on a terminal, with bold headings and indented examples.
fn page(lint: &Lint, output: &mut Output) -> Result<(), Failure> {
    let color = output.style().color;
    let bold = |text: &str| if color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() };
    output.line(bold(&format!("# {}", lint.name)))?;
    output.line("")?;
    output.line(lint.summary)?;
    output.line(format!("group {}, level {}, since {}", lint.group.as_str(), lint.levels(), lint.since))?;
    output.line("")?;
    let mut is_example = false;
    for line in lint.page().lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_example = !is_example;
            // The attributes of a fence only concern its test.
            output.line(format!("```{}", language.split(',').next().unwrap_or_default()))?;
        } else if line.starts_with('#') && !is_example {
            output.line(bold(line))?;
        } else {
            output.line(line)?;
        }
    }
    output.line("")?;
    output.line(lint.url())
}
