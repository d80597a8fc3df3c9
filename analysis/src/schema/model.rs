//! The schema as data. Names are stored as the database compares them; expressions are stored as SQL text.

mod parts;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

pub use self::parts::{
    Check, Column, Exclusion, ForeignKey, Hook, Index, IndexKey, KeyPart, Unique, UserType, View,
};
use super::PreparedIndex;
use super::{Beside, Conversions, OfAll, OfTables};
use crate::sql::Dialect;
use crate::sql::query::RelationColumn;

/// The name of a table, view, index or type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The schema that contains it; `None` for the default one (`public`, `main`, the connected MySQL
    /// database).
    pub schema: Option<String>,
    /// The name itself, folded as the database folds it.
    pub name: String,
}

impl Name {
    /// A name in the default schema.
    pub fn new(name: impl Into<String>) -> Name {
        Name { schema: None, name: name.into() }
    }

    /// A name in a schema; the default schemas `public` and `main` become `None`.
    pub fn qualified(schema: Option<&str>, name: impl Into<String>) -> Name {
        let schema = schema.filter(|schema| !matches!(*schema, "public" | "main")).map(str::to_owned);
        Name { schema, name: name.into() }
    }

    /// Whether it names a table of the database's catalog: no table of a user is in these schemas or begins with `pg_`.
    pub(crate) fn is_of_catalog(&self) -> bool {
        match self.schema.as_deref() {
            Some(schema) => {
                ["information_schema", "pg_catalog"].iter().any(|it| schema.eq_ignore_ascii_case(it))
            }
            None => self.name.starts_with("pg_"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The known schema of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The SQL dialect.
    pub dialect: Dialect,
    /// Tables by name, including partitions and foreign tables.
    pub tables: BTreeMap<Name, Table>,
    /// Views and materialised views by name.
    pub views: BTreeMap<Name, View>,
    /// Enums, domains and composite types by name.
    pub types: BTreeMap<Name, UserType>,
    /// Sequences by name, including those of `serial` columns, each with its options as SQL; a query may
    /// select from one.
    pub sequences: BTreeMap<Name, String>,
    /// MySQL and SQLite: the names of tables and views as declared, where that is not the folded one.
    pub spellings: BTreeMap<Name, String>,
    /// Functions and procedures by name, each overload as the statement that creates it.
    pub functions: BTreeMap<Name, Vec<String>>,
    /// User-defined collations, each with its definition as SQL: `(provider = icu, locale = 'de')`.
    pub collations: BTreeMap<Name, String>,
    /// Installed extensions.
    pub extensions: BTreeSet<String>,
    /// The schema of an extension's objects, if given.
    pub extension_schemas: BTreeMap<String, String>,
    /// The schemas searched for an unqualified name, in order; empty for the default schema only.
    pub search_path: Vec<String>,
    /// Tables that exist but whose definition is unknown, with the reason: the statement that creates them
    /// could not be replayed. Columns of such a table are unknown, never an error.
    pub opaque: BTreeMap<Name, String>,
    /// Reasons why names may exist that are not found here (`DO` blocks, functions that run DDL); empty if
    /// the schema is known in full.
    pub gaps: Vec<String>,
    /// Columns that any table may have, each with its type if known: statements add them to tables that are
    /// determined at run time. An empty name stands for columns with any name.
    pub loose_columns: BTreeMap<String, String>,
    /// Columns that are the first key of an index on some unknown table: statements create indexes on tables
    /// that are determined at run time.
    pub loose_indexes: BTreeSet<String>,
    /// Whether there are user-defined casts or operators, so that conversions and comparisons are not fully
    /// known.
    pub own_conversions: bool,
    /// The statements that create them.
    pub conversions: Vec<String>,
    /// What these statements say.
    pub conversions_read: OfAll<Conversions>,
    /// The resolved indexes of each table.
    pub prepared: OfTables<Vec<PreparedIndex>>,
    /// The columns of each table in the form that queries use.
    pub columns: OfTables<[RelationColumn]>,
    /// For each table, the tables that inherit from it, or are its partitions.
    pub children: OfAll<HashMap<Name, Vec<Name>>>,
    /// The functions with each name, in any schema.
    pub functions_by_name: OfAll<HashMap<String, Vec<Name>>>,
    /// Materialised views with known columns, as tables that store their rows.
    pub materialized: OfAll<HashMap<Name, Table>>,
    /// The schema without the indexes that may be dropped.
    pub certain: OfAll<Box<Schema>>,
}

impl Schema {
    /// Whether statements may add a column to tables that they look up.
    pub fn may_be_added(&self, column: &str) -> bool {
        self.loose_columns.contains_key(column) || self.loose_columns.contains_key("")
    }

    /// Its own casts and operators.
    pub(crate) fn read_conversions(&self) -> &Conversions {
        self.conversions_read.get(|| Conversions::read(&self.conversions))
    }

    /// The schema without the indexes that may be dropped.
    pub(crate) fn without_doubtful(&self) -> &Schema {
        self.certain.get(|| {
            let mut certain = Box::new(self.clone());
            certain.tables.values_mut().for_each(|table| table.indexes.retain(|index| !index.doubtful));
            certain
        })
    }

    /// An empty schema.
    pub fn new(dialect: Dialect) -> Schema {
        Schema {
            dialect,
            tables: BTreeMap::new(),
            views: BTreeMap::new(),
            types: BTreeMap::new(),
            sequences: BTreeMap::new(),
            spellings: BTreeMap::new(),
            functions: BTreeMap::new(),
            collations: BTreeMap::new(),
            extensions: BTreeSet::new(),
            extension_schemas: BTreeMap::new(),
            search_path: Vec::new(),
            opaque: BTreeMap::new(),
            gaps: Vec::new(),
            loose_columns: BTreeMap::new(),
            loose_indexes: BTreeSet::new(),
            own_conversions: false,
            conversions: Vec::new(),
            conversions_read: Beside::default(),
            prepared: Beside::default(),
            columns: Beside::default(),
            children: Beside::default(),
            functions_by_name: Beside::default(),
            materialized: Beside::default(),
            certain: Beside::default(),
        }
    }

    /// The name of a table or view as declared, without its schema.
    pub fn shown<'n>(&'n self, name: &'n Name) -> &'n str {
        self.spellings.get(name).map_or(name.name.as_str(), String::as_str)
    }

    /// Keeps how a table or view is spelled.
    pub(crate) fn spell(&mut self, name: &Name, spelling: Option<String>) {
        match spelling {
            Some(spelling) => self.spellings.insert(name.clone(), spelling),
            None => self.spellings.remove(name),
        };
    }

    /// The full name under which `find` has an entry; an unqualified name is looked up along the search path.
    fn lookup<'m, T>(
        &self,
        map: &'m BTreeMap<Name, T>,
        schema: Option<&str>,
        name: &str,
    ) -> Option<(&'m Name, &'m T)> {
        if schema.is_some() {
            return map.get_key_value(&Name::qualified(schema, name));
        }
        let path = self.search_path.iter().map(|schema| Name::qualified(Some(schema), name));
        path.chain([Name::new(name)]).find_map(|name| map.get_key_value(&name))
    }

    /// The table with a name as written in a query.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        self.lookup(&self.tables, schema, name).map(|(_, table)| table)
    }

    /// The stored rows behind a full name: a table, or a materialised view; `None` if its columns are
    /// unknown.
    pub fn stored(&self, name: &Name) -> Option<&Table> {
        self.tables.get(name).or_else(|| {
            let materialized = self.materialized.get(|| {
                let views = self.views.values().filter(|view| view.materialized);
                let table = |view: &View| {
                    let mut table = Table::new(view.name.clone());
                    table.columns = view.columns.clone()?;
                    table.indexes = view.indexes.clone();
                    Some((view.name.clone(), table))
                };
                views.filter_map(table).collect()
            });
            materialized.get(name)
        })
    }

    /// The view with a name as written in a query.
    pub fn view(&self, schema: Option<&str>, name: &str) -> Option<&View> {
        self.lookup(&self.views, schema, name).map(|(_, view)| view)
    }

    /// Whether there is a sequence with this name; a query can select from it.
    pub fn has_sequence(&self, schema: Option<&str>, name: &str) -> bool {
        let path = self.search_path.iter().map(|schema| Name::qualified(Some(schema), name));
        let is_made = match schema {
            Some(_) => self.sequences.contains_key(&Name::qualified(schema, name)),
            None => path.chain([Name::new(name)]).any(|name| self.sequences.contains_key(&name)),
        };
        is_made || self.is_of_identity(name)
    }

    /// Whether a name may be that of an identity's sequence: the one it was given, or one that ends in the column's
    /// name; a table may have been renamed since.
    fn is_of_identity(&self, name: &str) -> bool {
        let mut columns = self.tables.values().flat_map(|table| &table.columns);
        let of = name.strip_suffix("_seq").unwrap_or_default();
        columns.any(|column| {
            let said = column.numbering.as_deref().unwrap_or_default();
            column.identity
                && (of.strip_suffix(column.name.as_str()).is_some_and(|table| table.ends_with('_'))
                    || said.to_lowercase().contains("sequence name") && said.contains(name))
        })
    }

    /// The type with a name as written in a statement.
    pub fn user_type(&self, schema: Option<&str>, name: &str) -> Option<&UserType> {
        self.lookup(&self.types, schema, name).map(|(_, user_type)| user_type)
    }

    /// The type under a domain: the one that it is over, which may be a domain as well.
    pub(crate) fn base_of<'t>(&'t self, ty: &str) -> Option<&'t str> {
        let (schema, name) = ty.split_once('.').map_or((None, ty), |(schema, name)| (Some(schema), name));
        match self.user_type(schema, name.trim_matches('"'))? {
            UserType::Domain { base, .. } => Some(base),
            _ => None,
        }
    }

    /// Whether other tables inherit from a table, so that their rows are read with its own; partitions do not
    /// count.
    pub fn is_inherited(&self, table: &Table) -> bool {
        let inherits = |child: &Table| child.partition_bound.is_none();
        table.partition_by.is_none() && self.children_of(&table.name).any(inherits)
    }

    /// The functions with a name in any schema, each overload as the statement that creates it.
    pub fn functions_named<'s>(
        &'s self,
        name: &str,
    ) -> impl Iterator<Item = (&'s Name, &'s Vec<String>)> + use<'s> {
        let by_name = self.functions_by_name.get(|| {
            let mut by_name: HashMap<String, Vec<Name>> = HashMap::new();
            for function in self.functions.keys() {
                by_name.entry(function.name.clone()).or_default().push(function.clone());
            }
            by_name
        });
        by_name.get(name).into_iter().flatten().filter_map(|name| self.functions.get_key_value(name))
    }

    /// The tables that inherit from a table, or are its partitions.
    pub fn children_of<'s>(&'s self, table: &Name) -> impl Iterator<Item = &'s Table> + use<'s> {
        let children = self.children.get(|| {
            let mut children: HashMap<Name, Vec<Name>> = HashMap::new();
            for child in self.tables.values() {
                for parent in child.parents() {
                    children.entry(parent.clone()).or_default().push(child.name.clone());
                }
            }
            children
        });
        children.get(table).into_iter().flatten().filter_map(|child| self.tables.get(child))
    }

    /// Why a table's definition is unknown, if it exists but is not known.
    pub fn opaque(&self, schema: Option<&str>, name: &str) -> Option<&str> {
        self.lookup(&self.opaque, schema, name).map(|(_, reason)| reason.as_str())
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// The columns of its PRIMARY KEY in order; empty if it has none. Its index, if there is one, is in
    /// `indexes` with `primary` set; a SQLite rowid alias needs none.
    pub primary_key: Vec<String>,
    /// UNIQUE constraints, each with its name if the database assigns one; their indexes are in `indexes`.
    pub unique: Vec<Unique>,
    /// FOREIGN KEY constraints.
    pub foreign_keys: Vec<ForeignKey>,
    /// CHECK constraints as SQL, with their names if there are any.
    pub checks: Vec<Check>,
    /// EXCLUDE constraints; their indexes are in `indexes`.
    pub exclusions: Vec<Exclusion>,
    /// All indexes, including those of constraints.
    pub indexes: Vec<Index>,
    /// The partitioned table that this is a partition of, or the table that it inherits from.
    pub parent: Option<Name>,
    /// The further tables that it inherits from.
    pub more_parents: Vec<Name>,
    /// The partition key as SQL, `RANGE (created_at)`, if this is a partitioned table.
    pub partition_by: Option<String>,
    /// The bound as SQL, `FOR VALUES FROM (..) TO (..)`, if this is a partition.
    pub partition_bound: Option<String>,
    /// PostgreSQL: the composite type with its columns, if it was created `OF` one.
    pub of_type: Option<Name>,
    /// Deferrable keys, by the name of their index, and when they are checked:
    /// `DEFERRABLE INITIALLY DEFERRED`.
    pub timings: BTreeMap<String, String>,
    /// SQLite: whether rows are stored in primary key order, without a rowid.
    pub without_rowid: bool,
    /// MariaDB: whether earlier versions of its rows are kept.
    pub versioned: bool,
    /// `UNLOGGED`.
    pub unlogged: bool,
    /// PostgreSQL: storage parameters by name.
    pub storage: BTreeMap<String, String>,
    /// MySQL: the character set of its columns, if declared.
    pub charset: Option<String>,
    /// MySQL: the collation of its columns, if declared.
    pub collation: Option<String>,
    /// SQLite: whether column types are enforced.
    pub strict: bool,
    /// SQLite: the module of a virtual table, as SQL: `fts5(title, body)`. Such a table has no indexes; its
    /// module answers queries. PostgreSQL: the server of a foreign table, for which the same holds.
    pub module: Option<String>,
    /// The triggers and rules that run when its rows are written. A dropped one stays, so that its targets
    /// still count as written.
    pub hooks: Vec<Hook>,
    /// The number of rows, if known from a live database or the configuration.
    pub rows: Option<u64>,
}

impl Table {
    /// Whether a column alone identifies a row: it is the primary key, or has a unique index over all rows.
    pub fn is_key(&self, column: &str) -> bool {
        let is_unique = |index: &Index| {
            let is_alone = matches!(index.keys.as_slice(), [key] if key.as_column() == Some(column));
            index.unique && index.predicate.is_none() && is_alone
        };
        matches!(self.primary_key.as_slice(), [key] if key == column) || self.indexes.iter().any(is_unique)
    }

    /// The tables that it inherits from, or is a partition of.
    pub fn parents(&self) -> impl Iterator<Item = &Name> {
        self.parent.iter().chain(&self.more_parents)
    }

    /// An empty table.
    pub fn new(name: Name) -> Table {
        Table {
            name,
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            exclusions: Vec::new(),
            indexes: Vec::new(),
            parent: None,
            more_parents: Vec::new(),
            partition_by: None,
            of_type: None,
            timings: BTreeMap::new(),
            partition_bound: None,
            without_rowid: false,
            versioned: false,
            unlogged: false,
            storage: BTreeMap::new(),
            charset: None,
            collation: None,
            strict: false,
            module: None,
            hooks: Vec::new(),
            rows: None,
        }
    }

    /// The column with a folded name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a trigger or a rule may change inserted rows before they are stored.
    pub fn changes_inserts(&self) -> bool {
        self.hooks.iter().any(|hook| hook.changes_inserts)
    }

    /// SQLite: the column that aliases the rowid: it is the entire primary key, declared `INTEGER`.
    pub fn rowid_alias(&self) -> Option<&Column> {
        let [key] = self.primary_key.as_slice() else { return None };
        let column = self.column(key)?;
        // `INTEGER PRIMARY KEY DESC` is not an alias of the rowid, and has an index.
        let indexed = self.indexes.iter().any(|index| index.primary);
        (!self.without_rowid && !indexed && column.ty.eq_ignore_ascii_case("integer")).then_some(column)
    }
}
