//! A pattern that starts with a wildcard.

use super::shared::wording;
use super::{Check, QueryContext, declare_lint, optional_filter, shared};
use crate::finding::Finding;
use crate::schema::Table;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, LikeKind, Literal, Op};
use crate::sql::query::{Query, RelationId};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `LIKE` and `ILIKE` with a pattern that starts with `%` or `_`.
    ///
    /// ## Why is this bad
    ///
    /// An index is sorted by the start of the text, which this pattern leaves open: every row is read and
    /// matched.
    ///
    /// ## Known limits
    ///
    /// A pattern in a parameter cannot be seen; `unindexed_filter` reports it. Silent if there is an index on
    /// trigrams or another condition narrows the search, on small tables, and without a schema.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id FROM events WHERE name ILIKE '%' || $1 || '%' ORDER BY id LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id FROM events WHERE user_id = $2 AND name ILIKE '%' || $1 || '%' ORDER BY id LIMIT 10
    /// ```
    "leading_wildcard", Shape, since "0.1.0",
    "a pattern that begins with a wildcard",
    Check::Query(check); NeedsSchema, OnReading
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    shared::add_all(context, findings, found);
}

/// The findings, one per table, each with the table that is read in full because of it.
pub(super) fn found(context: &QueryContext<'_>, query: &Query) -> Vec<(RelationId, Finding)> {
    let mut by_table: Vec<(RelationId, Vec<&Expr>)> = Vec::new();
    if !context.any_unserved() {
        return Vec::new();
    }
    for (_, block) in query.written_blocks() {
        // An index on what is compared with one value leads to fewer rows. The condition of an outer join may filter none.
        let is_found =
            |relation: RelationId| block.filters().iter().any(|it| is_equal_to_value(it, relation));
        for condition in block.conditions() {
            // The comparison in an optional filter does not matter until the filter is split up.
            if optional_filter::is_optional(condition) {
                continue;
            }
            let alternatives = match condition {
                Expr::Or(arms) => arms.as_slice(),
                other => std::slice::from_ref(other),
            };
            for matched in alternatives.iter().flat_map(Expr::conjuncts).filter_map(matched) {
                let Some(relation) = matched.columns().first().and_then(|column| column.relation) else {
                    continue;
                };
                if is_found(relation) || context.lacks_index_of_value(relation) {
                    continue;
                }
                match by_table.iter_mut().find(|(known, _)| *known == relation) {
                    Some((_, all)) if !all.contains(&matched) => all.push(matched),
                    Some(_) => {}
                    None => by_table.push((relation, vec![matched])),
                }
            }
        }
    }
    let unserved = by_table.into_iter().filter(|(relation, _)| context.unserved(*relation).is_some());
    unserved
        .filter_map(|(relation, matched)| {
            let table = context.table(query, relation)?;
            Some((relation, finding(context, table, &matched)))
        })
        .collect()
}

/// Whether a condition compares a column of a relation with a value, or with a column of another relation.
fn is_equal_to_value(condition: &Expr, relation: RelationId) -> bool {
    let Expr::Binary { op: Op::Eq, left, right } = condition else { return false };
    let is_of = |side: &Expr| side.as_column().is_some_and(|column| column.relation == Some(relation));
    let is_free = |side: &Expr| side.columns().iter().all(|column| column.relation != Some(relation));
    is_of(left) && is_free(right) || is_of(right) && is_free(left)
}

/// The operand of a match whose pattern starts with a wildcard.
pub(super) fn matched(condition: &Expr) -> Option<&Expr> {
    let Expr::Like { expr, pattern, kind, negated: false } = condition else { return None };
    begins_with_wildcard(pattern, *kind).then_some(expr)
}

fn begins_with_wildcard(pattern: &Expr, kind: LikeKind) -> bool {
    match pattern.without_casts() {
        Expr::Literal(Literal::Text(text)) => match kind {
            LikeKind::Like | LikeKind::ILike | LikeKind::Similar => text.starts_with(['%', '_']),
            LikeKind::Glob => text.starts_with(['*', '?']),
            LikeKind::Regex | LikeKind::IRegex => false,
        },
        Expr::Binary { op: Op::Concat, left, .. } => begins_with_wildcard(left, kind),
        Expr::Call(call) if matches!(call.name.as_str(), "concat" | "format") => {
            call.args.first().is_some_and(|first| begins_with_wildcard(first, kind))
        }
        _ => false,
    }
}

fn finding(context: &QueryContext<'_>, table: &Table, matched: &[&Expr]) -> Finding {
    let named: Vec<String> =
        matched.iter().map(|expr| format!("`{}`", wording::sql(expr, context.dialect))).collect();
    let span = matched.first().and_then(|expr| expr.span()).map_or(0..0, |span| span.range());
    let message = format!(
        "pattern on {} of `{}` begins with a wildcard, which no btree index serves",
        named.join(", "),
        table.name
    );
    let finding =
        Finding::new(LINT.name, message).excerpt(context.sql, span, "every row is read and matched");
    let finding = finding.help("leave out the first wildcard where a beginning is looked for");
    match context.dialect {
        Dialect::Postgres => {
            let keys: Vec<String> = matched
                .iter()
                .map(|expr| match expr {
                    Expr::Column(column) => format!("{} gin_trgm_ops", column.name),
                    other => format!("({other}) gin_trgm_ops"),
                })
                .collect();
            finding.help(format!(
                "or add an index on trigrams: `CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX ON {} USING gin ({})`",
                table.name,
                keys.join(", ")
            ))
        }
        Dialect::Sqlite => finding.help(
            "or search a full-text table: `CREATE VIRTUAL TABLE .. USING fts5(.., tokenize = 'trigram')`",
        ),
        Dialect::MySql => finding.help(format!(
            "or search words: `CREATE FULLTEXT INDEX {0}_text ON {0} (..)` and `MATCH (..) AGAINST (?)`",
            table.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn fires_wherever_the_wildcard_comes_from() {
        fires("leading_wildcard", "SELECT id FROM events WHERE name LIKE '%done'");
        fires("leading_wildcard", "SELECT id FROM events WHERE name LIKE concat('%', $1::text)");
        fires("leading_wildcard", "SELECT id FROM events WHERE server_id = $2 OR name LIKE '%' || $1");
        fires(
            "leading_wildcard",
            "SELECT s.id FROM servers s LEFT JOIN events e ON e.server_id = s.id WHERE s.name LIKE '%' || $1",
        );
    }

    #[test]
    fn proposes_one_index_for_all_that_is_matched() {
        fires("leading_wildcard", "SELECT id FROM users WHERE name ILIKE '%a' OR email ILIKE '%a'");
        assert_eq!(
            help("leading_wildcard", "SELECT id FROM logs WHERE lower(output) LIKE '%a%'"),
            "leave out the first wildcard where a beginning is looked for"
        );
    }

    #[test]
    fn silent_where_the_beginning_is_fixed_or_something_else_leads() {
        for sql in [
            "SELECT id FROM events WHERE name LIKE 'done%'",
            "SELECT id FROM events WHERE name LIKE $1",
            "SELECT id FROM events WHERE name NOT LIKE '%done'",
            "SELECT id FROM events WHERE user_id = $1 AND name LIKE '%done'",
            "SELECT id FROM logs WHERE event_id = $1 AND output LIKE '%done'",
            "SELECT name LIKE '%done' FROM events",
        ] {
            silent("leading_wildcard", sql);
        }
    }
}
