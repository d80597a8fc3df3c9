//! A `schema.sql` that this tool did not write: migrations beside it come first, since the code runs them, and nothing
//! says that the file is up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use query_budget_analysis::project::{Project, read, shown};
use query_budget_analysis::schema::{Coded, snapshot};
use query_budget_analysis::{Notice, NoticeKind, Place};

use super::Batch;
use crate::args::Input;

/// Has every project read its migrations, not the `schema.sql` of another tool, unless the arguments or the configuration
/// say which.
pub(super) fn pass_over(batches: &mut [Batch], input: &Input, base: &Path) {
    if input.schema.is_some() || input.migrations.is_some() {
        return;
    }
    let mut known: BTreeMap<(PathBuf, PathBuf), Role> = BTreeMap::new();
    for project in batches.iter_mut().map(|batch| &mut batch.project) {
        let (Some(dump), Some(folder)) = (foreign(project), project.migrations.clone()) else { continue };
        let file = shown(&dump, base);
        if let Some(role) = known.get(&(dump.clone(), folder.clone())) {
            role.assign(project);
            continue;
        }
        let role = Role::of(&dump, project, input, base);
        role.assign(project);
        if matches!(role, Role::Other) {
            let dir = shown(&folder, base);
            let message = format!("`{file}` is not read: it was not written from `{dir}`, and may be older");
            let notice = Notice::new(NoticeKind::NoSnapshot, message, Place::default());
            project.notices.push(notice.help(format!("to read it instead, name it: `--schema {file}`")));
        }
        known.insert((dump, folder), role);
    }
}

/// What such a file is to the migrations of its project.
enum Role {
    /// They make the schema without it.
    Other,
    /// They change its tables: the code runs it before them, or they apply to it without an error.
    Base(Option<Coded>),
    /// They change its tables, and it has the changes.
    Result,
}

impl Role {
    fn of(dump: &Path, project: &Project, input: &Input, base: &Path) -> Role {
        let file = shown(dump, base);
        if project.coded.iter().any(|coded| coded.file == file) {
            return Role::Base(None);
        }
        let mut trial = Project { schema_path: None, ..project.clone() };
        if let Some(told) = input.dialect {
            trial.config.dialect = Some(told.dialect);
        }
        if stands_alone(&trial, dump, base) {
            return Role::Other;
        }
        let Ok(sql) = read(dump) else { return Role::Result };
        let coded = Coded { file, line: 1, sql, is_certain: true, dialect: None };
        trial.coded.insert(0, coded.clone());
        let replayed = trial.migrations.clone().and_then(|dir| trial.replay_migrations(&dir, base).ok());
        // A file that is left out is no statement that fails.
        let mut added = trial.notices.iter().skip(project.notices.len());
        let is_whole = replayed > Some(0) && added.all(|notice| notice.place.line == 0);
        if is_whole { Role::Base(Some(coded)) } else { Role::Result }
    }

    fn assign(&self, project: &mut Project) {
        match self {
            Role::Other => project.schema_path = None,
            Role::Base(coded) => {
                project.schema_path = None;
                project.coded.splice(0..0, coded.clone());
            }
            Role::Result => {}
        }
    }
}

/// The schema file of a project that another tool or a person wrote, and that no configuration names.
pub(super) fn foreign(project: &Project) -> Option<PathBuf> {
    let path = project.schema_path.as_ref().filter(|_| project.config.schema.is_none())?;
    let is_foreign = read(path).is_ok_and(|text| !snapshot::is_snapshot(&text));
    is_foreign.then(|| path.clone())
}

/// Whether the migrations of a project make a schema without the file: those that change tables that only the file creates
/// continue it.
fn stands_alone(project: &Project, dump: &Path, base: &Path) -> bool {
    let mut trial = project.clone();
    let replayed = project.migrations.as_ref().and_then(|dir| trial.replay_migrations(dir, base).ok());
    let Some(made) = trial.schema.take().filter(|_| replayed > Some(0)) else { return false };
    let missing: BTreeSet<&str> = made.opaque.keys().map(|name| name.name.as_str()).collect();
    trial.read_snapshot(dump, base);
    let mut of_file = trial.schema.iter().flat_map(|schema| schema.tables.keys());
    !made.tables.is_empty() && !of_file.any(|name| missing.contains(name.name.as_str()))
}
