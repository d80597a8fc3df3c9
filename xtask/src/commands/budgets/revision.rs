//! The source of a revision of the project, in a temporary folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::failure::Failure;

/// The files that determine the bounds of a revision: its source, and the manifests that define its crates.
pub(crate) const SOURCE: &[&str] = &[".rs", "Cargo.toml"];

/// The files that determine the findings of its queries as well: migrations, snapshots, configuration. Entries of `.sqlx`
/// belong to each revision.
pub(crate) const WITH_SCHEMA: &[&str] =
    &[".rs", "Cargo.toml", "Cargo.lock", ".sql", "query-budget.toml", "sqlx.toml", "diesel.toml"];

/// A revision's source on disk.
pub(crate) struct Revision {
    _folder: TempDir,
    /// The folder that corresponds to the requested one.
    pub(crate) path: PathBuf,
}

impl Revision {
    /// Writes the content of `path` at `revision`, limited to files with these endings. The repository's own
    /// index and work tree are not touched.
    pub(crate) fn check_out(path: &Path, revision: &str, files: &[&str]) -> Result<Revision, Failure> {
        let shown = path.display();
        let failed = || Failure::new(format!("read revision `{revision}` of `{shown}`"));
        let path = path.canonicalize().map_err(|error| failed().because(error))?;
        let folder = TempDir::with_prefix("query-budget-").map_err(|error| failed().because(error))?;
        let written =
            write(&path, revision, files, folder.path()).map_err(|error| failed().because(error))?;
        Ok(Revision { _folder: folder, path: written })
    }
}

/// Writes a revision's source into `folder`, and returns the path in it that corresponds to `path`.
fn write(path: &Path, revision: &str, files: &[&str], folder: &Path) -> Result<PathBuf, String> {
    let index = folder.join("index");
    let tree = folder.join("tree");
    let dir = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let top = git(dir, &index, &["rev-parse", "--show-toplevel"], &[])
        .map_err(|_| "it is in no git repository".to_owned())?;
    let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end().to_owned());
    // A revision that starts with a dash would be an option.
    let named = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{tree}}")];
    let tree_of = git(&top, &index, &named, &[]).map_err(|_| "no commit has this name".to_owned())?;
    git(&top, &index, &["read-tree", String::from_utf8_lossy(&tree_of).trim()], &[])?;
    let all = git(&top, &index, &["ls-files", "-z"], &[])?;
    let is_entry = |name: &[u8]| {
        name.ends_with(b".json") && name.split(|byte| *byte == b'/').any(|folder| folder == b".sqlx")
    };
    let is_wanted = |name: &&[u8]| files.iter().any(|end| name.ends_with(end.as_bytes())) || is_entry(name);
    let names: Vec<&[u8]> = all.split(|byte| *byte == 0).filter(is_wanted).collect();
    let prefix = format!("--prefix={}/", tree.display());
    git(&top, &index, &["checkout-index", "-z", "--stdin", "-q", &prefix], &names.join(&0))?;
    let top = top.canonicalize().map_err(|error| error.to_string())?;
    Ok(tree.join(path.strip_prefix(&top).unwrap_or(Path::new(""))))
}

/// Runs git with a separate index; an error is git's message.
fn git(dir: &Path, index: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .current_dir(dir)
        .env("GIT_INDEX_FILE", index)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("start git: {error}"))?;
    let mut stdin = child.stdin.take();
    let input = input.to_vec();
    // git may fill the output pipe before it has read all of its input.
    let writer = std::thread::spawn(move || stdin.take().map(|mut pipe| pipe.write_all(&input)));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let _ = writer.join();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
