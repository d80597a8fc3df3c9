//! A function that can run more queries than its budget.

use super::shared::loops;
use super::{Check, FunctionContext, declare_lint};
use crate::finding::Finding;
use crate::rust::{RECURSION, Upper};

declare_lint! {
    /// ## What it does
    ///
    /// Compares the maximum number of queries of a function annotated with `#[query_budget(max = N)]` with
    /// its budget.
    ///
    /// ## Why is this bad
    ///
    /// The budget is a promise. A query in a loop over rows breaks it as soon as there are enough rows, and in
    /// production there are.
    ///
    /// ## Known limits
    ///
    /// Calls of unknown functions count as zero here; the queries they run are counted at run time. A `max` that is an
    /// expression is checked at run time only.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// #[query_budget(max = 1)]
    /// async fn load(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// #[query_budget(max = 2)]
    /// async fn load(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "budget_exceeded", Budget, since "0.1.0",
    "a function that can run more queries than its `max`",
    Check::Function(check); NamesLoops
}

fn check(context: &FunctionContext<'_>, findings: &mut Vec<Finding>) {
    let function = context.function;
    let max = function.budget.as_ref().and_then(|budget| budget.max.as_ref()).and_then(|max| max.literal());
    let Some(max) = max else { return };
    let name = &function.name;
    let mut finding = match &function.bound.upper {
        Upper::Finite(most) if *most > max => {
            let message = format!("`{name}` can run {}; its budget is {max}", queries(*most));
            Finding::new(LINT.name, message).help(format!("raise the budget to `max = {most}`, or run fewer"))
        }
        Upper::Finite(_) => return,
        Upper::Unbounded { why, place } => {
            let message = match why.starts_with("runs ") {
                true => format!("`{name}` {why}; its budget is {max}"),
                false => format!("`{name}` has no bound: {why}; its budget is {max}"),
            };
            let (keys, rows) = (loops::keys(context.dialect), loops::rows(context.dialect));
            let finding = Finding::new(LINT.name, message);
            let finding = if why.contains(RECURSION) {
                finding.help(
                    "read all levels in one query: `WITH RECURSIVE`, or a level at a time, by a list of keys",
                )
            } else {
                finding.help(format!(
                    "run one statement for all elements: give a read {keys}, and an INSERT {rows}"
                ))
            };
            finding.related(place.clone(), "no number bounds what runs here")
        }
    };
    finding.place = function.place.clone();
    for step in &function.bound.steps {
        let message = match (step.queries, step.loops.is_empty()) {
            (Some(1), true) => format!("`{}` runs once", step.what),
            (Some(_), true) => format!("`{}` runs {} queries", step.what, step.times()),
            (_, _) => format!("`{}` runs {}", step.what, step.times()),
        };
        finding = finding.related(step.place.clone(), message);
    }
    findings.push(finding);
}

fn queries(n: u64) -> String {
    if n == 1 { "1 query".to_owned() } else { format!("{n} queries") }
}
