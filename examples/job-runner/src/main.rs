//! `DATABASE_URL=postgres://.. cargo run -p job-runner` serves on port 3000, or on `PORT`.
//!
//! ```sh
//! curl -i -X POST 'http://127.0.0.1:3000/runs?steps=100&how=loop'
//! curl -i -X POST 'http://127.0.0.1:3000/runs?steps=100'
//! curl -i -X POST 'http://127.0.0.1:3000/runs/1/steps?rows=1000&how=upsert'
//! ```

use query_budget::{PoolProfile, watch_pool};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ours = Targets::new().with_target("query_budget", LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(query_budget::layer())
        .with(tracing_subscriber::fmt::layer().with_filter(ours))
        .init();

    let url = std::env::var("DATABASE_URL").map_err(|_| "`DATABASE_URL` is not set")?;
    let db = PoolProfile::of_environment().options::<sqlx::Postgres>().connect(&url).await?;
    watch_pool("main", &db).forget();
    job_runner::migrate(&db).await?;

    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3000);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listens on {}", listener.local_addr()?);
    axum::serve(listener, job_runner::router(db)).await?;
    Ok(())
}
