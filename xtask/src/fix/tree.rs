//! The git work tree around fixed files: whether changes can be told from earlier ones, and reverted.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::git::git;

/// The alternatives to mention.
const ANYWAY: &str = "`--allow-dirty` makes the edits anyway, `--diff` shows them";

/// The folder below which files may be changed: the repository's, else the one being checked.
pub(super) fn root(scope: &Path) -> PathBuf {
    let dir = folder(scope);
    let top = git(dir, &["rev-parse", "--show-toplevel"]).ok();
    let top = top.and_then(|top| PathBuf::from(top.trim_end()).canonicalize().ok());
    top.unwrap_or_else(|| dir.to_path_buf())
}

/// Fails if there are uncommitted changes, or no repository.
pub(super) fn require_clean(scope: &Path) -> Result<(), Failure> {
    let dir = folder(scope);
    let status = git(dir, &["status", "--porcelain", "--", "."])
        .map_err(|why| Failure::new("read the state of git").because(why).help(ANYWAY))?;
    let Some(first) = status.lines().next() else { return Ok(()) };
    let (many, path) = (status.lines().count(), first.get(3..).unwrap_or(first));
    let others = if many > 1 { format!(" and {} more", many - 1) } else { String::new() };
    Err(Failure::new(format!("fix files in a folder with uncommitted changes: `{path}`{others}"))
        .help(ANYWAY))
}

fn folder(scope: &Path) -> &Path {
    if scope.is_dir() { scope } else { scope.parent().unwrap_or(scope) }
}
