//! PostgreSQL's own views.

use sqlx::{PgPool, Result, Row};

use super::{
    IndexStats, MAX_ENTRIES, ServerStatementStats, ServerStats, ServerViews, TableStats, count, sealed,
};
use crate::blot::without_literals;

impl ServerViews for sqlx::Postgres {}

impl sealed::Sealed for sqlx::Postgres {
    async fn stats(pool: &PgPool) -> Result<ServerStats> {
        let mut stats = ServerStats {
            indexes: indexes(pool).await?,
            tables: tables(pool).await?,
            ..ServerStats::default()
        };
        match statements(pool).await {
            Ok(Some(statements)) => stats.statements = statements,
            Ok(None) => stats.missing.push(
                "statements: add `pg_stat_statements` to `shared_preload_libraries` and run `CREATE EXTENSION pg_stat_statements`"
                    .to_owned(),
            ),
            // The extension is installed but not loaded, or has an unknown form.
            Err(sqlx::Error::Database(error)) => stats.missing.push(format!("statements: {}", error.message())),
            Err(error) => return Err(error),
        }
        Ok(stats)
    }
}

async fn indexes(pool: &PgPool) -> Result<Vec<IndexStats>> {
    let rows = sqlx::query(
        "SELECT s.relname, s.indexrelname, s.idx_scan, pg_relation_size(s.indexrelid), i.indisunique \
         FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid \
         ORDER BY s.idx_scan, pg_relation_size(s.indexrelid) DESC, s.indexrelname LIMIT $1",
    )
    .bind(MAX_ENTRIES)
    .fetch_all(pool)
    .await?;
    let index = |row: &sqlx::postgres::PgRow| {
        Ok(IndexStats {
            table: row.try_get(0)?,
            name: row.try_get(1)?,
            scans: row.try_get::<Option<i64>, _>(2)?.map(count),
            bytes: row.try_get::<Option<i64>, _>(3)?.map(count),
            is_unique: row.try_get(4)?,
        })
    };
    rows.iter().map(index).collect()
}

async fn tables(pool: &PgPool) -> Result<Vec<TableStats>> {
    let rows = sqlx::query(
        "SELECT relname, n_live_tup, pg_total_relation_size(relid), seq_scan \
         FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC, relname LIMIT $1",
    )
    .bind(MAX_ENTRIES)
    .fetch_all(pool)
    .await?;
    let table = |row: &sqlx::postgres::PgRow| {
        Ok(TableStats {
            name: row.try_get(0)?,
            rows: row.try_get::<Option<i64>, _>(1)?.map(count),
            bytes: row.try_get::<Option<i64>, _>(2)?.map(count),
            full_scans: row.try_get::<Option<i64>, _>(3)?.map(count),
        })
    };
    rows.iter().map(table).collect()
}

/// `None` if the extension is not installed in this database.
async fn statements(pool: &PgPool) -> Result<Option<Vec<ServerStatementStats>>> {
    let schema: Option<String> = sqlx::query_scalar(
        "SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace \
         WHERE e.extname = 'pg_stat_statements'",
    )
    .fetch_optional(pool)
    .await?;
    let Some(schema) = schema else { return Ok(None) };
    let text = format!(
        "SELECT query, calls, total_exec_time, rows FROM {schema}.pg_stat_statements \
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query IS NOT NULL \
         ORDER BY total_exec_time DESC LIMIT $1"
    );
    let rows = sqlx::query(crate::driver::built(&text)).bind(MAX_ENTRIES).fetch_all(pool).await?;
    let statement = |row: &sqlx::postgres::PgRow| {
        Ok(ServerStatementStats {
            // SET statements are recorded with their values.
            sql: without_literals(row.try_get(0)?),
            calls: count(row.try_get(1)?),
            total: std::time::Duration::try_from_secs_f64(row.try_get::<f64, _>(2)? / 1e3)
                .unwrap_or_default(),
            rows: count(row.try_get(3)?),
        })
    };
    rows.iter().map(statement).collect::<Result<_>>().map(Some)
}
