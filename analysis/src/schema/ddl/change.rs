//! The effect of one statement on the schema, as data: names as written, types and expressions as SQL.

use super::actions::{Action, TypeAction, TypeDef};
use super::dropped::Drop;
use super::options::TableOptions;
use crate::schema::model::{Column, Hook, IndexKey, Name};

/// A name as written in a statement, folded; the replay determines its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Written {
    /// The schema, folded; `None` if not written.
    pub schema: Option<String>,
    /// The name without its schema, folded.
    pub name: String,
}

impl Written {
    /// A name without a schema.
    pub fn new(name: impl Into<String>) -> Written {
        Written { schema: None, name: name.into() }
    }

    /// The name, where an unqualified one is in the default schema.
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
    /// The type as the database prints it; for a user-defined type, without its name.
    pub text: String,
    /// The user-defined type that it names; `text` is then the rest, such as `[]`.
    pub user: Option<Written>,
    /// MySQL: the display width of an integer, if it is not that of the type.
    pub width: Option<u32>,
    /// MySQL: `ZEROFILL`.
    pub zerofill: bool,
    /// Whether it is `serial` or similar, whose default is a sequence of its own.
    pub serial: bool,
}

/// A column with its inline constraints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// The column, with its type not filled in yet.
    pub column: Column,
    /// Its type.
    pub ty: TypeRef,
    /// Whether `NULL` is written, which prevents implicit `NOT NULL`.
    pub null: bool,
    /// Its constraints, converted to table constraints.
    pub constraints: Vec<ConstraintDef>,
}

/// A constraint of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintDef {
    /// Its name, folded; `None` if the database generates one.
    pub name: Option<String>,
    /// The rule that it enforces.
    pub rule: Rule,
    /// When it is checked, if not immediately: `DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`.
    pub timing: Option<String>,
}

/// The rule that a constraint enforces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// PRIMARY KEY.
    PrimaryKey {
        /// Its keys in order.
        keys: Vec<IndexKey>,
        /// The columns of `INCLUDE`, which are stored but not searched.
        include: Vec<String>,
    },
    /// UNIQUE.
    Unique {
        /// Its keys in order.
        keys: Vec<IndexKey>,
        /// The columns of `INCLUDE`, which are stored but not searched.
        include: Vec<String>,
        /// `NULLS NOT DISTINCT`: two NULLs violate it.
        nulls_not_distinct: bool,
        /// Whether queries do not use its index: `INVISIBLE`, `IGNORED`.
        hidden: bool,
    },
    /// PRIMARY KEY or UNIQUE that adopts an existing index.
    UsingIndex {
        /// Whether it is the PRIMARY KEY.
        primary: bool,
        /// The index's name, folded.
        index: String,
    },
    /// FOREIGN KEY.
    ForeignKey {
        /// The referencing columns in order.
        columns: Vec<String>,
        /// The referenced table.
        table: Written,
        /// The referenced columns; empty if omitted.
        references: Vec<String>,
        /// `ON DELETE` in upper case; `None` for `NO ACTION`.
        on_delete: Option<String>,
        /// `ON UPDATE` in upper case; `None` for `NO ACTION`.
        on_update: Option<String>,
        /// `MATCH FULL`.
        full: bool,
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
    /// MySQL's `KEY` in a column list.
    Index(Box<IndexDef>),
}

/// An index as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexDef {
    /// Its name, folded; `None` if the database generates one.
    pub name: Option<String>,
    /// The access method, lower case.
    pub method: String,
    /// Whether no two rows may have the same keys.
    pub unique: bool,
    /// Its keys in order.
    pub keys: Vec<IndexKey>,
    /// The columns of `INCLUDE`, which are stored but not searched.
    pub include: Vec<String>,
    /// The predicate of a partial index, as SQL.
    pub predicate: Option<String>,
    /// `NULLS NOT DISTINCT`: two NULLs violate it.
    pub nulls_not_distinct: bool,
    /// `INVISIBLE` or `IGNORED`.
    pub hidden: bool,
}

/// `CREATE INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateIndex {
    /// The index, without its table and schema.
    pub index: IndexDef,
    /// The schema; SQLite puts it in front of the index's name.
    pub schema: Option<String>,
    /// The table or materialised view.
    pub table: Written,
    /// `IF NOT EXISTS`: an existing one is left as it is.
    pub if_not_exists: bool,
    /// MariaDB's `OR REPLACE`: an existing one is dropped.
    pub or_replace: bool,
    /// `ON ONLY`: without indexes on partitions.
    pub only: bool,
}

/// The parts of `CREATE TABLE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateTable {
    /// Its name as written, folded.
    pub name: Written,
    /// Its name as written, if that is not how it is compared.
    pub spelling: Option<String>,
    /// `TEMPORARY`: it exists for the session alone, and hides others of its name.
    pub temporary: bool,
    /// `IF NOT EXISTS`: an existing one is left as it is.
    pub if_not_exists: bool,
    /// MariaDB: `OR REPLACE`.
    pub or_replace: bool,
    /// Columns in order, mixed with `LIKE` clauses that add more.
    pub elements: Vec<Element>,
    /// Constraints of the table.
    pub constraints: Vec<ConstraintDef>,
    /// The tables of `INHERITS`, in order.
    pub inherits: Vec<Written>,
    /// `PARTITION OF`, with the bound.
    pub partition_of: Option<(Written, String)>,
    /// `PARTITION BY`: the method and the keys, as SQL; `None` if it is not partitioned.
    pub partition_by: Option<String>,
    /// The query of `CREATE TABLE … AS`.
    pub query: Option<String>,
    /// `OF`: the composite type with its columns.
    pub of_type: Option<Written>,
    /// SQLite: `WITHOUT ROWID`.
    pub without_rowid: bool,
    /// MariaDB's `WITH SYSTEM VERSIONING`.
    pub versioned: bool,
    /// SQLite: `STRICT`.
    pub strict: bool,
    /// How its rows are stored.
    pub options: TableOptions,
    /// Timescale: `WITH (tsdb.hypertable, ..)`, as written.
    pub hypertable: Option<String>,
    /// SQLite: the module of a virtual table, `fts5(a, b)`; its columns may follow from the arguments. PostgreSQL: the server
    /// of a foreign table.
    pub module: Option<String>,
}

/// An element of `CREATE TABLE` that defines columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A column with its type and inline constraints.
    Column(Box<ColumnDef>),
    /// `LIKE another_table`.
    Like {
        /// The other table.
        table: Written,
        /// What is copied in addition to names, types and NOT NULL.
        including: Including,
    },
    /// Only a name, as in `CREATE TABLE t (a, b) AS …` and a partition's `(a NOT NULL)`.
    Named(Box<Column>),
}

/// What `LIKE` copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Including {
    /// The defaults of columns.
    pub defaults: bool,
    /// Identities, each with a sequence of its own.
    pub identity: bool,
    /// Expressions of generated columns.
    pub generated: bool,
    /// CHECK constraints.
    pub constraints: bool,
    /// Indexes, including those of PRIMARY KEY and UNIQUE.
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
    /// Its name as written, folded.
    pub name: Written,
    /// Its name as written, if that is not how it is compared.
    pub spelling: Option<String>,
    /// `OR REPLACE`: an existing view gets the new query.
    pub or_replace: bool,
    /// `IF NOT EXISTS`: an existing one is left as it is.
    pub if_not_exists: bool,
    /// `TEMPORARY`: it exists for the session alone, and hides others of its name.
    pub temporary: bool,
    /// `MATERIALIZED`: its rows are stored, and it may have indexes.
    pub materialized: bool,
    /// The columns by name, if given.
    pub columns: Vec<Column>,
    /// The query as SQL.
    pub query: String,
}

/// `CREATE FUNCTION` and `CREATE PROCEDURE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateFunction {
    /// Its name as written, folded.
    pub name: Written,
    /// The statement.
    pub sql: String,
    /// Its body, if it is a string.
    pub body: Option<String>,
    /// The name and default of each parameter; empty where it has none.
    pub parameters: Vec<(String, String)>,
}

/// How long a setting lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingLifetime {
    /// `LOCAL`: until the end of the transaction.
    Transaction,
    /// Until the end of the session.
    Session,
    /// `ALTER DATABASE` and `ALTER ROLE`: in all future sessions.
    Sessions,
}

/// The effect of a statement on the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing that affects the model.
    Nothing,
    /// A trigger or rule on this table.
    Hook(Written, Hook),
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `ALTER` of a table, view, index or sequence, with its actions in order.
    Alter {
        /// The relation.
        name: Written,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
        /// `ONLY`: children and partitions are not affected.
        only: bool,
        /// What changes, in order.
        actions: Vec<Action>,
    },
    /// MySQL: `RENAME TABLE`, pair by pair.
    RenameTables(Vec<(Written, Written, Option<String>)>),
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
    /// `CREATE VIEW`.
    CreateView(Box<CreateView>),
    /// `CREATE SEQUENCE`.
    CreateSequence {
        /// Its name as written, folded.
        name: Written,
        /// `IF NOT EXISTS`: an existing one is left as it is.
        if_not_exists: bool,
        /// `TEMPORARY`: it exists for the session alone, and hides others of its name.
        temporary: bool,
        /// Its options as SQL.
        options: String,
    },
    /// `CREATE COLLATION`.
    CreateCollation {
        /// Its name as written, folded.
        name: Written,
        /// Its definition, as SQL.
        made_from: String,
    },
    /// `CREATE TYPE` and `CREATE DOMAIN`.
    CreateType {
        /// Its name as written, folded.
        name: Written,
        /// Its definition.
        ty: TypeDef,
    },
    /// `ALTER TYPE` and `ALTER DOMAIN`.
    AlterType {
        /// The type.
        name: Written,
        /// What changes, in order.
        actions: Vec<TypeAction>,
    },
    /// `SAVEPOINT`; without a name, `BEGIN`.
    Savepoint(String),
    /// `ROLLBACK TO SAVEPOINT`; without a name, `ROLLBACK`.
    RollbackTo(String),
    /// `CREATE SCHEMA`.
    CreateSchema {
        /// Its name, folded.
        name: String,
        /// `IF NOT EXISTS`: an existing one is left as it is.
        if_not_exists: bool,
        /// The statements that create its content.
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
    /// `SET search_path`; MySQL and SQLite have none. `None` resets it to the default.
    SetSearchPath {
        /// The schemas in order.
        path: Option<Vec<String>>,
        /// How long it lasts.
        scope: SettingLifetime,
    },
    /// `CREATE EXTENSION`.
    CreateExtension {
        /// Its name, folded.
        name: String,
        /// The schema for its objects, if given.
        schema: Option<String>,
    },
    /// `CREATE FUNCTION`.
    CreateFunction(Box<CreateFunction>),
    /// `ALTER FUNCTION .. RENAME TO`, `SET SCHEMA`: its name, its arguments if listed, and its new name or schema.
    AlterFunction(Written, Option<String>, Written),
    /// `ALTER FUNCTION .. STABLE` or `IMMUTABLE`.
    SteadyFunction(Written),
    /// `CREATE CAST`, `CREATE OPERATOR`, `CREATE OPERATOR CLASS`.
    CreateConversion(String),
    /// `DO`, with the text of the statement.
    Do(String),
    /// `SELECT f(…), g(…)` or `CALL f(…)` without a table: each function, with its arguments; they may run DDL.
    Calls(Vec<(Written, Vec<String>)>),
    /// SQLite: `PRAGMA legacy_alter_table`.
    LegacyAlter(bool),
    /// MySQL: `SET @name = …`, `SELECT … INTO @name`: each `@name`, and the expression for it; empty if unknown.
    SetVariables(Vec<(String, String)>),
    /// `COMMIT` and similar statements.
    EndTransaction,
    /// MySQL: `PREPARE`: the statement's name, and the string or variable that contains its text.
    Prepare(String, String),
    /// MySQL: `EXECUTE`, with the name of a prepared statement.
    ExecutePrepared(String),
    /// MySQL: `EXECUTE IMMEDIATE`, with the expression for its text.
    ExecuteText(String),
}
