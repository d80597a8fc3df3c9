//! Blocks of PL/pgSQL that handle exceptions: an error undoes what they did.

use std::slice;

use super::Replay;
use super::branches::Flow;
use crate::schema::ddl::block::{self, Left, Node};
use crate::sql::Dialect;

/// How many tables of the schema count as one step when it is copied.
pub(super) const TABLES_OF_A_STEP: usize = 16;

impl Replay {
    /// Runs a block up to its first error, which undoes all of the block and runs one of the handlers. Which one
    /// is not known, so that what they change may be anything.
    pub(super) fn run_guarded(&mut self, nodes: &[Node], handlers: &[Node], what: &str) -> Flow {
        let mut before = None;
        let mut changes = 0_usize;
        // What may have been left, and whether the catalog says so.
        let mut doubt: Option<(Left, bool)> = None;
        for (at, node) in nodes.iter().enumerate() {
            let is_change = block::runs_ddl(slice::from_ref(node));
            let may_fail_later = || {
                let more = nodes.get(at + 1..).unwrap_or_default();
                more.iter().any(|node| matches!(node, Node::Raise)) || block::runs_ddl(more)
            };
            if is_change && changes == 0 && may_fail_later() {
                let steps = 1 + self.schema.tables.len() / TABLES_OF_A_STEP;
                before = self.takes_steps(steps).then(|| Box::new(self.clone()));
            }
            let (has_failed, flow) = match (node, &doubt) {
                (Node::Statement(sql), None) => (self.run_statement(sql, what), Flow::On),
                (Node::Raise, _) => (true, Flow::On),
                (node, None) => (false, self.run(slice::from_ref(node), what)),
                (node, Some((_, settles))) => (false, self.run_if(slice::from_ref(node), *settles, what)),
            };
            match (flow, &doubt) {
                (Flow::On, _) => {}
                (Flow::Leaves(left), None) => return Flow::Leaves(left),
                (flow @ Flow::Leaves(_), Some((before, settles))) => {
                    return flow.behind_doubt(before.clone(), *settles);
                }
                (Flow::MayLeave { left, settles }, _) => doubt = Some((left, settles)),
            }
            if !has_failed {
                changes += usize::from(is_change);
                continue;
            }
            // A statement may have failed only here, if something of the schema is not known; and a RAISE may not be reached,
            // after an IF that may return.
            let earlier = nodes.get(..at).unwrap_or_default();
            let is_straight = earlier
                .iter()
                .all(|node| !matches!(node, Node::If { .. } | Node::ForEach { .. } | Node::While { .. }));
            let is_certain = self.schema.gaps.is_empty() && (is_straight || !matches!(node, Node::Raise));
            match before {
                // Each statement that changes the schema commits what ran before it.
                _ if self.schema.dialect == Dialect::MySql && is_certain => {}
                _ if self.schema.dialect == Dialect::MySql => {
                    self.gap(format!("{what} ends at an error"), None, None);
                }
                Some(before) if changes > 0 && is_certain => *self = Replay { steps: self.steps, ..*before },
                _ if changes > 0 => self.gap(format!("{what} undoes DDL after an error"), None, None),
                _ => {}
            }
            if block::runs_ddl(handlers) {
                self.gap(format!("{what} handles an error with DDL"), None, None);
                self.loosen_all(handlers);
            }
            return Flow::may_leave(block::leaves(handlers), false);
        }
        doubt.map_or(Flow::On, |(left, settles)| Flow::MayLeave { left, settles })
    }
}
