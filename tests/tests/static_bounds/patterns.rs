//! How real code runs queries in pieces, through helpers and through types: each is run at several sizes.

use std::ops::Deref;

use futures_util::future::join_all;
use sqlx::Result;
use tokio::sync::OnceCell;

use crate::store::{Reads, Store, count};

async fn each<F: AsyncFnMut(i64) -> Result<()>>(n: i64, mut f: F) -> Result<()> {
    for id in 0..n {
        f(id).await?;
    }
    Ok(())
}

async fn through<F: AsyncFnMut(i64) -> Result<()>>(n: i64, f: F) -> Result<()> {
    each(n, f).await
}

async fn twice<F: AsyncFn(i64) -> Result<()>>(f: F) -> Result<()> {
    f(1).await?;
    f(2).await
}

async fn first_of<F: AsyncFnOnce(i64) -> Result<()>>(ids: &[i64], f: F) -> Result<()> {
    match ids.first() {
        Some(id) => f(*id).await,
        None => Ok(()),
    }
}

pub(crate) async fn a_helper_that_loops(store: &Store, n: i64) -> Result<()> {
    each(n, async |id| store.one(id).await).await
}

pub(crate) async fn a_helper_behind_a_helper(store: &Store, n: i64) -> Result<()> {
    through(n, async |id| store.one(id).await).await
}

pub(crate) async fn a_closure_that_is_handed_over_by_name(store: &Store, n: i64) -> Result<()> {
    let load = async |id: i64| store.one(id).await;
    load(0).await?;
    each(n, &load).await
}

pub(crate) async fn a_helper_that_calls_twice(store: &Store, _n: i64) -> Result<()> {
    twice(async |id| store.one(id).await).await
}

pub(crate) async fn a_helper_that_calls_once_at_most(store: &Store, n: i64) -> Result<()> {
    let ids: Vec<i64> = (0..n).collect();
    first_of(&ids, async |id| store.one(id).await).await
}

pub(crate) async fn a_closure_with_two_queries(store: &Store, n: i64) -> Result<()> {
    each(n, async |id| {
        store.one(id).await?;
        if id > 2 { store.one(id).await } else { Ok(()) }
    })
    .await
}

pub(crate) async fn futures_that_are_collected(store: &Store, n: i64) -> Result<()> {
    let mut all = Vec::new();
    for id in 0..n {
        all.push(store.one(id));
    }
    join_all(all).await.into_iter().collect()
}

enum Any<'s> {
    Kept(&'s Store),
    Empty,
}

impl Any<'_> {
    async fn one(&self, id: i64) -> Result<()> {
        match self {
            Any::Kept(store) => store.one(id).await,
            Any::Empty => Ok(()),
        }
    }
}

pub(crate) async fn the_arms_of_an_enum(store: &Store, n: i64) -> Result<()> {
    let any = if n == 3 { Any::Empty } else { Any::Kept(store) };
    for id in 0..n {
        any.one(id).await?;
    }
    Any::Kept(store).one(n).await
}

struct App<'s>(&'s Store);

impl Deref for App<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.0
    }
}

pub(crate) async fn a_newtype(store: &Store, n: i64) -> Result<()> {
    let app = App(store);
    app.one(1).await?;
    for id in 0..n {
        app.one(id).await?;
    }
    Ok(())
}

pub(crate) async fn elements_of_a_parameter(store: &Store, n: i64) -> Result<()> {
    async fn all<R: Reads>(readers: &[R]) -> Result<()> {
        for reader in readers {
            reader.read(1).await?;
        }
        Ok(())
    }
    let readers: Vec<Store> = (0..n).map(|_| Store { db: store.db.clone() }).collect();
    all(&readers).await
}

struct Filter {
    id: Option<i64>,
}

pub(crate) async fn an_option_in_a_field(store: &Store, n: i64) -> Result<()> {
    let filter = Filter { id: Some(n).filter(|n| n % 2 == 0) };
    for id in filter.id.iter() {
        store.one(*id).await?;
    }
    Ok(())
}

pub(crate) async fn a_prefix(store: &Store, n: i64) -> Result<()> {
    let ids: Vec<i64> = (0..n + 2).collect();
    for id in &ids[..2] {
        store.one(*id).await?;
    }
    for id in ids.iter().take(3) {
        store.one(*id).await?;
    }
    Ok(())
}

pub(crate) async fn what_is_kept_once_it_is_read(store: &Store, n: i64) -> Result<()> {
    let kept = OnceCell::new();
    for _ in 0..n {
        kept.get_or_try_init(|| count(&store.db)).await?;
    }
    Ok(())
}
