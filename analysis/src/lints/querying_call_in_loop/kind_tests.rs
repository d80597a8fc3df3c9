//! Calls in loops by what they do, and for which elements.

use crate::finding::Tier::{self, Listed, Shown};
use crate::lints::tests::findings_in;

/// The tiers of the findings on calls in a source with these functions.
fn tiers(source: &str) -> Vec<Tier> {
    let found = findings_in("querying_call_in_loop", source);
    let found = found.iter().filter(|finding| finding.lint == "querying_call_in_loop");
    found.map(|finding| finding.tier).collect()
}

/// Like `tiers`, of a loop body over prices that comes from a service; `load` reads by a key.
fn of_body(body: &str) -> Vec<Tier> {
    tiers(&format!(
        "struct Price {{ id: i64, owner_id: i64, kind: Kind }}
         async fn run(db: &PgPool, client: &Client, wanted: i64, other: Price) {{
             let prices: Vec<Price> = client.prices().await; for price in &prices {{ {body} }} }}
         async fn load(db: &PgPool, id: i64) {{ sqlx::query(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(db).await; }}"
    ))
}

#[test]
fn what_runs_for_the_one_element_that_a_value_identifies_is_no_loop() {
    for (body, expected) in [
        ("if price.id == wanted { load(db, price.id).await; }", vec![]),
        ("if other.id == price.id && price.kind != Kind::Old { load(db, price.id).await; }", vec![]),
        ("if price.id != wanted { continue; } load(db, price.id).await;", vec![]),
        // Many elements may be of one kind or one owner, and all but one differ.
        ("if price.kind == Kind::Pro { load(db, price.id).await; }", vec![Shown]),
        ("if price.owner_id == wanted { load(db, price.id).await; }", vec![Shown]),
        ("if price.id != wanted { load(db, price.id).await; }", vec![Shown]),
        ("if price.id == wanted || price.kind == Kind::Pro { load(db, price.id).await; }", vec![Shown]),
        ("let found = next(price); if price.id == found { load(db, price.id).await; }", vec![Shown]),
    ] {
        assert_eq!(of_body(body), expected, "{body}");
    }
}

#[test]
fn an_arm_for_one_of_the_keys_of_a_map_runs_once() {
    let of = |keys: &str| {
        tiers(&format!(
            "async fn run(db: &PgPool, cache: &mut HashMap<Key, bool>, given: Vec<Key>) {{
                 let stale: Vec<_> = {keys};
                 for key in stale {{ match &key {{ Key::Stats(id) => load(db, *id).await, Key::All => load(db, 1).await }} }} }}
             async fn load(db: &PgPool, id: i64) {{ sqlx::query(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(db).await; }}"
        ))
        .len()
    };
    assert_eq!(of("cache.iter().filter(|(_, it)| **it).map(|(key, _)| key.clone()).collect()"), 1);
    assert_eq!(of("cache.keys().cloned().collect()"), 1);
    assert_eq!(of("given.iter().map(|(key, _)| key.clone()).collect()"), 2);
    assert_eq!(of("given"), 2);
}

#[test]
fn what_only_works_on_the_schema_is_listed() {
    let of = |callee: &str| {
        tiers(&format!(
            "async fn run(db: &PgPool, client: &Client) {{ for table in client.tables().await {{ work(db, &table).await; }} }} {callee}"
        ))
    };
    let columns = "sqlx::query(\"SELECT column_name FROM information_schema.columns WHERE table_name = $1\").bind(table).fetch_all(db).await;";
    let work = |body: &str| format!("async fn work(db: &PgPool, table: &str) {{ {body} }}");
    assert_eq!(of(&work(columns)), [Listed]);
    assert_eq!(
        of(&work(&format!(
            "{columns} sqlx::query(\"ALTER TABLE servers ADD note text\").execute(db).await;"
        ))),
        [Listed]
    );
    let own = "sqlx::query(\"SELECT name FROM servers WHERE name = $1\").bind(table).fetch_all(db).await;";
    assert_eq!(of(&work(own)), [Shown]);
    assert_eq!(of(&work(&format!("{columns} {own}"))), [Shown]);
    let joined = "sqlx::query(\"SELECT c.relname FROM pg_class c JOIN servers s ON s.name = c.relname WHERE s.name = $1\").bind(table).fetch_all(db).await;";
    assert_eq!(of(&work(joined)), [Shown]);
}

#[test]
fn a_read_between_a_lock_and_a_write_of_one_transaction_is_listed() {
    let of = |begins: &str, on: &str| {
        tiers(&format!(
            "async fn run(db: &PgPool, client: &Client) {{ {begins} for id in client.ids().await {{
                 {} sqlx::query(\"SELECT id FROM servers WHERE id = $1 FOR UPDATE\").bind(id).fetch_one(&mut *tx).await;
                 load({on}, id).await; }} }}
             async fn load(db: &mut PgConnection, id: i64) {{ sqlx::query(\"SELECT name FROM users WHERE id = $1\").bind(id).fetch_one(db).await; }}",
            if begins.is_empty() { "let mut tx = db.begin().await?;" } else { "" }
        ))
    };
    assert_eq!(of("", "&mut *tx"), [Listed]);
    assert_eq!(of("let mut tx = db.begin().await?;", "&mut *tx"), [Shown]);
}

#[test]
fn a_check_that_what_a_caller_names_is_there_is_listed() {
    let of = |body: &str, sql: &str| {
        tiers(&format!(
            "struct Form {{ groups: Vec<i64> }}
             async fn run(db: &PgPool, form: &Form) -> Result<(), Error> {{ {body} Ok(()) }}
             async fn rows(db: &PgPool) -> Vec<i64> {{ sqlx::query_scalar(\"SELECT id FROM servers WHERE name > 'a'\").fetch_all(db).await }}
             async fn find(db: &PgPool, id: i64) -> Result<Option<Row>, Error> {{ sqlx::query_as({sql:?}).bind(id).fetch_optional(db).await }}"
        ))
    };
    let one = "SELECT id FROM servers WHERE id = $1";
    let row = "SELECT id, name FROM servers WHERE id = $1";
    for (body, sql, expected) in [
        ("for id in &form.groups { find(db, *id).await?.ok_or(Missing)?; }", row, Listed),
        (
            "for id in &form.groups { find(db, *id).await?.ok_or_else(|| Missing(id))?.may_read(user)?; }",
            row,
            Listed,
        ),
        (
            "for id in &form.groups { let id = find(db, *id).await?.ok_or(Missing)?; all.push(id); }",
            one,
            Listed,
        ),
        // The rows are kept or changed, come from the database, or may be missing.
        (
            "for id in &form.groups { let row = find(db, *id).await?.ok_or(Missing)?; all.push(row); }",
            row,
            Shown,
        ),
        ("for id in &form.groups { find(db, *id).await?.ok_or(Missing)?.save(db).await?; }", row, Shown),
        ("for id in rows(db).await { find(db, id).await?.ok_or(Missing)?; }", row, Shown),
        ("for id in &form.groups { all.push(find(db, *id).await?); }", row, Shown),
    ] {
        assert_eq!(of(body, sql), [expected], "{body}");
    }
}

#[test]
fn an_insert_that_a_query_reads_is_a_write() {
    let source = "async fn run(db: &PgPool, client: &Client) { for id in client.ids().await { add(db, id).await; } }
        async fn add(db: &PgPool, id: i64) { sqlx::query(\"WITH new AS (INSERT INTO logs (event_id) VALUES ($1) RETURNING id) SELECT id FROM new\").bind(id).fetch_one(db).await; }";
    let found = findings_in("querying_call_in_loop", source);
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.tier, Listed);
    assert!(finding.help[0].starts_with("write all"), "{:?}", finding.help);
}
