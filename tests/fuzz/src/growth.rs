//! Workspaces of any size: each contains many of one kind of thing. The cost of reading them has to grow in
//! proportion.

use std::fmt::Write;

/// A file of a workspace: its path, and its text.
pub type File = (String, String);

/// A kind of thing that a workspace can contain many of.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The number from which to measure: from here on the thing itself takes the time, rather than the fixed
    /// cost of a run.
    pub start: usize,
    /// The workspace with this many of it.
    pub files: fn(usize) -> Vec<File>,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind { name: "foreign_keys", start: 12, files: foreign_keys },
    Kind { name: "advice", start: 400, files: advice },
    Kind { name: "partitions", start: 200, files: partitions },
    Kind { name: "views", start: 100, files: views },
    Kind { name: "views_twice", start: 20, files: views_twice },
    Kind { name: "tables", start: 1_000, files: tables },
    Kind { name: "references", start: 500, files: references },
    Kind { name: "migrations", start: 400, files: migrations },
    Kind { name: "renames", start: 400, files: renames },
    Kind { name: "savepoints", start: 100, files: savepoints },
    Kind { name: "columns", start: 400, files: columns },
    Kind { name: "added_columns", start: 400, files: added_columns },
    Kind { name: "indexes", start: 200, files: indexes },
    Kind { name: "enums", start: 500, files: enums },
    Kind { name: "types", start: 300, files: types },
    Kind { name: "routines", start: 300, files: routines },
    Kind { name: "subqueries", start: 100, files: subqueries },
    Kind { name: "same_text", start: 1_000, files: same_text },
    Kind { name: "one_function", start: 500, files: one_function },
    Kind { name: "one_line", start: 500, files: one_line },
    Kind { name: "calls", start: 500, files: calls },
    Kind { name: "callers", start: 500, files: callers },
    Kind { name: "methods", start: 200, files: methods },
    Kind { name: "aliases", start: 800, files: aliases },
    Kind { name: "aliases_twice", start: 80, files: aliases_twice },
    Kind { name: "fields", start: 300, files: fields },
    Kind { name: "globs", start: 20, files: globs },
    Kind { name: "modules", start: 300, files: modules },
    Kind { name: "crates", start: 50, files: crates },
    Kind { name: "branches", start: 300, files: branches },
    Kind { name: "joins", start: 50, files: joins },
    Kind { name: "sums", start: 300, files: sums },
    Kind { name: "conditions", start: 200, files: conditions },
    Kind { name: "alternatives", start: 200, files: alternatives },
    Kind { name: "unions", start: 100, files: unions },
    Kind { name: "lists", start: 1_000, files: lists },
    Kind { name: "rows", start: 500, files: rows },
    Kind { name: "with", start: 100, files: with },
    Kind { name: "with_twice", start: 20, files: with_twice },
    Kind { name: "nested_calls", start: 100, files: nested_calls },
    Kind { name: "nested_queries", start: 40, files: nested_queries },
    Kind { name: "cases", start: 200, files: cases },
    Kind { name: "groups", start: 200, files: groups },
    Kind { name: "entries", start: 400, files: entries },
    Kind { name: "allows", start: 500, files: allows },
    Kind { name: "one_file_of_sql", start: 500, files: one_file_of_sql },
];

/// The text of `many` parts, each generated from its number, with `between` as separator.
fn each(many: usize, between: &str, part: impl Fn(usize) -> String) -> String {
    (0..many).map(part).collect::<Vec<_>>().join(between)
}

/// A workspace of one crate.
fn project(schema: &str, source: &str) -> Vec<File> {
    vec![
        ("Cargo.toml".to_owned(), manifest("grown")),
        ("query-budget.toml".to_owned(), "dialect = \"postgres\"\nmigrations = \"migrations\"\n".to_owned()),
        ("migrations/0001_all.sql".to_owned(), schema.to_owned()),
        ("src/lib.rs".to_owned(), source.to_owned()),
    ]
}

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nsqlx = \"0.8\"\n"
    )
}

/// A function that makes one query.
fn querying(name: &str, sql: &str) -> String {
    format!(
        "pub async fn {name}(db: &sqlx::PgPool) {{\n    sqlx::query(r#\"{sql}\"#).fetch_all(db).await;\n}}\n"
    )
}

/// A workspace with this single query.
fn one_query(sql: &str) -> Vec<File> {
    let tables = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);\n\
        CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint REFERENCES t (id), c text);\n";
    project(tables, &querying("all", sql))
}

fn foreign_keys(n: usize) -> Vec<File> {
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

fn advice(n: usize) -> Vec<File> {
    let columns = each(n, ", ", |i| format!("c{i} int"));
    let query = |i: usize| querying(&format!("f{i}"), &format!("SELECT c0 FROM t WHERE c{i} = $1"));
    project(&format!("CREATE TABLE t (id bigint PRIMARY KEY, {columns});"), &each(n, "", query))
}

fn partitions(n: usize) -> Vec<File> {
    let part = |i: usize| format!("CREATE TABLE p{i} PARTITION OF p FOR VALUES FROM ({i}) TO ({});\n", i + 1);
    let query = |i: usize| querying(&format!("f{i}"), "SELECT a FROM p WHERE a = $1");
    let parent = "CREATE TABLE p (id bigint, a int) PARTITION BY RANGE (id);\n".to_owned();
    project(&(parent + &each(n, "", part)), &each(n, "", query))
}

fn views(n: usize) -> Vec<File> {
    let view = |i: usize| format!("CREATE VIEW v{} AS SELECT id, a FROM v{i} WHERE a > {i};\n", i + 1);
    let first =
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);\nCREATE VIEW v0 AS SELECT id, a FROM t;\n".to_owned();
    project(&(first + &each(n, "", view)), &querying("all", &format!("SELECT a FROM v{n} WHERE id = $1")))
}

fn views_twice(n: usize) -> Vec<File> {
    let view = |i: usize| {
        format!("CREATE VIEW v{} AS SELECT x.id, y.a FROM v{i} x JOIN v{i} y ON x.id = y.id;\n", i + 1)
    };
    let first =
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);\nCREATE VIEW v0 AS SELECT id, a FROM t;\n".to_owned();
    project(&(first + &each(n, "", view)), &querying("all", &format!("SELECT a FROM v{n} WHERE id = $1")))
}

fn tables(n: usize) -> Vec<File> {
    let table = |i: usize| format!("CREATE TABLE t{i} (id bigint PRIMARY KEY, a int, b text);\n");
    let query = |i: usize| querying(&format!("f{i}"), &format!("SELECT b FROM t{i} WHERE a = $1"));
    project(&each(n, "", table), &each(n, "", query))
}

fn references(n: usize) -> Vec<File> {
    let table =
        |i: usize| format!("CREATE TABLE t{i} (id bigint PRIMARY KEY, o bigint REFERENCES o (id));\n");
    let query = |i: usize| querying(&format!("f{i}"), &format!("DELETE FROM o WHERE id = {i}"));
    project(
        &("CREATE TABLE o (id bigint PRIMARY KEY);\n".to_owned() + &each(n, "", table)),
        &each(n, "", query),
    )
}

fn migrations(n: usize) -> Vec<File> {
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

fn renames(n: usize) -> Vec<File> {
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

fn savepoints(n: usize) -> Vec<File> {
    let save = |i: usize| format!("SAVEPOINT s{i};\nCREATE TABLE t{i} (id bigint PRIMARY KEY, a int);\n");
    project(
        &format!("BEGIN;\n{}ROLLBACK TO s5;\nCOMMIT;\n", each(n, "", save)),
        &querying("all", "SELECT a FROM t1 WHERE id = 1"),
    )
}

fn columns(n: usize) -> Vec<File> {
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

fn added_columns(n: usize) -> Vec<File> {
    let add = |i: usize| format!("ALTER TABLE t ADD COLUMN c{i} int NOT NULL DEFAULT 0;\n");
    let view = "CREATE VIEW v AS SELECT * FROM t;\n".to_owned();
    project(
        &("CREATE TABLE t (id bigint PRIMARY KEY);\n".to_owned() + &view + &each(n, "", add)),
        &querying("all", "SELECT id FROM t"),
    )
}

fn indexes(n: usize) -> Vec<File> {
    let columns = each(n, ", ", |i| format!("c{i} int"));
    let index = |i: usize| format!("CREATE INDEX i{i} ON t (c{i}, c0);\n");
    let query =
        |i: usize| querying(&format!("f{i}"), &format!("SELECT id FROM t WHERE c{i} = $1 ORDER BY c0"));
    project(
        &(format!("CREATE TABLE t (id bigint PRIMARY KEY, {columns});\n") + &each(n, "", index)),
        &each(n, "", query),
    )
}

fn enums(n: usize) -> Vec<File> {
    let add = |i: usize| format!("ALTER TYPE e ADD VALUE 'v{i}';\n");
    let first = "CREATE TYPE e AS ENUM ('a');\nCREATE TABLE t (id bigint PRIMARY KEY, e e);\n".to_owned();
    let query =
        |i: usize| querying(&format!("f{i}"), &format!("SELECT id FROM t WHERE e = 'v{i}' AND id = 1"));
    project(&(first + &each(n, "", add)), &each(n, "", query))
}

fn types(n: usize) -> Vec<File> {
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

fn routines(n: usize) -> Vec<File> {
    let make = |i: usize| {
        format!(
            "CREATE FUNCTION f{i}(x int) RETURNS int LANGUAGE sql AS 'SELECT x + {i}';\n\
             DO $$ BEGIN FOR i IN 1 .. 3 LOOP EXECUTE format('CREATE TABLE %I (id int)', 't{i}_' || i); END LOOP; END $$;\n"
        )
    };
    let query = |i: usize| querying(&format!("f{i}"), &format!("SELECT f{i}(id) FROM t{i}_1"));
    project(&each(n, "", make), &each(n, "", query))
}

fn subqueries(n: usize) -> Vec<File> {
    one_query(&format!(
        "SELECT {} FROM t WHERE id = 1",
        each(n, ", ", |i| format!("(SELECT c FROM u WHERE u.id = {i} AND u.t_id = t.id)"))
    ))
}

fn same_text(n: usize) -> Vec<File> {
    let query = |i: usize| querying(&format!("f{i}"), "SELECT a FROM t WHERE a = $1");
    project("CREATE TABLE t (id bigint PRIMARY KEY, a int);", &each(n, "", query))
}

fn one_function(n: usize) -> Vec<File> {
    let body = each(n, "", |i| {
        format!(
            "    for x in &xs {{ sqlx::query(\"SELECT b FROM t WHERE a = {i}\").bind(x).fetch_all(db).await; }}\n"
        )
    });
    let source = format!("pub async fn all(db: &sqlx::PgPool, xs: Vec<i64>) {{\n{body}}}\n");
    project("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);", &source)
}

fn one_line(n: usize) -> Vec<File> {
    let source =
        each(n, "", |i| querying(&format!("f{i}"), "SELECT a FROM t WHERE a = $1")).replace('\n', " ");
    project("CREATE TABLE t (id bigint PRIMARY KEY, a int);", &source)
}

fn calls(n: usize) -> Vec<File> {
    let call = |i: usize| {
        format!(
            "pub async fn f{i}(db: &sqlx::PgPool, xs: &[i64]) {{\n    for x in xs {{ f{}(db, xs).await; }}\n}}\n",
            i + 1
        )
    };
    project(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
        &(each(n, "", call) + &querying(&format!("f{n}"), "SELECT a FROM t WHERE id = $1")),
    )
}

fn callers(n: usize) -> Vec<File> {
    let call = |i: usize| {
        format!(
            "pub async fn f{i}(db: &sqlx::PgPool, xs: &[i64]) {{\n    for x in xs {{ one(db).await; }}\n}}\n"
        )
    };
    project(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
        &(each(n, "", call) + &querying("one", "SELECT a FROM t WHERE id = $1")),
    )
}

fn methods(n: usize) -> Vec<File> {
    let make = |i: usize| {
        format!(
            "pub struct S{i};\nimpl Get for S{i} {{ async fn get(&self, db: &sqlx::PgPool) {{ sqlx::query(\"SELECT a FROM t WHERE id = $1\").fetch_one(db).await; }} }}\n\
             pub async fn f{i}(db: &sqlx::PgPool, it: &dyn Get, xs: &[i64]) {{ for x in xs {{ it.get(db).await; }} }}\n"
        )
    };
    project(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
        &("pub trait Get { async fn get(&self, db: &sqlx::PgPool); }\n".to_owned() + &each(n, "", make)),
    )
}

fn aliases(n: usize) -> Vec<File> {
    let alias = |i: usize| format!("pub type A{} = A{i};\n", i + 1);
    let source = "pub struct S;\npub type A0 = S;\n".to_owned()
        + &each(n, "", alias)
        + &format!(
            "pub async fn all(it: A{n}, xs: &[i64]) {{ for x in xs {{ it.get().await; }} }}\nimpl S {{ {} }}\n",
            querying("get", "SELECT 1")
        );
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &source)
}

fn aliases_twice(n: usize) -> Vec<File> {
    let alias = |i: usize| format!("pub type A{} = (A{i}, Vec<A{i}>);\n", i + 1);
    let source = "pub struct S;\npub type A0 = S;\n".to_owned()
        + &each(n, "", alias)
        + &format!(
            "pub async fn all(it: A{n}, xs: &[i64]) {{ for x in xs {{ it.0.get().await; }} }}\nimpl S {{ {} }}\n",
            querying("get", "SELECT 1")
        );
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &source)
}

fn fields(n: usize) -> Vec<File> {
    let make = |i: usize| format!("pub struct S{i} {{ next: S{}, db: Db }}\n", i + 1);
    let get = |i: usize| {
        format!("pub async fn f{i}(it: &S{i}, xs: &[i64]) {{ for x in xs {{ it.next.db.get().await; }} }}\n")
    };
    let last = format!(
        "pub struct S{n} {{ next: Box<S0>, db: Db }}\npub struct Db;\nimpl Db {{ {} }}\n",
        querying("get", "SELECT 1")
    );
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &(each(n, "", make) + &each(n, "", get) + &last))
}

fn globs(n: usize) -> Vec<File> {
    let module = |i: usize| {
        let uses = each(n, "", |j| format!("pub use super::m{j}::*; "));
        format!(
            "pub mod m{i} {{ {uses} pub async fn f{i}(xs: &[i64]) {{ for x in xs {{ f{}(xs).await; missing().await; }} }} }}\n",
            (i + 1) % n
        )
    };
    let last = querying("g", "SELECT 1");
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &(each(n, "", module) + &last))
}

fn modules(n: usize) -> Vec<File> {
    let mut files = project(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
        &each(n, "", |i| format!("pub mod m{i};\n")),
    );
    files.extend((0..n).map(|i| {
        let call = format!("pub async fn g(db: &sqlx::PgPool, xs: &[i64]) {{ for x in xs {{ super::m{}::f(db).await; }} }}\n", (i + 1) % n);
        (format!("src/m{i}.rs"), querying("f", "SELECT a FROM t WHERE id = $1") + &call)
    }));
    files
}

fn crates(n: usize) -> Vec<File> {
    let mut files = vec![
        ("Cargo.toml".to_owned(), "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n".to_owned()),
        ("query-budget.toml".to_owned(), "dialect = \"postgres\"\nmigrations = \"migrations\"\n".to_owned()),
        ("migrations/0001_all.sql".to_owned(), "CREATE TABLE t (id bigint PRIMARY KEY, a int);".to_owned()),
    ];
    for i in 0..n {
        files.push((format!("crates/c{i}/Cargo.toml"), manifest(&format!("c{i}"))));
        files.push((format!("crates/c{i}/src/lib.rs"), querying("f", "SELECT a FROM t WHERE a = $1")));
    }
    files
}

fn branches(n: usize) -> Vec<File> {
    let arm = |i: usize| {
        format!(
            "        {i} => if a {{ sqlx::query(\"SELECT 1\").fetch_one(db).await; }} else {{ return; }},\n"
        )
    };
    let source = format!(
        "pub async fn all(db: &sqlx::PgPool, n: i64, a: bool) {{\n    match n {{\n{}        _ => {{}}\n    }}\n}}\n",
        each(n, "", arm)
    );
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &source)
}

fn joins(n: usize) -> Vec<File> {
    one_query(&format!(
        "SELECT t.b FROM t {} WHERE t.id = 1",
        each(n, " ", |i| format!("JOIN u AS u{i} ON u{i}.t_id = t.id"))
    ))
}

fn sums(n: usize) -> Vec<File> {
    one_query(&format!("SELECT b FROM t WHERE a = {}", each(n, " + ", |i| i.to_string())))
}

fn conditions(n: usize) -> Vec<File> {
    one_query(&format!("SELECT b FROM t WHERE {}", each(n, " AND ", |i| format!("a <> {i}"))))
}

fn alternatives(n: usize) -> Vec<File> {
    one_query(&format!("SELECT b FROM t WHERE {}", each(n, " OR ", |i| format!("a = {i} AND b = 'x'"))))
}

fn unions(n: usize) -> Vec<File> {
    one_query(&each(n, " UNION ALL ", |i| format!("SELECT b FROM t WHERE a = {i}")))
}

fn lists(n: usize) -> Vec<File> {
    one_query(&format!("SELECT b FROM t WHERE a IN ({})", each(n, ", ", |i| i.to_string())))
}

fn rows(n: usize) -> Vec<File> {
    one_query(&format!(
        "INSERT INTO t (id, a, b) VALUES {}",
        each(n, ", ", |i| format!("({i}, ${}, 'x')", i + 1))
    ))
}

fn with(n: usize) -> Vec<File> {
    let next = |i: usize| format!("w{} AS (SELECT id, a FROM w{i} WHERE a > {i})", i + 1);
    one_query(&format!(
        "WITH w0 AS (SELECT id, a FROM t), {} SELECT a FROM w{n} WHERE id = 1",
        each(n, ", ", next)
    ))
}

fn with_twice(n: usize) -> Vec<File> {
    let next = |i: usize| format!("w{} AS (SELECT x.id, y.a FROM w{i} x JOIN w{i} y ON x.id = y.id)", i + 1);
    one_query(&format!(
        "WITH w0 AS (SELECT id, a FROM t), {} SELECT a FROM w{n} WHERE id = 1",
        each(n, ", ", next)
    ))
}

fn nested_calls(n: usize) -> Vec<File> {
    one_query(&format!("SELECT b FROM t WHERE {}b{} = 'x'", "lower(".repeat(n), ")".repeat(n)))
}

fn nested_queries(n: usize) -> Vec<File> {
    one_query(&format!(
        "{}SELECT id FROM t WHERE a = 1{}",
        "SELECT id FROM t WHERE id IN (".repeat(n),
        ")".repeat(n)
    ))
}

fn cases(n: usize) -> Vec<File> {
    one_query(&format!(
        "SELECT CASE {} END FROM t WHERE id = 1",
        each(n, " ", |i| format!("WHEN a = {i} THEN b || '{i}'"))
    ))
}

fn groups(n: usize) -> Vec<File> {
    let keys = each(n, ", ", |i| format!("a + {i}"));
    one_query(&format!("SELECT {keys}, count(*) FROM t GROUP BY {keys} ORDER BY {keys}"))
}

fn entries(n: usize) -> Vec<File> {
    let mut files = one_query("SELECT b FROM t WHERE id = 1");
    files.extend((0..n).map(|i| {
        let text = format!(
            "{{\"db_name\": \"PostgreSQL\", \"query\": \"SELECT b FROM t WHERE a = {i}\", \"hash\": \"{i}\"}}"
        );
        (format!(".sqlx/query-{i:064}.json"), text)
    }));
    files
}

fn allows(n: usize) -> Vec<File> {
    let mut body = String::new();
    for i in 0..n {
        let _ = write!(
            body,
            "    // query-budget: allow(missing_limit): reason {i}\n    sqlx::query(\"SELECT b FROM t\").fetch_all(db).await;\n"
        );
    }
    project(
        "CREATE TABLE t (id bigint PRIMARY KEY, b text);",
        &format!("pub async fn all(db: &sqlx::PgPool) {{\n{body}}}\n"),
    )
}

fn one_file_of_sql(n: usize) -> Vec<File> {
    let source = each(n, "", |i| {
        querying(&format!("f{i}"), &format!("SELECT a FROM t WHERE id = {i};{}", " SELECT 1;".repeat(20)))
    });
    project("CREATE TABLE t (id bigint PRIMARY KEY, a int);", &source)
}
