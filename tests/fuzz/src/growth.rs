//! Workspaces of any size: each contains many of one kind of thing. The cost of reading them has to grow in
//! proportion.

mod programs;
mod schemas;

use std::fmt::Write;

use self::programs::{admins, one_loop, services};
use self::schemas::{
    added_columns, advice, columns, enums, foreign_keys, indexes, migrations, partitions, references,
    renames, routines, savepoints, tables, types, views, views_twice,
};

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
    Kind { name: "columns", start: 90, files: columns },
    Kind { name: "added_columns", start: 90, files: added_columns },
    Kind { name: "indexes", start: 200, files: indexes },
    Kind { name: "enums", start: 500, files: enums },
    Kind { name: "types", start: 300, files: types },
    Kind { name: "routines", start: 300, files: routines },
    Kind { name: "subqueries", start: 100, files: subqueries },
    Kind { name: "same_text", start: 1_000, files: same_text },
    Kind { name: "one_function", start: 500, files: one_function },
    Kind { name: "one_line", start: 500, files: one_line },
    Kind { name: "one_loop", start: 500, files: one_loop },
    Kind { name: "calls", start: 500, files: calls },
    Kind { name: "callers", start: 500, files: callers },
    Kind { name: "services", start: 250, files: services },
    Kind { name: "admins", start: 250, files: admins },
    Kind { name: "repeats", start: 3_000, files: repeats },
    Kind { name: "methods", start: 200, files: methods },
    Kind { name: "aliases", start: 800, files: aliases },
    Kind { name: "aliases_twice", start: 80, files: aliases_twice },
    Kind { name: "declarations", start: 1_000, files: declarations },
    Kind { name: "fields", start: 300, files: fields },
    Kind { name: "globs", start: 20, files: globs },
    Kind { name: "modules", start: 300, files: modules },
    Kind { name: "crates", start: 50, files: crates },
    Kind { name: "links", start: 500, files: links },
    Kind { name: "visitors", start: 200, files: visitors },
    Kind { name: "branches", start: 300, files: branches },
    Kind { name: "joins", start: 50, files: joins },
    Kind { name: "sums", start: 300, files: sums },
    Kind { name: "conditions", start: 200, files: conditions },
    Kind { name: "alternatives", start: 200, files: alternatives },
    Kind { name: "unions", start: 100, files: unions },
    Kind { name: "distinct_unions", start: 100, files: distinct_unions },
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

/// A chain of calls, each of which asks the same in every iteration of its loop.
fn repeats(n: usize) -> Vec<File> {
    let call = |i: usize| {
        format!(
            "pub async fn f{i}(db: &sqlx::PgPool) {{\n    for x in 0..3 {{ f{}(db).await; }}\n}}\n",
            i + 1
        )
    };
    project(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int);",
        &(each(n, "", call) + &querying(&format!("f{n}"), "SELECT a FROM t WHERE id = 1")),
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

/// Methods of a trait without bodies.
fn declarations(n: usize) -> Vec<File> {
    let declare = |i: usize| format!("    async fn f{i}(&self, f{}: i64) -> i64;\n", i + 1);
    let source = format!("pub trait Store {{\n{}}}\n{}", each(n, "", declare), querying("all", "SELECT 1"));
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &source)
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

fn links(n: usize) -> Vec<File> {
    let chain = each(n, "", |i| format!(".field_{i}(db)"));
    let source = querying("all", "SELECT 1")
        .replace(";\n}", &format!(";\n    let built = Builder::new(){chain};\n}}"));
    project("CREATE TABLE t (id bigint PRIMARY KEY);", &source)
}

/// A function that passes closures around its own closure to itself.
fn visitors(n: usize) -> Vec<File> {
    let arm = |i: usize| format!("        {i} => visit(&n.kids[{i}], |x| f(x)),\n");
    let source = format!(
        "{}pub fn visit<F: FnMut(&Node)>(n: &Node, mut f: F) {{\n    match n.id {{\n{}        _ => f(n),\n    }}\n}}\n\
        pub fn start(root: &Node) {{\n    visit(root, |x| x.shown());\n}}\n",
        querying("all", "SELECT 1"),
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

/// Each arm is told apart from every other by its condition.
fn distinct_unions(n: usize) -> Vec<File> {
    one_query(&each(n, " UNION ", |i| format!("SELECT id, a FROM t WHERE id = {i}")))
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
