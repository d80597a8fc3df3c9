//! What statements in code add to tables that migrations, or a file, create.

use std::collections::BTreeSet;

use super::ddl::{self, Action, Change, Element, Rule, Written};
use super::{Coded, Index, IndexKey, Name, Replay, Schema};
use crate::sql::split::{Piece, statements};

/// Adds to the tables of a schema the indexes, keys and columns that texts of code add for certain, and records those that
/// the others may add: of these, nothing is known to be missing. Returns the tables with more than before.
pub fn add_to_tables(schema: &mut Schema, texts: &[Coded]) -> BTreeSet<Name> {
    let dialect = schema.dialect;
    let mut replay = Replay::new(dialect);
    replay.schema = std::mem::replace(schema, Schema::new(dialect));
    let script = |coded: &Coded| if coded.is_certain { coded.on_its_lines() } else { filled(&coded.sql) };
    let scripts: Vec<String> = texts.iter().map(script).collect();
    let pieces = texts.iter().zip(&scripts).flat_map(|(coded, script)| {
        statements(script, dialect).into_iter().filter_map(move |piece| {
            Some(Step { coded, piece, change: ddl::parse(piece.text, dialect).ok()? })
        })
    });
    let steps: Vec<Step<'_>> = pieces.collect();
    // What code creates as well may be older or newer there.
    let created = |step: &Step<'_>| match &step.change {
        Change::CreateTable(table) => Some(table.name.to_name()),
        _ => None,
    };
    let twice: BTreeSet<Name> = steps.iter().filter_map(created).collect();
    let mut changed = BTreeSet::new();
    for step in &steps {
        let Some(table) = step.table().map(Written::to_name) else { continue };
        if !replay.schema.tables.contains_key(&table) {
            continue;
        }
        let is_certain = step.coded.is_certain && !twice.contains(&table);
        if !is_certain || !step.adds_only() || !applied(&mut replay, step, &table, &mut changed) {
            step.loosen(&mut replay.schema, &table);
        }
    }
    *schema = replay.schema;
    changed
}

/// Stands for a part of a text that is put in when it is built.
const HOLE: &str = "query_budget_hole";

/// A text with names for its parts in braces.
fn filled(text: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, behind)) = after.split_once('}') else { break };
        let is_part = inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:.".contains(&byte));
        filled.push_str(before);
        filled.push_str(if is_part { HOLE } else { "{" });
        rest = if is_part { behind } else { after };
    }
    filled.push_str(rest);
    filled
}

/// Applies a statement; returns whether what it adds is there.
fn applied(replay: &mut Replay, step: &Step<'_>, table: &Name, changed: &mut BTreeSet<Name>) -> bool {
    let before = replay.schema.tables.get(table).cloned();
    let problems = replay.problems.len();
    replay.apply_piece(&step.piece, &step.coded.file);
    let failed = replay.problems.get(problems..).unwrap_or_default();
    let is_there = failed.iter().all(|problem| problem.message.ends_with("already"));
    // A statement that changes what it cannot find makes its table unknown.
    replay.schema.opaque.remove(table);
    if replay.schema.tables.get(table) != before.as_ref() {
        changed.insert(table.clone());
    }
    is_there
}

/// A statement of code.
struct Step<'t> {
    coded: &'t Coded,
    piece: Piece<'t>,
    change: Change,
}

impl Step<'_> {
    /// The table that it creates or changes.
    fn table(&self) -> Option<&Written> {
        match &self.change {
            Change::CreateTable(table) => Some(&table.name).filter(|_| !table.temporary),
            Change::Alter { name, .. } => Some(name),
            Change::CreateIndex(index) => Some(&index.table),
            _ => None,
        }
    }

    /// Whether it only adds to the table, so that it may run before or after the migrations.
    fn adds_only(&self) -> bool {
        match &self.change {
            Change::CreateIndex(_) => true,
            Change::Alter { actions, .. } => actions
                .iter()
                .all(|action| matches!(action, Action::AddColumn { .. } | Action::AddConstraint(_))),
            _ => false,
        }
    }

    /// Records what it may add: any table may have it.
    fn loosen(&self, schema: &mut Schema, table: &Name) {
        let known = schema.tables.get(table);
        let is_new = |name: &String| known.is_none_or(|table| table.column(name).is_none());
        let (mut columns, mut keys): (Vec<String>, Vec<&[IndexKey]>) = (Vec::new(), Vec::new());
        match &self.change {
            Change::CreateIndex(index) => keys.push(&index.index.keys),
            Change::CreateTable(table) => {
                for element in &table.elements {
                    if let Element::Column(column) = element {
                        columns.push(column.column.name.clone());
                        keys.extend(column.constraints.iter().filter_map(|it| keys_of(&it.rule)));
                    }
                }
                keys.extend(table.constraints.iter().filter_map(|constraint| keys_of(&constraint.rule)));
            }
            Change::Alter { actions, .. } => {
                for action in actions {
                    match action {
                        Action::AddColumn { column, .. } => columns.push(column.column.name.clone()),
                        Action::AddConstraint(constraint) => keys.extend(keys_of(&constraint.rule)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        columns.retain(is_new);
        let begins =
            |index: &Index, column: &str| index.keys.first().and_then(IndexKey::as_column) == Some(column);
        let is_there =
            |column: &str| known.is_some_and(|table| table.indexes.iter().any(|index| begins(index, column)));
        let first = keys.into_iter().filter_map(|keys| keys.first()?.as_column());
        let mut first: Vec<String> = first.filter(|column| !is_there(column)).map(str::to_owned).collect();
        if first.iter().any(|column| column == HOLE) {
            // Any of its columns.
            let all = known.iter().flat_map(|table| &table.columns).map(|column| column.name.clone());
            first = all.filter(|column| !is_there(column)).collect();
        }
        schema.loose_indexes.extend(first);
        for column in columns {
            schema.loose_columns.entry(column).or_default();
        }
    }
}

/// The keys of the index that a constraint has.
fn keys_of(rule: &Rule) -> Option<&[IndexKey]> {
    match rule {
        Rule::PrimaryKey { keys, .. } | Rule::Unique { keys, .. } => Some(keys),
        Rule::Index(index) => Some(&index.keys),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    /// The columns and indexes of `t` behind texts of code, and the columns and indexes that it may have.
    #[track_caller]
    fn check(texts: &[&str], columns: &str, indexes: &str, loose: (&[&str], &[&str])) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE t (a int, b int)", "schema.sql");
        let coded = |sql: &&str| Coded {
            file: "src/lib.rs".to_owned(),
            line: 1,
            sql: sql.trim_start_matches('?').to_owned(),
            is_certain: !sql.starts_with('?'),
            dialect: None,
        };
        let texts: Vec<Coded> = texts.iter().map(coded).collect();
        let changed = add_to_tables(&mut replay.schema, &texts);
        let schema = &replay.schema;
        let table = schema.table(None, "t").expect("the table");
        let joined = |names: Vec<&str>| names.join(" ");
        assert_eq!(joined(table.columns.iter().map(|it| it.name.as_str()).collect()), columns, "{texts:?}");
        assert_eq!(joined(table.indexes.iter().map(|it| it.name.as_str()).collect()), indexes, "{texts:?}");
        let columns_found: Vec<&str> = schema.loose_columns.keys().map(String::as_str).collect();
        let indexes_found: Vec<&str> = schema.loose_indexes.iter().map(String::as_str).collect();
        assert_eq!((columns_found.as_slice(), indexes_found.as_slice()), loose, "{texts:?}");
        assert_eq!(changed.len(), usize::from((columns, indexes) != ("a b", "")), "{texts:?}");
        assert!(schema.opaque.is_empty(), "{texts:?}");
    }

    #[test]
    fn what_code_adds_for_certain_is_there() {
        check(&["CREATE INDEX IF NOT EXISTS i ON t (b)"], "a b", "i", (&[], &[]));
        check(
            &["ALTER TABLE t ADD COLUMN IF NOT EXISTS c int; CREATE INDEX i ON t (c)"],
            "a b c",
            "i",
            (&[], &[]),
        );
        check(&["ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)"], "a b", "k", (&[], &[]));
        check(&["ALTER TABLE t ADD COLUMN b int"], "a b", "", (&[], &[]));
        check(&["CREATE INDEX i ON other (b)", "CREATE TABLE u (c int)"], "a b", "", (&[], &[]));
    }

    #[test]
    fn what_code_may_add_is_in_doubt() {
        check(&["?CREATE INDEX i ON t (b)"], "a b", "", (&[], &["b"]));
        check(&["?CREATE INDEX {name} ON t ({})"], "a b", "", (&[], &["a", "b"]));
        check(&["?CREATE INDEX i ON {table} (a)"], "a b", "", (&[], &[]));
        check(&["?ALTER TABLE t ADD COLUMN c int"], "a b", "", (&["c"], &[]));
        check(&["CREATE INDEX i ON t (c)"], "a b", "", (&[], &["c"]));
        check(&["ALTER TABLE t ADD COLUMN c int, DROP COLUMN a"], "a b", "", (&["c"], &[]));
        let created = "CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY, c int)";
        check(&[created, "CREATE INDEX IF NOT EXISTS i ON t (b)"], "a b", "", (&["c"], &["a", "b"]));
    }
}
