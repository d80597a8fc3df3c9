//! Code and futures that are kept and run later: the number of queries is in the interval, or said to be unknown.

use std::collections::{HashMap, VecDeque};

use futures_util::future::{BoxFuture, FutureExt, join_all, select_all};
use futures_util::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use sqlx::Result;
use tokio::task::JoinSet;

use crate::store::{Store, count};

type Reading<'s> = BoxFuture<'s, Result<()>>;
type Hook<'s> = Box<dyn Fn(i64) -> Reading<'s> + Send + Sync + 's>;
type Step = for<'s> fn(&'s Store, i64) -> Reading<'s>;

fn read(store: &Store, id: i64) -> Reading<'_> {
    store.one(id).boxed()
}

fn skip(_: &Store, _: i64) -> Reading<'_> {
    async { Ok(()) }.boxed()
}

static STEPS: [Step; 3] = [read, skip, read];
static NAMED: &[(&str, Step)] = &[("read", read), ("skip", skip)];

fn reader<'s>(store: &'s Store) -> impl Fn(i64) -> Reading<'s> {
    move |id| store.one(id).boxed()
}

fn hook(store: &Store) -> Hook<'_> {
    Box::new(move |id| store.one(id).boxed())
}

struct Hooks<'s> {
    first: Hook<'s>,
    all: Vec<Hook<'s>>,
}

impl Hooks<'_> {
    async fn each(&self, n: i64) -> Result<()> {
        for id in 0..n {
            (self.first)(id).await?;
        }
        Ok(())
    }

    async fn joined(&self, n: i64) -> Result<()> {
        join_all(self.all.iter().map(|hook| hook(n))).await;
        Ok(())
    }
}

fn hooks(store: &Store, n: i64) -> Hooks<'_> {
    Hooks { first: hook(store), all: (0..n).map(|_| hook(store)).collect() }
}

pub(crate) async fn a_closure_that_is_returned(store: &Store, n: i64) -> Result<()> {
    let read = reader(store);
    for id in 0..n {
        read(id).await?;
    }
    Ok(())
}

pub(crate) async fn a_closure_that_is_returned_and_mapped(store: &Store, n: i64) -> Result<()> {
    join_all((0..n).map(reader(store))).await;
    Ok(())
}

pub(crate) async fn hooks_in_a_list(store: &Store, n: i64) -> Result<()> {
    let mut hooks: Vec<Hook<'_>> = Vec::new();
    for _ in 0..n {
        hooks.push(Box::new(move |id| store.one(id).boxed()));
    }
    join_all(hooks.iter().map(|hook| hook(1))).await;
    Ok(())
}

pub(crate) async fn hooks_in_a_map(store: &Store, n: i64) -> Result<()> {
    let mut hooks: HashMap<i64, Hook<'_>> = HashMap::new();
    for id in 0..n {
        hooks.insert(id, hook(store));
    }
    for hook in hooks.values() {
        hook(1).await?;
    }
    Ok(())
}

pub(crate) async fn hooks_in_fields(store: &Store, n: i64) -> Result<()> {
    let hooks = hooks(store, n);
    hooks.each(n).await?;
    hooks.joined(n).await
}

pub(crate) async fn jobs_in_a_queue(store: &Store, n: i64) -> Result<()> {
    let mut jobs: VecDeque<Box<dyn FnOnce() -> Reading<'static>>> = VecDeque::new();
    for _ in 0..n {
        let db = store.db.clone();
        jobs.push_back(Box::new(move || async move { count(&db).await.map(drop) }.boxed()));
    }
    while let Some(job) = jobs.pop_front() {
        job().await?;
    }
    Ok(())
}

pub(crate) async fn functions_in_a_static(store: &Store, n: i64) -> Result<()> {
    for step in STEPS {
        step(store, n).await?;
    }
    join_all(STEPS.iter().map(|step| step(store, n))).await;
    for (_, step) in NAMED {
        step(store, n).await?;
    }
    Ok(())
}

pub(crate) async fn a_function_by_its_position(store: &Store, n: i64) -> Result<()> {
    for id in 0..n {
        STEPS[usize::try_from(id).unwrap_or_default() % STEPS.len()](store, id).await?;
    }
    Ok(())
}

async fn run_all(readings: Vec<Reading<'_>>) -> Result<()> {
    for reading in readings {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn futures_that_are_given(store: &Store, n: i64) -> Result<()> {
    run_all((0..n).map(|id| store.one(id).boxed()).collect()).await
}

fn readings(store: &Store, n: i64) -> impl Iterator<Item = Reading<'_>> {
    (0..n).map(move |id| store.one(id).boxed())
}

pub(crate) async fn futures_that_are_returned(store: &Store, n: i64) -> Result<()> {
    for reading in readings(store, n) {
        reading.await?;
    }
    Ok(())
}

pub(crate) async fn an_unordered_collection(store: &Store, n: i64) -> Result<()> {
    let mut all = FuturesUnordered::new();
    all.push(store.one(0));
    let mut next = 1;
    while let Some(read) = all.next().await {
        read?;
        if next < n {
            all.push(store.one(next));
            next += 1;
        }
    }
    Ok(())
}

pub(crate) async fn a_set_of_tasks(store: &Store, n: i64) -> Result<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..n {
        let db = store.db.clone();
        tasks.spawn(async move { count(&db).await });
    }
    tasks.join_all().await;
    Ok(())
}

pub(crate) async fn the_fastest_and_the_rest(store: &Store, n: i64) -> Result<()> {
    let (first, _, rest) = select_all((0..=n).map(|id| store.one(id).boxed())).await;
    join_all(rest).await;
    first
}

pub(crate) async fn an_unfolded_stream(store: &Store, n: i64) -> Result<()> {
    let pages = stream::try_unfold(0, |id| async move {
        if id >= n {
            return Ok(None);
        }
        store.one(id).await?;
        Ok::<_, sqlx::Error>(Some((id, id + 1)))
    });
    pages.try_collect::<Vec<_>>().await.map(drop)
}

pub(crate) async fn each_of_a_stream(store: &Store, n: i64) -> Result<()> {
    stream::iter((0..n).map(Ok)).try_for_each_concurrent(4, |id| store.one(id)).await?;
    stream::iter(0..n).map(|id| store.one(id)).buffer_unordered(4).try_collect::<Vec<_>>().await.map(drop)
}
