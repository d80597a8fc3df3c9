//! One statement for many rows, on a real MariaDB server.

mod database;

use query_budget::{layer, measure, sql_batch, sql_batch_as, sql_batch_scalar, sql_scalar};
use sqlx::MySqlPool;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use database::with_database;

/// A row to write.
struct Step {
    run_id: i64,
    name: String,
    note: Option<String>,
}

fn steps(run_id: i64, count: usize) -> Vec<Step> {
    let note = |at: usize| at.is_multiple_of(3).then(|| format!("n{}", at % 100));
    (0..count).map(|at| Step { run_id, name: format!("step {at}"), note: note(at) }).collect()
}

async fn count(db: &MySqlPool) -> i64 {
    sql_scalar!(i64, "SELECT count(*) FROM steps").fetch_one(db).await.unwrap()
}

/// Writes the rows, and returns the names that came back, which should be those of the input, in the same
/// order.
async fn written(db: &MySqlPool, rows: &[Step]) -> Vec<String> {
    sql_batch_scalar!(
        String,
        "INSERT INTO steps (run_id, name, note) VALUES (?, ?, ?) RETURNING name",
        rows => |step| (step.run_id, &step.name, step.note.as_deref())
    )
    .fetch_all(db)
    .await
    .unwrap()
}

#[tokio::test]
async fn no_row_one_row_and_the_edges_of_a_chunk() {
    with_database("edges", async |db| {
        const CHUNK: usize = 21_845;
        for (run, rows, queries) in [(1, 0, 0), (2, 1, 1), (3, CHUNK, 1), (4, CHUNK + 1, 2)] {
            let given = steps(run, rows);
            let (names, report) = measure(written(&db, &given)).await;
            assert_eq!(report.queries(), queries, "{rows} rows");
            assert!(names.iter().eq(given.iter().map(|step| &step.name)), "{rows} rows");
        }
        assert_eq!(count(&db).await, 2 * CHUNK as i64 + 2);
    })
    .await;
}

#[tokio::test]
async fn a_batch_counts_once_for_each_chunk_with_the_layer_too() {
    // The layer also receives each statement, with a text that occurs nowhere in the source.
    let _ = tracing_subscriber::registry().with(layer()).try_init();
    with_database("layer", async |db| {
        let rows = steps(1, 30_000);
        let (_, report) = measure(written(&db, &rows)).await;
        let expect = rows.len().div_ceil(21_845);
        assert_eq!(report.queries(), expect, "{report}");
        assert_eq!(report.rows(), rows.len(), "{report}");
    })
    .await;
}

#[tokio::test]
async fn seventy_thousand_rows_come_back_in_the_order_in_which_they_were_given() {
    with_database("order", async |db| {
        let mut given = steps(7, 70_000);
        given.sort_by_key(|step| step.name.bytes().rev().collect::<Vec<u8>>());
        let rows = sql_batch_as!(
            (i64, String),
            "INSERT INTO steps (run_id, name) VALUES (?, ?) RETURNING id, name",
            &given => |step| (step.run_id, &step.name)
        );
        let rows = rows.fetch_all(&db).await.unwrap();
        assert!(rows.iter().map(|row| &row.1).eq(given.iter().map(|step| &step.name)));
        assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0));
    })
    .await;
}

#[tokio::test]
async fn long_texts_stay_below_the_largest_packet() {
    with_database("long", async |db| {
        let drafts: Vec<(String, Option<Vec<u8>>)> = vec![
            ("x".repeat(1_000_000), None),
            ("é".repeat(1_000_000), Some(vec![0; 500_000])),
            (String::new(), Some(vec![7; 2_000_000])),
        ];
        let drafts: Vec<_> = drafts.into_iter().cycle().take(24).collect();
        let batch = sql_batch!(
            "INSERT INTO drafts (body, file, run_id) VALUES (?, ?, ?)",
            &drafts => |(body, file)| (body.as_str(), file.as_deref()),
            1_i64
        );
        // 44 MB, of which a packet holds 16 by default.
        assert!(batch.statements() > 12, "{} statements", batch.statements());
        assert_eq!(batch.execute(&db).await.unwrap().rows_affected(), 24);
    })
    .await;
}

#[tokio::test]
async fn null_and_unicode() {
    with_database("kinds", async |db| {
        let names = ["Ünïcödé 🦀", "a'b\"c\\d\n\t", "", "{x,NULL}", "?; DROP TABLE steps"];
        let notes = [None, Some("ß"), Some(""), Some("NULL"), None];
        let rows = names.into_iter().zip(notes);
        let back = sql_batch_as!(
            (String, Option<String>),
            "INSERT INTO steps (name, note, run_id) VALUES (?, ?, ?) RETURNING name, note",
            rows => |(name, note)| (name, note),
            5_i64
        );
        let back = back.fetch_all(&db).await.unwrap();
        let expect: Vec<(String, Option<String>)> = names
            .iter()
            .zip(notes)
            .map(|(name, note)| ((*name).to_owned(), note.map(str::to_owned)))
            .collect();
        assert_eq!(back, expect);
    })
    .await;
}

#[tokio::test]
async fn conflicts_update_or_leave_alone() {
    with_database("upsert", async |db| {
        written(&db, &steps(1, 10)).await;
        let given = steps(1, 12);
        let back = sql_batch_as!(
            (String, Option<String>),
            "INSERT INTO steps (run_id, name, note) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE note = VALUES(note) RETURNING name, note",
            &given => |step| (step.run_id, &step.name, "new")
        );
        let back = back.fetch_all(&db).await.unwrap();
        assert!(back.iter().map(|row| &row.0).eq(given.iter().map(|step| &step.name)));
        assert!(back.iter().all(|row| row.1.as_deref() == Some("new")));
        let given = steps(1, 15);
        let back = sql_batch_scalar!(
            String,
            "INSERT IGNORE INTO steps (run_id, name) VALUES (?, ?) RETURNING name",
            &given => |step| (step.run_id, &step.name)
        );
        assert_eq!(back.fetch_some(&db).await.unwrap(), ["step 12", "step 13", "step 14"]);
        // Of two rows with the same key, the last one wins.
        let twice = sql_batch!(
            "INSERT INTO steps (run_id, name, note) VALUES (2, ?, ?) ON DUPLICATE KEY UPDATE note = VALUES(note)",
            [("a", "1"), ("b", "2"), ("a", "3")] => |row| (row.0, row.1)
        );
        twice.execute(&db).await.unwrap();
        let note = sql_scalar!(Option<String>, "SELECT note FROM steps WHERE run_id = 2 AND name = 'a'");
        assert_eq!(note.fetch_one(&db).await.unwrap().as_deref(), Some("3"));
        assert_eq!(count(&db).await, 17);
    })
    .await;
}

#[tokio::test]
async fn several_chunks_are_written_as_a_whole_or_not_at_all() {
    with_database("whole", async |db| {
        let mut given = steps(1, 70_000);
        given[69_999].name = "step 0".to_owned();
        let insert = || {
            sql_batch!("INSERT INTO steps (run_id, name) VALUES (?, ?)", &given => |step| (step.run_id, &step.name))
        };
        assert!(insert().execute(&db).await.is_err());
        assert_eq!(count(&db).await, 0);
        let mut transaction = db.begin().await.unwrap();
        sql_batch!("INSERT INTO steps (run_id, name) VALUES (?, 'before')", [5_i64] => |run| run)
            .execute(&mut transaction)
            .await
            .unwrap();
        assert!(insert().execute(&mut transaction).await.is_err());
        transaction.commit().await.unwrap();
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_update_by_key_takes_the_last_row_of_each() {
    with_database("update", async |db| {
        written(&db, &steps(1, 1_300)).await;
        let ids: Vec<i64> =
            sql_scalar!(i64, "SELECT id FROM steps ORDER BY id LIMIT 2000").fetch_all(&db).await.unwrap();
        let mut rows: Vec<(i64, Option<String>)> =
            ids.iter().map(|id| (*id, Some(format!("of {id}")))).collect();
        rows.push((ids[0], Some("last".to_owned())));
        rows.push((ids[1], None));
        let update = sql_batch!(
            "UPDATE steps SET note = ? WHERE id = ? AND run_id = ?",
            &rows => |row| (row.1.as_deref(), row.0),
            1_i64
        );
        assert_eq!(update.statements(), 3);
        update.execute(&db).await.unwrap();
        let note =
            |id: i64| sql_scalar!(Option<String>, "SELECT note FROM steps WHERE id = ?", id).fetch_one(&db);
        assert_eq!(note(ids[0]).await.unwrap().as_deref(), Some("last"));
        assert_eq!(note(ids[1]).await.unwrap(), None);
        assert_eq!(note(ids[1_299]).await.unwrap(), Some(format!("of {}", ids[1_299])));
        // A two-column key.
        let rows = [(1_i64, "step 3", "x"), (1, "step 4", "y"), (2, "step 3", "z")];
        let update = sql_batch!(
            "UPDATE steps SET note = ? WHERE run_id = ? AND name = ?",
            rows => |row| (row.2, row.0, row.1)
        );
        update.execute(&db).await.unwrap();
        assert_eq!(note(ids[3]).await.unwrap().as_deref(), Some("x"));
        assert_eq!(note(ids[4]).await.unwrap().as_deref(), Some("y"));
    })
    .await;
}

#[tokio::test]
async fn deletes_by_key() {
    with_database("delete", async |db| {
        written(&db, &steps(1, 40_000)).await;
        let ids: Vec<i64> =
            sql_scalar!(i64, "SELECT id FROM steps ORDER BY id LIMIT 40000").fetch_all(&db).await.unwrap();
        let delete = sql_batch!("DELETE FROM steps WHERE id = ?", &ids[2..] => |id| *id);
        assert_eq!(delete.execute(&db).await.unwrap().rows_affected(), 39_998);
        let keys = [(1_i64, "step 1"), (1, "step 7")];
        let delete =
            sql_batch!("DELETE FROM steps WHERE run_id = ? AND name = ?", keys => |key| (key.0, key.1));
        assert_eq!(delete.execute(&db).await.unwrap().rows_affected(), 1);
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn reads_by_key_into_maps() {
    with_database("select", async |db| {
        written(&db, &steps(1, 4)).await;
        written(&db, &steps(2, 2)).await;
        let runs = [2_i64, 1, 9, 2];
        let steps = sql_batch_as!((i64, String), "SELECT run_id, name FROM steps WHERE run_id = ? ORDER BY id", runs => |run| run);
        let groups = steps.fetch_groups(&db, |step| step.0).await.unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[&1].iter().map(|step| step.1.as_str()).collect::<Vec<_>>(), ["step 0", "step 1", "step 2", "step 3"]);
        assert_eq!(groups[&2].len(), 2);
        let keys = [(1_i64, "step 3"), (2, "step 3")];
        let some = sql_batch_scalar!(i64, "SELECT run_id FROM steps WHERE run_id = ? AND name = ?", keys => |key| (key.0, key.1));
        assert_eq!(some.fetch_all(&db).await.unwrap(), [1]);
    })
    .await;
}
