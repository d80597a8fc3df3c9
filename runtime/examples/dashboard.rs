//! The dashboard of an event scheduler, written twice: naively, with queries per row, and within a budget.
//!
//! `cargo run --example dashboard` prints what both ask of an in-memory SQLite database. The schema is in
//! `dashboard/migrations`, which `cargo xtask index-check` reads as well; rows are typed from its snapshot.

use query_budget::{Report, measure, query_budget, sql, sql_as, sql_scalar};
use sqlx::Result;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

const USER: i64 = 1;

/// The content of the page.
#[derive(Debug, Default, PartialEq)]
struct Dashboard {
    events: Vec<EventCard>,
    workflows: Vec<WorkflowCard>,
}

#[derive(Debug, PartialEq)]
struct EventCard {
    name: String,
    servers: Vec<String>,
    workflows: Vec<String>,
    last_run: Option<i64>,
    failures: i64,
}

#[derive(Debug, PartialEq)]
struct WorkflowCard {
    name: String,
    nodes: i64,
    connections: i64,
}

struct Named {
    id: i64,
    name: String,
}

/// The naive version: queries of its own fill each card.
async fn naive(db: &SqlitePool, user: i64) -> Result<Dashboard> {
    let mut dashboard = Dashboard::default();
    for event in upcoming(db, user).await? {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let servers = sql_scalar!(
            "SELECT servers.name FROM event_servers JOIN servers ON servers.id = event_servers.server_id
             WHERE event_servers.event_id = $1 ORDER BY servers.id LIMIT 20",
            event.id
        );
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let workflows = sql_scalar!(
            "SELECT workflows.name FROM workflow_nodes JOIN workflows ON workflows.id = workflow_nodes.workflow_id
             WHERE workflow_nodes.event_id = $1 ORDER BY workflows.id LIMIT 20",
            event.id
        );
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let last_run = sql_scalar!(
            "SELECT started_at FROM logs WHERE event_id = $1 ORDER BY started_at DESC LIMIT 1",
            event.id
        );
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let failures =
            sql_scalar!("SELECT count(*) FROM logs WHERE event_id = $1 AND status = 'failed'", event.id);
        dashboard.events.push(EventCard {
            name: event.name,
            servers: servers.fetch_all(db).await?,
            workflows: workflows.fetch_all(db).await?,
            last_run: last_run.fetch_optional(db).await?,
            failures: failures.fetch_one(db).await?,
        });
    }
    let workflows =
        sql_as!(Named, "SELECT id, name FROM workflows WHERE user_id = $1 ORDER BY name LIMIT 20", user);
    for workflow in workflows.fetch_all(db).await? {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let nodes = sql_scalar!("SELECT count(*) FROM workflow_nodes WHERE workflow_id = $1", workflow.id);
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let connections =
            sql_scalar!("SELECT count(*) FROM workflow_connections WHERE workflow_id = $1", workflow.id);
        dashboard.workflows.push(WorkflowCard {
            name: workflow.name,
            nodes: nodes.fetch_one(db).await?,
            connections: connections.fetch_one(db).await?,
        });
    }
    Ok(dashboard)
}

/// The same page: the data of all events is fetched at once.
#[query_budget(max = 5, rows = 500)]
async fn budgeted(db: &SqlitePool, user: i64) -> Result<Dashboard> {
    let events = upcoming(db, user).await?;
    let ids: Vec<i64> = events.iter().map(|event| event.id).collect();
    // SQLite has no arrays, so the list is bound as a JSON array.
    let ids = format!("{ids:?}");
    let servers = sql_as!(
        (i64, String),
        "SELECT event_servers.event_id, servers.name
         FROM event_servers JOIN servers ON servers.id = event_servers.server_id
         WHERE event_servers.event_id IN (SELECT value FROM json_each($1)) ORDER BY servers.id LIMIT 500",
        ids
    );
    let workflows = sql_as!(
        (i64, String),
        "SELECT workflow_nodes.event_id, workflows.name
         FROM workflow_nodes JOIN workflows ON workflows.id = workflow_nodes.workflow_id
         WHERE workflow_nodes.event_id IN (SELECT value FROM json_each($1)) ORDER BY workflows.id LIMIT 500",
        ids
    );
    let runs = sql!(
        "SELECT event_id, max(started_at) AS last, sum(status = 'failed') AS failures
         FROM logs WHERE event_id IN (SELECT value FROM json_each($1)) GROUP BY event_id ORDER BY event_id LIMIT 25",
        ids
    );
    let servers = servers.fetch_all(db).await?;
    let workflows = workflows.fetch_all(db).await?;
    let runs = runs.fetch_all(db).await?;
    let named = |of: &[(i64, String)], event: i64| -> Vec<String> {
        of.iter().filter(|(id, _)| *id == event).map(|(_, name)| name.clone()).collect()
    };
    let card = |event: Named| {
        let run = runs.iter().find(|run| run.event_id == event.id);
        EventCard {
            servers: named(&servers, event.id),
            workflows: named(&workflows, event.id),
            last_run: run.map(|run| run.last),
            failures: run.map_or(0, |run| run.failures),
            name: event.name,
        }
    };
    let cards = sql_as!(
        WorkflowCard,
        "SELECT name,
             (SELECT count(*) FROM workflow_nodes WHERE workflow_id = workflows.id) AS nodes,
             (SELECT count(*) FROM workflow_connections WHERE workflow_id = workflows.id) AS connections
         FROM workflows WHERE user_id = $1 ORDER BY name LIMIT 20",
        user
    );
    Ok(Dashboard { events: events.into_iter().map(card).collect(), workflows: cards.fetch_all(db).await? })
}

async fn upcoming(db: &SqlitePool, user: i64) -> Result<Vec<Named>> {
    sql_as!(Named, "SELECT id, name FROM events WHERE user_id = $1 ORDER BY next_run_at LIMIT 25", user)
        .fetch_all(db)
        .await
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let db = open().await?;
    // A first run that is not timed, so that statements are prepared and the cache is warm for both.
    let page = naive(&db, USER).await?;
    assert_eq!(page, budgeted(&db, USER).await?, "both show the same");

    let (page, before) = measure(naive(&db, USER)).await;
    let (_, after) = (page?, measure(budgeted(&db, USER)).await.1);
    println!("{:<22}{:>9}{:>9}{:>12}", "dashboard", "queries", "rows", "time");
    row("one query per row", &before);
    row("within its budget of 5", &after);
    println!("\nWhere the first one spends them:\n\n{before}");
    Ok(())
}

fn row(name: &str, report: &Report) {
    let milliseconds = report.time().as_secs_f64() * 1e3;
    println!("{name:<22}{:>9}{:>9}{milliseconds:>9.2} ms", report.queries(), report.rows());
}

async fn open() -> std::result::Result<SqlitePool, Box<dyn std::error::Error>> {
    // A single permanent connection, because each connection to memory is a separate database.
    let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let db = one.connect("sqlite::memory:").await?;
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/dashboard/migrations");
    sqlx::migrate::Migrator::new(std::path::Path::new(migrations)).await?.run(&db).await?;
    sqlx::raw_sql(include_str!("dashboard/seed.sql")).execute(&db).await?;
    Ok(db)
}
