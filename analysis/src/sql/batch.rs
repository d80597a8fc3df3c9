//! One query for all elements instead of one for each: what a query in a loop is rewritten to.

use super::dialect::Dialect;
use super::expr::{Expr, Op};
use super::query::{Body, Kind, Query, Source, Write};
use crate::schema::Schema;

/// Postgres and MySQL count parameters in 16 bits; SQLite's default ceiling is lower.
const MOST_PARAMETERS: [(Dialect, usize); 3] =
    [(Dialect::Postgres, 65_535), (Dialect::MySql, 65_535), (Dialect::Sqlite, 32_766)];

/// How many parameters one statement of a dialect can have.
pub fn most_parameters(dialect: Dialect) -> usize {
    MOST_PARAMETERS.iter().find(|(known, _)| *known == dialect).map_or(32_766, |(_, most)| *most)
}

/// Whether a query already works on many elements at once: an array or JSON parameter is unfolded, or several rows of
/// VALUES are written.
pub fn is_batched(query: &Query) -> bool {
    let unfolds = |name: &str| {
        name == "unnest"
            || name.starts_with("json_each")
            || name.starts_with("json") && name.contains("record")
            || name.starts_with("json") && name.contains("elements")
    };
    let parameter = |expr: &Expr| expr.any(|e| matches!(e, Expr::Parameter(_)));
    let relation = query.relations.iter().any(|relation| match &relation.source {
        Source::Function(name, args) => unfolds(name) && args.iter().any(parameter),
        _ => false,
    });
    let expression = |expr: &Expr| {
        expr.any(|e| match e {
            Expr::Any { right, all: false, .. } => parameter(right),
            Expr::Call(call) => unfolds(&call.name) && call.args.iter().any(parameter),
            _ => false,
        })
    };
    relation
        || query.blocks.iter().any(|block| match &block.body {
            Body::Values(rows) => rows.len() > 1,
            Body::Select(select) => select.filter.iter().chain(&select.projection).any(expression),
            Body::Write(write) => write.filter.iter().any(expression),
            Body::Set { .. } | Body::Unknown => false,
        })
}

/// The statement that does for all elements what `query` does for one, as text to paste; `None` when no plain one is
/// known. `varies` says which parameters, counted from 1, change from element to element.
pub fn rewrite(
    query: &Query,
    dialect: Dialect,
    schema: Option<&Schema>,
    varies: &dyn Fn(usize) -> bool,
) -> Option<String> {
    let root = query.block(query.root?);
    match (&root.body, query.kind) {
        (Body::Select(select), Kind::Select) => {
            let (relation, column) = lookup(select.filter.as_ref()?, varies)?;
            let ty = column_type(query, schema, relation, &column);
            Some(format!("WHERE {}", membership(&column, &ty, dialect)))
        }
        (Body::Write(write), Kind::Insert) => insert(query, write, dialect, schema),
        (Body::Write(write), Kind::Delete) => {
            let (relation, column) = lookup(write.filter.as_ref()?, varies)?;
            let ty = column_type(query, schema, relation, &column);
            let table = table_name(query, write)?;
            Some(format!("DELETE FROM {table} WHERE {}", membership(&column, &ty, dialect)))
        }
        (Body::Write(write), Kind::Update) => update(query, write, dialect, schema, varies),
        _ => None,
    }
}

/// The column that a condition sets equal to a parameter that varies.
fn lookup(filter: &Expr, varies: &dyn Fn(usize) -> bool) -> Option<(super::query::RelationId, String)> {
    filter.conjuncts().iter().find_map(|condition| match condition {
        Expr::Binary { op: Op::Eq, left, right } => {
            let pair = |column: &Expr, value: &Expr| match (column, value.without_casts()) {
                (Expr::Column(column), Expr::Parameter(number)) if varies(*number) => {
                    Some((column.relation?, column.name.clone()))
                }
                _ => None,
            };
            pair(left, right).or_else(|| pair(right, left))
        }
        _ => None,
    })
}

fn membership(column: &str, ty: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres if ty.is_empty() => format!("{column} = ANY($1)"),
        Dialect::Postgres => format!("{column} = ANY($1::{ty}[])"),
        Dialect::Sqlite => format!("{column} IN (SELECT value FROM json_each(?1))"),
        Dialect::MySql => format!("{column} IN (?, ?, ..)"),
    }
}

fn insert(query: &Query, write: &Write, dialect: Dialect, schema: Option<&Schema>) -> Option<String> {
    let columns: Vec<&str> = write.assignments.iter().map(|(name, _)| name.as_str()).collect();
    let source = query.block(write.source?);
    let Body::Values(rows) = &source.body else { return None };
    let [row] = rows.as_slice() else { return None };
    if columns.is_empty() || columns.len() != row.len() {
        return None;
    }
    let table = table_name(query, write)?;
    let list = columns.join(", ");
    let bound = row.iter().filter(|value| value.any(|e| matches!(e, Expr::Parameter(_)))).count();
    Some(match dialect {
        Dialect::Postgres => {
            let mut number = 0;
            let mut arrays = Vec::new();
            let mut selected = Vec::new();
            for (column, value) in columns.iter().zip(row) {
                if value.any(|e| matches!(e, Expr::Parameter(_))) {
                    number += 1;
                    let ty = column_type(query, schema, write.target, column);
                    let cast = if ty.is_empty() { String::new() } else { format!("::{ty}[]") };
                    arrays.push(format!("${number}{cast}"));
                    selected.push((*column).to_owned());
                } else {
                    selected.push(value.to_string());
                }
            }
            if arrays.is_empty() {
                return None;
            }
            if arrays.len() == columns.len() {
                format!("INSERT INTO {table} ({list}) SELECT * FROM UNNEST({})", arrays.join(", "))
            } else {
                let names: Vec<&str> = columns
                    .iter()
                    .zip(row)
                    .filter(|(_, value)| value.any(|e| matches!(e, Expr::Parameter(_))))
                    .map(|(column, _)| *column)
                    .collect();
                format!(
                    "INSERT INTO {table} ({list}) SELECT {} FROM UNNEST({}) AS new ({})",
                    selected.join(", "),
                    arrays.join(", "),
                    names.join(", ")
                )
            }
        }
        Dialect::MySql | Dialect::Sqlite => {
            let one = format!("({})", vec!["?"; columns.len()].join(", "));
            let rows = most_parameters(dialect) / bound.max(1);
            format!("INSERT INTO {table} ({list}) VALUES {one}, {one}, .. -- at most {rows} rows a statement")
        }
    })
}

fn update(
    query: &Query,
    write: &Write,
    dialect: Dialect,
    schema: Option<&Schema>,
    varies: &dyn Fn(usize) -> bool,
) -> Option<String> {
    let (relation, key) = lookup(write.filter.as_ref()?, varies)?;
    let table = table_name(query, write)?;
    let set: Option<Vec<&str>> = write
        .assignments
        .iter()
        .map(|(name, value)| {
            matches!(value.as_ref().map(Expr::without_casts), Some(Expr::Parameter(n)) if varies(*n))
                .then_some(name.as_str())
        })
        .collect();
    let Some(set) = set.filter(|set| !set.is_empty() && dialect == Dialect::Postgres) else {
        // The new values do not depend on the element: one statement over all keys does.
        let constant = write.assignments.iter().all(|(_, value)| {
            value.as_ref().is_some_and(|value| !value.any(|e| matches!(e, Expr::Parameter(n) if varies(*n))))
        });
        let ty = column_type(query, schema, relation, &key);
        return constant.then(|| format!("UPDATE {table} SET .. WHERE {}", membership(&key, &ty, dialect)));
    };
    let columns: Vec<&str> = std::iter::once(key.as_str()).chain(set.iter().copied()).collect();
    let arrays: Vec<String> = (1..)
        .zip(&columns)
        .map(|(number, column)| match column_type(query, schema, relation, column).as_str() {
            "" => format!("${number}"),
            ty => format!("${number}::{ty}[]"),
        })
        .collect();
    let set: Vec<String> = set.iter().map(|column| format!("{column} = new.{column}")).collect();
    Some(format!(
        "UPDATE {table} SET {} FROM UNNEST({}) AS new ({}) WHERE {table}.{key} = new.{key}",
        set.join(", "),
        arrays.join(", "),
        columns.join(", ")
    ))
}

fn table_name(query: &Query, write: &Write) -> Option<String> {
    match &query.relation(write.target).source {
        Source::Table(name) => Some(name.to_string()),
        _ => None,
    }
}

/// The type of a column as it is written in a cast; empty when it is not known.
fn column_type(
    query: &Query,
    schema: Option<&Schema>,
    relation: super::query::RelationId,
    column: &str,
) -> String {
    let Source::Table(name) = &query.relation(relation).source else { return String::new() };
    let table = schema.and_then(|schema| schema.tables.get(name));
    table.and_then(|table| table.column(column)).map_or_else(String::new, |column| column.ty.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, Name, Table};
    use crate::sql::resolve;

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, expect: Option<&str>) {
        let mut schema = Schema::new(dialect);
        let mut table = Table::new(Name::new("logs"));
        table.columns = vec![
            Column::new("id", "bigint"),
            Column::new("event_id", "bigint"),
            Column::new("output", "text"),
        ];
        schema.tables.insert(table.name.clone(), table);
        let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
        assert_eq!(rewrite(&query, dialect, Some(&schema), &|_| true).as_deref(), expect, "{sql}");
    }

    #[test]
    fn postgres_takes_arrays_typed_by_the_schema() {
        let check = |sql, expect| check(Dialect::Postgres, sql, expect);
        check("SELECT output FROM logs WHERE event_id = $1", Some("WHERE event_id = ANY($1::bigint[])"));
        check(
            "INSERT INTO logs (event_id, output) VALUES ($1, $2)",
            Some("INSERT INTO logs (event_id, output) SELECT * FROM UNNEST($1::bigint[], $2::text[])"),
        );
        check(
            "INSERT INTO logs (event_id, output) VALUES ($1, 'new')",
            Some(
                "INSERT INTO logs (event_id, output) SELECT event_id, 'new' FROM UNNEST($1::bigint[]) AS new (event_id)",
            ),
        );
        check(
            "UPDATE logs SET output = $2 WHERE id = $1",
            Some(
                "UPDATE logs SET output = new.output FROM UNNEST($1::bigint[], $2::text[]) AS new (id, output) WHERE logs.id = new.id",
            ),
        );
        check("DELETE FROM logs WHERE id = $1", Some("DELETE FROM logs WHERE id = ANY($1::bigint[])"));
        check("SELECT output FROM logs WHERE event_id > $1", None);
    }

    #[test]
    fn others_take_lists_within_their_parameter_limit() {
        check(
            Dialect::Sqlite,
            "INSERT INTO logs (event_id, output) VALUES (?, ?)",
            Some(
                "INSERT INTO logs (event_id, output) VALUES (?, ?), (?, ?), .. -- at most 16383 rows a statement",
            ),
        );
        check(
            Dialect::Sqlite,
            "SELECT output FROM logs WHERE event_id = ?",
            Some("WHERE event_id IN (SELECT value FROM json_each(?1))"),
        );
        check(
            Dialect::MySql,
            "SELECT output FROM logs WHERE event_id = ?",
            Some("WHERE event_id IN (?, ?, ..)"),
        );
    }
}
