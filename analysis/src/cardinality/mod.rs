//! How many rows a query can return, and why: at most one, a bounded number, or unbounded.

mod correlated;
mod functions;
mod groups;
mod joins;
pub(crate) mod keys;
mod numbers;
#[cfg(test)]
mod tests;
mod unique;
mod values;
mod within;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use self::joins::{conjuncts, gather, kept_relations};
use crate::schema::Schema;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::{
    Block, BlockId, Body, Kind, OrderKey, Query, Relation, RelationId, Role, Select, SetOp, Source, Write,
};

/// An upper bound on the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rows {
    /// At most one.
    One,
    /// Bounded by the query's text or its arguments.
    Bounded,
    /// Unbounded.
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
    /// The bound.
    pub rows: Rows,
    /// The reason, as a fragment for messages: `` `users.id` is the primary key``.
    pub reason: String,
    /// The relations that are unbounded.
    pub unbounded: Vec<RelationId>,
}

impl Cardinality {
    fn new(rows: Rows, reason: impl Into<String>) -> Cardinality {
        Cardinality { rows, reason: reason.into(), unbounded: Vec::new() }
    }
}

/// How many rows `query` returns. Without a schema no keys are known, so that only the query's text can bound
/// it.
pub fn of(query: &Query, schema: Option<&Schema>) -> Cardinality {
    let mut reader = Reader::new(query, schema);
    match (query.kind, query.root) {
        (Kind::Other | Kind::Transaction, _) | (_, None) => {
            Cardinality::new(Rows::Many, "it is not a query of rows")
        }
        (_, Some(root)) => reader.block(root),
    }
}

/// How many rows a block has before its own LIMIT and OFFSET.
pub fn before_limit(query: &Query, schema: Option<&Schema>, id: BlockId) -> Cardinality {
    let mut reader = Reader::new(query, schema);
    reader.body(query.block(id))
}

/// How many rows a block reads: the rows of its FROM that pass its WHERE, before grouping and aggregation.
pub fn read(query: &Query, schema: Option<&Schema>, id: BlockId) -> Cardinality {
    let mut reader = Reader::new(query, schema);
    let block = query.block(id);
    let filters: Vec<&Expr> = block.filters().iter().collect();
    reader.joined(block.from(), &filters)
}

/// A join, with the bounds found so far.
struct Join {
    here: Vec<RelationId>,
    /// The bounded relations, each with its bound.
    levels: BTreeMap<RelationId, Rows>,
    reasons: Vec<String>,
    /// Whether it is a FULL join, which adds unmatched rows of both sides.
    full: bool,
}

struct Reader<'q> {
    query: &'q Query,
    schema: Option<&'q Schema>,
    known: BTreeMap<BlockId, Cardinality>,
    /// The nesting depth of the blocks under analysis.
    depth: usize,
    /// How often conditions were pushed down into a query.
    followed: usize,
    /// The collation of the key under analysis.
    key_collation: Option<String>,
    /// Whether the outer columns of a correlated subquery are looked up.
    is_correlated_asked: bool,
    /// Whether any table of the query has a partial unique index; computed on first use.
    partial_keys: OnceCell<bool>,
}

/// The maximum number of conditions with alternatives, and of alternatives in each, that are analysed one by
/// one.
const MOST_ALTERNATIVES: usize = 16;

/// The reason why a union is bounded.
const ONE_EACH: &str = "each arm of the union returns at most one row";

/// The maximum nesting of subqueries, and of CTEs that read CTEs.
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
            is_correlated_asked: false,
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
        // A block that refers to itself while under analysis is a recursive CTE.
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
            Some(Expr::Other { what, .. }) if what == "with ties" => match self.has_no_ties(block) {
                true => Cardinality::new(Rows::Bounded, "FETCH FIRST"),
                false => body,
            },
            Some(limit) if matches!(block.body, Body::Select(_) | Body::Set { .. } | Body::Values(_)) => {
                Cardinality::new(Rows::Bounded, format!("LIMIT {limit}"))
            }
            _ => body,
        }
    }

    /// Whether no two rows of a block are equal in what it is ordered by. NULL equals NULL there, so that only columns
    /// that are never NULL count.
    fn has_no_ties(&mut self, block: &Block) -> bool {
        let Body::Select(select) = &block.body else { return false };
        let kept = kept_relations(&select.from, block.filters());
        let is_never_null = |key: &&OrderKey| {
            let relation = key.expr.as_column().and_then(|column| column.relation);
            relation.is_some_and(|id| kept.contains(&id)) && self.is_never_null(&key.expr)
        };
        let equal = |key: &OrderKey| Expr::Binary {
            op: Op::Eq,
            left: Box::new(key.expr.clone()),
            right: Box::new(Expr::Parameter(0)),
        };
        let equal: Vec<Expr> = block.order_by.iter().filter(is_never_null).map(equal).collect();
        let filters: Vec<&Expr> = block.filters().iter().chain(&equal).collect();
        let is_plain = select.group_by.is_empty() && !select.set_returning;
        is_plain && self.joined(&select.from, &filters).rows == Rows::One
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
                    larger = Cardinality::new(Rows::Bounded, ONE_EACH);
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
            None => {
                let join = self.join(&write.from, &conjuncts(write.filter.as_ref()));
                // A row of the target is written and returned once, whatever it is joined to.
                match join.levels.get(&write.target) {
                    Some(rows) if write.whens.is_empty() => Cardinality::new(*rows, join.reasons.join(", ")),
                    _ => self.rows_of(&join),
                }
            }
        }
    }

    fn select(&mut self, select: &Select) -> Cardinality {
        if select.aggregates && select.group_by.is_empty() && !select.set_returning {
            return Cardinality::new(Rows::One, "an aggregate without GROUP BY");
        }
        if select.from.is_empty() {
            return match self.rows_per_row(select) {
                _ if !select.set_returning => Cardinality::new(Rows::One, "it reads no table"),
                Some(_) => Cardinality::new(Rows::Bounded, "its arguments are all it reads"),
                None => Cardinality::new(Rows::Many, "nothing bounds the rows of a function that it calls"),
            };
        }
        let filters = select.filter.as_ref().map_or(&[][..], Expr::conjuncts);
        let join = self.join(&select.from, &filters.iter().collect::<Vec<_>>());
        let mut found = self.rows_of(&join);
        let of_groups = self.filters_of_groups(select, filters);
        let compared = compared(select);
        if !select.grouping_sets && self.have_one_value(&select.group_by, &select.from, &of_groups, &join) {
            found = Cardinality::new(Rows::One, "it groups by expressions that have one value");
        } else if self.have_one_value(compared, &select.from, filters, &join) {
            found = Cardinality::new(Rows::One, "it keeps one row of each value, and there is one");
        } else if found.rows > Rows::One
            && !select.grouping_sets
            && self.groups_come_from_one_row(select, &join)
        {
            found = Cardinality::new(Rows::One, "it groups by values of one row");
        } else if found.rows == Rows::Many
            && self.groups_are_of(select, &join, &|id| join.levels.contains_key(&id))
        {
            found = Cardinality::new(Rows::Bounded, "the values that it groups by are bounded");
        } else if found.rows == Rows::Many
            && !select.grouping_sets
            && self.have_some_values(&select.group_by, &select.from, &of_groups, &join)
        {
            found = Cardinality::new(Rows::Bounded, "it groups by values that the conditions list");
        } else if found.rows == Rows::Many && self.have_some_values(compared, &select.from, filters, &join) {
            found =
                Cardinality::new(Rows::Bounded, "it keeps one row of each value that the conditions list");
        }
        if select.set_returning && self.rows_per_row(select).is_none() {
            return Cardinality::new(Rows::Many, "nothing bounds the rows of a function that it calls");
        }
        if (select.set_returning || select.grouping_sets) && found.rows == Rows::One {
            found.rows = Rows::Bounded;
        }
        found
    }

    /// A derived table with GROUP BY is unique in its groups, and one that keeps no duplicates in all of its columns.
    fn grouped(
        &mut self,
        block: BlockId,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        let block = self.query.block(block);
        let columns = self.query.relation(id).columns.as_ref()?;
        let outputs = block.outputs.as_ref()?;
        let keeps_duplicates = match &block.body {
            Body::Select(select) => select.distinct.as_ref().is_none_or(|on| !on.is_empty()),
            Body::Set { all, .. } => *all,
            _ => true,
        };
        if !keeps_duplicates && !columns.is_empty() && columns.len() == outputs.len() {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            if let Some(rows) = self.all_determined(&names, id, conditions, here, levels) {
                return Some((rows, "it keeps one of equal rows".to_owned()));
            }
        }
        let Body::Select(select) = &block.body else { return None };
        let keys = match &select.distinct {
            Some(on) if !on.is_empty() => on,
            _ if select.set_returning => return None,
            _ => &select.group_by,
        };
        if keys.is_empty() {
            return None;
        }
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

/// Whether a SELECT returns its input rows unchanged, and all its columns are known.
fn is_plain(select: &Select) -> bool {
    select.star.is_none() && !select.aggregates && select.group_by.is_empty()
}

/// The expressions of which DISTINCT keeps one row for each combination of values; empty if there are none, or if they are
/// not all known.
fn compared(select: &Select) -> &[Expr] {
    match &select.distinct {
        Some(on) if !on.is_empty() => on,
        Some(_) if is_plain(select) => &select.projection,
        _ => &[],
    }
}
