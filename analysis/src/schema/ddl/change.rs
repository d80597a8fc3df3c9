//! What one statement does to the schema, as plain data: names as written, types and expressions as SQL.

use super::actions::{Action, TypeAction, TypeDef};
use crate::schema::model::{Column, Hook, IndexKey, Name};

/// A name as written in a statement, folded; which schema it means is for the replay to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The schema, where one is written.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
}

impl Written {
    /// A name without a schema.
    pub fn new(name: impl Into<String>) -> Written {
        Written { schema: None, name: name.into() }
    }

    /// The name where an unqualified one means the default schema.
    pub fn to_name(&self) -> Name {
        Name::qualified(self.schema.as_deref(), self.name.clone())
    }
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A column's type as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeRef {
    /// The type as the database prints it; for a user's type without its name.
    pub text: String,
    /// The user's type it names; then `text` holds what follows the name, such as `[]`.
    pub user: Option<Written>,
    /// `serial` and its like: a sequence of its own is the default.
    pub serial: bool,
}

/// A column with the constraints written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// The column, its type not filled in.
    pub column: Column,
    /// Its type.
    pub ty: TypeRef,
    /// `NULL` is written, so that no rule of the dialect makes it `NOT NULL`.
    pub null: bool,
    /// Its constraints, as constraints of the table.
    pub constraints: Vec<ConstraintDef>,
}

/// A constraint of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintDef {
    /// Its name, where one is written.
    pub name: Option<String>,
    /// What it demands.
    pub rule: Rule,
    /// When it is checked, where that is not at once: `DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`.
    pub timing: Option<String>,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// PRIMARY KEY.
    PrimaryKey {
        /// Its keys in order.
        keys: Vec<IndexKey>,
        /// `INCLUDE`.
        include: Vec<String>,
    },
    /// UNIQUE.
    Unique {
        /// Its keys in order.
        keys: Vec<IndexKey>,
        /// `INCLUDE`.
        include: Vec<String>,
        /// `NULLS NOT DISTINCT`.
        nulls_not_distinct: bool,
    },
    /// PRIMARY KEY or UNIQUE that takes over an index.
    UsingIndex {
        /// Whether it is the PRIMARY KEY.
        primary: bool,
        /// The index.
        index: String,
    },
    /// FOREIGN KEY.
    ForeignKey {
        /// The referencing columns in order.
        columns: Vec<String>,
        /// The referenced table.
        table: Written,
        /// The referenced columns; empty when none are written.
        references: Vec<String>,
        /// `ON DELETE`, upper case, when it is not `NO ACTION`.
        on_delete: Option<String>,
        /// `ON UPDATE`, upper case, when it is not `NO ACTION`.
        on_update: Option<String>,
    },
    /// CHECK, with its condition as SQL.
    Check(String),
    /// EXCLUDE.
    Exclude {
        /// The index behind it, without a name.
        index: Box<IndexDef>,
        /// The operators of its keys in order.
        operators: Vec<String>,
    },
    /// MySQL's `KEY` among the columns.
    Index(Box<IndexDef>),
}

/// An index as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexDef {
    /// Its name, where one is written.
    pub name: Option<String>,
    /// The access method, lower case.
    pub method: String,
    /// Whether it allows no two equal keys.
    pub unique: bool,
    /// Its keys in order.
    pub keys: Vec<IndexKey>,
    /// `INCLUDE`.
    pub include: Vec<String>,
    /// The condition of a partial index as SQL.
    pub predicate: Option<String>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// `INVISIBLE` or `IGNORED`.
    pub hidden: bool,
}

/// `CREATE INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateIndex {
    /// The index.
    pub index: IndexDef,
    /// SQLite writes the schema before the index's name.
    pub schema: Option<String>,
    /// The table or materialised view.
    pub table: Written,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `ON ONLY`: partitions get none of their own.
    pub only: bool,
}

/// What is written between the parentheses of `CREATE TABLE`, and around them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateTable {
    /// Its name.
    pub name: Written,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// MariaDB: `OR REPLACE`.
    pub or_replace: bool,
    /// Columns in order, each after those that come from `LIKE` before it.
    pub elements: Vec<Element>,
    /// Constraints of the table.
    pub constraints: Vec<ConstraintDef>,
    /// `INHERITS`.
    pub inherits: Vec<Written>,
    /// `PARTITION OF`, with the bound.
    pub partition_of: Option<(Written, String)>,
    /// `PARTITION BY`.
    pub partition_by: Option<String>,
    /// The query of `CREATE TABLE … AS`.
    pub query: Option<String>,
    /// `OF`: the composite type it is made of.
    pub of_type: Option<Written>,
    /// SQLite: `WITHOUT ROWID`.
    pub without_rowid: bool,
    /// SQLite: `STRICT`.
    pub strict: bool,
    /// Timescale: `WITH (tsdb.hypertable, ..)`, as written.
    pub hypertable: Option<String>,
    /// SQLite: a virtual table with what makes it, `fts5(a, b)`; its columns are what the arguments say, or unknown.
    pub module: Option<String>,
}

impl Default for Written {
    fn default() -> Written {
        Written::new("")
    }
}

/// An element of `CREATE TABLE` that gives columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A column.
    Column(ColumnDef),
    /// `LIKE another_table`.
    Like {
        /// The other table.
        table: Written,
        /// What is copied besides names, types and NOT NULL.
        including: Including,
    },
    /// A name alone, as in `CREATE TABLE t (a, b) AS …` and a partition's `(a NOT NULL)`.
    Named(String),
}

/// What `LIKE` copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Including {
    /// Defaults.
    pub defaults: bool,
    /// Identity.
    pub identity: bool,
    /// Generated columns' expressions.
    pub generated: bool,
    /// CHECK constraints.
    pub constraints: bool,
    /// Indexes, PRIMARY KEY and UNIQUE.
    pub indexes: bool,
}

impl Including {
    /// `INCLUDING ALL`, and MySQL's `CREATE TABLE … LIKE`.
    pub const ALL: Including =
        Including { defaults: true, identity: true, generated: true, constraints: true, indexes: true };
}

/// `CREATE VIEW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateView {
    /// Its name.
    pub name: Written,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `MATERIALIZED`.
    pub materialized: bool,
    /// The columns' names, where they are written.
    pub columns: Vec<String>,
    /// The query as SQL.
    pub query: String,
}

/// `CREATE FUNCTION` and `CREATE PROCEDURE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFunction {
    /// Its name.
    pub name: Written,
    /// The statement.
    pub sql: String,
    /// Its body, where it is a string.
    pub body: Option<String>,
    /// The names of its parameters in order; empty for one without.
    pub parameters: Vec<String>,
}

/// What `DROP` drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// A table, foreign ones included.
    Table,
    /// A view.
    View,
    /// A materialised view.
    MaterializedView,
    /// An index.
    Index,
    /// A type or domain.
    Type,
    /// A schema with its name as the list's only part.
    Schema,
    /// A sequence.
    Sequence,
    /// A collation.
    Collation,
    /// An extension.
    Extension,
    /// A function, procedure, aggregate or routine.
    Function,
}

/// `DROP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// What kind of thing.
    pub what: Dropped,
    /// Which ones.
    pub names: Vec<Written>,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// `CASCADE`.
    pub cascade: bool,
    /// MySQL: the index's table.
    pub table: Option<Written>,
}

/// How long a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `LOCAL`: until the end of the transaction.
    Transaction,
    /// Until the end of the session.
    Session,
    /// `ALTER DATABASE` and `ALTER ROLE`: in every session to come.
    Sessions,
}

/// What a statement does to the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing that the model holds.
    Nothing,
    /// A trigger or rule of this table.
    Hook(Written, Hook),
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `ALTER` of a table, view, index or sequence, with its actions in order.
    Alter {
        /// The relation.
        name: Written,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `ONLY`: children and partitions are left alone.
        only: bool,
        /// The actions.
        actions: Vec<Action>,
    },
    /// MySQL: `RENAME TABLE`, pair by pair.
    RenameTables(Vec<(Written, Written)>),
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
    /// `CREATE VIEW`.
    CreateView(Box<CreateView>),
    /// `CREATE SEQUENCE`.
    CreateSequence {
        /// Its name.
        name: Written,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// `TEMPORARY`.
        temporary: bool,
        /// Its options as SQL.
        options: String,
    },
    /// `CREATE COLLATION`.
    CreateCollation {
        /// Its name.
        name: Written,
        /// What it is made from, as SQL.
        made_from: String,
    },
    /// `CREATE TYPE` and `CREATE DOMAIN`.
    CreateType {
        /// Its name.
        name: Written,
        /// What it is.
        ty: TypeDef,
    },
    /// `ALTER TYPE` and `ALTER DOMAIN`.
    AlterType {
        /// The type.
        name: Written,
        /// The actions.
        actions: Vec<TypeAction>,
    },
    /// `SAVEPOINT`; without a name, `BEGIN`.
    Savepoint(String),
    /// `ROLLBACK TO SAVEPOINT`; without a name, `ROLLBACK`.
    RollbackTo(String),
    /// `CREATE SCHEMA`.
    CreateSchema {
        /// Its name.
        name: String,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// The statements that make what is in it.
        elements: Vec<String>,
    },
    /// `ALTER SCHEMA … RENAME TO`.
    RenameSchema {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// `DROP`.
    Drop(Drop),
    /// `SET search_path`, MySQL's and SQLite's nothing; `None` for the default one.
    SetSearchPath {
        /// The schemas in order.
        path: Option<Vec<String>>,
        /// How long it holds.
        scope: Scope,
    },
    /// `CREATE EXTENSION`.
    CreateExtension {
        /// Its name.
        name: String,
        /// The schema that its objects are put into, where one is said.
        schema: Option<String>,
    },
    /// `CREATE FUNCTION`.
    CreateFunction(Box<CreateFunction>),
    /// `CREATE CAST`, `CREATE OPERATOR`.
    CreateConversion(String),
    /// `DO`, with its body.
    Do(String),
    /// `SELECT f(…)` or `CALL f(…)` without a table: a function that may run DDL.
    Call {
        /// The function.
        function: Written,
        /// What stands in its parentheses, as written.
        arguments: Vec<String>,
    },
    /// SQLite: `PRAGMA legacy_alter_table`.
    LegacyAlter(bool),
    /// MySQL: `SET @name = …` and `SELECT … INTO @name`: each variable with its sign, and the expression that gives its
    /// value; empty where that is not known.
    SetVariables(Vec<(String, String)>),
    /// `COMMIT` and its like.
    EndTransaction,
    /// MySQL: `PREPARE`.
    Prepare {
        /// The statement's name.
        name: String,
        /// The string or variable that holds its text.
        text: String,
    },
    /// MySQL: `EXECUTE`, with the name of a prepared statement.
    ExecutePrepared(String),
    /// MySQL: `EXECUTE IMMEDIATE`, with the expression that gives the text.
    ExecuteText(String),
}
