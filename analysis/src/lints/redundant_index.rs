//! An index that another one makes unnecessary.

use super::{Check, SchemaContext, declare_lint};
use crate::finding::Finding;
use crate::index::{self, audit};
use crate::schema::{Index, Table};
use crate::sql::Dialect;

declare_lint! {
    /// ## What it does
    ///
    /// Finds indexes that another index of the table makes redundant: one with the same keys, or one that
    /// starts with them, with the same access method, operator classes, collations and condition.
    ///
    /// ## Why is this bad
    ///
    /// Every write updates both, both take space in memory and on disk, and only one is needed.
    ///
    /// ## Known limits
    ///
    /// An index that is unique or backs a constraint is kept, unless another one enforces the same. A longer
    /// index is larger than its prefix; if that matters, allow the lint in `query-budget.toml`.
    ///
    /// Of 101 findings drawn from 129 public projects, 101 were true and 101 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```ddl,fires
    /// CREATE TABLE steps (id bigint PRIMARY KEY, run_id bigint NOT NULL, status text NOT NULL);
    /// CREATE INDEX steps_run ON steps (run_id);
    /// CREATE INDEX steps_run_status ON steps (run_id, status);
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ddl,clean
    /// CREATE TABLE steps (id bigint PRIMARY KEY, run_id bigint NOT NULL, status text NOT NULL);
    /// CREATE INDEX steps_run_status ON steps (run_id, status);
    /// ```
    "redundant_index", Index, since "0.1.0",
    "an index made redundant by another one",
    Check::Schema(check); NeedsSchema
}

fn check(context: &SchemaContext<'_>, findings: &mut Vec<Finding>) {
    // Each is compared with all others.
    for table in context.own_tables().filter(|table| table.indexes.len() <= index::MOST_INDEXES) {
        for (at, index) in table.indexes.iter().enumerate() {
            if let Some(other) = table.indexes.iter().enumerate().find_map(|(other_at, other)| {
                let is_unnecessary = at != other_at
                    && makes_unnecessary((other_at, other), (at, index), context.schema.dialect);
                is_unnecessary.then_some(other)
            }) {
                findings.push(finding(context, table, index, other));
            }
        }
    }
}

fn makes_unnecessary(
    (other_at, other): (usize, &Index),
    (at, index): (usize, &Index),
    dialect: Dialect,
) -> bool {
    if index.constraint || !audit::is_covered(index, other, dialect) {
        return false;
    }
    let is_equal = audit::is_covered(other, index, dialect);
    if index.unique {
        // The other index has to enforce the same uniqueness.
        return is_equal
            && other.unique
            && index.nulls_not_distinct == other.nulls_not_distinct
            && (other.constraint || other_at < at);
    }
    // Of two equal indexes, the one that cannot be dropped stays, else the first.
    !is_equal || other.unique || other.constraint || other_at < at
}

fn finding(context: &SchemaContext<'_>, table: &Table, index: &Index, other: &Index) -> Finding {
    let (name, other_name) = (&index.name, &other.name);
    let message = if index.keys.len() == other.keys.len() {
        format!("index `{name}` of `{}` is the same as `{other_name}`", table.name)
    } else {
        format!("index `{name}` of `{}` is the beginning of `{other_name}`", table.name)
    };
    let finding =
        Finding::new(LINT.name, message).help(format!("drop it: `{}`", context.drop_index(table, index)));
    context.about_index(finding, table, index, "every write keeps it up to date")
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{ddl_fires, ddl_silent};

    const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a bigint UNIQUE, b bigint, c text, d jsonb);";

    #[test]
    fn fires_for_beginnings_and_doubles() {
        for indexes in [
            "CREATE INDEX i ON t (b); CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t (b); CREATE INDEX j ON t (b);",
            "CREATE INDEX i ON t (b DESC); CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t (a);",
            "CREATE UNIQUE INDEX i ON t (a);",
            "CREATE INDEX i ON t (b) WHERE a > 0; CREATE INDEX j ON t (b, c) WHERE a > 0;",
            "CREATE INDEX i ON t (lower(c)); CREATE INDEX j ON t (lower(c), b);",
        ] {
            ddl_fires("redundant_index", &format!("{TABLE}{indexes}"));
        }
    }

    #[test]
    fn silent_where_each_has_its_use() {
        for indexes in [
            "CREATE INDEX i ON t (c); CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t (b, c); CREATE INDEX j ON t (c, b);",
            "CREATE INDEX i ON t (b); CREATE INDEX j ON t (b, c) WHERE a > 0;",
            "CREATE INDEX i ON t (b) WHERE a > 0; CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t (c text_pattern_ops); CREATE INDEX j ON t (c, b);",
            "CREATE INDEX i ON t (c COLLATE \"C\"); CREATE INDEX j ON t (c, b);",
            "CREATE UNIQUE INDEX i ON t (b); CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t (b) INCLUDE (d); CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t USING hash (b); CREATE INDEX j ON t (b, c);",
            "CREATE INDEX i ON t (b, c DESC); CREATE INDEX j ON t (b, c, a);",
        ] {
            ddl_silent("redundant_index", &format!("{TABLE}{indexes}"));
        }
    }
}
