//! ORDER BY, LIMIT and locks that the database refuses in combination with the rest of a query.

use std::collections::HashSet;

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Call, Expr, Literal};
use crate::sql::functions;
use crate::sql::outer_joins::padded;
use crate::sql::query::{BlockId, Body, From, JoinKind, Relation, RelationId, Select, Source};
use crate::sql::text::Span;
use crate::sql::type_names;

impl Resolver<'_> {
    /// Checks ORDER BY, LIMIT and locks of a query expression against the rest of it.
    pub(super) fn check_tail(&mut self, query: &ast::Query, id: BlockId) {
        if self.views > 0 {
            return;
        }
        self.check_row_count(query, id);
        if self.dialect != Dialect::Postgres {
            return;
        }
        if query.fetch.as_ref().is_some_and(|fetch| fetch.with_ties) && query.order_by.is_none() {
            self.clause("WITH TIES without ORDER BY", "", "add an ORDER BY, or write ONLY", None);
        }
        self.check_distinct(query, id);
        for lock in &query.locks {
            self.check_lock(lock, id);
        }
    }

    /// Records a LIMIT or OFFSET that is a column of its own rows.
    fn check_row_count(&mut self, query: &ast::Query, id: BlockId) {
        let block = &self.blocks[id.0 as usize];
        let (limit, offset, span) = (&block.limit, &block.offset, block.limit_span);
        let is_text = |rows: &Expr| matches!(rows, Expr::Literal(Literal::Text(_)));
        if self.dialect == Dialect::MySql && limit.iter().chain(offset).any(is_text) {
            let message = "LIMIT and OFFSET take a number, and this is a text";
            return self.clause(message, "this clause", "give a number or a parameter", span);
        }
        let is_own = |relation: RelationId| self.relations[relation.0 as usize].block == id;
        let mut columns = limit.iter().chain(offset).flat_map(Expr::columns);
        let column =
            columns.find(|column| column.relation.is_some_and(is_own)).map(|column| column.name.clone());
        if let Some(column) = column.filter(|_| query.limit_clause.is_some()) {
            let message = format!("LIMIT and OFFSET take a number, and `{column}` is a column of each row");
            self.clause(message, "this clause", "give a number or a parameter", span);
        }
    }

    /// PostgreSQL: records a key of ORDER BY that `SELECT DISTINCT` does not return.
    fn check_distinct(&mut self, query: &ast::Query, id: BlockId) {
        let block = &self.blocks[id.0 as usize];
        let Body::Select(select) = &block.body else { return };
        let Some(ast::OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order| &order.kind)
        else {
            return;
        };
        if !select.is_distinct() || block.outputs.is_none() {
            return;
        }
        let missing = |key: &Expr| !may_be_among(key, &select.projection);
        let Some(at) = block.order_by.iter().position(|key| missing(&key.expr)) else { return };
        let span = keys.get(at).and_then(|key| self.span_of(&key.expr));
        let key = keys.get(at).map(|key| key.expr.to_string()).unwrap_or_default();
        let message = format!("SELECT DISTINCT orders by `{key}`, which it does not return");
        self.clause(
            message,
            "not in the SELECT list",
            "add it to the SELECT list, or group by the columns",
            span,
        );
    }

    /// PostgreSQL: records a lock on rows that are not those of a table.
    fn check_lock(&mut self, lock: &ast::LockClause, id: BlockId) {
        let what = format!("FOR {}", lock.lock_type);
        let beside = match &self.blocks[id.0 as usize].body {
            Body::Set { .. } => Some("a set operation"),
            Body::Values(_) => Some("VALUES"),
            Body::Select(select) => self.merges_rows(select, id),
            Body::Write(_) | Body::Unknown => None,
        };
        if let Some(beside) = beside {
            let message = format!("{what} locks rows of tables, and {beside} makes other rows of them");
            return self.clause(
                message,
                "",
                "lock the rows in a subquery: `WHERE id IN (SELECT .. FOR UPDATE)`",
                None,
            );
        }
        let named = lock.of.as_ref().map(|name| (self.object_name(name), self.span_of(name)));
        let named = match named {
            Some(((None, name), span)) => Some((name, span)),
            Some(_) => return,
            None => None,
        };
        if let Some((name, span)) = &named {
            self.check_locked(&what, name, *span);
        }
        let Body::Select(select) = &self.blocks[id.0 as usize].body else { return };
        let padded = padded(&self.blocks[id.0 as usize]);
        let is_locked = |id: &RelationId| {
            let relation = &self.relations[id.0 as usize];
            padded.contains(id)
                && matches!(relation.source, Source::Table(_))
                && named.as_ref().is_none_or(|(name, _)| relation.alias == *name)
        };
        if is_filtered(select, &padded) {
            return;
        }
        if let Some(relation) = select.from.iter().flat_map(From::relations).find(is_locked) {
            let alias = self.relations[relation.0 as usize].alias.clone();
            let other = select.from.iter().flat_map(From::relations).find(|id| !padded.contains(id));
            let help = match other.map(|id| &self.relations[id.0 as usize].alias) {
                Some(other) => format!("lock only the other table: `{what} OF {other}`"),
                None => "lock the rows in a query of their own".to_owned(),
            };
            let message = format!("{what} locks `{alias}`, which the outer join may lack");
            self.clause(message, "", &help, None);
        }
    }

    /// Records a table that a lock names and the query does not read, or not as a table.
    fn check_locked(&mut self, what: &str, name: &str, span: Option<Span>) {
        let Some(scope) = self.scopes.last() else { return };
        let relation = scope.relations.iter().map(|id| &self.relations[id.0 as usize]);
        // The tables of an aliased join are hidden behind it.
        if relation.clone().any(|relation| matches!(relation.source, Source::Unknown)) {
            return;
        }
        let found = relation.clone().find(|relation| relation.alias == name);
        match found.map(|relation| &relation.source) {
            None => {
                let is_of =
                    |relation: &&Relation| matches!(&relation.source, Source::Table(of) if of.name == name);
                let help = match relation.clone().find(is_of) {
                    Some(relation) => format!("write its alias: `{what} OF {}`", relation.alias),
                    None => "name a table of the FROM".to_owned(),
                };
                self.clause(
                    format!("{what} OF `{name}`, but no table in FROM has that name"),
                    "unknown",
                    &help,
                    span,
                );
            }
            Some(Source::Cte(_)) => {
                let message = format!("{what} cannot lock `{name}`, which is a WITH query");
                self.clause(message, "", "lock the rows inside of it", span);
            }
            Some(_) => {}
        }
    }

    /// The clause that makes other rows out of those of the tables.
    fn merges_rows(&self, select: &Select, id: BlockId) -> Option<&'static str> {
        // An aggregate over rows of the query around this one belongs to that.
        let is_here = |call: &Call| {
            let columns: Vec<_> = call.args.iter().flat_map(Expr::columns).collect();
            let of_block = |relation: RelationId| self.relations[relation.0 as usize].block == id;
            columns.is_empty() || columns.iter().any(|column| column.relation.is_some_and(of_block))
        };
        let is_own = |call: &Call| !call.may_be_built_in() || self.has_function(&call.name);
        let calls = |is_wanted: &dyn Fn(&Call) -> bool| {
            let of = |part: &Expr| matches!(part, Expr::Call(call) if !is_own(call) && is_wanted(call));
            select.projection.iter().any(|expr| expr.any(of))
        };
        if select.distinct.is_some() {
            Some("DISTINCT")
        } else if !select.group_by.is_empty() || select.grouping_sets {
            Some("GROUP BY")
        } else if select.having.is_some() {
            Some("HAVING")
        } else if calls(&|call| call.window) {
            Some("a window function")
        } else if calls(&|call| functions::is_aggregate(&call.name, call.args.len()) && is_here(call)) {
            Some("an aggregate")
        } else {
            None
        }
    }
}

/// Whether an expression may equal one of a list: certainly not if it is a column of a name that none of them is, or
/// calls or computes what none of them does. Casts, which may change nothing, are not compared, however they are written.
fn may_be_among(key: &Expr, list: &[Expr]) -> bool {
    let is_cast = |call: &Call| call.args.len() == 1 && type_names::is_built_in(&call.name);
    let is_written_otherwise = |part: &Expr| match part {
        Expr::Other { .. } | Expr::InList { .. } | Expr::Any { .. } => true,
        Expr::Binary { op, .. } => op.as_str().contains(['(', '.']),
        Expr::Call(call) => is_cast(call),
        _ => false,
    };
    match key {
        Expr::Column(column) if column.relation.is_some() => list.iter().any(|expr| match expr {
            Expr::Column(other) => other.name == column.name,
            Expr::Other { .. } | Expr::Cast { .. } | Expr::Access { .. } => true,
            Expr::Call(call) => is_cast(call),
            _ => false,
        }),
        Expr::Call(call) if !is_cast(call) => list.iter().any(|expr| {
            let is_same = |part: &Expr| matches!(part, Expr::Call(other) if other.name == call.name);
            expr.any(|part| is_same(part) || is_written_otherwise(part))
        }),
        Expr::Binary { op, .. } if !is_written_otherwise(key) => list.iter().any(|expr| {
            let is_same =
                |part: &Expr| matches!(part, Expr::Binary { op: other, .. } if other.as_str() == op.as_str());
            expr.any(|part| is_same(part) || is_written_otherwise(part))
        }),
        _ => true,
    }
}

/// Whether a condition that may make an inner join of an outer one mentions a padded relation: WHERE, or that of an inner join.
fn is_filtered(select: &Select, padded: &HashSet<RelationId>) -> bool {
    let is_query =
        |part: &Expr| matches!(part, Expr::Exists { .. } | Expr::InQuery { .. } | Expr::Subquery(_));
    let is_padded = |id: Option<RelationId>| id.is_some_and(|id| padded.contains(&id));
    let mentions =
        |expr: &Expr| expr.any(is_query) || expr.columns().iter().any(|column| is_padded(column.relation));
    select.filter.as_ref().is_some_and(mentions) || select.from.iter().any(|item| has_inner(item, &mentions))
}

/// Whether the condition of an inner join is as wanted.
fn has_inner(from: &From, is_wanted: &impl Fn(&Expr) -> bool) -> bool {
    let From::Join { kind, left, right, on, .. } = from else { return false };
    let is_inner = matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Straight);
    is_inner && on.as_ref().is_some_and(is_wanted)
        || has_inner(left, is_wanted)
        || has_inner(right, is_wanted)
}
