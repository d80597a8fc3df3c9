//! The macros, each with what it returns.

use query_budget::{
    query, query_as, query_as_unchecked, query_file, query_file_as, query_scalar, query_scalar_unchecked,
    query_unchecked, sql, sql_as, sql_from_row, sql_scalar,
};

use crate::database::with_database;

#[derive(Debug, PartialEq, Eq)]
struct User {
    id: i64,
    name: String,
    bio: Option<String>,
}

#[tokio::test]
async fn records_have_fields_and_can_be_printed() {
    with_database("records", async |db| {
        let user = sql!("SELECT id, " + "name, bio" + " FROM users WHERE id = ?", 1_i64,);
        let user = user.fetch_one(&db).await.unwrap();
        assert_eq!(format!("{user:?}"), "Record { id: 1, name: \"Ada\", bio: None }");
    })
    .await;
}

#[tokio::test]
async fn structs_tuples_and_types_that_read_rows() {
    #[derive(sqlx::FromRow)]
    struct ByRow {
        #[sqlx(rename = "id")]
        number: i64,
    }
    #[derive(Debug, PartialEq)]
    struct Wider {
        age: Option<i32>,
        name: Box<str>,
        id: Option<i64>,
    }
    with_database("structs", async |db| {
        let ada =
            query_as!(User, "SELECT id, name, bio FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(ada, User { id: 1, name: "Ada".to_owned(), bio: None });
        let bob =
            sql_as!((i64, String), "SELECT id, name FROM users WHERE id = 2").fetch_one(&db).await.unwrap();
        assert_eq!(bob, (2, "Bob".to_owned()));
        let row =
            sql_from_row!(ByRow, "SELECT id FROM users WHERE id = ?", 2_i64).fetch_one(&db).await.unwrap();
        assert_eq!(row.number, 2);
        // Columns are converted to fields by `Into`.
        let wider =
            query_as!(Wider, "SELECT age, name, id FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(wider, Wider { age: Some(36), name: "Ada".into(), id: Some(1) });
    })
    .await;
}

#[tokio::test]
async fn one_value() {
    with_database("scalars", async |db| {
        let name: String =
            query_scalar!("SELECT name FROM users WHERE id = ?", 1).fetch_one(&db).await.unwrap();
        assert_eq!(name, "Ada");
        let bio: Option<String> =
            sql_scalar!("SELECT bio FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(bio, None);
        let count = sql_scalar!(i64, "SELECT count(*) FROM users").fetch_one(&db).await.unwrap();
        assert_eq!(count, 2);
    })
    .await;
}

#[tokio::test]
async fn statements_without_columns_are_executed() {
    with_database("commands", async |db| {
        let done = query!("UPDATE users SET name = ? WHERE id = ?", "Eve", 1_i64).execute(&db).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        let done = query!("DELETE FROM posts WHERE id = ?", 10_i64).execute(&db).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    })
    .await;
}

#[tokio::test]
async fn sql_in_a_file() {
    with_database("files", async |db| {
        let user = query_file!("queries/user.sql", 2_i64).fetch_one(&db).await.unwrap();
        assert_eq!((user.id, user.bio.as_deref()), (2, Some("b")));
        let user = query_file_as!(User, "queries/user.sql", 2_i64).fetch_one(&db).await.unwrap();
        assert_eq!(user.name, "Bob");
    })
    .await;
}

#[tokio::test]
async fn unchecked_forms_take_what_the_database_takes() {
    with_database("unchecked", async |db| {
        let user =
            query_unchecked!("SELECT id, name FROM users WHERE id = ?", 1).fetch_one(&db).await.unwrap();
        assert_eq!(user.name, "Ada");
        let user = query_as_unchecked!(User, "SELECT id, name, bio FROM users WHERE id = 2");
        assert_eq!(user.fetch_one(&db).await.unwrap().bio.as_deref(), Some("b"));
        let name: String =
            query_scalar_unchecked!("SELECT name FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(name, "Ada");
    })
    .await;
}

#[tokio::test]
async fn what_is_returned_has_the_methods_of_a_map() {
    with_database("methods", async |db| {
        let names = || query!("SELECT name FROM users ORDER BY id LIMIT 9");
        let all: Vec<String> = names().map(|user| user.name).fetch_all(&db).await.unwrap();
        assert_eq!(all, ["Ada", "Bob"]);
        let lengths: Vec<usize> =
            names().try_map(|user| Ok(user.name)).map(|name| name.len()).fetch_all(&db).await.unwrap();
        assert_eq!(lengths, [3, 3]);
        let mut transaction = db.begin().await.unwrap();
        assert!(names().persistent(false).fetch_optional(&mut *transaction).await.unwrap().is_some());
    })
    .await;
}
