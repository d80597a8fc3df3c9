//! Knowledge about types of the standard library and other ubiquitous crates.

use super::connections;
use super::resolve::{Ty, last};
use crate::rust::methods::{Yields, is_lock, yields};

/// Whether a type dereferences to its content, so that methods of the content can be called on it.
pub(super) fn is_pointer(key: &str) -> bool {
    let pointers = ["Arc", "Rc", "Box", "Cow", "State", "Extension", "Data", "MutexGuard", "RwLockReadGuard"];
    pointers.contains(&last(key))
        || matches!(
            last(key),
            "RwLockWriteGuard"
                | "Pin"
                | "Ref"
                | "RefMut"
                | "LazyLock"
                | "LazyCell"
                | "Lazy"
                | "OnceLock"
                | "OnceCell"
        )
}

/// Whether this is an extractor of a web framework, which a pattern unwraps: `State(pool)`.
pub(super) fn is_extractor(key: &str) -> bool {
    matches!(
        last(key),
        "State" | "Extension" | "Data" | "Json" | "Path" | "Query" | "Form" | "Reverse" | "Wrapping"
    )
}

/// Whether `?` and `unwrap` return the content.
pub(super) fn is_wrapper(key: &str) -> bool {
    last(key) == "Option" || last(key).ends_with("Result")
}

pub(super) fn is_collection(key: &str) -> bool {
    let collections =
        ["[]", "Vec", "VecDeque", "HashSet", "BTreeSet", "IndexSet", "SmallVec", "Option", "BinaryHeap"];
    collections.contains(&last(key))
        || matches!(last(key), "Json" | "Path" | "Query" | "BoxStream")
        || is_pointer(key)
}

fn is_map(key: &str) -> bool {
    matches!(last(key), "HashMap" | "BTreeMap" | "IndexMap" | "FxHashMap" | "AHashMap")
}

/// What a smart pointer points to.
pub(super) fn pointee(ty: Ty) -> Ty {
    let mut ty = ty;
    loop {
        match ty {
            Ty::Named(ref key, ref mut arguments) if is_pointer(key) => {
                match arguments.first_mut().and_then(Option::take) {
                    Some(inner) => ty = inner,
                    None => return ty,
                }
            }
            ty => return ty,
        }
    }
}

/// What a method of a lock or cell gives of its content, behind a guard or a result; `None` if it gives something else.
fn of_lock(of: &Ty, name: &str) -> Option<Option<Ty>> {
    let gives_content = matches!(yields(name), Some(Yields::Locked | Yields::Borrowed))
        || matches!(name, "get_mut" | "into_inner");
    match pointee(of.clone()) {
        Ty::Named(key, arguments) if gives_content && is_lock(last(&key)) => {
            Some(arguments.into_iter().next().flatten())
        }
        _ => None,
    }
}

/// The return type of a method by the table of what methods give; the type itself if the table does not say.
fn by_table(of: Ty, name: &str) -> Result<Option<Ty>, Ty> {
    match yields(name) {
        Some(Yields::View | Yields::Borrowed) => Ok(Some(pointee(of))),
        Some(Yields::Copy | Yields::Elements | Yields::Subset) => Ok(Some(of)),
        Some(Yields::Content) => Ok(match of {
            Ty::Named(key, mut arguments) if is_wrapper(&key) => {
                if arguments.is_empty() {
                    None
                } else {
                    arguments.swap_remove(0)
                }
            }
            of => Some(of),
        }),
        _ => Err(of),
    }
}

/// The return types of standard library methods that are common in chains.
pub(super) fn standard_method(of: Ty, name: &str) -> Option<Ty> {
    if let Some(inner) = of_lock(&of, name) {
        return inner;
    }
    if let Some(given) = connections::given(&of, name) {
        return Some(given);
    }
    let of = match by_table(of, name) {
        Ok(given) => return given,
        Err(of) => of,
    };
    match name {
        // `<Reader as Default>::default()`
        "default" => Some(of),
        "as_deref" | "as_deref_mut" | "map_err" | "context" | "with_context" | "ok" | "ok_or"
        | "ok_or_else" | "boxed" | "instrument" | "as_slice" | "to_vec" | "by_ref" | "chain" | "or"
        | "drain" | "inspect_err" => Some(of),
        // The value that a cell points to for now.
        "load" | "load_full" => match pointee(of) {
            Ty::Named(key, mut arguments) if !arguments.is_empty() => match last(&key) {
                "ArcSwap" | "ArcSwapAny" => arguments.swap_remove(0),
                "ArcSwapOption" => Some(Ty::Named("Option".into(), arguments)),
                _ => None,
            },
            _ => None,
        },
        "upgrade" => match pointee(of) {
            Ty::Named(key, arguments) if last(&key) == "Weak" => Some(Ty::Named("Option".into(), arguments)),
            _ => None,
        },
        // `books["a"]`, `books[0]`
        "index" => match pointee(of) {
            Ty::Named(key, arguments) if is_map(&key) => arguments.into_iter().nth(1)?,
            Ty::Named(key, mut arguments) if is_collection(&key) && !arguments.is_empty() => {
                arguments.swap_remove(0)
            }
            _ => None,
        },
        // A cell that is filled once.
        "get" | "get_or_init" | "wait" if matches!(&of, Ty::Named(key, _) if matches!(last(key), "OnceLock" | "OnceCell")) => {
            match of {
                Ty::Named(_, arguments) if name == "get" => Some(Ty::Named("Option".into(), arguments)),
                Ty::Named(_, mut arguments) if !arguments.is_empty() => arguments.swap_remove(0),
                _ => None,
            }
        }
        // The values of a map.
        "get" | "get_mut" | "remove" | "values" | "into_values"
            if matches!(&of, Ty::Named(key, _) if is_map(key))
                || matches!(&of, Ty::Named(key, inner) if is_pointer(key) && matches!(inner.first(), Some(Some(Ty::Named(key, _))) if is_map(key))) =>
        {
            let Ty::Named(_, arguments) = pointee(of) else { return None };
            let holder = if name.ends_with("values") { "Vec" } else { "Option" };
            Some(Ty::Named(holder.into(), vec![arguments.into_iter().nth(1)?]))
        }
        // A stream of results.
        "try_next" if matches!(&of, Ty::Named(key, _) if last(key) == "BoxStream") => {
            let Ty::Named(_, items) = of else { return None };
            match items.into_iter().next()?? {
                Ty::Named(result, inner) if is_wrapper(&result) => {
                    Some(Ty::Named(result, vec![Some(Ty::Named("Option".into(), inner))]))
                }
                _ => None,
            }
        }
        "get" | "first" | "last" | "pop" | "next" | "get_mut" | "first_mut" => match pointee(of) {
            Ty::Named(key, arguments) if is_collection(&key) && !arguments.is_empty() => {
                Some(Ty::Named("Option".into(), arguments))
            }
            _ => None,
        },
        _ => None,
    }
}
