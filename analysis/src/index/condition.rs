//! Conditions that an index can be searched by (sargable ones), taken from the conjuncts of a query.

use super::estimate;
use super::pattern::{self, Start};
use super::relations::Relations;
use super::search_functions::{self, Sides};
use super::value_types::Values;
use crate::schema::{Column, Schema};
use crate::sql::Dialect;
use crate::sql::expr::{Call, ColumnRef, Expr, LikeKind, Literal, Op, Test};
use crate::sql::query::{BlockId, Body, Query, RelationId, Source};
use crate::sql::routine;

/// A condition on one relation that an index may be searched by.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// The side that an index has to store.
    pub(super) operand: Expr,
    /// How it is compared.
    pub(super) compare: Compare,
    /// The relations of the same join problem whose rows are needed to compute the value.
    pub(super) needs: Relations,
    /// The part of the rows that satisfies it, from 0 to 1.
    pub(super) kept: f64,
    /// Whether it compares with a single value, so that all matching rows have the same operand.
    pub(super) one_value: bool,
    /// The collation given explicitly in the comparison.
    pub(super) collation: Option<Box<str>>,
    /// PostgreSQL: the type that the operand is compared with, if it is evident.
    pub(super) against: Option<Box<str>>,
    /// PostgreSQL: whether the collation is that of a `name` in the value, in which few indexes are.
    pub(super) by_name: bool,
    /// PostgreSQL: whether it is `^@`, which a pattern may stand for.
    pub(super) by_start: bool,
}

impl Condition {
    /// Whether an index may be made for it, and it counts where an order is looked for: not `<>`, which leaves nearly all rows.
    pub(super) fn narrows_rows(&self) -> bool {
        !matches!(&self.compare, Compare::Operator(op) if op == "<>")
    }
}

/// How the indexed side is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compare {
    /// `=`, `IN (..)`, `= ANY (..)`.
    Equal,
    Null,
    /// `<`, `<=`, `>`, `>=`, BETWEEN.
    Range,
    /// `IS NOT NULL`: an index stores NULLs at one end.
    NotNull,
    /// `LIKE 'x%'` or `GLOB 'x*'`: a range, if the index is in byte order.
    Prefix(LikeKind),
    /// PostgreSQL: a pattern that a parameter begins. It is a range for a value that starts with fixed text: custom plans
    /// know that.
    Given(LikeKind),
    /// Any other pattern, which trigrams can serve.
    Pattern(LikeKind),
    /// Any other operator: `@>`, `&&`, `@@`.
    Operator(String),
}

impl Compare {
    /// Whether further btree columns still narrow the search after this comparison.
    pub(super) fn is_equality(&self) -> bool {
        matches!(self, Compare::Equal | Compare::Null)
    }
}

/// The conditions that one conjunct puts on `relation`, one of the relations `here`.
pub(super) fn of(
    query: &Query,
    schema: &Schema,
    conjunct: &Expr,
    relation: RelationId,
    here: Relations,
) -> Vec<Condition> {
    with_reader(query, schema, relation, here, |reader| {
        let mut found = reader.conditions(conjunct);
        let kept = estimate::kept(conjunct, query, schema);
        let one_value = matches!(
            conjunct,
            Expr::Binary { op: Op::Eq, .. } | Expr::Is { .. } | Expr::Column(_) | Expr::Not(_)
        );
        for condition in &mut found {
            // What compares one bound keeps more than the whole.
            let kept = if condition.kept < 1.0 { condition.kept.max(kept) } else { kept };
            let joins_equal = !condition.needs.is_empty() && condition.compare == Compare::Equal;
            condition.kept = if joins_equal { kept.min(1.0 / estimate::ROWS) } else { kept };
            condition.one_value = one_value && condition.compare.is_equality();
        }
        found
    })
}

/// Calls `read` with a [`Reader`] for the relation.
pub(super) fn with_reader<T>(
    query: &Query,
    schema: &Schema,
    relation: RelationId,
    here: Relations,
    read: impl FnOnce(&Reader<'_>) -> T,
) -> T {
    let depends = |block| query.block(block).correlated;
    let holds = |name: &str, is: fn(&str) -> bool| {
        let columns = query.relation(relation).columns.as_deref().unwrap_or_default();
        columns.iter().any(|column| column.name == name && is(&column.ty))
    };
    let type_of = |column: &ColumnRef| {
        let columns = query.relation(column.relation?).columns.as_ref()?;
        columns.iter().find(|known| known.name == column.name).map(|known| known.ty.as_str())
    };
    let collation_of = |name: &str| {
        let Source::Table(table) = &query.relation(relation).source else { return None };
        schema.stored(table)?.column(name)?.collation.as_deref()
    };
    let stored = |column: &ColumnRef| {
        let Source::Table(table) = &query.relation(column.relation?).source else { return None };
        schema.stored(table)?.column(&column.name)
    };
    let dialect = schema.dialect;
    let values = Values { query };
    let reader = Reader {
        dialect,
        relation,
        here,
        depends: &depends,
        holds: &holds,
        type_of: &type_of,
        collation_of: &collation_of,
        stored: &stored,
        is_volatile: &|call| is_volatile(schema, call),
        values,
    };
    read(&reader)
}

/// Whether a function that migrations create may return another value at each call.
fn is_volatile(schema: &Schema, call: &Call) -> bool {
    let overloads = schema.functions_named(&call.name).flat_map(|(_, overloads)| overloads);
    let mut overloads = overloads.peekable();
    schema.dialect == Dialect::Postgres
        && overloads.peek().is_some()
        && overloads.all(|statement| routine::is_volatile(statement))
}

/// The type of a column of any relation, if known.
type TypeOf<'a> = dyn Fn(&ColumnRef) -> Option<&'a str> + 'a;

/// The column of a known table.
type StoredOf<'a> = dyn Fn(&ColumnRef) -> Option<&'a Column> + 'a;

/// Whether the named column has a type that satisfies the predicate.
type HoldsType<'a> = dyn Fn(&str, fn(&str) -> bool) -> bool + 'a;

/// Extracts conditions on one relation.
pub(super) struct Reader<'a> {
    pub(super) dialect: Dialect,
    pub(super) relation: RelationId,
    pub(super) here: Relations,
    /// Whether a subquery is correlated.
    pub(super) depends: &'a dyn Fn(BlockId) -> bool,
    /// Whether a column of the relation has a given type.
    pub(super) holds: &'a HoldsType<'a>,
    pub(super) type_of: &'a TypeOf<'a>,
    /// The declared collation of a column of the relation.
    pub(super) collation_of: &'a dyn Fn(&str) -> Option<&'a str>,
    /// A column of any relation that is a known table.
    pub(super) stored: &'a StoredOf<'a>,
    /// Whether a function of the migrations may return another value at each call.
    pub(super) is_volatile: &'a dyn Fn(&Call) -> bool,
    pub(super) values: Values<'a>,
}

impl<'a> Reader<'a> {
    /// The relations of outer queries that a subquery refers to.
    pub(super) fn named_below(&self, query: BlockId) -> Relations {
        let whole = self.values.query;
        let mut named = Relations::NONE;
        for (_, block) in whole.block_ids().filter(|(id, _)| whole.is_within(*id, query)) {
            let outputs = match &block.body {
                Body::Select(select) => select.projection.as_slice(),
                _ => &[],
            };
            for column in block.conditions().into_iter().chain(outputs).flat_map(Expr::columns) {
                if let Some(id) = column.relation.filter(|id| self.here.contains(*id)) {
                    named.insert(id);
                }
            }
        }
        named
    }

    /// The name of the column, if the expression is a column of the relation.
    pub(super) fn own_column<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        let column = expr.as_column().filter(|column| column.relation == Some(self.relation))?;
        Some(&column.name)
    }

    /// The type of the column, if the expression is a column of the relation and its type is known.
    pub(super) fn type_of_own(&self, expr: &Expr) -> Option<&'a str> {
        (self.type_of)(expr.as_column()?).filter(|ty| !ty.is_empty())
    }

    fn conditions(&self, conjunct: &Expr) -> Vec<Condition> {
        let mut found = self.comparisons(conjunct);
        // An index may store the condition itself: `CREATE INDEX ON jobs ((done_at IS NULL))`.
        match conjunct {
            Expr::Column(_) => {}
            // PostgreSQL reads `done = false` as `NOT done`, which may be a key.
            Expr::Binary { op: Op::Eq, left, right }
                if self.dialect == Dialect::Postgres
                    && left.as_column().is_some()
                    && matches!(&**right, Expr::Literal(Literal::Bool(false))) =>
            {
                found.extend(self.compared(&Expr::Not(left.clone()), Compare::Equal, &[]));
            }
            // PostgreSQL searches for false.
            Expr::Not(inner)
                if self.dialect == Dialect::Postgres && !matches!(inner.as_ref(), Expr::Column(_)) =>
            {
                found.extend(self.compared(inner, Compare::Equal, &[]));
            }
            // `(NOT done)` may be a key.
            Expr::Not(_) if self.dialect == Dialect::Postgres => {
                found.extend(self.compared(conjunct, Compare::Equal, &[]));
            }
            Expr::Not(_) => {}
            // SQLite evaluates it for each row.
            _ if self.dialect == Dialect::Sqlite => {}
            _ => found.extend(self.compared(conjunct, Compare::Equal, &[])),
        }
        found
    }

    fn comparisons(&self, conjunct: &Expr) -> Vec<Condition> {
        match conjunct {
            Expr::Binary { op, left, right } => self.binary(op, left, right),
            Expr::InList { expr, list, negated: false } => self.in_list(expr, list),
            Expr::InQuery { expr, op: Op::Eq, negated: false, query } => self.in_query(expr, *query),
            Expr::Any { left, op: Op::Eq, right, all: false } => {
                // `5 = ANY (column)` searches inside the column, which no btree supports.
                self.compared_with_elements(left, Compare::Equal, right).into_iter().collect()
            }
            Expr::Any { left, op, right, all: false } if op.is_range() => {
                self.compared_with_elements(left, Compare::Range, right).into_iter().collect()
            }
            Expr::Any { left, op: Op::Other(op), right, all: false } if self.dialect == Dialect::Postgres => {
                let compare = Compare::Operator(op.as_str().to_owned());
                self.compared_with_elements(left, compare, right).into_iter().collect()
            }
            Expr::Between { expr, low, high, negated: false } => {
                // If one bound forces a cast of the column, the other bound is still searched by.
                let range = |ends: &[&Expr]| self.compared(expr, Compare::Range, ends);
                // MySQL converts the column for both bounds if it does for one.
                if self.dialect == Dialect::MySql && self.turns(expr, &[low, high]) {
                    return Vec::new();
                }
                let found = range(&[low, high]).or_else(|| range(&[low])).or_else(|| range(&[high]));
                found.into_iter().chain(self.bound(expr, low)).chain(self.bound(expr, high)).collect()
            }
            Expr::Is { expr, test: Test::Null, negated } => {
                let compare = if *negated { Compare::NotNull } else { Compare::Null };
                self.compared(expr, compare, &[]).into_iter().collect()
            }
            // MySQL and SQLite test each value for being nonzero.
            Expr::Is { expr, test: Test::True | Test::False, negated: false }
                if self.dialect == Dialect::Postgres =>
            {
                self.compared(expr, Compare::Equal, &[]).into_iter().collect()
            }
            Expr::Like { expr, pattern, kind, negated: false } => self.like(expr, pattern, *kind),
            // SQLite evaluates a column for each row, as any expression.
            Expr::Column(column)
                if column.relation == Some(self.relation) && self.dialect != Dialect::Sqlite =>
            {
                self.compared(conjunct, Compare::Equal, &[]).into_iter().collect()
            }
            Expr::Not(inner)
                if matches!(inner.as_ref(), Expr::Column(_)) && self.dialect != Dialect::Sqlite =>
            {
                self.compared(inner, Compare::Equal, &[]).into_iter().collect()
            }
            Expr::Or(arms) => self.one_of(arms),
            Expr::Call(call) => self.called(call),
            Expr::Other { what, parts } if what == "member of" => match parts.as_slice() {
                [value, array] => {
                    let found = self.compared(array, Compare::Operator("member of".to_owned()), &[value]);
                    found.into_iter().collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The conditions of `expr IN (query)`. The rows of an uncorrelated subquery are available; those of one that
    /// depends on this table are not. SQLite builds the list once the rows that it depends on are available.
    fn in_query(&self, expr: &Expr, query: BlockId) -> Vec<Condition> {
        let is_converted = |part: &Expr, at: usize| {
            self.dialect == Dialect::Sqlite && self.changes_affinity_in(part, query, at)
        };
        if is_converted(expr, 0)
            || self.dialect == Dialect::MySql && self.turns(expr, &[&Expr::Subquery(query)])
        {
            return Vec::new();
        }
        if (self.depends)(query) {
            if self.dialect != Dialect::Sqlite {
                return Vec::new();
            }
            let Some(mut found) = self.compared(expr, Compare::Equal, &[]) else { return Vec::new() };
            let needs = self.named_below(query);
            if needs.contains(self.relation) {
                return Vec::new();
            }
            found.needs = needs;
            return vec![found];
        }
        match expr {
            // MySQL tests each row against those of a UNION.
            _ if self.dialect == Dialect::MySql && self.is_compound(query) => Vec::new(),
            // SQLite looks rows up in the rows of one SELECT, not of a UNION.
            Expr::Row(_) if self.dialect == Dialect::Sqlite && self.is_compound(query) => Vec::new(),
            Expr::Row(parts) => {
                let parts = parts.iter().enumerate().filter(|(at, part)| !is_converted(part, *at));
                parts.filter_map(|(_, part)| self.compared(part, Compare::Equal, &[])).collect()
            }
            other => self.compared(other, Compare::Equal, &[]).into_iter().collect(),
        }
    }

    fn like(&self, expr: &Expr, pattern: &Expr, kind: LikeKind) -> Vec<Condition> {
        // A column without the affinity TEXT may hold numbers, which are not in the order of their texts.
        let may_count = self.dialect == Dialect::Sqlite
            && !self.type_of_own(expr).is_some_and(super::compared::is_textual)
            && pattern::starts_like_a_number(pattern, kind);
        let compare = match pattern::start(pattern, kind, self.dialect) {
            Start::Fixed if !may_count => Compare::Prefix(kind),
            Start::Parameter => Compare::Given(kind),
            Start::Fixed | Start::None => Compare::Pattern(kind),
        };
        let found = self.compared(expr, compare, &[pattern]);
        // PostgreSQL searches for a pattern without wildcards as for the text itself.
        let is_whole = self.dialect == Dialect::Postgres && pattern::is_whole(pattern, kind);
        let equal = is_whole.then(|| self.compared(expr, Compare::Equal, &[pattern]));
        found.into_iter().chain(equal.flatten()).collect()
    }

    /// The conditions of a function that is a condition: a hint around one, or an operator by another name.
    fn called(&self, call: &Call) -> Vec<Condition> {
        let is_hint = self.dialect == Dialect::Sqlite
            && matches!(call.name.as_str(), "likely" | "unlikely" | "likelihood");
        if is_hint {
            return call.args.first().map_or_else(Vec::new, |condition| self.comparisons(condition));
        }
        if let ("like" | "glob", Dialect::Sqlite, [pattern, text]) =
            (call.name.as_str(), self.dialect, call.args.as_slice())
        {
            let kind = if call.name == "glob" { LikeKind::Glob } else { LikeKind::Like };
            return self.like(text, pattern, kind);
        }
        if call.name == "starts_with" {
            return match call.args.as_slice() {
                [text, start] => self.starts_with(text, start),
                _ => Vec::new(),
            };
        }
        match (search_functions::operator(&call.name, self.dialect), call.args.as_slice()) {
            (Some(Sides::Both(op)), [one, other, rest @ ..]) => {
                let found = |own: &Expr, other: &Expr| {
                    let values: Vec<&Expr> = std::iter::once(other).chain(rest).collect();
                    self.compared(own, Compare::Operator(op.to_owned()), &values)
                };
                [found(one, other), found(other, one)].into_iter().flatten().collect()
            }
            (Some(Sides::First(op)), [one, rest @ ..]) => {
                let values: Vec<&Expr> = rest.iter().collect();
                self.compared(one, Compare::Operator(op.to_owned()), &values).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn is_compound(&self, query: BlockId) -> bool {
        matches!(self.values.query.block(query).body, Body::Set { .. })
    }

    /// `a = 1 OR a = 2` inside an arm of another disjunction: one search with several values.
    fn one_of(&self, arms: &[Expr]) -> Vec<Condition> {
        let Some((first, others)) = arms.split_first() else { return Vec::new() };
        let equalities = |arm: &Expr| {
            let mut found = self.comparisons(arm);
            found.retain(|condition| condition.compare == Compare::Equal && condition.needs.is_empty());
            found
        };
        let mut found = equalities(first);
        for arm in others {
            let other = equalities(arm);
            found.retain(|known| other.iter().any(|condition| condition.operand == known.operand));
        }
        found
    }
}
