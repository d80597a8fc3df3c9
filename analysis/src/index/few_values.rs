//! Columns with few distinct values, judging by the schema: an index on such a column alone still leaves much
//! of the table to read.

use crate::schema::columns;
use crate::schema::{Name, Schema, Table, UserType};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op};

/// Whether a column has few values: a boolean, an enum, or one that a CHECK restricts to a list.
pub(crate) fn has_few_values(schema: &Schema, table: &Table, column: &str) -> bool {
    let Some(column) = table.column(column) else { return false };
    let ty = column.ty.to_lowercase();
    let by_type = match schema.dialect {
        Dialect::Postgres => ty == "boolean" || is_enum(schema, &column.ty),
        Dialect::MySql => ty == "tinyint(1)" || ty.starts_with("enum"),
        Dialect::Sqlite => ty.starts_with("bool"),
    };
    by_type || table.checks.iter().any(|check| lists_values(schema, table, &check.condition, &column.name))
}

fn is_enum(schema: &Schema, ty: &str) -> bool {
    let (namespace, name) = match ty.rsplit_once('.') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, ty),
    };
    let name = name.trim_matches('"');
    let known = schema.user_type(namespace, name).or_else(|| schema.types.get(&Name::new(name)));
    matches!(known, Some(UserType::Enum(_)))
}

/// Whether a CHECK restricts the column to a list of values.
fn lists_values(schema: &Schema, table: &Table, condition: &str, column: &str) -> bool {
    let columns = columns::of_table(schema, table);
    let resolved = crate::sql::resolve::expression(condition, schema.dialect, columns);
    let is_column =
        |expr: &Expr| expr.without_casts().as_column().is_some_and(|mentioned| mentioned.name == column);
    resolved.is_some_and(|condition| {
        condition.conjuncts().iter().any(|part| match part {
            Expr::InList { expr, negated: false, .. } => is_column(expr),
            Expr::Any { left, op: Op::Eq, right, all: false } => {
                is_column(left) && matches!(right.without_casts(), Expr::Array(_))
            }
            _ => false,
        })
    })
}
