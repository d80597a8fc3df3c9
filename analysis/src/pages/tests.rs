//! Which queries can be paged, and the resulting statements.

use super::{Pages, pages};
use crate::schema::snapshot;
use crate::sql::{Dialect, resolve};

const TABLES: &str = "CREATE TABLE posts (id bigint NOT NULL PRIMARY KEY, author_id bigint NOT NULL, title text NOT NULL, \
     created_at timestamp NOT NULL, published_at timestamp, UNIQUE (author_id, title)); \
     CREATE TABLE authors (id bigint NOT NULL PRIMARY KEY, name text NOT NULL);";

fn made(dialect: Dialect, sql: &str) -> Result<Pages, String> {
    let schema = snapshot::read(TABLES, "schema.sql", Some(dialect)).schema;
    let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
    assert_eq!(query.problems, [], "{sql}");
    pages(sql, &query, &schema, &|_| None)
        .map_err(|refusal| format!("{} / {}", refusal.message, refusal.help))
}

/// Replaces line breaks by spaces.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(dialect: Dialect, sql: &str, after: &str, before: &str, binds: &[usize]) {
    let made = made(dialect, sql).expect("it has pages");
    assert_eq!(line(&made.after.text), after);
    assert_eq!(line(&made.before.text), before);
    assert_eq!(made.after.binds, binds);
}

#[test]
fn keys_that_go_one_way_are_compared_as_a_row() {
    check(
        Dialect::Postgres,
        "SELECT id, created_at FROM posts WHERE author_id = $1 OR title = $2 ORDER BY created_at DESC, id DESC",
        "SELECT id, created_at FROM posts WHERE (author_id = $1 OR title = $2 ) AND (posts.created_at, posts.id) < \
         ($3, $4) ORDER BY posts.created_at DESC, posts.id DESC LIMIT $5",
        "SELECT id, created_at FROM posts WHERE (author_id = $1 OR title = $2 ) AND (posts.created_at, posts.id) > \
         ($3, $4) ORDER BY posts.created_at, posts.id LIMIT $5",
        &[0, 1],
    );
    check(
        Dialect::Sqlite,
        "SELECT p.id FROM posts p ORDER BY 1 -- all of them",
        "SELECT p.id FROM posts p WHERE p.id > ?1 ORDER BY p.id LIMIT ?2",
        "SELECT p.id FROM posts p WHERE p.id < ?1 ORDER BY p.id DESC LIMIT ?2",
        &[0],
    );
}

#[test]
fn mixed_directions_and_mysql_are_compared_key_by_key() {
    let sql = "SELECT id, created_at FROM posts ORDER BY created_at DESC, id";
    check(
        Dialect::Postgres,
        sql,
        "SELECT id, created_at FROM posts WHERE posts.created_at <= $1 AND (posts.created_at < $1 OR \
         posts.created_at = $1 AND (posts.id > $2)) ORDER BY posts.created_at DESC, posts.id LIMIT $3",
        "SELECT id, created_at FROM posts WHERE posts.created_at >= $1 AND (posts.created_at > $1 OR \
         posts.created_at = $1 AND (posts.id < $2)) ORDER BY posts.created_at, posts.id DESC LIMIT $3",
        &[0, 1],
    );
    let made =
        made(Dialect::MySql, "SELECT id, created_at FROM posts ORDER BY created_at, id").expect("pages");
    assert_eq!(made.after.binds, [0, 0, 0, 1]);
}

#[test]
fn the_order_has_to_tell_rows_apart() {
    let refused = |sql| made(Dialect::Postgres, sql).expect_err(sql);
    assert_eq!(
        refused("SELECT id, created_at FROM posts ORDER BY created_at DESC"),
        "the order is not unique: rows that are equal in it would be skipped / \
         add the primary key: `ORDER BY posts.created_at DESC, posts.id DESC`"
    );
    assert!(made(Dialect::Postgres, "SELECT title FROM posts WHERE author_id = $1 ORDER BY title").is_ok());
    let joined = "SELECT p.id, a.name FROM posts p JOIN authors a ON a.id = p.author_id ORDER BY p.id";
    assert!(made(Dialect::Postgres, joined).is_ok());
    assert!(
        refused("SELECT p.id, a.name FROM posts p, authors a ORDER BY p.id")
            .starts_with("the order is not unique")
    );
    assert!(refused("SELECT published_at, id FROM posts ORDER BY published_at, id").contains("may be NULL"));
    let asked = "SELECT published_at, id FROM posts WHERE published_at IS NOT NULL ORDER BY published_at, id";
    assert!(made(Dialect::Postgres, asked).is_ok());
    let outer =
        "SELECT a.id, p.id FROM posts p LEFT JOIN authors a ON a.id = p.author_id ORDER BY a.id, p.id";
    assert!(refused(outer).contains("`a.id` may be NULL"));
}

#[test]
fn what_has_no_pages_is_refused() {
    let refused = |sql| made(Dialect::Postgres, sql).expect_err(sql);
    assert!(
        refused("SELECT id FROM posts ORDER BY id LIMIT 10").starts_with("a page has a LIMIT of its own")
    );
    assert!(refused("SELECT id FROM posts").starts_with("a page needs an order"));
    assert!(refused("SELECT title FROM posts ORDER BY id").contains("which is not selected"));
    assert!(refused("SELECT id FROM posts ORDER BY lower(title), id").contains("which is not a column"));
    assert!(
        refused("SELECT author_id, count(*) FROM posts GROUP BY author_id ORDER BY 1").contains("grouped")
    );
    assert!(refused("DELETE FROM posts WHERE id = 1").starts_with("only a SELECT"));
}
