//! Crates of several databases: each file is checked against the schema of the one that it names.

use query_budget_analysis::project::Project;
use query_budget_analysis::rust::NamedDatabases;
use query_budget_analysis::sql::Dialect;

use super::{Batch, RustFile};

/// Divides the batches of crates that have migrations, or statements of code, for each of several databases.
pub(super) fn divide(batches: Vec<Batch>) -> Vec<Batch> {
    batches.into_iter().flat_map(divided).collect()
}

/// Divides entries of `.sqlx` by the databases that they name.
pub(super) fn by_entry(batch: Batch) -> Vec<Batch> {
    if batch.bare.iter().all(|query| query.dialect.is_none()) {
        return vec![batch];
    }
    // Migrations whose text tells no database are those of most entries.
    let count = |dialect: Dialect| batch.bare.iter().filter(|query| query.dialect == Some(dialect)).count();
    let most = Dialect::ALL.into_iter().max_by_key(|dialect| count(*dialect));
    let of = |dialect: Option<Dialect>| {
        let mut project = batch.project.clone();
        if let Some(dialect) = dialect {
            project.dialect_hint = most;
            project.databases = NamedDatabases { of_sqlx: vec![dialect], ..NamedDatabases::default() };
        }
        let bare: Vec<_> = batch.bare.iter().filter(|query| query.dialect == dialect).cloned().collect();
        Batch { project, source: None, files: Vec::new(), bare }
    };
    let databases = Dialect::ALL.into_iter().map(Some).chain([None]);
    databases.map(of).filter(|batch| !batch.is_empty()).collect()
}

fn divided(mut batch: Batch) -> Vec<Batch> {
    let dialects = dialects(&batch.project);
    let Some((first, others)) = dialects.split_first().filter(|(_, others)| !others.is_empty()) else {
        return vec![batch];
    };
    let mut all = Vec::new();
    for dialect in others {
        let is_of = |file: &mut RustFile| file.source.scan.databases.only() == Some(*dialect);
        let files: Vec<RustFile> = batch.files.extract_if(.., is_of).collect();
        if !files.is_empty() {
            let project = of_database(&batch.project, *dialect);
            let project = Project { notices: Vec::new(), databases: alone(&project, *dialect), ..project };
            all.push(Batch { project, source: None, files, bare: Vec::new() });
        }
    }
    // The first also has what names no database, or several.
    batch.project = of_database(&batch.project, *first);
    if !batch.is_empty() {
        all.insert(0, batch);
    }
    all
}

/// The databases that have a schema each; none where something else is said.
fn dialects(project: &Project) -> Vec<Dialect> {
    let config = &project.config;
    if project.schema_path.is_some() || config.schema.is_some() || config.dialect.is_some() {
        return Vec::new();
    }
    let of_code = |dialect: &Dialect| project.coded.iter().any(|text| text.dialect == Some(*dialect));
    let of_folder = |dialect: &Dialect| project.by_database.iter().any(|(of, _)| of == dialect);
    let with_folders = !project.by_database.is_empty();
    if !with_folders && project.migrations.is_some() {
        return Vec::new();
    }
    let is_of = |dialect: &Dialect| if with_folders { of_folder(dialect) } else { of_code(dialect) };
    Dialect::ALL.into_iter().filter(is_of).collect()
}

/// A project with the schema of one of its databases.
fn of_database(project: &Project, dialect: Dialect) -> Project {
    let mut project = project.clone();
    if let Some((_, folder)) = project.by_database.iter().find(|(of, _)| *of == dialect) {
        project.migrations = Some(folder.clone());
    }
    project.coded.retain(|text| text.dialect.is_none_or(|of| of == dialect));
    project.coded.sort_by_key(|text| text.dialect.is_none());
    project.dialect_hint = Some(dialect);
    project
}

/// One of the databases that a project names.
fn alone(project: &Project, dialect: Dialect) -> NamedDatabases {
    let of = |all: &[Dialect]| all.iter().copied().filter(|other| *other == dialect).collect();
    NamedDatabases { of_drivers: of(&project.databases.of_drivers), of_sqlx: of(&project.databases.of_sqlx) }
}
