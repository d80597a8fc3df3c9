//! Source that cannot be parsed, or is designed to break the parser.

use super::*;

/// Checks that a source is rejected, and at which line.
#[track_caller]
fn refused(source: &str, line: u32) {
    match scan("src/lib.rs", source) {
        Ok(_) => panic!("it was read"),
        Err(error) => assert_eq!(error.line, line, "{error}"),
    }
}

#[test]
fn syntax_errors_say_where() {
    refused("fn f() {\n    let = 1;\n}", 2);
    refused("fn f() {\n    \"open\n}", 2);
    refused("fn f( {", 1);
}

#[test]
fn empty_files_shebangs_and_byte_order_marks_are_read() {
    assert_eq!(scanned("").sites, []);
    assert_eq!(only(&scanned("#!/usr/bin/env run\nfn f() { sql!(\"SELECT 1\"); }")).place.line, 2);
    assert_eq!(only(&scanned("\u{feff}fn f() { sql!(\"SELECT 1\"); }")).place.column, 10);
    assert_eq!(only(&scanned("#![allow(x)]\nfn f() { sql!(\"SELECT 1\"); }")).place.line, 2);
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(|| ", ")"), ("vec![", "]")] {
        let source = format!("fn f() {{ {}1{} }}", open.repeat(25_000), close.repeat(25_000));
        refused(&source, 1);
    }
}

/// In the stack of a compiler thread, as inside a macro.
#[test]
fn nested_types_fit_the_stack_or_are_refused() {
    for (open, close) in
        [("<", ">"), ("<&", ">"), ("Vec<", ">"), ("T<A = <", ">>"), ("Vec<<", ">>"), ("fn() -> <", ">")]
    {
        for depth in [40, 80, 90, 120, 180, 250, 370, 3_000] {
            let source = format!("impl {}D{} {{}}", open.repeat(depth), close.repeat(depth));
            let read = move || drop(crate::rust::scan_queries("src/lib.rs", &source, false, true));
            let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(read).expect("a thread");
            thread.join().expect("it ends");
        }
    }
}

#[test]
fn nested_arguments_of_paths_fit_the_stack_or_are_refused() {
    let forms = [
        ("a::b::<", ">"),
        ("a::<", ">"),
        ("a::<&", ">"),
        ("a::<dyn B<C = ", ">>"),
        ("a::B<", ">"),
        ("a::b::C<", ">"),
    ];
    for (open, close) in forms {
        for depth in [40, 60, 80, 100, 120, 140, 180, 210, 250, 3_000] {
            let source = format!(
                "async fn f() {{ let x = sqlx::query::<{}D{}>(\"SELECT 1\").fetch_one(db).await; }}",
                open.repeat(depth),
                close.repeat(depth)
            );
            let read = move || drop(crate::rust::scan_queries("src/lib.rs", &source, false, true));
            let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(read).expect("a thread");
            thread.join().expect("it ends");
        }
    }
}

#[test]
fn long_chains_are_refused() {
    for link in [
        "!",
        "-",
        "&",
        "*",
        "a + ",
        "a == b && ",
        "a.b().",
        "a = ",
        "|x| ",
        "return ",
        "x as ",
        "if a {} else ",
    ] {
        let source = format!("fn f() {{ {}a; }}", link.repeat(25_000));
        assert!(scan("src/lib.rs", &source).is_err(), "{link}");
    }
    let types = format!("type T = {}u8{};", "Vec<".repeat(25_000), ">".repeat(25_000));
    assert!(scan("src/lib.rs", &types).is_err());
    let paths = format!("use {}b;", "a::".repeat(25_000));
    assert!(scan("src/lib.rs", &paths).is_err());
}

#[test]
fn what_is_deep_but_within_the_limits_is_read() {
    let chain = |link: &str, n: usize| format!("fn f() {{ let x = {}a; }}", link.repeat(n));
    for (link, count) in [("!", 15_000), ("&", 4_000), ("a + ", 9_000), ("a || ", 5_000), ("|x| ", 4_000)] {
        scanned(&chain(link, count));
    }
    scanned(&format!("type T = {}u8{};", "Vec<".repeat(3_000), ">".repeat(3_000)));
    scanned(&format!("type T = {}u8;", "&".repeat(4_500)));
    scanned(&format!("fn f() {{ let x = {}a{}; }}", "(".repeat(300), ")".repeat(300)));
    scanned(&format!("fn f() {{ let x = a{}; }}", ".b()".repeat(4_000)));
    scanned(&format!("fn f() {{ {} {{}} }}", "if a { b(); } else ".repeat(3_000)));
    scanned(&format!("fn f() {{ match a {{ {} }} }}", "B => { c(); } ".repeat(5_000)));
    let blocks = "{ a(); }\n".repeat(5_000);
    scanned(&format!("fn f() {{ {blocks} }}"));
}

#[test]
fn a_large_file_is_read() {
    let function = "async fn f(db: &PgPool) { for x in xs { sqlx::query!(\"SELECT a FROM t WHERE b = $1\", x.id).execute(db).await?; } }\n";
    let source: String = (0..2_000).map(|n| function.replace("fn f", &format!("fn f{n}"))).collect();
    assert_eq!(scanned(&source).sites.len(), 2_000);
}

#[test]
fn macros_whose_bodies_are_no_rust_are_counted_when_they_mention_queries() {
    let scan = scanned("strange! { a => q . fetch_all ( => ) } other! { => ( => ) }");
    assert_eq!(scan.unparsed_macros, 1);
    assert_eq!(scanned("fn f() { sqlx::query!(=> 1) }").unparsed_macros, 1);
}

#[test]
fn imports_of_each_other_end() {
    let names = 0..30;
    let of_all = |name: &str| -> String {
        let module = |n: usize| {
            let others = names.clone().filter(|other| *other != n);
            let uses: String = others.map(|other| format!("pub use super::m{other}::{name};")).collect();
            format!("mod m{n} {{ {uses} }}\n")
        };
        names.clone().map(module).collect()
    };
    let queries = |query: &str| {
        format!(
            "async fn f(db: &PgPool) {{ for x in xs {{ g(db).await; }} }} async fn g(db: &PgPool) {{ {query}(\"SELECT a FROM t\").execute(db).await; }}"
        )
    };
    let grown: String = names.clone().map(|n| format!("use self::q::a{n} as q;\n")).collect();
    for source in [
        format!("{}use m0::PgPool;\n{}", of_all("PgPool"), queries("sqlx::query")),
        format!("{}use m0::query;\n{}", of_all("query"), queries("query")),
        format!("{}use m0::x;\n{}", of_all("x"), queries("x::y::query")),
        format!("{}{}", "use ::PgPool;\n".repeat(30), queries("sqlx::query")),
        format!("{}{}", "use crate::query;\n".repeat(30), queries("query")),
        format!("{grown}{}", queries("q::query")),
    ] {
        assert!(!scanned(&source).functions.is_empty(), "it is read");
    }
}
