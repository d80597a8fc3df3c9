//! SQLite converts one side of a comparison to the kind of the other. The verdicts are those of SQLite 3.40.

use super::{Dialect, Served, Unserved, accesses, check, resolve};
use crate::index::Verdict;
use crate::index::tests::schema;

const TABLES: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b TEXT, c, d REAL);
    CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b); CREATE INDEX t_c ON t (c); CREATE INDEX t_d ON t (d);
    CREATE TABLE x (id INTEGER PRIMARY KEY, b TEXT, n INT, j TEXT);
    CREATE INDEX x_bi ON x (CAST(b AS INT)); CREATE INDEX x_nt ON x (CAST(n AS TEXT));
    CREATE INDEX x_l ON x (lower(b)); CREATE INDEX x_p ON x (n + 1); CREATE INDEX x_j ON x (j ->> '$.k');
    CREATE TABLE o (id INTEGER PRIMARY KEY, n INT, s TEXT, r REAL, z);";

/// Checks the verdict of the second table of a join, the first row of which is given.
#[track_caller]
fn joined(table: &str, condition: &str, expect: Verdict) {
    let schema = schema(Dialect::Sqlite, TABLES);
    let sql = format!("SELECT {table}.id FROM o JOIN {table} ON {condition} WHERE o.id = 1");
    let query = resolve(&sql, Dialect::Sqlite, Some(&schema)).expect("it parses");
    let found = accesses(&query, &schema).into_iter().find(|access| access.alias == table);
    let served = found.is_some_and(|access| access.verdict == Served);
    assert_eq!(served, expect == Served, "{condition}");
}

#[track_caller]
fn alone(table: &str, condition: &str, expect: Verdict) {
    check(Dialect::Sqlite, TABLES, &format!("SELECT id FROM {table} WHERE {condition}"), &[expect]);
}

#[test]
fn columns_are_converted_by_the_other_side() {
    for served in [
        "t.a = o.s",
        "t.b = o.z",
        "t.c = o.s",
        "t.d = o.s",
        "t.b = -o.n",
        "t.b = o.n + 1",
        "t.b IN (o.n, o.z)",
    ] {
        joined("t", served, Served);
    }
    for unserved in
        ["t.b = o.n", "t.c = o.n", "t.b IS o.n", "t.b > o.n", "t.b = o.rowid", "t.b = CAST(o.s AS INT)"]
    {
        joined("t", unserved, Unserved);
    }
    alone("t", "b IN (CAST(? AS INT), 3)", Served);
    for (query, expect) in [
        ("SELECT n FROM o", Unserved),
        ("SELECT n + 0 FROM o", Served),
        ("SELECT s FROM o UNION SELECT n FROM o", Unserved),
        ("SELECT n FROM o UNION SELECT s FROM o", Served),
        ("SELECT value FROM json_each(?)", Served),
    ] {
        let schema = schema(Dialect::Sqlite, TABLES);
        let sql = format!("SELECT id FROM t WHERE b IN ({query})");
        let query = resolve(&sql, Dialect::Sqlite, Some(&schema)).expect("it parses");
        let found = accesses(&query, &schema).into_iter().find(|access| access.alias == "t");
        assert_eq!(found.map(|access| access.verdict), Some(expect), "{sql}");
    }
}

#[test]
fn what_an_index_computes_is_converted_as_well() {
    for served in [
        "CAST(x.b AS INT) = o.s",
        "CAST(x.n AS TEXT) = o.z",
        "lower(x.b) = lower(o.s)",
        "x.n + 1 = o.z",
        "x.n + 1 = +o.n",
    ] {
        joined("x", served, Served);
    }
    for unserved in [
        "CAST(x.n AS TEXT) = o.n",
        "lower(x.b) = o.s",
        "x.n + 1 = o.n",
        "x.n + 1 = o.r",
        "x.j ->> '$.k' = o.s",
    ] {
        joined("x", unserved, Unserved);
    }
    alone("x", "n + 1 = '5'", Served);
    alone("x", "n + 1 = CAST(? AS INT)", Unserved);
    alone("x", "n + 1 IN (CAST(? AS INT), 2)", Served);
    alone("x", "n + 1 BETWEEN CAST(? AS INT) AND 5", Served);
}

#[test]
fn a_cast_is_found_as_it_is_written() {
    alone("x", "CAST(b AS INT) = ?", Served);
    alone("x", "CAST(b AS INT) > ?", Served);
    alone("x", "CAST(b AS INTEGER) = ?", Unserved);
    alone("x", "CAST(n AS VARCHAR) = ?", Unserved);
    alone("t", "CAST(a AS INT) = ?", Unserved);
}
