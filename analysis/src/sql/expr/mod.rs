//! Expressions with resolved names, independent of the parser's types.

mod display;
mod walk;

pub(in crate::sql) use display::is_written_bare;

use super::query::{BlockId, RelationId};
use super::text::Span;

/// What an assigned value is called that is stored in a part of its column, `SET list[1] = ..`: its parts are that part, as an
/// expression, and the value.
pub const PART: &str = "part of a column";

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A column of a relation, resolved if its name is known.
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
        /// The value that is cast.
        expr: Box<Expr>,
        /// The type as written, lower case.
        ty: String,
    },
    /// `expr COLLATE name`.
    Collate {
        /// The value whose collation it is.
        expr: Box<Expr>,
        /// The collation's name.
        collation: String,
    },
    /// Conditions that must all hold; never nested directly in another `And`.
    And(Vec<Expr>),
    /// Conditions of which at least one must hold; never nested directly in another `Or`.
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
        /// The value that it is compared with.
        test: Test,
        /// Whether the test is negated.
        negated: bool,
    },
    /// `expr [NOT] IN (a, b)`.
    InList {
        /// The value to look up.
        expr: Box<Expr>,
        /// The listed values, in order.
        list: Vec<Expr>,
        /// `NOT IN`.
        negated: bool,
    },
    /// `expr [NOT] IN (SELECT ..)`, and `expr op ANY (SELECT ..)`.
    InQuery {
        /// The value to look up.
        expr: Box<Expr>,
        /// The query that returns the values.
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
        /// The value that is compared.
        expr: Box<Expr>,
        /// The lower bound, inclusive.
        low: Box<Expr>,
        /// The upper bound, inclusive.
        high: Box<Expr>,
        /// `NOT BETWEEN`.
        negated: bool,
    },
    /// A pattern match.
    Like {
        /// The text that is matched.
        expr: Box<Expr>,
        /// The pattern, with its wildcards.
        pattern: Box<Expr>,
        /// The kind of pattern.
        kind: LikeKind,
        /// Whether the match is negated.
        negated: bool,
    },
    /// `[NOT] EXISTS (SELECT ..)`.
    Exists {
        /// The block of the subquery.
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
        /// The value that is accessed.
        expr: Box<Expr>,
        /// The field's name, or `None` for a subscript.
        field: Option<String>,
        /// The subscripts' expressions.
        subscripts: Vec<Expr>,
    },
    /// Anything else, with its subexpressions.
    Other {
        /// A label for messages and comparison: `extract(epoch)`, `interval`.
        what: String,
        /// Its subexpressions.
        parts: Vec<Expr>,
    },
}

/// A reference to a column.
#[derive(Debug, Clone)]
pub struct ColumnRef {
    /// The relation it belongs to; `None` if unknown.
    pub relation: Option<RelationId>,
    /// Its folded name.
    pub name: String,
    /// Its position in the SQL; `None` for columns that come from `USING`, `*` or a view.
    pub span: Option<Span>,
}

/// References to the same column are equal regardless of position.
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
    /// Any other literal, as written: bit strings, blobs.
    Other(String),
}

/// A function call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The schema that is written before its name.
    pub schema: Option<String>,
    /// The function's name, folded, without its schema.
    pub name: String,
    /// Its arguments; `count(*)` has none.
    pub args: Vec<Expr>,
    /// The names of named arguments, in the order of `args`; empty if there are none.
    pub names: Vec<Option<String>>,
    /// `DISTINCT` among the arguments.
    pub distinct: bool,
    /// Whether it is called over a window.
    pub window: bool,
    /// The expressions of `PARTITION BY`, `FILTER`, `ORDER BY` and `WITHIN GROUP`.
    pub modifiers: Vec<Expr>,
    /// How many leading modifiers are PARTITION BY keys.
    pub partitioned_by: usize,
    /// Which modifier is the condition of FILTER, if it has one.
    pub filter: Option<usize>,
    /// The position of its name in the SQL.
    pub span: Option<Span>,
}

/// Equal calls are equal regardless of position.
impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        let Call { schema, name, args, names, distinct, window, modifiers, partitioned_by, filter, span: _ } =
            self;
        *name == other.name
            && *schema == other.schema
            && *args == other.args
            && *names == other.names
            && *distinct == other.distinct
            && *window == other.window
            && *modifiers == other.modifiers
            && *partitioned_by == other.partitioned_by
            && *filter == other.filter
    }
}

impl Call {
    /// PostgreSQL: whether it may call a function of the server: without a schema, or with that of the catalog.
    pub fn may_be_built_in(&self) -> bool {
        self.schema.as_deref().is_none_or(|schema| schema == "pg_catalog")
    }

    /// The PARTITION BY keys of its window.
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

/// Operators that are each other with the sides swapped.
const COMMUTED: [(&str, &str); 10] = [
    ("@>", "<@"),
    ("<<", ">>"),
    ("<<=", ">>="),
    ("<%", "%>"),
    ("<<%", "%>>"),
    ("~<~", "~>~"),
    ("~<=~", "~>=~"),
    ("#<#", "#>#"),
    ("#<=#", "#>=#"),
    ("^<@", "^@>"),
];

impl Op {
    /// The comparison operator with its sides swapped.
    pub fn flipped(&self) -> Op {
        match self {
            Op::Lt => Op::Gt,
            Op::LtEq => Op::GtEq,
            Op::Gt => Op::Lt,
            Op::GtEq => Op::LtEq,
            Op::Other(op) => match COMMUTED.iter().find(|(one, other)| one == op || other == op) {
                Some((one, other)) => Op::Other(if op == one { *other } else { *one }.to_owned()),
                None => self.clone(),
            },
            other => other.clone(),
        }
    }

    /// Whether it is `<`, `<=`, `>` or `>=`.
    pub fn is_range(&self) -> bool {
        matches!(self, Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
    }

    /// Whether it compares two values: equality, inequality or a range.
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

/// The value that `IS` tests for.
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
    /// `~*`.
    IRegex,
    /// `SIMILAR TO`: the pattern has to match the entire text.
    Similar,
}
