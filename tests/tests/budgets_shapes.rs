//! `#[query_budget]` works at run time on every shape of function, and does not change the function's
//! meaning.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::future::FutureExt;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use query_budget::__private::{Site, query};
use query_budget::{measure, query_budget};
use sqlx::SqlitePool;

/// Queries that the attribute cannot see where it is written.
async fn queries(db: &SqlitePool, times: usize) -> sqlx::Result<usize> {
    static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());
    for _ in 0..times {
        query(&SITE).execute(db).await?;
    }
    Ok(times)
}

/// The budget is computed from the arguments, before the body moves them.
#[query_budget(max = 1 + ids.len())]
async fn asynchronous(db: &SqlitePool, ids: Vec<i64>, times: usize) -> sqlx::Result<usize> {
    if times == 0 {
        return Ok(0);
    }
    drop(ids);
    let ran = queries(db, times).await?;
    Ok(ran)
}

#[query_budget(max = 2)]
fn synchronous(db: &SqlitePool, times: usize) -> Result<usize, sqlx::Error> {
    if times == 0 {
        return Ok(0);
    }
    let ran = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(queries(db, times)))?;
    Ok(ran)
}

#[query_budget(max = 2)]
fn boxed<'a>(db: &'a SqlitePool, times: usize) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { queries(db, times).await.unwrap() })
}

#[query_budget(max = 2)]
fn returned(db: &SqlitePool, times: usize) -> impl Future<Output = usize> {
    async move { queries(db, times).await.unwrap() }
}

/// Its rows arrive, and its queries run, when it is polled.
#[query_budget(max = 2)]
fn streamed(db: &SqlitePool, times: usize) -> impl Stream<Item = usize> {
    stream::once(async move { queries(db, times).await.unwrap() })
}

/// An alias for what runs later, which the attribute does not resolve.
type Loaded<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[query_budget(max = 2)]
fn by_another_name(db: &SqlitePool, times: usize) -> Loaded<'_, usize> {
    if times == 0 {
        return Box::pin(async { 0 });
    }
    Box::pin(async move { queries(db, times).await.unwrap() })
}

#[query_budget(max = 2)]
fn by_another_name_in_a_result(db: &SqlitePool, times: usize) -> Result<Loaded<'_, usize>, std::fmt::Error> {
    Ok(Box::pin(async move { queries(db, times).await.unwrap() }))
}

/// For a type that is not an alias, everything runs at once.
struct Page(usize);

#[query_budget(max = 2)]
fn named(db: &SqlitePool, times: usize) -> Page {
    Page(
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(queries(db, times)))
            .unwrap(),
    )
}

#[query_budget(max = 2)]
fn returned_early(db: &SqlitePool, times: usize) -> Pin<Box<dyn Future<Output = usize> + Send + '_>> {
    let later = async move { queries(db, times).await.unwrap() };
    if times > 0 {
        return Box::pin(later);
    }
    Box::pin(async { 0 })
}

#[query_budget(max = 2)]
fn returned_by_return(db: &SqlitePool, times: usize) -> impl Future<Output = usize> {
    let later = async move { queries(db, times).await.unwrap() };
    return later;
}

#[query_budget(max = 2)]
fn in_a_result(
    db: &SqlitePool,
    times: usize,
) -> Result<impl Future<Output = usize>, std::num::ParseIntError> {
    let _: usize = "7".parse()?;
    Ok(async move { queries(db, times).await.unwrap() })
}

#[query_budget(max = 2)]
fn in_an_option(db: &SqlitePool, times: usize) -> Option<BoxStream<'_, usize>> {
    Some(stream::once(async move { queries(db, times).await.unwrap() }).boxed())
}

#[query_budget(max = 2)]
fn unpinned(db: &SqlitePool, times: usize) -> Box<dyn Future<Output = usize> + Unpin + '_> {
    Box::new(Box::pin(async move { queries(db, times).await.unwrap() }))
}

#[query_budget(max = 2)]
fn into_future(db: &SqlitePool, times: usize) -> impl IntoFuture<Output = usize> {
    async move { queries(db, times).await.unwrap() }
}

/// The returned reference outlives the body.
#[query_budget(max = 0)]
fn borrowed(pages: &mut [Page]) -> Option<&mut Page> {
    if pages.is_empty() {
        return None;
    }
    pages.first_mut()
}

/// The return type determines what `?` converts to.
#[query_budget(max = 0)]
fn converted() -> impl Future<Output = Result<u32, Box<dyn std::error::Error>>> {
    async { Ok("7".parse::<u32>()?) }
}

#[query_budget(repeats = 2)]
async fn repeated(db: &SqlitePool, times: usize) -> usize {
    queries(db, times).await.unwrap()
}

#[query_budget(max = 2)]
fn streamed_in_a_box(db: &SqlitePool, times: usize) -> BoxStream<'_, usize> {
    stream::once(async move { queries(db, times).await.unwrap() }).boxed()
}

#[query_budget(max = 2)]
async fn generic<T: AsRef<str> + Send>(db: &SqlitePool, names: &[T]) -> usize {
    queries(db, names.iter().filter(|name| !name.as_ref().is_empty()).count()).await.unwrap()
}

trait Repository {
    async fn load(&mut self, times: usize) -> sqlx::Result<()>;
    fn load_boxed<'a>(
        &'a mut self,
        times: usize,
    ) -> Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + 'a>>;
}

/// Called through a trait object, where only the implementation has a budget.
#[async_trait::async_trait]
trait Loader: Sync {
    #[query_budget(max = 2)]
    async fn load(&self, times: usize) -> usize;

    #[query_budget(max = 2)]
    async fn load_by_default(&self, db: &SqlitePool, times: usize) -> usize {
        queries(db, times).await.unwrap()
    }
}

struct Pool(SqlitePool);

#[async_trait::async_trait]
impl Loader for Pool {
    #[query_budget(max = 2)]
    async fn load(&self, times: usize) -> usize {
        queries(&self.0, times).await.unwrap()
    }
}

struct Events<'a> {
    db: &'a SqlitePool,
    loaded: usize,
}

impl Repository for Events<'_> {
    #[query_budget(max = 2)]
    async fn load(&mut self, times: usize) -> sqlx::Result<()> {
        self.loaded += queries(self.db, times).await?;
        Ok(())
    }

    #[query_budget(max = 2)]
    fn load_boxed<'a>(
        &'a mut self,
        times: usize,
    ) -> Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + 'a>> {
        Box::pin(async move {
            self.loaded += queries(self.db, times).await?;
            Ok(())
        })
    }
}

/// Each call has a budget of its own, which includes the calls below it.
#[query_budget(max = depth)]
async fn recursive(db: &SqlitePool, depth: usize) -> usize {
    match depth {
        0 => 0,
        _ => queries(db, 1).await.unwrap() + Box::pin(recursive(db, depth - 1)).await,
    }
}

#[query_budget(max = 0)]
async fn propagates(fails: &str) -> Result<u32, std::num::ParseIntError> {
    Ok(fails.parse::<u32>()? + 1)
}

async fn text_of(future: impl Future) -> Option<String> {
    let panic = AssertUnwindSafe(future).catch_unwind().await.err()?;
    Some(*panic.downcast::<String>().expect("a text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn budget_holds_on_every_shape() {
    let db = &SqlitePool::connect("sqlite::memory:").await.unwrap();
    let loader: Box<dyn Loader> = Box::new(Pool(db.clone()));
    for times in 0..=2 {
        let mut events = Events { db, loaded: 0 };
        assert_eq!(asynchronous(db, vec![1], times).await.unwrap(), times);
        assert_eq!(synchronous(db, times).unwrap(), times);
        assert_eq!(boxed(db, times).await, times);
        assert_eq!(returned(db, times).await, times);
        assert_eq!(by_another_name(db, times).await, times);
        assert_eq!(by_another_name_in_a_result(db, times).unwrap().await, times);
        assert_eq!(named(db, times).0, times);
        assert_eq!(returned_early(db, times).await, times);
        assert_eq!(returned_by_return(db, times).await, times);
        assert_eq!(in_a_result(db, times).unwrap().await, times);
        assert_eq!(unpinned(db, times).await, times);
        assert_eq!(into_future(db, times).await, times);
        assert_eq!(streamed(db, times).collect::<Vec<_>>().await, [times]);
        assert_eq!(streamed_in_a_box(db, times).collect::<Vec<_>>().await, [times]);
        assert_eq!(generic(db, &vec!["x"; times]).await, times);
        assert_eq!(loader.load(times).await, times);
        assert_eq!(loader.load_by_default(db, times).await, times);
        events.load(times).await.unwrap();
        events.load_boxed(times).await.unwrap();
        assert_eq!(events.loaded, 2 * times);
    }
    assert_eq!(borrowed(&mut [Page(7)]).map(|page| page.0), Some(7));
    assert_eq!(converted().await.unwrap(), 7);
    let mut events = Events { db, loaded: 0 };
    let over = [
        ("asynchronous", text_of(asynchronous(db, vec![1], 3)).await),
        ("synchronous", text_of(async { synchronous(db, 3) }).await),
        ("boxed", text_of(boxed(db, 3)).await),
        ("returned", text_of(returned(db, 3)).await),
        ("by_another_name", text_of(by_another_name(db, 3)).await),
        ("by_another_name_in_a_result", text_of(by_another_name_in_a_result(db, 3).unwrap()).await),
        ("named", text_of(async { named(db, 3) }).await),
        ("returned_early", text_of(returned_early(db, 3)).await),
        ("returned_by_return", text_of(returned_by_return(db, 3)).await),
        ("in_a_result", text_of(in_a_result(db, 3).unwrap()).await),
        ("in_an_option", text_of(in_an_option(db, 3).unwrap().for_each(async |_| ())).await),
        ("unpinned", text_of(unpinned(db, 3)).await),
        ("into_future", text_of(into_future(db, 3).into_future()).await),
        ("streamed", text_of(streamed(db, 3).for_each(async |_| ())).await),
        ("streamed_in_a_box", text_of(streamed_in_a_box(db, 3).for_each(async |_| ())).await),
        ("generic", text_of(generic(db, &["x"; 3])).await),
        ("load", text_of(loader.load(3)).await),
        ("load_by_default", text_of(loader.load_by_default(db, 3)).await),
        ("load", text_of(events.load(3)).await),
        ("load_boxed", text_of(events.load_boxed(3)).await),
    ];
    for (name, text) in over {
        let text = text.unwrap_or_else(|| panic!("`{name}` did not go over"));
        assert!(text.starts_with(&format!("`{name}` ran 3 queries; its budget is 2\n")), "{text}");
        assert!(text.contains(&format!("--> {}:", file!())), "{text}");
    }
    assert_eq!(events.loaded, 6);
}

#[tokio::test]
async fn the_attribute_limits_how_often_a_statement_runs() {
    let db = &SqlitePool::connect("sqlite::memory:").await.unwrap();
    assert_eq!(repeated(db, 2).await, 2);
    let text = text_of(repeated(db, 3)).await.expect("it goes over");
    assert!(text.starts_with("`repeated` ran one query 3 times; its budget is 2 for each\n"), "{text}");
}

/// A runtime of one thread, which runs other tasks too, in a sync function and by the attributes of tokio.
#[query_budget(max = 1)]
fn in_a_runtime(times: usize) -> usize {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(beside_a_task(times))
}

#[tokio::main(flavor = "current_thread")]
#[query_budget(max = 1)]
async fn below_an_attribute(times: usize) -> usize {
    beside_a_task(times).await
}

#[query_budget(max = 1)]
#[tokio::main(flavor = "current_thread")]
async fn above_an_attribute(times: usize) -> usize {
    beside_a_task(times).await
}

/// Runs this many queries, while a task that was not told to count runs five.
async fn beside_a_task(times: usize) -> usize {
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let elsewhere = db.clone();
    let task = tokio::spawn(async move { queries(&elsewhere, 5).await.unwrap() });
    let ran = queries(&db, times).await.unwrap();
    task.await.unwrap();
    ran
}

#[tokio::test]
#[query_budget(max = 1)]
async fn a_test_with_a_budget_counts_no_tasks() {
    assert_eq!(beside_a_task(1).await, 1);
}

#[test]
fn the_tasks_of_a_runtime_are_not_the_functions() {
    assert_eq!([in_a_runtime(1), below_an_attribute(1), above_an_attribute(1)], [1, 1, 1]);
    for (name, run) in [
        ("in_a_runtime", in_a_runtime as fn(usize) -> usize),
        ("below_an_attribute", below_an_attribute),
        ("above_an_attribute", above_an_attribute),
    ] {
        let panic = std::panic::catch_unwind(|| run(2)).expect_err(name);
        let text = panic.downcast::<String>().expect("a text");
        assert!(text.starts_with(&format!("`{name}` ran 2 queries; its budget is 1\n")), "{text}");
    }
}

#[tokio::test]
async fn recursion_has_a_budget_each() {
    let db = &SqlitePool::connect("sqlite::memory:").await.unwrap();
    let (ran, report) = measure(recursive(db, 5)).await;
    assert_eq!((ran, report.queries()), (5, 5));
}

#[tokio::test]
async fn errors_go_through() {
    assert_eq!(propagates("41").await.unwrap(), 42);
    assert!(propagates("x").await.is_err());
}
