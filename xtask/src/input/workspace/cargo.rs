//! A workspace as cargo describes it: its packages, their targets and dependencies.

use std::collections::BTreeMap;
use std::path::Path;

use cargo_metadata::{Dependency, MetadataCommand, Package, TargetKind};
use query_budget_analysis::rust::{Target, is_driver};
use query_budget_analysis::sql::Dialect;

use super::Crate;
use crate::failure::Failure;

/// A package as a crate, unless its folder does not exist.
fn into_crate(package: Package) -> Option<Crate> {
    let dir = package.manifest_path.canonicalize().ok()?.parent()?.to_path_buf();
    let mut lib_name = None;
    let mut targets = Vec::new();
    // A build script is at the root of its crate, so that everything would count as below it.
    for target in package.targets.iter().filter(|target| !target.is_custom_build()) {
        let Ok(root) = target.src_path.canonicalize() else { continue };
        let is_lib = target.kind.iter().any(is_lib);
        if is_lib {
            lib_name = Some(target.name.replace('-', "_"));
        }
        targets.push(Target { root, is_lib, is_test: target.is_test() || target.is_bench() });
    }
    let package_name = package.name.to_string();
    let dialect = dialect(&package.dependencies);
    // Calls into crates of the workspace are followed by the names that this crate gives them.
    let renamed = package.dependencies.iter().filter_map(|dependency| {
        // A driver may be named in a different file from the one that uses its connection.
        let is_driver = is_driver(&dependency.name);
        let name = dependency.rename.as_ref().or(is_driver.then_some(&dependency.name))?;
        let is_read = is_driver || matches!(dependency.name.as_str(), "sqlx" | "query-budget");
        is_read.then(|| (name.replace('-', "_"), dependency.name.replace('-', "_")))
    });
    let renamed = renamed.collect();
    let dependencies = package.dependencies.into_iter().filter_map(|dependency| {
        let dir = dependency.path?.canonicalize().ok()?;
        Some((dir, dependency.rename.map(|name| name.replace('-', "_"))))
    });
    let dependencies: BTreeMap<_, _> = dependencies.collect();
    let package = Some(package_name);
    Some(Crate { dir, package, lib_name, targets, dependencies, renamed, dialect })
}

/// Whether other crates can use the declarations of a target of this kind.
fn is_lib(kind: &TargetKind) -> bool {
    matches!(
        kind,
        TargetKind::Lib
            | TargetKind::RLib
            | TargetKind::DyLib
            | TargetKind::CDyLib
            | TargetKind::StaticLib
            | TargetKind::ProcMacro
    )
}

/// The database enabled in sqlx, if there is exactly one; without sqlx, that of another driver.
fn dialect(dependencies: &[Dependency]) -> Option<Dialect> {
    if !dependencies.iter().any(|dependency| dependency.name == "sqlx") {
        let of = |names: &[&str]| dependencies.iter().any(|it| names.contains(&it.name.as_str()));
        let postgres =
            of(&["postgres", "tokio-postgres", "deadpool-postgres", "bb8-postgres", "r2d2_postgres"]);
        let sqlite = of(&["rusqlite", "tokio-rusqlite", "r2d2_sqlite", "deadpool-sqlite", "async-sqlite"]);
        return match (postgres, sqlite) {
            (true, false) => Some(Dialect::Postgres),
            (false, true) => Some(Dialect::Sqlite),
            _ => None,
        };
    }
    let sqlx = dependencies.iter().filter(|dependency| dependency.name == "sqlx");
    let features: Vec<&str> = sqlx.flat_map(|sqlx| &sqlx.features).map(String::as_str).collect();
    let is_on = |dialect: &Dialect| features.iter().any(|feature| feature.starts_with(dialect.as_str()));
    let mut on = Dialect::ALL.into_iter().filter(is_on);
    on.next().filter(|_| on.next().is_none())
}

/// The workspace's members if `dir` is its root, else the members below `dir`.
pub(super) fn members(dir: &Path) -> Result<Vec<Crate>, Failure> {
    let failed =
        || Failure::new(format!("ask cargo for the members of the workspace at `{}`", dir.display()));
    let metadata = MetadataCommand::new()
        .manifest_path(dir.join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        // A toolchain file in the project's folder might select a cargo that is not installed.
        .current_dir(std::env::temp_dir())
        .exec()
        .map_err(|error| failed().because(error))?;
    let at_root = metadata.workspace_root.canonicalize().is_ok_and(|root| root == dir);
    let members = metadata.packages.into_iter().filter_map(into_crate);
    Ok(members.filter(|member| at_root || member.dir.starts_with(dir)).collect())
}
