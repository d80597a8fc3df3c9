//! Numbers that the source determines: literals, constants, lengths of lists, and the ranges between them.

use std::cell::RefCell;
use std::collections::HashMap;

use syn::{Expr, Lit, RangeLimits};

use super::shape::{MAX_CONSTANTS, Shape, Shapes, at, is_constant};
use super::sql_text::segments;

/// The shape of a range.
pub(super) fn of_range(range: &syn::ExprRange, around: &dyn Shapes, depth: usize) -> Shape {
    let bound = |end: &Option<Box<Expr>>| end.as_deref().map(|end| number(end, around, depth));
    let fixed = |end: &Option<Box<Expr>>| end.as_deref().is_none_or(is_fixed);
    let (start, end) = (bound(&range.start), bound(&range.end));
    // A variable may be a number as well.
    let is_known = matches!(end, Some(Some(_))) && !matches!(start, Some(None));
    if range.end.is_none() || !(is_known || fixed(&range.start) && fixed(&range.end)) {
        return Shape::Elements;
    }
    let turns = end.flatten().zip(start.unwrap_or(Some(Number::of(0)))).map(|(end, start)| {
        let turns = |end: u64, start: u64| match range.limits {
            RangeLimits::HalfOpen(_) => end.saturating_sub(start),
            RangeLimits::Closed(_) => end.saturating_add(1).saturating_sub(start),
        };
        Number { least: turns(end.least, start.most), most: turns(end.most, start.least) }
    });
    counted(turns)
}

/// The longer of two shapes with a fixed number of elements, of which one is meant.
pub(super) fn longer(a: Shape, b: Shape) -> Shape {
    match (a, b) {
        (Shape::Fixed(Some(a), x), Shape::Fixed(Some(b), y)) => {
            Shape::Fixed(Some(a.max(b)), x && y && a == b)
        }
        _ => Shape::Fixed(None, true),
    }
}

/// A number that constants determine, which may be different ones in different builds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Number {
    fn of(number: u64) -> Number {
        Number { least: number, most: number }
    }
}

/// The constants that were read for one expression, by the addresses of their values: each is read once, and one that
/// names itself is not known.
#[derive(Default)]
pub(in crate::rust) struct Known {
    numbers: RefCell<HashMap<usize, Option<Number>>>,
    shapes: RefCell<HashMap<usize, Shape>>,
}

impl Known {
    /// Forgets all, for another expression.
    pub(super) fn clear(&self) {
        self.numbers.take();
        self.shapes.take();
    }

    /// The number that the value of a constant is, read at most once.
    fn number(&self, value: &Expr, read: impl FnOnce() -> Option<Number>) -> Option<Number> {
        once(&self.numbers, value, read)
    }

    /// The shape of the value of a constant, read at most once.
    pub(super) fn shape(&self, value: &Expr, read: impl FnOnce() -> Shape) -> Shape {
        once(&self.shapes, value, read)
    }
}

fn once<T: Copy + Default>(known: &RefCell<HashMap<usize, T>>, of: &Expr, read: impl FnOnce() -> T) -> T {
    let address = std::ptr::from_ref(of).addr();
    let found = known.borrow().get(&address).copied();
    found.unwrap_or_else(|| {
        known.borrow_mut().insert(address, T::default());
        let value = read();
        known.borrow_mut().insert(address, value);
        value
    })
}

/// So many elements.
pub(super) fn counted(number: Option<Number>) -> Shape {
    let is_exact = number.is_none_or(|number| number.least == number.most);
    Shape::Fixed(number.map(|number| number.most), is_exact)
}

/// The number that an expression is, if it is one alone.
pub(in crate::rust) fn single_number(expression: &Expr, around: &dyn Shapes) -> Option<u64> {
    around.known().clear();
    number(expression, around, 0).filter(|number| number.least == number.most).map(|number| number.most)
}

/// Whether an expression consists only of literals and constants.
pub(super) fn is_fixed(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(_) => true,
        Expr::Path(path) => {
            path.path.segments.last().is_some_and(|last| is_constant(&last.ident.to_string()))
        }
        Expr::Paren(inner) => is_fixed(&inner.expr),
        Expr::Cast(inner) => is_fixed(&inner.expr),
        Expr::Binary(binary) => is_fixed(&binary.left) && is_fixed(&binary.right),
        Expr::MethodCall(call) => call.method == "len" && is_fixed(&call.receiver),
        _ => false,
    }
}

/// The number that an expression is, as far as constants determine it.
pub(super) fn number(expression: &Expr, around: &dyn Shapes, depth: usize) -> Option<Number> {
    if depth > MAX_CONSTANTS {
        return None;
    }
    let next = |inner: &Expr| number(inner, around, depth + 1);
    match expression {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok().map(Number::of),
        Expr::Paren(inner) => next(&inner.expr),
        Expr::Cast(inner) => next(&inner.expr),
        Expr::Binary(binary) => {
            let (a, b) = (next(&binary.left)?, next(&binary.right)?);
            let of = |f: fn(u64, u64) -> Option<u64>| {
                Some(Number { least: f(a.least, b.least)?, most: f(a.most, b.most)? })
            };
            match binary.op {
                syn::BinOp::Add(_) => of(u64::checked_add),
                syn::BinOp::Mul(_) => of(u64::checked_mul),
                _ => None,
            }
        }
        // At most the smaller of both, of which one may be unknown.
        Expr::MethodCall(call) if call.method == "min" && call.args.len() == 1 => {
            let both = [Some(call.receiver.as_ref()), call.args.first()];
            let most = both.into_iter().flatten().filter_map(next).map(|number| number.most).min()?;
            Some(Number { least: 0, most })
        }
        Expr::MethodCall(call) if call.method == "clamp" && call.args.len() == 2 => {
            Some(Number { least: 0, most: next(call.args.last()?)?.most })
        }
        Expr::MethodCall(call) if call.method == "len" && call.args.is_empty() => {
            match at(&call.receiver, around, depth + 1) {
                Shape::Fixed(Some(most), is_exact) if is_fixed(&call.receiver) => {
                    Some(Number { least: if is_exact { most } else { 0 }, most })
                }
                _ => None,
            }
        }
        Expr::Path(path) => {
            let names = segments(&path.path);
            if let [name] = names.as_slice()
                && let Some(number) = around.local_number(name)
            {
                return number.map(Number::of);
            }
            let known = around.constant_values(&names).iter();
            let values: Option<Vec<Number>> =
                known.map(|value| around.known().number(value, || next(value))).collect();
            values?
                .into_iter()
                .reduce(|a, b| Number { least: a.least.min(b.least), most: a.most.max(b.most) })
        }
        _ => None,
    }
}
