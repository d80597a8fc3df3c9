//! The columns of queries on MySQL, compared with the server's description when it prepares them.

use query_budget_analysis::schema::snapshot;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::mysql::{Server, wires};
use query_budget_analysis::types::{Known, describe};
use query_budget_tests::with_mysql;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Column, Executor, SqlSafeStr, TypeInfo};

/// The types of the columns, with keys and defaults of all kinds.
const COLUMNS: &[&str] = &[
    "TINYINT",
    "TINYINT(1) NOT NULL",
    "TINYINT UNSIGNED",
    "SMALLINT",
    "SMALLINT UNSIGNED NOT NULL DEFAULT 3",
    "MEDIUMINT",
    "MEDIUMINT UNSIGNED",
    "INT",
    "INT UNSIGNED NOT NULL",
    "BIGINT",
    "BIGINT UNSIGNED",
    "BOOLEAN NOT NULL DEFAULT TRUE",
    "DECIMAL",
    "DECIMAL(10,2)",
    "DECIMAL(5,0) UNSIGNED",
    "NUMERIC(20,4) NOT NULL",
    "FLOAT",
    "FLOAT(10,2)",
    "DOUBLE",
    "DOUBLE UNSIGNED NOT NULL",
    "DATE",
    "TIME",
    "TIME(3)",
    "DATETIME",
    "DATETIME(6) NOT NULL",
    "DATETIME DEFAULT CURRENT_TIMESTAMP",
    "TIMESTAMP NULL",
    "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
    "TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)",
    "YEAR",
    "CHAR",
    "CHAR(36) NOT NULL",
    "VARCHAR(20)",
    "VARCHAR(255) NOT NULL DEFAULT 'x'",
    "VARCHAR(3000)",
    "BINARY(16)",
    "VARBINARY(20) NOT NULL",
    "TINYTEXT",
    "TEXT",
    "MEDIUMTEXT NOT NULL",
    "LONGTEXT",
    "TINYBLOB",
    "BLOB",
    "MEDIUMBLOB",
    "LONGBLOB NOT NULL",
    "ENUM('a','it''s','ccc') NOT NULL",
    "SET('x','yy')",
    "BIT",
    "BIT(8) NOT NULL",
];

/// The statements that query each column, which replaces `@`.
const STATEMENTS: &[&str] = &[
    "SELECT @ FROM t",
    "SELECT id, @ AS other FROM t WHERE id = ? ORDER BY id LIMIT 3",
    "SELECT x.@ FROM p LEFT JOIN t x ON x.id = p.t_id",
    "SELECT t.@ FROM t RIGHT JOIN p ON t.id = p.t_id",
    "SELECT t.@, p.t_id FROM t JOIN p ON t.id = p.t_id LEFT JOIN p q ON q.id = p.id",
    "SELECT x.@ FROM (SELECT @ FROM t) x",
    "SELECT x.@ FROM (SELECT @, id FROM t LIMIT 5) x",
    "SELECT x.@ FROM p LEFT JOIN (SELECT @, id FROM t) x ON x.id = p.id",
    "SELECT x.o FROM (SELECT @ AS o, COUNT(*) AS n FROM t GROUP BY @) x",
    "WITH c AS (SELECT @ FROM t WHERE id > 3) SELECT * FROM c",
    "SELECT @, COUNT(*) AS n FROM t GROUP BY @",
    "SELECT MAX(@) AS m FROM t",
    "SELECT MIN(@) AS m, COUNT(@) AS n FROM t GROUP BY id",
];

/// The tables, with each column twice: alone, and with a key.
fn script() -> String {
    let mut columns = String::new();
    let mut keys = String::new();
    for (at, ty) in COLUMNS.iter().enumerate() {
        columns.push_str(&format!(", c{at} {ty}, k{at} {ty}"));
        let is_long = ["TEXT", "BLOB", "3000"].iter().any(|long| ty.contains(long));
        let prefix = if is_long { "(10)" } else { "" };
        keys.push_str(&match at % 4 {
            0 => format!(", KEY i{at} (k{at}{prefix})"),
            1 => format!(", UNIQUE KEY i{at} (k{at}{prefix})"),
            2 => format!(", KEY i{at} (k{at}{prefix}, id)"),
            _ => String::new(),
        });
    }
    format!(
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY{columns}{keys});\n\
         CREATE TABLE p (id BIGINT UNSIGNED PRIMARY KEY, t_id INT NOT NULL, FOREIGN KEY (t_id) REFERENCES t (id));\n"
    )
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn columns_are_what_the_server_says() {
    with_mysql(|pool| async move {
        let script = script();
        sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(&pool).await.expect("the tables are made");
        let schema = snapshot::read(&script, "all.sql", Some(Dialect::MySql)).schema;
        let names = (0..COLUMNS.len()).flat_map(|at| [format!("c{at}"), format!("k{at}")]);
        let mut counts = (0, 0);
        let mut wrong = Vec::new();
        for name in names {
            for statement in STATEMENTS {
                let sql = statement.replace('@', &name);
                let query = resolve(&sql, Dialect::MySql, Some(&schema)).expect("it parses");
                let described = (&pool).describe(AssertSqlSafe(sql.clone()).into_sql_str()).await;
                let Ok(described) = described else { continue };
                let found = wires(&query, &schema, None);
                assert_eq!(found.len(), described.columns.len(), "{sql}");
                for (at, (column, (found_name, wire, _))) in described.columns.iter().zip(found).enumerate() {
                    assert_eq!(found_name, column.name(), "{sql}");
                    let truth = serde_json::to_value(column.type_info()).expect("JSON");
                    let Ok(wire) = wire else {
                        counts.1 += 1;
                        continue;
                    };
                    counts.0 += 1;
                    let found: Value = json!([
                        wire.ty,
                        wire.flag_names(),
                        wire.size,
                        wire.is_text,
                        wire.name(),
                        !wire.is_not_null()
                    ]);
                    let is_text = truth["collation"] != 63;
                    let name = column.type_info().name();
                    let truth = json!([
                        truth["type"],
                        truth["flags"],
                        truth["max_size"],
                        is_text,
                        name,
                        described.nullable(at)
                    ]);
                    if found != truth {
                        wrong.push(format!("{sql}: {found} found, {truth} in truth"));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {counts:?} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(counts.0 > 1_000 && counts.1 * 8 < counts.0, "told and not told: {counts:?}");
    })
    .await;
}

/// Columns of all kinds, with and without NOT NULL.
const OPERANDS: &str = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, b BIGINT NOT NULL, bn BIGINT, n INT, \
     s SMALLINT NOT NULL, u INT UNSIGNED NOT NULL, ub BIGINT UNSIGNED NOT NULL, ok TINYINT(1) NOT NULL, \
     d DECIMAL(10,2) NOT NULL, dn DECIMAL(10,2), f DOUBLE NOT NULL, fl FLOAT, v VARCHAR(20) NOT NULL, vn VARCHAR(20), \
     x TEXT NOT NULL, dt DATETIME NOT NULL, dtn DATETIME, da DATE NOT NULL, \
     ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, bl BLOB, e ENUM('a','b') NOT NULL, y YEAR);";

/// Columns and literals that expressions are built from.
const VALUES: [&str; 26] = [
    "id", "b", "bn", "n", "s", "u", "ub", "ok", "d", "dn", "f", "fl", "v", "vn", "x", "dt", "dtn", "da",
    "ts", "bl", "e", "y", "1", "1.5", "'x'", "NULL",
];
const OF_ONE: [&str; 50] = [
    "-",
    "NOT ",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "COUNT",
    "GROUP_CONCAT",
    "UPPER",
    "TRIM",
    "LENGTH",
    "CHAR_LENGTH",
    "ABS",
    "ROUND",
    "FLOOR",
    "SQRT",
    "DATE",
    "YEAR",
    "HEX",
    "MD5",
    "BIT_AND",
    "COALESCE",
    "CAST SIGNED",
    "CAST UNSIGNED",
    "CAST CHAR",
    "CAST DECIMAL(10,2)",
    "CAST DATE",
    "CAST DATETIME",
    "CAST TIME",
    "CAST DOUBLE",
    "OVER SUM",
    "OVER AVG",
    "OVER LAG",
    "OVER FIRST_VALUE",
    "OVER MAX",
    "OVER COUNT",
    "IS NULL",
    "IS NOT NULL",
    "CASE",
    "(SELECT",
    "DERIVED",
    "STORED",
    "CTE",
    "LEFT",
    "UNION",
    "GROUP",
    "DATE_FORMAT",
    "UNIX_TIMESTAMP",
    "LAST_DAY",
    "REVERSE",
];
const OF_TWO: [&str; 20] = [
    "+",
    "-",
    "*",
    "/",
    "%",
    "DIV",
    "=",
    "<",
    "<=>",
    "AND",
    "LIKE",
    "COALESCE",
    "IFNULL",
    "NULLIF",
    "IF",
    "CASE",
    "CONCAT",
    "IN",
    "GREATEST",
    "UNION ALL",
];

fn of_one(how: &str, a: &str) -> String {
    match how {
        "-" | "NOT " => format!("SELECT {how}{a} AS r FROM t"),
        "IS NULL" | "IS NOT NULL" => format!("SELECT {a} {how} AS r FROM t"),
        "CASE" => format!("SELECT CASE WHEN ok THEN {a} END AS r FROM t"),
        "(SELECT" => format!("SELECT (SELECT {a} FROM t LIMIT 1) AS r"),
        "DERIVED" => format!("SELECT r FROM (SELECT {a} AS r FROM t) z"),
        "STORED" => format!("SELECT r FROM (SELECT {a} AS r, COUNT(*) AS c FROM t GROUP BY {a}) z"),
        "CTE" => format!("WITH z AS (SELECT {a} AS r FROM t) SELECT r FROM z"),
        "LEFT" => format!("SELECT z.r FROM t t1 LEFT JOIN (SELECT id AS i, {a} AS r FROM t) z ON z.i = t1.n"),
        "UNION" => format!("SELECT {a} AS r FROM t UNION SELECT {a} FROM t"),
        "GROUP" => format!("SELECT {a} AS r, MAX({a}) AS m FROM t GROUP BY {a}"),
        "DATE_FORMAT" => format!("SELECT DATE_FORMAT({a}, '%Y') AS r FROM t"),
        how => match how.split_once(' ') {
            Some(("CAST", ty)) => format!("SELECT CAST({a} AS {ty}) AS r FROM t"),
            Some((_, name)) => format!("SELECT {name}({a}) OVER (ORDER BY id) AS r FROM t"),
            None => format!("SELECT {how}({a}) AS r FROM t"),
        },
    }
}

fn of_two(how: &str, a: &str, b: &str) -> String {
    match how {
        "IF" => format!("SELECT IF(ok, {a}, {b}) AS r FROM t"),
        "CASE" => format!("SELECT CASE WHEN ok THEN {a} ELSE {b} END AS r FROM t"),
        "IN" => format!("SELECT {a} IN ({b}, {a}) AS r FROM t"),
        "UNION ALL" => format!("SELECT {a} AS r FROM t UNION ALL SELECT {b} FROM t"),
        how if how.len() > 4 || how == "CONCAT" => format!("SELECT {how}({a}, {b}) AS r FROM t"),
        how => format!("SELECT {a} {how} {b} AS r FROM t"),
    }
}

/// Expressions as services write them.
const COMPUTED: [&str; 46] = [
    "1 + 1",
    "-1",
    "-1.5",
    "TRUE",
    "12345678901",
    "COALESCE(SUM(n), 0)",
    "COALESCE(SUM(CASE WHEN n = 1 THEN 1 ELSE 0 END), 0)",
    "SUM(IF(ok, 1, 0))",
    "SUM(n = 1)",
    "SUM(n * 2)",
    "SUM(d * n)",
    "SUM(dt - ts)",
    "SUM(ts - ts)",
    "IFNULL(MAX(n), 0) + 1",
    "IFNULL(YEAR(dt), 0)",
    "IFNULL(AVG(fl), 0)",
    "100.0 * SUM(n) / COUNT(*)",
    "COUNT(*) * 100 / 2",
    "COUNT(*) > 0",
    "(SELECT COUNT(*) FROM t) > 0",
    "(SELECT MAX(b) FROM t) + 1",
    "EXISTS (SELECT 1 FROM t WHERE id = ?)",
    "NOT EXISTS (SELECT 1 FROM t) AND ok",
    "n = ?",
    "v LIKE ?",
    "ROUND(AVG(d), 2)",
    "ROUND(AVG(f), 1)",
    "ROUND(SUM(d) / COUNT(*), 2)",
    "CASE WHEN ok THEN 'a' WHEN n = 2 THEN 'bcd' ELSE 'bb' END",
    "CASE id WHEN 1 THEN 1.5 ELSE 2 END",
    "CONCAT(v, '-', n)",
    "CONCAT(vn, ' ', v)",
    "LOWER(TRIM(v))",
    "CHAR_LENGTH(vn)",
    "CAST(SUM(n) AS SIGNED)",
    "CAST(COALESCE(SUM(n), 0) AS SIGNED)",
    "CAST(d AS CHAR)",
    "CAST(v AS DECIMAL(10,2))",
    "UNIX_TIMESTAMP(dt)",
    "UNIX_TIMESTAMP()",
    "NOW(3)",
    "DATE(dtn)",
    "ROW_NUMBER() OVER (ORDER BY id)",
    "RANK() OVER (PARTITION BY v ORDER BY id)",
    "GROUP_CONCAT(v)",
    "GROUP_CONCAT(DISTINCT n ORDER BY n)",
];

/// Statements as services write them.
const WRITTEN: [&str; 22] = [
    "SELECT COALESCE(SUM(n), 0) AS r FROM t",
    "SELECT COALESCE(SUM(f), 0) AS r FROM t WHERE id > ?",
    "SELECT COALESCE(MAX(bn), 0) AS r FROM t",
    "SELECT IFNULL(AVG(d), 0) AS r FROM t GROUP BY v",
    "SELECT SUM(CASE WHEN ok THEN 1 ELSE 0 END) AS r FROM t",
    "SELECT COUNT(DISTINCT v) AS r, MIN(dt) AS s, MAX(ts) AS u FROM t",
    "SELECT NOW() AS r, CURDATE() AS s, UTC_TIMESTAMP() AS u, CURTIME() AS w",
    "SELECT LAST_INSERT_ID() AS r, UUID() AS s, RAND() AS u, DATABASE() AS w",
    "SELECT TIMESTAMPDIFF(SECOND, dt, dtn) AS r FROM t",
    "SELECT v AS `v!`, bn AS `bn?: i64` FROM t",
    "SELECT a.v, c.vn, COUNT(*) AS r FROM t a LEFT JOIN t c ON c.id = a.n GROUP BY a.id",
    "SELECT id, v, MAX(b) AS r FROM t",
    "SELECT ub + 1 AS r, b + s AS q, d + f AS o, n / 2 AS p FROM t",
    "SELECT n & 1 AS r, n | ub AS s, id << 1 AS u, ~n AS w, n ^ 1 AS o FROM t",
    "SELECT TIME(dt) AS r, TIMEDIFF(dt, dtn) AS s, MAKETIME(1, 2, 3) AS u, SEC_TO_TIME(n) AS w FROM t",
    "SELECT MAKEDATE(2020, 1) AS r, FROM_DAYS(n) AS s, FROM_UNIXTIME(n) AS u, FROM_UNIXTIME(n, '%Y') AS w FROM t",
    "SELECT DATE_ADD(dt, INTERVAL 1 DAY) AS r, DATE_SUB(NOW(), INTERVAL ? DAY) AS s, dt + INTERVAL 1 DAY AS u FROM t",
    "SELECT TIMESTAMPADD(DAY, 1, dt) AS r, ADDTIME(dt, '1:00') AS s, CONVERT_TZ(dt, '+00:00', '+01:00') AS u FROM t",
    "SELECT DATE '2020-01-01' AS r, TIME '10:00:00' AS s, TIMESTAMP '2020-01-01 00:00:00' AS u FROM t",
    "SELECT STD(n) AS r, VARIANCE(d) AS s, PI() AS u, SIN(f) AS w, DEGREES(n) AS o FROM t",
    "SELECT UNHEX('41') AS r, FROM_BASE64(v) AS s, CAST(v AS BINARY) AS u, BIN(n) AS w, CAST(n AS FLOAT) AS o FROM t",
    "SELECT CUME_DIST() OVER (ORDER BY n) AS r, NTH_VALUE(b, 2) OVER (ORDER BY id) AS s FROM t",
];

/// Types that are read as the same Rust type get the same name.
fn read_as(name: &str) -> &str {
    match name {
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" => "text",
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => "bytes",
        "BOOLEAN" => "TINYINT",
        name => name,
    }
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn expressions_are_what_the_server_says() {
    with_mysql(|pool| async move {
        sqlx::raw_sql(OPERANDS).execute(&pool).await.expect("the table is made");
        let schema = snapshot::read(OPERANDS, "all.sql", Some(Dialect::MySql)).schema;
        let mut statements: Vec<String> = WRITTEN.map(str::to_owned).into();
        for a in VALUES {
            statements.extend(OF_ONE.map(|how| of_one(how, a)));
            statements.extend(VALUES.iter().flat_map(|b| OF_TWO.map(|how| of_two(how, a, b))).step_by(3));
        }
        let (mut columns, mut typed, mut certain) = (0, 0, 0);
        let mut wrong = Vec::new();
        for sql in &statements {
            let described = (&pool).describe(AssertSqlSafe(sql.clone()).into_sql_str()).await;
            let Ok(described) = described else { continue };
            let query = resolve(sql, Dialect::MySql, Some(&schema)).expect("it parses");
            let told = describe(&query, &schema, Dialect::MySql).columns;
            assert_eq!(told.len(), described.columns.len(), "{sql}");
            for (at, (told, truth)) in told.iter().zip(&described.columns).enumerate() {
                let (name, ty, nullable) = (truth.name(), truth.type_info().name(), described.nullable(at));
                assert_eq!(told.name, name, "{sql}");
                columns += 1;
                if let Known::Is(is) = &told.ty {
                    typed += 1;
                    if read_as(&is.name) != read_as(ty) {
                        wrong.push(format!("{sql}: `{name}` is {ty}, not {}", is.name));
                    }
                    certain += usize::from(told.nullable_certain);
                    if told.nullable_certain && told.nullable != nullable {
                        wrong.push(format!("{sql}: `{name}` has {nullable:?}, not {:?}", told.nullable));
                    }
                }
                if told.proven_not_null && nullable != Some(false) {
                    wrong.push(format!(
                        "{sql}: `{name}` is taken for never NULL, and the server says {nullable:?}"
                    ));
                }
            }
        }
        println!("{columns} columns, of {typed} the type is told, of {certain} whether they can be NULL");
        assert!(wrong.is_empty(), "{} of {columns} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(
            columns > 4_000 && typed * 3 > columns && certain * 4 > typed * 3,
            "{columns} {typed} {certain}"
        );
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn computed_columns_are_sent_as_mariadb_sends_them() {
    with_mysql(|pool| async move {
        let version: String =
            sqlx::query_scalar("SELECT VERSION()").fetch_one(&pool).await.expect("a version");
        if !version.contains("MariaDB") {
            println!("the server is not MariaDB: {version}");
            return;
        }
        sqlx::raw_sql(OPERANDS).execute(&pool).await.expect("the table is made");
        let schema = snapshot::read(OPERANDS, "all.sql", Some(Dialect::MySql)).schema;
        let mut statements: Vec<String> = WRITTEN.map(str::to_owned).into();
        statements.extend(COMPUTED.map(|expr| format!("SELECT {expr} AS r FROM t")));
        for a in VALUES {
            statements.extend(OF_ONE.map(|how| of_one(how, a)));
            statements.extend(VALUES.iter().flat_map(|b| OF_TWO.map(|how| of_two(how, a, b))).step_by(3));
        }
        let (mut columns, mut told) = (0, 0);
        let mut wrong = Vec::new();
        for sql in &statements {
            let described = (&pool).describe(AssertSqlSafe(sql.clone()).into_sql_str()).await;
            let Ok(described) = described else { continue };
            let query = resolve(sql, Dialect::MySql, Some(&schema)).expect("it parses");
            for (column, (_, wire, _)) in
                described.columns.iter().zip(wires(&query, &schema, Some(Server::MariaDb)))
            {
                columns += 1;
                let Ok(wire) = wire else { continue };
                told += 1;
                let truth = serde_json::to_value(column.type_info()).expect("JSON");
                let is_null = |flags: &str| !flags.contains("NOT_NULL");
                let flags = truth["flags"].as_str().expect("flags");
                let without = |flags: &str| flags.replace("NOT_NULL | ", "").replace("NOT_NULL", "");
                let real = json!([
                    truth["type"],
                    without(flags),
                    truth["max_size"],
                    truth["collation"] != 63,
                    is_null(flags)
                ]);
                let is_null = if wire.is_unsure() { is_null(flags) } else { !wire.is_not_null() };
                let found = json!([wire.ty, without(&wire.flag_names()), wire.size, wire.is_text, is_null]);
                if found != real {
                    wrong.push(format!("{sql}: {found} found, {real} in truth"));
                }
            }
        }
        println!("{told} of {columns} columns are told");
        assert!(wrong.is_empty(), "{} of {told} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(told * 2 > columns, "{told} of {columns} are told");
    })
    .await;
}
