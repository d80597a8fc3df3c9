//! A statement as the engine sees it: blocks, relations and conditions, with every name resolved as far as it can be.

mod problem;
mod write;

use std::sync::Arc;

use super::expr::Expr;
use super::text::Span;
use crate::schema::Name;

pub use problem::{Problem, ProblemKind};
pub use write::{Action, Conflict, When, Write};

/// Which block of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub(in crate::sql) u32);

impl BlockId {
    /// Its place among the blocks of its query.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which relation of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub(in crate::sql) u32);

impl RelationId {
    /// Its place among the relations of its query.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One statement with its names resolved.
#[derive(Debug, Clone)]
pub struct Query {
    /// What the statement does.
    pub kind: Kind,
    /// The block whose rows the statement returns; for a write, the block of its target.
    pub root: Option<BlockId>,
    /// Every query expression: the statement itself, CTEs, derived tables, subqueries, arms of set operations.
    pub blocks: Vec<Block>,
    /// Every relation that is named in a FROM, and the targets of writes.
    pub relations: Vec<Relation>,
    /// How many parameters the database asks for.
    pub parameters: usize,
    /// Names that do not exist, or exist more than once; lists that do not fit each other.
    pub problems: Vec<Problem>,
    /// How relations are asked to be read, where the statement says so.
    pub asked: Vec<(RelationId, Asked)>,
    /// What of the statement could not be looked into, as a fragment; `None` when all of it was.
    pub unchecked: Option<&'static str>,
}

impl Query {
    /// The block of an id.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The relation of an id.
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.relations[id.0 as usize]
    }

    /// Whether a table is read without those that inherit from it.
    pub fn reads_only(&self, id: RelationId) -> bool {
        self.asked.iter().any(|(of, asked)| *of == id && *asked == Asked::Only)
    }

    /// Whether the statement lets a planner use an index of a relation; a primary key goes by `PRIMARY`.
    pub fn lets_use(&self, id: RelationId, index: &str) -> bool {
        let mut used: Option<bool> = None;
        for (_, asked) in self.asked.iter().filter(|(of, _)| *of == id) {
            let names = |indexes: &[String]| indexes.iter().any(|name| name.eq_ignore_ascii_case(index));
            match asked {
                Asked::Only => {}
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

    /// The blocks that the user wrote, outermost first: not those of views, which are expanded from the schema.
    pub fn written_blocks(&self) -> impl Iterator<Item = (BlockId, &Block)> {
        self.block_ids().filter(|(id, _)| !self.is_in_view(*id))
    }

    fn is_in_view(&self, id: BlockId) -> bool {
        self.around(id).any(|id| matches!(self.block(id).role, Role::View(_)))
    }

    /// A block and those that it stands in, from the inside out.
    fn around(&self, id: BlockId) -> impl Iterator<Item = BlockId> {
        std::iter::successors(Some(id), |id| self.block(*id).parent)
    }

    /// Whether a block is another one or stands in it.
    pub fn is_within(&self, id: BlockId, outer: BlockId) -> bool {
        self.around(id).any(|id| id == outer)
    }

    /// Every relation with its id, in the order in which they are named.
    pub fn relation_ids(&self) -> impl Iterator<Item = (RelationId, &Relation)> {
        (0..).map(RelationId).zip(&self.relations)
    }
}

/// How a relation is asked to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// `ONLY t`: without the tables that inherit from it.
    Only,
    /// `USE INDEX (..)`, `FORCE INDEX (..)`: by no other index than these.
    Use(Vec<String>),
    /// `IGNORE INDEX (..)`: by none of these.
    Ignore(Vec<String>),
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
    /// BEGIN, COMMIT, SAVEPOINT and their like.
    Transaction,
    /// Anything else: DDL, SET, CALL, EXPLAIN; it returns no rows of its own that are counted.
    Other,
}

/// A query expression: what is read, from where, under which conditions.
#[derive(Debug, Clone)]
pub struct Block {
    /// The block around it.
    pub parent: Option<BlockId>,
    /// What it is used for.
    pub role: Role,
    /// Whether an expression in it names a column of a block around it.
    pub correlated: bool,
    /// What produces its rows.
    pub body: Body,
    /// Its ORDER BY.
    pub order_by: Vec<OrderKey>,
    /// Its LIMIT or FETCH FIRST.
    pub limit: Option<Expr>,
    /// Its OFFSET.
    pub offset: Option<Expr>,
    /// Where LIMIT stands; with `offset_span`, for messages.
    pub limit_span: Option<Span>,
    /// Whether it locks its rows (`FOR UPDATE`).
    pub locks: bool,
    /// Its columns; `None` when they are not known.
    pub outputs: Option<Vec<Output>>,
}

impl Block {
    /// Its FROM, one tree for each element of the list.
    pub fn from(&self) -> &[From] {
        match &self.body {
            Body::Select(select) => &select.from,
            Body::Write(write) => &write.from,
            Body::Set { .. } | Body::Values(_) | Body::Unknown => &[],
        }
    }

    /// The conditions of its WHERE, all of which hold for each row.
    pub fn filters(&self) -> &[Expr] {
        let filter = match &self.body {
            Body::Select(select) => select.filter.as_ref(),
            Body::Write(write) => write.filter.as_ref(),
            Body::Set { .. } | Body::Values(_) | Body::Unknown => None,
        };
        filter.map_or(&[], Expr::conjuncts)
    }

    /// The conditions of its WHERE and of its joins.
    pub fn conditions(&self) -> Vec<&Expr> {
        let mut conditions: Vec<&Expr> = self.filters().iter().collect();
        for item in self.from() {
            item.conditions(&mut conditions);
        }
        conditions
    }
}

/// What a block is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It is the statement.
    Statement,
    /// A common table expression.
    Cte {
        /// Its name.
        name: String,
        /// Whether it refers to itself.
        recursive: bool,
        /// `MATERIALIZED` or `NOT MATERIALIZED`, where written.
        materialized: Option<bool>,
        /// How often it is referred to.
        uses: usize,
    },
    /// A table in FROM.
    Derived,
    /// The query of a view that is named in FROM.
    View(Name),
    /// A value: `(SELECT ..)`.
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
        /// Which of them.
        op: SetOp,
        /// Whether equal rows are kept (`ALL`).
        all: bool,
        /// The left arm.
        left: BlockId,
        /// The right arm.
        right: BlockId,
    },
    /// VALUES with its rows.
    Values(Vec<Vec<Expr>>),
    /// INSERT, UPDATE, DELETE or MERGE.
    Write(Box<Write>),
    /// Something that is not understood.
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

/// A SELECT.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Its FROM, one tree for each element of the list.
    pub from: Vec<From>,
    /// Its WHERE.
    pub filter: Option<Expr>,
    /// What it returns.
    pub projection: Vec<Expr>,
    /// Whether `*` or `t.*` is written.
    pub star: Option<Span>,
    /// DISTINCT: empty expressions for a plain one, those of `DISTINCT ON (..)` otherwise.
    pub distinct: Option<Vec<Expr>>,
    /// Its GROUP BY.
    pub group_by: Vec<Expr>,
    /// Whether it groups several times over: ROLLUP, CUBE, GROUPING SETS.
    pub grouping_sets: bool,
    /// Whether an aggregate is called in it, so that without GROUP BY it returns one row.
    pub aggregates: bool,
    /// Whether a set-returning function is called in its projection.
    pub set_returning: bool,
    /// Its HAVING.
    pub having: Option<Expr>,
}

/// A FROM item.
#[derive(Debug, Clone)]
pub enum From {
    /// A table, derived table or function.
    Relation(RelationId),
    /// Two items joined.
    Join {
        /// How.
        kind: JoinKind,
        /// The left item.
        left: Box<From>,
        /// The right item.
        right: Box<From>,
        /// The condition; USING and NATURAL are written out as equalities.
        on: Option<Expr>,
    },
}

impl From {
    /// Adds the conditions of the item's joins.
    fn conditions<'f>(&'f self, conditions: &mut Vec<&'f Expr>) {
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
}

/// Something rows are read from.
#[derive(Debug, Clone)]
pub struct Relation {
    /// The block whose FROM names it.
    pub block: BlockId,
    /// The name it goes by: its alias, else its own.
    pub alias: String,
    /// What it is.
    pub source: Source,
    /// Its columns; `None` when they are not known.
    pub columns: Option<Arc<[RelationColumn]>>,
    /// Whether it may refer to items before it in the same FROM.
    pub lateral: bool,
    /// The query that a planner writes in the place of a function's call.
    pub inlined: Option<BlockId>,
    /// Where it is named in the SQL.
    pub span: Option<Span>,
}

/// What a relation is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A table or materialised view of the schema, or a table that the schema lacks: without a schema, in another database, or not to be found.
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
    /// The row that an INSERT proposed (`EXCLUDED`), or a trigger's row.
    Pseudo,
    /// Rows that no table of the schema gives: those of an aliased join, of a construct that is not understood.
    Unknown,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    /// Its folded name.
    pub name: String,
    /// Its type as the database prints it; empty when unknown.
    pub ty: String,
}

/// A key of ORDER BY.
#[derive(Debug, Clone)]
pub struct OrderKey {
    /// What is ordered by, output names and numbers replaced by what they stand for.
    pub expr: Expr,
    /// Whether the order is descending.
    pub desc: bool,
    /// NULLS FIRST or LAST where written.
    pub nulls_first: Option<bool>,
}

/// A column that a block returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The name the database gives it.
    pub name: String,
    /// Its value, in the block's own terms.
    pub expr: Expr,
    /// Its type where it is plain to see; empty when unknown.
    pub ty: String,
}
