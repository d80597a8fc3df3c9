//! Functions, aggregates and window functions for which both servers give the same Rust type.

use super::Reader;
use super::value::{Class, Value};
use crate::sql::expr::Call;
use crate::sql::functions;
use crate::sql::query::BlockId;

impl Reader<'_> {
    pub(super) fn called(&self, call: &Call, block: BlockId, depth: usize) -> Value {
        let name = call.name.to_ascii_lowercase();
        let value = |at: usize| match call.args.get(at) {
            Some(arg) => self.typed(arg, block, depth + 1),
            None => Value::unknown(format!("`{name}` has no argument")),
        };
        let moment = |name| Value::of(Class::Time(name), name, false);
        match (name.as_str(), call.args.len()) {
            ("count", _) => Value::of(Class::Int, "BIGINT", false),
            ("sum" | "avg", 1) => sum(&value(0)),
            ("min" | "max", 1) => extreme(value(0)),
            ("lag" | "lead", 1 | 2) if call.window => value(0).computed().or_null(),
            ("first_value" | "last_value", 1) | ("nth_value", 2) if call.window => {
                value(0).computed().or_null()
            }
            ("percent_rank" | "cume_dist", 0) if call.window => {
                Value::of(Class::Double, "DOUBLE", true).doubtful()
            }
            _ if call.window => {
                Value::unknown(format!("the type of the window function `{name}` differs by server"))
            }
            (name, _)
                if (name == "group_concat" || is_text(name)) && self.has_no_charset(call, block, depth) =>
            {
                Value::unknown(format!("`{name}` returns text or bytes, depending on its arguments"))
            }
            ("group_concat", _) => Value::of(Class::Text, "TEXT", true),
            ("bit_and" | "bit_or" | "bit_xor", 1) => Value::of(Class::Int, "BIGINT UNSIGNED", false),
            ("coalesce" | "ifnull", 1..) => self.first_of(call, block, depth),
            ("if", 3) => {
                let given = self.one_of(call.args.iter().skip(1), block, depth);
                self.on_condition(given, call.args.iter().take(1), block, depth)
            }
            ("nullif", 2) => match value(0) {
                value if value.class == Class::Int && !value.is("BIGINT") => {
                    Value { name: Value::integer(true).name, ..value }.computed().or_null()
                }
                value => value.computed().or_null(),
            },
            (
                "now" | "current_timestamp" | "localtime" | "localtimestamp" | "sysdate" | "utc_timestamp",
                _,
            ) => moment("DATETIME"),
            ("curdate" | "current_date" | "utc_date", _) => moment("DATE"),
            ("curtime" | "current_time" | "utc_time", _) => moment("TIME"),
            ("date" | "last_day", 1) => moment("DATE").or_null(),
            ("time" | "sec_to_time", 1) | ("timediff", 2) | ("maketime", 3) => moment("TIME").doubtful(),
            ("makedate", 2) | ("from_days", 1) => moment("DATE").doubtful(),
            ("from_unixtime", 1) | ("convert_tz", 3) => moment("DATETIME").doubtful(),
            ("from_unixtime", 2) => Value::text(),
            ("date_add" | "date_sub" | "adddate" | "subdate" | "addtime" | "subtime", 2) => {
                shifted(&value(0))
            }
            ("timestampadd", 3) => shifted(&value(2)),
            ("timestampdiff", _) => Value::of(Class::Int, "BIGINT", true),
            ("last_insert_id", 0) => Value::of(Class::Int, "BIGINT UNSIGNED", false),
            ("rand", _) => Value::of(Class::Double, "DOUBLE", false),
            ("round" | "truncate", _) => match value(0) {
                value if value.class == Class::Decimal => value.computed(),
                value if value.class == Class::Double => Value { name: Ok("DOUBLE"), ..value }.computed(),
                value => integer(&value),
            },
            ("abs", 1) => match value(0) {
                value if value.class == Class::Decimal || value.is("BIGINT") || value.is("DOUBLE") => {
                    value.computed()
                }
                value => integer(&value),
            },
            ("greatest" | "least", 2..) => {
                let is_plain = |at: usize| !matches!(value(at).class, Class::Null | Class::Time("TIMESTAMP"));
                match self.one_of(call.args.iter(), block, depth).doubtful() {
                    _ if !(0..call.args.len()).all(is_plain) => {
                        Value::unknown(format!("the type of `{name}` on these values is not known"))
                    }
                    value if value.class == Class::Int && !value.is("BIGINT") => integer(&value),
                    value => value,
                }
            }
            (name, _) if is_double(name) => Value::of(Class::Double, "DOUBLE", true).doubtful(),
            (name, _) if is_bytes(name) => Value::of(Class::Bytes, "VARBINARY", true).doubtful(),
            (name, _) if is_text(name) => Value::text(),
            (name, _) if functions::returns_integer(name) => {
                Value { is_certain: false, ..Value::integer(true) }
            }
            (name, _) if name.starts_with("json") => {
                Value::unknown(format!("MySQL and MariaDB send the result of `{name}` differently"))
            }
            (name, _) => Value::unknown(format!("the type of the function `{name}` is not known")),
        }
    }

    /// Whether an argument is binary, or may be.
    fn has_no_charset(&self, call: &Call, block: BlockId, depth: usize) -> bool {
        let class = |arg| self.typed(arg, block, depth + 1).class;
        call.args.iter().any(|arg| matches!(class(arg), Class::Bytes | Class::Null | Class::Other))
            && !matches!(call.name.as_str(), "hex" | "md5" | "sha" | "sha1" | "sha2" | "to_base64")
    }

    /// COALESCE: never NULL if one of its values is not.
    fn first_of(&self, call: &Call, block: BlockId, depth: usize) -> Value {
        let values: Vec<Value> =
            call.args.iter().map(|arg| self.typed(arg, block, depth + 1).computed()).collect();
        let nullable = values.iter().all(|value| value.nullable);
        let proven_not_null = values.iter().any(|value| value.proven_not_null);
        let is_certain = values.iter().all(|value| value.is_certain);
        let one = values.into_iter().reduce(Value::or);
        let one = one.unwrap_or_else(|| Value::unknown("it has no values"));
        Value { nullable, proven_not_null, is_certain, ..one }
    }
}

fn integer(value: &Value) -> Value {
    Value { is_certain: false, ..Value::integer(value.nullable) }.or_null()
}

fn sum(of: &Value) -> Value {
    match of.class {
        _ if of.is_odd() => Value::unknown("the servers return different types for the sum of this type"),
        Class::Int | Class::Decimal => Value::of(Class::Decimal, "DECIMAL", true),
        Class::Double | Class::Text => Value::of(Class::Double, "DOUBLE", true),
        _ => Value::unknown("what is summed is not known"),
    }
}

/// MIN and MAX: the type of the argument, or text for an ENUM.
fn extreme(of: Value) -> Value {
    let class = of.class;
    let value = of.computed().or_null();
    match class {
        Class::Text => Value { name: Ok("VARCHAR"), ..value },
        Class::Int if value.is("BIT") || value.is("YEAR") => {
            Value { name: Err("the servers return different types for it".to_owned()), ..value }
        }
        _ => value,
    }
}

/// A date with a time, moved by an interval; what a date alone becomes depends on the unit.
pub(super) fn shifted(of: &Value) -> Value {
    match of.class {
        Class::Time("DATETIME" | "TIMESTAMP") => {
            Value::of(Class::Time("DATETIME"), "DATETIME", true).doubtful()
        }
        _ => Value::unknown("the type of a date and an interval depends on their units"),
    }
}

/// Functions that return a floating-point number.
fn is_double(name: &str) -> bool {
    matches!(
        name,
        "sqrt"
            | "pow"
            | "power"
            | "exp"
            | "ln"
            | "log"
            | "log2"
            | "log10"
            | "sin"
            | "cos"
            | "tan"
            | "cot"
            | "asin"
            | "acos"
            | "atan"
            | "atan2"
            | "degrees"
            | "radians"
            | "pi"
            | "std"
            | "stddev"
            | "stddev_pop"
            | "stddev_samp"
            | "variance"
            | "var_pop"
            | "var_samp"
    )
}

/// Functions that return bytes.
fn is_bytes(name: &str) -> bool {
    matches!(name, "unhex" | "from_base64" | "compress" | "random_bytes" | "uuid_to_bin")
}

/// Functions that return text.
fn is_text(name: &str) -> bool {
    matches!(
        name,
        "concat"
            | "concat_ws"
            | "upper"
            | "lower"
            | "ucase"
            | "lcase"
            | "trim"
            | "ltrim"
            | "rtrim"
            | "substring"
            | "substr"
            | "mid"
            | "left"
            | "right"
            | "replace"
            | "lpad"
            | "rpad"
            | "repeat"
            | "reverse"
            | "hex"
            | "md5"
            | "sha"
            | "sha1"
            | "sha2"
            | "uuid"
            | "date_format"
            | "time_format"
            | "monthname"
            | "dayname"
            | "format"
            | "database"
            | "schema"
            | "version"
            | "user"
            | "current_user"
            | "substring_index"
            | "insert"
            | "space"
            | "elt"
            | "quote"
            | "conv"
            | "to_base64"
            | "inet_ntoa"
            | "bin"
            | "oct"
            | "soundex"
    )
}
