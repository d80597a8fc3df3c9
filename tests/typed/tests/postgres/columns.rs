//! The properties of columns: names, NULL, types.

use query_budget::{query, query_as};
use sqlx::types::JsonValue;
use sqlx::types::chrono::{DateTime, Utc};

use crate::Mood;
use crate::database::with_database;

#[tokio::test]
async fn null_is_where_it_can_be() {
    with_database("nulls", async |db| {
        let rows = query!(
            "SELECT users.id, posts.id AS \"post?\", posts.title AS \"title?\" FROM users LEFT JOIN posts ON posts.user_id = users.id ORDER BY users.id, posts.id"
        )
        .fetch_all(&db)
        .await
        .unwrap();
        let rows: Vec<(i64, Option<i64>, Option<String>)> =
            rows.into_iter().map(|row| (row.id, row.post, row.title)).collect();
        assert_eq!(rows, [(1, Some(10), Some("first".into())), (1, Some(11), Some("second".into())), (2, None, None)]);
    })
    .await;
}

#[tokio::test]
async fn names_that_are_words_of_rust() {
    #[derive(Debug)]
    struct Post {
        r#type: String,
        row: i64,
    }
    with_database("words", async |db| {
        let post = query!(r#"SELECT "type", id AS "fn", id AS query_args FROM posts WHERE id = 10"#)
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!((post.r#type.as_str(), post.r#fn, post.query_args), ("note", 10, 10));
        let post = query_as!(Post, r#"SELECT "type", id AS row FROM posts WHERE id = 10"#)
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!((post.r#type.as_str(), post.row), ("note", 10));
        // A keyword since edition 2024.
        let post = query!("SELECT id AS gen FROM posts WHERE id = 10").fetch_one(&db).await.unwrap();
        assert_eq!(post.r#gen, 10);
        // A name against Rust's naming conventions causes no warning.
        let named = query!(r#"SELECT id AS "userId" FROM users WHERE id = 1"#).fetch_one(&db).await.unwrap();
        assert_eq!(named.userId, 1);
    })
    .await;
}

#[tokio::test]
async fn types_of_other_crates_and_of_the_project() {
    with_database("types", async |db| {
        let user = query!("SELECT mood, tags, settings, created_at FROM users WHERE id = 1")
            .fetch_one(&db)
            .await
            .unwrap();
        let settings: Option<JsonValue> = user.settings;
        let created: DateTime<Utc> = user.created_at;
        assert_eq!((user.mood, user.tags.len(), settings), (Mood::Happy, 2, None));
        assert!(created <= Utc::now());
    })
    .await;
}
