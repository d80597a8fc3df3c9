//! Macros in the source that make queries: their expansions are not visible, and the entries that they need
//! must not be taken for dead.

use std::path::{Path, PathBuf};

use query_budget_analysis::project::{read, shown, workspace_root};

use super::workspace;
use crate::failure::Failure;

/// What makes queries that do not appear in the source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Maker {
    /// A macro in a file of the source.
    File(PathBuf),
    /// The macros of a dependency.
    Package(String),
}

impl Maker {
    /// For display, before "makes queries".
    pub(crate) fn shown(&self, base: &Path) -> String {
        match self {
            Maker::File(file) => format!("a macro in `{}`", shown(file, base)),
            Maker::Package(name) => format!("the package `{name}` has macros and"),
        }
    }
}

/// The macros of sqlx whose queries have entries.
const QUERIES: [&str; 6] = [
    "query!",
    "query_as!",
    "query_scalar!",
    "query_unchecked!",
    "query_as_unchecked!",
    "query_scalar_unchecked!",
];

/// The first file with such a macro in the crates of `path`, or in crates of its workspace that they depend
/// on; else a dependency with such macros.
pub(crate) fn find(path: &Path) -> Result<Option<Maker>, Failure> {
    let crates = workspace::sources(path)?;
    let root = workspace_root(path);
    let dependencies = crates.iter().flat_map(|it| it.dependencies()).filter(|dir| !dir.starts_with(path));
    let dependencies: Vec<PathBuf> =
        dependencies.filter(|dir| dir.starts_with(&root)).map(Path::to_path_buf).collect();
    let mut files: Vec<PathBuf> = crates.into_iter().flat_map(|it| it.files).collect();
    for dir in dependencies {
        files.extend(workspace::sources(&dir)?.into_iter().flat_map(|it| it.files));
    }
    let found = files.into_iter().find(|file| read(file).is_ok_and(|text| makes_queries(&text)));
    Ok(found.map(Maker::File).or_else(|| package(path)))
}

/// A dependency of the packages around a folder that depends on sqlx and on macros of its own, by the lock file.
pub(crate) fn package(dir: &Path) -> Option<Maker> {
    let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|path| path.is_file())?;
    package_of(&read(&lock).ok()?).map(Maker::Package)
}

fn package_of(lock: &str) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    let packages = lock.get("package")?.as_array()?;
    let name = |package: &toml::Value| package.get("name").and_then(|name| name.as_str()).map(str::to_owned);
    let depends = |package: &toml::Value| -> Vec<String> {
        let all = package.get("dependencies").and_then(|it| it.as_array()).into_iter().flatten();
        all.filter_map(|it| Some(it.as_str()?.split(' ').next()?.to_owned())).collect()
    };
    // The packages of the workspace have no source.
    let own = packages.iter().filter(|package| package.get("source").is_none());
    let named: Vec<String> = own.flat_map(depends).collect();
    let makes = |package: &&toml::Value| {
        let (Some(name), all) = (name(package), depends(package)) else { return false };
        let is_macro = |of: &String| {
            of.starts_with(name.as_str()) && ["macro", "derive"].iter().any(|part| of.contains(part))
        };
        let is_orm = name.starts_with("sqlx") || name.starts_with("sea-orm");
        !is_orm && named.contains(&name) && all.iter().any(|it| it == "sqlx") && all.iter().any(is_macro)
    };
    packages.iter().filter(|package| package.get("source").is_some()).find(makes).and_then(name)
}

/// Whether a text defines a macro, or quotes tokens, that call a macro of sqlx.
pub(crate) fn makes_queries(text: &str) -> bool {
    ["macro_rules!", "quote!", "quote_spanned!"].iter().any(|maker| {
        text.match_indices(maker).any(|(at, _)| {
            let body = body(text.get(at + maker.len()..).unwrap_or_default());
            QUERIES.iter().any(|name| calls(body, name))
        })
    })
}

/// The text between the first bracket and its closing one.
fn body(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth <= 1 => return text.get(..at).unwrap_or_default(),
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// Whether a macro with that name is called, allowing spaces before its `!`.
fn calls(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::{makes_queries, package_of};

    #[test]
    fn macros_of_a_dependency_that_depends_on_sqlx_may_make_queries() {
        let lock = |of: &str, depends: &str| {
            format!(
                "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"{of}\", \"sqlx\"]\n\
                 [[package]]\nname = \"{of}\"\nversion = \"1.0.0\"\nsource = \"registry\"\ndependencies = [{depends}]\n"
            )
        };
        let own = lock("es-entity", "\"es-entity-macros 0.5.0\", \"sqlx\"");
        assert_eq!(package_of(&own).as_deref(), Some("es-entity"));
        for (of, depends) in [
            ("sessions", "\"async-trait\", \"sqlx\""),
            ("sqlx", "\"sqlx-core\", \"sqlx-macros\""),
            ("sea-orm", "\"sea-orm-macros\", \"sqlx\""),
            ("serde", "\"serde_derive\""),
        ] {
            assert_eq!(package_of(&lock(of, depends)), None, "{of}");
        }
    }

    #[test]
    fn a_macro_that_calls_one_of_sqlx_makes_queries() {
        assert!(makes_queries("macro_rules! all { ($t:ident) => { sqlx::query_as!($t, \"SELECT 1\") } }"));
        assert!(makes_queries("fn f() { quote! { ::sqlx::query!(#sql) } }"));
        assert!(!makes_queries("macro_rules! m { () => { 1 } } fn f() { sqlx::query!(\"SELECT 1\"); }"));
        assert!(!makes_queries("macro_rules! m { () => { my_query!() } }"));
    }
}
