//! The types of the rows that queries give, where the source names them: `query_as::<_, Post>(..).fetch_all(db)` gives a
//! vector of `Post`.

use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprMethodCall, Stmt, Type};

use super::Walker;
use super::sql_text::segments;
use crate::rust::query_names::{self, FunctionForm};
use crate::rust::type_ref::TypeRef;

/// The name of the type of a query that has rows of a type; its second argument is that type.
const QUERY: &str = "QueryAs";

impl Walker<'_> {
    /// The type of a function's call that makes a query whose rows have a type: `query_as::<_, Post>(..)`.
    pub(super) fn type_of_query(&self, path: &syn::Path) -> Option<TypeRef> {
        let form = query_names::function_form(&self.imports, &segments(path))?;
        let last = path.segments.last()?;
        let syn::PathArguments::AngleBracketed(given) = &last.arguments else { return None };
        let FunctionForm::Query { .. } = form else { return None };
        // The database comes first, then the row.
        Some(query_of(types_in(given).nth(1).map(|row| self.type_ref(row))?))
    }

    /// The type of what a macro makes, if that is a query, whose rows may have a type: `query_as!(Post, ..)`.
    pub(super) fn type_of_macro(&self, mac: &syn::Macro) -> Option<TypeRef> {
        let form = query_names::macro_form(&self.imports, &segments(&mac.path))?;
        if !form.typed {
            return Some(query_of(TypeRef::Unknown));
        }
        let row = |input: ParseStream<'_>| {
            input.call(Attribute::parse_outer)?;
            let row: Type = input.parse()?;
            input.parse::<proc_macro2::TokenStream>().map(|_| row)
        };
        let row = row.parse2(mac.tokens.clone()).ok()?;
        (!form.by_name_only || mac.path.segments.len() > 1).then(|| query_of(self.type_ref(&row)))
    }

    /// The type of what a method gives that makes, changes or runs a query on which it is called; `None` for other methods.
    /// `on` is the type of the receiver.
    pub(super) fn type_of_rows(&self, call: &ExprMethodCall, on: &TypeRef) -> Option<TypeRef> {
        let method = call.method.to_string();
        if matches!(method.as_str(), "build_query_as" | "build_query_scalar") {
            let row = types_in(call.turbofish.as_ref()?).next()?;
            return Some(query_of(self.type_ref(row)));
        }
        let row = || row_of(on).filter(|row| **row != TypeRef::Unknown).cloned();
        let result = |inner| TypeRef::Named(vec!["Result".to_owned()], vec![inner]);
        let many = |of: &str, inner| TypeRef::Named(vec![of.to_owned()], vec![inner]);
        Some(match method.as_str() {
            "fetch_all" => result(many("Vec", row().unwrap_or_default())),
            "fetch_one" => result(row()?),
            "fetch_optional" => result(many("Option", row()?)),
            "fetch" => many("BoxStream", result(row()?)),
            // Each row becomes what the closure makes of it.
            "map" | "try_map" if is_query(on) => match call.args.first() {
                Some(Expr::Closure(closure)) => query_of(self.type_made(&closure.body)),
                _ => query_of(TypeRef::Unknown),
            },
            name if row_of(on).is_some() && query_names::keeps_arguments(name) => on.clone(),
            _ => return None,
        })
    }

    /// The type of a value that is put together where it is written, without a look at the variables in it.
    fn type_made(&self, value: &Expr) -> TypeRef {
        match value {
            Expr::Paren(inner) => self.type_made(&inner.expr),
            Expr::Block(node) => match node.block.stmts.last() {
                Some(Stmt::Expr(tail, None)) => self.type_made(tail),
                _ => TypeRef::Unknown,
            },
            Expr::Struct(_) => self.type_of(value),
            Expr::Call(call) => match (call.func.as_ref(), call.args.first()) {
                (Expr::Path(path), Some(inner)) if path.path.is_ident("Ok") => self.type_made(inner),
                _ => self.type_of(value),
            },
            _ => TypeRef::Unknown,
        }
    }

    /// Notes the type of what is added to a collection whose elements have an unknown type so far.
    pub(super) fn type_added(&mut self, call: &ExprMethodCall) {
        let adds = ["push", "push_back", "push_front", "insert"].iter().any(|name| call.method == name);
        let (Expr::Path(path), Some(added), true) = (call.receiver.as_ref(), call.args.first(), adds) else {
            return;
        };
        let Some(name) = path.path.get_ident().map(ToString::to_string).filter(|_| call.args.len() == 1)
        else {
            return;
        };
        let collection = self.here.locals.get(&name).and_then(|local| untyped(&local.ty));
        let Some(collection) = collection else { return };
        let added = self.type_of(added);
        if let Some(local) = self.here.locals.get_mut(&name).filter(|_| added != TypeRef::Unknown) {
            local.ty = TypeRef::Named(vec![collection], vec![added]);
        }
    }
}

pub(super) fn types_in(given: &syn::AngleBracketedGenericArguments) -> impl Iterator<Item = &Type> {
    given.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The type of a query with rows of this type.
fn query_of(row: TypeRef) -> TypeRef {
    TypeRef::Named(vec!["sqlx".to_owned(), QUERY.to_owned()], vec![TypeRef::Unknown, row])
}

/// The type of a query's rows.
fn row_of(query: &TypeRef) -> Option<&TypeRef> {
    match query {
        TypeRef::Named(path, arguments) if path.last().is_some_and(|last| last == QUERY) => arguments.get(1),
        _ => None,
    }
}

/// Whether a value is a query made here.
fn is_query(ty: &TypeRef) -> bool {
    let makes = |name: &String| matches!(name.as_str(), "query" | "query_with");
    row_of(ty).is_some() || matches!(ty, TypeRef::Returned(path) if path.last().is_some_and(makes))
}

/// The name of a list whose elements have no known type: `vec![]`, `Vec::new()`.
fn untyped(ty: &TypeRef) -> Option<String> {
    let is_list = |name: &&String| matches!(name.as_str(), "Vec" | "VecDeque" | "HashSet" | "BTreeSet");
    match ty {
        TypeRef::Named(path, arguments) if arguments.iter().all(|it| *it == TypeRef::Unknown) => {
            path.last().filter(is_list).cloned()
        }
        TypeRef::Returned(path) => match path.as_slice() {
            [.., of, made] if matches!(made.as_str(), "new" | "with_capacity" | "default") => {
                Some(of).filter(is_list).cloned()
            }
            _ => None,
        },
        _ => None,
    }
}
