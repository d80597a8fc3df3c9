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
    /// Every other.
    Sync,
}

impl Shape {
    fn of(signature: &Signature) -> Shape {
        match &signature.output {
            _ if signature.asyncness.is_some() => Shape::Async,
            ReturnType::Type(_, output) if is_future(output) => match **output {
                Type::ImplTrait(_) => Shape::Future,
                _ => Shape::Boxed,
            },
            _ => Shape::Sync,
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

/// `impl Future<..>`, `Pin<Box<dyn Future<..> + Send>>`, `BoxFuture<'_, ..>`.
fn is_future(output: &Type) -> bool {
    match output {
        Type::ImplTrait(found) => found.bounds.iter().any(is_future_bound),
        Type::TraitObject(found) => found.bounds.iter().any(is_future_bound),
        Type::Paren(found) => is_future(&found.elem),
        Type::Group(found) => is_future(&found.elem),
        Type::Path(found) => found.path.segments.last().is_some_and(|last| {
            let inner = || match &last.arguments {
                PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(
                    |argument| matches!(argument, GenericArgument::Type(argument) if is_future(argument)),
                ),
                _ => false,
            };
            match last.ident.to_string().as_str() {
                "BoxFuture" | "LocalBoxFuture" => true,
                "Pin" | "Box" => inner(),
                _ => false,
            }
        }),
        _ => false,
    }
}

fn is_future_bound(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.last().is_some_and(|last| last.ident == "Future")
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
        check("fn f() -> Box<dyn Error>", Shape::Sync);
    }
}
