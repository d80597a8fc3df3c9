//! One query for all elements instead of one query each: which queries are batched already, and how to
//! rewrite the others.

mod rewrite;
mod statement;
mod tokens;

pub use rewrite::{Rewrite, rewrite};
pub use statement::{Gives, Piece, Refusal, RowType, Statement, statement};
pub use tokens::on_one_line;

use super::dialect::Dialect;
use super::expr::Expr;
use super::query::{Body, Query, Source};

/// PostgreSQL and MySQL count parameters in 16 bits; SQLite's default limit is lower.
const MOST_PARAMETERS: [(Dialect, usize); 3] =
    [(Dialect::Postgres, 65_535), (Dialect::MySql, 65_535), (Dialect::Sqlite, 32_766)];

/// The maximum number of parameters of one statement.
pub fn most_parameters(dialect: Dialect) -> usize {
    MOST_PARAMETERS.iter().find(|(known, _)| *known == dialect).map_or(32_766, |(_, most)| *most)
}

/// Whether a query already processes many elements: it unnests an array or JSON parameter, or writes several
/// rows of VALUES. `varies`, where known, returns whether the value of a parameter, counted from 1, changes in each iteration of
/// a loop: if a value changes and the array does not, the query still runs once for each iteration.
pub fn is_batched(query: &Query, varies: Option<&dyn Fn(usize) -> bool>) -> bool {
    let unfolds = |name: &str| {
        name == "unnest"
            || name.starts_with("json_each")
            || name.starts_with("json") && name.contains("record")
            || name.starts_with("json") && name.contains("elements")
    };
    let varies = varies.filter(|varies| (1..=query.parameters).any(varies));
    let is_of_turn = |number: usize| varies.is_none_or(|varies| varies(number));
    let parameter = |expr: &Expr| expr.any(|e| matches!(e, Expr::Parameter(number) if is_of_turn(*number)));
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
    // A value of the iteration that is in each row belongs to all of them, and the rows to it.
    let shares = |rows: &[Vec<Expr>]| {
        let is_in = |row: &Vec<Expr>, number: usize| {
            row.iter().any(|value| value.any(|e| matches!(e, Expr::Parameter(it) if *it == number)))
        };
        let is_in_all = |number: &usize| rows.iter().all(|row| is_in(row, *number));
        varies.is_some_and(|varies| (1..=query.parameters).filter(|it| varies(*it)).any(|it| is_in_all(&it)))
    };
    relation
        || query.blocks.iter().any(|block| match &block.body {
            Body::Values(rows) => rows.len() > 1 && !shares(rows),
            Body::Select(select) => select.filter.iter().chain(&select.projection).any(expression),
            Body::Write(write) => write.filter.iter().any(expression),
            Body::Set { .. } | Body::Unknown => false,
        })
}
