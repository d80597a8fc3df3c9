//! Tables that are read in full because of how the query is written, which another lint reports: an index
//! alone would not help.

use super::{
    QueryContext, cast_on_column, function_on_column, leading_wildcard, not_in_subquery, optional_filter,
};
use crate::sql::query::{Query, RelationId};

/// The relations that no index can serve as the query is written.
pub(super) fn relations(context: &QueryContext<'_>, query: &Query) -> Vec<RelationId> {
    if !context.any_unserved() {
        return Vec::new();
    }
    let lints =
        [optional_filter::found, leading_wildcard::found, cast_on_column::found, function_on_column::found];
    let by_filter = lints.iter().flat_map(|found| found(context, query)).map(|(relation, _)| relation);
    let by_exclusion =
        not_in_subquery::found(context, query).into_iter().filter_map(|(relation, _)| relation);
    by_filter.chain(by_exclusion).collect()
}
