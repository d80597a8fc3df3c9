//! MySQL and MariaDB print the statement that creates a table.

use super::{Words, estimates};
use crate::failure::Failure;
use crate::live::Live;

const NAMES: &str = "SELECT table_name, table_type, DATABASE() FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'VIEW') AND table_name <> '_sqlx_migrations'
    ORDER BY table_type, create_time, table_name";

const ESTIMATES: &str = "SELECT NULL, table_name, table_rows FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_rows IS NOT NULL";

const TRIGGERS: &str =
    "SELECT trigger_name, CONCAT(action_timing, ' ', event_manipulation), event_object_table, action_statement
    FROM information_schema.triggers WHERE trigger_schema = DATABASE()
    ORDER BY event_object_table, action_timing, event_manipulation, action_order";

/// A body that the user may not read could do anything.
const ROUTINES: &str = "SELECT routine_name, COALESCE(routine_definition, 'BEGIN EXECUTE hidden; END')
    FROM information_schema.routines
    WHERE routine_schema = DATABASE() AND routine_type IN ('FUNCTION', 'PROCEDURE')
    ORDER BY routine_type, routine_name";

pub(super) async fn read(live: &mut Live) -> Result<Words, Failure> {
    let mut ddl = Vec::new();
    for row in live.texts(NAMES).await? {
        let Ok([Some(name), Some(kind), Some(database)]) = <[Option<String>; 3]>::try_from(row) else {
            continue;
        };
        let what = if kind == "VIEW" { "VIEW" } else { "TABLE" };
        let rows = live.texts(&format!("SHOW CREATE {what} {}", quoted(&name))).await?;
        // The columns: the name, the statement, and for a view its character sets.
        let statement = rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten();
        // Views are qualified by their database, which is the current one.
        ddl.extend(statement.map(|sql| sql.replace(&format!("{}.", quoted(&database)), "")));
    }
    for row in live.texts(TRIGGERS).await? {
        if let Ok([Some(name), Some(when), Some(table), Some(body)]) = <[Option<String>; 4]>::try_from(row) {
            let (name, table) = (quoted(&name), quoted(&table));
            ddl.push(format!("CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {body}"));
        }
    }
    for row in live.texts(ROUTINES).await? {
        if let Ok([Some(name), Some(body)]) = <[Option<String>; 2]>::try_from(row) {
            ddl.push(format!("CREATE PROCEDURE {}() {body}", quoted(&name)));
        }
    }
    Ok(Words { ddl, rows: estimates(live.texts(ESTIMATES).await?) })
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
