//! Statements of SQLite, MySQL and MariaDB.

use super::*;

#[test]
fn hints_of_sqlite() {
    takes(
        Sqlite,
        &[
            "SELECT j.id FROM jobs AS j INDEXED BY sqlite_autoindex_jobs_1 WHERE j.kind = ?",
            "SELECT id FROM jobs NOT INDEXED WHERE kind = ?",
            "UPDATE jobs INDEXED BY sqlite_autoindex_jobs_1 SET state = 'x' WHERE kind = ?",
            "WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT x FROM a) SELECT x FROM b",
        ],
    );
}

#[test]
fn attaching_is_a_statement_of_sqlite() {
    let sql = "ATTACH DATABASE ? AS other";
    assert_eq!(resolve(sql, Sqlite, None).expect("it parses").parameters, 1);
    assert!(resolve(sql, Postgres, None).is_err(), "its parameters are not counted");
}

#[test]
fn comparisons_of_sqlite() {
    let queries = takes(
        Sqlite,
        &[
            "SELECT id FROM jobs WHERE kind IS ? AND state IS NOT 'a' AND at IS NOT NULL",
            "SELECT id FROM jobs WHERE kind NOT GLOB 'a*'",
            "SELECT id FROM jobs WHERE id << 1 = 4",
        ],
    );
    let expect = "kind is not distinct from $1 and state is distinct from 'a' and at is not null";
    assert_eq!(filter(&queries[0]), expect);
}

#[test]
fn membership_in_a_table() {
    let queries = takes(
        Sqlite,
        &[
            "WITH ids AS (SELECT 1 AS id) DELETE FROM jobs WHERE id IN ids",
            "SELECT id FROM jobs WHERE id IN json_each(?)",
        ],
    );
    assert_eq!(queries[1].relations.len(), 2, "the function is read");
}

#[test]
fn alias_of_an_insert() {
    let sql = "INSERT INTO runs AS r (id) VALUES (?) ON CONFLICT(id) DO UPDATE SET n = r.n + 1";
    for dialect in [Postgres, Sqlite] {
        takes(dialect, &[sql.replace('?', if dialect == Postgres { "$1" } else { "?" }).as_str()]);
    }
}

#[test]
fn operators_and_units_of_mysql() {
    takes(
        MySql,
        &[
            "SELECT 7 MOD 2, MOD(7, 2), id MOD 3 FROM jobs",
            "SELECT id FROM jobs WHERE at > NOW() + INTERVAL '1:30' MINUTE_SECOND",
            "SELECT EXTRACT(YEAR_MONTH FROM at), INTERVAL(1, 2, 3), CHAR(65 USING utf8mb4) FROM jobs",
            "SELECT CAST(kind AS CHAR(10) CHARACTER SET utf8mb4) FROM jobs WHERE kind SOUNDS LIKE 'x'",
            "SELECT kind, count(*) FROM jobs GROUP BY kind DESC ORDER BY count(*) DESC",
            "SELECT TIMESTAMPDIFF(MINUTE, at, NOW()), TIMESTAMPADD(DAY, 1, at) FROM jobs WHERE !id AND !(id = 1)",
            "SELECT @a := id, @b, @@version, @@session.sql_mode FROM jobs",
        ],
    );
}

#[test]
fn full_text_search_of_mysql() {
    takes(
        MySql,
        &[
            "SELECT id FROM jobs j WHERE MATCH j.kind, state AGAINST ('x' WITH QUERY EXPANSION)",
            "SELECT id FROM jobs WHERE MATCH (kind) AGAINST (CONCAT(?, '*') IN BOOLEAN MODE)",
            "SELECT id, MATCH (kind) AGAINST (?) AS score FROM jobs ORDER BY score DESC",
        ],
    );
}

#[test]
fn writes_of_mysql() {
    takes(
        MySql,
        &[
            "UPDATE IGNORE jobs SET kind = ? WHERE id = ?",
            "UPDATE LOW_PRIORITY jobs SET kind = ? WHERE id = ?",
            "UPDATE jobs j, runs r SET j.state = 'a', r.n = 1 WHERE r.job_id = j.id",
            "DELETE j.* FROM jobs j JOIN runs r ON r.job_id = j.id",
            "DELETE FROM j USING jobs j JOIN runs r ON r.job_id = j.id WHERE r.n = 1",
            "DELETE QUICK FROM jobs WHERE id = ?",
            "INSERT INTO runs (id, n) VALUES (?, ?) AS new(i, m) ON DUPLICATE KEY UPDATE n = m, job_id = new.i",
            "SELECT j.id FROM (jobs j, runs r) WHERE r.job_id = j.id",
        ],
    );
}

#[test]
fn mariadb_returns_deleted_rows_after_the_limit() {
    let queries = takes(
        MySql,
        &[
            "DELETE FROM jobs WHERE kind = ? ORDER BY id LIMIT 1 RETURNING id, state AS was",
            "DELETE FROM jobs ORDER BY at DESC, id RETURNING jobs.id, MATCH kind, state AGAINST (?) AS was;",
            "DELETE FROM jobs LIMIT 1 RETURNING id, (SELECT 1 ORDER BY 1 LIMIT 1) AS was",
            "DELETE FROM jobs RETURNING id, JSON_VALUE(kind, '$' RETURNING UNSIGNED) AS was",
        ],
    );
    let orders = queries.iter().map(|query| {
        let block = query.block(query.root.expect("a root"));
        (block.order_by.len(), block.limit.as_ref().map(ToString::to_string))
    });
    let one = || Some("1".to_owned());
    assert_eq!(orders.collect::<Vec<_>>(), [(1, one()), (2, None), (0, one()), (0, None)]);
    assert!(queries.iter().all(|query| outputs(query) == "id was"));

    let named = "DELETE FROM t WHERE t.limit = 1 ORDER BY t.order LIMIT 2 RETURNING t.limit, t.order";
    assert_eq!(resolve(named, MySql, None).map(|query| outputs(&query)), Ok("limit order".to_owned()));

    let mut replay = Replay::new(MySql);
    replay.apply(TABLES, "tables.sql");
    let sql = "DELETE FROM runs WHERE n = ?\nORDER BY id LIMIT ?\nRETURNING ? AS a, nothing";
    let query = resolve(sql, MySql, Some(&replay.schema)).expect("it parses");
    let block = query.block(query.root.expect("a root"));
    assert_eq!(
        block.limit.as_ref().map(ToString::to_string).as_deref(),
        Some("$2"),
        "numbers are as written"
    );
    let span = query.problems[0].span.expect("a place");
    assert_eq!(&sql[span.range()], "nothing");
}

#[test]
fn joined_values_have_a_limit_and_recursions_an_end() {
    let queries = takes(
        MySql,
        &[
            "SELECT GROUP_CONCAT(kind LIMIT 1) FROM jobs",
            "SELECT GROUP_CONCAT(DISTINCT kind ORDER BY kind DESC SEPARATOR ',' LIMIT 2) FROM jobs LIMIT 3",
            "SELECT GROUP_CONCAT(kind ORDER BY id LIMIT 2, 3) FROM jobs",
            "SELECT GROUP_CONCAT(kind SEPARATOR '-' LIMIT 1 OFFSET 1) FROM jobs",
            "SELECT GROUP_CONCAT(kind ORDER BY id LIMIT ?) FROM jobs",
            "WITH RECURSIVE c AS (SELECT id FROM jobs UNION SELECT id + 1 FROM c) CYCLE id RESTRICT SELECT id FROM c",
            "WITH RECURSIVE c AS (SELECT id, kind FROM jobs) CYCLE id, kind RESTRICT, d AS (SELECT id FROM c) SELECT id FROM d",
        ],
    );
    let limit = |at: usize| {
        let query: &Query = &queries[at];
        query.block(query.root.expect("a root")).limit.as_ref().map(ToString::to_string)
    };
    assert_eq!((limit(0), limit(1).as_deref()), (None, Some("3")));
    assert_eq!(queries[4].parameters, 1);
}
