//! Indexes that code may drop which looks up what it drops: whether they are still there is not known.

use std::cell::OnceCell;

use super::Replay;
use super::block::has_hole;
use super::values::{HOLE, Text};
use crate::schema::ddl::{self, Action, Change, Dropped, Written, block};
use crate::schema::model::{Index, IndexKey, Name, Table};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind};

/// A kind of constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConstraintKind {
    /// One that has an index.
    Key,
    Reference,
    Check,
}

/// The values by which catalogs tell the kinds of constraints.
const KINDS: [(&str, ConstraintKind); 9] = [
    ("p", ConstraintKind::Key),
    ("u", ConstraintKind::Key),
    ("x", ConstraintKind::Key),
    ("f", ConstraintKind::Reference),
    ("c", ConstraintKind::Check),
    ("PRIMARY KEY", ConstraintKind::Key),
    ("UNIQUE", ConstraintKind::Key),
    ("FOREIGN KEY", ConstraintKind::Reference),
    ("CHECK", ConstraintKind::Check),
];

impl Replay {
    /// Marks the indexes that a statement may drop, if it runs at all and with names that are not known.
    pub(super) fn doubt(&mut self, sql: &str) {
        if sql.trim() == HOLE {
            if self.running.iter().any(Running::may_drop) {
                self.doubt_where(None, |_, _| true);
            }
            return;
        }
        match ddl::parse(sql, self.schema.dialect) {
            Ok(Change::Drop(drop)) if drop.what == Dropped::Index => {
                for written in &drop.names {
                    let named = |index: &Index| has_hole(&written.name) || index.name == written.name;
                    let dialect = self.schema.dialect;
                    let is_index = |index: &Index| match dialect {
                        Dialect::MySql => !index.primary,
                        Dialect::Postgres | Dialect::Sqlite => !index.constraint,
                    };
                    let may_go = |index: &Index| is_index(index) && named(index);
                    self.doubt_where(drop.table.as_ref(), |_, index| may_go(index));
                }
            }
            Ok(Change::Drop(drop)) if drop.what == Dropped::Table && drop.names.iter().any(has_hole) => {
                let names = self.names_in_code();
                let chosen =
                    self.schema.tables.keys().filter(|name| {
                        names.is_empty() || names.iter().any(|text| is_like(&name.name, text))
                    });
                let chosen: Vec<Name> = chosen.cloned().collect();
                self.maybe_dropped.extend(chosen);
            }
            Ok(Change::Alter { name, actions, .. }) => {
                for action in &actions {
                    self.doubt_action(&name, action);
                }
            }
            _ => {}
        }
    }

    fn doubt_action(&mut self, table: &Written, action: &Action) {
        let named = |index: &Index, name: &str| name.contains(HOLE) || index.name == name;
        match action {
            Action::DropColumn { column, .. } => {
                let has = |index: &Index| {
                    column.contains(HOLE) || index.keys.iter().any(|key| key.as_column() == Some(column))
                };
                self.doubt_where(Some(table), |_, index| has(index));
            }
            // MySQL's foreign keys leave their index behind.
            Action::DropConstraint { name, .. } if self.schema.dialect == Dialect::MySql => {
                self.doubt_where(Some(table), |_, index| index.constraint && index.name == *name);
                self.doubt_references(table, name);
            }
            Action::DropConstraint { name, .. } => {
                let (keys, references) = self.kinds_looked_up();
                if !name.contains(HOLE) || keys {
                    self.doubt_where(Some(table), |_, index| index.constraint && named(index, name));
                }
                if !name.contains(HOLE) || references {
                    self.doubt_references(table, name);
                }
            }
            Action::DropIndex { name, .. } => {
                self.doubt_where(Some(table), |_, index| !index.primary && named(index, name));
            }
            Action::RenameConstraint { from, to } | Action::RenameIndex { from, to }
                if from.contains(HOLE) =>
            {
                self.doubt_names(Some(table), to);
            }
            // `ALTER INDEX .. RENAME TO`.
            Action::Rename { to, .. } if has_hole(table) => self.doubt_names(None, &to.name),
            Action::DropPrimaryKey => self.doubt_where(Some(table), |_, index| index.primary),
            _ => {}
        }
    }

    /// Marks the indexes of a table, or of those that the running code names in its texts if the table is not known.
    fn doubt_where(&mut self, table: Option<&Written>, may_go: impl Fn(&Table, &Index) -> bool) {
        let owner = match table.filter(|table| !has_hole(*table)) {
            Some(written) => match self.find_table(written) {
                Some(owner) => Some(owner),
                None => return,
            },
            None => None,
        };
        let texts = if owner.is_some() { Vec::new() } else { self.texts_of_code() };
        let of_table = |table: &Name, text: &str| {
            let name = text.rsplit('.').next().unwrap_or(text);
            name.trim_matches('"') == table.name
        };
        let tables: Vec<&String> = texts
            .iter()
            .filter(|text| self.schema.tables.keys().any(|table| of_table(table, text)))
            .collect();
        let all = self.schema.tables.values().flat_map(|table| &table.indexes);
        let names: Vec<&String> =
            texts.iter().filter(|text| all.clone().any(|index| is_like(&index.name, text))).collect();
        let mut doubted = Vec::new();
        for known in
            self.schema.tables.values().filter(|known| owner.as_ref().is_none_or(|it| *it == known.name))
        {
            if !tables.is_empty() && !tables.iter().any(|text| of_table(&known.name, text)) {
                continue;
            }
            let chosen = |index: &&Index| {
                may_go(known, index)
                    && (names.is_empty() || names.iter().any(|text| is_like(&index.name, text)))
            };
            doubted.extend(
                known.indexes.iter().filter(chosen).map(|index| (known.name.clone(), index.name.clone())),
            );
        }
        for (table, name) in doubted {
            let known = self.schema.tables.get_mut(&table).map(|table| table.indexes.iter_mut());
            known
                .into_iter()
                .flatten()
                .filter(|index| index.name == name)
                .for_each(|index| index.doubtful = true);
        }
    }

    /// Ends the doubt about an index when a statement creates one with its name: with the same keys it is there in any
    /// case, with others it was dropped.
    pub(super) fn settle_doubt(&mut self, owner: &Name, name: &str, keys: &[IndexKey]) {
        let Some(table) = self.schema.tables.get_mut(owner) else { return };
        let Some(index) = table.indexes.iter_mut().find(|index| index.doubtful && index.name == name) else {
            return;
        };
        index.doubtful = false;
        if index.keys != keys {
            self.remove_index(owner, name);
        }
    }

    /// Drops a table for a statement that creates it again, if code may have dropped it before.
    pub(super) fn drop_if_doubted(&mut self, name: &Name) {
        if self.maybe_dropped.remove(name) && self.schema.tables.contains_key(name) {
            self.drop_table(name, true);
        }
    }

    /// Notes the indexes that may have a new name: a statement renames one that it looks up.
    fn doubt_names(&mut self, table: Option<&Written>, to: &str) {
        let owner = table.filter(|table| !has_hole(*table)).and_then(|table| self.find_table(table));
        let tables =
            self.schema.tables.values().filter(|it| owner.as_ref().is_none_or(|name| it.name == *name));
        let all = tables
            .flat_map(|table| table.indexes.iter().map(|index| (table.name.clone(), index.name.clone())));
        let all: Vec<_> = all.collect();
        self.maybe_named.entry(to.to_owned()).or_default().extend(all);
    }

    /// Marks the indexes that may have a name which a statement drops.
    pub(super) fn doubt_named(&mut self, name: &str) {
        for (table, index) in self.maybe_named.get(name).cloned().unwrap_or_default() {
            let indexes = self.schema.tables.get_mut(&table).map(|table| table.indexes.iter_mut());
            indexes.into_iter().flatten().filter(|it| it.name == index).for_each(|it| it.doubtful = true);
        }
    }

    /// The texts of the running code that name a table, as they are or by a pattern.
    fn names_in_code(&self) -> Vec<String> {
        let is_name = |text: &String| self.schema.tables.keys().any(|table| is_like(&table.name, text));
        self.texts_of_code().into_iter().filter(is_name).collect()
    }

    /// Marks the foreign keys of a table, or of all tables if it is not known.
    fn doubt_references(&mut self, table: &Written, name: &str) {
        let owner = if has_hole(table) { None } else { self.find_table(table) };
        let chosen =
            self.schema.tables.values_mut().filter(|it| owner.as_ref().is_none_or(|name| it.name == *name));
        for key in chosen.flat_map(|table| &mut table.foreign_keys) {
            key.doubtful |= name.contains(HOLE) || key.name.as_deref() == Some(name);
        }
    }

    /// Whether the running code may look up constraints that have an index, and foreign keys: if it names kinds of
    /// constraints, those.
    fn kinds_looked_up(&self) -> (bool, bool) {
        let texts = self.texts_of_code();
        let named =
            |kind: &&(&str, ConstraintKind)| texts.iter().any(|text| text.eq_ignore_ascii_case(kind.0));
        let kinds: Vec<ConstraintKind> = KINDS.iter().filter(named).map(|(_, kind)| *kind).collect();
        let any = |kind: ConstraintKind| kinds.is_empty() || kinds.contains(&kind);
        (any(ConstraintKind::Key), any(ConstraintKind::Reference))
    }

    /// Whether the running code names a catalog.
    pub(super) fn looks_up(&self) -> bool {
        self.running.iter().any(|running| block::names_catalog(&running.body))
    }

    /// The texts of the running code, and the values of its parameters.
    fn texts_of_code(&self) -> Vec<String> {
        let values = self.frames.iter().flat_map(|frame| frame.values()).filter_map(Text::known);
        values.chain(self.running.iter().flat_map(|body| body.texts(self.schema.dialect)).cloned()).collect()
    }
}

/// A body that is running.
#[derive(Debug, Clone)]
pub(super) struct Running {
    body: String,
    /// Its texts, once they are asked for.
    texts: OnceCell<Vec<String>>,
}

impl Running {
    pub(super) fn new(body: &str) -> Running {
        Running { body: body.to_owned(), texts: OnceCell::new() }
    }

    /// Whether it drops anything, judging by its words.
    fn may_drop(&self) -> bool {
        self.body.to_ascii_lowercase().contains("drop ")
    }

    /// Its texts, except those that it excludes.
    fn texts(&self, dialect: Dialect) -> &[String] {
        self.texts.get_or_init(|| {
            let mut texts = Vec::new();
            let mut before = ["", ""];
            for token in Lexer::new(&self.body, dialect) {
                let Some(text) = self.body.get(token.span.range()) else { continue };
                let excludes = matches!(before[1], "<>" | "!=" | "!~" | "!~*" | "!~~")
                    || before[0].eq_ignore_ascii_case("not");
                if token.kind == TokenKind::Text && !excludes {
                    texts.push(text.trim_matches('\'').to_owned());
                }
                before = [before[1], text];
            }
            texts
        })
    }
}

/// Whether a name is a text, or matches it as a pattern of LIKE with a `%`; one of `%` alone says nothing.
fn is_like(name: &str, pattern: &str) -> bool {
    if !pattern.contains('%') {
        return name == pattern;
    }
    let mut rest = name;
    let mut parts = pattern.split('%').map(|part| part.replace("\\_", "_"));
    let Some(first) = parts.next() else { return false };
    let Some(after) = rest.strip_prefix(first.as_str()) else { return false };
    rest = after;
    let parts: Vec<String> = parts.collect();
    for part in &parts {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
    }
    !pattern.trim_matches('%').is_empty() && (rest.is_empty() || pattern.ends_with('%'))
}

#[cfg(test)]
mod tests;
