//! An argument whose type no database has: one error, at the argument.

use query_budget::sql;
use sqlx::PgPool;

pub struct User {
    pub id: i64,
}

pub enum Word {
    One,
}

pub async fn run(db: &PgPool, user: User, word: Word) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1", user).fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE id = $1", &user).fetch_optional(db).await?;
    sql!("SELECT id FROM servers WHERE name = $1", word).fetch_optional(db).await?;
    sql!("SELECT id FROM servers WHERE name = $1", &word).fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE id = ANY($1) LIMIT 9", vec![Word::One]).fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id = $1", user as _).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
