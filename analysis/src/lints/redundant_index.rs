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
    /// index is larger than its prefix; if that matters, allow the lint in `query-budget.toml`. Listed with `--all`: an index
    /// that no unique one replaces, on a table that no query of the workspace writes to.
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
        // One that a statement may have dropped, as it drops what it looks up, replaces none and need not be dropped.
        let certain = table.indexes.iter().enumerate().filter(|(_, index)| !index.doubtful);
        let all: Vec<Compared<'_>> = certain
            .map(|(at, index)| Compared {
                at,
                index,
                varying: audit::without_fixed_keys(context.schema, table, index),
            })
            .collect();
        for index in &all {
            let other = all.iter().find(|other| other.makes_unnecessary(index, context.schema.dialect));
            if let Some(other) = other {
                findings.push(finding(context, table, index, other.index));
            }
        }
    }
}

/// An index of a table, with the keys that differ between its rows.
struct Compared<'t> {
    at: usize,
    index: &'t Index,
    varying: Index,
}

impl Compared<'_> {
    /// Whether the other index serves nothing that this one does not.
    fn makes_unnecessary(&self, other: &Compared<'_>, dialect: Dialect) -> bool {
        if self.at == other.at
            || other.index.constraint
            || !audit::is_covered(&other.varying, &self.varying, dialect)
        {
            return false;
        }
        let is_equal = audit::is_covered(&self.varying, &other.varying, dialect);
        // Of two equal indexes, the one that cannot be dropped stays, else the shorter one, else the first.
        let comes_first = (self.index.keys.len(), self.at) < (other.index.keys.len(), other.at);
        if other.index.unique {
            // This index has to enforce the same uniqueness.
            return is_equal
                && self.index.unique
                && self.index.nulls_not_distinct == other.index.nulls_not_distinct
                && (self.index.constraint || comes_first);
        }
        !is_equal || self.index.unique || self.index.constraint || comes_first
    }
}

fn finding(context: &SchemaContext<'_>, table: &Table, of: &Compared<'_>, other: &Index) -> Finding {
    let index = of.index;
    let (name, other_name) = (&index.name, &other.name);
    let message = if of.varying.keys.len() < index.keys.len() {
        format!(
            "index `{name}` of `{}` adds nothing to `{other_name}`: its other keys are the same in all rows that it holds",
            table.name
        )
    } else if index.keys.len() == other.keys.len() {
        format!("index `{name}` of `{}` is the same as `{other_name}`", table.name)
    } else {
        format!("index `{name}` of `{}` is the beginning of `{other_name}`", table.name)
    };
    let mut finding =
        Finding::new(LINT.name, message).help(format!("drop it: `{}`", context.drop_index(table, index)));
    if !other.unique && context.is_never_written(&table.name) {
        finding = finding.note(format!("no query of the workspace writes to `{}`", table.name)).listed();
    }
    context.about_index(finding, table, index, "every write keeps it up to date")
}

#[cfg(test)]
mod tests {
    use super::LINT;
    use crate::check::Checker;
    use crate::config::Config;
    use crate::finding::Place;
    use crate::finding::Tier::{Listed, Shown};
    use crate::lints::Growth;
    use crate::lints::tests::{ddl_fires, ddl_silent};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    const TABLE: &str =
        "CREATE TABLE t (id bigint PRIMARY KEY, a bigint UNIQUE, b bigint, c text, d jsonb, e boolean);";

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
            "CREATE INDEX i ON t (b, e) WHERE e; CREATE INDEX j ON t (b) WHERE e;",
            "CREATE INDEX i ON t (b, c) WHERE c = 'x'; CREATE INDEX j ON t (c, b) WHERE c = 'x';",
            "CREATE INDEX i ON t (d, b) WHERE d IS NULL; CREATE INDEX j ON t (b, a) WHERE d IS NULL;",
        ] {
            ddl_fires("redundant_index", &format!("{TABLE}{indexes}"));
        }
    }

    #[test]
    fn listed_where_nothing_writes_to_the_table() {
        let mut replay = Replay::new(Dialect::Postgres);
        let indexes = "CREATE INDEX i ON t (b); CREATE INDEX j ON t (b, c); CREATE INDEX k ON t (a);";
        replay.apply(&format!("{TABLE} CREATE TABLE u (id int); {indexes}"), "");
        let config = Config::default();
        let tiers = |growth: &Growth, sql: &str| {
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres).with_growth(growth);
            let checked = checker.query(sql, None);
            let queried: Vec<_> = checked.queried(true).into_iter().collect();
            let found = checker.schema(&queried, &|_| Place::default());
            let found = found.iter().filter(|finding| finding.lint == "redundant_index");
            found.map(|finding| finding.tier).collect::<Vec<_>>()
        };
        let known = Growth { is_whole: true, ..Growth::default() };
        // What a unique index replaces is not needed in any case.
        assert_eq!(tiers(&known, "INSERT INTO u (id) VALUES (1)"), [Listed, Shown]);
        for sql in ["UPDATE t SET b = 1 WHERE id = 1", "SELECT id FROM t WHERE id = 1"] {
            assert_eq!(tiers(&known, sql), [Shown, Shown], "{sql}");
        }
        let unknown = Growth { is_whole: false, ..Growth::default() };
        assert_eq!(tiers(&unknown, "INSERT INTO u (id) VALUES (1)"), [Shown, Shown]);
    }

    #[test]
    fn silent_about_indexes_that_may_have_been_dropped() {
        let found = |of: &str| {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(
                &format!(
                    "{TABLE} CREATE TABLE u (id int); CREATE INDEX i ON t (b); CREATE INDEX j ON t (b, c); DO $$ DECLARE r record; BEGIN
                     FOR r IN SELECT indexname FROM pg_indexes WHERE {of} LOOP
                     EXECUTE format('DROP INDEX %I', r.indexname); END LOOP; END $$;"
                ),
                "one.sql",
            );
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            let found = checker.schema(&[], &|_| Place::default());
            found.iter().filter(|finding| finding.lint == LINT.name).count()
        };
        assert_eq!(found("indexname LIKE 'i%'"), 0);
        assert_eq!(found("tablename = 'u'"), 1);
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
            "CREATE INDEX i ON t (b, e) WHERE e; CREATE INDEX j ON t (b) WHERE NOT e;",
        ] {
            ddl_silent("redundant_index", &format!("{TABLE}{indexes}"));
        }
    }
}
