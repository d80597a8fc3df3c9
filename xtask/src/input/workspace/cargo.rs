//! A workspace as cargo describes it: its packages, their targets and dependencies.

use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand, Package, TargetKind};
use query_budget_analysis::project::{Dependency, switched};
use query_budget_analysis::rust::Target;

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
    let enabled = || package.features.values().flatten().map(String::as_str);
    let declared = package.dependencies.into_iter().map(|dependency| {
        let name = dependency.rename.unwrap_or_else(|| dependency.name.clone());
        Dependency {
            switched: switched(&name, enabled()),
            name: name.replace('-', "_"),
            package: dependency.name,
            features: dependency.features,
            default_features: dependency.uses_default_features,
            path: dependency.path.map(Into::into),
            is_dev: dependency.kind == DependencyKind::Development,
        }
    });
    let declared: Vec<Dependency> = declared.collect();
    Some(Crate {
        lib_name,
        targets,
        package: Some(package.name.to_string()),
        ..Crate::depending(dir, &declared)
    })
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
