//! Whether a condition can search an index, given its access method and operator classes.

use std::borrow::Cow;
use std::sync::Arc;

use super::condition::{Compare, Condition};
use super::heirs;
use super::operator_classes::{self, CatalogType};
use crate::schema::prepared::{self, Predicate, PreparedIndex};
use crate::schema::{Index, IndexKey, Schema, Table};
use crate::sql::expr::{Expr, LikeKind};
use crate::sql::query::{Query, RelationId};
use crate::sql::{Dialect, predicates};

/// Whether a comparison can search an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knows {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// Its access method or operator class is unknown here, and may support it.
    Unknown,
}

impl From<bool> for Knows {
    fn from(known: bool) -> Knows {
        if known { Knows::Yes } else { Knows::No }
    }
}

impl Knows {
    /// Turns `No` into `Unknown` if `is_unknown`.
    fn or_unknown(self, is_unknown: bool) -> Knows {
        if self == Knows::No && is_unknown { Knows::Unknown } else { self }
    }
}

/// Operators that compare text byte by byte: those of `text_pattern_ops`.
const BYTE_OPERATORS: &[&str] = &["~<~", "~<=~", "~>~", "~>=~"];

/// Operators of boxes, ranges and similar types.
const BOX_OPERATORS: &[&str] = &[
    "@>", "<@", "&&", "<<", ">>", "<<=", ">>=", "&<", "&>", "-|-", "@@", "~=", "|>>", "<<|", "&<|", "|&>",
    "@", "~", "<->",
];

/// The type of a key's column, as printed by the database; empty for an expression.
fn key_type<'t>(of: &Indexes<'t>, key: &IndexKey) -> &'t str {
    key.as_column().and_then(|name| of.table.column(name)).map_or("", |column| &column.ty)
}

/// Whether MySQL or SQLite has to turn the values of a type into texts to match them with a pattern, so that no index
/// on them is searched.
pub(super) fn is_counted(ty: &str, dialect: Dialect) -> bool {
    let ty = ty.to_ascii_lowercase();
    let is_text = |words: &[&str]| words.iter().any(|word| ty.contains(word));
    match dialect {
        Dialect::Postgres => false,
        Dialect::MySql => !ty.is_empty() && !is_text(&["char", "text", "blob", "binary", "json"]),
        Dialect::Sqlite => {
            ty.contains("int") || !ty.is_empty() && !is_text(&["char", "clob", "text", "blob"])
        }
    }
}

/// Whether the GiST operator class of a type, as `btree_gist` and `ltree` bring it, compares values by their order.
fn is_scalar(ty: &str) -> bool {
    let base = ty.split('(').next().unwrap_or(ty).trim();
    base.starts_with("time")
        || base.starts_with("character")
        || matches!(
            base,
            "smallint"
                | "integer"
                | "bigint"
                | "real"
                | "double precision"
                | "numeric"
                | "money"
                | "oid"
                | "date"
                | "interval"
                | "text"
                | "uuid"
                | "bytea"
                | "inet"
                | "cidr"
                | "macaddr"
                | "macaddr8"
                | "ltree"
        )
}

fn is_text_key(of: &Indexes<'_>, key: &IndexKey) -> bool {
    let ty = key_type(of, key);
    matches!(ty, "text" | "citext") || ty.starts_with("character")
}

/// Whether all operators that an inverted index supports for the key's type are known.
fn is_built_in(of: &Indexes<'_>, key: &IndexKey) -> bool {
    let ty = key_type(of, key);
    matches!(ty, "" | "jsonb" | "tsvector") || ty.ends_with("[]")
}

/// Whether all operators of an inverted index's operator class are known.
fn is_own_opclass(opclass: &str) -> bool {
    opclass.is_empty()
        || matches!(without_catalog(opclass), "jsonb_ops" | "jsonb_path_ops" | "array_ops" | "tsvector_ops")
}

/// The collation of a key; `default` if none is declared.
pub(super) fn key_collation(of: &Indexes<'_>, key: &IndexKey) -> Cow<'static, str> {
    said_collation(of, key, key.collation.as_deref())
}

/// The collation of a comparison with a key's column: the explicit one, or the column's.
pub(super) fn said_collation(of: &Indexes<'_>, key: &IndexKey, said: Option<&str>) -> Cow<'static, str> {
    let column = key.as_column().and_then(|name| of.table.column(name));
    let named = said.or_else(|| column?.collation.as_deref());
    let named = named.map(|name| without_catalog(name).trim_matches('"').to_lowercase());
    match named.filter(|name| name != "default") {
        Some(name) => Cow::Owned(name),
        None if of.dialect == Dialect::Sqlite => Cow::Borrowed("binary"),
        None if said.is_none() && column.is_some_and(|column| column.ty == "name") => Cow::Borrowed("c"),
        None => Cow::Borrowed("default"),
    }
}

/// Whether the extension `intarray` brings the operators on arrays of integers.
pub(super) fn has_intarray(schema: &Schema) -> bool {
    let is_searched = |place: &String| place == "public" || schema.search_path.contains(place);
    schema.extensions.contains("intarray") && schema.extension_schemas.get("intarray").is_none_or(is_searched)
}

fn without_catalog(name: &str) -> &str {
    name.strip_prefix("pg_catalog.").unwrap_or(name)
}

/// A table's indexes, with expressions and predicates resolved.
pub(super) struct Indexes<'s> {
    pub(super) dialect: Dialect,
    table: &'s Table,
    list: Arc<Vec<PreparedIndex>>,
    /// Positions of the indexes that the planner ignores.
    hidden: Vec<usize>,
    /// Whether the extension `intarray` brings the operators on arrays of integers, which the default operator class
    /// of an inverted index does not know.
    has_intarray: bool,
    schema: &'s Schema,
}

/// How rows are located.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// By their physical location.
    Place,
    /// By an index, given by its position among those of the table.
    Index(usize),
}

impl<'s> Indexes<'s> {
    /// Resolves the indexes of a table.
    pub(super) fn new(schema: &'s Schema, table: &'s Table) -> Indexes<'s> {
        let list = prepared::indexes(schema, table);
        let has_intarray = has_intarray(schema);
        Indexes { dialect: schema.dialect, table, list, hidden: Vec::new(), has_intarray, schema }
    }

    /// Hides the indexes that the query or the partitioning keeps the planner from using.
    pub(super) fn asked_for(mut self, schema: &Schema, query: &Query, relation: RelationId) -> Indexes<'s> {
        fn called(index: &Index) -> &str {
            if index.primary { "PRIMARY" } else { index.name.as_str() }
        }
        let all: Vec<&str> = match self.dialect {
            Dialect::MySql => self.list.iter().map(|prepared| called(&prepared.index)).collect(),
            Dialect::Postgres | Dialect::Sqlite => Vec::new(),
        };
        let is_hidden = |index: &Index| {
            !query.lets_use(relation, called(index), &all)
                || query.reads_sample(relation)
                || heirs::is_invalid(schema, self.table, index)
                || self.dialect == Dialect::MySql && is_of_long_values(self.table, index)
        };
        let hidden = self.list.iter().enumerate().filter(|(_, prepared)| is_hidden(&prepared.index));
        self.hidden = hidden.map(|(at, _)| at).collect();
        self
    }

    /// Whether the planner may use the index at a position.
    pub(super) fn is_usable(&self, at: usize) -> bool {
        !self.hidden.contains(&at)
    }

    /// The table that they belong to.
    pub(super) fn table(&self) -> &'s Table {
        self.table
    }

    /// The indexes, by position.
    pub(super) fn list(&self) -> &[PreparedIndex] {
        &self.list
    }

    /// The name of the index; `rowid` for SQLite's own order.
    pub(super) fn name(&self, by: By) -> &str {
        match by {
            By::Place if self.dialect == Dialect::Postgres => "ctid",
            By::Place => "rowid",
            By::Index(at) => self.list.get(at).map_or("", |resolved| &resolved.index.name),
        }
    }

    /// The dialect of their database.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether any index contains every row, so that the table can be read by it.
    pub(super) fn whole(&self) -> bool {
        let btree = |resolved: &PreparedIndex| {
            resolved.index.method == "btree" && matches!(resolved.predicate, Predicate::None)
        };
        self.dialect == Dialect::Sqlite || self.list.iter().any(btree)
    }

    /// Whether each index ends with a column, by which the rows of one key are in order: the rowid of SQLite, or the first
    /// column of InnoDB's primary key.
    pub(super) fn ends_with(&self, key: &Expr, relation: RelationId) -> bool {
        let Some(column) = key.as_column().filter(|column| column.relation == Some(relation)) else {
            return false;
        };
        match self.dialect {
            Dialect::Postgres => false,
            Dialect::Sqlite if !self.table.without_rowid => self.is_rowid(&column.name),
            Dialect::MySql | Dialect::Sqlite => {
                self.table.primary_key.first().is_some_and(|first| *first == column.name)
            }
        }
    }

    /// Whether a column is the physical location of the row.
    pub(super) fn is_rowid(&self, name: &str) -> bool {
        match self.dialect {
            Dialect::Postgres => name == "ctid",
            Dialect::Sqlite if !self.table.without_rowid => {
                self.table.rowid_alias().is_some_and(|alias| alias.name == name)
                    || matches!(name, "rowid" | "oid" | "_rowid_") && self.table.column(name).is_none()
            }
            _ => false,
        }
    }
}

/// MariaDB: whether a unique index is on whole values of any length. It keeps their hashes, which tell rows apart and are
/// searched by no query; MySQL refuses it.
fn is_of_long_values(table: &Table, index: &Index) -> bool {
    let is_long = |key: &IndexKey| {
        let column = key.as_column().filter(|_| key.prefix.is_none()).and_then(|name| table.column(name));
        column.is_some_and(|column| {
            let ty = column.ty.split(['(', ' ']).next().unwrap_or_default().to_ascii_lowercase();
            matches!(&*ty, "json") || ["text", "blob"].iter().any(|long| ty.ends_with(long))
        })
    };
    index.unique && !index.primary && index.method == "btree" && index.keys.iter().any(is_long)
}

impl PreparedIndex {
    /// Whether rows with equal keys follow each other in the order of what the index ends with: its keys are whole and known.
    pub(super) fn ends_in_order(&self) -> bool {
        self.keys.iter().all(Option::is_some) && self.index.keys.iter().all(|key| key.prefix.is_none())
    }

    /// Whether the index contains every wanted row.
    pub(super) fn allowed(&self, dialect: Dialect, relation: RelationId, demands: &[&Expr]) -> bool {
        match &self.predicate {
            _ if self.index.hidden => false,
            Predicate::None => true,
            Predicate::Known(predicate) if dialect == Dialect::Sqlite => {
                predicates::implied_as_written(predicate, demands, relation)
            }
            Predicate::Known(predicate) => predicates::implied(predicate, demands, relation),
            Predicate::NotUnderstood => false,
        }
    }

    /// Whether the access method and the key's operator class support the comparison.
    pub(super) fn operator(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> Knows {
        if let Some(known) = self.by_class(of, key, condition) {
            return known;
        }
        let opclass = key.opclass.as_deref().unwrap_or_default();
        let trigrams = opclass.contains("trgm");
        let operator = |known: &[&str]| matches!(&condition.compare, Compare::Operator(op) if known.contains(&op.as_str()));
        let is_operator = matches!(condition.compare, Compare::Operator(_));
        let plain = matches!(condition.compare, Compare::Equal | Compare::Range);
        let pattern =
            matches!(condition.compare, Compare::Prefix(_) | Compare::Given(_) | Compare::Pattern(_));
        // Their operator classes have LIKE and `~`, and not `^@`.
        let by_trigrams = pattern && !condition.by_start;
        if operator(&["<>"]) {
            return Knows::No;
        }
        if let ("btree", Compare::Given(kind)) = (self.index.method.as_str(), &condition.compare) {
            return Knows::No.or_unknown(self.prefix(of, key, *kind, opclass));
        }
        match self.index.method.as_str() {
            // MySQL stores each element of the array if the key is a cast to an array.
            "btree" if operator(&["member of"]) => Knows::Yes,
            "btree" if is_operator => {
                // Bytewise comparison operators, and those of operator classes from extensions.
                let by_bytes = opclass.contains("pattern") && operator(BYTE_OPERATORS);
                let is_brought = !opclass.is_empty() && !opclass.contains("pattern");
                Knows::from(by_bytes).or_unknown(is_brought)
            }
            "btree" => Knows::from(match &condition.compare {
                Compare::Null | Compare::NotNull => true,
                Compare::Equal => self.collates(of, key, condition),
                Compare::Range => !opclass.contains("pattern") && self.collates(of, key, condition),
                Compare::Prefix(kind) => {
                    let is_own = of.dialect != Dialect::MySql || self.collates(of, key, condition);
                    is_own && self.prefix(of, key, *kind, opclass)
                }
                Compare::Given(_) | Compare::Pattern(_) | Compare::Operator(_) => false,
            }),
            "hash" => Knows::from(condition.compare == Compare::Equal && self.collates(of, key, condition)),
            "gin" if trigrams => {
                let known = condition.compare == Compare::Equal || by_trigrams;
                Knows::from(known || operator(&["%", "<%", "%>", "%>>", "<<%"]))
            }
            "gin" => Knows::from(self.inside(of, key, condition, opclass))
                .or_unknown(is_operator && (!is_own_opclass(opclass) || !is_built_in(of, key))),
            "gist" | "spgist" if trigrams => {
                let known = condition.compare == Compare::Equal || by_trigrams;
                Knows::from(known || operator(&["%", "<%", "%>", "<->"]))
            }
            "spgist" if is_text_key(of, key) => {
                let prefix = matches!(condition.compare, Compare::Prefix(LikeKind::Like | LikeKind::Regex));
                let collated = plain && self.collates(of, key, condition);
                let given = matches!(condition.compare, Compare::Given(LikeKind::Like | LikeKind::Regex));
                Knows::from(collated || prefix || operator(BYTE_OPERATORS) || operator(&["^@"]))
                    .or_unknown(given)
            }
            "gist" | "spgist" => {
                let is_null = matches!(condition.compare, Compare::Null | Compare::NotNull);
                let is_sorted = condition.compare == Compare::Range && is_scalar(key_type(of, key));
                let known =
                    condition.compare == Compare::Equal || is_null || is_sorted || operator(BOX_OPERATORS);
                // `~` is a pattern match only for text: types of extensions have an operator of that name.
                Knows::from(known).or_unknown((is_operator || pattern) && !is_text_key(of, key))
            }
            "brin" => {
                let ranges = key_type(of, key).ends_with("range") && operator(BOX_OPERATORS);
                let known = plain || condition.compare == Compare::Null || ranges;
                Knows::from(known).or_unknown(is_operator)
            }
            "fulltext" => Knows::from(operator(&["match"])),
            "spatial" => Knows::from(operator(&["&&"])),
            "bloom" => Knows::from(condition.compare == Compare::Equal),
            // They provide an order by distance, and serve no condition.
            "hnsw" | "ivfflat" => Knows::No,
            // An access method of an extension: the extension decides what it serves.
            _ => Knows::Unknown,
        }
    }

    /// PostgreSQL: what the operator class of a key says; `None` if it is not known, or the access method decides.
    fn by_class(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> Option<Knows> {
        let operator = match &condition.compare {
            Compare::Equal => "=",
            Compare::Range => "<",
            Compare::Operator(operator) => operator.as_str(),
            _ => return None,
        };
        let is_plain = matches!(condition.compare, Compare::Equal | Compare::Range);
        let method = self.index.method.as_str();
        let is_sorted = matches!(method, "btree" | "hash");
        if of.dialect != Dialect::Postgres || is_sorted && is_plain && condition.against.is_none() {
            return None;
        }
        let ty = CatalogType::of(key_type(of, key), of.schema)?;
        let against = condition.against.as_deref().and_then(|ty| CatalogType::of(ty, of.schema));
        let class = without_catalog(key.opclass.as_deref().unwrap_or_default());
        // Behind it may be parameters.
        let class = class.split(' ').next().unwrap_or_default();
        let class = class.rsplit_once('.').map_or(class, |(_, class)| class);
        let key_of = operator_classes::Key { method, class, ty: &ty, has_intarray: of.has_intarray };
        let serves = key_of.serves(operator, against.as_ref())?;
        if is_sorted && serves {
            return None;
        }
        // A list of arrays is several searches, which no inverted index makes.
        let is_list = method == "gin" && condition.compare == Compare::Equal && !condition.one_value;
        let is_array = key_type(of, key).ends_with(']');
        let collates = !is_plain || self.collates(of, key, condition);
        Some(Knows::from(serves && collates && !(is_list && is_array)))
    }

    /// Whether the key's collation is the one that is compared by: the explicit one, or the column's own.
    fn collates(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition) -> bool {
        let of_key = key_collation(of, key);
        // MySQL: the default of the table or the database is not known.
        let is_open = of.dialect == Dialect::MySql && of_key == "default";
        let said = said_collation(of, key, condition.collation.as_deref());
        // MySQL finds texts that are equal byte by byte among those that are equal to the key.
        let is_stricter = of.dialect == Dialect::MySql
            && condition.compare == Compare::Equal
            && (said == "binary" || said.ends_with("_bin"));
        is_open || is_stricter || of_key == said
    }

    /// Whether an inverted index supports the comparison for the key's type.
    fn inside(&self, of: &Indexes<'_>, key: &IndexKey, condition: &Condition, opclass: &str) -> bool {
        let ty = key.as_column().and_then(|name| of.table.column(name)).map_or("", |column| &column.ty);
        let known: &[&str] = match ty {
            "jsonb" if opclass.contains("path_ops") => &["@>", "@?", "@@"],
            "jsonb" => &["@>", "?", "?|", "?&", "@?", "@@"],
            "tsvector" => &["@@", "@@@"],
            ty if ty.ends_with("[]") && condition.compare == Compare::Equal => return condition.one_value,
            "integer[]" if of.has_intarray && !opclass.contains("int_ops") => &[],
            ty if ty.ends_with("[]") => &["@>", "<@", "&&", "@@"],
            // The `btree_gin` extension indexes scalar values.
            ty if !ty.is_empty() && !ty.contains("hstore") && opclass.is_empty() => {
                return matches!(condition.compare, Compare::Equal | Compare::Range);
            }
            _ => &["@>", "<@", "&&", "@@", "@@@", "?", "?|", "?&", "@?"],
        };
        matches!(&condition.compare, Compare::Operator(op) if known.contains(&op.as_str()))
    }

    /// Whether the key is in byte order, so that a prefix is a range.
    fn prefix(&self, of: &Indexes<'_>, key: &IndexKey, kind: LikeKind, opclass: &str) -> bool {
        let collation = key_collation(of, key);
        match of.dialect {
            Dialect::Postgres => {
                opclass.contains("pattern") || matches!(&*collation, "c" | "posix" | "ucs_basic")
            }
            // SQLite's LIKE ignores case, its indexes do not; GLOB is the opposite.
            Dialect::Sqlite if is_counted(key_type(of, key), of.dialect) => false,
            Dialect::Sqlite => match kind {
                LikeKind::Glob => collation == "binary",
                _ => collation == "nocase",
            },
            Dialect::MySql => kind == LikeKind::Like && !is_counted(key_type(of, key), of.dialect),
        }
    }
}
