//! The version of sqlx whose macros read the entries.

use std::path::Path;
use std::str::FromStr;

use query_budget_analysis::project;
use query_budget_analysis::types::Planned;

/// A version of sqlx, as far as the format of `.sqlx` depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    minor: u32,
    patch: u32,
    /// Whether it stands for all of them.
    is_any: bool,
}

impl Version {
    /// Where the version is unknown: the form of 0.9, which the older ones read as well.
    pub(super) const ANY: Version = Version { minor: 9, patch: 0, is_any: true };

    /// The version in the lock file of the workspace around a folder; `None` without a lock file or without
    /// sqlx in it.
    pub(crate) fn locked(dir: &Path) -> Option<Version> {
        let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|path| path.is_file())?;
        let lock: toml::Table = project::read(&lock).ok()?.parse().ok()?;
        let packages = lock.get("package")?.as_array()?;
        let of = |wanted: &str| {
            let named =
                packages.iter().filter(|it| it.get("name").and_then(|name| name.as_str()) == Some(wanted));
            named.filter_map(|it| it.get("version")?.as_str()?.parse().ok()).max()
        };
        of("sqlx").or_else(|| of("sqlx-core"))
    }

    /// The version that the manifest of a crate or of the workspace around it requires.
    pub(crate) fn required(dir: &Path) -> Option<Version> {
        let mut manifests = dir.ancestors().map(|dir| dir.join("Cargo.toml")).filter(|path| path.is_file());
        manifests.find_map(|path| {
            let manifest: toml::Table = project::read(&path).ok()?.parse().ok()?;
            let workspace = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
            let tables = [manifest.get("dependencies"), workspace, manifest.get("dev-dependencies")];
            tables.into_iter().flatten().find_map(|table| {
                let sqlx = table.get("sqlx")?;
                let required = sqlx.as_str().or_else(|| sqlx.get("version")?.as_str())?;
                let version = required.trim_start_matches(['^', '~', '=', '>', ' ']);
                let version: Version = version.parse().ok()?;
                // Without a lock file, the latest that fits is taken.
                let is_exact = required.trim_start().starts_with('=');
                Some(if is_exact { version } else { Version { patch: u32::MAX, ..version } })
            })
        })
    }

    /// The package whose macros can replace its own, if there is one.
    pub(crate) fn ours(self) -> Option<&'static str> {
        match self.minor {
            0..8 => None,
            8 => Some(project::OURS_ON_08),
            _ => Some(project::OURS),
        }
    }

    /// Whether columns have an origin.
    pub(super) fn has_origins(self) -> bool {
        self.minor >= 9
    }

    /// Whether types are named as the database prints them, arrays with `[]`; otherwise by their bare names.
    pub(super) fn prints_types(self) -> bool {
        self.minor >= 8
    }

    /// How its macros have PostgreSQL plan a statement to find what outer joins leave out; for an unknown version as
    /// 0.8 does it.
    pub(super) fn planned(self) -> Planned {
        if self.is_any || self.minor < 9 { Planned::ForNulls } else { Planned::ForAny }
    }

    /// Whether integers of SQLite are distinguished by width.
    #[cfg(feature = "live")]
    pub(super) fn has_wide_integers(self) -> bool {
        self.minor < 8
    }

    /// Whether queries on SQLite are described as 0.8 does it, which most projects use.
    #[cfg(feature = "live")]
    pub(super) fn describes_as_08(self) -> bool {
        self.is_any || self.minor < 9
    }

    /// Whether an entry ends with a newline.
    pub(super) fn ends_with_newline(self) -> bool {
        (self.minor, self.patch) >= (7, 2)
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        let mut parts = text.split(['.', '-', '+']).map(str::parse::<u32>);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(0)), Some(Ok(minor)), patch) if minor >= 7 => {
                let patch = patch.and_then(Result::ok).unwrap_or(u32::MAX);
                Ok(Version { minor, patch, is_any: false })
            }
            _ => Err("it is 0.7, 0.8 or 0.9".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn a_manifest_tells_what_no_lock_file_does() {
        let dir = tempfile::tempdir().expect("a folder");
        let write =
            |path: &str, text: &str| std::fs::write(dir.path().join(path), text).expect("it is written");
        std::fs::create_dir(dir.path().join("app")).expect("a folder");
        write("Cargo.toml", "[workspace.dependencies]\nsqlx = { version = \"0.8\", features = [] }");
        write("app/Cargo.toml", "[dependencies]\nsqlx.workspace = true");
        let version = Version::required(&dir.path().join("app")).expect("it is told");
        assert!(!version.has_origins() && version.prints_types());
        write("app/Cargo.toml", "[dependencies]\nsqlx = \"0.7.1\"");
        let version = Version::required(&dir.path().join("app")).expect("it is told");
        assert!(!version.prints_types() && version.ends_with_newline());
    }

    #[test]
    fn versions_are_read_and_ordered() {
        let of = |text: &str| text.parse::<Version>();
        assert!(of("0.9.0-alpha.1").is_ok_and(Version::has_origins));
        assert!(of("0.8").is_ok_and(|it| !it.has_origins() && it.prints_types() && it.ends_with_newline()));
        assert!(of("0.7.1").is_ok_and(|it| !it.ends_with_newline()));
        assert!(of("0.7.4").is_ok_and(|it| it.ours().is_none()));
        assert!(of("0.8.6").is_ok_and(|it| it.ours() == Some("query-budget-sqlx-08")));
        assert!(of("0.9").is_ok_and(|it| it.ours() == Some("query-budget")));
        assert!(Version::ANY.has_origins() && !Version::ANY.has_wide_integers());
        assert!(of("0.6.3").is_err() && of("new").is_err());
    }
}
