//! All rows of one parent, in code that sqlx compiles.

use super::shared::unbounded::{self, Unbounded};
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::query::{Query, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `fetch` and `fetch_all` on the rows of one parent, `WHERE user_id = $1`, if nothing bounds their
    /// number. It only reports raw sqlx code: in a build, `missing_limit` reports the same for `sql!`.
    ///
    /// ## Why is this bad
    ///
    /// Most parents have a few children and one has a million. That one is found in production.
    ///
    /// ## Known limits
    ///
    /// Only the author knows how many children a parent may have, so findings are listed but not shown
    /// (`--all`, `-D unbounded_children`).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn events(db: &PgPool, user: i64) -> sqlx::Result<()> {
    ///     sqlx::query("SELECT id, name FROM events WHERE user_id = $1").bind(user).fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn events(db: &PgPool, user: i64) -> sqlx::Result<()> {
    ///     sqlx::query("SELECT id, name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50").bind(user).fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "unbounded_children", Bounds, since "0.1.0",
    "`fetch_all` on all rows of one parent, in raw sqlx code",
    Check::Query(check); NeedsSchema, OnRaw
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    let Some(unbounded) = unbounded::of(context, query) else { return };
    if let Some(column) = parent(context, query, &unbounded) {
        let tables = unbounded.tables.join(", ");
        findings.push(
            Finding::new(LINT.name, format!("nothing bounds the rows of one `{column}` that this query returns from {tables}"))
                .excerpt(context.sql, unbounded.span.clone(), "")
                .help("add `ORDER BY .. LIMIT ..` where a parent may have many, and read further pages by the last key")
                .listed(),
        );
    }
}

/// The column by which a raw query reads the rows of one parent: a reference to another table, or named like
/// one.
pub(super) fn parent(context: &QueryContext<'_>, query: &Query, unbounded: &Unbounded) -> Option<String> {
    if !context.is_raw() {
        return None;
    }
    unbounded.relations.iter().find_map(|id| {
        let Source::Table(name) = &query.relation(*id).source else { return None };
        let table = context.schema?.stored(name)?;
        let is_parent = |column: &String| {
            column.ends_with("_id")
                || table.foreign_keys.iter().any(|key| key.columns.first() == Some(column))
        };
        // The key of a tenant is in most tables, and says least about the rows.
        let tables = |column: &String| {
            let all = context.schema.into_iter().flat_map(|schema| schema.tables.values());
            all.filter(|table| table.column(column).is_some()).count()
        };
        unbounded::equalled(query, *id).into_iter().filter(is_parent).min_by_key(tables)
    })
}

#[cfg(test)]
mod tests {
    use crate::finding::Tier;
    use crate::lints::tests::findings_in;

    #[track_caller]
    fn check(call: &str, expected: &[(&str, Tier)]) {
        let source = format!("async fn run(db: &PgPool, user: i64) {{ {call}.fetch_all(db).await; }}");
        let found = findings_in("unbounded_children", &source);
        let of_rows = found.iter().filter(|it| matches!(it.lint, "missing_limit" | "unbounded_children"));
        let found: Vec<_> = of_rows.map(|finding| (finding.lint, finding.tier)).collect();
        assert_eq!(found, expected, "{call}");
    }

    #[test]
    fn fires_on_the_rows_of_one_parent_in_raw_code() {
        let listed = &[("unbounded_children", Tier::Listed)];
        check(r#"sqlx::query("SELECT name FROM events WHERE user_id = $1").bind(user)"#, listed);
        check(
            r#"sqlx::query("SELECT e.name FROM events e WHERE e.server_id = $1 AND e.is_active").bind(user)"#,
            listed,
        );
    }

    #[test]
    fn a_parent_may_be_named_by_an_inner_join() {
        let join = |kind: &str| {
            format!(
                "sqlx::query(\"SELECT s.name FROM servers s {kind} JOIN events e ON e.server_id = s.id AND e.user_id = $1\").bind(user)"
            )
        };
        check(&join("INNER"), &[("unbounded_children", Tier::Listed)]);
        check(&join("LEFT"), &[("missing_limit", Tier::Listed)]);
    }

    #[test]
    fn silent_where_another_lint_speaks_or_something_bounds() {
        check(
            r#"sql!("SELECT name FROM events WHERE user_id = $1", user)"#,
            &[("missing_limit", Tier::Shown)],
        );
        // It is shown where requests are answered.
        check(r#"sqlx::query("SELECT name FROM events")"#, &[("missing_limit", Tier::Listed)]);
        check(
            r#"sqlx::query("SELECT name FROM events WHERE name = $1").bind("a")"#,
            &[("missing_limit", Tier::Listed)],
        );
        check(
            r#"sqlx::query("SELECT name FROM events WHERE user_id = $1 ORDER BY id LIMIT 5").bind(user)"#,
            &[],
        );
    }

    #[test]
    fn the_narrowest_key_is_the_parent() {
        use crate::check::Checker;
        let mut replay = crate::schema::Replay::new(crate::sql::Dialect::Postgres);
        replay.apply(
            "CREATE TABLE boards (id bigint PRIMARY KEY, tenant_id bigint); CREATE TABLE notes (id bigint PRIMARY KEY, tenant_id bigint, board_id bigint);",
            "",
        );
        let config = crate::config::Config::default();
        let source = "async fn run(db: &PgPool) { sqlx::query(\"SELECT id FROM notes WHERE tenant_id = $1 AND board_id = $2\").bind(a).bind(b).fetch_all(db).await; }";
        let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
        let checker = Checker::new(&config, Some(&replay.schema), crate::sql::Dialect::Postgres);
        let found = checker.file(&scan, &calls, &|_| None).findings;
        let found: Vec<_> = found.iter().filter(|it| it.lint == "unbounded_children").collect();
        assert!(
            found.iter().all(|it| it.message.contains("one `board_id`")) && found.len() == 1,
            "{found:?}"
        );
    }
}
