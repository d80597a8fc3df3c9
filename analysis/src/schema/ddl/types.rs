//! Column types: parses any spelling, and prints it as the database does.

use super::Written;
use super::change::TypeRef;
use super::cursor::{Cursor, Parsed};
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;
use crate::sql::quote::quote_if_needed;

/// Reads a type.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Parsed<TypeRef> {
    match cursor.dialect {
        Dialect::Postgres => postgres(cursor),
        Dialect::MySql => mysql(cursor),
        Dialect::Sqlite => Ok(sqlite(cursor)),
    }
}

/// A user-defined type as the database prints it, given its resolved name.
pub fn print_user_type(name: &crate::schema::model::Name, suffix: &str, dialect: Dialect) -> String {
    let bare = quote_if_needed(&name.name, dialect);
    match &name.schema {
        Some(schema) => format!("{}.{bare}{suffix}", quote_if_needed(schema, dialect)),
        None => format!("{bare}{suffix}"),
    }
}

fn postgres(cursor: &mut Cursor<'_>) -> Parsed<TypeRef> {
    cursor.take("setof");
    let quoted = cursor.ahead(0).is_some_and(|token| token.kind == TokenKind::Name);
    let mut name = cursor.written()?;
    if name.schema.as_deref() == Some("pg_catalog") {
        name.schema = None;
    }
    let builtin = name.schema.is_none() && (!quoted || is_postgres_type(&name.name));
    let mut ty = if builtin { postgres_builtin(cursor, &name, quoted)? } else { user_type(cursor, name)? };
    let mut array = cursor.take("array");
    while cursor.is_symbol("[") {
        cursor.skip();
        array = true;
    }
    if array {
        ty.text.push_str("[]");
    }
    Ok(ty)
}

fn user_type(cursor: &mut Cursor<'_>, name: Written) -> Parsed<TypeRef> {
    let modifiers = modifiers(cursor)?;
    Ok(TypeRef { text: in_parentheses(&modifiers), user: Some(name), ..TypeRef::default() })
}

/// The arguments in parentheses after a type's name.
fn modifiers(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    if !cursor.is_symbol("(") {
        return Ok(Vec::new());
    }
    cursor.list(|cursor| {
        let start = cursor.at;
        cursor.skip_until(|_| false);
        Ok(cursor.source(start, cursor.at).to_owned())
    })
}

fn in_parentheses(modifiers: &[String]) -> String {
    if modifiers.is_empty() { String::new() } else { format!("({})", modifiers.join(",")) }
}

fn postgres_builtin(cursor: &mut Cursor<'_>, name: &Written, quoted: bool) -> Parsed<TypeRef> {
    let word = name.name.as_str();
    let known = |text: String| TypeRef { text, ..TypeRef::default() };
    // `"char"` in quotes is not the same type as `char`.
    if quoted && word == "char" {
        return Ok(known("\"char\"".to_owned()));
    }
    let serial = match word {
        "serial" | "serial4" => Some("integer"),
        "bigserial" | "serial8" => Some("bigint"),
        "smallserial" | "serial2" => Some("smallint"),
        _ => None,
    };
    if let Some(text) = serial {
        return Ok(TypeRef { text: text.to_owned(), serial: true, ..TypeRef::default() });
    }
    let text = match word {
        "int" | "int4" | "integer" => "integer".to_owned(),
        "int8" | "bigint" => "bigint".to_owned(),
        "int2" | "smallint" => "smallint".to_owned(),
        "bool" | "boolean" => "boolean".to_owned(),
        "float4" | "real" => "real".to_owned(),
        "float8" => "double precision".to_owned(),
        "double" => {
            cursor.expect("precision")?;
            "double precision".to_owned()
        }
        "float" => match modifiers(cursor)?.first().and_then(|bits| bits.parse::<u32>().ok()) {
            Some(bits) if bits < 25 => "real".to_owned(),
            _ => "double precision".to_owned(),
        },
        "decimal" | "dec" | "numeric" => match modifiers(cursor)?.as_slice() {
            [precision] => format!("numeric({precision},0)"),
            modifiers => format!("numeric{}", in_parentheses(modifiers)),
        },
        "varchar" => format!("character varying{}", in_parentheses(&modifiers(cursor)?)),
        "char" | "character" | "nchar" | "national" => {
            if word == "national" && !cursor.take("character") {
                cursor.expect("char")?;
            }
            let varying = cursor.take("varying");
            match (varying, modifiers(cursor)?.as_slice()) {
                (true, modifiers) => format!("character varying{}", in_parentheses(modifiers)),
                (false, []) => "character(1)".to_owned(),
                (false, modifiers) => format!("character{}", in_parentheses(modifiers)),
            }
        }
        "bpchar" => match modifiers(cursor)?.as_slice() {
            [] => "bpchar".to_owned(),
            modifiers => format!("character{}", in_parentheses(modifiers)),
        },
        "varbit" => format!("bit varying{}", in_parentheses(&modifiers(cursor)?)),
        "bit" => match (cursor.take("varying"), modifiers(cursor)?.as_slice()) {
            (true, modifiers) => format!("bit varying{}", in_parentheses(modifiers)),
            (false, []) => "bit(1)".to_owned(),
            (false, modifiers) => format!("bit{}", in_parentheses(modifiers)),
        },
        "time" | "timestamp" | "timetz" | "timestamptz" => {
            let precision = in_parentheses(&modifiers(cursor)?);
            let base = word.trim_end_matches("tz");
            let with_zone = word.ends_with("tz") || cursor.take("with time zone");
            let _ = cursor.take("without time zone");
            format!("{base}{precision} {} time zone", if with_zone { "with" } else { "without" })
        }
        "interval" => interval(cursor)?,
        _ if is_postgres_type(word) => format!("{word}{}", in_parentheses(&modifiers(cursor)?)),
        _ => return user_type(cursor, name.clone()),
    };
    Ok(known(text))
}

fn interval(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let fields = ["year", "month", "day", "hour", "minute", "second"];
    let mut text = "interval".to_owned();
    if let Some(field) = cursor.take_any(&fields) {
        text = format!("{text} {field}");
        if cursor.take("to")
            && let Some(field) = cursor.take_any(&fields)
        {
            text = format!("{text} to {field}");
        }
    }
    Ok(format!("{text}{}", in_parentheses(&modifiers(cursor)?)))
}

/// Types of `pg_catalog` that are printed as written.
fn is_postgres_type(name: &str) -> bool {
    #[rustfmt::skip]
    const NAMES: &[&str] = &[
        "aclitem", "anyarray", "anyelement", "box", "bytea", "char", "cid", "cidr", "circle", "date", "datemultirange",
        "daterange", "inet", "int4multirange", "int4range", "int8multirange", "int8range", "json", "jsonb",
        "jsonpath", "line", "lseg", "macaddr", "macaddr8", "money", "name", "nummultirange", "numrange", "oid",
        "oidvector", "path", "pg_lsn", "pg_snapshot", "point", "polygon", "record", "refcursor", "regclass",
        "regcollation", "regconfig", "regdictionary", "regnamespace", "regoper", "regoperator", "regproc",
        "regprocedure", "regrole", "regtype", "text", "tid", "trigger", "tsmultirange", "tsquery", "tsrange",
        "tstzmultirange", "tstzrange", "tsvector", "txid_snapshot", "uuid", "void", "xid", "xid8", "xml",
    ];
    NAMES.binary_search(&name).is_ok()
}

/// MySQL's types as version 8 prints them, without display widths except for `tinyint(1)`.
fn mysql(cursor: &mut Cursor<'_>) -> Parsed<TypeRef> {
    // The names of types are keywords, which no quotes surround.
    if cursor.ahead(0).is_some_and(|token| token.kind != TokenKind::Word) {
        return Err(cursor.error("a type"));
    }
    let word = cursor.name()?;
    let known = |text: &str| Ok(TypeRef { text: text.to_owned(), ..TypeRef::default() });
    if word == "serial" {
        return Ok(TypeRef { text: "bigint unsigned".to_owned(), serial: true, ..TypeRef::default() });
    }
    let second = match word.as_str() {
        "double" => cursor.take_any(&["precision"]),
        "character" | "char" => cursor.take_any(&["varying"]),
        "national" => cursor.take_any(&["varchar", "character varying", "char varying", "char", "character"]),
        "long" => cursor.take_any(&["varchar", "varbinary"]),
        _ => None,
    };
    let base = match (word.as_str(), second) {
        ("integer" | "int4", _) => "int",
        ("int1", _) => "tinyint",
        ("int2", _) => "smallint",
        ("int3" | "middleint", _) => "mediumint",
        ("int8", _) => "bigint",
        ("bool" | "boolean", _) => return known("tinyint(1)"),
        ("dec" | "numeric" | "fixed", _) => "decimal",
        ("real" | "double" | "float8", _) => "double",
        ("float4", _) => "float",
        ("character" | "char", Some(_)) => "varchar",
        ("national", Some("char" | "character")) | ("character" | "nchar", _) => "char",
        ("national" | "nvarchar" | "varcharacter", _) => "varchar",
        ("long", Some("varbinary")) => "mediumblob",
        ("long", _) => "mediumtext",
        (word, _) => word,
    };
    let modifiers = modifiers(cursor)?;
    let (mut unsigned, mut zerofill) = (false, false);
    while let Some(word) = cursor.take_any(&["unsigned", "signed", "zerofill"]) {
        unsigned |= word != "signed";
        zerofill |= word == "zerofill";
    }
    let base = match base {
        "char" if cursor.take("byte") => "binary",
        "varchar" if cursor.take("byte") => "varbinary",
        "tinytext" if cursor.take("byte") => "tinyblob",
        "text" if cursor.take("byte") => "blob",
        "mediumtext" if cursor.take("byte") => "mediumblob",
        "longtext" if cursor.take("byte") => "longblob",
        base => base,
    };
    let integer = matches!(base, "tinyint" | "smallint" | "mediumint" | "int" | "bigint");
    let mut text = match (base, modifiers.as_slice()) {
        ("tinyint", [one]) if one == "1" && !unsigned => "tinyint(1)".to_owned(),
        (_, _) if integer => base.to_owned(),
        ("decimal", []) => "decimal(10,0)".to_owned(),
        ("decimal", [precision]) => format!("decimal({precision},0)"),
        ("char" | "binary" | "bit", []) => format!("{base}(1)"),
        ("year", _) => "year".to_owned(),
        (_, modifiers) => format!("{base}{}", in_parentheses(modifiers)),
    };
    if unsigned {
        text.push_str(" unsigned");
    }
    let usual = match base {
        "tinyint" => 4,
        "smallint" => 6,
        "mediumint" => 9,
        "int" => 11,
        _ => 20,
    };
    let usual = if unsigned && base != "bigint" { usual - 1 } else { usual };
    let width = modifiers.first().and_then(|width| width.parse().ok());
    let width = width.filter(|width| integer && *width != usual && *width > 0 && !text.ends_with(')'));
    Ok(TypeRef { text, width, zerofill: zerofill && integer, ..TypeRef::default() })
}

/// SQLite accepts any words as a type, and prints its own few in upper case.
fn sqlite(cursor: &mut Cursor<'_>) -> TypeRef {
    let start = cursor.at;
    let ends = [
        "constraint",
        "primary",
        "not",
        "null",
        "unique",
        "check",
        "default",
        "collate",
        "references",
        "generated",
        "as",
        "autoincrement",
    ];
    while cursor
        .ahead(0)
        .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Name | TokenKind::Text))
        && !ends.iter().any(|end| cursor.is(end))
    {
        cursor.at += 1;
    }
    if cursor.at > start && cursor.is_symbol("(") {
        cursor.skip();
    }
    let written = cursor.source(start, cursor.at);
    let standard = ["ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"];
    let text = match standard.iter().find(|name| written.eq_ignore_ascii_case(name)) {
        Some(name) => (*name).to_owned(),
        None => written.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    TypeRef { text, ..TypeRef::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, pairs: &[(&str, &str)]) {
        for (written, printed) in pairs {
            let mut cursor = Cursor::new(written, dialect);
            let ty = parse(&mut cursor).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(ty.text, *printed, "{written}");
            assert!(cursor.done(), "{written}: not read to the end");
            assert_eq!(ty.user, None, "{written}");
        }
    }

    #[test]
    fn postgres_prints_its_own_names() {
        check(
            Dialect::Postgres,
            &[
                ("INT", "integer"),
                ("varchar ( 20 )", "character varying(20)"),
                ("timestamptz(3)[]", "timestamp(3) with time zone[]"),
                ("TIMESTAMP WITHOUT TIME ZONE", "timestamp without time zone"),
                ("numeric(20)", "numeric(20,0)"),
                ("decimal(8, 2)", "numeric(8,2)"),
                ("double precision", "double precision"),
                ("int8[3][4]", "bigint[]"),
                ("text ARRAY", "text[]"),
                ("pg_catalog.int4", "integer"),
                ("char", "character(1)"),
                ("\"char\"", "\"char\""),
                ("interval day to second(3)", "interval day to second(3)"),
                ("float(20)", "real"),
            ],
        );
    }

    #[test]
    fn postgres_users_types_are_kept_apart() {
        let mut cursor = Cursor::new("s.vector(3)[]", Dialect::Postgres);
        let ty = parse(&mut cursor).expect("a type");
        assert_eq!(ty.text, "(3)[]");
        assert_eq!(ty.user, Some(Written { schema: Some("s".to_owned()), name: "vector".to_owned() }));
    }

    #[test]
    fn mysql_prints_its_own_names() {
        check(
            Dialect::MySql,
            &[
                ("INTEGER(11) UNSIGNED", "int unsigned"),
                ("bool", "tinyint(1)"),
                ("VARCHAR(20)", "varchar(20)"),
                ("enum('a','b')", "enum('a','b')"),
                ("numeric", "decimal(10,0)"),
                ("double precision", "double"),
            ],
        );
    }

    #[test]
    fn mysql_has_no_types_in_quotes() {
        for text in ["`int`", "` bigint USING a::bigint`", "'int'", "\"x\"(3)"] {
            let mut cursor = Cursor::new(text, Dialect::MySql);
            assert!(parse(&mut cursor).is_err(), "{text}");
        }
    }

    #[test]
    fn sqlite_keeps_what_is_written() {
        check(
            Dialect::Sqlite,
            &[("text", "TEXT"), ("varchar(20)", "varchar(20)"), ("UNSIGNED BIG INT", "UNSIGNED BIG INT")],
        );
        let mut cursor = Cursor::new("NOT NULL", Dialect::Sqlite);
        assert_eq!(parse(&mut cursor).expect("no type").text, "");
    }
}
