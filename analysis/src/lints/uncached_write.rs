//! A write that bypasses the cache, to tables that cached reads name.

use super::{Check, QueryContext, declare_lint};
use crate::finding::{Finding, Place};
use crate::rust::{Form, Site};
use crate::schema::Name;
use crate::touches;

declare_lint! {
    /// ## What it does
    ///
    /// Finds writes that bypass the cache, by raw sqlx calls and macros and other drivers, to tables that
    /// cached reads (`sql!(..).cached(..)`) of the workspace name. Writes by foreign keys, triggers and
    /// functions count as well.
    ///
    /// ## Why is this bad
    ///
    /// The cache invalidates what `sql!` and `sql_batch!` write on a `CachedPool` or its transaction. It does
    /// not see any other write, and returns the old rows until their time to live is over.
    ///
    /// ## Known limits
    ///
    /// A function that calls `invalidate`, `invalidate_all`, `invalidates`, `connection` or
    /// `connection_writing` anywhere is assumed to name what it writes. If its callers do so, allow it. A
    /// `sql!` or a `sql_batch!` that runs on `db.pool()` is not seen, nor are writes that the snapshot does not
    /// reveal. A build does not know the reads in other files, so only the command line reports this.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn server(db: &CachedPool<Postgres>, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).cached(MINUTE).fetch_one(db).await?;
    ///     Ok(())
    /// }
    ///
    /// async fn rename(db: &CachedPool<Postgres>, id: i64, name: &str) -> sqlx::Result<()> {
    ///     sqlx::query("UPDATE servers SET name = $2 WHERE id = $1").bind(id).bind(name).execute(db.pool()).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn server(db: &CachedPool<Postgres>, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).cached(MINUTE).fetch_one(db).await?;
    ///     Ok(())
    /// }
    ///
    /// async fn rename(db: &CachedPool<Postgres>, id: i64, name: &str) -> sqlx::Result<()> {
    ///     sql!("UPDATE servers SET name = $2 WHERE id = $1", id, name).execute(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "uncached_write", Correctness, since "0.1.0",
    "a write that bypasses the cache, to a table of cached reads",
    Check::Query(check); OnRaw
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(cached), Some(site)) = (context.query, context.cached, context.site) else { return };
    if cached.is_empty() || is_seen(site) {
        return;
    }
    let written = touches::of(Some(query), context.sql, context.schema, context.dialect).writes;
    let stale: Vec<(&Name, &Place)> = written.iter().filter_map(|name| cached.get_key_value(name)).collect();
    if let Some((_, read)) = stale.first() {
        let tables: Vec<String> = stale.iter().map(|(name, _)| name.to_string()).collect();
        findings
            .push(wording(&tables).excerpt(context.sql, 0..0, "").related((*read).clone(), "a cached read"));
    }
}

/// Whether the cache sees the write, or the function reports it.
fn is_seen(site: &Site) -> bool {
    site.told || site.form == Form::Checked
}

fn wording(tables: &[String]) -> Finding {
    let named: Vec<String> = tables.iter().map(|table| format!("`{table}`")).collect();
    let tags: Vec<String> = tables.iter().map(|table| format!("{table:?}")).collect();
    let message =
        format!("the cache does not see this write to {}, which cached reads name", named.join(", "));
    Finding::new(LINT.name, message)
        .warns()
        .help("write it with `sql!` and run it on the `CachedPool`, or on a transaction of its own")
        .help(format!(
            "or name what was written, once it is committed: `db.invalidate([{}]).await`",
            tags.join(", ")
        ))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::findings_in;

    const READ: &str = "use sqlx::Executor;
    async fn read(db: &CachedPool<Postgres>) {
        let count = sql_scalar!(\"SELECT count(*) FROM logs\").cached(MINUTE);
        count.fetch_one(db).await; }\n";

    #[track_caller]
    fn check(body: &str, expected: usize) {
        let source = format!("{READ}async fn write(db: &CachedPool<Postgres>) {{ {body} }}");
        let mut found = findings_in("uncached_write", &source);
        found.retain(|finding| finding.lint == "uncached_write");
        assert_eq!(found.len(), expected, "{body}: {found:?}");
    }

    #[test]
    fn writes_that_the_cache_does_not_see() {
        check("sqlx::query(\"DELETE FROM logs WHERE id = 1\").execute(db.pool()).await;", 1);
        check("sqlx::query!(\"DELETE FROM logs WHERE id = 1\").execute(db.pool()).await;", 1);
        check("db.pool().execute(\"DELETE FROM logs WHERE id = 1\").await;", 1);
        let beside = "WITH x AS (DELETE FROM logs RETURNING id) SELECT id FROM x WHERE id = 1";
        check(&format!("sqlx::query({beside:?}).fetch_all(db.pool()).await;"), 1);
    }

    #[test]
    fn what_is_seen_or_told_or_of_other_tables() {
        check("sql!(\"DELETE FROM logs WHERE id = 1\").execute(db).await;", 0);
        check(
            "sql_batch!(\"INSERT INTO logs (event_id) VALUES ($1)\", ids => |id| id).execute(db).await;",
            0,
        );
        check("sqlx::query(\"SELECT id FROM logs WHERE id = 1\").fetch_one(db.pool()).await;", 0);
        check("sqlx::query(\"DELETE FROM servers WHERE id = 1\").execute(db.pool()).await;", 0);
        let told = "sqlx::query(\"DELETE FROM logs WHERE id = 1\").execute(db.pool()).await;";
        check(&format!("{told} db.invalidate([\"logs\"]).await;"), 0);
        check("sqlx::query(\"DELETE FROM logs WHERE id = 1\").execute(tx.connection()).await;", 0);
    }

    #[test]
    fn nothing_is_said_where_nothing_is_cached() {
        let source =
            "async fn f(db: &PgPool) { sqlx::query(\"DELETE FROM logs WHERE id = 1\").execute(db).await; }";
        assert!(findings_in("uncached_write", source).iter().all(|finding| finding.lint != "uncached_write"));
    }
}
