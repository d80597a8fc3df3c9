//! In which order tables can be read: a table is reached when an index is searched by constants, or by columns of tables
//! that are reached already. When none is left that can be, one table has to be read in full, and then the rest again.

use super::advise::{self, Wanted};
use super::condition::{self, Condition};
use super::problem::{Demand, Problem};
use super::serve::{How, Indexes, Served};
use super::{Access, Verdict};
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op, Test};
use crate::sql::query::{Query, RelationId, Source};

/// A table of the problem while it is being solved.
struct Item<'s> {
    relation: RelationId,
    dialect: Dialect,
    indexes: Indexes<'s>,
    /// What the query demands of its rows.
    demands: Vec<&'s Expr>,
    /// The conditions an index may be searched by.
    conditions: Vec<Condition>,
    /// Conditions of which one has to hold, each arm with its own.
    alternatives: Vec<Vec<Vec<Condition>>>,
    verdict: Option<(Verdict, Option<Served>)>,
}

/// Says how each table of a join problem is read.
pub(super) fn solve(query: &Query, schema: &Schema, problem: &Problem) -> Vec<Access> {
    let mut reached: Vec<RelationId> = Vec::new();
    let mut items: Vec<Item<'_>> = Vec::new();
    for id in &problem.relations {
        let table = match &query.relation(*id).source {
            Source::Table(name) => schema.tables.get(name),
            _ => None,
        };
        match table {
            Some(table) => items.push(item(*id, query, schema, table, problem)),
            // Rows that are made by a function or a subquery are at hand.
            None => reached.push(*id),
        }
    }
    loop {
        follow_indexes(&mut items, &mut reached);
        let Some(next) = next_to_read(&items, &reached, problem) else { break };
        let Some(item) = items.get_mut(next) else { break };
        let verdict = if item.is_filtered() { Verdict::Unserved } else { Verdict::Full };
        let verdict = match item.extreme(problem) {
            Some(served) => (Verdict::Served, Some(served)),
            None => (verdict, None),
        };
        item.verdict = Some(verdict);
        reached.push(item.relation);
    }
    items.iter().map(|item| item.access(query, schema)).collect()
}

fn item<'s>(
    id: RelationId,
    query: &Query,
    schema: &'s Schema,
    table: &'s crate::schema::Table,
    problem: &'s Problem,
) -> Item<'s> {
    let here = &problem.relations;
    let demands: Vec<&Demand> = problem
        .demands
        .iter()
        .filter(|demand| demand.narrows.as_ref().is_none_or(|narrows| narrows.contains(&id)))
        .filter(|demand| demand.condition.columns().iter().any(|column| column.relation == Some(id)))
        .collect();
    let mut conditions = Vec::new();
    let mut alternatives = Vec::new();
    for demand in &demands {
        if let Expr::Or(arms) = &demand.condition {
            let arms: Vec<Vec<Condition>> = arms
                .iter()
                .map(|arm| {
                    arm.conjuncts().iter().flat_map(|part| condition::of(query, part, id, here)).collect()
                })
                .collect();
            alternatives.push(arms);
        } else {
            conditions.extend(condition::of(query, &demand.condition, id, here));
        }
    }
    Item {
        relation: id,
        dialect: schema.dialect,
        indexes: Indexes::new(schema, table),
        demands: demands.into_iter().map(|demand| &demand.condition).collect(),
        conditions,
        alternatives,
        verdict: None,
    }
}

/// Reaches every table that an index leads to, until none is left.
fn follow_indexes(items: &mut [Item<'_>], reached: &mut Vec<RelationId>) {
    loop {
        let before = reached.len();
        for item in items.iter_mut().filter(|item| item.verdict.is_none()) {
            if let Some(served) = item.search(reached) {
                item.verdict = Some((Verdict::Served, Some(served)));
                reached.push(item.relation);
            }
        }
        if reached.len() == before {
            return;
        }
    }
}

/// The table that is best read in full: the one from which most others are reached; among equals the one of whose rows
/// fewest are left.
fn next_to_read(items: &[Item<'_>], reached: &[RelationId], problem: &Problem) -> Option<usize> {
    let open = || items.iter().enumerate().filter(|(_, item)| item.verdict.is_none());
    open()
        .max_by_key(|(at, item)| {
            let mut with_it = reached.to_vec();
            with_it.push(item.relation);
            let mut seen = vec![*at];
            loop {
                let more =
                    open().find(|(other, item)| !seen.contains(other) && item.search(&with_it).is_some());
                let Some((other, item)) = more else { break };
                seen.push(other);
                with_it.push(item.relation);
            }
            (seen.len(), item.selectivity(problem), std::cmp::Reverse(*at))
        })
        .map(|(at, _)| at)
}

impl Item<'_> {
    /// An index that leads to its rows, with the rows of `reached` at hand.
    fn search(&self, reached: &[RelationId]) -> Option<Served> {
        let at_hand = |condition: &&Condition| condition.needs.iter().all(|id| reached.contains(id));
        let usable: Vec<&Condition> = self.conditions.iter().filter(at_hand).collect();
        if let Some(served) = self.indexes.search(self.relation, &usable, &self.demands) {
            return Some(served);
        }
        // A disjunction is served when an index leads to each of its arms.
        self.alternatives.iter().find_map(|arms| {
            let mut first = None;
            for arm in arms {
                let usable: Vec<&Condition> = arm.iter().filter(at_hand).collect();
                let served = self.indexes.search(self.relation, &usable, &self.demands)?;
                first = first.or(Some(served));
            }
            first
        })
    }

    /// Whether something is demanded of its rows alone, so that they are filtered as they are read.
    fn is_filtered(&self) -> bool {
        self.demands.iter().any(|condition| {
            condition
                .columns()
                .iter()
                .all(|column| column.relation == Some(self.relation) || column.relation.is_none())
        })
    }

    /// How much its own filters leave out, as Postgres guesses without statistics: `-10 ln` of the part that is kept.
    fn selectivity(&self, problem: &Problem) -> u32 {
        let own = |condition: &&&Expr| {
            condition.columns().iter().all(|column| column.relation.is_none_or(|id| id == self.relation))
        };
        let filters: u32 =
            self.demands.iter().filter(own).map(|condition| left_out(condition, self.dialect)).sum();
        // An index walked in the wanted order up to the limit leaves most rows unread.
        let in_order = problem.order.as_ref().is_some_and(|order| {
            order.as_column().is_some_and(|column| column.relation == Some(self.relation))
                && self.indexes.walk(self.relation, order)
        });
        filters + if in_order { WALKED_IN_ORDER } else { 0 }
    }

    /// The index whose end is the `min` or `max` that is wanted.
    fn extreme(&self, problem: &Problem) -> Option<Served> {
        if problem.relations.len() != 1 || problem.extremes.is_empty() {
            return None;
        }
        let mut last = None;
        for extreme in &problem.extremes {
            // NULL is neither the least nor the greatest, and is left out.
            let not_null = Expr::Is { expr: Box::new(extreme.clone()), test: Test::Null, negated: true };
            let mut demands = self.demands.clone();
            demands.push(&not_null);
            let condition = Condition {
                operand: extreme.clone(),
                compare: condition::Compare::NotNull,
                needs: Vec::new(),
            };
            last = Some(self.indexes.search(self.relation, &[&condition], &demands)?);
        }
        last
    }

    fn access(&self, query: &Query, schema: &Schema) -> Access {
        let relation = query.relation(self.relation);
        let table = match &relation.source {
            Source::Table(name) => name.clone(),
            _ => crate::schema::Name::new(relation.alias.clone()),
        };
        let (verdict, served) = self.verdict.clone().unwrap_or((Verdict::Unknown, None));
        let mut columns: Vec<String> = Vec::new();
        let mut span = None;
        for condition in &self.demands {
            for column in condition.columns() {
                if column.relation == Some(self.relation) && !columns.contains(&column.name) {
                    columns.push(column.name.clone());
                    span = span.or(column.span);
                }
            }
        }
        let why = self.why(verdict, served.as_ref(), &table);
        let wanted: Option<Wanted> = (verdict == Verdict::Unserved)
            .then(|| advise::wanted(schema, &table, self.relation, &self.conditions))
            .flatten();
        Access {
            relation: self.relation,
            alias: relation.alias.clone(),
            verdict,
            index: served.map(|served| served.index),
            columns,
            why,
            wanted,
            span,
            table,
        }
    }

    fn why(&self, verdict: Verdict, served: Option<&Served>, table: &crate::schema::Name) -> String {
        match (verdict, served) {
            (Verdict::Served, Some(Served { index, how: How::WalkedPartial })) => {
                format!("partial index `{index}` holds only rows that the query asks for")
            }
            (Verdict::Served, Some(Served { index, how: How::WalkedWhole })) => {
                format!("index `{index}` is searched by a column behind its first, from end to end")
            }
            (Verdict::Served, Some(Served { index, .. })) => format!("index `{index}` is searched"),
            (Verdict::Full, _) => format!("the query asks for every row of `{table}`"),
            (Verdict::Unserved, _) => match self.demands.first() {
                Some(first) if self.conditions.is_empty() && self.alternatives.is_empty() => {
                    format!("`{}` is not a condition an index can be searched by", shortened(first))
                }
                _ => format!("no index of `{table}` begins with what the query compares"),
            },
            _ => "the table is not in the schema".to_owned(),
        }
    }
}

/// A row in two hundred.
const ONE_VALUE: u32 = 53;
/// A row in three.
const ONE_SIDE: u32 = 11;
/// Every other row.
const ONE_OF_TWO: u32 = 7;
/// What is not read behind the limit is worth about as much as a condition on both sides.
const WALKED_IN_ORDER: u32 = 30;

/// How much a condition leaves out: Postgres takes `=` to keep one row in 200, `<` one in three, and so on.
fn left_out(condition: &Expr, dialect: Dialect) -> u32 {
    match condition {
        Expr::Binary { op: Op::Eq | Op::Same, .. }
        | Expr::Any { all: false, .. }
        | Expr::Between { negated: false, .. } => ONE_VALUE,
        Expr::InList { negated: false, .. } | Expr::Like { negated: false, .. } => ONE_VALUE,
        // SQLite takes it for no more than any other condition it knows nothing of.
        Expr::Is { test: Test::Null, .. } if dialect == Dialect::Sqlite => 0,
        Expr::Is { test: Test::Null, negated: false, .. } => ONE_VALUE,
        Expr::Binary { op: Op::NotEq | Op::NotSame, .. }
        | Expr::InList { .. }
        | Expr::Is { test: Test::Null, .. } => 0,
        Expr::Column(_) | Expr::Not(_) | Expr::Is { .. } => ONE_OF_TWO,
        Expr::And(all) => all.iter().map(|part| left_out(part, dialect)).sum(),
        Expr::Or(any) => any.iter().map(|part| left_out(part, dialect)).min().unwrap_or(0),
        _ => ONE_SIDE,
    }
}

fn shortened(expr: &Expr) -> String {
    let text = expr.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}
