//! MySQL and SQLite: numbers of columns that do not fit, and aggregates where there are no groups. PostgreSQL's are
//! found with the types.

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Call, ColumnRef, Expr};
use crate::sql::functions;
use crate::sql::query::{Block, BlockId, Body, From, RelationId, Role, Source};
use crate::sql::text::Span;

impl Resolver<'_> {
    /// The position of the first thing that an arm of a set operation returns.
    pub(super) fn first_span(&self, arm: &ast::SetExpr) -> Option<Span> {
        match arm {
            ast::SetExpr::Select(select) => select.projection.first().and_then(|item| self.span_of(item)),
            ast::SetExpr::Query(query) => self.first_span(&query.body),
            _ => None,
        }
    }

    /// Records arms of a set operation that return different numbers of columns.
    pub(super) fn check_arms(&mut self, left: BlockId, right: BlockId, span: Option<Span>) {
        if self.dialect == Dialect::Postgres || self.may_lack_columns() {
            return;
        }
        if let (Some(one), Some(other)) = (self.width_of(left), self.width_of(right))
            && one != other
        {
            let message = format!("the arms of this set operation return {one} and {other} columns");
            self.clause(message, "this arm", "return as many columns from each arm", span);
        }
    }

    /// SQLite: whether the `*` of a block may stand for fewer columns than its functions have: `json_each` hides some.
    pub(super) fn has_hidden_columns(&self, id: BlockId) -> bool {
        let is_function =
            |id: RelationId| matches!(self.relations[id.0 as usize].source, Source::Function(..));
        match &self.blocks[id.0 as usize].body {
            Body::Select(select) => {
                self.dialect == Dialect::Sqlite
                    && select.star.is_some()
                    && select.from.iter().flat_map(From::relations).any(is_function)
            }
            _ => false,
        }
    }

    /// How many columns a block returns, if it is known.
    fn width_of(&self, id: BlockId) -> Option<usize> {
        let block = &self.blocks[id.0 as usize];
        let is_known = matches!(block.body, Body::Select(_) | Body::Set { .. } | Body::Values(_));
        let is_written = !self.has_hidden_columns(id);
        block.outputs.as_ref().filter(|_| is_known && is_written).map(Vec::len)
    }

    /// Checks every expression of the user's own text.
    pub(super) fn check_structure(&mut self) {
        let is_row = |part: &Expr| matches!(part, Expr::Row(_));
        let has_rows = |block: &Block| block.expressions().iter().any(|expr| expr.any(is_row));
        let has_queries = self.blocks.iter().any(|block| matches!(block.role, Role::Scalar | Role::In))
            || self.own_blocks().any(|(_, block)| has_rows(block));
        let mut found = Vec::new();
        for (id, block) in self.own_blocks() {
            if has_queries && !self.may_lack_columns() {
                for expr in block.expressions() {
                    expr.walk(&mut |part| found.extend(self.misfit(part)));
                }
                found.extend(values(block).find_map(|value| self.wide(value)));
                if let Body::Values(rows) = &block.body {
                    found.extend(rows.iter().flatten().find_map(|value| self.wide(value)));
                }
            }
            found.extend(self.misplaced(id, block));
        }
        for (message, label, help, span) in found {
            self.clause(message, label, help, span);
        }
    }

    /// The blocks that are not those of views, nor of WITH queries that nothing reads.
    fn own_blocks(&self) -> impl Iterator<Item = (BlockId, &Block)> {
        let blocks = (0..).map(BlockId).zip(&self.blocks);
        blocks.filter(|(id, _)| {
            let mut around = std::iter::successors(Some(*id), |id| self.blocks[id.0 as usize].parent);
            !around.any(|id| {
                matches!(self.blocks[id.0 as usize].role, Role::View(_)) || self.unread.contains(&id)
            })
        })
    }

    /// How many columns an expression has.
    fn width(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Row(parts) => Some(parts.len()),
            Expr::Subquery(id) => self.width_of(*id),
            Expr::WholeRow(_) => None,
            _ => Some(1),
        }
    }

    /// The first operand with a number of columns other than that of its counterpart, or than one where a
    /// value is needed.
    fn misfit(&self, part: &Expr) -> Option<Refusal> {
        if let Expr::Call(call) = part {
            return call.args.iter().find_map(|arg| self.wide(arg));
        }
        let (one, other) = match part {
            Expr::Binary { left, right, .. } => (self.width(left)?, self.width(right)?),
            Expr::InQuery { expr, query, .. } => (self.width(expr)?, self.width_of(*query)?),
            Expr::InList { expr, list, .. } => {
                let one = self.width(expr)?;
                (one, list.iter().filter_map(|item| self.width(item)).find(|other| *other != one)?)
            }
            _ => return None,
        };
        let span = part.columns().iter().find_map(|column| column.span);
        let message = format!("{one} columns are compared with {other}");
        (one != other).then_some((message, "here", "select as many columns as are compared", span))
    }

    /// A subquery that is a value, and returns several columns.
    fn wide(&self, value: &Expr) -> Option<Refusal> {
        let Expr::Subquery(id) = value else { return None };
        let width = self.width_of(*id).filter(|width| *width != 1)?;
        let message = format!("a subquery that is a value returns {width} columns");
        Some((message, "", "select the one column that is meant", None))
    }

    /// An aggregate, or a call over a window, in a clause of single rows.
    fn misplaced(&self, id: BlockId, block: &Block) -> Option<Refusal> {
        let (filter, group_by, from, having) = match &block.body {
            Body::Select(select) => (
                select.filter.as_ref(),
                select.group_by.as_slice(),
                select.from.as_slice(),
                select.having.as_ref(),
            ),
            Body::Write(write) => (write.filter.as_ref(), &[][..], write.from.as_slice(), None),
            _ => return None,
        };
        let mut rows: Vec<(&Expr, &str)> = filter.iter().map(|filter| (*filter, "WHERE")).collect();
        if let Body::Write(write) = &block.body {
            rows.extend(write.assignments.iter().filter_map(|(_, value)| Some((value.as_ref()?, "SET"))));
        }
        rows.extend(group_by.iter().map(|key| (key, "GROUP BY")));
        let mut joins = Vec::new();
        from.iter().for_each(|item| item.conditions(&mut joins));
        rows.extend(joins.into_iter().map(|on| (on, "ON")));
        let in_rows = rows.iter().find_map(|(expr, clause)| {
            let call = expr.first_call(|call| call.window || self.is_aggregate_of(call, id))?;
            Some((call, *clause))
        });
        let in_groups = having.and_then(|having| Some((having.first_call(|call| call.window)?, "HAVING")));
        if let Some((outer, inner)) = self.nested(id, block) {
            let message =
                format!("`{}` is inside of `{}`, which takes values of rows", inner.name, outer.name);
            return Some((message, "not allowed here", "compute the inner one in a subquery", inner.span));
        }
        let (call, clause) = in_rows.or(in_groups)?;
        let (what, help) = match call.window {
            true => ("is called over a window", "call it in the SELECT list of a subquery"),
            false => {
                ("is an aggregate", "move the condition to HAVING, or compute the aggregate in a subquery")
            }
        };
        let message = format!("`{}` {what}, and {clause} is about single rows", call.name);
        Some((message, "not allowed here", help, call.span))
    }

    /// An aggregate inside of another one.
    fn nested<'b>(&self, id: BlockId, block: &'b Block) -> Option<(&'b Call, &'b Call)> {
        let is_outer = |call: &Call| !call.window && self.is_aggregate_of(call, id);
        values(block).find_map(|value| {
            let outer = value.first_call(is_outer)?;
            let inner = outer.args.iter().find_map(|arg| arg.first_call(is_outer))?;
            Some((outer, inner))
        })
    }

    /// Whether a call is of a built-in aggregate over rows of this block.
    fn is_aggregate_of(&self, call: &Call, block: BlockId) -> bool {
        let columns = call.args.iter().flat_map(Expr::columns).collect::<Vec<_>>();
        let is_here = |column: &&ColumnRef| {
            column.relation.is_some_and(|id| self.relations[id.0 as usize].block == block)
        };
        let own = self.schema.is_some_and(|schema| schema.functions_named(&call.name).next().is_some());
        !own && call.schema.is_none()
            && is_plain_aggregate(&call.name, call.args.len())
            && (columns.iter().any(is_here)
                || columns.is_empty() && self.blocks[block.0 as usize].parent.is_none())
    }
}

/// A message with label, help and position.
type Refusal = (String, &'static str, &'static str, Option<Span>);

/// Whether a function is an aggregate of MySQL and SQLite alike, and can be nothing else.
fn is_plain_aggregate(name: &str, arguments: usize) -> bool {
    let is_common = matches!(name, "count" | "sum" | "avg" | "group_concat" | "min" | "max");
    is_common && functions::is_aggregate(name, arguments)
}

/// What a block returns, or assigns.
fn values(block: &Block) -> impl Iterator<Item = &Expr> {
    let (returned, assigned) = match &block.body {
        Body::Select(select) => (select.projection.as_slice(), None),
        Body::Write(write) => (write.returning.as_deref().unwrap_or_default(), Some(&write.assignments)),
        _ => (&[][..], None),
    };
    // One subquery may give several columns of SQLite's `SET (a, b) = (..)`, so that the next has no value.
    let assigned = assigned.into_iter().filter(|all| all.iter().all(|(_, value)| value.is_some())).flatten();
    returned.iter().chain(assigned.filter_map(|(_, value)| value.as_ref()))
}
