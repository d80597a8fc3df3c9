//! Casts between text types, which PostgreSQL's parser drops: `name::text` of a `text` or `varchar` column is
//! the column itself, for indexes and predicates alike.

use super::problem::JoinGraph;
use crate::schema::Schema;
use crate::sql::expr::ColumnRef;
use crate::sql::query::{Query, Source};
use crate::sql::{Dialect, predicates};

/// Removes such casts from the conditions of a problem.
pub(super) fn drop_from(problem: &mut JoinGraph, query: &Query, schema: &Schema) {
    if schema.dialect != Dialect::Postgres {
        return;
    }
    let is_text = |column: &ColumnRef| is_text_column(column, query, schema);
    for demand in &mut problem.demands {
        predicates::drop_text_casts(&mut demand.condition, &is_text);
    }
}

fn is_text_column(column: &ColumnRef, query: &Query, schema: &Schema) -> bool {
    let Some(relation) = column.relation else { return false };
    let Source::Table(table) = &query.relation(relation).source else { return false };
    let column = schema.stored(table).and_then(|table| table.column(&column.name));
    column.is_some_and(|column| is_text(&column.ty))
}

/// Whether values of a type are compared verbatim; those of `char` are not, since trailing blanks are
/// ignored.
fn is_text(ty: &str) -> bool {
    matches!(ty, "text" | "character varying") || ty.starts_with("character varying(")
}
