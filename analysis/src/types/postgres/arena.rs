//! The types in a query: each stored once, by number, and loaded from the schema or an extension on first use.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use super::base;
use super::catalog::{Catalog, Line};
use super::names::{TypeName, catalog_name, subtype};
use crate::schema::{Name, Schema, UserType};
use crate::types::{SqlType, TypeKind};

/// A type, by its number: first those of every server, then those of the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ty(pub(super) u32);

/// What is known about a type.
#[derive(Debug, Clone)]
pub(super) struct Info {
    /// Its name in the catalog.
    pub(super) name: Cow<'static, str>,
    /// For a type of the schema: the output of `regtype`.
    pub(super) printed: Option<String>,
    /// `typcategory`.
    pub(super) category: u8,
    /// `typispreferred`.
    pub(super) preferred: bool,
    /// `typtype`: base, composite, domain, enum, pseudo, range, multirange.
    pub(super) class: u8,
    /// The element of an array.
    pub(super) element: Option<Ty>,
    /// The base type of a domain, the subtype of a range, the range of a multirange.
    pub(super) base: Option<Ty>,
    /// The name of an enum in the schema.
    enumerated: Option<Name>,
    /// The fields of a composite, or of a record with known fields.
    pub(super) fields: Vec<(String, Ty)>,
    /// Whether it comes from an extension.
    pub(super) of_extension: bool,
    /// The name of its array type in the catalog.
    array_name: &'static str,
}

/// The types of a query's schema and extensions loaded so far; those of every server are in `base`.
#[derive(Debug)]
pub(super) struct Arena<'a> {
    pub(super) catalog: Catalog,
    pub(super) schema: &'a Schema,
    infos: Vec<Rc<Info>>,
    names: HashMap<String, Ty>,
    arrays: HashMap<Ty, Ty>,
    /// The number of domains around the type that is being looked up.
    domains: usize,
}

/// The number of domains over each other that are followed.
const DOMAINS: usize = 32;

/// What is known about a type, to be kept while others are looked at.
enum Kept {
    Base(&'static Info),
    Own(Rc<Info>),
}

impl Deref for Kept {
    type Target = Info;

    fn deref(&self) -> &Info {
        match self {
            Kept::Base(info) => info,
            Kept::Own(info) => info,
        }
    }
}

impl<'a> Arena<'a> {
    pub(super) fn new(schema: &'a Schema) -> Arena<'a> {
        Arena {
            catalog: Catalog::new(schema),
            schema,
            infos: Vec::new(),
            names: HashMap::new(),
            arrays: HashMap::new(),
            domains: 0,
        }
    }

    fn own(&self, ty: Ty) -> Option<&Rc<Info>> {
        self.infos.get((ty.0 as usize).checked_sub(base::count())?)
    }

    fn kept_info(&self, ty: Ty) -> Kept {
        match (base::info(ty), self.own(ty)) {
            (Some(info), _) => Kept::Base(info),
            (_, Some(info)) => Kept::Own(Rc::clone(info)),
            _ => Kept::Base(&NO_TYPE),
        }
    }

    /// What is known about a type.
    pub(super) fn info(&self, ty: Ty) -> &Info {
        base::info(ty).or_else(|| self.own(ty).map(|info| &**info)).unwrap_or(&NO_TYPE)
    }

    fn add(&mut self, info: Info) -> Ty {
        let ty = Ty(u32::try_from(base::count() + self.infos.len()).unwrap_or(u32::MAX));
        self.infos.push(Rc::new(info));
        ty
    }

    /// The type with a name in the catalog.
    pub(super) fn builtin(&mut self, name: &str) -> Option<Ty> {
        if let Some(ty) = base::numbered(name) {
            return Some(ty);
        }
        if name.is_empty() || self.catalog.is_base() {
            return None;
        }
        if let Some(ty) = self.names.get(name) {
            return Some(*ty);
        }
        let Line { name, rest, of_extension } = self.catalog.first('t', name)?;
        let mut info = Info::read(name, rest, |name| self.builtin(name))?;
        info.of_extension = of_extension;
        let ty = self.add(info);
        self.names.insert(name.to_owned(), ty);
        Some(ty)
    }

    /// The type with a name as written or printed.
    pub(super) fn named(&mut self, text: &str) -> Option<Ty> {
        let listed = base::numbered(catalog_name(text)).or_else(|| self.names.get(text).copied());
        if listed.is_some() {
            return listed;
        }
        let name = TypeName::parse(text);
        let own = match name.schema.as_deref() {
            None | Some("pg_catalog" | "information_schema") => self.builtin(&name.name),
            Some(_) => None,
        };
        // The types of an extension are in whichever schema it was created in.
        let of_schema = own.or_else(|| self.of_schema(name.schema.as_deref(), &name.name));
        let ty = of_schema.or_else(|| self.builtin(&name.name).filter(|ty| self.info(*ty).of_extension))?;
        Some(if name.is_array { self.array_of(ty)? } else { ty })
    }

    /// A user-defined type: an enum, domain, composite, or the row of a table or view.
    fn of_schema(&mut self, schema: Option<&str>, name: &str) -> Option<Ty> {
        let known = self.schema;
        let full = self.full_name(schema, name)?;
        let key = format!("schema {full}");
        if let Some(ty) = self.names.get(&key) {
            return Some(*ty);
        }
        let mut info = Info::new(full.name.clone(), b'C', b'c');
        info.printed = Some(self.printed(&full));
        match known.types.get(&full) {
            Some(UserType::Enum(_)) => {
                (info.category, info.class) = (b'E', b'e');
                info.enumerated = Some(full.clone());
                Some(self.keep(key, info))
            }
            Some(UserType::Domain { base, .. }) => {
                // No server has a domain over itself; a file may.
                if self.domains == DOMAINS {
                    return None;
                }
                self.domains += 1;
                let base = self.named(base);
                self.domains -= 1;
                let base = base?;
                (info.category, info.class) = (self.info(base).category, b'd');
                info.base = Some(base);
                Some(self.keep(key, info))
            }
            Some(UserType::Composite(fields)) => Some(self.composite(key, info, fields)),
            Some(UserType::Range(options)) => {
                // Nor over itself.
                if self.domains == DOMAINS {
                    return None;
                }
                self.domains += 1;
                let base = subtype(options).and_then(|subtype| self.named(subtype));
                self.domains -= 1;
                (info.category, info.class, info.base) = (b'R', b'r', Some(base?));
                Some(self.keep(key, info))
            }
            Some(UserType::Other) => None,
            None => {
                let columns = match (known.tables.get(&full), known.views.get(&full)) {
                    (Some(table), _) => &table.columns,
                    (_, Some(view)) => view.columns.as_ref()?,
                    _ => return None,
                };
                Some(self.composite(key, info, columns))
            }
        }
    }

    fn keep(&mut self, key: String, info: Info) -> Ty {
        let ty = self.add(info);
        self.names.insert(key, ty);
        ty
    }

    fn composite(&mut self, key: String, info: Info, columns: &[crate::schema::Column]) -> Ty {
        // A type may contain itself through an array: its name is registered before its fields.
        let ty = self.keep(key, info);
        let fields = columns
            .iter()
            .map(|column| (column.name.clone(), self.named(&column.ty).unwrap_or(Ty::OPAQUE)))
            .collect();
        let at = (ty.0 as usize).checked_sub(base::count());
        if let Some(info) = at.and_then(|at| self.infos.get_mut(at)) {
            Rc::make_mut(info).fields = fields;
        }
        ty
    }

    /// The full name of a type or table in the schema.
    fn full_name(&self, schema: Option<&str>, name: &str) -> Option<Name> {
        let known = self.schema;
        let has = |name: &Name| {
            known.types.contains_key(name)
                || known.tables.contains_key(name)
                || known.views.contains_key(name)
        };
        let exact = match schema {
            Some(_) => Some(Name::qualified(schema, name)).filter(has),
            None => {
                let path = known.search_path.iter().map(|schema| Name::qualified(Some(schema), name));
                path.chain([Name::new(name)]).find(has)
            }
        };
        // If the cast was folded to lower case, a quoted name has lost its capitals.
        exact.or_else(|| {
            let schema = Name::qualified(schema, name).schema;
            let mut alike =
                known.types.keys().filter(|n| n.schema == schema && n.name.eq_ignore_ascii_case(name));
            alike.next().filter(|_| alike.next().is_none()).cloned()
        })
    }

    /// A name as printed by `regtype`: with its schema, unless the search path finds it.
    fn printed(&self, name: &Name) -> String {
        let visible = match &name.schema {
            None => true,
            Some(schema) => self.schema.search_path.contains(schema),
        };
        match name.schema.as_deref().filter(|_| !visible) {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
            None => quoted(&name.name),
        }
    }

    /// The labels of an enum.
    pub(super) fn labels(&mut self, ty: Ty) -> &'a [String] {
        let schema = self.schema;
        let name = self.info(ty).enumerated.as_ref();
        match name.and_then(|name| schema.types.get(name)) {
            Some(UserType::Enum(labels)) => labels,
            _ => &[],
        }
    }

    /// The array type of a type.
    pub(super) fn array_of(&mut self, ty: Ty) -> Option<Ty> {
        if let Some(array) = self.arrays.get(&ty) {
            return Some(*array);
        }
        let info = self.kept_info(ty);
        let array = match &info.printed {
            Some(printed) => {
                let mut array = Info::new(format!("_{}", info.name), b'A', b'b');
                array.printed = Some(format!("{printed}[]"));
                array.element = Some(ty);
                self.add(array)
            }
            None if info.name == "record" => Ty::RECORDARRAY,
            None => self.builtin(info.array_name)?,
        };
        self.arrays.insert(ty, array);
        Some(array)
    }

    /// The row type of a relation without a named type: a record with known fields.
    pub(super) fn row(&mut self, fields: Vec<(String, Ty)>) -> Ty {
        let mut info = Info::new("record", b'P', b'p');
        info.fields = fields;
        self.add(info)
    }

    /// Whether a type is a record, with or without known fields.
    pub(super) fn is_record(&mut self, ty: Ty) -> bool {
        ty == Ty::RECORD || self.info(ty).name == "record"
    }

    /// Whether two types are the same to the database.
    pub(super) fn same(&mut self, a: Ty, b: Ty) -> bool {
        a == b || self.is_record(a) && self.is_record(b)
    }

    /// The base type of a domain, or the type itself.
    pub(super) fn base(&mut self, ty: Ty) -> Ty {
        let mut ty = ty;
        for _ in 0..16 {
            match self.info(ty) {
                Info { class: b'd', base: Some(base), .. } => ty = *base,
                _ => break,
            }
        }
        ty
    }

    /// The element type of an array, or of a domain over one.
    pub(super) fn element(&mut self, ty: Ty) -> Option<Ty> {
        let base = self.base(ty);
        if base == Ty::RECORDARRAY {
            return Some(Ty::RECORD);
        }
        self.info(base).element
    }

    /// The element type of a true array: not of `int2vector` and the like.
    pub(super) fn true_element(&mut self, ty: Ty) -> Option<Ty> {
        if ty == Ty::RECORDARRAY {
            return Some(Ty::RECORD);
        }
        let info = self.info(ty);
        info.element.filter(|_| info.category == b'A' && !matches!(&*info.name, "oidvector" | "int2vector"))
    }

    /// The type as other modules see it.
    pub(super) fn shown(&mut self, ty: Ty, depth: usize) -> Option<SqlType> {
        if ty == Ty::OPAQUE || depth > 8 {
            return None;
        }
        let info = self.kept_info(ty);
        let labels = self.labels(ty);
        let mut inner = |ty: Ty| self.shown(ty, depth + 1).map(Box::new);
        let kind = match info.class {
            b'e' => TypeKind::Enum(labels.to_vec()),
            b'd' => TypeKind::Domain(inner(info.base?)?),
            b'r' if info.base.is_some() => TypeKind::Range(inner(info.base?)?),
            b'c' => {
                let field = |(name, ty): &(String, Ty)| Some((name.clone(), *inner(*ty)?));
                TypeKind::Composite(info.fields.iter().map(field).collect::<Option<_>>()?)
            }
            b'p' if ty == Ty::RECORDARRAY => TypeKind::Array(inner(Ty::RECORD)?),
            b'p' => TypeKind::Pseudo,
            _ => match info.element.filter(|_| info.category == b'A') {
                Some(element) => TypeKind::Array(inner(element)?),
                None if info.of_extension => TypeKind::Extension,
                None => TypeKind::Builtin,
            },
        };
        let name = match &kind {
            TypeKind::Array(element) if info.printed.is_none() && element.kind == TypeKind::Extension => {
                format!("{}[]", element.name)
            }
            _ => info.printed.clone().unwrap_or_else(|| info.name.to_string()),
        };
        Some(SqlType { name, kind })
    }

    /// The name of a type in messages, as printed by `format_type`.
    pub(super) fn display(&mut self, ty: Ty) -> String {
        let info = self.kept_info(ty);
        if let Some(printed) = &info.printed {
            return printed.clone();
        }
        if let Some(element) = info.element.filter(|_| info.category == b'A') {
            return format!("{}[]", self.display(element));
        }
        let printed = match &*info.name {
            "int4" => "integer",
            "int8" => "bigint",
            "int2" => "smallint",
            "float4" => "real",
            "float8" => "double precision",
            "bool" => "boolean",
            "varchar" => "character varying",
            "bpchar" => "character",
            "timestamp" => "timestamp without time zone",
            "timestamptz" => "timestamp with time zone",
            "time" => "time without time zone",
            "timetz" => "time with time zone",
            "varbit" => "bit varying",
            "char" => "\"char\"",
            other => other,
        };
        printed.to_owned()
    }
}

/// The entry for a number that is not a type.
static NO_TYPE: Info = Info {
    name: Cow::Borrowed(""),
    printed: None,
    category: b'X',
    preferred: false,
    class: b'p',
    element: None,
    base: None,
    enumerated: None,
    fields: Vec::new(),
    of_extension: false,
    array_name: "",
};

impl Info {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, category: u8, class: u8) -> Info {
        Info { name: name.into(), category, class, ..NO_TYPE.clone() }
    }

    /// A type's line in the catalog; the function returns the number of another type.
    pub(super) fn read(
        name: &'static str,
        rest: &'static str,
        mut numbered: impl FnMut(&str) -> Option<Ty>,
    ) -> Option<Info> {
        let mut fields = rest.split(' ');
        let [category, preferred, class] = *fields.next()?.as_bytes() else { return None };
        let mut next = || fields.next().filter(|field| *field != "-");
        let (element, array, base) = (next(), next(), next());
        let mut info = Info::new(name, category, class);
        info.preferred = preferred == b'+';
        info.array_name = array.unwrap_or_default();
        info.element = element.and_then(&mut numbered);
        info.base = base.and_then(&mut numbered);
        if let Some(parts) = fields.next() {
            let part = |part: &str| {
                let (name, ty) = part.split_once(':')?;
                Some((name.to_owned(), numbered(ty)?))
            };
            info.fields = parts.split(',').map(part).collect::<Option<_>>()?;
        }
        Some(info)
    }
}

/// An identifier, quoted if the database quotes it.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
