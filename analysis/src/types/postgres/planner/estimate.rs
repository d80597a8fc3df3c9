//! How many rows the planner expects of a table that was never analysed, and of a condition.

use super::super::folds::Folds;
use super::super::rows;
use super::cost::{Cost, Heap, Input, clamped};
use super::operators::operators;
use super::partial::Partial;
use super::scans::number;
use super::sizes::OF_UNKNOWN_ARRAY;
use crate::schema::{KeyPart, Schema, Table};
use crate::sql::expr::{Expr, Literal, Op, Test};
use crate::sql::query::RelationId;

/// The pages that a table is expected to have if it was never vacuumed.
const PAGES: f64 = 10.0;
/// How many different values a column is expected to have.
const DISTINCT: f64 = 200.0;
const OF_RANGE: f64 = 1.0 / 3.0;
const OF_TWO_RANGES: f64 = 0.005;
pub(super) const OF_PATTERN: f64 = 0.005;
const OF_NULL: f64 = 0.005;
/// The part of the rows that equal a value, for an operand that is not a column.
const OF_EQUALITY: f64 = 0.005;
/// More elements of a list than these find all values.
const MOST_ELEMENTS: usize = 1_000;

/// A relation that the joins scan.
#[derive(Debug, Clone)]
pub(super) struct Leaf<'q> {
    pub(super) id: RelationId,
    /// `None` for rows other than a table's.
    pub(super) table: Option<&'q Table>,
    /// Its conditions.
    pub(super) filters: Vec<Filter<'q>>,
    pub(super) tuples: f64,
    pub(super) rows: f64,
    /// What the query behind its rows costs.
    pub(super) base: Cost,
    /// The columns by which its rows come in order, and whether that is descending.
    pub(super) sorted_by: Vec<(String, bool)>,
    /// Whether they may come in an order that is not known.
    pub(super) may_be_sorted: bool,
    /// Columns that no two of its rows have in common, if a query groups by them.
    pub(super) groups: Option<Vec<String>>,
    /// The partial indexes that scans may use.
    pub(super) partial: Vec<Partial<'q>>,
    /// The columns of other relations that it reads, so that it is read for each of their rows.
    pub(super) depends_on: Vec<(usize, String)>,
    /// Whether an outer join never finds one of its rows, so that it is not read.
    pub(super) is_dead: bool,
    /// The part of the rows that conditions of unknown selectivity keep.
    pub(super) doubt: f64,
    pub(super) folds: &'q Folds<'q>,
}

/// A condition on one relation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter<'q> {
    Written(&'q Expr),
    /// An equality with a constant that follows from others.
    Derived(String),
}

impl Filter<'_> {
    pub(super) fn operators(&self, folds: &Folds<'_>) -> f64 {
        match self {
            Filter::Written(expr) => operators(expr, folds),
            Filter::Derived(_) => 1.0,
        }
    }

    /// The column that it searches for without fixing it, the part of the rows that it finds, and how many values
    /// it searches for: one that is NULL, one of a list, or one among the elements of an array, which is NULL
    /// itself.
    fn searched(&self, leaf: &Leaf<'_>) -> Option<(&str, f64, f64)> {
        let (expr, part, values) = match self {
            Filter::Written(Expr::Is { expr, test: Test::Null, negated: false }) => (expr, OF_NULL, 1.0),
            Filter::Written(Expr::Any { left, op: Op::Eq, right, all: false })
                if leaf.folds.is_null(right) =>
            {
                (left, 0.0, 1.0)
            }
            Filter::Written(whole @ Expr::Any { left, op: Op::Eq, right, all: false }) if is_fixed(right) => {
                (left, leaf.selectivity(whole, 0)?, OF_UNKNOWN_ARRAY)
            }
            Filter::Written(whole @ Expr::InList { expr, list, negated: false })
                if list.iter().all(is_fixed) =>
            {
                (expr, leaf.selectivity(whole, 0)?, number(list.len()))
            }
            _ => return None,
        };
        expr.as_column().map(|column| (column.name.as_str(), part, values))
    }

    /// The column that it bounds, and whether from below and from above.
    fn bounds(&self) -> Option<(&str, bool, bool)> {
        match self {
            Filter::Written(Expr::Binary { op, left, right }) if op.is_range() => {
                let is_less = matches!(op, Op::Lt | Op::LtEq);
                match (&**left, &**right) {
                    (Expr::Column(column), other) if is_fixed(other) => {
                        Some((&column.name, !is_less, is_less))
                    }
                    (other, Expr::Column(column)) if is_fixed(other) => {
                        Some((&column.name, is_less, !is_less))
                    }
                    _ => None,
                }
            }
            Filter::Written(Expr::Between { expr, low, high, negated: false })
                if is_fixed(low) && is_fixed(high) =>
            {
                expr.as_column().map(|column| (column.name.as_str(), true, true))
            }
            _ => None,
        }
    }

    /// The row of constants that bounds rows which begin with a column, and how many fields it has.
    fn row_bound(&self, of: &str) -> Option<(&Expr, usize)> {
        let Filter::Written(Expr::Binary { op, left, right }) = self else { return None };
        let (Expr::Row(one), Expr::Row(other)) = (&**left, &**right) else { return None };
        let begins = |row: &[Expr]| row.first().and_then(Expr::as_column).is_some_and(|it| it.name == of);
        match (op.is_range(), begins(one), begins(other)) {
            (true, true, false) if is_fixed(right) => Some((right, one.len())),
            (true, false, true) if is_fixed(left) => Some((left, one.len())),
            _ => None,
        }
    }

    /// The column that it compares with a constant, and whether for equality.
    pub(super) fn compared(&self) -> Option<(&str, bool)> {
        match self {
            Filter::Derived(column) => Some((column, true)),
            Filter::Written(Expr::Binary { op, left, right }) if *op == Op::Eq || op.is_range() => {
                let column = match (&**left, &**right) {
                    (Expr::Column(column), other) | (other, Expr::Column(column)) if is_fixed(other) => {
                        column
                    }
                    _ => return None,
                };
                Some((&column.name, *op == Op::Eq))
            }
            Filter::Written(_) => None,
        }
    }
}

/// A column of an index that conditions search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed {
    pub(super) selectivity: f64,
    pub(super) operators: f64,
    pub(super) descents: f64,
    pub(super) is_equal: bool,
    /// Whether the next column bounds the search as well.
    pub(super) is_bound: bool,
}

impl<'q> Leaf<'q> {
    pub(super) fn new(
        id: RelationId,
        table: Option<&'q Table>,
        size: Input,
        (doubt, folds): (f64, &'q Folds<'q>),
        schema: &Schema,
    ) -> Leaf<'q> {
        let tuples = table.map_or(size.rows, |table| rows::density(table, schema) * PAGES);
        let (filters, sorted_by, may_be_sorted, groups) = (Vec::new(), Vec::new(), false, None);
        Leaf {
            id,
            table,
            filters,
            tuples,
            rows: tuples,
            base: size.cost,
            sorted_by,
            may_be_sorted,
            groups,
            depends_on: Vec::new(),
            partial: Vec::new(),
            is_dead: false,
            doubt,
            folds,
        }
    }

    pub(super) fn estimate(&mut self) {
        // Equal equalities are one.
        let mut once: Vec<Filter<'q>> = Vec::new();
        for filter in std::mem::take(&mut self.filters) {
            let is_again = match &filter {
                Filter::Written(Expr::Binary { op: Op::Eq, .. }) => once.contains(&filter),
                _ => false,
            };
            if !is_again {
                once.push(filter);
            }
        }
        self.filters = once;
        self.rows = if self.is_dead { 0.0 } else { clamped(self.tuples * self.of_filters()) };
    }

    pub(super) fn heap(&self) -> Heap {
        let operators = self.filters.iter().map(|filter| filter.operators(self.folds)).sum();
        let pages = if self.table.is_some() { PAGES } else { 0.0 };
        Heap { pages, tuples: self.tuples, operators }
    }

    /// How many different values a column has, and whether that is a guess.
    pub(super) fn distinct(&self, column: &str) -> (f64, bool) {
        let ty = self.table.and_then(|table| table.column(column)).map(|column| column.ty.as_str());
        match ty {
            Some("boolean" | "bool") => (2.0_f64.min(self.tuples), false),
            _ if self.is_unique(&[column]) || self.tuples < DISTINCT => (self.tuples, false),
            _ => (DISTINCT, true),
        }
    }

    /// Whether a unique index has these columns, and no others.
    pub(super) fn is_unique(&self, columns: &[&str]) -> bool {
        let Some(table) = self.table else { return false };
        table.indexes.iter().enumerate().any(|(at, index)| {
            let is_given =
                |part: &KeyPart| matches!(part, KeyPart::Column(name) if columns.contains(&name.as_str()));
            index.unique && self.may_use(at, index) && index.keys.iter().all(|key| is_given(&key.part))
        })
    }

    /// Whether at most one row has given values in some columns.
    pub(super) fn has_one(&self, columns: &[&str]) -> bool {
        let is_group = |groups: &Vec<String>| groups.iter().all(|name| columns.contains(&name.as_str()));
        self.is_unique(columns) || self.groups.as_ref().is_some_and(is_group)
    }

    pub(super) fn of_filters(&self) -> f64 {
        let mut product = 1.0;
        let mut ranges: Vec<&str> = Vec::new();
        for filter in &self.filters {
            product *= match (filter, filter.bounds()) {
                // All bounds of one column are a range.
                (_, Some((column, ..))) if ranges.contains(&column) => 1.0,
                (_, Some((column, ..))) => {
                    ranges.push(column);
                    self.of_range(column)
                }
                (Filter::Derived(column), None) => self.of_equality(column),
                (Filter::Written(expr), None) => self.selectivity(expr, 0).unwrap_or(self.doubt),
            };
        }
        product
    }

    /// The part of the rows within all bounds of a column.
    fn of_range(&self, column: &str) -> f64 {
        let bounds = self.filters.iter().filter_map(Filter::bounds).filter(|(of, ..)| *of == column);
        let (low, high) = bounds.fold((false, false), |(low, high), of| (low | of.1, high | of.2));
        if low && high { OF_TWO_RANGES } else { OF_RANGE }
    }

    /// How the conditions search a column of an index.
    pub(super) fn keyed(&self, column: &str) -> Option<Keyed> {
        if let Some(of) = self.filters.iter().find(|it| it.compared() == Some((column, true))) {
            // A condition that demands a value of type boolean is compared as well.
            let is_also =
                self.filters.iter().any(|it| it.compared().is_none() && it.decides() == Some(column));
            let one = self.of_equality(column);
            return Some(Keyed {
                selectivity: if is_also { one * one } else { one },
                operators: of.operators(self.folds) + f64::from(u8::from(is_also)),
                descents: 1.0,
                is_equal: true,
                is_bound: true,
            });
        }
        if self.is_decided(column) {
            let selectivity = self.of_equality(column);
            let (operators, descents) = (1.0, 1.0);
            return Some(Keyed { selectivity, operators, descents, is_equal: true, is_bound: true });
        }
        let found = self.filters.iter().find_map(|it| {
            let (_, selectivity, descents) = it.searched(self).filter(|(of, ..)| *of == column)?;
            Some((selectivity, descents, it.operators(self.folds)))
        });
        if let Some((selectivity, descents, operators)) = found {
            return Some(Keyed { selectivity, operators, descents, is_equal: false, is_bound: true });
        }
        if let Some((row, width)) = self.filters.iter().find_map(|it| it.row_bound(column)) {
            let (selectivity, operators) = (self.of_order(row, row), number(width));
            return Some(Keyed { selectivity, operators, descents: 1.0, is_equal: false, is_bound: false });
        }
        let bounds: Vec<&Filter<'_>> =
            self.filters.iter().filter(|it| it.bounds().is_some_and(|(of, ..)| of == column)).collect();
        let operators: f64 = bounds.iter().map(|it| it.operators(self.folds)).sum();
        let selectivity = self.of_range(column);
        let range = Keyed { selectivity, operators, descents: 1.0, is_equal: false, is_bound: false };
        (!bounds.is_empty()).then_some(range)
    }

    pub(super) fn of_equality(&self, column: &str) -> f64 {
        1.0 / self.distinct(column).0.max(1.0)
    }

    /// The part of the rows that satisfies a condition; `None` if it is not known.
    pub(super) fn selectivity(&self, condition: &Expr, depth: usize) -> Option<f64> {
        if depth > 32 {
            return None;
        }
        let of = |expr: &Expr| self.selectivity(expr, depth + 1);
        if self.folds.is_null(condition) {
            return Some(0.0);
        }
        Some(match condition {
            Expr::Column(_) | Expr::Parameter(_) => 0.5,
            Expr::Cast { expr, .. } if matches!(**expr, Expr::Parameter(_)) => 0.5,
            Expr::Not(inner) => 1.0 - of(inner)?,
            Expr::And(parts) => parts.iter().map(of).product::<Option<f64>>()?,
            Expr::Or(parts) => {
                let mut sum = 0.0;
                for part in parts {
                    let part = of(part)?;
                    sum = sum + part - sum * part;
                }
                sum
            }
            Expr::Binary { op: op @ (Op::Same | Op::NotSame), left, right }
                if self.folds.is_null(left) || self.folds.is_null(right) =>
            {
                if *op == Op::Same {
                    0.0
                } else {
                    1.0
                }
            }
            Expr::Binary { op: Op::Eq | Op::Same, left, right } => self.equal(left, right)?,
            Expr::Binary { op: Op::NotEq | Op::NotSame, left, right } => 1.0 - self.equal(left, right)?,
            Expr::Binary { op, left, right } if op.is_range() => self.of_order(left, right),
            Expr::Between { negated: false, .. } => OF_TWO_RANGES,
            Expr::Between { negated: true, .. } => 2.0 * OF_RANGE - OF_RANGE * OF_RANGE,
            Expr::InList { expr, list, negated } => self.among(expr, list, *negated)?,
            Expr::Any { left, op: op @ (Op::Eq | Op::NotEq), right, all }
                if let Expr::Array(items) = right.without_casts()
                    && *all == (*op == Op::NotEq) =>
            {
                self.among(left, items, *all)?
            }
            Expr::Any { left, op: op @ (Op::Eq | Op::NotEq), right, all }
                if let Expr::Literal(Literal::Text(text)) = right.without_casts()
                    && *all == (*op == Op::NotEq) =>
            {
                let count = text.matches(',').count() + usize::from(text.trim() != "{}");
                self.among(left, &vec![(**right).clone(); count.min(MOST_ELEMENTS)], *all)?
            }
            Expr::Like { expr, pattern, kind, negated } => {
                let part = self.of_pattern(expr, pattern, *kind)?;
                if *negated { 1.0 - part } else { part }
            }
            Expr::Is { test: Test::Null, negated, .. } => {
                if *negated {
                    1.0 - OF_NULL
                } else {
                    OF_NULL
                }
            }
            Expr::Is { expr, test: Test::True, negated: false } => of(expr)?,
            Expr::Is { expr, test: Test::False, negated: false } => 1.0 - of(expr)?,
            Expr::Any { right, all: false, .. } if self.folds.is_null(right) => 0.0,
            Expr::Any { left, op: Op::Eq, right, all: false }
                if matches!(right.without_casts(), Expr::Parameter(_)) =>
            {
                1.0 - (1.0 - self.equal(left, right)?).powf(OF_UNKNOWN_ARRAY)
            }
            Expr::Any { left, op: op @ (Op::Eq | Op::NotEq), right, all }
                if right.as_column().is_some() && is_fixed(left) && *all == (*op == Op::NotEq) =>
            {
                let part = self.of_element(left)?;
                if *all { 1.0 - part } else { part }
            }
            Expr::Literal(Literal::Bool(true)) => 1.0,
            _ => return None,
        })
    }

    /// The part of the rows on one side of a value. Rows are compared by their first fields, and not folded if one is NULL.
    fn of_order(&self, left: &Expr, right: &Expr) -> f64 {
        let is_null = |row: &Expr| matches!(row, Expr::Row(fields) if fields.first().is_some_and(|of| self.folds.is_null(of)));
        if is_null(left) || is_null(right) { 0.0 } else { OF_RANGE }
    }

    /// The part of the rows with a value among the elements of an array; `None` if that is not known.
    fn of_element(&self, value: &Expr) -> Option<f64> {
        match value.without_casts() {
            value if self.folds.is_null(value) => Some(0.0),
            Expr::Literal(_) => Some(OF_EQUALITY),
            Expr::Parameter(_) => Some(1.0 - (1.0 - OF_EQUALITY).powf(OF_UNKNOWN_ARRAY)),
            _ => None,
        }
    }

    /// The part of the rows in which a value is among others, or is none of them. For one that is NULL, the planner
    /// expects nothing to be equal, and nothing to be different.
    fn among(&self, expr: &Expr, list: &[Expr], negated: bool) -> Option<f64> {
        let (mut one, mut sum) = if negated { (1.0, 1.0) } else { (0.0, 0.0) };
        for item in list {
            let part = match self.folds.is_null(item) {
                true => 0.0,
                false if negated => 1.0 - self.equal(expr, item)?,
                false => self.equal(expr, item)?,
            };
            one = if negated { one * part } else { one + part - one * part };
            sum += if negated { part - 1.0 } else { part };
        }
        Some(if (0.0..=1.0).contains(&sum) { sum } else { one })
    }

    pub(super) fn equal(&self, left: &Expr, right: &Expr) -> Option<f64> {
        if is_fixed(left) && is_fixed(right) {
            return Some(OF_EQUALITY);
        }
        let (of, with) = if is_fixed(left) { (right, left) } else { (left, right) };
        match of.without_casts() {
            Expr::Column(column) if is_fixed(with) || with.as_column().is_some() => {
                Some(self.of_equality(&column.name))
            }
            _ if is_fixed(with) => Some(1.0 / self.tuples.clamp(1.0, DISTINCT)),
            _ => None,
        }
    }
}

/// Whether an expression reads no column; a query in it that depends on no row is read once, in advance.
pub(super) fn is_fixed(expr: &Expr) -> bool {
    !expr.any(|part| match part {
        Expr::Subquery(_) => false,
        other => {
            other.as_column().is_some()
                || matches!(other, Expr::WholeRow(_))
                || other.own_subquery().is_some()
        }
    })
}
