//! What sqlx reads from the plan of a query: which columns an outer join at its top may pad with NULL.
//!
//! sqlx prepares a statement and explains its execution with NULL for every parameter. It only looks at joins
//! at the very top of the plan, and only at columns that the inner side outputs unchanged.

use std::cell::Cell;
use std::collections::HashSet;

use super::rows::Side;
use super::session::{Field, Session};
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::expr::{Expr, LikeKind, Literal, Op, Test};
use crate::sql::query::{Block, BlockId, Body, From, JoinKind, RelationId, Role, Source};

/// The maximum nesting of joins, queries and expressions; beyond it the plan is unknown.
const DEEPEST: usize = 200;

/// What the plan says about a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) nullable: bool,
    pub(super) certain: bool,
}

/// What the plan says about each column.
pub(super) fn patches(session: &mut Session<'_>, fields: &[Field]) -> Vec<Patch> {
    let mut patches = vec![Patch { nullable: false, certain: true }; fields.len()];
    let query = session.query;
    let Some(root) = query.root else { return patches };
    let Some(outputs) = query.block(root).outputs.as_ref() else { return patches };
    let (schema, outer) = (session.schema, &session.outer);
    let reading = Reading { query, schema, outer, depth: Cell::new(0), too_deep: Cell::new(false) };
    let mut top = Top::default();
    let found = reading.top(root, &mut top);
    if reading.too_deep.get() {
        patches.fill(Patch { nullable: false, certain: false });
        return patches;
    }
    if found.is_none() {
        return patches;
    }
    let mut seen: Vec<(RelationId, String)> = Vec::new();
    for (patch, output) in patches.iter_mut().zip(outputs) {
        if top.full {
            patch.nullable = true;
            continue;
        }
        let Some(leaf) = reading.leaf(&output.expr, 0) else { continue };
        let is_outer = session.outer.contains(&leaf.0);
        patch.certain =
            !(top.reordered && is_outer) && !(top.hashes_kept && (is_outer || top.inner.contains(&leaf.0)));
        // Of equal columns, sqlx marks the first.
        if top.inner.contains(&leaf.0) && !seen.contains(&leaf) {
            patch.nullable = true;
            seen.push(leaf);
        }
    }
    patches
}

/// The joins at the top of a plan.
#[derive(Debug, Default)]
struct Top {
    /// Whether there is a full join, all of whose columns may be NULL.
    full: bool,
    /// The relations on the inner side of outer joins.
    inner: HashSet<RelationId>,
    /// Whether the planner may have put another join on top.
    reordered: bool,
    /// Whether the kept side of a join is hashed, as far as the keys tell.
    hashes_kept: bool,
}

struct Reading<'q> {
    query: &'q Query,
    schema: &'q Schema,
    outer: &'q HashSet<RelationId>,
    depth: Cell<usize>,
    too_deep: Cell<bool>,
}

impl<'q> Reading<'q> {
    /// Runs work one level deeper; `None` if that is too deep.
    fn deeper<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        if self.depth.get() >= DEEPEST {
            self.too_deep.set(true);
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let done = work();
        self.depth.set(self.depth.get() - 1);
        Some(done)
    }

    /// Collects the joins at the top of a block's plan; `None` if there are none, or nothing is read at all.
    fn top(&self, id: BlockId, top: &mut Top) -> Option<()> {
        let block = self.query.block(id);
        let Body::Select(select) = &block.body else { return None };
        if !is_flat(block) {
            return None;
        }
        let conditions = select.from.iter().flat_map(inner_conditions).chain(block.filters());
        if conditions.into_iter().any(|condition| self.is_never_true(condition, 0)) {
            return None;
        }
        let [item] = select.from.as_slice() else { return None };
        self.deeper(|| self.collect(item, top, true))?
    }

    fn collect(&self, item: &From, top: &mut Top, at_top: bool) -> Option<()> {
        match item {
            From::Relation(id) => match self.pulled_up(*id) {
                Some(block) => self.top(block, top),
                None => Some(()),
            },
            From::Join { kind, left, right, on } => {
                let is_outer = |side: &From| side.relations().iter().any(|id| self.outer.contains(id));
                match kind {
                    // The inner side is the one that is hashed, and sqlx takes it for the optional one.
                    JoinKind::Left if is_outer(right) && self.hashes(left, right, on) => {
                        self.leaves(left, &mut top.inner);
                        top.hashes_kept = true;
                    }
                    JoinKind::Left if is_outer(right) => {
                        self.leaves(right, &mut top.inner);
                        self.deeper(|| self.collect(left, top, false))??;
                    }
                    JoinKind::Right if is_outer(left) && self.hashes(right, left, on) => {
                        self.leaves(right, &mut top.inner);
                        top.hashes_kept = true;
                    }
                    JoinKind::Right if is_outer(left) => {
                        self.leaves(left, &mut top.inner);
                        self.deeper(|| self.collect(right, top, false))??;
                    }
                    JoinKind::Full if is_outer(left) && is_outer(right) => {
                        top.full |= at_top;
                        self.leaves(item, &mut top.inner);
                    }
                    // The planner may reorder the joins, with an outer join on top.
                    _ => {
                        top.reordered = true;
                        self.deeper(|| self.collect(left, top, false))??;
                        self.deeper(|| self.collect(right, top, false))??;
                    }
                }
                Some(())
            }
        }
    }

    /// Whether a join of two tables hashes the one that is kept.
    fn hashes(&self, kept: &From, optional: &From, on: &Option<Expr>) -> bool {
        let (From::Relation(kept), From::Relation(optional)) = (kept, optional) else { return false };
        // Another condition on a table changes how many rows of it are expected.
        let filters = self.query.block(self.query.relation(*kept).block).filters();
        if filters.iter().any(|filter| filter.mentions(*kept) && !filter.mentions(*optional)) {
            return false;
        }
        let [condition] = on.iter().flat_map(Expr::conjuncts).collect::<Vec<_>>()[..] else { return false };
        let Expr::Binary { op: Op::Eq, left, right } = condition else { return false };
        let side = |of: RelationId| {
            [left, right].into_iter().find_map(|side| match &**side {
                Expr::Column(column) if column.relation == Some(of) => {
                    let Source::Table(name) = &self.query.relation(of).source else { return None };
                    Some(Side::of(self.schema.tables.get(name)?, &column.name))
                }
                _ => None,
            })
        };
        match (side(*kept), side(*optional)) {
            (Some(kept), Some(optional)) => kept.is_hashed_rather(&optional),
            _ => false,
        }
    }

    /// The block that the planner merges into the outer query: a plain SELECT.
    fn pulled_up(&self, id: RelationId) -> Option<BlockId> {
        let block = match &self.query.relation(id).source {
            Source::Derived(block) | Source::View(_, block) => *block,
            Source::Cte(block) => match self.query.block(*block).role {
                Role::Cte { recursive: false, materialized, uses, .. }
                    if materialized == Some(false) || materialized.is_none() && uses <= 1 =>
                {
                    *block
                }
                _ => return None,
            },
            _ => return None,
        };
        let is_select =
            matches!(&self.query.block(block).body, Body::Select(select) if !select.from.is_empty());
        (is_select && is_flat(self.query.block(block))).then_some(block)
    }

    /// The relations that are scanned for a FROM item.
    fn leaves(&self, item: &From, found: &mut HashSet<RelationId>) {
        for id in item.relations() {
            match self.pulled_up(id).map(|block| &self.query.block(block).body) {
                Some(Body::Select(select)) => {
                    let _ = self.deeper(|| select.from.iter().for_each(|item| self.leaves(item, found)));
                }
                _ => {
                    found.insert(id);
                }
            }
        }
    }

    /// The scanned column behind an output, if it is one unchanged.
    fn leaf(&self, expr: &Expr, depth: usize) -> Option<(RelationId, String)> {
        let (relation, name) = match expr {
            Expr::Column(column) => (column.relation?, column.name.as_str()),
            Expr::WholeRow(relation) => (*relation, "*"),
            _ => return None,
        };
        let itself = Some((relation, name.to_owned()));
        let block = match &self.query.relation(relation).source {
            Source::Derived(block) | Source::View(_, block) => *block,
            // A CTE scan has columns of its own.
            Source::Cte(_) => match self.inlined(relation) {
                Some(block) => block,
                None => return itself,
            },
            _ => return itself,
        };
        if depth > 16 || name == "*" {
            return None;
        }
        let columns = self.query.relation(relation).columns.as_deref()?;
        let at = columns.iter().position(|column| column.name == name)?;
        let inner = &self.query.block(block).outputs.as_ref()?.get(at)?.expr;
        let leaf = self.leaf(inner, depth + 1)?;
        Some(if self.pulled_up(relation).is_some() { leaf } else { (relation, name.to_owned()) })
    }

    /// The block of a CTE that is inlined where it is read.
    fn inlined(&self, id: RelationId) -> Option<BlockId> {
        let Source::Cte(block) = self.query.relation(id).source else { return None };
        match self.query.block(block).role {
            Role::Cte { recursive: false, materialized, uses, .. }
                if (materialized == Some(false) || materialized.is_none() && uses <= 1)
                    && matches!(self.query.block(block).body, Body::Select(_)) =>
            {
                Some(block)
            }
            _ => None,
        }
    }

    /// Whether a condition is false or NULL if its parameters are NULL, so that the planner removes the
    /// query.
    fn is_never_true(&self, condition: &Expr, depth: usize) -> bool {
        let never = |expr: &Expr| depth < 32 && self.is_never_true(expr, depth + 1);
        match condition {
            Expr::And(parts) => parts.iter().any(never),
            Expr::Or(parts) => parts.iter().all(never),
            Expr::Between { expr, low, high, .. } => is_null(expr) || is_null(low) || is_null(high),
            Expr::Is { expr, test: Test::Null, negated: true } => is_null(expr),
            Expr::Is { expr, test: Test::True, negated: false } => never(expr),
            Expr::InList { expr, list, negated: false } => {
                is_null(expr) || matches!(list.as_slice(), [only] if is_null(only))
            }
            Expr::InQuery { query, negated: false, .. } | Expr::Exists { query, negated: false } => {
                let block = self.query.block(*query);
                is_flat(block) && block.filters().iter().any(never)
            }
            Expr::Literal(Literal::Bool(false)) => true,
            other => is_null(other),
        }
    }
}

/// Whether a SELECT does nothing with its rows after the joins.
fn is_flat(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let grouped = !select.group_by.is_empty() || select.aggregates || select.having.is_some();
    let sorted = !block.order_by.is_empty() || block.limit.is_some() || block.offset.is_some() || block.locks;
    let is_window = |e: &Expr| matches!(e, Expr::Call(call) if call.window);
    let windowed = select.projection.iter().any(|expr| expr.any(is_window));
    !grouped && !sorted && !windowed && select.distinct.is_none() && !select.set_returning
}

/// The join conditions that every row satisfies.
fn inner_conditions(item: &From) -> Vec<&Expr> {
    let mut all: Vec<&Expr> = Vec::new();
    let mut open = vec![item];
    while let Some(item) = open.pop() {
        match item {
            From::Join { kind: JoinKind::Inner | JoinKind::Cross | JoinKind::Straight, left, right, on } => {
                all.extend(on.iter().flat_map(Expr::conjuncts));
                open.extend([&**left, &**right]);
            }
            From::Join { kind: JoinKind::Left, left, .. } => open.push(left),
            From::Join { kind: JoinKind::Right, right, .. } => open.push(right),
            From::Join { kind: JoinKind::Full, .. } | From::Relation(_) => {}
        }
    }
    all
}

/// Whether an expression is NULL if its parameters are, as far as the planner evaluates it in advance.
fn is_null(expr: &Expr) -> bool {
    is_null_at(expr, 0)
}

fn is_null_at(expr: &Expr, depth: usize) -> bool {
    let is_null = |expr: &Expr| depth < DEEPEST && is_null_at(expr, depth + 1);
    match expr {
        Expr::Parameter(_) | Expr::Literal(Literal::Null) => true,
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } | Expr::Not(expr) | Expr::Unary { expr, .. } => {
            is_null(expr)
        }
        Expr::Binary { op, left, right } => {
            !matches!(op, Op::Same | Op::NotSame) && (is_null(left) || is_null(right))
        }
        Expr::Like { expr, pattern, kind, .. } => {
            *kind != LikeKind::Glob && (is_null(expr) || is_null(pattern))
        }
        Expr::Any { left, right, .. } => is_null(left) && is_null(right),
        Expr::Call(call) => match call.name.as_str() {
            "coalesce" => call.args.iter().all(is_null),
            "lower"
            | "upper"
            | "length"
            | "btrim"
            | "date_trunc"
            | "to_tsquery"
            | "plainto_tsquery"
            | "websearch_to_tsquery" => call.args.iter().any(is_null),
            _ => false,
        },
        Expr::Other { what, parts } if what == "at time zone" || what.starts_with("extract") => {
            parts.iter().any(is_null)
        }
        _ => false,
    }
}
