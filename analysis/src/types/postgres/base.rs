//! The types of every PostgreSQL server: numbered once in a process, and read from the catalog on first use.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::arena::{Info, Ty};
use super::catalog::Catalog;

macro_rules! ruled {
    ($($name:ident $text:literal $number:literal)*) => {
        impl Ty {
            $(pub(super) const $name: Ty = Ty($number);)*
        }
        /// The names of the types used in rules, by number; number 0 is not a type.
        const RULED: &[&str] = &[$($text),*];
    };
}

ruled! {
    OPAQUE "" 0
    UNKNOWN "unknown" 1
    TEXT "text" 2
    BOOL "bool" 3
    INT4 "int4" 4
    INT8 "int8" 5
    NUMERIC "numeric" 6
    RECORD "record" 7
    ANY "any" 8
    ANYELEMENT "anyelement" 9
    ANYARRAY "anyarray" 10
    ANYNONARRAY "anynonarray" 11
    ANYENUM "anyenum" 12
    ANYRANGE "anyrange" 13
    ANYMULTIRANGE "anymultirange" 14
    ANYCOMPATIBLE "anycompatible" 15
    ANYCOMPATIBLEARRAY "anycompatiblearray" 16
    ANYCOMPATIBLENONARRAY "anycompatiblenonarray" 17
    ANYCOMPATIBLERANGE "anycompatiblerange" 18
    ANYCOMPATIBLEMULTIRANGE "anycompatiblemultirange" 19
    INTERVAL "interval" 20
    BIT "bit" 21
    RECORDARRAY "_record" 22
    VOID "void" 23
    JSONB "jsonb" 24
}

/// The types of every server, by number.
struct Base {
    numbers: HashMap<&'static str, Ty>,
    /// The name of each and the other fields of its line.
    lines: Vec<(&'static str, &'static str)>,
    infos: Vec<OnceLock<Info>>,
    /// The flags of each cast, by its types: a sorted list.
    casts: OnceLock<Vec<((Ty, Ty), &'static str)>>,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let listed: Vec<(&str, &str)> = Catalog::base_lines('t').collect();
        let mut lines: Vec<(&str, &str)> = RULED.iter().map(|name| (*name, "")).collect();
        let mut numbers: HashMap<&str, Ty> = RULED.iter().copied().zip((0..).map(Ty)).collect();
        for (name, rest) in listed {
            match numbers.get(name) {
                Some(Ty(at)) => {
                    if let Some(line) = lines.get_mut(*at as usize) {
                        line.1 = rest;
                    }
                }
                None => {
                    numbers.insert(name, Ty(u32::try_from(lines.len()).unwrap_or(0)));
                    lines.push((name, rest));
                }
            }
        }
        numbers.remove("");
        let infos = lines.iter().map(|_| OnceLock::new()).collect();
        Base { numbers, lines, infos, casts: OnceLock::new() }
    })
}

/// The type of every server with this name in the catalog.
pub(super) fn numbered(name: &str) -> Option<Ty> {
    base().numbers.get(name).copied()
}

/// How many numbers are taken by the types of every server.
pub(super) fn count() -> usize {
    base().lines.len()
}

/// What is known about a type of every server; `None` for another type's number.
pub(super) fn info(ty: Ty) -> Option<&'static Info> {
    let base = base();
    let at = ty.0 as usize;
    let (name, rest) = base.lines.get(at)?;
    let read = || Info::read(name, rest, numbered).unwrap_or_else(|| Info::new(*name, b'X', b'p'));
    base.infos.get(at).map(|info| info.get_or_init(read))
}

/// The flags of the cast between two types of every server.
pub(super) fn cast(from: Ty, to: Ty) -> Option<&'static str> {
    let casts = base().casts.get_or_init(|| {
        let line = |(from, rest): (&'static str, &'static str)| {
            let (to, flags) = rest.split_once(' ')?;
            Some(((numbered(from)?, numbered(to)?), flags))
        };
        let mut casts: Vec<_> = Catalog::base_lines('c').filter_map(line).collect();
        casts.sort_unstable_by_key(|(types, _)| *types);
        casts
    });
    let at = casts.binary_search_by_key(&(from, to), |(types, _)| *types).ok()?;
    casts.get(at).map(|(_, flags)| *flags)
}
