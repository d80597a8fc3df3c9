//! Intervals with their units: `interval '1' day`, `INTERVAL 1 DAY`.

use sqlparser::ast::{DateTimeField, Interval};

use super::Resolver;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal};

impl Resolver<'_> {
    /// An interval. PostgreSQL takes the units behind a text for those of the type.
    pub(super) fn interval(&mut self, written: &Interval) -> Expr {
        let value = self.expr(&written.value);
        match (units(written), value) {
            (None, value) => Expr::Other { what: "interval".to_owned(), parts: vec![value] },
            (Some(units), value @ Expr::Literal(Literal::Text(_))) if self.dialect == Dialect::Postgres => {
                Expr::Cast { expr: Box::new(value), ty: format!("interval {units}") }
            }
            (Some(units), value) => {
                let unit = Expr::Other { what: units, parts: Vec::new() };
                Expr::Other { what: "interval".to_owned(), parts: vec![value, unit] }
            }
        }
    }
}

/// The units as a type has them: `day`, `day to second(3)`.
fn units(written: &Interval) -> Option<String> {
    let name = |field: &DateTimeField| field.to_string().to_lowercase();
    let digits = |count: Option<u64>| count.map_or(String::new(), |count| format!("({count})"));
    let first = name(written.leading_field.as_ref()?) + &digits(written.leading_precision);
    Some(match &written.last_field {
        Some(last) => format!("{first} to {}{}", name(last), digits(written.fractional_seconds_precision)),
        None => first,
    })
}
