//! Verdicts, each test named after what the planner does.

use super::{Access, Verdict, accesses};
use crate::schema::{Replay, Schema};
use crate::sql::{Dialect, resolve};

const EVENTS: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, name text);
    CREATE UNIQUE INDEX users_email ON users (lower(email));
    CREATE TABLE events (
        id bigint PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES users (id),
        kind text NOT NULL,
        state text NOT NULL,
        starts_at timestamptz,
        payload jsonb
    );
    CREATE INDEX events_user ON events (user_id, starts_at);
    CREATE INDEX events_open ON events (starts_at) WHERE state = 'open';
    CREATE INDEX events_payload ON events USING gin (payload);
    CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint NOT NULL, level int, line text);
    CREATE INDEX logs_event ON logs (event_id);
    CREATE TABLE notes (id bigint PRIMARY KEY, event_id bigint, body text);
";

/// The schema that DDL makes.
pub(super) fn schema(dialect: Dialect, ddl: &str) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

/// The accesses of a query as `alias verdict index`, in the order in which it names its tables.
fn read(dialect: Dialect, ddl: &str, sql: &str) -> Vec<String> {
    let schema = schema(dialect, ddl);
    let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
    let line = |access: &Access| {
        let index = access.index.as_deref().map_or_else(String::new, |index| format!(" {index}"));
        format!("{} {}{index}", access.alias, access.verdict.as_str())
    };
    accesses(&query, &schema).iter().map(line).collect()
}

#[track_caller]
fn check(sql: &str, expect: &[&str]) {
    assert_eq!(read(Dialect::Postgres, EVENTS, sql), expect, "{sql}");
}

#[test]
fn an_index_is_searched_by_its_first_column() {
    check("SELECT 1 FROM events WHERE id = $1", &["events served events_pkey"]);
    check("SELECT 1 FROM events WHERE user_id = $1 AND kind = $2", &["events served events_user"]);
    check("SELECT 1 FROM events WHERE kind = $1", &["events unserved"]);
    check("SELECT 1 FROM events", &["events full"]);
}

#[test]
fn an_index_is_not_searched_by_a_later_column_alone() {
    let sql = "SELECT 1 FROM events WHERE starts_at = $1";
    check(sql, &["events unserved"]);
    let ddl = "CREATE TABLE events (id INTEGER PRIMARY KEY, user_id INTEGER, starts_at TEXT);
               CREATE INDEX events_user ON events (user_id, starts_at);";
    assert_eq!(read(Dialect::Sqlite, ddl, sql), ["events unserved"]);
}

#[test]
fn joins_reach_tables_by_indexes_of_their_columns() {
    check(
        "SELECT 1 FROM events e JOIN logs l ON l.event_id = e.id WHERE e.user_id = $1",
        &["e served events_user", "l served logs_event"],
    );
    check(
        "SELECT 1 FROM events e JOIN notes n ON n.event_id = e.id WHERE e.user_id = $1",
        &["e served events_user", "n full"],
    );
    check(
        "SELECT 1 FROM notes n JOIN events e ON e.id = n.event_id WHERE n.body = $1",
        &["n unserved", "e served events_pkey"],
    );
}

#[test]
fn an_equality_is_followed_from_column_to_column() {
    check(
        "SELECT 1 FROM events e JOIN logs l ON l.event_id = e.id WHERE e.id = $1",
        &["e served events_pkey", "l served logs_event"],
    );
}

#[test]
fn the_outer_side_of_an_outer_join_is_not_reached_from_the_inner_one() {
    check(
        "SELECT 1 FROM logs l LEFT JOIN events e ON e.id = l.event_id AND e.kind = $1",
        &["l full", "e served events_pkey"],
    );
}

#[test]
fn an_outer_join_whose_inner_side_is_demanded_is_an_inner_join() {
    check(
        "SELECT 1 FROM logs l LEFT JOIN events e ON e.id = l.event_id WHERE e.user_id = $1",
        &["l served logs_event", "e served events_user"],
    );
}

#[test]
fn an_inner_join_demands_the_inner_side_of_the_outer_joins_before_it() {
    let joined = |first: &str, filter: &str| {
        format!("SELECT 1 FROM {first} LEFT JOIN logs l ON l.event_id = e.id JOIN notes n ON n.{filter}")
    };
    check(
        "SELECT 1 FROM events e LEFT JOIN users u ON u.id = e.user_id JOIN notes n ON n.event_id = u.id WHERE e.id = $1",
        &["e served events_pkey", "u served users_pkey", "n unserved"],
    );
    check(
        &joined("events e", "event_id = l.id WHERE n.id = $1"),
        &["e served events_pkey", "l served logs_pkey", "n served notes_pkey"],
    );
    check(
        &joined("events e", "event_id = coalesce(l.id, 0) WHERE n.id = $1"),
        &["e full", "l served logs_event", "n served notes_pkey"],
    );
    // SQLite does not ask the condition of an outer join that it has found to be an inner one.
    let nested = joined("users u LEFT JOIN events e ON e.user_id = u.id", "body = l.line WHERE n.id = $1");
    check(&nested, &["u served users_pkey", "e served events_pkey", "l unserved", "n served notes_pkey"]);
    let ddl = "CREATE TABLE users (id integer PRIMARY KEY); CREATE TABLE events (id integer PRIMARY KEY, user_id int);
        CREATE TABLE logs (id integer PRIMARY KEY, event_id int, line text);
        CREATE TABLE notes (id integer PRIMARY KEY, body text); CREATE INDEX events_user ON events (user_id)";
    let found = read(Dialect::Sqlite, ddl, &nested);
    assert_eq!(found.first().map(String::as_str), Some("u full"), "{found:?}");
}

#[test]
fn in_and_exists_are_joins() {
    check(
        "SELECT 1 FROM logs WHERE event_id IN (SELECT id FROM events WHERE user_id = $1)",
        &["logs served logs_event", "events served events_user"],
    );
    check(
        "SELECT 1 FROM events e WHERE EXISTS (SELECT 1 FROM logs l WHERE l.event_id = e.id) AND e.user_id = $1",
        &["e served events_user", "l served logs_event"],
    );
    check(
        "SELECT 1 FROM events e WHERE NOT EXISTS (SELECT 1 FROM logs l WHERE l.event_id = e.id)",
        &["e full", "l served logs_event"],
    );
}

#[test]
fn a_correlated_subquery_sees_the_row_around_it() {
    check(
        "SELECT (SELECT count(*) FROM logs l WHERE l.event_id = e.id) FROM events e WHERE e.user_id = $1",
        &["e served events_user", "l served logs_event"],
    );
}

#[test]
fn a_scalar_subquery_about_the_row_of_another_table_is_a_value() {
    check(
        "SELECT EXISTS (SELECT 1 FROM logs l JOIN logs m ON m.line = l.line \
         WHERE l.event_id = (SELECT e.id FROM events e WHERE e.id = u.id)) FROM users u WHERE u.id = $1",
        &["u served users_pkey", "l served logs_event", "m full", "e served events_pkey"],
    );
}

#[test]
fn a_plain_subquery_is_pulled_up_and_a_grouped_one_gets_its_conditions_pushed_down() {
    check(
        "WITH mine AS (SELECT * FROM events) SELECT 1 FROM mine WHERE user_id = $1",
        &["events served events_user"],
    );
    check(
        "SELECT 1 FROM (SELECT user_id, count(*) FROM events GROUP BY user_id) c WHERE user_id = $1",
        &["events served events_user"],
    );
    check(
        "WITH mine AS MATERIALIZED (SELECT * FROM events) SELECT 1 FROM mine WHERE user_id = $1",
        &["events full"],
    );
}

#[test]
fn a_partial_index_serves_what_implies_its_predicate() {
    check("SELECT 1 FROM events WHERE state = 'open' AND starts_at < now()", &["events served events_open"]);
    check("SELECT 1 FROM events WHERE state = 'open'", &["events served events_open"]);
    check("SELECT 1 FROM events WHERE state = $1", &["events unserved"]);
    check("SELECT 1 FROM events WHERE state = 'closed'", &["events unserved"]);
}

#[test]
fn an_expression_index_serves_its_expression() {
    check("SELECT 1 FROM users WHERE lower(email) = lower($1)", &["users served users_email"]);
    check("SELECT 1 FROM users WHERE email = $1", &["users unserved"]);
    check("SELECT 1 FROM users WHERE upper(email) = $1", &["users unserved"]);
}

#[test]
fn a_cast_or_function_of_a_column_is_not_the_column() {
    check("SELECT 1 FROM events WHERE id::text = $1", &["events unserved"]);
    check("SELECT 1 FROM events WHERE abs(id) = $1", &["events unserved"]);
    check("SELECT 1 FROM events WHERE id = $1::bigint", &["events served events_pkey"]);
}

#[test]
fn an_inverted_index_serves_its_operators() {
    check("SELECT 1 FROM events WHERE payload @> $1", &["events served events_payload"]);
    check("SELECT 1 FROM events WHERE payload ->> 'a' = $1", &["events unserved"]);
    check("SELECT 1 FROM events WHERE payload = $1", &["events unserved"]);
}

#[test]
fn a_disjunction_is_served_when_every_arm_is() {
    check("SELECT 1 FROM events WHERE id = $1 OR user_id = $2", &["events served events_pkey"]);
    check("SELECT 1 FROM events WHERE id = $1 OR kind = $2", &["events unserved"]);
}

#[test]
fn a_value_drawn_anew_for_each_row_searches_nothing() {
    check("SELECT 1 FROM events WHERE id = (random() * 10)::bigint", &["events unserved"]);
}

#[test]
fn the_least_and_the_greatest_are_at_the_end_of_an_index() {
    check("SELECT max(id) FROM events", &["events served events_pkey"]);
    check("SELECT max(kind) FROM events", &["events full"]);
    // The end of an index is not the maximum of its second column.
    check("SELECT max(starts_at) FROM events", &["events full"]);
    check("SELECT max(starts_at) FROM events WHERE user_id = $1", &["events served events_user"]);
}

#[test]
fn writes_are_read_like_queries() {
    check("UPDATE events SET state = $1 WHERE id = $2", &["events served events_pkey"]);
    check("DELETE FROM notes WHERE event_id = $1", &["notes unserved"]);
    check(
        "UPDATE events SET state = n.body FROM notes n WHERE n.event_id = events.id AND n.id = $1",
        &["events served events_pkey", "n served notes_pkey"],
    );
    check("INSERT INTO notes (id) VALUES ($1)", &[]);
}

#[test]
fn sqlite_finds_rows_by_the_rowid() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX t_a ON t (a COLLATE NOCASE);";
    let read = |sql| read(Dialect::Sqlite, ddl, sql);
    assert_eq!(read("SELECT a FROM t WHERE id = ?"), ["t served rowid"]);
    assert_eq!(read("SELECT a FROM t WHERE rowid > ?"), ["t served rowid"]);
    assert_eq!(read("SELECT a FROM t WHERE a LIKE 'x%'"), ["t served t_a"]);
    assert_eq!(read("SELECT a FROM t WHERE a GLOB 'x*'"), ["t unserved"]);
}

#[test]
fn not_is_taken_inwards() {
    check("SELECT 1 FROM events WHERE NOT (user_id <> $1)", &["events served events_user"]);
    check("SELECT 1 FROM events WHERE NOT (user_id <> $1 OR kind = $2)", &["events served events_user"]);
    check("SELECT 1 FROM events WHERE user_id NOT BETWEEN $1 AND $2", &["events served events_user"]);
    let ddl = "CREATE TABLE t (a INTEGER, b INTEGER); CREATE INDEX t_a ON t (a);";
    assert_eq!(read(Dialect::Sqlite, ddl, "SELECT b FROM t WHERE NOT (a <> ?)"), ["t unserved"]);
}

#[test]
fn an_equality_reaches_into_groups_and_partitions() {
    check(
        "SELECT 1 FROM users u JOIN (SELECT user_id, count(*) FROM events GROUP BY user_id) c ON c.user_id = u.id \
         WHERE u.id = $1",
        &["u served users_pkey", "events served events_user"],
    );
    let numbered = |partition| {
        format!(
            "SELECT 1 FROM (SELECT user_id, row_number() OVER ({partition}ORDER BY id) FROM events) n WHERE user_id = $1"
        )
    };
    check(&numbered("PARTITION BY user_id "), &["events served events_user"]);
    check(&numbered(""), &["events full"]);
}

#[test]
fn a_full_join_whose_one_side_is_demanded_is_an_outer_join() {
    check(
        "SELECT 1 FROM events e FULL JOIN logs l ON l.event_id = e.id WHERE e.user_id = $1",
        &["e served events_user", "l served logs_event"],
    );
    check("SELECT 1 FROM events e FULL JOIN logs l ON l.event_id = e.id", &["e full", "l full"]);
}

#[test]
fn a_subquery_in_a_disjunction_is_asked_row_by_row() {
    check(
        "SELECT 1 FROM events WHERE id = $1 OR id IN (SELECT event_id FROM notes WHERE id = $2)",
        &["events unserved", "notes served notes_pkey"],
    );
}

#[test]
fn values_of_another_type_are_compared_in_the_wider_one() {
    check("SELECT 1 FROM events WHERE id = ANY ($1::numeric[])", &["events unserved"]);
    check("SELECT 1 FROM events WHERE id = 99999999999999999999", &["events unserved"]);
    let ddl = "CREATE TABLE t (a text, b integer); CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b);";
    for dialect in [Dialect::Sqlite, Dialect::MySql] {
        let ddl =
            if dialect == Dialect::MySql { ddl.replace("a text", "a varchar(9)") } else { ddl.to_owned() };
        let sql = "SELECT 1 FROM t x JOIN t y ON y.a = x.b WHERE x.b > 5";
        assert_eq!(read(dialect, &ddl, sql)[0], "x served t_b", "{dialect}");
        assert!(!read(dialect, &ddl, sql)[1].contains("served t_a"), "{dialect}");
    }
}

#[test]
fn sqlite_searches_by_the_collation_that_is_compared_by() {
    let ddl = "CREATE TABLE t (a TEXT, b TEXT COLLATE NOCASE); CREATE INDEX t_a ON t (a COLLATE NOCASE);
               CREATE INDEX t_b ON t (b);";
    let read = |sql| read(Dialect::Sqlite, ddl, sql);
    assert_eq!(read("SELECT b FROM t WHERE a = ?"), ["t unserved"]);
    assert_eq!(read("SELECT b FROM t WHERE a = ? COLLATE NOCASE"), ["t served t_a"]);
    assert_eq!(read("SELECT a FROM t WHERE b = ?"), ["t served t_b"]);
    assert_eq!(read("SELECT a FROM t WHERE b = ? COLLATE BINARY"), ["t unserved"]);
}

#[test]
fn what_is_not_in_the_schema_is_unknown() {
    check("SELECT 1 FROM nowhere WHERE id = $1", &["nowhere unknown"]);
    let schema = Schema::new(Dialect::Postgres);
    let query = resolve("SELECT 1 FROM t WHERE id = $1", Dialect::Postgres, None).expect("it parses");
    let found = accesses(&query, &schema);
    assert_eq!(found.iter().map(|access| access.verdict).collect::<Vec<_>>(), [Verdict::Unknown]);
}

#[test]
fn an_order_does_not_keep_a_join_from_starting_where_few_rows_are_found() {
    let ddl = "CREATE TABLE products (sku text PRIMARY KEY, tags text[], name text, price int);
               CREATE INDEX products_tags ON products USING gin (tags);
               CREATE INDEX products_price ON products (price);
               CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL, total int);
               CREATE INDEX orders_customer ON orders (customer);
               CREATE TABLE lines (order_id bigint, sku text, PRIMARY KEY (order_id, sku));
               CREATE INDEX lines_sku ON lines (sku);";
    let from = "FROM products p JOIN lines l ON l.sku = p.sku JOIN orders o ON o.id = l.order_id";
    let few = "p.tags @> ARRAY[$1::text]";
    for sql in [
        format!("SELECT o.customer {from} WHERE {few} AND o.total > 5 ORDER BY o.customer"),
        format!("SELECT o.customer {from} WHERE {few} ORDER BY o.customer LIMIT 10"),
        format!("SELECT o.customer, count(*) {from} WHERE {few} AND o.total > 5 GROUP BY o.customer"),
        format!("SELECT DISTINCT o.customer {from} WHERE {few}"),
    ] {
        let found = read(Dialect::Postgres, ddl, &sql);
        assert!(found[1].starts_with("l served"), "{sql}: {found:?}");
        assert_eq!([&*found[0], &*found[2]], ["p served products_tags", "o served orders_pkey"], "{sql}");
    }
    // Many rows are not sorted where an index has them in order, and without the index on the key there is no way to them.
    let sql = format!("SELECT o.customer {from} WHERE p.price > $1 AND o.total > 5 ORDER BY o.customer");
    assert_eq!(read(Dialect::Postgres, ddl, &sql)[2], "o unserved");
    let ddl = ddl.replace("id bigint PRIMARY KEY, customer", "id bigint, customer");
    let sql = format!("SELECT o.customer {from} WHERE {few} AND o.total > 5 ORDER BY o.customer");
    assert_eq!(read(Dialect::Postgres, &ddl, &sql)[2], "o unserved");
}
