//! Connections and the transactions on them: by their types, and by what began them, whatever their names are.

use syn::{Expr, ExprMethodCall};

use super::excerpt::written;
use super::locals::Local;
use super::reach::{self, named};
use super::{Walker, variables};
use crate::rust::place_at;
use crate::rust::query_names;
use crate::rust::site::{Call, SiteSql};
use crate::rust::type_ref::TypeRef;

/// The methods of drivers that call a closure with a transaction.
const GIVES_TRANSACTION: &[&str] = &[
    "exclusive_transaction",
    "immediate_transaction",
    "test_transaction",
    "transaction",
    "transaction_with_config",
    "with_transaction",
];

/// A transaction that is open on a connection without being that connection: `BEGIN`, `let tx = conn.unchecked_transaction()?`.
#[derive(Debug, Clone)]
pub(in crate::rust) struct Open {
    /// The connection, as written.
    on: String,
    /// The variable that holds the transaction, if one does.
    held_by: Option<String>,
    /// The number of loops around its beginning.
    loops: usize,
}

impl Walker<'_> {
    /// What is known of the connection that a query runs on.
    pub(super) fn connection(&self, on: Option<&Expr>) -> Call {
        let Some(on) = on else { return Call::default() };
        let ty = self.type_of(on);
        Call {
            on: variables::mentions(on),
            field: reach::field(on),
            dialect: self.database_of(&ty),
            parameter: self.passed_on(behind(on)),
            begun: self.is_begun(on) || self.opened_on(on).is_some(),
            ty,
            ..Call::default()
        }
    }

    /// Records that a query runs by a call, in a transaction with so many loops around its beginning.
    pub(super) fn set_call(&mut self, query: usize, unit: usize, call: Call) {
        let Some(site) = self.sites.get_mut(query) else { return };
        site.unit = site.unit.max(unit);
        if site.call.as_ref().is_none_or(|call| !query_names::is_executor(&call.method)) {
            site.call = Some(call);
        }
    }

    /// Records that prepared statements run by a method of theirs.
    pub(super) fn executed_where_prepared(&mut self, queries: &[usize], node: &ExprMethodCall) {
        let place = place_at(&self.file, node.method.span().start());
        for &query in queries {
            let Some(connection) = self.prepared_on.get(&query).cloned() else { continue };
            let unit = self.unit_of_names(connection.on.iter());
            self.set_call(
                query,
                unit,
                Call { method: node.method.to_string(), place: place.clone(), ..connection },
            );
        }
    }

    /// Whether a connection is a transaction that the current function began.
    fn is_begun(&self, on: &Expr) -> bool {
        variables::mentions(on).iter().any(|name| self.here.locals.get(name).is_some_and(|it| it.begins))
    }

    /// The transaction that is open on a connection.
    fn opened_on(&self, on: &Expr) -> Option<&Open> {
        if self.here.open.is_empty() {
            return None;
        }
        let on = written(behind(on));
        self.here.open.iter().rev().find(|open| open.on == on)
    }

    /// The number of loops around the beginning of the transaction that is open on a connection; 0 if none is.
    pub(super) fn unit_on(&self, on: Option<&Expr>) -> usize {
        on.and_then(|on| self.opened_on(on)).map_or(0, |open| open.loops)
    }

    /// Whether a value is a transaction, by its type or by what began it.
    fn is_transaction(&self, value: &Expr) -> bool {
        let is_one = |ty: &TypeRef| {
            let last = named(ty).and_then(|path| path.last());
            last.is_some_and(|last| is_type_of_transactions(last))
        };
        let is_local =
            |name: &String| self.here.locals.get(name).is_some_and(|local| local.begins || is_one(&local.ty));
        variables::mentions(value).iter().any(is_local)
            || self.in_file(&self.type_of(value)).is_some_and(|ty| is_one(&ty))
            || self.opened_on(value).is_some()
    }

    /// Notes which of the values of a call are transactions, and which vary, in the order of its parameters.
    pub(super) fn note_transactions<'e>(&mut self, values: impl Iterator<Item = &'e Expr> + Clone) {
        self.here.unit = self.unit_of(values.clone());
        let is_of_loop = |name: &String| self.here.loops.iter().any(|around| around.variables.contains(name));
        let mut varying = Vec::new();
        let mut found = Vec::new();
        let mut typed = Vec::new();
        for (position, value) in values.enumerate() {
            if !self.here.loops.is_empty() && variables::mentions(value).iter().any(is_of_loop) {
                varying.push(position);
            }
            let ty = self.type_of(behind(value));
            if self.is_transaction(value) {
                found.push(position);
            } else if is_known_later(&ty) {
                typed.push((position, ty));
            }
        }
        (self.here.transactions, self.here.typed, self.here.varying) = (found, typed, varying);
    }

    /// Notes that a variable holds a transaction which is open on another connection: `conn.unchecked_transaction()?`.
    pub(super) fn note_held(&mut self, local: &Local, value: &Expr) {
        if let Some(on) = opened_by(value) {
            let (on, held_by) = (written(behind(on)), Some(local.name.clone()));
            self.here.open.push(Open { on, held_by, loops: self.here.loops.len() });
        }
    }

    /// Notes that a variable is out of scope, and ends what it holds.
    pub(super) fn end_held(&mut self, name: &str) {
        self.here.open.retain(|open| open.held_by.as_deref() != Some(name));
    }

    /// Notes that a method begins a transaction, or ends that which a variable holds.
    pub(super) fn note_end(&mut self, node: &ExprMethodCall) {
        let name = node.method.to_string();
        if name == "begin" || name.starts_with("begin_") {
            let begun = (written(&node.receiver), self.sites.len(), self.here.loops.len());
            return self.here.begun.push(begun);
        }
        if !(name == "commit" || name == "finish" || name == "commit_transaction") {
            return;
        }
        if node.args.is_empty() {
            self.note_committed(&node.receiver);
        }
        if let Expr::Path(path) = node.receiver.as_ref()
            && !self.here.open.is_empty()
            && let Some(name) = path.path.get_ident().map(ToString::to_string)
        {
            self.end_held(&name);
        }
    }

    /// Notes that what ran on a value is committed here, whatever the value's type is: on a variable that holds the transaction, or
    /// on what began one before.
    fn note_committed(&mut self, on: &Expr) {
        let held = match on {
            Expr::Path(path) => path.path.get_ident().filter(|name| *name != "self").map(ToString::to_string),
            _ => None,
        };
        let local = held.as_ref().and_then(|name| self.here.locals.get(name)).map(|local| (0, local.loops));
        let text = written(on);
        let begun = || {
            let at = self.here.begun.iter().rposition(|(begun, ..)| *begun == text)?;
            self.here.begun.get(at).map(|(_, first, loops)| (*first, *loops))
        };
        let Some((first, loops)) = local.or_else(begun) else { return };
        let names = variables::mentions(on);
        let path = self.here.path.clone();
        // A pool runs each statement on any of its connections.
        let is_on = |call: &Call| {
            call.on.iter().any(|on| names.contains(on))
                && !call.executor().iter().any(|name| names_pool(name))
        };
        let later = self.sites.iter_mut().skip(first).filter(|site| site.function == path);
        for site in later {
            if let Some(call) = site.call.as_mut().filter(|call| is_on(call)) {
                call.begun = true;
                site.unit = site.unit.max(loops);
            }
        }
    }

    /// Notes that a statement begins or ends a transaction on a connection: `conn.execute_batch("BEGIN")`. A pool runs the next
    /// statement on any of its connections. What rolls back does so after an error, or at the end.
    pub(super) fn note_session(&mut self, site: usize, on: &Expr) {
        let Some(SiteSql::Literal(sql)) = self.sites.get(site).map(|site| &site.sql) else { return };
        let mut words = sql.text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let Some(first) = words.next().map(str::to_ascii_lowercase) else { return };
        let ends = |word: &str| word.eq_ignore_ascii_case("commit") || word.eq_ignore_ascii_case("end");
        let begins = first == "begin" && !words.any(ends);
        if !begins && !ends(&first) || is_pool(&self.type_of(on), on) {
            return;
        }
        let (on, loops) = (written(behind(on)), self.here.loops.len());
        match begins {
            true => self.here.open.push(Open { on, held_by: None, loops }),
            false => self.here.open.retain(|open| open.held_by.is_some() || open.on != on),
        }
    }

    /// Notes that the variables of a pattern hold a transaction: `if let Ok(tx) = conn.transaction()`.
    pub(super) fn note_begun(&mut self, pattern: &syn::Pat, value: &Expr) {
        if !begins(value) {
            return;
        }
        for name in variables::bindings(pattern) {
            if let Some(local) = self.here.locals.get_mut(&name) {
                local.begins = true;
            }
        }
    }

    /// Assigns to the inputs of a closure the types that the function gives which it is passed to.
    pub(super) fn type_inputs(&mut self, closure: &syn::ExprClosure) {
        let Some((to, position)) = self.here.handing.take() else { return };
        for (at, input) in closure.inputs.iter().enumerate() {
            let ty = to.clone().step(|to| TypeRef::HandedTo(to, position, at));
            self.type_pattern(input, ty);
        }
        let gives = matches!(&to, TypeRef::Method(_, name) if GIVES_TRANSACTION.contains(&name.as_str()));
        for name in closure.inputs.last().filter(|_| gives).into_iter().flat_map(variables::bindings) {
            if let Some(local) = self.here.locals.get_mut(&name) {
                local.begins = true;
            }
        }
    }
}

/// Whether a type of this name is a transaction: `rusqlite::Savepoint`, `sqlx::SqliteTransaction`.
pub(in crate::rust) fn is_type_of_transactions(name: &str) -> bool {
    name.ends_with("Transaction") || name == "Savepoint"
}

/// What is behind references: `conn` in `&mut **conn`.
fn behind(value: &Expr) -> &Expr {
    match value {
        Expr::Reference(inner) => behind(&inner.expr),
        Expr::Paren(inner) => behind(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => behind(&inner.expr),
        value => value,
    }
}

/// Whether a value is a transaction that begins here: `pool.begin().await?`.
pub(super) fn begins(value: &Expr) -> bool {
    match value {
        Expr::Await(node) => begins(&node.base),
        Expr::Try(node) => begins(&node.expr),
        Expr::MethodCall(node) => match node.method.to_string().as_str() {
            "begin" | "savepoint" => true,
            name if name.starts_with("begin_") || name.starts_with("transaction_with_") => true,
            // `transaction(|tx| ..)` gives what its closure does.
            name if name == "transaction" || name.ends_with("_transaction") => {
                !matches!(node.args.last(), Some(Expr::Closure(_)))
            }
            "unwrap" | "expect" | "map_err" | "context" => begins(&node.receiver),
            _ => false,
        },
        _ => false,
    }
}

/// The connection on which a value begins a transaction that does not borrow it for itself.
fn opened_by(value: &Expr) -> Option<&Expr> {
    match value {
        Expr::Await(inner) => opened_by(&inner.base),
        Expr::Try(inner) => opened_by(&inner.expr),
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "unchecked_transaction" => Some(&call.receiver),
            "unwrap" | "expect" | "map_err" | "context" => opened_by(&call.receiver),
            _ => None,
        },
        Expr::Call(call) => {
            let Expr::Path(path) = call.func.as_ref() else { return None };
            let is_new = path.path.segments.last().is_some_and(|last| last.ident == "new_unchecked");
            call.args.first().filter(|_| is_new)
        }
        _ => None,
    }
}

/// Whether a type is resolved only once all files are known: that of a field, or of what a function gives to a closure.
fn is_known_later(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Field(..) | TypeRef::HandedTo(..) | TypeRef::SelfType => true,
        TypeRef::Named(path, _) => path.last().is_some_and(|last| is_type_of_transactions(last)),
        _ => false,
    }
}

fn is_pool(ty: &TypeRef, on: &Expr) -> bool {
    let of_type = named(ty).and_then(|path| path.last()).is_some_and(|last| last.ends_with("Pool"));
    of_type || variables::mentions(on).iter().any(|name| names_pool(name))
}

fn names_pool(name: &str) -> bool {
    name.split('_').any(|word| word == "pool")
}
