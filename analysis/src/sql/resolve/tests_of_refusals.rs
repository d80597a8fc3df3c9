//! Names, numbers of columns and clauses that a database refuses, by examples.

use super::tests::problems;
use crate::sql::dialect::Dialect::{MySql, Postgres, Sqlite};

#[test]
fn an_order_of_a_set_operation_names_columns_of_any_arm_in_sqlite() {
    assert_eq!(problems(Sqlite, "SELECT id FROM p UNION SELECT qty FROM s ORDER BY qty"), [""; 0]);
    assert_eq!(problems(Sqlite, "SELECT id FROM p UNION SELECT qty FROM s ORDER BY name").len(), 1);
    assert_eq!(problems(Postgres, "SELECT id FROM p UNION SELECT qty FROM s ORDER BY qty").len(), 1);
}

#[test]
fn values_in_on_duplicate_key_update_is_about_the_target() {
    let insert = "INSERT INTO p (id, qty) SELECT id, qty FROM p ON DUPLICATE KEY UPDATE qty = ";
    assert_eq!(problems(MySql, &format!("{insert}VALUES(qty)")), [""; 0]);
    assert_eq!(problems(MySql, &format!("{insert}qty + 1")).len(), 1);
}

/// As MariaDB and SQLite answer.
#[test]
fn numbers_of_columns_fit() {
    for refused in [
        "SELECT id FROM p UNION SELECT id, qty FROM s",
        "SELECT id FROM p WHERE id IN (SELECT id, qty FROM s)",
        "SELECT id FROM p WHERE (id, qty) IN (SELECT id FROM s)",
        "SELECT id FROM p WHERE id = (SELECT id, qty FROM s)",
        "SELECT (SELECT 1, 2) FROM p",
        "SELECT id FROM p WHERE sum(qty) > 1",
        "SELECT qty FROM p GROUP BY sum(qty)",
        "SELECT id FROM p WHERE row_number() OVER () = 1",
        "SELECT sum(sum(qty)) FROM p",
        "DELETE FROM p WHERE count(*) > 1",
        "UPDATE p SET qty = max(id) WHERE id = 1",
        "SELECT id FROM p GROUP BY 2",
        "SELECT p.id FROM p JOIN s USING (nope)",
        "SELECT id FROM p WHERE (id, qty) IN ((1, 2), (3))",
        "SELECT id FROM p WHERE id IN (1, (2, 3))",
        "INSERT INTO p (id, qty) VALUES (1, (SELECT id, qty FROM s LIMIT 1))",
    ] {
        for dialect in [MySql, Sqlite] {
            assert_eq!(problems(dialect, refused).len(), 1, "{dialect:?} {refused}");
        }
    }
    for taken in [
        "SELECT * FROM s UNION SELECT id, qty FROM p",
        "SELECT id FROM p WHERE (id, qty) IN (SELECT id, qty FROM s) AND (id, qty) > (1, 2)",
        "SELECT id FROM p WHERE id = (SELECT count(*) FROM s WHERE s.id = p.id)",
        "SELECT qty FROM p GROUP BY qty HAVING sum(id) > 1",
        "SELECT qty, (SELECT sum(s.qty) FROM s WHERE s.id = p.qty) FROM p GROUP BY qty",
        "SELECT id FROM p WHERE EXISTS (SELECT * FROM s)",
        "SELECT coalesce((SELECT id FROM s LIMIT 1), 0) FROM p",
        "UPDATE p SET qty = (SELECT max(qty) FROM s) WHERE id = 1",
        "SELECT sum(qty) OVER (ORDER BY id), sum(sum(qty)) OVER () FROM p GROUP BY id, qty",
    ] {
        for dialect in [MySql, Sqlite] {
            assert_eq!(problems(dialect, taken), [""; 0], "{dialect:?} {taken}");
        }
    }
}

#[test]
fn assigned_columns_are_of_their_tables() {
    for refused in [
        "UPDATE p SET p.nope = 1 WHERE id = 1",
        "UPDATE p JOIN s ON s.id = p.id SET s.name = 1",
        "UPDATE p SET x.qty = 1",
        "UPDATE p JOIN s ON s.id = p.id SET qty = 1",
        "INSERT INTO p (x.id) VALUES (1)",
        "DELETE x FROM p",
        "DELETE p FROM p x WHERE x.id = 1",
        "SELECT count(*) FROM (SELECT id FROM p)",
    ] {
        assert_eq!(problems(MySql, refused).len(), 1, "{refused}");
    }
    for taken in [
        "UPDATE p x JOIN s y ON y.id = x.id SET x.name = 'a', y.qty = 1",
        "UPDATE s, p SET name = 'a' WHERE s.id = p.id",
        "DELETE x FROM p AS x JOIN s ON s.id = x.id",
        "DELETE p, s FROM p JOIN s ON s.id = p.id",
        "INSERT INTO p (p.id) VALUES (1) ON DUPLICATE KEY UPDATE p.qty = 1, qty = 2",
    ] {
        assert_eq!(problems(MySql, taken), [""; 0], "{taken}");
    }
    assert_eq!(problems(Sqlite, "UPDATE p SET p.qty = 1").len(), 1);
}

#[test]
fn a_column_of_do_update_is_of_two_rows_in_postgres() {
    let insert = "INSERT INTO p (id, qty) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET";
    assert_eq!(problems(Postgres, &format!("{insert} qty = qty + 1")).len(), 1);
    assert_eq!(problems(Postgres, &format!("{insert} qty = p.qty + 1 WHERE qty < 5")).len(), 1);
    assert_eq!(problems(Postgres, &format!("{insert} qty = p.qty + excluded.qty RETURNING qty")), [""; 0]);
    let nested = "qty = (SELECT max(qty) FROM s WHERE s.id = excluded.id)";
    assert_eq!(problems(Postgres, &format!("{insert} {nested}")), [""; 0]);
    assert_eq!(problems(Sqlite, &format!("{insert} qty = qty + 1")), [""; 0]);
}

/// As SQLite answers: its parser reads the ON as that of a join.
#[test]
fn on_conflict_behind_a_from_needs_a_clause_in_between() {
    let insert = |select: &str| format!("INSERT INTO p (id, qty) {select} ON CONFLICT (id) DO NOTHING");
    for refused in [
        "SELECT id, qty FROM s",
        "SELECT id, qty FROM (SELECT * FROM s) AS x",
        "SELECT s.id, s.qty FROM s, p AS b",
        "SELECT s.id, s.qty FROM s NATURAL JOIN p AS b",
        "SELECT id, qty FROM s WHERE true UNION SELECT id, qty FROM s",
        "WITH x AS (SELECT * FROM s WHERE true) SELECT id, qty FROM x",
    ] {
        assert_eq!(problems(Sqlite, &insert(refused)).len(), 1, "{refused}");
        assert_eq!(problems(Postgres, &insert(refused)), [""; 0], "{refused}");
    }
    for taken in [
        "SELECT id, qty FROM s WHERE true",
        "SELECT id, qty FROM s GROUP BY id",
        "SELECT id, qty FROM s ORDER BY id",
        "SELECT id, qty FROM s LIMIT 1",
        "SELECT s.id, s.qty FROM s JOIN p AS b ON b.id = s.id",
        "SELECT s.id, s.qty FROM s JOIN p AS b USING (id)",
        "SELECT id, qty FROM s UNION SELECT 1, 2",
        "SELECT 1, 2",
        "VALUES (1, 2)",
    ] {
        assert_eq!(problems(Sqlite, &insert(taken)), [""; 0], "{taken}");
    }
}

/// As SQLite answers.
#[test]
fn a_view_is_written_to_by_its_trigger() {
    let mut replay = crate::schema::Replay::new(Sqlite);
    let trigger = "CREATE TRIGGER g INSTEAD OF INSERT ON w BEGIN INSERT INTO s VALUES (new.id, new.a); END;";
    let tables =
        "CREATE TABLE s (id int, a int); CREATE VIEW v AS SELECT * FROM s; CREATE VIEW w AS SELECT * FROM s;";
    replay.apply(&format!("{tables} {trigger}"), "a.sql");
    let found = |sql: &str| {
        let query = crate::sql::resolve(sql, Sqlite, Some(&replay.schema)).expect("it is SQL");
        query.problems.len()
    };
    for sql in
        ["INSERT INTO # VALUES (1, 2)", "REPLACE INTO # VALUES (1, 2)", "UPDATE # SET a = 1", "DELETE FROM #"]
    {
        assert_eq!(found(&sql.replace('#', "v")), 1, "{sql}");
        assert_eq!(found(&sql.replace('#', "w")), 0, "{sql}");
        assert_eq!(found(&sql.replace('#', "s")), 0, "{sql}");
    }
    assert_eq!(found("UPDATE v SET a = 1 RETURNING a"), 0);
}

#[test]
fn rows_of_values_are_of_one_length() {
    for dialect in [Postgres, Sqlite] {
        assert_eq!(problems(dialect, "WITH v AS (VALUES (1, 2), (3)) SELECT * FROM v").len(), 1);
        assert_eq!(problems(dialect, "WITH v AS (VALUES (1, 2), (3, 4)) SELECT * FROM v"), [""; 0]);
    }
}

/// As MariaDB and PostgreSQL answer: JOIN binds tighter than a comma. SQLite joins in the order of the text.
#[test]
fn the_condition_of_a_join_sees_its_item_of_the_from() {
    let reach = |column: &str| [format!("`{column}` is out of reach of this ON: a comma joins after JOIN")];
    for (sql, column) in [
        ("UPDATE p, s JOIN s b ON b.id = p.id SET p.qty = 1", "p.id"),
        ("UPDATE p, s JOIN s b ON b.id = s.id, s c JOIN s d ON d.id = b.id SET p.qty = 1", "b.id"),
        ("UPDATE p, (s STRAIGHT_JOIN s b ON b.id = p.id) SET p.qty = 1", "p.id"),
        ("DELETE p FROM p, s JOIN s b ON b.id = p.id", "p.id"),
        ("DELETE FROM p USING p, s JOIN s b ON b.id = p.id", "p.id"),
        ("SELECT 1 FROM (p, s JOIN s b ON b.id = p.id)", "p.id"),
    ] {
        assert_eq!(problems(MySql, sql), reach(column), "{sql}");
    }
    for (sql, column) in [
        ("SELECT 1 FROM p, s JOIN s b ON b.id = p.id", "p.id"),
        ("SELECT 1 FROM p, s JOIN s b ON b.id = (SELECT c.id FROM s c WHERE c.qty = p.qty)", "p.qty"),
        ("SELECT 1 FROM p, s JOIN s b ON b.id = s.id AND name = 'a'", "p.name"),
    ] {
        for dialect in [MySql, Postgres] {
            assert_eq!(problems(dialect, sql), reach(column), "{dialect:?} {sql}");
        }
        assert_eq!(problems(Sqlite, sql), [""; 0], "{sql}");
    }
    for taken in [
        "SELECT 1 FROM p, s JOIN (SELECT 1 AS n) b ON b.n = qty",
        "SELECT 1 FROM p, s JOIN (SELECT 1 AS n) b ON EXISTS (SELECT 1 FROM (SELECT 2 AS m) c WHERE m = qty)",
        "SELECT (SELECT 1 FROM p, s JOIN s b ON b.id = p.id LIMIT 1) FROM p",
        "SELECT id FROM p JOIN s USING (id) JOIN s b USING (id)",
    ] {
        for dialect in [MySql, Postgres] {
            assert_eq!(problems(dialect, taken), [""; 0], "{dialect:?} {taken}");
        }
    }
    for taken in [
        "UPDATE p, s JOIN s b ON b.id = s.id, s c LEFT JOIN s d ON d.id = c.id SET p.qty = 1 WHERE p.id = b.id",
        "UPDATE (p, s) JOIN s b ON b.id = p.id SET p.qty = 1",
        "UPDATE p, (s, s c JOIN s d ON d.id = c.id) SET p.qty = 1 WHERE p.id = s.id",
    ] {
        assert_eq!(problems(MySql, taken), [""; 0], "{taken}");
    }
}

/// As PostgreSQL and SQLite answer: the FROM of an UPDATE is joined before its target.
#[test]
fn the_joins_of_an_update_do_not_see_its_target() {
    for (sql, column) in [
        ("UPDATE p SET qty = 1 FROM s JOIN s b ON b.id = p.id WHERE s.id = p.id", "p.id"),
        ("UPDATE p AS x SET qty = 1 FROM s LEFT JOIN s b ON b.id = x.id WHERE s.id = x.id", "x.id"),
        ("UPDATE p SET qty = 1 FROM s JOIN s b ON b.id = (SELECT p.id) WHERE s.id = p.id", "p.id"),
        ("UPDATE p SET qty = 1 FROM s JOIN s b ON b.id = s.id AND name = 'a' WHERE s.id = p.id", "p.name"),
    ] {
        let (table, _) = column.split_once('.').expect("a column of a table");
        let message = format!("`{column}` is out of reach of this ON: `{table}` is joined after FROM");
        for dialect in [Postgres, Sqlite] {
            assert_eq!(problems(dialect, sql), [message.as_str()], "{dialect:?} {sql}");
        }
    }
    for taken in [
        "UPDATE p SET qty = 1 FROM s JOIN s b ON b.id = s.id WHERE s.id = p.id AND b.qty = p.qty",
        "UPDATE p SET qty = 1 FROM s, s b WHERE b.id = p.id AND s.id = p.id",
        "UPDATE p SET qty = (SELECT b.qty FROM s JOIN s b ON b.id = p.id LIMIT 1) FROM s c WHERE c.id = p.id",
    ] {
        for dialect in [Postgres, Sqlite] {
            assert_eq!(problems(dialect, taken), [""; 0], "{dialect:?} {taken}");
        }
    }
    assert_eq!(
        problems(Sqlite, "UPDATE p SET qty = 1 FROM s, s b JOIN s c ON c.id = s.id WHERE b.id = p.id"),
        [""; 0]
    );
}

/// As MariaDB answers.
#[test]
fn an_expression_of_the_list_is_known_again_without_its_qualifiers() {
    let join = "FROM p JOIN s ON s.id = p.id";
    for taken in [
        format!("SELECT abs(p.qty) AS a {join} ORDER BY abs(qty)"),
        format!("SELECT p.qty + 1 AS a, count(*) {join} GROUP BY qty + 1 ORDER BY qty + 1 DESC, s.qty"),
        format!("SELECT p.qty AS a {join} ORDER BY a"),
        format!("SELECT p.qty + 1 AS qty {join} GROUP BY qty HAVING qty > 1 ORDER BY qty"),
    ] {
        assert_eq!(problems(MySql, &taken), [""; 0], "{taken}");
    }
    for refused in [
        format!("SELECT p.qty + 1 AS qty {join} ORDER BY qty + 2"),
        format!("SELECT p.qty + 1 AS a {join} ORDER BY 1 + qty"),
        format!("SELECT abs(p.qty) AS a {join} GROUP BY abs(abs(qty))"),
    ] {
        assert_eq!(problems(MySql, &refused), ["several qty"], "{refused}");
    }
    assert_eq!(problems(Postgres, &format!("SELECT abs(p.qty) AS a {join} ORDER BY abs(qty)")).len(), 1);
}

/// As all databases answer.
#[test]
fn a_merged_column_is_one_among_the_tables_that_it_merges() {
    for dialect in [MySql, Postgres, Sqlite] {
        for sql in [
            "SELECT id FROM p JOIN s USING (id), s b",
            "SELECT 1 FROM p JOIN s USING (id) JOIN s b ON b.id = id",
        ] {
            assert_eq!(problems(dialect, sql), ["several id"], "{dialect:?} {sql}");
        }
    }
}

#[test]
fn a_column_that_an_unknown_table_may_have_is_not_that_of_an_outer_query() {
    let mut replay = crate::schema::Replay::new(Postgres);
    replay.apply("CREATE TABLE state (id serial PRIMARY KEY, owner text);", "tables.sql");
    for (inner, is_of_outer) in [
        ("owner IN (SELECT id FROM gone)", false),
        ("owner IN (SELECT id FROM other.gone)", false),
        ("owner = (SELECT id FROM gone LIMIT 1)", false),
        ("EXISTS (SELECT 1 FROM gone WHERE id = $1)", false),
        ("owner IN (WITH g AS (SELECT * FROM gone) SELECT id FROM g)", false),
        ("EXISTS (SELECT 1 FROM gone WHERE state.id = $1)", true),
        ("EXISTS (SELECT 1 FROM made(1) WHERE id = $1)", true),
        ("owner IN (SELECT id FROM (VALUES (1)) x (a))", true),
    ] {
        let sql = format!("SELECT 1 FROM state WHERE {inner}");
        let query = super::resolve(&sql, Postgres, Some(&replay.schema)).expect("it parses");
        let is_correlated = query.blocks.iter().any(|block| block.correlated);
        assert_eq!(is_correlated, is_of_outer, "{sql}");
    }
}

/// As MariaDB 10.11 and PostgreSQL 15 take and refuse them.
#[test]
fn names_of_a_query_in_from_are_different_where_they_have_to_be() {
    for refused in [
        "SELECT x.id FROM (SELECT p.id, s.id FROM p JOIN s ON s.id = p.id) x",
        "WITH x AS (SELECT id, qty AS ID FROM p) SELECT 1 FROM x",
        "SELECT * FROM (SELECT 1, 1) x",
        "SELECT id FROM p LIMIT 'a'",
        "SELECT count(id, qty) FROM p",
    ] {
        assert_eq!(problems(MySql, refused).len(), 1, "{refused}");
    }
    for taken in [
        "SELECT x.a FROM (SELECT p.id, s.id FROM p JOIN s ON s.id = p.id) x (a, b)",
        "SELECT p.id, s.id FROM p JOIN s ON s.id = p.id",
        "SELECT x.id FROM (SELECT id, qty FROM p) x WHERE EXISTS (SELECT id, id FROM s)",
        "SELECT count(DISTINCT id, qty) FROM p LIMIT 1",
    ] {
        assert_eq!(problems(MySql, taken), [""; 0], "{taken}");
    }
    let two = "SELECT p.id, s.id FROM p JOIN s ON s.id = p.id";
    assert_eq!(problems(Postgres, &format!("SELECT id FROM ({two}) x")).len(), 1);
    assert_eq!(problems(Postgres, &format!("WITH x AS ({two}) SELECT x.id FROM x")).len(), 1);
    assert_eq!(problems(Postgres, &format!("SELECT * FROM ({two}) x")), [""; 0]);
    assert_eq!(problems(Sqlite, &format!("SELECT id FROM ({two}) x")), [""; 0]);
}

/// As PostgreSQL 15 answers.
#[test]
fn a_column_is_assigned_as_a_whole_or_in_parts() {
    for (sql, refused) in [
        ("UPDATE h SET ads[1] = NULL, ads = '{}'", true),
        ("UPDATE h SET ads = '{}', ads[1] = NULL", true),
        ("UPDATE h SET ads = '{}', ad = NULL, ads = '{}'", true),
        ("UPDATE h SET ads[1] = NULL, ads[2] = NULL", false),
        ("UPDATE h SET ads[1] = NULL, ad = NULL", false),
    ] {
        let found = problems(Postgres, sql);
        let again = found.iter().filter(|problem| problem.contains("assigned twice")).count();
        assert_eq!(again == 1, refused, "{sql}: {found:?}");
    }
}

/// As PostgreSQL and SQLite answer.
#[test]
fn a_name_of_two_columns_of_the_result_orders_nothing() {
    let joined = |of: &str, rest: &str| format!("SELECT {of} FROM p JOIN s ON s.id = p.id {rest}");
    for (dialect, of, rest, count) in [
        (Postgres, "p.qty, s.qty", "ORDER BY qty", 1),
        (Postgres, "p.qty, s.qty", "ORDER BY (qty) DESC", 1),
        (Postgres, "*", "ORDER BY id", 1),
        (Postgres, "p.id AS n, s.qty AS n", "GROUP BY n", 1),
        (Postgres, "DISTINCT ON (n) p.id AS n, s.qty AS n", "", 1),
        (Postgres, "p.id AS n, s.qty AS n", "UNION SELECT 1, 2 ORDER BY n", 1),
        (Postgres, "p.qty, p.qty", "ORDER BY qty", 0),
        (Postgres, "p.qty, s.qty AS n", "ORDER BY qty", 0),
        (Postgres, "p.qty, s.qty", "ORDER BY p.qty, 2", 0),
        (Postgres, "1 AS n, 1 AS n", "ORDER BY n", 0),
        (Sqlite, "p.qty, s.qty AS n", "ORDER BY qty", 1),
        (Sqlite, "p.qty", "ORDER BY qty", 1),
        (Sqlite, "p.qty AS qty, s.qty AS n", "ORDER BY qty", 0),
        (Sqlite, "p.qty AS n, s.qty AS n", "ORDER BY n", 0),
        (Sqlite, "*", "ORDER BY qty", 0),
        (Sqlite, "p.qty", "ORDER BY p.qty", 0),
    ] {
        let sql = joined(of, rest);
        assert_eq!(problems(dialect, &sql).len(), count, "{dialect:?} {sql}");
    }
    let using = "SELECT p.id, s.id FROM p RIGHT JOIN s USING (id) ORDER BY id";
    assert_eq!(problems(Sqlite, using), [""; 0]);
}
