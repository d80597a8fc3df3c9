//! Remembers files as they were before they were moved, so that moving back restores them byte for byte: the order of the
//! names in an import, and which imports were on separate lines, cannot be seen in the moved text.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::replace::replace;

/// The moved files of a workspace, by their paths in it. They are stored in `target/`, since moving back works without them.
pub(super) struct Memory {
    path: PathBuf,
    root: PathBuf,
    files: BTreeMap<String, Moved>,
    is_changed: bool,
}

/// A file before it was moved and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Moved {
    before: String,
    after: String,
}

impl Memory {
    /// The memory of the workspace at `root`; empty if it cannot be read.
    pub(super) fn of(root: &Path) -> Memory {
        let path = root.join("target/query-budget/migrated.json");
        let files = query_budget_analysis::project::read(&path)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        Memory { path, root: root.to_path_buf(), files: files.unwrap_or_default(), is_changed: false }
    }

    /// Remembers a file that is moved.
    pub(super) fn keep(&mut self, file: &Path, before: &str, after: &str) {
        // Two moves in a row are reverted as one.
        let before = match self.files.remove(&self.name(file)) {
            Some(earlier) if earlier.after == before => earlier.before,
            _ => before.to_owned(),
        };
        self.files.insert(self.name(file), Moved { before, after: after.to_owned() });
        self.is_changed = true;
    }

    /// Forgets a file that is moved back.
    pub(super) fn forget(&mut self, file: &Path) {
        self.is_changed |= self.files.remove(&self.name(file)).is_some();
    }

    /// The current text of a file, with the original of each moved line that has not been edited since.
    pub(super) fn restored(&self, file: &Path, now: &str) -> Option<String> {
        self.files.get(&self.name(file)).map(|moved| moved.restored(now))
    }

    /// Writes the memory if it has changed.
    pub(super) fn write(&self) -> io::Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        if self.files.is_empty() {
            return fs::remove_file(&self.path);
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        replace(&self.path, &serde_json::to_string(&self.files)?)
    }

    fn name(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}

impl Moved {
    fn restored(&self, now: &str) -> String {
        let [before, after, now] = [&self.before, &self.after, now].map(lines);
        let kept = capture_diff_slices(Algorithm::Myers, &after, &now);
        let mut restored = String::new();
        let mut from = 0;
        for moved in capture_diff_slices(Algorithm::Myers, &after, &before) {
            let (DiffOp::Insert { .. } | DiffOp::Delete { .. } | DiffOp::Replace { .. }) = moved else {
                continue;
            };
            // Lines that were edited since are moved back by the rules.
            let Some(place) = place_of(&kept, &moved.old_range()) else { continue };
            restored.extend(now.get(from..place.start).unwrap_or_default().iter().copied());
            restored.extend(before.get(moved.new_range()).unwrap_or_default().iter().copied());
            from = place.end;
        }
        restored.extend(now.get(from..).unwrap_or_default().iter().copied());
        restored
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The current place of lines that are unchanged; for an empty range, of the gap between two unchanged lines.
fn place_of(kept: &[DiffOp], lines: &Range<usize>) -> Option<Range<usize>> {
    kept.iter().find_map(|kept| match kept {
        DiffOp::Equal { old_index, new_index, len } => {
            let holds = *old_index <= lines.start && lines.end <= old_index + len;
            holds.then(|| lines.start - old_index + new_index..lines.end - old_index + new_index)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unedited_lines_are_restored() {
        let before = "use sqlx::{query, PgPool};\nuse sqlx::query_as;\n\nfn f() {\n    query!(1);\n    sqlx::query!(2);\n}\n";
        let after = "use query_budget::{query, query_as};\nuse sqlx::PgPool;\n\nfn f() {\n    query!(1);\n    query_budget::query!(2);\n}\n";
        let moved = Moved { before: before.to_owned(), after: after.to_owned() };
        assert_eq!(moved.restored(after), before);
        let longer = |text: &str| text.replace("fn f() {\n", "fn f() {\n    more();\n");
        assert_eq!(moved.restored(&longer(after)), longer(before));
        let other = |text: &str| text.replace("query!(2)", "query!(3)");
        assert_eq!(
            moved.restored(&other(after)),
            other(before).replace("sqlx::query!", "query_budget::query!")
        );
        assert_eq!(moved.restored(""), "");
    }
}
