//! SQLite: the lines of `EXPLAIN QUERY PLAN`, which distinguish searches from scans.

use std::collections::HashSet;

use query_budget_analysis::index::Verdict;

use super::{Live, PlannedRead, one};
use crate::failure::Failure;

/// What has to be known from the catalog to read a plan.
#[derive(Default)]
pub(super) struct Known {
    /// The partial indexes: a full scan of one counts as a search.
    partial: HashSet<String>,
}

impl Known {
    pub(super) async fn read(live: &mut Live) -> Result<Known, Failure> {
        let partial = "SELECT i.name FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' AND i.partial";
        let rows = live.texts(partial).await?;
        Ok(Known { partial: rows.into_iter().flatten().flatten().collect() })
    }
}

/// The plan of a query.
pub(super) async fn plan(live: &mut Live, known: &Known, sql: &str) -> Result<Vec<PlannedRead>, String> {
    let rows = one(live, &format!("EXPLAIN QUERY PLAN {sql}")).await?;
    // id, parent, an unused column, and the description.
    let lines = rows.into_iter().filter_map(|row| row.into_iter().nth(3).flatten());
    Ok(lines.filter_map(|line| step(&line, known)).collect())
}

/// The table that a line is about; `None` for lines on subqueries, sorting and so on.
fn step(line: &str, known: &Known) -> Option<PlannedRead> {
    let (what, rest) = line.split_once(' ')?;
    let alias = rest.split(" USING ").next().unwrap_or_default().split(' ').next().unwrap_or_default();
    let index = rest.split("INDEX ").nth(1).and_then(|rest| rest.split(' ').next());
    let verdicts = match what {
        // An index built for this run: no existing index applies.
        "SEARCH" if rest.contains("USING AUTOMATIC ") => vec![Verdict::Unserved, Verdict::Full],
        // Looking for the minimum or maximum is called a search even if every row is read.
        "SEARCH" if !rest.contains(" USING ") => vec![Verdict::Served, Verdict::Unserved, Verdict::Full],
        "SEARCH" => vec![Verdict::Served],
        // A partial index is scanned: it may leave out much of the table, or little.
        "SCAN" if index.is_some_and(|index| known.partial.contains(index)) => {
            vec![Verdict::Served, Verdict::Unserved, Verdict::Full]
        }
        // The plan does not show whether the query asks for the whole table.
        "SCAN" if rest != "CONSTANT ROW" && !alias.starts_with('(') => vec![Verdict::Unserved, Verdict::Full],
        _ => return None,
    };
    Some(PlannedRead::new(alias, verdicts, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let known = Known { partial: ["open_idx".to_owned()].into() };
        let unserved = vec![Verdict::Unserved, Verdict::Full];
        let any = vec![Verdict::Served, Verdict::Unserved, Verdict::Full];
        for (line, alias, verdicts) in [
            ("SEARCH l USING INDEX logs_event (event_id=?)", "l", vec![Verdict::Served]),
            ("SEARCH logs USING INTEGER PRIMARY KEY (rowid=?)", "logs", vec![Verdict::Served]),
            ("SEARCH e USING AUTOMATIC COVERING INDEX (id=?)", "e", unserved.clone()),
            ("SCAN logs", "logs", unserved.clone()),
            ("SCAN logs USING COVERING INDEX logs_event", "logs", unserved),
            ("SCAN logs USING INDEX open_idx", "logs", any.clone()),
            ("SEARCH logs", "logs", any),
        ] {
            let step = step(line, &known).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((step.alias.as_str(), step.verdicts), (alias, verdicts), "{line}");
        }
        for line in
            ["USE TEMP B-TREE FOR ORDER BY", "SCALAR SUBQUERY 1", "SCAN CONSTANT ROW", "COMPOUND QUERY"]
        {
            assert!(step(line, &known).is_none(), "{line}");
        }
    }
}
