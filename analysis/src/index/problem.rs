//! Join problems: the tables that a planner orders together, with the conditions on them.
//!
//! This does what PostgreSQL and SQLite do before they look at indexes: plain subqueries are pulled up into
//! the outer query, `IN` and `EXISTS` become joins, outer joins become inner joins if a condition rejects
//! unmatched rows, and equalities are propagated from column to column.

use super::blocks::{extremes, is_about_rows, is_plain, is_plain_but_for_limit, wanted_order};
use super::renamed::Renamed;
use super::{derived, plain_order, simplified, text_casts};
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::outer_joins::demanded;
use crate::sql::query::{BlockId, Body, From, JoinKind, OrderKey, Query, RelationId, Role, Select, Source};

/// Joined tables, and the conditions on them.
#[derive(Debug, Default)]
pub(super) struct JoinGraph {
    /// All relations, including those that are not tables.
    pub(super) relations: Vec<RelationId>,
    /// The conditions, each with the relations it can filter; `None` for all that it names.
    pub(super) demands: Vec<Demand>,
    /// The first sort key that is needed: for GROUP BY, DISTINCT or ORDER BY.
    pub(super) order: Option<Expr>,
    /// Whether NULL is wanted at the opposite end from the default of an index.
    pub(super) nulls_turned: bool,
    /// The full order in which the first rows are wanted.
    pub(super) first_by: Vec<OrderKey>,
    /// The relation whose rows keep their order, as the others are only looked up for each: the first of LEFT JOINs.
    pub(super) leads: Option<RelationId>,
    /// Relations that only need to have a matching row (`IN`, `EXISTS`): planners read them after the others.
    pub(super) semi: Vec<Semi>,
    /// Whether the rows are those of a write.
    pub(super) writes: bool,
    /// The `min(x)` or `max(x)` expressions, if the query selects nothing else: the end of an index is
    /// each.
    pub(super) extremes: Vec<Expr>,
    /// Relations that are read after others, because the query says so.
    pub(super) straight: Vec<(Vec<RelationId>, Vec<RelationId>)>,
    /// MySQL: the single table of an UPDATE or DELETE that looks up a column in a subquery. Servers before
    /// MySQL 8.0.21 and MariaDB 11.1 evaluate the subquery for each row.
    pub(super) asks_each_row: Option<RelationId>,
}

/// The relations of an `IN` or `EXISTS`.
#[derive(Debug)]
pub(super) struct Semi {
    pub(super) relations: Vec<RelationId>,
    /// Whether a planner of nested loops looks up each row of the others in it: an `EXISTS` of SQLite, and that of a write
    /// in MySQL, whose SELECT treats it like `IN`.
    pub(super) is_asked: bool,
}

impl Semi {
    /// The relation, if there is one.
    pub(super) fn only(&self) -> Option<RelationId> {
        match self.relations.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// A condition of a join problem.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    pub(super) condition: Expr,
    /// The relations whose rows it filters; excludes the outer side of the outer join that it belongs to.
    pub(super) narrows: Option<Vec<RelationId>>,
}

/// The join problems of a query, one for each block that is planned on its own. A CTE that is inlined for several references
/// is that of the one whose `turn` it is.
pub(super) fn collect(query: &Query, schema: &Schema, turn: usize) -> Vec<JoinGraph> {
    let mut collector =
        Collector { query, schema, turn, taken: vec![false; query.blocks.len()], pushed: Vec::new() };
    let mut problems = Vec::new();
    collector.leave_out_inserted();
    for id in collector.in_order() {
        if !collector.is_taken(id) {
            problems.extend(collector.block(id));
        }
    }
    problems
}

pub(super) struct Collector<'q> {
    pub(super) query: &'q Query,
    pub(super) schema: &'q Schema,
    /// Which reference to a CTE that is named several times stands for it.
    pub(super) turn: usize,
    /// The blocks merged into another block's problem.
    taken: Vec<bool>,
    /// Conditions pushed down from outside into a block, in the block's own terms.
    pub(super) pushed: Vec<(BlockId, Expr)>,
}

/// The first relation of a FROM of LEFT JOINs.
fn leading(from: &[From]) -> Option<RelationId> {
    let [item] = from else { return None };
    let mut item = item;
    loop {
        match item {
            From::Relation(id) => return Some(*id),
            From::Join { kind: JoinKind::Left, left, .. } => item = left,
            From::Join { .. } => return None,
        }
    }
}

/// The relations that the condition of an outer join filters: none of a full one. `None` if it is an inner join, because
/// a filter rejects the rows that it adds.
fn inner_side(kind: JoinKind, left: &From, right: &From, filters: &[&Expr]) -> Option<Vec<RelationId>> {
    let demanded = |side: &From| demanded(side, filters.iter().copied());
    match kind {
        JoinKind::Inner | JoinKind::Cross | JoinKind::Straight => None,
        JoinKind::Left => (!demanded(right)).then(|| right.relations()),
        JoinKind::Right => (!demanded(left)).then(|| left.relations()),
        JoinKind::Full => match (demanded(left), demanded(right)) {
            (true, true) => None,
            (true, false) => Some(right.relations()),
            (false, true) => Some(left.relations()),
            (false, false) => Some(Vec::new()),
        },
    }
}

impl Collector<'_> {
    /// The blocks, each after those that may absorb it. A CTE comes before the blocks that name it, and later
    /// CTEs come before the earlier ones that they name.
    fn in_order(&self) -> Vec<BlockId> {
        let mut order: Vec<(bool, std::cmp::Reverse<Option<BlockId>>, BlockId)> = Vec::new();
        for (id, block) in self.query.block_ids() {
            let mut outermost = None;
            let mut next = Some((id, block));
            while let Some((at, block)) = next {
                if matches!(block.role, Role::Cte { .. }) && self.is_inlined(at) {
                    outermost = Some(at);
                }
                next = block.parent.map(|parent| (parent, self.query.block(parent)));
            }
            order.push((outermost.is_some(), std::cmp::Reverse(outermost), id));
        }
        order.sort_unstable();
        order.into_iter().map(|(.., id)| id).collect()
    }

    /// Leaves out the queries of views into which rows are inserted: what they show is not read.
    fn leave_out_inserted(&mut self) {
        let query = self.query;
        for (_, block) in query.block_ids() {
            let Body::Write(write) = &block.body else { continue };
            if let (true, Source::View(_, view)) =
                (write.from.is_empty(), &query.relation(write.target).source)
            {
                let below = query.block_ids().filter(|(id, _)| query.is_within(*id, *view));
                let below: Vec<BlockId> = below.map(|(id, _)| id).collect();
                self.take(*view);
                below.into_iter().for_each(|id| self.take(id));
            }
        }
    }

    fn is_taken(&self, id: BlockId) -> bool {
        self.taken.get(id.index()).copied().unwrap_or(true)
    }

    fn take(&mut self, id: BlockId) {
        if let Some(taken) = self.taken.get_mut(id.index()) {
            *taken = true;
        }
    }

    /// What is inserted into a view goes into its table: none of the view's query is read.
    fn take_view(&mut self, target: RelationId) {
        let Source::View(_, view) = &self.query.relation(target).source else { return };
        self.take_all(*view);
    }

    /// Takes a block with all that is in it, none of which is read.
    pub(super) fn take_all(&mut self, outer: BlockId) {
        let query = self.query;
        for (id, _) in query.block_ids().filter(|(id, _)| query.is_within(*id, outer)) {
            self.take(id);
        }
    }

    fn block(&mut self, id: BlockId) -> Option<JoinGraph> {
        let block = self.query.block(id);
        let first_by = plain_order::of_first(self.query, self.schema, block);
        let order = wanted_order(block, self.schema.dialect);
        let order = order.map(|order| plain_order::simplified(order, self.query, self.schema));
        let nulls_turned = first_by.first().is_some_and(|key| {
            order.as_ref() == Some(&key.expr) && key.nulls_first.is_some_and(|first| first != key.desc)
        });
        let mut problem = JoinGraph { order, nulls_turned, first_by, ..JoinGraph::default() };
        match &block.body {
            Body::Select(select) => {
                problem.leads = leading(&select.from);
                self.select(select, &mut problem);
                problem.extremes = extremes(select);
            }
            Body::Write(write) => {
                if write.from.is_empty() {
                    self.take_view(write.target);
                    return None;
                }
                problem.writes = !write.is_joined;
                let filters = write.filter.as_ref().map_or(&[] as &[Expr], Expr::conjuncts);
                let asks = filters.iter().any(|part| matches!(part, Expr::InQuery { negated: false, .. }));
                let is_alone = matches!(write.from.as_slice(), [From::Relation(_)]) && !write.is_joined;
                problem.asks_each_row =
                    Some(write.target).filter(|_| self.schema.dialect == Dialect::MySql && is_alone && asks);
                self.joined(&write.from, write.filter.as_ref(), &mut problem);
            }
            Body::Set { left, right, .. } => {
                self.push_into_arms(id, *left, *right);
                return None;
            }
            Body::Values(_) | Body::Unknown => return None,
        }
        let pushed: Vec<Expr> =
            self.pushed.iter().filter(|(to, _)| *to == id).map(|(_, condition)| condition.clone()).collect();
        problem.demands.extend(pushed.into_iter().map(|condition| Demand { condition, narrows: None }));
        text_casts::drop_from(&mut problem, self.query, self.schema);
        derived::follow_equalities(&mut problem, self.query, self.schema);
        derived::extract_from_disjunctions(&mut problem);
        Some(problem)
    }

    fn select(&mut self, select: &Select, problem: &mut JoinGraph) {
        let renamed = self.joined(&select.from, select.filter.as_ref(), problem);
        // HAVING on a grouping key is a condition on the rows.
        if let Some(having) = &select.having {
            for condition in having.conjuncts() {
                if is_about_rows(condition, select, self.schema) {
                    let condition = renamed.apply(condition, self.query);
                    problem.demands.push(Demand { condition, narrows: None });
                }
            }
        }
    }

    /// Adds a FROM with its conditions, and returns what the pulled-up subqueries return.
    fn joined(&mut self, from: &[From], filter: Option<&Expr>, problem: &mut JoinGraph) -> Renamed {
        let filters =
            filter.map(|filter| simplified::conjuncts(filter, self.schema.dialect)).unwrap_or_default();
        let mut renamed = Renamed::default();
        let mut tree: Vec<Demand> = Vec::new();
        let demanded: Vec<&Expr> = filters.iter().collect();
        for item in from {
            self.item(item, &demanded, problem, &mut tree, &mut renamed);
        }
        let mut demands: Vec<Demand> =
            filters.into_iter().map(|condition| Demand { condition, narrows: None }).collect();
        let count = demands.len();
        demands.append(&mut tree);
        if !renamed.outputs.is_empty() {
            for demand in &mut demands {
                demand.condition = renamed.apply(&demand.condition, self.query);
            }
            problem.order = problem.order.take().map(|order| renamed.apply(&order, self.query));
        }
        // A WHERE condition on columns that an outer join pads is tested after the join, not while the table
        // is read.
        let is_padded = |column: &&ColumnRef| column.relation.is_some_and(|id| renamed.padded.contains(&id));
        for demand in demands.iter_mut().take(count) {
            let columns = demand.condition.columns();
            if !columns.is_empty() && columns.iter().all(is_padded) {
                demand.narrows = Some(Vec::new());
            }
        }
        let first = problem.demands.len();
        for demand in demands {
            self.demand(demand, problem);
        }
        // The same for conditions from an EXISTS that was pulled up.
        if !renamed.outputs.is_empty() {
            for demand in problem.demands.iter_mut().skip(first) {
                demand.condition = renamed.apply(&demand.condition, self.query);
            }
        }
        self.push_down(problem);
        renamed
    }

    /// Adds the relations of a FROM item, and the conditions of its joins. The filters are what rows have to pass later.
    fn item(
        &mut self,
        from: &From,
        filters: &[&Expr],
        problem: &mut JoinGraph,
        tree: &mut Vec<Demand>,
        renamed: &mut Renamed,
    ) {
        match from {
            From::Relation(id) => self.relation(*id, problem, tree, renamed),
            From::Join { kind, left, right, on } => {
                let on: Vec<Expr> =
                    on.iter().flat_map(|on| simplified::conjuncts(on, self.schema.dialect)).collect();
                let inner = inner_side(*kind, left, right, filters);
                // It rejects unmatched rows of the joins inside; SQLite only asks the conditions of joins written as inner.
                let is_sqlite = self.schema.dialect == Dialect::Sqlite;
                let asks = |side: &From| match &inner {
                    None => {
                        !is_sqlite || matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Straight)
                    }
                    Some(inner) => !is_sqlite && *inner == side.relations(),
                };
                let below: Vec<&Expr> = filters.iter().copied().chain(&on).collect();
                let (for_left, for_right) = (asks(left), asks(right));
                self.item(left, if for_left { &below } else { filters }, problem, tree, renamed);
                self.item(right, if for_right { &below } else { filters }, problem, tree, renamed);
                if *kind == JoinKind::Straight {
                    let members = |item: &From| renamed.members(&item.relations());
                    problem.straight.push((members(right), members(left)));
                }
                let padded = match &inner {
                    Some(inner) if inner.is_empty() => from.relations(),
                    inner => inner.clone().unwrap_or_default(),
                };
                if !on.is_empty() {
                    renamed.padded.extend(renamed.members(&padded));
                }
                // SQLite reads the left side of a RIGHT or FULL JOIN first, and all of it.
                let reads_left_first = is_sqlite && matches!(kind, JoinKind::Right | JoinKind::Full);
                let inner = if reads_left_first { inner.map(|_| right.relations()) } else { inner };
                for condition in on {
                    let narrows = inner.as_ref().map(|relations| renamed.members(relations));
                    tree.push(Demand { condition, narrows });
                }
            }
        }
    }

    /// Adds one relation; a plain subquery is replaced by its own relations.
    fn relation(
        &mut self,
        id: RelationId,
        problem: &mut JoinGraph,
        tree: &mut Vec<Demand>,
        renamed: &mut Renamed,
    ) {
        let relation = self.query.relation(id);
        let inner = match &relation.source {
            Source::Derived(block) | Source::View(_, block) => Some(*block),
            Source::Cte(block) => (self.is_inlined(*block) && self.is_its_turn(id, *block)).then_some(*block),
            Source::Function(..) => relation.inlined,
            _ => None,
        };
        let Some(inner) = inner.filter(|block| !self.is_taken(*block) && is_plain(self.query.block(*block)))
        else {
            problem.relations.push(id);
            return;
        };
        let Body::Select(select) = &self.query.block(inner).body else { return };
        self.take(inner);
        let mut below = JoinGraph::default();
        let inside = self.joined(&select.from, select.filter.as_ref(), &mut below);
        // Its columns may come from a nested subquery that was pulled up.
        renamed.outputs.extend(inside.outputs);
        renamed.outputs.push((id, inner, below.relations.clone()));
        problem.relations.append(&mut below.relations);
        problem.semi.append(&mut below.semi);
        problem.straight.append(&mut below.straight);
        tree.append(&mut below.demands);
    }

    /// Adds a condition; `IN` and `EXISTS` over a plain subquery become a join.
    fn demand(&mut self, demand: Demand, problem: &mut JoinGraph) {
        let joined = match &demand.condition {
            Expr::InQuery { expr, query, op: Op::Eq, negated: false } => {
                self.semi_join(Some(expr), *query, problem, false)
            }
            Expr::Exists { query, negated } => self.semi_join(None, *query, problem, *negated),
            Expr::Not(inner) => match inner.as_ref() {
                Expr::Exists { query, negated } => self.semi_join(None, *query, problem, !*negated),
                _ => false,
            },
            _ => false,
        };
        if !joined {
            problem.demands.push(demand);
        }
    }

    fn semi_join(
        &mut self,
        expr: Option<&Expr>,
        inner: BlockId,
        problem: &mut JoinGraph,
        anti: bool,
    ) -> bool {
        let block = self.query.block(inner);
        let Body::Select(select) = &block.body else { return false };
        let limit_is_moot = expr.is_none();
        if self.is_taken(inner) || !is_plain_but_for_limit(block, limit_is_moot) || select.from.is_empty() {
            return false;
        }
        // SQLite builds the list of an IN first, and searches for each of its values.
        if expr.is_some() && self.schema.dialect == Dialect::Sqlite {
            return false;
        }
        // An uncorrelated EXISTS is evaluated once.
        if expr.is_none() && !block.correlated {
            return false;
        }
        // A correlated IN cannot be pulled up.
        if expr.is_some() && block.correlated {
            return false;
        }
        let mut below = JoinGraph { writes: problem.writes, ..JoinGraph::default() };
        self.take(inner);
        let inside = self.joined(&select.from, select.filter.as_ref(), &mut below);
        let narrows = anti.then(|| below.relations.clone());
        let mut conditions: Vec<Demand> = below.demands;
        if let Some(expr) = expr {
            let pairs: Vec<(&Expr, &Expr)> = match expr {
                Expr::Row(parts) => parts.iter().zip(&select.projection).collect(),
                other => select.projection.iter().take(1).map(|output| (other, output)).collect(),
            };
            for (left, right) in pairs {
                let right = Box::new(inside.apply(right, self.query));
                let condition = Expr::Binary { op: Op::Eq, left: Box::new(left.clone()), right };
                conditions.push(Demand { condition, narrows: None });
            }
        }
        for condition in &mut conditions {
            if anti && condition.narrows.is_none() {
                condition.narrows.clone_from(&narrows);
            }
        }
        if !anti {
            let is_asked = expr.is_none() && (self.schema.dialect != Dialect::MySql || problem.writes);
            problem.semi.push(Semi { relations: below.relations.clone(), is_asked });
        }
        problem.relations.append(&mut below.relations);
        problem.demands.append(&mut conditions);
        problem.semi.append(&mut below.semi);
        true
    }
}
