//! Directories as each tool lays them out.

use super::*;

fn select_of(names: &[(&str, &str)]) -> Selected {
    let files = names.iter().map(|(name, sql)| ((*name).to_owned(), sql.as_bytes().to_vec()));
    select("m", files.collect(), None)
}

#[track_caller]
fn check(names: &[&str], tool: Option<&str>, expect: &[&str]) {
    let texts: Vec<String> = (0..names.len()).map(|at| format!("CREATE TABLE t{at} (id int);")).collect();
    let files: Vec<(&str, &str)> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
    let selected = select_of(&files);
    let read: Vec<&str> =
        selected.migrations.iter().map(|it| it.file.strip_prefix("m/").expect("the folder")).collect();
    assert_eq!(read, expect);
    assert_eq!(selected.tool, tool, "{}", selected.told());
}

#[test]
fn sqlx() {
    check(
        &["10_last_one.sql", "2_b.up.sql", "2_b.down.sql", "notes.sql", "1_a.sql", "seeds/1_x.sql"],
        Some("sqlx"),
        &["1_a.sql", "2_b.up.sql", "10_last_one.sql"],
    );
    check(
        &["2_b.sql", "history/1_x.sql", "history/3_y.sql", "history/old.sql", "history/4_z.sql"],
        Some("sqlx"),
        &["2_b.sql"],
    );
    let selected = select_of(&[("2_b.sql", "-- no-transaction\nSELECT 1"), ("1_a.sql", "")]);
    let order: Vec<(i64, &str, bool)> = selected
        .migrations
        .iter()
        .map(|it| (it.version, it.description.as_str(), it.no_transaction))
        .collect();
    assert_eq!(order, [(1, "a", false), (2, "b", true)]);
}

#[test]
fn flyway_and_refinery() {
    check(
        &[
            "V10__c.sql",
            "V9__a.sql",
            "V9.1__b.sql",
            "R__view.sql",
            "U9__a.sql",
            "beforeMigrate.sql",
            "sub/V11__d.sql",
        ],
        Some("Flyway"),
        &["V9__a.sql", "V9.1__b.sql", "V10__c.sql", "sub/V11__d.sql", "R__view.sql"],
    );
    check(&["V2__b.sql", "V1__a.sql"], Some("Flyway or refinery"), &["V1__a.sql", "V2__b.sql"]);
    check(&["U2__b.sql", "U1__a.sql"], Some("refinery"), &["U1__a.sql", "U2__b.sql"]);
    check(
        &["V1__a.sql", "V2__b.sql", "B2__all.sql", "V3__c.sql"],
        Some("Flyway"),
        &["B2__all.sql", "V3__c.sql"],
    );
}

#[test]
fn folders() {
    check(
        &["2020-01-02-000000_b/up.sql", "2020-01-02-000000_b/down.sql", "00000000000000_setup/up.sql"],
        Some("Diesel"),
        &["00000000000000_setup/up.sql", "2020-01-02-000000_b/up.sql"],
    );
    check(
        &["2017-08-31-230457/up.sql", "20140924113530_a/up.sql", "2017-09-01-000000_c/up.sql"],
        Some("Diesel"),
        &["20140924113530_a/up.sql", "2017-08-31-230457/up.sql", "2017-09-01-000000_c/up.sql"],
    );
    check(
        &["2017-08-31-230457/up.sql", "2016-08-31-230457_b/up.sql"],
        Some("Diesel"),
        &["2016-08-31-230457_b/up.sql", "2017-08-31-230457/up.sql"],
    );
    check(&["20200101_a/migration.sql"], Some("Prisma"), &["20200101_a/migration.sql"]);
    check(
        &["default/2_b/up.sql", "default/10_c/up.sql", "default/2_b/down.sql"],
        Some("Diesel"),
        &["default/2_b/up.sql", "default/10_c/up.sql"],
    );
}

#[test]
fn numbers_of_any_form() {
    check(
        &["m0002-b.sql", "m0001-a.sql", "m0010-c.sql"],
        None,
        &["m0001-a.sql", "m0002-b.sql", "m0010-c.sql"],
    );
    check(&["001.do.a.sql", "001.undo.a.sql", "002.do.b.sql"], None, &["001.do.a.sql", "002.do.b.sql"]);
    check(&["sqls/2-b-up.sql", "sqls/2-b-down.sql"], None, &["sqls/2-b-up.sql"]);
    check(&["v2/1-a.sql", "v10/1-a.sql", "v2/2-b.sql"], None, &["v2/1-a.sql", "v2/2-b.sql", "v10/1-a.sql"]);
    check(&["3_count_down.sql"], Some("sqlx"), &["3_count_down.sql"]);
}

#[test]
fn folders_of_databases() {
    let names = ["postgres/V1__a.sql", "mysql/V1__a.sql", "sqlite/V1__a.sql"];
    let files =
        || names.iter().map(|name| ((*name).to_owned(), b"CREATE TABLE t (id int);".to_vec())).collect();
    for (dialect, expect) in [(Some(Dialect::MySql), "mysql/V1__a.sql"), (None, "postgres/V1__a.sql")] {
        let selected = select("", files(), dialect);
        assert_eq!(selected.migrations.len(), 1);
        assert_eq!(selected.migrations[0].file, expect);
    }
}

#[test]
fn files_without_numbers() {
    let selected = select_of(&[
        ("orders.sql", "CREATE TABLE orders (user_id int REFERENCES users (id));"),
        ("users.sql", "CREATE TABLE users (id int PRIMARY KEY);"),
        ("seed.sql", "INSERT INTO users VALUES (1);"),
        ("a_index.sql", "CREATE INDEX i ON orders (user_id);"),
    ]);
    let read: Vec<&str> = selected.migrations.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(read, ["m/users.sql", "m/orders.sql", "m/a_index.sql"]);
    assert_eq!(selected.skipped, ["m/seed.sql"]);
    let none = select_of(&[("seed.sql", "INSERT INTO a VALUES (1);")]);
    assert_eq!((none.migrations.len(), none.skipped.len()), (0, 1));
}

#[test]
fn a_folder_below_that_is_not_read_may_make_tables() {
    let gap = |more| select_of(&[("1_a.sql", "CREATE TABLE a (id int);"), more]).gap;
    let told = Some("the files in m/global are not read".to_owned());
    assert_eq!(gap(("global/2_b.sql", "CREATE TABLE b (id int);")), told);
    assert_eq!(gap(("global/2_b.sql", "INSERT INTO a VALUES (1);")), None);
    assert_eq!(gap(("2_b.sql", "CREATE TABLE b (id int);")), None);
}

#[test]
fn the_whole_schema_of_each_version() {
    let one = "CREATE TABLE a (id int); CREATE TABLE b (id int);";
    let two = "CREATE TABLE a (id int, n int); CREATE TABLE public.b (id int); CREATE TABLE c (id int);";
    let read = |files: &[(&str, &str)]| {
        let selected = select_of(files);
        let read: Vec<String> = selected.migrations.iter().map(|it| it.file.replace("m/", "")).collect();
        (read.join(" "), selected.problems.len())
    };
    for names in [["v9.sql", "v10.sql"], ["1.9/tables.sql", "1.10/tables.sql"], ["all_v1.sql", "all_v2.sql"]]
    {
        assert_eq!(read(&[(names[0], one), (names[1], two)]), (names[1].to_owned(), 1));
        let change = "ALTER TABLE a ADD COLUMN n int; CREATE TABLE c (id int);";
        assert_eq!(read(&[(names[0], one), (names[1], change)]), (names.join(" "), 0), "a change");
        let guarded = one.replace("TABLE", "TABLE IF NOT EXISTS");
        assert_eq!(read(&[(names[0], one), (names[1], &guarded)]).1, 0, "what exists is kept");
        let anew = format!("DROP TABLE a, b; {two}");
        assert_eq!(read(&[(names[0], one), (names[1], &anew)]).1, 0, "made anew");
        let renamed = format!("ALTER TABLE a RENAME TO a_old; ALTER TABLE b RENAME TO b_old; {two}");
        assert_eq!(read(&[(names[0], one), (names[1], &renamed)]).1, 0, "renamed");
    }
    let selected = select_of(&[("v1.sql", one), ("v2.sql", two)]);
    assert_eq!(
        selected.problems[0].to_string(),
        "m/v1.sql: the file is not read: m/v2.sql creates the same tables"
    );
    assert_eq!(read(&[("tables.sql", one), ("tables_mysql.sql", two)]).1, 0, "for another database");
}

#[test]
fn what_is_not_read_is_named() {
    let selected = select_of(&[("1_a.sql", ""), ("notes.sql", "CREATE TABLE b (id int);")]);
    let problem = selected.unread("m").expect("one file is not read");
    assert_eq!(problem.to_string(), "m: `m/notes.sql` is not read: sqlx does not apply it");
    assert_eq!(selected.told(), "1 migration of sqlx");
    let pairs = select_of(&[("000001_a.up.sql", ""), ("000001_a.down.sql", "")]);
    assert_eq!(pairs.told(), "1 migration of sqlx or golang-migrate");
    assert_eq!(select_of(&[("1_a.sql", "")]).unread("m"), None);
}

#[test]
fn marks_in_the_text_name_the_tool() {
    let text = "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n";
    let selected = select_of(&[("20200101000000_a.sql", text)]);
    assert_eq!(selected.told(), "1 migration of dbmate");
    assert_eq!(selected.migrations[0].sql, "\nCREATE TABLE a (id int);\n\n\n");
}

#[test]
fn what_cannot_be_read_is_a_problem() {
    let selected = select("", vec![("1_a.sql".to_owned(), b"a\n\xff".to_vec())], None);
    assert_eq!(selected.migrations, []);
    assert_eq!(selected.problems[0].to_string(), "1_a.sql:2: the file is not UTF-8");
    let twice = select_of(&[("1_a.sql", ""), ("1_b.sql", "")]);
    assert_eq!(twice.migrations.len(), 2);
    assert_eq!(twice.problems[0].to_string(), "m/1_b.sql: version 1 is used by m/1_a.sql as well");
}

#[test]
fn files_of_sql_server_are_named_and_not_read() {
    let text =
        "IF NOT EXISTS (SELECT * FROM sys.objects WHERE name = 'b')\nCREATE TABLE [dbo].[b] ([id] INT)\nGO\n";
    let selected = select_of(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", text)]);
    assert_eq!(selected.migrations.len(), 1);
    assert_eq!(selected.problems[0].to_string(), "m/2_b.sql: it is written for SQL Server, and not read");
    assert_eq!(selected.gap.as_deref(), Some("m/2_b.sql is written for SQL Server, and not read"));
    assert_eq!(select_of(&[("2_b.sql", text)]).migrations, []);
}

#[test]
fn what_programs_name_may_be_columns() {
    let mut selected = select_of(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    let text = "fn migration() { m.add_column(\"name\", t); run(\"ALTER TABLE a ADD b int\"); run(\"SELECT id FROM c\"); }";
    selected.add_program("m/V2__b.rs".to_owned(), text);
    assert_eq!(selected.loose, ["a", "add", "alter", "b", "int", "name", "table"]);
    assert_eq!(selected.gap.as_deref(), Some("m/V2__b.rs is a program, and not read"));
    assert_eq!(
        selected.problems[0].to_string(),
        "m/V2__b.rs: it is a program, which is not read: its changes are unknown"
    );
}

#[test]
fn files_in_other_languages_are_named() {
    for (file, text, loose) in [
        ("m/2_b.js", "exports.up = k => k.schema.createTable('b', t => t.integer(`n`));", "b n"),
        ("m/up.yaml", "- type: create_table\n  name: b\n", "b create_table"),
        ("m/changes.xml", "<createTable tableName=\"b\"/>", "b"),
    ] {
        let mut selected = select_of(&[("1_a.sql", "CREATE TABLE a (id int);")]);
        selected.add_program(file.to_owned(), text);
        assert_eq!(selected.loose.join(" "), loose, "{file}");
        let what = if file.ends_with("js") { "a program" } else { "not SQL" };
        let message = format!("{file}: it is {what}, which is not read: its changes are unknown");
        assert_eq!(selected.problems[0].to_string(), message);
    }
}

#[test]
fn names_of_databases_choose_among_files() {
    let names = [
        "1_a.up.sql",
        "2_b.mysql.up.sql",
        "2_b.postgres.up.sql",
        "2_b.postgres.down.sql",
        "2_b.sqlite3.up.sql",
    ];
    for (dialect, expect) in
        [(Dialect::Postgres, "2_b.postgres.up.sql"), (Dialect::MySql, "2_b.mysql.up.sql")]
    {
        let files = names.iter().map(|name| ((*name).to_owned(), b"CREATE TABLE t (id int);".to_vec()));
        let selected = select("", files.collect(), Some(dialect));
        let read: Vec<&str> = selected.migrations.iter().map(|it| it.file.as_str()).collect();
        assert_eq!(read, ["1_a.up.sql", expect]);
    }
}

#[test]
fn a_base_without_a_number_comes_first() {
    let read = |base: &str| {
        let selected = select_of(&[
            ("upgrade_10.sql", "CREATE INDEX ON public.b (id);"),
            ("init.sql", base),
            ("upgrade_2.sql", "CREATE TABLE b (id int); ALTER TABLE public.users ADD name text;"),
        ]);
        selected.migrations.iter().map(|it| it.file.as_str().replace("m/", "")).collect::<Vec<String>>()
    };
    let upgrades = ["upgrade_2.sql", "upgrade_10.sql"];
    let with_base = ["init.sql", "upgrade_2.sql", "upgrade_10.sql"];
    assert_eq!(read("CREATE TABLE users (id int); CREATE TABLE other (id int);"), with_base);
    assert_eq!(read("CREATE TABLE IF NOT EXISTS public.users (id int);"), with_base);
    // The whole schema, as it is after them; tables of which they know nothing; no tables.
    assert_eq!(read("CREATE TABLE users (id int, name text); CREATE TABLE b (id int);"), upgrades);
    assert_eq!(read("CREATE TABLE reports (id int);"), upgrades);
    assert_eq!(read("INSERT INTO users VALUES (1);"), upgrades);
}

#[test]
fn tables_of_a_schema_that_the_tool_fills_in() {
    let selected = select_of(&[(
        "V1__a.sql",
        "CREATE SCHEMA IF NOT EXISTS ${app};\nCREATE TABLE ${app}.a (id int PRIMARY KEY);\n\
         CREATE TABLE ${app}.b (a_id int REFERENCES ${app}.a (id)); CREATE INDEX ON ${app}.b (a_id);",
    )]);
    let mut replay = crate::schema::Replay::new(Dialect::Postgres);
    selected.migrations.iter().for_each(|migration| replay.apply(&migration.sql, &migration.file));
    assert_eq!(replay.problems, []);
    for sql in ["SELECT a_id FROM b", "SELECT a_id FROM live.b"] {
        let query = crate::sql::resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect(sql);
        assert_eq!(query.problems, [], "{sql}");
    }
}

#[test]
fn migrations_build_upon_a_schema_beside_them() {
    let base = "CREATE TABLE users (id INT PRIMARY KEY, email TEXT);";
    let of = |first: &str, base: &str| {
        let second = "ALTER TABLE users ADD COLUMN z INT;";
        build_upon(base, &select_of(&[("1.sql", first), ("2.sql", second)]).migrations)
    };
    assert!(of("CREATE INDEX e ON users (email);", base));
    assert!(!of(base, base), "a dump of what the migrations make");
    assert!(!of("CREATE INDEX e ON users (email);", "CREATE TABLE other (id INT);"));
}

#[test]
fn of_two_files_for_two_databases_one_is_read() {
    let read = |names: &[&str], dialect: Option<Dialect>| {
        let files = names.iter().map(|name| ((*name).to_owned(), b"CREATE TABLE t (id int);".to_vec()));
        let selected = select("m", files.collect(), dialect);
        selected.migrations.into_iter().map(|it| it.file).collect::<Vec<_>>()
    };
    let twins = ["create_sqlite_table.sql", "create_table.sql"];
    assert_eq!(read(&twins, None), ["m/create_table.sql"]);
    assert_eq!(read(&twins, Some(Dialect::Postgres)), ["m/create_table.sql"]);
    assert_eq!(read(&twins, Some(Dialect::Sqlite)), ["m/create_sqlite_table.sql"]);
    assert_eq!(read(&["create_sqlite_table.sql", "views.sql"], None).len(), 2);
}
