//! Where the entries of a file's queries are kept.

use std::path::{Path, PathBuf};

use query_budget_analysis::project::workspace_root;
use serde_json::Value;

use crate::input::RustFile;

const FOLDER: &str = ".sqlx";

/// The folder of a file's entries: that of its workspace when asked for or when only that is there, else its crate's.
pub(super) fn of(file: &RustFile, at_root: bool) -> PathBuf {
    let own = file.manifest_dir().join(FOLDER);
    let shared = workspace_root(file.manifest_dir()).join(FOLDER);
    if at_root || (!own.is_dir() && shared.is_dir()) { shared } else { own }
}

/// The entries of a folder, sorted.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let is_entry = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("query-") && name.ends_with(".json")
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_entry).collect();
    paths.sort();
    paths
}

/// Whether two entries say the same, however they are laid out.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    a == b
        || serde_json::from_str::<Value>(a)
            .ok()
            .zip(serde_json::from_str::<Value>(b).ok())
            .is_some_and(|(a, b)| a == b)
}
