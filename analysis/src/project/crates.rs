//! The crates of a package, by its directory layout, and their source files.

use std::path::{Path, PathBuf};

use super::read;
use crate::rust::Target;

/// The maximum directory depth: deeper than any source, and a stop for cycles.
const MAX_FOLDER_DEPTH: usize = 32;

/// The targets that cargo builds for the package in `dir` by default, without a manifest.
pub fn targets(dir: &Path) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut add = |root: PathBuf, is_test| {
        if root.is_file() {
            let is_lib = root.ends_with("src/lib.rs");
            targets.push(Target { root, is_lib, is_test });
        }
    };
    add(dir.join("src/lib.rs"), false);
    add(dir.join("src/main.rs"), false);
    for (folder, is_test) in [("src/bin", false), ("examples", false), ("tests", true), ("benches", true)] {
        for entry in entries(&dir.join(folder)) {
            let is_rust = entry.extension().is_some_and(|end| end == "rs");
            add(if is_rust { entry } else { entry.join("main.rs") }, is_test);
        }
    }
    targets
}

/// The Rust files that may belong to the same crate as `file`, with their text: those of its top-level
/// directory below `dir`, such as `src` or `tests`. Unreadable files are skipped.
pub fn sources(dir: &Path, file: &Path) -> Vec<(PathBuf, String)> {
    let mut inside = file.strip_prefix(dir).into_iter().flat_map(Path::components);
    let mut paths = Vec::new();
    match (inside.next(), inside.next()) {
        (Some(folder), Some(_)) => rust_files(&dir.join(folder), 0, &mut paths),
        // It is in the package's own directory, or outside it.
        _ => paths.push(file.to_path_buf()),
    }
    paths.into_iter().filter_map(|path| Some((path.clone(), read(&path).ok()?))).collect()
}

fn rust_files(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    for entry in entries(folder) {
        if entry.is_dir() && !entry.is_symlink() && depth < MAX_FOLDER_DEPTH {
            rust_files(&entry, depth + 1, paths);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            paths.push(entry);
        }
    }
}

/// The entries of a directory, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
