//! Which calls and queries in loops are shown, and which are listed.

use super::tests::findings_in;
use crate::finding::Tier::{self, Listed, Shown};

const FUNCTIONS: &str = r#"
    async fn load(db: &PgPool, id: i64) -> Result<Option<String>> {
        sql!("SELECT name FROM servers WHERE id = $1", id).fetch_optional(db).await
    }
    async fn save(db: &PgPool, id: i64) -> Result<()> {
        sql!("UPDATE servers SET name = 'a' WHERE id = $1", id).execute(db).await
    }"#;

/// The tiers of the findings in code beside functions that read and write one row.
fn tiers(code: &str) -> Vec<Tier> {
    let mut found = findings_in("querying_call_in_loop", &format!("{code} {FUNCTIONS}"));
    found.retain(|finding| {
        matches!(finding.lint, "querying_call_in_loop" | "query_in_loop" | "row_by_row_write")
    });
    found.iter().map(|finding| finding.tier).collect()
}

#[track_caller]
fn check(body: &str, expected: Tier) {
    let code = format!("async fn run(db: &PgPool, ids: &[i64]) {{ {body} }}");
    assert_eq!(tiers(&code), [expected], "{body}");
}

#[test]
fn a_search_ends_at_what_it_finds_and_gives_it() {
    for (then, expected) in [
        ("return it;", Listed),
        ("return Ok(Some(it.name));", Listed),
        ("found = Some(it); break;", Listed),
        ("return Err(Error::Exists(it));", Shown),
        ("return Err(it)?;", Shown),
        ("return ApiError::exists(it).into_response();", Shown),
        ("return Ok(false);", Shown),
        ("bail!(\"{it} is there\");", Shown),
        ("is_taken = true; break;", Shown),
    ] {
        check(&format!("for id in ids {{ if let Some(it) = load(db, *id).await? {{ {then} }} }}"), expected);
    }
}

#[test]
fn what_is_configured_is_of_the_program() {
    for (over, expected) in [
        ("&self.config.servers", Listed),
        ("self.app.settings.servers()", Shown),
        ("&SETTINGS.servers", Listed),
        ("APP.config.servers.iter()", Listed),
        ("&payload.settings.channels", Shown),
        ("&config.servers", Shown),
    ] {
        check(&format!("for id in {over} {{ load(db, *id).await; }}"), expected);
    }
}
