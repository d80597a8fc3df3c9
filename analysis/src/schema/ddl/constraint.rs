//! Table constraints: keys, references, checks and exclusions.

use super::change::{ConstraintDef, IndexDef, Rule};
use super::column::{at_name, conflict_clause};
use super::cursor::{Cursor, Parsed};
use super::{expression, index};
use crate::schema::model::IndexKey;
use crate::sql::Dialect;
use crate::sql::quote::quote_if_needed;

/// Whether a table constraint comes next, rather than a column.
pub(crate) fn is_next(cursor: &Cursor<'_>) -> bool {
    let mysql = cursor.dialect == Dialect::MySql;
    ["constraint", "primary key", "foreign key"].iter().any(|words| cursor.is(words))
        || (cursor.is("unique") && (cursor.text_ahead(1) == "(" || mysql || cursor.is("unique nulls")))
        || (cursor.is("unique using"))
        || (cursor.is("check") && cursor.text_ahead(1) == "(")
        || (cursor.is("exclude") && (cursor.text_ahead(1) == "(" || cursor.is("exclude using")))
        || (mysql && ["key", "index", "fulltext", "spatial"].iter().any(|word| cursor.is(word)))
}

/// MariaDB: reads `PERIOD FOR SYSTEM_TIME (a, b)`: its name, and the columns that hold it.
pub(crate) fn period(cursor: &mut Cursor<'_>) -> Option<(String, Vec<String>)> {
    if cursor.dialect != Dialect::MySql || !cursor.take("period for") {
        return None;
    }
    let name = cursor.name().ok()?;
    let columns = if cursor.is_symbol("(") { cursor.names().ok()? } else { Vec::new() };
    Some((name, columns))
}

/// PostgreSQL 18: reads `NOT NULL v`, which is a constraint of the table without a name: the column, and whether the rows that
/// are there already may lack it.
pub(crate) fn not_null(cursor: &mut Cursor<'_>) -> Option<(String, bool)> {
    if cursor.dialect != Dialect::Postgres || !cursor.take("not null") {
        return None;
    }
    let column = cursor.name().ok()?;
    let _ = cursor.take("no inherit");
    Some((column, cursor.take("not valid")))
}

/// MariaDB: a key `v WITHOUT OVERLAPS` consists of the columns of the period, the end first.
pub(crate) fn without_overlaps(constraint: &mut ConstraintDef, periods: &[(String, Vec<String>)]) {
    let (Rule::PrimaryKey { keys, .. } | Rule::Unique { keys, .. }) = &mut constraint.rule else { return };
    let Some(last) = keys.pop_if(|key| key.opclass.as_deref() == Some(index::OVERLAPS)) else { return };
    let period = periods.iter().find(|(name, _)| last.as_column() == Some(name.as_str()));
    let columns = period.map(|(_, columns)| columns.as_slice()).unwrap_or_default();
    keys.extend(columns.iter().rev().map(IndexKey::column));
}

/// Reads a table constraint.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Parsed<ConstraintDef> {
    let mut name = None;
    if cursor.take("constraint") {
        // In MySQL the name may be omitted after CONSTRAINT.
        let unnamed = ["primary", "unique", "foreign", "check"].iter().any(|word| cursor.is(word))
            && cursor.dialect == Dialect::MySql;
        let _ = cursor.dialect == Dialect::MySql && cursor.take("if not exists");
        name = if unnamed { None } else { Some(cursor.name()?) };
    }
    let rule = if cursor.take("primary key") {
        if cursor.take("using index") {
            let index = cursor.name()?;
            return finish(cursor, name, Rule::UsingIndex { primary: true, index });
        }
        mysql_index_name(cursor)?;
        let keys = primary_keys(cursor)?;
        Rule::PrimaryKey { keys, include: include(cursor)? }
    } else if cursor.take("unique") {
        if cursor.take("using index") {
            let index = cursor.name()?;
            return finish(cursor, name, Rule::UsingIndex { primary: false, index });
        }
        // The index goes by its own name, whatever the constraint is called.
        name = mysql_index_name(cursor)?.or(name);
        let nulls_not_distinct = nulls_not_distinct(cursor);
        let keys = index::keys(cursor)?;
        let include = include(cursor)?;
        let hidden = index_options(cursor)?;
        Rule::Unique { keys, include, nulls_not_distinct, hidden }
    } else if cursor.take("foreign key") {
        let _ = cursor.dialect == Dialect::MySql && cursor.take("if not exists");
        let written = if cursor.is_symbol("(") { None } else { Some(cursor.name()?) };
        name = name.or(written);
        let columns = columns_of_key(cursor)?;
        let (rule, timing) = references(cursor, columns)?;
        return finish(cursor, name, rule).map(|it| ConstraintDef { timing: it.timing.or(timing), ..it });
    } else if cursor.take("check") {
        Rule::Check(check(cursor)?)
    } else if cursor.take("exclude") {
        exclude(cursor)?
    } else if cursor.take("not null") {
        // In PostgreSQL 18, NOT NULL constraints can be named.
        let column = cursor.name()?;
        let _ = cursor.take("no inherit");
        Rule::Check(format!("{} IS NOT NULL", quote_if_needed(&column, cursor.dialect)))
    } else if let Some(kind) = cursor.take_any(&["fulltext", "spatial", "key", "index"]) {
        Rule::Index(Box::new(mysql_key(cursor, kind)?))
    } else {
        return Err(cursor.error("a constraint"));
    };
    finish(cursor, name, rule)
}

/// The keys of a PRIMARY KEY; SQLite allows `AUTOINCREMENT` among them.
fn primary_keys(cursor: &mut Cursor<'_>) -> Parsed<Vec<IndexKey>> {
    let lone = cursor.dialect == Dialect::Sqlite && cursor.is_word(2, "autoincrement");
    if !lone {
        let mut keys = index::keys(cursor)?;
        // Only behind a column does DESC make a key of its own of an INTEGER, which is else the rowid.
        if let ([only], Dialect::Sqlite) = (keys.as_mut_slice(), cursor.dialect) {
            only.desc = false;
        }
        return Ok(keys);
    }
    cursor.list(|cursor| {
        let key = IndexKey::column(cursor.name()?);
        let _ = cursor.take("autoincrement");
        Ok(key)
    })
}

fn finish(cursor: &mut Cursor<'_>, name: Option<String>, rule: Rule) -> Parsed<ConstraintDef> {
    conflict_clause(cursor);
    index_options(cursor)?;
    let mut timing = None;
    while deferrable(cursor, &mut timing) {}
    Ok(ConstraintDef { name, rule, timing })
}

/// MySQL's `KEY` or `INDEX`, the index's name and `USING BTREE`.
fn mysql_index_name(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if cursor.dialect != Dialect::MySql {
        return Ok(None);
    }
    let _ = cursor.take_any(&["key", "index"]);
    let _ = cursor.take("if not exists");
    let name = if at_name(cursor) && !cursor.is("using") { Some(cursor.name()?) } else { None };
    if cursor.take("using") {
        cursor.skip();
    }
    Ok(name)
}

fn mysql_key(cursor: &mut Cursor<'_>, kind: &str) -> Parsed<IndexDef> {
    if matches!(kind, "fulltext" | "spatial") {
        let _ = cursor.take_any(&["key", "index"]);
    }
    let _ = cursor.take("if not exists");
    let mut method = if matches!(kind, "key" | "index") { "btree".to_owned() } else { kind.to_owned() };
    let name = if at_name(cursor) && !cursor.is("using") { Some(cursor.name()?) } else { None };
    if cursor.take("using") {
        method = cursor.name()?;
    }
    let keys = index::keys(cursor)?;
    if cursor.take("using") {
        method = cursor.name()?;
    }
    let hidden = index_options(cursor)?;
    Ok(IndexDef { name, method, keys, hidden, ..IndexDef::default() })
}

fn exclude(cursor: &mut Cursor<'_>) -> Parsed<Rule> {
    // Without `USING` the method is `btree`.
    let method = if cursor.take("using") { cursor.name()? } else { "btree".to_owned() };
    let mut operators = Vec::new();
    let keys = cursor.list(|cursor| {
        let key = index::key(cursor, &method)?;
        cursor.expect("with")?;
        operators.push(if cursor.take("operator") { operator_name(cursor) } else { symbol(cursor) });
        Ok(key)
    })?;
    let include = include(cursor)?;
    index_options(cursor)?;
    let predicate = if cursor.take("where") { Some(in_parentheses(cursor)?) } else { None };
    let index = IndexDef { method, keys, include, predicate, ..IndexDef::default() };
    Ok(Rule::Exclude { index: Box::new(index), operators })
}

/// `OPERATOR(pg_catalog.=)`.
fn operator_name(cursor: &mut Cursor<'_>) -> String {
    let start = cursor.at;
    cursor.skip();
    let written = cursor.source(start, cursor.at);
    let inner = written.trim_start_matches('(').trim_end_matches(')');
    inner.rsplit('.').next().unwrap_or(inner).trim().to_owned()
}

fn symbol(cursor: &mut Cursor<'_>) -> String {
    let symbol = cursor.now().to_owned();
    cursor.at += 1;
    symbol
}

/// Reads the parenthesised condition of CHECK.
pub(crate) fn check(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let condition = in_parentheses(cursor)?;
    let _ = cursor.take_any(&["not enforced", "enforced"]);
    Ok(condition)
}

/// Reads an expression in parentheses.
pub(crate) fn in_parentheses(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if !cursor.is_symbol("(") {
        return Err(cursor.error("`(`"));
    }
    let start = cursor.at;
    cursor.skip();
    Ok(expression::render(cursor.text, cursor.tokens(start, cursor.at), cursor.dialect))
}

/// Reads the columns of a foreign key, the last of which may be a `PERIOD`.
fn columns_of_key(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.list(|cursor| {
        let is_period = cursor.is("period") && cursor.text_ahead(1) != "," && cursor.text_ahead(1) != ")";
        cursor.at += usize::from(is_period);
        cursor.name()
    })
}

/// Reads `REFERENCES …`, including when it is checked.
pub(crate) fn references(cursor: &mut Cursor<'_>, columns: Vec<String>) -> Parsed<(Rule, Option<String>)> {
    cursor.expect("references")?;
    let table = cursor.written()?;
    let references = if cursor.is_symbol("(") { columns_of_key(cursor)? } else { Vec::new() };
    let (mut on_delete, mut on_update, mut timing, mut full) = (None, None, None, false);
    loop {
        if cursor.take("on delete") {
            on_delete = action(cursor);
        } else if cursor.is("on update") && !cursor.is("on update current_timestamp") {
            cursor.at += 2;
            on_update = action(cursor);
        } else if cursor.take("match") {
            full = cursor.is("full");
            cursor.skip();
        } else if !deferrable(cursor, &mut timing) {
            break;
        }
    }
    Ok((Rule::ForeignKey { columns, table, references, on_delete, on_update, full }, timing))
}

fn action(cursor: &mut Cursor<'_>) -> Option<String> {
    let taken = cursor.take_any(&["no action", "restrict", "cascade", "set null", "set default"]);
    let mut action = taken.filter(|action| *action != "no action")?.to_uppercase();
    // `SET NULL (a)`: the columns that are set.
    if action.starts_with("SET") && cursor.is_symbol("(") {
        let start = cursor.at;
        cursor.skip();
        action = format!("{action} {}", cursor.joined(start, cursor.at));
    }
    Some(action)
}

/// Tables that inherit do not get the constraint.
pub(crate) const NO_INHERIT: &str = "NO INHERIT";

/// Rows that existed before may violate the constraint.
pub(crate) const NOT_VALID: &str = "NOT VALID";

/// Reads a clause on when and for which rows a constraint is checked, and records anything but the default.
pub(crate) fn deferrable(cursor: &mut Cursor<'_>, timing: &mut Option<String>) -> bool {
    let parts = [
        "not deferrable",
        "deferrable",
        "initially deferred",
        "initially immediate",
        "no inherit",
        "not valid",
        "not enforced",
        "enforced",
    ];
    let Some(part) = cursor.take_any(&parts) else { return false };
    let said = timing.take().unwrap_or_default();
    let (mut when, mut valid) = match said.strip_suffix(NOT_VALID) {
        Some(when) => (when.trim_end(), NOT_VALID),
        None => (said.as_str(), ""),
    };
    match part {
        "not valid" => valid = NOT_VALID,
        "no inherit" => when = NO_INHERIT,
        "deferrable" if when.is_empty() => when = "DEFERRABLE",
        "initially deferred" => when = "DEFERRABLE INITIALLY DEFERRED",
        _ => {}
    }
    *timing = Some(format!("{when} {valid}").trim().to_owned()).filter(|timing| !timing.is_empty());
    true
}

/// Reads `NULLS [NOT] DISTINCT`.
pub(crate) fn nulls_not_distinct(cursor: &mut Cursor<'_>) -> bool {
    if cursor.take("nulls distinct") {
        return false;
    }
    cursor.take("nulls not distinct")
}

/// Reads `INCLUDE (…)`.
pub(crate) fn include(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    if cursor.take("include") { cursor.names() } else { Ok(Vec::new()) }
}

/// Skips storage parameters, the tablespace and MySQL's index options; returns whether they hide the index
/// from queries.
pub(crate) fn index_options(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    let mut hidden = false;
    loop {
        if cursor.is("with") && cursor.text_ahead(1) == "(" {
            cursor.at += 1;
            cursor.skip();
        } else if cursor.take("using index tablespace") || cursor.take("tablespace") {
            cursor.name()?;
        } else if cursor.dialect == Dialect::MySql
            && cursor
                .take_any(&["using", "comment", "key_block_size", "with parser", "lock", "algorithm"])
                .is_some()
        {
            let _ = cursor.take_symbol("=");
            cursor.skip();
        } else if cursor.dialect == Dialect::MySql
            && let Some(is_hidden) = visibility(cursor)
        {
            hidden = is_hidden;
        } else {
            return Ok(hidden);
        }
    }
}

/// The visibility keywords of MySQL and MariaDB: `true` if they hide the index from queries.
pub(crate) fn visibility(cursor: &mut Cursor<'_>) -> Option<bool> {
    let word = cursor.take_any(&["visible", "invisible", "not ignored", "ignored"])?;
    Some(matches!(word, "invisible" | "ignored"))
}

#[cfg(test)]
mod tests {
    use crate::schema::{Name, Replay};
    use crate::sql::Dialect;

    #[test]
    fn a_table_says_which_columns_are_not_null() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE t (NOT NULL a, a int, b int, NOT NULL b NO INHERIT, c int, d int, \"not\" int);
             ALTER TABLE t ADD NOT NULL c, ADD NOT NULL d NOT VALID;",
            "",
        );
        assert_eq!(replay.problems, []);
        let columns = &replay.schema.tables[&Name::new("t")].columns;
        let found: Vec<_> = columns.iter().map(|it| (it.name.as_str(), it.not_null)).collect();
        assert_eq!(found, [("a", true), ("b", true), ("c", true), ("d", false), ("not", false)]);
    }
}
