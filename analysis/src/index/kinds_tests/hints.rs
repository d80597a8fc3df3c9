//! Hints of a query on the indexes that it is to use.

use super::*;

const DDL: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX ta ON t (a, b); CREATE INDEX tb ON t (b);";

#[test]
fn optimizer_hints_of_mysql_take_indexes_away() {
    for (hint, expect) in [
        ("NO_INDEX(t ta)", Unserved),
        ("NO_INDEX(t)", Unserved),
        ("SET_VAR(x = 1) no_join_index(`t`@qb `ta`, tb)", Unserved),
        ("NO_INDEX(@qb t ta)", Unserved),
        ("INDEX(t tb)", Unserved),
        ("JOIN_INDEX(t ta)", Served),
        ("INDEX(t)", Served),
        ("NO_INDEX(other ta)", Served),
        ("NO_ORDER_INDEX(t ta) NO_GROUP_INDEX(t ta)", Served),
    ] {
        check(MySql, DDL, &format!("SELECT /*+ {hint} */ id FROM t WHERE a = ?"), &[expect]);
        check(MySql, DDL, &format!("UPDATE /*+ {hint} */ t SET b = 1 WHERE a = ?"), &[expect]);
    }
    let sql =
        "SELECT /*+ NO_INDEX(y ta) */ x.id FROM t x JOIN t y ON y.a = x.id WHERE x.a = ? AND y.b + 1 > 1";
    check(MySql, DDL, sql, &[Served, Unserved]);
    // Elsewhere it is a comment.
    check(MySql, DDL, "SELECT id /*+ NO_INDEX(t ta) */ FROM t WHERE a = ?", &[Served]);
    check(MySql, DDL, "SELECT '/*+ NO_INDEX(t ta) */' FROM t WHERE a = ?", &[Served]);
    check(Sqlite, DDL, "SELECT /*+ NO_INDEX(t ta) */ id FROM t WHERE a = ?", &[Served]);
}

#[test]
fn an_index_that_a_hint_hides_is_not_wanted_again() {
    let read = |dialect, sql: &str| {
        let schema = schema(dialect, DDL);
        let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
        let access = accesses(&query, &schema).remove(0);
        (access.wanted.len(), access.hindrance.map(|hindrance| hindrance.instead))
    };
    let leave_out = Some("leave the index hint on `t` out: index `ta` serves the filter".to_owned());
    for (dialect, sql) in [
        (MySql, "SELECT id FROM t IGNORE INDEX (ta) WHERE a = ?"),
        (MySql, "SELECT id FROM t FORCE INDEX (tb) WHERE a = ?"),
        (MySql, "SELECT /*+ NO_INDEX(t ta) */ id FROM t WHERE a = ?"),
        (Sqlite, "SELECT id FROM t NOT INDEXED WHERE a = ?"),
    ] {
        assert_eq!(read(dialect, sql), (0, leave_out.clone()), "{sql}");
    }
    let ddl = "SELECT id FROM t IGNORE INDEX (ta) WHERE id + 1 = ? AND b + 1 = ?";
    assert_eq!(read(MySql, ddl).1, None);
}
