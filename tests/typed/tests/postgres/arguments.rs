//! The arguments that a parameter accepts.

use query_budget::{query, query_as, query_scalar};
use sqlx::types::chrono::Utc;
use sqlx::types::{Json, JsonValue, Uuid};

use crate::Mood;
use crate::database::with_database;

#[tokio::test]
async fn values_references_and_options() {
    with_database("values", async |db| {
        let id = 1_i64;
        let name = String::from("Ada");
        let ids = [Some(id), None];
        for id in &ids {
            query!("SELECT id FROM users WHERE id = $1", *id).fetch_optional(&db).await.unwrap();
        }
        query!("SELECT id FROM users WHERE id = $1", id).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE id = $1", &id).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE id = $1", 1).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE id = $1", Some(&id)).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE name = $1", "Ada").fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE name = $1", &name).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE name = $1", &name[..]).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE name = $1", Some("Ada")).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE name = $1", Some(&name)).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users WHERE name = $1", Some(name.clone())).fetch_one(&db).await.unwrap();
        // It is borrowed, not moved.
        query!("SELECT id FROM users WHERE name = $1", name).fetch_one(&db).await.unwrap();
        assert_eq!(name, "Ada");
    })
    .await;
}

#[tokio::test]
async fn values_of_a_type_that_is_not_copied() {
    with_database("not_copied", async |db| {
        let text = "Ada".to_owned();
        let of_tuple = &("Bob".to_owned(),);
        let found = query!(
            "SELECT name FROM (VALUES ('Ada')) AS people (name) WHERE name IN ($1, $2, $3, $4, $5, $6, $7)",
            text,
            &text[..],
            Some(&text),
            Some(&text[..]),
            Option::<String>::None,
            text.clone(),
            of_tuple.0
        );
        assert_eq!(found.fetch_one(&db).await.unwrap().name, Some(text));
        let value: JsonValue = "[1, 2]".parse().unwrap();
        let of_tuple = &("{}".parse::<JsonValue>().unwrap(),);
        let found = query!(
            "SELECT list FROM (VALUES ('[1, 2]'::jsonb)) AS lists (list) WHERE list IN ($1, $2, $3, $4, $5, $6)",
            value,
            &value,
            Some(&value),
            Option::<JsonValue>::None,
            value.clone(),
            of_tuple.0
        );
        assert_eq!(found.fetch_one(&db).await.unwrap().list, Some(value));
    })
    .await;
}

struct Form {
    name: String,
    nickname: Option<String>,
    token: Option<Uuid>,
}

#[tokio::test]
async fn fields_behind_a_reference() {
    with_database("behind", async |db| {
        let form = &Form { name: "Cy".to_owned(), nickname: None, token: Some(Uuid::nil()) };
        let id = query_scalar!(
            "INSERT INTO users (name, nickname, token, mood, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            form.name,
            form.nickname,
            form.token,
            Mood::Sad,
            Utc::now(),
        )
        .fetch_one(&db)
        .await
        .unwrap();
        let user = query!("SELECT token, mood FROM users WHERE id = $1", id).fetch_one(&db).await.unwrap();
        assert_eq!((user.token, user.mood), (Some(Uuid::nil()), Mood::Sad));
    })
    .await;
}

#[tokio::test]
async fn lists() {
    with_database("lists", async |db| {
        let ids = vec![1_i64, 2];
        let one = |ids: &[i64]| ids.len();
        assert_eq!(
            query!("SELECT id FROM users WHERE id = ANY($1)", &ids[..]).fetch_all(&db).await.unwrap().len(),
            one(&ids)
        );
        assert_eq!(
            query!("SELECT id FROM users WHERE id = ANY($1)", &ids).fetch_all(&db).await.unwrap().len(),
            2
        );
        assert_eq!(
            query!("SELECT id FROM users WHERE id = ANY($1)", &[1_i64, 2])
                .fetch_all(&db)
                .await
                .unwrap()
                .len(),
            2
        );
        let tags = vec!["math".to_owned()];
        query!("UPDATE users SET tags = $1 WHERE id = $2", &tags, 2_i64).execute(&db).await.unwrap();
        let tags = query_scalar!("SELECT tags FROM users WHERE id = 2").fetch_one(&db).await.unwrap();
        assert_eq!(tags, ["math"]);
    })
    .await;
}

/// A key type of the application, which the compiler distinguishes from the column's type.
#[derive(Clone, Copy, sqlx::Type)]
#[sqlx(transparent)]
struct UserId(i64);

#[tokio::test]
async fn casts_say_what_is_meant() {
    with_database("casts", async |db| {
        let id = UserId(1);
        assert_eq!(
            query_scalar!("SELECT name FROM users WHERE id = $1", id as _).fetch_one(&db).await.unwrap(),
            "Ada"
        );
        assert_eq!(
            query_scalar!("SELECT name FROM users WHERE id = $1", id as UserId).fetch_one(&db).await.unwrap(),
            "Ada"
        );
        let maybe = Some(UserId(1));
        assert_eq!(
            query_scalar!("SELECT name FROM users WHERE id = $1", maybe as Option<UserId>)
                .fetch_one(&db)
                .await
                .unwrap(),
            "Ada"
        );
        let small = 2_i32;
        assert_eq!(
            query_scalar!("SELECT name FROM users WHERE id = $1", small as i64).fetch_one(&db).await.unwrap(),
            "Bob"
        );
    })
    .await;
}

#[tokio::test]
async fn as_many_as_there_are() {
    with_database("many", async |db| {
        query!(
            "INSERT INTO wide (a, b, c, d, e, f, g, h, i, j, k, l) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
        )
        .execute(&db)
        .await
        .unwrap();
        let wide = query!("SELECT a, h, i, l FROM wide").fetch_one(&db).await.unwrap();
        assert_eq!((wide.a, wide.h, wide.i, wide.l), (Some(1), Some(8), Some(9), Some(12)));
    })
    .await;
}

#[tokio::test]
async fn evaluated_once_and_let_go_before_anything_waits() {
    with_database("once", async |db| {
        let mut calls = 0;
        let mut next = || {
            calls += 1;
            1_i64
        };
        query!("SELECT id FROM users WHERE id = $1", next()).fetch_one(&db).await.unwrap();
        assert_eq!(calls, 1);
        // A guard in an argument is dropped when the query is made, so the future is `Send`.
        let shared = std::sync::Arc::new(std::sync::Mutex::new(1_i64));
        let name = tokio::spawn(async move {
            query_scalar!("SELECT name FROM users WHERE id = $1", *shared.lock().unwrap())
                .fetch_one(&db)
                .await
        });
        assert_eq!(name.await.unwrap().unwrap(), "Ada");
    })
    .await;
}

/// A text of the project.
#[derive(sqlx::Type)]
#[sqlx(transparent)]
struct Slug(String);

impl std::ops::Deref for Slug {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// sqlx 0.8 binds no shared value.
#[cfg(not(feature = "sqlx-08"))]
#[tokio::test]
async fn a_shared_value_is_coerced() {
    with_database("shared", async |db| {
        let shared = std::sync::Arc::new(String::from("Ada"));
        query!("SELECT id FROM users WHERE name = $1", &shared).fetch_one(&db).await.unwrap();
    })
    .await;
}

/// sqlx's macros assign the value to a variable of the parameter's type, which coerces it.
#[tokio::test]
async fn what_an_assignment_coerces() {
    with_database("coerced", async |db| {
        let names = [String::from("Ada")];
        for name in &names {
            query!("SELECT id FROM users WHERE name = $1", &name).fetch_one(&db).await.unwrap();
        }
        let slug = Slug("Ada".to_owned());
        query!("SELECT id FROM users WHERE name = $1", &slug).fetch_one(&db).await.unwrap();
        let ids = &vec![1_i64, 2];
        let users = query!("SELECT id FROM users WHERE id = ANY($1)", &ids).fetch_all(&db).await.unwrap();
        assert_eq!(users.len(), 2);
    })
    .await;
}

#[derive(sqlx::Type)]
#[sqlx(transparent)]
struct Key(i64);

#[derive(Debug, PartialEq, serde::Deserialize, serde::Serialize)]
struct Settings {
    dark: bool,
}

/// What the messages about arguments and fields tell to write.
#[tokio::test]
async fn what_messages_advise() {
    struct Narrow {
        id: i32,
    }
    struct Owned {
        id: Key,
        settings: Option<Json<Settings>>,
    }
    struct Cast {
        id: f64,
        name: String,
    }
    with_database("advised", async |db| {
        let limit = 1_usize;
        query!("SELECT id FROM users LIMIT $1", limit as i64).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users LIMIT $1", i64::try_from(limit).unwrap()).fetch_one(&db).await.unwrap();
        query!("SELECT id FROM users LIMIT $1::text::int8", "1").fetch_one(&db).await.unwrap();
        let settings = Settings { dark: true };
        query!("UPDATE users SET settings = $1 WHERE id = 1", Json(&settings) as _)
            .execute(&db)
            .await
            .unwrap();
        let found = [1_i64, 2].into_iter().filter(|id| *id > 1);
        query!("SELECT id FROM users WHERE id = ANY($1)", &found.collect::<Vec<_>>())
            .fetch_all(&db)
            .await
            .unwrap();
        query!("SELECT id FROM users WHERE token = $1::text::uuid", Uuid::nil().to_string())
            .fetch_optional(&db)
            .await
            .unwrap();
        query!("SELECT id FROM articles WHERE price = $1::float8::numeric", 1.5)
            .fetch_optional(&db)
            .await
            .unwrap();
        query!("SELECT id FROM users WHERE name = $1", None::<&str>).fetch_optional(&db).await.unwrap();
        let narrow = query_as!(Narrow, r#"SELECT id AS "id: i32" FROM users WHERE id = 1"#);
        assert_eq!(narrow.fetch_one(&db).await.unwrap().id, 1);
        let owned =
            query_as!(Owned, r#"SELECT id AS "id: _", settings AS "settings: _" FROM users WHERE id = 1"#);
        let owned = owned.fetch_one(&db).await.unwrap();
        assert_eq!((owned.id.0, owned.settings), (1, Some(Json(settings))));
        let cast =
            query_as!(Cast, r#"SELECT id::float8 AS "id!", id::text AS "name!" FROM users WHERE id = 1"#);
        let cast = cast.fetch_one(&db).await.unwrap();
        assert_eq!((cast.id, cast.name.as_str()), (1.0, "1"));
    })
    .await;
}
