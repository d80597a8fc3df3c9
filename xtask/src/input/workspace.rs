//! Which Rust files are checked: those of every workspace member, of a folder, or one file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ignore::WalkBuilder;
use serde::Deserialize;

use crate::failure::Failure;

/// The Rust files of one crate, or of a folder that is none.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The folder whose project the files belong to: the crate's, or the one that was asked for.
    pub(crate) dir: PathBuf,
    /// The files, sorted.
    pub(crate) files: Vec<PathBuf>,
}

impl Sources {
    /// The folder that sqlx's own macros read files relative to.
    pub(crate) fn manifest_dir(&self) -> &Path {
        self.dir.ancestors().find(|dir| dir.join("Cargo.toml").is_file()).unwrap_or(&self.dir)
    }
}

/// Lists the Rust files that `path` stands for, by crate, in the order of their paths.
pub(crate) fn sources(path: &Path) -> Result<Vec<Sources>, Failure> {
    let shown = path.display();
    let path = path.canonicalize().map_err(|error| Failure::new(format!("open `{shown}`")).because(error))?;
    if path.is_file() {
        let dir = path.parent().unwrap_or(&path).to_path_buf();
        return Ok(vec![Sources { dir, files: vec![path] }]);
    }

    let mut crates = crates(&path)?;
    // The innermost first: a file belongs to the nearest crate above it.
    crates.sort_by_key(|it| std::cmp::Reverse(it.dir.components().count()));
    let mut taken = BTreeSet::new();
    let mut sources: Vec<Sources> = crates
        .into_iter()
        .map(|Crate { dir, folders }| {
            let files: BTreeSet<PathBuf> = folders.iter().flat_map(|folder| rust_files(folder)).collect();
            Sources { dir, files: files.into_iter().filter(|file| taken.insert(file.clone())).collect() }
        })
        .collect();
    sources.sort_by(|a, b| a.dir.cmp(&b.dir));
    Ok(sources)
}

/// A crate, or a folder that is none.
pub(crate) struct Crate {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// The folders that its sources stand in: those of the files that cargo builds its targets from. Other Rust files,
    /// the cases of UI tests for instance, may be wrong on purpose.
    folders: Vec<PathBuf>,
}

/// The crates that a folder stands for; the folder itself when it is no crate.
pub(crate) fn crates(dir: &Path) -> Result<Vec<Crate>, Failure> {
    if dir.join("Cargo.toml").is_file() {
        // A manifest that cargo refuses (a dependency that is not there, a newer edition) hides no query.
        return members(dir).or_else(|failure| {
            let found = crates_by_manifest(dir);
            if found.is_empty() { Err(failure) } else { Ok(found) }
        });
    }
    Ok(vec![Crate { dir: dir.to_path_buf(), folders: vec![dir.to_path_buf()] }])
}

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Package {
    /// The package as a crate, unless its folder is gone.
    fn into_crate(self) -> Option<Crate> {
        let dir = self.manifest_path.canonicalize().ok()?.parent()?.to_path_buf();
        // A build script stands at the root of its crate, and below that is everything.
        let targets =
            self.targets.iter().filter(|target| target.kind.iter().all(|kind| kind != "custom-build"));
        let folders: BTreeSet<PathBuf> = targets
            .filter_map(|target| Some(target.src_path.canonicalize().ok()?.parent()?.to_path_buf()))
            .collect();
        Some(Crate { dir, folders: folders.into_iter().collect() })
    }
}

/// The workspace's members when `dir` is its root, else the members below `dir`.
fn members(dir: &Path) -> Result<Vec<Crate>, Failure> {
    let failed =
        || Failure::new(format!("ask cargo for the members of the workspace at `{}`", dir.display()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        // A toolchain file in the project's folder would choose a cargo that may not be installed.
        .current_dir(std::env::temp_dir())
        .output()
        .map_err(|error| failed().because(error))?;
    if !output.status.success() {
        return Err(failed().because(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).map_err(|error| failed().because(error))?;
    let at_root = metadata.workspace_root.canonicalize().is_ok_and(|root| root == dir);
    let members = metadata.packages.into_iter().filter_map(Package::into_crate);
    Ok(members.filter(|member| at_root || member.dir.starts_with(dir)).collect())
}

/// The crates below a folder by their manifests, each with the folders that cargo looks for targets in.
fn crates_by_manifest(dir: &Path) -> Vec<Crate> {
    let manifests = WalkBuilder::new(dir).require_git(false).build().filter_map(Result::ok);
    let dirs = manifests
        .filter(|entry| entry.file_name() == "Cargo.toml")
        .filter_map(|entry| entry.path().parent().map(Path::to_path_buf));
    let with_folders = dirs.map(|dir| Crate {
        folders: ["src", "tests", "benches", "examples"]
            .into_iter()
            .map(|folder| dir.join(folder))
            .filter(|folder| folder.is_dir())
            .collect(),
        dir,
    });
    with_folders.filter(|found| !found.folders.is_empty()).collect()
}

/// The Rust files below a folder: those that git would track, without build output.
fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let walk = WalkBuilder::new(dir)
        .require_git(false)
        .filter_entry(|entry| {
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            !(is_dir && entry.file_name() == "target" && entry.path().join("CACHEDIR.TAG").exists())
        })
        .build();
    // What cannot be listed (a folder without permission) cannot hold a source that cargo builds either.
    let mut files: Vec<PathBuf> = walk
        .filter_map(Result::ok)
        .map(ignore::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|end| end == "rs") && path.is_file())
        .collect();
    files.sort();
    files
}
