//! What runs without a call being written, by operators and loops, and iterators of which some elements are drawn.

use std::ops::{Add, Index, Not};

use futures_util::future::{BoxFuture, FutureExt, join_all};
use futures_util::stream::{self, StreamExt};
use sqlx::Result;

use crate::store::Store;

type Reading<'s> = BoxFuture<'s, Result<()>>;

#[derive(Clone, Copy)]
struct Reader<'s>(&'s Store);

impl<'s> Add<i64> for Reader<'s> {
    type Output = Reading<'s>;

    fn add(self, id: i64) -> Reading<'s> {
        let store = self.0;
        async move {
            store.one(id).await?;
            store.one(id + 1).await
        }
        .boxed()
    }
}

impl<'s> Not for Reader<'s> {
    type Output = Reading<'s>;

    fn not(self) -> Reading<'s> {
        self.0.one(0).boxed()
    }
}

struct Readings<'s> {
    all: Vec<Store>,
    first: &'s Store,
}

impl Index<usize> for Readings<'_> {
    type Output = Store;

    fn index(&self, at: usize) -> &Store {
        self.all.get(at).unwrap_or(self.first)
    }
}

struct Each<'s> {
    store: &'s Store,
    left: i64,
}

impl<'s> Iterator for Each<'s> {
    type Item = Reading<'s>;

    fn next(&mut self) -> Option<Reading<'s>> {
        self.left -= 1;
        (self.left >= 0).then_some(self.store.one(self.left).boxed())
    }
}

struct All<'s>(&'s Store, i64);

impl<'s> IntoIterator for All<'s> {
    type Item = Reading<'s>;
    type IntoIter = std::vec::IntoIter<Reading<'s>>;

    fn into_iter(self) -> Self::IntoIter {
        let futures: Vec<Reading<'s>> = (0..self.1).map(|id| self.0.one(id).boxed()).collect();
        futures.into_iter()
    }
}

pub(crate) async fn an_operator(store: &Store, n: i64) -> Result<()> {
    (Reader(store) + n).await
}

pub(crate) async fn an_operator_in_a_loop(store: &Store, n: i64) -> Result<()> {
    let reader = Reader(store);
    for id in 0..n {
        (reader + id).await?;
    }
    Ok(())
}

pub(crate) async fn a_negation(store: &Store, _n: i64) -> Result<()> {
    let reader = Reader(store);
    (!reader).await
}

pub(crate) async fn what_an_index_gives(store: &Store, n: i64) -> Result<()> {
    let readings = Readings { all: Vec::new(), first: store };
    for at in 0..n.unsigned_abs() {
        readings[usize::try_from(at).unwrap_or_default()].one(1).await?;
    }
    Ok(())
}

pub(crate) async fn a_loop_over_an_iterator(store: &Store, n: i64) -> Result<()> {
    for reading in (Each { store, left: n }) {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn an_iterator_that_is_collected(store: &Store, n: i64) -> Result<()> {
    let all: Vec<Reading<'_>> = Each { store, left: n }.collect();
    for reading in all {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn an_iterator_that_is_joined(store: &Store, n: i64) -> Result<()> {
    store.one(1).await?;
    join_all(Each { store, left: n }.map(|reading| reading.boxed())).await;
    Ok(())
}

pub(crate) async fn an_iterator_that_extends(store: &Store, n: i64) -> Result<()> {
    let mut all = vec![store.one(1).boxed()];
    all.extend(Each { store, left: n });
    join_all(all).await;
    Ok(())
}

pub(crate) async fn an_iterator_that_is_limited(store: &Store, n: i64) -> Result<()> {
    for reading in (Each { store, left: n }).take(2) {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn what_becomes_an_iterator(store: &Store, n: i64) -> Result<()> {
    for reading in All(store, n) {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn the_first_of_a_stream(store: &Store, n: i64) -> Result<()> {
    stream::iter(0..n).then(|id| store.one(id)).boxed().next().await;
    Ok(())
}

pub(crate) async fn the_first_two_of_a_stream(store: &Store, n: i64) -> Result<()> {
    stream::iter(0..n).then(|id| store.one(id)).take(2).for_each(|_| async {}).await;
    Ok(())
}

pub(crate) async fn a_stream_that_reads_ahead(store: &Store, n: i64) -> Result<()> {
    stream::iter(0..n).map(|id| store.one(id)).buffered(10).take(1).for_each(|_| async {}).await;
    Ok(())
}

pub(crate) async fn the_first_futures(store: &Store, n: i64) -> Result<()> {
    for reading in (0..n).map(|id| store.one(id)).take(2) {
        reading.await?;
    }
    if let Some(reading) = (0..n).map(|id| store.one(id)).next() {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn a_part_that_is_drained(store: &Store, n: i64) -> Result<()> {
    let mut ids: Vec<i64> = (0..n + 2).collect();
    for id in ids.drain(..2) {
        store.one(id).await?;
    }
    Ok(())
}
