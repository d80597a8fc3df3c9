//! The macros, each with what it returns.

use futures_util::TryStreamExt;
use query_budget::{
    query, query_as, query_as_unchecked, query_file, query_file_as, query_file_scalar, query_scalar,
    query_scalar_unchecked, query_unchecked, sql, sql_as, sql_from_row, sql_scalar,
};

use crate::database::with_database;

#[derive(Debug, PartialEq, Eq)]
struct User {
    id: i64,
    name: String,
    nickname: Option<String>,
}

#[tokio::test]
async fn records_have_fields_and_can_be_printed() {
    with_database("records", async |db| {
        let user =
            sql!("SELECT id, name, nickname FROM users WHERE id = $1", 1_i64).fetch_one(&db).await.unwrap();
        let (id, name, nickname): (i64, String, Option<String>) =
            (user.id, user.name.clone(), user.nickname.clone());
        assert_eq!((id, name.as_str(), nickname), (1, "Ada", None));
        assert_eq!(format!("{user:?}"), "Record { id: 1, name: \"Ada\", nickname: None }");
        let joined = query!("SELECT id, " + "name" + " FROM users WHERE id = $1", 2_i64,)
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!((joined.id, joined.name.as_str()), (2, "Bob"));
    })
    .await;
}

#[tokio::test]
async fn structs_tuples_and_types_that_read_rows() {
    with_database("structs", async |db| {
        let ada = query_as!(User, "SELECT id, name, nickname FROM users WHERE id = 1")
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!(ada, User { id: 1, name: "Ada".to_owned(), nickname: None });
        let (id, name) =
            sql_as!((i64, String), "SELECT id, name FROM users WHERE id = 2").fetch_one(&db).await.unwrap();
        assert_eq!((id, name.as_str()), (2, "Bob"));

        #[derive(sqlx::FromRow)]
        struct ByRow {
            #[sqlx(rename = "id")]
            number: i64,
        }
        let row =
            sql_from_row!(ByRow, "SELECT id FROM users WHERE id = $1", 2_i64).fetch_one(&db).await.unwrap();
        assert_eq!(row.number, 2);
    })
    .await;
}

#[tokio::test]
async fn fields_are_made_of_columns_by_into() {
    #[derive(Debug, PartialEq)]
    struct Wider {
        score: i64,
        name: Box<str>,
        id: Option<i64>,
    }
    with_database("into", async |db| {
        let wider =
            query_as!(Wider, "SELECT score, name, id FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(wider, Wider { score: 7, name: "Ada".into(), id: Some(1) });
    })
    .await;
}

mod deep {
    #[derive(Debug)]
    pub(super) struct Generic<T> {
        pub(super) id: T,
    }
}

#[tokio::test]
async fn a_struct_is_named_by_any_path() {
    with_database("paths", async |db| {
        let user =
            query_as!(deep::Generic<i64>, "SELECT id FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(user.id, 1);
        type Short = deep::Generic<i64>;
        let user = query_as!(Short, "SELECT id FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(user.id, 1);
    })
    .await;
}

#[tokio::test]
async fn one_value() {
    with_database("scalars", async |db| {
        let name: String =
            query_scalar!("SELECT name FROM users WHERE id = $1", 1_i64).fetch_one(&db).await.unwrap();
        assert_eq!(name, "Ada");
        let nickname: Option<String> =
            sql_scalar!("SELECT nickname FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(nickname, None);
        let count: Option<i64> = query_scalar!("SELECT count(*) FROM users").fetch_one(&db).await.unwrap();
        assert_eq!(count, Some(2));
        let count: i64 =
            query_scalar!(r#"SELECT count(*) AS "count!" FROM users"#).fetch_one(&db).await.unwrap();
        assert_eq!(count, 2);
        let count = sql_scalar!(i64, "SELECT count(*) FROM users").fetch_one(&db).await.unwrap();
        assert_eq!(count, 2);
        let score = query_scalar!(r#"SELECT score AS "score: i32" FROM users WHERE id = 1"#)
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!(score, 7);
    })
    .await;
}

#[tokio::test]
async fn statements_without_columns_are_executed() {
    with_database("commands", async |db| {
        let done =
            query!("UPDATE users SET name = $1 WHERE id = $2", "Eve", 1_i64).execute(&db).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        query!("INSERT INTO posts (user_id, title) VALUES ($1, $2)", 2_i64, "third")
            .execute(&db)
            .await
            .unwrap();
        // One column, without a value.
        query!("SELECT pg_sleep(0)").execute(&db).await.unwrap();
        let id =
            query_scalar!("INSERT INTO posts (user_id, title) VALUES ($1, $2) RETURNING id", 2_i64, "fourth")
                .fetch_one(&db)
                .await
                .unwrap();
        assert!(id > 0);
    })
    .await;
}

#[tokio::test]
async fn commands_run_and_report() {
    with_database("utility", async |db| {
        let mut connection = db.acquire().await.unwrap();
        query!("CREATE TEMP TABLE scratch (id bigint)").execute(&mut *connection).await.unwrap();
        query!("TRUNCATE TABLE scratch, posts CASCADE").execute(&mut *connection).await.unwrap();
        query!("SET LOCAL statement_timeout = 0").execute(&mut *connection).await.unwrap();
        query!("NOTIFY jobs, 'one'").execute(&mut *connection).await.unwrap();
        query!("LISTEN jobs").execute(&mut *connection).await.unwrap();
        query!("DO $$ BEGIN PERFORM 1; END $$").execute(&mut *connection).await.unwrap();
        let version: Option<String> =
            query_scalar!("SHOW server_version_num").fetch_one(&mut *connection).await.unwrap();
        assert!(version.unwrap().parse::<u32>().is_ok());
        let zone = query!("SHOW TIME ZONE").fetch_one(&mut *connection).await.unwrap();
        assert!(zone.TimeZone.is_some());
        let plan: Option<sqlx::types::JsonValue> =
            query_scalar!("EXPLAIN (FORMAT JSON) SELECT id FROM users WHERE id = 1")
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        assert!(plan.unwrap().is_array());
        query!("PREPARE one AS SELECT 1").execute(&mut *connection).await.unwrap();
        let one: i32 = query_scalar!("EXECUTE one").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(one, 1);
    })
    .await;
}

#[tokio::test]
async fn a_type_may_come_through_a_macro() {
    macro_rules! of {
        (ty $t:ty, $db:expr) => {
            query_as!($t, "SELECT id, name, nickname FROM users WHERE id = 1").fetch_one($db).await.unwrap()
        };
        (path $t:path, $db:expr) => {
            query_as!($t, "SELECT id, name, nickname FROM users WHERE id = 2").fetch_one($db).await.unwrap()
        };
    }
    with_database("fragments", async |db| {
        assert_eq!(of!(ty User, &db).name, "Ada");
        assert_eq!(of!(path self::User, &db).name, "Bob");
        let (id, name, _) = of!(ty(i64, String, Option<String>), &db);
        assert_eq!((id, name.as_str()), (1, "Ada"));
    })
    .await;
}

#[tokio::test]
async fn sql_in_a_file() {
    with_database("files", async |db| {
        let user = query_file!("queries/user.sql", 2_i64).fetch_one(&db).await.unwrap();
        assert_eq!((user.id, user.nickname.as_deref()), (2, Some("bobby")));
        let user = query_file_as!(User, "queries/user.sql", 2_i64).fetch_one(&db).await.unwrap();
        assert_eq!(user.name, "Bob");
        let count = query_file_scalar!("queries/count.sql").fetch_one(&db).await.unwrap();
        assert_eq!(count, 2);
    })
    .await;
}

#[tokio::test]
async fn unchecked_forms_take_what_the_database_takes() {
    with_database("unchecked", async |db| {
        let user =
            query_unchecked!("SELECT id, name FROM users WHERE id = $1", 1_i64).fetch_one(&db).await.unwrap();
        assert_eq!(user.name, "Ada");
        let user = query_as_unchecked!(User, "SELECT id, name, nickname FROM users WHERE id = 2")
            .fetch_one(&db)
            .await
            .unwrap();
        assert_eq!(user.nickname.as_deref(), Some("bobby"));
        #[derive(Debug, PartialEq, sqlx::Type)]
        #[sqlx(type_name = "size", rename_all = "lowercase")]
        enum Size {
            Small,
        }
        struct Sized {
            size: Size,
        }
        let sized = query_as_unchecked!(
            Sized,
            r#"SELECT 'small'::size AS "size!" WHERE $1 = 'small'::size"#,
            Size::Small
        );
        assert_eq!(sized.fetch_one(&db).await.unwrap().size, Size::Small);
        let name: String =
            query_scalar_unchecked!("SELECT name FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(name, "Ada");
        let id = query_scalar_unchecked!("SELECT id FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(format!("{id}"), "1");
    })
    .await;
}

#[tokio::test]
async fn what_is_returned_has_the_methods_of_a_map() {
    with_database("methods", async |db| {
        let names = || query!("SELECT name FROM users ORDER BY id");
        let all: Vec<String> = names().map(|user| user.name).fetch_all(&db).await.unwrap();
        assert_eq!(all, ["Ada", "Bob"]);
        let streamed: Vec<_> = names().fetch(&db).map_ok(|user| user.name).try_collect().await.unwrap();
        assert_eq!(streamed, all);
        let many =
            names().fetch_many(&db).try_filter_map(async |item| Ok(item.right())).map_ok(|user| user.name);
        assert_eq!(many.try_collect::<Vec<_>>().await.unwrap(), all);
        let lengths: Vec<usize> =
            names().try_map(|user| Ok(user.name)).map(|name| name.len()).fetch_all(&db).await.unwrap();
        assert_eq!(lengths, [3, 3]);
        assert!(
            query!("SELECT name FROM users WHERE id = 9")
                .persistent(false)
                .fetch_optional(&db)
                .await
                .unwrap()
                .is_none()
        );
        let failed = names().try_map(|_| Err::<(), _>(sqlx::Error::RowNotFound)).fetch_all(&db).await;
        assert!(failed.is_err());
        let mut transaction = db.begin().await.unwrap();
        assert!(names().fetch_optional(&mut *transaction).await.unwrap().is_some());
        assert!(matches!(
            query!("SELECT name FROM users WHERE id = 9").fetch_one(&mut *transaction).await,
            Err(sqlx::Error::RowNotFound)
        ));
    })
    .await;
}

/// A generic function can contain a typed query, and its future is `Send`.
async fn of_any<'e, E: sqlx::PgExecutor<'e>>(executor: E, id: i64) -> sqlx::Result<String> {
    Ok(query!("SELECT name FROM users WHERE id = $1", id).fetch_one(executor).await?.name)
}

#[tokio::test]
async fn executors_of_every_kind() {
    with_database("executors", async |db| {
        assert_eq!(tokio::spawn(async move { of_any(&db, 1).await }).await.unwrap().unwrap(), "Ada");
    })
    .await;
}
