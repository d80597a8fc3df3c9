//! What a file declares and imports, by module: `graph/modules` resolves paths by it.

use syn::parse::{ParseStream, Parser};
use syn::{Item, UseTree};

use super::Walker;
use super::sql_text::segments;
use crate::rust::source::{Generic, ModuleItems};
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
                        .map(|parameter| parameter.ident.to_string())
                        .map(|name| (name.clone(), parameters.remove(&name).unwrap_or_default()))
                        .collect();
                    if !generics.is_empty() {
                        declared.generics.push((item.ident.to_string(), generics));
                    }
                    let fields = fields(&item.fields, |ty| type_ref::of_type(ty, &self.imports, &parameters));
                    if let [(_, field)] = fields.as_slice()
                        && derives_deref(&item.attrs)
                    {
                        let of = TypeRef::Named(vec![item.ident.to_string()], Vec::new());
                        declared.derefs.push((of, field.clone()));
                    }
                    declared.types.push((item.ident.to_string(), fields));
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
                        .map(|parameter| (parameter.ident.to_string(), Vec::new()))
                        .collect();
                    declared.types.push((item.ident.to_string(), variants.collect()));
                    if !generics.is_empty() {
                        declared.generics.push((item.ident.to_string(), generics));
                    }
                }
                Item::Impl(item) => self.declare_impl(&mut declared, item),
                Item::Type(item) => {
                    let ty = type_ref::of_type(&item.ty, &self.imports, &Parameters::new());
                    declared.aliases.push((item.ident.to_string(), ty));
                }
                Item::Static(item) => self.declare_static(&mut declared, &item.ident, &item.ty),
                Item::Macro(item) if item.mac.path.segments.last().is_some_and(is_of_statics) => {
                    let statics =
                        (|input: ParseStream<'_>| lazy_statics(input)).parse2(item.mac.tokens.clone());
                    for (name, ty) in statics.unwrap_or_default() {
                        self.declare_static(&mut declared, &name, &ty);
                    }
                }
                Item::Trait(item) => {
                    let mut asked = type_ref::traits(&item.supertraits, &self.imports);
                    for predicate in item.generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
                        if let syn::WherePredicate::Type(predicate) = predicate
                            && matches!(&predicate.bounded_ty, syn::Type::Path(path) if path.path.is_ident("Self"))
                        {
                            asked.extend(type_ref::traits(&predicate.bounds, &self.imports));
                        }
                    }
                    declared.traits.push((item.ident.to_string(), asked));
                }
                _ => {}
            }
        }
        self.items.push(declared);
    }

    /// Notes the type of a static, which its name, written as no type's is, stands for elsewhere as well.
    fn declare_static(&mut self, declared: &mut ModuleItems, name: &syn::Ident, ty: &syn::Type) {
        let ty = self.type_ref(ty);
        declared.aliases.push((name.to_string(), ty.clone()));
        self.statics.insert(name.to_string(), ty);
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

fn fields(fields: &syn::Fields, ty: impl Fn(&syn::Type) -> TypeRef) -> Vec<(String, TypeRef)> {
    let named = fields.iter().enumerate().map(|(index, field)| {
        let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
        (name, ty(&field.ty))
    });
    named.collect()
}

fn add_use(items: &mut ModuleItems, prefix: &mut Vec<String>, tree: &UseTree) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            add_use(items, prefix, &path.tree);
            prefix.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| add_use(items, prefix, tree)),
        UseTree::Glob(_) => items.globs.push(prefix.clone()),
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            add_name(items, prefix, &name, name.clone());
        }
        UseTree::Rename(rename) => {
            add_name(items, prefix, &rename.ident.to_string(), rename.rename.to_string())
        }
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
