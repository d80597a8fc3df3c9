//! Code that runs DDL: `DO` blocks, and functions and procedures that a migration calls.

use std::collections::{BTreeMap, BTreeSet};

use super::Replay;
use super::branches::Flow;
use super::doubt::Running;
use super::values::{HOLE, Text};
use crate::schema::Unapplied;
use crate::schema::ddl::block::{self, Condition, Node, Test};
use crate::schema::ddl::{self, Action, Change, Rule, Written};
use crate::schema::model::Name;
use crate::sql::Dialect;
use crate::sql::split;

/// The maximum nesting of functions and blocks.
const MAX_BLOCK_DEPTH: usize = 8;
/// The maximum number of steps of all functions and blocks of a set of migrations: a function that calls
/// itself twice would take exponentially many. A step is a statement, or some bytes of a body.
pub(super) const STEPS: usize = 20_000;
const BYTES_OF_A_STEP: usize = 64;

/// A function that migrations may call.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) body: String,
    /// The name and the default of each parameter.
    pub(super) parameters: Vec<(String, String)>,
}

impl Replay {
    /// Runs the body of a `DO` block, or MariaDB's `BEGIN NOT ATOMIC`, as far as it is understood.
    pub(super) fn run_block(&mut self, body: &str) {
        let what = if self.schema.dialect == Dialect::Postgres { "a DO block" } else { "a BEGIN block" };
        self.run_body(body, BTreeMap::new(), what);
    }

    /// Runs the statements that a query returns, as far as they are known.
    pub(super) fn run_generated(&mut self, query: &str) {
        self.depth += 1;
        self.frames.push(BTreeMap::new());
        self.running.push(Running::new(query));
        let _ = self.run(&ddl::generated(query), "`\\gexec`");
        self.running.pop();
        self.frames.pop();
        self.depth -= 1;
    }

    /// Runs a function that a migration calls directly.
    pub(super) fn call(&mut self, function: &Written, arguments: &[String]) {
        let made = match function.name.as_str() {
            "create_hypertable" | "create_distributed_hypertable" => self.create_hypertable(arguments),
            "add_dimension" => self.add_dimension(arguments),
            _ => Ok(()),
        };
        if let (Err(message), 0) = (made, self.depth) {
            let (file, line) = self.place.clone();
            self.problems.push(Unapplied { file, line, message });
        }
        if let Some((body, frame, what)) = self.called(function, arguments) {
            // Which of several is called depends on the types of the arguments.
            if self.is_overloaded(function) {
                return self.call_one_of(function, &what);
            }
            self.run_body(&body, frame, &what);
        }
    }

    /// Records what a function may change that is called in a loop.
    pub(super) fn loosen_call(&mut self, function: &Written, arguments: &[String]) {
        let Some((body, frame, _)) = self.called(function, arguments) else { return };
        if self.depth >= MAX_BLOCK_DEPTH || !self.takes_steps(1 + body.len() / BYTES_OF_A_STEP) {
            return;
        }
        self.depth += 1;
        self.frames.push(frame);
        self.running.push(Running::new(&body));
        self.loosen_all(&block::parse(&body, self.schema.dialect));
        self.running.pop();
        self.frames.pop();
        self.depth -= 1;
    }

    /// The body of a function that runs DDL, the values of its parameters, and what a call of it is called.
    fn called(
        &self,
        function: &Written,
        arguments: &[String],
    ) -> Option<(String, BTreeMap<String, Text>, String)> {
        let name = self.find(function, |name| self.bodies.contains_key(name))?;
        let Function { body, parameters } = self.bodies.get(&name).cloned()?;
        let mut frame = BTreeMap::new();
        for (place, (parameter, default)) in
            parameters.iter().enumerate().filter(|(_, (_, it))| !it.is_empty())
        {
            let value = self.evaluate(default);
            frame.insert(format!("${}", place + 1), value.clone());
            frame.insert(parameter.clone(), value);
        }
        for (place, argument) in arguments.iter().enumerate() {
            let named = argument.split_once("=>").or_else(|| argument.split_once(":="));
            let (parameter, value) = match named.map(|(name, value)| (name.trim().to_lowercase(), value)) {
                Some((name, value)) if parameters.iter().any(|(it, _)| *it == name) => {
                    (name, self.evaluate(value))
                }
                _ => {
                    let name = parameters.get(place).map(|(name, _)| name.clone());
                    (name.unwrap_or_default(), self.evaluate(argument))
                }
            };
            let place = parameters.iter().position(|(it, _)| *it == parameter).unwrap_or(place);
            frame.insert(format!("${}", place + 1), value.clone());
            frame.insert(parameter, value);
        }
        Some((body, frame, format!("a call of `{name}`")))
    }

    fn run_body(&mut self, body: &str, frame: BTreeMap<String, Text>, what: &str) {
        if self.depth >= MAX_BLOCK_DEPTH || !self.takes_steps(1 + body.len() / BYTES_OF_A_STEP) {
            if block::runs_ddl(&block::parse(body, self.schema.dialect)) {
                self.gap(format!("{what} takes too many steps to be followed"), None, None);
            }
            return;
        }
        self.depth += 1;
        self.frames.push(frame);
        self.running.push(Running::new(body));
        let _ = self.run(&block::parse(body, self.schema.dialect), what);
        self.running.pop();
        self.frames.pop();
        self.depth -= 1;
    }

    /// Uses up steps; `false` if none are left.
    pub(super) fn takes_steps(&mut self, steps: usize) -> bool {
        self.steps += steps;
        self.steps <= STEPS
    }

    /// Runs statements up to one that leaves them.
    pub(super) fn run(&mut self, nodes: &[Node], what: &str) -> Flow {
        for (at, node) in nodes.iter().enumerate() {
            if !self.takes_steps(1) {
                if block::runs_ddl(nodes) {
                    self.gap(format!("{what} takes too many steps to be followed"), None, None);
                }
                return Flow::On;
            }
            let mut flow = Flow::On;
            match node {
                Node::Statement(sql) => {
                    self.run_statement(sql, what);
                }
                Node::Execute(expression) => {
                    let text = self.evaluate(expression);
                    self.execute(&text, what);
                }
                Node::Assign { variable, value } => {
                    let value = self.evaluate(value);
                    self.assign(variable, value);
                }
                Node::Call { function, arguments } => self.call(function, arguments),
                Node::If { branches, otherwise } => flow = self.run_branches(branches, otherwise, what),
                Node::ForEach { variable, items, columns, nodes } => {
                    flow = self.run_each(variable, items, columns, nodes, what);
                }
                Node::While { condition, nodes, tests_last } => {
                    flow = self.run_while(condition, nodes, *tests_last, what);
                }
                Node::Loop(nodes) => flow = self.run_loop(nodes, what),
                Node::Block { label, declares, nodes, handlers } => {
                    let hidden = self.values_of(declares);
                    flow = match handlers {
                        Some(handlers) => self.run_guarded(nodes, handlers, what),
                        None => self.run(nodes, what),
                    };
                    flow = flow.behind(label.as_deref());
                    self.restore(hidden);
                }
                // It ends the body, and with it the migration, unless a condition keeps it from running.
                Node::Raise => {}
                Node::Leave(left) => flow = Flow::Leaves(left.clone()),
            }
            match flow {
                Flow::On => {}
                Flow::Leaves(_) => return flow,
                Flow::MayLeave { left, settles } => {
                    let rest = nodes.get(at + 1..).unwrap_or_default();
                    return self.run_if(rest, settles, what).behind_doubt(left, settles);
                }
            }
        }
        Flow::On
    }

    /// Assigns a variable of the current body, or of the session.
    pub(super) fn assign(&mut self, variable: &str, value: Text) {
        match self.frames.last_mut().filter(|_| !variable.starts_with('@')) {
            Some(frame) => frame.insert(variable.to_owned(), value),
            None => self.session.variables.insert(variable.to_owned(), value),
        };
    }

    /// Runs dynamic SQL.
    pub(super) fn execute(&mut self, text: &Text, what: &str) {
        match text.known() {
            Some(sql) => {
                for piece in split::statements(&sql, self.schema.dialect) {
                    self.run_statement(piece.text, what);
                }
            }
            None => {
                let filled = text.filled();
                for piece in split::statements(&filled, self.schema.dialect) {
                    match piece.text.contains(HOLE) {
                        true => self.run_filled(piece.text, what),
                        false => drop(self.run_statement(piece.text, what)),
                    }
                }
            }
        }
    }

    /// Runs one statement; a failure here was guarded against, or is caught. Returns whether it failed.
    pub(super) fn run_statement(&mut self, sql: &str, what: &str) -> bool {
        match ddl::parse(sql, self.schema.dialect) {
            Ok(change) => self.change(change).is_err(),
            Err(_) => {
                if block::looks_like_ddl(sql, self.schema.dialect) {
                    self.gap(format!("{what} runs DDL that is not understood"), None, None);
                }
                false
            }
        }
    }

    /// Runs a statement with unknown parts: what does not depend on them is applied, the rest may be
    /// anything.
    fn run_filled(&mut self, sql: &str, what: &str) {
        let Some(unknown) = unknown_effect(sql, self.schema.dialect) else { return };
        let composed = format!("{what} runs SQL that it puts together");
        self.loosen(sql);
        match ddl::parse(sql, self.schema.dialect) {
            Ok(Change::Alter { name, if_exists, only, actions }) if !has_hole(&name) => {
                let mut rest = Vec::new();
                for action in actions {
                    match without_holes(action, self.schema.dialect) {
                        Some(action) => rest.push(action),
                        None => self.gap(composed.clone(), None, None),
                    }
                }
                let _ = self.alter(&name, if_exists, only, rest);
            }
            Ok(Change::CreateIndex(mut index)) => {
                if index.index.name.as_ref().is_some_and(has_hole) {
                    index.index.name = None;
                }
                if has_hole(&index) {
                    self.gap(composed, None, None);
                } else {
                    let _ = self.create_index(*index);
                }
            }
            // Its rows may be in any of the ranges.
            Ok(Change::CreateTable(mut table))
                if table.partition_of.as_ref().is_some_and(|(_, bound)| has_hole(bound)) =>
            {
                let partitioned = unknown.partition_of.and_then(|parent| self.find_table(&parent));
                self.gap(composed, None, partitioned);
                table.partition_of = None;
            }
            _ => {
                let partitioned = unknown.partition_of.and_then(|parent| self.find_table(&parent));
                self.gap(composed, None, partitioned);
            }
        }
    }

    /// Records a function that may change the schema when the application calls it.
    pub(super) fn note_function(&mut self, name: &Name, body: &str) {
        let unknown = self.effects(&block::parse(body, self.schema.dialect));
        // If it only creates partitions of one table, dropping that table removes the gap.
        let parents: Vec<&Option<Written>> = unknown.iter().map(|effect| &effect.partition_of).collect();
        let parent = match parents.as_slice() {
            [] => return,
            [Some(parent)] => self.find_table(parent),
            _ => None,
        };
        let text = format!("the function `{name}` runs DDL when it is called");
        self.gap(text, Some(name.clone()), parent);
    }

    /// Records that unknown names may exist. The effect of a statement is reported with its place; a function
    /// acts when it is called.
    pub(super) fn gap(&mut self, text: String, function: Option<Name>, partitioned: Option<Name>) {
        let (file, line) = self.place.clone();
        let text =
            if function.is_none() && !file.is_empty() { format!("{text} ({file}:{line})") } else { text };
        if !self.gap_causes.contains_key(&text) {
            self.schema.gaps.push(text.clone());
            // Those of one statement come one after the other.
            let is_told =
                self.problems.last().is_some_and(|problem| problem.file == file && problem.line == line);
            if function.is_none() && partitioned.is_none() && !is_told {
                let what = text.split(" (").next().unwrap_or(&text);
                let message = format!("{what}: what it changes is not known");
                self.problems.push(Unapplied { file, line, message });
            }
        }
        self.gap_causes.insert(text, GapCause { function, partitioned });
    }

    /// Closes the gaps that end when a function or partitioned table is dropped.
    pub(super) fn close_gaps(&mut self, dropped: &Name) {
        let mut closed = BTreeSet::new();
        self.gap_causes.retain(|text, cause| {
            let ends =
                [&cause.function, &cause.partitioned].into_iter().flatten().any(|name| name == dropped);
            if ends {
                closed.insert(text.clone());
            }
            !ends
        });
        if !closed.is_empty() {
            self.schema.gaps.retain(|gap| !closed.contains(gap));
        }
    }

    /// Whether a condition holds at this point; `None` if undetermined.
    pub(super) fn holds(&self, condition: &Condition) -> Option<bool> {
        let Condition { negated, test } = condition;
        let holds = match test {
            Test::Relation(written) => {
                let exists =
                    |name: &Name| self.relation_exists(name) || self.schema.opaque.contains_key(name);
                self.find(written, exists).is_some()
            }
            Test::Catalog { catalog, equals } => self.catalog_has(catalog, equals)?,
            Test::Value(text) => self.truth(text)?,
            Test::Unknown(_) => return None,
        };
        Some(holds != *negated)
    }

    /// The changes to the schema in a body, regardless of when it runs.
    fn effects(&self, nodes: &[Node]) -> Vec<Effect> {
        let dialect = self.schema.dialect;
        let mut found = Vec::new();
        for node in nodes {
            match node {
                Node::Statement(sql) if !block::looks_like_ddl(sql, dialect) => {}
                Node::Statement(sql) => found.extend(unknown_effect(sql, dialect)),
                Node::Execute(expression) if !block::may_be_ddl(expression, dialect) => {}
                Node::Execute(expression) => {
                    let text = super::values::of_strings(expression, dialect);
                    found.extend(unknown_effect(&text.filled(), dialect));
                }
                Node::Call { .. } | Node::Assign { .. } | Node::Raise | Node::Leave(_) => {}
                Node::If { branches, otherwise } => {
                    branches.iter().for_each(|(_, nodes)| found.extend(self.effects(nodes)));
                    found.extend(self.effects(otherwise));
                }
                Node::Loop(nodes)
                | Node::Block { nodes, .. }
                | Node::ForEach { nodes, .. }
                | Node::While { nodes, .. } => {
                    found.extend(self.effects(nodes));
                }
            }
        }
        found
    }
}

/// The cause of unknown names, until it is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct GapCause {
    function: Option<Name>,
    partitioned: Option<Name>,
}

/// A change to the schema that is not fully known.
struct Effect {
    /// The table of which it creates a partition.
    partition_of: Option<Written>,
}

/// The effect of SQL with unknown parts on the schema, if it affects the model.
fn unknown_effect(sql: &str, dialect: Dialect) -> Option<Effect> {
    match ddl::parse(sql, dialect) {
        Ok(
            Change::Nothing
            | Change::EndTransaction
            | Change::Savepoint(_)
            | Change::RollbackTo(_)
            | Change::SetSearchPath { .. }
            | Change::Calls(_),
        ) => None,
        Ok(Change::Alter { actions, .. }) if actions.is_empty() => None,
        Ok(Change::CreateTable(table)) if table.temporary => None,
        Ok(Change::CreateTable(table)) => {
            Some(Effect { partition_of: table.partition_of.map(|(parent, _)| parent) })
        }
        Ok(_) | Err(_) => Some(Effect { partition_of: None }),
    }
}

/// Whether any part of a statement is unknown.
pub(super) fn has_hole(part: &impl std::fmt::Debug) -> bool {
    format!("{part:?}").contains(HOLE)
}

/// An action without its unknown parts: a column whose default is some unknown value.
fn without_holes(action: Action, dialect: Dialect) -> Option<Action> {
    if !has_hole(&action) {
        return Some(action);
    }
    let Action::AddColumn { mut column, if_not_exists, position } = action else { return None };
    if column.column.default.as_ref().is_some_and(has_hole) {
        // An unknown value of the column's type.
        let is_plain = dialect == Dialect::Postgres && column.ty.user.is_none();
        column.column.default = is_plain.then(|| format!("NULL::{}", column.ty.text));
    }
    column
        .constraints
        .retain(|constraint| !matches!(&constraint.rule, Rule::Check(check) if has_hole(check)));
    let action = Action::AddColumn { column, if_not_exists, position };
    (!has_hole(&action)).then_some(action)
}

#[cfg(test)]
mod tests;
