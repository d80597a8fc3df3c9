//! Rows of joins: each relation adds at most one row for every row that determines its key.

use std::collections::BTreeMap;

use super::{Cardinality, Join, Reader, Rows, functions};
use crate::sql::expr::{Expr, Literal};
use crate::sql::outer_joins::demanded;
use crate::sql::query::{BlockId, From, JoinKind, RelationId, Source};

impl Reader<'_> {
    /// How many rows a join has: each relation adds at most one row for every row that determines its key.
    pub(super) fn joined(&mut self, from: &[From], outer: &[&Expr]) -> Cardinality {
        let join = self.join(from, outer);
        self.rows_of(&join)
    }

    /// Which relations of a join are bounded, and how.
    pub(super) fn join(&mut self, from: &[From], outer: &[&Expr]) -> Join {
        let mut sides = Vec::new();
        let mut full = false;
        for item in from {
            gather(item, outer, &mut sides, &mut full);
        }
        let here: Vec<RelationId> = sides.iter().map(|(id, _)| *id).collect();
        let mut levels: BTreeMap<RelationId, Rows> = BTreeMap::new();
        let mut reasons: Vec<String> = Vec::new();
        loop {
            let before = levels.len();
            for (id, conditions) in &sides {
                if levels.contains_key(id) {
                    continue;
                }
                if let Some((rows, reason)) = self.relation(*id, conditions, &here, &levels) {
                    levels.insert(*id, rows);
                    reasons.push(reason);
                }
            }
            if levels.len() == before {
                break;
            }
        }
        Join { here, levels, reasons, full }
    }

    pub(super) fn rows_of(&self, join: &Join) -> Cardinality {
        let Join { here, levels, reasons, full } = join;
        let unbounded: Vec<RelationId> = here.iter().copied().filter(|id| !levels.contains_key(id)).collect();
        if let Some(first) = unbounded.first() {
            let reason = match self.told_name(*first).as_str() {
                "" => "nothing bounds the rows it reads".to_owned(),
                name => format!("nothing bounds the rows of `{name}`"),
            };
            return Cardinality { rows: Rows::Many, reason, unbounded };
        }
        let rows = levels.values().copied().max().unwrap_or(Rows::One);
        let rows = if *full { rows.max(Rows::Bounded) } else { rows };
        Cardinality::new(rows, reasons.join(", "))
    }

    /// The name of a relation's table; its alias where that says which one is meant, or it is not a table.
    fn told_name(&self, id: RelationId) -> String {
        let relation = self.query.relation(id);
        let Source::Table(name) = &relation.source else { return relation.alias.clone() };
        let is_same = |other: &Source| matches!(other, Source::Table(other) if other == name);
        let alike = self.query.relations.iter().filter(|other| is_same(&other.source));
        if alike.count() > 1 { relation.alias.clone() } else { name.to_string() }
    }

    /// How many rows of a relation match the relations that are already bounded; `None` if unbounded.
    pub(super) fn relation(
        &mut self,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        let relation = self.query.relation(id);
        match &relation.source {
            Source::Cte(block) | Source::Derived(block) | Source::View(_, block) => {
                self.of_query(*block, id, conditions, here, levels)
            }
            Source::Function(..) if relation.inlined.is_some() => {
                let block = relation.inlined?;
                self.of_query(block, id, conditions, here, levels)
            }
            Source::Function(name, args) => {
                let rows = functions::rows(name, args, self.schema)?;
                // It returns rows for each row that its arguments come from.
                let of = args.iter().map(|arg| self.determined(arg, here, levels));
                let of = of.collect::<Option<Vec<Rows>>>()?.into_iter().max().unwrap_or(Rows::One);
                Some((rows.max(of), format!("`{name}` returns the elements of its arguments")))
            }
            Source::Table(_) => {
                let schema = self.schema?;
                let Source::Table(name) = &relation.source else { return None };
                let table = schema.stored(name)?;
                let by_key = |reader: &mut Self, conditions: &[&Expr]| {
                    reader.by_key(table, schema, id, conditions, here, levels)
                };
                by_key(self, conditions).or_else(|| self.by_alternatives(conditions, by_key))
            }
            Source::System(_) | Source::Pseudo | Source::Unknown => None,
        }
    }

    /// How many rows the query behind a relation has, given the relations that are already bounded.
    pub(super) fn of_query(
        &mut self,
        block: BlockId,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        let found = self.block(block);
        if found.rows != Rows::Many {
            let correlated = self.query.block(block).correlated;
            let level = levels.values().copied().max().unwrap_or(Rows::One);
            return match (correlated, here.iter().all(|other| *other == id || levels.contains_key(other))) {
                (false, _) => Some((found.rows, found.reason)),
                (true, true) => Some((found.rows.max(level), found.reason)),
                // It has as many rows for each of those that it names, whatever is joined to it.
                (true, false) => {
                    let named = self.outer_relations(block)?;
                    let levels = named.iter().filter(|outer| here.contains(outer)).map(|it| levels.get(it));
                    let level = levels.collect::<Option<Vec<_>>>()?.into_iter().copied().max();
                    Some((found.rows.max(level.unwrap_or(Rows::One)), found.reason))
                }
            };
        }
        self.grouped(block, id, conditions, here, levels)
            .or_else(|| self.within(block, id, conditions, here, levels))
            .or_else(|| self.numbered(block, id, conditions, here, levels))
    }
}

/// The relations of a FROM whose rows no outer join replaces by NULL.
pub(super) fn kept_relations(from: &[From], filters: &[Expr]) -> Vec<RelationId> {
    let mut kept = Vec::new();
    let mut left: Vec<&From> = from.iter().collect();
    while let Some(item) = left.pop() {
        match item {
            From::Relation(id) => kept.push(*id),
            From::Join { kind, left: one, right: other, .. } => {
                let is_kept =
                    |side: &From, others: [JoinKind; 2]| !others.contains(kind) || demanded(side, filters);
                if is_kept(one, [JoinKind::Right, JoinKind::Full]) {
                    left.push(one);
                }
                if is_kept(other, [JoinKind::Left, JoinKind::Full]) {
                    left.push(other);
                }
            }
        }
    }
    kept
}

/// The conditions that restrict each relation: those of WHERE, and those of ON unless an outer join voids
/// them.
pub(super) fn gather<'q>(
    from: &'q From,
    inherited: &[&'q Expr],
    sides: &mut Vec<(RelationId, Vec<&'q Expr>)>,
    full: &mut bool,
) {
    match from {
        From::Relation(id) => sides.push((*id, inherited.to_vec())),
        From::Join { kind, left, right, on } => {
            let with_on: Vec<&Expr> =
                inherited.iter().copied().chain(on.iter().flat_map(|on| on.conjuncts())).collect();
            // WHERE may remove the unmatched rows that an outer join adds.
            let demands = |side: &From| demanded(side, inherited.iter().copied());
            let kind = match kind {
                JoinKind::Left if demands(right) => JoinKind::Inner,
                JoinKind::Right if demands(left) => JoinKind::Inner,
                JoinKind::Full => match (demands(left), demands(right)) {
                    (true, true) => JoinKind::Inner,
                    (true, false) => JoinKind::Left,
                    (false, true) => JoinKind::Right,
                    (false, false) => JoinKind::Full,
                },
                kind => *kind,
            };
            let (for_left, for_right) = match kind {
                JoinKind::Inner | JoinKind::Cross | JoinKind::Straight => {
                    (with_on.as_slice(), with_on.as_slice())
                }
                JoinKind::Left => (inherited, with_on.as_slice()),
                JoinKind::Right => (with_on.as_slice(), inherited),
                JoinKind::Full => {
                    // Unmatched rows are added; with ON TRUE there are none.
                    let always = matches!(on, Some(Expr::Literal(Literal::Bool(true))));
                    *full = *full || !always;
                    (inherited, inherited)
                }
            };
            gather(left, for_left, sides, full);
            gather(right, for_right, sides, full);
        }
    }
}

pub(super) fn conjuncts(filter: Option<&Expr>) -> Vec<&Expr> {
    filter.map(|filter| filter.conjuncts().iter().collect()).unwrap_or_default()
}
