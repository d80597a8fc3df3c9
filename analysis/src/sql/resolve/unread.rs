//! WITH queries that nothing reads: SQLite does not look into them, so what is wrong inside is refused nowhere.

use std::collections::{HashMap, HashSet};

use super::Resolver;
use crate::sql::query::{BlockId, Problem, Role, Source};

impl Resolver<'_> {
    /// The WITH queries that neither the statement nor a WITH query that it reads refers to.
    pub(super) fn unread_queries(&self) -> HashSet<BlockId> {
        let ids = || (0..).map(BlockId).zip(&self.blocks);
        // The WITH query around each block; a block comes after the one around it.
        let mut around: Vec<Option<BlockId>> = Vec::with_capacity(self.blocks.len());
        for (id, block) in ids() {
            let outer = block.parent.and_then(|parent| around.get(parent.0 as usize).copied().flatten());
            around.push(if matches!(block.role, Role::Cte { .. }) { Some(id) } else { outer });
        }
        let mut read: HashMap<Option<BlockId>, Vec<BlockId>> = HashMap::new();
        for relation in &self.relations {
            if let Source::Cte(id) = relation.source {
                let reader = around.get(relation.block.0 as usize).copied().flatten();
                read.entry(reader).or_default().push(id);
            }
        }
        let mut unread: HashSet<BlockId> =
            ids().filter(|(_, block)| matches!(block.role, Role::Cte { .. })).map(|(id, _)| id).collect();
        let mut readers = vec![None];
        while let Some(reader) = readers.pop() {
            for id in read.remove(&reader).unwrap_or_default() {
                if unread.remove(&id) {
                    readers.push(Some(id));
                }
            }
        }
        unread
    }

    /// Drops the problems inside of them.
    pub(super) fn drop_problems_of_unread(&mut self) {
        let mut ranges = self.cte_problems.iter().filter(|(id, _)| self.unread.contains(id)).peekable();
        if ranges.peek().is_none() {
            return;
        }
        let mut kept = vec![true; self.problems.len()];
        for (_, range) in ranges {
            kept.get_mut(range.clone()).into_iter().flatten().for_each(|kept| *kept = false);
        }
        let problems = std::mem::take(&mut self.problems).into_iter().zip(kept);
        self.problems =
            problems.filter(|(_, kept)| *kept).map(|(problem, _): (Problem, _)| problem).collect();
    }
}
