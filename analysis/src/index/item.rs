//! A table of a join problem: its conditions, and the indexes that match them.

use super::condition::{self, Condition};
use super::problem::{Demand, JoinGraph};
use super::relations::Relations;
use super::searches::{How, MAX_EQUALITY_SELECTIVITY, Searches, Served, Walk};
use super::serve::{By, Indexes};
use super::wanted::{self, Reading, Wanted};
use super::{Access, Hindrance, Verdict, estimate, hindrance};
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op, Test};
use crate::sql::query::{OrderKey, Query, RelationId, Source};

/// A table of the problem.
pub(super) struct Item<'s> {
    pub(super) relation: RelationId,
    pub(super) indexes: Indexes<'s>,
    /// The conditions on its rows.
    pub(super) demands: Vec<&'s Expr>,
    /// Its searchable conditions, matched with its indexes.
    searches: Searches,
    /// Those that compare it with rows of other relations.
    joins: Vec<Join>,
    /// How an index serves it without rows of any other relation.
    alone: Option<Served>,
    /// Disjunctions, each as the searches of its arms.
    pub(super) alternatives: Vec<Vec<Searches>>,
    /// Whether any condition concerns its rows alone, so that they are filtered during the scan.
    pub(super) is_filtered: bool,
    /// Whether its own conditions keep a large part of its rows.
    pub(super) keeps_much: bool,
    /// Why no index can serve one of its conditions.
    hindrance: Option<Hindrance>,
    /// The selectivity of its own conditions.
    pub(super) own_kept: f64,
}

/// A condition that compares a table with rows of others.
struct Join {
    /// The relations whose rows are required.
    needs: Relations,
    /// The position of the first condition with the same operand.
    operand: usize,
    /// The selectivity.
    kept: f64,
}

impl Join {
    fn all(conditions: &[Condition]) -> Vec<Join> {
        let joining = conditions.iter().filter(|condition| !condition.needs.is_empty());
        let joining: Vec<&Condition> = joining.collect();
        let first = |of: &Condition| joining.iter().position(|condition| condition.operand == of.operand);
        let join = |condition: &&Condition| {
            let operand = first(condition).unwrap_or_default();
            Join { needs: condition.needs, operand, kept: condition.kept }
        };
        joining.iter().map(join).collect()
    }
}

/// Whether a disjunction compares one column with several values: SQLite reads it as `x IN (1, 2)`.
fn is_list(arms: &[Expr]) -> bool {
    let column = |arm: &Expr| match arm {
        Expr::Binary { op: Op::Eq, left, right } => left.as_column().or(right.as_column()).cloned(),
        _ => None,
    };
    let first = arms.first().and_then(column);
    first.is_some() && arms.iter().all(|arm| column(arm) == first)
}

/// Collects what is known about a table of the problem, and matches each of its conditions with its indexes.
pub(super) fn item<'s>(
    id: RelationId,
    query: &Query,
    schema: &'s Schema,
    table: &'s crate::schema::Table,
    problem: &'s JoinGraph,
) -> Item<'s> {
    let here: Relations = problem.relations.iter().collect();
    let demands: Vec<&Expr> = problem
        .demands
        .iter()
        .filter(|demand| demand.narrows.as_ref().is_none_or(|narrows| narrows.contains(&id)))
        .map(|demand| &demand.condition)
        .filter(|condition| condition.mentions(id))
        .collect();
    let indexes = Indexes::new(schema, table).asked_for(schema, query, id);
    let mut conditions = Vec::new();
    let mut alternatives = Vec::new();
    for demand in &demands {
        if let Expr::Or(arms) = demand {
            let arm = |arm: &'s Expr| {
                let parts = arm.conjuncts();
                // In a disjunction, PostgreSQL and MySQL test each row they read against the subquery.
                let is_asked =
                    |part: &&Expr| schema.dialect == Dialect::Sqlite || !matches!(part, Expr::InQuery { .. });
                let of = |part| condition::of(query, schema, part, id, here);
                let own = parts.iter().filter(is_asked).flat_map(of).collect();
                // An arm of SQLite has to imply the predicate of a partial index itself.
                let is_alone = schema.dialect == Dialect::Sqlite && !is_list(arms);
                let others = demands.iter().copied().filter(|_| !is_alone);
                let demands: Vec<&Expr> = others.chain(parts).collect();
                Searches::new(&indexes, id, own, &demands)
            };
            alternatives.push(arms.iter().map(arm).collect());
        } else {
            conditions.extend(condition::of(query, schema, demand, id, here));
        }
    }
    // A correlated subquery is evaluated for each row.
    let depends_on_row = |demand: &Demand| {
        let is_correlated = |block| query.block(block).correlated;
        demand.condition.any(|part| part.own_subquery().is_some_and(is_correlated))
    };
    // A column of an outer query is a constant during each run.
    let is_other = |expr: &Expr| {
        let relation = expr.as_column().and_then(|column| column.relation);
        relation.is_some_and(|other| other != id && here.contains(other))
    };
    let own: Vec<&Expr> = demands.iter().filter(|condition| !condition.any(is_other)).copied().collect();
    let hindrance = condition::with_reader(query, schema, id, here, |reader| {
        let of = |demand| {
            hindrance::of(reader, demand)
                .or_else(|| hindrance::of_test(reader, &indexes, demand))
                .or_else(|| hindrance::of_volatile(reader, &indexes, demand))
        };
        demands.iter().copied().find_map(of)
    });
    let mut item = Item {
        hindrance,
        relation: id,
        joins: Join::all(&conditions),
        searches: Searches::new(&indexes, id, conditions, &demands),
        alone: None,
        indexes,
        alternatives,
        is_filtered: !own.is_empty()
            || (problem.relations.len() == 1 && problem.demands.iter().any(depends_on_row)),
        keeps_much: own.iter().map(|condition| estimate::kept(condition, query, schema)).product::<f64>()
            >= MUCH,
        own_kept: estimate::kept_by_all(&own, query, schema),
        demands,
    };
    item.alone = item.search(Relations::NONE);
    item
}

impl Item<'_> {
    /// The best index to search, with the rows of `reached` available.
    pub(super) fn search(&self, reached: Relations) -> Option<Served> {
        let mut found = self.searches.best(&self.indexes, reached);
        // A full scan of a partial index does not serve a disjunction that selects only some of its rows.
        if let Some(Served { how: how @ How::WalkedPartial, by, .. }) = &mut found
            && self.asks_for_some_of(*by)
        {
            *how = How::FilteredPartial;
        }
        if found.is_some_and(|served| matches!(served.how, How::Searched(_))) {
            return found;
        }
        // A disjunction is served if an index serves each of its arms.
        let by_arms = self.alternatives.iter().find_map(|arms| {
            let mut first: Option<Served> = None;
            for arm in arms {
                let served = arm.best(&self.indexes, reached).filter(|served| self.serves_arm(served))?;
                let kept = first.map_or(0.0, |first| first.kept) + served.kept;
                first = Some(Served { kept: kept.min(1.0), ..first.unwrap_or(served) });
            }
            first
        });
        by_arms.or(found)
    }

    /// Whether a disjunction asks for some of the rows of a partial index: not one that is its predicate.
    fn asks_for_some_of(&self, by: By) -> bool {
        let By::Index(at) = by else { return false };
        let dialect = self.indexes.dialect();
        let is_predicate = |demand: &Expr| {
            let index = self.indexes.list().get(at);
            index.is_some_and(|index| index.allowed(dialect, self.relation, &[demand]))
        };
        let disjunctions = self.demands.iter().filter(|demand| matches!(demand, Expr::Or(_)));
        let mut open = disjunctions.zip(&self.alternatives).filter(|(demand, _)| !is_predicate(demand));
        open.any(|(_, arms)| arms.iter().all(Searches::ask_for_some))
    }

    /// Whether an index serves an arm of a disjunction. SQLite searches one for each arm, and scans none.
    fn serves_arm(&self, served: &Served) -> bool {
        let is_searched = matches!(served.how, How::Searched(_));
        served.leads() && (is_searched || self.indexes.dialect() != Dialect::Sqlite)
    }

    /// Whether SQLite makes an index for the run instead of scanning a partial one for each row of others.
    pub(super) fn is_joined_by_value(&self, reached: Relations) -> bool {
        let is_join = |condition: &Condition| {
            !condition.needs.is_empty()
                && reached.contains_all(condition.needs)
                && condition.compare == condition::Compare::Equal
        };
        self.searches.conditions.iter().any(is_join)
    }

    /// Whether the query's own values fix a unique key.
    pub(super) fn is_one_row(&self) -> bool {
        self.alone.is_some_and(|alone| {
            (alone.by == By::Place || self.is_by_unique_key(&alone)) && estimate::ROWS * alone.kept <= 1.0
        })
    }

    /// Whether an index finds at most one row, as all columns of a unique key are compared.
    pub(super) fn is_by_unique_key(&self, served: &Served) -> bool {
        let (By::Index(at), How::Searched(keys)) = (served.by, served.how) else { return false };
        let index = self.indexes.list().get(at).map(|prepared| &prepared.index);
        index.is_some_and(|index| index.unique && index.keys.len() == keys)
    }

    /// How an index serves it without rows of any other relation.
    pub(super) fn alone(&self) -> Option<Served> {
        self.alone
    }

    /// How an index returns its rows in the order of `key`, if one does.
    pub(super) fn ordered(&self, key: &Expr, nulls_turned: bool) -> Option<Walk> {
        self.searches.ordered(&self.indexes, self.relation, key, nulls_turned)
    }

    /// An index that the conditions may or may not be able to search.
    pub(super) fn in_doubt(&self) -> Option<usize> {
        // Each other arm has to be served, maybe with the rows of other tables.
        let may_be_served = |arm: &Searches| {
            arm.in_doubt().is_some()
                || arm.conditions.iter().any(|condition| !condition.needs.is_empty())
                || arm.best(&self.indexes, Relations::NONE).is_some_and(|served| served.leads())
        };
        let of_arms = |arms: &Vec<Searches>| {
            arms.iter().find_map(Searches::in_doubt).filter(|_| arms.iter().all(may_be_served))
        };
        self.searches.in_doubt().or_else(|| self.alternatives.iter().find_map(of_arms))
    }

    /// The conditions that leave few rows.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.searches.conditions.iter().filter(|condition| condition.narrows_rows())
    }

    /// Whether its own conditions ask for few of its rows: those with a value, not those without one.
    pub(super) fn is_narrow(&self) -> bool {
        self.own_kept <= MAX_EQUALITY_SELECTIVITY && self.searches.ask_for_some()
    }

    /// Whether an index contains all of its rows.
    pub(super) fn has_whole_index(&self) -> bool {
        self.indexes.whole()
    }

    /// The expected number of its rows per row of the relations already read.
    pub(super) fn rows(&self, reached: Relations) -> f64 {
        let mut rows = estimate::ROWS * self.own_kept;
        for (at, join) in self.joins.iter().enumerate() {
            let mut before = self.joins.iter().take(at);
            if reached.contains_all(join.needs)
                && !before.any(|it| it.operand == join.operand && reached.contains_all(it.needs))
            {
                rows *= join.kept;
            }
        }
        rows
    }

    /// The index whose end is the `min` or `max` of the query.
    pub(super) fn extreme(&self, problem: &JoinGraph) -> Option<Served> {
        if problem.extremes.is_empty() {
            return None;
        }
        let sqlite = self.indexes.dialect() == Dialect::Sqlite;
        // MySQL goes to the end of an index only for all rows, or for those that the index is searched for.
        let is_filtered_apart = self.indexes.dialect() == Dialect::MySql && !self.demands.is_empty();
        if sqlite && problem.extremes.len() > 1 || is_filtered_apart {
            return None;
        }
        // SQLite walks an index from its end for a join as well.
        let alone = problem.relations.len() == 1 || sqlite;
        let own = |e: &Expr| e.columns().iter().all(|column| column.relation == Some(self.relation));
        if !alone || !problem.extremes.iter().all(own) {
            return None;
        }
        let mut last = None;
        for extreme in &problem.extremes {
            // NULL is ignored by min and max.
            let not_null = Expr::Is { expr: Box::new(extreme.clone()), test: Test::Null, negated: true };
            let mut demands = self.demands.clone();
            demands.push(&not_null);
            let condition = Condition {
                operand: extreme.clone(),
                compare: condition::Compare::NotNull,
                needs: Relations::NONE,
                kept: 1.0,
                one_value: false,
                collation: None,
                against: None,
                by_name: false,
                by_start: false,
            };
            let end = Searches::new(&self.indexes, self.relation, vec![condition], &demands);
            let end = end.best(&self.indexes, Relations::NONE);
            last = Some(end.filter(Served::leads)?);
        }
        last
    }

    /// The indexes that would serve it, with the rows of `reached` available.
    pub(super) fn wanted(&self, schema: &Schema, reached: Relations, problem: &JoinGraph) -> Vec<Wanted> {
        let mut reading = self.reading(schema, reached, problem);
        let is_own =
            |key: &OrderKey| key.expr.columns().iter().all(|column| column.relation == Some(self.relation));
        // What is looked up for each row leaves the order as it is.
        if problem.leads == Some(self.relation) && problem.first_by.iter().all(is_own) {
            reading.order = &problem.first_by;
        }
        reading.wanted()
    }

    pub(super) fn reading<'a>(
        &'a self,
        schema: &'a Schema,
        reached: Relations,
        problem: &'a JoinGraph,
    ) -> Reading<'a> {
        let at_hand =
            |condition: &&Condition| reached.contains_all(condition.needs) && condition.narrows_rows();
        Reading {
            schema,
            table: self.indexes.table(),
            relation: self.relation,
            conditions: self.conditions().filter(at_hand).collect(),
            alternatives: self
                .alternatives
                .iter()
                .map(|arms| arms.iter().map(|arm| arm.conditions.iter().filter(at_hand).collect()).collect())
                .collect(),
            demands: &self.demands,
            order: if problem.relations.len() == 1 { &problem.first_by } else { &[] },
        }
    }

    pub(super) fn access(&self, query: &Query, served: Option<Served>) -> Access {
        let relation = query.relation(self.relation);
        let table = match &relation.source {
            Source::Table(name) | Source::System(name) => name.clone(),
            _ => crate::schema::Name::new(relation.alias.clone()),
        };
        // The planner ignores an index that selects nearly all rows, and would ignore another.
        let passed_over = match self.indexes.dialect() {
            Dialect::Postgres => None,
            Dialect::MySql | Dialect::Sqlite => {
                let is_searched = |alone: &Served| matches!(alone.how, How::Searched(_));
                self.alone.filter(|alone| served.is_none() && is_searched(alone))
            }
        };
        let is_system = matches!(relation.source, Source::System(_));
        let walked = served.filter(|served| !served.leads() && !is_system);
        // A full index scan visits every row.
        let served = served.filter(|_| walked.is_none());
        let verdict = match &served {
            Some(_) => Verdict::Served,
            None if self.is_filtered && self.in_doubt().is_some() => Verdict::Unknown,
            None if self.is_filtered && passed_over.is_none() => Verdict::Unserved,
            None => Verdict::Full,
        };
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
        let why = match (passed_over, walked) {
            (Some(Served { by, .. }), _) => {
                format!("index `{}` leads to nearly all rows", self.indexes.name(by))
            }
            (None, Some(Served { by, how: How::FilteredPartial, .. })) if verdict == Verdict::Unserved => {
                let index = self.indexes.name(by);
                format!(
                    "partial index `{index}` is read from end to end, and its rows are filtered one by one"
                )
            }
            (None, Some(Served { by, .. })) if verdict == Verdict::Unserved => {
                format!(
                    "index `{}` begins with another column, and is read from end to end",
                    self.indexes.name(by)
                )
            }
            (None, _) => self.why(verdict, served, &table),
        };
        Access {
            relation: self.relation,
            alias: relation.alias.clone(),
            verdict,
            is_searchable: !self.alternatives.is_empty()
                || self.demands.iter().any(|demand| is_flag(demand))
                || self.conditions().any(|condition| !wanted::is_condition(&condition.operand)),
            kept: served.as_ref().map_or(1.0, |served| served.kept),
            index: served.map(|served| self.indexes.name(served.by).to_owned()),
            columns,
            why,
            wanted: Vec::new(),
            hindrance: self.hindrance.clone().filter(|_| verdict == Verdict::Unserved),
            span,
            table,
        }
    }
}

/// Whether a condition is a column or its negation, which SQLite evaluates for each row: a partial index serves it.
fn is_flag(condition: &Expr) -> bool {
    match condition {
        Expr::Column(_) => true,
        Expr::Not(inner) => matches!(**inner, Expr::Column(_)),
        _ => false,
    }
}

/// The selectivity from which the first matching row is found quickly by scanning.
const MUCH: f64 = 0.3;
