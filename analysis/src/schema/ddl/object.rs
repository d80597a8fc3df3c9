//! Types, views, schemas, functions and `DROP`.

use super::actions::{TypeAction, TypeDef};
use super::change::{Change, CreateFunction, CreateView, Written};
use super::cursor::{Cursor, Parsed};
use super::dropped::{Drop, Dropped};
use super::{column, constraint, types};
use crate::schema::model::UserType;
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;
use crate::sql::quote::quote_if_needed;

/// Reads the rest of `CREATE … VIEW`.
pub(crate) fn create_view(cursor: &mut Cursor<'_>, mut view: CreateView, recursive: bool) -> Parsed<Change> {
    view.if_not_exists = cursor.take("if not exists");
    view.name = cursor.written()?;
    view.spelling = cursor.spelling();
    if cursor.is_symbol("(") {
        view.columns = cursor.list(|cursor| {
            let column = cursor.column()?;
            cursor.skip_until(|_| false);
            Ok(column)
        })?;
    }
    while !cursor.done() && !cursor.is("as") {
        cursor.skip();
    }
    cursor.expect("as")?;
    view.query = query(cursor);
    if recursive {
        // The database rewrites it the same way.
        let quoted = |name: &String| quote_if_needed(name, cursor.dialect);
        let columns = view.columns.iter().map(|column| quoted(&column.name));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let name = quoted(&view.name.name);
        view.query =
            format!("WITH RECURSIVE {name} ({columns}) AS ({}) SELECT {columns} FROM {name}", view.query);
    }
    Ok(Change::CreateView(Box::new(view)))
}

/// Reads a query to the end of the statement, without clauses that affect its rows but not its columns.
pub(crate) fn query(cursor: &mut Cursor<'_>) -> String {
    let start = cursor.at;
    cursor.skip_all();
    let mut end = cursor.at;
    let tails: &[&[&str]] = &[
        &["with", "no", "data"],
        &["with", "data"],
        &["with", "check", "option"],
        &["with", "cascaded", "check", "option"],
        &["with", "local", "check", "option"],
        &["with", "no", "schema", "binding"],
    ];
    for tail in tails {
        let mut probe = cursor.clone();
        probe.at = end.saturating_sub(tail.len()).max(start);
        if probe.is(&tail.join(" ")) {
            end = probe.at;
            break;
        }
    }
    cursor.source(start, end).to_owned()
}

/// Reads the rest of `CREATE COLLATION`.
pub(crate) fn create_collation(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let _ = cursor.take("if not exists");
    let name = cursor.written()?;
    let start = cursor.at;
    cursor.skip_all();
    Ok(Change::CreateCollation { name, made_from: cursor.source(start, cursor.at).to_owned() })
}

/// Reads the rest of `CREATE TYPE`.
pub(crate) fn create_type(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let name = cursor.written()?;
    let ty = if cursor.take("as enum") {
        if cursor.text_ahead(1) == ")" {
            cursor.skip();
            TypeDef::Known(UserType::Enum(Vec::new()))
        } else {
            TypeDef::Known(UserType::Enum(cursor.list(|cursor| cursor.string())?))
        }
    } else if cursor.is("as") && cursor.text_ahead(1) == "(" {
        cursor.at += 1;
        if cursor.text_ahead(1) == ")" {
            cursor.skip();
            TypeDef::Composite(Vec::new())
        } else {
            TypeDef::Composite(cursor.list(column::parse)?)
        }
    } else if cursor.take("as range") {
        let start = cursor.at;
        cursor.skip_all();
        TypeDef::Known(UserType::Range(cursor.source(start, cursor.at).to_owned()))
    } else {
        cursor.skip_all();
        TypeDef::Known(UserType::Other)
    };
    Ok(Change::CreateType { name, ty })
}

/// Reads the rest of `CREATE DOMAIN`.
pub(crate) fn create_domain(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let name = cursor.written()?;
    let _ = cursor.take("as");
    let base = types::parse(cursor)?;
    let definition = column::parts(cursor, name.name.clone(), base)?;
    let checks = definition.constraints.into_iter().filter_map(|constraint| match constraint.rule {
        super::Rule::Check(condition) => Some((constraint.name, condition)),
        _ => None,
    });
    let checks = checks.collect();
    let super::Column { not_null, default, collation, .. } = definition.column;
    let base = definition.ty;
    Ok(Change::CreateType { name, ty: TypeDef::Domain { base, not_null, default, checks, collation } })
}

/// Reads the rest of `ALTER TYPE` or `ALTER DOMAIN`.
pub(crate) fn alter_type(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let _ = cursor.take("if exists");
    let name = cursor.written()?;
    let mut actions = Vec::new();
    loop {
        if let Some(action) = type_action(cursor)? {
            actions.push(action);
        }
        if !cursor.take_symbol(",") {
            break;
        }
    }
    if !cursor.done() {
        return Err(cursor.error("`,` or the end of the statement"));
    }
    Ok(Change::AlterType { name, actions })
}

fn type_action(cursor: &mut Cursor<'_>) -> Parsed<Option<TypeAction>> {
    let action = if cursor.take("add value") {
        let if_not_exists = cursor.take("if not exists");
        let value = cursor.string()?;
        let neighbour = match cursor.take_any(&["before", "after"]) {
            Some(side) => Some((cursor.string()?, side == "after")),
            None => None,
        };
        TypeAction::AddValue { value, if_not_exists, neighbour }
    } else if cursor.take("rename value") {
        let from = cursor.string()?;
        cursor.expect("to")?;
        TypeAction::RenameValue { from, to: cursor.string()? }
    } else if cursor.take("rename to") {
        TypeAction::Rename(cursor.name()?)
    } else if cursor.take("rename attribute") {
        let from = cursor.name()?;
        cursor.expect("to")?;
        let to = cursor.name()?;
        let _ = cursor.take_any(&["cascade", "restrict"]);
        TypeAction::RenameAttribute(from, to)
    } else if cursor.take("set schema") {
        TypeAction::SetSchema(cursor.name()?)
    } else if cursor.take("add attribute") {
        let name = cursor.name()?;
        let ty = types::parse(cursor)?;
        let _ = cursor.take("collate") && cursor.written().is_ok();
        let _ = cursor.take_any(&["cascade", "restrict"]);
        TypeAction::AddAttribute(Box::new(column::parts(cursor, name, ty)?))
    } else if cursor.take("drop attribute") {
        let _ = cursor.take("if exists");
        let name = cursor.name()?;
        let _ = cursor.take_any(&["cascade", "restrict"]);
        TypeAction::DropAttribute(name)
    } else if cursor.take("alter attribute") {
        let name = cursor.name()?;
        let _ = cursor.take("set data");
        cursor.expect("type")?;
        let ty = types::parse(cursor)?;
        cursor.skip_until(|_| false);
        TypeAction::SetAttributeType(name, ty)
    } else if cursor.take("set not null") {
        TypeAction::SetNotNull(true)
    } else if cursor.take("drop not null") {
        TypeAction::SetNotNull(false)
    } else if cursor.take("set default") {
        TypeAction::SetDefault(column::default(cursor)?)
    } else if cursor.take("drop default") {
        TypeAction::SetDefault(None)
    } else if cursor.take("drop constraint") {
        let _ = cursor.take("if exists");
        let name = cursor.name()?;
        let _ = cursor.take_any(&["cascade", "restrict"]);
        TypeAction::DropConstraint(name)
    } else if cursor.take("add") {
        let name = if cursor.take("constraint") { Some(cursor.name()?) } else { None };
        cursor.expect("check")?;
        let condition = constraint::check(cursor)?;
        let _ = cursor.take("not valid");
        TypeAction::AddCheck { name, condition }
    } else if cursor.take("rename constraint") {
        let from = cursor.name()?;
        cursor.expect("to")?;
        TypeAction::RenameConstraint(from, cursor.name()?)
    } else if ["owner", "set", "validate"].iter().any(|it| cursor.is(it)) {
        cursor.skip_all();
        return Ok(None);
    } else {
        return Err(cursor.error("an action of ALTER TYPE"));
    };
    Ok(Some(action))
}

/// Reads the rest of `CREATE FUNCTION` or `CREATE PROCEDURE`.
pub(crate) fn create_function(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let name = cursor.written()?;
    let parameters = parameters(cursor);
    let mut body = None;
    while !cursor.done() {
        let string = cursor.ahead(1).is_some_and(|token| token.kind == TokenKind::Text);
        if cursor.is("as") && string {
            cursor.at += 1;
            body = Some(cursor.string()?);
        } else {
            cursor.skip();
        }
    }
    let sql = cursor.text.to_owned();
    Ok(Change::CreateFunction(Box::new(CreateFunction { name, sql, body, parameters })))
}

/// Reads the rest of `ALTER FUNCTION` and similar statements.
pub(crate) fn alter_function(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let from = cursor.written()?;
    let listed = if cursor.is_symbol("(") { arguments(cursor.text) } else { None };
    if cursor.is_symbol("(") {
        cursor.skip();
    }
    let to = if cursor.take("rename to") {
        Written { schema: None, name: cursor.name()? }
    } else if cursor.take("set schema") {
        Written { schema: Some(cursor.name()?), name: from.name.clone() }
    } else {
        let is_steady = cursor.take("stable") || cursor.take("immutable");
        cursor.skip_all();
        return Ok(if is_steady { Change::SteadyFunction(from) } else { Change::Nothing });
    };
    Ok(Change::AlterFunction(from, listed, to))
}

/// The parenthesised parameters of a function, without blanks: a statement that replaces it has the same.
pub(crate) fn arguments(sql: &str) -> Option<String> {
    let mut depth = 0_usize;
    let (open, _) = sql.match_indices('(').next()?;
    let close = sql.get(open..)?.find(|c| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        };
        depth == 0
    })?;
    let inside = sql.get(open + 1..open + close)?;
    Some(inside.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}

/// Reads the names and defaults of parameters, without consuming the parentheses.
fn parameters(cursor: &Cursor<'_>) -> Vec<(String, String)> {
    let mut ahead = cursor.clone();
    let mut names = Vec::new();
    if !ahead.take_symbol("(") {
        return names;
    }
    while !ahead.done() && !ahead.is_symbol(")") {
        let _ = ahead.take_any(&["inout", "in", "out", "variadic"]);
        // An unnamed one only has a type.
        let is_named = !matches!(ahead.text_ahead(1), "," | ")" | "[" | "(");
        let name = ahead.name().ok().filter(|_| is_named).unwrap_or_default();
        ahead.skip_until(|ahead| ahead.is("default") || ahead.is_symbol("=") || ahead.is_symbol(":="));
        let has_default = ahead.take("default") || ahead.take_symbol("=") || ahead.take_symbol(":=");
        let start = ahead.at;
        ahead.skip_until(|_| false);
        let default = if has_default { ahead.source(start, ahead.at) } else { "" };
        names.push((name, default.to_owned()));
        ahead.take_symbol(",");
    }
    names
}

/// MySQL: reads the rest of `CREATE FUNCTION` or `CREATE PROCEDURE`; the body is one block.
pub(crate) fn create_routine(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let _ = cursor.take("if not exists");
    let name = cursor.written()?;
    let parameters = parameters(cursor);
    while !cursor.done() && !cursor.is("begin") {
        cursor.skip();
    }
    let start = cursor.at;
    cursor.skip_all();
    let body = Some(cursor.source(start, cursor.at).to_owned()).filter(|body| !body.is_empty());
    let sql = cursor.text.to_owned();
    Ok(Change::CreateFunction(Box::new(CreateFunction { name, sql, body, parameters })))
}

/// Reads the rest of a `DROP` statement.
pub(crate) fn drop(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let is_temporary = cursor.take("temporary");
    let kinds = [
        ("foreign table", Dropped::Table),
        ("table", Dropped::Table),
        ("tables", Dropped::Table),
        ("materialized view", Dropped::MaterializedView),
        ("view", Dropped::View),
        ("index", Dropped::Index),
        ("type", Dropped::Type),
        ("domain", Dropped::Type),
        ("schema", Dropped::Schema),
        ("sequence", Dropped::Sequence),
        ("extension", Dropped::Extension),
        ("collation", Dropped::Collation),
        ("function", Dropped::Function),
        ("procedure", Dropped::Function),
        ("routine", Dropped::Function),
        ("aggregate", Dropped::Function),
    ];
    let mysql_database = cursor.dialect == Dialect::MySql && (cursor.is("schema") || cursor.is("database"));
    let Some((_, what)) = kinds.into_iter().find(|(words, _)| cursor.take(words)).filter(|_| !mysql_database)
    else {
        return other_drop(cursor);
    };
    let what = if is_temporary { Dropped::Temporary } else { what };
    let _ = cursor.take("concurrently");
    let if_exists = cursor.take("if exists");
    let mut names = Vec::new();
    loop {
        names.push(cursor.written()?);
        if what == Dropped::Function && cursor.is_symbol("(") {
            cursor.skip();
        }
        if !cursor.take_symbol(",") {
            break;
        }
    }
    let table = if cursor.take("on") { Some(cursor.written()?) } else { None };
    let cascade = cursor.take("cascade");
    let _ = cursor.take("restrict");
    // MySQL's `ALGORITHM = …`.
    if !cursor.done() && cursor.dialect != Dialect::MySql {
        return Err(cursor.error("the end of the statement"));
    }
    Ok(Change::Drop(Drop { what, names, if_exists, cascade, table }))
}

/// Kinds of objects outside the model.
fn other_drop(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    const KNOWN: &[&str] = &[
        "trigger",
        "event trigger",
        "rule",
        "policy",
        "role",
        "user",
        "group",
        "owned",
        "database",
        "schema",
        "cast",
        "conversion",
        "operator",
        "text search",
        "publication",
        "subscription",
        "server",
        "language",
        "foreign data wrapper",
        "access method",
        "statistics",
        "tablespace",
        "transform",
        "event",
        "prepare",
        "user mapping",
    ];
    if KNOWN.iter().any(|words| cursor.is(words)) {
        Ok(Change::Nothing)
    } else {
        Err(cursor.error("what to drop"))
    }
}

/// MySQL: reads the rest of a `RENAME` statement.
pub(crate) fn rename_tables(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    if cursor.is("user") {
        return Ok(Change::Nothing);
    }
    if cursor.take_any(&["table", "tables"]).is_none() {
        return Err(cursor.error("`TABLE`"));
    }
    let mut pairs: Vec<(Written, Written, Option<String>)> = Vec::new();
    loop {
        let _ = cursor.take("if exists");
        let from = cursor.written()?;
        cursor.expect("to")?;
        let to = cursor.written()?;
        pairs.push((from, to, cursor.spelling()));
        if !cursor.take_symbol(",") {
            break;
        }
    }
    Ok(Change::RenameTables(pairs))
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn a_word_in_brackets_begins_no_clause() {
        for view in ["{AS }SELECT 1", "[AS ]SELECT 1", "(AS )SELECT 1"] {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(&format!("CREATE VIEW v {view}"), "a.sql");
            assert_eq!(replay.problems.len(), 1, "{view}");
        }
    }
}
