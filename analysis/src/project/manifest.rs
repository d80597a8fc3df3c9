//! The parts of a `Cargo.toml` that locate a project: its workspace, and the name under which it depends on a
//! package.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// A `Cargo.toml`.
pub(super) struct Manifest(Table);

impl Manifest {
    /// The manifest in `dir`; `None` if there is none or it cannot be read.
    pub(super) fn read(dir: &Path) -> Option<Manifest> {
        let text = super::read(&dir.join("Cargo.toml")).ok()?;
        text.parse().ok().map(Manifest)
    }

    /// Whether the workspace with this manifest, rooted at `root`, includes the package in `package`; `None`
    /// if this is not a workspace root.
    pub(super) fn has_in_workspace(&self, root: &Path, package: &Path) -> Option<bool> {
        let excluded = self.0.get("workspace")?.get("exclude").and_then(Value::as_array);
        let mut excluded = excluded.into_iter().flatten().filter_map(Value::as_str);
        Some(!excluded.any(|path| package.starts_with(root.join(path))))
    }

    /// All dependencies, of any kind and target, by their name in the source, each with whether only tests and examples have it.
    fn dependencies(&self) -> impl Iterator<Item = (&String, &Value, bool)> {
        let targets = self.0.get("target").and_then(Value::as_table);
        let targets = targets.into_iter().flat_map(|targets| targets.values()).filter_map(Value::as_table);
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        std::iter::once(&self.0).chain(targets).flat_map(move |table| {
            let of_kind = |kind| Some((table.get(kind)?.as_table()?, kind == "dev-dependencies"));
            let declared = kinds.into_iter().filter_map(of_kind);
            declared.flat_map(|(table, is_dev)| table.iter().map(move |(name, value)| (name, value, is_dev)))
        })
    }

    /// What the package's own features enable.
    fn features(&self) -> impl Iterator<Item = &str> {
        let features = self.0.get("features").and_then(Value::as_table);
        let enabled = features.into_iter().flat_map(|features| features.values());
        enabled.filter_map(Value::as_array).flatten().filter_map(Value::as_str)
    }

    /// A dependency as declared in `[workspace.dependencies]`.
    fn of_workspace(&self, name: &str) -> Option<&Value> {
        self.0.get("workspace")?.get("dependencies")?.get(name)
    }
}

/// A dependency as a package declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package's own name.
    pub package: String,
    /// Its name in the source.
    pub name: String,
    /// The features enabled by the package or its workspace.
    pub features: Vec<String>,
    /// Those of its features that features of the package enable: `mysql = ["sqlx/mysql"]`.
    pub switched: Vec<String>,
    /// Whether its default features are enabled.
    pub default_features: bool,
    /// Its folder; `None` where it comes from elsewhere.
    pub path: Option<PathBuf>,
    /// Whether only the package's tests and examples have it.
    pub is_dev: bool,
}

/// Those of a dependency's features that a package's features enable, given what these enable: `sqlx/mysql`, `sqlx?/mysql`.
pub fn switched<'f>(dependency: &str, features: impl Iterator<Item = &'f str>) -> Vec<String> {
    let of_dependency = |feature: &'f str| {
        let (package, feature) = feature.split_once('/')?;
        (package.trim_end_matches('?') == dependency).then(|| feature.to_owned())
    };
    features.filter_map(of_dependency).collect()
}

/// How the package in `dir` declares its dependency on `package`; `root` is the root of its workspace.
pub fn dependency(dir: &Path, root: &Path, package: &str) -> Option<Dependency> {
    dependencies(dir, root).into_iter().find(|dependency| dependency.package == package)
}

/// The package that provides the macros, on sqlx 0.9.
pub const OURS: &str = "query-budget";
/// The package that provides the macros on sqlx 0.8.
pub const OURS_ON_08: &str = "query-budget-sqlx-08";

/// How the package in `dir` declares its dependency on one of those that provide the macros.
pub fn dependency_on_ours(dir: &Path, root: &Path) -> Option<Dependency> {
    let mut declared = dependencies(dir, root);
    // The first one has no macros beside another version of sqlx.
    let at = declared.iter().position(|it| it.package == OURS_ON_08);
    at.or_else(|| declared.iter().position(|it| it.package == OURS)).map(|at| declared.swap_remove(at))
}

/// What the package in `dir` depends on, whose workspace's root is `root`, as its manifest says; nothing where that cannot be
/// read.
pub fn dependencies(dir: &Path, root: &Path) -> Vec<Dependency> {
    let Some(manifest) = Manifest::read(dir) else { return Vec::new() };
    let workspace = if root == dir { None } else { Manifest::read(root) };
    let workspace = workspace.as_ref().unwrap_or(&manifest);
    let dependency = |(name, declared, is_dev): (&String, &Value, bool)| {
        let inherited = declared.get("workspace").and_then(Value::as_bool) == Some(true);
        let inherited = inherited.then(|| workspace.of_workspace(name)).flatten();
        let declaring = inherited.unwrap_or(declared);
        let package = declaring.get("package").and_then(Value::as_str).unwrap_or(name);
        let both = [Some(declared), inherited].into_iter().flatten();
        let features = both.filter_map(|table| table.get("features")?.as_array()).flatten();
        let base = if inherited.is_some() { root } else { dir };
        Dependency {
            package: package.to_owned(),
            name: name.replace('-', "_"),
            features: features.filter_map(Value::as_str).map(str::to_owned).collect(),
            switched: switched(name, manifest.features()),
            default_features: declaring.get("default-features").and_then(Value::as_bool) != Some(false),
            path: declaring.get("path").and_then(Value::as_str).map(|path| base.join(path)),
            is_dev,
        }
    };
    manifest.dependencies().map(dependency).collect()
}
