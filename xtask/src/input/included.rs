//! The files that Rust files include by `include!`, which are not modules of the crate.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use query_budget_analysis::project::read;

use super::rust_files::Text;
use super::workspace::Sources;

/// Adds the files that others include by `include!("..")`, unless they are Rust files of the crate anyway.
pub(super) fn add(crates: &[Sources], texts: &mut Vec<Text>, unread: &mut Vec<String>) {
    let mut known: HashSet<PathBuf> = texts.iter().map(|text| text.path.clone()).collect();
    let mut at = 0;
    while let Some(Text { owner, path, text, included_by }) = texts.get(at) {
        let folder = path.parent().unwrap_or(path);
        let manifest_dir = || crates.get(*owner).map(Sources::manifest_dir);
        let paths = text.match_indices("include!(").filter_map(|(from, word)| {
            let line = text.get(..from)?.rsplit('\n').next()?;
            if line.contains("//") {
                return None;
            }
            let named = named(text.get(from + word.len()..)?, manifest_dir)?;
            folder.join(named).canonicalize().ok()
        });
        let by = included_by.unwrap_or(at);
        let mut new: Vec<Text> = Vec::new();
        for path in paths {
            if !known.insert(path.clone()) {
                continue;
            }
            match read(&path) {
                Ok(text) => new.push(Text { owner: *owner, included_by: Some(by), path, text }),
                Err(error) => unread.push(error.to_string()),
            }
        }
        texts.append(&mut new);
        at += 1;
    }
}

/// The path that the argument of `include!` names: a literal, or one below the folder of the manifest,
/// `concat!(env!("CARGO_MANIFEST_DIR"), "/a.rs")`. What a build script writes is not there.
fn named<'d>(argument: &str, manifest_dir: impl FnOnce() -> Option<&'d Path>) -> Option<PathBuf> {
    let argument = argument.trim_start();
    if let Some(path) = literal(argument) {
        return Some(PathBuf::from(path));
    }
    let parts = argument.strip_prefix("concat!(")?.trim_start();
    let rest = parts.strip_prefix("env!(")?.trim_start().strip_prefix("\"CARGO_MANIFEST_DIR\"")?;
    let rest = rest.trim_start().strip_prefix(')')?.trim_start().strip_prefix(',')?.trim_start();
    let path = literal(rest)?;
    // A further part would be another name.
    let end = rest.get(path.len() + 2..)?.trim_start().trim_start_matches(',').trim_start();
    end.starts_with(')').then(|| manifest_dir().map(|dir| dir.join(path.trim_start_matches('/'))))?
}

/// The text of a literal at the start.
fn literal(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_where_they_are_written_out() {
        for (argument, path) in [
            ("\"a.rs\")", Some("a.rs")),
            (" \"../a.rs\" )", Some("../a.rs")),
            ("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/gen/a.rs\"))", Some("/crate/gen/a.rs")),
            ("concat!( env!( \"CARGO_MANIFEST_DIR\" ) , \"/a.rs\", ) )", Some("/crate/a.rs")),
            ("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/gen\", \"/a.rs\"))", None),
            ("concat!(env!(\"OUT_DIR\"), \"/a.rs\"))", None),
            ("concat!(env!(\"CARGO_MANIFEST_DIR\")", None),
            ("PATH)", None),
            ("", None),
        ] {
            let found = named(argument, || Some(Path::new("/crate")));
            assert_eq!(found.as_deref(), path.map(Path::new), "{argument}");
        }
    }
}
