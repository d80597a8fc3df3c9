//! Verdicts on table accesses compared with the planners of real databases, statement by statement, for cases
//! that are rare in the corpus or missing from it.

use query_budget_analysis::index::{Verdict, accesses};
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::{Dialect, resolve};

/// The engine's verdicts on the accesses of a query: table or alias, and whether an index is searched.
fn said(schema: &Schema, sql: &str) -> Vec<(String, bool)> {
    let query = resolve(sql, schema.dialect, Some(schema)).expect("it parses");
    let mut said: Vec<(String, bool)> = accesses(&query, schema)
        .into_iter()
        .map(|access| (access.alias, access.verdict == Verdict::Served))
        .collect();
    said.sort();
    said
}

fn schema(dialect: Dialect, ddl: &[&str]) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(&ddl.join(";\n"), "schema.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

/// Fails with all statements on which the engine and the database disagree.
#[track_caller]
fn assert_agreement(differences: &[String]) {
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

mod mysql {
    use query_budget_tests::with_mysql;
    use sqlx::{AssertSqlSafe, Executor, Row};

    use super::*;

    const TABLES: &[&str] = &[
        "CREATE TABLE users (id bigint AUTO_INCREMENT PRIMARY KEY, email varchar(100) NOT NULL, name text, \
         UNIQUE KEY users_email (email))",
        "CREATE TABLE events (id bigint AUTO_INCREMENT PRIMARY KEY, user_id bigint NOT NULL, \
         kind varchar(20) NOT NULL, starts_at datetime, note text, code varchar(20), \
         KEY events_user (user_id, starts_at), KEY events_note (note(10)), KEY events_code (code), \
         FULLTEXT KEY events_words (note))",
        "CREATE TABLE logs (id bigint AUTO_INCREMENT PRIMARY KEY, event_id bigint NOT NULL, level int, line text, \
         KEY logs_event (event_id))",
    ];

    const ROWS: &[&str] = &[
        "INSERT INTO users (email, name) SELECT concat('e', n), concat('n', n) FROM numbers",
        "INSERT INTO events (user_id, kind, starts_at, note, code) SELECT n, concat('k', n), \
         now() - interval n minute, concat('note ', n), concat('c', n) FROM numbers",
        "INSERT INTO logs (event_id, level, line) SELECT n, n % 5, concat('l', n) FROM numbers",
        "ANALYZE TABLE users, events, logs",
    ];

    const STATEMENTS: &[&str] = &[
        "SELECT note FROM events WHERE id = 5",
        "SELECT note FROM events WHERE user_id = 5 AND kind = 'k1'",
        "SELECT note FROM events WHERE kind = 'k1'",
        "SELECT note FROM events WHERE starts_at = '2020-01-01'",
        "SELECT note FROM events WHERE code LIKE 'c12%'",
        "SELECT note FROM events WHERE code LIKE '%c12'",
        "SELECT note FROM events WHERE code = 12",
        "SELECT note FROM events WHERE user_id = '12'",
        "SELECT kind FROM events WHERE note = 'note 5'",
        "SELECT kind FROM events WHERE MATCH (note) AGAINST ('five')",
        "SELECT note FROM events WHERE code <=> 'c1'",
        "SELECT note FROM events WHERE (user_id, starts_at) = (5, '2020-01-01')",
        "SELECT note FROM events WHERE (user_id, starts_at) > (4990, '2020-01-01')",
        "SELECT note FROM events WHERE user_id IN (1, 2, 3)",
        "SELECT note FROM events WHERE user_id BETWEEN 3 AND 5",
        "SELECT note FROM events WHERE id = 1 OR user_id = 2",
        "SELECT note FROM events WHERE id = 1 OR kind = 'k2'",
        "SELECT note FROM events WHERE user_id + 1 = 5",
        "SELECT note FROM events WHERE lower(code) = 'c5'",
        "SELECT note FROM events WHERE date(starts_at) = '2020-01-01' AND user_id = 3",
        "SELECT note FROM events WHERE user_id <> 5",
        "SELECT note FROM events WHERE user_id NOT IN (5, 6)",
        "SELECT note FROM events WHERE code IS NULL",
        "SELECT note FROM events WHERE code IS NOT NULL",
        "SELECT l.line FROM logs l JOIN events e ON e.id = l.event_id WHERE e.user_id = 5",
        "SELECT l.line FROM logs l LEFT JOIN events e ON e.id = l.event_id WHERE l.level = 99 AND e.id IS NULL",
        "SELECT e.note FROM events e WHERE e.user_id = 5 AND EXISTS (SELECT 1 FROM logs l WHERE l.event_id = e.id)",
        "SELECT e.note FROM events e WHERE e.user_id = 5 \
         AND NOT EXISTS (SELECT 1 FROM logs l WHERE l.event_id = e.id)",
        "SELECT line FROM logs WHERE event_id IN (SELECT id FROM events WHERE user_id = 5)",
        "SELECT max(level) FROM logs",
        "UPDATE events SET kind = 'x' WHERE user_id = 5",
        "UPDATE events SET kind = 'x' WHERE kind = 'y'",
        "DELETE FROM logs WHERE level = 7",
        "UPDATE events e JOIN users u ON u.id = e.user_id SET e.kind = 'x' WHERE u.email = 'e5'",
        "SELECT note FROM events WHERE kind = 'k1' ORDER BY id LIMIT 1",
        "SELECT note FROM events ORDER BY id LIMIT 5",
    ];

    #[tokio::test]
    #[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
    async fn verdicts_are_those_of_mysql() {
        let schema = schema(Dialect::MySql, TABLES);
        with_mysql(move |pool| async move {
            let numbers = "CREATE TABLE numbers AS WITH RECURSIVE n (n) AS \
                           (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 900) SELECT n FROM n";
            for statement in TABLES.iter().chain([&numbers]).chain(ROWS) {
                pool.execute(*statement).await.expect("the database takes it");
            }
            let mut differences = Vec::new();
            for sql in STATEMENTS {
                let rows = pool.fetch_all(AssertSqlSafe(format!("EXPLAIN {sql}"))).await.expect("a plan");
                let mut real: Vec<(String, bool)> = rows
                    .iter()
                    .filter_map(|row| {
                        let read: String = row.try_get("type").ok()?;
                        let table: String = row.try_get("table").ok()?;
                        Some((table, !matches!(read.to_lowercase().as_str(), "all" | "index")))
                    })
                    .collect();
                real.sort();
                let said = said(&schema, sql);
                if said != real {
                    differences.push(format!("{sql}\n    the engine: {said:?}\n    the database: {real:?}"));
                }
            }
            assert_agreement(&differences);
        })
        .await;
    }
}

mod postgres {
    use query_budget_tests::with_postgres;
    use sqlx::{AssertSqlSafe, Connection, Executor, Row};

    use super::*;

    const TABLES: &[&str] = &[
        "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name varchar(100), active boolean NOT NULL)",
        "CREATE UNIQUE INDEX users_email ON users (lower(email))",
        "CREATE INDEX users_name ON users (name)",
        "CREATE INDEX users_name_prefix ON users (name text_pattern_ops)",
        "CREATE TABLE events (id bigint PRIMARY KEY, user_id bigint NOT NULL, kind text NOT NULL, state text NOT NULL, \
         starts_at timestamptz, payload jsonb, tags text[], during int4range, code text COLLATE \"C\", \
         title text NOT NULL)",
        "CREATE INDEX events_user ON events (user_id, starts_at)",
        "CREATE INDEX events_open ON events (starts_at) WHERE state <> 'closed'",
        "CREATE INDEX events_payload ON events USING gin (payload)",
        "CREATE INDEX events_tags ON events USING gin (tags)",
        "CREATE INDEX events_during ON events USING gist (during)",
        "CREATE INDEX events_kind ON events USING hash (kind)",
        "CREATE INDEX events_code ON events (code)",
        "CREATE INDEX events_words ON events USING gin (to_tsvector('english', title))",
        "CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint NOT NULL, level int, line text)",
        "CREATE INDEX logs_event ON logs (event_id)",
        "CREATE INDEX logs_id ON logs USING brin (id)",
        "CREATE TABLE parts (id bigint NOT NULL, day date NOT NULL, body text) PARTITION BY RANGE (day)",
        "CREATE TABLE parts_all PARTITION OF parts FOR VALUES FROM ('2000-01-01') TO ('2100-01-01')",
        "CREATE INDEX parts_id ON parts (id)",
        "CREATE VIEW open_events AS SELECT * FROM events WHERE state <> 'closed'",
    ];

    const ROWS: &[&str] = &[
        "INSERT INTO users SELECT n, 'e' || n, 'n' || n, n % 2 = 0 FROM generate_series(1, 5000) n",
        "INSERT INTO events SELECT n, n, 'k' || n, 's' || n, now() - n * interval '1 minute', \
         jsonb_build_object('a', n), ARRAY['t' || n], int4range(n, n + 1), 'c' || n, 'title ' || n \
         FROM generate_series(1, 5000) n",
        "INSERT INTO logs SELECT n, n, n, 'l' || n FROM generate_series(1, 5000) n",
        "INSERT INTO parts SELECT n, date '2020-01-01' + n % 100, 'b' || n FROM generate_series(1, 5000) n",
        "ANALYZE",
    ];

    const STATEMENTS: &[&str] = &[
        "SELECT 1 FROM users WHERE lower(email) = lower($1)",
        "SELECT 1 FROM users WHERE email = $1",
        "SELECT 1 FROM users WHERE name = $1",
        "SELECT 1 FROM users WHERE name LIKE 'n12%'",
        "SELECT 1 FROM users WHERE name LIKE '%12'",
        "SELECT 1 FROM users WHERE name ILIKE 'n12%'",
        "SELECT 1 FROM users WHERE (name, id) > ($1, $2)",
        "SELECT 1 FROM events WHERE code LIKE 'c12%'",
        "SELECT 1 FROM events WHERE id::text = $1",
        "SELECT 1 FROM events WHERE id = $1::int",
        "SELECT 1 FROM events WHERE id = $1::numeric",
        "SELECT 1 FROM events WHERE user_id IS NOT DISTINCT FROM $1",
        "SELECT 1 FROM events WHERE kind = $1",
        "SELECT 1 FROM events WHERE kind > $1",
        "SELECT 1 FROM events WHERE payload @> $1",
        "SELECT 1 FROM events WHERE payload ? $1",
        "SELECT 1 FROM events WHERE payload = $1",
        "SELECT 1 FROM events WHERE payload ->> 'a' = $1",
        "SELECT 1 FROM events WHERE tags && $1",
        "SELECT 1 FROM events WHERE $1 = ANY (tags)",
        "SELECT 1 FROM events WHERE during && $1",
        "SELECT 1 FROM events WHERE during @> $1::int",
        "SELECT 1 FROM events WHERE to_tsvector('english', title) @@ to_tsquery('english', $1)",
        "SELECT 1 FROM events WHERE to_tsvector('simple', title) @@ to_tsquery('english', $1)",
        "SELECT 1 FROM events WHERE state = 'open' AND starts_at < now()",
        "SELECT 1 FROM open_events WHERE starts_at < $1",
        "SELECT 1 FROM open_events WHERE user_id = $1",
        "SELECT 1 FROM events WHERE id = ANY ($1)",
        "SELECT 1 FROM events WHERE id IN (1, 2, 3)",
        "SELECT 1 FROM events WHERE id <> $1",
        "SELECT 1 FROM events WHERE id NOT IN (1, 2)",
        "SELECT 1 FROM events WHERE id = $1 OR user_id = $2",
        "SELECT 1 FROM events WHERE id = $1 OR title = $2",
        "SELECT max(id) FROM events",
        "SELECT DISTINCT ON (user_id) user_id, title FROM events WHERE user_id = $1 ORDER BY user_id, starts_at",
        "SELECT 1 FROM parts WHERE id = $1",
        "SELECT 1 FROM parts WHERE body = $1",
        "SELECT 1 FROM logs l JOIN events e ON e.id = l.event_id WHERE l.level = $1",
        "SELECT 1 FROM events e LEFT JOIN logs l ON l.event_id = e.id WHERE e.id = $1",
        "SELECT 1 FROM events e WHERE e.user_id = $1 AND NOT EXISTS (SELECT 1 FROM logs l WHERE l.event_id = e.id)",
        "SELECT (SELECT count(*) FROM logs l WHERE l.event_id = e.id) FROM events e WHERE e.id = $1",
        "SELECT id FROM events WHERE user_id = $1 UNION ALL SELECT event_id FROM logs WHERE level = $2",
        "UPDATE events SET title = u.name FROM users u WHERE u.id = events.user_id AND lower(u.email) = $1",
        "DELETE FROM logs USING events e WHERE e.id = logs.event_id AND e.user_id = $1",
        "DELETE FROM logs WHERE ctid IN (SELECT ctid FROM logs WHERE event_id = $1)",
        "INSERT INTO logs (id, event_id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET level = 1",
        "INSERT INTO logs (id, event_id) SELECT id, user_id FROM events WHERE user_id = $1",
        "SELECT relname FROM pg_class WHERE relname = $1",
    ];

    #[tokio::test]
    #[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
    async fn verdicts_are_those_of_postgres() {
        let schema = schema(Dialect::Postgres, TABLES);
        with_postgres(move |pool| async move {
            let mut connection = pool.acquire().await.expect("a connection").detach();
            for statement in TABLES.iter().chain(ROWS) {
                connection.execute(*statement).await.expect("the database takes it");
            }
            let mut settings = vec!["SET plan_cache_mode = force_generic_plan".to_owned()];
            for way in ["seqscan", "hashjoin", "mergejoin", "sort", "hashagg"] {
                settings.push(format!("SET enable_{way} = off"));
            }
            for setting in settings {
                connection.execute(AssertSqlSafe(setting)).await.expect("a setting");
            }
            let mut differences = Vec::new();
            for sql in STATEMENTS {
                let arguments = (1..=9).rev().find(|n| sql.contains(&format!("${n}"))).unwrap_or(0);
                connection
                    .execute(AssertSqlSafe(format!("PREPARE q AS {sql}")))
                    .await
                    .expect("it is prepared");
                let nulls = vec!["NULL"; arguments].join(", ");
                let arguments = if arguments == 0 { String::new() } else { format!("({nulls})") };
                let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE q{arguments}");
                let row = connection.fetch_one(AssertSqlSafe(explain)).await.expect("a plan");
                connection.execute("DEALLOCATE q").await.expect("it is forgotten");
                let plan: String = row.try_get_unchecked(0).expect("text");
                let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
                let mut real = Vec::new();
                collect(&plan[0]["Plan"], &mut real);
                real.sort();
                let said = said(&schema, sql);
                if said != real {
                    differences.push(format!("{sql}\n    the engine: {said:?}\n    the database: {real:?}"));
                }
            }
            connection.close().await.expect("it closes");
            assert_agreement(&differences);
        })
        .await;
    }

    /// The tables that a plan reads, by alias, and whether an index is searched.
    fn collect(plan: &serde_json::Value, reads: &mut Vec<(String, bool)>) {
        let alias = plan["Alias"].as_str().unwrap_or_default();
        if plan["Relation Name"].is_string() && plan["Node Type"] != "ModifyTable" {
            // A partition is read instead of its table.
            let alias = alias.strip_suffix("_all").unwrap_or(alias);
            // A planner numbers the references to a table.
            let alias = alias.strip_suffix("_1").unwrap_or(alias);
            reads.push((alias.to_owned(), searches(plan)));
        }
        for child in plan["Plans"].as_array().into_iter().flatten() {
            collect(child, reads);
        }
    }

    /// Whether a scan, or a bitmap under it, has a condition on an index.
    fn searches(plan: &serde_json::Value) -> bool {
        plan["Index Cond"].is_string()
            || plan["TID Cond"].is_string()
            || plan["Index Name"] == "events_open"
            || plan["Plans"].as_array().into_iter().flatten().any(|child| {
                child["Node Type"].as_str().is_some_and(|node| node.contains("Bitmap")) && searches(child)
            })
    }
}
