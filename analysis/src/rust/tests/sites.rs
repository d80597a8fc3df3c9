//! Which code makes a query, and with which text.

use super::*;
use crate::rust::{Form, Told, scan_in};

/// Checks the forms found in a source, as written.
#[track_caller]
fn check_written(source: &str, expected: &[&str]) {
    let scan = scanned(source);
    let written: Vec<&str> = scan.sites.iter().map(|site| site.written.as_str()).collect();
    assert_eq!(written, expected, "{source}");
}

/// Checks the text of the only site of an async function.
#[track_caller]
fn check_sql(code: &str, expected: &str) {
    assert_eq!(sql(only(&body(code))), expected);
}

#[test]
fn our_macros_by_name_path_and_rename() {
    check_written(
        "use query_budget::sql_as as row;
         fn f() { sql!(\"SELECT 1\"); query_budget::sql_scalar!(\"SELECT 1\"); row!(T, \"SELECT 1\"); }",
        &["sql!", "query_budget::sql_scalar!", "row!"],
    );
}

#[test]
fn a_macro_named_sql_of_this_file_or_of_another_crate_is_not_ours() {
    check_written("macro_rules! sql { () => {} } fn f() { sql!(\"SELECT 1\"); }", &[]);
    check_written("use other::sql; fn f() { sql!(\"SELECT 1\"); }", &[]);
}

#[test]
fn sqlx_macros_in_all_forms() {
    check_written(
        "use sqlx::query_as;
         fn f() {
             sqlx::query!(\"SELECT 1\");
             query_as!(User, \"SELECT 1\");
             sqlx::query_scalar_unchecked!(\"SELECT 1\");
             sqlx::query_file!(\"q.sql\");
             sqlx::query_file_as_unchecked!(User, \"q.sql\", 1);
         }",
        &[
            "sqlx::query!",
            "query_as!",
            "sqlx::query_scalar_unchecked!",
            "sqlx::query_file!",
            "sqlx::query_file_as_unchecked!",
        ],
    );
}

#[test]
fn macros_of_the_project_that_wrap_a_query() {
    let rules =
        "macro_rules! user { ($sql:expr, $($rest:tt)*) => { sqlx::query_as!(User, $sql, $($rest)*) } }
        macro_rules! log { ($text:expr) => { println!($text) } }";
    let check = |call: &str, expected: &[&str]| {
        check_written(&format!("{rules} async fn f() {{ {call}.fetch_one(db).await; }}"), expected);
    };
    check("user!(\"SELECT id FROM users WHERE id = $1\", id)", &["user!"]);
    check("crate::named_query!(Vec<User>, db, \"SELECT id FROM users\")", &["crate::named_query!"]);
    check("log!(\"SELECT id FROM users\")", &[]);
    check("query_case!(match x { 1 => \"SELECT 1 FROM users\" })", &[]);
}

#[test]
fn a_bare_macro_counts_when_its_text_is_sql() {
    check_written("fn f() { query!(\"SELECT 1\"); query!(\"name\"); }", &["query!"]);
    check_written("use other::query; fn f() { query!(\"SELECT 1\"); }", &[]);
}

#[test]
fn a_bare_function_counts_only_when_imported_from_sqlx() {
    check_written("use sqlx::query; fn f() { query(\"SELECT 1\"); }", &["query"]);
    check_written("use sqlx::query as q; fn f() { q(\"SELECT 1\"); }", &["q"]);
    check_written("fn f() { query(\"SELECT 1\"); }", &[]);
    check_written("fn query(s: &str) {} fn f() { query(\"SELECT 1\"); }", &[]);
}

#[test]
fn an_import_of_the_module_around_comes_in_by_glob_only() {
    check_written("use sqlx::query; mod m { use super::*; fn f() { query(\"SELECT 1\"); } }", &["query"]);
    check_written("use sqlx::query; mod m { fn f() { query(\"SELECT 1\"); } }", &[]);
}

#[test]
fn functions_with_turbofish_and_raw_sql_and_builders() {
    check_written(
        "fn f() {
             sqlx::query_as::<_, User>(\"SELECT 1\");
             sqlx::query_scalar::<Postgres, i64>(\"SELECT 1\");
             sqlx::raw_sql(\"SELECT 1\");
             sqlx::QueryBuilder::<Postgres>::new(\"SELECT 1\");
         }",
        &["sqlx::query_as", "sqlx::query_scalar", "sqlx::raw_sql", "sqlx::QueryBuilder::new"],
    );
}

#[test]
fn a_text_handed_to_an_executor_is_a_site() {
    let scan =
        scanned("use sqlx::Executor; async fn f(db: &PgPool) { db.execute(\"DELETE FROM t\").await; }");
    let site = only(&scan);
    assert_eq!(
        (sql(site), site.call.as_ref().map(|call| call.method.as_str())),
        ("DELETE FROM t", Some("execute"))
    );
    check_written(
        "use sqlx::Executor; async fn f() { db.execute(format!(\"DROP TABLE {t}\").as_str()).await; }",
        &["execute"],
    );
    check_written("use sqlx::Executor; async fn f() { task.execute(format!(\"{t}\")).await; }", &[]);
    check_written("async fn f(task: &Task) { task.execute(\"cleanup\").await; }", &[]);
}

#[test]
fn a_query_handed_to_an_executor_is_executed_by_it() {
    let scan =
        scanned("async fn f(db: &PgPool) { let q = sqlx::query(\"SELECT 1\"); db.fetch_all(q).await; }");
    assert_eq!(only(&scan).call.as_ref().map(|call| call.method.as_str()), Some("fetch_all"));
}

#[test]
fn the_method_is_found_through_the_chain_and_through_a_variable() {
    let chain = body("sqlx::query(\"SELECT 1\").bind(1).persistent(false).map(|r| r).fetch_one(db).await?;");
    let call = only(&chain).call.as_ref().expect("the chain runs it");
    assert_eq!((call.method.as_str(), call.place.line), ("fetch_one", 3));
    let variable = body("let q = sql!(\"SELECT 1\");\nq.fetch_all(db).await?;");
    let call = only(&variable).call.as_ref().expect("the variable is run");
    assert_eq!((call.method.as_str(), call.place.line), ("fetch_all", 4));
}

#[test]
fn arguments_come_from_the_macro_and_from_bind() {
    let scan = body("sql!(\"SELECT $1\", x.id as i32, &names).fetch_all(db).await?;");
    let site = only(&scan);
    let written: Vec<&str> = site.arguments.iter().map(|argument| argument.written.as_str()).collect();
    assert_eq!(written, ["x.id as i32", "&names"]);
    assert!(site.arguments_complete);

    let scan = body(
        "let mut q = sqlx::query(\"SELECT 1\").bind(f(a, b));\nfor x in &xs { q = q.bind(x); }\nq.execute(db).await?;",
    );
    let site = only(&scan);
    assert_eq!(
        site.arguments.first().map(|argument| argument.mentions.clone()),
        Some(vec!["f".into(), "a".into(), "b".into()])
    );
    assert!(!site.arguments_complete, "the loop binds more");
}

#[test]
fn arguments_are_unknown_where_a_branch_or_a_macro_binds() {
    let complete = |code: &str| only(&body(code)).arguments_complete;
    assert!(!complete("let q = sqlx::query(\"SELECT $1\").bind(1); if a { q.bind(2).execute(db).await; }"));
    assert!(!complete(
        "let mut q = sqlx::query(\"SELECT $1\"); match a { 1 => q = q.bind(1), _ => q = q.bind(2) }"
    ));
    assert!(!complete("bind_all!(sqlx::query(\"SELECT $1\"), 1).execute(db).await;"));
    assert!(complete("if a { sqlx::query(\"SELECT $1\").bind(1).execute(db).await; }"));
}

#[test]
fn a_macro_that_joins_texts_makes_one_that_is_known_where_its_parts_are() {
    let rules = |text: &str| {
        let source = format!(
            "macro_rules! run {{ ($a:literal, $b:expr) => {{ sqlx::query!({text}, $b) }} }}
             fn f() {{ run!(\"SELECT 1\", 1); }}"
        );
        match &only(&scanned(&source)).sql {
            crate::rust::SiteSql::Literal(sql) => sql.text.to_string(),
            _ => String::new(),
        }
    };
    assert_eq!(rules("$a"), "SELECT 1");
    assert_eq!(rules("$a + \" FROM t\""), "SELECT 1 FROM t");
    assert_eq!(rules("concat!($a, \" FROM t\")"), "SELECT 1 FROM t");
    assert_eq!(rules("concat!($a, stringify!($b))"), "");
}

#[test]
fn texts_of_all_kinds() {
    check_sql("sql!(r#\"SELECT \"a\" FROM t\"#);", "SELECT \"a\" FROM t");
    check_sql("sql!(\"SELECT a \\\n      FROM t\");", "SELECT a FROM t");
    check_sql("sqlx::query(concat!(\"SELECT \", \"a\", 1));", "SELECT a1");
    check_sql("sqlx::query!(\"SELECT a \" + \"FROM t \" + \"WHERE b\");", "SELECT a FROM t WHERE b");
    check_sql("let q = \"SELECT 1\"; sqlx::query(q);", "SELECT 1");
    check_sql("const Q: &str = \"SELECT 1\"; sqlx::query(Q);", "SELECT 1");
    check_sql("sqlx::query(sqlx::AssertSqlSafe(\"SELECT 1\"));", "SELECT 1");
    check_sql("sqlx::query(&String::from(\"SELECT 1\"));", "SELECT 1");
    check_sql("sqlx::query(indoc! {\"\n    SELECT a\n      FROM t\n    \"});", "SELECT a\n  FROM t\n");
}

#[test]
fn constants_of_the_file_and_of_the_type() {
    let source = "const TABLE: &str = \"t\"; const Q: &str = concat!(\"SELECT 1 \", \"FROM t\");
         impl S { const Q: &str = \"SELECT 2\"; fn f() { sqlx::query(Self::Q); } }
         fn g() { sqlx::query(Q); }";
    let scan = scanned(source);
    let texts: Vec<&str> = scan.sites.iter().map(sql).collect();
    assert_eq!(texts, ["SELECT 2", "SELECT 1 FROM t"]);
}

#[test]
fn constants_that_stand_for_each_other_end() {
    let scan = scanned("const A: &str = B; const B: &str = A; fn f() { sqlx::query(A); }");
    assert_eq!(only(&scan).sql, SiteSql::Dynamic);
}

#[test]
fn what_is_made_at_run_time_is_dynamic() {
    for code in [
        "let q = format!(\"SELECT {x}\"); sqlx::query(&q);",
        "let mut q = String::from(\"SELECT\"); q.push_str(\" 1\"); sqlx::query(&q);",
        "sqlx::query(statement);",
        "let mut b = sqlx::QueryBuilder::new(\"SELECT \"); b.push(\"1\"); b.build().fetch_all(db).await?;",
    ] {
        assert_eq!(only(&body(code)).sql, SiteSql::Dynamic, "{code}");
    }
}

#[test]
fn a_variable_hides_a_constant() {
    let scan = scanned("const q: &str = \"SELECT 1\"; fn f(q: &str) { sqlx::query(q); }");
    assert_eq!(only(&scan).sql, SiteSql::Dynamic);
}

#[test]
fn files_are_named_as_written() {
    assert_eq!(
        only(&body("sqlx::query_file!(\"queries/a.sql\");")).sql,
        SiteSql::File("queries/a.sql".into())
    );
    assert_eq!(only(&body("sqlx::query(include_str!(\"../a.sql\"));")).sql, SiteSql::File("../a.sql".into()));
}

/// Checks that each `^` of the second text is under the source of the byte of SQL that it marks.
#[track_caller]
fn check_place(source: &str, word: &str, line: u32, column: u32) {
    let scan = scanned(source);
    let SiteSql::Literal(literal) = &only(&scan).sql else { panic!("no literal") };
    let byte = literal.text.find(word).expect("the word is in the SQL");
    let place = literal.place_of(byte).expect("the place is known");
    assert_eq!((place.line, place.column), (line, column), "{literal:?}");
}

#[test]
fn words_of_the_text_have_places() {
    check_place("fn f() { sql!(\"SELECT é, b\") }", "b", 1, 26);
    check_place("fn f() {\n  sql!(r#\"SELECT a\n      FROM t\"#) }", "t", 3, 12);
    check_place("fn f() {\n  sql!(\"SELECT \\\"a\\\",\\n b\") }", "b", 2, 25);
    check_place("fn f() {\n  sql!(\"SELECT \\u{e9}, \\x41 b\") }", " b", 2, 28);
    check_place("fn f() {\n  sql!(\"SELECT a \\\n     FROM t\") }", "FROM", 3, 6);
    check_place("fn f() {\n  sql!(\"SELECT a \\\r\n     FROM t\") }", "FROM", 3, 6);
    check_place("fn f() {\n  sqlx::query!(\"SELECT a \" +\n    \"FROM t\") }", "t", 3, 11);
    check_place("const Q: &str = \"SELECT a\";\nfn f() { sqlx::query(Q); }", "a", 1, 25);
}

#[test]
fn a_macro_finds_its_site_by_its_own_position() {
    let scan = scanned("fn f() {\n    let é = query_budget::sql!(\"SELECT 1\");\n}");
    assert_eq!(scan.site_at(2, 13).map(|site| site.written.as_str()), Some("query_budget::sql!"));
    assert!(scan.site_at(2, 12).is_none());
}

#[test]
fn bodies_of_other_macros_are_read() {
    check_written(
        "async fn f() {
             let (a, b) = tokio::try_join!(sql!(\"SELECT 1\").fetch_all(db), sql!(\"SELECT 2\").fetch_all(db))?;
             tokio::select! {
                 biased;
                 _ = token.cancelled() => {}
                 row = sqlx::query!(\"SELECT 3\").fetch_one(db), if ready => { sqlx::query!(\"SELECT 4\").execute(db).await?; }
                 else => sqlx::query!(\"SELECT 5\"),
             }
             assert_eq!(sqlx::query_scalar!(\"SELECT 6\").fetch_one(db).await?, 1);
             let value = json!({ \"count\": sqlx::query!(\"SELECT 7\").fetch_one(db).await?.n, \"b\": [1, 2] });
             try_stream! { for x in xs { yield sqlx::query!(\"SELECT 8\").fetch_one(db).await?; } };
         }",
        &["sql!", "sql!", "sqlx::query!", "sqlx::query!", "sqlx::query!", "sqlx::query_scalar!", "sqlx::query!", "sqlx::query!"],
    );
}

#[test]
fn functions_are_named_by_module_type_and_function() {
    let scan = scanned(
        "mod m { impl Events { async fn list() { sql!(\"SELECT 1\"); fn inner() { sql!(\"SELECT 2\"); } } } }
         trait Store { fn get() { sql!(\"SELECT 3\"); } }",
    );
    let functions: Vec<&str> = scan.sites.iter().map(|site| &*site.function).collect();
    assert_eq!(functions, ["m::Events::list", "m::Events::list::inner", "Store::get"]);
}

#[test]
fn test_code_is_told_apart() {
    let scan = scanned(
        "fn a() { sql!(\"SELECT 1\"); }
         #[cfg(test)] mod tests { fn b() { sql!(\"SELECT 2\"); } }
         #[tokio::test] async fn c() { sql!(\"SELECT 3\"); }
         #[sqlx::test(migrations = \"m\")] async fn d() { sql!(\"SELECT 4\"); }
         #[cfg(not(test))] fn e() { sql!(\"SELECT 5\"); }
         #[cfg(all(test, unix))] fn g() { sql!(\"SELECT 6\"); }",
    );
    let tests: Vec<bool> = scan.sites.iter().map(|site| site.in_test).collect();
    assert_eq!(tests, [false, true, true, true, false, true]);
    for path in
        ["tests/it.rs", "crates/a/benches/b.rs", "src/tests.rs", "src/test_utils.rs", "src/testing/db.rs"]
    {
        assert!(only(&scan_at(path)).in_test, "{path}");
    }
    for path in ["src/lib.rs", "src/contest.rs", "src/latest/mod.rs", "tests/src/lib.rs"] {
        assert!(!only(&scan_at(path)).in_test, "{path}");
    }
}

fn scan_at(file: &str) -> Scan {
    super::scan(file, "fn a() { sql!(\"SELECT 1\"); }").expect("it can be read")
}

#[test]
fn the_form_tells_who_checks_the_text() {
    let scan = body("sql!(\"SELECT 1\"); sqlx::query!(\"SELECT 1\"); sqlx::query(\"SELECT 1\");");
    let forms: Vec<Form> = scan.sites.iter().map(|site| site.form).collect();
    assert_eq!(forms, [Form::Checked, Form::SqlxMacro, Form::SqlxFunction]);
}

#[test]
fn a_method_of_the_users_may_bind_what_it_likes() {
    let scan = scanned(
        "fn f() { sqlx::query(\"SELECT $1, $2\").bind(a).bind_audit(b).persistent(false).execute(db); }",
    );
    assert!(!only(&scan).arguments_complete);
    let scan =
        scanned("fn f() { sqlx::query(\"SELECT $1\").bind(a).persistent(false).map(g).fetch_all(db); }");
    assert!(only(&scan).arguments_complete);
}

#[test]
fn an_item_that_an_attribute_reads_costs_itself_alone() {
    let query = "fn f() { sqlx::query(\"SELECT 1\").execute(db); }";
    for item in [
        "#[ext] pub impl str { fn a(&self) {} }",
        "#[x(a = 1)] fn g() -> strange => syntax { 1 }",
        "#[y] query Users { id, name }",
    ] {
        let scan = scanned(&format!("#![allow(x)]\nconst A: B = B {{ c: 1 }};\n{item}\n{query}"));
        assert_eq!(only(&scan).place.line, 4, "{item}");
    }
    // In a module as well.
    let item = "#[ext] pub impl str { fn a(&self) {} }";
    let scan_of = scanned(&format!("mod a {{ mod b {{\n{item}\n{query}\n}} }}"));
    assert_eq!(only(&scan_of).place.line, 3);
    assert!(scan("src/lib.rs", &format!("pub impl str {{}}\n{query}")).is_err(), "nothing reads that");
}

#[test]
fn macros_that_the_crate_hands_on_are_seen() {
    for (uses, call) in [
        ("use super::sql;", "sql!(\"SELECT 1\")"),
        ("use crate::sql;", "sql!(\"SELECT 1\")"),
        ("", "crate::sql!(\"SELECT 1\")"),
        ("use super::query;", "query!(\"SELECT 1\")"),
        ("", "crate::db::query!(\"SELECT 1\")"),
        ("use self::macros::query_scalar;", "query_scalar!(\"SELECT 1\")"),
        ("", "r#query_budget::r#sql!(\"SELECT 1\")"),
    ] {
        let scan = scanned(&format!("{uses}\nfn f() {{ {call}.execute(db); }}"));
        assert_eq!(only(&scan).place.line, 2, "{uses} {call}");
    }
    // A macro with such a name that takes no SQL is one of the crate's own.
    assert_eq!(scanned("fn f() { crate::query!(users, 1); }").sites, []);
}

#[test]
fn a_crate_by_another_name_is_what_it_is() {
    let renamed = [("qb", "query_budget"), ("db", "sqlx")];
    let renamed = renamed.map(|(name, is)| (name.to_owned(), is.to_owned())).into();
    let told = Told { renamed, ..Told::default() };
    for (uses, call) in [
        ("use qb::sql;", "sql!(\"SELECT 1\")"),
        ("use qb::*;", "sql!(\"SELECT 1\")"),
        ("", "qb::sql!(\"SELECT 1\")"),
        ("", "db::query(\"SELECT 1\")"),
        ("use db::query_scalar;", "query_scalar(\"SELECT 1\")"),
        ("", "db::query!(\"SELECT 1\")"),
    ] {
        let source = format!("{uses}\nfn f() {{ {call}.execute(pool); }}");
        let scan = scan_in("src/lib.rs", &source, false, &told).expect("it is read");
        assert_eq!(only(&scan).place.line, 2, "{uses} {call}");
    }
}

#[test]
fn a_query_that_is_put_into_a_value_may_be_given_more_there() {
    let complete = |code: &str| {
        let scan = body(code);
        only(&scan).arguments_complete
    };
    let query = "sqlx::query(\"UPDATE a SET b = $2 WHERE c = $1\")";
    assert!(!complete(&format!("let (q, n) = ({query}, 1); q.bind(1).bind(2).execute(db).await;")));
    assert!(!complete(&format!("let it = It {{ q: {query} }}; it.q.bind(1).bind(2).execute(db).await;")));
    assert!(complete(&format!("{query}.bind(1).bind(2).execute(db).await;")));
    assert!(complete(&format!("let all = ({query}.bind(1).bind(2).execute(db).await, 1);")));
}
