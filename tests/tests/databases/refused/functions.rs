//! The lists of functions agree with what SQLite and a server of MariaDB have.

use query_budget_tests::with_mysql;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqlitePoolOptions;

const SQLITE: &str = include_str!("../../../../analysis/src/types/sqlite/functions.txt");
const MYSQL: &str = include_str!("../../../../analysis/src/types/mysql/functions.txt");

/// The functions of a list, each with the numbers of its arguments.
fn listed(list: &str) -> Vec<(&str, &str)> {
    list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect()
}

#[tokio::test]
async fn functions_of_sqlite_are_listed() {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let all = "SELECT DISTINCT name, narg FROM pragma_function_list WHERE builtin";
    let all: Vec<(String, i64)> = sqlx::query_as(all).fetch_all(&db).await.unwrap();
    let list = listed(SQLITE);
    let missing = all.into_iter().filter(|(name, arguments)| {
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let counts = list.iter().find(|(known, _)| known == name).map(|(_, counts)| *counts);
        let takes = counts.is_some_and(|counts| {
            counts == "*" || counts.split(',').any(|count| count.parse() == Ok(*arguments))
        });
        is_word && !takes
    });
    assert_eq!(missing.collect::<Vec<_>>(), []);
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn functions_of_mysql_are_listed() {
    with_mysql(|db| async move {
        let all =
            "SELECT lower(function) FROM information_schema.sql_functions WHERE function NOT LIKE '%ORACLE'";
        // Servers of other versions do not tell.
        let all: Vec<String> = sqlx::query_scalar(all).fetch_all(&db).await.unwrap_or_default();
        let list = listed(MYSQL);
        let missing = all.iter().filter(|name| !list.iter().any(|(known, _)| known == name));
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
        let mut wrong = Vec::new();
        for (name, counts) in list.into_iter().filter(|(_, counts)| *counts != "*") {
            for given in 0..5 {
                let arguments = vec!["'1'"; given].join(", ");
                let asked = format!("PREPARE q FROM \"SELECT {name}({arguments})\"");
                let outcome = sqlx::raw_sql(AssertSqlSafe(asked)).execute(&db).await;
                let is_refused = outcome.is_err_and(|error| error.to_string().contains("parameter count"));
                if counts.split(',').any(|count| count.parse() == Ok(given)) == is_refused {
                    wrong.push(format!("{name}({arguments})"));
                }
            }
        }
        assert_eq!(wrong, [""; 0]);
    })
    .await;
}
