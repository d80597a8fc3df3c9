//! Type overrides in the name of a column.

use query_budget::{query, query_as};
use sqlx::types::Json;

use crate::database::with_database;

#[tokio::test]
async fn null_or_not() {
    with_database("marks", async |db| {
        let user = query!(r#"SELECT id AS "id?", nickname AS "nickname!", count(*) OVER () AS "total!" FROM users WHERE id = 2"#)
            .fetch_one(&db)
            .await
            .unwrap();
        let (id, nickname, total): (Option<i64>, String, i64) = (user.id, user.nickname, user.total);
        assert_eq!((id, nickname.as_str(), total), (Some(2), "bobby", 1));
        // A value that is declared present, but is missing, is an error of that row.
        let missing = query!(r#"SELECT nickname AS "nickname!" FROM users WHERE id = 1"#).fetch_one(&db).await;
        assert!(matches!(missing, Err(sqlx::Error::ColumnDecode { .. })));
    })
    .await;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
struct UserId(i64);

#[derive(Debug, PartialEq)]
struct Typed {
    id: UserId,
    nickname: Option<String>,
    score: i64,
}

#[tokio::test]
async fn types() {
    with_database("types_given", async |db| {
        let user = query!(
            r#"SELECT id AS "id: UserId", token AS "token: sqlx::types::Uuid" FROM users WHERE id = 1"#
        )
        .fetch_one(&db)
        .await
        .unwrap();
        assert_eq!((user.id, user.token), (UserId(1), None));
        let user =
            query!(r#"SELECT id AS "id!: UserId", nickname AS "nickname?: String" FROM users WHERE id = 1"#)
                .fetch_one(&db)
                .await
                .unwrap();
        assert_eq!((user.id, user.nickname), (UserId(1), None));
        let user = query_as!(
            Typed,
            r#"SELECT id AS "id: _", nickname AS "nickname: _", score FROM users WHERE id = 2"#
        )
        .fetch_one(&db)
        .await
        .unwrap();
        assert_eq!(user, Typed { id: UserId(2), nickname: Some("bobby".to_owned()), score: 3 });
        query!("UPDATE users SET settings = $1 WHERE id = 1", Json(vec![1, 2]) as _)
            .execute(&db)
            .await
            .unwrap();
        let settings = query!(r#"SELECT settings AS "settings!: Json<Vec<i32>>" FROM users WHERE id = 1"#)
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!(settings.settings.0, [1, 2]);
    })
    .await;
}
