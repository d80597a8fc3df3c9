//! Writes in a loop that one statement for all elements would not do better: the list of one row, which is replaced as a whole,
//! and what another statement of the same iteration leads to.

use super::loops::Around;
use crate::lints::QueryContext;
use crate::rust::{Loop, Site, SiteSql};
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Body, Kind, Query, Source, Write};
use crate::sql::resolve;

/// Why a write in a loop is seldom worth a change, as a note.
pub(in crate::lints) fn why(
    context: &QueryContext<'_>,
    query: &Query,
    around: &Around<'_>,
) -> Option<&'static str> {
    let site = context.site.filter(|_| context.is_raw())?;
    if follows_write(context, site) {
        return Some("it writes what another statement of the iteration gives back: that one comes first");
    }
    let is_list = !site.grows || site.loops.last().is_some_and(Loop::is_brought);
    (is_list && replaces_list(context, site, query, around))
        .then_some("it replaces the list of one row, which a caller brings as a whole")
}

/// Whether a value comes from another write of the same iteration: `INSERT .. RETURNING id`.
fn follows_write(context: &QueryContext<'_>, site: &Site) -> bool {
    let innermost = site.loops.last();
    let is_written = |other: &&Site| {
        let words = match &other.sql {
            SiteSql::Literal(literal) => literal.text.split_whitespace(),
            SiteSql::File(_) | SiteSql::Dynamic => return false,
        };
        let mut words = words.skip_while(|word| word.starts_with('('));
        let is = |word: &str, verb: &str| word.eq_ignore_ascii_case(verb);
        words.next().is_some_and(|word| ["insert", "update", "delete"].iter().any(|verb| is(word, verb)))
            && words.any(|word| is(word, "returning"))
    };
    let gives = |other: &&Site| {
        !other.held_by.is_empty()
            && other.function == site.function
            && other.place < site.place
            && other.loops.last() == innermost
            && site.arguments.iter().any(|argument| argument.mentions.contains(&other.held_by))
    };
    innermost.is_some() && context.sites.iter().filter(gives).any(|other| is_written(&other))
}

/// Whether a loop inserts the rows of one parent, of which the function has deleted all before: `DELETE FROM tags WHERE post = $1`,
/// then a tag for each element.
fn replaces_list(context: &QueryContext<'_>, site: &Site, query: &Query, around: &Around<'_>) -> bool {
    let Some(write) = written(query).filter(|write| query.kind == Kind::Insert && write.inserts()) else {
        return false;
    };
    let Source::Table(table) = &query.relation(write.target).source else { return false };
    let parents = same_for_all(query, write, around);
    let outside = site.loops.len().saturating_sub(1);
    let is_before = |other: &&Site| {
        other.function == site.function && other.place < site.place && other.loops.len() <= outside
    };
    context.sites.iter().filter(is_before).any(|other| {
        let SiteSql::Literal(literal) = &other.sql else { return false };
        let Ok(before) = resolve(&literal.text, context.dialect, context.schema) else { return false };
        let Some(deleted) = written(&before).filter(|_| before.kind == Kind::Delete) else { return false };
        let is_same = matches!(&before.relation(deleted.target).source, Source::Table(name) if name == table);
        let keys = deleted.filter.as_ref().map_or(&[][..], Expr::conjuncts);
        is_same
            && !keys.is_empty()
            && keys.iter().all(|key| key_of(key).is_some_and(|it| parents.contains(&it)))
    })
}

fn written(query: &Query) -> Option<&Write> {
    match &query.block(query.root?).body {
        Body::Write(write) => Some(write),
        Body::Select(_) | Body::Set { .. } | Body::Values(_) | Body::Unknown => None,
    }
}

/// The columns of an INSERT that have the same value in all iterations.
fn same_for_all<'q>(query: &'q Query, write: &'q Write, around: &Around<'_>) -> Vec<&'q str> {
    let rows = write.source.map(|source| &query.block(source).body);
    let Some(Body::Values(rows)) = rows else { return Vec::new() };
    let [row] = rows.as_slice() else { return Vec::new() };
    let is_same = |value: &Expr| matches!(value.without_casts(), Expr::Parameter(number) if !around.argument_varies(*number));
    let columns = write.assignments.iter().zip(row).filter(|(_, value)| is_same(value));
    columns.map(|((column, _), _)| column.as_str()).collect()
}

/// The column that a condition compares with a bound value.
fn key_of(condition: &Expr) -> Option<&str> {
    let Expr::Binary { op: Op::Eq, left, right } = condition else { return None };
    let is_bound = |side: &Expr| matches!(side.without_casts(), Expr::Parameter(_));
    match (left.as_column(), right.as_column()) {
        (Some(column), None) if is_bound(right) => Some(&column.name),
        (None, Some(column)) if is_bound(left) => Some(&column.name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Tier::{Listed, Shown};
    use crate::lints::tests::tiers_in;

    #[test]
    fn a_list_that_is_replaced_is_listed() {
        let check = |delete: &str, insert: &str, expected| {
            let body = format!(
                "sqlx::query({delete:?}).bind(server).execute(db).await?;
                 for id in ids {{ sqlx::query({insert:?}).bind(server).bind(id).execute(db).await?; }}"
            );
            assert_eq!(tiers_in("row_by_row_write", &body), [expected], "{delete} {insert}");
        };
        let insert = "INSERT INTO events (server_id, user_id, name) VALUES ($1, $2, 'a')";
        check("DELETE FROM events WHERE server_id = $1", insert, Listed);
        check("DELETE FROM events WHERE server_id = $1", &format!("{insert} ON CONFLICT DO NOTHING"), Listed);
        // Rows of other parents, another table, or no list at all.
        check("DELETE FROM events WHERE user_id = $1", insert, Shown);
        check("DELETE FROM logs WHERE event_id = $1", insert, Shown);
        check("UPDATE events SET name = 'a' WHERE server_id = $1", insert, Shown);
        check(
            "DELETE FROM events WHERE server_id = $1",
            "INSERT INTO logs (event_id, output) VALUES ($1, $2)",
            Shown,
        );
    }

    #[test]
    fn rows_of_a_query_may_be_many() {
        let body = "let ids = sqlx::query_scalar(\"SELECT id FROM users\").fetch_all(db).await?;
            sqlx::query(\"DELETE FROM events WHERE server_id = $1\").bind(server).execute(db).await?;
            for id in ids { sqlx::query(\"INSERT INTO events (server_id, user_id, name) VALUES ($1, $2, 'a')\").bind(server).bind(id).execute(db).await?; }";
        assert_eq!(tiers_in("row_by_row_write", body), [Shown]);
    }

    #[test]
    fn a_write_that_follows_another_is_one_change_with_it() {
        let body = |given: &str| {
            format!(
                "for id in ids {{
                    let made: i64 = sqlx::query_scalar(\"INSERT INTO events (user_id, name) VALUES ($1, 'a') RETURNING id\").bind(id).fetch_one(db).await?;
                    sqlx::query(\"INSERT INTO logs (event_id) VALUES ($1)\").bind({given}).execute(db).await?;
                }}"
            )
        };
        assert_eq!(tiers_in("row_by_row_write", &body("made")), [Shown, Listed]);
        assert_eq!(tiers_in("row_by_row_write", &body("id")), [Shown, Shown]);
    }
}
