//! The queries of Rust files, and of the `.sqlx` folders that `cargo sqlx prepare` keeps beside them.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::project::{Project, read, shown, workspace_root};
use query_budget_analysis::rust::{Scan, SiteSql, scan};

use super::queries::read_sqlx_folder;
use super::workspace::{self, Sources};
use super::{Batch, Loaded};
use crate::failure::Failure;
use crate::progress::Progress;

/// The folder that holds what `cargo sqlx prepare` writes.
const SQLX_FOLDER: &str = ".sqlx";

/// A Rust file that may hold queries.
pub(crate) struct RustFile {
    /// What was found in it.
    pub(crate) scan: Scan,
    /// The folders that the paths it names are relative to.
    folders: [PathBuf; 2],
}

impl RustFile {
    /// The text of a file that a query names: sqlx reads relative to the crate, `include_str!` relative to the file.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        self.folders.iter().find_map(|folder| read(&folder.join(path)).ok())
    }
}

/// Finds every query of the workspace, crate, folder or file at `path`; the schemas are not read yet. Paths are shown
/// relative to `base`.
pub(crate) fn find(path: &Path, base: &Path) -> Result<Loaded, Failure> {
    let crates = workspace::sources(path)?;
    let files = crates.iter().map(|sources| sources.files.len()).sum();
    let mut loaded = Loaded { batches: Vec::new(), files, unread: Vec::new() };
    let mut progress = Progress::new("reading", files);
    for sources in &crates {
        let mut files = Vec::new();
        for path in &sources.files {
            match scan_file(path, sources, base) {
                Ok(file) => files.extend(file),
                Err(why) => loaded.unread.push(why),
            }
            progress.step();
        }
        if !files.is_empty() {
            loaded.batches.push(Batch {
                project: Project::locate(&sources.dir, base),
                source: None,
                files,
                bare: Vec::new(),
            });
        }
    }
    if loaded.batches.is_empty() {
        // Without a query there is still a configuration and a snapshot that may be broken.
        loaded.batches.push(Batch {
            project: Project::locate(path, base),
            source: None,
            files: Vec::new(),
            bare: Vec::new(),
        });
    }
    let written: HashSet<Arc<str>> = loaded.batches.iter().flat_map(literals).collect();
    for folder in sqlx_folders(&crates) {
        let mut bare = read_sqlx_folder(&folder, base)?;
        // What a query of the source has saved is that query; the others are made by other macros.
        bare.retain(|query| !written.contains(query.sql.trim()));
        if let (false, Some(dir)) = (bare.is_empty(), folder.parent()) {
            loaded.batches.push(Batch {
                project: Project::locate(dir, base),
                source: None,
                files: Vec::new(),
                bare,
            });
        }
    }
    Ok(loaded)
}

/// The SQL that is written in the source.
fn literals(batch: &Batch) -> impl Iterator<Item = Arc<str>> {
    let sites = batch.files.iter().flat_map(|file| &file.scan.sites);
    sites.filter_map(|site| match &site.sql {
        SiteSql::Literal(literal) => Some(literal.text.trim().into()),
        SiteSql::File(_) | SiteSql::Dynamic => None,
    })
}

/// The `.sqlx` folders of the crates and of their workspaces.
fn sqlx_folders(crates: &[Sources]) -> BTreeSet<PathBuf> {
    let dirs = crates.iter().flat_map(|sources| [sources.dir.clone(), workspace_root(&sources.dir)]);
    dirs.map(|dir| dir.join(SQLX_FOLDER)).filter(|folder| folder.is_dir()).collect()
}

/// Scans a file; `None` when it holds nothing to check.
fn scan_file(path: &Path, sources: &Sources, base: &Path) -> Result<Option<RustFile>, String> {
    let text = read(path).map_err(|error| error.to_string())?;
    // Most files of a workspace hold no query, and parsing is what takes the time.
    if !text.contains("query") && !text.contains("sql") {
        return Ok(None);
    }
    let file = shown(path, base);
    let scan = scan(&file, &text).map_err(|error| format!("parse `{file}`: {error}"))?;
    if scan.sites.is_empty()
        && scan.functions.iter().all(|function| function.budget.is_none())
        && scan.allows.is_empty()
    {
        return Ok(None);
    }
    let beside = path.parent().unwrap_or(path).to_path_buf();
    Ok(Some(RustFile { scan, folders: [sources.manifest_dir().to_path_buf(), beside] }))
}
