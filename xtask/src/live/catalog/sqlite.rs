//! SQLite stores the statements that created the schema.

use super::{Words, estimates};
use crate::failure::Failure;
use crate::live::Live;

/// sqlx's own table is not part of the schema.
const STATEMENTS: &str = "SELECT sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND type IN ('table', 'index', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        AND tbl_name <> '_sqlx_migrations'
    ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid";

/// The results of ANALYZE; `stat` starts with the number of rows.
const ANALYZED: &str =
    "SELECT NULL, tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE stat IS NOT NULL GROUP BY tbl";

pub(super) async fn read(live: &mut Live) -> Result<Words, Failure> {
    let ddl = live.texts(STATEMENTS).await?.into_iter().flatten().flatten().collect();
    // Before the first ANALYZE there is no such table.
    let rows = live.texts(ANALYZED).await.unwrap_or_default();
    Ok(Words { ddl, rows: estimates(rows) })
}
