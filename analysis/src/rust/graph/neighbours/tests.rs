//! What files know of each other.

use super::*;

/// Checks what the last of some files, each with its module, knows of a path.
#[track_caller]
fn check(files: &[(&str, &str)], path: &str, expected: Option<&str>) {
    let externs = Arc::default();
    let modules: Vec<Vec<String>> = files
        .iter()
        .map(|(module, _)| module.split("::").filter(|it| !it.is_empty()).map(str::to_owned).collect())
        .collect();
    let files: Vec<Neighbour<'_>> = files
        .iter()
        .zip(&modules)
        .map(|((_, text), module)| Neighbour { crate_name: "a", externs: &externs, module, text })
        .collect();
    let told = told(&files).pop().expect("there is a file");
    let path: Vec<String> = path.split("::").map(str::to_owned).collect();
    let found = told.handed.get(&path).map(|path| path.join("::"));
    assert_eq!(found.as_deref(), expected, "{files:?}");
}

#[test]
fn names_are_followed_through_modules() {
    let db = ("db", "pub use sqlx::query as q;");
    check(&[db, ("", "use crate::db::q; fn f() { q(1) }")], "crate::db::q", Some("sqlx::query"));
    check(&[db, ("", "use db::q; fn f() { q(1) }")], "db::q", Some("sqlx::query"));
    check(&[db, ("a", "fn f() { super::db::q(1) }")], "super::db::q", Some("sqlx::query"));
    check(&[db, ("a", "use crate::db; fn f() { db::q(1) }")], "crate::db::q", Some("sqlx::query"));
    check(&[db, ("a", "use crate::db::*; fn f() { q(1) }")], "q", Some("sqlx::query"));
    check(&[db, ("a", "use crate::db::q as r; fn f() { r(1) }")], "crate::db::q", Some("sqlx::query"));
    let ours = ("db", "pub use query_budget::sql as run;");
    check(
        &[ours, ("a", "use crate::db::run; fn f() { run!(1) }")],
        "crate::db::run",
        Some("query_budget::sql"),
    );
    let prelude = ("prelude", "pub use crate::db::q as fetch;");
    check(
        &[db, prelude, ("a", "use crate::prelude::fetch; fn f() { fetch(1) }")],
        "crate::prelude::fetch",
        Some("sqlx::query"),
    );
    check(
        &[db, ("prelude", "pub use crate::db::*;"), ("a", "use crate::prelude::*; fn f() { q(1) }")],
        "q",
        Some("sqlx::query"),
    );
}

#[test]
fn modules_have_the_private_imports_of_those_around_them() {
    let root = ("", "use sqlx::query; mod a;");
    let of_root = Some("sqlx::query");
    check(&[root, ("a", "use super::query; fn f() { query(1) }")], "super::query", of_root);
    check(&[root, ("a", "use crate::{query}; fn f() { query(1) }")], "crate::query", of_root);
    check(&[root, ("a::b", "fn f() { super::super::query(1) }")], "super::super::query", of_root);
    check(&[("", "use sqlx::query; fn f() { self::query(1) }")], "self::query", of_root);
    check(&[("", "use sqlx::query; mod a { use super::query; }")], "super::query", of_root);
    check(&[("", "use sqlx::query; include!(\"a.inc\");"), ("", "fn f() { query(1) }")], "query", of_root);
    let of_a = ("a", "use super::query; fn f() { query(1) }");
    check(&[("", "use sqlx::query_as; fn query() {}"), of_a], "super::query", None);
    check(&[("", "use sqlx::*; fn query() {}"), of_a], "super::query", None);
    check(&[("", "use sqlx::*; impl A { fn query() {} }"), of_a], "super::query", of_root);
}

#[test]
fn names_that_stay_the_same_are_followed() {
    check(
        &[("db", "pub use sqlx::query;"), ("a", "use crate::db::query; fn f() { query(1) }")],
        "crate::db::query",
        Some("sqlx::query"),
    );
    check(
        &[("db", "pub use sqlx::*;"), ("a", "use crate::db::*; fn f() { query_as(1) }")],
        "query_as",
        Some("sqlx::query_as"),
    );
    check(
        &[("db", "pub use sqlx as x;"), ("a", "fn f() { crate::db::x::query(1) }")],
        "crate::db::x::query",
        Some("sqlx::query"),
    );
    check(
        &[("db", "pub use sqlx::QueryBuilder as Qb;"), ("a", "use crate::db::Qb; fn f() { Qb::new(1) }")],
        "crate::db::Qb",
        Some("sqlx::QueryBuilder"),
    );
    check(
        &[
            ("db", "pub use other::query as q; pub use sqlx::Row as R;"),
            ("a", "use crate::db::q; fn f() { q(1) }"),
        ],
        "crate::db::q",
        None,
    );
    check(
        &[
            ("db", "pub use crate::db::q; pub use sqlx::query as r;"),
            ("a", "use crate::db::q; fn f() { q(1) }"),
        ],
        "crate::db::q",
        None,
    );
}

#[test]
fn a_crate_that_the_root_renames_has_that_name_in_all_files() {
    let none = Arc::default();
    let a = ["a".to_owned()];
    let file = |crate_name, module, text| Neighbour { crate_name, externs: &none, module, text };
    let files = [
        file("app", &[][..], "extern crate sqlx as pg; mod a;"),
        file("app", &a[..], "fn f() { pg::query(1); crate::pg::query(1) }"),
        file("other", &[][..], "mod m { extern crate sqlx as inner; } fn f() { pg::query(1) }"),
    ];
    let told = told(&files);
    let renamed: Vec<Vec<&str>> =
        told.iter().map(|told| told.renamed.keys().map(String::as_str).collect()).collect();
    assert_eq!(renamed, [vec!["pg"], vec!["pg"], vec![]]);
    let path = ["crate", "pg", "query"].map(str::to_owned);
    let led = told.get(1).and_then(|told| told.handed.get(&path[..])).map(|path| path.join("::"));
    assert_eq!(led.as_deref(), Some("sqlx::query"));
    check(
        &[
            ("db", "use ::sqlx as s; pub mod q {}"),
            ("db::a", "mod inner { fn f() { super::super::s::query(1) } }"),
        ],
        "super::super::s::query",
        Some("sqlx::query"),
    );
}

#[test]
fn macros_of_another_crate_name_it() {
    let externs: Arc<HashMap<String, String>> = Arc::new([("lib".to_owned(), "b".to_owned())].into());
    let none = Arc::default();
    let file = |crate_name, externs, text| Neighbour { crate_name, externs, module: &[], text };
    let library = "pub use sqlx::query as q; #[macro_export] macro_rules! get { ($d:expr) => { $crate::q(\"SELECT 1\") } }";
    let files = [file("b", &none, library), file("a", &externs, "fn f() { lib::get!(db) }")];
    let last = told(&files).pop().expect("there is a file");
    assert_eq!(last.macros, [("get".to_owned(), " ($d:expr) => { lib::q(\"SELECT 1\") } ".to_owned())]);
    assert_eq!(
        last.handed.get(&["lib".to_owned(), "q".to_owned()][..]).map(|path| path.join("::")).as_deref(),
        Some("sqlx::query")
    );
    let twice = [
        file("a", &none, "macro_rules! get { () => { a().await } }"),
        file("a", &none, "macro_rules! get { () => { b().await } }"),
        file("a", &none, "async fn f() { get!() }"),
    ];
    let last = told(&twice).pop().expect("there is a file");
    assert_eq!(last.macros, [("get".to_owned(), UNKNOWN.to_owned())]);
}

#[test]
fn a_macro_of_the_same_name_that_is_imported_from_elsewhere_is_not_ours() {
    let externs = Arc::default();
    let sites = |other: &str| {
        let texts = ["fn f() { run(sql!(\"SELECT a FROM t WHERE id = ?1\"), 1); }", other];
        let files = texts.map(|text| Neighbour { crate_name: "a", externs: &externs, module: &[], text });
        let told = told(&files);
        let scan = crate::rust::scan_in("lib.rs", texts[0], false, &told[0]).expect("it is Rust");
        scan.sites.len()
    };
    assert_eq!(sites("use check::sql;"), 0);
    assert_eq!(sites("#[proc_macro] pub fn sql(input: TokenStream) -> TokenStream { input }"), 0);
    assert_eq!(sites("use query_budget::sql;"), 1);
    assert_eq!(sites("fn g() {}"), 1);
}

#[test]
fn macros_of_the_crate_are_told() {
    let externs: Arc<HashMap<String, String>> = Arc::new([("b".to_owned(), "b".to_owned())].into());
    let none = Arc::default();
    let file = |crate_name, externs, text| Neighbour { crate_name, externs, module: &[], text };
    let files = [
        file(
            "b",
            &none,
            "#[macro_export] macro_rules! out { () => { inner!() } } macro_rules! own { () => {} }",
        ),
        file("a", &externs, "macro_rules! inner { () => {} }"),
        file("a", &externs, "fn f() { b::out!(); own!(); inner!(); }"),
    ];
    let told = told(&files);
    let names: Vec<Vec<&str>> = told
        .iter()
        .map(|told| {
            let mut names: Vec<&str> = told.macros.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            names
        })
        .collect();
    assert_eq!(names, [vec![], vec![], vec!["inner", "out"]]);
}
