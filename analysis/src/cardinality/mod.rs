//! How many rows a query can return: at most one, a bounded number, or as many as there are; with the reason.

mod groups;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use keys::{columns_of, is_singleton, tells_as_column};

use crate::index::prepared::{self, Predicate, PreparedIndex};
use crate::schema::{IndexKey, KeyPart, Schema, Table};
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Literal, Op};
use crate::sql::predicates;
use crate::sql::query::{
    Block, BlockId, Body, From, JoinKind, Kind, Query, RelationId, Role, Select, SetOp, Source, Write,
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
    let mut reader = Reader { query, schema, known: BTreeMap::new(), depth: 0 };
    match (query.kind, query.root) {
        (Kind::Other | Kind::Transaction, _) | (_, None) => {
            Cardinality::new(Rows::Many, "it is not a query of rows")
        }
        (_, Some(root)) => reader.block(root),
    }
}

/// How many rows a block has before its own LIMIT and OFFSET take some of them.
pub fn before_limit(query: &Query, schema: Option<&Schema>, id: BlockId) -> Cardinality {
    let mut reader = Reader { query, schema, known: BTreeMap::new(), depth: 0 };
    reader.body(query.block(id))
}

/// How many rows a block reads: those of its FROM that its WHERE keeps, before it groups or aggregates them.
pub fn read(query: &Query, schema: Option<&Schema>, id: BlockId) -> Cardinality {
    let mut reader = Reader { query, schema, known: BTreeMap::new(), depth: 0 };
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
}

/// So many conditions with alternatives, and so many alternatives of each, are looked at one by one.
const MOST_ALTERNATIVES: usize = 16;

/// How deep subqueries, and CTEs that read CTEs, are followed.
const DEEPEST_BLOCK: usize = 64;

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
            && self.have_one_value(on, filters, &join)
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
                let found = self.block(*block);
                if found.rows != Rows::Many {
                    let correlated = self.query.block(*block).correlated;
                    let level = levels.values().copied().max().unwrap_or(Rows::One);
                    return match (
                        correlated,
                        here.iter().all(|other| *other == id || levels.contains_key(other)),
                    ) {
                        (false, _) => Some((found.rows, found.reason)),
                        (true, true) => Some((found.rows.max(level), found.reason)),
                        (true, false) => None,
                    };
                }
                self.grouped(*block, id, conditions, here, levels)
            }
            Source::Function(name, args) => {
                let constant = args.iter().all(|arg| self.determined(arg, here, levels).is_some());
                constant.then(|| (Rows::Bounded, format!("`{name}` returns what its arguments hold")))
            }
            Source::Table(_) => {
                let schema = self.schema?;
                let Source::Table(name) = &relation.source else { return None };
                let table = schema.tables.get(name)?;
                let by_key = |reader: &mut Self, conditions: &[&Expr]| {
                    reader.by_key(table, schema, id, conditions, here, levels)
                };
                by_key(self, conditions).or_else(|| self.by_alternatives(conditions, by_key))
            }
            Source::Materialized(_) | Source::System(_) | Source::Pseudo | Source::Unknown => None,
        }
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

    /// `id = ANY($1) OR email = ANY($2)`: each alternative sets a key, though not the same one. `by_key` says what a key
    /// makes of the rows under some conditions.
    fn by_alternatives(
        &mut self,
        conditions: &[&Expr],
        by_key: impl Fn(&mut Self, &[&Expr]) -> Option<(Rows, String)>,
    ) -> Option<(Rows, String)> {
        let alternatives = conditions.iter().enumerate().filter_map(|(at, condition)| match condition {
            Expr::Or(arms) if arms.len() <= MOST_ALTERNATIVES => Some((at, arms)),
            _ => None,
        });
        for (at, arms) in alternatives.take(MOST_ALTERNATIVES) {
            let mut others = conditions.to_vec();
            others.remove(at);
            let is_bounded = |arm: &Expr| {
                let with: Vec<&Expr> = others.iter().copied().chain(arm.conjuncts()).collect();
                by_key(self, &with).is_some()
            };
            if arms.iter().all(is_bounded) {
                return Some((Rows::Bounded, "each alternative sets a unique key".to_owned()));
            }
        }
        None
    }

    /// A table is at most one row where a unique key is determined.
    fn by_key(
        &mut self,
        table: &Table,
        schema: &Schema,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<(Rows, String)> {
        // What inherits from a table has keys of its own, and its rows are read with those of the table.
        if schema.is_inherited(table) {
            return None;
        }
        let mut best: Option<(Rows, String)> = None;
        let mut offer = |rows: Option<Rows>, reason: &dyn Fn() -> String| {
            if let Some(rows) = rows
                && best.as_ref().is_none_or(|(level, _)| rows < *level)
            {
                best = Some((rows, reason()));
            }
        };
        if !table.primary_key.is_empty() {
            let key: Vec<&str> = table.primary_key.iter().map(String::as_str).collect();
            let rows = self.all_determined(&key, id, conditions, here, levels);
            offer(rows, &|| format!("{} is the primary key", columns_of(table, &key)));
        }
        if is_singleton(table, schema) {
            offer(Some(Rows::One), &|| format!("a CHECK leaves `{}` one key", table.name));
        }
        let rowid = self.rowid_name(table, schema);
        if let Some(rowid) = rowid {
            offer(self.all_determined(&[rowid], id, conditions, here, levels), &|| {
                "the rowid is unique".to_owned()
            });
        }
        for PreparedIndex { index, keys, predicate } in prepared::indexes(schema, table).iter() {
            let predicate_holds = || match predicate {
                Predicate::None => true,
                Predicate::Known(predicate) => predicates::implied(predicate, conditions, id),
                Predicate::NotUnderstood => false,
            };
            let tells = |key: &IndexKey| tells_as_column(table, key, schema.dialect);
            if !index.unique || index.primary || !index.keys.iter().all(tells) || !predicate_holds() {
                continue;
            }
            let rows = index.keys.iter().zip(keys).try_fold(Rows::One, |level, (key, own)| {
                let rows = match &key.part {
                    KeyPart::Column(name) => self.column_determined(name, id, conditions, here, levels)?,
                    KeyPart::Expression(_) => {
                        let own = own.as_ref()?;
                        // A unique constant allows one row.
                        if matches!(
                            own,
                            Expr::Literal(Literal::Bool(_) | Literal::Number(_) | Literal::Text(_))
                        ) {
                            return Some(level);
                        }
                        self.value_determined(&|e| predicates::same(own, e, id), conditions, here, levels)?
                    }
                };
                Some(level.max(rows))
            });
            offer(rows, &|| format!("index `{}` is unique", index.name));
        }
        best
    }

    fn dialect(&self) -> Option<Dialect> {
        self.schema.map(|schema| schema.dialect)
    }

    /// SQLite: whether values of a column are compared by a collation of the column.
    fn has_collation(&self, column: &ColumnRef) -> bool {
        let Some(schema) = self.schema.filter(|schema| schema.dialect == Dialect::Sqlite) else {
            return false;
        };
        let source = column.relation.map(|id| &self.query.relation(id).source);
        let Some(Source::Table(name)) = source else { return false };
        let known = schema.tables.get(name).and_then(|table| table.column(&column.name));
        known.is_some_and(|column| column.collation.is_some())
    }

    fn rowid_name(&self, table: &Table, schema: &Schema) -> Option<&'static str> {
        (schema.dialect == crate::sql::Dialect::Sqlite
            && !table.without_rowid
            && table.column("rowid").is_none())
        .then_some("rowid")
    }

    fn all_determined(
        &mut self,
        names: &[&str],
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        names.iter().try_fold(Rows::One, |level, name| {
            Some(level.max(self.column_determined(name, id, conditions, here, levels)?))
        })
    }

    fn column_determined(
        &mut self,
        name: &str,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let is_it = |e: &Expr| matches!(e, Expr::Column(c) if c.relation == Some(id) && c.name == name);
        self.value_determined(&is_it, conditions, here, levels)
    }

    /// How many values the conditions leave to the expression that `is_it` recognises.
    fn value_determined(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        conditions.iter().filter_map(|condition| self.values_left(is_it, condition, here, levels)).min()
    }

    fn values_left(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        condition: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                if let (Expr::Row(left), Expr::Row(right)) = (left.as_ref(), right.as_ref()) {
                    let mut pairs = left.iter().zip(right);
                    return pairs.find_map(|(l, r)| self.equal(is_it, l, r, here, levels));
                }
                // A query that is compared with gives one row, or the database refuses it.
                if let (Expr::Row(parts), Expr::Subquery(query)) | (Expr::Subquery(query), Expr::Row(parts)) =
                    (left.as_ref(), right.as_ref())
                {
                    let alone = !self.query.block(*query).correlated;
                    return (alone && parts.iter().any(is_it)).then_some(Rows::One);
                }
                self.equal(is_it, left, right, here, levels)
            }
            Expr::InList { expr, list, negated: false } => {
                let position = match expr.as_ref() {
                    Expr::Row(parts) => parts.iter().position(is_it).map(Some)?,
                    other => is_it(other).then_some(None)?,
                };
                let mut rows = if list.len() <= 1 { Rows::One } else { Rows::Bounded };
                for item in list {
                    let value = match (position, item) {
                        (Some(at), Expr::Row(parts)) => parts.get(at)?,
                        (_, item) => item,
                    };
                    rows = rows.max(self.determined(value, here, levels)?);
                }
                Some(rows)
            }
            Expr::Any { left, op: Op::Eq, right, all: false } if is_it(left) => {
                self.determined(right, here, levels).map(|_| Rows::Bounded)
            }
            Expr::InQuery { expr, query, op: Op::Eq, negated: false } => {
                let matches = match expr.as_ref() {
                    Expr::Row(parts) => parts.iter().any(is_it),
                    other => is_it(other),
                };
                (matches && !self.query.block(*query).correlated)
                    .then(|| self.block(*query).rows)
                    .filter(|rows| *rows != Rows::Many)
            }
            Expr::Or(arms) => {
                for arm in arms {
                    let conjuncts: Vec<&Expr> = arm.conjuncts().iter().collect();
                    self.value_determined(is_it, &conjuncts, here, levels)?;
                }
                Some(Rows::Bounded)
            }
            _ => None,
        }
    }

    fn equal(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        left: &Expr,
        right: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let value = if is_it(left) {
            right
        } else if is_it(right) {
            left
        } else {
            return None;
        };
        self.determined(value, here, levels)
    }

    /// How many values an expression has, when every relation in it is already bounded.
    fn determined(
        &self,
        value: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        if predicates::is_volatile(value) {
            return None;
        }
        let mut rows = Some(Rows::One);
        value.walk(&mut |expr| {
            let level = match expr {
                // A collation decides what is equal, and may find equal what the key tells apart.
                Expr::Collate { .. } if self.dialect() != Some(Dialect::Postgres) => None,
                Expr::Column(column) if self.has_collation(column) => None,
                Expr::Column(column) => match column.relation {
                    // A column of a query around this one is one value here.
                    Some(id) if here.contains(&id) => levels.get(&id).copied(),
                    Some(_) => Some(Rows::One),
                    None => None,
                },
                Expr::WholeRow(id) => levels.get(id).copied(),
                other => match other.own_subquery() {
                    Some(block) if self.query.block(block).correlated => None,
                    _ => Some(Rows::One),
                },
            };
            rows = rows.and_then(|rows| level.map(|level| rows.max(level)));
        });
        rows
    }
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
