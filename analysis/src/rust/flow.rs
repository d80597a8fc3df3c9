//! What a function does, in order, as far as queries and calls are concerned: the representation from which
//! bounds are computed.

use std::{iter, slice};

use super::site::{Allow, Loop, Origin};
use super::type_ref::TypeRef;
use crate::finding::Place;

/// A piece of a function's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// One query, by its position among the sites of the scan.
    Query(usize),
    /// A value that may run as a query later, a builder or prepared statement, by its position among the sites: only while a function
    /// is walked, after which it is a query if it is not known where it runs.
    Made(usize),
    /// A call of some function.
    Call(Box<CallRef>),
    /// In sequence.
    Seq(Vec<Flow>),
    /// One of several branches.
    Branch(Vec<Flow>),
    Loop(Box<LoopFlow>),
    /// A closure or async block: an early exit leaves only itself, not the code around it.
    Scope(Box<Flow>),
    /// A block that `break` can leave: one with a label, or the arms of a `match` whose guards run something.
    Block(Box<Flow>),
    /// A call of a parameter of the function, counted from 0, including the receiver.
    Parameter(usize),
    /// A closure passed to a call: it runs as often as the called function calls it.
    Handed(Box<Handed>),
    /// `return`, or a macro that returns.
    Return,
    /// `?`: returns, or continues.
    Try,
    /// `break` of the loop or block around it, counted from the innermost, which is 0.
    Break(usize),
    /// `continue` of such a loop.
    Continue(usize),
}

/// A closure that is passed to a call, or stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The number of the call; `None` for a stored closure, which anyone who has it may call.
    pub call: Option<usize>,
    /// The parameter that receives it, counted from 0, including the receiver.
    pub parameter: usize,
    /// Its place in the source.
    pub place: Place,
    /// What it is, for messages: ``a closure passed to `each` ``.
    pub written: String,
    /// Whether the callee is known to call it once, so that its function need not be resolved.
    pub once: bool,
    /// What the closure does.
    pub body: Flow,
    /// The field of a struct that it is stored in.
    pub field: Option<FieldRef>,
}

/// A field that holds code: a closure, a function, or a parameter that is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRef {
    /// The struct.
    pub of: TypeRef,
    /// The name of the field, or its position in a tuple struct.
    pub name: String,
}

/// A loop, and what one iteration does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopFlow {
    /// The loop.
    pub head: Loop,
    /// One iteration.
    pub body: Flow,
    /// Whether the first iteration always starts (`loop`).
    pub enters: bool,
    /// Whether `head.turns` is exact, rather than a maximum.
    pub exact: bool,
}

/// A call of a function that is not itself a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRef {
    /// Its number among the calls of the file.
    pub number: usize,
    /// The place of the function's name.
    pub place: Place,
    /// The call as written, for messages: `self.load`, `orders::count`.
    pub written: String,
    /// What is called.
    pub callee: Callee,
    /// Whether `.await` follows.
    pub awaited: bool,
    /// The number of arguments.
    pub arguments: usize,
    /// The loops around it inside its function, outermost first, including exempt ones.
    pub loops: Vec<Loop>,
    /// The number of loops around the declaration of the transaction that it gets, which each of their iterations begins anew;
    /// 0 if it gets none.
    pub unit: usize,
    /// The arguments that are transactions of its caller, by position, including the receiver: what it begins on one is a savepoint.
    pub transactions: Vec<usize>,
    /// The types of those that may be transactions, which only all files together tell.
    pub typed: Vec<(usize, TypeRef)>,
    /// Whether it runs only after an error.
    pub rare: bool,
    /// Whether a condition in the innermost loop, other than a pattern, decides that it runs.
    pub chosen: bool,
    /// Whether an error of it is handled without leaving the iteration of a loop.
    pub isolated: bool,
    /// Whether it gets a client of a service, or is a method of one, judging by its name or type.
    pub on_service: bool,
    /// Whether it sends a request by an HTTP client, judging by types and paths. Clients that block do so without `.await`.
    pub sends: bool,
    /// Whether it gets a connection, or is a method of a value that holds one, judging by its name or type.
    pub on_database: bool,
    /// The arguments that are code which was followed, by position, including the receiver.
    pub code: Vec<usize>,
    /// Whether it is a method, or code that is a value, and gets a pool or connection as an argument, by its type.
    pub takes_connection: bool,
    /// The variables in its receiver and arguments, all connections left out; `None` if its arguments may change in
    /// each iteration for a reason of its own.
    pub given: Option<Vec<String>>,
    /// Where its arguments come from, in the order of the parameters, including the receiver.
    pub passed: Vec<Vec<Origin>>,
    /// The arguments that mention a variable of a loop around it, by position, including the receiver.
    pub varying: Vec<usize>,
    /// Whether a result that is missing ends the function, and what becomes of one that is there.
    pub demanded: Demanded,
    /// Whether it runs only when a buffer is full, so that it handles many elements at once.
    pub batched: bool,
    /// What comments above the statement and attributes of enclosing functions allow here.
    pub allows: Vec<Allow>,
}

/// What becomes of the result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Demanded {
    /// Anything.
    #[default]
    No,
    /// It has to be there, and is dropped.
    Dropped,
    /// It has to be there, and has a name.
    Named,
}

/// What a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A path, resolved by the imports of its file: `crate::db::load`, `Self::load`, `load`.
    Path(Vec<String>),
    /// A method on `self`: `self.load(..)`.
    SelfMethod(String),
    /// A method on another value.
    Method {
        name: String,
        /// The type of the receiver.
        on: TypeRef,
    },
    /// The code in a field: `(self.load)(..)`.
    Field(FieldRef),
    /// Code of which nothing is known: in a variable, whose name it has, in an element, or given by a call.
    Value(String),
}

impl Callee {
    /// The name of what is called, without its path.
    pub fn name(&self) -> &str {
        match self {
            Callee::Path(path) => path.last().map_or("", String::as_str),
            Callee::SelfMethod(name) | Callee::Method { name, .. } | Callee::Value(name) => name,
            Callee::Field(field) => &field.name,
        }
    }
}

impl Flow {
    /// An empty flow.
    pub const EMPTY: Flow = Flow::Seq(Vec::new());

    /// A sequence; a single part is returned as it is.
    pub fn seq(mut parts: Vec<Flow>) -> Flow {
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => Flow::Seq(parts),
        }
    }

    /// A branch between this flow and nothing.
    pub fn maybe(self) -> Flow {
        if self.is_empty() { self } else { Flow::Branch(vec![self, Flow::EMPTY]) }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Flow::Seq(_) | Flow::Branch(_) | Flow::Scope(_) | Flow::Block(_) | Flow::Handed(_) => {
                self.children().iter().all(Flow::is_empty)
            }
            _ => false,
        }
    }

    /// The flows directly inside this one, in order.
    pub fn children(&self) -> &[Flow] {
        match self {
            Flow::Seq(parts) | Flow::Branch(parts) => parts,
            Flow::Loop(inner) => slice::from_ref(&inner.body),
            Flow::Scope(inner) | Flow::Block(inner) => slice::from_ref(inner),
            Flow::Handed(handed) => slice::from_ref(&handed.body),
            Flow::Query(_)
            | Flow::Made(_)
            | Flow::Call(_)
            | Flow::Parameter(_)
            | Flow::Return
            | Flow::Try
            | Flow::Break(_)
            | Flow::Continue(_) => &[],
        }
    }

    /// This flow and all flows inside it, in order, each before those inside it.
    pub fn walk(&self) -> impl Iterator<Item = &Flow> {
        let mut open = vec![slice::from_ref(self).iter()];
        iter::from_fn(move || {
            while let Some(innermost) = open.last_mut() {
                if let Some(flow) = innermost.next() {
                    open.push(flow.children().iter());
                    return Some(flow);
                }
                open.pop();
            }
            None
        })
    }

    /// Every call in it, in order.
    pub fn calls(&self) -> impl Iterator<Item = &CallRef> {
        self.walk().filter_map(|flow| match flow {
            Flow::Call(call) => Some(&**call),
            _ => None,
        })
    }

    /// Every query in it, in order, by its position among the sites of the scan.
    pub fn queries(&self) -> impl Iterator<Item = usize> {
        self.walk().filter_map(|flow| match flow {
            Flow::Query(site) => Some(*site),
            _ => None,
        })
    }

    /// Every closure in it that is given to a call, in order.
    pub fn handed(&self) -> impl Iterator<Item = &Handed> {
        self.walk().filter_map(|flow| match flow {
            Flow::Handed(handed) => Some(&**handed),
            _ => None,
        })
    }

    /// Whether it contains a query.
    pub fn has_query(&self) -> bool {
        self.walk().any(|flow| matches!(flow, Flow::Query(_) | Flow::Made(_)))
    }

    /// Whether it contains a query or a call.
    pub fn runs_something(&self) -> bool {
        let runs =
            |flow| matches!(flow, &(Flow::Query(_) | Flow::Made(_) | Flow::Call(_) | Flow::Parameter(_)));
        self.walk().any(runs)
    }

    /// Whether it may leave the function, or more than `inside` of the loops and blocks around it.
    pub fn leaves(&self, inside: usize) -> bool {
        match self {
            Flow::Return | Flow::Try => true,
            Flow::Break(out) | Flow::Continue(out) => *out >= inside,
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(|part| part.leaves(inside)),
            Flow::Loop(inner) => inner.body.leaves(inside + 1),
            Flow::Block(inner) => inner.leaves(inside + 1),
            _ => false,
        }
    }

    /// Turns values that run later into queries where `runs_here` holds.
    pub(in crate::rust) fn settle(&mut self, runs_here: &impl Fn(usize) -> bool) {
        match self {
            Flow::Made(site) => {
                *self = if runs_here(*site) { Flow::Query(*site) } else { Flow::EMPTY };
            }
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter_mut().for_each(|it| it.settle(runs_here)),
            Flow::Loop(inner) => inner.body.settle(runs_here),
            Flow::Scope(inner) | Flow::Block(inner) => inner.settle(runs_here),
            Flow::Handed(handed) => handed.body.settle(runs_here),
            _ => {}
        }
    }
}
