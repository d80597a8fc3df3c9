//! Deep inputs of every kind, in a debug build, on a stack of 2 MiB: a test's thread has no more, and the
//! compiler's have little more. Anything too deep is reported as unknown; nothing overflows.

use query_budget_fuzz::targets;

const STACK: usize = 2 << 20;

#[track_caller]
fn check(target: &'static str, name: &str, input: String) {
    let thread = std::thread::Builder::new().stack_size(STACK).name(name.to_owned());
    let run = thread.spawn(move || drop(targets::run(target, &input))).expect("a thread");
    assert!(run.join().is_ok(), "{target}: {name}");
}

fn nested(open: &str, inside: &str, close: &str, levels: usize) -> String {
    format!("{}{inside}{}", open.repeat(levels), close.repeat(levels))
}

fn list(many: usize, between: &str, part: impl Fn(usize) -> String) -> String {
    (0..many).map(part).collect::<Vec<_>>().join(between)
}

/// No server takes one, and a file may have it.
#[test]
fn a_domain_over_itself() {
    for domains in ["CREATE DOMAIN d AS d;", "CREATE DOMAIN d AS e; CREATE DOMAIN e AS d;"] {
        let table = "CREATE TABLE x (d d, many d[]);";
        check(
            "types",
            "domain",
            format!("{domains} {table} ;;SELECT d, many FROM x, unnest(many) m WHERE m.a = $1"),
        );
    }
}

#[test]
fn queries() {
    for many in [150, 3_000] {
        for (name, sql) in [
            ("brackets", format!("SELECT {}", nested("(", "a", ")", many)) + " FROM t"),
            ("calls", format!("SELECT {} FROM t", nested("lower(", "b", ")", many))),
            ("cases", format!("SELECT {} FROM t", nested("CASE WHEN a > 1 THEN ", "1", " END", many))),
            ("elses", format!("SELECT {} FROM t", nested("CASE WHEN a > 1 THEN 1 ELSE ", "1", " END", many))),
            ("subqueries", nested("SELECT id FROM t WHERE id IN (", "SELECT id FROM t", ")", many)),
            ("scalars", format!("SELECT {} FROM t", nested("(SELECT ", "1", ")", many))),
            ("exists", nested("SELECT id FROM t WHERE EXISTS (", "SELECT 1 FROM u", ")", many)),
            ("derived", nested("SELECT * FROM (", "SELECT * FROM t", ") AS x", many)),
            ("laterals", nested("SELECT * FROM t, LATERAL (", "SELECT * FROM u", ") AS x", many)),
            ("signs", format!("SELECT {} FROM t", nested("- ", "a", "", many))),
            ("nots", format!("SELECT 1 FROM t WHERE {}", nested("NOT ", "a > 1", "", many))),
            ("sums", format!("SELECT 1 FROM t WHERE a = {}", list(many, " + ", |i| i.to_string()))),
            (
                "conjunctions",
                format!("SELECT 1 FROM t WHERE {}", list(many, " AND ", |i| format!("a <> {i}"))),
            ),
            ("ors", format!("SELECT 1 FROM t WHERE {}", list(many, " OR ", |i| format!("a = {i}")))),
            (
                "both",
                format!("SELECT 1 FROM t WHERE {}", nested("a = 1 AND (b = 'x' OR ", "a = 2", ")", many)),
            ),
            ("texts", format!("SELECT {} FROM t", list(many, " || ", |_| "b".to_owned()))),
            ("casts", format!("SELECT a{} FROM t", "::int".repeat(many))),
            ("arrows", format!("SELECT b::jsonb{} FROM t", " -> 'a'".repeat(many))),
            ("subscripts", format!("SELECT ARRAY[1]{} FROM t", "[1]".repeat(many))),
            ("arrays", format!("SELECT {}", nested("ARRAY[", "1", "]", many))),
            ("rows", format!("SELECT {}", nested("ROW(", "1", ")", many))),
            (
                "joins",
                format!(
                    "SELECT 1 FROM t {}",
                    list(many, " ", |i| format!("LEFT JOIN u u{i} ON u{i}.t_id = t.id"))
                ),
            ),
            ("nested joins", format!("SELECT 1 FROM {}", nested("(t JOIN ", "t AS z", " ON true)", many))),
            ("unions", list(many, " UNION ", |_| "SELECT id FROM t".to_owned())),
            ("nested unions", nested("SELECT id FROM t UNION (", "SELECT id FROM t", ")", many)),
            (
                "with",
                format!(
                    "WITH w0 AS (SELECT id FROM t), {} SELECT * FROM w{many}",
                    list(many, ", ", |i| format!("w{} AS (SELECT id FROM w{i} WHERE id > {i})", i + 1))
                ),
            ),
            ("nested with", nested("WITH w AS (", "SELECT id FROM t", ") SELECT * FROM w", many)),
            ("names", format!("SELECT {} FROM t", list(many, ".", |_| "a".to_owned()))),
            ("comments", format!("SELECT 1 {}", nested("/* ", "", " */", many))),
        ] {
            check("query", name, sql.clone());
            check("types", name, sql.clone());
            check("rewrites", name, format!("{sql} /* */"));
        }
    }
}

#[test]
fn schemas() {
    for many in [60, 300] {
        let views = list(many, "; ", |i| format!("CREATE VIEW x{} AS SELECT id, a FROM x{i}", i + 1));
        let views =
            format!("CREATE VIEW x0 AS SELECT id, a FROM t; {views};;SELECT a FROM x{many} WHERE id = $1");
        check("types", "views", views);
        let over = |n: usize| format!("CREATE DOMAIN d{} AS d{n};", n + 1);
        let domains =
            format!("CREATE DOMAIN d0 AS text; {} CREATE TABLE x (d d{many}); ;;", list(many, "", over));
        check("types", "domains", domains + "SELECT d FROM x WHERE d = $1");
        for (name, sql) in [
            ("checks", format!("CREATE TABLE x (a int CHECK {})", nested("(", "a > 1", ")", many))),
            ("defaults", format!("CREATE TABLE x (a int DEFAULT {})", list(many, " + ", |i| i.to_string()))),
            ("keys", format!("CREATE INDEX x ON t ({})", nested("lower(", "b", ")", many))),
            ("predicates", format!("CREATE INDEX x ON t (a) WHERE {}", nested("NOT (", "a > 1", ")", many))),
            ("arrays", format!("CREATE TABLE x (a int{})", "[]".repeat(many))),
            (
                "queries",
                format!("CREATE VIEW x AS {}", nested("SELECT * FROM (", "SELECT * FROM t", ") AS y", many)),
            ),
            // Types are sorted for each snapshot, which is quadratic in their number.
            ("domains", list(many.min(200), "; ", |i| format!("CREATE DOMAIN d{} AS d{i}", i + 1))),
            (
                "heirs",
                list(many, "; ", |i| {
                    format!(
                        "CREATE TABLE x{i} () INHERITS ({})",
                        if i == 0 { "t".to_owned() } else { format!("x{}", i - 1) }
                    )
                }),
            ),
        ] {
            check("migrations", name, sql);
        }
    }
}

#[test]
fn blocks() {
    for many in [60, 3_000] {
        for (name, body) in [
            ("ifs", format!("BEGIN {} END", nested("IF n > 1 THEN ", "NULL;", " END IF;", many))),
            (
                "elsifs",
                format!("BEGIN IF n > 1 THEN NULL; {} END IF; END", "ELSIF n > 2 THEN NULL; ".repeat(many)),
            ),
            (
                "loops",
                format!("BEGIN {} END", nested("FOR i IN 1 .. 2 LOOP ", "n := n + 1;", " END LOOP;", many)),
            ),
            ("begins", nested("BEGIN ", "NULL;", " END;", many)),
            ("executes", format!("BEGIN {} END", nested("EXECUTE format('%s', ", "p", ");", many))),
            ("sums", format!("BEGIN n := {}; END", list(many, " + ", |i| i.to_string()))),
            ("brackets", format!("BEGIN n := {}; END", nested("(", "1", ")", many))),
            ("itself", "BEGIN PERFORM f(p, n + 1); END".to_owned()),
        ] {
            check("blocks", name, body);
        }
    }
}

#[test]
fn sources() {
    let query = "sqlx::query(\"SELECT b FROM t WHERE a = $1\").fetch_all(db).await";
    for many in [100, 3_000] {
        for (name, body) in [
            ("blocks", nested("{ ", query, " }", many)),
            ("ifs", nested("if a { ", query, " }", many)),
            ("elses", format!("if a {{ {query} }} {}", "else if b { c() } ".repeat(many))),
            ("loops", nested("for x in xs { ", query, " }", many)),
            ("closures", format!("let f = {query}; {}", nested("|x| ", "x", "", many))),
            ("calls", format!("{query}; {}", nested("f(", "x", ")", many))),
            ("methods", format!("{query}; x{}", ".map(y)".repeat(many))),
            ("sums", format!("{query}; let x = {};", list(many, " + ", |i| i.to_string()))),
            ("texts", format!("let s = {}; sqlx::query(&s)", list(many, " + ", |_| "\"a\"".to_owned()))),
            ("matches", nested("match x { _ => ", query, " }", many)),
            ("types", format!("let x: {} = y; {query}", nested("Vec<", "u8", ">", many))),
            ("macros", format!("{query}; {}", nested("m!(", "x", ")", many))),
            ("questions", format!("{query}; x{}", "?".repeat(many))),
            ("references", format!("{query}; {}x", "&".repeat(many))),
        ] {
            check("rust", name, format!("pub async fn f(db: &Db, xs: Vec<u8>) {{ {body} }}"));
        }
        for (name, source) in [
            ("modules", nested("mod m { ", "fn f() { sqlx::query(\"SELECT 1\"); }", " }", many)),
            ("functions", nested("fn f() { ", "sqlx::query(\"SELECT 1\");", " }", many)),
            (
                "callers",
                list(many, " ", |i| format!("async fn f{i}() {{ for x in xs {{ f{}().await }} }}", i + 1))
                    + &format!(" async fn f{many}() {{ sqlx::query(\"SELECT 1\").execute(db).await }}"),
            ),
            (
                "aliases",
                list(many, " ", |i| format!("type A{} = A{i};", i + 1))
                    + &format!(" fn f(a: A{many}) {{ for x in xs {{ a.g() }} }}"),
            ),
            (
                "uses",
                format!("use {}; fn f() {{ sqlx::query(\"SELECT 1\"); }}", nested("a::{", "b", "}", many)),
            ),
            (
                "constants",
                list(many, " ", |i| format!("const C{}: &str = C{i};", i + 1))
                    + &format!(" fn f() {{ sqlx::query(C{many}) }}"),
            ),
        ] {
            check("rust", name, source);
        }
    }
}
