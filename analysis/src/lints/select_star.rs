//! All columns, including future ones.

use super::shared::added;
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::query::{Block, BlockId, Body, Kind, Query, Source};
use crate::sql::quote::quote_if_needed;

declare_lint! {
    /// ## What it does
    ///
    /// Finds `SELECT *` from a table in the rows that a query returns.
    ///
    /// ## Why is this bad
    ///
    /// Columns that nobody reads are fetched, sent and decoded, and an index that covers the needed ones cannot answer
    /// alone. A column added by a later migration changes what the query returns.
    ///
    /// ## Known limits
    ///
    /// `*` is fine for a type that has all of a table's columns, so the lint is off by default.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT * FROM servers WHERE id = $1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id, name FROM servers WHERE id = $1
    /// ```
    "select_star", Pedantic, since "0.1.0",
    "`SELECT *` from a table",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    let Some(root) = query.root.filter(|_| query.kind == Kind::Select) else { return };
    let mut returned = vec![root];
    while let Some(id) = returned.pop() {
        match &query.block(id).body {
            Body::Set { left, right, .. } => returned.extend([*right, *left]),
            Body::Select(select) => {
                let Some(star) = select.star.filter(|_| reads_table(query, query.block(id))) else {
                    continue;
                };
                let finding =
                    Finding::new(LINT.name, "`*` fetches every column, those that are not read as well")
                        .excerpt(context.sql, star.range(), "");
                findings.push(match columns(context, query, id) {
                    Some(columns) => {
                        let help = format!("name the columns that are read: `SELECT {columns}`");
                        added::names(finding.help(help), context, star.start, &columns)
                    }
                    None => finding.help("name the columns that are read"),
                });
            }
            Body::Values(_) | Body::Write(_) | Body::Unknown => {}
        }
    }
}

/// Whether a table is read: a derived table or CTE names its columns in the query itself.
fn reads_table(query: &Query, block: &Block) -> bool {
    let mut relations = block.from().iter().flat_map(|item| item.relations());
    relations.any(|id| matches!(query.relation(id).source, Source::Table(_) | Source::View(..)))
}

/// The explicit column list, unless two tables have a column of the same name.
fn columns(context: &QueryContext<'_>, query: &Query, id: BlockId) -> Option<String> {
    let outputs = query.block(id).outputs.as_ref()?.iter();
    let names: Vec<String> = outputs.map(|output| quote_if_needed(&output.name, context.dialect)).collect();
    let unique = names.iter().enumerate().all(|(at, name)| !names.iter().take(at).any(|other| other == name));
    (unique && !names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn fires_where_a_table_is_read_whole() {
        fires("select_star", "SELECT e.* FROM events e WHERE e.id = $1");
        assert_eq!(
            help("select_star", "SELECT * FROM servers WHERE id = $1"),
            "name the columns that are read: `SELECT id, name`"
        );
    }

    #[test]
    fn silent_where_the_columns_are_named_elsewhere() {
        silent("select_star", "SELECT * FROM (SELECT id, name FROM servers WHERE id = $1) s");
        silent("select_star", "SELECT EXISTS (SELECT * FROM servers)");
        silent("select_star", "SELECT count(*) FROM servers");
    }
}
