//! What SQLite stores about a database: its schema, and the statistics of `ANALYZE`.

use std::collections::HashMap;

use sqlx::{Result, Row, SqlitePool};

use super::{IndexStats, ServerStats, ServerViews, TableStats, count, sealed};

impl ServerViews for sqlx::Sqlite {}

impl sealed::Sealed for sqlx::Sqlite {
    async fn stats(pool: &SqlitePool) -> Result<ServerStats> {
        let mut missing = vec!["statements and the use of indexes: SQLite counts neither".to_owned()];
        let sizes: HashMap<String, i64> =
            pairs(pool, "SELECT name, SUM(pgsize) FROM dbstat GROUP BY name").await?;
        if sizes.is_empty() {
            missing.push("sizes: this SQLite was built without `SQLITE_ENABLE_DBSTAT_VTAB`".to_owned());
        }
        let rows: HashMap<String, i64> =
            pairs(pool, "SELECT tbl, MAX(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl").await?;
        if rows.is_empty() {
            missing.push("rows: run `ANALYZE`".to_owned());
        }
        let mut tables: Vec<TableStats> = Vec::new();
        let mut indexes: Vec<IndexStats> = Vec::new();
        let schema = "SELECT m.type, m.name, m.tbl_name, \
             (SELECT l.\"unique\" FROM pragma_index_list(m.tbl_name) l WHERE l.name = m.name) \
             FROM sqlite_schema m WHERE m.type IN ('table', 'index') AND m.tbl_name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             ORDER BY m.tbl_name, m.name";
        for row in sqlx::query(schema).fetch_all(pool).await? {
            let (kind, name, table): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let bytes = sizes.get(&name).copied().map(count);
            if kind == "table" {
                let rows = rows.get(&name).copied().map(count);
                tables.push(TableStats { name, rows, bytes, full_scans: None });
            } else {
                let is_unique = row.try_get::<Option<i64>, _>(3)? == Some(1);
                indexes.push(IndexStats { table, name, scans: None, bytes, is_unique });
            }
        }
        for table in &mut tables {
            let of_indexes =
                indexes.iter().filter(|index| index.table == table.name).filter_map(|index| index.bytes);
            table.bytes = table.bytes.map(|bytes| bytes + of_indexes.sum::<u64>());
        }
        tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
        Ok(ServerStats { indexes, tables, statements: Vec::new(), missing })
    }
}

/// Names and numbers; empty if there is no such table.
async fn pairs(pool: &SqlitePool, sql: &'static str) -> Result<HashMap<String, i64>> {
    match sqlx::query(sql).fetch_all(pool).await {
        Ok(rows) => rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect(),
        Err(sqlx::Error::Database(error)) if error.message().contains("no such table") => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}
