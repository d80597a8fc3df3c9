//! Casts that PostgreSQL's parser drops: `name::text` of a `text` or `varchar` column and `n::int` of an `integer` one
//! are the column itself, for indexes and predicates alike.

use super::problem::JoinGraph;
use crate::schema::Schema;
use crate::sql::expr::ColumnRef;
use crate::sql::query::{Query, Source};
use crate::sql::{Dialect, predicates, type_names};

/// How many domains over each other are looked through.
const MOST_DOMAINS: usize = 4;

/// Removes such casts from the conditions of a problem.
pub(super) fn drop_from(problem: &mut JoinGraph, query: &Query, schema: &Schema) {
    if schema.dialect != Dialect::Postgres {
        return;
    }
    let type_of = |column: &ColumnRef| {
        let Source::Table(table) = &query.relation(column.relation?).source else { return None };
        schema.stored(table)?.column(&column.name).map(|column| column.ty.as_str())
    };
    // A domain is its base type to the operators of that, whose casts are none either.
    for depth in 0..MOST_DOMAINS {
        let type_of =
            |column: &ColumnRef| (0..depth).try_fold(type_of(column)?, |ty: &str, _| schema.base_of(ty));
        let keeps_texts = |column: &ColumnRef, ty: &str| {
            type_of(column).is_some_and(|own| type_names::keeps_texts(own, ty))
        };
        for demand in &mut problem.demands {
            predicates::drop_text_casts(&mut demand.condition, &keeps_texts);
            predicates::drop_casts_to_own_type(&mut demand.condition, &type_of);
        }
        if schema.types.is_empty() {
            return;
        }
    }
}
