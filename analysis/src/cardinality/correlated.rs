//! Scalar subqueries that depend on the row of an outer query.

use std::collections::BTreeMap;

use super::{Reader, Rows};
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::predicates;
use crate::sql::query::{BlockId, Body, RelationId, Source};

impl Reader<'_> {
    /// How many values an expression takes that equals a subquery: as many as the outer columns that the subquery names.
    /// `v = (SELECT max(v) FROM t i WHERE i.k = t.k)` is one value where `t.k` is one.
    pub(super) fn value_of_correlated(
        &mut self,
        is_it: &dyn Fn(&Expr) -> bool,
        condition: &Expr,
        conditions: &[&Expr],
        here: &[RelationId],
        levels: &BTreeMap<RelationId, Rows>,
    ) -> Option<Rows> {
        let Expr::Binary { op: Op::Eq, left, right } = condition else { return None };
        let (own, query) = match (left.as_ref(), right.as_ref()) {
            (own, Expr::Subquery(query)) | (Expr::Subquery(query), own) => (own, *query),
            _ => return None,
        };
        // What the outer columns are equal to is looked up without such subqueries.
        if !is_it(own) || self.is_correlated_asked || !self.compares_as_key(left, Some(right)) {
            return None;
        }
        let outer = self.outer_columns(query)?;
        self.is_correlated_asked = true;
        let rows = outer.iter().try_fold(Rows::One, |rows, column| {
            let id = column.relation?;
            let own = match levels.get(&id) {
                _ if !here.contains(&id) => Rows::One,
                Some(level) => *level,
                None => self.column_determined(&column.name, id, conditions, here, levels)?,
            };
            Some(rows.max(own))
        });
        self.is_correlated_asked = false;
        rows
    }

    /// The relations of outer queries that a query names; `None` if it is not known of all columns whose they are.
    pub(super) fn outer_relations(&self, query: BlockId) -> Option<Vec<RelationId>> {
        let blocks: Vec<_> = self
            .query
            .block_ids()
            .filter(|(id, _)| *id == query || self.query.is_within(*id, query))
            .collect();
        let inner: Vec<RelationId> =
            blocks.iter().flat_map(|(_, block)| block.from()).flat_map(|item| item.relations()).collect();
        let mut outer: Vec<Option<RelationId>> = Vec::new();
        let mut add = |part: &Expr| match part {
            Expr::Column(column) => outer.push(column.relation),
            Expr::WholeRow(id) => outer.push(Some(*id)),
            _ => {}
        };
        for (_, block) in &blocks {
            block.expressions().into_iter().for_each(|part| part.walk(&mut add));
        }
        for id in &inner {
            if let Source::Function(_, args) = &self.query.relation(*id).source {
                args.iter().for_each(|arg| arg.walk(&mut add));
            }
        }
        outer.retain(|id| id.is_none_or(|id| !inner.contains(&id)));
        outer.into_iter().collect()
    }

    /// The columns of outer queries that a query names; `None` if its value is not determined by them.
    fn outer_columns(&self, query: BlockId) -> Option<Vec<ColumnRef>> {
        let blocks = self.query.block_ids().filter(|(id, _)| self.query.is_within(*id, query));
        let blocks: Vec<_> = blocks.map(|(_, block)| block).collect();
        let inner: Vec<RelationId> =
            blocks.iter().flat_map(|block| block.from()).flat_map(|item| item.relations()).collect();
        let mut outer = Vec::new();
        for block in blocks {
            let mut parts = block.conditions();
            match &block.body {
                Body::Select(select) => {
                    parts.extend(select.projection.iter().chain(&select.group_by).chain(&select.having));
                }
                Body::Set { .. } => {}
                Body::Values(_) | Body::Write(_) | Body::Unknown => return None,
            }
            parts.extend(block.order_by.iter().map(|key| &key.expr));
            for part in parts {
                if predicates::is_volatile(part) || part.any(|it| matches!(it, Expr::WholeRow(_))) {
                    return None;
                }
                let columns = part.columns().into_iter().cloned();
                outer.extend(columns.filter(|column| column.relation.is_none_or(|id| !inner.contains(&id))));
            }
        }
        Some(outer)
    }
}
