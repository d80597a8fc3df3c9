//! The part of the schema that the project's code makes: all of it, what its migrations change, or tables beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::Project;
use super::schema::guess;
use crate::schema::coded::MadeByCode;
use crate::schema::{Coded, Migration, Name, Replay, Schema, add_to_tables, made_by_code, replay};
use crate::sql::Dialect;

impl Project {
    /// Reads the schema that the code makes, for a project without another, and tells whether a table of it is known.
    /// Paths are shown relative to `base`.
    pub fn replay_code(&mut self, base: &Path) -> bool {
        self.settle_dialect(base);
        let dialects = match self.dialect_is_guessed {
            false => vec![self.dialect],
            true => guess(&migrations(&self.coded)).map_or(Dialect::ALL.to_vec(), |dialect| vec![dialect]),
        };
        let made = dialects.iter().map(|dialect| self.made_by_code(*dialect)).min_by_key(|made| made.unread);
        let is_known = |made: &MadeByCode| !made.schema.tables.is_empty() || !made.schema.views.is_empty();
        let Some(made) = made.filter(is_known) else { return false };
        self.dialect_is_guessed &= dialects.len() > 1;
        self.dialect = made.schema.dialect;
        self.told = told(&made.by_file);
        self.schema = Some(Arc::new(made.schema));
        true
    }

    /// What the code makes, without that of files that name another database.
    fn made_by_code(&self, dialect: Dialect) -> MadeByCode {
        made_by_code(&self.coded_for(dialect), dialect)
    }

    fn coded_for(&self, dialect: Dialect) -> Vec<Coded> {
        let fits = |coded: &&Coded| coded.dialect.is_none_or(|other| other == dialect);
        self.coded.iter().filter(fits).cloned().collect()
    }

    /// The migrations once more, behind what the code runs before them, if they change tables that only the code creates.
    pub(super) fn behind_code(&mut self, replayed: Replay, migrations: &[Migration]) -> Replay {
        let missing: BTreeSet<&Name> = replayed.schema.opaque.keys().collect();
        if self.coded.is_empty() || missing.is_empty() {
            return replayed;
        }
        let dialect = replayed.schema.dialect;
        let texts = self.coded_for(dialect);
        let made = made_by_code(&texts, dialect);
        let creates = |named: &BTreeSet<Name>| {
            named.iter().any(|name| missing.contains(name) && made.schema.tables.contains_key(name))
        };
        let first =
            texts.into_iter().zip(&made.named).filter(|(text, named)| text.is_certain && creates(named));
        let first: Vec<Coded> = first.map(|(text, _)| text).collect();
        let mut all = self::migrations(&first);
        all.extend_from_slice(migrations);
        let behind = replay(&all, dialect);
        if behind.problems.len() >= replayed.problems.len() {
            return replayed;
        }
        let files: BTreeSet<String> = first.into_iter().map(|text| format!("`{}`", text.file)).collect();
        self.told = format!("{} behind {}", self.told, files.into_iter().collect::<Vec<_>>().join(", "));
        behind
    }

    /// Adds the tables and views that the code makes and the migrations do not.
    pub(super) fn add_code(&mut self, schema: &mut Schema) {
        if self.coded.is_empty() {
            return;
        }
        let made = self.made_by_code(schema.dialect);
        let is_new = |schema: &Schema, name: &Name| {
            !schema.tables.contains_key(name)
                && !schema.views.contains_key(name)
                && !schema.opaque.contains_key(name)
        };
        let changed = add_to_tables(schema, &self.coded_for(schema.dialect));
        if !changed.is_empty() {
            self.told = format!("{}, with what the code adds to {}", self.told, listed(&changed));
        }
        let own = schema.clone();
        let mut more = BTreeSet::new();
        for (name, table) in made.schema.tables.into_iter().filter(|(name, _)| is_new(&own, name)) {
            more.insert(name.clone());
            schema.tables.insert(name, table);
        }
        for (name, view) in made.schema.views.into_iter().filter(|(name, _)| is_new(&own, name)) {
            schema.views.insert(name, view);
        }
        for (name, reason) in made.schema.opaque.into_iter().filter(|(name, _)| is_new(&own, name)) {
            schema.opaque.insert(name, reason);
        }
        let spelled = made.schema.spellings.into_iter().filter(|(name, _)| is_new(&own, name));
        schema.spellings.extend(spelled);
        if !more.is_empty() {
            self.told = format!("{}, with {} of the code", self.told, listed(&more));
        }
    }

    /// Adds what the code makes to a schema that was read from a file.
    pub fn add_code_to_schema(&mut self) {
        if let Some(schema) = self.schema.take() {
            let mut schema = Arc::unwrap_or_clone(schema);
            self.add_code(&mut schema);
            self.schema = Some(Arc::new(schema));
        }
    }
}

/// The names of a few tables, or how many there are.
fn listed(tables: &BTreeSet<Name>) -> String {
    let names: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    if names.len() > 3 { format!("{} tables", names.len()) } else { names.join(", ") }
}

/// Texts of code as migrations.
fn migrations(texts: &[Coded]) -> Vec<Migration> {
    let migration = |text: &Coded| Migration {
        version: 0,
        description: String::new(),
        file: text.file.clone(),
        sql: text.on_its_lines(),
        no_transaction: false,
    };
    texts.iter().map(migration).collect()
}

/// How many statements in which files make a schema.
fn told(by_file: &BTreeMap<String, usize>) -> String {
    let statements = match by_file.values().sum() {
        1 => "1 statement".to_owned(),
        many => format!("{many} statements"),
    };
    match by_file.keys().collect::<Vec<_>>().as_slice() {
        [only] => format!("{statements} in `{only}`"),
        [first, second] => format!("{statements} in `{first}` and `{second}`"),
        files => format!("{statements} in {} files", files.len()),
    }
}
