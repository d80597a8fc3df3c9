//! A column of `CREATE TABLE` or `ADD COLUMN`, with its inline options.

use super::change::{ColumnDef, ConstraintDef, Rule, TypeRef};
use super::constraint;
use super::cursor::{Cursor, Parsed};
use super::{expression, types};
use crate::schema::model::{Column, IndexKey};
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;

/// Words that end a default, because they start the next part of the column.
const PARTS: &[&str] = &[
    "constraint",
    "not null",
    "null",
    "primary key",
    "unique",
    "check",
    "references",
    "generated",
    "collate",
    "comment",
    "auto_increment",
    "on update",
    "default",
    "deferrable",
    "not deferrable",
    "initially",
    "storage",
    "key",
    "invisible",
    "visible",
    "first",
    "after",
];

/// Reads a column, starting with its name.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Parsed<ColumnDef> {
    let name = cursor.name()?;
    let spelling = cursor.spelling();
    // SQLite does not require a type, and a virtual or copied column may have none.
    let typeless = cursor.done() || cursor.is_symbol(",") || cursor.is_symbol(")");
    let generated = cursor.is("generated always as (") || cursor.is("as (");
    // MySQL: NCHAR and NVARCHAR have a character set of their own.
    let is_national = cursor.dialect == Dialect::MySql
        && ["national", "nchar", "nvarchar"].iter().any(|word| cursor.is(word));
    let ty = if typeless || generated { TypeRef::default() } else { types::parse(cursor)? };
    let mut definition = parts(cursor, name, ty)?;
    definition.column.spelling = spelling;
    if is_national && definition.column.charset.is_none() && definition.column.collation.is_none() {
        definition.column.charset = Some("utf8mb3".to_owned());
    }
    Ok(definition)
}

/// Reads what follows a column's name and type.
pub(crate) fn parts(cursor: &mut Cursor<'_>, name: String, ty: TypeRef) -> Parsed<ColumnDef> {
    let mut column = Column::new(name, String::new());
    let (mut null, mut is_bytewise) = (false, false);
    let mut constraints: Vec<ConstraintDef> = Vec::new();
    if ty.serial && cursor.dialect == Dialect::MySql {
        column.not_null = true;
        column.identity = true;
        constraints.push(on_column(None, &column.name, false));
    }
    // In MySQL the position comes last, and belongs to the enclosing statement.
    let placed =
        |cursor: &Cursor<'_>| cursor.dialect == Dialect::MySql && (cursor.is("first") || cursor.is("after"));
    while !cursor.done() && !cursor.is_symbol(",") && !cursor.is_symbol(")") && !placed(cursor) {
        let constraint = if cursor.take("constraint") { Some(cursor.name()?) } else { None };
        let mut timing = constraints.last().and_then(|last: &ConstraintDef| last.timing.clone());
        if cursor.take("not null") {
            column.not_null = true;
            conflict_clause(cursor);
            let _ = cursor.take("no inherit");
        } else if cursor.take("null") {
            null = true;
        } else if cursor.take("default") {
            column.default = default(cursor)?;
        } else if cursor.is("primary key") || (cursor.dialect == Dialect::MySql && cursor.is("key")) {
            constraints.push(primary_key(cursor, constraint, &column.name)?);
        } else if cursor.take("unique") {
            constraints.push(unique(cursor, constraint, &column.name)?);
        } else if cursor.take("check") {
            let condition = constraint::check(cursor)?;
            constraints.push(ConstraintDef { name: constraint, rule: Rule::Check(condition), timing: None });
        } else if cursor.is("references") {
            let columns = vec![column.name.clone()];
            let (rule, timing) = constraint::references(cursor, columns)?;
            constraints.push(ConstraintDef { name: constraint, rule, timing });
        } else if cursor.take("collate") {
            column.collation = Some(cursor.written()?.name);
        } else if cursor.dialect == Dialect::MySql && cursor.take_any(&["character set", "charset"]).is_some()
        {
            column.charset = Some(cursor.name()?);
        } else if cursor.dialect == Dialect::MySql && cursor.take("binary") {
            // The collation by bytes of its character set.
            is_bytewise = true;
        } else if cursor.dialect == Dialect::MySql && cursor.take("invisible") {
            column.invisible = true;
        } else if cursor.take("on update") {
            let update = on_update(cursor);
            let default = column.default.as_deref().unwrap_or("NULL");
            column.default = Some(format!("{default} ON UPDATE {update}"));
        } else if cursor.take("autoincrement") || cursor.take("auto_increment") {
            // SQLite has it only behind PRIMARY KEY.
            let is_key = |constraint: &ConstraintDef| matches!(constraint.rule, Rule::PrimaryKey { .. });
            column.identity = cursor.dialect != Dialect::Sqlite || constraints.iter().any(is_key);
            // What PostgreSQL calls an identity is never NULL.
            column.not_null |= cursor.dialect == Dialect::Postgres;
        } else if cursor.is("generated") || cursor.is("as") {
            generated(cursor, &mut column)?;
        } else if constraint::deferrable(cursor, &mut timing) {
            if let Some(last) = constraints.last_mut() {
                last.timing.clone_from(&timing);
            }
        } else if !skip_part(cursor)? {
            return Err(cursor.error("a part of a column"));
        }
    }
    if is_bytewise {
        let charset = column.charset.as_deref().unwrap_or("utf8mb4");
        column.collation = Some(format!("{charset}_bin"));
    }
    Ok(ColumnDef { column, ty, null, constraints })
}

/// Reads an inline PRIMARY KEY, all of it.
fn primary_key(cursor: &mut Cursor<'_>, name: Option<String>, column: &str) -> Parsed<ConstraintDef> {
    let _ = cursor.take("primary");
    let _ = cursor.take("key");
    let desc = cursor.take("desc");
    let _ = cursor.take("asc");
    conflict_clause(cursor);
    constraint::index_options(cursor)?;
    let mut definition = on_column(name, column, true);
    if let Rule::PrimaryKey { keys, .. } = &mut definition.rule
        && let Some(key) = keys.first_mut()
    {
        key.desc = desc;
    }
    Ok(definition)
}

/// Reads what follows an inline UNIQUE.
fn unique(cursor: &mut Cursor<'_>, name: Option<String>, column: &str) -> Parsed<ConstraintDef> {
    let _ = cursor.dialect == Dialect::MySql && cursor.take("key");
    let nulls_not_distinct = constraint::nulls_not_distinct(cursor);
    conflict_clause(cursor);
    constraint::index_options(cursor)?;
    let mut definition = on_column(name, column, false);
    if let Rule::Unique { nulls_not_distinct: flag, .. } = &mut definition.rule {
        *flag = nulls_not_distinct;
    }
    Ok(definition)
}

/// An inline PRIMARY KEY or UNIQUE.
fn on_column(name: Option<String>, column: &str, primary: bool) -> ConstraintDef {
    let keys = vec![IndexKey::column(column)];
    let include = Vec::new();
    let rule = if primary {
        Rule::PrimaryKey { keys, include }
    } else {
        Rule::Unique { keys, include, nulls_not_distinct: false, hidden: false }
    };
    ConstraintDef { name, rule, timing: None }
}

/// Reads the expression after `DEFAULT`; `None` for `NULL`, which only SQLite keeps.
pub(crate) fn default(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    let start = cursor.at;
    if cursor.done() || cursor.is_symbol(",") || cursor.is_symbol(")") {
        return Err(cursor.error("an expression"));
    }
    if cursor.dialect == Dialect::Sqlite {
        // A default is one literal, possibly with a sign, or is in parentheses.
        let _ = cursor.take_symbol("-") || cursor.take_symbol("+");
        cursor.skip();
    } else {
        cursor.skip();
        cursor.skip_until(|cursor| PARTS.iter().any(|part| cursor.is(part)));
    }
    let is_null = cursor.source(start, cursor.at).eq_ignore_ascii_case("null");
    let text = expression::render(cursor.text, cursor.tokens(start, cursor.at), cursor.dialect);
    Ok((!is_null || cursor.dialect == Dialect::Sqlite).then_some(text))
}

/// MySQL: reads the expression after `ON UPDATE`: `CURRENT_TIMESTAMP(6)` in any spelling.
fn on_update(cursor: &mut Cursor<'_>) -> String {
    cursor.skip();
    let start = cursor.at;
    if cursor.is_symbol("(") {
        cursor.skip();
    }
    let precision = cursor.source(start, cursor.at);
    format!("CURRENT_TIMESTAMP{}", if precision == "()" { "" } else { precision })
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) -> Parsed<()> {
    let mut always = true;
    if cursor.take("generated") {
        always = cursor.take("always");
        if !always {
            cursor.expect("by default")?;
            let _ = cursor.take("on null");
        }
    }
    cursor.expect("as")?;
    if cursor.take("identity") {
        column.identity = true;
        column.identity_always = always;
        column.not_null = true;
        column.numbering = numbering(cursor);
        return Ok(());
    }
    if cursor.dialect == Dialect::MySql
        && let Some(bound) = cursor.take_any(&["row start", "row end"])
    {
        column.generated = Some(bound.to_uppercase());
        column.stored = true;
        return Ok(());
    }
    column.generated = Some(constraint::in_parentheses(cursor)?);
    column.stored = cursor.take_any(&["stored", "persistent"]).is_some();
    let _ = cursor.take("virtual");
    Ok(())
}

/// Reads the options of an identity's sequence, in parentheses.
pub(crate) fn numbering(cursor: &mut Cursor<'_>) -> Option<String> {
    if !cursor.is_symbol("(") {
        return None;
    }
    let start = cursor.at;
    cursor.skip();
    let options = cursor.joined(start, cursor.at);
    let inner = options.strip_prefix('(').and_then(|options| options.strip_suffix(')')).unwrap_or(&options);
    Some(inner.trim().to_owned()).filter(|options| !options.is_empty())
}

/// SQLite's `ON CONFLICT …`.
pub(crate) fn conflict_clause(cursor: &mut Cursor<'_>) {
    if cursor.take("on conflict") {
        cursor.skip();
    }
}

/// Skips a part that does not affect the model.
fn skip_part(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    let with_value = [
        "comment",
        "storage",
        "compression",
        "character set",
        "charset",
        "column_format",
        "srid",
        "engine_attribute",
    ];
    if cursor.take_any(&with_value).is_some() {
        cursor.skip();
        return Ok(true);
    }
    if cursor.is("options") || cursor.is("with options") {
        let _ = cursor.take("with");
        cursor.at += 1;
        if cursor.is_symbol("(") {
            cursor.skip();
        }
        return Ok(true);
    }
    let alone = [
        "invisible",
        "visible",
        "compressed",
        "ascii",
        "unicode",
        "without system versioning",
        "with system versioning",
    ];
    Ok(cursor.take_any(&alone).is_some())
}

/// Whether a name comes next, rather than the end of the element.
pub(crate) fn at_name(cursor: &Cursor<'_>) -> bool {
    cursor.ahead(0).is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Name))
}
