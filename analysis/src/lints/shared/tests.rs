//! Which finding names what a query lacks, and what it advises, on tables of its own.

use crate::check::Checker;
use crate::config::Config;
use crate::finding::Tier::{Listed, Shown};
use crate::finding::{Finding, Tier};
use crate::schema::Replay;
use crate::sql::Dialect;

/// The findings on a raw call of sqlx that have to do with an index.
fn found(ddl: &str, sql: &str) -> Vec<Finding> {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(ddl, "");
    assert_eq!(replay.problems, []);
    let binds = ".bind(a)".repeat((1..9).filter(|number| sql.contains(&format!("${number}"))).count());
    let call = format!("sqlx::query({sql:?}){binds}.fetch_all(db).await;");
    let source = format!("async fn run(db: &PgPool, a: &str) {{ {call} }}");
    let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
    let config = Config::default();
    let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
    let mut findings = checker.file(&scan, &calls, &|_| None).findings;
    findings.retain(|finding| finding.lint != "missing_limit" && finding.lint != "unbounded_children");
    findings
}

/// The only finding, with its lint, its tier and its help.
#[track_caller]
fn check(ddl: &str, sql: &str, expected: (&str, Tier, &[&str])) {
    let found = found(ddl, sql);
    let [finding] = found.as_slice() else { panic!("{sql}: {found:#?}") };
    let help: Vec<&str> = finding.help.iter().map(String::as_str).collect();
    assert_eq!((finding.lint, finding.tier, help.as_slice()), expected, "{sql}");
}

/// The tiers of the findings on filters without an index.
fn tiers(ddl: &str, sql: &str) -> Vec<Tier> {
    let found = found(ddl, sql);
    found.iter().filter(|finding| finding.lint == "unindexed_filter").map(|finding| finding.tier).collect()
}

#[test]
fn the_index_of_a_value_comes_before_the_wording_of_other_conditions() {
    let ddl = "CREATE TABLE stats (v text NOT NULL, at timestamptz NOT NULL, n integer NOT NULL, name text NOT NULL);";
    let of = |keys: &str| format!("add an index: `CREATE INDEX ON stats ({keys})`");
    for (condition, keys) in [
        ("v = $1 AND (at >= $2 OR $2 IS NULL)", "v, at"),
        ("v = $1 AND ($2::int IS NULL OR n = $2)", "v, at"),
        ("v = $1 AND n = COALESCE($2, n)", "v, at"),
        ("v = $1 AND at::date = $2", "v, at"),
        ("v = $1 AND date_trunc('day', at) = $2", "v, at"),
        ("v = ANY($1) AND n::text = $2", "v"),
        ("v = ANY($1) AND (at >= $2 OR $2 IS NULL)", "v"),
        ("v = ANY($1) AND name ILIKE '%' || $2 || '%'", "v"),
    ] {
        let sql = format!("SELECT n FROM stats WHERE {condition} ORDER BY at LIMIT 10");
        check(ddl, &sql, ("unindexed_filter", Shown, &[&of(keys)]));
    }
    // An index that exists needs no other.
    let indexed = format!("{ddl} CREATE INDEX stats_n ON stats (n);");
    let found = found(&indexed, "SELECT v FROM stats WHERE v = $1 AND n::text = $2");
    assert_eq!(found.iter().map(|finding| finding.lint).collect::<Vec<_>>(), ["cast_on_column"]);
}

#[test]
fn a_cast_of_a_column_of_few_values_is_listed() {
    let ddl = "CREATE TYPE status AS ENUM ('a', 'b'); CREATE TABLE streams (id int PRIMARY KEY, status status NOT NULL);";
    let help = "compare the column itself: `status = ANY($1::status[])`";
    check(ddl, "SELECT id FROM streams WHERE status::text = ANY($1)", ("cast_on_column", Listed, &[help]));
}

#[test]
fn a_value_that_a_partial_index_leaves_out_is_better_written() {
    let ddl = |predicate: &str| {
        format!(
            "CREATE TABLE backend (id text PRIMARY KEY, drone int NOT NULL, state text NOT NULL, gone boolean NOT NULL);
             CREATE INDEX b_drone ON backend (drone) WHERE {predicate};"
        )
    };
    let write = |condition: &str| {
        format!(
            "if that value is bound, write it in the query: `{condition}`, so that every plan can use index `b_drone`"
        )
    };
    for (predicate, condition, written) in [
        ("state <> 'done'", "state <> $2", "state <> 'done'"),
        ("state <> 'done'", "state <> ALL($2)", "state <> 'done'"),
        ("state <> 'done' AND NOT gone", "state != $2 AND NOT gone", "state <> 'done'"),
        ("state NOT IN ('done', 'lost')", "state NOT IN ($2, $3)", "state NOT IN ('done', 'lost')"),
    ] {
        let sql = format!("SELECT id FROM backend WHERE drone = $1 AND {condition}");
        let found = found(&ddl(predicate), &sql);
        let [finding] = found.as_slice() else { panic!("{sql}: {found:#?}") };
        assert_eq!(finding.tier, Listed, "{sql}");
        let help = finding.help.first().map(|help| help.to_lowercase()).unwrap_or_default();
        assert_eq!(help, write(written).to_lowercase(), "{sql}");
    }
    for condition in ["state = $2", "state > $2", "state NOT IN ($2)"] {
        let sql = format!("SELECT id FROM backend WHERE drone = $1 AND {condition}");
        assert_eq!(tiers(&ddl("state NOT IN ('done', 'lost')"), &sql), [Shown], "{sql}");
    }
}

#[test]
fn a_volatile_function_is_called_for_each_row() {
    let ddl = |attributes: &str, rest: &str| {
        format!(
            "CREATE TABLE admins (id int PRIMARY KEY, chat int NOT NULL, who int NOT NULL);
             CREATE FUNCTION lookup(bigint) RETURNS int LANGUAGE plpgsql {attributes} AS $$ BEGIN RETURN 1; END $$; {rest}"
        )
    };
    let once = "write `(SELECT lookup($1))` for `lookup($1)`, which calls it once, or declare `lookup` STABLE if it only reads";
    let index = "and add an index: `CREATE INDEX ON admins (chat)`";
    let sql = "DELETE FROM admins WHERE chat = lookup($1)";
    check(&ddl("", ""), sql, ("unindexed_filter", Shown, &[once, index]));
    let indexed = "CREATE INDEX a ON admins (chat);";
    check(&ddl("VOLATILE", indexed), sql, ("unindexed_filter", Shown, &[once]));
    check(
        &ddl("", indexed),
        "SELECT id FROM admins WHERE chat IN (3, lookup($1))",
        ("unindexed_filter", Shown, &[once]),
    );
    for served in
        [ddl("STABLE", indexed), ddl("", &format!("{indexed} ALTER FUNCTION lookup(bigint) STABLE;"))]
    {
        assert!(found(&served, sql).is_empty(), "{served}");
    }
    assert!(found(&ddl("", indexed), "DELETE FROM admins WHERE chat = (SELECT lookup($1))").is_empty());
}

#[test]
fn rows_that_are_deleted_by_age_may_be_of_a_kind() {
    let ddl = "CREATE TABLE files (id int PRIMARY KEY, is_gone boolean NOT NULL, state text NOT NULL, gone_at timestamptz);";
    for (condition, tier) in [
        ("gone_at < $1", Listed),
        ("is_gone = TRUE AND gone_at < $1", Listed),
        ("NOT is_gone AND gone_at < $1", Listed),
        ("state IN ('a', 'b') AND gone_at < now()", Listed),
        ("state = $2 AND gone_at < $1", Shown),
    ] {
        assert_eq!(tiers(ddl, &format!("DELETE FROM files WHERE {condition}")), [tier], "{condition}");
    }
}

#[test]
fn what_the_statement_reads_in_full_anyway_is_listed() {
    let ddl = "CREATE TABLE media (id int PRIMARY KEY, size int NOT NULL, at timestamptz NOT NULL);";
    let recent = "SELECT count(*) FROM media WHERE at > $1";
    for (sql, tier) in [
        (format!("SELECT (SELECT sum(size) FROM media), ({recent})"), Listed),
        (format!("SELECT (SELECT id FROM media ORDER BY id LIMIT 1), ({recent})"), Shown),
        (recent.to_owned(), Shown),
    ] {
        assert_eq!(tiers(ddl, &sql), [tier], "{sql}");
    }
}
