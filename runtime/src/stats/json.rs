//! [`Stats`] as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Latency, Stats};
use crate::pool::PoolFigures;

pub(super) fn text(stats: &Stats) -> String {
    let statements = stats.statements.iter().map(|statement| {
        json!({
            "sql": statement.sql,
            "site": statement.place.map(|place| place.to_string()),
            "rows": statement.rows,
            "latency": latency(statement.latency),
        })
    });
    let scopes = stats.scopes.iter().map(
        |scope| json!({ "name": scope.name, "queries": scope.queries, "latency": latency(scope.latency) }),
    );
    let pools = stats.pools.iter().map(|(name, figures)| pool(name, *figures));
    json!({
        "statements": statements.collect::<Value>(),
        "scopes": scopes.collect::<Value>(),
        "pools": pools.collect::<Value>(),
    })
    .to_string()
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

fn pool(name: &str, figures: PoolFigures) -> Value {
    let PoolFigures { size, idle, used, max } = figures;
    json!({ "name": name, "size": size, "idle": idle, "used": used, "max": max })
}

/// In whole microseconds: the digits behind them are noise.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
