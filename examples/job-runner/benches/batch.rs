//! Rows inserted in a loop compared with batches, alternating on the same connection:
//! `cargo bench -p job-runner --bench batch`.
//!
//! `DATABASE_URL` names a PostgreSQL database in which the benchmark creates its tables; without it nothing
//! is measured. Prints the headlines of two rows of SEEDS: 002, a thousand rows in four forms, and 000, a run
//! of a hundred steps.
//!
//! The results depend on what the loop waits for: a round trip to the server per row, and a commit per row,
//! which takes as long as the server's disk takes to sync. So both are printed too.

use std::time::{Duration, Instant};

use job_runner::rows::{Form, add_steps};
use job_runner::{batched, looped, plan, together};
use query_budget::sql_scalar;
use sqlx::Result;
use sqlx::postgres::{PgPool, PgPoolOptions};

const ROUNDS: usize = 15;
const ROWS: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        println!("`DATABASE_URL` is not set: nothing is measured");
        return;
    };
    let db = PgPoolOptions::new().max_connections(1).connect(&url).await.expect("connect to PostgreSQL");
    job_runner::migrate(&db).await.expect("make the tables");
    server(&db).await.expect("what the server waits for");
    rows(&db).await.expect("seed 002");
    steps(&db).await.expect("seed 000");
    sqlx::query("TRUNCATE runs CASCADE").execute(&db).await.expect("clean up");
}

/// Prints the time of a round trip to the server, and the additional time of a commit.
async fn server(db: &PgPool) -> Result<()> {
    let (mut ways, mut commits) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let started = Instant::now();
        sqlx::query("SELECT 1").execute(db).await?;
        ways.push(started.elapsed());
        let started = Instant::now();
        insert_run(db).await?;
        commits.push(started.elapsed());
    }
    let settings: (String, String) =
        sqlx::query_as("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
            .fetch_one(db)
            .await?;
    println!(
        "a way to the server and back: {:.3} ms; an INSERT with its commit: {:.3} ms (synchronous_commit {}, fsync {})\n",
        milliseconds(median(ways)),
        milliseconds(median(commits)),
        settings.0,
        settings.1
    );
    Ok(())
}

async fn insert_run(db: &PgPool) -> Result<i64> {
    sql_scalar!(i64, "INSERT INTO runs (plan) VALUES ('bench') RETURNING id").fetch_one(db).await
}

/// A thousand rows: one INSERT each, and four forms of a batch.
async fn rows(db: &PgPool) -> Result<()> {
    let names = plan(ROWS);
    let mut times: [Vec<Duration>; 6] = Default::default();
    for _ in 0..ROUNDS {
        for ((_, form), times) in Form::ALL.into_iter().zip(&mut times) {
            let run = insert_run(db).await?;
            if form == Form::Upsert {
                // The rows exist already, so that the upsert conflicts.
                add_steps(db, run, &names, Form::Batch).await?;
            }
            let started = Instant::now();
            assert_eq!(add_steps(db, run, &names, form).await?, names.len());
            times.push(started.elapsed());
        }
    }
    println!("SEEDS 002: {ROWS} rows");
    let medians = times.map(median);
    let forms = [
        "row by row",
        "row by row, one transaction",
        "batch",
        "batch, RETURNING",
        "batch, upsert",
        "batch, in a transaction",
    ];
    print(&forms, &medians);
    Ok(())
}

/// A run of a hundred steps: in a loop, as batches, and as one statement.
async fn steps(db: &PgPool) -> Result<()> {
    let names = plan(100);
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let [looped, batched, together] = &mut times;
        let started = Instant::now();
        looped::create_run(db, "bench", &names).await?;
        looped.push(started.elapsed());
        let started = Instant::now();
        batched::create_run(db, "bench", &names).await?;
        batched.push(started.elapsed());
        let started = Instant::now();
        together::create_run(db, "bench", &names).await?;
        together.push(started.elapsed());
    }
    println!("\nSEEDS 000: a run of 100 steps");
    print(&["401 queries", "4 queries, as batches", "1 query"], &times.map(median));
    Ok(())
}

/// Prints the median of each form, and its speed-up over the first.
fn print(forms: &[&str], medians: &[Duration]) {
    for (form, median) in forms.iter().zip(medians) {
        let first = medians.first().copied().unwrap_or_default();
        let factor = first.as_secs_f64() / median.as_secs_f64();
        println!("{form:<30}{:>9.2} ms{factor:>9.1}×", milliseconds(*median));
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
