//! Where the elements of a value come from: the call that returns them, through conversions, fields and collections that are filled.
//! From this follows whether a loop over them grows with the data.

use syn::spanned::Spanned;
use syn::{Block, Expr, Pat, Stmt};

use super::Walker;
use super::exits::{ends_in, is_exit};
use super::locals::Local;
use super::parts;
use super::reach::is_connection;
use super::shape::{Shape, is_constant};
use super::sql_text::segments;
use super::variables;
use crate::rust::methods::{Yields, yields};
use crate::rust::place_at;
use crate::rust::site::Origin;

/// The maximum number of steps from a value to its source.
const MAX_ORIGIN_STEPS: usize = 60;

/// The maximum number of origins of a value.
const MAX_ORIGINS: usize = 8;

/// Types by which web frameworks pass a part of a request.
const EXTRACTORS: &[&str] = &[
    "Form",
    "Json",
    "JsonBody",
    "Multipart",
    "Path",
    "Payload",
    "Query",
    "Request",
    "Validated",
    "ValidatedJson",
];

/// The names of connections.
const CONNECTIONS: &[&str] =
    &["conn", "connection", "db", "executor", "pg", "pool", "self", "transaction", "trx", "tx", "txn"];

/// Methods that give what the receiver and the argument have.
const JOINS: &[&str] = &[
    "chain",
    "difference",
    "intersection",
    "merge",
    "or",
    "symmetric_difference",
    "union",
    "unwrap_or",
    "zip",
];

/// The functions that are awaited and only gather the results of others.
const GATHERS: &[&str] =
    &["boxed", "collect", "instrument", "into_future", "join_all", "timeout", "try_collect", "try_join_all"];

impl Walker<'_> {
    /// The origins of a value's elements; none if the source determines them.
    pub(super) fn origins(&self, value: &Expr) -> Vec<Origin> {
        let mut found = Vec::new();
        self.trace(value, 0, &mut found);
        found
    }

    fn trace(&self, value: &Expr, depth: usize, found: &mut Vec<Origin>) {
        // A long chain has many givers, and finding their places takes time.
        if found.len() >= MAX_ORIGINS {
            return overflow(found);
        }
        let mut add = |origin: Origin| note(found, origin);
        if depth > MAX_ORIGIN_STEPS {
            return add(Origin::Unknown);
        }
        let depth = depth + 1;
        match value {
            Expr::Lit(_) | Expr::Closure(_) | Expr::Repeat(_) => {}
            Expr::Reference(inner) => self.trace(&inner.expr, depth, found),
            Expr::Paren(inner) => self.trace(&inner.expr, depth, found),
            Expr::Group(inner) => self.trace(&inner.expr, depth, found),
            Expr::Try(inner) => self.trace(&inner.expr, depth, found),
            Expr::Await(inner) => self.trace_awaited(&inner.base, depth, found),
            Expr::Unary(inner) => self.trace(&inner.expr, depth, found),
            Expr::Cast(inner) => self.trace(&inner.expr, depth, found),
            Expr::Field(inner) => self.trace(&inner.base, depth, found),
            Expr::Index(inner) => self.trace(&inner.expr, depth, found),
            Expr::Range(range) => {
                range.start.iter().chain(&range.end).for_each(|end| self.trace(end, depth, found));
            }
            Expr::Array(list) => list.elems.iter().for_each(|part| self.trace(part, depth, found)),
            Expr::Tuple(list) => list.elems.iter().for_each(|part| self.trace(part, depth, found)),
            Expr::Struct(made) => {
                made.fields.iter().for_each(|field| self.trace(&field.expr, depth, found));
                // Its methods may add more.
                note(found, Origin::Unknown);
            }
            Expr::Path(path) => {
                let parts = segments(&path.path);
                let name = parts.last().map_or("", String::as_str);
                match self.here.locals.get(name).filter(|_| parts.len() == 1) {
                    Some(local) => local.origins.iter().for_each(|origin| add(*origin)),
                    None if name == "self" => add(Origin::Unknown),
                    None if is_constant(name) || name == "None" => {}
                    None => add(Origin::Unknown),
                }
            }
            Expr::MethodCall(call) if splits_path(call) => add(Origin::Segment),
            Expr::MethodCall(call) => {
                let method = call.method.to_string();
                self.trace(&call.receiver, depth, found);
                if !found.is_empty() && found.iter().all(|it| *it == Origin::Segment) && adapts(&method) {
                    return;
                }
                if gives_shared(&method) {
                    note(found, Origin::Unknown);
                }
                let joins = JOINS.contains(&method.as_str());
                self.trace_given(call.method.span(), call.args.iter().filter(|_| joins), depth, found);
            }
            Expr::Call(call) => {
                let Expr::Path(path) = call.func.as_ref() else { return add(Origin::Unknown) };
                let last = path.path.segments.last();
                let is_constructor =
                    last.is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase));
                let span = last.map_or_else(|| path.span(), |last| last.ident.span());
                if is_constructor {
                    call.args.iter().for_each(|part| self.trace(part, depth, found));
                } else {
                    self.trace_given(span, call.args.iter(), depth, found);
                }
            }
            Expr::Macro(mac) if mac.mac.path.is_ident("vec") && mac.mac.tokens.is_empty() => {}
            Expr::If(node) => {
                self.trace_tail(&node.then_branch, depth, found);
                if let Some((_, otherwise)) = &node.else_branch {
                    self.trace(otherwise, depth, found);
                }
            }
            Expr::Block(node) => self.trace_tail(&node.block, depth, found),
            Expr::Match(node) => {
                self.trace(&node.expr, depth, found);
                for arm in &node.arms {
                    let bound = variables::bindings(&arm.pat);
                    let gives_bound = variables::mentions(&arm.body).iter().any(|name| bound.contains(name));
                    if !gives_bound && !ends_in(&arm.body, &is_exit) {
                        self.trace(&arm.body, depth, found);
                    }
                }
            }
            _ => add(Origin::Unknown),
        }
    }

    /// What a call returns, and the arguments that it makes it from.
    fn trace_given<'e>(
        &self,
        span: proc_macro2::Span,
        arguments: impl Iterator<Item = &'e Expr>,
        depth: usize,
        found: &mut Vec<Origin>,
    ) {
        let place = place_at(&self.file, span.start());
        note(found, Origin::Given(place.line, place.column));
        let is_plain = |value: &&Expr| !matches!(value, Expr::Closure(_) | Expr::Lit(_));
        for argument in arguments.filter(is_plain).filter(|value| !self.is_connection(value)) {
            self.trace(argument, depth, found);
        }
    }

    /// Whether a value is a connection, by its type or its whole name: `db_events` holds events.
    fn is_connection(&self, value: &Expr) -> bool {
        let is_one = |name: &String| CONNECTIONS.contains(&name.as_str());
        let is_named = || matches!(variables::mentions(value).as_slice(), [only] if is_one(only));
        self.is_database(value) && (is_connection(&self.type_of(value)) || is_named())
    }

    /// What is waited for: the answer of a call, whatever its arguments, or futures and streams that were made before.
    fn trace_awaited(&self, value: &Expr, depth: usize, found: &mut Vec<Origin>) {
        let (name, span) = match value {
            Expr::MethodCall(call) => (call.method.to_string(), call.method.span()),
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Path(path) => match path.path.segments.last() {
                    Some(last) => (last.ident.to_string(), last.ident.span()),
                    None => return,
                },
                _ => return self.trace(value, depth, found),
            },
            _ => return self.trace(value, depth, found),
        };
        if GATHERS.contains(&name.as_str()) {
            return self.trace(value, depth, found);
        }
        self.trace_given(span, std::iter::empty(), depth, found);
    }

    fn trace_tail(&self, block: &Block, depth: usize, found: &mut Vec<Origin>) {
        match block.stmts.last() {
            Some(Stmt::Expr(tail, None)) if ends_in(tail, &is_exit) => {}
            // What the block declares is out of scope.
            Some(Stmt::Expr(tail, None)) if block.stmts.len() == 1 => self.trace(tail, depth, found),
            _ => note(found, Origin::Unknown),
        }
    }

    /// Brings the variables of a pattern into scope, with where their value comes from.
    pub(super) fn bind_from(&mut self, pattern: &Pat, shape: Shape, origins: &[Origin]) {
        let loops = self.here.loops.len();
        for name in variables::bindings(pattern) {
            self.here.locals.push(Local { shape, origins: origins.to_vec(), ..Local::new(name, loops) });
        }
    }

    /// Notes how many elements a part of a list has that a pattern binds: `Some(three) = ids.first_chunk::<3>()`.
    pub(super) fn bind_cut(&mut self, pattern: &Pat, value: &syn::Expr) {
        let Some((part, shape)) = parts::cut(value, self) else { return };
        let Some(Pat::Ident(name)) = parts::cut_off(pattern, part) else { return };
        if let Some(local) = self.here.locals.get_mut(&name.ident.to_string()) {
            local.shape = shape;
        }
    }

    /// Notes what a method adds to a collection: its elements come from the argument, as often as the loops around it.
    pub(super) fn note_added(&mut self, node: &syn::ExprMethodCall) {
        if yields(&node.method.to_string()) != Some(Yields::Growth) {
            return;
        }
        self.type_added(node);
        let Some(name) = root(&node.receiver) else { return };
        let Some(declared) = self.here.locals.get(&name).map(|local| local.loops) else { return };
        let mut added: Vec<Origin> = node.args.iter().flat_map(|value| self.origins(value)).collect();
        added.extend(self.here.loops.iter().skip(declared).flat_map(|around| around.origins.iter().copied()));
        self.add_origins(&name, &added);
    }

    pub(super) fn add_origins(&mut self, name: &str, added: &[Origin]) {
        let Some(local) = self.here.locals.get_mut(name) else { return };
        for origin in added {
            note(&mut local.origins, *origin);
        }
    }

    /// The origins of the arguments of a call, in the order of its parameters. What is borrowed mutably may be filled.
    pub(super) fn note_passed(&mut self, values: &[&Expr]) {
        self.here.passed = values.iter().map(|value| self.origins(value)).collect();
        for value in values {
            let lent = match value {
                Expr::Reference(lent) if lent.mutability.is_some() => root(&lent.expr),
                Expr::MethodCall(call) if call.method.to_string().ends_with("_mut") => root(&call.receiver),
                _ => None,
            };
            if let Some(name) = lent.filter(|_| !self.is_connection(value)) {
                self.add_origins(&name, &[Origin::Unknown]);
            }
        }
    }
}

/// Whether a method gives what other code may have put there.
fn gives_shared(method: &str) -> bool {
    matches!(yields(method), Some(Yields::Borrowed | Yields::Locked | Yields::Loaded)) || method == "drain"
}

/// Whether a method gives the elements of its receiver, in another form or some of them.
fn adapts(method: &str) -> bool {
    matches!(yields(method), Some(Yields::Copy | Yields::Elements | Yields::Subset))
        || matches!(method, "collect" | "enumerate" | "map")
}

/// Whether a chain of methods gives the segments of a path: `path.split('/').filter(..).collect()`.
fn splits_path(call: &syn::ExprMethodCall) -> bool {
    let is_slash = |by: &Expr| match by {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Char(by), .. }) => by.value() == '/',
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(by), .. }) => by.value() == "/",
        _ => false,
    };
    let mut call = call;
    loop {
        match call.method.to_string().as_str() {
            "split" | "rsplit" | "split_terminator" => return call.args.first().is_some_and(is_slash),
            method if adapts(method) => {}
            _ => return false,
        }
        let Expr::MethodCall(inner) = call.receiver.as_ref() else { return false };
        call = inner;
    }
}

/// Where a parameter comes from: a part of a request, or the callers.
pub(super) fn of_parameter(input: &syn::PatType, position: usize) -> Origin {
    let is_extractor = |path: &syn::Path| {
        path.segments.last().is_some_and(|last| EXTRACTORS.iter().any(|name| last.ident == name))
    };
    let is_request = match (input.pat.as_ref(), input.ty.as_ref()) {
        (Pat::TupleStruct(pattern), _) => is_extractor(&pattern.path),
        (_, syn::Type::Path(ty)) => is_extractor(&ty.path),
        _ => false,
    };
    if is_request { Origin::Request } else { Origin::Parameter(position) }
}

/// Adds an origin, if it is new.
fn note(found: &mut Vec<Origin>, origin: Origin) {
    if found.contains(&origin) {
        return;
    }
    if found.len() < MAX_ORIGINS { found.push(origin) } else { overflow(found) }
}

/// Where there are too many origins, the last of them is unknown.
fn overflow(found: &mut [Origin]) {
    if let Some(last) = found.last_mut() {
        *last = Origin::Unknown;
    }
}

/// The variable in which a method adds something: `seen` in `seen.entry(key).or_default().push(..)`.
pub(super) fn root(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Field(field) => root(&field.base),
        Expr::Index(index) => root(&index.expr),
        Expr::Reference(inner) => root(&inner.expr),
        Expr::Unary(inner) => root(&inner.expr),
        Expr::Paren(inner) => root(&inner.expr),
        _ => None,
    }
}
