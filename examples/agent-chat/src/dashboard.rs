//! The dashboard of many channels: the newest message of each, its author, and the running workflows.

use std::time::Duration;

use query_budget::cache::{CachedPool, Store, Stores};
use query_budget::{query_budget, sql, sql_as, sql_scalar};
use sqlx::{PgPool, Postgres, Result};

/// How long the dashboard is cached if nothing is written.
const LIVES: Duration = Duration::from_secs(60);

/// The newest message of a channel: the channel, its text, its author, and the number of messages in the
/// channel.
pub type Newest = (i64, String, String, i64);
/// A running workflow: its channel, its name, and how many of its tasks are done.
pub type Running = (i64, String, i64);

/// What the dashboard shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// One per channel, by channel.
    pub newest: Vec<Newest>,
    /// By channel and age.
    pub running: Vec<Running>,
}

/// The naive version: eight queries per channel.
///
/// # Errors
///
/// Returns the error of the database.
pub async fn looped(db: &PgPool, channels: &[i64]) -> Result<Dashboard> {
    let (mut newest, mut running) = (Vec::new(), Vec::new());
    for channel in channels {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let last = sql_as!(
            (String, i64),
            "SELECT body, author_id FROM messages WHERE channel_id = $1 ORDER BY id DESC LIMIT 1",
            channel
        );
        let Some((body, author)) = last.fetch_optional(db).await? else { continue };
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let author = sql_scalar!(String, "SELECT name FROM agents WHERE id = $1", author);
        let author = author.fetch_one(db).await?;
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let count = sql_scalar!(i64, "SELECT count(*) FROM messages WHERE channel_id = $1", channel);
        newest.push((*channel, body, author, count.fetch_one(db).await?));
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let workflows = sql_as!(
            (i64, String),
            "SELECT id, name FROM workflows WHERE channel_id = $1 AND status = 'executing' ORDER BY id LIMIT 10",
            channel
        );
        for (id, name) in workflows.fetch_all(db).await? {
            // query-budget: allow(query_in_loop): the example of what a budget is for
            let done = sql_scalar!(
                i64,
                "SELECT count(*) FROM workflow_tasks WHERE workflow_id = $1 AND status = 'done'",
                id
            );
            running.push((*channel, name, done.fetch_one(db).await?));
        }
    }
    Ok(Dashboard { newest, running })
}

/// Within a budget: two queries for all channels, each cached until something it reads is written.
///
/// # Errors
///
/// Returns the error of the database.
#[query_budget(max = 2)]
pub async fn together<S>(db: &CachedPool<Postgres, S>, channels: &[i64]) -> Result<Dashboard>
where
    S: Store + Stores<Vec<Newest>> + Stores<Vec<Running>>,
{
    let newest = sql_as!(
        (i64, String, String, i64),
        r#"SELECT channel.id AS "id!", last.body, agents.name,
             (SELECT count(*) FROM messages WHERE messages.channel_id = channel.id) AS "messages!"
         FROM UNNEST($1::bigint[]) AS channel (id)
         CROSS JOIN LATERAL (
             SELECT body, author_id FROM messages WHERE channel_id = channel.id ORDER BY messages.id DESC LIMIT 1
         ) AS last
         JOIN agents ON agents.id = last.author_id
         ORDER BY channel.id LIMIT 1000"#,
        channels
    );
    let running = sql_as!(
        (i64, String, i64),
        r#"SELECT workflows.channel_id, workflows.name,
             (SELECT count(*) FROM workflow_tasks
              WHERE workflow_tasks.workflow_id = workflows.id AND workflow_tasks.status = 'done') AS "done!"
         FROM workflows WHERE workflows.channel_id = ANY($1) AND workflows.status = 'executing'
         ORDER BY workflows.channel_id, workflows.id LIMIT 1000"#,
        channels
    );
    let newest = newest.cached(LIVES).fetch_all(db).await?;
    let running = running.cached(LIVES).fetch_all(db).await?;
    Ok(Dashboard { newest: newest.to_vec(), running: running.to_vec() })
}

/// Posts a message in a channel; this invalidates the cached dashboards that show messages.
///
/// # Errors
///
/// Returns the error of the database.
#[query_budget(max = 1)]
pub async fn say<S: Store>(
    db: &CachedPool<Postgres, S>,
    channel: i64,
    author: i64,
    body: &str,
) -> Result<()> {
    sql!("INSERT INTO messages (channel_id, author_id, body) VALUES ($1, $2, $3)", channel, author, body)
        .execute(db)
        .await
        .map(drop)
}
