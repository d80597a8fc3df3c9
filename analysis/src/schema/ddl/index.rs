//! `CREATE INDEX`, and the keys of indexes and constraints.

use super::change::{Change, CreateIndex, IndexDef};
use super::column::at_name;
use super::constraint::{include, index_options, nulls_not_distinct};
use super::cursor::{Cursor, Parsed};
use super::expression;
use crate::schema::model::{IndexKey, KeyPart};
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;

/// Reads the rest of `CREATE …INDEX`, including words such as `UNIQUE`.
pub(crate) fn create(cursor: &mut Cursor<'_>, or_replace: bool) -> Parsed<Change> {
    let mut index = IndexDef { method: "btree".to_owned(), ..IndexDef::default() };
    match cursor.take_any(&["unique", "fulltext", "spatial"]) {
        Some("unique") => index.unique = true,
        Some(method) => index.method = method.to_owned(),
        None => {}
    }
    cursor.expect("index")?;
    let _ = cursor.take("concurrently");
    let if_not_exists = cursor.take("if not exists");
    let mut schema = None;
    if !cursor.is("on") && !cursor.is("using") {
        let written = cursor.written()?;
        schema = written.schema;
        index.name = Some(written.name);
    }
    method(cursor, &mut index)?;
    cursor.expect("on")?;
    let only = cursor.take("only");
    let table = cursor.written()?;
    method(cursor, &mut index)?;
    let method_name = index.method.clone();
    index.keys = cursor.list(|cursor| key(cursor, &method_name))?;
    method(cursor, &mut index)?;
    index.include = include(cursor)?;
    index.nulls_not_distinct = nulls_not_distinct(cursor);
    index.hidden = index_options(cursor)?;
    if cursor.take("where") {
        let start = cursor.at;
        cursor.skip_all();
        let tokens = cursor.tokens(start, cursor.at);
        index.predicate = Some(expression::render(cursor.text, tokens, cursor.dialect));
    }
    if !cursor.done() {
        return Err(cursor.error("the end of the statement"));
    }
    Ok(Change::CreateIndex(Box::new(CreateIndex { index, schema, table, if_not_exists, or_replace, only })))
}

fn method(cursor: &mut Cursor<'_>, index: &mut IndexDef) -> Parsed<()> {
    if cursor.take("using") {
        index.method = cursor.name()?;
    }
    Ok(())
}

/// Reads keys in parentheses.
pub(crate) fn keys(cursor: &mut Cursor<'_>) -> Parsed<Vec<IndexKey>> {
    cursor.list(|cursor| key(cursor, "btree"))
}

/// MariaDB: marks a key that is a period.
pub(crate) const OVERLAPS: &str = "without overlaps";

/// Reads one key of an index with this access method.
pub(crate) fn key(cursor: &mut Cursor<'_>, method: &str) -> Parsed<IndexKey> {
    let part = match cursor.dialect {
        Dialect::Sqlite => sqlite_part(cursor)?,
        _ => part(cursor)?,
    };
    let mut key = IndexKey { part, ..IndexKey::column("") };
    if cursor.dialect == Dialect::MySql && cursor.is_symbol("(") {
        cursor.at += 1;
        key.prefix = cursor.now().parse().ok();
        cursor.at += 1;
        cursor.expect_symbol(")")?;
    }
    let mut nulls_first = None;
    loop {
        if cursor.take("collate") {
            key.collation = Some(cursor.written()?.name);
        } else if cursor.take("asc") {
            key.desc = false;
        } else if cursor.take("desc") {
            key.desc = true;
        } else if cursor.dialect == Dialect::MySql && cursor.take("without overlaps") {
            key.opclass = Some(OVERLAPS.to_owned());
        } else if cursor.take("nulls first") {
            nulls_first = Some(true);
        } else if cursor.take("nulls last") {
            nulls_first = Some(false);
        } else if cursor.dialect == Dialect::Postgres && at_name(cursor) && !cursor.is("with") {
            key.opclass = operator_class(cursor, method)?;
        } else {
            break;
        }
    }
    key.nulls_first = nulls_first.unwrap_or(key.desc && cursor.dialect == Dialect::Postgres);
    Ok(key)
}

/// A column, a call, or an expression in parentheses.
fn part(cursor: &mut Cursor<'_>) -> Parsed<KeyPart> {
    let start = cursor.at;
    if cursor.is_symbol("(") {
        cursor.skip();
        return Ok(key_part(cursor, start));
    }
    let name = cursor.written()?;
    let call = cursor.is_symbol("(") && !is_prefix_length(cursor);
    if !call {
        return Ok(KeyPart::Column(name.name));
    }
    cursor.skip();
    Ok(key_part(cursor, start))
}

/// MySQL's `(10)` after a column.
fn is_prefix_length(cursor: &Cursor<'_>) -> bool {
    cursor.dialect == Dialect::MySql
        && cursor.ahead(1).is_some_and(|token| token.kind == TokenKind::Number)
        && cursor.text_ahead(2) == ")"
}

/// SQLite allows any expression, without parentheses.
fn sqlite_part(cursor: &mut Cursor<'_>) -> Parsed<KeyPart> {
    let start = cursor.at;
    let ends = |cursor: &Cursor<'_>, words: &[&str]| words.iter().any(|word| cursor.is(word));
    cursor.skip_until(|cursor| ends(cursor, &["collate", "asc", "desc", "nulls"]));
    // COLLATE binds closer than any operator: it is of the key only if the key is one term.
    if cursor.is("collate") && !is_term(cursor, start) {
        cursor.skip_until(|cursor| ends(cursor, &["asc", "desc", "nulls"]));
    }
    if cursor.at == start {
        return Err(cursor.error("a column or an expression"));
    }
    Ok(key_part(cursor, start))
}

/// Whether the tokens since `start` are one name, call or parenthesis.
fn is_term(cursor: &Cursor<'_>, start: usize) -> bool {
    let mut ahead = cursor.clone();
    ahead.at = start;
    ahead.skip();
    if ahead.is_symbol("(") && ahead.at < cursor.at {
        ahead.skip();
    }
    ahead.at >= cursor.at
}

/// The tokens since `start` as a key: a lone name in parentheses is a column.
fn key_part(cursor: &mut Cursor<'_>, start: usize) -> KeyPart {
    let end = cursor.at;
    let text = expression::render(cursor.text, cursor.tokens(start, end), cursor.dialect);
    let mut inner = Cursor::new(&text, cursor.dialect);
    match inner.name() {
        Ok(name) if inner.done() && !matches!(text.as_str(), "true" | "false" | "NULL") => {
            KeyPart::Column(name)
        }
        _ => KeyPart::Expression(text),
    }
}

/// Reads an operator class with its parameters; `None` if it is the default.
fn operator_class(cursor: &mut Cursor<'_>, method: &str) -> Parsed<Option<String>> {
    let name = cursor.written()?.name;
    if cursor.is_symbol("(") {
        let open = cursor.at;
        cursor.skip();
        let parameters = cursor.source(open, cursor.at);
        return Ok(Some(format!("{name} {parameters}")));
    }
    Ok((!is_default_class(&name, method)).then_some(name))
}

/// Whether an operator class is the default.
fn is_default_class(class: &str, method: &str) -> bool {
    let Some(stem) = class.strip_suffix("_ops") else { return false };
    #[rustfmt::skip]
    const SCALAR: &[&str] = &[
        "array", "bit", "bool", "bpchar", "bytea", "char", "cidr", "date", "enum", "float4", "float8", "inet", "int2",
        "int4", "int8", "interval", "jsonb", "macaddr", "macaddr8", "money", "multirange", "name", "numeric", "oid",
        "oidvector", "pg_lsn", "range", "record", "text", "tid", "time", "timestamp", "timestamptz", "timetz",
        "tsquery", "tsvector", "uuid", "varbit", "varchar", "xid8",
    ];
    match method {
        "btree" | "hash" => SCALAR.binary_search(&stem).is_ok(),
        "gin" => ["array", "jsonb", "tsvector"].contains(&stem),
        "gist" => {
            ["box", "circle", "multirange", "point", "poly", "range", "tsquery", "tsvector"].contains(&stem)
        }
        "spgist" => ["box", "inet", "poly", "quad_point", "range", "text"].contains(&stem),
        // Addresses have another.
        "brin" => stem
            .strip_suffix("_minmax")
            .is_some_and(|stem| stem != "inet" && SCALAR.binary_search(&stem).is_ok()),
        _ => false,
    }
}
