//! Statements about the session: settings, calls, and everything that does not change the schema.

use super::block::Node;
use super::change::{Change, CreateTable, SettingLifetime};
use super::cursor::{Cursor, DdlError, Parsed};
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;

/// Words that start a statement which does not affect the model.
const HARMLESS: &[&str] = &[
    "abort",
    "analyse",
    "analyze",
    "attach",
    "begin",
    "check",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "deallocate",
    "declare",
    "delete",
    "desc",
    "describe",
    "detach",
    "discard",
    "end",
    "explain",
    "fetch",
    "flush",
    "grant",
    "import",
    "insert",
    "kill",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "optimize",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "repair",
    "replace",
    "reset",
    "revoke",
    "rollback",
    "security",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "unlock",
    "update",
    "use",
    "vacuum",
    "values",
    "with",
];

/// Whether the statement starts with a word that does not change the schema.
pub(crate) fn is_harmless(cursor: &Cursor<'_>) -> bool {
    HARMLESS.iter().any(|word| cursor.is(word)) || cursor.is_symbol("(")
}

/// Whether the statement is MariaDB's `IF .. END IF` and its kind outside of a procedure.
pub(crate) fn is_compound(cursor: &Cursor<'_>) -> bool {
    ["if", "case", "for", "while", "loop", "repeat"].iter().any(|word| cursor.is(word))
}

/// Reads a word that ends a transaction and commits it.
pub(crate) fn ends_transaction(cursor: &mut Cursor<'_>) -> bool {
    cursor.take_any(&["commit", "end"]).is_some()
}

/// Reads the rest of a `SET` statement.
pub(crate) fn set(cursor: &mut Cursor<'_>, scope: SettingLifetime) -> Parsed<Change> {
    let scope = if cursor.take("local") { SettingLifetime::Transaction } else { scope };
    let _ = cursor.take("session");
    if cursor.dialect == Dialect::MySql && cursor.now().starts_with('@') {
        return Ok(variable(cursor));
    }
    if cursor.dialect == Dialect::MySql && cursor.take("statement") {
        return for_statement(cursor);
    }
    if cursor.dialect != Dialect::Postgres {
        return Ok(Change::Nothing);
    }
    if cursor.take("schema") && cursor.ahead(0).is_some_and(|token| token.kind == TokenKind::Text) {
        return Ok(Change::SetSearchPath { path: Some(vec![cursor.string()?]), scope });
    }
    if !cursor.take("search_path") {
        return Ok(Change::Nothing);
    }
    if !cursor.take("to") {
        cursor.expect_symbol("=")?;
    }
    if cursor.take("default") {
        return Ok(Change::SetSearchPath { path: None, scope });
    }
    let mut path = Vec::new();
    loop {
        let text = cursor.ahead(0).is_some_and(|token| token.kind == TokenKind::Text);
        path.push(if text { cursor.string()? } else { cursor.name()? });
        if !cursor.take_symbol(",") {
            break;
        }
    }
    Ok(Change::SetSearchPath { path: Some(path), scope })
}

/// MariaDB: reads the rest of `SET STATEMENT a = 1, .. FOR ..`, which runs the statement behind it.
fn for_statement(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    while !cursor.done() && !cursor.is("for") {
        cursor.skip();
    }
    cursor.expect("for")?;
    let start = cursor.ahead(0).map_or(cursor.text.len(), |token| token.span.start);
    cursor.skip_all();
    let change = super::parse(cursor.text.get(start..).unwrap_or_default(), cursor.dialect);
    change.map_err(|error| DdlError { offset: error.offset + start, ..error })
}

/// MySQL: reads `@name = …` after `SET`.
fn variable(cursor: &mut Cursor<'_>) -> Change {
    let mut assigned = Vec::new();
    while cursor.now().starts_with('@') {
        let name = variable_name(cursor);
        let _ = cursor.take_symbol("=") || cursor.take_symbol(":=");
        let start = cursor.at;
        cursor.skip_until(|_| false);
        assigned.push((name, cursor.source(start, cursor.at).to_owned()));
        if !cursor.take_symbol(",") {
            break;
        }
    }
    Change::SetVariables(assigned)
}

/// Reads `@name`, which is one or two tokens.
pub(crate) fn variable_name(cursor: &mut Cursor<'_>) -> String {
    let start = cursor.at;
    let sign_alone = cursor.now() == "@";
    cursor.at += 1 + usize::from(sign_alone);
    cursor.source(start, cursor.at).to_lowercase()
}

/// MySQL: reads the rest of `PREPARE`.
pub(crate) fn prepare(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let name = cursor.name()?;
    cursor.expect("from")?;
    let start = cursor.at;
    cursor.skip_all();
    Ok(Change::Prepare(name, cursor.source(start, cursor.at).to_owned()))
}

/// MySQL: reads the rest of `EXECUTE`: the name of a prepared statement, or `IMMEDIATE` and a text.
pub(crate) fn execute(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    if !cursor.take("immediate") {
        return Ok(Change::ExecutePrepared(cursor.name()?));
    }
    let start = cursor.at;
    while !cursor.done() && !cursor.is("using") {
        cursor.skip();
    }
    Ok(Change::ExecuteText(cursor.source(start, cursor.at).to_owned()))
}

/// MySQL: `SELECT … INTO @name`.
fn into_variables(cursor: &Cursor<'_>) -> Option<Change> {
    let mut ahead = cursor.clone();
    let names_variable = |at: &Cursor<'_>| at.is("into") && at.text_ahead(1).starts_with('@');
    while !ahead.done() && !names_variable(&ahead) {
        ahead.skip();
    }
    let before = ahead.at;
    if !ahead.take("into") {
        return None;
    }
    let mut names = Vec::new();
    while ahead.now().starts_with('@') {
        names.push(variable_name(&mut ahead));
        ahead.take_symbol(",");
    }
    let after = ahead.at;
    ahead.skip_all();
    let list = cursor.source(cursor.at, before);
    let query = format!("(SELECT {list} {})", ahead.source(after, ahead.at));
    let value = if names.len() == 1 { query } else { String::new() };
    Some(Change::SetVariables(names.into_iter().map(|name| (name, value.clone())).collect()))
}

/// Reads the rest of a `SELECT`: no change, except for `set_config` and functions called on their own.
pub(crate) fn select(cursor: &mut Cursor<'_>) -> Change {
    if cursor.dialect == Dialect::Postgres
        && let Some(change) = select_into(cursor)
    {
        return change;
    }
    if cursor.dialect == Dialect::MySql
        && let Some(change) = into_variables(cursor)
    {
        return change;
    }
    // `SELECT * FROM f()`.
    if cursor.is_symbol("*") && cursor.is_word(1, "from") {
        cursor.at += 2;
    }
    let Ok(mut name) = cursor.written() else { return Change::Nothing };
    if name.schema.as_deref() == Some("pg_catalog") {
        name.schema = None;
    }
    if !cursor.is_symbol("(") {
        return Change::Nothing;
    }
    if name.name == "set_config" {
        cursor.at += 1;
        let setting = cursor.string();
        let value = if cursor.take_symbol(",") { cursor.string() } else { Ok(String::new()) };
        let local = cursor.take_symbol(",") && cursor.is("true");
        return match (setting.as_deref(), value) {
            (Ok("search_path"), Ok(value)) => {
                let path = value.split(',').map(|name| name.trim().trim_matches('"').to_owned());
                let path = path.filter(|name| !name.is_empty()).collect();
                let scope = if local { SettingLifetime::Transaction } else { SettingLifetime::Session };
                Change::SetSearchPath { path: Some(path), scope }
            }
            _ => Change::Nothing,
        };
    }
    let mut calls = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next.take() {
        if let Node::Call { function, arguments } = super::block::called(cursor, name) {
            calls.push((function, arguments));
        }
        let _ = cursor.take_symbol(")");
        cursor.skip_until(|_| false);
        if cursor.take_symbol(",") {
            next = cursor.written().ok().filter(|_| cursor.is_symbol("("));
        }
    }
    Change::Calls(calls)
}

/// MySQL: reads the rest of `CALL`, where a procedure without arguments needs no parentheses.
pub(crate) fn call(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let mut ahead = cursor.clone();
    let name = ahead.written()?;
    if ahead.done() {
        cursor.skip_all();
        return Ok(Change::Calls(vec![(name, Vec::new())]));
    }
    Ok(select(cursor))
}

/// PostgreSQL: `SELECT … INTO t …` creates a table, like `CREATE TABLE t AS SELECT …`.
fn select_into(cursor: &Cursor<'_>) -> Option<Change> {
    let mut ahead = cursor.clone();
    while !ahead.done() && !["into", "from", "where"].iter().any(|word| ahead.is(word)) {
        ahead.skip();
    }
    let before = ahead.at;
    if !ahead.take("into") {
        return None;
    }
    let temporary = ahead.take("temporary") || ahead.take("temp");
    let _ = ahead.take("unlogged");
    let _ = ahead.take("table");
    let name = ahead.written().ok()?;
    let list = cursor.source(cursor.at, before);
    let after = ahead.at;
    ahead.skip_all();
    let query = Some(format!("SELECT {list} {}", ahead.source(after, ahead.at)));
    Some(Change::CreateTable(Box::new(CreateTable { name, temporary, query, ..CreateTable::default() })))
}

/// Reads the rest of `PRAGMA`.
pub(crate) fn pragma(cursor: &mut Cursor<'_>) -> Change {
    let legacy = cursor.written().is_ok_and(|name| name.name == "legacy_alter_table");
    if !legacy || cursor.done() {
        return Change::Nothing;
    }
    let _ = cursor.take_symbol("=") || cursor.take_symbol("(");
    Change::LegacyAlter(["on", "1", "true", "yes"].iter().any(|on| cursor.now().eq_ignore_ascii_case(on)))
}

/// Reads the rest of `DO`: the body, if its language is plpgsql.
pub(crate) fn do_block(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let mut language = "plpgsql".to_owned();
    let mut body = None;
    while !cursor.done() {
        if cursor.take("language") {
            language = cursor.string().map(|text| text.to_lowercase()).or_else(|_| cursor.name())?;
        } else {
            body = Some(cursor.string()?);
        }
    }
    match body {
        Some(body) if language == "plpgsql" => Ok(Change::Do(body)),
        Some(_) => Err(cursor.error(&format!("a body in plpgsql, not {language}"))),
        None => Err(cursor.error("a body")),
    }
}
