//! Nullability by the plan where indexes deliver an order, hold some rows only, or queries are read for each row; each expectation
//! is what PostgreSQL's plan gives.

use super::tests::check_in;
use crate::types::Planned::{ForAny, ForNulls};

const ORDERED: &str = "CREATE TABLE u (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE m (id bigint PRIMARY KEY, a bigint NOT NULL, b int NOT NULL, c int NOT NULL, d int NOT NULL, open bool NOT NULL,
        t text NOT NULL, uid bigint NOT NULL);
    CREATE INDEX ON m (a, b, c);
    CREATE INDEX ON m (a, d DESC, id);
    CREATE INDEX ON m (a, open, d);
    CREATE INDEX ON m (a, lower(t));
    CREATE TABLE n (id bigint PRIMARY KEY, a int NOT NULL, b int NOT NULL, c text NOT NULL);";

/// A join of two tables in an order, planned for any values and for NULL.
#[track_caller]
fn check_ordered(rest: &str, for_any: &str, for_nulls: &str) {
    let sql = format!("SELECT m.id, u.name FROM m LEFT JOIN u ON u.id = m.uid {rest}");
    check_in(ORDERED, &sql, ForAny, for_any);
    check_in(ORDERED, &sql, ForNulls, for_nulls);
}

#[test]
fn an_index_delivers_the_order_of_what_follows_constants() {
    // What it saves is as little as the sort of one row.
    for order in ["m.c", "m.c DESC", "m.b, m.c", "m.a DESC, m.c DESC"] {
        check_ordered(&format!("WHERE m.a = 1 AND m.b = 2 ORDER BY {order}"), "n?", "n?");
        check_ordered(&format!("WHERE m.a = $1 AND m.b = $2 ORDER BY {order}"), "n?", "nn");
    }
    // To sort two rows is cheaper than to fetch them one by one.
    for rest in ["m.a = $1 AND m.open", "m.a = $1 AND NOT m.open", "m.a = $1 AND m.open = false"] {
        check_ordered(&format!("WHERE {rest} ORDER BY m.d"), "nn", "nn");
        check_ordered(&format!("WHERE {rest} ORDER BY m.open, m.d"), "nn", "nn");
    }
    check_ordered("WHERE NOT m.open AND m.a = $1 AND m.open = $2 ORDER BY m.d", "n?", "nn");
    // Another key comes before, or the directions differ.
    check_ordered("WHERE m.a = $1 ORDER BY m.c", "nn", "nn");
    check_ordered("WHERE m.a = $1 AND m.b = $2 ORDER BY m.c, m.d", "nn", "nn");
    check_ordered("WHERE m.a = $1 AND m.b = $2 ORDER BY m.c NULLS FIRST", "nn", "nn");
    check_ordered("WHERE m.a = $1 ORDER BY m.d, m.id", "nn", "nn");
}

#[test]
fn constants_order_nothing() {
    for order in ["$1::int", "now()", "'x'::text", "m.b + $1::int - m.b"] {
        let for_any = if order.starts_with("m.") { "n?" } else { "ny" };
        check_ordered(&format!("ORDER BY {order}"), for_any, "ny");
    }
    // No arm holds if the parameter is NULL.
    check_ordered("ORDER BY CASE WHEN $1 = 'a' THEN m.c END", "n?", "ny");
    check_ordered("ORDER BY CASE $1 WHEN 'a' THEN m.c END, CASE $1 WHEN 'b' THEN m.d END DESC", "n?", "ny");
    check_ordered("ORDER BY CASE WHEN $1 = 'a' THEN m.c ELSE m.id END", "n?", "n?");
    check_ordered("ORDER BY random()", "n?", "n?");
    // An index on an expression may deliver it.
    check_ordered("WHERE m.a = 1 ORDER BY lower(m.t)", "n?", "n?");
}

#[test]
fn a_merge_may_deliver_the_order_of_several_columns() {
    let join = "SELECT m.id, n.id FROM n LEFT JOIN n m ON m.a = n.a AND m.b = n.b ORDER BY";
    for order in ["n.a, n.b", "n.b, n.a DESC", "n.b"] {
        check_in(ORDERED, &format!("{join} {order}"), ForAny, "yn");
    }
    check_in(ORDERED, &format!("{join} n.a, n.c"), ForAny, "nn");
    check_in(ORDERED, &format!("{join} m.a, m.b"), ForAny, "nn");
}

#[test]
fn what_no_index_and_no_condition_knows_is_sorted() {
    // However many relations there are, and whatever they cost.
    let joins: String = (1..12).map(|at| format!(" LEFT JOIN u u{at} ON u{at}.id = n.id + {at}")).collect();
    check_in(ORDERED, &format!("SELECT n.id, u1.name FROM n{joins} ORDER BY n.c"), ForAny, "nn");
    check_in(ORDERED, &format!("SELECT n.id, u1.name FROM n{joins} ORDER BY n.id"), ForAny, "??");
}

const PARTIAL: &str =
    "CREATE TABLE u (id bigint PRIMARY KEY, name text NOT NULL, username text NOT NULL, del timestamptz,
        email text NOT NULL, org bigint NOT NULL);
    CREATE INDEX ON u (username) WHERE del IS NULL;
    CREATE UNIQUE INDEX ON u (email) WHERE del IS NULL;
    CREATE TABLE p (mid bigint PRIMARY KEY, by_id bigint, st text NOT NULL, at timestamptz);
    CREATE INDEX ON p (by_id) WHERE by_id IS NOT NULL;
    CREATE INDEX ON p (at) WHERE st = 'running';
    CREATE TABLE d (id bigint PRIMARY KEY, t text NOT NULL, del bool NOT NULL, uid bigint NOT NULL);
    CREATE INDEX ON d USING gin (to_tsvector('english', t)) WHERE NOT del;";

#[test]
fn partial_indexes_serve_what_implies_their_predicate() {
    let of = |join: &str, expected: &str| {
        let (kept, found) = if join.starts_with('p') { ("p.mid", "u.name") } else { ("u.name", "p.mid") };
        check_in(PARTIAL, &format!("SELECT {kept}, {found} FROM {join}"), ForAny, expected);
    };
    let join = "p LEFT JOIN u ON u.id = p.by_id";
    // The join keeps rows without the column: the predicate is not implied.
    of(&format!("{join} WHERE p.mid = $1"), "ny");
    of(join, "ny");
    of(&format!("{join} WHERE p.by_id = $1"), "ny");
    of(&format!("{join} WHERE p.by_id IS NOT NULL"), "ny");
    of(&format!("{join} WHERE p.st = 'running' AND p.at < now()"), "ny");
    let join = "u LEFT JOIN p ON u.id = p.by_id";
    of(join, "yn");
    of(&format!("{join} WHERE u.id = 5"), "ny");
    of(&format!("{join} AND p.st = 'running'"), "ny");
    for rest in ["WHERE NOT d.del", "WHERE NOT d.del AND d.id = $1"] {
        check_in(
            PARTIAL,
            &format!("SELECT d.id, u.name FROM d LEFT JOIN u ON u.id = d.uid {rest}"),
            ForAny,
            "ny",
        );
    }
}

const LATERAL: &str =
    "CREATE TABLE u (id bigint PRIMARY KEY, name text NOT NULL, f bool NOT NULL, g bigint NOT NULL);
    CREATE TABLE o (id uuid PRIMARY KEY, uid bigint NOT NULL, at timestamptz NOT NULL, f bool NOT NULL);
    CREATE TABLE c (id bigint PRIMARY KEY, n text NOT NULL);";

#[test]
fn a_lateral_aggregate_is_written_differently_above_and_below() {
    for inner in [
        "SELECT count(*) AS n FROM o WHERE o.uid = u.id",
        "SELECT jsonb_agg(o.id ORDER BY o.at) AS n FROM o WHERE o.uid = u.id",
        "SELECT count(*) FILTER (WHERE o.f) AS n FROM o WHERE o.uid = u.g",
    ] {
        let join = format!("SELECT u.id, x.n FROM u LEFT JOIN LATERAL ({inner}) x ON true");
        check_in(LATERAL, &join, ForAny, "nn");
        check_in(LATERAL, &format!("{join} WHERE u.id = $1"), ForAny, "nn");
    }
    // What is found for one of two values is remembered for the next.
    let remembered =
        "SELECT u.id, x.n FROM u LEFT JOIN LATERAL (SELECT count(*) AS n FROM o WHERE o.f = u.f) x ON true";
    check_in(LATERAL, remembered, ForAny, "n?");
    let last =
        "LEFT JOIN LATERAL (SELECT * FROM o WHERE o.uid = u.id ORDER BY o.at DESC LIMIT 1) x ON u.name = 'x'";
    check_in(LATERAL, &format!("SELECT u.id, x.id FROM u {last}"), ForAny, "ny");
}

#[test]
fn joins_that_pad_nothing_mark_nothing() {
    let tables = "CREATE TABLE e (id bigint PRIMARY KEY, mid bigint NOT NULL, tx bytea NOT NULL);
        CREATE TABLE msg (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE b (tx bytea NOT NULL, id bigint NOT NULL);";
    for (sql, expected) in [
        ("SELECT e.id, e.mid FROM e JOIN msg ON msg.id = e.mid", "nn"),
        ("SELECT e.id, msg.id FROM e LEFT JOIN msg ON msg.id = e.mid", "??"),
        ("SELECT e.id FROM e LEFT JOIN b ON b.tx = e.tx WHERE b.tx IS NULL", "n"),
        (
            "SELECT e.id, f.id FROM e JOIN e f ON f.mid = e.id LEFT JOIN b ON b.tx = e.tx
             WHERE b.tx IS NULL AND NOT EXISTS (SELECT 1 FROM msg WHERE msg.id = e.id)",
            "nn",
        ),
    ] {
        check_in(tables, sql, ForAny, expected);
    }
}

#[test]
fn three_tables_joined_by_their_keys_are_certain() {
    let tables = "CREATE TABLE s (id bigint PRIMARY KEY, name varchar(255) NOT NULL);
        CREATE TABLE tg (id int PRIMARY KEY, name text NOT NULL, sid bigint REFERENCES s);
        CREATE TABLE eg (id int PRIMARY KEY, tg int NOT NULL REFERENCES tg);";
    let sql =
        "SELECT tg.id, s.name FROM eg JOIN tg ON eg.tg = tg.id LEFT JOIN s ON s.id = tg.sid WHERE eg.id = $1";
    check_in(tables, sql, ForAny, "n?");
}

#[test]
fn a_foreign_key_counts_for_rows_that_no_outer_join_left_out() {
    let wide: String = (1..23).map(|at| format!(", c{at} text")).collect();
    let tables = format!(
        "CREATE TABLE s (id smallint PRIMARY KEY, path text NOT NULL); \
        CREATE TABLE p (id bigint PRIMARY KEY, s smallint NOT NULL REFERENCES s, title text NOT NULL{wide}); \
        CREATE TABLE l (p bigint NOT NULL REFERENCES p, reader text NOT NULL, at date NOT NULL, PRIMARY KEY (p, reader)); \
        CREATE TABLE r (p bigint NOT NULL REFERENCES p, rev int NOT NULL, who int, PRIMARY KEY (p, rev)); \
        CREATE TABLE c (id bigint PRIMARY KEY, p bigint NOT NULL, parent bigint, name text NOT NULL, body text NOT NULL);"
    );
    // Of the join that finds rows, the key says how many there are, and not how they are found.
    let sql = "SELECT p.title, s.path, l.reader FROM p JOIN s ON s.id = p.s LEFT JOIN l ON l.p = p.id";
    check_in(&tables, sql, ForAny, "yyn");
    let sql = "SELECT p.title, c.name, r.rev, d.name FROM p RIGHT JOIN c ON c.p = p.id AND c.name = $1 \
        LEFT JOIN r ON r.p = p.id LEFT JOIN c d ON d.parent = c.id";
    check_in(&tables, sql, ForAny, "yyyn");
}
