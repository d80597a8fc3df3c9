//! How many values an expression can take under the conditions.

use std::collections::BTreeMap;

use super::{Reader, Rows};
use crate::schema::{Column, Name};
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op, Test};
use crate::sql::predicates;
use crate::sql::query::{RelationId, Source};

/// The maximum number of conditions among which equal columns are followed: each step looks at all others.
const MOST_EQUALITIES: usize = 32;

impl Reader<'_> {
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.schema.map(|schema| schema.dialect)
    }

    /// The collation declared for a column.
    fn declared_collation(&self, expr: &Expr) -> Option<&str> {
        self.table_column(expr.without_casts())?.collation.as_deref()
    }

    /// Whether an expression is a column of a table that is declared NOT NULL.
    pub(super) fn is_never_null(&self, expr: &Expr) -> bool {
        self.table_column(expr).is_some_and(|column| column.not_null)
    }

    /// Whether values that compare equal here are also equal under the collation of the key. A coarser
    /// collation matches more.
    pub(super) fn compares_as_key(&self, left: &Expr, right: Option<&Expr>) -> bool {
        let Some(dialect) = self.dialect() else { return true };
        let explicit = |expr: &Expr| match expr {
            Expr::Collate { collation, .. } => Some(collation.clone()),
            _ => None,
        };
        let written = explicit(left).or_else(|| right.and_then(explicit));
        // In PostgreSQL, collations of the server tell all texts apart that are not the same bytes.
        if dialect == Dialect::Postgres {
            let is_own = |name: &str| self.key_collation.as_deref() == Some(name);
            return written.is_none_or(|name| is_own(&name) || !self.is_nondeterministic(&name));
        }
        let used = match (written, dialect) {
            (Some(written), _) => written,
            // MySQL uses the column's own collation, and rejects a comparison of two that differ.
            (None, Dialect::MySql) => return true,
            (None, _) => {
                let declared = self.declared_collation(left);
                let declared = declared.or_else(|| right.and_then(|right| self.declared_collation(right)));
                declared.unwrap_or("binary").to_owned()
            }
        };
        let used = used.to_ascii_lowercase();
        let of_key = self.key_collation.as_deref().unwrap_or("binary");
        used == "binary" || used.ends_with("_bin") || used.eq_ignore_ascii_case(of_key)
    }

    /// Whether a collation that migrations create takes different texts for equal.
    fn is_nondeterministic(&self, collation: &str) -> bool {
        let collations = self.schema.into_iter().flat_map(|schema| &schema.collations);
        let mut named = collations.filter(|(name, _)| name.name == collation);
        named.any(|(_, made_from)| {
            let made_from: String = made_from.to_lowercase().split_whitespace().collect();
            made_from.contains("deterministic=false") || made_from.contains("deterministic='false'")
        })
    }

    pub(super) fn all_determined(
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

    pub(super) fn column_determined(
        &mut self,
        name: &str,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        self.column_determined_by(name, None, id, conditions, here, levels)
    }

    /// Like `column_determined`, for an index key with a collation of its own.
    pub(super) fn column_determined_by(
        &mut self,
        name: &str,
        collation: Option<&str>,
        id: RelationId,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let is_it = |e: &Expr| matches!(e, Expr::Column(c) if c.relation == Some(id) && c.name == name);
        let column = Expr::Column(ColumnRef { relation: Some(id), name: name.to_owned(), span: None });
        let collation = collation.or(self.declared_collation(&column)).map(str::to_owned);
        let outer = std::mem::replace(&mut self.key_collation, collation);
        let rows = self.value_determined(&is_it, conditions, here, levels);
        self.key_collation = outer;
        rows
    }

    /// How many values the expression that `is_it` recognises can take under the conditions. Equal columns are followed
    /// among these conditions alone, not inside their alternatives, so that nested ones take linear time.
    pub(super) fn value_determined(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let found = self.least_values_left(is_it, conditions, here, levels);
        found.or_else(|| self.value_of_equal_column(is_it, conditions, here, levels))
    }

    fn least_values_left(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let mut left = |condition: &&Expr| {
            let found = self.values_left(is_it, condition, here, levels);
            found.or_else(|| self.value_of_correlated(is_it, condition, conditions, here, levels))
        };
        conditions.iter().filter_map(&mut left).min()
    }

    /// `x = y AND y = $1`: a column has as many values as one that it equals.
    fn value_of_equal_column(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        if conditions.len() > MOST_EQUALITIES {
            return None;
        }
        let mut equal: Vec<&Expr> = Vec::new();
        let mut checked = 0;
        loop {
            for condition in conditions {
                let Expr::Binary { op: Op::Eq, left, right } = condition else { continue };
                let is_known = |expr: &Expr| match checked {
                    0 => is_it(expr),
                    _ => same_column(equal[checked - 1], expr),
                };
                let other = match (is_known(left), is_known(right)) {
                    (true, false) => right.as_ref(),
                    (false, true) => left.as_ref(),
                    _ => continue,
                };
                let is_new = other.as_column().is_some()
                    && !is_it(other)
                    && !equal.iter().any(|known| same_column(known, other));
                if is_new && self.are_alike(left, right) && self.compares_as_key(left, Some(right)) {
                    equal.push(other);
                }
            }
            checked += 1;
            let next = *equal.get(checked - 1)?;
            let is_next = |expr: &Expr| same_column(next, expr);
            let found = self.least_values_left(&is_next, conditions, here, levels);
            if found.is_some() {
                return found;
            }
        }
    }

    /// Whether two columns of tables compare as the values of each do among themselves. Between types, or between
    /// collations, one value may equal several that differ.
    fn are_alike(&self, left: &Expr, right: &Expr) -> bool {
        let (Some(one), Some(other)) = (self.table_column(left), self.table_column(right)) else {
            return false;
        };
        if is_integer(&one.ty) && is_integer(&other.ty) {
            return true;
        }
        // The collation of a column of MySQL may come from its table.
        let is_told = one.collation.is_some()
            || self.dialect() != Some(Dialect::MySql)
            || self.table_of(left) == self.table_of(right);
        is_told && one.ty.eq_ignore_ascii_case(&other.ty) && one.collation == other.collation
    }

    pub(super) fn values_left(
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
                // A subquery in a comparison returns one row, or the database raises an error.
                if let (Expr::Row(parts), Expr::Subquery(query)) | (Expr::Subquery(query), Expr::Row(parts)) =
                    (left.as_ref(), right.as_ref())
                {
                    let alone = !self.query.block(*query).correlated;
                    return (alone && parts.iter().any(is_it)).then_some(Rows::One);
                }
                self.equal(is_it, left, right, here, levels)
            }
            // Two equal values are interchangeable if neither can be NULL.
            Expr::Binary { op: Op::Same, left, right }
                if self.is_never_null(left) || self.is_never_null(right) =>
            {
                self.equal(is_it, left, right, here, levels)
            }
            Expr::InList { expr, list, negated: false } => {
                self.values_listed(is_it, expr, list, here, levels)
            }
            Expr::Any { left, op: Op::Eq, right, all: false } if is_it(left) => {
                self.determined(right, here, levels).map(|_| Rows::Bounded)
            }
            Expr::Exists { query, negated: false } => self.values_matched(is_it, *query, None, here, levels),
            Expr::InQuery { expr, query, op: Op::Eq, negated: false }
                if self.query.block(*query).correlated =>
            {
                self.values_matched(is_it, *query, Some(expr), here, levels)
            }
            Expr::InQuery { expr, query, op: Op::Eq, negated: false } => {
                let matches = match expr.as_ref() {
                    Expr::Row(parts) => parts.iter().any(is_it),
                    Expr::Collate { expr, .. } => is_it(expr),
                    other => is_it(other),
                };
                (matches && self.compares_as_key(expr, None) && !self.query.block(*query).correlated)
                    .then(|| self.block(*query).rows)
                    .filter(|rows| *rows != Rows::Many)
            }
            Expr::Or(arms) => {
                for arm in arms {
                    let conjuncts: Vec<&Expr> = arm.conjuncts().iter().collect();
                    self.least_values_left(is_it, &conjuncts, here, levels)?;
                }
                Some(Rows::Bounded)
            }
            Expr::Not(inner) => self.values_left_by_negation(is_it, inner, here, levels),
            // Elsewhere a number other than zero is true as well.
            Expr::Column(_) => self.is_postgres_truth(condition, is_it).then_some(Rows::One),
            Expr::Is { expr, test: Test::True | Test::False, negated: false } => {
                self.is_postgres_truth(expr, is_it).then_some(Rows::One)
            }
            _ => None,
        }
    }

    /// Like `values_left`, for `expr IN (list)`.
    fn values_listed(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        expr: &Expr,
        list: &[Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let position = match expr {
            Expr::Row(parts) => parts.iter().position(is_it).map(Some)?,
            Expr::Collate { expr, .. } => is_it(expr).then_some(None)?,
            other => is_it(other).then_some(None)?,
        };
        if !self.compares_as_key(expr, None) {
            return None;
        }
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

    /// Like `values_left`, for `NOT condition`.
    fn values_left_by_negation(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        condition: &Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        match condition {
            Expr::Binary { op: Op::NotEq, left, right } => self.equal(is_it, left, right, here, levels),
            Expr::InList { expr, list, negated: true } => {
                let listed = Expr::InList { expr: expr.clone(), list: list.clone(), negated: false };
                self.values_left(is_it, &listed, here, levels)
            }
            Expr::Not(inner) => self.values_left(is_it, inner, here, levels),
            // `NOT (a OR b)` is `NOT a AND NOT b`.
            Expr::Or(arms) => {
                let left = |arm| self.values_left_by_negation(is_it, arm, here, levels);
                arms.iter().filter_map(left).min()
            }
            Expr::Column(_) => {
                (is_it(condition) && self.has_one_untrue_value(condition)).then_some(Rows::One)
            }
            _ => None,
        }
    }

    /// Whether an expression is the one sought, and a boolean of PostgreSQL.
    fn is_postgres_truth(&self, expr: &Expr, is_it: &dyn Fn(&Expr) -> bool) -> bool {
        self.dialect() == Some(Dialect::Postgres) && is_it(expr)
    }

    /// Whether `NOT column` leaves one value: false, or zero. A column of SQLite may hold text, whatever its type, and
    /// elsewhere a fraction may count as zero.
    fn has_one_untrue_value(&self, expr: &Expr) -> bool {
        let Some(column) = expr.as_column() else { return false };
        let relation = column.relation.map(|id| self.query.relation(id));
        let columns = relation.and_then(|relation| relation.columns.as_ref());
        let known = columns.and_then(|columns| columns.iter().find(|known| known.name == column.name));
        match self.dialect() {
            Some(Dialect::Postgres) => true,
            Some(Dialect::MySql) => known.is_some_and(|known| is_integer(&known.ty)),
            Some(Dialect::Sqlite) | None => false,
        }
    }

    /// The column of a table that an expression names.
    pub(super) fn table_column(&self, expr: &Expr) -> Option<&Column> {
        self.schema?.stored(self.table_of(expr)?)?.column(&expr.as_column()?.name)
    }

    /// The table that an expression names a column of.
    fn table_of(&self, expr: &Expr) -> Option<&Name> {
        match &self.query.relation(expr.as_column()?.relation?).source {
            Source::Table(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn equal<'e>(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        left: &'e Expr,
        right: &'e Expr,
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let bare = |expr: &'e Expr| match expr {
            Expr::Collate { expr, .. } => expr.as_ref(),
            other => other,
        };
        let value = if is_it(bare(left)) {
            bare(right)
        } else if is_it(bare(right)) {
            bare(left)
        } else {
            return None;
        };
        let own = if std::ptr::eq(value, bare(right)) { bare(left) } else { bare(right) };
        if self.is_turned_into_number(own, value) {
            return None;
        }
        self.compares_as_key(left, Some(right)).then(|| self.determined(value, here, levels))?
    }

    /// How many values an expression takes if all relations in it are already bounded.
    pub(super) fn determined(
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
                Expr::Column(column) => match column.relation {
                    // A column of an outer query is a single value here.
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

fn same_column(one: &Expr, other: &Expr) -> bool {
    one.as_column().is_some_and(|column| other.as_column() == Some(column))
}

/// Whether a declared type is one of integers, which all compare exactly.
fn is_integer(ty: &str) -> bool {
    let ty = ty.to_ascii_lowercase();
    let (name, rest) = ty.split_at(ty.find(['(', ' ']).unwrap_or(ty.len()));
    let is_name = matches!(
        name,
        "tinyint"
            | "smallint"
            | "mediumint"
            | "int"
            | "integer"
            | "bigint"
            | "int2"
            | "int4"
            | "int8"
            | "bool"
            | "boolean"
    );
    is_name && !rest.contains('[')
}
