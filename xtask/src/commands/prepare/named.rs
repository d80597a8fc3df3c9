//! Files of the source that no `mod` names: cargo builds none of them, so that sqlx writes no entries for their
//! queries.

use std::path::{Path, PathBuf};

use query_budget_analysis::project::{read, shown};

use crate::failure::Failure;
use crate::input::workspace;

/// The files below a folder that no target and no other file names, relative to `base`.
pub(super) fn unnamed(path: &Path, base: &Path) -> Result<Vec<String>, Failure> {
    let mut unnamed = Vec::new();
    for sources in workspace::sources(path)? {
        let texts: Vec<String> = sources.files.iter().filter_map(|file| read(file).ok()).collect();
        let is_root = |file: &PathBuf| {
            let by_place = ["src/lib.rs", "src/main.rs"].iter().any(|root| file.ends_with(root))
                || file.parent().is_some_and(|dir| dir.ends_with("src/bin"));
            by_place || sources.targets.iter().any(|target| target.root == *file)
        };
        // Only a module of the crate's own source is named by a `mod`.
        let source = sources.dir.join("src");
        let files = sources.files.iter().filter(|file| file.starts_with(&source) && !is_root(file));
        let files = files.filter(|file| !texts.iter().any(|text| names(text, file)));
        unnamed.extend(files.map(|file| shown(file, base)));
    }
    Ok(unnamed)
}

/// Whether a text may name a file: by `mod name;`, or by its path.
fn names(text: &str, file: &Path) -> bool {
    let stem =
        |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let is_mod = stem(file) == "mod";
    let module = if is_mod { file.parent().map(stem).unwrap_or_default() } else { stem(file) };
    let declares = text.match_indices("mod").any(|(at, word)| {
        let rest = text.get(at + word.len()..).unwrap_or_default();
        let name = rest.trim_start();
        let name = name.strip_prefix("r#").unwrap_or(name);
        rest.len() != name.len()
            && name.strip_prefix(&*module).is_some_and(|rest| rest.trim_start().starts_with(';'))
    });
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // A macro may declare every file of a folder.
    declares || !is_mod && text.contains(&*name) || text.contains("automod")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::names;

    #[test]
    fn a_file_is_named_by_its_module_or_its_path() {
        let named = |text: &str, file: &str| names(text, Path::new(file));
        assert!(named("pub mod orders;", "src/orders.rs"));
        assert!(named("mod r#orders ;", "src/orders/mod.rs"));
        assert!(named("#[path = \"old/orders.rs\"] mod now;", "src/old/orders.rs"));
        assert!(!named("mod orders_of; mod orders {} model orders;", "src/orders.rs"));
        assert!(!named("mod a;", "src/mod.rs"));
    }
}
