//! The naive version: one query for the author of each message and for the tasks of each workflow.

use query_budget::{sql_as, sql_scalar};
use sqlx::{PgPool, Result};

use crate::{Message, Page, Workflow};

/// The page of a channel.
///
/// # Errors
///
/// Returns the error of the database.
pub async fn page(db: &PgPool, channel: i64) -> Result<Page> {
    let rows = sql_as!(
        (String, i64),
        "SELECT body, author_id FROM messages WHERE channel_id = $1 ORDER BY id DESC LIMIT 50",
        channel
    );
    let mut messages = Vec::new();
    for (body, author) in rows.fetch_all(db).await? {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let author = sql_scalar!(String, "SELECT name FROM agents WHERE id = $1", author);
        messages.push(Message { body, author: author.fetch_one(db).await? });
    }
    let rows = sql_as!(
        (i64, String),
        "SELECT id, name FROM workflows WHERE channel_id = $1 AND status = 'executing' ORDER BY id LIMIT 10",
        channel
    );
    let mut workflows = Vec::new();
    for (id, name) in rows.fetch_all(db).await? {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let done = sql_scalar!(
            i64,
            "SELECT count(*) FROM workflow_tasks WHERE workflow_id = $1 AND status = 'done'",
            id
        );
        workflows.push(Workflow { name, done: done.fetch_one(db).await? });
    }
    Ok(Page { messages, workflows })
}
