//! Code that is compiled under a condition: for which database it is, and whether other code stands in its place for
//! another.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Expr, ImplItem, Item, Stmt};

use super::Walker;
use super::typing::database_named;
use crate::rust::type_ref::TypeRef;
use crate::sql::Dialect;

/// What `#[cfg(..)]` says of code.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::rust) struct Condition {
    /// The database that the condition names.
    pub(in crate::rust) database: Option<Dialect>,
    /// Whether other code is compiled for another database instead.
    pub(in crate::rust) is_alternative: bool,
}

impl Walker<'_> {
    /// Walks an item or statement under the conditions of its attributes. `has_other` tells whether something else stands
    /// beside it in its place; so it does where the file has code for several databases.
    pub(super) fn conditioned<T>(
        &mut self,
        attributes: &[Attribute],
        has_other: bool,
        walk: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = self.condition;
        let conditions: Vec<String> = attributes.iter().filter_map(condition).collect();
        if !conditions.is_empty() {
            self.condition.is_alternative |= has_other || self.names_databases;
            self.condition.database = conditions.iter().find_map(|it| named(it)).or(outer.database);
        }
        let result = walk(self);
        self.condition = outer;
        result
    }
}

/// The condition of an attribute, if it is one about anything but tests.
fn condition(attribute: &Attribute) -> Option<String> {
    let list = attribute.path().is_ident("cfg").then(|| attribute.meta.require_list().ok()).flatten()?;
    let text = list.tokens.to_string();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    (!words.into_iter().any(|word| word == "test")).then_some(text)
}

/// The database that a condition names. One that excludes a database does not tell which of the others is meant.
fn named(condition: &str) -> Option<Dialect> {
    let words: Vec<&str> = condition.split(|c: char| !c.is_alphanumeric()).collect();
    if words.iter().any(|word| matches!(*word, "not" | "any")) {
        return None;
    }
    let mut databases = words.iter().filter_map(|word| match *word {
        "postgres" | "postgresql" | "pg" => Some(Dialect::Postgres),
        "mysql" | "mariadb" => Some(Dialect::MySql),
        "sqlite" | "sqlite3" => Some(Dialect::Sqlite),
        _ => None,
    });
    let first = databases.next()?;
    databases.all(|other| other == first).then_some(first)
}

/// For each of some items, whether another of the same name has another condition.
pub(super) fn alternatives<'a, T>(
    items: &'a [T],
    of: impl Fn(&'a T) -> Option<(String, &'a [Attribute])>,
) -> Vec<bool> {
    let known: Vec<Option<(String, Vec<String>)>> = items
        .iter()
        .map(|item| {
            let (name, attributes) = of(item)?;
            let conditions: Vec<String> = attributes.iter().filter_map(condition).collect();
            (!conditions.is_empty()).then_some((name, conditions))
        })
        .collect();
    let mut by_name: std::collections::HashMap<&str, Vec<&[String]>> = std::collections::HashMap::new();
    for (name, conditions) in known.iter().flatten() {
        by_name.entry(name).or_default().push(conditions);
    }
    let differs = |(name, conditions): &(String, Vec<String>)| {
        by_name.get(name.as_str()).is_some_and(|all| all.iter().any(|other| *other != conditions.as_slice()))
    };
    known.iter().map(|item| item.as_ref().is_some_and(differs)).collect()
}

/// What names an item, and its attributes.
pub(super) fn of_item(item: &Item) -> Option<(String, &[Attribute])> {
    Some(match item {
        Item::Fn(item) => (format!("fn {}", item.sig.ident), &item.attrs),
        Item::Mod(item) => (format!("mod {}", item.ident), &item.attrs),
        Item::Impl(item) => {
            let of = item.trait_.as_ref().map(|(path, _)| super::sql_text::segments(path).join("::"));
            (
                format!("impl {} {}", of.unwrap_or_default(), super::items::type_name(&item.self_ty)),
                &item.attrs,
            )
        }
        Item::Const(item) => (format!("const {}", item.ident), &item.attrs),
        Item::Static(item) => (format!("static {}", item.ident), &item.attrs),
        _ => return None,
    })
}

/// What names a member, and its attributes.
pub(super) fn of_member(member: &ImplItem) -> Option<(String, &[Attribute])> {
    match member {
        ImplItem::Fn(item) => Some((item.sig.ident.to_string(), &item.attrs)),
        ImplItem::Const(item) => Some((item.ident.to_string(), &item.attrs)),
        _ => None,
    }
}

/// What a statement declares, and its attributes; all blocks are one.
pub(super) fn of_statement(statement: &Stmt) -> Option<(String, &[Attribute])> {
    match statement {
        Stmt::Local(local) => Some((super::variables::bindings(&local.pat).join(" "), &local.attrs)),
        Stmt::Item(item) => of_item(item),
        Stmt::Expr(expression, _) => Some((String::new(), attributes(expression)?)),
        Stmt::Macro(mac) => Some((String::new(), &mac.attrs)),
    }
}

/// The attributes of an expression that is a statement.
pub(super) fn attributes(expression: &Expr) -> Option<&[Attribute]> {
    Some(match expression {
        Expr::Block(node) => &node.attrs,
        Expr::If(node) => &node.attrs,
        Expr::Match(node) => &node.attrs,
        Expr::Call(node) => &node.attrs,
        Expr::MethodCall(node) => &node.attrs,
        Expr::Await(node) => &node.attrs,
        Expr::Try(node) => &node.attrs,
        Expr::Return(node) => &node.attrs,
        Expr::Assign(node) => &node.attrs,
        Expr::ForLoop(node) => &node.attrs,
        _ => return None,
    })
}

/// The type of a connection to the database that a parameter's bounds name: `impl Executor<'_, Database = Sqlite>`.
pub(super) fn executor(ty: &syn::Type, generics: &syn::Generics) -> Option<TypeRef> {
    let name = |ty: &syn::Type| match ty {
        syn::Type::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    };
    let of_bounds = |bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>| {
        bounds.iter().find_map(bound_database)
    };
    let found = match ty {
        syn::Type::ImplTrait(node) => of_bounds(&node.bounds),
        ty => {
            let named = name(ty)?;
            let own = generics.type_params().find(|parameter| parameter.ident == named);
            let clauses = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
            let clauses = clauses.filter_map(|clause| match clause {
                syn::WherePredicate::Type(clause) if name(&clause.bounded_ty)? == named => {
                    of_bounds(&clause.bounds)
                }
                _ => None,
            });
            own.and_then(|own| of_bounds(&own.bounds)).or_else(|| clauses.into_iter().next())
        }
    };
    found.map(|database| {
        TypeRef::Named(vec!["PoolConnection".to_owned()], vec![TypeRef::Named(vec![database], Vec::new())])
    })
}

/// The name of the database in the bound of an executor.
fn bound_database(bound: &syn::TypeParamBound) -> Option<String> {
    let syn::TypeParamBound::Trait(bound) = bound else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::AssocType(of) if of.ident == "Database" => match &of.ty {
            syn::Type::Path(path) => {
                let name = path.path.segments.last()?.ident.to_string();
                database_named(&name).map(|_| name)
            }
            _ => None,
        },
        _ => None,
    })
}

/// The database among the type arguments of a path: `query_as::<Sqlite, _>`.
pub(super) fn database_in(path: &syn::Path) -> Option<Dialect> {
    let syn::PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(syn::Type::Path(path)) => {
            database_named(&path.path.segments.last()?.ident.to_string())
        }
        _ => None,
    })
}

/// Whether tokens name sqlx's types of more than one database.
pub(in crate::rust) fn names_several(tokens: &TokenStream) -> bool {
    fn read(tokens: TokenStream, found: &mut Vec<Dialect>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => read(group.stream(), found),
                TokenTree::Ident(name) => {
                    let new = database_named(&name.to_string()).filter(|dialect| !found.contains(dialect));
                    found.extend(new);
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    read(tokens.clone(), &mut found);
    found.len() > 1
}
