//! The columns of queries as the servers describe them.

use super::{Known, Server, SqlType, wires};
use crate::schema::snapshot;
use crate::sql::{Dialect, resolve};

const SCHEMA: &str = "CREATE TABLE a (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, ok TINYINT(1) NOT NULL, \
    name VARCHAR(20), kind ENUM('x', 'yyy') NOT NULL DEFAULT 'x', n INT NOT NULL, at TIMESTAMP NOT NULL DEFAULT \
    CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, doc JSON, UNIQUE (name), KEY (n, ok));";

#[track_caller]
fn check(sql: &str, expect: &str) {
    let schema = snapshot::read(SCHEMA, "a.sql", Some(Dialect::MySql)).schema;
    let query = resolve(sql, Dialect::MySql, Some(&schema)).expect("it parses");
    let shown = wires(&query, &schema, None).into_iter().map(|(name, wire, _)| match wire {
        Ok(wire) => format!("{name} {} {} {}", wire.name(), wire.size, wire.flag_names()),
        Err(_) => format!("{name}?"),
    });
    assert_eq!(shown.collect::<Vec<_>>().join("; "), expect);
}

#[test]
fn columns_have_the_flags_of_their_keys_and_defaults() {
    check("SELECT id FROM a", "id BIGINT UNSIGNED 20 NOT_NULL | PRIMARY_KEY | UNSIGNED | AUTO_INCREMENT");
    check("SELECT ok, name FROM a", "ok BOOLEAN 1 NOT_NULL | NO_DEFAULT_VALUE; name VARCHAR 80 UNIQUE_KEY");
    check("SELECT n FROM a", "n INT 11 NOT_NULL | MULTIPLE_KEY | NO_DEFAULT_VALUE");
    check("SELECT kind FROM a", "kind ENUM 12 NOT_NULL | ENUM");
    check("SELECT at FROM a", "at TIMESTAMP 19 NOT_NULL | UNSIGNED | BINARY | TIMESTAMP | ON_UPDATE_NOW");
}

#[test]
fn an_outer_join_may_give_no_row_and_a_stored_result_has_no_keys() {
    check("SELECT b.n FROM a LEFT JOIN a b ON b.id = a.n", "n INT 11 MULTIPLE_KEY | NO_DEFAULT_VALUE");
    check("SELECT x.n FROM (SELECT n FROM a LIMIT 2) x", "n INT 11 NOT_NULL | NO_DEFAULT_VALUE");
    check("SELECT COUNT(*) AS c, MAX(n) AS m FROM a", "c BIGINT 21 NOT_NULL | BINARY; m INT 11 BINARY");
}

#[test]
fn what_the_servers_say_differently_is_not_told() {
    check("SELECT doc, n + 1 AS o, 1 AS i FROM a", "doc?; o?; i?");
    check("SELECT n FROM a UNION SELECT id FROM a", "n?");
}

/// The flags and the size of each column on MariaDB.
#[track_caller]
fn check_wires(schema: &str, sql: &str, expect: &str) {
    let schema = snapshot::read(schema, "a.sql", Some(Dialect::MySql)).schema;
    let query = resolve(sql, Dialect::MySql, Some(&schema)).expect("it parses");
    let wires = wires(&query, &schema, Some(Server::MariaDb)).into_iter();
    let found = wires.map(|(name, wire, _)| match wire {
        Ok(wire) => format!("{name} {} {}", wire.size, wire.flag_names()),
        Err(_) => format!("{name}?"),
    });
    assert_eq!(found.collect::<Vec<_>>().join("; "), expect, "{sql}");
}

#[test]
fn widths_keys_and_collations_are_told() {
    check_wires(
        "CREATE TABLE a (i int(5) NOT NULL, u tinyint(1) unsigned, z int(6) zerofill)",
        "SELECT *, max(i) m FROM a GROUP BY i",
        "i 5 NOT_NULL | NO_DEFAULT_VALUE; u 1 UNSIGNED; z 6 UNSIGNED | ZEROFILL; m?",
    );
    check_wires(
        "CREATE TABLE a (id serial PRIMARY KEY, d int NOT NULL UNIQUE)",
        "SELECT * FROM a",
        "id 20 NOT_NULL | PRIMARY_KEY | UNSIGNED | AUTO_INCREMENT; d 11 NOT_NULL | UNIQUE_KEY | NO_DEFAULT_VALUE",
    );
    check_wires(
        "CREATE TABLE a (id serial, x int)",
        "SELECT * FROM a",
        "id 20 NOT_NULL | PRIMARY_KEY | UNSIGNED | AUTO_INCREMENT; x 11 ",
    );
    check_wires(
        "CREATE TABLE a (c varchar(10) CHARACTER SET binary, e varchar(10) COLLATE utf8mb4_bin, t text(10), b blob(100))",
        "SELECT * FROM a",
        "c 10 BINARY; e 40 BINARY; t 1020 BLOB; b 255 BLOB | BINARY",
    );
}

#[test]
fn a_unique_key_that_repeats_the_primary_one_is_left_out_by_mariadb() {
    let flags = |schema: &str, server| {
        let schema = snapshot::read(schema, "a.sql", Some(Dialect::MySql)).schema;
        let query = resolve("SELECT id FROM a", Dialect::MySql, Some(&schema)).expect("it parses");
        let found = wires(&query, &schema, server).into_iter().next();
        found.and_then(|(_, wire, _)| wire.ok()).is_some_and(|wire| wire.flag_names().contains("UNIQUE_KEY"))
    };
    let is_told = |schema: &str, server| {
        let schema = snapshot::read(schema, "a.sql", Some(Dialect::MySql)).schema;
        let query = resolve("SELECT id FROM a", Dialect::MySql, Some(&schema)).expect("it parses");
        wires(&query, &schema, server).into_iter().all(|(_, wire, _)| wire.is_ok())
    };
    let (mysql, mariadb) = (Some(Server::MySql), Some(Server::MariaDb));
    let serial = "CREATE TABLE a (id serial PRIMARY KEY)";
    assert!(flags(serial, mysql) && !flags(serial, mariadb) && is_told(serial, mariadb));
    assert!(!is_told(serial, None));
    let named = "CREATE TABLE a (id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id), UNIQUE KEY k (id))";
    assert!(flags(named, mysql) && flags(named, mariadb) && flags(named, None));
    // It may be a key of the column, or one of the table.
    let unnamed = "CREATE TABLE a (id int NOT NULL, PRIMARY KEY (id), UNIQUE KEY (id))";
    assert!(flags(unnamed, mysql) && !is_told(unnamed, mariadb));
}

#[test]
fn rows_of_window_functions_may_be_null_on_mariadb() {
    let schema = "CREATE TABLE t (id int NOT NULL, i int NOT NULL)";
    check_wires(
        schema,
        "SELECT id, row_number() OVER (ORDER BY i) r FROM t",
        "id 11 NO_DEFAULT_VALUE; r 21 NOT_NULL | BINARY",
    );
    check_wires(
        schema,
        "SELECT i, sum(count(*)) OVER () k FROM t GROUP BY i",
        "i 11 NOT_NULL | NO_DEFAULT_VALUE; k 43 BINARY",
    );
}

#[test]
fn stored_results_and_rows_of_no_group_are_told_as_mariadb_does() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, n int, d decimal(5,2) NOT NULL, c char(4) NOT NULL); \
        CREATE VIEW v AS SELECT id, id + 1 AS e FROM t";
    for (sql, expect) in [
        ("SELECT a FROM (SELECT 1 AS a) x", "a 1 NOT_NULL"),
        ("SELECT a + 1 FROM (SELECT 1 AS a) x", "a + 1 12 NOT_NULL | BINARY"),
        ("SELECT a + 1 FROM (SELECT d AS a FROM t LIMIT 1) x", "a + 1 8 NOT_NULL | BINARY"),
        ("SELECT a FROM (SELECT id AS a, rand() AS b FROM t) x", "a 11 NOT_NULL | NO_DEFAULT_VALUE"),
        (
            "SELECT count(*) AS c, d, d + 1 FROM t",
            "c 21 NOT_NULL | BINARY; d 7 NO_DEFAULT_VALUE; d + 1 8 BINARY",
        ),
        (
            "SELECT count(*) AS c, e, e + 1 FROM v",
            "c 21 NOT_NULL | BINARY; e 12 NOT_NULL | BINARY; e + 1 13 BINARY",
        ),
        ("SELECT x.id FROM (SELECT id FROM t GROUP BY id WITH ROLLUP) x", "id 11 "),
        ("SELECT x.g FROM (SELECT group_concat(n) AS g FROM t) x", "g 67108860 BLOB"),
        ("SELECT coalesce(n, id) AS c FROM t", "c 11 NOT_NULL | BINARY"),
        (
            "SELECT id FROM (SELECT 2 AS id, 3 AS z) x RIGHT JOIN t USING (id)",
            "id 11 NOT_NULL | PRIMARY_KEY | NO_DEFAULT_VALUE",
        ),
    ] {
        check_wires(schema, sql, expect);
    }
}

#[test]
fn text_by_its_bytes_and_geometries_are_told_as_mariadb_does() {
    let schema =
        "CREATE TABLE t (v varchar(20) NOT NULL, b varchar(20) COLLATE utf8mb4_bin, p point NOT NULL)";
    for (sql, expect) in [
        ("SELECT lower(b) AS l, concat(v, b) AS c, lower(v) AS w FROM t", "l 80 BINARY; c 160 BINARY; w 80 "),
        ("SELECT coalesce(b, v) AS c, max(b) AS m FROM t GROUP BY v", "c 80 NOT_NULL | BINARY; m 80 BINARY"),
        ("SELECT b FROM t UNION SELECT v FROM t", "b 80 BINARY"),
        (
            "SELECT p, st_x(p) AS x FROM t",
            "p 4294967295 NOT_NULL | BLOB | BINARY | NO_DEFAULT_VALUE; x 23 BINARY",
        ),
        ("SELECT st_astext(p) AS t, point(1, 2) AS q FROM t", "t 4294967295 ; q 4294967295 BINARY"),
    ] {
        check_wires(schema, sql, expect);
    }
}

#[test]
fn numbers_in_a_query_may_be_of_any_size() {
    let schema = "CREATE TABLE a (f DOUBLE NOT NULL, d DECIMAL(5, 2) NOT NULL)";
    let schema = snapshot::read(schema, "a.sql", Some(Dialect::MySql)).schema;
    // The sizes are MariaDB's, which refuses more than six digits of a moment.
    for (value, size) in [
        ("round(f, 30)", Some(47)),
        ("round(f, 31)", Some(23)),
        ("round(f, 4294967295)", Some(23)),
        ("now(6)", Some(26)),
        ("now(7)", None),
        ("now(4294967295)", None),
        ("cast(d AS decimal(4294967295, 4294967295))", Some(11)),
    ] {
        let sql = format!("SELECT {value} AS x FROM a");
        let query = resolve(&sql, Dialect::MySql, Some(&schema)).expect("it parses");
        let found = wires(&query, &schema, Some(Server::MariaDb)).into_iter().next();
        let found = found.and_then(|(_, wire, _)| wire.ok()).map(|wire| wire.size);
        assert_eq!(found, size, "{sql}");
    }
}

#[test]
fn json_has_the_type_as_which_both_servers_send_it() {
    let types = |more: &str, sql: &str| -> Vec<String> {
        let schema = snapshot::read(&format!("{SCHEMA}{more}"), "a.sql", Some(Dialect::MySql)).schema;
        let query = resolve(sql, Dialect::MySql, Some(&schema)).expect("it parses");
        let columns = super::describe(&query, &schema).columns.into_iter();
        let name = |ty: &Known<SqlType>| ty.known().map_or("?".to_owned(), |ty| ty.name.clone());
        columns.map(|it| format!("{} {:?}", name(&it.ty), it.nullable)).collect()
    };
    let sql = "SELECT doc FROM a";
    assert_eq!(types("", sql), ["JSON Some(true)"]);
    assert_eq!(types("CREATE TABLE b (u uuid NOT NULL);", sql), ["TEXT Some(true)"]);
    assert_eq!(types("CREATE TABLE b (d JSON NOT NULL);", "SELECT d FROM b"), ["JSON Some(false)"]);
    let computed = "SELECT coalesce(doc, '{}'), max(doc), x.d FROM a, (SELECT doc AS d FROM a) x";
    assert_eq!(types("", computed).iter().filter(|it| it.starts_with("JSON")).count(), 1);
}

#[test]
fn functions_of_mariadb_return_integers_of_a_fixed_width() {
    check_wires(
        "CREATE TABLE a (name VARCHAR(20) NOT NULL, note TEXT, d DATE NOT NULL)",
        "SELECT LOCATE('a', name) AS a, LOCATE('a', note) AS b, FIELD(note, 'a') AS c, ROW_COUNT() AS d, \
         INET_ATON(name) AS e, DATEDIFF(d, d) AS f, JSON_LENGTH(note) AS g, GET_LOCK(name, 1) AS h FROM a",
        "a 11 NOT_NULL | BINARY; b 11 BINARY; c 3 NOT_NULL | BINARY; d 21 NOT_NULL | BINARY; \
         e 21 UNSIGNED | BINARY; f 8 BINARY; g 10 BINARY; h 1 BINARY",
    );
}

#[test]
fn results_of_one_size_are_told_as_mariadb_does() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, n int, d date, x double NOT NULL, note mediumtext)";
    for (sql, expect) in [
        (
            "SELECT sin(n), atan2(id, 2), log(2, n) FROM t",
            "sin(n) 23 BINARY; atan2(id, 2) 23 BINARY; log(2, n) 23 BINARY",
        ),
        ("SELECT radians(x) r, degrees(n) g FROM t", "r 23 NOT_NULL | BINARY; g 23 BINARY"),
        (
            "SELECT last_day(d) l, makedate(2024, 1) m, weekofyear(d) w FROM t",
            "l 10 BINARY; m 10 BINARY; w 2 BINARY",
        ),
        ("SELECT dayname(d) a, inet_ntoa(n) b, database() c FROM t", "a 36 ; b 124 ; c 256 "),
        (
            "SELECT isnull(n) i, id XOR 1 x, n XOR id y FROM t",
            "i 1 NOT_NULL | BINARY; x 1 NOT_NULL | BINARY; y 1 BINARY",
        ),
        (
            "SELECT id & 1 a, n << 2 b, ~id c FROM t",
            "a 21 NOT_NULL | UNSIGNED | BINARY; b 21 UNSIGNED | BINARY; c 21 NOT_NULL | UNSIGNED | BINARY",
        ),
        ("SELECT bit_or(n) FROM t", "bit_or(n) 21 NOT_NULL | UNSIGNED | BINARY"),
        ("SELECT n + 1 & id a, n + (id & 1) b, ~(n + 1) c FROM t", "a?; b?; c?"),
        (
            "SELECT percent_rank() OVER (ORDER BY n) p, lead(note) OVER (ORDER BY n) l FROM t",
            "p 17 BINARY; l 268435440 ",
        ),
    ] {
        check_wires(schema, sql, expect);
    }
}

/// As sqlx's macros have it on MariaDB 10.11.
#[test]
fn a_known_server_completes_the_types() {
    let more = "CREATE TABLE b (u uuid NOT NULL, i inet6 NOT NULL);";
    let schema = snapshot::read(&format!("{SCHEMA}{more}"), "a.sql", Some(Dialect::MySql)).schema;
    let types = |sql: &str, server: Option<Server>| -> Vec<String> {
        let query = resolve(sql, Dialect::MySql, Some(&schema)).expect("it parses");
        let mut described = super::describe(&query, &schema);
        if let Some(server) = server {
            super::complete(&mut described, &query, &schema, server);
        }
        let name = |ty: &Known<SqlType>| ty.known().map_or("?".to_owned(), |ty| ty.name.clone());
        described.columns.iter().map(|it| format!("{} {:?}", name(&it.ty), it.nullable)).collect()
    };
    let one =
        "SELECT 1, x.one, x.yes, x.none FROM (SELECT 1 AS one, true AS yes, CAST(NULL AS CHAR) AS none) x";
    assert!(types(one, None)[..3].iter().all(|it| it.starts_with('?')));
    assert_eq!(
        types(one, Some(Server::MariaDb))[..3],
        ["INT Some(false)", "INT Some(false)", "INT Some(false)"]
    );
    assert_eq!(types(one, Some(Server::MySql))[..2], ["BIGINT Some(false)", "BIGINT Some(false)"]);
    assert_eq!(types("SELECT u, i FROM b", None), ["CHAR Some(false)", "CHAR Some(false)"]);
    assert_eq!(types("SELECT X'01AF'", None), ["VARBINARY Some(false)"]);
}
