//! The name of an output column: its field, and overrides of its type.

use proc_macro2::{Ident, Span};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Token, Type};

/// The parsed name of an output column.
pub(crate) struct Declared {
    pub(crate) field: Ident,
    /// Whether it is an `Option`, if the name says so.
    pub(crate) nullable: Option<bool>,
    /// Its type, if the name says so.
    pub(crate) ty: Option<DeclaredType>,
}

/// A type in the name of a column.
pub(crate) enum DeclaredType {
    /// `"id: _"`: the type of the struct's field.
    OfField,
    /// `"id: T"`.
    Exact(Box<Type>),
}

/// Parses the name of an output column, `id`, `id!`, `id?: Uuid`; the error says why it names no field.
/// Tokens get `span`.
pub(crate) fn declared(name: &str, span: Span) -> Result<Declared, String> {
    let end = name.find([':', '!', '?']).unwrap_or(name.len());
    let (field, overrides) = name.split_at(end);
    let field = ident(field, span).ok_or_else(|| match field.is_empty() {
        true => "has no name".to_owned(),
        false => format!("is called `{name}`, which is not a valid field name"),
    })?;
    if overrides.is_empty() {
        return Ok(Declared { field, nullable: None, ty: None });
    }
    let parser = |input: ParseStream<'_>| Overrides::parse(input);
    let overridden = syn::parse_str::<proc_macro2::TokenStream>(overrides)
        .and_then(|tokens| parser.parse2(respanned(tokens, span)))
        .map_err(|_| format!("is called `{name}`, whose override cannot be read"))?;
    Ok(Declared { field, nullable: overridden.nullable, ty: overridden.ty })
}

/// The tokens, all with the same span.
pub(crate) fn respanned(tokens: proc_macro2::TokenStream, span: Span) -> proc_macro2::TokenStream {
    let respan = |mut token: proc_macro2::TokenTree| {
        if let proc_macro2::TokenTree::Group(group) = &token {
            let mut inside = proc_macro2::Group::new(group.delimiter(), respanned(group.stream(), span));
            inside.set_span(span);
            return inside.into();
        }
        token.set_span(span);
        token
    };
    tokens.into_iter().map(respan).collect()
}

/// The field with this name; `None` if no field can have it.
fn ident(name: &str, span: Span) -> Option<Ident> {
    let is_plain = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_plain {
        return None;
    }
    // No keyword contains an underscore. Parsing takes longer than everything else that is done for a column.
    if name.is_ascii() && name != "_" && (name.contains('_') || PLAIN.contains(&name)) {
        return Some(Ident::new(name, span));
    }
    // A keyword since edition 2024, which `syn` takes for a name in each.
    if name == "gen" {
        return Some(Ident::new_raw(name, span));
    }
    let mut ident: Ident = syn::parse_str(name).or_else(|_| syn::parse_str(&format!("r#{name}"))).ok()?;
    ident.set_span(span);
    Some(ident)
}

/// Common column names that are not keywords.
const PLAIN: [&str; 24] = [
    "id",
    "name",
    "email",
    "title",
    "body",
    "status",
    "state",
    "kind",
    "count",
    "total",
    "at",
    "slug",
    "user",
    "value",
    "key",
    "data",
    "text",
    "url",
    "path",
    "code",
    "label",
    "token",
    "content",
    "description",
];

#[derive(Default)]
struct Overrides {
    nullable: Option<bool>,
    ty: Option<DeclaredType>,
}

impl Parse for Overrides {
    fn parse(input: ParseStream<'_>) -> syn::Result<Overrides> {
        let mut overrides = Overrides::default();
        if input.parse::<Option<Token![!]>>()?.is_some() {
            overrides.nullable = Some(false);
        } else if input.parse::<Option<Token![?]>>()?.is_some() {
            overrides.nullable = Some(true);
        }
        if input.parse::<Option<Token![:]>>()?.is_some() {
            overrides.ty = Some(match input.parse()? {
                Type::Infer(_) => DeclaredType::OfField,
                ty => DeclaredType::Exact(Box::new(ty)),
            });
        }
        Ok(overrides)
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        let read = match declared(name, Span::call_site()) {
            Err(error) => error,
            Ok(Declared { field, nullable, ty }) => {
                let mark = match nullable {
                    None => "",
                    Some(true) => "?",
                    Some(false) => "!",
                };
                let ty = match ty {
                    None => String::new(),
                    Some(DeclaredType::OfField) => ": _".to_owned(),
                    Some(DeclaredType::Exact(ty)) => format!(": {}", ty.to_token_stream()),
                };
                format!("{field}{mark}{ty}")
            }
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn names_with_and_without_overrides() {
        for plain in ["id", "id!", "id?", "id: _", "id!: Uuid", "id?: _", "_x", "größe", "user_id"] {
            check(plain, plain);
        }
        check("id:Vec<u8>", "id: Vec < u8 >");
        check("type", "r#type");
        check("type?", "r#type?");
        check("gen", "r#gen");
        check("?column?", "has no name");
        check("", "has no name");
        check("count(*)", "is called `count(*)`, which is not a valid field name");
        check("1st", "is called `1st`, which is not a valid field name");
        check("self", "is called `self`, which is not a valid field name");
        check("a_²", "is called `a_²`, which is not a valid field name");
        check("a b", "is called `a b`, which is not a valid field name");
        check("id!!", "is called `id!!`, whose override cannot be read");
        check("id: ", "is called `id: `, whose override cannot be read");
        check("id: (", "is called `id: (`, whose override cannot be read");
    }
}
