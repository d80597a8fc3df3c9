//! Expressions with their names resolved, free of the parser's types.

mod display;
mod walk;

use super::query::{BlockId, RelationId};
use super::text::Span;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A column.
    Column(ColumnRef),
    /// The whole row of a relation: `SELECT t FROM t`, `t.*` inside an expression.
    WholeRow(RelationId),
    /// A bound parameter, by its number counted from 1.
    Parameter(usize),
    /// A constant.
    Literal(Literal),
    /// A function call: aggregate, window or scalar.
    Call(Call),
    /// `expr::ty`, `CAST(expr AS ty)`, `ty 'text'`.
    Cast {
        /// What is cast.
        expr: Box<Expr>,
        /// The type as written, lower case.
        ty: String,
    },
    /// `expr COLLATE name`.
    Collate {
        /// What is compared by the collation.
        expr: Box<Expr>,
        /// The collation's name.
        collation: String,
    },
    /// Conditions that all have to hold; never nested directly in another `And`.
    And(Vec<Expr>),
    /// Conditions of which one has to hold; never nested directly in another `Or`.
    Or(Vec<Expr>),
    /// `NOT expr`.
    Not(Box<Expr>),
    /// `-expr`, `~expr` and the like.
    Unary {
        /// The operator as written.
        op: String,
        /// Its operand.
        expr: Box<Expr>,
    },
    /// Any infix operator besides AND and OR.
    Binary {
        /// The operator.
        op: Op,
        /// Its left side.
        left: Box<Expr>,
        /// Its right side.
        right: Box<Expr>,
    },
    /// `expr IS [NOT] NULL | TRUE | FALSE | UNKNOWN`.
    Is {
        /// What is tested.
        expr: Box<Expr>,
        /// What it is tested for.
        test: Test,
        /// Whether the test is negated.
        negated: bool,
    },
    /// `expr [NOT] IN (a, b)`.
    InList {
        /// What is looked for.
        expr: Box<Expr>,
        /// The list.
        list: Vec<Expr>,
        /// `NOT IN`.
        negated: bool,
    },
    /// `expr [NOT] IN (SELECT ..)`, and `expr op ANY (SELECT ..)`.
    InQuery {
        /// What is looked for.
        expr: Box<Expr>,
        /// The query whose rows are searched.
        query: BlockId,
        /// The comparison; `Op::Eq` for IN.
        op: Op,
        /// `NOT IN`, or `ALL`.
        negated: bool,
    },
    /// `left op ANY (array)`, or `ALL`.
    Any {
        /// The left side.
        left: Box<Expr>,
        /// The comparison.
        op: Op,
        /// The array.
        right: Box<Expr>,
        /// `ALL` rather than `ANY`.
        all: bool,
    },
    /// `expr [NOT] BETWEEN low AND high`.
    Between {
        /// What is compared.
        expr: Box<Expr>,
        /// The lower end, included.
        low: Box<Expr>,
        /// The upper end, included.
        high: Box<Expr>,
        /// `NOT BETWEEN`.
        negated: bool,
    },
    /// A pattern match.
    Like {
        /// What is matched.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// Which kind of pattern.
        kind: LikeKind,
        /// Whether the match is negated.
        negated: bool,
    },
    /// `[NOT] EXISTS (SELECT ..)`.
    Exists {
        /// The query.
        query: BlockId,
        /// `NOT EXISTS`.
        negated: bool,
    },
    /// `(SELECT ..)` as a value.
    Subquery(BlockId),
    /// `ARRAY(SELECT ..)`.
    ArrayQuery(BlockId),
    /// `(a, b)` or `ROW(a, b)`.
    Row(Vec<Expr>),
    /// `ARRAY[a, b]`.
    Array(Vec<Expr>),
    /// `CASE`.
    Case {
        /// `CASE operand WHEN ..`.
        operand: Option<Box<Expr>>,
        /// Pairs of condition and result.
        arms: Vec<(Expr, Expr)>,
        /// `ELSE`.
        otherwise: Option<Box<Expr>>,
    },
    /// `expr[i]`, `(expr).field`.
    Access {
        /// What is looked into.
        expr: Box<Expr>,
        /// The field's name, or `None` for a subscript.
        field: Option<String>,
        /// The subscripts' expressions.
        subscripts: Vec<Expr>,
    },
    /// Anything else, with the expressions inside it.
    Other {
        /// A name for messages and comparison: `extract(epoch)`, `interval`.
        what: String,
        /// The expressions inside it.
        parts: Vec<Expr>,
    },
}

/// A column as a query mentions it.
#[derive(Debug, Clone)]
pub struct ColumnRef {
    /// The relation it comes from; `None` when that is not known.
    pub relation: Option<RelationId>,
    /// Its folded name.
    pub name: String,
    /// Where it stands in the SQL; `None` for columns made up from `USING`, `*` or a view.
    pub span: Option<Span>,
}

/// Two mentions of the same column are equal wherever they stand.
impl PartialEq for ColumnRef {
    fn eq(&self, other: &Self) -> bool {
        self.relation == other.relation && self.name == other.name
    }
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `TRUE`, `FALSE`.
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A string.
    Text(String),
    /// Any other, as written: bit strings, blobs.
    Other(String),
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function's name, folded, without its schema.
    pub name: String,
    /// Its arguments; `count(*)` has none.
    pub args: Vec<Expr>,
    /// The names of arguments that are given by name, in the order of `args`; empty when none is.
    pub names: Vec<Option<String>>,
    /// `DISTINCT` among the arguments.
    pub distinct: bool,
    /// Whether it is called over a window.
    pub window: bool,
    /// `PARTITION BY`, `FILTER`, `ORDER BY`, `WITHIN GROUP`: expressions that are read but are no arguments.
    pub modifiers: Vec<Expr>,
    /// How many of the modifiers, the first ones, are what its window is partitioned by.
    pub partitioned_by: usize,
    /// Where its name stands in the SQL.
    pub span: Option<Span>,
}

impl Call {
    /// What its window is partitioned by.
    pub fn partitions(&self) -> &[Expr] {
        self.modifiers.get(..self.partitioned_by).unwrap_or_default()
    }
}

/// An infix operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `=`.
    Eq,
    /// `<>`.
    NotEq,
    /// `<`.
    Lt,
    /// `<=`.
    LtEq,
    /// `>`.
    Gt,
    /// `>=`.
    GtEq,
    /// `IS NOT DISTINCT FROM`, MySQL's `<=>`, SQLite's `IS`.
    Same,
    /// `IS DISTINCT FROM`.
    NotSame,
    /// `||`.
    Concat,
    /// `+`, `-`, `*`, `/`, `%`.
    Arithmetic(char),
    /// Any other as written: `@>`, `->>`, `&&`, `@@`, `~`.
    Other(String),
}

impl Op {
    /// The operator with its sides exchanged, for comparisons.
    pub fn flipped(&self) -> Op {
        match self {
            Op::Lt => Op::Gt,
            Op::LtEq => Op::GtEq,
            Op::Gt => Op::Lt,
            Op::GtEq => Op::LtEq,
            Op::Other(op) if op == "@>" => Op::Other("<@".to_owned()),
            Op::Other(op) if op == "<@" => Op::Other("@>".to_owned()),
            other => other.clone(),
        }
    }

    /// Whether it is `<`, `<=`, `>` or `>=`.
    pub fn is_range(&self) -> bool {
        matches!(self, Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
    }

    /// Whether it compares its sides.
    pub fn is_comparison(&self) -> bool {
        self.is_range() || matches!(self, Op::Eq | Op::NotEq | Op::Same | Op::NotSame)
    }

    /// The operator as SQL.
    pub fn as_str(&self) -> &str {
        match self {
            Op::Eq => "=",
            Op::NotEq => "<>",
            Op::Lt => "<",
            Op::LtEq => "<=",
            Op::Gt => ">",
            Op::GtEq => ">=",
            Op::Same => "is not distinct from",
            Op::NotSame => "is distinct from",
            Op::Concat => "||",
            Op::Arithmetic('+') => "+",
            Op::Arithmetic('-') => "-",
            Op::Arithmetic('*') => "*",
            Op::Arithmetic('/') => "/",
            Op::Arithmetic(_) => "%",
            Op::Other(op) => op,
        }
    }
}

/// What `IS` tests for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// `IS NULL`.
    Null,
    /// `IS TRUE`.
    True,
    /// `IS FALSE`.
    False,
    /// `IS UNKNOWN`.
    Unknown,
}

/// A kind of pattern match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeKind {
    /// `LIKE`.
    Like,
    /// `ILIKE`.
    ILike,
    /// SQLite's `GLOB`.
    Glob,
    /// `REGEXP`, `~`.
    Regex,
    /// `SIMILAR TO`: all of the text has to match.
    Similar,
}
