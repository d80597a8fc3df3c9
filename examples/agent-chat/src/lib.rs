//! An agent chat: a page shows the newest messages of a channel with their authors, and what runs there.
//!
//! The page is loaded twice: as it grows by itself, author by author, and within a budget. So are the feed of a channel, which
//! is read by the last key with its authors cached, and the dashboard of many channels, which is cached as a whole.

pub mod dashboard;
pub mod feed;
pub mod looped;
mod service;
pub mod together;

pub use service::router;

use sqlx::{FromRow, PgPool, Result};

/// A message on the page.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Message {
    /// What it says.
    pub body: String,
    /// The name of the agent that wrote it.
    pub author: String,
}

/// A workflow that runs in the channel.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Workflow {
    /// What it is called.
    pub name: String,
    /// Number of its tasks that are done.
    pub done: i64,
}

/// What the page of a channel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The newest messages.
    pub messages: Vec<Message>,
    /// What runs.
    pub workflows: Vec<Workflow>,
}

/// Makes the tables.
///
/// # Errors
///
/// What the database reports, or the folder of the migrations cannot be read.
pub async fn migrate(db: &PgPool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    sqlx::migrate::Migrator::new(std::path::Path::new(folder)).await?.run(db).await
}

/// Fills empty tables: 20 agents, 100 channels with 100 messages and 4 running workflows each.
///
/// # Errors
///
/// What the database reports.
pub async fn seed(db: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "INSERT INTO agents (name, kind)
         SELECT '@agent' || n, 'specialist' FROM generate_series(1, 20) AS n;
         INSERT INTO messages (channel_id, author_id, body)
         SELECT 1 + n % 100, 1 + n / 100 % 20, 'message ' || n FROM generate_series(1, 10000) AS n;
         INSERT INTO workflows (channel_id, name, status)
         SELECT 1 + n % 100, 'workflow ' || n, CASE WHEN n <= 400 THEN 'executing' ELSE 'completed' END
         FROM generate_series(1, 2000) AS n;
         INSERT INTO workflow_tasks (workflow_id, status)
         SELECT 1 + n % 2000, CASE WHEN n % 3 = 0 THEN 'done' ELSE 'queued' END
         FROM generate_series(1, 20000) AS n;
         ANALYZE",
    )
    .execute(db)
    .await
    .map(drop)
}
