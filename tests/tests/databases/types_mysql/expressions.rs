//! Expressions whose types the server is asked for.

/// Columns of all kinds, with and without NOT NULL.
pub(super) const OPERANDS: &str = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, b BIGINT NOT NULL, bn BIGINT, n INT, \
     s SMALLINT NOT NULL, u INT UNSIGNED NOT NULL, ub BIGINT UNSIGNED NOT NULL, ok TINYINT(1) NOT NULL, \
     d DECIMAL(10,2) NOT NULL, dn DECIMAL(10,2), f DOUBLE NOT NULL, fl FLOAT, v VARCHAR(20) NOT NULL, vn VARCHAR(20), \
     x TEXT NOT NULL, dt DATETIME NOT NULL, dtn DATETIME, da DATE NOT NULL, \
     ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, bl BLOB, e ENUM('a','b') NOT NULL, y YEAR, j JSON NOT NULL, \
     jn JSON, bi BIT(8), tm TIME, mt MEDIUMTEXT, c CHAR(5) NOT NULL, st SET('x','y'), vb VARBINARY(20) NOT NULL); \
     CREATE TABLE p (id BIGINT PRIMARY KEY, t_id INT NOT NULL, name VARCHAR(50), at DATETIME(3) NOT NULL);";

const STATEMENTS: &str = include_str!("../../../fixtures/types/mysql_statements.sql");

/// All statements as services write them.
pub(super) fn written() -> Vec<String> {
    let lines = STATEMENTS.lines().filter(|line| !line.starts_with("--"));
    let lines = lines.map(|line| line.trim_end_matches(';').to_owned());
    WRITTEN.map(str::to_owned).into_iter().chain(lines).collect()
}

/// Columns and literals that expressions are built from.
pub(super) const VALUES: [&str; 26] = [
    "id", "b", "bn", "n", "s", "u", "ub", "ok", "d", "dn", "f", "fl", "v", "vn", "x", "dt", "dtn", "da",
    "ts", "bl", "e", "y", "1", "1.5", "'x'", "NULL",
];

pub(super) const OF_ONE: [&str; 50] = [
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

pub(super) const OF_TWO: [&str; 20] = [
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

pub(super) fn of_one(how: &str, a: &str) -> String {
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

pub(super) fn of_two(how: &str, a: &str, b: &str) -> String {
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
pub(super) const COMPUTED: [&str; 46] = [
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
