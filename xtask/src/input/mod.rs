//! The queries and schemas to check: a workspace's Rust files with their `.sqlx` folders, or a file of
//! queries; a snapshot, or migrations.

mod candidates;
mod coded;
mod databases;
mod dumps;
mod entries;
mod included;
pub(crate) mod makers;
mod migrations;
pub(crate) mod overrides;
mod queries;
mod run_by;
pub(crate) mod rust_files;
mod schema;
pub(crate) mod workspace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::project::{Project, shown};
use query_budget_analysis::rust::Allow;
use query_budget_analysis::schema::layouts;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Place, Severity};

pub(crate) use rust_files::RustFile;

use crate::args::{Format, Input};
use crate::failure::Failure;

/// Everything to check.
pub(crate) struct Loaded {
    /// The queries, by their database.
    pub(crate) batches: Vec<Batch>,
    /// The number of files examined.
    pub(crate) files: usize,
    /// The files that could not be read or parsed, each with its place and the reason.
    pub(crate) unread: Vec<String>,
    /// The call graph, as pairs of caller and callee.
    pub(crate) calls: Vec<(FunctionKey, FunctionKey)>,
}

/// A function, identified by its displayed file and its path in it.
pub(crate) type FunctionKey = (Arc<str>, Arc<str>);

/// A project, and the queries on its database.
pub(crate) struct Batch {
    /// The configuration and schema.
    pub(crate) project: Project,
    /// The source of the schema, by which batches of the same database are recognised.
    pub(crate) source: Option<PathBuf>,
    /// The Rust files that contain queries.
    pub(crate) files: Vec<RustFile>,
    /// The queries outside of Rust source.
    pub(crate) bare: Vec<BareQuery>,
}

impl Batch {
    /// Whether there is nothing to check.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.bare.is_empty()
    }
}

/// A query outside of Rust source.
#[derive(Clone)]
pub(crate) struct BareQuery {
    /// Its text.
    pub(crate) sql: Arc<str>,
    /// Its place in the source.
    pub(crate) place: Place,
    /// The allows in the comments in front of it.
    pub(crate) allows: Vec<Allow>,
    /// Whether it is a `.sqlx` entry that no query of the source has: it comes from another macro, or is left
    /// over.
    pub(crate) is_entry: bool,
    /// The macro or derive in the source that makes it, if found.
    pub(crate) maker: Option<Place>,
    /// Whether it is such an entry, and nothing in the source or in a dependency may make it.
    pub(crate) is_stale: bool,
    /// The database that its entry names.
    pub(crate) dialect: Option<Dialect>,
}

/// Loads what the arguments name. Paths are shown relative to `base`.
pub(crate) fn load(input: &Input, base: &Path) -> Result<Loaded, Failure> {
    let Some(path) = &input.queries else {
        let mut loaded = rust_files::find_in(&input.paths, &input.packages, base)?;
        overrides::apply(&input.config, &mut loaded.batches);
        dumps::pass_over(&mut loaded.batches, input, base);
        if input.dialect.is_none() && input.schema.is_none() && input.migrations.is_none() {
            loaded.batches = databases::divide(loaded.batches);
        }
        schema::load(&mut loaded.batches, input, base)?;
        return Ok(loaded);
    };
    let mut unread = Vec::new();
    let mut batch =
        Batch { project: project_of(path, base), source: None, files: Vec::new(), bare: Vec::new() };
    let is_folder = path.is_dir();
    if is_folder {
        batch.bare = queries::read_folder(path, base, &mut unread)?;
    }
    let mut batches = databases::by_entry(batch);
    overrides::apply(&input.config, &mut batches);
    dumps::pass_over(&mut batches, input, base);
    schema::load(&mut batches, input, base)?;
    for batch in batches.iter_mut().filter(|_| !is_folder) {
        batch.bare = queries::read_queries(path, batch.project.dialect, base, &mut unread)?;
    }
    let files: BTreeSet<&str> =
        batches.iter().flat_map(|batch| &batch.bare).map(|query| &*query.place.file).collect();
    Ok(Loaded { files: files.len(), batches, unread, calls: Vec::new() })
}

/// The folder that the paths of a report are relative to: the working directory, where a reader would look
/// for them; in JSON, PATH, which its reader has named.
pub(crate) fn base(input: &Input, format: Format) -> Result<PathBuf, Failure> {
    if format != Format::Json || input.queries.is_some() {
        return current_dir();
    }
    let path = scope(input)?;
    Ok(if path.is_dir() { path } else { path.parent().unwrap_or(&path).to_path_buf() })
}

/// Fails if there are queries and no schema to check any of them against.
pub(crate) fn require_schema(loaded: &Loaded) -> Result<(), Failure> {
    let lacks_schema = |project: &Project| {
        project.schema.is_none()
            && project.notices.iter().all(|notice| notice.kind.severity() < Severity::Error)
    };
    let mut with_queries = loaded.batches.iter().filter(|batch| !batch.is_empty()).peekable();
    if with_queries.peek().is_some() && with_queries.all(|batch| lacks_schema(&batch.project)) {
        return Err(Failure::new("find a schema to check against").help(format!(
            "name one: `--migrations <folder>` or `--schema <file>`; looked for {}",
            layouts::LOOKED_FOR
        )));
    }
    Ok(())
}

/// The canonical path of the file or folder being checked; of several, their common ancestor.
pub(crate) fn scope(input: &Input) -> Result<PathBuf, Failure> {
    let mut scopes = scopes(input)?.into_iter();
    let Some(mut scope) = scopes.next() else { return current_dir() };
    for other in scopes {
        while !other.starts_with(&scope) {
            if !scope.pop() {
                break;
            }
        }
    }
    Ok(scope)
}

/// The canonical paths of the files and folders being checked.
pub(crate) fn scopes(input: &Input) -> Result<Vec<PathBuf>, Failure> {
    let open = |path: &PathBuf| {
        let shown = path.display();
        path.canonicalize().map_err(|error| Failure::new(format!("open `{shown}`")).because(error))
    };
    match &input.queries {
        Some(path) if queries::is_stdin(path) => Ok(vec![current_dir()?]),
        Some(path) => Ok(vec![open(path)?]),
        None => input.paths.iter().map(open).collect(),
    }
}

/// The project around a file of queries; around the working directory if there is none.
fn project_of(path: &Path, base: &Path) -> Project {
    if queries::is_stdin(path) {
        return Project::locate(base, base);
    }
    let project = Project::locate(path.parent().filter(|dir| dir.is_dir()).unwrap_or(base), base);
    let is_found =
        project.config_path.is_some() || project.schema_path.is_some() || project.migrations.is_some();
    if is_found { project } else { Project::locate(base, base) }
}

/// How many of its files the failure for a folder names.
const MOST_HELD: usize = 5;

/// The failure for a folder without migrations: what it contains, and what was looked for.
pub(crate) fn no_migrations(dir: &Path, project: &Project, base: &Path) -> Failure {
    let folder = shown(dir, base);
    let is_below = |file: &str| file.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('/'));
    let held = project.notices.iter().filter_map(|notice| match &*notice.place.file {
        file if file == folder => Some(format!("; {}", notice.message)),
        file if is_below(file) => Some(format!("; `{file}`: {}", notice.message)),
        _ => None,
    });
    let held: Vec<String> = held.take(MOST_HELD).collect();
    Failure::new(format!("read `{folder}`: it holds no migrations{}", held.concat()))
        .help(format!("name the folder of the `.sql` files; looked for {}", layouts::LOOKED_FOR))
}

/// The folder that paths are shown relative to.
pub(crate) fn current_dir() -> Result<PathBuf, Failure> {
    let dir = std::env::current_dir().and_then(|dir| dir.canonicalize());
    dir.map_err(|error| Failure::new("find the working directory").because(error))
}
