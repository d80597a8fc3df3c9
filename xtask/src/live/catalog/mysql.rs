//! MySQL and MariaDB write the statement that would make a table.

use super::{Words, estimates};
use crate::failure::Failure;
use crate::live::Live;

const NAMES: &str = "SELECT table_name, table_type, DATABASE() FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'VIEW') AND table_name <> '_sqlx_migrations'
    ORDER BY table_type, create_time, table_name";

const ESTIMATES: &str = "SELECT NULL, table_name, table_rows FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_rows IS NOT NULL";

const TRIGGERS: &str = "SELECT DISTINCT event_object_table FROM information_schema.triggers
    WHERE trigger_schema = DATABASE() AND action_timing = 'BEFORE' AND event_manipulation = 'INSERT'
    ORDER BY event_object_table";

pub(super) async fn read(live: &mut Live) -> Result<Words, Failure> {
    let mut ddl = Vec::new();
    for row in live.texts(NAMES).await? {
        let Ok([Some(name), Some(kind), Some(database)]) = <[Option<String>; 3]>::try_from(row) else {
            continue;
        };
        let what = if kind == "VIEW" { "VIEW" } else { "TABLE" };
        let rows = live.texts(&format!("SHOW CREATE {what} {}", quoted(&name))).await?;
        // The columns: the name, the statement; for a view its character sets.
        let statement = rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten();
        // Views name the database they stand in, which is the one we are in.
        ddl.extend(statement.map(|sql| sql.replace(&format!("{}.", quoted(&database)), "")));
    }
    for row in live.texts(TRIGGERS).await? {
        if let Some(Some(table)) = row.into_iter().next() {
            ddl.push(format!("CREATE TRIGGER t BEFORE INSERT ON {} FOR EACH ROW SET @a = 1", quoted(&table)));
        }
    }
    Ok(Words { ddl, rows: estimates(live.texts(ESTIMATES).await?) })
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
