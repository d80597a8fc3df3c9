//! Shared by several lints: the tables of a query, the loops around it, wrapped columns, a database as a
//! whole.

pub(super) mod added;
pub(super) mod aged;
pub(super) mod bound;
pub(super) mod built;
pub(super) mod cached;
pub(super) mod clause;
pub(super) mod database;
pub(super) mod ddl;
pub(super) mod folded;
pub(super) mod group;
pub(super) mod growth;
pub(super) mod guarded;
pub(super) mod infix;
pub(super) mod kinds;
pub(super) mod loops;
pub(super) mod meant;
pub(super) mod nearest;
pub(crate) mod one_key;
pub(super) mod partial;
pub(super) mod pasteable;
pub(super) mod replaced;
pub(super) mod shifted;
pub(super) mod slices;
#[cfg(test)]
mod tests;
pub(super) mod time_ranges;
pub(super) mod unbounded;
pub(super) mod wording;
pub(super) mod wrapped;

/// The lints on allows themselves, which the driver runs.
pub(crate) use super::{
    allow_without_reason::LINT as ALLOW_WITHOUT_REASON, unknown_lint::LINT as UNKNOWN_LINT,
    unused_allow::LINT as UNUSED_ALLOW,
};

use super::QueryContext;
use crate::finding::Finding;
use crate::sql::Query;

/// Adds all that `found` finds in a query, without the tables that it names for other lints.
pub(super) fn add_all<T>(
    context: &QueryContext<'_>,
    findings: &mut Vec<Finding>,
    found: fn(&QueryContext<'_>, &Query) -> Vec<(T, Finding)>,
) {
    if let Ok(query) = context.query {
        findings.extend(found(context, query).into_iter().map(|(_, finding)| finding));
    }
}
