//! The actions of `ALTER` on a table or a type, and the definitions of types, as data.

use std::collections::BTreeMap;

use super::change::{ColumnDef, ConstraintDef, TypeRef, Written};
use super::identity::SequenceOptions;
use super::options::Charset;
use crate::schema::model::UserType;

/// One action of `ALTER TABLE` or a similar statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `ADD COLUMN`.
    AddColumn {
        /// The new column, with its inline constraints.
        column: Box<ColumnDef>,
        /// `IF NOT EXISTS`: an existing one is left as it is.
        if_not_exists: bool,
        /// MySQL: where it goes.
        position: Position,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column's name, folded as the database compares it.
        column: String,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
        /// `CASCADE`: its dependents are dropped too, instead of the statement being refused.
        cascade: bool,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
        /// The new name as written, if that is not how it is compared.
        spelling: Option<String>,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
    },
    /// MySQL: `MODIFY` and `CHANGE`.
    ChangeColumn {
        /// The old name.
        from: String,
        /// The new definition of the column.
        column: Box<ColumnDef>,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
        /// Its new position.
        position: Position,
    },
    /// `ALTER COLUMN … TYPE`.
    SetType {
        /// The column's name, folded as the database compares it.
        column: String,
        /// The new type.
        ty: TypeRef,
        /// The new collation; `None` if not written.
        collation: Option<String>,
    },
    /// `SET NOT NULL` and `DROP NOT NULL`.
    SetNotNull {
        /// The column's name, folded as the database compares it.
        column: String,
        /// Whether NULL is rejected from now on.
        not_null: bool,
    },
    /// `SET DEFAULT` and `DROP DEFAULT`.
    SetDefault {
        /// The column's name, folded as the database compares it.
        column: String,
        /// The new default; `None` to drop it.
        default: Option<String>,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
    },
    /// `ADD GENERATED … AS IDENTITY` and `DROP IDENTITY`.
    SetIdentity {
        /// The column's name, folded as the database compares it.
        column: String,
        /// Whether it is an identity from now on.
        identity: bool,
        /// `ALWAYS`: explicit values are rejected.
        always: bool,
        /// The options of its sequence, as SQL, if they change.
        numbering: Option<Option<String>>,
    },
    /// `SET GENERATED …`, and `SET` with an option of an identity's sequence.
    ChangeIdentity {
        /// The column's name, folded as the database compares it.
        column: String,
        /// Whether explicit values are rejected from now on, if that changes.
        always: Option<bool>,
        /// The options that change.
        options: SequenceOptions,
    },
    /// `ALTER SEQUENCE` with options.
    SetSequence(SequenceOptions),
    /// `DROP EXPRESSION`: the column is no longer generated.
    DropExpression {
        /// The column's name, folded as the database compares it.
        column: String,
    },
    /// `SET EXPRESSION AS`.
    SetExpression {
        /// The column's name, folded as the database compares it.
        column: String,
        /// The new expression, as SQL.
        expression: String,
    },
    /// `SET LOGGED` and `SET UNLOGGED`.
    SetLogged(bool),
    /// `SET (..)`: storage parameters by name.
    SetStorage(BTreeMap<String, String>),
    /// `RESET (..)`: the names of storage parameters.
    ResetStorage(Vec<String>),
    /// `VALIDATE CONSTRAINT`.
    Validate(String),
    /// `ALTER CONSTRAINT`.
    SetTiming {
        /// The constraint's name, folded.
        name: String,
        /// When it is checked, if not immediately.
        timing: Option<String>,
    },
    /// MySQL: `DEFAULT CHARSET`, or `CONVERT TO CHARACTER SET`.
    SetCharset {
        /// The new default.
        charset: Charset,
        /// Whether the columns get it, too.
        convert: bool,
    },
    /// `ADD CONSTRAINT` and MySQL's `ADD INDEX`.
    AddConstraint(ConstraintDef),
    /// MariaDB's `ADD SYSTEM VERSIONING`, or `DROP`.
    Version(bool),
    /// `DROP CONSTRAINT`, and MySQL's `DROP CHECK` and `DROP FOREIGN KEY`.
    DropConstraint {
        /// The constraint's name, folded.
        name: String,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
        /// `CASCADE`: its dependents are dropped too, instead of the statement being refused.
        cascade: bool,
    },
    /// MySQL: `DROP PRIMARY KEY`.
    DropPrimaryKey,
    /// MySQL: `DROP INDEX`.
    DropIndex {
        /// The index's name, folded.
        name: String,
        /// `IF EXISTS`: nothing happens if there is none.
        if_exists: bool,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// MySQL: changes the visibility of an index to queries.
    SetHidden {
        /// The index's name, folded.
        name: String,
        /// Whether queries do not use it from now on.
        hidden: bool,
    },
    /// MySQL: `RENAME INDEX`.
    RenameIndex {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// `RENAME TO`; in MySQL, possibly with a schema.
    Rename {
        /// The new name.
        to: Written,
        /// The new name as written, if that is not how it is compared.
        spelling: Option<String>,
    },
    /// `SET SCHEMA`, with the new schema.
    SetSchema(String),
    /// `ATTACH PARTITION`, with the bound; `None` for an index.
    Attach {
        /// The table, or index, that becomes a partition.
        partition: Written,
        /// `FOR VALUES ..` or `DEFAULT`, as SQL; `None` for an index.
        bound: Option<String>,
    },
    /// A sequence's `OWNED BY`, as the column's table; `None` for `NONE`.
    OwnedBy(Option<Written>),
    /// `DETACH PARTITION`.
    Detach(Written),
    /// `INHERIT` and `NO INHERIT`.
    Inherit {
        /// The table to inherit from, as written.
        parent: Written,
        /// Whether it inherits from now on.
        inherit: bool,
    },
}

/// The position of a column, in MySQL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Position {
    /// Unchanged, or last.
    #[default]
    Unchanged,
    /// Before all other columns: `FIRST`.
    First,
    /// `AFTER column`.
    After(String),
}

/// One action of `ALTER TYPE` or `ALTER DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeAction {
    /// `ADD VALUE`: a label of an enum.
    AddValue {
        /// The label.
        value: String,
        /// `IF NOT EXISTS`: an existing one is left as it is.
        if_not_exists: bool,
        /// The label that it precedes, or with `true`, follows.
        neighbour: Option<(String, bool)>,
    },
    /// `RENAME VALUE`: a label of an enum.
    RenameValue {
        /// The old label.
        from: String,
        /// The new label.
        to: String,
    },
    /// `RENAME TO`, with the new name.
    Rename(String),
    /// `SET SCHEMA`, with the new schema.
    SetSchema(String),
    /// `ADD ATTRIBUTE` of a composite type.
    AddAttribute(Box<ColumnDef>),
    /// `DROP ATTRIBUTE`, with the attribute's name.
    DropAttribute(String),
    /// `ALTER ATTRIBUTE … TYPE`.
    SetAttributeType(String, TypeRef),
    /// `RENAME ATTRIBUTE`: the old and the new name.
    RenameAttribute(String, String),
    /// A domain's `SET NOT NULL` and `DROP NOT NULL`.
    SetNotNull(bool),
    /// A domain's `SET DEFAULT` and `DROP DEFAULT`.
    SetDefault(Option<String>),
    /// A domain's `ADD CONSTRAINT … CHECK`.
    AddCheck {
        /// Its name, folded; `None` if the database generates one.
        name: Option<String>,
        /// Its condition, as SQL.
        condition: String,
    },
    /// A domain's `DROP CONSTRAINT`.
    DropConstraint(String),
    /// A domain's `RENAME CONSTRAINT`.
    RenameConstraint(String, String),
}

/// A type as defined by `CREATE TYPE` or `CREATE DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeDef {
    /// Fully defined by the statement.
    Known(UserType),
    /// A domain, whose base may be a user-defined type.
    Domain {
        /// The base type.
        base: TypeRef,
        /// Whether NULL is rejected.
        not_null: bool,
        /// The default, as SQL.
        default: Option<String>,
        /// Its CHECK conditions, each with its name if given.
        checks: Vec<(Option<String>, String)>,
        /// The collation, if given.
        collation: Option<String>,
    },
    /// A composite type.
    Composite(Vec<ColumnDef>),
}
