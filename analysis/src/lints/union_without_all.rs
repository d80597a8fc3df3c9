//! A UNION that removes duplicates where there are none.

use std::ops::Range;

use super::shared::added;
use super::shared::clause::Text;
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::schema::{KeyPart, Schema};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::{BlockId, Body, From, Query, RelationId, Select, SetOp, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds UNION if no two rows can be equal: each arm returns a key of its table, or groups by what it
    /// returns, and the arms are disjoint, because of different literals in the same column, or because a
    /// column of the same table has to equal different values.
    ///
    /// ## Why is this bad
    ///
    /// The database sorts or hashes all rows of all arms to remove duplicates that do not exist, and returns
    /// the first row only after it has read the last. `UNION ALL` returns the same rows as they come.
    ///
    /// ## Known limits
    ///
    /// Arms with joins, keys of columns that may be NULL, and chains of more than 64 arms are left alone, and so are `INTERSECT`
    /// and `EXCEPT`.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT 'event' AS kind, id FROM events WHERE user_id = $1
    /// UNION SELECT 'user', id FROM users WHERE id = $1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT 'event' AS kind, id FROM events WHERE user_id = $1
    /// UNION ALL SELECT 'user', id FROM users WHERE id = $1
    /// ```
    "union_without_all", Shape, since "0.1.0",
    "UNION where no two rows can be equal",
    Check::Query(check); NeedsSchema
}

/// The most arms that are compared with each other: each pair of them has to be told apart.
const MOST_ARMS: usize = 64;

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(schema)) = (context.query, context.schema) else { return };
    for (id, block) in query.written_blocks() {
        // The outermost UNION of a chain represents it.
        let is_inner = block.parent.is_some_and(|parent| is_union(&query.block(parent).body));
        if is_inner || !is_union(&block.body) {
            continue;
        }
        let mut arms = Vec::new();
        if !flatten(query, id, &mut arms) || !(2..=MOST_ARMS).contains(&arms.len()) {
            continue;
        }
        let distinct = arms.iter().all(|arm| has_no_duplicates(query, arm, schema));
        if distinct && are_apart(query, &arms, context.dialect) {
            findings.push(finding(context, query, &arms));
        }
    }
}

fn is_union(body: &Body) -> bool {
    matches!(body, Body::Set { op: SetOp::Union, all: false, .. })
}

/// The UNION before the second arm of a chain, in the text; the first one without ALL if that arm names no table.
fn keyword(context: &QueryContext<'_>, query: &Query, arms: &[(BlockId, &Select)]) -> Range<usize> {
    let text = Text::new(context.sql, context.dialect);
    let tables = arms.get(1).into_iter().flat_map(|(_, select)| select.from.iter().flat_map(From::relations));
    let table = tables.filter_map(|id| query.relation(id).span).next();
    let before = table.and_then(|span| text.word_before(span.range().start, "union"));
    let is_alone = |at: &usize| text.is(*at, "union") && !text.is(at + 1, "all");
    let at = before.or_else(|| (0..text.tokens.len()).find(is_alone));
    at.and_then(|at| text.span(at, at)).unwrap_or(0..0)
}

fn finding(context: &QueryContext<'_>, query: &Query, arms: &[(BlockId, &Select)]) -> Finding {
    let at = keyword(context, query, arms);
    let finding =
        Finding::new(LINT.name, "this UNION takes out duplicates, and no two of its rows can be equal")
            .excerpt(context.sql, at, "no ALL")
            .help("write `UNION ALL`");
    // Another UNION of the query may have equal rows.
    let unions = added::unions(context);
    if unions.len() + 1 == arms.len() { added::keep_duplicates(finding, context, unions) } else { finding }
}

/// Collects the SELECT arms of a chain of UNION; `false` if something else is among them.
fn flatten<'q>(query: &'q Query, id: BlockId, arms: &mut Vec<(BlockId, &'q Select)>) -> bool {
    match &query.block(id).body {
        Body::Set { op: SetOp::Union, all: false, left, right } => {
            flatten(query, *left, arms) && flatten(query, *right, arms)
        }
        Body::Select(select) if query.block(id).limit.is_none() => {
            arms.push((id, select));
            true
        }
        _ => false,
    }
}

/// Whether all rows of an arm are distinct.
fn has_no_duplicates(query: &Query, (id, select): &(BlockId, &Select), schema: &Schema) -> bool {
    let Some(outputs) = &query.block(*id).outputs else { return false };
    if select.set_returning || select.grouping_sets {
        return false;
    }
    if select.is_distinct() || select.aggregates && select.group_by.is_empty() {
        return true;
    }
    let returns = |expr: &Expr| outputs.iter().any(|output| output.expr == *expr);
    if !select.group_by.is_empty() {
        return select.group_by.iter().all(returns);
    }
    let Some((relation, table)) = table_of(query, select) else { return false };
    let Some(table) = schema.tables.get(table) else { return false };
    let gives = |name: &str| {
        outputs.iter().any(|output| match &output.expr {
            Expr::Column(column) => column.relation == Some(relation) && column.name == name,
            _ => false,
        })
    };
    let is_not_null = |name: &String| {
        table.primary_key.contains(name) || table.column(name).is_some_and(|column| column.not_null)
    };
    let key = !table.primary_key.is_empty()
        && table.primary_key.iter().all(|name| gives(name) && is_not_null(name));
    let unique =
        table.indexes.iter().filter(|index| index.unique && index.predicate.is_none()).any(|index| {
            index.keys.iter().all(|key| match &key.part {
                KeyPart::Column(name) => gives(name) && is_not_null(name) && key.prefix.is_none(),
                KeyPart::Expression(_) => false,
            })
        });
    // Tables that inherit from it have keys of their own.
    (key || unique) && !schema.is_inherited(table)
}

/// The only table of a SELECT.
fn table_of<'q>(query: &'q Query, select: &Select) -> Option<(RelationId, &'q crate::schema::Name)> {
    let [From::Relation(id)] = select.from.as_slice() else { return None };
    match &query.relation(*id).source {
        Source::Table(name) => Some((*id, name)),
        _ => None,
    }
}

/// Whether no row of one arm can be equal to one of another.
fn are_apart(query: &Query, arms: &[(BlockId, &Select)], dialect: Dialect) -> bool {
    let pairs = (0..arms.len()).flat_map(|a| (a + 1..arms.len()).map(move |b| (a, b)));
    pairs.into_iter().all(|(a, b)| {
        let (Some(a), Some(b)) = (arms.get(a), arms.get(b)) else { return false };
        tells_by_literal(query, a.0, b.0, dialect) || tells_by_key(query, a, b)
    })
}

/// Whether both have different literals in the same column.
fn tells_by_literal(query: &Query, a: BlockId, b: BlockId, dialect: Dialect) -> bool {
    let (Some(a), Some(b)) = (&query.block(a).outputs, &query.block(b).outputs) else { return false };
    a.iter().zip(b).any(|(a, b)| match (literal(&a.expr), literal(&b.expr)) {
        (Some(one), Some(other)) => {
            // PostgreSQL and SQLite compare texts by their bytes, MySQL by a collation, and a type may do as it likes.
            let are_bare = [&a.expr, &b.expr].iter().all(|expr| matches!(expr, Expr::Literal(_)));
            differ(one, other, are_bare && dialect != Dialect::MySql)
        }
        _ => false,
    })
}

/// Whether both read the same table, return its key in the same columns, and require a column to equal
/// different values.
fn tells_by_key(query: &Query, (a, of_a): &(BlockId, &Select), (b, of_b): &(BlockId, &Select)) -> bool {
    let (Some((in_a, table_a)), Some((in_b, table_b))) = (table_of(query, of_a), table_of(query, of_b))
    else {
        return false;
    };
    let (Some(outputs_a), Some(outputs_b)) = (&query.block(*a).outputs, &query.block(*b).outputs) else {
        return false;
    };
    let name = |expr: &Expr, relation| match expr {
        Expr::Column(column) if column.relation == Some(relation) => Some(column.name.clone()),
        _ => None,
    };
    // Then equal rows would be one row of the table, which cannot meet both conditions.
    let are_same = outputs_a.len() == outputs_b.len()
        && outputs_a
            .iter()
            .zip(outputs_b)
            .all(|(a, b)| name(&a.expr, in_a).is_some() && name(&a.expr, in_a) == name(&b.expr, in_b));
    table_a == table_b
        && are_same
        && of_a.group_by.is_empty()
        && of_b.group_by.is_empty()
        && of_a.distinct.is_none()
        && of_b.distinct.is_none()
        && equalities(query, *a, in_a).iter().any(|(column, value)| {
            equalities(query, *b, in_b)
                .iter()
                .any(|(other, otherwise)| column == other && differ(value, otherwise, false))
        })
}

/// The columns of a relation that its block compares for equality with a literal.
fn equalities(query: &Query, id: BlockId, relation: RelationId) -> Vec<(String, &Literal)> {
    let filters = query.block(id).filters().iter();
    let pairs = filters.filter_map(|filter| match filter {
        Expr::Binary { op: Op::Eq, left, right } => Some((left.as_ref(), right.as_ref())),
        _ => None,
    });
    let pairs = pairs.flat_map(|(left, right)| [(left, right), (right, left)]);
    pairs
        .filter_map(|(column, value)| match column {
            Expr::Column(column) if column.relation == Some(relation) => {
                Some((column.name.clone(), literal(value)?))
            }
            _ => None,
        })
        .collect()
}

fn literal(expr: &Expr) -> Option<&Literal> {
    match expr {
        Expr::Literal(literal) if *literal != Literal::Null => Some(literal),
        Expr::Cast { expr, .. } => literal(expr),
        _ => None,
    }
}

/// Whether two literals are different values, under any comparison or one that tells upper from lower case.
fn differ(a: &Literal, b: &Literal, by_case: bool) -> bool {
    match (a, b) {
        (Literal::Text(a), Literal::Text(b)) => {
            let plain = |text: &str| text.is_ascii() && !text.ends_with(' ');
            let same = if by_case { a == b } else { a.eq_ignore_ascii_case(b) };
            plain(a) && plain(b) && !same && a.parse::<f64>().is_err()
        }
        (Literal::Number(a), Literal::Number(b)) => match (a.parse::<i64>(), b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a != b,
            _ => false,
        },
        (Literal::Bool(a), Literal::Bool(b)) => a != b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{findings, fires, silent};

    #[test]
    fn the_union_of_the_chain_is_shown() {
        let arms =
            "SELECT 1 AS kind, id FROM events WHERE user_id = $1 | SELECT 2, id FROM users WHERE id = $1";
        for marked in [
            format!("WITH a AS (SELECT id FROM events UNION SELECT id FROM users) {arms}"),
            format!("SELECT id FROM ({arms}) AS a UNION SELECT id FROM users"),
            format!(
                "/* a union of both */ {}",
                arms.replace("user_id = $1 |", "id IN (SELECT 1 UNION SELECT 2) |")
            ),
            "SELECT 1, count(*) FROM events | SELECT 2, count(*)".to_owned(),
            "(SELECT 1, id FROM events) | (SELECT 2, id FROM users WHERE email <> 'a union b')".to_owned(),
        ] {
            let sql = marked.replace('|', "union");
            let found = findings("union_without_all", &sql);
            let spans: Vec<_> = found.iter().flat_map(|it| &it.excerpt).map(|it| it.span.clone()).collect();
            let at = marked.find('|').unwrap_or_default();
            assert!(matches!(spans.as_slice(), [span] if *span == (at..at + 5)), "{sql}: {found:?}");
        }
    }

    #[test]
    fn bare_literals_differ_by_case_where_the_database_tells_it() {
        let of =
            |a: &str, b: &str| format!("SELECT {a} AS kind, id FROM events UNION SELECT {b}, id FROM users");
        fires("union_without_all", &of("'a'", "'A'"));
        silent("union_without_all", &of("'a'", "'a'"));
        silent("union_without_all", &of("'a'::citext", "'A'::citext"));
    }

    #[test]
    fn fires_where_no_two_rows_are_equal() {
        for sql in [
            "SELECT 'a', id FROM events WHERE user_id = $1 UNION SELECT 'b', id FROM users",
            "SELECT id, 1 FROM events UNION SELECT id, 2 FROM users UNION SELECT id, 3 FROM servers",
            "SELECT id FROM events WHERE is_active = true UNION SELECT id FROM events WHERE is_active = false",
            "SELECT 'events' AS what, count(*) FROM events UNION SELECT 'users', count(*) FROM users",
            "SELECT email, 'x' FROM users UNION SELECT name, 'y' FROM servers GROUP BY name",
            "SELECT lower(name), 'x' FROM servers GROUP BY lower(name) UNION SELECT email, 'y' FROM users",
        ] {
            fires("union_without_all", sql);
        }
    }

    #[test]
    fn silent_where_two_rows_may_be_equal() {
        for sql in [
            "SELECT 'a', id FROM events UNION ALL SELECT 'b', id FROM users",
            "SELECT 'a', id FROM events UNION SELECT 'a', id FROM users",
            "SELECT 'a', name FROM events UNION SELECT 'b', name FROM users",
            "SELECT id FROM events UNION SELECT id FROM users",
            "SELECT id FROM events WHERE user_id = $1 UNION SELECT id FROM events WHERE user_id = $2",
            "SELECT name FROM events WHERE is_active = true UNION SELECT name FROM events WHERE is_active = false",
            "SELECT 'a', id FROM events EXCEPT SELECT 'b', id FROM users",
            "SELECT 'a', e.id FROM events e JOIN logs l ON l.event_id = e.id UNION SELECT 'b', id FROM users",
            "SELECT NULL, id FROM events UNION SELECT NULL, id FROM users",
        ] {
            silent("union_without_all", sql);
        }
    }
}
