//! Partial indexes that would serve a query which repeated their predicate: the rows of a soft delete, or the value that a
//! parameter always has.

use super::wording;
use crate::lints::QueryContext;
use crate::schema::{Schema, columns};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op};
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

/// A condition of a partial index that a query leaves out by a parameter: `state <> $2` implies `state <> 'done'` for one value.
pub(in crate::lints) struct Bound {
    name: String,
    condition: String,
}

impl Bound {
    /// The advice to write the value.
    pub(in crate::lints) fn advice(&self) -> String {
        let Bound { name, condition } = self;
        format!(
            "if that value is bound, write it in the query: `{condition}`, so that every plan can use index `{name}`"
        )
    }

    /// What is known about the plans until then.
    pub(in crate::lints) fn note(&self) -> String {
        let Bound { name, condition } = self;
        format!(
            "index `{name}` holds the rows with `{condition}`: plans for a parameter with that value use it, generic plans do not"
        )
    }
}

/// A partial index that serves a query, as a test of the schema without that part of its predicate tells, if a parameter has the
/// value that the index leaves out.
pub(in crate::lints) fn bound(
    context: &QueryContext<'_>,
    query: &Query,
    relation: RelationId,
    is_served: impl Fn(&Schema, &str) -> bool,
) -> Option<Bound> {
    let (schema, table) = (context.schema?, context.table(query, relation)?);
    // MySQL has no partial indexes, and SQLite makes no plan for the value of a parameter.
    if context.dialect != Dialect::Postgres {
        return None;
    }
    let conditions: Vec<&Expr> = query.blocks.iter().flat_map(|block| block.conditions()).collect();
    table.indexes.iter().enumerate().find_map(|(at, index)| {
        let columns = columns::of_table(schema, table);
        let predicate = expression(index.predicate.as_deref()?, context.dialect, columns)?;
        let is_bound = |part: &&Expr| conditions.iter().any(|it| may_imply(it, part, relation));
        let (bound, rest): (Vec<&Expr>, Vec<&Expr>) = predicate.conjuncts().iter().partition(is_bound);
        let text = |parts: &[&Expr]| {
            let parts: Vec<String> = parts.iter().map(|part| wording::sql(part, context.dialect)).collect();
            (!parts.is_empty()).then(|| parts.join(" AND "))
        };
        let condition = text(&bound)?;
        let mut whole = schema.clone();
        whole.tables.get_mut(&table.name)?.indexes.get_mut(at)?.predicate = text(&rest);
        is_served(&whole, &index.name).then(|| Bound { name: index.name.clone(), condition })
    })
}

/// Whether a condition implies a part of a predicate if its parameters have the values that the predicate leaves out.
fn may_imply(condition: &Expr, part: &Expr, relation: RelationId) -> bool {
    let is_parameter = |value: &Expr| matches!(value.without_casts(), Expr::Parameter(_));
    let Some((own, left_out)) = excluded(part) else { return false };
    let is_literal = |value: &&Expr| matches!(value.without_casts(), Expr::Literal(_));
    let Some(own) = own.without_casts().as_column().filter(|_| left_out.iter().all(is_literal)) else {
        return false;
    };
    let is_own = |side: &Expr| {
        let column = side.without_casts().as_column();
        column.is_some_and(|column| column.relation == Some(relation) && column.name == own.name)
    };
    match condition {
        Expr::Any { left, op: Op::NotEq, right, all: true } => is_own(left) && is_parameter(right),
        other => excluded(other).is_some_and(|(side, values)| {
            is_own(side) && values.iter().filter(|value| is_parameter(value)).count() >= left_out.len()
        }),
    }
}

/// What a condition compares, and the values that it leaves out: `a <> 1`, `a NOT IN (1, 2)`.
fn excluded(condition: &Expr) -> Option<(&Expr, Vec<&Expr>)> {
    match condition {
        Expr::Binary { op: Op::NotEq, left, right } => match left.columns().is_empty() {
            true => Some((right, vec![left])),
            false => Some((left, vec![right])),
        },
        Expr::InList { expr, list, negated: true } => Some((expr, list.iter().collect())),
        _ => None,
    }
}
