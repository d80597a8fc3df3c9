//! What MySQL and MariaDB make of DDL.

use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::split::statements;
use query_budget_tests::{catalog, with_mysql};
use sqlx::{AssertSqlSafe, MySqlPool};

use super::{report, snapshot_of};

const SCRIPTS: &[(&str, &str)] = &[
    (
        "keys",
        "CREATE TABLE a (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, email VARCHAR(255) NOT NULL UNIQUE, name VARCHAR(200),
             body TEXT, n INT DEFAULT 0, PRIMARY KEY (id), KEY (name), KEY (name, n), INDEX by_body (body(20)),
             FULLTEXT KEY words (body), UNIQUE KEY (n, name)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x';
         ALTER TABLE a ADD KEY (n), ADD INDEX named (n, id DESC), DROP INDEX name_2, ADD UNIQUE both_ (name, n);
         CREATE INDEX made ON a (email(10), n);
         CREATE UNIQUE INDEX once ON a (body(5));
         DROP INDEX made ON a;
         ALTER TABLE a RENAME INDEX named TO renamed;",
    ),
    (
        "references and their indexes",
        "CREATE TABLE a (id INT PRIMARY KEY, x INT, UNIQUE (x));
         CREATE TABLE b (id INT PRIMARY KEY, a_id INT, other INT, third INT, FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE,
             CONSTRAINT to_x FOREIGN KEY (other) REFERENCES a (x) ON UPDATE SET NULL, KEY served (third, id),
             FOREIGN KEY (third) REFERENCES a (id));
         ALTER TABLE b ADD KEY wider (a_id, id);
         CREATE TABLE c (a_id INT, FOREIGN KEY (a_id) REFERENCES a (id));
         ALTER TABLE c DROP FOREIGN KEY c_ibfk_1;
         ALTER TABLE c ADD FOREIGN KEY (a_id) REFERENCES a (id);",
    ),
    (
        "changes of columns",
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(10), b INT, c INT, KEY ab (a, b), KEY (c));
         ALTER TABLE t ADD COLUMN d DECIMAL(8,2) NOT NULL DEFAULT 1.5 AFTER a, ADD e DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) FIRST;
         ALTER TABLE t MODIFY a VARCHAR(30) NOT NULL, CHANGE b bb BIGINT UNSIGNED AFTER id;
         ALTER TABLE t RENAME COLUMN c TO cc;
         ALTER TABLE t DROP COLUMN bb, ALTER cc SET DEFAULT 5;
         ALTER TABLE t ADD (f TINYINT(1) DEFAULT 0, g ENUM('x','y') DEFAULT 'x', h JSON);
         ALTER TABLE t ADD i INT GENERATED ALWAYS AS (cc + 1) STORED, ADD j INT AS (cc * 2), ADD KEY (i);
         RENAME TABLE t TO u;",
    ),
    (
        "types",
        "CREATE TABLE t (a BOOL, b INTEGER, c REAL, d NUMERIC(5), e CHAR, f NVARCHAR(5), g DOUBLE PRECISION,
             h TIMESTAMP NULL, i YEAR, j BLOB, k LONGTEXT, l SET('a','b'), m BIT(3), n VARBINARY(16), o INT SIGNED,
             p TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, q SERIAL);",
    ),
    (
        "routines that run DDL",
        "CREATE TABLE t (a INT);
         CREATE PROCEDURE add_b() BEGIN
             DECLARE done INT DEFAULT 0;
             DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
             IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = database() AND table_name = 't'
                 AND column_name = 'b') THEN ALTER TABLE t ADD b INT; END IF;
         END;
         CALL add_b();
         CALL add_b();
         DROP PROCEDURE add_b;
         SET @s = 'SELECT 1';
         PREPARE nothing FROM @s;
         PREPARE adds FROM 'ALTER TABLE t ADD c INT';
         EXECUTE adds;",
    ),
    (
        "words of MariaDB",
        "CREATE TABLE t (a INT);
         CREATE OR REPLACE TABLE t (b INT NOT NULL);
         ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS positive CHECK (b > 0);
         CREATE TABLE u (extra INT) SELECT b FROM t;",
    ),
    (
        "tables from tables and views",
        "CREATE TABLE a (id INT PRIMARY KEY, b VARCHAR(5), KEY (b));
         CREATE TABLE c LIKE a;
         CREATE TEMPORARY TABLE x (a INT);
         CREATE OR REPLACE VIEW v AS SELECT id, b FROM a;
         DROP TABLE IF EXISTS never;
         CREATE TABLE chk (a INT, b INT, CONSTRAINT small CHECK (a < b));",
    ),
];

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn snapshots_hold_what_mysql_holds() {
    let mut wrong = Vec::new();
    for (topic, sql) in SCRIPTS {
        let handle = tokio::spawn(with_mysql(move |made| async move {
            with_mysql(move |loaded| async move { compare(topic, sql, &made, &loaded).await }).await;
        }));
        if let Err(error) = handle.await {
            let panic = error.into_panic();
            wrong.push(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*topic).to_owned()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

async fn compare(topic: &str, sql: &str, made: &MySqlPool, loaded: &MySqlPool) {
    let snapshot = snapshot_of(topic, sql, Dialect::MySql);
    run(topic, sql, made).await;
    run(topic, &snapshot, loaded).await;
    let report = report(topic, &snapshot, &catalog::mysql(made).await, &catalog::mysql(loaded).await);
    if let Some(report) = report {
        panic!("{report}");
    }
}

async fn run(topic: &str, sql: &str, pool: &MySqlPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    for piece in statements(sql, Dialect::MySql) {
        let done = sqlx::raw_sql(AssertSqlSafe(piece.text.to_owned())).execute(&mut *connection).await;
        done.unwrap_or_else(|error| panic!("{topic}: {error}: {}\n{sql}", piece.text));
    }
}
