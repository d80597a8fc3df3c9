//! The scope around a body, in the shape that the function has.
//!
//! Whether it is entered is not decided here: the runtime crate knows whether budgets are enforced, and its
//! `__scope_*!` macros leave the scope out when they are not.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{Expr, GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound, visit_mut};

use crate::attr::{self, Budget};

/// How a function runs its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `async fn`.
    Async,
    /// A function that returns `impl Future`.
    Future,
    /// A function that returns a future in a box, as `async_trait` makes them.
    Boxed,
    /// A function that returns `impl Stream`.
    Stream,
    /// A function that returns a stream in a box.
    BoxedStream,
    /// Every other.
    Sync,
}

impl Shape {
    fn of(signature: &Signature) -> Shape {
        match &signature.output {
            _ if signature.asyncness.is_some() => Shape::Async,
            ReturnType::Type(_, output) => match (lazy(output), &**output) {
                (Some(Lazy::Future), Type::ImplTrait(_)) => Shape::Future,
                (Some(Lazy::Future), _) => Shape::Boxed,
                (Some(Lazy::Stream), Type::ImplTrait(_)) => Shape::Stream,
                (Some(Lazy::Stream), _) => Shape::BoxedStream,
                (None, _) => Shape::Sync,
            },
            ReturnType::Default => Shape::Sync,
        }
    }
}

/// The body of a function, in the scope of its budget.
pub(crate) fn wrap(budget: &Budget, signature: &Signature, body: TokenStream) -> TokenStream {
    let shape = Shape::of(signature);
    let scope = scope(budget, signature);
    let output = if shape == Shape::Async { output_hint(&signature.output) } else { TokenStream::new() };
    let entered = match shape {
        Shape::Async => quote!(__scope_async),
        Shape::Future => quote!(__scope_future),
        Shape::Boxed => quote!(__scope_boxed),
        Shape::Stream => quote!(__scope_stream),
        Shape::BoxedStream => quote!(__scope_boxed_stream),
        Shape::Sync => quote!(__scope_sync),
    };
    quote!(::query_budget::#entered!({ #scope } { #output #body }))
}

fn scope(budget: &Budget, signature: &Signature) -> TokenStream {
    let name = signature.ident.to_string();
    let max = budget.max.as_ref().map(|max| limit(max, &quote!(max)));
    let rows = budget.rows.as_ref().map(|rows| limit(rows, &quote!(rows)));
    let time = budget.time.map(|time| {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        quote!(.time(::core::time::Duration::from_nanos(#nanoseconds)))
    });
    let raw = budget.has_raw_queries.then(|| quote!(.raw()));
    quote!(::query_budget::__private::scope(#name) #max #rows #time #raw)
}

fn limit(value: &Expr, method: &TokenStream) -> TokenStream {
    match attr::literal(value).and_then(|value| usize::try_from(value).ok()) {
        Some(value) => quote!(.#method(#value)),
        None => quote!(.#method(#value)),
    }
}

/// Tells the compiler what the body of an `async fn` gives: inside of an async block it would not know what `?`
/// converts to until the end.
fn output_hint(output: &ReturnType) -> TokenStream {
    let ReturnType::Type(_, output) = output else { return TokenStream::new() };
    if matches!(**output, Type::Never(_)) {
        return TokenStream::new();
    }
    let mut output = output.clone();
    ImplTraitAsWildcard.visit_type_mut(&mut output);
    quote_spanned! {Span::mixed_site()=>
        if let ::core::option::Option::Some(output) = ::core::option::Option::None::<#output> {
            return output;
        }
    }
}

/// `impl Trait` has no place inside a body.
struct ImplTraitAsWildcard;

impl VisitMut for ImplTraitAsWildcard {
    fn visit_type_mut(&mut self, found: &mut Type) {
        if let Type::ImplTrait(_) = found {
            *found = syn::parse_quote!(_);
        }
        visit_mut::visit_type_mut(self, found);
    }
}

/// What runs only when it is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lazy {
    Future,
    Stream,
}

/// Of `impl Future<..>`, `Pin<Box<dyn Future<..> + Send>>`, `BoxFuture<'_, ..>`, and the same of streams.
fn lazy(output: &Type) -> Option<Lazy> {
    match output {
        Type::ImplTrait(found) => found.bounds.iter().find_map(lazy_bound),
        Type::TraitObject(found) => found.bounds.iter().find_map(lazy_bound),
        Type::Paren(found) => lazy(&found.elem),
        Type::Group(found) => lazy(&found.elem),
        Type::Path(found) => {
            let last = found.path.segments.last()?;
            match last.ident.to_string().as_str() {
                "BoxFuture" | "LocalBoxFuture" => Some(Lazy::Future),
                "BoxStream" | "LocalBoxStream" => Some(Lazy::Stream),
                "Pin" | "Box" => {
                    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
                    arguments.args.iter().find_map(|argument| match argument {
                        GenericArgument::Type(argument) => lazy(argument),
                        _ => None,
                    })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn lazy_bound(bound: &TypeParamBound) -> Option<Lazy> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    match bound.path.segments.last()?.ident.to_string().as_str() {
        "Future" => Some(Lazy::Future),
        "Stream" => Some(Lazy::Stream),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: &str, expected: Shape) {
        let signature: Signature = syn::parse_str(function).expect("a signature");
        assert_eq!(Shape::of(&signature), expected, "{function}");
    }

    #[test]
    fn shapes() {
        check("async fn f()", Shape::Async);
        check("fn f()", Shape::Sync);
        check("fn f() -> Result<Vec<u8>, Error>", Shape::Sync);
        check("fn f() -> impl Iterator<Item = u8>", Shape::Sync);
        check("fn f() -> impl Future<Output = u8> + Send", Shape::Future);
        check("fn f() -> impl core::future::Future<Output = u8>", Shape::Future);
        check("fn f<'a>(&'a self) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>>", Shape::Boxed);
        check(
            "fn f() -> ::core::pin::Pin<::std::boxed::Box<(dyn ::core::future::Future<Output = u8>)>>",
            Shape::Boxed,
        );
        check("fn f() -> BoxFuture<'static, u8>", Shape::Boxed);
        check("fn f() -> impl Stream<Item = u8> + Send", Shape::Stream);
        check("fn f() -> futures::stream::BoxStream<'_, Result<u8>>", Shape::BoxedStream);
        check("fn f() -> Pin<Box<dyn Stream<Item = u8> + Send + '_>>", Shape::BoxedStream);
        check("fn f() -> Box<dyn Error>", Shape::Sync);
    }
}
