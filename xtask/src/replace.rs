//! Replaces files atomically, so that a concurrent reader, such as a build, sees either the old text or the
//! new one, and a full disk leaves the old one.

use std::io::{self, Write as _};
use std::path::Path;

/// Replaces the content of a file. Anything but a regular file (`/dev/stdout`, a pipe) is written directly.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link is kept: its target is replaced.
    let target = path.canonicalize();
    let path = target.as_deref().unwrap_or(path);
    let old = std::fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return std::fs::write(path, text);
    }
    if old.as_ref().is_some_and(|old| old.permissions().readonly()) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = match new_file().tempfile_in(folder) {
        Ok(new) => new,
        // A file may be writable in a folder that is not.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && old.is_some() => {
            return std::fs::write(path, text);
        }
        Err(error) => return Err(error),
    };
    new.write_all(text.as_bytes())?;
    if let Some(old) = old {
        new.as_file().set_permissions(old.permissions())?;
    }
    new.persist(path).map(drop).map_err(|error| error.error)
}

fn new_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".query-budget-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The default for new files; the user's umask applies.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}
