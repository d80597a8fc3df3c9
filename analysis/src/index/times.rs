//! Values of MySQL that are points in time. A column that holds none is turned into one in each row to be compared with them.

use super::value_types::{MAX_VALUE_DEPTH, Values};
use crate::sql::expr::{Call, Expr, Literal, Op};
use crate::sql::query::{BlockId, Body};

/// Whether a type holds numbers or texts, and no points in time.
pub(super) fn is_plain_type(ty: &str) -> bool {
    let ty = ty.to_ascii_lowercase();
    let starts = [
        "int",
        "tinyint",
        "smallint",
        "mediumint",
        "bigint",
        "decimal",
        "float",
        "double",
        "char",
        "varchar",
    ];
    let ends = ["text", "enum"];
    starts.iter().any(|start| ty.starts_with(start))
        || ends.iter().any(|part| ty.split('(').next().is_some_and(|it| it.ends_with(part)))
}

fn is_type(ty: &str) -> bool {
    let ty = ty.to_ascii_lowercase();
    ["date", "time"].iter().any(|start| ty.starts_with(start))
}

impl Values<'_> {
    /// Whether a value is a point in time, rather than a text or a number that may be read as one.
    pub(super) fn is_time(&self, value: &Expr) -> bool {
        self.is_time_within(value, MAX_VALUE_DEPTH)
    }

    fn is_time_within(&self, value: &Expr, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let is_time = |value: &Expr| self.is_time_within(value, depth);
        match value {
            Expr::Cast { ty, .. } => is_type(ty),
            Expr::Column(column) => self.type_of(column).is_some_and(is_type),
            Expr::Binary { op: Op::Arithmetic(_), left, right } => {
                right.is_interval() && is_time(left) || left.is_interval() && is_time(right)
            }
            Expr::Call(call) => self.returns_time(call, depth),
            Expr::Case { arms, otherwise, .. } => {
                self.are_times(arms.iter().map(|(_, value)| value).chain(otherwise.as_deref()), depth)
            }
            Expr::Subquery(query) => self.returns_times(*query, depth),
            _ => false,
        }
    }

    fn returns_times(&self, query: BlockId, depth: usize) -> bool {
        match &self.query.block(query).body {
            Body::Select(select) => {
                select.projection.first().is_some_and(|output| self.is_time_within(output, depth))
            }
            _ => false,
        }
    }

    /// Whether all values but NULL are points in time.
    fn are_times<'e>(&self, values: impl Iterator<Item = &'e Expr>, depth: usize) -> bool {
        let mut values = values.filter(|value| !matches!(value, Expr::Literal(Literal::Null))).peekable();
        values.peek().is_some() && values.all(|value| self.is_time_within(value, depth))
    }

    fn returns_time(&self, call: &Call, depth: usize) -> bool {
        let is_time = |at: usize| call.args.get(at).is_some_and(|arg| self.is_time_within(arg, depth));
        match call.name.as_str() {
            "now" | "sysdate" | "current_timestamp" | "localtime" | "localtimestamp" | "curdate"
            | "current_date" | "curtime" | "current_time" | "utc_date" | "utc_time" | "utc_timestamp"
            | "date" | "timestamp" | "last_day" | "makedate" | "maketime" | "from_days" | "sec_to_time"
            | "str_to_date" => true,
            "from_unixtime" => call.args.len() == 1,
            "date_add" | "date_sub" | "adddate" | "subdate" | "addtime" | "subtime" | "min" | "max"
            | "nullif" | "any_value" => is_time(0),
            "timestampadd" => is_time(2),
            "coalesce" | "ifnull" | "greatest" | "least" => self.are_times(call.args.iter(), depth),
            "if" => self.are_times(call.args.iter().skip(1), depth),
            _ => false,
        }
    }
}
