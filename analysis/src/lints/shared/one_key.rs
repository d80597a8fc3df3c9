//! A key that is missing is told once: a unique index that would leave one row serves the filter as well.

use crate::config::Config;
use crate::finding::{Finding, Level, Tier};
use crate::index::{self, Verdict};
use crate::lints::{nonunique_fetch_one, unindexed_filter};
use crate::schema::{Replay, Schema};
use crate::sql::Query;

/// Where the unique index of one finding on a query serves the filter of another, says that one of the two indexes is
/// enough; beside the filter that is shown, what only has that index to add is listed, if the query is raw.
pub(crate) fn tell_once(
    config: &Config,
    query: &Query,
    schema: &Schema,
    is_raw: bool,
    findings: &mut [Finding],
) {
    let (several, filter) = (nonunique_fetch_one::LINT.name, unindexed_filter::LINT.name);
    let is_wanted = config.lints.get(several) == Some(&Level::Deny);
    let Some(several) = findings.iter().position(|finding| finding.lint == several) else { return };
    let mut filters = (0..findings.len())
        .filter(|at| findings.get(*at).is_some_and(|it| it.lint == filter && !it.causes.is_empty()));
    let (Some(at), None) = (filters.next(), filters.next()) else { return };
    let Ok([several, filter]) = findings.get_disjoint_mut([several, at]) else { return };
    let Some(unique) = several.causes.first().filter(|unique| is_enough(unique, query, schema)) else {
        return;
    };
    if several.tier == Tier::Shown {
        let with_unique = several.help.iter().find(|help| help.ends_with(&format!("`{unique}`")));
        filter.help.extend(with_unique.cloned());
        filter.notes.push("the unique index serves the filter too: one of the two is enough".to_owned());
    }
    several.notes.push(format!("the unique index serves the filter that `{}` reports too", filter.lint));
    if filter.tier == Tier::Shown && !is_wanted && is_raw {
        several.tier = Tier::Listed;
    }
}

/// Whether no filter of a query lacks an index once this one exists.
fn is_enough(ddl: &str, query: &Query, schema: &Schema) -> bool {
    let mut replay = Replay::new(schema.dialect);
    replay.schema = schema.clone();
    replay.apply(ddl, "");
    let accesses = index::accesses(query, &replay.schema);
    replay.problems.is_empty() && accesses.iter().all(|access| access.verdict != Verdict::Unserved)
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::finding::Finding;
    use crate::finding::Tier::{self, Listed, Shown};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    const DDL: &str =
        "CREATE TABLE users (id int PRIMARY KEY, token text, name text NOT NULL, gone timestamptz);
        CREATE TABLE kinds (id smallint PRIMARY KEY, name text NOT NULL);";

    fn found(statement: &str, config: &Config) -> Vec<Finding> {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(DDL, "");
        let source = format!("async fn run(db: &PgPool, a: &str, b: &str) {{ {statement} }}");
        let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
        let checker = Checker::new(config, Some(&replay.schema), Dialect::Postgres);
        checker.file(&scan, &calls, &|_| None).findings
    }

    #[track_caller]
    fn check(statement: &str, expected: &[(&str, Tier)]) {
        let found = found(statement, &Config::default());
        let tiers: Vec<_> = found.iter().map(|finding| (finding.lint, finding.tier)).collect();
        assert_eq!(tiers, expected, "{found:#?}");
    }

    fn raw(sql: &str, fetch: &str) -> String {
        let binds = ["", ".bind(a)", ".bind(a).bind(b)"].get(sql.matches('$').count()).expect("few values");
        format!("sqlx::query(\"{sql}\"){binds}.{fetch}(db).await;")
    }

    #[test]
    fn a_missing_key_is_one_finding() {
        let once = &[("nonunique_fetch_one", Listed), ("unindexed_filter", Shown)];
        for condition in [
            "u.token = $1",
            "u.token = $1 AND u.name = $2",
            "u.token = $1 AND u.gone IS NULL",
            "u.token = lower($1)",
        ] {
            check(&raw(&format!("SELECT u.id FROM users u WHERE {condition}"), "fetch_optional"), once);
        }
        check("sqlx::query!(\"SELECT id FROM users WHERE token = $1\", a).fetch_one(db).await;", once);
    }

    #[test]
    fn both_are_shown_where_one_index_is_not_enough_or_one_finding_is_not_shown() {
        let config = Config::default();
        let sql = "SELECT id FROM users WHERE token = $1";
        check(&raw(sql, "fetch_all"), &[("missing_limit", Listed), ("unindexed_filter", Shown)]);
        // The filter is listed, because the table is small.
        let of_kinds = raw("SELECT id FROM kinds WHERE name = $1", "fetch_one");
        check(&of_kinds, &[("nonunique_fetch_one", Shown), ("unindexed_filter", Listed)]);
        let allowed =
            format!("\n// query-budget: allow(unindexed_filter): it is small\n{}", raw(sql, "fetch_one"));
        check(&allowed, &[("nonunique_fetch_one", Shown)]);
        let both = found(&format!("sql!(\"{sql}\", a).fetch_one(db).await;"), &config);
        assert!(both.iter().all(|finding| finding.tier == Shown), "{both:#?}");
        let unique = "or, if there is only ever one, have the database enforce it: `CREATE UNIQUE INDEX ON users (token)`";
        assert!(both.iter().all(|finding| finding.help.iter().any(|help| help == unique)), "{both:#?}");
    }
}
