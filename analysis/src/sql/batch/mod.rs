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
/// rows of VALUES.
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
