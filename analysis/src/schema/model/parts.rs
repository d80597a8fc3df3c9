//! The parts of tables (columns, keys, indexes), and the objects other than tables.

use super::Name;

/// A trigger or a rule of a table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The statement that creates it, on one line.
    pub code: String,
    /// Whether it may change inserted rows before they are stored.
    pub changes_inserts: bool,
}

/// A column of a table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, folded as the database folds it.
    pub name: String,
    /// MySQL and SQLite: its name as declared, if that is not the folded one.
    pub spelling: Option<String>,
    /// Its type as the database prints it: `timestamp with time zone`, `character varying(20)`, `bigint[]`,
    /// `TEXT`; empty if unknown, or not declared in SQLite.
    pub ty: String,
    /// MySQL: the display width of an integer, if it is not that of its type.
    pub width: Option<u32>,
    /// MySQL: `ZEROFILL`.
    pub zerofill: bool,
    /// Whether NULL is rejected.
    pub not_null: bool,
    /// Its default as SQL.
    pub default: Option<String>,
    /// `GENERATED … AS IDENTITY`, or MySQL's `AUTO_INCREMENT`.
    pub identity: bool,
    /// The expression of a generated column as SQL.
    pub generated: Option<String>,
    /// Whether a generated column's values are stored.
    pub stored: bool,
    /// Whether an identity rejects explicit values (`GENERATED ALWAYS`).
    pub identity_always: bool,
    /// The collation, if declared.
    pub collation: Option<String>,
    /// MySQL: the character set, if declared.
    pub charset: Option<String>,
    /// MariaDB: whether `SELECT *` leaves it out.
    pub invisible: bool,
    /// The options of an identity's sequence, as SQL: `START WITH 100`.
    pub numbering: Option<String>,
}

impl Column {
    /// A nullable column without a default.
    pub fn new(name: impl Into<String>, ty: impl Into<String>) -> Column {
        Column {
            name: name.into(),
            spelling: None,
            ty: ty.into(),
            width: None,
            zerofill: false,
            not_null: false,
            default: None,
            identity: false,
            generated: None,
            stored: false,
            identity_always: false,
            collation: None,
            charset: None,
            invisible: false,
            numbering: None,
        }
    }

    /// Its name as declared, which the database gives to results.
    pub fn shown(&self) -> &str {
        self.spelling.as_deref().unwrap_or(&self.name)
    }
}

/// A UNIQUE constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Its name; `None` if the database assigns none (SQLite).
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name; `None` if the database assigns none (SQLite).
    pub name: Option<String>,
    /// Its condition as SQL.
    pub condition: String,
    /// `NOT VALID`: earlier rows may violate it.
    pub not_valid: bool,
    /// `NO INHERIT`: tables that inherit from this one do not have it.
    pub no_inherit: bool,
}

/// An EXCLUDE constraint; its index has the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Its name.
    pub name: String,
    /// The operators that compare the keys of its index, in order.
    pub operators: Vec<String>,
}

/// A FOREIGN KEY constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name; `None` if the database assigns none (SQLite).
    pub name: Option<String>,
    /// The referencing columns in order.
    pub columns: Vec<String>,
    /// The referenced table.
    pub table: Name,
    /// The referenced columns in order; the referenced primary key if omitted.
    pub references: Vec<String>,
    /// `ON DELETE` in upper case; `None` for `NO ACTION`.
    pub on_delete: Option<String>,
    /// `ON UPDATE` in upper case; `None` for `NO ACTION`.
    pub on_update: Option<String>,
    /// `MATCH FULL`: either all of its columns are NULL or none is.
    pub full: bool,
    /// When it is checked, if not immediately: `DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`; also `NOT VALID`.
    pub timing: Option<String>,
    /// Whether it may be dropped: a statement drops what it looks up, or runs on a condition that is not known.
    pub doubtful: bool,
}

/// An index, created by `CREATE INDEX` or by a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name; the name that the database generates if omitted.
    pub name: String,
    /// The access method, lower case: `btree`, `hash`, `gin`, `gist`, `spgist`, `brin`, `fulltext`, `spatial`.
    pub method: String,
    /// Whether no two rows may have the same keys.
    pub unique: bool,
    /// Whether it is the index of the PRIMARY KEY.
    pub primary: bool,
    /// Whether it belongs to a constraint (PRIMARY KEY, UNIQUE or EXCLUDE), so that it cannot be dropped on
    /// its own.
    pub constraint: bool,
    /// Its keys in order.
    pub keys: Vec<IndexKey>,
    /// Non-key columns (`INCLUDE`).
    pub include: Vec<String>,
    /// The predicate of a partial index as SQL.
    pub predicate: Option<String>,
    /// `NULLS NOT DISTINCT`: two NULLs are equal to it.
    pub nulls_not_distinct: bool,
    /// `INVISIBLE` in MySQL, `IGNORED` in MariaDB: it is maintained, but no query uses it.
    pub hidden: bool,
    /// Whether it may be dropped: a statement drops what it looks up, or runs on a condition that is not known.
    pub doubtful: bool,
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The indexed column or expression.
    pub part: KeyPart,
    /// Whether the order is descending.
    pub desc: bool,
    /// Whether NULL comes first; by default only for a descending key.
    pub nulls_first: bool,
    /// The operator class if it is not the default: `text_pattern_ops`, `gin_trgm_ops`.
    pub opclass: Option<String>,
    /// The collation if it is not the column's.
    pub collation: Option<String>,
    /// MySQL: the length of an indexed prefix of the column, in characters.
    pub prefix: Option<u32>,
}

impl IndexKey {
    /// An ascending key on a column.
    pub fn column(name: impl Into<String>) -> IndexKey {
        IndexKey {
            part: KeyPart::Column(name.into()),
            desc: false,
            nulls_first: false,
            opclass: None,
            collation: None,
            prefix: None,
        }
    }

    /// The column; `None` if the key is an expression.
    pub fn as_column(&self) -> Option<&str> {
        match &self.part {
            KeyPart::Column(name) => Some(name),
            KeyPart::Expression(_) => None,
        }
    }
}

/// The content of an index key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// A column, by its folded name.
    Column(String),
    /// An expression as SQL.
    Expression(String),
}

/// A view or materialised view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: Name,
    /// Its columns in order; `None` if they could not be determined.
    pub columns: Option<Vec<Column>>,
    /// Its query as SQL.
    pub query: String,
    /// PostgreSQL: the schemas in which its names are looked up first; empty if it was made with the default.
    pub path: Vec<String>,
    /// Whether its rows are stored.
    pub materialized: bool,
    /// The indexes of a materialised view.
    pub indexes: Vec<Index>,
    /// The triggers and rules that run when it is written to.
    pub hooks: Vec<Hook>,
    /// PostgreSQL: the defaults of columns that a write through it leaves out, as SQL, by column.
    pub defaults: Vec<(String, String)>,
}

/// A user-defined type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserType {
    /// An enum, with its labels in order.
    Enum(Vec<String>),
    /// A domain over another type, as SQL: `text CHECK (VALUE <> '')`.
    Domain {
        /// The base type, as the database prints it.
        base: String,
        /// Whether NULL is rejected.
        not_null: bool,
        /// The default of columns without a default of their own, as SQL.
        default: Option<String>,
        /// The names and conditions of its CHECK constraints, as SQL.
        checks: Vec<(String, String)>,
        /// The collation of its columns, if declared.
        collation: Option<String>,
    },
    /// A composite type, with its fields.
    Composite(Vec<Column>),
    /// A range type, by the text after `AS RANGE`: `(subtype = float8)`.
    Range(String),
    /// Any other type (a base type), known only by name.
    Other,
}

impl UserType {
    /// The name that PostgreSQL gives a CHECK of a domain: `price_check`, then `price_check1`.
    pub(crate) fn free_check(domain: &Name, taken: &[(String, String)]) -> String {
        let name = format!("{}_check", domain.name);
        let is_free = |name: &String| !taken.iter().any(|(known, _)| known == name);
        let numbered = (1..).map(|number: u32| format!("{name}{number}"));
        std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
    }
}
