//! One query for all elements instead of one for each: which queries already are one, and what the others are rewritten
//! to.

mod rewrite;
mod statement;
mod tokens;

pub use rewrite::{Rewrite, rewrite};
pub use statement::{Gives, Piece, Refusal, RowType, Statement, statement};
pub use tokens::on_one_line;

use super::dialect::Dialect;
use super::expr::Expr;
use super::query::{Body, Query, Source};

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
