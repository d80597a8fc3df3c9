//! What a file declares and imports, by module: `graph/modules` resolves paths by it.

use syn::parse::{ParseStream, Parser};
use syn::{Item, UseTree};

use super::Walker;
use super::sql_text::{plain, segments};
use crate::rust::graph::imports::Imports;
use crate::rust::source::{AssociatedType, Generic, ModuleItems};
use crate::rust::type_ref::{self, Parameters, TypeRef};

impl Walker<'_> {
    /// Records what a module declares; its imports are in scope.
    pub(in crate::rust) fn declare(&mut self, items: &[Item]) {
        let mut declared = ModuleItems { module: self.module.clone(), ..ModuleItems::default() };
        for item in items {
            match item {
                Item::Use(item) => add_use(&mut declared, &mut Vec::new(), &item.tree),
                Item::Struct(item) => {
                    let mut parameters = type_ref::parameters(&item.generics, &self.imports);
                    let generics: Vec<Generic> = item
                        .generics
                        .type_params()
                        .map(|parameter| plain(&parameter.ident))
                        .map(|name| (name.clone(), parameters.remove(&name).unwrap_or_default()))
                        .collect();
                    if !generics.is_empty() {
                        declared.generics.push((plain(&item.ident), generics));
                    }
                    let fields = fields(&item.fields, |ty| type_ref::of_type(ty, &self.imports, &parameters));
                    if let [(_, field)] = fields.as_slice()
                        && derives_deref(&item.attrs)
                    {
                        let of = TypeRef::Named(vec![plain(&item.ident)], Vec::new());
                        declared.derefs.push((of, field.clone()));
                    }
                    let held = delegated(&item.attrs, &fields);
                    if !held.is_empty() {
                        declared.dispatched.push((plain(&item.ident), held));
                    }
                    declared.types.push((plain(&item.ident), fields));
                }
                Item::Enum(item) => {
                    let parameters = Parameters::new();
                    let ty = |ty: &syn::Type| type_ref::of_type(ty, &self.imports, &parameters);
                    let variants = item.variants.iter().flat_map(|variant| {
                        let of = fields(&variant.fields, ty).into_iter();
                        of.map(|(name, ty)| (format!("{}::{name}", variant.ident), ty)).collect::<Vec<_>>()
                    });
                    let generics: Vec<Generic> = item
                        .generics
                        .type_params()
                        .map(|parameter| (plain(&parameter.ident), Vec::new()))
                        .collect();
                    let variants: Vec<_> = variants.collect();
                    if is_dispatched(&item.attrs) {
                        declared.dispatched.push((plain(&item.ident), held(item, &variants, &self.imports)));
                    }
                    declared.types.push((plain(&item.ident), variants));
                    if !generics.is_empty() {
                        declared.generics.push((plain(&item.ident), generics));
                    }
                }
                Item::Impl(item) => self.declare_impl(&mut declared, item),
                Item::Type(item) => {
                    let ty = type_ref::of_type(&item.ty, &self.imports, &Parameters::new());
                    declared.aliases.push((plain(&item.ident), ty));
                }
                Item::Static(item) => self.declare_static(&mut declared, &item.ident, &item.ty),
                Item::Const(item) if may_have_methods(&item.ty) => {
                    self.declare_static(&mut declared, &item.ident, &item.ty);
                }
                Item::Macro(item) if item.mac.path.segments.last().is_some_and(is_of_statics) => {
                    let statics =
                        (|input: ParseStream<'_>| lazy_statics(input)).parse2(item.mac.tokens.clone());
                    for (name, ty) in statics.unwrap_or_default() {
                        self.declare_static(&mut declared, &name, &ty);
                    }
                }
                Item::Trait(item) => self.declare_trait(&mut declared, item),
                _ => {}
            }
        }
        self.items.push(declared);
    }

    /// Records a trait with what it asks of those that implement it.
    fn declare_trait(&self, declared: &mut ModuleItems, item: &syn::ItemTrait) {
        let mut asked = type_ref::traits(&item.supertraits, &self.imports);
        for predicate in item.generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            if let syn::WherePredicate::Type(predicate) = predicate
                && matches!(&predicate.bounded_ty, syn::Type::Path(path) if path.path.is_ident("Self"))
            {
                asked.extend(type_ref::traits(&predicate.bounds, &self.imports));
            }
        }
        self.declare_asked(declared, item);
        declared.traits.push((plain(&item.ident), asked));
    }

    /// Notes the type of a static or constant, which its name, written as no type's is, stands for elsewhere as well.
    fn declare_static(&mut self, declared: &mut ModuleItems, name: &syn::Ident, ty: &syn::Type) {
        let ty = self.type_ref(ty);
        declared.aliases.push((name.to_string(), ty.clone()));
        self.statics.insert(name.to_string(), ty);
    }

    /// Records what a trait asks of the types that belong to what implements it.
    fn declare_asked(&self, declared: &mut ModuleItems, item: &syn::ItemTrait) {
        let of_trait = vec![plain(&item.ident)];
        for inner in &item.items {
            if let syn::TraitItem::Type(inner) = inner {
                let ty = TypeRef::Implements(type_ref::traits(&inner.bounds, &self.imports));
                let of = TypeRef::Implements(vec![of_trait.clone()]);
                let (of_trait, name) = (of_trait.clone(), plain(&inner.ident));
                declared.associated.push(AssociatedType { of, of_trait, name, ty });
            }
        }
    }

    /// Records what an `impl` says of types in general: a blanket implementation, or a `Deref` target.
    fn declare_impl(&self, declared: &mut ModuleItems, item: &syn::ItemImpl) {
        let Some((path, _)) = &item.trait_ else { return };
        let parameters = type_ref::parameters(&item.generics, &self.imports);
        let of = type_ref::of_type(&item.self_ty, &self.imports, &parameters);
        let named = self.imports.resolve(&segments(path));
        if let TypeRef::Implements(asked) = of {
            declared.blankets.push((asked, named));
            return;
        }
        for inner in &item.items {
            if let syn::ImplItem::Type(inner) = inner {
                let ty = type_ref::of_type(&inner.ty, &self.imports, &parameters);
                let (of, of_trait, name) = (of.clone(), named.clone(), plain(&inner.ident));
                declared.associated.push(AssociatedType { of, of_trait, name, ty });
            }
        }
        declared.implemented.push((of.clone(), named));
        if path.segments.last().is_some_and(|last| last.ident == "Deref") {
            let target = item.items.iter().find_map(|inner| match inner {
                syn::ImplItem::Type(target) if target.ident == "Target" => {
                    Some(type_ref::of_type(&target.ty, &self.imports, &parameters))
                }
                _ => None,
            });
            declared.derefs.extend(target.map(|target| (of, target)));
        }
    }
}

/// Whether the type of a constant may be one of the project, rather than a number or text.
fn may_have_methods(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Reference(inner) => may_have_methods(&inner.elem),
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase)),
        _ => false,
    }
}

/// Whether a macro declares statics: `lazy_static!`, `thread_local!`.
fn is_of_statics(last: &syn::PathSegment) -> bool {
    last.ident == "lazy_static" || last.ident == "thread_local"
}

/// The statics that are declared in a macro, with their types: `static ref NAME: Type = value;`.
fn lazy_statics(input: ParseStream<'_>) -> syn::Result<Vec<(syn::Ident, syn::Type)>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<syn::Token![static]>()?;
        input.parse::<Option<syn::Token![ref]>>()?;
        let name = input.parse()?;
        input.parse::<syn::Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<syn::Token![=]>()?;
        input.parse::<Option<syn::Token![const]>>()?;
        input.parse::<syn::Expr>()?;
        input.parse::<Option<syn::Token![;]>>()?;
        found.push((name, ty));
    }
    Ok(found)
}

/// Whether a struct derives dereferencing to its field: `#[derive(Deref)]`.
fn derives_deref(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let tokens = attribute.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default();
        tokens.into_iter().any(|token| token.to_string() == "Deref")
    })
}

/// Whether the methods of traits of an enum are those of the values in its variants: `#[enum_dispatch]`, and `#[delegate(Store)]`
/// of ambassador.
fn is_dispatched(attributes: &[syn::Attribute]) -> bool {
    let name = |attribute: &syn::Attribute| attribute.path().segments.last().map(|last| last.ident.clone());
    attributes.iter().filter_map(name).any(|name| name == "enum_dispatch" || name == "delegate")
}

/// The types of the fields of a struct whose methods are its own: `#[delegate(Store, target = "inner")]`, or its only field.
fn delegated(attributes: &[syn::Attribute], fields: &[(String, TypeRef)]) -> Vec<TypeRef> {
    let tokens = |attribute: &syn::Attribute| attribute.meta.require_list().map(|of| of.tokens.to_string());
    let of_delegate = attributes.iter().filter(|attribute| attribute.path().is_ident("delegate"));
    let given: Vec<String> = of_delegate.filter_map(|attribute| tokens(attribute).ok()).collect();
    let is_target = |name: &str| match given.iter().any(|given| given.contains("target")) {
        true => given.iter().any(|given| given.contains(&format!("\"{name}\""))),
        false => fields.len() == 1,
    };
    let held = fields.iter().filter(|(name, _)| !given.is_empty() && is_target(name));
    held.map(|(_, ty)| ty.clone()).collect()
}

/// The types of the values in the variants of an enum; a variant without one holds that of its name.
fn held(item: &syn::ItemEnum, variants: &[(String, TypeRef)], imports: &Imports) -> Vec<TypeRef> {
    let is_bare = |variant: &&syn::Variant| matches!(variant.fields, syn::Fields::Unit);
    let bare = item.variants.iter().filter(is_bare).map(|variant| plain(&variant.ident));
    let bare = bare.map(|name| TypeRef::Named(imports.resolve(&[name]), Vec::new()));
    variants.iter().map(|(_, ty)| ty.clone()).chain(bare).collect()
}

fn fields(fields: &syn::Fields, ty: impl Fn(&syn::Type) -> TypeRef) -> Vec<(String, TypeRef)> {
    let named = fields.iter().enumerate().map(|(index, field)| {
        let name = field.ident.as_ref().map_or_else(|| index.to_string(), plain);
        (name, ty(&field.ty))
    });
    named.collect()
}

fn add_use(items: &mut ModuleItems, prefix: &mut Vec<String>, tree: &UseTree) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(plain(&path.ident));
            add_use(items, prefix, &path.tree);
            prefix.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| add_use(items, prefix, tree)),
        UseTree::Glob(_) => items.globs.push(prefix.clone()),
        UseTree::Name(name) => {
            let name = plain(&name.ident);
            add_name(items, prefix, &name, name.clone());
        }
        UseTree::Rename(rename) => add_name(items, prefix, &plain(&rename.ident), plain(&rename.rename)),
    }
}

fn add_name(items: &mut ModuleItems, prefix: &[String], name: &str, local: String) {
    let mut full = prefix.to_vec();
    if name != "self" {
        full.push(name.to_owned());
    }
    let local = if local == "self" { prefix.last().cloned().unwrap_or_default() } else { local };
    items.uses.push((local, full));
}
