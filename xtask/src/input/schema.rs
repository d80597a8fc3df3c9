//! The schema that queries are checked against: the one the arguments name, else the project's snapshot, else what its
//! migrations come to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use query_budget_analysis::project::{Project, read_migrations, shown};
use query_budget_analysis::{Notice, NoticeKind, Place};

use super::Batch;
use crate::args::Input;
use crate::failure::Failure;

/// Gives every batch its schema.
pub(super) fn load(batches: &mut [Batch], input: &Input, base: &Path) -> Result<(), Failure> {
    // Crates of one database share what was read for the first of them, and its notices are given once.
    let mut known: BTreeMap<PathBuf, Project> = BTreeMap::new();
    for batch in batches {
        let project = &mut batch.project;
        if let Some(dialect) = input.dialect {
            project.config.dialect = Some(dialect);
        }
        let explicit = input.schema.clone().or_else(|| input.migrations.clone());
        let source = explicit.or_else(|| project.schema_path.clone()).or_else(|| project.migrations.clone());
        let Some(source) = source else {
            project.settle_dialect(base);
            project.notices.push(no_schema());
            continue;
        };
        batch.source = Some(source.clone());
        match known.get(&source) {
            Some(known) => {
                project.dialect = known.dialect;
                project.schema.clone_from(&known.schema);
            }
            None => {
                read(project, input, base)?;
                known.insert(source, project.clone());
            }
        }
    }
    Ok(())
}

fn read(project: &mut Project, input: &Input, base: &Path) -> Result<(), Failure> {
    if let Some(path) = &input.schema {
        project.read_snapshot(path, base);
    } else if let Some(dir) = &input.migrations {
        // An empty database would be told of as clean.
        if read_migrations(dir, base)?.0.is_empty() {
            return Err(Failure::new(format!("read `{}`: it holds no migrations", dir.display()))
                .help("name the folder of the `.sql` files: `0001_users.sql`, `0002_events.up.sql`"));
        }
        project.replay_migrations(dir, base)?;
    } else if project.schema_path.is_some() {
        project.load_schema(base);
    } else if let Some(dir) = project.migrations.clone() {
        project.replay_migrations(&dir, base)?;
        let message = format!("there is no snapshot: the schema is what `{}` comes to", shown(&dir, base));
        let notice = Notice::new(NoticeKind::NoSnapshot, message, Place::default());
        project.notices.push(notice.help("write a snapshot with `cargo query-budget schema`"));
    }
    Ok(())
}

fn no_schema() -> Notice {
    let message =
        "there is neither a snapshot nor a migrations folder: tables, columns and indexes are not checked";
    Notice::new(NoticeKind::NoSnapshot, message, Place::default())
        .help("name one: `--migrations <folder>` or `--schema <file>`")
}
