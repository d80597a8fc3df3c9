//! What `ALTER` does to a table or a type, and what a type is made of, as data.

use super::change::{ColumnDef, ConstraintDef, TypeRef, Written};
use crate::schema::model::UserType;

/// One action of `ALTER TABLE` and its like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `ADD COLUMN`.
    AddColumn {
        /// The column.
        column: Box<ColumnDef>,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// MySQL: where it goes.
        position: Position,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        column: String,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// MySQL: `MODIFY` and `CHANGE`.
    ChangeColumn {
        /// The old name.
        from: String,
        /// The column as it becomes.
        column: Box<ColumnDef>,
        /// Where it goes.
        position: Position,
    },
    /// `ALTER COLUMN … TYPE`.
    SetType {
        /// The column.
        column: String,
        /// The new type.
        ty: TypeRef,
        /// The new collation.
        collation: Option<String>,
    },
    /// `SET NOT NULL` and `DROP NOT NULL`.
    SetNotNull {
        /// The column.
        column: String,
        /// Whether NULL is refused from now on.
        not_null: bool,
    },
    /// `SET DEFAULT` and `DROP DEFAULT`.
    SetDefault {
        /// The column.
        column: String,
        /// The new default.
        default: Option<String>,
    },
    /// `ADD GENERATED … AS IDENTITY` and `DROP IDENTITY`.
    SetIdentity {
        /// The column.
        column: String,
        /// Whether it is one from now on.
        identity: bool,
        /// `ALWAYS`.
        always: bool,
    },
    /// `DROP EXPRESSION`: the column is generated no more.
    DropExpression {
        /// The column.
        column: String,
    },
    /// `SET EXPRESSION AS`.
    SetExpression {
        /// The column.
        column: String,
        /// The new expression.
        expression: String,
    },
    /// `ADD CONSTRAINT` and MySQL's `ADD INDEX`.
    AddConstraint(ConstraintDef),
    /// `DROP CONSTRAINT`, and MySQL's `DROP CHECK` and `DROP FOREIGN KEY`.
    DropConstraint {
        /// The constraint.
        name: String,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// MySQL: `DROP PRIMARY KEY`.
    DropPrimaryKey,
    /// MySQL: `DROP INDEX`.
    DropIndex {
        /// The index.
        name: String,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// MySQL: whether queries may read an index from now on.
    SetHidden {
        /// The index.
        name: String,
        /// Whether they may not.
        hidden: bool,
    },
    /// MySQL: `RENAME INDEX`.
    RenameIndex {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// `RENAME TO`; MySQL may name a schema.
    Rename(Written),
    /// `SET SCHEMA`.
    SetSchema(String),
    /// `ATTACH PARTITION`, with the bound; `None` for an index's.
    Attach {
        /// The partition.
        partition: Written,
        /// The bound.
        bound: Option<String>,
    },
    /// A sequence's `OWNED BY`, with the column's table; `None` for `NONE`.
    OwnedBy(Option<Written>),
    /// `DETACH PARTITION`.
    Detach(Written),
    /// `INHERIT` and `NO INHERIT`.
    Inherit {
        /// The parent.
        parent: Written,
        /// Whether it inherits from now on.
        inherit: bool,
    },
}

/// Where MySQL puts a column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Position {
    /// Where it was, or last.
    #[default]
    Unchanged,
    /// `FIRST`.
    First,
    /// `AFTER column`.
    After(String),
}

/// One action of `ALTER TYPE` or `ALTER DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeAction {
    /// `ADD VALUE`.
    AddValue {
        /// The label.
        value: String,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// The label it goes before, or (with true) after.
        neighbour: Option<(String, bool)>,
    },
    /// `RENAME VALUE`.
    RenameValue {
        /// The old label.
        from: String,
        /// The new label.
        to: String,
    },
    /// `RENAME TO`.
    Rename(String),
    /// `SET SCHEMA`.
    SetSchema(String),
    /// `ADD ATTRIBUTE`.
    AddAttribute(Box<ColumnDef>),
    /// `DROP ATTRIBUTE`.
    DropAttribute(String),
    /// `ALTER ATTRIBUTE … TYPE`.
    SetAttributeType(String, TypeRef),
    /// `RENAME ATTRIBUTE`.
    RenameAttribute(String, String),
    /// A domain's `SET NOT NULL` and `DROP NOT NULL`.
    SetNotNull(bool),
    /// A domain's `SET DEFAULT` and `DROP DEFAULT`.
    SetDefault(Option<String>),
    /// A domain's `ADD CONSTRAINT … CHECK`.
    AddCheck {
        /// Its name.
        name: Option<String>,
        /// Its condition.
        condition: String,
    },
    /// A domain's `DROP CONSTRAINT`.
    DropConstraint(String),
}

/// A type as written in `CREATE TYPE` and `CREATE DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeDef {
    /// Known from the statement alone.
    Known(UserType),
    /// A domain, whose base may be another user's type.
    Domain {
        /// The type underneath.
        base: TypeRef,
        /// Whether NULL is refused.
        not_null: bool,
        /// The default, as SQL.
        default: Option<String>,
        /// Its CHECK conditions, each with its name where one is written.
        checks: Vec<(Option<String>, String)>,
    },
    /// A composite type.
    Composite(Vec<ColumnDef>),
}
