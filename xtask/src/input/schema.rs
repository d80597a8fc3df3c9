//! The schema to check queries against: the one that the arguments name, else the project's snapshot, else
//! the result of its migrations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use query_budget_analysis::project::Project;
use query_budget_analysis::{Notice, NoticeKind, Place};

use super::{Batch, no_migrations};
use crate::args::Input;
use crate::failure::Failure;

/// Loads the schema of every batch.
pub(super) fn load(batches: &mut [Batch], input: &Input, base: &Path) -> Result<(), Failure> {
    // Crates with the same database share the schema read for the first, and its notices are reported once.
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
        // An empty database would look like a clean one.
        if project.replay_migrations(dir, base)? == 0 {
            return Err(no_migrations(dir, project, base));
        }
    } else if project.schema_path.is_some() {
        project.load_schema(base);
    } else if let Some(dir) = project.migrations.clone() {
        if project.replay_migrations(&dir, base)? == 0 {
            project.settle_dialect(base);
            project.notices.push(no_schema());
            return Ok(());
        }
        let message = format!(
            "there is no snapshot: the schema is that of {}, read as {}",
            project.told, project.dialect
        );
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
