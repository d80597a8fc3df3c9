//! Closures that query, passed to a function of the workspace that calls them in a loop.

use std::collections::HashMap;

use super::calls::{CallGraph, Link, LoopCall, first_query, link};
use super::keys::Key;
use super::modules::TypeKey;
use super::resolve::Ty;
use super::standard::pointee;
use crate::finding::Place;
use crate::rust::flow::{CallRef, FieldRef, Flow, Handed};
use crate::rust::site::{Loop, LoopKind, Origin};
use crate::rust::source::FunctionId;
use crate::rust::type_ref::TypeRef;

/// A parameter of a function.
pub(super) type Parameter = (FunctionId, usize);

/// A field that holds code, by the struct and its name.
pub(super) type Field = (TypeKey, String);

/// Parameters of functions that receive a closure: the loops that call them, and who passes them on.
#[derive(Default)]
struct Uses<'f> {
    looped: HashMap<Parameter, &'f Loop>,
    /// For each parameter, those whose closure calls are within a closure that it receives.
    passed_on: HashMap<Parameter, Vec<Parameter>>,
}

impl<'a> CallGraph<'a> {
    /// The parameters that functions call in a loop over data, themselves or by a function that they give a closure around
    /// it, each with the loop.
    pub(super) fn find_looped(&self) -> HashMap<Parameter, Loop> {
        let mut uses = Uses::default();
        for id in self.all_functions() {
            let Some((_, function)) = self.get(id) else { continue };
            self.find_uses(id, &function.flow, None, &mut Vec::new(), &mut uses);
        }
        let Uses { mut looped, passed_on } = uses;
        let mut open: Vec<Parameter> = looped.keys().copied().collect();
        open.sort_unstable();
        while let Some(parameter) = open.pop() {
            let Some(around) = looped.get(&parameter).copied() else { continue };
            for by in passed_on.get(&parameter).into_iter().flatten() {
                if !looped.contains_key(by) {
                    looped.insert(*by, around);
                    open.push(*by);
                }
            }
        }
        looped.into_iter().map(|(parameter, around)| (parameter, around.clone())).collect()
    }

    fn find_uses(
        &self,
        id: FunctionId,
        flow: &'a Flow,
        around: Option<&'a Loop>,
        inside: &mut Vec<&'a Handed>,
        uses: &mut Uses<'a>,
    ) {
        match flow {
            Flow::Parameter(called) => {
                if let Some(around) = around {
                    uses.looped.entry((id, *called)).or_insert(around);
                }
                for handed in inside.iter() {
                    for target in handed.call.map_or(&[][..], |call| self.targets_of(id.source, call)) {
                        uses.passed_on.entry((*target, handed.parameter)).or_default().push((id, *called));
                    }
                }
            }
            Flow::Loop(inner) => {
                let around = Some(&inner.head).filter(|head| head.exempt.is_none()).or(around);
                self.find_uses(id, &inner.body, around, inside, uses);
            }
            Flow::Handed(handed) => {
                inside.push(handed);
                self.find_uses(id, &handed.body, around, inside, uses);
                inside.pop();
            }
            _ => flow.children().iter().for_each(|part| self.find_uses(id, part, around, inside, uses)),
        }
    }

    /// The calls of a function that pass a closure which queries, to a function that calls it in a loop over
    /// data.
    pub(super) fn looping_helpers(&self, caller: FunctionId) -> Vec<LoopCall> {
        let Some((_, function)) = self.get(caller) else { return Vec::new() };
        let handed: Vec<&Handed> = function.flow.handed().collect();
        if handed.is_empty() || self.looped.is_empty() {
            return Vec::new();
        }
        let calls: HashMap<usize, &CallRef> = function.flow.calls().map(|call| (call.number, call)).collect();
        let mut found = Vec::new();
        for handed in handed {
            let Some(call) = handed.call.and_then(|number| calls.get(&number).copied()) else { continue };
            let targets = self.targets(caller.source, call);
            let around = targets.iter().find_map(|target| self.looped.get(&(*target, handed.parameter)));
            let (Some(around), Some(rest)) = (around.cloned(), self.to_query(caller, &handed.body)) else {
                continue;
            };
            let mut chain = vec![link(call, function)];
            chain.extend(rest);
            let candidates = targets.len();
            let aside = self.aside_of_handed(caller.source, &around, &handed.body);
            let (varies, call) = (true, call.clone());
            found.push(LoopCall {
                caller,
                candidates,
                runs_on: Vec::new(),
                dialect: None,
                in_transaction: false,
                handed: true,
                call,
                around,
                chain,
                aside,
                varies,
                takes_of_loop: true,
                key: Key::Unknown,
                is_checked: true,
                grows: true,
            });
        }
        found
    }

    /// Notes the code in fields, by the field: closures and functions that are put there, themselves or by a parameter of the
    /// function that builds the struct, each with the function that has it.
    pub(super) fn find_stored(&mut self) {
        let mut stored: HashMap<Field, Vec<_>> = HashMap::new();
        let mut kept: HashMap<Parameter, Vec<Field>> = HashMap::new();
        for (by, handed) in self.all_handed() {
            let Some(field) = handed.field.as_ref().and_then(|field| self.field(by, field)) else { continue };
            match handed.body {
                Flow::Parameter(parameter) => kept.entry((by, parameter)).or_default().push(field),
                _ => stored.entry(field).or_default().push((by, &handed.body)),
            }
        }
        for (by, handed) in self.all_handed().filter(|_| !kept.is_empty()) {
            for target in handed.call.map_or(&[][..], |call| self.targets_of(by.source, call)) {
                for field in kept.get(&(*target, handed.parameter)).into_iter().flatten() {
                    stored.entry(field.clone()).or_default().push((by, &handed.body));
                }
            }
        }
        (self.stored, self.kept) = (stored, kept);
    }

    /// The code in all fields of a name, where the type of the struct is not known: what any of them may do.
    pub(super) fn stored_as(&self, name: &str) -> Vec<(FunctionId, &'a Flow)> {
        let mut fields: Vec<_> = self.stored.iter().filter(|((_, field), _)| field == name).collect();
        fields.sort_by(|((one, _), _), ((other, _), _)| one.cmp(other));
        fields.into_iter().flat_map(|(_, code)| code.iter().copied()).collect()
    }

    /// All code that is given to a call or put into a field, with the function that does it.
    fn all_handed(&self) -> impl Iterator<Item = (FunctionId, &'a Handed)> {
        let functions = self.all_functions().filter_map(|id| Some((id, self.get(id)?.1)));
        functions.flat_map(|(id, function)| function.flow.handed().map(move |handed| (id, handed)))
    }

    /// The struct and the name of a field that a function uses.
    pub(super) fn field(&self, by: FunctionId, field: &FieldRef) -> Option<Field> {
        let of = self.names.resolve_type(&self.names.context(by)?, &field.of, 0)?;
        match pointee(of) {
            Ty::Named(key, _) => Some((key, field.name.clone())),
            Ty::Implements(_) | Ty::Object(_) => None,
        }
    }

    /// The chain from a call of the code in a field to its query, if all code that is put there leads to one.
    pub(super) fn chain_of_field(
        &self,
        caller: FunctionId,
        call: &CallRef,
        field: &FieldRef,
    ) -> Option<Vec<Link>> {
        let (_, function) = self.get(caller)?;
        let code = self.stored.get(&self.field(caller, field)?)?;
        let chains: Option<Vec<_>> = code.iter().map(|(by, body)| self.to_query(*by, body)).collect();
        let mut chain = vec![link(call, function)];
        chain.extend(chains?.into_iter().min_by_key(Vec::len)?);
        Some(chain)
    }

    /// The chain from the body of a closure to its query.
    fn to_query(&self, caller: FunctionId, body: &Flow) -> Option<Vec<Link>> {
        let (source, function) = self.get(caller)?;
        if let Some(site) = first_query(body, &source.scan.sites).and_then(|site| source.scan.sites.get(site))
        {
            // A query in a loop of the closure's own is reported there.
            let is_said = site.in_test || site.loops.iter().any(|around| around.exempt.is_none());
            return (!is_said).then(|| vec![Link::of(site, function)]);
        }
        body.calls().find_map(|call| {
            let is_said = call.batched || call.loops.iter().any(|around| around.exempt.is_none());
            if is_said { None } else { self.chain(function, call, self.targets(caller.source, call)) }
        })
    }
}

/// The loop in which a helper calls the closure passed to it.
pub(super) fn helper_loop(over: String, place: Place) -> Loop {
    Loop {
        origins: vec![Origin::Unknown],
        kind: LoopKind::For,
        place,
        over,
        of: TypeRef::Unknown,
        has_iter: false,
        pattern: String::new(),
        variables: Vec::new(),
        elements: Vec::new(),
        exempt: None,
        turns: None,
        pace: None,
        refills: false,
        is_joined: false,
        advances: Vec::new(),
    }
}
