//! Two processes read and write ten thousand times while their server is killed, paused and restarted: no
//! read is older than an acknowledged write, or, if the server could not be told, than the time to live. Caches in memory that
//! tell each other what they write have a second until the message arrives.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use query_budget::__private::{Site, query_scalar};
use query_budget::cache::{Cache, CachedPool, Stores};
use query_budget_tests::{random_name, with_postgres};
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions, Postgres};

use crate::server::Server;
use crate::{READS, TABLE, WRITES};

const LIVES: Duration = Duration::from_secs(2);
const IDS: u64 = 10;
const TASKS: u64 = 8;
/// Per task of each of the two processes: 10,000 in total.
const TURNS: u64 = 625;
/// The number of iterations between writes.
const WRITE_EVERY: u64 = 25;

/// How long a message may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// The parameters of the processes: the URLs of the database and of the server, the cache's name, and its kind.
const VARIABLES: [&str; 4] = [
    "QUERY_BUDGET_CACHE_WORKER_DATABASE",
    "QUERY_BUDGET_CACHE_WORKER_URL",
    "QUERY_BUDGET_CACHE_WORKER_NAME",
    "QUERY_BUDGET_CACHE_WORKER_KIND",
];

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
#[cfg_attr(all(has_redis, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn ten_thousand_reads_and_writes_over_two_processes() {
    two_processes("shared").await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
#[cfg_attr(all(has_redis, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn ten_thousand_reads_and_writes_in_the_memory_of_two_processes() {
    two_processes("in memory").await;
}

async fn two_processes(kind: &'static str) {
    with_postgres(async move |pool| {
        let told = "CREATE TABLE told (id BIGINT NOT NULL, n BIGINT NOT NULL, at TIMESTAMPTZ, since TIMESTAMPTZ \
                    NOT NULL)";
        let rows = format!("INSERT INTO items SELECT id, 0 FROM generate_series(0, {}) id", IDS - 1);
        for statement in [TABLE, told, &rows, "CREATE INDEX told_id_n ON told (id, n)"] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
        }
        let server = Server::start();
        let url = server.as_ref().map_or_else(crate::url, Server::url);
        let database = pool.connect_options().to_url_lossy().to_string();
        let values = [database, url, random_name(), kind.to_owned()];
        let work = tokio::task::spawn_blocking(move || disturbed(server, &values));
        println!("{}", work.await.unwrap());
    })
    .await;
}

/// Runs the two processes, and disturbs the server in every way while they run.
fn disturbed(mut server: Option<Server>, values: &[String; 4]) -> String {
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["processes::worker", "--exact", "--nocapture"])
            .envs(VARIABLES.iter().zip(values))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap()
    };
    let mut workers = [start(), start()];
    let mut disturbances = 0;
    while workers.iter_mut().any(|worker| worker.try_wait().unwrap().is_none()) {
        std::thread::sleep(Duration::from_millis(400));
        let Some(server) = &mut server else { continue };
        disturbances += 1;
        if disturbances % 3 == 0 {
            server.pause();
            std::thread::sleep(Duration::from_millis(400));
            server.resume();
        } else {
            server.kill();
            std::thread::sleep(Duration::from_millis(100));
            server.start_again();
        }
    }
    let mut report = format!("server disturbed {disturbances} times\n");
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success(), "a process has failed");
        let said = String::from_utf8(output.stdout).unwrap();
        report.extend(said.lines().find(|line| line.contains("hit rate")).map(|line| format!("{line}\n")));
    }
    assert_eq!(report.matches("hit rate").count(), 2, "both have told what they did: {report}");
    report
}

/// One of the processes. As a test on its own, it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn worker() {
    let [Some(database), Some(url), Some(name), Some(kind)] = VARIABLES.map(|name| std::env::var(name).ok())
    else {
        return;
    };
    // Few, because the processes of several tests share the server's connections.
    let pool = PgPoolOptions::new().max_connections(4).connect(&database).await.unwrap();
    if kind == "shared" {
        let cache = Cache::redis_with_patience(name, &url, Duration::from_millis(100)).await.unwrap();
        run(cache.over(pool), Duration::ZERO).await;
    } else {
        run(Cache::in_memory_with_bus(name, &url).await.unwrap().over(pool), ON_ITS_WAY).await;
    }
}

/// Reads and writes; what is acknowledged may not be seen yet for this long.
async fn run<S: Stores<i64>>(db: CachedPool<Postgres, S>, on_its_way: Duration) {
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(work(db.clone(), task, on_its_way))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let stats = db.cache().stats();
    assert!(stats.hits > 0, "{stats:?}");
    let (late, latest) = (LATE.load(Ordering::Relaxed), LATEST.load(Ordering::Relaxed));
    println!(
        "hit rate {:.1} %, {late} reads late, by {latest} µs at most: {stats:?}",
        stats.hit_rate() * 100.0
    );
}

async fn work<S: Stores<i64>>(db: CachedPool<Postgres, S>, task: u64, on_its_way: Duration) {
    for turn in 0..TURNS {
        let id = i64::try_from((turn * 7 + task * 3) % IDS).unwrap();
        if turn % WRITE_EVERY == task {
            write(&db, id, on_its_way).await;
        } else {
            read(&db, id).await;
        }
    }
}

/// Increments the number, and publishes the time from which nobody may read less.
async fn write<S: Stores<i64>>(db: &CachedPool<Postgres, S>, id: i64, on_its_way: Duration) {
    static SITE: Site =
        Site::new("UPDATE items SET n = n + 1 WHERE id = $1 RETURNING n", 1, file!(), 1, 1).touching(&WRITES);
    let mut transaction = db.begin().await.unwrap();
    let n: i64 = query_scalar(&SITE).bind(id).fetch_one(&mut transaction).await.unwrap();
    let committed = transaction.commit().await.unwrap();
    let lives = if committed.acknowledged { on_its_way } else { LIVES };
    let tell = "INSERT INTO told SELECT $1, $2, CASE WHEN $4 THEN clock_timestamp() END, clock_timestamp() + \
                make_interval(secs => $3)";
    let told = sqlx::query(tell).bind(id).bind(n).bind(lives.as_secs_f64()).bind(committed.acknowledged);
    told.execute(db.pool()).await.unwrap();
}

/// The number of reads that did not see a write which had been acknowledged before, and how long before at most, in
/// microseconds.
static LATE: AtomicU64 = AtomicU64::new(0);
static LATEST: AtomicU64 = AtomicU64::new(0);

async fn read<S: Stores<i64>>(db: &CachedPool<Postgres, S>, id: i64) {
    static SITE: Site = Site::new("SELECT n FROM items WHERE id = $1", 1, file!(), 2, 1).touching(&READS);
    let least = "SELECT coalesce(max(n) FILTER (WHERE since <= clock_timestamp()), 0), \
                 coalesce(max(n) FILTER (WHERE at IS NOT NULL), 0), \
                 extract(epoch FROM clock_timestamp())::float8 FROM told WHERE id = $1";
    let (least, newest, at): (i64, i64, f64) =
        sqlx::query_as(least).bind(id).fetch_one(db.pool()).await.unwrap();
    let read = query_scalar::<Postgres, i64>(&SITE).bind(id).cached(LIVES).fetch_one(db).await.unwrap();
    assert!(*read >= least, "item {id}: read {read}, although {least} was told to be there");
    if *read < newest {
        let late =
            "SELECT (($3 - extract(epoch FROM min(at))) * 1e6)::bigint FROM told WHERE id = $1 AND n > $2";
        let late: i64 =
            sqlx::query_scalar(late).bind(id).bind(*read).bind(at).fetch_one(db.pool()).await.unwrap();
        LATE.fetch_add(1, Ordering::Relaxed);
        LATEST.fetch_max(u64::try_from(late).unwrap_or_default(), Ordering::Relaxed);
    }
}
