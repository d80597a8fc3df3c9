//! A column cast to another type in a comparison.

use super::shared::time_ranges;
use super::shared::wording;
use super::shared::wrapped::{self, Comparison, Rewrite, Wrapped};
use super::{Check, QueryContext, declare_lint, shared};
use crate::finding::Finding;
use crate::schema::{Column, UserType};
use crate::sql::expr::{ColumnRef, Expr, Literal};
use crate::sql::query::{Query, RelationId};
use crate::sql::{Dialect, type_names};

declare_lint! {
    /// ## What it does
    ///
    /// Finds conditions that cast a column before they compare it: `id::text = $1`, `created_at::date = $1`.
    ///
    /// ## Why is this bad
    ///
    /// The index holds values of the column's own type, so it cannot be searched for values of another: every row is
    /// read and cast. Casting the parameter instead costs one cast.
    ///
    /// ## Known limits
    ///
    /// Reported if the column has an index that goes unused, or if the condition has a plain form without the
    /// cast. Casts between `text` and `varchar` make no difference. Silent if there is an index on the
    /// expression or another condition narrows the search, on small tables, and without a schema.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT name FROM events WHERE user_id::text = $1 ORDER BY id LIMIT 10
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT name FROM events WHERE user_id = $1::bigint ORDER BY id LIMIT 10
    /// ```
    "cast_on_column", Shape, since "0.1.0",
    "a cast on a column that keeps its index from being used",
    Check::Query(check); NeedsSchema, OnReading
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    shared::add_all(context, findings, found);
}

/// The findings, each with the table that is read in full because of it.
pub(super) fn found(context: &QueryContext<'_>, query: &Query) -> Vec<(RelationId, Finding)> {
    let all = wrapped::all(context, query);
    let found = all.iter().filter_map(|wrapped| {
        let Expr::Cast { expr, ty } = wrapped.operand else { return None };
        let column = context.table(query, wrapped.relation)?.column(&wrapped.column.name)?;
        if !matches!(expr.as_ref(), Expr::Column(_))
            || (type_names::is_text(&column.ty) && type_names::is_text(ty))
        {
            return None;
        }
        let rewrite = wrapped.rewritten(|comparison| rewrite(context, query, comparison, column, ty));
        // The text forms of these are always the same, so that an index can hold them.
        let indexable = type_names::is_unlimited_text(ty)
            && (is_integer(&column.ty) || matches!(column.ty.as_str(), "uuid" | "boolean"))
            && context.dialect == Dialect::Postgres
            && wrapped.value().is_some_and(|value| is_any_text(query, value, &column.ty));
        Some((wrapped, rewrite, indexable))
    });
    wrapped::findings(LINT.name, context, query, found)
}

/// The equivalent condition on the column itself, if the cast maps no two values to the same one.
fn rewrite(
    context: &QueryContext<'_>,
    query: &Query,
    wrapped: &Wrapped<'_>,
    column: &Column,
    ty: &str,
) -> Option<Rewrite> {
    if ty == "date" && column.ty.starts_with("timestamp") {
        return time_ranges::days(context, query, wrapped);
    }
    let name = wrapped.name(query, context.dialect);
    // Texts sort differently from the values.
    let to_text = type_names::is_unlimited_text(ty) && keeps_values_apart(context, &column.ty);
    let wider = is_integer(ty) && is_integer(&column.ty);
    if context.dialect != Dialect::Postgres || !(to_text || wider) {
        return None;
    }
    // Casting the texts of rows raises an error for the first of them that is no value of the type.
    if to_text && wrapped.value().is_some_and(|value| is_any_text(query, value, &column.ty)) {
        return None;
    }
    match &wrapped.comparison {
        Comparison::Any(array) if to_text => {
            let array = wording::operand(array.without_casts(), context.dialect);
            Some(Rewrite::alike(format!("{name} = ANY({array}::{}[])", column.ty)))
        }
        // A bare parameter keeps the type that the cast gave it, and the caller binds what it did.
        Comparison::Any(array) => {
            let text = wording::operand(array, context.dialect);
            let kept = if matches!(array, Expr::Parameter(_)) { format!("::{ty}[]") } else { String::new() };
            Some(Rewrite::equal(format!("{name} = ANY({text}{kept})")))
        }
        comparison => {
            let (op, value) = comparison.binary()?;
            let text = wrapped.value_text(context, value);
            let value = match value {
                Expr::Literal(Literal::Text(_)) => text,
                Expr::Parameter(_) if wider => format!("{text}::{ty}"),
                _ if wider => text,
                _ => format!("{text}::{}", column.ty),
            };
            let rewrite = format!("{name} {} {value}", op.as_str());
            // A text that is not a number raises an error in that cast, rather than being unequal.
            match (wider, op.is_range()) {
                (true, _) => Some(Rewrite::equal(rewrite)),
                (false, false) => Some(Rewrite::alike(rewrite)),
                (false, true) => None,
            }
        }
    }
}

/// Whether a value comes from rows as a text that need not be one of a value of the type: anything but a column of the type, cast.
fn is_any_text(query: &Query, value: &Expr, ty: &str) -> bool {
    let is_of_type = |column: &ColumnRef| {
        let relation = column.relation.map(|id| query.relation(id));
        let mut columns = relation.and_then(|it| it.columns.as_deref()).into_iter().flatten();
        columns.any(|known| known.name == column.name && known.ty == ty)
    };
    match value {
        Expr::Cast { expr, .. } if expr.as_column().is_some_and(is_of_type) => false,
        value => !value.columns().is_empty() || value.any(|it| it.own_subquery().is_some()),
    }
}

fn is_integer(ty: &str) -> bool {
    matches!(ty, "smallint" | "integer" | "bigint" | "int" | "int2" | "int4" | "int8")
}

/// Whether each value of a type has a single text form.
fn keeps_values_apart(context: &QueryContext<'_>, ty: &str) -> bool {
    let is_enum = || {
        let (schema, name) = ty.split_once('.').map_or((None, ty), |(schema, name)| (Some(schema), name));
        let known = context.schema.and_then(|known| known.user_type(schema, name));
        matches!(known, Some(UserType::Enum(_)))
    };
    is_integer(ty) || matches!(ty, "uuid" | "boolean") || is_enum()
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn says_what_to_write_instead() {
        let help = |sql| help("cast_on_column", sql);
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::text = ANY($1)"),
            "compare the column itself: `user_id = ANY($1::bigint[])`"
        );
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::text = $1 OR user_id::text = $2"),
            "compare the column itself: `user_id = $1::bigint OR user_id = $2::bigint`"
        );
        assert_eq!(
            help("SELECT id FROM logs WHERE created_at::date BETWEEN $1 AND $2"),
            "compare the column itself: `created_at >= $1::date AND created_at < $2::date + 1`"
        );
        assert_eq!(
            help("SELECT id FROM logs WHERE created_at::date >= $1 AND created_at::date <= $2"),
            "compare the column itself: `created_at >= $1::date AND created_at < $2::date + 1`"
        );
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::int = $1"),
            "compare the column itself: `user_id = $1::int`"
        );
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::int = ANY($1)"),
            "compare the column itself: `user_id = ANY($1::int[])`"
        );
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::int = 7"),
            "compare the column itself: `user_id = 7`"
        );
        // A text of that length may have lost digits.
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::varchar(3) = $1"),
            "compare `user_id` itself, with a value that is computed on the other side"
        );
        assert_eq!(
            help("SELECT id FROM events WHERE user_id::float8 = $1"),
            "compare `user_id` itself, with a value that is computed on the other side"
        );
    }

    #[test]
    fn casts_no_texts_of_rows_that_need_not_be_values() {
        let help = |sql: String| help("cast_on_column", &sql);
        let of = |value: &str| {
            format!("SELECT e.id FROM logs l JOIN events e ON e.user_id::text = {value} WHERE l.id = $1")
        };
        let index = "index the compared expression: `CREATE INDEX ON events ((user_id::text))`";
        assert_eq!(help(of("l.output")), index);
        assert_eq!(help(of("split_part(l.output, ':', 2)")), index);
        let cast = help(of("l.event_id::text"));
        assert!(cast.ends_with("event_id::text::bigint`"), "{cast}");
    }

    #[test]
    fn fires_where_the_index_goes_unused() {
        fires("cast_on_column", "UPDATE events SET name = $1 WHERE id::text = $2");
        fires("cast_on_column", "SELECT id FROM events WHERE CAST(user_id AS text) IN ($1, $2)");
    }

    #[test]
    fn casts_among_text_leave_the_index_in_use() {
        silent("unindexed_filter", "SELECT id FROM users WHERE email::varchar = $1");
        fires("unindexed_filter", "SELECT id FROM users WHERE email::varchar(3) = $1");
        silent("cast_on_column", "SELECT id FROM users WHERE email::varchar(3) = $1");
    }

    #[test]
    fn silent_where_the_cast_changes_nothing() {
        for sql in [
            "SELECT id FROM users WHERE email::text = $1",
            "SELECT id FROM users WHERE email::varchar = $1",
            "SELECT id FROM users WHERE id = $1::bigint",
            "SELECT id FROM events WHERE user_id = $1 AND id::text = $2",
            "SELECT id::text FROM events WHERE id = $1",
        ] {
            silent("cast_on_column", sql);
        }
    }
}
