//! The properties of a cache, on any database.

use std::time::Duration;

use futures_util::future::join_all;
use query_budget::cache::CachedPool;
use query_budget::measure;

use crate::face::{Face, LONG};

/// Reads that queried the database.
fn misses<F: Face>(db: &CachedPool<F::Db>) -> u64 {
    db.cache().stats().misses
}

pub(crate) async fn write_is_seen_by_the_next_read<F: Face>(db: CachedPool<F::Db>) {
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0);
    let (again, counted) = measure(F::count(&db, LONG)).await;
    assert_eq!((*again.unwrap(), counted.queries()), (0, 0), "a hit is not a query");
    F::insert(&db, 1).await.unwrap();
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 1);
    let stats = db.cache().stats();
    assert_eq!((stats.hits, stats.misses, stats.invalidations), (1, 2, 1));
    assert!((stats.hit_rate() - 1.0 / 3.0).abs() < 1e-9);
}

pub(crate) async fn transaction_invalidates_when_it_is_committed<F: Face>(db: CachedPool<F::Db>) {
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0);
    let mut transaction = db.begin().await.unwrap();
    F::insert_in(&mut transaction, 1).await.unwrap();
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0, "the entry holds until the commit");
    assert_eq!(db.cache().stats().invalidations, 0);
    assert!(transaction.commit().await.unwrap().acknowledged);
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 1);
    assert_eq!(misses::<F>(&db), 2);
}

pub(crate) async fn rollback_invalidates_nothing<F: Face>(db: CachedPool<F::Db>) {
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0);
    let mut transaction = db.begin().await.unwrap();
    F::insert_in(&mut transaction, 1).await.unwrap();
    transaction.rollback().await.unwrap();
    let mut transaction = db.begin().await.unwrap();
    F::insert_in(&mut transaction, 2).await.unwrap();
    drop(transaction);
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0);
    let stats = db.cache().stats();
    assert_eq!((stats.misses, stats.invalidations), (1, 0));
}

pub(crate) async fn arguments_are_told_apart<F: Face>(db: CachedPool<F::Db>) {
    F::insert(&db, 1).await.unwrap();
    // The two values of each pair would collide if values were simply concatenated.
    let asked =
        [(1, None), (1, Some("")), (1, Some("NULL")), (1, Some("1")), (11, Some("")), (11, None), (0, None)];
    for turn in 1..=2 {
        for (id, text) in asked {
            let found = F::item(&db, id, text).await.unwrap();
            assert_eq!(*found, (id == 1).then_some(7), "iteration {turn}: {id} {text:?}");
        }
    }
    let stats = db.cache().stats();
    assert_eq!((stats.misses, stats.hits), (7, 7));
}

pub(crate) async fn other_tables_are_left_alone<F: Face>(db: CachedPool<F::Db>) {
    F::count(&db, LONG).await.unwrap();
    F::write_other(&db).await.unwrap();
    F::count(&db, LONG).await.unwrap();
    assert_eq!(misses::<F>(&db), 1);
}

pub(crate) async fn what_is_not_known_is_all<F: Face>(db: CachedPool<F::Db>) {
    F::count(&db, LONG).await.unwrap();
    F::write_unknown(&db).await.unwrap();
    F::count(&db, LONG).await.unwrap();
    assert_eq!(misses::<F>(&db), 2, "a write of which nothing is known invalidates all");
    F::count_unknown(&db).await.unwrap();
    F::count_unknown(&db).await.unwrap();
    assert_eq!(misses::<F>(&db), 3);
    F::write_other(&db).await.unwrap();
    F::count_unknown(&db).await.unwrap();
    assert_eq!(misses::<F>(&db), 4, "any write invalidates a read of which nothing is known");
    db.invalidate(["whatever"]).await;
    F::count_unknown(&db).await.unwrap();
    assert_eq!(misses::<F>(&db), 5);
    db.cache().invalidate_all().await;
    F::count(&db, LONG).await.unwrap();
    assert_eq!(misses::<F>(&db), 6);
}

pub(crate) async fn entry_dies_in_time<F: Face>(db: CachedPool<F::Db>) {
    F::count(&db, Duration::from_millis(20)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(25)).await;
    F::count(&db, Duration::from_millis(20)).await.unwrap();
    F::count(&db, Duration::ZERO).await.unwrap();
    assert!(misses::<F>(&db) >= 2);
    // A time beyond the range of any clock.
    F::item(&db, 1, None).await.unwrap();
    assert_eq!(*F::count(&db, Duration::MAX).await.unwrap(), 0);
}

pub(crate) async fn one_reads_for_all<F: Face>(db: CachedPool<F::Db>) {
    let all = join_all((0..20).map(|_| F::slow(&db))).await;
    assert!(all.into_iter().all(|one| *one.unwrap() == 1));
    let stats = db.cache().stats();
    assert_eq!((stats.misses, stats.hits + stats.shared), (1, 19), "{stats:?}");
}

pub(crate) async fn read_that_a_write_overtakes_is_not_found<F: Face>(db: CachedPool<F::Db>) {
    // The write completes, and is acknowledged, while the old row is on its way.
    let overtaken = F::count_while(&db, || {
        futures_util::FutureExt::now_or_never(db.invalidate(["items"])).expect("it does not wait");
    });
    assert_eq!(*overtaken.await.unwrap(), 0);
    F::count(&db, LONG).await.unwrap();
    assert_eq!(misses::<F>(&db), 2);
    F::count(&db, LONG).await.unwrap();
    assert_eq!(misses::<F>(&db), 2);
}

pub(crate) async fn failed_read_is_not_kept<F: Face>(db: CachedPool<F::Db>) {
    let all = join_all((0..5).map(|_| F::refused(&db))).await;
    assert!(all.into_iter().all(|one| one.is_err()));
    F::refused(&db).await.unwrap_err();
    let stats = db.cache().stats();
    assert_eq!((stats.misses, stats.hits, stats.shared), (6, 0, 0));
}

pub(crate) async fn cancelled_write_invalidates<F: Face>(db: CachedPool<F::Db>) {
    F::count(&db, LONG).await.unwrap();
    let cancelled = futures_util::FutureExt::now_or_never(F::insert(&db, 1));
    if cancelled.is_none() {
        assert_eq!(db.cache().stats().invalidations, 1, "nobody knows whether it was done");
    }
    F::count(&db, LONG).await.unwrap();
    assert_eq!(misses::<F>(&db), 2);
}

pub(crate) async fn tags_of_ones_own<F: Face>(db: CachedPool<F::Db>) {
    F::ids(&db, &["user 7", "user 8"]).await.unwrap();
    db.invalidate(["user 9"]).await;
    F::ids(&db, &["user 7", "user 8"]).await.unwrap();
    assert_eq!(misses::<F>(&db), 1);
    db.invalidate(["user 8"]).await;
    F::ids(&db, &["user 7", "user 8"]).await.unwrap();
    assert_eq!(misses::<F>(&db), 2);
    db.invalidate(["items".to_owned()]).await;
    F::ids(&db, &["user 7", "user 8"]).await.unwrap();
    assert_eq!(misses::<F>(&db), 3);
}

pub(crate) async fn connection_of_a_transaction_is_not_seen<F: Face>(db: CachedPool<F::Db>) {
    F::count(&db, LONG).await.unwrap();
    let mut transaction = db.begin().await.unwrap();
    F::insert_by_connection(&mut transaction, 1).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 1);
}

pub(crate) async fn rows_of_a_write_are_given<F: Face>(db: CachedPool<F::Db>) {
    F::count(&db, LONG).await.unwrap();
    assert_eq!(F::insert_returning(&db, 3).await.unwrap(), [3]);
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 1);
}

pub(crate) async fn batch_invalidates_what_it_has_written<F: Face>(db: CachedPool<F::Db>) {
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0);
    F::insert_batch(&db, &[]).await.unwrap();
    assert_eq!(db.cache().stats().invalidations, 0, "no row, no statement");
    let ((), counted) = measure(async { F::insert_batch(&db, &[1, 2, 3]).await.unwrap() }).await;
    assert_eq!(counted.queries(), 2, "{counted}");
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 3);
    assert_eq!(db.cache().stats().invalidations, 1, "once for all its statements");

    // It fails in its second statement, and nobody knows from outside that nothing was written.
    F::insert_batch(&db, &[4, 5, 1]).await.unwrap_err();
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 3);

    let mut transaction = db.begin().await.unwrap();
    assert_eq!(F::insert_batch_in(&mut transaction, &[4, 5, 6]).await.unwrap(), [4, 5, 6]);
    let before = misses::<F>(&db);
    transaction.rollback().await.unwrap();
    assert_eq!((*F::count(&db, LONG).await.unwrap(), misses::<F>(&db)), (3, before));
    let mut transaction = db.begin().await.unwrap();
    F::insert_batch_in(&mut transaction, &[4, 5, 6]).await.unwrap();
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 3, "the entry holds until the commit");
    transaction.commit().await.unwrap();
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 6);
}

pub(crate) async fn databases_are_told_apart<F: Face>(db: CachedPool<F::Db>) {
    let Some(other) = F::another(&db).await else { return };
    assert_eq!(*F::count(&db, LONG).await.unwrap(), 0);
    assert_eq!(*F::count(&other, LONG).await.unwrap(), 1);
    assert_eq!(misses::<F>(&db), 2);
}
