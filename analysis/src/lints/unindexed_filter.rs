//! A table that is read in full for a few rows that a filter selects.

use super::shared::partial::Bound;
use super::shared::{aged, folded, infix, kinds, partial, shifted};
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::index::{self, Access, NewIndex, Verdict, has_few_values};
use crate::schema::{Name, Schema};
use crate::sql::Query;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Body, Kind, RelationId};
use crate::sql::quote::quote_if_needed;

declare_lint! {
    /// ## What it does
    ///
    /// Looks at every table a query reads as the database's planner does, and finds those whose rows are filtered one by
    /// one because no index leads to them. An index that begins with another column does not: the database reads it from
    /// end to end.
    ///
    /// ## Why is this bad
    ///
    /// The whole table is read to find a few rows, every time, and it takes longer with every row that is added.
    ///
    /// ## Known limits
    ///
    /// Where an existing index is not used because of how a condition is written, a lint of the group `shape` reports
    /// that instead; `index-check` denies it as well. Conditions that no index can serve, such as `<>` and `NOT IN`,
    /// are not reported: they match nearly all rows. Queries that one index would serve are one finding. The indexes that
    /// exist are taken from the snapshot.
    ///
    /// Listed with `--all` rather than shown:
    ///
    /// - a read that no index is known to help: `active AND admin`, a pattern that begins anywhere
    /// - a write that no index is known to help, if it is raw or for all rows of a kind (`is_running = true`)
    /// - a raw DELETE by age, of all rows or those of a kind (`is_gone AND expires_at < now()`), which seldom has to be fast
    /// - a raw query that a partial index serves if a parameter has the value that the index leaves out (`state <> $1`), or that
    ///   aggregates all rows of the same table elsewhere
    /// - a raw query on a table that does not seem to grow: migrations fill it with five rows or more, or with some and no query of
    ///   the workspace adds any, or its key is a `smallint`
    /// - a raw query for rows of a kind alone: flags, states, and times compared with the current one, without a LIMIT
    ///
    /// Whether an index pays off on a small table, or on a column with two values, is your decision: declare the table in
    /// `query-budget.toml` (`[tables]`, `countries = { rows = 250 }`), or write an `allow` with the reason.
    ///
    /// Of 258 findings drawn from 129 public projects, 254 were true and 202 worth a change; of 65
    /// drawn last and judged more strictly, 36: [how that was judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT output FROM logs WHERE event_id = $1 ORDER BY id LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT name FROM events WHERE user_id = $1 ORDER BY id LIMIT 10
    /// ```
    "unindexed_filter", Index, since "0.1.0",
    "a filter that no index serves",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for access in context.accesses {
        if access.verdict != Verdict::Unserved || context.is_small(&access.table) {
            continue;
        }
        // An index alone does not help if the wording prevents its use.
        let is_lost = access.wanted.is_empty() || !access.is_searchable;
        let hindrance = access.hindrance.as_ref().filter(|_| is_lost);
        let is_silent = !access.is_searchable || context.explained.contains(&access.relation);
        if is_silent && hindrance.is_none() || infix::is_all(context, query, access) {
            continue;
        }
        let relation = query.relation(access.relation);
        let span = access.span.or(relation.span).map_or(0..0, |span| span.range());
        if let Some(hindrance) = hindrance {
            let message = format!("no index can serve the filter on `{}.{}`", access.table, hindrance.column);
            let finding = Finding::new(LINT.name, message).excerpt(context.sql, span, "every row is read");
            let index = hindrance.index.as_ref().map(|index| index.ddl(context.dialect));
            let mut finding = finding.help(hindrance.instead.clone()).note(hindrance.why.clone());
            finding.help.extend(index.map(|index| format!("and add an index: `{index}`")));
            findings.push(finding);
            continue;
        }
        let what = match access.columns.as_slice() {
            [] => format!("filter on `{}`", access.table),
            [one] => format!("filter on `{}.{one}`", access.table),
            several => format!("filter on `{} ({})`", access.table, several.join(", ")),
        };
        let key = partition_key(context, access);
        let label = if key.is_some() { "every row of the partitions is read" } else { "every row is read" };
        let mut finding = Finding::new(LINT.name, format!("{what} has no index"))
            .excerpt(context.sql, span, label)
            .note(access.why.clone());
        if let Some(key) = key {
            finding =
                finding.note(format!("only the partitions that the condition on `{key}` matches are read"));
        }
        let schema = context.schema;
        for index in access.wanted.iter().filter_map(|wanted| wanted.index(schema?)) {
            finding = finding.help(format!("add an index: `{}`", index.ddl(context.dialect)));
            if let Some(extension) = missing_extension(context, &index) {
                finding = finding.note(format!("the index needs the extension `{extension}`"));
            }
        }
        finding.help.dedup();
        finding.help.splice(0..0, of_partial_index(context, query, access));
        let bound = partial::bound(context, query, access.relation, |schema, name| {
            is_served_by(query, access, schema, name)
        });
        finding.help.splice(0..0, bound.as_ref().map(Bound::advice));
        let alone = access.wanted.as_slice().first().filter(|_| access.wanted.len() == 1);
        let index = alone.and_then(|wanted| wanted.index(schema?)).filter(|index| index.method.is_none());
        if let Some(index) = index {
            finding.causes.push(index.leading().ddl(context.dialect).into());
            // Columns that are compared for equality may be in any order: an index that begins with another of them, which
            // another query asks for, serves this one as well.
            let others = index.columns.iter().filter(|it| equal_columns(context, query, access).contains(it));
            let alone = others.map(|it| NewIndex { columns: vec![it.clone()], ..index.leading() });
            let alone = alone.map(|index| index.ddl(context.dialect).into());
            let known: Vec<_> = alone.filter(|ddl| !finding.causes.contains(ddl)).collect();
            finding.causes.extend(known);
        }
        if let Some(instead) = folded::instead(context, query, access) {
            finding.help = vec![instead];
            finding.causes.clear();
        }
        if finding.help.is_empty() {
            finding = finding.note(without_advice(context, access));
        }
        let finding = placed(context, query, access, finding);
        findings.push(match bound {
            Some(bound) if context.is_raw() => finding.note(bound.note()).listed(),
            Some(bound) => finding.note(bound.note()),
            None => finding,
        });
    }
}

/// The finding, in the second tier where a change is seldom worth it.
fn placed(context: &QueryContext<'_>, query: &Query, access: &Access, finding: Finding) -> Finding {
    // Where no index is known to help, there is nothing to do at once. A write that reads every row holds up others,
    // unless it is for all rows of a kind: those that are deleted, those that refer to nothing, those that run.
    let is_idle = finding.help.is_empty()
        && (query.kind == Kind::Select || context.is_raw() || !compares(context, query, access.relation));
    if is_idle {
        finding.listed()
    } else if context.is_raw() && aged::takes_old(context, query, access.relation) {
        finding.note("rows are deleted by age, which seldom has to be fast").listed()
    } else if context.is_raw() && shifted::is_all(query, access) {
        finding
            .note("the statement changes the column that it compares: an index on that changes with each row")
            .listed()
    } else if context.is_raw() && is_read_anyway(context, query, access) {
        finding.note(format!("the statement reads all of `{}` anyway", access.table)).listed()
    } else if context.is_raw() && context.stays(&access.table) {
        finding.note(format!("no query of the workspace adds rows to `{}`", access.table)).listed()
    } else if context.is_raw() && context.growth.is_some_and(|growth| growth.is_seeded(&access.table)) {
        let note = format!("migrations fill `{}`, which seems to be kept by hand", access.table);
        finding.note(note).listed()
    } else if context.is_raw() && kinds::chosen(context, query, access) {
        finding.note("it asks for rows of a kind, of which there may be many").listed()
    } else if context.is_raw() && has_short_key(context, &access.table) {
        let note = format!("the key of `{}` is so short that the table has few rows", access.table);
        finding.note(note).listed()
    } else {
        finding
    }
}

/// Whether another part of the statement aggregates all rows of the same table, so that an index would save nothing.
fn is_read_anyway(context: &QueryContext<'_>, query: &Query, access: &Access) -> bool {
    context.accesses.iter().any(|other| {
        let block = query.block(query.relation(other.relation).block);
        let is_aggregate = matches!(&block.body, Body::Select(select) if select.aggregates);
        other.table == access.table
            && other.verdict == Verdict::Full
            && is_aggregate
            && block.from().len() == 1
    })
}

/// The advice to ask for the rows that a partial unique index holds, if that would serve the query.
fn of_partial_index(context: &QueryContext<'_>, query: &Query, access: &Access) -> Option<String> {
    let is_served = |schema: &Schema, name: &str| is_served_by(query, access, schema, name);
    Some(partial::find(context, query, access.relation, is_served)?.advice("serves it then"))
}

/// Whether an index serves an access in a schema.
fn is_served_by(query: &Query, access: &Access, schema: &Schema, name: &str) -> bool {
    let accesses = index::accesses(query, schema);
    let mut found = accesses.iter().filter(|it| it.relation == access.relation);
    found.any(|it| it.verdict == Verdict::Served && it.index.as_deref() == Some(name))
}

/// The column that a table is partitioned by, if the filter compares it.
fn partition_key<'a>(context: &QueryContext<'_>, access: &'a Access) -> Option<&'a str> {
    let by = context.schema?.stored(&access.table)?.partition_by.as_deref()?;
    let (method, keys) = by.split_once('(')?;
    let first = keys.split([',', ')']).next()?.trim().trim_matches(['"', '`']);
    let is_divided = ["range", "list"].iter().any(|it| method.to_ascii_lowercase().starts_with(it));
    access.columns.iter().map(String::as_str).find(|column| is_divided && *column == first)
}

/// Why no index is advised, and what to do instead.
fn without_advice(context: &QueryContext<'_>, access: &Access) -> String {
    let table = context.schema.and_then(|schema| Some((schema, schema.stored(&access.table)?)));
    let is_few = |column: &String| table.is_some_and(|(schema, table)| has_few_values(schema, table, column));
    let why = match access.columns.as_slice() {
        [one] if is_few(one) => format!("`{one}` has few values, so that an index on it leaves many rows"),
        [] => "none is known to leave few rows".to_owned(),
        several if several.iter().all(is_few) => {
            let columns: Vec<String> = several.iter().map(|column| format!("`{column}`")).collect();
            format!("{} have few values, so that an index on them leaves many rows", columns.join(" and "))
        }
        _ => "none is known to leave few rows".to_owned(),
    };
    format!(
        "no index is advised: {why}; where the table is small, say so: `\"{}\" = {{ rows = 250 }}` in `[tables]`",
        access.table
    )
}

/// Whether the type of a table's key leaves room for no more than 65,536 rows. Nobody chooses it for a table that grows.
fn has_short_key(context: &QueryContext<'_>, table: &Name) -> bool {
    let table = context.schema.and_then(|schema| schema.stored(table));
    table.is_some_and(|table| {
        let [key] = table.primary_key.as_slice() else { return false };
        table.column(key).is_some_and(|column| {
            let ty = column.ty.to_ascii_lowercase();
            ["smallint", "smallserial", "int2", "serial2", "tinyint"]
                .iter()
                .any(|short| ty.starts_with(short))
        })
    })
}

/// Whether a condition compares a column of a relation itself with something; in raw code, with something other than the
/// name of a kind: a literal.
fn compares(context: &QueryContext<'_>, query: &Query, relation: RelationId) -> bool {
    let is_own = |expr: &Expr| expr.as_column().is_some_and(|column| column.relation == Some(relation));
    let is_kind = |expr: &Expr| context.is_raw() && matches!(expr.without_casts(), Expr::Literal(_));
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    conditions.into_iter().any(|condition| {
        matches!(condition, Expr::Binary { op, left, right } if op.is_comparison()
            && (is_own(left) && !is_kind(right) || is_own(right) && !is_kind(left)))
    })
}

/// The columns of a relation that conditions compare with constants for equality.
fn equal_columns(context: &QueryContext<'_>, query: &Query, access: &Access) -> Vec<String> {
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    let of_pair = |one: &Expr, other: &Expr| {
        let column = one.as_column().filter(|it| it.relation == Some(access.relation))?;
        other.is_constant().then(|| quote_if_needed(&column.name, context.dialect))
    };
    let of = |condition: &Expr| match condition {
        Expr::Binary { op: Op::Eq, left, right } => of_pair(left, right).or_else(|| of_pair(right, left)),
        _ => None,
    };
    conditions.into_iter().filter_map(of).collect()
}

/// The extension that an index requires and the database lacks.
fn missing_extension(context: &QueryContext<'_>, index: &NewIndex) -> Option<&'static str> {
    let installed = &context.schema?.extensions;
    index.extension().filter(|extension| !installed.contains(*extension))
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::finding::Tier;
    use crate::lints::tests::{findings, fires, silent};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn fires_where_no_index_leads() {
        fires("unindexed_filter", "SELECT id FROM events WHERE server_id = $1 LIMIT 5");
        fires("unindexed_filter", "UPDATE logs SET output = $1 WHERE event_id = $2");
    }

    #[test]
    fn an_index_gives_the_order_of_rows_that_others_are_looked_up_for() {
        let advised = |join: &str| {
            let sql = format!(
                "SELECT e.id, l.id FROM events e {join} WHERE e.server_id = $1 ORDER BY e.id DESC LIMIT 5"
            );
            findings("unindexed_filter", &sql).remove(0).help.remove(0)
        };
        let both = "add an index: `CREATE INDEX ON events (server_id, id)`";
        assert_eq!(advised("LEFT JOIN logs l ON l.id = e.user_id"), both);
        assert_eq!(
            advised("LEFT JOIN logs l ON l.id = e.user_id LEFT JOIN users u ON u.id = e.user_id"),
            both
        );
        assert_eq!(
            advised("JOIN logs l ON l.id = e.user_id"),
            "add an index: `CREATE INDEX ON events (server_id)`"
        );
    }

    #[test]
    fn an_index_has_the_collation_of_the_comparison() {
        let sql = "SELECT id FROM users WHERE name = $1 COLLATE \"C\"";
        let help = findings("unindexed_filter", sql).remove(0).help.remove(0);
        assert_eq!(help, "add an index: `CREATE INDEX ON users (name COLLATE \"C\")`");
    }

    #[test]
    fn says_why_no_index_is_advised() {
        let notes = |sql| findings("unindexed_filter", sql).remove(0).notes.join("\n");
        let few = notes("DELETE FROM events WHERE is_active");
        assert!(few.contains("`is_active` has few values"), "{few}");
        assert!(few.contains("`\"events\" = { rows = 250 }` in `[tables]`"), "{few}");
        let other = notes("UPDATE logs SET output = 'x' WHERE event_id IS NULL");
        assert!(other.contains("none is known to leave few rows"), "{other}");
        assert!(!notes("UPDATE logs SET output = $1 WHERE event_id = $2").contains("no index is advised"));
    }

    #[test]
    fn a_unique_index_of_some_rows_serves_a_query_that_asks_for_them() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text, gone timestamptz, kind text);
             CREATE UNIQUE INDEX live ON users (lower(email)) WHERE gone IS NULL;
             CREATE INDEX named ON users (name) WHERE gone IS NULL",
            "",
        );
        let config = Config::default();
        let help = |condition: &str| {
            let sql = format!("SELECT id FROM users WHERE {condition}");
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            let found = checker.query(&sql, None).findings;
            found.into_iter().filter(|it| it.lint == "unindexed_filter").flat_map(|it| it.help).collect()
        };
        let of_all = |key: &str| format!("add an index: `CREATE INDEX ON users ({key})`");
        let repeat = "if only rows with `gone IS NULL` are meant, add that condition: the unique index `live` serves it then";
        let both: Vec<String> = help("lower(email) = $1");
        assert_eq!(both, [repeat.to_owned(), of_all("(lower(email))")]);
        assert_eq!(help("lower(email) = $1 AND gone < now()"), [of_all("(lower(email)), gone")]);
        assert_eq!(help("name = $1"), [of_all("name")]);
    }

    #[test]
    fn says_that_partitions_are_left_out() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE logs (id bigint, at date, kind text) PARTITION BY RANGE (at);
             CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
             CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')",
            "",
        );
        for (condition, said) in [("at >= $1 AND at < $2", true), ("kind = $1", false)] {
            let sql = format!("SELECT id FROM logs WHERE {condition}");
            let config = Config::default();
            let found =
                Checker::new(&config, Some(&replay.schema), Dialect::Postgres).query(&sql, None).findings;
            let finding = found.iter().find(|it| it.lint == "unindexed_filter").expect("a finding");
            let note = "only the partitions that the condition on `at` matches are read";
            assert_eq!(finding.notes.iter().any(|it| it == note), said, "{sql}");
        }
    }

    #[test]
    fn a_raw_filter_on_a_table_with_a_short_key_is_listed() {
        let source = r#"async fn run(db: &PgPool, name: &str) {
            sqlx::query("SELECT id FROM kinds WHERE name = $1").bind(name).fetch_optional(db).await;
        }"#;
        for (ty, tier) in [("smallint", Tier::Listed), ("smallserial", Tier::Listed), ("int", Tier::Shown)] {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(&format!("CREATE TABLE kinds (id {ty} PRIMARY KEY, name text NOT NULL)"), "");
            let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            let mut found = checker.file(&scan, &calls, &|_| None).findings;
            found.retain(|finding| finding.lint == "unindexed_filter");
            assert_eq!(found.iter().map(|finding| finding.tier).collect::<Vec<_>>(), [tier], "{ty}");
        }
    }

    #[test]
    fn writes_for_all_of_a_kind_or_by_age_are_listed() {
        use crate::lints::tests::tiers_in;
        for (sql, expected) in [
            ("DELETE FROM logs WHERE created_at < $1", Tier::Listed),
            ("DELETE FROM logs WHERE now() - interval '1 day' >= created_at", Tier::Listed),
            ("DELETE FROM logs WHERE created_at < $1 AND event_id = $2", Tier::Shown),
            ("DELETE FROM logs WHERE created_at = $1", Tier::Shown),
            ("UPDATE logs SET output = $1 WHERE created_at < $2", Tier::Shown),
            ("UPDATE events SET name = 'x' WHERE is_active = true", Tier::Listed),
            ("UPDATE events SET name = 'x' WHERE is_active = $1", Tier::Listed),
        ] {
            let binds = ".bind(a)".repeat(sql.matches('$').count());
            let call = format!("sqlx::query({sql:?}){binds}.execute(db).await;");
            assert_eq!(tiers_in("unindexed_filter", &call), [expected], "{sql}");
        }
    }

    #[test]
    fn what_keeps_an_index_from_being_searched_is_told() {
        let mut replay = Replay::new(Dialect::MySql);
        let ddl = "CREATE TABLE w (id int PRIMARY KEY, code varchar(9), num varchar(9), KEY (num)) CHARSET utf8mb4;
            CREATE TABLE u (id int PRIMARY KEY, code varchar(9), flag bool, on_ bool NOT NULL, KEY (code), KEY (flag), KEY (on_))
            CHARSET latin1";
        replay.apply(ddl, "");
        let config = Config::default();
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::MySql);
        let charset = "give `code` the character set of `code`, utf8mb4";
        for (sql, expected) in [
            ("SELECT u.id FROM w JOIN u ON w.code = u.code WHERE w.id = ?", charset),
            ("SELECT u.id FROM w LEFT JOIN u ON u.code = w.code WHERE w.id = ?", charset),
            ("SELECT (SELECT MAX(u.id) FROM u WHERE u.code = w.code) FROM w WHERE w.id = ?", charset),
            ("SELECT id FROM w WHERE num BETWEEN 5 AND 6", "compare `num` with a text"),
            ("SELECT id FROM w WHERE num = YEAR(NOW())", "compare `num` with a text"),
            ("SELECT code FROM u WHERE flag IS TRUE", "write `flag <> 0`, which an index on `flag` serves"),
            (
                "SELECT code FROM u WHERE flag IS NOT TRUE",
                "write `flag = 0 OR flag IS NULL`, which an index on `flag` serves",
            ),
            ("SELECT code FROM u WHERE on_ IS NOT FALSE", "write `on_ <> 0`, which an index on `on_` serves"),
        ] {
            let mut found = checker.query(sql, None).findings;
            found.retain(|finding| finding.lint == "unindexed_filter");
            assert_eq!(found.iter().map(|it| it.help.join("")).collect::<Vec<_>>(), [expected], "{sql}");
        }
    }

    #[test]
    fn silent_where_one_does_and_where_all_is_wanted() {
        silent("unindexed_filter", "SELECT id FROM events WHERE user_id = $1 AND name = $2 LIMIT 5");
        silent("unindexed_filter", "SELECT id FROM events LIMIT 5");
    }

    #[test]
    fn silent_where_no_index_can() {
        silent("unindexed_filter", "SELECT id FROM events WHERE server_id <> $1 ORDER BY id LIMIT 5");
        silent("unindexed_filter", "SELECT id FROM events WHERE server_id NOT IN (1, 2) ORDER BY id LIMIT 5");
    }
}
