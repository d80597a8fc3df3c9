//! Locates the files of a project: searches upwards from a directory, never beyond the workspace.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use crate::config;
use crate::schema::layouts;

/// Files that cargo leaves in a package that it fetched or vendored: third-party code, wherever it is.
const FETCHED: [&str; 2] = [".cargo-ok", ".cargo-checksum.json"];

/// The configuration file named by `QUERY_BUDGET_CONFIG`.
pub(super) fn named_config() -> Option<PathBuf> {
    std::env::var_os(super::CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The canonical path, so that its ancestors are the directories above it.
pub(super) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf())
}

/// The nearest `name` in `dir` or an ancestor, up to `last`.
pub(super) fn upwards(dir: &Path, last: &Path, name: &str) -> Option<PathBuf> {
    for dir in dir.ancestors() {
        let path = dir.join(name);
        if path.exists() {
            return Some(path);
        }
        if dir == last {
            break;
        }
    }
    None
}

/// Where other tools keep migrations, below a package or workspace; the first that contains `.sql` files is
/// used.
const FOLDERS: [&str; 22] = [
    super::MIGRATIONS,
    "db/migrations",
    "db/migration",
    "database/migrations",
    "database/migration",
    "sql/migrations",
    "src/migrations",
    "src/db/migrations",
    "resources/migrations",
    "resources/db/migration",
    "src/main/resources/db/migration",
    "schema/migrations",
    "store/migrations",
    "storage/migrations",
    "persistence/migrations",
    "postgres/migrations",
    "migration",
    "db/migrate",
    "supabase/migrations",
    "prisma/migrations",
    "drizzle",
    "priv/repo/migrations",
];

/// Schema dumps of Rails, dbmate, or written by hand.
pub(super) const DUMPS: [&str; 6] = [
    "structure.sql",
    "db/structure.sql",
    "db/schema.sql",
    "database/schema.sql",
    "sql/schema.sql",
    "src/schema.sql",
];

/// The nearest migrations directory in `dir` or an ancestor, up to `last`.
pub(super) fn migrations(dir: &Path, last: &Path) -> Option<PathBuf> {
    let mut empty = None;
    for dir in dir.ancestors() {
        for name in FOLDERS {
            let path = dir.join(name);
            if path.is_dir() {
                if holds_sql(&path, 0) {
                    return Some(path);
                }
                if name == super::MIGRATIONS {
                    empty.get_or_insert(path);
                }
            }
        }
        if dir == last {
            break;
        }
    }
    empty
}

/// The maximum nesting of directories in a migrations directory.
const MAX_FOLDER_DEPTH: usize = 4;

fn holds_sql(dir: &Path, depth: usize) -> bool {
    let paths: Vec<PathBuf> = entries(dir).collect();
    paths.iter().any(|path| is_sql(path))
        || (depth < MAX_FOLDER_DEPTH && paths.iter().any(|path| path.is_dir() && holds_sql(path, depth + 1)))
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("sql"))
}

/// Directories that hold no migrations of this project.
const PASSED_OVER: [&str; 10] = [
    "target",
    "node_modules",
    "vendor",
    "tests",
    "test",
    "fixtures",
    "testdata",
    "examples",
    "benches",
    "seeds",
];
/// The maximum number of directories searched.
const MAX_FOLDERS: usize = 4_000;

/// The directories at or below `root` whose files create tables, for projects without a conventional
/// directory: a single one, or several for the user to choose from. If there are none, siblings of `root` in
/// its repository with a telling name are searched: `../sql` for `webapp/rust`. The search stops after some
/// thousand directories.
pub fn search_migrations(root: &Path) -> Vec<PathBuf> {
    let found = search(root);
    if !found.is_empty() || root.join(".git").exists() {
        return found;
    }
    let is_in_repository = |dir: &&Path| dir.ancestors().any(|dir| dir.join(".git").exists());
    let outer = root.parent().filter(is_in_repository);
    let beside = outer.into_iter().flat_map(|outer| BESIDE.iter().map(|name| outer.join(name)));
    let folders = beside.filter(|dir| dir.is_dir() && !dir.join("Cargo.toml").exists());
    folders.flat_map(|dir| search(&dir)).collect()
}

/// Names of sibling directories that are searched.
const BESIDE: &[&str] = &["sql", "db", "database", "schema", "migrations"];

/// The directories in the repository around `root` whose files create tables; none if `root` is the whole of it.
pub fn search_repository(root: &Path) -> Vec<PathBuf> {
    let repository = root.ancestors().find(|dir| dir.join(".git").exists());
    repository.filter(|repository| *repository != root).map(search_below).unwrap_or_default()
}

/// The directories at or below `root` whose files create tables; those with the name of migrations, if there are any.
fn search(root: &Path) -> Vec<PathBuf> {
    let found = search_below(root);
    // A directory with such a name takes precedence over other scripts that create tables.
    let says_so = |path: &Path| {
        let below = path.strip_prefix(root).unwrap_or(path);
        below.to_string_lossy().to_lowercase().contains("migrat")
    };
    let named: Vec<PathBuf> = found.iter().filter(|path| says_so(path)).cloned().collect();
    if named.is_empty() { found } else { named }
}

/// The directories at or below `root` whose files create tables.
pub fn search_below(root: &Path) -> Vec<PathBuf> {
    let mut open = vec![(root.to_path_buf(), 0)];
    let mut seen = 0;
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some((dir, depth)) = open.pop() {
        seen += 1;
        if seen > MAX_FOLDERS {
            break;
        }
        let mut below: Vec<PathBuf> = Vec::new();
        let mut makes_tables = false;
        for path in entries(&dir) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if is_sql(&path) {
                makes_tables |= super::read(&path).is_ok_and(|text| layouts::makes_something(&text));
            } else if path.is_dir()
                && !path.is_symlink()
                && !name.starts_with('.')
                && !PASSED_OVER.contains(&name.as_str())
            {
                below.push(path);
            }
        }
        if makes_tables {
            let is_step = ["up.sql", "migration.sql"].iter().any(|name| dir.join(name).is_file());
            found.push(dir.parent().filter(|_| is_step).map_or(dir.clone(), Path::to_path_buf));
        } else if depth <= MAX_FOLDER_DEPTH + 2 {
            open.extend(below.into_iter().map(|path| (path, depth + 1)));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The nearest configuration file in `dir` or an ancestor, up to `last`; without a package around `dir`, up
/// to the file system's root.
pub(super) fn config(dir: &Path, last: &Path) -> Option<PathBuf> {
    let in_package = dir.ancestors().any(|dir| dir.join("Cargo.toml").is_file());
    let last = if in_package { last } else { Path::new("") };
    upwards(dir, last, config::FILE_NAME).filter(|path| !path.is_dir())
}

/// The root of the cargo workspace around `dir`: the nearest directory whose `Cargo.toml` has a `[workspace]`
/// table that does not exclude it, else the nearest with a `Cargo.toml`, else `dir` itself. A fetched package
/// is its own root.
pub fn workspace_root(dir: &Path) -> PathBuf {
    Roots::default().of(dir)
}

/// The roots of workspaces. Each manifest is read once: every crate of a workspace asks for that of its root.
#[derive(Default)]
pub struct Roots {
    manifests: HashMap<PathBuf, Option<Manifest>>,
}

impl Roots {
    /// The [`workspace_root`] of a directory.
    pub fn of(&mut self, dir: &Path) -> PathBuf {
        let mut package = None;
        for folder in dir.ancestors().filter(|folder| folder.join("Cargo.toml").is_file()) {
            let package = *package.get_or_insert(folder);
            if FETCHED.iter().any(|name| folder.join(name).is_file()) {
                break;
            }
            match self.manifest(folder).and_then(|manifest| manifest.has_in_workspace(folder, package)) {
                Some(true) => return folder.to_path_buf(),
                Some(false) => break,
                None => {}
            }
        }
        package.unwrap_or(dir).to_path_buf()
    }

    fn manifest(&mut self, folder: &Path) -> Option<&Manifest> {
        self.manifests.entry(folder.to_path_buf()).or_insert_with(|| Manifest::read(folder)).as_ref()
    }
}
