//! Columns that have to appear in GROUP BY.

use super::session::Session;
use crate::sql::query::Select;

impl Session<'_> {
    /// Notes columns outside of aggregates that are not grouped by.
    pub(super) fn check_groups(&mut self, _select: &Select) {}
}
