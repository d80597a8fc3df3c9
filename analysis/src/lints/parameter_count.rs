//! Arguments that do not match the placeholders.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::rust::Form;
use crate::sql::Dialect;

declare_lint! {
    /// ## What it does
    ///
    /// Compares the number of values bound to a query with the number of its placeholders (`$1`, `?`, `?1`).
    ///
    /// ## Why is this bad
    ///
    /// PostgreSQL and MySQL refuse the query when it runs. SQLite runs it, with NULL for what is missing.
    ///
    /// ## Known limits
    ///
    /// Not reported if some of the values are not visible: bound in a loop, in another function, or by
    /// `query_with`, or if too few are bound to a query that is run elsewhere.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn rename(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     sql!("UPDATE servers SET name = $1 WHERE id = $2", id).execute(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn rename(db: &PgPool, id: i64, name: &str) -> sqlx::Result<()> {
    ///     sql!("UPDATE servers SET name = $1 WHERE id = $2", name, id).execute(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "parameter_count", Correctness, since "0.1.0",
    "more or fewer arguments than placeholders",
    Check::Query(check); InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(site)) = (context.query, context.site) else { return };
    let (wanted, given) = (query.parameters, site.arguments.len());
    if !site.arguments_complete || wanted == given {
        return;
    }
    // A query that is passed on may get more values elsewhere.
    if site.form == Form::SqlxFunction && site.call.is_none() && given < wanted {
        return;
    }
    let message = format!("{} for {}", count(given, "argument"), count(wanted, "placeholder"));
    let finding = Finding::new(LINT.name, message).excerpt(context.sql, 0..0, "");
    let finding = context.refused(finding);
    let is_null = context.dialect == Dialect::Sqlite && given < wanted && context.is_unchecked_text();
    let finding = match is_null {
        true => finding.note("SQLite takes a parameter without a value for NULL"),
        false => finding,
    };
    findings.push(if given < wanted {
        finding.help(format!("pass {} more", wanted - given))
    } else {
        finding.help(format!("take out {}, or use it in the query", count(given - wanted, "argument")))
    });
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
