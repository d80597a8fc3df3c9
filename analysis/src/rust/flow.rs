//! What a function does in order, as far as queries and calls are concerned: the form in which bounds are computed.

use super::site::{Allow, Loop};
use super::type_ref::TypeRef;
use crate::finding::Place;

/// A piece of a function's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// One query, by its position among the sites of the scan.
    Query(usize),
    /// A call of some function.
    Call(CallRef),
    /// One after the other.
    Seq(Vec<Flow>),
    /// One of them.
    Branch(Vec<Flow>),
    /// Again and again.
    Loop(Box<LoopFlow>),
    /// A closure or async block: leaving it early does not leave what is around it.
    Scope(Box<Flow>),
    /// A call of what the function is given as this parameter, counted from 0, the receiver included.
    Parameter(usize),
    /// A closure that a call is given: it runs as often as the called function calls it.
    Handed(Box<Handed>),
    /// `return`, or a macro that leaves the function.
    Return,
    /// `?`: leaves the function, or goes on.
    Try,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// A closure that a call is given, or that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The number of the call; `None` for a closure that is kept to be called by whoever has it.
    pub call: Option<usize>,
    /// The parameter that it is for, counted from 0, the receiver included.
    pub parameter: usize,
    /// Where it stands.
    pub place: Place,
    /// What it is, for messages: ``a closure given to `each` ``.
    pub written: String,
    /// Whether what it is given to is known for calling it once, so that its function need not be found.
    pub once: bool,
    /// What it does when it is called.
    pub body: Flow,
}

/// A loop and what it does in one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopFlow {
    /// The loop.
    pub head: Loop,
    /// One turn.
    pub body: Flow,
    /// Whether the first turn is always begun (`loop`).
    pub enters: bool,
    /// Whether `head.turns` is exact, and not only the most.
    pub exact: bool,
}

/// A call of a function that is not a query by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRef {
    /// Its number among the calls of the file.
    pub number: usize,
    /// Where the function's name stands.
    pub place: Place,
    /// The call as written, for messages: `self.load`, `orders::count`.
    pub written: String,
    /// What is called.
    pub callee: Callee,
    /// Whether `.await` follows.
    pub awaited: bool,
    /// How many arguments it is given.
    pub arguments: usize,
    /// The loops around it inside its function, outermost first, those that are exempt included.
    pub loops: Vec<Loop>,
    /// Whether it is made only when a buffer is full, so that it does for many elements at once.
    pub batched: bool,
    /// What is allowed here, by comments above the statement and attributes of the functions around.
    pub allows: Vec<Allow>,
}

/// What a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A path with the imports of its file applied: `crate::db::load`, `Self::load`, `load`.
    Path(Vec<String>),
    /// A method of the type at hand: `self.load(..)`.
    SelfMethod(String),
    /// A method of something else.
    Method {
        /// Its name.
        name: String,
        /// The type it is called on.
        on: TypeRef,
    },
}

impl Callee {
    /// The name of what is called, without its path.
    pub fn name(&self) -> &str {
        match self {
            Callee::Path(path) => path.last().map_or("", String::as_str),
            Callee::SelfMethod(name) | Callee::Method { name, .. } => name,
        }
    }
}

impl Flow {
    /// Nothing at all.
    pub const EMPTY: Flow = Flow::Seq(Vec::new());

    /// One after the other; what is single stays single.
    pub fn seq(mut parts: Vec<Flow>) -> Flow {
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => Flow::Seq(parts),
        }
    }

    /// It, or nothing.
    pub fn maybe(self) -> Flow {
        if self.is_empty() { self } else { Flow::Branch(vec![self, Flow::EMPTY]) }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().all(Flow::is_empty),
            Flow::Scope(inner) => inner.is_empty(),
            Flow::Handed(handed) => handed.body.is_empty(),
            _ => false,
        }
    }

    /// Whether a query is in it.
    pub fn has_query(&self) -> bool {
        match self {
            Flow::Query(_) => true,
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(Flow::has_query),
            Flow::Loop(inner) => inner.body.has_query(),
            Flow::Scope(inner) => inner.has_query(),
            Flow::Handed(handed) => handed.body.has_query(),
            _ => false,
        }
    }

    /// Calls `visit` with every call in it, in order.
    pub fn each_call<'f>(&'f self, visit: &mut impl FnMut(&'f CallRef)) {
        match self {
            Flow::Call(call) => visit(call),
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().for_each(|part| part.each_call(visit)),
            Flow::Loop(inner) => inner.body.each_call(visit),
            Flow::Scope(inner) => inner.each_call(visit),
            Flow::Handed(handed) => handed.body.each_call(visit),
            _ => {}
        }
    }

    /// Calls `visit` with the name of every function and method that is called in it.
    pub fn each_called<'f>(&'f self, visit: &mut impl FnMut(&'f str)) {
        match self {
            Flow::Call(call) => visit(call.callee.name()),
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().for_each(|part| part.each_called(visit)),
            Flow::Loop(inner) => inner.body.each_called(visit),
            Flow::Scope(inner) => inner.each_called(visit),
            Flow::Handed(handed) => handed.body.each_called(visit),
            _ => {}
        }
    }

    /// Whether a query or a call is in it.
    pub fn runs_something(&self) -> bool {
        match self {
            Flow::Query(_) | Flow::Call(_) | Flow::Parameter(_) => true,
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(Flow::runs_something),
            Flow::Loop(inner) => inner.body.runs_something(),
            Flow::Scope(inner) => inner.runs_something(),
            Flow::Handed(handed) => handed.body.runs_something(),
            Flow::Return | Flow::Try | Flow::Break | Flow::Continue => false,
        }
    }
}
