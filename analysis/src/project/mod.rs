//! A project as it stands on disk: its configuration, its snapshot, its migrations. This folder alone reads files.

mod crates;
mod files;
mod find;
mod manifest;
mod saved;
mod schema;
mod sqlx_toml;

use std::path::{Path, PathBuf};

pub use crates::{sources, targets};
pub use files::{ReadError, read, shown};
pub use find::{search_migrations, workspace_root};
pub use manifest::{Dependency, dependency};
pub use saved::saved_query;
pub use schema::read_migrations;
pub use sqlx_toml::overrides;

use crate::check::Checker;
use crate::config::{self, Config, LintKey};
use crate::finding::Place;
use crate::notice::{Notice, NoticeKind};
use crate::schema::Schema;
use crate::sql::Dialect;

/// The variable that names the configuration's file, instead of the nearest one.
pub const CONFIG_VARIABLE: &str = "QUERY_BUDGET_CONFIG";
/// The variable whose URL tells the dialect when nothing else does.
pub const URL_VARIABLE: &str = "DATABASE_URL";
/// The snapshot's name where none is configured.
pub const SNAPSHOT: &str = "schema.sql";
/// The name of the migrations' folder where none is configured.
pub const MIGRATIONS: &str = "migrations";
/// The command that mends a missing, broken or stale snapshot.
const SCHEMA_COMMAND: &str = "cargo query-budget schema";

/// One crate, or one folder, with what is configured and known for it.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder that paths in the configuration are relative to: the configuration's own, else the snapshot's, else
    /// the workspace's.
    pub root: PathBuf,
    /// The configuration; all defaults when there is none or it is broken.
    pub config: Config,
    /// The configuration's file, where there is one.
    pub config_path: Option<PathBuf>,
    /// The lints that the configuration names, known or not.
    pub lint_keys: Vec<LintKey>,
    /// What the database holds; `None` without a snapshot that can be read.
    pub schema: Option<Schema>,
    /// The snapshot's file, where there is one.
    pub schema_path: Option<PathBuf>,
    /// The migrations' folder, where there is one.
    pub migrations: Option<PathBuf>,
    /// What the schema was read from, where that is migrations: `165 migrations of dbmate in `db/migrations``.
    pub told: String,
    /// The digest of the migrations that the snapshot was written from, as it says itself.
    pub digest: Option<String>,
    /// Whose rules hold.
    pub dialect: Dialect,
    /// Whether nothing says whose rules hold, so that each query is read by those that it fits.
    pub dialect_is_guessed: bool,
    /// Whose rules hold where neither configuration, environment nor migrations tell: what the crate has sqlx built for.
    pub dialect_hint: Option<Dialect>,
    /// What keeps the project from being checked in full.
    pub notices: Vec<Notice>,
    /// The files that were read and decide what is reported: a build depends on them.
    pub read: Vec<PathBuf>,
}

impl Project {
    /// Loads the project around `dir`, a crate's folder or one below it. Paths are shown relative to the workspace.
    pub fn load(dir: &Path) -> Project {
        Project::load_shown_from(dir, &find::workspace_root(dir))
    }

    /// Loads the project around `dir`, showing paths relative to `base`.
    pub fn load_shown_from(dir: &Path, base: &Path) -> Project {
        let mut project = Project::locate(dir, base);
        project.load_schema(&find::resolved(base));
        project
    }

    /// Loads the project of the package in `dir` as cargo builds it from the folder `base`: the workspace's root for the
    /// packages of the workspace, for every other its own folder, beyond which nothing is searched for. The variable that
    /// names a configuration is not for those others; `is_primary` says that the package was asked for by name.
    pub fn load_for_build(dir: &Path, base: &Path, is_primary: bool) -> Project {
        let (dir, base) = (&find::resolved(dir), &find::resolved(base));
        let workspace = if dir == base { dir.clone() } else { find::workspace_root(dir) };
        let is_member = workspace == *base && (dir != base || is_primary);
        let named = if is_member { find::named_config() } else { None };
        let mut project = Project::within(dir, base, &workspace, named);
        project.load_schema(base);
        project
    }

    /// Reads the configuration around `dir` and finds the snapshot and the migrations, which are not read.
    pub fn locate(dir: &Path, base: &Path) -> Project {
        let (dir, base) = (&find::resolved(dir), &find::resolved(base));
        Project::within(dir, base, &find::workspace_root(dir), find::named_config())
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
            told: String::new(),
            digest: None,
            dialect: Dialect::Postgres,
            dialect_is_guessed: false,
            dialect_hint: None,
            notices: Vec::new(),
            read: Vec::new(),
        };
        project.load_config(base);
        project.find_schema(dir, workspace, base);
        project.find_migrations(dir, workspace);
        project.find_dump(dir, workspace);
        project
    }

    /// What the project's queries are checked against.
    pub fn checker(&self) -> Checker<'_> {
        let checker = Checker::new(&self.config, self.schema.as_ref(), self.dialect);
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

    /// Finds the snapshot: the configured one, else the nearest `schema.sql` up to the configuration or workspace.
    fn find_schema(&mut self, dir: &Path, workspace: &Path, base: &Path) {
        if let Some(configured) = &self.config.schema {
            let path = self.root.join(configured);
            if path.exists() {
                self.schema_path = Some(path);
                return;
            }
            let file = self.config_path.as_deref().map(|path| shown(path, base)).unwrap_or_default();
            let message = format!("the snapshot `{configured}` does not exist");
            // Who builds a package that was published without it cannot write one: that costs types, not the build.
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

    /// Where there is neither a snapshot nor a folder of migrations: finds what another tool wrote of the schema.
    fn find_dump(&mut self, dir: &Path, workspace: &Path) {
        if self.schema_path.is_none() && self.migrations.is_none() && self.config.schema.is_none() {
            let last = self.outermost(workspace);
            self.schema_path = find::DUMPS.iter().find_map(|name| find::upwards(dir, last, name));
        }
    }

    /// The last folder in which files are searched for: the configuration may stand above the workspace.
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
    std::env::var(URL_VARIABLE).ok().as_deref().and_then(Dialect::from_name)
}
