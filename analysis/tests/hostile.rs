//! No input makes the engine panic, overflow the stack, or allocate more than its length allows.

#[path = "../../tests/src/heap.rs"]
pub mod heap;

use heap::Heap;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use query_budget_analysis::check::Checker;
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::{Dialect, split};
use query_budget_analysis::{Config, rust};

#[global_allocator]
static HEAP: Heap = Heap::new();

const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

const TABLES: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);
    CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint REFERENCES t (id), c text);
    CREATE INDEX i ON t (a, b); CREATE UNIQUE INDEX j ON u (c) WHERE t_id IS NOT NULL; CREATE INDEX k ON t (lower(b));
    CREATE VIEW v AS SELECT t.id, u.c FROM t JOIN u ON u.t_id = t.id;";

fn schema(dialect: Dialect) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(TABLES, "tables.sql");
    replay.schema
}

/// Runs every analysis on a text in every dialect; returns whether any dialect parses it as a query.
fn ask(sql: &str) -> bool {
    let config = Config::default();
    let mut parsed = false;
    for dialect in DIALECTS {
        let schema = schema(dialect);
        for schema in [Some(&schema), None] {
            parsed |= Checker::new(&config, schema, dialect).query(sql, None).query.is_ok();
        }
    }
    parsed
}

/// Pieces of queries, so that random combinations are almost valid.
const QUERIES: &[&str] = &[
    "SELECT t.a, count(*) FILTER (WHERE b IS NOT NULL) FROM t LEFT JOIN u ON u.t_id = t.id WHERE t.a = $1 GROUP BY t.a HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 10 OFFSET 5 FOR UPDATE OF t SKIP LOCKED",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SEARCH DEPTH FIRST BY n SET o SELECT * FROM r , LATERAL (SELECT id FROM u WHERE t_id = r.n LIMIT 1) x USING",
    "INSERT INTO t AS x (id, a[1]) OVERRIDING SYSTEM VALUE VALUES (?, :name), (DEFAULT, @v) ON CONFLICT (lower(b)) WHERE a = 1 DO UPDATE SET (a, b) = (EXCLUDED.a, x.b) RETURNING *, (x).*, old.a",
    "UPDATE ONLY t SET a[1] = 2, b = c FROM ONLY (u) WHERE u.t_id = t.id AND t.a BETWEEN SYMMETRIC 1 AND 2 AND CURRENT OF cur",
    "DELETE FROM t USING u WHERE (t.id, a) IN (SELECT id, 1 FROM v) OR b NOT GLOB 'x' OR a NOT NULL OR a ISNULL OR b IS ? OR id IN u",
    "SELECT DISTINCT ON (a) a::int[], b COLLATE \"C\", CASE WHEN a IN (1, 2) THEN ARRAY[1] ELSE NULL END, sum(a) OVER (PARTITION BY b ORDER BY a ROWS 1 PRECEDING EXCLUDE TIES) FROM t TABLESAMPLE system (1) NATURAL JOIN u",
    "SELECT SQL_CALC_FOUND_ROWS a DIV 2 MOD 3, MATCH b AGAINST (CONCAT('x') IN BOOLEAN MODE), INTERVAL(1, 2), GROUP_CONCAT(b ORDER BY a SEPARATOR ',') FROM (t, u) FORCE INDEX (i) GROUP BY a DESC LOCK IN SHARE MODE",
    "TABLE t UNION (VALUES (1, 2)) EXCEPT SELECT json_value(b, '$' RETURNING int DEFAULT 0 ON ERROR), inet '1.1.1.1', U&\"x\" FROM ROWS FROM (f(1), g(2)) WITH ORDINALITY AS z(p, q) WHERE a = ANY (VALUES (1))",
    "CREATE TABLE IF NOT EXISTS w (id serial PRIMARY KEY, a int REFERENCES t (id) ON DELETE CASCADE, UNIQUE (a), CHECK (a > 0)) PARTITION BY RANGE (a); ALTER TABLE w RENAME TO y; DROP TABLE t CASCADE; CREATE INDEX ON y ((a + 1)) WHERE a > 0",
];

/// A realistic query with words removed, repeated and swapped.
fn mutated() -> impl Strategy<Value = String> {
    let edits =
        prop::collection::vec((0_u8..4, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..5);
    (prop::sample::select(QUERIES), prop::sample::select(QUERIES), edits).prop_map(|(one, other, edits)| {
        let mut words: Vec<&str> = one.split(' ').collect();
        let others: Vec<&str> = other.split(' ').collect();
        for (edit, a, b) in edits {
            if words.is_empty() {
                break;
            }
            let (at, to) = (a.index(words.len()), b.index(words.len()));
            match edit {
                0 => drop(words.remove(at)),
                1 => words.insert(to, words[at]),
                2 => words.swap(at, to),
                _ => words.insert(at, others[b.index(others.len())]),
            }
        }
        words.join(" ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,60}|[ a-z0-9'\"`$?:;@(){}\\[\\].,<>=*&|/\\\\-]{0,80}") {
        ask(&text);
        for dialect in DIALECTS {
            split::statements(&text, dialect);
            Replay::new(dialect).apply(&text, "any.sql");
        }
        let _ = rust::scan("any.rs", &text);
    }

    #[test]
    fn any_bytes_that_are_text(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        ask(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nearly_queries(text in mutated()) {
        ask(&text);
        for dialect in DIALECTS {
            let mut replay = Replay::new(dialect);
            replay.apply(TABLES, "tables.sql");
            replay.apply(&text, "nearly.sql");
        }
    }
}

#[test]
fn the_pieces_are_near_enough_to_queries() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let text = |runner: &mut proptest::test_runner::TestRunner| {
        mutated().new_tree(runner).map(|tree| tree.current()).unwrap_or_default()
    };
    let parsed = (0..200).filter(|_| ask(&text(&mut runner))).count();
    assert!(parsed > 10, "only {parsed} of 200 are queries: nothing behind the parser is tried");
}

/// Runs on a small stack; returns the bytes that it allocated, which stand for steps.
fn on_a_small_stack(sql: String) -> isize {
    let run = move || {
        let before = HEAP.taken_here();
        ask(&sql);
        HEAP.taken_here() - before
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread");
    thread.join().expect("no panic")
}

/// The name of a text that grows with a number, and the function that makes it.
type Growing = (&'static str, fn(usize) -> String);

fn growing() -> Vec<Growing> {
    fn list(count: usize, separator: &str, item: impl Fn(usize) -> String) -> String {
        (0..count).map(item).collect::<Vec<_>>().join(separator)
    }
    vec![
        ("IN", |n| format!("SELECT a FROM t WHERE id IN ({})", list(n, ",", |i| i.to_string()))),
        ("sum", |n| format!("SELECT {}", list(n, "+", |_| "1".to_owned()))),
        ("rows", |n| format!("INSERT INTO t (id, a) VALUES {}", list(n, ",", |i| format!("({i}, 1)")))),
        ("names", |n| format!("SELECT {}", list(n, ",", |i| format!(":v{i}")))),
        ("union", |n| list(n, " UNION ALL ", |_| "SELECT a FROM t".to_owned())),
        ("and", |n| format!("SELECT a FROM t WHERE {}", list(n, " AND ", |_| "a = 1".to_owned()))),
        ("or", |n| format!("SELECT a FROM t WHERE {}", list(n, " OR ", |_| "a = 1".to_owned()))),
        ("brackets", |n| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n))),
        ("casts", |n| format!("SELECT a{} FROM t", "::int".repeat(n))),
        ("tests", |n| format!("SELECT a{} FROM t", " IS NULL".repeat(n))),
        ("subscripts", |n| format!("SELECT a{} FROM t", "[1]".repeat(n))),
        ("not", |n| format!("SELECT {} true", "NOT ".repeat(n))),
        ("case", |n| format!("SELECT {} 1 {}", "CASE WHEN a THEN 1 ELSE ".repeat(n), "END ".repeat(n))),
        ("tables", |n| format!("SELECT 1 FROM {}", list(n, ",", |i| format!("t t{i}")))),
        ("ctes", |n| {
            format!(
                "WITH c0 AS (SELECT 1 AS a) {} SELECT a FROM c{n}",
                list(n, "", |i| format!(", c{} AS (SELECT a FROM c{i})", i + 1))
            )
        }),
        ("wide", |n| format!("SELECT '{}' FROM t WHERE ä = 1", "ü, a".repeat(n))),
        ("alternatives", |n| format!("SELECT * FROM t WHERE {}", vec!["(id = 1 OR a = 2)"; n].join(" AND "))),
        ("groups of joins", |n| {
            format!("SELECT t.a FROM t {} GROUP BY t.a", "LEFT JOIN u ON u.t_id = t.id ".repeat(n))
        }),
        ("not closed", |n| "INSERT INTO t (a IN (FROM ONLY (t ANY (VALUES (1), CYCLE a ".repeat(n)),
        ("statements", |n| "SELECT 1;".repeat(n)),
        ("blank", |n| " \n".repeat(n)),
    ]
}

#[test]
fn long_texts_take_memory_by_their_length() {
    take_memory_by_their_length(0);
}

#[test]
fn long_texts_of_other_kinds_take_memory_by_their_length() {
    take_memory_by_their_length(1);
}

/// Reads every second kind of text, from the one of this number, so that two tests run at the same time.
#[track_caller]
fn take_memory_by_their_length(first: usize) {
    for (name, make) in growing().into_iter().skip(first).step_by(2) {
        for count in [10, 45, 200] {
            on_a_small_stack(make(count));
        }
        let (shorter, longer) = (on_a_small_stack(make(1_000)), on_a_small_stack(make(10_000)));
        // The text is ten times as long, so quadratic work would be a hundred times as much.
        assert!(longer < shorter * 16, "{name}: {shorter} bytes for 1,000, {longer} for 10,000");
    }
}

#[test]
fn nested_alternatives_of_equal_columns_take_linear_memory() {
    let nested = |levels: usize| {
        let mut condition = "(a = 1)".to_owned();
        for _ in 0..levels {
            condition = format!("(id = a AND a = b AND b = c AND ({condition} OR c = b AND c = 5))");
        }
        on_a_small_stack(format!("SELECT id FROM t WHERE {condition}"))
    };
    let (shorter, longer) = (nested(6), nested(12));
    assert!(longer < shorter * 4, "{shorter} bytes for 6 levels, {longer} for 12");
}

/// Whether PostgreSQL, MySQL and SQLite take a text as a query, as far as its syntax is concerned.
fn parsed(sql: &str) -> [bool; 3] {
    let config = Config::default();
    DIALECTS.map(|dialect| {
        let schema = schema(dialect);
        let parses =
            |schema: Option<&Schema>| Checker::new(&config, schema, dialect).query(sql, None).query.is_ok();
        let (with, without) = (parses(Some(&schema)), parses(None));
        assert_eq!(with, without, "{sql:?} in {dialect:?}: with a schema, without one");
        with
    })
}

#[test]
fn texts_that_are_no_query_are_refused_in_every_dialect() {
    for text in [
        "",
        ";",
        ";;",
        "\0",
        "SELECT 1; SELECT 2",
        "SELECT 'a",
        "SELECT \"a",
        "SELECT /* a",
        "SELECT (1",
        "SELECT 1)",
        "שלום",
        "INSERT INTO",
        "WITH",
        "WITH a AS",
        "SELECT * FROM",
        "UPDATE t SET",
        "VALUES",
        "TABLE",
        "FOR UPDATE OF",
        "ON CONFLICT (",
        "IN (",
        "ANY (VALUES",
        "MATCH",
        "AGAINST (",
        "INTERVAL (",
        ") SEARCH DEPTH FIRST BY a SET b",
        ") CYCLE a SET b USING c",
        "CURRENT OF",
        "ROWS FROM (",
    ] {
        assert_eq!(parsed(text), [false; 3], "{text:?}");
    }
}

/// The second of each pair says whether PostgreSQL, MySQL and SQLite take the text, as far as its syntax is concerned. The
/// engine may take more: what it does not refuse it leaves to the database.
#[test]
fn odd_texts_are_queries_where_the_database_takes_them() {
    for (text, taken) in [
        ("SELECT FROM WHERE", [false, false, false]),
        ("SELECT $$a", [false, true, true]),
        ("SELECT E'\\uD800'", [false, true, true]),
        ("SELECT '\u{202e}txet' FROM t", [true, true, true]),
        ("SELECT \u{feff}1", [true, true, true]),
        ("SELECT 1e999999", [false, false, true]),
        ("SELECT $99999999999", [false, true, true]),
        ("SELECT ?4294967295, ?", [false, false, false]),
        ("SELECT a FROM t LIMIT 99999999999999999999", [true, false, true]),
        ("SELECT 1 ORDER BY 99999999999999999999", [false, true, true]),
        ("SELECT 1 ORDER BY 0", [false, false, false]),
    ] {
        let parsed = parsed(text);
        let refused = (0..3).filter(|at| taken[*at] && !parsed[*at]).count();
        assert_eq!(refused, 0, "{text:?}: the databases {taken:?}, the engine {parsed:?}");
    }
}

#[test]
fn what_is_too_deep_is_said_to_be_not_checked() {
    for (name, make) in
        growing().into_iter().filter(|(name, _)| matches!(*name, "sum" | "brackets" | "casts" | "not"))
    {
        let config = Config::default();
        let checked = Checker::new(&config, None, Dialect::Postgres).query(&make(10_000), None);
        let error = checked.query.expect_err("it is too deep");
        assert!(error.limit, "{name}: {error}");
    }
}
