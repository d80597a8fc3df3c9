//! Functions of many shapes: the queries they run are counted, and compared with the bounds from their
//! source.

use futures_util::future::join_all;
use query_budget::{query_budget, sql};
use sqlx::{Result, SqlitePool};

use crate::store::{Reads, Store, count};

pub(crate) async fn in_a_row(store: &Store, _n: i64) -> Result<()> {
    store.one(1).await?;
    count(&store.db).await?;
    store.one(2).await?;
    Ok(())
}

pub(crate) async fn branches(store: &Store, n: i64) -> Result<()> {
    if n > 2 {
        store.one(n).await?;
        store.one(n + 1).await?;
    } else if n == 2 {
        store.one(n).await?;
    }
    match n {
        0 => Ok(()),
        1 => store.one(1).await,
        _ => {
            store.one(1).await?;
            store.one(2).await
        }
    }
}

pub(crate) async fn early_return(store: &Store, n: i64) -> Result<()> {
    let Some(n) = Some(n).filter(|n| *n > 1) else {
        return store.one(0).await;
    };
    if n > 3 {
        store.one(n).await?;
        return Ok(());
    }
    store.one(1).await?;
    store.one(2).await?;
    store.one(3).await
}

pub(crate) async fn fixed_loop(store: &Store, n: i64) -> Result<()> {
    for turn in 0..3 {
        if turn == n {
            break;
        }
        store.one(turn).await?;
    }
    for id in [4, 5] {
        store.one(id).await?;
    }
    Ok(())
}

pub(crate) async fn a_loop_over_elements(store: &Store, n: i64) -> Result<()> {
    for id in 0..n {
        store.one(id).await?;
    }
    Ok(())
}

pub(crate) async fn joined(store: &Store, n: i64) -> Result<()> {
    let (one, two) = tokio::join!(store.one(1), store.one(2));
    one.and(two)?;
    join_all((0..n).map(|id| store.one(id))).await;
    Ok(())
}

pub(crate) async fn futures_that_are_dropped(store: &Store, n: i64) -> Result<()> {
    let first = store.one(1);
    let second = store.one(2);
    if n > 1 {
        first.await?;
    }
    if n > 2 { second.await } else { Ok(()) }
}

pub(crate) async fn recursion(store: &Store, n: i64) -> Result<()> {
    store.one(n).await?;
    if n > 0 {
        Box::pin(recursion(store, n - 1)).await?;
    }
    Ok(())
}

pub(crate) async fn through_a_trait(store: &Store, n: i64) -> Result<()> {
    async fn twice<R: Reads>(reads: &R, id: i64) -> Result<()> {
        reads.read(id).await?;
        reads.read(id + 1).await
    }
    twice(store, n).await
}

pub(crate) async fn closures(store: &Store, n: i64) -> Result<()> {
    let load = async |id: i64| store.one(id).await;
    load(1).await?;
    if n > 1 {
        load(2).await?;
    }
    let once = Some(n).filter(|n| *n > 2).map(|id| store.one(id));
    if let Some(once) = once {
        once.await?;
    }
    Ok(())
}

#[query_budget(max = 2)]
async fn with_a_budget(store: &Store, n: i64) -> Result<()> {
    if n > 1 {
        store.one(n).await?;
    }
    store.one(1).await
}

pub(crate) async fn of_budgeted_functions(store: &Store, n: i64) -> Result<()> {
    with_a_budget(store, n).await?;
    with_a_budget(store, 0).await
}

pub(crate) async fn an_error_on_the_way(store: &Store, n: i64) -> Result<()> {
    store.one(1).await?;
    store.fail_from(n, 2).await?;
    store.one(2).await
}

pub(crate) async fn a_transaction(store: &Store, n: i64) -> Result<()> {
    let mut tx = store.db.begin().await?;
    sql!("INSERT INTO items (id, name) VALUES (?, 'new')", 1000 + n).execute(&mut *tx).await?;
    if n == 2 {
        return tx.rollback().await;
    }
    sql!("UPDATE items SET name = 'changed' WHERE id = ?", 1000 + n).execute(&mut *tx).await?;
    tx.rollback().await
}

pub(crate) async fn spawned(store: &Store, n: i64) -> Result<()> {
    let db: SqlitePool = store.db.clone();
    let task = tokio::spawn(async move { count(&db).await });
    if n > 1 {
        store.one(n).await?;
    }
    task.await.expect("the task ends").map(drop)
}
