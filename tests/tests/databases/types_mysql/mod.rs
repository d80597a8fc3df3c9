//! The columns of queries on MySQL, compared with the server's description when it prepares them.

mod expressions;

use self::expressions::{COMPUTED, OF_ONE, OF_TWO, OPERANDS, VALUES, of_one, of_two, written};
use futures_util::stream::{self, Stream, StreamExt};
use query_budget_analysis::schema::snapshot;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::mysql::{Server, wires};
use query_budget_analysis::types::{Known, describe};
use query_budget_tests::with_mysql;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Column, Describe, Executor, MySql, MySqlPool, SqlSafeStr, TypeInfo};

/// How many statements the server is asked about at once: one at a time, both sides mostly wait for each other.
const AT_ONCE: usize = 8;

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

/// The statements that the server can prepare, in order, with its description.
fn described(
    pool: &MySqlPool,
    statements: Vec<String>,
) -> impl Stream<Item = (String, Describe<MySql>)> + use<> {
    let pool = pool.clone();
    let asked = stream::iter(statements).map(move |sql| {
        let pool = pool.clone();
        async move {
            let described = pool.describe(AssertSqlSafe(sql.clone()).into_sql_str()).await.ok()?;
            Some((sql, described))
        }
    });
    asked.buffered(AT_ONCE).filter_map(std::future::ready).boxed()
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
        let statements =
            names.flat_map(|name| STATEMENTS.iter().map(move |statement| statement.replace('@', &name)));
        let mut described = described(&pool, statements.collect());
        while let Some((sql, described)) = described.next().await {
            let query = resolve(&sql, Dialect::MySql, Some(&schema)).expect("it parses");
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
        assert!(wrong.is_empty(), "{} of {counts:?} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(counts.0 > 1_000 && counts.1 * 8 < counts.0, "told and not told: {counts:?}");
    })
    .await;
}

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
        let mut statements = written();
        for a in VALUES {
            statements.extend(OF_ONE.map(|how| of_one(how, a)));
            statements.extend(VALUES.iter().flat_map(|b| OF_TWO.map(|how| of_two(how, a, b))).step_by(3));
        }
        let (mut columns, mut typed, mut certain) = (0, 0, 0);
        let mut wrong = Vec::new();
        let mut described = described(&pool, statements);
        while let Some((sql, described)) = described.next().await {
            let query = resolve(&sql, Dialect::MySql, Some(&schema)).expect("it parses");
            let told = describe(&query, &schema, Dialect::MySql).columns;
            assert_eq!(told.len(), described.columns.len(), "{sql}");
            for (at, (told, truth)) in told.iter().zip(&described.columns).enumerate() {
                let (name, ty, nullable) = (truth.name(), truth.type_info().name(), described.nullable(at));
                assert_eq!(told.name, name, "{sql}");
                columns += 1;
                if let Known::Is(is) = &told.ty {
                    typed += 1;
                    // MariaDB sends JSON as bytes, from which a `JsonValue` is read like from the JSON of MySQL.
                    let is_json = is.name == "JSON" && read_as(ty) == "bytes";
                    if !is_json && read_as(&is.name) != read_as(ty) {
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
        // Whether IF and CASE can be NULL depends on the server, where a condition can be.
        assert!(
            columns > 4_000 && typed * 3 > columns && certain * 100 > typed * 74,
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
        let mut statements = written();
        statements.extend(COMPUTED.map(|expr| format!("SELECT {expr} AS r FROM t")));
        for a in VALUES {
            statements.extend(OF_ONE.map(|how| of_one(how, a)));
            statements.extend(VALUES.iter().flat_map(|b| OF_TWO.map(|how| of_two(how, a, b))).step_by(3));
        }
        let (mut columns, mut told) = (0, 0);
        let mut wrong = Vec::new();
        let mut described = described(&pool, statements);
        while let Some((sql, described)) = described.next().await {
            let query = resolve(&sql, Dialect::MySql, Some(&schema)).expect("it parses");
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
