//! The Rust files below folders.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// The maximum number of entries that are listed behind links: one may lead to the whole file system.
const MOST_BEHIND_LINKS: usize = 20_000;

/// What was found below a folder.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The files that are named like Rust, regular or not: those that are not regular fail when they are read.
    pub(super) files: Vec<PathBuf>,
    /// Why folders could not be listed.
    pub(super) unlisted: Vec<String>,
}

/// A walk over what git would track, and the links to folders that it met.
#[derive(Default)]
struct Walk {
    found: HashMap<PathBuf, Listed>,
    /// Links to folders, each with the folder given in the arguments that it was met below.
    links: Vec<(PathBuf, PathBuf)>,
    /// The number of entries behind links.
    behind: usize,
}

/// The Rust files below each of these folders: those that git would track, without build output. One walk reads what
/// the folders around them ignore once. A folder that a link leads to is listed as well, once, and under the name of
/// the link, by which the compiler knows it.
pub(super) fn rust_files(folders: &BTreeSet<&Path>) -> HashMap<PathBuf, Listed> {
    let mut walk = Walk::default();
    let mut paths = folders.iter();
    let Some(first) = paths.next() else { return walk.found };
    let mut builder = WalkBuilder::new(first);
    paths.for_each(|path| {
        builder.add(path);
    });
    walk.list(&builder, None);
    let mut known: BTreeSet<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    let mut next = 0;
    while let Some((link, folder)) = walk.links.get(next).cloned() {
        next += 1;
        let Ok(target) = link.canonicalize() else { continue };
        // What is below a listed folder is listed; what is above one would list it again, without an end.
        let is_known = known.iter().any(|known| target.starts_with(known) || known.starts_with(&target));
        if is_known || walk.behind >= MOST_BEHIND_LINKS {
            continue;
        }
        known.insert(target);
        walk.list(&WalkBuilder::new(&link), Some(&folder));
    }
    walk.found
}

impl Walk {
    /// Lists what is below the builder's paths, as found below `folder` if it is given.
    fn list(&mut self, builder: &WalkBuilder, folder: Option<&Path>) {
        let mut builder = builder.clone();
        let walk = builder
            .require_git(false)
            // Of several links to one folder, the first is the name that its files get.
            .sort_by_file_name(Ord::cmp)
            .filter_entry(|entry| {
                let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
                !(is_dir && entry.file_name() == "target" && entry.path().join("CACHEDIR.TAG").exists())
            })
            .build();
        let mut below = folder.map(Path::to_path_buf).unwrap_or_default();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.found.entry(below.clone()).or_default().unlisted.extend(unlisted(&error));
                    continue;
                }
            };
            if folder.is_some() {
                self.behind += 1;
                if self.behind >= MOST_BEHIND_LINKS {
                    return;
                }
            } else if entry.depth() == 0 {
                below = entry.path().to_path_buf();
            }
            let is_link = entry.path_is_symlink() && entry.depth() > 0;
            let path = entry.into_path();
            if path.is_dir() {
                if is_link {
                    self.links.push((path, below.clone()));
                }
            } else if path.extension().is_some_and(|end| end == "rs") {
                self.found.entry(below.clone()).or_default().files.push(path);
            }
        }
    }
}

/// The message about a folder that cannot be listed; `None` for a broken `.gitignore`, or if it has gone.
fn unlisted(error: &ignore::Error) -> Option<String> {
    let why = match error.io_error()?.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        // It has gone since it was listed.
        std::io::ErrorKind::NotFound => return None,
        _ => error.io_error()?.to_string(),
    };
    let path = path_of(error)?;
    Some(format!("read `{}`: {why}", path.display()))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}
