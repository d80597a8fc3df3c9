//! How many rows queries return, by examples.

use super::*;
use crate::schema::{Column, Index, IndexKey, Name, Table};
use crate::sql::{Dialect, resolve};

fn schema() -> Schema {
    let mut schema = Schema::new(Dialect::Postgres);
    for (name, columns) in [("users", vec!["id", "email", "team_id"]), ("teams", vec!["id", "name"])] {
        let mut table = Table::new(Name::new(name));
        table.columns = columns.into_iter().map(|name| Column::new(name, "bigint")).collect();
        table.primary_key = vec!["id".to_owned()];
        if name == "users" {
            table.indexes.push(Index {
                name: "users_email_key".to_owned(),
                method: "btree".to_owned(),
                unique: true,
                primary: false,
                constraint: false,
                keys: vec![IndexKey::column("email")],
                include: Vec::new(),
                predicate: None,
                nulls_not_distinct: false,
                hidden: false,
            });
        }
        schema.tables.insert(table.name.clone(), table);
    }
    schema
}

#[track_caller]
fn check(sql: &str, rows: Rows, reason: &str) {
    let schema = schema();
    let query = resolve(sql, Dialect::Postgres, Some(&schema)).expect("it parses");
    let found = of(&query, Some(&schema));
    assert_eq!((found.rows, found.reason.as_str()), (rows, reason), "{sql}");
}

#[test]
fn distinct_keeps_one_row_of_what_has_one_value() {
    let reason = "it keeps one row of each value, and there is one";
    check("SELECT DISTINCT team_id FROM users WHERE team_id = $1", Rows::One, reason);
    let many = "nothing bounds the rows of `users`";
    check("SELECT DISTINCT team_id, id FROM users WHERE team_id = $1", Rows::Many, many);
    check("SELECT DISTINCT * FROM users WHERE team_id = $1", Rows::Many, many);
}

#[test]
fn null_is_told_apart_where_a_key_may_be_null() {
    let mut replay = crate::schema::Replay::new(Dialect::Sqlite);
    replay.apply("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE, b TEXT UNIQUE);", "t.sql");
    let rows = |sql| {
        let query = resolve(sql, Dialect::Sqlite, Some(&replay.schema)).expect("it parses");
        of(&query, Some(&replay.schema)).rows
    };
    assert_eq!(rows("SELECT id FROM t WHERE a IS ?"), Rows::One);
    assert_eq!(rows("SELECT id FROM t WHERE b IS ?"), Rows::Many);
    assert_eq!(rows("SELECT id FROM t WHERE b = ?"), Rows::One);
}

#[test]
fn where_leaves_out_what_an_outer_join_makes_up() {
    let reason = "`users.id` is the primary key, `teams.id` is the primary key";
    for join in ["LEFT", "RIGHT", "FULL"] {
        let sql = format!("SELECT 1 FROM users u {join} JOIN teams t ON t.id = u.team_id WHERE u.id = $1");
        check(&sql, Rows::One, reason);
    }
    let sql = "SELECT 1 FROM users u RIGHT JOIN teams t ON t.id = u.team_id WHERE t.id = $1";
    check(sql, Rows::Many, "nothing bounds the rows of `u`");
    let sql = "SELECT 1 FROM users u RIGHT JOIN teams t ON t.id = u.team_id WHERE u.id = $1 OR u.id IS NULL";
    check(sql, Rows::Many, "nothing bounds the rows of `u`");
}

#[test]
fn keys_make_one_row() {
    check("SELECT * FROM users WHERE id = $1", Rows::One, "`users.id` is the primary key");
    check("SELECT * FROM users WHERE email = $1", Rows::One, "index `users_email_key` is unique");
    check("SELECT * FROM users WHERE team_id = $1", Rows::Many, "nothing bounds the rows of `users`");
}

#[test]
fn null_is_one_value_of_a_key_that_does_not_tell_nulls_apart() {
    let rows = |key: &str, condition: &str| {
        let mut replay = crate::schema::Replay::new(Dialect::Postgres);
        replay
            .apply(&format!("CREATE TABLE t (name text NOT NULL, gone timestamptz, {key} (name, gone))"), "");
        let sql = format!("SELECT name FROM t WHERE name = $1 AND {condition}");
        let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        of(&query, Some(&replay.schema)).rows
    };
    assert_eq!(rows("UNIQUE NULLS NOT DISTINCT", "gone IS NULL"), Rows::One);
    assert_eq!(rows("UNIQUE NULLS NOT DISTINCT", "gone IS NOT NULL"), Rows::Many);
    assert_eq!(rows("UNIQUE", "gone IS NULL"), Rows::Many);
}

#[test]
fn joins_are_followed_along_keys() {
    check(
        "SELECT * FROM users u JOIN teams t ON t.id = u.team_id WHERE u.id = $1",
        Rows::One,
        "`users.id` is the primary key, `teams.id` is the primary key",
    );
    check(
        "SELECT * FROM teams t LEFT JOIN users u ON u.team_id = t.id WHERE t.id = $1",
        Rows::Many,
        "nothing bounds the rows of `u`",
    );
}

#[test]
fn a_condition_of_an_outer_join_does_not_restrict_its_outer_side() {
    check(
        "SELECT * FROM teams t LEFT JOIN users u ON t.id = $1 AND u.id = $2",
        Rows::Many,
        "nothing bounds the rows of `t`",
    );
}

#[test]
fn lists_and_limits_bound() {
    check("SELECT * FROM users WHERE id = ANY($1)", Rows::Bounded, "`users.id` is the primary key");
    check("SELECT * FROM users WHERE id = $1 OR id = $2", Rows::Bounded, "`users.id` is the primary key");
    check("SELECT * FROM users LIMIT $1", Rows::Bounded, "LIMIT $1");
    check("SELECT * FROM users LIMIT 1", Rows::One, "LIMIT 1");
    check("SELECT * FROM users LIMIT ALL", Rows::Many, "nothing bounds the rows of `users`");
}

#[test]
fn alternatives_are_bounded_where_each_sets_a_key() {
    let bounded = "each alternative sets a unique key";
    check("SELECT * FROM users WHERE id = ANY($1) OR email = ANY($2)", Rows::Bounded, bounded);
    check("SELECT * FROM users WHERE team_id = 1 AND (id = $1 OR email = $2)", Rows::Bounded, bounded);
    check(
        "SELECT * FROM users WHERE id = $1 OR team_id = $2",
        Rows::Many,
        "nothing bounds the rows of `users`",
    );
}

#[test]
fn aggregates_are_one_row_unless_grouped() {
    check("SELECT count(*) FROM users", Rows::One, "an aggregate without GROUP BY");
    check(
        "SELECT team_id, count(*) FROM users GROUP BY team_id",
        Rows::Many,
        "nothing bounds the rows of `users`",
    );
    check("SELECT count(*) OVER () FROM users", Rows::Many, "nothing bounds the rows of `users`");
}

#[test]
fn a_value_drawn_anew_for_each_row_determines_nothing() {
    check("SELECT * FROM users WHERE id = random()", Rows::Many, "nothing bounds the rows of `users`");
}

#[test]
fn writes_return_what_they_touch() {
    check(
        "UPDATE users SET email = $1 WHERE id = $2 RETURNING id",
        Rows::One,
        "`users.id` is the primary key",
    );
    check("INSERT INTO users (id) VALUES ($1), ($2) RETURNING id", Rows::Bounded, "VALUES");
    check("DELETE FROM users WHERE team_id = $1", Rows::One, "it returns no rows");
}

#[test]
fn groups_of_one_value_are_one_row() {
    check(
        "SELECT team_id, count(*) FROM users WHERE team_id = $1 GROUP BY team_id",
        Rows::One,
        "it groups by what has one value",
    );
    check(
        "SELECT team_id, count(*) FROM users WHERE team_id > $1 GROUP BY team_id",
        Rows::Many,
        "nothing bounds the rows of `users`",
    );
}

#[test]
fn groups_of_what_one_row_says_are_one() {
    let one = "it groups by what one row says";
    for sql in [
        "SELECT t.name, count(u.id) FROM teams t LEFT JOIN users u ON u.team_id = t.id WHERE t.id = $1 GROUP BY t.id, t.name",
        "SELECT t.name, count(*) FROM users u JOIN teams t ON true WHERE t.id = $1 GROUP BY (t.id, t.name)",
        "SELECT DISTINCT t.name FROM teams t JOIN users u ON u.team_id = t.id WHERE t.id = $1",
        "SELECT t.name, x.name, count(*) FROM teams t LEFT JOIN users u ON u.team_id = t.id
         LEFT JOIN teams x ON x.id = t.name WHERE t.id = $1 GROUP BY t.name, x.name",
        "SELECT x.name, count(*) FROM users u LEFT JOIN teams x ON x.id = 1 GROUP BY x.name",
    ] {
        check(sql, Rows::One, one);
    }
    // Whether `x` has a row depends on the row of `u`.
    let bounded = "what it groups by is bounded";
    check(
        "SELECT x.name FROM users u LEFT JOIN teams x ON x.id = 1 AND u.email = 2 GROUP BY x.name",
        Rows::Bounded,
        bounded,
    );
    check(
        "SELECT t.name, u.email FROM teams t LEFT JOIN users u ON u.team_id = t.id WHERE t.id = $1 GROUP BY t.name, u.email",
        Rows::Many,
        "nothing bounds the rows of `u`",
    );
    check(
        "SELECT t.name FROM users u JOIN teams t ON true WHERE t.id = $1 GROUP BY ROLLUP (t.name)",
        Rows::Bounded,
        bounded,
    );
}

#[test]
fn tables_of_one_row() {
    let mut replay = crate::schema::Replay::new(Dialect::Postgres);
    replay.apply(
        "CREATE TABLE by_key (one boolean PRIMARY KEY DEFAULT true CHECK (one), v int);
         CREATE TABLE by_unique (v int, zero int NOT NULL DEFAULT 0, CHECK (zero = 0), UNIQUE (zero));
         CREATE TABLE by_index (v int);
         CREATE UNIQUE INDEX only_one ON by_index ((true));
         CREATE TABLE nullable (v int, zero int DEFAULT 0, CHECK (zero = 0), UNIQUE (zero));",
        "tables.sql",
    );
    let rows = |table: &str| {
        let sql = format!("SELECT v FROM {table}");
        let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        of(&query, Some(&replay.schema)).rows
    };
    assert_eq!(["by_key", "by_unique", "by_index"].map(rows), [Rows::One; 3]);
    assert_eq!(rows("nullable"), Rows::Many);
}

#[test]
fn groups_are_no_more_than_the_rows_they_are_named_by() {
    let bounded = "what it groups by is bounded";
    check(
        "SELECT t.id, count(*) FROM teams t JOIN users u ON u.team_id = t.id WHERE t.id = ANY($1) GROUP BY t.id",
        Rows::Bounded,
        bounded,
    );
    check(
        "SELECT DISTINCT t.id FROM teams t JOIN users u ON u.team_id = t.id WHERE t.id IN ($1, $2)",
        Rows::Bounded,
        bounded,
    );
    check(
        "SELECT u.email, count(*) FROM teams t JOIN users u ON u.team_id = t.id WHERE t.id = ANY($1) GROUP BY u.email",
        Rows::Many,
        "nothing bounds the rows of `u`",
    );
    let many = "nothing bounds the rows of `u`";
    check(
        "SELECT DISTINCT t.id, row_number() OVER () FROM teams t JOIN users u ON u.team_id = t.id WHERE t.id = ANY($1)",
        Rows::Many,
        many,
    );
    check(
        "SELECT DISTINCT count(*) FROM teams t JOIN users u ON u.team_id = t.id WHERE t.id = ANY($1) GROUP BY u.id",
        Rows::Many,
        many,
    );
    check(
        "SELECT v.id, h.email FROM unnest($1::bigint[]) AS v(id) JOIN LATERAL (SELECT DISTINCT ON (team_id) email \
         FROM users WHERE team_id = v.id ORDER BY team_id, email) h ON TRUE",
        Rows::Bounded,
        "`unnest` returns what its arguments hold, it keeps one row of each value, and there is one",
    );
}

#[test]
fn a_full_join_of_one_row_with_one_is_one_where_all_are_partners() {
    let query = |on: &str| {
        format!(
            "SELECT * FROM (SELECT count(*) FROM users) u FULL JOIN (SELECT max(id) FROM teams) t ON {on}"
        )
    };
    let reason = "an aggregate without GROUP BY, an aggregate without GROUP BY";
    check(&query("true"), Rows::One, reason);
    check(&query("u.count = t.max"), Rows::Bounded, reason);
}

#[test]
fn a_row_that_equals_a_querys_is_one_value() {
    check(
        "DELETE FROM users WHERE (id, email) = (SELECT id, email FROM users ORDER BY id LIMIT 1) RETURNING id",
        Rows::One,
        "`users.id` is the primary key",
    );
}

#[test]
fn a_condition_that_is_the_key_of_an_index_is_met_by_one_row() {
    let mut replay = crate::schema::Replay::new(Dialect::Postgres);
    replay.apply(
        "CREATE TABLE t (id bigint PRIMARY KEY, a bigint, b text, done boolean NOT NULL, c bigint NOT NULL);
         CREATE UNIQUE INDEX i1 ON t ((a IS NULL)) WHERE a IS NULL;
         CREATE UNIQUE INDEX i2 ON t ((b = 'x')) WHERE b = 'x';
         CREATE UNIQUE INDEX i3 ON t (c, (done IS TRUE));
         CREATE UNIQUE INDEX i4 ON t ((c > 5));",
        "t.sql",
    );
    let rows = |condition: &str| {
        let sql = format!("SELECT id FROM t WHERE {condition}");
        let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        of(&query, Some(&replay.schema)).rows
    };
    for one in [
        "a IS NULL",
        "a IS NULL AND done",
        "b = 'x'",
        "c = $1 AND done IS TRUE",
        "c = $1 AND done IS NOT TRUE",
        "c > 5",
    ] {
        assert_eq!(rows(one), Rows::One, "{one}");
    }
    for many in ["a IS NOT NULL", "b = 'y'", "b = $1", "done IS TRUE", "c > 4"] {
        assert_eq!(rows(many), Rows::Many, "{many}");
    }
}

/// Checks a query of tables of its own.
#[track_caller]
fn check_with(dialect: Dialect, ddl: &str, sql: &str, rows: Rows) {
    let mut replay = crate::schema::Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
    assert_eq!(of(&query, Some(&replay.schema)).rows, rows, "{sql}");
}

#[test]
fn numbers_that_a_query_gives_to_its_rows() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, k int, n int);";
    let check = |over: &str, filter: &str, rows: Rows| {
        let sql =
            format!("SELECT id FROM (SELECT *, row_number() OVER ({over}) AS nr FROM t) x WHERE {filter}");
        check_with(Dialect::Postgres, ddl, &sql, rows);
    };
    check("ORDER BY n", "nr = 1", Rows::One);
    check("ORDER BY n", "nr <= 10", Rows::Bounded);
    check("ORDER BY n", "nr > 10", Rows::Many);
    check("PARTITION BY k ORDER BY n", "nr = 1", Rows::Many);
    check("PARTITION BY k ORDER BY n", "nr = 1 AND k = $1", Rows::One);
    check("PARTITION BY k ORDER BY n", "nr < 3 AND k = ANY ($1)", Rows::Bounded);
}

#[test]
fn functions_of_the_select_list_make_rows() {
    check_with(Dialect::Postgres, "", "SELECT unnest($1::int[])", Rows::Bounded);
    check_with(Dialect::Postgres, "", "SELECT generate_series(1, 3)", Rows::Bounded);
    check_with(Dialect::Postgres, "", "SELECT generate_series(1, $1)", Rows::Many);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, n int);";
    check_with(Dialect::Postgres, ddl, "SELECT generate_series(1, n) FROM t WHERE id = $1", Rows::Many);
}

#[test]
fn each_dialect_has_its_own_ways_to_one_row() {
    let ddl = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q () INHERITS (p);";
    check_with(Dialect::Postgres, ddl, "SELECT 1 FROM ONLY p WHERE id = $1", Rows::One);
    check_with(Dialect::Postgres, ddl, "SELECT 1 FROM p WHERE id = $1", Rows::Many);
    let ddl = "CREATE TABLE t (a TEXT);";
    for name in ["rowid", "_rowid_", "oid"] {
        check_with(Dialect::Sqlite, ddl, &format!("SELECT a FROM t WHERE {name} = ?"), Rows::One);
    }
    check_with(Dialect::Sqlite, ddl, "SELECT a FROM t LIMIT -1", Rows::Many);
    check_with(Dialect::MySql, ddl, "SELECT 1 FROM DUAL WHERE EXISTS (SELECT 1 FROM t)", Rows::One);
}

/// How many rows a query returns with a schema of its own.
#[track_caller]
fn rows_of(dialect: Dialect, ddl: &str, sql: &str, expect: Rows) {
    let mut replay = crate::schema::Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    assert_eq!(replay.problems, []);
    let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
    assert_eq!(of(&query, Some(&replay.schema)).rows, expect, "{sql}");
}

#[test]
fn a_truth_is_one_value() {
    let ddl = "CREATE TABLE f (k int, flag boolean, v int, PRIMARY KEY (k, flag)); CREATE VIEW w AS SELECT * FROM f;";
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
        // A text that is no number is not true either, and a column of SQLite may hold any.
        let negated = if dialect == Dialect::Sqlite { Rows::Many } else { Rows::One };
        rows_of(dialect, ddl, "SELECT v FROM f WHERE k = 1 AND NOT flag", negated);
        rows_of(dialect, ddl, "SELECT v FROM w WHERE k = 1 AND NOT flag", negated);
        rows_of(dialect, ddl, "SELECT v FROM f WHERE k = 1 AND flag = TRUE", Rows::One);
    }
    rows_of(Dialect::Postgres, ddl, "SELECT v FROM f WHERE k = 1 AND flag IS TRUE", Rows::One);
    rows_of(Dialect::Postgres, ddl, "SELECT v FROM f WHERE k = 1 AND flag IS NOT TRUE", Rows::Many);
    // Any number but zero is true.
    rows_of(Dialect::MySql, ddl, "SELECT v FROM f WHERE k = 1 AND flag", Rows::Many);
}

#[test]
fn negations_and_equal_columns() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE u (t_id int, n int);";
    for (sql, expect) in [
        ("SELECT a FROM t WHERE NOT (id <> $1)", Rows::One),
        ("SELECT a FROM t WHERE NOT (id <> $1 OR a > 3)", Rows::One),
        ("SELECT a FROM t WHERE NOT (id NOT IN (1, 2))", Rows::Bounded),
        ("SELECT a FROM t WHERE NOT (id = $1)", Rows::Many),
        ("SELECT a FROM t WHERE id = a AND a = $1", Rows::One),
        ("SELECT a FROM t JOIN u ON u.t_id = t.id WHERE u.t_id = $1", Rows::Many),
        ("SELECT t.a FROM t, (SELECT 1 AS x) s WHERE t.id = t.a AND t.a = s.x", Rows::One),
    ] {
        rows_of(Dialect::Postgres, ddl, sql, expect);
    }
}

#[test]
fn ties_are_no_bound() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int);";
    let rows = |order: &str, expect| {
        let sql = format!("SELECT id FROM t ORDER BY {order} FETCH FIRST 3 ROWS WITH TIES");
        rows_of(Dialect::Postgres, ddl, &sql, expect);
    };
    rows("a", Rows::Many);
    rows("a, id", Rows::Bounded);
    // NULL ties with NULL.
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v int NOT NULL UNIQUE, a int[]);
        CREATE TABLE o (id int PRIMARY KEY, t_id int);";
    for (rest, expect) in [
        ("t.id FROM t ORDER BY u", Rows::Many),
        ("t.id FROM t WHERE u > 0 ORDER BY u", Rows::Many),
        ("t.id FROM t ORDER BY v", Rows::Bounded),
        ("t.id, unnest(a) FROM t ORDER BY v", Rows::Many),
        ("t.id FROM t RIGHT JOIN o ON o.t_id = t.id ORDER BY t.id", Rows::Many),
        ("o.id FROM o LEFT JOIN t ON o.t_id = t.id ORDER BY o.id", Rows::Bounded),
        ("o.id FROM o LEFT JOIN t ON o.t_id = t.id ORDER BY t.id, o.id", Rows::Bounded),
        ("o.id FROM o FULL JOIN t ON o.t_id = t.id ORDER BY o.id, t.id", Rows::Many),
    ] {
        let sql = format!("SELECT {rest} FETCH FIRST 3 ROWS WITH TIES");
        rows_of(Dialect::Postgres, ddl, &sql, expect);
    }
}

#[test]
fn equal_columns_of_other_types_and_collations_may_have_several_values() {
    for (dialect, key, other, value, expect) in [
        (Dialect::Sqlite, "TEXT", "INT", "5", Rows::Many),
        (Dialect::Sqlite, "TEXT", "TEXT COLLATE NOCASE", "'x'", Rows::Many),
        (Dialect::Sqlite, "TEXT", "TEXT", "'x'", Rows::One),
        (Dialect::Postgres, "text", "citext", "'x'", Rows::Many),
        (Dialect::Postgres, "numeric", "double precision", "0.1", Rows::Many),
        (Dialect::Postgres, "varchar(5)", "char(5)", "'x'", Rows::Many),
        (Dialect::Postgres, "bigint", "int", "1", Rows::One),
        (Dialect::Postgres, "uuid", "uuid", "$1", Rows::One),
        (Dialect::MySql, "varchar(9)", "int", "5", Rows::Many),
        (
            Dialect::MySql,
            "varchar(9) COLLATE utf8mb4_bin",
            "varchar(9) COLLATE utf8mb4_general_ci",
            "'x'",
            Rows::Many,
        ),
        (Dialect::MySql, "varchar(9)", "varchar(9)", "'x'", Rows::One),
    ] {
        let ddl = format!("CREATE TABLE t (k {key} NOT NULL, a {other} NOT NULL, PRIMARY KEY (k));");
        rows_of(dialect, &ddl, &format!("SELECT k FROM t WHERE k = a AND a = {value}"), expect);
    }
}

#[test]
fn a_negated_flag_has_one_value_where_it_holds_no_text() {
    for (dialect, ty, expect) in [
        (Dialect::Postgres, "boolean", Rows::One),
        (Dialect::MySql, "boolean", Rows::One),
        (Dialect::MySql, "tinyint(1) unsigned", Rows::One),
        (Dialect::MySql, "time(2)", Rows::Many),
        (Dialect::MySql, "varchar(9)", Rows::Many),
        (Dialect::Sqlite, "BOOLEAN", Rows::Many),
        (Dialect::Sqlite, "INTEGER", Rows::Many),
    ] {
        let ddl = format!("CREATE TABLE t (k int, flag {ty}, PRIMARY KEY (k, flag));");
        rows_of(dialect, &ddl, "SELECT k FROM t WHERE k = 1 AND NOT flag", expect);
    }
}

#[test]
fn nested_alternatives_of_equal_columns_take_linear_time() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int);";
    let mut condition = "(a = 1)".to_owned();
    for _ in 0..12 {
        condition = format!("(id = a AND a = b AND b = c AND ({condition} OR c = b AND c = 5))");
    }
    let start = std::time::Instant::now();
    rows_of(Dialect::Postgres, ddl, &format!("SELECT id FROM t WHERE {condition}"), Rows::Many);
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    // Alternatives are still followed from the outside.
    rows_of(Dialect::Postgres, ddl, "SELECT id FROM t WHERE id = a AND (a = 1 OR a = 2)", Rows::Bounded);
}
