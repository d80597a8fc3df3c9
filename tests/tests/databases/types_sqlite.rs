//! The columns of queries on SQLite, compared with sqlx's own `describe` and with the values returned.

use std::collections::BTreeSet;

use query_budget_analysis::schema::{Schema, snapshot};
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{Column as Told, Known, describe};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection};
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, ConnectOptions, Executor, Row as _, SqlSafeStr,
    TypeInfo as _, ValueRef as _,
};

const FIXTURE: &str = include_str!("../../fixtures/types/sqlite.sql");
const STATEMENTS: &str = include_str!("../../fixtures/types/sqlite_statements.sql");

/// A row for each table, without NULL.
const FILLED: &str = "
INSERT INTO users VALUES (1, 'a@b', 'x', 3, 1.5, 1, '2020-01-01 00:00:00', '2020-01-01', x'00', 1.25, 1, 1, 'v');
INSERT INTO posts VALUES (1, 1, 't', 'b', 2, '2020-01-01 00:00:00');
INSERT INTO tags VALUES (1, 'x', 0.5);
INSERT INTO turned VALUES ('n', 'k', '2020-01-01');
INSERT INTO slugs VALUES ('t', 1, 'l');";

/// Rows with NULL wherever the tables allow it, and some that match nothing.
const SPARSE: &str = "
INSERT INTO users (id, email, created_at, small, n, vc) VALUES (2, 'c@d', 1, 0, 0, ''), (3, '', '', 0, 0, '');
INSERT INTO posts (id, user_id, title) VALUES (2, 2, ''), (3, 99, 'c@d');
INSERT INTO tags (post_id, tag) VALUES (2, ''), (77, 'y');
INSERT INTO turned (k) VALUES ('');
INSERT INTO slugs (slug, n, last) VALUES (NULL, 0, ''), ('c@d', 0, '');";

const OPERANDS: [&str; 16] = [
    "id",
    "age",
    "email",
    "bio",
    "score",
    "raw",
    "active",
    "created_at",
    "small",
    "1",
    "1.5",
    "'x'",
    "NULL",
    "?",
    "length(bio)",
    "(SELECT max(id) FROM posts)",
];
const INFIX: [&str; 16] =
    ["+", "-", "*", "/", "%", "||", "=", "<", "IS", "IS NOT", "&", "<<", "AND", "OR", "LIKE", "GLOB"];
const PREFIX: [&str; 30] = [
    "-",
    "+",
    "~",
    "NOT ",
    "length",
    "upper",
    "lower",
    "trim",
    "ltrim",
    "abs",
    "round",
    "hex",
    "typeof",
    "quote",
    "unicode",
    "date",
    "datetime",
    "julianday",
    "unixepoch",
    "json_valid",
    "sum",
    "avg",
    "total",
    "min",
    "max",
    "count",
    "group_concat",
    "json_group_array",
    "likely",
    "zeroblob",
];
const OF_TWO: [&str; 8] = ["coalesce", "ifnull", "nullif", "max", "min", "instr", "round", "substr"];

/// Operators and functions on operands of all types, including operands from elsewhere than a table.
fn generated() -> Vec<String> {
    let mut all = Vec::new();
    for (at, a) in OPERANDS.into_iter().enumerate() {
        for prefix in PREFIX {
            all.push(format!("SELECT {prefix}({a}) AS v FROM users"));
            all.push(format!("SELECT score, {prefix}({a}) AS v FROM users GROUP BY score"));
        }
        for ty in ["TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC", "VARCHAR(3)", "BOOLEAN", "DATETIME"] {
            all.push(format!("SELECT CAST({a} AS {ty}) AS v FROM users"));
        }
        for window in ["lag", "lead", "first_value", "sum", "avg", "max", "min", "count", "total"] {
            all.push(format!("SELECT {window}({a}) OVER (ORDER BY id) AS v FROM users"));
        }
        let places = [
            "SELECT CASE WHEN id > 1 THEN @ END AS v FROM users",
            "SELECT @ IS NULL AS v FROM users",
            "SELECT (SELECT @ FROM users LIMIT 1) AS v",
            "SELECT v FROM (SELECT @ AS v FROM users) x",
            "SELECT v FROM (SELECT @ AS v FROM users LIMIT 3) x",
            "SELECT posts.id, v FROM posts LEFT JOIN (SELECT id, @ AS v FROM users) x ON x.id = posts.user_id",
            "WITH c AS (SELECT @ AS v FROM users) SELECT v FROM c",
            "SELECT DISTINCT @ AS v FROM users",
            "SELECT @ AS v FROM users ORDER BY email DESC LIMIT 3",
            "SELECT @ AS v, count(*) AS n FROM users GROUP BY email",
            "UPDATE users SET n = 2 WHERE id = ? RETURNING @ AS v",
        ];
        all.extend(places.map(|place| place.replace('@', a)));
        let others = OPERANDS.iter().enumerate().filter(|(to, _)| (to + at) % 3 != 1);
        for (_, b) in others {
            all.extend(INFIX.map(|infix| format!("SELECT {a} {infix} {b} AS v FROM users")));
            all.extend(OF_TWO.map(|name| format!("SELECT {name}({a}, {b}) AS v FROM users")));
            all.push(format!("SELECT CASE WHEN id > 1 THEN {a} ELSE {b} END AS v FROM users"));
            all.push(format!("SELECT {a} BETWEEN {b} AND 5 AS v FROM users"));
            all.push(format!("SELECT {a} AS v FROM users UNION ALL SELECT {b} FROM users"));
            if !b.starts_with('(') {
                all.push(format!("SELECT {a} IN ({b}, 3) AS v FROM users"));
            }
        }
    }
    all
}

fn statements() -> Vec<String> {
    let written = STATEMENTS.lines().filter(|line| !line.starts_with("--"));
    written.map(|line| line.trim_end_matches(';').to_owned()).chain(generated()).collect()
}

async fn database(rows: &[&str]) -> SqliteConnection {
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false).disable_statement_logging();
    let mut connection = options.connect().await.expect("SQLite opens");
    for script in [FIXTURE].iter().chain(rows) {
        let script = AssertSqlSafe(*script).into_sql_str();
        (&mut connection).execute(sqlx::raw_sql(script)).await.expect("the script runs");
    }
    connection
}

/// The names and types of the columns, and whether they can be NULL.
type Described = Vec<(String, String, Option<bool>)>;

async fn described(connection: &mut SqliteConnection, sql: &str) -> Option<Described> {
    let described = connection.describe(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.ok()?;
    let nullable = (0..).map(|at| described.nullable(at));
    let columns = described.columns.iter().zip(nullable);
    Some(columns.map(|(it, null)| (it.name().to_owned(), it.type_info().name().to_owned(), null)).collect())
}

/// The types of the values of each row, `NULL` for NULL.
async fn values(connection: &mut SqliteConnection, sql: &str, parameters: usize) -> Vec<Vec<String>> {
    let mut arguments = SqliteArguments::default();
    for _ in 0..parameters {
        arguments.add(None::<i64>).expect("a value");
    }
    (&mut *connection).execute("SAVEPOINT s").await.expect("a savepoint");
    let rows = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments).fetch_all(&mut *connection).await;
    (&mut *connection).execute("ROLLBACK TO s").await.expect("back to it");
    let ty = |row: &sqlx::sqlite::SqliteRow, at: usize| {
        let value = row.try_get_raw(at).expect("a value");
        if value.is_null() { "NULL".to_owned() } else { value.type_info().name().to_owned() }
    };
    let rows = rows.unwrap_or_default();
    rows.iter().map(|row| (0..row.columns().len()).map(|at| ty(row, at)).collect()).collect()
}

fn told(sql: &str, schema: &Schema) -> (Vec<Told>, usize) {
    let query = resolve(sql, Dialect::Sqlite, Some(schema)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(query.problems, [], "{sql}");
    (describe(&query, schema, Dialect::Sqlite).columns, query.parameters)
}

#[derive(Default)]
struct Counts {
    columns: usize,
    /// Those with a known type.
    typed: usize,
    /// Those for which sqlx's answer on NULL is certain.
    certain: usize,
}

/// In parts, which run at the same time.
const PARTS: usize = 4;

#[tokio::test]
async fn columns_are_what_sqlx_says() {
    compare(0).await;
}

#[tokio::test]
async fn columns_of_the_second_part_are_what_sqlx_says() {
    compare(1).await;
}

#[tokio::test]
async fn columns_of_the_third_part_are_what_sqlx_says() {
    compare(2).await;
}

#[tokio::test]
async fn columns_of_the_last_part_are_what_sqlx_says() {
    compare(3).await;
}

/// Compares every fourth statement, from the one of this number.
async fn compare(part: usize) {
    let schema = snapshot::read(FIXTURE, "sqlite.sql", Some(Dialect::Sqlite)).schema;
    let mut empty = database(&[]).await;
    let mut filled = database(&[FILLED]).await;
    let mut sparse = database(&[FILLED, SPARSE]).await;
    let (mut counts, mut wrong) = (Counts::default(), BTreeSet::new());
    let statements = statements();
    assert!(statements.len() > 5_000, "{} statements", statements.len());
    for sql in statements.iter().skip(part).step_by(PARTS) {
        let Some(truth) = described(&mut filled, sql).await else { continue };
        let without_rows = described(&mut empty, sql).await.expect("as with rows");
        let (columns, parameters) = told(sql, &schema);
        assert_eq!(columns.len(), truth.len(), "{sql}");
        // If the first value is NULL, or there are no rows, sqlx uses the type of some operand.
        let first = values(&mut filled, sql, parameters).await.into_iter().next().unwrap_or_default();
        let mut rows = Vec::new();
        for connection in [&mut empty, &mut filled, &mut sparse] {
            rows.extend(values(connection, sql, parameters).await);
        }
        for (at, column) in columns.iter().enumerate() {
            let (name, ty, nullable) = &truth[at];
            assert_eq!(*name, column.name, "{sql}");
            counts.columns += 1;
            counts.certain += usize::from(column.nullable_certain);
            if let Known::Is(told) = &column.ty {
                counts.typed += 1;
                let told = if told.name == "INT4" { "INTEGER" } else { &told.name };
                let is_guessed = first.get(at).is_none_or(|ty| ty == "NULL");
                if !is_guessed && told != ty {
                    wrong.insert(format!("{sql}: `{name}` is {ty}, not {told}"));
                }
            }
            let said = [*nullable, without_rows[at].2];
            if column.nullable_certain && !said.contains(&column.nullable) {
                wrong.insert(format!(
                    "{sql}: sqlx says {said:?} of NULL in `{name}`, not {:?}",
                    column.nullable
                ));
            }
            if column.proven_not_null && rows.iter().any(|row| row[at] == "NULL") {
                wrong.insert(format!("{sql}: `{name}` is NULL"));
            }
        }
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    let Counts { columns, typed, certain } = counts;
    println!("{columns} columns, of {typed} the type is told, of {certain} what sqlx says of NULL");
    assert!(typed * 10 > columns * 7 && certain * 10 > columns * 7, "{columns}: {typed} and {certain}");
}

#[test]
fn what_is_not_known_says_why() {
    let schema = snapshot::read(FIXTURE, "sqlite.sql", Some(Dialect::Sqlite)).schema;
    #[track_caller]
    fn check(schema: &Schema, sql: &str, expect: &str) {
        let (columns, _) = told(sql, schema);
        assert_eq!(columns[0].ty, Known::Unknown(expect.to_owned()));
    }
    check(
        &schema,
        "SELECT price FROM users",
        "values of a column that is declared `DECIMAL(10,2)` can be of several types",
    );
    check(
        &schema,
        "SELECT max(created_at) FROM users",
        "a value that is declared DATETIME is stored as text, a number or anything else",
    );
    check(
        &schema,
        "SELECT json_extract(body, '$.x') FROM posts",
        "the type of the function `json_extract` is not known",
    );
    check(&schema, "SELECT coalesce(age, 'x') FROM users", "its values are INTEGER and TEXT");
    check(&schema, "SELECT coalesce(?, 'x')", "parameter 1 accepts a value of any type");
}
