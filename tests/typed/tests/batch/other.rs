//! UPDATE, DELETE and SELECT by key.

use query_budget::{measure, sql, sql_batch, sql_batch_as, sql_batch_scalar, sql_scalar};
use sqlx::PgPool;

use crate::database::with_database;
use crate::steps;

async fn fill(db: &PgPool, run: i64, count: usize) -> Vec<i64> {
    let rows = steps(run, count);
    sql_batch_scalar!(
        "INSERT INTO steps (run_id, name, note) VALUES ($1, $2, $3) RETURNING id",
        &rows => |step| (step.run_id, &step.name, step.note.as_deref())
    )
    .fetch_all(db)
    .await
    .unwrap()
}

#[tokio::test]
async fn an_update_by_key_takes_the_last_row_of_each() {
    with_database("batch_update", async |db| {
        let ids = fill(&db, 1, 5).await;
        let rows = [(ids[0], Some("a")), (ids[1], None), (ids[0], Some("b")), (-1, Some("c"))];
        let update = sql_batch!("UPDATE steps SET note = $2 WHERE id = $1 AND run_id = $3", rows => |row| (row.0, row.1), 1_i64);
        assert_eq!(update.execute(&db).await.unwrap().rows_affected(), 2);
        let notes = sql!("SELECT note FROM steps WHERE run_id = 1 ORDER BY id LIMIT 3").fetch_all(&db).await.unwrap();
        let notes: Vec<Option<&str>> = notes.iter().map(|row| row.note.as_deref()).collect();
        assert_eq!(notes, [Some("b"), None, None]);
        // Array values, and returned rows.
        let rows = [(ids[2], vec!["x".to_owned(), "y".to_owned()]), (ids[3], Vec::new())];
        let back = sql_batch_as!(
            (i64, Option<Vec<String>>),
            "UPDATE steps SET tags = $2 WHERE id = $1 RETURNING id, tags",
            &rows => |(id, tags)| (*id, &tags[..])
        );
        let mut back = back.fetch_some(&db).await.unwrap();
        back.sort();
        let expect: Vec<_> = rows.iter().map(|(id, tags)| (*id, Some(tags.clone()))).collect();
        assert_eq!(back, expect);
        // A condition that is not a key.
        let rows = [("step 3", 1_i64)];
        let update = sql_batch!("UPDATE steps SET note = 'z' WHERE name = $1 AND run_id >= $2", rows => |row| (row.0, row.1));
        assert_eq!(update.execute(&db).await.unwrap().rows_affected(), 1);
    })
    .await;
}

#[tokio::test]
async fn deletes_by_key() {
    with_database("batch_delete", async |db| {
        let ids = fill(&db, 1, 70_000).await;
        let delete = sql_batch!("DELETE FROM steps WHERE id = $1", &ids[1..] => |id| *id);
        let (result, report) = measure(delete.execute(&db)).await;
        assert_eq!((result.unwrap().rows_affected(), report.queries()), (69_999, 2));
        fill(&db, 2, 3).await;
        let keys = [(2_i64, "step 1"), (1, "step 1"), (2, "step 2")];
        let delete = sql_batch_scalar!("DELETE FROM steps WHERE run_id = $1 AND name = $2 RETURNING name", keys => |key| (key.0, key.1));
        let mut names = delete.fetch_some(&db).await.unwrap();
        names.sort();
        assert_eq!(names, ["step 1", "step 2"]);
        assert_eq!(sql_scalar!("SELECT count(*) AS \"count!\" FROM steps").fetch_one(&db).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn reads_by_key_into_maps() {
    with_database("batch_select", async |db| {
        fill(&db, 1, 4).await;
        fill(&db, 2, 2).await;
        let runs = [2_i64, 1, 9, 2];
        let (groups, report) = measure(async {
            let steps =
                sql_batch!("SELECT run_id, name FROM steps WHERE run_id = $1 ORDER BY id", runs => |run| run);
            steps.fetch_groups(&db, |step| step.run_id).await.unwrap()
        })
        .await;
        assert_eq!(report.queries(), 1);
        assert_eq!(groups.len(), 2);
        assert_eq!(
            groups[&1].iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
            ["step 0", "step 1", "step 2", "step 3"]
        );
        assert_eq!(groups[&2].len(), 2);
        let one = sql_batch!("SELECT id, name FROM steps WHERE id = $1", [1_i64, 2] => |id| id);
        let one = one.fetch_map(&db, |step| step.id).await.unwrap();
        assert_eq!(one[&2].name, "step 1");
        // The newest of each, by a lateral join.
        let newest = sql_batch!(
            "SELECT run_id, name FROM steps WHERE run_id = $1 AND name <> $2 ORDER BY id DESC LIMIT 1",
            [1_i64, 2] => |run| run,
            "step 3"
        );
        let newest: Vec<String> =
            newest.fetch_all(&db).await.unwrap().into_iter().map(|step| step.name).collect();
        assert_eq!(newest, ["step 2", "step 1"]);
        let none: [i64; 0] = [];
        let none = sql_batch!("SELECT id FROM steps WHERE id = $1", none => |id| id);
        assert_eq!(none.fetch_all(&db).await.unwrap().len(), 0);
    })
    .await;
}
