//! The suggestions of the lints for the loops in `tests/fixtures/pasted/loops.rs`, pasted in place: they
//! compile. A test in `tests/house` keeps the two in sync.

#![expect(dead_code, reason = "what is asked is that it builds")]

use query_budget::{PageError, PageRequest, sql_batch, sql_batch_as, sql_page_as};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{PgPool, Result};

struct Step {
    run: i64,
    name: String,
}

struct Post {
    id: i64,
    user_id: i64,
    title: String,
}

struct Article {
    id: i64,
    title: String,
    created_at: DateTime<Utc>,
}

async fn lines(db: &PgPool, run: i64, lines: &[String]) -> Result<()> {
    let batch = sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", lines => |line| (&run, line));
    batch.execute(db).await.map(drop)
}

async fn of_a_run(db: &PgPool, run: String, tags: Vec<String>) -> Result<()> {
    let batch = sql_batch!("UPDATE users SET nickname = $1 WHERE name = $2", tags => |tag| (&run, tag));
    batch.execute(db).await.map(drop)
}

async fn fields(db: &PgPool, steps: Vec<Step>) -> Result<()> {
    let batch = sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", steps.iter() => |step| (&step.run, &step.name));
    batch.execute(db).await.map(drop)
}

async fn borrowed(db: &PgPool, steps: &[Step]) -> Result<()> {
    let batch = sql_batch!("DELETE FROM steps WHERE run_id = $1 AND name = $2", steps => |Step { run, name }| (run, name));
    batch.execute(db).await.map(drop)
}

async fn counted(db: &PgPool, names: &[String]) -> Result<()> {
    let batch = sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", (1_i64..).zip(names) => |(note, name)| (note, name));
    batch.execute(db).await.map(drop)
}

async fn shared(db: &PgPool, names: &[(i64, String)], nickname: String) -> Result<()> {
    let batch = sql_batch!("UPDATE users SET name = $1 WHERE id = $2 AND nickname = $3", names => |(id, name)| (name, id), nickname);
    batch.execute(db).await.map(drop)
}

async fn keys(db: &PgPool, ids: &[i64]) -> Result<()> {
    let batch = sql_batch!("SELECT id, name FROM users WHERE id = $1", ids => |id| id);
    batch.fetch_map(db, |user| user.id).await.map(drop)
}

async fn rows(db: &PgPool, ids: &[i64]) -> Result<()> {
    let batch =
        sql_batch_as!(Post, "SELECT id, user_id, title FROM posts WHERE user_id = $1", ids => |&id| id);
    batch.fetch_groups(db, |post| post.user_id).await.map(drop)
}

async fn page(db: &PgPool, author: i64, request: &PageRequest) -> std::result::Result<(), PageError> {
    let page = sql_page_as!(
        Article,
        "SELECT id, title, created_at FROM articles WHERE author_id = $1 ORDER BY created_at DESC, id DESC",
        author
    );
    page.fetch_page(db, request).await.map(drop)
}
