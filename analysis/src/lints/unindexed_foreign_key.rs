//! A foreign key whose referencing rows are searched for one by one when the referenced row is deleted.

use super::shared::slices;
use super::{Check, SchemaContext, declare_lint};
use crate::finding::Finding;
use crate::index::NewIndex;
use crate::index::foreign_keys::{self, Unindexed};
use crate::schema::Name;
use crate::sql::Query;

declare_lint! {
    /// ## What it does
    ///
    /// Finds foreign keys without an index on their columns, if rows of the referenced table are deleted: by
    /// the key's own action (`ON DELETE CASCADE`, `SET NULL`, `SET DEFAULT`), or by a query of the workspace,
    /// directly or through a cascade. The same goes for a query that changes the referenced columns.
    ///
    /// ## Why is this bad
    ///
    /// For each such row, the database reads the entire referencing table to find the rows that refer to
    /// it, while it holds locks.
    ///
    /// ## Known limits
    ///
    /// If nothing deletes the referenced rows, an index only serves joins, and those are judged query by
    /// query. A key is listed with `--all` where only its `ON DELETE` suggests deletes and no query of the workspace
    /// deletes the rows, and where its table does not grow. If a query needs the same index,
    /// `unindexed_filter` names both. For a key of several columns, an index on one of them is enough. MySQL creates these indexes
    /// itself.
    ///
    /// Listed with `--all`: keys that no query compares, where rows are deleted by age or all at once, and those to accounts (`users`,
    /// `accounts`), where these are deleted by their key alone, one at a time.
    ///
    /// Of 78 findings drawn from 129 public projects, 77 were true and 73 worth a change; of 20
    /// drawn later and judged more strictly, 8; of 20 drawn last, 4: [how that was judged](../measured.md#findings-worth-a-change).
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
    "a foreign key without an index, although referenced rows are deleted",
    Check::Schema(check); NeedsSchema
}

fn check(context: &SchemaContext<'_>, findings: &mut Vec<Finding>) {
    let changes = context.changes();
    for unindexed in foreign_keys::unindexed(context.schema, &changes, &|table| context.is_small(table)) {
        findings.push(finding(context, unindexed));
    }
}

fn finding(context: &SchemaContext<'_>, unindexed: Unindexed<'_>) -> Finding {
    let Unindexed { table, key, by_delete, is_seen } = unindexed;
    let columns = key.columns.join(", ");
    let message = format!("foreign key `{} ({columns})` has no index", table.name);
    let mut finding = Finding::new(LINT.name, message)
        .help(format!(
            "add an index: `{}`",
            unindexed.index(context.schema.dialect).ddl(context.schema.dialect)
        ))
        .note(match by_delete {
            true => {
                format!("a row deleted from `{}` makes the database read all of `{}`", key.table, table.name)
            }
            false => format!(
                "a new key of a row of `{}` makes the database read all of `{}`",
                key.table, table.name
            ),
        });
    let dialect = context.schema.dialect;
    let index = unindexed.index(dialect);
    finding.causes = index
        .columns
        .iter()
        .map(|column| NewIndex { columns: vec![column.clone()], ..index.clone() }.ddl(dialect).into())
        .collect();
    let comparing = context.comparing(&table.name, &key.columns);
    if comparing > 0 {
        let queries = if comparing == 1 { "query compares" } else { "queries compare" };
        finding = finding.note(format!("{comparing} {queries} `{columns}`, and read all of the table"));
    }
    let finding = if context.stays(&table.name) {
        finding.note(format!("no query of the workspace adds rows to `{}`", table.name)).listed()
    } else if context.grows(&key.table) && context.is_never_named(&table.name) {
        finding.note(format!("no query of the workspace names `{}`", table.name)).listed()
    } else if !is_seen && comparing == 0 && context.sees_writes() {
        finding.note(format!("no query whose text is known deletes from `{}`", key.table)).listed()
    } else if !by_delete && comparing == 0 {
        finding.note(format!("the key of a row of `{}` seldom changes", key.table)).listed()
    } else if !is_seen && context.queries.is_empty() {
        finding
            .note("no query of the workspace is seen, so that it is unknown whether rows are deleted")
            .listed()
    } else if comparing == 0 && deletes_seldom(context, &key.table) {
        finding
            .note(format!(
                "rows of `{}` are deleted by age or all at once, which seldom has to be fast",
                key.table
            ))
            .listed()
    } else if by_delete && comparing == 0 && context.deletes_accounts_alone(&key.table, &table.name) {
        finding.note(format!("rows of `{}` are deleted by key, one account at a time", key.table)).listed()
    } else {
        finding
    };
    context.about_key(finding, table, key)
}

/// Whether all queries that delete from a table are clean-ups: of all rows, or of those that are old.
fn deletes_seldom(context: &SchemaContext<'_>, table: &Name) -> bool {
    let mut deleting = context
        .queries
        .iter()
        .map(|it| it.query)
        .filter(|query| foreign_keys::deletes_from(query, table))
        .peekable();
    let is_clean_up = |query: &Query| {
        let mut conditions = query.blocks.iter().flat_map(|block| block.conditions()).peekable();
        conditions.peek().is_none() || conditions.any(slices::tells_the_time)
    };
    deleting.peek().is_some() && deleting.all(is_clean_up)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{ddl_fires, ddl_fires_with, ddl_silent, ddl_silent_with, ddl_tier_with};

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
    fn listed_where_rows_go_by_age_or_all_at_once() {
        use crate::finding::Tier::{Listed, Shown};
        let ddl = format!(
            "{RUNS}CREATE TABLE steps (id bigint PRIMARY KEY, run bigint REFERENCES runs ON DELETE CASCADE);"
        );
        for (delete, tier) in [
            ("DELETE FROM runs WHERE id = $1", Shown),
            ("DELETE FROM runs WHERE at < now() - interval '1 day'", Listed),
            ("DELETE FROM runs", Listed),
        ] {
            assert_eq!(ddl_tier_with("unindexed_foreign_key", &ddl, delete), tier, "{delete}");
        }
    }

    #[test]
    fn listed_where_a_workspace_that_writes_deletes_nothing_that_is_referred_to() {
        use crate::finding::Tier::{Listed, Shown};
        let ddl = format!(
            "{RUNS}CREATE TABLE steps (id bigint PRIMARY KEY, run bigint REFERENCES runs ON DELETE CASCADE);"
        );
        for (query, expected) in [
            ("SELECT id FROM steps WHERE id = $1", Shown),
            ("INSERT INTO steps (id, run) VALUES ($1, $2)", Listed),
            ("DELETE FROM runs WHERE id = $1", Shown),
            (
                "WITH new AS (INSERT INTO runs (id) VALUES ($1) RETURNING id) SELECT s.id FROM steps s WHERE s.run = $2",
                Shown,
            ),
        ] {
            assert_eq!(ddl_tier_with("unindexed_foreign_key", &ddl, query), expected, "{query}");
        }
    }

    #[test]
    fn listed_where_no_query_names_the_table() {
        use crate::finding::Tier::{Listed, Shown};
        let mut replay = crate::schema::Replay::new(crate::sql::Dialect::Postgres);
        replay.apply(
            &format!("{RUNS}CREATE TABLE steps (id bigint PRIMARY KEY, run bigint REFERENCES runs ON DELETE CASCADE);"),
            "",
        );
        let config = crate::config::Config::default();
        let tier = |more: &str| {
            let mut growth = crate::lints::Growth { is_whole: true, ..crate::lints::Growth::default() };
            growth.add(more);
            let checker =
                crate::check::Checker::new(&config, Some(&replay.schema), crate::sql::Dialect::Postgres)
                    .with_growth(&growth);
            let checked = ["DELETE FROM runs WHERE id = $1", more].map(|sql| checker.query(sql, None));
            let queried: Vec<_> = checked.iter().filter_map(|it| it.queried(true)).collect();
            let found = checker.schema(&queried, &|_| crate::finding::Place::default());
            found.iter().find(|finding| finding.lint == "unindexed_foreign_key").map(|finding| finding.tier)
        };
        assert_eq!(tier("INSERT INTO runs (id) VALUES ($1)"), Some(Listed));
        // What fills the table that is referred to is not seen either.
        assert_eq!(tier("UPDATE runs SET at = now() WHERE id = $1"), Some(Shown));
        assert_eq!(tier("SELECT id FROM steps WHERE id = $1"), Some(Shown));
        assert_eq!(tier("UPDATE steps SET run = $1 WHERE id = $2"), Some(Shown));
    }

    #[test]
    fn listed_where_only_the_deletion_of_an_account_needs_it() {
        use crate::finding::Tier::{Listed, Shown};
        let ddl = |parent: &str| {
            format!(
                "CREATE TABLE {parent} (id bigint PRIMARY KEY, at date);
                 CREATE TABLE notes (id bigint PRIMARY KEY, text text, owner bigint REFERENCES {parent} ON DELETE CASCADE);"
            )
        };
        for (parent, query, expected) in [
            ("users", "DELETE FROM users WHERE id = $1", Listed),
            ("user_accounts", "DELETE FROM user_accounts WHERE id = $1", Listed),
            ("users", "DELETE FROM users WHERE at < $1", Shown),
            ("users", "DELETE FROM users WHERE id = ANY($1)", Shown),
            ("runs", "DELETE FROM runs WHERE id = $1", Shown),
            (
                "users",
                "WITH gone AS (DELETE FROM users WHERE id = $1 RETURNING id) SELECT n.id FROM notes n WHERE n.owner = $1",
                Shown,
            ),
            // An index on the owner would not be searched.
            (
                "users",
                "WITH gone AS (DELETE FROM users WHERE id = $1 RETURNING id) SELECT n.id FROM notes n WHERE n.owner <> $1",
                Listed,
            ),
            (
                "users",
                "WITH gone AS (DELETE FROM users WHERE id = $1 RETURNING id)
                 SELECT n.id FROM notes n JOIN users u ON u.id = n.owner WHERE n.text = $2",
                Listed,
            ),
        ] {
            assert_eq!(ddl_tier_with("unindexed_foreign_key", &ddl(parent), query), expected, "{query}");
        }
    }

    #[test]
    fn fires_where_a_referenced_key_changes() {
        let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, code text UNIQUE, note text);
             CREATE TABLE s (id bigint PRIMARY KEY, code text REFERENCES t (code));";
        for query in [
            "UPDATE t SET code = $1 WHERE id = $2",
            "INSERT INTO t VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET code = excluded.code",
            "MERGE INTO t USING (SELECT $1::bigint AS id, $2 AS code) n ON n.id = t.id WHEN MATCHED THEN UPDATE SET code = n.code",
        ] {
            ddl_fires_with("unindexed_foreign_key", ddl, query);
        }
        let chain = "CREATE TABLE t (code text PRIMARY KEY); CREATE TABLE s (code text PRIMARY KEY REFERENCES t ON UPDATE CASCADE);
             CREATE TABLE r (id bigint PRIMARY KEY, code text REFERENCES s (code));";
        ddl_fires_with("unindexed_foreign_key", chain, "UPDATE t SET code = $1 WHERE code = $2");
        for query in [
            "UPDATE t SET note = $1 WHERE id = $2",
            "UPDATE t SET code = $1, note = $2 WHERE code = $1",
            "UPDATE t SET code = code, note = $2 WHERE id = $1",
            "INSERT INTO t VALUES ($1, $2, $3) ON CONFLICT (code) DO UPDATE SET code = excluded.code, note = excluded.note",
        ] {
            ddl_silent_with("unindexed_foreign_key", ddl, query);
        }
    }

    #[test]
    fn fires_along_a_cascade_and_is_silent_for_a_part_of_a_key() {
        let chain = "CREATE TABLE c (id bigint PRIMARY KEY, run bigint REFERENCES runs ON DELETE CASCADE);
             CREATE INDEX c_run ON c (run); CREATE TABLE e (id bigint PRIMARY KEY, c_id bigint REFERENCES c);";
        ddl_fires_with("unindexed_foreign_key", &format!("{RUNS}{chain}"), "DELETE FROM runs WHERE id = $1");
        ddl_silent("unindexed_foreign_key", &format!("{RUNS}{chain}"));
        let part = "CREATE TABLE t (a bigint, b bigint, UNIQUE (a, b));
             CREATE TABLE s (a bigint, b bigint, FOREIGN KEY (a, b) REFERENCES t (a, b) ON DELETE CASCADE);
             CREATE INDEX s_b ON s (b);";
        ddl_silent("unindexed_foreign_key", part);
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
