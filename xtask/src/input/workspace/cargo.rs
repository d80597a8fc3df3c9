//! What cargo says of a workspace: its packages, their targets and what they depend on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use query_budget_analysis::rust::Target;
use query_budget_analysis::sql::Dialect;
use serde::Deserialize;

use super::Crate;
use crate::failure::Failure;

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct CargoTarget {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    features: Vec<String>,
    rename: Option<String>,
    /// The folder of a package on this machine.
    path: Option<PathBuf>,
}

impl Package {
    /// The package as a crate, unless its folder is gone.
    fn into_crate(self) -> Option<Crate> {
        let dir = self.manifest_path.canonicalize().ok()?.parent()?.to_path_buf();
        let is_lib = |kind: &str| kind.ends_with("lib") || kind == "proc-macro";
        let mut lib_name = None;
        let mut targets = Vec::new();
        // A build script stands at the root of its crate, and below that is everything.
        for target in
            self.targets.iter().filter(|target| target.kind.iter().all(|kind| kind != "custom-build"))
        {
            let Ok(root) = target.src_path.canonicalize() else { continue };
            let is_lib = target.kind.iter().any(|kind| is_lib(kind));
            if is_lib {
                lib_name = Some(target.name.replace('-', "_"));
            }
            let is_test = target.kind.iter().any(|kind| matches!(kind.as_str(), "test" | "bench"));
            targets.push(Target { root, is_lib, is_test });
        }
        let dialect = dialect(&self.dependencies);
        let dependencies = self.dependencies.into_iter().filter_map(|dependency| {
            let dir = dependency.path?.canonicalize().ok()?;
            Some((dir, dependency.rename.map(|name| name.replace('-', "_"))))
        });
        let dependencies: BTreeMap<_, _> = dependencies.collect();
        Some(Crate { dir, lib_name, targets, dependencies, dialect })
    }
}

/// The database that sqlx is built for, where it is one.
fn dialect(dependencies: &[Dependency]) -> Option<Dialect> {
    let sqlx = dependencies.iter().filter(|dependency| dependency.name == "sqlx");
    let features: Vec<&str> = sqlx.flat_map(|sqlx| &sqlx.features).map(String::as_str).collect();
    let is_on = |dialect: &Dialect| features.iter().any(|feature| feature.starts_with(dialect.as_str()));
    let mut on = Dialect::ALL.into_iter().filter(is_on);
    on.next().filter(|_| on.next().is_none())
}

/// The workspace's members when `dir` is its root, else the members below `dir`.
pub(super) fn members(dir: &Path) -> Result<Vec<Crate>, Failure> {
    let failed =
        || Failure::new(format!("ask cargo for the members of the workspace at `{}`", dir.display()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        // A toolchain file in the project's folder would choose a cargo that may not be installed.
        .current_dir(std::env::temp_dir())
        .output()
        .map_err(|error| failed().because(error))?;
    if !output.status.success() {
        return Err(failed().because(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).map_err(|error| failed().because(error))?;
    let at_root = metadata.workspace_root.canonicalize().is_ok_and(|root| root == dir);
    let members = metadata.packages.into_iter().filter_map(Package::into_crate);
    Ok(members.filter(|member| at_root || member.dir.starts_with(dir)).collect())
}
