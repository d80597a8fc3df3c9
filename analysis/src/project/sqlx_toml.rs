//! Type overrides of a package's `sqlx.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::types::Overrides;

/// The relevant parts of the file.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct File {
    macros: Macros,
}

#[derive(serde::Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Macros {
    preferred_crates: PreferredCrates,
    type_overrides: BTreeMap<String, String>,
    table_overrides: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct PreferredCrates {
    date_time: Option<String>,
    numeric: Option<String>,
}

/// The type overrides of the package in `dir`, with `types` of its configuration taking precedence. Errors in
/// `sqlx.toml` are left to sqlx.
pub fn overrides(dir: &Path, types: &BTreeMap<String, String>) -> Overrides {
    let text = super::read(&dir.join("sqlx.toml")).unwrap_or_default();
    let File { macros } = toml::from_str(&text).unwrap_or_default();
    let of_tables = macros.table_overrides.into_iter();
    let columns = of_tables.flat_map(|(table, columns)| {
        columns.into_iter().map(move |(column, ty)| ((table.clone(), column), ty))
    });
    let mut overrides = Overrides {
        types: macros.type_overrides,
        columns: columns.collect(),
        date_time: macros.preferred_crates.date_time,
        numeric: macros.preferred_crates.numeric,
    };
    overrides.types.extend(types.clone());
    overrides
}
