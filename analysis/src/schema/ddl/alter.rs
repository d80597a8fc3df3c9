//! `ALTER TABLE` and similar statements: actions on a relation, in order.

use super::actions::{Action, Position};
use super::change::{Change, ColumnDef, Written};
use super::cursor::{Cursor, Parsed};
use super::options::{self, Charset};
use super::{column, constraint, identity, table, types};
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;

/// Reads the rest of `ALTER TABLE`, `ALTER VIEW`, `ALTER INDEX`, `ALTER SEQUENCE` and similar statements.
pub(crate) fn relation(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let if_exists = cursor.take("if exists");
    let only = cursor.take("only");
    // `ALL IN TABLESPACE` only moves storage.
    if cursor.is("all in tablespace") {
        cursor.skip_all();
        return Ok(Change::Nothing);
    }
    let name = cursor.written()?;
    let _ = cursor.take_symbol("*");
    if cursor.dialect == Dialect::MySql && !cursor.take("nowait") && cursor.take("wait") {
        cursor.skip();
    }
    let mut actions = Vec::new();
    loop {
        read_action(cursor, &mut actions)?;
        if !cursor.take_symbol(",") {
            break;
        }
    }
    if !cursor.done() {
        return Err(cursor.error("`,` or the end of the statement"));
    }
    Ok(Change::Alter { name, if_exists, only, actions })
}

fn read_action(cursor: &mut Cursor<'_>, actions: &mut Vec<Action>) -> Parsed<()> {
    if cursor.take("add") {
        add(cursor, actions)
    } else if cursor.take("drop") {
        drop(cursor, actions)
    } else if cursor.take("rename") {
        rename(cursor, actions)
    } else if cursor.take("alter") {
        alter(cursor, actions)
    } else if cursor.dialect == Dialect::MySql && cursor.take("modify") {
        let _ = cursor.take("column");
        let if_exists = cursor.take("if exists");
        let column = column::parse(cursor)?;
        let from = column.column.name.clone();
        change(cursor, actions, from, column, if_exists)
    } else if cursor.dialect == Dialect::MySql && cursor.take("change") {
        let _ = cursor.take("column");
        let if_exists = cursor.take("if exists");
        let from = cursor.name()?;
        let column = column::parse(cursor)?;
        change(cursor, actions, from, column, if_exists)
    } else if cursor.take("set schema") {
        actions.push(Action::SetSchema(cursor.name()?));
        Ok(())
    } else if cursor.take("attach partition") {
        let partition = cursor.written()?;
        let bound = if cursor.done() { None } else { Some(table::bound(cursor)?) };
        actions.push(Action::Attach { partition, bound });
        Ok(())
    } else if cursor.take("detach partition") {
        actions.push(Action::Detach(cursor.written()?));
        let _ = cursor.take_any(&["concurrently", "finalize"]);
        Ok(())
    } else if cursor.take("inherit") {
        actions.push(Action::Inherit { parent: cursor.written()?, inherit: true });
        Ok(())
    } else if cursor.take("no inherit") {
        actions.push(Action::Inherit { parent: cursor.written()?, inherit: false });
        Ok(())
    } else if cursor.take("owned by") {
        let column = cursor.written()?;
        // `schema.table.column`: the last part is the column.
        let table = column.schema.map(Written::new);
        actions.push(Action::OwnedBy(table));
        Ok(())
    } else if cursor.dialect == Dialect::Postgres && cursor.take("validate constraint") {
        actions.push(Action::Validate(cursor.name()?));
        Ok(())
    } else if let Some(word) = cursor.take_any(&["set logged", "set unlogged"]) {
        actions.push(Action::SetLogged(word == "set logged"));
        Ok(())
    } else if (cursor.is("set") || cursor.is("reset")) && cursor.text_ahead(1) == "(" {
        let sets = cursor.is("set");
        cursor.at += 1;
        let parameters = options::storage(cursor);
        actions.push(if sets {
            Action::SetStorage(parameters)
        } else {
            Action::ResetStorage(parameters.into_keys().collect())
        });
        Ok(())
    } else {
        let start = cursor.at;
        let options =
            if cursor.dialect == Dialect::Postgres { identity::options(cursor) } else { Vec::new() };
        if cursor.at > start {
            actions.push(Action::SetSequence(options));
            // They are not separated by commas.
            return if cursor.done() { Ok(()) } else { read_action(cursor, actions) };
        }
        let convert = cursor.dialect == Dialect::MySql && cursor.take("convert to");
        let mut charset = Charset::default();
        while options::charset(cursor, &mut charset) {}
        if charset != Charset::default() {
            actions.push(Action::SetCharset { charset, convert });
            return Ok(());
        }
        storage(cursor, actions)
    }
}

/// The first words of actions that do not affect the model.
const WITHOUT_EFFECT: &[&str] = &[
    "set",
    "reset",
    "owner",
    "cluster",
    "enable",
    "disable",
    "force",
    "no force",
    "validate",
    "replica",
    "of",
    "not of",
    "without cluster",
    "without oids",
    "depends on",
    "no depends on",
    "comment",
    "engine",
    "algorithm",
    "lock",
    "auto_increment",
    "default",
    "charset",
    "character",
    "convert",
    "collate",
    "row_format",
    "order by",
    "increment",
    "minvalue",
    "maxvalue",
    "no minvalue",
    "no maxvalue",
    "start",
    "restart",
    "cache",
    "cycle",
    "no cycle",
    "owned",
    "as",
    "discard",
    "import",
    "checksum",
    "avg_row_length",
    "key_block_size",
    "stats_persistent",
    "stats_auto_recalc",
    "stats_sample_pages",
    "encryption",
    "encrypted",
    "encryption_key_id",
    "compression",
    "page_compressed",
    "page_compression_level",
    "page_checksum",
    "tablespace",
    "secondary_engine",
    "secondary_load",
    "secondary_unload",
    "secondary_engine_attribute",
    "engine_attribute",
    "autoextend_size",
    "max_rows",
    "min_rows",
    "delay_key_write",
    "transactional",
    "data directory",
    "index directory",
    "exchange partition",
    "pack_keys",
    "truncate partition",
    "reorganize partition",
    "coalesce partition",
    "analyze partition",
    "optimize partition",
    "rebuild partition",
    "check partition",
    "remove partitioning",
    "partition by",
];

/// Reads an action that does not affect the model, by its first word.
fn storage(cursor: &mut Cursor<'_>, actions: &mut Vec<Action>) -> Parsed<()> {
    if !WITHOUT_EFFECT.iter().any(|words| cursor.is(words)) {
        return Err(cursor.error("an action of ALTER"));
    }
    // The options of a sequence are not separated by commas.
    cursor.skip_until(|cursor| cursor.is("owned by"));
    if cursor.is("owned by") {
        return read_action(cursor, actions);
    }
    if cursor.is_symbol(")") {
        return Err(cursor.error("an action of ALTER"));
    }
    Ok(())
}

fn add(cursor: &mut Cursor<'_>, actions: &mut Vec<Action>) -> Parsed<()> {
    if cursor.dialect == Dialect::MySql && cursor.take("system versioning") {
        actions.push(Action::Version(true));
        return Ok(());
    }
    if constraint::period(cursor).is_some() {
        return Ok(());
    }
    if let Some((column, is_open)) = constraint::not_null(cursor) {
        actions.extend((!is_open).then_some(Action::SetNotNull { column, not_null: true }));
        return Ok(());
    }
    if constraint::is_next(cursor) && !is_column_called_like_a_constraint(cursor) {
        actions.push(Action::AddConstraint(constraint::parse(cursor)?));
        return Ok(());
    }
    if cursor.dialect == Dialect::MySql && cursor.take("partition") {
        cursor.skip_until(|_| false);
        return Ok(());
    }
    let _ = cursor.take("column");
    let if_not_exists = cursor.take("if not exists");
    if cursor.dialect == Dialect::MySql && cursor.is_symbol("(") {
        let added = cursor.list(|cursor| {
            if constraint::is_next(cursor) && !is_column_called_like_a_constraint(cursor) {
                return Ok(Action::AddConstraint(constraint::parse(cursor)?));
            }
            let column = Box::new(column::parse(cursor)?);
            Ok(Action::AddColumn { column, if_not_exists, position: Position::Unchanged })
        })?;
        actions.extend(added);
        return Ok(());
    }
    let column = Box::new(column::parse(cursor)?);
    let position = position(cursor)?;
    actions.push(Action::AddColumn { column, if_not_exists, position });
    Ok(())
}

/// Whether `COLUMN` was omitted after `ADD`, and the column's name looks like the start of a constraint,
/// which only quotes permit.
fn is_column_called_like_a_constraint(cursor: &Cursor<'_>) -> bool {
    cursor.ahead(0).is_some_and(|token| token.kind == TokenKind::Name)
}

fn position(cursor: &mut Cursor<'_>) -> Parsed<Position> {
    if cursor.take("first") {
        Ok(Position::First)
    } else if cursor.take("after") {
        Ok(Position::After(cursor.name()?))
    } else {
        Ok(Position::Unchanged)
    }
}

fn change(
    cursor: &mut Cursor<'_>,
    actions: &mut Vec<Action>,
    from: String,
    column: ColumnDef,
    if_exists: bool,
) -> Parsed<()> {
    let position = position(cursor)?;
    actions.push(Action::ChangeColumn { from, column: Box::new(column), if_exists, position });
    Ok(())
}

fn cascade(cursor: &mut Cursor<'_>) -> bool {
    let cascade = cursor.take("cascade");
    let _ = cursor.take("restrict");
    cascade
}

fn drop(cursor: &mut Cursor<'_>, actions: &mut Vec<Action>) -> Parsed<()> {
    let mysql = cursor.dialect == Dialect::MySql;
    if mysql && cursor.take("system versioning") {
        actions.push(Action::Version(false));
    } else if constraint::period(cursor).is_some() {
    } else if mysql && cursor.take("primary key") {
        actions.push(Action::DropPrimaryKey);
    } else if mysql && (cursor.take("index") || cursor.take("key")) {
        let if_exists = cursor.take("if exists");
        let name = cursor.name()?;
        actions.push(match is_primary(&name) {
            true => Action::DropPrimaryKey,
            false => Action::DropIndex { name, if_exists },
        });
    } else if cursor.take("constraint") || (mysql && (cursor.take("foreign key") || cursor.take("check"))) {
        let if_exists = cursor.take("if exists");
        let name = cursor.name()?;
        let cascade = cascade(cursor);
        actions.push(match mysql && is_primary(&name) {
            true => Action::DropPrimaryKey,
            false => Action::DropConstraint { name, if_exists, cascade },
        });
    } else if mysql && cursor.take("partition") {
        cursor.skip_until(|_| false);
    } else {
        let _ = cursor.take("column");
        let if_exists = cursor.take("if exists");
        let column = cursor.name()?;
        let cascade = cascade(cursor);
        actions.push(Action::DropColumn { column, if_exists, cascade });
    }
    Ok(())
}

/// Whether MySQL calls the index of the primary key so.
pub(super) fn is_primary(index: &str) -> bool {
    index.eq_ignore_ascii_case("primary")
}

fn rename(cursor: &mut Cursor<'_>, actions: &mut Vec<Action>) -> Parsed<()> {
    let mysql = cursor.dialect == Dialect::MySql;
    if cursor.take("to") || (mysql && cursor.take("as")) {
        let to = cursor.written()?;
        actions.push(Action::Rename { to, spelling: cursor.spelling() });
    } else if cursor.take("constraint") {
        let (from, to) = pair(cursor)?;
        actions.push(Action::RenameConstraint { from, to });
    } else if mysql && (cursor.take("index") || cursor.take("key")) {
        let (from, to) = pair(cursor)?;
        actions.push(Action::RenameIndex { from, to });
    } else {
        // A column may be called `column`, and in MySQL `RENAME name` renames the table.
        if !cursor.is("column to") {
            let _ = cursor.take("column");
        }
        let if_exists = cursor.take("if exists");
        let from = cursor.name()?;
        if mysql && !cursor.is("to") {
            actions.push(Action::Rename { to: Written::new(from), spelling: cursor.spelling() });
            return Ok(());
        }
        cursor.expect("to")?;
        let to = cursor.name()?;
        actions.push(Action::RenameColumn { from, to, spelling: cursor.spelling(), if_exists });
    }
    Ok(())
}

fn pair(cursor: &mut Cursor<'_>) -> Parsed<(String, String)> {
    let from = cursor.name()?;
    cursor.expect("to")?;
    Ok((from, cursor.name()?))
}

fn alter(cursor: &mut Cursor<'_>, actions: &mut Vec<Action>) -> Parsed<()> {
    if cursor.dialect == Dialect::MySql && (cursor.take("index") || cursor.take("key")) {
        let _ = cursor.take("if exists");
        let name = cursor.name()?;
        let hidden = constraint::visibility(cursor);
        actions.extend(hidden.map(|hidden| Action::SetHidden { name, hidden }));
        return Ok(());
    }
    if cursor.dialect == Dialect::Postgres && cursor.take("constraint") {
        let name = cursor.name()?;
        let (start, mut timing) = (cursor.at, None);
        while constraint::deferrable(cursor, &mut timing) {}
        let is_about_time = cursor.done() || cursor.is_symbol(",");
        let said = cursor.source(start, cursor.at).to_ascii_lowercase();
        if is_about_time && !said.contains("enforced") {
            actions.push(Action::SetTiming { name, timing });
        }
        cursor.skip_until(|_| false);
        return Ok(());
    }
    if cursor.is("constraint") || (cursor.dialect == Dialect::MySql && cursor.is("check")) {
        // Visibility, enforcement.
        cursor.skip_until(|_| false);
        return Ok(());
    }
    let _ = cursor.take("column");
    // A key of an index, by its number, has statistics alone.
    if cursor.dialect == Dialect::Postgres
        && cursor.ahead(0).is_some_and(|token| token.kind == TokenKind::Number)
    {
        cursor.skip_until(|_| false);
        return Ok(());
    }
    let if_exists = cursor.dialect == Dialect::MySql && cursor.take("if exists");
    let column = cursor.name()?;
    if cursor.take("set data type") || cursor.take("type") {
        let ty = types::parse(cursor)?;
        let collation = if cursor.take("collate") { Some(cursor.written()?.name) } else { None };
        if cursor.take("using") {
            cursor.skip_until(|_| false);
        }
        actions.push(Action::SetType { column, ty, collation });
    } else if cursor.take("set not null") {
        actions.push(Action::SetNotNull { column, not_null: true });
    } else if cursor.take("drop not null") {
        actions.push(Action::SetNotNull { column, not_null: false });
    } else if cursor.take("set default") {
        let default = column::default(cursor)?;
        actions.push(Action::SetDefault { column, default, if_exists });
    } else if cursor.take("drop default") {
        actions.push(Action::SetDefault { column, default: None, if_exists });
    } else if cursor.take("add generated") {
        let always = cursor.take("always");
        if !always {
            cursor.expect("by default")?;
        }
        cursor.expect("as identity")?;
        let numbering = column::numbering(cursor);
        actions.push(Action::SetIdentity { column, identity: true, always, numbering: Some(numbering) });
    } else if cursor.take("drop identity") {
        let _ = cursor.take("if exists");
        actions.push(Action::SetIdentity { column, identity: false, always: false, numbering: Some(None) });
    } else if let Some((always, options)) = identity::changes(cursor) {
        actions.push(Action::ChangeIdentity { column, always, options });
    } else if cursor.take("drop expression") {
        let _ = cursor.take("if exists");
        actions.push(Action::DropExpression { column });
    } else if cursor.take("set expression as") {
        let expression = constraint::in_parentheses(cursor)?;
        actions.push(Action::SetExpression { column, expression });
    } else if cursor.is("set") || cursor.is("reset") {
        // Statistics, storage, compression.
        cursor.skip_until(|_| false);
    } else {
        return Err(cursor.error("a change of the column"));
    }
    Ok(())
}
