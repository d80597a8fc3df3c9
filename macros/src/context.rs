//! The context of a macro call: the project around the crate, and the source around the call.
//!
//! A compiler lives for one crate, an editor's macro server for hours; both ask here once per query. So
//! results are cached, and recomputed when the time or length of a file changes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use proc_macro2::{Span, TokenStream};
use query_budget_analysis::config::Nullability;
use query_budget_analysis::project::{self, Project};
use query_budget_analysis::rust::{self, Told};
use query_budget_analysis::types::{Planned, RustTypes};

use crate::crates::{self, Crate, Found};
use crate::{rename, types};

/// The cache.
#[derive(Default)]
pub(crate) struct Context {
    projects: HashMap<PathBuf, Kept<Project>>,
    /// The crates, by their folder and their source folder inside it.
    crates: HashMap<(PathBuf, PathBuf), Kept<Crate>>,
    files: HashMap<PathBuf, Kept<Found>>,
    /// Canonical paths of files and folders, by the package and the compiler's name for them: each query asks
    /// for two.
    wholes: HashMap<(PathBuf, PathBuf), PathBuf>,
    announced: HashSet<(PathBuf, String)>,
    packages: HashMap<PathBuf, Kept<Package>>,
}

/// Information from the manifest of the package being compiled.
#[derive(Debug)]
pub(crate) struct Package {
    /// The name of `query-budget` in its source, if renamed.
    pub(crate) name: Option<String>,
    /// The settings for Rust types.
    pub(crate) rust_types: RustTypes,
    /// How the macros of its sqlx have PostgreSQL plan a statement.
    pub(crate) planned: Planned,
}

/// A place in a source file, and the scan of that file.
pub(crate) struct CallSource {
    /// The scan.
    pub(crate) found: Arc<Found>,
    /// Line, counted from 1.
    pub(crate) line: u32,
    /// Column in characters, counted from 1.
    pub(crate) column: u32,
}

/// A value computed from files.
struct Kept<T> {
    made: Arc<T>,
    from: Vec<Stamped>,
    /// When it was last verified against the files.
    seen: Instant,
}

/// How long a verified value is trusted: a compiler asks a thousand times a second while its files do not
/// change, an editor asks as its user types.
const TRUSTED: Duration = Duration::from_millis(100);

/// The state of a file when it was read.
struct Stamped {
    path: PathBuf,
    /// Its time and length; `None` if it did not exist.
    stamp: Option<(Option<SystemTime>, u64)>,
}

/// Runs one expansion, exclusively in this process: reading other source files temporarily switches the token
/// library to its own tokens, for all threads.
pub(crate) fn with(expand: impl FnOnce(&mut Context) -> TokenStream) -> TokenStream {
    static CONTEXT: Mutex<Option<Context>> = Mutex::new(None);
    let mut context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    let context = context.get_or_insert_default();
    let mut expansion = expand(context);
    if !context.has_prelude() {
        expansion = rename::without_explanations(expansion);
    }
    match context.package().name.as_deref() {
        Some(name) => rename::renamed(expansion, name),
        None => expansion,
    }
}

impl Context {
    /// The project around the crate being compiled.
    pub(crate) fn project(&mut self) -> Arc<Project> {
        let dir = crate_dir();
        if let Some(made) = self.projects.get_mut(&dir).and_then(Kept::fresh) {
            return made;
        }
        let is_primary = std::env::var_os("CARGO_PRIMARY_PACKAGE").is_some();
        let project = Arc::new(Project::load_for_build(&dir, &base(), is_primary));
        let from = project.read.iter().cloned().map(Stamped::new).collect();
        self.projects.insert(dir, Kept::new(Arc::clone(&project), from));
        project
    }

    /// A path relative to the folder of the package being compiled.
    #[expect(clippy::unused_self, reason = "paths are relative to the package of the macro's context")]
    pub(crate) fn in_package(&self, path: &str) -> PathBuf {
        crate_dir().join(path)
    }

    /// Information from the manifest of the package being compiled.
    pub(crate) fn package(&mut self) -> Arc<Package> {
        let dir = crate_dir();
        if let Some(made) = self.packages.get_mut(&dir).and_then(Kept::fresh) {
            return made;
        }
        let root = project::workspace_root(&dir);
        let ours = project::dependency_on_ours(&dir, &root);
        let sqlx = project::dependency(&dir, &root, "sqlx");
        let project = self.project();
        let overrides = project::overrides(&dir, &project.config.types);
        let is_proven = project.config.nullability == Nullability::Proven;
        let features = types::features([ours.as_ref(), sqlx.as_ref()]);
        let is_on_08 = ours.as_ref().is_some_and(|ours| ours.package == project::OURS_ON_08);
        let planned = if is_on_08 { Planned::ForNulls } else { Planned::ForAny };
        let name = ours.map(|ours| ours.name).filter(|name| name != "query_budget");
        let package =
            Arc::new(Package { name, rust_types: RustTypes { features, overrides, is_proven }, planned });
        let manifests = [dir.join("Cargo.toml"), root.join("Cargo.toml"), dir.join("sqlx.toml")];
        let from = manifests.into_iter().chain(project.read.iter().cloned()).map(Stamped::new).collect();
        self.packages.insert(dir, Kept::new(Arc::clone(&package), from));
        package
    }

    /// The place of a token, and the scan of its file; `None` if the compiler does not report the place.
    pub(crate) fn source(&mut self, span: Span) -> Option<CallSource> {
        let path = span.local_file()?;
        let start = span.start();
        let (line, column) =
            (u32::try_from(start.line).ok()?, u32::try_from(start.column).ok()?.checked_add(1)?);
        let whole = self.whole(&path);
        let of = self.crate_of(&whole);
        if let Some(found) = of.found(&whole) {
            return Some(CallSource { found: Arc::clone(found), line, column });
        }
        if let Some(found) = self.files.get_mut(&path).and_then(Kept::fresh) {
            return Some(CallSource { found, line, column });
        }
        let from = Stamped::new(path.clone());
        // Unreadable source contains nothing to find; the compiler reports it itself.
        let text = project::read(&path).unwrap_or_default();
        // Without budgets, the bounds of functions are not needed.
        let has_budgets = !of.is_without_budgets(&whole) && crates::has_budgets(&text);
        let knows_dialect = !self.project().dialect_is_guessed;
        let found = found_alone(&shown(&path), &text, has_budgets, knows_dialect);
        self.files.insert(path, Kept::new(Arc::clone(&found), vec![from]));
        Some(CallSource { found, line, column })
    }

    /// The canonical form of a path; unchanged if it does not exist.
    fn whole(&mut self, path: &Path) -> PathBuf {
        let key = (crate_dir(), path.to_path_buf());
        if let Some(whole) = self.wholes.get(&key) {
            return whole.clone();
        }
        match path.canonicalize() {
            Ok(whole) => self.wholes.entry(key).insert_entry(whole).get().clone(),
            Err(_) => key.1,
        }
    }

    /// The crate that contains a file.
    fn crate_of(&mut self, file: &Path) -> Arc<Crate> {
        let dir = self.whole(&crate_dir());
        let folder = file.strip_prefix(&dir).ok().and_then(|inside| inside.iter().next()).map(PathBuf::from);
        let key = (dir, folder.unwrap_or_default());
        if let Some(made) = self.crates.get_mut(&key).and_then(Kept::fresh) {
            return made;
        }
        let read = Arc::new(Crate::read(&key.0, file, in_test(), &shown));
        let from = read.files.iter().cloned().map(Stamped::new).collect();
        self.crates.insert(key, Kept::new(Arc::clone(&read), from));
        read
    }

    /// The crate around the call; `None` if the compiler does not report the file.
    pub(crate) fn crate_around(&mut self) -> Option<Arc<Crate>> {
        let path = Span::call_site().local_file()?;
        let whole = self.whole(&path);
        Some(self.crate_of(&whole))
    }

    /// Whether the crate has the names of the prelude everywhere.
    fn has_prelude(&mut self) -> bool {
        self.crate_around().is_none_or(|around| around.has_prelude)
    }

    /// Whether this crate's notices are still unreported; true once.
    pub(crate) fn announces(&mut self) -> bool {
        let name = std::env::var("CARGO_CRATE_NAME").unwrap_or_default();
        self.announced.insert((crate_dir(), name))
    }
}

impl<T> Kept<T> {
    fn new(made: Arc<T>, from: Vec<Stamped>) -> Kept<T> {
        Kept { made, from, seen: Instant::now() }
    }

    /// The value, if the files are unchanged. A value computed from no file may have one by now, so it is not
    /// reused.
    fn fresh(&mut self) -> Option<Arc<T>> {
        if self.seen.elapsed() > TRUSTED {
            if self.from.is_empty() || !self.from.iter().all(Stamped::is_fresh) {
                return None;
            }
            self.seen = Instant::now();
        }
        Some(Arc::clone(&self.made))
    }
}

/// Scans one file alone, skipping code that reaches no query.
fn found_alone(file: &str, text: &str, has_budgets: bool, knows_dialect: bool) -> Arc<Found> {
    let told = Told::default();
    let (scan, calls) = match has_budgets {
        true => {
            let relevant = rust::relevant(&[text]).pop().unwrap_or_default();
            crates::scan(file, &relevant, text, in_test(), &told).unwrap_or_default().follow_alone()
        }
        false => {
            let scan = rust::scan_queries(file, text, in_test(), knows_dialect);
            let scan = scan.or_else(|_| rust::scan_detached(file, text, in_test(), &told));
            (scan.unwrap_or_default(), Vec::new())
        }
    };
    Arc::new(Found { scan, calls })
}

impl Stamped {
    fn new(path: PathBuf) -> Stamped {
        Stamped { stamp: stamp(&path), path }
    }

    fn is_fresh(&self) -> bool {
        stamp(&self.path) == self.stamp
    }
}

fn stamp(path: &Path) -> Option<(Option<SystemTime>, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}

/// The displayed path of a token's file; empty if the compiler does not report it.
pub(crate) fn file(span: Span) -> String {
    span.local_file().map_or_else(String::new, |path| shown(&path))
}

fn shown(path: &Path) -> String {
    project::shown(path, &base())
}

/// Whether a separate test or benchmark target is compiled, which cargo reports in this variable.
pub(crate) fn in_test() -> bool {
    std::env::var_os("CARGO_TARGET_TMPDIR").is_some()
}

/// Paths are shown relative to the compiler's working directory, as in its own messages: cargo sets it to the
/// workspace.
fn base() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// The folder of the crate being compiled; the working directory if the compiler runs without cargo.
fn crate_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}
