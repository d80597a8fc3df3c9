//! What leaves blocks, loops and arms, and how many queries are run on each way.

use super::bounds::{check, check_bound};
use super::*;

#[test]
fn a_break_leaves_what_its_label_names() {
    check("'a: { if c { Q; break 'a; } } Q;", 1, Some(2));
    check("let n = 'a: { if Q.is_ok() { break 'a 1; } break 'a 2; }; Q; Q;", 3, Some(3));
    check("'a: for i in 0..3 { loop { Q; if c { break 'a; } Q; break; } } Q;", 2, Some(7));
    check("'a: for i in 0..3 { for j in 0..2 { Q; continue 'a; } Q; }", 3, Some(3));
    check("for i in 0..3 { 'a: { if c { break 'a; } Q; break; } Q; }", 1, Some(3));
    check("'a: loop { 'b: loop { if c { break 'a; } if d { break 'b; } } Q; break; } Q;", 1, Some(2));
}

#[test]
fn what_stands_behind_a_loop_that_is_left_from_an_inner_one_is_reached() {
    check(
        "'a: loop { let line = next(input); loop { if line.ends() { break 'a; } if line.more() { continue 'a; } } } Q; Q;",
        2,
        Some(2),
    );
    check("for x in xs { if x.ends() { return; } } Q;", 0, Some(1));
}

#[test]
fn what_never_ends_runs_its_queries() {
    check("if c { loop { Q; } } Q;", 0, None);
    check("loop { tick(); }", 0, Some(0));
}

#[test]
fn guards_run_one_after_the_other() {
    check("match n { 0 if Q.ok() => {} 0 if Q.ok() => {} 1 if Q.ok() => { Q; } _ => { Q; } }", 1, Some(4));
    check("match n { 0 if Q.ok() => { Q; Q; Q; Q; } 0 if Q.ok() => {} _ => {} }", 0, Some(5));
    check("match n { 0 if n.ok() => { Q; } _ => { Q; Q; } }", 1, Some(2));
    check("for i in 0..3 { match n { 0 if Q.ok() => break, 1 => continue, _ => { Q; } } Q; }", 0, Some(9));
}

#[test]
fn a_future_that_is_not_awaited_may_not_run() {
    let of = |body: &str| {
        scanned(&format!(
            "use query_budget::*; fn load() -> impl Future<Output = i64> + Send {{ async move {{ sql!(\"SELECT 1\").fetch_one(db).await }} }}
             async fn f() {{ {body} }}"
        ))
    };
    check_bound(&of("let (a, b) = (load(), load()); a.await?; b.await;"), "f", 0, Some(2));
    check_bound(&of("load().await; load().await;"), "f", 2, Some(2));
}

#[test]
fn what_is_in_a_constant_counts_by_the_scope_that_it_is_named_in() {
    let of = |items: &str, f: &str| scanned(&format!("use query_budget::*; {items} {f}"));
    let each = |head: &str, over: &str| {
        format!("async fn f{head} {{ for i in {over} {{ sql!(\"SELECT 1\").fetch_one(db).await; }} }}")
    };
    let two = "const N: usize = 2; mod a { pub const IDS: [i64; 2] = [1, 2]; } mod b { pub const IDS: [i64; 5] = [1; 5]; }";
    for (head, over, expected) in [
        ("<const N: usize>(ids: [i64; N])", "0..N", None),
        ("()", "0..N", Some(2)),
        ("()", "a::IDS", Some(2)),
        ("()", "{ use b as a; a::IDS }", None),
        ("()", "other::IDS", None),
        ("()", "super::N", None),
        ("(ids: &[i64])", "ids.iter().take(N)", Some(2)),
        ("()", "0..Self::N", None),
    ] {
        let scan = of(two, &each(head, over));
        let most = match &function(&scan, "f").bound.upper {
            crate::rust::Upper::Finite(most) => Some(*most),
            crate::rust::Upper::Unbounded { .. } => None,
        };
        assert_eq!(most, expected, "{head} {over}");
    }
    let renamed = "async fn f() { use b as a; for i in a::IDS { sql!(\"SELECT 1\").fetch_one(db).await; } }";
    check_bound(&of(two, renamed), "f", 5, Some(5));
    let later =
        "async fn f() { for i in 0..N { sql!(\"SELECT 1\").fetch_one(db).await; } const N: usize = 7; }";
    check_bound(&of(two, later), "f", 7, Some(7));
    let builds = "#[cfg(a)] const N: usize = 4; #[cfg(not(a))] const N: usize = 1;";
    check_bound(&of(builds, &each("()", "0..N")), "f", 0, Some(4));
    check("let n = 4; for x in xs.iter().take(n) { Q; }", 0, Some(4));
    check("let mut n = 4; for x in xs.iter().take(n) { Q; }", 0, None);
}

#[test]
fn constants_are_seen_through_globs_and_by_the_path_of_their_file() {
    let each = |over: &str| {
        format!("pub async fn f() {{ for i in {over} {{ sql!(\"SELECT 1\").fetch_one(db).await; }} }}")
    };
    for (file, over, expected) in [
        ("src/lib.rs", "LIMITS", Some(3)),
        ("src/lib.rs", "0..super::N", Some(4)),
        ("src/lib.rs", "0..crate::N", Some(4)),
        ("src/bin/tool.rs", "0..crate::N", Some(4)),
        ("tool.rs", "0..crate::N", Some(4)),
        ("src/config.rs", "0..crate::config::N", Some(4)),
        ("a/src/admin/mod.rs", "0..crate::admin::N", Some(4)),
        ("src/admin/config.rs", "0..crate::config::N", None),
        ("src/admin/config.rs", "0..crate::admin::config::N", Some(4)),
        ("src/config.rs", "0..crate::N", None),
    ] {
        let text = format!(
            "use query_budget::*; mod inner {{ use super::*; {} }} const LIMITS: [i64; 3] = [1, 2, 3]; const N: i64 = 4;",
            each(over)
        );
        let scan = crate::rust::scan(file, &text).unwrap().follow_alone().0;
        let most = match &function(&scan, "inner::f").bound.upper {
            crate::rust::Upper::Finite(most) => Some(*most),
            crate::rust::Upper::Unbounded { .. } => None,
        };
        assert_eq!(most, expected, "{file} {over}");
    }
}

#[test]
fn constants_are_read_once_each() {
    let chain: String = (1..150).map(|at| format!("const C{at}: usize = C{0} + C{0};", at - 1)).collect();
    let lists: String = (1..150)
        .map(|at| {
            format!("#[cfg(a)] const L{at}: [i64; 2] = L{0}; #[cfg(b)] const L{at}: [i64; 2] = L{0};", at - 1)
        })
        .collect();
    let each = |over: &str| format!("for i in {over} {{ sql!(\"SELECT 1\").fetch_one(db).await; }}");
    let source = format!(
        "use query_budget::*; {chain} {lists} const L0: [i64; 2] = [1, 2]; const C0: usize = 1;
         const A: usize = A + A; const B: usize = D + D; const D: usize = B + B; const E: [i64; 2] = E;
         async fn f() {{ {} }} async fn g() {{ {}{}{} }} async fn h() {{ {} }} async fn i() {{ {} }}",
        each("0..C9"),
        each("0..A"),
        each("0..B"),
        each("E"),
        each("L149"),
        each("0..C149"),
    );
    let scan = scanned(&source);
    check_bound(&scan, "f", 512, Some(512));
    check_bound(&scan, "g", 0, None);
    check_bound(&scan, "h", 2, Some(2));
    check_bound(&scan, "i", 0, None);
}

#[test]
fn sets_and_texts_may_be_longer_than_what_they_are_made_of() {
    check("let a = HashSet::from([1, 2]); for x in a.union(&HashSet::from([3])) { Q; }", 0, Some(3));
    check("let a = HashSet::from([1, 2]); for x in a.union(&xs) { Q; }", 0, None);
    check("for part in [1, 2].split(|x| x == 2) { Q; }", 0, Some(3));
    check("let s: String = [\"ab\", \"cd\"].iter().copied().collect(); for c in s.chars() { Q; }", 0, None);
    check("for (x, y) in xs.iter().zip([1, 2]) { Q; }", 0, Some(2));
    check("for (x, y) in ELSEWHERE.iter().zip([1, 2]) { Q; }", 0, Some(2));
    check("let stack = &mut vec![1]; while let Some(x) = stack.pop() { Q; stack.push(x); }", 0, None);
    check("for x in (0..8).step_by(2) { Q; }", 4, Some(4));
}

#[test]
fn what_waits_in_a_variable_runs_where_that_is_certainly_used() {
    let [made, stream] = ["sqlx::query!(\"SELECT 1\")", "sqlx::query!(\"SELECT 1\").fetch(db)"];
    for (code, lower, upper) in [
        ("let work = async { Q }; if c { work.await; }", 0, 1),
        ("let work = async { Q }; Q?; work.await;", 1, 2),
        ("let work = async { Q }; work.await;", 1, 1),
        ("let work = Box::pin(async { Q }); join!(work, other());", 1, 1),
        ("let later = Later(Box::pin(async { Q })); if c { later.0.await; }", 0, 1),
        ("let work = async { Q }; if c { work.await } else { log(work.await) }", 1, 1),
        ("let q = MADE; if c { q.execute(db).await?; }", 0, 1),
        ("let q = MADE; let x = other()?; q.execute(db).await;", 0, 1),
        ("let q = MADE; q.execute(db).await?;", 1, 1),
        ("let q = MADE; let q = q.bind(x); if c { q.execute(db).await?; }", 0, 1),
        ("let mut q = MADE; if c { q = q.bind(x); } q.execute(db).await?;", 1, 1),
        ("let q = MADE; match c { 1 => q.execute(db).await, _ => q.execute(other).await };", 1, 1),
        ("let _rows = STREAM;", 0, 1),
        ("let mut rows = STREAM; while let Some(row) = rows.try_next().await? { log(row); }", 1, 1),
    ] {
        check(&code.replace("MADE", made).replace("STREAM", stream), lower, Some(upper));
    }
}

#[test]
fn macros_may_leave_the_function() {
    check("anyhow::ensure!(x > 0, \"no\"); Q;", 0, Some(1));
    let of = |rules: &str, code: &str| {
        let code = code.replace('Q', "sql!(\"SELECT 1\").fetch_one(db).await");
        scanned(&format!("macro_rules! mine {{ {rules} }} async fn f(db: &PgPool, n: i64) {{ {code} }}"))
    };
    check_bound(&of("($c:expr) => { if $c { return Ok(()); } }", "mine!(n == 0); Q;"), "f", 0, Some(1));
    check_bound(&of("($c:expr) => { $c? }", "let n = mine!(read(n)); Q;"), "f", 0, Some(1));
    check_bound(&of("($c:expr) => { anyhow::ensure!($c) }", "mine!(n == 0); Q;"), "f", 0, Some(1));
    check_bound(&of("($($c:expr)?) => { log($($c)?) }", "mine!(n); Q;"), "f", 1, Some(1));
}

#[test]
fn a_loop_over_an_iterator_of_the_project_runs_what_gives_the_elements() {
    let source = "use rusqlite::*; struct Parents<'a> { conn: &'a Connection, id: i64 }
        impl Iterator for Parents<'_> { type Item = i64; fn next(&mut self) -> Option<i64> { self.conn.query_row(\"SELECT parent FROM t WHERE id = ?1\", [self.id], |row| row.get(0)).ok() } }
        fn f(conn: &Connection) { for parent in (Parents { conn, id: 1 }) { log(parent); } }
        fn g(ids: &[i64]) { for id in ids { log(id); } }";
    let scan = scanned(&super::super::relevant(&[source]).remove(0));
    check_bound(&scan, "f", 0, None);
    check_bound(&scan, "g", 0, Some(0));
}
