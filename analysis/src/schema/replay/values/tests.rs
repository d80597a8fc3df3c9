//! Values of variables, of arrays and of composed statements.

use super::*;

#[track_caller]
fn check(expression: &str, expect: &str) {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply("CREATE TABLE t (id int PRIMARY KEY)", "a.sql");
    replay.session.variables.insert("n".to_owned(), Text::of("Big name"));
    assert_eq!(replay.evaluate(expression).filled(), expect, "{expression}");
}

#[test]
fn texts_that_code_puts_together() {
    check("'a' || 'b' || 3", "ab3");
    check("'a ' || x || ' b'", "a query_budget_hole b");
    check("format('%I.%s %L %% %2$s', n, 'y', n)", "\"Big name\".y 'Big name' % y");
    check("format('%I', x)", HOLE);
    check("concat('a', n::text, quote_ident(n))", "aBig name\"Big name\"");
    check("a + 1", HOLE);
    check("(2020 + 1) || '-01-01'", "2021-01-01");
    check("format('%L', x)", "'query_budget_hole'");
    check("(SELECT count(*) FROM information_schema.tables WHERE table_name = 't')", "1");
    check("(SELECT max(id) FROM t)", HOLE);
    for broken in ["", "(", "'a' ||", "format(", "format('%", "format('%9$I')", "))", "a.b.c"] {
        let _ = Replay::new(Dialect::Postgres).evaluate(broken);
    }
}

#[test]
fn conditions_on_what_is_known() {
    let mut replay = Replay::new(Dialect::MySql);
    replay.apply("CREATE TABLE t (id int PRIMARY KEY, a int, KEY ta (a)); SET @n = 0;", "a.sql");
    let count =
        "(SELECT COUNT(*) FROM information_schema.statistics WHERE table_name = 't' AND index_name = ";
    for (condition, expect) in [
        (format!("{count}'ta') > 0"), Some(true)),
        (format!("{count}'tb') = 0"), Some(true)),
        (format!("NOT ({count}'tb') = 0)"), Some(false)),
        ("@n = 0 AND 1 < 2".to_owned(), Some(true)),
        ("@m = 0".to_owned(), None),
        ("@m = 0 OR @n = 0".to_owned(), Some(true)),
    ] {
        assert_eq!(replay.truth(&condition), expect, "{condition}");
    }
}
