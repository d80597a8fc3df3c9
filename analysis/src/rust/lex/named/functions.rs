//! The names of functions in a text, without its structure.

use crate::rust::lex::tokens::tokens;

/// The words behind `fn` and `as` in a text: the names of the functions that it declares, and those that imports give to functions,
/// are among them.
pub(in crate::rust) fn names_of_functions(text: &str) -> Vec<&str> {
    let found = text.match_indices("fn").chain(text.match_indices(" as "));
    let behind: Vec<&str> =
        found.filter_map(|(at, word)| Some(text.get(at + word.len()..)?.trim_start())).collect();
    // A comment may stand between the two.
    if behind.iter().any(|rest| rest.starts_with('/')) {
        let tokens = tokens(text);
        let names = tokens.windows(2).filter(|pair| pair[0].is("fn") || pair[0].is("as"));
        return names.map(|pair| pair[1].text).collect();
    }
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii();
    behind.into_iter().filter_map(|rest| rest.split(|c| !is_part(c)).next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declared_name_is_among_them() {
        for (text, expected) in [
            ("fn a() {} pub async fn\n  b<T>() {} fn\tc() {}", &["a", "b", "c"][..]),
            ("fn /* the /* old */ one */ d() {} fn // short\n e() {}", &["d", "e"]),
            ("use a::{b as f, c}; fn g() { 1 as usize }", &["f", "g"]),
            ("fn ünlocked() {} fn r#type() {}", &["ünlocked"]),
        ] {
            let found = names_of_functions(text);
            assert!(expected.iter().all(|name| found.contains(name)), "{text}: {found:?}");
        }
    }
}
