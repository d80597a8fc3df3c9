//! The types of expressions and patterns, as far as the current function and its file determine them.

use syn::{Expr, Type};

use super::Walker;
use super::handed::member;
use super::rows::types_in;
use super::shape;
use super::sql_text::{plain, segments};
use crate::rust::lex::own;
use crate::rust::methods::{Yields, is_lock, yields};
use crate::rust::type_ref::{self, MAX_TYPE_STEPS, TypeRef, of_type};
use crate::sql::Dialect;

impl Walker<'_> {
    /// A type as written at the current position.
    pub(super) fn type_ref(&self, ty: &Type) -> TypeRef {
        of_type(ty, &self.imports, &self.parameters)
    }

    /// The type that a path names by another at the current position: `Self::Repo`, `<T as HasRepo>::Repo`.
    pub(super) fn associated(&self, of: Option<&syn::QSelf>, path: &[String]) -> Option<TypeRef> {
        type_ref::associated(of, path, &self.imports, &self.parameters)
    }

    /// The type of an expression, as far as it is known.
    pub(super) fn type_of(&self, expression: &Expr) -> TypeRef {
        self.type_at(expression, 0, &[])
    }

    /// The type of an expression inside of another, where `bound` are in scope as well.
    pub(super) fn type_at(&self, expression: &Expr, depth: u8, bound: &[(String, TypeRef)]) -> TypeRef {
        if depth > 2 * MAX_TYPE_STEPS {
            return TypeRef::Unknown;
        }
        let next = |inner: &Expr| self.type_at(inner, depth + 1, bound);
        match expression {
            Expr::Reference(inner) => next(&inner.expr),
            Expr::Paren(inner) => next(&inner.expr),
            Expr::Group(inner) => next(&inner.expr),
            // What `self` points to, where that is a reference to a pointer: `(**self).load(id)`.
            Expr::Unary(inner) if is_self_behind_pointer(inner) => {
                TypeRef::Method(Box::new(TypeRef::SelfType), "deref".to_owned())
            }
            Expr::Unary(inner) => next(&inner.expr),
            Expr::Await(inner) => next(&inner.base),
            Expr::Try(inner) => next(&inner.expr).step(TypeRef::Inside),
            Expr::Index(inner) => match inner.index.as_ref() {
                Expr::Range(_) => next(&inner.expr),
                _ => next(&inner.expr).step(|of| TypeRef::Method(of, "index".to_owned())),
            },
            Expr::Cast(cast) => self.type_ref(&cast.ty),
            Expr::Struct(node) => self.constructed(&node.path),
            Expr::Block(node) => self.type_of_block(&node.block, depth, bound),
            Expr::If(node) => self.type_of_if(node, depth, bound),
            Expr::Match(node) => self.type_of_match(node, depth, bound),
            Expr::Field(field) => next(&field.base).step(|base| TypeRef::Field(base, member(&field.member))),
            // What is asked for by its type, as the state of a server is.
            Expr::MethodCall(call) if gives_type_asked_for(&call.method) && call.turbofish.is_some() => {
                let mut given = call.turbofish.iter().flat_map(types_in);
                given.next().map(|ty| self.type_ref(ty)).unwrap_or_default()
            }
            Expr::Array(_) => TypeRef::Named(vec!["[]".to_owned()], Vec::new()),
            Expr::Tuple(tuple) => {
                TypeRef::Named(vec!["()".to_owned()], tuple.elems.iter().map(next).collect())
            }
            Expr::Macro(mac) if mac.mac.path.is_ident("vec") => {
                TypeRef::Named(vec!["Vec".to_owned()], Vec::new())
            }
            Expr::Macro(mac) => self.type_of_macro(&mac.mac).unwrap_or_default(),
            Expr::MethodCall(call) => {
                let on = next(&call.receiver);
                let rows = self.type_of_rows(call, &on);
                rows.unwrap_or_else(|| on.step(|on| TypeRef::Method(on, plain(&call.method))))
            }
            Expr::Call(call) => {
                let Expr::Path(function) = call.func.as_ref() else { return TypeRef::Unknown };
                if let Some(query) = self.type_of_query(&function.path) {
                    return query;
                }
                if let Some(ty) = self.type_of_view(function) {
                    return ty;
                }
                let path = segments(&function.path);
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                let wraps = matches!(
                    names.as_slice(),
                    ["Some" | "Ok"] | [.., "Arc" | "Box" | "Rc", "new"] | [.., "Arc", "clone"]
                );
                match (wraps, call.args.first()) {
                    (true, Some(argument)) => next(argument),
                    (_, Some(argument))
                        if let [.., of, "new"] = names.as_slice()
                            && is_lock(of) =>
                    {
                        TypeRef::Named(vec![(*of).to_owned()], vec![next(argument)])
                    }
                    _ if path.last().is_some_and(|last| last.starts_with(char::is_uppercase)) => {
                        self.constructed(&function.path)
                    }
                    _ => match path
                        .split_last()
                        .map(|(name, of)| (name, self.associated(function.qself.as_ref(), of)))
                    {
                        Some((name, Some(of))) => of.step(|of| TypeRef::Method(of, name.clone())),
                        _ => TypeRef::Returned(self.imports.resolve(&path)),
                    },
                }
            }
            Expr::Path(path) => match path.path.get_ident() {
                Some(name) if name == "self" => TypeRef::SelfType,
                Some(name) if let Some((_, ty)) = bound.iter().rev().find(|(it, _)| name == it) => ty.clone(),
                Some(name) => match self.here.locals.get(&name.to_string()) {
                    Some(local) => local.ty.clone(),
                    None if self.statics.contains_key(&name.to_string()) => {
                        self.statics.get(&name.to_string()).cloned().unwrap_or_default()
                    }
                    None if name.to_string().starts_with(char::is_uppercase) => self.named(&path.path),
                    None => TypeRef::Unknown,
                },
                // A unit variant.
                None if path.qself.is_none() && is_variant(&segments(&path.path)) => {
                    self.constructed(&path.path)
                }
                // A static of another module.
                None if segments(&path.path).last().is_some_and(|last| shape::is_constant(last)) => {
                    self.named(&path.path)
                }
                None => TypeRef::Unknown,
            },
            _ => TypeRef::Unknown,
        }
    }

    /// The type of a value constructed by a path: a struct, or the enum of a variant.
    pub(super) fn constructed(&self, path: &syn::Path) -> TypeRef {
        let mut names = segments(path);
        if !is_variant(&names) {
            return self.named(path);
        }
        names.pop();
        match names.as_slice() {
            [name] if name == "Self" => TypeRef::SelfType,
            names => TypeRef::Named(self.imports.resolve(names), Vec::new()),
        }
    }

    /// The type of the elements of a collection, iterator or stream.
    pub(super) fn element_of(&self, expression: &Expr) -> TypeRef {
        self.type_of(expression).step(TypeRef::Element)
    }

    /// Whether a type is a trait object in a collection, as far as this file determines it: a parameter of
    /// the function, or a field of the enclosing type.
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

    /// The type of a field, as far as this file determines it.
    pub(super) fn in_file(&self, ty: &TypeRef) -> Option<TypeRef> {
        let (of, name) = match ty {
            TypeRef::Field(of, name) => (self.in_file(of)?, name),
            TypeRef::SelfType => {
                return self.owner.name.clone().map(|name| TypeRef::Named(vec![name], Vec::new()));
            }
            TypeRef::Named(path, arguments)
                if matches!(
                    path.last().map(String::as_str),
                    Some("Arc" | "Rc" | "Box" | "State" | "Data")
                ) && !arguments.is_empty() =>
            {
                return self.in_file(arguments.first()?);
            }
            TypeRef::Named(..) => return Some(ty.clone()),
            TypeRef::Element(of) => return self.element_in_file(listed(of)),
            TypeRef::Method(of, name) if name == "index" => return self.element_in_file(of),
            _ => return None,
        };
        let TypeRef::Named(path, _) = of else { return None };
        let types = self.items.iter().flat_map(|items| &items.types);
        let mut fields = types.filter(|(of, _)| path.last() == Some(of)).flat_map(|(_, fields)| fields);
        fields.find(|(field, _)| field == name).map(|(_, ty)| ty.clone())
    }

    /// The type of the elements of a collection, as far as this file determines it.
    fn element_in_file(&self, collection: &TypeRef) -> Option<TypeRef> {
        match self.in_file(collection)? {
            // Behind the elements of an array is its length.
            TypeRef::Named(path, arguments) if path.last().is_some_and(|last| last == "[]") => {
                arguments.first().cloned()
            }
            TypeRef::Named(path, arguments) if path.last().is_some_and(|last| own::is_collection(last)) => {
                arguments.last().cloned()
            }
            _ => None,
        }
    }

    /// The type that a function of a trait of views gives: `AsRef::<Books>::as_ref(app)`, `<App as AsRef<Books>>::as_ref(app)`.
    fn type_of_view(&self, function: &syn::ExprPath) -> Option<TypeRef> {
        let of = function.path.segments.iter().nth_back(1)?;
        let is_view = matches!(of.ident.to_string().as_str(), "AsRef" | "AsMut" | "Borrow" | "BorrowMut");
        match &of.arguments {
            syn::PathArguments::AngleBracketed(given) if is_view => {
                types_in(given).next().map(|ty| self.type_ref(ty))
            }
            _ => None,
        }
    }

    /// Whether a value of this type is known to have `iter`, as far as this file tells.
    pub(super) fn has_iter(&self, ty: &TypeRef) -> bool {
        match ty {
            TypeRef::Inside(of) => match of.as_ref() {
                TypeRef::Named(path, arguments)
                    if path.last().is_some_and(|last| last == "Option" || last.ends_with("Result")) =>
                {
                    arguments.first().is_some_and(|inner| self.has_iter(inner))
                }
                _ => false,
            },
            TypeRef::Method(of, name) => match name.as_str() {
                "clone" | "to_vec" | "to_owned" => self.has_iter(of),
                "unwrap" | "expect" | "unwrap_or_default" => self.has_iter(&TypeRef::Inside(of.clone())),
                _ => false,
            },
            TypeRef::Field(..) => {
                self.in_file(ty).is_some_and(|ty| !matches!(ty, TypeRef::Field(..)) && self.has_iter(&ty))
            }
            TypeRef::Named(path, arguments) => match path.last().map_or("", String::as_str) {
                "[]" | "ArrayVec" | "BinaryHeap" | "LinkedList" => true,
                name if own::is_collection(name) => true,
                "Arc" | "Rc" | "Box" | "Cow" => arguments.first().is_some_and(|inner| self.has_iter(inner)),
                _ => false,
            },
            _ => false,
        }
    }

    /// The dialect of a connection or pool of this type, as far as this file determines it.
    pub(super) fn database_of(&self, ty: &TypeRef) -> Option<Dialect> {
        match ty {
            TypeRef::Method(of, name) => {
                let keeps = matches!(yields(name), Some(Yields::View | Yields::Copy | Yields::Locked))
                    || matches!(name.as_str(), "acquire" | "begin");
                (keeps || is_opened(of)).then(|| self.database_of(of)).flatten()
            }
            TypeRef::Inside(of) => self.database_of(of),
            TypeRef::Returned(path) if is_opened(ty) => database_named(path.iter().nth_back(1)?),
            TypeRef::Named(path, arguments) => match path.last()?.as_str() {
                "Pool" | "Transaction" | "PoolConnection" | "Arc" | "Rc" | "Box" | "Mutex" | "State"
                | "Data" => self.database_of(arguments.first()?),
                name => database_named(name),
            },
            TypeRef::Field(..) => match self.in_file(ty)? {
                TypeRef::Field(..) => None,
                ty => self.database_of(&ty),
            },
            _ => None,
        }
    }

    fn named(&self, path: &syn::Path) -> TypeRef {
        match segments(path).as_slice() {
            [name] if name == "Self" => TypeRef::SelfType,
            names => TypeRef::Named(self.imports.resolve(names), Vec::new()),
        }
    }
}

/// Whether a method gives a value of the type that its type argument names, or an option or result of one: what a server keeps by
/// type, what a container builds, the value behind `dyn Any`, what a text is parsed as.
fn gives_type_asked_for(method: &syn::Ident) -> bool {
    let names = [
        "app_data",
        "collect",
        "data",
        "data_opt",
        "data_unchecked",
        "downcast",
        "downcast_mut",
        "downcast_ref",
        "extension",
        "obtain",
        "parse",
        "provide",
        "req_data",
        "resolve",
        "state",
        "try_state",
    ];
    names.iter().any(|name| method == name)
}

/// The collection whose elements an iterator gives.
fn listed(ty: &TypeRef) -> &TypeRef {
    match ty {
        TypeRef::Method(of, name)
            if matches!(name.as_str(), "into_iter" | "iter" | "iter_mut" | "values") =>
        {
            of
        }
        ty => ty,
    }
}

/// Whether an expression is `**self`.
fn is_self_behind_pointer(outer: &syn::ExprUnary) -> bool {
    let dereferenced = |value: &Expr| match value {
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => Some(inner.expr.clone()),
        _ => None,
    };
    matches!(outer.op, syn::UnOp::Deref(_))
        && dereferenced(&outer.expr)
            .is_some_and(|inner| matches!(*inner, Expr::Path(path) if path.path.is_ident("self")))
}

/// Whether a path names a variant by its enum: `Any::Empty`; constants have a different naming convention.
fn is_variant(names: &[String]) -> bool {
    let [.., of, last] = names else { return false };
    let is_type = |name: &str| name.starts_with(char::is_uppercase) && name.chars().any(char::is_lowercase);
    is_type(of) && is_type(last)
}

/// Whether a collection contains trait objects: `Vec<Box<dyn Processor>>`.
fn holds_objects(ty: &TypeRef) -> bool {
    let TypeRef::Named(_, arguments) = ty else { return false };
    arguments.iter().any(|argument| match argument {
        TypeRef::Object(_) => true,
        TypeRef::Named(path, _)
            if path.last().is_some_and(|name| matches!(name.as_str(), "Box" | "Arc" | "Rc" | "Vec")) =>
        {
            holds_objects(argument)
        }
        _ => false,
    })
}

/// The dialect of sqlx's type of this name.
fn database_named(name: &str) -> Option<Dialect> {
    match name {
        "PgPool" | "PgConnection" | "PgTransaction" | "PgPoolOptions" | "PgConnectOptions" | "Postgres" => {
            Some(Dialect::Postgres)
        }
        "MySqlPool"
        | "MySqlConnection"
        | "MySqlTransaction"
        | "MySqlPoolOptions"
        | "MySqlConnectOptions"
        | "MySql" => Some(Dialect::MySql),
        "SqlitePool"
        | "SqliteConnection"
        | "SqliteTransaction"
        | "SqlitePoolOptions"
        | "SqliteConnectOptions"
        | "Sqlite" => Some(Dialect::Sqlite),
        _ => None,
    }
}

/// Whether a value comes from options, a pool or a connection that is made here: `PgPoolOptions::new().connect(url)`. Whatever
/// its methods return is of the same database.
fn is_opened(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Method(of, _) | TypeRef::Inside(of) => is_opened(of),
        TypeRef::Returned(path) => {
            path.iter().nth_back(1).is_some_and(|owner| database_named(owner).is_some())
        }
        _ => false,
    }
}
