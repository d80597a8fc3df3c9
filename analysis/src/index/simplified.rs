//! Conditions normalised as a planner does before it looks at indexes: NOT is pushed inwards, NOT BETWEEN
//! becomes two ranges, and comparisons with TRUE and FALSE become the boolean itself.

use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op, Test};

/// The conjuncts of a normalised condition. SQLite does not normalise.
pub(super) fn conjuncts(condition: &Expr, dialect: Dialect) -> Vec<Expr> {
    if dialect == Dialect::Sqlite {
        return condition.conjuncts().to_vec();
    }
    match simplified(condition, dialect) {
        Expr::And(all) => all,
        Expr::Literal(Literal::Bool(true)) => Vec::new(),
        other => vec![other],
    }
}

fn simplified(expr: &Expr, dialect: Dialect) -> Expr {
    match expr {
        Expr::Call(call) if dialect == Dialect::MySql && call.name == "isnull" => {
            match call.args.as_slice() {
                [own] => Expr::Is { expr: Box::new(own.clone()), test: Test::Null, negated: false },
                _ => expr.clone(),
            }
        }
        Expr::And(all) => all_of(all.iter().map(|part| simplified(part, dialect))),
        Expr::Or(any) => one_of(any.iter().map(|part| simplified(part, dialect))),
        Expr::Not(inner) => negated(inner, dialect),
        Expr::Between { expr, low, high, negated: true } => one_of([
            Expr::Binary { op: Op::Lt, left: expr.clone(), right: low.clone() },
            Expr::Binary { op: Op::Gt, left: expr.clone(), right: high.clone() },
        ]),
        Expr::Binary { op: Op::Eq, left, right } if dialect == Dialect::Postgres => {
            // A condition compared with a boolean is the condition or its negation.
            match (left.as_ref(), right.as_ref()) {
                (condition, Expr::Literal(Literal::Bool(value)))
                | (Expr::Literal(Literal::Bool(value)), condition)
                    if is_condition(condition) || matches!(condition, Expr::Call(_) | Expr::Case { .. }) =>
                {
                    if *value {
                        simplified(condition, dialect)
                    } else {
                        negated(condition, dialect)
                    }
                }
                _ => expr.clone(),
            }
        }
        Expr::Binary { op: op @ (Op::Same | Op::NotSame), left, right } if dialect == Dialect::Postgres => {
            match (left.as_ref(), right.as_ref()) {
                (other, Expr::Literal(Literal::Null)) | (Expr::Literal(Literal::Null), other) => {
                    let negated = *op == Op::NotSame;
                    Expr::Is { expr: Box::new(other.clone()), test: Test::Null, negated }
                }
                _ => expr.clone(),
            }
        }
        Expr::Binary { op: Op::NotEq, left, right } if dialect == Dialect::Postgres => {
            match (left.as_ref(), right.as_ref()) {
                (column @ Expr::Column(_), Expr::Literal(Literal::Bool(false)))
                | (Expr::Literal(Literal::Bool(false)), column @ Expr::Column(_)) => column.clone(),
                (column @ Expr::Column(_), Expr::Literal(Literal::Bool(true)))
                | (Expr::Literal(Literal::Bool(true)), column @ Expr::Column(_)) => {
                    Expr::Not(Box::new(column.clone()))
                }
                _ => expr.clone(),
            }
        }
        other => other.clone(),
    }
}

/// Whether an expression has the form of a condition.
fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Binary { op, .. } => op.is_comparison(),
        Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Is { .. } => true,
        Expr::InList { .. } | Expr::Between { .. } | Expr::Like { .. } => true,
        _ => false,
    }
}

/// The negation of a condition.
fn negated(condition: &Expr, dialect: Dialect) -> Expr {
    match condition {
        Expr::Not(inner) => simplified(inner, dialect),
        Expr::Call(call) if dialect == Dialect::MySql && call.name == "isnull" => {
            match simplified(condition, dialect) {
                Expr::Is { expr, test, .. } => Expr::Is { expr, test, negated: true },
                other => Expr::Not(Box::new(other)),
            }
        }
        Expr::And(all) => one_of(all.iter().map(|part| negated(part, dialect))),
        Expr::Or(any) => all_of(any.iter().map(|part| negated(part, dialect))),
        Expr::Binary { op, left, right } => match opposite(op) {
            Some(op) => simplified(&Expr::Binary { op, left: left.clone(), right: right.clone() }, dialect),
            None => Expr::Not(Box::new(condition.clone())),
        },
        Expr::InList { expr, list, negated } => {
            Expr::InList { expr: expr.clone(), list: list.clone(), negated: !negated }
        }
        Expr::InQuery { expr, query, op: Op::Eq, negated } => {
            Expr::InQuery { expr: expr.clone(), query: *query, op: Op::Eq, negated: !negated }
        }
        Expr::Any { left, op, right, all } => match opposite(op) {
            Some(op) => Expr::Any { left: left.clone(), op, right: right.clone(), all: !all },
            None => Expr::Not(Box::new(condition.clone())),
        },
        Expr::Is { expr, test, negated } => Expr::Is { expr: expr.clone(), test: *test, negated: !negated },
        Expr::Between { expr, low, high, negated } => {
            let turned =
                Expr::Between { expr: expr.clone(), low: low.clone(), high: high.clone(), negated: !negated };
            simplified(&turned, dialect)
        }
        Expr::Like { expr, pattern, kind, negated } => {
            Expr::Like { expr: expr.clone(), pattern: pattern.clone(), kind: *kind, negated: !negated }
        }
        Expr::Literal(Literal::Bool(value)) => Expr::Literal(Literal::Bool(!value)),
        other => Expr::Not(Box::new(other.clone())),
    }
}

/// The negation of a comparison operator.
fn opposite(op: &Op) -> Option<Op> {
    Some(match op {
        Op::Eq => Op::NotEq,
        Op::NotEq => Op::Eq,
        Op::Lt => Op::GtEq,
        Op::LtEq => Op::Gt,
        Op::Gt => Op::LtEq,
        Op::GtEq => Op::Lt,
        Op::Same => Op::NotSame,
        Op::NotSame => Op::Same,
        _ => return None,
    })
}

/// A flat AND of the conditions, without those that are always true.
fn all_of(parts: impl IntoIterator<Item = Expr>) -> Expr {
    let mut all = Vec::new();
    for part in parts {
        match part {
            Expr::And(inner) => all.extend(inner),
            Expr::Literal(Literal::Bool(true)) => {}
            other => all.push(other),
        }
    }
    match all.len() {
        0 => Expr::Literal(Literal::Bool(true)),
        1 => all.remove(0),
        _ => Expr::And(all),
    }
}

/// A flat OR of the conditions; true if one of them always is.
fn one_of(parts: impl IntoIterator<Item = Expr>) -> Expr {
    let mut any = Vec::new();
    for part in parts {
        match part {
            Expr::Or(inner) => any.extend(inner),
            Expr::Literal(Literal::Bool(false)) => {}
            Expr::Literal(Literal::Bool(true)) => return Expr::Literal(Literal::Bool(true)),
            other => any.push(other),
        }
    }
    match any.len() {
        0 => Expr::Literal(Literal::Bool(false)),
        1 => any.remove(0),
        _ => Expr::Or(any),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::resolve;

    fn written(condition: &str) -> Vec<String> {
        let sql = format!("SELECT 1 FROM t WHERE {condition}");
        let query = resolve(&sql, Dialect::Postgres, None).expect("it parses");
        let block = query.block(query.root.expect("a query"));
        let filter = Expr::And(block.filters().to_vec());
        conjuncts(&filter, Dialect::Postgres).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn not_goes_inwards() {
        for (condition, expected) in [
            ("NOT (a <> 1)", vec!["a = 1"]),
            ("NOT (a > 1 OR b IS NOT NULL)", vec!["a <= 1", "b IS NULL"]),
            ("NOT (a IN (1, 2) AND NOT b)", vec!["a not in (1, 2) or b"]),
            ("a NOT BETWEEN 1 AND 2", vec!["a < 1 or a > 2"]),
            ("NOT (NOT (a = 1))", vec!["a = 1"]),
            ("a <> false AND b <> true AND true", vec!["a", "not b"]),
            ("a = 1 OR true", vec![]),
            ("(a = 1) = true AND (b > 2) = false AND c = true", vec!["a = 1", "b <= 2", "c = true"]),
        ] {
            let found: Vec<String> = written(condition).iter().map(|text| text.to_lowercase()).collect();
            let expected: Vec<String> = expected.iter().map(|text| text.to_lowercase()).collect();
            assert_eq!(found, expected, "{condition}");
        }
    }
}
