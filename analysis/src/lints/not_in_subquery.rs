//! NOT IN over values that may be NULL.

use super::shared::clause::Text;
use super::shared::wording;
use super::{Check, QueryContext, declare_lint, shared};
use crate::finding::{Applicability, Finding};
use crate::sql::expr::{Expr, Op, Test};
use crate::sql::outer_joins;
use crate::sql::query::{Block, BlockId, Body, Query, RelationId};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `x NOT IN (SELECT ..)` if the subquery's column can be NULL.
    ///
    /// ## Why is this bad
    ///
    /// If there is one NULL among the values, the condition matches no row at all, because nothing is known
    /// to differ from NULL. The database also has to keep all the values and cannot plan a join.
    ///
    /// ## Known limits
    ///
    /// If the column is NOT NULL, or the subquery excludes NULL, the result is right and nothing is reported.
    /// Computed values are assumed not to be NULL; columns are only known from the schema.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT name FROM servers WHERE id NOT IN (SELECT server_id FROM events) ORDER BY id LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT s.name FROM servers s
    /// WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.server_id = s.id) ORDER BY s.id LIMIT 10
    /// ```
    "not_in_subquery", Shape, since "0.1.0",
    "NOT IN over values that may be NULL can match no row",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    shared::add_all(context, findings, found);
}

/// The findings, each with the table whose rows are compared.
pub(super) fn found(context: &QueryContext<'_>, query: &Query) -> Vec<(Option<RelationId>, Finding)> {
    let mut found = Vec::new();
    for (_, block) in query.written_blocks() {
        for condition in block.conditions() {
            condition.walk(&mut |expr| {
                if let Expr::InQuery { expr, query: inner, op: Op::Eq, negated: true } = expr
                    && let Some(column) = nullable_output(context, query, *inner)
                {
                    let relation = expr.columns().first().and_then(|column| column.relation);
                    found.push((relation, finding(context, query, expr, *inner, column)));
                }
            });
        }
    }
    found
}

/// The output column of a subquery, if it can be NULL.
fn nullable_output<'q>(context: &QueryContext<'_>, query: &'q Query, id: BlockId) -> Option<&'q Expr> {
    let block = query.block(id);
    match &block.body {
        Body::Select(select) => {
            let [output] = select.projection.as_slice() else { return None };
            let column = output.as_column()?;
            let relation = column.relation?;
            let table = context.table(query, relation)?;
            let declared = table.column(&column.name)?;
            let never = declared.not_null || table.primary_key.contains(&column.name);
            ((!never || outer_joins::padded(block).contains(&relation)) && !is_demanded(block, output))
                .then_some(output)
        }
        Body::Set { left, right, .. } => {
            nullable_output(context, query, *left).or_else(|| nullable_output(context, query, *right))
        }
        Body::Values(_) | Body::Write(_) | Body::Unknown => None,
    }
}

/// Whether the subquery's own conditions exclude NULL, by comparing the column.
fn is_demanded(block: &Block, output: &Expr) -> bool {
    block.conditions().iter().any(|condition| match condition {
        Expr::Is { expr, test: Test::Null, negated } => *negated && expr.as_ref() == output,
        Expr::Binary { op, left, right } => {
            !matches!(op, Op::Same | Op::NotSame) && (left.as_ref() == output || right.as_ref() == output)
        }
        Expr::InList { expr, .. }
        | Expr::InQuery { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::Between { expr, .. } => expr.as_ref() == output,
        Expr::Any { left, all: false, .. } => left.as_ref() == output,
        _ => false,
    })
}

fn finding(
    context: &QueryContext<'_>,
    query: &Query,
    sought: &Expr,
    inner: BlockId,
    output: &Expr,
) -> Finding {
    let outer = sought;
    let written = |expr: &Expr| match expr.as_column().and_then(|column| Some((column, column.relation?))) {
        Some((column, relation)) => format!("{}.{}", query.relation(relation).alias, column.name),
        None => wording::operand(expr, context.dialect),
    };
    let (sought, value) = (written(sought), written(output));
    let block = query.block(inner);
    let more = if block.filters().is_empty() { "" } else { " AND .." };
    let table = block.from().first().and_then(|item| item.relations().first().copied());
    let table = table.map_or_else(|| "..".to_owned(), |id| table_name(query, id));
    let span = output.span().map_or(0..0, |span| span.range());
    let finding = Finding::new(LINT.name, format!("NOT IN holds for no row when one `{value}` is NULL"))
        .excerpt(context.sql, span, "can be NULL")
        .help(format!("write `NOT EXISTS (SELECT 1 FROM {table} WHERE {value} = {sought}{more})`"))
        .help(format!("or leave NULL out in the subquery: `{value} IS NOT NULL`"));
    match as_not_exists(context, query, (outer, &sought), inner, (output, &value)) {
        // If either side is NULL, the two differ.
        Some((span, rewrite)) => finding.edit(span, rewrite, Applicability::Maybe),
        None => finding,
    }
}

/// `NOT EXISTS (..)` instead of a comparison of columns with NOT IN, with the range that it replaces. `None`
/// if the subquery does more than filter rows, or shadows the table of the outer column.
fn as_not_exists(
    context: &QueryContext<'_>,
    query: &Query,
    (outer, sought): (&Expr, &str),
    inner: BlockId,
    (output, value): (&Expr, &str),
) -> Option<(std::ops::Range<usize>, String)> {
    let block = query.block(inner);
    let Body::Select(select) = &block.body else { return None };
    let is_plain = select.group_by.is_empty() && select.having.is_none() && !select.aggregates;
    if !is_plain || select.set_returning || select.distinct.is_some() {
        return None;
    }
    if block.limit.is_some() || block.offset.is_some() || !block.order_by.is_empty() || block.locks {
        return None;
    }
    let outside = &query.relation(outer.as_column()?.relation?).alias;
    let inside = block.from().iter().flat_map(|item| item.relations());
    if inside.into_iter().any(|id| query.relation(id).alias == *outside) {
        return None;
    }
    let text = Text::new(context.sql, context.dialect);
    let output = text.token_at(output.span()?.start)?;
    let select = (0..output).rev().find(|at| text.is(*at, "select"))?;
    let open = select.checked_sub(1).filter(|at| text.is(*at, "("))?;
    let negation = open.checked_sub(2).filter(|at| text.is(*at, "not") && text.is(at + 1, "in"))?;
    let (first, close) = (text.token_at(outer.span()?.start)?, text.closing(open)?);
    let end_of_outer = text.token_at(outer.span()?.end.checked_sub(1)?)?;
    if end_of_outer + 1 != negation {
        return None;
    }
    let mut depth = 0_usize;
    let mut outermost = |word: &str| {
        (select..close).find(|at| {
            match text.at(*at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && text.is(*at, word)
        })
    };
    let from = outermost("from")?;
    let condition = format!("{value} = {sought}");
    let rewrite = match outermost("where") {
        None => {
            let tables = text.slice(text.span(from, close - 1)?);
            format!("NOT EXISTS (SELECT 1 {tables} WHERE {condition})")
        }
        Some(filter) => {
            let tables = text.slice(text.span(from, filter)?);
            let filters = text.slice(text.span(filter + 1, close - 1)?);
            let is_one = outermost("or").is_none();
            let filters = if is_one { filters.to_owned() } else { format!("({filters})") };
            format!("NOT EXISTS (SELECT 1 {tables} {condition} AND {filters})")
        }
    };
    Some((text.span(first, close)?, rewrite))
}

/// A table as named in FROM, with its alias.
fn table_name(query: &Query, id: RelationId) -> String {
    let relation = query.relation(id);
    match &relation.source {
        crate::sql::query::Source::Table(name) if name.name != relation.alias => {
            format!("{name} {}", relation.alias)
        }
        crate::sql::query::Source::Table(name) => name.to_string(),
        _ => relation.alias.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn fires_where_null_is_among_the_values() {
        fires("not_in_subquery", "DELETE FROM servers WHERE id NOT IN (SELECT server_id FROM events)");
        fires(
            "not_in_subquery",
            "SELECT id FROM users WHERE id NOT IN (SELECT e.user_id FROM logs l LEFT JOIN events e ON e.id = l.event_id)",
        );
        assert_eq!(
            help(
                "not_in_subquery",
                "SELECT s.id FROM servers s WHERE s.id NOT IN (SELECT e.server_id FROM events e WHERE e.is_active)"
            ),
            "write `NOT EXISTS (SELECT 1 FROM events e WHERE e.server_id = s.id AND ..)`"
        );
    }

    #[test]
    fn silent_where_null_is_left_out() {
        for sql in [
            "SELECT id FROM events WHERE id NOT IN (SELECT event_id FROM logs)",
            "SELECT id FROM servers WHERE id NOT IN (SELECT server_id FROM events WHERE server_id IS NOT NULL)",
            "SELECT id FROM servers WHERE id NOT IN (SELECT server_id FROM events WHERE server_id > $1)",
            "SELECT id FROM servers WHERE id IN (SELECT server_id FROM events)",
            "SELECT id FROM servers WHERE id NOT IN ($1, $2)",
        ] {
            silent("not_in_subquery", sql);
        }
    }
}
