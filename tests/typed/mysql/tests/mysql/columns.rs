//! The properties of columns: names, NULL, types, overrides.

use query_budget::{query, query_as, query_scalar, sql, sql_scalar};
use sqlx::types::chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use sqlx::types::{Json, JsonValue};

use crate::database::with_database;

#[tokio::test]
async fn columns_have_the_types_of_the_table() {
    with_database("columns", async |db| {
        let user = sql!(
            "SELECT id, name, bio, age, active, tiny, small, counted, large, score, ratio, raw FROM users WHERE id = ?",
            1_i64
        );
        let user = user.fetch_one(&db).await.unwrap();
        let (id, name, bio, age): (i64, String, Option<String>, Option<i32>) =
            (user.id, user.name, user.bio, user.age);
        assert_eq!((id, name.as_str(), bio, age), (1, "Ada", None, Some(36)));
        // A flag is the number that it is stored as, as in sqlx's macros.
        let (active, tiny, small): (i8, i8, u16) = (user.active, user.tiny, user.small);
        assert_eq!((active, tiny, small), (1, 3, 4));
        let (counted, large): (u32, u64) = (user.counted, user.large);
        assert_eq!((counted, large), (5, u64::MAX));
        let (score, ratio, raw): (f64, Option<f32>, Option<Vec<u8>>) = (user.score, user.ratio, user.raw);
        assert_eq!((score, ratio, raw), (1.5, None, Some(vec![1, 2])));
    })
    .await;
}

#[tokio::test]
async fn dates_and_enums() {
    with_database("dates", async |db| {
        let user = query!("SELECT born, created_at, seen_at, mood FROM users WHERE id = 1");
        let user = user.fetch_one(&db).await.unwrap();
        let (born, created_at): (Option<NaiveDate>, NaiveDateTime) = (user.born, user.created_at);
        let (seen_at, mood): (Option<DateTime<Utc>>, String) = (user.seen_at, user.mood);
        assert_eq!(born.map(|born| born.to_string()).as_deref(), Some("1984-02-03"));
        assert_eq!(created_at.to_string(), "2020-01-02 03:04:05");
        assert!(seen_at.is_some());
        assert_eq!(mood, "happy");
    })
    .await;
}

#[tokio::test]
async fn json_is_read_from_both_servers() {
    with_database("json", async |db| {
        query!("UPDATE posts SET extra = ? WHERE id = 10", r#"{"a": [1]}"#).execute(&db).await.unwrap();
        let extra: Option<JsonValue> =
            query_scalar!("SELECT extra FROM posts WHERE id = 10").fetch_one(&db).await.unwrap();
        assert_eq!(extra.unwrap()["a"][0], 1);
        let post = query!("SELECT * FROM posts WHERE id = 11").fetch_one(&db).await.unwrap();
        assert_eq!(post.extra, None::<JsonValue>);
    })
    .await;
}

#[tokio::test]
async fn expressions_have_the_types_of_their_values() {
    with_database("expressions", async |db| {
        let sums = query!(
            "SELECT count(*) AS users, max(age) AS oldest, avg(score) AS average, CAST(max(age) AS SIGNED) AS total, \
             concat(name, '!') AS loud FROM users WHERE id = 1 GROUP BY name"
        );
        let sums = sums.fetch_one(&db).await.unwrap();
        let (users, oldest, average): (i64, Option<i32>, Option<f64>) = (sums.users, sums.oldest, sums.average);
        assert_eq!((users, oldest, average), (1, Some(36), Some(1.5)));
        let (total, loud): (Option<i64>, Option<String>) = (sums.total, sums.loud);
        assert_eq!((total, loud.as_deref()), (Some(36), Some("Ada!")));
        // The servers return a boolean as integers of different widths, so the query has to specify one.
        let exists =
            sql_scalar!("SELECT EXISTS (SELECT 1 FROM posts WHERE user_id = ?) AS `found!: bool`", 2_i64);
        assert!(!exists.fetch_one(&db).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn null_is_where_it_can_be() {
    with_database("nulls", async |db| {
        let rows = query!(
            "SELECT users.id, posts.id AS post, posts.title FROM users LEFT JOIN posts ON posts.user_id = users.id
             ORDER BY users.id, posts.id LIMIT 9"
        );
        let rows = rows.fetch_all(&db).await.unwrap();
        let rows: Vec<(i64, Option<i64>, Option<String>)> =
            rows.into_iter().map(|row| (row.id, row.post, row.title)).collect();
        assert_eq!(rows[0], (1, Some(10), Some("first".to_owned())));
        assert_eq!(rows[2], (2, None, None));
    })
    .await;
}

#[tokio::test]
async fn names_that_are_words_of_rust() {
    with_database("words", async |db| {
        let post = query!("SELECT `type`, id AS `fn` FROM posts WHERE id = 10").fetch_one(&db).await.unwrap();
        assert_eq!((post.r#type.as_str(), post.r#fn), ("note", 10));
    })
    .await;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
struct UserId(i64);

#[derive(Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
enum Mood {
    Happy,
    Sad,
}

#[derive(Debug, PartialEq)]
struct Typed {
    id: UserId,
    bio: Option<String>,
    mood: Mood,
}

#[tokio::test]
async fn overrides_in_the_names() {
    with_database("overrides", async |db| {
        let user = query!(
            "SELECT id AS `id?`, bio AS `bio!`, active AS `active: bool`, mood AS \"mood: Mood\" FROM users WHERE id = 2"
        );
        let user = user.fetch_one(&db).await.unwrap();
        let (id, bio, active): (Option<i64>, String, bool) = (user.id, user.bio, user.active);
        assert_eq!((id, bio.as_str(), active, user.mood), (Some(2), "b", false, Mood::Sad));
        // A value that is declared present, but is missing, is an error of that row.
        let missing = query!("SELECT bio AS `bio!` FROM users WHERE id = 1").fetch_one(&db).await;
        assert!(matches!(missing, Err(sqlx::Error::ColumnDecode { .. })));
        let user = query_as!(Typed, "SELECT id AS `id: _`, bio, mood AS `mood: Mood` FROM users WHERE id = 1");
        let user = user.fetch_one(&db).await.unwrap();
        assert_eq!(user, Typed { id: UserId(1), bio: None, mood: Mood::Happy });
        let changed = query!("UPDATE posts SET body = ? WHERE id = 10", Json(vec![1, 2]) as _);
        changed.execute(&db).await.unwrap();
        let body = query_scalar!("SELECT body FROM posts WHERE id = 10").fetch_one(&db).await.unwrap();
        assert_eq!(body.as_deref(), Some("[1,2]"));
    })
    .await;
}
