//! What sqlx reads from the plan of a query: which columns an outer join at its top may pad with NULL.
//!
//! sqlx prepares a statement and explains its execution with NULL for every parameter; the macros of 0.9 have the
//! server plan for any values. sqlx only looks at joins at the very top of the plan, and only at columns that the
//! inner side outputs unchanged.

use std::cell::Cell;
use std::collections::HashSet;

use super::computed::Computed;
use super::folds::Folds;
use super::planner;
use super::qualified;
use super::session::{Field, Session};
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::{Block, BlockId, Body, From, JoinKind, Output, RelationId, Role, Source};
use crate::types::Planned;

/// The maximum nesting of joins, queries and expressions; beyond it the plan is unknown.
const MAX_PLAN_DEPTH: usize = 200;
/// The maximum number of query expressions that are estimated.
const MOST_ESTIMATES: usize = 100;
/// The maximum number of joins of two paths that are costed, each in all its forms; beyond it the plan is unknown.
/// An unoptimised build takes about 4 µs for each.
const MOST_JOINS: usize = 1_500;

/// What the plan says about a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) nullable: bool,
    pub(super) certain: bool,
}

/// What the plan says about each column; `weighs` is set if it is one of several, by what they cost.
pub(super) fn patches(
    session: &mut Session<'_>,
    fields: &[Field],
    planned: Planned,
    weighs: &mut bool,
) -> Vec<Patch> {
    let mut patches = vec![Patch { nullable: false, certain: true }; fields.len()];
    let (schema, outer) = (session.schema, &session.outer);
    let rewritten = qualified::rewritten(session.query);
    let query = rewritten.as_ref().unwrap_or(session.query);
    let Some(root) = query.root else { return patches };
    let folds = Folds::new(query, schema, &session.types.catalog, planned);
    let reading = Reading::new(query, schema, planned, &folds);
    let Some(outputs) = query.block(root).outputs.as_ref() else {
        // Which output is which column is not followed.
        reading.joined(root);
        let certain = outer.is_empty() && !reading.too_deep.get();
        return vec![Patch { nullable: false, certain }; fields.len()];
    };
    let unknown = Patch { nullable: false, certain: false };
    let (top, plans) = match reading.joined(root) {
        None if reading.too_deep.get() => return vec![unknown; fields.len()],
        None => return patches,
        Some(top) => (top, planner::marked(&reading, top)),
    };
    if reading.too_deep.get() {
        return vec![unknown; fields.len()];
    }
    *weighs = reading.weighs.get() || plans.is_none();
    let leaf = |output: &Output| match top == root {
        true => reading.leaf(&output.expr, 0),
        false => reading.leaf(reading.within(&output.expr, top)?, 0),
    };
    let leaves: Vec<_> = outputs.iter().map(leaf).collect();
    let is_read = |of: &RelationId| plans.iter().flatten().all(|plan| !plan.unread.contains(of));
    let named = |leaf: &Option<(RelationId, String)>| {
        leaf.as_ref().map(|(of, name)| (Some(*of).filter(is_read), name.clone()))
    };
    for (at, (patch, leaf)) in patches.iter_mut().zip(&leaves).enumerate() {
        let is_column = outputs.get(at).is_some_and(|output| matches!(output.expr, Expr::Column(_)));
        if top != root && leaf.is_none() && is_column {
            *patch = unknown;
            continue;
        }
        // Of columns that the plan names alike, sqlx marks the first.
        if leaf.is_some() && leaves.iter().take(at).any(|before| named(before) == named(leaf)) {
            continue;
        }
        let relation = leaf.as_ref().map(|(relation, _)| *relation);
        let computed = match outputs.get(at) {
            Some(output) if top == root => reading.computed(&output.expr, outer),
            _ => Computed::No,
        };
        match (&plans, computed) {
            (Some(plans), Computed::No) => {
                let marked = plans.iter().filter(|plan| plan.marks(relation)).count();
                let is_sure = marked == plans.len() && !reading.maybe_above.get();
                *patch = Patch { nullable: marked > 0, certain: marked == 0 || is_sure };
            }
            (Some(plans), Computed::Of { relations, is_known, is_wrapped }) => {
                let marked: Vec<_> =
                    plans.iter().map(|plan| plan.marks_computed(&relations, is_wrapped)).collect();
                let is_never = marked.iter().all(|marked| *marked == Some(false));
                let is_sure = is_known && !reading.maybe_above.get();
                let is_always = is_sure && marked.iter().all(|marked| *marked == Some(true));
                *patch = Patch { nullable: !is_never, certain: is_never || is_always };
            }
            (None, computed) => {
                let is_outer = relation.is_some_and(|relation| outer.contains(&relation));
                let is_plain = relation.is_none() && matches!(computed, Computed::No);
                *patch = Patch { nullable: is_outer, certain: is_plain };
            }
        }
    }
    // What is not known may also leave nothing to join.
    if folds.is_doubted() && patches.iter().any(|patch| patch.nullable || !patch.certain) {
        return vec![unknown; fields.len()];
    }
    patches
}

/// A query whose plan is read.
pub(super) struct Reading<'q> {
    pub(super) query: &'q Query,
    pub(super) schema: &'q Schema,
    pub(super) planned: Planned,
    pub(super) folds: &'q Folds<'q>,
    depth: Cell<usize>,
    too_deep: Cell<bool>,
    estimates: Cell<usize>,
    joined: Cell<usize>,
    /// Whether something may be above the joins in the plan.
    maybe_above: Cell<bool>,
    /// Whether plans were weighed against each other by what they cost.
    pub(super) weighs: Cell<bool>,
}

impl<'q> Reading<'q> {
    fn new(query: &'q Query, schema: &'q Schema, planned: Planned, folds: &'q Folds<'q>) -> Reading<'q> {
        Reading {
            query,
            schema,
            planned,
            folds,
            depth: Cell::new(0),
            too_deep: Cell::new(false),
            estimates: Cell::new(0),
            joined: Cell::new(0),
            maybe_above: Cell::new(false),
            weighs: Cell::new(false),
        }
    }

    /// Whether another query expression may be estimated; with many, the rest are unknown.
    pub(super) fn may_estimate(&self) -> bool {
        self.estimates.set(self.estimates.get() + 1);
        self.estimates.get() <= MOST_ESTIMATES
    }

    /// Whether two sides may still be joined, one by one of their paths; with many, the plan is unknown.
    pub(super) fn may_join(&self, paths: usize) -> bool {
        self.joined.set(self.joined.get().saturating_add(paths));
        self.joined.get() <= MOST_JOINS
    }

    /// Runs work one level deeper; `None` if that is too deep.
    pub(super) fn deeper<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        if self.depth.get() >= MAX_PLAN_DEPTH {
            self.too_deep.set(true);
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let done = work();
        self.depth.set(self.depth.get() - 1);
        Some(done)
    }

    /// The block whose joins are at the top of a block's plan: nothing is done with their rows, and something is
    /// read at all. It is the block itself, or one that the planner plans by itself below it.
    fn joined(&self, id: BlockId) -> Option<BlockId> {
        let block = self.query.block(id);
        let Body::Select(select) = &block.body else { return None };
        if !keeps_rows(block) {
            return None;
        }
        match self.is_limited(block) {
            Some(true) => return None,
            Some(false) => {}
            None => self.maybe_above.set(true),
        }
        let conditions = select.from.iter().flat_map(inner_conditions).chain(block.filters());
        if conditions.into_iter().any(|condition| self.is_never_true(condition, 0)) {
            return None;
        }
        match select.from.as_slice() {
            [From::Relation(only)] => match (self.pulled_up(*only), self.merely_limited(*only)) {
                (Some(inner), _) => {
                    let top = self.deeper(|| self.joined(inner))??;
                    Some(if top == inner { id } else { top })
                }
                (None, Some(inner)) => {
                    if !self.is_trivial(block, *only, inner) {
                        self.maybe_above.set(true);
                    }
                    self.deeper(|| self.joined(inner))?
                }
                (None, None) => {
                    self.too_deep.set(self.too_deep.get() || self.may_be_padded_within(*only));
                    None
                }
            },
            items => {
                let is_join = items.iter().any(|item| matches!(item, From::Join { .. })) || items.len() > 1;
                is_join.then_some(id)
            }
        }
    }

    /// The block of a relation that is not merged into the outer query only for its limit.
    fn merely_limited(&self, id: RelationId) -> Option<BlockId> {
        let inner = match &self.query.relation(id).source {
            Source::Derived(block) | Source::View(_, block) => *block,
            _ => self.inlined(id)?,
        };
        let block = self.query.block(inner);
        (block.order_by.is_empty() && keeps_rows(block)).then_some(inner)
    }

    /// Whether a query does nothing but return the columns of another, so that its scan is left out of the plan.
    fn is_trivial(&self, block: &Block, of: RelationId, inner: BlockId) -> bool {
        let (Some(outputs), Some(columns)) = (&block.outputs, self.query.relation(of).columns.as_deref())
        else {
            return false;
        };
        let is_column = |(at, output): (usize, &Output)| {
            matches!(&output.expr, Expr::Column(column) if column.relation == Some(of)
                && columns.iter().position(|known| known.name == column.name) == Some(at))
        };
        block.filters().is_empty()
            && block.order_by.is_empty()
            && outputs.len() == columns.len()
            && self.query.block(inner).outputs.as_ref().is_some_and(|inner| inner.len() == columns.len())
            && outputs.iter().enumerate().all(is_column)
    }

    /// What an expression is in a block below, if it is a column of that block unchanged.
    fn within(&self, expr: &'q Expr, top: BlockId) -> Option<&'q Expr> {
        let mut expr = expr;
        for _ in 0..32 {
            let Expr::Column(column) = expr else { return None };
            let relation = column.relation?;
            let inner = match &self.query.relation(relation).source {
                Source::Derived(block) | Source::View(_, block) => *block,
                _ => self.inlined(relation)?,
            };
            let columns = self.query.relation(relation).columns.as_deref()?;
            let mut of_name = columns.iter().enumerate().filter(|(_, known)| known.name == column.name);
            let (Some((at, _)), None) = (of_name.next(), of_name.next()) else { return None };
            expr = &self.query.block(inner).outputs.as_ref()?.get(at)?.expr;
            if inner == top {
                return Some(expr);
            }
        }
        None
    }

    /// Whether a number limits the rows, so that the plan has a step for that; NULL and no offset do not. `None` if
    /// only the server's evaluation shows.
    fn is_limited(&self, block: &Block) -> Option<bool> {
        let limits = |expr: &Option<Expr>, is_offset: bool| {
            let Some(expr) = expr.as_ref() else { return Some(false) };
            if self.is_null(expr) {
                return Some(false);
            }
            match expr.without_casts() {
                Expr::Parameter(_) | Expr::Subquery(_) => Some(true),
                Expr::Literal(Literal::Number(text) | Literal::Text(text)) => {
                    text.trim().parse().ok().map(|number: u64| number > 0 || !is_offset)
                }
                _ => None,
            }
        };
        match (limits(&block.limit, false), limits(&block.offset, true)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// Whether an expression is NULL as far as the planner evaluates it in advance.
    pub(super) fn is_null(&self, expr: &Expr) -> bool {
        self.folds.is_null(expr)
    }

    /// Whether a condition is false or NULL, as the planner knows in advance, so that it removes the query.
    pub(super) fn is_never_true(&self, condition: &Expr, depth: usize) -> bool {
        self.folds.is_never_true(condition, depth)
    }

    /// The block that the planner merges into the outer query: a plain SELECT.
    pub(super) fn pulled_up(&self, id: RelationId) -> Option<BlockId> {
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
    pub(super) fn leaves(&self, item: &From, found: &mut HashSet<RelationId>) {
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
    pub(super) fn leaf(&self, expr: &Expr, depth: usize) -> Option<(RelationId, String)> {
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
        // What is planned by itself has columns of its own.
        if self.pulled_up(relation).is_some() { self.leaf(inner, depth + 1) } else { itself }
    }

    /// The block of a CTE that is inlined where it is read.
    pub(super) fn inlined(&self, id: RelationId) -> Option<BlockId> {
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
}

/// Whether a SELECT does nothing with its rows after the joins.
pub(super) fn is_flat(block: &Block) -> bool {
    block.order_by.is_empty() && block.limit.is_none() && block.offset.is_none() && keeps_rows(block)
}

/// Whether a SELECT does at most sort and limit the rows of its joins.
fn keeps_rows(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let grouped = !select.group_by.is_empty() || select.aggregates || select.having.is_some();
    let is_window = |e: &Expr| matches!(e, Expr::Call(call) if call.window);
    let windowed = select.projection.iter().any(|expr| expr.any(is_window));
    !grouped && !block.locks && !windowed && select.distinct.is_none() && !select.set_returning
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
