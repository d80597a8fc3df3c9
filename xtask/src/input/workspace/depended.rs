//! What a crate depends on, as far as it says something of the crate's queries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use query_budget_analysis::project::{Dependency, OURS, OURS_ON_08};
use query_budget_analysis::rust::{NamedDatabases, drivers, is_driver};
use query_budget_analysis::sql::Dialect;

use super::Crate;

impl Crate {
    /// A crate in a folder of which nothing is known but what it depends on.
    pub(super) fn depending(dir: PathBuf, dependencies: &[Dependency]) -> Crate {
        Crate {
            dependencies: folders(dependencies),
            built_in: built_in(dependencies),
            renamed: renamed(dependencies),
            dialect: dialect(dependencies),
            databases: databases(dependencies),
            ..Crate::folder(dir)
        }
    }
}

/// The name by which code knows a dependency, where it is not the package's own.
fn rename(dependency: &Dependency) -> Option<&String> {
    Some(&dependency.name).filter(|name| **name != dependency.package.replace('-', "_"))
}

/// The folders of those that are on this machine, each with the name it is renamed to.
fn folders(dependencies: &[Dependency]) -> BTreeMap<PathBuf, Option<String>> {
    let here = dependencies.iter().filter_map(|dependency| {
        let dir = dependency.path.as_ref()?.canonicalize().ok()?;
        Some((dir, rename(dependency).cloned()))
    });
    here.collect()
}

/// The folders of those that its own code is built with, rather than its tests alone.
fn built_in(dependencies: &[Dependency]) -> BTreeSet<PathBuf> {
    let built = dependencies.iter().filter(|dependency| !dependency.is_dev);
    built.filter_map(|dependency| dependency.path.as_ref()?.canonicalize().ok()).collect()
}

/// The crates that make queries, by their names in this crate's code.
fn renamed(dependencies: &[Dependency]) -> HashMap<String, String> {
    let named = dependencies.iter().filter_map(|dependency| {
        // A driver may be named in a different file from the one that gets its connection.
        let is_driver = is_driver(&dependency.package);
        // It has the same names.
        let package = if dependency.package == OURS_ON_08 { OURS } else { dependency.package.as_str() };
        let is_read = is_driver || matches!(package, "sqlx" | OURS);
        let is_named = is_driver || dependency.name != package.replace('-', "_");
        (is_read && is_named).then(|| (dependency.name.clone(), package.replace('-', "_")))
    });
    named.collect()
}

/// The crates whose features choose the database, in the order in which they are examined: a crate that enables one in sqlx
/// may have another library for something else.
const CHOOSERS: [&[&str]; 2] = [&["sqlx"], &["diesel", "diesel-async", "sea-orm"]];

/// The databases that features of one of these packages enable.
fn enabled(packages: &[&str], dependencies: &[Dependency]) -> Vec<Dialect> {
    let on = |features: fn(&Dependency) -> &[String]| {
        let chosen = dependencies.iter().filter(|it| packages.contains(&it.package.as_str()));
        let features: Vec<&str> = chosen.flat_map(features).map(String::as_str).collect();
        // SeaORM passes them on: `sqlx-postgres`.
        let is_on = |dialect: &Dialect| {
            features.iter().any(|it| it.trim_start_matches("sqlx-").starts_with(dialect.as_str()))
        };
        Dialect::ALL.into_iter().filter(is_on).collect::<Vec<_>>()
    };
    // A feature of the crate's own may enable the database: `mysql = ["sqlx/mysql"]`.
    Some(on(|it| &it.features)).filter(|it| !it.is_empty()).unwrap_or_else(|| on(|it| &it.switched))
}

/// The databases that a crate enables in sqlx, and those of its other drivers.
fn databases(dependencies: &[Dependency]) -> NamedDatabases {
    let [sqlx, orms] = CHOOSERS;
    let mut found = NamedDatabases { of_sqlx: enabled(sqlx, dependencies), ..NamedDatabases::default() };
    let of_drivers = dependencies.iter().filter_map(|it| drivers::database(&it.package));
    of_drivers.chain(enabled(orms, dependencies)).for_each(|dialect| found.add_driver(dialect));
    found
}

/// The database enabled in sqlx, Diesel or SeaORM, if there is exactly one; without them, that of a driver.
fn dialect(dependencies: &[Dependency]) -> Option<Dialect> {
    for packages in CHOOSERS {
        match enabled(packages, dependencies).as_slice() {
            [] => {}
            [only] => return Some(*only),
            _ => return None,
        }
    }
    if dependencies.iter().any(|it| it.package == "sqlx") {
        return None;
    }
    match databases(dependencies).of_drivers.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(package: &str, features: &[&str]) -> Dependency {
        Dependency {
            package: package.to_owned(),
            name: package.replace('-', "_"),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
            switched: Vec::new(),
            default_features: true,
            path: None,
            is_dev: false,
        }
    }

    #[test]
    fn features_tell_the_database() {
        for (dependencies, expected) in [
            (vec![on("diesel", &["postgres", "r2d2"])], Some(Dialect::Postgres)),
            (vec![on("diesel", &["mysql_backend"]), on("diesel-async", &["mysql"])], Some(Dialect::MySql)),
            (vec![on("diesel", &[]), on("diesel-async", &["postgres", "bb8"])], Some(Dialect::Postgres)),
            (vec![on("diesel", &["postgres", "sqlite"])], None),
            (vec![on("sea-orm", &["sqlx-postgres", "runtime-tokio-rustls"])], Some(Dialect::Postgres)),
            (vec![on("sea-orm", &["sqlx-sqlite", "sqlx-mysql"])], None),
            (vec![on("sqlx", &["sqlite"]), on("diesel", &["postgres"])], Some(Dialect::Sqlite)),
            (vec![on("sqlx", &["macros"]), on("rusqlite", &[])], None),
            (vec![on("diesel", &[]), on("tokio-postgres", &[])], Some(Dialect::Postgres)),
            (vec![on("rusqlite", &["bundled"])], Some(Dialect::Sqlite)),
            (vec![on("libsql-rusqlite", &[])], Some(Dialect::Sqlite)),
            (vec![on("libsql", &["core"]), on("rusqlite", &[])], Some(Dialect::Sqlite)),
            (vec![on("libsql", &[]), on("tokio-postgres", &[])], None),
            (vec![on("mysql_async", &[])], Some(Dialect::MySql)),
        ] {
            assert_eq!(dialect(&dependencies), expected, "{dependencies:?}");
        }
    }

    #[test]
    fn sqlx_and_other_drivers_may_have_different_databases() {
        let found = databases(&[on("sqlx", &["postgres"]), on("rusqlite", &[])]);
        assert_eq!((found.of_sqlx, found.of_drivers), (vec![Dialect::Postgres], vec![Dialect::Sqlite]));
        let found = databases(&[on("libsql", &[]), on("tokio-postgres", &[]), on("bb8-postgres", &[])]);
        assert_eq!(found.of_drivers, [Dialect::Sqlite, Dialect::Postgres]);
    }
}
