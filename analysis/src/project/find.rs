//! Where the files of a project stand: searched upwards from a folder, never beyond the workspace unless the user
//! configured the project from above.

use std::path::{Path, PathBuf};

use crate::config;

/// The configuration's file: the one that `QUERY_BUDGET_CONFIG` names, else the nearest one in `dir` or above.
pub(super) fn config(dir: &Path) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(super::CONFIG_VARIABLE).filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    dir.ancestors().map(|dir| dir.join(config::FILE_NAME)).find(|path| path.is_file())
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

/// The root of the cargo workspace around `dir`: the nearest folder whose `Cargo.toml` has a `[workspace]` table, else
/// the nearest with a `Cargo.toml`, else `dir` itself.
pub fn workspace_root(dir: &Path) -> PathBuf {
    let packages: Vec<&Path> = dir.ancestors().filter(|dir| dir.join("Cargo.toml").is_file()).collect();
    let workspace = packages.iter().find(|dir| is_workspace(&dir.join("Cargo.toml")));
    workspace.or(packages.first()).copied().unwrap_or(dir).to_path_buf()
}

fn is_workspace(manifest: &Path) -> bool {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    text.lines().any(|line| line.trim_start().starts_with("[workspace"))
}
