//! PostgreSQL's operator classes: by which operators an index on a key is searched, and with values of which types.
//!
//! `cargo xtask catalog` writes the files, one for the server and one for each extension. A line is a class: the method, the
//! name, the type that it is for, `d` if it is the default of the type, and the operators behind each type of the other side.
//! Lines that begin with `-` have operators that no class knows, each with the types of its sides.

use std::sync::LazyLock;

use crate::schema::{Schema, UserType};
use crate::sql::type_names;

const FILES: [&str; 12] = [
    include_str!("classes/base.txt"),
    include_str!("classes/bloom.txt"),
    include_str!("classes/btree_gin.txt"),
    include_str!("classes/btree_gist.txt"),
    include_str!("classes/citext.txt"),
    include_str!("classes/cube.txt"),
    include_str!("classes/hstore.txt"),
    include_str!("classes/intarray.txt"),
    include_str!("classes/isn.txt"),
    include_str!("classes/ltree.txt"),
    include_str!("classes/pg_trgm.txt"),
    include_str!("classes/seg.txt"),
];

/// The maximum number of domains that are followed, each over the next.
const MOST_DOMAINS: usize = 8;

/// A type as the catalog names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CatalogType {
    name: String,
    /// The pseudo-type that stands for it: `anyarray`, `anyenum`, `anyrange`, `anymultirange`.
    general: Option<&'static str>,
}

impl CatalogType {
    /// The type with a name as written or printed; `None` if it is unknown, or a row.
    pub(super) fn of(ty: &str, schema: &Schema) -> Option<CatalogType> {
        let mut ty = ty;
        for _ in 0..MOST_DOMAINS {
            let element = type_names::element(ty);
            let is_array = element.len() < ty.trim_end().len();
            let (namespace, name) = match element.rsplit_once('.') {
                Some((namespace, name)) => (Some(namespace.trim_matches('"')), name),
                None => (None, element),
            };
            let own = name.trim_matches('"');
            let (name, general) = match schema.user_type(namespace, own) {
                Some(UserType::Domain { base, .. }) if !is_array => {
                    ty = base;
                    continue;
                }
                Some(UserType::Enum(_)) => (own.to_owned(), Some("anyenum")),
                Some(UserType::Range(_)) => (own.to_owned(), Some("anyrange")),
                Some(_) => return None,
                None if name.is_empty() => return None,
                None => built_in(name),
            };
            return Some(match is_array {
                true => CatalogType { name: format!("_{name}"), general: Some("anyarray") },
                false => CatalogType { name, general },
            });
        }
        None
    }

    /// Whether a type of the catalog, or a pseudo-type, stands for this one.
    fn is(&self, other: &str) -> bool {
        self.name == other
            || self.general == Some(other)
            || other == "anyelement" && !matches!(self.general, Some("anyrange" | "anymultirange"))
    }

    /// Whether it is `integer[]`.
    fn is_integers(&self) -> bool {
        self.name == "_int4"
    }
}

/// The catalog's name of a type that is not user-defined, without its length. `varchar` is compared as `text`, and `cidr` as
/// `inet`.
fn built_in(ty: &str) -> (String, Option<&'static str>) {
    let full = type_names::canonical(ty);
    let bare = match (full.split_once('('), full.split_once(')')) {
        (Some((before, _)), Some((_, behind))) => format!("{before}{behind}"),
        _ => full,
    };
    let name = match type_names::catalog_name(&bare) {
        "varchar" => "text",
        "cidr" => "inet",
        name => name.trim_matches('"'),
    };
    let general = match name {
        "int4range" | "int8range" | "numrange" | "daterange" | "tsrange" | "tstzrange" => Some("anyrange"),
        name if name.ends_with("multirange") => Some("anymultirange"),
        _ => None,
    };
    (name.to_owned(), general)
}

/// A key of an index.
pub(super) struct Key<'k> {
    /// The access method.
    pub(super) method: &'k str,
    /// The operator class; empty for the default.
    pub(super) class: &'k str,
    pub(super) ty: &'k CatalogType,
    /// Whether the extension `intarray` has operators of its own for arrays of integers.
    pub(super) has_intarray: bool,
}

impl Key<'_> {
    /// Whether an index is searched for `key operator value`; `None` if its operator class is unknown. A value whose type is
    /// not known takes the type of the key, if there is such an operator.
    pub(super) fn serves(&self, operator: &str, value: Option<&CatalogType>) -> Option<bool> {
        let class = self.class()?;
        let ty = self.ty;
        let is_of_intarray = self.has_intarray && ty.is_integers() && matches!(operator, "&&" | "@>" | "<@");
        if is_of_intarray && class.of == "anyarray" && value.is_none_or(CatalogType::is_integers) {
            return Some(false);
        }
        let has = |other: &CatalogType| class.has(operator, &|name| other.is(name));
        Some(match value {
            Some(value) if has(value) => true,
            Some(value) if exists(operator, ty, value) => false,
            _ if has(ty) => true,
            _ if exists(operator, ty, ty) => false,
            _ => class.has(operator, &|_| true),
        })
    }

    /// The operator class.
    fn class(&self) -> Option<&'static Class> {
        let is_meant = |it: &&Class| {
            it.method == self.method
                && if self.class.is_empty() { it.is_default } else { it.name == self.class }
        };
        let meant = || CATALOG.classes.iter().filter(is_meant);
        let general = || meant().rfind(|it| self.ty.general == Some(it.of));
        meant().find(|it| it.of == self.ty.name).or_else(general)
    }
}

/// The content of the files.
struct Catalog {
    classes: Vec<Class>,
    /// The operators that no class has, each with the types of its sides.
    unclassed: Vec<(&'static str, &'static str)>,
}

/// An operator class.
struct Class {
    method: &'static str,
    name: &'static str,
    /// The type that it is for.
    of: &'static str,
    is_default: bool,
    operators: &'static str,
}

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut catalog = Catalog { classes: Vec::new(), unclassed: Vec::new() };
    for line in FILES.iter().flat_map(|file| file.lines()) {
        match line.strip_prefix("- ") {
            Some(line) => catalog.unclassed.extend(line.split_once(' ')),
            None => catalog.classes.extend(class(line)),
        }
    }
    catalog
});

fn class(line: &'static str) -> Option<Class> {
    let mut fields = line.splitn(5, ' ');
    Some(Class {
        method: fields.next()?,
        name: fields.next()?,
        of: fields.next()?,
        is_default: fields.next()? == "d",
        operators: fields.next()?,
    })
}

impl Class {
    /// Whether it has an operator for a type of the other side that is meant.
    fn has(&self, operator: &str, is_meant: &dyn Fn(&str) -> bool) -> bool {
        self.operators
            .split(' ')
            .filter_map(|entry| entry.split_once(':'))
            .any(|(other, operators)| is_meant(other) && operators.split(',').any(|known| known == operator))
    }
}

/// Whether there is an operator of exactly these types.
fn exists(operator: &str, left: &CatalogType, right: &CatalogType) -> bool {
    let is_these = |types: &str| {
        let mut pairs = types.split(' ').filter_map(|pair| pair.split_once(':'));
        pairs.any(|(own, other)| left.is(own) && right.is(other))
    };
    let Catalog { classes, unclassed } = &*CATALOG;
    classes.iter().any(|class| left.is(class.of) && class.has(operator, &|other| right.is(other)))
        || unclassed.iter().any(|(known, types)| *known == operator && is_these(types))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Replay;
    use crate::sql::Dialect;

    /// Whether an index is searched for `key operator value`, where `value` is a type or empty.
    fn serves(method: &str, class: &str, ty: &str, operator: &str, value: &str) -> Option<bool> {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN feeling AS mood;", "");
        let of = |ty: &str| CatalogType::of(ty, &replay.schema);
        let ty = of(ty).expect("a type");
        Key { method, class, ty: &ty, has_intarray: false }.serves(operator, of(value).as_ref())
    }

    #[test]
    fn files_are_sorted_and_read() {
        for file in FILES {
            assert!(file.lines().collect::<Vec<_>>().is_sorted());
        }
        let lines = FILES.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('-')).count();
        assert_eq!(CATALOG.classes.len(), lines);
    }

    #[test]
    fn types_have_the_names_of_the_catalog() {
        let schema = Schema::new(Dialect::Postgres);
        let name = |ty: &str| CatalogType::of(ty, &schema).map(|ty| ty.name);
        for (ty, expect) in [
            ("timestamp(3) with time zone", "timestamptz"),
            ("timestamp without time zone", "timestamp"),
            ("character varying(20)", "text"),
            ("character(4)", "bpchar"),
            ("numeric(10,2)[]", "_numeric"),
            ("\"char\"", "char"),
            ("public.hstore", "hstore"),
        ] {
            assert_eq!(name(ty).as_deref(), Some(expect), "{ty}");
        }
        assert_eq!(name(""), None);
    }

    #[test]
    fn a_class_serves_its_operators_and_types() {
        for (method, class, ty, operator, value, expect) in [
            ("gin", "int4_ops", "integer", "=", "", Some(true)),
            ("gin", "", "integer", "=", "bigint", Some(false)),
            ("gist", "", "integer", "<>", "", Some(true)),
            ("gist", "", "mood", "<", "", Some(true)),
            ("gist", "", "feeling", "<", "", Some(true)),
            ("gist", "", "numeric(9,2)", "=", "integer", Some(true)),
            ("gist", "", "smallint", "=", "integer", Some(false)),
            ("gist", "gist_trgm_ops", "text", "%>>", "", Some(true)),
            ("gist", "gist_trgm_ops", "text", "<%", "", Some(false)),
            ("gist", "", "circle", "@>", "point", Some(false)),
            ("gist", "", "int4range", "@>", "integer", Some(true)),
            ("gist", "", "int4range", "&&", "int4multirange", Some(true)),
            ("spgist", "", "int4range", "&&", "int4multirange", Some(false)),
            ("spgist", "", "point", "<@", "circle", Some(false)),
            ("brin", "text_bloom_ops", "text", "<", "", Some(false)),
            ("brin", "int4_minmax_ops", "integer", "<", "bigint", Some(true)),
            ("btree", "", "integer", "<>", "", Some(false)),
            ("hash", "", "date", "=", "timestamp", Some(false)),
            ("gin", "", "jsonb", "?", "", Some(true)),
            ("gin", "jsonb_path_ops", "jsonb", "?", "", Some(false)),
            ("gin", "", "varchar(20)[]", "@>", "text[]", Some(true)),
            ("gist", "", "ltree[]", "@>", "ltree", Some(false)),
            ("gin", "my_ops", "text", "=", "", None),
            ("gist", "", "geometry", "&&", "", None),
        ] {
            assert_eq!(
                serves(method, class, ty, operator, value),
                expect,
                "{method} {class} {ty} {operator} {value}"
            );
        }
    }

    #[test]
    fn intarray_has_operators_of_its_own() {
        let schema = Schema::new(Dialect::Postgres);
        let ty = CatalogType::of("integer[]", &schema).expect("a type");
        for (class, has_intarray, expect) in
            [("", true, false), ("gin__int_ops", true, true), ("", false, true)]
        {
            let key = Key { method: "gin", class, ty: &ty, has_intarray };
            assert_eq!(key.serves("@>", None), Some(expect), "{class} {has_intarray}");
        }
    }
}
