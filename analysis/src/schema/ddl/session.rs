//! Statements about the session: settings, calls, and all that changes no schema.

use super::change::{Change, CreateTable, Scope};
use super::cursor::{Cursor, DdlError, Parsed};
use crate::sql::Dialect;
use crate::sql::lex::Kind;

/// Words that begin a statement which changes nothing of what the model holds.
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
    "execute",
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
    "savepoint",
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

/// Whether the statement begins with a word that changes no schema.
pub(crate) fn is_harmless(cursor: &Cursor<'_>) -> bool {
    HARMLESS.iter().any(|word| cursor.is(word)) || cursor.is_symbol("(")
}

/// Takes a word that ends a transaction, unless it ends only what follows a savepoint.
pub(crate) fn ends_transaction(cursor: &mut Cursor<'_>) -> bool {
    let words = ["commit", "end", "rollback", "abort"];
    let savepoint = ["rollback to", "rollback work to", "rollback transaction to"];
    !savepoint.iter().any(|words| cursor.is(words)) && cursor.take_any(&words).is_some()
}

/// Reads what follows `SET`.
pub(crate) fn set(cursor: &mut Cursor<'_>, scope: Scope) -> Parsed<Change> {
    let scope = if cursor.take("local") { Scope::Transaction } else { scope };
    let _ = cursor.take("session");
    if cursor.dialect == Dialect::MySql && cursor.now().starts_with('@') {
        return Ok(variable(cursor));
    }
    if cursor.dialect != Dialect::Postgres {
        return Ok(Change::Nothing);
    }
    if cursor.take("schema") && cursor.ahead(0).is_some_and(|token| token.kind == Kind::Text) {
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
        let text = cursor.ahead(0).is_some_and(|token| token.kind == Kind::Text);
        path.push(if text { cursor.string()? } else { cursor.name()? });
        if !cursor.take_symbol(",") {
            break;
        }
    }
    Ok(Change::SetSearchPath { path: Some(path), scope })
}

/// MySQL: reads `@name = …` after `SET`.
fn variable(cursor: &mut Cursor<'_>) -> Change {
    let name = variable_name(cursor);
    let mut texts = Vec::new();
    while !cursor.done() {
        match cursor.string() {
            Ok(text) => texts.push(text),
            Err(_) => cursor.at += 1,
        }
    }
    Change::SetVariable { name, texts }
}

/// Reads `@name`, which is one token or two.
fn variable_name(cursor: &mut Cursor<'_>) -> String {
    let start = cursor.at;
    let sign_alone = cursor.now() == "@";
    cursor.at += 1 + usize::from(sign_alone);
    cursor.source(start, cursor.at).to_lowercase()
}

/// MySQL: reads what follows `PREPARE`. A statement that stands there as a string is taken for executed.
pub(crate) fn prepare(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    cursor.name()?;
    cursor.expect("from")?;
    if cursor.now().starts_with('@') {
        return Ok(Change::PrepareVariable(variable_name(cursor)));
    }
    let statement = cursor.string()?;
    super::parse(&statement, cursor.dialect).map_err(|error| DdlError { offset: 0, ..error })
}

/// Reads what follows `SELECT`: nothing, but for `set_config` and functions called by themselves.
pub(crate) fn select(cursor: &mut Cursor<'_>) -> Change {
    if cursor.dialect == Dialect::Postgres
        && let Some(change) = select_into(cursor)
    {
        return change;
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
                let scope = if local { Scope::Transaction } else { Scope::Session };
                Change::SetSearchPath { path: Some(path), scope }
            }
            _ => Change::Nothing,
        };
    }
    Change::Call(name)
}

/// Postgres: `SELECT … INTO t …` makes a table, as `CREATE TABLE t AS SELECT …` does.
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

/// Reads what follows `PRAGMA`.
pub(crate) fn pragma(cursor: &mut Cursor<'_>) -> Change {
    let legacy = cursor.written().is_ok_and(|name| name.name == "legacy_alter_table");
    if !legacy || cursor.done() {
        return Change::Nothing;
    }
    let _ = cursor.take_symbol("=") || cursor.take_symbol("(");
    Change::LegacyAlter(["on", "1", "true", "yes"].iter().any(|on| cursor.now().eq_ignore_ascii_case(on)))
}

/// Reads what follows `DO`: the body, where its language is plpgsql.
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
