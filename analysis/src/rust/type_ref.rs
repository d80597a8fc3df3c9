//! The types in signatures, fields and constructors, as written: `graph/resolve` resolves methods by them.

use std::collections::HashMap;

use syn::{GenericParam, Generics, Type, TypeParamBound};

use super::graph::imports::Imports;
use super::walk::sql_text::{plain, segments};

/// The maximum number of steps in a type; a longer one is unknown.
pub(super) const MAX_TYPE_STEPS: u8 = 12;

/// The name of the second argument of an array.
const LENGTH: &str = ";";

/// A type as far as the source determines it. Names are paths, resolved by the imports of their file;
/// references are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TypeRef {
    /// A type that is not written, or that is not followed.
    #[default]
    Unknown,
    /// `Self`: the type of the `impl`, or of whatever implements the trait.
    SelfType,
    /// A named type with its type arguments; `[]` is the name of slices and arrays, `()` that of tuples.
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
    /// What a function gives to a closure: the function as the type of what it returns, the position of the closure among its
    /// parameters, including the receiver, and the position among the inputs of the closure.
    HandedTo(Box<TypeRef>, usize, usize),
    /// An associated type, with its trait if that is written: `T::Repo`, `<T as HasRepo>::Repo`.
    Associated(Box<TypeRef>, Option<Vec<String>>, String),
}

impl TypeRef {
    /// Whether it is an array, whose length the source determines.
    pub(super) fn is_array(&self) -> bool {
        matches!(self, TypeRef::Named(path, arguments) if arguments.len() == 2 && path.last().is_some_and(|last| last == "[]"))
    }

    pub(super) fn depth(&self) -> u8 {
        match self {
            TypeRef::Field(of, _)
            | TypeRef::Method(of, _)
            | TypeRef::Inside(of)
            | TypeRef::Element(of)
            | TypeRef::HandedTo(of, ..)
            | TypeRef::Associated(of, ..) => of.depth().saturating_add(1),
            _ => 0,
        }
    }

    pub(super) fn step(self, step: impl FnOnce(Box<TypeRef>) -> TypeRef) -> TypeRef {
        if self == TypeRef::Unknown || self.depth() >= MAX_TYPE_STEPS {
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
            parameters.insert(plain(&parameter.ident), traits);
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        let syn::WherePredicate::Type(predicate) = predicate else { continue };
        let Type::Path(path) = &predicate.bounded_ty else { continue };
        // Of an associated type as well: `where T::Repo: Store`.
        let names = segments(&path.path);
        if path.qself.is_none() && names.first().is_some_and(|name| parameters.contains_key(name)) {
            let known = parameters.entry(names.join("::")).or_default();
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

/// The inputs of the closures that a function takes, each with the position of its parameter: `f: impl FnOnce(&Transaction)`,
/// `f: F` where `F: FnOnce(&Transaction)`.
pub(super) fn taken(
    sig: &syn::Signature,
    imports: &Imports,
    parameters: &Parameters,
) -> Vec<(usize, Vec<TypeRef>)> {
    let of_parameter = |name: &syn::Ident| {
        let own = sig.generics.type_params().filter(move |it| it.ident == *name).flat_map(|it| &it.bounds);
        let predicates = sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let asked = predicates.filter_map(move |predicate| match predicate {
            syn::WherePredicate::Type(predicate) => match &predicate.bounded_ty {
                Type::Path(path) if path.path.is_ident(name) => Some(&predicate.bounds),
                _ => None,
            },
            _ => None,
        });
        own.chain(asked.flatten()).find_map(inputs_of)
    };
    let inputs = |ty: &Type| match code_in(ty)? {
        Type::ImplTrait(node) => node.bounds.iter().find_map(inputs_of),
        Type::TraitObject(node) => node.bounds.iter().find_map(inputs_of),
        Type::Path(path) => of_parameter(path.path.get_ident()?),
        _ => None,
    };
    let all = sig.inputs.iter().enumerate().filter_map(|(position, input)| match input {
        syn::FnArg::Typed(input) => {
            let types = inputs(&input.ty)?.iter().map(|ty| of_type(ty, imports, parameters)).collect();
            Some((position, types))
        }
        syn::FnArg::Receiver(_) => None,
    });
    all.collect()
}

/// The type that is code, behind references and a box.
fn code_in(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(reference) => code_in(&reference.elem),
        Type::Paren(inner) => code_in(&inner.elem),
        Type::Path(path) => match path.path.segments.last().map(|last| (&last.ident, &last.arguments)) {
            Some((name, syn::PathArguments::AngleBracketed(arguments))) if name == "Box" => {
                arguments.args.iter().find_map(|argument| match argument {
                    syn::GenericArgument::Type(ty) => code_in(ty),
                    _ => None,
                })
            }
            _ => Some(ty),
        },
        ty => Some(ty),
    }
}

/// The inputs of a closure: those of `Fn(A, B)`.
fn inputs_of(bound: &TypeParamBound) -> Option<Vec<Type>> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    match &bound.path.segments.last()?.arguments {
        syn::PathArguments::Parenthesized(arguments) => {
            Some(arguments.inputs.iter().map(|input| input.ty.clone()).collect())
        }
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
        // The length is a second argument, whatever it is.
        Type::Array(array) => {
            let length = TypeRef::Named(vec![LENGTH.to_owned()], Vec::new());
            TypeRef::Named(vec!["[]".to_owned()], vec![next(&array.elem), length])
        }
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            TypeRef::Named(vec!["()".to_owned()], tuple.elems.iter().map(next).collect())
        }
        Type::ImplTrait(node) => implements(&node.bounds),
        Type::TraitObject(node) => match implements(&node.bounds) {
            TypeRef::Implements(traits) => TypeRef::Object(traits),
            output => output,
        },
        Type::Path(path) => {
            let names = segments(&path.path);
            if let Some(ty) = associated(path.qself.as_ref(), &names, imports, parameters) {
                return ty;
            }
            if path.qself.is_some() {
                return TypeRef::Unknown;
            }
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

/// The type that a path names by another: `Self::Repo`, `T::Repo`, `<T as HasRepo>::Repo`, `<T>`; `None` if it is no such path.
pub(super) fn associated(
    of: Option<&syn::QSelf>,
    path: &[String],
    imports: &Imports,
    parameters: &Parameters,
) -> Option<TypeRef> {
    let (base, mut of_trait, names) = match of {
        Some(of) => {
            let (of_trait, names) = path.split_at_checked(of.position)?;
            let of_trait = (!of_trait.is_empty()).then(|| imports.resolve(of_trait));
            (of_type(&of.ty, imports, parameters), of_trait, names)
        }
        None => {
            let (first, names) = path.split_first().filter(|(_, names)| !names.is_empty())?;
            // What a condition asks of it: `where T::Repo: Store`.
            if let Some(bounds) = parameters.get(&path.join("::")) {
                return Some(TypeRef::Implements(bounds.clone()));
            }
            let base = match parameters.get(first) {
                Some(bounds) => TypeRef::Implements(bounds.clone()),
                None => (first == "Self").then_some(TypeRef::SelfType)?,
            };
            (base, None, names)
        }
    };
    let step =
        |of: TypeRef, name: &String| of.step(|of| TypeRef::Associated(of, of_trait.take(), name.clone()));
    Some(names.iter().fold(base, step)).filter(|ty| *ty != TypeRef::Unknown)
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
