//! `#[query_budget(..)]`: checks and wraps its function.

use proc_macro2::{TokenStream, TokenTree};

use query_budget_analysis::lints;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{AttrStyle, Attribute, Meta, Signature, Token, Visibility, token};

use crate::attr::{self, Budget};
use crate::check;
use crate::context::Context;
use crate::emit::{self, Marked, Misuse};
use crate::scope;
use crate::shape::Shape;

/// A function, a method, or a method's declaration in a trait.
///
/// The body stays tokens, so that half-written code in an editor passes through.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    /// The braces and their content; `None` for a declaration.
    body: Option<(token::Brace, TokenStream)>,
    /// The rest: the semicolon of a declaration.
    rest: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Function> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body = if input.peek(Token![;]) {
            None
        } else {
            let content;
            let brace = syn::braced!(content in input);
            // The body moves inside other braces, where inner attributes of the function are not allowed.
            let inner = content.call(Attribute::parse_inner)?;
            attributes.extend(inner.into_iter().map(|inner| Attribute { style: AttrStyle::Outer, ..inner }));
            Some((brace, content.parse()?))
        };
        Ok(Function { attributes, visibility, signature, body, rest: input.parse()? })
    }
}

/// Expands the attribute: the user's code with its body in a scope, and the findings.
pub(crate) fn expand(context: &mut Context, limits: TokenStream, item: TokenStream) -> TokenStream {
    let mut budget = Budget::parse(limits.clone());
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        budget.misuses.extend(not_a_function(&item));
        let messages = emit::misuses(&budget.misuses);
        return quote!(#messages #item);
    };
    budget.misuses.extend(refused(&function));
    budget.misuses.extend(strip_allows(&mut function.attributes));
    let shape = Shape::of(&function.signature).unwrap_or_else(|misuse| {
        budget.misuses.push(misuse);
        Shape::Sync
    });
    if !budget.misuses.is_empty() {
        let messages = emit::misuses(&budget.misuses);
        return quote!(#messages #function);
    }
    // A declaration runs nothing; its budget is used where it is called.
    if let Some((_, body)) = &mut function.body {
        let checked =
            check::function(context, quote!(#[query_budget(#limits)] #item), &function.signature.ident);
        budget.has_raw_queries = checked.has_raw_queries;
        budget.has_copies = checked.has_copies && !mentions(body, "counted");
        let messages = checked.messages;
        let body_in_scope = scope::wrap(&budget, shape, &function.signature, std::mem::take(body));
        // Unnamed items are not allowed in an `impl` or a `trait`, but in every body.
        *body = quote!(#messages #body_in_scope);
    }
    function.into_token_stream()
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Function { attributes, visibility, signature, body, rest } = self;
        tokens.extend(quote!(#(#attributes)* #visibility #signature));
        if let Some((brace, body)) = body {
            brace.surround(tokens, |tokens| body.to_tokens(tokens));
        }
        rest.to_tokens(tokens);
    }
}

/// Whether a name is among the tokens.
fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The error for a function that cannot have a budget.
fn refused(function: &Function) -> Option<Misuse> {
    let constness = function.signature.constness?;
    Some(Misuse::new(constness.span, "a `const fn` runs no query", "remove `#[query_budget(..)]` or `const`"))
}

/// The error for an attribute on something other than a function.
fn not_a_function(item: &TokenStream) -> [Misuse; 1] {
    const KINDS: [&str; 11] =
        ["struct", "enum", "union", "trait", "impl", "mod", "type", "static", "const", "use", "macro_rules"];
    let keyword = item.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "fn" => Some(None),
        TokenTree::Ident(ident) => {
            KINDS.iter().find(|kind| ident == **kind).map(|kind| Some((kind, ident.span())))
        }
        _ => None,
    });
    let help = "put it on a `fn` or `async fn`, free or in an `impl` or `trait`";
    [match keyword.flatten() {
        Some((kind @ (&"impl" | &"trait"), span)) => Misuse::new(
            span,
            format!("`#[query_budget]` is on a whole `{kind}`"),
            "put it on each method that has a budget",
        ),
        Some((kind, span)) => Misuse::new(span, format!("`#[query_budget]` is on a `{kind}`"), help),
        None => Misuse::new(
            Marked::tokens(item),
            "`#[query_budget]` is on something that is not a function",
            help,
        ),
    }]
}

/// Removes this project's lints from the function's `#[allow(..)]`, since rustc does not know them.
fn strip_allows(attributes: &mut Vec<Attribute>) -> Vec<Misuse> {
    let mut misuses = Vec::new();
    attributes.retain_mut(|attribute| {
        let Some(Ok(metas)) = attr::metas_of_allow(attribute) else { return true };
        let (ours, theirs): (Vec<Meta>, Vec<Meta>) = metas.into_iter().partition(is_ours);
        if ours.is_empty() {
            return true;
        }
        misuses.extend(ours.iter().filter_map(reason_as_value));
        let keep = theirs.iter().any(|meta| !meta.path().is_ident("reason"));
        *attribute = syn::parse_quote!(#[allow(#(#theirs),*)]);
        keep
    });
    misuses
}

fn is_ours(meta: &Meta) -> bool {
    meta.path().get_ident().is_some_and(|name| lints::by_name(&name.to_string()).is_some())
}

/// rustc reads the attributes of a function before any macro does, and rejects a lint with a value.
fn reason_as_value(meta: &Meta) -> Option<Misuse> {
    let Meta::NameValue(pair) = meta else { return None };
    let (lint, reason) = (pair.path.to_token_stream(), pair.value.to_token_stream());
    Some(Misuse::new(
        Marked::tokens(meta),
        "rustc takes no reason in this form on a function",
        format!("write `#[allow({lint}, reason = {reason})]`"),
    ))
}
