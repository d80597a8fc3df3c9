//! Traversal of expressions without recursion.

use super::{Call, ColumnRef, Expr, PART};
use crate::sql::query::{BlockId, RelationId};
use crate::sql::text::Span;

impl Expr {
    /// Pushes the direct children, last one first; subqueries are not entered.
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

    /// The direct children, mutably; subqueries are not entered.
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

    /// The subquery of this expression itself, not one in its children.
    pub fn own_subquery(&self) -> Option<BlockId> {
        match self {
            Expr::InQuery { query, .. }
            | Expr::Exists { query, .. }
            | Expr::Subquery(query)
            | Expr::ArrayQuery(query) => Some(*query),
            _ => None,
        }
    }

    /// The direct children, in order; subqueries are not entered.
    pub fn children(&self) -> Vec<&Expr> {
        let mut pending = Pending { first: [None; PENDING_INLINE], held: 0, rest: Vec::new() };
        self.push_children(&mut pending);
        std::iter::from_fn(|| pending.pop()).collect()
    }

    /// Calls `visit` for this expression and all its descendants; subqueries are not entered.
    pub fn walk<'e>(&'e self, visit: &mut impl FnMut(&'e Expr)) {
        self.any(|expr| {
            visit(expr);
            false
        });
    }

    /// The first call of some kind in it; subqueries are not entered.
    pub fn first_call(&self, is_wanted: impl Fn(&Call) -> bool) -> Option<&Call> {
        let mut found = None;
        self.any(|part| {
            if let Expr::Call(call) = part
                && is_wanted(call)
            {
                found = Some(call);
            }
            found.is_some()
        });
        found
    }

    /// Whether `test` holds for this expression or a descendant, stopping at the first; subqueries are not
    /// entered.
    pub fn any<'e>(&'e self, mut test: impl FnMut(&'e Expr) -> bool) -> bool {
        let mut pending = Pending { first: [None; PENDING_INLINE], held: 0, rest: Vec::new() };
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

    /// Whether a column of `relation` occurs; subqueries are not entered.
    pub fn mentions(&self, relation: RelationId) -> bool {
        self.any(|expr| matches!(expr, Expr::Column(column) if column.relation == Some(relation)))
    }

    /// The columns that occur; subqueries are not entered.
    pub fn columns(&self) -> Vec<&ColumnRef> {
        let mut columns = Vec::new();
        self.walk(&mut |expr| {
            if let Expr::Column(column) = expr {
                columns.push(column);
            }
        });
        columns
    }

    /// Whether the value is the same for all rows: it contains no column, no subquery and nothing volatile.
    pub fn is_constant(&self) -> bool {
        !self.any(|expr| matches!(expr, Expr::Column(_) | Expr::WholeRow(_)) || expr.own_subquery().is_some())
    }

    /// The conjuncts of the condition; a condition that is not an `And` is its only one.
    pub fn conjuncts(&self) -> &[Expr] {
        match self {
            Expr::And(all) => all,
            other => std::slice::from_ref(other),
        }
    }

    /// Whether it is assigned to an element or a field of a column: the value of `SET list[1] = 5`.
    pub fn is_part(&self) -> bool {
        matches!(self, Expr::Other { what, .. } if what == PART)
    }

    /// The expression with outer casts removed.
    pub fn without_casts(&self) -> &Expr {
        let mut expr = self;
        while let Expr::Cast { expr: inner, .. } = expr {
            expr = inner;
        }
        expr
    }

    /// Whether it is an interval, which moves a point in time.
    pub fn is_interval(&self) -> bool {
        matches!(self, Expr::Other { what, .. } if what == "interval")
    }

    /// The expression as a column, if it is one.
    pub fn as_column(&self) -> Option<&ColumnRef> {
        match self {
            Expr::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The position of this expression, or of the first descendant whose position is known.
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

/// How many pending expressions fit without allocation.
const PENDING_INLINE: usize = 8;

/// Expressions still to visit, the next one last. Expressions are traversed thousands of times, and most of
/// them are small.
struct Pending<'e> {
    first: [Option<&'e Expr>; PENDING_INLINE],
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
