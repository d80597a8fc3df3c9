//! Texts of queries that stand elsewhere in the file.

use super::*;

/// Checks the text of the only query, as far as it is known: whole, or its beginning.
#[track_caller]
fn check(items: &str, code: &str, expected: &str) {
    let source = format!("use sqlx::PgPool; {items} async fn f(db: &PgPool, t: &str, id: i64) {{ {code} }}");
    let scan = scanned(&source);
    let site = only(&scan);
    let found = match (&site.sql, &site.built) {
        (SiteSql::Literal(text), _) => text.text.to_string(),
        (_, Some(built)) => format!("{}: {}", built.names.join(", "), built.begin),
        _ => String::new(),
    };
    assert_eq!(found, expected, "{source}");
}

#[test]
fn what_a_function_gives_is_its_text() {
    let run = "sqlx::query(TEXT).bind(id).execute(db).await;";
    for (items, text) in [
        ("fn text() -> &'static str { \"DELETE FROM a\" }", "text()"),
        ("const fn text() -> &'static str { return \"DELETE FROM a\"; }", "text()"),
        ("fn text() -> String { \"DELETE FROM a\".to_owned() }", "&text()"),
        ("struct B; impl B { fn sql() -> String { String::from(\"DELETE FROM a\") } }", "&B::sql()"),
        ("struct B; impl B { fn sql(&self) -> String { String::from(\"DELETE FROM a\") } }", "&B.sql()"),
        (
            "struct B; impl B { const T: &'static str = \"DELETE FROM a\"; fn sql() -> &'static str { Self::T } }",
            "B::sql()",
        ),
        (
            "mod m { const T: &str = \"DELETE FROM a\"; pub fn sql() -> &'static str { inner() } fn inner() -> &'static str { T } }",
            "m::sql()",
        ),
        ("const S: [&str; 2] = [\"DELETE FROM a\", \"DELETE FROM b\"];", "S[0]"),
        ("struct Q { sql: &'static str } const S: Q = Q { sql: \"DELETE FROM a\" };", "S.sql"),
        ("const S: &[(&str, i32)] = &[(\"DELETE FROM a\", 1)];", "S[0].0"),
        ("static S: LazyLock<String> = LazyLock::new(|| \"DELETE FROM a\".to_string());", "&S"),
        (
            "static S: OnceLock<String> = OnceLock::new();",
            "S.get_or_init(|| String::from(\"DELETE FROM a\"))",
        ),
        ("", "&[\"DELETE\", \"FROM\", \"a\"].join(\" \")"),
        ("const PARTS: [&str; 2] = [\"DELETE FROM \", \"a\"];", "&PARTS.concat()"),
    ] {
        check(items, &run.replace("TEXT", text), "DELETE FROM a");
    }
    let variable = "let id = \"x\"; sqlx::query(&text(t)).execute(db).await;";
    check("fn text(id: &str) -> String { id.to_string() }", variable, "");
    check("fn text() -> String { let mut s = start(); s.push('a'); s }", "sqlx::query(&text());", "");
    let two = "#[cfg(a)] fn text() -> &'static str { \"SELECT 1\" } #[cfg(b)] fn text() -> &'static str { \"SELECT 2\" }";
    check(two, "sqlx::query(text());", "");
}

#[test]
fn what_a_function_composes_is_known_by_its_beginning() {
    check(
        "fn text(t: &str) -> String { format!(\"UPDATE {t} SET a = 1\") }",
        "sqlx::query(&text(t)).execute(db).await;",
        "t: UPDATE … SET a = 1",
    );
    check(
        "fn text(of: &str, to: i64) -> String { format!(\"UPDATE {of} SET a = {to}\") }",
        "sqlx::query(&text(\"a\", id)).execute(db).await;",
        ": UPDATE … SET a = …",
    );
    check(
        "static S: LazyLock<String> = LazyLock::new(|| format!(\"UPDATE {} SET a = 1\", TABLE));",
        "sqlx::query(&S).execute(db).await;",
        "TABLE: UPDATE … SET a = 1",
    );
    check(
        "",
        "let mut s = String::new(); write!(s, \"DELETE FROM {t}\").unwrap(); s.push_str(\" WHERE a = 1\"); sqlx::query(&s);",
        "t: DELETE FROM … WHERE a = 1",
    );
    check(
        "",
        "for (text, n) in [(\"UPDATE a SET b = 1\", 1), (\"DELETE FROM a\", 2)] { sqlx::query(text).bind(n); }",
        ": UPDATE a SET b = 1",
    );
    check(
        "",
        "for (text, n) in [(\"SELECT 1\", 1), (\"DELETE FROM a\", 2)] { sqlx::query(text).bind(n); }",
        "",
    );
}

#[test]
fn a_constant_of_a_type_is_read_only_by_its_type() {
    let of_type = "struct B; impl B { const T: &'static str = \"DELETE FROM a\"; }";
    let run = "sqlx::query(TEXT).bind(id).execute(db).await;";
    check(of_type, &run.replace("TEXT", "B::T"), "DELETE FROM a");
    for path in ["T", "other::T", "C::T", "crate::sqls::T"] {
        check(of_type, &run.replace("TEXT", path), "");
    }
    check(&format!("use crate::sqls::T; {of_type}"), &run.replace("TEXT", "T"), "");
    // One of a module, by a `*` or by its path.
    let of_module = "mod m { pub const T: &str = \"DELETE FROM a\"; }";
    check(&format!("use m::*; {of_module}"), &run.replace("TEXT", "T"), "DELETE FROM a");
    check(of_module, &run.replace("TEXT", "crate::m::T"), "DELETE FROM a");
    check(of_module, &run.replace("TEXT", "other::T"), "");
    check("mod tests { const T: &str = \"DELETE FROM a\"; }", &run.replace("TEXT", "T"), "");
    // A method's own type is none of the names that are free.
    let method = "struct C; impl C { const T: &'static str = \"DELETE FROM a\"; async fn g(db: &PgPool) { sqlx::query(T).execute(db).await; } }";
    check(method, "", "");
}
