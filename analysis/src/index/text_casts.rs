//! Casts among the types of text, which PostgreSQL's parser drops: `name::text` of a `text` or `varchar` column is the
//! column, to an index as to a predicate.

use super::problem::Problem;
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{Query, Source};

/// Takes such casts out of the conditions of a problem.
pub(super) fn drop_from(problem: &mut Problem, query: &Query, schema: &Schema) {
    if schema.dialect != Dialect::Postgres {
        return;
    }
    for demand in &mut problem.demands {
        drop_in(&mut demand.condition, query, schema);
    }
}

fn drop_in(expr: &mut Expr, query: &Query, schema: &Schema) {
    if let Expr::Cast { expr: inner, ty } = expr
        && matches!(ty.as_str(), "text" | "varchar" | "character varying")
        && is_text_column(inner, query, schema)
    {
        let column = std::mem::replace(inner.as_mut(), Expr::Row(Vec::new()));
        *expr = column;
        return;
    }
    for child in expr.children_mut() {
        drop_in(child, query, schema);
    }
}

fn is_text_column(expr: &Expr, query: &Query, schema: &Schema) -> bool {
    let Some((column, relation)) = expr.as_column().and_then(|column| Some((column, column.relation?)))
    else {
        return false;
    };
    let Source::Table(table) = &query.relation(relation).source else { return false };
    let column = schema.tables.get(table).and_then(|table| table.column(&column.name));
    column.is_some_and(|column| is_text(&column.ty))
}

/// Whether values of a column's type are compared as they are written: not those of `char`, whose blanks do not count.
fn is_text(ty: &str) -> bool {
    matches!(ty, "text" | "character varying") || ty.starts_with("character varying(")
}
