//! What is told of the columns of queries on MySQL, against what the server says when it prepares them.

use query_budget_analysis::schema::snapshot;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::mysql::wires;
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

/// The statements that each column is asked in; `@` stands for it.
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

/// The tables, each column twice: alone, and with a key.
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
                let found = wires(&query, &schema);
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
