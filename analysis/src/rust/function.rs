//! A function of Rust source: its identity, its budget, and what it runs.

use std::sync::Arc;

use super::flow::Flow;
use super::occasions::Occasion;
use super::site::{Allow, Loop};
use super::type_ref::TypeRef;
use crate::finding::Place;

/// One function or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its path inside the file: `Events::list`, `tests::dashboard`.
    pub path: Arc<str>,
    /// The name without the path.
    pub name: String,
    /// The modules that contain it inside the file, outermost first.
    pub module: Vec<String>,
    /// The type of the enclosing `impl` block, or the enclosing trait.
    pub self_type: Option<String>,
    /// The type of `Self`; unknown for a free function.
    pub owner: TypeRef,
    /// The trait that the `impl` block implements, resolved by the imports of the file.
    pub implements: Option<Vec<String>>,
    /// Its return type; for an `async fn`, the output of its future.
    pub returns: TypeRef,
    /// The place of its name.
    pub place: Place,
    /// The last line of its body; 0 if unknown.
    pub last_line: u32,
    /// Whether it is an `async fn`.
    pub is_async: bool,
    /// Whether it has a body: trait methods may have none.
    pub has_body: bool,
    /// Whether its body has no statements. That of a function that can reach no query is left out before it is parsed.
    pub is_blank: bool,
    /// Whether it returns cached values, and queries only on a miss.
    pub is_cached: bool,
    /// Whether it may change an argument: a `&mut` parameter that is not a connection, or itself.
    pub changes: bool,
    /// Whether a parameter may be code that it runs: a closure, or a function.
    pub runs_given: bool,
    /// Whether its body is nothing but a list of values.
    pub lists: bool,
    /// The variables that its parameters are, each with its position, including the receiver.
    pub inputs: Vec<(String, usize)>,
    /// The inputs of the closures that it takes, each with the position of its parameter, including the receiver.
    pub takes: Vec<(usize, Vec<TypeRef>)>,
    /// The parameters, by position including the receiver, that give a future if they are code.
    pub awaits: Vec<usize>,
    /// The parameters whose value is never changed in its body.
    pub kept: Vec<String>,
    /// Whether it is test code.
    pub in_test: bool,
    /// The `#[query_budget(..)]` above it.
    pub budget: Option<BudgetAttr>,
    /// What its attributes and the comments above it allow.
    pub allows: Vec<Allow>,
    /// The occasions on which it runs; empty if it runs on any.
    pub occasions: Vec<Occasion>,
    /// The bounds on its queries that this source alone implies.
    pub bound: Bound,
    /// What it does, in order, as far as queries and calls are concerned.
    pub flow: Flow,
}

impl Function {
    /// Whether it implements a method of a trait of this name.
    pub(crate) fn implements(&self, of_trait: &str) -> bool {
        self.implements.as_ref().and_then(|path| path.last()).is_some_and(|last| last == of_trait)
    }

    /// Whether a name in its body is a constant, or a parameter with the value that its caller passed.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        name.starts_with(char::is_uppercase) || self.kept.iter().any(|kept| kept == name)
    }
}

/// `#[query_budget(..)]` as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetAttr {
    /// The place of the attribute.
    pub place: Place,
    /// `max`, the number of queries.
    pub max: Option<Limit>,
    /// `rows`, the rows fetched in total.
    pub rows: Option<Limit>,
    /// `time`, as written.
    pub time: Option<String>,
}

/// A limit of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// A number.
    Literal(u64),
    /// An expression over the arguments, as written; only known at run time.
    Expression(String),
}

impl Limit {
    /// The number, if it is one.
    pub fn literal(&self) -> Option<u64> {
        match self {
            Limit::Literal(n) => Some(*n),
            Limit::Expression(_) => None,
        }
    }
}

/// How many queries a function runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The minimum, on the shortest path, including early returns with an error.
    pub lower: u64,
    /// The maximum, as far as its calls are known.
    pub upper: Upper,
    /// Calls that may run queries and whose functions are unknown.
    pub unknown: Vec<Step>,
    /// Calls of its own parameters that may run queries, each with the position of the parameter. What a caller passes counts where
    /// it calls.
    pub given: Vec<(usize, Step)>,
    /// The queries and calls on the most expensive path.
    pub steps: Vec<Step>,
}

impl Default for Bound {
    fn default() -> Bound {
        Bound { lower: 0, upper: Upper::Finite(0), unknown: Vec::new(), given: Vec::new(), steps: Vec::new() }
    }
}

/// The maximum number of queries of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upper {
    /// A number.
    Finite(u64),
    /// Unbounded; `why` is a lowercase fragment, for instance ``runs a query once per element of `&events`
    /// ``.
    Unbounded {
        /// The cause.
        why: String,
        /// The loop, or the recursive call.
        place: Place,
    },
}

impl Upper {
    /// Whether it exceeds `max`.
    pub fn exceeds(&self, max: u64) -> bool {
        match self {
            Upper::Finite(n) => *n > max,
            Upper::Unbounded { .. } => true,
        }
    }
}

/// One query or call on a path through a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place in the source.
    pub place: Place,
    /// What it is, as written: `sql!`, `Self::load`.
    pub what: String,
    /// How many queries one run of it takes; `None` if unbounded.
    pub queries: Option<u64>,
    /// The loops around it, outermost first.
    pub loops: Vec<Loop>,
}

impl Step {
    /// How many queries it runs: `1`, ``1 × each element of `&events` (loop at line 14)``.
    pub fn times(&self) -> String {
        let mut text = self.queries.map_or_else(|| "unbounded".to_owned(), |n| n.to_string());
        for around in &self.loops {
            text.push_str(&match around.turns {
                Some(turns) => format!(" × {turns} iterations (loop at line {})", around.place.line),
                None if around.over.is_empty() => {
                    format!(" × each iteration (loop at line {})", around.place.line)
                }
                None => format!(" × each element of `{}` (loop at line {})", around.over, around.place.line),
            });
        }
        text
    }

    /// The step in the description of a path: `1 at line 12`.
    pub fn describe(&self) -> String {
        format!("{} at line {}", self.times(), self.place.line)
    }
}

impl Bound {
    /// The calls that may run queries beyond the maximum: of functions that are unknown, and of what it is given.
    pub fn open(&self) -> impl Iterator<Item = &Step> {
        self.unknown.iter().chain(self.given.iter().map(|(_, step)| step))
    }

    /// Whether there are such calls, so that the maximum is not known.
    pub fn is_open(&self) -> bool {
        self.open().next().is_some()
    }

    /// The most expensive path, for a message: `1 at line 12, and 1 × 3 iterations (loop at line 14) at line 16`.
    pub fn path(&self) -> String {
        match self.steps.split_last() {
            None => "nothing".to_owned(),
            Some((last, [])) => last.describe(),
            Some((last, first)) => {
                let first: Vec<String> = first.iter().map(Step::describe).collect();
                format!("{}, and {}", first.join(", "), last.describe())
            }
        }
    }
}
