//! `CREATE TABLE` in all its forms.

use super::change::{Change, ConstraintDef, CreateTable, Element, Including, Rule};
use super::cursor::{Cursor, Parsed};
use super::options::{charset, engine, storage};
use super::{column, constraint, expression, object};
use crate::schema::model::Column;
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;

/// Reads the rest of `CREATE TABLE`.
pub(crate) fn create(cursor: &mut Cursor<'_>, temporary: bool, or_replace: bool) -> Parsed<Change> {
    let mut table = CreateTable { temporary, or_replace, ..CreateTable::default() };
    table.if_not_exists = cursor.take("if not exists");
    table.name = cursor.written()?;
    table.spelling = cursor.spelling();
    if cursor.take("partition of") {
        let parent = cursor.written()?;
        if cursor.is_symbol("(") {
            elements(cursor, &mut table)?;
        }
        table.partition_of = Some((parent, bound(cursor)?));
    } else if cursor.take("of") {
        table.of_type = Some(cursor.written()?);
        if cursor.is_symbol("(") {
            elements(cursor, &mut table)?;
        }
    } else if cursor.take("like") {
        let like = Element::Like { table: cursor.written()?, including: Including::ALL };
        table.elements.push(like);
    } else if cursor.is_symbol("(") && !query_in_parentheses(cursor) {
        elements(cursor, &mut table)?;
    }
    options(cursor, &mut table)?;
    Ok(Change::CreateTable(Box::new(table)))
}

/// SQLite: reads a virtual table as `.dump` writes it, into the catalog that holds the text of its statement.
pub(crate) fn dumped(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let mut made = None;
    while !cursor.done() {
        match cursor.string() {
            Ok(text) => made = Some(text),
            Err(_) => cursor.at += 1,
        }
    }
    match made {
        Some(sql) => super::parse(&sql, cursor.dialect),
        None => Ok(Change::Nothing),
    }
}

/// The server of the foreign table whose statement is read.
pub(crate) fn server(cursor: &Cursor<'_>) -> Option<String> {
    let mut found = None;
    let mut rest = cursor.clone();
    while !rest.done() {
        if rest.take("server") {
            let after = rest.clone().name().ok();
            found = after.or(found);
        } else {
            rest.skip();
        }
    }
    found
}

/// SQLite: reads the rest of `CREATE VIRTUAL TABLE`.
pub(crate) fn create_virtual(cursor: &mut Cursor<'_>) -> Parsed<Change> {
    let mut table = CreateTable { if_not_exists: cursor.take("if not exists"), ..CreateTable::default() };
    table.name = cursor.written()?;
    table.spelling = cursor.spelling();
    cursor.expect("using")?;
    let start = cursor.at;
    let module = cursor.name()?;
    if module == "fts5vocab" {
        table.elements = vocabulary(&mut cursor.clone());
    }
    let full_text = module != "fts5vocab" && module.starts_with("fts") || module.starts_with("rtree");
    if full_text && cursor.is_symbol("(") {
        let arguments = cursor.list(|cursor| {
            // An auxiliary column of an R-tree.
            if cursor.take_symbol("+") {
                return Ok(Some(Element::Column(Box::new(column::parse(cursor)?))));
            }
            let start = cursor.at;
            let column = cursor.column().ok();
            let option = cursor.is_symbol("=");
            cursor.skip_until(|_| false);
            let column = column.filter(|_| !option && cursor.at > start);
            Ok(column.map(Box::new).map(Element::Named))
        })?;
        table.elements = arguments.into_iter().flatten().collect();
    }
    cursor.skip_all();
    table.module = Some(cursor.source(start, cursor.at).to_owned());
    Ok(Change::CreateTable(Box::new(table)))
}

/// The columns of SQLite's `fts5vocab('search', 'row')`, which its last argument determines.
fn vocabulary(cursor: &mut Cursor<'_>) -> Vec<Element> {
    let names = cursor.names().unwrap_or_default();
    let columns: &[&str] = match names.last().map(String::as_str) {
        Some("row") => &["term", "doc", "cnt"],
        Some("col") => &["term", "col", "doc", "cnt"],
        Some("instance") => &["term", "doc", "col", "offset"],
        _ => &[],
    };
    columns.iter().map(|name| Element::Named(Box::new(Column::new(*name, "")))).collect()
}

fn query_in_parentheses(cursor: &Cursor<'_>) -> bool {
    cursor.is_word(1, "select") || cursor.is_word(1, "with") || cursor.is_word(1, "values")
}

fn elements(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    cursor.expect_symbol("(")?;
    let mut periods = Vec::new();
    let mut filled = Vec::new();
    // PostgreSQL allows a table without columns.
    while !cursor.take_symbol(")") {
        if cursor.is("like") && cursor.text_ahead(1) != "(" && cursor.dialect != Dialect::Sqlite {
            cursor.at += 1;
            let like = like(cursor)?;
            table.elements.push(like);
        } else if let Some(period) = constraint::period(cursor) {
            periods.push(period);
        } else if let Some((column, _)) = constraint::not_null(cursor) {
            filled.push(column);
        } else if constraint::is_next(cursor) {
            let start = cursor.at;
            let constraint = constraint::parse(cursor)?;
            if cursor.dialect == Dialect::Sqlite && says_autoincrement(cursor, start) {
                number_rows(table, &constraint);
            }
            table.constraints.push(constraint);
        } else if matches!(cursor.text_ahead(1), "," | ")") && cursor.dialect != Dialect::Sqlite {
            table.elements.push(Element::Named(Box::new(cursor.column()?)));
        } else {
            let mut column = if table.partition_of.is_some() || is_typeless_part(cursor) {
                let name = cursor.name()?;
                column::parts(cursor, name, Default::default())?
            } else {
                column::parse(cursor)?
            };
            if cursor.is("first") || cursor.is("after") {
                return Err(cursor.error("`,` or `)`"));
            }
            table.constraints.append(&mut column.constraints);
            table.elements.push(Element::Column(Box::new(column)));
        }
        if !cursor.take_symbol(",") && !cursor.is_symbol(")") {
            // In SQLite the commas between table constraints may be omitted.
            let sloppy = cursor.dialect == Dialect::Sqlite && constraint::is_next(cursor);
            if !sloppy {
                return Err(cursor.error("`,` or `)`"));
            }
        }
    }
    table.constraints.iter_mut().for_each(|it| constraint::without_overlaps(it, &periods));
    for element in &mut table.elements {
        if let Element::Column(column) = element {
            column.column.not_null |= filled.contains(&column.column.name);
        }
    }
    Ok(())
}

/// Whether the part from `start` on contains the word.
fn says_autoincrement(cursor: &Cursor<'_>, start: usize) -> bool {
    let mut words = cursor.tokens(start, cursor.at).iter().filter(|token| token.kind == TokenKind::Word);
    words.any(|word| {
        cursor.text.get(word.span.range()).is_some_and(|word| word.eq_ignore_ascii_case("autoincrement"))
    })
}

/// SQLite: `PRIMARY KEY (id AUTOINCREMENT)` as a table constraint applies to the column.
fn number_rows(table: &mut CreateTable, constraint: &ConstraintDef) {
    let Rule::PrimaryKey { keys, .. } = &constraint.rule else { return };
    for element in &mut table.elements {
        if let Element::Column(definition) = element
            && keys.iter().any(|key| key.as_column() == Some(definition.column.name.as_str()))
        {
            definition.column.identity = true;
        }
    }
}

/// A column of a partition or typed table: its name is directly followed by constraints.
fn is_typeless_part(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.at += 1;
    cursor.dialect == Dialect::Postgres
        && ["not null", "default", "primary key", "with options", "check", "unique", "references"]
            .iter()
            .any(|words| ahead.is(words))
        && ahead.ahead(0).is_some_and(|token| token.kind == TokenKind::Word)
}

fn like(cursor: &mut Cursor<'_>) -> Parsed<Element> {
    let table = cursor.written()?;
    // MySQL knows no options here.
    let mut including = if cursor.dialect == Dialect::MySql { Including::ALL } else { Including::default() };
    while let Some(verb) = cursor.take_any(&["including", "excluding"]) {
        let on = verb == "including";
        match cursor.name()?.as_str() {
            "all" if on => including = Including::ALL,
            "all" => including = Including::default(),
            "defaults" => including.defaults = on,
            "identity" => including.identity = on,
            "generated" => including.generated = on,
            "constraints" => including.constraints = on,
            "indexes" => including.indexes = on,
            // Comments, storage, statistics and compression.
            _ => {}
        }
    }
    Ok(Element::Like { table, including })
}

/// Reads a partition's bound.
pub(crate) fn bound(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if cursor.take("default") {
        return Ok("DEFAULT".to_owned());
    }
    let start = cursor.at;
    cursor.expect("for values")?;
    while !cursor.done()
        && !["partition", "with", "using", "tablespace", "server"].iter().any(|word| cursor.is(word))
    {
        // `WITH (MODULUS …)` is part of the bound, `WITH (fillfactor = …)` is not.
        cursor.skip();
        if cursor.is("with") && cursor.is_word(2, "modulus") {
            cursor.at += 1;
            cursor.skip();
        }
    }
    if cursor.is("with") && cursor.is_word(2, "modulus") {
        cursor.at += 1;
        cursor.skip();
    }
    let text = expression::render(cursor.text, cursor.tokens(start, cursor.at), cursor.dialect);
    Ok(upper_bound_words(&text))
}

/// The text of a bound with the keywords that occur in no expression in upper case.
fn upper_bound_words(text: &str) -> String {
    let mut out = text.to_owned();
    for (written, printed) in [
        ("for VALUES", "FOR VALUES"),
        (" to(", " TO ("),
        (" to (", " TO ("),
        ("(modulus", "(MODULUS"),
        (", remainder", ", REMAINDER"),
        ("minvalue", "MINVALUE"),
        ("maxvalue", "MAXVALUE"),
    ] {
        out = out.replace(written, printed);
    }
    out
}

fn options(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    while !cursor.done() {
        if cursor.take("inherits") {
            table.inherits = cursor.list(|cursor| cursor.written())?;
        } else if cursor.dialect == Dialect::Postgres && cursor.take("partition by") {
            let strategy = cursor.name()?.to_uppercase();
            let start = cursor.at;
            cursor.skip();
            let keys = cursor.source(start, cursor.at);
            let inner = keys.strip_prefix('(').and_then(|keys| keys.strip_suffix(')')).unwrap_or(keys);
            let keys = expression::normalize(inner, cursor.dialect);
            table.partition_by = Some(format!("{strategy} ({keys})"));
        } else if cursor.is("with") && cursor.text_ahead(1) == "(" {
            cursor.at += 1;
            let mut parameters = cursor.clone();
            let start = cursor.at;
            cursor.skip();
            let said = cursor.source(start, cursor.at).to_lowercase();
            let is_hypertable = said.contains("tsdb.hypertable") || said.contains("timescaledb.hypertable");
            if !is_hypertable {
                table.options.storage = storage(&mut parameters);
            }
            table.hypertable = is_hypertable.then_some(said).or(table.hypertable.take());
        } else if cursor.dialect == Dialect::MySql && cursor.take("with system versioning") {
            table.versioned = true;
        } else if charset(cursor, &mut table.options.charset) || engine(cursor, &mut table.options.storage) {
            // MySQL's character set, collation and engine.
        } else if cursor.take("without rowid") {
            table.without_rowid = true;
        } else if cursor.dialect == Dialect::Sqlite && cursor.take("strict") {
            table.strict = true;
        } else if cursor.take("as")
            || cursor.is("select")
            || (cursor.is("with") && !cursor.text_ahead(1).starts_with('('))
            || (cursor.is_symbol("(") && query_in_parentheses(cursor))
        {
            table.query = Some(object::query(cursor));
        } else {
            // Engine, character set, storage parameters, tablespace, MySQL's partitions and so on.
            cursor.skip();
        }
    }
    Ok(())
}
