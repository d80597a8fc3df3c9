//! A project on disk: its configuration, its snapshot, its migrations. Only this module reads files.

mod coded;
mod crates;
mod files;
mod find;
mod manifest;
mod saved;
mod schema;
mod sqlx_toml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crates::{sources, targets};
pub use files::{ReadError, read, read_bytes, shown};
pub use find::{Roots, search_below, search_migrations, search_repository, workspace_root};
pub use manifest::{Dependency, OURS, OURS_ON_08, dependencies, dependency, dependency_on_ours, switched};
pub use saved::{saved_entry, saved_query};
pub use schema::read_migrations;
pub use sqlx_toml::overrides;

use crate::check::Checker;
use crate::config::{self, Config, LintKey};
use crate::finding::Place;
use crate::notice::{Notice, NoticeKind};
use crate::rust::NamedDatabases;
use crate::schema::{Coded, Schema};
use crate::sql::Dialect;

/// The environment variable that names the configuration file, overriding the search.
pub const CONFIG_VARIABLE: &str = "QUERY_BUDGET_CONFIG";
/// The environment variable whose URL determines the dialect if nothing else does.
pub const URL_VARIABLE: &str = "DATABASE_URL";
/// The default name of the snapshot.
pub const SNAPSHOT: &str = "schema.sql";
/// The default name of the migrations directory.
pub const MIGRATIONS: &str = "migrations";
/// The command that repairs a missing, broken or stale snapshot.
const SCHEMA_COMMAND: &str = "cargo query-budget schema";

/// What runs the migrations in a folder, as far as code tells. Tools run them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunBy {
    /// Nothing in the code.
    #[default]
    Unknown,
    /// Code of the program.
    Program,
    /// Tests, and no code of the program.
    Tests,
}

/// One crate or directory, with its configuration and schema.
#[derive(Debug, Clone)]
pub struct Project {
    /// The directory that paths in the configuration are relative to: that of the configuration, else of the
    /// snapshot, else of the workspace.
    pub root: PathBuf,
    /// The configuration; the defaults if there is none or it is broken.
    pub config: Config,
    /// The configuration file, if there is one.
    pub config_path: Option<PathBuf>,
    /// The lints that the configuration names, known or not.
    pub lint_keys: Vec<LintKey>,
    /// The database schema; `None` without a readable snapshot.
    pub schema: Option<Arc<Schema>>,
    /// The snapshot file, if there is one.
    pub schema_path: Option<PathBuf>,
    /// The migrations directory, if there is one.
    pub migrations: Option<PathBuf>,
    /// What runs the migrations.
    pub run_by: RunBy,
    /// The migrations of each of several databases that the crate uses, if there are several.
    pub by_database: Vec<(Dialect, PathBuf)>,
    /// The statements of the code that change the schema.
    pub coded: Vec<Coded>,
    /// The source of the schema, if that is migrations: `165 migrations of dbmate in `db/migrations``.
    pub told: String,
    /// The digest of the migrations as recorded in the snapshot.
    pub digest: Option<String>,
    /// The SQL dialect.
    pub dialect: Dialect,
    /// Whether nothing determines the dialect, so that it is guessed for each query.
    pub dialect_is_guessed: bool,
    /// Whether the user says the dialect of this run.
    pub dialect_is_told: bool,
    /// The dialect that the crate enables in sqlx, used if configuration, environment and migrations leave it
    /// open.
    pub dialect_hint: Option<Dialect>,
    /// The databases that the crate enables. Its queries are read in the dialect of the only one, even if the schema
    /// that was found is of another.
    pub databases: NamedDatabases,
    /// Reasons why the project cannot be checked in full.
    pub notices: Vec<Notice>,
    /// The files that were read and affect the result: a build depends on them.
    pub read: Vec<PathBuf>,
}

impl Project {
    /// Loads the project around `dir`, a crate's directory or one inside it. Paths are shown relative to the
    /// workspace.
    pub fn load(dir: &Path) -> Project {
        Project::load_shown_from(dir, &find::workspace_root(dir))
    }

    /// Loads the project around `dir`, showing paths relative to `base`.
    pub fn load_shown_from(dir: &Path, base: &Path) -> Project {
        let mut project = Project::locate(dir, base);
        project.load_schema(&find::resolved(base));
        project
    }

    /// Loads the project of the package in `dir` as cargo builds it. `base` is the workspace root for
    /// packages of the workspace, and the package's own directory for others, beyond which nothing is
    /// searched. `QUERY_BUDGET_CONFIG` does not apply to those others. `is_primary` says whether the package
    /// was selected on cargo's command line.
    pub fn load_for_build(dir: &Path, base: &Path, is_primary: bool) -> Project {
        let (dir, base) = (&find::resolved(dir), &find::resolved(base));
        let workspace = if dir == base { dir.clone() } else { find::workspace_root(dir) };
        let is_member = workspace == *base && (dir != base || is_primary);
        let named = if is_member { find::named_config() } else { None };
        let mut project = Project::within(dir, base, &workspace, named);
        project.load_schema(base);
        project
    }

    /// Reads the configuration around `dir` and locates the snapshot and the migrations, without reading
    /// them.
    pub fn locate(dir: &Path, base: &Path) -> Project {
        Project::locate_in(dir, base, &mut Roots::default())
    }

    /// Like [`Project::locate`], for one of many projects.
    pub fn locate_in(dir: &Path, base: &Path, roots: &mut Roots) -> Project {
        let (dir, base) = (&find::resolved(dir), &find::resolved(base));
        Project::within(dir, base, &roots.of(dir), find::named_config())
    }

    fn within(dir: &Path, base: &Path, workspace: &Path, named_config: Option<PathBuf>) -> Project {
        let mut project = Project {
            root: workspace.to_path_buf(),
            config: Config::default(),
            config_path: named_config.or_else(|| find::config(dir, workspace)),
            lint_keys: Vec::new(),
            schema: None,
            schema_path: None,
            migrations: None,
            by_database: Vec::new(),
            run_by: RunBy::Unknown,
            coded: Vec::new(),
            told: String::new(),
            digest: None,
            dialect: Dialect::Postgres,
            dialect_is_guessed: false,
            dialect_is_told: false,
            dialect_hint: None,
            databases: NamedDatabases::default(),
            notices: Vec::new(),
            read: Vec::new(),
        };
        project.load_config(base);
        project.find_schema(dir, workspace, base);
        project.find_migrations(dir, workspace);
        project.find_dump(dir, workspace);
        project.find_upgrades();
        project
    }

    /// A checker for the project's queries.
    pub fn checker(&self) -> Checker<'_> {
        let checker = Checker::new(&self.config, self.schema.as_deref(), self.dialect);
        let checker = checker.with_databases(&self.databases).with_told_dialect(self.dialect_is_told);
        let checker = checker.with_schema_of_migrations(!self.told.is_empty());
        if self.dialect_is_guessed { checker.with_guessed_dialect() } else { checker }
    }

    fn load_config(&mut self, base: &Path) {
        let Some(path) = self.config_path.clone() else { return };
        if let Some(folder) = path.parent() {
            self.root = folder.to_path_buf();
        }
        self.read.push(path.clone());
        let file = shown(&path, base);
        let parsed = read(&path)
            .map_err(|error| {
                Box::new(Notice::new(
                    NoticeKind::BrokenConfig,
                    format!("failed to {error}"),
                    place(&file, error.line),
                ))
            })
            .and_then(|text| config::parse(&text, &file));
        match parsed {
            Ok(parsed) => {
                self.config = parsed.config;
                self.lint_keys = parsed.lint_keys;
            }
            Err(notice) => self.notices.push(*notice),
        }
    }

    /// Locates the snapshot: the configured one, else the nearest `schema.sql` up to the configuration or
    /// workspace.
    fn find_schema(&mut self, dir: &Path, workspace: &Path, base: &Path) {
        if let Some(configured) = &self.config.schema {
            let path = self.root.join(configured);
            if path.exists() {
                self.schema_path = Some(path);
                return;
            }
            let file = self.config_path.as_deref().map(|path| shown(path, base)).unwrap_or_default();
            let message = format!("the snapshot `{configured}` does not exist");
            // A package published without its snapshot cannot regenerate it: that disables typed queries, not
            // the build.
            let is_packed = self.root.join("Cargo.toml.orig").exists();
            let kind = if is_packed { NoticeKind::NoSnapshot } else { NoticeKind::MissingSnapshot };
            let notice = Notice::new(kind, message, place(&file, None));
            self.notices.push(notice.help(format!("write it with `{SCHEMA_COMMAND}`")));
            return;
        }
        self.schema_path = find::upwards(dir, self.outermost(workspace), SNAPSHOT);
        if self.config_path.is_none()
            && let Some(folder) = self.schema_path.as_deref().and_then(Path::parent)
        {
            self.root = folder.to_path_buf();
        }
    }

    fn find_migrations(&mut self, dir: &Path, workspace: &Path) {
        let path = match &self.config.migrations {
            Some(configured) => Some(self.root.join(configured)),
            None => find::migrations(dir, self.outermost(workspace)),
        };
        self.migrations = path.filter(|path| path.is_dir());
    }

    /// Without a snapshot and migrations: locates a schema dump of another tool.
    fn find_dump(&mut self, dir: &Path, workspace: &Path) {
        if self.schema_path.is_none() && self.migrations.is_none() && self.config.schema.is_none() {
            let last = self.outermost(workspace);
            self.schema_path = find::DUMPS.iter().find_map(|name| find::upwards(dir, last, name));
        }
    }

    /// Takes a schema of another tool and a folder of files that only change its tables together, where one of them was found.
    fn find_upgrades(&mut self) {
        if self.config.schema.is_some() || self.config.migrations.is_some() {
            return;
        }
        match (self.schema_path.clone(), self.migrations.clone()) {
            (Some(path), None) => self.find_folder_of_upgrades(&path),
            (None, Some(dir)) => {
                let beside = |name: &str| dir.parent().map(|outer| outer.join(name));
                let names = ["schema.sql", "structure.sql", "init.sql"];
                self.schema_path =
                    names.into_iter().filter_map(beside).find(|path| schema::is_built_upon(path, &dir));
            }
            _ => {}
        }
    }

    fn find_folder_of_upgrades(&mut self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        let of_name = ["sql", "upgrades", "updates", "patches", "changes"].map(|name| folder.join(name));
        let is_apart = |dir: &&PathBuf| dir.as_path() != folder && schema::is_built_upon(path, dir);
        if let Some(dir) = of_name.iter().find(is_apart) {
            self.migrations = Some(dir.clone());
        } else if folder != self.root && schema::begins_with(folder, path) {
            // The folder has both.
            self.migrations = Some(folder.to_path_buf());
            self.schema_path = None;
        }
    }

    /// The schema of another tool that the migrations build upon.
    pub fn base_of_migrations(&self, base: &Path) -> Option<Coded> {
        let path = self.schema_path.as_ref()?;
        let is_base = self.migrations.as_ref().is_some_and(|dir| schema::is_built_upon(path, dir));
        let sql = files::read(path).ok().filter(|_| is_base)?;
        Some(Coded { file: shown(path, base), line: 1, sql, is_certain: true, dialect: None })
    }

    /// Whether the server is MariaDB, as far as the configuration or the environment names it.
    pub fn is_mariadb(&self) -> bool {
        let by_url = || url().is_some_and(|url| Dialect::names_mariadb(&url));
        self.config.is_mariadb || self.config.dialect.is_none() && by_url()
    }

    /// The last directory of the upward search: the configuration may be above the workspace.
    fn outermost<'p>(&'p self, workspace: &'p Path) -> &'p Path {
        let configured = self.config_path.as_deref().and_then(Path::parent);
        configured.filter(|folder| workspace.starts_with(folder)).unwrap_or(workspace)
    }
}

fn place(file: &str, line: Option<usize>) -> Place {
    let line = line.and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
    Place { file: file.into(), line, column: 0 }
}

fn dialect_of_url() -> Option<Dialect> {
    url().as_deref().and_then(Dialect::from_name)
}

fn url() -> Option<String> {
    std::env::var(URL_VARIABLE).ok()
}
