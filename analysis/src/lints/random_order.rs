//! Rows that are shuffled to take a few of them.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::index::Verdict;
use crate::schema::{Name, Table};
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{Block, Query, RelationId, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `ORDER BY random() LIMIT ..` over a table that no index narrows.
    ///
    /// ## Why is this bad
    ///
    /// Every row is read, given a random number and sorted, to keep a few: no index can provide that order.
    ///
    /// ## Known limits
    ///
    /// If an index narrows the shuffled rows, they are assumed to be few. Without a schema, only queries
    /// without a condition are reported.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id, name FROM users ORDER BY random() LIMIT 1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id, name FROM users
    /// WHERE id >= (SELECT floor(random() * max(id))::bigint FROM users) ORDER BY id LIMIT 1
    /// ```
    "random_order", Shape, since "0.1.0",
    "a whole table is shuffled for a few rows",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for (_, block) in query.written_blocks().filter(|(_, block)| block.limit.is_some()) {
        let Some(random) = block.order_by.first().map(|key| &key.expr).filter(|key| is_random(key)) else {
            continue;
        };
        let Some((relation, table)) = read_in_full(context, query, block) else { continue };
        let span = random.span().map_or(0..0, |span| span.range());
        let mut finding =
            Finding::new(LINT.name, format!("every row of `{table}` is read and sorted to pick at random"))
                .excerpt(context.sql, span, "no index has this order");
        // A random number times the largest key is only a key if keys are numbers.
        let number = |table: &&Table| matches!(table.primary_key.as_slice(), [key] if table.column(key).is_some_and(|it| is_integer(&it.ty)));
        let keyed = context.table(query, relation).filter(number);
        // What is picked at random from the whole table may not be what the filter keeps.
        let is_whole = block.conditions().is_empty();
        if let Some([key]) = keyed.filter(|_| is_whole).map(|table| table.primary_key.as_slice()) {
            let start = random_key(key, table, context.dialect);
            let rows = match context.dialect {
                // It evaluates a random subquery of a condition anew for each row.
                Dialect::MySql => {
                    format!(
                        "FROM {table} JOIN ({start}) AS k ON {table}.{key} >= k.start ORDER BY {table}.{key} LIMIT .."
                    )
                }
                Dialect::Postgres | Dialect::Sqlite => {
                    format!("WHERE {key} >= ({start}) ORDER BY {key} LIMIT ..")
                }
            };
            finding = finding.help(format!("start at a random key where the keys have few gaps: `{rows}`"));
        }
        if context.dialect == Dialect::Postgres && is_whole {
            finding = finding
                .help(format!("or read a random part of the table: `FROM {table} TABLESAMPLE SYSTEM (1)`"));
        }
        if finding.help.is_empty() {
            finding = finding.help("choose a key at random in the program, and read its row by it");
        }
        findings.push(finding);
    }
}

/// Whether a sort key is purely random.
fn is_random(key: &Expr) -> bool {
    match key.without_casts() {
        Expr::Call(call) => {
            matches!(
                call.name.as_str(),
                "random" | "rand" | "gen_random_uuid" | "uuid_generate_v4" | "newid" | "uuid"
            ) && call.args.iter().all(Expr::is_constant)
        }
        _ => false,
    }
}

/// The first table that is shuffled in full.
fn read_in_full<'q>(
    context: &QueryContext<'_>,
    query: &'q Query,
    block: &Block,
) -> Option<(RelationId, &'q Name)> {
    let relations: Vec<RelationId> = block.from().iter().flat_map(|item| item.relations()).collect();
    let is_filtered = !block.conditions().is_empty();
    // If an index narrows one table, few rows of the others are left as well.
    let access = |id: RelationId| context.accesses.iter().find(|access| access.relation == id);
    if relations.iter().any(|id| access(*id).is_some_and(|access| access.verdict == Verdict::Served)) {
        return None;
    }
    relations.into_iter().find_map(|id| match &query.relation(id).source {
        // It is unknown whether an index narrows a table that the schema does not have.
        Source::Table(_) if is_filtered && context.table(query, id).is_none() => None,
        Source::Table(table) if !context.is_small(table) => Some((id, table)),
        _ => None,
    })
}

fn is_integer(ty: &str) -> bool {
    let ty = ty.to_ascii_lowercase();
    let name = ty.split(['(', ' ']).next().unwrap_or_default();
    matches!(
        name,
        "smallint" | "integer" | "bigint" | "int" | "int2" | "int4" | "int8" | "mediumint" | "tinyint"
    )
}

fn random_key(key: &str, table: &Name, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => format!("SELECT floor(random() * max({key}))::bigint FROM {table}"),
        Dialect::MySql => format!("SELECT floor(rand() * max({key})) AS start FROM {table}"),
        Dialect::Sqlite => format!("SELECT abs(random() % max({key})) FROM {table}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::lints::tests::{fires, silent};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn mysql_draws_the_start_once() {
        let mut replay = Replay::new(Dialect::MySql);
        replay.apply("CREATE TABLE posts (id int PRIMARY KEY, body text)", "");
        let config = Config::default();
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::MySql);
        let found = checker.query("SELECT body FROM posts ORDER BY rand() LIMIT 1", None).findings;
        let help = found.iter().find(|it| it.lint == "random_order").expect("a finding").help.join(" ");
        let rows = "FROM posts JOIN (SELECT floor(rand() * max(id)) AS start FROM posts) AS k \
                    ON posts.id >= k.start ORDER BY posts.id LIMIT ..";
        assert!(help.contains(rows), "{help}");
    }

    #[test]
    fn fires_where_all_rows_are_shuffled() {
        fires("random_order", "SELECT id FROM events WHERE is_active ORDER BY random() LIMIT 3");
        fires("random_order", "SELECT (SELECT name FROM servers ORDER BY gen_random_uuid() LIMIT 1)");
    }

    #[test]
    fn silent_where_few_are_and_where_all_are_wanted() {
        silent("random_order", "SELECT id FROM events WHERE user_id = $1 ORDER BY random() LIMIT 3");
        silent("random_order", "SELECT n FROM unnest($1::int[]) AS n ORDER BY random() LIMIT 3");
        silent("random_order", "SELECT id FROM events ORDER BY random()");
        silent("random_order", "SELECT id FROM other.events WHERE user_id = $1 ORDER BY random() LIMIT 3");
        silent("random_order", "SELECT id FROM events ORDER BY md5(id::text || $1) LIMIT 3");
    }
}
