//! Blocks that run DDL, and what they may have touched.

use super::*;

fn replayed(dialect: Dialect, sql: &str) -> Replay {
    let mut replay = Replay::new(dialect);
    replay.apply(sql, "a.sql");
    replay
}

#[track_caller]
fn check(dialect: Dialect, sql: &str, columns: &str) {
    let replay = replayed(dialect, &format!("CREATE TABLE t (id int); {sql}"));
    let table = replay.schema.table(None, "t").expect("the table");
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names.join(" "), columns, "{sql}");
    assert_eq!((&replay.problems, &replay.schema.gaps), (&vec![], &vec![]), "{sql}");
}

#[test]
fn composed_statements_are_followed_as_far_as_they_are_known() {
    for sql in [
            "DO $$ DECLARE d int; BEGIN SELECT max(id) INTO d FROM t; EXECUTE format('ALTER TABLE t ADD x int DEFAULT %s', d); END $$",
            "DO $$ DECLARE d int := 3; BEGIN EXECUTE 'ALTER TABLE t ADD x int DEFAULT ' || d; END $$",
            "DO $$ DECLARE n text; BEGIN FOREACH n IN ARRAY ARRAY['t'] LOOP EXECUTE format('ALTER TABLE %I ADD x int', n); END LOOP; END $$",
            "CREATE PROCEDURE p(n regclass) LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('ALTER TABLE %s ADD x int', n); END $$;
             CALL p('t'); DROP PROCEDURE p",
            "DO $$ DECLARE n text; BEGIN FOREACH n IN ARRAY '{t}'::text[] LOOP EXECUTE format('ALTER TABLE %I ADD x int', n); END LOOP; END $$",
            "DO $$ DECLARE s text; l text[] := ARRAY['ALTER TABLE t ADD x int', 'SELECT 1']; BEGIN FOREACH s IN ARRAY l LOOP EXECUTE s; END LOOP; END $$",
            "CREATE FUNCTION p(n name, c name DEFAULT 'x') RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('ALTER TABLE %I ADD %I int', n, c); END $$;
             CREATE TABLE u (id int); SELECT p('u'), p('t') AS done; DROP FUNCTION p",
            "CREATE FUNCTION p(a int, n text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER TABLE ' || $2 || ' ADD x int'; END $$;
             SELECT p(n => 't', a => 1); DROP FUNCTION p",
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT unnest(ARRAY['t']) AS n LOOP EXECUTE format('ALTER TABLE %I ADD x int', r.n); END LOOP; END $$",
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT u.n FROM unnest('{t}'::text[]) AS u(n) LOOP EXECUTE format('ALTER TABLE %I ADD x int', r.n); END LOOP; END $$",
            "DO $$ DECLARE r record; BEGIN FOR r IN (VALUES ('t', 'int')) LOOP EXECUTE format('ALTER TABLE %I ADD x %s', r.column1, r.column2); END LOOP; END $$",
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM (VALUES ('x', 'int')) AS q(n, ty) LOOP EXECUTE format('ALTER TABLE t ADD %I %s', r.n, r.ty); END LOOP; END $$",
            "DO $$ DECLARE i int := 1; BEGIN WHILE i < 2 LOOP EXECUTE format('ALTER TABLE t ADD x int'); i := i + 1; END LOOP; END $$",
        ] {
            check(Dialect::Postgres, sql, "id x");
        }
    for sql in [
            "SET @s = CONCAT('ALTER TABLE ', 't', ' ADD x int'); PREPARE p FROM @s; EXECUTE p",
            "SET @n = NULL; SET @s = CONCAT('ALTER TABLE t ADD ', IFNULL(@n, 'x'), ' int'); PREPARE p FROM @s; EXECUTE p",
            "CREATE PROCEDURE w() BEGIN DECLARE i INT DEFAULT 1; WHILE i < 2 DO
             EXECUTE IMMEDIATE CONCAT('ALTER TABLE t ADD x', '', ' int'); SET i = i + 1; END WHILE; END; CALL w()",
            "SET @n = (SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 't' AND column_name = 'x');
             SET @s = IF(@n = 0, 'ALTER TABLE t ADD x int', 'DO 0'); PREPARE p FROM @s; EXECUTE p",
            "SELECT IF(1 = 1, 'ALTER TABLE t ADD x int', 'DO 0') INTO @s; EXECUTE IMMEDIATE @s",
            "SELECT IF(COUNT(*) = 0, 'ALTER TABLE t ADD x int', 'DO 0') INTO @s FROM information_schema.columns
             WHERE table_name = 't' AND column_name = 'x'; PREPARE p FROM @s; EXECUTE p",
            "SET @s = (SELECT CASE WHEN COUNT(*) > 0 THEN 'DO 0' ELSE 'ALTER TABLE t ADD x int' END
             FROM information_schema.columns WHERE table_name = 't' AND column_name = 'x'); EXECUTE IMMEDIATE @s",
        ] {
            check(Dialect::MySql, sql, "id x");
        }
    check(Dialect::MySql, "SET @s = 'ALTER TABLE t ADD x int'; PREPARE p FROM @s", "id");
}

#[test]
fn loops_over_values_and_numbers() {
    let add = "EXECUTE format('ALTER TABLE t ADD c%s int', v); END LOOP; END $$";
    for (values, columns) in [
        ("1..2", "id c1 c2"),
        ("2..1", "id"),
        ("REVERSE 2..1", "id c2 c1"),
        ("reverse 1..2", "id"),
        ("SELECT * FROM (VALUES ('a'), ('b')) w(x)", "id ca cb"),
        ("SELECT unnest(ARRAY['a', 'b'])", "id ca cb"),
    ] {
        check(
            Dialect::Postgres,
            &format!("DO $$ DECLARE v text; BEGIN FOR v IN {values} LOOP {add}"),
            columns,
        );
    }
    // Its start is not known.
    let sql = format!("CREATE TABLE t (id int); DO $$ DECLARE v text; BEGIN FOR v IN 3 - 2..1 LOOP {add}");
    assert_eq!(replayed(Dialect::Postgres, &sql).problems.len(), 1);
    // The variable of a loop over rows has no value from before.
    let sql = format!(
        "CREATE TABLE t (id int); DO $$ DECLARE v text := 'x'; BEGIN FOR v IN SELECT n FROM names LOOP {add}"
    );
    let replay = replayed(Dialect::Postgres, &sql);
    assert_eq!(replay.schema.table(None, "t").expect("the table").columns.len(), 1);
}

#[test]
fn a_partition_of_unknown_bounds_is_not_made() {
    let sql = "CREATE TABLE t (id int, d date) PARTITION BY RANGE (d);
                   DO $$ DECLARE d date := now(); BEGIN
                   EXECUTE format('CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (%L) TO (%L)', d, d + 1); END $$";
    let replay = replayed(Dialect::Postgres, sql);
    assert_eq!((replay.schema.tables.len(), replay.schema.gaps.len()), (1, 1));
}

#[test]
fn what_cannot_be_followed_is_told_once_with_its_line() {
    let sql = "CREATE TABLE t (id int);\nDO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP
             EXECUTE format('ALTER TABLE %I ADD x int', r.a); EXECUTE format('DROP TABLE %I', r.a); END LOOP; END $$";
    let replay = replayed(Dialect::Postgres, sql);
    let told: Vec<String> = replay.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["a.sql:2: a DO block runs DDL in a loop: what it changes is not known"]);
    assert_eq!(replay.schema.gaps, ["a DO block runs DDL in a loop (a.sql:2)"]);
}

#[test]
fn variables_of_a_body_make_no_tables() {
    let sql = "CREATE TABLE t (id int); DO $$ DECLARE t int; v int; BEGIN SELECT 1 INTO t; SELECT id FROM t LIMIT 1 INTO v; END $$";
    let replay = replayed(Dialect::Postgres, sql);
    assert_eq!(replay.schema.tables.len(), 1);
}

#[test]
fn functions_that_call_themselves_end() {
    let calls = "PERFORM f();".repeat(8);
    let sql = format!(
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {calls} EXECUTE 'CREATE TABLE x (id int)'; END $$; SELECT f();"
    );
    let replay = replayed(Dialect::Postgres, &sql);
    assert!(replay.steps < 2 * STEPS, "{} steps", replay.steps);
    assert!(!replay.schema.gaps.is_empty());
}

#[test]
fn loops_over_other_rows_are_not_guessed() {
    for sql in [
        "DO $$ DECLARE n text; BEGIN FOR n IN SELECT 'p_' || unnest(ARRAY['t']) LOOP EXECUTE format('ALTER TABLE %I ADD x int', n); END LOOP; END $$",
        "DO $$ DECLARE n text; BEGIN FOR n IN SELECT * FROM unnest(ARRAY['t']) u WHERE u <> 't' LOOP EXECUTE format('ALTER TABLE %I ADD x int', n); END LOOP; END $$",
    ] {
        let replay = replayed(Dialect::Postgres, &format!("CREATE TABLE t (id int); {sql}"));
        assert_eq!(replay.schema.table(None, "t").map(|table| table.columns.len()), Some(1), "{sql}");
        assert_eq!(replay.schema.gaps.len(), 1, "{sql}");
    }
    let looped = "CREATE TABLE t (id int); CREATE PROCEDURE w() BEGIN DECLARE i INT; WHILE i < 2 DO
        EXECUTE IMMEDIATE CONCAT('ALTER TABLE t ADD x', i, ' int'); END WHILE; END; CALL w()";
    assert!(!replayed(Dialect::MySql, looped).schema.gaps.is_empty(), "it is told");
}

#[test]
fn loops_that_are_left_early_are_not_followed() {
    for body in [
        "FOREACH n IN ARRAY ARRAY['x', 'y'] LOOP EXIT WHEN n = 'y'; EXECUTE format('ALTER TABLE t ADD %I int', n); END LOOP",
        "FOR n IN 1..3 LOOP IF n = 2 THEN CONTINUE; END IF; EXECUTE format('ALTER TABLE t ADD %I int', n); END LOOP",
        "WHILE true LOOP ALTER TABLE t ADD x int; RETURN; END LOOP",
    ] {
        let replay = replayed(
            Dialect::Postgres,
            &format!("CREATE TABLE t (id int); DO $$ DECLARE n text; BEGIN {body}; END $$"),
        );
        assert_eq!(replay.schema.gaps.len(), 1, "{body}");
    }
    let left =
        "CREATE TABLE t (id int); CREATE PROCEDURE w() BEGIN DECLARE i INT DEFAULT 0; a: WHILE i < 2 DO
        ALTER TABLE t ADD x int; LEAVE a; END WHILE; END; CALL w()";
    let gaps = replayed(Dialect::MySql, left).schema.gaps;
    assert!(gaps.iter().any(|gap| gap.contains("runs DDL in a loop")), "{gaps:?}");
    let whole = "DO $$ DECLARE n text; BEGIN FOREACH n IN ARRAY ARRAY['exit', 'y'] LOOP \
        EXECUTE format('ALTER TABLE t ADD %I int', n); END LOOP; RETURN; END $$";
    check(Dialect::Postgres, whole, "id exit y");
}

#[test]
fn loops_inside_loops_end_with_the_steps() {
    let nested = "WHILE true LOOP ".repeat(5) + "ALTER TABLE t ADD x int; " + &"END LOOP; ".repeat(5);
    let each = "FOR i IN 1..64 LOOP ".repeat(5) + "PERFORM 1; " + &"END LOOP; ".repeat(5);
    for body in [nested, each] {
        let replay = replayed(
            Dialect::Postgres,
            &format!("CREATE TABLE t (id int); DO $$ DECLARE i int; BEGIN {body} END $$"),
        );
        assert!(replay.steps > STEPS && replay.steps < STEPS + 1_000, "{} steps", replay.steps);
    }
}

#[test]
fn a_loop_that_changes_types_leaves_them_unknown() {
    let tables = "CREATE TABLE t (id int, at timestamp, day date, name text); CREATE TABLE u (at timestamp);";
    let types = |sql: &str| {
        let replay = replayed(Dialect::Postgres, &format!("{tables} {sql}"));
        let table = replay.schema.table(None, "t").expect("the table");
        table.columns.iter().map(|column| column.ty.clone()).collect::<Vec<_>>().join(", ")
    };
    let over = |head: &str, statement: &str| {
        types(&format!(
            "DO $$ DECLARE r record; BEGIN FOR r IN {head} LOOP EXECUTE {statement}; END LOOP; END $$"
        ))
    };
    let plain = "integer, timestamp without time zone, date, text";
    let tables = "SELECT tablename FROM pg_tables";
    assert_eq!(
        over(tables, "format('ALTER TABLE %I ALTER COLUMN at TYPE timestamptz', r.tablename)"),
        "integer, , date, text"
    );
    assert_eq!(
        over(
            "SELECT * FROM information_schema.columns",
            "format('ALTER TABLE %I ALTER %I TYPE timestamptz', r.table_name, r.column_name)"
        ),
        "integer, , , text"
    );
    assert_eq!(
        over(tables, "'ALTER TABLE ' || r.tablename || ' ALTER id TYPE bigint'"),
        ", timestamp without time zone, date, text"
    );
    assert_eq!(over(tables, "format('ALTER TABLE %I ADD COLUMN y int', r.tablename)"), plain);
}

#[test]
fn an_error_that_is_handled_undoes_its_block() {
    for (body, columns) in [
        (
            "ALTER TABLE t ADD y int; ALTER TABLE t ADD id int; EXCEPTION WHEN duplicate_column THEN NULL;",
            "id",
        ),
        ("ALTER TABLE t ADD id int; ALTER TABLE t ADD y int; EXCEPTION WHEN others THEN NULL;", "id"),
        ("ALTER TABLE t ADD y int; RAISE EXCEPTION 'no'; EXCEPTION WHEN others THEN NULL;", "id"),
        ("DROP TABLE t; RAISE division_by_zero; EXCEPTION WHEN others THEN NULL;", "id"),
        ("ALTER TABLE t ADD y int; RAISE NOTICE 'yes'; EXCEPTION WHEN others THEN NULL;", "id y"),
        (
            "BEGIN ALTER TABLE t ADD id int; EXCEPTION WHEN others THEN NULL; END; ALTER TABLE t ADD y int;",
            "id y",
        ),
        ("ALTER TABLE t ADD y int; EXCEPTION WHEN others THEN ALTER TABLE t ADD z int;", "id y"),
    ] {
        check(Dialect::Postgres, &format!("DO $$ BEGIN {body} END $$"), columns);
    }
    // Whether the first error is one is not known: something that may be there is dropped, or a RAISE may not be reached.
    let unknown = "DO $$ DECLARE c text; BEGIN SELECT n INTO c FROM names; \
                   EXECUTE format('ALTER TABLE t ADD CONSTRAINT %I CHECK (id > 0)', c); END $$;";
    for (before, body) in [
        (
            unknown,
            "ALTER TABLE t ADD y int; ALTER TABLE t DROP CONSTRAINT x; EXCEPTION WHEN undefined_object THEN NULL;",
        ),
        (
            "",
            "ALTER TABLE t ADD y int; IF x THEN RETURN; END IF; RAISE EXCEPTION 'no'; EXCEPTION WHEN others THEN NULL;",
        ),
    ] {
        let sql = format!("CREATE TABLE t (id int); {before} DO $$ BEGIN {body} END $$");
        let replay = replayed(Dialect::Postgres, &sql);
        assert!(replay.schema.table(None, "t").is_some_and(|table| table.column("y").is_some()), "{body}");
        assert!(!replay.schema.gaps.is_empty(), "{body}");
    }
    let body = "ALTER TABLE t ADD id int; EXCEPTION WHEN others THEN ALTER TABLE t ADD z int;";
    let replay = replayed(Dialect::Postgres, &format!("CREATE TABLE t (id int); DO $$ BEGIN {body} END $$"));
    assert_eq!(replay.schema.gaps.len(), 1, "which handler runs is not known");
    assert!(replay.schema.table(None, "t").is_some_and(|table| table.column("z").is_some()));
}

/// The columns and indexes that any table may have after code that adds them to tables that it looks up.
#[track_caller]
fn check_loose(dialect: Dialect, sql: &str, columns: &[&str], indexes: &[&str]) {
    let replay = replayed(dialect, &format!("CREATE TABLE t (id int, a int); {sql}"));
    let loose: Vec<&String> = replay.schema.loose_columns.keys().collect();
    assert_eq!(loose, columns, "{sql}");
    assert_eq!(replay.schema.loose_indexes.iter().collect::<Vec<_>>(), indexes, "{sql}");
    assert!(!replay.schema.gaps.is_empty(), "{sql}");
}

#[test]
fn what_a_loop_adds_to_tables_that_it_looks_up_any_table_may_have() {
    let looped = |body: &str| {
        format!(
            "DO $$ DECLARE n text; s text; BEGIN FOR n IN SELECT tablename FROM pg_tables LOOP {body} END LOOP; END $$"
        )
    };
    let made = "CREATE FUNCTION mk(n text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('ALTER TABLE %I ADD x int', n); EXECUTE format('CREATE INDEX ON %I (a)', n); END $$;";
    for (before, body) in [
        ("", "EXECUTE format('ALTER TABLE %I ADD x int; CREATE INDEX ON %I (a)', n, n);"),
        ("", "EXECUTE 'ALTER TABLE ' || n || ' ADD x int; CREATE INDEX ON ' || n || ' (a)';"),
        (
            "",
            "s := format('ALTER TABLE %I ADD x int', n); EXECUTE s; EXECUTE format('CREATE INDEX ON %I (a)', n);",
        ),
        ("", "EXECUTE format('ALTER TABLE %I ADD x int, ADD CONSTRAINT %I UNIQUE (a)', n, n || '_u');"),
        (made, "PERFORM mk(n);"),
    ] {
        check_loose(Dialect::Postgres, &format!("{before} {}", looped(body)), &["x"], &["a"]);
    }
    let cursor = "DECLARE done INT DEFAULT 0; DECLARE n VARCHAR(64); DECLARE c CURSOR FOR SELECT table_name FROM information_schema.tables;
        DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1; OPEN c;";
    let add = "SET @s = CONCAT('ALTER TABLE ', n, ' ADD x int, ADD KEY (a)'); PREPARE p FROM @s; EXECUTE p;";
    for body in [
        format!("{cursor} l: LOOP FETCH c INTO n; IF done THEN LEAVE l; END IF; {add} END LOOP; CLOSE c;"),
        format!("{cursor} REPEAT FETCH c INTO n; IF NOT done THEN {add} END IF; UNTIL done END REPEAT;"),
        "FOR r IN (SELECT table_name AS n FROM information_schema.tables) DO
            EXECUTE IMMEDIATE CONCAT('ALTER TABLE `', r.n, '` ADD x int, ADD KEY (a)'); END FOR;"
            .to_owned(),
    ] {
        check_loose(
            Dialect::MySql,
            &format!("CREATE PROCEDURE m() BEGIN {body} END; CALL m()"),
            &["x"],
            &["a"],
        );
    }
}

#[test]
fn a_body_that_is_repeated_runs_before_its_condition_is_tested() {
    let sql = "CREATE PROCEDURE w() BEGIN DECLARE i INT DEFAULT 0; REPEAT SET i = i + 1;
        EXECUTE IMMEDIATE CONCAT('ALTER TABLE t ADD x', i, ' int'); UNTIL i >= 2 END REPEAT; END; CALL w()";
    check(Dialect::MySql, sql, "id x1 x2");
    check(Dialect::MySql, &sql.replace(">= 2", ">= 0"), "id x1");
}

/// As psql 15 runs them.
#[test]
fn what_a_query_returns_is_executed_by_gexec() {
    for sql in [
        "SELECT 'ALTER TABLE t ADD x int'\\gexec\n",
        "SELECT format('ALTER TABLE %I ADD %I int', 't', c) FROM unnest(ARRAY['x']) AS c \\gexec\n",
        "SELECT 'ALTER TABLE t ADD x int' WHERE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'none')\n\\gexec\n",
        "VALUES ('ALTER TABLE t ADD x int'), ('SELECT 1')\\gexec\n",
        "SELECT 'ALTER TABLE t ADD x int' UNION ALL SELECT 'SELECT 1';\n\\gexec\n",
        "SELECT 'CREATE DATABASE d' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'd')\\gexec\nALTER TABLE t ADD x int",
        "SELECT 'CREATE ROLE ' || r FROM roles\\gexec\nALTER TABLE t ADD x int",
        "SELECT 'ALTER TABLE t ADD y int' \\gset v_\nALTER TABLE t ADD x int",
    ] {
        check(Dialect::Postgres, sql, "id x");
    }
    let index = "SELECT format('CREATE INDEX ON %I (a)', relname) FROM pg_class WHERE relkind = 'r' \\gexec\nCREATE TABLE u (a int);";
    check_loose(Dialect::Postgres, index, &[], &["a"]);
    assert_eq!(replayed(Dialect::Postgres, index).schema.tables.len(), 1);
    check_loose(Dialect::Postgres, "SELECT sql FROM plan \\gexec\n", &[""], &[""]);
    let replay = replayed(Dialect::Postgres, "SELECT sql FROM plan\n\\gexec");
    assert!(replay.problems[0].message.starts_with("`\\gexec` runs DDL"), "{:?}", replay.problems);
}

/// Which indexes of `t` there are, with `?` behind those in doubt.
#[track_caller]
fn indexes(dialect: Dialect, sql: &str) -> String {
    let sql = format!("CREATE TABLE t (id int, a int, b int); CREATE INDEX old ON t (a); {sql}");
    let replay = replayed(dialect, &sql);
    let table = replay.schema.table(None, "t").expect("the table");
    let named = table.indexes.iter().map(|it| format!("{}{}", it.name, if it.doubtful { "?" } else { "" }));
    named.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_stands_behind_a_return_does_not_run() {
    let of = |body: &str| indexes(Dialect::Postgres, &format!("DO $$ {body} $$"));
    let data = "(SELECT count(*) FROM t) > 5";
    let make = "CREATE INDEX n ON t (b);";
    for (body, expected) in [
        (format!("BEGIN RETURN; {make} END"), "old"),
        (format!("BEGIN IF to_regclass('t') IS NOT NULL THEN RETURN; END IF; {make} END"), "old"),
        (format!("BEGIN IF to_regclass('u') IS NOT NULL THEN RETURN; END IF; {make} END"), "old n"),
        (format!("BEGIN IF {data} THEN RETURN; END IF; {make} END"), "old n?"),
        (format!("BEGIN IF {data} THEN NULL; ELSE RETURN; END IF; {make} END"), "old n?"),
        (format!("BEGIN IF {data} THEN RETURN; END IF; DROP INDEX old; END"), "old?"),
        (format!("BEGIN IF {data} THEN {make} END IF; END"), "old n?"),
        (format!("BEGIN CASE WHEN {data} THEN {make} ELSE DROP INDEX old; END CASE; END"), "old? n?"),
        // The condition asks whether it is to be made.
        (
            format!(
                "BEGIN IF EXISTS (SELECT FROM pg_index WHERE a LIKE 'n') THEN RETURN; END IF; {make} END"
            ),
            "old n",
        ),
        (
            format!("BEGIN FOR i IN SELECT a FROM t LOOP IF i = 1 THEN RETURN; END IF; END LOOP; {make} END"),
            "old n?",
        ),
        (format!("BEGIN FOR i IN SELECT a FROM t LOOP EXIT WHEN i = 1; END LOOP; {make} END"), "old n"),
        (
            format!(
                "<<o>> BEGIN <<l>> FOR i IN SELECT a FROM t LOOP EXIT o WHEN i = 1; END LOOP; {make} END"
            ),
            "old n?",
        ),
        (
            format!(
                "<<o>> BEGIN <<l>> FOR i IN SELECT a FROM t LOOP EXIT l WHEN i = 1; END LOOP; {make} END"
            ),
            "old n",
        ),
        (format!("BEGIN <<l>> BEGIN IF true THEN EXIT l; END IF; DROP INDEX old; END; {make} END"), "old n"),
        (
            format!(
                "BEGIN BEGIN IF {data} THEN RETURN; END IF; EXCEPTION WHEN others THEN NULL; END; {make} END"
            ),
            "old n?",
        ),
        (format!("BEGIN <<l>> FOREACH i IN ARRAY ARRAY['b'] LOOP {make} END LOOP; END"), "old n"),
    ] {
        assert_eq!(of(&body), expected, "{body}");
    }
}

#[test]
fn mysql_leaves_blocks_by_their_labels() {
    let of = |body: &str| indexes(Dialect::MySql, &format!("CREATE PROCEDURE p() {body}; CALL p()"));
    let there =
        "(SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a')";
    let make = "CREATE INDEX n ON t (b);";
    for (body, expected) in [
        (format!("main: BEGIN IF {there} > 0 THEN LEAVE main; END IF; {make} END"), "old"),
        (format!("main: BEGIN IF {there} = 0 THEN LEAVE main; END IF; {make} END"), "old n"),
        (format!("main: BEGIN IF (SELECT MAX(a) FROM t) > 5 THEN LEAVE main; END IF; {make} END"), "old n?"),
        (format!("BEGIN l: LOOP LEAVE l; END LOOP; {make} END"), "old n"),
    ] {
        assert_eq!(of(&body), expected, "{body}");
    }
}
