//! Comparisons by operators and lists, as conditions of one side.

use super::condition::{Compare, Condition, Reader};
use super::estimate;
use super::pattern;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, LikeKind, Literal, Op};

impl Reader<'_> {
    /// `x BETWEEN low AND high` is `low <= x AND high >= x` to a column that is a bound.
    pub(super) fn bound(&self, value: &Expr, bound: &Expr) -> Option<Condition> {
        let mut found = self.compared(bound, Compare::Range, &[value])?;
        found.kept = estimate::ONE_SIDE;
        found.collation = found.collation.or_else(|| self.collation_of_left(value));
        Some(found)
    }

    /// PostgreSQL's `text ^@ 'start'`.
    pub(super) fn starts_with(&self, text: &Expr, start: &Expr) -> Vec<Condition> {
        let operator = || Compare::Operator("^@".to_owned());
        let compares = match start.without_casts() {
            Expr::Literal(Literal::Text(start)) if !start.is_empty() => vec![Compare::Prefix(LikeKind::Like)],
            start if pattern::is_given(start) => vec![operator(), Compare::Given(LikeKind::Like)],
            _ => vec![operator()],
        };
        let found = compares.into_iter().filter_map(|compare| self.compared(text, compare, &[start]));
        found.map(|condition| Condition { by_start: true, ..condition }).collect()
    }

    /// Whether a column of addresses is compared with the network that has to contain it, written as a constant: a
    /// range of addresses for a btree.
    pub(super) fn is_in_network(&self, op: &str, left: &Expr, right: &Expr) -> bool {
        let is_address = || self.type_of_own(left).is_some_and(|ty| matches!(ty, "inet" | "cidr"));
        let is_written = matches!(right.without_casts(), Expr::Literal(Literal::Text(_)));
        matches!(op, "<<" | "<<=") && is_written && self.dialect == Dialect::Postgres && is_address()
    }

    pub(super) fn binary(&self, op: &Op, left: &Expr, right: &Expr) -> Vec<Condition> {
        if let (Expr::Row(left), Expr::Row(right)) = (left, right) {
            let pairs = left.iter().zip(right);
            return match op {
                Op::Eq => pairs.flat_map(|(l, r)| self.binary(op, l, r)).collect(),
                // Row comparison starts with the first columns. MySQL compares the columns one by one.
                op if op.is_range() && self.dialect != Dialect::MySql => {
                    pairs.take(1).flat_map(|(l, r)| self.binary(op, l, r)).collect()
                }
                _ => Vec::new(),
            };
        }
        if let (Op::Eq, Expr::Row(parts), Expr::Subquery(query)) = (op, left, right) {
            if (self.depends)(*query) {
                return Vec::new();
            }
            let is_converted = |part: &Expr, at: usize| {
                self.dialect == Dialect::Sqlite && self.changes_affinity_in(part, *query, at)
            };
            let parts = parts.iter().enumerate().filter(|(at, part)| !is_converted(part, *at));
            return parts.filter_map(|(_, part)| self.compared(part, Compare::Equal, &[])).collect();
        }
        if let Some((own, text)) = self.searched_by_relevance(op, left, right) {
            return self.binary(&Op::Other("match".into()), own, text);
        }
        let compare = match op {
            Op::Eq => Compare::Equal,
            // PostgreSQL does not use an index for `IS NOT DISTINCT FROM`.
            Op::Same if self.dialect != Dialect::Postgres => Compare::Equal,
            op if op.is_range() => Compare::Range,
            Op::Other(op) if op == "^@" => return self.starts_with(left, right),
            Op::Other(op) if self.is_in_network(op.as_str(), left, right) => {
                let compares = [Compare::Range, Compare::Operator(op.as_str().to_owned())];
                return compares.into_iter().filter_map(|it| self.compared(left, it, &[right])).collect();
            }
            // On texts it is the similarity operator.
            Op::Arithmetic('%') => Compare::Operator("%".to_owned()),
            Op::Other(_) => Compare::Operator(op.as_str().to_owned()),
            // GiST is searched by it as well.
            Op::NotEq if self.dialect == Dialect::Postgres => return self.other_than(left, right),
            _ => return Vec::new(),
        };
        let flipped = match op {
            Op::Other(_) => Compare::Operator(op.flipped().as_str().to_owned()),
            _ => compare.clone(),
        };
        let mut on_right = self.compared(right, flipped, &[left]);
        if let Some(found) = &mut on_right {
            found.collation = found.collation.take().or_else(|| self.collation_of_left(left));
        }
        match (self.compared(left, compare, &[right]), on_right) {
            (Some(left), Some(right)) => vec![left, right],
            (left, right) => left.or(right).into_iter().collect(),
        }
    }

    /// PostgreSQL: the comparison of a column by `<>` with a value of the query itself.
    fn other_than(&self, left: &Expr, right: &Expr) -> Vec<Condition> {
        let compared = |own: &Expr, value: &Expr| {
            self.own_column(own)?;
            self.compared(own, Compare::Operator("<>".to_owned()), &[value]).filter(|it| it.needs.is_empty())
        };
        compared(left, right).or_else(|| compared(right, left)).into_iter().collect()
    }

    /// What MariaDB and MySQL search and for which text, if a query selects rows whose relevance exceeds a number: a
    /// number that rows without the text, whose relevance is 0, do not reach.
    fn searched_by_relevance<'e>(
        &self,
        op: &Op,
        left: &'e Expr,
        right: &'e Expr,
    ) -> Option<(&'e Expr, &'e Expr)> {
        let searched = |expr: &'e Expr| match expr {
            Expr::Binary { op: Op::Other(search), left: own, right: text } if search.as_str() == "match" => {
                Some((own.as_ref(), text.as_ref()))
            }
            _ => None,
        };
        if self.dialect != Dialect::MySql {
            return None;
        }
        let (found, op, bound) = match searched(left) {
            Some(found) => (found, op.clone(), right),
            None => (searched(right)?, op.flipped(), left),
        };
        let is_exceeded = match (op, bound.without_casts()) {
            (Op::Gt, Expr::Unary { .. }) | (Op::GtEq, Expr::Unary { .. }) => false,
            (Op::Gt, _) => true,
            (Op::GtEq, Expr::Literal(Literal::Number(number) | Literal::Text(number))) => {
                number.parse::<f64>().is_ok_and(|number| number > 0.0)
            }
            (Op::GtEq, Expr::Literal(Literal::Bool(truth))) => *truth,
            (Op::GtEq, _) => true,
            _ => false,
        };
        is_exceeded.then_some(found)
    }

    pub(super) fn in_list(&self, expr: &Expr, list: &[Expr]) -> Vec<Condition> {
        if let Expr::Row(parts) = expr {
            let column = |at: usize, part: &Expr| {
                let values: Option<Vec<&Expr>> = list
                    .iter()
                    .map(|item| match item {
                        Expr::Row(values) => values.get(at),
                        _ => None,
                    })
                    .collect();
                self.compared(part, Compare::Equal, &values?)
            };
            return parts.iter().enumerate().filter_map(|(at, part)| column(at, part)).collect();
        }
        let values: Vec<&Expr> = list.iter().collect();
        // SQLite converts what a list holds as the operand says.
        let converts = self.dialect != Dialect::Sqlite;
        self.compared_as(expr, Compare::Equal, &values, converts).into_iter().collect()
    }
}
