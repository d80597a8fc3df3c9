//! Functions, aggregates and window functions.

use super::exprs::number;
use super::ty::{Null, Ty, Value};
use super::{Reader, operand};
use crate::sql::expr::{Call, Expr};
use crate::sql::query::{BlockId, Body};

/// What a function returns.
enum Gives {
    /// A value of this type.
    Always(Ty),
    /// A value of the type of its first argument.
    First,
    /// The first argument as a number.
    Number,
    /// A part of its first argument, which stays a blob if it is one.
    Part,
    /// One of its arguments.
    OneOf,
    /// A type that depends on the values.
    Any,
}

/// The result of a scalar function.
fn scalar(name: &str) -> Gives {
    match name {
        "length"
        | "octet_length"
        | "instr"
        | "unicode"
        | "changes"
        | "total_changes"
        | "last_insert_rowid"
        | "random"
        | "unixepoch"
        | "sign"
        | "json_valid"
        | "json_array_length"
        | "json_error_position"
        | "likely"
        | "glob"
        | "like" => match name {
            "likely" => Gives::First,
            "sign" => Gives::Any,
            _ => Gives::Always(Ty::Integer),
        },
        "upper" | "lower" | "trim" | "ltrim" | "rtrim" | "replace" | "hex" | "printf" | "format" | "char"
        | "typeof" | "quote" | "date" | "time" | "datetime" | "strftime" | "timediff" | "json"
        | "json_object" | "json_array" | "json_quote" | "json_set" | "json_insert" | "json_replace"
        | "json_remove" | "json_patch" | "json_type" | "sqlite_version" | "sqlite_source_id" | "soundex"
        | "concat" | "concat_ws" | "current_timestamp" | "current_date" | "current_time" => {
            Gives::Always(Ty::Text)
        }
        "randomblob" | "zeroblob" | "unhex" | "jsonb" | "jsonb_object" | "jsonb_array" => {
            Gives::Always(Ty::Blob)
        }
        "round" | "julianday" | "sqrt" | "pow" | "power" | "exp" | "ln" | "log" | "log2" | "log10" | "pi"
        | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "atan2" | "radians" | "degrees" => {
            Gives::Always(Ty::Real)
        }
        "abs" => Gives::Number,
        "substr" | "substring" => Gives::Part,
        "nullif" | "unlikely" | "likelihood" => Gives::First,
        "coalesce" | "ifnull" | "max" | "min" => Gives::OneOf,
        _ => Gives::Any,
    }
}

/// Whether sqlx can track the result of a call.
pub(super) fn is_followed(call: &Call) -> bool {
    let is_aggregate = matches!(
        call.name.as_str(),
        "count"
            | "sum"
            | "avg"
            | "total"
            | "group_concat"
            | "string_agg"
            | "json_group_array"
            | "json_group_object"
    ) || (matches!(call.name.as_str(), "max" | "min") && call.args.len() == 1);
    is_aggregate
        || call.window
        || matches!(
            call.name.as_str(),
            "coalesce"
                | "ifnull"
                | "iif"
                | "if"
                | "date"
                | "time"
                | "datetime"
                | "strftime"
                | "julianday"
                | "unixepoch"
                | "last_insert_rowid"
                | "likely"
                | "unlikely"
        )
}

impl Reader<'_> {
    pub(super) fn call(&self, call: &Call, block: BlockId, depth: usize) -> Value {
        let name = call.name.as_str();
        match (name, call.args.as_slice()) {
            _ if call.window => self.window(call, block, depth),
            ("count", _) => Value::computed(Ok(Ty::Integer), Null::NEVER),
            ("sum" | "avg" | "total" | "json_group_array" | "json_group_object", [of, ..])
            | ("group_concat" | "string_agg", [of, ..])
            | ("max" | "min", [of]) => self.aggregate(call, of, block, depth),
            ("iif" | "if", [_, then, otherwise]) => self.one_of([then, otherwise].into_iter(), block, depth),
            ("coalesce" | "ifnull", args) => {
                let value = self.one_of(args.iter(), block, depth);
                let nulls: Vec<Null> = args.iter().map(|arg| self.operand(arg, block, depth).null).collect();
                let null = Null {
                    said: Some(!nulls.iter().any(|null| null.said == Some(false))),
                    is_certain: nulls.iter().all(|null| null.is_certain && null.said.is_some()),
                    proven_not_null: nulls.iter().any(|null| null.proven_not_null),
                };
                Value { null, ..value }
            }
            (_, args) => self.scalar_call(name, args, block, depth),
        }
    }

    fn scalar_call(&self, name: &str, args: &[Expr], block: BlockId, depth: usize) -> Value {
        if self.schema.functions.keys().any(|function| function.name == name) {
            return Value::unknown(format!("the type of the function `{name}` is not known"));
        }
        let null = match name {
            "date" | "time" | "datetime" | "strftime" | "julianday" | "unixepoch" if args.is_empty() => {
                Null::NEVER
            }
            "date" | "time" | "datetime" | "strftime" | "julianday" | "unixepoch" => {
                Null { is_certain: false, ..Null::MAYBE }
            }
            "last_insert_rowid" => Null::NEVER,
            "current_timestamp" | "current_date" | "current_time" => {
                Null { proven_not_null: true, is_certain: false, ..Null::NOT_SAID }
            }
            "likely" | "unlikely" => {
                args.first().map_or(Null::NOT_SAID, |arg| self.operand(arg, block, depth).null.uncertain())
            }
            _ => Null::NOT_SAID,
        };
        let first = || match args.first() {
            Some(first) => self.operand(first, block, depth).ty,
            None => Err(format!("`{name}` has no argument")),
        };
        let ty = match scalar(name) {
            Gives::Always(ty) => Ok(ty),
            Gives::First => first(),
            Gives::Number => number(&first()),
            Gives::Part => first().map(|ty| if ty == Ty::Blob { Ty::Blob } else { Ty::Text }),
            Gives::OneOf => self.one_of(args.iter(), block, depth).ty,
            Gives::Any => Err(format!("the type of the function `{name}` is not known")),
        };
        Value::computed(ty, null)
    }

    fn aggregate(&self, call: &Call, of: &Expr, block: BlockId, depth: usize) -> Value {
        let inner = match of {
            // Each row of a group counts, rather than the group as a whole.
            Expr::Column(column) => self.column(column, depth + 1),
            of => self.operand(of, block, depth),
        };
        let ty = operand(&inner.ty);
        let ty = match call.name.as_str() {
            "sum" => number(&ty),
            "avg" | "total" => Ok(Ty::Real),
            "max" | "min" => ty,
            _ => Ok(Ty::Text),
        };
        let grouped = match &self.query.block(block).body {
            Body::Select(select) => !select.group_by.is_empty(),
            _ => false,
        };
        let always = matches!(call.name.as_str(), "total" | "json_group_array" | "json_group_object");
        let is_plain = call.modifiers.is_empty() && matches!(of, Expr::Column(_));
        let proven_not_null = always || grouped && call.modifiers.is_empty() && inner.null.proven_not_null;
        let null = match grouped {
            true => Null { is_certain: is_plain && inner.null.is_certain, proven_not_null, ..inner.null },
            false => {
                Null { said: Some(true), is_certain: is_plain && inner.null.is_certain, proven_not_null }
            }
        };
        Value::computed(ty, null)
    }

    fn window(&self, call: &Call, block: BlockId, depth: usize) -> Value {
        let first = || match call.args.first() {
            Some(first) => self.operand(first, block, depth).ty,
            None => Err(format!("`{}` has no argument", call.name)),
        };
        let maybe = Null { said: Some(true), is_certain: false, proven_not_null: false };
        match call.name.as_str() {
            "row_number" | "rank" | "dense_rank" | "ntile" | "count" => {
                Value::computed(Ok(Ty::Integer), Null::NEVER)
            }
            "percent_rank" | "cume_dist" => Value::computed(Ok(Ty::Real), Null::NEVER),
            "lag" | "lead" if call.args.len() < 3 => Value::computed(first(), Null::MAYBE),
            "lag" | "lead" => Value::computed(self.one_of(call.args.iter(), block, depth).ty, maybe),
            "first_value" | "last_value" | "nth_value" | "max" | "min" => Value::computed(first(), maybe),
            "sum" => Value::computed(number(&first()), maybe),
            "avg" | "total" => Value::computed(Ok(Ty::Real), maybe),
            "group_concat" | "string_agg" | "json_group_array" | "json_group_object" => {
                Value::computed(Ok(Ty::Text), maybe)
            }
            name => Value::unknown(format!("the type of the window function `{name}` is not known")),
        }
    }
}
