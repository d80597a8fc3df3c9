//! What types and traits have from others: supertraits, blanket implementations, and what a type dereferences to.

use std::collections::HashMap;

use super::modules::{ModuleId, Scope, TypeKey};
use super::resolve::{self, Context, Names, Ty};
use super::standard::pointee;
use crate::rust::type_ref::TypeRef;

/// How far supertraits and blanket implementations are followed.
const DEEPEST: usize = 8;

/// The kin of all types and traits of some sources.
#[derive(Debug, Default)]
pub(super) struct Kinship<'a> {
    /// The traits that each trait asks for.
    pub(super) supertraits: HashMap<TypeKey, Vec<TypeKey>>,
    /// `impl<T: A + B> C for T`: what is asked for, as far as the workspace declares it, and what it gives.
    pub(super) blankets: Vec<(Vec<TypeKey>, TypeKey)>,
    /// What each type dereferences to, and the module in which that is written.
    pub(super) derefs: HashMap<TypeKey, (ModuleId, &'a TypeRef)>,
}

impl Kinship<'_> {
    /// Some traits with those that whatever implements them has as well.
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
    /// Notes supertraits, blanket implementations and what types dereference to.
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
                        Some(Scope::Trait(key)) => Some(key),
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

    /// What a type dereferences to.
    pub(super) fn deref(&self, ty: &Ty, depth: usize) -> Option<Ty> {
        let Ty::Named(key, _) = ty else { return None };
        let (module, target) = self.kinship.derefs.get(key).filter(|_| depth < resolve::DEEPEST)?;
        let generics = self.fields.get(key).map_or(&[][..], |fields| fields.generics);
        let context = Context { generics, known_self: Some(ty.clone()), ..Names::in_module(*module) };
        self.resolve_type(&context, target, depth + 1).map(pointee)
    }
}
