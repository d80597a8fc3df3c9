//! Schemas that have many of something.

use super::{File, each, project, querying};

pub(super) fn foreign_keys(n: usize) -> Vec<File> {
    let table = |i: usize| {
        let columns = each(n, ", ", |j| format!("c{j} bigint"));
        format!("CREATE TABLE t{i} (id bigint PRIMARY KEY, {columns});\n")
    };
    let keys = |i: usize| {
        each(n, "", |j| {
            format!("ALTER TABLE t{i} ADD FOREIGN KEY (c{j}) REFERENCES t{j} (id) ON DELETE CASCADE;\n")
        })
    };
    let delete = |i: usize| querying(&format!("f{i}"), &format!("DELETE FROM t{i} WHERE id = $1"));
    project(&(each(n, "", table) + &each(n, "", keys)), &each(n, "", delete))
}

/// How many columns a table has, where there are many: PostgreSQL refuses more than 1,600.
const WIDTH: usize = 1_000;

/// Tables `t0`, `t1`, .. with columns `c0`, `c1`, .. of which each has its share.
fn wide(n: usize) -> String {
    each(n.div_ceil(WIDTH), "", |at| {
        let columns = (at * WIDTH..n.min((at + 1) * WIDTH)).map(|i| format!("c{i} int"));
        format!("CREATE TABLE t{at} (id bigint PRIMARY KEY, {});\n", columns.collect::<Vec<_>>().join(", "))
    })
}

pub(super) fn advice(n: usize) -> Vec<File> {
    let query =
        |i: usize| querying(&format!("f{i}"), &format!("SELECT id FROM t{} WHERE c{i} = $1", i / WIDTH));
    project(&wide(n), &each(n, "", query))
}

pub(super) fn partitions(n: usize) -> Vec<File> {
    let part = |i: usize| format!("CREATE TABLE p{i} PARTITION OF p FOR VALUES FROM ({i}) TO ({});\n", i + 1);
    let query = |i: usize| querying(&format!("f{i}"), "SELECT a FROM p WHERE a = $1");
    let parent = "CREATE TABLE p (id bigint, a int) PARTITION BY RANGE (id);\n".to_owned();
    project(&(parent + &each(n, "", part)), &each(n, "", query))
}

pub(super) fn views(n: usize) -> Vec<File> {
    let view = |i: usize| format!("CREATE VIEW v{} AS SELECT id, a FROM v{i} WHERE a > {i};\n", i + 1);
    let first =
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);\nCREATE VIEW v0 AS SELECT id, a FROM t;\n".to_owned();
    project(&(first + &each(n, "", view)), &querying("all", &format!("SELECT a FROM v{n} WHERE id = $1")))
}

pub(super) fn views_twice(n: usize) -> Vec<File> {
    let view = |i: usize| {
        format!("CREATE VIEW v{} AS SELECT x.id, y.a FROM v{i} x JOIN v{i} y ON x.id = y.id;\n", i + 1)
    };
    let first =
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);\nCREATE VIEW v0 AS SELECT id, a FROM t;\n".to_owned();
    project(&(first + &each(n, "", view)), &querying("all", &format!("SELECT a FROM v{n} WHERE id = $1")))
}

pub(super) fn tables(n: usize) -> Vec<File> {
    let table = |i: usize| format!("CREATE TABLE t{i} (id bigint PRIMARY KEY, a int, b text);\n");
    let query = |i: usize| querying(&format!("f{i}"), &format!("SELECT b FROM t{i} WHERE a = $1"));
    project(&each(n, "", table), &each(n, "", query))
}

pub(super) fn references(n: usize) -> Vec<File> {
    let table =
        |i: usize| format!("CREATE TABLE t{i} (id bigint PRIMARY KEY, o bigint REFERENCES o (id));\n");
    let query = |i: usize| querying(&format!("f{i}"), &format!("DELETE FROM o WHERE id = {i}"));
    project(
        &("CREATE TABLE o (id bigint PRIMARY KEY);\n".to_owned() + &each(n, "", table)),
        &each(n, "", query),
    )
}

pub(super) fn migrations(n: usize) -> Vec<File> {
    let mut files = project(
        "CREATE TABLE t (id bigint PRIMARY KEY);",
        &querying("all", "SELECT id FROM t WHERE id = $1"),
    );
    files.extend((2..n + 2).map(|i| {
        let sql =
            format!("CREATE TABLE t{i} (id bigint PRIMARY KEY, a int);\nCREATE INDEX i{i} ON t{i} (a);\n");
        (format!("migrations/{i:05}_more.sql"), sql)
    }));
    files
}

pub(super) fn renames(n: usize) -> Vec<File> {
    let rename = |i: usize| {
        format!(
            "ALTER TABLE t{i} RENAME TO t{};\nALTER TABLE t{} RENAME COLUMN a TO b;\nALTER TABLE t{} RENAME b TO a;\n",
            i + 1,
            i + 1,
            i + 1
        )
    };
    let others =
        |i: usize| format!("CREATE TABLE o{i} (id bigint PRIMARY KEY, t bigint REFERENCES t0 (id));\n");
    let first = "CREATE TABLE t0 (id bigint PRIMARY KEY, a int);\n".to_owned() + &each(20, "", others);
    project(&(first + &each(n, "", rename)), &querying("all", &format!("SELECT a FROM t{n}")))
}

pub(super) fn savepoints(n: usize) -> Vec<File> {
    let save = |i: usize| format!("SAVEPOINT s{i};\nCREATE TABLE t{i} (id bigint PRIMARY KEY, a int);\n");
    project(
        &format!("BEGIN;\n{}ROLLBACK TO s5;\nCOMMIT;\n", each(n, "", save)),
        &querying("all", "SELECT a FROM t1 WHERE id = 1"),
    )
}

pub(super) fn columns(n: usize) -> Vec<File> {
    let declared = each(n, ", ", |i| format!("c{i} int"));
    let named = each(n, ", ", |i| format!("c{i}"));
    let values = each(n, ", ", |i| format!("${}", i + 1));
    let sets = each(n, ", ", |i| format!("c{i} = ${}", i + 1));
    let source = querying("a", &format!("SELECT {named} FROM t WHERE id = 1"))
        + &querying("b", &format!("INSERT INTO t ({named}) VALUES ({values})"))
        + &querying("c", &format!("UPDATE t SET {sets} WHERE id = 1"))
        + &querying("d", "SELECT * FROM t");
    project(&format!("CREATE TABLE t (id bigint PRIMARY KEY, {declared});"), &source)
}

pub(super) fn added_columns(n: usize) -> Vec<File> {
    let add = |i: usize| format!("ALTER TABLE t ADD COLUMN c{i} int NOT NULL DEFAULT 0;\n");
    let view = "CREATE VIEW v AS SELECT * FROM t;\n".to_owned();
    project(
        &("CREATE TABLE t (id bigint PRIMARY KEY);\n".to_owned() + &view + &each(n, "", add)),
        &querying("all", "SELECT id FROM t"),
    )
}

pub(super) fn indexes(n: usize) -> Vec<File> {
    let index = |i: usize| format!("CREATE INDEX i{i} ON t{} (c{i}, id);\n", i / WIDTH);
    let query = |i: usize| {
        let sql = format!("SELECT id FROM t{} WHERE c{i} = $1 ORDER BY id", i / WIDTH);
        querying(&format!("f{i}"), &sql)
    };
    project(&(wide(n) + &each(n, "", index)), &each(n, "", query))
}

pub(super) fn enums(n: usize) -> Vec<File> {
    let add = |i: usize| format!("ALTER TYPE e ADD VALUE 'v{i}';\n");
    let first = "CREATE TYPE e AS ENUM ('a');\nCREATE TABLE t (id bigint PRIMARY KEY, e e);\n".to_owned();
    let query =
        |i: usize| querying(&format!("f{i}"), &format!("SELECT id FROM t WHERE e = 'v{i}' AND id = 1"));
    project(&(first + &each(n, "", add)), &each(n, "", query))
}

pub(super) fn types(n: usize) -> Vec<File> {
    let make = |i: usize| {
        format!(
            "CREATE DOMAIN d{} AS d{i};\nCREATE TYPE c{i} AS (a d{i}, b int);\nCREATE TYPE e{i} AS ENUM ('a');\n",
            i + 1
        )
    };
    let table = format!("CREATE TABLE t (id bigint PRIMARY KEY, d d{n});\n");
    let first = "CREATE DOMAIN d0 AS int;\n".to_owned();
    project(&(first + &each(n, "", make) + &table), &querying("all", "SELECT d FROM t WHERE id = 1"))
}

pub(super) fn routines(n: usize) -> Vec<File> {
    let make = |i: usize| {
        format!(
            "CREATE FUNCTION f{i}(x int) RETURNS int LANGUAGE sql AS 'SELECT x + {i}';\n\
             DO $$ BEGIN FOR i IN 1 .. 3 LOOP EXECUTE format('CREATE TABLE %I (id int)', 't{i}_' || i); END LOOP; END $$;\n"
        )
    };
    let query = |i: usize| querying(&format!("f{i}"), &format!("SELECT f{i}(id) FROM t{i}_1"));
    project(&each(n, "", make), &each(n, "", query))
}
