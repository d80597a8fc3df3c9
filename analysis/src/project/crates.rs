//! The crates of a package as its folder is laid out, and their source.

use std::path::{Path, PathBuf};

use super::read;
use crate::rust::Target;

/// A folder inside a folder inside a folder: deeper than any source stands, and no way to go in circles.
const DEEPEST: usize = 32;

/// What cargo builds of the package in `dir` where its manifest does not say otherwise.
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

/// The Rust files that may be of the same crate as `file`, each with its text: those of the folder below `dir` that it
/// stands in, `src` or `tests` for instance. What cannot be read holds nothing.
pub fn sources(dir: &Path, file: &Path) -> Vec<(PathBuf, String)> {
    let mut inside = file.strip_prefix(dir).into_iter().flat_map(Path::components);
    let mut paths = Vec::new();
    match (inside.next(), inside.next()) {
        (Some(folder), Some(_)) => rust_files(&dir.join(folder), 0, &mut paths),
        // It stands in the package's own folder, or outside of it.
        _ => paths.push(file.to_path_buf()),
    }
    paths.into_iter().filter_map(|path| Some((path.clone(), read(&path).ok()?))).collect()
}

fn rust_files(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    for entry in entries(folder) {
        if entry.is_dir() && !entry.is_symlink() && depth < DEEPEST {
            rust_files(&entry, depth + 1, paths);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            paths.push(entry);
        }
    }
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
