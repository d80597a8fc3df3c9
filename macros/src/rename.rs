//! Changes an expansion for crates that are unlike others: the paths, where they depend on `query-budget` under another
//! name, and attributes, where they do without the prelude.

use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};

/// The keywords behind which a path may begin.
const BEFORE_PATHS: [&str; 12] =
    ["as", "async", "const", "dyn", "else", "for", "impl", "in", "match", "move", "mut", "return"];

/// The tokens with `::query_budget` replaced by `::name`.
pub(crate) fn renamed(tokens: TokenStream, name: &str) -> TokenStream {
    let mut before = Before::Nothing;
    let mut renamed = Vec::new();
    for token in tokens {
        let (token, now) = match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                let is_first = punct.spacing() == Spacing::Joint;
                let now = match before {
                    Before::Nothing | Before::Root if is_first => Before::Colon,
                    Before::Path if is_first => Before::ColonOfPath,
                    Before::Colon => Before::Root,
                    Before::ColonOfPath => Before::Path,
                    // The colon before a type.
                    _ => Before::Nothing,
                };
                (TokenTree::Punct(punct), now)
            }
            TokenTree::Ident(ident) if before == Before::Root && ident == "query_budget" => {
                (Ident::new(name, ident.span()).into(), Before::Path)
            }
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), self::renamed(group.stream(), name));
                inside.set_span(group.span());
                (inside.into(), Before::Nothing)
            }
            TokenTree::Ident(ident) if BEFORE_PATHS.iter().any(|word| ident == *word) => {
                (ident.into(), Before::Nothing)
            }
            token @ TokenTree::Ident(_) => (token, Before::Path),
            token => (token, Before::Nothing),
        };
        before = now;
        renamed.push(token);
    }
    renamed.into_iter().collect()
}

/// The tokens without attributes that word the compiler's messages: without the prelude, it does not know them.
pub(crate) fn without_explanations(tokens: TokenStream) -> TokenStream {
    let mut left: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = token else {
            left.push(token);
            continue;
        };
        let is_attribute = matches!(left.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
        let first = group.stream().into_iter().next();
        if is_attribute && matches!(first, Some(TokenTree::Ident(ident)) if ident == "diagnostic") {
            left.pop();
            continue;
        }
        let mut inside = Group::new(group.delimiter(), without_explanations(group.stream()));
        inside.set_span(group.span());
        left.push(inside.into());
    }
    left.into_iter().collect()
}

/// The preceding tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// The first of two colons that do not follow a path.
    Colon,
    /// The first of two colons that follow a path.
    ColonOfPath,
    /// Two colons: a path from the root.
    Root,
    /// A path, or its colons.
    Path,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_need_the_prelude_are_left_out() {
        let tokens: TokenStream = "{ #[diagnostic::do_not_recommend] impl A for B {} #[inline] fn f() {} }"
            .parse()
            .expect("tokens");
        let expected: TokenStream = "{ impl A for B {} #[inline] fn f() {} }".parse().expect("tokens");
        assert_eq!(without_explanations(tokens).to_string(), expected.to_string());
    }

    #[test]
    fn only_paths_from_the_root_are_renamed() {
        let tokens: TokenStream =
            "::query_budget::sql!(a: ::query_budget::A, { ::query_budget::x::query_budget }); query_budget; <_ as ::query_budget::B>::c"
                .parse()
                .expect("tokens");
        let expected: TokenStream =
            "::qb::sql!(a: ::qb::A, { ::qb::x::query_budget }); query_budget; <_ as ::qb::B>::c"
                .parse()
                .expect("tokens");
        assert_eq!(renamed(tokens, "qb").to_string(), expected.to_string());
    }
}
