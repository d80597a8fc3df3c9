//! What macros of the project's own make: queries where they are used, and functions that others call.

use super::{function, scanned};
use crate::rust::{Scan, Told, Upper, scan_in};

/// Scans a source that uses macros of another file.
#[track_caller]
fn scanned_with(macros: &[(&str, &str)], source: &str) -> Scan {
    let macros = macros.iter().map(|(name, rules)| ((*name).to_owned(), (*rules).to_owned())).collect();
    let told = Told { macros, ..Told::default() };
    let scan = scan_in("src/lib.rs", source, false, &told).expect("it can be read");
    scan.follow_alone().0
}

#[track_caller]
fn check_bound(scan: &Scan, path: &str, upper: Option<u64>) {
    let found = match &function(scan, path).bound.upper {
        Upper::Finite(most) => Some(*most),
        Upper::Unbounded { .. } => None,
    };
    assert_eq!(found, upper, "{path}: {:?}", function(scan, path).bound);
}

/// The rules of a macro that makes a function which runs a query.
const LOADER: &str = "($v:vis $f:ident, $t:literal) => { $v async fn $f(db: &PgPool, id: i64) -> Row {
    sqlx::query(concat!(\"SELECT a FROM \", $t, \" WHERE id = $1\")).bind(id).fetch_one(db).await } };
    ($($f:ident in $t:literal),+ $(,)?) => { $(loader!(pub $f, $t);)+ };";

#[test]
fn functions_that_macros_make_are_called_by_others() {
    let define = format!("macro_rules! loader {{ {LOADER} }}");
    let page = "async fn page(db: &PgPool, ids: &[i64]) { for id in ids { CALL.await; } one(db, 1).await; }";
    for (made, call) in [
        ("loader!(one, \"t\"); loader!(pub two, \"u\");", "two(db, *id)"),
        ("loader! { one in \"t\", two in \"u\" }", "two(db, *id)"),
        ("loader!(one, \"t\"); mod m { loader!(pub two, \"u\"); }", "m::two(db, *id)"),
        ("loader!(one, \"t\"); struct S; impl S { loader!(pub two, \"u\"); }", "S::two(db, *id)"),
        (
            "macro_rules! both { ($f:ident) => { loader!($f, \"u\"); } } loader!(one, \"t\"); both!(two);",
            "two(db, *id)",
        ),
        ("loader!(one, \"t\"); paste! { loader!(pub [<tw o>], \"u\"); }", "two(db, *id)"),
        (
            "macro_rules! both { ($f:ident) => { paste::paste! { loader!([<$f:lower _2>], \"u\"); } } }
            loader!(one, \"t\"); both!(Two);",
            "paste! { [<two _2>](db, *id) }",
        ),
    ] {
        let source = format!("{define} {made} {}", page.replace("CALL", call));
        let scan = scanned(&source);
        check_bound(&scan, "one", Some(1));
        check_bound(&scan, "page", None);
        let calls = crate::rust::scan("src/lib.rs", &source).expect("it can be read").follow_alone().1;
        assert_eq!(calls.len(), 1, "{source}");
        let told = format!("{made} {}", page.replace("CALL", call));
        check_bound(&scanned_with(&[("loader", LOADER)], &told), "page", None);
    }
}

#[test]
fn macros_of_other_files_are_what_they_expand_to() {
    let get = (
        "get",
        "($db:expr, $id:expr) => { sqlx::query(\"SELECT a FROM t WHERE id = $1\").bind($id).fetch_one($db).await }",
    );
    let twice = ("twice", "($db:expr) => { get!($db, 1); get!($db, 2) }");
    let each = ("each", "($db:expr, $ids:expr) => { for id in $ids { get!($db, id); } }");
    let all = [get, twice, each];
    for (body, upper) in [
        ("get!(db, 1);", Some(1)),
        ("crate::get!(db, 1);", Some(1)),
        ("twice!(db); get!(db, 3);", Some(3)),
        ("for id in ids { get!(db, id); }", None),
        ("each!(db, ids);", None),
        ("if a { twice!(db); } else { get!(db, 1); }", Some(2)),
    ] {
        let scan = scanned_with(&all, &format!("async fn f(db: &PgPool, ids: &[i64]) {{ {body} }}"));
        check_bound(&scan, "f", upper);
        assert!(scan.sites.iter().all(|site| site.place.line == 1 && site.written.ends_with('!')), "{body}");
    }
    let imported = "use crate::get as fetch; async fn f(db: &PgPool) { fetch!(db, 1); }";
    check_bound(&scanned_with(&all, imported), "f", Some(1));
}

#[test]
fn macros_are_re_exported_by_the_module_that_defines_them() {
    let rules = "($db:expr, $id:expr) => { sqlx::query(\"DELETE FROM t WHERE id = $1\").bind($id).execute($db).await }";
    for (export, import, call) in [
        ("pub(crate) use exec;", "use m::exec;", "exec"),
        ("pub(crate) use exec;", "use self::m::exec;", "exec"),
        ("pub(crate) use exec;", "", "m::exec"),
        ("pub(crate) use exec;", "use m::exec as run_sql;", "run_sql"),
        ("pub(crate) use exec as run_sql;", "use m::run_sql;", "run_sql"),
        ("pub(crate) use {exec as run_sql};", "", "m::run_sql"),
        ("pub mod n { pub(crate) use super::exec; }", "use m::n::exec;", "exec"),
        ("pub(crate) use exec;", "mod n { pub(crate) use super::m::exec; } use n::exec;", "exec"),
    ] {
        let function =
            format!("async fn f(db: &PgPool, ids: &[i64]) {{ for id in ids {{ {call}!(db, id); }} }}");
        let source = format!("mod m {{ macro_rules! exec {{ {rules} }} {export} }} {import} {function}");
        let scan = scanned(&source);
        assert_eq!(scan.sites.len(), 1, "{source}");
        check_bound(&scan, "f", None);
    }
    let file = ("exec", rules);
    for import in ["mod m; use m::exec;", "use crate::m; use m::exec;"] {
        let source = format!("{import} async fn f(db: &PgPool) {{ exec!(db, 1); }}");
        check_bound(&scanned_with(&[file], &source), "f", Some(1));
    }
}

#[test]
fn a_macro_of_that_name_from_elsewhere_is_another() {
    let get = [("get", "($db:expr) => { sqlx::query(\"SELECT 1\").fetch_one($db).await }")];
    for source in ["async fn f() { other::get!(db); }", "use other::get; async fn f() { get!(db); }"] {
        assert_eq!(scanned_with(&get, source).sites, [], "{source}");
    }
}

#[test]
fn a_macro_repeats_the_code_that_it_is_given() {
    let each = ("each", "($xs:expr, $x:ident => $b:block) => { for $x in $xs { $b } }");
    let twice = ("twice", "($b:block) => { $b; $b }");
    let source = "async fn f(db: &PgPool, ids: &[i64]) { each!(ids, id => { sqlx::query(\"SELECT 1\").execute(db).await; }); }";
    check_bound(&scanned_with(&[each, twice], source), "f", None);
    let own = format!("macro_rules! each {{ {} }} {source}", each.1);
    check_bound(&scanned(&own), "f", None);
}

#[test]
fn what_an_own_macro_leaves_may_be_the_function() {
    let query = "sqlx::query(\"SELECT 1\").execute(db).await;";
    for (define, lower) in [
        ("macro_rules! bail { ($e:expr) => { return Err($e.into()) } }", 0),
        ("", 0),
        ("macro_rules! bail { ($e:expr) => { log($e) } }", 0),
    ] {
        let scan = scanned(&format!(
            "use sqlx::*; {define} async fn f(c: bool) {{ if c {{ bail!(\"x\"); }} {query} }}"
        ));
        assert_eq!(function(&scan, "f").bound.lower, lower, "{define}");
        check_bound(&scan, "f", Some(1));
    }
}

#[test]
fn macros_that_come_to_too_many_are_not_known() {
    let define = "macro_rules! m { ($e:expr) => { { $e; $e } } }";
    let nested = |depth: usize| {
        let call = (0..depth)
            .fold("sqlx::query(\"SELECT 1\").execute(db).await".to_owned(), |it, _| format!("m!({it})"));
        scanned(&format!("use sqlx::*; {define} async fn f() {{ {call}; }}"))
    };
    let scan = nested(3);
    check_bound(&scan, "f", Some(8));
    assert!(function(&scan, "f").bound.unknown.is_empty());
    for depth in [12, 18, 40] {
        let bound = &function(&nested(depth), "f").bound.unknown.clone();
        assert!(!bound.is_empty(), "{depth}");
    }
}
