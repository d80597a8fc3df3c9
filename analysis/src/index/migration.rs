//! The migrations that create the advised indexes, with their reversal.
//!
//! PostgreSQL builds an index concurrently only outside a transaction, and runs statements that are sent
//! together in one. So each such statement becomes a migration of its own. For other databases a single
//! migration holds everything.

use std::fmt::Write as _;

use super::Advice;
use crate::schema::{Name, Schema, snapshot};
use crate::sql::Dialect;

/// One migration and its reversal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversible {
    /// A description for the file name, its words joined by `_`.
    pub description: String,
    /// The SQL to apply it.
    pub up: String,
    /// The SQL to revert it.
    pub down: String,
}

/// A statement and its reversal.
struct Change {
    description: String,
    /// A remark for the reader of the migration.
    note: String,
    up: String,
    down: String,
    /// Whether it has to run outside a transaction.
    is_alone: bool,
}

/// The first line that tells sqlx not to open a transaction.
const NO_TRANSACTION: &str = "-- no-transaction\n";

/// The migrations for `advice`, in the order to apply them. An index is dropped once its replacement exists.
pub fn steps(schema: &Schema, advice: &[Advice]) -> Vec<Reversible> {
    let makes = advice.iter().map(|advice| make(schema, advice));
    let drops = advice.iter().flat_map(|advice| {
        advice.replaces.iter().filter_map(|old| drop(schema, &advice.index.table, old, &advice.name))
    });
    let (alone, together): (Vec<Change>, Vec<Change>) =
        extensions(schema, advice).chain(makes).chain(drops).partition(|change| change.is_alone);
    together_as_one(&together).into_iter().chain(alone.iter().map(step)).collect()
}

/// How statements on the indexes of a table start.
struct How {
    create: &'static str,
    drop: &'static str,
    is_alone: bool,
}

fn how(schema: &Schema, table: &Name) -> How {
    let is_partitioned = schema.tables.get(table).is_some_and(|table| table.partition_by.is_some());
    match schema.dialect {
        // An index on a partitioned table cannot be built concurrently.
        Dialect::Postgres if is_partitioned => {
            How { create: "IF NOT EXISTS ", drop: "IF EXISTS ", is_alone: false }
        }
        Dialect::Postgres => {
            How { create: "CONCURRENTLY IF NOT EXISTS ", drop: "CONCURRENTLY IF EXISTS ", is_alone: true }
        }
        Dialect::MySql | Dialect::Sqlite => How { create: "", drop: "", is_alone: false },
    }
}

fn make(schema: &Schema, advice: &Advice) -> Change {
    let table = &advice.index.table;
    let how = how(schema, table);
    let create = format!("CREATE INDEX {}", how.create);
    let counted = |count: usize, one: &str, several: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
    };
    let serves = counted(advice.serves.len(), "query", "queries");
    let writes = counted(advice.writes, "write of the workspace touches", "writes of the workspace touch");
    Change {
        description: format!("add_{}", advice.name),
        note: match advice.is_for_key {
            true => format!("Serves a foreign key; {writes} it."),
            false => format!("Serves {serves}; {writes} it."),
        },
        up: advice.index.statement(create.trim_end(), Some(&advice.name), schema.dialect),
        down: snapshot::drop_index(schema.dialect, table, &advice.name, how.drop),
        is_alone: how.is_alone,
    }
}

fn drop(schema: &Schema, table: &Name, old: &str, new: &str) -> Option<Change> {
    let index = schema.stored(table)?.indexes.iter().find(|index| index.name == old)?;
    let how = how(schema, table);
    Some(Change {
        description: format!("drop_{old}"),
        note: format!("Index {new} starts with the same columns."),
        up: snapshot::drop_index(schema.dialect, table, old, how.drop),
        down: snapshot::create_index(schema, table, index, how.create),
        is_alone: how.is_alone,
    })
}

/// The extensions that provide the operator classes and are not installed.
fn extensions(schema: &Schema, advice: &[Advice]) -> impl Iterator<Item = Change> {
    let mut missing: Vec<&str> = advice.iter().filter_map(|advice| advice.index.extension()).collect();
    missing.retain(|extension| !schema.extensions.contains(*extension));
    missing.sort_unstable();
    missing.dedup();
    missing.into_iter().map(|extension| Change {
        description: format!("add_{extension}"),
        note: format!("Index operators of {extension} are used."),
        up: format!("CREATE EXTENSION IF NOT EXISTS {extension}"),
        // It may have been there before, and others may use it.
        down: format!("-- The extension {extension} stays"),
        is_alone: false,
    })
}

impl Change {
    /// The line that undoes it.
    fn undo(&self) -> String {
        let end = if self.down.starts_with("--") { "." } else { ";" };
        format!("{}{end}\n", self.down)
    }
}

fn step(change: &Change) -> Reversible {
    Reversible {
        description: in_a_file_name(&change.description),
        up: format!("{NO_TRANSACTION}-- {}\n{};\n", change.note, change.up),
        down: format!("{NO_TRANSACTION}{}", change.undo()),
    }
}

/// Joins changes that can share a migration, since they run in one transaction or the database has none for
/// such statements. The reversal is in reverse order.
fn together_as_one(changes: &[Change]) -> Option<Reversible> {
    let first = changes.first()?;
    let mut step = Reversible {
        description: in_a_file_name(&first.description),
        up: String::new(),
        down: String::new(),
    };
    if changes.len() > 1 {
        "add_indexes".clone_into(&mut step.description);
    }
    for change in changes {
        let _ = writeln!(step.up, "-- {}\n{};", change.note, change.up);
    }
    for change in changes.iter().rev() {
        step.down.push_str(&change.undo());
    }
    Some(step)
}

fn in_a_file_name(description: &str) -> String {
    let kept = description.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' });
    kept.collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::{Queried, accesses, advise};
    use super::*;
    use crate::schema::Replay;
    use crate::sql::resolve;

    fn written(dialect: Dialect, ddl: &str, queries: &[&str]) -> Vec<Reversible> {
        let mut replay = Replay::new(dialect);
        replay.apply(ddl, "schema.sql");
        let schema = &replay.schema;
        let resolved: Vec<_> =
            queries.iter().map(|sql| resolve(sql, dialect, Some(schema)).expect("it parses")).collect();
        let read: Vec<_> = resolved.iter().map(|query| accesses(query, schema)).collect();
        let queried: Vec<Queried<'_>> = resolved
            .iter()
            .zip(&read)
            .map(|(query, accesses)| Queried { query, accesses, is_open: true, repeats: false })
            .collect();
        steps(schema, &advise(schema, &queried, &|_| false))
    }

    fn step(description: &str, up: &str, down: &str) -> Reversible {
        Reversible { description: description.to_owned(), up: up.to_owned(), down: down.to_owned() }
    }

    #[test]
    fn postgres_gets_one_statement_a_migration_outside_of_transactions() {
        let ddl =
            "CREATE TABLE app.logs (id bigint PRIMARY KEY, event_id bigint, at timestamptz, \"Line\" text);
                   CREATE INDEX logs_event ON app.logs (event_id) WITH (fillfactor = 90);";
        let queries = [
            "SELECT 1 FROM app.logs WHERE event_id = $1 AND at > $2 ORDER BY at LIMIT 5",
            "DELETE FROM app.logs WHERE \"Line\" = $1",
        ];
        assert_eq!(
            written(Dialect::Postgres, ddl, &queries),
            [step(
                "add_logs_line_idx",
                "-- no-transaction\n-- Serves 1 query; 1 write of the workspace touches it.\n\
                     CREATE INDEX CONCURRENTLY IF NOT EXISTS \"logs_Line_idx\" ON app.logs (\"Line\");\n",
                "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS app.\"logs_Line_idx\";\n",
            ),]
        );
    }

    #[test]
    fn what_is_replaced_is_dropped_afterwards_and_made_again_on_the_way_back() {
        let ddl = "CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint, level int);
                   CREATE INDEX logs_event ON logs (event_id);
                   CREATE TABLE parts (id bigint, day date, body text) PARTITION BY RANGE (day);";
        let queries = [
            "SELECT id FROM logs WHERE event_id = $1 ORDER BY level LIMIT 10",
            "SELECT id FROM parts WHERE id = $1",
            "SELECT id FROM parts WHERE body ILIKE '%x%'",
        ];
        let steps = written(Dialect::Postgres, ddl, &queries);
        let texts: Vec<(&str, &str)> =
            steps.iter().map(|step| (step.description.as_str(), step.down.as_str())).collect();
        assert_eq!(
            texts,
            [
                (
                    "add_indexes",
                    "DROP INDEX IF EXISTS parts_id_idx;\nDROP INDEX IF EXISTS parts_body_idx;\n-- The extension pg_trgm stays.\n"
                ),
                (
                    "add_logs_event_id_level_idx",
                    "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS logs_event_id_level_idx;\n"
                ),
                (
                    "drop_logs_event",
                    "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS logs_event ON logs (event_id);\n"
                ),
            ]
        );
        assert!(
            steps[0].up.contains("\nCREATE INDEX IF NOT EXISTS parts_id_idx ON parts (id);\n"),
            "{}",
            steps[0].up
        );
        assert!(steps[0].up.contains("CREATE EXTENSION IF NOT EXISTS pg_trgm;\n"), "{}", steps[0].up);
    }

    #[test]
    fn the_others_get_one_migration_of_plain_statements() {
        let ddl = "CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint, level bigint, at datetime);
                   CREATE INDEX logs_level ON logs (level);";
        let queries = [
            "SELECT id FROM logs WHERE event_id = ?",
            "SELECT id FROM logs WHERE level = ? ORDER BY at LIMIT 3",
        ];
        let steps = written(Dialect::MySql, ddl, &queries);
        assert_eq!(steps.len(), 1);
        assert!(
            steps[0].up.contains("\nCREATE INDEX logs_event_id_idx ON logs (event_id);\n"),
            "{}",
            steps[0].up
        );
        assert!(steps[0].up.contains("\nDROP INDEX logs_level ON logs;\n"), "{}", steps[0].up);
        assert!(
            steps[0].down.starts_with("CREATE INDEX `logs_level` ON `logs` (`level`);\n"),
            "{}",
            steps[0].down
        );
    }
}
