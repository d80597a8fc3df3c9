//! Every row of one table paired with every row of another.

use std::collections::BTreeMap;

use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::schema::Index;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Block, Body, From, JoinKind, Query, RelationId, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds tables in one FROM that no condition joins, if neither side is bounded.
    ///
    /// ## Why is this bad
    ///
    /// Every row of one table is paired with every row of the other: a thousand rows each make a million. Usually a
    /// join condition was forgotten.
    ///
    /// ## Known limits
    ///
    /// Left alone: a side that returns one row or a list of values, functions, `VALUES`, LATERAL, sides
    /// filtered by the same value, also inside WITH, and small tables.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT events.name, logs.output FROM events, logs ORDER BY logs.id LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT events.name, logs.output FROM events JOIN logs ON logs.event_id = events.id ORDER BY logs.id LIMIT 10
    /// ```
    "cross_join", Shape, since "0.1.0",
    "tables that no condition joins",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for (id, block) in query.written_blocks() {
        let relations: Vec<RelationId> = block.from().iter().flat_map(|item| item.relations()).collect();
        if relations.len() < 2 {
            continue;
        }
        let conditions = block.conditions();
        // Without known keys, a filter may leave one row.
        let filtered = |id: &RelationId| match &query.relation(*id).source {
            Source::Cte(inner) | Source::Derived(inner) => !query.block(*inner).filters().is_empty(),
            _ => false,
        };
        if context.schema.is_none() && (!conditions.is_empty() || relations.iter().any(filtered)) {
            continue;
        }
        let Some(groups) = groups(query, &relations, &conditions) else { continue };
        if groups.len() < 2 {
            continue;
        }
        let read = cardinality::read(query, context.schema, id);
        if read.rows != Rows::Many {
            continue;
        }
        let many = |group: &&Vec<RelationId>| {
            group.iter().any(|id| read.unbounded.contains(id) && context.are_many(query, &[*id]))
        };
        let many: Vec<&Vec<RelationId>> = groups.iter().filter(many).collect();
        let [first, second, ..] = many.as_slice() else { continue };
        let name = |group: &[RelationId]| {
            group.first().map(|id| query.relation(*id).alias.clone()).unwrap_or_default()
        };
        let (left, right) = (name(first), name(second));
        let span = second.first().and_then(|id| query.relation(*id).span).map_or(0..0, |span| span.range());
        findings.push(
            Finding::new(LINT.name, format!("no condition joins `{right}` to `{left}`"))
                .excerpt(context.sql, span, "each row with each row")
                .help(help(context, query, block, [first, second])),
        );
    }
}

/// How to join two groups of relations.
fn help(
    context: &QueryContext<'_>,
    query: &Query,
    block: &Block,
    [first, second]: [&[RelationId]; 2],
) -> String {
    // The table that is written cannot be named in ON.
    if let Body::Write(write) = &block.body
        && let Some(others) = [(first, second), (second, first)]
            .into_iter()
            .find_map(|(group, others)| group.contains(&write.target).then_some(others))
    {
        let same = others.iter().find_map(|other| same_row(context, query, write.target, *other));
        return match same.or_else(|| foreign_key(context, query, first, second)) {
            Some(condition) => format!("join them in WHERE: `{condition}`"),
            None => "join them by a condition in WHERE".to_owned(),
        };
    }
    let joined = match second {
        [only] => block.from().iter().find_map(|item| join_of(item, *only)),
        _ => None,
    };
    // ON names only relations before it.
    let before: Vec<RelationId> = match (joined, second) {
        (Some(_), [only]) => first.iter().copied().filter(|id| id < only).collect(),
        _ => first.to_vec(),
    };
    match (joined, foreign_key(context, query, &before, second)) {
        (Some(join), Some(condition)) => {
            format!("join them: `{join} {} ON {condition}`", written(query, second))
        }
        (Some(join), None) => {
            format!(
                "join them: `{join} {} ON ..`, or read each in a query of its own",
                written(query, second)
            )
        }
        (None, Some(condition)) => format!("join them by a condition: `{condition}`"),
        (None, None) => "join them by a condition, or read each in a query of its own".to_owned(),
    }
}

/// How a relation on its own is joined to those before it; `None` where it begins a group of joins.
fn join_of(item: &From, id: RelationId) -> Option<&'static str> {
    match item {
        From::Relation(only) => (*only == id).then_some("JOIN"),
        From::Join { kind, left, right, .. } => match right.as_ref() {
            From::Relation(only) if *only == id => match kind {
                JoinKind::Inner | JoinKind::Cross => Some("JOIN"),
                JoinKind::Left => Some("LEFT JOIN"),
                _ => None,
            },
            _ if left.relations().contains(&id) => join_of(left, id),
            _ => join_of(right, id),
        },
    }
}

/// A relation as FROM names it: its table, and its alias.
fn written(query: &Query, group: &[RelationId]) -> String {
    let Some(relation) = group.first().map(|id| query.relation(*id)) else { return String::new() };
    match &relation.source {
        Source::Table(name) | Source::View(name, _) if name.name != relation.alias => {
            format!("{name} {}", relation.alias)
        }
        Source::Table(name) | Source::View(name, _) => name.to_string(),
        _ => relation.alias.clone(),
    }
}

/// That two relations are the same row of one table, by its key.
fn same_row(context: &QueryContext<'_>, query: &Query, one: RelationId, other: RelationId) -> Option<String> {
    let table = context.table(query, one)?;
    if context.table(query, other)?.name != table.name {
        return None;
    }
    let columns = |index: &Index| index.keys.iter().map(|key| key.as_column().map(str::to_owned)).collect();
    let mut unique = table.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let key: Vec<String> = match table.primary_key.as_slice() {
        [] => unique.find_map(columns)?,
        key => key.to_vec(),
    };
    let (one, other) = (&query.relation(one).alias, &query.relation(other).alias);
    let equal: Vec<String> = key.iter().map(|column| format!("{one}.{column} = {other}.{column}")).collect();
    (!equal.is_empty()).then(|| equal.join(" AND "))
}

/// The groups of joined relations: two relations are in the same group if a condition names both, or sets
/// both equal to the same value. `None` if the relations of a condition are unknown.
fn groups(query: &Query, relations: &[RelationId], conditions: &[&Expr]) -> Option<Vec<Vec<RelationId>>> {
    let mut groups = Groups::new(relations);
    // The first relation that is compared with each parameter.
    let mut beside: BTreeMap<usize, RelationId> = BTreeMap::new();
    for condition in conditions {
        if condition.any(|e| e.own_subquery().is_some_and(|inner| query.block(inner).correlated)) {
            return None;
        }
        let mut link = Vec::new();
        for column in condition.columns() {
            link.push(column.relation?);
        }
        condition.walk(&mut |e| match (e, link.first()) {
            (Expr::WholeRow(id), _) => link.push(*id),
            (Expr::Parameter(number), Some(first)) if groups.next.contains_key(first) => {
                let other = *beside.entry(*number).or_insert(*first);
                groups.connect([*first, other]);
            }
            _ => {}
        });
        groups.connect(link);
    }
    // Queries in WITH that are narrowed by the same value belong together.
    for &id in relations {
        let (Source::Cte(inner) | Source::Derived(inner)) = query.relation(id).source else { continue };
        for condition in query.block(inner).conditions() {
            let Expr::Binary { op: Op::Eq, left, right } = condition else { continue };
            for (column, value) in [(left, right), (right, left)] {
                if column.as_column().is_some()
                    && let Expr::Parameter(number) = value.without_casts()
                {
                    let other = *beside.entry(*number).or_insert(id);
                    groups.connect([id, other]);
                }
            }
        }
    }
    // A relation computed for each row of the others belongs to all their groups.
    let is_dependent = |id: &RelationId| {
        let relation = query.relation(*id);
        relation.lateral
            || match &relation.source {
                Source::Function(_, args) => args.iter().any(|arg| !arg.is_constant()),
                Source::Derived(inner) => query.block(*inner).correlated,
                _ => false,
            }
    };
    if relations.iter().any(is_dependent) {
        groups.connect(relations.iter().copied());
    }
    Some(groups.in_order())
}

/// A partition of the relations into groups (union-find).
struct Groups {
    /// For each relation, another one of its group; the representative of the group points to itself.
    next: BTreeMap<RelationId, RelationId>,
}

impl Groups {
    /// Puts each relation in a group of its own.
    fn new(relations: &[RelationId]) -> Groups {
        Groups { next: relations.iter().map(|id| (*id, *id)).collect() }
    }

    /// The representative of a relation's group; `None` for a relation of another block.
    fn last(&mut self, mut id: RelationId) -> Option<RelationId> {
        let mut next = *self.next.get(&id)?;
        while next != id {
            // Path halving: shortens later look-ups.
            let behind = self.next.get(&next).copied().unwrap_or(next);
            self.next.insert(id, behind);
            (id, next) = (behind, self.next.get(&behind).copied().unwrap_or(behind));
        }
        Some(id)
    }

    /// Merges the groups of these relations.
    fn connect(&mut self, relations: impl IntoIterator<Item = RelationId>) {
        let mut first = None;
        for id in relations {
            let Some(last) = self.last(id) else { continue };
            self.next.insert(last, *first.get_or_insert(last));
        }
    }

    /// The groups, by their first relations.
    fn in_order(mut self) -> Vec<Vec<RelationId>> {
        let relations: Vec<RelationId> = self.next.keys().copied().collect();
        let mut groups: BTreeMap<RelationId, Vec<RelationId>> = BTreeMap::new();
        for id in relations {
            groups.entry(self.last(id).unwrap_or(id)).or_default().push(id);
        }
        let mut groups: Vec<Vec<RelationId>> = groups.into_values().collect();
        groups.sort();
        groups
    }
}

/// The join condition that matches a foreign key between two tables.
fn foreign_key(
    context: &QueryContext<'_>,
    query: &Query,
    left: &[RelationId],
    right: &[RelationId],
) -> Option<String> {
    let pairs = left.iter().flat_map(|l| right.iter().flat_map(move |r| [(*l, *r), (*r, *l)]));
    pairs.into_iter().find_map(|(from, to)| {
        let (child, parent) = (context.table(query, from)?, context.table(query, to)?);
        let key = child.foreign_keys.iter().find(|key| key.table == parent.name)?;
        let (child, parent) = (&query.relation(from).alias, &query.relation(to).alias);
        let pairs = key.references.iter().zip(&key.columns);
        let conditions: Vec<String> =
            pairs.map(|(referenced, column)| format!("{parent}.{referenced} = {child}.{column}")).collect();
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn fires_where_nothing_joins() {
        fires(
            "cross_join",
            "SELECT e.id FROM events e CROSS JOIN users u WHERE e.is_active AND u.name <> ''",
        );
        fires("cross_join", "SELECT e.id FROM events e JOIN logs l ON true JOIN users u ON u.id = e.user_id");
        assert_eq!(
            help("cross_join", "SELECT l.id FROM events e, logs l"),
            "join them: `JOIN logs l ON e.id = l.event_id`"
        );
        assert_eq!(
            help("cross_join", "SELECT l.id FROM events e LEFT JOIN logs l ON e.id = e.id"),
            "join them: `LEFT JOIN logs l ON e.id = l.event_id`"
        );
        assert_eq!(
            help(
                "cross_join",
                "SELECT l.id FROM logs l LEFT JOIN users u ON true JOIN events e ON e.id = l.event_id"
            ),
            "join them: `LEFT JOIN users u ON ..`, or read each in a query of its own"
        );
    }

    #[test]
    fn the_table_that_is_written_is_joined_in_where() {
        assert_eq!(
            help(
                "cross_join",
                "UPDATE logs SET output = '' FROM logs l JOIN events e ON e.id = l.event_id WHERE e.name = $1"
            ),
            "join them in WHERE: `logs.id = l.id`"
        );
        assert_eq!(
            help("cross_join", "UPDATE logs SET output = '' FROM events e WHERE e.name <> $1"),
            "join them in WHERE: `e.id = logs.event_id`"
        );
    }

    #[test]
    fn silent_where_one_side_is_bounded_or_both_are_joined() {
        for sql in [
            "SELECT l.id FROM events e, logs l WHERE e.id = l.event_id",
            "SELECT l.id FROM events e, logs l WHERE e.id = $1 AND l.created_at > $2",
            "SELECT e.id FROM events e CROSS JOIN (SELECT count(*) AS n FROM users) u",
            "SELECT e.id, k FROM events e CROSS JOIN unnest($1::text[]) AS k",
            "SELECT e.id FROM events e CROSS JOIN LATERAL (SELECT 1 FROM logs l WHERE l.event_id = e.id) x",
            "SELECT e.id FROM events e, logs l WHERE e.id = $1 AND l.event_id = $1",
            "SELECT e.id FROM events e, users u WHERE e.name LIKE '%' || u.name || '%'",
            "WITH old AS (SELECT name FROM events WHERE user_id = $1), new AS (UPDATE events SET name = $2 WHERE user_id = $1 RETURNING id) SELECT * FROM old, new",
        ] {
            silent("cross_join", sql);
        }
    }
}
