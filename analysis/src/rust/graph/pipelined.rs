//! Statements that wait for one another on no way: tokio-postgres sends those of futures that are joined one after the other, without
//! waiting for answers, so that all of them take about as long as one.

use super::calls::CallGraph;
use crate::rust::site::{Form, Loop, Site};
use crate::rust::source::FunctionId;
use crate::sql::Dialect;

/// Why a statement in such a loop is seldom worth a change, as a note.
const WHY: &str = "the futures of all elements are joined, and tokio-postgres sends their statements without waiting for answers";

impl CallGraph<'_> {
    /// Why a call of one of these functions, in a loop that makes a future for each element, is seldom worth a change.
    pub(super) fn why_pipelined(&self, around: &Loop, targets: &[FunctionId]) -> Option<String> {
        let (at, site) = self.walk_to_query(self.nearest_target(targets)?, |_, _| {})?;
        self.why_site_is_pipelined(around, at, site)
    }

    /// Like `why_pipelined`, of a query in a function.
    pub(super) fn why_site_is_pipelined(
        &self,
        around: &Loop,
        function: FunctionId,
        site: &Site,
    ) -> Option<String> {
        let (source, _) = self.get(function).filter(|_| around.is_joined && site.form == Form::Driver)?;
        (source.scan.databases.of_drivers == [Dialect::Postgres]).then(|| WHY.to_owned())
    }
}
