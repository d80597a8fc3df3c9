//! Verdicts on the number of rows, checked against real databases full of rows that collide wherever no key
//! forbids it.
//!
//! Each query that supposedly returns at most one row is run many times with matching values, and must not
//! return more; each of the traps, which look similar, has to return more, and must not get that verdict.

use query_budget_analysis::cardinality::{self, Rows};
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_tests::rows::{self, Outcome};
use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

const TABLES: &str = "
    CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL, parent_id INTEGER);
    CREATE TABLE users (id INTEGER PRIMARY KEY, team_id INTEGER NOT NULL, email TEXT UNIQUE, handle TEXT, gone TEXT);
    CREATE UNIQUE INDEX users_team_handle ON users (team_id, handle);
    CREATE UNIQUE INDEX users_handle_here ON users (handle) WHERE gone IS NULL;
    CREATE TABLE members (user_id INTEGER, team_id INTEGER, role TEXT, PRIMARY KEY (user_id, team_id));
    CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, title TEXT, at TEXT);
    CREATE UNIQUE INDEX notes_title ON notes (user_id, lower(title));
    CREATE VIEW wide AS SELECT u.id AS user_id, u.email AS mail, u.team_id AS team, t.name AS team_name
        FROM users u JOIN teams t ON t.id = u.team_id;
    CREATE VIEW wider AS SELECT user_id AS id, mail, team FROM wide WHERE team_name <> '-';
";

/// Rows that are always there.
const CERTAIN: &str = "INSERT INTO users VALUES (100, 100, 'a', '0', NULL) ON CONFLICT DO NOTHING;
    INSERT INTO users VALUES (101, 101, 'b', '0', 'x'), (102, 102, 'c', '0', 'x'), (103, 3, 'd', 'y', 'x'), (104, 3, 'e', 'z', 'x'), (105, 105, NULL, 'v', 'x'), (106, 106, NULL, 'w', 'x');
    INSERT INTO notes VALUES (100, 0, 'm', 'x'), (101, 0, 'n', 'x'), (102, 0, 'o', 'x')";

/// At most one row, in every dialect.
const ONE: &[&str] = &[
    "SELECT id FROM users WHERE id = $1",
    "SELECT id FROM users WHERE email = $1",
    "SELECT id FROM users WHERE team_id = $1 AND handle = $2",
    "SELECT id FROM users WHERE handle = $1 AND gone IS NULL",
    "SELECT id FROM users WHERE id IN ($1)",
    "SELECT id FROM users WHERE (team_id, handle) = ($1, $2)",
    "SELECT id FROM users WHERE id = (SELECT max(id) FROM users)",
    "SELECT id FROM users WHERE id IN (SELECT max(id) FROM users LIMIT 1)",
    "SELECT id FROM notes WHERE user_id = $1 AND lower(title) = lower($2)",
    "SELECT u.id, t.name FROM users u JOIN teams t ON t.id = u.team_id WHERE u.id = $1",
    "SELECT u.id, p.name FROM users u LEFT JOIN teams t ON t.id = u.team_id LEFT JOIN teams p ON p.id = t.parent_id WHERE u.email = $1",
    "SELECT m.role FROM members m JOIN users u ON u.id = m.user_id WHERE u.email = $1 AND m.team_id = $2",
    "SELECT count(*), max(id) FROM users WHERE team_id = $1",
    "SELECT id FROM users ORDER BY id LIMIT 1",
    "SELECT EXISTS (SELECT 1 FROM users WHERE team_id = $1)",
    "SELECT n.c FROM (SELECT user_id, count(*) AS c FROM notes GROUP BY user_id) n WHERE n.user_id = $1",
    "SELECT x.c FROM (SELECT count(*) AS c FROM users) x CROSS JOIN teams t WHERE t.id = $1",
    "WITH u AS (SELECT team_id FROM users WHERE id = $1) SELECT t.name FROM u JOIN teams t ON t.id = u.team_id",
    "SELECT name FROM teams WHERE id = $1 INTERSECT SELECT name FROM teams",
    "SELECT team_id, count(*) FROM users WHERE id = $1 GROUP BY team_id",
    "UPDATE users SET gone = 'x' WHERE id = $1 RETURNING id",
    "DELETE FROM users WHERE email = $1 RETURNING id",
    "SELECT user_id FROM wide WHERE mail = $1",
    "SELECT id FROM wider WHERE mail = $1",
    "SELECT x.i FROM (SELECT id AS i, email AS e FROM users) x WHERE x.e = $1",
    "WITH x AS (SELECT id, email FROM users) SELECT id FROM x WHERE email = $1",
    "SELECT w.mail FROM members m JOIN wide w ON w.user_id = m.user_id WHERE m.user_id = $1 AND m.team_id = $2",
    "SELECT x.id FROM (SELECT DISTINCT id, team_id FROM users) x WHERE x.id = $1",
    "SELECT x.id FROM (SELECT id, handle, gone FROM users) x WHERE x.handle = $1 AND x.gone IS NULL",
    "SELECT x.id FROM (SELECT id FROM users INTERSECT SELECT id FROM teams) x WHERE x.id = $1",
    "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM teams t WHERE t.id = $1 AND t.id = u.id)",
    "SELECT id FROM users u WHERE u.id IN (SELECT t.id FROM teams t WHERE t.id = $1 AND t.name = u.handle)",
];

/// More than one row, in every dialect.
const TRAPS: &[&str] = &[
    "SELECT id FROM users WHERE team_id = $1",
    "SELECT id FROM users WHERE handle = $1",
    "SELECT id FROM users WHERE handle = $1 AND gone IS NOT NULL",
    "SELECT id FROM users WHERE email IS NULL",
    "SELECT id FROM users WHERE email = $1 OR team_id = $2",
    "SELECT id FROM users WHERE id = $1 OR id = $2",
    "SELECT id FROM users WHERE id IN ($1, $2)",
    "SELECT id FROM users WHERE id IN (SELECT user_id FROM notes)",
    "SELECT id FROM users WHERE id <> $1",
    "SELECT id FROM notes WHERE user_id = $1 AND title > $2",
    "SELECT u.id FROM users u JOIN members m ON m.user_id = u.id WHERE u.id = $1",
    "SELECT t.id FROM teams t LEFT JOIN users u ON u.id = $1 AND t.id = $2",
    "SELECT u.id FROM users u LEFT JOIN teams t ON t.id = u.team_id AND u.id = $1",
    "SELECT u.id FROM users u CROSS JOIN teams t WHERE u.id = $1",
    "SELECT t.name FROM teams t WHERE t.id = $1 UNION ALL SELECT name FROM teams WHERE id = $2",
    "SELECT team_id, count(*) FROM users GROUP BY team_id",
    "SELECT count(*) OVER () FROM users",
    "SELECT m.role FROM members m WHERE m.user_id = $1",
    "SELECT x.id FROM (SELECT id FROM users LIMIT 3) x",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t",
    "SELECT u.id FROM users u WHERE u.email = (SELECT max(v.email) FROM users v WHERE v.id = u.id)",
    "UPDATE users SET gone = 'x' WHERE team_id = $1 RETURNING id",
    "SELECT user_id FROM wide WHERE team = $1",
    "SELECT id FROM wider WHERE team = $1",
    "SELECT x.id FROM (SELECT id FROM users UNION ALL SELECT id FROM users) x WHERE x.id = $1",
    "SELECT x.i FROM (SELECT u.id AS i FROM users u CROSS JOIN teams t) x WHERE x.i = $1",
    "SELECT x.id FROM (SELECT id, handle, gone FROM users) x WHERE x.handle = $1",
    "SELECT x.n FROM (SELECT team_id, count(*) AS n FROM users GROUP BY team_id, id) x WHERE x.team_id = $1",
    "SELECT x.h FROM (SELECT max(id) AS i, handle AS h FROM users GROUP BY handle) x WHERE x.i > 2",
    "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM teams t WHERE t.id = u.id)",
    "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM teams t WHERE t.id = $1 AND t.id = u.team_id)",
    "SELECT id FROM users u WHERE u.team_id IN (SELECT t.id FROM teams t WHERE t.id = u.team_id)",
];

/// The schema, the claims and the traps of a single dialect.
const SQLITE: (&str, &[&str], &[&str]) = (
    "CREATE TABLE names (name TEXT COLLATE NOCASE);
     CREATE UNIQUE INDEX names_exact ON names (name COLLATE BINARY);
     CREATE TABLE words (word TEXT UNIQUE);
     CREATE TABLE logins (login TEXT, UNIQUE (login COLLATE NOCASE));",
    &[
        "SELECT id FROM users WHERE rowid = $1",
        "SELECT word FROM words WHERE word = $1",
        "SELECT login FROM logins WHERE login = $1 COLLATE NOCASE",
        "SELECT login FROM logins WHERE login = $1",
    ],
    &[
        "SELECT word FROM words WHERE word = 'a' COLLATE NOCASE",
        "SELECT name FROM names WHERE name = 'a'",
        "SELECT w.word FROM names n JOIN words w ON n.name = w.word WHERE n.rowid = 1",
        "SELECT value FROM json_each('[1, 2]')",
    ],
);

const POSTGRES: (&str, &[&str], &[&str]) = (
    "CREATE TABLE places (id integer PRIMARY KEY, name text);
     CREATE TABLE cities (people integer) INHERITS (places);
     CREATE TABLE events (at integer, id integer, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
     CREATE TABLE events_all PARTITION OF events DEFAULT;
     CREATE FUNCTION several() RETURNS SETOF integer LANGUAGE sql AS 'SELECT 1 UNION ALL SELECT 2';
     CREATE FUNCTION members_of(x integer) RETURNS TABLE (user_id integer) LANGUAGE sql STABLE
        AS 'SELECT user_id FROM members WHERE team_id = x';
     CREATE AGGREGATE product(float8) (sfunc = float8mul, stype = float8, initcond = '1');
     CREATE FUNCTION single(x integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';",
    &[
        "SELECT id FROM events WHERE at = $1 AND id = $2",
        "SELECT single($1)",
        "SELECT * FROM single($1)",
        "SELECT product(id) FROM users WHERE id > 3",
        "SELECT u.id, n.title FROM users u LEFT JOIN LATERAL (SELECT title FROM notes WHERE user_id = u.id LIMIT 1) n ON true WHERE u.id = $1",
        "SELECT id FROM users ORDER BY id FETCH FIRST ROW ONLY",
        "SELECT u.id FROM users u JOIN teams t USING (id) WHERE u.id = $1",
        "INSERT INTO notes (id, user_id) VALUES ($1 + 1000, 1) RETURNING id",
    ],
    &[
        "SELECT id FROM places WHERE id = $1",
        "SELECT several()",
        "SELECT * FROM several()",
        "SELECT user_id FROM members_of($1)",
        "SELECT n FROM generate_series(1, 3) AS n",
        "SELECT unnest(ARRAY[1, $1])",
        "SELECT id FROM users ORDER BY length(handle) FETCH FIRST 1 ROW WITH TIES",
        "SELECT team_id, count(*) FROM users WHERE id = $1 GROUP BY ROLLUP (team_id)",
        "SELECT u.id FROM users u FULL JOIN teams t ON t.id = u.id AND u.id = $1",
        "SELECT id FROM users WHERE id = ANY($1)",
        "SELECT u.id, n.title FROM users u CROSS JOIN LATERAL (SELECT title FROM notes WHERE user_id = u.id) n WHERE u.id = $1",
        "INSERT INTO notes (id, user_id) SELECT id + 1000, 1 FROM users RETURNING id",
    ],
);

/// The verdict on a query: whether it returns at most one row, and its number of parameters.
fn claim(sql: &str, schema: &Schema) -> (bool, usize) {
    let query = resolve(sql, schema.dialect, Some(schema)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(query.problems, [], "{sql}");
    (cardinality::of(&query, Some(schema)).rows == Rows::One, query.parameters)
}

#[track_caller]
fn check(sql: &str, one: bool, said: bool, outcome: Outcome) {
    let Outcome::Rows(rows) = outcome else { panic!("{sql}: {outcome:?}") };
    if one {
        assert!(said, "at most one row, and not said so: {sql}");
        assert_eq!(rows, 1, "{sql}");
    } else {
        assert!(!said, "said to be at most one row, and is not: {sql}");
        assert!(rows > 1, "no trap, it returns {rows} rows: {sql}");
    }
}

fn replayed(dialect: Dialect, own: &str) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(TABLES, "tables.sql");
    replay.apply(own, "own.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

fn queries<'q>(one: &'q [&'q str], traps: &'q [&'q str]) -> impl Iterator<Item = (&'q str, bool)> {
    let one = ONE.iter().chain(one).map(|sql| (*sql, true));
    one.chain(TRAPS.iter().chain(traps).map(|sql| (*sql, false)))
}

#[tokio::test]
async fn at_most_one_row_in_sqlite() {
    let (own, one, traps) = SQLITE;
    let schema = replayed(Dialect::Sqlite, own);
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open a database");
    for tables in [TABLES, own] {
        sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut connection).await.expect("make the tables");
    }
    rows::sqlite::fill(&mut connection).await.expect("fill the tables");
    sqlx::raw_sql(CERTAIN).execute(&mut connection).await.expect("add rows");
    let letters = "INSERT INTO words VALUES ('a'), ('A'); INSERT INTO names VALUES ('a'), ('A'); UPDATE names SET rowid = -rowid; UPDATE names SET rowid = 1 WHERE name = 'a' COLLATE BINARY";
    sqlx::raw_sql(letters).execute(&mut connection).await.expect("add letters");
    for (sql, is_one) in queries(one, traps) {
        let (said, parameters) = claim(sql, &schema);
        let outcome = rows::sqlite::run(&mut connection, sql, parameters).await.expect("run a query");
        check(sql, is_one, said, outcome);
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn at_most_one_row_in_postgres() {
    with_postgres(|pool| async move {
        let (own, one, traps) = POSTGRES;
        let schema = replayed(Dialect::Postgres, own);
        let mut connection = pool.acquire().await.expect("a connection");
        for tables in [TABLES, own] {
            sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut *connection).await.expect("make the tables");
        }
        rows::postgres::fill(&mut connection).await.expect("fill the tables");
        sqlx::raw_sql(CERTAIN).execute(&mut *connection).await.expect("add rows");
        for (sql, is_one) in queries(one, traps) {
            let (said, _) = claim(sql, &schema);
            let outcome = rows::postgres::run(&mut connection, sql).await.expect("run a query");
            check(sql, is_one, said, outcome);
        }
    })
    .await;
}
