//! Statements that run on a condition, and those behind one that may have left: what they change is in doubt where the condition
//! is not known.

use std::collections::BTreeMap;

use super::Replay;
use super::guarded::TABLES_OF_A_STEP;
use super::values::Text;
use crate::schema::ddl::block::{self, Condition, Left, Node};
use crate::schema::ddl::{self, Change, Written};
use crate::schema::model::{Name, Table};

/// How statements end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flow {
    /// What stands behind them runs.
    On,
    /// They leave something for certain.
    Leaves(Left),
    /// They may leave something. `settles`: on a condition that looks at a catalog, so that the schema is after it what
    /// the rest makes of it.
    MayLeave { left: Left, settles: bool },
}

impl Flow {
    pub(super) fn may_leave(left: Option<Left>, settles: bool) -> Flow {
        left.map_or(Flow::On, |left| Flow::MayLeave { left, settles })
    }

    /// The flow behind a block.
    pub(super) fn behind(self, label: Option<&str>) -> Flow {
        let ends = |left: &Left| matches!(left, Left::Block(name) if Some(name.as_str()) == label);
        match &self {
            Flow::Leaves(left) | Flow::MayLeave { left, .. } if ends(left) => Flow::On,
            Flow::On | Flow::Leaves(_) | Flow::MayLeave { .. } => self,
        }
    }

    /// The flow behind a loop.
    pub(super) fn behind_loop(self) -> Flow {
        match self {
            Flow::On | Flow::Leaves(Left::Loop) | Flow::MayLeave { left: Left::Loop, .. } => Flow::On,
            Flow::Leaves(_) | Flow::MayLeave { .. } => self,
        }
    }

    /// The flow of a branch that may run, or another one of those that leave this, if any does.
    fn or_another(self, others: Option<Left>, settled: bool) -> Flow {
        match (self, others) {
            (flow, Some(others)) => flow.behind_doubt(others, settled),
            (Flow::Leaves(left), None) => Flow::MayLeave { left, settles: settled },
            (flow, None) => flow,
        }
    }

    /// The flow of statements that run unless something was left before.
    pub(super) fn behind_doubt(self, before: Left, settled: bool) -> Flow {
        match self {
            Flow::On => Flow::MayLeave { left: before, settles: settled },
            Flow::Leaves(left) if left == before => Flow::Leaves(left),
            Flow::Leaves(left) => Flow::MayLeave { left: left.wider(before), settles: settled },
            Flow::MayLeave { left, settles } => {
                Flow::MayLeave { left: left.wider(before), settles: settles && settled }
            }
        }
    }
}

impl Replay {
    /// Runs the first branch whose condition holds; if that is undetermined, the first one that changes the
    /// schema.
    pub(super) fn run_branches(
        &mut self,
        branches: &[(Condition, Vec<Node>)],
        otherwise: &[Node],
        what: &str,
    ) -> Flow {
        // What branches that may have run leave, and whether all of their conditions look at a catalog.
        let mut left: Option<Left> = None;
        let mut settled = true;
        let mut is_certain = true;
        for (at, (condition, nodes)) in branches.iter().enumerate() {
            match self.holds(condition) {
                Some(false) => continue,
                None if !block::runs_ddl(nodes) => {
                    self.forget_assigned(nodes);
                    settled &= self.settles(condition);
                    is_certain = false;
                    left = [left, block::leaves(nodes)].into_iter().flatten().reduce(Left::wider);
                    continue;
                }
                None => {
                    settled &= self.settles(condition);
                    // Another branch may run instead.
                    let rest = branches.get(at + 1..).unwrap_or_default().iter().map(|(_, nodes)| nodes);
                    let rest: Vec<&[Node]> = rest.map(Vec::as_slice).chain([otherwise]).collect();
                    rest.iter().for_each(|nodes| self.loosen_all(nodes));
                    let leaves = rest.iter().filter_map(|nodes| block::leaves(nodes)).chain(left);
                    let leaves = leaves.reduce(Left::wider);
                    return self.run_if(nodes, settled, what).or_another(leaves, settled);
                }
                Some(true) => {}
            }
            return self.run_rest(nodes, (is_certain, left, settled), what);
        }
        self.run_rest(otherwise, (is_certain, left, settled), what)
    }

    /// Runs a branch that runs unless one before it did.
    fn run_rest(
        &mut self,
        nodes: &[Node],
        (is_certain, left, settled): (bool, Option<Left>, bool),
        what: &str,
    ) -> Flow {
        if is_certain {
            return self.run(nodes, what);
        }
        self.run_if(nodes, settled, what).or_another(left, settled)
    }

    /// The values that variables of the running body have before a block hides them.
    pub(super) fn values_of(&self, names: &[String]) -> Vec<(String, Option<Text>)> {
        let value = |name: &String| self.frames.last().and_then(|frame| frame.get(name)).cloned();
        names.iter().map(|name| (name.clone(), value(name))).collect()
    }

    pub(super) fn restore(&mut self, hidden: Vec<(String, Option<Text>)>) {
        let Some(frame) = self.frames.last_mut() else { return };
        for (name, value) in hidden {
            match value {
                Some(value) => frame.insert(name, value),
                None => frame.remove(&name),
            };
        }
    }

    /// Whether a condition looks at a catalog: itself, or in the body that it is in.
    fn settles(&self, condition: &Condition) -> bool {
        condition.reads_catalog().unwrap_or_else(|| self.looks_up())
    }

    /// Runs statements that may not run. What they do to indexes, keys and foreign keys is in doubt, unless the condition
    /// settles it.
    pub(super) fn run_if(&mut self, nodes: &[Node], settles: bool, what: &str) -> Flow {
        if !block::runs_ddl(nodes) && !self.calls_ddl(nodes) {
            return self.run(nodes, what);
        }
        self.gap(format!("{what} runs DDL on a condition that is not known"), None, None);
        let is_followed = !settles && self.takes_steps(1 + self.schema.tables.len() / TABLES_OF_A_STEP);
        let before = if is_followed { self.schema.tables.clone() } else { BTreeMap::new() };
        let flow = self.run(nodes, what);
        if is_followed {
            self.doubt_since(before);
        }
        flow
    }

    /// Records what may change when one of several functions is called.
    pub(super) fn call_one_of(&mut self, function: &Written, what: &str) {
        self.gap(format!("{what}, of which there are several, runs DDL"), None, None);
        let name = self.find(function, |name| self.schema.functions.contains_key(name));
        let all = name.and_then(|name| self.schema.functions.get(&name)).cloned().unwrap_or_default();
        let before = self.schema.tables.clone();
        for sql in all {
            if let Ok(Change::CreateFunction(function)) = ddl::parse(&sql, self.schema.dialect)
                && let Some(body) = function.body
                && self.takes_steps(1 + self.schema.tables.len() / TABLES_OF_A_STEP)
            {
                self.loosen_all(&block::parse(&body, self.schema.dialect));
            }
        }
        self.doubt_since(before);
    }

    /// Puts in doubt which indexes and foreign keys there are, where that is not as before.
    fn doubt_since(&mut self, before: BTreeMap<Name, Table>) {
        for (name, old) in before {
            let Some(table) = self.schema.tables.get_mut(&name) else { continue };
            for index in &mut table.indexes {
                index.doubtful |= !old.indexes.iter().any(|it| it.name == index.name);
            }
            for key in &mut table.foreign_keys {
                key.doubtful |= !old.foreign_keys.iter().any(|it| it.name == key.name);
            }
            for mut index in old.indexes {
                let has = |key: &str| table.columns.iter().any(|column| column.name == key);
                let is_whole = index.keys.iter().all(|key| key.as_column().is_none_or(has));
                if !is_whole || table.indexes.iter().any(|it| it.name == index.name) {
                    continue;
                }
                if index.primary && table.primary_key.is_empty() {
                    table.primary_key.clone_from(&old.primary_key);
                }
                table
                    .unique
                    .extend(old.unique.iter().filter(|it| it.name.as_ref() == Some(&index.name)).cloned());
                index.doubtful = true;
                table.indexes.push(index);
            }
            for mut key in old.foreign_keys {
                let is_there = table.foreign_keys.iter().any(|it| it.name == key.name);
                if !is_there
                    && key.columns.iter().all(|it| table.columns.iter().any(|known| known.name == *it))
                {
                    key.doubtful = true;
                    table.foreign_keys.push(key);
                }
            }
        }
    }
}
