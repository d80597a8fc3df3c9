//! The shapes of several iterators that become one: chained, side by side, nested.

use syn::Expr;

use super::shape::Shape;

/// The result of `flatten`: options yield at most one element each; other nested values may be long.
pub(super) fn flattened(receiver: &Expr, next: &dyn Fn(&Expr) -> Shape) -> Shape {
    let (nest, is_walked) = walked(receiver);
    match nest {
        // An iterator of one value, which may be a list: `once(list)`.
        Expr::Call(call) if is_once(call) => match call.args.first().map_or(Shape::Unknown, next) {
            // A message is not an iterator of them.
            Shape::Messages => Shape::Unknown,
            shape => shape,
        },
        Expr::Array(array) if array.elems.iter().all(|element| next(element) == Shape::Single) => {
            Shape::Fixed(u64::try_from(array.elems.len()).ok(), false)
        }
        _ => match next(receiver) {
            // An option of an option.
            Shape::Single if !is_walked => Shape::Single,
            shape @ (Shape::Messages | Shape::Pages | Shape::Unknown) => shape,
            _ => Shape::Elements,
        },
    }
}

fn is_once(call: &syn::ExprCall) -> bool {
    matches!(call.func.as_ref(), Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "once"))
}

/// What a chain iterates over, and whether it starts the iteration.
fn walked(chain: &Expr) -> (&Expr, bool) {
    match chain {
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "iter" | "iter_mut" | "into_iter" | "drain" => (walked(&call.receiver).0, true),
            _ => walked(&call.receiver),
        },
        _ => (chain, false),
    }
}

/// The shape of so many values of a shape, one after the other.
pub(super) fn repeated(turns: Option<u64>, exact: bool, each: Shape) -> Shape {
    match (turns, each) {
        (Some(turns), Shape::Fixed(Some(each), is_exact)) => {
            Shape::Fixed(turns.checked_mul(each), exact && is_exact)
        }
        (turns, Shape::Single) => Shape::Fixed(turns, false),
        (_, Shape::Fixed(..)) => Shape::Fixed(None, false),
        _ => Shape::Elements,
    }
}

/// The value of a block that consists of it alone.
pub(super) fn tail(body: &Expr) -> &Expr {
    match body {
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [syn::Stmt::Expr(value, None)] => value,
            _ => body,
        },
        body => body,
    }
}

/// The shape of two chained iterators.
pub(super) fn chained(first: Shape, second: Shape) -> Shape {
    let turns = |shape: Shape| match shape {
        Shape::Fixed(turns, exact) => Some((turns, exact)),
        Shape::Single => Some((Some(1), false)),
        _ => None,
    };
    match (first, second) {
        (Shape::Messages, _) => Shape::Messages,
        _ => match turns(first).zip(turns(second)) {
            Some(((Some(a), x), (Some(b), y))) => Shape::Fixed(Some(a.saturating_add(b)), x && y),
            Some(_) => Shape::Fixed(None, false),
            None => Shape::Elements,
        },
    }
}

/// The shape of two iterators side by side: the shorter of them ends it.
pub(super) fn zipped(first: Shape, second: Shape) -> Shape {
    match (first, second) {
        (Shape::Fixed(Some(a), _), Shape::Fixed(Some(b), _)) => Shape::Fixed(Some(a.min(b)), false),
        (Shape::Fixed(None, _), Shape::Fixed(turns, _))
        | (Shape::Fixed(turns, _), _)
        | (_, Shape::Fixed(turns, _)) => Shape::Fixed(turns, false),
        (shape, _) => shape,
    }
}

/// The shape of two sets together: what is in both of them is one element.
pub(super) fn united(first: Shape, second: Shape) -> Shape {
    match chained(first, second) {
        Shape::Fixed(turns, _) => Shape::Fixed(turns, false),
        shape => shape,
    }
}
