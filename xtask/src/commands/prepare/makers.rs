//! Macros in the source that make queries: their expansions are not visible, and the entries that they need
//! must not be taken for dead.

use std::path::{Path, PathBuf};

use query_budget_analysis::project::{read, workspace_root};

use crate::failure::Failure;
use crate::input::workspace;

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
/// on.
pub(super) fn find(path: &Path) -> Result<Option<PathBuf>, Failure> {
    let crates = workspace::sources(path)?;
    let root = workspace_root(path);
    let dependencies = crates.iter().flat_map(|it| it.dependencies()).filter(|dir| !dir.starts_with(path));
    let dependencies: Vec<PathBuf> =
        dependencies.filter(|dir| dir.starts_with(&root)).map(Path::to_path_buf).collect();
    let mut files: Vec<PathBuf> = crates.into_iter().flat_map(|it| it.files).collect();
    for dir in dependencies {
        files.extend(workspace::sources(&dir)?.into_iter().flat_map(|it| it.files));
    }
    Ok(files.into_iter().find(|file| read(file).is_ok_and(|text| makes_queries(&text))))
}

/// Whether a text defines a macro, or quotes tokens, that call a macro of sqlx.
fn makes_queries(text: &str) -> bool {
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
    use super::makes_queries;

    #[test]
    fn a_macro_that_calls_one_of_sqlx_makes_queries() {
        assert!(makes_queries("macro_rules! all { ($t:ident) => { sqlx::query_as!($t, \"SELECT 1\") } }"));
        assert!(makes_queries("fn f() { quote! { ::sqlx::query!(#sql) } }"));
        assert!(!makes_queries("macro_rules! m { () => { 1 } } fn f() { sqlx::query!(\"SELECT 1\"); }"));
        assert!(!makes_queries("macro_rules! m { () => { my_query!() } }"));
    }
}
