//! What types and traits inherit: supertraits, blanket implementations, and dereferencing.

use std::collections::HashMap;

use super::connections;
use super::modules::{ModuleId, PathTarget, TypeKey};
use super::resolve::{self, Context, Names, Ty};
use super::standard::{is_collection, is_pointer, is_wrapper, pointee};
use crate::rust::source::FunctionId;
use crate::rust::type_ref::TypeRef;

/// The maximum number of steps through supertraits and blanket implementations.
const MAX_TRAIT_STEPS: usize = 8;

/// The maximum number of functions that a trait method call may resolve to and still be reported.
const MOST_CANDIDATES: usize = 4;

/// The trait that declares an associated type, and what the type is or what is asked of it, with the module where that is written.
type Associated<'a> = (TypeKey, ModuleId, &'a TypeRef);

/// The relations between all types and traits of a set of sources.
#[derive(Debug, Default)]
pub(super) struct Kinship<'a> {
    /// The supertraits of each trait.
    pub(super) supertraits: HashMap<TypeKey, Vec<TypeKey>>,
    /// `impl<T: A + B> C for T`: the required traits that the workspace declares, and the implemented one.
    pub(super) blankets: Vec<(Vec<TypeKey>, TypeKey)>,
    /// The traits that are implemented for everything that runs queries: `impl<'e, E: PgExecutor<'e>> C for E`.
    for_executors: Vec<TypeKey>,
    /// The `Deref` target of each type, and the module in which it is written.
    pub(super) derefs: HashMap<TypeKey, (ModuleId, &'a TypeRef)>,
    /// The associated types of each type, and what each trait asks of its own, by the type or trait and by
    /// name.
    associated: HashMap<(TypeKey, &'a str), Vec<Associated<'a>>>,
    /// The types whose methods of a trait are those of the values in them, with the types of these.
    dispatched: HashMap<TypeKey, (ModuleId, &'a [TypeRef])>,
}

impl Kinship<'_> {
    /// These traits, with all traits that their implementors have as well.
    pub(super) fn all(&self, traits: &[TypeKey]) -> Vec<TypeKey> {
        let mut all = traits.to_vec();
        for _ in 0..MAX_TRAIT_STEPS {
            let mut more: Vec<TypeKey> =
                all.iter().filter_map(|of| self.supertraits.get(of)).flatten().cloned().collect();
            let gives = |(asked, _): &&(Vec<TypeKey>, TypeKey)| {
                !asked.is_empty() && asked.iter().all(|of| all.contains(of))
            };
            more.extend(self.blankets.iter().filter(gives).map(|(_, given)| given.clone()));
            if !self.for_executors.is_empty() && all.iter().any(|of| connections::is_executor(of)) {
                more.extend(self.for_executors.iter().cloned());
            }
            more.retain(|of| !all.contains(of));
            more.dedup();
            if more.is_empty() {
                break;
            }
            all.extend(more);
        }
        all
    }
}

impl Names<'_> {
    /// Collects supertraits, blanket implementations and `Deref` targets.
    pub(super) fn add_kinship(&mut self) {
        for source in self.sources.clone() {
            for items in &source.scan.items {
                let module = self.modules.enter(source, &items.module);
                let context = Names::in_module(module);
                for (name, asked) in &items.traits {
                    let asked = asked.iter().map(|path| self.trait_key(&context, path)).collect();
                    self.kinship.supertraits.insert(self.modules.key(module, name), asked);
                }
                for (asked, given) in &items.blankets {
                    let declared = |path: &Vec<String>| match self.modules.scope(module, path) {
                        Some(PathTarget::Trait(key)) => Some(key),
                        _ => None,
                    };
                    let of_workspace: Vec<TypeKey> = asked.iter().filter_map(declared).collect();
                    let given = self.trait_key(&context, given);
                    let runs = |path: &Vec<String>| connections::is_executor(&self.trait_key(&context, path));
                    if of_workspace.is_empty() && asked.iter().any(runs) {
                        self.kinship.for_executors.push(given.clone());
                    }
                    self.kinship.blankets.push((of_workspace, given));
                }
                for (of, implemented) in &items.implemented {
                    let Some(Ty::Named(key, _)) = self.resolve_type(&context, of, 0) else { continue };
                    let implemented = self.trait_key(&context, implemented);
                    let traits = self.traits_of.entry(key).or_default();
                    if !traits.contains(&implemented) {
                        traits.push(implemented);
                    }
                }
                for it in &items.associated {
                    let keys = match self.resolve_type(&context, &it.of, 0) {
                        Some(Ty::Named(key, _)) => vec![key],
                        Some(Ty::Implements(traits)) => traits,
                        _ => Vec::new(),
                    };
                    let of_trait = self.trait_key(&context, &it.of_trait);
                    for key in keys {
                        let known = self.kinship.associated.entry((key, it.name.as_str())).or_default();
                        known.push((of_trait.clone(), module, &it.ty));
                    }
                }
                for (name, held) in &items.dispatched {
                    let key = self.modules.key(module, name);
                    self.kinship.dispatched.insert(key, (module, held));
                }
                for (of, target) in &items.derefs {
                    if let Some(Ty::Named(key, _)) = self.resolve_type(&context, of, 0) {
                        self.kinship.derefs.insert(key, (module, target));
                    }
                }
            }
        }
    }

    /// The `Deref` target of a type.
    pub(super) fn deref(&self, ty: &Ty, depth: usize) -> Option<Ty> {
        let Ty::Named(key, _) = ty else { return None };
        if let Some(connection) = connections::inside(ty) {
            return Some(connection);
        }
        let (module, target) = self.kinship.derefs.get(key).filter(|_| depth < resolve::MAX_RESOLVE_STEPS)?;
        let generics = self.fields.get(key).map_or(&[][..], |fields| fields.generics);
        let context = Context { generics, known_self: Some(ty.clone()), ..Names::in_module(*module) };
        self.resolve_type(&context, target, depth + 1).map(pointee)
    }

    /// The functions that a method of a type means: its own, those of blanket implementations, and default bodies.
    pub(super) fn method_of_type(&self, key: &TypeKey, name: &str) -> Vec<FunctionId> {
        if let Some(found) = self.methods.get(&(key.clone(), name)) {
            return found.clone();
        }
        let own = self.traits_of.get(key).map(Vec::as_slice).unwrap_or_default();
        let traits = match connections::is_one(key) {
            true => self.kinship.all(&[own, &[connections::EXECUTOR.into()]].concat()),
            false => self.kinship.all(own),
        };
        let given = traits.iter().filter(|of| !own.contains(of));
        // A blanket implementation is the only one for the type.
        let blanket = given
            .filter_map(|of| self.implemented.get(&(of.clone(), name)))
            .flatten()
            .filter(|id| self.function_at(**id).is_some_and(|it| matches!(it.owner, TypeRef::Implements(_))));
        let blanket: Vec<FunctionId> = blanket.copied().collect();
        if !blanket.is_empty() {
            return blanket;
        }
        let defaults = traits.iter().filter_map(|of| self.declared.get(&(of.clone(), name)));
        defaults
            .copied()
            .filter(|id| self.function_at(*id).is_some_and(|function| function.has_body))
            .collect()
    }

    /// The implementations of a trait method if they are few, or its default body.
    pub(super) fn method_of_traits(&self, traits: &[TypeKey], name: &str) -> Vec<FunctionId> {
        let mut found: Vec<FunctionId> = Vec::new();
        for of in &self.kinship.all(traits) {
            found.extend(self.implemented.get(&(of.clone(), name)).into_iter().flatten());
            let declared = self.declared.get(&(of.clone(), name)).copied();
            found.extend(
                declared.filter(|id| self.function_at(*id).is_some_and(|function| function.has_body)),
            );
        }
        // Test doubles exist alongside the real implementations.
        let real = |id: &FunctionId| self.function_at(*id).is_some_and(|function| !function.in_test);
        if found.iter().any(real) {
            found.retain(real);
        }
        if found.len() > MOST_CANDIDATES { Vec::new() } else { found }
    }

    /// The type that an associated function makes which a derive provides, as its name says: `Reader::default()`.
    pub(super) fn constructed(&self, context: &Context<'_>, path: &[String], depth: usize) -> Option<Ty> {
        let (name, of) = path.split_last()?;
        if !matches!(name.as_str(), "default" | "from" | "new") {
            return None;
        }
        let of = match of {
            [only] if only == "Self" => TypeRef::SelfType,
            of => TypeRef::Named(of.to_vec(), Vec::new()),
        };
        let made = self.resolve_type(context, &of, depth + 1)?;
        let is_own = matches!(&made, Ty::Named(key, _) if self.fields.contains_key(key));
        is_own.then_some(made)
    }

    /// The associated type of a type, or of what implements some traits.
    pub(super) fn associated(
        &self,
        of: Ty,
        of_trait: Option<&TypeKey>,
        name: &str,
        depth: usize,
    ) -> Option<Ty> {
        let keys = match pointee(of.clone()) {
            Ty::Named(key, _) => vec![key],
            Ty::Implements(traits) | Ty::Object(traits) => self.kinship.all(&traits),
        };
        let known = keys.iter().filter_map(|key| self.kinship.associated.get(&(key.clone(), name))).flatten();
        let mut found = known.filter(|(known, ..)| of_trait.is_none_or(|asked| asked == known));
        let (_, module, ty) = found.next()?;
        if found.any(|(_, _, other)| other != ty) {
            return None;
        }
        let context = Context { known_self: Some(of), ..Names::in_module(*module) };
        self.resolve_type(&context, ty, depth + 1)
    }

    /// Whether a type is certainly none of the workspace: one of another crate by its path, or by traits of other crates.
    pub(super) fn is_foreign(&self, ty: Ty) -> bool {
        match pointee(ty) {
            Ty::Named(key, _) if is_pointer(&key) || is_wrapper(&key) => false,
            // A name alone may be that of a type which a macro declares.
            Ty::Named(key, _) => {
                let of_crate = ["crate::", "self::", "super::"].iter().any(|start| key.starts_with(start));
                !self.fields.contains_key(&key) && !of_crate && (key.contains("::") || is_collection(&key))
            }
            Ty::Implements(traits) | Ty::Object(traits) => {
                !traits.is_empty() && !traits.iter().any(|of| self.kinship.supertraits.contains_key(of))
            }
        }
    }

    /// Whether a type of the workspace says how it is awaited.
    pub(super) fn has_future(&self) -> bool {
        self.implemented.keys().any(|(of, name)| *name == "into_future" && resolve::last(of) == "IntoFuture")
    }

    /// The methods of the values in a type whose methods of a trait are theirs.
    pub(super) fn dispatched(&self, key: &TypeKey, name: &str, depth: usize) -> Vec<FunctionId> {
        let Some((module, held)) =
            self.kinship.dispatched.get(key).filter(|_| depth < resolve::MAX_RESOLVE_STEPS)
        else {
            return Vec::new();
        };
        let context = Names::in_module(*module);
        let types = held.iter().filter_map(|ty| self.resolve_type(&context, ty, depth + 1));
        let mut found: Vec<FunctionId> = types.flat_map(|ty| self.method_on(&ty, name, depth + 1)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
