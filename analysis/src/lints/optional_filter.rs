//! A filter that a parameter turns off.

use super::shared::wording;
use super::{Check, QueryContext, declare_lint, leading_wildcard, shared};
use crate::finding::Finding;
use crate::rust::Form;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op, Test};
use crate::sql::query::{Query, RelationId};

declare_lint! {
    /// ## What it does
    ///
    /// Finds filters that a parameter can turn off: `$1 IS NULL OR status = $1`, `status = COALESCE($1, status)`,
    /// `COALESCE(status = $1, true)`.
    ///
    /// ## Why is this bad
    ///
    /// A plan for all values has to work with the filter off: the index on the column is not used, even when the parameter has a
    /// value. SQLite makes only such plans. PostgreSQL plans each execution for its values while that is cheaper, and evaluates
    /// `$1 IS NULL OR ..`, `COALESCE($1, status)` and CASE first; a generic plan (`plan_cache_mode`, a statement that is planned
    /// once by a pooler or a function) does not. MySQL evaluates only `? IS NULL OR ..`, which is not reported there.
    ///
    /// ## Known limits
    ///
    /// A raw query that also compares something of each row with one value, `lower(email) = lower($2)`, leaves few rows, and is listed with
    /// `--all`.
    ///
    /// What PostgreSQL evaluates first is listed too if a LIMIT bounds the query. Nothing is reported on small tables, or if another condition narrows the search; if that one needs an index of its own,
    /// `unindexed_filter` reports it. Without a schema, only queries without other conditions are reported.
    /// Conditions that no index would serve anyway (`<>`, text that is sought anywhere, a column that a parameter chooses) are
    /// left alone, and so is an OR with such an arm. The variants of one query in a function, such as a page and its count, are one finding.
    ///
    /// Of 25 findings drawn from 49 public projects, 25 were true and 9 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id, name FROM events WHERE ($1::bigint IS NULL OR user_id = $1) ORDER BY id LIMIT 50
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id, name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50
    /// ```
    "optional_filter", Shape, since "0.1.0",
    "a filter that a parameter can turn off, so that no index serves it for all values",
    Check::Query(check); NeedsSchema, OnReading
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    shared::add_all(context, findings, |context, query| in_query(context, query, true));
}

/// The findings, one per table, each with the table that is read in full because of it.
pub(super) fn found(context: &QueryContext<'_>, query: &Query) -> Vec<(RelationId, Finding)> {
    in_query(context, query, false)
}

/// [`found`], or those `to_tell`: MySQL plans every execution for its values.
fn in_query(context: &QueryContext<'_>, query: &Query, to_tell: bool) -> Vec<(RelationId, Finding)> {
    let mut found: Vec<(RelationId, Finding)> = Vec::new();
    if context.schema.is_some() && !context.any_unserved() {
        return found;
    }
    for (_, block) in query.written_blocks() {
        let conditions = block.conditions();
        let nothing_else = conditions.iter().all(|condition| is_optional(condition));
        for condition in conditions.into_iter().filter(|condition| is_optional(condition)) {
            let Some(relation) = condition.columns().first().and_then(|column| column.relation) else {
                continue;
            };
            // Once an index leads to the rows of another condition, this one filters few.
            let is_never_searched = is_never_searched(condition) || context.lacks_index_of_value(relation);
            let evaluated = is_evaluated_first(condition, context.dialect);
            if is_never_searched || to_tell && evaluated && context.dialect == Dialect::MySql {
                continue;
            }
            let read_in_full =
                context.unserved(relation).is_some() || (context.schema.is_none() && nothing_else);
            if read_in_full && !found.iter().any(|(known, _)| *known == relation) {
                let finding = finding(context, query, relation, condition);
                let is_bounded = context.is_raw() && evaluated && block.limit.is_some();
                found.push((relation, if is_bounded { finding.listed() } else { finding }));
            }
        }
    }
    found
}

/// Whether the database evaluates the parameters of a condition before it plans an execution for their values, which leaves the
/// filter alone or nothing.
fn is_evaluated_first(condition: &Expr, dialect: Dialect) -> bool {
    let is_alternative = matches!(condition, Expr::Or(arms) if arms.iter().any(is_switch));
    match dialect {
        Dialect::Postgres => holds_for_null(condition).is_none(),
        Dialect::MySql => is_alternative,
        Dialect::Sqlite => false,
    }
}

/// Whether parameters alone can make a condition on columns true for every row.
pub(super) fn is_optional(condition: &Expr) -> bool {
    if fallback(condition).is_some() {
        return true;
    }
    match condition {
        Expr::Or(arms) => arms.iter().any(is_switch) && !condition.columns().is_empty(),
        Expr::Case { operand: None, arms, .. } => {
            arms.iter().any(|(when, _)| is_switch(when)) && !condition.columns().is_empty()
        }
        other => holds_for_null(other).is_some(),
    }
}

/// The comparison of a condition that NULL as a parameter leaves without an answer, which then counts as true:
/// `COALESCE(a = $1, true)`, `(a = $1) IS NOT FALSE`.
fn holds_for_null(condition: &Expr) -> Option<&Expr> {
    let is_false = |expr: &Expr| matches!(expr.without_casts(), Expr::Literal(Literal::Bool(false)));
    let compared = match condition {
        Expr::Call(call) if COALESCE.contains(&call.name.as_str()) => match call.args.as_slice() {
            [first, Expr::Literal(Literal::Bool(true))] => first,
            [first, last] if is_switch(last) => first,
            _ => return None,
        },
        Expr::Is { expr, test: Test::False, negated: true } => expr,
        Expr::Binary { op: Op::NotSame, left, right } if is_false(right) => left,
        _ => return None,
    };
    let is_value = |expr: &Expr| matches!(expr.without_casts(), Expr::Parameter(_));
    let is_of_row = |expr: &Expr| !expr.columns().is_empty();
    let Expr::Binary { op, left, right } = compared else { return None };
    let is_strict = op.is_range() || matches!(op, Op::Eq | Op::NotEq);
    let is_so = is_strict && (is_of_row(left) && is_value(right) || is_value(left) && is_of_row(right));
    is_so.then_some(compared)
}

/// A condition on parameters alone.
fn is_switch(condition: &Expr) -> bool {
    condition.is_constant() && condition.any(|e| matches!(e, Expr::Parameter(_)))
}

/// The functions that return the first of their arguments that is not NULL.
const COALESCE: &[&str] = &["coalesce", "ifnull", "nvl"];

/// The comparison of a column with a value that falls back on the column, which is true for every row then; `BETWEEN` has two
/// values.
fn fallback(condition: &Expr) -> Option<&'static str> {
    match condition {
        Expr::Binary { op, left, right } => {
            let op = match (falls_back_on(left, right), falls_back_on(right, left)) {
                (true, _) => op.clone(),
                (false, true) => op.flipped(),
                (false, false) => return None,
            };
            match op {
                Op::Eq => Some("="),
                Op::LtEq => Some("<="),
                Op::GtEq => Some(">="),
                _ => None,
            }
        }
        Expr::Between { expr, low, high, negated: false } => {
            (falls_back_on(expr, low) && falls_back_on(expr, high)).then_some("BETWEEN")
        }
        Expr::InList { expr, list, negated: false } => match list.as_slice() {
            [one] => falls_back_on(expr, one).then_some("="),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value is the column under a condition on parameters alone, and else a constant: `COALESCE($1, column)`,
/// `CASE WHEN $1 IS NULL THEN column ELSE $1 END`.
fn falls_back_on(column: &Expr, value: &Expr) -> bool {
    let is_column = |expr: &Expr| matches!(column, Expr::Column(_)) && expr.without_casts() == column;
    match value.without_casts() {
        Expr::Call(call) if COALESCE.contains(&call.name.as_str()) => {
            let before = call.args.iter().take_while(|arg| !is_column(arg)).collect::<Vec<_>>();
            before.len() < call.args.len()
                && before.iter().all(|arg| arg.is_constant())
                && before.iter().any(|arg| is_switch(arg))
        }
        Expr::Case { operand, arms, otherwise } => {
            let mut conditions = operand.as_deref().into_iter().chain(arms.iter().map(|(when, _)| when));
            let mut results = arms.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            conditions.clone().all(Expr::is_constant)
                && conditions.any(is_switch)
                && results.clone().any(is_column)
                && results.all(|result| is_column(result) || result.is_constant())
        }
        _ => false,
    }
}

/// Whether no index would serve what a parameter turns off either: it compares by `<>`, searches for text anywhere, or compares
/// what a parameter makes of the columns. One arm of that kind is enough, because all arms have to be searched for.
fn is_never_searched(condition: &Expr) -> bool {
    let is_made = |side: &Expr| !side.columns().is_empty() && side.any(|it| matches!(it, Expr::Parameter(_)));
    let is_searched = |arm: &Expr| {
        !matches!(arm, Expr::Binary { op: Op::NotEq, .. })
            && (fallback(arm).is_some()
                || !matches!(arm, Expr::Binary { left, right, .. } if is_made(left) || is_made(right)))
            && leading_wildcard::matched(arm).is_none()
    };
    match condition {
        Expr::Or(arms) => !arms.iter().filter(|arm| !arm.columns().is_empty()).all(is_searched),
        _ => filter_of(condition).is_some_and(|filter| !is_searched(filter)),
    }
}

/// The condition that a parameter turns off.
fn filter_of(condition: &Expr) -> Option<&Expr> {
    match condition {
        Expr::Or(arms) => arms.iter().find(|arm| !arm.columns().is_empty()),
        Expr::Case { arms, otherwise, .. } => {
            let mut results = arms.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            results.find(|result| !result.columns().is_empty())
        }
        other => holds_for_null(other),
    }
}

fn finding(context: &QueryContext<'_>, query: &Query, relation: RelationId, condition: &Expr) -> Finding {
    let span = condition.span().map_or(0..0, |span| span.range());
    let columns = condition.columns();
    let column = columns.first().map_or("", |column| column.name.as_str());
    let filter = filter_of(condition).cloned();
    let op = fallback(condition).unwrap_or("=");
    let pushed = pushed(context, filter.as_ref(), (column, op));
    let filter = match filter {
        Some(filter) => wording::sql(&filter, context.dialect),
        None if op == "BETWEEN" => format!("{column} BETWEEN .. AND .."),
        None => format!("{column} {op} .."),
    };
    let table = &query.relation(relation).alias;
    let few = context.table(query, relation).zip(context.schema);
    let few = few.is_some_and(|(table, schema)| crate::index::has_few_values(schema, table, column));
    let (so, read) = match is_evaluated_first(condition, context.dialect) {
        true => (
            "an index serves it only while each execution is planned anew",
            "a plan for all values reads every row",
        ),
        false => ("no index serves it", "every row is read"),
    };
    let message = format!("filter on `{table}.{column}` is turned off by a parameter, so {so}");
    let finding = Finding::new(LINT.name, message).excerpt(context.sql, span, read);
    // An index on a column of few values would serve little.
    let finding = if context.is_raw() && few { finding.listed() } else { finding };
    let finding = match context.is_raw() && is_narrowed(query, relation) {
        true => finding.note("another condition compares the rows with one value, and leaves few").listed(),
        false => finding,
    };
    let how = match context.site.is_some_and(|site| site.form == Form::Driver) {
        true => "in a text that is built of what applies",
        false => "by `sqlx::QueryBuilder`",
    };
    let pushed = pushed.filter(|_| !how.starts_with("in "));
    finding
        .help(match pushed {
            Some(pushed) => {
                format!(
                    "add it only where there is a value, {how}: `if let Some(value) = value {{ {pushed} }}`"
                )
            }
            None => format!("add it only where there is a value, {how}"),
        })
        .help(format!("or write two queries: one with `{filter}`, one without"))
}

/// Whether a condition that nothing turns off compares something of each row with the value of another: what is bound, or a column of
/// another table. No index may serve it, and few rows are left nevertheless.
fn is_narrowed(query: &Query, relation: RelationId) -> bool {
    let is_own = |side: &Expr| side.columns().iter().any(|column| column.relation == Some(relation));
    let is_value =
        |side: &Expr| !is_own(side) && side.any(|it| matches!(it, Expr::Parameter(_) | Expr::Column(_)));
    query.written_blocks().any(|(_, block)| {
        block.filters().iter().filter(|condition| !is_optional(condition)).any(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                is_own(left) && is_value(right) || is_value(left) && is_own(right)
            }
            _ => false,
        })
    })
}

/// The filter as code for `QueryBuilder`, with the same comparison; `None` if it is more than a column and a
/// value.
fn pushed(
    context: &QueryContext<'_>,
    filter: Option<&Expr>,
    (column, op): (&str, &'static str),
) -> Option<String> {
    let is_value = |expr: &Expr| matches!(expr.without_casts(), Expr::Parameter(_));
    let pushed = |left: &str, op: &str| format!("query.push(\" AND {left} {op} \").push_bind(value);");
    match filter {
        None if op == "BETWEEN" => None,
        None => Some(pushed(column, op)),
        Some(Expr::Binary { op, left, right }) if left.as_column().is_some() && is_value(right) => {
            Some(pushed(&wording::sql(left, context.dialect), op.as_str()))
        }
        Some(Expr::Binary { op, left, right }) if right.as_column().is_some() && is_value(left) => {
            Some(pushed(&wording::sql(right, context.dialect), op.flipped().as_str()))
        }
        Some(Expr::Any { left, right, all: false, .. }) if left.as_column().is_some() && is_value(right) => {
            Some(format!("query.push(\" AND {column} = ANY(\").push_bind(value).push(\")\");"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn fires_on_every_way_to_write_it() {
        for sql in [
            "SELECT id FROM events WHERE user_id = COALESCE($1, user_id)",
            "SELECT id FROM events WHERE (user_id = $1 OR $1 IS NULL) AND ($2::bool OR is_active)",
            "SELECT id FROM events WHERE CASE WHEN $1::bigint IS NULL THEN true ELSE user_id = $1 END",
            "SELECT id FROM events WHERE cardinality($1::bigint[]) = 0 OR user_id = ANY($1)",
            "DELETE FROM logs WHERE $1::bigint IS NULL OR event_id = $1",
            "SELECT id FROM events WHERE COALESCE(user_id = $1, true)",
            "SELECT id FROM events WHERE COALESCE($1::bigint = user_id, $2::bool)",
            "SELECT id FROM events WHERE (user_id = $1) IS NOT FALSE",
            "SELECT id FROM events WHERE (user_id = $1) IS DISTINCT FROM false",
            "SELECT id FROM events WHERE user_id = CASE WHEN $1::bigint IS NULL THEN user_id ELSE $1 END",
            "SELECT id FROM events WHERE CASE $1::bigint WHEN 0 THEN user_id ELSE $1 END = user_id",
            "SELECT id FROM events WHERE user_id = COALESCE($1, user_id, 0)",
            "SELECT id FROM events WHERE user_id IN (COALESCE($1, user_id))",
            "SELECT id FROM events WHERE user_id BETWEEN COALESCE($1, user_id) AND COALESCE($2, user_id)",
        ] {
            fires("optional_filter", sql);
        }
    }

    #[test]
    fn listed_where_another_condition_leaves_few_rows() {
        use crate::finding::Tier::{Listed, Shown};
        let tiers = |condition: &str| {
            let sql = format!(
                "SELECT id FROM events WHERE {condition} AND ($2::bigint IS NULL OR user_id = $2) LIMIT 5"
            );
            crate::lints::tests::tiers_in(
                "optional_filter",
                &format!("sqlx::query({sql:?}).bind(name).bind(user).fetch_all(db).await?;"),
            )
        };
        assert_eq!(tiers("lower(name) = lower($1)"), [Listed]);
        // PostgreSQL plans a page for its values.
        assert_eq!(tiers("name > $1"), [Listed]);
        let tiers = |sql: &str| {
            let code = format!("sqlx::query({sql:?}).bind(user).fetch_one(db).await?;");
            crate::lints::tests::tiers_in("optional_filter", &code)
        };
        assert_eq!(tiers("SELECT count(*) FROM events WHERE $1::bigint IS NULL OR user_id = $1"), [Shown]);
        assert_eq!(tiers("SELECT name FROM events WHERE COALESCE(user_id = $1, true) LIMIT 5"), [Shown]);
    }

    /// As PostgreSQL 15, MariaDB 10.11 and SQLite 3.40 plan prepared statements.
    #[test]
    fn says_what_the_database_evaluates_first() {
        use crate::check::Checker;
        use crate::schema::Replay;
        use crate::sql::Dialect;
        let anew = "so an index serves it only while each execution is planned anew";
        let never = "so no index serves it";
        for (sql, [postgres, mysql, sqlite]) in [
            ("? IS NULL OR user_id = ?", [Some(anew), None, Some(never)]),
            ("user_id = COALESCE(?, user_id)", [Some(anew), Some(never), Some(never)]),
            ("CASE WHEN ? IS NULL THEN true ELSE user_id = ? END", [Some(anew), Some(never), Some(never)]),
            ("COALESCE(user_id = ?, true)", [Some(never); 3]),
        ] {
            let dialects = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];
            for (dialect, expected) in dialects.into_iter().zip([postgres, mysql, sqlite]) {
                let mut replay = Replay::new(dialect);
                let ddl = "CREATE TABLE events (id BIGINT PRIMARY KEY, user_id BIGINT, body TEXT); CREATE INDEX i ON events (user_id)";
                replay.apply(ddl, "schema.sql");
                let sql = format!("SELECT body FROM events WHERE {sql}");
                let sql = if dialect == Dialect::Postgres { sql.replace('?', "$1::bigint") } else { sql };
                let config = super::super::tests::with_lint_on("optional_filter");
                let mut found =
                    Checker::new(&config, Some(&replay.schema), dialect).query(&sql, None).findings;
                found.retain(|finding| finding.lint == "optional_filter");
                let messages: Vec<_> =
                    found.iter().filter_map(|finding| finding.message.split_once(", ")).collect();
                assert_eq!(
                    messages.iter().map(|(_, so)| *so).collect::<Vec<_>>(),
                    Vec::from_iter(expected),
                    "{sql}"
                );
            }
        }
    }

    #[test]
    fn says_what_to_push() {
        let help = |sql| help("optional_filter", sql);
        let intro =
            "add it only where there is a value, by `sqlx::QueryBuilder`: `if let Some(value) = value {";
        assert_eq!(
            help("SELECT id FROM events WHERE $1::int8 IS NULL OR user_id >= $1"),
            format!("{intro} query.push(\" AND user_id >= \").push_bind(value); }}`")
        );
        assert_eq!(
            help("SELECT id FROM events WHERE $1::int8[] IS NULL OR user_id = ANY($1)"),
            format!("{intro} query.push(\" AND user_id = ANY(\").push_bind(value).push(\")\"); }}`")
        );
        assert_eq!(
            help("SELECT id FROM events WHERE COALESCE($1, user_id) <= user_id"),
            format!("{intro} query.push(\" AND user_id >= \").push_bind(value); }}`")
        );
        assert_eq!(
            help("SELECT id FROM events WHERE COALESCE($1 > user_id, true)"),
            format!("{intro} query.push(\" AND user_id < \").push_bind(value); }}`")
        );
    }

    #[test]
    fn silent_where_something_else_leads_or_the_column_is_meant() {
        for sql in [
            "SELECT id FROM events WHERE user_id = $1 AND ($2::bigint IS NULL OR server_id = $2)",
            "SELECT id FROM events WHERE next_run_at IS NULL OR next_run_at < $1",
            "SELECT id FROM events WHERE user_id = COALESCE($1, $2)",
            "DELETE FROM logs WHERE CASE WHEN $1 THEN true ELSE event_id <> $2 END",
            "SELECT id FROM events WHERE $1::text IS NULL OR name ILIKE '%' || $1 || '%' LIMIT 5",
            "SELECT id FROM events WHERE ($1::text IS NULL OR name = $1) OR name ILIKE '%' || $1 || '%' LIMIT 5",
            "SELECT id FROM events WHERE $1::text IS NULL OR name = $1 OR user_id <> $2 LIMIT 5",
            "UPDATE events SET name = COALESCE($1, name) WHERE id = $2",
            "SELECT id FROM events WHERE COALESCE(user_id = $1, false) LIMIT 5",
            "SELECT id FROM events WHERE COALESCE(user_id <> $1, true) LIMIT 5",
            "SELECT id FROM events WHERE user_id = CASE WHEN $1::bigint IS NULL THEN 3 ELSE $1 END",
            "SELECT id FROM events WHERE user_id = COALESCE(user_id, $1) LIMIT 5",
            "SELECT id FROM events WHERE user_id > COALESCE($1, user_id) LIMIT 5",
            "SELECT id FROM events WHERE CASE $2 WHEN 'a' THEN id WHEN 'b' THEN user_id END >= $1 OR $1 IS NULL",
            "SELECT id FROM events WHERE $1::int IS NULL OR user_id + $2 > $1",
        ] {
            silent("optional_filter", sql);
        }
    }
}
