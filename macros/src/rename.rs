//! The paths of an expansion in a crate that knows `query-budget` under another name.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};

/// The tokens with `::query_budget` replaced by `::name`.
pub(crate) fn renamed(tokens: TokenStream, name: &str) -> TokenStream {
    let mut colons = 0;
    let rename = |token| match token {
        TokenTree::Punct(punct) if punct.as_char() == ':' => {
            colons += 1;
            TokenTree::Punct(punct)
        }
        token => {
            let rooted = std::mem::take(&mut colons) == 2;
            match token {
                TokenTree::Ident(ident) if rooted && ident == "query_budget" => {
                    TokenTree::Ident(Ident::new(name, ident.span()))
                }
                TokenTree::Group(group) => {
                    let mut inside = Group::new(group.delimiter(), renamed(group.stream(), name));
                    inside.set_span(group.span());
                    TokenTree::Group(inside)
                }
                token => token,
            }
        }
    };
    tokens.into_iter().map(rename).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_from_the_root_are_renamed() {
        let tokens: TokenStream =
            "::query_budget::sql!(a, { ::query_budget::x::query_budget }); query_budget"
                .parse()
                .expect("tokens");
        let expected: TokenStream =
            "::qb::sql!(a, { ::qb::x::query_budget }); query_budget".parse().expect("tokens");
        assert_eq!(renamed(tokens, "qb").to_string(), expected.to_string());
    }
}
