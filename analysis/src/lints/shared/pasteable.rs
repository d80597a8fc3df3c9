//! Replacements from the runtime crate for a query that loops, or pages by counting: `sql_batch!` and
//! `sql_page!`, ready to paste.

use crate::lints::QueryContext;
use crate::pages;
use crate::rust::{Argument, Form, Loop, LoopKind, Site, SiteSql};
use crate::sql::batch::{self, on_one_line};
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::lex::{Lexer, TokenKind};
use crate::sql::query::{Body, Kind, Query};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, resolve};
use crate::types;

/// `sql_batch!` for a query of `sql!` and related macros in a `for`; `None` for other queries, or if no
/// equivalent batch is known. `varies` returns which values, counted from 1, change between iterations.
pub(in crate::lints) fn batch(
    context: &QueryContext<'_>,
    query: &Query,
    around: &Loop,
    varies: &dyn Fn(usize) -> bool,
) -> Option<String> {
    let site = plain(context).filter(|_| around.kind == LoopKind::For)?;
    let names = words(&around.pattern);
    let of_pattern = |name: &String| names.contains(&name.as_str());
    let values = &site.arguments;
    let is_movable = |(at, value): (usize, &Argument)| {
        // The closure has no access to what the iteration computes, and cannot await.
        let waits = value.written.contains(".await") || value.written.contains(['?', '…']);
        let computed = |name: &&String| around.variables.contains(name) && !of_pattern(name);
        !(waits || varies(at + 1) && value.mentions.iter().any(|name| computed(&name)))
    };
    if !values.iter().enumerate().all(is_movable) || around.pattern.contains('…') {
        return None;
    }
    let leading = (1..=values.len()).take_while(|number| varies(*number)).count();
    let rest_is_shared = (leading + 1..=values.len()).all(|number| !varies(number));
    let row = if leading > 0 && rest_is_shared { leading } else { values.len() };
    let sql = with_keys(context, query, site, varies)?;
    let asked = resolve(&sql, context.dialect, context.schema).ok()?;
    let types = parameter_types(context, query);
    batch::statement(&sql, &asked, context.dialect, context.schema, row, &types).ok()?;
    let (of_row, shared) = values.split_at_checked(row)?;
    let mut borrows = false;
    let of_row: Vec<String> = of_row
        .iter()
        .map(|value| {
            let is_of_turn = value.mentions.iter().any(of_pattern);
            borrows |= is_of_turn && value.written.contains(['.', '&']);
            let is_place = is_place(&value.written) && (!is_of_turn || value.written.contains('.'));
            if is_place { format!("&{}", value.written) } else { value.written.clone() }
        })
        .collect();
    let over = rows(around, borrows)?;
    let pattern = &around.pattern;
    let tuple = match of_row.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(", ")),
    };
    let shared: String = shared.iter().map(|value| format!(", {}", value.written)).collect();
    let (name, of) = called(site, "sql_batch")?;
    let text = on_one_line(&sql, context.dialect);
    Some(format!("{name}!({of}{text:?}, {over} => |{pattern}| {tuple}{shared})"))
}

/// The text of the query; for a SELECT, with the keys that assign its rows to elements. `None` if these are
/// not visible, or the row type has no fields for them.
fn with_keys(
    context: &QueryContext<'_>,
    query: &Query,
    site: &Site,
    varies: &dyn Fn(usize) -> bool,
) -> Option<String> {
    if query.kind != Kind::Select {
        return Some(context.sql.to_owned());
    }
    let block = query.block(query.root?);
    let key = |condition: &Expr| match condition {
        Expr::Binary { op: Op::Eq, left, right } => {
            let sides = [(left, right), (right, left)];
            sides.into_iter().find_map(|(column, value)| match value.without_casts() {
                Expr::Parameter(number) if varies(*number) => Some((*number, column.as_column()?.clone())),
                _ => None,
            })
        }
        _ => None,
    };
    let conditions = block.conditions();
    let keys: Vec<(usize, ColumnRef)> = conditions.into_iter().filter_map(key).collect();
    let is_seen = |number: usize| !varies(number) || keys.iter().any(|(of, _)| *of == number);
    if !(1..=site.arguments.len()).all(is_seen) {
        return None;
    }
    let outputs = block.outputs.as_deref()?;
    let is_selected =
        |column: &ColumnRef| outputs.iter().any(|output| output.expr.as_column() == Some(column));
    let missing: Vec<String> = keys
        .iter()
        .filter(|(_, column)| !is_selected(column))
        .map(|(_, column)| column_name(query, column, context.dialect))
        .collect();
    if missing.is_empty() {
        return Some(context.sql.to_owned());
    }
    let trimmed = context.sql.trim_start();
    let (select, rest) = trimmed.split_at_checked("SELECT".len())?;
    let is_plain = select.eq_ignore_ascii_case("select") && rest.starts_with(char::is_whitespace);
    let is_record = matches!(called(site, "sql_batch"), Some((name, _)) if name.ends_with("sql_batch"));
    let is_distinct = matches!(&block.body, Body::Select(select) if select.distinct.is_some());
    (is_plain && is_record && !is_distinct).then(|| format!("{select} {},{rest}", missing.join(", ")))
}

fn column_name(query: &Query, column: &ColumnRef, dialect: Dialect) -> String {
    let name = quote_if_needed(&column.name, dialect);
    match column.relation.filter(|_| query.relations.len() > 1) {
        Some(relation) => format!("{}.{name}", quote_if_needed(&query.relation(relation).alias, dialect)),
        None => name,
    }
}

/// `sql_page!` for a query of `sql!` and related macros that pages by OFFSET; `None` unless its rows can be
/// paged.
pub(in crate::lints) fn page(context: &QueryContext<'_>, query: &Query) -> Option<String> {
    let (site, schema) = (plain(context)?, context.schema?);
    let is_last = !query.block(query.root?).locks;
    let text = context.sql.get(..limit_of(context.sql, context.dialect)?).filter(|_| is_last)?;
    let text = on_one_line(text, context.dialect);
    let open = resolve(&text, context.dialect, Some(schema)).ok()?;
    let pages = pages::pages(&text, &open, schema, &|_| None).ok()?;
    let is_ordered_by =
        |key: &pages::Key| context.dialect != Dialect::Postgres || is_sent_by_postgres(&key.ty);
    if !pages.keys.iter().all(is_ordered_by) {
        return None;
    }
    let values = site.arguments.get(..open.parameters)?;
    let is_kept =
        |number: usize| context.dialect != Dialect::Postgres || text.contains(&format!("${number}"));
    if !(1..=values.len()).all(is_kept) {
        return None;
    }
    if values.iter().any(|value| value.written.contains('…')) {
        return None;
    }
    let values: String = values.iter().map(|value| format!(", {}", value.written)).collect();
    let (name, of) = called(site, "sql_page")?;
    Some(format!("{name}!({of}{text:?}{values})"))
}

/// The start of LIMIT and OFFSET, after the ORDER BY.
fn limit_of(sql: &str, dialect: Dialect) -> Option<usize> {
    let (mut depth, mut is_ordered) = (0_usize, false);
    for token in Lexer::new(sql, dialect) {
        let word = sql.get(token.span.range())?;
        match token.kind {
            TokenKind::Symbol if word == "(" => depth += 1,
            TokenKind::Symbol if word == ")" => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 && word.eq_ignore_ascii_case("order") => is_ordered = true,
            TokenKind::Word
                if depth == 0
                    && is_ordered
                    && ["limit", "offset"].iter().any(|limit| word.eq_ignore_ascii_case(limit)) =>
            {
                return Some(token.span.start);
            }
            _ => {}
        }
    }
    None
}

/// The site of a `sql!`, `sql_as!` or `sql_scalar!` query whose text and values are all visible.
fn plain<'a>(context: &QueryContext<'a>) -> Option<&'a Site> {
    let site = context.site?;
    let is_whole = matches!(&site.sql, SiteSql::Literal(literal) if *literal.text == *context.sql);
    let is_plain =
        site.form == Form::Checked && site.arguments_complete && is_whole && !site.row.contains('…');
    Some(site).filter(|_| is_plain)
}

/// The macro with this stem that returns rows in the same form as the site's, and the row type followed by a
/// comma.
fn called(site: &Site, stem: &str) -> Option<(String, String)> {
    let (path, last) = match site.written.rsplit_once("::") {
        Some((path, last)) => (format!("{path}::"), last),
        None => (String::new(), site.written.as_str()),
    };
    let (kind, is_typed) = match last.trim_end_matches('!') {
        "sql" | "query" => ("", false),
        "sql_as" | "query_as" => ("_as", true),
        "sql_scalar" | "query_scalar" if stem == "sql_batch" => ("_scalar", false),
        _ => return None,
    };
    let of = if site.row.is_empty() { String::new() } else { format!("{}, ", site.row) };
    (!is_typed || !of.is_empty()).then(|| (format!("{path}{stem}{kind}"), of))
}

/// Whether `sql_page!` supports binding values of a type on PostgreSQL.
fn is_sent_by_postgres(ty: &str) -> bool {
    let name = ty.split_once('(').map_or(ty, |(name, _)| name);
    matches!(
        name,
        "boolean"
            | "smallint"
            | "integer"
            | "bigint"
            | "real"
            | "double precision"
            | "numeric"
            | "date"
            | "time without time zone"
            | "timestamp without time zone"
            | "timestamp with time zone"
            | "uuid"
            | "bytea"
            | "text"
            | "character varying"
            | "character"
    )
}

fn parameter_types(context: &QueryContext<'_>, query: &Query) -> Vec<Option<batch::RowType>> {
    let Some(schema) = context.schema else { return Vec::new() };
    let described = context.types(query, schema);
    described.parameters.iter().map(|parameter| parameter.ty.known().and_then(types::row_type)).collect()
}

/// The expression that is looped over, as rows whose fields may be borrowed if `borrows`; `None` where it is not known to have `iter`, which
/// they would need.
fn rows(around: &Loop, borrows: bool) -> Option<String> {
    let over = around.over.as_str();
    if over.is_empty() || over.contains(['…', '?']) || over.contains(".await") || over.contains("mut") {
        return None;
    }
    let gives_references = over.starts_with('&') || over.ends_with(".iter()");
    if !borrows || gives_references {
        return Some(over.to_owned());
    }
    (around.has_iter && is_place(over)).then(|| format!("{over}.iter()"))
}

/// Whether an expression is a variable or a field of one.
fn is_place(written: &str) -> bool {
    written.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && written.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::findings_in;

    /// The first help of a lint for a body, without the text before the macro.
    fn said(lint: &str, body: &str) -> String {
        let source = format!(
            "async fn f(db: &PgPool, user: i64, offset: i64, lines: &[String], events: Vec<Event>, given: Events) {{ {body} }}"
        );
        let found = findings_in(lint, &source);
        let finding = found.iter().find(|finding| finding.lint == lint);
        let finding = finding.unwrap_or_else(|| panic!("{lint} is silent on {body}: {found:?}"));
        let help = finding.help.first().map_or("", String::as_str);
        help.split_once(": `").map_or(help, |(_, pasted)| pasted.trim_end_matches('`')).to_owned()
    }

    #[track_caller]
    fn check(lint: &str, body: &str, expected: &str) {
        assert_eq!(said(lint, body), expected, "{body}");
    }

    #[test]
    fn writes_become_batches() {
        let check = |body: &str, expected: &str| check("row_by_row_write", body, expected);
        let insert = "INSERT INTO logs (event_id, output) VALUES ($1, $2)";
        let of = |over: &str, pattern: &str, values: &str| {
            format!("for {pattern} in {over} {{ sql!({insert:?}, {values}).execute(db).await; }}")
        };
        check(
            &of("lines", "line", "user, line"),
            &format!("sql_batch!({insert:?}, lines => |line| (&user, line))"),
        );
        check(
            &of("events", "event", "event.id, event.output"),
            &format!("sql_batch!({insert:?}, events.iter() => |event| (&event.id, &event.output))"),
        );
        check(
            &of("(1_i64..).zip(lines)", "(at, line)", "at, line"),
            &format!("sql_batch!({insert:?}, (1_i64..).zip(lines) => |(at, line)| (at, line))"),
        );
        let update = "for (id, name) in names { sql!(\"UPDATE servers SET name = $1 WHERE id = $2 AND name = $3\", name, id, at.name).execute(db).await; }";
        let expected = "sql_batch!(\"UPDATE servers SET name = $1 WHERE id = $2 AND name = $3\", names => |(id, name)| (name, id), at.name)";
        check(update, expected);
    }

    #[test]
    fn what_may_have_no_iter_is_told_in_words() {
        let of = |before: &str, over: &str| {
            format!(
                "{before} for event in {over} {{ sql!(\"INSERT INTO logs (event_id, output) VALUES ($1, $2)\", event.id, event.output).execute(db).await; }}"
            )
        };
        for (before, over) in [
            ("", "given"),
            ("", "given.events"),
            ("let page = load();", "page"),
            ("let all = given.list();", "all"),
            ("let more = stream.collect();", "more"),
        ] {
            assert!(!said("row_by_row_write", &of(before, over)).contains("sql_batch"), "{before} {over}");
        }
        for (before, over) in [
            ("let rows = sql!(\"SELECT id, output FROM logs LIMIT 5\").fetch_all(db).await?;", "rows"),
            ("let rows: Vec<Row> = load();", "rows"),
            ("let rows = load().collect::<Vec<_>>();", "rows"),
            ("let mut rows = vec![]; rows.extend(load());", "rows"),
            ("let rows = events.clone();", "rows"),
        ] {
            assert!(
                said("row_by_row_write", &of(before, over)).contains("rows.iter() =>"),
                "{before} {over}"
            );
        }
    }

    #[test]
    fn what_the_turn_computes_is_no_row() {
        for body in [
            "for line in lines { let id = next(line).await; sql!(\"INSERT INTO logs (event_id, output) VALUES ($1, $2)\", id, line).execute(db).await; }",
            "for line in lines { sql!(\"INSERT INTO logs (event_id, output) VALUES ($1, $2)\", next().await, line).execute(db).await; }",
            "for event in load().await { sql!(\"DELETE FROM logs WHERE id = $1\", event.id).execute(db).await; }",
            "for id in ids { sqlx::query!(\"DELETE FROM logs WHERE id = $1\", id).execute(db).await; }",
        ] {
            assert!(!said("row_by_row_write", body).contains("sql_batch"), "{body}");
        }
    }

    #[test]
    fn reads_become_batches_with_their_keys() {
        let check = |body: &str, expected: &str| check("query_in_loop", body, expected);
        check(
            "for id in ids { sql!(\"SELECT name FROM servers WHERE id = $1\", id).fetch_one(db).await; }",
            "sql_batch!(\"SELECT id, name FROM servers WHERE id = $1\", ids => |id| id)",
        );
        check(
            "for id in ids { query_budget::sql_as!(Server, \"SELECT id, name FROM servers WHERE id = $1\", id).fetch_one(db).await; }",
            "query_budget::sql_batch_as!(Server, \"SELECT id, name FROM servers WHERE id = $1\", ids => |id| id)",
        );
        let scalar = "for id in ids { sql_scalar!(\"SELECT name FROM servers WHERE id = $1\", id).fetch_one(db).await; }";
        assert!(!said("query_in_loop", scalar).contains("sql_batch"), "a value has no place for its key");
    }

    #[test]
    fn offsets_become_pages() {
        let check = |body: &str, expected: &str| check("deep_offset", body, expected);
        check(
            "sql!(\"SELECT id, output FROM logs WHERE event_id = $1 ORDER BY id LIMIT 50 OFFSET $2\", user, offset).fetch_all(db).await;",
            "sql_page!(\"SELECT id, output FROM logs WHERE event_id = $1 ORDER BY id\", user)",
        );
        let unordered = "sql!(\"SELECT output FROM logs WHERE event_id = $1 ORDER BY id LIMIT 50 OFFSET $2\", user, offset).fetch_all(db).await;";
        assert!(!said("deep_offset", unordered).contains("sql_page"), "the key is not selected");
    }
}
