//! Statements for many rows, as text.

use super::{Gives, Piece, RowType, Statement, statement};
use crate::schema::snapshot;
use crate::sql::{Dialect, resolve};

const TABLES: &str = "CREATE TABLE steps (id bigint NOT NULL PRIMARY KEY, run_id bigint NOT NULL, name text NOT NULL, \
     tags text, UNIQUE (run_id, name));";

fn made(dialect: Dialect, sql: &str, row: usize, types: &[&str]) -> Result<Statement, String> {
    let schema = snapshot::read(TABLES, "schema.sql", Some(dialect)).schema;
    let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
    assert_eq!(query.problems, [], "{sql}");
    let types: Vec<Option<RowType>> = types
        .iter()
        .map(|ty| (*ty != "?").then(|| RowType { name: (*ty).to_owned(), is_array: ty.ends_with(']') }))
        .collect();
    statement(sql, &query, dialect, Some(&schema), row, &types).map_err(|refusal| refusal.message)
}

#[track_caller]
fn check(dialect: Dialect, sql: &str, row: usize, types: &[&str], expect: &str) {
    let made = made(dialect, sql, row, types).expect("it has a form for many rows");
    assert_eq!(made.text_for(2, dialect), expect);
}

#[track_caller]
fn postgres(sql: &str, row: usize, types: &[&str], expect: &str) {
    check(Dialect::Postgres, sql, row, types, expect);
}

#[test]
fn rows_of_an_insert_come_as_arrays_in_their_order() {
    postgres(
        "INSERT INTO steps (run_id, name) VALUES ($1, $2) RETURNING id",
        2,
        &["int8", "text"],
        "INSERT INTO steps (run_id, name) SELECT batch.v1, batch.v2 FROM UNNEST($1::int8[], $2::text[]) \
         WITH ORDINALITY AS batch (v1, v2, nth) ORDER BY batch.nth RETURNING id",
    );
    postgres(
        "INSERT INTO steps (run_id, name) VALUES ($2, lower($1)) ON CONFLICT (run_id, name) DO UPDATE SET run_id = $2",
        1,
        &["text", "int8"],
        "INSERT INTO steps (run_id, name) SELECT $2, lower(batch.v1) FROM UNNEST($1::text[]) \
         WITH ORDINALITY AS batch (v1, nth) ORDER BY batch.nth ON CONFLICT (run_id, name) DO UPDATE SET run_id = $2",
    );
}

#[test]
fn arrays_and_defaults_come_as_groups() {
    postgres(
        "INSERT INTO steps (run_id, tags) VALUES ($1, $2)",
        2,
        &["int8", "text[]"],
        "INSERT INTO steps (run_id, tags) SELECT batch.v1, batch.v2 FROM (VALUES ($1::int8, $2::text[], 1), \
         ($3::int8, $4::text[], 2)) AS batch (v1, v2, nth) ORDER BY batch.nth",
    );
    postgres(
        "INSERT INTO steps (run_id, tags) VALUES ($1, DEFAULT)",
        1,
        &["int8"],
        "INSERT INTO steps (run_id, tags) VALUES ($1, DEFAULT), ($2, DEFAULT)",
    );
    check(
        Dialect::MySql,
        "INSERT INTO steps (run_id, name) VALUES (?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name), run_id = ?",
        2,
        &["?", "?"],
        "INSERT INTO steps (run_id, name) VALUES (?, ?), (?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name), run_id = ?",
    );
    check(
        Dialect::Sqlite,
        "INSERT INTO steps (run_id, name) VALUES (?1, ?2) ON CONFLICT (run_id, name) DO UPDATE SET name = ?2",
        2,
        &["?", "?"],
        "INSERT INTO steps (run_id, name) VALUES (?, ?), (?, ?) ON CONFLICT (run_id, name) DO UPDATE SET name = EXCLUDED.name",
    );
}

#[test]
fn an_update_takes_the_last_row_of_a_key() {
    postgres(
        "UPDATE steps SET name = $2 WHERE id = $1 AND run_id = $3",
        2,
        &["int8", "text", "int8"],
        "UPDATE steps SET name = batch.v2 FROM (SELECT DISTINCT ON (v1) v1, v2 FROM UNNEST($1::int8[], $2::text[]) \
         WITH ORDINALITY AS batch (v1, v2, nth) ORDER BY v1, nth DESC) AS batch WHERE id = batch.v1 AND run_id = $3",
    );
    check(
        Dialect::Sqlite,
        "UPDATE steps SET name = ?2 WHERE id = ?1",
        2,
        &["?", "?"],
        "UPDATE steps SET name = CASE WHEN id = ? THEN ? WHEN id = ? THEN ? END WHERE id IN (?, ?)",
    );
    let made = made(Dialect::MySql, "UPDATE steps SET name = ? WHERE run_id = ? AND id = ?", 3, &[]);
    let made = made.expect("it has a form");
    assert!(made.is_reversed);
    assert_eq!(made.most_rows, 500);
    assert_eq!(
        made.text_for(1, Dialect::MySql),
        "UPDATE steps SET name = CASE WHEN run_id = ? AND id = ? THEN ? END WHERE (run_id, id) IN ((?, ?)) AND 1 = 1"
    );
}

#[test]
fn keys_become_a_list() {
    postgres("DELETE FROM steps WHERE id = $1", 1, &["int8"], "DELETE FROM steps WHERE id = ANY($1::int8[])");
    postgres(
        "DELETE FROM steps WHERE run_id = $1 AND name = $2",
        2,
        &["int8", "text"],
        "DELETE FROM steps USING UNNEST($1::int8[], $2::text[]) WITH ORDINALITY AS batch (v1, v2, nth) \
         WHERE run_id = batch.v1 AND name = batch.v2",
    );
    check(
        Dialect::Sqlite,
        "DELETE FROM steps WHERE run_id = ? AND name = ?",
        2,
        &[],
        "DELETE FROM steps WHERE (run_id, name) IN (VALUES (?, ?), (?, ?)) AND 1 = 1",
    );
    postgres(
        "SELECT id, name FROM steps WHERE run_id = $1 ORDER BY id",
        1,
        &["int8"],
        "SELECT id, name FROM steps WHERE run_id = ANY($1::int8[]) ORDER BY id",
    );
    postgres(
        "SELECT id, name FROM steps WHERE run_id = $1 ORDER BY id LIMIT 3",
        1,
        &["int8"],
        "SELECT one.* FROM UNNEST($1::int8[]) WITH ORDINALITY AS batch (v1, nth) CROSS JOIN LATERAL \
         (SELECT id, name FROM steps WHERE run_id = batch.v1 ORDER BY id LIMIT 3) AS one ORDER BY batch.nth",
    );
}

#[test]
fn what_comes_back_is_known() {
    let gives = |sql| made(Dialect::Postgres, sql, 1, &["int8"]).map(|made| made.gives);
    assert_eq!(gives("INSERT INTO steps (run_id, name) VALUES ($1, 'a') RETURNING id"), Ok(Gives::OneEach));
    assert_eq!(gives("INSERT INTO steps (run_id, name) VALUES ($1, 'a')"), Ok(Gives::Nothing));
    let nothing = "INSERT INTO steps (run_id, name) VALUES ($1, 'a') ON CONFLICT DO NOTHING RETURNING id";
    assert_eq!(gives(nothing), Ok(Gives::Some));
    let some = "INSERT INTO steps (run_id, name) VALUES ($1, 'a') ON CONFLICT (run_id, name) DO UPDATE SET name = 'b' \
                WHERE steps.name <> 'c' RETURNING id";
    assert_eq!(gives(some), Ok(Gives::Some));
    assert_eq!(gives("DELETE FROM steps WHERE id = $1 RETURNING id"), Ok(Gives::Some));
}

#[test]
fn parameters_stay_within_the_limit() {
    let most = |dialect, sql: &str, row| made(dialect, sql, row, &[]).map(|made| made.most_rows);
    let sql = "INSERT INTO steps (run_id, name, tags) VALUES (?, ?, ?)";
    assert_eq!(most(Dialect::MySql, sql, 3), Ok(21_845));
    assert_eq!(most(Dialect::Sqlite, sql, 3), Ok(10_922));
}

#[test]
fn what_has_no_such_form_is_refused() {
    let refused = |dialect, sql, row, types: &[&str]| made(dialect, sql, row, types).expect_err(sql);
    let postgres = Dialect::Postgres;
    assert_eq!(
        refused(postgres, "INSERT INTO steps (run_id, name) SELECT $1, name FROM steps", 1, &["int8"]),
        "this INSERT does not have exactly one row of VALUES"
    );
    assert_eq!(
        refused(postgres, "UPDATE steps SET name = $1 WHERE id = 7", 1, &["text"]),
        "no condition of this statement names a value of a row"
    );
    assert_eq!(
        refused(Dialect::Sqlite, "UPDATE steps SET name = ?2 WHERE id > ?1", 2, &[]),
        "the rows of this statement are not found by a key of each row"
    );
    assert_eq!(
        refused(Dialect::MySql, "SELECT id FROM steps WHERE run_id = ? LIMIT 1", 1, &[]),
        "a LIMIT, an aggregate or DISTINCT of this SELECT is about the rows of one key"
    );
    assert_eq!(
        refused(postgres, "DELETE FROM steps WHERE id = $1", 1, &["?"]),
        "the type of parameter $1 is not known, and the rows are read by their types"
    );
}

#[test]
fn a_name_of_the_statement_is_not_taken() {
    let made = made(Dialect::Postgres, "SELECT id AS nth FROM steps WHERE id = $1 LIMIT 1", 1, &["int8"]);
    let text = made.map(|made| made.pieces);
    assert!(matches!(&text.as_deref(), Ok([Piece::Text(text)]) if text.contains("nth_")), "{text:?}");
}
