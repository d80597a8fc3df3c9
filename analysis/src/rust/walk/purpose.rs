//! Loops: what drives them, and whether a query in them runs once per element or for an acceptable reason.

use syn::{Block, Expr, Pat};

use super::ends;
use super::shape::Shape;
use super::signs::{Signs, asks_the_time, is_page, is_receiver, is_try};
use super::variables;

/// The number of iterations is in the source.
pub(in crate::rust) const FIXED: &str = "its number of iterations is fixed";
/// Each iteration handles a batch.
pub(in crate::rust) const BATCHES: &str = "each iteration takes a batch";
/// A service: the work of one iteration does not depend on the number of iterations.
pub(in crate::rust) const SERVICE: &str = "each iteration waits for something to do";
/// The same attempt, repeated until it succeeds.
pub(in crate::rust) const RETRY: &str = "it tries again until it succeeds";
/// Pages or batches, until none is left.
pub(in crate::rust) const PAGES: &str = "it goes on until a query finds nothing more";
/// An option or result, iterated like a collection.
pub(in crate::rust) const ONCE: &str = "it has at most one iteration";
/// A query on a cache miss, whose result is cached.
pub(in crate::rust) const KEPT: &str = "what it reads is kept for the next iterations";
/// A separate connection, database or schema for each element.
pub(in crate::rust) const DATABASES: &str = "each iteration works on a different database";
/// A query in a branch that ends the loop.
pub(in crate::rust) const LEAVES: &str = "the loop is left after it";

/// Code behind a flag that it sets, or for one iteration alone.
pub(in crate::rust) const SELDOM: &str = "it runs in one of the iterations";

/// Calls in the arms of a `match` over the element: different work for different elements, which cannot be
/// batched.
pub(in crate::rust) const DISPATCHES: &str = "each iteration does something different";

/// Over trait objects: plug-ins, providers, processors, whose number is fixed by the program.
pub(in crate::rust) const COMPONENTS: &str = "its elements are parts of the program";

/// The maximum number of iterations that counts as fixed where there may be fewer.
const FEW: u64 = 20;

/// The properties of a loop that do not depend on its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) struct Turns {
    pub(in crate::rust) exempt: Option<&'static str>,
    pub(in crate::rust) count: Option<u64>,
    /// Whether `count` is exact, rather than a maximum.
    pub(in crate::rust) exact: bool,
}

impl Turns {
    /// Once per element.
    const WORK: Turns = Turns { exempt: None, count: None, exact: false };

    fn exempt(reason: &'static str) -> Turns {
        Turns { exempt: Some(reason), ..Turns::WORK }
    }
}

/// A loop over a value of this shape.
pub(in crate::rust) fn over(shape: Shape) -> Turns {
    match shape {
        Shape::Unknown | Shape::Elements => Turns::WORK,
        Shape::Batches => Turns::exempt(BATCHES),
        // A maximum of many is none.
        Shape::Fixed(Some(most), false) if most > FEW => Turns { count: Some(most), ..Turns::WORK },
        Shape::Fixed(count, exact) => Turns { exempt: Some(FIXED), count, exact },
        Shape::Single => Turns { exempt: Some(ONCE), count: Some(1), exact: false },
        Shape::Messages => Turns::exempt(SERVICE),
        Shape::Pages => Turns::exempt(PAGES),
        Shape::Components => Turns::exempt(COMPONENTS),
    }
}

/// A `for` loop over a value of this shape.
pub(in crate::rust) fn for_loop(pattern: &Pat, iterable: &Expr, shape: Shape, body: &Block) -> Turns {
    let turns = over(shape);
    if turns.exempt.is_some() {
        return turns;
    }
    let names = variables::bindings(pattern);
    let is_range = matches!(iterable, Expr::Range(_));
    if is_range && (names.iter().any(|name| is_try(name)) || Signs::of_expr(iterable).tries) {
        return Turns::exempt(RETRY);
    }
    if is_range && names.iter().any(|name| is_page(name)) && !Signs::of_block(body).only_writes() {
        return Turns::exempt(PAGES);
    }
    if let Expr::Path(path) = iterable
        && shape != Shape::Elements
        && path.path.get_ident().is_some_and(|name| is_receiver(&name.to_string()))
    {
        return Turns::exempt(SERVICE);
    }
    let signs = Signs::of_block(body);
    // Tried in sequence until one succeeds.
    if signs.succeeds {
        return Turns::exempt(RETRY);
    }
    // Polling with a limited number of attempts.
    let is_unused = matches!(pattern, Pat::Wild(_)) || names.iter().all(|name| name.starts_with('_'));
    if is_unused && is_range && signs.waits {
        return Turns::exempt(SERVICE);
    }
    turns
}

/// A `while` or `while let` loop; `drawn` is the shape of what its condition draws from (`xs` in
/// `xs.next().await`), and `is_listed` says whether an expression gives that, such as a query's rows, rather than a type.
pub(in crate::rust) fn while_loop(
    condition: &Expr,
    body: &Block,
    drawn: Option<Shape>,
    is_listed: bool,
) -> Turns {
    let asked = Signs::of_expr(condition);
    let signs = Signs::of_block(body);
    if asked.receives
        || signs.acknowledges
        || drawn == Some(Shape::Messages)
        || asked.draws
            && takes_message(condition)
            && !(drawn == Some(Shape::Elements) && (is_listed || is_at_hand(condition)))
    {
        return Turns::exempt(SERVICE);
    }
    if asked.draws {
        return over(drawn.unwrap_or_default());
    }
    if asked.tries || signs.tries && !signs.draws {
        return Turns::exempt(RETRY);
    }
    if asked.stops || asked.waits || asks_the_time(condition) || signs.receives {
        return Turns::exempt(SERVICE);
    }
    if signs.draws {
        return Turns::WORK;
    }
    if signs.waits {
        return Turns::exempt(SERVICE);
    }
    let counted: Vec<String> = variables::mentions(condition);
    // It counts what is left to try, and ends before that if it succeeds.
    if signs.succeeds || signs.outcomes.iter().any(|name| counted.contains(name)) {
        return Turns::exempt(RETRY);
    }
    if signs.steps.iter().any(|step| counted.contains(step)) {
        return Turns::WORK;
    }
    if ends::is_by_data(Some(condition), body, &signs.steps) {
        return Turns::WORK;
    }
    Turns::exempt(PAGES)
}

/// Whether a condition receives a message, judging by its name: it is handled as it arrives, regardless of
/// later ones.
fn takes_message(condition: &Expr) -> bool {
    let Expr::Let(condition) = condition else { return false };
    let messages = ["msg", "message", "notification", "command", "cmd", "signal"];
    variables::bindings(&condition.pat).iter().any(|name| messages.contains(&name.as_str()))
}

/// Whether a condition draws without waiting for it: `ids.next()`.
fn is_at_hand(condition: &Expr) -> bool {
    matches!(condition, Expr::Let(condition) if matches!(condition.expr.as_ref(), Expr::MethodCall(_)))
}

pub(in crate::rust) fn endless_loop(body: &Block) -> Turns {
    let signs = Signs::of_block(body);
    if signs.receives || signs.stops && !signs.draws {
        return Turns::exempt(SERVICE);
    }
    if signs.tries && !signs.draws {
        return Turns::exempt(RETRY);
    }
    if signs.draws {
        return if signs.waits { Turns::exempt(SERVICE) } else { Turns::WORK };
    }
    if signs.waits {
        return Turns::exempt(if signs.succeeds { RETRY } else { SERVICE });
    }
    // Day after day up to a last one: each is known before the loop.
    if signs.days.iter().any(|day| signs.limits.contains(day)) || ends::is_by_data(None, body, &signs.steps) {
        return Turns::WORK;
    }
    Turns::exempt(PAGES)
}
