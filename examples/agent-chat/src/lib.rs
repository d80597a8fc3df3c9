//! An agent chat: a page shows the newest messages of a channel with their authors, and the running
//! workflows.
//!
//! The page is implemented twice: naively, with a query per author, and within a budget. So are the feed of a
//! channel, which is paged by key with cached authors, and the dashboard of many channels, which is cached as
//! a whole.

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
    /// Its text.
    pub body: String,
    /// The name of the agent that wrote it.
    pub author: String,
}

/// A running workflow of a channel.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Number of its tasks that are done.
    pub done: i64,
}

/// The content of a channel's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The newest messages.
    pub messages: Vec<Message>,
    /// The running workflows.
    pub workflows: Vec<Workflow>,
}

/// Creates the tables.
///
/// # Errors
///
/// Returns the error of the database, or an error if the folder of the migrations cannot be read.
pub async fn migrate(db: &PgPool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    sqlx::migrate::Migrator::new(std::path::Path::new(folder)).await?.run(db).await
}

/// Fills empty tables: 20 agents, 100 channels with 100 messages and 4 running workflows each.
///
/// # Errors
///
/// Returns the error of the database.
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
