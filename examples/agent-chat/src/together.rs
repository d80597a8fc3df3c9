//! Within a budget: two queries, whatever the page contains.

use query_budget::{query_budget, sql_as};
use sqlx::{PgPool, Result};

use crate::{Message, Page, Workflow};

/// The page of a channel.
///
/// # Errors
///
/// Returns the error of the database.
#[query_budget(max = 2, rows = 60)]
pub async fn page(db: &PgPool, channel: i64) -> Result<Page> {
    let messages = sql_as!(
        Message,
        "SELECT messages.body, agents.name AS author
         FROM messages JOIN agents ON agents.id = messages.author_id
         WHERE messages.channel_id = $1 ORDER BY messages.id DESC LIMIT 50",
        channel
    );
    let workflows = sql_as!(
        Workflow,
        r#"SELECT name,
             (SELECT count(*) FROM workflow_tasks
              WHERE workflow_tasks.workflow_id = workflows.id AND workflow_tasks.status = 'done') AS "done!"
         FROM workflows WHERE channel_id = $1 AND status = 'executing' ORDER BY id LIMIT 10"#,
        channel
    );
    Ok(Page { messages: messages.fetch_all(db).await?, workflows: workflows.fetch_all(db).await? })
}
