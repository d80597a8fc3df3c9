//! Pages loaded in a loop compared with pages within a budget, alternating on the same connection:
//! `cargo bench -p agent-chat --bench seeds`.
//!
//! `DATABASE_URL` names an empty PostgreSQL database, in which the benchmark creates and fills its tables;
//! without it nothing is measured. `REDIS_URL` names a Redis or Valkey for the cache of the dashboard;
//! without it the cache is in memory. Prints the headlines of three rows of SEEDS: 001, a page according to
//! its headers; 003, a feed with its pages and its cache; 004, a dashboard.

use std::time::{Duration, Instant};

use agent_chat::{dashboard, feed};
use axum::Router;
use axum::body::Body;
use http::Request;
use query_budget::cache::{Cache, CachedPool, Redis, Store, Stores};
use query_budget::{PageRequest, measure};
use sqlx::Postgres;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tower::ServiceExt;

const REQUESTS: u32 = 200;
/// The number of dashboard reads per written message.
const READS_A_WRITE: u32 = 10;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        println!("`DATABASE_URL` is not set: nothing is measured");
        return Ok(());
    };
    let db = PgPoolOptions::new().max_connections(1).connect(&url).await?;
    agent_chat::migrate(&db).await?;
    if sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM agents)").fetch_one(&db).await? {
        agent_chat::seed(&db).await?;
    }
    profile(&db).await?;
    pages(&db).await?;
    match std::env::var("REDIS_URL") {
        Ok(redis) => {
            let name = format!("seeds {}", std::process::id());
            let cache: Cache<Redis> = Cache::redis(name, &redis).await?;
            dashboards(&db, &cache.over(db.clone()), "Redis").await
        }
        Err(_) => dashboards(&db, &Cache::in_memory("seeds").over(db.clone()), "memory").await,
    }
}

/// The page of a channel, measured by the headers of the service.
async fn profile(db: &PgPool) -> Outcome {
    let service = agent_chat::router(db.clone());
    println!("SEEDS 001: the page of a channel, by the headers of {REQUESTS} requests");
    head("process time");
    for (name, how) in [("author by author", "?how=loop"), ("within its budget", "")] {
        let (mut times, mut queries) = (Vec::new(), 0);
        for request in 0..REQUESTS {
            let path = format!("/channels/{}{how}", 1 + request % 100);
            let (count, time) = ask(&service, &path).await?;
            queries = usize::max(queries, count);
            times.push(time);
        }
        row(name, queries, times);
    }
    Ok(())
}

/// Sends a request; returns the number of queries and the time it took, from the headers of the response.
async fn ask(service: &Router, path: &str) -> Outcome<(usize, Duration)> {
    let response = service.clone().oneshot(Request::get(path).body(Body::empty())?).await?;
    let header =
        |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let milliseconds: f64 = header("x-process-time").parse()?;
    Ok((header("x-query-count").parse()?, Duration::from_secs_f64(milliseconds / 1e3)))
}

/// The feeds of several channels, five pages each.
async fn pages(db: &PgPool) -> Outcome {
    println!("\nSEEDS 003: a page of a feed, five of each of 40 channels");
    head("time");
    let (mut times, mut queries) = (Vec::new(), 0);
    for (channel, page) in (1..=40).flat_map(|channel| (0..5).map(move |page| (channel, page))) {
        let started = Instant::now();
        let (messages, report) = measure(feed::looped(db, channel, page)).await;
        assert_eq!(messages?.len(), 20, "each page is full");
        times.push(started.elapsed());
        queries = usize::max(queries, report.queries());
    }
    row("by number, author by author", queries, times);
    let cached = Cache::in_memory("feed").over(db.clone());
    let (mut times, mut queries) = (Vec::new(), 0);
    for channel in 1..=40 {
        let mut request = PageRequest::first();
        for _ in 0..5 {
            let started = Instant::now();
            let (feed, report) = measure(feed::page(&cached, channel, &request)).await;
            let feed = feed?;
            assert_eq!(feed.messages.len(), 20, "each page is full");
            times.push(started.elapsed());
            queries = usize::max(queries, report.queries());
            request = feed.next.map_or_else(PageRequest::first, PageRequest::after);
        }
    }
    row("by key, authors cached", queries, times);
    println!("cache: {:.1} % hits", 100.0 * cached.cache().stats().hit_rate());
    Ok(())
}

/// The dashboard of 26 channels, with one write per `READS_A_WRITE` reads.
async fn dashboards<S>(db: &PgPool, cached: &CachedPool<Postgres, S>, place: &str) -> Outcome
where
    S: Store + Stores<Vec<dashboard::Newest>> + Stores<Vec<dashboard::Running>>,
{
    println!(
        "\nSEEDS 004: a dashboard of 26 channels, a message written for every {READS_A_WRITE} that are shown"
    );
    head("time");
    let channels: Vec<i64> = (1..=26).collect();
    assert_eq!(dashboard::looped(db, &channels).await?, dashboard::together(cached, &channels).await?);
    let before = cached.cache().stats();
    let (mut times, mut queries) = (Vec::new(), 0);
    for _ in 0..20 {
        let started = Instant::now();
        let (shown, report) = measure(dashboard::looped(db, &channels)).await;
        shown?;
        times.push(started.elapsed());
        queries = usize::max(queries, report.queries());
    }
    row("channel by channel", queries, times);
    let (mut times, mut queries) = (Vec::new(), 0);
    for shown in 0..REQUESTS {
        if shown % READS_A_WRITE == 0 {
            dashboard::say(cached, i64::from(1 + shown % 26), 1, "hello").await?;
        }
        let started = Instant::now();
        let (shown, report) = measure(dashboard::together(cached, &channels)).await;
        shown?;
        times.push(started.elapsed());
        queries = usize::max(queries, report.queries());
    }
    row("at once, cached", queries, times);
    let after = cached.cache().stats();
    let hits = after.hits + after.shared - before.hits - before.shared;
    let asked = after.misses + after.bypassed - before.misses - before.bypassed;
    println!("cache in {place}: {hits} of {} reads are hits", hits + asked);
    assert_eq!(dashboard::looped(db, &channels).await?, dashboard::together(cached, &channels).await?);
    Ok(())
}

fn head(time: &str) {
    println!("{:<30}{:>12}{:>22}{:>10}", "", "queries", format!("{time}, median"), "p95");
}

/// Prints one variant: the maximum number of queries per page, and its times.
fn row(name: &str, queries: usize, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!("{name:<30}{queries:>12}{:>19.2} ms{:>7.2} ms", at(50), at(95));
}
