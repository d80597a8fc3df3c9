//! Expressions with a syntax of their own: EXTRACT, AT TIME ZONE, INTERVAL, CURRENT_DATE and so on.

use super::arena::Ty;
use super::functions::Called;
use super::session::{Form, Session, Value};
use crate::sql::expr::Expr;

impl Session<'_> {
    pub(super) fn special(&mut self, what: &str, parts: &[Expr]) -> Value {
        let values: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
        let fixed = |session: &mut Self, name: &str, not_null: bool| match session.types.builtin(name) {
            Some(ty) => Value::of(ty, not_null),
            None => Value::opaque("its type is not in the catalog"),
        };
        match what {
            "interval" => match values.into_iter().next() {
                Some(value) => self.coerce(value, Ty::INTERVAL, "an interval"),
                None => Value::of(Ty::INTERVAL, true),
            },
            "slice" => {
                let mut values = values.into_iter();
                let array = values.next().unwrap_or_else(|| Value::opaque("a slice of nothing"));
                for bound in values {
                    self.coerce(bound, Ty::INT4, "a bound of a slice");
                }
                let ty = self.types.base(array.ty);
                Value { why: array.why, ..Value::of(ty, false) }
            }
            "at time zone" => self.at_time_zone(values),
            "current_date" => fixed(self, "date", true),
            "current_time" => fixed(self, "timetz", true),
            "current_timestamp" => fixed(self, "timestamptz", true),
            "localtime" => fixed(self, "time", true),
            "localtimestamp" => fixed(self, "timestamp", true),
            "current_user" | "session_user" | "user" | "current_role" | "current_catalog" => {
                fixed(self, "name", true)
            }
            "current_schema" => fixed(self, "name", false),
            "grouping sets" | "default" | "*" => Value::opaque("it has no value of its own"),
            "is json" | "is normalized" => Value::of(Ty::BOOL, false),
            "with ties" => values.into_iter().next().unwrap_or_else(|| Value::opaque("")),
            other if other.starts_with("extract ") => {
                let field = other.trim_start_matches("extract ").to_owned();
                let field = Value { form: Form::Text(field), ..Value::of(Ty::UNKNOWN, true) };
                let args = [field].into_iter().chain(values).collect();
                self.function(&Called { name: "extract", ..Called::default() }, args).0
            }
            other => {
                for value in values.into_iter().filter(Value::is_unknown) {
                    self.coerce(value, Ty::OPAQUE, format_args!("in `{other}`, which is not understood"));
                }
                Value::opaque(format!("`{other}` is not understood"))
            }
        }
    }

    fn at_time_zone(&mut self, values: Vec<Value>) -> Value {
        let mut values = values.into_iter();
        let (Some(at), Some(zone)) = (values.next(), values.next()) else {
            return Value::opaque("`at time zone` takes two operands");
        };
        self.function(&Called { name: "timezone", ..Called::default() }, vec![zone, at]).0
    }
}
