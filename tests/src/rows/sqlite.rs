//! Rows and runs on SQLite.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

use super::{Dice, Outcome, ROWS, RUNS, VALUES, quoted, strings_of};

/// Fills every table of the database, and returns the number of rows in each. Bypasses foreign keys.
///
/// # Errors
///
/// If the catalog cannot be read.
pub async fn fill(connection: &mut SqliteConnection) -> sqlx::Result<BTreeMap<String, usize>> {
    connection.execute("PRAGMA foreign_keys = OFF").await?;
    let tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut filled = BTreeMap::new();
    for table in sqlx::query(tables).fetch_all(&mut *connection).await? {
        let (name, sql): (String, String) = (table.try_get(0)?, table.try_get(1)?);
        let columns =
            AssertSqlSafe(format!("SELECT name, \"notnull\" FROM pragma_table_info({})", quoted(&name)));
        let columns = sqlx::query(columns).fetch_all(&mut *connection).await?;
        let columns: Vec<(String, bool)> = columns
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)? != 0)))
            .collect::<sqlx::Result<_>>()?;
        let mut dice = Dice::new(&name);
        let mut rows = 0;
        for _ in 0..ROWS {
            let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let values: Vec<String> =
                columns.iter().map(|(name, not_null)| cell(&sql, name, *not_null, &mut dice)).collect();
            let insert = format!(
                "INSERT OR IGNORE INTO \"{name}\" ({}) VALUES ({})",
                names.join(", "),
                values.join(", ")
            );
            if let Ok(done) = connection.execute(AssertSqlSafe(insert)).await {
                rows += usize::try_from(done.rows_affected()).unwrap_or(0);
            }
        }
        filled.insert(name, rows);
    }
    Ok(filled)
}

/// A value of a column. Digits are written as text everywhere: a column converts them to its own type.
fn cell(table: &str, column: &str, not_null: bool, dice: &mut Dice) -> String {
    if !not_null && dice.below(VALUES + 1) == 0 {
        return "NULL".to_owned();
    }
    let allowed = allowed(table, column);
    let at = usize::try_from(dice.below(allowed.len().max(1) as u64)).unwrap_or(0);
    allowed.get(at).map_or_else(|| quoted(&dice.below(VALUES).to_string()), |text| quoted(text))
}

/// The strings that `CHECK (column IN (..))` allows.
fn allowed(table: &str, column: &str) -> Vec<String> {
    let condition = table.split("CHECK").skip(1).find(|check| {
        let check = check.trim_start().trim_start_matches('(').trim_start();
        check.strip_prefix(column).is_some_and(|rest| rest.trim_start().to_lowercase().starts_with("in"))
    });
    condition.and_then(|condition| condition.split("))").next()).map_or_else(Vec::new, strings_of)
}

/// Runs a query with many values for its parameters, undoes its effects, and returns the largest number of
/// rows.
///
/// # Errors
///
/// If the connection breaks.
pub async fn run(connection: &mut SqliteConnection, sql: &str, parameters: usize) -> sqlx::Result<Outcome> {
    let mut dice = Dice::new(sql);
    let mut outcome: Option<Outcome> = None;
    for _ in 0..RUNS {
        connection.execute("SAVEPOINT run").await?;
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        for _ in 0..parameters {
            query = query.bind(dice.below(VALUES + 1).to_string());
        }
        let found = match query.fetch_all(&mut *connection).await {
            Ok(rows) => Outcome::Rows(rows.len()),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        connection.execute("ROLLBACK TO run; RELEASE run").await?;
        outcome = Some(super::merged(outcome, found));
    }
    Ok(outcome.unwrap_or(Outcome::Rows(0)))
}
