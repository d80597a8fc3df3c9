//! Patterns that parameters begin: PostgreSQL makes plans for their values, and keeps to those where they are far cheaper than
//! a plan for any value. Verified on PostgreSQL 15 with 20,000 rows, after ten executions.

use super::{Postgres, Served, Unknown, Unserved, check};

const TABLES: &str = "
    CREATE TABLE t (id int PRIMARY KEY, path text NOT NULL, name text, owner int);
    CREATE INDEX t_path ON t (path text_pattern_ops); CREATE INDEX t_name ON t (name);
    CREATE INDEX t_owner_path ON t (owner, name text_pattern_ops);
    CREATE TABLE g (id int PRIMARY KEY, path text COLLATE \"C\" NOT NULL); CREATE INDEX g_path ON g (path);";

#[test]
fn whether_an_index_is_searched_depends_on_the_value() {
    for condition in [
        "path LIKE $1",
        "path LIKE $1 || '%'",
        "path = $1 OR path LIKE $2",
        "path = $1 OR path LIKE $1 || '/%'",
        "path LIKE replace($1, '_', '\\_') || '%'",
        "path LIKE lower($1)",
        "path ~ $1",
        "path SIMILAR TO $1",
        "path ^@ $1",
        "starts_with(path, $1)",
        // As soon as its value is known, but no plan for any value searches by the text before it.
        "path LIKE 'a' || $1",
    ] {
        for table in ["t", "g"] {
            check(Postgres, TABLES, &format!("SELECT id FROM {table} WHERE {condition}"), &[Unknown]);
        }
    }
    check(Postgres, TABLES, "SELECT id FROM t WHERE path LIKE $1 AND id = $2", &[Served]);
}

#[test]
fn other_patterns_are_never_searched_for() {
    for condition in [
        "path LIKE '%' || $1",
        "path LIKE concat($1::text, '%')",
        "path ILIKE $1",
        "path NOT LIKE $1",
        "path LIKE ANY ($1)",
        "name LIKE $1",
        "path LIKE $1 OR owner + 1 = $2",
        "path LIKE name || '%'",
        "path LIKE 'a' || name",
        "path LIKE $1 || now()",
    ] {
        check(Postgres, TABLES, &format!("SELECT id FROM t WHERE {condition}"), &[Unserved]);
    }
}

#[test]
fn the_server_of_a_foreign_table_finds_its_rows() {
    let ddl = "CREATE FOREIGN TABLE f (id int, name text) SERVER s; CREATE TABLE t (id int PRIMARY KEY, name text);
        CREATE TABLE p (k int, name text) PARTITION BY LIST (k); CREATE TABLE a PARTITION OF p FOR VALUES IN (1);
        CREATE FOREIGN TABLE b PARTITION OF p FOR VALUES IN (2) SERVER s; CREATE INDEX ON a (name);";
    check(Postgres, ddl, "SELECT id FROM f WHERE name = $1", &[Unknown]);
    check(Postgres, ddl, "SELECT f.id FROM f JOIN t ON t.id = f.id WHERE f.name = $1", &[Unknown, Served]);
    check(Postgres, ddl, "SELECT k FROM p WHERE name = $1", &[Served]);
    check(Postgres, ddl, "SELECT k FROM b WHERE name = $1", &[Unknown]);
}
