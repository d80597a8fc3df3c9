//! The Rust files below folders.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkBuilder;
use query_budget_analysis::project::read;

use super::ignores;

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
    /// The files that are no regular ones, and would say what is passed over.
    named: BTreeSet<PathBuf>,
}

/// The Rust files below each of these folders: those that git would track, without build output. One walk reads what
/// the folders around them ignore once. A folder that a link leads to is listed as well, once, and under the name of
/// the link, by which the compiler knows it.
pub(super) fn rust_files(folders: &BTreeSet<&Path>) -> HashMap<PathBuf, Listed> {
    let mut walk = Walk::default();
    let (special, plain): (Vec<&Path>, Vec<&Path>) =
        folders.iter().copied().partition(|dir| dir.ancestors().any(|dir| ignores::special(dir).is_some()));
    if let Some((first, others)) = plain.split_first() {
        let mut builder = ignores::walk(first);
        for path in others {
            builder.add(path);
        }
        walk.list(&builder, None);
    }
    for folder in special {
        walk.list_apart(folder, folder);
    }
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
        walk.list(&ignores::walk(&link), Some(&folder));
    }
    walk.found
}

impl Walk {
    /// Lists what is below the builder's paths, as found below `folder` if it is given.
    fn list(&mut self, builder: &WalkBuilder, folder: Option<&Path>) {
        let mut builder = builder.clone();
        let special: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let met = Arc::clone(&special);
        let walk = builder
            // Of several links to one folder, the first is the name that its files get.
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| {
                if entry.depth() > 0 && ignores::is_special_dir(entry) {
                    met.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path().to_path_buf());
                    return false;
                }
                let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
                !(is_dir && entry.file_name() == "target" && entry.path().join("CACHEDIR.TAG").exists())
            })
            .build();
        let mut below = folder.map(Path::to_path_buf).unwrap_or_default();
        let mut apart: Vec<(PathBuf, PathBuf)> = Vec::new();
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
                apart.extend(taken(&special).map(|dir| (dir, below.clone())));
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
        apart.extend(taken(&special).map(|dir| (dir, below.clone())));
        for (dir, below) in apart {
            self.list_apart(&dir, &below);
        }
    }

    /// Lists what is below a folder in which nothing says what is passed over, because that file is no regular one.
    fn list_apart(&mut self, dir: &Path, below: &Path) {
        let special = dir.ancestors().find_map(ignores::special);
        if let Some(path) = special.filter(|path| self.named.insert(path.clone())) {
            let why = read(&path).err().map(|why| why.to_string());
            self.found.entry(below.to_path_buf()).or_default().unlisted.extend(why);
        }
        self.list(&ignores::walk(dir), Some(below));
    }
}

fn taken(paths: &Mutex<Vec<PathBuf>>) -> impl Iterator<Item = PathBuf> + use<> {
    std::mem::take(&mut *paths.lock().unwrap_or_else(PoisonError::into_inner)).into_iter()
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
