//! How a live database would read the tables of a query. It runs `EXPLAIN` without `ANALYZE`, one
//! statement at a time, over a protocol that does not accept several, and each in a read-only transaction
//! that is rolled back. None of the user's statements is executed, except for functions that a planner
//! evaluates.

mod guard;
mod hypothetical;
mod mysql;
mod postgres;
mod reach;
mod sqlite;

use std::collections::BTreeMap;

use query_budget_analysis::index::Verdict;
use query_budget_analysis::sql::Dialect;
use sqlx::AssertSqlSafe;

use super::{Live, Texts, texts_of};
use crate::failure::Failure;

pub(crate) use hypothetical::{Tried, can_try, try_out};

/// A planner that can be queried.
pub(crate) struct Planner {
    live: Live,
    reach: reach::Reach,
    postgres: postgres::Known,
    sqlite: sqlite::Known,
    /// The schema of the extension `hypopg`, once it is known to be installed.
    hypopg: String,
}

/// How a database would read one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its alias in the plan.
    pub(crate) alias: String,
    /// The verdicts that its plans allow; several if the planner has a choice, such as the side of a join.
    pub(crate) verdicts: Vec<Verdict>,
    /// The text of the plan, for display.
    pub(crate) said: String,
}

/// The access to one table in a plan.
struct PlannedRead {
    alias: String,
    verdicts: Vec<Verdict>,
    said: String,
}

impl PlannedRead {
    fn new(
        alias: impl Into<String>,
        verdicts: impl Into<Vec<Verdict>>,
        said: impl Into<String>,
    ) -> PlannedRead {
        PlannedRead { alias: alias.into(), verdicts: verdicts.into(), said: said.into() }
    }

    /// Whether the whole table is read, without an index that narrows it.
    fn reads_all(&self) -> bool {
        !self.verdicts.contains(&Verdict::Served)
    }
}

impl Planner {
    /// Connects to the database at a URL, for planning only.
    pub(crate) async fn open(url: &str) -> Result<Planner, Failure> {
        let mut live = Live::open(url).await?;
        let (postgres, reach) = match live.dialect() {
            Dialect::Postgres => postgres::Known::read(&mut live).await?,
            Dialect::MySql | Dialect::Sqlite => {
                (postgres::Known::default(), reach::Reach::read(&mut live).await?)
            }
        };
        let sqlite = match live.dialect() {
            Dialect::Sqlite => sqlite::Known::read(&mut live).await?,
            Dialect::MySql | Dialect::Postgres => sqlite::Known::default(),
        };
        Ok(Planner { live, reach, postgres, sqlite, hypopg: String::new() })
    }

    /// The dialect of the database.
    pub(crate) fn dialect(&self) -> Dialect {
        self.live.dialect()
    }

    /// The server's name and version.
    pub(crate) async fn version(&mut self) -> Result<String, Failure> {
        let sql = match self.dialect() {
            Dialect::Postgres => {
                "SELECT pg_catalog.concat('PostgreSQL ', pg_catalog.current_setting('server_version'))"
            }
            Dialect::MySql => "SELECT CONCAT(IF(VERSION() LIKE '%MariaDB%', '', 'MySQL '), VERSION())",
            Dialect::Sqlite => "SELECT 'SQLite ' || sqlite_version()",
        };
        let rows = self.live.texts(sql).await?;
        Ok(rows.into_iter().flatten().flatten().next().unwrap_or_default())
    }

    /// How the tables of a query would be read; the server's message if it fails.
    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Vec<Seen>, String> {
        guard::admit(sql, self.live.dialect())?;
        self.reach.admit(sql)?;
        let plans = match self.live.dialect() {
            Dialect::Postgres => postgres::plans(&mut self.live, &self.postgres, sql).await?,
            Dialect::MySql => vec![mysql::plan(&mut self.live, sql).await?],
            Dialect::Sqlite => vec![sqlite::plan(&mut self.live, &self.sqlite, sql).await?],
        };
        Ok(together(plans))
    }
}

/// Combines several plans of one query. The first is the one that uses indexes wherever possible; a later one
/// only counts if it reads no more tables in full, so that a table with three rows proves nothing.
fn together(plans: Vec<Vec<PlannedRead>>) -> Vec<Seen> {
    let in_full = |plan: &[PlannedRead]| plan.iter().filter(|step| step.reads_all()).count();
    let most = plans.first().map_or(0, |plan| in_full(plan));
    let mut order: Vec<String> = Vec::new();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for (at, plan) in plans.into_iter().enumerate() {
        if at > 0 && in_full(&plan) > most {
            continue;
        }
        for PlannedRead { alias, verdicts, said } in plan {
            let entry = seen.entry(alias.clone()).or_insert_with(|| {
                order.push(alias.clone());
                Seen { alias, verdicts: Vec::new(), said: said.clone() }
            });
            let new: Vec<Verdict> =
                verdicts.into_iter().filter(|verdict| !entry.verdicts.contains(verdict)).collect();
            entry.verdicts.extend(new);
            if !entry.said.split(", or ").any(|known| known == said) {
                entry.said = format!("{}, or {said}", entry.said);
            }
        }
    }
    order.into_iter().filter_map(|alias| seen.remove(&alias)).collect()
}

/// Sends one statement by the protocol for prepared statements, which rejects a second one in the same text,
/// and returns its rows as text; or the server's message if it fails.
async fn one(live: &mut Live, sql: &str) -> Result<Vec<Texts>, String> {
    let query = || AssertSqlSafe(sql.to_owned());
    let rows = match live {
        Live::Postgres(connection) => {
            let rows = sqlx::query(query()).persistent(false).fetch_all(connection).await;
            rows.map(|rows| rows.iter().map(texts_of).collect())
        }
        Live::MySql(connection) => {
            let rows = sqlx::query(query()).persistent(false).fetch_all(connection).await;
            rows.map(|rows| rows.iter().map(texts_of).collect())
        }
        Live::Sqlite(connection) => {
            let rows = sqlx::query(query()).persistent(false).fetch_all(connection).await;
            rows.map(|rows| rows.iter().map(texts_of).collect())
        }
    };
    rows.map_err(|error: sqlx::Error| match error.as_database_error() {
        Some(error) => error.message().lines().next().unwrap_or_default().to_owned(),
        None => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVED: [Verdict; 1] = [Verdict::Served];
    const FULL: [Verdict; 1] = [Verdict::Full];

    #[test]
    fn a_join_read_from_either_side_allows_both() {
        let plans = vec![
            vec![PlannedRead::new("a", FULL, "Seq Scan"), PlannedRead::new("b", SERVED, "Index Scan")],
            vec![PlannedRead::new("a", SERVED, "Index Scan"), PlannedRead::new("b", FULL, "Seq Scan")],
        ];
        let seen = together(plans);
        assert!(seen.iter().all(|seen| seen.verdicts.len() == 2), "{seen:?}");
        assert_eq!(seen[0].said, "Seq Scan, or Index Scan");
    }

    #[test]
    fn a_plan_that_reads_more_in_full_says_nothing() {
        let plans = vec![
            vec![PlannedRead::new("a", SERVED, "Index Scan"), PlannedRead::new("b", SERVED, "Index Scan")],
            vec![PlannedRead::new("a", FULL, "Seq Scan"), PlannedRead::new("b", FULL, "Seq Scan")],
        ];
        assert!(together(plans).iter().all(|seen| seen.verdicts == SERVED));
    }
}
