//! What types and traits inherit: supertraits, blanket implementations, and dereferencing.

use std::collections::HashMap;

use super::modules::{ModuleId, PathTarget, TypeKey};
use super::resolve::{self, Context, Names, Ty};
use super::standard::pointee;
use crate::rust::type_ref::TypeRef;

/// The maximum number of steps through supertraits and blanket implementations.
const DEEPEST: usize = 8;

/// The relations between all types and traits of a set of sources.
#[derive(Debug, Default)]
pub(super) struct Kinship<'a> {
    /// The supertraits of each trait.
    pub(super) supertraits: HashMap<TypeKey, Vec<TypeKey>>,
    /// `impl<T: A + B> C for T`: the required traits that the workspace declares, and the implemented one.
    pub(super) blankets: Vec<(Vec<TypeKey>, TypeKey)>,
    /// The `Deref` target of each type, and the module in which it is written.
    pub(super) derefs: HashMap<TypeKey, (ModuleId, &'a TypeRef)>,
}

impl Kinship<'_> {
    /// These traits, with all traits that their implementors have as well.
    pub(super) fn all(&self, traits: &[TypeKey]) -> Vec<TypeKey> {
        let mut all = traits.to_vec();
        for _ in 0..DEEPEST {
            let mut more: Vec<TypeKey> =
                all.iter().filter_map(|of| self.supertraits.get(of)).flatten().cloned().collect();
            let gives = |(asked, _): &&(Vec<TypeKey>, TypeKey)| {
                !asked.is_empty() && asked.iter().all(|of| all.contains(of))
            };
            more.extend(self.blankets.iter().filter(gives).map(|(_, given)| given.clone()));
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
                    let asked = asked.iter().filter_map(declared).collect();
                    self.kinship.blankets.push((asked, self.trait_key(&context, given)));
                }
                for (of, implemented) in &items.implemented {
                    let Some(Ty::Named(key, _)) = self.resolve_type(&context, of, 0) else { continue };
                    let implemented = self.trait_key(&context, implemented);
                    let traits = self.traits_of.entry(key).or_default();
                    if !traits.contains(&implemented) {
                        traits.push(implemented);
                    }
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
        let (module, target) = self.kinship.derefs.get(key).filter(|_| depth < resolve::DEEPEST)?;
        let generics = self.fields.get(key).map_or(&[][..], |fields| fields.generics);
        let context = Context { generics, known_self: Some(ty.clone()), ..Names::in_module(*module) };
        self.resolve_type(&context, target, depth + 1).map(pointee)
    }
}
