//! The types that signatures, fields and constructors tell, as written: what `calls` looks methods up by.

use std::collections::HashMap;

use syn::{Expr, GenericParam, Generics, Pat, Type, TypeParamBound};

use super::imports::Imports;
use super::text::segments;
use super::walk::Walker;

/// How many steps a type may be told in; beyond, it is not known.
const DEEPEST: u8 = 12;

/// A type as the source tells it; names are paths with the imports of their file applied, references are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TypeRef {
    /// Nothing tells it.
    #[default]
    Unknown,
    /// `Self`.
    SelfType,
    /// A named type with its type arguments; `[]` is the name of slices and arrays.
    Named(Vec<String>, Vec<TypeRef>),
    /// Whatever implements these traits: `dyn Store`, `impl Store`, `T: Store`.
    Implements(Vec<Vec<String>>),
    /// The type of a field.
    Field(Box<TypeRef>, String),
    /// What the function of this path returns.
    Returned(Vec<String>),
    /// What a method returns.
    Method(Box<TypeRef>, String),
    /// What is in an option or result.
    Inside(Box<TypeRef>),
    /// An element of a collection.
    Element(Box<TypeRef>),
}

impl TypeRef {
    fn depth(&self) -> u8 {
        match self {
            TypeRef::Field(of, _) | TypeRef::Method(of, _) | TypeRef::Inside(of) | TypeRef::Element(of) => {
                of.depth().saturating_add(1)
            }
            _ => 0,
        }
    }

    fn step(self, step: impl FnOnce(Box<TypeRef>) -> TypeRef) -> TypeRef {
        if self == TypeRef::Unknown || self.depth() >= DEEPEST {
            TypeRef::Unknown
        } else {
            step(Box::new(self))
        }
    }
}

/// What the type parameters in scope implement, by name.
pub(super) type Parameters = HashMap<String, Vec<Vec<String>>>;

/// The type parameters of an item and the traits they are bound by.
pub(super) fn parameters(generics: &Generics, imports: &Imports) -> Parameters {
    let mut parameters = Parameters::new();
    for parameter in &generics.params {
        if let GenericParam::Type(parameter) = parameter {
            let traits = parameter.bounds.iter().filter_map(|bound| trait_path(bound, imports)).collect();
            parameters.insert(parameter.ident.to_string(), traits);
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        if let syn::WherePredicate::Type(predicate) = predicate
            && let Type::Path(path) = &predicate.bounded_ty
            && let Some(known) = path.path.get_ident().and_then(|name| parameters.get_mut(&name.to_string()))
        {
            known.extend(predicate.bounds.iter().filter_map(|bound| trait_path(bound, imports)));
        }
    }
    parameters
}

fn trait_path(bound: &TypeParamBound, imports: &Imports) -> Option<Vec<String>> {
    match bound {
        TypeParamBound::Trait(bound) => Some(imports.resolve(&segments(&bound.path))),
        _ => None,
    }
}

/// A type as written.
pub(super) fn of_type(ty: &Type, imports: &Imports, parameters: &Parameters) -> TypeRef {
    let next = |ty: &Type| of_type(ty, imports, parameters);
    let implements = |bounds: &syn::punctuated::Punctuated<TypeParamBound, syn::Token![+]>| {
        // A future is typed by what it gives.
        let output = bounds.iter().find_map(|bound| future_output(bound));
        match output {
            Some(output) => next(output),
            None => {
                TypeRef::Implements(bounds.iter().filter_map(|bound| trait_path(bound, imports)).collect())
            }
        }
    };
    match ty {
        Type::Reference(reference) => next(&reference.elem),
        Type::Paren(inner) => next(&inner.elem),
        Type::Group(inner) => next(&inner.elem),
        Type::Slice(slice) => TypeRef::Named(vec!["[]".to_owned()], vec![next(&slice.elem)]),
        Type::Array(array) => TypeRef::Named(vec!["[]".to_owned()], vec![next(&array.elem)]),
        Type::ImplTrait(node) => implements(&node.bounds),
        Type::TraitObject(node) => implements(&node.bounds),
        Type::Path(path) if path.qself.is_none() => {
            let names = segments(&path.path);
            match names.as_slice() {
                [name] if name == "Self" => return TypeRef::SelfType,
                [name] if parameters.contains_key(name) => {
                    return TypeRef::Implements(parameters.get(name).cloned().unwrap_or_default());
                }
                _ => {}
            }
            let arguments = match path.path.segments.last().map(|last| &last.arguments) {
                Some(syn::PathArguments::AngleBracketed(arguments)) => arguments
                    .args
                    .iter()
                    .filter_map(|argument| match argument {
                        syn::GenericArgument::Type(ty) => Some(next(ty)),
                        _ => None,
                    })
                    .collect(),
                _ => Vec::new(),
            };
            TypeRef::Named(imports.resolve(&names), arguments)
        }
        _ => TypeRef::Unknown,
    }
}

fn future_output(bound: &TypeParamBound) -> Option<&Type> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::AssocType(output) => Some(&output.ty),
        _ => None,
    })
}

impl Walker<'_> {
    /// A type as written where the walk is.
    pub(super) fn type_ref(&self, ty: &Type) -> TypeRef {
        of_type(ty, &self.imports, &self.parameters)
    }

    /// The type of an expression, as far as it is told.
    pub(super) fn type_of(&self, expression: &Expr) -> TypeRef {
        self.type_at(expression, 0)
    }

    fn type_at(&self, expression: &Expr, depth: u8) -> TypeRef {
        if depth > 2 * DEEPEST {
            return TypeRef::Unknown;
        }
        let next = |inner: &Expr| self.type_at(inner, depth + 1);
        match expression {
            Expr::Reference(inner) => next(&inner.expr),
            Expr::Paren(inner) => next(&inner.expr),
            Expr::Group(inner) => next(&inner.expr),
            Expr::Unary(inner) => next(&inner.expr),
            Expr::Await(inner) => next(&inner.base),
            Expr::Try(inner) => next(&inner.expr).step(TypeRef::Inside),
            Expr::Index(inner) => next(&inner.expr).step(TypeRef::Element),
            Expr::Cast(cast) => self.type_ref(&cast.ty),
            Expr::Struct(node) => self.named(&node.path),
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) => {
                    next(&field.base).step(|base| TypeRef::Field(base, name.to_string()))
                }
                syn::Member::Unnamed(index) => {
                    next(&field.base).step(|base| TypeRef::Field(base, index.index.to_string()))
                }
            },
            Expr::MethodCall(call) => {
                next(&call.receiver).step(|receiver| TypeRef::Method(receiver, call.method.to_string()))
            }
            Expr::Call(call) => {
                let Expr::Path(function) = call.func.as_ref() else { return TypeRef::Unknown };
                let path = segments(&function.path);
                let wraps = matches!(
                    path.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
                    ["Some" | "Ok"]
                        | [.., "Arc" | "Box" | "Rc" | "Mutex" | "RwLock", "new"]
                        | [.., "Arc", "clone"]
                );
                match (wraps, call.args.first()) {
                    (true, Some(argument)) => next(argument),
                    _ if path.last().is_some_and(|last| last.starts_with(char::is_uppercase)) => {
                        self.named(&function.path)
                    }
                    _ => TypeRef::Returned(self.imports.resolve(&path)),
                }
            }
            Expr::Path(path) => match path.path.get_ident() {
                Some(name) if name == "self" => TypeRef::SelfType,
                Some(name) => match self.locals.get(&name.to_string()) {
                    Some(local) => local.ty.clone(),
                    None if name.to_string().starts_with(char::is_uppercase) => self.named(&path.path),
                    None => TypeRef::Unknown,
                },
                None => TypeRef::Unknown,
            },
            _ => TypeRef::Unknown,
        }
    }

    /// The type of what a collection, iterator or stream holds.
    pub(super) fn element_of(&self, expression: &Expr) -> TypeRef {
        self.type_of(expression).step(TypeRef::Element)
    }

    /// Whether a type is a trait object in a collection, as far as this file tells: an argument of the function, or a
    /// field of the type at hand.
    pub(super) fn is_component(&self, ty: &TypeRef) -> bool {
        let TypeRef::Element(collection) = ty else { return false };
        let mut collection = collection.as_ref();
        while let TypeRef::Method(of, name) = collection
            && matches!(name.as_str(), "iter" | "iter_mut" | "into_iter" | "cloned" | "clone")
        {
            collection = of;
        }
        match collection {
            TypeRef::Named(..) => holds_objects(collection),
            TypeRef::Field(of, name) if **of == TypeRef::SelfType => {
                let owner = self.owner.name.as_deref();
                let types = self.items.iter().flat_map(|items| &items.types);
                let fields =
                    types.filter(|(name, _)| Some(name.as_str()) == owner).flat_map(|(_, fields)| fields);
                fields.filter(|(field, _)| field == name).any(|(_, ty)| holds_objects(ty))
            }
            _ => false,
        }
    }

    fn named(&self, path: &syn::Path) -> TypeRef {
        match segments(path).as_slice() {
            [name] if name == "Self" => TypeRef::SelfType,
            names => TypeRef::Named(self.imports.resolve(names), Vec::new()),
        }
    }

    /// Gives the variables of a pattern, which are in scope already, the types that its value tells.
    pub(super) fn type_pattern(&mut self, pattern: &Pat, ty: TypeRef) {
        if ty == TypeRef::Unknown {
            return;
        }
        match pattern {
            Pat::Ident(name) => {
                if let Some(local) = self.locals.get_mut(&name.ident.to_string()) {
                    local.ty = ty;
                }
            }
            Pat::Reference(inner) => self.type_pattern(&inner.pat, ty),
            Pat::Paren(inner) => self.type_pattern(&inner.pat, ty),
            Pat::Guard(inner) => self.type_pattern(&inner.pat, ty),
            Pat::Type(typed) => {
                let ty = self.type_ref(&typed.ty);
                self.type_pattern(&typed.pat, ty);
            }
            Pat::TupleStruct(node) if node.elems.len() == 1 => {
                let inside = match segments(&node.path).last().map(String::as_str) {
                    Some("Some" | "Ok") => ty.step(TypeRef::Inside),
                    // `State(pool): State<PgPool>`: the value in a wrapper.
                    _ => ty.step(TypeRef::Element),
                };
                node.elems.iter().for_each(|element| self.type_pattern(element, inside.clone()));
            }
            Pat::Struct(node) => {
                for field in &node.fields {
                    if let syn::Member::Named(name) = &field.member {
                        let ty = ty.clone().step(|base| TypeRef::Field(base, name.to_string()));
                        self.type_pattern(&field.pat, ty);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a collection holds trait objects: `Vec<Box<dyn Processor>>`.
fn holds_objects(ty: &TypeRef) -> bool {
    let TypeRef::Named(_, arguments) = ty else { return false };
    arguments.iter().any(|argument| match argument {
        TypeRef::Implements(_) => true,
        TypeRef::Named(path, _)
            if path.last().is_some_and(|name| matches!(name.as_str(), "Box" | "Arc" | "Rc" | "Vec")) =>
        {
            holds_objects(argument)
        }
        _ => false,
    })
}
