//! The types in signatures, fields and constructors, as written: `graph/resolve` resolves methods by them.

use std::collections::HashMap;

use syn::{GenericParam, Generics, Type, TypeParamBound};

use super::graph::imports::Imports;
use super::walk::sql_text::segments;

/// The maximum number of steps in a type; a longer one is unknown.
pub(super) const DEEPEST: u8 = 12;

/// A type as far as the source determines it. Names are paths, resolved by the imports of their file;
/// references are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TypeRef {
    /// A type that is not written, or that is not followed.
    #[default]
    Unknown,
    /// `Self`: the type of the `impl`, or of whatever implements the trait.
    SelfType,
    /// A named type with its type arguments; `[]` is the name of slices and arrays.
    Named(Vec<String>, Vec<TypeRef>),
    /// Something that implements these traits: `impl Store`, `T: Store`.
    Implements(Vec<Vec<String>>),
    /// A trait object: `dyn Store`.
    Object(Vec<Vec<String>>),
    /// The type of a field.
    Field(Box<TypeRef>, String),
    /// The return type of the function with this path.
    Returned(Vec<String>),
    /// The return type of a method.
    Method(Box<TypeRef>, String),
    /// The content of an option or result.
    Inside(Box<TypeRef>),
    /// An element of a collection.
    Element(Box<TypeRef>),
}

impl TypeRef {
    pub(super) fn depth(&self) -> u8 {
        match self {
            TypeRef::Field(of, _) | TypeRef::Method(of, _) | TypeRef::Inside(of) | TypeRef::Element(of) => {
                of.depth().saturating_add(1)
            }
            _ => 0,
        }
    }

    pub(super) fn step(self, step: impl FnOnce(Box<TypeRef>) -> TypeRef) -> TypeRef {
        if self == TypeRef::Unknown || self.depth() >= DEEPEST {
            TypeRef::Unknown
        } else {
            step(Box::new(self))
        }
    }
}

/// The trait bounds of the type parameters in scope, by name.
pub(super) type Parameters = HashMap<String, Vec<Vec<String>>>;

/// The type parameters of an item, with their trait bounds.
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

/// The traits among some bounds.
pub(super) fn traits<'b>(
    bounds: impl IntoIterator<Item = &'b TypeParamBound>,
    imports: &Imports,
) -> Vec<Vec<String>> {
    bounds.into_iter().filter_map(|bound| trait_path(bound, imports)).collect()
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
        // A future has the type of its output.
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
        Type::TraitObject(node) => match implements(&node.bounds) {
            TypeRef::Implements(traits) => TypeRef::Object(traits),
            output => output,
        },
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

/// Whether a function returns a future: `impl Future<Output = T>`, `Pin<Box<dyn Future>>`, `BoxFuture<'_, T>`.
pub(super) fn gives_future(output: &syn::ReturnType) -> bool {
    fn is_future(ty: &Type) -> bool {
        let of_bounds = |bounds: &syn::punctuated::Punctuated<TypeParamBound, syn::Token![+]>| {
            bounds.iter().any(|bound| future_output(bound).is_some())
        };
        match ty {
            Type::ImplTrait(node) => of_bounds(&node.bounds),
            Type::TraitObject(node) => of_bounds(&node.bounds),
            Type::Path(path) => path.path.segments.last().is_some_and(|last| {
                let is_pointer = last.ident == "Pin" || last.ident == "Box";
                match &last.arguments {
                    syn::PathArguments::AngleBracketed(arguments) if is_pointer => {
                        let inner = arguments.args.iter();
                        inner.clone().any(|it| matches!(it, syn::GenericArgument::Type(ty) if is_future(ty)))
                    }
                    _ => last.ident == "BoxFuture" || last.ident == "LocalBoxFuture",
                }
            }),
            _ => false,
        }
    }
    matches!(output, syn::ReturnType::Type(_, ty) if is_future(ty))
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
