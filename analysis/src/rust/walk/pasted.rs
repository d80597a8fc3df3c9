//! Names that `paste!` makes of parts: `[<get_ $name>]`.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// How deep groups may be nested; what is deeper stays as it is.
const MAX_GROUP_DEPTH: usize = 64;

/// Whether a macro of this name, which is not one of the project's own, makes names of parts.
pub(in crate::rust) fn pastes(name: &str) -> bool {
    name == "paste"
}

/// The code that `paste!` makes of its tokens.
pub(in crate::rust) fn pasted(tokens: TokenStream) -> TokenStream {
    written(tokens, 0)
}

fn written(tokens: TokenStream, depth: usize) -> TokenStream {
    if depth > MAX_GROUP_DEPTH {
        return tokens;
    }
    let write = |token| match token {
        TokenTree::Group(group) => name_of(&group).map_or_else(
            || {
                let mut inner = Group::new(group.delimiter(), written(group.stream(), depth + 1));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            },
            TokenTree::Ident,
        ),
        token => token,
    };
    tokens.into_iter().map(write).collect()
}

/// The name that `[< .. >]` stands for.
fn name_of(group: &Group) -> Option<Ident> {
    let is =
        |token: Option<&TokenTree>, sign| matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == sign);
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let parts = tokens.get(1..tokens.len().checked_sub(1)?)?;
    if group.delimiter() != Delimiter::Bracket || !is(tokens.first(), '<') || !is(tokens.last(), '>') {
        return None;
    }
    let mut name = String::new();
    let mut part = String::new();
    let mut parts = parts.iter();
    while let Some(token) = parts.next() {
        if is(Some(token), ':') {
            let TokenTree::Ident(modifier) = parts.next()? else { return None };
            part = modified(&part, &modifier.to_string())?;
            continue;
        }
        name.push_str(&part);
        part = text_of(token)?;
    }
    name.push_str(&part);
    let mut ident: Ident = syn::parse_str(&name).or_else(|_| syn::parse_str(&format!("r#{name}"))).ok()?;
    ident.set_span(group.span());
    Some(ident)
}

/// A part of a name: a name, a number, or what a text says.
fn text_of(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(name) => Some(name.to_string().trim_start_matches("r#").to_owned()),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
            Some(text.replace('-', "_"))
        }
        // What a variable of a macro stands for.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inner = group.stream().into_iter();
            let only = inner.next()?;
            if inner.next().is_some() { None } else { text_of(&only) }
        }
        TokenTree::Group(_) | TokenTree::Punct(_) => None,
    }
}

/// A part in the case that a modifier asks for.
fn modified(part: &str, modifier: &str) -> Option<String> {
    match modifier {
        "lower" => Some(part.to_lowercase()),
        "upper" => Some(part.to_uppercase()),
        "snake" => {
            let mut out = String::new();
            for (before, c) in after_each(part) {
                if c.is_uppercase() && before != '_' {
                    out.push('_');
                }
                out.extend(c.to_lowercase());
            }
            Some(out)
        }
        "camel" | "upper_camel" => {
            let mut out = String::new();
            for (before, c) in after_each(part).filter(|(_, c)| *c != '_') {
                match before {
                    '_' => out.extend(c.to_uppercase()),
                    before if before.is_uppercase() => out.extend(c.to_lowercase()),
                    _ => out.push(c),
                }
            }
            Some(out)
        }
        _ => None,
    }
}

/// Each letter with the one before it.
fn after_each(part: &str) -> impl Iterator<Item = (char, char)> {
    std::iter::once('_').chain(part.chars()).zip(part.chars())
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::pasted;

    #[test]
    fn names_are_made_of_their_parts() {
        for (written, expected) in [
            ("fn [<get_ user>]() {}", "fn get_user () { }"),
            ("struct [< DB OrderId >];", "struct DBOrderId ;"),
            ("[<OrderItem:snake _ID:lower>]()", "order_item_id ()"),
            ("[<order_item:camel>]::[<HTTPStatus:camel>]", "OrderItem :: Httpstatus"),
            ("[<order:upper _ 1 \"a-b\">]", "ORDER_1a_b"),
            ("[<r#type _of>] + [<ty pe>]", "type_of + r#type"),
            ("f([x, [<a b>]])", "f ([x , ab])"),
        ] {
            let tokens = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(pasted(tokens).to_string(), expected, "{written}");
        }
    }

    #[test]
    fn other_groups_stay_as_they_are() {
        for written in ["[<T as Id>::NEW]", "[<a:unknown>]", "[<>]", "[<(a)>]", "[a < b, c > d]"] {
            let tokens: TokenStream = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(pasted(tokens.clone()).to_string(), tokens.to_string());
        }
    }
}
