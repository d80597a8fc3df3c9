//! Reads files, with errors that name the file and the cause.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file or directory that could not be read.
#[derive(Debug)]
pub struct ReadError {
    /// The path that was tried.
    pub path: PathBuf,
    /// The line of the first invalid UTF-8, counted from 1, if that is the cause.
    pub line: Option<usize>,
    source: io::Error,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read `{}`", self.path.display())?;
        match (self.line, self.source.kind()) {
            (Some(line), _) => write!(f, ": line {line} is not valid UTF-8"),
            (None, io::ErrorKind::NotFound) => f.write_str(": it does not exist"),
            (None, io::ErrorKind::PermissionDenied) => f.write_str(": permission denied"),
            (None, io::ErrorKind::NotADirectory) => f.write_str(": it is not a folder"),
            (None, io::ErrorKind::IsADirectory) => f.write_str(": it is a folder"),
            (None, io::ErrorKind::InvalidInput) => f.write_str(": it is not a regular file"),
            (None, _) => write!(f, ": {}", self.source),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Reads a text file.
///
/// # Errors
///
/// If it does not exist, is a device, pipe or socket, cannot be read, or is not UTF-8; the last with a line.
pub fn read(path: &Path) -> Result<String, ReadError> {
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        ReadError {
            path: path.to_path_buf(),
            line: Some(valid.iter().filter(|byte| **byte == b'\n').count() + 1),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        }
    })
}

/// Reads a file whose text may be broken in parts.
///
/// # Errors
///
/// If it does not exist, is a device, pipe or socket, or cannot be read.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let failed = |source| ReadError { path: path.to_path_buf(), line: None, source };
    if !is_plain(path).map_err(failed)? {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    std::fs::read(path).map_err(failed)
}

/// Whether a path can be opened as a file. A pipe would block, and a device may be endless. File descriptors
/// that a shell passes were named by the user, so they are accepted.
fn is_plain(path: &Path) -> io::Result<bool> {
    let handed_over = ["/dev/stdin", "/dev/fd", "/proc/self/fd"].iter().any(|dir| path.starts_with(dir));
    let kind = std::fs::metadata(path)?.file_type();
    Ok(kind.is_file() || kind.is_dir() || handed_over)
}

/// The `.sql` files below a directory.
#[derive(Debug, Default)]
pub(super) struct SqlFiles {
    /// The readable ones, each with its path below the directory, `/` as separator; sorted.
    pub(super) files: Vec<(PathBuf, String)>,
    /// Migrations in a programming language, by their names: `V2__users.rs`, `00002_users.go`; and files in other languages
    /// that change a schema.
    pub(super) code: Vec<(PathBuf, String)>,
    /// Pipes, devices and dangling links, which are not opened.
    pub(super) special: Vec<PathBuf>,
    /// The directories already listed, by canonical path, so that several links to one list it once.
    listed: BTreeSet<PathBuf>,
}

/// The maximum number of directories listed: a link may lead to the whole file system.
const MOST_FOLDERS: usize = 5_000;

/// The maximum directory depth: deeper than any migrations, and a stop for cycles.
const MAX_FOLDER_DEPTH: usize = 6;

/// The `.sql` files of a migrations directory.
///
/// # Errors
///
/// If the directory cannot be read; unreadable entries below it are skipped.
pub(super) fn sql_files(dir: &Path) -> Result<SqlFiles, ReadError> {
    let mut found = SqlFiles::default();
    let failed = |source| ReadError { path: dir.to_path_buf(), line: None, source };
    list(dir, "", 0, &mut found).map_err(failed)?;
    found.files.sort();
    found.code.sort();
    found.special.sort();
    Ok(found)
}

fn list(dir: &Path, below: &str, depth: usize, found: &mut SqlFiles) -> io::Result<()> {
    let is_new = found.listed.insert(dir.canonicalize()?);
    if !is_new || found.listed.len() > MOST_FOLDERS {
        return Ok(());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        paths.push((path.is_symlink(), path));
    }
    // Real entries before those that a link leads to.
    paths.sort();
    for (_, path) in paths {
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        let below = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let is_sql = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("sql"));
        if name.starts_with('.') {
        } else if path.is_dir() {
            if depth < MAX_FOLDER_DEPTH {
                let _ = list(&path, &below, depth + 1, found);
            }
        } else if is_sql && path.is_file() {
            found.files.push((path, below));
        } else if is_sql {
            found.special.push(path);
        } else if (is_code(&name) || changes_schema(&name, &path)) && path.is_file() {
            found.code.push((path, below));
        }
    }
    Ok(())
}

/// Whether a file is a migration in the language of its tool, judging by its name: refinery's and Flyway's have the letter
/// and the two underscores, goose's the number.
fn is_code(name: &str) -> bool {
    let Some((stem, end)) = name.rsplit_once('.') else { return false };
    let (version, rest) = match end {
        "rs" | "java" | "kt" => match stem.strip_prefix(['V', 'U', 'R']).and_then(|it| it.split_once("__")) {
            Some(parts) => parts,
            None => return false,
        },
        "go" => match stem.split_once('_') {
            Some((_, rest)) if rest.ends_with("_test") => return false,
            Some(parts) => parts,
            None => return false,
        },
        _ => return false,
    };
    let is_version = version.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    is_version && !rest.is_empty() && (end != "go" || !version.is_empty())
}

/// The words of tools that change a schema, in lower case: those of Liquibase, Knex, Alembic, yoyo, Hasura and others.
const CHANGES: [&str; 8] = [
    "create table",
    "create_table",
    "createtable",
    "alter table",
    "altertable",
    "add_column",
    "addcolumn",
    "databasechangelog",
];

/// The most bytes of a file that are searched for them.
const MOST_READ: u64 = 1 << 20;

/// Whether a file in a language other than SQL changes a schema.
fn changes_schema(name: &str, path: &Path) -> bool {
    let ends = [".xml", ".yaml", ".yml", ".json", ".js", ".cjs", ".mjs", ".ts", ".py"];
    let lower = name.to_ascii_lowercase();
    if !ends.iter().any(|end| lower.ends_with(end)) || lower.ends_with(".d.ts") || !path.is_file() {
        return false;
    }
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_READ).read_to_string(&mut text));
    let text = text.to_ascii_lowercase();
    read.is_ok() && CHANGES.iter().any(|word| text.contains(word))
}

/// The path for display: relative to `base` if it is below it, with `/` as separator.
pub fn shown(path: &Path, base: &Path) -> String {
    let path = path.strip_prefix(base).unwrap_or(path);
    // Collecting the components drops `./` and doubled separators.
    let path: PathBuf = path.strip_prefix(".").unwrap_or(path).components().collect();
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_in_a_programming_language_are_known_by_name() {
        for name in ["V1__init.rs", "V2.1__users.java", "R__views.kt", "00002_users.go"] {
            assert!(is_code(name), "{name}");
        }
        for name in
            ["mod.rs", "V1_init.rs", "Version__a.rs", "users.go", "00002_users_test.go", "V1__init.sql"]
        {
            assert!(!is_code(name), "{name}");
        }
    }

    #[test]
    fn paths_are_shown_short() {
        let base = Path::new("/a/b");
        for (path, expected) in [
            ("/a/b/c.rs", "c.rs"),
            ("/a/c.rs", "/a/c.rs"),
            ("./src/c.rs", "src/c.rs"),
            ("../x//c.rs", "../x/c.rs"),
            ("c.rs", "c.rs"),
        ] {
            assert_eq!(shown(Path::new(path), base), expected);
        }
    }
}
