//! Nullability by the plan, by examples; each expectation is what PostgreSQL's plan gives.

use crate::schema::Replay;
use crate::sql::{Dialect, resolve};
use crate::types::{Planned, describe_planned};

const TABLES: &str = "CREATE TABLE shop (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE item (id bigint PRIMARY KEY, shop bigint NOT NULL, kind bigint NOT NULL);";

/// Whether each column is nullable: `y`, `n`, or `?`.
#[track_caller]
fn check(sql: &str, expected: &str) {
    check_planned(sql, Planned::ForAny, expected);
}

#[track_caller]
fn check_both(sql: &str, for_nulls: &str, for_any: &str) {
    check_planned(sql, Planned::ForNulls, for_nulls);
    check_planned(sql, Planned::ForAny, for_any);
}

#[track_caller]
fn check_planned(sql: &str, planned: Planned, expected: &str) {
    check_in(TABLES, sql, planned, expected);
}

#[track_caller]
pub(super) fn check_in(tables: &str, sql: &str, planned: Planned, expected: &str) {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(tables, "tables.sql");
    let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
    let found = describe_planned(&query, &replay.schema, Dialect::Postgres, planned).columns;
    let letter = |column: &crate::types::Column| match column.nullable {
        _ if !column.nullable_certain => '?',
        Some(true) => 'y',
        _ => 'n',
    };
    assert_eq!(found.iter().map(letter).collect::<String>(), expected, "{sql}");
}

#[test]
fn a_condition_may_demand_the_row_that_an_outer_join_leaves_out() {
    let join = "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    check(&format!("{join} WHERE item.id = 3 OR item.kind = 4"), "nn");
    check(&format!("{join} WHERE item.kind + 1 > 4"), "nn");
    // The catalog says which functions return NULL for NULL.
    check(&format!("{join} WHERE abs(item.kind) = 4"), "nn");
    check(&format!("{join} WHERE date_part('year', to_timestamp(item.kind)) = 4"), "nn");
    // What another function returns is not known.
    check(&format!("{join} WHERE unknown(item.kind) = 4"), "??");
    // The planner may join what a condition reads.
    check(&format!("{join} WHERE EXISTS (SELECT 1 FROM item i WHERE i.shop = shop.id)"), "??");
}

#[test]
fn a_condition_that_constants_replace_still_links_relations() {
    let tables = "CREATE TABLE grp (gid uuid, pid uuid, acv uuid, PRIMARY KEY (gid, pid)); \
        CREATE TABLE p (id uuid PRIMARY KEY); CREATE TABLE cv (id uuid PRIMARY KEY, version int NOT NULL);";
    let join = "SELECT g.pid, cv.version FROM grp g JOIN p ON p.id = g.pid LEFT JOIN cv ON cv.id = g.acv";
    for rest in ["WHERE g.pid = $1", "WHERE g.pid = $1 AND (g.acv IS NULL OR cv.id IS NOT NULL)"] {
        check_in(tables, &format!("{join} {rest}"), Planned::ForAny, "n?");
    }
}

#[test]
fn a_condition_inside_of_an_outer_join_counts_once() {
    let tables = "CREATE TABLE p (id uuid PRIMARY KEY, nm text NOT NULL); \
        CREATE TABLE grp (gid uuid, pid uuid NOT NULL, acv uuid, PRIMARY KEY (gid, pid)); \
        CREATE TABLE cv (id uuid PRIMARY KEY, version int NOT NULL); \
        CREATE TABLE d (id bigserial PRIMARY KEY, cvid uuid NOT NULL REFERENCES cv, v int NOT NULL, UNIQUE (cvid, v));";
    let sql = "SELECT p.nm, g.pid, cv.version, d.v FROM cv LEFT JOIN (p JOIN grp g ON g.pid = p.id) ON g.acv = cv.id \
        LEFT JOIN d ON d.cvid = cv.id";
    check_in(tables, sql, Planned::ForAny, "nnyy");
}

#[test]
fn what_is_denied_is_read_as_what_holds() {
    let join = "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    for rest in ["NOT (item.id IS NULL)", "NOT (item.id IS NULL OR item.kind = 3)"] {
        check(&format!("{join} WHERE {rest}"), "nn");
    }
    // A column that equals two constants: they are compared before anything is read.
    check(&format!("{join} WHERE shop.name = 'a' AND shop.name = $1"), "??");
    check(&format!("{join} WHERE NOT (shop.name <> $1)"), "??");
}

#[test]
fn a_merge_tells_the_rows_of_its_inner_side_by_equalities_alone() {
    let tables = "CREATE TABLE grp (gid uuid, pid uuid NOT NULL, PRIMARY KEY (gid, pid)); \
        CREATE TABLE cv (id uuid PRIMARY KEY, version int NOT NULL, gg uuid);";
    let sql = "SELECT grp.pid, cv.version FROM grp RIGHT JOIN cv ON cv.gg = grp.gid AND cv.version = 5";
    check_in(tables, sql, Planned::ForAny, "yn");
}

#[test]
fn the_same_equality_in_on_and_where_is_one() {
    let tables = "CREATE TABLE grp (gid uuid, pid uuid NOT NULL, acv uuid, PRIMARY KEY (gid, pid)); \
        CREATE TABLE cv (id uuid PRIMARY KEY, version int NOT NULL, gg uuid); \
        CREATE TABLE d (id bigserial PRIMARY KEY, cvid uuid NOT NULL REFERENCES cv, v int NOT NULL, UNIQUE (cvid, v));";
    let sql = "SELECT g.pid, cv.version, d.v FROM grp g LEFT JOIN cv ON cv.gg = g.gid LEFT JOIN d ON d.cvid = g.acv \
        WHERE cv.gg = g.gid";
    check_in(tables, sql, Planned::ForAny, "???");
}

#[test]
fn parameters_are_null_or_anything() {
    let join = "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    for (rest, for_nulls, for_any) in [
        // Without rows there is no join to read, and above one there is nothing to read either.
        ("WHERE shop.id = $1", "nn", "ny"),
        ("WHERE shop.name = $1 AND shop.id > 3", "nn", "yn"),
        ("WHERE $1", "nn", "nn"),
        ("LIMIT $1", "yn", "nn"),
        ("OFFSET 0", "yn", "yn"),
        ("LIMIT 3", "nn", "nn"),
    ] {
        check_both(&format!("{join} {rest}"), for_nulls, for_any);
    }
}

#[test]
fn a_limit_that_only_the_server_evaluates_is_uncertain() {
    let join = "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    for (rest, for_nulls, for_any) in [
        ("LIMIT NULL::bigint OFFSET '0'", "yn", "yn"),
        ("OFFSET 0::bigint", "yn", "yn"),
        ("LIMIT '3'::bigint", "nn", "nn"),
        ("LIMIT (SELECT 3)", "nn", "nn"),
        ("LIMIT 0", "nn", "nn"),
        ("OFFSET $1::bigint", "yn", "nn"),
        ("OFFSET (1 - 1)", "?n", "?n"),
        ("OFFSET 0.3", "?n", "?n"),
        ("LIMIT $1 OFFSET COALESCE($2, 0)", "?n", "nn"),
        ("OFFSET GREATEST($1, 0)", "?n", "?n"),
        ("LIMIT NULLIF($1, 3)", "yn", "?n"),
        ("LIMIT CASE WHEN $1 THEN 3 END", "yn", "?n"),
        ("LIMIT abs($1)", "yn", "?n"),
    ] {
        check_both(&format!("{join} {rest}"), for_nulls, for_any);
    }
}

#[test]
fn a_subquery_may_be_unlimited() {
    let join = "SELECT shop.id, item.id AS iid FROM shop LEFT JOIN item ON item.shop = shop.id";
    for (outer, limit, for_nulls, for_any) in [
        ("SELECT q.id, q.iid", "LIMIT $1", "yn", "nn"),
        ("SELECT *", "OFFSET 0", "yn", "yn"),
        ("SELECT q.id, q.iid", "LIMIT 3", "nn", "nn"),
        ("SELECT q.id, q.iid", "LIMIT NULLIF($1, 3)", "yn", "?n"),
        // The scan of the subquery stays in the plan.
        ("SELECT q.iid, q.id", "LIMIT $1", "n?", "nn"),
    ] {
        let sqls = [
            format!("{outer} FROM ({join} {limit}) q"),
            format!("WITH q AS ({join} {limit}) {outer} FROM q"),
            format!("SELECT * FROM ({outer} FROM ({join} {limit}) q) r"),
        ];
        for sql in &sqls {
            check_both(sql, for_nulls, for_any);
        }
    }
    let same = "SELECT * FROM (SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    check_planned(&format!("{same} LIMIT $1) q"), Planned::ForNulls, "??");
}

#[test]
fn an_arm_that_never_holds_falls_away() {
    let join = "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    for (rest, for_nulls) in [
        ("$1::int = 5 OR shop.id = 4", "ny"),
        ("item.kind = $1 OR shop.name > 'a'", "yn"),
        ("(shop.id = 4 AND shop.name > 'a') OR $1::int = 5", "ny"),
        ("$1::int = 5 OR shop.id = 4 OR shop.name = 'a'", "??"),
        ("$1::int = 5 OR item.id IS NULL", "??"),
    ] {
        check_planned(&format!("{join} WHERE {rest}"), Planned::ForNulls, for_nulls);
    }
    check(
        "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id WHERE FALSE OR shop.id = 4",
        "ny",
    );
}

#[test]
fn elements_that_are_null_equal_nothing() {
    let join = "SELECT shop.id, item.id FROM shop LEFT JOIN item ON item.shop = shop.id";
    for rest in [
        "WHERE shop.id IN ($1, $2, $3)",
        "WHERE shop.id NOT IN ($1, $2)",
        "WHERE shop.id = ANY(ARRAY[$1, $2]::bigint[])",
        "WHERE shop.name IS NOT DISTINCT FROM $1",
        "WHERE shop.name IN ('a', $1)",
        "WHERE shop.name IS DISTINCT FROM $1",
    ] {
        check_both(&format!("{join} {rest}"), "yn", "yn");
    }
}

#[test]
fn an_expression_has_no_statistics_and_no_index() {
    for (sql, expected) in [
        ("shop LEFT JOIN item ON item.kind + 1 = shop.id", "yn"),
        ("item LEFT JOIN shop ON COALESCE(item.shop, 0) = shop.id", "yn"),
        // A cast that only names the type changes nothing.
        ("shop LEFT JOIN item ON item.shop::bigint = shop.id::int8", "yn"),
    ] {
        check(&format!("SELECT shop.id, item.id FROM {sql}"), expected);
    }
}

#[test]
fn a_limited_query_has_as_many_rows_as_its_limit() {
    for (inner, for_nulls, for_any) in [
        ("SELECT * FROM item ORDER BY id LIMIT 20", "yn", "yn"),
        ("SELECT * FROM item LIMIT 20", "yn", "yn"),
        ("SELECT * FROM item LIMIT 1", "ny", "ny"),
        ("SELECT * FROM item LIMIT 1000", "ny", "ny"),
        ("SELECT * FROM item ORDER BY kind LIMIT 20 OFFSET 10", "yn", "yn"),
        ("SELECT * FROM item ORDER BY kind LIMIT $1", "ny", "yn"),
    ] {
        let sql = format!("SELECT x.id, shop.id FROM ({inner}) x LEFT JOIN shop ON shop.id = x.shop");
        check_both(&sql, for_nulls, for_any);
    }
    let page = "WITH x AS (SELECT * FROM item ORDER BY id LIMIT 20)";
    check(
        &format!("{page} SELECT x.id, shop.id FROM x LEFT JOIN shop ON shop.id = x.shop ORDER BY x.id"),
        "nn",
    );
    let deleted = "SELECT u.id, shop.name FROM u LEFT JOIN shop ON shop.id = u.shop";
    check(&format!("WITH u AS (DELETE FROM item WHERE kind = 5 RETURNING *) {deleted}"), "yn");
    check(&format!("WITH u AS (DELETE FROM item WHERE id = 5 RETURNING *) {deleted}"), "ny");
}

#[test]
fn what_is_computed_below_a_join_is_marked_if_both_write_it_alike() {
    for (inner, expected) in [
        ("SELECT shop, CASE WHEN kind > 1 THEN 1 ELSE 0 END AS e FROM item", "nn"),
        ("SELECT shop, COALESCE(kind, 1) AS e FROM item", "nn"),
    ] {
        let join = format!("SELECT g.e, shop.id FROM shop LEFT JOIN ({inner}) g ON g.shop = shop.id");
        // The shops are hashed, and the other side is the outer one.
        check(&join, "ny");
        check(&format!("{join} WHERE shop.id = 5"), expected);
    }
    let hashed = "SELECT g.e, item.id FROM item LEFT JOIN (SELECT id";
    let on = "FROM shop) g ON g.id = item.shop";
    for (computed, expected) in [
        (", CASE WHEN name > 'a' THEN 1 ELSE 0 END AS e", "yn"),
        (", COALESCE(name, 'a') AS e", "yn"),
        (", now() AS e", "yn"),
        (", 1 AS e", "yn"),
        (", upper(name) AS e", "nn"),
        (", id + 1 AS e", "nn"),
    ] {
        check(&format!("{hashed}{computed} {on}"), expected);
    }
    let grouped = "(SELECT shop, count(*) AS e FROM item GROUP BY shop)";
    check(&format!("SELECT g.e FROM shop LEFT JOIN {grouped} g ON g.shop = shop.id WHERE shop.id = 5"), "n");
    let grouped = "(SELECT id, count(*) AS e FROM shop GROUP BY id)";
    check(&format!("SELECT g.e, item.id FROM item LEFT JOIN {grouped} g ON g.id = item.shop"), "yn");
}

#[test]
fn many_joins_end_at_a_limit() {
    for joined in [8, 9, 40] {
        let columns: String = (1..joined).map(|at| format!(", t{at}.id")).collect();
        let joins: String =
            (1..joined).map(|at| format!(" LEFT JOIN item t{at} ON t{at}.shop = shop.id")).collect();
        check(&format!("SELECT shop.id{columns} FROM shop{joins}"), &"?".repeat(joined));
    }
}

/// With NULL for its parameter, a condition of a subquery empties what it is about; that of an outer join, one side.
#[test]
fn conditions_that_never_hold_leave_relations_unread() {
    let of = |sql: &str, nulls: &str| check_planned(sql, Planned::ForNulls, nulls);
    of(
        "SELECT s.id, i.id FROM (SELECT id FROM shop WHERE name > $1) s LEFT JOIN item i ON i.shop = s.id",
        "nn",
    );
    of(
        "WITH s AS (SELECT * FROM shop WHERE id = $1) SELECT s.id, i.id FROM s LEFT JOIN item i ON i.shop = s.id",
        "nn",
    );
    of(
        "SELECT s.id, i.id FROM shop s LEFT JOIN (SELECT * FROM item WHERE kind > $1) i ON i.shop = s.id",
        "ny",
    );
    of("SELECT s.id, i.id FROM shop s LEFT JOIN item i ON i.shop = s.id AND i.kind = $1", "ny");
    of("SELECT s.id, i.id FROM item i RIGHT JOIN shop s ON $1 WHERE s.name = 'x'", "ny");
    // The plan names columns that it does not read without their tables.
    of(
        "SELECT s.id, i.kind, j.kind AS other FROM shop s LEFT JOIN item i ON i.kind = $1 \
         LEFT JOIN item j ON j.kind = $2",
        "nyn",
    );
}

#[test]
fn lateral_queries_without_a_step_of_their_own_are_joined_by_their_conditions() {
    check(
        "SELECT s.id, i.id FROM shop s LEFT JOIN LATERAL (SELECT id FROM item WHERE shop = s.id) i ON true",
        "??",
    );
}

#[test]
fn functions_over_constants_return_as_many_rows_as_are_written() {
    let columns: String = ('a'..='g').map(|name| format!(", {name} text NOT NULL")).collect();
    let tables = format!("CREATE TABLE wide (id int PRIMARY KEY{columns});");
    for (rows, expected) in [
        ("unnest(ARRAY[1, 2])", "ny"),
        ("generate_series(1, 10)", "yn"),
        ("generate_series(1, 20, 2)", "yn"),
        ("generate_series(3, 1)", "ny"),
    ] {
        let sql = format!("SELECT v.x, wide.a FROM {rows} v(x) LEFT JOIN wide ON wide.id = v.x");
        check_in(&tables, &sql, Planned::ForAny, expected);
    }
}
