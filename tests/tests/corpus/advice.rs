//! The advice for every folder, applied to a real database full of rows.

use query_budget_analysis::sql::Dialect;
use query_budget_tests::rows::distinct;
use query_budget_tests::with_postgres;
use sqlx::{Connection, PgPool, SqliteConnection};

use super::folder::{Folder, show};
use super::load;
use crate::proof::{Proof, Workload};

/// The minimum percentage of the claimed accesses of a folder that the advice serves.
const SERVED: f64 = 95.0;

fn workload(folder: &Folder) -> Workload {
    let queries = folder.queries();
    let sql = queries.iter().filter_map(|known| known["query"].as_str()).map(str::to_owned);
    Workload::new(folder.replayed(), sql.collect::<Vec<_>>())
}

/// Prints the outcome of the advice, and records what is wrong with it.
fn report(folder: &Folder, proof: &Proof, wrong: &mut Vec<String>) {
    show(&proof.line(&folder.name));
    let name = &folder.name;
    if std::env::var("QUERY_BUDGET_SHOW").is_ok_and(|what| what == "advice") {
        proof.missed.iter().for_each(|text| show(&format!("{name}: not served: {text}")));
        proof.left_unserved.iter().for_each(|text| show(&format!("{name}: without advice: {text}")));
    }
    if proof.percent() < SERVED {
        wrong.push(format!("{name}: {:.2} % are served, {SERVED} % are needed", proof.percent()));
    }
    wrong.extend(proof.unused.iter().map(|index| format!("{name}: {index} is not used")));
    wrong.extend(proof.redundant.iter().map(|index| format!("{name}: {index}")));
}

#[tokio::test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
#[cfg_attr(all(has_corpus, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn advice_is_proven_on_postgres() {
    show(&Proof::heading());
    let wrong = std::sync::Arc::new(tokio::sync::Mutex::new(Vec::new()));
    Folder::each_on_postgres(|folder| {
        let wrong = std::sync::Arc::clone(&wrong);
        with_postgres(move |pool| async move {
            let proof = prove(&folder, &pool).await;
            report(&folder, &proof, &mut *wrong.lock().await);
        })
    })
    .await;
    let wrong = wrong.lock().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn prove(folder: &Folder, pool: &PgPool) -> Proof {
    let roles = load::Roles::before(folder, pool).await;
    load::migrate(folder, pool).await;
    let mut connection = pool.acquire().await.expect("a connection").detach();
    let empty = distinct::postgres(&mut connection).await.expect("fill the tables");
    if !empty.is_empty() {
        show(&format!("{}: no rows in {}", folder.name, empty.join(", ")));
    }
    let workload = workload(folder);
    let proof = workload.prove_on_postgres(&mut connection).await;
    connection.close().await.expect("close the connection");
    roles.drop_new(pool).await;
    proof
}

#[tokio::test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
async fn advice_is_proven_on_sqlite() {
    show(&Proof::heading());
    let mut wrong = Vec::new();
    for folder in Folder::all().into_iter().filter(|folder| folder.dialect == Dialect::Sqlite) {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open a database");
        load::migrate_sqlite(&folder, &mut connection).await;
        distinct::sqlite(&mut connection).await.expect("fill the tables");
        let proof = workload(&folder).prove_on_sqlite(&mut connection).await;
        report(&folder, &proof, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
