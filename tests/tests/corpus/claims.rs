//! Every query that the engine claims to return at most one row, run on real tables full of rows: none may
//! return more.

use query_budget_analysis::cardinality::{self, Rows};
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_tests::rows::{self, Outcome};
use query_budget_tests::with_postgres;
use sqlx::{Connection, PgPool, SqliteConnection};

use super::folder::{Folder, show};
use super::load;

/// The minimum percentage of claims that have to be tried with matching rows; otherwise the test proves
/// little.
const MATCHED: usize = 60;

/// The outcomes of the claims of a folder.
#[derive(Default)]
struct Tally {
    claims: usize,
    /// Returned one row at least once.
    matched: usize,
    /// Never returned a row.
    empty: usize,
    /// Could not be run, each with the reason.
    failed: Vec<String>,
    /// Returned more than one row.
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, sql: &str, reason: &str, outcome: Outcome) {
        self.claims += 1;
        match outcome {
            Outcome::Rows(0) => self.empty += 1,
            Outcome::Rows(1) => self.matched += 1,
            Outcome::Rows(rows) => self.wrong.push(format!("{rows} rows, although {reason}:\n    {sql}")),
            Outcome::Failed(error) => self.failed.push(format!("{error}:\n    {sql}")),
        }
    }

    fn report(self, folder: &Folder) {
        let Tally { claims, matched, empty, failed, wrong } = self;
        let (failed_count, wrong_count) = (failed.len(), wrong.len());
        show(&format!(
            "{:<20}{claims:>8}{matched:>9}{empty:>8}{failed_count:>8}{wrong_count:>8}",
            folder.name
        ));
        if std::env::var("QUERY_BUDGET_SHOW").is_ok_and(|what| what == "claims") {
            failed.iter().for_each(|text| show(&format!("{}: {text}", folder.name)));
        }
        assert!(wrong.is_empty(), "{}: {}", folder.name, wrong.join("\n"));
        assert!(
            matched * 100 >= claims * MATCHED,
            "{}: only {matched} of {claims} claims were tried",
            folder.name
        );
    }
}

/// The queries of a folder that supposedly return at most one row, each with the reason and the number of its
/// parameters.
fn claims(folder: &Folder) -> Vec<(String, String, usize)> {
    let schema = folder.replayed();
    let queries = folder.queries();
    let queries = queries.iter().filter_map(|known| known["query"].as_str());
    let claim = |sql: &str| {
        let query = resolve(sql, folder.dialect, Some(&schema)).ok()?;
        let returns = query.block(query.root?).outputs.as_ref().is_none_or(|outputs| !outputs.is_empty());
        let found = cardinality::of(&query, Some(&schema));
        (returns && found.rows == Rows::One).then(|| (sql.to_owned(), found.reason, query.parameters))
    };
    queries.filter_map(claim).collect()
}

#[tokio::test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
async fn at_most_one_row_in_sqlite() {
    for folder in Folder::all().into_iter().filter(|folder| folder.dialect == Dialect::Sqlite) {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open a database");
        load::migrate_sqlite(&folder, &mut connection).await;
        show(&heading(&rows::sqlite::fill(&mut connection).await.expect("fill the tables")));
        let mut tally = Tally::default();
        for (sql, reason, parameters) in claims(&folder) {
            let outcome = rows::sqlite::run(&mut connection, &sql, parameters).await.expect("run a query");
            tally.count(&sql, &reason, outcome);
        }
        tally.report(&folder);
    }
}

#[tokio::test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
#[cfg_attr(all(has_corpus, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn at_most_one_row_in_postgres() {
    let test = |folder: Folder| with_postgres(move |pool| async move { try_claims(&folder, &pool).await });
    Folder::each_on_postgres(test).await;
}

async fn try_claims(folder: &Folder, pool: &PgPool) {
    let roles = load::Roles::before(folder, pool).await;
    load::migrate(folder, pool).await;
    let mut connection = pool.acquire().await.expect("a connection");
    let heading = heading(&rows::postgres::fill(&mut connection).await.expect("fill the tables"));
    let mut tally = Tally::default();
    for (sql, reason, _) in claims(folder) {
        let outcome = rows::postgres::run(&mut connection, &sql).await.expect("run a query");
        tally.count(&sql, &reason, outcome);
    }
    roles.drop_new(pool).await;
    show(&heading);
    tally.report(folder);
}

/// The head of the table, with the tables that no row could be inserted into.
fn heading(filled: &std::collections::BTreeMap<String, usize>) -> String {
    let empty: Vec<&str> =
        filled.iter().filter(|(_, rows)| **rows == 0).map(|(name, _)| name.as_str()).collect();
    let head = format!(
        "\n{:<20}{:>8}{:>9}{:>8}{:>8}{:>8}",
        "at most one row", "claims", "one row", "no row", "failed", "more"
    );
    match empty.as_slice() {
        [] => head,
        tables => format!("{head}    (no rows: {})", tables.join(", ")),
    }
}
