//! Values of incompatible types.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::rust::Form;
use crate::types;

declare_lint! {
    /// ## What it does
    ///
    /// Finds operators and functions that do not exist for the types of their arguments, misspelt names of
    /// functions and types and those of other databases (`ifnull`, `datetime`), parameters that are of one type here
    /// and of another there, or used first where they have none (`$1 IS NULL OR id = $1`), sequences and tables that a
    /// text names and that do not exist (`nextval('nosuch')`), values that a column does not accept, values for columns that are `GENERATED ALWAYS`, arms of
    /// a set operation and results of CASE without a common type, labels that an enum lacks, texts that are no
    /// value of their type (`id = 'one'`), columns that are neither grouped by nor in an aggregate, and aggregates
    /// in WHERE.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it is prepared.
    ///
    /// ## Known limits
    ///
    /// PostgreSQL only, except that values for generated columns are found on SQLite too, and on SQLite and MySQL
    /// misspelt functions, functions of other databases and wrong numbers of arguments. Nothing is reported if a
    /// type is unknown, if a migration creates casts or operators, or if an extension with unknown functions is
    /// installed. A function that does not exist is reported only if its name is close to one that does, since
    /// extensions may be installed by hand. In `sqlx::query!` nothing is reported, since sqlx has asked the
    /// database; in raw sqlx calls it is a warning.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id FROM users WHERE email = 1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id FROM users WHERE email = '1'
    /// ```
    "type_mismatch", Correctness, since "0.1.0",
    "an operator, a function or a column that does not accept the types it is given",
    Check::Query(check); NeedsSchema, InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(schema)) = (context.query, context.schema) else { return };
    // sqlx asked the database itself; and a query with unknown names has findings already.
    let is_compiled = context.site.is_some_and(|site| site.form == Form::SqlxMacro);
    if is_compiled || !query.problems.is_empty() {
        return;
    }
    // Diesel and SeaORM send the types of what is bound, as sqlx does.
    let is_bound = context.site.is_some_and(|site| matches!(site.form, Form::SqlxFunction | Form::Driver));
    let bound;
    let errors = if is_bound {
        bound = types::errors_when_bound(query, schema, context.dialect);
        &bound
    } else {
        &context.types(query, schema).errors
    };
    for error in errors {
        let span = error.span.map_or(0..0, |span| span.range());
        findings.push(
            Finding::new(LINT.name, error.message.clone())
                .excerpt(context.sql, span, error.label)
                .help(error.help.clone()),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_on_what_the_database_refuses() {
        fires("type_mismatch", "SELECT id FROM events WHERE name = 1");
        fires("type_mismatch", "SELECT id FROM events WHERE id = ANY(name)");
        fires("type_mismatch", "SELECT round(name) FROM events WHERE id = $1");
        fires("type_mismatch", "SELECT id FROM events UNION SELECT name FROM servers LIMIT 5");
        fires("type_mismatch", "INSERT INTO events (next_run_at) SELECT id FROM users");
        fires("type_mismatch", "UPDATE events SET is_active = user_id WHERE id = $1");
        fires("type_mismatch", "SELECT name, count(*) FROM events GROUP BY user_id LIMIT 5");
        fires("type_mismatch", "SELECT id FROM events WHERE id AND is_active");
        fires("type_mismatch", "SELECT id FROM events WHERE lowr(name) = $1");
        fires("type_mismatch", "SELECT name FROM events WHERE id = 'one'");
        fires("type_mismatch", "SELECT name FROM events WHERE id IN ('1', 'x') LIMIT 5");
        fires("type_mismatch", "UPDATE events SET is_active = 'maybe' WHERE id = $1");
        fires("type_mismatch", "SELECT name FROM events WHERE max(id) > 5 LIMIT 5");
        fires("type_mismatch", "SELECT name FROM events WHERE $1 IS NULL OR id = $1 LIMIT 5");
        fires("type_mismatch", "SELECT nextval('nosuch')");
        fires(
            "type_mismatch",
            "SELECT name FROM events WHERE next_run_at > now() - interval '5 fortnights' LIMIT 5",
        );
        fires("type_mismatch", "UPDATE events SET is_active = true WHERE count(*) > 5 AND id = $1");
    }

    #[test]
    fn silent_on_what_it_converts_and_on_doubt() {
        silent("type_mismatch", "SELECT id FROM events WHERE name = $1 AND id = '5' AND user_id = 5.5");
        silent("type_mismatch", "SELECT id, name, count(*) FROM events GROUP BY id LIMIT 5");
        silent("type_mismatch", "SELECT make_it(name) FROM events WHERE id = $1");
        silent("type_mismatch", "SELECT median(id), max(name) FROM events");
        silent("type_mismatch", "SELECT lower(name), count(*) FROM events GROUP BY lower(name) LIMIT 5");
        silent("type_mismatch", "UPDATE events SET is_active = 'on', user_id = ' 5 ' WHERE id = '7'");
        let outer = "SELECT user_id FROM events e GROUP BY user_id HAVING EXISTS (SELECT 1 FROM users u WHERE u.id = max(e.id)) LIMIT 5";
        silent("type_mismatch", outer);
        silent("type_mismatch", "SELECT id FROM events WHERE id = (SELECT max(id) FROM events)");
    }
}
