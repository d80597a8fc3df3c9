//! Columns that no table has: constants, casts, lists of values, functions in FROM, and what a procedure gives back.

use futures_util::TryStreamExt;
use query_budget::{query, query_as, query_scalar};
use sqlx::postgres::types::PgHstore;

use crate::database::with_database;

#[derive(Debug, PartialEq)]
struct Person {
    id: i32,
    name: Option<String>,
}

#[tokio::test]
async fn rows_that_are_written_out() {
    with_database("values_list", async |db| {
        let two = query!("SELECT * FROM (VALUES (1, 'Ada'), (2, 'Bob')) AS people (id, name) WHERE id = $1", 2);
        let two = two.fetch_one(&db).await.unwrap();
        let (id, name): (Option<i32>, Option<String>) = (two.id, two.name);
        assert_eq!((id, name.as_deref()), (Some(2), Some("Bob")));
        let nobody: Option<&str> = None;
        let one = query_as!(Person, r#"SELECT id "id!", name FROM (VALUES (1, $1)) AS people (id, name)"#, nobody);
        assert_eq!(one.fetch_one(&db).await.unwrap(), Person { id: 1, name: None });
        // What is said not to be NULL, and is, is an error of its row.
        let none = query!(r#"SELECT name AS "name!" FROM (VALUES (1, NULL::text)) AS people (id, name)"#);
        let error = none.fetch_one(&db).await.unwrap_err();
        assert!(matches!(error, sqlx::Error::ColumnDecode { ref source, .. } if source.is::<sqlx::error::UnexpectedNullError>()));
    })
    .await;
}

#[tokio::test]
async fn texts_of_every_length() {
    with_database("lengths", async |db| {
        let texts = query!(
            "SELECT 'plain'::text AS a, 'short'::varchar(5) AS b, 'fixed'::char(5) AS c, 'n'::name AS d"
        );
        let texts = texts.fetch_one(&db).await.unwrap();
        let (a, b, c): (Option<String>, Option<String>, Option<String>) = (texts.a, texts.b, texts.c);
        assert_eq!([a, b, c].map(Option::unwrap), ["plain", "short", "fixed"]);
        assert_eq!(texts.d.as_deref(), Some("n"));
    })
    .await;
}

#[tokio::test]
async fn arrays_there_and_back() {
    with_database("arrays", async |db| {
        let numbers: &[i32] = &[3, 1, 2];
        let back = query!("SELECT $1::int[] AS numbers", numbers).fetch_one(&db).await.unwrap();
        assert_eq!(back.numbers.as_deref(), Some(numbers));
        let made = query!("SELECT ARRAY[4, 5] AS numbers").fetch_one(&db).await.unwrap();
        assert_eq!(made.numbers, Some(vec![4, 5]));
        let each = query!(
            "SELECT * FROM unnest(ARRAY[$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12]::int[]) AS each (number);",
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        );
        let each = each.fetch_all(&db).await.unwrap();
        assert!(each.iter().map(|row| row.number).eq((0..12).map(Some)));
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_a_series() {
    with_database("series", async |db| {
        let mut series = query!("SELECT * FROM generate_series(1, 3) AS series (number);").fetch(&db);
        for number in 1..=3 {
            assert_eq!(series.try_next().await.unwrap().unwrap().number, Some(number));
        }
        assert!(series.try_next().await.unwrap().is_none());
    })
    .await;
}

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(transparent)]
struct Number(i32);

#[tokio::test]
async fn one_value_by_any_name() {
    with_database("names", async |db| {
        let plain: Option<i32> = query_scalar!("SELECT 7").fetch_one(&db).await.unwrap();
        // A name that is no field says nothing.
        let odd: Option<i32> = query_scalar!(r#"SELECT 7 AS "&seven""#).fetch_one(&db).await.unwrap();
        let sure: i32 = query_scalar!(r#"SELECT 7 AS "n!""#).fetch_one(&db).await.unwrap();
        let unsure: Option<i32> = query_scalar!(r#"SELECT 7 AS "n?""#).fetch_one(&db).await.unwrap();
        assert_eq!((plain, odd, sure, unsure), (Some(7), Some(7), 7, Some(7)));
        let own: Option<Number> = query_scalar!(r#"SELECT 7 AS "n: Number""#).fetch_one(&db).await.unwrap();
        let own_unsure: Option<Number> =
            query_scalar!(r#"SELECT 7 AS "n?: Number""#).fetch_one(&db).await.unwrap();
        let own_sure: Number = query_scalar!(r#"SELECT 7 AS "n!: Number""#).fetch_one(&db).await.unwrap();
        assert_eq!((own, own_unsure, own_sure), (Some(Number(7)), Some(Number(7)), Number(7)));
        // The type is that of what it is assigned to, inside of `Option` unless the name says otherwise.
        let any: Number = query_scalar!(r#"SELECT 7 AS "n: _""#).fetch_one(&db).await.unwrap().unwrap();
        let any_unsure: Number =
            query_scalar!(r#"SELECT 7 AS "n?: _""#).fetch_one(&db).await.unwrap().unwrap();
        let any_sure: Number = query_scalar!(r#"SELECT 7 AS "n!: _""#).fetch_one(&db).await.unwrap();
        assert_eq!([any, any_unsure, any_sure], [Number(7); 3]);
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_table_that_no_row_joins() {
    with_database("no_row", async |db| {
        let none =
            query!(r#"SELECT title AS "title?" FROM (VALUES (1)) AS one (id) LEFT JOIN posts ON false"#);
        assert_eq!(none.fetch_one(&db).await.unwrap().title, None);
    })
    .await;
}

#[tokio::test]
async fn types_of_extensions() {
    with_database("extensions", async |db| {
        let mut extra = PgHstore::default();
        let none = vec![extra.clone(), extra.clone()];
        extra.insert("colour".to_owned(), Some("red".to_owned()));
        let added = query!("INSERT INTO labels (name, extra) VALUES ($1, $2)", "Urgent", extra);
        added.execute(&db).await.unwrap();
        let names = ["a".to_owned(), "b".to_owned()];
        let more = query!(
            "INSERT INTO labels (name, extra) SELECT * FROM unnest($1::citext[], $2::hstore[])",
            &names,
            &none
        );
        assert_eq!(more.execute(&db).await.unwrap().rows_affected(), 2);
        let found =
            query!("SELECT name, extra FROM labels WHERE name = $1", "Urgent").fetch_one(&db).await.unwrap();
        let (name, extra): (String, Option<PgHstore>) = (found.name, found.extra);
        assert_eq!(name, "Urgent");
        assert_eq!(extra.unwrap().get("colour"), Some(&Some("red".to_owned())));
    })
    .await;
}

#[tokio::test]
async fn a_procedure_gives_back_a_row_of_its_parameters() {
    with_database("procedures", async |db| {
        let counted = query!("CALL count_posts($1, NULL, NULL)", 1_i64).fetch_one(&db).await.unwrap();
        let (posts, last): (Option<i64>, Option<String>) = (counted.posts, counted.last);
        assert_eq!((posts, last.as_deref()), (Some(2), Some("second")));
        query!("CALL rename_user(name => $1, id => $2)", "Eve", 1_i64).execute(&db).await.unwrap();
        let name = query_scalar!("SELECT name FROM users WHERE id = 1").fetch_one(&db).await.unwrap();
        assert_eq!(name, "Eve");
    })
    .await;
}
