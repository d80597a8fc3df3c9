//! Expressions as SQL for messages.

use std::fmt;

use super::{Expr, LikeKind, Literal, Op, Test};

/// SQL for messages: short, in one line, columns without their relation, subqueries as `(..)`.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Column(column) => f.write_str(&column.name),
            Expr::WholeRow(_) => f.write_str("*"),
            Expr::Parameter(number) => write!(f, "${number}"),
            Expr::Literal(literal) => literal.fmt(f),
            Expr::Call(call) if call.args.is_empty() && is_written_bare(&call.name) => {
                f.write_str(&call.name)
            }
            Expr::Call(call) => write!(f, "{}({})", call.name, list(&call.args)),
            Expr::Cast { expr, ty } => match expr.as_ref() {
                Expr::Binary { .. } | Expr::Other { .. } | Expr::Unary { .. } => write!(f, "({expr})::{ty}"),
                _ => write!(f, "{expr}::{ty}"),
            },
            Expr::Collate { expr, collation } => write!(f, "{expr} collate \"{collation}\""),
            Expr::And(all) => joined(f, all, " and "),
            Expr::Or(all) => joined(f, all, " or "),
            Expr::Not(expr) => match expr.as_ref() {
                Expr::And(_) | Expr::Or(_) => write!(f, "not ({expr})"),
                _ => write!(f, "not {expr}"),
            },
            Expr::Unary { op, expr } => write!(f, "{op}{expr}"),
            Expr::Binary { op, left, right } => {
                let nested = |side: &Expr| !op.is_comparison() && matches!(side, Expr::Binary { .. });
                match (nested(left), nested(right)) {
                    (false, false) => write!(f, "{left} {} {right}", op.as_str()),
                    (true, false) => write!(f, "({left}) {} {right}", op.as_str()),
                    (false, true) => write!(f, "{left} {} ({right})", op.as_str()),
                    (true, true) => write!(f, "({left}) {} ({right})", op.as_str()),
                }
            }
            Expr::Is { expr, test, negated } => {
                let test = match test {
                    Test::Null => "null",
                    Test::True => "true",
                    Test::False => "false",
                    Test::Unknown => "unknown",
                };
                write!(f, "{expr} is {}{test}", if *negated { "not " } else { "" })
            }
            Expr::InList { expr, list: items, negated } => {
                write!(f, "{expr} {}in ({})", if *negated { "not " } else { "" }, list(items))
            }
            Expr::InQuery { expr, op, negated, .. } => match (op, negated) {
                (Op::Eq, false) => write!(f, "{expr} in (..)"),
                (Op::Eq, true) => write!(f, "{expr} not in (..)"),
                (op, all) => write!(f, "{expr} {} {} (..)", op.as_str(), if *all { "all" } else { "any" }),
            },
            Expr::Any { left, op, right, all } => {
                write!(f, "{left} {} {} ({right})", op.as_str(), if *all { "all" } else { "any" })
            }
            Expr::Between { expr, low, high, negated } => {
                write!(f, "{expr} {}between {low} and {high}", if *negated { "not " } else { "" })
            }
            Expr::Like { expr, pattern, kind, negated } => {
                let kind = match kind {
                    LikeKind::Like => "like",
                    LikeKind::ILike => "ilike",
                    LikeKind::Glob => "glob",
                    LikeKind::Regex => "~",
                    LikeKind::IRegex => "~*",
                    LikeKind::Similar => "similar to",
                };
                write!(f, "{expr} {}{kind} {pattern}", if *negated { "not " } else { "" })
            }
            Expr::Exists { negated, .. } => {
                f.write_str(if *negated { "not exists (..)" } else { "exists (..)" })
            }
            Expr::Subquery(_) => f.write_str("(..)"),
            Expr::ArrayQuery(_) => f.write_str("array(..)"),
            Expr::Row(items) => write!(f, "({})", list(items)),
            Expr::Array(items) => write!(f, "array[{}]", list(items)),
            Expr::Case { .. } => f.write_str("case .. end"),
            Expr::Access { expr, field: Some(field), .. } => write!(f, "({expr}).{field}"),
            Expr::Access { expr, subscripts, .. } => write!(f, "{expr}[{}]", list(subscripts)),
            Expr::Other { what, parts } if parts.is_empty() => f.write_str(what),
            Expr::Other { what, parts } => match (what.as_str(), parts.as_slice()) {
                ("interval", [value]) => write!(f, "interval {value}"),
                ("interval", [value, unit]) => write!(f, "interval {value} {unit}"),
                ("at time zone", [time, zone]) => write!(f, "{time} at time zone {zone}"),
                (what, [value]) if what.starts_with("extract ") => {
                    write!(f, "extract({} from {value})", what.trim_start_matches("extract "))
                }
                (what, parts) => write!(f, "{what}({})", list(parts)),
            },
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::Number(text) | Literal::Other(text) => f.write_str(text),
            Literal::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

/// Whether a function is called without parentheses. PostgreSQL and SQLite refuse them, MySQL takes both.
pub(in crate::sql) fn is_written_bare(name: &str) -> bool {
    matches!(
        name,
        "current_date"
            | "current_time"
            | "current_timestamp"
            | "localtime"
            | "localtimestamp"
            | "current_user"
            | "current_role"
            | "current_catalog"
            | "session_user"
            | "user"
    )
}

fn list(items: &[Expr]) -> String {
    items.iter().map(Expr::to_string).collect::<Vec<_>>().join(", ")
}

fn joined(f: &mut fmt::Formatter<'_>, items: &[Expr], separator: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        match item {
            Expr::And(_) | Expr::Or(_) => write!(f, "({item})")?,
            _ => write!(f, "{item}")?,
        }
    }
    Ok(())
}
