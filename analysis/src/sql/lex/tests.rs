//! Where literals, comments and statements end.

use super::*;

#[track_caller]
fn check(text: &str, dialect: Dialect, expect: &[(TokenKind, &str)]) {
    let tokens: Vec<(TokenKind, &str)> =
        Lexer::new(text, dialect).map(|token| (token.kind, &text[token.span.range()])).collect();
    assert_eq!(tokens, expect);
}

#[test]
fn quotes_by_dialect() {
    use TokenKind::*;
    check(r#"E'a\'b' "x""y""#, Dialect::Postgres, &[(Text, r"E'a\'b'"), (Name, r#""x""y""#)]);
    check(r"'a\' b", Dialect::Postgres, &[(Text, r"'a\'"), (Word, "b")]);
    check(
        r#"'a\'b' "text" `name`"#,
        Dialect::MySql,
        &[(Text, r"'a\'b'"), (Text, r#""text""#), (Name, "`name`")],
    );
    check("[a b] `c`", Dialect::Sqlite, &[(Name, "[a b]"), (Name, "`c`")]);
    check("a[1]", Dialect::Postgres, &[(Word, "a"), (Symbol, "["), (Number, "1"), (Symbol, "]")]);
    check("$x$ $y$ $x$ $1", Dialect::Postgres, &[(Text, "$x$ $y$ $x$"), (Parameter, "$1")]);
    check("$$", Dialect::Postgres, &[(Open, "$$")]);
}

#[test]
fn comments_by_dialect() {
    use TokenKind::*;
    check("/* a /* b */ c */ d", Dialect::Postgres, &[(Word, "d")]);
    check("/* a /* b */ c", Dialect::Sqlite, &[(Word, "c")]);
    check("1--1", Dialect::MySql, &[(Number, "1"), (Symbol, "-"), (Symbol, "-"), (Number, "1")]);
    check("# a\nb /*!40101 c */ d", Dialect::MySql, &[(Word, "b"), (Word, "c"), (Word, "d")]);
    check("a /*M!100600 b */ /*M!999999\\- c */ d", Dialect::MySql, &[(Word, "a"), (Word, "b"), (Word, "d")]);
    check("a /* b", Dialect::Postgres, &[(Word, "a"), (Open, "/* b")]);
}

#[test]
fn operators_end_where_postgres_ends_them() {
    use TokenKind::*;
    check("a=-1", Dialect::Postgres, &[(Word, "a"), (Symbol, "="), (Symbol, "-"), (Number, "1")]);
    check("a@-b", Dialect::Postgres, &[(Word, "a"), (Symbol, "@-"), (Word, "b")]);
    check("a--b", Dialect::Postgres, &[(Word, "a")]);
    check(
        "x::int[]",
        Dialect::Postgres,
        &[(Word, "x"), (Symbol, "::"), (Word, "int"), (Symbol, "["), (Symbol, "]")],
    );
    check("1.5e-3 .5", Dialect::Postgres, &[(Number, "1.5e-3"), (Number, ".5")]);
}

#[test]
fn names_of_mysql_may_begin_with_a_digit() {
    use TokenKind::*;
    let mysql = Dialect::MySql;
    check("2fa", mysql, &[(Word, "2fa")]);
    check("t.3d", mysql, &[(Word, "t"), (Symbol, "."), (Word, "3d")]);
    check(
        "`t`.1st = 1.5",
        mysql,
        &[(Name, "`t`"), (Symbol, "."), (Word, "1st"), (Symbol, "="), (Number, "1.5")],
    );
    check(
        "0xff 0b01 1e5 1e-5 10 .5",
        mysql,
        &["0xff", "0b01", "1e5", "1e-5", "10", ".5"].map(|it| (Number, it)),
    );
    check("1ea 1_a", mysql, &["1ea", "1_a"].map(|it| (Word, it)));
    check("2fa", Dialect::Postgres, &[(Number, "2fa")]);
}

#[test]
fn placeholders_by_dialect() {
    use TokenKind::*;
    check("?1 :a @b", Dialect::Sqlite, &[(Parameter, "?1"), (Parameter, ":a"), (Parameter, "@b")]);
    check("a ? b", Dialect::Postgres, &[(Word, "a"), (Symbol, "?"), (Word, "b")]);
}

#[test]
fn quotes_are_resolved() {
    assert_eq!(unquote("'it''s'", Dialect::Postgres), "it's");
    assert_eq!(unquote(r"E'a\'b'", Dialect::Postgres), "a'b");
    assert_eq!(unquote("$a$ x $a$", Dialect::Postgres), " x ");
    assert_eq!(unquote("[a]", Dialect::Sqlite), "a");
}
