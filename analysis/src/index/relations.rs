//! Sets of a query's relations.

use crate::sql::query::RelationId;

/// A set of a query's relations. It cannot hold those beyond the first 64, and no more than
/// [`super::MOST_RELATIONS`] are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Relations(u64);

impl Relations {
    pub(super) const NONE: Relations = Relations(0);

    pub(super) fn insert(&mut self, id: RelationId) {
        self.0 |= bit(id);
    }

    pub(super) fn contains(self, id: RelationId) -> bool {
        self.0 & bit(id) != 0
    }

    pub(super) fn union(self, others: Relations) -> Relations {
        Relations(self.0 | others.0)
    }

    pub(super) fn contains_all(self, others: Relations) -> bool {
        others.0 & !self.0 == 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

impl FromIterator<RelationId> for Relations {
    fn from_iter<I: IntoIterator<Item = RelationId>>(ids: I) -> Relations {
        let mut relations = Relations::NONE;
        ids.into_iter().for_each(|id| relations.insert(id));
        relations
    }
}

impl<'i> FromIterator<&'i RelationId> for Relations {
    fn from_iter<I: IntoIterator<Item = &'i RelationId>>(ids: I) -> Relations {
        ids.into_iter().copied().collect()
    }
}

fn bit(id: RelationId) -> u64 {
    u32::try_from(id.index()).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0)
}
