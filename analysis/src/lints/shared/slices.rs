//! Queries that return a part whose size their own text limits: the rows of a closed range, or one row for
//! each of a few groups. Nothing in the schema proves the size, and a LIMIT would only truncate the part.

use crate::lints::QueryContext;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::{Block, Body, Query, Select};

/// Whether a query reads such a part.
pub(in crate::lints) fn is_slice(context: &QueryContext<'_>, query: &Query) -> bool {
    let Some(root) = query.root.map(|id| query.block(id)) else { return false };
    let Body::Select(select) = &root.body else { return false };
    has_closed_range(root) || is_by_category(context, query, select)
}

/// Whether a column is restricted to a range with two bounds: whoever sets both decides how much is read. The
/// current time counts as a bound, since few rows are in the future.
fn has_closed_range(block: &Block) -> bool {
    let mut ends: Vec<(&ColumnRef, bool)> = Vec::new();
    for condition in block.filters() {
        match condition {
            Expr::Between { expr, low, high, negated: false }
                if expr.without_casts().as_column().is_some() && low.is_constant() && high.is_constant() =>
            {
                return true;
            }
            Expr::Binary { op, left, right } => {
                let (op, column, value) =
                    match (left.without_casts().as_column(), right.without_casts().as_column()) {
                        (Some(column), None) => (op.clone(), column, right),
                        (None, Some(column)) => (op.flipped(), column, left),
                        _ => continue,
                    };
                let lower = match op {
                    Op::Gt | Op::GtEq => true,
                    Op::Lt | Op::LtEq => false,
                    _ => continue,
                };
                if !value.is_constant() {
                    continue;
                }
                if lower && tells_the_time(value) || ends.contains(&(column, !lower)) {
                    return true;
                }
                ends.push((column, lower));
            }
            _ => {}
        }
    }
    false
}

/// Whether a value is relative to the current time: `now() - interval '1 day'`, `datetime('now', '-1 day')`.
pub(in crate::lints) fn tells_the_time(value: &Expr) -> bool {
    value.any(|part| match part {
        Expr::Call(call) => {
            matches!(
                call.name.as_str(),
                "now"
                    | "current_timestamp"
                    | "current_date"
                    | "localtimestamp"
                    | "statement_timestamp"
                    | "transaction_timestamp"
                    | "clock_timestamp"
                    | "curdate"
                    | "sysdate"
                    | "utc_timestamp"
                    | "utc_date"
                    | "unix_timestamp"
                    | "unixepoch"
            ) || matches!(call.name.as_str(), "datetime" | "date" | "strftime" | "julianday")
        }
        _ => false,
    })
}

/// Whether rows are grouped by something that is neither a key nor a reference. The number of entities grows
/// with the table, that of categories does not.
fn is_by_category(context: &QueryContext<'_>, query: &Query, select: &Select) -> bool {
    let groups = match (&select.distinct, select.group_by.is_empty()) {
        (_, false) => &select.group_by,
        (Some(on), true) if on.is_empty() => &select.projection,
        (Some(on), true) => on,
        (None, true) => return false,
    };
    let mut columns = Vec::new();
    let known = groups.iter().all(|group| tell_apart(group, &mut columns));
    known && columns.iter().all(|column| is_category(context, query, column, &columns))
}

/// Collects the columns that distinguish groups; `false` if unknown. A value computed from a column is
/// coarser than the column, unless it is only a different spelling.
fn tell_apart<'q>(group: &'q Expr, columns: &mut Vec<&'q ColumnRef>) -> bool {
    match group.without_casts() {
        Expr::WholeRow(_) => return false,
        Expr::Column(column) => columns.push(column),
        Expr::Call(call) if SPELLINGS.contains(&call.name.as_str()) => {
            return call.args.iter().all(|argument| tell_apart(argument, columns));
        }
        _ => {}
    }
    true
}

/// Functions that preserve the number of distinct values.
const SPELLINGS: [&str; 8] = ["lower", "upper", "trim", "btrim", "coalesce", "concat", "encode", "hex"];

/// Whether a column, together with the others, identifies no row of its table or of another.
fn is_category(
    context: &QueryContext<'_>,
    query: &Query,
    column: &ColumnRef,
    columns: &[&ColumnRef],
) -> bool {
    // Without a schema no key is known, so any column may be a category.
    if context.schema.is_none() {
        return true;
    }
    // The columns of a subquery or view may be anything.
    let Some(table) = column.relation.and_then(|relation| context.table(query, relation)) else {
        return false;
    };
    let among =
        |name: &str| columns.iter().any(|other| other.relation == column.relation && other.name == name);
    let covered = |key: &[String]| !key.is_empty() && key.iter().all(|name| among(name));
    let named = |key: &[String]| key.contains(&column.name) && covered(key);
    let unique = table.indexes.iter().filter(|index| index.unique);
    let mut indexed = unique.filter_map(|index| {
        index.keys.iter().map(|key| key.as_column().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    !(named(&table.primary_key)
        || table.unique.iter().any(|unique| named(&unique.columns))
        || table.foreign_keys.iter().any(|reference| named(&reference.columns))
        || indexed.any(|key| named(&key)))
}
