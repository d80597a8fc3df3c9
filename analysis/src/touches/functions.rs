//! The tables read and written by the functions that a statement calls.

use std::collections::BTreeSet;

use super::{Touches, Words};
use crate::schema::{Name, Schema};
use crate::sql::lex::{Lexer, TokenKind, unquote};
use crate::sql::query::{Query, Role};
use crate::sql::{self, Dialect, Query as Resolved};
use crate::types;

/// Adds the effects of the functions called in a query.
pub(super) fn called(sql: &str, query: &Query, schema: &Schema, touches: &mut Touches) {
    let calls = calls(sql, schema.dialect);
    let mut seen = BTreeSet::new();
    for call in &calls {
        if is_defined(call, schema) {
            follow(call, schema, touches, &mut seen);
        } else if schema.dialect == Dialect::Postgres
            && !is_name_in(call, query)
            && !is_grammar(call)
            && !types::has_function(call, schema)
        {
            touches.reads_unknown = true;
            touches.writes_unknown = true;
        } else if reads_by_text(call) {
            touches.reads_unknown = true;
            touches.writes_unknown |= call.starts_with("dblink");
        }
    }
}

/// Whether a built-in function reads tables that neither its name nor its arguments reveal.
fn reads_by_text(call: &str) -> bool {
    let parts =
        ["_to_xml", "crosstab", "ts_stat", "ts_rewrite", "dblink", "connectby", "_size", "pg_stat", "pg_get"];
    parts.iter().any(|part| call.contains(part))
        || matches!(call, "nextval" | "currval" | "lastval" | "last_insert_id")
}

/// Adds the effects of the schema's functions that are called in a piece of code.
pub(super) fn called_in(code: &str, schema: &Schema, touches: &mut Touches) {
    let mut seen = BTreeSet::new();
    for call in calls(code, schema.dialect).iter().filter(|call| is_defined(call, schema)) {
        follow(call, schema, touches, &mut seen);
    }
}

/// Adds the effects of a trigger or a rule, given the statement that creates it.
pub(super) fn run_by(hook: &str, schema: &Schema, touches: &mut Touches) {
    let Some(call) = executed(hook, schema.dialect) else {
        run(hook, schema, touches, &mut BTreeSet::new());
        return;
    };
    for call in &calls(call, schema.dialect) {
        if is_defined(call, schema) {
            follow(call, schema, touches, &mut BTreeSet::new());
        } else {
            touches.writes_unknown |= !types::has_function(call, schema);
        }
    }
}

/// PostgreSQL: the function after `EXECUTE FUNCTION` in a trigger.
fn executed(hook: &str, dialect: Dialect) -> Option<&str> {
    let is_execute = |token: &sql::lex::Token| {
        token.kind == TokenKind::Word
            && hook.get(token.span.range()).is_some_and(|word| word.eq_ignore_ascii_case("execute"))
    };
    let at = Lexer::new(hook, dialect).filter(is_execute).last()?.span.end;
    hook.get(at..).filter(|_| dialect == Dialect::Postgres)
}

fn is_defined(call: &str, schema: &Schema) -> bool {
    schema.functions.keys().any(|name| name.name == call)
}

fn follow(call: &str, schema: &Schema, touches: &mut Touches, seen: &mut BTreeSet<String>) {
    if !seen.insert(call.to_owned()) {
        return;
    }
    let overloads = schema.functions.iter().filter(|(name, _)| name.name == call);
    for statement in overloads.flat_map(|(_, statements)| statements) {
        run(statement, schema, touches, seen);
    }
}

fn run(text: &str, schema: &Schema, touches: &mut Touches, seen: &mut BTreeSet<String>) {
    let dialect = schema.dialect;
    let body = opened(text, dialect);
    let words = Words::of(&body, dialect);
    // A function in C or Python may do anything.
    if words.after("language").is_some_and(|language| !matches!(language, "sql" | "plpgsql")) {
        touches.reads_unknown = true;
        touches.writes_unknown = true;
        return;
    }
    let writes = ["insert", "update", "delete", "merge", "replace", "truncate", "copy", "load"];
    let does_write = writes.iter().any(|word| words.has(word));
    // Dynamic SQL.
    if words.runs_text() {
        touches.reads_unknown = true;
        touches.writes_unknown = true;
    }
    let names = names(&body, dialect);
    let tables = schema.tables.keys().chain(schema.views.keys()).filter(|table| names.contains(&table.name));
    for table in tables.cloned().collect::<Vec<Name>>() {
        if let Some(view) = schema.views.get(&table) {
            if seen.insert(format!("view {table}")) {
                run(&view.query, schema, touches, seen);
            }
            touches.writes_unknown |= does_write;
        }
        if does_write {
            touches.writes.insert(table.clone());
        }
        touches.reads.insert(table);
    }
    for call in calls(&body, dialect).iter().filter(|call| is_defined(call, schema)) {
        follow(call, schema, touches, seen);
    }
}

/// The text of a function, with its quoted body and the quoted name of its language unquoted.
fn opened(text: &str, dialect: Dialect) -> String {
    if dialect != Dialect::Postgres {
        return text.to_owned();
    }
    let mut opened = String::with_capacity(text.len());
    let mut was_as = false;
    for token in Lexer::new(text, dialect) {
        let Some(piece) = text.get(token.span.range()) else { continue };
        let is_body = token.kind == TokenKind::Text && was_as;
        was_as = token.kind == TokenKind::Word
            && ["as", "language"].iter().any(|word| piece.eq_ignore_ascii_case(word));
        if is_body {
            opened.push_str(&unquote(piece, dialect));
        } else {
            opened.push_str(piece);
        }
        opened.push(' ');
    }
    opened
}

/// The names followed by a parenthesis, folded.
fn calls(sql: &str, dialect: Dialect) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut before: Option<String> = None;
    for token in Lexer::new(sql, dialect) {
        let text = sql.get(token.span.range()).unwrap_or_default();
        match token.kind {
            TokenKind::Word => before = Some(text.to_lowercase()),
            TokenKind::Name => before = Some(unquote(text, dialect)),
            TokenKind::Symbol if text == "(" => found.extend(before.take()),
            _ => before = None,
        }
    }
    found
}

/// Every name in a text, folded.
fn names(text: &str, dialect: Dialect) -> BTreeSet<String> {
    let tokens = Lexer::new(text, dialect).filter_map(|token| {
        let piece = text.get(token.span.range())?;
        match token.kind {
            TokenKind::Word => Some(piece.to_lowercase()),
            TokenKind::Name => Some(unquote(piece, dialect)),
            _ => None,
        }
    });
    tokens.collect()
}

/// Whether the name in front of a parenthesis is defined by the query: `WITH t (a)`, `INSERT INTO t (a)`,
/// `AS t (a)`.
fn is_name_in(name: &str, query: &Resolved) -> bool {
    let is_relation = query.relations.iter().any(|relation| {
        let own = match &relation.source {
            crate::sql::query::Source::Table(name) | crate::sql::query::Source::View(name, _) => {
                Some(&name.name)
            }
            _ => None,
        };
        relation.alias.eq_ignore_ascii_case(name) || own.is_some_and(|own| own == name)
    });
    is_relation
        || query.blocks.iter().any(|block| matches!(&block.role, Role::Cte { name: cte, .. } if cte == name))
}

/// Words in front of a parenthesis that are not functions.
fn is_grammar(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "all",
        "and",
        "any",
        "array",
        "as",
        "between",
        "by",
        "case",
        "cast",
        "char",
        "character",
        "check",
        "coalesce",
        "conflict",
        "cube",
        "dec",
        "decimal",
        "default",
        "distinct",
        "else",
        "except",
        "exists",
        "extract",
        "filter",
        "float",
        "from",
        "greatest",
        "group",
        "grouping",
        "having",
        "if",
        "ilike",
        "in",
        "insert",
        "intersect",
        "interval",
        "into",
        "is",
        "join",
        "key",
        "lateral",
        "least",
        "like",
        "limit",
        "materialized",
        "national",
        "nchar",
        "normalize",
        "not",
        "nullif",
        "numeric",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "ordinality",
        "over",
        "overlay",
        "partition",
        "position",
        "precision",
        "returning",
        "rollup",
        "row",
        "rows",
        "select",
        "set",
        "sets",
        "some",
        "substring",
        "tablesample",
        "then",
        "time",
        "timestamp",
        "treat",
        "trim",
        "union",
        "update",
        "using",
        "values",
        "varchar",
        "varying",
        "when",
        "where",
        "window",
        "with",
        "within",
        "xmlconcat",
        "xmlelement",
        "xmlexists",
        "xmlforest",
        "xmlparse",
        "xmlpi",
        "xmlroot",
        "xmlserialize",
        "xmltable",
        "bit",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "json_array",
        "json_object",
        "json_arrayagg",
        "json_objectagg",
        "json_exists",
        "json_query",
        "json_value",
        "json_table",
        "json_scalar",
        "json_serialize",
        "json",
        "columns",
        "path",
        "xmlnamespaces",
        "bernoulli",
        "system",
        "setof",
        "table",
        "collation",
    ];
    WORDS.contains(&word)
}
