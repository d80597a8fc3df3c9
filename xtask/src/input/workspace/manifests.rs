//! Finds crates by their manifests alone, if cargo rejects a workspace, and for the workspaces below a
//! folder.

use std::path::{Path, PathBuf};

use query_budget_analysis::project::{dependencies, targets, workspace_root};

use super::{Crate, ignores};

/// Folders whose manifests are not built: test inputs and templates.
const INPUTS: [&str; 7] = ["tests", "test", "fixtures", "testdata", "test-data", "templates", "fuzz"];

/// The manifests below a folder, outermost first.
pub(super) fn below(dir: &Path) -> Vec<PathBuf> {
    let is_input = |path: &Path| {
        let inside = path.strip_prefix(dir).unwrap_or(path);
        inside.components().any(|part| INPUTS.iter().any(|input| part.as_os_str() == *input))
    };
    let mut found: Vec<PathBuf> = ignores::entries(dir)
        .map(ignore::DirEntry::into_path)
        .filter(|path| path.file_name().is_some_and(|name| name == "Cargo.toml") && !is_input(path))
        .collect();
    found.sort_by_key(|path| (path.components().count(), path.clone()));
    found
}

/// The parsed manifest; `None` if it cannot be read.
fn read(manifest: &Path) -> Option<toml::Table> {
    query_budget_analysis::project::read(manifest).ok()?.parse().ok()
}

/// Whether a manifest defines a workspace.
pub(super) fn is_workspace(manifest: &Path) -> bool {
    read(manifest).is_some_and(|manifest| manifest.contains_key("workspace"))
}

/// The crates below a folder, with target roots in cargo's default locations.
pub(super) fn crates(dir: &Path) -> Vec<Crate> {
    let dirs = below(dir).into_iter().filter_map(|manifest| manifest.parent().map(Path::to_path_buf));
    let has_source = |it: &Crate| !it.targets.is_empty() || it.dir.join("src").is_dir();
    dirs.map(by_layout).filter(has_source).collect()
}

/// A crate, judging by its folder layout.
pub(super) fn by_layout(dir: PathBuf) -> Crate {
    let targets = targets(&dir);
    let package = name(&dir);
    let lib_name = package.as_ref().map(|name| name.replace('-', "_"));
    let lib_name = lib_name.filter(|_| targets.iter().any(|target| target.is_lib));
    let depended = dependencies(&dir, &workspace_root(&dir));
    Crate { package, lib_name, targets, ..Crate::depending(dir, &depended) }
}

/// The name of a package.
fn name(dir: &Path) -> Option<String> {
    let manifest = read(&dir.join("Cargo.toml"))?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}
