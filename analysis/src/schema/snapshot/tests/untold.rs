//! What a statement leaves out: columns, and types.

use super::{has_parts, round_trip};
use crate::sql::Dialect;

#[test]
fn a_view_without_columns_has_no_list_of_them() {
    let views = "CREATE VIEW v AS SELECT; CREATE MATERIALIZED VIEW m AS SELECT *;";
    let text = round_trip(Dialect::Postgres, views);
    has_parts(&text, &["CREATE VIEW v AS\nSELECT;", "CREATE MATERIALIZED VIEW m AS\n"]);
}

#[test]
fn a_column_without_a_type_is_text_and_so_is_its_default() {
    let text = round_trip(Dialect::Postgres, "CREATE TABLE t (id int, a DEFAULT 'x');");
    has_parts(&text, &["a text DEFAULT 'x'::text"]);
}

#[test]
fn what_a_star_leaves_out_is_no_column_of_a_view() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE t (id int PRIMARY KEY, h int INVISIBLE DEFAULT 3, b int); CREATE VIEW v AS SELECT * FROM t;",
    );
    has_parts(&text, &["VIEW `v` (`id`, `b`)"]);
}
