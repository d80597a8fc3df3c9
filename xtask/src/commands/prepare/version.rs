//! The versions of sqlx whose entries differ.

use std::path::Path;

use serde::Deserialize;

/// A version of sqlx, by what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sqlx {
    /// 0.7: types without their schemas.
    V07,
    /// 0.8.
    V08,
    /// 0.9: columns say where they come from.
    V09,
}

impl Sqlx {
    /// The version of a number: `0.8`, `0.8.6`.
    pub(crate) fn of(number: &str) -> Option<Sqlx> {
        let mut parts = number.split('.');
        match (parts.next()?, parts.next()?) {
            ("0", "7") => Some(Sqlx::V07),
            ("0", "8") => Some(Sqlx::V08),
            ("0", "9") => Some(Sqlx::V09),
            _ => None,
        }
    }

    /// The version in the lock file of the workspace around a folder; `None` where there is none, or none that is known.
    pub(super) fn locked(dir: &Path) -> Option<Sqlx> {
        #[derive(Deserialize)]
        struct Lock {
            #[serde(default)]
            package: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            version: String,
        }
        let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|path| path.is_file())?;
        let lock: Lock = toml::from_str(&std::fs::read_to_string(lock).ok()?).ok()?;
        let named = |name: &str| {
            let mut found = lock.package.iter().filter(|package| package.name == name);
            found.find_map(|package| Sqlx::of(&package.version))
        };
        named("sqlx").or_else(|| named("sqlx-core"))
    }

    /// Whether a type is named as the catalog has it, without its schema.
    pub(super) fn names_types_bare(self) -> bool {
        self == Sqlx::V07
    }

    /// Whether columns say where they come from.
    pub(super) fn has_origins(self) -> bool {
        self == Sqlx::V09
    }
}
