//! The shape of an expression that is looped over: elements, batches, a fixed number of things, at most one,
//! or messages.

use std::cell::OnceCell;

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Token, Type};

use super::joined::{chained, flattened, repeated, tail, united, zipped};
use super::numbers::{Known, counted, is_fixed, longer, number, of_range};
use super::parts;
use super::services::is_message_type;
use super::sql_text::segments;
use crate::rust::methods::generates;

/// What a value contains, as far as its expression determines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::rust) enum Shape {
    /// Unknown; a method that both iterators and options have is taken for the option's.
    #[default]
    Unknown,
    /// An iterator, stream or collection whose length is only known at run time.
    Elements,
    /// Batches of elements.
    Batches,
    /// A number of elements fixed by the source: the number if known, and whether it is exact rather than a
    /// maximum.
    Fixed(Option<u64>, bool),
    /// An option or result.
    Single,
    /// Messages, ticks or connections, which arrive over time.
    Messages,
    /// Trait objects, which are components of the program rather than data.
    Components,
    /// A stream that computes each element from the previous one, as paging does.
    Pages,
}

/// What is known at the position of an expression.
pub(in crate::rust) trait Shapes {
    /// The shape of a local variable; `None` if there is no such variable.
    fn local_shape(&self, name: &str) -> Option<Shape>;
    /// The number that a local variable is, if that is known; `None` if there is no such variable.
    fn local_number(&self, name: &str) -> Option<Option<u64>>;
    /// The values of a constant, one for each way to build the file.
    fn constant_values(&self, path: &[String]) -> &[&Expr];
    /// The constants that were read for the current expression.
    fn known(&self) -> &Known;
    /// The shape of what a method returns that is one of the project's, or may be; `None` if it is a library's. `of_library` is
    /// what a library's returns, and `receiver` the shape of what it is called on.
    fn own_shape(
        &self,
        call: &syn::ExprMethodCall,
        of_library: Shape,
        receiver: &dyn Fn() -> Shape,
    ) -> Option<Shape>;
    /// The shape of what a call gives, or its future, of a function that is declared in the same file; `None` if it is not
    /// known to be one.
    fn returned(&self, call: &Expr, awaited: bool) -> Option<Shape>;
    /// The shape of a field, if its struct is declared in the same file.
    fn field_shape(&self, field: &syn::ExprField) -> Shape;
}

/// The maximum number of constants followed to a value.
pub(super) const MAX_CONSTANTS: usize = 200;

/// The shape of an expression.
pub(in crate::rust) fn of(expression: &Expr, around: &dyn Shapes) -> Shape {
    around.known().clear();
    at(expression, around, 0)
}

pub(super) fn at(expression: &Expr, around: &dyn Shapes, depth: usize) -> Shape {
    if depth > MAX_CONSTANTS {
        return Shape::Unknown;
    }
    let next = |inner: &Expr| at(inner, around, depth + 1);
    match expression {
        Expr::Reference(inner) => next(&inner.expr),
        Expr::Paren(inner) => next(&inner.expr),
        Expr::Group(inner) => next(&inner.expr),
        Expr::Try(inner) => inside(next(&inner.expr)),
        Expr::Await(inner) if let Some(shape) = around.returned(&inner.base, true) => shape,
        Expr::Await(inner) => match next(&inner.base) {
            // The result of an await may be an option of anything; only messages certainly keep their shape.
            Shape::Messages => Shape::Messages,
            _ => Shape::Unknown,
        },
        Expr::Unary(inner) => next(&inner.expr),
        Expr::Field(field) => around.field_shape(field),
        // `&ids[..2]`
        Expr::Index(index) => match index.index.as_ref() {
            Expr::Range(range) if range.end.is_some() => match of_range(range, around, depth) {
                Shape::Fixed(turns, _) => Shape::Fixed(turns, false),
                _ => Shape::Unknown,
            },
            _ => Shape::Unknown,
        },
        Expr::Array(array) => Shape::Fixed(u64::try_from(array.elems.len()).ok(), true),
        Expr::Repeat(repeat) => counted(number(&repeat.len, around, depth)),
        Expr::Range(range) => of_range(range, around, depth),
        Expr::Macro(mac) if mac.mac.path.is_ident("vec") => {
            match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.mac.tokens.clone()) {
                Ok(elements) => Shape::Fixed(u64::try_from(elements.len()).ok(), true),
                Err(_) => Shape::Elements,
            }
        }
        // `std::pin::pin!(stream)`
        Expr::Macro(mac) if mac.mac.path.segments.last().is_some_and(|last| last.ident == "pin") => {
            mac.mac.parse_body::<Expr>().map_or(Shape::Unknown, |pinned| next(&pinned))
        }
        Expr::Call(_) | Expr::MethodCall(_) if let Some(shape) = around.returned(expression, false) => shape,
        Expr::MethodCall(call) => {
            let read = OnceCell::new();
            let receiver = || *read.get_or_init(|| next(&call.receiver));
            let shape = of_method(call, &receiver, around, depth);
            around.own_shape(call, shape, &receiver).unwrap_or(shape)
        }
        Expr::Call(call) => match call.func.as_ref() {
            Expr::Path(path) if let Some(times) = repeats(path, call) => match number(times, around, depth) {
                None if !is_fixed(times) => Shape::Elements,
                times => counted(times),
            },
            Expr::Path(path) => of_call(&segments(&path.path), call, &next),
            _ => Shape::Unknown,
        },
        Expr::Path(path) => {
            let parts = segments(&path.path);
            if let [name] = parts.as_slice()
                && let Some(shape) = around.local_shape(name)
            {
                return shape;
            }
            if !parts.last().is_some_and(|last| is_constant(last)) {
                return Shape::Unknown;
            }
            let values = around.constant_values(&parts).iter();
            let shapes = values.map(|value| around.known().shape(value, || next(value)));
            let either = shapes
                .map(|shape| if let Shape::Fixed(..) = shape { shape } else { Shape::Fixed(None, true) });
            either.reduce(longer).unwrap_or(Shape::Fixed(None, true))
        }
        // `match stream { Ok(stream) => stream, Err(_) => return .. }`
        Expr::Match(node) if node.arms.iter().any(gives_what_is_inside) => inside(next(&node.expr)),
        _ => Shape::Unknown,
    }
}

/// The content of an option or result, which may be a collection.
fn inside(shape: Shape) -> Shape {
    match shape {
        Shape::Single => Shape::Unknown,
        shape => shape,
    }
}

pub(super) fn gives_what_is_inside(arm: &syn::Arm) -> bool {
    let syn::Pat::TupleStruct(pattern) = &arm.pat else { return false };
    let (Some(syn::Pat::Ident(name)), Expr::Path(body)) = (pattern.elems.first(), arm.body.as_ref()) else {
        return false;
    };
    body.path.is_ident(&name.ident)
}

/// Whether an expression is a constant, directly, by reference or by iterator.
pub(in crate::rust) fn is_constant_path(expression: &Expr) -> bool {
    match expression {
        Expr::Reference(inner) => is_constant_path(&inner.expr),
        Expr::MethodCall(call) => call.method == "iter" && is_constant_path(&call.receiver),
        Expr::Path(path) => {
            path.path.segments.last().is_some_and(|last| is_constant(&last.ident.to_string()))
        }
        _ => false,
    }
}

/// Whether a name follows the naming convention for constants.
pub(in crate::rust) fn is_constant(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// How many times an iterator repeats a value: `repeat_n(value, 3)`.
fn repeats<'e>(function: &syn::ExprPath, call: &'e syn::ExprCall) -> Option<&'e Expr> {
    let is_one = function.path.segments.last().is_some_and(|last| last.ident == "repeat_n");
    call.args.last().filter(|_| is_one && call.args.len() == 2)
}

fn of_call(path: &[String], call: &syn::ExprCall, next: &dyn Fn(&Expr) -> Shape) -> Shape {
    let argument = || call.args.first().map_or(Shape::Unknown, next);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        // `stream::iter(xs)`, and iterators over all variants of a type: `Kind::iter()`.
        [.., "iter"] if call.args.len() == 1 => match argument() {
            Shape::Unknown | Shape::Single => Shape::Elements,
            shape => shape,
        },
        [.., owner, "iter" | "all" | "variants" | "values"]
            if call.args.is_empty() && owner.starts_with(char::is_uppercase) =>
        {
            Shape::Fixed(None, true)
        }
        // `all::<Kind>()`, the same as a function.
        [.., "all"] if call.args.is_empty() => Shape::Fixed(None, true),
        // Equal keys of a map are one element.
        [.., "HashMap" | "BTreeMap" | "IndexMap" | "HashSet" | "BTreeSet" | "IndexSet", "from"] => {
            match argument() {
                Shape::Fixed(turns, _) => Shape::Fixed(turns, false),
                _ => Shape::Elements,
            }
        }
        [.., "Vec" | "VecDeque" | "Box", "from"] => argument(),
        [.., "Some" | "Ok" | "once"] => Shape::Single,
        // `successors(Some(from), |day| day.succ_opt())`
        [.., "successors"] if call.args.iter().nth(1).is_some_and(super::steps::is_step) => Shape::Elements,
        // `from_fn(|| heap.pop())`: what is at hand already.
        [.., "from_fn" | "successors"] if call.args.last().is_some_and(parts::takes_at_hand) => {
            Shape::Elements
        }
        [.., last] if generates(last) => Shape::Pages,
        [.., "FuturesUnordered" | "FuturesOrdered", _] => Shape::Elements,
        [.., owner, "new"] if is_message_type(owner) => Shape::Messages,
        // `EventSource::get(url)`, `PgListener::connect(url)`
        [.., "EventSource" | "PgListener", _] => Shape::Messages,
        // The ends of a channel.
        [.., "channel" | "sync_channel" | "unbounded_channel"]
        | ["flume" | "crossbeam_channel" | "async_channel" | "kanal", "bounded" | "unbounded"] => {
            Shape::Messages
        }
        [.., "stream", "select"] => argument(),
        // Both ends of a WebSocket.
        [.., "accept_async" | "client_async" | "client_async_tls" | "connect_async"] => Shape::Messages,
        [.., "interval" | "interval_at" | "watcher" | "metadata_watcher"] => Shape::Messages,
        // Data read from a connection arrives when the other side sends it.
        [.., "BufReader" | "FramedRead" | "Framed" | "LinesStream" | "ReaderStream", "new"] => {
            match argument() {
                Shape::Messages => Shape::Messages,
                _ => Shape::Unknown,
            }
        }
        _ => Shape::Unknown,
    }
}

fn of_method(
    call: &syn::ExprMethodCall,
    receiver: &dyn Fn() -> Shape,
    around: &dyn Shapes,
    depth: usize,
) -> Shape {
    let or_elements = |shape: Shape| match shape {
        Shape::Unknown => Shape::Elements,
        shape => shape,
    };
    match call.method.to_string().as_str() {
        "chunks" | "chunks_exact" | "chunks_mut" | "rchunks" | "array_chunks" | "as_chunks"
        | "ready_chunks" | "try_chunks" | "try_ready_chunks" | "chunks_timeout" | "par_chunks" => {
            match receiver() {
                Shape::Fixed(turns, exact) => parts::of_list(turns, exact, call, around, depth),
                _ => Shape::Batches,
            }
        }
        "step_by" | "windows" | "tuple_windows" if let Shape::Fixed(turns, exact) = receiver() => {
            parts::of_list(turns, exact, call, around, depth)
        }
        "step_by" if call.args.first().is_some_and(parts::is_stride) => or_elements(receiver()),
        "step_by" => Shape::Batches,
        "take" if call.args.len() == 1 => match call.args.first().and_then(|n| number(n, around, depth)) {
            Some(n) => match receiver() {
                Shape::Fixed(Some(turns), _) => Shape::Fixed(Some(turns.min(n.most)), false),
                _ => Shape::Fixed(Some(n.most), false),
            },
            None if call.args.first().is_some_and(is_fixed) => Shape::Fixed(None, false),
            None => receiver(),
        },
        "flat_map" if let Shape::Fixed(turns, exact) = receiver() => {
            let each = match call.args.first() {
                Some(Expr::Closure(closure)) => match tail(&closure.body) {
                    // What it names may be its own.
                    list @ (Expr::Array(_) | Expr::Macro(_)) => at(list, around, depth + 1),
                    _ => Shape::Unknown,
                },
                _ => Shape::Unknown,
            };
            repeated(turns, exact, each)
        }
        // `ids.drain(..5)`
        "drain"
            if let Some(Expr::Range(range)) = call.args.first()
                && matches!(receiver(), Shape::Unknown | Shape::Elements)
                && range.end.is_some()
                && let Shape::Fixed(turns, _) = of_range(range, around, depth) =>
        {
            Shape::Fixed(turns, false)
        }
        "iter" | "iter_mut" | "into_iter" | "par_iter" | "into_par_iter" | "drain" | "keys" | "values"
        | "values_mut" | "into_keys" | "into_values" | "enumerate" => or_elements(receiver()),
        name @ ("zip" | "chain" | "union" | "symmetric_difference") => {
            let second = call.args.first().map(|other| at(other, around, depth + 1)).unwrap_or_default();
            match name {
                "zip" => zipped(or_elements(receiver()), second),
                "chain" => chained(receiver(), second),
                _ => united(receiver(), second),
            }
        }
        "splitn" | "rsplitn" => match call.args.first().and_then(|most| number(most, around, depth)) {
            Some(most) => Shape::Fixed(Some(most.most), false),
            None => Shape::Elements,
        },
        "flatten" => flattened(&call.receiver, &|inner| at(inner, around, depth + 1)),
        // The parts of one text may be any number, and those of a list are one more than where it is split.
        "split" if call.args.first().is_some_and(|by| matches!(by, Expr::Closure(_))) => match receiver() {
            Shape::Fixed(Some(turns), _) => Shape::Fixed(Some(turns.saturating_add(1)), false),
            _ => Shape::Elements,
        },
        "lines" | "chars" | "char_indices" | "bytes" | "split" | "split_whitespace"
            if let Some(parts) = parts::of_text(call, around) =>
        {
            Shape::Fixed(Some(parts), true)
        }
        // The halves of a connection.
        "split" | "into_split" if call.args.is_empty() => Shape::Messages,
        "lines" | "chars" | "char_indices" | "bytes" | "split" | "split_whitespace" => match receiver() {
            Shape::Messages => Shape::Messages,
            Shape::Batches => Shape::Batches,
            _ => Shape::Elements,
        },
        "windows"
        | "tuple_windows"
        | "fetch"
        | "fetch_many"
        | "difference"
        | "intersection"
        | "sorted"
        | "sorted_by_key"
        | "unique"
        | "flat_map"
        | "filter_map"
        | "buffer_unordered"
        | "buffered"
        | "try_buffer_unordered"
        | "group_by"
        | "chunk_by"
        | "range" => match receiver() {
            Shape::Fixed(turns, _) => Shape::Fixed(turns, false),
            shape @ (Shape::Batches | Shape::Messages) => shape,
            _ => Shape::Elements,
        },
        "collect" if matches!(&call.turbofish, Some(of) if of.args.iter().any(is_text)) => Shape::Unknown,
        "rev" | "cloned" | "copied" | "peekable" | "by_ref" | "collect" | "collect_vec" | "map"
        | "map_ok" | "map_err" | "inspect" | "boxed" | "then" | "and_then" | "fuse" | "clone" | "to_vec"
        | "as_slice" | "as_ref" | "into_stream" | "into_boxed" | "pin" => receiver(),
        // Of streams of what arrives alone.
        "applied_objects" | "touched_objects" | "default_backoff" | "backoff" | "timeout" | "throttle" => {
            receiver()
        }
        "filter" | "skip" | "skip_while" | "take_while" | "try_filter" | "try_filter_map" | "take" => {
            match receiver() {
                Shape::Fixed(turns, _) => Shape::Fixed(turns, false),
                shape => shape,
            }
        }
        "stream" | "messages" | "on_message" | "into_on_message" | "incoming" | "into_incoming"
        | "into_data_stream"
            if call.args.is_empty() =>
        {
            Shape::Messages
        }
        "try_iter" | "recv" | "eventsource" => Shape::Messages,
        name if name == "subscribe" || name.starts_with("subscribe_") || name.ends_with("_subscribe") => {
            Shape::Messages
        }
        // `text.parse::<i64>()`
        "parse" if call.args.is_empty() && call.turbofish.is_some() => Shape::Single,
        // What asks neither by a closure nor by a text is no iterator's: `document.find(Name("a"))`.
        "find" if receiver() == Shape::Unknown && !call.args.first().is_some_and(|by| asks(by, around)) => {
            Shape::Unknown
        }
        "max" | "min" if call.args.is_empty() => Shape::Single,
        "ok" | "err" | "get" | "first" | "last" | "fetch_optional" | "fetch_one" | "find" | "next"
        | "pop" | "find_map" | "nth" | "reduce" | "max_by" | "max_by_key" | "min_by" | "min_by_key"
        | "pop_back" | "pop_front" => Shape::Single,
        _ => Shape::Unknown,
    }
}

/// Whether an argument of `find` is that of an iterator or a text: a closure, a function, or what is looked for in a text.
fn asks(by: &Expr, around: &dyn Shapes) -> bool {
    match by {
        Expr::Closure(_) | Expr::Lit(_) | Expr::Reference(_) => true,
        Expr::Path(path) => {
            path.path.get_ident().is_none_or(|name| around.local_shape(&name.to_string()).is_none())
        }
        _ => false,
    }
}

fn is_text(argument: &syn::GenericArgument) -> bool {
    matches!(argument, syn::GenericArgument::Type(Type::Path(path)) if path.path.is_ident("String"))
}

/// The shape implied by a type.
pub(in crate::rust) fn of_type(ty: &Type) -> Shape {
    let ty = match ty {
        Type::Reference(reference) => &reference.elem,
        ty => ty,
    };
    let of_bounds = |bounds: &Punctuated<syn::TypeParamBound, Token![+]>| {
        bounds.iter().map(of_bound).find(|shape| *shape != Shape::Unknown).unwrap_or_default()
    };
    match ty {
        Type::Array(array) => match &array.len {
            Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => {
                Shape::Fixed(number.base10_parse().ok(), true)
            }
            _ => Shape::Fixed(None, true),
        },
        Type::ImplTrait(implements) => of_bounds(&implements.bounds),
        Type::TraitObject(object) => of_bounds(&object.bounds),
        Type::Path(path) => path.path.segments.last().map_or(Shape::Unknown, of_name),
        _ => Shape::Unknown,
    }
}

fn of_bound(bound: &syn::TypeParamBound) -> Shape {
    match bound {
        syn::TypeParamBound::Trait(bound) => bound.path.segments.last().map_or(Shape::Unknown, of_name),
        _ => Shape::Unknown,
    }
}

fn of_name(segment: &syn::PathSegment) -> Shape {
    let name = segment.ident.to_string();
    match name.as_str() {
        "Option" | "Result" => Shape::Single,
        _ if is_message_type(&name) => Shape::Messages,
        _ if name.ends_with("Iterator") || name.ends_with("Stream") || name.ends_with("Iter") => {
            Shape::Elements
        }
        _ => Shape::Unknown,
    }
}
