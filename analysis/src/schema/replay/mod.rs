//! Replays migrations into the resulting schema, statement by statement, doing what the database does.

mod block;
mod branches;
mod catalog;
mod columns;
mod constraints;
mod create;
mod doubt;
mod drops;
mod guarded;
mod heads;
mod heard;
mod hypertables;
mod indexes;
mod inherited;
mod lookup;
mod loops;
mod loose;
mod names;
mod objects;
mod one_change;
mod renames;
mod rows;
mod stars;
mod values;
mod view_columns;
mod width;

use std::collections::{BTreeMap, BTreeSet};

use values::Text;

pub(crate) use create::{nextval, serial_sequence};

use super::Unapplied;
use super::migrations::Migration;
use super::model::{Name, Schema};
use crate::schema::ddl::{self, Action, Change, SettingLifetime};
use crate::sql::Dialect;
use crate::sql::split::{self, Piece};

/// The schema after the statements so far, and what was ignored.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The current schema.
    pub schema: Schema,
    /// Statements that could not be replayed, each with its file and line.
    pub problems: Vec<Unapplied>,
    /// How many of them are statements that could not be read at all.
    pub unread: usize,
    session: Session,
    /// Session-local tables and views.
    temporary: BTreeSet<Name>,
    /// Sequences that are dropped with their table.
    owned: BTreeMap<Name, Name>,
    /// Indexes of partitions, each with the corresponding index of the parent.
    attached: BTreeMap<(Name, String), String>,
    /// Inherited columns that the child defines as well, so that they stay when the parent's is dropped.
    also_local: BTreeSet<(Name, String)>,
    /// Views with explicit column names, which keep these names.
    named_views: BTreeSet<Name>,
    /// The queries of views whose `*` have been written out, as far as they can be.
    settled_views: BTreeMap<Name, String>,
    /// The bodies of functions that run DDL.
    bodies: BTreeMap<Name, block::Function>,
    /// The columns by which Timescale divides tables.
    hypertables: BTreeMap<Name, Vec<String>>,
    /// MySQL: indexes created implicitly by a foreign key, dropped when another index serves it.
    implied: BTreeSet<(Name, String)>,
    /// The cause of each gap, if dropping it closes the gap.
    gap_causes: BTreeMap<String, block::GapCause>,
    /// The nesting depth of running functions and blocks.
    depth: usize,
    /// The variables of each of them.
    frames: Vec<BTreeMap<String, Text>>,
    /// What their bodies say of what they look up.
    running: Vec<doubt::Running>,
    /// Tables that such code may have dropped.
    maybe_dropped: BTreeSet<Name>,
    /// The indexes that may have a name, since such code renames one that it looks up.
    maybe_named: BTreeMap<String, Vec<(Name, String)>>,
    /// Tables with references to a table that did not exist yet, without columns.
    to_fill_in: BTreeSet<Name>,
    /// Names that may be in use.
    heard: heard::Heard,
    /// The total number of steps so far.
    steps: usize,
    /// The file and line of the current statement.
    place: (String, u32),
}

/// Settings changed by `SET`.
#[derive(Debug, Clone, Default)]
struct Session {
    path: Option<Vec<String>>,
    local_path: Option<Vec<String>>,
    legacy_alter: bool,
    /// MySQL: the value of each variable.
    variables: BTreeMap<String, Text>,
    /// MySQL: the text of each prepared statement.
    prepared: BTreeMap<String, Text>,
}

/// The result of a step: an error as a lowercase fragment.
type Applied<T = ()> = Result<T, String>;

/// Replays migrations, given in the order of application.
pub fn replay(migrations: &[Migration], dialect: Dialect) -> Replay {
    let mut replay = Replay::new(dialect);
    for migration in migrations {
        replay.apply(&migration.sql, &migration.file);
    }
    replay
}

/// The statements of a script, except those undone by a rollback of the transaction or to a savepoint; MySQL
/// commits every statement that changes the schema.
fn lasting(pieces: Vec<Piece<'_>>, dialect: Dialect) -> Vec<Piece<'_>> {
    if dialect == Dialect::MySql {
        return pieces;
    }
    let begins = |piece: &Piece<'_>, word: &str| {
        piece.text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let mut lasting = Vec::with_capacity(pieces.len());
    // Each savepoint, with the number of statements before it.
    let mut saved: Vec<(String, usize)> = Vec::new();
    for piece in pieces {
        let is_step = ["savepoint", "rollback", "begin", "start", "abort", "commit", "end"];
        let is_step = is_step.iter().any(|word| begins(&piece, word));
        match is_step.then(|| ddl::parse(piece.text, dialect)) {
            Some(Ok(Change::Savepoint(name))) => saved.push((name, lasting.len())),
            Some(Ok(Change::RollbackTo(name))) => {
                if let Some(at) = saved.iter().rposition(|(known, _)| *known == name) {
                    saved.truncate(at + 1);
                    lasting.truncate(saved.last().map_or(0, |(_, before)| *before));
                }
                if name.is_empty() {
                    saved.clear();
                    lasting.push(piece);
                }
            }
            Some(Ok(Change::EndTransaction)) => {
                saved.clear();
                lasting.push(piece);
            }
            _ => lasting.push(piece),
        }
    }
    lasting
}

impl Replay {
    /// An empty database.
    pub fn new(dialect: Dialect) -> Replay {
        Replay {
            schema: Schema::new(dialect),
            problems: Vec::new(),
            unread: 0,
            session: Session::default(),
            temporary: BTreeSet::new(),
            owned: BTreeMap::new(),
            attached: BTreeMap::new(),
            also_local: BTreeSet::new(),
            named_views: BTreeSet::new(),
            settled_views: BTreeMap::new(),
            bodies: BTreeMap::new(),
            hypertables: BTreeMap::new(),
            implied: BTreeSet::new(),
            gap_causes: BTreeMap::new(),
            depth: 0,
            frames: Vec::new(),
            running: Vec::new(),
            maybe_dropped: BTreeSet::new(),
            maybe_named: BTreeMap::new(),
            to_fill_in: BTreeSet::new(),
            heard: heard::Heard::default(),
            steps: 0,
            place: (String::new(), 0),
        }
    }

    /// Applies a script: a migration, a snapshot, or the output of `pg_dump`, `.schema` or
    /// `mysqldump --no-data`.
    pub fn apply(&mut self, sql: &str, file: &str) {
        for piece in lasting(split::statements(sql, self.schema.dialect), self.schema.dialect) {
            self.apply_piece(&piece, file);
        }
        self.finish();
    }

    /// Ends a script: its transaction is over, and everything it creates exists.
    pub(super) fn finish(&mut self) {
        self.session.local_path = None;
        self.fill_in_references();
        self.read_stars_anew();
    }

    /// Applies one statement of a script.
    pub(super) fn apply_piece(&mut self, piece: &Piece<'_>, file: &str) {
        self.schema.children.forget();
        self.schema.functions_by_name.forget();
        self.schema.materialized.forget();
        self.schema.certain.forget();
        self.schema.conversions_read.forget();
        self.place = (file.to_owned(), piece.line);
        if piece.is_generator {
            self.run_generated(piece.text);
            return;
        }
        match ddl::parse(piece.text, self.schema.dialect) {
            Ok(change) => {
                if let Err(message) = self.change(change) {
                    self.is_elsewhere(piece.text, file, piece.line, &message);
                    self.problems.push(Unapplied { file: file.to_owned(), line: piece.line, message });
                }
            }
            Err(error) => {
                let before = piece.text.get(..error.offset).unwrap_or(piece.text);
                let lines = before.bytes().filter(|byte| *byte == b'\n').count();
                let line = piece.line.saturating_add(u32::try_from(lines).unwrap_or(0));
                let message = error.message;
                self.not_understood(piece.text, file, line, &message);
                self.unread += 1;
                self.problems.push(Unapplied { file: file.to_owned(), line, message });
            }
        }
        self.hear_all(piece.text);
    }

    /// Records a table as unknown that a failed statement changes: it exists, and what creates it was not read.
    fn is_elsewhere(&mut self, sql: &str, file: &str, line: u32, message: &str) {
        let Some(written) = ddl::table_of(sql, self.schema.dialect) else { return };
        if self.relation(&written).is_none() {
            let name = self.new_name(&written);
            let reason = format!("{message}, and is changed ({file}:{line})");
            self.schema.opaque.insert(name, reason);
        }
    }

    /// Records what may be wrong in the schema because a statement was not understood.
    fn not_understood(&mut self, sql: &str, file: &str, line: u32, message: &str) {
        let reason = format!("a statement was not understood: {message} ({file}:{line})");
        match ddl::table_of(sql, self.schema.dialect) {
            Some(table) => {
                let name = self.find_table(&table).unwrap_or_else(|| self.new_name(&table));
                self.schema.tables.remove(&name);
                self.schema.opaque.insert(name, reason);
            }
            None => self.schema.gaps.push(reason),
        }
    }

    fn change(&mut self, change: Change) -> Applied {
        match change {
            Change::RollbackTo(name) if name.is_empty() => self.change(Change::EndTransaction),
            Change::Nothing | Change::Savepoint(_) | Change::RollbackTo(_) => Ok(()),
            Change::Hook(table, hook) => {
                self.hook(&table, hook);
                Ok(())
            }
            Change::CreateConversion(sql) => {
                self.schema.own_conversions = true;
                if !self.schema.conversions.contains(&sql) {
                    self.schema.conversions.push(sql);
                }
                Ok(())
            }
            Change::CreateTable(table) => self.create_table(*table),
            Change::Alter { name, if_exists, only, actions } => self.alter(&name, if_exists, only, actions),
            Change::RenameTables(pairs) => {
                for (from, to, spelling) in pairs {
                    self.alter(&from, false, false, vec![Action::Rename { to, spelling }])?;
                }
                Ok(())
            }
            Change::CreateIndex(index) => self.create_index(*index),
            Change::CreateView(view) => self.create_view(*view),
            Change::CreateSequence { name, if_not_exists, temporary, options } => {
                self.create_sequence(&name, if_not_exists, temporary, options)
            }
            Change::CreateCollation { name, made_from } => {
                self.create_collation(&name, made_from);
                Ok(())
            }
            Change::CreateType { name, ty } => self.create_type(&name, ty),
            Change::AlterType { name, actions } => self.alter_type(&name, actions),
            Change::CreateSchema { name, elements, .. } => {
                let outer = self.session.local_path.replace(vec![name]);
                let mut result = Ok(());
                for element in elements {
                    let change = ddl::parse(&element, self.schema.dialect).map_err(|error| error.message);
                    result = result.and(change.and_then(|change| self.change(change)));
                    self.hear_all(&element);
                }
                self.session.local_path = outer;
                result
            }
            Change::RenameSchema { from, to } => {
                self.rename_schema(&from, &to);
                Ok(())
            }
            Change::Drop(drop) => self.drop(drop),
            Change::SetSearchPath { path, scope } => {
                match scope {
                    SettingLifetime::Transaction => self.session.local_path = path,
                    SettingLifetime::Session => self.session.path = path,
                    SettingLifetime::Sessions => self.schema.search_path = path.unwrap_or_default(),
                }
                Ok(())
            }
            Change::CreateExtension { name, schema } => {
                if let Some(schema) = schema {
                    self.schema.extension_schemas.insert(name.clone(), schema);
                }
                self.schema.extensions.insert(name);
                Ok(())
            }
            Change::CreateFunction(function) => {
                self.create_function(*function);
                Ok(())
            }
            Change::AlterFunction(from, listed, to) => {
                self.alter_function(&from, listed.as_deref(), &to);
                Ok(())
            }
            Change::SteadyFunction(name) => {
                self.steady_function(&name);
                Ok(())
            }
            Change::Do(body) => {
                self.run_block(&body);
                Ok(())
            }
            Change::Calls(calls) => {
                calls.iter().for_each(|(function, arguments)| self.call(function, arguments));
                Ok(())
            }
            Change::LegacyAlter(on) => {
                self.session.legacy_alter = on;
                Ok(())
            }
            Change::EndTransaction => {
                self.session.local_path = None;
                Ok(())
            }
            Change::SetVariables(variables) => {
                for (name, value) in variables {
                    let value = self.evaluate(&value);
                    self.assign(&name, value);
                }
                Ok(())
            }
            Change::Prepare(name, text) => {
                let text = self.evaluate(&text);
                self.session.prepared.insert(name, text);
                Ok(())
            }
            Change::ExecutePrepared(name) => {
                let text = self.session.prepared.get(&name).cloned().unwrap_or_else(Text::hole);
                self.execute(&text, "a prepared statement");
                Ok(())
            }
            Change::ExecuteText(text) => {
                let text = self.evaluate(&text);
                self.execute(&text, "EXECUTE IMMEDIATE");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod lite;
#[cfg(test)]
mod mariadb;
#[cfg(test)]
mod properties;

#[cfg(test)]
mod transactions {
    use super::*;

    #[track_caller]
    fn check(sql: &str, tables: &[&str], indexes: &[&str]) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(sql, "a.sql");
        let names: Vec<String> = replay.schema.tables.keys().map(ToString::to_string).collect();
        let made = replay.schema.tables.values().flat_map(|table| &table.indexes);
        assert_eq!(names, tables, "{sql}");
        assert_eq!(made.map(|index| index.name.as_str()).collect::<Vec<_>>(), indexes, "{sql}");
        assert_eq!(replay.problems, [], "{sql}");
    }

    #[test]
    fn what_was_made_behind_a_savepoint_is_taken_back() {
        let made = "BEGIN; CREATE TABLE t (id int); SAVEPOINT s; CREATE TABLE u (id int);";
        check(&format!("{made} ROLLBACK TO SAVEPOINT s; COMMIT;"), &["t"], &[]);
        check(&format!("{made} RELEASE SAVEPOINT s; COMMIT;"), &["t", "u"], &[]);
        check(&format!("{made} SAVEPOINT r; CREATE TABLE v (id int); ROLLBACK TO s; COMMIT;"), &["t"], &[]);
        check(&format!("{made} rollback to s; CREATE TABLE v (id int); ROLLBACK TO s; COMMIT;"), &["t"], &[]);
        check(&format!("{made} SAVEPOINT s; CREATE TABLE v (id int); ROLLBACK TO s;"), &["t", "u"], &[]);
        check(&format!("{made} ROLLBACK TO s; CREATE TABLE v (id int); COMMIT;"), &["t", "v"], &[]);
        check(&format!("{made} ROLLBACK; CREATE TABLE v (id int);"), &["v"], &[]);
        check(&format!("CREATE TABLE a (id int); {made} ABORT TRANSACTION;"), &["a"], &[]);
        check(&format!("{made} COMMIT; ROLLBACK;"), &["t", "u"], &[]);
    }

    #[test]
    fn a_schema_is_made_with_what_is_in_it() {
        check("CREATE SCHEMA app CREATE TABLE t (id int) CREATE INDEX i ON t (id)", &["app.t"], &["i"]);
    }

    #[test]
    fn a_table_that_is_changed_exists() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "ALTER TABLE logs ADD COLUMN at bigint; ALTER TABLE IF EXISTS none ADD COLUMN a int;",
            "2.sql",
        );
        replay.apply("CREATE TABLE own (id bigint); ALTER TABLE own DROP COLUMN gone;", "3.sql");
        let names: Vec<String> = replay.schema.opaque.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["logs"]);
        assert_eq!(replay.problems.len(), 2);
        replay.apply("CREATE TABLE logs (id bigint)", "4.sql");
        assert!(replay.schema.opaque.is_empty());
    }

    #[test]
    fn a_hypertable_has_an_index_on_its_time() {
        let table = "CREATE TABLE m (ts timestamptz);";
        for made in [
            "SELECT create_hypertable('m', by_range('ts'))",
            "SELECT * FROM public.create_hypertable('m', 'ts', if_not_exists => true)",
            "DO $$ BEGIN PERFORM create_hypertable(relation => 'm', time_column_name => 'ts'); END $$",
        ] {
            check(&format!("{table} {made}"), &["m"], &["m_ts_idx"]);
        }
        let with = "CREATE TABLE m (d int, ts timestamptz) WITH (tsdb.hypertable";
        check(&format!("{with}, tsdb.partition_column = 'ts')"), &["m"], &["m_ts_idx"]);
        check(&format!("{with})"), &["m"], &["m_ts_idx"]);
        check(&format!("{with}, tsdb.create_default_indexes = false)"), &["m"], &[]);
        check(
            &format!("{table} SELECT create_hypertable('m', 'ts', create_default_indexes => false)"),
            &["m"],
            &[],
        );
    }
}
