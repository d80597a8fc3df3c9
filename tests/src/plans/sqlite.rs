//! Plans of SQLite.

use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

use super::Read;

/// The plan of a query; an inner error is why the database cannot plan it.
///
/// # Errors
///
/// If a row of the plan cannot be read.
pub async fn plan(connection: &mut SqliteConnection, sql: &str) -> sqlx::Result<Result<Vec<Read>, String>> {
    let partial: Vec<String> = sqlx::query_scalar(
        "SELECT i.name FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND i.partial",
    )
    .fetch_all(&mut *connection)
    .await?;
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = match connection.fetch_all(sqlx::raw_sql(explain)).await {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("detail")).collect::<sqlx::Result<_>>()?;
    Ok(Ok(lines.iter().filter_map(|line| read(line, &partial)).collect()))
}

/// The table access in a line; `None` for lines on subqueries, sorting and so on.
fn read(line: &str, partial: &[String]) -> Option<Read> {
    let (what, rest) = line.split_once(' ')?;
    let alias = rest.split(' ').next().filter(|alias| !alias.starts_with('(') && *alias != "CONSTANT")?;
    let index = rest.split("INDEX ").nth(1).and_then(|rest| rest.split(' ').next());
    // An index built for this run does not count.
    let is_automatic = rest.contains("USING AUTOMATIC ");
    // The plan does not tell whether the rows of a partial index are filtered.
    let walks_partial = what == "SCAN" && index.is_some_and(|index| partial.iter().any(|it| it == index));
    matches!(what, "SEARCH" | "SCAN").then(|| Read {
        alias: alias.to_owned(),
        // Looking for the minimum or maximum is called a search even if every row is read.
        is_served: what == "SEARCH" && rest.contains(" USING ") && !is_automatic || walks_partial,
        indexes: index.filter(|_| !is_automatic).map(str::to_owned).into_iter().collect(),
        is_open: walks_partial,
        said: line.to_owned(),
    })
}
