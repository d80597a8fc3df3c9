//! Which queries run in a transaction: by the type of their connection, by what began it, and by what the callers pass.

use std::collections::HashSet;

use super::calls::CallGraph;
use super::growth::Callers;
use super::resolve::{Context, Names, Ty, last};
use super::standard::pointee;
use crate::rust::flow::{CallRef, Callee};
use crate::rust::methods::is_lock;
use crate::rust::site::Origin;
use crate::rust::source::FunctionId;
use crate::rust::type_ref::TypeRef;
use crate::rust::walk::is_type_of_transactions;

/// The maximum number of calls that are followed, from a query to where its transaction begins and back.
const MAX_CALL_DEPTH: usize = 8;

/// The maximum number of types that are followed through the fields that hold them.
const MAX_WRAPPERS: usize = 3;

impl CallGraph<'_> {
    /// Whether a query runs in a transaction.
    pub(super) fn in_transaction(&self, id: FunctionId, at: usize, callers: &Callers<'_>) -> bool {
        let site = self.get(id).and_then(|(source, _)| source.scan.sites.get(at));
        site.and_then(|site| site.call.as_ref()).is_some_and(|call| {
            call.begun
                || self.is_transaction(id, &call.ty)
                || call.parameter.is_some_and(|it| self.is_given_one(id, it, callers, &mut HashSet::new()))
        })
    }

    /// Whether the query that a call of one of these functions reaches first runs in a transaction that the call is given.
    pub(super) fn passes_transaction(
        &self,
        caller: FunctionId,
        call: &CallRef,
        targets: &[FunctionId],
        callers: &Callers<'_>,
    ) -> bool {
        let mut given = self.transactions_in(caller, call, &|parameter| {
            self.is_given_one(caller, parameter, callers, &mut HashSet::new())
        });
        // What a transaction does by a method of its own is in it.
        let is_method = matches!(call.callee, Callee::Method { .. } | Callee::SelfMethod(_));
        if is_method && given.contains(&0) {
            return true;
        }
        let target = self.nearest_target(targets);
        let end = target.and_then(|target| {
            self.walk_to_query(target, |at, call| {
                given = self.transactions_in(at, call, &|parameter| given.contains(&parameter));
            })
        });
        let end = end.and_then(|(at, site)| Some((at, site.call.as_ref()?)));
        end.is_some_and(|(at, call)| {
            !call.begun
                && (call.parameter.is_some_and(|it| given.contains(&it))
                    || is_kept(&call.ty) && self.is_transaction(at, &call.ty))
        })
    }

    /// The arguments of a call that are transactions, by position; `is_one` says which of the caller's parameters are.
    fn transactions_in(
        &self,
        caller: FunctionId,
        call: &CallRef,
        is_one: &dyn Fn(usize) -> bool,
    ) -> Vec<usize> {
        let typed = call.typed.iter().filter(|(_, ty)| self.is_transaction(caller, ty));
        let is_passed = |origin: &Origin| matches!(origin, Origin::Parameter(at) if is_one(*at));
        let passed = call.passed.iter().enumerate().filter(|(_, origins)| origins.iter().any(is_passed));
        let known = call.transactions.iter().copied().chain(typed.map(|(at, _)| *at));
        known.chain(passed.map(|(at, _)| at)).collect()
    }

    /// Whether all callers of a function pass a transaction as this parameter.
    fn is_given_one(
        &self,
        function: FunctionId,
        parameter: usize,
        callers: &Callers<'_>,
        seen: &mut HashSet<(FunctionId, usize)>,
    ) -> bool {
        let calls = callers.get(&function).map_or(&[][..], Vec::as_slice);
        if calls.is_empty() || seen.len() > MAX_CALL_DEPTH || !seen.insert((function, parameter)) {
            return false;
        }
        calls.iter().all(|(caller, call)| {
            let is_typed = |(at, ty): &(usize, TypeRef)| *at == parameter && self.is_transaction(*caller, ty);
            call.transactions.contains(&parameter)
                || call.typed.iter().any(is_typed)
                || call.passed.get(parameter).into_iter().flatten().any(|origin| {
                    matches!(origin, Origin::Parameter(at) if self.is_given_one(*caller, *at, callers, seen))
                })
        })
    }

    /// Whether a type, as written in a function, is a transaction.
    fn is_transaction(&self, function: FunctionId, ty: &TypeRef) -> bool {
        if *ty == TypeRef::Unknown {
            return false;
        }
        let context = self.names().context(function);
        let resolved = context.and_then(|context| self.names().resolve_type(&context, ty, 0));
        resolved.is_some_and(|ty| self.names().is_transaction(ty, 0))
    }
}

impl Names<'_> {
    /// Whether a type is a transaction: a library's by its name, the project's if it holds one.
    fn is_transaction(&self, ty: Ty, depth: usize) -> bool {
        let Ty::Named(key, arguments) = pointee(ty) else { return false };
        if last(&key) == "Option" || is_lock(last(&key)) {
            let inner = arguments.into_iter().next().flatten();
            return depth < MAX_WRAPPERS && inner.is_some_and(|ty| self.is_transaction(ty, depth + 1));
        }
        let Some(fields) = self.fields.get(&key) else { return is_type_of_transactions(last(&key)) };
        let holds = |ty: &TypeRef| {
            let context = Context { generics: fields.generics, ..Names::in_module(fields.module) };
            self.resolve_type(&context, ty, 0).is_some_and(|ty| self.is_transaction(ty, depth + 1))
        };
        depth < MAX_WRAPPERS && fields.list.iter().any(|(_, ty)| holds(ty))
    }

    /// Whether a type is an array.
    pub(super) fn is_array(&self, context: &Context<'_>, ty: &TypeRef) -> bool {
        let ty = self.resolve_type(context, ty, 0).map(pointee);
        matches!(ty, Some(Ty::Named(key, arguments)) if last(&key) == "[]" && arguments.len() == 2)
    }

    /// The type that a function gives to a closure; `function` is the type of what it returns.
    pub(super) fn handed(
        &self,
        context: &Context<'_>,
        function: &TypeRef,
        position: usize,
        input: usize,
        depth: usize,
    ) -> Option<Ty> {
        let found = match function {
            TypeRef::Returned(path) => self.function(context, path),
            TypeRef::Method(of, name) => {
                self.method_on(&self.resolve_type(context, of, depth + 1)?, name, depth)
            }
            _ => return None,
        };
        let id = *found.first()?;
        let (_, inputs) = self.function_at(id)?.takes.iter().find(|(at, _)| *at == position)?;
        self.resolve_type(&self.context(id)?, inputs.get(input)?, depth + 1)
    }
}

/// Whether a connection is one that its function was given, or that its type keeps: the function did not begin it.
fn is_kept(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Named(..) | TypeRef::SelfType => true,
        TypeRef::Field(of, _) => is_kept(of),
        _ => false,
    }
}
