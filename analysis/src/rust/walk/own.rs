//! Whether a method is one of the project's own, where its name is one that libraries have as well.

use syn::{Expr, ExprMethodCall};

use super::Walker;
use super::shape::Shape;
use super::sql_text::segments;
use crate::rust::lex::own::{Gives, Methods, is_collection};
use crate::rust::methods::{Yields, yields};
use crate::rust::type_ref::TypeRef;

/// Whether a method is one of the project's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// It is that of a library.
    No,
    /// The project has one of its name, and the type of the receiver is not known here.
    Maybe,
    Yes,
}

/// The type that a method is called on, as far as this file knows it.
enum Receiver {
    Library,
    /// A type or traits of these names.
    Named(Vec<String>),
    Unknown,
}

impl Walker<'_> {
    /// Whether a method with a ubiquitous name is one of the project's own.
    pub(super) fn kin(&self, node: &ExprMethodCall, method: &str) -> Kin {
        let Some(known) = self.own.named(method) else { return Kin::No };
        match self.receiver(&self.type_of(&node.receiver), known, 0) {
            Receiver::Library => Kin::No,
            Receiver::Named(names) if names.iter().any(|name| known.are_of(name)) => Kin::Yes,
            Receiver::Named(_) | Receiver::Unknown => Kin::Maybe,
        }
    }

    /// The shape of what such a method returns; `None` if it is a library's, or returns the same as a library's.
    pub(super) fn shape_of_own(
        &self,
        node: &ExprMethodCall,
        of_library: Shape,
        receiver: &dyn Fn() -> Shape,
    ) -> Option<Shape> {
        let method = node.method.to_string();
        let known = self.own.named(&method)?;
        match self.kin(node, &method) {
            Kin::No => None,
            Kin::Yes if known.all_give(Gives::One) => Some(Shape::Single),
            Kin::Yes if known.all_give(Gives::Many) => Some(Shape::Elements),
            Kin::Yes => Some(Shape::Unknown),
            // At most one element only if each method of this name returns at most one; lists, ranges and
            // iterators are a library's.
            Kin::Maybe if matches!(of_library, Shape::Single | Shape::Fixed(..)) => {
                (!known.all_give(Gives::One) && receiver() == Shape::Unknown).then_some(Shape::Unknown)
            }
            Kin::Maybe => None,
        }
    }

    /// Whether a value is of a type of this file that can hold no connection: a struct without fields, or with plain values alone.
    /// Its methods take no SQL, whatever their names are.
    pub(super) fn holds_no_connection(&self, value: &Expr) -> bool {
        let Some(TypeRef::Named(path, _)) = self.in_file(&self.type_of(value)) else { return false };
        let [.., name] = path.as_slice() else { return false };
        let declared = self.items.iter().flat_map(|items| &items.types).any(|(known, _)| known == name);
        let points = self
            .items
            .iter()
            .flat_map(|items| &items.derefs)
            .any(|(of, _)| matches!(of, TypeRef::Named(of, _) if of.last() == Some(name)));
        declared && !points && self.is_plain_value(&TypeRef::Named(vec![name.clone()], Vec::new()), 0)
    }

    /// Whether a type is one of numbers, texts and lists of them, or a struct of such.
    fn is_plain_value(&self, ty: &TypeRef, depth: u8) -> bool {
        let TypeRef::Named(path, arguments) = ty else { return false };
        let [name] = path.as_slice() else { return false };
        let next = |ty: &TypeRef| depth < 4 && self.is_plain_value(ty, depth + 1);
        let is_number = matches!(
            name.as_str(),
            "bool"
                | "char"
                | "str"
                | "String"
                | "u8"
                | "u16"
                | "u32"
                | "u64"
                | "u128"
                | "usize"
                | "i8"
                | "i16"
                | "i32"
                | "i64"
                | "i128"
                | "isize"
                | "f32"
                | "f64"
        );
        let holds = matches!(
            name.as_str(),
            "[]" | "Option" | "Vec" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet"
        );
        if is_number || holds {
            return is_number || !arguments.is_empty() && arguments.iter().all(next);
        }
        let mut types = self.items.iter().flat_map(|items| &items.types);
        let fields = types.find(|(known, _)| known == name).map(|(_, fields)| fields);
        fields.is_some_and(|fields| fields.iter().all(|(_, ty)| next(ty)))
    }

    /// The types that have one of these methods, or another of their name.
    fn receiver(&self, ty: &TypeRef, known: &Methods, depth: u8) -> Receiver {
        let next = |ty: &TypeRef| self.receiver(ty, known, depth + 1);
        match ty {
            _ if depth > crate::rust::type_ref::MAX_TYPE_STEPS => Receiver::Unknown,
            TypeRef::Unknown | TypeRef::Associated(..) | TypeRef::HandedTo(..) => Receiver::Unknown,
            TypeRef::SelfType => match &self.owner.ty {
                TypeRef::Unknown | TypeRef::SelfType => {
                    self.owner.name.clone().map_or(Receiver::Unknown, |name| Receiver::Named(vec![name]))
                }
                ty => next(ty),
            },
            TypeRef::Named(path, arguments) => {
                let last = path.last().map_or("", String::as_str);
                let mut aliases = self.items.iter().flat_map(|items| &items.aliases);
                if let Some((_, of)) = aliases.find(|(name, _)| name == last) {
                    return next(of);
                }
                match arguments.first() {
                    Some(inner) if points(last) => next(inner),
                    _ if is_foreign(path, known) => Receiver::Library,
                    _ => Receiver::Named(vec![last.to_owned()]),
                }
            }
            TypeRef::Implements(traits) | TypeRef::Object(traits) => {
                match traits.iter().any(|path| is_foreign(path, known)) {
                    true => Receiver::Library,
                    false => Receiver::Named(traits.iter().filter_map(|path| path.last().cloned()).collect()),
                }
            }
            TypeRef::Field(..) => match self.in_file(ty) {
                Some(TypeRef::Field(..)) | None => Receiver::Unknown,
                Some(ty) => next(&ty),
            },
            TypeRef::Inside(of) | TypeRef::Element(of) => match of.as_ref() {
                TypeRef::Named(_, arguments) => arguments.first().map_or(Receiver::Unknown, next),
                TypeRef::Field(..) => match self.in_file(of) {
                    Some(TypeRef::Named(_, arguments)) => arguments.first().map_or(Receiver::Unknown, next),
                    _ => Receiver::Unknown,
                },
                _ => Receiver::Unknown,
            },
            // `Repo::new(db)`
            TypeRef::Returned(path) => match path.as_slice() {
                [.., owner, made] if owner.starts_with(char::is_uppercase) && is_constructor(made) => {
                    next(&TypeRef::Named(vec![owner.clone()], Vec::new()))
                }
                _ => Receiver::Unknown,
            },
            TypeRef::Method(of, name) => match name.as_str() {
                name if matches!(yields(name), Some(Yields::View | Yields::Borrowed | Yields::Copy)) => {
                    next(of)
                }
                name if self.own.named(name).is_none() && gives_of_library(name) => Receiver::Library,
                _ => Receiver::Unknown,
            },
        }
    }
}

/// Whether a call makes a value of a type: `Orders::new(pool)`.
pub(super) fn constructs(call: &syn::ExprCall) -> bool {
    let Expr::Path(function) = call.func.as_ref() else { return false };
    let path = segments(&function.path);
    match path.as_slice() {
        [.., owner, made] => {
            owner.starts_with(char::is_uppercase) && (is_constructor(made) || made == "from")
        }
        [made] => made.starts_with(char::is_uppercase),
        [] => false,
    }
}

/// A value without what passes it on: a reference, a copy, `?`.
pub(super) fn itself(value: &Expr) -> &Expr {
    match value {
        Expr::Reference(inner) => itself(&inner.expr),
        Expr::Paren(inner) => itself(&inner.expr),
        Expr::Try(inner) => itself(&inner.expr),
        Expr::Await(inner) => itself(&inner.base),
        Expr::MethodCall(call) if call.method == "clone" || call.method == "to_owned" => {
            itself(&call.receiver)
        }
        value => value,
    }
}

fn is_constructor(name: &str) -> bool {
    name == "new" || name == "default" || name.starts_with("new_") || name.starts_with("with_")
}

/// Whether the methods of a type's argument can be called on it.
fn points(name: &str) -> bool {
    matches!(name, "Arc" | "Rc" | "Box" | "Cow" | "State" | "Extension" | "Data" | "Pin")
}

/// Whether a method's result is that of a library's method, whatever it is called on.
fn gives_of_library(method: &str) -> bool {
    matches!(
        method,
        "iter"
            | "iter_mut"
            | "into_iter"
            | "chars"
            | "lines"
            | "split"
            | "keys"
            | "values"
            | "enumerate"
            | "zip"
            | "map"
            | "filter"
            | "filter_map"
            | "flat_map"
            | "rev"
            | "copied"
            | "cloned"
            | "collect"
            | "to_string"
            | "as_str"
            | "len"
            | "windows"
            | "chunks"
            | "drain"
            | "chain"
            | "fetch"
            | "fetch_all"
    )
}

/// Whether a type or trait is a library's rather than one of the project that has these methods.
fn is_foreign(path: &[String], known: &Methods) -> bool {
    let last = path.last().map_or("", String::as_str);
    let is_of_crate = match path {
        [_] => true,
        [first, ..] => matches!(first.as_str(), "crate" | "self" | "super"),
        [] => false,
    };
    match known.has(last) {
        true => is_standard(last) && !is_of_crate,
        false => is_standard(last) || ends_like_library(last),
    }
}

/// Whether a name is most often that of a library's type or trait.
fn ends_like_library(name: &str) -> bool {
    ["Result", "Iterator", "Stream", "Pool"].iter().any(|end| name.ends_with(end))
}

/// Whether a type or trait is the language's or that of a well-known library.
fn is_standard(name: &str) -> bool {
    name.chars().next().is_some_and(char::is_lowercase)
        || is_collection(name)
        || matches!(
            name,
            "[]" | "BinaryHeap"
                | "DashMap"
                | "DashSet"
                | "LinkedList"
                | "Option"
                | "String"
                | "Future"
                | "PathBuf"
                | "Duration"
                | "Instant"
                | "Uuid"
                | "Value"
                | "HeaderMap"
                | "Bytes"
        )
}
