//! What the engine understands of every query of the corpus, compared with the database's description when it
//! was prepared.

use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::query::ProblemKind;
use query_budget_analysis::sql::{Query, resolve};
use serde_json::Value;

use super::folder::{Folder, show};

/// The counts over the queries of a folder, and the minimum percentages over the whole corpus.
const THRESHOLDS: [(&str, f64); 4] =
    [("parsed", 100.0), ("names", 100.0), ("parameters", 100.0), ("columns", 100.0)];

/// For each count: how many were right, out of how many.
type Counts = [(usize, usize); THRESHOLDS.len()];

#[test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
fn queries() {
    let mut total = Counts::default();
    let mut wrong = Vec::new();
    let head: String = THRESHOLDS.iter().map(|(what, _)| format!("{what:>14}")).collect();
    show(&format!("\n{:<20}{head}", "queries"));
    for folder in Folder::all() {
        let counts = score(&folder, &mut wrong);
        show(&line(&folder.name, &counts));
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum = (sum.0 + count.0, sum.1 + count.1);
        }
    }
    show(&line("all", &total));
    for text in &wrong {
        show(text);
    }
    for ((what, threshold), (right, all)) in THRESHOLDS.iter().zip(total) {
        let percent = 100.0 * right as f64 / all.max(1) as f64;
        assert!(percent >= *threshold, "{what}: {percent:.2} % are right, {threshold} % are needed");
    }
}

fn line(name: &str, counts: &Counts) -> String {
    let counts: String =
        counts.iter().map(|(right, all)| format!("{:>14}", format!("{right}/{all}"))).collect();
    format!("{name:<20}{counts}")
}

fn score(folder: &Folder, wrong: &mut Vec<String>) -> Counts {
    let schema = folder.replayed();
    let mut counts = Counts::default();
    let mut count = |at: usize, right: bool, sql: &str, why: &dyn Fn() -> String| {
        counts[at].1 += 1;
        counts[at].0 += usize::from(right);
        if !right {
            wrong.push(format!("{}: {}: {}\n    {sql}", folder.name, THRESHOLDS[at].0, why()));
        }
    };
    for known in folder.queries() {
        let sql = known["query"].as_str().expect("a query");
        let query = match resolve(sql, folder.dialect, Some(&schema)) {
            Ok(query) => query,
            Err(error) => {
                count(0, false, sql, &|| error.to_string());
                continue;
            }
        };
        count(0, true, sql, &String::new);
        // The database prepared each of them: an unknown name would have been an error.
        count(1, query.problems.is_empty(), sql, &|| problems(&query));
        if let Some(parameters) = known["parameter_count"].as_u64() {
            let found = query.parameters as u64;
            count(2, found == parameters, sql, &|| format!("{found} found, {parameters} in truth"));
        }
        let names = column_names(&known);
        if !names.is_empty() {
            let found = outputs(&query);
            count(3, found.as_ref() == Some(&names), sql, &|| format!("{found:?} found, {names:?} in truth"));
        }
    }
    counts
}

fn problems(query: &Query) -> String {
    let texts = query.problems.iter().map(|problem| match &problem.kind {
        ProblemKind::Clause { message, .. } | ProblemKind::Foreign { message, .. } => message.clone(),
        ProblemKind::UnknownTable { name, .. } => format!("no table {name}"),
        ProblemKind::UnknownColumn { column, .. } => format!("no column {column}"),
        ProblemKind::UnknownField { field, .. } => format!("no field {field}"),
        ProblemKind::AmbiguousColumn { column, .. } => format!("several columns {column}"),
        ProblemKind::ValuesCount { values, columns, .. } => {
            format!("{values} values for {} columns", columns.len())
        }
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// The names of the columns that the database returns.
fn column_names(known: &Value) -> Vec<String> {
    let columns = known["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    columns.iter().filter_map(|column| column["name"].as_str()).map(str::to_owned).collect()
}

/// The names of the columns that the query returns according to the engine.
fn outputs(query: &Query) -> Option<Vec<String>> {
    let outputs = query.block(query.root?).outputs.as_ref()?;
    Some(outputs.iter().map(|output| output.name.clone()).collect())
}

impl Folder {
    /// The schema as its migrations leave it.
    pub(crate) fn replayed(&self) -> Schema {
        query_budget_analysis::schema::replay(&self.migrations(), self.dialect).schema
    }

    /// The database's description of each of its queries.
    pub(crate) fn queries(&self) -> Vec<Value> {
        let text = self.read("queries.jsonl");
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}
