//! What the path of a file and the name of a function say about the occasions on which it runs.

/// The words of a path inside its crate: the names of its folders and of the file.
pub(super) fn path_words(path: &str) -> impl Iterator<Item = &str> {
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    inside.strip_suffix(".rs").unwrap_or(inside).split('/')
}

/// The folders of a path above those of the source of a crate, all of the path where it has none.
pub(crate) fn above_source(path: &str) -> &str {
    path.rfind("src/").map_or(path, |at| path.get(..at).unwrap_or_default())
}

/// Whether a file, folder or function whose name ends so is about copies of the data. A request that restores something
/// brings back what a user has deleted.
pub(super) fn is_of_copies(name: &str, answers: bool) -> bool {
    let last = name.rsplit(['_', '-']).next().unwrap_or_default();
    matches!(last, "backup" | "backups" | "export" | "exports") || last == "restore" && !answers
}

/// Whether a function of this name makes a copy of the data, or reads one back: `export_users`, `create_backup`. The noun of
/// `backup_codes` is another.
pub(super) fn copies_data(name: &str, answers: bool) -> bool {
    let first = name.split('_').next().unwrap_or_default();
    // What is called a snapshot holds all rows of its time.
    let is_snapshot = || !answers && name.rsplit('_').next() == Some("snapshot") && name.contains('_');
    first == "export" || first == "restore" && !answers || is_of_copies(name, answers) || is_snapshot()
}
