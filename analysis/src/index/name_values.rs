//! Values of PostgreSQL's type `name`, which bring its collation, "C", into a comparison: where the other side is a column
//! with the default collation, the comparison is by "C", and an index of the column is not.

use super::value_types::{MAX_VALUE_DEPTH, Values};
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::{Body, Source};
use crate::sql::type_names;

impl Values<'_> {
    /// Whether a value has the collation of `name`: it is a name, or a text made of one.
    pub(super) fn is_name(&self, value: &Expr) -> bool {
        self.is_name_below(value, MAX_VALUE_DEPTH)
    }

    fn is_name_below(&self, value: &Expr, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let is_name = |part: &Expr| self.is_name_below(part, depth);
        match value {
            Expr::Cast { expr, ty } => {
                let ty = type_names::canonical(ty.trim_end_matches("[]"));
                ty == "name" || (type_names::is_text(&ty) && is_name(expr))
            }
            Expr::Column(column) => match self.type_of(column) {
                Some("name") => true,
                // One that the query computes has no type of its own here.
                Some("") => self.source_of(value).is_some_and(is_name),
                _ => false,
            },
            Expr::Call(call) if call.may_be_built_in() => {
                returns_name(&call.name) || (keeps_collation(&call.name) && call.args.iter().any(is_name))
            }
            Expr::Binary { op: Op::Concat, left, right } => is_name(left) || is_name(right),
            Expr::Case { arms, otherwise, .. } => {
                arms.iter().map(|(_, value)| value).chain(otherwise.as_deref()).any(is_name)
            }
            Expr::Array(items) => items.iter().any(is_name),
            Expr::Subquery(block) => match &self.query.block(*block).body {
                Body::Select(select) => select.projection.first().is_some_and(is_name),
                _ => false,
            },
            _ => false,
        }
    }

    /// The collation of a text that columns with a collation of their own are in.
    pub(super) fn collation_of(
        &self,
        value: &Expr,
        of_column: &dyn Fn(&ColumnRef) -> Option<String>,
    ) -> Option<String> {
        self.collation_below(value, of_column, MAX_VALUE_DEPTH)
    }

    fn collation_below(
        &self,
        value: &Expr,
        of_column: &dyn Fn(&ColumnRef) -> Option<String>,
        depth: usize,
    ) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let below = |part: &Expr| self.collation_below(part, of_column, depth);
        match value {
            Expr::Column(column) => of_column(column).or_else(|| self.source_of(value).and_then(below)),
            Expr::Cast { expr, ty } if type_names::is_text(&type_names::canonical(ty)) => below(expr),
            Expr::Call(call) if call.may_be_built_in() && keeps_collation(&call.name) => {
                call.args.iter().find_map(below)
            }
            Expr::Binary { op: Op::Concat, left, right } => below(left).or_else(|| below(right)),
            Expr::Subquery(block) => match &self.query.block(*block).body {
                Body::Select(select) => select.projection.first().and_then(below),
                _ => None,
            },
            _ => None,
        }
    }

    /// The expression behind a column of a derived table, a view or a common table expression.
    pub(super) fn source_of(&self, value: &Expr) -> Option<&Expr> {
        let column = value.as_column()?;
        let relation = self.query.relation(column.relation?);
        let at = relation.columns.as_ref()?.iter().position(|known| known.name == column.name)?;
        match &relation.source {
            Source::Derived(block) | Source::Cte(block) | Source::View(_, block) => {
                match &self.query.block(*block).body {
                    Body::Select(select) => select.projection.get(at),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Whether a built-in function returns a name.
fn returns_name(function: &str) -> bool {
    matches!(
        function,
        "current_user"
            | "session_user"
            | "current_role"
            | "user"
            | "current_database"
            | "current_catalog"
            | "current_schema"
            | "getdatabaseencoding"
            | "getpgusername"
            | "pg_client_encoding"
            | "pg_encoding_to_char"
            | "pg_get_userbyid"
    )
}

/// Whether a built-in function returns a text in the collation of its arguments.
fn keeps_collation(function: &str) -> bool {
    matches!(
        function,
        "lower"
            | "upper"
            | "initcap"
            | "trim"
            | "btrim"
            | "ltrim"
            | "rtrim"
            | "substr"
            | "substring"
            | "left"
            | "right"
            | "replace"
            | "translate"
            | "reverse"
            | "lpad"
            | "rpad"
            | "concat"
            | "concat_ws"
            | "format"
            | "quote_ident"
            | "quote_literal"
            | "coalesce"
            | "nullif"
            | "greatest"
            | "least"
            | "min"
            | "max"
    )
}
