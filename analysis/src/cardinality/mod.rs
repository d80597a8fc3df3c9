//! How many rows a query can return: at most one, a bounded number, or as many as there are; with the reason.

mod functions;
mod groups;
pub(crate) mod keys;
#[cfg(test)]
mod tests;
mod unique;
mod values;
mod within;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::schema::Schema;
use crate::sql::expr::{Expr, Literal};
use crate::sql::outer_joins::demanded;
use crate::sql::query::{
    Block, BlockId, Body, From, JoinKind, Kind, Query, Relation, RelationId, Role, Select, SetOp, Source,
    Write,
};

/// How many rows there can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rows {
    /// At most one.
    One,
    /// A number that the query's text or its arguments bound.
    Bounded,
    /// As many as there are.
    Many,
}

impl Rows {
    /// The word used in reports: `one`, `bounded` or `many`.
    pub fn as_str(self) -> &'static str {
        match self {
            Rows::One => "one",
            Rows::Bounded => "bounded",
            Rows::Many => "many",
        }
    }
}

/// How many rows a query can return, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cardinality {
    /// How many.
    pub rows: Rows,
    /// Why, as a fragment that can be shown: `` `users.id` is the primary key``.
    pub reason: String,
    /// The relations that nothing bounds.
    pub unbounded: Vec<RelationId>,
}

impl Cardinality {
    fn new(rows: Rows, reason: impl Into<String>) -> Cardinality {
        Cardinality { rows, reason: reason.into(), unbounded: Vec::new() }
    }
}

/// How many rows `query` returns. Without a schema no key is known, and only its text bounds it.
pub fn of(query: &Query, schema: Option<&Schema>) -> Cardinality {
    let mut reader = Reader::new(query, schema);
    match (query.kind, query.root) {
        (Kind::Other | Kind::Transaction, _) | (_, None) => {
            Cardinality::new(Rows::Many, "it is not a query of rows")
        }
        (_, Some(root)) => reader.block(root),
    }
}

/// How many rows a block has before its own LIMIT and OFFSET take some of them.
pub fn before_limit(query: &Query, schema: Option<&Schema>, id: BlockId) -> Cardinality {
    let mut reader = Reader::new(query, schema);
    reader.body(query.block(id))
}

/// How many rows a block reads: those of its FROM that its WHERE keeps, before it groups or aggregates them.
pub fn read(query: &Query, schema: Option<&Schema>, id: BlockId) -> Cardinality {
    let mut reader = Reader::new(query, schema);
    let block = query.block(id);
    let filters: Vec<&Expr> = block.filters().iter().collect();
    reader.joined(block.from(), &filters)
}

/// A join as far as its relations are bounded.
struct Join {
    here: Vec<RelationId>,
    /// The bounded ones, with how many rows of each there are.
    levels: BTreeMap<RelationId, Rows>,
    reasons: Vec<String>,
    /// Whether rows without a partner are added on both sides.
    full: bool,
}

struct Reader<'q> {
    query: &'q Query,
    schema: Option<&'q Schema>,
    known: BTreeMap<BlockId, Cardinality>,
    /// How many blocks are being looked at, each for the one before.
    depth: usize,
    /// How often conditions were followed into a query.
    followed: usize,
    /// The collation by which the key at hand tells its values apart.
    key_collation: Option<String>,
    /// Whether a table of the query has a unique index that is partial, once somebody has asked.
    partial_keys: OnceCell<bool>,
}

/// So many conditions with alternatives, and so many alternatives of each, are looked at one by one.
const MOST_ALTERNATIVES: usize = 16;

/// How deep subqueries, and CTEs that read CTEs, are followed.
const DEEPEST_BLOCK: usize = 64;

impl<'q> Reader<'q> {
    fn new(query: &'q Query, schema: Option<&'q Schema>) -> Reader<'q> {
        Reader {
            query,
            schema,
            known: BTreeMap::new(),
            depth: 0,
            followed: 0,
            key_collation: None,
            partial_keys: OnceCell::new(),
        }
    }

    fn has_partial_keys(&self) -> bool {
        let is_partial = |relation: &Relation| match &relation.source {
            Source::Table(name) => self.schema.and_then(|schema| schema.stored(name)).is_some_and(|table| {
                table.indexes.iter().any(|index| index.unique && index.predicate.is_some())
            }),
            _ => false,
        };
        *self.partial_keys.get_or_init(|| self.query.relations.iter().any(is_partial))
    }
}

impl Reader<'_> {
    fn block(&mut self, id: BlockId) -> Cardinality {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        // A block that is being looked at refers to itself: a recursive CTE.
        self.known.insert(id, Cardinality::new(Rows::Many, "it is recursive"));
        if self.depth >= DEEPEST_BLOCK {
            return Cardinality::new(Rows::Many, "its subqueries are nested too deep");
        }
        self.depth += 1;
        let found = self.limited(id);
        self.depth -= 1;
        self.known.insert(id, found.clone());
        found
    }

    fn limited(&mut self, id: BlockId) -> Cardinality {
        let block = self.query.block(id);
        if matches!(block.role, Role::Cte { recursive: true, .. }) && block.limit.is_none() {
            return Cardinality::new(Rows::Many, "it is recursive");
        }
        let body = self.body(block);
        if body.rows == Rows::One {
            return body;
        }
        match block.limit.as_ref().map(Expr::without_casts) {
            Some(Expr::Literal(Literal::Number(n))) if matches!(n.as_str(), "0" | "1") => {
                Cardinality::new(Rows::One, format!("LIMIT {n}"))
            }
            Some(limit) if matches!(block.body, Body::Select(_) | Body::Set { .. } | Body::Values(_)) => {
                Cardinality::new(Rows::Bounded, format!("LIMIT {limit}"))
            }
            _ => body,
        }
    }

    fn body(&mut self, block: &Block) -> Cardinality {
        match &block.body {
            Body::Select(select) => self.select(select),
            Body::Set { op, left, right, .. } => self.set(*op, *left, *right),
            Body::Values(rows) if rows.len() <= 1 => Cardinality::new(Rows::One, "one row of VALUES"),
            Body::Values(_) => Cardinality::new(Rows::Bounded, "VALUES"),
            Body::Write(write) => self.write(write),
            Body::Unknown => Cardinality::new(Rows::Many, "it is not understood"),
        }
    }

    fn set(&mut self, op: SetOp, left: BlockId, right: BlockId) -> Cardinality {
        let (left, right) = (self.block(left), self.block(right));
        match op {
            SetOp::Except => left,
            SetOp::Intersect => {
                if left.rows <= right.rows {
                    left
                } else {
                    right
                }
            }
            SetOp::Union => {
                let mut larger = if left.rows >= right.rows { left.clone() } else { right.clone() };
                if larger.rows == Rows::One {
                    larger = Cardinality::new(Rows::Bounded, "each arm of the union returns at most one row");
                }
                if left.rows == right.rows {
                    larger.unbounded = left.unbounded.into_iter().chain(right.unbounded).collect();
                }
                larger
            }
        }
    }

    fn write(&mut self, write: &Write) -> Cardinality {
        if write.returning.is_none() {
            return Cardinality::new(Rows::One, "it returns no rows");
        }
        match write.source {
            Some(source) => self.block(source),
            None if write.from.is_empty() => Cardinality::new(Rows::One, "one row is inserted"),
            None => self.joined(&write.from, &conjuncts(write.filter.as_ref())),
        }
    }

    fn select(&mut self, select: &Select) -> Cardinality {
        if select.aggregates && select.group_by.is_empty() && !select.set_returning {
            return Cardinality::new(Rows::One, "an aggregate without GROUP BY");
        }
        if select.from.is_empty() {
            return if select.set_returning {
                Cardinality::new(Rows::Bounded, "its arguments are all it reads")
            } else {
                Cardinality::new(Rows::One, "it reads no table")
            };
        }
        let filters = select.filter.as_ref().map_or(&[][..], Expr::conjuncts);
        let join = self.join(&select.from, &filters.iter().collect::<Vec<_>>());
        let mut found = self.rows_of(&join);
        if !select.grouping_sets && self.have_one_value(&select.group_by, filters, &join) {
            found = Cardinality::new(Rows::One, "it groups by what has one value");
        } else if let Some(on) = &select.distinct
            && (!on.is_empty() || is_plain(select))
            && self.have_one_value(if on.is_empty() { &select.projection } else { on }, filters, &join)
        {
            found = Cardinality::new(Rows::One, "it keeps one row of each value, and there is one");
        } else if found.rows > Rows::One
            && !select.grouping_sets
            && self.groups_come_from_one_row(select, &join)
        {
            found = Cardinality::new(Rows::One, "it groups by what one row says");
        } else if found.rows == Rows::Many
            && self.groups_are_of(select, &join, &|id| join.levels.contains_key(&id))
        {
            found = Cardinality::new(Rows::Bounded, "what it groups by is bounded");
        }
        if (select.set_returning || select.grouping_sets) && found.rows == Rows::One {
            found.rows = Rows::Bounded;
        }
        found
    }

    /// How many rows a join has: each relation is at most one row for each of those that determine its key.
    fn joined(&mut self, from: &[From], outer: &[&Expr]) -> Cardinality {
        let join = self.join(from, outer);
        self.rows_of(&join)
    }

    /// Which relations of a join are bounded, and by what.
    fn join(&mut self, from: &[From], outer: &[&Expr]) -> Join {
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

    fn rows_of(&self, join: &Join) -> Cardinality {
        let Join { here, levels, reasons, full } = join;
        let unbounded: Vec<RelationId> = here.iter().copied().filter(|id| !levels.contains_key(id)).collect();
        if let Some(first) = unbounded.first() {
            let reason = match self.query.relation(*first).alias.as_str() {
                "" => "nothing bounds the rows it reads".to_owned(),
                alias => format!("nothing bounds the rows of `{alias}`"),
            };
            return Cardinality { rows: Rows::Many, reason, unbounded };
        }
        let rows = levels.values().copied().max().unwrap_or(Rows::One);
        let rows = if *full { rows.max(Rows::Bounded) } else { rows };
        Cardinality::new(rows, reasons.join(", "))
    }

    /// How many rows of a relation there are for the relations already bounded, if that is bounded.
    fn relation(
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
                // Its rows come for each of the rows that its arguments are taken from.
                let of = args.iter().map(|arg| self.determined(arg, here, levels));
                let of = of.collect::<Option<Vec<Rows>>>()?.into_iter().max().unwrap_or(Rows::One);
                Some((rows.max(of), format!("`{name}` returns what its arguments hold")))
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

    /// How many rows a query behind a relation has for the relations already bounded.
    fn of_query(
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
                (true, false) => None,
            };
        }
        let grouped = self.grouped(block, id, conditions, here, levels);
        grouped.or_else(|| self.within(block, id, conditions, here, levels))
    }

    /// A derived table that groups is unique in its groups.
    fn grouped(
        &mut self,
        block: BlockId,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        let block = self.query.block(block);
        let Body::Select(select) = &block.body else { return None };
        let keys = match &select.distinct {
            Some(on) if !on.is_empty() => on,
            _ if select.set_returning => return None,
            _ => &select.group_by,
        };
        if keys.is_empty() {
            return None;
        }
        let outputs = block.outputs.as_ref()?;
        let columns = self.query.relation(id).columns.as_ref()?;
        let names: Option<Vec<&str>> = keys
            .iter()
            .map(|key| {
                let at = outputs.iter().position(|output| output.expr == *key)?;
                columns.get(at).map(|column| column.name.as_str())
            })
            .collect();
        let rows = self.all_determined(&names?, id, conditions, here, levels)?;
        Some((rows, "each group is one row".to_owned()))
    }
}

/// Whether a SELECT returns its rows as they are, and each of its columns is known.
fn is_plain(select: &Select) -> bool {
    select.star.is_none() && !select.aggregates && select.group_by.is_empty()
}

fn conjuncts(filter: Option<&Expr>) -> Vec<&Expr> {
    filter.map(|filter| filter.conjuncts().iter().collect()).unwrap_or_default()
}

/// The conditions that restrict the rows of each relation: WHERE, and ON where an outer join does not undo it.
fn gather<'q>(
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
            // WHERE may leave out the rows that an outer join makes up.
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
                JoinKind::Inner | JoinKind::Cross => (with_on.as_slice(), with_on.as_slice()),
                JoinKind::Left => (inherited, with_on.as_slice()),
                JoinKind::Right => (with_on.as_slice(), inherited),
                JoinKind::Full => {
                    // Rows without a partner are added; where all are partners there are none.
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
