//! Calls in loops by where the elements come from.

use crate::lints::tests::findings_in;

#[test]
fn a_loop_that_nothing_says_to_grow_is_listed() {
    use crate::finding::Tier::{Listed, Shown};
    let tier = |body: &str, more: &str| {
        let source = format!(
            "struct Order {{ items: Vec<i64> }}
             async fn run(db: &PgPool, order: &Order, ids: &[i64], Json(request): Json<Order>) {{ {body} }}
             async fn load(db: &PgPool, id: i64) {{ sqlx::query(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(db).await; }}
             async fn change(db: &PgPool, id: i64) {{ load(db, id).await;
                 sqlx::query(\"UPDATE servers SET name = 'a' WHERE id = $1\").bind(id).execute(db).await;
                 sqlx::query(\"DELETE FROM logs WHERE event_id = $1\").bind(id).execute(db).await; }}
             async fn servers(db: &PgPool) -> Vec<i64> {{ sqlx::query_scalar(\"SELECT id FROM servers WHERE name > 'a'\").fetch_all(db).await }}
             async fn order(db: &PgPool) -> Order {{ sqlx::query_as(\"SELECT items FROM servers WHERE id = 1\").fetch_one(db).await }}
             {more}"
        );
        let found = findings_in("querying_call_in_loop", &source);
        let found = found.iter().filter(|finding| finding.lint == "querying_call_in_loop");
        let tiers: Vec<_> = found.map(|finding| finding.tier).collect();
        assert_eq!(tiers.len(), 1, "{body}");
        tiers[0]
    };
    let each = |items: &str| format!("for id in {items} {{ load(db, *id).await; }}");
    for (body, expected) in [
        (each("servers(db).await"), Shown),
        (each("&ids"), Shown),
        (each("&request.items"), Shown),
        (each("order(db).await.items"), Shown),
        (format!("let order = order(db).await; {}", each("order.items.iter()")), Shown),
        (
            format!(
                "let mut made = Vec::new(); for id in servers(db).await {{ made.push(id); }} {}",
                each("made")
            ),
            Shown,
        ),
        (format!("let all = client.names().await; {}", each("all")), Shown),
        (format!("if let Ok(all) = servers(db).await {{ {} }}", each("all")), Shown),
        ("for id in &request.items { change(db, *id).await; }".to_owned(), Listed),
        ("for id in servers(db).await { change(db, id).await; }".to_owned(), Shown),
        ("for one in servers(db).await { for id in one.parts { load(db, *id).await; } }".to_owned(), Shown),
    ] {
        assert_eq!(tier(&body, ""), expected, "{body}");
    }
    let inserted = |rest: &str| {
        format!(
            "let made = sqlx::query_scalar(\"INSERT INTO servers (name) {rest} RETURNING id\").fetch_all(db).await; {}",
            each("made")
        )
    };
    assert_eq!(tier(&inserted("VALUES ('a'), ('b')"), ""), Listed);
    assert_eq!(tier(&inserted("SELECT name FROM users"), ""), Shown);
    assert_eq!(tier(&inserted("SELECT * FROM (VALUES ('a')) AS new"), ""), Shown);
    let given = |what: &str| {
        format!(
            "async fn call(db: &PgPool) {{ {what} }} async fn all(db: &PgPool, ids: &[i64]) {{ for id in ids {{ load(db, *id).await; }} }}"
        )
    };
    assert_eq!(tier("", &given("all(db, &[1, 2]).await;")), Listed);
    assert_eq!(tier("", &given("let ids = servers(db).await; all(db, &ids).await;")), Shown);
    assert_eq!(tier("", &given("")), Shown);
}

#[test]
fn a_call_that_gives_back_what_it_inserts_and_one_for_one_of_many_kinds_are_listed() {
    use crate::finding::Tier::{self, Listed, Shown};
    let tiers = |body: &str| -> Vec<Tier> {
        let source = format!(
            "async fn run(db: &PgPool, ids: &[i64]) {{ {body} }}
             async fn add(db: &PgPool, id: i64) -> i64 {{ sqlx::query_scalar(\"INSERT INTO logs (event_id) VALUES ($1) RETURNING id\").bind(id).fetch_one(db).await }}
             async fn put(db: &PgPool, id: i64) {{ sqlx::query(\"INSERT INTO logs (event_id) VALUES ($1)\").bind(id).execute(db).await; }}"
        );
        findings_in("querying_call_in_loop", &source).iter().map(|finding| finding.tier).collect()
    };
    assert_eq!(tiers("for id in ids { put(db, *id).await; }"), [Shown]);
    assert_eq!(tiers("for id in ids { let key = add(db, *id).await; keys.insert(id, key); }"), [Listed]);
    let arms = |arms: &str| format!("for act in acts {{ match act {{ {arms} }} }}");
    let many = "Act::A(x) => shown(x), Act::B(x) => moved(x), Act::C(x) => gone(x), Act::D(x) => { block_on(put(db, x)); }";
    assert!(tiers(&arms(many)).iter().all(|tier| *tier == Listed));
}
