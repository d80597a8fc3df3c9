//! The arguments that counted queries accept: every kind by reference, on every database, as in sqlx itself.

use query_budget::__private::{Site, query, query_as, query_scalar};
use sqlx::types::Uuid;

/// The form of the expansion of `sql!` and related macros, without the checks.
macro_rules! counted {
    ($make:expr $(, $argument:expr)*) => {{
        static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());
        $make(&SITE)$(.bind(&($argument)))*
    }};
}

#[derive(sqlx::FromRow)]
struct Row {
    #[expect(dead_code, reason = "only the types matter here")]
    id: i64,
}

/// Never run: compiling is the test. The database is inferred from the executor alone, and nothing is moved.
#[expect(dead_code, reason = "compiled, not run")]
async fn arguments_are_borrowed(pg: &sqlx::PgPool, sqlite: &sqlx::SqlitePool, mysql: &sqlx::MySqlPool) {
    let (text, maybe, ids, id) = (String::new(), Some(String::new()), vec![1_i64], Uuid::nil());
    let (slice, bytes, array): (&[i64], &[u8], [i64; 2]) = (&ids, b"x", [1, 2]);
    let borrowed: &str = &text;
    let _ = counted!(query, text, maybe, ids, id).fetch_all(pg).await;
    let _ = counted!(query, borrowed, slice, bytes, array, id.to_string()).execute(pg).await;
    let _ = counted!(query, text, maybe, id, bytes, &text, 7_u32).execute(sqlite).await;
    let _ = counted!(query, text, maybe, id, bytes, 7_u64).execute(mysql).await;
    // A temporary argument need not live longer than the binding.
    let rows = counted!(query_as::<_, Row>, text.to_uppercase());
    let _: sqlx::Result<Vec<Row>> = rows.fetch_all(pg).await;
    let count = counted!(query_scalar::<_, i64>, maybe.clone().unwrap_or_default());
    let _: sqlx::Result<i64> = count.fetch_one(sqlite).await;
    let _ = (text, maybe, ids, id);
}

/// Never run: futures and streams of queries go to spawned tasks.
#[expect(dead_code, reason = "compiled, not run")]
fn futures_are_send(pg: sqlx::PgPool, mysql: sqlx::MySqlPool) {
    fn is_send(_: impl Send) {}
    is_send(query_budget::scope("x").run(async move {
        let _ = counted!(query, 1).map(|_| ()).fetch_all(&pg).await;
        let _ = counted!(query_as::<_, Row>, 1).fetch_optional(&pg).await;
        let _stream = counted!(query_scalar::<_, i64>, 1).fetch(&mysql);
        let mut transaction = mysql.begin().await?;
        counted!(query).persistent(false).execute(&mut *transaction).await?;
        sqlx::Executor::fetch_all(&mysql, counted!(query, 1)).await
    }));
}

/// A value that no database accepts.
struct Unencodable;

impl sqlx::Type<sqlx::Sqlite> for Unencodable {
    fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
        <i64 as sqlx::Type<sqlx::Sqlite>>::type_info()
    }
}

impl sqlx::Encode<'_, sqlx::Sqlite> for Unencodable {
    fn encode_by_ref(
        &self,
        _: &mut <sqlx::Sqlite as sqlx::Database>::ArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Err("not a value".into())
    }
}

#[tokio::test]
async fn query_that_cannot_be_sent_does_not_count() {
    let db = &sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let (outcome, report) = query_budget::measure(counted!(query, Unencodable).execute(db)).await;
    assert!(matches!(outcome, Err(sqlx::Error::Encode(_))), "{outcome:?}");
    assert_eq!(report.queries(), 0, "{report}");
    // A value rejected before it was bound leaves the query unchanged.
    let mut query = counted!(query);
    query.try_bind(Unencodable).unwrap_err();
    let (outcome, report) = query_budget::measure(query.execute(db)).await;
    outcome.unwrap();
    assert_eq!(report.queries(), 1, "{report}");
}
