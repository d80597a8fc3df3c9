//! What a crate depends on, as far as it says something of the crate's queries.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use query_budget_analysis::project::Dependency;
use query_budget_analysis::rust::is_driver;
use query_budget_analysis::sql::Dialect;

use super::Crate;

impl Crate {
    /// A crate in a folder of which nothing is known but what it depends on.
    pub(super) fn depending(dir: PathBuf, dependencies: &[Dependency]) -> Crate {
        Crate {
            dependencies: folders(dependencies),
            renamed: renamed(dependencies),
            dialect: dialect(dependencies),
            ..Crate::folder(dir)
        }
    }
}

/// The name by which code knows a dependency, where it is not the package's own.
fn rename(dependency: &Dependency) -> Option<&String> {
    Some(&dependency.name).filter(|name| **name != dependency.package.replace('-', "_"))
}

/// The folders of those that stand on this machine, each with the name it is renamed to.
fn folders(dependencies: &[Dependency]) -> BTreeMap<PathBuf, Option<String>> {
    let here = dependencies.iter().filter_map(|dependency| {
        let dir = dependency.path.as_ref()?.canonicalize().ok()?;
        Some((dir, rename(dependency).cloned()))
    });
    here.collect()
}

/// The crates that make queries, by their names in this crate's code.
fn renamed(dependencies: &[Dependency]) -> HashMap<String, String> {
    let named = dependencies.iter().filter_map(|dependency| {
        // A driver may be named in another file than the one that is given its connection.
        let is_driver = is_driver(&dependency.package);
        let is_read = is_driver || matches!(dependency.package.as_str(), "sqlx" | "query-budget");
        let is_named = is_driver || rename(dependency).is_some();
        (is_read && is_named).then(|| (dependency.name.clone(), dependency.package.replace('-', "_")))
    });
    named.collect()
}

/// The database enabled in sqlx, if there is exactly one; without sqlx, that of another driver.
fn dialect(dependencies: &[Dependency]) -> Option<Dialect> {
    if !dependencies.iter().any(|dependency| dependency.package == "sqlx") {
        let of = |names: &[&str]| dependencies.iter().any(|it| names.contains(&it.package.as_str()));
        let postgres =
            of(&["postgres", "tokio-postgres", "deadpool-postgres", "bb8-postgres", "r2d2_postgres"]);
        let sqlite = of(&["rusqlite", "tokio-rusqlite", "r2d2_sqlite", "deadpool-sqlite", "async-sqlite"]);
        return match (postgres, sqlite) {
            (true, false) => Some(Dialect::Postgres),
            (false, true) => Some(Dialect::Sqlite),
            _ => None,
        };
    }
    let sqlx: Vec<&Dependency> = dependencies.iter().filter(|it| it.package == "sqlx").collect();
    let on = |features: fn(&Dependency) -> &[String]| {
        let is_on = |dialect: &Dialect| {
            sqlx.iter().flat_map(|sqlx| features(sqlx)).any(|feature| feature.starts_with(dialect.as_str()))
        };
        Dialect::ALL.into_iter().filter(is_on).collect::<Vec<_>>()
    };
    let mut enabled = on(|sqlx| &sqlx.features);
    // A feature of the crate's own may enable the database: `mysql = ["sqlx/mysql"]`.
    if enabled.is_empty() {
        enabled = on(|sqlx| &sqlx.switched);
    }
    enabled.pop().filter(|_| enabled.is_empty())
}
