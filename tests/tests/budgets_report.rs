//! The text of an exceeded budget, as it appears in a failing test. Times and lines of this file are masked.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::future::FutureExt;
use query_budget::__private::{Site, query, query_as};
use query_budget::{measure, scope};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

static EVENTS: Site = Site::new(
    "SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50",
    1,
    "src/page.rs",
    15,
    18,
);
static LOGS: Site = Site::new("SELECT output FROM logs\n     WHERE event_id = $1", 2, "src/page.rs", 20, 9);
static SEEN: Site = Site::new("insert into seen (user_id, event_id) values ($1, $2)", 3, "src/seen.rs", 7, 5);

async fn database() -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let schema = "CREATE TABLE events (id INTEGER PRIMARY KEY, user_id INTEGER, name TEXT);
        CREATE TABLE logs (event_id INTEGER, output TEXT);
        CREATE TABLE seen (user_id INTEGER, event_id INTEGER);
        INSERT INTO events SELECT value, 1, 'event ' || value FROM generate_series(1, 40);
        INSERT INTO logs SELECT value, 'fine' FROM generate_series(1, 40);";
    let schema = schema.replace(
        "FROM generate_series(1, 40)",
        "FROM (WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 40) SELECT * FROM n)",
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(schema)).execute(&pool).await.unwrap();
    pool
}

/// The panic of the future, with times masked.
async fn text_of(future: impl Future) -> String {
    let panic = AssertUnwindSafe(future).catch_unwind().await.err().expect("it goes over its budget");
    blot(&panic.downcast::<String>().expect("a text"))
}

/// Replaces each time, in a column by something of the same width, and each place in this file.
fn blot(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut line = match line.split_once(file!()) {
            Some((before, _)) => format!("{before}[here]"),
            None => line.to_owned(),
        };
        while let Some(end) = line.find(" ms") {
            let number = line[..end].rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
            let column = line[..number].trim_end().len();
            let blotted = match number - column {
                0 | 1 => line[column..number].to_owned() + "[time]",
                _ => format!("{:>1$}", "[time]", end + 3 - column),
            };
            line.replace_range(column..end + 3, &blotted);
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[track_caller]
fn check(text: &str, expect: &str) {
    let expect = expect.strip_prefix('\n').unwrap_or(expect);
    assert!(text == expect, "the text is\n{text}\nexpected\n{expect}");
}

#[tokio::test]
async fn one_site() {
    let db = database().await;
    let page = async {
        query(&EVENTS).bind(1).fetch_one(&db).await.unwrap();
    };
    let text = text_of(scope("dashboard").max(0).run(page)).await;
    check(
        &text,
        r"
`dashboard` ran 1 query; its budget is 0
  --> [here]

  queries     rows        time
        1        1      [time]  SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50
                                at src/page.rs:15:18",
    );
}

#[tokio::test]
async fn n_plus_one() {
    let db = database().await;
    let page = async {
        let events: Vec<(i64, String)> = query_as(&EVENTS).bind(1).fetch_all(&db).await.unwrap();
        for (event, _) in events {
            query(&LOGS).bind(event).fetch_all(&db).await.unwrap();
        }
    };
    let text = text_of(scope("dashboard").max(3).run(page)).await;
    check(
        &text,
        r"
`dashboard` ran 41 queries; its budget is 3
  --> [here]

  queries     rows        time
       40       40      [time]  SELECT output FROM logs WHERE event_id = $1
                                at src/page.rs:20:9
        1       40      [time]  SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50
                                at src/page.rs:15:18

help: run the query at src/page.rs:20:9 once, not 40 times ([time]): its parameters differ, batch it with `IN (SELECT value FROM json_each($1))`",
    );
}

#[tokio::test]
async fn mixture() {
    let db = database().await;
    let page = async {
        query(&EVENTS).bind(1).fetch_all(&db).await.unwrap();
        for event in 0..3 {
            query(&SEEN).bind(1).bind(event).execute(&db).await.unwrap();
        }
        for event in 0..5 {
            query(&LOGS).bind(event).fetch_optional(&db).await.unwrap();
        }
    };
    let text = text_of(scope("dashboard").max(3).rows(20).time(Duration::ZERO).run(page)).await;
    check(
        &text,
        r"
`dashboard` ran 9 queries; its budget is 3
`dashboard` fetched 44 rows; its budget is 20
`dashboard` spent [time] in queries; its budget is [time]
  --> [here]

  queries     rows        time
        5        4      [time]  SELECT output FROM logs WHERE event_id = $1
                                at src/page.rs:20:9
        3        0      [time]  insert into seen (user_id, event_id) values ($1, $2)
                                at src/seen.rs:7:5
        1       40      [time]  SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50
                                at src/page.rs:15:18

help: run the query at src/page.rs:20:9 once, not 5 times ([time]): its parameters differ, batch it with `IN (SELECT value FROM json_each($1))`
help: run the query at src/seen.rs:7:5 once, not 3 times ([time]): its parameters differ, batch it with one row of `VALUES` for each element",
    );
}

#[tokio::test]
async fn same_parameters_and_some_the_same() {
    let db = database().await;
    let page = async {
        for turn in 0..4 {
            query(&EVENTS).bind(1).fetch_optional(&db).await.unwrap();
            query(&LOGS).bind(turn / 2).fetch_optional(&db).await.unwrap();
        }
    };
    let text = text_of(scope("dashboard").repeats(3).run(page)).await;
    check(
        &text,
        r"
`dashboard` ran one query 4 times; its budget is 3 for each
  --> [here]

  queries     rows        time
        4        4      [time]  SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50
                                at src/page.rs:15:18
        4        2      [time]  SELECT output FROM logs WHERE event_id = $1
                                at src/page.rs:20:9

help: run the query at src/page.rs:15:18 once, not 4 times ([time]): its parameters stay the same, move it out of the loop or cache its result
help: run the query at src/page.rs:20:9 once, not 4 times ([time]): it has only 2 sets of parameters, run it once for each, or batch it with `IN (SELECT value FROM json_each($1))`",
    );
}

#[tokio::test]
async fn nested_scopes() {
    let db = database().await;
    let page = async {
        scope("header")
            .max(1)
            .run(async { query(&EVENTS).bind(1).fetch_all(&db).await.map(drop).unwrap() })
            .await;
        scope("list")
            .max(1)
            .run(async { query(&LOGS).bind(1).fetch_all(&db).await.map(drop).unwrap() })
            .await;
    };
    let text = text_of(scope("page").max(1).run(page)).await;
    check(
        &text,
        r"
`page` ran 2 queries; its budget is 1
  --> [here]

  queries     rows        time
        1       40      [time]  SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50
                                at src/page.rs:15:18
        1        1      [time]  SELECT output FROM logs WHERE event_id = $1
                                at src/page.rs:20:9",
    );
}

#[tokio::test]
async fn many_statements_and_a_long_one() {
    const fn site(line: u32) -> Site {
        Site::new("SELECT 1", 1, "src/many.rs", line, 1)
    }
    static SITES: [Site; 12] = [
        site(1),
        site(2),
        site(3),
        site(4),
        site(5),
        site(6),
        site(7),
        site(8),
        site(9),
        site(10),
        site(11),
        site(12),
    ];
    static LONG: Site = Site::new(LONG_SQL, 1, "src/many.rs", 40, 1);
    const LONG_SQL: &str = "SELECT 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á',
        'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á',
        'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á'";
    let db = database().await;
    let page = async {
        for _ in 0..2 {
            query(&LONG).execute(&db).await.unwrap();
        }
        for site in &SITES {
            query(site).execute(&db).await.unwrap();
        }
    };
    let text = text_of(scope("many").max(13).run(page)).await;
    check(
        &text,
        r"
`many` ran 14 queries; its budget is 13
  --> [here]

  queries     rows        time
        2        0      [time]  SELECT 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á', 'á'…
                                at src/many.rs:40:1
        1        0      [time]  SELECT 1
                                at src/many.rs:1:1
        1        0      [time]  SELECT 1
                                at src/many.rs:2:1
        1        0      [time]  SELECT 1
                                at src/many.rs:3:1
        1        0      [time]  SELECT 1
                                at src/many.rs:4:1
        1        0      [time]  SELECT 1
                                at src/many.rs:5:1
        1        0      [time]  SELECT 1
                                at src/many.rs:6:1
        1        0      [time]  SELECT 1
                                at src/many.rs:7:1
        1        0      [time]  SELECT 1
                                at src/many.rs:8:1
        1        0      [time]  SELECT 1
                                at src/many.rs:9:1
        3                       in 3 statements more",
    );
}

#[tokio::test]
async fn measured() {
    let db = database().await;
    let page = async { drop(query(&EVENTS).bind(1).fetch_all(&db).await.unwrap()) };
    let ((), report) = measure(page).await;
    check(
        &blot(&report.to_string()),
        r"
`measured code` ran 1 query, fetched 40 rows, spent [time] in them
  --> [here]

  queries     rows        time
        1       40      [time]  SELECT id, name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 50
                                at src/page.rs:15:18",
    );
    let (line, ((), report)) = (line!(), measure(async {}).await);
    assert_eq!((report.location().file(), report.location().line()), (file!(), line));
    check(
        &blot(&report.to_string()),
        r"
`measured code` ran 0 queries, fetched 0 rows, spent [time] in them
  --> [here]",
    );
}

#[tokio::test]
async fn values_are_not_shown() {
    let db = database().await;
    let page = async { query(&LOGS).bind("a secret value").fetch_all(&db).await.map(drop).unwrap() };
    let panic = AssertUnwindSafe(scope("dashboard").max(0).run(page)).catch_unwind().await.unwrap_err();
    assert!(!panic.downcast::<String>().unwrap().contains("secret"));
}
