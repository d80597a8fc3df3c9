//! A statement as the engine sees it: blocks, relations and conditions, with names resolved where possible.

mod block;
mod problem;
mod select;
mod write;

use std::sync::Arc;

use super::answers::Answers;
use super::expr::Expr;
use super::text::Span;
use crate::schema::Name;

pub use block::Block;
pub use problem::{Problem, ProblemKind};
pub use select::Select;
pub use write::{Action, Conflict, When, Write};

/// Identifies a block of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub(in crate::sql) u32);

impl BlockId {
    /// Its position among the blocks of its query.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Identifies a relation of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub(in crate::sql) u32);

impl RelationId {
    /// Its position among the relations of its query.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One statement with resolved names.
#[derive(Debug, Clone)]
pub struct Query {
    /// What the statement does.
    pub kind: Kind,
    /// The block whose rows the statement returns; for a write, the block of its target.
    pub root: Option<BlockId>,
    /// What the statement returns if it has no such block.
    pub answers: Answers,
    /// Every query expression: the statement itself, CTEs, derived tables, subqueries, arms of set operations.
    pub blocks: Vec<Block>,
    /// All relations named in a FROM, and the targets of writes.
    pub relations: Vec<Relation>,
    /// How many parameters the database expects.
    pub parameters: usize,
    /// Names that are unknown or ambiguous; lists of the wrong length.
    pub problems: Vec<Problem>,
    /// The modifiers of relations: ONLY, index hints, versions, samples, and the argument names of functions.
    pub asked: Vec<(RelationId, Asked)>,
    /// The part of the statement that was not analysed, as a fragment; `None` if all of it was.
    pub unchecked: Option<&'static str>,
    /// Whether it may contain `OVERRIDING SYSTEM VALUE`, which allows values for `GENERATED ALWAYS` identities.
    pub overriding: bool,
    /// Whether it may write an element of an array: `SET list[1] = 5`.
    pub subscripted: bool,
    /// Whether it writes a field of a composite column: `SET address.zip = '1'`.
    pub fielded: bool,
    /// Whether it may pass an array for several arguments: `f(VARIADIC list)`.
    pub spreads: bool,
}

impl Query {
    /// The block with this id.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The relation with this id.
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.relations[id.0 as usize]
    }

    /// Whether it reads the catalog of the database alone, `information_schema` or `pg_catalog`: that grows with the schema, not with the
    /// data.
    pub fn is_of_catalog(&self) -> bool {
        let is_catalog = |source: &Source| matches!(source, Source::Table(name) | Source::System(name) if name.is_of_catalog());
        let is_part = |source: &Source| match source {
            Source::Cte(_) | Source::Derived(_) => true,
            Source::Function(name, _) => matches!(name.as_str(), "generate_series" | "unnest"),
            source => is_catalog(source),
        };
        let sources = || self.relations.iter().map(|relation| &relation.source);
        self.kind == Kind::Select && sources().any(is_catalog) && sources().all(is_part)
    }

    /// Whether a table is read with ONLY, without tables that inherit from it.
    pub fn reads_only(&self, id: RelationId) -> bool {
        self.asked.iter().any(|(of, asked)| *of == id && *asked == Asked::Only)
    }

    /// Whether the last column of a function numbers its rows.
    pub fn numbers_rows(&self, id: RelationId) -> bool {
        self.asked.iter().any(|(of, asked)| *of == id && *asked == Asked::Ordinality)
    }

    /// Whether only a sample of a table's rows is read, which no index leads to.
    pub fn reads_sample(&self, id: RelationId) -> bool {
        self.asked.iter().any(|(of, asked)| *of == id && matches!(asked, Asked::Sample { .. }))
    }

    /// Whether the earlier versions of a table's rows are read as well, so that no key is unique.
    pub fn reads_versions(&self, id: RelationId) -> bool {
        self.asked.iter().any(|(of, asked)| *of == id && *asked == Asked::Versions)
    }

    /// Whether the statement allows the planner to use an index of a relation; the primary key is called
    /// `PRIMARY`. `all` are the indexes of its table: MySQL takes the beginning of a name that only one of them has.
    pub fn lets_use(&self, id: RelationId, index: &str, all: &[&str]) -> bool {
        let begins = |name: &str, index: &str| {
            index.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        let is_meant = |name: &String| {
            name.eq_ignore_ascii_case(index)
                || begins(name, index) && all.iter().filter(|other| begins(name, other)).count() == 1
        };
        let mut used: Option<bool> = None;
        for (_, asked) in self.asked.iter().filter(|(of, _)| *of == id) {
            let names = |indexes: &[String]| indexes.iter().any(is_meant);
            match asked {
                Asked::Only
                | Asked::Versions
                | Asked::Ordinality
                | Asked::Renamed(_)
                | Asked::Arguments(_)
                | Asked::Sample { .. } => {}
                Asked::Use(indexes) => used = Some(used.unwrap_or(false) || names(indexes)),
                Asked::Ignore(indexes) if names(indexes) => return false,
                Asked::Ignore(_) => {}
            }
        }
        used.unwrap_or(true)
    }

    /// Every block with its id, outermost first.
    pub fn block_ids(&self) -> impl Iterator<Item = (BlockId, &Block)> {
        (0..).map(BlockId).zip(&self.blocks)
    }

    /// The blocks that the user wrote, outermost first: not those expanded from views.
    pub fn written_blocks(&self) -> impl Iterator<Item = (BlockId, &Block)> {
        self.block_ids().filter(|(id, _)| !self.is_in_view(*id))
    }

    fn is_in_view(&self, id: BlockId) -> bool {
        self.around(id).any(|id| matches!(self.block(id).role, Role::View(_)))
    }

    /// A block and its ancestors, from the inside out.
    fn around(&self, id: BlockId) -> impl Iterator<Item = BlockId> {
        std::iter::successors(Some(id), |id| self.block(*id).parent)
    }

    /// Whether a block is `outer` or nested in it.
    pub fn is_within(&self, id: BlockId, outer: BlockId) -> bool {
        self.around(id).any(|id| id == outer)
    }

    /// Whether a block is in a subquery that is a value or a condition, within another block.
    pub fn is_in_value(&self, id: BlockId, outer: BlockId) -> bool {
        let is_value = |id: &BlockId| matches!(self.block(*id).role, Role::Scalar | Role::Exists | Role::In);
        self.around(id).take_while(|id| *id != outer).any(|id| is_value(&id))
    }

    /// All relations with their ids, in the order in which the query names them.
    pub fn relation_ids(&self) -> impl Iterator<Item = (RelationId, &Relation)> {
        (0..).map(RelationId).zip(&self.relations)
    }
}

/// A modifier that the statement writes on a relation.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// `ONLY t`: without tables that inherit from it.
    Only,
    /// `USE INDEX (..)`, `FORCE INDEX (..)`: only by one of these indexes.
    Use(Vec<String>),
    /// `IGNORE INDEX (..)`: by none of these indexes.
    Ignore(Vec<String>),
    /// The names of the first columns of a function whose columns are unknown: `f() AS t(a, b)`.
    Renamed(Vec<String>),
    /// The names of the arguments of a function: `f(a => 1)`.
    Arguments(Vec<Option<String>>),
    /// MariaDB's `FOR SYSTEM_TIME ALL`: the earlier versions of its rows as well.
    Versions,
    /// `WITH ORDINALITY`: its last column numbers its rows.
    Ordinality,
    /// `TABLESAMPLE method (size)`: only some of its rows.
    Sample {
        /// How many, or which percentage.
        size: Expr,
        /// The type that the method expects.
        ty: &'static str,
    },
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Returns rows: SELECT, VALUES, TABLE.
    Select,
    /// INSERT or REPLACE.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
    /// BEGIN, COMMIT, SAVEPOINT and the like.
    Transaction,
    /// Anything else: DDL, SET, CALL, EXPLAIN. Its own result rows are not counted.
    Other,
}

/// What a block is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The statement itself.
    Statement,
    /// A common table expression.
    Cte {
        /// Its name.
        name: String,
        /// Whether it refers to itself.
        recursive: bool,
        /// `MATERIALIZED` or `NOT MATERIALIZED`, where written.
        materialized: Option<bool>,
        /// How often it is referenced.
        uses: usize,
    },
    /// A derived table in FROM.
    Derived,
    /// The query of a view named in FROM.
    View(Name),
    /// A scalar subquery: `(SELECT ..)`.
    Scalar,
    /// `EXISTS (..)`.
    Exists,
    /// `IN (..)`, `= ANY (..)`.
    In,
    /// An arm of UNION, INTERSECT or EXCEPT.
    Arm,
    /// The rows of an INSERT.
    Source,
}

/// What produces the rows of a block.
#[derive(Debug, Clone)]
pub enum Body {
    /// SELECT.
    Select(Box<Select>),
    /// UNION, INTERSECT, EXCEPT.
    Set {
        /// Which set operation.
        op: SetOp,
        /// Whether duplicates are kept (`ALL`).
        all: bool,
        /// The left arm.
        left: BlockId,
        /// The right arm.
        right: BlockId,
    },
    /// The rows of VALUES.
    Values(Vec<Vec<Expr>>),
    /// INSERT, UPDATE, DELETE or MERGE.
    Write(Box<Write>),
    /// A construct that is not understood.
    Unknown,
}

/// UNION, INTERSECT or EXCEPT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// UNION.
    Union,
    /// INTERSECT.
    Intersect,
    /// EXCEPT.
    Except,
}

/// A FROM item.
#[derive(Debug, Clone)]
pub enum From {
    /// A table, derived table or function.
    Relation(RelationId),
    /// Two items joined.
    Join {
        /// The kind of join.
        kind: JoinKind,
        /// The left item.
        left: Box<From>,
        /// The right item.
        right: Box<From>,
        /// The condition; USING and NATURAL are expanded to equalities.
        on: Option<Expr>,
    },
}

impl From {
    /// Appends the conditions of the item's joins.
    pub(in crate::sql) fn conditions<'f>(&'f self, conditions: &mut Vec<&'f Expr>) {
        if let From::Join { left, right, on, .. } = self {
            left.conditions(conditions);
            right.conditions(conditions);
            conditions.extend(on.iter().flat_map(Expr::conjuncts));
        }
    }

    /// The relations of the item, left to right.
    pub fn relations(&self) -> Vec<RelationId> {
        match self {
            From::Relation(id) => vec![*id],
            From::Join { left, right, .. } => {
                let mut all = left.relations();
                all.extend(right.relations());
                all
            }
        }
    }
}

/// How two items are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// `JOIN`.
    Inner,
    /// `LEFT JOIN`.
    Left,
    /// `RIGHT JOIN`.
    Right,
    /// `FULL JOIN`.
    Full,
    /// `CROSS JOIN`, or a comma.
    Cross,
    /// MySQL's `STRAIGHT_JOIN` and SQLite's `CROSS JOIN`: an inner join whose left item is read first.
    Straight,
}

/// A source of rows.
#[derive(Debug, Clone)]
pub struct Relation {
    /// The block whose FROM names it.
    pub block: BlockId,
    /// Its alias, else its name.
    pub alias: String,
    /// What it is.
    pub source: Source,
    /// Its columns; `None` if unknown.
    pub columns: Option<Arc<[RelationColumn]>>,
    /// Whether it may refer to preceding items of the same FROM.
    pub lateral: bool,
    /// The query that the planner substitutes for a function call.
    pub inlined: Option<BlockId>,
    /// Its position in the SQL.
    pub span: Option<Span>,
}

/// What a relation is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A table or materialised view of the schema, or one missing from it: without a schema, in another
    /// database, or nonexistent.
    Table(Name),
    /// A table that every database has (`pg_catalog.pg_class`), or a sequence.
    System(Name),
    /// A view; its query is a block.
    View(Name, BlockId),
    /// A common table expression.
    Cte(BlockId),
    /// A derived table.
    Derived(BlockId),
    /// A function that returns rows, with its arguments.
    Function(String, Vec<Expr>),
    /// The row proposed by an INSERT (`EXCLUDED`), or a trigger's row.
    Pseudo,
    /// Rows from no table of the schema: those of an aliased join, or of a construct that is not understood.
    Unknown,
}

/// Up to this many columns of a relation are searched one by one.
pub(crate) const FEW_COLUMNS: usize = 64;

/// A column that a relation provides to the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    /// Its folded name.
    pub name: String,
    /// The name that results give it, if that is not the folded one.
    pub spelling: Option<String>,
    /// Its type as printed by the database; empty if unknown.
    pub ty: String,
}

impl RelationColumn {
    /// A column whose name is shown as it is folded.
    pub fn new(name: String, ty: String) -> RelationColumn {
        RelationColumn { name, spelling: None, ty }
    }
}

/// A key of ORDER BY, with its direction.
#[derive(Debug, Clone)]
pub struct OrderKey {
    /// The sort key, with output names and numbers replaced by their expressions.
    pub expr: Expr,
    /// Whether the order is descending.
    pub desc: bool,
    /// NULLS FIRST or LAST, if written.
    pub nulls_first: Option<bool>,
}

/// A column that a block returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The name that the database gives it.
    pub name: String,
    /// Its value, in the block's own terms.
    pub expr: Expr,
    /// Its type if evident; empty if unknown.
    pub ty: String,
}
