//! Creating a run in a loop compared with one statement, alternating on the same connection:
//! `cargo bench -p job-runner`.
//!
//! `DATABASE_URL` names a PostgreSQL database in which the benchmark creates its tables. Without it nothing
//! is measured.

use std::time::{Duration, Instant};

use job_runner::{looped, plan, together};
use sqlx::postgres::{PgPool, PgPoolOptions};

const ROUNDS: usize = 31;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        println!("`DATABASE_URL` is not set: nothing is measured");
        return;
    };
    let db = PgPoolOptions::new().max_connections(1).connect(&url).await.expect("connect to PostgreSQL");
    job_runner::migrate(&db).await.expect("make the tables");
    println!("{:>6}{:>14}{:>18}{:>9}", "steps", "loop", "one statement", "factor");
    for steps in [10, 50, 100] {
        measure(&db, steps).await;
    }
    sqlx::query("TRUNCATE runs CASCADE").execute(&db).await.expect("clean up");
}

/// Prints the medians of both variants and their ratio.
async fn measure(db: &PgPool, steps: usize) {
    let names = plan(steps);
    let (mut loops, mut statements) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        looped::create_run(db, "bench", &names).await.expect("it is created");
        loops.push(started.elapsed());
        let started = Instant::now();
        together::create_run(db, "bench", &names).await.expect("it is created");
        statements.push(started.elapsed());
    }
    let (of_loop, of_statement) = (median(loops), median(statements));
    let factor = of_loop.as_secs_f64() / of_statement.as_secs_f64();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{steps:>6}{:>11.2} ms{:>15.2} ms{factor:>8.1}×",
        milliseconds(of_loop),
        milliseconds(of_statement)
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
