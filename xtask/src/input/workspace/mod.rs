//! Which Rust files are checked, and the position of each: those of all members of a workspace, of a folder,
//! or a single file.

mod cargo;
mod depended;
mod files;
mod ignores;
mod manifests;
mod nested;
mod test_support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nested::Nested;
use query_budget_analysis::rust::{NamedDatabases, Position, Target, positions, undeclared};
use query_budget_analysis::sql::Dialect;

use crate::failure::Failure;

/// A crate of a workspace, or a plain folder.
#[derive(Debug)]
pub(crate) struct Crate {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The name of its package.
    package: Option<String>,
    /// The name of its library as code writes it.
    lib_name: Option<String>,
    targets: Vec<Target>,
    /// The folders of its dependencies on this machine, each with the name it is renamed to.
    dependencies: BTreeMap<PathBuf, Option<String>>,
    /// Those of these folders that its own code is built with, rather than its tests alone.
    built_in: BTreeSet<PathBuf>,
    /// The crates that its manifest renames, by their new name.
    renamed: HashMap<String, String>,
    /// The database that it enables in sqlx, if there is exactly one.
    dialect: Option<Dialect>,
    /// The databases that it enables.
    pub(crate) databases: NamedDatabases,
}

/// The Rust files of one crate, or of a plain folder.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The folder of the files' project: the crate's, or the one given in the arguments.
    pub(crate) dir: PathBuf,
    /// The name of its package.
    package: Option<String>,
    /// Whether only the tests of other crates are built with it.
    pub(crate) is_test_support: bool,
    /// The files, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// Why folders below could not be listed.
    pub(crate) unlisted: Vec<String>,
    pub(crate) targets: Vec<Target>,
    /// The crates that its code can name.
    externs: Arc<HashMap<String, String>>,
    /// The folders of its dependencies.
    dependencies: Vec<PathBuf>,
    /// The crates that its manifest renames, by their new name.
    pub(crate) renamed: HashMap<String, String>,
    /// The database that it enables in sqlx, if there is exactly one.
    dialect: Option<Dialect>,
    /// The databases that it enables.
    pub(crate) databases: NamedDatabases,
}

/// The position of a file among the crates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// An identifier of its crate, unique in the workspace.
    pub(crate) crate_name: String,
    /// The crates that its code can name.
    pub(crate) externs: Arc<HashMap<String, String>>,
    /// Its module's path.
    pub(crate) module: Vec<String>,
    /// Whether it is test code, by its target or by `#[cfg(test)]` on the module.
    pub(crate) in_test: bool,
    /// Whether no file declares its module.
    pub(crate) is_undeclared: bool,
}

impl Sources {
    /// The folder to which sqlx's own macros resolve paths.
    pub(crate) fn manifest_dir(&self) -> &Path {
        self.dir.ancestors().find(|dir| dir.join("Cargo.toml").is_file()).unwrap_or(&self.dir)
    }

    /// Whether its package has one of these names.
    pub(crate) fn is_one_of(&self, packages: &[String]) -> bool {
        self.package.as_ref().is_some_and(|package| packages.contains(package))
    }

    /// Whether its package is a command line, judging by its name: `app-cli`, `app_ctl`.
    pub(crate) fn is_command(&self) -> bool {
        let last = self.package.as_deref().and_then(|name| name.rsplit(['-', '_']).next());
        last.is_some_and(|last| matches!(last, "cli" | "ctl"))
    }

    /// The folders of its dependencies.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = &Path> {
        self.dependencies.iter().map(PathBuf::as_path)
    }

    /// The database that it enables in sqlx, if there is exactly one.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// The positions of its files, given with their texts.
    pub(crate) fn standings(&self, files: &[(&Path, &str)]) -> Vec<Standing> {
        let positions = positions(&self.targets, files);
        let undeclared = undeclared(&positions, files);
        let standing = |(position, (path, _)): (Option<Position>, &(&Path, &str))| {
            let Some(Position { target, module, in_test }) = position else {
                // The file belongs to no known crate, and only sees what its own paths lead to.
                return Standing { crate_name: path.display().to_string(), ..Standing::default() };
            };
            let of = self.targets.get(target);
            Standing {
                crate_name: of.map(id).unwrap_or_default(),
                externs: Arc::clone(&self.externs),
                module,
                in_test: in_test || of.is_some_and(|target| target.is_test),
                is_undeclared: false,
            }
        };
        let standings = positions.into_iter().zip(files).map(standing);
        standings.zip(undeclared).map(|(it, is_undeclared)| Standing { is_undeclared, ..it }).collect()
    }
}

/// A unique identifier of a target.
fn id(target: &Target) -> String {
    target.root.display().to_string()
}

/// Lists the Rust files at several paths, without duplicates.
pub(crate) fn sources_of(paths: &[PathBuf]) -> Result<Vec<Sources>, Failure> {
    let mut all: Vec<Sources> = Vec::new();
    for path in paths {
        for mut sources in sources(path)? {
            let is_known = |file: &PathBuf| all.iter().any(|known| known.files.binary_search(file).is_ok());
            if paths.len() > 1 {
                sources.files.retain(|file| !is_known(file));
            }
            all.push(sources);
        }
    }
    Ok(all)
}

/// Fails if no package has one of these names.
pub(crate) fn require_packages(crates: &[Sources], packages: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = crates.iter().filter_map(|it| it.package.as_deref()).collect();
    match packages.iter().find(|package| !names.contains(&package.as_str())) {
        None => Ok(()),
        Some(package) => {
            let failure = Failure::new(format!("find a package named `{package}`"));
            Err(failure.help(format!("the packages are {}", names.join(", "))))
        }
    }
}

/// Lists the Rust files at `path`, by crate, sorted by path.
pub(crate) fn sources(path: &Path) -> Result<Vec<Sources>, Failure> {
    let shown = path.display();
    let failed = |error: std::io::Error| Failure::new(format!("open `{shown}`")).because(error);
    let path = path.canonicalize().map_err(failed)?;
    if !path.is_dir() && !path.is_file() {
        return Err(
            Failure::new(format!("read `{shown}`")).because("it is neither a regular file nor a folder")
        );
    }
    if path.is_file() {
        std::fs::File::open(&path).map_err(failed)?;
        let dir = path.parent().unwrap_or(&path).to_path_buf();
        let targets = vec![Target { root: path.clone(), is_lib: true, is_test: false }];
        let (externs, dependencies) = (Arc::default(), Vec::new());
        return Ok(vec![Sources {
            dir,
            package: None,
            is_test_support: false,
            files: vec![path],
            unlisted: Vec::new(),
            targets,
            externs,
            dependencies,
            renamed: HashMap::new(),
            dialect: None,
            databases: NamedDatabases::default(),
        }]);
    }

    std::fs::read_dir(&path).map_err(failed)?;
    let (mut crates, left_out) = all_crates(&path)?;
    // Innermost first: a file belongs to the nearest crate above it.
    crates.sort_by_key(|it| std::cmp::Reverse(it.dir.components().count()));
    let libs: HashMap<PathBuf, (String, String)> =
        crates.iter().filter_map(|it| Some((it.dir.clone(), it.lib()?))).collect();
    let folders: Vec<BTreeSet<&Path>> = crates.iter().map(|it| it.folders(&path)).collect();
    let listed = files::rust_files(&folders.iter().flatten().copied().collect());
    let all = folders.iter().map(|folders| {
        let files = folders.iter().filter_map(|folder| listed.get(*folder)).flat_map(|it| &it.files);
        files.cloned().collect::<BTreeSet<PathBuf>>()
    });
    let all: Vec<BTreeSet<PathBuf>> = all.collect();
    let unlisted = folders.iter().map(|folders| {
        let why = folders.iter().filter_map(|folder| listed.get(*folder)).flat_map(|it| &it.unlisted);
        why.cloned().collect::<Vec<String>>()
    });
    let unlisted: Vec<Vec<String>> = unlisted.collect();
    let supports = test_support::find(&crates);
    let mut taken = BTreeSet::new();
    let mut sources: Vec<Sources> = crates
        .into_iter()
        .zip(all)
        .zip(unlisted)
        .map(|((it, files), unlisted)| {
            let files = files.into_iter().filter(|file| taken.insert(file.clone())).collect();
            let externs = Arc::new(it.externs(&libs));
            let Crate { dir, package, targets, dialect, databases, dependencies, renamed, .. } = it;
            Sources {
                is_test_support: supports.contains(&dir),
                dir,
                package,
                files,
                unlisted,
                targets,
                externs,
                dependencies: dependencies.into_keys().collect(),
                renamed,
                dialect,
                databases,
            }
        })
        .collect();
    sources.sort_by(|a, b| a.dir.cmp(&b.dir));
    if let Some(first) = sources.first_mut() {
        first.unlisted.extend(left_out);
    }
    Ok(sources)
}

impl Crate {
    /// The database that it enables, if there is exactly one.
    pub(crate) fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// A folder without any information.
    fn folder(dir: PathBuf) -> Crate {
        Crate {
            dir,
            package: None,
            lib_name: None,
            targets: Vec::new(),
            dependencies: BTreeMap::new(),
            built_in: BTreeSet::new(),
            renamed: HashMap::new(),
            dialect: None,
            databases: NamedDatabases::default(),
        }
    }

    /// The source folders: those of the root files of its targets. Other Rust files, such as UI test cases,
    /// may be wrong on purpose. For a target outside the crate and `scope`, only its root file is read, since
    /// a manifest may name any path on the machine.
    fn folders(&self, scope: &Path) -> BTreeSet<&Path> {
        let folder = |root: &'_ Path| {
            root.parent().is_some_and(|it| it.starts_with(&self.dir) || it.starts_with(scope))
        };
        let roots = self.targets.iter().map(|target| target.root.as_path());
        let roots = roots.filter_map(|root| if folder(root) { root.parent() } else { Some(root) });
        if self.targets.is_empty() { BTreeSet::from([self.dir.as_path()]) } else { roots.collect() }
    }

    /// Its library: the name in code, and its identifier.
    fn lib(&self) -> Option<(String, String)> {
        let target = self.targets.iter().find(|target| target.is_lib)?;
        Some((self.lib_name.clone()?, id(target)))
    }

    /// The crates that its code can name: its dependencies, and its own library, which its other targets see.
    fn externs(&self, libs: &HashMap<PathBuf, (String, String)>) -> HashMap<String, String> {
        let depended = self.dependencies.iter().filter_map(|(dir, rename)| {
            let (name, id) = libs.get(dir)?;
            Some((rename.clone().unwrap_or_else(|| name.clone()), id.clone()))
        });
        depended.chain(self.lib()).collect()
    }
}

/// The crates of a folder: those of its workspace, or of the workspaces below it if it is not in one, and
/// those of nested workspaces that are not part of it; the folder itself if there is no crate.
pub(crate) fn crates(dir: &Path) -> Result<Vec<Crate>, Failure> {
    all_crates(dir).map(|(crates, _)| crates)
}

/// The crates of a folder, and which workspaces and packages in it are left out.
fn all_crates(dir: &Path) -> Result<(Vec<Crate>, Vec<String>), Failure> {
    let mut found = Vec::new();
    if dir.join("Cargo.toml").is_file() {
        // A manifest that cargo rejects (a missing dependency, a newer edition) must not hide queries.
        found = cargo::members(dir).or_else(|failure| {
            let found = manifests::crates(dir);
            if found.is_empty() { Err(failure) } else { Ok(found) }
        })?;
    }
    let is_package = !found.is_empty();
    let mut below = manifests::below(dir);
    let is_known =
        |found: &[Crate], inner: &Path| found.iter().any(|known| known.dir == inner) || inner == dir;
    below.retain(|manifest| manifest.parent().is_some_and(|inner| !is_known(&found, inner)));
    let is_workspace = |manifest: &&PathBuf| is_package && manifests::is_workspace(manifest);
    let nested = below.iter().filter(is_workspace).filter_map(|it| Some(it.parent()?.to_path_buf()));
    let (nested, mut apart) = (Nested::of(nested.collect()), Vec::new());
    for manifest in below {
        let Some(inner) = manifest.parent().filter(|inner| !is_known(&found, inner)) else { continue };
        let more = if manifests::is_workspace(&manifest) {
            if is_package && !nested.reads(inner) {
                continue;
            }
            cargo::members(inner).unwrap_or_else(|_| manifests::crates(inner))
        } else if is_package {
            // A package that its workspace excludes, and that is not a workspace itself.
            apart.push(inner.to_path_buf());
            continue;
        } else {
            cargo::members(inner).unwrap_or_else(|_| vec![manifests::by_layout(inner.to_path_buf())])
        };
        let new = |it: &Crate| it.dir.starts_with(dir) && !found.iter().any(|known| known.dir == it.dir);
        let more: Vec<Crate> = more.into_iter().filter(new).collect();
        found.extend(more);
    }
    // Cargo builds what a package depends on with it.
    let is_depended =
        |found: &[Crate], inner: &PathBuf| found.iter().any(|it| it.dependencies.contains_key(inner));
    while let Some(at) = apart.iter().position(|inner| is_depended(&found, inner)) {
        let inner = apart.swap_remove(at);
        found.push(manifests::by_layout(inner));
    }
    if found.is_empty() {
        found.push(Crate::folder(dir.to_path_buf()));
    }
    Ok((found, nested.told(&apart, dir)))
}
