//! The feed of a channel, page by page.

use std::time::Duration;

use query_budget::cache::CachedPool;
use query_budget::{PageError, PageRequest, query_budget, sql_as, sql_page_as, sql_scalar};
use sqlx::{PgPool, Postgres, Result};

use crate::Message;

/// How long the names of agents are cached.
const LIVES: Duration = Duration::from_secs(300);
const ON_A_PAGE: u32 = 20;

/// A page of the feed, and the cursor of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The messages, newest first.
    pub messages: Vec<Message>,
    /// The value of [`PageRequest::after`] for the next page; `None` on the last page.
    pub next: Option<String>,
}

/// The naive version: pages by number, and one query per author.
///
/// # Errors
///
/// Returns the error of the database.
pub async fn looped(db: &PgPool, channel: i64, page: i64) -> Result<Vec<Message>> {
    // query-budget: allow(deep_offset): the example of what pages by key are for
    let rows = sql_as!(
        (String, i64),
        "SELECT body, author_id FROM messages WHERE channel_id = $1 ORDER BY id DESC LIMIT 20 OFFSET $2",
        channel,
        page * i64::from(ON_A_PAGE)
    );
    let mut messages = Vec::new();
    for (body, author) in rows.fetch_all(db).await? {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let author = sql_scalar!(String, "SELECT name FROM agents WHERE id = $1", author);
        messages.push(Message { body, author: author.fetch_one(db).await? });
    }
    Ok(messages)
}

/// Within a budget: a page by key, and the agents' names from a cache.
///
/// # Errors
///
/// Returns the error of the database, or an error if the cursor is not one that a page returned.
#[query_budget(max = 2)]
pub async fn page(db: &CachedPool<Postgres>, channel: i64, request: &PageRequest) -> Result<Feed, PageError> {
    let messages = sql_page_as!(
        (i64, String, i64),
        "SELECT id, body, author_id FROM messages WHERE channel_id = $1 ORDER BY id DESC",
        channel
    );
    let page = messages.sizes(ON_A_PAGE, 100).fetch_page(db, request).await?;
    let agents = sql_as!((i64, String), "SELECT id, name FROM agents ORDER BY id LIMIT 1000");
    let agents = agents.cached(LIVES).fetch_all(db).await?;
    let name = |id: i64| {
        let at = agents.binary_search_by_key(&id, |(agent, _)| *agent);
        at.ok().and_then(|at| agents.get(at)).map_or_else(String::new, |(_, name)| name.clone())
    };
    let messages = page.rows.into_iter().map(|(_, body, author)| Message { author: name(author), body });
    Ok(Feed { messages: messages.collect(), next: page.next })
}
