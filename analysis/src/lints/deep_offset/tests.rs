//! Pages that are found by counting, and when reading them is worth a change.

use crate::lints::tests::{fires, help, silent, tiers_in};

#[test]
fn fires_where_pages_are_counted() {
    fires("deep_offset", "SELECT id FROM events ORDER BY id OFFSET 5000 LIMIT 10");
    fires("deep_offset", "SELECT id FROM events ORDER BY id LIMIT $1 OFFSET ($2 - 1) * $1");
}

#[test]
fn continues_behind_the_last_row_in_an_order_that_tells_rows_apart() {
    let help = |sql| help("deep_offset", sql);
    assert_eq!(
        help("SELECT id FROM logs ORDER BY created_at DESC LIMIT $1 OFFSET $2"),
        "read on from the last row of the page before: \
         `WHERE (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT ..`"
    );
    assert_eq!(
        help("SELECT e.id FROM events e JOIN users u ON u.id = e.user_id ORDER BY e.id LIMIT 9 OFFSET $1"),
        "read on from the last row of the page before: `WHERE e.id > $1 ORDER BY e.id LIMIT ..`"
    );
}

#[test]
fn continues_with_every_condition_of_the_query() {
    for (filter, end, expected) in [
        ("WHERE user_id = $2", "LIMIT 9 OFFSET $1", "WHERE user_id = $2 AND id > $1"),
        ("WHERE is_active AND id <> $1", "LIMIT $2 OFFSET $3", "WHERE is_active AND id <> $1 AND id > $3"),
        (
            "WHERE is_active\n  -- or not\n  OR name = 'where'",
            "LIMIT 9 OFFSET $1",
            "WHERE (is_active OR name = 'where') AND id > $1",
        ),
        // The number of the offset is that of a condition, too.
        ("WHERE id <> $1", "LIMIT 9 OFFSET $1", "WHERE id <> $1 AND id > $2"),
        (
            "WHERE EXISTS (SELECT 1 FROM users WHERE users.id = user_id ORDER BY id)",
            "LIMIT 9 OFFSET $1",
            "WHERE EXISTS (SELECT 1 FROM users WHERE users.id = user_id ORDER BY id) AND id > $1",
        ),
        ("", "LIMIT $1 OFFSET ($2 - 1) * $1", "WHERE id > $2"),
    ] {
        let sql = format!("SELECT id FROM events {filter} ORDER BY id {end}");
        let told = help("deep_offset", &sql);
        assert!(told.ends_with(&format!("`{expected} ORDER BY id LIMIT ..`")), "{sql}: {told}");
    }
    let told =
        help("deep_offset", "SELECT id FROM logs WHERE output = $2 ORDER BY created_at LIMIT 9 OFFSET $1");
    assert!(
        told.ends_with(
            "`WHERE output = $2 AND (created_at, id) > ($1, $3) ORDER BY created_at, id LIMIT ..`"
        ),
        "{told}"
    );
}

#[test]
fn words_stand_where_the_conditions_are_of_a_block_inside_or_would_leave_a_number_out() {
    for sql in [
        "SELECT * FROM (SELECT id FROM events WHERE is_active ORDER BY id LIMIT 9 OFFSET $1) AS page",
        "SELECT id FROM events WHERE id <> $3 ORDER BY id LIMIT 9 OFFSET ($1 - 1) * $2",
    ] {
        let told = help("deep_offset", sql);
        assert!(!told.contains("WHERE"), "{sql}: {told}");
    }
}

#[test]
fn listed_where_all_rows_are_counted_in_any_case() {
    use crate::finding::Tier::{Listed, Shown};
    for (count, expected) in
        [("COUNT(*) OVER ()", Listed), ("COUNT(*) OVER (PARTITION BY user_id)", Shown), ("name", Shown)]
    {
        let sql = format!("SELECT id, {count} AS it FROM events ORDER BY id LIMIT $1 OFFSET $2");
        let call = format!("sqlx::query({sql:?}).bind(limit).bind(at).fetch_all(db).await;");
        assert_eq!(tiers_in("deep_offset", &in_turns(&call)), [expected], "{sql}");
    }
}

/// Code that reads page after page.
fn in_turns(body: &str) -> String {
    format!("let mut at = 0; loop {{ {body} at += limit; }}")
}

#[test]
fn shown_where_a_loop_reads_page_after_page() {
    use crate::finding::Tier::{Listed, Shown};
    let call = "let rows = sqlx::query(\"SELECT id FROM events ORDER BY id LIMIT $1 OFFSET $2\").bind(n).bind(at).fetch_all(db).await;";
    for (body, expected) in [
        (call.to_owned(), Listed),
        (in_turns(call), Shown),
        (format!("let mut at = 0; while at < all {{ {call} at = at + n; }}"), Shown),
        (format!("for page in 0..pages {{ let at = page * n; {call} }}"), Shown),
        (format!("for n in ids {{ {call} }}"), Listed),
        (format!("let mut tries = 0; loop {{ {call} tries += 1; }}"), Listed),
    ] {
        assert_eq!(tiers_in("deep_offset", &body), [expected], "{body}");
    }
    let called = |with: &str| {
        let page = format!("async fn page(db: &PgPool, n: i64, at: i64) {{ {call} }}");
        let source = format!(
            "{page} async fn all(db: &PgPool) {{ let mut at = 0; loop {{ page(db, 100, {with}).await; at += 100; }} }}"
        );
        let found = crate::lints::tests::findings_in("deep_offset", &source);
        found.iter().filter(|it| it.lint == "deep_offset").map(|it| it.tier).collect::<Vec<_>>()
    };
    assert_eq!((called("at"), called("0")), (vec![Shown], vec![Listed]));
}

#[test]
fn listed_where_a_parameter_chooses_the_order_or_the_rows_are_counted_beside_it() {
    use crate::finding::Tier::{Listed, Shown};
    let page = |order: &str| {
        format!("sqlx::query(\"SELECT id FROM events ORDER BY {order} LIMIT $1 OFFSET $2\").bind(a).bind(at)")
    };
    let tiers = |body: &str| tiers_in("deep_offset", &in_turns(body));
    let chosen = "CASE WHEN $3 THEN id END";
    assert_eq!(tiers(&format!("{}.bind(by).fetch_all(db).await;", page(chosen))), [Listed]);
    let counted = |table: &str| {
        format!(
            "sqlx::query_scalar(\"SELECT COUNT(*) FROM {table}\").fetch_one(db).await;
            {}.fetch_all(db).await;",
            page("id")
        )
    };
    assert_eq!(tiers(&counted("events")), [Listed]);
    assert_eq!(tiers(&counted("servers")), [Shown]);
    // What is counted is something else.
    assert_eq!(tiers(&counted("events WHERE user_id = 1")), [Shown]);
    assert_eq!(tiers(&counted("servers WHERE name = 'events'")), [Shown]);
    assert_eq!(tiers(&counted("logs JOIN events ON events.id = logs.event_id")), [Shown]);
    let near = "point(id, id) <-> $3";
    assert_eq!(tiers(&format!("{}.bind(by).fetch_all(db).await;", page(near))), [Shown]);
}

#[test]
fn listed_where_the_rows_are_those_of_one_parent() {
    use crate::finding::Tier::{Listed, Shown};
    for (sql, expected) in [
        ("SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 9 OFFSET $2", Listed),
        (
            "SELECT e.id FROM events e JOIN users u ON u.id = e.user_id WHERE e.user_id = $1 ORDER BY e.id LIMIT 9 OFFSET $2",
            Listed,
        ),
        ("SELECT id FROM events WHERE user_id > $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
        (
            "SELECT e.id FROM events e WHERE EXISTS (SELECT 1 FROM users u WHERE e.user_id = $1) OR e.id > 5 ORDER BY e.id LIMIT 9 OFFSET $2",
            Shown,
        ),
        (
            "SELECT u.id FROM users u JOIN events e ON e.name = u.name WHERE e.user_id = $1 ORDER BY u.id LIMIT 9 OFFSET $2",
            Shown,
        ),
        ("SELECT id FROM events WHERE user_id <> $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
        ("SELECT id FROM events WHERE user_id = $1 OR id > $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
        ("SELECT id FROM events WHERE name = $1 ORDER BY id LIMIT 9 OFFSET $2", Shown),
    ] {
        let call = format!("sqlx::query({sql:?}).bind(a).bind(at).fetch_all(db).await;");
        assert_eq!(tiers_in("deep_offset", &in_turns(&call)), [expected], "{sql}");
    }
}

#[test]
fn no_condition_is_told_on_a_column_that_may_be_null() {
    let told = help("deep_offset", "SELECT id FROM logs ORDER BY output LIMIT $1 OFFSET $2");
    assert!(!told.contains("WHERE"), "{told}");
}

#[test]
fn silent_where_few_rows_are_dropped() {
    silent("deep_offset", "SELECT id FROM events ORDER BY id LIMIT 10 OFFSET 10");
    silent("deep_offset", "SELECT id FROM events WHERE id = ANY($1) ORDER BY id LIMIT 10 OFFSET $2");
    silent("deep_offset", "SELECT true FROM events WHERE is_active LIMIT 1 OFFSET $1");
    silent("deep_offset", "SELECT n FROM unnest($1::int[]) AS n ORDER BY n LIMIT 10 OFFSET $2");
}
