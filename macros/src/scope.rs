//! The scope around a body, in the form that the function's signature requires.
//!
//! Whether it is entered is not decided here: the runtime crate knows whether budgets are enforced, and
//! otherwise its `__scope_*!` macros omit the scope.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Expr, ReturnType, Signature, Type, visit_mut};

use crate::attr::{self, Budget};
use crate::shape::{self, Around, Later, Shape};

/// The body of a function of this shape, in the scope of its budget.
pub(crate) fn wrap(budget: &Budget, shape: Shape, signature: &Signature, body: TokenStream) -> TokenStream {
    let scope = scope(budget, signature);
    let output = &signature.output;
    let unjudged = shape::unjudged(shape, signature);
    let unjudged = unjudged.iter().map(|inside| quote!(::query_budget::__not_judged!([#inside]);));
    let wrapped = match shape {
        Shape::Async => {
            let hint = output_hint(output);
            quote!(::query_budget::__scope_async!({ #scope } { #hint #body }))
        }
        Shape::Later(later, around) => {
            let kind = match later {
                Later::Future => quote!(future),
                Later::BoxedFuture => quote!(boxed_future),
                Later::UnpinFuture => quote!(unpin_future),
                Later::Stream => quote!(stream),
                Later::BoxedStream => quote!(boxed_stream),
                Later::UnpinStream => quote!(unpin_stream),
            };
            let around = match around {
                Around::Nothing => quote!(itself),
                Around::Maybe => quote!(inside),
            };
            let output = without_impl(output);
            quote!(::query_budget::__scope_later!(#kind #around #output { #scope } { #body }))
        }
        Shape::Named => {
            let output = without_impl(output);
            quote!(::query_budget::__scope_named!([#output] { #scope } { #body }))
        }
        Shape::Sync => match in_runtime(&body, &scope) {
            Some(body) => body,
            None => quote!(::query_budget::__scope_sync!({ #scope } { #body })),
        },
    };
    quote!(#(#unjudged)* #wrapped)
}

/// The body of a function that only has a runtime run a future, as `#[tokio::main]` above the budget leaves it: with
/// the scope around the future, because other tasks of that runtime do not belong to the function.
fn in_runtime(body: &TokenStream, scope: &TokenStream) -> Option<TokenStream> {
    let is_only_that = {
        let mut tokens: Vec<String> = body.clone().into_iter().map(|token| token.to_string()).collect();
        let is_of_attribute = tokens.starts_with(&["let", "body", "=", "async"].map(str::to_owned));
        let _future = tokens.pop();
        let is_call = tokens.last().is_some_and(|name| name == "block_on")
            && !tokens.iter().any(|token| matches!(token.as_str(), ";" | "let" | "return" | "=>"));
        is_of_attribute || is_call
    };
    let mut found = 0;
    // Made before the body, which may move what a limit mentions.
    let held = Ident::new("scope", Span::mixed_site());
    let body = is_only_that.then(|| around_future(body.clone(), &held, &mut found))?;
    (found == 1).then(|| quote!(::query_budget::__scope_held!(#held { #scope }); #body))
}

/// Puts the scope around the argument of each call of `block_on`, and counts them.
fn around_future(tokens: TokenStream, scope: &Ident, found: &mut usize) -> TokenStream {
    let mut is_called = false;
    let around = tokens.into_iter().map(|token| {
        let TokenTree::Group(group) = token else {
            is_called = token.to_string() == "block_on";
            return token;
        };
        let inside = if is_called && group.delimiter() == Delimiter::Parenthesis {
            *found += 1;
            let future = group.stream();
            quote!(::query_budget::__scope_block_on!(#scope { #future }))
        } else {
            around_future(group.stream(), scope, found)
        };
        is_called = false;
        let mut around = Group::new(group.delimiter(), inside);
        around.set_span(group.span());
        TokenTree::Group(around)
    });
    around.collect()
}

fn scope(budget: &Budget, signature: &Signature) -> TokenStream {
    let name = signature.ident.to_string();
    let max = budget.max.as_ref().map(|max| limit(max, &quote!(max)));
    let rows = budget.rows.as_ref().map(|rows| limit(rows, &quote!(rows)));
    let repeats = budget.repeats.as_ref().map(|repeats| limit(repeats, &quote!(repeats)));
    let time = budget.time.map(|time| {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        quote!(.time(::core::time::Duration::from_nanos(#nanoseconds)))
    });
    let raw = budget.has_raw_queries.then(|| quote!(.raw()));
    let copies = budget.has_copies.then(|| quote!(.copies()));
    quote!(::query_budget::__private::scope(#name) #max #rows #time #repeats #raw #copies)
}

fn limit(value: &Expr, method: &TokenStream) -> TokenStream {
    match attr::literal(value).and_then(|value| usize::try_from(value).ok()) {
        Some(value) => quote!(.#method(#value)),
        None => quote!(.#method(#value)),
    }
}

/// Names the output type of an `async fn`'s body for the compiler: inside an async block, it would only learn at
/// the end what `?` converts to.
fn output_hint(output: &ReturnType) -> TokenStream {
    match without_impl(output) {
        Some(output) if !matches!(output, Type::Never(_)) => quote_spanned! {Span::mixed_site()=>
            if let ::core::option::Option::Some(output) = ::core::option::Option::None::<#output> {
                return output;
            }
        },
        _ => TokenStream::new(),
    }
}

/// The return type, as it can be written inside the body.
fn without_impl(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, output) = output else { return None };
    let mut output = Type::clone(output);
    ImplTraitAsWildcard.visit_type_mut(&mut output);
    Some(output)
}

/// `impl Trait` is not allowed inside a body.
struct ImplTraitAsWildcard;

impl VisitMut for ImplTraitAsWildcard {
    fn visit_type_mut(&mut self, found: &mut Type) {
        if let Type::ImplTrait(_) = found {
            *found = syn::parse_quote!(_);
        }
        visit_mut::visit_type_mut(self, found);
    }
}
