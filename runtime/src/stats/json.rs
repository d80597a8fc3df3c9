//! [`Stats`] as JSON.

use serde_json::{Value, json};

use super::{Latency, StatementStats, Stats};
use crate::pool::PoolStats;
use crate::report::milliseconds;

/// The number of statements listed as the slowest.
const SLOWEST: usize = 10;

pub(crate) fn value(stats: &Stats) -> Value {
    let statements = stats.statements.iter().map(statement);
    let slowest = stats.slowest(SLOWEST).into_iter().map(statement);
    let scopes = stats.scopes.iter().map(
        |scope| json!({ "name": scope.name, "queries": scope.queries, "latency": latency(scope.latency) }),
    );
    let pools = stats.pools.iter().map(|(name, stats)| pool(name, *stats));
    let waits = stats.waits;
    #[cfg_attr(not(feature = "cache"), expect(unused_mut, reason = "there are no caches"))]
    let mut all = json!({
        "statements": statements.collect::<Value>(),
        "slowest": slowest.collect::<Value>(),
        "scopes": scopes.collect::<Value>(),
        "pools": pools.collect::<Value>(),
        "waits": {
            "count": waits.count,
            "timed_out": waits.timed_out,
            "total_ms": milliseconds(waits.total),
            "max_ms": milliseconds(waits.max),
        },
    });
    #[cfg(feature = "cache")]
    if let Some(all) = all.as_object_mut() {
        all.insert("caches".to_owned(), stats.caches.iter().map(cache).collect());
    }
    all
}

#[cfg(feature = "cache")]
fn cache(stats: &crate::cache::CacheStats) -> Value {
    json!({
        "name": stats.name,
        "hits": stats.hits,
        "shared": stats.shared,
        "misses": stats.misses,
        "bypassed": stats.bypassed,
        "hit_rate": (stats.hit_rate() * 1e4).round() / 1e4,
        "invalidations": stats.invalidations,
        "unacknowledged": stats.unacknowledged,
        "pending": stats.pending,
        "errors": stats.errors,
    })
}

/// The statistics of a server.
#[cfg(all(feature = "sqlx", feature = "tower"))]
pub(crate) fn server(stats: &crate::server::ServerStats) -> Value {
    let indexes = stats.indexes.iter().map(|index| {
        json!({
            "table": index.table,
            "name": index.name,
            "scans": index.scans,
            "bytes": index.bytes,
            "unique": index.is_unique,
        })
    });
    let tables = stats.tables.iter().map(|table| {
        json!({ "name": table.name, "rows": table.rows, "bytes": table.bytes, "full_scans": table.full_scans })
    });
    let statements = stats.statements.iter().map(|statement| {
        json!({
            "sql": statement.sql,
            "calls": statement.calls,
            "total_ms": milliseconds(statement.total),
            "rows": statement.rows,
        })
    });
    json!({
        "indexes": indexes.collect::<Value>(),
        "tables": tables.collect::<Value>(),
        "statements": statements.collect::<Value>(),
        "missing": stats.missing,
    })
}

fn statement(statement: &StatementStats) -> Value {
    json!({
        "sql": statement.sql,
        "site": statement.place.map(|place| place.to_string()),
        "rows": statement.rows,
        "latency": latency(statement.latency),
    })
}

fn latency(latency: Latency) -> Value {
    json!({
        "count": latency.count,
        "total_ms": milliseconds(latency.total),
        "p50_ms": milliseconds(latency.p50),
        "p95_ms": milliseconds(latency.p95),
        "p99_ms": milliseconds(latency.p99),
        "max_ms": milliseconds(latency.max),
    })
}

fn pool(name: &str, stats: PoolStats) -> Value {
    let PoolStats { size, idle, used, max } = stats;
    let exhausted = stats.is_exhausted();
    json!({ "name": name, "size": size, "idle": idle, "used": used, "max": max, "exhausted": exhausted })
}
