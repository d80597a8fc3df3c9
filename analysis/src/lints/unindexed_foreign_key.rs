//! A foreign key whose rows are looked for one by one when what it refers to goes away.

use super::{Check, SchemaContext, declare_lint};
use crate::finding::Finding;
use crate::schema::{ForeignKey, Table};
use crate::sql::Dialect;
use crate::sql::quote::quote_if_needed;

declare_lint! {
    /// ## What it does
    ///
    /// Finds foreign keys without an index on their columns, where rows of the table they refer to are deleted: the key
    /// says so itself (`ON DELETE CASCADE`, `SET NULL`, `SET DEFAULT`), or a query of the workspace does it.
    ///
    /// ## Why is this bad
    ///
    /// For each row that is deleted, the database reads the whole referring table to find the rows that refer to it, and
    /// holds locks while it does.
    ///
    /// ## Known limits
    ///
    /// Where nothing deletes what is referred to, an index serves joins alone, and those are judged query by query. MySQL
    /// makes these indexes by itself.
    ///
    /// ## Example
    ///
    /// ```ddl,fires
    /// CREATE TABLE runs (id bigint PRIMARY KEY);
    /// CREATE TABLE steps (id bigint PRIMARY KEY, run_id bigint REFERENCES runs (id) ON DELETE CASCADE);
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ddl,clean
    /// CREATE TABLE runs (id bigint PRIMARY KEY);
    /// CREATE TABLE steps (id bigint PRIMARY KEY, run_id bigint REFERENCES runs (id) ON DELETE CASCADE);
    /// CREATE INDEX steps_run ON steps (run_id);
    /// ```
    "unindexed_foreign_key", Index, since "0.1.0",
    "a foreign key without an index, where what it refers to is deleted",
    Check::Schema(check); NeedsSchema
}

fn check(context: &SchemaContext<'_>, findings: &mut Vec<Finding>) {
    if context.schema.dialect == Dialect::MySql {
        return;
    }
    for table in context.own_tables().filter(|table| !context.is_small(&table.name)) {
        for key in &table.foreign_keys {
            let cascades = key.on_delete.as_deref().is_some_and(|action| action != "RESTRICT");
            let deletes = || context.deletes_from(&key.table);
            if !context.is_small(&key.table) && !is_indexed(table, key) && (cascades || deletes()) {
                findings.push(finding(context, table, key));
            }
        }
    }
}

/// Whether an index begins with the key's columns, in any order, and holds every row that has them.
fn is_indexed(table: &Table, key: &ForeignKey) -> bool {
    let begins = |mut columns: Vec<&str>| {
        columns.truncate(key.columns.len());
        columns.len() == key.columns.len()
            && key.columns.iter().all(|column| columns.contains(&column.as_str()))
    };
    let alias = table.rowid_alias().map(|column| vec![column.name.as_str()]);
    alias.is_some_and(&begins)
        || table.indexes.iter().any(|index| {
            let is_not_null = |predicate: &String| {
                let words = predicate.to_lowercase();
                key.columns.iter().any(|column| {
                    words.trim_matches(['(', ')']) == format!("{} is not null", column.to_lowercase())
                })
            };
            let is_sorted = matches!(index.method.as_str(), "btree" | "hash");
            is_sorted
                && index.predicate.as_ref().is_none_or(is_not_null)
                && begins(index.keys.iter().map_while(|key| key.as_column()).collect())
        })
}

fn finding(context: &SchemaContext<'_>, table: &Table, key: &ForeignKey) -> Finding {
    let columns = key.columns.join(", ");
    let quoted: Vec<String> =
        key.columns.iter().map(|column| quote_if_needed(column, context.schema.dialect)).collect();
    let message = format!("foreign key `{} ({columns})` has no index", table.name);
    let finding = Finding::new(LINT.name, message)
        .help(format!("add an index: `{}`", context.create_index(table, &quoted)))
        .note(format!("a row deleted from `{}` makes the database read all of `{}`", key.table, table.name));
    context.about_table(finding, table)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{ddl_fires, ddl_fires_with, ddl_silent};

    const RUNS: &str = "CREATE TABLE runs (id bigint PRIMARY KEY, at date);";

    #[test]
    fn fires_where_rows_that_are_referred_to_go_away() {
        ddl_fires(
            "unindexed_foreign_key",
            &format!(
                "{RUNS}CREATE TABLE steps (id bigint PRIMARY KEY, run bigint REFERENCES runs ON DELETE SET NULL);"
            ),
        );
        ddl_fires_with(
            "unindexed_foreign_key",
            &format!("{RUNS}CREATE TABLE steps (id bigint PRIMARY KEY, run bigint REFERENCES runs);"),
            "DELETE FROM runs WHERE id = $1",
        );
    }

    #[test]
    fn silent_where_they_stay_or_an_index_leads_to_them() {
        for steps in [
            "CREATE TABLE steps (id bigint PRIMARY KEY, run bigint REFERENCES runs);",
            "CREATE TABLE steps (run bigint REFERENCES runs ON DELETE CASCADE, n int, PRIMARY KEY (run, n));",
            "CREATE TABLE steps (run bigint REFERENCES runs ON DELETE CASCADE);
             CREATE INDEX i ON steps (run) WHERE run IS NOT NULL;",
        ] {
            ddl_silent("unindexed_foreign_key", &format!("{RUNS}{steps}"));
        }
    }
}
