//! An index that no query of the workspace needs.

use std::collections::BTreeSet;

use super::{Check, SchemaContext, declare_lint};
use crate::finding::Finding;
use crate::index;
use crate::schema::{Index, Name, Table};

declare_lint! {
    /// ## What it does
    ///
    /// Finds indexes that no query of the workspace uses: none searches them, none reads them in order, and
    /// no foreign key is looked up by them.
    ///
    /// ## Why is this bad
    ///
    /// Every write pays for keeping them up to date, and no query gains.
    ///
    /// ## Known limits
    ///
    /// Queries that are built at run time, and those of other programs, are not known here: check the
    /// database's own counters (`pg_stat_user_indexes.idx_scan`) before you drop an index. Indexes that are
    /// unique or back a constraint are kept. Off by default.
    ///
    /// ## Example
    ///
    /// ```ddl,fires
    /// CREATE TABLE gates (id bigint PRIMARY KEY, status text NOT NULL);
    /// CREATE INDEX gates_status ON gates (status);
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ddl,clean
    /// CREATE TABLE gates (id bigint PRIMARY KEY, status text NOT NULL);
    /// ```
    "undemanded_index", Pedantic, since "0.1.0",
    "an index that no query of the workspace needs",
    Check::Schema(check); NeedsSchema
}

fn check(context: &SchemaContext<'_>, findings: &mut Vec<Finding>) {
    let mut used: BTreeSet<(&Name, &str)> = BTreeSet::new();
    for access in context.queries.iter().flat_map(|queried| queried.accesses) {
        used.extend(access.index.as_deref().map(|name| (&access.table, name)));
    }
    for table in context.own_tables() {
        for index in &table.indexes {
            let is_used = used.contains(&(&table.name, index.name.as_str()));
            if !index.constraint && !index.unique && !is_used && !is_needed(context, table, index) {
                findings.push(finding(context, table, index));
            }
        }
    }
}

/// Whether the index is needed for more than a search: an order, an arm of a condition, a foreign key.
fn is_needed(context: &SchemaContext<'_>, table: &Table, index: &Index) -> bool {
    let leads = |columns: &[String]| {
        index
            .keys
            .first()
            .and_then(|key| key.as_column())
            .is_some_and(|first| columns.iter().any(|c| c == first))
    };
    table.foreign_keys.iter().any(|key| leads(&key.columns))
        || index::is_missed(context.schema, &table.name, &index.name, context.queries)
}

fn finding(context: &SchemaContext<'_>, table: &Table, index: &Index) -> Finding {
    let message = format!("no query needs index `{}` of `{}`", index.name, table.name);
    let finding = Finding::new(LINT.name, message).help(format!(
        "drop it when the database's own counts say the same: `{}`",
        context.drop_index(table, index)
    ));
    context.about_index(finding, table, index, "every write keeps it up to date")
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{ddl_fires, ddl_silent_with};

    const JOBS: &str = "CREATE TABLE jobs (id bigint PRIMARY KEY, state text, at date);
                        CREATE INDEX jobs_state ON jobs (state, at);";

    #[test]
    fn fires_for_an_index_that_no_query_names() {
        ddl_fires("undemanded_index", JOBS);
    }

    #[test]
    fn silent_where_a_query_searches_it_or_reads_it_in_order() {
        for query in [
            "SELECT id FROM jobs WHERE state = $1",
            "SELECT id FROM jobs WHERE id = $1 OR state = $2",
            "SELECT id FROM jobs ORDER BY state, at LIMIT 5",
        ] {
            ddl_silent_with("undemanded_index", JOBS, query);
        }
    }
}
