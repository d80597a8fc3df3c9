//! The cost of counting, compared with a point select on SQLite:
//! `cargo bench -p query-budget-tests --bench counting` for a release build that counts, with `--profile dev`
//! for a debug build. All features that count are on. It ends with the ratios of this run, computed from the fastest
//! samples: other activity on the machine slows samples down by varying amounts; and with the goals for a debug build.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group};
use query_budget::__private::{Site, query};
use query_budget::measure;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Execute, Sqlite};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const SELECT: &str = "SELECT name FROM items WHERE id = $1";
static SITE: Site = Site::new(SELECT, 1, "benches/counting.rs", 1, 1);
/// The number of queries in one scope.
const IN_SCOPE: i64 = 100;

async fn open() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open");
    let fill = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 1000)
        INSERT INTO items SELECT id, 'item ' || id FROM n";
    sqlx::raw_sql(fill).execute(&mut connection).await.expect("fill");
    connection
}

async fn bare(db: &mut SqliteConnection) {
    for id in 1..=IN_SCOPE {
        black_box(sqlx::query(SELECT).bind(id).fetch_one(&mut *db).await.expect("a row"));
    }
}

async fn counted(db: &mut SqliteConnection) {
    for id in 1..=IN_SCOPE {
        black_box(query(&SITE).bind(id).fetch_one(&mut *db).await.expect("a row"));
    }
}

/// Everything that sqlx does for a query before it is sent, and what counting adds.
fn arguments(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("arguments");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("bare", |bencher| {
        bencher.iter(|| {
            for id in 1..=IN_SCOPE {
                black_box(sqlx::query::<Sqlite>(SELECT).bind(id).take_arguments().is_ok());
            }
        });
    });
    group.bench_function("counted", |bencher| {
        bencher.iter(|| {
            query_budget::scope("page").run_sync(|| {
                for id in 1..=IN_SCOPE {
                    black_box(query::<Sqlite>(&SITE).bind(id).take_arguments().is_ok());
                }
            });
        });
    });
    group.finish();
}

/// A scope without content, around a closure and around a future, and that future polled without a scope.
fn scopes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scope");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("future", |bencher| {
        bencher.iter(|| {
            for _ in 1..=IN_SCOPE {
                futures_util::FutureExt::now_or_never(async { black_box(()) });
            }
        });
    });
    group.bench_function("sync", |bencher| {
        bencher.iter(|| {
            for _ in 1..=IN_SCOPE {
                query_budget::scope("empty").run_sync(|| black_box(()));
            }
        });
    });
    group.bench_function("async", |bencher| {
        bencher.iter(|| {
            for _ in 1..=IN_SCOPE {
                let scope = query_budget::scope("empty").run(async { black_box(()) });
                futures_util::FutureExt::now_or_never(scope);
            }
        });
    });
    group.finish();
}

/// A layer that receives the same events and ignores them.
struct Deaf;

impl<S: tracing::Subscriber> Layer<S> for Deaf {}

/// sqlx's events for each statement, in a scope that is left twice meanwhile, and how the layer handles them:
/// the two variants differ only in the layer, since sqlx's own part is in both.
fn told(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let page = async || {
        for _ in 1..=IN_SCOPE {
            tokio::task::yield_now().await;
            let elapsed = Duration::from_micros(20);
            tracing::debug!(
                target: "sqlx::query",
                summary = "SELECT name FROM items …",
                db.statement = black_box("\n\nSELECT name FROM items WHERE id = $1\n"),
                rows_affected = 0_u64,
                rows_returned = 1_u64,
                ?elapsed,
                elapsed_secs = elapsed.as_secs_f64(),
            );
            tokio::task::yield_now().await;
        }
    };
    let mut group = criterion.benchmark_group("told");
    group.sampling_mode(SamplingMode::Flat);
    let statements = filter_fn(|metadata| metadata.target() == "sqlx::query");
    tracing::subscriber::with_default(
        tracing_subscriber::registry().with(Deaf.with_filter(statements)),
        || {
            group.bench_function("deaf", |bencher| bencher.iter(|| runtime.block_on(measure(page()))));
        },
    );
    tracing::subscriber::with_default(tracing_subscriber::registry().with(query_budget::layer()), || {
        let ((), report) = runtime.block_on(measure(page()));
        assert_eq!(report.queries(), 100, "the layer has heard of them: {report}");
        group.bench_function("layer", |bencher| bencher.iter(|| runtime.block_on(measure(page()))));
    });
    group.finish();
}

fn selects(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut db = runtime.block_on(open());
    let mut group = criterion.benchmark_group("select");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("bare", |bencher| bencher.iter(|| runtime.block_on(bare(&mut db))));
    group.bench_function("counted", |bencher| {
        bencher.iter(|| runtime.block_on(measure(counted(&mut db))));
    });
    // From here on the process has a subscriber: sqlx logs each statement, and the layer receives it.
    tracing_subscriber::registry().with(query_budget::layer()).init();
    group.bench_function("layer", |bencher| bencher.iter(|| runtime.block_on(measure(bare(&mut db)))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(400).measurement_time(Duration::from_secs(8));
    targets = arguments, scopes, told, selects
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let queries = IN_SCOPE as f64;
    let of = |name: &str| quickest(name).map(|nanoseconds| nanoseconds / queries);
    let (Some(without), Some(with)) = (of("arguments/bare"), of("arguments/counted")) else { return };
    let (Some(bare), Some(counted), Some(layer)) =
        (of("select/bare"), of("select/counted"), of("select/layer"))
    else {
        return;
    };
    let (Some(deaf), Some(hearing)) = (of("told/deaf"), of("told/layer")) else { return };
    let around_future = of("scope/async").zip(of("scope/future")).map(|(with, without)| with - without);
    let scopes = of("scope/sync").zip(around_future);
    let percent = |part: f64, whole: f64| part / whole * 100.0;
    println!("\na query: counting adds {:.0} ns to what is done before it is sent", with - without);
    if let Some((sync, asynchronous)) = scopes {
        println!(
            "an empty scope: {sync:.0} ns around a closure, {asynchronous:.0} ns more than the future itself"
        );
    }
    println!("a point select on SQLite: {bare:.0} ns; of that");
    println!("  {:>6.2} % for counting, as measured alone", percent(with - without, bare));
    println!(
        "  {:>6.2} % for the layer, as measured alone: {:.0} ns",
        percent(hearing - deaf, bare),
        hearing - deaf
    );
    println!("  {:>6.2} % more when it is counted", percent(counted - bare, bare));
    println!(
        "  {:>6.2} % more when the layer counts it, sqlx's own logging included",
        percent(layer - bare, bare)
    );
    println!("wanted of a debug build:");
    wanted("a counted query, in ns over sqlx's", with - without, 350.0);
    if let Some((sync, asynchronous)) = scopes {
        wanted("an empty scope around a closure, in ns", sync, 200.0);
        wanted("an empty scope around a future, in ns over the future's own", asynchronous, 200.0);
    }
    wanted("the layer, in % of a point select", percent(hearing - deaf, bare), 4.0);
}

/// Prints what was measured against what it is to stay below.
fn wanted(what: &str, measured: f64, limit: f64) {
    let verdict = if measured < limit { "kept" } else { "missed" };
    println!("  {what}: {measured:.1}, below {limit:.0} is wanted: {verdict}");
}

/// The fastest sample of the run that has just ended, in nanoseconds per iteration.
fn quickest(name: &str) -> Option<f64> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "../target".into());
    let path = Path::new(&target).join("criterion").join(name).join("new/sample.json");
    let sample: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let numbers = |of: &str| Some(sample.get(of)?.as_array()?.iter().filter_map(serde_json::Value::as_f64));
    let each = numbers("times")?.zip(numbers("iters")?).map(|(time, iterations)| time / iterations);
    each.min_by(f64::total_cmp)
}
