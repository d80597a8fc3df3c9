//! Walks over what git would track, which open no file that never ends: what is passed over stands in files that the
//! walk reads itself, and one of them may be a pipe.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// The files of a folder that say what is passed over.
const NAMES: [&str; 3] = [".gitignore", ".ignore", ".git/info/exclude"];

/// A walk over a folder. Where a file that says what is passed over cannot be read, nothing is passed over.
pub(super) fn walk(dir: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(dir);
    builder.require_git(false);
    if dir.ancestors().any(|dir| special(dir).is_some()) {
        builder.parents(false).ignore(false).git_ignore(false).git_exclude(false);
    }
    builder
}

/// The first of these files in a folder that is a pipe, a socket or a device.
pub(super) fn special(dir: &Path) -> Option<PathBuf> {
    let is_special = |path: &PathBuf| path.metadata().is_ok_and(|it| !it.is_file() && !it.is_dir());
    NAMES.iter().map(|name| dir.join(name)).find(is_special)
}

/// The entries of a walk over a folder, without the folders in which one of these files is special.
pub(super) fn entries(dir: &Path) -> impl Iterator<Item = ignore::DirEntry> + use<> {
    let is_read = |entry: &ignore::DirEntry| !is_special_dir(entry);
    walk(dir).filter_entry(is_read).build().filter_map(Result::ok)
}

/// Whether a walk would read such a file on its way into a folder.
pub(super) fn is_special_dir(entry: &ignore::DirEntry) -> bool {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    is_dir && special(entry.path()).is_some()
}
