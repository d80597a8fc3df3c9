//! Casts that PostgreSQL's parser drops: `name::text` of a `text` or `varchar` column and `n::int` of an `integer` one
//! are the column itself, for indexes and predicates alike.

use super::problem::JoinGraph;
use crate::schema::{Schema, UserType};
use crate::sql::expr::ColumnRef;
use crate::sql::query::{Query, Source};
use crate::sql::{Dialect, predicates, type_names};

/// Removes such casts from the conditions of a problem.
pub(super) fn drop_from(problem: &mut JoinGraph, query: &Query, schema: &Schema) {
    if schema.dialect != Dialect::Postgres {
        return;
    }
    let type_of = |column: &ColumnRef| {
        let Source::Table(table) = &query.relation(column.relation?).source else { return None };
        schema.stored(table)?.column(&column.name).map(|column| column.ty.as_str())
    };
    let keeps_texts =
        |column: &ColumnRef, ty: &str| type_of(column).is_some_and(|own| type_names::keeps_texts(own, ty));
    // What a domain is over: a cast to it changes nothing either.
    let base_of = |column: &ColumnRef| type_of(column).and_then(|own| base(own, schema));
    let keeps_texts = |column: &ColumnRef, ty: &str| {
        keeps_texts(column, ty) || base_of(column).is_some_and(|own| type_names::keeps_texts(own, ty))
    };
    for demand in &mut problem.demands {
        predicates::drop_text_casts(&mut demand.condition, &keeps_texts);
        predicates::drop_casts_to_own_type(&mut demand.condition, &type_of);
        predicates::drop_casts_to_own_type(&mut demand.condition, &base_of);
    }
}

/// The maximum nesting of domains.
const MOST_DOMAINS: usize = 8;

/// The type that a domain is over in the end.
fn base<'s>(ty: &str, schema: &'s Schema) -> Option<&'s str> {
    let mut found = None;
    let mut ty = ty;
    for _ in 0..MOST_DOMAINS {
        let (of, name) = ty.split_once('.').map_or((None, ty), |(of, name)| (Some(of), name));
        let Some(UserType::Domain { base, .. }) = schema.user_type(of, name.trim_matches('"')) else { break };
        found = Some(base.as_str());
        ty = base;
    }
    found
}
