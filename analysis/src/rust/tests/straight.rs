//! Queries that are read from tokens are those that a walk finds.

use proptest::prelude::*;

use crate::rust::lex::outline::outline_of_queries;
use crate::rust::site::Call;
use crate::rust::{Form, Scan, ScanError, Site, scan_as, scan_queries, straight, with_queries};

/// The sites of the functions that are straight.
fn straight_sites(source: &str) -> (Vec<Option<Vec<Site>>>, bool) {
    let (outline, tokens) = outline_of_queries(source);
    let known = straight::read(&"src/lib.rs".into(), source, &tokens, &outline.functions, false);
    (known.sites, known.is_whole)
}

/// Leaves out what types tell of the connection of a call: where there is no loop, nothing asks for it.
fn forget_types(call: &mut Call) {
    let Call { method, place, on, field, asks_whether, .. } = std::mem::take(call);
    *call = Call { method, place, on, field, asks_whether, ..Call::default() };
}

/// Compares the sites of straight functions with those of a walk; returns how many there are.
#[track_caller]
fn compare(source: &str) -> Result<usize, TestCaseError> {
    let (known, is_whole) = straight_sites(source);
    let Ok(scan) = scan_as("src/lib.rs", source, false) else { return Ok(0) };
    let mut walked = scan.sites;
    walked.iter_mut().filter_map(|site| site.call.as_mut()).for_each(forget_types);
    let known: Vec<Site> = known.into_iter().flatten().flatten().collect();
    for site in &known {
        let of_function = |it: &&Site| it.function == site.function;
        let expected: Vec<&Site> = walked.iter().filter(of_function).collect();
        let found: Vec<&Site> = known.iter().filter(of_function).collect();
        prop_assert_eq!(found, expected, "{}", source);
    }
    prop_assert!(!is_whole || walked.len() == known.len(), "{}", source);
    // What is left out for them changes nothing of the others.
    let all = |scan: Result<Scan, ScanError>| {
        let mut sites = scan.map(|scan| scan.sites).unwrap_or_default();
        sites.retain(|site| site.form == Form::Checked);
        sites.iter_mut().filter_map(|site| site.call.as_mut()).for_each(forget_types);
        sites.sort_by(|a, b| a.place.cmp(&b.place));
        sites
    };
    let parsed = all(scan_as("src/lib.rs", &with_queries(source), false));
    prop_assert_eq!(all(scan_queries("src/lib.rs", source, false, true)), parsed, "{}", source);
    Ok(known.len())
}

#[track_caller]
fn check(body: &str, straight: bool) {
    let source = format!(
        "use query_budget::{{sql, sql_as, sql_scalar}};\n\nimpl Store {{\n    /// Loads.\n    pub async fn load(&self, db: &PgPool, a: i64) -> R {{\n{body}\n    }}\n}}\n"
    );
    let found = compare(&source).expect("the same");
    assert_eq!(found > 0, straight, "{source}");
}

#[test]
fn what_is_straight() {
    for body in [
        "let x = sql!(\"SELECT 1\", a, self.b).fetch_all(db).await?; Ok(x.len())",
        "query_budget::sql_scalar!(r#\"SELECT\n  'ü' \"#).fetch_one(&self.pool).await",
        "let mut tx = db.begin().await?;\n\n  sql!(\"DELETE\n FROM t WHERE a = $1\", &a,).execute(&mut *tx).await?; tx.commit().await",
        "/* ü */ sql_as!(Row, \"SELECT 1\", a).fetch_optional(&mut **tx).await?; sql!(\"b\").fetch(db).await; S { a, b: f(a)? }",
    ] {
        check(body, true);
    }
}

#[test]
fn what_may_matter_is_left_to_the_parser() {
    for body in [
        "for x in xs { sql!(\"SELECT 1\", x).fetch_all(db).await?; }",
        "xs.map(|x| sql!(\"SELECT 1\", x).fetch_all(db).await)",
        "join!(sql!(\"SELECT 1\").fetch_all(db).await)",
        "let x = sql!(\"SELECT 1\").fetch_optional(db).await?; x.is_some()",
        "let x = sql!(\"SELECT 1\").fetch_all(db); x.await",
        "if let None = sql!(\"SELECT 1\").fetch_optional(db).await? {}",
        "let f = |x| { sql!(\"SELECT 1\").fetch_all(db).await };",
        "sql!(\"SELECT 1\").cached(s).fetch_all(db).await",
        "sql!(\"SELECT 1\").fetch_all(db).await?; cache.invalidate(t).await",
        "sql!(\"SELECT 1\", f(a)).fetch_all(db).await",
        "sql!(\"SELECT \\u{e9}\").fetch_all(db).await",
        "// query-budget: allow(missing_limit): all\nsql!(\"SELECT 1\").fetch_all(db).await",
        "fn f() {} sql!(\"SELECT 1\").fetch_all(db).await",
        "use other::sql; sql!(\"SELECT 1\").fetch_all(db).await",
    ] {
        check(body, false);
    }
}

const HEADS: &[&str] = &[
    "use query_budget::{query_budget, sql, sql_as, sql_scalar};",
    "use query_budget::{sql, sql_as, sql_scalar};\nuse sqlx::{PgPool, Row};",
    "use query_budget::sql;",
    "use query_budget::sql as sql_as;",
    "use other::{sql, x};",
    "use query_budget::*;",
    "",
];

const AROUND: &[&str] = &[
    "@",
    "@",
    "impl S {\n    @\n}",
    "impl a::T for b::S {\n    @\n}",
    "impl<'a> S<'a> { @ }",
    "mod m { @ }",
    "#[cfg(test)] mod tests { use super::*; @ }",
    "#[test] @",
    "#[async_trait] impl S { @ }",
    "trait T { @ }",
    "const X: usize = 3; /// Loads.\n pub(crate) @",
    "made! { @ }",
    "impl<'a, T: Into<X>> S<'a, T> where T: Y { @ }",
    "impl<T> From<T> for &'static S { @ }",
    "impl S<fn() -> u8> { @ }",
    "#[tracing::instrument(skip(a))] @",
    "#[cfg(test)] impl S { @ }",
    "#[tokio::test] @",
    "#[async_trait]\n#[a(b = \"c\")]\nimpl S<u8> { #[inline] @ }",
    "#[allow(missing_limit = \"x\")] @",
    "impl<const N: usize> S<N> { const X: u8 = { 3 }; @ }",
    "impl T for Box<dyn S> { @ }",
    "const C: char = '{'; static X: &str = \"}\"; @",
    "trait T { fn a(x: [u8; { 3 }]); @ }",
];

const STATEMENTS: &[&str] = &[
    "xs.iter().map(|x| @.await);",
    "let a = @.await?;",
    "@.await?;",
    "@.await?;",
    "let Ok(a) = @.await else { return };",
    "let b = &a; log(b, \"{a}\");",
    "xs.push(a);",
    "if a { @.await?; }",
    "for x in xs { @.await?; }",
    "let c = a.map(|x| x.id);",
    "return Ok(());",
    "let s = S { a, b: c };",
    "{ @.await?; }",
    "other!(@.await);",
    "let q = sql!(\"SELECT 3\");",
    "let e = q.fetch_all(db).await?;",
    "let f = @;",
    "cache.invalidate(a);",
    "let g = a.is_some();",
    "db.execute(\"DELETE FROM t\").await?;",
    "sqlx::query(\"SELECT 1\").execute(db).await?;",
    "let mut tx = db.begin().await?;",
    "tx.commit().await?;",
    "save(@.await?, a).await;",
    "let v = Some(@.await?);\n\n",
    "client.query(\"SELECT 1\", a).await?;",
    "// ü\n",
    "match a { Some(b) => @.await?, _ => x };",
    "match a { A | B => @.await?, _ => x };",
    "log!(\"{}\", a);",
    "log!(for a in b { c(|d| d) });",
    "async move { @.await }.await?;",
    "let c = @.await.map_err(|e| f(e))?;",
    "let c = f(|e| e, @.await);",
    "while let Some(_) = @.await? {}",
    "let Some(_) = @.await? else { return };",
    "if @.await?.is_some() {}",
    "if let None = @.await? {}",
    "xs.iter().for_each(|x| { @.await; });",
    "let h = |x| { @.await };",
    "let h = |x| { x };",
    "if a || b { @.await?; }",
    "if !a { @.await?; }",
    "if let Some(x) = cache.get(a) { return x }",
    "loop { if a { break; } }",
    "let s = \"for x in xs { |y| }\"; let c = '|';",
    "'b: { @.await?; break 'b; }",
    "if let Some(a) = b && let Some(c) = d { @.await?; }",
    "tokio::select! { r = @ => r, _ = tick() => {} }",
    "stream::iter(xs).then(|x| async move { @.await });",
    "let x = const { 3 };",
    "#[cfg(a)] @.await?;",
    "return @.await;",
    "S { a: @.await?, ..b };",
];

const MACROS: &[&str] = &[
    "sql!(\"SELECT 1\", a, b.c)",
    "query_budget::sql!(r#\"SELECT 'ü'\"#,)",
    "::query_budget::sql!(\"SELECT 1\")",
    "sql_as!(Row, \"SELECT a\n  FROM b\", &id)",
    "sql_as!(a::Row, \"SELECT a\")",
    "sql_scalar!(\"SELECT a\", self.id, &a.b.c)",
    "sql!(\"a\\n\", x)",
    "sql!(\"SELECT 2\", f(x), 1, None)",
    "query_budget::query!(\"SELECT 1\")",
    "sql!(\"a\", x.id() as i64, *y, 5, &*z.w.as_str(), v.len())",
    "sql!(\"a\", x.0, -1)",
    "sql!(\"a\", x as _, y as Option<i64>)",
    "sql!(\"a\", self.name.clone().trim())",
    "sql!(\"a\", true, false)",
    "sql!(r##\"SELECT '\"#' \"##, &&a, a.0.1)",
    "sql_as!(Self, \"SELECT\t1\", a.await, None as Option<u8>)",
];

const METHODS: &[&str] =
    &[".fetch_all", ".fetch_one", ".fetch_optional", ".execute", ".cached(s).fetch_all", ".fetch"];

const CONNECTIONS: &[&str] = &[
    "db",
    "&mut *tx",
    "&self.pool",
    "&mut **tx",
    "self.db()",
    "&mut db.pool",
    "state.db()",
    "&*self.pool().inner",
    "tx.as_mut()",
    "a, b",
];

fn one_of(all: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(all)
}

fn statement() -> impl Strategy<Value = String> {
    (one_of(STATEMENTS), one_of(MACROS), one_of(METHODS), one_of(CONNECTIONS)).prop_map(
        |(statement, made, method, connection)| {
            statement.replace('@', &format!("{made}{method}({connection})"))
        },
    )
}

fn source() -> impl Strategy<Value = String> {
    let function = (one_of(AROUND), proptest::collection::vec(statement(), 1..4));
    let functions = proptest::collection::vec(function, 1..4);
    (one_of(HEADS), functions).prop_map(|(head, functions)| {
        let mut source = format!("{head}\n\n");
        for (at, (around, statements)) in functions.into_iter().enumerate() {
            let body = statements.join(" ");
            let function = format!("async fn f{at}(db: &PgPool, a: i64) -> R {{ {body} Ok(()) }}");
            source.push_str(&around.replace('@', &function));
            source.push('\n');
        }
        source
    })
}

// In parts, which run at the same time.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn sites_are_those_of_a_walk(source in source()) {
        compare(&source)?;
    }

    #[test]
    fn sites_are_those_of_a_walk_in_a_second_part(source in source()) {
        compare(&source)?;
    }

    #[test]
    fn sites_are_those_of_a_walk_in_a_third_part(source in source()) {
        compare(&source)?;
    }

    #[test]
    fn sites_are_those_of_a_walk_in_a_fourth_part(source in source()) {
        compare(&source)?;
    }
}
