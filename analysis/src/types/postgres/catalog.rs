//! The server's catalog as text: one fact per line, sorted, accessed by binary search and only where needed.
//!
//! `cargo xtask catalog` writes the files. The first field is the kind of line: `c` a cast, `f` a function,
//! `o` an operator, `r` a table or view, `t` a type. The second field is its name (for a cast, the source).

use std::collections::{BTreeMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::schema::Schema;

/// The content of every PostgreSQL server.
const BASE: &str = include_str!("catalog/base.txt");

/// The functions and casts of the versions 16 to 18, written by hand from their release notes: which version a server
/// has is not known, and whoever calls them has them.
const LATER: &str = include_str!("catalog/later.txt");

/// The functions in it.
static LATER_FUNCTIONS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| lines_of_kind(LATER, 'f').filter_map(|line| line.split(' ').next()).collect());

/// The content of extensions, by name.
const EXTENSIONS: [(&str, &str); 20] = [
    ("btree_gist", include_str!("catalog/btree_gist.txt")),
    ("citext", include_str!("catalog/citext.txt")),
    ("cube", include_str!("catalog/cube.txt")),
    ("dblink", include_str!("catalog/dblink.txt")),
    ("earthdistance", include_str!("catalog/earthdistance.txt")),
    ("fuzzystrmatch", include_str!("catalog/fuzzystrmatch.txt")),
    ("hstore", include_str!("catalog/hstore.txt")),
    ("intarray", include_str!("catalog/intarray.txt")),
    ("isn", include_str!("catalog/isn.txt")),
    ("lo", include_str!("catalog/lo.txt")),
    ("ltree", include_str!("catalog/ltree.txt")),
    ("pg_stat_statements", include_str!("catalog/pg_stat_statements.txt")),
    ("pg_trgm", include_str!("catalog/pg_trgm.txt")),
    ("pgcrypto", include_str!("catalog/pgcrypto.txt")),
    ("postgis", include_str!("catalog/postgis.txt")),
    ("seg", include_str!("catalog/seg.txt")),
    ("tablefunc", include_str!("catalog/tablefunc.txt")),
    ("unaccent", include_str!("catalog/unaccent.txt")),
    ("uuid-ossp", include_str!("catalog/uuid-ossp.txt")),
    ("vector", include_str!("catalog/vector.txt")),
];

/// Extensions with their own release cycle: a server may have a newer version, with names missing from the
/// file.
const GROWING: [&str; 2] = ["postgis", "vector"];

/// The catalog files that apply to a schema.
#[derive(Debug)]
pub(super) struct Catalog {
    parts: Vec<&'static str>,
    /// The functions of later versions that the schema has as well: those of the schema count, since they are often
    /// written for servers without them.
    replaced: Vec<&'static str>,
    /// Whether an extension with an unknown catalog is installed, so that a name may be one of its.
    pub(super) unknown_extension: bool,
    /// Whether nothing at all is known about one of them.
    pub(super) unlisted_extension: bool,
}

impl Catalog {
    /// The built-in catalog, and those of the extensions in the schema.
    pub(super) fn new(schema: &Schema) -> Catalog {
        let mut parts = vec![BASE];
        let (mut is_growing, mut unlisted_extension) = (false, false);
        for extension in &schema.extensions {
            match EXTENSIONS.iter().find(|(name, _)| name == extension) {
                Some((name, text)) => {
                    parts.push(*text);
                    is_growing |= GROWING.contains(name);
                }
                None => {
                    unlisted_extension |= !matches!(extension.as_str(), "plpgsql" | "btree_gin" | "bloom")
                }
            }
        }
        // A schema has few functions, and this is done for each query.
        let own = schema.functions.keys().filter_map(|own| LATER_FUNCTIONS.get(own.name.as_str()).copied());
        let replaced: Vec<&str> = own.collect();
        let unknown_extension = is_growing || unlisted_extension;
        Catalog { parts, replaced, unknown_extension, unlisted_extension }
    }

    /// Whether no extension's content applies.
    pub(super) fn is_base(&self) -> bool {
        self.parts.len() == 1
    }

    /// The names of the functions that queries call, with repetitions: not those that read and print values.
    pub(super) fn callable(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for part in self.parts.iter().chain([&LATER]) {
            let called = lines_of_kind(part, 'f')
                .filter(|line| !line.contains("cstring") && !line.contains("internal"));
            names.extend(called.filter_map(|line| line.split(' ').next()));
        }
        names
    }

    /// Whether any known extension has a function of this name, installed or not.
    pub(super) fn is_of_any_extension(name: &str) -> bool {
        let key = format!("f {name} ");
        let has =
            |text: &str| text.get(first_not_before(text, &key)..).is_some_and(|rest| rest.starts_with(&key));
        EXTENSIONS.iter().any(|(_, text)| has(text))
    }

    /// The first line with this kind and name, which may be the first fields of it.
    pub(super) fn first(&self, kind: char, name: &str) -> Option<Line> {
        let key = key(kind, name);
        let all = self.parts.iter().chain(self.later(kind, name)).enumerate();
        let extensions = 1..self.parts.len();
        all.into_iter().find_map(|(at, part)| {
            let found = part.get(position(part, &key)..).filter(|rest| rest.starts_with(&key))?;
            let end = found.find('\n').unwrap_or(found.len());
            let (name, rest) = (found.get(2..key.len() - 1)?, found.get(key.len()..end)?);
            Some(Line { name, rest, of_extension: extensions.contains(&at) })
        })
    }

    /// The remaining fields of all lines with this kind and name.
    pub(super) fn lines(&self, kind: char, name: &str) -> Vec<&'static str> {
        lines_in(&self.parts, kind, name).chain(lines_in(self.later(kind, name), kind, name)).collect()
    }

    /// Whether a function of the schema counts instead of one of a later version, which the server may have too.
    pub(super) fn is_replaced(&self, name: &str) -> bool {
        self.replaced.contains(&name)
    }

    /// The lines of later versions of PostgreSQL with this kind and name.
    fn later(&self, kind: char, name: &str) -> &'static [&'static str] {
        if kind == 'f' && self.is_replaced(name) { &[] } else { &[LATER] }
    }

    /// The lines of extensions with this kind and name, without those of the built-in catalog.
    pub(super) fn lines_of_extensions(&self, kind: char, name: &str) -> Vec<&'static str> {
        lines_in(self.parts.get(1..).unwrap_or_default(), kind, name).collect()
    }

    /// The lines of the built-in catalog with this kind and name, without those of extensions.
    pub(super) fn lines_of_base(kind: char, name: &str) -> impl Iterator<Item = &'static str> {
        lines_in(&[BASE, LATER], kind, name)
    }

    /// Each line of this kind in the built-in catalog: its first field, and the others.
    pub(super) fn base_lines(kind: char) -> impl Iterator<Item = (&'static str, &'static str)> {
        let both = lines_of_kind(BASE, kind).chain(lines_of_kind(LATER, kind));
        both.filter_map(|line| line.split_once(' '))
    }
}

/// Each line of a kind in one of the files, without its kind.
fn lines_of_kind(part: &'static str, kind: char) -> impl Iterator<Item = &'static str> {
    let start = String::from_iter([kind, ' ']);
    let rest = part.get(first_not_before(part, &start)..).unwrap_or_default();
    rest.lines().map_while(move |line| line.strip_prefix(start.as_str()))
}

/// The remaining fields of all lines with this kind and name in some of the files.
fn lines_in(parts: &[&'static str], kind: char, name: &str) -> impl Iterator<Item = &'static str> {
    let key = key(kind, name);
    parts.iter().flat_map(move |part| {
        let rest = part.get(position(part, &key)..).unwrap_or_default();
        let lines = rest.lines().map_while(|line| line.strip_prefix(key.as_str()));
        lines.collect::<Vec<_>>()
    })
}

/// A line of the catalog.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The fields behind the name.
    pub(super) rest: &'static str,
    pub(super) of_extension: bool,
}

/// What a line of this kind and name begins with. Formatting takes several times as long.
fn key(kind: char, name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 3);
    key.push(kind);
    key.push(' ');
    key.push_str(name);
    key.push(' ');
    key
}

/// The position of a key in one of the files, cached: a build looks up the same few entries for each query.
fn position(part: &'static str, key: &str) -> usize {
    type Positions = BTreeMap<String, usize>;
    static FOUND: Mutex<BTreeMap<usize, Positions>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.entry(part.as_ptr() as usize).or_default();
    if let Some(start) = found.get(key) {
        return *start;
    }
    let start = first_not_before(part, key);
    // Names come from queries, so in an editor's long-lived macro server they are unlimited.
    if found.len() < MOST_KEPT {
        found.insert(key.to_owned(), start);
    }
    start
}

/// The maximum number of cached positions in a file.
const MOST_KEPT: usize = 4_096;

/// The start of the first line that is not less than `key`.
fn first_not_before(text: &str, key: &str) -> usize {
    // Searching for a character is fast even in an unoptimised build; iterating over bytes is not.
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = text.floor_char_boundary(low + (high - low) / 2);
        let start = text.get(low..middle).and_then(|part| part.rfind('\n'));
        let start = start.map_or(low, |at| low + at + 1);
        let end = text.get(start..).and_then(|tail| tail.find('\n')).map_or(text.len(), |at| start + at);
        if text.get(start..end).is_some_and(|line| line < key) {
            low = (end + 1).min(text.len());
        } else {
            high = start;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    #[test]
    fn lines_are_sorted_and_found() {
        for text in EXTENSIONS.iter().map(|(_, text)| *text).chain([BASE, LATER]) {
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines.is_sorted(), "{:?}", lines.first());
        }
        let catalog = Catalog::new(&Schema::new(Dialect::Postgres));
        assert_eq!(catalog.lines('f', "count").len(), 2);
        assert_eq!(catalog.lines('t', "int4"), ["N-b - _int4 -"]);
        assert!(catalog.lines('f', "coun").is_empty() && catalog.lines('x', "").is_empty());
        let mut schema = Schema::new(Dialect::Postgres);
        schema.extensions.extend(["postgis".to_owned(), "vector".to_owned()]);
        let catalog = Catalog::new(&schema);
        assert_eq!(catalog.lines_of_extensions('o', "<=>").len(), 1);
        assert!(!catalog.lines('f', "st_dwithin").is_empty() && catalog.unknown_extension);
        let first = BASE.lines().next().expect("a line").split(' ').nth(1).expect("a name");
        assert!(!catalog.lines('c', first).is_empty());
    }

    #[test]
    fn functions_of_the_schema_replace_those_of_later_versions() {
        let mut replay = crate::schema::Replay::new(Dialect::Postgres);
        replay.apply("CREATE FUNCTION uuidv7() RETURNS text LANGUAGE sql AS $$ SELECT '' $$;", "");
        let catalog = Catalog::new(&replay.schema);
        assert!(catalog.lines('f', "uuidv7").is_empty() && catalog.first('f', "uuidv7").is_none());
        assert!(!catalog.lines('f', "uuidv4").is_empty() && !catalog.lines('f', "count").is_empty());
        // A newer server has the others as well.
        let sql = "SELECT length(uuidv7()), uuidv7(), uuidv7(interval '1 day')";
        let query = crate::sql::resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let described = crate::types::describe(&query, &replay.schema, Dialect::Postgres);
        assert_eq!(described.errors, []);
    }
}
