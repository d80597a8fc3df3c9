//! Texts that MySQL and SQLite compare as numbers or times.

use super::Reader;
use crate::schema::Column;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::Body;

impl Reader<'_> {
    /// Whether MySQL or SQLite compares a column of texts with a value as numbers or times: many texts are equal to one.
    pub(super) fn is_turned_into_number(&self, own: &Expr, value: &Expr) -> bool {
        let is_text = |column: &Column| {
            let ty = column.ty.to_ascii_lowercase();
            ["char", "varchar"].iter().any(|start| ty.starts_with(start)) || ty.ends_with("text")
        };
        let is_number = |ty: &str| {
            let ty = ty.to_ascii_lowercase();
            let starts = ["int", "tinyint", "smallint", "mediumint", "bigint", "decimal", "float", "double"];
            starts
                .iter()
                .chain(&["date", "time", "year", "signed", "unsigned"])
                .any(|start| ty.starts_with(start))
        };
        let of_number = |value: &Expr| match value {
            Expr::Literal(Literal::Number(_) | Literal::Bool(_)) => true,
            Expr::Binary { op: Op::Arithmetic(_), left, right } => {
                !left.is_interval() && !right.is_interval()
            }
            Expr::Cast { ty, .. } => is_number(ty),
            Expr::Column(_) => self.table_column(value).is_some_and(|column| is_number(&column.ty)),
            _ => false,
        };
        let of_subquery = || match value {
            Expr::Subquery(block) => match &self.query.block(*block).body {
                Body::Select(select) => select.projection.first().is_some_and(of_number),
                _ => false,
            },
            _ => false,
        };
        let is_converted = |value: &Expr| match (self.dialect(), value) {
            (Some(Dialect::MySql), _) => true,
            // A literal has no affinity.
            (Some(Dialect::Sqlite), value) => {
                matches!(value, Expr::Cast { .. } | Expr::Column(_) | Expr::Subquery(_))
            }
            _ => false,
        };
        is_converted(value)
            && self.table_column(own).is_some_and(is_text)
            && (of_number(value) || of_subquery())
    }
}
