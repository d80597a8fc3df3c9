//! Whether a method is one of the project's own, where its name is one that libraries have as well.

use syn::ExprMethodCall;

use super::Walker;
use super::shape::Shape;
use crate::rust::lex::own::{ANY, Gives};
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
        let known = self.own.named(method);
        if known.is_empty() {
            return Kin::No;
        }
        match self.receiver(&self.type_of(&node.receiver), 0) {
            Receiver::Library => Kin::No,
            Receiver::Named(names) => {
                let is_one = known.iter().any(|(of, _)| of == ANY || names.contains(of));
                if is_one { Kin::Yes } else { Kin::Maybe }
            }
            Receiver::Unknown => Kin::Maybe,
        }
    }

    /// The shape of what such a method gives; `None` if it is that of a library, or gives the same as that.
    pub(super) fn shape_of_own(&self, node: &ExprMethodCall, of_library: Shape) -> Option<Shape> {
        let method = node.method.to_string();
        let kin = self.kin(node, &method);
        let mut known = self.own.named(&method).iter();
        match kin {
            Kin::No => None,
            Kin::Yes if known.clone().all(|(_, gives)| *gives == Gives::One) => Some(Shape::Single),
            Kin::Yes if known.all(|(_, gives)| *gives == Gives::Many) => Some(Shape::Elements),
            Kin::Yes => Some(Shape::Unknown),
            // At most one element only if that is so of each method of this name.
            Kin::Maybe if matches!(of_library, Shape::Single | Shape::Fixed(..)) => {
                known.any(|(_, gives)| *gives != Gives::One).then_some(Shape::Unknown)
            }
            Kin::Maybe => None,
        }
    }

    fn receiver(&self, ty: &TypeRef, depth: u8) -> Receiver {
        let next = |ty: &TypeRef| self.receiver(ty, depth + 1);
        match ty {
            _ if depth > crate::rust::type_ref::DEEPEST => Receiver::Unknown,
            TypeRef::Unknown => Receiver::Unknown,
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
                    _ if is_of_library(last) => Receiver::Library,
                    _ => Receiver::Named(vec![last.to_owned()]),
                }
            }
            TypeRef::Implements(traits) | TypeRef::Object(traits) => {
                let names: Vec<String> = traits.iter().filter_map(|path| path.last().cloned()).collect();
                match names.iter().any(|name| is_of_library(name)) {
                    true => Receiver::Library,
                    false => Receiver::Named(names),
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
                "clone" | "as_ref" | "as_mut" | "to_owned" | "borrow" | "deref" => next(of),
                name if self.own.named(name).is_empty() && gives_of_library(name) => Receiver::Library,
                _ => Receiver::Unknown,
            },
        }
    }
}

fn is_constructor(name: &str) -> bool {
    name == "new" || name == "default" || name.starts_with("new_") || name.starts_with("with_")
}

/// Whether the methods of a type's argument can be called on it.
fn points(name: &str) -> bool {
    matches!(name, "Arc" | "Rc" | "Box" | "Cow" | "State" | "Extension" | "Data" | "Pin")
}

/// Whether what a method gives is a library's, whatever it is called on.
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

/// Whether a type or trait is known to be a library's, and none of the project.
fn is_of_library(name: &str) -> bool {
    name.ends_with("Result")
        || name.ends_with("Iterator")
        || name.ends_with("Stream")
        || name.ends_with("Pool")
        || name.chars().next().is_some_and(char::is_lowercase)
        || matches!(
            name,
            "[]" | "Vec"
                | "VecDeque"
                | "HashMap"
                | "HashSet"
                | "BTreeMap"
                | "BTreeSet"
                | "IndexMap"
                | "IndexSet"
                | "SmallVec"
                | "BinaryHeap"
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
