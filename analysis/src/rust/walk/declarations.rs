//! What a file declares and imports, by module: what `calls` follows paths through.

use syn::{Item, UseTree};

use super::Walker;
use crate::rust::source::{Generic, ModuleItems};
use crate::rust::type_ref::{self, Parameters, TypeRef};

impl Walker<'_> {
    /// Notes what a module declares; its imports are in scope.
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
                    declared.types.push((item.ident.to_string(), fields));
                }
                Item::Enum(item) => declared.types.push((item.ident.to_string(), Vec::new())),
                Item::Type(item) => {
                    let ty = type_ref::of_type(&item.ty, &self.imports, &Parameters::new());
                    declared.aliases.push((item.ident.to_string(), ty));
                }
                Item::Static(item) => {
                    let ty = self.type_ref(&item.ty);
                    self.statics.insert(item.ident.to_string(), ty);
                }
                Item::Trait(item) => declared.traits.push(item.ident.to_string()),
                _ => {}
            }
        }
        self.items.push(declared);
    }
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
