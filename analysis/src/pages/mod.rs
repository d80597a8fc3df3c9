//! Keyset pagination: a query with a unique order becomes the statements that continue from a row, in both
//! directions.

mod text;

use crate::cardinality::{self, Rows};
use crate::schema::Schema;
use crate::sql::batch::Refusal;
use crate::sql::expr::{ColumnRef, Expr, Test};
use crate::sql::query::{Block, Body, Kind, Query, RelationId, Source};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, outer_joins, resolve};

use text::Cut;

/// The statements of a paged query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// The first page.
    pub first: Statement,
    /// The page after a row.
    pub after: Statement,
    /// The last page, in reverse order.
    pub last: Statement,
    /// The page before a row, in reverse order.
    pub before: Statement,
    /// The sort keys; the last one makes the order unique.
    pub keys: Vec<Key>,
    /// The common start of all the statements.
    pub head: String,
}

/// A statement. Its own parameters are followed by the key values of the row to continue from, then by the
/// number of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL, with placeholders for the keys after those of the query.
    pub text: String,
    /// The keys to bind, in order.
    pub binds: Vec<usize>,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As written in the query: `posts.created_at`.
    pub written: String,
    /// Whether the order is descending.
    pub desc: bool,
    /// The position of its output column.
    pub output: usize,
    /// The type declared in the table; empty if unknown.
    pub ty: String,
}

/// Builds the pages of a query. `cast` returns the type to cast a value of an output column to, if the
/// database needs it.
///
/// # Errors
///
/// If the query cannot be paged.
pub fn pages(
    sql: &str,
    query: &Query,
    schema: &Schema,
    cast: &dyn Fn(usize) -> Option<String>,
) -> Result<Pages, Refusal> {
    let dialect = schema.dialect;
    let block = paged(query)?;
    let cut = Cut::of(sql, dialect).ok_or_else(unreadable)?;
    let keys = keys(query, block, schema)?;
    let casts: Vec<String> =
        keys.iter().map(|key| cast(key.output).map_or_else(String::new, |ty| format!("::{ty}"))).collect();
    let writer = Writer { cut: &cut, keys: &keys, casts: &casts, dialect, parameters: query.parameters };
    let probe = resolve(&writer.probe(), dialect, Some(schema)).map_err(|_| unreadable())?;
    if cardinality::of(&probe, Some(schema)).rows != Rows::One {
        return Err(not_unique(query, block, schema, &keys));
    }
    let pages = Pages {
        first: writer.statement(None, false),
        after: writer.statement(Some(false), false),
        last: writer.statement(None, true),
        before: writer.statement(Some(true), true),
        head: cut.head().to_owned(),
        keys: keys.clone(),
    };
    for statement in [&pages.first, &pages.after, &pages.last, &pages.before] {
        let again = resolve(&statement.text, dialect, Some(schema)).map_err(|_| unreadable())?;
        let parameters = query.parameters + statement.binds.len() + 1;
        if !again.problems.is_empty() || again.parameters != parameters {
            return Err(unreadable());
        }
    }
    Ok(pages)
}

fn unreadable() -> Refusal {
    Refusal {
        message: "this query is not known to have a form for pages".to_owned(),
        help:
            "write `SELECT .. FROM .. WHERE .. ORDER BY ..` with plain placeholders, none of them in ORDER BY"
                .to_owned(),
    }
}

fn refusal(message: &str, help: &str) -> Refusal {
    Refusal { message: message.to_owned(), help: help.to_owned() }
}

/// The block whose rows are returned, if it returns them unchanged.
fn paged(query: &Query) -> Result<&Block, Refusal> {
    let block = query.root.map(|root| query.block(root)).filter(|_| query.kind == Kind::Select);
    let block = block.ok_or_else(|| refusal("only a SELECT has pages", "select the rows"))?;
    if block.limit.is_some() || block.offset.is_some() {
        return Err(refusal(
            "a page has a LIMIT of its own",
            "leave LIMIT and OFFSET out: how many rows are read is in the request",
        ));
    }
    let window = |e: &Expr| e.any(|e| matches!(e, Expr::Call(call) if call.window));
    match &block.body {
        Body::Select(select)
            if select.group_by.is_empty()
                && !select.aggregates
                && select.distinct.is_none()
                && select.having.is_none()
                && !select.set_returning
                && !block.locks
                && !select.projection.iter().any(window) => {}
        _ => {
            return Err(refusal(
                "rows that are grouped, made distinct, computed over others or locked are not read page by page",
                "order and page the rows themselves, and put what is computed into a subquery of FROM",
            ));
        }
    }
    if block.order_by.is_empty() {
        return Err(refusal("a page needs an order", "write ORDER BY with columns that identify a row"));
    }
    Ok(block)
}

fn keys(query: &Query, block: &Block, schema: &Schema) -> Result<Vec<Key>, Refusal> {
    let mut keys: Vec<Key> = Vec::new();
    for order in &block.order_by {
        let column = order.expr.as_column().and_then(|column| Some((column, column.relation?)));
        let Some((column, relation)) = column else {
            let message =
                format!("the pages are ordered by `{}`, which is not a column of a table", order.expr);
            return Err(refusal(&message, "order by columns, or by a generated column that has an index"));
        };
        let written = written(query, relation, &column.name, schema.dialect);
        if order.nulls_first.is_some() {
            return Err(refusal(
                "a column of the order is never NULL here",
                "leave NULLS FIRST and NULLS LAST out",
            ));
        }
        if !is_not_null(query, block, relation, column, schema) {
            let message = format!("`{written}` may be NULL, and no page would have the rows where it is");
            let help = format!(
                "order by a column that is NOT NULL, or write `AND {written} IS NOT NULL` into the WHERE"
            );
            return Err(Refusal { message, help });
        }
        let outputs = block.outputs.as_deref().unwrap_or_default();
        let output = outputs.iter().position(|output| output.expr.as_column() == Some(column));
        let Some(output) = output else {
            let message = format!("the pages are ordered by `{written}`, which is not selected");
            return Err(Refusal {
                message,
                help: format!("select it: a page begins after a row by its `{written}`"),
            });
        };
        if !keys.iter().any(|key| key.written == written) {
            let ty = declared_type(query, relation, column, schema);
            if schema.dialect == Dialect::MySql && !compares_as_sent(&ty) {
                let message = format!(
                    "`{written}` is of type `{ty}`, which MySQL does not order in the way that it compares it with a value"
                );
                return Err(refusal(&message, "order by whole numbers, text, bytes, dates or times"));
            }
            keys.push(Key { written, desc: order.desc, output, ty });
        }
    }
    Ok(keys)
}

fn written(query: &Query, relation: RelationId, column: &str, dialect: Dialect) -> String {
    let alias = &query.relation(relation).alias;
    format!("{}.{}", quote_if_needed(alias, dialect), quote_if_needed(column, dialect))
}

fn declared_type(query: &Query, relation: RelationId, column: &ColumnRef, schema: &Schema) -> String {
    let Source::Table(name) = &query.relation(relation).source else { return String::new() };
    let column = schema.stored(name).and_then(|table| table.column(&column.name));
    column.map(|column| column.ty.clone()).unwrap_or_default()
}

/// Whether MySQL sorts a type in the same order in which it compares it with a bound value. It sorts enums by
/// their numbers, and compares decimals with text as floating-point numbers.
fn compares_as_sent(ty: &str) -> bool {
    let word = ty.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    matches!(
        word.as_str(),
        "bool"
            | "boolean"
            | "tinyint"
            | "smallint"
            | "mediumint"
            | "int"
            | "integer"
            | "bigint"
            | "year"
            | "char"
            | "varchar"
            | "tinytext"
            | "text"
            | "mediumtext"
            | "longtext"
            | "binary"
            | "varbinary"
            | "tinyblob"
            | "blob"
            | "mediumblob"
            | "longblob"
            | "date"
            | "datetime"
            | "timestamp"
            | "double"
            | "float"
    )
}

fn is_not_null(
    query: &Query,
    block: &Block,
    relation: RelationId,
    column: &ColumnRef,
    schema: &Schema,
) -> bool {
    let is_asked = block.filters().iter().any(|filter| {
        matches!(filter, Expr::Is { expr, test: Test::Null, negated: true } if expr.as_column() == Some(column))
    });
    let Source::Table(name) = &query.relation(relation).source else { return is_asked };
    let declared = schema.stored(name).is_some_and(|table| {
        let is_rowid = table.rowid_alias().is_some_and(|rowid| rowid.name == column.name);
        is_rowid || table.column(&column.name).is_some_and(|column| column.not_null)
    });
    is_asked || declared && !outer_joins::padded(block).contains(&relation)
}

/// The refusal for an order that is not unique: rows equal to the last row of a page would be skipped.
fn not_unique(query: &Query, block: &Block, schema: &Schema, keys: &[Key]) -> Refusal {
    let message = "the order is not unique: rows that are equal in it would be skipped";
    let first = block.from().first().and_then(|item| item.relations().first().copied());
    let table = first.and_then(|relation| match &query.relation(relation).source {
        Source::Table(name) => Some((relation, schema.stored(name)?)),
        _ => None,
    });
    let Some((relation, table)) = table.filter(|(_, table)| !table.primary_key.is_empty()) else {
        return refusal(message, "add columns to ORDER BY that are unique together");
    };
    let desc = keys.last().is_some_and(|key| key.desc);
    let mut order: Vec<String> = keys.iter().map(|key| directed(&key.written, key.desc)).collect();
    for column in &table.primary_key {
        let written = written(query, relation, column, schema.dialect);
        if !keys.iter().any(|key| key.written == written) {
            order.push(directed(&written, desc));
        }
    }
    refusal(message, &format!("add the primary key: `ORDER BY {}`", order.join(", ")))
}

fn directed(written: &str, desc: bool) -> String {
    format!("{written}{}", if desc { " DESC" } else { "" })
}

/// Writes the statements.
struct Writer<'a> {
    cut: &'a Cut<'a>,
    keys: &'a [Key],
    casts: &'a [String],
    dialect: Dialect,
    parameters: usize,
}

impl Writer<'_> {
    /// Reads the rows with given keys; if the order is unique, there is one.
    fn probe(&self) -> String {
        let mut binds = Vec::new();
        let equal: Vec<String> = (0..self.keys.len()).map(|at| self.compare(at, "=", &mut binds)).collect();
        self.cut.with(Some(&equal.join(" AND ")), "")
    }

    /// The statement of a page: after a row or before one, or at an end; in order or reversed.
    fn statement(&self, from: Option<bool>, is_backwards: bool) -> Statement {
        let mut binds = Vec::new();
        let condition = from.map(|before| self.condition(before, &mut binds));
        let order: Vec<String> =
            self.keys.iter().map(|key| directed(&key.written, key.desc != is_backwards)).collect();
        let limit = self.placeholder(self.parameters + binds.len() + 1);
        let end = format!("ORDER BY {} LIMIT {limit}", order.join(", "));
        Statement { text: self.cut.with(condition.as_deref(), &end), binds }
    }

    /// The condition for rows after a row, or before it. If all keys have the same direction, rows are
    /// compared as a whole, for which PostgreSQL and SQLite search an index. Otherwise, and on MySQL, the
    /// comparison is key by key, with the condition on the first key in front.
    fn condition(&self, before: bool, binds: &mut Vec<usize>) -> String {
        let op = |key: &Key| if key.desc != before { "<" } else { ">" };
        let [first, rest @ ..] = self.keys else { return String::new() };
        if rest.is_empty() {
            return self.compare(0, op(first), binds);
        }
        let one_way = rest.iter().all(|key| key.desc == first.desc);
        if one_way && self.dialect != Dialect::MySql {
            let names: Vec<&str> = self.keys.iter().map(|key| key.written.as_str()).collect();
            let values: Vec<String> = (0..self.keys.len()).map(|at| self.value(at, binds)).collect();
            return format!("({}) {} ({})", names.join(", "), op(first), values.join(", "));
        }
        let mut text = format!("{} AND (", self.compare(0, &format!("{}=", op(first)), binds));
        for (at, key) in self.keys.iter().enumerate() {
            text += &self.compare(at, op(key), binds);
            if at + 1 < self.keys.len() {
                text += &format!(" OR {} AND (", self.compare(at, "=", binds));
            }
        }
        text + &")".repeat(self.keys.len())
    }

    fn compare(&self, at: usize, op: &str, binds: &mut Vec<usize>) -> String {
        let name = self.keys.get(at).map_or("", |key| key.written.as_str());
        format!("{name} {op} {}", self.value(at, binds))
    }

    /// The placeholder of a key. With numbered placeholders each key is bound once. SQLite gets numbers even
    /// after bare placeholders, because sqlx binds a bare `?` by its position among the bare ones.
    fn value(&self, at: usize, binds: &mut Vec<usize>) -> String {
        let bound = binds.iter().position(|bound| *bound == at).filter(|_| self.dialect != Dialect::MySql);
        let place = bound.unwrap_or_else(|| {
            binds.push(at);
            binds.len() - 1
        });
        let cast = self.casts.get(at).map_or("", String::as_str);
        format!("{}{cast}", self.placeholder(self.parameters + place + 1))
    }

    fn placeholder(&self, number: usize) -> String {
        match self.dialect {
            Dialect::Postgres => format!("${number}"),
            Dialect::Sqlite => format!("?{number}"),
            Dialect::MySql => "?".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
