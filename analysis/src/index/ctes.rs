//! CTEs that are planned as part of the queries that name them.

use super::problem::Collector;
use crate::sql::query::{BlockId, Body, Query, RelationId, Role, Source};
use crate::sql::{Dialect, predicates};

/// The relations that name a CTE.
pub(super) fn references(query: &Query, cte: BlockId) -> Vec<RelationId> {
    let all = query.relation_ids();
    let named = all.filter(|(_, relation)| matches!(relation.source, Source::Cte(block) if block == cte));
    named.map(|(id, _)| id).collect()
}

impl Collector<'_> {
    /// Whether the conditions of a reference are pushed into a CTE: only PostgreSQL has one for each reference.
    pub(super) fn is_for_one(&self, cte: BlockId) -> bool {
        let is_named_once = matches!(self.query.block(cte).role, Role::Cte { uses: 1, .. });
        self.schema.dialect == Dialect::Postgres || is_named_once
    }

    /// Whether a reference stands for a CTE that is planned anew for each.
    pub(super) fn is_its_turn(&self, id: RelationId, cte: BlockId) -> bool {
        let references = references(self.query, cte);
        references.len() < 2 || references.get(self.turn % references.len()) == Some(&id)
    }

    /// Whether a CTE is inlined: it is not recursive, and writes nothing. PostgreSQL inlines what is referenced once.
    pub(super) fn is_inlined(&self, id: BlockId) -> bool {
        let block = self.query.block(id);
        match &block.role {
            Role::Cte { recursive: true, .. } | Role::Cte { materialized: Some(true), .. } => false,
            Role::Cte { materialized: Some(false), .. } => {
                matches!(block.body, Body::Select(_) | Body::Set { .. })
            }
            Role::Cte { uses, .. } => {
                (*uses == 1 || self.schema.dialect != Dialect::Postgres)
                    && !block.locks
                    && match &block.body {
                        Body::Select(select) => !select.projection.iter().any(predicates::is_volatile),
                        Body::Set { .. } => true,
                        _ => false,
                    }
            }
            _ => true,
        }
    }
}
