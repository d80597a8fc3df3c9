//! How many rows queries return, by examples.

mod schemas;

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
                doubtful: false,
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

#[track_caller]
fn check_rows(sql: &str, rows: Rows) {
    let schema = schema();
    let query = resolve(sql, Dialect::Postgres, Some(&schema)).expect("it parses");
    assert_eq!(of(&query, Some(&schema)).rows, rows, "{sql}");
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
    check(sql, Rows::Many, "nothing bounds the rows of `users`");
    let sql = "SELECT 1 FROM users u RIGHT JOIN teams t ON t.id = u.team_id WHERE u.id = $1 OR u.id IS NULL";
    check(sql, Rows::Many, "nothing bounds the rows of `users`");
}

#[test]
fn keys_make_one_row() {
    check("SELECT * FROM users WHERE id = $1", Rows::One, "`users.id` is the primary key");
    check("SELECT * FROM users WHERE email = $1", Rows::One, "index `users_email_key` is unique");
    check("SELECT * FROM users WHERE team_id = $1", Rows::Many, "nothing bounds the rows of `users`");
    // Of two relations of one table, the alias says which.
    let of_two = "SELECT * FROM users u JOIN users o ON o.team_id = u.team_id WHERE u.id = $1";
    check(of_two, Rows::Many, "nothing bounds the rows of `o`");
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
        "nothing bounds the rows of `users`",
    );
}

#[test]
fn a_condition_of_an_outer_join_does_not_restrict_its_outer_side() {
    check(
        "SELECT * FROM teams t LEFT JOIN users u ON t.id = $1 AND u.id = $2",
        Rows::Many,
        "nothing bounds the rows of `teams`",
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
fn a_row_of_the_target_is_written_once_whatever_it_is_joined_to() {
    let key = "`users.id` is the primary key";
    let joined = "FROM teams t WHERE t.name = users.email AND users.id = $1 RETURNING users.id";
    check(&format!("UPDATE users SET email = 1 {joined}"), Rows::One, key);
    check("DELETE FROM users USING teams t WHERE users.id = $1 RETURNING t.id", Rows::One, key);
    let many = "nothing bounds the rows of `users`";
    check("DELETE FROM users USING teams t WHERE t.id = $1 RETURNING users.id", Rows::Many, many);
}

#[test]
fn a_subquery_is_one_value_of_the_row_that_it_depends_on() {
    let ddl = "CREATE TABLE hist (user_id bigint, version int, note text, PRIMARY KEY (user_id, version));
               CREATE TABLE u (id bigint PRIMARY KEY, name text);";
    let mut replay = crate::schema::Replay::new(Dialect::Postgres);
    replay.apply(ddl, "t.sql");
    let latest = "h.version = (SELECT max(version) FROM hist i WHERE i.user_id =";
    for (sql, rows) in [
        (format!("SELECT note FROM hist h WHERE h.user_id = $1 AND {latest} h.user_id)"), Rows::One),
        (
            format!("SELECT note FROM u JOIN hist h ON h.user_id = u.id WHERE u.id = $1 AND {latest} u.id)"),
            Rows::One,
        ),
        (format!("SELECT note FROM hist h WHERE h.user_id = ANY($1) AND {latest} h.user_id)"), Rows::Bounded),
        (format!("SELECT note FROM hist h WHERE {latest} h.user_id)"), Rows::Many),
        (format!("SELECT note FROM hist h WHERE h.user_id = $1 AND {latest} h.version)"), Rows::Many),
    ] {
        let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        assert_eq!(of(&query, Some(&replay.schema)).rows, rows, "{sql}");
    }
}

#[test]
fn groups_are_no_more_than_the_values_that_are_listed() {
    let reason = "it groups by values that the conditions list";
    check(
        "SELECT team_id, count(*) FROM users WHERE team_id = ANY($1) GROUP BY team_id",
        Rows::Bounded,
        reason,
    );
    check("SELECT team_id, count(*) FROM users WHERE team_id IN ($1, $2) GROUP BY 1", Rows::Bounded, reason);
    let many = "nothing bounds the rows of `users`";
    check("SELECT name FROM (SELECT 1) x(name), users GROUP BY name, email", Rows::Many, many);
}

#[test]
fn groups_of_one_value_are_one_row() {
    check(
        "SELECT team_id, count(*) FROM users WHERE team_id = $1 GROUP BY team_id",
        Rows::One,
        "it groups by expressions that have one value",
    );
    check(
        "SELECT u.team_id FROM users u JOIN teams t ON u.team_id = t.id WHERE t.id = $1 GROUP BY u.team_id",
        Rows::One,
        "it groups by expressions that have one value",
    );
    // The team of a user without the row of `t` is another.
    check(
        "SELECT u.team_id FROM users u LEFT JOIN teams t ON u.team_id = t.id AND t.id = $1 GROUP BY u.team_id",
        Rows::Many,
        "nothing bounds the rows of `users`",
    );
    check(
        "SELECT team_id, count(*) FROM users WHERE team_id > $1 GROUP BY team_id",
        Rows::Many,
        "nothing bounds the rows of `users`",
    );
}

#[test]
fn groups_of_what_one_row_says_are_one() {
    let one = "it groups by values of one row";
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
    let bounded = "the values that it groups by are bounded";
    check(
        "SELECT x.name FROM users u LEFT JOIN teams x ON x.id = 1 AND u.email = 2 GROUP BY x.name",
        Rows::Bounded,
        bounded,
    );
    check(
        "SELECT t.name, u.email FROM teams t LEFT JOIN users u ON u.team_id = t.id WHERE t.id = $1 GROUP BY t.name, u.email",
        Rows::Many,
        "nothing bounds the rows of `users`",
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
fn checks_that_leave_one_value_of_a_key() {
    for (dialect, column, expected) in [
        (Dialect::Postgres, "id int PRIMARY KEY CHECK (id BETWEEN 1 AND 1)", Rows::One),
        (Dialect::Postgres, "id bool PRIMARY KEY CHECK (id IS NOT FALSE)", Rows::One),
        (Dialect::Postgres, "id int PRIMARY KEY CHECK (id IS NOT DISTINCT FROM 1)", Rows::One),
        (Dialect::Postgres, "v text, id int PRIMARY KEY CHECK (v <> '' AND id = 1)", Rows::One),
        (Dialect::Postgres, "v text, id int PRIMARY KEY CHECK (v <> '' OR id = 1)", Rows::Many),
        (Dialect::Postgres, "id int PRIMARY KEY CHECK (id BETWEEN 1 AND 2)", Rows::Many),
        (Dialect::Postgres, "id int UNIQUE CHECK (id IS NOT DISTINCT FROM 1)", Rows::Many),
        (Dialect::Sqlite, "id INTEGER PRIMARY KEY CHECK (id = 0)", Rows::One),
        (Dialect::Sqlite, "id INTEGER PRIMARY KEY CHECK (id IS 1)", Rows::One),
        (Dialect::Sqlite, "id INTEGER PRIMARY KEY CHECK (id IS NOT 1)", Rows::Many),
        // NULL is a key as often as one likes.
        (Dialect::Sqlite, "id INT PRIMARY KEY CHECK (id = 1)", Rows::Many),
        (Dialect::MySql, "id BOOL PRIMARY KEY DEFAULT true CHECK (id)", Rows::One),
        (Dialect::MySql, "id INT PRIMARY KEY CHECK (id <=> 1)", Rows::One),
    ] {
        let mut replay = crate::schema::Replay::new(dialect);
        replay.apply(&format!("CREATE TABLE t ({column}, w int)"), "tables.sql");
        assert_eq!(replay.problems, []);
        let query = resolve("SELECT w FROM t", dialect, Some(&replay.schema)).expect("it parses");
        assert_eq!(of(&query, Some(&replay.schema)).rows, expected, "{column}");
    }
}

#[test]
fn groups_are_no_more_than_the_rows_they_are_named_by() {
    let bounded = "the values that it groups by are bounded";
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
        "nothing bounds the rows of `users`",
    );
    let many = "nothing bounds the rows of `users`";
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
        "`unnest` returns the elements of its arguments, it keeps one row of each value, and there is one",
    );
}

#[test]
fn a_lateral_query_has_its_rows_for_each_row_that_it_names() {
    let lateral = |limit: &str, of: &str| {
        format!(
            "SELECT u.id FROM users u LEFT JOIN LATERAL (SELECT t.* FROM teams t WHERE t.name = {of} ORDER BY t.id {limit}) l ON TRUE \
             LEFT JOIN teams o ON o.id = l.id WHERE u.id = $1"
        )
    };
    check_rows(&lateral("LIMIT 1", "u.email"), Rows::One);
    check_rows(&lateral("LIMIT 3", "u.email"), Rows::Bounded);
    check_rows(&lateral("", "u.email"), Rows::Many);
    // Each row of a table that nothing bounds has one.
    check_rows(
        "SELECT u.id FROM users u JOIN teams x ON x.name = $2 \
         LEFT JOIN LATERAL (SELECT t.id FROM teams t WHERE t.name = x.name LIMIT 1) l ON TRUE WHERE u.id = $1",
        Rows::Many,
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

#[test]
fn each_arm_of_a_union_finds_a_row_of_its_own() {
    let union = "SELECT id FROM users UNION ALL SELECT id FROM teams";
    let reason = "each arm of the union returns at most one row";
    check(&format!("SELECT x.id FROM ({union}) x WHERE x.id = $1"), Rows::Bounded, reason);
    check(
        "SELECT id FROM users WHERE id = $1 UNION ALL SELECT id FROM teams WHERE id = $1",
        Rows::Bounded,
        reason,
    );
}
