//! Resolves functions and types across files: functions by path, methods by the type of the receiver.

use std::collections::HashMap;

use super::kinship::Kinship;
use super::modules::{ModuleId, Modules, PathTarget, TypeKey};
use super::standard::{is_collection, is_extractor, is_pointer, is_wrapper, pointee, standard_method};
use crate::rust::function::Function;
use crate::rust::source::{FunctionId, Generic, SourceFile};
use crate::rust::type_ref::TypeRef;

/// The maximum number of steps to resolve a name or type.
pub(super) const MAX_RESOLVE_STEPS: usize = 24;

/// The context in which a path or type is written.
#[derive(Debug, Clone)]
pub(in crate::rust) struct Context<'a> {
    pub(super) module: ModuleId,
    /// The function's path inside its file, to resolve functions nested in it.
    pub(super) function: Option<&'a str>,
    /// The type of `Self`.
    pub(super) owner: &'a TypeRef,
    /// The type parameters of the struct whose field is read; their arguments are in `known_self`.
    pub(super) generics: &'a [Generic],
    /// The concrete `Self` in the body of a trait method that is called on a known type.
    pub(super) known_self: Option<Ty>,
}

/// A resolved type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rust) enum Ty {
    /// A type of the workspace, or an external one by its path, with its type arguments.
    Named(TypeKey, Vec<Option<Ty>>),
    /// A value known only by its traits.
    Implements(Vec<TypeKey>),
    /// A value known only by its traits, dispatched at run time: `dyn Store`.
    Object(Vec<TypeKey>),
}

/// The fields of a struct, and the module in which their types are written.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub(super) module: ModuleId,
    pub(super) list: &'a [(String, TypeRef)],
    pub(super) generics: &'a [Generic],
}

/// All names of the sources.
#[derive(Debug)]
pub(in crate::rust) struct Names<'a> {
    pub(super) sources: Vec<&'a SourceFile>,
    pub(super) modules: Modules<'a>,
    /// The module of each function, by source.
    homes: Vec<Vec<ModuleId>>,
    /// Functions nested in functions, by module and path.
    nested: HashMap<(ModuleId, &'a str), FunctionId>,
    pub(super) fields: HashMap<TypeKey, Fields<'a>>,
    pub(super) methods: HashMap<(TypeKey, &'a str), Vec<FunctionId>>,
    /// Methods declared in traits, with or without a body.
    pub(super) declared: HashMap<(TypeKey, &'a str), FunctionId>,
    /// The methods of a trait's implementations.
    pub(super) implemented: HashMap<(TypeKey, &'a str), Vec<FunctionId>>,
    /// The traits that a type implements.
    pub(super) traits_of: HashMap<TypeKey, Vec<TypeKey>>,
    pub(super) kinship: Kinship<'a>,
}

impl<'a> Names<'a> {
    pub(in crate::rust) fn new(sources: &[&'a SourceFile]) -> Names<'a> {
        let mut names = Names {
            sources: sources.to_vec(),
            modules: Modules::default(),
            homes: Vec::new(),
            nested: HashMap::new(),
            fields: HashMap::new(),
            methods: HashMap::new(),
            declared: HashMap::new(),
            implemented: HashMap::new(),
            traits_of: HashMap::new(),
            kinship: Kinship::default(),
        };
        for source in sources {
            for items in &source.scan.items {
                let module = names.modules.enter(source, &items.module);
                names.modules.declare(module, items);
                for (name, fields) in &items.types {
                    let generics = items.generics.iter().find(|(of, _)| of == name);
                    let generics = generics.map_or(&[][..], |(_, generics)| generics.as_slice());
                    let fields = Fields { module, list: fields, generics };
                    names.fields.insert(names.modules.key(module, name), fields);
                }
            }
            let functions = source.scan.functions.iter();
            names
                .homes
                .push(functions.map(|function| names.modules.enter(source, &function.module)).collect());
        }
        for (index, source) in sources.iter().enumerate() {
            for position in 0..source.scan.functions.len() {
                names.add_free(FunctionId { source: index, function: position });
            }
        }
        names.modules.follow_globs();
        names.add_kinship();
        for (index, source) in sources.iter().enumerate() {
            for position in 0..source.scan.functions.len() {
                names.add_method(FunctionId { source: index, function: position });
            }
        }
        names
    }

    /// The context of a function.
    pub(in crate::rust) fn context(&self, id: FunctionId) -> Option<Context<'a>> {
        let function = self.function_at(id)?;
        let module = *self.homes.get(id.source)?.get(id.function)?;
        Some(Context {
            module,
            function: Some(&function.path),
            owner: &function.owner,
            generics: &[],
            known_self: None,
        })
    }

    pub(super) fn in_module(module: ModuleId) -> Context<'static> {
        Context { module, function: None, owner: &TypeRef::Unknown, generics: &[], known_self: None }
    }

    fn add_free(&mut self, id: FunctionId) {
        let (Some(function), Some(context)) = (self.function_at(id), self.context(id)) else { return };
        let depth = function.module.len() + usize::from(function.self_type.is_some()) + 1;
        if function.path.split("::").count() > depth {
            self.nested.insert((context.module, &function.path), id);
        } else if function.self_type.is_none() {
            self.modules.add_function(context.module, &function.name, id);
        }
    }

    fn add_method(&mut self, id: FunctionId) {
        let (Some(function), Some(context)) = (self.function_at(id), self.context(id)) else { return };
        if function.self_type.is_none() {
            return;
        }
        let name = function.name.as_str();
        match self.resolve_type(&context, &function.owner, 0) {
            // Inside a trait definition.
            Some(Ty::Implements(traits)) if function.implements.is_none() => {
                self.declared.extend(traits.into_iter().map(|key| ((key, name), id)));
            }
            owner => {
                let of_trait = function.implements.as_ref().map(|path| self.trait_key(&context, path));
                if let Some(of_trait) = &of_trait {
                    self.implemented.entry((of_trait.clone(), name)).or_default().push(id);
                }
                if let Some(Ty::Named(key, _)) = owner {
                    self.methods.entry((key.clone(), name)).or_default().push(id);
                    let traits = self.traits_of.entry(key).or_default();
                    traits.extend(of_trait.filter(|of_trait| !traits.contains(of_trait)));
                }
            }
        }
    }

    /// The functions that a path resolves to.
    pub(in crate::rust) fn function(&self, context: &Context<'_>, path: &[String]) -> Vec<FunctionId> {
        let Some((name, parents)) = path.split_last() else { return Vec::new() };
        if parents.is_empty() {
            if let Some(outer) = context.function {
                let inner = format!("{outer}::{name}");
                if let Some(id) = self.nested.get(&(context.module, inner.as_str())) {
                    return vec![*id];
                }
            }
            return self.modules.functions(context.module, name);
        }
        if let [first] = parents
            && first == "Self"
        {
            return self.method_of_self(context, name);
        }
        if let Some(ty) = self.aliased(context, parents) {
            return self.method_on(&ty, name, 0);
        }
        let owners = self.modules.scopes(context.module, parents);
        if owners.is_empty() {
            // An external type may have methods from a trait of the workspace.
            return self.method_of_type(&path_key(parents), name);
        }
        let of = |owner| match owner {
            PathTarget::Module(module) => self.modules.functions(module, name),
            PathTarget::Type(key) => self.method_of_type(&key, name),
            PathTarget::Trait(key) => self.method_of_traits(&[key], name),
        };
        owners.into_iter().flat_map(of).collect()
    }

    /// The type that a path names by an alias.
    fn aliased(&self, context: &Context<'_>, path: &[String]) -> Option<Ty> {
        let (name, parents) = path.split_last()?;
        let Some(PathTarget::Module(module)) = self.modules.scope(context.module, parents) else {
            return None;
        };
        let (module, alias) = self.modules.alias(module, name)?;
        self.resolve_type(&Names::in_module(module), alias, 1)
    }

    /// The functions that `self.name(..)` or `Self::name(..)` resolves to.
    pub(in crate::rust) fn method_of_self(&self, context: &Context<'_>, name: &str) -> Vec<FunctionId> {
        self.method(context, &TypeRef::SelfType, name)
    }

    /// The functions that a method on a value of this type resolves to.
    pub(in crate::rust) fn method(&self, context: &Context<'_>, on: &TypeRef, name: &str) -> Vec<FunctionId> {
        let Some(ty) = self.resolve_type(context, on, 0) else { return Vec::new() };
        self.method_on(&ty, name, 0)
    }

    /// Whether a type is known only by its traits.
    pub(in crate::rust) fn is_trait_object(&self, context: &Context<'_>, ty: &TypeRef) -> bool {
        self.resolve_type(context, ty, 0).is_some_and(|ty| matches!(pointee(ty), Ty::Object(_)))
    }

    pub(super) fn method_on(&self, ty: &Ty, name: &str, depth: usize) -> Vec<FunctionId> {
        match ty {
            Ty::Implements(traits) | Ty::Object(traits) => self.method_of_traits(traits, name),
            Ty::Named(key, arguments) => {
                let found = self.method_of_type(key, name);
                if !found.is_empty() || depth >= MAX_RESOLVE_STEPS {
                    return found;
                }
                let found = self.dispatched(key, name, depth);
                if !found.is_empty() {
                    return found;
                }
                match arguments.first() {
                    Some(Some(inner)) if is_pointer(key) => self.method_on(inner, name, depth + 1),
                    _ => self
                        .deref(ty, depth)
                        .map_or_else(Vec::new, |inner| self.method_on(&inner, name, depth + 1)),
                }
            }
        }
    }

    pub(super) fn function_at(&self, id: FunctionId) -> Option<&'a Function> {
        self.sources.get(id.source)?.scan.functions.get(id.function)
    }

    pub(super) fn trait_key(&self, context: &Context<'_>, path: &[String]) -> TypeKey {
        match self.modules.scope(context.module, path) {
            Some(PathTarget::Trait(key)) => key,
            _ => path_key(path),
        }
    }

    pub(super) fn resolve_type(&self, context: &Context<'_>, ty: &TypeRef, depth: usize) -> Option<Ty> {
        if depth > MAX_RESOLVE_STEPS {
            return None;
        }
        let next = |ty: &TypeRef| self.resolve_type(context, ty, depth + 1);
        match ty {
            TypeRef::Unknown => None,
            TypeRef::SelfType => match &context.known_self {
                Some(known) => Some(known.clone()),
                None if *context.owner == TypeRef::SelfType => None,
                None => next(context.owner),
            },
            TypeRef::Implements(traits) => {
                Some(Ty::Implements(traits.iter().map(|path| self.trait_key(context, path)).collect()))
            }
            TypeRef::Object(traits) => {
                Some(Ty::Object(traits.iter().map(|path| self.trait_key(context, path)).collect()))
            }
            TypeRef::Named(path, arguments) => self.named(context, path, arguments, depth),
            TypeRef::Field(of, name) => match next(of)? {
                Ty::Named(key, arguments) if name.ends_with("::0") && is_extractor(&key) => {
                    arguments.into_iter().next()?
                }
                of => self.field(pointee(of), name, depth),
            },
            TypeRef::Returned(path) => match self.function(context, path).first() {
                Some(id) => self.returned(*id, None, depth),
                None => self.constructed(context, path, depth),
            },
            TypeRef::Method(of, name) => {
                let of = next(of)?;
                match self.method_on(&of, name, 0).first() {
                    Some(id) => self.returned(*id, Some(of), depth),
                    None => self.declared_return(&of, name, depth).or_else(|| standard_method(of, name)),
                }
            }
            TypeRef::Associated(of, of_trait, name) => {
                let of_trait = of_trait.as_ref().map(|path| self.trait_key(context, path));
                self.associated(next(of)?, of_trait.as_ref(), name, depth)
            }
            TypeRef::HandedTo(function, position, input) => {
                self.handed(context, function, *position, *input, depth)
            }
            TypeRef::Inside(of) => match next(of)? {
                Ty::Named(key, mut arguments) if is_wrapper(&key) && !arguments.is_empty() => {
                    arguments.swap_remove(0)
                }
                ty => Some(ty),
            },
            TypeRef::Element(of) => match pointee(next(of)?) {
                Ty::Named(key, mut arguments) if is_collection(&key) && !arguments.is_empty() => {
                    arguments.swap_remove(0)
                }
                _ => None,
            },
        }
    }

    /// The type of a field, or of a variant's value: `Pg::0`.
    fn field(&self, of: Ty, name: &str, depth: usize) -> Option<Ty> {
        let Ty::Named(key, arguments) = &of else { return None };
        if &**key == "()" {
            return arguments.get(name.parse::<usize>().ok()?).cloned().flatten();
        }
        let fields = self.fields.get(key)?;
        let (owner, name_in_it) = name.rsplit_once("::").unwrap_or(("", name));
        let is_it =
            |(field, _): &&(String, TypeRef)| field == name || field == name_in_it && last(key) == owner;
        let Some((_, field)) = fields.list.iter().find(is_it) else {
            return self.field(self.deref(&of, depth)?, name, depth + 1);
        };
        let generics = fields.generics;
        let context = Context { generics, known_self: Some(of.clone()), ..Names::in_module(fields.module) };
        self.resolve_type(&context, field, depth + 1)
    }

    fn named(
        &self,
        context: &Context<'_>,
        path: &[String],
        arguments: &[TypeRef],
        depth: usize,
    ) -> Option<Ty> {
        if let [name] = path
            && let Some(at) = context.generics.iter().position(|(parameter, _)| parameter == name)
        {
            let given = match &context.known_self {
                Some(Ty::Named(_, arguments)) => arguments.get(at).cloned().flatten(),
                _ => None,
            };
            let bounds = context.generics.get(at).map(|(_, bounds)| bounds.as_slice()).unwrap_or_default();
            // The argument in use, unless it says less than the declaration.
            return match given {
                Some(Ty::Implements(traits)) if traits.is_empty() => None,
                Some(given) => Some(given),
                None => None,
            }
            .or_else(|| {
                let traits: Vec<TypeKey> = bounds.iter().map(|path| self.trait_key(context, path)).collect();
                (!traits.is_empty()).then_some(Ty::Implements(traits))
            });
        }
        // `H::Repo` of a parameter of the struct.
        if let [of, name] = path
            && context.generics.iter().any(|(parameter, _)| parameter == of)
        {
            let of = self.named(context, std::slice::from_ref(of), &[], depth + 1)?;
            return self.associated(of, None, name, depth);
        }
        let resolved =
            arguments.iter().map(|argument| self.resolve_type(context, argument, depth + 1)).collect();
        if let Some((name, parents)) = path.split_last()
            && let Some(PathTarget::Module(module)) = self.modules.scope(context.module, parents)
            && let Some((module, alias)) = self.modules.alias(module, name)
            && !is_wrapper(name)
        {
            return self.resolve_type(&Names::in_module(module), alias, depth + 1);
        }
        match self.modules.scope(context.module, path) {
            Some(PathTarget::Type(key)) => Some(Ty::Named(key, resolved)),
            Some(PathTarget::Trait(key)) => Some(Ty::Implements(vec![key])),
            Some(PathTarget::Module(_)) => None,
            None => Some(Ty::Named(path_key(path), resolved)),
        }
    }

    /// The return type of a function; `Self` is the type that it was called on.
    fn returned(&self, id: FunctionId, on: Option<Ty>, depth: usize) -> Option<Ty> {
        let function = self.function_at(id)?;
        let mut context = self.context(id)?;
        context.known_self = on.map(pointee).filter(|_| matches!(function.owner, TypeRef::Implements(_)));
        self.resolve_type(&context, &function.returns, depth + 1)
    }

    /// The return type of a trait method without a body.
    fn declared_return(&self, of: &Ty, name: &str, depth: usize) -> Option<Ty> {
        let (Ty::Implements(traits) | Ty::Object(traits)) = pointee(of.clone()) else { return None };
        let id = traits.iter().find_map(|key| self.declared.get(&(key.clone(), name)))?;
        self.returned(*id, Some(of.clone()), depth)
    }
}

/// The key of an external item; sqlx has most of its items under two paths.
fn path_key(path: &[String]) -> TypeKey {
    match path {
        [first, _, .., last] if first == "sqlx" => format!("sqlx::{last}").into(),
        path => path.join("::").into(),
    }
}

pub(super) fn last(key: &str) -> &str {
    key.rsplit("::").next().unwrap_or(key)
}
