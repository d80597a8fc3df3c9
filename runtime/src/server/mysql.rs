//! The views of MySQL and MariaDB.

use std::time::Duration;

use sqlx::{MySqlPool, Result, Row};

use super::{
    IndexStats, MAX_ENTRIES, ServerStatementStats, ServerStats, ServerViews, TableStats, count, sealed,
};
use crate::blot::without_literals;

impl ServerViews for sqlx::MySql {}

impl sealed::Sealed for sqlx::MySql {
    async fn stats(pool: &MySqlPool) -> Result<ServerStats> {
        let is_counted = sqlx::query_scalar::<_, i64>("SELECT CAST(@@performance_schema AS SIGNED)");
        let is_counted = is_counted.fetch_one(pool).await? != 0;
        let mut stats = ServerStats {
            tables: tables(pool).await?,
            indexes: indexes(pool).await?,
            ..ServerStats::default()
        };
        if !is_counted {
            stats.missing.push(
                "statements and the use of indexes: start the server with `performance_schema = ON`"
                    .to_owned(),
            );
            return Ok(stats);
        }
        match statements(pool).await {
            Ok(statements) => stats.statements = statements,
            Err(error) => stats.missing.push(denied("statements", error)?),
        }
        match scans(pool).await {
            Ok(scans) => {
                for index in &mut stats.indexes {
                    let found =
                        scans.iter().find(|(table, name, _)| *table == index.table && *name == index.name);
                    index.scans = Some(found.map_or(0, |(.., scans)| *scans));
                }
                stats.indexes.sort_by_key(|index| index.scans);
            }
            Err(error) => stats.missing.push(denied("the use of indexes", error)?),
        }
        Ok(stats)
    }
}

/// The note on what the server does not show to this user.
fn denied(what: &str, error: sqlx::Error) -> Result<String> {
    match error {
        sqlx::Error::Database(error) => Ok(format!("{what}: {}", error.message())),
        other => Err(other),
    }
}

async fn tables(pool: &MySqlPool) -> Result<Vec<TableStats>> {
    let rows = sqlx::query(
        "SELECT CAST(table_name AS CHAR), CAST(table_rows AS SIGNED), CAST(data_length + index_length AS SIGNED) \
         FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' \
         ORDER BY data_length + index_length DESC, table_name LIMIT ?",
    )
    .bind(MAX_ENTRIES)
    .fetch_all(pool)
    .await?;
    let table = |row: &sqlx::mysql::MySqlRow| {
        Ok(TableStats {
            name: row.try_get(0)?,
            rows: row.try_get::<Option<i64>, _>(1)?.map(count),
            bytes: row.try_get::<Option<i64>, _>(2)?.map(count),
            full_scans: None,
        })
    };
    rows.iter().map(table).collect()
}

async fn indexes(pool: &MySqlPool) -> Result<Vec<IndexStats>> {
    let rows = sqlx::query(
        "SELECT CAST(table_name AS CHAR), CAST(index_name AS CHAR), CAST(MIN(non_unique) AS SIGNED) \
         FROM information_schema.statistics WHERE table_schema = DATABASE() \
         GROUP BY table_name, index_name ORDER BY table_name, index_name LIMIT ?",
    )
    .bind(MAX_ENTRIES)
    .fetch_all(pool)
    .await?;
    let index = |row: &sqlx::mysql::MySqlRow| {
        Ok(IndexStats {
            table: row.try_get(0)?,
            name: row.try_get(1)?,
            scans: None,
            bytes: None,
            is_unique: row.try_get::<i64, _>(2)? == 0,
        })
    };
    rows.iter().map(index).collect()
}

/// How often each index was used.
async fn scans(pool: &MySqlPool) -> Result<Vec<(String, String, u64)>> {
    let rows = sqlx::query(
        "SELECT CAST(object_name AS CHAR), CAST(index_name AS CHAR), CAST(count_read AS SIGNED) \
         FROM performance_schema.table_io_waits_summary_by_index_usage \
         WHERE object_schema = DATABASE() AND index_name IS NOT NULL",
    )
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, count(row.try_get(2)?)))).collect()
}

async fn statements(pool: &MySqlPool) -> Result<Vec<ServerStatementStats>> {
    let rows = sqlx::query(
        "SELECT CAST(digest_text AS CHAR), CAST(count_star AS SIGNED), CAST(sum_timer_wait / 1000 AS SIGNED), \
         CAST(sum_rows_sent AS SIGNED) FROM performance_schema.events_statements_summary_by_digest \
         WHERE schema_name = DATABASE() AND digest_text IS NOT NULL ORDER BY sum_timer_wait DESC LIMIT ?",
    )
    .bind(MAX_ENTRIES)
    .fetch_all(pool)
    .await?;
    let statement = |row: &sqlx::mysql::MySqlRow| {
        Ok(ServerStatementStats {
            sql: without_literals(row.try_get(0)?),
            calls: count(row.try_get(1)?),
            // Picoseconds converted to nanoseconds.
            total: Duration::from_nanos(count(row.try_get(2)?)),
            rows: count(row.try_get(3)?),
        })
    };
    rows.iter().map(statement).collect()
}
