//! Where the files of a project stand: searched upwards from a folder, never beyond the workspace.

use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use crate::config;

/// What cargo leaves in the folder of a package that it fetched or vendored: somebody else's, wherever that lies.
const FETCHED: [&str; 2] = [".cargo-ok", ".cargo-checksum.json"];

/// The configuration's file that `QUERY_BUDGET_CONFIG` names.
pub(super) fn named_config() -> Option<PathBuf> {
    std::env::var_os(super::CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The path without `..` and links, so that its ancestors are the folders above it.
pub(super) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf())
}

/// The nearest `name` in `dir` or above it, down to `last`.
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

/// The nearest configuration's file in `dir` or above it, down to `last`; where no package is around `dir`, however far up.
pub(super) fn config(dir: &Path, last: &Path) -> Option<PathBuf> {
    let in_package = dir.ancestors().any(|dir| dir.join("Cargo.toml").is_file());
    let last = if in_package { last } else { Path::new("") };
    upwards(dir, last, config::FILE_NAME).filter(|path| path.is_file())
}

/// The root of the cargo workspace around `dir`: the nearest folder whose `Cargo.toml` has a `[workspace]` table that
/// does not exclude it, else the nearest with a `Cargo.toml`, else `dir` itself. A fetched package is a root of its own.
pub fn workspace_root(dir: &Path) -> PathBuf {
    let mut package = None;
    for folder in dir.ancestors().filter(|folder| folder.join("Cargo.toml").is_file()) {
        let package = *package.get_or_insert(folder);
        if FETCHED.iter().any(|name| folder.join(name).is_file()) {
            break;
        }
        match Manifest::read(folder).and_then(|manifest| manifest.has_in_workspace(folder, package)) {
            Some(true) => return folder.to_path_buf(),
            Some(false) => break,
            None => {}
        }
    }
    package.unwrap_or(dir).to_path_buf()
}
