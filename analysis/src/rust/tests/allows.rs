//! What is allowed, and where.

use super::*;

/// Checks the lints and reasons allowed at the only site.
#[track_caller]
fn check(source: &str, expected: &[(&str, Option<&str>)]) {
    let scan = scanned(source);
    let site = only(&scan);
    let allows: Vec<(&str, Option<&str>)> =
        site.allows.iter().map(|allow| (allow.lint.as_str(), allow.reason.as_deref())).collect();
    assert_eq!(allows, expected, "{source}");
}

#[test]
fn a_comment_above_the_statement() {
    check(
        "fn f() {\n    // query-budget: allow(missing_limit): admin export\n    let rows = sqlx::query!(\"SELECT 1\");\n}",
        &[("missing_limit", Some("admin export"))],
    );
    check(
        "fn f() {\n    // query-budget: allow(a, b): both\n    // more words\n    let rows = go(\n        sqlx::query!(\"SELECT 1\"),\n    );\n}",
        &[("a", Some("both")), ("b", Some("both"))],
    );
}

#[test]
fn a_comment_above_the_loop_or_the_line_of_the_query() {
    check(
        "fn f() {\n    // query-budget: allow(query_in_loop): three at most\n    for x in xs {\n        sqlx::query!(\"SELECT 1\");\n    }\n}",
        &[("query_in_loop", Some("three at most"))],
    );
    check(
        "fn f() {\n    let rows = go(\n        // query-budget: allow(a): here\n        sqlx::query!(\"SELECT 1\"),\n    );\n}",
        &[("a", Some("here"))],
    );
}

#[test]
fn a_comment_above_another_statement_is_none_of_it() {
    check(
        "fn f() {\n    // query-budget: allow(a): there\n    go();\n    sqlx::query!(\"SELECT 1\");\n}",
        &[],
    );
    check("fn f() {\n    // query-budget: allow(a): there\n\n    sqlx::query!(\"SELECT 1\");\n}", &[]);
}

#[test]
fn a_comment_above_the_text_or_its_declaration() {
    for source in [
        "fn f() {\n    sqlx::query_scalar(\n        // query-budget: allow(a): text\n        \"SELECT 1\",\n    );\n}",
        "fn f() {\n    // query-budget: allow(a): text\n    let sql = \"SELECT 1\";\n    go();\n    sqlx::query(sql);\n}",
        "fn f() {\n    // query-budget: allow(a): text\n    let sql =\n        concat!(\"SELECT \",\n        \"1\");\n    go();\n    sqlx::query(sql);\n}",
        "// query-budget: allow(a): text\npub const S: &str =\n    \"SELECT 1\";\nfn f() {\n    sqlx::query(S);\n}",
        "fn f() {\n    sqlx::query(concat!(\n        \"SELECT 1\",\n        // query-budget: allow(a): text\n        \" FROM t\",\n    ));\n}",
    ] {
        check(source, &[("a", Some("text"))]);
    }
    check(
        "// query-budget: allow(a): there\nconst T: &str = \"x\";\nconst S: &str = \"SELECT 1\";\nfn f() {\n    sqlx::query(S);\n}",
        &[],
    );
    check(
        "fn f() {\n    // query-budget: allow(a): there\n    let n = 1;\n    let sql = \"SELECT 1\";\n    sqlx::query(sql);\n}",
        &[],
    );
}

#[test]
fn a_missing_reason_and_a_form_that_is_none_are_kept_for_the_lints() {
    check("fn f() {\n    // query-budget: allow(a)\n    sqlx::query!(\"SELECT 1\");\n}", &[("a", None)]);
    check(
        "fn f() {\n    // query-budget: silence a\n    sqlx::query!(\"SELECT 1\");\n}",
        &[("silence a", None)],
    );
}

#[test]
fn attributes_inside_the_macro_and_on_the_function() {
    check(
        "fn f() { sql!(#[allow(missing_limit = \"export\", other)] \"SELECT 1\"); }",
        &[("missing_limit", Some("export")), ("other", None)],
    );
    check(
        "#[allow(missing_limit = \"export\")]\n#[allow(dead_code, reason = \"x\")]\nfn f() { sql!(\"SELECT 1\"); }",
        &[("missing_limit", Some("export")), ("dead_code", Some("x"))],
    );
    check(
        "#[allow(dead_code, missing_limit, query_in_loop, reason = \"export\")]\nfn f() { sql!(\"SELECT 1\"); }",
        &[
            ("dead_code", Some("export")),
            ("missing_limit", Some("export")),
            ("query_in_loop", Some("export")),
        ],
    );
    check(
        "#[allow(missing_limit)]\nfn f() { sql!(#[allow(other, reason = \" \")] \"SELECT 1\"); }",
        &[("missing_limit", None), ("other", None)],
    );
}

#[test]
fn all_allows_of_a_file_are_listed_with_their_places() {
    let scan = scanned(
        "// query-budget: allow(a): x\nfn f() {\n    // query-budget: allow(b): y\n}\n// query-budget: allow(c): z",
    );
    let allows: Vec<(&str, u32, u32)> =
        scan.allows.iter().map(|allow| (allow.lint.as_str(), allow.place.line, allow.place.column)).collect();
    assert_eq!(allows, [("a", 1, 1), ("b", 3, 5), ("c", 5, 1)]);
}

#[test]
fn comments_inside_literals_are_text() {
    let scan = scanned("const S: &str = \"\n// query-budget: allow(a): x\n\";");
    assert_eq!(scan.allows, []);
}
