//! Workspaces inside of the one that is checked: they are read as well, up to a limit, as a folder may hold copies of
//! other projects.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use query_budget_analysis::project::read;
use query_budget_analysis::rust::may_query;

use super::ignores;

/// How many bytes of Rust are read of them all.
const MOST_BYTES: u64 = 16 << 20;

/// Which of the workspaces are read, and which are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Nested {
    read: BTreeSet<PathBuf>,
    left_out: BTreeSet<PathBuf>,
}

impl Nested {
    /// Chooses among the workspaces in these folders.
    pub(super) fn of(dirs: Vec<PathBuf>) -> Nested {
        let sized = dirs.into_iter().map(|dir| (bytes_of(&dir), dir)).collect();
        Nested::within(MOST_BYTES, sized)
    }

    /// The smallest first, until the limit: copies of large projects are left out.
    fn within(limit: u64, mut sized: Vec<(u64, PathBuf)>) -> Nested {
        sized.sort();
        let (mut nested, mut total) = (Nested::default(), 0_u64);
        for (bytes, dir) in sized {
            total = total.saturating_add(bytes);
            let list = if total <= limit { &mut nested.read } else { &mut nested.left_out };
            list.insert(dir);
        }
        // Everything inside of a copy belongs to it.
        let left_out = &nested.left_out;
        nested.read.retain(|dir| !left_out.iter().any(|other| dir.starts_with(other)));
        nested
    }

    /// Whether the workspace in a folder is read.
    pub(super) fn reads(&self, dir: &Path) -> bool {
        self.read.contains(dir)
    }

    /// What is not read, if there is something: the workspaces that are left out, and those of `apart`, packages that no
    /// workspace has, that hold queries.
    pub(super) fn told(&self, apart: &[PathBuf], base: &Path) -> Vec<String> {
        let megabytes = MOST_BYTES >> 20;
        let of_workspaces = format!("workspaces of their own beyond {megabytes} MB of Rust");
        let is_copied = |dir: &PathBuf| self.left_out.iter().any(|other| dir.starts_with(other));
        let apart: BTreeSet<PathBuf> =
            apart.iter().filter(|dir| !is_copied(dir) && holds_queries(dir)).cloned().collect();
        let told = |dirs: &BTreeSet<PathBuf>, what: &str| {
            let names = listed(dirs, base)?;
            Some(format!("read {names}: {what}; name one to check it"))
        };
        let parts = [told(&self.left_out, &of_workspaces), told(&apart, "packages that no workspace has")];
        parts.into_iter().flatten().collect()
    }
}

/// The first few of several folders; `None` without any.
fn listed(dirs: &BTreeSet<PathBuf>, base: &Path) -> Option<String> {
    const SHOWN: usize = 5;
    let shown = |dir: &PathBuf| format!("`{}`", dir.strip_prefix(base).unwrap_or(dir).display());
    let first: Vec<String> = dirs.iter().take(SHOWN).map(shown).collect();
    let more = match dirs.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!first.is_empty()).then(|| format!("{}{more}", first.join(", ")))
}

/// Whether a file below a folder may query.
fn holds_queries(dir: &Path) -> bool {
    let mut left = MOST_BYTES;
    for file in rust_files(dir) {
        let Some(rest) = file.metadata().ok().and_then(|data| left.checked_sub(data.len())) else {
            return false;
        };
        left = rest;
        let text = read(file.path()).unwrap_or_default();
        if may_query(&[&text]) {
            return true;
        }
    }
    false
}

fn rust_files(dir: &Path) -> impl Iterator<Item = ignore::DirEntry> {
    ignores::entries(dir).filter(|file| file.path().extension().is_some_and(|end| end == "rs"))
}

/// The length of the Rust files below a folder.
fn bytes_of(dir: &Path) -> u64 {
    rust_files(dir).filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_left_out() {
        let sized =
            |dirs: &[(u64, &str)]| dirs.iter().map(|(bytes, dir)| (*bytes, PathBuf::from(dir))).collect();
        let all = Nested::within(10, sized(&[(6, "/w/a"), (4, "/w/b")]));
        assert_eq!((all.read.len(), all.told(&[], Path::new("/w"))), (2, Vec::new()));
        let some = Nested::within(10, sized(&[(90, "/w/copy"), (6, "/w/a"), (2, "/w/copy/in"), (7, "/w/c")]));
        assert!(some.reads(Path::new("/w/a")) && !some.reads(Path::new("/w/copy/in")), "{some:?}");
        let told = some.told(&[], Path::new("/w"));
        assert!(told[0].starts_with("read `c`, `copy`: workspaces of their own"), "{told:?}");
    }
}
