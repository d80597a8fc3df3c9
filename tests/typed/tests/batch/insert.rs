//! INSERT.

use query_budget::{measure, sql_batch, sql_batch_as, sql_batch_scalar, sql_scalar};
use sqlx::PgPool;

use crate::database::with_database;
use crate::{Mood, Step, steps};

async fn count(db: &PgPool) -> i64 {
    sql_scalar!("SELECT count(*) AS \"count!\" FROM steps").fetch_one(db).await.unwrap()
}

/// Writes the rows, and returns the names that came back, which should be those of the input, in the same
/// order.
async fn written(db: &PgPool, rows: &[Step]) -> Vec<String> {
    sql_batch_scalar!(
        "INSERT INTO steps (run_id, name, note) VALUES ($1, $2, $3) RETURNING name",
        rows => |step| (step.run_id, &step.name, &step.note)
    )
    .fetch_all(db)
    .await
    .unwrap()
}

#[tokio::test]
async fn no_row_one_row_and_the_edges_of_a_chunk() {
    with_database("batch_edges", async |db| {
        for (run, rows, queries) in [(1, 0, 0), (2, 1, 1), (3, 65_535, 1), (4, 65_536, 2)] {
            let given = steps(run, rows);
            let (names, report) = measure(written(&db, &given)).await;
            assert_eq!(report.queries(), queries, "{rows} rows");
            assert!(names.iter().eq(given.iter().map(|step| &step.name)), "{rows} rows");
        }
        assert_eq!(count(&db).await, 131_072);
    })
    .await;
}

#[tokio::test]
async fn seventy_thousand_rows_come_back_in_the_order_in_which_they_were_given() {
    with_database("batch_order", async |db| {
        // A planner that prefers other orders and parallel plans, and rows with unsorted values.
        let mut given = steps(7, 70_000);
        given.sort_by_key(|step| step.name.bytes().rev().collect::<Vec<u8>>());
        let mut connection = db.acquire().await.unwrap();
        for setting in [
            "SET parallel_setup_cost = 0",
            "SET parallel_tuple_cost = 0",
            "SET min_parallel_table_scan_size = 0",
        ] {
            sqlx::query(setting).execute(&mut *connection).await.unwrap();
        }
        let rows = sql_batch!(
            "INSERT INTO steps (run_id, name) VALUES ($1, $2) RETURNING id, name",
            &given => |step| (&step.run_id, &step.name)
        );
        assert_eq!(rows.statements(), 2);
        let rows = rows.fetch_all(&mut connection).await.unwrap();
        assert!(rows.iter().map(|row| &row.name).eq(given.iter().map(|step| &step.name)));
        // Generated numbers are in the same order.
        assert!(rows.windows(2).all(|pair| pair[0].id < pair[1].id));
    })
    .await;
}

#[tokio::test]
async fn partitions_and_triggers_keep_the_order() {
    with_database("batch_partitions", async |db| {
        sqlx::raw_sql(
            "DROP TABLE steps;
             CREATE TABLE steps (id bigint GENERATED ALWAYS AS IDENTITY, run_id bigint NOT NULL, name text NOT NULL,
                 note character varying(8)) PARTITION BY HASH (name);
             CREATE TABLE steps_0 PARTITION OF steps FOR VALUES WITH (MODULUS 3, REMAINDER 0);
             CREATE TABLE steps_1 PARTITION OF steps FOR VALUES WITH (MODULUS 3, REMAINDER 1);
             CREATE TABLE steps_2 PARTITION OF steps FOR VALUES WITH (MODULUS 3, REMAINDER 2);",
        )
        .execute(&db)
        .await
        .unwrap();
        let given = steps(1, 2_000);
        assert!(written(&db, &given).await.iter().eq(given.iter().map(|step| &step.name)));
        // A trigger that skips a row: the result cannot be assigned to inputs, which is reported.
        sqlx::raw_sql(
            "CREATE FUNCTION keep_back() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN IF NEW.name = 'step 5' THEN RETURN NULL; END IF; RETURN NEW; END $$;
             CREATE TRIGGER keep_back BEFORE INSERT ON steps FOR EACH ROW EXECUTE FUNCTION keep_back();",
        )
        .execute(&db)
        .await
        .unwrap();
        let given = steps(2, 10);
        let names = || {
            sql_batch_scalar!(
                "INSERT INTO steps (run_id, name) VALUES ($1, $2) RETURNING name",
                &given => |step| (step.run_id, &step.name)
            )
        };
        let error = names().fetch_all(&db).await.unwrap_err().to_string();
        assert!(error.contains("an INSERT of 10 rows returned 9"), "{error}");
        assert_eq!(names().fetch_some(&db).await.unwrap().len(), 9);
    })
    .await;
}

#[tokio::test]
async fn null_unicode_and_every_kind_of_column() {
    with_database("batch_kinds", async |db| {
        let names = ["Ünïcödé 🦀", "a'b\"c\\d\n\t", "", "{x,NULL}", "$1; DROP TABLE steps"];
        let notes = [None, Some("ß"), Some(""), Some("NULL"), None];
        let rows: Vec<(usize, &str)> = names.into_iter().enumerate().collect();
        let back = sql_batch!(
            "INSERT INTO steps (run_id, name, note, code, mood, settings) VALUES ($1, lower($2), $3, $4, $5, $6)
             RETURNING name, note, code, mood, settings",
            rows => |(at, name)| {
                let code = (at > 1).then_some("c");
                let mood = at.is_multiple_of(2).then_some(Mood::Sad);
                (1_i64, name, notes[at], code, mood, Some(sqlx::types::JsonValue::from(name)))
            }
        );
        let back = back.fetch_all(&db).await.unwrap();
        for (at, row) in back.iter().enumerate() {
            assert_eq!(row.name, names[at].to_lowercase());
            assert_eq!(row.note.as_deref(), notes[at]);
            assert_eq!(row.code.as_deref(), (at > 1).then_some("c"));
            assert_eq!(row.mood, at.is_multiple_of(2).then_some(Mood::Sad));
            assert_eq!(row.settings, Some(sqlx::types::JsonValue::from(names[at])));
        }
        // What an INSERT of one row rejects, a batch rejects too: nothing is truncated to fit.
        let long = sql_batch!("INSERT INTO steps (run_id, name, note) VALUES ($1, 'long', $2)", [1_i64] => |run| (run, "123456789"));
        let error = long.execute(&db).await.unwrap_err().to_string();
        assert!(error.contains("too long"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_column_that_is_an_array() {
    with_database("batch_arrays", async |db| {
        let rows = [
            ("one", vec!["a".to_owned(), "b".to_owned()]),
            ("none", vec![]),
            ("three", vec!["c".to_owned()]),
        ];
        let back = sql_batch_as!(
            (String, Option<Vec<String>>),
            "INSERT INTO steps (run_id, name, tags) VALUES ($3, $1, $2) RETURNING name, tags",
            &rows => |(name, tags)| (*name, &tags[..]),
            7_i64
        );
        let back = back.fetch_all(&db).await.unwrap();
        let expect: Vec<_> =
            rows.iter().map(|(name, tags)| ((*name).to_owned(), Some(tags.clone()))).collect();
        assert_eq!(back, expect);
        let many = sql_batch!(
            "INSERT INTO steps (run_id, name, tags) VALUES ($1, $2, $3)",
            steps(8, 40_000) => |step| (step.run_id, step.name, vec!["x".to_owned()])
        );
        assert_eq!(many.statements(), 2);
        assert_eq!(many.execute(&db).await.unwrap().rows_affected(), 40_000);
    })
    .await;
}

#[tokio::test]
async fn conflicts_update_or_leave_alone() {
    with_database("batch_upsert", async |db| {
        written(&db, &steps(1, 10)).await;
        let given = steps(1, 12);
        let back = sql_batch!(
            "INSERT INTO steps (run_id, name, note) VALUES ($1, $2, 'new')
             ON CONFLICT (run_id, name) DO UPDATE SET note = EXCLUDED.note RETURNING name, note",
            &given => |step| (step.run_id, &step.name)
        );
        let back = back.fetch_all(&db).await.unwrap();
        assert!(back.iter().map(|row| &row.name).eq(given.iter().map(|step| &step.name)));
        assert!(back.iter().all(|row| row.note.as_deref() == Some("new")));
        let given = steps(1, 15);
        let back = sql_batch_scalar!(
            "INSERT INTO steps (run_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING name",
            &given => |step| (step.run_id, &step.name)
        );
        assert_eq!(back.fetch_some(&db).await.unwrap(), ["step 12", "step 13", "step 14"]);
        // Two rows with the same key: the server reports it, and nothing is written.
        let twice = sql_batch!(
            "INSERT INTO steps (run_id, name) VALUES (2, $1) ON CONFLICT (run_id, name) DO UPDATE SET note = 'x'",
            ["a", "b", "a"] => |name| name
        );
        let error = twice.execute(&db).await.unwrap_err().to_string();
        assert!(error.contains("a second time"), "{error}");
        assert_eq!(count(&db).await, 15);
    })
    .await;
}

#[tokio::test]
async fn several_chunks_are_written_as_a_whole_or_not_at_all() {
    with_database("batch_whole", async |db| {
        let mut given = steps(1, 70_000);
        given[69_999].name = "step 0".to_owned();
        let insert = || {
            sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", &given => |step| (step.run_id, &step.name))
        };
        assert!(insert().execute(&db).await.is_err());
        assert_eq!(count(&db).await, 0);
        // Within a transaction it is a savepoint: earlier writes stay.
        let mut transaction = db.begin().await.unwrap();
        sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, 'before')", [5_i64] => |run| run)
            .execute(&mut transaction)
            .await
            .unwrap();
        assert!(insert().execute(&mut transaction).await.is_err());
        transaction.commit().await.unwrap();
        assert_eq!(count(&db).await, 1);
        let mut transaction = db.begin().await.unwrap();
        let rows = steps(6, 66_000);
        let insert = sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", rows => |step| (step.run_id, step.name));
        assert_eq!(insert.execute(&mut *transaction).await.unwrap().rows_affected(), 66_000);
        transaction.rollback().await.unwrap();
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_batch_can_be_sent_to_a_task() {
    with_database("batch_task", async |db| {
        let rows = steps(1, 3);
        let batch = sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", &rows => |step| (step.run_id, &step.name));
        drop(rows);
        let pool = db.clone();
        tokio::spawn(async move { batch.execute(&pool).await }).await.unwrap().unwrap();
        assert_eq!(count(&db).await, 3);
    })
    .await;
}
