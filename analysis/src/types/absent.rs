//! The relations that an outer join may pad with NULLs.

use std::collections::HashSet;

use crate::sql::query::{Block, From, JoinKind, RelationId};

/// The relations of a block that an outer join may pad with NULLs.
pub(super) fn of(block: &Block) -> HashSet<RelationId> {
    let mut absent = HashSet::new();
    for item in block.from() {
        outer(item, &mut absent);
    }
    absent
}

fn outer(item: &From, absent: &mut HashSet<RelationId>) {
    if let From::Join { kind, left, right, .. } = item {
        outer(left, absent);
        outer(right, absent);
        if matches!(kind, JoinKind::Left | JoinKind::Full) {
            absent.extend(right.relations());
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            absent.extend(left.relations());
        }
    }
}
