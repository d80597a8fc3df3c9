//! Typed queries on SQLite return what their types say, and the same as sqlx's own macros.

use query_budget::{query, query_as, query_scalar, sql, sql_as, sql_scalar};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use sqlx::types::chrono::NaiveDateTime;

async fn database() -> SqliteConnection {
    let mut db = SqliteConnection::connect("sqlite::memory:").await.expect("SQLite opens");
    sqlx::raw_sql(include_str!("../schema.sql")).execute(&mut db).await.expect("the schema");
    sqlx::raw_sql(
        "INSERT INTO users VALUES (1, 'Ada', NULL, 36, TRUE, 3, 1.5, x'0102', '2020-01-02 03:04:05', 9.5),
             (2, 'Bob', 'b', NULL, FALSE, 4, 2, NULL, '2021-01-02 03:04:05', NULL);
         INSERT INTO posts VALUES (10, 1, 'first', NULL), (11, 1, 'second', 'text');",
    )
    .execute(&mut db)
    .await
    .expect("rows");
    db
}

#[derive(Debug, PartialEq)]
struct Post {
    id: i64,
    title: String,
    body: Option<String>,
}

#[tokio::test]
async fn columns_have_their_declared_types() {
    let mut db = database().await;
    let user = sql!(
        "SELECT id, name, bio, age, active, small, score, raw, created_at, price AS \"price: f64\" \
         FROM users WHERE id = ?",
        1
    );
    let user = user.fetch_one(&mut db).await.expect("a row");
    let (id, name, bio, age): (i64, String, Option<String>, Option<i64>) =
        (user.id, user.name, user.bio, user.age);
    assert_eq!((id, name.as_str(), bio, age), (1, "Ada", None, Some(36)));
    let (active, small, score, raw): (bool, i32, f64, Option<Vec<u8>>) =
        (user.active, user.small, user.score, user.raw);
    assert_eq!((active, small, score, raw), (true, 3, 1.5, Some(vec![1, 2])));
    let (created_at, price): (NaiveDateTime, Option<f64>) = (user.created_at, user.price);
    assert_eq!((created_at.to_string().as_str(), price), ("2020-01-02 03:04:05", Some(9.5)));
}

#[tokio::test]
async fn expressions_have_the_types_of_their_values() {
    let mut db = database().await;
    let sums = query!(
        "SELECT count(*) AS users, sum(age) AS ages, max(score) AS best, coalesce(sum(age), 0) AS total, \
         avg(age) AS average FROM users"
    );
    let sums = sums.fetch_one(&mut db).await.expect("a row");
    let (users, ages, best): (i64, Option<i64>, Option<f64>) = (sums.users, sums.ages, sums.best);
    let (total, average): (i64, Option<f64>) = (sums.total, sums.average);
    assert_eq!((users, ages, best, total, average), (2, Some(36), Some(2.0), 36, Some(36.0)));
    let upper: Option<String> =
        query_scalar!("SELECT upper(name) FROM users WHERE id = 2").fetch_one(&mut db).await.expect("a row");
    assert_eq!(upper.as_deref(), Some("BOB"));
    let exists: i64 = sql_scalar!("SELECT EXISTS (SELECT 1 FROM posts WHERE user_id = ?)", 2)
        .fetch_one(&mut db)
        .await
        .expect("a row");
    assert_eq!(exists, 0);
    let next =
        sql_scalar!("SELECT id + 1 FROM users ORDER BY id LIMIT 9").fetch_all(&mut db).await.expect("rows");
    assert_eq!(next, [2_i64, 3]);
}

#[tokio::test]
async fn structs_tuples_and_overrides() {
    let mut db = database().await;
    let posts =
        query_as!(Post, "SELECT id, title, body FROM posts WHERE user_id = $1 ORDER BY id LIMIT 9", 1_i64);
    let posts = posts.fetch_all(&mut db).await.expect("rows");
    assert_eq!(posts[1], Post { id: 11, title: "second".to_owned(), body: Some("text".to_owned()) });
    assert_eq!(posts[0].body, None);
    let joined = sql_as!(
        (String, Option<String>),
        "SELECT users.name, posts.title FROM users LEFT JOIN posts ON posts.user_id = users.id
         ORDER BY users.id, posts.id LIMIT 9"
    );
    let joined = joined.fetch_all(&mut db).await.expect("rows");
    assert_eq!(joined.last(), Some(&("Bob".to_owned(), None)));
    let flags = sql!(
        "SELECT age > 18 AS \"adult?: bool\", max(created_at) AS \"last!: NaiveDateTime\" FROM users WHERE id = 1"
    );
    let flags = flags.fetch_one(&mut db).await.expect("a row");
    let (adult, last): (Option<bool>, NaiveDateTime) = (flags.adult, flags.last);
    assert_eq!((adult, last.to_string().as_str()), (Some(true), "2020-01-02 03:04:05"));
}

#[tokio::test]
async fn values_of_any_type_are_bound() {
    let mut db = database().await;
    let (name, none): (&str, Option<String>) = ("Eve", None);
    let added = sql!(
        "INSERT INTO users (name, bio, active, small, score, created_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id, bio",
        name,
        none,
        true,
        7_i8,
        1.25,
        "2022-01-02 03:04:05"
    );
    let added = added.fetch_one(&mut db).await.expect("a row");
    let (id, bio): (i64, Option<String>) = (added.id, added.bio);
    assert_eq!((id, bio), (3, None));
    let changed = sql!("UPDATE users SET age = ? WHERE id = ?", Some(3_i64), id)
        .execute(&mut db)
        .await
        .expect("it runs");
    assert_eq!(changed.rows_affected(), 1);
}

#[tokio::test]
async fn columns_that_no_table_has() {
    let mut db = database().await;
    let user = query!("SELECT 10 AS _1, 'Hello' AS _2, age, name, id + 5 AS later FROM users WHERE id = 1");
    let user = user.fetch_one(&mut db).await.expect("a row");
    let (ten, hello, age, later): (i64, String, Option<i64>, i64) = (user._1, user._2, user.age, user.later);
    assert_eq!((ten, hello.as_str(), age, user.name.as_str(), later), (10, "Hello", Some(36), "Ada", 6));
    // A view has the columns of its table.
    let active =
        query!("SELECT id, name, age FROM active_users LIMIT 9").fetch_all(&mut db).await.expect("rows");
    let (id, name, age): (i64, &str, Option<i64>) = (active[0].id, &active[0].name, active[0].age);
    assert_eq!((active.len(), id, name, age), (1, 1, "Ada", Some(36)));
}

#[tokio::test]
async fn a_part_of_the_text_may_come_through_a_macro() {
    macro_rules! of {
        ($columns:literal, $db:expr) => {
            query!("SELECT " + $columns + " FROM users WHERE id = 1").fetch_one($db).await.expect("a row")
        };
    }
    let mut db = database().await;
    let user = of!("id, name, age", &mut db);
    assert_eq!((user.id, user.name.as_str(), user.age), (1, "Ada", Some(36)));
}

#[derive(Debug, PartialEq, sqlx::Type)]
#[sqlx(transparent)]
struct Number(i64);

struct Numbered {
    id: Number,
    age: Option<Number>,
}

#[tokio::test]
async fn one_value_by_any_name() {
    let mut db = database().await;
    let plain: i64 = query_scalar!("SELECT 7").fetch_one(&mut db).await.expect("a row");
    // A name that is no field says nothing.
    let odd: i64 = query_scalar!(r#"SELECT 7 AS "&seven""#).fetch_one(&mut db).await.expect("a row");
    let unsure: Option<i64> = query_scalar!("SELECT 7 AS `n?`").fetch_one(&mut db).await.expect("a row");
    assert_eq!((plain, odd, unsure), (7, 7, Some(7)));
    let own: Number = query_scalar!(r#"SELECT 7 AS "n: Number""#).fetch_one(&mut db).await.expect("a row");
    let own_unsure: Option<Number> =
        query_scalar!(r#"SELECT 7 AS "n?: Number""#).fetch_one(&mut db).await.expect("a row");
    let any: Number = query_scalar!(r#"SELECT 7 AS "n: _""#).fetch_one(&mut db).await.expect("a row");
    let any_unsure: Number =
        query_scalar!(r#"SELECT 7 AS "n?: _""#).fetch_one(&mut db).await.expect("a row").expect("a value");
    assert_eq!([own, own_unsure.expect("a value"), any, any_unsure], [const { Number(7) }; 4]);
    let user = query_as!(Numbered, r#"SELECT id AS "id!: _", age AS "age: _" FROM users WHERE id = 1"#);
    let user = user.fetch_one(&mut db).await.expect("a row");
    assert_eq!((user.id, user.age), (Number(1), Some(Number(36))));
}

#[tokio::test]
async fn values_are_borrowed() {
    let mut db = database().await;
    let text = "Ada".to_owned();
    let of_tuple = &("Bob".to_owned(),);
    let found = query!(
        "SELECT 'Ada' AS name WHERE 'Ada' IN (?, ?, ?, ?, ?, ?, ?)",
        text,
        &text[..],
        Some(&text),
        Some(&text[..]),
        Option::<String>::None,
        text.clone(),
        of_tuple.0
    );
    assert_eq!(found.fetch_one(&mut db).await.expect("a row").name, text);
}
