//! The types of values as far as they are evident: they decide which operator PostgreSQL looks for in an operator class.

use super::value_types::{MAX_VALUE_DEPTH, Values};
use crate::sql::expr::{Call, Expr, Literal, Op};
use crate::sql::query::Body;
use crate::sql::type_names;

impl Values<'_> {
    /// The type of a value; `None` if it is not evident, as that of a parameter.
    pub(super) fn type_of_value(&self, value: &Expr) -> Option<String> {
        self.type_below(value, MAX_VALUE_DEPTH)
    }

    fn type_below(&self, value: &Expr, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let below = |part: &Expr| self.type_below(part, depth);
        let known = |ty: &str| Some(ty.to_owned());
        match value {
            Expr::Literal(Literal::Number(digits)) => known(type_of_number(digits)),
            Expr::Literal(Literal::Bool(_)) => known("boolean"),
            Expr::Cast { ty, .. } => Some(ty.clone()),
            Expr::Column(column) => match self.type_of(column) {
                Some(ty) if !ty.is_empty() => known(ty),
                _ => below(self.source_of(value)?),
            },
            Expr::Unary { expr, .. } | Expr::Collate { expr, .. } => below(expr),
            Expr::Binary { op: Op::Concat, .. } => None,
            Expr::Binary { op: Op::Other(op), .. } => {
                matches!(op.as_str(), "->>" | "#>>").then(|| "text".to_owned())
            }
            Expr::Binary { op: Op::Arithmetic('+' | '-'), left, right } => {
                moved(&type_names::canonical(&below(left)?), &type_names::canonical(&below(right)?))
                    .map(str::to_owned)
            }
            Expr::Call(call) if call.may_be_built_in() => self.type_of_call(call, depth),
            Expr::Other { what, .. } if what == "interval" => known("interval"),
            Expr::Array(items) => Some(format!("{}[]", items.iter().find_map(below)?)),
            Expr::Subquery(block) => match &self.query.block(*block).body {
                Body::Select(select) => below(select.projection.first()?),
                _ => None,
            },
            _ => None,
        }
    }

    fn type_of_call(&self, call: &Call, depth: usize) -> Option<String> {
        match (call.name.as_str(), call.args.as_slice()) {
            ("coalesce" | "greatest" | "least" | "nullif" | "min" | "max", args) => {
                args.iter().find_map(|arg| self.type_below(arg, depth))
            }
            // The unit comes first.
            ("date_trunc", [_, of, ..]) => {
                let of = type_names::canonical(&self.type_below(of, depth)?);
                Some(if of == "date" { "timestamptz".to_owned() } else { of })
            }
            (name, _) => result(name).map(str::to_owned),
        }
    }
}

/// The type of a number as written.
fn type_of_number(digits: &str) -> &'static str {
    match digits.parse::<i64>() {
        Ok(number) if i32::try_from(number).is_ok() => "integer",
        Ok(_) => "bigint",
        Err(_) => "numeric",
    }
}

/// The type of a sum or difference: of a moment and a span, or of two integers.
fn moved(left: &str, right: &str) -> Option<&'static str> {
    let width = |ty: &str| ["smallint", "integer", "bigint"].into_iter().position(|known| known == ty);
    match (left, right) {
        ("timestamp with time zone", right) if right.starts_with("interval") => Some("timestamptz"),
        ("timestamp" | "date", right) if right.starts_with("interval") => Some("timestamp"),
        ("date", right) if width(right).is_some() => Some("date"),
        (left, right) => {
            let wider = width(left)?.max(width(right)?);
            ["smallint", "integer", "bigint"].get(wider).copied()
        }
    }
}

/// The type of the result of a built-in function, if it does not depend on its arguments.
fn result(function: &str) -> Option<&'static str> {
    Some(match function {
        "now"
        | "current_timestamp"
        | "transaction_timestamp"
        | "statement_timestamp"
        | "to_timestamp"
        | "make_timestamptz" => "timestamptz",
        "localtimestamp" | "make_timestamp" => "timestamp",
        "current_date" | "to_date" | "make_date" | "date" => "date",
        "current_time" => "timetz",
        "localtime" | "make_time" => "time",
        "to_tsvector" => "tsvector",
        "to_tsquery" | "plainto_tsquery" | "phraseto_tsquery" | "websearch_to_tsquery" => "tsquery",
        "count" => "bigint",
        "gen_random_uuid" => "uuid",
        "int4range" => "int4range",
        "int8range" => "int8range",
        "numrange" => "numrange",
        "daterange" => "daterange",
        "tsrange" => "tsrange",
        "tstzrange" => "tstzrange",
        _ => return None,
    })
}
