//! Partial indexes that the planner may use, and what a scan of one costs.

use super::super::plan::Reading;
use super::cost::Search;
use super::estimate::{Filter, Keyed, Leaf};
use super::scans;
use super::tree::{OuterKind, Tree};
use crate::schema::prepared::{self, Predicate};
use crate::schema::{Index, IndexKey};
use crate::sql::expr::{ColumnRef, Expr, Test};
use crate::sql::predicates;
use crate::sql::query::RelationId;

/// How many entries a partial index counts for: it is made on a table without rows, so that the planner takes it for empty,
/// unlike the table itself.
const ENTRIES: f64 = 1.0;

/// A partial index whose predicate the conditions on a relation imply.
#[derive(Debug, Clone)]
pub(super) struct Partial<'q> {
    /// Its position among the indexes of the table.
    at: usize,
    /// The relation without the conditions that the predicate implies in turn: the planner does not check them again.
    rest: Leaf<'q>,
    /// The parts of its predicate, with the part of the rows that satisfies each.
    parts: Vec<(Expr, f64)>,
}

/// An index that scans of a relation may use.
pub(super) struct Usable<'l, 'q> {
    pub(super) index: &'l Index,
    pub(super) leaf: &'l Leaf<'q>,
    partial: Option<&'l Partial<'q>>,
}

impl<'q> Tree<'q> {
    /// Finds the partial indexes that scans may use.
    pub(super) fn find_partial_indexes(&mut self, reading: &Reading<'q>) {
        for at in 0..self.leaves.len() {
            let Some(leaf) = self.leaves.get(at) else { continue };
            match self.partial_indexes(reading, at, leaf) {
                Some(found) => {
                    if let Some(leaf) = self.leaves.get_mut(at) {
                        leaf.partial = found;
                    }
                }
                None => self.is_unmodelled |= !self.has_one_plan(),
            }
        }
    }

    /// The partial indexes that the conditions on a relation allow; `None` if it is not known what one of them costs. A
    /// join by a column demands that it is not NULL, unless it keeps the row.
    fn partial_indexes(&self, reading: &Reading<'q>, at: usize, leaf: &Leaf<'q>) -> Option<Vec<Partial<'q>>> {
        let Some(table) = leaf.table.filter(|_| !leaf.is_dead) else { return Some(Vec::new()) };
        if table.indexes.iter().all(|index| index.predicate.is_none()) {
            return Some(Vec::new());
        }
        let finds =
            self.outer.iter().filter(|join| join.kind != OuterKind::Full && join.right >> at & 1 == 1);
        let clauses = self.clauses.iter().chain(finds.flat_map(|join| &join.on));
        let joined = clauses.filter_map(|clause| clause.equal.as_ref()).flatten().filter(|(of, _)| *of == at);
        let fixed = leaf.filters.iter().filter_map(|filter| match filter {
            Filter::Derived(column) => Some(column),
            Filter::Written(_) => None,
        });
        let present: Vec<Expr> =
            joined.map(|(_, column)| column).chain(fixed).map(|name| is_not_null(leaf.id, name)).collect();
        let written = leaf.filters.iter().filter_map(Filter::written);
        let conditions: Vec<&Expr> = written.chain(&present).collect();
        let mut all = Vec::new();
        for (at, index) in prepared::indexes(reading.schema, table).iter().enumerate() {
            let predicate = match &index.predicate {
                Predicate::None => continue,
                Predicate::Known(predicate) => predicate,
                Predicate::NotUnderstood => return None,
            };
            if !predicates::implied(predicate, &conditions, leaf.id) {
                continue;
            }
            let keys: Vec<&str> = index.index.keys.iter().filter_map(IndexKey::as_column).collect();
            let is_searched = |column: &str| keys.contains(&column);
            // To read all of an inverted index costs more than to read the table.
            if index.index.method == "gin" && !leaf.filters.iter().any(|filter| filter.reads(&is_searched)) {
                continue;
            }
            if index.index.method != "btree" || keys.len() < index.index.keys.len() {
                return None;
            }
            let parts: Vec<&Expr> = predicate.conjuncts().iter().collect();
            let is_same = |filter: &Filter<'q>| {
                filter
                    .written()
                    .is_some_and(|of| parts.iter().any(|part| predicates::same(part, of, leaf.id)))
            };
            // A condition that is weaker than the predicate falls away as well; which those are is not followed.
            let weighty =
                parts.iter().filter(|part| !matches!(part, Expr::Is { test: Test::Null, negated: true, .. }));
            let of_predicate =
                |column: &str| weighty.clone().any(|part| reads(part, &|name: &str| name == column));
            let is_related = |filter: &&Filter<'q>| !is_same(filter) && filter.reads(&of_predicate);
            if leaf.filters.iter().any(|filter| is_related(&filter)) {
                return None;
            }
            let mut rest = leaf.clone();
            rest.filters = leaf.filters.iter().filter(|filter| !is_same(filter)).cloned().collect();
            let weighed = parts.into_iter().map(|part| Some((part.clone(), leaf.selectivity(part, 0)?)));
            all.push(Partial { at, rest, parts: weighed.collect::<Option<_>>()? });
        }
        Some(all)
    }
}

impl<'q> Leaf<'q> {
    /// The B-trees that scans may use.
    pub(super) fn usable(&self) -> impl Iterator<Item = Usable<'_, 'q>> {
        let indexes = self.table.map_or(&[][..], |table| &table.indexes);
        indexes.iter().enumerate().filter(|(_, index)| !index.hidden).filter_map(move |(at, index)| {
            let partial = self.partial.iter().find(|partial| partial.at == at);
            let is_whole = index.predicate.is_none();
            let leaf = partial.map_or(self, |partial| &partial.rest);
            (is_whole || partial.is_some()).then_some(Usable { index, leaf, partial })
        })
    }

    /// Whether conditions imply the predicate of an index, if it has one.
    pub(super) fn may_use(&self, at: usize, index: &Index) -> bool {
        index.predicate.is_none() || self.partial.iter().any(|partial| partial.at == at)
    }
}

impl Usable<'_, '_> {
    /// The search by the conditions on the relation, and by what `joined` knows of a column; `None` if there are none.
    pub(super) fn search(&self, mut joined: impl FnMut(&str) -> Option<Keyed>) -> Option<Search> {
        let mut keyed: Vec<String> = Vec::new();
        let found = scans::search(self.index, |column| {
            let found = joined(column).or_else(|| self.leaf.keyed(column))?;
            keyed.push(column.to_owned());
            Some(found)
        });
        let Some(partial) = self.partial else { return found };
        let mut search = found.unwrap_or(Search::ALL);
        let is_given = |part: &Expr| {
            matches!(part, Expr::Is { expr, test: Test::Null, negated: true }
            if expr.as_column().is_some_and(|column| keyed.contains(&column.name)))
        };
        let kept: f64 =
            partial.parts.iter().filter(|(part, _)| !is_given(part)).map(|(_, kept)| kept).product();
        (search.selectivity, search.bound) = (search.selectivity * kept, search.bound * kept);
        search.entries = ENTRIES;
        Some(search)
    }

    /// The walk from end to end.
    pub(super) fn walk(&self) -> Search {
        let kept = self.partial.iter().flat_map(|partial| &partial.parts).map(|(_, kept)| kept).product();
        let entries = if self.partial.is_some() { ENTRIES } else { f64::INFINITY };
        Search { selectivity: kept, bound: kept, entries, ..Search::ALL }
    }
}

impl<'q> Filter<'q> {
    fn written(&self) -> Option<&'q Expr> {
        match self {
            Filter::Written(expr) => Some(expr),
            Filter::Derived(_) => None,
        }
    }

    fn reads(&self, is_of: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Filter::Written(expr) => reads(expr, is_of),
            Filter::Derived(column) => is_of(column),
        }
    }
}

fn reads(expr: &Expr, is_of: &dyn Fn(&str) -> bool) -> bool {
    expr.any(|part| part.as_column().is_some_and(|column| is_of(&column.name)))
}

fn is_not_null(of: RelationId, name: &str) -> Expr {
    let column = ColumnRef { relation: Some(of), name: name.to_owned(), span: None };
    Expr::Is { expr: Box::new(Expr::Column(column)), test: Test::Null, negated: true }
}
