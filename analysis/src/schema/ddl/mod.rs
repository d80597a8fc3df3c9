//! Parses one DDL statement into a change to the schema, as data.
//!
//! SQL is read by hand here, token by token, rather than by the query parser, for three reasons. Schemas
//! contain statements that the parser does not know (operator-class parameters, `ALTER … SET SCHEMA`, trigger
//! bodies, `DO` blocks). Parts of a definition outside the model can be skipped, so that an unknown storage
//! option loses nothing. And the macros read the snapshot in every build, unoptimised, where this is many
//! times faster.

mod actions;
mod alter;
mod assigned;
pub mod block;
pub mod change;
mod column;
mod condition;
mod constraint;
pub(crate) mod cursor;
mod dropped;
pub mod expression;
mod generated;
mod identity;
mod index;
mod leaving;
mod loops;
mod object;
mod options;
pub(super) mod relation;
mod sequence;
mod session;
mod table;
mod types;

pub use actions::{Action, Position, TypeAction, TypeDef};
pub use change::{
    Change, ColumnDef, ConstraintDef, CreateFunction, CreateIndex, CreateTable, CreateView, Element,
    Including, IndexDef, Rule, SettingLifetime, TypeRef, Written,
};
pub(crate) use constraint::{NO_INHERIT, NOT_VALID};
pub use cursor::DdlError;
pub use dropped::{Drop, Dropped};
pub use expression::{calls, mentions};
pub use generated::generated;
pub use identity::{SequenceOptions, changed};
pub(crate) use object::arguments;
pub(crate) use options::ENGINE;
pub use options::{Charset, TableOptions};
pub use types::print_user_type;

use super::model::{Column, Hook};
use crate::sql::Dialect;
use crate::sql::batch::on_one_line;
use cursor::{Cursor, Parsed};

/// Reads one statement.
///
/// # Errors
/// If the statement kind is unknown, or the part of the statement that is read is malformed.
pub fn parse(sql: &str, dialect: Dialect) -> Result<Change, DdlError> {
    let mut cursor = Cursor::new(sql, dialect);
    let cursor = &mut cursor;
    if cursor.done() {
        return Ok(Change::Nothing);
    }
    if cursor.take("create") {
        create(cursor).and_then(|change| cursor.whole().map(|()| change))
    } else if cursor.take("alter") {
        alter(cursor).and_then(|change| cursor.whole().map(|()| change))
    } else if cursor.take("drop") {
        object::drop(cursor)
    } else if cursor.take("rename") {
        object::rename_tables(cursor)
    } else if cursor.dialect == Dialect::MySql && cursor.take("set statement") {
        while !cursor.done() && !cursor.take("for") {
            cursor.skip();
        }
        let start = cursor.at;
        cursor.skip_all();
        parse(cursor.source(start, cursor.at), dialect)
    } else if cursor.take("set") {
        session::set(cursor, SettingLifetime::Session)
    } else if cursor.dialect == Dialect::MySql && cursor.take("prepare") {
        session::prepare(cursor)
    } else if cursor.dialect == Dialect::MySql && cursor.take("execute") {
        session::execute(cursor)
    } else if cursor.take("reset search_path") || cursor.take("reset all") || cursor.take("discard all") {
        Ok(Change::SetSearchPath { path: None, scope: SettingLifetime::Session })
    } else if cursor.dialect == Dialect::MySql && cursor.take("call") {
        session::call(cursor)
    } else if cursor.take("select") || cursor.take("call") || cursor.take("perform") {
        Ok(session::select(cursor))
    } else if cursor.dialect == Dialect::Sqlite && cursor.is("insert into sqlite_master") {
        table::dumped(cursor)
    } else if cursor.take("pragma") {
        Ok(session::pragma(cursor))
    } else if cursor.dialect == Dialect::MySql && cursor.take("begin not atomic") {
        let start = cursor.at;
        cursor.skip_all();
        Ok(Change::Do(format!("BEGIN {}", cursor.source(start, cursor.at))))
    } else if cursor.dialect == Dialect::MySql && session::is_compound(cursor) {
        cursor.skip_all();
        Ok(Change::Do(cursor.text.to_owned()))
    } else if cursor.dialect == Dialect::MySql && cursor.take("do") {
        // It evaluates an expression.
        Ok(Change::Nothing)
    } else if cursor.take("do") {
        session::do_block(cursor)
    } else if cursor.take("savepoint") {
        Ok(Change::Savepoint(cursor.name()?))
    } else if cursor.take_any(&["rollback to", "rollback work to", "rollback transaction to"]).is_some() {
        let _ = cursor.take("savepoint");
        Ok(Change::RollbackTo(cursor.name()?))
    } else if cursor.take_any(&["begin", "start transaction"]).is_some() {
        Ok(Change::Savepoint(String::new()))
    } else if !cursor.is("rollback prepared") && cursor.take_any(&["rollback", "abort"]).is_some() {
        Ok(Change::RollbackTo(String::new()))
    } else if session::ends_transaction(cursor) {
        Ok(Change::EndTransaction)
    } else if session::is_harmless(cursor) || cursor.is("execute") {
        Ok(Change::Nothing)
    } else {
        Err(cursor.error("a statement"))
    }
}

/// The relation in the query `TABLE name`, if it is one.
pub fn table_query(query: &str, dialect: Dialect) -> Option<&str> {
    let mut cursor = Cursor::new(query, dialect);
    let start = cursor.take("table").then_some(cursor.at)?;
    cursor.skip_all();
    Some(cursor.source(start, cursor.at))
}

/// A type on its own, if the text is one.
pub fn type_of(text: &str, dialect: Dialect) -> Option<TypeRef> {
    let mut cursor = Cursor::new(text, dialect);
    types::parse(&mut cursor).ok().filter(|_| cursor.done())
}

/// The table that a statement creates or changes, even if the rest cannot be read.
pub fn table_of(sql: &str, dialect: Dialect) -> Option<Written> {
    let mut cursor = Cursor::new(sql, dialect);
    let _ = cursor.take_any(&["create", "alter"])?;
    while cursor.take_any(&["or replace", "temporary", "temp", "unlogged", "foreign", "virtual"]).is_some() {}
    cursor.expect("table").ok()?;
    let _ = cursor.take("if not exists") || cursor.take("if exists");
    let _ = cursor.take("only");
    cursor.written().ok()
}

/// Reads the rest of a `CREATE` statement.
fn create(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let or_replace = cursor.take("or replace");
    while cursor.dialect == Dialect::MySql && definer(cursor) {}
    let _ = cursor.take_any(&["global", "local"]);
    let temporary = cursor.take("temporary") || cursor.take("temp");
    let kind = cursor.take_any(&["unlogged", "foreign"]);
    if cursor.take("table") {
        let server = table::server(cursor).filter(|_| kind == Some("foreign"));
        let mut change = table::create(cursor, temporary, or_replace)?;
        if let Change::CreateTable(table) = &mut change {
            table.options.unlogged = kind == Some("unlogged");
            table.module = server;
        }
        return Ok(change);
    }
    if cursor.take("virtual table") {
        return table::create_virtual(cursor);
    }
    if ["index", "unique", "fulltext", "spatial"].iter().any(|word| cursor.is(word)) {
        return index::create(cursor, or_replace);
    }
    let materialized = cursor.take("materialized");
    let recursive = cursor.take("recursive");
    if cursor.take("view") {
        let name = Written::default();
        let (columns, query) = (Vec::new(), String::new());
        let if_not_exists = false;
        let view = CreateView {
            name,
            spelling: None,
            or_replace,
            if_not_exists,
            temporary,
            materialized,
            columns,
            query,
        };
        return object::create_view(cursor, view, recursive);
    }
    if cursor.take("sequence") {
        return sequence::create_sequence(cursor, temporary);
    }
    if cursor.dialect == Dialect::MySql && (cursor.take("procedure") || cursor.take("function")) {
        return object::create_routine(cursor);
    }
    if cursor.dialect != Dialect::Postgres {
        return harmless_create(cursor);
    }
    if cursor.take("type") {
        object::create_type(cursor)
    } else if cursor.take("domain") {
        object::create_domain(cursor)
    } else if cursor.take("schema") {
        let if_not_exists = cursor.take("if not exists");
        // An unnamed schema takes the name of its owner.
        let _ = cursor.take("authorization");
        let name = cursor.name()?;
        if cursor.take("authorization") {
            cursor.name()?;
        }
        let mut elements = Vec::new();
        while !cursor.done() {
            let start = cursor.at;
            cursor.skip();
            while !cursor.done() && !cursor.is("create") && !cursor.is("grant") {
                cursor.skip();
            }
            elements.push(cursor.source(start, cursor.at).to_owned());
        }
        Ok(Change::CreateSchema { name, if_not_exists, elements })
    } else if cursor.take("extension") {
        let _ = cursor.take("if not exists");
        let name = cursor.name()?;
        let _ = cursor.take("with");
        let schema = if cursor.take("schema") { Some(cursor.name()?) } else { None };
        cursor.skip_all();
        Ok(Change::CreateExtension { name, schema })
    } else if cursor.take("collation") {
        object::create_collation(cursor)
    } else if cursor.take("function") || cursor.take("procedure") || cursor.take("aggregate") {
        object::create_function(cursor)
    } else {
        harmless_create(cursor)
    }
}

/// MySQL's `DEFINER = …`, `ALGORITHM = …` and `SQL SECURITY …` before the kind of object.
fn definer(cursor: &mut Cursor<'_>) -> bool {
    if cursor.take("sql security") {
        cursor.skip();
        return true;
    }
    if !cursor.take("definer") && !cursor.take("algorithm") {
        return false;
    }
    let _ = cursor.take_symbol("=");
    cursor.skip();
    // `user@host`, or `CURRENT_USER()`.
    if cursor.now().starts_with('@') {
        let host_follows = cursor.now() == "@";
        cursor.skip();
        if host_follows {
            cursor.skip();
        }
    } else if cursor.is_symbol("(") {
        cursor.skip();
    }
    true
}

/// Kinds of objects outside the model.
fn harmless_create(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    const KNOWN: &[&str] = &[
        "trigger",
        "constraint trigger",
        "event trigger",
        "rule",
        "policy",
        "role",
        "user",
        "group",
        "database",
        "conversion",
        "text search",
        "publication",
        "subscription",
        "server",
        "language",
        "trusted language",
        "trusted procedural language",
        "procedural language",
        "foreign data wrapper",
        "data wrapper",
        "access method",
        "statistics",
        "tablespace",
        "transform",
        "default conversion",
        "aggregate",
        "procedure",
        "function",
        "aggregate function",
        "event",
        "schema",
        "user mapping",
    ];
    if let Some(hook) = hook(cursor) {
        Ok(hook)
    } else if KNOWN.iter().any(|words| cursor.is(words)) {
        Ok(Change::Nothing)
    } else if cursor.is("cast") || cursor.is("operator") {
        Ok(Change::CreateConversion(cursor.text.to_owned()))
    } else {
        Err(cursor.error("what to create"))
    }
}

/// `TRIGGER t BEFORE INSERT ON a ..`, `RULE r AS ON INSERT TO a ..`. SQLite's triggers cannot change the new
/// row.
fn hook(cursor: &mut Cursor<'_>) -> Option<Change> {
    let is_rule = cursor.take("rule");
    if !is_rule && cursor.take_any(&["trigger", "constraint trigger"]).is_none() {
        return None;
    }
    // Its name, which may equal a keyword that is searched for below.
    let _ = cursor.take("if not exists");
    cursor.skip();
    let (mut is_early, mut inserts) = (is_rule, false);
    while !cursor.done() {
        if cursor.take(if is_rule { "to" } else { "on" }) {
            let table = cursor.written().ok();
            cursor.skip_all();
            let code = one_line(cursor.text, cursor.dialect);
            let changes_inserts = is_early && inserts && cursor.dialect != Dialect::Sqlite;
            let hook = |table| Change::Hook(table, Hook { code, changes_inserts });
            return Some(table.map_or(Change::Nothing, hook));
        }
        is_early |= cursor.is("before") || cursor.is("instead");
        inserts |= cursor.is("insert");
        cursor.skip();
    }
    Some(Change::Nothing)
}

/// A statement on one line, without comments. Line breaks inside quotes are lost.
pub(crate) fn one_line(sql: &str, dialect: Dialect) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    on_one_line(sql, dialect).replace(is_break, " ")
}

/// Reads the rest of an `ALTER` statement.
fn alter(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let _ = cursor.take("online");
    let _ = cursor.take("ignore");
    const RELATIONS: &[&str] = &["table", "foreign table", "materialized view", "view", "index", "sequence"];
    if cursor.dialect == Dialect::MySql && cursor.take("view") {
        let (name, columns) = (Written::default(), Vec::new());
        let view = CreateView {
            name,
            spelling: None,
            or_replace: true,
            if_not_exists: false,
            temporary: false,
            materialized: false,
            columns,
            query: String::new(),
        };
        return object::create_view(cursor, view, false);
    }
    if cursor.take_any(RELATIONS).is_some() {
        return alter::relation(cursor);
    }
    if cursor.take("type") || cursor.take("domain") {
        return object::alter_type(cursor);
    }
    if cursor.dialect == Dialect::Postgres && cursor.take("schema") {
        let from = cursor.name()?;
        if cursor.take("rename to") {
            return Ok(Change::RenameSchema { from, to: cursor.name()? });
        }
        return Ok(Change::Nothing);
    }
    if cursor.dialect == Dialect::Postgres
        && cursor.take_any(&["function", "procedure", "routine", "aggregate"]).is_some()
    {
        return object::alter_function(cursor);
    }
    if cursor.is("database") || cursor.is("role") || cursor.is("user") {
        while !cursor.done() && !cursor.is("set search_path") {
            cursor.at += 1;
        }
        if cursor.take("set") {
            return session::set(cursor, SettingLifetime::Sessions);
        }
        return Ok(Change::Nothing);
    }
    const KNOWN: &[&str] = &[
        "function",
        "procedure",
        "routine",
        "aggregate",
        "trigger",
        "event trigger",
        "rule",
        "policy",
        "group",
        "default privileges",
        "extension",
        "publication",
        "subscription",
        "collation",
        "conversion",
        "operator",
        "text search",
        "server",
        "language",
        "foreign data wrapper",
        "large object",
        "statistics",
        "system",
        "tablespace",
        "schema",
        "event",
        "instance",
        "user mapping",
        "definer",
        "algorithm",
    ];
    if KNOWN.iter().any(|words| cursor.is(words)) {
        Ok(Change::Nothing)
    } else {
        Err(cursor.error("what to alter"))
    }
}
