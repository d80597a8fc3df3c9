//! UPDATE and DELETE of every row.

use super::shared::growth::begins_insert;
use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::rust::{Site, SiteSql};
use crate::schema::Name;
use crate::sql::expr::Expr;
use crate::sql::query::{Body, Kind, Query, Source, Write};
use crate::sql::resolve;
use crate::sql::split::statements;

declare_lint! {
    /// ## What it does
    ///
    /// Finds `UPDATE` and `DELETE` without `WHERE`, `LIMIT` or a join.
    ///
    /// ## Why is this bad
    ///
    /// It changes every row of the table, locks all of them, and is usually a mistake.
    ///
    /// ## Known limits
    ///
    /// Tables limited to one row by a `CHECK`, and small tables, are left alone. A `WHERE` that is always
    /// true is accepted. If you mean every row, say so: `WHERE true`, or an `allow` with a reason. Raw statements
    /// that clearly mean every row are listed with `--all`: a DELETE that returns its rows, `SET is_default = (id = $1)`, and
    /// a function that empties several tables.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// DELETE FROM logs
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// DELETE FROM logs WHERE id = $1
    /// ```
    "unbounded_write", Correctness, since "0.1.0",
    "UPDATE or DELETE without WHERE",
    Check::Query(check)
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for (id, block) in query.block_ids() {
        let Body::Write(write) = &block.body else { continue };
        let joined = write.from.len() != 1 || write.from.iter().any(|item| item.relations().len() > 1);
        if write.filter.is_some() || block.limit.is_some() || joined {
            continue;
        }
        let target = query.relation(write.target);
        let Source::Table(table) = &target.source else { continue };
        // A table that a CHECK limits to one row is always changed as a whole.
        let is_one_row = || cardinality::read(query, context.schema, id).rows == Rows::One;
        if context.is_small(table) || is_one_row() || counts_up(write) {
            continue;
        }
        let anew = || {
            query
                .blocks
                .iter()
                .any(|block| matches!(&block.body, Body::Write(write) if adds_to(query, write, table)))
        };
        if context.is_raw() && (anew() || is_meant(context, table) || is_derived(query, write)) {
            continue;
        }
        let verb = if write.assignments.is_empty() { "DELETE" } else { "UPDATE" };
        let span = write.span.map_or(0..0, |span| span.range());
        let finding = Finding::new(LINT.name, format!("{verb} changes every row of `{table}`"))
            .excerpt(context.sql, span, "no WHERE")
            .help("add `WHERE ..`, or `WHERE true` where every row is meant");
        let is_set_again = || context.later_sites().any(|later| sets_again(context, later, table, write));
        findings.push(match context.is_raw() {
            // It may also set back rows of others: those of one owner are meant, or all.
            true if is_set_again() => {
                finding.warns().note("a later query sets the same columns of some rows").listed()
            }
            true => match on_purpose(context, write) {
                Some(why) => finding.warns().note(why).listed(),
                None => finding.warns(),
            },
            false => finding,
        });
    }
}

/// Whether an UPDATE draws the next number of a sequence, which MySQL keeps in a table of one row:
/// `SET id = LAST_INSERT_ID(id + 1)`.
fn counts_up(write: &Write) -> bool {
    let is_next =
        |e: &Expr| matches!(e, Expr::Call(call) if call.name == "last_insert_id" && !call.args.is_empty());
    write.assignments.iter().any(|(_, value)| value.as_ref().is_some_and(|value| value.any(is_next)))
}

/// Why every row is meant by what a raw statement does, as a note.
fn on_purpose(context: &QueryContext<'_>, write: &Write) -> Option<&'static str> {
    let is_delete = write.assignments.is_empty();
    if is_delete && write.returning.is_some() {
        return Some("the rows that it takes are read");
    }
    // `SET is_default = (id = $1)`
    let compares = |value: &Expr| {
        matches!(value, Expr::Binary { op, left, right } if op.is_comparison()
            && (left.as_column().is_some() && right.is_constant() || right.as_column().is_some() && left.is_constant()))
    };
    // `SET is_default = CASE WHEN id = $1 THEN .. ELSE .. END`
    let chooses = |value: &Expr| match value.without_casts() {
        Expr::Case { operand, arms, otherwise } => {
            let of_row =
                |expr: &Expr| expr.any(|e| e.as_column().is_some_and(|it| it.relation == Some(write.target)));
            let mut conditions = arms.iter().map(|(condition, _)| condition).chain(operand.as_deref());
            otherwise.is_some() && conditions.any(of_row)
        }
        value => compares(value),
    };
    if write.assignments.iter().any(|(_, value)| value.as_ref().is_some_and(chooses)) {
        return Some("the value that it sets is compared for each row");
    }
    let empties = |site: &Site| {
        let SiteSql::Literal(literal) = &site.sql else { return false };
        let Ok(other) = resolve(&literal.text, context.dialect, context.schema) else { return false };
        other.kind == Kind::Delete
            && other
                .blocks
                .iter()
                .all(|block| matches!(&block.body, Body::Write(write) if write.filter.is_none()))
    };
    (is_delete && context.sites_beside().any(empties)).then_some("its function empties several tables")
}

/// Words in the name of a function that operates on every row.
const ALL_OF_IT: &[&str] = &[
    "clear",
    "reset",
    "replace",
    "truncate",
    "purge",
    "wipe",
    "flush",
    "empty",
    "all",
    "every",
    "everything",
    "migrate",
    "migration",
    "rollback",
    "rebuild",
    "recalculate",
    "recompute",
    "prune",
    "nuke",
    "obliterate",
    "overwrite",
    "entire",
    "whole",
    "recreate",
    "refill",
    "regenerate",
    "reinit",
    "reinitialise",
    "reinitialize",
    "repopulate",
    "reseed",
    "teardown",
];

/// Whether the code around a raw query says that every row is meant: by the function's name, by its place, or
/// by a later INSERT into the same table.
fn is_meant(context: &QueryContext<'_>, table: &Name) -> bool {
    let Some(site) = context.site else { return false };
    let name = site.function.rsplit("::").next().unwrap_or_default();
    let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
    // `delete_all_for_user` means some, and `set_up_account` is not a migration.
    let says_so = has(ALL_OF_IT) && !has(&["by", "for", "of"]) || matches!(name, "up" | "down");
    let is_migration = site.place.file.split('/').any(|part| part.starts_with("migration"));
    let fills = |text: &str| {
        let mut parts = statements(text, context.dialect).into_iter();
        parts.any(|statement| inserts_into(context, statement.text, table))
    };
    let is_filled = || {
        let later = context.later_sites().any(|later| match (&later.sql, &later.built) {
            (SiteSql::Literal(literal), _) => fills(&literal.text),
            (_, Some(built)) => fills(&built.begin),
            _ => false,
        });
        later || site.follow_up.iter().any(|text| fills(text)) || is_filled_by_script(context, site, table)
    };
    says_so || is_migration || is_filled()
}

/// Whether a later statement of the same script inserts rows into a table.
fn is_filled_by_script(context: &QueryContext<'_>, site: &Site, table: &Name) -> bool {
    let SiteSql::Literal(literal) = &site.sql else { return false };
    let own = context.sql.trim();
    let mut statements = statements(&literal.text, context.dialect).into_iter();
    statements.any(|statement| statement.text == own)
        && statements.any(|statement| inserts_into(context, statement.text, table))
}

/// Whether a text inserts rows into a table, with a beginning that is known at least.
fn inserts_into(context: &QueryContext<'_>, text: &str, table: &Name) -> bool {
    let read = resolve(text, context.dialect, context.schema);
    if let Ok(query) = read.as_ref()
        && query.kind == Kind::Insert
    {
        return query.blocks.iter().any(|block| match &block.body {
            Body::Write(write) => adds_to(query, write, table),
            _ => false,
        });
    }
    begins_insert(text, table)
}

/// Whether every value that an UPDATE sets is computed from other tables for each row, so that all rows are meant: the
/// number of a user's posts, counted anew.
fn is_derived(query: &Query, write: &Write) -> bool {
    let is_of_target = |expr: &Expr| expr.as_column().is_some_and(|it| it.relation == Some(write.target));
    let looks_up = |block| query.block(block).filters().iter().any(|filter| filter.any(is_of_target));
    let is_looked_up = |value: &Expr| value.any(|part| part.own_subquery().is_some_and(looks_up));
    !write.assignments.is_empty()
        && query.parameters == 0
        && write.assignments.iter().all(|(_, value)| value.as_ref().is_some_and(is_looked_up))
}

/// Whether a later query of the function sets the same columns of some rows: then all may be meant to be set back first.
fn sets_again(context: &QueryContext<'_>, later: &Site, table: &Name, first: &Write) -> bool {
    let SiteSql::Literal(literal) = &later.sql else { return false };
    let Ok(query) = resolve(&literal.text, context.dialect, context.schema) else { return false };
    let columns = |write: &Write| write.assignments.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    !first.assignments.is_empty()
        && query.blocks.iter().any(|block| match &block.body {
            Body::Write(write) => {
                let is_same =
                    matches!(&query.relation(write.target).source, Source::Table(name) if name == table);
                is_same && write.filter.is_some() && columns(write) == columns(first)
            }
            _ => false,
        })
}

/// Whether a part of a statement inserts rows into a table.
fn adds_to(query: &Query, write: &Write, table: &Name) -> bool {
    write.inserts() && matches!(&query.relation(write.target).source, Source::Table(name) if name == table)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_meant_for_every_row_is_listed() {
        use crate::check::Checker;
        use crate::config::Config;
        use crate::finding::Tier::{Listed, Shown};
        use crate::lints::tests::example_schema;
        use crate::sql::Dialect;
        // A lint that is set to deny shows all.
        let (config, schema) = (Config::default(), example_schema());
        let tiers = |body: &str| {
            let source = format!("async fn run(db: &PgPool, id: i64) {{ {body} }}");
            let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
            let found =
                Checker::new(&config, Some(&schema), Dialect::Postgres).file(&scan, &calls, &|_| None);
            let found = found.findings.into_iter().filter(|finding| finding.lint == "unbounded_write");
            found.map(|finding| finding.tier).collect::<Vec<_>>()
        };
        let call = |sql: &str| {
            let bind = if sql.contains('$') { ".bind(id)" } else { "" };
            format!("sqlx::query({sql:?}){bind}.execute(db).await?;")
        };
        for (body, expected) in [
            (call("DELETE FROM logs RETURNING id").replace("execute", "fetch_all"), vec![Listed]),
            (call("UPDATE events SET is_active = (id = $1)"), vec![Listed]),
            (call("UPDATE events SET name = CASE WHEN id = $1 THEN 'main' ELSE '' END"), vec![Listed]),
            (call("UPDATE events SET name = CASE WHEN $1 = 1 THEN 'main' ELSE '' END"), vec![Shown]),
            (call("UPDATE events SET is_active = $1"), vec![Shown]),
            (call("DELETE FROM logs"), vec![Shown]),
            (format!("{} {}", call("DELETE FROM logs"), call("DELETE FROM events")), vec![Listed, Listed]),
        ] {
            assert_eq!(tiers(&body), expected, "{body}");
        }
    }

    use crate::check::Checker;
    use crate::config::Config;
    use crate::lints::tests::{findings_in, fires, silent};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn fires_without_a_condition() {
        fires("unbounded_write", "UPDATE servers SET name = $1");
        fires("unbounded_write", "WITH gone AS (DELETE FROM logs RETURNING id) SELECT count(*) FROM gone");
    }

    #[test]
    fn rows_that_are_written_anew_are_all_meant() {
        let found = |rest: &str, more: &str| {
            let source = format!(
                "async fn put(db: &PgPool) {{ sqlx::query(\"DELETE FROM logs\").execute(db).await; {rest} }} {more}"
            );
            findings_in("unbounded_write", &source).iter().any(|finding| finding.lint == "unbounded_write")
        };
        let callee =
            |sql: &str| format!("async fn add(db: &PgPool) {{ sqlx::query({sql:?}).execute(db).await; }}");
        for (rest, more, expected) in [
            ("add(db).await;", callee("INSERT INTO logs (event_id) VALUES (1)"), false),
            ("add(db).await;", callee("INSERT INTO servers (name) VALUES ('a')"), true),
            ("add(db).await;", callee("UPDATE logs SET output = 'a' WHERE id = 1"), true),
            (
                "let mut q = sqlx::QueryBuilder::new(\"INSERT INTO public.logs (event_id) \"); q.push_values(ids, |row, id| { row.push_bind(id); }); q.build().execute(db).await;",
                String::new(),
                false,
            ),
            (
                "let mut copy = db.copy_in_raw(\"COPY logs (event_id) FROM STDIN\").await?;",
                String::new(),
                false,
            ),
            ("let all = db.copy_out_raw(\"COPY logs TO STDOUT\").await?;", String::new(), true),
        ] {
            assert_eq!(found(rest, &more), expected, "{rest} {more}");
        }
        let script = |sql: &str| {
            let source = format!("async fn put(db: &PgPool) {{ sqlx::raw_sql({sql:?}).execute(db).await; }}");
            findings_in("unbounded_write", &source).iter().any(|finding| finding.lint == "unbounded_write")
        };
        assert!(!script("DELETE FROM logs; INSERT INTO logs (event_id) VALUES (1);"));
        assert!(script("INSERT INTO logs (event_id) VALUES (1); DELETE FROM logs;"));
    }

    #[test]
    fn silent_on_a_table_of_one_row() {
        let replayed = |ddl: &str| {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(ddl, "one.sql");
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            checker.query("UPDATE settings SET theme = $1", None).findings.len()
        };
        assert_eq!(replayed("CREATE TABLE settings (id int PRIMARY KEY CHECK (id = 0), theme text)"), 0);
        assert_eq!(replayed("CREATE TABLE settings (id int PRIMARY KEY CHECK (id >= 0), theme text)"), 1);
    }

    #[test]
    fn a_raw_statement_that_writes_the_rows_anew_means_all_of_them() {
        let found = |sql: &str| {
            let source = format!("async fn put(db: &PgPool) {{ sqlx::query({sql:?}).execute(db).await; }}");
            findings_in("unbounded_write", &source).iter().any(|finding| finding.lint == "unbounded_write")
        };
        assert!(!found("WITH gone AS (DELETE FROM logs) INSERT INTO logs (event_id) VALUES (1)"));
        assert!(found("WITH gone AS (DELETE FROM logs) INSERT INTO servers (name) VALUES ('a')"));
    }

    #[test]
    fn the_name_of_the_function_may_say_that_all_rows_are_meant() {
        for (name, expected) in [
            ("clear_logs", false),
            ("reinitialize", false),
            ("nuke_logs", false),
            ("nuke_for_user", true),
            ("up", false),
            ("delete_all_for_user", true),
            ("set_up_account", true),
            ("load", true),
        ] {
            let code = format!(
                "async fn {name}(db: &PgPool) {{ sqlx::query(\"DELETE FROM logs\").execute(db).await; }}"
            );
            let found = findings_in("unbounded_write", &code);
            assert_eq!(found.iter().any(|finding| finding.lint == "unbounded_write"), expected, "{name}");
        }
    }

    #[test]
    fn what_is_counted_anew_or_set_again_means_all_rows() {
        use crate::check::Checker;
        use crate::config::Config;
        use crate::finding::Tier::{Listed, Shown};
        use crate::lints::tests::example_schema;
        use crate::sql::Dialect;
        let found = |first: &str, then: &str| {
            let run = |sql: &str| format!("sqlx::query({sql:?}).execute(db).await;");
            let source = format!("async fn put(db: &PgPool) {{ {} {} }}", run(first), run(then));
            let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
            let (config, schema) = (Config::default(), example_schema());
            let found =
                Checker::new(&config, Some(&schema), Dialect::Postgres).file(&scan, &calls, &|_| None);
            found
                .findings
                .into_iter()
                .find(|finding| finding.lint == "unbounded_write")
                .map(|finding| finding.tier)
        };
        let none = "SELECT 1";
        let count =
            |of: &str| format!("UPDATE servers SET name = (SELECT count(*) FROM events WHERE {of})::text");
        assert_eq!(found(&count("events.server_id = servers.id"), none), None);
        assert_eq!(found(&count("events.server_id = 1"), none), Some(Shown));
        assert_eq!(found("UPDATE events SET is_active = false", none), Some(Shown));
        let one = "UPDATE events SET is_active = true WHERE user_id = 1";
        assert_eq!(found("UPDATE events SET is_active = false", one), Some(Listed));
        let other = "UPDATE events SET name = 'a' WHERE user_id = 1";
        assert_eq!(found("UPDATE events SET is_active = false", other), Some(Shown));
    }

    #[test]
    fn silent_with_a_condition_or_a_join() {
        silent("unbounded_write", "DELETE FROM servers WHERE true");
        silent(
            "unbounded_write",
            "UPDATE servers SET name = v.name FROM (VALUES (1, 'a')) v(id, name) WHERE v.id = servers.id",
        );
    }
}
