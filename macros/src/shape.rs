//! The shape of a function: whether its result runs later, and how that is put in a scope.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

use crate::emit::{Marked, Misuse};

/// How a function runs its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `async fn`.
    Async,
    /// Its result runs later, as its written type shows.
    Later(Later, Around),
    /// Its return type may be an alias for one that runs later.
    Named,
    /// Any other function.
    Sync,
}

/// Something that only runs when polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    /// `impl Future`, `impl IntoFuture`.
    Future,
    /// `Pin<Box<dyn Future>>` and its aliases, as `async_trait` generates them.
    BoxedFuture,
    /// `Box<dyn Future + Unpin>`.
    UnpinFuture,
    /// `impl Stream`.
    Stream,
    BoxedStream,
    UnpinStream,
}

/// The type around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    Nothing,
    /// A `Result` or an `Option` with it as the value.
    Maybe,
}

impl Shape {
    /// The shape of a function; or why its budget cannot hold at run time.
    pub(crate) fn of(signature: &Signature) -> Result<Shape, Misuse> {
        let ReturnType::Type(_, output) = &signature.output else {
            return Ok(if signature.asyncness.is_some() { Shape::Async } else { Shape::Sync });
        };
        if signature.asyncness.is_some() {
            return if holds_later(output) { Err(beyond(output, true)) } else { Ok(Shape::Async) };
        }
        let inner = inside_maybe(output);
        let around = if inner.is_some() { Around::Maybe } else { Around::Nothing };
        let inner = inner.unwrap_or(output);
        if let Some(later) = later(inner) {
            if outputs_later(inner) {
                return Err(beyond(output, false));
            }
            return match bound_of_no_scope(inner) {
                Some(bound) => Err(no_bound(bound)),
                None => Ok(Shape::Later(later, around)),
            };
        }
        if holds_later(output) {
            return Err(beyond(output, false));
        }
        Ok(if may_be_other_name(output, signature) { Shape::Named } else { Shape::Sync })
    }
}

fn beyond(output: &Type, is_async: bool) -> Misuse {
    let help = if is_async {
        "return it from a `fn`, or put it in a scope of its own: `query_budget::scope(\"name\").max(3).run_stream(stream)`"
    } else {
        "return `impl Future` or `impl Stream`, alone, boxed, or in a `Result` or `Option`; or put it in a scope of its \
         own: `query_budget::scope(\"name\").max(3).run_stream(stream)`"
    };
    Misuse::new(
        Marked::tokens(output),
        "the budget of a function does not reach what runs later inside of what it returns",
        help,
    )
}

fn no_bound(bound: &TypeParamBound) -> Misuse {
    Misuse::new(
        Marked::tokens(bound),
        "a future or stream in a budget does not have this trait",
        "remove the bound, or put what the function runs in a scope: `query_budget::scope(\"name\").max(3).run(future)`",
    )
}

/// The type of the value in a `Result` or an `Option`.
fn inside_maybe(output: &Type) -> Option<&Type> {
    let Type::Path(found) = plain(output) else { return None };
    let last = found.path.segments.last()?;
    let is_maybe = last.ident == "Result" || last.ident == "Option";
    types_in(&last.arguments).next().filter(|_| is_maybe)
}

/// The type without parentheses and groups around it.
fn plain(output: &Type) -> &Type {
    match output {
        Type::Paren(found) => plain(&found.elem),
        Type::Group(found) => plain(&found.elem),
        _ => output,
    }
}

fn types_in(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let arguments = match arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    })
}

/// Recognises `impl Future<..>`, `Pin<Box<dyn Future<..> + Send>>`, `BoxFuture<'_, ..>`, and the same for
/// streams.
fn later(output: &Type) -> Option<Later> {
    match plain(output) {
        Type::ImplTrait(found) => found.bounds.iter().find_map(later_bound),
        Type::Path(found) => {
            let last = found.path.segments.last()?;
            let inner = || types_in(&last.arguments).next();
            match last.ident.to_string().as_str() {
                "BoxFuture" | "LocalBoxFuture" => Some(Later::BoxedFuture),
                "BoxStream" | "LocalBoxStream" => Some(Later::BoxedStream),
                "Pin" => match later(inner()?)? {
                    Later::UnpinFuture => Some(Later::BoxedFuture),
                    Later::UnpinStream => Some(Later::BoxedStream),
                    _ => None,
                },
                "Box" => {
                    let bounds = match plain(inner()?) {
                        Type::TraitObject(found) => &found.bounds,
                        Type::ImplTrait(found) => &found.bounds,
                        _ => return None,
                    };
                    match bounds.iter().find_map(later_bound)? {
                        Later::Future => Some(Later::UnpinFuture),
                        _ => Some(Later::UnpinStream),
                    }
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn later_bound(bound: &TypeParamBound) -> Option<Later> {
    match trait_of(bound)?.as_str() {
        "Future" | "IntoFuture" => Some(Later::Future),
        "Stream" => Some(Later::Stream),
        _ => None,
    }
}

fn trait_of(bound: &TypeParamBound) -> Option<String> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    Some(bound.path.segments.last()?.ident.to_string())
}

/// A bound of an `impl Future` that a future in a scope does not satisfy.
fn bound_of_no_scope(output: &Type) -> Option<&TypeParamBound> {
    const HAS: [&str; 8] = ["Future", "IntoFuture", "Stream", "Send", "Sync", "Unpin", "Sized", "Debug"];
    let Type::ImplTrait(found) = plain(output) else { return None };
    found.bounds.iter().find(|bound| trait_of(bound).is_some_and(|name| !HAS.contains(&name.as_str())))
}

/// Whether something that runs later occurs anywhere in it.
fn holds_later(output: &Type) -> bool {
    let in_bounds = |bounds: &syn::punctuated::Punctuated<TypeParamBound, syn::Token![+]>| {
        bounds.iter().any(|bound| {
            const RUN_LATER: [&str; 5] = ["Future", "IntoFuture", "Stream", "TryFuture", "TryStream"];
            let name = trait_of(bound).unwrap_or_default();
            RUN_LATER.contains(&name.as_str()) || name.starts_with("AsyncFn") || holds_later_in(bound)
        })
    };
    match plain(output) {
        Type::ImplTrait(found) => in_bounds(&found.bounds),
        Type::TraitObject(found) => in_bounds(&found.bounds),
        Type::Path(found) => found.path.segments.iter().any(|segment| {
            let name = segment.ident.to_string();
            ["BoxFuture", "LocalBoxFuture", "BoxStream", "LocalBoxStream"].contains(&name.as_str())
                || types_in(&segment.arguments).any(holds_later)
        }),
        Type::Tuple(found) => found.elems.iter().any(holds_later),
        Type::Array(found) => holds_later(&found.elem),
        _ => false,
    }
}

/// Whether the output of a closure, or the item of an iterator, runs later.
fn holds_later_in(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return false };
    bound.path.segments.iter().any(|segment| match &segment.arguments {
        PathArguments::Parenthesized(arguments) => {
            matches!(&arguments.output, ReturnType::Type(_, output) if holds_later(output))
        }
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(|argument| match argument {
            GenericArgument::Type(argument) => holds_later(argument),
            GenericArgument::AssocType(item) => holds_later(&item.ty),
            _ => false,
        }),
        PathArguments::None => false,
    })
}

/// Whether what runs later returns something that runs later still.
fn outputs_later(output: &Type) -> bool {
    match plain(output) {
        Type::ImplTrait(found) => found.bounds.iter().any(holds_later_in),
        Type::TraitObject(found) => found.bounds.iter().any(holds_later_in),
        Type::Path(found) => found.path.segments.last().is_some_and(|last| {
            let mut inner = types_in(&last.arguments);
            if last.ident == "Pin" || last.ident == "Box" {
                inner.next().is_some_and(outputs_later)
            } else {
                inner.any(holds_later)
            }
        }),
        _ => false,
    }
}

/// The types in what a function returns that may be aliases for ones that run later, and of which no budget takes care: what
/// an `async fn` returns, and elements of tuples and lists.
pub(crate) fn unjudged(shape: Shape, signature: &Signature) -> Vec<Type> {
    let mut found = Vec::new();
    if let ReturnType::Type(_, output) = &signature.output {
        match shape {
            Shape::Async => leaves(output, signature, &mut found),
            // Its own name decides.
            Shape::Named | Shape::Later(..) => {}
            Shape::Sync => leaves(output, signature, &mut found),
        }
    }
    found
}

fn leaves(output: &Type, signature: &Signature, found: &mut Vec<Type>) {
    match plain(output) {
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|element| leaves(element, signature, found)),
        Type::Array(array) => leaves(&array.elem, signature, found),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return };
            let is_one_of = |names: &[&str]| names.iter().any(|name| last.ident == name);
            if is_one_of(&["Result", "Option", "Vec", "VecDeque"]) {
                types_in(&last.arguments).take(1).for_each(|inner| leaves(inner, signature, found));
            } else if may_be_other_name(output, signature) {
                found.push(output.clone());
            }
        }
        _ => {}
    }
}

/// Whether it is a name that may be an alias for a type that runs later. Well-known names are not.
fn may_be_other_name(output: &Type, signature: &Signature) -> bool {
    const KNOWN: [&str; 34] = [
        "Arc", "BTreeMap", "BTreeSet", "Box", "Cow", "Duration", "HashMap", "HashSet", "Instant", "Pin",
        "Rc", "Self", "String", "Vec", "VecDeque", "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64",
        "i8", "isize", "str", "u128", "u16", "u32", "u64", "u8", "usize", "Response", "Json",
    ];
    let Type::Path(found) = plain(inside_maybe(output).unwrap_or(output)) else { return false };
    let Some(last) = found.path.segments.last() else { return false };
    let is_parameter = found
        .path
        .get_ident()
        .is_some_and(|name| signature.generics.type_params().any(|its| its.ident == *name));
    let is_known =
        KNOWN.iter().any(|known| last.ident == known) || last.ident == "Result" || last.ident == "Option";
    // A type with an `impl` in it cannot be named a second time.
    !is_parameter && !is_known && !has_impl(output)
}

fn has_impl(output: &Type) -> bool {
    match plain(output) {
        Type::ImplTrait(_) => true,
        Type::Path(found) => {
            found.path.segments.iter().any(|segment| types_in(&segment.arguments).any(has_impl))
        }
        Type::Tuple(found) => found.elems.iter().any(has_impl),
        Type::Reference(found) => has_impl(&found.elem),
        Type::Slice(found) => has_impl(&found.elem),
        Type::Array(found) => has_impl(&found.elem),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: &str, expected: Option<Shape>) {
        let signature: Signature = syn::parse_str(function).expect("a signature");
        assert_eq!(Shape::of(&signature).ok(), expected, "{function}");
    }

    fn later(later: Later) -> Option<Shape> {
        Some(Shape::Later(later, Around::Nothing))
    }

    #[test]
    fn shapes() {
        check("async fn f()", Some(Shape::Async));
        check("async fn f() -> sqlx::Result<impl Display>", Some(Shape::Async));
        check("fn f()", Some(Shape::Sync));
        check("fn f() -> Result<Vec<u8>, Error>", Some(Shape::Sync));
        check("fn f<T>() -> T", Some(Shape::Sync));
        check("fn f() -> Page<impl Display>", Some(Shape::Sync));
        check("fn f() -> impl Iterator<Item = u8>", Some(Shape::Sync));
        check("fn f() -> impl Fn(u8) -> u8", Some(Shape::Sync));
        check("fn f() -> Box<dyn Error>", Some(Shape::Sync));
        check("fn f() -> Loaded<'_, u8>", Some(Shape::Named));
        check("fn f() -> Result<Loaded, Error>", Some(Shape::Named));
    }

    #[test]
    fn what_may_be_another_name_inside() {
        for (function, expected) in [
            ("async fn f() -> Loaded", "Loaded"),
            ("async fn f() -> sqlx::Result<Loaded<'_, u8>>", "Loaded < '_ , u8 >"),
            ("async fn f() -> Vec<(u8, Loaded)>", "Loaded"),
            ("fn f() -> (Loaded, Vec<Page>, u8)", "Loaded Page"),
            ("fn f() -> Result<Vec<Event>, Error>", "Event"),
            ("fn f() -> Loaded", ""),
            ("fn f() -> Result<Loaded, Error>", ""),
            ("async fn f<T>() -> Vec<T>", ""),
            ("async fn f() -> Page<impl Display>", ""),
            ("async fn f() -> &str", ""),
            ("async fn f()", ""),
        ] {
            let signature: Signature = syn::parse_str(function).expect("a signature");
            let found = unjudged(Shape::of(&signature).unwrap_or(Shape::Sync), &signature);
            let found: Vec<_> =
                found.iter().map(|found| quote::ToTokens::to_token_stream(found).to_string()).collect();
            assert_eq!(found.join(" "), expected, "{function}");
        }
    }

    #[test]
    fn what_runs_later() {
        check("fn f() -> impl Future<Output = u8> + Send", later(Later::Future));
        check("fn f() -> impl core::future::Future<Output = u8>", later(Later::Future));
        check("fn f() -> impl IntoFuture<Output = u8>", later(Later::Future));
        check(
            "fn f<'a>(&'a self) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>>",
            later(Later::BoxedFuture),
        );
        check(
            "fn f() -> ::core::pin::Pin<::std::boxed::Box<(dyn ::core::future::Future<Output = u8>)>>",
            later(Later::BoxedFuture),
        );
        check("fn f() -> BoxFuture<'static, u8>", later(Later::BoxedFuture));
        check("fn f() -> Pin<Box<impl Future<Output = u8>>>", later(Later::BoxedFuture));
        check("fn f() -> Box<dyn Future<Output = u8> + Unpin>", later(Later::UnpinFuture));
        check("fn f() -> impl Stream<Item = u8> + Send", later(Later::Stream));
        check("fn f() -> futures::stream::BoxStream<'_, Result<u8>>", later(Later::BoxedStream));
        check("fn f() -> Pin<Box<dyn Stream<Item = u8> + Send + '_>>", later(Later::BoxedStream));
        check("fn f() -> Box<dyn Stream<Item = u8> + Unpin>", later(Later::UnpinStream));
        let in_result = Some(Shape::Later(Later::Future, Around::Maybe));
        check("fn f() -> Result<impl Future<Output = u8>, Error>", in_result);
        check(
            "fn f() -> sqlx::Result<BoxStream<'_, u8>>",
            Some(Shape::Later(Later::BoxedStream, Around::Maybe)),
        );
    }

    #[test]
    fn what_a_budget_does_not_reach() {
        for function in [
            "fn f() -> Sse<impl Stream<Item = u8>>",
            "async fn f() -> Sse<impl Stream<Item = u8>>",
            "async fn f() -> impl Stream<Item = u8>",
            "async fn f() -> sqlx::Result<BoxStream<'_, u8>>",
            "fn f() -> impl AsyncFn(u8) -> u8",
            "fn f() -> Box<dyn Fn(u8) -> BoxFuture<'static, u8>>",
            "fn f() -> impl Iterator<Item = impl Future<Output = u8>>",
            "fn f() -> (u8, BoxFuture<'static, u8>)",
            "fn f() -> Vec<Pin<Box<dyn Future<Output = u8>>>>",
            "fn f() -> impl Future<Output = u8> + Clone",
            "fn f() -> impl FusedStream + Stream<Item = u8>",
            "fn f() -> impl Future<Output = impl Stream<Item = u8>>",
            "fn f() -> impl Future<Output = sqlx::Result<BoxStream<'static, u8>>>",
            "fn f() -> BoxFuture<'static, BoxStream<'static, u8>>",
            "fn f() -> Pin<Box<dyn Future<Output = Pin<Box<dyn Stream<Item = u8>>>> + Send>>",
            "fn f() -> impl Stream<Item = impl Future<Output = u8>>",
            "fn f() -> sqlx::Result<impl Future<Output = BoxStream<'static, u8>>>",
        ] {
            check(function, None);
        }
    }
}
