//! Loops of code that runs DDL: each iteration, where its values are known, or what their statements may change.

use super::Replay;
use super::block::STEPS;
use super::branches::Flow;
use super::values::{Text, fields};
use crate::schema::ddl::block::{self, Condition, Node};
use crate::schema::ddl::{self, Change, Written};
use crate::sql::Dialect;

impl Replay {
    /// Runs a loop once for each of its values, if they are known.
    pub(super) fn run_each(
        &mut self,
        variable: &str,
        items: &[String],
        columns: &[String],
        nodes: &[Node],
        what: &str,
    ) -> Flow {
        let Some(values) = self.elements(items) else {
            self.assign(variable, Text::hole());
            return self.run_loop(nodes, what);
        };
        for (place, value) in values.into_iter().enumerate() {
            let row = items.get(place).map_or("", String::as_str);
            let fields = fields(row, self.schema.dialect);
            if fields.len() > 1 {
                for (at, field) in fields.into_iter().enumerate() {
                    let default = format!("column{}", at + 1);
                    let name = columns.get(at).unwrap_or(&default);
                    let value = self.evaluate(field);
                    self.assign(&format!("{variable}.{name}"), value);
                }
            }
            self.assign(variable, value);
            let flow = self.run(nodes, what);
            if self.steps > STEPS || flow != Flow::On {
                return flow.behind_loop();
            }
        }
        Flow::On
    }

    /// Runs a loop while its condition is known to hold.
    pub(super) fn run_while(
        &mut self,
        condition: &Condition,
        nodes: &[Node],
        tests_last: bool,
        what: &str,
    ) -> Flow {
        for turn in 0..block::MOST_TURNS {
            let holds = if tests_last && turn == 0 { Some(true) } else { self.holds(condition) };
            match holds {
                // Without steps left, the loops inside would still be entered, each as often as this one.
                Some(true) if self.steps <= STEPS => match self.run(nodes, what) {
                    Flow::On => {}
                    left @ (Flow::Leaves(_) | Flow::MayLeave { .. }) => return left.behind_loop(),
                },
                Some(false) => return Flow::On,
                Some(true) | None => break,
            }
        }
        self.run_loop(nodes, what)
    }

    /// Runs a loop of which only the statements are known, not how often and with which values they run.
    pub(super) fn run_loop(&mut self, nodes: &[Node], what: &str) -> Flow {
        if block::runs_ddl(nodes) || self.calls_ddl(nodes) {
            self.gap(format!("{what} runs DDL in a loop"), None, None);
        }
        self.forget_assigned(nodes);
        self.loosen_all(nodes);
        self.forget_assigned(nodes);
        Flow::may_leave(block::leaves(nodes), false).behind_loop()
    }

    /// Whether several functions have a name.
    pub(super) fn is_overloaded(&self, function: &Written) -> bool {
        let name = self.find(function, |name| self.bodies.contains_key(name));
        name.and_then(|name| self.schema.functions.get(&name)).is_some_and(|all| all.len() > 1)
    }

    /// Whether a function is called that runs DDL.
    pub(super) fn calls_ddl(&self, nodes: &[Node]) -> bool {
        let runs = |function: &Written| self.find(function, |name| self.bodies.contains_key(name)).is_some();
        nodes.iter().any(|node| match node {
            Node::Call { function, .. } => runs(function),
            Node::Statement(sql) => match ddl::parse(sql, self.schema.dialect) {
                Ok(Change::Calls(calls)) => calls.iter().any(|(function, _)| runs(function)),
                _ => false,
            },
            Node::If { branches, otherwise } => {
                branches.iter().any(|(_, nodes)| self.calls_ddl(nodes)) || self.calls_ddl(otherwise)
            }
            Node::Loop(nodes)
            | Node::Block { nodes, .. }
            | Node::ForEach { nodes, .. }
            | Node::While { nodes, .. } => self.calls_ddl(nodes),
            Node::Execute(_) | Node::Assign { .. } | Node::Raise | Node::Leave(_) => false,
        })
    }

    /// Variables assigned in a loop are unknown after it.
    pub(super) fn forget_assigned(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Statement(sql) if self.schema.dialect == Dialect::MySql => {
                    match ddl::parse(sql, Dialect::MySql) {
                        Ok(Change::SetVariables(variables)) => {
                            variables.iter().for_each(|(name, _)| self.assign(name, Text::hole()));
                        }
                        Ok(Change::Prepare(name, _)) => {
                            self.session.prepared.insert(name, Text::hole());
                        }
                        _ => {}
                    }
                }
                Node::Assign { variable, .. } => self.assign(variable, Text::hole()),
                Node::Loop(nodes)
                | Node::Block { nodes, .. }
                | Node::ForEach { nodes, .. }
                | Node::While { nodes, .. } => {
                    self.forget_assigned(nodes);
                }
                Node::If { branches, otherwise } => {
                    branches.iter().for_each(|(_, nodes)| self.forget_assigned(nodes));
                    self.forget_assigned(otherwise);
                }
                Node::Statement(_) | Node::Execute(_) | Node::Call { .. } | Node::Raise | Node::Leave(_) => {}
            }
        }
    }
}
