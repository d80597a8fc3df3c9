//! Index hints of a query that keep it from an index that would serve it.

use super::item::{Item, item};
use super::problem::JoinGraph;
use super::relations::Relations;
use super::searches::Served;
use super::{Access, Hindrance};
use crate::schema::Schema;
use crate::sql::query::{Asked, Query, RelationId};

impl<'s> Item<'s> {
    /// The hint without which an index would be searched, with the rows of `reached` available: then another index on the same
    /// columns is one too many.
    pub(super) fn hidden_by_hint(
        &self,
        access: &Access,
        query: &Query,
        schema: &'s Schema,
        problem: &'s JoinGraph,
        reached: Relations,
    ) -> Option<Hindrance> {
        let is_hint = |(id, asked): &(RelationId, Asked)| {
            *id == self.relation && matches!(asked, Asked::Use(_) | Asked::Ignore(_))
        };
        if !query.asked.iter().any(is_hint) {
            return None;
        }
        let mut without = query.clone();
        without.asked.retain(|asked| !is_hint(asked));
        let free = item(self.relation, &without, schema, self.indexes.table(), problem);
        let served = free.search(reached).filter(Served::leads)?;
        let index = free.indexes.name(served.by);
        Some(Hindrance {
            column: access.columns.first()?.clone(),
            why: format!("the index hint on `{}` keeps index `{index}` from being searched", access.alias),
            instead: format!(
                "leave the index hint on `{}` out: index `{index}` serves the filter",
                access.alias
            ),
            index: None,
        })
    }
}
