//! The arguments that a parameter accepts: any value, because the server does not report its type.

use query_budget::{query, query_scalar};

use crate::database::with_database;

#[tokio::test]
async fn values_references_and_options() {
    with_database("values", async |db| {
        let (id, name) = (1_i64, String::from("Ada"));
        for found in [
            query_scalar!("SELECT id FROM users WHERE id = ?", id).fetch_one(&db).await,
            query_scalar!("SELECT id FROM users WHERE id = ?", &id).fetch_one(&db).await,
            query_scalar!("SELECT id FROM users WHERE id = ?", Some(&id)).fetch_one(&db).await,
            query_scalar!("SELECT id FROM users WHERE id = ? AND name = ?", 1, "Ada").fetch_one(&db).await,
            query_scalar!("SELECT id FROM users WHERE id = ? AND name = ?", 1, &name[..])
                .fetch_one(&db)
                .await,
            // It is borrowed, not moved.
            query_scalar!("SELECT id FROM users WHERE id = ? AND name = ?", 1, name).fetch_one(&db).await,
            query_scalar!("SELECT id FROM users WHERE id = ? AND name = ?", 1, &name,).fetch_one(&db).await,
        ] {
            assert_eq!(found.unwrap(), 1);
        }
        let nothing: Option<i64> = None;
        let found = query!("SELECT id FROM users WHERE id = ?", nothing).fetch_optional(&db).await.unwrap();
        assert!(found.is_none());
    })
    .await;
}

#[tokio::test]
async fn as_many_as_there_are() {
    with_database("many", async |db| {
        let (none, date): (Option<&str>, &str) = (None, "2022-01-02 03:04:05");
        let added = query!(
            "INSERT INTO users (name, bio, age, active, tiny, small, counted, large, score, created_at, mood)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            "Eve",
            none,
            Some(3),
            true,
            -1_i8,
            2_u16,
            3_u32,
            u64::MAX,
            0.25,
            date,
            "sad"
        );
        let added = added.execute(&db).await.unwrap();
        assert_eq!((added.rows_affected(), added.last_insert_id()), (1, 3));
        let eve = query!("SELECT name, large, mood FROM users WHERE id = ?", 3).fetch_one(&db).await.unwrap();
        assert_eq!((eve.name.as_str(), eve.large, eve.mood.as_str()), ("Eve", u64::MAX, "sad"));
    })
    .await;
}

#[tokio::test]
async fn evaluated_once() {
    with_database("once", async |db| {
        let mut calls = 0;
        let mut next = || {
            calls += 1;
            1_i64
        };
        query!("SELECT id FROM users WHERE id = ?", next()).fetch_one(&db).await.unwrap();
        assert_eq!(calls, 1);
    })
    .await;
}
