//! How many rows of two sides a join is expected to match.

use super::cost::{Unique, clamped};
use super::estimate::Leaf;
use super::paths::Pair;
use super::tree::{Clause, OuterKind, Set, Tree};

impl Tree<'_> {
    pub(super) fn leaf(&self, at: usize) -> Option<&Leaf<'_>> {
        self.leaves.get(at)
    }

    /// The part of all pairs of rows that satisfies the conditions.
    pub(super) fn selectivity(&self, on: &[&Clause]) -> f64 {
        let mut product = 1.0;
        let mut open: Vec<&Clause> = on.to_vec();
        while let Some(clause) = open.pop() {
            let Some([one, other]) = &clause.equal else {
                product *= clause.keeps;
                continue;
            };
            let reference = [(one, other), (other, one)]
                .into_iter()
                .find_map(|(from, to)| self.reference(from.0, to.0, on));
            match reference {
                // Each referencing row finds one of the referenced ones.
                Some(tuples) => {
                    product /= tuples;
                    open.retain(|clause| {
                        let of = |it: &[(usize, String); 2]| {
                            [one.0, other.0] == [it[0].0, it[1].0] || [other.0, one.0] == [it[0].0, it[1].0]
                        };
                        !clause.equal.as_ref().is_some_and(of)
                    });
                }
                None => product *= self.equal(&[one.clone(), other.clone()]),
            }
        }
        product
    }

    /// The rows of a referenced table, if the conditions compare all columns of a foreign key.
    pub(super) fn reference(&self, from: usize, to: usize, on: &[&Clause]) -> Option<f64> {
        let (table, target) = (self.leaf(from)?.table?, self.leaf(to)?);
        let referenced = target.table?;
        let is_equal = |column: &String, of: &String| {
            let found = on.iter().filter(|clause| !clause.is_delayed);
            found.filter_map(|clause| clause.equal.as_ref()).any(|[one, other]| {
                let is = |it: &(usize, String), at: usize, name: &String| it.0 == at && it.1 == *name;
                is(one, from, column) && is(other, to, of) || is(other, from, column) && is(one, to, of)
            })
        };
        let matches = table.foreign_keys.iter().filter(|key| key.table == referenced.name).any(|key| {
            let of = if key.references.is_empty() { &referenced.primary_key } else { &key.references };
            key.columns.len() == of.len()
                && key.columns.iter().zip(of).all(|(column, of)| is_equal(column, of))
        });
        matches.then_some(target.tuples.max(1.0))
    }

    pub(super) fn rows(&self, pair: &Pair<'_>, left: f64, right: f64) -> f64 {
        let matches = left * right * self.selectivity(&pair.on);
        let rows = match pair.outer.map(|join| join.kind) {
            None => matches,
            Some(OuterKind::Left) => matches.max(left),
            Some(OuterKind::Full) => matches.max(left).max(right),
            Some(OuterKind::Anti) => left * (1.0 - self.found(pair, right)).max(0.0),
        };
        let set = pair.left | pair.right;
        let is_new = |clause: &&Clause| {
            clause.needs & !set == 0 && clause.needs & !pair.left != 0 && clause.needs & !pair.right != 0
        };
        let later = self.clauses.iter().filter(is_new).map(|clause| clause.keeps);
        clamped(rows * if pair.outer.is_some() { later.product() } else { 1.0 })
    }

    /// The part of the left rows that find a row of the right side.
    pub(super) fn found(&self, pair: &Pair<'_>, rows: f64) -> f64 {
        let mut product = 1.0;
        let mut equalities = pair.on.iter().filter_map(|clause| clause.equal.as_ref());
        // Each referencing row finds the referenced one, if it is still there.
        let referenced = equalities.find_map(|[one, other]| {
            let (from, to) = if pair.left >> one.0 & 1 == 1 { (one.0, other.0) } else { (other.0, one.0) };
            self.reference(from, to, &pair.on)
        });
        if let Some(tuples) = referenced {
            return rows / tuples;
        }
        for [one, other] in pair.on.iter().filter_map(|clause| clause.equal.as_ref()) {
            let (left, right) = if pair.left >> one.0 & 1 == 1 { (one, other) } else { (other, one) };
            let distinct =
                |of: &(usize, String)| self.leaf(of.0).map_or((1.0, true), |leaf| leaf.distinct(&of.1));
            let ((of_left, left_guessed), (mut of_right, mut right_guessed)) =
                (distinct(left), distinct(right));
            if of_right >= rows {
                (of_right, right_guessed) = (rows, false);
            }
            product *= match left_guessed || right_guessed {
                true => 0.5,
                false if of_left <= of_right => 1.0,
                false => of_right / of_left,
            };
        }
        product
    }

    /// If a row of the left side finds at most one of the right side: the part that finds one, for which the
    /// planner takes the part of all pairs.
    pub(super) fn unique(&self, right: Set, equalities: &[&[(usize, String); 2]]) -> Option<Unique> {
        let leaf = (right.count_ones() == 1).then(|| right.trailing_zeros() as usize)?;
        let of_leaf = equalities.iter().copied().flatten().filter(|(of, _)| *of == leaf);
        let columns: Vec<&str> = of_leaf.map(|(_, name)| name.as_str()).collect();
        let leaf = self.leaf(leaf)?;
        let found = equalities.iter().map(|equality| self.equal(equality)).product();
        leaf.has_one(&columns).then(|| Unique { found, read: 2.0 / (leaf.rows + 1.0) })
    }

    /// The part of all pairs of rows in which two columns are equal.
    pub(super) fn equal(&self, [one, other]: &[(usize, String); 2]) -> f64 {
        let distinct = |of: &(usize, String)| self.leaf(of.0).map_or(1.0, |leaf| leaf.distinct(&of.1).0);
        1.0 / distinct(one).max(distinct(other)).max(1.0)
    }

    /// The part of the rows that share a bucket of a hash table.
    pub(super) fn bucket(&self, inner: Set, equalities: &[&[(usize, String); 2]], rows: f64) -> f64 {
        let columns = equalities.iter().copied().flatten().filter(|(of, _)| inner >> of & 1 == 1);
        let parts = columns.filter_map(|(of, name)| {
            let leaf = self.leaf(*of)?;
            let (distinct, guessed) = leaf.distinct(name);
            if guessed {
                return Some(0.1);
            }
            let distinct = clamped(distinct * (leaf.rows / leaf.tuples.max(1.0)).min(1.0));
            let buckets = rows.max(1024.0).log2().ceil().exp2();
            Some(1.0 / distinct.min(buckets))
        });
        parts.fold(1.0, f64::min)
    }
}
