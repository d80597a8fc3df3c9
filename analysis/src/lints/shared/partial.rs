//! Partial unique indexes that would serve a query which repeated their predicate: the rows of a soft delete.

use crate::lints::QueryContext;
use crate::schema::{Schema, columns};
use crate::sql::Dialect;
use crate::sql::query::{Query, RelationId};
use crate::sql::resolve::expression;

/// A partial unique index of a table.
pub(in crate::lints) struct Partial {
    name: String,
    predicate: String,
}

impl Partial {
    /// The advice to repeat the predicate, if the rows are meant that the index holds.
    pub(in crate::lints) fn advice(&self, effect: &str) -> String {
        let Partial { name, predicate } = self;
        format!(
            "if only rows with `{predicate}` are meant, add that condition: the unique index `{name}` {effect}"
        )
    }
}

/// A partial unique index on the table of a relation that serves a query if it holds all rows, as a test of the schema in
/// which it does tells. A query that has a condition on a column of the predicate says which rows it means.
pub(in crate::lints) fn find(
    context: &QueryContext<'_>,
    query: &Query,
    relation: RelationId,
    is_served: impl Fn(&Schema, &str) -> bool,
) -> Option<Partial> {
    let (schema, table) = (context.schema?, context.table(query, relation)?);
    // MySQL has none.
    if context.dialect == Dialect::MySql {
        return None;
    }
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    let asked: Vec<&str> = conditions
        .flat_map(|condition| condition.columns())
        .filter(|column| column.relation == Some(relation))
        .map(|column| column.name.as_str())
        .collect();
    let is_unasked = |predicate: &str| {
        let columns = columns::of_table(schema, table);
        let resolved = expression(predicate, context.dialect, columns);
        resolved.is_some_and(|it| {
            let columns = it.columns();
            !columns.is_empty() && columns.iter().all(|column| !asked.contains(&column.name.as_str()))
        })
    };
    table.indexes.iter().enumerate().find_map(|(at, index)| {
        let predicate = index.predicate.as_deref().filter(|it| index.unique && is_unasked(it))?;
        let mut whole = schema.clone();
        whole.tables.get_mut(&table.name)?.indexes.get_mut(at)?.predicate = None;
        let partial = || Partial { name: index.name.clone(), predicate: predicate.to_owned() };
        is_served(&whole, &index.name).then(partial)
    })
}
