//! Expressions with their names resolved, free of the parser's types.

use std::fmt;

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
    /// `SIMILAR TO`, `REGEXP`, `~`.
    Regex,
}

impl Expr {
    /// Pushes the expressions directly inside this one, the last one first; subqueries are not entered.
    fn push_children<'e>(&'e self, stack: &mut Pending<'e>) {
        match self {
            Expr::Column(_) | Expr::WholeRow(_) | Expr::Parameter(_) | Expr::Literal(_) => {}
            Expr::Exists { .. } | Expr::Subquery(_) | Expr::ArrayQuery(_) => {}
            Expr::Call(call) => stack.extend(call.args.iter().chain(&call.modifiers).rev()),
            Expr::Cast { expr, .. }
            | Expr::Collate { expr, .. }
            | Expr::Not(expr)
            | Expr::Unary { expr, .. }
            | Expr::Is { expr, .. }
            | Expr::InQuery { expr, .. } => stack.push(expr),
            Expr::And(all) | Expr::Or(all) | Expr::Row(all) | Expr::Array(all) => {
                stack.extend(all.iter().rev())
            }
            Expr::Binary { left, right, .. } | Expr::Any { left, right, .. } => {
                stack.extend([right.as_ref(), left]);
            }
            Expr::InList { expr, list, .. } => {
                stack.extend(list.iter().rev());
                stack.push(expr);
            }
            Expr::Between { expr, low, high, .. } => stack.extend([high.as_ref(), low, expr]),
            Expr::Like { expr, pattern, .. } => stack.extend([pattern.as_ref(), expr]),
            Expr::Case { operand, arms, otherwise } => {
                stack.extend(otherwise.as_deref());
                stack.extend(arms.iter().rev().flat_map(|(when, then)| [then, when]));
                stack.extend(operand.as_deref());
            }
            Expr::Access { expr, subscripts, .. } => {
                stack.extend(subscripts.iter().rev());
                stack.push(expr);
            }
            Expr::Other { parts, .. } => stack.extend(parts.iter().rev()),
        }
    }

    /// The expressions directly inside this one, to be changed in place; subqueries are not entered.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr::Column(_) | Expr::WholeRow(_) | Expr::Parameter(_) | Expr::Literal(_) => Vec::new(),
            Expr::Exists { .. } | Expr::Subquery(_) | Expr::ArrayQuery(_) => Vec::new(),
            Expr::Call(call) => call.args.iter_mut().chain(&mut call.modifiers).collect(),
            Expr::Cast { expr, .. }
            | Expr::Collate { expr, .. }
            | Expr::Not(expr)
            | Expr::Unary { expr, .. }
            | Expr::Is { expr, .. }
            | Expr::InQuery { expr, .. } => vec![expr],
            Expr::And(all) | Expr::Or(all) | Expr::Row(all) | Expr::Array(all) => all.iter_mut().collect(),
            Expr::Binary { left, right, .. } | Expr::Any { left, right, .. } => vec![left, right],
            Expr::InList { expr, list, .. } => std::iter::once(expr.as_mut()).chain(list).collect(),
            Expr::Between { expr, low, high, .. } => vec![expr, low, high],
            Expr::Like { expr, pattern, .. } => vec![expr, pattern],
            Expr::Case { operand, arms, otherwise } => {
                let arms = arms.iter_mut().flat_map(|(when, then)| [when, then]);
                operand.as_deref_mut().into_iter().chain(arms).chain(otherwise.as_deref_mut()).collect()
            }
            Expr::Access { expr, subscripts, .. } => {
                std::iter::once(expr.as_mut()).chain(subscripts).collect()
            }
            Expr::Other { parts, .. } => parts.iter_mut().collect(),
        }
    }

    /// The subqueries directly inside this expression, not those of its children.
    pub fn own_subquery(&self) -> Option<BlockId> {
        match self {
            Expr::InQuery { query, .. }
            | Expr::Exists { query, .. }
            | Expr::Subquery(query)
            | Expr::ArrayQuery(query) => Some(*query),
            _ => None,
        }
    }

    /// Calls `visit` for this expression and every one inside it, subqueries not entered.
    pub fn walk<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        self.any(|expr| {
            visit(expr);
            false
        });
    }

    /// Whether `test` holds for this expression or one inside it, subqueries not entered; it is asked no further.
    pub fn any<'e>(&'e self, mut test: impl FnMut(&'e Expr) -> bool) -> bool {
        let mut pending = Pending { first: [None; FEW], held: 0, rest: Vec::new() };
        let mut next = Some(self);
        while let Some(expr) = next {
            if test(expr) {
                return true;
            }
            expr.push_children(&mut pending);
            next = pending.pop();
        }
        false
    }

    /// Whether a column of `relation` is mentioned, subqueries not entered.
    pub fn mentions(&self, relation: RelationId) -> bool {
        self.any(|expr| matches!(expr, Expr::Column(column) if column.relation == Some(relation)))
    }

    /// The columns mentioned, subqueries not entered.
    pub fn columns(&self) -> Vec<&ColumnRef> {
        let mut columns = Vec::new();
        self.walk(&mut |expr| {
            if let Expr::Column(column) = expr {
                columns.push(column);
            }
        });
        columns
    }

    /// Whether the value is the same for every row of a query: no column, no subquery, nothing volatile is in it.
    pub fn is_constant(&self) -> bool {
        !self.any(|expr| matches!(expr, Expr::Column(_) | Expr::WholeRow(_)) || expr.own_subquery().is_some())
    }

    /// The conditions that all have to hold for this one to hold.
    pub fn conjuncts(&self) -> &[Expr] {
        match self {
            Expr::And(all) => all,
            other => std::slice::from_ref(other),
        }
    }

    /// The expression without casts around it.
    pub fn without_casts(&self) -> &Expr {
        let mut expr = self;
        while let Expr::Cast { expr: inner, .. } = expr {
            expr = inner;
        }
        expr
    }

    /// The expression as a column, if it is one.
    pub fn as_column(&self) -> Option<&ColumnRef> {
        match self {
            Expr::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The first place in the SQL that this expression or one inside it is known to stand at.
    pub fn span(&self) -> Option<Span> {
        let mut span: Option<Span> = None;
        self.walk(&mut |expr| {
            let own = match expr {
                Expr::Column(column) => column.span,
                Expr::Call(call) => call.span,
                _ => None,
            };
            span = match (span, own) {
                (Some(a), Some(b)) => Some(Span::new(a.start.min(b.start), a.end.max(b.end))),
                (a, b) => a.or(b),
            };
        });
        span
    }
}

/// So many expressions wait for a visit without taking memory for it.
const FEW: usize = 8;

/// Expressions that are still to be visited, the next one last. Expressions are walked thousands of times, and most of
/// them are small.
struct Pending<'e> {
    first: [Option<&'e Expr>; FEW],
    held: usize,
    rest: Vec<&'e Expr>,
}

impl<'e> Pending<'e> {
    fn push(&mut self, expr: &'e Expr) {
        match self.first.get_mut(self.held) {
            Some(slot) => {
                *slot = Some(expr);
                self.held += 1;
            }
            None => self.rest.push(expr),
        }
    }

    fn pop(&mut self) -> Option<&'e Expr> {
        self.rest.pop().or_else(|| {
            self.held = self.held.checked_sub(1)?;
            self.first.get(self.held).copied().flatten()
        })
    }
}

impl<'e> Extend<&'e Expr> for Pending<'e> {
    fn extend<I: IntoIterator<Item = &'e Expr>>(&mut self, exprs: I) {
        exprs.into_iter().for_each(|expr| self.push(expr));
    }
}

/// SQL for messages: short, in one line, columns without their relation, subqueries as `(..)`.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Column(column) => f.write_str(&column.name),
            Expr::WholeRow(_) => f.write_str("*"),
            Expr::Parameter(number) => write!(f, "${number}"),
            Expr::Literal(literal) => literal.fmt(f),
            Expr::Call(call) => write!(f, "{}({})", call.name, list(&call.args)),
            Expr::Cast { expr, ty } => match expr.as_ref() {
                Expr::Binary { .. } | Expr::Other { .. } | Expr::Unary { .. } => write!(f, "({expr})::{ty}"),
                _ => write!(f, "{expr}::{ty}"),
            },
            Expr::Collate { expr, collation } => write!(f, "{expr} collate \"{collation}\""),
            Expr::And(all) => joined(f, all, " and "),
            Expr::Or(all) => joined(f, all, " or "),
            Expr::Not(expr) => write!(f, "not {expr}"),
            Expr::Unary { op, expr } => write!(f, "{op}{expr}"),
            Expr::Binary { op, left, right } => {
                let nested = |side: &Expr| !op.is_comparison() && matches!(side, Expr::Binary { .. });
                match (nested(left), nested(right)) {
                    (false, false) => write!(f, "{left} {} {right}", op.as_str()),
                    (true, false) => write!(f, "({left}) {} {right}", op.as_str()),
                    (false, true) => write!(f, "{left} {} ({right})", op.as_str()),
                    (true, true) => write!(f, "({left}) {} ({right})", op.as_str()),
                }
            }
            Expr::Is { expr, test, negated } => {
                let test = match test {
                    Test::Null => "null",
                    Test::True => "true",
                    Test::False => "false",
                    Test::Unknown => "unknown",
                };
                write!(f, "{expr} is {}{test}", if *negated { "not " } else { "" })
            }
            Expr::InList { expr, list: items, negated } => {
                write!(f, "{expr} {}in ({})", if *negated { "not " } else { "" }, list(items))
            }
            Expr::InQuery { expr, op, negated, .. } => match (op, negated) {
                (Op::Eq, false) => write!(f, "{expr} in (..)"),
                (Op::Eq, true) => write!(f, "{expr} not in (..)"),
                (op, all) => write!(f, "{expr} {} {} (..)", op.as_str(), if *all { "all" } else { "any" }),
            },
            Expr::Any { left, op, right, all } => {
                write!(f, "{left} {} {} ({right})", op.as_str(), if *all { "all" } else { "any" })
            }
            Expr::Between { expr, low, high, negated } => {
                write!(f, "{expr} {}between {low} and {high}", if *negated { "not " } else { "" })
            }
            Expr::Like { expr, pattern, kind, negated } => {
                let kind = match kind {
                    LikeKind::Like => "like",
                    LikeKind::ILike => "ilike",
                    LikeKind::Glob => "glob",
                    LikeKind::Regex => "~",
                };
                write!(f, "{expr} {}{kind} {pattern}", if *negated { "not " } else { "" })
            }
            Expr::Exists { negated, .. } => {
                f.write_str(if *negated { "not exists (..)" } else { "exists (..)" })
            }
            Expr::Subquery(_) => f.write_str("(..)"),
            Expr::ArrayQuery(_) => f.write_str("array(..)"),
            Expr::Row(items) => write!(f, "({})", list(items)),
            Expr::Array(items) => write!(f, "array[{}]", list(items)),
            Expr::Case { .. } => f.write_str("case .. end"),
            Expr::Access { expr, field: Some(field), .. } => write!(f, "({expr}).{field}"),
            Expr::Access { expr, subscripts, .. } => write!(f, "{expr}[{}]", list(subscripts)),
            Expr::Other { what, parts } if parts.is_empty() => f.write_str(what),
            Expr::Other { what, parts } => match (what.as_str(), parts.as_slice()) {
                ("interval", [value]) => write!(f, "interval {value}"),
                ("at time zone", [time, zone]) => write!(f, "{time} at time zone {zone}"),
                (what, [value]) if what.starts_with("extract ") => {
                    write!(f, "extract({} from {value})", what.trim_start_matches("extract "))
                }
                (what, parts) => write!(f, "{what}({})", list(parts)),
            },
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::Number(text) | Literal::Other(text) => f.write_str(text),
            Literal::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

fn list(items: &[Expr]) -> String {
    items.iter().map(Expr::to_string).collect::<Vec<_>>().join(", ")
}

fn joined(f: &mut fmt::Formatter<'_>, items: &[Expr], separator: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        match item {
            Expr::And(_) | Expr::Or(_) => write!(f, "({item})")?,
            _ => write!(f, "{item}")?,
        }
    }
    Ok(())
}
