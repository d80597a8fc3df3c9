//! Arguments that do not match the placeholders.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::Dialect;

declare_lint! {
    /// ## What it does
    ///
    /// Compares the number of values bound to a query with the number of its placeholders (`$1`, `?`, `?1`).
    ///
    /// ## Why is this bad
    ///
    /// Postgres and MySQL refuse the query when it runs. SQLite runs it, with NULL for what is missing.
    ///
    /// ## Known limits
    ///
    /// Not reported if some of the values are not visible: bound in a loop, in another function, or by
    /// `query_with`.
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
    // SQLite takes a parameter without a value for NULL, as sqlx does; its macros do not.
    if context.dialect == Dialect::Sqlite && given < wanted && context.is_unchecked_text() {
        return;
    }
    let message = format!("{} for {}", count(given, "argument"), count(wanted, "placeholder"));
    let finding = Finding::new(LINT.name, message).excerpt(context.sql, 0..0, "");
    let finding = context.refused(finding);
    findings.push(if given < wanted {
        finding.help(format!("pass {} more", wanted - given))
    } else {
        finding.help(format!("take out {}, or use it in the query", count(given - wanted, "argument")))
    });
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::sql::Dialect;

    #[test]
    fn a_parameter_without_a_value_is_null_on_sqlite() {
        let found = |dialect: Dialect, call: &str| {
            let config = Config::default();
            let checker = Checker::new(&config, None, dialect);
            let source = format!("async fn run(db: &Pool) {{ {call}.execute(db).await; }}");
            let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
            let found = checker.file(&scan, &calls, &|_| None).findings;
            found.iter().filter(|finding| finding.lint == "parameter_count").count()
        };
        let fewer = r#"sqlx::query("INSERT INTO a (b, c) VALUES ($1, $2)").bind(1)"#;
        assert_eq!(found(Dialect::Sqlite, fewer), 0);
        assert_eq!(found(Dialect::Postgres, fewer), 1);
        assert_eq!(found(Dialect::Sqlite, r#"sqlx::query!("INSERT INTO a (b, c) VALUES ($1, $2)", 1)"#), 1);
        assert_eq!(found(Dialect::Sqlite, &format!("{fewer}.bind(2).bind(3)")), 1);
    }
}
