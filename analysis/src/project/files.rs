//! Reading files, with errors that say which file and why.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A text file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A file or folder that could not be read.
#[derive(Debug)]
pub struct ReadError {
    /// Its path.
    pub path: PathBuf,
    /// The line of the first byte that is no UTF-8, counted from 1, when that is what is wrong.
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
            (None, io::ErrorKind::NotADirectory) => f.write_str(": it is no folder"),
            (None, io::ErrorKind::IsADirectory) => f.write_str(": it is a folder"),
            (None, io::ErrorKind::InvalidInput) => f.write_str(": it is no regular file"),
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
/// When it does not exist, is a device, pipe or socket, cannot be read, or is not UTF-8; then with the line.
pub fn read(path: &Path) -> Result<String, ReadError> {
    let failed = |source| ReadError { path: path.to_path_buf(), line: None, source };
    // A pipe gives nothing until someone writes, a device may have no end.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        ReadError {
            path: path.to_path_buf(),
            line: Some(valid.iter().filter(|byte| **byte == b'\n').count() + 1),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        }
    })
}

/// Reads the `.sql` files of a folder, in the order of their names.
///
/// # Errors
///
/// When the folder, or one of the files, cannot be read.
pub fn read_sql_folder(dir: &Path) -> Result<Vec<TextFile>, ReadError> {
    sql_files(dir)?.into_iter().map(|path| Ok(TextFile { text: read(&path)?, path })).collect()
}

/// The paths of the `.sql` files of a folder, in the order of their names.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn sql_files(dir: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = |source| ReadError { path: dir.to_path_buf(), line: None, source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("sql")) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The path as it is shown: relative to `base` where it lies below, with `/` between its parts.
pub fn shown(path: &Path, base: &Path) -> String {
    let path = path.strip_prefix(base).unwrap_or(path);
    // Collecting the components leaves out `./` and doubled separators.
    let path: PathBuf = path.strip_prefix(".").unwrap_or(path).components().collect();
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

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
