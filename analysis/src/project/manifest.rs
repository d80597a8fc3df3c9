//! What a `Cargo.toml` says that a project is found by: its workspace, and the name under which a package is a dependency.

use std::path::Path;

use toml::{Table, Value};

/// A `Cargo.toml`.
pub(super) struct Manifest(Table);

impl Manifest {
    /// The manifest in `dir`; `None` where there is none that can be read.
    pub(super) fn read(dir: &Path) -> Option<Manifest> {
        let text = super::read(&dir.join("Cargo.toml")).ok()?;
        text.parse().ok().map(Manifest)
    }

    /// Whether the workspace whose root it is, in `root`, leaves the package in `package` in; `None` when it is no root.
    pub(super) fn has_in_workspace(&self, root: &Path, package: &Path) -> Option<bool> {
        let excluded = self.0.get("workspace")?.get("exclude").and_then(Value::as_array);
        let mut excluded = excluded.into_iter().flatten().filter_map(Value::as_str);
        Some(!excluded.any(|path| package.starts_with(root.join(path))))
    }

    /// The dependencies of every kind and target, by the name they have in the source.
    fn dependencies(&self) -> impl Iterator<Item = (&String, &Value)> {
        let targets = self.0.get("target").and_then(Value::as_table);
        let targets = targets.into_iter().flat_map(|targets| targets.values()).filter_map(Value::as_table);
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        std::iter::once(&self.0)
            .chain(targets)
            .flat_map(move |table| kinds.into_iter().filter_map(|kind| table.get(kind)?.as_table()).flatten())
    }

    /// A dependency as the workspace declares it for its members.
    fn of_workspace(&self, name: &str) -> Option<&Value> {
        self.0.get("workspace")?.get("dependencies")?.get(name)
    }
}

/// A dependency as a package declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name by which the source knows it.
    pub name: String,
    /// The features that are asked of it, by the package or its workspace.
    pub features: Vec<String>,
    /// Whether its default features are wanted.
    pub default_features: bool,
}

/// How the package in `dir`, whose workspace's root is `root`, declares its dependency on `package`.
pub fn dependency(dir: &Path, root: &Path, package: &str) -> Option<Dependency> {
    let manifest = Manifest::read(dir)?;
    let workspace = if root == dir { None } else { Manifest::read(root) };
    let workspace = workspace.as_ref().unwrap_or(&manifest);
    manifest.dependencies().find_map(|(name, declared)| {
        let inherited = declared.get("workspace").and_then(Value::as_bool) == Some(true);
        let inherited = inherited.then(|| workspace.of_workspace(name)).flatten();
        let renamed = inherited.unwrap_or(declared).get("package").and_then(Value::as_str);
        if renamed.unwrap_or(name) != package {
            return None;
        }
        let both = [Some(declared), inherited].into_iter().flatten();
        let features = both.clone().filter_map(|table| table.get("features")?.as_array()).flatten();
        let wants_none =
            |table: &Value| table.get("default-features").and_then(Value::as_bool) == Some(false);
        Some(Dependency {
            name: name.replace('-', "_"),
            features: features.filter_map(Value::as_str).map(str::to_owned).collect(),
            default_features: !wants_none(inherited.unwrap_or(declared)),
        })
    })
}
