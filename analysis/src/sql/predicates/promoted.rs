//! PostgreSQL casts a number to the type of a constant that it is compared with: `n > 10.5` of an integer compares
//! `n::numeric`, which is another operator, and says nothing about `n > 10`.

use std::borrow::Cow;

use crate::sql::expr::{ColumnRef, Expr, Literal};
use crate::sql::type_names;

/// The condition with those casts of columns that are not written.
pub(crate) fn with_casts<'e, 't>(
    condition: &'e Expr,
    type_of: &dyn Fn(&ColumnRef) -> Option<&'t str>,
) -> Cow<'e, Expr> {
    if !condition.any(|part| cast_in(part, type_of).is_some()) {
        return Cow::Borrowed(condition);
    }
    let mut condition = condition.clone();
    cast(&mut condition, type_of);
    Cow::Owned(condition)
}

fn cast<'t>(expr: &mut Expr, type_of: &dyn Fn(&ColumnRef) -> Option<&'t str>) {
    match cast_in(expr, type_of) {
        Some(ty) => {
            for child in expr.children_mut().into_iter().filter(|child| child.as_column().is_some()) {
                let column = Box::new(child.clone());
                *child = Expr::Cast { expr: column, ty: ty.to_owned() };
            }
        }
        None => expr.children_mut().into_iter().for_each(|child| cast(child, type_of)),
    }
}

/// The type to which a comparison casts its column.
fn cast_in<'t>(expr: &Expr, type_of: &dyn Fn(&ColumnRef) -> Option<&'t str>) -> Option<&'static str> {
    let widest = |column: &Expr, values: &[&Expr]| {
        let own = rank(type_of(column.as_column()?)?)?;
        let of_values = values.iter().filter_map(|value| rank_of(value)).max()?;
        (own < of_values).then_some(if of_values == DECIMAL { "numeric" } else { "double precision" })
    };
    match expr {
        Expr::Binary { op, left, right } if op.is_comparison() => {
            widest(left, &[right]).or_else(|| widest(right, &[left]))
        }
        Expr::Between { expr, low, high, .. } => widest(expr, &[low, high]),
        Expr::InList { expr, list, .. } => widest(expr, &list.iter().collect::<Vec<&Expr>>()),
        _ => None,
    }
}

const DECIMAL: u8 = 1;

/// The place of a numeric type in the order in which types are cast to each other; integers have one for all.
fn rank(ty: &str) -> Option<u8> {
    match type_names::canonical(ty).split('(').next().unwrap_or_default() {
        "smallint" | "integer" | "bigint" => Some(0),
        "numeric" => Some(DECIMAL),
        "real" | "double precision" => Some(2),
        _ => None,
    }
}

fn rank_of(value: &Expr) -> Option<u8> {
    match value {
        Expr::Literal(Literal::Number(digits)) => {
            let is_integer = digits.replace('_', "").parse::<i64>().is_ok();
            Some(if is_integer { 0 } else { DECIMAL })
        }
        Expr::Cast { ty, .. } => rank(ty),
        Expr::Unary { expr, .. } => rank_of(expr),
        _ => None,
    }
}
