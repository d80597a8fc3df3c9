//! The relations that joins scan: tables, queries that are planned by themselves, and functions.

use super::super::plan::Reading;
use super::cost::{Cost, Input, TUPLE};
use super::derived::{groups_of, may_sort, order_of};
use super::estimate::{Leaf, is_fixed};
use super::sizes::{of_function, size_of};
use super::tree::{Guess, Set, Tree};
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, RelationId, Source};

/// The maximum number of scanned relations; with more, the plan is unknown.
const MAX_SCANS: usize = 8;

impl<'q> Tree<'q> {
    pub(super) fn relation(&mut self, reading: &Reading<'q>, id: RelationId, guess: Guess) -> Option<Set> {
        if self.leaves.len() >= MAX_SCANS {
            return None;
        }
        let (mut sorted_by, mut may_be_sorted, mut groups) = (Vec::new(), false, None);
        let mut depends_on = Vec::new();
        let (table, size) = match &reading.query.relation(id).source {
            Source::Table(name) => {
                let table = reading.schema.stored(name)?;
                // Their parts are scanned one by one.
                self.is_unmodelled |=
                    table.partition_by.is_some() || reading.schema.children_of(name).next().is_some();
                (Some(table), Input::rows(1.0))
            }
            Source::Cte(block) | Source::Derived(block) | Source::View(_, block) => {
                // What depends on other rows is read once for each.
                let is_lateral = reading.query.relation(id).lateral;
                if is_lateral && reading.query.block(*block).correlated {
                    self.is_vague = true;
                    depends_on = self.read_in(reading, *block).unwrap_or_default();
                }
                let size = reading.deeper(|| size_of(reading, *block, guess))?;
                let size = size.unwrap_or(Input::rows(guess.rows));
                // What is read from a CTE was stored before.
                let is_stored = matches!(reading.query.relation(id).source, Source::Cte(_))
                    && reading.inlined(id).is_none();
                let stored = Cost { startup: 0.0, total: TUPLE * size.rows };
                if !is_stored {
                    let (order, is_open) = order_of(reading, id, *block);
                    (sorted_by, may_be_sorted) = (order, is_open || may_sort(reading, *block));
                    groups = groups_of(reading, id, *block);
                }
                (None, if is_stored { Input { cost: stored, ..size } } else { size })
            }
            Source::Function(name, args) => {
                let relation = reading.query.relation(id);
                if reading.query.numbers_rows(id)
                    && args.iter().all(is_fixed)
                    && let Some(last) = relation.columns.as_deref().and_then(|columns| columns.last())
                {
                    sorted_by = vec![(last.name.clone(), false)];
                }
                self.is_unmodelled |= reading.may_be_replaced(id);
                (None, Input::rows(of_function(reading, name, args, guess)))
            }
            _ => (None, Input::rows(guess.rows)),
        };
        let mut leaf = Leaf::new(id, table, size, (guess.keeps, reading.folds), reading.schema);
        (leaf.sorted_by, leaf.may_be_sorted, leaf.groups) = (sorted_by, may_be_sorted, groups);
        leaf.depends_on = depends_on;
        self.leaves.push(leaf);
        let set = 1 << (self.leaves.len() - 1);
        self.bits.insert(id, set);
        Some(set)
    }

    /// The columns that a query reads of the relations before it; `None` if one of them is no column of a relation.
    fn read_in(&self, reading: &Reading<'q>, lateral: BlockId) -> Option<Vec<(usize, String)>> {
        let query = reading.query;
        let mut all: Vec<(usize, String)> = Vec::new();
        let mut is_known = true;
        let inner = query.block_ids().filter(|(id, _)| query.is_within(*id, lateral));
        for expr in inner.flat_map(|(_, block)| block.expressions()) {
            expr.walk(&mut |part| {
                let of = match part {
                    Expr::Column(column) => column.relation,
                    Expr::WholeRow(id) => Some(*id),
                    _ => return,
                };
                let is_outer = of.is_some_and(|of| self.bit(of) != 0);
                match reading.leaf(part, 0).and_then(|(id, name)| Some((self.only(self.bit(id))?, name))) {
                    Some(column) if !all.contains(&column) => all.push(column),
                    Some(_) => {}
                    None => is_known &= !is_outer,
                }
            });
        }
        is_known.then_some(all)
    }

    /// The relations that some depend on, of those that are not among them.
    pub(super) fn dependencies(&self, of: Set) -> Set {
        let leaves = self.leaves.iter().enumerate().filter(|(at, _)| of >> at & 1 == 1);
        let read = leaves.flat_map(|(_, leaf)| &leaf.depends_on);
        read.fold(0, |all, (on, _)| all | 1 << on) & !of
    }

    /// Whether the planner may remember what it found for other rows: it does if it expects to need it again.
    pub(super) fn may_be_remembered(&self, leaf: &Leaf<'_>) -> bool {
        let mut keys = leaf.depends_on.iter().filter_map(|(of, name)| Some((self.leaf(*of)?, name)));
        let is_alone = self.leaves.len() == 2;
        // Of values whose number it guesses, and of those of a key, it expects each once.
        !leaf.depends_on.is_empty()
            && !keys.any(|(of, name)| of.distinct(name).1 || is_alone && of.is_unique(&[name]))
    }
}
